//! Funding: who pays, how much, when, and what margins make of the rate. (Rules FUND-2 to FUND-6, MARGIN-4, MARGIN-6)

use testkit::scenario;

/// FUND-3, FUND-2: 0.01 % of 1,000,000; longs pay a positive rate, at each instant while it is in force.
#[test]
fn longs_pay_shorts_at_each_instant() {
    scenario(
        "
        m sell 100 @ 10000.0
        a buy  100 @ 10000.0
        rate 0.01               -> rate 0.01
        at 03:59:59
        at 04:00:00             -> rate 0.01
                                -> m funding -100 qty -100 at 10000.0 rate 0.01
                                -> a funding 100 qty 100 at 10000.0 rate 0.01
        wallet a                -> balance 999999150
        wallet m                -> balance 1000000350
        position a              -> realised -850 commission 850 loss 100
        position m              -> realised 350 commission -350 loss 0
        at 11:59:59
        mark 5000.0
        at 12:00:00             -> rate 0.01
                                -> m funding -200 qty -100 at 5000.0 rate 0.01
                                -> a funding 200 qty 100 at 5000.0 rate 0.01
    ",
    );
}

/// FUND-3: shorts pay a negative rate. FUND-2: a rate of nothing is paid by nobody, and said by nobody.
#[test]
fn shorts_pay_a_negative_rate_and_nobody_pays_nothing() {
    scenario(
        "
        m sell 100 @ 10000.0
        a buy  100 @ 10000.0
        at 04:00:00
        rate -0.01              -> rate -0.01
        at 12:00:00             -> rate -0.01
                                -> m funding 100 qty -100 at 10000.0 rate -0.01
                                -> a funding -100 qty 100 at 10000.0 rate -0.01
        rate 0                  -> rate 0
        at 20:00:00
    ",
    );
}

/// FUND-3, FUND-5: only who holds at the instant. A command's own stamp reaches it first.
#[test]
fn whoever_closed_before_pays_nothing() {
    scenario(
        "
        m sell 100 @ 10000.0
        a buy  100 @ 10000.0
        rate 0.01
        m buy  100 @ 10000.0
        a sell 100 @ 10000.0
        at 04:00:00             -> rate 0.01
    ",
    );
}

/// FUND-5: instants that one stamp has passed are paid together, at the one mark there was.
#[test]
fn a_silent_day_is_paid_at_once() {
    scenario(
        "
        m sell 100 @ 10000.0
        a buy  100 @ 10000.0
        rate 0.01
        at 20:00:00             -> rate 0.01
                                -> m funding -300 qty -100 at 10000.0 rate 0.01
                                -> a funding 300 qty 100 at 10000.0 rate 0.01
        at 27:59:59
        at 28:00:00             -> rate 0.01
                                -> m funding -100 qty -100 at 10000.0 rate 0.01
                                -> a funding 100 qty 100 at 10000.0 rate 0.01
    ",
    );
}

/// FUND-5: together never more than the position is worth: at 1 % a hundred instants count, of more the rest goes by.
#[test]
fn a_silent_year_asks_for_no_more_than_the_position_is_worth() {
    scenario(
        "
        m sell 100 @ 10000.0
        a buy  100 @ 10000.0
        rate 1
        at 9000:00:00           -> rate 1
                                -> m funding -1000000 qty -100 at 10000.0 rate 1
                                -> a funding 1000000 qty 100 at 10000.0 rate 1
    ",
    );
}

/// MARGIN-6: the adverse rate raises the maintenance margin of the side that would pay it, and of no other; the
/// liquidation price follows as soon as the rate is in force. 10x: 100,000 − 5,000 − 1,000 (0.1 %).
#[test]
fn margins_follow_the_rate_in_force() {
    scenario(
        "
        m sell 100 @ 10000.0
        a leverage 10
        m leverage 10
        a buy  100 @ 10000.0
        position a              -> liq 9132.5
        position m              -> liq 11049.5
        rate 0.1                -> rate 0.1
        position a              -> liq 9141.0
        position m              -> liq 11049.5
        rate -0.1
        position a              -> liq 9132.5
        position m              -> liq 11037.5
        rate 0
        position m              -> liq 11049.5
    ",
    );
}

/// LIQ-4: a rate that comes into force can make a position due, a hundredth of a percent less leaves the mark
/// a cent above the price.
#[test]
fn a_new_rate_can_liquidate() {
    let before = "
        m sell 100 @ 10000.0
        a leverage 10
        a buy  100 @ 10000.0
        mark 9137.01
        rate 0.05               -> rate 0.05
        position a              -> liq 9137.0
    ";
    scenario(before);
    let after = "
        rate 0.06               -> rate 0.06
                                -> a Started qty 100 liq 9137.5 bankrupt 9091.0
                                -> a taken_over long 100 @ 9090.91 fee 825
                                -> lot TakenOver qty 100 bankrupt 9090.91 unit_value 11000
                                -> lot Resting qty 100 bankrupt 9090.91 unit_value 11000
    ";
    scenario(&format!("{before}{after}"));
}

