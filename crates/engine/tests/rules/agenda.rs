//! Long work, step by step: budget, the mark that waits, and what is full. (Design law 4)

use testkit::scenario;

/// LIQ-4, law 4: with a budget of one step a command, marks wait while a liquidation is under way, and the
/// newest counts: 9940.0 is never in force.
#[test]
fn a_mark_waits_while_work_waits_and_only_the_newest_counts() {
    scenario(
        "
        budget 1
        m sell 1000 @ 10000.0
        a leverage 100
        a buy  1000 @ 10000.0
        a buy    10 @ 9000.0
        a buy    20 @ 9001.0
        mark 9950.5            -> mark 9950.5
        clock                  -> a Started qty 1000 liq 9950.5 bankrupt 9901.0
        mark 9940.0            -> a canceled 10 Liquidation
        mark 9999.0            -> a canceled 20 Liquidation
        clock                  -> a taken_over long 1000 @ 9901.0 fee 7575
                               -> lot TakenOver qty 1000 bankrupt 9901.0 unit_value 10100
        clock                  -> lot Resting qty 1000 bankrupt 9901.0 unit_value 10100
                               -> mark 9999.0
        clock
    ",
    );
}

/// LIQ-4, law 4: while a due account waits for its turn it may cancel and nothing else. (WITHDRAW-1 too.)
#[test]
fn an_account_that_is_due_may_only_cancel() {
    scenario(
        "
        budget 1
        m sell 1100 @ 10000.0
        a leverage 100
        a buy  1000 @ 10000.0
        b leverage 100
        b buy   100 @ 10000.0
        b buy     1 @ 9000.0 as x
        b buy     2 @ 9000.0 as y
        b buy     3 @ 9000.0
        mark 9950.5            -> mark 9950.5
        clock
        clock                  -> a Started qty 1000 liq 9950.5 bankrupt 9901.0
        b buy 1 @ 9000.0       -> a taken_over long 1000 @ 9901.0 fee 7575
                               -> lot TakenOver qty 1000 bankrupt 9901.0 unit_value 10100
                               -> b refused InLiquidation
        b cancel x             -> b Started qty 100 liq 9950.5 bankrupt 9901.0
                               -> b canceled 1 Requested
        b withdraw 1           -> b canceled 2 Liquidation
                               -> b refused InLiquidation
        b leverage 10          -> b canceled 3 Liquidation
                               -> b refused InLiquidation
    ",
    );
}

/// LIQ-9, law 3: with one place for lots the second account waits, and is found again by the next mark.
#[test]
fn without_a_free_lot_a_liquidation_waits_for_the_next_mark() {
    scenario(
        "
        lots 1
        m sell 2000 @ 10000.0
        a leverage 100
        a buy  1000 @ 10000.0
        b leverage 100
        b buy  1000 @ 10000.0
        mark 9950.5            -> mark 9950.5
                               -> a Started qty 1000 liq 9950.5 bankrupt 9901.0
                               -> a taken_over long 1000 @ 9901.0 fee 7575
                               -> lot TakenOver qty 1000 bankrupt 9901.0 unit_value 10100
                               -> lot Resting qty 1000 bankrupt 9901.0 unit_value 10100
                               -> b Started qty 1000 liq 9950.5 bankrupt 9901.0
                               -> b Waiting qty 1000 liq 9950.5 bankrupt 9901.0
        c buy  1000 @ 9950.0   -> c new
                               -> c take 1000 fee 7575 lot make 1000 fee 0 leaves 0 @ 9901.0
        mark 9950.4            -> mark 9950.4
                               -> b Started qty 1000 liq 9950.5 bankrupt 9901.0
                               -> b taken_over long 1000 @ 9901.0 fee 7575
                               -> lot TakenOver qty 1000 bankrupt 9901.0 unit_value 10100
                               -> lot Resting qty 1000 bankrupt 9901.0 unit_value 10100
    ",
    );
}
