//! The review of what was touched: short of margin, below zero, or beyond the liquidation price.

use contract::codes::{CancelReason, InsuranceCause, Side};

use super::Twin;

impl Twin {
    /// Looks at every trader touched since the last review, by rising number. `own` is the account of
    /// the command that has just been carried out, if it was one.
    pub(super) fn review(&mut self, own: Option<u32>) {
        for account in std::mem::take(&mut self.now.to_review) {
            if own != Some(account) && self.accounts[account as usize].due.is_none() {
                self.cancel_what_is_short(account);
            }
            self.make_good(account);
            self.look_for_liquidation(account);
        }
        // What a review cancels or pays belongs to the account just reviewed.
        self.now.to_review.clear();
    }

    /// Opening orders go, newest first, until available margin is not negative. (Rule OM-10)
    fn cancel_what_is_short(&mut self, account: u32) {
        loop {
            let it = &self.accounts[account as usize];
            let sums = self.sums(account);
            if self.market.available(it, &sums) >= 0 {
                return;
            }
            let has_excess = |side: Side| sums.of(side).qty > it.reducible(side);
            let newest = self
                .orders_of(account)
                .filter(|order| !order.is_reduce_only && has_excess(order.side))
                .map(|order| order.number)
                .max();
            let Some(newest) = newest else { return };
            self.cancel(newest, CancelReason::InsufficientBalance);
        }
    }

    /// A flat account below zero: the fund pays as far as it reaches; what is still missing suspends.
    /// (Rule BAL-1)
    fn make_good(&mut self, account: u32) {
        let it = &self.accounts[account as usize];
        if it.qty != 0 || it.wallet >= 0 {
            return;
        }
        let paid = self.fund.min(-it.wallet);
        if paid > 0 {
            self.accounts[account as usize].wallet += paid;
            self.touch_wallet(account);
            self.change_fund(InsuranceCause::Shortfall, account, -paid);
        }
        let it = &mut self.accounts[account as usize];
        if it.wallet < 0 && !it.is_suspended {
            it.is_suspended = true;
            self.touch_position(account);
        }
    }

    /// Outside of a halt: not due and not strictly safe: due, with the distance past its price. (Rules LIQ-4, LIQ-8)
    pub(super) fn look_for_liquidation(&mut self, account: u32) {
        let it = &self.accounts[account as usize];
        let sums = self.sums(account);
        if self.is_halted() || it.due.is_some() || self.market.is_safe(it, &sums) {
            return;
        }
        let price = i128::from(self.market.liquidation_price(it, &sums).0);
        let past = (self.market.mark() - price).abs();
        self.accounts[account as usize].due = Some(past);
    }
}
