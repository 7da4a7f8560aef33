//! Markets to measure, made beforehand and the same each time.
//!
//! A recording is an engine as it stands at the start and the commands that follow. Whoever measures them
//! compares the chain at the end with [`Recording::chain`]: a benchmark that did other work is void.
#![forbid(unsafe_code)]

pub mod early;
pub mod gap;
pub mod pass;
pub mod plot;
pub mod risk;

use centum_cli::generate;
use centum_cli::order_log::{self, Plan};
use centum_cli::source::Source;
use contract::command::{Amount, FundingRate, Mark, OpenAccount, SetLeverage};
use contract::*;
use engine::{Discard, Engine, Outbox};
use prefetch_index::prefetch_index;

/// An engine at the start, and what follows.
pub struct Recording {
    /// What a new engine is given to become it; empty where nobody asks.
    pub preparation: Vec<Command>,
    /// As it stands before the first command.
    pub engine: Engine,
    /// Stamped, in order.
    pub commands: Vec<Command>,
    /// How many of them are there to warm up, and are not measured where each is measured by itself.
    pub warm_up: usize,
    /// The chain after the last one.
    pub chain: u64,
    /// Trades among them.
    pub fills: usize,
    /// Commands that were refused.
    pub refused: usize,
}

impl Recording {
    /// Nothing that follows yet.
    fn of(engine: Engine) -> Recording {
        Recording { preparation: Vec::new(), engine, commands: Vec::new(), warm_up: 0, chain: 0, fills: 0, refused: 0 }
    }
}

/// Is this a run that only shows that nothing has rotted? (`CENTUM_BENCH_TOY=1`)
#[must_use]
pub fn is_toy() -> bool {
    std::env::var_os("CENTUM_BENCH_TOY").is_some_and(|value| value != "0")
}

/// The contract of 2019 with the mark from outside and prices up to 50,000, so that a copy of the engine is
/// small; nothing that is measured depends on the range.
fn spec() -> ContractSpec {
    ContractSpec {
        marking: Marking::External,
        max_price: Price(5_000_000),
        budget: u64::MAX,
        ..ContractSpec::XBTUSD_2019
    }
}

/// An engine with its next stamp.
#[derive(Clone)]
struct Stage {
    engine: Engine,
    seq: u64,
    /// How far the stamps' time is ahead of their number.
    ahead_ns: u64,
}

impl Stage {
    fn new(capacity: Capacity, budget: u64) -> Stage {
        let spec = ContractSpec { budget, ..spec() };
        let engine = Engine::new(&Genesis { spec, capacity }).expect("the contract can be traded");
        Stage { engine, seq: 0, ahead_ns: 0 }
    }

    fn stamped(&mut self, account: u32, action: Action) -> Command {
        self.seq += 1;
        Command::new(AccountId(account), action).stamped(self.seq, self.seq + self.ahead_ns)
    }

    fn apply(&mut self, account: u32, action: Action) {
        let command = self.stamped(account, action);
        self.engine.apply(&command, &mut Discard);
    }

    fn open(&mut self, account: u32, deposit: i64, leverage: u32) {
        self.apply(account, Action::OpenAccount(OpenAccount { fee_class: 0 }));
        self.apply(account, Action::Deposit(Amount { amount: Xbt(deposit) }));
        if leverage != 0 {
            self.apply(account, Action::SetLeverage(SetLeverage { leverage: Leverage(leverage) }));
        }
    }

    fn mark(&mut self, price: Price) {
        self.apply(u32::MAX, Action::Mark(Mark { price }));
    }

    /// The n-th account with a position far from liquidation: 1.5x to 4.99x, and every second pair in cross margin.
    fn hold(&mut self, account: u32, n: u32) {
        let leverage = if (n / 2).is_multiple_of(2) { 0 } else { 150 + n / 4 % 350 };
        self.open(account, 10_000_000, leverage);
        let side = if n.is_multiple_of(2) { Side::Sell } else { Side::Buy };
        self.apply(account, Action::New(limit(side, MIDDLE, 1 + u64::from(n / 2 % 50))));
    }

    /// The engine as it is, quiet marks to warm up, and a command with the clocks that follow it until nothing waits.
    fn record(self, action: Action, see: impl FnMut(&Event)) -> Recording {
        self.record_at(0, action, see)
    }

