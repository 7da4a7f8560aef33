//! Every operation of the log, in any order: what the engine refuses is part of the workload.
//!
//! The mark wanders, accounts are thinly funded and use leverage, so positions are liquidated and
//! deleveraged. The log says nothing about what comes of it: that is for the engine and the twin.

use super::Args;
use super::dice::Dice;
use super::writer::{COLUMNS, LogRow, LogWriter};
use crate::error::Result;

/// Where the mark begins, in half dollars.
const MARK: u64 = 20_000;

/// Writes the workload.
pub fn write(args: &Args, log: &mut LogWriter<'_>) -> Result<()> {
    log.line("#centum-log 1 spec=XBTUSD-2019")?;
    log.line(&format!(
        "# centum generate random --seed {} --commands {} --accounts {}",
        args.seed, args.commands, args.accounts
    ))?;
    log.line(COLUMNS)?;
    let mut dice = Dice::new(args.seed);
    let mut mark = MARK;
    let mut ts_ns = 0;
    log.row(&LogRow { op: "mark", half_dollars: mark, ..LogRow::default() })?;
    log.row(&LogRow { op: "insurance", value: "100000000", ..LogRow::default() })?;
    for account in 1..=args.accounts {
        log.row(&LogRow { op: "open", account, ..LogRow::default() })?;
        let value = (dice.between(1, 100) * 1_000_000).to_string();
        log.row(&LogRow { op: "deposit", account, value: &value, ..LogRow::default() })?;
    }
    log.line(crate::order_log::BENCH_START)?;
    let mut last_id = 0;
    for _ in 0..args.commands {
        ts_ns += dice.below(2_000_000);
        let account = dice.between(1, args.accounts);
        let side = if dice.permille(500) { "buy" } else { "sell" };
        // Both sides of the mark, so that about half of the orders trade.
        let half_dollars = (mark + dice.distance() / 4).saturating_sub(dice.distance() / 4).max(1);
        // Recent orders are the ones that may still rest.
        let id = last_id.max(1) - dice.below(last_id.clamp(1, 200));
        let qty = dice.between(1, 2_000);
        let row = LogRow { ts_ns, account, ..LogRow::default() };
        match dice.below(1_000) {
            0..520 => {
                last_id += 1;
                let draw = dice.below(100);
                let (kind, tif, inst) = match draw {
                    0..60 => ("", "", ""),
                    60..68 => ("", "ioc", ""),
                    68..72 => ("", "fok", ""),
                    72..82 => ("market", "", ""),
                    82..90 => ("", "", "post_only"),
                    90..98 => ("", "", "reduce_only"),
                    98 => ("stop", "", "last"),
                    _ => ("", "day", ""),
                };
                let half_dollars = if kind == "market" { 0 } else { half_dollars };
                log.row(&LogRow { op: "new", id: last_id, side, qty, half_dollars, kind, tif, inst, ..row })?;
            }
            // The account is left out: ids are unique in the log.
            520..700 => log.row(&LogRow { op: "cancel", id, account: 0, ..row })?,
            700..740 => log.row(&LogRow { op: "reduce", id, qty: dice.between(1, 200), account: 0, ..row })?,
            740..790 => log.row(&LogRow { op: "move", id, qty, half_dollars, account: 0, ..row })?,
            790..820 => log.row(&LogRow { op: "amend", id, qty, half_dollars, account: 0, ..row })?,
            820..835 => {
                last_id += 1;
                log.row(&LogRow { op: "amend", id, new_id: last_id, account: 0, ..row })?;
            }
            835..845 => {
                let side = if dice.permille(500) { side } else { "" };
                log.row(&LogRow { op: "cancel_all", side, ..row })?;
            }
            845..865 => {
                let value = ["0", "1", "2.5", "10", "25", "100", "101"][dice.below(7) as usize];
                log.row(&LogRow { op: "leverage", value, ..row })?;
            }
            865..885 => {
                let amount = dice.below(2_000_000).to_string();
                let value = if dice.permille(500) { format!("-{amount}") } else { amount };
                log.row(&LogRow { op: "margin", value: &value, ..row })?;
            }
            885..900 => {
                let value = dice.between(1, 400).to_string() + "00000000";
                log.row(&LogRow { op: "risk_limit", value: &value, ..row })?;
            }
            op @ 900..925 => {
                let op = if op < 910 { "withdraw" } else { "deposit" };
                let value = dice.below(20_000_000).to_string();
                log.row(&LogRow { op, value: &value, ..row })?;
            }
            // Seldom: who is suspended stays so.
            925..927 if dice.permille(10) => log.row(&LogRow { op: "suspend", ..row })?,
            927..930 => log.row(&LogRow { op: "insurance", account: 0, value: "1000000", ..row })?,
            930..935 => log.row(&LogRow { op: "cancel_after", value: "60000", ..row })?,
            935..940 => {
                log.row(&LogRow { op: "index", account: 0, id: dice.between(1, 3), half_dollars: mark, ..row })?
            }
            940..945 => log.row(&LogRow { op: "rate", account: 0, value: "0.0001", ..row })?,
            925..927 | 945..950 => log.row(&LogRow { op: "clock", account: 0, ..row })?,
            950..952 => log.row(&LogRow { op: "state", account: 0, value: "open", ..row })?,
            _ => {
                // Mostly small steps, now and then a gap that liquidates.
                let step = if dice.permille(50) { dice.below(1_500) } else { dice.below(60) };
                mark = if dice.permille(500) { mark + step } else { mark.saturating_sub(step) }.clamp(5_000, 80_000);
                log.row(&LogRow { op: "mark", account: 0, half_dollars: mark, ..row })?;
            }
        }
    }
    Ok(())
}