/// MARGIN-4, MARGIN-5: what was paid comes off posMargin, so the price comes nearer; what was received does not.
#[test]
fn what_was_paid_brings_liquidation_nearer() {
    scenario(
        "
        m sell 100 @ 10000.0
        a leverage 10
        m leverage 10
        a buy  100 @ 10000.0
        rate 0.5
        at 04:00:00
        position a              -> loss 5000 bankrupt 9132.5
        position m              -> loss 0 bankrupt 11111.0
        rate 0
        position a              -> liq 9174.5
        position m              -> liq 11049.5
        a sell 50 @ 10000.0
        m buy  50 @ 10000.0
        position a              -> qty 50 loss 2500
        a sell 100 @ 10000.0
        m buy  100 @ 10000.0
        position a              -> qty -50 loss 0
    ",
    );
}

/// FUND-4: rounding stays in the residue account: three longs of 1 at 10000.0 pay 0.5 each, which is 1; the short of
/// 3 receives 1.5, which is 2.
#[test]
fn rounding_goes_to_the_residue_account() {
    scenario(
        "
        m sell 3 @ 10000.0
        a buy  1 @ 10000.0
        b buy  1 @ 10000.0
        c buy  1 @ 10000.0
        rate 0.005
        at 04:00:00             -> rate 0.005
                                -> m funding -2 qty -3 at 10000.0 rate 0.005
                                -> a funding 1 qty 1 at 10000.0 rate 0.005
                                -> b funding 1 qty 1 at 10000.0 rate 0.005
                                -> c funding 1 qty 1 at 10000.0 rate 0.005
    ",
    );
}

/// FUND-5: with a budget of 1 an instant takes one account a command; whoever sends a command is settled before it,
/// and is passed over in his turn. The mark waits.
#[test]
fn an_instant_goes_from_account_to_account() {
    scenario(
        "
        budget 1
        m sell 300 @ 10000.0
        a buy  100 @ 10000.0
        b buy  100 @ 10000.0
        c buy  100 @ 10000.0
        rate 0.01
        clock
        clock
        clock
        clock
        at 04:00:00             -> rate 0.01
                                -> m funding -300 qty -300 at 10000.0 rate 0.01
        mark 9000.0             -> a funding 100 qty 100 at 10000.0 rate 0.01
        c deposit 5             -> b funding 100 qty 100 at 10000.0 rate 0.01
                                -> c funding 100 qty 100 at 10000.0 rate 0.01
                                -> c deposited 5
        clock                   -> mark 9000.0
    ",
    );
}

/// FUND-5: a maker is settled before its fill, so it pays for what it held at the instant.
#[test]
fn a_maker_is_settled_before_it_is_filled() {
    scenario(
        "
        budget 1
        m sell 300 @ 10000.0
        a buy  100 @ 10000.0
        b buy  200 @ 10000.0
        b sell 100 @ 10000.0
        rate 0.01
        clock
        clock
        clock
        at 04:00:00             -> rate 0.01
                                -> m funding -300 qty -300 at 10000.0 rate 0.01
        m buy 100 @ 10000.0     -> a funding 100 qty 100 at 10000.0 rate 0.01
                                -> m new
                                -> b funding 200 qty 200 at 10000.0 rate 0.01
                                -> m take 100 fee 750 b make 100 fee -250 leaves 0
        clock
        position b              -> qty 100 loss 100
    ",
    );
}

/// FUND-6: the liquidation account pays out of the fund, as far as that reaches.
#[test]
fn a_lot_pays_out_of_the_fund() {
    scenario(
        "
        m sell 100 @ 10000.0
        a leverage 10
        a buy  100 @ 10000.0
        insurance 300
        mark 9132.5
        rate 0.1
        at 04:00:00             -> rate 0.1
                                -> lot funding 300 qty 100 at 9132.5 rate 0.1
                                -> fund Funding -300 now 0
                                -> m funding -1095 qty -100 at 9132.5 rate 0.1
        rate -0.1
        at 12:00:00             -> rate -0.1
                                -> lot funding -1095 qty 100 at 9132.5 rate -0.1
                                -> fund Funding 1095 now 1095
                                -> m funding 1095 qty -100 at 9132.5 rate -0.1
    ",
    );
}

/// MARK-2: a rate may be as large as the initial margin of the lowest tier, either way.
#[test]
fn a_rate_beyond_the_initial_margin_is_refused() {
    scenario(
        "
        rate 1                  -> rate 1
        rate 1.000001           -> market refused InvalidAmount
        rate -1                 -> rate -1
        rate -1.000001          -> market refused InvalidAmount
    ",
    );
}
