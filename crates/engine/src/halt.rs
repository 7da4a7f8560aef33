//! The market's state: open, post-only, cancel-only, closed. (Rule HALT-1)
//!
//! Cancel-only and closed are a *halt*: nobody is taken over, swept or deleveraged, and no money leaves. What was
//! under way stays as it is; but whom a mark has made due before is found. Marks take effect unless something is under
//! way, but nobody is looked at; on reopening every key that the mark has passed by then is.

use contract::command::SetState;
use contract::event::State;
use contract::{Command, MarketState, Reject, Side, Tick, TimeInForce};

use crate::admit::refuse_if;
use crate::engine::{Engine, Refusal};
use crate::outbox::Outbox;

impl Engine {
    /// The state of the market. (Rule HALT-1)
    #[must_use]
    pub fn market_state(&self) -> MarketState {
        self.state
    }

    /// Are takeovers suspended?
    #[inline(always)]
    pub(crate) fn is_halted(&self) -> bool {
        self.state as u8 >= MarketState::CancelOnly as u8
    }

    /// The command `SetState`. After an audit's fault there is no way back to trading: the engine's numbers cannot
    /// be trusted any more.
    pub(crate) fn set_state(
        &mut self,
        command: &Command,
        body: &SetState,
        out: &mut impl Outbox,
    ) -> Result<(), Refusal> {
        Engine::check_symbol(command)?;
        let state = body.state.get().ok_or((Reject::InvalidCommand, 0))?;
        let is_halt = state as u8 >= MarketState::CancelOnly as u8;
        refuse_if(self.fault().is_some() && !is_halt, Reject::InvalidCommand)?;
        let reopens = self.is_halted() && !is_halt;
        self.enter(state, out);
        if reopens {
            self.open_remargin(out);
            self.unlist_due();
        }
        Ok(())
    }

    /// Says and takes a state.
    pub(crate) fn enter(&mut self, state: MarketState, out: &mut impl Outbox) {
        self.state = state;
        self.say.fact(None, State { state: state.into() }, out);
    }

    /// May an order come in? In post-only only one that takes nothing.
    pub(crate) fn check_open(&self, side: Side, limit: Tick, tif: TimeInForce, is_market: bool) -> Result<(), Refusal> {
        let is_open = match self.state {
            MarketState::Open => true,
            MarketState::PostOnly => {
                !is_market && tif == TimeInForce::GoodTillCancel && !self.book.crosses(side, limit)
            }
            _ => false,
        };
        refuse_if(!is_open, Reject::MarketNotOpen)
    }

    /// May margin, terms or money be changed by a trader? Not in a halt: what was won by a breach stays.
    pub(crate) fn check_not_halted(&self) -> Result<(), Refusal> {
        refuse_if(self.is_halted(), Reject::MarketNotOpen)
    }

    /// May orders be cancelled?
    #[inline(always)]
    pub(crate) fn check_not_closed(&self) -> Result<(), Refusal> {
        refuse_if(self.state == MarketState::Closed, Reject::MarketNotOpen)
    }
}
