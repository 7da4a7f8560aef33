//! Exact arithmetic: whole numbers in 128 bits, and fractions of them.
//!
//! Nothing is rounded unless the name says so. The operands stay below 2^63 (money), 2^34 (units)
//! and 2^30 (rates and leverages), so every product of a rule fits; an overflow would stop the twin,
//! since overflow checks are on wherever it runs.

/// A fraction with a positive denominator, not reduced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Fraction {
    pub top: i128,
    pub bottom: i128,
}

impl Fraction {
    pub(super) fn new(top: i128, bottom: i128) -> Fraction {
        assert!(bottom > 0, "a fraction's denominator is positive");
        Fraction { top, bottom }
    }

    pub(super) fn whole(number: i128) -> Fraction {
        Fraction { top: number, bottom: 1 }
    }

    /// This fraction and a whole number.
    pub(super) fn plus(self, number: i128) -> Fraction {
        Fraction { top: self.top + number * self.bottom, bottom: self.bottom }
    }

    /// This fraction times a whole number.
    pub(super) fn times(self, number: i128) -> Fraction {
        Fraction { top: self.top * number, bottom: self.bottom }
    }

    pub(super) fn negated(self) -> Fraction {
        Fraction { top: -self.top, bottom: self.bottom }
    }

    pub(super) fn ceil(self) -> i128 {
        ceil(self.top, self.bottom)
    }
}

/// The largest whole number not above top/bottom.
pub(super) fn floor(top: i128, bottom: i128) -> i128 {
    assert!(bottom > 0, "a fraction's denominator is positive");
    top.div_euclid(bottom)
}

/// The smallest whole number not below top/bottom.
pub(super) fn ceil(top: i128, bottom: i128) -> i128 {
    -floor(-top, bottom)
}

/// Toward zero.
pub(super) fn trunc(top: i128, bottom: i128) -> i128 {
    assert!(bottom > 0, "a fraction's denominator is positive");
    top / bottom
}

/// To the nearest, ties away from zero.
pub(super) fn round_half_away(top: i128, bottom: i128) -> i128 {
    let nearest = floor(2 * top.abs() + bottom, 2 * bottom);
    if top < 0 { -nearest } else { nearest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rounding_goes_where_its_name_says() {
        for (top, down, up, to_zero, nearest) in [
            (-25, -3, -2, -2, -3), // −2.5
            (-24, -3, -2, -2, -2),
            (-20, -2, -2, -2, -2),
            (0, 0, 0, 0, 0),
            (24, 2, 3, 2, 2),
            (25, 2, 3, 2, 3),
            (26, 2, 3, 2, 3),
        ] {
            assert_eq!(floor(top, 10), down, "{top}/10");
            assert_eq!(ceil(top, 10), up, "{top}/10");
            assert_eq!(trunc(top, 10), to_zero, "{top}/10");
            assert_eq!(round_half_away(top, 10), nearest, "{top}/10");
        }
    }
}
