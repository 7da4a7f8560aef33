//! One account's wallet ledger, a CSV row each: every balance, to the satoshi.
//!
//! A completed row's amount is deposited where it is positive and withdrawn where it is negative, whatever it
//! was for: what is proved is that the engine's ledger rolls forward as the recorded one. (Rules SUM-5, WITHDRAW-1)
//!
//! Until April 2024 all rows of one stamp show the balance after the last of them, since then each row its own.

use contract::command::{Amount, OpenAccount};
use contract::{AccountId, Action, Capacity, ContractSpec, Xbt};

use super::{Options, without_limits};
use crate::checks::Checks;
use crate::error::{Error, Result};
use crate::exact;
use crate::report::Outcome;
use crate::run::{Run, refusal};
use crate::source::{Format, Source};
use crate::text::{self, Field, Header, Line};
use crate::time;

const COLUMNS: [&str; 6] = ["timestamp", "transactStatus", "currency", "amount", "walletBalance", "transactID"];

/// The engine's balance against the recorded one.
pub const BALANCE: &str = "balance";
/// Every completed row is a deposit or a withdrawal that the engine carries out.
pub const CARRIED_OUT: &str = "carried_out";
/// The recording begins with a balance of which it does not say where it came from.
pub const OPENING: &str = "opening";
/// The row whose balance the venue recorded as it stood amid its neighbour of the same stamp.
pub const SWAPPED_PAIR: &str = "swapped_pair";

/// The currency of this engine's wallets.
const CURRENCY: &str = "XBt";
/// From here on each row shows its own balance: 2024-04-10.
const ROW_BY_ROW_FROM: &str = "2024-04-10T00:00:00Z";
/// The one row that [`SWAPPED_PAIR`] is about: its transaction, and what was recorded there.
const SWAPPED: (&str, i128) = ("00000000-0077-1000-0000-000018652967", 1_359_782_184);
const HOLDER: AccountId = AccountId(4);

/// A row that counts.
struct Row {
    line: u64,
    ts: u64,
    amount: i128,
    balance: i128,
    is_swapped: bool,
}

/// Replays the ledger.
pub fn replay(source: &Source, options: Options, mut tick: impl FnMut(u64)) -> Result<Outcome> {
    let mut passed_over = [("not completed", 0u64), ("of another currency", 0)];
    let rows = read(source, &mut passed_over)?;
    let spec = without_limits(options.spec.unwrap_or(ContractSpec::XBTUSD_2021));
    let mut run = Run::new(spec, Capacity { accounts: 5, orders: 1, sessions: 1, lots: 1 })?;
    run.name_traders(vec!["holder".to_owned()]);
    run.send_fills_to(options.sink);
    let mut checks = Checks::default();
    checks.declare(BALANCE);
    checks.declare(CARRIED_OUT);
    let each_from = time::parse_utc(ROW_BY_ROW_FROM).unwrap_or(u64::MAX);
    let first_ts = rows.first().map_or(0, |row| row.ts);
    run.apply(HOLDER, Action::OpenAccount(OpenAccount { fee_class: 0 }), first_ts, &mut checks)?;

    let mut explained = bring_forward(source, &rows, each_from, &mut run, &mut checks)?;
    let mut at = 0;
    while at < rows.len() {
        let is_group = rows[at].ts < each_from;
        let together = rows[at..].iter().take_while(|row| is_group && row.ts == rows[at].ts).count().max(1);
        for row in &rows[at..at + together] {
            carry_out(&mut run, row, &mut checks)?;
        }
        let balance = run.engine().wallet(HOLDER).map_or(0, |wallet| i128::from(wallet.balance.0));
        for row in &rows[at..at + together] {
            if explained > 0 {
                explained -= 1;
                checks.explained(BALANCE, OPENING);
            } else if row.is_swapped && row.balance != balance {
                checks.explained(BALANCE, SWAPPED_PAIR);
            } else {
                checks.compare(BALANCE, row.balance == balance, || {
                    format!("line {}: recorded {} XBt, the engine has {balance}", row.line, row.balance)
                });
            }
        }
        at += together;
        tick(at as u64);
    }
    run.finish(&mut checks)?;
    let notes = passed_over.iter().filter(|(_, count)| *count != 0);
    let notes = notes.map(|(what, count)| format!("{count} rows {what} passed over")).collect();
    let format = Format::BitmexWallet.name();
    let count = rows.len() as u64 + passed_over.iter().map(|(_, count)| count).sum::<u64>();
    Ok(Outcome { format, rows: count, runs: vec![run], fills_of: 0, checks, notes })
}

