//! Marking by the last trade. (Rules MARK-2, MARK-3, FUND-1)

use testkit::scenario;

/// MARK-2: before the first trade the mark is the index, from then on the price of the last trade: of an order that trades
/// at several prices the last of them. A trade at the mark changes nothing, nor does the index.
#[test]
fn the_mark_is_the_price_of_the_last_trade() {
    scenario(
        "
        marking last
        a buy 1 @ 10000.0       -> a refused NoMarkPrice
        index 0 10000.0         -> mark 10000.0 index 10000.0
        index 0 10001.0         -> mark 10001.0 index 10001.0
        m sell 10 @ 10005.0
        m sell 10 @ 10006.0
        m sell 10 @ 10007.0
        a buy 1 @ 10005.0       -> a new
                                -> a take 1 fee 7 m make 1 fee -2 leaves 9
                                -> mark 10005.0 index 10001.0
        a buy 1 @ 10005.0       -> a new
                                -> a take 1 fee 7 m make 1 fee -2 leaves 8
        a buy 20 @ 10007.0      -> a new
                                -> a take 8 fee 59 m make 8 fee -19 leaves 0
                                -> a take 10 fee 74 m make 10 fee -24 leaves 0
                                -> a take 2 fee 14 m make 2 fee -4 leaves 8
                                -> mark 10007.0 index 10001.0
        index 0 9000.0          -> mark 10007.0 index 9000.0
        mark 10000.0            -> market refused InvalidCommand
        rate 0.01               -> market refused InvalidCommand
    ",
    );
}

/// MARK-2, MARK-3: a market that marks by trades goes on without an index.
#[test]
fn without_an_index_trades_go_on_marking() {
    scenario(
        "
        marking last
        index 0 10000.0
        epoch                   -> mark 10000.0
        m sell 10 @ 10005.0     -> m new
        a buy 1 @ 10005.0       -> a new
                                -> a take 1 fee 7 m make 1 fee -2 leaves 9
                                -> mark 10005.0
        a withdraw 1            -> a withdrew 1
    ",
    );
}

/// MARK-2, LIQ-4: the mark takes effect behind the command: whoever it reaches is liquidated by it. What closes out a lot is
/// no trade that marks: the lot's order is met at 9901.0,
/// and the mark stays where it is.
#[test]
fn a_trade_can_liquidate_and_a_close_out_does_not_mark() {
    scenario(
        "
        marking last
        index 0 10000.0
        m sell 100 @ 10000.0
        a leverage 100
        a buy 100 @ 10000.0
        m buy 1 @ 9951.0
        b sell 1 @ 9951.0       -> b new
                                -> b take 1 fee 7 m make 1 fee -2 leaves 0
                                -> mark 9951.0 index 10000.0
        m buy 1 @ 9950.5
        b sell 1 @ 9950.5       -> b new
                                -> b take 1 fee 7 m make 1 fee -2 leaves 0
                                -> mark 9950.5 index 10000.0
                                -> a Started qty 100 liq 9950.5 bankrupt 9901.0
                                -> a taken_over long 100 @ 9901.0 fee 757
                                -> lot TakenOver qty 100 bankrupt 9901.0 unit_value 10100
                                -> lot Resting qty 100 bankrupt 9901.0 unit_value 10100
        b buy 40 @ 9960.0       -> b new
                                -> b take 40 fee 303 lot make 40 fee 0 leaves 60 @ 9901.0
    ",
    );
}

/// MARK-2, law 4: while the agenda is busy the newest trade's mark waits, and takes effect as soon as it is done.
#[test]
fn a_mark_by_a_trade_waits_for_the_agenda() {
    scenario(
        "
        marking last
        budget 1
        index 0 10000.0
        a open
        b sell 10 @ 10005.0
        b sell 10 @ 10006.0
        m sell 1 @ 10010.0
        m sell 2 @ 10010.0
        m sell 3 @ 10010.0
        m sell 4 @ 10010.0
        m cancel_all            -> m canceled 1 Requested
        a buy 11 @ 10006.0      -> m canceled 2 Requested
                                -> a new
                                -> a take 10 fee 74 b make 10 fee -24 leaves 0
                                -> a take 1 fee 7 b make 1 fee -2 leaves 9
        index 0 9000.0          -> m canceled 3 Requested
        clock                   -> m canceled 4 Requested
        clock                   -> mark 10006.0 index 9000.0
    ",
    );
}

/// FUND-1: the premium of a market that marks by trades is what the mark is above the index, and the book beyond it:
/// 10020.0 and 10030.0 are 0.3 % above 10000.0.
#[test]
fn its_premium_is_that_of_the_mark_and_the_book_beyond() {
    scenario(
        "
        marking last
        index 0 10000.0
        m sell 1 @ 10020.0
        a buy 1 @ 10020.0
        m buy  200000 @ 10015.0 as x
        m sell 200000 @ 10035.0 as y
        at 00:01:00             -> rate 0 next 0.15
        m buy  200000 @ 10030.0
        at 00:02:00             -> rate 0 next 0.2
    ",
    );
}
