//! Liquidation, step by step: cancel, look again, take over, close out, sweep, deleverage. (What comes before the
//! takeover in higher tiers is in `step_down`, what comes right after it in `lots`.)
//!
//! In    a due account, or a lot whose bankruptcy the mark has passed.
//! Out   `Liquidation`, `Fill`, `Insurance`, `Canceled`.
//! Laws  SUM-5  every satoshi a trader loses arrives at a counterparty, the fee account or the fund.
//!       INS-1  the fund is never below zero.
//! Nothing here is a second matching or settlement path: fills go through `fill` and `settle`.

use core::cmp::Reverse;

use contract::event::{Fill, Liquidation};
use contract::liquidation::{bearable, close_out_tick, is_near_mark, unit_value_after_loss};
use contract::math::{difference, signed, signed_product, signed_sum};
use contract::value::{fee, unit_value, units};
use contract::{AccountId, CancelReason, FillCause, InsuranceCause, LiquidationStep, OrderId, Qty, Side, Tick, Xbt};

use crate::account::{DUE, NIL};
use crate::agenda::{Process, Stage};
use crate::book::{CLOSE_OUT, Resting};
use crate::engine::Engine;
use crate::outbox::Outbox;
use crate::settle::Taker;

/// A position taken over, with a close-out order of its own. (Rule LIQ-9)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Lot {
    /// Creation number, of the same series as orders; 0 where the place is free.
    pub(crate) number: u64,
    /// Contracts left.
    pub(crate) qty: u64,
    /// Value of one unit at bankruptcy: its cost is exactly v·units.
    pub(crate) unit_value: u64,
    /// Was it a long? Then it sells.
    pub(crate) is_long: bool,
    /// Its order's tick; 0 where its price lies off the scale: then it has no order, only a key.
    pub(crate) tick: Tick,
    /// Its order is in the book, where it has one, and its key among the keys.
    pub(crate) is_resting: bool,
    /// It is on the list of those that the mark has passed.
    pub(crate) is_listed: bool,
    /// The lots of its side next to it in age; `NIL` where there is none.
    pub(crate) older: u32,
    pub(crate) newer: u32,
}

impl Lot {
    pub(crate) const FREE: Lot = Lot {
        number: 0,
        qty: 0,
        unit_value: 0,
        is_long: false,
        tick: Tick(0),
        is_resting: false,
        is_listed: false,
        older: NIL,
        newer: NIL,
    };

    /// The side that closes it.
    #[inline(always)]
    pub(crate) fn side(&self) -> Side {
        if self.is_long { Side::Sell } else { Side::Buy }
    }

    /// Contracts left, signed.
    pub(crate) fn signed_qty(&self) -> i64 {
        if self.is_long { signed(self.qty) } else { -signed(self.qty) }
    }
}

impl Engine {
    /// A due account's turn has come. (Rules LIQ-5, LIQ-12)
    pub(crate) fn begin_liquidation(&mut self, number: u32, out: &mut impl Outbox) -> Option<Process> {
        if self.is_cured(number) {
            self.not_due(number);
            return None;
        }
        self.tell_liquidation(number, LiquidationStep::Started, out);
        let is_lowest = self.accounts[number as usize].tier == 0;
        Some(Process::Liquidate { account: number, stage: if is_lowest { Stage::Cancel } else { Stage::StepDown } })
    }

    /// Is the mark strictly on the safe side? Always by price, never by margin. (Rule LIQ-12)
    pub(crate) fn is_cured(&self, number: u32) -> bool {
        self.market.is_safe(&self.accounts[number as usize])
    }

    fn not_due(&mut self, number: u32) {
        self.accounts[number as usize].flags &= !DUE;
        self.agenda.rankings.note_not_due(number);
        self.key_exactly(number);
    }

    /// A step of a liquidation that is about the account itself.
    pub(crate) fn tell_liquidation(&mut self, number: u32, step: LiquidationStep, out: &mut impl Outbox) {
        let account = &self.accounts[number as usize];
        let position = crate::engine::position_of(&self.market.spec, account);
        let fact = Liquidation {
            step: step.into(),
            lot: 0,
            qty: position.qty,
            mark: self.market.mark,
            liquidation_price: position.liquidation_price,
            bankruptcy_price: position.bankruptcy_price,
            unit_value: 0,
        };
        self.tell(number, fact, out);
    }

    /// One step of an account's liquidation. (Rules LIQ-5, LIQ-6)
    pub(crate) fn liquidate(&mut self, number: u32, stage: Stage, out: &mut impl Outbox) -> Option<Process> {
        match stage {
            Stage::StepDown => self.step_down_with_orders(number, out),
            Stage::Cancel if self.cancel_oldest(number, CancelReason::Liquidation, out) => {
                Some(Process::Liquidate { account: number, stage })
            }
            Stage::Cancel if self.accounts[number as usize].tier != 0 => self.step_down(number, out),
            Stage::Part => self.close_part(number, out),
            Stage::Cancel | Stage::TakeOver => self.conclude(number, out),
        }
    }

