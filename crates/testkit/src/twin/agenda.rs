//! The agenda: waiting work, one step at a time.
//!
//! Next is the process under way; else the funding pass that is open; else the first waiting CancelAll; else one of those
//! whom a mark has made due is found; else the due account furthest past its price; else the oldest new lot; else the
//! oldest listed lot. A process, once begun, is finished before another begins.

use contract::codes::{CancelReason, LiquidationStep, Side};

use super::Twin;

/// A CancelAll that waits or is under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct CancelAllTask {
    pub account: u32,
    /// One side only, or both.
    pub side: Option<Side>,
    /// Only orders with a lower number.
    pub before: u64,
}

/// How far the liquidation of an account is. (Rules LIQ-5, LIQ-6)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// The tier of position and orders.
    StepDown,
    /// Orders, oldest first; then the tier of the position.
    Cancel,
    /// A part is closed.
    Part,
    TakeOver,
}

/// What has begun and must be finished.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Process {
    /// An account: orders, cure or takeover. (Rule LIQ-5)
    Liquidate(u32, Stage),
    /// A new lot is netted with opposite ones, by age; those up to `after` are looked at. (Rule LIQ-10)
    Net { lot: u64, after: u64 },
    /// A lot meets what rests at its tick or better, then rests itself. (Rule LIQ-9)
    CloseOut(u64),
    /// A lot sweeps the book at the fund's cost. (Rule LIQ-7)
    Sweep(u64),
    /// Who is deleveraged against a lot. (Rule ADL-1)
    Rank { lot: u64 },
    /// The orders of an account that was deleveraged. (Rule ADL-2)
    Clear { account: u32, lot: u64 },
}

impl Process {
    /// The lot that it works on.
    pub(super) fn lot(self) -> Option<u64> {
        match self {
            Process::Liquidate(..) => None,
            Process::Net { lot, .. } | Process::Rank { lot } | Process::Clear { lot, .. } => Some(lot),
            Process::CloseOut(lot) | Process::Sweep(lot) => Some(lot),
        }
    }
}

impl Twin {
    /// Is no work waiting that can be done in this state of the market?
    #[must_use]
    pub fn agenda_is_empty(&self) -> bool {
        let nothing_waits = self.nothing_waits();
        if self.is_halted() && !nothing_waits {
            return self.nothing_waits_in_a_halt();
        }
        nothing_waits && self.waiting_rate.is_none() && self.waiting_mark.is_none()
    }

    /// Is no work waiting, but for what is put off while the mark stands still? (Rule MARK-3)
    pub(super) fn nothing_waits(&self) -> bool {
        self.pass.is_none()
            && self.process.is_none()
            && self.cancel_alls.is_empty()
            && self.to_be_found == 0
            && self.lots.iter().all(|lot| !lot.is_new)
            && (self.index.is_stale || self.nobody_is_to_be_liquidated())
    }

    /// Is nothing left that goes on in a halt? (Rule HALT-1)
    pub(super) fn nothing_waits_in_a_halt(&self) -> bool {
        self.pass.is_none() && self.cancel_alls.is_empty() && self.to_be_found == 0
    }

    fn nobody_is_to_be_liquidated(&self) -> bool {
        self.furthest_due().is_none() && self.lots.iter().all(|lot| !lot.is_listed)
    }

    /// One step of what is to be done next.
    pub(super) fn step(&mut self) {
        self.now.is_agenda = true;
        let oldest_new = self.lots.iter().filter(|lot| lot.is_new).map(|lot| lot.number).min();
        let has_free_lot = (self.lots.len() as u64) < u64::from(self.capacity.lots);
        let due = self.furthest_due().filter(|_| has_free_lot || oldest_new.is_none());
        let listed = self.lots.iter().filter(|lot| lot.is_listed).map(|lot| lot.number).min();
        let due = due.filter(|_| !self.index.is_stale);
        let listed = listed.filter(|_| !self.index.is_stale);
        if self.is_halted() {
            if let Some(pass) = self.pass {
                self.settle_next(pass);
            } else if let Some(&task) = self.cancel_alls.front() {
                self.cancel_oldest_of(task);
            } else {
                self.to_be_found -= 1;
            }
        } else if let Some(process) = self.process {
            self.settle_for(process);
            self.process = self.proceed(process);
        } else if let Some(pass) = self.pass {
            self.settle_next(pass);
        } else if let Some(&task) = self.cancel_alls.front() {
            self.cancel_oldest_of(task);
        } else if self.to_be_found > 0 {
            self.to_be_found -= 1;
        } else if let Some(account) = due {
            self.begin_liquidation(account);
        } else if let Some(lot) = oldest_new {
            self.begin_netting(lot);
        } else if let Some(lot) = listed {
            self.begin_sweep(lot);
        }
    }

    /// One step of a process; gives what is under way after it.
    fn proceed(&mut self, process: Process) -> Option<Process> {
        match process {
            Process::Liquidate(account, stage) => self.liquidate(account, stage),
            Process::Net { lot, after } => self.net_step(lot, after),
            Process::CloseOut(lot) => self.close_out_step(lot),
            Process::Sweep(lot) => self.sweep_step(lot),
            Process::Rank { lot } => self.rank_step(lot),
            Process::Clear { account, lot } => self.clear_step(account, lot),
        }
    }

    fn cancel_oldest_of(&mut self, task: CancelAllTask) {
        let oldest = self
            .orders_of(task.account)
            .filter(|order| order.number < task.before && task.side.is_none_or(|side| order.side == side))
            .map(|order| order.number)
            .min();
        match oldest {
            Some(number) => self.cancel(number, CancelReason::Requested),
            None => {
                self.cancel_alls.pop_front();
            }
        }
    }

    /// Furthest past its price, then the lowest number. (Rule LIQ-8)
    fn furthest_due(&self) -> Option<u32> {
        let mut furthest: Option<(u32, i128)> = None;
        for (account, it) in self.accounts.iter().enumerate() {
            if let Some(past) = it.due
                && furthest.is_none_or(|(_, most)| past > most)
            {
                furthest = Some((account as u32, past));
            }
        }
        furthest.map(|(account, _)| account)
    }

    /// Silently dropped where the account is safe by now.
    fn begin_liquidation(&mut self, account: u32) {
        if self.market.is_safe(&self.accounts[account as usize], &self.sums(account)) {
            self.accounts[account as usize].due = None;
            return;
        }
        self.say_step_of_account(LiquidationStep::Started, account);
        let stage = if self.accounts[account as usize].tier == 0 { Stage::Cancel } else { Stage::StepDown };
        self.process = Some(Process::Liquidate(account, stage));
    }
}
