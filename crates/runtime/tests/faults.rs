//! A disk that is full, fails, or gives little at a time; and everything that may be asked wrongly.

mod common;

use centum_runtime::disk::FileDisk;
use centum_runtime::journal::{Durability, Error, Journal, Options, Scan, What, Writer, replay};
use common::{OPTIONS, REASON, Run};
use contract::{AccountId, Action, Capacity, Command, ContractSpec, Event, Fact, Genesis};
use engine::{Discard, Engine, Outbox};
use testkit::SimDisk;
use testkit::sim_disk::Crash;

fn journal(run: &Run) -> (SimDisk, Writer<SimDisk>) {
    let disk = SimDisk::new();
    let journal = Writer::create(disk.clone(), OPTIONS, &run.genesis).expect("the disk is good");
    (disk, journal)
}

/// The next commands, committed one by one, until something is refused.
fn write_until_refused(run: &Run, journal: &mut Writer<SimDisk>) -> Error {
    run.write(journal, journal.durable_seq(), || 1, |_| {}).expect_err("it is refused before the market ends")
}

#[test]
fn a_full_disk_refuses_commands_before_they_are_accepted_and_keeps_what_was_answered() {
    let run = Run::new(2, 900, true);
    let disk = SimDisk::new();
    disk.set_capacity(2 * OPTIONS.segment_bytes + 100);
    let mut journal = Writer::create(disk.clone(), OPTIONS, &run.genesis).expect("there is room");
    let error = write_until_refused(&run, &mut journal);
    assert!(matches!(error, Error::Full { free: 100, .. }), "{error}");
    let answered = journal.durable_seq();
    assert_eq!(journal.appended_seq(), answered, "what was refused was never accepted");
    assert!(answered > 100, "two segments were used: {answered}");
    // Still full, still refused, as often as one asks; nothing is left lying about.
    assert!(matches!(journal.reserve(1), Err(Error::Full { .. })));
    assert_eq!(Scan::of(&disk.crash(Crash::AllLost)).map(|scan| scan.last_seq()).ok(), Some(answered));
    // Room is made: it goes on.
    disk.set_capacity(1 << 30);
    run.write(&mut journal, answered, || 7, |_| {}).expect("there is room again");
    let disk = journal.close().expect("the disk is good");
    let scan = Scan::of(&disk).expect("it is whole");
    assert_eq!(scan.last_seq(), 900);
    run.check_replay(&disk, &scan);
}

#[test]
fn a_failed_sync_is_never_tried_again_and_loses_nothing_that_was_answered() {
    let run = Run::new(2, 300, true);
    for syncs in 0..60 {
        let (disk, mut journal) = journal(&run);
        disk.fail_sync_after(syncs);
        let mut answered = 0;
        let error = run.write(&mut journal, 0, || 5, |seq| answered = seq).expect_err("a sync fails");
        assert!(!matches!(error, Error::Full { .. }), "{error}");
        // The disk would do its work again; the journal does not ask.
        let next = &run.commands[journal.appended_seq() as usize];
        for refused in [journal.reserve(1).err(), journal.append(next).err(), journal.commit(None).map(|_| ()).err()] {
            assert!(matches!(refused, Some(Error::Failed { .. })), "{refused:?}");
        }
        assert_eq!(journal.durable_seq(), answered);
        assert!(matches!(journal.close(), Err(Error::Failed { .. })));
        for crash in [Crash::AllLost, Crash::AllKept, Crash::Chance(syncs)] {
            let after = disk.crash(crash);
            let scan = Scan::of(&after).expect("a crash does no damage");
            assert!(run.check_prefix(&after, &scan).expect("a beginning") >= answered);
        }
        // Only the process dies. The system's memory shows a batch that is not on the platter and that no sync
        // will bring there; recovery writes it again, so what was replayed is safe before anybody is told.
        let after = disk.after_process_death();
        let scan = Scan::of(&after).expect("a crash does no damage");
        let seen = scan.last_seq();
        Writer::open(after.clone(), OPTIONS, &scan).expect("the disk is good again");
        let lost = after.crash(Crash::AllLost);
        let scan = Scan::of(&lost).expect("a crash does no damage");
        assert_eq!(scan.last_seq(), seen, "after {syncs} syncs: what recovery saw was not safe");
        run.check_replay(&lost, &scan);
    }
}

