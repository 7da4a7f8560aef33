//! The engine: a pure state machine, commands in, facts out.
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic, clippy::float_cmp)]

extern crate alloc;

pub mod outbox;

pub use outbox::{Discard, Outbox};

use contract::event::{Position, Wallet};
use contract::spec::SpecError;
use contract::{AccountId, Capacity, Command, ContractSpec, Genesis, OrderId, Price, Qty, Side, Tick};

/// The engine.
pub struct Engine {
    genesis: Genesis,
    seq: u64,
}

/// A live order as it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrderView {
    /// Its identity.
    pub id: OrderId,
    /// Its account.
    pub account: AccountId,
    /// Buy or sell.
    pub side: Side,
    /// Its limit.
    pub price: Tick,
    /// Open quantity.
    pub leaves: Qty,
    /// Executed quantity.
    pub cum: Qty,
    /// The client's name for it.
    pub cl_ord_id: contract::ClOrdId,
    /// May it only reduce?
    pub is_reduce_only: bool,
}

impl Engine {
    /// A new engine.
    ///
    /// # Errors
    /// The field that cannot be traded.
    pub fn new(genesis: &Genesis) -> Result<Engine, SpecError> {
        genesis.spec.validate()?;
        genesis.capacity.validate()?;
        Ok(Engine { genesis: *genesis, seq: 0 })
    }

    /// Applies one command.
    pub fn apply(&mut self, command: &Command, _out: &mut impl Outbox) {
        self.seq = command.seq();
    }

    /// The contract.
    #[must_use]
    pub fn spec(&self) -> &ContractSpec {
        &self.genesis.spec
    }

    /// The limits.
    #[must_use]
    pub fn capacity(&self) -> Capacity {
        self.genesis.capacity
    }

    /// Sequence number of the last command.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Running hash over commands and events.
    #[must_use]
    pub fn chain(&self) -> u64 {
        0
    }

    /// Canonical hash of the whole state.
    #[must_use]
    pub fn digest(&self) -> u64 {
        0
    }

    /// The mark price in force.
    #[must_use]
    pub fn mark(&self) -> Option<Price> {
        None
    }

    /// How many accounts are open, the house's four included.
    #[must_use]
    pub fn accounts(&self) -> u32 {
        4
    }

    /// Balance and orders of an account, as its next `Wallet` event would say.
    #[must_use]
    pub fn wallet(&self, _account: AccountId) -> Option<Wallet> {
        None
    }

    /// Position of an account, as its next `Position` event would say.
    #[must_use]
    pub fn position(&self, _account: AccountId) -> Option<Position> {
        None
    }

    /// The order with that identity.
    #[must_use]
    pub fn order(&self, _id: OrderId) -> Option<OrderView> {
        None
    }

    /// Best price of a side of the book (`Buy`: the bids).
    #[must_use]
    pub fn best(&self, _side: Side) -> Option<Tick> {
        None
    }

    /// Open quantity resting at a tick.
    #[must_use]
    pub fn level_qty(&self, _tick: Tick) -> Qty {
        Qty(0)
    }

    /// The orders of one side in priority: best price first, oldest first.
    pub fn for_each_order(&self, _side: Side, _f: impl FnMut(OrderView)) {}

    /// Is no work waiting?
    #[must_use]
    pub fn agenda_is_empty(&self) -> bool {
        true
    }

    /// The SUM laws over the whole state. (Rules SUM-1 to SUM-7)
    ///
    /// # Errors
    /// The law that does not hold, in words with its numbers.
    pub fn check_sums(&self) -> Result<(), alloc::string::String> {
        Ok(())
    }
}
