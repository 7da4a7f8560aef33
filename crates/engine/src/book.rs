//! The book: one ladder for bids and asks, and what each order is beside its price and quantity.
//!
//! A book is never crossed at rest, so a tick belongs to one side and one array serves both. What
//! matching needs lies in the order's 32 bytes on the ladder; the rest is cold.

use alloc::vec;
use alloc::vec::Vec;

use contract::math::sum;
use contract::{AccountId, Capacity, ClOrdId, ContractSpec, OrderId, Qty, Side, Tick};

use crate::account::{Account, NIL};
use crate::ladder::Ladder;
use crate::names::{Link, Links, Names};
use crate::outbox::Outbox;
use crate::slots::FreeSlots;

/// The order sells.
const SELLS: u32 = 1;
/// The order may only reduce. (Rule INST-2)
pub(crate) const REDUCE_ONLY: u32 = 2;
/// The order may not take. (Rule INST-1)
pub(crate) const POST_ONLY: u32 = 4;
/// The order closes out a lot. (Rule LIQ-9)
pub(crate) const CLOSE_OUT: u32 = 8;

/// Part of the order has traded: only then is its executed quantity noted.
const TRADED: u32 = 16;

/// Flags share a word with the creation number.
const FLAG_BITS: u32 = 5;
const FLAGS: u32 = (1 << FLAG_BITS) - 1;

/// What an order is beside its 32 hot bytes: one line of the cache.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(crate) struct Cold {
    /// The client's name for it: its words, of which the last has 32 bits.
    name: [u64; 4],
    name_end: u32,
    /// What is behind it among the names.
    behind: Link,
    /// Value of one unit at its limit.
    pub(crate) unit_value: u64,
    /// Premium of one unit, fixed at entry or amend. (Rule OM-5)
    pub(crate) premium: u64,
    /// The account's order before it, by creation.
    pub(crate) older: u32,
    /// The account's order after it, by creation.
    pub(crate) newer: u32,
}

/// What is asked only of orders that trade, change or may only reduce.
#[derive(Clone, Debug)]
pub(crate) struct Rare {
    /// Executed contracts, where there are any.
    cum: u64,
    /// The account's reduce-only order that is next more aggressive.
    pub(crate) reduce_closer: u32,
    /// The account's reduce-only order that is next less aggressive.
    pub(crate) reduce_further: u32,
}

impl Cold {
    /// Nothing known, no neighbours.
    const FREE: Cold = Cold { name: [0; 4], name_end: 0, behind: 0, unit_value: 0, premium: 0, older: NIL, newer: NIL };

    /// An order of that name, in no list and behind nobody.
    #[inline(always)]
    pub(crate) fn of(name: &ClOrdId, unit_value: u64, premium: u64) -> Cold {
        let [a, b, c, d, e] = *name.words();
        Cold { name: [a, b, c, d], name_end: e as u32, unit_value, premium, ..Cold::FREE }
    }

    /// The client's name for it.
    #[inline(always)]
    pub(crate) fn cl_ord_id(&self) -> ClOrdId {
        let [a, b, c, d] = self.name;
        ClOrdId::from_words([a, b, c, d, u64::from(self.name_end)])
    }
}

const _: () = assert!(size_of::<Cold>() == 64, "what an order is beside its hot bytes, one line of the cache");

impl Links for Vec<Cold> {
    #[inline(always)]
    fn behind(&self, slot: u32) -> Link {
        self[slot as usize].behind
    }

    #[inline(always)]
    fn behind_mut(&mut self, slot: u32) -> &mut Link {
        &mut self[slot as usize].behind
    }
}

impl Rare {
    const FREE: Rare = Rare { cum: 0, reduce_closer: NIL, reduce_further: NIL };
}

/// A resting order, as matching sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resting {
    pub(crate) slot: u32,
    pub(crate) tick: Tick,
    pub(crate) account: u32,
    pub(crate) flags: u32,
    /// Creation number.
    pub(crate) number: u64,
    pub(crate) leaves: u64,
}

impl Resting {
    #[inline(always)]
    pub(crate) fn id(&self) -> OrderId {
        OrderId { number: self.number, slot: self.slot }
    }

