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

use contract::adl::{AdlCandidate, AdlValues, Ranked, may_be_deleveraged};
use contract::{AccountId, Qty};

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

impl LeftOut {
    pub(crate) fn new(values: AdlValues, size: Qty, account: AccountId) -> LeftOut {
        LeftOut { values, place: Ranked { score: values.score(), size, account } }
    }
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
    /// Who is on no list and may come on one when the step that is under way is over, and of which sides; `NIL` where
    /// there is nobody.
    newcomer: u32,
    comes_to: [bool; 2],
    /// Places that are used.
    places: usize,
}

impl Rankings {
    pub(crate) fn new() -> Rankings {
        Rankings { each: [Ranking::new(), Ranking::new()], newcomer: NIL, comes_to: [false; 2], places: PLACES }
    }

    /// Somebody who was due is so no more: he was on no list.
    pub(crate) fn note_not_due(&mut self, number: u32) {
        (self.newcomer, self.comes_to) = (number, [true; 2]);
    }

    /// One side's ranking looks at an account for the first time. On the other's list it may be.
    fn note_look(&mut self, is_long: bool, number: u32) {
        (self.newcomer, self.comes_to) = (number, [!is_long, is_long]);
    }

    /// The mark has moved, or there is nothing left to do.
    #[inline]
    pub(crate) fn forget(&mut self) {
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
        // The mark lies on the near side of every lot that it has passed, so a ranking at the mark serves them all.
        let nearest = if is_as_far(is_long, v, self.market.mark_value) { self.market.mark_value } else { v };
        let ranking = &mut self.agenda.rankings.each[usize::from(is_long)];
        if !ranking.stands() {
            ranking.begin(nearest);
        } else if !is_as_far(is_long, v, ranking.filter) {
            ranking.begin(v);
        }
        if (ranking.next as usize) < self.accounts.len() {
            let number = ranking.next;
            ranking.next += 1;
            self.agenda.rankings.note_look(is_long, number);
            self.look_first(number);
            self.settle_ahead(number, out);
            return Some(Process::Rank { lot: slot });
        }
        let first = ranking.list.iter().find(|it| is_as_far(is_long, it.furthest, v)).map(|it| it.account);
        if first.is_none() && ranking.left_out.is_some() {
            // Used up, or full of those who may not be closed as far away as this lot.
            ranking.begin(if ranking.list.is_empty() { nearest } else { v });
            return Some(Process::Rank { lot: slot });
        }
        match first {
            Some(account) if self.awaits_settlement(account) => {
                self.settle_ahead(account, out);
                Some(Process::Rank { lot: slot })
            }
            Some(account) => {
                assert!(self.candidate(account, is_long, v).is_some(), "ADL-4: the first of a ranking may be closed");
                self.deleverage(account, slot, out);
                Some(Process::Clear { account, lot: slot })
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
        let newcomer = core::mem::replace(&mut self.agenda.rankings.newcomer, NIL);
        let is_untouched = newcomer != NIL && !self.in_step.contains(&newcomer);
        for is_long in [false, true] {
            let ranking = &mut self.agenda.rankings.each[usize::from(is_long)];
            if !ranking.stands() {
                continue;
            }
            // All leave before anybody comes: so it does not matter in which order they do.
            self.in_step.iter().for_each(|number| ranking.leave(*number));
            for i in 0..self.in_step.len() {
                self.list_candidate(is_long, self.in_step[i]);
            }
            if is_untouched && self.agenda.rankings.comes_to[usize::from(is_long)] {
                self.list_candidate(is_long, newcomer);
            }
        }
    }

    /// On reopening: whoever has become due without being touched is no candidate any more, found or not. (Rule HALT-1)
    pub(crate) fn unlist_due(&mut self) {
        for side in 0..self.agenda.rankings.each.len() {
            for at in 0..self.agenda.rankings.each[side].list.len() {
                self.look_first(self.agenda.rankings.each[side].list[at].account);
            }
        }
        let Engine { agenda, accounts, .. } = self;
        for ranking in &mut agenda.rankings.each {
            ranking.list.retain(|listed| !accounts[listed.account as usize].has(DUE));
        }
    }

    /// Makes the lists anew from what a snapshot has of them: false where there is no place for somebody who was not
    /// left out.
    pub(crate) fn list_anew(&mut self) -> bool {
        [false, true].into_iter().all(|is_long| {
            let &Ranking { next, left_out, .. } = &self.agenda.rankings.each[usize::from(is_long)];
            (AccountId::FIRST_TRADER.0..next).for_each(|number| self.list_candidate(is_long, number));
            self.agenda.rankings.each[usize::from(is_long)].left_out == left_out
        })
    }

    /// Has each list all candidates who were looked at and rank above who was left out, once each, best first?
    pub(crate) fn rankings_are_exact(&self) -> bool {
        let place = |number: u32| self.as_candidate(number).place(&self.market.spec, self.market.mark_value);
        [false, true].into_iter().all(|is_long| {
            let ranking = &self.agenda.rankings.each[usize::from(is_long)];
            let is_listed = |number: &u32| {
                self.candidate(*number, is_long, ranking.filter).is_some()
                    && ranking.left_out.is_none_or(|it| place(*number) > it.place)
            };
            let listed = (AccountId::FIRST_TRADER.0..ranking.next).filter(is_listed).count();
            let list = &ranking.list;
            !ranking.stands()
                || (listed == list.len()
                    && list.iter().all(|it| is_listed(&it.account))
                    && list.windows(2).all(|two| place(two[0].account) > place(two[1].account)))
        })
    }

    /// An account that is not on the list takes its place on it, where it has one.
    pub(crate) fn list_candidate(&mut self, is_long: bool, number: u32) {
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
        let at =
            ranking.list.partition_point(|listed| self.as_candidate(listed.account).place(spec, mark_value) > place);
        // Where all places are taken the last one goes, be it the one that came.
        let most = *places;
        let (is_full, is_last) = (ranking.list.len() == most, at == most);
        let last = match ranking.list.last() {
            Some(listed) if is_full && !is_last => self.as_candidate(listed.account),
            _ => candidate,
        };
        let left_out = is_full.then(|| LeftOut::new(last.values(spec, mark_value), last.position.size(), last.account));
        let furthest = candidate.furthest_value(spec);
        let ranking = &mut self.agenda.rankings.each[usize::from(is_long)];
        if left_out.is_some() {
            ranking.left_out = left_out;
        }
        if !is_last {
            ranking.list.truncate(most - 1);
            ranking.list.insert(at, Listed { account: number, furthest });
        }
    }
}
