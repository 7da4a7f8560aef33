//! What a replay came to: one JSON object, or a table for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::checks::{Checks, SHOWN};
use crate::error::{Error, Result};
use crate::run::{Run, Tally};

/// The object of `--json`; the names and their order are `docs/formats.md`'s.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    schema: &'static str,
    source: String,
    format: &'static str,
    spec: String,
    rows: u64,
    commands: u64,
    orders: u64,
    fills: u64,
    qty: u64,
    value_xbt: i64,
    fees_xbt: i64,
    matched: u64,
    explained: u64,
    unmatched: u64,
    checks: Checks,
    refused: u64,
    refused_by_reason: BTreeMap<&'static str, u64>,
    liquidations: u64,
    deleverages: u64,
    insurance_xbt: i64,
    sums_ok: bool,
    seq: u64,
    digest: String,
    chain: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trades_hash: Option<String>,
    elapsed_ns: u64,
    ns_per_command: f64,
    latency_ns: Latency,
    /// What was passed over, in words; for people only.
    #[serde(skip)]
    notes: Vec<String>,
    /// The law that does not hold, in words.
    #[serde(skip)]
    broken: Option<String>,
}

/// Latencies of `apply`, ns.
#[derive(Clone, Copy, Debug, Serialize)]
struct Latency {
    p50: u64,
    p99: u64,
    p999: u64,
    max: u64,
}

/// What an importer hands over: its engines at the end, and what it compared.
pub struct Outcome {
    /// Its name.
    pub format: &'static str,
    /// Rows of the source.
    pub rows: u64,
    /// The engines, the one whose book is the market's first.
    pub runs: Vec<Run>,
    /// Which of them made the fills that count as the source's.
    pub fills_of: usize,
    /// What was compared.
    pub checks: Checks,
    /// What was passed over, in words.
    pub notes: Vec<String>,
}

impl Report {
    /// The report of a replay. Several engines are told as one: counts are added, digests and chains
    /// folded in their order.
    pub fn new(source: &str, outcome: &Outcome) -> Result<Report> {
        let runs = &outcome.runs;
        let (Some(first), Some(fills_of)) = (runs.first(), runs.get(outcome.fills_of)) else {
            return Err(Error::Unusable(format!("{source}: nothing was replayed")));
        };
        let trades = fills_of.tally();
        let sum = |count: fn(&Tally) -> u64| runs.iter().map(|run| count(run.tally())).sum::<u64>();
        let mut refused_by_reason = BTreeMap::new();
        for (reason, count) in runs.iter().flat_map(|run| &run.tally().refused) {
            *refused_by_reason.entry(*reason).or_insert(0) += count;
        }
        let mut latency = first.timing().latency.clone();
        for run in &runs[1..] {
            latency.add(&run.timing().latency).map_err(|error| Error::Law(error.to_string()))?;
        }
        let elapsed_ns = runs.iter().map(|run| run.timing().elapsed_ns).sum();
        let commands = sum(|tally| tally.commands);
        let broken = runs.iter().find_map(|run| run.engine().check_sums().err());
        let checks = outcome.checks.clone();
        Ok(Report {
            schema: "centum.replay/1",
            source: source.to_owned(),
            format: outcome.format,
            spec: first.engine().spec().name().to_owned(),
            rows: outcome.rows,
            commands,
            orders: sum(|tally| tally.orders),
            fills: trades.fills,
            qty: trades.qty,
            value_xbt: narrow("value_xbt", trades.value)?,
            fees_xbt: narrow("fees_xbt", trades.fees)?,
            matched: checks.all_matched(),
            explained: checks.all_explained(),
            unmatched: checks.all_unmatched(),
            checks,
            refused: refused_by_reason.values().sum(),
            refused_by_reason,
            liquidations: sum(|tally| tally.liquidations),
            deleverages: sum(|tally| tally.deleverages),
            insurance_xbt: first.tally().insurance.0,
            sums_ok: broken.is_none(),
            seq: first.engine().seq(),
            digest: hex(fold(runs.iter().map(|run| run.engine().digest()))),
            chain: hex(fold(runs.iter().map(|run| run.engine().chain()))),
            trades_hash: trades.trades_hash.text(),
            elapsed_ns,
            ns_per_command: ratio(elapsed_ns, commands),
            latency_ns: Latency {
                p50: latency.value_at_quantile(0.5),
                p99: latency.value_at_quantile(0.99),
                p999: latency.value_at_quantile(0.999),
                max: latency.max(),
            },
            notes: outcome.notes.clone(),
            broken,
        })
    }

