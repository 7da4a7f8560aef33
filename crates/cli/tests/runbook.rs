//! What `docs/runbook.md` says to type, typed: each command goes to the binary as it stands there, on a venue's own
//! directory, and the venue opens again after it. What one sees before is in `crates/runtime/tests/runbook.rs`.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use contract::{Command, Genesis};
use engine::Engine;
use runtime::disk::FileDisk;
use runtime::journal::{Options, Writer};
use runtime::lane::{Lane, LaneConfig};
use runtime::pump::{Pump, PumpOptions};
use runtime::venue::{Config, Venue};
use support::{Outcome, centum, scratch};
use testkit::client::{cancel, genesis, request};

const RUNBOOK: &str = include_str!("../../../docs/runbook.md");
const SEGMENT: &str = "00000001.journal";

/// The runbook's line, with what stands for something put in; it is in that section, word for word.
#[track_caller]
fn typed(section: &str, line: &str, directory: &Path, others: &[(&str, &str)]) -> Outcome {
    let text = RUNBOOK.split("\n## ").find(|text| text.starts_with(section)).expect("a section");
    assert!(text.contains(&format!("`{line}`")), "{section} says: {line}");
    let directory = directory.to_str().expect("a plain path");
    let put_in = |word| match word {
        "DIR" => directory,
        word => others.iter().find(|(name, _)| *name == word).map_or(word, |(_, it)| it),
    };
    let words: Vec<&str> = line.strip_prefix("centum ").expect("a command of ours").split(' ').map(put_in).collect();
    centum(&words)
}

const OPTIONS: Options = Options { segment_bytes: 1 << 20, batch_commands: 4_096, journal: None };

fn config(directory: &Path) -> Config {
    let Genesis { spec, capacity } = genesis();
    // Commands are counted: none of the venue's own for want of others.
    let (directory, audit_idle) = (Some(directory.into()), std::time::Duration::ZERO);
    Config { contract: spec, capacity, directory, journal: OPTIONS, audit_idle, ..Config::default() }
}

fn send(lane: &mut Lane, requests: impl Iterator<Item = u64>, command: impl Fn(u64) -> Command) {
    for n in requests {
        while lane.try_send(command(n)).is_err() {
            std::thread::yield_now();
        }
    }
}

/// A venue's directory, with so many requests in it; the venue was stopped in order.
fn used(name: &str, requests: u64) -> PathBuf {
    let directory = scratch(name).join("venue");
    let mut venue = Venue::open(config(&directory)).expect("a new venue");
    let mut lane = venue.lane("gateway").expect("a lane");
    let running = venue.start().expect("two threads");
    send(&mut lane, 1..=requests, request);
    running.stop().expect("the disk is good");
    directory
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
    }
}

/// The process died after a sync that failed: verify says that the journal is whole, the venue opens, and the sessions
/// know what is there.
#[test]
fn failed_sync() {
    let directory = scratch("runbook_failed_sync").join("venue");
    let disk = FileDisk::create(&directory).expect("a folder");
    let journal = Writer::create(disk, OPTIONS, &genesis()).expect("a new journal");
    let mut pump = Pump::new(Engine::new(&genesis()).expect("an engine"), journal, PumpOptions::default()).unwrap();
    let mut lane = pump.lane("gateway", LaneConfig::default()).unwrap();
    send(&mut lane, 1..=50, request);
    pump.turn();
    drop(pump); // nothing is closed
    let told = typed("Failed sync", "centum journal verify DIR", &directory, &[]);
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert!(
        told.stdout.contains("commands     50\n") && told.stdout.contains("end          whole\n"),
        "{}",
        told.stdout
    );
    let venue = Venue::open(config(&directory)).expect("it opens again");
    assert_eq!(venue.last_request(1), Some(50));
}

/// The ledger of a journal adds up to every book.
#[test]
fn a_ledger() {
    let directory = used("runbook_ledger", 20);
    let ledger = directory.with_file_name("ledger.csv");
    let put_in = [("ledger.csv", ledger.to_str().expect("a plain path"))];
    let told = typed("Audit halt", "centum journal verify DIR --ledger ledger.csv", &directory, &put_in);
    assert!(told.code == 0 && told.stdout.contains("every book is what the engine says"), "{}", told.stdout);
    assert!(fs::read_to_string(ledger).expect("a ledger").contains("100000000000"), "the deposit");
}

