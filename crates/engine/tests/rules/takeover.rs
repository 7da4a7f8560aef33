//! What becomes of a position taken over: the lot, the fund, the sweep. (Rules LIQ-5, LIQ-7, LIQ-9, INS-1)

use contract::command::{Amount, SetAccount, SetLeverage};
use contract::*;
use testkit::scenario;

use super::desk::Desk;

/// LIQ-1, LIQ-3, LIQ-5, recorded 2017-04-04: one contract bought at 1145.7 with 100x. Liquidation price
/// 1140.1; taken over at 88,155 satoshi, published as 1134.37; fee 66; realised −1,003 in all.
#[test]
fn the_liquidation_of_2017_is_reproduced_to_the_satoshi() {
    let mut spec = ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
    spec.tick_size = Price(10);
    let mut desk = Desk::new(spec);
    desk.mark(Price(114_570));
    let (maker, trader) = (desk.open(), desk.open());
    desk.apply(trader, Action::SetLeverage(SetLeverage { leverage: Leverage(10_000) }));
    desk.apply(maker, Action::New(NewOrder::limit(ClOrdId::NONE, Side::Sell, Tick(11_457), Qty(1))));
    desk.apply(trader, Action::New(NewOrder::limit(ClOrdId::NONE, Side::Buy, Tick(11_457), Qty(1))));
    let position = desk.engine.position(trader).unwrap();
    assert_eq!((position.cost, position.commission), (Xbt(-87_283), Xbt(65)));
    assert_eq!(position.liquidation_price, Price(114_010));
    let wallet = desk.engine.wallet(trader).unwrap().balance;

    assert!(desk.mark(Price(114_020)).iter().all(|event| event.kind() != Some(EventKind::Liquidation)));
    let events = desk.mark(Price(113_688));
    let fill = events
        .iter()
        .find_map(|event| match event.fact() {
            Some(Fact::Fill(fill)) => Some(fill),
            _ => None,
        })
        .expect("the position is taken over");
    assert_eq!(fill.cause.get(), Some(FillCause::Takeover));
    assert_eq!((fill.price, fill.value, fill.taker_fee), (113_437, Xbt(88_155), Xbt(66)));
    let position = desk.engine.position(trader).unwrap();
    assert_eq!((position.qty, position.realised, position.commission), (0, Xbt(-1_003), Xbt(131)));
    assert_eq!(desk.engine.wallet(trader).unwrap().balance, wallet + Xbt(-872 - 66));
    // LIQ-9: the lot rests at the next tick above 1134.37.
    assert_eq!(desk.engine.best(Side::Sell), Some(Tick(11_344)));
}

/// LIQ-7, LIQ-9, INS-2: worth 10,142 a contract is 9859.99; it is offered at the next tick up, 9860.0. A bid that
/// lies higher when it comes pays the difference into the fund: 333·21 and 333·12.
#[test]
fn a_lot_is_offered_where_no_fill_can_lose_and_better_bids_fill_the_fund() {
    scenario(
        "
        m sell 700 @ 10000.0
        a leverage 70
        a buy  700 @ 10000.0
        b buy  333 @ 9880.0
        b buy  333 @ 9871.5
        b buy  333 @ 9859.5
        mark 9890.0            -> mark 9890.0
                               -> a Started qty 700 liq 9909.0 bankrupt 9860.0
                               -> a taken_over long 700 @ 9859.99 fee 5324
                               -> lot TakenOver qty 700 bankrupt 9859.99 unit_value 10142
                               -> lot take 333 fee 0 b make 333 fee -842 leaves 0 @ 9880.0
                               -> fund CloseOut 6993 now 6993
                               -> lot take 333 fee 0 b make 333 fee -843 leaves 0 @ 9871.5
                               -> fund CloseOut 3996 now 10989
                               -> lot Resting qty 34 bankrupt 9859.99 unit_value 10142
        book                   -> ask 34 @ 9860.0
                               -> bid 333 @ 9859.5
        c buy   34 @ 9860.0    -> c new
                               -> c take 34 fee 258 lot make 34 fee 0 leaves 0 @ 9860.0
    ",
    );
}

