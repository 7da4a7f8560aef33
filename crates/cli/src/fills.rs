//! The fills of a replay: as rows of a table, as a hash, and against a file of expected rows.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use contract::event::Fill;
use contract::{AccountId, ClOrdId, ContractSpec, Event, FillCause, Price, Qty, Side, Tick, Xbt};
use rust_decimal::Decimal;

use crate::checks::Checks;
use crate::error::{Error, Result};
use crate::exact;
use crate::source::Source;
use crate::text::{self, Field, Header};

/// The columns of `--fills`, in their order.
pub const COLUMNS: [&str; 18] = [
    "seq",
    "n",
    "ts_ns",
    "cause",
    "price",
    "qty",
    "value_xbt",
    "taker_side",
    "taker_account",
    "taker_id",
    "taker_order",
    "taker_fee_xbt",
    "taker_leaves",
    "maker_account",
    "maker_id",
    "maker_order",
    "maker_fee_xbt",
    "maker_leaves",
];

/// The check that `--expect` makes.
pub const EXPECT: &str = "expect";

/// One fill with the log's names.
#[derive(Clone, Copy, Debug)]
pub struct FillRow<'a> {
    /// Place of its command.
    pub seq: u64,
    /// Its number among that command's events.
    pub n: u32,
    /// Its time.
    pub ts: u64,
    /// What the engine said.
    pub fill: Fill,
    /// Why.
    pub cause: FillCause,
    /// Where, in USD.
    pub price: Price,
    /// Name of the taker's account.
    pub taker_account: &'a str,
    /// Name of the maker's account.
    pub maker_account: &'a str,
    /// The taker's order as the log calls it, or none.
    pub taker_id: ClOrdId,
    /// The maker's order as the log calls it, or none.
    pub maker_id: ClOrdId,
}

impl<'a> FillRow<'a> {
    /// The row of a fill event.
    #[must_use]
    pub fn new(event: &Event, fill: Fill, spec: &ContractSpec, names: Names<'a>) -> FillRow<'a> {
        let cause = fill.cause.get().unwrap_or(FillCause::Trade);
        let in_ticks = matches!(cause, FillCause::Trade | FillCause::CloseOut);
        let tick = || u32::try_from(fill.price).map_or(Price(0), |tick| spec.tick_price(Tick(tick)));
        FillRow {
            seq: event.seq(),
            n: event.n(),
            ts: event.ts(),
            fill,
            cause,
            price: if in_ticks { tick() } else { Price(fill.price) },
            taker_account: names.taker_account,
            maker_account: names.maker_account,
            taker_id: names.taker_id,
            maker_id: names.maker_id,
        }
    }

    fn column(&self, column: usize) -> String {
        let fill = &self.fill;
        match column {
            0 => self.seq.to_string(),
            1 => self.n.to_string(),
            2 => self.ts.to_string(),
            3 => cause_name(self.cause).to_owned(),
            4 => exact::plain_price(self.price),
            5 => fill.qty.0.to_string(),
            6 => fill.value.0.to_string(),
            7 => side_name(fill.taker_side.get()).to_owned(),
            8 => self.taker_account.to_owned(),
            9 => self.taker_id.to_string(),
            10 => fill.taker_number.to_string(),
            11 => fill.taker_fee.0.to_string(),
            12 => fill.taker_leaves.0.to_string(),
            13 => self.maker_account.to_owned(),
            14 => self.maker_id.to_string(),
            15 => fill.maker_number.to_string(),
            16 => fill.maker_fee.0.to_string(),
            _ => fill.maker_leaves.0.to_string(),
        }
    }
}

/// The names a fill is told with.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The taker's account.
    pub taker_account: &'a str,
    /// The maker's account.
    pub maker_account: &'a str,
    /// The taker's order.
    pub taker_id: ClOrdId,
    /// The maker's order.
    pub maker_id: ClOrdId,
}

fn cause_name(cause: FillCause) -> &'static str {
    match cause {
        FillCause::Takeover => "takeover",
        FillCause::CloseOut => "close_out",
        FillCause::Deleverage => "deleverage",
        _ => "trade",
    }
}

/// The log's word for a side.
#[must_use]
pub fn side_name(side: Option<Side>) -> &'static str {
    match side {
        Some(Side::Buy) => "buy",
        Some(Side::Sell) => "sell",
        _ => "",
    }
}

/// The hash over the trades of a log whose orders are numbered, as `docs/formats.md` defines it.
/// It is absent as soon as one trade has an order whose id is no number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TradesHash(Option<u64>);

