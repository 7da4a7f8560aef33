//! The bytes of the journal are those that `docs/journal-format.md` shows, and those of every release.
//!
//! `CENTUM_BLESS=1 cargo test -p centum-runtime --test format` writes the example and the golden journal anew.

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use centum_runtime::disk::{Disk, FileDisk};
use centum_runtime::journal::format::segment_name;
use centum_runtime::journal::{Journal, Options, Scan, What, Writer, replay};
use centum_runtime::snapshot::format::snapshot_name;
use centum_runtime::snapshot::{Origin, Snapshot, Stored};
use common::{OPTIONS, Run};
use contract::command::{Amount, Mark, OpenAccount};
use contract::{
    AccountId, Action, Capacity, ClOrdId, Command, ContractSpec, Genesis, Marking, NewOrder, Price, Qty, Side, Tick,
    Xbt,
};
use engine::{Discard, Engine};
use testkit::SimDisk;

const BEGIN: &str = "<!-- example -->\n";
const END: &str = "<!-- end -->";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the crate lies in the project").to_path_buf()
}

fn is_blessed() -> bool {
    std::env::var_os("CENTUM_BLESS").is_some()
}

/// The journal of the document.
fn example() -> SimDisk {
    let spec = ContractSpec { marking: Marking::External, bulk_max: 8, ..ContractSpec::XBTUSD_2019 };
    let genesis = Genesis { spec, capacity: Capacity::default() };
    let options = Options { segment_bytes: 8_192, batch_commands: 8, journal: Some(0x0ce0) };
    let mut journal = Writer::create(SimDisk::new(), options, &genesis).expect("the disk is good");
    let mut engine = Engine::new(&genesis).expect("it can be traded");
    for i in 0..2u32 {
        let open = Command::new(AccountId(4 + i), Action::OpenAccount(OpenAccount { fee_class: 0 }));
        let (n, ts) = (u64::from(i) + 1, 1_000 * (u64::from(i) + 1));
        let open = open.stamped(n, ts).from_session(1, n);
        journal.append(&open).expect("there is room");
        engine.apply(&open, &mut Discard);
    }
    journal.commit(Some(engine.chain())).expect("the disk is good");
    journal.close().expect("the disk is good")
}

/// The bytes that are not zero, sixteen a line.
fn dump(bytes: &[u8]) -> String {
    let mut text = String::from("```text\n");
    for (at, line) in bytes.chunks(16).enumerate() {
        if line.iter().any(|byte| *byte != 0) {
            write!(text, "{:04x} ", 16 * at).expect("text grows");
            line.iter().for_each(|byte| write!(text, " {byte:02x}").expect("text grows"));
            text.push('\n');
        }
    }
    text + "```\n"
}

/// The bytes of a dump.
fn read_dump(text: &str, bytes: usize) -> Vec<u8> {
    let mut out = vec![0; bytes];
    for line in text.lines().filter(|line| !line.starts_with("```")) {
        let mut words = line.split_whitespace();
        let Some(at) = words.next().and_then(|word| usize::from_str_radix(word, 16).ok()) else { continue };
        for (i, word) in words.enumerate() {
            out[at + i] = u8::from_str_radix(word, 16).expect("a byte in hexadecimal");
        }
    }
    out
}

#[test]
fn the_document_shows_the_bytes() {
    let path = root().join("docs/journal-format.md");
    let text = fs::read_to_string(&path).expect("the document is there");
    let (before, rest) = text.split_once(BEGIN).expect("the example has its place");
    let (shown, after) = rest.split_once(END).expect("the example has an end");
    let made = dump(&example().file(&segment_name(1)).expect("it is there"));
    if is_blessed() {
        fs::write(&path, format!("{before}{BEGIN}{made}{END}{after}")).expect("the document can be written");
        return;
    }
    assert_eq!(shown, made, "CENTUM_BLESS=1 writes the example anew");
    // And the other way: what the document shows is a journal.
    let disk = SimDisk::new();
    disk.put(&segment_name(1), read_dump(shown, 8_192));
    let scan = Scan::of(&disk).expect("it is whole");
    assert!((scan.last_seq(), scan.journal(), scan.is_closed()) == (2, 0x0ce0, true) && scan.torn().is_empty());
    let mut engine = Engine::new(scan.genesis().expect("all was read")).expect("it can be traded");
    let replayed = replay(&disk, &scan, &mut engine, &mut Discard, |_| {}).expect("it agrees");
    assert_eq!((replayed.commands, replayed.chains_agreed, engine.accounts()), (2, 1, 6));
}

