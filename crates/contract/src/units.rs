//! Integers that carry their unit in the type.
//!
//! Only operations that mean something exist: `Xbt + Xbt` does, `Price * Qty` does not,
//! [`value`](crate::value::value) does. Nothing here is a float; nothing here rounds; nothing here
//! overflows in silence, whatever the build profile: money that does not fit stops the engine.

use core::fmt;
use core::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use crate::math::{difference, sum};

/// Satoshi in one XBT.
pub const XBT: i64 = 100_000_000;

/// Price on the contract's grid, counted in ticks (0.5 USD in the default profile). The only price
/// the book knows. Zero means "no price".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Tick(pub u32);

/// Price off the grid, in 0.01 USD: mark, index, takeover and deleverage prices. Zero means "none".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Price(pub u64);

impl Price {
    /// Hundredths in one USD.
    pub const PER_USD: u64 = 100;
    /// No price.
    pub const NONE: Price = Price(0);
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / Self::PER_USD, self.0 % Self::PER_USD)
    }
}

/// Contracts of one USD each. Never negative: [`Side`](crate::Side) says which way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Qty(pub u64);

impl Qty {
    /// No contracts.
    pub const ZERO: Qty = Qty(0);

    /// The smaller of the two.
    #[must_use]
    pub fn min(self, other: Qty) -> Qty {
        Qty(self.0.min(other.0))
    }

    /// Is this nothing?
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Add for Qty {
    type Output = Qty;
    #[inline(always)]
    fn add(self, other: Qty) -> Qty {
        Qty(sum(self.0, other.0))
    }
}

impl Sub for Qty {
    type Output = Qty;
    #[inline(always)]
    fn sub(self, other: Qty) -> Qty {
        Qty(difference(self.0, other.0))
    }
}

impl AddAssign for Qty {
    #[inline(always)]
    fn add_assign(&mut self, other: Qty) {
        *self = *self + other;
    }
}

impl SubAssign for Qty {
    #[inline(always)]
    fn sub_assign(&mut self, other: Qty) {
        *self = *self - other;
    }
}

/// Why a sum of money cannot leave 63 bits.
const FITS: &str = "LIMIT-1: amounts fit 63 bits";

/// Satoshi, 1e-8 XBT. Signed, because losses are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Xbt(pub i64);

impl Xbt {
    /// Nothing.
    pub const ZERO: Xbt = Xbt(0);

    /// The smaller of the two.
    #[must_use]
    pub fn min(self, other: Xbt) -> Xbt {
        Xbt(self.0.min(other.0))
    }

    /// The larger of the two.
    #[must_use]
    pub fn max(self, other: Xbt) -> Xbt {
        Xbt(self.0.max(other.0))
    }

    /// Its magnitude.
    #[must_use]
    pub const fn abs(self) -> Xbt {
        Xbt(self.0.checked_abs().expect(FITS))
    }
}

impl fmt::Display for Xbt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} XBt", self.0)
    }
}

impl Add for Xbt {
    type Output = Xbt;
    #[inline(always)]
    fn add(self, other: Xbt) -> Xbt {
        Xbt(self.0.checked_add(other.0).expect(FITS))
    }
}

impl Sub for Xbt {
    type Output = Xbt;
    #[inline(always)]
    fn sub(self, other: Xbt) -> Xbt {
        Xbt(self.0.checked_sub(other.0).expect(FITS))
    }
}

impl AddAssign for Xbt {
    #[inline(always)]
    fn add_assign(&mut self, other: Xbt) {
        *self = *self + other;
    }
}

impl SubAssign for Xbt {
    #[inline(always)]
    fn sub_assign(&mut self, other: Xbt) {
        *self = *self - other;
    }
}

impl Neg for Xbt {
    type Output = Xbt;
    #[inline(always)]
    fn neg(self) -> Xbt {
        Xbt(self.0.checked_neg().expect(FITS))
    }
}

/// A signed rate in 1e-8: a fee of 0.075 % is `Rate(75_000)`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rate(pub i64);

impl Rate {
    /// The rate 1, i.e. 100 %.
    pub const ONE: u64 = 100_000_000;
    /// Nothing.
    pub const ZERO: Rate = Rate(0);
}

/// Leverage in hundredths, so that the initial margin 1/leverage is an exact fraction.
/// Zero is cross margin; 1 to 10,000 (0.01x to 100x) is isolated margin. (Rule MARGIN-8)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Leverage(pub u32);

impl Leverage {
    /// Cross margin: the whole wallet stands behind the position.
    pub const CROSS: Leverage = Leverage(0);
    /// Leverage 1, in hundredths.
    pub const ONE: Leverage = Leverage(100);

    /// Does the whole wallet stand behind the position?
    #[must_use]
    pub const fn is_cross(self) -> bool {
        self.0 == 0
    }

    /// Isolated at 1x or less: the whole value is held, so no premium is charged. (Rule OM-5)
    #[must_use]
    pub const fn is_fully_funded(self) -> bool {
        self.0 != 0 && self.0 <= Self::ONE.0
    }
}

/// An account's number: dense, in order of opening. 0 to 3 are the house's. (Rule ACC-1)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AccountId(pub u32);

impl AccountId {
    /// Receives trade fees and pays rebates.
    pub const FEES: AccountId = AccountId(0);
    /// The insurance fund.
    pub const INSURANCE: AccountId = AccountId(1);
    /// Takes what rounding of funding leaves over.
    pub const RESIDUE: AccountId = AccountId(2);
    /// Holds positions taken over until they are closed out.
    pub const LIQUIDATION: AccountId = AccountId(3);
    /// The first account of a trader.
    pub const FIRST_TRADER: AccountId = AccountId(4);
    /// No account: a fact about the market, not about a party.
    pub const NONE: AccountId = AccountId(u32::MAX);

    /// Is this one of the four accounts of the house?
    #[must_use]
    pub const fn is_house(self) -> bool {
        self.0 < Self::FIRST_TRADER.0
    }
}

/// An order's identity: the number of its creation (rising, never reused) and the slot it lies in, a
/// hint that saves a search. Both must match.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OrderId {
    /// Creation number, from 1.
    pub number: u64,
    /// Slot in the engine's slab.
    pub slot: u32,
}
