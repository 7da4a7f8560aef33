//! The engine with a clock of its own, and everybody who listens to what it says.

use contract::command::Mark;
use contract::{
    AccountId, Action, Capacity, ClOrdId, Command, ContractSpec, Event, ExecInst, Genesis, Marking, NewOrder, Price,
    Qty, Side, Tick, TimeInForce,
};
use engine::Engine;

use super::ledger::Ledger;

/// Nanoseconds in a millisecond.
const MILLISECOND_NS: u64 = 1_000_000;
/// 14:00:00 of the day on which time begins.
const OPENING_NS: u64 = 14 * 3_600 * 1_000 * MILLISECOND_NS;

/// A market that runs by itself.
pub struct Market {
    /// What it is about.
    pub engine: Engine,
    /// Every satoshi that moved.
    pub ledger: Ledger,
    /// The first law that did not hold, in words.
    pub broken: Option<String>,
    seq: u64,
    ts_ns: u64,
}

impl Market {
    /// An empty market: the 2019 contract, marks by command, work done at once.
    pub fn open(accounts: u64) -> Market {
        let spec = ContractSpec { marking: Marking::External, budget: u64::MAX, ..ContractSpec::XBTUSD_2019 };
        let house = u64::from(AccountId::FIRST_TRADER.0);
        let accounts = u32::try_from(accounts + house).expect("Cast::MOST is small");
        // Everybody may be taken over, and has a few orders.
        let capacity = Capacity { accounts, orders: (4 * accounts).max(1 << 15), sessions: 1, lots: accounts };
        let engine = Engine::new(&Genesis { spec, capacity }).expect("the contract is a profile of the library");
        Market { engine, ledger: Ledger::default(), broken: None, seq: 0, ts_ns: 0 }
    }

    /// Sets the clock to so many milliseconds after 14:00:00.
    pub fn at(&mut self, ms: u64) {
        self.ts_ns = self.ts_ns.max(OPENING_NS + ms * MILLISECOND_NS);
    }

    /// Sets the clock before 14:00:00.
    pub fn before_opening(&mut self, ms: u64) {
        self.ts_ns = self.ts_ns.max(OPENING_NS - ms * MILLISECOND_NS);
    }

    /// `14:00:37`.
    pub fn clock(&self) -> String {
        let seconds = self.ts_ns / MILLISECOND_NS / 1_000;
        format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
    }

    /// Applies a command; what it says is in the ledger already.
    pub fn apply(&mut self, account: AccountId, action: Action) -> Vec<Event> {
        self.seq += 1;
        let mut events = Vec::new();
        self.engine.apply(&Command::new(account, action).stamped(self.seq, self.ts_ns), &mut events);
        self.ledger.read(&events);
        events
    }

    /// Looks at every law of the engine, and at the ledger against its balances.
    pub fn check(&mut self) {
        let laws = self.engine.check_sums().and_then(|()| self.ledger.check(&self.engine));
        if let (Err(law), None) = (laws, &self.broken) {
            self.broken = Some(format!("after command {} at {}: {law}", self.seq, self.clock()));
        }
    }

    /// The mark moves.
    pub fn mark(&mut self, price: Price) -> Vec<Event> {
        let events = self.apply(AccountId::NONE, Action::Mark(Mark { price }));
        self.check();
        events
    }

    /// A limit order.
    pub fn limit(
        &mut self,
        account: AccountId,
        side: Side,
        tick: Tick,
        qty: u64,
        tif: TimeInForce,
        inst: ExecInst,
    ) -> Vec<Event> {
        let order = NewOrder::limit(ClOrdId::NONE, side, tick, Qty(qty)).with_tif(tif).with_inst(inst);
        self.apply(account, Action::New(order))
    }
}
