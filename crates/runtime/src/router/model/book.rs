//! The public book: what is shown, at which level, in which place; and what a command changed of it.
//!
//! In    orders that come to rest, shrink or go.
//! Out   once a command: the orders that changed, the levels that changed, each with what it holds now.
//! A level's queue is kept by rank. A rank is given when an order takes its place, so that an order may take its
//! place first and be put there later.

use std::collections::BTreeMap;

use contract::{Qty, Side, Tick};

use crate::router::rows::{Change, L2, L3, LevelRow, MarketBody, OrderRow, Top};

/// An order's place in the book, and what it shows there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) number: u64,
    pub(super) side: Side,
    pub(super) price: Tick,
    pub(super) rank: u64,
    pub(super) leaves: Qty,
}

#[derive(Debug, Default)]
struct Level {
    total: Qty,
    /// By rank: number and open quantity.
    queue: BTreeMap<u64, (u64, Qty)>,
}

#[derive(Debug)]
pub(super) struct Book {
    bids: BTreeMap<Tick, Level>,
    asks: BTreeMap<Tick, Level>,
    next_rank: u64,
    /// Since the command began: orders that changed, with the rank they were added at.
    orders: Vec<(u64, OrderRow)>,
    /// Since the command began: levels, with what they held before.
    levels: Vec<(Side, Tick, Qty)>,
    /// What was best when the command began.
    top_before: Top,
}

impl Book {
    pub(super) fn new() -> Book {
        Book {
            bids: BTreeMap::new(),
            asks: BTreeMap::new(),
            next_rank: 1,
            orders: Vec::new(),
            levels: Vec::new(),
            top_before: Top::default(),
        }
    }

    fn side(&self, side: Side) -> &BTreeMap<Tick, Level> {
        if side == Side::Buy { &self.bids } else { &self.asks }
    }

    fn side_mut(&mut self, side: Side) -> &mut BTreeMap<Tick, Level> {
        if side == Side::Buy { &mut self.bids } else { &mut self.asks }
    }

    /// The place behind all that were given before.
    pub(super) fn rank(&mut self) -> u64 {
        self.next_rank += 1;
        self.next_rank - 1
    }

    /// Changes what a level holds by `change`, noting what it held.
    fn level(&mut self, place: &Place, change: impl FnOnce(&mut Level)) {
        let levels = self.side_mut(place.side);
        let level = levels.entry(place.price).or_default();
        let before = level.total;
        change(level);
        if level.queue.is_empty() {
            assert!(level.total.is_zero(), "SUM-7: what no order holds, no level does");
            levels.remove(&place.price);
        }
        self.levels.push((place.side, place.price, before));
    }

    fn note(&mut self, change: Change, place: &Place, leaves: Qty) {
        let rank = if change == Change::Added { place.rank } else { 0 };
        let row = OrderRow { change, number: place.number, side: place.side, price: place.price, leaves };
        self.orders.push((rank, row));
    }

    /// Puts an order in its place.
    pub(super) fn put(&mut self, place: &Place) {
        self.level(place, |level| {
            level.total += place.leaves;
            let taken = level.queue.insert(place.rank, (place.number, place.leaves));
            assert!(taken.is_none(), "BOOK-1: no two orders have one place");
        });
        self.note(Change::Added, place, place.leaves);
    }

    /// An order in its place has another open quantity.
    pub(super) fn resize(&mut self, place: &mut Place, leaves: Qty) {
        self.level(place, |level| {
            level.total += leaves;
            level.total -= place.leaves;
            level.queue.insert(place.rank, (place.number, leaves));
        });
        place.leaves = leaves;
        self.note(Change::Changed, place, leaves);
    }

    /// Takes an order out.
    pub(super) fn take_out(&mut self, place: &Place) {
        self.level(place, |level| {
            level.total -= place.leaves;
            assert!(level.queue.remove(&place.rank).is_some(), "an order is where it was put");
        });
        self.note(Change::Removed, place, Qty::ZERO);
    }

    fn best(&self, side: Side) -> Option<(Tick, &Level)> {
        let levels = self.side(side);
        let found = if side == Side::Buy { levels.last_key_value() } else { levels.first_key_value() };
        found.map(|(price, level)| (*price, level))
    }

    /// Does an opposite order lie at this price or better?
    pub(super) fn crosses(&self, side: Side, price: Tick) -> bool {
        self.best(side.opposite())
            .is_some_and(|(best, _)| if side == Side::Buy { best <= price } else { best >= price })
    }

    pub(super) fn is_crossed(&self) -> bool {
        self.best(Side::Sell).is_some_and(|(ask, _)| self.crosses(Side::Sell, ask))
    }

    pub(super) fn top(&self) -> Top {
        let best = |side| self.best(side).map(|(price, level)| LevelRow { side, price, qty: level.total });
        Top { bid: best(Side::Buy), ask: best(Side::Sell) }
    }

    /// The best levels of each side, at most `depth` a side.
    pub(super) fn l2(&self, depth: usize) -> L2 {
        let row = |side, (price, level): (&Tick, &Level)| LevelRow { side, price: *price, qty: level.total };
        L2 {
            bids: self.bids.iter().rev().take(depth).map(|it| row(Side::Buy, it)).collect(),
            asks: self.asks.iter().take(depth).map(|it| row(Side::Sell, it)).collect(),
        }
    }

    /// All orders, each side in priority.
    pub(super) fn l3(&self) -> L3 {
        let rows = |side, (price, level): (&Tick, &Level)| -> Vec<OrderRow> {
            let row = |&(number, leaves): &(u64, Qty)| OrderRow {
                change: Change::Added,
                number,
                side,
                price: *price,
                leaves,
            };
            level.queue.values().map(row).collect()
        };
        L3 {
            bids: self.bids.iter().rev().flat_map(|it| rows(Side::Buy, it)).collect(),
            asks: self.asks.iter().flat_map(|it| rows(Side::Sell, it)).collect(),
        }
    }

    /// Tells what changed since the last call: orders (what went and shrank, then what came, in the order of its
    /// place), levels, and the top where that is another.
    pub(super) fn changes(&mut self, mut tell: impl FnMut(MarketBody)) {
        if self.levels.is_empty() {
            return;
        }
        self.orders.sort_by_key(|(rank, _)| *rank);
        self.orders.drain(..).for_each(|(_, row)| tell(MarketBody::Order(row)));
        let mut levels = core::mem::take(&mut self.levels);
        // The first note of a level is what it held before the command.
        levels.sort_by_key(|&(side, price, _)| (side, price));
        levels.dedup_by_key(|&mut (side, price, _)| (side, price));
        for (side, price, before) in levels.drain(..) {
            let qty = self.side(side).get(&price).map_or(Qty::ZERO, |found| found.total);
            if qty != before {
                tell(MarketBody::Level(LevelRow { side, price, qty }));
            }
        }
        self.levels = levels;
        let top = self.top();
        if core::mem::replace(&mut self.top_before, top) != top {
            tell(MarketBody::Top(top));
        }
    }
}
