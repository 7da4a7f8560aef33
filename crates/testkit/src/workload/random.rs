//! Numbers that are the same on every machine: PCG 64, and whole-number ways of drawing from it.

use rand_core::Rng;
use rand_pcg::Pcg64;

/// A seeded source of choices.
pub(super) struct Random(Pcg64);

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        Random(Pcg64::new(u128::from(seed) << 64 | 0x9e37_79b9_7f4a_7c15, 0x0da3_e39c_b94b_95bb))
    }

    /// A number below `end`, which is positive.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        // The bias of the product is below 2^-32 for every range drawn here.
        ((u128::from(self.0.next_u64()) * u128::from(end)) >> 64) as u64
    }

    /// A number from `first` to `last`.
    pub(super) fn within(&mut self, first: i64, last: i64) -> i64 {
        first + self.below((last - first + 1) as u64) as i64
    }

    /// True in `n` of a thousand cases.
    pub(super) fn per_mille(&mut self, n: u64) -> bool {
        self.below(1_000) < n
    }

    /// One of these.
    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    /// The index of a weight, each as likely as it is heavy.
    pub(super) fn weighted(&mut self, weights: &[u64]) -> usize {
        let mut at = self.below(weights.iter().sum());
        for (index, &weight) in weights.iter().enumerate() {
            if at < weight {
                return index;
            }
            at -= weight;
        }
        unreachable!("a draw below the sum of the weights meets one of them")
    }

    /// A size between two powers of two, each power as likely as another.
    pub(super) fn magnitude(&mut self, lowest: u32, highest: u32) -> i64 {
        let power = self.within(i64::from(lowest), i64::from(highest) - 1) as u32;
        let base = 1i64 << power;
        base + self.below(base as u64) as i64
    }

    /// Nearer to zero more often: 0 to `last`.
    pub(super) fn small(&mut self, last: u64) -> i64 {
        let (a, b) = (self.below(last + 1), self.below(last + 1));
        a.min(b) as i64
    }
}
