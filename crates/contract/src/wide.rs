//! Whole numbers of 384 bits, for the few products that 128 bits cannot hold.
//!
//! The ranking of rule ADL-1 compares fractions of products of amounts: two times 156 bits and their
//! cross products. Six 64-bit limbs hold them; what is here is school arithmetic, no more.

use core::cmp::Ordering;

const LIMBS: usize = 6;

/// A whole number, not negative, in little-endian limbs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wide([u64; LIMBS]);

impl Wide {
    /// Nothing.
    pub const ZERO: Wide = Wide([0; LIMBS]);

    /// The number `x`.
    #[must_use]
    pub const fn new(x: u128) -> Wide {
        Wide([x as u64, (x >> 64) as u64, 0, 0, 0, 0])
    }

    /// self · x.
    ///
    /// # Panics
    /// Where the product needs more than 384 bits, which rule LIMIT-1 rules out.
    ///
    /// ```
    /// use centum_contract::wide::Wide;
    /// let square = Wide::new(u128::MAX).times(u128::MAX);
    /// assert!(square > Wide::new(u128::MAX));
    /// assert_eq!(square.quotient(Wide::new(u128::MAX)), Some(u128::MAX));
    /// ```
    #[must_use]
    pub fn times(self, x: u128) -> Wide {
        self.product(Wide::new(x))
    }

    /// self · other.
    ///
    /// # Panics
    /// Where the product needs more than 384 bits, which rule LIMIT-1 rules out.
    #[must_use]
    pub fn product(self, other: Wide) -> Wide {
        // Most amounts have one or two limbs: what is zero above them is left out.
        let (mine, others) = (self.used(), other.used());
        assert!(mine + others <= LIMBS + 1, "LIMIT-1: products of amounts fit 384 bits");
        let mut out = [0u64; LIMBS];
        for (i, &a) in self.0[..mine].iter().enumerate() {
            let mut carry = 0u128;
            for (j, &b) in other.0[..others].iter().enumerate() {
                // Below 2^128: (2^64 − 1)² + 2·(2^64 − 1) is its last value.
                let sum = u128::from(a) * u128::from(b) + u128::from(out[i + j]) + carry;
                out[i + j] = sum as u64;
                carry = sum >> 64;
            }
            match out.get_mut(i + others) {
                Some(limb) => *limb = carry as u64,
                None => assert!(carry == 0, "LIMIT-1: products of amounts fit 384 bits"),
            }
        }
        Wide(out)
    }

    /// How many limbs there are up to the last that is not zero.
    fn used(&self) -> usize {
        self.0.iter().rposition(|limb| *limb != 0).map_or(0, |last| last + 1)
    }

    /// floor(self / other); `None` where `other` is zero or the quotient exceeds 128 bits.
    #[must_use]
    pub fn quotient(self, other: Wide) -> Option<u128> {
        if other == Wide::ZERO {
            return None;
        }
        let (mut rest, mut quotient) = (Wide::ZERO, 0u128);
        for bit in (0..64 * LIMBS).rev() {
            let overflows = rest.shift_in(self.0[bit / 64] >> (bit % 64) & 1 != 0);
            let takes = overflows || rest >= other;
            if takes {
                rest.subtract(&other);
            }
            if quotient >> 127 != 0 {
                return None;
            }
            quotient = quotient << 1 | u128::from(takes);
        }
        Some(quotient)
    }

    /// round(self / other), ties up; `None` where `other` is zero or the result exceeds 127 bits.
    #[must_use]
    pub fn quotient_rounded(self, other: Wide) -> Option<u128> {
        // round(x) = floor((floor(2x) + 1) / 2).
        self.times(2).quotient(other)?.checked_add(1).map(|doubled| doubled >> 1)
    }

    /// Twice itself plus a bit; true where the top bit fell out.
    fn shift_in(&mut self, bit: bool) -> bool {
        let mut carry = u64::from(bit);
        for limb in &mut self.0 {
            let out = *limb >> 63;
            *limb = *limb << 1 | carry;
            carry = out;
        }
        carry != 0
    }

    /// Modulo 2^384: a bit that fell out before makes up for the borrow.
    fn subtract(&mut self, other: &Wide) {
        let mut borrow = false;
        for (limb, &b) in self.0.iter_mut().zip(&other.0) {
            let (less, first) = limb.overflowing_sub(b);
            let (less, second) = less.overflowing_sub(u64::from(borrow));
            (*limb, borrow) = (less, first || second);
        }
    }
}

