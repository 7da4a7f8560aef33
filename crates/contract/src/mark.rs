//! The fair mark: the index and what is left of the funding interval. (Rule MARK-1)

use crate::spec::ContractSpec;
use crate::units::{Price, Rate};

/// Nanoseconds in a minute.
pub const MINUTE_NS: u64 = 60_000_000_000;

/// The first funding instant after `ts`. At an instant itself the next one is meant: its own rate has
/// been paid. `u64::MAX` is never. (Rules CONTRACT-1, FUND-5)
///
/// ```
/// use centum_contract::{ContractSpec, mark::next_funding};
/// let hours = |h: u64| h * 3_600_000_000_000;
/// let spec = ContractSpec::XBTUSD_2019;
/// assert_eq!(next_funding(&spec, hours(3)), hours(4));
/// assert_eq!(next_funding(&spec, hours(4)), hours(12));
/// assert_eq!(next_funding(&spec, hours(20)), hours(28));
/// ```
#[must_use]
pub const fn next_funding(spec: &ContractSpec, ts: u64) -> u64 {
    let (interval, offset) = (spec.funding_interval_ns, spec.funding_offset_ns % spec.funding_interval_ns);
    match ts.checked_sub(offset) {
        None => offset,
        Some(since) => (since / interval + 1).saturating_mul(interval).saturating_add(offset),
    }
}

/// Whole minutes from `ts` to a later instant, the clock floored to the minute. (Rule MARK-1)
///
/// ```
/// use centum_contract::mark::minutes_left;
/// let at = |h: u64, m: u64, s: u64| ((h * 60 + m) * 60 + s) * 1_000_000_000;
/// assert_eq!(minutes_left(at(9, 14, 26), at(12, 0, 0)), 166); // 2017-05-15
/// assert_eq!(minutes_left(at(9, 15, 0), at(12, 0, 0)), 165);
/// ```
#[must_use]
pub const fn minutes_left(ts: u64, instant: u64) -> u64 {
    (instant / MINUTE_NS).saturating_sub(ts / MINUTE_NS)
}

/// The fair mark: index·(1 + rate·minutes left/minutes of the interval), to the nearest 0.01 USD,
/// ties up; none where it is not positive. (Rule MARK-1)
///
/// ```
/// use centum_contract::{Price, Rate, mark::fair_price};
/// assert_eq!(fair_price(Price(171_918), Rate(291_900), 166, 480), Price(172_092)); // 2017-05-15
/// assert_eq!(fair_price(Price(9_784_377), Rate(11_000), 267, 480), Price(9_784_976)); // 2024-11-24
/// assert_eq!(fair_price(Price(7_817_666), Rate(-2_400), 419, 480), Price(7_817_502)); // 2026-05-03
/// ```
///
/// # Panics
/// At an interval of zero.
#[must_use]
pub const fn fair_price(index: Price, rate: Rate, minutes_left: u64, interval_minutes: u64) -> Price {
    let one = Rate::ONE as i128 * interval_minutes as i128;
    let scaled = index.0 as i128 * (one + rate.0 as i128 * minutes_left as i128);
    if scaled <= 0 { Price::NONE } else { Price(((2 * scaled + one) / (2 * one)) as u64) }
}

/// Fair mark − index, in 0.01 USD. (Rule MARK-1)
#[must_use]
pub const fn fair_basis(index: Price, mark: Price) -> i64 {
    mark.0 as i64 - index.0 as i64
}
