//! The venue's public websocket: the level book rebuilt in the engine, quotes and trades beside it.
//!
//! A price level is one order: its client id is the recorded id, an insert a new order, an update an
//! amend of the open quantity, a delete a cancel. All buys belong to one account, all sells to
//! another. Inserts are post-only: in a book that never crosses none of them would trade, and where
//! one would, the engine cancels it and `never_crossed` says so. Within a message deletes go first.
//! Trades are no part of the level book (the updates are); a second engine replays them as a tape.

use std::collections::BTreeMap;

use contract::command::{AmendFields, Cancel};
use contract::{
    AccountId, Action, Amend, AmendQty, CancelReason, Capacity, ClOrdId, ContractSpec, ExecInst, Fact, NewOrder, Qty,
    Side, Target, Tick,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::bitmex_trades::{SYMBOL, side};
use super::tape::{FOREIGN_NOTIONAL, HOME_NOTIONAL, TICK_DIRECTION, Tape, TapeTrade, VALUE};
use super::{Options, open_unlimited, set_mark, without_limits};
use crate::checks::Checks;
use crate::error::{Error, Result};
use crate::exact;
use crate::report::Outcome;
use crate::run::{self, Run};
use crate::source::{Format, Source};
use crate::text::{self, Line};
use crate::time::{self, SECOND_NS};

/// Every update and delete names a level that is there, and every insert one that is not.
const KNOWN_ID: &str = "known_id";
/// A level's id follows from its price: 8,800,000,000 less its price in 0.01 USD.
const LEVEL_ID: &str = "level_id";
/// After each message the best bid lies below the best ask, and nothing traded.
const NEVER_CROSSED: &str = "never_crossed";
/// Each quote is the best bid and ask, with their sizes, at some time within a second of it.
const TOP_OF_BOOK: &str = "top_of_book";

const BIDS: AccountId = AccountId(4);
const ASKS: AccountId = AccountId(5);
const LEVEL_ID_BASE: u64 = 8_800_000_000;
/// How far a quote and the book may be apart in time.
const QUOTE_WINDOW_NS: u64 = SECOND_NS;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(default)]
    table: &'a str,
    #[serde(default)]
    action: &'a str,
    #[serde(borrow, default)]
    data: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Named<'a> {
    symbol: &'a str,
}

#[derive(Deserialize)]
struct Level<'a> {
    id: u64,
    side: &'a str,
    size: Option<u64>,
    #[serde(borrow)]
    price: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Quote<'a> {
    bid_size: u64,
    #[serde(borrow)]
    bid_price: &'a RawValue,
    #[serde(borrow)]
    ask_price: &'a RawValue,
    ask_size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trade<'a> {
    timestamp: &'a str,
    side: &'a str,
    size: u64,
    #[serde(borrow)]
    price: &'a RawValue,
    tick_direction: &'a str,
    #[serde(rename = "trdMatchID")]
    id: &'a str,
    gross_value: i64,
    #[serde(borrow)]
    home_notional: &'a RawValue,
    #[serde(borrow)]
    foreign_notional: &'a RawValue,
}

/// Best bid and ask with their sizes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Top {
    bid: Tick,
    bid_qty: Qty,
    ask: Tick,
    ask_qty: Qty,
}

impl std::fmt::Display for Top {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Top { bid, bid_qty, ask, ask_qty } = self;
        write!(f, "{} @ tick {} / {} @ tick {}", bid_qty.0, bid.0, ask_qty.0, ask.0)
    }
}

struct Rebuild {
    run: Run,
    checks: Checks,
    has_mark: bool,
    tops: Vec<(u64, Top)>,
    quotes: Vec<(u64, u64, Top)>,
}

