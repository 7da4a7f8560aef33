//! Reduce-only orders. (Rule INST-2)

use testkit::scenario;

/// INST-2: together they may not exceed the position; the least aggressive gives way.
#[test]
fn the_order_furthest_from_the_market_is_cut_first() {
    scenario(
        "
        m sell 100 @ 10000.0
        a buy  100 @ 10000.0
        a sell 100 @ 10010.0 reduce_only   -> a new
        a sell  30 @ 10005.0 reduce_only   -> a new
                                           -> a restated leaves 70
        a sell  10 @ 10020.0 reduce_only   -> a new
                                           -> a canceled 10 ReduceOnly
        book                               -> ask 30 @ 10005.0
                                           -> ask 70 @ 10010.0
    ",
    );
}

/// INST-2 for a short: the lowest buy is the least aggressive.
#[test]
fn of_buys_the_lowest_is_cut_first() {
    scenario(
        "
        m buy  100 @ 10000.0
        a sell 100 @ 10000.0
        a buy   80 @ 9980.0 reduce_only   -> a new
        a buy   80 @ 9990.0 reduce_only   -> a new
                                          -> a restated leaves 20
        book                              -> bid 80 @ 9990.0
                                          -> bid 20 @ 9980.0
    ",
    );
}

/// INST-2: at one price the order furthest back is cut. A fill that shrinks the position does it too.
#[test]
fn when_the_position_shrinks_they_shrink_with_it() {
    scenario(
        "
        m sell 100 @ 10000.0
        a buy  100 @ 10000.0
        a sell  50 @ 10010.0 reduce_only as first
        a sell  50 @ 10010.0 reduce_only as second
        a sell  40 @ 10000.0
        m buy   40 @ 10000.0   -> m new
                               -> m take 40 fee 300 a make 40 fee -100 leaves 0
                               -> a restated leaves 10
        a cancel first         -> a canceled 50 Requested
        a cancel second        -> a canceled 10 Requested
    ",
    );
}

/// INST-2: where nothing is left to reduce they are cancelled.
#[test]
fn when_the_position_is_gone_they_are_gone() {
    scenario(
        "
        m sell 100 @ 10000.0
        a buy  100 @ 10000.0
        a sell 100 @ 10010.0 reduce_only
        b buy  100 @ 9999.0
        a sell 100 @ 9999.0    -> a new
                               -> a take 100 fee 750 b make 100 fee -250 leaves 0
                               -> a canceled 100 ReduceOnly
        book                   -> empty
    ",
    );
}

/// INST-2: a quantity above the position is cut on entry, and only that much trades.
#[test]
fn it_is_cut_to_the_position_on_entry_and_never_flips_it() {
    scenario(
        "
        m sell 100 @ 10000.0
        a buy  100 @ 10000.0
        b buy  500 @ 9999.0
        a sell 300 @ 9999.0 reduce_only   -> a new
                                          -> a restated leaves 100
                                          -> a take 100 fee 750 b make 100 fee -250 leaves 400
        position a                        -> qty 0 cost 0
    ",
    );
}

/// INST-2, REJECT-1: on the wrong side, or without a position, it is refused with the position.
#[test]
fn it_is_refused_where_there_is_nothing_to_reduce() {
    scenario(
        "
        m sell 100 @ 10000.0
        a buy  100 @ 10000.0
        a buy   10 @ 9990.0 reduce_only   -> a refused WouldNotReduce 100
        m sell  10 @ 10010.0 reduce_only  -> m refused WouldNotReduce -100
        b sell  10 @ 9990.0 reduce_only   -> b refused WouldNotReduce
    ",
    );
}

/// INST-2: an amend above the position is cut too.
#[test]
fn an_amend_is_cut_to_the_position() {
    scenario(
        "
        m sell 100 @ 10000.0
        a buy  100 @ 10000.0
        a sell 100 @ 10010.0 reduce_only as x
        a amend x total 60     -> a amended 60 @ 10010.0 leaves 60
        a amend x total 200    -> a amended 200 @ 10010.0 leaves 200
                               -> a restated leaves 100
        book                   -> ask 100 @ 10010.0
    ",
    );
}

/// INST-2, OM-2: they count in the sums of their side, so they use up what the position makes free.
#[test]
fn they_count_in_the_sums_of_their_side() {
    scenario(
        "
        m sell 100 @ 10000.0
        a buy  100 @ 10000.0
        a sell 100 @ 10100.0 reduce_only
        wallet a                -> order_margin 0 sell_qty 100 sell_cost 990100
        a sell 100 @ 10100.0
        wallet a                -> order_margin 11394 sell_qty 200 sell_cost 1980200
    ",
    );
}
