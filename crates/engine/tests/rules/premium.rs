//! The premium of each minute, the rate of an interval, and when it is in force. (Rules FUND-1, FUND-2, TIME-1, MARK-1)

use testkit::scenario;

/// FUND-1: bids at 10010.0 for a mark of 10000.0 are a premium of 0.1 %. The interest, 0.01 %, pulls it by 0.05 % at
/// most. A minute counts once, by its first command; nothing is said of one that changes nothing.
#[test]
fn a_minute_is_sampled_by_its_first_command() {
    scenario(
        "
        marking fair
        index 0 10000.0         -> mark 10000.0 index 10000.0
        m buy  200000 @ 10010.0
        m sell 200000 @ 10020.0
        at 00:00:59
        at 00:01:00             -> rate 0 next 0.05
        at 00:01:59
        at 00:02:00
    ",
    );
}

/// FUND-1: an impact price is that of 10 XBT: 100,000 contracts at 10000.0, and 100,051 of 9,995 at 10005.0. With one less
/// on a side there is no premium. 9999.99995 is 10000.0000, which is 0.3009 % above 9970.0;
/// the minutes before had 0.
#[test]
fn a_side_with_less_than_ten_bitcoins_says_nothing() {
    scenario(
        "
        marking index
        index 0 9970.0
        m buy   99999 @ 10000.0
        m sell 100051 @ 10005.0
        at 00:01:00
        m buy       1 @ 9995.0
        at 00:02:00             -> rate 0 next 0.1005
    ",
    );
    scenario(
        "
        marking index
        index 0 9970.0
        m buy  100000 @ 10000.0
        m sell 100049 @ 10005.0
        at 00:01:00
        m sell      1 @ 10005.0
        at 00:02:00
        m sell      1 @ 10005.0
        at 00:03:00             -> rate 0 next 0.0503
    ",
    );
}

/// FUND-1: a spread of 0.5 % of the index says something, half a dollar more does not.
#[test]
fn a_spread_wider_than_the_maintenance_margin_says_nothing() {
    scenario(
        "
        marking index
        index 0 10000.0
        m buy  200000 @ 10030.0
        m sell 200000 @ 10080.5
        at 00:01:00
        m sell 200000 @ 10080.0
        at 00:02:00             -> rate 0 next 0.1
    ",
    );
}

/// FUND-1: where a side is gone or nobody knows the index the last premium goes on, and counts. At first it is 0, so the
/// rate is the interest. 1 minute of 0 and 239 of 0.1 %: 0.099583 %, less 0.05 %.
#[test]
fn the_last_premium_is_kept() {
    scenario(
        "
        marking fair
        index 0 10000.0         -> mark 10000.0 index 10000.0
        at 00:01:00
        m buy  200000 @ 10010.0 as x
        m sell 200000 @ 10020.0
        at 00:02:00
        m cancel x
        epoch                   -> mark 10000.0
        at 04:00:00             -> rate 0.0496 next 0.05
    ",
    );
}

/// FUND-1, law 4: minutes that no command touched all have the premium that the next one finds. Of those that a stamp
/// passes the ones behind the instant are the next interval's: 4 hours of 0.1 %, then 60
/// minutes of it, and 60 of 0.195 %: 0.1475 %, less 0.05 %.
#[test]
fn silent_minutes_have_the_premium_of_their_end() {
    scenario(
        "
        marking index
        index 0 10000.0
        m buy  200000 @ 10010.0 as x
        m sell 200000 @ 10020.0
        at 05:00:00             -> rate 0.05
                                -> mark 10000.0
        index 0 10000.0         -> mark 10000.0 index 10000.0
        m buy  200000 @ 10019.5
        at 06:00:00             -> rate 0.05 next 0.0975
                                -> mark 10000.0
    ",
    );
}

/// FUND-2: the rate of an interval is in force from its end on and is paid at the end of the next. The maintenance margin
/// looks at the one in force. At 04:00 nothing is in force, so nothing is paid; at 12:00 0.05 %, by longs.
#[test]
fn a_rate_is_paid_an_interval_later() {
    scenario(
        "
        marking fair
        index 0 10000.0
        m sell 100 @ 10000.0
        a leverage 10
        a buy  100 @ 10000.0
        m buy  200000 @ 10010.0 as x
        m sell 200000 @ 10020.0 as y
        position a              -> liq 9132.5
        at 04:00:00             -> rate 0.05
                                -> mark 10000.0
        position a              -> liq 9137.0
        index 0 10000.0         -> mark 10005.0 index 10000.0
        m cancel x
        m cancel y
        m buy  200000 @ 9990.0
        m sell 200000 @ 10015.0
        at 08:00:00             -> rate 0.05 next 0.01
                                -> mark 10005.0
        index 0 10000.0         -> mark 10002.5 index 10000.0
        at 12:00:00             -> rate 0.01
                                -> mark 10002.5
                                -> m funding -500 qty -100 at 10002.5 rate 0.05
                                -> a funding 500 qty 100 at 10002.5 rate 0.05
    ",
    );
}

