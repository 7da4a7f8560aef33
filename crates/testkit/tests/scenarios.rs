//! Rules by example. Prices near 10,000 USD make one contract worth 10,000 XBt.

use centum_testkit::scenario;

/// BOOK-1: better price first, then earlier order. FEE-1: taker pays 0.075%, maker receives 0.025%.
#[test]
fn a_taker_fills_the_earlier_of_two_equal_asks_first() {
    scenario(
        "
        alice sell 100 @ 10000.0   -> alice new
        bob   sell 200 @ 10000.0   -> bob   new
        carol buy  250 @ 10000.0   -> carol new
                                   -> carol take 100 fee  750   alice make 100 fee -250 leaves 0
                                   -> carol take 150 fee 1125   bob   make 150 fee -375 leaves 50
        book                       -> ask 50 @ 10000.0
        wallet   carol             -> balance 999998125
        position carol             -> qty 250 cost -2500000
        position alice             -> qty -100 cost 1000000 realised 250
    ",
    );
}

/// OM-1: 1% of 100,000,000 and 0.075% of 201,000,000: 1,000,000 + 150,750. OM-7: one satoshi short.
/// OM-2: the other side, not dearer, is free.
#[test]
fn an_order_needs_its_margin_to_the_satoshi_and_the_other_side_is_free() {
    scenario(
        "
        alice deposit 1150749
        alice buy  10000 @ 10000.0   -> alice refused InsufficientBalance 1150750
        alice deposit 1
        alice buy  10000 @ 10000.0   -> alice new
        available alice              -> 0
        alice sell 10000 @ 10000.5   -> alice new
        alice sell     1 @ 10000.5   -> alice refused InsufficientBalance 116
        wallet alice                 -> order_margin 1150750 buy_cost 100000000 sell_cost 100000000
    ",
    );
}

/// INST-1, TIF-1: accepted, then gone. OM-8: a market order ends with the book.
#[test]
fn what_may_not_rest_is_canceled_with_its_reason() {
    scenario(
        "
        alice sell 50 @ 10000.0              -> alice new
        bob   buy 100 @ 10000.0 post_only    -> bob new
                                             -> bob canceled 100 PostOnly
        bob   buy 100 @ 10000.0 fok          -> bob new
                                             -> bob canceled 100 FillOrKill
        bob   buy  20 @ 10000.0 fok          -> bob new
                                             -> bob take 20 fee 150 alice make 20 fee -50 leaves 30
        bob   buy  40 @ 10000.0 ioc          -> bob new
                                             -> bob take 30 fee 225 alice make 30 fee -75 leaves 0
                                             -> bob canceled 10 ImmediateOrCancel
        bob   buy  10 market                 -> bob new
                                             -> bob canceled 10 ImmediateOrCancel
        book                                 -> empty
    ",
    );
}

/// OM-8: at 100x a long opened at p is safe while the mark stays above its liquidation price.
#[test]
fn a_market_order_takes_no_price_that_would_be_liquidated_at_once() {
    scenario(
        "
        premium none
        alice sell 10 @ 10040.0
        alice sell 10 @ 10060.0
        bob leverage 100
        bob buy 10 @ 10060.0   -> bob new
                               -> bob take 10 fee 74 alice make 10 fee -24 leaves 0
        carol leverage 100
        carol buy 10 @ 10060.0 -> carol refused ImmediateLiquidation
        carol buy 10 market    -> carol new
                               -> carol canceled 10 MarketLimit
    ",
    );
}

/// INST-2: what only reduces never exceeds the position; the least aggressive goes first.
#[test]
fn reduce_only_orders_shrink_with_the_position() {
    scenario(
        "
        bob   sell 100 @ 10000.0
        alice buy  100 @ 10000.0
        alice sell  60 @ 10010.0 reduce_only as near   -> alice new
        alice sell  60 @ 10020.0 reduce_only as far    -> alice new
                                                       -> alice restated leaves 40
        carol buy   50 @ 9990.0
        alice sell  50 @ 9990.0                        -> alice new
                                                       -> alice take 50 fee 375 carol make 50 fee -125 leaves 0
                                                       -> alice canceled 40 ReduceOnly
                                                       -> alice restated leaves 50
        alice buy   10 @ 9990.0 reduce_only            -> alice refused WouldNotReduce 50
        dave  sell  80 @ 10010.0 reduce_only           -> dave refused WouldNotReduce
        book                                           -> ask 50 @ 10010.0
    ",
    );
}