#[test]
fn a_failed_write_is_never_tried_again_and_loses_nothing_that_was_answered() {
    let run = Run::new(2, 300, true);
    for writes in 0..60 {
        let (disk, mut journal) = journal(&run);
        disk.fail_write_after(writes);
        let mut answered = 0;
        let refused = run.write(&mut journal, 0, || 5, |seq| answered = seq);
        assert!(refused.is_err());
        assert!(matches!(journal.reserve(1), Err(Error::Failed { .. })));
        for crash in [Crash::AllLost, Crash::AllKept, Crash::Chance(writes)] {
            let after = disk.crash(crash);
            let scan = Scan::of(&after).expect("a crash does no damage");
            assert!(run.check_prefix(&after, &scan).expect("a beginning") >= answered);
        }
    }
}

#[test]
fn short_reads_and_interruptions_change_nothing() {
    let run = Run::new(4, 500, true);
    let (disk, mut journal) = journal(&run);
    run.write(&mut journal, 0, || 11, |_| {}).expect("the disk is good");
    journal.close().expect("the disk is good");
    disk.set_short_reads(1);
    let scan = Scan::of(&disk).expect("it is whole");
    assert_eq!(run.check_prefix(&disk, &scan), Ok(500));
    run.check_replay(&disk, &scan);
    Writer::open(disk, OPTIONS, &scan).expect("it goes on");
}

#[test]
fn commands_come_in_order_and_bulks_whole() {
    let run = Run::new(2, 10, true);
    let (_, mut journal) = journal(&run);
    let at = |seq, ts| Command::new(AccountId(4), Action::Clock).stamped(seq, ts);
    assert!(matches!(journal.append(&at(2, 0)), Err(Error::Order { seq: 2, last_seq: 0, .. })));
    journal.append(&at(1, 10)).expect("it follows");
    assert!(matches!(journal.append(&at(2, 9)), Err(Error::Order { ts: 9, last_ts: 10, .. })));
    assert!(matches!(journal.append(&at(3, 10)), Err(Error::Order { .. })));
    assert_eq!((journal.appended_seq(), journal.durable_seq()), (1, 0));
    assert_eq!((journal.releasable_seq(Durability::Received), journal.releasable_seq(Durability::Journaled)), (1, 0));
    let mut more = at(2, 10).to_bytes();
    more[35] = contract::command::FLAG_MORE;
    journal.append(&Command::from_bytes(&more)).expect("it follows");
    assert!(matches!(journal.commit(None), Err(Error::OpenBulk { seq: 2 })));
    journal.append(&at(3, 10)).expect("the end of the bulk");
    let batch = journal.commit(Some(1)).expect("the disk is good");
    assert_eq!((batch.last_seq, batch.segment, batch.bytes.len()), (3, 1, 3 * 136 + 40));
    assert_eq!(journal.commit(Some(1)).expect("nothing is to be done").bytes, []);
    for seq in 4..=203 {
        journal.append(&at(seq, 10)).expect("there is room in the batch");
    }
    assert!(matches!(journal.reserve(1), Err(Error::BatchFull { commands: 200 })));
    assert!(matches!(journal.append(&at(204, 10)), Err(Error::BatchFull { .. })));
    journal.commit(None).expect("the disk is good");
    journal.reserve(200).expect("a new batch");
}

/// The bytes that a commit gives, put at the place it names, make the same journal.
#[test]
fn batches_are_bytes_that_can_be_copied() {
    let run = Run::new(2, 200, true);
    let (disk, mut journal) = journal(&run);
    let copy = disk.copy();
    let name = centum_runtime::journal::format::segment_name(1);
    for command in &run.commands[..100] {
        journal.append(command).expect("there is room");
        if command.flags() & contract::command::FLAG_MORE != 0 {
            continue;
        }
        let batch = journal.commit(Some(run.chains[command.seq() as usize])).expect("the disk is good");
        let mut bytes = copy.file(&name).expect("it is there");
        bytes[batch.offset as usize..][..batch.bytes.len()].copy_from_slice(batch.bytes);
        copy.put(&name, bytes);
    }
    let scan = Scan::of(&copy).expect("it is whole");
    assert_eq!(run.check_prefix(&copy, &scan), Ok(100));
}

#[test]
fn a_journal_is_made_once_and_opened_with_its_own_genesis() {
    let run = Run::new(2, 10, true);
    assert!(matches!(Scan::of(&SimDisk::new()), Err(Error::Absent)));
    let (disk, journal) = journal(&run);
    drop(journal);
    assert!(matches!(Writer::create(disk.clone(), OPTIONS, &run.genesis), Err(Error::Present)));
    let scan = Scan::of(&disk).expect("it is whole");
    assert_eq!(scan.must_have(&run.genesis).map_err(|error| error.to_string()), Ok(()));
    let other = Genesis { capacity: Capacity { lots: 77, ..run.genesis.capacity }, ..run.genesis };
    assert!(matches!(scan.must_have(&other), Err(Error::OtherGenesis)));
    for options in [
        Options { segment_bytes: 5_000, ..OPTIONS },
        Options { segment_bytes: 2 << 30, ..OPTIONS },
        Options { batch_commands: 4, ..OPTIONS },
        Options { batch_commands: 1_000, ..OPTIONS },
        Options { batch_commands: 100, ..OPTIONS },
    ] {
        let made = Writer::create(SimDisk::new(), options, &run.genesis);
        assert!(matches!(made, Err(Error::Options(_))), "{options:?}");
    }
}

