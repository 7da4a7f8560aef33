//! Client order ids to slots: chains of slots behind keyed hashes.
//!
//! What is here holds no ids: a tag that matches is confirmed against the order itself. The order of a chain never
//! reaches output, state or digest. Obvious twin: a `BTreeMap` (tests of the whole engine).
//!
//! Slots are taken from the lowest, so what is known of live ones lies close together; only the heads, four bytes
//! for each order there may be, are spread. An open table of tags, sparse enough to search, is eight times as large.

use alloc::vec;
use alloc::vec::Vec;

use contract::ClOrdId;

use crate::chain::fold;

/// Tags are not zero.
const IS_TAG: u32 = 1 << 31;

/// The tag of an id of more than eight bytes.
pub(crate) const IS_LONG: u32 = 1 << 30;

/// A slot + 1; 0 is none.
type Link = u32;

/// Client order ids to slots.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    heads: Vec<Link>,
    /// For each slot its tag and what is behind it.
    links: Vec<(u32, Link)>,
    mask: u32,
    seed: u64,
}

impl Names {
    /// Chains for `capacity` slots. Whoever knows the seed can choose ids that collide.
    pub(crate) fn new(capacity: u32, seed: u64) -> Names {
        let size = (2 * capacity as usize).next_power_of_two();
        Names { heads: vec![0; size], links: vec![(0, 0); capacity as usize], mask: (size - 1) as u32, seed }
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

    /// Is nothing where this tag would be? Then it is not there.
    #[inline(always)]
    pub(crate) fn is_vacant(&self, tag: u32) -> bool {
        self.heads[(tag & self.mask) as usize] == 0
    }

    /// The slot with this tag that the caller confirms: others may have the same.
    #[inline(always)]
    pub(crate) fn find(&self, tag: u32, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let mut link = self.heads[(tag & self.mask) as usize];
        while link != 0 {
            let slot = link - 1;
            let (its_tag, behind) = self.links[slot as usize];
            if its_tag == tag && is_it(slot) {
                return Some(slot);
            }
            link = behind;
        }
        None
    }

    /// A slot that may have this tag, or any.
    #[inline(always)]
    pub(crate) fn guess(&self, tag: u32) -> u32 {
        self.heads[(tag & self.mask) as usize].saturating_sub(1)
    }

    /// Notes that the order in `slot` has this tag.
    #[inline(always)]
    pub(crate) fn insert(&mut self, tag: u32, slot: u32) {
        let head = &mut self.heads[(tag & self.mask) as usize];
        self.links[slot as usize] = (tag, *head);
        *head = slot + 1;
    }

    /// Forgets the order in `slot`, which has this tag.
    #[inline(always)]
    pub(crate) fn remove(&mut self, tag: u32, slot: u32) {
        let behind = self.links[slot as usize].1;
        let head = &mut self.heads[(tag & self.mask) as usize];
        if *head == slot + 1 {
            *head = behind;
        } else {
            let ahead = *head;
            self.take_from_behind(ahead, slot, behind);
        }
    }

    /// Takes `slot` out of the chain that begins at another one.
    #[inline(never)]
    fn take_from_behind(&mut self, mut ahead: Link, slot: u32, behind: Link) {
        loop {
            let slot_ahead = ahead.checked_sub(1).expect("a live order's id is in its chain");
            let link = &mut self.links[slot_ahead as usize].1;
            if *link == slot + 1 {
                *link = behind;
                return;
            }
            ahead = *link;
        }
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
            // Few heads, so that chains form.
            let tag = ((state >> 45) as u32 % 3) << 20 | (names.mask - (state >> 50) as u32 % 4);
            if let Some(tag) = map.remove(&slot) {
                names.remove(tag, slot);
            } else {
                names.insert(tag, slot);
                map.insert(slot, tag);
            }
            let tags: BTreeSet<u32> = map.values().copied().collect();
            for wanted in tags {
                let slots = map.iter().filter(|&(_, &tag)| tag == wanted).map(|(&slot, _)| slot);
                let mut found = BTreeSet::new();
                assert_eq!(names.find(wanted, |slot| !found.insert(slot)), None);
                assert_eq!(found, slots.collect());
            }
        }
    }
}
