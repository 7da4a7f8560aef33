//! The bare `BTreeMap` book: a tree of price levels a side, each a queue of orders.
//!
//! The first baseline of `centum bench --mode book`, and the obvious twin of the engine's ladder: what one
//! writes before measuring. The map of ids gives side and tick; a cancel looks for the order in its level.

use std::collections::{BTreeMap, HashMap, VecDeque};

use contract::Side;

use super::book::{BareBook, BookOrder, Match};
use super::btree_book::{IdHash, empty_ids};

/// One side: a queue of ids and open quantities at each price.
type Levels = BTreeMap<u32, VecDeque<(u64, u64)>>;

/// A book of queues in trees.
#[derive(Clone, Debug)]
pub struct QueueBook {
    bids: Levels,
    asks: Levels,
    /// Twice the tick, and 1 more for an ask.
    ids: HashMap<u64, u32, IdHash>,
}

impl QueueBook {
    /// An empty book with room for `orders` ids before the map grows.
    #[must_use]
    pub fn with_capacity(orders: usize) -> QueueBook {
        QueueBook { bids: BTreeMap::new(), asks: BTreeMap::new(), ids: empty_ids(orders) }
    }

    /// The levels of the side that a place is on, and its tick.
    fn levels(&mut self, place: u32) -> (&mut Levels, u32) {
        (if place & 1 == 0 { &mut self.bids } else { &mut self.asks }, place / 2)
    }

    /// Takes `qty` off an order, or all of it; false when something is left.
    fn take_off(&mut self, id: u64, place: u32, qty: u64) -> bool {
        let (levels, tick) = self.levels(place);
        let queue = levels.get_mut(&tick).expect("the map of ids names an occupied level");
        let at = queue.iter().position(|order| order.0 == id).expect("the map of ids names the order's level");
        if queue[at].1 > qty {
            queue[at].1 -= qty;
            return false;
        }
        queue.remove(at);
        if queue.is_empty() {
            levels.remove(&tick);
        }
        true
    }
}

impl BareBook for QueueBook {
    #[inline]
    fn submit(&mut self, order: BookOrder, matched: &mut impl FnMut(Match)) {
        let BookOrder { id, side, tick, qty, rests } = order;
        let mut left = qty;
        while left > 0 {
            let best = match side {
                Side::Buy => self.asks.first_entry().filter(|level| *level.key() <= tick),
                _ => self.bids.last_entry().filter(|level| *level.key() >= tick),
            };
            let Some(mut level) = best else { break };
            let tick = *level.key();
            let maker = level.get_mut().front_mut().expect("an occupied level has an order");
            let qty = maker.1.min(left);
            maker.1 -= qty;
            left -= qty;
            let (maker, maker_leaves) = *maker;
            if maker_leaves == 0 {
                self.ids.remove(&maker);
                level.get_mut().pop_front();
                if level.get().is_empty() {
                    level.remove();
                }
            }
            matched(Match { maker, taker: id, tick, qty, maker_leaves });
        }
        if left > 0 && rests {
            let place = tick * 2 + u32::from(side == Side::Sell);
            self.levels(place).0.entry(tick).or_default().push_back((id, left));
            self.ids.insert(id, place);
        }
    }

    #[inline]
    fn cancel(&mut self, id: u64) -> bool {
        self.ids.remove(&id).map(|place| self.take_off(id, place, u64::MAX)).is_some()
    }

    #[inline]
    fn reduce(&mut self, id: u64, qty: u64) -> bool {
        let Some(place) = self.ids.get(&id).copied() else { return false };
        if self.take_off(id, place, qty) {
            self.ids.remove(&id);
        }
        true
    }

    #[inline]
    fn relocate(&mut self, id: u64, tick: u32, qty: u64, matched: &mut impl FnMut(Match)) -> bool {
        let Some(place) = self.ids.remove(&id) else { return false };
        self.take_off(id, place, u64::MAX);
        let side = if place & 1 == 0 { Side::Buy } else { Side::Sell };
        self.submit(BookOrder { id, side, tick, qty, rests: true }, matched);
        true
    }

    fn for_each(&self, side: Side, mut f: impl FnMut(u64, u32, u64)) {
        let mut level = |(tick, queue): (&u32, &VecDeque<(u64, u64)>)| {
            queue.iter().for_each(|&(id, qty)| f(id, *tick, qty));
        };
        match side {
            Side::Sell => self.asks.iter().for_each(&mut level),
            _ => self.bids.iter().rev().for_each(&mut level),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::book::{BookCommand, carry_out};
    use crate::bench::btree_book::BTreeBook;
    use crate::bench::engine_book::EngineBook;
    use contract::ContractSpec;

    /// Runs the commands; what matched, and what rests.
    fn work(mut book: impl BareBook, commands: &[BookCommand]) -> (Vec<Match>, Vec<(u64, u32, u64)>) {
        let (mut matches, mut resting) = (Vec::new(), Vec::new());
        commands.iter().for_each(|command| carry_out(&mut book, command, &mut |matched| matches.push(matched)));
        for side in [Side::Buy, Side::Sell] {
            book.for_each(side, |id, tick, qty| resting.push((id, tick, qty)));
        }
        (matches, resting)
    }

    /// BOOK-1: the three books that are measured do the same work, whatever they are told.
    #[test]
    fn three_books_do_the_same_work() {
        let mut dice = crate::generate::dice::Dice::new(5);
        let commands: Vec<BookCommand> = (1..6_000u64)
            .map(|id| {
                let (known, tick, qty) = (1 + dice.below(id), 100 + dice.below(30) as u32, dice.between(1, 9));
                match dice.below(10) {
                    0..=5 => {
                        let side = if dice.permille(500) { Side::Buy } else { Side::Sell };
                        BookCommand::Submit(BookOrder { id, side, tick, qty, rests: dice.permille(900) })
                    }
                    6 | 7 => BookCommand::Cancel(known),
                    8 => BookCommand::Reduce(known, qty),
                    _ => BookCommand::Relocate(known, tick, qty),
                }
            })
            .collect();
        let expected = work(QueueBook::with_capacity(16), &commands);
        assert!(expected.0.len() > 1_000 && expected.1.len() > 10, "the market was lively");
        assert_eq!(work(BTreeBook::with_capacity(16), &commands), expected);
        assert_eq!(work(EngineBook::new(&ContractSpec::XBTUSD_2019, 6_000), &commands), expected);
    }
}