    #[inline(always)]
    pub(crate) fn side(&self) -> Side {
        if self.flags & SELLS != 0 { Side::Sell } else { Side::Buy }
    }

    #[inline(always)]
    pub(crate) fn is(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }
}

#[inline(always)]
fn index(side: Side) -> usize {
    usize::from(side == Side::Sell)
}

/// What turns a tick of a side into a number that is higher where the price is better, and back.
#[inline(always)]
fn complement(side: Side) -> u32 {
    match side {
        Side::Buy => 0,
        Side::Sell => u32::MAX,
    }
}

/// The book.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    ladder: Ladder,
    cold: Vec<Cold>,
    rare: Vec<Rare>,
    free: FreeSlots,
    /// The best bid; the complement of the best ask. So the better price of a side is the higher number, and 0 is
    /// below all.
    best: [u32; 2],
    /// Reduce-only orders at rest: bids, asks.
    reduce_only: [u32; 2],
    order_slots: u32,
}

impl Book {
    /// An empty book. Slots from `capacity.orders` on belong to lots.
    pub(crate) fn new(spec: &ContractSpec, capacity: &Capacity) -> Book {
        let slots = capacity.orders + capacity.lots;
        Book {
            ladder: Ladder::new(spec.max_tick(), slots),
            cold: vec![Cold::FREE; slots as usize],
            rare: vec![Rare::FREE; slots as usize],
            free: FreeSlots::all(capacity.orders),
            best: [0; 2],
            reduce_only: [0; 2],
            order_slots: capacity.orders,
        }
    }

    /// Takes the next free slot, if there is one.
    #[inline(always)]
    pub(crate) fn take_slot(&mut self) -> Option<u32> {
        self.free.take()
    }

    /// The free slots that were in use, in the order in which they were given back.
    pub(crate) fn slots_given_back(&self) -> &[u32] {
        self.free.given_back()
    }

    /// How many slots of orders were ever in use: these, from 0 on.
    pub(crate) fn slots_ever_used(&self) -> u32 {
        self.free.ever_used()
    }

    /// So they are, while so many others are in use.
    pub(crate) fn put_slots_given_back(&mut self, given_back: &[u32], used: u32) {
        self.free.restore(given_back, used);
    }

    /// Gives an order's slot back.
    #[inline(always)]
    pub(crate) fn free_slot_again(&mut self, slot: u32) {
        *self.ladder.user_mut(slot) = (0, 0, 0);
        self.free.give_back(slot);
    }

    /// How many orders fit.
    pub(crate) fn order_slots(&self) -> u32 {
        self.order_slots
    }

    /// What is in a slot that is known to be in use.
    #[inline(always)]
    pub(crate) fn cold(&self, slot: u32) -> &Cold {
        &self.cold[slot as usize]
    }

    #[inline(always)]
    pub(crate) fn cold_mut(&mut self, slot: u32) -> &mut Cold {
        &mut self.cold[slot as usize]
    }

    #[inline(always)]
    pub(crate) fn rare(&self, slot: u32) -> &Rare {
        &self.rare[slot as usize]
    }

    /// Says that what is in a slot will be needed.
    #[inline(always)]
    pub(crate) fn expect_slot(&self, slot: u32, out: &mut impl Outbox) {
        out.expect(&self.cold, slot as usize);
        self.ladder.expect_slot(slot, out);
    }

    /// Executed contracts of an order in a slot in use.
    #[inline(always)]
    pub(crate) fn cum(&self, slot: u32) -> u64 {
        if self.ladder.user(slot).2 as u32 & TRADED == 0 { 0 } else { self.rare(slot).cum }
    }

    /// Notes that more contracts of an order were executed.
    #[inline(always)]
    pub(crate) fn add_cum(&mut self, slot: u32, qty: u64) {
        let cum = sum(self.cum(slot), qty);
        self.rare_mut(slot).cum = cum;
        self.ladder.user_mut(slot).2 |= u64::from(TRADED);
    }

    /// Notes that an order is as good as new: nothing of it was executed.
    pub(crate) fn clear_cum(&mut self, slot: u32) {
        self.ladder.user_mut(slot).2 &= !u64::from(TRADED);
    }

