//! Random numbers that are the same for ever: the same seed, the same log, on any machine.

/// SplitMix64 (Steele, Lea, Flood 2014): sixty-four bits a throw, good enough for workloads.
#[derive(Clone, Debug)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// Dice of that seed.
    #[must_use]
    pub fn new(seed: u64) -> Dice {
        Dice { state: seed }
    }

    /// Sixty-four random bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `below` − 1.
    pub fn below(&mut self, below: u64) -> u64 {
        let wide = u128::from(self.bits()) * u128::from(below.max(1));
        (wide >> 64) as u64
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True `of` times in a thousand.
    pub fn permille(&mut self, of: u64) -> bool {
        self.below(1_000) < of
    }

    /// A distance from the touch: each octave half as likely as the one before it, so that most
    /// orders are near and a few are far, at most 8·2^7 ticks.
    pub fn distance(&mut self) -> u64 {
        let octave = u64::from(self.bits().trailing_zeros().min(7));
        let width = 8u64 << octave;
        self.below(width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_throws_the_same() {
        let mut dice = Dice::new(0);
        assert_eq!(dice.bits(), 0xe220_a839_7b1d_cdaf, "the published first value of seed 0");
        let throws = |seed| {
            std::iter::repeat_with({
                let mut d = Dice::new(seed);
                move || d.below(6)
            })
            .take(9)
            .collect::<Vec<_>>()
        };
        assert_eq!(throws(7), throws(7));
        assert_ne!(throws(7), throws(8));
        let mut dice = Dice::new(1);
        assert!((0..10_000).all(|_| dice.distance() < 1_024 && dice.between(3, 5) >= 3));
    }
}
