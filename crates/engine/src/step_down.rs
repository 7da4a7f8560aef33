//! Stepping down: an account in a higher tier is brought to a lower one before its position is taken over.
//!
//! In    a due account whose tier is not the lowest.
//! Out   `Liquidation` (StepDown, Part), `Accepted` and fills of its own fill-or-kill.
//! Laws  LIQ-6  lower the tier, look; cancel orders, lower it again, look; close a part, lower it again, look;
//!              only then is the rest taken over.
//! A lower tier asks for less maintenance margin, so its liquidation price lies further from the mark.

use contract::event::Accepted;
use contract::liquidation::{bearable, price_after_loss, tick_of};
use contract::margin::{chargeable, order_margin, risk_usage, tier_for, tier_limit};
use contract::math::signed;
use contract::value::units;
use contract::{ExecInst, LiquidationStep, OrdType, OrderId, Qty, Side, Tick, TimeInForce, Xbt};

use crate::account::NIL;
use crate::admit::Ticket;
use crate::agenda::{Process, Stage};
use crate::engine::Engine;
use crate::outbox::Outbox;
use crate::reserve::Plan;

impl Engine {
    /// The first step in a higher tier: to that of position and orders together, then look. (Rule LIQ-6)
    pub(crate) fn step_down_with_orders(&mut self, number: u32, out: &mut impl Outbox) -> Option<Process> {
        self.lower_tier(number, out);
        self.cured_or(number, Stage::Cancel, out)
    }

    /// Once the orders are gone: to the tier of the position alone, then look. (Rule LIQ-6)
    pub(crate) fn step_down(&mut self, number: u32, out: &mut impl Outbox) -> Option<Process> {
        self.lower_tier(number, out);
        let is_lowest = self.accounts[number as usize].tier == 0;
        self.cured_or(number, if is_lowest { Stage::TakeOver } else { Stage::Part }, out)
    }

    /// The part that brings the position into the next lower tier is closed, if the book has all of it; then look
    /// for the last time. (Rule LIQ-6)
    pub(crate) fn close_part(&mut self, number: u32, out: &mut impl Outbox) -> Option<Process> {
        if !self.is_cured(number) {
            if let Some(limit) = self.part_limit(number)
                && let Some(slot) = self.book.take_slot()
            {
                self.tell_liquidation(number, LiquidationStep::Part, out);
                self.fill_or_kill(number, limit, slot, out);
            }
            self.lower_tier(number, out);
        }
        self.cured_or(number, Stage::TakeOver, out)
    }

    /// Lowers the tier to the lowest that bears what the account uses, and says so where that is another.
    fn lower_tier(&mut self, number: u32, out: &mut impl Outbox) {
        let account = &self.accounts[number as usize];
        let charged = chargeable(&account.sums, account.position.qty);
        let usage = risk_usage(&self.market.spec, &account.position, self.market.mark_value, charged);
        let tier = tier_for(&self.market.spec, Xbt(signed(usage))).unwrap_or(account.tier);
        if tier < account.tier {
            self.set_tier(number, tier);
            let account = &mut self.accounts[number as usize];
            account.order_margin = order_margin(&account.terms, chargeable(&account.sums, account.position.qty));
            self.tell_liquidation(number, LiquidationStep::StepDown, out);
        }
    }

    /// Gives an account another tier, and the terms that go with it. (Rule RISK-1)
    pub(crate) fn set_tier(&mut self, number: u32, tier: u16) {
        let account = &mut self.accounts[number as usize];
        account.tier = tier;
        account.risk_limit = tier_limit(&self.market.spec, tier).0.unsigned_abs();
        account.terms = account.terms_with(&self.market.spec, account.leverage, tier, self.market.rate);
        self.touch_position(number);
    }

    /// The bankruptcy tick toward the mark; none where it lies off the scale, so that no fill may lose more.
    fn part_limit(&self, number: u32) -> Option<Tick> {
        let account = &self.accounts[number as usize];
        let w = bearable(&account.terms, &account.position, account.equity()).until_bankruptcy;
        let spec = &self.market.spec;
        let price = price_after_loss(spec, &account.position, w, spec.tick_size);
        (account.position.qty < 0 || price <= spec.max_price).then(|| tick_of(spec, price))
    }

    /// The least lots whose closing brings the position's value at the mark to the next lower limit.
    fn part_qty(&self, number: u32) -> u64 {
        let account = &self.accounts[number as usize];
        let spec = &self.market.spec;
        let limit = tier_limit(spec, account.tier - 1).0.unsigned_abs();
        let size = account.position.size();
        let excess = units(spec, size).saturating_sub(limit / self.market.mark_value);
        let lots = excess.div_ceil(spec.lot.0 / spec.value_unit);
        (lots * spec.lot.0).min(size.0)
    }

    /// The account's own order: all of it at this limit or better, now, or none.
    fn fill_or_kill(&mut self, number: u32, limit: Tick, slot: u32, out: &mut impl Outbox) {
        let qty = self.part_qty(number);
        let position = self.accounts[number as usize].position.qty;
        let side = Side::that_reduces(position).expect("LIQ-6: a due account has a position");
        let id = OrderId { number: self.next_number, slot };
        self.next_number += 1;
        let accepted = Accepted {
            exec_inst: ExecInst::NONE,
            price: limit,
            number: id.number,
            qty: Qty(qty),
            display: Qty(qty),
            slot,
            side: side.into(),
            ord_type: OrdType::Limit.into(),
            tif: TimeInForce::FillOrKill.into(),
            ..Accepted::default()
        };
        self.tell(number, accepted, out);
        let tif = TimeInForce::FillOrKill;
        let ticket = Ticket { account: number, side, limit, qty, tif, is_market: false, flags: 0, replaces: NIL };
        let plan = Plan {
            qty,
            take: self.would_take(&ticket),
            is_cut: false,
            would_initiate: false,
            unit_value: 0,
            premium: 0,
            fixed: limit,
            order_margin: Xbt::ZERO,
        };
        let left = self.trade(&ticket, &plan, id, out);
        assert!(left.is_none(), "LIQ-6: a fill-or-kill never rests");
        self.book.free_slot_again(slot);
    }

    /// Cured, or on to this stage.
    fn cured_or(&mut self, number: u32, stage: Stage, out: &mut impl Outbox) -> Option<Process> {
        if self.is_cured(number) {
            self.cured(number, out);
            return None;
        }
        Some(Process::Liquidate { account: number, stage })
    }
}
