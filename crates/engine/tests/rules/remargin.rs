//! Whom a mark has made due is found one by one, a unit each, before anybody has his turn. (Design law 4)

use testkit::scenario;

/// Four longs that bought 1,000 at 10000: a with 100x is due at 9950.5, b with 80x at 9926.0, c with 50x at 9852.5, d with
/// 25x at 9662.0.
const FOUR: &str = "
        budget 1
        m sell 4000 @ 10000.0
        d leverage 25
        d buy  1000 @ 10000.0
        c leverage 50
        c buy  1000 @ 10000.0
        b leverage 80
        b buy  1000 @ 10000.0
        a leverage 100
        a buy  1000 @ 10000.0
";

/// LIQ-8, law 4: four are due, so four units pass before the first has his turn, in the order of LIQ-8; the mark is held
/// from the first unit on. One tick less: three are due, three units.
#[test]
fn as_many_units_as_are_due_come_before_the_first_turn() {
    scenario(&format!(
        "{FOUR}
        mark 9662.0            -> mark 9662.0
        mark 9999.0
        clock
        clock
        clock                  -> a Started qty 1000 liq 9950.5 bankrupt 9901.0
        clock                  -> a taken_over long 1000 @ 9901.0 fee 7575
                               -> lot TakenOver qty 1000 bankrupt 9901.0 unit_value 10100
        clock                  -> b Started qty 1000 liq 9926.0 bankrupt 9877.0
    "
    ));
    scenario(&format!(
        "{FOUR}
        mark 9662.5            -> mark 9662.5
        clock
        clock
        clock                  -> a Started qty 1000 liq 9950.5 bankrupt 9901.0
    "
    ));
}

/// Law 4: the budget counts them: with three units a command, four who are due leave two for what comes then.
#[test]
fn finding_is_paid_from_the_budget() {
    scenario(&format!(
        "{}
        mark 9662.0            -> mark 9662.0
        clock                  -> a Started qty 1000 liq 9950.5 bankrupt 9901.0
                               -> a taken_over long 1000 @ 9901.0 fee 7575
                               -> lot TakenOver qty 1000 bankrupt 9901.0 unit_value 10100
    ",
        FOUR.replace("budget 1", "budget 3")
    ));
}

/// LIQ-4, WITHDRAW-1: who is due is so from the moment the mark takes effect, found or not: d, which is found last, may
/// cancel and put money in, no more. One tick above nothing is refused to it.
#[test]
fn who_is_not_found_yet_is_due_all_the_same() {
    for command in ["buy 1 @ 9000.0", "sell 1 @ 9700.0", "withdraw 1", "leverage 10", "margin 1"] {
        scenario(&format!(
            "{FOUR}
            mark 9662.0        -> mark 9662.0
            d {command}        -> d refused InLiquidation
        "
        ));
        scenario(&format!(
            "{FOUR}
            mark 9662.5        -> mark 9662.5
            d {command}
        "
        ));
    }
    scenario(&format!(
        "{FOUR}
        d buy 1 @ 9000.0 as x
        mark 9662.0            -> mark 9662.0
        d cancel x             -> d canceled 1 Requested
        d deposit 1            -> d deposited 1
    "
    ));
}

/// LIQ-12: what is put in before it is found is looked at when its turn comes: d, in cross margin, is due until then, and
/// then no more, without a word.
#[test]
fn who_puts_money_in_before_he_is_found_is_looked_at_in_his_turn() {
    scenario(
        "
        budget 1
        m sell 3000 @ 10000.0
        d deposit 1000000
        d buy  1000 @ 10000.0
        b leverage 50
        b buy  1000 @ 10000.0
        a leverage 100
        a buy  1000 @ 10000.0
        mark 9100.0            -> mark 9100.0
        d deposit 1000000      -> d deposited 1000000
        clock
        clock                  -> a Started qty 1000 liq 9950.5 bankrupt 9901.0
        d sell 1 @ 9999.0      -> a taken_over long 1000 @ 9901.0 fee 7575
                               -> lot TakenOver qty 1000 bankrupt 9901.0 unit_value 10100
                               -> d refused InLiquidation
        clock                  -> b Started qty 1000 liq 9852.5 bankrupt 9804.0
        clock                  -> b taken_over long 1000 @ 9803.93 fee 7650
                               -> lot TakenOver qty 1000 bankrupt 9803.93 unit_value 10200
        clock
        d sell 1 @ 9999.0      -> lot Resting qty 1000 bankrupt 9901.0 unit_value 10100
                               -> d new
    ",
    );
}

