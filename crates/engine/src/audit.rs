//! The audit: the SUM laws watched while the market runs. (Law 5, rules SUM-1 to SUM-7, HALT-1)
//!
//! In    every account that a command has touched; and, slice by slice, all of them.
//! Out   nothing while the laws hold; else `Audit`, and `State`: cancel-only.
//! Laws  Of every trader four numbers are kept as they were last seen, and their totals. After each command the
//!       touched accounts are seen again, and the totals are held against the house's: O(1) a command. A slice holds
//!       what was seen against what is there, and the orders of the account against their sums. What a command
//!       changes in the middle of a pass is seen at that command, so neither a slow pass nor a moving mark matters.
//!
//! The numbers wrap at 64 bits: a law that holds, holds there too.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use contract::event::Audit;
use contract::margin::OrderSums;
use contract::{AccountId, MarketState};

use crate::account::{Account, NIL};
use crate::engine::Engine;
use crate::outbox::Outbox;

/// In a stream of commands without a `Clock`, one account is audited at every so many.
const AUDIT_EVERY: u64 = 64;

/// Quantity; cost less what was realised and paid; commission; wallet less cost.
type Share = [u64; 4];

/// The law that each of them is about.
const LAWS: [u16; 4] = [1, 2, 4, 5];

/// A law that does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The command after which it was found.
    pub seq: u64,
    /// The number of the SUM law.
    pub law: u16,
    /// The account whose numbers are wrong; `NONE` where only their total is.
    pub account: AccountId,
    /// What it came to.
    pub found: i64,
    /// What it had to be.
    pub expected: i64,
}

/// What was seen so far.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    /// Traders, from account 4 on.
    seen: Vec<Share>,
    /// Of all of them.
    totals: Share,
    /// Of those that this pass has been at.
    passed: Share,
    /// The account that comes next in this pass.
    pub(crate) cursor: u32,
    /// Whole passes since the engine began.
    passes: u64,
    fault: Option<Fault>,
}

impl Watch {
    pub(crate) fn new(accounts_max: usize) -> Watch {
        Watch {
            seen: Vec::with_capacity(accounts_max),
            totals: [0; 4],
            passed: [0; 4],
            cursor: AccountId::FIRST_TRADER.0,
            passes: 0,
            fault: None,
        }
    }

    /// Says that an account's share will be needed.
    #[inline(always)]
    pub(crate) fn expect(&self, number: u32, out: &mut impl Outbox) {
        out.expect(&self.seen, number.wrapping_sub(AccountId::FIRST_TRADER.0) as usize);
    }

    /// Sees a trader's account as it is now.
    #[inline(always)]
    pub(crate) fn see(&mut self, number: u32, account: &Account) {
        let at = (number - AccountId::FIRST_TRADER.0) as usize;
        if at == self.seen.len() {
            self.seen.push([0; 4]);
        }
        let now = share_of(account);
        let before = core::mem::replace(&mut self.seen[at], now);
        change(&mut self.totals, &now, &before);
        if number < self.cursor {
            change(&mut self.passed, &now, &before);
        }
    }
}

fn change(totals: &mut Share, now: &Share, before: &Share) {
    for (total, (now, before)) in totals.iter_mut().zip(now.iter().zip(before)) {
        *total = total.wrapping_add(*now).wrapping_sub(*before);
    }
}

#[inline(always)]
fn share_of(account: &Account) -> Share {
    let Account { wallet, position, realised, commission, .. } = account;
    let word = i64::cast_unsigned;
    let settled = word(realised.0).wrapping_add(word(commission.0));
    let cost = word(position.cost.0);
    [word(position.qty), cost.wrapping_sub(settled), word(commission.0), word(wallet.0).wrapping_sub(cost)]
}

