//! The linked-level book: a `BTreeMap` of price levels, a hash map of ids to a slab of linked orders.
//!
//! The second, stronger baseline of `centum bench --mode book`, and it tells `centum generate` which
//! orders still rest. Orders are linked within their level, so that a cancel does not search: the
//! comparison is about the levels.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hasher};

use contract::Side;

use super::book::{BareBook, BookOrder, Match};

const NONE: u32 = u32::MAX;

/// A multiply-and-fold hash of one 64-bit id, with a seed. Ids come from a log, not from an attacker
/// who waits for the answer.
#[derive(Clone, Copy, Debug)]
pub struct IdHash {
    seed: u64,
}

impl BuildHasher for IdHash {
    type Hasher = IdHasher;
    fn build_hasher(&self) -> IdHasher {
        IdHasher(self.seed)
    }
}

/// An empty map of ids with room for `orders`: the same for every book that is measured.
#[must_use]
pub fn empty_ids(orders: usize) -> HashMap<u64, u32, IdHash> {
    HashMap::with_capacity_and_hasher(orders * 2, IdHash { seed: 0x5eed_c0de_0b00_c5ee })
}

/// The hash under way.
#[derive(Clone, Copy, Debug)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    #[inline]
    fn write_u64(&mut self, id: u64) {
        let wide = u128::from(self.0 ^ id) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (wide as u64) ^ ((wide >> 64) as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

#[derive(Clone, Copy, Debug)]
struct Node {
    id: u64,
    qty: u64,
    tick: u32,
    side: Side,
    before: u32,
    after: u32,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    head: u32,
    tail: u32,
}

/// A price-level book on `BTreeMap`.
#[derive(Clone, Debug)]
pub struct BTreeBook {
    bids: BTreeMap<u32, Level>,
    asks: BTreeMap<u32, Level>,
    nodes: Vec<Node>,
    free: Vec<u32>,
    ids: HashMap<u64, u32, IdHash>,
}

impl BTreeBook {
    /// An empty book with room for `orders` before anything grows.
    #[must_use]
    pub fn with_capacity(orders: usize) -> BTreeBook {
        BTreeBook {
            bids: BTreeMap::new(),
            asks: BTreeMap::new(),
            nodes: Vec::with_capacity(orders),
            free: Vec::with_capacity(orders),
            ids: empty_ids(orders),
        }
    }

    /// Orders that rest.
    #[must_use]
    pub fn live(&self) -> usize {
        self.ids.len()
    }

    /// Best price of a side.
    #[must_use]
    pub fn best(&self, side: Side) -> Option<u32> {
        match side {
            Side::Sell => self.asks.first_key_value().map(|(tick, _)| *tick),
            _ => self.bids.last_key_value().map(|(tick, _)| *tick),
        }
    }

    /// Oldest order at the best price of a side: id and open quantity.
    #[must_use]
    pub fn first(&self, side: Side) -> Option<(u64, u64)> {
        let level = match side {
            Side::Sell => self.asks.first_key_value(),
            _ => self.bids.last_key_value(),
        };
        level.map(|(_, level)| {
            let node = &self.nodes[level.head as usize];
            (node.id, node.qty)
        })
    }

    fn side(&mut self, side: Side) -> &mut BTreeMap<u32, Level> {
        match side {
            Side::Sell => &mut self.asks,
            _ => &mut self.bids,
        }
    }

    fn rest(&mut self, order: BookOrder) {
        let BookOrder { id, side, tick, qty, .. } = order;
        let mut node = Node { id, qty, tick, side, before: NONE, after: NONE };
        let slot = self.free.pop().unwrap_or(self.nodes.len() as u32);
        let level = self.side(side).entry(tick).or_insert(Level { head: slot, tail: NONE });
        node.before = level.tail;
        level.tail = slot;
        if node.before != NONE {
            self.nodes[node.before as usize].after = slot;
        }
        if slot as usize == self.nodes.len() {
            self.nodes.push(node);
        } else {
            self.nodes[slot as usize] = node;
        }
        self.ids.insert(id, slot);
    }

    fn unlink(&mut self, slot: u32) {
        let Node { tick, side, before, after, .. } = self.nodes[slot as usize];
        if before != NONE {
            self.nodes[before as usize].after = after;
        }
        if after != NONE {
            self.nodes[after as usize].before = before;
        }
        if before == NONE || after == NONE {
            let levels = self.side(side);
            if before == NONE && after == NONE {
                levels.remove(&tick);
            } else if let Some(level) = levels.get_mut(&tick) {
                if before == NONE {
                    level.head = after;
                } else {
                    level.tail = before;
                }
            }
        }
        self.free.push(slot);
    }
}

impl BareBook for BTreeBook {
    #[inline]
    fn submit(&mut self, order: BookOrder, matched: &mut impl FnMut(Match)) {
        let mut left = order.qty;
        while left > 0 {
            let best = match order.side {
                Side::Buy => self.asks.first_key_value().filter(|(tick, _)| **tick <= order.tick),
                _ => self.bids.last_key_value().filter(|(tick, _)| **tick >= order.tick),
            };
            let Some((_, level)) = best else { break };
            let slot = level.head;
            let maker = &mut self.nodes[slot as usize];
            let qty = maker.qty.min(left);
            maker.qty -= qty;
            left -= qty;
            let Node { id, tick, qty: maker_leaves, .. } = *maker;
            if maker_leaves == 0 {
                self.ids.remove(&id);
                self.unlink(slot);
            }
            matched(Match { maker: id, taker: order.id, tick, qty, maker_leaves });
        }
        if left > 0 && order.rests {
            self.rest(BookOrder { qty: left, ..order });
        }
    }

    #[inline]
    fn cancel(&mut self, id: u64) -> bool {
        self.ids.remove(&id).map(|slot| self.unlink(slot)).is_some()
    }

    #[inline]
    fn reduce(&mut self, id: u64, qty: u64) -> bool {
        let Some(slot) = self.ids.get(&id).copied() else { return false };
        let node = &mut self.nodes[slot as usize];
        if node.qty > qty {
            node.qty -= qty;
        } else {
            self.ids.remove(&id);
            self.unlink(slot);
        }
        true
    }

    #[inline]
    fn relocate(&mut self, id: u64, tick: u32, qty: u64, matched: &mut impl FnMut(Match)) -> bool {
        let Some(slot) = self.ids.remove(&id) else { return false };
        let side = self.nodes[slot as usize].side;
        self.unlink(slot);
        self.submit(BookOrder { id, side, tick, qty, rests: true }, matched);
        true
    }

    fn for_each(&self, side: Side, mut f: impl FnMut(u64, u32, u64)) {
        let mut level = |tick: &u32, level: &Level| {
            let mut slot = level.head;
            while slot != NONE {
                let node = &self.nodes[slot as usize];
                f(node.id, *tick, node.qty);
                slot = node.after;
            }
        };
        match side {
            Side::Sell => self.asks.iter().for_each(|(tick, at)| level(tick, at)),
            _ => self.bids.iter().rev().for_each(|(tick, at)| level(tick, at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(id: u64, side: Side, tick: u32, qty: u64) -> BookOrder {
        BookOrder { id, side, tick, qty, rests: true }
    }

    /// BOOK-1: better price first, then earlier order; a reduce keeps the place, a move loses it.
    #[test]
    fn price_then_time() {
        let mut book = BTreeBook::with_capacity(4);
        let mut matches = Vec::new();
        let mut matched = |m: Match| matches.push((m.maker, m.taker, m.tick, m.qty, m.maker_leaves));
        for resting in [order(1, Side::Sell, 101, 5), order(2, Side::Sell, 100, 5), order(3, Side::Sell, 100, 5)] {
            book.submit(resting, &mut matched);
        }
        assert!(book.reduce(2, 3) && !book.reduce(9, 1));
        book.submit(order(4, Side::Buy, 101, 8), &mut matched);
        assert!(!book.cancel(2) && !book.cancel(3), "both are used up");
        book.submit(order(5, Side::Sell, 101, 1), &mut matched);
        assert!(book.relocate(1, 101, 4, &mut matched));
        book.submit(BookOrder { rests: false, ..order(6, Side::Buy, 101, 2) }, &mut matched);
        assert_eq!(
            matches,
            [(2, 4, 100, 2, 0), (3, 4, 100, 5, 0), (1, 4, 101, 1, 4), (5, 6, 101, 1, 0), (1, 6, 101, 1, 3)]
        );
        let mut resting = Vec::new();
        book.for_each(Side::Sell, |id, tick, qty| resting.push((id, tick, qty)));
        assert_eq!(resting, [(1, 101, 3)]);
        assert_eq!((book.best(Side::Sell), book.best(Side::Buy)), (Some(101), None));
    }

    /// The book against the plainest one there is: a sorted list.
    #[test]
    fn it_agrees_with_a_sorted_list() {
        let mut dice = crate::generate::dice::Dice::new(11);
        let mut book = BTreeBook::with_capacity(16);
        // Side, tick, arrival, id, qty.
        let mut list: Vec<(Side, u32, u64, u64, u64)> = Vec::new();
        for id in 0..4_000 {
            let side = if dice.permille(500) { Side::Buy } else { Side::Sell };
            let tick = 100 + dice.below(20) as u32;
            let qty = dice.between(1, 9);
            let (mut got, mut expected) = (Vec::new(), Vec::new());
            if dice.permille(300) {
                let victim = dice.below(id + 1);
                let was = list.len();
                list.retain(|order| order.3 != victim);
                assert_eq!(book.cancel(victim), list.len() < was, "id {victim}");
                continue;
            }
            book.submit(order(id, side, tick, qty), &mut |m| got.push((m.maker, m.tick, m.qty)));
            let mut left = qty;
            while left > 0 {
                let crosses = |o: &&mut (Side, u32, u64, u64, u64)| {
                    o.0 != side && if side == Side::Buy { o.1 <= tick } else { o.1 >= tick }
                };
                let key =
                    |o: &&mut (Side, u32, u64, u64, u64)| (if side == Side::Buy { o.1 } else { u32::MAX - o.1 }, o.2);
                let Some(maker) = list.iter_mut().filter(crosses).min_by_key(key) else { break };
                let taken = maker.4.min(left);
                maker.4 -= taken;
                left -= taken;
                expected.push((maker.3, maker.1, taken));
                list.retain(|order| order.4 > 0);
            }
            if left > 0 {
                list.push((side, tick, id, id, left));
            }
            assert_eq!(got, expected, "order {id}");
        }
        let resting = |side| list.iter().filter(|order| order.0 == side).count();
        for side in [Side::Buy, Side::Sell] {
            let mut count = 0;
            book.for_each(side, |_, _, _| count += 1);
            assert_eq!(count, resting(side));
        }
    }
}