/// A snapshot covers the beginning: reading starts at the segment that has the next command.
#[test]
fn a_replay_begins_where_a_snapshot_ends() {
    let run = Run::new(6, 900, true);
    let (disk, mut journal) = journal(&run);
    run.write(&mut journal, 0, || 13, |_| {}).expect("the disk is good");
    journal.close().expect("the disk is good");
    for seq in [1, 2, 150, 151, 400, 700, 899, 900, 901] {
        let scan = Scan::from(&disk, seq, |_| {}).expect("it is whole");
        assert!(scan.first_seq() <= seq && scan.last_seq() == 900, "{} for {seq}", scan.first_seq());
        assert!(seq < 400 || (scan.first_seq() > 1 && scan.genesis().is_none()), "early segments are left out");
        let mut engine = run.engine_after(seq as usize - 1);
        let replayed = replay(&disk, &scan, &mut engine, &mut Discard, |_| {}).expect("it agrees");
        assert_eq!(replayed.commands, 901 - seq);
        assert_eq!((engine.chain(), engine.digest()), (run.chains[900], run.digests[900]));
    }
    // Early segments may go, once a snapshot covers them.
    disk.take(&centum_runtime::journal::format::segment_name(1));
    assert!(Scan::from(&disk, 700, |_| {}).is_ok());
    assert!(matches!(Scan::of(&disk), Err(Error::TooEarly { first: 2..=400, wanted: 1 })));
    let scan = Scan::from(&disk, 700, |_| {}).expect("it is there");
    let begun = replay(&disk, &scan, &mut run.engine_after(3), &mut Discard, |_| {});
    assert!(matches!(begun, Err(Error::TooEarly { wanted: 4, .. })));
}

#[test]
fn a_replay_that_differs_says_between_which_commands() {
    let mut run = Run::new(2, 100, true);
    let (disk, mut journal) = journal(&run);
    // The recorded run was another from command 41 on.
    run.chains[41..].iter_mut().for_each(|chain| *chain ^= 1);
    run.write(&mut journal, 0, || 10, |_| {}).expect("the disk is good");
    let scan = Scan::of(&disk).expect("it is whole");
    let mut engine = Engine::new(&run.genesis).expect("it can be traded");
    match replay(&disk, &scan, &mut engine, &mut Discard, |_| {}) {
        Err(Error::Chain { after, until, place, .. }) => {
            assert!(after <= 40 && until > 40 && place.seq == until, "{after} {until}")
        }
        other => panic!("{other:?}"),
    }
}

/// An outbox that does not survive a command.
struct Bomb(u64);

impl Outbox for Bomb {
    fn push(&mut self, event: &Event) {
        assert!(event.seq() != self.0, "a law that broke");
    }

    fn end(&mut self) {}
}

