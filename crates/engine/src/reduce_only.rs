//! Reduce-only orders: together they never exceed what the position can reduce. (Rule INST-2)
//!
//! Each account's are kept in a list from the most to the least aggressive, so that a cut is a walk from
//! the end and a plan can foresee it.

use contract::event::{Canceled, Restated};
use contract::margin::SideSums;
use contract::math::difference;
use contract::{CancelReason, Coded, OrderId, Qty, Side};

use crate::account::{NIL, TELL_WALLET};
use crate::book::Resting;
use crate::engine::Engine;
use crate::outbox::Outbox;
use crate::reserve::is_less_aggressive;
use crate::say::Say;

impl Engine {
    /// Notes a reduce-only order that came to rest; at one price it is behind those that were there.
    pub(crate) fn list_reduce_only(&mut self, order: &Resting) {
        let account = &self.accounts[order.account as usize];
        let mut closer = account.reduce_last;
        while closer != NIL && is_less_aggressive(order.side(), self.book.resting(closer).tick, order.tick) {
            closer = self.book.rare(closer).reduce_closer;
        }
        let further = if closer == NIL { account.reduce_first } else { self.book.rare(closer).reduce_further };
        self.join_reduce_only(order.account, closer, order.slot);
        self.join_reduce_only(order.account, order.slot, further);
        self.accounts[order.account as usize].reduce_qty += Qty(order.leaves);
    }

    /// Forgets a reduce-only order that leaves the book.
    #[inline(never)]
    pub(crate) fn unlist_reduce_only(&mut self, account: u32, slot: u32, leaves: u64) {
        let rare = self.book.rare(slot);
        let (closer, further) = (rare.reduce_closer, rare.reduce_further);
        self.join_reduce_only(account, closer, further);
        self.accounts[account as usize].reduce_qty -= Qty(leaves);
    }

    fn join_reduce_only(&mut self, account: u32, closer: u32, further: u32) {
        match closer {
            NIL => self.accounts[account as usize].reduce_first = further,
            slot => self.book.rare_mut(slot).reduce_further = further,
        }
        match further {
            NIL => self.accounts[account as usize].reduce_last = closer,
            slot => self.book.rare_mut(slot).reduce_closer = closer,
        }
    }

    /// Cuts an account's reduce-only orders, least aggressive first, to what its position can reduce.
    #[inline(always)]
    pub(crate) fn cut_reduce_only(&mut self, number: u32, out: &mut impl Outbox) {
        if self.accounts[number as usize].reduce_qty != Qty::ZERO {
            self.cut_reduce_only_now(number, out);
        }
    }

    #[inline(never)]
    fn cut_reduce_only_now(&mut self, number: u32, out: &mut impl Outbox) {
        loop {
            let account = &self.accounts[number as usize];
            if account.reduce_last == NIL {
                return;
            }
            let order = self.book.resting(account.reduce_last);
            let excess = account.reduce_qty.0.saturating_sub(account.reducible(order.side()));
            if excess == 0 {
                return;
            }
            self.touch(number, TELL_WALLET);
            if excess >= order.leaves {
                self.cancel_resting(&order, CancelReason::ReduceOnly, out);
            } else {
                self.shrink_resting(&order, excess);
                self.accounts[number as usize].reduce_qty -= Qty(excess);
                self.tell_restated(number, order.id(), difference(order.leaves, excess), out);
            }
        }
    }

    /// Takes quantity off a resting order, in the book and in its account's sums.
    #[inline(always)]
    pub(crate) fn shrink_resting(&mut self, order: &Resting, qty: u64) {
        self.book.reduce(order, qty);
        self.take_from_sums(order, qty);
    }

    /// Takes open quantity of a resting order out of its account's sums.
    #[inline(always)]
    pub(crate) fn take_from_sums(&mut self, order: &Resting, qty: u64) {
        let sums = self.sums_of(order, qty);
        self.accounts[order.account as usize].sums.side_mut(order.side()).take(sums);
    }

    /// What a quantity of a resting order is in its account's sums.
    #[inline(always)]
    pub(crate) fn sums_of(&self, order: &Resting, qty: u64) -> SideSums {
        let cold = self.book.cold(order.slot);
        self.market.sums(qty, cold.unit_value, cold.premium)
    }

    /// `Restated(ReduceOnly)`.
    pub(crate) fn tell_restated(&mut self, account: u32, id: OrderId, leaves: u64, out: &mut impl Outbox) {
        let cum = self.book.cum(id.slot);
        let fact = Restated {
            reason: u16::from(CancelReason::ReduceOnly.code()),
            slot: id.slot,
            number: id.number,
            qty: Qty(cum) + Qty(leaves),
            leaves: Qty(leaves),
        };
        self.tell(account, fact, out);
    }

    /// `Canceled`, with session and request where the command's own account is told.
    #[inline(always)]
    pub(crate) fn tell_canceled(
        &mut self,
        account: u32,
        id: OrderId,
        leaves: u64,
        reason: CancelReason,
        out: &mut impl Outbox,
    ) {
        let fact = canceled(&self.say, account == self.own_account, id, leaves, reason);
        self.tell(account, fact, out);
    }

    /// The side that an account's reduce-only orders are on, where it has any.
    pub(crate) fn reduce_only_side(&self, number: u32) -> Option<Side> {
        let first = self.accounts[number as usize].reduce_first;
        (first != NIL).then(|| self.book.resting(first).side())
    }
}

/// What `Canceled` says: session and request where the account is the command's own.
#[inline(always)]
pub(crate) fn canceled(say: &Say, is_own: bool, id: OrderId, leaves: u64, reason: CancelReason) -> Canceled {
    Canceled {
        reason: u16::from(reason.code()),
        session: if is_own { say.session() } else { 0 },
        number: id.number,
        leaves: Qty(leaves),
        request: if is_own { say.request() } else { 0 },
        slot: id.slot,
    }
}
