//! Saying facts: numbering, addressing, and remembering whom a command has touched.

use std::collections::BTreeSet;

use contract::codes::{CancelReason, InsuranceCause, LiquidationStep};
use contract::command::Command;
use contract::event::{Canceled, Done, Event, Fact, Insurance, Liquidation, Rejected};
use contract::units::{AccountId, Price, Qty, Xbt};
use contract::words::Coded;

use super::Twin;
use super::admit::{Refusal, named_order};
use super::liquidation::Lot;

/// What belongs to the apply under way.
#[derive(Default)]
pub(super) struct Now {
    pub seq: u64,
    pub ts: u64,
    pub session: u32,
    pub request: u64,
    pub account: u32,
    /// Is a step of the agenda at work, not the command?
    pub is_agenda: bool,
    /// Were some of those whom a mark has made due still to be found when the command was carried out?
    pub is_finding: bool,
    pub events: Vec<Event>,
    pub touched_wallets: BTreeSet<u32>,
    pub touched_positions: BTreeSet<u32>,
    /// Touched since the last review.
    pub to_review: BTreeSet<u32>,
}

impl Now {
    pub(super) fn of(command: &Command) -> Now {
        Now {
            seq: command.seq(),
            ts: command.ts(),
            session: command.session(),
            request: command.request(),
            account: command.account().0,
            is_agenda: true,
            ..Now::default()
        }
    }
}

impl Twin {
    /// Says a fact about an account, or about none.
    pub(super) fn say(&mut self, account: Option<u32>, fact: Fact) {
        let account_seq = account.map_or(0, |account| self.next_account_seq(account));
        self.push(AccountId(account.unwrap_or(AccountId::NONE.0)), account_seq, fact);
    }

    /// The number of the next event that names the account.
    pub(super) fn next_account_seq(&mut self, account: u32) -> u64 {
        let events = &mut self.accounts[account as usize].events;
        *events += 1;
        *events
    }

    pub(super) fn push(&mut self, account: AccountId, account_seq: u64, fact: Fact) {
        let n = u32::try_from(self.now.events.len()).expect("an apply says fewer than 2^32 facts");
        self.now.events.push(Event::new(self.now.seq, self.now.ts, n, account, account_seq, fact));
    }

    /// The events of the apply, the last one marked; `Done` where there was none.
    pub(super) fn say_last(&mut self) -> Vec<Event> {
        if self.now.events.is_empty() {
            let done = Done { session: self.now.session, request: self.now.request };
            self.say(None, Fact::Done(done));
        }
        let mut events = std::mem::take(&mut self.now.events);
        let last = events.pop().expect("Done at least was said");
        events.push(last.as_last());
        events
    }

    /// A refusal is about the account that the command names, known or not.
    pub(super) fn reject(&mut self, command: &Command, refusal: Refusal) {
        let (cl_ord_id, order) = named_order(command);
        let fact = Fact::Rejected(Rejected {
            reason: u16::from(refusal.reject.code()),
            session: command.session(),
            detail: i64::try_from(refusal.detail).expect("a refusal's number fits its record"),
            cl_ord_id,
            slot: order.slot,
            request: command.request(),
            number: order.number,
            command: command.kind_code(),
        });
        let account = command.account();
        if (account.0 as usize) < self.accounts.len() {
            self.say(Some(account.0), fact);
        } else {
            self.push(account, 0, fact);
        }
    }

    pub(super) fn touch_wallet(&mut self, account: u32) {
        self.now.touched_wallets.insert(account);
        self.now.to_review.insert(account);
    }

    pub(super) fn touch_position(&mut self, account: u32) {
        self.now.touched_positions.insert(account);
        self.now.to_review.insert(account);
    }

    /// `Canceled`, with the command's session and request where it did it to its own account.
    pub(super) fn say_canceled(&mut self, account: u32, number: u64, slot: u32, leaves: i128, reason: CancelReason) {
        let is_own = !self.now.is_agenda && account == self.now.account;
        let (session, request) = if is_own { (self.now.session, self.now.request) } else { (0, 0) };
        let reason = u16::from(reason.code());
        let leaves = contracts(leaves);
        self.say(Some(account), Fact::Canceled(Canceled { reason, session, number, leaves, request, slot }));
    }

    /// Takes a resting order out of the book and says so.
    pub(super) fn cancel(&mut self, number: u64, reason: CancelReason) {
        let order = self.remove(number);
        self.give_back_slot(&order);
        self.touch_wallet(order.account);
        self.say_canceled(order.account, order.number, order.slot, order.leaves, reason);
    }

    /// The fund changes by `change`; nothing is said of nothing. (Rule INS-1)
    pub(super) fn change_fund(&mut self, cause: InsuranceCause, counterparty: u32, change: i128) {
        if change == 0 {
            return;
        }
        self.fund += change;
        assert!(self.fund >= 0, "INS-1: the insurance fund never owes");
        let fact = Insurance { cause: cause.into(), counterparty, change: xbt(change), balance: xbt(self.fund) };
        self.say(Some(AccountId::INSURANCE.0), Fact::Insurance(fact));
    }

    /// A step about an account's position.
    pub(super) fn say_step_of_account(&mut self, step: LiquidationStep, account: u32) {
        let sums = self.sums(account);
        let it = &self.accounts[account as usize];
        let fact = Liquidation {
            step: step.into(),
            lot: 0,
            qty: signed_contracts(it.qty),
            mark: self.market.mark.unwrap_or(Price::NONE),
            liquidation_price: self.market.liquidation_price(it, &sums),
            bankruptcy_price: self.market.bankruptcy_price(it, &sums),
            unit_value: 0,
        };
        self.say(Some(account), Fact::Liquidation(fact));
    }

    /// A step about a lot: about the liquidation account.
    pub(super) fn say_step_of_lot(&mut self, step: LiquidationStep, lot: &Lot) {
        self.say_what_is_left(step, lot, lot.qty);
    }

    /// The same with another quantity: nothing, perhaps.
    pub(super) fn say_what_is_left(&mut self, step: LiquidationStep, lot: &Lot, left: i128) {
        let fact = Liquidation {
            step: step.into(),
            lot: lot.number,
            qty: signed_contracts(left),
            mark: self.market.mark.unwrap_or(Price::NONE),
            liquidation_price: Price::NONE,
            bankruptcy_price: self.lot_price(lot),
            unit_value: u64::try_from(lot.unit_value).expect("a unit's value is positive"),
        };
        self.say(Some(AccountId::LIQUIDATION.0), Fact::Liquidation(fact));
    }
}

/// Money as a record holds it.
pub(super) fn xbt(amount: i128) -> Xbt {
    Xbt(i64::try_from(amount).expect("money fits its record"))
}

/// An unsigned quantity as a record holds it.
pub(super) fn contracts(qty: i128) -> Qty {
    Qty(u64::try_from(qty).expect("a quantity is not negative and fits its record"))
}

/// A signed quantity as a record holds it.
pub(super) fn signed_contracts(qty: i128) -> i64 {
    i64::try_from(qty).expect("a position fits its record")
}
