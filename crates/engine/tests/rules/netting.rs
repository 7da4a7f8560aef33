//! Opposite lots meet outside the book, once all takeovers of a mark are done. (Rules LIQ-8, LIQ-10)

use testkit::scenario;

/// LIQ-10: a's lot sells at 9901.0, s's would buy up to 10101.0: 600 are netted, and the fund has 10,100 − 9,900 of
/// each. No trade is told; the rest of the older lot keeps its place.
#[test]
fn opposite_lots_are_netted_and_the_gain_is_the_fund_s() {
    scenario(
        "
        m buy   600 @ 10000.0
        s leverage 100
        s sell  600 @ 10000.0
        m sell 1000 @ 10000.0
        a leverage 100
        a buy  1000 @ 10000.0
        mark 9950.5            -> mark 9950.5
                               -> a Started qty 1000 liq 9950.5 bankrupt 9901.0
                               -> a taken_over long 1000 @ 9901.0 fee 7575
                               -> lot TakenOver qty 1000 bankrupt 9901.0 unit_value 10100
                               -> lot Resting qty 1000 bankrupt 9901.0 unit_value 10100
        mark 10050.0           -> mark 10050.0
                               -> s Started qty -600 liq 10050.0 bankrupt 10101.0
                               -> s taken_over short 600 @ 10101.01 fee 4455
                               -> lot TakenOver qty -600 bankrupt 10101.01 unit_value 9900
                               -> lot Netted qty 0 bankrupt 10101.01 unit_value 9900
                               -> lot Netted qty 400 bankrupt 9901.0 unit_value 10100
                               -> fund Netting 120000 now 120000
        book                   -> ask 400 @ 9901.0
    ",
    );
}

/// LIQ-10: the oldest first, and what is left of a new lot goes to the book. Each lot looked at is one unit.
#[test]
fn the_oldest_is_netted_first_and_the_rest_goes_to_the_book() {
    scenario(
        "
        budget 1
        m buy   700 @ 10000.0
        s leverage 100
        s sell  700 @ 10000.0
        m sell  500 @ 10000.0
        a leverage 100
        a buy   300 @ 10000.0
        b leverage 100
        b buy   200 @ 9990.0
        m sell  200 @ 9990.0
        mark 9950.5
        clock
        clock
        clock                  -> lot Resting qty 300 bankrupt 9901.0 unit_value 10100
        mark 9940.0            -> mark 9940.0
        clock                  -> b Started qty 200 liq 9940.5 bankrupt 9891.5
        clock                  -> b taken_over long 200 @ 9891.2 fee 1516
                               -> lot TakenOver qty 200 bankrupt 9891.2 unit_value 10110
        clock                  -> lot Resting qty 200 bankrupt 9891.2 unit_value 10110
        mark 10050.0           -> mark 10050.0
        clock                  -> s Started qty -700 liq 10050.0 bankrupt 10101.0
        clock                  -> s taken_over short 700 @ 10101.01 fee 5197
                               -> lot TakenOver qty -700 bankrupt 10101.01 unit_value 9900
        clock                  -> lot Netted qty -400 bankrupt 10101.01 unit_value 9900
                               -> lot Netted qty 0 bankrupt 9901.0 unit_value 10100
                               -> fund Netting 60000 now 60000
        clock                  -> lot Netted qty -200 bankrupt 10101.01 unit_value 9900
                               -> lot Netted qty 0 bankrupt 9891.2 unit_value 10110
                               -> fund Netting 42000 now 102000
        clock                  -> lot take 200 fee 0 m make 200 fee -500 leaves 0 @ 10000.0
                               -> fund CloseOut 20000 now 122000
        book                   -> empty
    ",
    );
}

