//! Placing: new orders, amends and cancels, from admission to rest.
//!
//! Everything that may refuse comes first (`admit`, `reserve`). From the first fact on the order stands:
//! nothing below may refuse it, so nothing below is undone.

use contract::event::{AMENDED_LOST_PLACE, Accepted, Amended};
use contract::margin::{chargeable, order_margin};
use contract::math::difference;
use contract::{
    Amend, Cancel, CancelAll, CancelReason, Command, Marking, NewOrder, OrderId, Qty, Reject, Target, Tick, TimeInForce,
};

use crate::account::{Account, DUE, MARGIN_IS_NEW, TELL_WALLET};
use crate::admit::{Ticket, refuse_if};
use crate::agenda::CancelTask;
use crate::book::{Book, CLOSE_OUT, Cold, POST_ONLY, REDUCE_ONLY, Resting};
use crate::engine::{Engine, Refusal, is_told_at_once};
use crate::market::Market;
use crate::names::Names;
use crate::outbox::Outbox;
use crate::reduce_only::canceled;
use crate::reserve::Plan;
use crate::settle::Taker;

impl Engine {
    /// A new order. (Rules TYPE-1, TIF-1, OM-*, CLOSE-1)
    #[inline(never)]
    pub(crate) fn new_order(&mut self, command: &Command, tag: u32, out: &mut impl Outbox) -> Result<(), Refusal> {
        let (account, side) = self.admit_new(command, tag)?;
        let ticket = self.admit_terms(account, side, command)?;
        self.match_new(&ticket, command, tag, out)
    }

    /// A new order that may trade, or may only reduce.
    #[inline(always)]
    fn match_new(
        &mut self,
        ticket: &Ticket,
        command: &Command,
        tag: u32,
        out: &mut impl Outbox,
    ) -> Result<(), Refusal> {
        let order = &NewOrder::read(command.words());
        let plan = self.reserve(ticket)?;
        let slot = slot_for(&self.market, &mut self.book, &self.accounts[ticket.account as usize])?;

        let id = OrderId { number: self.next_number, slot };
        self.next_number += 1;
        self.tell(ticket.account, accepted(order, id, plan.fixed), out);
        if plan.qty < ticket.qty {
            self.tell_restated(ticket.account, id, plan.qty, out);
        }
        match self.trade(ticket, &plan, id, out) {
            Some(left) => {
                let cold = Cold::of(&order.cl_ord_id, plan.unit_value, plan.premium);
                self.book.list(&mut self.accounts[ticket.account as usize], slot, cold);
                if !order.cl_ord_id.is_none() {
                    self.book.note_name(&mut self.names, tag, slot);
                }
                self.rest(ticket, &plan, id, left, out);
            }
            None => self.book.free_slot_again(slot),
        }
        Ok(())
    }

    /// Trades what the plan says, and cancels or returns what is left.
    #[inline(always)]
    pub(crate) fn trade(&mut self, ticket: &Ticket, plan: &Plan, id: OrderId, out: &mut impl Outbox) -> Option<u64> {
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
        let keep = difference(plan.qty, plan.take);
        self.touch_position(ticket.account);
        let mut last_trade = Tick(0);
        while taker.leaves > keep {
            let maker = self.book.best_maker(ticket.side).expect("the plan walked this very book");
            let qty = maker.leaves.min(difference(taker.leaves, keep));
            self.fill(&mut taker, &maker, qty, out);
            if !maker.is(CLOSE_OUT) {
                last_trade = maker.tick;
            }
            if self.book.has_reduce_only() {
                self.cut_reduce_only(ticket.account, out);
                self.cut_reduce_only(maker.account, out);
            }
        }
        if self.market.spec.marking == Marking::Last {
            self.mark_by_trade(last_trade);
        }
        taker.leaves
    }

    /// Puts what is left of an order on its account's list at the back of its price.
    #[inline(always)]
    fn rest(&mut self, ticket: &Ticket, plan: &Plan, id: OrderId, left: u64, out: &mut impl Outbox) {
        let number = ticket.account;
        if plan.take != 0 {
            self.book.add_cum(id.slot, plan.take);
        }
        let account = &mut self.accounts[number as usize];
        self.book.rest(id, ticket.side, ticket.limit, left, number, ticket.flags);
        account.sums.side_mut(ticket.side).add(self.market.sums(left, plan.unit_value, plan.premium));
        if plan.take == 0 && !ticket.is(REDUCE_ONLY) {
            // Nothing traded and nothing is cut: what the order was admitted with is what it holds.
            account.order_margin = plan.order_margin;
            self.touch_reviewed(number, out);
            return;
        }
        self.touch(number, TELL_WALLET);
        if ticket.is(REDUCE_ONLY) {
            let order = self.book.resting(id.slot);
            self.list_reduce_only(&order);
            self.cut_reduce_only(number, out);
        }
    }

