//! Slots of orders: the one given back last is taken next, else the next that was never taken.
//!
//! In    so many slots, each taken and given back.
//! Out   the slot of a new order. (Design §3, Ids)
//! Laws  1  which slots are free, and in which order they were given back, is state: digest and snapshot have it.
//!
//! The slot given back last lies nearest in the cache, and nothing is searched.

use alloc::vec::Vec;

use crate::account::NIL;

/// The free slots.
#[derive(Clone, Debug)]
pub(crate) struct FreeSlots {
    /// How many there are.
    count: u32,
    /// From here on none was ever taken.
    fresh: u32,
    /// Given back, and not taken since: the one given back last at the end.
    given_back: Vec<u32>,
}

impl FreeSlots {
    /// All of `count` slots are free.
    pub(crate) fn all(count: u32) -> FreeSlots {
        FreeSlots { count, fresh: 0, given_back: Vec::with_capacity(count as usize) }
    }

    /// Takes the next slot; `None` where none is free.
    #[inline(always)]
    pub(crate) fn take(&mut self) -> Option<u32> {
        let slot = self.given_back.pop().unwrap_or_else(|| self.take_fresh());
        (slot != NIL).then_some(slot)
    }

    /// One that was never taken, or `NIL`.
    #[cold]
    #[inline(never)]
    fn take_fresh(&mut self) -> u32 {
        let slot = self.fresh;
        self.fresh += u32::from(slot < self.count);
        if slot < self.count { slot } else { NIL }
    }

    /// Gives a slot back.
    #[inline(always)]
    pub(crate) fn give_back(&mut self, slot: u32) {
        self.given_back.push(slot);
    }

    /// Those that were given back, in their order.
    pub(crate) fn given_back(&self) -> &[u32] {
        &self.given_back
    }

    /// How many slots were ever in use: these, from 0 on.
    pub(crate) fn ever_used(&self) -> u32 {
        self.fresh
    }

    /// So they were, while so many others are in use.
    pub(crate) fn restore(&mut self, given_back: &[u32], used: u32) {
        self.given_back.clear();
        self.given_back.extend_from_slice(given_back);
        self.fresh = used + given_back.len() as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slot_given_back_last_is_next() {
        let mut slots = FreeSlots::all(4);
        assert_eq!([slots.take(), slots.take(), slots.take()], [Some(0), Some(1), Some(2)]);
        slots.give_back(2);
        slots.give_back(0);
        assert_eq!(slots.given_back(), [2, 0]);
        assert_eq!([slots.take(), slots.take(), slots.take()], [Some(0), Some(2), Some(3)]);
        assert_eq!([slots.take(), slots.take()], [None, None]);
        slots.give_back(1);
        assert_eq!([slots.take(), slots.take()], [Some(1), None]);
    }
}
