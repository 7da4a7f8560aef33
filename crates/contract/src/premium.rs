//! The premium: how far the book stands from the index, sampled each minute for the funding rate. (Rule FUND-1)

use crate::math::share_round_half_away;
use crate::spec::ContractSpec;
use crate::units::{Price, Qty, Rate};
use crate::value::{unit_value, units};

/// Impact prices have four decimals: so many of them in 0.01 USD.
const FINE: u64 = 100;
/// What an impact price is asked for, as a share of initial margin: 0.1 XBT, in XBt.
const IMPACT_MARGIN: u64 = 10_000_000;

/// The XBt that an impact price is averaged over: 0.1 XBT / IM, cut down to a whole satoshi. (Rule FUND-1)
///
/// ```
/// use centum_contract::{ContractSpec, premium::impact_value_floor};
/// assert_eq!(impact_value_floor(&ContractSpec::XBTUSD_2019), 1_000_000_000); // 10 XBT at 1 %
/// ```
#[must_use]
pub const fn impact_value_floor(spec: &ContractSpec) -> u64 {
    IMPACT_MARGIN * Rate::ONE / spec.initial_margin.0.unsigned_abs()
}

/// The average price at which 0.1 XBT / IM would trade with one side of the book, taken level by level. (Rule FUND-1)
///
/// A price weighs by the value taken there, which on an inverse contract is contracts over XBT.
///
/// ```
/// use centum_contract::{ContractSpec, Price, Qty, premium::Impact};
/// let spec = ContractSpec::XBTUSD_2019;
/// let mut impact = Impact::new(&spec);
/// assert!(!impact.take(&spec, Price(1_000_000), Qty(40_000))); // 4 XBT at 10,000.00
/// assert!(impact.take(&spec, Price(1_000_100), Qty(500_000))); // more than the other 6 at 10,001.00
/// assert_eq!(impact.price_round_half_away(), Some(100_006_000)); // 10,000.6000
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Impact {
    wanted: u64,
    left: u64,
    /// Σ price·value.
    weighted: u128,
}

impl Impact {
    /// Nothing taken yet.
    #[must_use]
    pub const fn new(spec: &ContractSpec) -> Impact {
        let wanted = impact_value_floor(spec);
        Impact { wanted, left: wanted, weighted: 0 }
    }

    /// Takes what is needed of the next level; true where that is enough.
    pub fn take(&mut self, spec: &ContractSpec, price: Price, qty: Qty) -> bool {
        let value = u128::from(units(spec, qty)) * u128::from(unit_value(spec, price));
        let taken = u64::try_from(value).map_or(self.left, |value| value.min(self.left));
        self.weighted += u128::from(price.0) * u128::from(taken);
        self.left -= taken;
        self.left == 0
    }

    /// The average in 0.0001 USD, ties away from zero; none where the levels did not suffice.
    #[must_use]
    pub fn price_round_half_away(&self) -> Option<u64> {
        let (wanted, scaled) = (u128::from(self.wanted), self.weighted * u128::from(FINE));
        if self.left != 0 {
            return None;
        }
        u64::try_from((2 * scaled + wanted) / (2 * wanted)).ok()
    }
}

/// Are two impact prices, in 0.0001 USD, further apart than the base maintenance margin of the index? Then they say
/// nothing. (Rule FUND-1)
#[must_use]
pub fn is_too_wide(spec: &ContractSpec, bid: u64, ask: u64, index: Price) -> bool {
    let spread = u128::from(ask.saturating_sub(bid)) * u128::from(Rate::ONE);
    spread > u128::from(index.0) * u128::from(FINE) * u128::from(spec.maintenance_margin.0.unsigned_abs())
}

/// What part of the premium the mark itself holds. (Rules FUND-1, MARK-1, MARK-2)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Basis {
    /// A fair mark: the rate in force for what is left of the interval.
    OfRate {
        /// The rate in force.
        rate: Rate,
        /// Whole minutes to the next instant.
        minutes_left: u64,
        /// Minutes of an interval, not zero.
        interval_minutes: u64,
    },
    /// Any other mark: how far it is from the index.
    OfMark,
}

/// The premium P of a minute: (max(0, bid − mark) − max(0, mark − ask))/index + basis, to the nearest 1e-8, ties away
/// from zero, at most 100 % either way. The impact prices are in 0.0001 USD. (Rule FUND-1)
///
/// ```
/// use centum_contract::{Price, Rate, premium::{Basis, premium_round_half_away}};
/// let (mark, index) = (Price(1_000_000), Price(1_000_000));
/// let at = |bid, ask| premium_round_half_away(bid, ask, mark, index, Basis::OfMark);
/// assert_eq!(at(99_990_000, 100_010_000), Rate(0)); // the mark lies between them
/// assert_eq!(at(100_010_000, 100_020_000), Rate(10_000)); // 1.00 above 10,000.00: 0.01 %
/// assert_eq!(at(99_980_000, 99_990_000), Rate(-10_000));
/// ```
///
/// # Panics
/// Without an index, or at an interval of zero.
#[must_use]
pub fn premium_round_half_away(bid: u64, ask: u64, mark: Price, index: Price, basis: Basis) -> Rate {
    let fine = |price: Price| i128::from(price.0) * i128::from(FINE);
    let (bid, ask, mark, index) = (i128::from(bid), i128::from(ask), fine(mark), fine(index));
    let gap = (bid - mark).max(0) - (mark - ask).max(0);
    let one = i128::from(Rate::ONE);
    let (exact, over) = match basis {
        Basis::OfRate { rate, minutes_left, interval_minutes } => {
            let interval = i128::from(interval_minutes);
            (gap * one * interval + i128::from(rate.0) * i128::from(minutes_left) * index, index * interval)
        }
        Basis::OfMark => ((gap + mark - index) * one, index),
    };
    let rounded = (2 * exact.abs() + over) / (2 * over) * exact.signum();
    Rate(rounded.clamp(-one, one) as i64)
}

/// The average of so many minutes, to the nearest 1e-8, ties away from zero. (Rule FUND-1)
///
/// # Panics
/// Of no minutes.
#[must_use]
pub fn average_round_half_away(sum: i64, minutes: u64) -> Rate {
    Rate(share_round_half_away(sum, 1, minutes))
}