    /// Takes an order out of its account's list and of the names, and gives its slot back.
    #[inline(always)]
    pub(crate) fn forget(&mut self, order: &Resting) {
        let tag = tag_of(&self.book, &self.names, order);
        self.book.forget(&mut self.accounts[order.account as usize], order.slot, tag, &mut self.names);
    }

    /// Cancels a resting order of a trader. (Rule CANCEL-1)
    pub(crate) fn cancel_resting(&mut self, order: &Resting, reason: CancelReason, out: &mut impl Outbox) {
        self.touch(order.account, TELL_WALLET);
        if order.is(REDUCE_ONLY) {
            self.unlist_reduce_only(order.account, order.slot, order.leaves);
        }
        let Engine { market, book, names, accounts, say, own_account, .. } = self;
        let account = &mut accounts[order.account as usize];
        let tag = tag_of(book, names, order);
        take_out(market, book, names, account, order, tag);
        let fact = canceled(say, order.account == *own_account, order.id(), order.leaves, reason);
        say.fact(Some((order.account, account)), fact, out);
    }

    /// The order a cancel is about, of the command's own account only, and its name's tag, that in the command being known.
    #[inline(always)]
    pub(crate) fn find_to_cancel(&self, command: &Command, tag: u32) -> Option<(Resting, u32)> {
        let account = command.account().0;
        match Cancel::read(command.words()).target {
            Target::ClOrdId(name) => Some((self.book.resting(self.named_with(tag, account, &name)?), tag)),
            Target::OrderId(id) => {
                let order = self.book.resting(self.book.find(id, account)?);
                Some((order, tag_of(&self.book, &self.names, &order)))
            }
        }
    }

    /// Cancels one order. (Rule CANCEL-1)
    #[inline(always)]
    pub(crate) fn cancel(&mut self, command: &Command, tag: u32, out: &mut impl Outbox) -> Result<(), Refusal> {
        let (order, tag) = self.find_to_cancel(command, tag).ok_or((Reject::InvalidOrderId, 0))?;
        Engine::check_symbol(command)?;
        self.check_not_closed()?;
        self.cancel_own(&order, tag, false, out);
        self.touch(order.account, TELL_WALLET | MARGIN_IS_NEW);
        Ok(())
    }

    /// Takes an order of the command's own account out, says so, and brings the account's order margin up to date. Tells
    /// its state, too, where all is quiet and it needs no review: was that done?
    #[inline(always)]
    pub(crate) fn cancel_own(&mut self, order: &Resting, tag: u32, is_quiet: bool, out: &mut impl Outbox) -> bool {
        if order.is(REDUCE_ONLY) {
            self.unlist_reduce_only(order.account, order.slot, order.leaves);
        }
        let Engine { market, book, names, accounts, say, .. } = self;
        let account = &mut accounts[order.account as usize];
        take_out(market, book, names, account, order, tag);
        let fact = canceled(say, true, order.id(), order.leaves, CancelReason::Requested);
        say.fact(Some((order.account, account)), fact, out);
        account.order_margin = order_margin(&account.terms, chargeable(&account.sums, account.position.qty));
        is_told_at_once(say, is_quiet, order.account, account, out)
    }

    /// Touches an account whose own command took off open quantity and nothing else.
    #[inline(always)]
    fn touch_after_less(&mut self, number: u32, out: &mut impl Outbox) {
        let account = &mut self.accounts[number as usize];
        account.order_margin = order_margin(&account.terms, chargeable(&account.sums, account.position.qty));
        self.touch_reviewed(number, out);
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
        self.check_not_closed()?;
        self.agenda.add_cancel_all(CancelTask { account, side, before: self.next_number })
    }

    /// Another price or quantity. Most shrink where they are, or come to rest at another price without meeting another.
    /// (Rules AMEND-1, AMEND-2)
    #[inline(never)]
    pub(crate) fn amend(&mut self, command: &Command, tag: u32, out: &mut impl Outbox) -> Result<(), Refusal> {
        let (order, ticket, keeps_place) = self.admit_amend(command, tag)?;
        let number = ticket.account;
        if ticket.qty == 0 {
            return self.amend_any(command, tag, out);
        }
        if keeps_place {
            refuse_if(self.accounts[number as usize].has(DUE), Reject::InLiquidation)?;
            let less = difference(order.leaves, ticket.qty);
            self.shrink_resting(&order, less);
            if order.is(REDUCE_ONLY) {
                self.accounts[number as usize].reduce_qty -= Qty(less);
            }
            self.tell_amended(&order, &ticket, command, 0, out);
            self.touch_after_less(number, out);
            return Ok(());
        }
        // Out of the sums, and in again as it will be.
        let old = self.sums_of(&order, order.leaves);
        self.accounts[number as usize].sums.side_mut(ticket.side).take(old);
        let Some(borne) = self.bear_at_rest(&ticket) else {
            self.accounts[number as usize].sums.side_mut(ticket.side).add(old);
            return self.amend_any(command, tag, out);
        };
        self.book.unlink(&order);
        self.tell_amended(&order, &ticket, command, AMENDED_LOST_PLACE, out);
        self.book.rest(order.id(), ticket.side, ticket.limit, ticket.qty, number, ticket.flags);
        let cold = self.book.cold_mut(order.slot);
        (cold.unit_value, cold.premium) = (borne.unit_value, borne.premium);
        self.accounts[number as usize].order_margin = borne.order_margin;
        self.touch_reviewed(number, out);
        Ok(())
    }

