//! Review: what each step touched is looked at once it is done.
//!
//! Order margin is made anew, orders that are no longer covered go (OM-10), a flat account below zero is
//! made good (BAL-1), the account's key moves, and who is not strictly safe becomes due (LIQ-4).

use contract::event::Insurance;
use contract::liquidation::{bearable, is_not_before, price_after_loss};
use contract::margin::{chargeable, order_margin};
use contract::{AccountId, CancelReason, InsuranceCause, Side, Tick, Xbt};

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
        if flags & (MOVE_KEY | WAITS_FOR_LOT) != 0 {
            self.move_key(number);
        } else if account.equity() < account.key_equity {
            // Orders or a withdrawal took more than the key had assumed.
            self.move_key(number);
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

    /// Gives an account the key that its position, terms and equity ask for, or makes it due. (Rule LIQ-4)
    ///
    /// In cross margin the key assumes that orders hold half of what is available, so it lies *earlier* than the
    /// true price, and placing and cancelling orders does not move it before they hold that much: while the real
    /// equity is at least the assumed one, the account cannot be due before its key is reached. Half, because a
    /// look in vain is beside the budget (`remargin`): who has room left is not to be reached by a small move.
    pub(crate) fn move_key(&mut self, number: u32) {
        if self.keeps_key(number) {
            return;
        }
        self.drop_key(number);
        let account = &self.accounts[number as usize];
        if account.position.qty == 0 || account.has(DUE) {
            return;
        }
        let equity = account.equity();
        let exact = bearable(&account.terms, &account.position, equity).until_liquidation;
        if !self.market.line.is_safe(&self.market.spec, &account.position, exact) {
            if self.is_halted() {
                // Reopening finds it again. (Rule HALT-1)
                self.key_where_it_stands(number);
            } else {
                self.make_due(number);
            }
            return;
        }
        let (mut assumed, mut w) = (equity, exact);
        if account.terms.is_cross {
            let account = &mut self.accounts[number as usize];
            self.market.refresh_position_margin(account);
            let half = less_a_part(equity, account.position_margin.0, 1);
            let bound = bearable(&account.terms, &account.position, half).until_liquidation;
            if self.market.line.is_safe(&self.market.spec, &account.position, bound) {
                (assumed, w) = (half, bound);
            }
        }
        let account = &self.accounts[number as usize];
        let is_long = account.position.qty > 0;
        let price = price_after_loss(&self.market.spec, &account.position, w, self.market.spec.tick_size);
        let account = &mut self.accounts[number as usize];
        account.key_equity = if account.terms.is_cross { assumed } else { i64::MIN };
        if price <= self.market.spec.max_price {
            // A multiple of the tick by rule LIQ-3.
            let tick = Tick((price.0 / self.market.spec.tick_size.0) as u32);
            account.key_tick = tick.0;
            account.key_is_long = is_long;
            self.put_key(is_long, tick, number);
        }
    }

    /// Is the key where it lies still no later than the account's liquidation price? Then it may stay: a key
    /// that comes early costs a look when it is reached, and nothing else.
    fn keeps_key(&mut self, number: u32) -> bool {
        let account = &mut self.accounts[number as usize];
        let is_long = account.position.qty > 0;
        if account.key_tick == 0
            || account.position.qty == 0
            || is_long != account.key_is_long
            || account.flags & (DUE | WAITS_FOR_LOT) != 0
        {
            return false;
        }
        let mut assumed = i64::MIN;
        if account.terms.is_cross {
            self.market.refresh_position_margin(account);
            // Less than half, so that a fill moves a key seldom.
            assumed = less_a_part(account.equity(), account.position_margin.0, 2);
        }
        let w = bearable(&account.terms, &account.position, assumed).until_liquidation;
        let key = self.market.spec.tick_price(Tick(account.key_tick));
        let keeps = is_not_before(&self.market.spec, &account.position, w, key);
        if keeps {
            account.key_equity = assumed;
        }
        keeps
    }

    /// Takes an account off the keys.
    pub(crate) fn drop_key(&mut self, number: u32) {
        let account = &mut self.accounts[number as usize];
        let (tick, is_long) = (Tick(account.key_tick), account.key_is_long);
        account.flags &= !WAITS_FOR_LOT;
        account.key_tick = 0;
        account.key_equity = i64::MIN;
        if tick.0 != 0 {
            self.keys(is_long).unlink(tick, number);
        }
    }

    /// Puts a key on its ladder, with the number of the pass in which that is. (See `remargin`)
    #[inline(always)]
    pub(crate) fn put_key(&mut self, is_long: bool, tick: Tick, key: u32) {
        let pass = self.agenda.remargin.number;
        let keys = self.keys(is_long);
        keys.push_back(tick, key, 0);
        keys.user_mut(key).2 = pass;
    }

    #[inline(always)]
    pub(crate) fn keys(&mut self, is_long: bool) -> &mut crate::ladder::Ladder {
        if is_long { &mut self.long_keys } else { &mut self.short_keys }
    }

    /// Puts an account on the agenda to be liquidated. (Rules LIQ-4, LIQ-8)
    pub(crate) fn make_due(&mut self, number: u32) {
        self.accounts[number as usize].flags |= DUE;
        self.agenda.add_due(self.distance(number), number);
    }
}

/// The equity less a half (`shift` 1) or a quarter (2) of what is available beyond what the position holds.
#[inline]
fn less_a_part(equity: i64, position_margin: i64, shift: u32) -> i64 {
    equity - (equity.saturating_sub(position_margin).max(0) >> shift)
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