    #[inline(always)]
    pub(crate) fn rare_mut(&mut self, slot: u32) -> &mut Rare {
        &mut self.rare[slot as usize]
    }

    /// The slot of the resting order with this identity, of this account only. (Rule ID-2)
    #[inline(always)]
    pub(crate) fn find(&self, id: OrderId, account: u32) -> Option<u32> {
        self.with_id(id).filter(|order| order.account == account).map(|order| order.slot)
    }

    /// The resting order with this identity.
    #[inline(always)]
    pub(crate) fn with_id(&self, id: OrderId) -> Option<Resting> {
        let is_slot = id.slot < self.order_slots && id.number != 0;
        is_slot.then(|| self.resting(id.slot)).filter(|order| order.number == id.number)
    }

    /// The resting order in a slot in use.
    #[inline(always)]
    pub(crate) fn resting(&self, slot: u32) -> Resting {
        let &(tick, account, word) = self.ladder.user(slot);
        let (flags, number) = (word as u32 & (FLAGS ^ TRADED), word >> FLAG_BITS);
        Resting { slot, tick: Tick(tick), account, flags, number, leaves: self.ladder.qty(slot) }
    }

    /// The account's order of this name, which has this tag.
    #[inline(always)]
    pub(crate) fn named(&self, names: &Names, tag: u32, account: u32, name: &ClOrdId) -> Option<u32> {
        names.find(tag, &self.cold, |slot| {
            let cold = &self.cold[slot as usize];
            // What is behind an empty word is empty.
            let ([a, b, ..], [p, q, ..]) = (*name.words(), cold.name);
            a == p && b == q && (b == 0 || cold.cl_ord_id() == *name) && self.ladder.user(slot).1 == account
        })
    }

    /// Notes the name of the order in a slot, which has this tag.
    #[inline(always)]
    pub(crate) fn note_name(&mut self, names: &mut Names, tag: u32, slot: u32) {
        names.insert(tag, slot, &mut self.cold);
    }

    /// Best price of a side.
    #[inline(always)]
    pub(crate) fn best(&self, side: Side) -> Option<Tick> {
        let best = self.best[index(side)];
        (best != 0).then_some(Tick(best ^ complement(side)))
    }

    /// The order that a taker of this side meets first.
    #[inline(always)]
    pub(crate) fn best_maker(&self, taker_side: Side) -> Option<Resting> {
        let tick = self.best(taker_side.opposite())?;
        let slot = self.front(tick)?;
        Some(self.resting(slot))
    }

    /// Would an order of this side trade at once at this limit?
    #[inline(always)]
    pub(crate) fn crosses(&self, side: Side, limit: Tick) -> bool {
        let other = side.opposite();
        limit.0 ^ complement(other) <= self.best[index(other)]
    }

    /// The next worse occupied price of a side.
    #[inline(always)]
    pub(crate) fn worse(&self, side: Side, tick: Tick) -> Option<Tick> {
        match side {
            Side::Buy => self.ladder.at_or_below(Tick(tick.0 - 1)),
            Side::Sell => self.ladder.at_or_above(Tick(tick.0 + 1)),
        }
    }

    /// The oldest order at an occupied price.
    #[inline(always)]
    pub(crate) fn front(&self, tick: Tick) -> Option<u32> {
        self.ladder.front(tick)
    }

    /// The order behind, at the same price.
    #[inline(always)]
    pub(crate) fn behind(&self, slot: u32) -> Option<u32> {
        self.ladder.behind(slot)
    }

    /// Quantity at a price.
    #[inline(always)]
    pub(crate) fn total(&self, tick: Tick) -> Qty {
        Qty(self.ladder.total(tick))
    }

    /// Reduce-only orders at rest on a side.
    #[inline(always)]
    pub(crate) fn reduce_only_count(&self, side: Side) -> u32 {
        self.reduce_only[index(side)]
    }

    /// Does any reduce-only order rest?
    #[inline(always)]
    pub(crate) fn has_reduce_only(&self) -> bool {
        self.reduce_only != [0; 2]
    }