/// A fraction that is not negative, not in lowest terms. Comparing multiplies across.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    /// Numerator.
    pub num: Wide,
    /// Denominator, not zero.
    pub den: Wide,
}

impl Ratio {
    /// `num / den`.
    #[must_use]
    pub const fn new(num: u128, den: u128) -> Ratio {
        assert!(den != 0, "a fraction has a denominator");
        Ratio { num: Wide::new(num), den: Wide::new(den) }
    }

    /// round(self · factor), ties up; `None` beyond 127 bits.
    #[must_use]
    pub fn times_rounded(self, factor: u128) -> Option<u128> {
        self.num.times(factor).quotient_rounded(self.den)
    }
}

impl PartialEq for Ratio {
    fn eq(&self, other: &Ratio) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ratio {}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Ratio) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Ratio) -> Ordering {
        self.num.product(other.den).cmp(&other.num.product(self.den))
    }
}

impl PartialOrd for Wide {
    fn partial_cmp(&self, other: &Wide) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Wide {
    fn cmp(&self, other: &Wide) -> Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;
    use proptest::prelude::*;

    fn big(x: Wide) -> BigUint {
        x.0.iter().rev().fold(BigUint::ZERO, |sum, &limb| (sum << 64u32) + limb)
    }

    /// Few limbs, so that products fit; each at its edges as often as not.
    fn wide(limbs: usize) -> impl Strategy<Value = Wide> {
        let limb = prop_oneof![Just(0u64), Just(1), Just(u64::MAX), Just(1 << 63), any::<u64>()];
        proptest::collection::vec(limb, limbs).prop_map(|limbs| {
            let mut out = [0; LIMBS];
            out[..limbs.len()].copy_from_slice(&limbs);
            Wide(out)
        })
    }

    proptest! {
        #[test]
        fn products_are_what_big_integers_say(a in wide(3), b in wide(3), x in any::<u128>()) {
            prop_assert_eq!(big(a.product(b)), big(a) * big(b));
            prop_assert_eq!(big(a.times(x)), big(a) * x);
        }

        #[test]
        fn the_order_is_that_of_big_integers(a in wide(6), b in wide(6)) {
            prop_assert_eq!(a.cmp(&b), big(a).cmp(&big(b)));
        }

        #[test]
        fn quotients_are_what_big_integers_say(a in wide(6), b in wide(5)) {
            let expected = if b == Wide::ZERO { None } else { u128::try_from(big(a) / big(b)).ok() };
            prop_assert_eq!(a.quotient(b), expected);
        }

        #[test]
        fn a_quotient_of_a_full_divisor(a in wide(6), b in wide(6)) {
            prop_assume!(b != Wide::ZERO);
            prop_assert_eq!(a.quotient(b), u128::try_from(big(a) / big(b)).ok());
        }

        #[test]
        fn rounding_goes_to_the_nearest(a in any::<u128>(), b in 1u128..) {
            let doubled = big(Wide::new(a)) * 2u32 + big(Wide::new(b));
            let expected = u128::try_from(doubled / (big(Wide::new(b)) * 2u32)).ok().filter(|x| x >> 127 == 0);
            prop_assert_eq!(Wide::new(a).quotient_rounded(Wide::new(b)).filter(|x| x >> 127 == 0), expected);
        }
    }

    #[test]
    #[should_panic(expected = "LIMIT-1")]
    fn a_product_beyond_384_bits_stops() {
        let _ = Wide([u64::MAX; LIMBS]).times(2);
    }

    /// Where together they have one limb more than there are.
    #[test]
    fn the_last_product_that_fits_384_bits() {
        let (three, four) = (Wide([0, 0, 1 << 32, 0, 0, 0]), Wide([0, 0, 0, 1 << 31, 0, 0]));
        assert_eq!(three.product(four), Wide([0, 0, 0, 0, 0, 1 << 63]));
        assert_eq!(Wide::ZERO.product(Wide([u64::MAX; LIMBS])), Wide::ZERO);
    }

    #[test]
    #[should_panic(expected = "LIMIT-1")]
    fn a_product_of_385_bits_stops() {
        let _ = Wide([0, 0, 1 << 32, 0, 0, 0]).product(Wide([0, 0, 0, 1 << 32, 0, 0]));
    }
}
