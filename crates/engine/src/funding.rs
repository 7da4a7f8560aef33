//! Funding: at each instant holders pay each other, and whenever the rate in force changes every margin follows.
//!
//! In    the clock of commands, and the rate: from `FundingRate`, or of the interval that has ended (`premium`).
//! Out   `FundingRate`, `Funding`, and what reviews say.
//! Laws  4  an account is one step of a pass; the pass comes before all that has not begun.
//!       SUM-4  what holders pay and receive is what the residue account has.
//! While a pass is open the mark stands, so every account pays at the mark of the instant. An account that a command
//! reads or changes before its turn is settled ahead of it. (Rules FUND-3 to FUND-6)

use contract::event::{Funding as Paid, FundingRateFact};
use contract::funding::{adverse, payment};
use contract::mark::next_funding;
use contract::position::PositionState;
use contract::{AccountId, Command, InsuranceCause, Marking, Price, Rate, Reject, Xbt};

use crate::account::{MOVE_KEY, SETTLED_AHEAD, TELL_POSITION};
use crate::agenda::Process;
use crate::engine::{Engine, Refusal};
use crate::outbox::Outbox;

/// What funding knows beside the rate in force.
#[derive(Clone, Debug)]
pub(crate) struct Funding {
    /// A rate that came while the agenda held something.
    pub(crate) waiting: Option<Rate>,
    /// The next instant, ns; 0 before the first command, `u64::MAX` never.
    pub(crate) next_instant: u64,
    /// The next stamp at which anything is due by itself, ns: that, or the index's.
    pub(crate) due_ts: u64,
}

/// Every account in turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Pass {
    /// Whose turn is next.
    pub(crate) next: u32,
    /// The rate that was in force: the one that is paid, where it is.
    pub(crate) before: Rate,
    /// How many instants are paid; 0 where there is only a new rate.
    pub(crate) times: u32,
}

impl Funding {
    pub(crate) fn new() -> Funding {
        Funding { waiting: None, next_instant: 0, due_ts: 0 }
    }
}

impl Engine {
    /// The command `FundingRate`: acts in external marking, waits while the agenda holds anything. (Rule MARK-2)
    pub(crate) fn take_rate(&mut self, command: &Command, rate: Rate, out: &mut impl Outbox) -> Result<(), Refusal> {
        Engine::check_symbol(command)?;
        if self.market.spec.marking != Marking::External {
            return Err((Reject::InvalidCommand, 0));
        }
        let most = self.market.spec.initial_margin.0;
        if !(-most..=most).contains(&rate.0) {
            return Err((Reject::InvalidAmount, 0));
        }
        if self.agenda.is_idle() {
            self.set_rate(rate, out);
        } else {
            self.funding.waiting = Some(rate);
        }
        Ok(())
    }

    /// A rate comes into force; margins follow by a pass. (Rule MARGIN-6)
    pub(crate) fn set_rate(&mut self, rate: Rate, out: &mut impl Outbox) {
        let before = core::mem::replace(&mut self.market.rate, rate);
        self.tell_rate(out);
        if before != rate {
            self.open_pass(before, 0);
        }
    }

    pub(crate) fn tell_rate(&mut self, out: &mut impl Outbox) {
        let fact = FundingRateFact { rate: self.market.rate, indicative: self.indicative_rate() };
        self.say.fact(None, fact, out);
    }

    /// Does the next instant come now? One that is reached while a pass is open comes once that is done.
    pub(crate) fn instant_comes(&self) -> bool {
        let instant = self.funding.next_instant;
        self.say.ts() >= instant && self.agenda.pass.is_none() && instant != u64::MAX
    }

    /// The instants that the stamp has reached are paid together: nothing came between them. They never ask for more
    /// than a position is worth. Then the rate of the interval that ends is in force. (Rules TIME-1, FUND-2, FUND-5)
    pub(crate) fn pass_time(&mut self, out: &mut impl Outbox) {
        if !self.instant_comes() {
            return;
        }
        let (ts, instant) = (self.say.ts(), self.funding.next_instant);
        self.funding.next_instant = next_funding(&self.market.spec, ts);
        self.plan_due();
        let before = self.market.rate;
        let is_external = self.market.spec.marking == Marking::External;
        // Where nobody pays anything and no rate is computed, those that passed need not be counted.
        if instant == 0 || self.market.mark == Price::NONE || (is_external && before == Rate::ZERO) {
            return;
        }
        let passed = (ts - instant) / self.market.spec.funding_interval_ns + 1;
        let times = match before.0.unsigned_abs() {
            0 => 0,
            rate => passed.min(Rate::ONE / rate) as u32,
        };
        if !is_external {
            self.market.rate = self.end_interval();
        }
        self.tell_rate(out);
        self.settle_liquidation(before, times, out);
        if times != 0 || before != self.market.rate {
            self.open_pass(before, times);
        }
    }

