//! Markets to measure, made beforehand and the same each time.
//!
//! A recording is an engine as it stands at the start and the commands that follow. Whoever measures them
//! compares the chain at the end with [`Recording::chain`]: a benchmark that did other work is void.
#![forbid(unsafe_code)]

use contract::command::{Amount, Mark, OpenAccount, SetLeverage};
use contract::*;
use engine::{Discard, Engine};

/// An engine at the start, and what follows.
pub struct Recording {
    /// As it stands before the first command.
    pub engine: Engine,
    /// Stamped, in order.
    pub commands: Vec<Command>,
    /// The chain after the last one.
    pub chain: u64,
    /// Trades among them.
    pub fills: usize,
    /// Commands that were refused.
    pub refused: usize,
}

/// Is this a run that only shows that nothing has rotted? (`CENTUM_BENCH_TOY=1`)
#[must_use]
pub fn is_toy() -> bool {
    std::env::var_os("CENTUM_BENCH_TOY").is_some_and(|value| value != "0")
}

/// SplitMix64: small, seeded, the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
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
struct Stage {
    engine: Engine,
    seq: u64,
}

impl Stage {
    fn new(capacity: Capacity) -> Stage {
        let engine = Engine::new(&Genesis { spec: spec(), capacity }).expect("the contract can be traded");
        Stage { engine, seq: 0 }
    }

