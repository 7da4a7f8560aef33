//! Bitstamp, order by order: the engine's fills against the recorded trades.
//!
//! In    `created`, `changed`, `deleted` and `trade` rows in file order.
//! Out   `trade`   each recorded trade is a fill of the engine: same taker, maker, price, quantity.
//!       `cancel`  each cancelled order had, in the engine, the very quantity left that is recorded.
//!       `maker`   each order that shrinks at its own price was the oldest at the best price.
//!
//! One engine matches. It is fed what the orders' owners did, nothing of what came of it: entries,
//! cancels, and the steps of orders that walk through the book (market orders, whose recorded price
//! changes; buys for a sum of dollars have their amount restated with it). Two more, one for each
//! side, follow the recorded rows instead and never match, because each sees one side only: they
//! answer whether an order was best and oldest at the moment the recording shrinks it.
//!
//! Units: 1e-8 BTC is one contract, one tick of 0.01 USD counts as 1 USD. Every order has an account
//! of its own, funded without limit, so that no limit of an account stands in the way.

use std::collections::{BTreeMap, HashMap};

use contract::command::{AmendFields, Cancel};
use contract::{
    AccountId, Action, Amend, AmendQty, Capacity, ClOrdId, ContractSpec, Event, Fact, FeeRates, NewOrder, PremiumMode,
    Price, Qty, Side, Target, Tick,
};

use super::{Options, open_unlimited, set_mark, without_limits};
use crate::checks::Checks;
use crate::error::{Error, Result};
use crate::exact;
use crate::report::Outcome;
use crate::run::{self, Run};
use crate::source::{Format, Source};
use crate::text::{self, Header};
use crate::time::MILLISECOND_NS;

const TRADE: &str = "trade";
const CANCEL: &str = "cancel";
const MAKER: &str = "maker";

/// The buyer's dollars end a cent short of the order: it trades all but that cent's worth, and is
/// recorded as deleted with the amount it had before that trade.
const LAST_CENT: &str = "last_cent";

const COLUMNS: [&str; 6] = ["local_ts_ms", "kind", "order_id", "side", "price", "amount_sat"];
/// The recording's tick, in 0.01 USD.
const RECORDED_TICK: u64 = 1;
/// How many rows before and after its own a trade's two orders are looked for.
const ROWS_BEFORE: usize = 15;
const ROWS_AFTER: usize = 6;
/// How many rows before its trade the deletion of an order a cent short is looked for.
const ROWS_LAST_CENT: usize = 3;
/// Satoshi times ticks of 0.01 USD that a cent buys: at tick t it buys this over t.
const CENT_SATOSHI_TICKS: u64 = 100_000_000;
/// How far a shrink and the trade that it is counted with may be apart.
const SHRINK_WINDOW_MS: u64 = 100;

/// The contract of this recording: its tick counts as 1 USD, its smallest amount as one contract.
///
/// At one tick a contract is worth 1e8 XBt, so an account may hold 2^62 / 1e8 contracts, 461 BTC.
#[must_use]
pub fn spec() -> ContractSpec {
    let mut name = [0; 16];
    name[..15].copy_from_slice(b"BITSTAMP-BTCUSD");
    without_limits(ContractSpec {
        name,
        tick_size: Price(Price::PER_USD),
        max_price: Price(1_000_000 * Price::PER_USD),
        max_order_qty: Qty(1 << 48),
        max_position_qty: Qty(1 << 60),
        fees: [FeeRates::default(); contract::spec::FEE_CLASSES],
        premium: PremiumMode::None,
        ..ContractSpec::XBTUSD_2019
    })
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Created,
    Changed,
    Deleted,
    Trade,
}

/// A row, with what the rows before it say about its order.
#[derive(Clone, Copy, Debug)]
struct Row {
    line: u64,
    ts_ms: u64,
    kind: Kind,
    /// Index into [`Recording::orders`]; a trade has none.
    order: usize,
    side: Side,
    tick: Tick,
    /// Open amount after it; of a trade what traded.
    amount: u64,
    /// Open amount and price before it, where a row before it says so.
    before: Option<(u64, Tick)>,
}

