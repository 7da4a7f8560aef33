//! The agenda: work that may be long, done in steps that each cost one unit of `spec.budget`. (Law 4)
//!
//! What is done next: the process that is under way; else the funding pass that is open; else the first waiting
//! cancel-all; else the next of those whom the mark has made due is found; else the due account furthest past its
//! price; else the oldest new lot; else the listed lot with the lowest number. While anything waits, a newer mark waits
//! too.

use alloc::collections::{BinaryHeap, VecDeque};
use core::cmp::Reverse;

use contract::{CancelReason, Capacity, Price, Reject, Side};

use crate::account::NIL;
use crate::engine::{Engine, Refusal};
use crate::funding::Pass;
use crate::outbox::Outbox;
use crate::ranking::Rankings;
use crate::remargin::Remargin;

/// Cancel-alls that may wait.
pub(crate) const CANCEL_TASKS: usize = 1_024;

/// A cancel-all: the account's orders (of one side) numbered below `before`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct CancelTask {
    pub(crate) account: u32,
    pub(crate) side: Option<Side>,
    pub(crate) before: u64,
}

/// Where the liquidation of an account is. (Rules LIQ-5, LIQ-6)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// Its orders are cancelled, one by one.
    Cancel = 0,
    /// Its tier is lowered to what position and orders use.
    StepDown = 1,
    /// A part is closed, to reach the next lower tier.
    Part = 2,
    /// The rest is taken over.
    TakeOver = 3,
}

impl Stage {
    /// The stage with that number.
    pub(crate) fn from_number(number: u32) -> Option<Stage> {
        [Stage::Cancel, Stage::StepDown, Stage::Part, Stage::TakeOver].get(number as usize).copied()
    }
}

/// A liquidation's state between two steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Process {
    /// Stepping down, cancelling its orders, looking again, taking over. (Rules LIQ-5, LIQ-6)
    Liquidate { account: u32, stage: Stage },
    /// Looking at opposite lots, from the oldest on; `at` is the next one, `NIL` where there is none. (Rule LIQ-10)
    Net { lot: u32, at: u32 },
    /// Matching a new lot's order until it rests. (Rule LIQ-9)
    CloseOut { lot: u32 },
    /// Sweeping the book at the fund's expense. (Rule LIQ-7)
    Sweep { lot: u32 },
    /// Looking for whom to deleverage: by the ranking of the other side. (Rule ADL-1)
    Rank { lot: u32 },
    /// Cancelling the orders of whom it was. (Rule ADL-2)
    Clear { account: u32, lot: u32 },
}

/// What waits.
#[derive(Clone, Debug)]
pub(crate) struct Agenda {
    /// Every account in turn: funding, or a new rate. (Rule FUND-5)
    pub(crate) pass: Option<Pass>,
    pub(crate) process: Option<Process>,
    /// Something was added since it was last found idle: saves looking at four queues twice a command.
    pub(crate) has_news: bool,
    pub(crate) cancels: VecDeque<CancelTask>,
    /// Finding whom the mark has made due. (Rules LIQ-4, LIQ-8)
    pub(crate) remargin: Remargin,
    /// By distance past the price, then lower number. (Rule LIQ-8)
    pub(crate) due: BinaryHeap<(u64, Reverse<u32>)>,
    /// The oldest lot of each side that was taken over and not taken up yet: short, long; `NIL` where there is none.
    pub(crate) new_lots: [u32; 2],
    /// Lots the mark has passed: number and slot. A lot used up meanwhile is dropped when it comes up.
    pub(crate) listed: BinaryHeap<Reverse<(u64, u32)>>,
    /// Who is deleveraged next. (Rule ADL-1)
    pub(crate) rankings: Rankings,
}

impl Agenda {
    pub(crate) fn new(capacity: &Capacity) -> Agenda {
        Agenda {
            pass: None,
            process: None,
            has_news: false,
            cancels: VecDeque::with_capacity(CANCEL_TASKS),
            remargin: Remargin::new(),
            due: BinaryHeap::with_capacity(capacity.accounts as usize),
            new_lots: [NIL; 2],
            listed: BinaryHeap::with_capacity(capacity.lots as usize),
            rankings: Rankings::new(),
        }
    }

    /// Is there nothing to do?
    #[inline(always)]
    pub(crate) fn is_idle(&self) -> bool {
        self.has_nothing_but_put_off() && self.due.is_empty() && self.listed.is_empty()
    }

    /// Is there nothing but what is put off while there is no index? (Rule MARK-3)
    #[inline(always)]
    pub(crate) fn has_nothing_but_put_off(&self) -> bool {
        self.pass.is_none()
            && self.process.is_none()
            && self.cancels.is_empty()
            && !self.remargin.is_open()
            && !self.has_new_lots()
    }

    /// Does a lot wait to be taken up?
    #[inline(always)]
    pub(crate) fn has_new_lots(&self) -> bool {
        self.new_lots != [NIL; 2]
    }