/// A command is quarantined: the venue opens without it, and its session's last request counts it as answered.
#[test]
fn failed_assertion() {
    let directory = used("runbook_failed_assertion", 60);
    // Whoever runs the venue must stop it first.
    let venue = Venue::open(config(&directory)).expect("it opens");
    let line = "centum journal quarantine DIR --seq N --reason TEXT";
    let put_in = [("N", "60"), ("TEXT", "stops the engine: LIQ-9")];
    typed("Failed assertion", line, &directory, &put_in).is_unusable(&["another process writes this journal"]);
    let digest = venue.engine().digest();
    drop(venue);
    let told = typed("Failed assertion", line, &directory, &put_in);
    assert!(told.code == 0 && told.stdout.contains("command 60 is quarantined"), "{}{}", told.stdout, told.stderr);
    let mut venue = Venue::open(config(&directory)).expect("it opens without that command");
    assert_ne!(venue.engine().digest(), digest);
    assert_eq!((venue.engine().seq(), venue.last_request(1)), (60, Some(60)));
    // The stop had left a snapshot with that command in it: it is passed over, and said so.
    let recovered = venue.recovered();
    assert_eq!((recovered.snapshot, recovered.replayed.commands), (None, 60));
    assert!(recovered.skipped[0].contains("before command 60 was quarantined"), "{:?}", recovered.skipped);
    let mut lane = venue.lane("gateway").expect("a lane");
    let running = venue.start().expect("two threads");
    send(&mut lane, 60..=61, request);
    let stopped = running.stop().expect("the disk is good");
    assert_eq!((stopped.engine.seq(), stopped.engine.last_request(1)), (62, Some(61)), "60 again is a duplicate");
    let verified = typed("Failed sync", "centum journal verify DIR", &directory, &[]);
    assert_eq!(verified.code, 0, "{}", verified.stderr);
    assert!(verified.stdout.contains("quarantined  60: stops the engine: LIQ-9"), "{}", verified.stdout);
}

/// Damage in the middle: verify names the place and ends with 1, show prints what comes before, and once the segment is
/// put back the venue opens.
#[test]
fn corrupt_journal() {
    let directory = used("runbook_corrupt", 1_000);
    // Read before the snapshot of the stop could spare it.
    fs::remove_file(directory.join("00000000000000001000.snapshot")).expect("the snapshot of the stop");
    let backup = directory.with_extension("backup");
    copy(&directory, &backup);
    let segment = directory.join(SEGMENT);
    let mut bytes = fs::read(&segment).expect("a segment");
    // Somewhere behind the first batches: each has at most 4,096 commands, so a venue that was fast has few.
    let at = bytes.iter().rposition(|byte| *byte != 0).expect("it has bytes") - 20_000;
    bytes[at] ^= 0x10;
    fs::write(&segment, &bytes).expect("a segment");
    let refused = Venue::open(config(&directory)).map(|_| ()).expect_err("it does not open").to_string();
    // `cp -a DIR DIR.damaged`
    copy(&directory, &directory.with_extension("damaged"));
    let told = typed("Corrupt journal", "centum journal verify DIR", &directory, &[]);
    assert_eq!(told.code, 1, "{}{}", told.stdout, told.stderr);
    let place = refused.split(": ").next().expect("a sentence");
    assert!(place.starts_with("the journal is damaged at 00000001.journal byte "), "{refused}");
    assert!(told.stderr.contains(place), "the same place: {}", told.stderr);
    let damaged: u64 = place.split("(command ").nth(1).and_then(|it| it.trim_end_matches(')').parse().ok()).unwrap();
    // The last whole batch before it, and no further.
    let before = (damaged - 1).to_string();
    let shown = typed("Corrupt journal", "centum journal show DIR --to N", &directory, &[("N", &before)]);
    assert!(shown.code == 1 && shown.stderr.contains(place), "{}", shown.stderr);
    assert_eq!(fs::read(&segment).expect("a segment"), bytes, "nothing was changed");
    fs::copy(backup.join(SEGMENT), &segment).expect("put back");
    assert_eq!(typed("Corrupt journal", "centum journal verify DIR", &directory, &[]).code, 0);
    assert_eq!(Venue::open(config(&directory)).expect("it opens").last_request(1), Some(1_000));
}

