//! The index of weighted constituents and the mark that follows from it. (Rules INDEX-1, MARK-1 to MARK-3)

use contract::codes::{Marking, Side};
use contract::command::{Index, SetWeights};
use contract::event::{Fact, IndexMark};
use contract::reject::Reject;
use contract::units::Price;

use super::Twin;
use super::admit::{Refusal, require};
use super::market::ONE;
use super::money::round_half_away;

/// Nanoseconds in a minute.
pub(super) const MINUTE: u64 = 60_000_000_000;

/// What was heard of a constituent.
#[derive(Clone, Copy, Debug)]
struct Heard {
    price: i128,
    at: u64,
}

/// The constituents and what they came to.
#[derive(Debug)]
pub(super) struct Indices {
    weights: Vec<i128>,
    /// Weights to come, and when.
    announced: Option<(u64, Vec<i128>)>,
    heard: Vec<Option<Heard>>,
    /// None while no constituent is fresh.
    pub price: Option<Price>,
    /// The minute in which they were looked at last.
    pub minute: Option<u64>,
    pub is_stale: bool,
    /// In marking by the last trade: there was one.
    pub has_traded: bool,
}

impl Default for Indices {
    fn default() -> Indices {
        Indices {
            weights: vec![1; 3],
            announced: None,
            heard: vec![None; 3],
            price: None,
            minute: None,
            is_stale: false,
            has_traded: false,
        }
    }
}

impl Twin {
    fn admit_index(&self, instrument: u16) -> Result<(), Refusal> {
        self.admit_symbol(instrument)?;
        require(!self.marks_come_from_outside(), Reject::InvalidCommand)
    }

    pub(super) fn hear_index(&mut self, instrument: u16, index: Index) -> Result<(), Refusal> {
        self.admit_index(instrument)?;
        let at = index.constituent as usize;
        require(at < self.index.weights.len(), Reject::InvalidCommand)?;
        require(index.price >= self.market.spec.tick_size, Reject::InvalidPrice)?;
        require(index.price <= self.market.spec.max_price, Reject::PriceAboveLimitUp)?;
        self.index.heard[at] = Some(Heard { price: i128::from(index.price.0), at: self.now.ts });
        self.look_at_index();
        Ok(())
    }

    pub(super) fn announce_weights(&mut self, instrument: u16, set: &SetWeights) -> Result<(), Refusal> {
        self.admit_index(instrument)?;
        let count = usize::from(set.count);
        require(count > 0 && count <= set.weights.len(), Reject::InvalidCommand)?;
        let weights: Vec<i128> = set.weights[..count].iter().map(|weight| i128::from(*weight)).collect();
        require(weights.iter().sum::<i128>() > 0, Reject::InvalidCommand)?;
        require(set.weights[count..].iter().all(|weight| *weight == 0), Reject::InvalidCommand)?;
        self.index.announced = Some((set.effective_ts, weights));
        self.look_at_index();
        Ok(())
    }

    pub(super) fn forget_index(&mut self, instrument: u16) -> Result<(), Refusal> {
        self.admit_index(instrument)?;
        self.index.heard.fill(None);
        self.look_at_index();
        Ok(())
    }

    /// The first command of a minute looks at them.
    pub(super) fn reach_minute(&mut self) {
        let minute = self.now.ts / MINUTE;
        if !self.marks_come_from_outside() && self.index.minute.is_none_or(|last| last < minute) {
            self.index.minute = Some(minute);
            self.look_at_index();
        }
    }

    fn look_at_index(&mut self) {
        let now = self.now.ts;
        if let Some((effective, weights)) = self.index.announced.clone()
            && effective <= now
        {
            self.index.heard.resize(weights.len(), None);
            self.index.weights = weights;
            self.index.announced = None;
        }
        match self.index_of_the_fresh() {
            None => self.lose_index(),
            Some(price) => self.move_index(price),
        }
    }

