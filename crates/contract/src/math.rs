//! Exact products and quotients, each with its rounding in its name.
//!
//! Amounts are 64-bit. A product runs in 128 bits, and is divided in 64 where it fits, which it does
//! for ordinary sizes; the results are the same either way.

/// A non-negative fraction in lowest terms. Rates are kept like this so that products stay small, and with
/// the reciprocal of their denominator, so that a rate of an amount costs two products and no division.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fraction {
    num: u64,
    /// 2·(den − 1): what rounds up, doubled.
    twice_less_two: u64,
    /// floor(2^(64 + shift) / 2·den) + 1, where 2^shift < 2·den ≤ 2^(shift + 1).
    reciprocal: u64,
    shift: u32,
}

/// More than any wallet may hold, XBt. A rate of an amount ends here: at a leverage of 0.01 the margin of a
/// large position would pass 64 bits, and whatever is asked for beyond this nobody can have.
pub const MOST: u64 = 1 << 61;

impl Fraction {
    /// Nothing.
    pub const ZERO: Fraction = Fraction::new(0, 1);

    /// `num / den` in lowest terms.
    ///
    /// # Panics
    /// Where `den` is zero, or above 2^60 in lowest terms.
    #[must_use]
    pub const fn new(num: u64, den: u64) -> Fraction {
        assert!(den != 0, "a fraction has a denominator");
        let (mut a, mut b) = (num, den);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let (num, den) = (num / a, den / a);
        assert!(den <= 1 << 60, "rates are not that fine");
        let shift = (2 * den - 1).ilog2();
        let reciprocal = (1u128 << (64 + shift)) / (2 * den as u128) + 1;
        assert!(reciprocal >> 64 == 0, "2·den is above 2^shift");
        Fraction { num, twice_less_two: 2 * (den - 1), reciprocal: reciprocal as u64, shift }
    }

    /// self ≥ other.
    #[must_use]
    pub const fn is_at_least(self, other: Fraction) -> bool {
        self.num as u128 * other.den() as u128 >= other.num as u128 * self.den() as u128
    }

    /// Numerator in lowest terms.
    #[must_use]
    pub const fn num(self) -> u64 {
        self.num
    }

    /// Denominator in lowest terms, not zero.
    #[must_use]
    pub const fn den(self) -> u64 {
        self.twice_less_two / 2 + 1
    }

    /// ceil(self · x), at most [`MOST`].
    #[inline(always)]
    #[must_use]
    pub const fn of_ceil(self, x: u64) -> u64 {
        let product = x as u128 * self.num as u128;
        if product >= MOST as u128 {
            return limited(product.div_ceil(self.den() as u128));
        }
        self.half_quotient(2 * product as u64 + self.twice_less_two)
    }

    /// floor(self · x), at most [`MOST`].
    #[inline(always)]
    #[must_use]
    pub const fn of_floor(self, x: u64) -> u64 {
        let product = x as u128 * self.num as u128;
        if product >= MOST as u128 {
            return limited(product / self.den() as u128);
        }
        self.half_quotient(2 * product as u64)
    }

    /// floor(x / 2·den), for x below 2^63.
    ///
    /// With D = 2·den, s = shift and R = reciprocal, R·D = 2^(64+s) + e with 0 < e ≤ D ≤ 2^(s+1). So
    /// x·R / 2^(64+s) is x/D and an error of x·e / (D·2^(64+s)), which is below 1/D as x < 2^63: too small to
    /// reach the next whole number.
    #[inline(always)]
    const fn half_quotient(self, x: u64) -> u64 {
        ((x as u128 * self.reciprocal as u128) >> 64) as u64 >> self.shift
    }

    /// ceil(self · x) for either sign of x: toward plus infinity.
    #[inline(always)]
    #[must_use]
    pub fn of_signed_ceil(self, x: i64) -> i64 {
        if x >= 0 { signed(self.of_ceil(x.unsigned_abs())) } else { -signed(self.of_floor(x.unsigned_abs())) }
    }
}

/// A magnitude as a signed amount.
///
/// # Panics
/// Above `i64::MAX`: rule LIMIT-1 keeps every amount below it.
#[inline(always)]
#[must_use]
pub fn signed(x: u64) -> i64 {
    i64::try_from(x).expect("LIMIT-1: amounts fit 63 bits")
}

/// a + b of values or contracts, each below 2^63 as the sum is. Checked here because the profile an embedder
/// builds with may not check.
///
/// # Panics
/// Beyond 63 bits: rule LIMIT-1 keeps every sum below.
#[inline(always)]
#[must_use]
pub const fn sum(a: u64, b: u64) -> u64 {
    debug_assert!((a | b) >> 63 == 0, "LIMIT-1: amounts have 63 bits");
    (a as i64).checked_add(b as i64).expect("LIMIT-1: sums fit 63 bits") as u64
}

/// a − b of values or contracts.
///
/// # Panics
/// Below zero: nothing is taken off that was not there.
#[inline(always)]
#[must_use]
pub const fn difference(a: u64, b: u64) -> u64 {
    a.checked_sub(b).expect("SUM-7: no more is taken off than there is")
}

/// a · b: the value of so many units, each below 2^63 as the product is.
///
/// # Panics
/// Beyond 63 bits: rule LIMIT-1 keeps every value below.
#[inline(always)]
#[must_use]
pub const fn product(a: u64, b: u64) -> u64 {
    debug_assert!((a | b) >> 63 == 0, "LIMIT-1: amounts have 63 bits");
    (a as i64).checked_mul(b as i64).expect("LIMIT-1: values fit 63 bits") as u64
}

/// The same as a signed amount.
///
/// # Panics
/// As [`product`].
#[inline(always)]
#[must_use]
pub const fn signed_product(a: u64, b: u64) -> i64 {
    product(a, b) as i64
}

