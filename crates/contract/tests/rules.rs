//! One table for each rule that the contract computes: the recorded example, and the step on either side
//! of the line. The numbers come from recordings (see `testdata/examples`) unless a comment says otherwise.

use centum_contract::adl::{AdlCandidate, may_be_deleveraged, outranks, percentile};
use centum_contract::display::{
    average_entry_price, fair_basis_rate, impact_mid, margin_leverage, margin_used, risk_value, unrealised_pcnt,
    unrealised_roe, vwap,
};
use centum_contract::funding::{adverse, interest, largest_change, largest_rate, payment, rate};
use centum_contract::liquidation::{
    SafeLine, bearable, close_out_tick, distance_past, lot_is_passed, price_after_loss, price_of_unit_value,
    unit_value_after_loss,
};
use centum_contract::margin::{
    Chargeable, OrderSums, SideSums, Terms, available, chargeable, held, leverage_fits, order_margin, position_cross,
    position_margin, premium_per_unit, risk_usage, tier_for, tier_initial, tier_limit, tier_maintenance,
};
use centum_contract::mark::{fair_price, minutes_left, next_funding};
use centum_contract::position::PositionState;
use centum_contract::premium::{
    Basis, Impact, average_round_half_away, impact_value_floor, is_too_wide, premium_round_half_away,
};
use centum_contract::value::{fee, unit_value, value};
use centum_contract::view::view;
use centum_contract::{AccountId, ContractSpec, FeeRounding, Leverage, Price, Qty, Rate, Side, Tick, Xbt, event};

const OLD: ContractSpec = ContractSpec::XBTUSD_2019;
const LOTS: ContractSpec = ContractSpec::XBTUSD_2021;

fn usd(text: &str) -> Price {
    let (whole, cents) = text.split_once('.').unwrap_or((text, "0"));
    let cents = format!("{cents:0<2}");
    Price(whole.parse::<u64>().unwrap() * 100 + cents.parse::<u64>().unwrap())
}

fn holding(qty: i64, cost: i64) -> PositionState {
    PositionState { qty, cost: Xbt(cost), ..PositionState::default() }
}

/// Terms with the recorded maintenance margin and adverse rate.
fn terms(leverage: u32, is_cross: bool, maintenance: i64, adverse: i64) -> Terms {
    let spec = ContractSpec { maintenance_margin: Rate(maintenance), ..OLD };
    let leverage = if is_cross { Leverage::CROSS } else { Leverage(leverage) };
    Terms::new(&spec, leverage, 0, Rate(75_000), Rate(adverse))
}

#[test]
fn value_1_one_unit_is_rounded_then_multiplied() {
    for (spec, price, unit) in [
        (OLD, "6134", 16_303),     // 2017-11-12: 632 contracts are 10,303,496
        (OLD, "6520", 15_337),     // 2018-07-06
        (LOTS, "33613", 297_504),  // 2021-07-11
        (OLD, "512", 195_313),     // a half, away from zero
        (OLD, "512.01", 195_309),  // the step above it
        (OLD, "511.99", 195_316),  // and below
        (LOTS, "256", 39_062_500), // exact: a hundred contracts at once
        (LOTS, "409.6", 24_414_063),
        (LOTS, "51200", 195_313), // a half
        (OLD, "0.5", 200_000_000),
        (OLD, "1000000", 100),
    ] {
        assert_eq!(unit_value(&spec, usd(price)), unit, "{} at {price}", spec.name());
    }
    assert_eq!(value(&OLD, Qty(632), usd("6134")), Xbt(10_303_496));
    assert_eq!(value(&LOTS, Qty(2_500), usd("33613")), Xbt(25 * 297_504));
    // Rounding the product instead would give 153,374,233.
    assert_eq!(value(&OLD, Qty(10_000), usd("6520")), Xbt(153_370_000));
}

#[test]
fn cost_1_what_one_pays_the_other_gets() {
    let (mut buyer, mut seller) = (PositionState::default(), PositionState::default());
    buyer.execute(&OLD, 20, unit_value(&OLD, usd("6296.5")));
    seller.execute(&OLD, -20, unit_value(&OLD, usd("6296.5")));
    assert_eq!((buyer.cost, seller.cost), (Xbt(-317_640), Xbt(317_640))); // 2018-08-16
    assert_eq!(buyer.value_at(&OLD, 15_000), Xbt(-300_000), "a long's value is negative");
    assert_eq!(seller.value_at(&OLD, 15_000), Xbt(300_000));
}

#[test]
fn fee_1_toward_zero_for_fees_and_rebates() {
    for (rate, value, recorded, against) in [
        (75_000, 88_155, 66, 67),                   // 2017, 66.12
        (75_000, 9_919, 7, 8),                      // 7.44
        (-25_000, 656_450_000, -164_112, -164_112), // −164112.5, a half
        (-25_000, 9_284, -2, -2),                   // −2.32
        (75_000, 4_000, 3, 3),                      // exact
        (75_000, 3_999, 2, 3),                      // the step below
        (75_000, 4_001, 3, 4),                      // and above
        (-25_000, 3_999, 0, 0),                     // less than a satoshi
        (0, 1_000_000, 0, 0),
    ] {
        assert_eq!(fee(FeeRounding::Recorded, Rate(rate), Xbt(value)), Xbt(recorded), "{rate} of {value}");
        assert_eq!(fee(FeeRounding::Recorded, Rate(rate), Xbt(-value)), Xbt(recorded), "a cost has either sign");
        assert_eq!(fee(FeeRounding::AgainstTrader, Rate(rate), Xbt(value)), Xbt(against), "{rate} of {value}");
    }
}

