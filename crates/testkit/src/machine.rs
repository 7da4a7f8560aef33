//! Anything that takes commands and says events: the engine, or its twin.

use contract::codes::Side;
use contract::command::Command;
use contract::event::{Event, Position, Wallet};
use contract::spec::Genesis;
use contract::units::{AccountId, Price, Xbt};

use crate::twin::{OrderView, Twin};

/// A market that can be driven and looked at.
pub trait Machine: Sized {
    /// Its name in failure messages.
    const NAME: &'static str;
    /// A machine with nothing in it.
    ///
    /// # Errors
    /// Why this contract cannot be traded.
    fn open(genesis: &Genesis) -> Result<Self, String>;
    /// Gives rankings so many places only. (Rule ADL-1)
    fn limit_ranking(&mut self, places: usize);
    /// Lets so many liquidation keys lie before their price, where the machine has keys. (Rule LIQ-4)
    fn limit_early_keys(&mut self, most: u64);
    /// How many keys were made exact because another one became early, and how many accounts marks have reached; none
    /// where the machine has no keys.
    fn keys_moved(&self) -> Option<(u64, u64)>;
    /// Applies one command; gives what it says.
    fn apply(&mut self, command: &Command) -> Vec<Event>;
    /// Balance and orders of a trader.
    fn wallet(&self, account: AccountId) -> Option<Wallet>;
    /// Position of a trader.
    fn position(&self, account: AccountId) -> Option<Position>;
    /// What a trader may still use, where the machine can tell. (Rule MARGIN-7)
    fn available(&self, account: AccountId) -> Option<Xbt>;
    /// Does the account wait for its liquidation?
    fn is_due(&self, account: AccountId) -> bool;
    /// How many accounts are open, the house's four included.
    fn accounts(&self) -> u32;
    /// The mark price in force.
    fn mark(&self) -> Option<Price>;
    /// The orders of one side in priority.
    fn orders(&self, side: Side) -> Vec<OrderView>;
    /// Is no work waiting?
    fn agenda_is_empty(&self) -> bool;
    /// The SUM laws over the whole state.
    ///
    /// # Errors
    /// The law that does not hold.
    fn check_sums(&self) -> Result<(), String>;
}

impl Machine for Twin {
    const NAME: &'static str = "twin";
    fn open(genesis: &Genesis) -> Result<Self, String> {
        Twin::new(genesis)
    }
    fn limit_ranking(&mut self, places: usize) {
        Twin::limit_ranking(self, places);
    }
    fn limit_early_keys(&mut self, _most: u64) {}
    fn keys_moved(&self) -> Option<(u64, u64)> {
        None
    }
    fn apply(&mut self, command: &Command) -> Vec<Event> {
        Twin::apply(self, command)
    }
    fn wallet(&self, account: AccountId) -> Option<Wallet> {
        Twin::wallet(self, account)
    }
    fn position(&self, account: AccountId) -> Option<Position> {
        Twin::position(self, account)
    }
    fn available(&self, account: AccountId) -> Option<Xbt> {
        Twin::available(self, account)
    }
    fn is_due(&self, account: AccountId) -> bool {
        Twin::is_due(self, account)
    }
    fn accounts(&self) -> u32 {
        Twin::accounts(self)
    }
    fn mark(&self) -> Option<Price> {
        Twin::mark(self)
    }
    fn orders(&self, side: Side) -> Vec<OrderView> {
        self.live_orders(side)
    }
    fn agenda_is_empty(&self) -> bool {
        Twin::agenda_is_empty(self)
    }
    fn check_sums(&self) -> Result<(), String> {
        Twin::check_sums(self)
    }
}

impl Machine for engine::Engine {
    const NAME: &'static str = "engine";
    fn open(genesis: &Genesis) -> Result<Self, String> {
        engine::Engine::new(genesis).map_err(|error| error.to_string())
    }
    fn limit_ranking(&mut self, places: usize) {
        engine::Engine::limit_ranking(self, places);
    }
    fn limit_early_keys(&mut self, most: u64) {
        engine::Engine::limit_early_keys(self, most);
    }
    fn keys_moved(&self) -> Option<(u64, u64)> {
        Some((self.made_exact(), self.looks()))
    }
    fn apply(&mut self, command: &Command) -> Vec<Event> {
        let mut events: Vec<Event> = Vec::new();
        engine::Engine::apply(self, command, &mut events);
        events
    }
    fn wallet(&self, account: AccountId) -> Option<Wallet> {
        engine::Engine::wallet(self, account)
    }
    fn position(&self, account: AccountId) -> Option<Position> {
        engine::Engine::position(self, account)
    }
    fn available(&self, _account: AccountId) -> Option<Xbt> {
        None
    }
    fn is_due(&self, account: AccountId) -> bool {
        engine::Engine::is_due(self, account)
    }
    fn accounts(&self) -> u32 {
        engine::Engine::accounts(self)
    }
    fn mark(&self) -> Option<Price> {
        engine::Engine::mark(self)
    }
    fn orders(&self, side: Side) -> Vec<OrderView> {
        let mut orders = Vec::new();
        self.for_each_order(side, |order| {
            orders.push(OrderView {
                id: order.id,
                account: order.account,
                side: order.side,
                price: order.price,
                leaves: order.leaves,
                cum: order.cum,
                cl_ord_id: order.cl_ord_id,
                is_reduce_only: order.is_reduce_only,
            });
        });
        orders
    }
    fn agenda_is_empty(&self) -> bool {
        engine::Engine::agenda_is_empty(self)
    }
    fn check_sums(&self) -> Result<(), String> {
        engine::Engine::check_sums(self)
    }
}