/// An order of the recording.
#[derive(Clone, Copy, Debug)]
struct Order {
    id: u64,
    side: Side,
    /// Row of its entry; none for an order older than the recording.
    created: Option<usize>,
    /// Row by which it came to its last price; none for an older order that never moved.
    arrived: Option<usize>,
    /// Its first row.
    first: usize,
    /// What it entered with: as created, or as inferred for an older one.
    entered: u64,
    /// The price it was first seen at, and the last one it was seen at.
    first_tick: Tick,
    last_tick: Tick,
}

/// A recorded trade and the rows of the two orders that gave it.
#[derive(Clone, Copy, Debug)]
struct Trade {
    row: usize,
    /// The row by which its maker's order shrank.
    maker: Option<usize>,
    /// The taker's order.
    taker: Option<usize>,
    /// Why the engine's fill may be another one.
    cause: Option<&'static str>,
}

struct Recording {
    /// Rows of the file.
    raw: u64,
    rows: Vec<Row>,
    orders: Vec<Order>,
    trades: Vec<Trade>,
    notes: Vec<String>,
}

/// Replays the recording.
pub fn replay(source: &Source, options: Options, mut tick: impl FnMut(u64)) -> Result<Outcome> {
    if options.spec.is_some() {
        return Err(Error::Unusable(format!(
            "{}: a bitstamp recording brings its own contract; leave --spec out",
            source.name
        )));
    }
    let mut recording = read(source)?;
    pair_trades(&mut recording);
    infer_older_orders(&mut recording);
    let mut checks = Checks::default();
    for name in [TRADE, CANCEL, MAKER] {
        checks.declare(name);
    }
    let rows = recording.rows.len() as u64;
    let matched = Matching::new(&recording, options)?.replay(&mut checks, |row| tick(row / 2))?;
    let [bids, asks] = Following::new(&recording)?.replay(&mut checks, |row| tick((rows + row) / 2))?;
    let runs = vec![matched, bids, asks];
    let format = Format::Bitstamp.name();
    Ok(Outcome { format, rows: recording.raw, runs, fills_of: 0, checks, notes: recording.notes })
}

// ---- the recording ------------------------------------------------------------------------------

fn read(source: &Source) -> Result<Recording> {
    let mut lines = text::lines(&source.name, &source.text).filter(|line| !line.text.is_empty());
    let Some(first) = lines.next() else {
        return Err(Error::Unusable(format!("{}: found no rows; allowed: {}", source.name, COLUMNS.join(","))));
    };
    let header = Header::read(&first)?;
    let at = header.positions(&first, COLUMNS)?;
    let mut fields = Vec::new();
    let mut rows: Vec<(u64, Row)> = Vec::new();
    for line in lines {
        line.fields(&mut fields)?;
        header.check(&line, &fields)?;
        let field = |i: usize| &fields[at[i]];
        let bad = |i: usize, allowed: &str| line.error(field(i).column, format!("{:?}", field(i).text), allowed);
        let number = |i: usize| exact::unsigned(&field(i).text).map_err(|allowed| bad(i, &allowed));
        let kind = match &*field(1).text {
            "created" => Kind::Created,
            "changed" => Kind::Changed,
            "deleted" => Kind::Deleted,
            "trade" => Kind::Trade,
            _ => return Err(bad(1, "created, changed, deleted, trade")),
        };
        let side = match &*field(3).text {
            "bid" => Side::Buy,
            "ask" => Side::Sell,
            _ if kind == Kind::Trade => Side::Buy,
            _ => return Err(bad(3, "bid, ask")),
        };
        let cents = exact::price(&field(4).text).map_err(|allowed| bad(4, &allowed))?;
        let tick = u32::try_from(cents.0 / RECORDED_TICK).map_err(|_| bad(4, "a price below 42,949,672.96"))?;
        let id = if kind == Kind::Trade { 0 } else { number(2)? };
        let row = Row {
            line: line.number,
            ts_ms: number(0)?,
            kind,
            order: 0,
            side,
            tick: Tick(tick),
            amount: number(5)?,
            before: None,
        };
        rows.push((id, row));
    }
    Ok(arrange(rows))
}

