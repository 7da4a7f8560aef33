//! The engine's book without accounts, margin or facts: for measurement, and for research that needs
//! matching alone.

use contract::{Capacity, ContractSpec, OrderId, Side, Tick};

use crate::book::{Book, Resting};

/// One match of a [`BareBook`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BareFill {
    /// The caller's number of the order that rested.
    pub maker: u64,
    /// Where.
    pub tick: Tick,
    /// Contracts.
    pub qty: u64,
    /// What is left of the order that rested; its slot is free again at 0.
    pub maker_leaves: u64,
}

/// The very book of the engine: price, then time. (Rule BOOK-1)
///
/// Orders are known by the slot they were given; whoever has numbers of their own keeps the map.
/// ```
/// use centum_engine::BareBook;
/// use contract::{ContractSpec, Side, Tick};
/// let mut book = BareBook::new(&ContractSpec::XBTUSD_2019, 16);
/// let ask = book.submit(7, Side::Sell, Tick(20_000), 100, true, |_| {});
/// let mut filled = 0;
/// book.submit(8, Side::Buy, Tick(20_001), 30, false, |fill| filled += fill.qty);
/// assert_eq!((filled, book.leaves(ask.unwrap())), (30, 70));
/// ```
#[derive(Clone, Debug)]
pub struct BareBook {
    book: Book,
}

impl BareBook {
    /// An empty book with room for `orders`.
    #[must_use]
    pub fn new(spec: &ContractSpec, orders: u32) -> BareBook {
        BareBook { book: Book::new(spec, &Capacity { orders, lots: 0, ..Capacity::default() }) }
    }

    /// Matches an order with the caller's number (1 to 2^59 − 1); what is left rests where `rests`, and the slot it
    /// then has is returned. Without a free slot nothing rests.
    #[inline]
    pub fn submit(
        &mut self,
        number: u64,
        side: Side,
        limit: Tick,
        qty: u64,
        rests: bool,
        filled: impl FnMut(BareFill),
    ) -> Option<u32> {
        let left = self.take(side, limit, qty, filled);
        if left == 0 || !rests {
            return None;
        }
        let slot = self.book.take_slot()?;
        self.book.rest(OrderId { number, slot }, side, limit, left, 0, 0);
        Some(slot)
    }

    #[inline(always)]
    fn take(&mut self, side: Side, limit: Tick, qty: u64, mut filled: impl FnMut(BareFill)) -> u64 {
        let mut left = qty;
        while left != 0 && self.book.crosses(side, limit) {
            let Some(maker) = self.book.best_maker(side) else { break };
            let qty = maker.leaves.min(left);
            left -= qty;
            if qty == maker.leaves {
                self.remove(&maker);
            } else {
                self.book.reduce(&maker, qty);
            }
            filled(BareFill { maker: maker.number, tick: maker.tick, qty, maker_leaves: maker.leaves - qty });
        }
        left
    }

    #[inline(always)]
    fn remove(&mut self, order: &Resting) {
        self.book.unlink(order);
        self.book.free_slot_again(order.slot);
    }

    /// Takes the order in a slot off the book.
    #[inline]
    pub fn cancel(&mut self, slot: u32) {
        let order = self.book.resting(slot);
        self.remove(&order);
    }

    /// Takes `qty` off the order in a slot, which keeps its place; false where that uses it up.
    #[inline]
    pub fn reduce(&mut self, slot: u32, qty: u64) -> bool {
        let order = self.book.resting(slot);
        if qty >= order.leaves {
            self.remove(&order);
            return false;
        }
        self.book.reduce(&order, qty);
        true
    }

    /// Gives the order in a slot another price and open quantity at the back of its queue; it may trade.
    /// False where nothing of it is left to rest.
    #[inline]
    pub fn relocate(&mut self, slot: u32, limit: Tick, qty: u64, filled: impl FnMut(BareFill)) -> bool {
        let order = self.book.resting(slot);
        self.book.unlink(&order);
        let left = self.take(order.side(), limit, qty, filled);
        if left == 0 {
            self.book.free_slot_again(slot);
            return false;
        }
        self.book.rest(OrderId { number: order.number, slot }, order.side(), limit, left, 0, 0);
        true
    }

    /// Open quantity of the order in a slot.
    #[must_use]
    pub fn leaves(&self, slot: u32) -> u64 {
        self.book.resting(slot).leaves
    }

    /// The orders of one side in priority: number, tick, open quantity.
    pub fn for_each(&self, side: Side, mut f: impl FnMut(u64, Tick, u64)) {
        self.book.for_each(side, |order| f(order.number, order.tick, order.leaves));
    }
}
