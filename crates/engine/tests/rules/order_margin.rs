//! What open orders hold back, and what a new one needs. (Rules OM-1 to OM-10)

use testkit::scenario;

/// OM-1: C = 10,000,000; 1 % is 100,000; the fees there and back are 0.00075·20,100,000 = 15,075.
/// OM-2: a sell of the same size costs nothing more; the next contract does.
#[test]
fn only_the_larger_side_is_charged() {
    scenario(
        "
        a leverage 100
        a buy  1000 @ 10000.0
        wallet a               -> order_margin 115075 buy_qty 1000 buy_cost 10000000
        available a            -> 999884925
        a sell 1000 @ 10001.0
        wallet a               -> order_margin 115075
        a sell    1 @ 10002.0
        wallet a               -> order_margin 115191 sell_qty 1001 sell_cost 10008998
    ",
    );
}

/// OM-2, OM-3: 300 long. 300 to sell are free; of 400 the charge is 100 at the average of all 400:
/// 3,950,700·100/400 = 987,675. With 50 to buy, 50 are charged as buys (505,050) and 50 as sells
/// (493,837.5, rounded up): C = 998,888. With 150 to buy, buys alone: C = 1,525,450.
#[test]
fn what_reduces_is_free_and_the_rest_is_charged_at_its_sides_average() {
    scenario(
        "
        m sell 300 @ 10000.0
        a buy  300 @ 10000.0
        a sell 300 @ 10100.0
        wallet a               -> order_margin 0 sell_qty 300 sell_cost 2970300
        a sell 100 @ 10200.0
        wallet a               -> order_margin 11366 sell_qty 400 sell_cost 3950700
        a buy   50 @ 9900.0
        wallet a               -> order_margin 11495 buy_qty 50 buy_cost 505050
        a buy  100 @ 9800.0
        wallet a               -> order_margin 17555 buy_qty 150 buy_cost 1525450
    ",
    );
}

/// OM-5: at 10050.0 a contract is worth 9,950, at the mark of 10000.0 it is worth 10,000: a premium of 50.
/// It is held at more than 1x and in cross margin, not at 1x.
#[test]
fn a_price_worse_than_the_mark_is_paid_for_in_advance() {
    scenario(
        "
        a leverage 100
        a buy 1000 @ 10050.0
        wallet a               -> order_margin 164500 buy_cost 9950000 buy_premium 50000
        a leverage 1
        wallet a               -> order_margin 9972388 buy_premium 50000
        a leverage 1.01
        wallet a               -> order_margin 9923800
        a leverage cross
        wallet a               -> order_margin 164500
        b leverage 100
        b sell 1000 @ 10051.0
        wallet b               -> sell_premium 0
    ",
    );
}

/// OM-5 for a sell: at 9950.0 a contract is worth 10,050.
#[test]
fn a_sell_below_the_mark_has_a_premium_too() {
    scenario(
        "
        a leverage 100
        a sell 1000 @ 9950.0
        wallet a               -> order_margin 165651 sell_cost 10050000 sell_premium 50000
        b leverage 1
        b sell 1000 @ 9950.0
        wallet b               -> order_margin 10072613 sell_premium 50000
    ",
    );
}

/// OM-5: a contract may do without it.
#[test]
fn without_premium_only_the_limit_counts() {
    scenario(
        "
        premium none
        a leverage 100
        a buy 1000 @ 10010.0
        wallet a               -> order_margin 114960 buy_cost 9990000 buy_premium 0
    ",
    );
}

/// OM-5: the premium is fixed at entry. A decrease keeps it, losing the place fixes it anew.
#[test]
fn the_premium_is_fixed_when_the_order_takes_its_place() {
    scenario(
        "
        a leverage 50
        a buy 1000 @ 10050.0 as x
        wallet a               -> order_margin 264075 buy_premium 50000
        mark 10100.0
        wallet a               -> order_margin 264075 buy_premium 50000
        a amend x total 900
        wallet a               -> order_margin 237667 buy_premium 45000
        a amend x total 901
        wallet a               -> order_margin 192881 buy_premium 0
    ",
    );
}