impl Default for TradesHash {
    fn default() -> Self {
        TradesHash(Some(0xcbf2_9ce4_8422_2325))
    }
}

impl TradesHash {
    /// Takes one trade in.
    #[inline]
    pub fn add(&mut self, maker: Option<u64>, taker: Option<u64>, price: u64, qty: Qty) {
        self.0 = match (self.0, maker, taker) {
            (Some(hash), Some(maker), Some(taker)) => {
                let k = maker ^ taker.rotate_left(21) ^ price.rotate_left(42) ^ qty.0.rotate_left(53);
                Some((hash ^ k).wrapping_mul(0x9e37_79b9_7f4a_7c15))
            }
            _ => None,
        };
    }

    /// As text, where there is one.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        self.0.map(|hash| format!("{hash:016x}"))
    }
}

/// The number an order's id is, where it is one.
#[must_use]
pub fn numeric(id: &ClOrdId) -> Option<u64> {
    let mut number = 0u64;
    let mut digits = 0;
    for byte in id.to_bytes() {
        match byte {
            b'0'..=b'9' => number = number.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?,
            0 => break,
            _ => return None,
        }
        digits += 1;
    }
    (digits > 0).then_some(number)
}

/// Where fills go beside the tally: into a file, and against the rows of another.
#[derive(Default)]
pub struct FillSink {
    writer: Option<(PathBuf, BufWriter<File>)>,
    expected: Option<Expected>,
}

struct Expected {
    file: String,
    /// Index into [`COLUMNS`] of each column the file has.
    columns: Vec<usize>,
    /// Line number and fields of each row.
    rows: std::vec::IntoIter<(u64, Vec<String>)>,
}

impl FillSink {
    /// A sink for `--fills` and `--expect`, either of which may be absent.
    pub fn open(fills: Option<&Path>, expect: Option<&Path>) -> Result<FillSink> {
        // First what may be refused: nothing is written over for the sake of a bad expectation.
        let expected = expect.map(Expected::read).transpose()?;
        let mut sink = FillSink { writer: None, expected };
        if let Some(path) = fills {
            let file = File::create(path).map_err(|error| Error::io(path, error))?;
            let mut writer = BufWriter::new(file);
            writeln!(writer, "{}", COLUMNS.join(",")).map_err(|error| Error::io(path, error))?;
            sink.writer = Some((path.to_owned(), writer));
        }
        Ok(sink)
    }

    /// Takes one fill.
    pub fn push(&mut self, row: &FillRow<'_>, checks: &mut Checks) -> Result<()> {
        if let Some((path, writer)) = &mut self.writer {
            for column in 0..COLUMNS.len() {
                let comma = if column == 0 { "" } else { "," };
                let text = row.column(column);
                write!(writer, "{comma}{}", text::quote(&text)).map_err(|error| Error::io(path.as_path(), error))?;
            }
            writeln!(writer).map_err(|error| Error::io(path.as_path(), error))?;
        }
        if let Some(expected) = &mut self.expected {
            expected.compare(row, checks);
        }
        Ok(())
    }

    /// Ends both: expected rows that never came are differences.
    pub fn finish(mut self, checks: &mut Checks) -> Result<()> {
        if let Some((path, mut writer)) = self.writer.take() {
            writer.flush().map_err(|error| Error::io(path, error))?;
        }
        if let Some(expected) = &mut self.expected {
            for (line, fields) in expected.rows.by_ref() {
                let file = &expected.file;
                checks.unmatched(EXPECT, || format!("{file}:{line}: expected {}, no such fill", fields.join(",")));
            }
        }
        Ok(())
    }
}

impl Expected {
    fn read(path: &Path) -> Result<Expected> {
        let source = Source::open(path)?;
        let mut lines =
            text::lines(&source.name, &source.text).filter(|line| !line.text.is_empty() && !line.text.starts_with('#'));
        let allowed = || format!("a header with some of the columns {}", COLUMNS.join(","));
        let Some(first) = lines.next() else {
            return Err(Error::Unusable(format!("{}: found no header; allowed: {}", source.name, allowed())));
        };
        let header = Header::read(&first)?;
        let columns = header.names().iter().map(|name| {
            COLUMNS
                .iter()
                .position(|column| column == name)
                .ok_or_else(|| first.error(1, format!("column {name:?}"), allowed()))
        });
        let columns = columns.collect::<Result<Vec<usize>>>()?;
        let mut rows = Vec::new();
        let mut fields: Vec<Field<'_>> = Vec::new();
        for line in lines {
            line.fields(&mut fields)?;
            header.check(&line, &fields)?;
            rows.push((line.number, fields.iter().map(|field| field.text.trim().to_owned()).collect()));
        }
        Ok(Expected { file: source.name.clone(), columns, rows: rows.into_iter() })
    }

