//! Risk limits and withdrawals. (Rules RISK-1, WITHDRAW-1)

use testkit::scenario;

/// RISK-1: 2,000,000 contracts at 10000.0 are 200 XBT, the limit; one more is refused.
#[test]
fn usage_may_reach_the_limit_and_not_exceed_it() {
    scenario(
        "
        a buy 2000000 @ 10000.0   -> a new
        a buy       1 @ 10000.0   -> a refused PositionRiskLimit
        a risk_limit 20000000001
        position a                -> tier 1
        a buy       1 @ 10000.0   -> a new
        a risk_limit 20000000000  -> a refused BelowRiskUsage
        a buy  999999 @ 10000.0   -> a new
        a buy       1 @ 10000.0   -> a refused PositionRiskLimit
    ",
    );
}

/// RISK-1: tier 1 holds 1.5 % and 0.075 %·(2 + 1.5 %) of 300 XBT.
#[test]
fn a_higher_tier_holds_more() {
    scenario(
        "
        a risk_limit 30000000000
        a buy 3000000 @ 10000.0
        wallet a                  -> order_margin 495337500
        a risk_limit 30000000001
        position a                -> tier 2
        wallet a                  -> order_margin 645450000
        a risk_limit 2000000000000     -> a refused InsufficientBalance 29422050000
    ",
    );
}

/// RISK-1: the highest tier is 198, so 20,000 XBT.
#[test]
fn there_is_a_highest_tier_and_no_limit_below_one() {
    scenario(
        "
        a risk_limit 2000000000001   -> a refused InvalidAmount
        a risk_limit 2000000000000
        position a                   -> tier 198
        a risk_limit 0               -> a refused InvalidAmount
        a risk_limit 1
        position a                   -> tier 0
    ",
    );
}

/// RISK-1: a mark that pushes usage over the limit does nothing by itself; then only what does not raise
/// usage passes.
#[test]
fn beyond_the_limit_only_what_does_not_raise_usage_passes() {
    scenario(
        "
        m deposit 100000000000
        m risk_limit 50000000000
        m sell 2000000 @ 10000.0
        a deposit 100000000000
        a buy  2000000 @ 10000.0
        mark 9900.0               -> mark 9900.0
        a buy        1 @ 9000.0   -> a refused PositionRiskLimit
        a sell     100 @ 10000.0  -> a new
        a sell 1999900 @ 10000.0  -> a new
        a sell       1 @ 10000.0  -> a refused PositionRiskLimit
    ",
    );
}

/// WITHDRAW-1: all that is available and not a satoshi more; profit on paper adds nothing.
#[test]
fn what_is_available_may_be_withdrawn_and_never_unrealised_profit() {
    scenario(
        "
        m sell 1000 @ 10000.0
        a buy  1000 @ 10000.0
        mark 10100.0
        available a            -> 999884925
        a withdraw 999884926   -> a refused InsufficientBalance 999884926
        a withdraw 999884925   -> a withdrew 999884925
        available a            -> 0
        a withdraw 1           -> a refused InsufficientBalance 1
        a withdraw 0           -> a refused InvalidAmount
    ",
    );
}
