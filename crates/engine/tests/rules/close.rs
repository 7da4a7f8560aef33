//! Exits beyond the liquidation price. (Rule CLOSE-1)

use testkit::scenario;

/// CLOSE-1: a long liquidated at 9132.5 may sell there and above, not one tick below.
#[test]
fn a_long_may_not_sell_below_its_liquidation_price() {
    scenario(
        "
        m sell 1000 @ 10000.0
        a leverage 10
        a buy  1000 @ 10000.0
        position a             -> liq 9132.5 bankrupt 9091.0
        a sell 10 @ 9132.0     -> a refused BelowLiquidationPrice
        a sell 10 @ 9132.5     -> a new
        a sell 10 @ 9133.0     -> a new
        a sell 10 @ 9132.0 reduce_only   -> a refused BelowLiquidationPrice
        a sell 10 @ 9132.0 ioc           -> a refused BelowLiquidationPrice
        a buy  10 @ 9000.0     -> a new
    ",
    );
}

/// CLOSE-1: a short liquidated at 11049.5 may buy there and below, not one tick above.
#[test]
fn a_short_may_not_buy_above_its_liquidation_price() {
    scenario(
        "
        m buy  1000 @ 10000.0
        a leverage 10
        a sell 1000 @ 10000.0
        position a             -> liq 11049.5 bankrupt 11111.0
        a buy  10 @ 11050.0    -> a refused AboveLiquidationPrice
        a buy  10 @ 11049.5    -> a new
        a buy  10 @ 11049.0    -> a new
        a sell 10 @ 11200.0    -> a new
    ",
    );
}

/// CLOSE-1: an amend is looked at like a new order; one that keeps its place is not.
#[test]
fn an_exit_may_not_be_amended_beyond_the_liquidation_price() {
    scenario(
        "
        m sell 1000 @ 10000.0
        a leverage 10
        a buy  1000 @ 10000.0
        a sell 10 @ 10100.0 as x
        a amend x @ 9132.0     -> a refused BelowLiquidationPrice
        a amend x @ 9132.5     -> a amended 10 @ 9132.5 leaves 10
    ",
    );
}
