//! Re-margin: those whom a mark has made due are found one by one, a unit each. (Law 4)
//!
//! In    a mark that takes effect, or a market that reopens.
//! Out   nothing is said: accounts that are due, lots that are listed.
//! Laws  LIQ-4  whoever is not strictly safe is due from the moment the mark takes effect, found or not.
//!       LIQ-8  nobody has his turn before all are found: only then is their order known.
//!       4      a unit for each account that is due and each lot that is listed.
//!
//! Accounts and lots lie on ladders at the tick where they fall due, or earlier. A pass takes the keys that the mark has
//! reached off them, looks, and keys whoever is not due anew. While it is open the mark stands, and before anybody is
//! read or changed he is looked at: so he is found as he was when the mark took effect.
//!
//! Each key has the number of the pass in which it was put where it lies. A pass looks at older ones only: a lot that is
//! listed, and an account for which no lot is free, keep keys that are reached, and wait for the next. In a queue the
//! older ones come first.
//!
//! A key may come early, so there may be nobody to be found though keys are reached. Whether the market is at rest must
//! not depend on that: the pass looks on until it has found somebody whose unit is not paid yet, or nobody is left, and
//! what it looks at in vain costs no unit. Its measure is another: so many keys of a side are early and no more (`keys`),
//! and whoever is looked at in vain has an exact one from then on.

use alloc::vec::Vec;
use core::cmp::Reverse;

use contract::liquidation::{bearable, distance_past, lot_is_passed, price_after_loss};
use contract::{AccountId, Tick};

use crate::account::{DUE, WAITS_FOR_LOT};
use crate::engine::Engine;
use crate::ladder::Ladder;
use crate::outbox::Outbox;

/// How far the pass has come.
#[derive(Clone, Debug)]
pub(crate) struct Remargin {
    /// Units that are still to be paid for those who were found. While there are any the pass is open.
    pub(crate) unpaid: u64,
    /// Passes so far: keys that have this number were put where they lie since this one was opened.
    pub(crate) number: u64,
    /// A long is reached where its key lies here or above, a short where it lies here or below.
    lowest_long: u32,
    highest_short: u32,
    /// Where it looks next: among longs from here on down, among shorts from here on up.
    next_long: u32,
    next_short: u32,
    /// Accounts looked at so far, by any pass.
    looks: u64,
}

impl Remargin {
    /// None was opened yet.
    pub(crate) fn new() -> Remargin {
        Remargin { unpaid: 0, number: 0, lowest_long: 0, highest_short: 0, next_long: 0, next_short: 1, looks: 0 }
    }

    /// Is there anybody left to be found, or to be paid for?
    #[inline(always)]
    pub(crate) fn is_open(&self) -> bool {
        self.unpaid != 0
    }
}

impl Engine {
    /// Whoever the mark has made due is to be found. One that is open already goes on as a part of the new one.
    /// (Rules LIQ-4, LIQ-7)
    pub(crate) fn open_remargin(&mut self, out: &mut impl Outbox) {
        let (mark, tick) = (self.market.mark.0, self.market.spec.tick_size.0);
        let pass = &mut self.agenda.remargin;
        pass.number += 1;
        // No mark is above the highest price, so both are ticks.
        (pass.lowest_long, pass.highest_short) = (mark.div_ceil(tick) as u32, (mark / tick) as u32);
        (pass.next_long, pass.next_short) = (self.market.max_tick.0, 1);
        self.look_on(out);
        self.agenda.has_news |= self.agenda.remargin.is_open();
    }

    /// One step: pays for one of those who were found.
    pub(crate) fn find_next(&mut self, out: &mut impl Outbox) {
        self.agenda.remargin.unpaid -= 1;
        self.look_on(out);
    }

    /// Looks on where nobody is left to be paid for.
    fn look_on(&mut self, out: &mut impl Outbox) {
        while !self.agenda.remargin.is_open()
            && let Some((key, is_long, at)) = self.take_reached()
        {
            self.expect_next_but_one(is_long, at, out);
            self.look_at(key);
        }
    }