    /// Puts an order at the back of its price.
    ///
    /// # Panics
    /// Where its number has more than 59 bits: creation numbers count from 1.
    #[inline(always)]
    pub(crate) fn rest(&mut self, id: OrderId, side: Side, tick: Tick, qty: u64, account: u32, flags: u32) {
        let OrderId { number, slot } = id;
        assert!(number >> (64 - FLAG_BITS) == 0, "creation numbers have 59 bits");
        let sells = if side == Side::Sell { SELLS } else { 0 };
        let word = number << FLAG_BITS | u64::from(flags | sells);
        let user = self.ladder.user_mut(slot);
        *user = (tick.0, account, word | user.2 & u64::from(TRADED));
        self.ladder.push_back(tick, slot, qty);
        let best = &mut self.best[index(side)];
        *best = (*best).max(tick.0 ^ complement(side));
        self.reduce_only[index(side)] += u32::from(flags & REDUCE_ONLY != 0);
    }

    /// Takes an order out of its queue.
    #[inline(always)]
    pub(crate) fn unlink(&mut self, order: &Resting) {
        let side = order.side();
        if self.ladder.unlink(order.tick, order.slot) && order.tick.0 ^ complement(side) == self.best[index(side)] {
            self.best[index(side)] = self.worse(side, order.tick).map_or(0, |tick| tick.0 ^ complement(side));
        }
        if order.is(REDUCE_ONLY) {
            self.reduce_only[index(side)] -= 1;
        }
    }

    /// Notes another name of an account's order.
    pub(crate) fn name(&mut self, account: u32, slot: u32, name: ClOrdId, names: &mut Names) {
        let (before, behind) = (self.cold(slot).cl_ord_id(), self.cold(slot).behind);
        if !before.is_none() {
            names.remove(names.tag(account, &before), slot, behind, &mut self.cold);
        }
        let [a, b, c, d, e] = *name.words();
        let cold = self.cold_mut(slot);
        (cold.name, cold.name_end) = ([a, b, c, d], e as u32);
        if !name.is_none() {
            names.insert(names.tag(account, &name), slot, &mut self.cold);
        }
    }

    /// Notes an order as its account's newest.
    #[inline(always)]
    pub(crate) fn list(&mut self, account: &mut Account, slot: u32, order: Cold) {
        let older = account.newest;
        account.newest = slot;
        account.open_orders += 1;
        match older {
            NIL => account.oldest = slot,
            older => self.cold_mut(older).newer = slot,
        }
        *self.cold_mut(slot) = Cold { older, ..order };
    }

    /// Takes an order out of its account's list and of the names, where its own has this tag (0: it has none), and gives
    /// its slot back. Returns its unit value and premium.
    #[inline(always)]
    pub(crate) fn forget(&mut self, account: &mut Account, slot: u32, tag: u32, names: &mut Names) -> (u64, u64) {
        let &Cold { behind, unit_value, premium, older, newer, .. } = self.cold(slot);
        if tag != 0 {
            names.remove(tag, slot, behind, &mut self.cold);
        }
        account.open_orders -= 1;
        match older {
            NIL => account.oldest = newer,
            older => self.cold_mut(older).newer = newer,
        }
        match newer {
            NIL => account.newest = older,
            newer => self.cold_mut(newer).older = older,
        }
        self.free_slot_again(slot);
        (unit_value, premium)
    }

    /// Takes executed quantity off an order, of which something is left.
    #[inline(always)]
    pub(crate) fn fill(&mut self, order: &Resting, qty: u64) {
        self.add_cum(order.slot, qty);
        self.reduce(order, qty);
    }

    /// Takes quantity off an order, which keeps its place.
    #[inline(always)]
    pub(crate) fn reduce(&mut self, order: &Resting, qty: u64) {
        self.ladder.reduce(order.tick, order.slot, qty);
    }

    /// The orders of one side in priority.
    pub(crate) fn for_each(&self, side: Side, mut f: impl FnMut(Resting)) {
        let mut level = self.best(side);
        while let Some(tick) = level {
            let mut at = self.front(tick);
            while let Some(slot) = at {
                f(self.resting(slot));
                at = self.behind(slot);
            }
            level = self.worse(side, tick);
        }
    }

    /// The account of an order, as an id.
    pub(crate) fn account_of(order: &Resting) -> AccountId {
        AccountId(order.account)
    }
}