    /// The same, the command and what follows stamped so much later.
    fn record_at(mut self, later_ns: u64, action: Action, mut see: impl FnMut(&Event)) -> Recording {
        let mut recording = Recording { warm_up: WARM_UP, ..Recording::of(self.engine.clone()) };
        for n in 0..WARM_UP as u64 {
            let command = self.stamped(u32::MAX, Action::Mark(Mark { price: Price(1_000_000 + n % 2 * 50) }));
            self.engine.apply(&command, &mut Discard);
            recording.commands.push(command);
        }
        self.ahead_ns += later_ns;
        let (mut next, mut events) = (action, Vec::new());
        while recording.commands.len() == WARM_UP || !self.engine.agenda_is_empty() {
            let command = self.stamped(u32::MAX, next);
            self.engine.apply(&command, &mut events);
            events.drain(..).for_each(|event| see(&event));
            recording.commands.push(command);
            next = Action::Clock;
        }
        recording.chain = self.engine.chain();
        recording
    }
}

/// Quiet marks before a pass is measured: the copy of the engine is new to the processor.
pub const WARM_UP: usize = 60;
const FIRST: u32 = AccountId::FIRST_TRADER.0;
/// Tick of 10000.0.
const MIDDLE: u32 = 20_000;

fn limit(side: Side, tick: u32, qty: u64) -> NewOrder {
    NewOrder::limit(ClOrdId::NONE, side, Tick(tick), Qty(qty))
}

/// The mix of an order-driven market, as `centum generate mix` writes it: 46 % new, 43 % cancel, 5 %
/// immediate-or-cancel orders that trade, 2.5 % reductions, 2.5 % moves; half of the accounts in cross
/// margin, nine in ten with a position; orders are known by their client ids.
#[must_use]
pub fn mix(seed: u64, accounts: u64, resting: u64, commands: u64) -> Recording {
    let args = generate::Args { kind: generate::Kind::Mix, seed, commands, accounts, resting, out: Default::default() };
    let log = generate::in_memory(&args).expect("memory takes all that is written");
    let source = Source::from_bytes("mix".into(), &log).expect("the log is text");
    let Plan { spec, capacity, commands, bench_start, .. } =
        order_log::read(&source, Some(spec())).expect("the generator writes what the reader reads");
    let mut engine = Engine::new(&Genesis { spec, capacity }).expect("the contract can be traded");
    let stamped: Vec<Command> =
        commands.iter().zip(1..).map(|((ts, command), seq)| command.stamped(seq, *ts)).collect();
    let (preparation, commands) = stamped.split_at(bench_start);
    preparation.iter().for_each(|command| engine.apply(command, &mut Discard));
    let mut recording =
        Recording { preparation: preparation.to_vec(), commands: commands.to_vec(), ..Recording::of(engine.clone()) };
    let mut events: Vec<Event> = Vec::new();
    for command in commands {
        events.clear();
        engine.apply(command, &mut events);
        for event in &events {
            match event.fact() {
                Some(Fact::Fill(_)) => recording.fills += 1,
                Some(Fact::Rejected(_)) => recording.refused += 1,
                _ => {}
            }
        }
    }
    recording.chain = engine.chain();
    recording
}

/// So many accounts, each with a position far from liquidation, half of them in cross margin, and marks that
/// move by a tick: nothing is due at any of them.
#[must_use]
pub fn quiet_marks(accounts: u32, marks: usize) -> Recording {
    let mut stage = holders(accounts, u64::MAX);
    let mut recording = Recording::of(stage.engine.clone());
    for i in 0..marks as u64 {
        let price = Price(1_000_000 + 50 * [0, 1, 2, 1, 0, 3][i as usize % 6]);
        let command = stage.stamped(u32::MAX, Action::Mark(Mark { price }));
        stage.engine.apply(&command, &mut Discard);
        recording.commands.push(command);
    }
    assert!((FIRST..FIRST + accounts).all(|account| !stage.engine.is_due(AccountId(account))), "nothing is due");
    recording.chain = stage.engine.chain();
    recording
}

