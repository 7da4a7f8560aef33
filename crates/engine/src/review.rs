//! Review: what each step touched is looked at once it is done.
//!
//! Order margin is made anew, orders that are no longer covered go (OM-10), a flat account below zero is
//! made good (BAL-1), the account's key moves, and who is not strictly safe becomes due (LIQ-4).

use contract::event::Insurance;
use contract::margin::{chargeable, order_margin};
use contract::{AccountId, CancelReason, InsuranceCause, Side, Xbt};

use crate::account::{
    Account, DUE, IN_STEP, MARGIN_IS_NEW, MOVE_KEY, NIL, SUSPENDED, TELL_POSITION, TELL_WALLET, WAITS_FOR_LOT,
};
use crate::book::REDUCE_ONLY;
use crate::engine::Engine;
use crate::outbox::Outbox;

impl Engine {
    /// Reviews every account that the step touched, by rising number.
    #[inline(always)]
    pub(crate) fn review(&mut self, out: &mut impl Outbox) {
        sort(&mut self.in_step);
        let mut i = 0;
        while i < self.in_step.len() {
            self.review_one(self.in_step[i], out);
            i += 1;
        }
        if self.has_work() {
            self.rank_touched();
        }
        self.in_step.clear();
        if self.has_too_many_early_keys() {
            self.make_room(out);
        }
    }

    #[inline(always)]
    fn review_one(&mut self, number: u32, out: &mut impl Outbox) {
        let Engine { market, accounts, own_account, .. } = self;
        let account = &mut accounts[number as usize];
        if account.open_orders == 0 {
            account.order_margin = Xbt::ZERO;
        } else if !account.has(MARGIN_IS_NEW) {
            account.order_margin = order_margin(&account.terms, chargeable(&account.sums, account.position.qty));
        }
        let (flags, is_flat) = (account.flags, account.position.qty == 0);
        if number != *own_account && flags & DUE == 0 && account.order_margin != Xbt::ZERO {
            market.refresh_position_margin(account);
            if account.wallet - account.order_margin < account.position_margin {
                self.cancel_what_is_not_covered(number, out);
            }
        }
        if is_flat && self.accounts[number as usize].wallet < Xbt::ZERO {
            self.make_good(number, out);
        }
        let account = &mut self.accounts[number as usize];
        account.flags &= !(IN_STEP | MOVE_KEY | MARGIN_IS_NEW);
        // Or orders hold more than the key had assumed, or it had assumed that nothing comes any more.
        if flags & (MOVE_KEY | WAITS_FOR_LOT) != 0 || account.equity() < account.key_equity {
            self.move_key(number, self.own_account != u32::MAX);
        }
    }

    /// Rule OM-10: while available is below zero, the newest order that opens goes.
    #[cold]
    #[inline(never)]
    fn cancel_what_is_not_covered(&mut self, number: u32, out: &mut impl Outbox) {
        loop {
            let account = &mut self.accounts[number as usize];
            if account.order_margin == Xbt::ZERO {
                return;
            }
            self.market.refresh_position_margin(account);
            let account = &self.accounts[number as usize];
            if account.wallet - account.order_margin >= account.position_margin {
                return;
            }
            let Some(slot) = self.newest_that_opens(account) else { return };
            let order = self.book.resting(slot);
            self.cancel_resting(&order, CancelReason::InsufficientBalance, out);
            let account = &mut self.accounts[number as usize];
            account.order_margin = order_margin(&account.terms, chargeable(&account.sums, account.position.qty));
        }
    }

    fn newest_that_opens(&self, account: &Account) -> Option<u32> {
        let opens = |side| account.sums.excess(side, account.position.qty) != 0;
        let (buys_open, sells_open) = (opens(Side::Buy), opens(Side::Sell));
        let mut at = account.newest;
        while at != NIL {
            let order = self.book.resting(at);
            let its_side_opens = if order.side() == Side::Buy { buys_open } else { sells_open };
            if its_side_opens && !order.is(REDUCE_ONLY) {
                return Some(at);
            }
            at = self.book.cold(at).older;
        }
        None
    }

    /// Rule BAL-1: the fund pays as far as it reaches; what is still missing suspends the account.
    #[cold]
    fn make_good(&mut self, number: u32, out: &mut impl Outbox) {
        let missing = -self.accounts[number as usize].wallet;
        let paid = missing.min(self.insurance()).max(Xbt::ZERO);
        if paid != Xbt::ZERO {
            let account = &mut self.accounts[number as usize];
            account.wallet += paid;
            account.flags |= TELL_WALLET;
            self.change_insurance(-paid, InsuranceCause::Shortfall, number, out);
        }
        let account = &mut self.accounts[number as usize];
        if account.wallet < Xbt::ZERO && !account.has(SUSPENDED) {
            account.flags |= SUSPENDED | TELL_POSITION;
        }
    }

    /// Changes the insurance fund and says so. (Rule INS-1)
    pub(crate) fn change_insurance(
        &mut self,
        change: Xbt,
        cause: InsuranceCause,
        counterparty: u32,
        out: &mut impl Outbox,
    ) {
        if change == Xbt::ZERO {
            return;
        }
        let fund = &mut self.accounts[AccountId::INSURANCE.0 as usize].wallet;
        *fund += change;
        assert!(*fund >= Xbt::ZERO, "INS-1: the insurance fund is never below zero");
        let fact = Insurance { cause: cause.into(), counterparty, change, balance: *fund };
        self.tell(AccountId::INSURANCE.0, fact, out);
    }
}

/// Account numbers in rising order. Most often there are one or two.
#[inline(always)]
pub(crate) fn sort(numbers: &mut [u32]) {
    match numbers {
        [] | [_] => {}
        [a, b] => (*a, *b) = ((*a).min(*b), (*a).max(*b)),
        more => more.sort_unstable(),
    }
}
