//! Hashes: the chain over commands and events, and the digest of the whole state.
//!
//! Both are the same on any machine: 64-bit multiplications folded to 64 bits, no table, no seed from
//! outside. They find divergence; they do not resist an adversary.

use contract::Command;
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
/// Of commands two sums for either half of their words: of the words, and of those sums as they grow, so that each
/// word has a weight of its own; once a command the latter are shifted into themselves, which no sum undoes. Two words at a time, as vector units like
/// it, for a command lies in memory as a whole.
/// Of events, whose words are just being made, two lanes, each of which takes every other word: one is added, the next
/// one flips bits, then the lane rotates; and once an event it is multiplied by an odd constant (of 31 bits: such a one
/// fits into the instruction).
/// Each step can be undone, so a difference once in is never lost by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C, align(16))]
pub(crate) struct Chain {
    sums: [u64; 2],
    weighted: [u64; 2],
    lanes: [u64; 2],
}

impl Chain {
    /// Nothing taken in yet.
    pub(crate) const fn new() -> Chain {
        Chain { sums: [KEYS[2], KEYS[3]], weighted: [KEYS[4], KEYS[5]], lanes: [KEYS[0], KEYS[1]] }
    }

    /// As it was when it had these words.
    pub(crate) const fn from_words([a, b, c, d, e, f]: [u64; 6]) -> Chain {
        Chain { sums: [a, b], weighted: [c, d], lanes: [e, f] }
    }

    /// Its words, for digest and snapshot.
    pub(crate) const fn words(&self) -> [u64; 6] {
        let ([a, b], [c, d], [e, f]) = (self.sums, self.weighted, self.lanes);
        [a, b, c, d, e, f]
    }

    /// One more command. A function of its own: only so is it done two words at a time.
    #[inline(never)]
    pub(crate) fn command(&mut self, command: &Command) {
        let Chain { sums, weighted, .. } = self;
        for (at, word) in command.words().iter().enumerate() {
            let half = at % 2;
            sums[half] = sums[half].wrapping_add(*word);
            weighted[half] = weighted[half].wrapping_add(sums[half]);
        }
        for half in 0..2 {
            // Once more than there are words: an even weight would lose a high bit that is changed in each command.
            weighted[half] = weighted[half].wrapping_add(sums[half]);
            weighted[half] ^= weighted[half] >> 29;
        }
    }

    /// One more event. Its first two words, sequence and stamp, are its command's.
    #[inline(always)]
    pub(crate) fn event(&mut self, words: &Words) {
        let lane = |lane: u64, first: usize| {
            let mut sum = lane.wrapping_add(words[first]) ^ words[first + 2];
            sum = sum.rotate_left(25).wrapping_add(words[first + 4]) ^ words[first + 6];
            sum = sum.rotate_left(37).wrapping_add(words[first + 8]) ^ words[first + 10];
            sum.rotate_left(23).wrapping_add(words[first + 12])
        };
        let [a, b] = self.lanes;
        self.lanes = [lane(a, 2).wrapping_mul(FACTORS[0]), lane(b, 3).wrapping_mul(FACTORS[1])];
    }

    /// The hash of everything taken in.
    pub(crate) const fn value(&self) -> u64 {
        let ([a, b], [c, d], [e, f]) = (self.sums, self.weighted, self.lanes);
        let commands =
            fold(fold(a ^ KEYS[2], c.rotate_left(32) ^ KEYS[3]), fold(b ^ KEYS[0], d.rotate_left(32) ^ KEYS[1]));
        let events = fold(e ^ KEYS[4], f.rotate_left(32) ^ KEYS[5]);
        fold(commands ^ KEYS[1], events ^ KEYS[3])
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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn chain_of(commands: &[Words]) -> u64 {
        let mut chain = Chain::new();
        for words in commands {
            chain.command(&Command::from_words(*words));
            chain.event(words);
        }
        chain.value()
    }

    /// Each bit of a command counts, and so does its place among words and among commands: flipped, exchanged, or
    /// added here and taken off there, here again or in another command, and the chain is another.
    #[test]
    fn sum_8_nothing_goes_by_the_chain_unseen() {
        let words: Words = core::array::from_fn(|i| 1_000 + 7 * i as u64);
        let log = [words, words.map(|word| word + 1), [0; 16]];
        let chain = chain_of(&log);
        let changed = |what: &str, f: &dyn Fn(&mut [Words])| {
            let mut other = log;
            f(&mut other);
            assert_ne!(chain_of(&other), chain, "{what}");
        };
        for (command, word) in (0..3).flat_map(|command| (0..16).map(move |word| (command, word))) {
            for bit in 0..64 {
                changed(&format!("bit {bit} of word {word} of command {command}"), &|log| {
                    log[command][word] ^= 1 << bit
                });
                changed(&format!("bit {bit} of word {word}, in all commands"), &|log| {
                    log.iter_mut().for_each(|words| words[word] ^= 1 << bit);
                });
            }
            for (other, to) in (0..3).flat_map(|other| (0..16).map(move |to| (other, to))) {
                if (other, to) != (command, word) {
                    changed(&format!("5 from word {to} of {other} to word {word} of {command}"), &|log| {
                        log[command][word] += 5;
                        log[other][to] = log[other][to].wrapping_sub(5);
                    });
                }
            }
        }
        for command in 0..3 {
            changed("exchanged", &|log| log.swap(command, (command + 1) % 3));
        }
    }

    /// The same of events: each bit counts, two words that are exchanged are seen, and so is what is added to one and
    /// taken off another, over and over. (Where the two words meet in a lane before it rotates one time of four may be
    /// missed: what is added may flip the very bits that the other flips.)
    #[test]
    fn sum_8_events_go_by_no_less_unseen() {
        let event =
            |n: u64| -> Words { core::array::from_fn(|i| if i < 2 { 0 } else { n * 1_000_003 + 977 * i as u64 }) };
        let chain_of = |change: &dyn Fn(u64, &mut Words)| {
            let mut chain = Chain::new();
            for n in 1..=24 {
                let mut words = event(n);
                change(n, &mut words);
                chain.event(&words);
            }
            chain.value()
        };
        let plain = chain_of(&|_, _| ());
        for word in 2..16 {
            for bit in 0..64 {
                let once = chain_of(&|n, words| words[word] ^= u64::from(n == 2) << bit);
                assert_ne!(once, plain, "bit {bit} of word {word} of one event");
            }
            for other in (2..16).filter(|other| *other != word) {
                let swapped = chain_of(&|n, words| {
                    if n == 2 {
                        words.swap(word, other);
                    }
                });
                assert_ne!(swapped, plain, "words {word} and {other} exchanged");
                for by in [1, 5, 100] {
                    let moved = chain_of(&|_, words| {
                        words[word] += by;
                        words[other] -= by;
                    });
                    assert_ne!(moved, plain, "{by} from word {other} to word {word} of each event");
                }
            }
        }
    }
}
