//! LIMIT-1: money that does not fit stops the engine, whatever the build profile checks. The messages are
//! the code's own: a check of the profile says "attempt to add with overflow".

use centum_contract::margin::{Chargeable, OrderSums, SideSums, chargeable, risk_usage};
use centum_contract::math::{difference, product, signed, signed_sum, sum};
use centum_contract::position::PositionState;
use centum_contract::{ContractSpec, Qty, Side, Xbt};
use std::panic::{UnwindSafe, catch_unwind};

const SPEC: &ContractSpec = &ContractSpec::XBTUSD_2019;
const MOST: Xbt = Xbt(i64::MAX);
const LEAST: Xbt = Xbt(i64::MIN);
const ONE: Xbt = Xbt(1);
/// The largest sum.
const LIMIT: u64 = i64::MAX as u64;

/// Runs `what`, which must stop, and returns why.
fn stops(what: impl FnOnce() + UnwindSafe) -> String {
    let panic = catch_unwind(what).expect_err("an overflow of money stops");
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

fn open(qty: u64, cost: u64, premium: u64) -> SideSums {
    SideSums { qty: Qty(qty), cost, premium }
}

#[test]
fn limit_1_money_that_does_not_fit_stops() {
    let cases: [(&str, String); 16] = [
        ("Xbt + Xbt", stops(|| _ = MOST + ONE)),
        ("Xbt - Xbt", stops(|| _ = LEAST - ONE)),
        (
            "Xbt += Xbt",
            stops(|| {
                let mut x = MOST;
                x += ONE;
            }),
        ),
        (
            "Xbt -= Xbt",
            stops(|| {
                let mut x = LEAST;
                x -= ONE;
            }),
        ),
        ("-Xbt", stops(|| _ = -LEAST)),
        ("|Xbt|", stops(|| _ = LEAST.abs())),
        ("Qty + Qty", stops(|| _ = Qty(LIMIT) + Qty(1))),
        ("a sum", stops(|| _ = sum(LIMIT, 1))),
        ("a product", stops(|| _ = product(1 << 32, 1 << 32))),
        ("a sum of positions", stops(|| _ = signed_sum(i64::MAX, 1))),
        ("a magnitude", stops(|| _ = signed(1 << 63))),
        ("sums of orders, cost", stops(|| open(1, LIMIT, 0).add(open(1, 1, 0)))),
        ("sums of orders, premium", stops(|| open(1, 0, LIMIT).add(open(1, 0, 1)))),
        ("chargeable", stops(|| _ = chargeable(&OrderSums { buy: open(1, LIMIT, 0), sell: open(2, 2, 0) }, 0))),
        (
            "usage",
            stops(|| {
                let flat = PositionState { qty: 1, ..PositionState::default() };
                _ = risk_usage(SPEC, &flat, 1, Chargeable { cost: LIMIT, premium: 0 });
            }),
        ),
        ("a position", stops(|| _ = PositionState { qty: i64::MAX, ..PositionState::default() }.execute(SPEC, 1, 1))),
    ];
    for (what, why) in cases {
        assert!(why.contains("LIMIT-1"), "{what}: {why}");
    }
}

#[test]
fn sum_7_no_more_is_taken_off_than_there_is() {
    let cases: [(&str, String); 4] = [
        ("Qty - Qty", stops(|| _ = Qty(1) - Qty(2))),
        ("a difference", stops(|| _ = difference(1, 2))),
        ("sums of orders, cost", stops(|| open(1, 1, 0).take(open(1, 2, 0)))),
        ("sums of orders, premium", stops(|| open(1, 1, 0).take(open(1, 1, 1)))),
    ];
    for (what, why) in cases {
        assert!(why.contains("SUM-7"), "{what}: {why}");
    }
}

/// The last amount that fits, and the side it is on.
#[test]
fn what_just_fits_does_not_stop() {
    assert_eq!(Xbt(i64::MAX - 1) + ONE, MOST);
    assert_eq!(Xbt(i64::MIN + 1) - ONE, LEAST);
    assert_eq!(product(1 << 31, (1 << 32) - 1), LIMIT - (1 << 31) + 1);
    assert_eq!(chargeable(&OrderSums { buy: open(1, LIMIT, 0), ..OrderSums::default() }, 0).cost, LIMIT);
    assert_eq!(OrderSums::default().excess(Side::Buy, 0), 0);
}