/// The snapshot of the document: the journal's example, a mark, a deposit and an order further.
fn example_snapshot() -> (Vec<u8>, Engine) {
    let spec = ContractSpec { marking: Marking::External, bulk_max: 8, ..ContractSpec::XBTUSD_2019 };
    let mut engine = Engine::new(&Genesis { spec, capacity: Capacity::default() }).expect("it can be traded");
    let order = NewOrder::limit(ClOrdId::new("a-1").expect("a name"), Side::Buy, Tick(20_000), Qty(100));
    for (i, (account, action)) in [
        (4, Action::OpenAccount(OpenAccount { fee_class: 0 })),
        (5, Action::OpenAccount(OpenAccount { fee_class: 0 })),
        (4, Action::Mark(Mark { price: Price(1_000_000) })),
        (4, Action::Deposit(Amount { amount: Xbt(100_000_000) })),
        (4, Action::New(order)),
    ]
    .into_iter()
    .enumerate()
    {
        let n = i as u64 + 1;
        let command = Command::new(AccountId(account), action).stamped(n, 1_000 * n).from_session(1, n);
        engine.apply(&command, &mut Discard);
    }
    let disk = SimDisk::new();
    let snapshot = Snapshot::take(&engine, Origin { journal: 0x0ce0, quarantines: 0 });
    let saved = snapshot.save(&disk, 5).expect("the disk is good");
    (disk.file(&saved.file).expect("it is there"), engine)
}

#[test]
fn the_document_shows_the_bytes_of_a_snapshot() {
    let path = root().join("docs/snapshot-format.md");
    let text = fs::read_to_string(&path).expect("the document is there");
    let (before, rest) = text.split_once(BEGIN).expect("the example has its place");
    let (shown, after) = rest.split_once(END).expect("the example has an end");
    let (bytes, engine) = example_snapshot();
    let made = dump(&bytes);
    if is_blessed() {
        fs::write(&path, format!("{before}{BEGIN}{made}{END}{after}")).expect("the document can be written");
        return;
    }
    assert_eq!(shown, made, "CENTUM_BLESS=1 writes the example anew");
    // And the other way: what the document shows is a snapshot.
    let disk = SimDisk::new();
    disk.put(&snapshot_name(5), read_dump(shown, bytes.len()));
    let stored = Stored::open(&disk, 5).and_then(Stored::checked).expect("it is whole");
    let again = stored.engine(stored.header.genesis, None).expect("it can be restored");
    assert_eq!((again.chain(), again.digest()), (engine.chain(), engine.digest()));
    assert_eq!(
        again.order_named(AccountId(4), &ClOrdId::new("a-1").expect("a name")).map(|it| it.leaves),
        Some(Qty(100))
    );
}

/// A journal of this format as it lies in `testdata` is read, replays to the chain and digest beside it, and is
/// written again byte by byte.
#[test]
fn the_golden_journal_replays_and_is_written_the_same() {
    let folder = root().join("testdata/journal/1");
    if is_blessed() {
        bless(&folder);
    }
    let disk = FileDisk::read_only(&folder).expect("the golden journal is there");
    let scan = Scan::of(&disk).expect("it is whole");
    assert!(scan.torn().is_empty() && scan.is_closed() && scan.segments() > 1 && !scan.quarantined().is_empty());
    let mut engine = Engine::new(scan.genesis().expect("all was read")).expect("it can be traded");
    let replayed = replay(&disk, &scan, &mut engine, &mut Discard, |_| {}).expect("it agrees");
    let expected = fs::read_to_string(folder.join("expected.txt")).expect("it is there");
    assert_eq!(outcome(&engine, replayed.commands), expected);

    let again = SimDisk::new();
    let genesis = scan.genesis().expect("all was read");
    let mut journal = Writer::create(again.clone(), OPTIONS, genesis).expect("the disk is good");
    for entry in scan.read(&disk) {
        match entry.expect("it is whole").what {
            What::Command(command) => journal.append(&command).expect("there is room"),
            What::Trailer { chain: Some(chain) } => drop(journal.commit(Some(chain)).expect("the disk is good")),
            // The quarantine commits itself.
            What::Trailer { chain: None } => {}
            What::Quarantine(_) => {
                let so_far = Scan::of(&again).expect("it is whole");
                let one = scan.quarantined()[0];
                journal.quarantine(&so_far, one.seq, one.text()).expect("the disk is good");
            }
        }
    }
    let again = journal.close().expect("the disk is good");
    let mut names = disk.list().expect("it can be read");
    names.retain(|name| name.ends_with(".journal"));
    for name in names {
        let bytes = fs::read(folder.join(&name)).expect("it is there");
        assert!(again.file(&name) == Some(bytes), "{name} is written otherwise");
    }
}

fn outcome(engine: &Engine, commands: u64) -> String {
    format!("commands {commands}\nchain {:016x}\ndigest {:016x}\n", engine.chain(), engine.digest())
}

fn bless(folder: &Path) {
    let run = Run::new(5, 330, false);
    let mut journal = Writer::create(SimDisk::new(), OPTIONS, &run.genesis).expect("the disk is good");
    let mut sizes = [1, 30, 2, 7].into_iter().cycle();
    run.write(&mut journal, 0, || sizes.next().unwrap_or(1), |_| {}).expect("the disk is good");
    run.quarantine(&mut journal).expect("the disk is good");
    let disk = journal.close().expect("the disk is good");
    let scan = Scan::of(&disk).expect("it is whole");
    let engine = run.check_replay(&disk, &scan);
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).expect("a folder can be made");
    for name in disk.list().expect("it can be read") {
        fs::write(folder.join(&name), disk.file(&name).expect("it is there")).expect("it can be written");
    }
    fs::write(folder.join("expected.txt"), outcome(&engine, 330)).expect("it can be written");
}
