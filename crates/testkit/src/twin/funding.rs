//! Funding: every holder pays or receives at each instant; whoever's turn has not come is settled before anything
//! touches it. (Rules FUND-3 to FUND-6, MARGIN-4, MARGIN-6)

use contract::codes::InsuranceCause;
use contract::event::{Fact, Funding, FundingRateFact};
use contract::reject::Reject;
use contract::units::{AccountId, Rate};

use super::Twin;
use super::admit::{Refusal, require};
use super::agenda::Process;
use super::market::ONE;
use super::money::round_half_away;
use super::outbox::{signed_contracts, xbt};

/// Every account in turn: an instant, or a new rate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pass {
    pub next: u32,
    /// The rate that was in force.
    pub before: i128,
    /// How many instants are paid; 0 for a new rate alone.
    pub times: i128,
}

impl Twin {
    /// A rate from outside takes effect, or waits for the agenda. (Rule MARK-2, law 4)
    pub(super) fn set_funding_rate(&mut self, instrument: u16, rate: Rate) -> Result<(), Refusal> {
        self.admit_symbol(instrument)?;
        require(self.marks_come_from_outside(), Reject::InvalidCommand)?;
        let most = i128::from(self.market.spec.initial_margin.0);
        let rate = i128::from(rate.0);
        require(rate.abs() <= most, Reject::InvalidAmount)?;
        if self.nothing_waits() {
            self.put_rate_in_force(rate);
        } else {
            self.waiting_rate = Some(rate);
        }
        Ok(())
    }

    pub(super) fn put_rate_in_force(&mut self, rate: i128) {
        let before = self.rate;
        self.rate = rate;
        self.say_rate();
        if before != rate {
            self.open_pass(before, 0);
        }
    }

    pub(super) fn say_rate(&mut self) {
        let rate = |rate: i128| Rate(i64::try_from(rate).expect("a rate fits its record"));
        let fact = FundingRateFact { rate: rate(self.rate), indicative: rate(self.indicative()) };
        self.say(None, Fact::FundingRate(fact));
    }

    /// The first instant after a stamp; none where there is no such number.
    pub(super) fn instant_after(&self, ts: u64) -> Option<u64> {
        let (interval, offset) = (self.market.spec.funding_interval_ns, self.market.spec.funding_offset_ns);
        if ts < offset {
            return Some(offset);
        }
        let instant = u128::from(offset) + (u128::from(ts - offset) / u128::from(interval) + 1) * u128::from(interval);
        u64::try_from(instant).ok().filter(|instant| *instant < u64::MAX)
    }

    /// Does the next instant come now, and not behind an open pass?
    pub(super) fn instant_comes(&self) -> bool {
        self.pass.is_none() && self.next_instant.is_some_and(|instant| instant <= self.now.ts)
    }

    /// The instants that the stamp has reached are paid, together no more than a position is worth; then the rate of
    /// the interval is in force. Where nobody pays anything and no rate is computed they just go by.
    pub(super) fn reach_instant(&mut self) {
        if !self.has_begun {
            (self.has_begun, self.next_instant) = (true, self.instant_after(self.now.ts));
        }
        if !self.instant_comes() {
            return;
        }
        let mut times = 0;
        while self.next_instant.is_some_and(|next| next <= self.now.ts) {
            self.next_instant = self.instant_after(self.next_instant.unwrap_or(0));
            times += 1;
        }
        let before = self.rate;
        let is_computed = !self.marks_come_from_outside();
        if self.market.mark.is_none() || (before == 0 && !is_computed) {
            return;
        }
        times = if before == 0 { 0 } else { i128::min(times, ONE / before.abs()) };
        if is_computed {
            self.rate = self.indicative();
            self.samples.clear();
        }
        self.say_rate();
        if times > 0 {
            self.settle_liquidation_account(before, times);
        }
        if times > 0 || self.rate != before {
            self.open_pass(before, times);
        }
    }

