//! Positions: cost, realised profit, flips. (Rules COST-1, PNL-1, POS-2 to POS-4, MARGIN-9)

use testkit::scenario;

/// POS-2: 3 at 11,111 and 1 at 11,110 cost 44,443. Of that a quarter, 11,110.75, stays as 11,111.
/// POS-4: 33,336 come in for 33,332: −4 realised, less 24 + 8 + 25 of fees.
#[test]
fn a_partial_close_keeps_its_share_of_the_cost_rounded_half_away() {
    scenario(
        "
        m sell 3 @ 9000.0
        m sell 1 @ 9001.0
        a buy  3 @ 9000.0
        a buy  1 @ 9001.0
        position a             -> qty 4 cost -44443
        b buy  5 @ 8999.0
        a sell 3 @ 8999.0
        position a             -> qty 1 cost -11111 realised -61 commission 57
    ",
    );
}

/// POS-3: 1 long at 11,111. Selling 2 at 11,112 closes it, realising −1, and opens a short at 11,112.
#[test]
fn a_flip_closes_everything_and_opens_the_rest_at_the_same_value() {
    scenario(
        "
        m sell 1 @ 9000.0
        a buy  1 @ 9000.0
        position a             -> qty 1 cost -11111 realised -8 commission 8
        b buy  5 @ 8999.0
        a sell 2 @ 8999.0      -> a new
                               -> a take 2 fee 16 b make 2 fee -5 leaves 3
        position a             -> qty -1 cost 11112 realised -25 commission 24
    ",
    );
}

/// POS-4: what is realised is in the wallet at once.
#[test]
fn what_is_realised_is_in_the_wallet_at_once() {
    scenario(
        "
        m sell 1000 @ 10000.0
        a buy  1000 @ 10000.0
        b buy  1000 @ 10100.0
        a sell 1000 @ 10100.0
        position a             -> qty 0 cost 0 realised 84075 commission 14925
        wallet a               -> balance 1000084075
    ",
    );
}

/// MARGIN-9: 333 of 1,000 closed. 100,001·667/1000 = 66,700.667, kept as 66,701.
#[test]
fn a_partial_close_releases_its_share_of_added_margin() {
    scenario(
        "
        m sell 1000 @ 10000.0
        a leverage 10
        a buy  1000 @ 10000.0
        a margin 100001
        available a            -> 998884173
        b buy   333 @ 9990.0
        a sell  333 @ 9990.0
        position a             -> qty 667 cost -6670000 init 667000 cross 66701
        available a            -> 999247417
    ",
    );
}

/// MARGIN-9, OM-5: what is added brings its own premium, 500·50.
#[test]
fn adding_to_a_position_adds_the_new_premium() {
    scenario(
        "
        m sell 1000 @ 10000.0
        m sell 1000 @ 10050.0
        a leverage 10
        a buy  1500 @ 10050.0
        position a             -> qty 1500 cost -14975000 init 1497500 cross 25000
    ",
    );
}

/// MARGIN-7: isolated, what is available does not move with the mark; cross, a loss takes from it and a
/// profit does not add. MARGIN-2, MARGIN-3: 50,500 lost, and 0.075 % of it, 37.875, more for the exit.
#[test]
fn unrealised_profit_funds_nothing() {
    scenario(
        "
        m sell 1000 @ 10000.0
        a leverage 10
        a buy 500 @ 10000.0
        b buy 500 @ 10000.0
        available a            -> 999492125
        available b            -> 999942462
        mark 10100.0
        available a            -> 999492125
        available b            -> 999942462
        mark 9900.0
        available a            -> 999492125
        available b            -> 999891924
    ",
    );
}