#[test]
fn pnl_1_value_at_mark_less_cost() {
    for (qty, cost, mark, pnl) in [
        (-500, 7_435_000, "6726.8", -2_000), // 2018-08-27
        (-500, 7_435_000, "6726.04", -1_000),
        (-500, 7_435_000, "6725", 0), // at entry
        (1, -15_957, "6270.34", 9),   // 2019-05-10
        (-30, 756_060, "3964.82", 600),
        (2, -56_079, "3504.5", -991), // 2019-02-12
    ] {
        let position = holding(qty, cost);
        assert_eq!(position.unrealised_pnl(&OLD, unit_value(&OLD, usd(mark))), Xbt(pnl), "{qty} at {mark}");
    }
}

#[test]
fn pos_1_average_entry_price() {
    for (spec, qty, cost, shown) in [
        (OLD, -500, 7_435_000, "6725"),       // exact, the nearest tick is worth it
        (OLD, -2_000, 18_668_000, "10713.5"), // 2019-07-14
        (OLD, 3, -84_126, "3566.1"),          // exact, off the tick: one decimal
        (OLD, 2, -56_079, "3566.461"),        // inexact: floor for a long
        (OLD, -2, 18_257, "10954.1023"),      // inexact: ceil for a short
        (OLD, -2, 18_258, "10954"),           // one satoshi more: exact
        (LOTS, 900, -3_809_844, "23623"),     // 2023-02-28
        (LOTS, 900, -4_325_621, "20806.2852"),
        (LOTS, -1_298_000, 1_777_755_677, "73012.9525"), // 2026-04-17
        (LOTS, -1_438_000, 1_951_105_699, "73701.7438"),
    ] {
        assert_eq!(average_entry_price(&spec, &holding(qty, cost)).unwrap().to_string(), shown, "{qty} for {cost}");
    }
    assert_eq!(average_entry_price(&OLD, &PositionState::default()), None, "a flat position has none");
}

#[test]
fn pos_2_a_partial_close_keeps_its_share_rounded_half_away() {
    for (qty, cost, closed, left) in [
        (3, -10, 1, -7), // 6.67
        (2, -5, 1, -3),  // 2.5, away from zero
        (-2, 5, -1, 3),
        (4, -5, 2, -3), // 2.5
        (4, -6, 1, -5), // 4.5
        (4, -7, 1, -5), // 5.25
    ] {
        let mut position = holding(qty, cost);
        let closing: i64 = -closed;
        let done = position.execute(&OLD, closing, 1);
        assert_eq!(position.cost, Xbt(left), "{closed} of {qty} for {cost}");
        let traded = Xbt(if closing > 0 { -closed.abs() } else { closed.abs() });
        assert_eq!(done.realised_cost + position.cost, Xbt(cost) + traded, "SUM-2: what is not left is realised");
    }
}

#[test]
fn pos_3_a_flip_closes_all_then_opens() {
    let mut position = PositionState { cross: Xbt(5), loss: Xbt(3), ..holding(100, -1_000_000) };
    let done = position.execute(&OLD, -100, 9_000);
    assert_eq!((done.realised_cost, done.opened), (Xbt(-100_000), Qty(0)));
    assert_eq!(position, PositionState::default(), "closed whole: nothing is left of it");
    let mut position = PositionState { cross: Xbt(5), loss: Xbt(3), ..holding(100, -1_000_000) };
    let done = position.execute(&OLD, -101, 9_000);
    assert_eq!((done.realised_cost, done.opened), (Xbt(-100_000), Qty(1)));
    assert_eq!(position, holding(-1, 9_000), "one more: the rest opens at the same unit value");
    let done = holding(100, -1_000_000).execute(&OLD, -99, 9_000);
    assert_eq!((done.realised_cost, done.opened), (Xbt(-99_000), Qty(0)), "one less");
}

#[test]
fn pos_4_realised_pnl_is_what_was_not_left_less_fees() {
    // 2017-04-04: long 1 at 1145.7, taken over at 1134.37.
    let mut position = PositionState::default();
    position.execute(&OLD, 1, unit_value(&OLD, usd("1145.7")));
    let fees =
        fee(FeeRounding::Recorded, Rate(75_000), position.cost) + fee(FeeRounding::Recorded, Rate(75_000), Xbt(88_155));
    let realised = -position.execute(&OLD, -1, 88_155).realised_cost;
    assert_eq!((realised, fees, realised - fees), (Xbt(-872), Xbt(131), Xbt(-1_003)));
}

