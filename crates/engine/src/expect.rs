//! Looking ahead: memory that the next commands will touch is asked for while this one is applied.
//!
//! Laws  1  a hint reads nothing and changes nothing: facts, chain and digest are the same with it and without.
//! What is near is where it was; what is far, an account among a hundred thousand, comes from the third level of the
//! cache or from beyond it, and that wait is a good part of what a command costs (`docs/performance.md`).

use core::slice::from_ref;

use contract::{Command, NewOrder};

use crate::account::Account;
use crate::engine::Engine;
use crate::outbox::Outbox;

/// Asks the processor for the line of the cache where an entry begins, or would, where there is none.
#[inline(always)]
pub(crate) fn expect_at<T>(entries: &[T], at: usize) {
    #[cfg(feature = "prefetch")]
    prefetch_index::prefetch_index(entries, at);
    #[cfg(not(feature = "prefetch"))]
    let _ = (entries, at);
}

/// The same for one thing.
#[inline(always)]
pub(crate) fn expect_line<T>(it: &T) {
    expect_at(from_ref(it), 0);
}

impl Engine {
    /// How far ahead commands are told of, where there is a choice: that of [`apply_all`](Engine::apply_all).
    pub const LOOK_AHEAD: usize = 2;

    /// Says that a command will be applied soon: what it will touch is then at hand when it comes. Changes nothing,
    /// whether it comes or not.
    #[inline(always)]
    pub fn expect(&self, command: &Command) {
        if let Some(account) = self.accounts.get(command.account().0 as usize) {
            account.expect_for_orders();
        }
        // The order that a cancel or an amend is about is named where a new order has its own name.
        let name = NewOrder::read(command.words()).cl_ord_id;
        let slot = self.names.guess(self.names.tag(command.account().0, &name));
        self.book.expect_slot(slot);
    }

    /// The same of an account that is about to be looked at, liquidated or settled.
    #[inline(always)]
    pub(crate) fn expect_account(&self, number: u32) {
        if let Some(account) = self.accounts.get(number as usize) {
            account.expect_for_orders();
            expect_line(&account.key_tick);
            self.watch.expect(number);
        }
    }

    /// Applies commands in their order, looking ahead: the same as [`apply`](Engine::apply) with one after the other.
    ///
    /// ```
    /// use centum_engine::Engine;
    /// use contract::command::OpenAccount;
    /// use contract::*;
    ///
    /// let mut engine = Engine::new(&Genesis { spec: ContractSpec::XBTUSD_2019, capacity: Capacity::default() })?;
    /// let open = |at| Command::new(AccountId(4 + at), Action::OpenAccount(OpenAccount { fee_class: 0 }));
    /// let commands: Vec<Command> = (0..4u32).map(|at| open(at).stamped(1 + u64::from(at), 0)).collect();
    /// let mut events = Vec::new();
    /// engine.apply_all(&commands, &mut events);
    /// assert_eq!(engine.seq(), 4);
    /// # Ok::<(), contract::spec::SpecError>(())
    /// ```
    ///
    /// # Panics
    /// As [`apply`](Engine::apply).
    pub fn apply_all(&mut self, commands: &[Command], out: &mut impl Outbox) {
        for (at, command) in commands.iter().enumerate() {
            if let Some(later) = commands.get(at + Engine::LOOK_AHEAD) {
                self.expect(later);
            }
            self.apply(command, out);
        }
    }
}

impl Account {
    /// Asks for the lines that an order at rest or a cancel needs.
    #[inline(always)]
    pub(crate) fn expect_for_orders(&self) {
        expect_line(&self.position);
        expect_line(&self.sums);
        expect_line(&self.risk_limit);
    }
}
