//! `centum snapshot`: a follower makes a snapshot of a journal, so that the engine that writes it never stands still.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Instant;

use engine::Discard;
use runtime::disk::FileDisk;
use runtime::snapshot::{Origin, Recovery, Snapshot};
use serde_json::json;

use crate::error::{Error, Result};
use crate::journal::{PROGRESS_EVERY, bar};

/// Writes a snapshot of a journal beside it, up to the last command that is safe; a market that runs goes on.
///
/// The newest snapshot that is there is where it begins. The last two are kept.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The journal's directory; another process may be writing the journal.
    directory: PathBuf,
    /// Prints one JSON object instead of the lines.
    #[arg(long)]
    json: bool,
}

/// Runs the command; the result is the exit code.
pub fn run(args: &Args) -> Result<u8> {
    let bad = Error::snapshot(&args.directory);
    let disk = FileDisk::for_snapshots(&args.directory).map_err(|error| match error.kind() {
        ErrorKind::ResourceBusy => Error::Unusable(format!(
            "{}: another process writes a snapshot here; try again when it is done",
            args.directory.display()
        )),
        _ => Error::io(&args.directory, error),
    })?;
    let plan = Recovery::plan_durable(&disk).map_err(&bad)?;
    let begin = plan.snapshot().map_or("the genesis".to_owned(), |seq| format!("the snapshot of command {seq}"));
    eprintln!("from {begin}, {} commands to replay: about {} s", plan.commands(), seconds(plan.estimate_ns()));
    let began = Instant::now();
    let (first, replaying) = (plan.snapshot().unwrap_or(0), bar(plan.commands(), "replay"));
    let recovered = plan.run(&disk, &mut Discard, |engine| {
        if engine.seq().is_multiple_of(PROGRESS_EVERY) {
            replaying.set_position(engine.seq().saturating_sub(first));
        }
    });
    let recovered = recovered.map_err(&bad)?;
    replaying.finish_and_clear();
    let recovered_ns = nanoseconds(began);
    recovered.skipped.iter().for_each(|skipped| eprintln!("note  {skipped}"));
    let engine = &recovered.engine;
    engine.check_sums().map_err(Error::Law)?;
    let (seq, chain, is_new) = (engine.seq(), engine.chain(), recovered.snapshot != Some(engine.seq()));

    let began = Instant::now();
    let snapshot = Snapshot::take(engine, Origin::of(&recovered.scan, seq));
    let taken_ns = nanoseconds(began);
    let began = Instant::now();
    let saved = if is_new { Some(snapshot.save(&disk, seq).map_err(&bad)?) } else { None };
    let saved_ns = nanoseconds(began);
    if args.json {
        let report = json!({
            "schema": "centum.snapshot/1", "source": args.directory.display().to_string(), "seq": seq,
            "chain": format!("{chain:016x}"), "digest": format!("{:016x}", snapshot.digest()),
            "new": is_new, "bytes": snapshot.bytes(), "begun_at": recovered.snapshot,
            "commands": recovered.replayed.commands,
            "file": saved.as_ref().map(|saved| &saved.file), "removed": saved.as_ref().map(|saved| &saved.removed),
            "skipped": recovered.skipped.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "recovered_ns": recovered_ns, "taken_ns": taken_ns, "saved_ns": saved_ns,
        });
        println!("{report}");
        return Ok(0);
    }
    match &saved {
        Some(saved) => println!("snapshot  {}, {} bytes", saved.file, saved.bytes),
        None => println!("snapshot  of command {seq} is there already, and whole"),
    }
    println!("commands  {seq}, {} of them replayed", recovered.replayed.commands);
    println!("chain     {chain:016x}");
    println!("digest    {:016x}", snapshot.digest());
    for name in saved.iter().flat_map(|saved| &saved.removed) {
        println!("removed   {name}");
    }
    println!("time      {} ms to recover, {} ms to write", recovered_ns / 1_000_000, saved_ns / 1_000_000);
    println!("          {} us to copy the state: how long a running engine would stand still", taken_ns / 1_000);
    Ok(0)
}

fn nanoseconds(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

fn seconds(ns: u64) -> u64 {
    ns.div_ceil(1_000_000_000)
}
