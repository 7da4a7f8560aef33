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

/// Odd constants.
const KEYS: [u64; 6] = [
    0x9e37_79b9_7f4a_7c15,
    0xbf58_476d_1ce4_e5b9,
    0x94d0_49bb_1331_11eb,
    0xd6e8_feb8_6659_fd93,
    0xa076_1d64_78bd_642f,
    0xe703_7ed1_a0b4_28db,
];

/// Odd factors of 31 bits.
const FACTORS: [u64; 2] = [0x5bd1_e995, 0x6c62_272f];

/// The chain: a running hash over commands and events. (Design §3, Chain and digest)
///
/// Two lanes, each of which takes every other word: add and rotate, and once a record multiply by an odd
/// constant (of 31 bits: such a one fits into the instruction). Each step is a bijection of its lane, so a
/// difference once in is never lost by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain {
    lanes: [u64; 2],
}

impl Chain {
    /// Nothing taken in yet.
    pub(crate) const fn new() -> Chain {
        Chain { lanes: [KEYS[0], KEYS[1]] }
    }

    /// As it was when it had these lanes.
    pub(crate) const fn from_lanes(lanes: [u64; 2]) -> Chain {
        Chain { lanes }
    }

    /// One more command.
    #[inline(always)]
    pub(crate) fn command(&mut self, words: &Words) {
        let [a, b] = self.lanes;
        self.lanes = [a.wrapping_add(words[0]).rotate_left(7), b.wrapping_add(words[1]).rotate_left(11)];
        self.event(words);
    }

    /// One more event. Its first two words, sequence and stamp, are its command's.
    #[inline(always)]
    pub(crate) fn event(&mut self, words: &Words) {
        let lane = |lane: u64, first: usize| {
            let mut sum = lane.wrapping_add(words[first]);
            sum = sum.rotate_left(25).wrapping_add(words[first + 2]);
            sum = sum.rotate_left(19).wrapping_add(words[first + 4]);
            sum = sum.rotate_left(37).wrapping_add(words[first + 6]);
            sum = sum.rotate_left(29).wrapping_add(words[first + 8]);
            sum = sum.rotate_left(23).wrapping_add(words[first + 10]);
            sum.rotate_left(31).wrapping_add(words[first + 12])
        };
        let [a, b] = self.lanes;
        self.lanes = [lane(a, 2).wrapping_mul(FACTORS[0]), lane(b, 3).wrapping_mul(FACTORS[1])];
    }

    /// The hash of everything taken in.
    pub(crate) const fn value(&self) -> u64 {
        let [a, b] = self.lanes;
        let low = fold(a ^ KEYS[4], b.rotate_left(32) ^ KEYS[5]);
        fold(low ^ KEYS[2], KEYS[3])
    }

    /// The lanes, for digest and snapshot.
    pub(crate) const fn lanes(&self) -> [u64; 2] {
        self.lanes
    }
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
