//! Close-out orders of the liquidation account, as far as facts tell of them. (Rules LIQ-7, LIQ-9)
//!
//! In    takeovers, fills, sweeps.
//! Out   which of them are in the book.
//!
//! Facts say when a lot is taken over, netted, what it trades, when its order rests, is swept and rests again.

use std::collections::BTreeMap;

use contract::event::Liquidation;
use contract::liquidation::close_out_tick;
use contract::{ContractSpec, LiquidationStep, OrderId, Qty, Side, Tick};
use engine::LotView;

use super::book::{Book, Place};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// It waits for takers, since its turn.
    Rests { rank: u64 },
    /// It is new, or the mark has passed it: its order is not in the book.
    Away,
}

#[derive(Clone, Copy, Debug)]
struct Lot {
    number: u64,
    side: Side,
    /// None where its price lies off the scale: it has no order.
    tick: Option<Tick>,
    leaves: Qty,
    phase: Phase,
    place: Option<Place>,
}

#[derive(Debug)]
pub(super) struct Lots {
    /// Slots from here on are lots'.
    first_slot: u32,
    /// By slot.
    lots: Vec<Option<Lot>>,
    /// Slots by number.
    slots: BTreeMap<u64, u32>,
    /// The one that the next fact makes.
    taken_over: Option<OrderId>,
    /// Lots that this command touched.
    touched: Vec<u32>,
}

impl Lots {
    pub(super) fn new(first_slot: u32) -> Lots {
        Lots { first_slot, lots: Vec::new(), slots: BTreeMap::new(), taken_over: None, touched: Vec::new() }
    }

    /// Is this slot a lot's?
    pub(super) fn has(&self, slot: u32) -> bool {
        slot >= self.first_slot
    }

    fn entry(&mut self, slot: u32) -> &mut Option<Lot> {
        let at = (slot - self.first_slot) as usize;
        if at >= self.lots.len() {
            self.lots.resize(at + 1, None);
        }
        &mut self.lots[at]
    }

    fn lot(&mut self, slot: u32) -> &mut Lot {
        self.touched.push(slot);
        self.entry(slot).as_mut().expect("a fact about a lot names a live one")
    }

    /// A lot's order that rests in the engine.
    pub(super) fn rests_in(&mut self, id: OrderId, place: Place) {
        let Place { side, price, rank, leaves, .. } = place;
        let phase = Phase::Rests { rank };
        self.list(id.slot, Lot { number: id.number, side, tick: Some(price), leaves, phase, place: Some(place) });
    }

    /// A lot of the engine, resting or not.
    pub(super) fn stands_in(&mut self, it: &LotView) {
        if self.entry(it.id.slot).is_some() {
            return;
        }
        // Without an order it rests nowhere.
        let phase = if it.is_resting { Phase::Rests { rank: 0 } } else { Phase::Away };
        let lot = Lot { number: it.id.number, side: it.side, tick: it.tick, leaves: it.qty, phase, place: None };
        self.list(it.id.slot, lot);
    }

    fn list(&mut self, slot: u32, lot: Lot) {
        self.slots.insert(lot.number, slot);
        let before = self.entry(slot).replace(lot);
        assert!(before.is_none(), "a slot is given to one live lot");
    }

    /// A position was taken over; the lot's terms are told next.
    pub(super) fn taken_over(&mut self, id: OrderId) {
        self.taken_over = Some(id);
    }

    /// A step of a liquidation.
    pub(super) fn step(&mut self, it: &Liquidation, spec: &ContractSpec, book: &mut Book) {
        match it.step.get() {
            Some(LiquidationStep::TakenOver) => {
                let id = self.taken_over.take().expect("LIQ-5: a lot is made by a takeover");
                assert!(id.number == it.lot, "LIQ-5: the lot is the one that the takeover named");
                let side = Side::that_reduces(it.qty).expect("LIQ-9: a lot is of something");
                let tick = close_out_tick(spec, it.qty > 0, it.unit_value);
                let leaves = Qty(it.qty.unsigned_abs());
                self.list(id.slot, Lot { number: id.number, side, tick, leaves, phase: Phase::Away, place: None });
            }
            Some(LiquidationStep::Netted) => {
                let slot = self.slot_of(it.lot);
                self.fill(OrderId { number: it.lot, slot }, Qty(it.qty.unsigned_abs()), book);
            }
            Some(LiquidationStep::Sweep) => {
                let slot = self.slot_of(it.lot);
                let lot = self.lot(slot);
                lot.phase = Phase::Away;
                lot.place.take().iter().for_each(|place| book.take_out(place));
            }
            Some(LiquidationStep::Resting | LiquidationStep::Waiting) if it.lot != 0 => {
                let slot = self.slot_of(it.lot);
                self.lot(slot).phase = Phase::Rests { rank: book.rank() };
            }
            _ => {}
        }
    }

    fn slot_of(&self, number: u64) -> u32 {
        *self.slots.get(&number).expect("LIQ-7: a lot that is swept was taken over")
    }

    /// A lot traded, or was netted.
    pub(super) fn fill(&mut self, id: OrderId, leaves: Qty, book: &mut Book) {
        let lot = self.lot(id.slot);
        assert!(lot.number == id.number, "a fill names a live lot");
        lot.leaves = leaves;
        if leaves.is_zero() {
            lot.place.take().iter().for_each(|place| book.take_out(place));
            *self.entry(id.slot) = None;
            self.slots.remove(&id.number);
        }
    }

    /// What rests is in the book.
    pub(super) fn end_command(&mut self, book: &mut Book) {
        let mut touched = core::mem::take(&mut self.touched);
        for slot in touched.drain(..) {
            let Some(lot) = self.entry(slot) else { continue };
            let (Phase::Rests { rank }, Some(price)) = (lot.phase, lot.tick) else { continue };
            match &mut lot.place {
                Some(place) if place.leaves != lot.leaves => book.resize(place, lot.leaves),
                Some(_) => {}
                None => {
                    let place = Place { number: lot.number, side: lot.side, price, rank, leaves: lot.leaves };
                    book.put(&place);
                    lot.place = Some(place);
                }
            }
        }
        self.touched = touched;
    }
}
