//! Leverage and margin by hand. (Rule MARGIN-8)

use testkit::scenario;

/// MARGIN-8: the change is priced as what more is held. 10x to 5x: 1,000,000 and a fee of 750 on it.
#[test]
fn lower_leverage_needs_what_it_holds_more() {
    scenario(
        "
        m sell 1000 @ 10000.0
        a deposit 2016499
        a leverage 10
        a buy  1000 @ 10000.0
        available a            -> 1000749
        a leverage 5           -> a refused InsufficientBalance 1000750
        a deposit 1
        a leverage 5
        position a             -> leverage 5.0 init 2000000 bankrupt 8333.5
        available a            -> 0
    ",
    );
}

/// MARGIN-8: 0.01x to 100x, capped by the tier: tier 1 holds 1.5 %, so 66.66x and not 66.67x.
#[test]
fn leverage_is_capped_by_the_tier() {
    scenario(
        "
        a leverage 100.01      -> a refused InvalidLeverage
        a leverage 100
        a leverage 0.01
        a risk_limit 30000000000
        a leverage 66.67       -> a refused InvalidLeverage
        a leverage 66.66
        a risk_limit 40000000000   -> a refused InvalidLeverage
    ",
    );
}

/// MARGIN-8: 101,000 lost at 9900.0 are put into the position when it becomes isolated.
#[test]
fn from_cross_to_isolated_the_loss_goes_along() {
    scenario(
        "
        m sell 1000 @ 10000.0
        a buy  1000 @ 10000.0
        mark 9900.0
        a leverage 10
        position a             -> leverage 10.0 cross 101000 init 1000000 liq 9049.0
        a leverage cross
        position a             -> leverage 0.0 cross 0 init 100000
        mark 10100.0
        a leverage 10
        position a             -> cross 0
    ",
    );
}

/// MARGIN-8: with 100x this long is liquidated at 9950.5: refused at it, accepted a cent above.
#[test]
fn leverage_that_the_mark_does_not_allow_is_refused() {
    scenario(
        "
        m sell 1000 @ 10000.0
        a leverage 10
        a buy  1000 @ 10000.0
        mark 9950.5
        a leverage 100         -> a refused ImmediateLiquidation
        mark 9950.51
        a leverage 100
        position a             -> liq 9950.5
    ",
    );
}

/// MARGIN-8: margin is added up to what is available, and taken back down to 1 % of the cost.
#[test]
fn margin_is_added_up_to_available_and_taken_back_to_one_percent() {
    scenario(
        "
        m sell 1000 @ 10000.0
        a deposit 1200000
        a leverage 10
        a margin 10            -> a refused InvalidAmount
        a buy  1000 @ 10000.0
        available a            -> 184250
        a margin 184251        -> a refused InsufficientBalance 184251
        a margin 184000        -> a margin 184000
        position a             -> cross 184000 init 1000000
        a margin 0             -> a refused InvalidAmount
        a margin -1084000      -> a margin -1084000
        position a             -> cross -900000 liq 9950.5
        a margin -1            -> a refused InvalidAmount
        a margin 1             -> a margin 1
        a margin -1            -> a margin -1
    ",
    );
}

/// MARGIN-8: a loss counts against what may be taken back, and the mark must stay on the safe side.
#[test]
fn a_loss_counts_against_margin_taken_back() {
    scenario(
        "
        m sell 1000 @ 10000.0
        a leverage 10
        a buy  1000 @ 10000.0
        mark 9900.0
        a margin -799001       -> a refused InvalidAmount
        a margin -799000       -> a margin -799000
        a leverage cross
        a margin 1             -> a refused InvalidAmount
    ",
    );
}
