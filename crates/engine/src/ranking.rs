//! Rankings: who is deleveraged next, made once for all lots of a side and kept while the mark stands.
//!
//! In    accounts, looked at one by one; from then on whoever a step or a command has touched.
//! Out   the first of them who may be closed at a lot's value.
//! Laws  ADL-1  the list is in the exact order of how everybody stands now.
//!       ADL-4  nobody is closed beyond his own bankruptcy.
//!       4      a look is one step; a ranking has a fixed number of places.
//! A score asks for nothing of the lot, so one ranking serves many lots. Of the candidates among the accounts before
//! `next` it has all that rank above the best who was left out for want of a place. So its list follows from the
//! accounts, `next`, `filter` and that one place; a snapshot has no more of it.

use alloc::vec::Vec;

use contract::AccountId;
use contract::adl::{AdlCandidate, AdlValues, Ranked, may_be_deleveraged};
use contract::liquidation::lot_is_passed;

use crate::account::{DUE, NIL};
use crate::agenda::Process;
use crate::engine::Engine;
use crate::outbox::Outbox;

/// Places of a ranking: who is beyond them is looked at again once they are used up.
pub(crate) const PLACES: usize = 1_024;

/// Somebody on the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Listed {
    account: u32,
    /// The furthest value of a unit at which he may be closed. (Rule ADL-4)
    furthest: u64,
}

/// The best of those who were left out for want of a place, as he stood then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LeftOut {
    /// What its score is made of.
    pub(crate) values: AdlValues,
    /// Its place.
    pub(crate) place: Ranked,
}

/// All who hold one side, best first, as far as they have been looked at.
#[derive(Clone, Debug)]
pub(crate) struct Ranking {
    /// The account to be looked at next; 0 where there is no ranking.
    pub(crate) next: u32,
    /// It has those who may be closed at this value of a unit: all lots at this value or further serve themselves.
    pub(crate) filter: u64,
    pub(crate) left_out: Option<LeftOut>,
    /// Best first.
    list: Vec<Listed>,
}

impl Ranking {
    fn new() -> Ranking {
        Ranking { next: 0, filter: 0, left_out: None, list: Vec::with_capacity(PLACES) }
    }

    /// Is there one?
    pub(crate) fn stands(&self) -> bool {
        self.next != 0
    }

    /// A new one, for lots at this value or further.
    pub(crate) fn begin(&mut self, filter: u64) {
        self.next = AccountId::FIRST_TRADER.0;
        self.filter = filter;
        self.left_out = None;
        self.list.clear();
    }

    fn leave(&mut self, number: u32) {
        if let Some(at) = self.list.iter().position(|it| it.account == number) {
            self.list.remove(at);
        }
    }
}

/// Is the first value as far from the mark as the second or further, for lots closed against this side?
fn is_as_far(is_long: bool, value: u64, other: u64) -> bool {
    if is_long { value >= other } else { value <= other }
}

/// A ranking a side.
#[derive(Clone, Debug)]
pub(crate) struct Rankings {
    /// Of shorts, of longs.
    pub(crate) each: [Ranking; 2],
    /// Whom the step that is under way has looked at, or whose liquidation it has ended; `NIL` where there is none.
    pub(crate) looked_at: u32,
    /// Places that are used.
    places: usize,
}

impl Rankings {
    pub(crate) fn new() -> Rankings {
        Rankings { each: [Ranking::new(), Ranking::new()], looked_at: NIL, places: PLACES }
    }

    /// The mark has moved, or there is nothing left to do.
    #[inline]
    pub(crate) fn drop(&mut self) {
        for ranking in &mut self.each {
            ranking.next = 0;
        }
    }
}

impl Engine {
    /// So many places instead of all, at least one. What is said is the same in the end: tests see to that.
    #[doc(hidden)]
    pub fn limit_ranking(&mut self, places: usize) {
        self.agenda.rankings.places = places.clamp(1, PLACES);
    }

