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

    /// The tag of an account's id, not zero: zero is no id.
    #[inline(always)]
    pub(crate) fn tag(&self, account: u32, id: &ClOrdId) -> u32 {
        let [a, b, c, d, e] = *id.words();
        let mut hash = fold(a ^ self.seed, u64::from(account) ^ 0x9e37_79b9_7f4a_7c15);
        if b | c | d | e != 0 {
            // Most names are short.
            hash = fold(fold(hash ^ b, c ^ 0xe703_7ed1_a0b4_28db), hash ^ fold(d ^ 0x8ebc_6af0_9c88_c6e3, e ^ hash));
        }
        (hash ^ hash >> 32) as u32 | 1 << 31
    }

    /// Where the search for a tag begins.
    #[inline(always)]
    pub(crate) fn home(&self, tag: u32) -> u32 {
        tag & self.mask
    }

    /// The next slot with this tag from `at` on, which moves behind it: the caller confirms that it is the
    /// one meant.
    #[inline(always)]
    pub(crate) fn next(&self, tag: u32, at: &mut u32) -> Option<u32> {
        loop {
            let entry = self.table[*at as usize];
            if entry == 0 {
                return None;
            }
            *at = (*at + 1) & self.mask;
            if (entry >> 32) as u32 == tag {
                return Some(entry as u32 - 1);
            }
        }
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

    /// Forgets that this tag is in `slot`, and closes the gap, so that no tombstones gather.
    #[inline(always)]
    pub(crate) fn remove(&mut self, tag: u32, slot: u32) {
        let wanted = u64::from(tag) << 32 | u64::from(slot + 1);
        let mut gap = tag & self.mask;
        loop {
            let entry = self.table[gap as usize];
            assert!(entry != 0, "a live order's id is in the table");
            if entry == wanted {
                break;
            }
            gap = (gap + 1) & self.mask;
        }
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
                names.remove(tag, slot);
            } else {
                names.insert(tag, slot);
                map.insert(slot, tag);
            }
            let found = |tag| {
                let mut at = names.home(tag);
                core::iter::from_fn(|| names.next(tag, &mut at)).collect::<BTreeSet<u32>>()
            };
            let tags: BTreeSet<u32> = map.values().copied().collect();
            for wanted in tags {
                let slots = map.iter().filter(|&(_, &tag)| tag == wanted).map(|(&slot, _)| slot);
                assert_eq!(found(wanted), slots.collect());
            }
        }
    }
}
