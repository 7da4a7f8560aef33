//! `centum journal verify` and `digest`: the whole journal read, replayed and compared.

use std::path::{Path, PathBuf};
use std::time::Instant;

use engine::Engine;
use runtime::disk::FileDisk;
use runtime::journal::{Error as JournalError, Outline, REPLAY_NS_PER_COMMAND, Replayed, Scan, replay};
use runtime::snapshot;
use serde_json::json;

use super::ledger::{Ledger, Sink};
use super::snapshots::Snapshots;
use super::{PROGRESS_EVERY, bar, open};
use crate::error::{EXIT_DIFFERENCE, Error, Result};

/// Checks every record, replays the journal, and compares the chain at each batch and the digest at each snapshot.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The journal's directory.
    directory: PathBuf,
    /// Writes every satoshi's movement to FILE, a CSV row each, and adds them up to the balances.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Prints one JSON object instead of the lines.
    #[arg(long)]
    json: bool,
}

/// With fewer commands than this their time says nothing about a million of them.
const ENOUGH: u64 = 10_000;

/// A journal that was read and replayed without a difference.
struct Checked {
    scan: Scan,
    engine: Engine,
    replayed: Replayed,
    elapsed_ns: u64,
    entries: Option<u64>,
    snapshots: Snapshots,
    /// The command of the snapshot it begins with, where the journal's beginning is gone.
    begun_at: Option<u64>,
}

impl Checked {
    fn ns_per_command(&self) -> u64 {
        self.elapsed_ns / self.replayed.commands.max(1)
    }
}

/// Runs the command; the result is the exit code.
pub fn run(args: &Args) -> Result<u8> {
    let checked = check(&args.directory, args.ledger.as_deref())?;
    let Checked { scan, engine, replayed, elapsed_ns, entries, snapshots, begun_at } = &checked;
    let code = if snapshots.has_difference() { EXIT_DIFFERENCE } else { 0 };
    if args.json {
        let report = json!({
            "schema": "centum.journal/1", "source": args.directory.display().to_string(),
            "journal": format!("{:016x}", scan.journal()), "segments": scan.segments(), "batches": scan.batches(),
            "bytes": scan.frame_bytes(), "commands": replayed.commands, "seq": scan.last_seq(),
            "quarantined": scan.quarantined().iter().map(|one| one.seq).collect::<Vec<_>>(),
            "closed": scan.is_closed(), "torn": scan.torn().iter().map(ToString::to_string).collect::<Vec<_>>(),
            "chains_agreed": replayed.chains_agreed, "chains_unknown": replayed.chains_unknown,
            "ledger_entries": entries, "sums_ok": true, "snapshots": snapshots.objects(), "begun_at": begun_at,
            "chain": format!("{:016x}", engine.chain()), "digest": format!("{:016x}", engine.digest()),
            "elapsed_ns": elapsed_ns, "ns_per_command": checked.ns_per_command(),
        });
        println!("{report}");
        return Ok(code);
    }
    println!(
        "journal      {:016x}: {} segments, {} batches, {} bytes of frames",
        scan.journal(),
        scan.segments(),
        scan.batches(),
        scan.frame_bytes()
    );
    println!("commands     {}", replayed.commands);
    if let Some(seq) = begun_at {
        println!("begins       with the snapshot of command {seq}; the journal before it is gone");
    }
    for one in scan.quarantined() {
        println!("quarantined  {}: {}", one.seq, one.text());
    }
    match (scan.torn(), scan.is_closed()) {
        ([], true) => println!("end          whole, closed in order"),
        ([], false) => println!("end          whole"),
        (torn, _) => torn.iter().for_each(|torn| println!("end          {torn}")),
    }
    println!("chains       {} agree, {} not known", replayed.chains_agreed, replayed.chains_unknown);
    snapshots.lines().iter().for_each(|line| println!("{line}"));
    if let Some(entries) = entries {
        println!("ledger       {entries} entries; every book is what the engine says");
    }
    println!("chain        {:016x}", engine.chain());
    println!("digest       {:016x}", engine.digest());
    println!("time         {} ms", elapsed_ns / 1_000_000);
    if replayed.commands >= ENOUGH {
        println!("             {} ms a million commands", checked.ns_per_command());
    }
    Ok(code)
}