/// MARGIN-1, 2, 3, 5, 6, 7 in recorded positions: init, cross, comm, margin, maint, locked.
#[test]
fn margin_1_to_7_recorded_positions() {
    struct Case {
        terms: Terms,
        position: PositionState,
        pnl: i64,
        held: [i64; 6],
    }
    let cases = [
        // 2018-08-27, short 500 at 25x.
        Case {
            terms: terms(2_500, false, 500_000, 0),
            position: holding(-500, 7_435_000),
            pnl: -2_000,
            held: [297_400, 0, 5_800, 303_200, 42_975, 301_200],
        },
        // 2019-07-14, short 2,000 at 5x, margin added by hand.
        Case {
            terms: terms(500, false, 500_000, 0),
            position: PositionState { cross: Xbt(71_429), ..holding(-2_000, 18_668_000) },
            pnl: 258_000,
            held: [3_733_600, 71_429, 16_855, 3_821_884, 110_195, 4_079_884],
        },
        // 2017-11-29, short 1 at 2x, its premium funded.
        Case {
            terms: terms(200, false, 500_000, 0),
            position: PositionState { cross: Xbt(39), ..holding(-1, 9_284) },
            pnl: -39,
            held: [4_642, 39, 11, 4_692, 58, 4_653],
        },
        // 2019-03-25, short 30 in cross margin, an adverse rate of 0.0474 %.
        Case {
            terms: terms(0, true, 500_000, 47_400),
            position: holding(-30, 756_060),
            pnl: 600,
            held: [7_561, 0, 573, 8_134, 4_712, 8_734],
        },
        // 2019-05-10, long 1 in cross margin.
        Case {
            terms: terms(0, true, 500_000, 0),
            position: holding(1, -15_957),
            pnl: 9,
            held: [160, 0, 13, 173, 93, 182],
        },
        // 2023-02-28, long 900 in cross margin after funding paid: MARGIN-2 and MARGIN-4.
        Case {
            terms: terms(0, true, 350_000, 10_000),
            position: PositionState { loss: Xbt(67_294), ..holding(900, -4_325_621) },
            pnl: -21_618,
            held: [43_257, 88_912, 3_344, 68_219, 18_917, 46_601],
        },
    ];
    for Case { terms, position, pnl, held: expected } in cases {
        let cross = position_cross(&terms, &position, Xbt(pnl));
        let held = held(&terms, &position, cross);
        let locked = held.margin + Xbt(pnl);
        let got = [held.init, held.cross, held.comm, held.margin, held.maint, locked].map(|xbt| xbt.0);
        assert_eq!(got, expected, "{position:?}");
    }
}

/// MARGIN-1, 3, 6 round up: one satoshi above the line takes one more.
#[test]
fn margin_1_3_6_the_step_above_a_whole_satoshi() {
    let at = |cost: i64| held(&terms(10_000, false, 500_000, 0), &holding(1, -cost), Xbt::ZERO);
    assert_eq!((at(20_000).init, at(20_001).init, at(19_999).init), (Xbt(200), Xbt(201), Xbt(200)));
    // posComm of 20,000 + 200 is 15.15; MM of 20,000 is 100.
    assert_eq!((at(20_000).comm, at(20_000).maint), (Xbt(16), Xbt(116)));
    assert_eq!(at(20_001).maint, Xbt(117), "one ceil over MM and adverse together");
}

/// MARGIN-2: in cross margin a loss is topped up, a profit is not taken away.
#[test]
fn margin_2_cross_margin_tops_up_losses() {
    let cross = terms(0, true, 500_000, 0);
    let position = PositionState { loss: Xbt(5), ..holding(1, -10_000) };
    assert_eq!([-1, 0, 1].map(|pnl| position_cross(&cross, &position, Xbt(pnl)).0), [6, 5, 5]);
    let isolated = PositionState { cross: Xbt(-7), ..position };
    assert_eq!(
        position_cross(&terms(500, false, 500_000, 0), &isolated, Xbt(-1)),
        Xbt(-7),
        "isolated: what was added by hand"
    );
}

/// MARGIN-7: unrealised profit never funds an order; a loss in cross margin does count.
#[test]
fn margin_7_available() {
    let position = holding(-500, 7_435_000);
    let at = |terms: &Terms, mark| available(&OLD, terms, Xbt(1_000_000), Xbt(1_000), &position, mark);
    let (isolated, cross) = (terms(2_500, false, 500_000, 0), terms(0, true, 500_000, 0));
    assert_eq!(
        [14_000, 14_870, 15_000].map(|mark| at(&isolated, mark).0),
        [695_800; 3],
        "isolated: the mark moves nothing"
    );
    // The commission is charged on the top-up too.
    assert_eq!(at(&cross, 14_871), at(&cross, 14_870), "cross: a profit adds nothing");
    assert!(at(&cross, 14_869) < at(&cross, 14_870), "a loss takes away");
    assert_eq!(position_margin(&OLD, &isolated, &PositionState::default(), 14_870), Xbt::ZERO);
}

/// MARGIN-8: leverage is 0.01 to 100 and at most 1/IM of the tier.
#[test]
fn margin_8_leverage_against_the_tier() {
    for (leverage, tier, fits) in [
        (10_000, 0, true),
        (10_001, 0, false),
        (1, 0, true),
        (0, 198, true),
        (6_666, 1, true),
        (6_667, 1, false), // 1.5 %: 66.67x is too much by a hair
        (5_000, 2, true),
        (5_001, 2, false),
    ] {
        assert_eq!(leverage_fits(&OLD, Leverage(leverage), tier), fits, "{leverage} in tier {tier}");
    }
}

/// MARGIN-9: a partial close shares posCross and posLoss, half away from zero.
#[test]
fn margin_9_a_partial_close_frees_its_share() {
    let mut position = PositionState { cross: Xbt(-5), loss: Xbt(3), ..holding(2, -20_000) };
    position.execute(&OLD, -1, 10_000);
    assert_eq!((position.cross, position.loss), (Xbt(-3), Xbt(2)));
    position.execute(&OLD, 5, 10_000);
    assert_eq!((position.cross, position.loss), (Xbt(-3), Xbt(2)), "adding leaves them");
}

