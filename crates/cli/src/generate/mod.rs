//! `centum generate`: workloads as order logs, the same for the same seed.

pub mod dice;
mod mix;
mod random;
mod writer;

use std::path::PathBuf;

use crate::error::Result;
use writer::LogWriter;

/// What kind of workload.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Kind {
    /// A market maker's day: 46 % new, 43 % cancel, 5 % immediate-or-cancel that trades, 2.5 %
    /// reduce, 2.5 % move.
    Mix,
    /// Every operation of the log, in any order, refusals included.
    Random,
}

/// Writes a workload as an order log.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What kind of workload.
    pub kind: Kind,
    /// The same seed gives the same log.
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// Commands after the preparation.
    #[arg(long, default_value_t = 1_000_000)]
    pub commands: u64,
    /// Accounts.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(2..=1_000_000))]
    pub accounts: u64,
    /// Orders that rest in the book.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub resting: u64,
    /// Where the log goes; a name ending in .gz is packed.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Runs the command; the result is the exit code.
pub fn run(args: &Args) -> Result<u8> {
    write(args, LogWriter::create(&args.out)?)?;
    Ok(0)
}

/// The same log in memory; `args.out` is not looked at.
///
/// # Errors
/// None in practice: memory takes all that is written.
pub fn in_memory(args: &Args) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write(args, LogWriter::memory(&mut bytes))?;
    Ok(bytes)
}

fn write(args: &Args, mut log: LogWriter<'_>) -> Result<()> {
    match args.kind {
        Kind::Mix => mix::write(args, &mut log)?,
        Kind::Random => random::write(args, &mut log)?,
    }
    log.finish()
}
