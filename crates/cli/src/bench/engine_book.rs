//! The engine's own book under the same id map as the baseline's.

use std::collections::HashMap;

use contract::{ContractSpec, Side, Tick};
use engine::BareFill;

use super::book::{BareBook, BookOrder, Match};
use super::btree_book::{IdHash, empty_ids};

/// The engine's book, and the slot of every id.
pub struct EngineBook {
    book: engine::BareBook,
    highest: u32,
    ids: HashMap<u64, u32, IdHash>,
}

impl EngineBook {
    /// An empty book for a contract with room for `orders`.
    #[must_use]
    pub fn new(spec: &ContractSpec, orders: usize) -> EngineBook {
        let slots = u32::try_from(orders).unwrap_or(u32::MAX);
        EngineBook { book: engine::BareBook::new(spec, slots), highest: spec.max_tick().0, ids: empty_ids(orders) }
    }
}

/// Passes a fill on and forgets the id of a maker that is used up.
#[inline(always)]
fn heard(ids: &mut HashMap<u64, u32, IdHash>, taker: u64, matched: &mut impl FnMut(Match)) -> impl FnMut(BareFill) {
    move |BareFill { maker, tick, qty, maker_leaves }| {
        if maker_leaves == 0 {
            ids.remove(&maker);
        }
        matched(Match { maker, taker, tick: tick.0, qty, maker_leaves });
    }
}

impl BareBook for EngineBook {
    #[inline]
    fn submit(&mut self, order: BookOrder, matched: &mut impl FnMut(Match)) {
        let BookOrder { id, side, tick, qty, rests } = order;
        let limit = Tick(tick.min(self.highest));
        let slot = self.book.submit(id, side, limit, qty, rests, heard(&mut self.ids, id, matched));
        if let Some(slot) = slot {
            self.ids.insert(id, slot);
        }
    }

    #[inline]
    fn cancel(&mut self, id: u64) -> bool {
        self.ids.remove(&id).map(|slot| self.book.cancel(slot)).is_some()
    }

    #[inline]
    fn reduce(&mut self, id: u64, qty: u64) -> bool {
        let Some(slot) = self.ids.get(&id).copied() else { return false };
        if !self.book.reduce(slot, qty) {
            self.ids.remove(&id);
        }
        true
    }

    #[inline]
    fn relocate(&mut self, id: u64, tick: u32, qty: u64, matched: &mut impl FnMut(Match)) -> bool {
        let Some(slot) = self.ids.get(&id).copied() else { return false };
        if !self.book.relocate(slot, Tick(tick), qty, heard(&mut self.ids, id, matched)) {
            self.ids.remove(&id);
        }
        true
    }

    fn for_each(&self, side: Side, mut f: impl FnMut(u64, u32, u64)) {
        self.book.for_each(side, |id, tick, qty| f(id, tick.0, qty));
    }
}
