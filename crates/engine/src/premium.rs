//! The premium of each minute, and the funding rate that an interval of them comes to.
//!
//! In    the stamps of commands: the first command of a minute finds book, index and mark as the one before left them.
//! Out   `FundingRate`, where the indicative rate changes.
//! Laws  4  two walks a minute, of at most `LEVELS` prices each; however many minutes a stamp passes, they have one
//!          premium: nothing has changed in them.
//! Not in external marking, where `FundingRate` says the rate. (Rules FUND-1, FUND-2, TIME-1)

use contract::funding::{interest, rate};
use contract::mark::{MINUTE_NS, minutes_left};
use contract::premium::{Basis, Impact, average_round_half_away, is_too_wide, premium_round_half_away};
use contract::{Marking, Price, Rate, Side};

use crate::engine::Engine;
use crate::outbox::Outbox;

/// Prices of a side that are looked at for an impact price. A side that does not have it there counts as without.
const LEVELS: u32 = 1_024;

/// The premium, as far as the interval has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Premium {
    /// The last one found, nothing before the first.
    pub(crate) last: Rate,
    /// Σ premium of the minutes of the interval.
    pub(crate) sum: i64,
    /// How many they are.
    pub(crate) minutes: u64,
}

impl Premium {
    /// Nothing found, no minutes.
    pub(crate) const NONE: Premium = Premium { last: Rate::ZERO, sum: 0, minutes: 0 };

    /// The last premium counts for more minutes. It is at most 1, and time has fewer than 2^29 minutes: no sum
    /// passes 2^56.
    fn count(&mut self, minutes: u64) {
        self.sum += self.last.0 * minutes as i64;
        self.minutes += minutes;
    }

    /// The average so far; of no minutes the last one.
    fn average(&self) -> Rate {
        if self.minutes == 0 { self.last } else { average_round_half_away(self.sum, self.minutes) }
    }
}

impl Engine {
    /// What is due by itself at the command's stamp: the minutes it has passed, then an instant, then the index.
    /// (Rule TIME-1)
    #[inline]
    pub(crate) fn pass_due(&mut self, out: &mut impl Outbox) {
        if self.say.ts() >= self.funding.due_ts {
            self.pass_what_is_due(out);
        }
    }

    #[cold]
    #[inline(never)]
    fn pass_what_is_due(&mut self, out: &mut impl Outbox) {
        let minutes = if self.is_new_minute() && self.market.mark != Price::NONE { self.minutes_passed() } else { 0 };
        if minutes == 0 {
            self.pass_time(out);
        } else {
            let indicative = self.indicative_rate();
            self.premium.last = self.premium_now().unwrap_or(self.premium.last);
            // Those behind the instant are the next interval's.
            let behind = if self.instant_comes() { self.minutes_behind().min(minutes) } else { 0 };
            self.premium.count(minutes - behind);
            if self.instant_comes() {
                self.pass_time(out);
            } else if indicative != self.indicative_rate() {
                self.tell_rate(out);
            }
            self.premium.count(behind);
        }
        self.pass_minute(out);
    }

    /// Minutes since the one in which the index was looked at last, this one included.
    fn minutes_passed(&self) -> u64 {
        (self.say.ts() - self.index.next_look) / MINUTE_NS + 1
    }

    /// Minutes since the last instant that the stamp has reached.
    fn minutes_behind(&self) -> u64 {
        (self.say.ts() - self.funding.next_instant) % self.market.spec.funding_interval_ns / MINUTE_NS
    }

    /// The premium as things stand; none where it cannot be said. (Rule FUND-1)
    fn premium_now(&self) -> Option<Rate> {
        let (spec, index, mark) = (&self.market.spec, self.index.price, self.market.mark);
        if index == Price::NONE {
            return None;
        }
        let (bid, ask) = (self.impact_price(Side::Buy)?, self.impact_price(Side::Sell)?);
        if is_too_wide(spec, bid, ask, index) {
            return None;
        }
        let basis = match spec.marking {
            // The mark in force is that of the minute in which the index was looked at last.
            Marking::Fair => Basis::OfRate {
                rate: self.market.rate,
                minutes_left: minutes_left(self.index.next_look.saturating_sub(MINUTE_NS), self.funding.next_instant),
                interval_minutes: spec.funding_interval_ns / MINUTE_NS,
            },
            _ => Basis::OfMark,
        };
        Some(premium_round_half_away(bid, ask, mark, index, basis))
    }

    /// The impact price of a side of the book in 0.0001 USD; none where its best prices do not have that much.
    /// (Rule FUND-1)
    #[must_use]
    pub fn impact_price(&self, side: Side) -> Option<u64> {
        let spec = &self.market.spec;
        let mut impact = Impact::new(spec);
        let mut level = self.book.best(side);
        for _ in 0..LEVELS {
            let tick = level?;
            if impact.take(spec, spec.tick_price(tick), self.book.total(tick)) {
                break;
            }
            level = self.book.worse(side, tick);
        }
        impact.price_round_half_away()
    }

    /// The rate that the interval under way comes to so far: in force from its end on. In external marking the one in
    /// force. (Rule FUND-2)
    #[must_use]
    pub fn indicative_rate(&self) -> Rate {
        let spec = &self.market.spec;
        if spec.marking == Marking::External {
            return self.market.rate;
        }
        rate(spec, self.premium.average(), interest(spec.interest_quote, spec.interest_base), self.market.rate)
    }

    /// The interval ends: its rate, and another one begins.
    pub(crate) fn end_interval(&mut self) -> Rate {
        let rate = self.indicative_rate();
        (self.premium.sum, self.premium.minutes) = (0, 0);
        rate
    }
}
