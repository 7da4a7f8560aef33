//! `centum replay`: a recording through the engine, compared with what it says came of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::error::{EXIT_DIFFERENCE, Error, Result};
use crate::fills::{self, FillSink};
use crate::import::{Options, bitmex_trades, bitmex_wallet, bitmex_ws, bitstamp};
use crate::order_log;
use crate::report::{Outcome, Report};
use crate::source::{Format, Source};
use crate::spec_file;

/// How many rows pass between two looks of the progress bar at the clock.
const PROGRESS_EVERY: u64 = 1_024;

/// Replays a recorded log and compares the engine's facts with the recorded ones.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The log; .gz and .zst are read as they are.
    source: PathBuf,
    /// What the log is; recognised from its content where not given.
    #[arg(long, value_name = "NAME")]
    format: Option<Format>,
    /// The contract: a profile such as XBTUSD-2019, or a file ending in .toml.
    #[arg(long, value_name = "PROFILE|FILE.toml")]
    spec: Option<String>,
    /// Writes every fill to FILE, a CSV row each.
    #[arg(long, value_name = "FILE")]
    fills: Option<PathBuf>,
    /// Compares the fills with the rows of FILE, in the columns that it has.
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// Writes the accounts as they stand at the end to FILE, a CSV row each.
    #[arg(long, value_name = "FILE")]
    accounts: Option<PathBuf>,
    /// Prints one JSON object instead of the table.
    #[arg(long)]
    json: bool,
}

/// Runs the command; the result is the exit code.
pub fn run(args: &Args) -> Result<u8> {
    let source = Source::open(&args.source)?;
    let format = source.format(args.format)?;
    let spec = args.spec.as_deref().map(spec_file::load).transpose()?;
    let sink = FillSink::open(args.fills.as_deref(), args.expect.as_deref())?;
    let outcome = guarded(|| replay(format, &source, Options { spec, sink }))?;
    if let (Some(path), Some(run)) = (&args.accounts, outcome.runs.get(outcome.fills_of)) {
        fills::write_accounts(path, &run.accounts())?;
    }
    let report = guarded(|| Report::new(&source.name, &outcome))?;
    if args.json {
        println!("{}", report.json()?);
        eprint!("{}", report.differences());
        for note in report.notes() {
            eprintln!("note  {note}");
        }
    } else {
        print!("{}", report.table());
        print!("{}", report.differences());
    }
    match report.broken() {
        Some(law) => Err(Error::Law(law.to_owned())),
        None if report.differs() => Ok(EXIT_DIFFERENCE),
        None => Ok(0),
    }
}

/// Replays a source of a known format.
pub fn replay(format: Format, source: &Source, options: Options) -> Result<Outcome> {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} rows, {per_sec}, {elapsed}") {
        bar.set_style(style);
    }
    let tick = |row: u64| {
        if row.is_multiple_of(PROGRESS_EVERY) {
            bar.set_position(row);
        }
    };
    let outcome = match format {
        Format::CentumLog => order_log::replay::replay(source, options, tick),
        Format::BitmexTrades => bitmex_trades::replay(source, options, tick),
        Format::BitmexWs => bitmex_ws::replay(source, options, tick),
        Format::BitmexWallet => bitmex_wallet::replay(source, options, tick),
        Format::Bitstamp => bitstamp::replay(source, options, tick),
        _ => source.format(Some(format)).and_then(|_| Err(Error::Unusable(format!("{} is not built", format.name())))),
    };
    bar.finish_and_clear();
    outcome
}

/// A failed assertion in the engine is a broken law, told as such. (Design, law 6)
pub fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(Error::Law(text.unwrap_or("an assertion failed").to_owned()))
    })
}
