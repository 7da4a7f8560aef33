//! Client order ids to slots: a compact table of keyed hash tags, a third full at most.
//!
//! The table holds no ids: a tag that matches is confirmed against the order itself. Its order never
//! reaches output, state or digest. Obvious twin: a `BTreeMap` (tests of the whole engine).

use alloc::vec;
use alloc::vec::Vec;

use contract::ClOrdId;

use crate::chain::fold;

/// Tag in the high half, slot + 1 in the low; 0 is empty.
type Entry = u64;

/// Tags are not zero.
const IS_TAG: u32 = 1 << 31;

/// The tag of an id of more than eight bytes.
pub(crate) const IS_LONG: u32 = 1 << 30;

/// Client order ids to slots.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    table: Vec<Entry>,
    mask: u32,
    seed: u64,
}

impl Names {
    /// A table for `capacity` ids. Whoever knows the seed can choose ids that collide.
    pub(crate) fn new(capacity: u32, seed: u64) -> Names {
        let size = (capacity as usize * 3).next_power_of_two().max(8);
        Names { table: vec![0; size], mask: (size - 1) as u32, seed }
    }

    /// The tag of an account's id, not zero: zero is no id. Most are short, and a tag says whether it is of a long one.
    #[inline(always)]
    pub(crate) fn tag(&self, account: u32, id: &ClOrdId) -> u32 {
        let [a, b, c, d, e] = *id.words();
        let hash = fold(a ^ self.seed, u64::from(account) ^ 0x9e37_79b9_7f4a_7c15);
        if b | c | d | e == 0 {
            return (hash ^ hash >> 32) as u32 & !IS_LONG | IS_TAG;
        }
        let hash = fold(fold(hash ^ b, c ^ 0xe703_7ed1_a0b4_28db), hash ^ fold(d ^ 0x8ebc_6af0_9c88_c6e3, e ^ hash));
        (hash ^ hash >> 32) as u32 | IS_LONG | IS_TAG
    }

    /// Is nothing in the table where this tag would begin? Then it is not there.
    #[inline(always)]
    pub(crate) fn is_vacant(&self, tag: u32) -> bool {
        self.table[self.home(tag) as usize] == 0
    }

    /// Where the search for a tag begins.
    #[inline(always)]
    pub(crate) fn home(&self, tag: u32) -> u32 {
        tag & self.mask
    }

    /// The first place of this tag from `at` on, and the slot noted there: the caller confirms that it is the one
    /// meant, or goes on from [`Names::behind`].
    #[inline(always)]
    pub(crate) fn next(&self, tag: u32, mut at: u32) -> Option<(u32, u32)> {
        loop {
            let entry = self.table[at as usize];
            if entry == 0 {
                return None;
            }
            if (entry >> 32) as u32 == tag {
                return Some((at, entry as u32 - 1));
            }
            at = self.behind(at);
        }
    }

    /// The place behind.
    #[inline(always)]
    pub(crate) fn behind(&self, at: u32) -> u32 {
        (at + 1) & self.mask
    }

    /// Notes that this tag is in `slot`.
    #[inline(always)]
    pub(crate) fn insert(&mut self, tag: u32, slot: u32) {
        let mut at = tag & self.mask;
        while self.table[at as usize] != 0 {
            at = (at + 1) & self.mask;
        }
        self.table[at as usize] = u64::from(tag) << 32 | u64::from(slot + 1);
    }

    /// Where it is noted that this tag is in `slot`.
    #[inline(always)]
    pub(crate) fn place(&self, tag: u32, slot: u32) -> u32 {
        let wanted = u64::from(tag) << 32 | u64::from(slot + 1);
        let mut at = self.home(tag);
        loop {
            let entry = self.table[at as usize];
            assert!(entry != 0, "a live order's id is in the table");
            if entry == wanted {
                return at;
            }
            at = (at + 1) & self.mask;
        }
    }

    /// Forgets what is noted at a place, and closes the gap, so that no tombstones gather.
    #[inline(always)]
    pub(crate) fn remove_at(&mut self, place: u32) {
        let mut gap = place;
        let mut at = gap;
        loop {
            at = (at + 1) & self.mask;
            let entry = self.table[at as usize];
            if entry == 0 {
                break;
            }
            // An entry may move back into the gap unless its home lies between gap and it.
            let home = (entry >> 32) as u32 & self.mask;
            if (at.wrapping_sub(home) & self.mask) >= (at.wrapping_sub(gap) & self.mask) {
                self.table[gap as usize] = entry;
                gap = at;
            }
        }
        self.table[gap as usize] = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::{BTreeMap, BTreeSet};

    #[test]
    fn it_says_what_a_map_says_even_when_tags_collide() {
        let mut names = Names::new(60, 1);
        let mut map: BTreeMap<u32, u32> = BTreeMap::new(); // slot -> tag
        let mut state = 3u64;
        for _ in 0..50_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let slot = (state >> 33) as u32 % 60;
            // Few homes, so that chains form and wrap around the end.
            let tag = ((state >> 45) as u32 % 3) << 20 | (names.mask - (state >> 50) as u32 % 4);
            if let Some(tag) = map.remove(&slot) {
                names.remove_at(names.place(tag, slot));
            } else {
                names.insert(tag, slot);
                map.insert(slot, tag);
            }
            let found = |tag| {
                let mut at = names.home(tag);
                let next = || {
                    let (place, slot) = names.next(tag, at)?;
                    at = names.behind(place);
                    Some(slot)
                };
                core::iter::from_fn(next).collect::<BTreeSet<u32>>()
            };
            let tags: BTreeSet<u32> = map.values().copied().collect();
            for wanted in tags {
                let slots = map.iter().filter(|&(_, &tag)| tag == wanted).map(|(&slot, _)| slot);
                assert_eq!(found(wanted), slots.collect());
            }
        }
    }
}
