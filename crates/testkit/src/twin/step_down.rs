//! Stepping down: a higher tier is left before a position is taken over. (Rule LIQ-6)

use contract::codes::{CancelReason, ExecInst, LiquidationStep, OrdType, Side, TimeInForce};
use contract::event::{Accepted, Fact};
use contract::units::Tick;

use super::Twin;
use super::agenda::{Process, Stage};
use super::book::{Order, Reach};
use super::money::{ceil, floor};
use super::outbox::contracts;

impl Twin {
    /// The lowest tier whose limit bears what the account uses, where that is lower than its own.
    pub(super) fn lower_tier(&mut self, account: u32) {
        let it = &self.accounts[account as usize];
        let usage = self.market.usage(it, &self.sums(account));
        let tier = self.market.tier_for(usage).unwrap_or(it.tier);
        if tier < it.tier {
            self.accounts[account as usize].tier = tier;
            self.touch_wallet(account);
            self.touch_position(account);
            self.say_step_of_account(LiquidationStep::StepDown, account);
        }
    }

    /// Cured, or the next stage.
    pub(super) fn cured_or(&mut self, account: u32, stage: Stage) -> Option<Process> {
        if !self.market.is_safe(&self.accounts[account as usize], &self.sums(account)) {
            return Some(Process::Liquidate(account, stage));
        }
        self.accounts[account as usize].due = None;
        self.say_step_of_account(LiquidationStep::Cured, account);
        None
    }

    /// Closes what is above the next lower limit, where the book takes all of it at the bankruptcy tick or better.
    pub(super) fn close_part(&mut self, account: u32) -> Option<Process> {
        if !self.market.is_safe(&self.accounts[account as usize], &self.sums(account)) {
            let limit = self.part_limit(account);
            if let Some(limit) = limit
                && let Some(slot) = self.take_slot()
            {
                self.say_step_of_account(LiquidationStep::Part, account);
                self.fill_or_kill(account, limit, slot);
            }
            self.lower_tier(account);
        }
        self.cured_or(account, Stage::TakeOver)
    }

    /// The bankruptcy tick toward the mark; a long's may lie above all prices.
    fn part_limit(&self, account: u32) -> Option<u32> {
        let it = &self.accounts[account as usize];
        let price = self.market.bankruptcy_price(it, &self.sums(account));
        let tick = u32::try_from(i128::from(price.0) / self.market.tick_size()).unwrap_or(u32::MAX);
        let highest = self.market.highest_tick();
        if it.qty > 0 && tick > highest { None } else { Some(tick.min(highest)) }
    }

    /// The least lots that must go, in contracts.
    fn part_qty(&self, account: u32) -> i128 {
        let it = &self.accounts[account as usize];
        let (lot, unit) = (i128::from(self.market.spec.lot.0), i128::from(self.market.spec.value_unit));
        let may_stay = floor(self.market.tier_limit(it.tier - 1), self.market.unit_value_at_mark()) * unit;
        let size = it.qty.abs();
        (ceil((size - may_stay).max(0), lot) * lot).min(size)
    }

    fn fill_or_kill(&mut self, account: u32, limit: u32, slot: u32) {
        let qty = self.part_qty(account);
        let side = if self.accounts[account as usize].qty > 0 { Side::Sell } else { Side::Buy };
        let mut order = Order {
            number: self.next_number(),
            slot,
            account,
            side,
            tick: limit,
            leaves: qty,
            cum: 0,
            cl_ord_id: contract::cl_ord_id::ClOrdId::NONE,
            premium: 0,
            is_post_only: false,
            is_reduce_only: false,
        };
        let accepted = Accepted {
            exec_inst: ExecInst::NONE,
            price: Tick(limit),
            number: order.number,
            qty: contracts(qty),
            display: contracts(qty),
            slot,
            side: side.into(),
            ord_type: OrdType::Limit.into(),
            tif: TimeInForce::FillOrKill.into(),
            ..Accepted::default()
        };
        self.say(Some(account), Fact::Accepted(accepted));
        let plan = self.plan(account, side, qty, Reach { first: 0, first_limit: limit, limit });
        if plan.traded() < qty {
            self.give_back_slot(&order);
            return self.say_canceled(account, order.number, slot, qty, CancelReason::FillOrKill);
        }
        self.trade_all(&mut order, &plan.pieces);
        self.give_back_slot(&order);
    }
}