#[test]
fn risk_1_tiers() {
    let year_2021 = ContractSpec { risk_step: Xbt(15_000_000_000), ..OLD };
    for (tier, below, maintenance, initial) in [
        (0, 200, 500_000, 1_000_000),
        (1, 350, 1_000_000, 1_500_000),
        (2, 500, 1_500_000, 2_000_000),
        (3, 650, 2_000_000, 2_500_000),
    ] {
        assert_eq!(tier_limit(&year_2021, tier), Xbt(below * 100_000_000));
        assert_eq!(
            (tier_maintenance(&year_2021, tier), tier_initial(&year_2021, tier)),
            (Rate(maintenance), Rate(initial))
        );
    }
    let xbt = |amount: i64| Xbt(amount * 100_000_000);
    assert_eq!(tier_for(&year_2021, xbt(200)), Some(0), "on the line");
    assert_eq!(tier_for(&year_2021, xbt(200) + Xbt(1)), Some(1), "a satoshi above it");
    assert_eq!(tier_for(&year_2021, xbt(230)), Some(1), "the documented order of 50 on a position of 180");
    assert_eq!(tier_for(&OLD, tier_limit(&OLD, 198)), Some(198));
    assert_eq!(tier_for(&OLD, tier_limit(&OLD, 198) + Xbt(1)), None, "above the highest tier");
    // 2019-01-04: short 6, one of seven bought is charged.
    let usage =
        risk_usage(&OLD, &holding(-6, 0), unit_value(&OLD, usd("3754.12")), Chargeable { cost: 26_459, premium: 0 });
    assert_eq!(usage, 186_281);
    assert_eq!(risk_value(Xbt(159_822), Xbt(26_459)), Xbt(186_281));
}

#[test]
fn om_1_two_ceils_over_all_orders() {
    let charged = |leverage, taker, cost| {
        let terms = Terms::new(&OLD, Leverage(leverage), 0, Rate(taker), Rate::ZERO);
        order_margin(&terms, Chargeable { cost, premium: 0 }).0
    };
    for (leverage, taker, cost, margin) in [
        (100, 75_000, 26_459, 26_519),            // 2019-01-04
        (10_000, 75_000, 606_060, 6_975),         // 2021-07-11
        (10_000, 50_000, 673_220_800, 7_408_795), // 2026-05-03
        (10_000, 75_000, 38_961_063, 448_345),    // seven sells in one bulk
        (100, 75_000, 33_333, 33_408),            // 2019-02-20
        (10_000, 75_000, 0, 0),                   // nothing charged
        (10_000, 75_000, 100, 2),                 // 1, and 0.15075 rounded up
        (10_000, 75_000, 101, 3),                 // 1.01 rounded up, and again one
    ] {
        assert_eq!(charged(leverage, taker, cost), margin, "{cost} at {leverage}");
    }
}

fn sums(buy: (u64, u64), sell: (u64, u64)) -> OrderSums {
    let side = |(qty, cost)| SideSums { qty: Qty(qty), cost, premium: 0 };
    OrderSums { buy: side(buy), sell: side(sell) }
}

/// OM-2, OM-3 with the recorded decisive numbers, and a contract on either side of what reduces.
#[test]
fn om_2_and_om_3_what_reduces_is_free_and_the_dearer_side_is_charged_first() {
    for (buy, sell, position, cost) in [
        ((7, 185_213), (0, 0), -6, 26_459), // 2019-01-04
        ((1_320_000, 2_491_483_400), (480_000, 611_853_400), -1_298_000, 625_334_844), // 2026-04-17
        ((1_400_000, 2_603_983_400), (560_000, 673_220_800), -1_438_000, 673_220_800), // 2026-05-03
        ((5, 500), (0, 0), -5, 0),          // all of it reduces
        ((6, 600), (0, 0), -5, 100),        // one contract too many
        ((4, 400), (0, 0), -5, 0),
        ((5, 500), (5, 450), 0, 500), // flat, both sides: the larger once, buys first
        ((5, 500), (6, 540), 0, 590), // one more sell: five buys and one sell
        ((5, 500), (6, 541), 0, 591), // 90.17 rounded up
        ((0, 0), (7, 700), 7, 0),
        ((0, 0), (8, 801), 7, 101), // 100.125 rounded up
    ] {
        assert_eq!(chargeable(&sums(buy, sell), position).cost, cost, "{buy:?} {sell:?} {position}");
    }
    let terms = Terms::new(&ContractSpec::XBTUSD_2026, Leverage::CROSS, 0, Rate(50_000), Rate::ZERO);
    let margin = |buy, sell, position| order_margin(&terms, chargeable(&sums(buy, sell), position)).0;
    assert_eq!(margin((1_320_000, 2_491_483_400), (480_000, 611_853_400), -1_298_000), 6_881_811);
    assert_eq!(margin((2_480_000, 5_854_074_600), (380_000, 567_375_600), -998_000), 38_498_591);
}