/// Replays the messages.
pub fn replay(source: &Source, options: Options, mut tick: impl FnMut(u64)) -> Result<Outcome> {
    let spec = options.spec.unwrap_or(ContractSpec::XBTUSD_2021);
    let rows: Vec<Line<'_>> = text::lines(&source.name, &source.text).filter(|line| !line.text.is_empty()).collect();
    // No level can be there that the text does not name.
    let levels = source.text.matches("\"price\":").count().max(1 << 10);
    let orders = u32::try_from(levels).map_err(|_| Error::Unusable(format!("{}: too many levels", source.name)))?;
    let capacity = Capacity { accounts: 8, orders, sessions: 1, lots: 16 };
    let mut run = Run::new(without_limits(spec), capacity)?;
    run.name_traders(vec!["bids".to_owned(), "asks".to_owned()]);
    let mut rebuild = Rebuild { run, checks: Checks::default(), has_mark: false, tops: Vec::new(), quotes: Vec::new() };
    for name in [KNOWN_ID, LEVEL_ID, NEVER_CROSSED, TOP_OF_BOOK, VALUE, HOME_NOTIONAL, FOREIGN_NOTIONAL, TICK_DIRECTION]
    {
        rebuild.checks.declare(name);
    }
    let mut tape = Tape::new(spec, options.sink)?;
    let mut skipped = BTreeMap::<String, u64>::new();
    for (row, line) in rows.iter().enumerate() {
        let (ts, message) = read_message(line)?;
        let mut ours = Vec::with_capacity(message.data.len());
        for data in &message.data {
            let symbol = parse_row::<Named<'_>>(line, data)?.symbol;
            if symbol == SYMBOL { ours.push(*data) } else { *skipped.entry(symbol.to_owned()).or_insert(0) += 1 }
        }
        if !ours.is_empty() {
            match message.table {
                "orderBookL2" => rebuild.levels(line, ts, message.action, &ours)?,
                "quote" => rebuild.quotes(line, ts, &ours)?,
                "trade" => trades(line, &spec, &ours, &mut tape, &mut rebuild.checks)?,
                other => *skipped.entry(format!("table {other}")).or_insert(0) += 1,
            }
        }
        tick(row as u64 + 1);
    }
    rebuild.compare_quotes();
    let notes = skipped.iter().map(|(what, count)| format!("{count} rows of {what} passed over")).collect();
    let Rebuild { run, mut checks, .. } = rebuild;
    let tape = tape.into_run(&mut checks)?;
    let format = Format::BitmexWs.name();
    Ok(Outcome { format, rows: rows.len() as u64, runs: vec![run, tape], fills_of: 1, checks, notes })
}

fn read_message<'a>(line: &Line<'a>) -> Result<(u64, Message<'a>)> {
    let allowed = "a receive time in seconds, a tab, a JSON message";
    let (stamp, json) = line.text.split_once('\t').ok_or_else(|| line.error(1, "no tab", allowed))?;
    let ts = time::parse_seconds(stamp).ok_or_else(|| line.error(1, format!("{stamp:?}"), allowed))?;
    let message = serde_json::from_str(json).map_err(|error| {
        let column = stamp.len() as u64 + 1 + error.column() as u64;
        line.error(column, format!("broken JSON ({error})"), allowed)
    })?;
    Ok((ts, message))
}

/// The column at which a value stands: both are parts of the same text.
fn column_of(line: &Line<'_>, value: &RawValue) -> u64 {
    (value.get().as_ptr() as usize).wrapping_sub(line.text.as_ptr() as usize) as u64 + 1
}

fn read_tick(line: &Line<'_>, price: &RawValue, spec: &ContractSpec) -> Result<Tick> {
    exact::tick(price.get(), spec).map_err(|allowed| line.error(column_of(line, price), price.get(), allowed))
}

fn read_side(line: &Line<'_>, data: &RawValue, text: &str) -> Result<Side> {
    side(text).ok_or_else(|| line.error(column_of(line, data), format!("side {text:?}"), "Buy or Sell"))
}

impl Rebuild {
    /// One message about the level book.
    fn levels(&mut self, line: &Line<'_>, ts: u64, action: &str, rows: &[&RawValue]) -> Result<()> {
        let number = line.number;
        self.begin(line, ts, rows)?;
        match action {
            "partial" => {
                self.clear(ts)?;
                for row in rows {
                    self.insert(line, ts, row)?;
                }
            }
            "insert" => rows.iter().try_for_each(|row| self.insert(line, ts, row))?,
            "update" => rows.iter().try_for_each(|row| self.update(line, ts, row))?,
            "delete" => rows.iter().try_for_each(|row| self.delete(line, ts, row))?,
            _ => return Err(line.error(1, format!("action {action:?}"), "partial, insert, update, delete")),
        }
        let engine = self.run.engine();
        let (Some(bid), Some(ask)) = (engine.best(Side::Buy), engine.best(Side::Sell)) else { return Ok(()) };
        self.checks.compare(NEVER_CROSSED, bid < ask, || {
            format!("line {number}: best bid at tick {}, best ask at tick {}", bid.0, ask.0)
        });
        let top = Top { bid, bid_qty: engine.level_qty(bid), ask, ask_qty: engine.level_qty(ask) };
        if self.tops.last().is_none_or(|(_, last)| *last != top) {
            self.tops.push((ts, top));
        }
        Ok(())
    }