/// OM-5, MARGIN-2: a fill that opens moves its part, 400·99, into the position; at 1x there is none.
#[test]
fn a_fill_moves_its_premium_into_the_position() {
    scenario(
        "
        a leverage 25
        a buy 1000 @ 10100.0
        wallet a               -> buy_premium 99000
        b sell 400 @ 10100.0
        position a             -> qty 400 cost -3960400 cross 39600 init 158416
        wallet a               -> buy_qty 600 buy_premium 59400
        c leverage 1
        c buy 1000 @ 10100.0
        b sell 600 @ 10100.0
        b sell 100 @ 10100.0
        position c             -> qty 100 cost -990100 cross 0
    ",
    );
}

/// OM-6: 100 trade at 9000.0, where a contract costs 11,111, more than at the limit: 2,111,100 + 4,750
/// of fees at 1x, not 2,000,000 + 4,500.
#[test]
fn what_trades_at_once_counts_at_the_prices_it_meets() {
    scenario(
        "
        s sell 100 @ 9000.0
        s sell 100 @ 10000.0
        a deposit 2115849
        a leverage 1
        a buy 200 @ 10000.0    -> a refused InsufficientBalance 2115850
        a deposit 1
        a buy 200 @ 10000.0    -> a new
                               -> a take 100 fee 833 s make 100 fee -277 leaves 0
                               -> a take 100 fee 750 s make 100 fee -250 leaves 0
    ",
    );
}

/// OM-7: one satoshi short, exactly enough, one over.
#[test]
fn an_order_needs_every_satoshi_that_it_asks_for() {
    scenario(
        "
        a deposit 11507
        a buy 100 @ 10000.0    -> a refused InsufficientBalance 11508
        wallet a               -> balance 11507 order_margin 0 buy_qty 0
        b deposit 11508
        b buy 100 @ 10000.0    -> b new
        available b            -> 0
        c deposit 11509
        c buy 100 @ 10000.0    -> c new
        available c            -> 1
    ",
    );
}

/// OM-7: what needs nothing more passes with nothing left; what opens does not.
#[test]
fn with_nothing_available_only_what_needs_nothing_passes() {
    scenario(
        "
        m sell 10000 @ 10000.0
        a deposit 3000000
        a leverage 50
        a buy  10000 @ 10000.0
        a withdraw 848500
        available a              -> 0
        a sell 10000 @ 10000.5   -> a new
        a sell     1 @ 10001.0   -> a refused InsufficientBalance 216
        a buy      1 @ 9999.0    -> a refused InsufficientBalance 217
        wallet a                 -> order_margin 0 sell_qty 10000
    ",
    );
}

/// OM-8: without premium a long opened at 10048.5 with 100x is safe at 10000.0, one opened at 10049.0 is not.
#[test]
fn a_market_order_opens_up_to_the_last_safe_tick() {
    scenario(
        "
        premium none
        mark 10000.0
        m sell 100 @ 10000.0
        m sell 100 @ 10048.0
        m sell 100 @ 10048.5
        m sell 100 @ 10049.0
        a leverage 100
        a buy 400 market       -> a new
                               -> a take 100 fee 750 m make 100 fee -250 leaves 0
                               -> a take 100 fee 746 m make 100 fee -248 leaves 0
                               -> a take 100 fee 746 m make 100 fee -248 leaves 0
                               -> a canceled 100 MarketLimit
        book                   -> ask 100 @ 10049.0
    ",
    );
}

/// OM-8, CLOSE-1: a market exit goes down to the bankruptcy price, 9091.0, and not one tick further.
#[test]
fn a_market_order_closes_down_to_the_bankruptcy_price() {
    scenario(
        "
        m sell 1000 @ 10000.0
        a leverage 10
        a buy  1000 @ 10000.0
        position a             -> liq 9132.5 bankrupt 9091.0
        m buy 400 @ 9100.0
        m buy 400 @ 9091.0
        m buy 400 @ 9090.5
        a sell 1000 market     -> a new
                               -> a take 400 fee 3296 m make 400 fee -1098 leaves 0
                               -> a take 400 fee 3300 m make 400 fee -1100 leaves 0
                               -> a canceled 200 MarketLimit
        book                   -> bid 400 @ 9090.5
    ",
    );
}

