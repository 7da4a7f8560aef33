//! `centum journal write`: an order log becomes a journal, as a market would have written it.

use std::path::PathBuf;

use contract::Genesis;
use engine::{Discard, Engine};
use runtime::disk::FileDisk;
use runtime::journal::{Journal, Options, Writer};

use super::{PROGRESS_EVERY, bar, cannot_open};
use crate::error::{Error, Result};
use crate::order_log;
use crate::replay::guarded;
use crate::source::{Format, Source};
use crate::spec_file;

/// Makes a journal from an order log: each command is appended, applied, and committed with its batch.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The log, centum-log 1; .gz and .zst are read as they are.
    log: PathBuf,
    /// The journal's directory, empty or not there yet.
    directory: PathBuf,
    /// The contract: a profile such as XBTUSD-2019, or a file ending in .toml.
    #[arg(long, value_name = "PROFILE|FILE.toml")]
    spec: Option<String>,
    /// Commands in a batch; each batch is one write and one sync.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    batch: u64,
    /// Size of a segment, MiB.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=1_024))]
    segment_mib: u64,
}

/// Runs the command; the result is the exit code.
pub fn run(args: &Args) -> Result<u8> {
    let source = Source::open(&args.log)?;
    source.format(Some(Format::CentumLog))?;
    let spec = args.spec.as_deref().map(spec_file::load).transpose()?;
    let plan = order_log::read(&source, spec)?;
    let bad = Error::journal(&args.directory);
    let genesis = Genesis { spec: plan.spec, capacity: plan.capacity };
    let mut engine = Engine::new(&genesis)
        .map_err(|error| Error::Unusable(format!("{error}; change the contract given with --spec")))?;
    let batch_commands = args.batch.max(genesis.spec.bulk_max).max(4_096) as usize;
    let options = Options { segment_bytes: args.segment_mib << 20, batch_commands, journal: None };
    let disk = FileDisk::create(&args.directory).map_err(|error| cannot_open(&args.directory, error))?;
    let mut journal = Writer::create(disk, options, &genesis).map_err(&bad)?;
    let bar = bar(plan.commands.len() as u64, "journal");
    guarded(|| {
        let mut last_ts = 0;
        for (seq, (ts, command)) in (1..).zip(&plan.commands) {
            last_ts = last_ts.max(*ts);
            let command = command.stamped(seq, last_ts);
            journal.append(&command).map_err(&bad)?;
            engine.apply(&command, &mut Discard);
            if seq.is_multiple_of(args.batch) {
                journal.commit(Some(engine.chain())).map_err(&bad)?;
            }
            if seq.is_multiple_of(PROGRESS_EVERY) {
                bar.set_position(seq);
            }
        }
        journal.commit(Some(engine.chain())).map_err(&bad)?;
        Ok(())
    })?;
    bar.finish_and_clear();
    journal.close().map_err(&bad)?;
    println!("commands  {}\nchain     {:016x}\ndigest    {:016x}", engine.seq(), engine.chain(), engine.digest());
    Ok(0)
}
