//! Who is closed when the fund does not reach. (Rules ADL-1, ADL-2, ADL-4)

use testkit::scenario;

/// ADL-1: three shorts in profit. s2 at 100x comes before s1 and s3 at 10x and 2x.
#[test]
fn profit_times_leverage_decides_who_is_first() {
    scenario(
        "
        a leverage 100
        s3 leverage 2
        s3 sell 100 @ 10020.0
        s1 leverage 10
        s1 sell 100 @ 10000.0
        s2 leverage 100
        s2 sell 100 @ 10000.0
        a  buy  300 @ 10020.0
        mark 9900.0            -> mark 9900.0
                               -> a Started qty 300 liq 9951.5 bankrupt 9902.0
                               -> a taken_over long 300 @ 9901.98 fee 2272
                               -> lot TakenOver qty 300 bankrupt 9901.98 unit_value 10099
                               -> lot Resting qty 300 bankrupt 9901.98 unit_value 10099
                               -> lot Sweep qty 300 bankrupt 9901.98 unit_value 10099
                               -> s2 deleveraged 100 @ 9901.98 fee -252
                               -> s1 deleveraged 100 @ 9901.98 fee -252
                               -> s3 deleveraged 100 @ 9901.98 fee -252
    ",
    );
}

/// ADL-1: at the same leverage more profit comes first: s3 sold at 10010.0.
#[test]
fn at_one_leverage_more_profit_is_first() {
    scenario(
        "
        a leverage 100
        s1 leverage 10
        s3 leverage 10
        s1 sell 100 @ 10000.0
        s3 sell 100 @ 10010.0
        a  buy  200 @ 10010.0
        mark 9850.0            -> mark 9850.0
                               -> a Started qty 200 liq 9951.5 bankrupt 9902.0
                               -> a taken_over long 200 @ 9901.98 fee 1514
                               -> lot TakenOver qty 200 bankrupt 9901.98 unit_value 10099
                               -> lot Resting qty 200 bankrupt 9901.98 unit_value 10099
                               -> lot Sweep qty 200 bankrupt 9901.98 unit_value 10099
                               -> s3 deleveraged 100 @ 9901.98 fee -252
                               -> s1 deleveraged 100 @ 9901.98 fee -252
    ",
    );
}

/// ADL-1: equal scores: the larger position, then the lower account.
#[test]
fn equal_scores_are_told_apart_by_size_then_by_account() {
    scenario(
        "
        a  leverage 100
        s1 leverage 10
        s2 leverage 10
        s3 leverage 10
        s1 sell 100 @ 10000.0
        s2 sell 100 @ 10000.0
        s3 sell 200 @ 10000.0
        a  buy  400 @ 10000.0
        mark 9900.0            -> mark 9900.0
                               -> a Started qty 400 liq 9950.5 bankrupt 9901.0
                               -> a taken_over long 400 @ 9901.0 fee 3030
                               -> lot TakenOver qty 400 bankrupt 9901.0 unit_value 10100
                               -> lot Resting qty 400 bankrupt 9901.0 unit_value 10100
                               -> lot Sweep qty 400 bankrupt 9901.0 unit_value 10100
                               -> s3 deleveraged 200 @ 9901.0 fee -505
                               -> s1 deleveraged 100 @ 9901.0 fee -252
                               -> s2 deleveraged 100 @ 9901.0 fee -252
    ",
    );
}

/// ADL-2: closed at the bankruptcy value, with the maker's fee, only as far as the lot needs; then the
/// account's orders are cancelled.
#[test]
fn who_is_deleveraged_keeps_the_rest_and_loses_its_orders() {
    scenario(
        "
        a  leverage 100
        s1 sell 1000 @ 10000.0
        s1 buy   500 @ 9000.0
        s1 sell  100 @ 11000.0
        a  buy   500 @ 10000.0
        c  leverage 3
        c  buy   500 @ 10000.0
        mark 9850.0            -> mark 9850.0
                               -> a Started qty 500 liq 9950.5 bankrupt 9901.0
                               -> a taken_over long 500 @ 9901.0 fee 3787
                               -> lot TakenOver qty 500 bankrupt 9901.0 unit_value 10100
                               -> lot Resting qty 500 bankrupt 9901.0 unit_value 10100
                               -> lot Sweep qty 500 bankrupt 9901.0 unit_value 10100
                               -> s1 deleveraged 500 @ 9901.0 fee -1262
                               -> s1 canceled 500 Deleverage
                               -> s1 canceled 100 Deleverage
        position s1            -> qty -500 cost 5000000 realised 53762 commission -3762
        book                   -> empty
    ",
    );
}