/// OM-5: the gap where the price is worse than the mark; a step on either side of it; not at 1x.
#[test]
fn om_5_the_premium() {
    for (side, price, mark, premium) in [
        (Side::Buy, 10_000, 10_000, 0),
        (Side::Buy, 9_999, 10_000, 1),
        (Side::Buy, 10_001, 10_000, 0),
        (Side::Sell, 10_000, 10_000, 0),
        (Side::Sell, 10_001, 10_000, 1),
        (Side::Sell, 9_999, 10_000, 0),
    ] {
        assert_eq!(premium_per_unit(side, price, mark), premium, "{side:?} {price}");
    }
    let of = |leverage| {
        order_margin(
            &Terms::new(&OLD, Leverage(leverage), 0, Rate(75_000), Rate::ZERO),
            Chargeable { cost: 10_000, premium: 77 },
        )
        .0
    };
    assert_eq!(of(100), 10_000 + 23, "at 1x no premium"); // recorded 2019-01-04
    assert_eq!(of(101) - order_margin(&terms(101, false, 500_000, 0), Chargeable { cost: 10_000, premium: 0 }).0, 77);
}

/// LIQ-1, LIQ-3: isolated positions as recorded.
#[test]
fn liq_1_and_liq_3_isolated() {
    for (leverage, position, liquidation, bankruptcy) in [
        (2_500, holding(-500, 7_435_000), "6968.5", "7004.5"),
        (500, PositionState { cross: Xbt(71_429), ..holding(-2_000, 18_668_000) }, "13370.5", "13455"),
        (200, PositionState { cross: Xbt(39), ..holding(-1, 9_284) }, "21505", "21724.5"),
        (100, holding(100, -2_791_300), "1796", "1791.5"), // 2019-02-11
        (100, holding(2, -56_079), "1788", "1783.5"),
        (100, holding(3, -84_126), "1788", "1783.5"),
    ] {
        let losses = bearable(&terms(leverage, false, 500_000, 0), &position, 0);
        let price = |w| price_after_loss(&OLD, &position, w, OLD.tick_size);
        assert_eq!(
            (price(losses.until_liquidation), price(losses.until_bankruptcy)),
            (usd(liquidation), usd(bankruptcy))
        );
    }
    // 2017: IM·|cost| is not rounded up, else v would be 88,156.
    let long = holding(1, -87_283);
    let losses = bearable(&terms(10_000, false, 500_000, 0), &long, 0);
    assert_eq!(unit_value_after_loss(&OLD, &long, losses.until_bankruptcy), Some(88_155));
    assert_eq!(price_of_unit_value(&OLD, true, 88_155, Price(1)), usd("1134.37"));
}

/// LIQ-2, LIQ-3: the commission is charged on cost and the whole equity. 2019-05-10 and 2019-03-25.
#[test]
fn liq_2_cross() {
    let cross = terms(0, true, 500_000, 0);
    let long = holding(1, -15_957);
    let losses = bearable(&cross, &long, 1_500_003);
    let price = |position: &PositionState, w| price_after_loss(&OLD, position, w, OLD.tick_size);
    assert_eq!(
        (price(&long, losses.until_liquidation), price(&long, losses.until_bankruptcy)),
        (usd("66.5"), usd("66.5"))
    );
    let short = holding(-30, 756_060);
    let losses = bearable(&cross, &short, 377_085_370);
    assert_eq!(price(&short, losses.until_bankruptcy), OLD.never_price, "margin far above the value: never");
    // An account below zero is bankrupt before its entry.
    assert!(bearable(&cross, &long, -100).until_bankruptcy < 0);
    assert!(price(&long, bearable(&cross, &long, -100).until_bankruptcy) > usd("6267"));
}

/// LIQ-3: up for a long, down for a short, at least one tick, never beyond `never_price`; R ≤ 0 is never.
#[test]
fn liq_3_both_roundings_go_toward_the_mark() {
    for (is_long, v, step, price) in [
        (true, 10_000, 50, "10000"),
        (true, 9_999, 50, "10001.5"),
        (true, 10_001, 50, "9999.5"),
        (false, 10_000, 50, "10000"),
        (false, 9_999, 50, "10001"),
        (false, 10_001, 50, "9999"),
        (false, 86_153, 1, "1160.72"), // 2017
        (true, 1_000_000_000_000, 50, "0.5"),
        (false, 1, 50, "100000000"),
    ] {
        assert_eq!(price_of_unit_value(&OLD, is_long, v, Price(step)), usd(price), "{is_long} {v}");
    }
    let short = holding(-2, 20_000);
    assert_eq!(unit_value_after_loss(&OLD, &short, 19_999), Some(1), "R = 1");
    assert_eq!(unit_value_after_loss(&OLD, &short, 20_000), None, "R = 0: never");
    assert_eq!(unit_value_after_loss(&OLD, &short, 20_001), None);
    let long = holding(2, -20_000);
    assert_eq!(
        [unit_value_after_loss(&OLD, &long, 1), unit_value_after_loss(&OLD, &long, 2)],
        [Some(10_000), Some(10_001)],
        "floor"
    );
    assert_eq!(unit_value_after_loss(&OLD, &short, 1), Some(10_000), "ceil");
    assert_eq!(unit_value_after_loss(&OLD, &long, -30_000), Some(1), "v is at least 1");
}

/// LIQ-4, LIQ-8, LIQ-12: strictly safe, one step before, on and past the price.
#[test]
fn liq_4_the_line_and_a_step_on_either_side() {
    let isolated = terms(2_500, false, 500_000, 0);
    let short = holding(-500, 7_435_000); // 6968.5
    let long = holding(500, -7_435_000);
    let w = bearable(&isolated, &short, 0).until_liquidation;
    let price = price_after_loss(&OLD, &long, w, OLD.tick_size);
    for (position, mark, safe, past) in [
        (short, usd("6968.49"), true, 0),
        (short, usd("6968.5"), false, 0),
        (short, usd("6968.51"), false, 1),
        (long, Price(price.0 + 1), true, 0),
        (long, price, false, 0),
        (long, Price(price.0 - 1), false, 1),
    ] {
        assert_eq!(SafeLine::at(&OLD, mark).is_safe(&OLD, &position, w), safe, "{position:?} at {mark}");
        let at = price_after_loss(&OLD, &position, w, OLD.tick_size);
        assert_eq!(distance_past(position.qty > 0, at, mark), past);
    }
}

