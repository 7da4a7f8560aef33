//! Index and mark: constituents, weights, what is stale, and what passes meanwhile. (Rules INDEX-1, MARK-1 to MARK-3)

use testkit::scenario;

/// INDEX-1: three equal thirds, as prices arrive, to the nearest cent. 10000.0 and 10001.0: 10000.5; and 10001.0
/// again: 10000.666… up to 10000.67.
#[test]
fn the_index_is_the_weighted_mean_of_what_has_arrived() {
    scenario(
        "
        marking index
        index 0 10000.0         -> mark 10000.0 index 10000.0
        index 1 10001.0         -> mark 10000.5 index 10000.5
        index 2 10001.0         -> mark 10000.67 index 10000.67
        index 2 10001.0
        index 3 10000.0         -> market refused InvalidCommand
    ",
    );
}

/// INDEX-1: weights are announced, and come at their time: with the first price or the first command of a minute after.
#[test]
fn announced_weights_come_at_their_time() {
    scenario(
        "
        marking index
        at 01:00:00
        index 0 10000.0
        index 1 10004.0         -> mark 10002.0 index 10002.0
        weights from 01:00:30 3 1
        at 01:00:29
        at 01:00:30
        at 01:00:59
        at 01:01:00             -> mark 10001.0 index 10001.0
        weights 1 1             -> mark 10002.0 index 10002.0
        weights 0 1             -> mark 10004.0 index 10004.0
        index 2 10000.0         -> market refused InvalidCommand
    ",
    );
}

/// INDEX-1: a constituent further than 25 % from the median is left out; at 25 % it is not. 10000.0, 10000.0 and
/// 12500.0: 10833.33; a cent more: 10000.0.
#[test]
fn a_deviating_constituent_is_left_out() {
    scenario(
        "
        marking index
        index 0 10000.0
        index 1 10000.0
        index 2 12500.0         -> mark 10833.33 index 10833.33
        index 2 12500.01        -> mark 10000.0 index 10000.0
        index 2 7500.0          -> mark 9166.67 index 9166.67
        index 2 7499.99         -> mark 10000.0 index 10000.0
    ",
    );
}

/// INDEX-1: fifteen minutes old is fresh, older is stale: seen by the first command of the next minute.
#[test]
fn a_stale_constituent_is_left_out() {
    scenario(
        "
        marking index
        at 01:00:00
        index 0 10000.0
        at 01:01:00
        index 1 10002.0         -> mark 10001.0 index 10001.0
        at 01:15:00
        at 01:15:59
        at 01:16:00             -> mark 10002.0 index 10002.0
        at 01:16:30
        at 01:17:00             -> mark 10002.0
    ",
    );
}

/// MARK-3: without a fresh constituent the mark stands still; only cancels, deposits and what closes passes.
#[test]
fn a_stale_market_lets_nothing_pass_that_may_raise_a_risk() {
    scenario(
        "
        marking index
        index 0 10000.0         -> mark 10000.0 index 10000.0
        m sell 100 @ 10000.0
        a buy  100 @ 10000.0
        a sell 30 @ 10100.0 as x
        m buy  50 @ 9900.0 as y
        epoch                   -> mark 10000.0
        epoch
        b buy 1 @ 9000.0        -> b refused MarketNotOpen
        a buy 1 @ 9000.0        -> a refused MarketNotOpen
        a sell 71 @ 10050.0     -> a refused MarketNotOpen
        a sell 70 @ 10050.0     -> a new
        a sell 200 @ 10060.0 reduce_only   -> a new
                                -> a restated leaves 100
        a amend x @ 10110.0 leaves 31      -> a refused MarketNotOpen
        a amend x leaves 20     -> a amended 20 @ 10100.0 leaves 20
        a withdraw 1            -> a refused MarketNotOpen
        a leverage 10           -> a refused MarketNotOpen
        a risk_limit 30000000000   -> a refused MarketNotOpen
        a margin 1              -> a refused MarketNotOpen
        a deposit 1             -> a deposited 1
        a cancel x              -> a canceled 20 Requested
        index 1 9999.0          -> mark 9999.0 index 9999.0
        b buy 1 @ 9000.0        -> b new
    ",
    );
}

/// MARK-3: hours without an index leave everybody where he was; the first price after it liquidates at its own mark.
#[test]
fn nobody_is_liquidated_while_the_mark_stands_still() {
    scenario(
        "
        marking index
        index 0 10000.0
        m sell 100 @ 10000.0
        a leverage 100
        a buy  100 @ 10000.0
        position a              -> liq 9950.5
        epoch                   -> mark 10000.0
        at 02:00:00
        index 0 9950.5          -> mark 9950.5 index 9950.5
                                -> a Started qty 100 liq 9950.5 bankrupt 9901.0
                                -> a taken_over long 100 @ 9901.0 fee 757
                                -> lot TakenOver qty 100 bankrupt 9901.0 unit_value 10100
                                -> lot Resting qty 100 bankrupt 9901.0 unit_value 10100
    ",
    );
}

/// MARK-3: who is due when the index is lost is put off, and whose liquidation is under way is taken over; the first price
/// after it finds the one who was put off safe again, or due still.
#[test]
fn the_due_are_put_off_until_there_is_an_index() {
    let lost = "
        budget 1
        marking index
        index 0 10000.0
        m sell 200 @ 10000.0
        a leverage 100
        b leverage 100
        a buy  100 @ 10000.0
        b buy  100 @ 10000.0
        index 0 9950.0          -> mark 9950.0 index 9950.0
        clock
        clock                   -> a Started qty 100 liq 9950.5 bankrupt 9901.0
        epoch                   -> a taken_over long 100 @ 9901.0 fee 757
                                -> lot TakenOver qty 100 bankrupt 9901.0 unit_value 10100
                                -> mark 9950.0
        clock                   -> lot Resting qty 100 bankrupt 9901.0 unit_value 10100
        clock
        clock
        position b              -> qty 100
    ";
    scenario(&format!(
        "{lost}
        index 0 9951.0          -> mark 9951.0 index 9951.0
        clock
        position b              -> qty 100"
    ));
    scenario(&format!(
        "{lost}
        index 0 9950.0          -> mark 9950.0 index 9950.0
                                -> b Started qty 100 liq 9950.5 bankrupt 9901.0"
    ));
}

/// MARK-1, MARK-2: in fair marking the mark is the index and what is left of the rate in force: nothing, where no rate
/// is in force. Rates from outside are refused there.
#[test]
fn the_fair_mark_is_the_index_where_no_rate_is_in_force() {
    scenario(
        "
        marking fair
        index 0 10000.0         -> mark 10000.0 index 10000.0
        rate 0.01               -> market refused InvalidCommand
        mark 10000.0            -> market refused InvalidCommand
        at 01:00:00             -> mark 10000.0
        index 1 10100.0         -> mark 10100.0 index 10100.0
    ",
    );
}
