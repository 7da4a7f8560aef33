//! The quiet path: most commands are plain orders that come to rest, and cancels, while nothing else is under way.
//!
//! In    a `New` or a `Cancel`, where nothing waits and no audit is due.
//! Out   what the long way would say, word for word: where anything may speak against it, that is taken.
//! Laws  2  nothing is changed before it is sure that nothing refuses.

use contract::{AccountId, Command, NewOrder, OrderId, Side};

use crate::account::{MARGIN_IS_NEW, NIL, SUSPENDED, TELL_WALLET};
use crate::book::Cold;
use crate::engine::{Engine, wallet_of};
use crate::outbox::Outbox;
use crate::place::{accepted, slot_for};

impl Engine {
    /// A new order. Most come to rest without meeting another.
    #[inline(never)]
    pub(crate) fn new_in_quiet(&mut self, command: &Command, out: &mut impl Outbox) {
        match self
            .admit_plain(command)
            .and_then(|(account, side, tag)| self.rest_plain(command, account, side, tag, out))
        {
            Some(number) => self.tell_own(number, command, out),
            None => self.apply_any(command, true, Ok(()), out),
        }
    }

    /// A cancel.
    #[inline(never)]
    pub(crate) fn cancel_in_quiet(&mut self, command: &Command, out: &mut impl Outbox) {
        match self.cancel_own(command, out) {
            Ok(number) => self.tell_own(number, command, out),
            Err(refusal) => {
                self.refuse(command, refusal, out);
                self.say.end(out);
            }
        }
    }

    /// The state of the one account that a quiet command touched: at once where it needs no review.
    #[inline(always)]
    fn tell_own(&mut self, number: u32, command: &Command, out: &mut impl Outbox) {
        let account = &mut self.accounts[number as usize];
        if account.needs_no_review() {
            let wallet = wallet_of(account);
            self.say.fact(Some((number, account)), wallet, out);
            return out.end();
        }
        self.own_account = number;
        self.touch(number, TELL_WALLET | MARGIN_IS_NEW);
        self.finish(command, self.market.spec.budget, out);
    }

    /// Account, side and tag of a plain order that would come to rest without meeting another, where nothing
    /// speaks against it: most orders. `None` says no more than that the long way must be taken; what refuses
    /// an order, and in which order, is said there.
    #[inline(always)]
    fn admit_plain(&self, command: &Command) -> Option<(u32, Side, u32)> {
        if !NewOrder::is_plain(command.words()) || command.instrument() != 0 || self.market.mark_value == 0 {
            return None;
        }
        let order = NewOrder::read(command.words());
        let (limit, qty, number) = (order.price, order.qty.0, command.account().0);
        let account = self.accounts.get(number as usize)?;
        let side = order.side.get()?;
        let is_fine = number >= AccountId::FIRST_TRADER.0
            && !account.has(SUSPENDED)
            && !self.is_halted()
            && limit.0.wrapping_sub(1) < self.market.max_tick.0
            && !self.is_stale()
            && qty.wrapping_sub(1) < self.market.spec.max_order_qty.0
            && self.is_whole_lots(qty)
            && !self.exceeds_limit_1(account, side, qty)
            && !self.book.crosses(side, limit);
        if !is_fine {
            return None;
        }
        let name = order.cl_ord_id;
        if name.is_none() {
            return Some((number, side, 0));
        }
        let tag = self.tag_if_new(command);
        (tag != 0).then_some((number, side, tag))
    }

    /// The tag of a new order's name; 0 where the name is no good, or another order of the account goes by it.
    #[inline(always)]
    fn tag_if_new(&self, command: &Command) -> u32 {
        let (name, number) = (NewOrder::read(command.words()).cl_ord_id, command.account().0);
        let tag = self.names.tag(number, &name);
        if name.is_valid() && (self.names.is_vacant(tag) || self.is_new_name(tag, command)) { tag } else { 0 }
    }

    /// Has the account no live order of a new order's name?
    #[inline(never)]
    fn is_new_name(&self, tag: u32, command: &Command) -> bool {
        let name = NewOrder::read(command.words()).cl_ord_id;
        self.named_with(tag, command.account().0, &name).is_none()
    }

    /// Puts a plain order to rest where its account plainly bears it; `None` where something may speak against it: then
    /// nothing was done. Returns the account, of which only its state is left to tell.
    #[inline(always)]
    fn rest_plain(
        &mut self,
        command: &Command,
        number: u32,
        side: Side,
        tag: u32,
        out: &mut impl Outbox,
    ) -> Option<u32> {
        let Engine { market, book, names, accounts, say, next_number, .. } = self;
        let order = NewOrder::read(command.words());
        let (limit, qty) = (order.price, order.qty.0);
        let account = &mut accounts[number as usize];
        let slot = slot_for(market, book, account).ok()?;
        let (unit_value, premium) = market.value_and_premium(side, limit);
        let whole = market.sums(qty, unit_value, premium);
        account.sums.side_mut(side).add(whole);
        let Some(margin) = market.margin_if_borne(book, account, side, limit, unit_value, &whole, NIL) else {
            account.sums.side_mut(side).take(whole);
            book.free_slot_again(slot);
            return None;
        };

        // From here the order stands.
        let id = OrderId { number: *next_number, slot };
        *next_number += 1;
        say.fact(Some((number, account)), accepted(&order, id, limit), out);
        book.rest(id, side, limit, qty, number, 0);
        if tag != 0 {
            names.insert(tag, slot);
        }
        book.list(account, slot, Cold { cl_ord_id: order.cl_ord_id, unit_value, premium, ..Cold::FREE });
        account.order_margin = margin;
        Some(number)
    }
}