    /// Before the first level: the two accounts, and the mark at the best bid of the first message (else
    /// at its lowest price). At the far ends of the scale, where levels rest too, the mark would stand
    /// at the price that means "never".
    fn begin(&mut self, line: &Line<'_>, ts: u64, rows: &[&RawValue]) -> Result<()> {
        if self.has_mark {
            return Ok(());
        }
        let spec = *self.run.engine().spec();
        let (mut best_bid, mut lowest) = (None, None);
        for row in rows {
            let level: Level<'_> = parse_row(line, row)?;
            let Some(price) = level.price else { continue };
            let tick = read_tick(line, price, &spec)?;
            lowest = Some(lowest.map_or(tick, |lowest: Tick| lowest.min(tick)));
            if read_side(line, row, level.side)? == Side::Buy {
                best_bid = best_bid.max(Some(tick));
            }
        }
        let Some(tick) = best_bid.or(lowest) else { return Ok(()) };
        open_unlimited(&mut self.run, BIDS, ts, &mut self.checks)?;
        open_unlimited(&mut self.run, ASKS, ts, &mut self.checks)?;
        set_mark(&mut self.run, spec.tick_price(tick), ts, &mut self.checks)?;
        self.has_mark = true;
        Ok(())
    }

    /// A snapshot replaces what was there.
    fn clear(&mut self, ts: u64) -> Result<()> {
        let mut resting = Vec::new();
        for side in [Side::Buy, Side::Sell] {
            self.run.engine().for_each_order(side, |order| resting.push((order.account, order.id)));
        }
        for (account, id) in resting {
            let cancel = Action::Cancel(Cancel { target: Target::OrderId(id) });
            self.run.apply(account, cancel, ts, &mut self.checks)?;
        }
        Ok(())
    }

    fn insert(&mut self, line: &Line<'_>, ts: u64, row: &RawValue) -> Result<()> {
        let level: Level<'_> = parse_row(line, row)?;
        let (Some(size), Some(price)) = (level.size, level.price) else {
            return Err(line.error(column_of(line, row), "an insert without size or price", "both"));
        };
        let number = line.number;
        let spec = *self.run.engine().spec();
        let tick = read_tick(line, price, &spec)?;
        let side = read_side(line, row, level.side)?;
        let cents = spec.tick_price(tick).0;
        self.checks.compare(LEVEL_ID, level.id.checked_add(cents) == Some(LEVEL_ID_BASE), || {
            format!("line {number}: level {} at {}", level.id, exact::plain_price(spec.tick_price(tick)))
        });
        let order = NewOrder::limit(client_id(level.id), side, tick, Qty(size)).with_inst(ExecInst::POST_ONLY);
        let events = self.run.apply(account_of(side), Action::New(order), ts, &mut self.checks)?;
        let would_trade = events.iter().any(|event| match event.fact() {
            Some(Fact::Canceled(canceled)) => canceled.cancel_reason() == Some(CancelReason::PostOnly),
            fact => matches!(fact, Some(Fact::Fill(_))),
        });
        let refusal = run::refusal(events);
        self.checks.compare(KNOWN_ID, refusal.is_none(), || {
            format!("line {number}: the insert of level {} is refused: {}", level.id, refusal.unwrap_or(""))
        });
        if would_trade {
            self.checks.unmatched(NEVER_CROSSED, || format!("line {number}: level {} would trade", level.id));
        }
        Ok(())
    }

    fn update(&mut self, line: &Line<'_>, ts: u64, row: &RawValue) -> Result<()> {
        let level: Level<'_> = parse_row(line, row)?;
        let Some(size) = level.size else {
            return Err(line.error(column_of(line, row), "an update without size", "a size"));
        };
        let fields = AmendFields { qty_kind: AmendQty::Leaves.into(), qty: Qty(size), ..AmendFields::default() };
        let amend = Amend { target: Target::ClOrdId(client_id(level.id)), fields };
        self.known(line, ts, row, &level, Action::Amend(amend))
    }

