//! The index and the mark that follows from it, by command and by the stamps of commands only.
//!
//! In    `Index`, `SetWeights`, `Epoch`; the first command of a minute.
//! Out   `IndexMark`, where one of the two changes.
//! Laws  INDEX-1  stale and deviating constituents are left out.
//!       MARK-3   without a fresh constituent the mark stands still, nothing new is liquidated, and nothing that may
//!                raise a risk passes.

use contract::command::{Index as Quoted, MAX_CONSTITUENTS, SetWeights};
use contract::event::IndexMark;
use contract::index::index_price;
use contract::mark::{MINUTE_NS, fair_price, minutes_left};
use contract::{Command, Marking, Price, Reject};

use crate::account::Account;
use crate::admit::{Ticket, refuse_if};
use crate::engine::{Engine, Refusal};
use crate::outbox::Outbox;

/// Weights that are in force, or announced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Weights {
    pub(crate) count: u8,
    pub(crate) each: [u32; MAX_CONSTITUENTS],
}

/// The constituents, and what they came to.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    pub(crate) weights: Weights,
    /// Weights to come, and when, ns.
    pub(crate) announced: Option<(u64, Weights)>,
    /// Their last prices; none where nothing was heard.
    pub(crate) prices: [Price; MAX_CONSTITUENTS],
    /// When they came, ns.
    pub(crate) stamps: [u64; MAX_CONSTITUENTS],
    /// The index; none while no constituent is fresh.
    pub(crate) price: Price,
    /// The minute at which it is looked at again, ns; never in external marking.
    pub(crate) next_look: u64,
}

impl Index {
    /// Nothing heard; three equal thirds.
    pub(crate) fn new(marking: Marking) -> Index {
        let mut each = [0; MAX_CONSTITUENTS];
        each[..3].fill(1);
        Index {
            weights: Weights { count: 3, each },
            announced: None,
            prices: [Price::NONE; MAX_CONSTITUENTS],
            stamps: [0; MAX_CONSTITUENTS],
            price: Price::NONE,
            next_look: if marking == Marking::External { u64::MAX } else { 0 },
        }
    }
}

impl Engine {
    /// Does the mark stand still because no constituent is fresh? (Rule MARK-3)
    #[inline(always)]
    pub(crate) fn is_stale(&self) -> bool {
        self.market.is_stale
    }

    /// May no index be moved by this command?
    fn check_index(&self, command: &Command) -> Result<(), Refusal> {
        Engine::check_symbol(command)?;
        refuse_if(self.market.spec.marking == Marking::External, Reject::InvalidCommand)
    }

    /// A constituent's price. (Rules INDEX-1, LIMIT-1)
    pub(crate) fn take_index(
        &mut self,
        command: &Command,
        quoted: &Quoted,
        out: &mut impl Outbox,
    ) -> Result<(), Refusal> {
        self.check_index(command)?;
        let at = quoted.constituent as usize;
        refuse_if(at >= usize::from(self.index.weights.count), Reject::InvalidCommand)?;
        refuse_if(quoted.price < self.market.spec.tick_size, Reject::InvalidPrice)?;
        refuse_if(quoted.price > self.market.spec.max_price, Reject::PriceAboveLimitUp)?;
        self.index.prices[at] = quoted.price;
        self.index.stamps[at] = self.say.ts();
        self.look_at_index(out);
        Ok(())
    }

    /// Weights to come; what was announced before is forgotten. (Rule INDEX-1)
    pub(crate) fn set_weights(
        &mut self,
        command: &Command,
        set: &SetWeights,
        out: &mut impl Outbox,
    ) -> Result<(), Refusal> {
        self.check_index(command)?;
        let count = usize::from(set.count);
        let has_room = (1..=MAX_CONSTITUENTS).contains(&count);
        let (used, beyond) = set.weights.split_at(count.min(MAX_CONSTITUENTS));
        let is_good = has_room && used.iter().any(|weight| *weight != 0) && beyond.iter().all(|weight| *weight == 0);
        refuse_if(!is_good, Reject::InvalidCommand)?;
        self.index.announced = Some((set.effective_ts, Weights { count: set.count, each: set.weights }));
        self.look_at_index(out);
        Ok(())
    }

    /// A restart: what was heard before it is stale. (Rule MARK-3)
    pub(crate) fn take_epoch(&mut self, command: &Command, out: &mut impl Outbox) -> Result<(), Refusal> {
        self.check_index(command)?;
        self.index.prices = [Price::NONE; MAX_CONSTITUENTS];
        self.index.stamps = [0; MAX_CONSTITUENTS];
        self.look_at_index(out);
        Ok(())
    }