/// LIQ-4, OM-10: an order of somebody who is due and not found yet is filled as any other; then he is found, and waits for
/// his turn: what he has too little margin for is not cancelled before.
#[test]
fn a_maker_who_is_not_found_yet_is_found_by_the_fill() {
    scenario(&format!(
        "{FOUR}
        d buy 10 @ 9000.0
        d buy 10 @ 8000.0
        mark 9600.0            -> mark 9600.0
        m sell 10 @ 9000.0     -> m new
                               -> m take 10 fee 83 d make 10 fee -27 leaves 0
        d sell 1 @ 9700.0      -> d refused InLiquidation
        clock
        clock                  -> a Started qty 1000 liq 9950.5 bankrupt 9901.0
    "
    ));
}

/// LIQ-4: what comes early costs no unit. In cross margin e is looked at where half of what it has available is lost, and
/// is not due: nothing is under way, and the next mark takes effect at once.
#[test]
fn who_is_looked_at_in_vain_costs_no_unit() {
    scenario(
        "
        budget 1
        m sell 1000 @ 10000.0
        e deposit 1000000
        e buy  1000 @ 10000.0
        mark 9500.0            -> mark 9500.0
        mark 9400.0            -> mark 9400.0
        mark 9300.0            -> mark 9300.0
    ",
    );
}

/// LIQ-7: a lot that the mark passes is found for a unit, too. Two lots: two units, then the first is swept. At their own
/// price neither is passed, and the next mark takes effect at once.
#[test]
fn a_lot_that_the_mark_passes_costs_a_unit() {
    scenario(
        "
        budget 1
        m sell 2000 @ 10000.0
        a leverage 100
        a buy  1000 @ 10000.0
        b leverage 100
        b buy  1000 @ 10000.0
        mark 9950.0
        clock
        clock
        clock
        clock
        clock
        clock
        clock                  -> lot Resting qty 1000 bankrupt 9901.0 unit_value 10100
        mark 9901.0            -> mark 9901.0
        mark 9900.9            -> mark 9900.9
        clock
        clock                  -> lot Sweep qty 1000 bankrupt 9901.0 unit_value 10100
    ",
    );
}

/// LIQ-7, LIQ-9: the mark makes b and c due and passes a's lot, which is found last. Used up before that by an order, it
/// costs its unit all the same.
#[test]
fn a_lot_that_is_used_up_before_it_is_found_costs_its_unit() {
    let lot = "
        budget 1
        m sell 4000 @ 10000.0
        a leverage 100
        a buy  1000 @ 10000.0
        b leverage 80
        b buy  1000 @ 10000.0
        c leverage 70
        c buy  1000 @ 10000.0
        mark 9950.5
        clock
        clock
        clock                  -> lot Resting qty 1000 bankrupt 9901.0 unit_value 10100
        mark 9900.5            -> mark 9900.5
    ";
    scenario(&format!(
        "{lot}
        clock
        clock
        clock                  -> b Started qty 1000 liq 9926.0 bankrupt 9877.0
    "
    ));
    scenario(&format!(
        "{lot}
        m buy 1000 @ 9901.0    -> m new
                               -> m take 1000 fee 7575 lot make 1000 fee 0 leaves 0 @ 9901.0
        clock
        clock                  -> b Started qty 1000 liq 9926.0 bankrupt 9877.0
        book                   -> ask 1000 @ 10000.0
    "
    ));
}