    fn compare(&mut self, row: &FillRow<'_>, checks: &mut Checks) {
        let Some((line, fields)) = self.rows.next() else {
            let file = &self.file;
            checks.unmatched(EXPECT, || {
                let all: Vec<String> = (0..COLUMNS.len()).map(|column| row.column(column)).collect();
                format!("{file}: has no row left for the fill {}", all.join(","))
            });
            return;
        };
        let different: Vec<String> = (self.columns.iter().zip(&fields))
            .map(|(&column, expected)| (column, expected, row.column(column)))
            .filter(|(column, expected, got)| !is_same(*column, expected, got))
            .map(|(column, expected, got)| format!("{} expected {expected:?} got {got:?}", COLUMNS[column]))
            .collect();
        let file = &self.file;
        checks.compare(EXPECT, different.is_empty(), || {
            format!("{file}:{line}: fill {}.{}: {}", row.seq, row.n, different.join(", "))
        });
    }
}

/// Prices are compared as numbers (`5700` is `5700.0`), all else as text.
fn is_same(column: usize, expected: &str, got: &str) -> bool {
    let number = |text: &str| Decimal::from_str_exact(text).ok();
    expected == got || (COLUMNS[column] == "price" && number(expected).is_some() && number(expected) == number(got))
}

/// The columns of `--accounts`, in their order.
pub const ACCOUNT_COLUMNS: [&str; 8] = [
    "account",
    "wallet_xbt",
    "qty",
    "cost_xbt",
    "realised_xbt",
    "order_margin_xbt",
    "liquidation_price",
    "bankruptcy_price",
];

/// One account as it stands at the end.
#[derive(Clone, Debug)]
pub struct AccountRow {
    /// Its name.
    pub account: String,
    /// Wallet balance.
    pub wallet: Xbt,
    /// Contracts, signed.
    pub qty: i64,
    /// Unrealised cost.
    pub cost: Xbt,
    /// Realised PnL, fees taken off.
    pub realised: Xbt,
    /// Margin held for open orders.
    pub order_margin: Xbt,
    /// Liquidation price; 0 when flat.
    pub liquidation_price: Price,
    /// Bankruptcy price; 0 when flat.
    pub bankruptcy_price: Price,
}

/// Writes `--accounts`.
pub fn write_accounts(path: &Path, rows: &[AccountRow]) -> Result<()> {
    let mut text = format!("{}\n", ACCOUNT_COLUMNS.join(","));
    for row in rows {
        text.push_str(&format!(
            "{},{},{},{},{},{},{},{}\n",
            text::quote(&row.account),
            row.wallet.0,
            row.qty,
            row.cost.0,
            row.realised.0,
            row.order_margin.0,
            exact::plain_price(row.liquidation_price),
            exact::plain_price(row.bankruptcy_price),
        ));
    }
    std::fs::write(path, text).map_err(|error| Error::io(path, error))
}

/// The name of a house account.
#[must_use]
pub fn house_name(account: AccountId) -> &'static str {
    match account {
        AccountId::FEES => "fees",
        AccountId::INSURANCE => "insurance",
        AccountId::RESIDUE => "residue",
        _ => "liquidation",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_numbers_only_where_they_are_nothing_else() {
        for (id, number) in [
            ("0", Some(0)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("12a", None),
            ("-1", None),
        ] {
            assert_eq!(numeric(&ClOrdId::new(id).unwrap()), number, "{id}");
        }
        assert_eq!(numeric(&ClOrdId::NONE), None);
    }

    #[test]
    fn the_hash_is_the_one_that_was_defined() {
        let mut hash = TradesHash::default();
        assert_eq!(hash.text().unwrap(), "cbf29ce484222325");
        hash.add(Some(1), Some(2), 20_000, Qty(100));
        let k = 1u64 ^ 2u64.rotate_left(21) ^ 20_000u64.rotate_left(42) ^ 100u64.rotate_left(53);
        let expected = (0xcbf2_9ce4_8422_2325u64 ^ k).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        assert_eq!(hash.text().unwrap(), format!("{expected:016x}"));
        hash.add(None, Some(2), 20_000, Qty(100));
        assert_eq!(hash.text(), None);
        hash.add(Some(1), Some(2), 20_000, Qty(100));
        assert_eq!(hash.text(), None, "once absent it stays so");
    }
}
