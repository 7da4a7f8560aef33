//! The book: who trades with whom, at which price, and what happens to the rest.

use testkit::scenario;

/// BOOK-1: better price first, then earlier order. FEE-1: the taker pays 0.075 %, the maker receives 0.025 %.
#[test]
fn a_buyer_takes_the_best_price_first_and_the_oldest_at_it() {
    scenario(
        "
        a sell 100 @ 10001.0   -> a new
        b sell 100 @ 10000.0   -> b new
        c sell 100 @ 10000.5   -> c new
        d sell 100 @ 10000.0   -> d new
        e buy  350 @ 10000.5   -> e new
                               -> e take 100 fee 750 b make 100 fee -250 leaves 0
                               -> e take 100 fee 750 d make 100 fee -250 leaves 0
                               -> e take 100 fee 750 c make 100 fee -250 leaves 0
        book                   -> ask 100 @ 10001.0
                               -> bid 50 @ 10000.5
    ",
    );
}

/// BOOK-1, the other side.
#[test]
fn a_seller_takes_the_best_price_first_and_the_oldest_at_it() {
    scenario(
        "
        a buy  100 @ 9999.0    -> a new
        b buy  100 @ 10000.0   -> b new
        c buy   50 @ 10000.0   -> c new
        d sell 220 @ 9999.0    -> d new
                               -> d take 100 fee 750 b make 100 fee -250 leaves 0
                               -> d take 50 fee 375 c make 50 fee -125 leaves 0
                               -> d take 70 fee 525 a make 70 fee -175 leaves 30
        book                   -> bid 30 @ 9999.0
    ",
    );
}

/// BOOK-1: a trade is at the maker's price. COST-1: the two costs add up to nothing.
#[test]
fn a_trade_is_at_the_price_of_the_order_that_rested() {
    scenario(
        "
        a sell 100 @ 9990.0
        b buy  100 @ 10000.0   -> b new
                               -> b take 100 fee 750 a make 100 fee -250 leaves 0
        position b             -> qty 100 cost -1001000 realised -750
        position a             -> qty -100 cost 1001000 realised 250
    ",
    );
}

/// BOOK-1: an order one tick below the best ask rests; at the ask it trades.
#[test]
fn an_order_trades_from_the_tick_of_the_best_opposite_price_on() {
    scenario(
        "
        a sell 100 @ 10000.0
        b buy   10 @ 9999.5    -> b new
        b buy   10 @ 10000.0   -> b new
                               -> b take 10 fee 75 a make 10 fee -25 leaves 90
        b buy   10 @ 10000.5   -> b new
                               -> b take 10 fee 75 a make 10 fee -25 leaves 80
        book                   -> ask 80 @ 10000.0
                               -> bid 10 @ 9999.5
    ",
    );
}

/// FEE-1: 30,003 at 0.075 % is 22.50225, paid as 22; at −0.025 % it is −7.50075, received as 7.
/// VALUE-1: one contract at 3333.0 is 30,003.0003 satoshi, rounded to 30,003.
#[test]
fn fees_round_toward_zero_whichever_way_they_go() {
    scenario(
        "
        a sell 1 @ 3333.0
        b buy  1 @ 3333.0   -> b new
                            -> b take 1 fee 22 a make 1 fee -7 leaves 0
        position b          -> cost -30003 commission 22
        position a          -> cost 30003 commission -7
    ",
    );
}

/// INST-1: a post-only order one tick below the ask rests; at it and above it is accepted, then cancelled.
#[test]
fn a_post_only_order_that_would_trade_is_cancelled() {
    scenario(
        "
        a sell 100 @ 10000.0
        b buy  100 @ 9999.5 post_only    -> b new
        c buy  100 @ 10000.0 post_only   -> c new
                                         -> c canceled 100 PostOnly
        d buy  100 @ 10000.5 post_only   -> d new
                                         -> d canceled 100 PostOnly
        e sell 100 @ 9999.5 post_only    -> e new
                                         -> e canceled 100 PostOnly
        book                             -> ask 100 @ 10000.0
                                         -> bid 100 @ 9999.5
    ",
    );
}

/// TIF-1: immediate-or-cancel trades what it can; the rest is cancelled.
#[test]
fn what_an_immediate_or_cancel_order_cannot_trade_is_cancelled() {
    scenario(
        "
        a sell 100 @ 10000.0
        b buy  150 @ 10000.0 ioc   -> b new
                                   -> b take 100 fee 750 a make 100 fee -250 leaves 0
                                   -> b canceled 50 ImmediateOrCancel
        c buy   10 @ 9999.5 ioc    -> c new
                                   -> c canceled 10 ImmediateOrCancel
        book                       -> empty
    ",
    );
}

/// TIF-1: fill-or-kill. 150 lie up to 10001.0; 151 are one too many, 10000.5 one level too few.
#[test]
fn a_fill_or_kill_order_trades_whole_or_not_at_all() {
    scenario(
        "
        a sell 100 @ 10000.0
        b sell  50 @ 10001.0
        c buy  151 @ 10001.0 fok   -> c new
                                   -> c canceled 151 FillOrKill
        c buy  150 @ 10000.5 fok   -> c new
                                   -> c canceled 150 FillOrKill
        c buy  150 @ 10001.0 fok   -> c new
                                   -> c take 100 fee 750 a make 100 fee -250 leaves 0
                                   -> c take 50 fee 374 b make 50 fee -124 leaves 0
        book                       -> empty
    ",
    );
}

/// TYPE-1: a market order never rests; in an empty book it is cancelled whole.
#[test]
fn a_market_order_takes_what_is_there_and_never_rests() {
    scenario(
        "
        b buy   10 market       -> b new
                                -> b canceled 10 ImmediateOrCancel
        a sell 100 @ 10000.0
        b buy  150 market       -> b new
                                -> b take 100 fee 750 a make 100 fee -250 leaves 0
                                -> b canceled 50 ImmediateOrCancel
        book                    -> empty
    ",
    );
}

/// BOOK-1: an account may trade with itself; it pays the fee and receives the rebate.
#[test]
fn an_account_may_trade_with_itself() {
    scenario(
        "
        a sell 100 @ 10000.0
        a buy   60 @ 10000.0   -> a new
                               -> a take 60 fee 450 a make 60 fee -150 leaves 40
        position a             -> qty 0 cost 0 realised -300 commission 300
        wallet a               -> balance 999999700 sell_qty 40 sell_cost 400000
        book                   -> ask 40 @ 10000.0
    ",
    );
}

/// STATE-1, law 4: a taker that has met `max_fills` orders and would go on is cut; one that is done is not.
#[test]
fn a_taker_meets_at_most_so_many_orders() {
    scenario(
        "
        max_fills 2
        a sell 10 @ 10000.0
        a sell 10 @ 10000.0
        a sell 10 @ 10000.0
        a sell 10 @ 10001.0
        b buy  20 @ 10000.0   -> b new
                              -> b take 10 fee 75 a make 10 fee -25 leaves 0
                              -> b take 10 fee 75 a make 10 fee -25 leaves 0
        a sell 10 @ 10000.0
        a sell 10 @ 10000.0
        b buy  30 @ 10000.0   -> b new
                              -> b take 10 fee 75 a make 10 fee -25 leaves 0
                              -> b take 10 fee 75 a make 10 fee -25 leaves 0
                              -> b canceled 10 MaxFills
        b buy  20 @ 10000.5   -> b new
                              -> b take 10 fee 75 a make 10 fee -25 leaves 0
        book                  -> ask 10 @ 10001.0
                              -> bid 10 @ 10000.5
    ",
    );
}