/// LIQ-7, LIQ-9: no fill at the close-out tick can lose; the mark passes strictly.
#[test]
fn liq_9_the_close_out_tick_cannot_lose() {
    for (is_long, v, tick) in
        [(true, 88_155, 2_269), (false, 86_153, 2_321), (true, 10_000, 20_000), (false, 10_000, 20_000)]
    {
        assert_eq!(close_out_tick(&OLD, is_long, v), Some(Tick(tick)));
        let at = unit_value(&OLD, OLD.tick_price(Tick(tick)));
        assert!(if is_long { at <= v } else { at >= v }, "a sell of a long lot pays no more than it cost");
    }
    // At the end of the scale, 1,000,000, a unit is worth 100; a step beyond it there is no price.
    assert_eq!(close_out_tick(&OLD, true, 100), Some(OLD.max_tick()));
    assert_eq!(close_out_tick(&OLD, true, 99), None);
    assert_eq!(close_out_tick(&OLD, false, 99), Some(OLD.max_tick()));
    for (is_long, mark, passed) in
        [(true, "10000", false), (true, "9999.99", true), (false, "10000", false), (false, "10000.01", true)]
    {
        assert_eq!(lot_is_passed(&OLD, is_long, 10_000, usd(mark)), passed, "{is_long} {mark}");
    }
}

/// ADL-1, 3, 4 have their tables beside the code, in `adl.rs`; here the documented ranking, by positions.
#[test]
fn adl_1_3_4() {
    let candidate = |account, leverage, qty| {
        let terms = Terms::new(&OLD, Leverage(leverage), 0, Rate(75_000), Rate::ZERO);
        let mut position = PositionState::default();
        position.execute(&OLD, qty, 10_000);
        AdlCandidate { account: AccountId(account), position, terms, equity: 0 }
    };
    let mut longs = [candidate(4, 1_000, 10), candidate(5, 5_000, 10), candidate(6, 5_000, 20), candidate(7, 100, 40)];
    longs.sort_by(
        |a, b| if outranks(&OLD, 9_900, a, b) { core::cmp::Ordering::Less } else { core::cmp::Ordering::Greater },
    );
    assert_eq!(longs.map(|long| long.account.0), [6, 5, 4, 7], "leverage, then quantity");
    assert_eq!([20, 30, 40, 80].map(|sum| percentile(sum, 80)), [40, 40, 60, 100]);
    // At 50x the margin of 10,000 is 200.
    assert!(may_be_deleveraged(&OLD, &longs[0], 10_200) && !may_be_deleveraged(&OLD, &longs[0], 10_201));
}

/// MARK-1: as recorded; exact seconds would give 1720.91 and 97849.75.
#[test]
fn mark_1_the_clock_is_floored_to_the_minute() {
    for (index, rate, minutes, mark) in [
        ("1719.18", 291_900, 166, "1720.92"),  // 2017-05-15
        ("6650.89", 250_000, 129, "6655.36"),  // 2019-12-18
        ("97843.77", 11_000, 267, "97849.76"), // 2024-11-24
        ("78176.66", -2_400, 419, "78175.02"), // 2026-05-03
        ("10000", 10_000, 0, "10000"),
        ("10000", 10_000, 24, "10000.05"), // 0.05 exactly
        ("10000", 5_000, 48, "10000.05"),
        ("100", 10_000, 240, "100.01"), // a half cent goes up
        ("100", 10_000, 239, "100"),
    ] {
        assert_eq!(fair_price(usd(index), Rate(rate), minutes, 480), usd(mark), "{index} {minutes}");
    }
    let minute = 60_000_000_000;
    for (ts, left) in [(0, 240), (1, 240), (minute - 1, 240), (minute, 239), (239 * minute, 1), (240 * minute, 480)] {
        assert_eq!(minutes_left(ts, next_funding(&OLD, ts)), left, "{ts}");
    }
}

/// FUND-3: longs pay when F > 0; ties away from zero.
#[test]
fn fund_3_payments() {
    let paid = |qty, unit, rate| payment(&OLD, &holding(qty, 0), unit, Rate(rate)).0;
    assert_eq!(paid(-169, unit_value(&OLD, usd("9268.18")), 10_000), -182); // 2020-07-14: 182.351 received
    assert_eq!(paid(15_000, unit_value(&OLD, usd("750")), 250_000), 4_999_988); // the document says 0.05 XBT
    assert_eq!([paid(1, 5_000, 10_000), paid(-1, 5_000, 10_000)], [1, -1], "0.5 rounds away from zero");
    assert_eq!([paid(1, 4_999, 10_000), paid(1, 5_000, -10_000), paid(-1, 5_000, -10_000)], [0, -1, 1]);
    assert_eq!([paid(0, 5_000, 10_000), paid(1, 5_000, 0)], [0, 0]);
    assert_eq!([adverse(1, Rate(-5)), adverse(-1, Rate(-5))], [Rate(0), Rate(5)], "MARGIN-6");
}