/// Deposits the balance that the first rows do not account for; says how many rows that explains.
fn bring_forward(source: &Source, rows: &[Row], each_from: u64, run: &mut Run, checks: &mut Checks) -> Result<usize> {
    let Some(first) = rows.first() else { return Ok(0) };
    let is_group = first.ts < each_from;
    let together = rows.iter().take_while(|row| is_group && row.ts == first.ts).count().max(1);
    let moved: i128 = rows[..together].iter().map(|row| row.amount).sum();
    let opening = first.balance - moved;
    let fits = |amount: i128| i64::try_from(amount).ok().filter(|amount| *amount >= 0);
    let Some(opening) = fits(opening) else {
        return Err(Error::Unusable(format!(
            "{}:{}: the balance before this row would be {opening} XBt; a ledger begins at 0 or above",
            source.name, first.line
        )));
    };
    if opening == 0 {
        return Ok(0);
    }
    run.apply(HOLDER, Action::Deposit(Amount { amount: Xbt(opening) }), first.ts, checks)?;
    Ok(together)
}

/// A row as a deposit or a withdrawal.
fn carry_out(run: &mut Run, row: &Row, checks: &mut Checks) -> Result<()> {
    // A row of a ledger is never more than the 63 bits it was read into.
    let amount = Amount { amount: Xbt(i64::try_from(row.amount.abs()).unwrap_or(i64::MAX)) };
    let action = match row.amount {
        0 => return Ok(()),
        1.. => Action::Deposit(amount),
        _ => Action::Withdraw(amount),
    };
    let refused = refusal(run.apply(HOLDER, action, row.ts, checks)?);
    checks.compare(CARRIED_OUT, refused.is_none(), || {
        format!("line {}: {} XBt refused: {}", row.line, row.amount, refused.unwrap_or_default())
    });
    Ok(())
}

fn read(source: &Source, passed_over: &mut [(&str, u64); 2]) -> Result<Vec<Row>> {
    let mut lines = text::lines(&source.name, &source.text).filter(|line| !line.text.is_empty());
    let no_rows = || Error::Unusable(format!("{}: found no rows; allowed: {}", source.name, COLUMNS.join(",")));
    let first = lines.next().ok_or_else(no_rows)?;
    let header = Header::read(&first)?;
    let at = header.positions(&first, COLUMNS)?;
    let (mut rows, mut fields, mut last) = (Vec::new(), Vec::new(), 0);
    for line in lines {
        line.fields(&mut fields)?;
        header.check(&line, &fields)?;
        let field = |i: usize| &fields[at[i]];
        if field(2).text != CURRENCY {
            passed_over[1].1 += 1;
            continue;
        }
        match field(1).text.as_ref() {
            "Completed" => {}
            "Canceled" => {
                passed_over[0].1 += 1;
                continue;
            }
            _ => return Err(bad(&line, field(1), "Completed or Canceled".to_owned())),
        }
        let number = |i: usize| {
            let amount = exact::signed(&field(i).text).map_err(|allowed| bad(&line, field(i), allowed))?;
            Ok(i128::from(amount))
        };
        let ts = time::parse_utc(&field(0).text).filter(|ts| *ts >= last);
        let ts =
            ts.ok_or_else(|| bad(&line, field(0), "UTC times such as 2020-05-01T01:05:55.004Z, in order".into()))?;
        last = ts;
        let (amount, balance) = (number(3)?, number(4)?);
        let is_swapped = (field(5).text.as_ref(), balance) == SWAPPED;
        rows.push(Row { line: line.number, ts, amount, balance, is_swapped });
    }
    if rows.is_empty() { Err(no_rows()) } else { Ok(rows) }
}

fn bad(line: &Line<'_>, field: &Field<'_>, allowed: String) -> Error {
    line.error(field.column, format!("{:?}", field.text), allowed)
}
