//! A slot: the words of one value, each by itself an atomic.
//!
//! Words are written and read relaxed, which costs what plain words cost, word by word. Their order is the
//! business of the cursors. Whoever reads while the producer writes gets a mixture of two values and no
//! undefined behaviour; that it was one, the ring's `claimed` says.

use std::sync::atomic::Ordering::Relaxed;

use prefetch_index::prefetch_index;

use super::sync::AtomicU64;

/// Room for one value of `N` words. Values of up to two cache lines share none with their neighbours, nor a pair of
/// lines that the processor fetches together.
#[repr(align(128))]
pub(crate) struct Slot<const N: usize>([AtomicU64; N]);

impl<const N: usize> Slot<N> {
    pub(crate) fn new() -> Slot<N> {
        Slot(std::array::from_fn(|_| AtomicU64::new(0)))
    }

    #[inline(always)]
    pub(crate) fn store(&self, words: [u64; N]) {
        for (atom, word) in self.0.iter().zip(words) {
            atom.store(word, Relaxed);
        }
    }

    /// Changes one word; for the producer alone, before it publishes.
    #[inline(always)]
    pub(crate) fn change(&self, word: usize, change: impl FnOnce(u64) -> u64) {
        let word = &self.0[word];
        word.store(change(word.load(Relaxed)), Relaxed);
    }

    /// Asks the processor for the slot's cache lines: a hint, which reads nothing and orders nothing.
    ///
    /// A load is no substitute: it takes part in the order of loads, so whenever the line is taken away again the
    /// processor throws away what it did since.
    #[inline(always)]
    pub(crate) fn prefetch(&self) {
        for word in (0..N).step_by(8) {
            prefetch_index(&self.0, word);
        }
    }

    #[inline(always)]
    pub(crate) fn load(&self) -> [u64; N] {
        std::array::from_fn(|i| self.0[i].load(Relaxed))
    }
}