/// AMEND-1, AMEND-2: less keeps the place, a price or more loses it; total is what was filled: gone.
#[test]
fn an_amend_keeps_its_place_only_where_nothing_grows() {
    scenario(
        "
        alice sell 100 @ 10000.0 as a
        bob   sell 100 @ 10000.0 as b
        alice amend a reduce 40            -> alice amended 60 @ 10000.0 leaves 60
        carol buy 10 @ 10000.0             -> carol new
                                           -> carol take 10 fee 75 alice make 10 fee -25 leaves 50
        alice amend a leaves 70 as aa      -> alice amended 80 @ 10000.0 leaves 70
        carol buy 10 @ 10000.0             -> carol new
                                           -> carol take 10 fee 75 bob make 10 fee -25 leaves 90
        alice amend a total 5              -> alice refused InvalidOrigClOrdId
        alice amend aa total 5             -> alice refused InvalidOrderQty
        alice amend aa total 10            -> alice canceled 70 AmendedToFilled
        carol buy 10 @ 9990.0 as c
        bob   amend b @ 9990.0             -> bob amended 100 @ 9990.0 leaves 90
                                           -> bob take 10 fee 75 carol make 10 fee -25 leaves 0
        book                               -> ask 80 @ 9990.0
    ",
    );
}

/// LIQ-5: 1,000 long at 10,000, 100x: cost 10,000,000, margin 100,000 + 7,575, liquidation at
/// U·1e8/10,050, bankruptcy at U·1e8/10,100. LIQ-7: the fund's 5,000 pay for 454 contracts that each
/// lose 11; ADL-2: the rest is taken from the short at exactly 10,100 each.
#[test]
fn a_lot_beyond_its_price_is_swept_and_the_rest_deleveraged() {
    scenario(
        "
        insurance 5000                -> fund Funded 5000 now 5000
        bob   sell 1000 @ 10000.0
        alice deposit 200000          -> alice deposited 200000
        alice leverage 100
        alice buy  1000 @ 10000.0     -> alice new
                                      -> alice take 1000 fee 7500 bob make 1000 fee -2500 leaves 0
        position alice                -> qty 1000 cost -10000000 liq 9950.5 bankrupt 9901.0 init 100000
        dave  buy   500 @ 9890.0
        mark 9951.0                   -> mark 9951.0
        mark 9850.0            -> mark 9850.0
                               -> alice Started qty 1000 liq 9950.5 bankrupt 9901.0
                               -> alice taken_over long 1000 @ 9901.0 fee 7575
                               -> lot TakenOver qty 1000 bankrupt 9901.0 unit_value 10100
                               -> lot Resting qty 1000 bankrupt 9901.0 unit_value 10100
                               -> lot Sweep qty 1000 bankrupt 9901.0 unit_value 10100
                               -> lot take 454 fee 0 dave make 454 fee -1147 leaves 46 @ 9890.0
                               -> fund Sweep -4994 now 6
                               -> bob deleveraged 546 @ 9901.0 fee -1378
        wallet   alice                -> balance 84925
        position alice                -> qty 0 liq 0.0 bankrupt 0.0
        position bob                  -> qty -454 cost 4540000
    ",
    );
}

/// LIQ-9: a lot whose price is not passed rests next to it; what fills better goes to the fund.
#[test]
fn a_lot_rests_at_its_price_and_the_fund_keeps_what_is_better() {
    scenario(
        "
        bob   sell 1000 @ 10000.0
        alice leverage 100
        alice buy  1000 @ 10000.0
        carol buy   300 @ 9930.0
        mark 9940.0            -> mark 9940.0
                               -> alice Started qty 1000 liq 9950.5 bankrupt 9901.0
                               -> alice taken_over long 1000 @ 9901.0 fee 7575
                               -> lot TakenOver qty 1000 bankrupt 9901.0 unit_value 10100
                               -> lot take 300 fee 0 carol make 300 fee -755 leaves 0 @ 9930.0
                               -> fund CloseOut 9000 now 9000
                               -> lot Resting qty 700 bankrupt 9901.0 unit_value 10100
        book                          -> ask 700 @ 9901.0
        carol buy 700 @ 9901.0        -> carol new
                                      -> carol take 700 fee 5302 lot make 700 fee 0 leaves 0 @ 9901.0
        book                          -> empty
    ",
    );
}

