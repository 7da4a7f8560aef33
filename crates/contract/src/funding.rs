//! Funding: what longs and shorts pay each other to keep the mark near the index.

use crate::math::share_round_half_away;
use crate::position::PositionState;
use crate::spec::ContractSpec;
use crate::units::{Rate, Xbt};

/// How far the interest may pull the premium: 0.05 %. (Rule FUND-1)
const DAMPER: i64 = 50_000;
/// A funding rate has six decimals: this many of 1e-8. (Rule FUND-1)
const RATE_STEP: i64 = 100;

/// What a holder pays at a funding instant; negative is received. (Rule FUND-3)
///
/// round(|F|·value at mark), ties away from zero; longs pay when F > 0.
/// ```
/// use centum_contract::{ContractSpec, Price, Rate, Xbt, funding::payment};
/// use centum_contract::{position::PositionState, value::unit_value};
/// // 2020-07-14: short 169 at 9268.18, rate 0.01 %.
/// let spec = ContractSpec::XBTUSD_2019;
/// let short = PositionState { qty: -169, ..PositionState::default() };
/// assert_eq!(payment(&spec, &short, unit_value(&spec, Price(926_818)), Rate(10_000)), Xbt(-182));
/// ```
#[must_use]
pub fn payment(spec: &ContractSpec, position: &PositionState, mark_value: u64, rate: Rate) -> Xbt {
    // A long's value is negative and it pays a positive rate.
    let value = -position.value_at(spec, mark_value).0;
    let paid = share_round_half_away(value, rate.0.unsigned_abs(), Rate::ONE);
    Xbt(if rate.0 < 0 { -paid } else { paid })
}

/// |rate| where a position of this sign would pay it, else 0. (Rule MARGIN-6)
///
/// ```
/// use centum_contract::{Rate, funding::adverse};
/// assert_eq!([adverse(1, Rate(7)), adverse(-1, Rate(7)), adverse(-1, Rate(-7)), adverse(0, Rate(7))].map(|r| r.0), [7, 0, 7, 0]);
/// ```
#[must_use]
pub const fn adverse(qty: i64, rate: Rate) -> Rate {
    let pays = (qty > 0 && rate.0 > 0) || (qty < 0 && rate.0 < 0);
    Rate(if pays { rate.0.abs() } else { 0 })
}

/// Interest of one interval: (quote − base)/3, to the nearest 1e-8. (Rule FUND-1)
///
/// ```
/// use centum_contract::{Rate, funding::interest};
/// assert_eq!(interest(Rate(60_000), Rate(30_000)), Rate(10_000)); // 0.01 % each 8 hours
/// ```
#[must_use]
pub fn interest(quote: Rate, base: Rate) -> Rate {
    Rate(share_round_half_away(quote.0 - base.0, 1, 3))
}

/// The largest |rate|: 75 % of IM − MM. (Rule FUND-1)
#[must_use]
pub const fn largest_rate(initial_margin: Rate, maintenance_margin: Rate) -> Rate {
    Rate((initial_margin.0 - maintenance_margin.0) * 3 / 4)
}

/// The largest change from one interval to the next: 75 % of MM. (Rule FUND-1)
#[must_use]
pub const fn largest_change(maintenance_margin: Rate) -> Rate {
    Rate(maintenance_margin.0 * 3 / 4)
}

/// The rate of an interval from its premium P, averaged, and interest I: F = P + clamp(I − P, ±0.05 %),
/// then at most [`largest_rate`], then at most [`largest_change`] from the rate before, then rounded
/// to 1e-6, ties away from zero. (Rule FUND-1; the margins are tier 0's.)
///
/// ```
/// use centum_contract::{ContractSpec, Rate, funding::rate};
/// let spec = ContractSpec::XBTUSD_2019;
/// assert_eq!(rate(&spec, Rate(30_000), Rate(10_000), Rate(0)), Rate(10_000)); // near: the interest
/// assert_eq!(rate(&spec, Rate(200_000), Rate(10_000), Rate(0)), Rate(150_000)); // far: damped by 0.05 %
/// assert_eq!(rate(&spec, Rate(900_000), Rate(10_000), Rate(100_000)), Rate(375_000)); // capped
/// ```
#[must_use]
pub fn rate(spec: &ContractSpec, premium: Rate, interest: Rate, before: Rate) -> Rate {
    let largest = largest_rate(spec.initial_margin, spec.maintenance_margin).0;
    let change = largest_change(spec.maintenance_margin).0;
    let damped = premium.0 + (interest.0 - premium.0).clamp(-DAMPER, DAMPER);
    let limited = damped.clamp(-largest, largest).clamp(before.0 - change, before.0 + change);
    Rate(share_round_half_away(limited, 1, RATE_STEP.unsigned_abs()) * RATE_STEP)
}
