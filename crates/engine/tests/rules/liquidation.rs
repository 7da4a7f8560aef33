//! When a position is liquidated, and how far it goes. (Rules LIQ-2, LIQ-4, LIQ-5, LIQ-8, LIQ-12)

use testkit::scenario;

/// LIQ-1, LIQ-3, LIQ-4: a long of 1,000,000 at 10x bears 95,000 until 9132.5 (rounded up from 9132.42).
/// A cent above it is safe; at it, it is not.
#[test]
fn a_long_is_liquidated_at_its_price_and_not_a_cent_above() {
    scenario(
        "
        m sell 100 @ 10000.0
        a leverage 10
        a buy  100 @ 10000.0
        position a             -> liq 9132.5 bankrupt 9091.0
        mark 9133.0            -> mark 9133.0
        mark 9132.51           -> mark 9132.51
        mark 9132.5            -> mark 9132.5
                               -> a Started qty 100 liq 9132.5 bankrupt 9091.0
                               -> a taken_over long 100 @ 9090.91 fee 825
                               -> lot TakenOver qty 100 bankrupt 9090.91 unit_value 11000
                               -> lot Resting qty 100 bankrupt 9090.91 unit_value 11000
        position a             -> qty 0 cost 0 realised -101575
    ",
    );
}

/// LIQ-4, the other side: 11049.5, rounded down from 11049.72.
#[test]
fn a_short_is_liquidated_at_its_price_and_not_a_cent_below() {
    scenario(
        "
        m buy  100 @ 10000.0
        a leverage 10
        a sell 100 @ 10000.0
        position a             -> liq 11049.5 bankrupt 11111.0
        mark 11049.0           -> mark 11049.0
        mark 11049.49          -> mark 11049.49
        mark 11049.5           -> mark 11049.5
                               -> a Started qty -100 liq 11049.5 bankrupt 11111.0
                               -> a taken_over short 100 @ 11111.11 fee 675
                               -> lot TakenOver qty -100 bankrupt 11111.11 unit_value 9000
                               -> lot Resting qty -100 bankrupt 11111.11 unit_value 9000
    ",
    );
}

/// LIQ-2: E = 192,500; comm = ceil(0.00075·10,192,500) = 7,645; W_bk = 184,855; W_liq = 134,855.
/// LIQ-3: a contract may be worth 10,184 and 10,134: 9819.5 and 9868.0. A short never falls that far.
#[test]
fn in_cross_margin_the_whole_wallet_stands_behind_the_position() {
    scenario(
        "
        m sell 1000 @ 10000.0
        a deposit 200000
        a buy  1000 @ 10000.0
        position a             -> liq 9868.0 bankrupt 9819.5
        position m             -> liq 100000000.0 bankrupt 100000000.0
        mark 9868.01           -> mark 9868.01
        mark 9868.0            -> mark 9868.0
                               -> a Started qty 1000 liq 9868.0 bankrupt 9819.5
                               -> a taken_over long 1000 @ 9819.33 fee 7638
                               -> lot TakenOver qty 1000 bankrupt 9819.33 unit_value 10184
                               -> lot Resting qty 1000 bankrupt 9819.33 unit_value 10184
        wallet a               -> balance 862
    ",
    );
}

/// LIQ-5, LIQ-12: in cross margin orders take from what stands behind the position. Without them the mark
/// is on the safe side again: cured by price, although available is below zero.
#[test]
fn in_cross_margin_cancelling_orders_may_cure() {
    scenario(
        "
        m sell 1000 @ 10000.0
        a deposit 200000
        a buy  1000 @ 10000.0
        a buy   200 @ 9890.0
        position a             -> liq 9890.5
        mark 9891.0            -> mark 9891.0
        mark 9890.5            -> mark 9890.5
                               -> a Started qty 1000 liq 9890.5 bankrupt 9842.0
                               -> a canceled 200 Liquidation
                               -> a Cured qty 1000 liq 9868.0 bankrupt 9819.5
        position a             -> qty 1000 liq 9868.0
        mark 9868.5            -> mark 9868.5
    ",
    );
}

/// LIQ-5, LIQ-12: in isolated margin cancelling cannot cure; every order goes, oldest first.
#[test]
fn in_isolated_margin_cancelling_orders_cannot_cure() {
    scenario(
        "
        m sell 1000 @ 10000.0
        a leverage 100
        a buy  1000 @ 10000.0
        a buy  1100 @ 9950.0
        a sell  900 @ 10100.0
        mark 9950.5            -> mark 9950.5
                               -> a Started qty 1000 liq 9950.5 bankrupt 9901.0
                               -> a canceled 1100 Liquidation
                               -> a canceled 900 Liquidation
                               -> a taken_over long 1000 @ 9901.0 fee 7575
                               -> lot TakenOver qty 1000 bankrupt 9901.0 unit_value 10100
                               -> lot Resting qty 1000 bankrupt 9901.0 unit_value 10100
    ",
    );
}

/// LIQ-8: b and c are 100.50 past their price, a is 2.50: furthest first, then the lower number.
/// All takeovers come before the first lot is swept.
#[test]
fn of_several_the_one_furthest_past_its_price_goes_first() {
    scenario(
        "
        m sell 3000 @ 10000.0
        a leverage 50
        a buy 1000 @ 10000.0
        b leverage 100
        b buy 1000 @ 10000.0
        c leverage 100
        c buy 1000 @ 10000.0
        mark 9850.0            -> mark 9850.0
                               -> b Started qty 1000 liq 9950.5 bankrupt 9901.0
                               -> b taken_over long 1000 @ 9901.0 fee 7575
                               -> lot TakenOver qty 1000 bankrupt 9901.0 unit_value 10100
                               -> c Started qty 1000 liq 9950.5 bankrupt 9901.0
                               -> c taken_over long 1000 @ 9901.0 fee 7575
                               -> lot TakenOver qty 1000 bankrupt 9901.0 unit_value 10100
                               -> a Started qty 1000 liq 9852.5 bankrupt 9804.0
                               -> a taken_over long 1000 @ 9803.93 fee 7650
                               -> lot TakenOver qty 1000 bankrupt 9803.93 unit_value 10200
                               -> lot Resting qty 1000 bankrupt 9901.0 unit_value 10100
                               -> lot Resting qty 1000 bankrupt 9901.0 unit_value 10100
                               -> lot Resting qty 1000 bankrupt 9803.93 unit_value 10200
                               -> lot Sweep qty 1000 bankrupt 9901.0 unit_value 10100
                               -> m deleveraged 1000 @ 9901.0 fee -2525
                               -> lot Sweep qty 1000 bankrupt 9901.0 unit_value 10100
                               -> m deleveraged 1000 @ 9901.0 fee -2525
        book                   -> ask 1000 @ 9804.0
    ",
    );
}

/// LIQ-4: a withdrawal of margin, a lower wallet or more orders move a cross account's price, not only the
/// mark. Here a fill as maker does it.
#[test]
fn a_fill_may_bring_an_account_to_its_price() {
    scenario(
        "
        a deposit 12000
        a buy 100 @ 10000.0
        mark 9900.0            -> mark 9900.0
        c sell 100 @ 10000.0   -> c new
                               -> c take 100 fee 750 a make 100 fee -250 leaves 0
                               -> a Started qty 100 liq 9936.5 bankrupt 9887.5
                               -> a taken_over long 100 @ 9887.29 fee 758
                               -> lot TakenOver qty 100 bankrupt 9887.29 unit_value 10114
                               -> lot Resting qty 100 bankrupt 9887.29 unit_value 10114
    ",
    );
}
