//! One engine at work: commands are stamped, applied and timed, its events counted and named.
//!
//! In    an action of an account at a time.
//! Out   the events of that command, for whoever compares them; the tally over all.

use std::collections::BTreeMap;
use std::time::Instant;

use contract::{AccountId, Action, Capacity, ClOrdId, Command, ContractSpec, Event, Fact, FillCause, Genesis, Xbt};
use engine::Engine;
use hdrhistogram::Histogram;

use crate::checks::Checks;
use crate::error::{Error, Result};
use crate::fills::{self, AccountRow, FillRow, FillSink, Names, TradesHash};

/// The longest latency the histogram tells apart, ns: a minute.
const LATENCY_MAX_NS: u64 = 60_000_000_000;

/// What was counted over all commands of a run.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Tally {
    /// Commands applied.
    pub commands: u64,
    /// Orders admitted.
    pub orders: u64,
    /// Fills of any cause.
    pub fills: u64,
    /// Contracts of all fills.
    pub qty: u64,
    /// Value of all fills.
    pub value: i128,
    /// Fees of both sides of all fills.
    pub fees: i128,
    /// Commands refused, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Positions taken over.
    pub liquidations: u64,
    /// Positions closed by deleveraging.
    pub deleverages: u64,
    /// What the insurance fund holds.
    pub insurance: Xbt,
    /// The hash over the trades.
    pub trades_hash: TradesHash,
}

/// How long `apply` took.
#[derive(Clone, Debug)]
pub struct Timing {
    /// In all, ns.
    pub elapsed_ns: u64,
    /// By command.
    pub latency: Histogram<u64>,
}

impl Timing {
    fn new() -> Timing {
        let latency = Histogram::new_with_bounds(1, LATENCY_MAX_NS, 3).expect("the bounds are constants in order");
        Timing { elapsed_ns: 0, latency }
    }

    #[inline]
    fn record(&mut self, began: Instant) {
        let ns = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.elapsed_ns = self.elapsed_ns.saturating_add(ns);
        self.latency.saturating_record(ns.max(1));
    }
}

/// One engine at work.
pub struct Run {
    engine: Engine,
    seq: u64,
    ts: u64,
    events: Vec<Event>,
    /// The client's name of an order by slot, with the order's number.
    ids: Vec<(u64, ClOrdId)>,
    /// Names of the traders, from account 4 on; a trader without a name is called by its number.
    traders: Vec<String>,
    sink: Option<FillSink>,
    tally: Tally,
    timing: Timing,
}

impl Run {
    /// A new engine for that contract.
    pub fn new(spec: ContractSpec, capacity: Capacity) -> Result<Run> {
        let engine = Engine::new(&Genesis { spec, capacity })
            .map_err(|error| Error::Unusable(format!("{error}; change the contract given with --spec")))?;
        Ok(Run {
            engine,
            seq: 0,
            ts: 0,
            events: Vec::new(),
            ids: Vec::new(),
            traders: Vec::new(),
            sink: None,
            tally: Tally::default(),
            timing: Timing::new(),
        })
    }

    /// Names the traders, from account 4 on.
    pub fn name_traders(&mut self, names: Vec<String>) {
        self.traders = names;
    }

    /// Sends the fills to `sink` too.
    pub fn send_fills_to(&mut self, sink: FillSink) {
        self.sink = Some(sink);
    }

    /// Applies an action of an account. A stamp that falls is raised to the last one.
    pub fn apply(&mut self, account: AccountId, action: Action, ts: u64, checks: &mut Checks) -> Result<&[Event]> {
        self.apply_command(&Command::new(account, action), ts, checks)
    }

    /// The same for a command that has been made.
    pub fn apply_command(&mut self, command: &Command, ts: u64, checks: &mut Checks) -> Result<&[Event]> {
        self.seq += 1;
        self.ts = self.ts.max(ts);
        let command = command.stamped(self.seq, self.ts);
        self.events.clear();
        let began = Instant::now();
        self.engine.apply(&command, &mut self.events);
        self.timing.record(began);
        self.tally.commands += 1;
        let events = std::mem::take(&mut self.events);
        let result = events.iter().try_for_each(|event| self.count(event, checks));
        self.events = events;
        result.map(|()| self.events.as_slice())
    }