/// The same accounts at a funding instant: the clock that reaches it, and clocks until every account is settled, each
/// with the budget of the profile. (Rule FUND-5)
#[must_use]
pub fn funding_instant(accounts: u32) -> Recording {
    let mut stage = holders(accounts, ContractSpec::XBTUSD_2019.budget);
    stage.apply(u32::MAX, Action::FundingRate(FundingRate { rate: Rate(10_000) }));
    while !stage.engine.agenda_is_empty() {
        stage.apply(u32::MAX, Action::Clock);
    }
    stage.record_at(spec().funding_offset_ns, Action::Clock, |_| {})
}

/// The same accounts, every tenth with two resting orders, and clocks that audit each of them once, slice by slice.
#[must_use]
pub fn audit_pass(accounts: u32) -> Recording {
    let mut stage = holders(accounts, ContractSpec::XBTUSD_2019.budget);
    for account in (FIRST..FIRST + accounts).step_by(10) {
        for tick in [MIDDLE * 8 / 10, MIDDLE * 7 / 10] {
            stage.apply(account, Action::New(limit(Side::Buy, tick, 1)));
        }
    }
    // From the beginning of a pass to its end.
    let passes = stage.engine.audit_passes();
    while stage.engine.audit_passes() == passes {
        stage.apply(u32::MAX, Action::Clock);
    }
    let mut recording = Recording::of(stage.engine.clone());
    while stage.engine.audit_passes() == passes + 1 {
        let command = stage.stamped(u32::MAX, Action::Clock);
        stage.engine.apply(&command, &mut Discard);
        recording.commands.push(command);
    }
    assert!(stage.engine.fault().is_none(), "the audit finds nothing");
    recording.chain = stage.engine.chain();
    recording
}

/// Contracts of everybody in [`deleveraging`].
const SIZE: u64 = 50;

/// So many accounts, half of them short and in profit; a mark that takes over so many lots, each as large as so many of
/// their positions, with an empty fund and an empty book; and clocks until all of them are deleveraged, each with the
/// budget of the profile. The deleveraged are counted as fills. (Rules ADL-1, ADL-2)
#[must_use]
pub fn deleveraging(accounts: u32, lots: u32, positions_a_lot: u32) -> Recording {
    let capacity = Capacity { accounts: FIRST + accounts + lots + 1, orders: 16, sessions: 1, lots };
    let mut stage = Stage::new(capacity, ContractSpec::XBTUSD_2019.budget);
    stage.mark(Price(1_000_000));
    for account in FIRST..FIRST + accounts {
        // 1.5x to 4.99x, every fourth pair in cross margin: scores of all sizes, whatever the order of accounts.
        let leverage = if account / 2 % 4 == 0 { 0 } else { 150 + account.wrapping_mul(0x9e37_79b1) % 350 };
        stage.open(account, 10_000_000, leverage);
        let side = if account % 2 == 0 { Side::Sell } else { Side::Buy };
        stage.apply(account, Action::New(limit(side, MIDDLE, SIZE)));
    }
    // Who sells to those that will be taken over is rich, and so the last to be deleveraged.
    let (seller, qty) = (FIRST + accounts, SIZE * u64::from(positions_a_lot));
    stage.open(seller, 1_000_000 * contract::units::XBT, 0);
    for account in seller + 1..=seller + lots {
        stage.open(account, 100_000_000, 10_000);
        stage.apply(seller, Action::New(limit(Side::Sell, MIDDLE, qty)));
        stage.apply(account, Action::New(limit(Side::Buy, MIDDLE, qty)));
    }
    let mut recording = Recording::of(stage.engine.clone());
    let mut events: Vec<Event> = Vec::new();
    while recording.commands.is_empty() || !stage.engine.agenda_is_empty() {
        let is_first = recording.commands.is_empty();
        let action = if is_first { Action::Mark(Mark { price: Price(980_000) }) } else { Action::Clock };
        let command = stage.stamped(u32::MAX, action);
        events.clear();
        stage.engine.apply(&command, &mut events);
        let is_one = |event: &&Event| matches!(event.fact(), Some(Fact::Fill(fill)) if fill.cause.get() == Some(FillCause::Deleverage));
        recording.fills += events.iter().filter(is_one).count();
        recording.commands.push(command);
    }
    recording.chain = stage.engine.chain();
    recording
}