/// LIQ-7: the lot is an order like any other: it waits its turn at its price.
#[test]
fn a_lot_rests_behind_the_orders_that_were_there_before() {
    scenario(
        "
        m sell 1000 @ 10000.0
        a leverage 100
        a buy  1000 @ 10000.0
        mark 9960.0
        s sell  300 @ 9901.0
        mark 9950.5
        book                   -> ask 1300 @ 9901.0
        b buy   400 @ 9950.0   -> b new
                               -> b take 300 fee 2272 s make 300 fee -757 leaves 0
                               -> b take 100 fee 757 lot make 100 fee 0 leaves 900 @ 9901.0
    ",
    );
}

/// LIQ-9, a short: 9,858 a contract is 10144.04; it bids one tick down, 10144.0.
#[test]
fn a_short_lot_bids_at_the_next_tick_down() {
    scenario(
        "
        m buy  700 @ 10000.0
        a leverage 70
        a sell 700 @ 10000.0
        mark 10100.0           -> mark 10100.0
                               -> a Started qty -700 liq 10092.5 bankrupt 10144.0
                               -> a taken_over short 700 @ 10144.04 fee 5175
                               -> lot TakenOver qty -700 bankrupt 10144.04 unit_value 9858
                               -> lot Resting qty -700 bankrupt 10144.04 unit_value 9858
        book                   -> bid 700 @ 10144.0
        b sell 700 @ 10144.5   -> b new
    ",
    );
}

/// LIQ-7: at 9901.0 itself the lot is not passed; a cent below it is. The sweep takes level by level what
/// the fund can pay: 300·11, 300·21, 300·32 of 20,000, and the rest is deleveraged at 10,100.
#[test]
fn beyond_its_bankruptcy_a_lot_is_swept_as_far_as_the_fund_reaches() {
    scenario(
        "
        insurance 20000
        b leverage 1
        b buy 300 @ 9890.0
        b buy 300 @ 9880.0
        b buy 300 @ 9870.0
        m leverage 100
        m sell 1000 @ 10000.0
        a leverage 100
        a buy  1000 @ 10000.0
        mark 9901.0            -> mark 9901.0
                               -> a Started qty 1000 liq 9950.5 bankrupt 9901.0
                               -> a taken_over long 1000 @ 9901.0 fee 7575
                               -> lot TakenOver qty 1000 bankrupt 9901.0 unit_value 10100
                               -> lot Resting qty 1000 bankrupt 9901.0 unit_value 10100
        mark 9900.99           -> mark 9900.99
                               -> lot Sweep qty 1000 bankrupt 9901.0 unit_value 10100
                               -> lot take 300 fee 0 b make 300 fee -758 leaves 0 @ 9890.0
                               -> fund Sweep -3300 now 16700
                               -> lot take 300 fee 0 b make 300 fee -759 leaves 0 @ 9880.0
                               -> fund Sweep -6300 now 10400
                               -> lot take 300 fee 0 b make 300 fee -759 leaves 0 @ 9870.0
                               -> fund Sweep -9600 now 800
                               -> m deleveraged 100 @ 9901.0 fee -252
        book                   -> empty
        position m             -> qty -900
    ",
    );
}

/// LIQ-7, INS-1: a loss of 11 a contract and 3,299 in the fund: 299 contracts, and 10 stay in the fund.
#[test]
fn a_sweep_takes_no_contract_that_the_fund_cannot_pay() {
    scenario(
        "
        insurance 3299
        b leverage 1
        b buy 300 @ 9890.0
        m sell 1000 @ 10000.0
        a leverage 100
        a buy  1000 @ 10000.0
        mark 9900.0            -> mark 9900.0
                               -> a Started qty 1000 liq 9950.5 bankrupt 9901.0
                               -> a taken_over long 1000 @ 9901.0 fee 7575
                               -> lot TakenOver qty 1000 bankrupt 9901.0 unit_value 10100
                               -> lot Resting qty 1000 bankrupt 9901.0 unit_value 10100
                               -> lot Sweep qty 1000 bankrupt 9901.0 unit_value 10100
                               -> lot take 299 fee 0 b make 299 fee -755 leaves 1 @ 9890.0
                               -> fund Sweep -3289 now 10
                               -> m deleveraged 701 @ 9901.0 fee -1770
        book                   -> bid 1 @ 9890.0
    ",
    );
}