impl Engine {
    /// What the audit has found, if it has: the market is in cancel-only, or closed, from then on. (Rule HALT-1)
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.watch.fault
    }

    /// How often the audit has been through all accounts.
    #[must_use]
    pub fn audit_passes(&self) -> u64 {
        self.watch.passes
    }

    /// Is it time for a slice, whatever the command?
    #[inline(always)]
    pub(crate) fn is_audited(&self) -> bool {
        self.say.seq().is_multiple_of(AUDIT_EVERY)
    }

    /// A slice at the end of a command, where it is time for one.
    #[inline(always)]
    pub(crate) fn audit(&mut self, budget: u64, is_clock: bool, out: &mut impl Outbox) {
        if is_clock || self.is_audited() {
            self.audit_slice(if is_clock { budget } else { 1 }, out);
        }
    }

    /// The totals of what was seen against the house's. (Rules SUM-1, SUM-2, SUM-4, SUM-5)
    #[inline(always)]
    pub(crate) fn audit_totals(&mut self, out: &mut impl Outbox) {
        let expected = self.expected_totals();
        if self.watch.totals != expected {
            self.report_totals(expected, out);
        }
    }

    /// What the traders' totals must be.
    #[inline(always)]
    fn expected_totals(&self) -> Share {
        let house = |account: AccountId| &self.accounts[account.0 as usize];
        let lots = share_of(house(AccountId::LIQUIDATION));
        let fees = house(AccountId::FEES).wallet.0.cast_unsigned();
        let kept = [AccountId::FEES, AccountId::INSURANCE, AccountId::RESIDUE]
            .iter()
            .fold(lots[3], |sum, account| sum.wrapping_add(house(*account).wallet.0.cast_unsigned()));
        let deposits = self.net_deposits as u64;
        // What was paid for funding is a commission too, and lies in the residue account. (Rules POS-4, FUND-4)
        let paid = fees.wrapping_add(house(AccountId::RESIDUE).wallet.0.cast_unsigned());
        [lots[0].wrapping_neg(), lots[1].wrapping_neg(), paid.wrapping_sub(lots[2]), deposits.wrapping_sub(kept)]
    }

    #[cold]
    #[inline(never)]
    fn report_totals(&mut self, expected: Share, out: &mut impl Outbox) {
        let found = self.watch.totals;
        if let Some(at) = (0..LAWS.len()).find(|at| found[*at] != expected[*at]) {
            self.report(LAWS[at], AccountId::NONE, found[at], expected[at], out);
        }
    }

    /// Some accounts, one a unit, and one more for each of its orders.
    #[cold]
    #[inline(never)]
    fn audit_slice(&mut self, mut budget: u64, out: &mut impl Outbox) {
        let last = self.accounts.len() as u32;
        let mut left = last - AccountId::FIRST_TRADER.0 + 1;
        while budget != 0 && left != 0 && self.watch.fault.is_none() {
            left -= 1;
            if self.watch.cursor == last {
                self.end_pass(out);
                return;
            }
            let number = self.watch.cursor;
            budget = budget.saturating_sub(1 + u64::from(self.accounts[number as usize].open_orders));
            self.audit_account(number, out);
        }
    }

    /// The end of a pass: what was seen one by one adds up to what was kept of all.
    fn end_pass(&mut self, out: &mut impl Outbox) {
        let (found, expected) = (self.watch.passed, self.watch.totals);
        self.watch.cursor = AccountId::FIRST_TRADER.0;
        self.watch.passed = [0; 4];
        self.watch.passes += 1;
        if let Some(at) = (0..LAWS.len()).find(|at| found[*at] != expected[*at]) {
            self.report(LAWS[at], AccountId::NONE, found[at], expected[at], out);
        }
    }

    /// One account: is it what was seen, and are its orders what it sums up? (Rule SUM-7)
    fn audit_account(&mut self, number: u32, out: &mut impl Outbox) {
        let seen = self.watch.seen[(number - AccountId::FIRST_TRADER.0) as usize];
        let account = &self.accounts[number as usize];
        let now = share_of(account);
        if let Some(at) = (0..LAWS.len()).find(|at| now[*at] != seen[*at]) {
            return self.report(LAWS[at], AccountId(number), now[at], seen[at], out);
        }
        let (mut sums, mut at) = (OrderSums::default(), account.oldest);
        while at != NIL {
            let order = self.book.resting(at);
            sums.side_mut(order.side()).add(self.sums_of(&order, order.leaves));
            at = self.book.cold(at).newer;
        }
        let account = &self.accounts[number as usize];
        if sums != account.sums {
            let whole = |sums: &OrderSums| {
                [sums.buy, sums.sell].iter().fold(0u64, |sum, side| sum.wrapping_add(side.qty.0 ^ side.cost))
            };
            return self.report(7, AccountId(number), whole(&account.sums), whole(&sums), out);
        }
        change(&mut self.watch.passed, &seen, &[0; 4]);
        self.watch.cursor = number + 1;
    }

    /// Says what does not hold, once, and stops trading.
    #[cold]
    fn report(&mut self, law: u16, account: AccountId, found: u64, expected: u64, out: &mut impl Outbox) {
        if self.watch.fault.is_some() {
            return;
        }
        let (found, expected) = (found.cast_signed(), expected.cast_signed());
        self.watch.fault = Some(Fault { seq: self.say.seq(), law, account, found, expected });
        let fact = Audit { law, found, expected };
        match self.accounts.get_mut(account.0 as usize) {
            Some(known) => self.say.fact(Some((account.0, known)), fact, out),
            None => self.say.fact(None, fact, out),
        }
        if !self.is_halted() {
            self.enter(MarketState::CancelOnly, out);
        }
    }

    /// After a restore: everything is seen as it is, and the pass goes on where it was.
    pub(crate) fn watch_from(&mut self, cursor: u32) {
        self.watch = Watch::new(self.genesis.capacity.accounts as usize);
        for number in AccountId::FIRST_TRADER.0..self.accounts.len() as u32 {
            self.watch.see(number, &self.accounts[number as usize]);
        }
        self.watch.cursor = cursor;
        for number in AccountId::FIRST_TRADER.0..cursor {
            let seen = self.watch.seen[(number - AccountId::FIRST_TRADER.0) as usize];
            change(&mut self.watch.passed, &seen, &[0; 4]);
        }
    }

    /// The state in words, for whoever must find out what went wrong: the market, the house, what is under way, and
    /// the account of the fault. O(accounts).
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = format!(
            "command {} at {} ns, state {:?}, mark {}, chain {:016x}\n",
            self.seq(),
            self.ts(),
            self.state,
            self.market.mark.0,
            self.chain()
        );
        if let Some(Fault { seq, law, account, found, expected }) = self.watch.fault {
            text += &format!("SUM-{law} broken at command {seq}: {found}, not {expected}");
            text +=
                &if account == AccountId::NONE { ", in total\n".into() } else { format!(", account {}\n", account.0) };
        }
        text += &match self.check_sums() {
            Ok(()) => "all laws hold, added up anew\n".into(),
            Err(law) => format!("added up anew: {law}\n"),
        };
        let house = ["fees", "insurance", "residue", "liquidation"];
        let about = self.watch.fault.map(|fault| fault.account.0).filter(|number| *number >= 4);
        for number in (0..4u32).chain(about) {
            let Some(account) = self.accounts.get(number as usize) else { continue };
            let name = house.get(number as usize).copied().unwrap_or("trader");
            let Account { wallet, position, realised, commission, order_margin, open_orders, .. } = account;
            text += &format!(
                "account {number} ({name}): wallet {wallet}, {} contracts, cost {}, realised {realised}, \
                 commission {commission}, {open_orders} orders, order margin {order_margin}\n",
                position.qty, position.cost
            );
        }
        text += &format!("totals seen {:?}, expected {:?}\n", self.watch.totals, self.expected_totals());
        let live = self.lots.iter().filter(|lot| lot.number != 0).count();
        text += &format!(
            "under way: {:?}; {} due, {} steps until all are found, {live} lots, {} cancel-alls, waiting mark {}\n",
            self.agenda.process,
            self.count_due(),
            self.units_to_find(),
            self.agenda.cancels.len(),
            self.waiting_mark.0
        );
        text
    }

    /// Puts one satoshi into a wallet that came from nowhere, unseen. For tests of what happens then.
    #[doc(hidden)]
    pub fn plant_satoshi(&mut self, account: AccountId) {
        self.accounts[account.0 as usize].wallet += contract::Xbt(1);
    }

    /// Takes a contract off an account's sum of buys, which no order has lost. For tests of what happens then.
    #[doc(hidden)]
    pub fn plant_order_sum(&mut self, account: AccountId) {
        self.accounts[account.0 as usize].sums.buy.qty -= contract::Qty(1);
    }
}
