//! Placing: new orders, amends and cancels, from admission to rest.
//!
//! Everything that may refuse comes first (`admit`, `reserve`). From the first fact on the order stands:
//! nothing below may refuse it, so nothing below is undone.

use contract::event::{Accepted, Amended};
use contract::margin::{SideSums, chargeable, order_margin};
use contract::value::units;
use contract::{Amend, CancelAll, CancelReason, ClOrdId, Command, NewOrder, OrderId, Qty, Reject, Target, TimeInForce};

use crate::account::{NIL, TELL_WALLET};
use crate::admit::Ticket;
use crate::agenda::CancelTask;
use crate::book::{POST_ONLY, REDUCE_ONLY, Resting};
use crate::engine::{Engine, Refusal};
use crate::outbox::Outbox;
use crate::reserve::Plan;
use crate::settle::Taker;

impl Engine {
    /// A new order. (Rules TYPE-1, TIF-1, OM-*, CLOSE-1)
    #[inline(always)]
    pub(crate) fn new_order(
        &mut self,
        command: &Command,
        order: &NewOrder,
        out: &mut impl Outbox,
    ) -> Result<(), Refusal> {
        let (ticket, tag) = self.admit_new(command, order)?;
        let sums = self.accounts[ticket.account as usize].sums;
        let plan = self.reserve(&ticket, &sums)?;
        let slot = self.slot_for(&ticket)?;

        let id = OrderId { number: self.next_number, slot };
        self.next_number += 1;
        self.book.take_slot(slot, id.number);
        let accepted = Accepted {
            exec_inst: order.exec_inst,
            price: plan.fixed,
            cl_ord_id: order.cl_ord_id,
            number: id.number,
            slot,
            qty: order.qty,
            display: order.qty,
            side: order.side,
            ord_type: order.ord_type,
            tif: order.tif,
            ..Accepted::default()
        };
        self.tell(ticket.account, accepted, out);
        let cold = self.book.cold_mut(slot);
        cold.cum = 0;
        if plan.qty < ticket.qty {
            self.tell_restated(ticket.account, slot, plan.qty, out);
        }
        let left = self.trade(&ticket, &plan, id, out);
        match left {
            Some(left) => self.rest(&ticket, &plan, id, left, Some((&order.cl_ord_id, tag)), out),
            None => self.book.free_slot_again(slot),
        }
        Ok(())
    }

    /// The slot a new order will have. (Law 3)
    #[inline(always)]
    fn slot_for(&self, ticket: &Ticket) -> Result<u32, Refusal> {
        let max = self.market.spec.max_open_orders;
        if max != 0 && u64::from(self.accounts[ticket.account as usize].open_orders) >= max {
            return Err((Reject::CapacityReached, 0));
        }
        self.book.free_slot().ok_or((Reject::CapacityReached, 0))
    }

    /// Trades what the plan says, and cancels or returns what is left.
    #[inline(always)]
    fn trade(&mut self, ticket: &Ticket, plan: &Plan, id: OrderId, out: &mut impl Outbox) -> Option<u64> {
        let mut left = plan.qty;
        let reason = if plan.would_initiate {
            CancelReason::PostOnly
        } else if ticket.tif == TimeInForce::FillOrKill && plan.take != plan.qty {
            CancelReason::FillOrKill
        } else {
            if plan.take != 0 {
                left = self.take(ticket, plan, id, out);
            }
            if left == 0 {
                return None;
            }
            if plan.is_cut {
                CancelReason::MaxFills
            } else if ticket.is_market && self.book.best(ticket.side.opposite()).is_some() {
                CancelReason::MarketLimit
            } else if ticket.tif == TimeInForce::ImmediateOrCancel {
                CancelReason::ImmediateOrCancel
            } else {
                return Some(left);
            }
        };
        self.tell_canceled(ticket.account, id, left, reason, out);
        None
    }

    /// Matches the order, price by price, oldest first. (Rule BOOK-1)
    #[inline(never)]
    fn take(&mut self, ticket: &Ticket, plan: &Plan, id: OrderId, out: &mut impl Outbox) -> u64 {
        let mut taker = Taker { account: ticket.account, id, side: ticket.side, leaves: plan.qty };
        let keep = plan.qty - plan.take;
        while taker.leaves > keep {
            let maker = self.book.best_maker(ticket.side).expect("the plan walked this very book");
            let qty = maker.leaves.min(taker.leaves - keep);
            self.fill(&mut taker, &maker, qty, out);
            self.cut_reduce_only(ticket.account, out);
            if maker.account != ticket.account {
                self.cut_reduce_only(maker.account, out);
            }
        }
        self.book.cold_mut(id.slot).cum += plan.take;
        taker.leaves
    }