/// LIQ-5: W_bk = 11,091 of 11,850; at 10,110 a contract 11,000 are lost; of the 850 left 758 are the fee.
#[test]
fn what_the_loss_and_the_fee_leave_stays_with_the_trader() {
    scenario(
        "
        a deposit 11600
        a buy 100 @ 10000.0
        mark 9900.0
        c sell 100 @ 10000.0   -> c new
                               -> c take 100 fee 750 a make 100 fee -250 leaves 0
                               -> a Started qty 100 liq 9940.5 bankrupt 9891.5
                               -> a taken_over long 100 @ 9891.2 fee 758
                               -> lot TakenOver qty 100 bankrupt 9891.2 unit_value 10110
                               -> lot Resting qty 100 bankrupt 9891.2 unit_value 10110
        wallet a               -> balance 92
    ",
    );
}

/// LIQ-5: the fee is never more than what is left: of 15,150 only the 500 that the wallet still has.
#[test]
fn a_takeover_never_takes_more_than_there_is() {
    let mut spec = ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
    spec.fees[3] = FeeRates { maker: Rate(9_000_000), taker: Rate(1_500_000) };
    let mut desk = Desk::new(spec);
    desk.mark(Price(1_000_000));
    let (seller, trader) = (desk.open(), AccountId(5));
    desk.apply(trader, Action::OpenAccount(contract::command::OpenAccount { fee_class: 3 }));
    desk.apply(trader, Action::Deposit(Amount { amount: Xbt(100_500) }));
    desk.apply(trader, Action::SetLeverage(SetLeverage { leverage: Leverage(10_000) }));
    let order = |side| Action::New(NewOrder::limit(ClOrdId::NONE, side, Tick(20_000), Qty(100)));
    desk.apply(trader, order(Side::Buy));
    desk.apply(seller, order(Side::Sell));
    assert_eq!(desk.engine.wallet(trader).unwrap().balance, Xbt(10_500));
    desk.mark(Price(995_050));
    let position = desk.engine.position(trader).unwrap();
    assert_eq!((position.qty, position.commission), (0, Xbt(90_500)));
    assert_eq!(desk.engine.wallet(trader).unwrap().balance, Xbt(0));
}

/// BAL-1: a maker whose fee is 9 % of the value closes 100 at 10000.0 with 79,250 in the wallet: 10,750 are
/// missing. A fund of 10,750 makes it good; with one less the account is suspended, a satoshi below zero.
#[test]
fn the_fund_makes_a_flat_account_good_or_it_is_suspended() {
    for (fund, missing) in [(10_751, 0), (10_750, 0), (10_749, 1)] {
        let mut spec = ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
        spec.fees[3] = FeeRates { maker: Rate(9_000_000), taker: Rate(1_500_000) };
        let mut desk = Desk::new(spec);
        desk.mark(Price(1_000_000));
        let (maker, trader) = (desk.open(), AccountId(5));
        desk.apply(trader, Action::OpenAccount(contract::command::OpenAccount { fee_class: 0 }));
        desk.apply(trader, Action::Deposit(Amount { amount: Xbt(80_000) }));
        desk.apply(AccountId::NONE, Action::FundInsurance(Amount { amount: Xbt(fund) }));
        let order = |side| Action::New(NewOrder::limit(ClOrdId::NONE, side, Tick(20_000), Qty(100)));
        desk.apply(maker, order(Side::Sell));
        desk.apply(trader, order(Side::Buy));
        desk.apply(trader, order(Side::Sell));
        desk.apply(trader, Action::SetAccount(SetAccount { fee_class: 3, suspended: 0 }));
        desk.apply(maker, order(Side::Buy));
        assert_eq!(desk.engine.wallet(trader).unwrap().balance, Xbt(-missing));
        assert_eq!(desk.engine.insurance(), Xbt((fund - 10_750).max(0)));
        assert_eq!(desk.engine.position(trader).unwrap().flags, u8::from(missing != 0));
        let next = desk.refusal(trader, order(Side::Buy));
        assert_eq!(next, if missing != 0 { Some(Reject::AccountSuspended) } else { Some(Reject::InsufficientBalance) });
    }
}