/// FUND-1: interest, the damper's line, and both limits, a step on either side.
#[test]
fn fund_1_interest_and_limits() {
    assert_eq!(interest(Rate(60_000), Rate(30_000)), Rate(10_000));
    assert_eq!(interest(Rate(1_000_000), Rate(250_000)), Rate(250_000), "the document: 1 % and 0.25 % a day");
    assert_eq!(
        (largest_rate(Rate(1_000_000), Rate(500_000)), largest_change(Rate(500_000))),
        (Rate(375_000), Rate(375_000))
    );
    assert_eq!(
        (largest_rate(Rate(1_000_000), Rate(450_000)), largest_change(Rate(450_000))),
        (Rate(412_500), Rate(337_500))
    );
    let of = |premium, before| rate(&OLD, Rate(premium), Rate(10_000), Rate(before)).0;
    assert_eq!([of(59_900, 0), of(60_000, 0), of(60_100, 0)], [10_000, 10_000, 10_100], "within 0.05 %: the interest");
    assert_eq!([of(-39_900, 0), of(-40_000, 0), of(-40_100, 0)], [10_000, 10_000, 9_900]);
    assert_eq!([of(425_000, 100_000), of(425_100, 100_000), of(-425_100, -1_000)], [375_000, 375_000, -375_000]);
    assert_eq!([of(400_000, -100_000), of(400_000, -30_000)], [275_000, 345_000], "at most 0.375 % a step");
    assert_eq!([of(60_149, 0), of(60_150, 0), of(-40_150, 0)], [10_100, 10_200, 9_900], "six decimals");
}

/// FUND-1: the impact price of 10 XBT, a step on either side of what suffices; a price weighs by the value taken there.
#[test]
fn fund_1_impact_prices() {
    let of = |spec: &ContractSpec, levels: &[(&str, u64)]| {
        let mut impact = Impact::new(spec);
        let enough =
            levels.iter().map(|(price, qty)| impact.take(spec, usd(price), Qty(*qty))).filter(|it| *it).count();
        assert_eq!(enough != 0, impact.price_round_half_away().is_some(), "{levels:?}");
        impact.price_round_half_away()
    };
    assert_eq!(of(&OLD, &[("10000", 99_999)]), None);
    assert_eq!(of(&OLD, &[("10000", 100_000)]), Some(100_000_000));
    assert_eq!(of(&OLD, &[("6048.5", 60_500)]), Some(60_485_000), "a single price is shown as it is: recorded 6048.5");
    assert_eq!(of(&OLD, &[("10000", 99_999), ("20000", 1)]), None, "half a contract's worth is missing");
    assert_eq!(of(&OLD, &[("10000", 99_999), ("20000", 2)]), Some(100_001_000));
    assert_eq!(of(&OLD, &[("10000", 99_999), ("20000", 1_000_000)]), Some(100_001_000), "no more than that is taken");
    // 0.1 XBT at 100 %: 10,999 XBt of it at the next price: 5.4995 and 10.999 ten-thousandths more.
    let whole = ContractSpec { initial_margin: Rate(100_000_000), ..OLD };
    assert_eq!(of(&whole, &[("10001", 999), ("10001.5", 2)]), Some(100_010_005));
    assert_eq!(of(&whole, &[("10001", 999), ("10002", 2)]), Some(100_010_011));
    // 3,361 units of 297,504, then 89,056 XBt a thousand dollars above.
    assert_eq!(of(&ContractSpec::XBTUSD_2021, &[("33613", 336_100), ("34613", 100)]), Some(336_130_891));
    assert_eq!(impact_value_floor(&ContractSpec { initial_margin: Rate(3_000_000), ..OLD }), 333_333_333);
    assert_eq!(of(&OLD, &[("10000", u64::MAX >> 1)]), Some(100_000_000), "whatever a price may hold");
}

/// FUND-1: a spread of MM0, 0.5 %, says something, one 0.0001 USD wider does not.
#[test]
fn fund_1_a_wide_spread() {
    let index = usd("10000");
    assert!(!is_too_wide(&OLD, 99_750_000, 100_250_000, index));
    assert!(is_too_wide(&OLD, 99_750_000, 100_250_001, index));
    assert!(is_too_wide(&ContractSpec::XBTUSD_2021, 99_750_000, 100_250_000, index), "0.35 %");
}

/// FUND-1: the premium a step beside the mark on either side, the basis, and both ends.
#[test]
fn fund_1_premiums() {
    let (mark, index) = (usd("10000"), usd("10000"));
    let fair = |rate, minutes_left| Basis::OfRate { rate: Rate(rate), minutes_left, interval_minutes: 480 };
    for (bid, ask, basis, expected) in [
        (100_000_000, 100_005_000, fair(0, 0), 0),
        (100_000_001, 100_005_000, fair(0, 0), 1),
        (99_000_000, 100_000_000, fair(0, 0), 0),
        (99_000_000, 99_999_999, fair(0, 0), -1),
        (99_000_000, 100_005_000, fair(10_000, 240), 5_000),
        (99_000_000, 100_005_000, fair(10_000, 480), 10_000),
        (99_000_000, 100_005_000, fair(1, 240), 1), // 0.5 rounds away from zero
        (99_000_000, 100_005_000, fair(-1, 240), -1),
        (99_000_000, 100_005_000, fair(1, 239), 0),
        (100_000_001, 100_005_000, fair(1, 239), 1), // one rounding over the sum
        (100_000_001, 100_005_000, fair(1, 240), 2),
        (199_999_999, 200_000_000, fair(0, 0), 99_999_999),
        (200_000_001, 200_000_002, fair(0, 0), 100_000_000), // 100 % at most
        (1, 2, fair(-100_000, 480), -100_000_000),
    ] {
        assert_eq!(premium_round_half_away(bid, ask, mark, index, basis), Rate(expected), "{bid} {ask} {basis:?}");
    }
    let of_mark = |mark| premium_round_half_away(99_000_000, 101_000_000, usd(mark), index, Basis::OfMark);
    assert_eq!([of_mark("10000.01"), of_mark("10000"), of_mark("9990")], [Rate(100), Rate(0), Rate(-100_000)]);
}

