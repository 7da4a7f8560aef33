//! The client's own name for an order.

use core::fmt;

use crate::words::{Wire, Words};

/// The client's own name of an order: 1 to 36 bytes of printable ASCII, unique among the account's
/// live orders; all zero where the client gave none. (Rule ID-1)
///
/// ```
/// use centum_contract::ClOrdId;
/// let id = ClOrdId::new("alice-1").unwrap();
/// assert_eq!(id.to_string(), "alice-1");
/// assert!(ClOrdId::new("").is_none() && ClOrdId::new("ünwise").is_none());
/// ```
#[derive(Clone, Copy, Eq, Hash, Default)]
#[expect(clippy::derived_hash_with_manual_eq, reason = "equal words hash alike")]
pub struct ClOrdId {
    /// The bytes in order, little-endian; the upper half of the last word is zero.
    words: [u64; 5],
}

/// Bytes a client order id may have.
pub const CL_ORD_ID_BYTES: usize = 36;

/// Word by word: a call to compare forty bytes costs more than the bytes.
impl PartialEq for ClOrdId {
    #[inline(always)]
    fn eq(&self, other: &ClOrdId) -> bool {
        let ([a, b, c, d, e], [p, q, r, s, t]) = (self.words, other.words);
        (a ^ p) | (b ^ q) | (c ^ r) | (d ^ s) | (e ^ t) == 0
    }
}

impl ClOrdId {
    /// The client gave none.
    pub const NONE: ClOrdId = ClOrdId { words: [0; 5] };

    /// The id with this text; `None` when it is empty, too long or not printable ASCII.
    #[must_use]
    pub fn new(text: &str) -> Option<ClOrdId> {
        let bytes = text.as_bytes();
        if bytes.is_empty() || bytes.len() > CL_ORD_ID_BYTES {
            return None;
        }
        let mut words = [0u64; 5];
        for (i, &byte) in bytes.iter().enumerate() {
            words[i / 8] |= u64::from(byte) << (8 * (i % 8));
        }
        let id = ClOrdId { words };
        id.is_valid().then_some(id)
    }

    /// Did the client give none?
    #[inline(always)]
    #[must_use]
    pub fn is_none(&self) -> bool {
        let [a, b, c, d, e] = self.words;
        a | b | c | d | e == 0
    }

    /// Is it printable ASCII, without a gap, from the first byte on? Bytes come from outside.
    #[inline(always)]
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let [a, b, c, d, e] = self.words;
        if b | c | d | e == 0 {
            // Most names are short.
            return Self::is_short(a);
        }
        Self::is_valid_long(a, b, c, d, e)
    }

    /// Word by word: a reference would keep the whole order that the name is part of in memory.
    #[inline(never)]
    fn is_valid_long(a: u64, b: u64, c: u64, d: u64, e: u64) -> bool {
        a != 0
            && e >> 32 == 0
            && Self::is_run(a, b)
            && Self::is_run(b, c)
            && Self::is_run(c, d)
            && Self::is_run(d, e)
            && Self::is_run(e, 0)
    }

    /// Are the bytes of a word printable up to the last one in use, and is there one? Those behind it are filled
    /// with spaces; then each byte is in range where neither it, nor one more, nor a space less has its top bit
    /// set. (A borrow or carry into the next byte begins in one that is out of range.)
    #[inline(always)]
    const fn is_short(word: u64) -> bool {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const SPACES: u64 = 0x20 * ONES;
        let Some(top_bit) = word.checked_ilog2() else { return false };
        let filled = word | SPACES << 8 << (top_bit & 0x38);
        (filled | filled.wrapping_add(ONES) | filled.wrapping_sub(SPACES)) & (0x80 * ONES) == 0
    }

    /// Are the eight bytes of `word` printable up to a first zero, all zero after it, and `next` zero unless
    /// all eight are in use? Eight bytes at a time, each kept in its own lane.
    #[inline(always)]
    const fn is_run(word: u64, next: u64) -> bool {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGH: u64 = 0x80 * ONES;
        const LOW: u64 = 0x7f * ONES;
        if word == 0 {
            return next == 0;
        }
        let low = word & LOW;
        let in_use = low.wrapping_add(LOW) & HIGH; // 1 to 0x7f
        let from_space = low.wrapping_add(0x60 * ONES) & HIGH; // 0x20 to 0x7f
        let delete = low.wrapping_add(ONES) & HIGH; // 0x7f
        let bytes_in_use = (in_use >> 7).wrapping_mul(0xff);
        let has_gap = bytes_in_use & bytes_in_use.wrapping_add(1);
        let is_full = bytes_in_use == u64::MAX;
        (word & HIGH) | (in_use & !from_space) | delete | has_gap == 0 && (is_full || next == 0)
    }

    /// The name of these words, whatever they say: what [`words`](ClOrdId::words) gave before.
    #[inline(always)]
    #[must_use]
    pub const fn from_words(words: [u64; 5]) -> ClOrdId {
        ClOrdId { words }
    }

    /// The five words, for hashing; the last is below 2^32.
    #[inline(always)]
    #[must_use]
    pub const fn words(&self) -> &[u64; 5] {
        &self.words
    }

    /// Its bytes, padded with zeros.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; CL_ORD_ID_BYTES] {
        core::array::from_fn(|i| (self.words[i / 8] >> (8 * (i % 8))) as u8)
    }
}