    /// Puts what is left at the back of its price; a new order also among its account's orders and names.
    #[inline(always)]
    fn rest(
        &mut self,
        ticket: &Ticket,
        plan: &Plan,
        id: OrderId,
        left: u64,
        new: Option<(&ClOrdId, u32)>,
        out: &mut impl Outbox,
    ) {
        let number = ticket.account;
        self.book.rest(id.slot, ticket.side, ticket.limit, left, number, ticket.flags);
        let cold = self.book.cold_mut(id.slot);
        cold.unit_value = plan.unit_value;
        cold.premium = plan.premium;
        if let Some((name, tag)) = new {
            cold.cl_ord_id = *name;
            cold.tag = tag;
            if !name.is_none() {
                self.names.insert(tag, id.slot);
            }
            self.list_order(number, id.slot);
        }
        let n = units(&self.market.spec, Qty(left));
        let sums = SideSums { qty: Qty(left), cost: n * plan.unit_value, premium: n * plan.premium };
        let account = &mut self.accounts[number as usize];
        account.sums.side_mut(ticket.side).add(sums);
        if plan.take == 0 && !ticket.is(REDUCE_ONLY) {
            // Nothing traded and nothing is cut: what the order was admitted with is what it holds.
            account.order_margin = plan.order_margin;
            self.touch_reviewed(number);
            return;
        }
        self.touch(number, TELL_WALLET);
        if ticket.is(REDUCE_ONLY) {
            let order = self.book.resting(id.slot);
            self.list_reduce_only(&order);
            self.cut_reduce_only(number, out);
        }
    }

    /// Notes an order as its account's newest.
    #[inline(always)]
    fn list_order(&mut self, number: u32, slot: u32) {
        let account = &mut self.accounts[number as usize];
        let before = account.newest;
        account.newest = slot;
        account.open_orders += 1;
        match before {
            NIL => account.oldest = slot,
            before => self.book.cold_mut(before).newer = slot,
        }
        let cold = self.book.cold_mut(slot);
        cold.older = before;
        cold.newer = NIL;
    }

    /// Takes an order out of its account's list and of the names, and gives its slot back.
    #[inline(always)]
    pub(crate) fn forget(&mut self, order: &Resting) {
        let cold = self.book.cold(order.slot);
        let (older, newer, tag, is_named) = (cold.older, cold.newer, cold.tag, !cold.cl_ord_id.is_none());
        if is_named {
            self.names.remove(tag, order.slot);
        }
        let account = &mut self.accounts[order.account as usize];
        account.open_orders -= 1;
        if older == NIL {
            account.oldest = newer;
        }
        if newer == NIL {
            account.newest = older;
        }
        if older != NIL {
            self.book.cold_mut(older).newer = newer;
        }
        if newer != NIL {
            self.book.cold_mut(newer).older = older;
        }
        self.book.free_slot_again(order.slot);
    }

    /// Cancels a resting order of a trader. (Rule CANCEL-1)
    pub(crate) fn cancel_resting(&mut self, order: &Resting, reason: CancelReason, out: &mut impl Outbox) {
        self.touch(order.account, TELL_WALLET);
        self.take_out(order, reason, out);
    }

    /// Takes a resting order out of the book, the sums and the lists, and says so.
    #[inline(always)]
    fn take_out(&mut self, order: &Resting, reason: CancelReason, out: &mut impl Outbox) {
        self.take_from_sums(order, order.leaves);
        self.book.unlink(order);
        if order.is(REDUCE_ONLY) {
            self.unlist_reduce_only(order);
        }
        let id = OrderId { number: self.book.cold(order.slot).number, slot: order.slot };
        self.forget(order);
        self.tell_canceled(order.account, id, order.leaves, reason, out);
    }