    /// The first command of a minute: constituents may have become stale, weights may have come. (Rule TIME-1)
    pub(crate) fn pass_minute(&mut self, out: &mut impl Outbox) {
        if !self.is_new_minute() {
            return;
        }
        self.index.next_look = (self.say.ts() / MINUTE_NS + 1).saturating_mul(MINUTE_NS);
        self.plan_due();
        self.look_at_index(out);
    }

    /// Is the index not looked at yet in this minute?
    pub(crate) fn is_new_minute(&self) -> bool {
        self.say.ts() >= self.index.next_look && self.index.next_look != u64::MAX
    }

    /// The index as of now, and the mark. (Rules INDEX-1, MARK-1, MARK-3)
    fn look_at_index(&mut self, out: &mut impl Outbox) {
        let ts = self.say.ts();
        if let Some((_, weights)) = self.index.announced.filter(|(effective, _)| *effective <= ts) {
            self.index.weights = weights;
            self.index.announced = None;
            // Whoever is no constituent any more is not heard of.
            self.index.prices[usize::from(weights.count)..].fill(Price::NONE);
            self.index.stamps[usize::from(weights.count)..].fill(0);
        }
        let index = &self.index;
        let mut fresh = [(Price::NONE, 0); MAX_CONSTITUENTS];
        let mut n = 0;
        for ((price, stamp), weight) in index.prices.iter().zip(index.stamps).zip(index.weights.each) {
            if *price != Price::NONE && ts - stamp <= self.market.spec.stale_after_ns {
                fresh[n] = (*price, weight);
                n += 1;
            }
        }
        match index_price(&fresh[..n], self.market.spec.max_deviation) {
            None => self.lose_index(out),
            Some(price) => self.move_index(price, out),
        }
    }

    /// No constituent is fresh: the mark stands still, one that waits is forgotten; unless it comes from trades.
    /// (Rules MARK-2, MARK-3)
    fn lose_index(&mut self, out: &mut impl Outbox) {
        if self.index.price == Price::NONE {
            return;
        }
        self.index.price = Price::NONE;
        if self.market.spec.marking != Marking::Last {
            self.market.is_stale = true;
            self.waiting_mark = Price::NONE;
        }
        self.say.fact(None, IndexMark { index: Price::NONE, mark: self.market.mark }, out);
    }

    fn move_index(&mut self, price: Price, out: &mut impl Outbox) {
        let was = core::mem::replace(&mut self.index.price, price);
        let mark = self.mark_of(price);
        if was == price && mark == self.newest_mark() {
            return;
        }
        // What is only put off does not hold the mark: it is looked at again at the new one.
        let is_put_off = self.market.is_stale && self.agenda.has_nothing_but_put_off();
        let is_free = self.agenda.is_idle() || is_put_off;
        self.market.is_stale = false;
        if is_free {
            if is_put_off {
                self.unlist_all();
            }
            self.set_mark(mark, out);
            self.agenda.has_news |= !self.agenda.is_idle();
        } else {
            self.waiting_mark = mark;
        }
    }

    /// The mark at an index; the one in force where it would lie outside the price scale, the last trade's where that
    /// is what marks. (Rules MARK-1, MARK-2, LIMIT-1)
    fn mark_of(&self, index: Price) -> Price {
        let spec = &self.market.spec;
        let mark = match spec.marking {
            Marking::Fair => {
                let left = minutes_left(self.say.ts(), self.funding.next_instant);
                fair_price(index, self.market.rate, left, spec.funding_interval_ns / MINUTE_NS)
            }
            Marking::Last if self.market.has_traded => self.newest_mark(),
            _ => index,
        };
        if (spec.tick_size..=spec.max_price).contains(&mark) { mark } else { self.market.mark }
    }

    /// In a market without a fresh index only what cannot raise a risk passes: with all the side's open orders it
    /// closes no more than there is. (Rule MARK-3)
    pub(crate) fn check_stale(&self, account: &Account, ticket: &Ticket, others: u64) -> Result<(), Refusal> {
        if !self.is_stale() {
            return Ok(());
        }
        let reducible = account.reducible(ticket.side);
        let asked = if ticket.is(crate::book::REDUCE_ONLY) { 0 } else { others.saturating_add(ticket.qty) };
        refuse_if(reducible == 0 || asked > reducible, Reject::MarketNotOpen)
    }

    /// Money and terms do not change while nobody knows the price. (Rule MARK-3)
    pub(crate) fn check_fresh(&self) -> Result<(), Refusal> {
        refuse_if(self.is_stale(), Reject::MarketNotOpen)
    }
}
