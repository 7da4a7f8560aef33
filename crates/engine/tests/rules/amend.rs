//! Amending, cancelling, and the names of orders.

use testkit::scenario;

/// AMEND-1: one contract less keeps the place, the same quantity keeps it, one more loses it.
#[test]
fn less_keeps_its_place_and_more_loses_it() {
    scenario(
        "
        a sell 100 @ 10000.0 as x
        b sell 100 @ 10000.0
        a amend x total 99     -> a amended 99 @ 10000.0 leaves 99
        c buy   10 @ 10000.0   -> c new
                               -> c take 10 fee 75 a make 10 fee -25 leaves 89
        a amend x total 99     -> a amended 99 @ 10000.0 leaves 89
        c buy   10 @ 10000.0   -> c new
                               -> c take 10 fee 75 a make 10 fee -25 leaves 79
        a amend x total 100    -> a amended 100 @ 10000.0 leaves 80
        c buy   10 @ 10000.0   -> c new
                               -> c take 10 fee 75 b make 10 fee -25 leaves 90
    ",
    );
}

/// AMEND-1: any change of price loses the place, there and back again.
#[test]
fn another_price_loses_the_place_even_when_it_comes_back() {
    scenario(
        "
        a sell 100 @ 10000.0 as x
        b sell 100 @ 10000.0
        a amend x @ 10000.5    -> a amended 100 @ 10000.5 leaves 100
        a amend x @ 10000.0    -> a amended 100 @ 10000.0 leaves 100
        c buy   10 @ 10000.0   -> c new
                               -> c take 10 fee 75 b make 10 fee -25 leaves 90
    ",
    );
}

/// AMEND-1: a decrease together with a price change loses the place; the flag makes any amend lose it.
#[test]
fn a_decrease_does_not_save_the_place_from_another_change() {
    scenario(
        "
        a sell 100 @ 10000.0 as x
        b sell 100 @ 10000.0
        a amend x reduce 10 loses_place   -> a amended 90 @ 10000.0 leaves 90
        c buy   10 @ 10000.0              -> c new
                                          -> c take 10 fee 75 b make 10 fee -25 leaves 90
    ",
    );
}

/// AMEND-1, ID-1: a new name keeps the place; the old name is free again.
#[test]
fn another_name_keeps_the_place() {
    scenario(
        "
        a sell 100 @ 10000.0 as old
        b sell 100 @ 10000.0
        a amend old as new     -> a amended 100 @ 10000.0 leaves 100
        a cancel old           -> a refused InvalidOrderId
        c buy   10 @ 10000.0   -> c new
                               -> c take 10 fee 75 a make 10 fee -25 leaves 90
        a sell  10 @ 10001.0 as old
    ",
    );
}

/// AMEND-1: an amend that crosses trades, as the taker, and may be used up.
#[test]
fn an_amend_that_crosses_trades() {
    scenario(
        "
        a sell 100 @ 10000.0
        b buy   40 @ 9990.0 as x
        b amend x @ 10000.0 total 60   -> b amended 60 @ 10000.0 leaves 60
                                       -> b take 60 fee 450 a make 60 fee -150 leaves 40
        b amend x @ 9000.0             -> b refused InvalidOrigClOrdId
        book                           -> ask 40 @ 10000.0
    ",
    );
}

/// AMEND-1, INST-1: one tick below the ask it stands, at the ask it is cancelled.
#[test]
fn a_post_only_order_amended_into_the_market_is_cancelled() {
    scenario(
        "
        a sell 100 @ 10000.0
        b buy   40 @ 9990.0 post_only as x
        b amend x @ 9999.5     -> b amended 40 @ 9999.5 leaves 40
        b amend x @ 10000.0    -> b amended 40 @ 10000.0 leaves 40
                               -> b canceled 40 PostOnly
        book                   -> ask 100 @ 10000.0
    ",
    );
}

/// AMEND-2: a refused amend leaves the order where it stood, with its place.
/// 100,000 contracts at 9000.0 need 12,785,984 XBt, of which the 127,860 of 1,000 are held already.
#[test]
fn a_refused_amend_changes_nothing() {
    scenario(
        "
        a deposit 130000
        a buy 1000 @ 9000.0 as x
        b buy  100 @ 9000.0
        a amend x total 100000   -> a refused InsufficientBalance 12658124
        wallet a                 -> order_margin 127860 buy_qty 1000
        c sell  10 @ 9000.0      -> c new
                                 -> c take 10 fee 83 a make 10 fee -27 leaves 990
    ",
    );
}

