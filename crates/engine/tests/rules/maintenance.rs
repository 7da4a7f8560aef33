//! The margin model of 2026: a position holds its maintenance margin and nothing else. (Rule CONTRACT-3)

use testkit::scenario;

/// CONTRACT-3: 100 units at 1,000,000; fee 0.05 %, maintenance margin 0.5 %, no commission held. OM-7 asks for the
/// initial margin all the same: 1,000,000 and a fee of 100,500, a satoshi less is refused.
#[test]
fn a_position_holds_its_maintenance_margin_alone() {
    scenario(
        "
        profile XBTUSD-2026
        m sell 10000 @ 10000.0
        a deposit 1100499
        a buy  10000 @ 10000.0  -> a refused InsufficientBalance 1100500
        a deposit 1
        a buy  10000 @ 10000.0
        wallet a                -> balance 1050500 order_margin 0
        position a              -> init 0 cross 0 loss 0 cost -100000000 liq 9945.3 bankrupt 9896.1
        available a             -> 550500
    ",
    );
}

/// CONTRACT-3, LIQ-2 without commission: W_liq = 1,050,500 − 500,000, v = 1,005,505, 9945.25 up to the tick. A
/// cent above nothing happens; at it the whole wallet is behind the takeover: v = 1,010,505, no fee is left.
#[test]
fn it_is_taken_over_with_the_whole_wallet() {
    scenario(
        "
        profile XBTUSD-2026
        m sell 10000 @ 10000.0
        a deposit 1100500
        a buy  10000 @ 10000.0
        mark 9945.31            -> mark 9945.31
        mark 9945.3             -> mark 9945.3
                                -> a Started qty 10000 liq 9945.3 bankrupt 9896.1
                                -> a taken_over long 10000 @ 9896.05 fee 0
                                -> lot TakenOver qty 10000 bankrupt 9896.05 unit_value 1010505
                                -> lot Resting qty 10000 bankrupt 9896.05 unit_value 1010505
        wallet a                -> balance 0
    ",
    );
}

/// CONTRACT-3: profit of 990,100 at 10100.0 is available, so it funds orders, and it is not withdrawable.
#[test]
fn profit_funds_orders_and_is_not_withdrawn() {
    scenario(
        "
        profile XBTUSD-2026
        m sell 10000 @ 10000.0
        a deposit 1100500
        a buy  10000 @ 10000.0
        mark 10100.0
        available a             -> 1540600
        a withdraw 550501       -> a refused InsufficientBalance 550501
        a withdraw 550500       -> a withdrew 550500
        available a             -> 990100
        a buy 9000 @ 10000.0 as x   -> a refused InsufficientBalance 990450
        a buy 8900 @ 10000.0 as x
        available a             -> 10655
    ",
    );
}

/// A loss is taken off what may be withdrawn; the last satoshi of it would leave the liquidation price at the
/// mark, and is refused for that.
#[test]
fn a_withdrawal_leaves_the_mark_on_the_safe_side() {
    scenario(
        "
        profile XBTUSD-2026
        m sell 10000 @ 10000.0
        a deposit 1100500
        a buy  10000 @ 10000.0
        mark 9990.0
        available a             -> 450400
        a withdraw 450401       -> a refused InsufficientBalance 450401
        a withdraw 450400       -> a refused ImmediateLiquidation
        a withdraw 449400       -> a refused ImmediateLiquidation
        a withdraw 449300       -> a withdrew 449300
        position a              -> liq 9989.9
    ",
    );
}

/// Nothing is isolated: no leverage but cross, no margin by hand. The tier is as ever.
#[test]
fn there_is_no_isolated_margin() {
    scenario(
        "
        profile XBTUSD-2026
        m sell 10000 @ 10000.0
        a leverage 10           -> a refused InvalidLeverage
        a leverage cross
        a buy  10000 @ 10000.0
        a leverage 0.01         -> a refused InvalidLeverage
        a margin 1              -> a refused InvalidAmount
        available a             -> 999450000
        a risk_limit 35000000000
        available a             -> 998950000
    ",
    );
}

/// Orders that hold all that is available put the liquidation price at the mark: they are cancelled, which cures.
#[test]
fn orders_that_hold_everything_are_cancelled_again() {
    scenario(
        "
        profile XBTUSD-2026
        m sell 10000 @ 10000.0
        a deposit 1100500
        a buy  10000 @ 10000.0
        a sell 15000 @ 10004.6 as x  -> a new
                                -> a Started qty 10000 liq 10000.0 bankrupt 9950.2
                                -> a canceled 15000 Liquidation
                                -> a Cured qty 10000 liq 9945.3 bankrupt 9896.1
    ",
    );
}

/// CONTRACT-3, MARGIN-6: the account of 2026-05-03 through the engine: position, both sides of orders, order margin,
/// prices; and, with the recorded rate in force, what it holds of adverse funding.
#[test]
fn the_recorded_account_of_2026() {
    scenario(
        "
        profile XBTUSD-2026
        mark 73702.0
        m buy   146100 @ 73702.3
        m buy  1291900 @ 73701.7
        a deposit 3035729920
        a sell  146100 @ 73702.3
        a sell 1291900 @ 73701.7
        mark 78173.24
        a buy  1140000 @ 53763.7
        a buy   260000 @ 53764.0
        a sell  560000 @ 83182.2
        wallet a                -> balance 3034754369 order_margin 7408795 buy_cost 2603983400 sell_cost 673220800
        position a              -> qty -1438000 cost 1951105699 liq 1000000.0 bankrupt 1000000.0
        available a             -> 2905988326
        rate -0.0024
        wallet a                -> balance 3034754369 order_margin 7408795
        available a             -> 2905941499
    ",
    );
}
