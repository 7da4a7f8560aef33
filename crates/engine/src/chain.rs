//! Hashes: the chain over commands and events, and the digest of the whole state.
//!
//! Both are the same on any machine: 64-bit multiplications folded to 64 bits, no table, no seed from
//! outside. They find divergence; they do not resist an adversary.

use contract::words::Words;

/// Both halves of a product, folded: cheap, and every bit of either factor matters.
#[inline(always)]
pub(crate) const fn fold(a: u64, b: u64) -> u64 {
    let product = (a as u128).wrapping_mul(b as u128);
    product as u64 ^ (product >> 64) as u64
}

/// Odd constants, one for each word of a record, so that words cannot change places unseen.
const KEYS: [u64; 16] = {
    let mut keys = [0; 16];
    let mut state = 0x243f_6a88_85a3_08d3u64;
    let mut i = 0;
    while i < 16 {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        keys[i] = (state ^ state >> 29) | 1;
        i += 1;
    }
    keys
};

/// The chain after one more record. (Design §3, Chain and digest)
#[inline(always)]
pub(crate) fn link(chain: u64, words: &Words) -> u64 {
    let mut sum = 0u64;
    let mut i = 0;
    while i < 16 {
        sum = sum.wrapping_add(fold(words[i] ^ KEYS[i], words[i + 1] ^ KEYS[i + 1]));
        i += 2;
    }
    fold(chain ^ sum, KEYS[3]) ^ sum.rotate_left(32)
}

/// Takes the state in, word by word, in canonical order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Digest(u64);

impl Digest {
    /// Nothing taken in yet.
    pub(crate) const fn new() -> Digest {
        Digest(KEYS[0])
    }

    /// One word.
    #[inline]
    pub(crate) const fn word(&mut self, word: u64) {
        self.0 = fold(self.0 ^ word, KEYS[1]) ^ self.0.rotate_left(23);
    }

    /// One signed word.
    pub(crate) const fn signed(&mut self, word: i64) {
        self.word(word as u64);
    }

    /// The hash of everything taken in.
    pub(crate) const fn finish(self) -> u64 {
        fold(self.0 ^ KEYS[2], KEYS[5])
    }
}