    /// One account looked at, or the first one deleveraged, or nobody is left. (Rules ADL-1, ADL-2, ADL-4)
    pub(crate) fn rank(&mut self, slot: u32, out: &mut impl Outbox) -> Option<Process> {
        let lot = self.lots[slot as usize];
        let (is_long, v) = (!lot.is_long, lot.unit_value);
        let ranking = &mut self.agenda.rankings.each[usize::from(is_long)];
        if !ranking.stands() {
            // At the mark, so that every lot that it has passed can be served.
            let is_passed = lot_is_passed(&self.market.spec, lot.is_long, v, self.market.mark);
            ranking.begin(if is_passed { self.market.mark_value } else { v });
        } else if !is_as_far(is_long, v, ranking.filter) {
            ranking.begin(v);
        }
        if (ranking.next as usize) < self.accounts.len() {
            let number = ranking.next;
            ranking.next += 1;
            self.agenda.rankings.looked_at = number;
            self.settle_ahead(number, out);
            return Some(Process::Rank { lot: slot });
        }
        match ranking.list.iter().find(|it| is_as_far(is_long, it.furthest, v)) {
            Some(&Listed { account, .. }) if self.awaits_settlement(account) => {
                self.settle_ahead(account, out);
                Some(Process::Rank { lot: slot })
            }
            Some(&Listed { account, .. }) => {
                assert!(self.candidate(account, is_long, v).is_some(), "ADL-4: the first of a ranking may be closed");
                self.deleverage(account, slot, out);
                Some(Process::Clear { account, lot: slot })
            }
            None if ranking.left_out.is_some() => {
                ranking.begin(v);
                Some(Process::Rank { lot: slot })
            }
            None => self.wait(slot, out),
        }
    }

    /// An account as a candidate for deleveraging, where it is one at this value of a unit. (Rule ADL-4)
    fn candidate(&self, number: u32, is_long: bool, unit_value: u64) -> Option<AdlCandidate> {
        let account = &self.accounts[number as usize];
        if account.position.qty == 0 || (account.position.qty > 0) != is_long || account.has(DUE) {
            return None;
        }
        let candidate = self.as_candidate(number);
        may_be_deleveraged(&self.market.spec, &candidate, unit_value).then_some(candidate)
    }

    fn as_candidate(&self, number: u32) -> AdlCandidate {
        let account = &self.accounts[number as usize];
        AdlCandidate {
            account: AccountId(number),
            position: account.position,
            terms: account.terms,
            equity: account.equity(),
        }
    }

    /// Whoever the step or the command has touched takes the place that is his now.
    #[cold]
    pub(crate) fn rank_touched(&mut self) {
        let looked_at = core::mem::replace(&mut self.agenda.rankings.looked_at, NIL);
        let is_touched = looked_at == NIL || self.in_step.contains(&looked_at);
        let also = if is_touched { NIL } else { looked_at };
        for is_long in [false, true] {
            let ranking = &mut self.agenda.rankings.each[usize::from(is_long)];
            if !ranking.stands() {
                continue;
            }
            // All leave before anybody comes: so it does not matter in which order they do.
            self.in_step.iter().chain([&also]).for_each(|number| ranking.leave(*number));
            for i in 0..self.in_step.len() {
                self.enter(is_long, self.in_step[i]);
            }
            if also != NIL {
                self.enter(is_long, also);
            }
        }
    }

    /// An account that is not on the list takes its place on it, where it has one.
    pub(crate) fn enter(&mut self, is_long: bool, number: u32) {
        let Rankings { each, places, .. } = &self.agenda.rankings;
        let ranking = &each[usize::from(is_long)];
        if number >= ranking.next {
            return;
        }
        let Some(candidate) = self.candidate(number, is_long, ranking.filter) else { return };
        let (spec, mark_value) = (&self.market.spec, self.market.mark_value);
        let place = candidate.place(spec, mark_value);
        if ranking.left_out.is_some_and(|it| place <= it.place) {
            return;
        }
        let at = ranking
            .list
            .partition_point(|listed| self.as_candidate(listed.account).place(spec, mark_value) > place);
        let last = if at == *places {
            Some(candidate)
        } else if ranking.list.len() == *places {
            ranking.list.last().map(|listed| self.as_candidate(listed.account))
        } else {
            None
        };
        let left_out = last.map(|it| LeftOut { values: it.values(spec, mark_value), place: it.place(spec, mark_value) });
        let (is_in, furthest, most) = (at < *places, candidate.furthest_value(spec), *places);
        let ranking = &mut self.agenda.rankings.each[usize::from(is_long)];
        if left_out.is_some() {
            ranking.left_out = left_out;
            ranking.list.truncate(most - usize::from(is_in));
        }
        if is_in {
            ranking.list.insert(at, Listed { account: number, furthest });
        }
    }
}