/// What stands before damage is shown, batch by batch.
#[test]
fn what_comes_before_damage_is_shown() {
    let directory = scratch("runbook_show").join("venue");
    let disk = FileDisk::create(&directory).expect("a folder");
    let mut journal = Writer::create(disk, OPTIONS, &genesis()).expect("a new journal");
    for n in 1..=30 {
        use runtime::journal::Journal;
        journal.append(&request(n).stamped(n, n)).expect("there is room");
        if n % 10 == 0 {
            journal.commit(None).expect("the disk is good");
        }
    }
    journal.close().expect("the disk is good");
    // In the second batch: behind the genesis' (5 commands) and the first.
    let segment = directory.join(SEGMENT);
    let mut bytes = fs::read(&segment).expect("a segment");
    bytes[4_096 + (5 * 136 + 40) + (10 * 136 + 40) + 3 * 136 + 50] ^= 1;
    fs::write(&segment, &bytes).expect("a segment");
    let shown = typed("Corrupt journal", "centum journal show DIR --to N", &directory, &[("N", "13")]);
    assert!(shown.code == 1 && shown.stderr.contains("(command 14)"), "{}", shown.stderr);
    let last = shown.stdout.lines().last().expect("it shows something");
    assert!(last.contains("batch ends at") && shown.stdout.contains("Deposit amount=100000000000"), "{}", shown.stdout);
    assert!(!shown.stdout.contains("1/11"), "what was in the damaged batch cannot be vouched for");
}

/// A follower leaves a snapshot of a venue that runs; the next recovery begins there, and a replay shows how far it is.
#[test]
fn slow_recovery() {
    let directory = scratch("runbook_recovery").join("venue");
    let mut venue = Venue::open(config(&directory)).expect("a new venue");
    let mut lane = venue.lane("gateway").expect("a lane");
    let running = venue.start().expect("two threads");
    send(&mut lane, 1..=3_000, request);
    while running.last_request(1) != Some(3_000) {
        std::thread::yield_now();
    }
    let told = typed("Slow recovery", "centum snapshot DIR", &directory, &[]);
    assert!(told.code == 0 && told.stdout.contains("00000000000000003000.snapshot"), "{}{}", told.stdout, told.stderr);
    assert!(told.stderr.contains("from the genesis, 3000 commands to replay: about 1 s"), "{}", told.stderr);
    send(&mut lane, 3_001..=3_100, cancel);
    while running.last_request(1) != Some(3_100) {
        std::thread::yield_now();
    }
    let plan = Venue::recovery(&config(&directory)).expect("it is there").expect("a journal");
    assert_eq!((plan.snapshot(), plan.commands()), (Some(3_000), 100));
    let digest = running.stop().expect("the disk is good").engine.digest();
    let told = typed("Slow recovery", "centum journal digest DIR", &directory, &[]);
    assert!(
        told.stderr.contains("3100 commands in ") && told.stderr.contains(" segments: about 1 s"),
        "{}",
        told.stderr
    );
    assert!(told.stdout.contains(&format!("{digest:016x}")), "{}", told.stdout);
    let venue = Venue::open(config(&directory)).expect("it opens");
    assert_eq!((venue.recovered().snapshot, venue.last_request(1)), (Some(3_100), Some(3_100)));
}

/// Every command of ours in the runbook is typed here, and the section names the test that does.
#[test]
fn every_command_of_the_runbook_is_typed() {
    let tests = include_str!("runbook.rs");
    let mut commands = 0;
    for section in RUNBOOK.split("\n## ").skip(1) {
        let title = section.lines().next().expect("a title");
        let lines = section.split('`').skip(1).step_by(2).filter(|text| text.starts_with("centum "));
        for line in lines {
            commands += 1;
            // Across a line break of this file, too.
            let is_typed =
                tests.contains(&format!("\"{title}\", \"{line}\"")) || tests.contains(&format!("\"{line}\";"));
            assert!(is_typed, "{title}: {line}");
            let name = section.lines().find_map(|it| it.strip_prefix("Typed: `")?.strip_suffix('`'));
            let name = name.unwrap_or_else(|| panic!("{title} names the test that types {line}"));
            assert!(tests.contains(&format!("#[test]\nfn {name}()")), "{name} is there");
        }
    }
    assert!(commands >= 8, "{commands}");
}
