//! Looking ahead: memory that the next commands will touch is asked for while this one is applied.
//!
//! In    a command that will come, an account whose turn comes next.
//! Out   hints to the host, which may ask the processor for that memory (`Outbox::expect`): the engine itself has
//!       no means to, and is the same without.
//! Laws  1  a hint reads nothing and changes nothing: facts, chain and digest are the same with it and without.
//!
//! An account among ten thousand comes from the third level of the cache or from beyond it, and that wait is a good
//! part of what a command costs (`docs/performance.md`).

use core::slice::from_ref;

use contract::Command;

use crate::account::Account;
use crate::engine::Engine;
use crate::outbox::Outbox;

impl Engine {
    /// How far ahead commands are told of, where there is a choice: that of [`apply_all`](Engine::apply_all).
    pub const LOOK_AHEAD: usize = 2;

    /// Says that a command will be applied soon: what it will touch can then be at hand when it comes. Changes nothing,
    /// whether it comes or not.
    #[inline(always)]
    pub fn expect(&self, command: &Command, out: &mut impl Outbox) {
        self.expect_tagged(command, self.tag_in(command), out);
    }

    /// The same where the tag of the command's name is known.
    #[inline(always)]
    fn expect_tagged(&self, command: &Command, tag: u32, out: &mut impl Outbox) {
        let Some(account) = self.accounts.get(command.account().0 as usize) else { return };
        account.expect_for_orders(out);
        self.book.expect_slot(self.names.guess(tag), out);
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
        const AHEAD: usize = Engine::LOOK_AHEAD;
        let mut tags = [0; AHEAD];
        tags.iter_mut().zip(commands).for_each(|(tag, command)| *tag = self.tag_in(command));
        for (at, command) in commands.iter().enumerate() {
            let place = &mut tags[at % AHEAD];
            let tag = *place;
            if let Some(later) = commands.get(at + AHEAD) {
                *place = self.tag_in(later);
                self.expect_tagged(later, *place, out);
            }
            self.apply_tagged(command, tag, out);
        }
    }

    /// Says that an account is about to be looked at, or to have its turn.
    #[inline(always)]
    pub(crate) fn expect_account(&self, number: u32, out: &mut impl Outbox) {
        if let Some(account) = self.accounts.get(number as usize) {
            account.expect_for_orders(out);
            out.expect(from_ref(&account.key_tick), 0);
            self.watch.expect(number, out);
        }
    }
}

impl Account {
    /// Says that an order is about to come to rest, or to be cancelled: pairs of lines come together.
    #[inline(always)]
    fn expect_for_orders(&self, out: &mut impl Outbox) {
        out.expect(from_ref(&self.position), 0);
        out.expect(from_ref(&self.sums), 0);
        out.expect(from_ref(&self.risk_limit), 0);
    }
}
