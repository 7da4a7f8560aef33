//! The mark price: one fact, and whoever it passed becomes due.
//!
//! A change with nothing due costs the same with a thousand accounts and with a million: accounts and lots
//! lie on ladders at the tick where they fall due, and a mark drains exactly those it reached.

use contract::event::IndexMark;
use contract::liquidation::{bearable, lot_is_passed};
use contract::{Command, Marking, Price, Reject, Tick};

use crate::account::WAITS_FOR_LOT;
use crate::engine::{Engine, Refusal};
use crate::outbox::Outbox;

impl Engine {
    /// The command `Mark`: acts in external marking, waits while the agenda holds anything. (Rule MARK-2)
    pub(crate) fn take_mark(&mut self, command: &Command, mark: Price, out: &mut impl Outbox) -> Result<(), Refusal> {
        Engine::check_symbol(command)?;
        if self.market.spec.marking != Marking::External {
            return Err((Reject::InvalidCommand, 0));
        }
        if mark < self.market.spec.tick_size {
            return Err((Reject::InvalidPrice, 0));
        }
        if mark > self.market.spec.max_price {
            return Err((Reject::PriceAboveLimitUp, 0));
        }
        if self.agenda.is_idle() {
            self.set_mark(mark, out);
        } else {
            self.waiting_mark = mark;
        }
        Ok(())
    }

    /// Marking by the last trade: a taker's last one is the mark to come; none at tick 0, where it met nothing but lots.
    /// It takes effect behind the command, or waits as any newer mark. (Rule MARK-2)
    #[cold]
    #[inline(never)]
    pub(crate) fn mark_by_trade(&mut self, tick: Tick) {
        if tick == Tick(0) {
            return;
        }
        self.market.has_traded = true;
        let price = self.market.spec.tick_price(tick);
        if price != self.newest_mark() {
            self.waiting_mark = price;
            self.agenda.has_news = true;
        }
    }

    /// The mark that waits, else the one in force.
    pub(crate) fn newest_mark(&self) -> Price {
        if self.waiting_mark == Price::NONE { self.market.mark } else { self.waiting_mark }
    }

    /// The mark takes effect. (Rules LIQ-4, LIQ-7, LIQ-8)
    pub(crate) fn set_mark(&mut self, mark: Price, out: &mut impl Outbox) {
        self.market.set_mark(mark);
        self.agenda.rankings.forget();
        self.say.fact(None, IndexMark { index: self.index.price, mark }, out);
        if !self.is_halted() {
            self.look_at_keys();
        }
    }

    /// Looks at whoever the mark has reached. (Rules LIQ-4, LIQ-7)
    pub(crate) fn look_at_keys(&mut self) {
        let mark = self.market.mark;
        // A long is reached where its key's price is at the mark or above, a short at the mark or below.
        let tick = self.market.spec.tick_size.0;
        let (lowest_long, highest_short) = (mark.0.div_ceil(tick), mark.0 / tick);
        while let Some(at) = self.long_keys.highest().filter(|at| u64::from(at.0) >= lowest_long) {
            self.take_reached(true, at);
        }
        while let Some(at) = self.short_keys.lowest().filter(|at| u64::from(at.0) <= highest_short) {
            self.take_reached(false, at);
        }
        let mut i = 0;
        while i < self.reached.len() {
            self.look_at(self.reached[i]);
            i += 1;
        }
        self.reached.clear();
    }

    /// Takes all keys at a tick off the ladder.
    fn take_reached(&mut self, is_long: bool, at: Tick) {
        while let Some(key) = self.keys(is_long).front(at) {
            self.keys(is_long).unlink(at, key);
            self.reached.push(key);
        }
    }

    /// Computes a reached account or lot exactly: due, or keyed anew.
    fn look_at(&mut self, key: u32) {
        let accounts = self.genesis.capacity.accounts;
        if let Some(slot) = key.checked_sub(accounts) {
            let lot = self.lots[slot as usize];
            self.key_lot(slot);
            if lot_is_passed(&self.market.spec, lot.is_long, lot.unit_value, self.market.mark) {
                self.list_lot(slot);
            }
            return;
        }
        let account = &mut self.accounts[key as usize];
        account.flags &= !WAITS_FOR_LOT;
        account.key_tick = 0;
        let w = bearable(&account.terms, &account.position, account.equity());
        if self.market.line.is_safe(&self.market.spec, &account.position, w.until_liquidation) {
            self.move_key(key);
        } else {
            self.make_due(key, w);
        }
    }
}