    /// Cancels one order. (Rule CANCEL-1)
    #[inline(always)]
    pub(crate) fn cancel(&mut self, command: &Command, target: Target, out: &mut impl Outbox) -> Result<(), Refusal> {
        let order = self.find(command.account().0, &target).ok_or((Reject::InvalidOrderId, 0))?;
        Engine::check_symbol(command)?;
        self.take_out(&order, CancelReason::Requested, out);
        let account = &mut self.accounts[order.account as usize];
        account.order_margin = order_margin(&account.terms, chargeable(&account.sums, account.position.qty));
        self.touch_reviewed(order.account);
        Ok(())
    }

    /// Puts a cancel-all on the agenda: the account's orders numbered before it. (Rule CANCEL-1)
    pub(crate) fn cancel_all(&mut self, command: &Command, body: &CancelAll) -> Result<(), Refusal> {
        Engine::check_symbol(command)?;
        let account = self.trader(command.account())?;
        let side = match (body.side.raw, body.side.get()) {
            (0, _) => None,
            (_, Some(side)) => Some(side),
            _ => return Err((Reject::InvalidSide, 0)),
        };
        self.agenda.add_cancel_all(CancelTask { account, side, before: self.next_number })
    }

    /// Another price or quantity. (Rules AMEND-1, AMEND-2)
    #[inline(never)]
    pub(crate) fn amend(&mut self, command: &Command, amend: &Amend, out: &mut impl Outbox) -> Result<(), Refusal> {
        let (order, ticket, keeps_place) = self.admit_amend(command, &amend.target, &amend.fields)?;
        let number = ticket.account;
        if keeps_place {
            if self.accounts[number as usize].has(crate::account::DUE) {
                return Err((Reject::InLiquidation, 0));
            }
            if ticket.qty == 0 {
                self.cancel_resting(&order, CancelReason::AmendedToFilled, out);
                return Ok(());
            }
            let less = order.leaves - ticket.qty;
            self.shrink_resting(&order, less);
            if order.is(REDUCE_ONLY) {
                self.accounts[number as usize].reduce_qty -= less;
            }
            self.touch(number, TELL_WALLET);
            self.tell_amended(&order, &ticket, &amend.fields.new_cl_ord_id, out);
            return Ok(());
        }
        if ticket.qty == 0 {
            if self.accounts[number as usize].has(crate::account::DUE) {
                return Err((Reject::InLiquidation, 0));
            }
            self.cancel_resting(&order, CancelReason::AmendedToFilled, out);
            return Ok(());
        }
        let mut resting = self.accounts[number as usize].sums;
        resting.side_mut(ticket.side).take(self.sums_of(&order, order.leaves));
        let plan = self.reserve(&ticket, &resting)?;

        // From here the old terms are gone: out of the book and the sums, not out of the account's list.
        self.book.unlink(&order);
        if order.is(REDUCE_ONLY) {
            self.unlist_reduce_only(&order);
        }
        self.accounts[number as usize].sums = resting;
        self.touch(number, TELL_WALLET);
        self.tell_amended(&order, &ticket, &amend.fields.new_cl_ord_id, out);
        if plan.qty < ticket.qty {
            self.tell_restated(number, order.slot, plan.qty, out);
        }
        let id = OrderId { number: self.book.cold(order.slot).number, slot: order.slot };
        debug_assert!(!ticket.is(POST_ONLY) || plan.take == 0, "post-only never trades on entry");
        match self.trade(&ticket, &plan, id, out) {
            Some(left) => self.rest(&ticket, &plan, id, left, None, out),
            None => self.forget(&order),
        }
        Ok(())
    }

    /// `Amended`, and the order's new name.
    fn tell_amended(&mut self, order: &Resting, ticket: &Ticket, name: &ClOrdId, out: &mut impl Outbox) {
        if !name.is_none() {
            let cold = self.book.cold(order.slot);
            if !cold.cl_ord_id.is_none() {
                self.names.remove(cold.tag, order.slot);
            }
            let tag = self.names.tag(order.account, name);
            self.names.insert(tag, order.slot);
            let cold = self.book.cold_mut(order.slot);
            cold.tag = tag;
            cold.cl_ord_id = *name;
        }
        let cold = self.book.cold(order.slot);
        let fact = Amended {
            price: ticket.limit,
            cl_ord_id: cold.cl_ord_id,
            slot: order.slot,
            number: cold.number,
            qty: Qty(cold.cum + ticket.qty),
            leaves: Qty(ticket.qty),
            ..Amended::default()
        };
        self.tell(order.account, fact, out);
    }
}