    fn count(&mut self, event: &Event, checks: &mut Checks) -> Result<()> {
        match event.fact() {
            Some(Fact::Accepted(order)) => {
                self.tally.orders += 1;
                self.name_order(order.slot, order.number, order.cl_ord_id);
            }
            Some(Fact::Amended(order)) => self.name_order(order.slot, order.number, order.cl_ord_id),
            Some(Fact::Rejected(rejected)) => {
                let reason = rejected.reject().map_or("Unknown", contract::Reject::name);
                *self.tally.refused.entry(reason).or_insert(0) += 1;
            }
            Some(Fact::Fill(fill)) => {
                let names = Names {
                    taker_account: account_name(&self.traders, event.account()),
                    maker_account: account_name(&self.traders, AccountId(fill.maker_account)),
                    taker_id: self.order_name(fill.taker_slot, fill.taker_number),
                    maker_id: self.order_name(fill.maker_slot, fill.maker_number),
                };
                let row = FillRow::new(event, fill, self.engine.spec(), names);
                self.tally.add_fill(&row);
                if let Some(sink) = &mut self.sink {
                    sink.push(&row, checks)?;
                }
            }
            Some(Fact::Insurance(insurance)) => self.tally.insurance = insurance.balance,
            _ => {}
        }
        Ok(())
    }

    fn name_order(&mut self, slot: u32, number: u64, id: ClOrdId) {
        let slot = slot as usize;
        if self.ids.len() <= slot {
            self.ids.resize(slot + 1, (0, ClOrdId::NONE));
        }
        self.ids[slot] = (number, id);
    }

    /// What the client calls an order, or none.
    #[must_use]
    pub fn order_name(&self, slot: u32, number: u64) -> ClOrdId {
        match self.ids.get(slot as usize) {
            Some((known, id)) if *known == number && number != 0 => *id,
            _ => ClOrdId::NONE,
        }
    }

    /// The events of the last command.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What was counted.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// How long it took.
    #[must_use]
    pub fn timing(&self) -> &Timing {
        &self.timing
    }

    /// Ends the table of fills and the comparison with the expected one.
    pub fn finish(&mut self, checks: &mut Checks) -> Result<()> {
        self.sink.take().map_or(Ok(()), |sink| sink.finish(checks))
    }

    /// The traders' accounts as they stand, for `--accounts`.
    #[must_use]
    pub fn accounts(&self) -> Vec<AccountRow> {
        let traders = AccountId::FIRST_TRADER.0..self.engine.accounts();
        let row = |account: AccountId| {
            let (wallet, position) = (self.engine.wallet(account)?, self.engine.position(account)?);
            Some(AccountRow {
                account: account_name(&self.traders, account).to_owned(),
                wallet: wallet.balance,
                qty: position.qty,
                cost: position.cost,
                realised: position.realised,
                order_margin: wallet.order_margin,
                liquidation_price: position.liquidation_price,
                bankruptcy_price: position.bankruptcy_price,
            })
        };
        traders.map(AccountId).filter_map(row).collect()
    }
}

fn account_name(traders: &[String], account: AccountId) -> &str {
    if account.is_house() {
        return fills::house_name(account);
    }
    let at = (account.0 - AccountId::FIRST_TRADER.0) as usize;
    traders.get(at).map_or("", String::as_str)
}

impl Tally {
    fn add_fill(&mut self, row: &FillRow<'_>) {
        let fill = &row.fill;
        self.fills += 1;
        self.qty += fill.qty.0;
        self.value += i128::from(fill.value.0);
        self.fees += i128::from(fill.taker_fee.0) + i128::from(fill.maker_fee.0);
        match row.cause {
            FillCause::Trade => {
                let (maker, taker) = (fills::numeric(&row.maker_id), fills::numeric(&row.taker_id));
                self.trades_hash.add(maker, taker, fill.price, fill.qty);
            }
            FillCause::Takeover => self.liquidations += 1,
            FillCause::Deleverage => self.deleverages += 1,
            _ => {}
        }
    }
}

/// The first fill among the events, if any.
#[must_use]
pub fn first_fill(events: &[Event]) -> Option<contract::event::Fill> {
    events.iter().find_map(|event| match event.fact() {
        Some(Fact::Fill(fill)) => Some(fill),
        _ => None,
    })
}

/// Why the command was refused, in words; `None` when it was not.
#[must_use]
pub fn refusal(events: &[Event]) -> Option<&'static str> {
    events.iter().find_map(|event| match event.fact() {
        Some(Fact::Rejected(rejected)) => Some(rejected.reject().map_or("unknown reason", contract::Reject::text)),
        _ => None,
    })
}