/// FUND-1: a rate is at most 75 % of IM − MM, 0.375 %: what premiums of 0.425 % come to. 0.42, 0.4225, 0.425, 0.426 %.
#[test]
fn a_rate_has_a_cap() {
    scenario(
        "
        marking index
        index 0 10000.0
        m sell 200000 @ 10060.0
        m buy  200000 @ 10042.0
        at 00:01:00             -> rate 0 next 0.37
        m buy  200000 @ 10042.5
        at 00:02:00             -> rate 0 next 0.3725
        m buy  200000 @ 10043.0
        at 00:03:00             -> rate 0 next 0.375
        m buy  200000 @ 10050.0
        at 00:04:00
        at 04:00:00             -> rate 0.375
                                -> mark 10000.0
    ",
    );
}

/// FUND-1: from one interval to the next a rate moves by at most 75 % of MM, 0.375 %: from 0.2 % no further down than to
/// −0.175 %, what −0.225 % comes to. −0.22 %, −0.225 %, then more.
#[test]
fn a_rate_has_a_largest_change() {
    scenario(
        "
        marking index
        index 0 10000.0
        m buy  200000 @ 10025.0 as x
        m sell 200000 @ 10030.0
        at 04:00:00             -> rate 0.2
                                -> mark 10000.0
        m cancel x
        index 0 10000.0
        m buy  200000 @ 9940.0
        m sell 200000 @ 9978.0
        at 04:01:00             -> rate 0.2 next -0.17
        m sell 200000 @ 9977.0
        at 04:02:00             -> rate 0.2 next -0.175
        m sell 200000 @ 9950.0
        at 04:03:00
        at 12:00:00             -> rate -0.175 next -0.375
                                -> mark 10000.0
    ",
    );
}

/// FUND-5, FUND-2: several instants that one stamp passes are paid together at the rate in force, and end one interval.
#[test]
fn silent_instants_end_one_interval() {
    scenario(
        "
        marking index
        index 0 10000.0
        m sell 100 @ 10000.0
        a buy  100 @ 10000.0
        m buy  200000 @ 10010.0
        m sell 200000 @ 10020.0
        at 04:00:00             -> rate 0.05
                                -> mark 10000.0
        at 28:00:00             -> rate 0.05
                                -> m funding -1500 qty -100 at 10000.0 rate 0.05
                                -> a funding 1500 qty 100 at 10000.0 rate 0.05
    ",
    );
}

/// FUND-5: an instant that is reached while the pass of the one before is open comes behind it, and ends its interval then:
/// with a budget of 1 the third of three accounts pays two commands later.
#[test]
fn a_rate_comes_behind_an_open_pass() {
    scenario(
        "
        marking fair
        budget 1
        index 0 10000.0
        m sell 200 @ 10000.0
        a buy  100 @ 10000.0
        b buy  100 @ 10000.0
        m buy  200000 @ 10010.0
        m sell 200000 @ 10020.0
        at 04:00:00             -> rate 0.05
                                -> mark 10000.0
        clock
        clock
        index 0 10000.0         -> mark 10005.0 index 10000.0
        at 12:00:00             -> rate 0.05
                                -> mark 10005.0
                                -> m funding -1000 qty -200 at 10005.0 rate 0.05
        at 20:00:00             -> a funding 500 qty 100 at 10005.0 rate 0.05
        clock                   -> b funding 500 qty 100 at 10005.0 rate 0.05
                                -> rate 0.05
        clock                   -> m funding -1000 qty -200 at 10005.0 rate 0.05
    ",
    );
}

/// FUND-1, law 4: a stamp that passes 584 years of minutes and half a million instants costs what the next one does: one
/// premium, one payment of no more than the position is worth, one rate; and behind the last instant there is no other.
#[test]
fn a_clock_that_leaps_to_the_end_of_time_is_one_minute() {
    scenario(
        "
        marking index
        index 0 10000.0
        m sell 100 @ 10000.0
        a buy  100 @ 10000.0
        m buy  200000 @ 10010.0
        m sell 200000 @ 10020.0
        at 04:00:00             -> rate 0.05
                                -> mark 10000.0
        at 5124095:34:33        -> rate 0.05
                                -> m funding -1000000 qty -100 at 10000.0 rate 0.05
                                -> a funding 1000000 qty 100 at 10000.0 rate 0.05
        clock
    ",
    );
}