    fn delete(&mut self, line: &Line<'_>, ts: u64, row: &RawValue) -> Result<()> {
        let level: Level<'_> = parse_row(line, row)?;
        let cancel = Cancel { target: Target::ClOrdId(client_id(level.id)) };
        self.known(line, ts, row, &level, Action::Cancel(cancel))
    }

    /// A change of a level that has to be there.
    fn known(&mut self, line: &Line<'_>, ts: u64, row: &RawValue, level: &Level<'_>, action: Action) -> Result<()> {
        let number = line.number;
        let account = account_of(read_side(line, row, level.side)?);
        let events = self.run.apply(account, action, ts, &mut self.checks)?;
        let refusal = run::refusal(events);
        self.checks.compare(KNOWN_ID, refusal.is_none(), || {
            format!("line {number}: level {} of side {}: {}", level.id, level.side, refusal.unwrap_or(""))
        });
        Ok(())
    }

    fn quotes(&mut self, line: &Line<'_>, ts: u64, rows: &[&RawValue]) -> Result<()> {
        let spec = *self.run.engine().spec();
        for row in rows {
            let quote: Quote<'_> = parse_row(line, row)?;
            let top = Top {
                bid: read_tick(line, quote.bid_price, &spec)?,
                bid_qty: Qty(quote.bid_size),
                ask: read_tick(line, quote.ask_price, &spec)?,
                ask_qty: Qty(quote.ask_size),
            };
            self.quotes.push((line.number, ts, top));
        }
        Ok(())
    }

    /// Each quote against the tops that were in force within a second of it.
    fn compare_quotes(&mut self) {
        for (line, ts, quote) in &self.quotes {
            // The top in force when the window opens, and every one that came within it.
            let opens = self.tops.partition_point(|(at, _)| *at <= ts.saturating_sub(QUOTE_WINDOW_NS));
            let closes = self.tops.partition_point(|(at, _)| *at <= ts.saturating_add(QUOTE_WINDOW_NS));
            let within = &self.tops[opens.saturating_sub(1)..closes];
            let holds = within.iter().any(|(_, top)| top == quote);
            self.checks.compare(TOP_OF_BOOK, holds, || {
                let last = within.last().map_or("none".to_owned(), |(_, top)| top.to_string());
                format!("line {line}: recorded quote {quote}, the engine's last best {last}")
            });
        }
    }
}

/// Reads one row of a message; an error points into the line.
fn parse_row<'a, T: Deserialize<'a>>(line: &Line<'_>, data: &'a RawValue) -> Result<T> {
    serde_json::from_str(data.get()).map_err(|error| {
        let column = column_of(line, data) + (error.column() as u64).saturating_sub(1);
        line.error(column, format!("a row that cannot be read ({error})"), "the venue's fields of this table")
    })
}

fn trades(
    line: &Line<'_>,
    spec: &ContractSpec,
    rows: &[&RawValue],
    tape: &mut Tape,
    checks: &mut Checks,
) -> Result<()> {
    for row in rows {
        let trade: Trade<'_> = parse_row(line, row)?;
        let at = |value: &RawValue, allowed: String| line.error(column_of(line, value), value.get(), allowed);
        let scaled = |value: &RawValue, places: u32| {
            exact::scaled_recorded(value.get(), places).map_err(|allowed| at(value, allowed))
        };
        let id = ClOrdId::new(trade.id)
            .ok_or_else(|| at(row, "a trdMatchID of 1 to 36 characters of printable ASCII".to_owned()))?;
        let ts = time::parse_utc(trade.timestamp).ok_or_else(|| at(row, "a UTC time".to_owned()))?;
        let recorded = TapeTrade {
            line: line.number,
            ts,
            tick: read_tick(line, trade.price, spec)?,
            qty: Qty(trade.size),
            side: read_side(line, row, trade.side)?,
            id,
            direction: trade.tick_direction,
            gross_value: i128::from(trade.gross_value),
            home_notional: scaled(trade.home_notional, 8)?,
            foreign_notional: scaled(trade.foreign_notional, 0)?,
        };
        tape.trade(&recorded, checks)?;
    }
    Ok(())
}

const fn account_of(side: Side) -> AccountId {
    match side {
        Side::Sell => ASKS,
        _ => BIDS,
    }
}

/// The recorded id of a level as a client id.
fn client_id(id: u64) -> ClOrdId {
    ClOrdId::new(&id.to_string()).unwrap_or(ClOrdId::NONE)
}