/// FUND-1: the average over the minutes, ties away from zero.
#[test]
fn fund_1_averages() {
    let of = |sum, minutes| average_round_half_away(sum, minutes).0;
    assert_eq!([of(3, 2), of(-3, 2), of(7, 5), of(8, 5), of(-7, 5), of(0, 480)], [2, -2, 1, 2, -1, 0]);
}

/// VIEW-1: percentages, leverage, used margin, yearly rate, volume price, middle.
#[test]
fn view_1_what_is_shown() {
    let cross = terms(0, true, 500_000, 0);
    for (terms, position, pnl, pcnt, roe) in [
        (terms(2_500, false, 500_000, 0), holding(-500, 7_435_000), -2_000, "-0.0003", "-0.0067"),
        (terms(500, false, 500_000, 0), holding(-2_000, 18_668_000), 258_000, "0.0138", "0.0691"),
        (cross, holding(-30, 756_060), 600, "0.0008", "0.0794"),
        (cross, holding(-2, 18_257), -35, "-0.0019", "-0.1917"),
        (cross, holding(-1, 10_000), 0, "0.0000", "0.0000"),
        (cross, holding(-1, 20_000), 1, "0.0001", "0.0050"), // a half, away from zero
    ] {
        assert_eq!(unrealised_pcnt(&position, Xbt(pnl)).to_string(), pcnt);
        assert_eq!(unrealised_roe(&terms, &position, Xbt(pnl)).to_string(), roe);
    }
    for (gross, balance, shown) in [
        (756_090, 377_084_830, "0.00200509259415183"), // 0.0020050925941518254
        (15_948, 1_500_012, "0.0106319149446804"),
        (1_115_956, 206_536, "5.40320331564473"),
        (0, 1, "0"),
        (1, 1, "1.00000000000000"),
        (1, 8, "0.125000000000000"),
        (999_999_999_999_999_999, 1_000_000_000_000_000_000, "1.00000000000000"),
    ] {
        assert_eq!(margin_leverage(Xbt(gross), Xbt(balance)).unwrap().to_string(), shown);
    }
    assert_eq!(margin_leverage(Xbt(1), Xbt(0)), None);
    let used =
        |orders, locked, balance| margin_used(Xbt(orders), Xbt(locked), Xbt(balance)).map(|used| used.to_string());
    assert_eq!(used(2_320, 42_960, 206_536).as_deref(), Some("0.2192"));
    assert_eq!([used(1, 1, 0), used(1, 1, -1)], [None, None]);
    assert_eq!(fair_basis_rate(Rate(11_000), 480).to_string(), "0.12045");
    assert_eq!(fair_basis_rate(Rate(50_000), 1_440).to_string(), "0.1825", "once a day, as in 2016");
    assert_eq!(vwap(&OLD, 1_204_198, 11_589_499_007).unwrap().to_string(), "10390.6899");
    assert_eq!([vwap(&OLD, 0, 1), vwap(&OLD, 2, 1)], [None, None], "nothing traded");
    let mid = |bid, ask| impact_mid(&OLD, bid, ask).to_string();
    assert_eq!(
        [mid(60_485_000, 60_485_000), mid(60_485_000, 60_489_998), mid(60_485_000, 60_490_000)],
        ["6048.5", "6048.5", "6048.75"]
    );
}

/// WITHDRAW-1: never unrealised profit, never below nothing.
#[test]
fn withdraw_1_profit_stays() {
    let wallet = event::Wallet { balance: Xbt(1_000_000), order_margin: Xbt(1_000), ..event::Wallet::default() };
    let at = |qty, cost: i64, mark| {
        let position = event::Position { qty, cost: Xbt(cost), ..event::Position::default() };
        view(&OLD, Rate::ZERO, &wallet, &position, mark)
    };
    let (entry, up) = (at(100, -1_000_000, usd("10000")), at(100, -1_000_000, usd("20000")));
    assert_eq!((up.unrealised_pnl, up.margin_balance), (Xbt(500_000), Xbt(1_500_000)));
    assert_eq!(up.withdrawable, entry.withdrawable, "the profit adds nothing");
    assert_eq!(entry.withdrawable, Xbt(1_000_000 - 1_000 - 10_000 - 758));
    assert_eq!(at(100, -1_000_000, usd("5000")).withdrawable, Xbt::ZERO, "a loss above the wallet");
    assert!(at(100, -1_000_000, usd("5000")).available.0 < 0);
    assert_eq!(at(0, 0, usd("5000")).withdrawable, Xbt(999_000));
    assert_eq!(at(0, 0, Price::NONE).available, Xbt(999_000), "before the first mark");
}