    fn stamped(&mut self, account: u32, action: Action) -> Command {
        self.seq += 1;
        Command::new(AccountId(account), action).stamped(self.seq, self.seq)
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
}

const FIRST: u32 = AccountId::FIRST_TRADER.0;
/// Tick of 10000.0.
const MIDDLE: u32 = 20_000;

fn limit(side: Side, tick: u32, qty: u64) -> NewOrder {
    NewOrder::limit(ClOrdId::NONE, side, Tick(tick), Qty(qty))
}

/// The mix of an order-driven market: 46 % new, 43 % cancel, 5 % immediate-or-cancel orders that trade,
/// 2.5 % reductions, 2.5 % moves, over `accounts` accounts and about `resting` resting orders.
#[must_use]
pub fn mix(seed: u64, accounts: u32, resting: usize, commands: usize) -> Recording {
    let orders = (4 * resting + commands) as u32;
    let mut stage = Stage::new(Capacity { accounts: FIRST + accounts, orders, sessions: 1, lots: 64 });
    let mut random = Random(seed);
    stage.mark(Price(1_000_000));
    for account in FIRST..FIRST + accounts {
        stage.open(account, 100 * 100_000_000, [0, 1_000, 2_500, 10_000][account as usize % 4]);
    }
    let mut live: Vec<(u32, OrderId)> = Vec::new();
    let mut events: Vec<Event> = Vec::new();
    let passive = |random: &mut Random| {
        let side = if random.below(2) == 0 { Side::Buy } else { Side::Sell };
        // Most orders lie near the middle, few far out.
        let distance = 1 + (random.below(30) * random.below(30)) as u32 / 3;
        let tick = if side == Side::Buy { MIDDLE - distance } else { MIDDLE + distance };
        Action::New(limit(side, tick, 1 + random.below(1_000)))
    };
    let mut run = |stage: &mut Stage, live: &mut Vec<(u32, OrderId)>, account: u32, action: Action| {
        let command = stage.stamped(account, action);
        events.clear();
        stage.engine.apply(&command, &mut events);
        let (mut fills, mut refused) = (0, 0);
        for event in &events {
            match event.fact() {
                Some(Fact::Accepted(it)) => live.push((account, OrderId { number: it.number, slot: it.slot })),
                Some(Fact::Fill(_)) => fills += 1,
                Some(Fact::Rejected(_)) => refused += 1,
                _ => {}
            }
        }
        (command, fills, refused)
    };
    let account_of = |random: &mut Random| FIRST + random.below(u64::from(accounts)) as u32;
    for _ in 0..resting {
        let (account, action) = (account_of(&mut random), passive(&mut random));
        run(&mut stage, &mut live, account, action);
    }
    let engine = stage.engine.clone();
    let mut recording = Recording { engine, commands: Vec::with_capacity(commands), chain: 0, fills: 0, refused: 0 };
    for _ in 0..commands {
        let roll = random.below(1_000);
        let live_now = |stage: &Stage, live: &mut Vec<(u32, OrderId)>, random: &mut Random| loop {
            let at = random.below(live.len() as u64) as usize;
            if stage.engine.order(live[at].1).is_some() {
                return at;
            }
            live.swap_remove(at);
        };
        let (account, action) = if roll < 460 {
            (account_of(&mut random), passive(&mut random))
        } else if roll < 890 {
            let at = live_now(&stage, &mut live, &mut random);
            let (account, id) = live.swap_remove(at);
            (account, Action::Cancel(Cancel { target: Target::OrderId(id) }))
        } else if roll < 940 {
            let side = if random.below(2) == 0 { Side::Buy } else { Side::Sell };
            let best = stage.engine.best(side.opposite()).map_or(MIDDLE, |tick| tick.0);
            let order = limit(side, best, 1 + random.below(300)).with_tif(TimeInForce::ImmediateOrCancel);
            (account_of(&mut random), Action::New(order))
        } else {
            let at = live_now(&stage, &mut live, &mut random);
            let (account, id) = live[at];
            let order = stage.engine.order(id).expect("it is live");
            let fields = if roll < 970 {
                AmendFields {
                    qty_kind: AmendQty::Reduce.into(),
                    qty: Qty(order.leaves.0.div_ceil(4)),
                    ..Default::default()
                }
            } else {
                let away = 1 + random.below(20) as u32;
                let tick = if order.side == Side::Buy { MIDDLE - away } else { MIDDLE + away };
                AmendFields { price: Tick(tick), ..Default::default() }
            };
            (account, Action::Amend(Amend { target: Target::OrderId(id), fields }))
        };
        let (command, fills, refused) = run(&mut stage, &mut live, account, action);
        recording.commands.push(command);
        recording.fills += fills;
        recording.refused += refused;
    }
    recording.chain = stage.engine.chain();
    recording
}

/// So many accounts, each with a position far from liquidation, half of them in cross margin, and marks that
/// move by a tick: nothing is due at any of them.
#[must_use]
pub fn quiet_marks(accounts: u32, marks: usize) -> Recording {
    let mut stage = Stage::new(Capacity { accounts: FIRST + accounts, orders: 16, sessions: 1, lots: 16 });
    stage.mark(Price(1_000_000));
    for account in FIRST..FIRST + accounts {
        // 1.5x to 4.99x: liquidation prices spread over many ticks; every fourth pair is in cross margin.
        let leverage = if account / 2 % 2 == 0 { 0 } else { 150 + account / 4 % 350 };
        stage.open(account, 10_000_000, leverage);
        let side = if account % 2 == 0 { Side::Sell } else { Side::Buy };
        stage.apply(account, Action::New(limit(side, MIDDLE, 1 + u64::from(account / 2 % 50))));
    }
    let engine = stage.engine.clone();
    let mut recording = Recording { engine, commands: Vec::with_capacity(marks), chain: 0, fills: 0, refused: 0 };
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

/// Applies the commands: what is measured.
#[inline(never)]
pub fn measured(engine: &mut Engine, commands: &[Command]) {
    for command in commands {
        engine.apply(command, &mut Discard);
    }
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
        measured(&mut engine, &recording.commands);
        assert_eq!(engine.chain(), recording.chain);
        engine.check_sums().expect("SUM-1 to SUM-7 hold");
    }

    #[test]
    fn every_account_of_a_quiet_market_has_a_position() {
        let recording = quiet_marks(200, 60);
        for account in FIRST..FIRST + 200 {
            assert!(recording.engine.position(AccountId(account)).is_some_and(|position| position.qty != 0));
        }
        let mut engine = recording.engine.clone();
        measured(&mut engine, &recording.commands);
        assert_eq!(engine.chain(), recording.chain);
    }
}
