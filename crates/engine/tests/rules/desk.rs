//! A desk: the engine driven with plain commands, for what the scenario language cannot say.

use centum_engine::{Engine, OrderView};
use contract::command::{Amount, Mark, OpenAccount};
use contract::*;

/// What [`Desk::open`] puts into a wallet: 10 XBT.
const DEPOSIT: Xbt = Xbt(1_000_000_000);

/// An engine with its next sequence number.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) engine: Engine,
    pub(crate) seq: u64,
}

impl Desk {
    /// A desk for this contract, with room for 64 accounts, 32 orders, 4 sessions and 4 lots.
    pub(crate) fn new(spec: ContractSpec) -> Desk {
        Desk::with(spec, Capacity { accounts: 64, orders: 32, sessions: 4, lots: 4 })
    }

    /// The same with other limits.
    pub(crate) fn with(spec: ContractSpec, capacity: Capacity) -> Desk {
        let engine = Engine::new(&Genesis { spec, capacity }).expect("the contract can be traded");
        Desk { engine, seq: 0 }
    }

    /// Applies a command of that account.
    pub(crate) fn apply(&mut self, account: AccountId, action: Action) -> Vec<Event> {
        self.apply_raw(Command::new(account, action))
    }

    /// Applies a command as it is, stamped; the SUM laws hold after it.
    pub(crate) fn apply_raw(&mut self, command: Command) -> Vec<Event> {
        self.seq += 1;
        let mut events: Vec<Event> = Vec::new();
        self.engine.apply(&command.stamped(self.seq, self.seq), &mut events);
        self.engine.check_sums().expect("SUM-1 to SUM-7 hold");
        assert!(events.last().is_some_and(Event::is_last), "every command has one last event");
        events
    }

    /// The mark moves.
    pub(crate) fn mark(&mut self, price: Price) -> Vec<Event> {
        self.apply(AccountId::NONE, Action::Mark(Mark { price }))
    }

    /// Opens the next account, with money.
    pub(crate) fn open(&mut self) -> AccountId {
        let account = AccountId(self.engine.accounts());
        self.apply(account, Action::OpenAccount(OpenAccount { fee_class: 0 }));
        self.apply(account, Action::Deposit(Amount { amount: DEPOSIT }));
        account
    }

    /// Why the command is refused, if it is. A refused one changes nothing but what the session remembers.
    pub(crate) fn refusal(&mut self, account: AccountId, action: Action) -> Option<Reject> {
        self.refusal_of(Command::new(account, action))
    }

    /// The same for a command as it is.
    pub(crate) fn refusal_of(&mut self, command: Command) -> Option<Reject> {
        let before = self.engine.agenda_is_empty().then(|| self.picture());
        let reason = reason(&self.apply_raw(command));
        if let (Some(_), Some(before)) = (reason, before) {
            assert!(self.picture() == before, "a refused command changes nothing");
        }
        reason
    }

    /// The state as far as it can be seen from outside. (Design law 2)
    fn picture(&self) -> Picture {
        let mut orders = Vec::new();
        for side in [Side::Buy, Side::Sell] {
            self.engine.for_each_order(side, |order| orders.push(order));
        }
        let accounts = (0..self.engine.accounts()).map(AccountId);
        let accounts = accounts.map(|account| (self.engine.wallet(account), self.engine.position(account)));
        (self.engine.mark(), accounts.collect(), orders)
    }
}

type Picture =
    (Option<Price>, Vec<(Option<contract::event::Wallet>, Option<contract::event::Position>)>, Vec<OrderView>);

/// The reason among the events, if there is one.
pub(crate) fn reason(events: &[Event]) -> Option<Reject> {
    events.iter().find_map(|event| match event.fact() {
        Some(Fact::Rejected(rejected)) => rejected.reject(),
        _ => None,
    })
}

/// The command with one byte changed, as bytes from outside may have it.
pub(crate) fn with_byte(command: Command, at: usize, byte: u8) -> Command {
    let mut bytes = command.to_bytes();
    bytes[at] = byte;
    Command::from_bytes(&bytes)
}

/// Offset of the instrument in a command.
pub(crate) const INSTRUMENT_AT: usize = 32;
/// Offset of the kind.
pub(crate) const KIND_AT: usize = 34;
/// Offset of the flags.
pub(crate) const FLAGS_AT: usize = 35;

/// The command for an instrument that does not exist.
pub(crate) fn for_instrument_1(command: Command) -> Command {
    with_byte(command, INSTRUMENT_AT, 1)
}

/// The 2019 contract with the mark given from outside.
pub(crate) fn xbtusd() -> ContractSpec {
    ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 }
}

/// A name that is valid.
pub(crate) fn id(text: &str) -> ClOrdId {
    ClOrdId::new(text).expect("the test's own ids are valid")
}