    /// Notes when something is due by itself next.
    pub(crate) fn plan_due(&mut self) {
        self.funding.due_ts = self.funding.next_instant.min(self.index.next_look);
    }

    fn open_pass(&mut self, before: Rate, times: u32) {
        let next = AccountId::FIRST_TRADER.0;
        if (next as usize) < self.accounts.len() {
            self.agenda.pass = Some(Pass { next, before, times });
            self.agenda.has_news = true;
        }
    }

    /// The liquidation account pays out of the fund, as far as that reaches, and receives into it. (Rule FUND-6)
    fn settle_liquidation(&mut self, rate: Rate, times: u32, out: &mut impl Outbox) {
        let number = AccountId::LIQUIDATION.0;
        let position = self.accounts[number as usize].position;
        if position.qty == 0 || times == 0 {
            return;
        }
        let owed = Xbt(self.payment(&position, rate).0 * i64::from(times));
        let paid = owed.min(self.insurance());
        self.pay(number, paid, rate, out);
        self.change_insurance(-paid, InsuranceCause::Funding, number, out);
    }

    fn payment(&self, position: &PositionState, rate: Rate) -> Xbt {
        payment(&self.market.spec, position, self.market.mark_value, rate)
    }

    /// An account pays the residue account, or is paid, and it is said. (Rules FUND-3, FUND-4, POS-4)
    fn pay(&mut self, number: u32, paid: Xbt, rate: Rate, out: &mut impl Outbox) {
        let account = &mut self.accounts[number as usize];
        account.realised -= paid;
        account.commission += paid;
        let fact = Paid { qty: account.position.qty, mark: self.market.mark, rate, paid };
        self.accounts[AccountId::RESIDUE.0 as usize].wallet += paid;
        self.tell(number, fact, out);
    }

    /// One step of a pass: the account whose turn it is, unless it was settled ahead of it.
    pub(crate) fn settle_next(&mut self, pass: Pass, out: &mut impl Outbox) {
        let account = &mut self.accounts[pass.next as usize];
        if account.has(SETTLED_AHEAD) {
            account.flags &= !SETTLED_AHEAD;
        } else {
            self.settle_funding(pass.next, pass, out);
        }
        let next = pass.next + 1;
        self.agenda.pass = ((next as usize) < self.accounts.len()).then_some(Pass { next, ..pass });
    }

    /// Settles an account before anything reads or changes it, where its turn has not come. (Rule FUND-5)
    #[cold]
    pub(crate) fn settle_ahead(&mut self, number: u32, out: &mut impl Outbox) {
        let Some(pass) = self.agenda.pass.filter(|_| self.awaits_settlement(number)) else { return };
        self.accounts[number as usize].flags |= SETTLED_AHEAD;
        self.settle_funding(number, pass, out);
    }

    /// Is a pass open that has not come to this account?
    pub(crate) fn awaits_settlement(&self, number: u32) -> bool {
        let is_to_come = self.agenda.pass.is_some_and(|pass| number >= pass.next);
        is_to_come && !self.accounts[number as usize].has(SETTLED_AHEAD)
    }

    /// Looks at and settles whom a process is about to look at. (Rules LIQ-4, FUND-5)
    pub(crate) fn prepare_for(&mut self, process: Process, out: &mut impl Outbox) {
        let number = match process {
            Process::Liquidate { account, .. } | Process::Clear { account, .. } => account,
            // Their makers are at the fill, other lots at the netting, and whom a ranking looks at when it does.
            Process::Net { .. } | Process::CloseOut { .. } | Process::Sweep { .. } | Process::Rank { .. } => return,
        };
        self.look_first(number);
        self.settle_ahead(number, out);
    }

    /// The payment, posLoss, the new adverse rate; key and LIQ-4 follow in the review. (Rules MARGIN-4, FUND-5)
    fn settle_funding(&mut self, number: u32, pass: Pass, out: &mut impl Outbox) {
        self.look_first(number);
        let rate = self.market.rate;
        let account = &mut self.accounts[number as usize];
        let qty = account.position.qty;
        if rate != pass.before {
            account.terms = account.terms_with(&self.market.spec, account.leverage, account.tier, rate);
        }
        if qty == 0 {
            return;
        }
        if pass.times == 0 {
            if adverse(qty, pass.before) != adverse(qty, rate) {
                self.touch(number, TELL_POSITION | MOVE_KEY);
            }
            return;
        }
        let position = account.position;
        let paid = Xbt(self.payment(&position, pass.before).0 * i64::from(pass.times));
        self.touch_position(number);
        let account = &mut self.accounts[number as usize];
        account.wallet -= paid;
        if !account.terms.holds_maintenance_only {
            account.position.loss += paid.max(Xbt::ZERO);
        }
        self.pay(number, paid, pass.before, out);
    }
}