/// HALT-1: in a halt they are found, and then nothing is under way until the market is open again. Who was found before is
/// not paid for again on reopening.
#[test]
fn they_are_found_in_a_halt_and_nobody_has_his_turn() {
    scenario(&format!(
        "{FOUR}
        mark 9662.0            -> mark 9662.0
        state cancel_only      -> state CancelOnly
        clock
        clock
        clock
        state open             -> state Open
                               -> a Started qty 1000 liq 9950.5 bankrupt 9901.0
    "
    ));
    // Reopened while they are being found: what is left to be found is.
    scenario(&format!(
        "{FOUR}
        mark 9662.0            -> mark 9662.0
        state cancel_only      -> state CancelOnly
        state open             -> state Open
        clock
        clock                  -> a Started qty 1000 liq 9950.5 bankrupt 9901.0
    "
    ));
}

/// HALT-1: who has come beyond his price in a halt (b, by what it pays at an instant) is to be found on reopening; what
/// was under way goes on before.
#[test]
fn on_reopening_they_are_found_behind_what_was_under_way() {
    scenario(
        "
        budget 1
        m sell 2000 @ 10000.0
        rate 0.3
        a leverage 100
        a buy  1000 @ 10000.0
        a buy    10 @ 9000.0
        b leverage 80
        b buy  1000 @ 10000.0
        clock
        clock
        mark 9980.0            -> mark 9980.0
        clock                  -> a Started qty 1000 liq 9980.5 bankrupt 9901.0
        state cancel_only      -> a canceled 10 Liquidation
                               -> state CancelOnly
        at 04:00:00            -> rate 0.3
                               -> m funding -60120 qty -2000 at 9980.0 rate 0.3
        clock                  -> a funding 30060 qty 1000 at 9980.0 rate 0.3
        clock                  -> b funding 30060 qty 1000 at 9980.0 rate 0.3
        clock
        state open             -> state Open
                               -> a taken_over long 1000 @ 9931.48 fee 7551
                               -> lot TakenOver qty 1000 bankrupt 9931.48 unit_value 10069
        b sell 1 @ 10000.0     -> b refused InLiquidation
        clock                  -> b Started qty 1000 liq 9986.5 bankrupt 9907.0
    ",
    );
}

/// MARK-3: they are found while there is no index, and nobody has his turn until there is one; then who is safe at the
/// new mark is not due any more. An index that comes before all are found waits, and they have their turns.
#[test]
fn they_are_found_without_an_index() {
    let lost = "
        budget 1
        marking index
        index 0 10000.0
        m sell 300 @ 10000.0
        a leverage 100
        a buy  100 @ 10000.0
        b leverage 100
        b buy  100 @ 10000.0
        c leverage 100
        c buy  100 @ 10000.0
        index 0 9950.0          -> mark 9950.0 index 9950.0
        epoch                   -> mark 9950.0
    ";
    scenario(&format!(
        "{lost}
        clock
        clock
        clock
        index 0 9951.0          -> mark 9951.0 index 9951.0
        clock
        clock
        a sell 1 @ 9999.0       -> a new
    "
    ));
    scenario(&lost.replace("m sell 300", "d leverage 100\n d buy 100 @ 10000.0\n m sell 400").replace(
        "epoch                   -> mark 9950.0",
        "epoch                   -> mark 9950.0
        index 0 9951.0
        clock
        clock                   -> d Started qty 100 liq 9950.5 bankrupt 9901.0",
    ));
}

/// FUND-5: a funding pass that comes meanwhile goes first, and who pays is found then: all pay at the mark that made them
/// due, and their units are paid behind it.
#[test]
fn a_funding_pass_goes_before_finding() {
    scenario(&format!(
        "{}
        mark 9600.0            -> mark 9600.0
        at 04:00:00            -> rate 0.01
                               -> m funding -4167 qty -4000 at 9600.0 rate 0.01
        clock                  -> d funding 1042 qty 1000 at 9600.0 rate 0.01
        clock                  -> c funding 1042 qty 1000 at 9600.0 rate 0.01
        clock                  -> b funding 1042 qty 1000 at 9600.0 rate 0.01
        clock                  -> a funding 1042 qty 1000 at 9600.0 rate 0.01
        clock
        clock
        clock
        clock                  -> a Started qty 1000 liq 9953.5 bankrupt 9903.0
    ",
        FOUR.replace("budget 1", "budget 1\n        rate 0.01")
    ));
}
