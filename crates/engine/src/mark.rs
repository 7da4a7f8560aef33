//! The mark price: one fact, and whoever it passed becomes due.
//!
//! A change with nothing due costs the same with a thousand accounts and with a million: whom it has reached is found by
//! `remargin`, one by one.

use contract::event::IndexMark;
use contract::{Command, Marking, Price, Reject, Tick};

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
            self.open_remargin(out);
        }
    }
}