    /// Fresh constituents with a weight, those that deviate left out, weighted. (Rule INDEX-1)
    fn index_of_the_fresh(&self) -> Option<Price> {
        let oldest = self.market.spec.stale_after_ns;
        let mut fresh: Vec<(i128, i128)> = Vec::new();
        for (heard, weight) in self.index.heard.iter().zip(&self.index.weights) {
            if let Some(heard) = heard
                && self.now.ts - heard.at <= oldest
                && *weight > 0
            {
                fresh.push((heard.price, *weight));
            }
        }
        fresh.sort_unstable();
        let middle = fresh.len().checked_sub(1)? / 2;
        let twice_median = fresh[middle].0 + fresh[fresh.len() / 2].0;
        let may_deviate = i128::from(self.market.spec.max_deviation.0);
        fresh.retain(|(price, _)| (2 * price - twice_median).abs() * ONE <= twice_median * may_deviate);
        let weights: i128 = fresh.iter().map(|(_, weight)| weight).sum();
        if weights == 0 {
            return None;
        }
        let sum: i128 = fresh.iter().map(|(price, weight)| price * weight).sum();
        Some(Price(u64::try_from(round_half_away(sum, weights)).expect("an index lies among its prices")))
    }

    /// The mark stands still; one that waits is forgotten. Not where trades mark. (Rules MARK-2, MARK-3)
    fn lose_index(&mut self) {
        if self.index.price.take().is_some() {
            if self.market.spec.marking != Marking::Last {
                self.index.is_stale = true;
                self.waiting_mark = None;
            }
            let mark = self.market.mark.expect("an index gives a mark");
            self.say(None, Fact::IndexMark(IndexMark { index: Price::NONE, mark }));
        }
    }

    fn move_index(&mut self, price: Price) {
        let was = self.index.price.replace(price);
        let mark = self.mark_at(price);
        if was == Some(price) && Some(mark) == self.newest_mark() {
            return;
        }
        let is_free = self.nothing_waits();
        self.index.is_stale = false;
        if is_free {
            // What was put off is looked at again.
            self.lots.iter_mut().for_each(|lot| lot.is_listed = false);
            self.take_mark(mark);
        } else {
            self.waiting_mark = Some(mark);
        }
    }

    /// index·(1 + rate·minutes left/minutes of the interval); off the price scale the mark in force. (Rule MARK-1)
    fn mark_at(&self, index: Price) -> Price {
        if let Some(mark) = self.newest_mark()
            && self.index.has_traded
        {
            return mark;
        }
        let mut mark = i128::from(index.0);
        if self.market.spec.marking == Marking::Fair {
            let minutes = i128::from(self.market.spec.funding_interval_ns / MINUTE);
            let next = self.next_instant.unwrap_or(u64::MAX) / MINUTE;
            let left = i128::from(next.saturating_sub(self.now.ts / MINUTE));
            mark = round_half_away(mark * (ONE * minutes + self.rate * left), ONE * minutes);
        }
        let scale = i128::from(self.market.spec.tick_size.0)..=i128::from(self.market.spec.max_price.0);
        match self.market.mark {
            Some(in_force) if !scale.contains(&mark) => in_force,
            _ => Price(u64::try_from(mark).expect("LIMIT-1: a mark is on the price scale")),
        }
    }

    /// The index, for `IndexMark`; none in external marking.
    pub(super) fn index_price(&self) -> Price {
        self.index.price.unwrap_or(Price::NONE)
    }

    /// Without a fresh index an order passes only if it closes no more, with the others of its side, than there is.
    /// (Rule MARK-3)
    pub(super) fn admit_while_stale(
        &self,
        account: u32,
        side: Side,
        is_reduce_only: bool,
        qty: i128,
    ) -> Result<(), Refusal> {
        let reducible = self.accounts[account as usize].reducible(side);
        let is_reducing = reducible > 0 && (is_reduce_only || qty <= reducible);
        require(!self.index.is_stale || is_reducing, Reject::MarketNotOpen)
    }

    /// Money and terms stay as they are without a fresh index. (Rule MARK-3)
    pub(super) fn admit_fresh(&self) -> Result<(), Refusal> {
        require(!self.index.is_stale, Reject::MarketNotOpen)
    }
}
