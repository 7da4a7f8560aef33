//! `centum journal show`: what a journal holds, command by command.

use std::io::{BufWriter, ErrorKind, Write};
use std::path::PathBuf;

use contract::{Command, Genesis};
use runtime::disk::FileDisk;
use runtime::journal::{Entry, Scan, What};
use serde_json::{Value, json};

use super::{fields, open};
use crate::error::{Error, Result};

/// Prints the commands of a journal, and where each batch ends; of a damaged one those before the damage.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The journal's directory; a market that runs may be looked at.
    directory: PathBuf,
    /// The first command.
    #[arg(long, value_name = "SEQ", default_value_t = 1)]
    from: u64,
    /// The last command; 0 prints the genesis alone.
    #[arg(long, value_name = "SEQ", default_value_t = u64::MAX)]
    to: u64,
    /// Prints one JSON object a line instead of the table.
    #[arg(long)]
    json: bool,
}

/// Runs the command; the result is the exit code.
pub fn run(args: &Args) -> Result<u8> {
    let disk = open(&args.directory)?;
    // The genesis is in the first segment; without it reading begins where the first command asked for is.
    let first = if args.from <= 1 || args.to == 0 { 1 } else { args.from };
    let bad = Error::journal(&args.directory);
    let (scan, damage) = Scan::up_to_damage(&disk, first, |_| {}).map_err(&bad)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    match print(args, &disk, &scan, &mut out) {
        // Whoever read has seen enough.
        Err(Error::Io { source, .. }) if source.kind() == ErrorKind::BrokenPipe => return Ok(0),
        printed => printed?,
    }
    for torn in scan.torn() {
        eprintln!("note  {torn}");
    }
    damage.map_or(Ok(0), |damage| Err(bad(damage)))
}

fn print(args: &Args, disk: &FileDisk, scan: &Scan, out: &mut impl Write) -> Result<()> {
    let bad = Error::journal(&args.directory);
    let failed = |error| Error::io("standard output", error);
    if let Some(genesis) = scan.genesis().filter(|_| args.from <= 1) {
        let text = if args.json { genesis_object(scan, genesis).to_string() } else { genesis_text(scan, genesis) };
        writeln!(out, "{text}").map_err(failed)?;
    }
    if !args.json && args.to != 0 {
        writeln!(out, "{:>10}  {:>20}  {:>8}  {:>12}  command", "seq", "ts_ns", "account", "session")
            .map_err(failed)?;
    }
    for entry in scan.read(disk) {
        let entry = entry.map_err(&bad)?;
        if entry.place.seq > args.to {
            break;
        }
        if entry.place.seq < args.from {
            continue;
        }
        let text = if args.json { object(scan, &entry).to_string() } else { row(scan, &entry) };
        writeln!(out, "{text}").map_err(failed)?;
    }
    out.flush().map_err(failed)
}

fn genesis_text(scan: &Scan, genesis: &Genesis) -> String {
    let Genesis { spec, capacity } = genesis;
    format!(
        "journal {:016x}  contract {}  {} accounts, {} orders, {} sessions, {} lots at most",
        scan.journal(),
        spec.name(),
        capacity.accounts,
        capacity.orders,
        capacity.sessions,
        capacity.lots
    )
}

fn genesis_object(scan: &Scan, genesis: &Genesis) -> Value {
    let Genesis { spec, capacity } = genesis;
    let words: Vec<String> = genesis.to_words().iter().map(|word| format!("{word:016x}")).collect();
    json!({
        "entry": "genesis", "journal": format!("{:016x}", scan.journal()), "spec": spec.name(),
        "accounts": capacity.accounts, "orders": capacity.orders, "sessions": capacity.sessions,
        "lots": capacity.lots, "words": words,
    })
}

/// A line of the table.
pub fn command_row(command: &Command) -> String {
    let session = match command.session() {
        0 => "-".to_owned(),
        session => format!("{session}/{}", command.request()),
    };
    let account =
        if command.account() == contract::AccountId::NONE { "-".to_owned() } else { command.account().0.to_string() };
    let (kind, fields) = (fields::kind(command), fields::line(command));
    let row = format!("{:>10}  {:>20}  {account:>8}  {session:>12}  {kind} {fields}", command.seq(), command.ts());
    row.trim_end().to_owned()
}

fn row(scan: &Scan, entry: &Entry) -> String {
    match &entry.what {
        What::Command(command) => {
            let why = scan.quarantined().iter().find(|one| one.seq == command.seq());
            let note = why.map_or(String::new(), |one| format!("  QUARANTINED: {}", one.text()));
            format!("{}{note}", command_row(command))
        }
        What::Quarantine(record) => format!("{:>10}  quarantine  {}", "--", fields::line(record)),
        What::Trailer { chain } => {
            let chain = chain.map_or("not known".to_owned(), |chain| format!("{chain:016x}"));
            format!("{:>10}  batch ends at {}, chain {chain}", "--", entry.place)
        }
    }
}

fn object(scan: &Scan, entry: &Entry) -> Value {
    let place = entry.place;
    let with_place = |mut map: serde_json::Map<String, Value>, entry: &str| {
        map.insert("entry".into(), entry.into());
        map.insert("segment".into(), place.segment.into());
        map.insert("offset".into(), place.offset.into());
        map
    };
    let out = match &entry.what {
        What::Command(command) => {
            let mut map = with_place(fields::object(command), "command");
            let why = scan.quarantined().iter().find(|one| one.seq == command.seq());
            map.insert("quarantined".into(), why.map(|one| one.text()).into());
            map
        }
        What::Quarantine(record) => with_place(fields::object(record), "quarantine"),
        What::Trailer { chain } => {
            let mut map = with_place(serde_json::Map::new(), "trailer");
            map.insert("last_seq".into(), place.seq.into());
            map.insert("chain".into(), chain.map(|chain| format!("{chain:016x}")).into());
            map
        }
    };
    Value::Object(out)
}