    /// It is safe again.
    pub(crate) fn cured(&mut self, number: u32, out: &mut impl Outbox) {
        self.tell_liquidation(number, LiquidationStep::Cured, out);
        self.not_due(number);
    }

    /// The end: cured, or taken over. (Rule LIQ-5)
    fn conclude(&mut self, number: u32, out: &mut impl Outbox) -> Option<Process> {
        if self.is_cured(number) {
            self.cured(number, out);
            return None;
        }
        let Some(lot) = self.free_lots.first() else {
            self.tell_liquidation(number, LiquidationStep::Waiting, out);
            self.accounts[number as usize].flags &= !DUE;
            self.agenda.rankings.note_not_due(number);
            self.key_where_it_stands(number);
            return None;
        };
        self.take_over(number, lot, out);
        None
    }

    /// The liquidation account takes the whole position at the bankruptcy unit value. (Rule LIQ-5)
    fn take_over(&mut self, number: u32, lot: u32, out: &mut impl Outbox) {
        let account = &self.accounts[number as usize];
        let position = account.position;
        let is_long = position.qty > 0;
        let size = position.size();
        let w = bearable(&account.terms, &position, account.equity()).until_bankruptcy;
        // A short that maintenance makes due may never go bankrupt: v is clamped to one satoshi. (Rule LIQ-3)
        let v = unit_value_after_loss(&self.market.spec, &position, w).unwrap_or(1);
        let value = Xbt(signed_product(units(&self.market.spec, size), v));
        let cost = Xbt(if is_long { value.0 } else { -value.0 });

        // What is left after the loss bears the fee: of the position's margin, and of the wallet.
        let loss = cost + position.cost;
        let mut left = account.wallet - loss;
        if !account.terms.is_cross {
            left = left.min(self.market.position_margin(account) - loss);
        }
        let taker_fee = fee(self.market.spec.fee_rounding, self.market.fees(account).taker, value);
        let paid = taker_fee.min(left.max(Xbt::ZERO));
        self.accounts[number as usize].flags &= !DUE;
        self.settle(number, -position.qty, v, paid);

        let house = &mut self.accounts[AccountId::LIQUIDATION.0 as usize];
        house.position.qty = signed_sum(house.position.qty, position.qty);
        house.position.cost -= cost;
        self.free_lots.remove(lot);
        let created = self.next_number;
        self.next_number += 1;
        let tick = close_out_tick(&self.market.spec, is_long, v).unwrap_or(Tick(0));
        self.lots[lot as usize] = Lot { number: created, qty: size.0, unit_value: v, is_long, tick, ..Lot::FREE };
        self.add_new_lot(lot);
        let id = self.lot_id(lot);
        let side = self.lots[lot as usize].side();
        let fact = Fill {
            cause: FillCause::Takeover.into(),
            taker_side: side.into(),
            maker_account: AccountId::LIQUIDATION.0,
            maker_number: id.number,
            price: self.lot_price(&self.lots[lot as usize]).0,
            qty: size,
            value,
            taker_fee: paid,
            maker_slot: id.slot,
            ..Fill::default()
        };
        self.tell_fill(number, fact, out);
        self.tell_lot(lot, LiquidationStep::TakenOver, out);
    }

    /// A lot's order: its number, and a slot behind those of traders' orders.
    fn lot_id(&self, lot: u32) -> OrderId {
        OrderId { number: self.lots[lot as usize].number, slot: self.book.order_slots() + lot }
    }

    fn lot_taker(&self, lot: u32) -> Taker {
        let Lot { qty, .. } = self.lots[lot as usize];
        let side = self.lots[lot as usize].side();
        Taker { account: AccountId::LIQUIDATION.0, id: self.lot_id(lot), side, leaves: qty }
    }

    /// One fill of a new lot's order, or its rest. (Rules LIQ-7, LIQ-9)
    pub(crate) fn close_out(&mut self, slot: u32, out: &mut impl Outbox) -> Option<Process> {
        let lot = self.lots[slot as usize];
        let maker = self.book.best_maker(lot.side()).filter(|_| self.meets(&lot));
        let Some(maker) = maker else {
            self.come_to_rest(slot, out);
            return None;
        };
        let qty = maker.leaves.min(lot.qty);
        self.fill_lot(slot, &maker, qty, InsuranceCause::CloseOut, out).then_some(Process::CloseOut { lot: slot })
    }

    /// Does a resting order lie at the lot's tick or better?
    fn meets(&self, lot: &Lot) -> bool {
        lot.tick.0 != 0 && self.book.crosses(lot.side(), lot.tick)
    }

