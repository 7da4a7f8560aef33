//! A market of a seed: engine, workload, router, and desk.

use centum_runtime::router::{Desk, FeedLimits, Router};
use contract::{Command, Event, Fact, FillCause, LiquidationStep};
use engine::Engine;
use testkit::workload::Workload;

pub const COMMANDS: u64 = 2_500;

/// How many markets.
pub fn scenarios() -> u64 {
    std::env::var("CENTUM_SCENARIOS").ok().map_or(24, |text| text.parse().expect("CENTUM_SCENARIOS is a number"))
}

/// Room for everything: nothing overflows.
pub const WIDE: FeedLimits = FeedLimits {
    account_rows: 1 << 14,
    feeds_per_account: 1 << 10,
    account_feeds: 1 << 16,
    market_rows: 1 << 16,
    market_feeds: 1 << 10,
    drop_copy_rows: 1 << 18,
    drop_copies: 4,
};

pub struct Drive {
    pub seed: u64,
    pub workload: Workload,
    pub engine: Engine,
    pub router: Router,
    pub desk: Desk,
}

impl Drive {
    pub fn new(seed: u64, limits: FeedLimits) -> Drive {
        let workload = Workload::new(seed);
        let engine = Engine::new(&workload.scenario().genesis).expect("a scenario's contract can be traded");
        let (router, desk) = Router::begin(&engine, limits);
        Drive { seed, workload, engine, router, desk }
    }

    /// One command: the router gets its events in two batches, cut somewhere.
    pub fn step(&mut self) -> (Command, Vec<Event>) {
        let (command, events) = self.apply();
        let cut = command.seq() as usize % (events.len() + 1);
        self.router.take_batch(&events[..cut]);
        self.router.take_batch(&events[cut..]);
        (command, events)
    }

    /// One command that the router does not hear of yet.
    pub fn apply(&mut self) -> (Command, Vec<Event>) {
        let command = self.workload.next_command();
        let mut events = Vec::new();
        self.engine.apply(&command, &mut events);
        self.workload.observe(&events);
        (command, events)
    }

    pub fn place(&self) -> String {
        format!("seed {}, command {}", self.seed, self.engine.seq())
    }
}

/// What a test must have met to have shown anything.
#[derive(Default, Debug)]
pub struct Met {
    pub fills: u64,
    pub self_trades: u64,
    pub takeovers: u64,
    pub close_outs: u64,
    pub deleverages: u64,
    pub sweeps: u64,
    pub waits: u64,
}

impl Met {
    pub fn count(&mut self, events: &[Event]) {
        for event in events {
            match event.fact() {
                Some(Fact::Fill(fill)) => {
                    self.self_trades += u64::from(fill.maker_account == event.account().0);
                    *match fill.cause.get().expect("a cause") {
                        FillCause::Trade => &mut self.fills,
                        FillCause::Takeover => &mut self.takeovers,
                        FillCause::CloseOut => &mut self.close_outs,
                        FillCause::Deleverage => &mut self.deleverages,
                    } += 1;
                }
                Some(Fact::Liquidation(it)) => match it.step.get() {
                    Some(LiquidationStep::Sweep) => self.sweeps += 1,
                    Some(LiquidationStep::Waiting) => self.waits += 1,
                    _ => {}
                },
                _ => {}
            }
        }
    }

    /// All of it happened, where enough markets were looked at.
    pub fn check(&self) {
        println!("{self:?}");
        let all = [self.fills, self.self_trades, self.takeovers, self.close_outs, self.deleverages, self.sweeps];
        assert!(scenarios() < 24 || all.iter().all(|count| *count >= 10), "{self:?}");
    }
}