    /// An amend that loses its place, whatever the order meets there, or after which nothing is left of it.
    #[inline(never)]
    fn amend_any(&mut self, command: &Command, tag: u32, out: &mut impl Outbox) -> Result<(), Refusal> {
        let (order, ticket, _) = &self.admit_amend(command, tag)?;
        let number = ticket.account;
        if ticket.qty == 0 {
            refuse_if(self.accounts[number as usize].has(DUE), Reject::InLiquidation)?;
            self.cancel_resting(order, CancelReason::AmendedToFilled, out);
            return Ok(());
        }
        let mut resting = self.accounts[number as usize].sums;
        resting.side_mut(ticket.side).take(self.sums_of(order, order.leaves));
        let plan = self.reserve_any(ticket, &resting)?;

        // From here the old terms are gone: out of the book and the sums, not out of the account's list.
        self.book.unlink(order);
        if order.is(REDUCE_ONLY) {
            self.unlist_reduce_only(order.account, order.slot, order.leaves);
        }
        self.accounts[number as usize].sums = resting;
        self.tell_amended(order, ticket, command, AMENDED_LOST_PLACE, out);
        if plan.qty < ticket.qty {
            self.tell_restated(number, order.id(), plan.qty, out);
        }
        debug_assert!(!ticket.is(POST_ONLY) || plan.take == 0, "post-only never trades on entry");
        match self.trade(ticket, &plan, order.id(), out) {
            Some(left) => {
                let cold = self.book.cold_mut(order.slot);
                (cold.unit_value, cold.premium) = (plan.unit_value, plan.premium);
                self.rest(ticket, &plan, order.id(), left, out);
            }
            None => {
                self.forget(order);
                self.touch(number, TELL_WALLET);
            }
        }
        Ok(())
    }

    /// Another name for a resting order. (Rule ID-1)
    #[inline(never)]
    fn rename(&mut self, account: u32, slot: u32, command: &Command) {
        let name = Amend::read(command.words()).fields.new_cl_ord_id;
        self.book.name(account, slot, name, &mut self.names);
    }

    /// `Amended`, and the order's new name.
    #[inline(always)]
    fn tell_amended(&mut self, order: &Resting, ticket: &Ticket, command: &Command, flags: u8, out: &mut impl Outbox) {
        if !Amend::read(command.words()).fields.new_cl_ord_id.is_none() {
            self.rename(order.account, order.slot, command);
        }
        let fact = Amended {
            price: ticket.limit,
            cl_ord_id: self.book.cold(order.slot).cl_ord_id(),
            slot: order.slot,
            number: order.number,
            qty: Qty(self.book.cum(order.slot)) + Qty(ticket.qty),
            leaves: Qty(ticket.qty),
            flags,
            ..Amended::default()
        };
        self.tell(order.account, fact, out);
    }
}

/// The tag of a resting order's name, 0 where it has none.
#[inline(always)]
pub(crate) fn tag_of(book: &Book, names: &Names, order: &Resting) -> u32 {
    let name = book.cold(order.slot).cl_ord_id();
    if name.is_none() { 0 } else { names.tag(order.account, &name) }
}

/// Takes a resting order out of the book, its account's sums and list, and the names, where its own has this tag. A
/// reduce-only one is off its own list already.
#[inline(always)]
fn take_out(market: &Market, book: &mut Book, names: &mut Names, account: &mut Account, order: &Resting, tag: u32) {
    book.unlink(order);
    let (unit_value, premium) = book.forget(account, order.slot, tag, names);
    account.sums.side_mut(order.side()).take(market.sums(order.leaves, unit_value, premium));
}

/// The slot of a new order, taken, or the last reason there may be against it. (Law 3)
#[inline(always)]
pub(crate) fn slot_for(market: &Market, book: &mut Book, account: &Account) -> Result<u32, Refusal> {
    let max = market.spec.max_open_orders;
    if max != 0 && u64::from(account.open_orders) >= max {
        return Err((Reject::CapacityReached, 0));
    }
    book.take_slot().ok_or((Reject::CapacityReached, 0))
}

/// What `Accepted` says of a new order.
#[inline(always)]
pub(crate) fn accepted(order: &NewOrder, id: OrderId, price: Tick) -> Accepted {
    Accepted {
        exec_inst: order.exec_inst,
        price,
        cl_ord_id: order.cl_ord_id,
        number: id.number,
        slot: id.slot,
        qty: order.qty,
        display: order.qty,
        side: order.side,
        ord_type: order.ord_type,
        tif: order.tif,
        ..Accepted::default()
    }
}