/// a + b of signed contracts.
///
/// # Panics
/// Beyond 63 bits: rule LIMIT-1 keeps every position below.
#[inline(always)]
#[must_use]
pub const fn signed_sum(a: i64, b: i64) -> i64 {
    a.checked_add(b).expect("LIMIT-1: positions fit 63 bits")
}

/// floor(a·b / d).
///
/// # Panics
/// Where the quotient exceeds 64 bits: rule LIMIT-1 keeps it below.
#[inline(always)]
#[must_use]
pub fn mul_div_floor(a: u64, b: u64, d: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    match u64::try_from(product) {
        Ok(small) => small / d,
        Err(_) => wide_floor(product, d).expect("LIMIT-1: amounts fit 64 bits"),
    }
}

/// ceil(a·b / d).
///
/// # Panics
/// Where the quotient exceeds 64 bits: rule LIMIT-1 keeps it below.
#[inline(always)]
#[must_use]
pub fn mul_div_ceil(a: u64, b: u64, d: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    match u64::try_from(product) {
        Ok(small) => small.div_ceil(d),
        Err(_) => wide_ceil(product, d).expect("LIMIT-1: amounts fit 64 bits"),
    }
}

/// At most [`MOST`].
#[cold]
#[inline(never)]
const fn limited(x: u128) -> u64 {
    if x < MOST as u128 { x as u64 } else { MOST }
}

#[cold]
#[inline(never)]
fn wide_floor(product: u128, d: u64) -> Option<u64> {
    u64::try_from(product / u128::from(d)).ok()
}

#[cold]
#[inline(never)]
fn wide_ceil(product: u128, d: u64) -> Option<u64> {
    u64::try_from(product.div_ceil(u128::from(d))).ok()
}

/// round(a / b), ties away from zero.
#[inline(always)]
#[must_use]
pub const fn div_round_half_away(a: u64, b: u64) -> u64 {
    let quotient = a / b;
    let rest = a % b;
    // rest ≥ b/2, without doubling what might overflow.
    if rest >= b - rest { quotient + 1 } else { quotient }
}

/// round(x·a / b) for either sign of x, ties away from zero. (Rules POS-2, MARGIN-9)
#[inline]
#[must_use]
pub fn share_round_half_away(x: i64, a: u64, b: u64) -> i64 {
    if x == 0 {
        return 0;
    }
    let product = u128::from(x.unsigned_abs()) * u128::from(a);
    let rounded = match u64::try_from(product) {
        Ok(small) => div_round_half_away(small, b),
        Err(_) => {
            let (d, quotient) = (u128::from(b), product / u128::from(b));
            let rest = product % d;
            u64::try_from(quotient + u128::from(rest >= d - rest)).expect("LIMIT-1: amounts fit 64 bits")
        }
    };
    if x < 0 { -signed(rounded) } else { signed(rounded) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The narrow path and the wide one give what exact arithmetic gives.
        #[test]
        fn products_are_exact(a in any::<u64>(), b in 0u64..1 << 40, d in 1u64..1 << 50) {
            let exact = u128::from(a) * u128::from(b);
            let d128 = u128::from(d);
            prop_assume!(exact / d128 < u128::from(u64::MAX));
            prop_assert_eq!(u128::from(mul_div_floor(a, b, d)), exact / d128);
            prop_assert_eq!(u128::from(mul_div_ceil(a, b, d)), exact.div_ceil(d128));
        }

        #[test]
        fn a_fraction_in_lowest_terms_is_the_same_number(n in 0u64..1 << 40, d in 1u64..1 << 40, x in 0u64..1 << 62) {
            let fraction = Fraction::new(n, d);
            prop_assert_eq!(fraction, Fraction::new(3 * n, 3 * d));
            prop_assert_eq!(u128::from(fraction.num) * u128::from(d), u128::from(n) * u128::from(fraction.den()));
            let (exact, d, most) = (u128::from(x) * u128::from(n), u128::from(d), u128::from(MOST));
            prop_assert_eq!(u128::from(fraction.of_ceil(x)), exact.div_ceil(d).min(most));
            prop_assert_eq!(u128::from(fraction.of_floor(x)), (exact / d).min(most));
            prop_assert_eq!(fraction.of_signed_ceil(-(x as i64)), -((exact / d).min(most) as i64));
        }

        /// The reciprocal at its edges: any denominator, powers of two and their neighbours, and amounts next to a
        /// multiple of it, up to where the wide path takes over.
        #[test]
        fn a_quotient_by_the_reciprocal_is_exact(
            d in prop_oneof![1u64..=1 << 60, (0u32..=60, -1i64..=1).prop_map(|(k, by)| (1u64 << k).saturating_add_signed(by))],
            multiple in any::<u64>(),
            by in -2i64..=2,
        ) {
            let d = d.clamp(1, 1 << 60);
            let x = (multiple % (MOST / d + 1) * d).saturating_add_signed(by);
            let fraction = Fraction::new(1, d);
            prop_assert_eq!(fraction.of_ceil(x), x.div_ceil(d).min(MOST));
            prop_assert_eq!(fraction.of_floor(x), (x / d).min(MOST));
        }

        #[test]
        fn a_share_rounds_half_away(x in -(1i64 << 62)..1 << 62, b in 1u64..1 << 40, a in 0u64..1 << 40) {
            prop_assume!(a <= b);
            let exact = i128::from(x) * i128::from(a);
            let doubled = 2 * exact.abs() + i128::from(b);
            let expected = exact.signum() * (doubled / (2 * i128::from(b)));
            prop_assert_eq!(i128::from(share_round_half_away(x, a, b)), expected);
        }
    }
}
