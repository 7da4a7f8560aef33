//! Lots by age: the new ones wait their turn, and opposite ones are netted before they meet the book.
//!
//! In    a lot that was just taken over.
//! Out   `Liquidation` (Netted, Resting), `Insurance`.
//! Laws  LIQ-8   new lots wait until nobody is due.
//!       LIQ-10  what one lot would buy from another is netted outside the book, the oldest first.
//! New lots are taken up by age, so those that still wait are always the youngest of their side.

use contract::event::Liquidation;
use contract::liquidation::price_of_unit_value;
use contract::{AccountId, InsuranceCause, LiquidationStep, Price};

use crate::account::NIL;
use crate::agenda::Process;
use crate::engine::Engine;
use crate::liquidation::Lot;
use crate::outbox::Outbox;

/// Lots of each side from the oldest on; the index is whether they are long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LotAges {
    oldest: [u32; 2],
    newest: [u32; 2],
}

impl LotAges {
    pub(crate) const EMPTY: LotAges = LotAges { oldest: [NIL; 2], newest: [NIL; 2] };
}

impl Engine {
    /// The youngest lot of its side.
    pub(crate) fn list_youngest(&mut self, slot: u32) {
        let side = usize::from(self.lots[slot as usize].is_long);
        let older = core::mem::replace(&mut self.lot_ages.newest[side], slot);
        if older == NIL {
            self.lot_ages.oldest[side] = slot;
        } else {
            self.lots[older as usize].newer = slot;
        }
        let lot = &mut self.lots[slot as usize];
        (lot.older, lot.newer) = (older, NIL);
    }

    /// A lot that is used up leaves its side.
    pub(crate) fn unlist_lot(&mut self, slot: u32) {
        let Lot { older, newer, is_long, .. } = self.lots[slot as usize];
        let side = usize::from(is_long);
        if older == NIL {
            self.lot_ages.oldest[side] = newer
        } else {
            self.lots[older as usize].newer = newer
        }
        if newer == NIL {
            self.lot_ages.newest[side] = older
        } else {
            self.lots[newer as usize].older = older
        }
        if self.agenda.new_lots[side] == slot {
            self.agenda.new_lots[side] = newer;
        }
        if let Some(Process::Net { at, .. }) = &mut self.agenda.process
            && *at == slot
        {
            *at = newer;
        }
    }

    /// A new lot waits for its turn.
    pub(crate) fn add_new_lot(&mut self, slot: u32) {
        self.list_youngest(slot);
        let first = &mut self.agenda.new_lots[usize::from(self.lots[slot as usize].is_long)];
        if *first == NIL {
            *first = slot;
        }
        self.agenda.has_news = true;
    }

    /// The turn of the oldest new lot, where there is one.
    pub(crate) fn begin_netting(&mut self, out: &mut impl Outbox) -> Option<Process> {
        let number = |slot: u32| if slot == NIL { u64::MAX } else { self.lots[slot as usize].number };
        let [short, long] = self.agenda.new_lots;
        let slot = if number(short) < number(long) { short } else { long };
        let Lot { newer, is_long, .. } = self.lots[slot as usize];
        self.agenda.new_lots[usize::from(is_long)] = newer;
        self.net(slot, self.lot_ages.oldest[usize::from(!is_long)], out)
    }

    /// One opposite lot looked at, and netted where the two would trade; after the last one, on to the book.
    /// (Rule LIQ-10)
    pub(crate) fn net(&mut self, slot: u32, at: u32, out: &mut impl Outbox) -> Option<Process> {
        if at == NIL {
            return self.close_out(slot, out);
        }
        self.look_first_at_lot(at);
        let (lot, other) = (self.lots[slot as usize], self.lots[at as usize]);
        let (long, short) = if lot.is_long { (&lot, &other) } else { (&other, &lot) };
        let would_trade = lot.tick.0 != 0 && other.tick.0 != 0 && long.tick <= short.tick;
        if would_trade {
            let qty = lot.qty.min(other.qty);
            if other.is_resting {
                let order = self.book.resting(self.book.order_slots() + at);
                if qty == other.qty { self.book.unlink(&order) } else { self.book.reduce(&order, qty) }
            }
            // Each leaves at one value a unit: what it is does not matter, the two differ by theirs.
            let gain = self.settle_lot(self.book.order_slots() + slot, qty, other.unit_value)
                + self.settle_lot(self.book.order_slots() + at, qty, other.unit_value);
            for netted in [lot, other] {
                self.tell_of_lot(&Lot { qty: netted.qty - qty, ..netted }, LiquidationStep::Netted, out);
            }
            self.change_insurance(gain, InsuranceCause::Netting, AccountId::LIQUIDATION.0, out);
        }
        let is_left = self.lots[slot as usize].number == lot.number;
        is_left.then_some(Process::Net { lot: slot, at: other.newer })
    }

    /// A lot's order comes to rest, and is listed where the mark has passed it already.
    pub(crate) fn come_to_rest(&mut self, slot: u32, out: &mut impl Outbox) {
        self.rest_lot(slot);
        self.tell_lot(slot, LiquidationStep::Resting, out);
        if self.is_passed(slot) {
            self.list_lot(slot);
        }
    }

    /// A step of a liquidation that is about a lot.
    pub(crate) fn tell_lot(&mut self, slot: u32, step: LiquidationStep, out: &mut impl Outbox) {
        let lot = self.lots[slot as usize];
        self.tell_of_lot(&lot, step, out);
    }

    fn tell_of_lot(&mut self, lot: &Lot, step: LiquidationStep, out: &mut impl Outbox) {
        let fact = Liquidation {
            step: step.into(),
            lot: lot.number,
            qty: lot.signed_qty(),
            mark: self.market.mark,
            liquidation_price: Price::NONE,
            bankruptcy_price: self.lot_price(lot),
            unit_value: lot.unit_value,
        };
        self.tell(AccountId::LIQUIDATION.0, fact, out);
    }

    /// Bankruptcy price of a lot, in steps of 0.01 USD. (Rule LIQ-3)
    pub(crate) fn lot_price(&self, lot: &Lot) -> Price {
        price_of_unit_value(&self.market.spec, lot.is_long, lot.unit_value, Price(1))
    }

    /// The lots of a side from the oldest on.
    pub(crate) fn lots_by_age(&self, is_long: bool) -> impl Iterator<Item = u32> + '_ {
        let first = self.lot_ages.oldest[usize::from(is_long)];
        let next = |slot: &u32| Some(self.lots[*slot as usize].newer).filter(|slot| *slot != NIL);
        core::iter::successors(Some(first).filter(|slot| *slot != NIL), next)
    }
}
