//! The premium of each minute and the rate of an interval, where rates do not come from outside.
//! (Rules FUND-1, FUND-2, TIME-1)

use contract::codes::{Marking, Side};
use contract::units::Price;

use super::Twin;
use super::index::MINUTE;
use super::market::ONE;
use super::money::{floor, round_half_away, trunc};

/// Best prices of a side that an impact price may need.
const MOST_LEVELS: usize = 1_024;
/// 0.05 %.
const DAMPER: i128 = 50_000;

/// Minutes of the interval that have the same premium.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    premium: i128,
    minutes: i128,
}

impl Twin {
    /// The minutes that the stamp has passed since the index was looked at last. Where an instant comes now, those
    /// behind it are given back: they belong to the next interval.
    pub(super) fn sample_minutes(&mut self) -> Option<Sample> {
        let minute = self.now.ts / MINUTE;
        let looked = self.index.minute?;
        if looked >= minute || self.market.mark.is_none() {
            return None;
        }
        let indicative = self.indicative();
        if let Some(premium) = self.premium_at(looked) {
            self.premium = premium;
        }
        let mut behind = 0;
        if self.instant_comes() {
            let mut last = self.next_instant;
            while let Some(next) = self.instant_after(last.unwrap_or(0)).filter(|next| *next <= self.now.ts) {
                last = Some(next);
            }
            let first_minute_behind = last.map_or(minute, |last| last / MINUTE).max(looked);
            behind = minute - first_minute_behind;
        }
        let sample = |minutes: u64| Sample { premium: self.premium, minutes: i128::from(minutes) };
        let (before, behind) = (sample(minute - looked - behind), sample(behind));
        self.samples.push(before);
        if !self.instant_comes() && self.indicative() != indicative {
            self.say_rate();
        }
        Some(behind)
    }

    /// P, as things stand; none where it cannot be said. (Rule FUND-1)
    fn premium_at(&self, looked: u64) -> Option<i128> {
        let index = i128::from(self.index.price?.0);
        let (bid, ask) = (self.impact_price(Side::Buy)?, self.impact_price(Side::Sell)?);
        // In 0.0001 USD, as impact prices are.
        let (fine_index, fine_mark) = (100 * index, 100 * self.market.mark());
        let may_gape = i128::from(self.market.spec.maintenance_margin.0);
        if (ask - bid) * ONE > fine_index * may_gape {
            return None;
        }
        let gap = (bid - fine_mark).max(0) - (fine_mark - ask).max(0);
        let premium = if self.market.spec.marking == Marking::Fair {
            let interval = i128::from(self.market.spec.funding_interval_ns / MINUTE);
            let left = (self.next_instant.unwrap_or(u64::MAX) / MINUTE).saturating_sub(looked);
            // gap/index + rate·left/interval
            round_half_away(gap * ONE * interval + self.rate * i128::from(left) * fine_index, fine_index * interval)
        } else {
            round_half_away((gap + fine_mark - fine_index) * ONE, fine_index)
        };
        Some(premium.clamp(-ONE, ONE))
    }

    /// Average price of 0.1 XBT / initial margin, in 0.0001 USD; none where the best prices have less.
    pub(super) fn impact_price(&self, side: Side) -> Option<i128> {
        let wanted = floor(10_000_000 * ONE, i128::from(self.market.spec.initial_margin.0));
        let mut levels: Vec<(u32, i128)> = Vec::new();
        for order in self.side_by_priority(side) {
            match levels.last_mut() {
                Some((tick, qty)) if *tick == order.tick => *qty += order.leaves,
                _ => levels.push((order.tick, order.leaves)),
            }
        }
        levels.truncate(MOST_LEVELS);
        let (mut left, mut sum) = (wanted, 0);
        for (tick, qty) in levels {
            let taken = left.min(self.market.units(qty) * self.market.unit_value(tick));
            left -= taken;
            sum += self.market.price_of(tick) * taken;
        }
        (left == 0).then(|| round_half_away(100 * sum, wanted))
    }

    /// What the interval comes to so far; the rate in force, where rates come from outside. (Rules FUND-1, FUND-2)
    pub(super) fn indicative(&self) -> i128 {
        if self.marks_come_from_outside() {
            return self.rate;
        }
        let spec = &self.market.spec;
        let minutes: i128 = self.samples.iter().map(|sample| sample.minutes).sum();
        let sum: i128 = self.samples.iter().map(|sample| sample.premium * sample.minutes).sum();
        let premium = if minutes == 0 { self.premium } else { round_half_away(sum, minutes) };
        let interest = round_half_away(i128::from(spec.interest_quote.0) - i128::from(spec.interest_base.0), 3);
        let mut rate = premium + (interest - premium).clamp(-DAMPER, DAMPER);
        let (initial, maintenance) = (i128::from(spec.initial_margin.0), i128::from(spec.maintenance_margin.0));
        let most = trunc(3 * (initial - maintenance), 4);
        rate = rate.clamp(-most, most);
        let most_change = trunc(3 * maintenance, 4);
        rate = rate.clamp(self.rate - most_change, self.rate + most_change);
        round_half_away(rate, 100) * 100
    }

    /// Marking by the last trade: the mark to come. (Rule MARK-2)
    pub(super) fn mark_by_trade(&mut self, tick: u32) {
        if self.market.spec.marking != Marking::Last {
            return;
        }
        self.index.has_traded = true;
        let price = self.market.spec.tick_size.0 * u64::from(tick);
        if self.newest_mark().is_none_or(|mark| mark.0 != price) {
            self.waiting_mark = Some(Price(price));
        }
    }

    /// The mark that waits, else the one in force.
    pub(super) fn newest_mark(&self) -> Option<Price> {
        self.waiting_mark.or(self.market.mark)
    }
}