    /// Says that the second key that comes next will be needed: where the first one is, is known by then.
    fn expect_next_but_one(&self, is_long: bool, at: Tick, out: &mut impl Outbox) {
        let ladder = if is_long { &self.long_keys } else { &self.short_keys };
        let next = |on_tick: Option<u32>, at: Tick| {
            on_tick.map(|key| (key, at)).or_else(|| {
                let at = if is_long { ladder.at_or_below(Tick(at.0 - 1)) } else { ladder.at_or_above(Tick(at.0 + 1)) }?;
                Some((ladder.front(at)?, at))
            })
        };
        let Some((first, at)) = next(ladder.front(at), at) else { return };
        if let Some((key, _)) = next(ladder.behind(first), at) {
            ladder.expect_slot(key, out);
            self.expect_account(key, out);
        }
    }

    /// Takes the next reached key off its ladder: those of longs first, always the furthest one. Says where it lay, too.
    fn take_reached(&mut self) -> Option<(u32, bool, Tick)> {
        let Engine { agenda, long_keys, short_keys, .. } = self;
        let pass = &mut agenda.remargin;
        let is_older = |ladder: &Ladder, key: &u32| ladder.user(*key).2 != pass.number;
        while let Some(at) = long_keys.at_or_below(Tick(pass.next_long)).filter(|at| at.0 >= pass.lowest_long) {
            if let Some(key) = long_keys.front(at).filter(|key| is_older(long_keys, key)) {
                pass.next_long = at.0;
                long_keys.unlink(at, key);
                return Some((key, true, at));
            }
            pass.next_long = at.0 - 1;
        }
        while pass.next_short <= pass.highest_short {
            let at = short_keys.at_or_above(Tick(pass.next_short)).filter(|at| at.0 <= pass.highest_short)?;
            if let Some(key) = short_keys.front(at).filter(|key| is_older(short_keys, key)) {
                pass.next_short = at.0;
                short_keys.unlink(at, key);
                return Some((key, false, at));
            }
            pass.next_short = at.0 + 1;
        }
        None
    }

    /// Computes an account or a lot exactly, whose key is off its ladder: due or listed, or keyed anew.
    fn look_at(&mut self, key: u32) {
        if let Some(slot) = key.checked_sub(self.genesis.capacity.accounts) {
            self.key_lot(slot);
            if !self.lots[slot as usize].is_listed && self.is_passed(slot) {
                self.list_lot(slot);
                self.agenda.remargin.unpaid += 1;
            }
            return;
        }
        self.agenda.remargin.looks += 1;
        let account = &mut self.accounts[key as usize];
        account.flags &= !WAITS_FOR_LOT;
        account.key_tick = 0;
        account.key_equity = i64::MIN;
        if self.market.is_safe(account) {
            self.key_exactly(key);
        } else {
            self.make_due(key);
            self.agenda.remargin.unpaid += 1;
        }
    }

    /// Looks at an account before anything reads or changes it, where the pass has not come to it.
    #[inline(always)]
    pub(crate) fn look_first(&mut self, number: u32) {
        if self.agenda.remargin.is_open() {
            self.look_ahead(number);
        }
    }

    /// The same for a lot.
    #[inline(always)]
    pub(crate) fn look_first_at_lot(&mut self, slot: u32) {
        if self.agenda.remargin.is_open() {
            self.look_ahead(self.lot_key(slot));
        }
    }

    #[cold]
    #[inline(never)]
    fn look_ahead(&mut self, key: u32) {
        if let Some((is_long, at)) = self.unseen(key) {
            self.keys(is_long).unlink(at, key);
            self.look_at(key);
        }
    }

    /// Where a key lies that is reached and that the pass has not come to.
    pub(crate) fn unseen(&self, key: u32) -> Option<(bool, Tick)> {
        let pass = &self.agenda.remargin;
        if !pass.is_open() {
            return None;
        }
        let (is_long, at) = self.key_place(key)?;
        let is_reached = if is_long { at.0 >= pass.lowest_long } else { at.0 <= pass.highest_short };
        let ladder = if is_long { &self.long_keys } else { &self.short_keys };
        (is_reached && ladder.user(key).2 != pass.number).then_some((is_long, at))
    }

