//! The quiet path: most commands are plain orders that come to rest, and cancels, while nothing else is under way.
//!
//! In    a `New` or a `Cancel`, where nothing waits and no audit is due.
//! Out   what the long way would say, word for word: where anything may speak against it, that is taken.
//! Laws  2  nothing is changed before it is sure that nothing refuses.

use contract::{AccountId, Command, NewOrder, OrderId, Reject, Side};

use crate::account::{Account, MARGIN_IS_NEW, NIL, SUSPENDED, TELL_WALLET};
use crate::book::{Book, Cold};
use crate::engine::{Engine, is_told_at_once};
use crate::market::Market;
use crate::names::Names;
use crate::outbox::Outbox;
use crate::place::{accepted, slot_for};

impl Engine {
    /// A new order. Most come to rest without meeting another.
    #[inline(never)]
    pub(crate) fn new_in_quiet(&mut self, command: &Command, tag: u32, out: &mut impl Outbox) {
        match self.rest_plain(command, tag, out) {
            Some(is_told) => self.end_own(is_told, command, out),
            None => self.apply_any(command, tag, Ok(()), out),
        }
    }

    /// A cancel.
    #[inline(never)]
    pub(crate) fn cancel_in_quiet(&mut self, command: &Command, tag: u32, out: &mut impl Outbox) {
        match self.find_to_cancel(command, tag) {
            Some((order, tag)) => {
                let is_told = self.cancel_own(&order, tag, true, out);
                self.end_own(is_told, command, out);
            }
            None => {
                self.refuse(command, (Reject::InvalidOrderId, 0), out);
                self.say.end(out);
            }
        }
    }

    /// Ends a quiet command: where the state of the one account that it touched is not told yet, that needs a review.
    #[inline(always)]
    fn end_own(&mut self, is_told: bool, command: &Command, out: &mut impl Outbox) {
        if is_told {
            return out.end();
        }
        self.own_account = command.account().0;
        self.touch(self.own_account, TELL_WALLET | MARGIN_IS_NEW);
        self.finish(command, self.market.spec.budget, out);
    }

    /// Puts a plain order to rest where it meets no other and its account plainly bears it; `None` where something may
    /// speak against it: then nothing was done. Is the account's state told, too?
    #[inline(always)]
    fn rest_plain(&mut self, command: &Command, tag: u32, out: &mut impl Outbox) -> Option<bool> {
        let Engine { market, book, names, accounts, say, next_number, .. } = self;
        let number = command.account().0;
        let account = accounts.get_mut(number as usize)?;
        let side = admit_plain(market, book, account, command)?;
        let order = NewOrder::read(command.words());
        let (limit, qty, name) = (order.price, order.qty.0, order.cl_ord_id);
        let is_named = name.is_valid();
        let is_good =
            if is_named { names.is_vacant(tag) || is_new_name(book, names, tag, command) } else { name.is_none() };
        if !is_good {
            return None;
        }
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
        book.list(account, slot, Cold::of(&name, unit_value, premium));
        if is_named {
            book.note_name(names, tag, slot);
        }
        account.order_margin = margin;
        Some(is_told_at_once(say, true, number, account, out))
    }
}

/// The side of a plain order that would come to rest without meeting another, where nothing speaks against it but maybe
/// its name: most orders. `None` says no more than that the long way must be taken; what refuses an order, and in which
/// order, is said there.
#[inline(always)]
fn admit_plain(market: &Market, book: &Book, account: &Account, command: &Command) -> Option<Side> {
    if !NewOrder::is_plain(command.words()) {
        return None;
    }
    let order = NewOrder::read(command.words());
    let (limit, qty, side) = (order.price, order.qty.0, order.side.get()?);
    let is_fine = command.account() >= AccountId::FIRST_TRADER
        && !account.has(SUSPENDED)
        && limit.0.wrapping_sub(1) < market.max_tick.0
        && qty.wrapping_sub(1) < market.spec.max_order_qty.0
        && market.is_whole_lots(qty)
        && !market.exceeds_limit_1(account, side, qty)
        && !book.crosses(side, limit);
    is_fine.then_some(side)
}

/// Has the account no live order of a new order's name, which has this tag?
#[inline(never)]
fn is_new_name(book: &Book, names: &Names, tag: u32, command: &Command) -> bool {
    let name = NewOrder::read(command.words()).cl_ord_id;
    book.named(names, tag, command.account().0, &name).is_none()
}
