//! Choices that are the same on every machine.

use rand_core::Rng;
use rand_pcg::Pcg64;

/// A seeded source of choices, in whole numbers.
pub struct Dice(Pcg64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(Pcg64::new(u128::from(seed) << 64 | 0x5eed_de30, 0x0da3_e39c_b94b_95bb))
    }

    /// A number from `first` to `last`.
    pub fn within(&mut self, first: u64, last: u64) -> u64 {
        // The bias of the product is below 2^-32 for every range drawn here.
        first + ((u128::from(self.0.next_u64()) * u128::from(last - first + 1)) >> 64) as u64
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.within(0, of.len() as u64 - 1) as usize]
    }
}