    /// Where a key lies: of an account or of a lot.
    fn key_place(&self, key: u32) -> Option<(bool, Tick)> {
        match key.checked_sub(self.genesis.capacity.accounts) {
            None => {
                let account = &self.accounts[key as usize];
                (account.key_tick != 0).then_some((account.key_is_long, Tick(account.key_tick)))
            }
            Some(slot) => {
                let lot = &self.lots[slot as usize];
                lot.is_resting.then(|| (lot.is_long, self.lot_key_tick(lot.is_long, lot.tick)))
            }
        }
    }

    /// Has the mark passed a lot's bankruptcy? (Rule LIQ-7)
    pub(crate) fn is_passed(&self, slot: u32) -> bool {
        let lot = &self.lots[slot as usize];
        lot_is_passed(&self.market.spec, lot.is_long, lot.unit_value, self.market.mark)
    }
}

/// What may be seen of a pass from outside: whom it has not come to stands as if it had. Where it has come to depends on
/// the history of the ladders, which no snapshot and no digest knows.
impl Engine {
    /// Is the account due, found or not?
    pub(crate) fn is_due_found_or_not(&self, number: u32) -> bool {
        self.accounts[number as usize].has(DUE) || self.is_due_unseen(number)
    }

    /// Is it due, and not found yet?
    fn is_due_unseen(&self, number: u32) -> bool {
        self.unseen(number).is_some() && !self.market.is_safe(&self.accounts[number as usize])
    }

    fn due_unseen(&self) -> impl Iterator<Item = u32> + '_ {
        let last = if self.agenda.remargin.is_open() { self.accounts.len() as u32 } else { 0 };
        (AccountId::FIRST_TRADER.0..last).filter(|number| self.is_due_unseen(*number))
    }

    /// Is the lot listed, found or not?
    pub(crate) fn is_lot_listed(&self, slot: u32) -> bool {
        self.lots[slot as usize].is_listed || self.is_to_be_listed(slot)
    }

    fn is_to_be_listed(&self, slot: u32) -> bool {
        let is_unseen = self.unseen(self.lot_key(slot)).is_some();
        is_unseen && !self.lots[slot as usize].is_listed && self.is_passed(slot)
    }

    /// Units until all are found: one for each who is not found yet, and those not paid for who are.
    pub(crate) fn units_to_find(&self) -> u64 {
        let lots = (0..self.lots.len() as u32).filter(|slot| self.is_to_be_listed(*slot));
        self.agenda.remargin.unpaid + (self.due_unseen().count() + lots.count()) as u64
    }

    /// How many are due and wait for their turn.
    pub(crate) fn count_due(&self) -> usize {
        self.agenda.due.len() + self.due_unseen().count()
    }

    /// They, by account, and how far the mark was past the price of each, 0.01 USD.
    pub(crate) fn all_due(&self) -> Vec<(u32, u64)> {
        let found = self.agenda.due.iter().map(|(distance, Reverse(account))| (*account, *distance));
        let mut due: Vec<(u32, u64)> = found.chain(self.due_unseen().map(|it| (it, self.distance(it)))).collect();
        due.sort_unstable();
        due
    }

    /// How far the mark is past an account's liquidation price, 0.01 USD. (Rule LIQ-8)
    pub(crate) fn distance(&self, number: u32) -> u64 {
        let account = &self.accounts[number as usize];
        let (spec, position) = (&self.market.spec, &account.position);
        let w = bearable(&account.terms, position, account.equity()).until_liquidation;
        distance_past(position.qty > 0, price_after_loss(spec, position, w, spec.tick_size), self.market.mark)
    }

    /// How many were found so far of those who wait. For tests of what a command may find.
    #[doc(hidden)]
    #[must_use]
    pub fn found(&self) -> usize {
        self.agenda.due.len()
    }

    /// How many accounts marks have reached so far. For tests of how many are looked at in vain.
    #[doc(hidden)]
    #[must_use]
    pub fn looks(&self) -> u64 {
        self.agenda.remargin.looks
    }
}