    /// The object as one line.
    pub fn json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| Error::Unusable(format!("the report cannot be written: {error}")))
    }

    /// The law that does not hold, in words.
    #[must_use]
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// Was a difference found?
    #[must_use]
    pub fn differs(&self) -> bool {
        self.unmatched > 0
    }

    /// What was passed over, in words.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The first differences, a line each, and how many there are beyond them.
    #[must_use]
    pub fn differences(&self) -> String {
        let mut out = String::new();
        for difference in self.checks.differences() {
            let _ = writeln!(out, "difference  {difference}");
        }
        let beyond = self.unmatched.saturating_sub(SHOWN as u64);
        if beyond > 0 {
            let _ = writeln!(out, "… and {beyond} more");
        }
        out
    }

    /// The table for people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut out = String::new();
        let mut row = |name: &str, value: String| {
            let _ = writeln!(out, "{name:<24}{value}");
        };
        row("source", format!("{} ({}, {})", self.source, self.format, self.spec));
        row("rows", thousands(i128::from(self.rows)));
        row("commands", thousands(i128::from(self.commands)));
        row("orders", thousands(i128::from(self.orders)));
        row("fills", thousands(i128::from(self.fills)));
        row("volume", format!("{} contracts", thousands(i128::from(self.qty))));
        row("value", format!("{} XBt", thousands(i128::from(self.value_xbt))));
        row("fees", format!("{} XBt", thousands(i128::from(self.fees_xbt))));
        row("refused", thousands(i128::from(self.refused)));
        for (reason, count) in &self.refused_by_reason {
            row(&format!("  {reason}"), thousands(i128::from(*count)));
        }
        row("liquidations", thousands(i128::from(self.liquidations)));
        row("deleverages", thousands(i128::from(self.deleverages)));
        row("insurance fund", format!("{} XBt", thousands(i128::from(self.insurance_xbt))));
        row("sums", self.broken.clone().map_or_else(|| "hold".to_owned(), |law| format!("BROKEN: {law}")));
        row("digest", self.digest.clone());
        row("chain", self.chain.clone());
        if let Some(hash) = &self.trades_hash {
            row("trades hash", hash.clone());
        }
        let seconds = u128::from(self.elapsed_ns.max(1));
        let rate = u128::from(self.commands) * 1_000_000_000 / seconds;
        row("speed", format!("{} commands/s", thousands(rate as i128)));
        let Latency { p50, p99, p999, max } = self.latency_ns;
        row("latency", format!("p50 {p50} ns, p99 {p99} ns, p99.9 {p999} ns, max {max} ns"));
        for (name, check) in self.checks.iter() {
            let explained: u64 = check.explained.values().sum();
            let total = check.matched + explained + check.unmatched;
            let mut text = format!("{} of {} matched", thousands(check.matched.into()), thousands(total.into()));
            for (cause, count) in &check.explained {
                let _ = write!(text, ", {count} explained by {cause}");
            }
            if check.unmatched > 0 {
                let _ = write!(text, ", {} UNMATCHED", thousands(check.unmatched.into()));
            }
            row(&format!("check {name}"), text);
        }
        for note in &self.notes {
            row("note", note.clone());
        }
        out
    }
}

/// A sum that has to fit the report's 64 bits.
fn narrow(what: &str, sum: i128) -> Result<i64> {
    i64::try_from(sum).map_err(|_| Error::Unusable(format!("{what} = {sum} does not fit 64 bits; split the source")))
}

/// A hash as text.
#[must_use]
pub fn hex(hash: u64) -> String {
    format!("{hash:016x}")
}

/// One hash out of several, in their order; of one it is that one.
fn fold(mut hashes: impl Iterator<Item = u64>) -> u64 {
    let first = hashes.next().unwrap_or(0);
    hashes.fold(first, |all, next| all.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ next)
}

/// A mean for people. The only floats of this program are such ratios of times.
#[allow(clippy::float_arithmetic)]
#[must_use]
pub fn ratio(ns: u64, count: u64) -> f64 {
    if count == 0 { 0.0 } else { ns as f64 / count as f64 }
}

/// An integer with its thousands apart.
#[must_use]
pub fn thousands(number: i128) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3 + 1);
    if number < 0 {
        out.push('-');
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (-1_234_567, "-1,234,567")] {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn one_hash_stays_itself_and_order_matters() {
        assert_eq!(fold([7].into_iter()), 7);
        assert_ne!(fold([1, 2].into_iter()), fold([2, 1].into_iter()));
    }
}