/// Puts late rows in their place and follows each order through its rows.
///
/// The recorder wrote some rows of an order after the row of its deletion: its entry, a change, or
/// the same deletion once more. Entries and changes belong before the deletion; of two deletions
/// one counts.
fn arrange(rows: Vec<(u64, Row)>) -> Recording {
    let raw = rows.len() as u64;
    let mut deleted_at: HashMap<u64, usize> = HashMap::new();
    let mut late: BTreeMap<usize, Vec<(u64, Row)>> = BTreeMap::new();
    let (mut moved, mut repeated) = (0, 0);
    let mut in_place: Vec<(u64, Row)> = Vec::with_capacity(rows.len());
    for (id, row) in rows {
        match (row.kind, deleted_at.get(&id)) {
            (Kind::Trade, _) | (_, None) => {
                if row.kind == Kind::Deleted {
                    deleted_at.insert(id, in_place.len());
                }
                in_place.push((id, row));
            }
            (Kind::Deleted, Some(_)) => repeated += 1,
            (_, Some(at)) => {
                moved += 1;
                late.entry(*at).or_default().push((id, row));
            }
        }
    }
    let mut recording = Recording { raw, rows: Vec::new(), orders: Vec::new(), trades: Vec::new(), notes: Vec::new() };
    let mut known: HashMap<u64, usize> = HashMap::new();
    for (place, (id, row)) in in_place.into_iter().enumerate() {
        let before = late.remove(&place).unwrap_or_default();
        for (id, row) in before.into_iter().chain([(id, row)]) {
            recording.push(id, row, &mut known);
        }
    }
    let older = recording.orders.iter().filter(|order| order.created.is_none()).count();
    recording.notes = vec![
        format!("{older} orders are older than the recording: seeded by id, with a size inferred from the trades"),
        format!("{moved} rows stand after the deletion of their order: taken before it"),
        format!("{repeated} deletions are recorded twice: taken once"),
    ];
    recording
}

impl Recording {
    fn push(&mut self, id: u64, mut row: Row, known: &mut HashMap<u64, usize>) {
        let place = self.rows.len();
        if row.kind == Kind::Trade {
            self.trades.push(Trade { row: place, maker: None, taker: None, cause: None });
            self.rows.push(row);
            return;
        }
        row.order = *known.entry(id).or_insert_with(|| {
            self.orders.push(Order {
                id,
                side: row.side,
                created: None,
                arrived: None,
                first: place,
                entered: row.amount,
                first_tick: row.tick,
                last_tick: row.tick,
            });
            self.orders.len() - 1
        });
        let order = &mut self.orders[row.order];
        if row.kind == Kind::Created {
            (order.created, order.arrived) = (Some(place), Some(place));
        }
        if order.first != place {
            // The amount of the last row of this order is kept in `entered` until the trades are known.
            let amount = order.entered;
            row.before = Some((amount, order.last_tick));
            if row.tick != order.last_tick {
                order.arrived = Some(place);
            }
        }
        order.entered = row.amount;
        order.last_tick = row.tick;
        self.rows.push(row);
    }

