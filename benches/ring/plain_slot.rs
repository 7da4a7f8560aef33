//! A slot of plain memory, for the unsafe twin only.
// The question is what unsafe code would gain, so it has to be there to be measured.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;

use prefetch_index::prefetch_index;

/// Room for one value of `N` words.
#[repr(align(128))]
pub(crate) struct Slot<const N: usize>(UnsafeCell<[u64; N]>);

// SAFETY: the cursors see to it that nobody reads a slot while the producer writes it: with gating readers alone,
// and the benchmark has no others. (A lossy reader would race; that is the safe slots' whole point.) The protocol
// is that of the ring, and checked there by tests/loom.rs.
unsafe impl<const N: usize> Sync for Slot<N> {}

impl<const N: usize> Slot<N> {
    pub(crate) fn new() -> Slot<N> {
        Slot(UnsafeCell::new([0; N]))
    }

    #[inline(always)]
    pub(crate) fn store(&self, words: [u64; N]) {
        // SAFETY: called by the one producer, for a sequence below its limit: every reader has left the slot, and none
        // comes before the sequence is published.
        unsafe { *self.0.get() = words }
    }

    #[inline(always)]
    pub(crate) fn change(&self, word: usize, change: impl FnOnce(u64) -> u64) {
        // SAFETY: as for `store`; what is changed is not published yet.
        let words = unsafe { &mut *self.0.get() };
        words[word] = change(words[word]);
    }

    #[inline(always)]
    pub(crate) fn prefetch(&self) {
        // SAFETY: a slice of nothing, which may lie anywhere.
        let nothing: &[u64] = unsafe { std::slice::from_raw_parts(self.0.get().cast(), 0) };
        for word in (0..N).step_by(8) {
            prefetch_index(nothing, word);
        }
    }

    #[inline(always)]
    pub(crate) fn load(&self) -> [u64; N] {
        // SAFETY: called by a gating reader, for a sequence that is published and not yet released: nobody writes.
        unsafe { *self.0.get() }
    }
}
