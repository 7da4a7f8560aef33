//! Rankings, a side each: one pass through all accounts serves all lots of a mark. (Rules ADL-1, ADL-4, law 4)
//!
//! Nothing is listed here: who is on a list is found anew whenever somebody asks.

use std::cmp::Ordering;

use super::Twin;
use super::deleverage::Score;
use super::liquidation::Lot;

/// Places of a ranking.
pub(super) const PLACES: usize = 1_024;

/// How far a ranking has come.
#[derive(Clone, Debug)]
pub(super) struct Ranking {
    /// The account that is looked at next: those before it are ranked.
    pub next: u32,
    /// Only whoever may be closed at this value of a unit is ranked.
    pub filter: i128,
    /// The best who was left out for want of a place, as he stood then.
    pub left_out: Option<Place>,
}

/// A place: score, contracts, account.
#[derive(Clone, Debug)]
pub(super) struct Place {
    score: Score,
    size: i128,
    account: u32,
}

impl Place {
    /// Higher score, then larger position, then lower number. (Rule ADL-1)
    fn compare(&self, other: &Place) -> Ordering {
        self.score.compare(&other.score).then(self.size.cmp(&other.size)).then(other.account.cmp(&self.account))
    }
}

/// The side that a lot is closed against: longs or shorts?
fn opposite_is_long(lot: &Lot) -> bool {
    lot.qty < 0
}

/// Is the first value as far from the mark as the second, or further?
fn is_as_far(lot: &Lot, value: i128, other: i128) -> bool {
    if opposite_is_long(lot) { value >= other } else { value <= other }
}

impl Twin {
    /// So many places instead of all.
    pub fn limit_ranking(&mut self, places: usize) {
        self.places = places.clamp(1, PLACES);
    }

    /// Is somebody left out of a ranking for want of a place?
    #[must_use]
    pub fn is_ranking_cut(&self) -> bool {
        self.rankings.iter().flatten().any(|ranking| ranking.left_out.is_some())
    }

    /// Does a ranking serve fewer lots than all that the mark has passed?
    #[must_use]
    pub fn is_ranking_narrow(&self) -> bool {
        self.rankings.iter().flatten().any(|ranking| ranking.filter != self.market.unit_value_at_mark())
    }

    /// The ranking that serves a lot: where none stands, a new one for all lots that the mark has passed; where one
    /// stands for further lots only, a new one for this lot.
    pub(super) fn ranking_for(&mut self, lot: &Lot) -> &mut Ranking {
        let side = usize::from(opposite_is_long(lot));
        match &self.rankings[side] {
            None => self.begin_ranking(lot, self.nearest(lot)),
            Some(ranking) if !is_as_far(lot, lot.unit_value, ranking.filter) => {
                self.begin_ranking(lot, lot.unit_value);
            }
            Some(_) => {}
        }
        self.rankings[side].as_mut().expect("ADL-1: it has begun")
    }

    /// The value at the mark; the lot's own where that is nearer.
    pub(super) fn nearest(&self, lot: &Lot) -> i128 {
        let at_mark = self.market.unit_value_at_mark();
        if is_as_far(lot, lot.unit_value, at_mark) { at_mark } else { lot.unit_value }
    }

    /// Is nobody on the list, for any lot?
    pub(super) fn is_used_up(&self, lot: &Lot) -> bool {
        let is_long = opposite_is_long(lot);
        self.rankings[usize::from(is_long)].as_ref().is_none_or(|it| self.list(it, is_long).is_empty())
    }

    pub(super) fn begin_ranking(&mut self, lot: &Lot, filter: i128) {
        self.rankings[usize::from(opposite_is_long(lot))] = Some(Ranking { next: 4, filter, left_out: None });
    }

    /// The first who may be closed at the lot's value; of all accounts nobody ranks above.
    pub(super) fn first_for(&self, lot: &Lot) -> Option<u32> {
        let is_long = opposite_is_long(lot);
        let may_be_closed = |account: u32| self.is_candidate(account, is_long, lot.unit_value);
        let ranking = self.rankings[usize::from(is_long)].as_ref()?;
        let first = self.list(ranking, is_long).into_iter().find(|place| may_be_closed(place.account));
        let all = (4..self.accounts.len() as u32).filter(|account| may_be_closed(*account));
        let best = all.map(|account| self.place(account)).max_by(Place::compare);
        let (first, best) = (first.map(|place| place.account), best.map(|place| place.account));
        assert!(first == best || (first.is_none() && ranking.left_out.is_some()), "ADL-1: {first:?} before {best:?}");
        first
    }

    fn place(&self, account: u32) -> Place {
        Place { score: self.score(account), size: self.accounts[account as usize].qty.abs(), account }
    }

    /// Whoever was looked at and ranks above all who were left out, best first.
    fn list(&self, ranking: &Ranking, is_long: bool) -> Vec<Place> {
        let is_in = |place: &Place| ranking.left_out.as_ref().is_none_or(|out| place.compare(out).is_gt());
        let mut list: Vec<Place> =
            self.ranked(ranking, is_long).map(|account| self.place(account)).filter(is_in).collect();
        list.sort_by(|one, other| other.compare(one));
        list
    }

    fn ranked(&self, ranking: &Ranking, is_long: bool) -> impl Iterator<Item = u32> {
        let filter = ranking.filter;
        (4..ranking.next).filter(move |account| self.is_candidate(*account, is_long, filter))
    }

    /// After each step and command: where there are more than places, the rest is left out.
    pub(super) fn cut_rankings(&mut self) {
        for is_long in [false, true] {
            let Some(ranking) = &self.rankings[usize::from(is_long)] else { continue };
            if self.ranked(ranking, is_long).count() <= self.places {
                continue;
            }
            let left_out = self.list(ranking, is_long).get(self.places).cloned();
            if let (Some(ranking), Some(left_out)) = (&mut self.rankings[usize::from(is_long)], left_out) {
                ranking.left_out = Some(left_out);
            }
        }
    }
}
