//! The market's state, and what it forbids. (Rule HALT-1)

use contract::codes::{MarketState, Side};
use contract::event::{Fact, State};
use contract::reject::Reject;
use contract::words::Code;

use super::Twin;
use super::admit::{Refusal, require};
use super::book::is_within;
use super::market::opposite;

impl Twin {
    /// Cancel-only or closed: nobody is taken over.
    pub(super) fn is_halted(&self) -> bool {
        matches!(self.state, MarketState::CancelOnly | MarketState::Closed)
    }

    /// On reopening everybody is looked at again.
    pub(super) fn set_state(&mut self, instrument: u16, state: Code<MarketState>) -> Result<(), Refusal> {
        self.admit_symbol(instrument)?;
        let state = state.get().ok_or(Refusal::from(Reject::InvalidCommand))?;
        let was_halted = self.is_halted();
        self.state = state;
        self.say(None, Fact::State(State { state: state.into() }));
        if was_halted && !self.is_halted() {
            self.look_at_everybody();
        }
        Ok(())
    }

    /// Every trader, and every lot that rests. Who is due and was not before, and each lot that is listed and was not,
    /// is to be found. (Law 4)
    pub(super) fn look_at_everybody(&mut self) {
        if self.is_halted() || self.market.mark.is_none() {
            return;
        }
        let before = self.due_and_listed();
        for account in 4..self.accounts.len() as u32 {
            self.look_for_liquidation(account);
        }
        self.list_passed_lots();
        self.to_be_found += self.due_and_listed() - before;
    }

    fn due_and_listed(&self) -> u64 {
        let due = self.accounts.iter().filter(|it| it.due.is_some()).count();
        let listed = self.lots.iter().filter(|lot| lot.is_listed).count();
        (due + listed) as u64
    }

    /// May an order come in? In post-only one that rests and would take nothing; `None` is one that cannot rest.
    pub(super) fn admit_state(&self, side: Side, limit: Option<u32>) -> Result<(), Refusal> {
        let takes = |limit| self.best(opposite(side)).is_some_and(|order| is_within(side, order.tick, limit));
        let is_open = match self.state {
            MarketState::Open => true,
            MarketState::PostOnly => limit.is_some_and(|limit| !takes(limit)),
            _ => false,
        };
        require(is_open, Reject::MarketNotOpen)
    }

    pub(super) fn admit_no_halt(&self) -> Result<(), Refusal> {
        require(!self.is_halted(), Reject::MarketNotOpen)
    }

    pub(super) fn admit_not_closed(&self) -> Result<(), Refusal> {
        require(self.state != MarketState::Closed, Reject::MarketNotOpen)
    }
}
