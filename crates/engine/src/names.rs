//! Client order ids to slots: chains of slots behind keyed hashes.
//!
//! What is here holds no ids: whatever lies in a tag's chain is confirmed against the order itself, which holds the link
//! to the next one too. The order of a chain never reaches output, state or digest. Obvious twin: a `BTreeMap` (tests of
//! the whole engine).
//!
//! No slot is taken for the first time while another is free, so what is known of live ones lies close together; only the
//! heads, eight to sixteen bytes for each order there may be, are spread.

use alloc::vec;
use alloc::vec::Vec;

use contract::ClOrdId;

use crate::chain::fold;

/// Tags are not zero.
const IS_TAG: u32 = 1 << 31;

/// A slot + 1; 0 is none.
pub(crate) type Link = u32;

/// What is behind each slot in its chain, kept by whoever keeps what the slots are.
pub(crate) trait Links {
    /// What is behind a slot.
    fn behind(&self, slot: u32) -> Link;
    /// The same, to be changed.
    fn behind_mut(&mut self, slot: u32) -> &mut Link;
}

/// Client order ids to slots.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    heads: Vec<Link>,
    mask: u32,
    seed: u64,
}

impl Names {
    /// Chains for `capacity` slots. Whoever knows the seed can choose ids that collide.
    pub(crate) fn new(capacity: u32, seed: u64) -> Names {
        let size = (2 * capacity as usize).next_power_of_two();
        Names { heads: vec![0; size], mask: (size - 1) as u32, seed }
    }

    /// The tag of an account's id, not zero: zero is no id.
    #[inline(always)]
    pub(crate) fn tag(&self, account: u32, id: &ClOrdId) -> u32 {
        let [a, b, c, d, e] = *id.words();
        let hash = fold(a ^ self.seed, u64::from(account) ^ 0x9e37_79b9_7f4a_7c15);
        if b | c | d | e == 0 {
            return (hash ^ hash >> 32) as u32 | IS_TAG;
        }
        let hash = fold(fold(hash ^ b, c ^ 0xe703_7ed1_a0b4_28db), hash ^ fold(d ^ 0x8ebc_6af0_9c88_c6e3, e ^ hash));
        (hash ^ hash >> 32) as u32 | IS_TAG
    }

    /// Is nothing where this tag would be? Then it is not there.
    #[inline(always)]
    pub(crate) fn is_vacant(&self, tag: u32) -> bool {
        self.heads[(tag & self.mask) as usize] == 0
    }

    /// The slot with this tag that the caller confirms: others lie in the same chain. Most often it is the first.
    #[inline(always)]
    pub(crate) fn find(&self, tag: u32, links: &impl Links, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let first = self.heads[(tag & self.mask) as usize].checked_sub(1)?;
        if is_it(first) {
            return Some(first);
        }
        let behind = links.behind(first);
        if behind == 0 { None } else { find_behind(behind, links, is_it) }
    }

    /// A slot that may have this tag, or any.
    #[inline(always)]
    pub(crate) fn guess(&self, tag: u32) -> u32 {
        self.heads[(tag & self.mask) as usize].saturating_sub(1)
    }

    /// Notes that the order in `slot` has this tag.
    #[inline(always)]
    pub(crate) fn insert(&mut self, tag: u32, slot: u32, links: &mut impl Links) {
        let head = &mut self.heads[(tag & self.mask) as usize];
        *links.behind_mut(slot) = *head;
        *head = slot + 1;
    }

    /// Forgets the order in `slot`, which has this tag and that link behind it.
    #[inline(always)]
    pub(crate) fn remove(&mut self, tag: u32, slot: u32, behind: Link, links: &mut impl Links) {
        let head = &mut self.heads[(tag & self.mask) as usize];
        if *head == slot + 1 {
            *head = behind;
        } else {
            take_from_behind(*head, slot, behind, links);
        }
    }
}

/// The slot that the caller confirms, from this link on.
#[inline(never)]
fn find_behind(mut link: Link, links: &impl Links, is_it: impl Fn(u32) -> bool) -> Option<u32> {
    loop {
        let slot = link.checked_sub(1)?;
        if is_it(slot) {
            return Some(slot);
        }
        link = links.behind(slot);
    }
}

/// Takes `slot` out of the chain that begins at another one.
#[inline(never)]
fn take_from_behind(mut ahead: Link, slot: u32, behind: Link, links: &mut impl Links) {
    loop {
        let link = links.behind_mut(ahead.checked_sub(1).expect("a live order's id is in its chain"));
        if *link == slot + 1 {
            *link = behind;
            return;
        }
        ahead = *link;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::{BTreeMap, BTreeSet};
    use core::cell::RefCell;

    impl Links for Vec<Link> {
        fn behind(&self, slot: u32) -> Link {
            self[slot as usize]
        }

        fn behind_mut(&mut self, slot: u32) -> &mut Link {
            &mut self[slot as usize]
        }
    }

    #[test]
    fn it_says_what_a_map_says_even_when_tags_collide() {
        let (mut names, mut links) = (Names::new(60, 1), vec![0; 60]);
        let mut map: BTreeMap<u32, u32> = BTreeMap::new(); // slot -> tag
        let mut state = 3u64;
        for _ in 0..50_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let slot = (state >> 33) as u32 % 60;
            // Few heads, so that chains form.
            let tag = ((state >> 45) as u32 % 3) << 20 | (names.mask - (state >> 50) as u32 % 4);
            if let Some(tag) = map.remove(&slot) {
                names.remove(tag, slot, links[slot as usize], &mut links);
            } else {
                names.insert(tag, slot, &mut links);
                map.insert(slot, tag);
            }
            let tags: BTreeSet<u32> = map.values().copied().collect();
            for wanted in tags {
                let slots = map.iter().filter(|&(_, &tag)| tag == wanted).map(|(&slot, _)| slot);
                let found = RefCell::new(BTreeSet::new());
                // Whatever else is in the chain has another tag.
                let is_it = |slot: u32| map.get(&slot) == Some(&wanted) && !found.borrow_mut().insert(slot);
                assert_eq!(names.find(wanted, &links, is_it), None);
                assert_eq!(*found.borrow(), slots.collect());
            }
        }
    }
}