/// LIQ-8: both are taken over before either lot is matched, and both are matched before one is swept.
#[test]
fn all_takeovers_come_first_then_the_book_then_the_sweep() {
    scenario(
        "
        insurance 1000000
        m sell 2000 @ 10000.0
        a leverage 100
        a buy  1000 @ 10000.0
        b leverage 50
        b buy  1000 @ 10000.0
        c leverage 1
        c buy   100 @ 9880.0
        mark 9850.0            -> mark 9850.0
                               -> a Started qty 1000 liq 9950.5 bankrupt 9901.0
                               -> a taken_over long 1000 @ 9901.0 fee 7575
                               -> lot TakenOver qty 1000 bankrupt 9901.0 unit_value 10100
                               -> b Started qty 1000 liq 9852.5 bankrupt 9804.0
                               -> b taken_over long 1000 @ 9803.93 fee 7650
                               -> lot TakenOver qty 1000 bankrupt 9803.93 unit_value 10200
                               -> lot Resting qty 1000 bankrupt 9901.0 unit_value 10100
                               -> lot take 100 fee 0 c make 100 fee -253 leaves 0 @ 9880.0
                               -> fund CloseOut 7900 now 1007900
                               -> lot Resting qty 900 bankrupt 9803.93 unit_value 10200
                               -> lot Sweep qty 1000 bankrupt 9901.0 unit_value 10100
                               -> m deleveraged 1000 @ 9901.0 fee -2525
    ",
    );
}

/// LIQ-10 to the tick: a long lot of 19,999 a contract (5000.25) sells at 5000.5. A short one that buys a tick below does
/// not meet it there, so nothing is netted: the long one is swept into its order, at the fund's loss. At the very tick, and
/// a tick above, they are netted, and the gain is the difference of their values, whatever their ticks.
///
/// The long falls due beyond its bankruptcy price, by ten instants of funding that one stamp has passed: 10 · 1 % of
/// 20,080,000, of which 2,000,000 + 7,500 were set aside.
#[test]
fn lots_are_netted_from_the_tick_on_at_which_they_would_trade() {
    // Where the short sold at 100x: its lot is worth 20,000, 19,998, 19,995 a contract, and buys at 5000.0, 5000.5,
    // 5001.0.
    for (sold_at, outcome) in [
        (
            "4950.0",
            "-> lot Resting qty 1000 bankrupt 5000.26 unit_value 19999
             -> lot Sweep qty 1000 bankrupt 5000.26 unit_value 19999
             -> lot take 1000 fee 0 lot make 1000 fee 0 leaves 0 @ 5000.0
             -> fund Sweep -1000 now 2007000",
        ),
        (
            "4950.5",
            "-> lot Netted qty 0 bankrupt 5000.26 unit_value 19999
             -> lot Netted qty 0 bankrupt 5000.5 unit_value 19998
             -> fund Netting 1000 now 2009000",
        ),
        (
            "4951.5",
            "-> lot Netted qty 0 bankrupt 5000.26 unit_value 19999
             -> lot Netted qty 0 bankrupt 5001.25 unit_value 19995
             -> fund Netting 4000 now 2012000",
        ),
    ] {
        scenario(&format!(
            "
            mark 5000.0
            m sell 1000 @ 5000.0
            a leverage 10
            a buy  1000 @ 5000.0
            a margin 7500
            mark 4950.0
            m buy  1000 @ {sold_at}
            s leverage 100
            s sell 1000 @ {sold_at}
            rate 1
            mark 4980.0
            at 80:00:00            -> rate 1
                                   -> lot funding -2008000 qty -1000 at 4980.0 rate 1
                                   -> fund Funding 2008000 now 2008000
                                   -> a funding 2008000 qty 1000 at 4980.0 rate 1
                                   -> a Started qty 1000 liq 5076.5 bankrupt 5000.5
                                   -> a taken_over long 1000 @ 5000.26 fee 14999
                                   -> lot TakenOver qty 1000 bankrupt 5000.26 unit_value 19999
                                   {outcome}
            book                   -> empty
        "
        ));
    }
}
