//! How a higher tier is left before anything is taken over. (Rule LIQ-6)
//!
//! In tier 4 (to 600 XBT) maintenance is 2.5 %, in 3 it is 2 %, and so on to 0.5 % in tier 0 (to 200 XBT). A contract
//! is worth 10,000 at 10000.0.

use testkit::scenario;

/// a is 2,500,000 contracts long in tier 4, at 33.33x. b, who has traded nothing, has as much as he.
const IN_TIER_4: &str = "a deposit 100000000000
        m deposit 100000000000
        b deposit 100000000000
        a risk_limit 60000000000
        m risk_limit 60000000000
        a leverage 33.33
        m sell 2500000 @ 10000.0
        a buy  2500000 @ 10000.0";

/// LIQ-6, first step: 2.5 % behind 1,000 long in tier 3 are due at a loss of 0.5 %: at 10,050 a contract, 9950.5.
/// Tier 0 bears 2 %, 10,200: 9804.0.
#[test]
fn a_tier_that_nothing_needs_is_left_first() {
    scenario(
        "
        a risk_limit 50000000000
        a leverage 40
        m sell 1000 @ 10000.0
        a buy  1000 @ 10000.0
        mark 9950.51           -> mark 9950.51
        mark 9950.5            -> mark 9950.5
                               -> a Started qty 1000 liq 9950.5 bankrupt 9756.5
                               -> a StepDown qty 1000 liq 9804.0 bankrupt 9756.5
                               -> a Cured qty 1000 liq 9804.0 bankrupt 9756.5
    ",
    );
}

/// LIQ-6, second step: with its orders the account uses 254 + 122 XBT and comes to tier 2, which bears 1.5 %, 10,150;
/// at 9850.0 that is not enough. Without them it is tier 1, which bears 2 %.
#[test]
fn then_the_orders_go_and_the_tier_of_the_position_counts() {
    scenario(&format!(
        "
        {IN_TIER_4}
        a buy  1000000 @ 9000.0
        a buy   100000 @ 9000.0
        mark 9850.0            -> mark 9850.0
                               -> a Started qty 2500000 liq 9950.5 bankrupt 9709.0
                               -> a StepDown qty 2500000 liq 9852.5 bankrupt 9709.0
                               -> a canceled 1000000 Liquidation
                               -> a canceled 100000 Liquidation
                               -> a StepDown qty 2500000 liq 9804.0 bankrupt 9709.0
                               -> a Cured qty 2500000 liq 9804.0 bankrupt 9709.0
    "
    ));
}

/// LIQ-6, third step: at 9800.0 (10,204 a contract) tier 1 is not enough. 200 XBT are 1,960,015 contracts, so 539,985
/// go, at 9709.0 or better, with the taker's fee. Tier 0 then bears 2.5 %, 10,250: 9756.5.
#[test]
fn then_the_least_part_is_closed_that_reaches_the_next_lower_tier() {
    scenario(&format!(
        "
        {IN_TIER_4}
        b buy   300000 @ 9790.0
        b buy   239985 @ 9709.0
        mark 9800.0            -> mark 9800.0
                               -> a Started qty 2500000 liq 9950.5 bankrupt 9709.0
                               -> a StepDown qty 2500000 liq 9804.0 bankrupt 9709.0
                               -> a Part qty 2500000 liq 9804.0 bankrupt 9709.0
                               -> a new
                               -> a take 300000 fee 2298375 b make 300000 fee -766125 leaves 0
                               -> a take 239985 fee 1853884 b make 239985 fee -617961 leaves 0
                               -> a StepDown qty 1960015 liq 9756.5 bankrupt 9709.0
                               -> a Cured qty 1960015 liq 9756.5 bankrupt 9709.0
        book                   -> empty
    "
    ));
}

/// LIQ-6, third and fourth step: a contract less up to 9709.0, and however much lies a tick below, nothing of the
/// part trades: all of the position is taken over.
#[test]
fn where_the_book_does_not_have_the_whole_part_all_is_taken_over() {
    scenario(&format!(
        "
        {IN_TIER_4}
        b buy   300000 @ 9790.0
        b buy   239984 @ 9709.0
        b buy   239985 @ 9708.5
        mark 9800.0            -> mark 9800.0
                               -> a Started qty 2500000 liq 9950.5 bankrupt 9709.0
                               -> a StepDown qty 2500000 liq 9804.0 bankrupt 9709.0
                               -> a Part qty 2500000 liq 9804.0 bankrupt 9709.0
                               -> a new
                               -> a canceled 539985 FillOrKill
                               -> a taken_over long 2500000 @ 9708.74 fee 19312500
                               -> lot TakenOver qty 2500000 bankrupt 9708.74 unit_value 10300
                               -> lot take 300000 fee 0 b make 300000 fee -766125 leaves 0 @ 9790.0
                               -> fund CloseOut 25500000 now 25500000
                               -> lot take 239984 fee 0 b make 239984 fee -617958 leaves 0 @ 9709.0
                               -> lot Resting qty 1960016 bankrupt 9708.74 unit_value 10300
    "
    ));
}

/// LIQ-6, a short in cross margin: 10 XBT behind 250 XBT in tier 4 are due at 10135.5; tier 1 bears 1.5 % more.
#[test]
fn a_short_in_cross_margin_steps_down_too() {
    scenario(
        "
        a deposit 1000000000
        m deposit 100000000000
        a risk_limit 60000000000
        m risk_limit 60000000000
        m buy  2500000 @ 10000.0
        a sell 2500000 @ 10000.0
        mark 10135.49          -> mark 10135.49
        mark 10150.0           -> mark 10150.0
                               -> a Started qty -2500000 liq 10135.5 bankrupt 10399.0
                               -> a StepDown qty -2500000 liq 10292.0 bankrupt 10399.0
                               -> a Cured qty -2500000 liq 10292.0 bankrupt 10399.0
    ",
    );
}

/// Law 4: each step is one unit, and nothing of the account moves between them.
#[test]
fn each_step_is_one_unit_of_the_agenda() {
    scenario(&format!(
        "
        budget 1
        {IN_TIER_4}
        a buy     1000 @ 9000.0
        b buy   539985 @ 9790.0
        mark 9800.0            -> mark 9800.0
        clock                  -> a Started qty 2500000 liq 9950.5 bankrupt 9709.0
        clock                  -> a StepDown qty 2500000 liq 9804.0 bankrupt 9709.0
        a buy 1 @ 9000.0       -> a canceled 1000 Liquidation
                               -> a refused InLiquidation
        clock
        clock                  -> a Part qty 2500000 liq 9804.0 bankrupt 9709.0
                               -> a new
                               -> a take 539985 fee 4136960 b make 539985 fee -1378986 leaves 0
                               -> a StepDown qty 1960015 liq 9756.5 bankrupt 9709.0
                               -> a Cured qty 1960015 liq 9756.5 bankrupt 9709.0
    "
    ));
}