    fn open_pass(&mut self, before: i128, times: i128) {
        if self.accounts.len() > 4 {
            self.pass = Some(Pass { next: 4, before, times });
        }
    }

    /// Payment of a position at the mark. (Rule FUND-3)
    fn owed(&self, qty: i128, rate: i128) -> i128 {
        let value = self.market.units(qty.abs()) * self.market.unit_value_at_mark();
        let amount = round_half_away(rate.abs() * value, ONE);
        if qty.signum() == rate.signum() { amount } else { -amount }
    }

    /// Out of the fund as far as it reaches, or into it. (Rule FUND-6)
    fn settle_liquidation_account(&mut self, rate: i128, times: i128) {
        let qty: i128 = self.lots.iter().map(|lot| lot.qty).sum();
        if qty == 0 {
            return;
        }
        let paid = (self.owed(qty, rate) * times).min(self.fund);
        let account = AccountId::LIQUIDATION.0;
        self.accounts[account as usize].commission += paid;
        self.say_funding(account, qty, rate, paid);
        self.change_fund(InsuranceCause::Funding, account, -paid);
    }

    fn say_funding(&mut self, account: u32, qty: i128, rate: i128, paid: i128) {
        self.residue += paid;
        let rate = Rate(i64::try_from(rate).expect("a rate fits its record"));
        let mark = self.market.mark.expect("an instant without a mark goes by");
        let fact = Funding { qty: signed_contracts(qty), mark, rate, paid: xbt(paid) };
        self.say(Some(account), Fact::Funding(fact));
    }

    /// One step of the pass: the next account, if it was not settled ahead of its turn.
    pub(super) fn settle_next(&mut self, pass: Pass) {
        if !std::mem::take(&mut self.accounts[pass.next as usize].is_settled_ahead) {
            self.settle_funding(pass.next, pass);
        }
        let next = pass.next + 1;
        self.pass = ((next as usize) < self.accounts.len()).then_some(Pass { next, ..pass });
    }

    /// Before anything reads or changes an account: its funding, where its turn has not come. (Rule FUND-5)
    pub(super) fn settle_ahead(&mut self, account: u32) {
        if let Some(pass) = self.pass
            && self.awaits_settlement(account)
        {
            self.accounts[account as usize].is_settled_ahead = true;
            self.settle_funding(account, pass);
        }
    }

    /// Has the pass that is open not come to this account?
    pub(super) fn awaits_settlement(&self, account: u32) -> bool {
        self.pass.is_some_and(|pass| account >= pass.next) && !self.accounts[account as usize].is_settled_ahead
    }

    /// Whom a process is about to look at.
    pub(super) fn settle_for(&mut self, process: Process) {
        match process {
            Process::Liquidate(account, _) | Process::Clear { account, .. } => self.settle_ahead(account),
            // A ranking settles whom it looks at when it does.
            Process::Net { .. } | Process::CloseOut(_) | Process::Sweep(_) | Process::Rank { .. } => {}
        }
    }

    fn settle_funding(&mut self, account: u32, pass: Pass) {
        let rate = self.rate;
        let it = &mut self.accounts[account as usize];
        it.rate = rate;
        let qty = it.qty;
        if qty == 0 {
            return;
        }
        if pass.times > 0 {
            let paid = self.owed(qty, pass.before) * pass.times;
            let is_classic = self.market.is_classic();
            let it = &mut self.accounts[account as usize];
            it.pay(0, paid);
            if is_classic {
                it.loss += paid.max(0);
            }
            self.touch_wallet(account);
            self.touch_position(account);
            self.say_funding(account, qty, pass.before, paid);
        } else if adverse(qty, pass.before) != adverse(qty, rate) {
            self.touch_position(account);
        }
    }
}

/// The rate that a position of this sign would pay, else 0. (Rule MARGIN-6)
pub(super) fn adverse(qty: i128, rate: i128) -> i128 {
    if qty.signum() * rate.signum() > 0 { rate.abs() } else { 0 }
}