/// AMEND-2: 40 have traded. 39 in total is refused, 41 leaves one, 40 leaves nothing.
#[test]
fn a_total_below_what_has_traded_is_refused_and_equal_to_it_ends_the_order() {
    scenario(
        "
        a sell 100 @ 10000.0 as x
        b buy   40 @ 10000.0
        a amend x total 39     -> a refused InvalidOrderQty
        a amend x total 41     -> a amended 41 @ 10000.0 leaves 1
        a amend x leaves 100   -> a amended 140 @ 10000.0 leaves 100
        a amend x total 40     -> a canceled 100 AmendedToFilled
        book                   -> empty
    ",
    );
}

/// AMEND-1: taking off what is open, or more, ends the order.
#[test]
fn taking_off_everything_ends_the_order() {
    scenario(
        "
        a sell 100 @ 10000.0 as x
        a amend x reduce 30    -> a amended 70 @ 10000.0 leaves 70
        a amend x reduce 69    -> a amended 1 @ 10000.0 leaves 1
        a amend x reduce 1     -> a canceled 1 AmendedToFilled
        a sell 100 @ 10000.0 as x
        a amend x reduce 101   -> a canceled 100 AmendedToFilled
        book                   -> empty
    ",
    );
}

/// CANCEL-1: by its own account only, once.
#[test]
fn an_order_is_cancelled_once_and_by_its_own_account_only() {
    scenario(
        "
        a sell 100 @ 10000.0 as x
        b cancel x             -> b refused InvalidOrderId
        a cancel y             -> a refused InvalidOrderId
        a cancel x             -> a canceled 100 Requested
        a cancel x             -> a refused InvalidOrderId
        book                   -> empty
    ",
    );
}

/// CANCEL-1: all orders of one side, or of both; another account's stay.
#[test]
fn cancel_all_takes_one_side_or_both() {
    scenario(
        "
        a sell 100 @ 10000.0
        a buy   90 @ 9000.0
        b sell  50 @ 10000.0
        a sell  80 @ 10001.0
        a cancel_all sell      -> a canceled 100 Requested
                               -> a canceled 80 Requested
        a cancel_all           -> a canceled 90 Requested
        a cancel_all
        book                   -> ask 50 @ 10000.0
    ",
    );
}

/// CANCEL-1: never refused for suspension.
#[test]
fn a_suspended_account_may_still_cancel() {
    scenario(
        "
        a sell 100 @ 10000.0 as x
        a sell 100 @ 10000.0 as y
        a suspend
        a sell   1 @ 10000.0   -> a refused AccountSuspended
        a amend x total 1      -> a refused AccountSuspended
        a cancel x             -> a canceled 100 Requested
        a cancel_all           -> a canceled 100 Requested
        a resume
        a sell   1 @ 10000.0   -> a new
    ",
    );
}

/// CANCEL-1, law 4: a cancel-all goes on command by command and spares what came after it.
#[test]
fn a_cancel_all_over_several_commands_spares_later_orders() {
    scenario(
        "
        budget 1
        a sell 10 @ 10000.0
        a sell 20 @ 10001.0
        a sell 30 @ 10002.0
        a cancel_all           -> a canceled 10 Requested
        a sell 40 @ 10003.0    -> a canceled 20 Requested
                               -> a new
        clock                  -> a canceled 30 Requested
        clock
        clock
        book                   -> ask 40 @ 10003.0
    ",
    );
}

/// ID-1: unique among an account's live orders; free for other accounts, and again once the order is gone.
#[test]
fn a_client_id_is_unique_among_the_live_orders_of_its_account() {
    scenario(
        "
        a sell 10 @ 10000.0 as x
        a sell 10 @ 10000.0 as x    -> a refused DuplicateClOrdId
        b sell 10 @ 10000.0 as x    -> b new
        a sell 10 @ 10000.0 as y
        a amend y as x              -> a refused DuplicateClOrdId
        a amend y as y              -> a amended 10 @ 10000.0 leaves 10
        c buy  10 @ 10000.0         -> c new
                                    -> c take 10 fee 75 a make 10 fee -25 leaves 0
        a sell 10 @ 10000.0 as x    -> a new
    ",
    );
}