/// A law that breaks stops the replay and names the command; quarantined, the command is refused by every replay,
/// its number used up, its request answered, and the log goes on. (Rule ID-2)
#[test]
fn a_command_that_stops_the_engine_is_quarantined() {
    let run = Run::new(2, 100, true);
    let (disk, mut journal) = journal(&run);
    run.write(&mut journal, 0, || 10, |_| {}).expect("the disk is good");
    let scan = Scan::of(&disk).expect("it is whole");
    let mut engine = Engine::new(&run.genesis).expect("it can be traded");
    match replay(&disk, &scan, &mut engine, &mut Bomb(run.quarantined), |_| {}) {
        Err(Error::Law { place, rule }) => assert_eq!((place.seq, rule.as_str()), (50, "a law that broke")),
        other => panic!("{other:?}"),
    }
    let refused = |seq: u64, text: &str, journal: &mut Writer<SimDisk>, scan: &Scan| {
        matches!(journal.quarantine(scan, seq, text), Err(Error::Quarantine { .. }))
    };
    assert!(refused(0, REASON, &mut journal, &scan) && refused(101, REASON, &mut journal, &scan));
    assert!(refused(50, "", &mut journal, &scan) && refused(50, &"x".repeat(81), &mut journal, &scan));
    assert!(refused(50, "caf\u{e9}", &mut journal, &scan));
    run.quarantine(&mut journal).expect("the disk is good");
    let scan = Scan::of(&disk).expect("it is whole");
    assert!(refused(50, REASON, &mut journal, &scan), "it is quarantined already");
    let [one] = scan.quarantined() else { panic!("one is quarantined") };
    assert_eq!((one.seq, one.since, one.text()), (50, 100, REASON));

    let mut engine = Engine::new(&run.genesis).expect("it can be traded");
    let mut events: Vec<Event> = Vec::new();
    let replayed = replay(&disk, &scan, &mut engine, &mut events, |_| {}).expect("the log goes on");
    assert_eq!((replayed.commands, replayed.quarantined), (100, 1));
    assert!(replayed.chains_agreed > 0 && replayed.chains_unknown > 0, "{replayed:?}");
    assert_eq!((engine.chain(), engine.digest()), run.without);
    let said: Vec<&Event> = events.iter().filter(|event| event.seq() == 50).collect();
    let refusal =
        |event: &&&Event| matches!(event.fact(), Some(Fact::Rejected(it)) if it.session == 1 && it.request == 50);
    assert_eq!(said.iter().filter(refusal).count(), 1, "{said:?}");

    // The market goes on; from here on the chain is that of the run without the command, and it is compared.
    let after = Command::new(AccountId(4), Action::Clock).stamped(101, engine.ts()).from_session(1, 101);
    journal.append(&after).expect("there is room");
    engine.apply(&after, &mut Discard);
    journal.commit(Some(engine.chain())).expect("the disk is good");
    let scan = Scan::of(&disk).expect("it is whole");
    let mut again = Engine::new(&run.genesis).expect("it can be traded");
    let later = replay(&disk, &scan, &mut again, &mut Discard, |_| {}).expect("it agrees");
    assert_eq!(later.chains_agreed, replayed.chains_agreed + 1);
    assert_eq!((again.chain(), again.digest()), (engine.chain(), engine.digest()));
}

/// A client's command of kind `Quarantine` is a command like any other: it quarantines nothing.
#[test]
fn no_client_can_quarantine() {
    let run = Run::new(2, 10, true);
    let (disk, mut journal) = journal(&run);
    let why = contract::command::Quarantine { seq: 1, text: [b'x'; 80] };
    journal.append(&Command::new(AccountId(4), Action::Quarantine(why)).stamped(1, 0)).expect("there is room");
    journal.commit(None).expect("the disk is good");
    let scan = Scan::of(&disk).expect("it is whole");
    assert!(scan.quarantined().is_empty());
    assert!(scan.read(&disk).any(|entry| matches!(entry, Ok(it) if matches!(it.what, What::Command(_)))));
}

#[test]
fn a_real_directory_has_one_writer_and_keeps_what_was_committed() {
    let directory = std::env::temp_dir().join(format!("centum-faults-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    let run = Run::new(8, 600, true);
    let disk = FileDisk::create(&directory).expect("a directory can be made");
    let options = Options { journal: None, ..OPTIONS };
    let mut journal = Writer::create(disk, options, &run.genesis).expect("it can be made");
    run.write(&mut journal, 0, || 50, |_| {}).expect("it can be written");
    assert_eq!(FileDisk::open(&directory).err().map(|error| error.kind()), Some(std::io::ErrorKind::ResourceBusy));
    // Looking on is allowed, changing is not.
    let looking = FileDisk::read_only(&directory).expect("it can be read");
    assert_eq!(Scan::of(&looking).map(|scan| scan.last_seq()).ok(), Some(600));
    let scan = Scan::of(&looking).expect("it is whole");
    assert!(matches!(Writer::open(looking, options, &scan), Err(Error::Io { .. })));
    drop(journal);
    let disk = FileDisk::open(&directory).expect("the lock went with the writer");
    let scan = Scan::of(&disk).expect("it is whole");
    let mut engine = Engine::new(scan.genesis().expect("all was read")).expect("it can be traded");
    replay(&disk, &scan, &mut engine, &mut Discard, |_| {}).expect("it agrees");
    assert_eq!(engine.digest(), run.digests[600]);
    Writer::open(disk, options, &scan).expect("it goes on").close().expect("it ends in order");
    std::fs::remove_dir_all(&directory).expect("it can be removed");
}

/// A contract that was never asked for cannot be created by accident: profiles differ in their genesis.
#[test]
fn profiles_have_different_checksums() {
    use centum_runtime::journal::format::genesis_crc;
    let of = |spec: ContractSpec| genesis_crc(&Genesis { spec, capacity: Capacity::default() });
    assert_ne!(of(ContractSpec::XBTUSD_2019), of(ContractSpec::XBTUSD_2021));
}