    /// Matches a lot as the taker; true while something is left of it.
    fn fill_lot(&mut self, slot: u32, maker: &Resting, qty: u64, cause: InsuranceCause, out: &mut impl Outbox) -> bool {
        let mut taker = self.lot_taker(slot);
        let worth = unit_value(&self.market.spec, self.market.spec.tick_price(maker.tick));
        let gained_by_maker = self.fill(&mut taker, maker, qty, out);
        let gained = self.settle_lot(self.book.order_slots() + slot, qty, worth);
        self.change_insurance(gained + gained_by_maker, cause, maker.account, out);
        self.cut_reduce_only(maker.account, out);
        self.lots[slot as usize].qty != 0
    }

    /// Closes a part of a lot at a unit value; returns the difference to its own, which is the fund's.
    /// (Rule LIQ-9)
    pub(crate) fn settle_lot(&mut self, order_slot: u32, qty: u64, worth: u64) -> Xbt {
        let slot = order_slot - self.book.order_slots();
        let lot = &mut self.lots[slot as usize];
        let n = units(&self.market.spec, Qty(qty));
        let value = |unit_value: u64| Xbt(signed_product(n, unit_value));
        let (cost, proceeds) = (value(lot.unit_value), value(worth));
        let (is_long, tick, was_resting) = (lot.is_long, lot.tick, lot.is_resting);
        lot.qty = difference(lot.qty, qty);
        let is_used_up = lot.qty == 0;
        if is_used_up {
            self.unlist_lot(slot);
            self.lots[slot as usize] = Lot::FREE;
            self.free_lots.insert(slot);
            if was_resting {
                self.drop_lot_key(slot, is_long, tick);
                self.drop_used_up_lots();
            }
        }
        let house = &mut self.accounts[AccountId::LIQUIDATION.0 as usize];
        // Of a long lot its cost goes and what it is worth comes in; of a short one the other way round.
        let (size, gain) = if is_long { (signed(qty), cost - proceeds) } else { (-signed(qty), proceeds - cost) };
        house.position.qty = signed_sum(house.position.qty, -size);
        house.position.cost += if is_long { cost } else { -cost };
        house.realised += gain;
        gain
    }

    /// Puts a lot's order into the book, and its key among the keys. (Rule LIQ-7)
    pub(crate) fn rest_lot(&mut self, slot: u32) {
        let lot = &mut self.lots[slot as usize];
        lot.is_resting = true;
        let lot = *lot;
        let id = self.lot_id(slot);
        self.book.clear_cum(id.slot);
        let cold = self.book.cold_mut(id.slot);
        cold.premium = 0;
        if lot.tick.0 != 0 {
            cold.unit_value = unit_value(&self.market.spec, self.market.spec.tick_price(lot.tick));
            self.book.rest(id, lot.side(), lot.tick, lot.qty, AccountId::LIQUIDATION.0, CLOSE_OUT);
        }
        self.key_lot(slot);
    }

    /// Puts a resting lot's key where the mark passes it; without an order, where every mark does.
    pub(crate) fn key_lot(&mut self, slot: u32) {
        let lot = self.lots[slot as usize];
        let tick = self.lot_key_tick(lot.is_long, lot.tick);
        self.put_key(lot.is_long, tick, self.lot_key(slot));
    }

    /// A lot's slot among the keys.
    pub(crate) fn lot_key(&self, slot: u32) -> u32 {
        self.genesis.capacity.accounts + slot
    }

    pub(crate) fn lot_key_tick(&self, is_long: bool, tick: Tick) -> Tick {
        match (tick, is_long) {
            (Tick(0), true) => self.market.max_tick,
            (Tick(0), false) => Tick(1),
            (tick, _) => tick,
        }
    }

    fn drop_lot_key(&mut self, slot: u32, is_long: bool, tick: Tick) {
        let (key, tick) = (self.lot_key(slot), self.lot_key_tick(is_long, tick));
        self.keys(is_long).unlink(tick, key);
    }

    /// Lists a resting lot whose bankruptcy the mark has passed.
    pub(crate) fn list_lot(&mut self, slot: u32) {
        if self.agenda.listed.len() == self.lots.len() {
            // Some of these are used up. What lives is fewer than there are slots, as this one is not listed yet.
            let lots = &self.lots;
            self.agenda.listed.retain(|entry| lots[entry.0.1 as usize].number == entry.0.0);
        }
        let lot = &mut self.lots[slot as usize];
        lot.is_listed = true;
        self.agenda.add_lot(lot.number, slot);
    }

    /// No lot is listed any more.
    pub(crate) fn unlist_all(&mut self) {
        for Reverse((number, slot)) in self.agenda.listed.drain() {
            let lot = &mut self.lots[slot as usize];
            if lot.number == number {
                lot.is_listed = false;
            }
        }
    }