/// ADL-4: a's own bankruptcy, 9901.0 at 100x, is passed by the lot's 9798.15, so it is no candidate and the
/// lot rests again. It is tried again at the next mark, and when a has more behind it, a is the one.
#[test]
fn where_no_one_is_left_the_lot_rests_and_is_tried_again() {
    scenario(
        "
        budget 1
        m sell 1000 @ 10000.0
        a leverage 10
        a buy  1000 @ 10000.0
        mark 9700.0
        s leverage 100
        s sell 1000 @ 9700.0
        m buy  1000 @ 9700.0
        mark 9760.0            -> mark 9760.0
        clock                  -> s Started qty -1000 liq 9748.0 bankrupt 9798.0
        clock                  -> s taken_over short 1000 @ 9798.15 fee 7654
                               -> lot TakenOver qty -1000 bankrupt 9798.15 unit_value 10206
        clock
        book                   -> bid 1000 @ 9798.0
        mark 10050.0           -> mark 10050.0
        clock                  -> lot Sweep qty -1000 bankrupt 9798.15 unit_value 10206
        a leverage 100
        clock
        clock
        clock
        clock                  -> lot Waiting qty -1000 bankrupt 9798.15 unit_value 10206
        book                   -> bid 1000 @ 9798.0
        a leverage 10
        mark 10051.0           -> mark 10051.0
        clock                  -> lot Sweep qty -1000 bankrupt 9798.15 unit_value 10206
        clock
        clock
        clock
        clock
        clock                  -> a deleveraged 1000 @ 9798.15 fee -2551
        clock
        position a             -> qty 0 cost 0 realised -210949
        book                   -> empty
    ",
    );
}

/// ADL-1, law 4: every account is looked at once, a step each; then the ranking serves the next lot of the side too.
#[test]
fn one_ranking_serves_all_lots_of_a_mark() {
    scenario(
        "
        budget 1
        s1 leverage 10
        s1 sell 500 @ 10000.0
        s2 leverage 5
        s2 sell 500 @ 10000.0
        a leverage 100
        a buy   600 @ 10000.0
        b leverage 100
        b buy   400 @ 10000.0
        mark 9940.0
        clock
        clock
        clock
        clock
        clock
        clock                  -> lot Resting qty 600 bankrupt 9901.0 unit_value 10100
        clock                  -> lot Resting qty 400 bankrupt 9901.0 unit_value 10100
        mark 9900.0            -> mark 9900.0
        clock
        clock                  -> lot Sweep qty 600 bankrupt 9901.0 unit_value 10100
        clock
        clock
        clock
        clock
        clock
        clock                  -> s1 deleveraged 500 @ 9901.0 fee -1262
        clock
        clock                  -> s2 deleveraged 100 @ 9901.0 fee -252
        clock
        clock                  -> lot Sweep qty 400 bankrupt 9901.0 unit_value 10100
        clock
        clock                  -> s2 deleveraged 400 @ 9901.0 fee -1010
        clock
        book                   -> empty
    ",
    );
}

/// ADL-1: what a command changes while a ranking stands counts at once. s2 was looked at with 2x and stood below s1;
/// then it takes 100x, and is first. Who is deleveraged in part stays in the place that he has now.
#[test]
fn who_rises_while_a_ranking_stands_is_closed_in_his_new_place() {
    scenario(
        "
        budget 1
        s1 leverage 10
        s1 sell 500 @ 10000.0
        s2 leverage 2
        s2 sell 500 @ 10000.0
        a leverage 100
        a buy  1000 @ 10000.0
        mark 9900.0            -> mark 9900.0
        clock                  -> a Started qty 1000 liq 9950.5 bankrupt 9901.0
        clock                  -> a taken_over long 1000 @ 9901.0 fee 7575
                               -> lot TakenOver qty 1000 bankrupt 9901.0 unit_value 10100
        clock                  -> lot Resting qty 1000 bankrupt 9901.0 unit_value 10100
        clock                  -> lot Sweep qty 1000 bankrupt 9901.0 unit_value 10100
        clock
        clock
        clock
        clock
        s2 leverage 100        -> s1 deleveraged 500 @ 9901.0 fee -1262
    ",
    );
    scenario(
        "
        budget 1
        s1 leverage 10
        s1 sell 500 @ 10000.0
        s2 leverage 2
        s2 sell 500 @ 10000.0
        a leverage 100
        a buy  1000 @ 10000.0
        mark 9900.0
        clock
        clock
        clock
        clock                  -> lot Sweep qty 1000 bankrupt 9901.0 unit_value 10100
        clock
        clock
        clock
        s2 leverage 100
        clock                  -> s2 deleveraged 500 @ 9901.0 fee -1262
        clock
        clock                  -> s1 deleveraged 500 @ 9901.0 fee -1262
    ",
    );
}

/// ADL-4, law 4: a ranking of one place is taken by a, who ranks first and may not be closed as far away as the lot.
/// A second one, for this lot alone, has a place for b only.
#[test]
fn who_may_not_be_closed_takes_nobody_s_place() {
    scenario(
        "
        budget 1
        places 1
        m sell 2000 @ 10000.0
        a leverage 10
        a buy  1000 @ 10000.0
        b leverage 10
        b buy  1000 @ 10000.0
        mark 9700.0
        s leverage 100
        s sell 1000 @ 9700.0
        m buy  1000 @ 9700.0
        mark 9760.0
        clock
        clock
        clock
        mark 10050.0           -> mark 10050.0
        clock                  -> lot Sweep qty -1000 bankrupt 9798.15 unit_value 10206
        a leverage 100
        clock
        clock
        clock
        clock
        clock
        clock
        clock
        clock
        clock
        clock                  -> b deleveraged 1000 @ 9798.15 fee -2551
        position a             -> qty 1000
    ",
    );
}