    pub(crate) fn add_cancel_all(&mut self, task: CancelTask) -> Result<(), Refusal> {
        if self.cancels.len() == CANCEL_TASKS {
            return Err((Reject::CapacityReached, 0));
        }
        self.has_news = true;
        self.cancels.push_back(task);
        Ok(())
    }

    pub(crate) fn add_due(&mut self, distance: u64, account: u32) {
        self.has_news = true;
        self.due.push((distance, Reverse(account)));
    }

    /// Lists a lot: number and slot.
    pub(crate) fn add_lot(&mut self, number: u64, slot: u32) {
        self.has_news = true;
        self.listed.push(Reverse((number, slot)));
    }
}

impl Engine {
    /// Works on what waits until it is done or the budget is spent; a waiting rate, then a waiting mark, take
    /// effect as soon as nothing else waits.
    #[inline(never)]
    pub(crate) fn work(&mut self, budget: &mut u64, out: &mut impl Outbox) {
        loop {
            self.pass_due(out);
            if self.agenda.is_idle() || (self.is_stale() && self.agenda.has_nothing_but_put_off()) {
                self.agenda.rankings.forget();
            }
            if self.agenda.is_idle() {
                if let Some(rate) = self.funding.waiting.take() {
                    self.set_rate(rate, out);
                    continue;
                }
                if self.waiting_mark == Price::NONE {
                    self.agenda.has_news = false;
                    return;
                }
                let mark = core::mem::replace(&mut self.waiting_mark, Price::NONE);
                self.set_mark(mark, out);
                continue;
            }
            if *budget == 0 || !self.has_steps() {
                return;
            }
            *budget -= 1;
            self.step(out);
            self.review(out);
        }
    }

    /// Is there a step that may be done? In a halt only passes, finding who is due, and cancel-alls go on; without a
    /// fresh index nobody new is liquidated and no lot is swept. (Rules HALT-1, MARK-3)
    #[inline]
    pub(crate) fn has_steps(&self) -> bool {
        if self.is_halted() {
            let Agenda { pass, cancels, remargin, .. } = &self.agenda;
            return pass.is_some() || !cancels.is_empty() || remargin.is_open();
        }
        if self.is_stale() { !self.agenda.has_nothing_but_put_off() } else { !self.agenda.is_idle() }
    }

    /// One step. Which, and what it says, is the table in `docs/commands.md`.
    fn step(&mut self, out: &mut impl Outbox) {
        // In a halt no process goes on. (Rule HALT-1)
        if let Some(process) = self.agenda.process
            && !self.is_halted()
        {
            self.prepare_for(process, out);
            self.agenda.process = match process {
                Process::Liquidate { account, stage } => self.liquidate(account, stage, out),
                Process::Net { lot, at } => self.net(lot, at, out),
                Process::CloseOut { lot } => self.close_out(lot, out),
                Process::Sweep { lot } => self.sweep(lot, out),
                Process::Rank { lot } => self.rank(lot, out),
                Process::Clear { account, lot } => self.clear(account, lot, out),
            };
        } else if let Some(pass) = self.agenda.pass {
            self.settle_next(pass, out);
        } else if let Some(&task) = self.agenda.cancels.front() {
            if !self.cancel_next(&task, out) {
                self.agenda.cancels.pop_front();
            }
        } else if self.agenda.remargin.is_open() {
            self.find_next(out);
        } else if let Some(account) = self.next_due(out) {
            self.agenda.process = self.begin_liquidation(account, out);
        } else if self.agenda.has_new_lots() {
            self.agenda.process = self.begin_netting(out);
        } else if let Some(Reverse((_, lot))) = self.agenda.listed.pop() {
            self.drop_used_up_lots();
            self.agenda.process = Some(self.begin_sweep(lot, out));
        }
    }

    /// The due account whose turn it is. All of them come before new lots, but for want of a free one. (Rule LIQ-8)
    fn next_due(&mut self, out: &mut impl Outbox) -> Option<u32> {
        if self.is_stale() || (self.agenda.has_new_lots() && self.free_lots.first().is_none()) {
            return None;
        }
        let next = self.agenda.due.pop();
        if let Some(&(_, Reverse(after))) = self.agenda.due.peek() {
            self.expect_account(after, out);
        }
        next.map(|(_, Reverse(account))| account)
    }

    /// Cancels the oldest order of a cancel-all; false where there is none left.
    fn cancel_next(&mut self, task: &CancelTask, out: &mut impl Outbox) -> bool {
        self.look_first(task.account);
        let mut at = self.accounts[task.account as usize].oldest;
        while at != NIL {
            let (order, cold) = (self.book.resting(at), self.book.cold(at));
            if order.number >= task.before {
                return false;
            }
            if task.side.is_none_or(|side| side == order.side()) {
                self.cancel_resting(&order, CancelReason::Requested, out);
                return true;
            }
            at = cold.newer;
        }
        false
    }
}
