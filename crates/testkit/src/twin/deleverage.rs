//! Auto-deleveraging: the traders on the other side are ranked, the first gives up its profit.
//!
//! Scores are compared exactly, as fractions of big integers. (Rules ADL-1, ADL-2, ADL-4)

use std::cmp::Ordering;

use contract::codes::{CancelReason, FillCause, LiquidationStep};
use contract::units::AccountId;
use num_bigint::BigInt;

use super::Twin;
use super::agenda::Process;
use super::liquidation::Lot;
use super::market::opposite;
use super::settle::Party;

/// A place in the ranking.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Score {
    /// top / bottom, the bottom positive.
    Finite(BigInt, BigInt),
    /// In profit beyond its bankruptcy value.
    Infinite,
}

impl Score {
    pub(super) fn compare(&self, other: &Score) -> Ordering {
        match (self, other) {
            (Score::Infinite, Score::Infinite) => Ordering::Equal,
            (Score::Infinite, _) => Ordering::Greater,
            (_, Score::Infinite) => Ordering::Less,
            (Score::Finite(top, bottom), Score::Finite(other_top, other_bottom)) => {
                (top * other_bottom).cmp(&(other_top * bottom))
            }
        }
    }
}

impl Twin {
    /// One account is looked at; after the last one the best is deleveraged.
    pub(super) fn rank_step(&mut self, lot: u64, next: u32, best: Option<u32>) -> Option<Process> {
        let it = self.held_lot(lot);
        if (next as usize) < self.accounts.len() {
            // A best that is no candidate any more gives way to any candidate.
            let holder = best.filter(|&best| self.is_candidate(best, &it));
            let is_better = self.is_candidate(next, &it) && holder.is_none_or(|best| self.ranks_above(next, best));
            let best = if is_better { Some(next) } else { best };
            return Some(Process::Rank { lot, next: next + 1, best });
        }
        match best {
            // An order may have come to the lot's price meanwhile: resting there would cross the book
            // (rule BOOK-1), so the lot meets it first.
            None if self.meets(&it).is_some() => Some(Process::Sweep(lot)),
            None => {
                self.say_step_of_lot(LiquidationStep::Waiting, &it);
                self.rest_lot(lot);
                None
            }
            Some(best) if !self.is_candidate(best, &it) => Some(Process::Rank { lot, next: 4, best: None }),
            Some(best) => {
                self.deleverage(&it, best);
                Some(Process::Clear { account: best, lot })
            }
        }
    }

    /// Opposite side, not due, and closing at v leaves its own bankruptcy unpassed. (Rule ADL-4)
    fn is_candidate(&self, account: u32, lot: &Lot) -> bool {
        let it = &self.accounts[account as usize];
        if it.due.is_some() || it.qty.signum() != -lot.qty.signum() {
            return false;
        }
        let backing = self.market.backing_to_bankruptcy(it, &self.sums(account));
        let at_lot = self.market.units(it.qty.abs()) * lot.unit_value;
        if it.qty > 0 {
            let limit = backing.plus(it.cost.abs());
            at_lot * limit.bottom <= limit.top
        } else {
            let limit = backing.negated().plus(it.cost.abs());
            at_lot * limit.bottom >= limit.top
        }
    }

    /// Strictly above: higher score, then larger position, then lower number. (Rule ADL-1)
    fn ranks_above(&self, account: u32, other: u32) -> bool {
        let size = |account: u32| self.accounts[account as usize].qty.abs();
        self.score(account)
            .compare(&self.score(other))
            .then(size(account).cmp(&size(other)))
            .then(other.cmp(&account))
            .is_gt()
    }

    /// PnL% times effective leverage where in profit, PnL% over it where not. (Rule ADL-1)
    pub(super) fn score(&self, account: u32) -> Score {
        let it = &self.accounts[account as usize];
        let at_mark = self.market.signed_value_at_mark(it);
        let entry = BigInt::from(it.cost.abs());
        let profit = at_mark - it.cost;
        // d = value at mark − bankrupt value, over the denominator of W_bk.
        let backing = self.market.backing_to_bankruptcy(it, &self.sums(account));
        let bankrupt =
            if it.qty > 0 { backing.plus(it.cost.abs()).negated() } else { backing.negated().plus(it.cost.abs()) };
        let distance = at_mark * bankrupt.bottom - bankrupt.top;
        let (size, over) = (BigInt::from(at_mark.abs()), BigInt::from(bankrupt.bottom));
        if profit > 0 {
            if distance <= 0 {
                return Score::Infinite;
            }
            Score::Finite(BigInt::from(profit) * size * over, entry * BigInt::from(distance))
        } else {
            Score::Finite(BigInt::from(profit) * BigInt::from(distance.max(0)), entry * size * over)
        }
    }

    /// The candidate gives its position to the lot at exactly v. (Rule ADL-2)
    fn deleverage(&mut self, lot: &Lot, account: u32) {
        let qty = lot.qty.abs().min(self.accounts[account as usize].qty.abs());
        let price = self.lot_price(lot);
        let side = lot.closing_side();
        let gain = self.settle_lot(lot.number, qty, lot.unit_value);
        assert!(gain == 0, "ADL-2: a deleverage moves nothing to or from the fund");
        let rate = self.market.maker_rate(&self.accounts[account as usize]);
        let fee = self.settle(account, opposite(side), qty, lot.unit_value, rate, 0);
        let leaves = lot.qty.abs() - qty;
        let taker = Party { account: AccountId::LIQUIDATION.0, number: lot.number, slot: lot.slot, leaves, fee: 0 };
        let maker = Party { account, number: 0, slot: 0, leaves: 0, fee };
        self.say_fill(FillCause::Deleverage, side, taker, maker, price.0, qty, lot.unit_value);
        self.shrink_reduce_only(account);
    }

    /// The deleveraged account's orders go, oldest first; then the ranking again for what is left.
    pub(super) fn clear_step(&mut self, account: u32, lot: u64) -> Option<Process> {
        if let Some(number) = self.oldest_of(account) {
            self.cancel(number, CancelReason::Deleverage);
            return Some(Process::Clear { account, lot });
        }
        self.lot(lot).map(|_| Process::Rank { lot, next: 4, best: None })
    }
}