    /// By how much a row shrinks its order: all that is known, nothing where it does not. An older
    /// order's first row shrinks it by an unknown amount.
    fn shrink(&self, row: &Row) -> Shrink {
        match (row.kind, row.before) {
            (Kind::Changed | Kind::Deleted, Some((before, _))) if row.amount < before => {
                Shrink::By(before - row.amount)
            }
            (Kind::Changed, None) => Shrink::Unknown,
            (Kind::Deleted, None) if row.amount == 0 => Shrink::Unknown,
            _ => Shrink::None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shrink {
    None,
    Unknown,
    By(u64),
}

/// Finds for each trade the two rows that tell of it, and with them its maker and its taker.
fn pair_trades(recording: &mut Recording) {
    let mut used = vec![false; recording.rows.len()];
    for i in 0..recording.trades.len() {
        let mut trade = recording.trades[i];
        let bid = pair(recording, &used, trade.row, Side::Buy);
        let ask = pair(recording, &used, trade.row, Side::Sell);
        for row in [bid, ask].into_iter().flatten() {
            used[row] = true;
        }
        // The taker is the later one. An order that walks through the book enters anew at every price
        // it reaches: it takes orders too that came while it was on its way.
        let lateness = |row: usize| {
            let order = &recording.orders[recording.rows[row].order];
            (order.arrived, order.id)
        };
        (trade.maker, trade.taker) = match (bid, ask) {
            (Some(bid), Some(ask)) => {
                let (maker, taker) = if lateness(bid) < lateness(ask) { (bid, ask) } else { (ask, bid) };
                (Some(maker), Some(recording.rows[taker].order))
            }
            (Some(maker), None) | (None, Some(maker)) => (Some(maker), None),
            (None, None) => (None, None),
        };
        let at_its_price =
            trade.maker.is_some_and(|maker| recording.rows[maker].tick == recording.rows[trade.row].tick);
        if at_its_price {
            explain(recording, &mut trade);
        } else {
            (trade.maker, trade.taker) = (None, None);
        }
        recording.trades[i] = trade;
    }
}

/// The row of that side that shrinks its order by the trade's amount: the nearest before the trade,
/// else the nearest after it; else an older order's first row at the trade's price.
fn pair(recording: &Recording, used: &[bool], trade: usize, side: Side) -> Option<usize> {
    let Row { tick, amount, .. } = recording.rows[trade];
    let after = trade + 1..recording.rows.len().min(trade + 1 + ROWS_AFTER);
    let nearest_first = (trade.saturating_sub(ROWS_BEFORE)..trade).rev().chain(after);
    let candidates = || {
        nearest_first.clone().filter(|&at| {
            let row = &recording.rows[at];
            row.kind != Kind::Trade && row.side == side && !used[at]
        })
    };
    let shrink = |at: usize| recording.shrink(&recording.rows[at]);
    candidates()
        .find(|&at| shrink(at) == Shrink::By(amount))
        .or_else(|| candidates().find(|&at| shrink(at) == Shrink::Unknown && recording.rows[at].tick == tick))
}

/// The closed list of causes has one entry, a predicate on the recording alone: no row of the taker's
/// side shrinks by the trade's amount, but just before it an order that reaches its price is deleted
/// with the amount it had, which is more by no more than a cent buys. The maker's side is exact.
fn explain(recording: &Recording, trade: &mut Trade) {
    let Some(maker) = trade.maker else { return };
    if trade.taker.is_some() {
        return;
    }
    let Row { tick, amount, .. } = recording.rows[trade.row];
    let near = trade.row.saturating_sub(ROWS_LAST_CENT)..trade.row;
    let taker = near.rev().map(|at| &recording.rows[at]).find(|row| {
        let is_whole = row.kind == Kind::Deleted && row.before == Some((row.amount, row.tick));
        let reaches = row.side == Side::Buy && recording.rows[maker].side == Side::Sell && row.tick >= tick;
        is_whole && reaches && row.amount > amount && row.amount - amount <= cent(tick)
    });
    if let Some(row) = taker {
        (trade.taker, trade.cause) = (Some(row.order), Some(LAST_CENT));
    }
}

/// Sets what each order entered with: as recorded, or for an older one what its first row leaves
/// plus what traded there.
fn infer_older_orders(recording: &mut Recording) {
    let traded: HashMap<usize, u64> =
        (recording.trades.iter()).filter_map(|trade| Some((trade.maker?, recording.rows[trade.row].amount))).collect();
    for order in &mut recording.orders {
        let first = order.created.unwrap_or(order.first);
        let taken = if order.created.is_none() { traded.get(&first).copied().unwrap_or(0) } else { 0 };
        order.entered = recording.rows[first].amount.saturating_add(taken);
    }
}

// ---- the engine that matches --------------------------------------------------------------------

struct Matching<'a> {
    recording: &'a Recording,
    run: Run,
    /// The engine's fills by taker: maker, price, quantity, and whether a trade was found for it.
    fills: HashMap<usize, Vec<EngineFill>>,
}

#[derive(Clone, Copy, Debug)]
struct EngineFill {
    maker: usize,
    tick: u64,
    qty: u64,
    is_recorded: bool,
}

fn capacity(recording: &Recording) -> Result<Capacity> {
    let orders = u32::try_from(recording.orders.len() + 16)
        .map_err(|_| Error::Unusable("too many orders for one replay; split the recording".to_owned()))?;
    Ok(Capacity { accounts: orders, orders, sessions: 1, lots: 16 })
}

/// An engine with the mark set and an account for every order, numbered as the orders are.
fn prepare(recording: &Recording, checks: &mut Checks) -> Result<Run> {
    let mut run = Run::new(spec(), capacity(recording)?)?;
    run.name_traders(recording.orders.iter().map(|order| order.id.to_string()).collect());
    let Some(first) = recording.rows.first() else { return Ok(run) };
    let ts = first.ts_ms.saturating_mul(MILLISECOND_NS);
    set_mark(&mut run, spec().tick_price(first.tick), ts, checks)?;
    for order in 0..recording.orders.len() {
        open_unlimited(&mut run, account(order), ts, checks)?;
    }
    Ok(run)
}

fn account(order: usize) -> AccountId {
    AccountId(AccountId::FIRST_TRADER.0 + order as u32)
}

fn client_id(order: &Order) -> ClOrdId {
    ClOrdId::new(&order.id.to_string()).unwrap_or(ClOrdId::NONE)
}

fn target(order: &Order) -> Target {
    Target::ClOrdId(client_id(order))
}

/// The orders older than the recording, oldest first: ids rise with entry.
fn older_orders(recording: &Recording) -> Vec<usize> {
    let mut older: Vec<usize> =
        (0..recording.orders.len()).filter(|&order| recording.orders[order].created.is_none()).collect();
    older.sort_by_key(|&order| recording.orders[order].id);
    older
}

impl<'a> Matching<'a> {
    fn new(recording: &'a Recording, options: Options) -> Result<Matching<'a>> {
        let mut run = prepare(recording, &mut Checks::default())?;
        run.send_fills_to(options.sink);
        Ok(Matching { recording, run, fills: HashMap::new() })
    }

    fn replay(mut self, checks: &mut Checks, mut tick: impl FnMut(u64)) -> Result<Run> {
        let recording = self.recording;
        let first = recording.rows.first().map_or(0, |row| row.ts_ms);
        for order in older_orders(recording) {
            self.enter(order, recording.orders[order].first_tick, first, checks)?;
        }
        for (at, row) in recording.rows.iter().enumerate() {
            match row.kind {
                Kind::Created => self.enter(row.order, row.tick, row.ts_ms, checks)?,
                Kind::Changed => self.walk(row, checks)?,
                Kind::Deleted if row.amount > 0 => self.cancel(row, checks)?,
                _ => {}
            }
            tick(at as u64);
        }
        self.compare_trades(checks);
        self.run.finish(checks)?;
        Ok(self.run)
    }

    fn enter(&mut self, at: usize, limit: Tick, ts_ms: u64, checks: &mut Checks) -> Result<()> {
        let order = &self.recording.orders[at];
        let new = NewOrder::limit(client_id(order), order.side, limit, Qty(order.entered));
        self.submit(at, Action::New(new), ts_ms, checks)
    }

    /// An order whose recorded price changes walks through the book: each step is an amend of its
    /// price, and of its amount where the recording restates that with the price.
    fn walk(&mut self, row: &Row, checks: &mut Checks) -> Result<()> {
        let Some((before, _)) = row.before.filter(|(_, tick)| *tick != row.tick) else { return Ok(()) };
        let mut fields = AmendFields { price: row.tick, ..AmendFields::default() };
        if row.amount != before {
            (fields.qty_kind, fields.qty) = (AmendQty::Leaves.into(), Qty(row.amount));
        }
        let amend = Amend { target: target(&self.recording.orders[row.order]), fields };
        self.submit(row.order, Action::Amend(amend), row.ts_ms, checks)
    }

    fn submit(&mut self, at: usize, action: Action, ts_ms: u64, checks: &mut Checks) -> Result<()> {
        let order = &self.recording.orders[at];
        let events = self.run.apply(account(at), action, ts_ms.saturating_mul(MILLISECOND_NS), checks)?;
        if let Some(reason) = run::refusal(events) {
            checks.unmatched(TRADE, || format!("order {}: the engine refuses it: {reason}", order.id));
        }
        let mut taken = Vec::new();
        for event in events {
            if let Some(Fact::Fill(fill)) = event.fact() {
                let maker = (fill.maker_account - AccountId::FIRST_TRADER.0) as usize;
                taken.push(EngineFill { maker, tick: fill.price, qty: fill.qty.0, is_recorded: false });
            }
        }
        if !taken.is_empty() {
            self.fills.entry(at).or_default().extend(taken);
        }
        Ok(())
    }

    fn cancel(&mut self, row: &Row, checks: &mut Checks) -> Result<()> {
        let recording = self.recording;
        let order = &recording.orders[row.order];
        let cancel = Action::Cancel(Cancel { target: target(order) });
        let events = self.run.apply(account(row.order), cancel, row.ts_ms.saturating_mul(MILLISECOND_NS), checks)?;
        let leaves = canceled_leaves(events);
        if leaves == Some(row.amount) {
            checks.matched(CANCEL);
        } else if let Some(cause) = cause_of_cancel(recording, row.order, row.amount, leaves) {
            checks.explained(CANCEL, cause);
        } else {
            checks.unmatched(CANCEL, || {
                let engine = leaves.map_or("no such order".to_owned(), |leaves| format!("{leaves} open"));
                format!(
                    "line {}: order {} recorded with {} open, the engine has {engine}",
                    row.line, order.id, row.amount
                )
            });
        }
        Ok(())
    }

    fn compare_trades(&mut self, checks: &mut Checks) {
        let recording = self.recording;
        for trade in &recording.trades {
            let row = &recording.rows[trade.row];
            let maker = trade.maker.map(|maker| recording.rows[maker].order);
            let fills = trade.taker.and_then(|taker| self.fills.get_mut(&taker));
            let same = fills.and_then(|fills| {
                fills.iter_mut().find(|fill| {
                    let is_it =
                        Some(fill.maker) == maker && fill.tick == u64::from(row.tick.0) && fill.qty == row.amount;
                    is_it && !fill.is_recorded
                })
            });
            if let Some(fill) = same {
                fill.is_recorded = true;
                checks.matched(TRADE);
                continue;
            }
            match trade.cause {
                Some(cause) => checks.explained(TRADE, cause),
                None => checks.unmatched(TRADE, || self.difference(trade)),
            }
        }
        // What the engine traded and the recording does not know.
        let explained: Vec<usize> =
            recording.trades.iter().filter(|trade| trade.cause.is_some()).filter_map(|trade| trade.taker).collect();
        for taker in 0..recording.orders.len() {
            let fills = self.fills.get(&taker).map_or(&[][..], Vec::as_slice);
            if explained.contains(&taker) {
                continue;
            }
            for fill in fills.iter().filter(|fill| !fill.is_recorded) {
                let id = |order: usize| recording.orders[order].id;
                checks.unmatched(TRADE, || {
                    format!(
                        "the engine trades {} at tick {}, taker {} maker {}; no such trade is recorded",
                        fill.qty,
                        fill.tick,
                        id(taker),
                        id(fill.maker)
                    )
                });
            }
        }
    }

    /// A recorded trade that the engine did not make, in words.
    fn difference(&self, trade: &Trade) -> String {
        let recording = self.recording;
        let row = &recording.rows[trade.row];
        let recorded = format!("line {}: recorded {} at tick {}", row.line, row.amount, row.tick.0);
        let Some(taker) = trade.taker else {
            return format!("{recorded}: no two orders near it shrink by that amount at that price");
        };
        let fills = self.fills.get(&taker).map_or(&[][..], Vec::as_slice);
        let made: Vec<String> = fills
            .iter()
            .map(|fill| format!("{} at tick {} from {}", fill.qty, fill.tick, recording.orders[fill.maker].id))
            .collect();
        let made = if made.is_empty() { "nothing".to_owned() } else { made.join(", ") };
        format!("{recorded}, taker {}: the engine made {made}", recording.orders[taker].id)
    }
}

/// The open quantity of the order that was cancelled; `None` when there was none.
fn canceled_leaves(events: &[Event]) -> Option<u64> {
    events.iter().find_map(|event| match event.fact() {
        Some(Fact::Canceled(canceled)) => Some(canceled.leaves.0),
        _ => None,
    })
}

/// Why an order has another quantity left than recorded: it is the taker of a trade that was a cent
/// short, of which the engine left nothing, or the maker of such trades, of which the engine took a
/// cent's worth more each.
fn cause_of_cancel(recording: &Recording, order: usize, recorded: u64, leaves: Option<u64>) -> Option<&'static str> {
    let explained = || recording.trades.iter().filter(|trade| trade.cause.is_some());
    let made = |trade: &&Trade| trade.maker.is_some_and(|maker| recording.rows[maker].order == order);
    let cents: u64 = explained().filter(made).map(|trade| cent(recording.rows[trade.row].tick)).sum();
    let holds = match leaves {
        Some(leaves) => leaves < recorded && recorded - leaves <= cents,
        None => explained().any(|trade| trade.taker == Some(order)),
    };
    holds.then_some(LAST_CENT)
}

/// The most a cent buys at that price, in satoshi.
fn cent(tick: Tick) -> u64 {
    CENT_SATOSHI_TICKS.div_ceil(u64::from(tick.0).max(1))
}

// ---- the engines that follow --------------------------------------------------------------------

struct Following<'a> {
    recording: &'a Recording,
    /// The bids' engine, the asks' engine.
    runs: [Run; 2],
    /// Trades by price and amount: when.
    trades: HashMap<(Tick, u64), Vec<u64>>,
}

impl<'a> Following<'a> {
    fn new(recording: &'a Recording) -> Result<Following<'a>> {
        let mut trades: HashMap<(Tick, u64), Vec<u64>> = HashMap::new();
        for trade in &recording.trades {
            let row = &recording.rows[trade.row];
            trades.entry((row.tick, row.amount)).or_default().push(row.ts_ms);
        }
        let mut scratch = Checks::default();
        let runs = [prepare(recording, &mut scratch)?, prepare(recording, &mut scratch)?];
        Ok(Following { recording, runs, trades })
    }

    fn replay(mut self, checks: &mut Checks, mut tick: impl FnMut(u64)) -> Result<[Run; 2]> {
        let recording = self.recording;
        let first = recording.rows.first().map_or(0, |row| row.ts_ms);
        for order in older_orders(recording) {
            let Order { first_tick, entered, .. } = recording.orders[order];
            self.enter(order, first_tick, entered, first, checks)?;
        }
        for (at, row) in recording.rows.iter().enumerate() {
            if row.kind != Kind::Trade {
                if self.is_counted(row) {
                    self.compare_maker(row, checks);
                }
                self.follow(row, checks)?;
            }
            tick(at as u64);
        }
        Ok(self.runs)
    }

    fn run(&mut self, side: Side) -> &mut Run {
        &mut self.runs[usize::from(side == Side::Sell)]
    }

    fn enter(&mut self, at: usize, limit: Tick, qty: u64, ts_ms: u64, checks: &mut Checks) -> Result<()> {
        let order = &self.recording.orders[at];
        let new = NewOrder::limit(client_id(order), order.side, limit, Qty(qty));
        let ts = ts_ms.saturating_mul(MILLISECOND_NS);
        self.run(order.side).apply(account(at), Action::New(new), ts, checks)?;
        Ok(())
    }

    /// What the row says is done, whatever came before it.
    fn follow(&mut self, row: &Row, checks: &mut Checks) -> Result<()> {
        if row.kind == Kind::Created {
            return self.enter(row.order, row.tick, row.amount, row.ts_ms, checks);
        }
        let order = &self.recording.orders[row.order];
        let action = if row.kind == Kind::Deleted {
            Action::Cancel(Cancel { target: target(order) })
        } else {
            let moved = row.before.is_some_and(|(_, tick)| tick != row.tick);
            let price = if moved { row.tick } else { Tick(0) };
            let qty_kind = AmendQty::Leaves.into();
            let fields = AmendFields { price, qty_kind, qty: Qty(row.amount), ..AmendFields::default() };
            Action::Amend(Amend { target: target(order), fields })
        };
        let ts = row.ts_ms.saturating_mul(MILLISECOND_NS);
        self.run(order.side).apply(account(row.order), action, ts, checks)?;
        Ok(())
    }

    /// A shrink that counts: known, of an order at the price it was first seen at, with a trade of
    /// that price and that amount within a tenth of a second.
    fn is_counted(&self, row: &Row) -> bool {
        let order = &self.recording.orders[row.order];
        let Shrink::By(amount) = self.recording.shrink(row) else { return false };
        let trades = self.trades.get(&(order.first_tick, amount)).map_or(&[][..], Vec::as_slice);
        trades.iter().any(|ts_ms| ts_ms.abs_diff(row.ts_ms) <= SHRINK_WINDOW_MS)
    }

    fn compare_maker(&mut self, row: &Row, checks: &mut Checks) {
        let order = self.recording.orders[row.order];
        let engine = self.run(order.side).engine();
        let best = engine.best(order.side);
        let mut oldest = None;
        engine.for_each_order(order.side, |view| oldest = oldest.or(Some(view.cl_ord_id)));
        let holds = best == Some(order.first_tick) && oldest == Some(client_id(&order));
        checks.compare(MAKER, holds, || {
            format!(
                "line {}: order {} at tick {} shrinks, the engine's first order is {} at tick {}",
                row.line,
                order.id,
                order.first_tick.0,
                oldest.map_or("none".to_owned(), |id| id.to_string()),
                best.map_or(0, |tick| tick.0)
            )
        });
    }
}