    /// Lots that were used up by others' orders are not on the list any more: the first on it is always
    /// live.
    pub(crate) fn drop_used_up_lots(&mut self) {
        while let Some(&Reverse((number, slot))) = self.agenda.listed.peek() {
            if self.lots[slot as usize].number == number {
                return;
            }
            self.agenda.listed.pop();
        }
    }

    /// A listed lot's turn has come: its order leaves the book. (Rule LIQ-7)
    pub(crate) fn begin_sweep(&mut self, slot: u32, out: &mut impl Outbox) -> Process {
        self.tell_lot(slot, LiquidationStep::Sweep, out);
        if self.lots[slot as usize].tick.0 != 0 {
            let order = self.book.resting(self.book.order_slots() + slot);
            self.book.unlink(&order);
        }
        let lot = &mut self.lots[slot as usize];
        (lot.is_resting, lot.is_listed) = (false, false);
        let (is_long, tick) = (lot.is_long, lot.tick);
        self.drop_lot_key(slot, is_long, tick);
        Process::Sweep { lot: slot }
    }

    /// One fill that the fund can pay for, or on to deleveraging. (Rule LIQ-7)
    pub(crate) fn sweep(&mut self, slot: u32, out: &mut impl Outbox) -> Option<Process> {
        let lot = self.lots[slot as usize];
        let rank = Some(Process::Rank { lot: slot });
        let is_near = |maker: &Resting| is_near_mark(&self.market.spec, self.market.mark, lot.is_long, maker.tick);
        let Some(maker) = self.book.best_maker(lot.side()).filter(is_near) else { return rank };
        let worth = unit_value(&self.market.spec, self.market.spec.tick_price(maker.tick));
        let loss =
            if lot.is_long { worth.saturating_sub(lot.unit_value) } else { lot.unit_value.saturating_sub(worth) };
        let mut qty = maker.leaves.min(lot.qty);
        if let Some(affordable) = self.insurance().0.unsigned_abs().checked_div(loss) {
            qty = qty.min(affordable.saturating_mul(self.market.spec.value_unit));
        }
        if qty == 0 {
            return rank;
        }
        self.fill_lot(slot, &maker, qty, InsuranceCause::Sweep, out).then_some(Process::Sweep { lot: slot })
    }

    /// Nobody is left to be deleveraged: the lot rests until the next mark. (Rule ADL-4)
    pub(crate) fn wait(&mut self, slot: u32, out: &mut impl Outbox) -> Option<Process> {
        if self.meets(&self.lots[slot as usize]) {
            // An order came to rest at the lot's tick or better while accounts were looked at. (Rule BOOK-1)
            return Some(Process::Sweep { lot: slot });
        }
        self.tell_lot(slot, LiquidationStep::Waiting, out);
        self.rest_lot(slot);
        None
    }

    /// Closes the account's position, or the part the lot needs, against the lot at v. (Rule ADL-2)
    pub(crate) fn deleverage(&mut self, number: u32, slot: u32, out: &mut impl Outbox) {
        let lot = self.lots[slot as usize];
        let account = &self.accounts[number as usize];
        let qty = account.position.size().0.min(lot.qty);
        let value = Xbt(signed_product(units(&self.market.spec, Qty(qty)), lot.unit_value));
        let bought = if account.position.qty > 0 { -signed(qty) } else { signed(qty) };
        let paid = fee(self.market.spec.fee_rounding, self.market.fees(account).maker, value);
        self.settle(number, bought, lot.unit_value, paid);
        let (id, price) = (self.lot_id(slot), self.lot_price(&lot));
        self.settle_lot(id.slot, qty, lot.unit_value);
        let fact = Fill {
            cause: FillCause::Deleverage.into(),
            taker_side: lot.side().into(),
            maker_account: number,
            taker_number: id.number,
            price: price.0,
            qty: Qty(qty),
            value,
            maker_fee: paid,
            taker_leaves: Qty(lot.qty) - Qty(qty),
            taker_slot: id.slot,
            ..Fill::default()
        };
        self.tell_fill(AccountId::LIQUIDATION.0, fact, out);
        self.cut_reduce_only(number, out);
    }

    /// One order of the deleveraged cancelled, or back to the lot. (Rule ADL-2)
    pub(crate) fn clear(&mut self, number: u32, slot: u32, out: &mut impl Outbox) -> Option<Process> {
        if self.cancel_oldest(number, CancelReason::Deleverage, out) {
            return Some(Process::Clear { account: number, lot: slot });
        }
        let is_left = self.lots[slot as usize].qty != 0;
        is_left.then_some(Process::Rank { lot: slot })
    }
}