/// OM-8: a market order that flips has two limits, one for the part that closes, one for what opens.
#[test]
fn a_market_order_that_flips_closes_first_and_then_opens_within_its_own_limit() {
    scenario(
        "
        premium none
        mark 10000.0
        m sell 100 @ 10000.0
        a leverage 100
        a buy  100 @ 10000.0
        b buy  150 @ 9990.0
        b buy  150 @ 9951.5
        b buy  150 @ 9951.0
        b buy  150 @ 9945.0
        a sell 600 market      -> a new
                               -> a take 150 fee 1126 b make 150 fee -375 leaves 0
                               -> a take 150 fee 1130 b make 150 fee -376 leaves 0
                               -> a take 150 fee 1130 b make 150 fee -376 leaves 0
                               -> a canceled 150 MarketLimit
        position a             -> qty -350
    ",
    );
}

/// OM-8: what lies inside the limits is refused whole, not trimmed to what the account can bear.
#[test]
fn a_market_order_is_refused_not_trimmed() {
    scenario(
        "
        m sell 1000 @ 10000.0
        a deposit 115074
        a buy 1000 market      -> a refused InsufficientBalance 115075
        a buy  999 market      -> a new
                               -> a take 999 fee 7492 m make 999 fee -2497 leaves 1
    ",
    );
}

/// OM-9, OM-3: what the resting orders hold is asked as it will be. Buys are charged first: a short of 1,000 takes them
/// out of the charge, and the sells above them, with their premium of 13.81 million, come into it.
#[test]
fn a_short_between_orders_of_both_sides_is_asked_for_the_premium_of_its_sells() {
    for (deposit, is_safe) in [(28_644_435, false), (28_644_436, true)] {
        let outcome = if is_safe { "b new" } else { "b refused ImmediateLiquidation" };
        let fill = if is_safe { "-> b take 1000 fee 18292 m make 1000 fee -6097 leaves 0" } else { "" };
        scenario(&format!(
            "
            mark 10000.0
            b deposit {deposit}
            b buy  1000 @ 4000.0
            b sell 1000 @ 4200.0
            m buy  1000 @ 4100.0
            b sell 1000 @ 4100.0   -> {outcome}
                                   {fill}
        "
        ));
    }
    // One that comes to rest is asked the same.
    for (deposit, outcome) in [(28_626_143, "refused ImmediateLiquidation"), (28_626_144, "new")] {
        scenario(&format!(
            "
            mark 10000.0
            b deposit {deposit}
            b buy  1000 @ 4000.0
            b sell 1000 @ 4200.0
            b sell 1000 @ 4100.0   -> b {outcome}
        "
        ));
    }
}

/// OM-9: 100x, without premium. 10048.5 is the last safe entry for a long, 9951.5 for a short.
#[test]
fn an_entry_that_would_be_liquidated_at_once_is_refused() {
    scenario(
        "
        premium none
        mark 10000.0
        a leverage 100
        a buy 10 @ 10049.0     -> a refused ImmediateLiquidation
        a buy 10 @ 10048.5     -> a new
        a buy 10 @ 10048.0     -> a new
        a cancel_all
        b leverage 100
        b sell 10 @ 9950.5     -> b refused ImmediateLiquidation
        b sell 10 @ 9951.0     -> b new
        b sell 10 @ 9951.5     -> b new
    ",
    );
}

/// OM-10: a fill takes available below zero; the newest order goes, and that is enough.
#[test]
fn orders_that_are_no_longer_covered_go_newest_first() {
    scenario(
        "
        s deposit 150000
        s buy 500 @ 10000.0 as oldest
        s buy 400 @ 9980.0 as middle
        s buy 300 @ 9990.0 as newest
        available s            -> 11783
        mark 9900.0
        c sell 250 @ 10000.0   -> c new
                               -> c take 250 fee 1875 s make 250 fee -625 leaves 250
                               -> s canceled 300 InsufficientBalance
        available s            -> 23571
        s cancel middle        -> s canceled 400 Requested
    ",
    );
}

/// OM-10: a mark alone cancels nothing; after a fill the opening order goes and the exit stays.
#[test]
fn orders_that_reduce_stay() {
    scenario(
        "
        m sell 1000 @ 10000.0
        s deposit 260000
        s buy  1000 @ 10000.0
        s sell 1000 @ 10100.0 as exit
        s buy  1000 @ 9900.0 as entry
        mark 9950.0            -> mark 9950.0
        available s            -> -21351
        c sell  200 @ 9900.0   -> c new
                               -> c take 200 fee 1515 s make 200 fee -505 leaves 800
                               -> s canceled 800 InsufficientBalance
        available s            -> 83867
        book                   -> ask 1000 @ 10100.0
    ",
    );
}