/// LIQ-5, LIQ-12: in cross margin cancelling the orders gives the position its margin back.
#[test]
fn an_account_whose_orders_were_the_trouble_is_cured() {
    scenario(
        "
        bob   sell 10000 @ 10000.0
        alice deposit 2400000
        alice buy  10000 @ 10000.0
        alice buy   9000 @ 9990.0
        position alice                -> liq 9930.0 bankrupt 9880.5
        mark 9930.5                   -> mark 9930.5
        mark 9930.0                   -> mark 9930.0
                                      -> alice Started qty 10000 liq 9930.0 bankrupt 9880.5
                                      -> alice canceled 9000 Liquidation
                                      -> alice Cured qty 10000 liq 9829.0 bankrupt 9781.0
    ",
    );
}

/// Law 4: with a budget of one step, each command does one; the newest mark waits until all is done.
#[test]
fn work_is_sliced_and_the_mark_is_held() {
    scenario(
        "
        budget 1
        bob   sell 1000 @ 10000.0
        alice leverage 100
        alice buy  1000 @ 10000.0
        carol buy  2000 @ 9930.0
        mark 9940.0                   -> mark 9940.0
        clock                         -> alice Started qty 1000 liq 9950.5 bankrupt 9901.0
        alice buy 1 @ 9000.0          -> alice taken_over long 1000 @ 9901.0 fee 7575
                                      -> lot TakenOver qty 1000 bankrupt 9901.0 unit_value 10100
                                      -> alice new
        mark 9960.0                   -> lot take 1000 fee 0 carol make 1000 fee -2517 leaves 1000 @ 9930.0
                                      -> fund CloseOut 30000 now 30000
                                      -> mark 9960.0
    ",
    );
}

/// CLOSE-1: one tick beyond the liquidation price is refused, the price itself is not. MARGIN-8: 40,000
/// of initial margin may shrink to 1% of the value. A suspended account may still cancel.
#[test]
fn a_short_at_25x_closes_up_to_its_liquidation_price_and_keeps_one_percent() {
    scenario(
        "
        alice deposit 1000000
        alice sell 100 @ 10000.0
        bob   buy  100 @ 10000.0
        alice leverage 25
        position alice                -> qty -100 cost 1000000 init 40000 cross 0 liq 10362.5 bankrupt 10416.5
        alice buy 100 @ 10363.0       -> alice refused AboveLiquidationPrice
        alice buy 100 @ 10362.5 as x  -> alice new
        alice margin -30001           -> alice refused InvalidAmount
        alice margin -30000           -> alice margin -30000
        position alice                -> cross -30000 liq 10050.0
        alice suspend
        alice buy 100 @ 10000.0       -> alice refused AccountSuspended
        alice cancel x                -> alice canceled 100 Requested
    ",
    );
}

/// LIQ-3, ADL-2: a short's bankruptcy is rounded down to its tick and to 0.01 USD.
#[test]
fn a_short_is_taken_over_and_the_long_deleveraged() {
    scenario(
        "
        bob   deposit 120000
        bob   leverage 100
        bob   sell 1000 @ 10000.0
        alice leverage 100
        alice buy  1000 @ 10000.0
        mark 10200.0           -> mark 10200.0
                               -> bob Started qty -1000 liq 10050.0 bankrupt 10101.0
                               -> bob taken_over short 1000 @ 10101.01 fee 7425
                               -> lot TakenOver qty -1000 bankrupt 10101.01 unit_value 9900
                               -> lot Resting qty -1000 bankrupt 10101.01 unit_value 9900
                               -> lot Sweep qty -1000 bankrupt 10101.01 unit_value 9900
                               -> alice deleveraged 1000 @ 10101.01 fee -2475
        mark 10000.0                  -> mark 10000.0
    ",
    );
}
