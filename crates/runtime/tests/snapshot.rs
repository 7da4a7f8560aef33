//! Snapshots beside a journal: crashes at every byte of their writing, damage of every kind, and what else an operator
//! may meet. Whatever happens, the recovered engine is the one of the run without a crash, and nothing that was
//! answered is lost.
//!
//! `CENTUM_SNAPSHOT_SCALE=20 cargo test -p centum-runtime --release --test snapshot` is the long run.

mod common;

use centum_runtime::disk::{Disk, FileDisk};
use centum_runtime::journal::{Journal, Options, Scan, Writer};
use centum_runtime::snapshot::format::{HEADER_BYTES, snapshot_name, unfinished_name};
use centum_runtime::snapshot::{Error, Flaw, Origin, Recovered, Recovery, Snapshot, Stored, list, prune};
use common::{OPTIONS, REASON, Run};
use contract::command::FLAG_MORE;
use engine::{Discard, Engine};
use testkit::SimDisk;
use testkit::sim_disk::damage::{self, Damage};
use testkit::sim_disk::{Crash, Op, SECTOR_BYTES, chance};

const COMMANDS: usize = 400;
/// Behind which commands snapshots are saved: the third one makes the first one go.
const SAVED_AT: [usize; 3] = [150, 260, 370];

fn scale() -> u64 {
    std::env::var("CENTUM_SNAPSHOT_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// A run with its engine, its journal and its disk.
struct Market {
    run: Run,
    disk: SimDisk,
    journal: Writer<SimDisk>,
    engine: Engine,
}

impl Market {
    fn new(seed: u64) -> Market {
        let run = Run::new(seed, COMMANDS, true);
        let disk = SimDisk::new();
        let journal = Writer::create(disk.clone(), OPTIONS, &run.genesis).expect("the disk is good");
        let engine = Engine::new(&run.genesis).expect("it can be traded");
        Market { run, disk, journal, engine }
    }

    /// Goes on up to a command, or the end of the bulk it stands in, in batches of seven.
    fn go_on(&mut self, to: usize) {
        let mut done = self.engine.seq() as usize;
        while done < to || self.journal.appended_seq() != self.journal.durable_seq() {
            let command = &self.run.commands[done];
            self.journal.append(command).expect("there is room");
            self.engine.apply(command, &mut Discard);
            done += 1;
            if command.flags() & FLAG_MORE == 0 && (done.is_multiple_of(7) || done >= to) {
                self.journal.commit(Some(self.engine.chain())).expect("the disk is good");
            }
        }
    }

    fn save(&self) -> Result<(), Error> {
        let origin = Origin { journal: self.journal.journal(), quarantines: 0 };
        let snapshot = Snapshot::take(&self.engine, origin);
        assert_eq!((snapshot.seq(), snapshot.digest()), (self.engine.seq(), self.engine.digest()));
        snapshot.save(&self.disk, self.journal.durable_seq()).map(|_| ())
    }

    /// All of it: three snapshots saved, two there.
    fn whole(seed: u64) -> Market {
        let mut market = Market::new(seed);
        for to in SAVED_AT {
            market.go_on(to);
            market.save().expect("the disk is good");
        }
        market.go_on(COMMANDS);
        market
    }

    fn recovered(&self, disk: &SimDisk, place: &str) -> Recovered {
        let plan = Recovery::plan(disk).unwrap_or_else(|error| panic!("{place}: {error}"));
        let recovered = plan.run(disk, &mut Discard, |_| {}).unwrap_or_else(|error| panic!("{place}: {error}"));
        let at = recovered.scan.last_seq() as usize;
        let engine = &recovered.engine;
        let expected = (at as u64, self.run.chains[at], self.run.digests[at]);
        assert_eq!((engine.seq(), engine.chain(), engine.digest()), expected, "{place}");
        let begun = recovered.snapshot.unwrap_or(0);
        assert_eq!(recovered.replayed.commands, at as u64 - begun, "{place}");
        recovered
    }
}

/// What was safe when so many things had been done to the disk.
struct Safe {
    done: usize,
    seq: u64,
    snapshot: Option<u64>,
}

#[test]
fn a_crash_at_any_byte_of_a_snapshot_loses_nothing() {
    let (mut points, mut unfinished, mut fallen_back, mut gone_on) = (0u64, 0u64, 0u64, 0u64);
    for seed in 1..=2 * scale() {
        let mut market = Market::new(seed);
        market.disk.record();
        let mut safe = vec![Safe { done: 0, seq: 0, snapshot: None }];
        let (mut saving, mut named) = (Vec::new(), Vec::new());
        for to in SAVED_AT {
            market.go_on(to);
            let (seq, begun) = (market.engine.seq(), market.disk.recorded());
            named.push(seq);
            safe.push(Safe { done: begun, seq, snapshot: safe.last().and_then(|it| it.snapshot) });
            market.save().expect("the disk is good");
            // The name is safe once the directory is; what is removed behind that needs no safety.
            let ended = market.disk.recorded();
            saving.push(begun..ended);
        }
        market.go_on(COMMANDS);
        let mut tape = market.disk.crashes();
        let mut state = seed;
        let mut saved = 0;
        while let Some(op) = tape.next_op().cloned() {
            let done = tape.done();
            let is_saving = saving.iter().any(|range| range.contains(&done));
            if is_saving || saving.iter().any(|range| range.end == done) {
                let bytes = if let Op::Write(_, _, bytes) = &op { bytes.len() } else { 1 };
                for byte in 0..if is_saving { bytes } else { 1 } {
                    let mut ways = vec![Crash::AllKept];
                    if byte == 0 {
                        ways.push(Crash::AllLost);
                    }
                    if byte % 4 == 0 {
                        ways.push(Crash::Chance(chance(&mut state)));
                    }
                    for crash in ways {
                        let place = format!("seed {seed}, thing {done} byte {byte}, {crash:?}");
                        let disk = tape.crash(byte, crash);
                        let recovered = market.recovered(&disk, &place);
                        points += 1;
                        let last = safe.iter().rev().find(|it| it.done <= done).expect("there is a first");
                        assert!(recovered.scan.last_seq() >= last.seq, "{place}: commands are lost");
                        assert!(recovered.skipped.is_empty(), "{place}: {}", recovered.skipped[0]);
                        assert!(recovered.snapshot >= named[..saved].last().copied(), "{place}");
                        let names = disk.list().expect("the disk is good");
                        unfinished += u64::from(names.iter().any(|name| name.ends_with(".tmp")));
                        fallen_back += u64::from(is_saving && recovered.snapshot < Some(last.seq));
                        if points.is_multiple_of(499) {
                            go_on_to_the_end(&market, &disk, recovered, &place);
                            gone_on += 1;
                        }
                    }
                }
            }
            tape.advance();
            if op == Op::SyncDir && is_saving {
                saved += 1;
            }
        }
        assert_eq!(saved, 3, "each was named once");
    }
    println!("{points} crash points, {unfinished} with a snapshot half written, {gone_on} gone on from");
    assert!(points > 20_000 && unfinished > 1_000 && fallen_back > 1_000 && gone_on > 30);
}

/// From a recovery to the end of the market, with another snapshot; and it is recovered again.
fn go_on_to_the_end(market: &Market, disk: &SimDisk, recovered: Recovered, place: &str) {
    let disk = disk.copy();
    let Recovered { mut engine, scan, .. } = recovered;
    let mut journal = Writer::open(disk.clone(), OPTIONS, &scan).unwrap_or_else(|error| panic!("{place}: {error}"));
    market.run.write(&mut journal, engine.seq(), || 40, |_| {}).expect("the disk is good");
    market.run.commands[engine.seq() as usize..].iter().for_each(|command| engine.apply(command, &mut Discard));
    let snapshot = Snapshot::take(&engine, Origin::of(&scan, engine.seq()));
    let saved = snapshot.save(&disk, journal.durable_seq()).expect("the disk is good");
    assert_eq!(saved.bytes as usize, HEADER_BYTES + snapshot.bytes(), "{place}");
    let names = disk.list().expect("the disk is good");
    assert!(names.iter().all(|name| !name.ends_with(".tmp")), "{place}: {names:?}");
    assert!(list(&disk).expect("the disk is good").len() <= 2, "{place}: {names:?}");
    let again = market.recovered(&disk.crash(Crash::AllLost), place);
    assert_eq!((again.snapshot, again.scan.last_seq()), (Some(COMMANDS as u64), COMMANDS as u64), "{place}");
}

/// No damage of a snapshot's file is ever restored; the one before it is, and the operator is told.
#[test]
fn damage_is_always_told_and_never_restored() {
    let market = Market::whole(3);
    let (newest, before) = (SAVED_AT[2] as u64, SAVED_AT[1] as u64);
    let (file, other) = (snapshot_name(newest), snapshot_name(before));
    let bytes = market.disk.file(&file).expect("it is there").len() as u64;
    assert_eq!(list(&market.disk).expect("the disk is good"), [newest, before]);
    // Another run of the same market, whose snapshots are whole too.
    let stranger = Market::whole(4).disk;
    stranger.put(&file, stranger.file(&file).expect("it is there"));
    let (mut state, mut damages, mut recoveries) = (17, 0u64, 0u64);
    let mut by_flaw = std::collections::BTreeMap::new();
    for i in 0..22_000 * scale() {
        let disk = market.disk.copy();
        let anywhere = |state: &mut u64, room: u64| chance(state) % (bytes - room);
        let damaged = match i % 11 {
            0..=5 => damage::flip_bit(&disk, &file, 0..if i % 4 == 0 { 600 } else { bytes }, &mut state),
            6 => damage::truncate(&disk, &file, anywhere(&mut state, 0)),
            7 => damage::zero_sector(&disk, &file, anywhere(&mut state, 0) / SECTOR_BYTES as u64),
            8 => {
                let length = [8, 72, 88, 512][(chance(&mut state) % 4) as usize];
                let (a, b) = (anywhere(&mut state, 512), anywhere(&mut state, 512));
                damage::swap(&disk, &file, a / 8 * 8, b / 8 * 8, length)
            }
            9 => {
                let (from, to) = (anywhere(&mut state, 2_048), anywhere(&mut state, 2_048));
                let length = SECTOR_BYTES * (1 + (chance(&mut state) % 3) as usize);
                damage::misdirect(&disk, (&other, from.min(4_000)), (&file, to), length)
            }
            _ => {
                let mut longer = disk.file(&file).expect("it is there");
                longer.resize(longer.len() + 1 + (chance(&mut state) % 999) as usize, 0);
                disk.put(&file, longer);
                Some(Damage { what: "made longer", file: file.clone(), offset: bytes })
            }
        };
        let Some(damage) = damaged else { continue };
        damages += 1;
        let place = format!("{} at byte {}", damage.what, damage.offset);
        let flaw = Stored::open(&disk, newest).and_then(Stored::checked).err();
        let flaw = flaw.unwrap_or_else(|| panic!("{place}: nobody was told"));
        assert!(flaw.is_damage(), "{place}: {flaw}");
        *by_flaw.entry(flaw.to_string().split_whitespace().take(2).collect::<Vec<_>>().join(" ")).or_insert(0) += 1;
        if damages.is_multiple_of(40) {
            recoveries += 1;
            let recovered = market.recovered(&disk, &place);
            assert_eq!((recovered.snapshot, recovered.skipped.len()), (Some(before), 1), "{place}");
            assert_eq!((recovered.skipped[0].seq, recovered.scan.last_seq()), (newest, COMMANDS as u64), "{place}");
        }
    }
    println!("{damages} damages, all told; {recoveries} recoveries with the one before; {by_flaw:?}");
    assert!(damages >= 20_000 && recoveries > 400);

    // Both damaged: the whole journal. A snapshot of another journal, or under another's name, is none of ours.
    let disk = market.disk.copy();
    damage::flip_bit(&disk, &file, 0..bytes, &mut state);
    damage::truncate(&disk, &other, 100);
    let recovered = market.recovered(&disk, "both damaged");
    assert_eq!((recovered.snapshot, recovered.skipped.len()), (None, 2));
    let disk = market.disk.copy();
    damage::stale(&disk, &market.disk, &other, &file);
    assert!(matches!(market.recovered(&disk, "renamed").skipped[0].flaw, Flaw::WrongName { found } if found == before));
    let disk = market.disk.copy();
    damage::stale(&disk, &stranger, &file, &file);
    let flaw = &market.recovered(&disk, "of another run").skipped[0].flaw;
    assert!(matches!(flaw, Flaw::WrongGenesis), "{flaw}");
}

/// A snapshot of the same contract that belongs to another journal.
#[test]
fn a_snapshot_of_another_journal_is_passed_over() {
    let market = Market::whole(3);
    let snapshot = Snapshot::take(&market.run.engine_after(390), Origin { journal: 7, quarantines: 0 });
    snapshot.save(&market.disk, 390).expect("the disk is good");
    let recovered = market.recovered(&market.disk, "another journal's");
    assert!(matches!(recovered.skipped[0].flaw, Flaw::WrongJournal { found: 7 }));
    assert_eq!(recovered.snapshot, Some(SAVED_AT[2] as u64));
}

#[test]
fn what_is_not_safe_is_not_saved_and_a_full_or_failing_disk_is_told() {
    let mut market = Market::new(5);
    market.go_on(100);
    market.save().expect("the disk is good");
    market.journal.append(&market.run.commands[100]).expect("there is room");
    market.engine.apply(&market.run.commands[100], &mut Discard);
    assert!(matches!(market.save(), Err(Error::NotDurable { seq: 101, durable: 100 })));
    market.journal.commit(Some(market.engine.chain())).expect("the disk is good");

    let used: usize = market
        .disk
        .list()
        .expect("the disk is good")
        .iter()
        .filter_map(|it| market.disk.file(it))
        .map(|it| it.len())
        .sum();
    market.disk.set_capacity(used as u64 + 1_000);
    assert!(matches!(market.save(), Err(Error::Full { free: 1_000, .. })));
    market.disk.set_capacity(u64::MAX / 2);
    for syncs in 0..2 {
        market.disk.fail_sync_after(syncs);
        assert!(matches!(market.save(), Err(Error::Io { .. })));
        let recovered = market.recovered(&market.disk.crash(Crash::AllLost), "a failed sync");
        assert_eq!((recovered.snapshot, recovered.scan.last_seq()), (Some(100), 101));
    }
    market.disk.fail_sync_after(u64::MAX);
    for writes in 0..2 {
        market.disk.fail_write_after(writes);
        assert!(matches!(market.save(), Err(Error::Io { .. })));
        assert!(market.disk.file(&unfinished_name(101)).is_none(), "what was written of it goes");
    }
    market.disk.fail_write_after(u64::MAX);
    market.disk.set_short_reads(1);
    market.save().expect("the disk is good again");
    assert_eq!(market.recovered(&market.disk, "short reads").snapshot, Some(101));
}

/// A snapshot behind the journal's end proves that safe commands are gone.
#[test]
fn a_journal_that_ends_before_a_snapshot_is_damaged() {
    let market = Market::whole(6);
    let mut short = Market::new(6);
    short.go_on(300);
    let ahead = snapshot_name(SAVED_AT[2] as u64);
    short.disk.put(&ahead, market.disk.file(&ahead).expect("it is there"));
    let told = Recovery::plan(&short.disk).expect("it can be planned").run(&short.disk, &mut Discard, |_| {});
    assert!(matches!(told, Err(Error::Ahead { seq: 370, last_seq: 300 })), "{told:?}");
}

/// A quarantine changes what was replayed before it was spoken: snapshots from before are passed over, those from
/// after are not, right behind it among them. (Law 6)
#[test]
fn a_snapshot_from_before_a_quarantine_is_passed_over() {
    let mut market = Market::whole(3);
    market.save().expect("the disk is good");
    market.run.quarantine(&mut market.journal).expect("the disk is good");
    let disk = market.disk.clone();
    let recover = || Recovery::plan(&disk).expect("it is there").run(&disk, &mut Discard, |_| {}).expect("it agrees");
    let recovered = recover();
    assert_eq!((recovered.engine.chain(), recovered.engine.digest()), market.run.without);
    assert_eq!((recovered.snapshot, recovered.skipped.len()), (None, 2));
    let is_it = |flaw: &Flaw| matches!(flaw, Flaw::Quarantined { seq } if *seq == market.run.quarantined);
    assert!(recovered.skipped.iter().all(|one| is_it(&one.flaw) && !one.flaw.is_damage()));
    assert_eq!(recovered.scan.quarantined()[0].text(), REASON);

    // The run that refuses it writes its own, under the same name.
    let snapshot = Snapshot::take(&recovered.engine, Origin::of(&recovered.scan, recovered.engine.seq()));
    snapshot.save(&disk, market.journal.durable_seq()).expect("the disk is good");
    let again = recover();
    assert_eq!((again.engine.chain(), again.engine.digest()), market.run.without);
    assert_eq!((again.snapshot, again.skipped.len()), (Some(COMMANDS as u64), 0));
    // A second quarantine at the same place is one it did not know.
    let scan = Scan::of(&disk).expect("it is whole");
    market.journal.quarantine(&scan, 7, REASON).expect("the disk is good");
    assert!(matches!(recover().skipped[0].flaw, Flaw::Quarantined { seq: 7 }));
}

/// Segments before the older snapshot may go; then a snapshot is the only way in.
#[test]
fn early_segments_go_only_when_asked_and_only_when_covered() {
    let market = Market::whole(3);
    let first =
        |disk: &SimDisk| disk.list().expect("the disk is good").into_iter().find(|name| name.ends_with(".journal"));
    assert_eq!(first(&market.disk).as_deref(), Some("00000001.journal"), "nobody prunes unasked");
    let disk = market.disk.copy();
    damage::truncate(&disk, &snapshot_name(SAVED_AT[2] as u64), 99);
    assert!(prune(&disk).expect("the disk is good").is_empty(), "one good snapshot is not enough");

    let disk = market.disk.copy();
    disk.record();
    let removed = prune(&disk).expect("the disk is good");
    assert!(!removed.is_empty() && removed[0] == "00000001.journal", "{removed:?}");
    let mut tape = disk.crashes();
    loop {
        for crash in [Crash::AllKept, Crash::AllLost, Crash::Chance(5)] {
            market.recovered(&tape.crash(0, crash), "while segments go");
        }
        if tape.next_op().is_none() {
            break;
        }
        tape.advance();
    }
    let recovered = market.recovered(&disk, "pruned");
    assert_eq!(recovered.snapshot, Some(SAVED_AT[2] as u64));
    go_on_to_the_end(&market, &disk, recovered, "pruned");
    // The older one leads in as well; without both nothing does.
    damage::truncate(&disk, &snapshot_name(SAVED_AT[2] as u64), 99);
    assert_eq!(market.recovered(&disk, "the older one").snapshot, Some(SAVED_AT[1] as u64));
    disk.take(&snapshot_name(SAVED_AT[1] as u64));
    let told = Recovery::plan(&disk).expect("it can be planned").run(&disk, &mut Discard, |_| {});
    let text = told.expect_err("nothing leads in").to_string();
    assert!(text.contains("no snapshot leads into it") && text.contains("passed over"), "{text}");
}

#[test]
fn a_plan_says_what_it_will_read_and_a_follower_stops_at_what_is_safe() {
    let mut market = Market::whole(3);
    let plan = Recovery::plan(&market.disk).expect("it is there");
    assert_eq!((plan.snapshot(), plan.last_seq(), plan.commands()), (Some(370), 400, 30));
    assert!(plan.estimate_ns() > 30 * 700);
    assert_eq!(plan.without_snapshots().commands(), 400);
    // A batch that is written and whose mark is not: it may be there, nobody has said that it is safe.
    let disk = market.disk.clone();
    let follow =
        || Recovery::plan_durable(&disk).expect("it is there").run(&disk, &mut Discard, |_| {}).expect("it agrees");
    assert_eq!(follow().engine.seq(), 400);
    let clock = contract::Command::new(contract::AccountId::NONE, contract::Action::Clock);
    market.journal.append(&clock.stamped(401, u64::MAX)).expect("there is room");
    market.disk.fail_write_after(1);
    market.journal.commit(None).expect("the batch is safe, its mark is not");
    assert_eq!(Scan::of(&disk).map(|scan| scan.last_seq()).ok(), Some(401));
    let followed = follow();
    assert_eq!((followed.engine.seq(), followed.engine.digest()), (400, market.run.digests[400]));
}

#[test]
fn a_real_directory_takes_snapshots_beside_its_writer() {
    let directory = std::env::temp_dir().join(format!("centum-snapshot-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    let run = Run::new(8, 300, true);
    let disk = FileDisk::create(&directory).expect("a directory can be made");
    let mut journal = Writer::create(disk, Options { journal: None, ..OPTIONS }, &run.genesis).expect("it can be made");
    run.write(&mut journal, 0, || 50, |_| {}).expect("it can be written");
    // The writer has its lock; snapshots have their own.
    let beside = FileDisk::for_snapshots(&directory).expect("nobody writes one");
    assert!(FileDisk::for_snapshots(&directory).is_err(), "one at a time");
    assert!(beside.create("00000009.journal", 4_096).is_err() && beside.remove("00000001.journal").is_err());
    let followed =
        Recovery::plan_durable(&beside).expect("it is there").run(&beside, &mut Discard, |_| {}).expect("it agrees");
    let snapshot = Snapshot::take(&followed.engine, Origin::of(&followed.scan, followed.engine.seq()));
    let saved = snapshot.save(&beside, followed.engine.seq()).expect("it can be saved");
    assert_eq!(saved.file, snapshot_name(300));
    drop((journal, beside));
    let disk = FileDisk::open(&directory).expect("the lock went with the writer");
    let recovered = Recovery::plan(&disk).expect("it is there").run(&disk, &mut Discard, |_| {}).expect("it agrees");
    assert_eq!((recovered.snapshot, recovered.engine.digest()), (Some(300), run.digests[300]));
    std::fs::remove_dir_all(&directory).expect("it can be removed");
}