/// Prints chain and digest at the end of a journal.
pub fn digest(directory: &Path, json: bool) -> Result<u8> {
    let Checked { scan, engine, .. } = check(directory, None)?;
    let (seq, chain, digest) = (scan.last_seq(), engine.chain(), engine.digest());
    if json {
        println!("{}", json!({"seq": seq, "chain": format!("{chain:016x}"), "digest": format!("{digest:016x}")}));
    } else {
        println!("commands  {seq}\nchain     {chain:016x}\ndigest    {digest:016x}");
    }
    Ok(0)
}

fn check(directory: &Path, ledger: Option<&Path>) -> Result<Checked> {
    let disk = open(directory)?;
    let bad = Error::journal(directory);
    let outline = Outline::of(&disk).map_err(&bad)?;
    eprintln!(
        "{} commands in {} segments: about {} s, at {REPLAY_NS_PER_COMMAND} ms a million commands",
        outline.last_seq,
        outline.segments,
        outline.replay_ns().div_ceil(1_000_000_000),
    );
    let ledger = ledger.map(Ledger::create).transpose()?;
    let began = Instant::now();
    let scanning = bar(outline.last_seq, "scan");
    let (scan, mut engine, begun_at) = match Scan::from(&disk, 1, |seq| scanning.set_position(seq)) {
        Err(JournalError::TooEarly { first, .. }) => late(directory, &disk, first)?,
        scan => {
            let scan = scan.map_err(&bad)?;
            let engine = begin(&scan)?;
            (scan, engine, None)
        }
    };
    scanning.finish_and_clear();
    if begun_at.is_some() && ledger.is_some() {
        let text =
            "the journal's beginning is gone, and a ledger begins with the first command; verify without --ledger";
        return Err(Error::Unusable(text.into()));
    }
    let mut snapshots = Snapshots::read(directory, &disk, &scan)?;
    snapshots.compare(&engine);
    let replaying = bar(scan.commands(), "replay");
    let mut sink = Sink(ledger);
    let replayed = replay(&disk, &scan, &mut engine, &mut sink, |engine| {
        snapshots.compare(engine);
        if engine.seq().is_multiple_of(PROGRESS_EVERY) {
            replaying.set_position(engine.seq());
        }
    });
    let replayed = replayed.map_err(&bad)?;
    replaying.finish_and_clear();
    let elapsed_ns = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
    engine.check_sums().map_err(|law| Error::Law(law.to_string()))?;
    let entries = sink.0.map(|ledger| ledger.finish(&engine)).transpose()?;
    Ok(Checked { scan, engine, replayed, elapsed_ns, entries, snapshots, begun_at })
}

/// An engine at the genesis.
fn begin(scan: &Scan) -> Result<Engine> {
    let genesis = scan.genesis().ok_or_else(|| Error::Unusable("the journal's first segment is not there".into()))?;
    Engine::new(genesis).map_err(|error| Error::Unusable(format!("{error}; replay it with the build that wrote it")))
}

/// The beginning of a journal is gone: the oldest snapshot that leads into it is where this begins.
fn late(directory: &Path, disk: &FileDisk, first: u64) -> Result<(Scan, Engine, Option<u64>)> {
    let bad = Error::snapshot(directory);
    let mut skipped = Vec::new();
    for seq in snapshot::list(disk).map_err(&bad)?.into_iter().rev().filter(|seq| seq + 1 >= first) {
        let scan = match Scan::from(disk, seq.max(1), |_| {}) {
            Err(JournalError::TooEarly { .. }) => continue,
            scan => scan.map_err(Error::journal(directory))?,
        };
        match snapshot::examine(disk, &scan, seq) {
            Ok(engine) => return Ok((scan, engine, Some(seq))),
            Err(flaw) => skipped.push(snapshot::Skipped { seq, flaw }),
        }
    }
    Err(bad(snapshot::Error::NoWayIn { first, skipped }))
}