/// So many accounts, each with a position far from liquidation, half of them in cross margin.
fn holders(accounts: u32, budget: u64) -> Stage {
    let mut stage =
        Stage::new(Capacity { accounts: FIRST + accounts, orders: 16 + accounts / 4, sessions: 1, lots: 16 }, budget);
    stage.mark(Price(1_000_000));
    for account in FIRST..FIRST + accounts {
        stage.hold(account, account);
    }
    stage
}

/// Where measured events go: written as a reader would need them, over and over.
#[derive(Debug)]
pub struct Slots {
    slots: Box<[Event; SLOTS]>,
    next: usize,
}

/// As many as an output ring would have, a power of two.
const SLOTS: usize = 1 << 10;

impl Default for Slots {
    fn default() -> Self {
        Slots { slots: Box::new([Event::from_words([0; 16]); SLOTS]), next: 0 }
    }
}

impl Outbox for Slots {
    #[inline(always)]
    fn push(&mut self, event: &Event) {
        self.slots[self.next % SLOTS] = *event;
        self.next = self.next.wrapping_add(1);
    }

    #[inline(always)]
    fn end(&mut self) {
        let last = &mut self.slots[self.next.wrapping_sub(1) % SLOTS];
        *last = last.as_last();
    }

    #[inline(always)]
    fn expect<T>(&mut self, entries: &[T], at: usize) {
        prefetch_index(entries, at);
    }
}

/// Applies the commands and writes what comes of them: what is measured.
#[inline(never)]
pub fn measured(engine: &mut Engine, commands: &[Command], out: &mut Slots) {
    engine.apply_all(commands, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_trades_and_is_hardly_ever_refused() {
        let recording = mix(7, 100, 500, 2_000);
        assert!(recording.fills > 50, "{} fills", recording.fills);
        assert!(recording.refused < 20, "{} refused", recording.refused);
        let mut engine = recording.engine.clone();
        measured(&mut engine, &recording.commands, &mut Slots::default());
        assert_eq!(engine.chain(), recording.chain);
        engine.check_sums().expect("SUM-1 to SUM-7 hold");
    }

    #[test]
    fn an_instant_pays_every_account_once() {
        let recording = funding_instant(2_000);
        assert_eq!(recording.commands.len() - recording.warm_up, 2, "two budgets of 1,000");
        let mut engine = recording.engine.clone();
        let mut events: Vec<Event> = Vec::new();
        recording.commands.iter().for_each(|command| engine.apply(command, &mut events));
        assert_eq!(engine.chain(), recording.chain);
        let paid = events.iter().filter(|event| matches!(event.fact(), Some(Fact::Funding(_)))).count();
        assert_eq!(paid, 2_000);
        engine.check_sums().expect("SUM-1 to SUM-7 hold");
    }

    #[test]
    fn so_many_lots_are_closed_against_so_many_positions() {
        for (lots, positions_a_lot) in [(1, 1), (1, 100), (100, 1)] {
            let recording = deleveraging(2_000, lots, positions_a_lot);
            assert_eq!(recording.fills as u32, lots * positions_a_lot);
            // A look at each account once, and a few steps for each lot and each position: budgets of 1,000.
            let accounts = u64::from(recording.engine.accounts() - FIRST);
            let steps = accounts + 5 * u64::from(lots) + 2 * u64::from(lots * positions_a_lot);
            assert_eq!(recording.commands.len() as u64, steps.div_ceil(1_000), "{lots} lots");
            let mut engine = recording.engine.clone();
            measured(&mut engine, &recording.commands, &mut Slots::default());
            assert_eq!(engine.chain(), recording.chain);
            engine.check_sums().expect("SUM-1 to SUM-7 hold");
        }
    }

    #[test]
    fn an_audit_goes_through_all_accounts_and_orders() {
        // One unit an account and one an order of it; the end of a pass comes with the slice that has reached it.
        assert_eq!(audit_pass(5_000).commands.len(), 6_000 / 1_000 + 1);
    }

    #[test]
    fn every_account_of_a_quiet_market_has_a_position() {
        let recording = quiet_marks(200, 60);
        for account in FIRST..FIRST + 200 {
            assert!(recording.engine.position(AccountId(account)).is_some_and(|position| position.qty != 0));
        }
        let mut engine = recording.engine.clone();
        measured(&mut engine, &recording.commands, &mut Slots::default());
        assert_eq!(engine.chain(), recording.chain);
    }
}