impl fmt::Display for ClOrdId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.to_bytes().into_iter().take_while(|&byte| byte != 0) {
            fmt::Write::write_char(f, char::from(byte))?;
        }
        Ok(())
    }
}

impl fmt::Debug for ClOrdId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl Wire for ClOrdId {
    const SIZE: usize = CL_ORD_ID_BYTES;
    #[inline(always)]
    fn get(words: &Words, offset: usize) -> Self {
        let first = offset / 8;
        let last = words[first + 4] & 0xffff_ffff;
        ClOrdId { words: [words[first], words[first + 1], words[first + 2], words[first + 3], last] }
    }
    #[inline(always)]
    fn put(self, words: &mut Words, offset: usize) {
        let first = offset / 8;
        let [a, b, c, d, e] = self.words;
        words[first] |= a;
        words[first + 1] |= b;
        words[first + 2] |= c;
        words[first + 3] |= d;
        words[first + 4] |= e;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The quick check of a short name says what the long one says: every byte at every place, after every length.
    #[test]
    fn a_short_name_is_checked_as_a_long_one() {
        for length in 0..8 {
            for place in 0..8 {
                for byte in 0..=255u64 {
                    let letters = if length == 0 { 0 } else { 0x6161_6161_6161_6161 >> (64 - 8 * length) };
                    let word = letters & !(0xff << (8 * place)) | byte << (8 * place);
                    if word != 0 {
                        assert_eq!(ClOrdId::is_short(word), ClOrdId::is_run(word, 0), "{word:016x}");
                    }
                }
            }
        }
    }

    #[test]
    fn id_1_one_to_36_bytes_of_printable_ascii() {
        for (text, good) in [
            ("", false),
            ("a", true),
            (" ", true),
            ("~", true),
            ("\u{7f}", false),
            ("\u{1f}", false),
            ("12345678", true),
            ("123456789", true),
            ("123456789012345678901234567890123456", true),
            ("1234567890123456789012345678901234567", false),
            ("abc\u{1}def", false),
            ("é", false),
            ("1234567\u{7f}", false),
        ] {
            assert_eq!(ClOrdId::new(text).is_some(), good, "{text:?}");
        }
        // A gap inside, which only bytes from outside can have.
        assert!(!ClOrdId { words: [0x61_00_61, 0, 0, 0, 0] }.is_valid());
        assert!(!ClOrdId { words: [0x61, 0x61, 0, 0, 0] }.is_valid());
        assert!(!ClOrdId { words: [0, 0, 0, 0, 0] }.is_valid());
        assert!(
            !ClOrdId {
                words: [u64::MAX / 255 * 97, u64::MAX / 255 * 97, u64::MAX / 255 * 97, u64::MAX / 255 * 97, 0x61 << 32]
            }
            .is_valid()
        );
    }
}
