//! A set of small integers with a quick "next above" and "next below": words of 64, and three layers of
//! summaries above them that are touched only when a word goes from or to zero.

use alloc::vec;
use alloc::vec::Vec;

/// A set of integers below a fixed bound.
#[derive(Clone, Debug)]
pub(crate) struct Bits {
    layers: [Vec<u64>; 4],
}

impl Bits {
    /// The empty set of integers below `bound`.
    pub(crate) fn new(bound: usize) -> Bits {
        let mut words = bound;
        let layers = core::array::from_fn(|_| {
            words = words.div_ceil(64).max(1);
            vec![0u64; words]
        });
        Bits { layers }
    }

    /// The set of all integers below `bound`.
    pub(crate) fn full(bound: usize) -> Bits {
        let mut bits = Bits::new(bound);
        let mut count = bound;
        for layer in &mut bits.layers {
            for (i, word) in layer.iter_mut().enumerate() {
                let left = count.saturating_sub(64 * i);
                *word = if left >= 64 { u64::MAX } else { (1u64 << left) - 1 };
            }
            count = count.div_ceil(64);
        }
        bits
    }

    /// Puts `i` in.
    #[inline(always)]
    pub(crate) fn insert(&mut self, i: u32) {
        let mut at = i as usize;
        for layer in &mut self.layers {
            let word = &mut layer[at / 64];
            let before = *word;
            *word = before | 1 << (at % 64);
            if before != 0 {
                return;
            }
            at /= 64;
        }
    }

    /// Takes `i` out.
    #[inline(always)]
    pub(crate) fn remove(&mut self, i: u32) {
        let mut at = i as usize;
        for layer in &mut self.layers {
            let word = &mut layer[at / 64];
            *word &= !(1 << (at % 64));
            if *word != 0 {
                return;
            }
            at /= 64;
        }
    }

    /// Is `i` in?
    #[cfg(test)]
    pub(crate) fn contains(&self, i: u32) -> bool {
        self.layers[0][i as usize / 64] & 1 << (i % 64) != 0
    }

    /// The least member.
    #[inline(always)]
    pub(crate) fn first(&self) -> Option<u32> {
        self.at_or_above(0)
    }

    /// The least member that is `i` or above.
    #[inline]
    pub(crate) fn at_or_above(&self, i: u32) -> Option<u32> {
        let mut at = i as usize;
        for depth in 0..4 {
            let word = self.layers[depth].get(at / 64)? & (u64::MAX << (at % 64));
            if word != 0 {
                return Some(self.descend(depth, at / 64 * 64 + word.trailing_zeros() as usize, false));
            }
            at = at / 64 + 1;
        }
        self.layers[3]
            .iter()
            .enumerate()
            .skip(at)
            .find_map(|(i, &word)| (word != 0).then(|| self.descend(3, i * 64 + word.trailing_zeros() as usize, false)))
    }

    /// The greatest member that is `i` or below.
    #[inline]
    pub(crate) fn at_or_below(&self, i: u32) -> Option<u32> {
        let mut at = i as usize;
        for depth in 0..4 {
            let word = self.layers[depth].get(at / 64)? & (u64::MAX >> (63 - at % 64));
            if word != 0 {
                return Some(self.descend(depth, at / 64 * 64 + 63 - word.leading_zeros() as usize, true));
            }
            at = (at / 64).checked_sub(1)?;
        }
        self.layers[3].iter().enumerate().take(at + 1).rev().find_map(|(i, &word)| {
            (word != 0).then(|| self.descend(3, i * 64 + 63 - word.leading_zeros() as usize, true))
        })
    }

    /// From a member of a summary down to the member of the set at its low or high end.
    #[inline(always)]
    fn descend(&self, mut depth: usize, mut at: usize, high: bool) -> u32 {
        while depth > 0 {
            depth -= 1;
            let word = self.layers[depth][at];
            at = at * 64 + if high { 63 - word.leading_zeros() as usize } else { word.trailing_zeros() as usize };
        }
        at as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    /// The twin is a `BTreeSet`.
    #[test]
    fn it_says_what_a_tree_says() {
        for bound in [1u32, 63, 64, 65, 5_000, 300_000, 20_000_000] {
            let (mut bits, mut tree) = (Bits::new(bound as usize), BTreeSet::new());
            let mut state = u64::from(bound) | 1;
            for step in 0..6_000 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let i = ((state >> 33) as u32) % bound;
                // Clustered half of the time, so that words fill and empty.
                let i = if step % 2 == 0 { i % (1 + bound / 100) } else { i };
                if state % 5 < 2 {
                    bits.insert(i);
                    tree.insert(i);
                } else {
                    bits.remove(i);
                    tree.remove(&i);
                }
                assert_eq!(bits.contains(i), tree.contains(&i));
                let probe = ((state >> 13) as u32) % bound;
                assert_eq!(bits.at_or_above(probe), tree.range(probe..).next().copied(), "{bound} {probe}");
                assert_eq!(bits.at_or_below(probe), tree.range(..=probe).next_back().copied(), "{bound} {probe}");
                assert_eq!(bits.first(), tree.first().copied());
            }
        }
    }

    #[test]
    fn a_full_set_gives_the_lowest_first() {
        for bound in [1usize, 64, 65, 5_000] {
            let mut bits = Bits::full(bound);
            for i in 0..bound as u32 {
                assert_eq!(bits.first(), Some(i));
                bits.remove(i);
            }
            assert_eq!(bits.first(), None);
        }
    }
}
