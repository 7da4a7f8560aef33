//! The venue's public trades, a CSV row each: values to the satoshi.
//!
//! Up to March 2021 the contract had a lot of 1 and rounded one contract at a time, from July 2021
//! on a lot of 100 and rounds a hundred as one; between them the sizes decide. (Rules CONTRACT-1,
//! CONTRACT-2, VALUE-1)

use contract::{ClOrdId, ContractSpec, Qty, Side};

use super::Options;
use super::tape::{FOREIGN_NOTIONAL, HOME_NOTIONAL, TICK_DIRECTION, Tape, TapeTrade, VALUE};
use crate::checks::Checks;
use crate::error::{Error, Result};
use crate::exact;
use crate::report::Outcome;
use crate::source::{Format, Source};
use crate::text::{self, Field, Header, Line};
use crate::time;

const COLUMNS: [&str; 10] = [
    "timestamp",
    "symbol",
    "side",
    "size",
    "price",
    "tickDirection",
    "trdMatchID",
    "grossValue",
    "homeNotional",
    "foreignNotional",
];

/// The instrument this engine trades.
pub const SYMBOL: &str = "XBTUSD";
/// The first month in which a lot is certainly 100, as year·100 + month.
const LOT_OF_100_FROM: u64 = 202_107;
/// The first month in which a lot is not certainly 1.
const LOT_OF_1_BEFORE: u64 = 202_104;

/// Replays the trades.
pub fn replay(source: &Source, options: Options, mut tick: impl FnMut(u64)) -> Result<Outcome> {
    let mut lines = text::lines(&source.name, &source.text).filter(|line| !line.text.is_empty());
    let no_rows = || Error::Unusable(format!("{}: found no trades; allowed: {}", source.name, COLUMNS.join(",")));
    let first = lines.next().ok_or_else(no_rows)?;
    let header = Header::read(&first)?;
    let at = header.positions(&first, COLUMNS)?;
    let rows: Vec<Line<'_>> = lines.collect();
    if rows.is_empty() {
        return Err(no_rows());
    }
    let spec = match options.spec {
        Some(spec) => spec,
        None => choose_spec(&header, at, &rows)?,
    };
    let mut tape = Tape::new(spec, options.sink)?;
    let mut checks = Checks::default();
    for name in [VALUE, HOME_NOTIONAL, FOREIGN_NOTIONAL, TICK_DIRECTION] {
        checks.declare(name);
    }
    let mut fields = Vec::new();
    let mut skipped = std::collections::BTreeMap::<String, u64>::new();
    for (row, line) in rows.iter().enumerate() {
        line.fields(&mut fields)?;
        header.check(line, &fields)?;
        let symbol = &fields[at[1]].text;
        if symbol == SYMBOL {
            let trade = read(line, &fields, at, &spec)?;
            tape.trade(&trade, &mut checks)?;
        } else {
            *skipped.entry(symbol.to_string()).or_insert(0) += 1;
        }
        tick(row as u64 + 1);
    }
    let notes = skipped.iter().map(|(symbol, count)| format!("{count} rows of {symbol} passed over")).collect();
    let run = tape.into_run(&mut checks)?;
    let format = Format::BitmexTrades.name();
    Ok(Outcome { format, rows: rows.len() as u64, runs: vec![run], fills_of: 0, checks, notes })
}

/// The profile that was in force when the tape was recorded.
fn choose_spec(header: &Header, at: [usize; 10], rows: &[Line<'_>]) -> Result<ContractSpec> {
    let mut fields = Vec::new();
    rows[0].fields(&mut fields)?;
    header.check(&rows[0], &fields)?;
    let stamp = &fields[at[0]];
    let month = time::year_month(&stamp.text).ok_or_else(|| bad_stamp(&rows[0], stamp))?;
    if month >= LOT_OF_100_FROM {
        return Ok(ContractSpec::XBTUSD_2021);
    }
    if month < LOT_OF_1_BEFORE {
        return Ok(ContractSpec::XBTUSD_2019);
    }
    for row in rows {
        row.fields(&mut fields)?;
        if fields.get(at[3]).is_some_and(|size| !size.text.ends_with("00")) {
            return Ok(ContractSpec::XBTUSD_2019);
        }
    }
    Ok(ContractSpec::XBTUSD_2021)
}

fn bad_stamp(line: &Line<'_>, field: &Field<'_>) -> Error {
    line.error(field.column, format!("{:?}", field.text), "a UTC time such as 2019-05-03T12:00:09.576Z")
}

fn read<'a>(line: &Line<'a>, fields: &'a [Field<'a>], at: [usize; 10], spec: &ContractSpec) -> Result<TapeTrade<'a>> {
    let field = |i: usize| &fields[at[i]];
    let bad = |i: usize, allowed: String| line.error(field(i).column, format!("{:?}", field(i).text), allowed);
    let number =
        |i: usize, places: u32| exact::scaled_recorded(&field(i).text, places).map_err(|allowed| bad(i, allowed));
    let unsigned = |i: usize| {
        u64::try_from(number(i, 0)?).map_err(|_| bad(i, "an integer from 0 to 18446744073709551615".to_owned()))
    };
    Ok(TapeTrade {
        line: line.number,
        ts: time::parse_utc(&field(0).text).ok_or_else(|| bad_stamp(line, field(0)))?,
        tick: exact::tick(&field(4).text, spec).map_err(|allowed| bad(4, allowed))?,
        qty: Qty(unsigned(3)?),
        side: side(&field(2).text).ok_or_else(|| bad(2, "Buy or Sell".to_owned()))?,
        id: ClOrdId::new(&field(6).text).ok_or_else(|| bad(6, "1 to 36 characters of printable ASCII".to_owned()))?,
        direction: &field(5).text,
        gross_value: number(7, 0)?,
        home_notional: number(8, 8)?,
        foreign_notional: number(9, 0)?,
    })
}

/// The venue's word for a side.
#[must_use]
pub fn side(text: &str) -> Option<Side> {
    match text {
        "Buy" => Some(Side::Buy),
        "Sell" => Some(Side::Sell),
        _ => None,
    }
}
