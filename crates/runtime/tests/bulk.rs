//! Bulks: commands that go together are together in the journal, whatever happens between them.

use centum_runtime::health::State;
use centum_runtime::journal::{Durability, Error, Journal, Options, Scan, What, Writer, replay};
use centum_runtime::lane::LaneConfig;
use centum_runtime::pump::{Pump, PumpOptions};
use centum_runtime::venue::{Config, OpenError, Venue};
use contract::command::{Amount, FLAG_BULK, FLAG_MORE, Mark, OpenAccount};
use contract::{
    AccountId, Action, Capacity, ClOrdId, Command, ContractSpec, Event, Fact, Genesis, Marking, NewOrder, Price, Qty,
    Reject, Side, Tick, Xbt,
};
use engine::{Discard, Engine};
use testkit::SimDisk;
use testkit::sim_disk::{Crash, Op};

const SEGMENTS: Options = Options { segment_bytes: 32 << 10, batch_commands: 32, journal: Some(7) };

fn genesis() -> Genesis {
    let spec = ContractSpec { bulk_max: 16, budget: 1, marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
    Genesis { spec, capacity: Capacity { accounts: 64, orders: 64, sessions: 2, lots: 4 } }
}

fn engine() -> Engine {
    Engine::new(&genesis()).expect("the contract can be traded")
}

/// Request n: the next account is opened, which says two events where it is carried out.
fn open(n: u64) -> Command {
    let account = AccountId(AccountId::FIRST_TRADER.0 + n as u32 - 1);
    Command::new(account, Action::OpenAccount(OpenAccount { fee_class: 0 })).from_session(1, n)
}

fn pump(disk: &SimDisk, engine: Engine, output: usize) -> Pump<Writer<SimDisk>> {
    let journal = Writer::create(disk.clone(), SEGMENTS, &genesis()).expect("the disk is good");
    let output = ring::Config { capacity: output, ..ring::Config::default() };
    let options = PumpOptions { durability: Durability::Journaled, output, ..PumpOptions::default() };
    Pump::new(engine, journal, options).expect("the ring can be made")
}

/// Each command's answer: none where it was carried out.
fn answers(events: &[Event]) -> Vec<(u64, Option<Reject>)> {
    let refusal = |event: &Event| match event.fact() {
        Some(Fact::Rejected(it)) => it.reject(),
        _ => None,
    };
    events.iter().filter(|event| event.is_last()).map(|event| (event.seq(), refusal(event))).collect()
}

/// Design §3, Bulk: not acted on yet; each command of it is answered, once, its last one like the others.
#[test]
fn each_command_of_a_bulk_is_answered_once() {
    let disk = SimDisk::new();
    let mut pump = pump(&disk, engine(), 1 << 10);
    let mut events = pump.output().reader().unwrap();
    let mut lane = pump.lane("gateway", LaneConfig::default()).unwrap();
    lane.try_send(open(1)).unwrap();
    lane.try_send_bulk(&[open(2), open(3), open(4)]).unwrap();
    lane.try_send_bulk(&[open(5).in_bulk(true)]).expect("one command is that command alone");
    lane.try_send(open(6).in_bulk(true)).expect("what is sent alone is alone");
    assert_eq!(pump.turn().commands, 6);
    let refused = Some(Reject::InvalidCommand);
    // The accounts to be opened come in order, so 5 and 6 are refused for another reason.
    let other = Some(Reject::InvalidAccount);
    let expected = [(1, None), (2, refused), (3, refused), (4, refused), (5, other), (6, other)];
    assert_eq!(answers(&events.batch().collect::<Vec<_>>()), expected);
    assert_eq!(pump.engine().last_request(1), Some(6), "they count as answered");
    let scan = Scan::of(&disk.after_process_death()).unwrap();
    let flags: Vec<u8> = scan
        .read(&disk)
        .filter_map(|entry| match entry.unwrap().what {
            What::Command(command) => Some(command.flags()),
            _ => None,
        })
        .collect();
    assert_eq!(flags, [0, FLAG_BULK | FLAG_MORE, FLAG_BULK | FLAG_MORE, FLAG_BULK, 0, 0]);
}

/// The output ring is full in the middle of a bulk: the batch is made safe there, and the bulk is whole in it.
#[test]
fn a_bulk_that_says_more_than_the_ring_holds_is_not_torn() {
    let disk = SimDisk::new();
    let mut pump = pump(&disk, engine(), 4);
    let mut reader = pump.output().reader().unwrap();
    let seen = std::thread::spawn(move || {
        let mut seen = Vec::new();
        while reader.wait().is_ok() {
            seen.extend(reader.batch());
        }
        seen
    });
    let mut lane = pump.lane("gateway", LaneConfig::default()).unwrap();
    for first in [1, 17, 33] {
        lane.try_send_bulk(&(first..first + 16).map(open).collect::<Vec<_>>()).unwrap();
    }
    while !pump.turn().is_idle() {}
    let health = pump.health();
    assert_eq!((health.state, health.failure, health.applied_seq), (State::Running, None, 48));
    assert!(health.out_waits > 0, "the ring was full");
    drop(pump);
    assert_eq!(answers(&seen.join().unwrap()).len(), 48);
    assert_eq!(Scan::of(&disk.after_process_death()).unwrap().last_seq(), 48);
}

/// A law breaks in the middle of a bulk: what came before is safe and told, the command and the rest of its bulk are in
/// the journal. Alice falls due at a mark; she is found, and the steps of her liquidation are done, one a command.
#[test]
fn a_law_that_breaks_within_a_bulk_leaves_it_whole() {
    let disk = SimDisk::new();
    let mut broken = engine();
    let (alice, bob) = (AccountId(4), AccountId(5));
    let order = |side| NewOrder::limit(ClOrdId::NONE, side, Tick(20_000), Qty(100_000));
    let commands = [
        (alice, Action::OpenAccount(OpenAccount { fee_class: 0 })),
        (bob, Action::OpenAccount(OpenAccount { fee_class: 0 })),
        (alice, Action::Deposit(Amount { amount: Xbt(20_000_000) })),
        (bob, Action::Deposit(Amount { amount: Xbt(10_000_000_000) })),
        (bob, Action::Mark(Mark { price: Price(1_000_000) })),
        (bob, Action::New(order(Side::Sell))),
        (alice, Action::New(order(Side::Buy))),
    ];
    let mut journal = Writer::create(disk.clone(), SEGMENTS, &genesis()).unwrap();
    for (seq, (account, action)) in (1..).zip(commands) {
        let command = Command::new(account, action).stamped(seq, 0);
        journal.append(&command).unwrap();
        broken.apply(&command, &mut Discard);
    }
    journal.commit(Some(broken.chain())).unwrap();
    // The next order that comes to rest breaks the law: her lot's.
    broken.plant_fault();
    let mut pump = Pump::new(broken, journal, PumpOptions::default()).unwrap();
    let mut events = pump.output().reader().unwrap();
    let mut lane = pump.lane("gateway", LaneConfig::default()).unwrap();
    lane.try_send(Command::new(bob, Action::Mark(Mark { price: Price(900_000) }))).unwrap();
    lane.try_send_bulk(&(1..=6).map(open).collect::<Vec<_>>()).unwrap();
    lane.try_send(open(7)).unwrap();
    pump.turn();
    let failed = pump.failed().expect("it says so");
    assert_eq!((failed.seq, failed.rule.contains("59 bits")), (11, true), "{failed}");
    assert_eq!(events.batch().filter(Event::is_last).map(|it| it.seq()).collect::<Vec<_>>(), [8, 9, 10]);
    let health = pump.health();
    assert_eq!((health.released_seq, health.applied_seq, health.durable_seq), (10, 10, 14), "all of the bulk is safe");
    drop(pump);
    let disk = disk.after_process_death();
    let scan = Scan::of(&disk).unwrap();
    assert_eq!((scan.last_seq(), scan.torn().len()), (14, 0));
}

/// A crash at every byte of a journal of bulks: each is there whole or not at all, and what ends inside one is a torn
/// tail, never damage.
#[test]
fn a_crash_leaves_a_bulk_whole_or_not_at_all() {
    let disk = SimDisk::new();
    disk.record();
    let mut pump = pump(&disk, engine(), 1 << 10);
    let mut lane = pump.lane("gateway", LaneConfig::default()).unwrap();
    // The commands behind which the journal may end.
    let (mut ends, mut n) = (vec![0], 0);
    for bulk in [2, 16, 1, 7, 3, 16] {
        let commands: Vec<Command> = (n + 1..=n + bulk).map(open).collect();
        n += bulk;
        lane.try_send_bulk(&commands).unwrap();
        // Two bulks a batch, where the lane has them.
        if ends.len() % 2 == 0 {
            pump.turn();
        }
        ends.push(n);
    }
    pump.turn();
    let (mut points, mut torn, mut met) = (0, 0, std::collections::BTreeSet::new());
    let mut tape = disk.crashes();
    while let Some(op) = tape.next_op().cloned() {
        let bytes = if let Op::Write(_, _, bytes) = &op { bytes.len() } else { 1 };
        for byte in 0..bytes {
            for crash in [Crash::AllKept, Crash::Chance(points ^ 0xb01c)] {
                points += 1;
                let scan = match Scan::of(&tape.crash(byte, crash)) {
                    Ok(scan) => scan,
                    Err(Error::Absent) => continue,
                    Err(error) => panic!("thing {}, byte {byte}, {crash:?}: {error}", tape.done()),
                };
                assert!(ends.contains(&scan.last_seq()), "{} lies within a bulk", scan.last_seq());
                torn += u64::from(!scan.torn().is_empty());
                met.insert(scan.last_seq());
            }
        }
        tape.advance();
    }
    println!("{points} crash points, {torn} torn, lengths {met:?}");
    assert!(torn > 5_000 && met.len() >= 4, "{torn} {met:?}");
}

/// A batch with half a bulk in it was written by nobody we know: it is told, not cut off.
#[test]
fn a_journal_takes_no_batch_that_ends_within_a_bulk() {
    let disk = SimDisk::new();
    let mut journal = Writer::create(disk.clone(), SEGMENTS, &genesis()).unwrap();
    journal.append(&open(1).in_bulk(true).stamped(1, 0)).unwrap();
    assert!(matches!(journal.commit(None), Err(Error::OpenBulk { seq: 1 })));
    journal.append(&open(2).in_bulk(false).stamped(2, 0)).unwrap();
    journal.commit(None).unwrap();
    assert_eq!(Scan::of(&disk).unwrap().last_seq(), 2);
}

/// The largest bulk must fit a batch: a venue does not open otherwise, new or old.
#[test]
fn a_batch_has_room_for_the_largest_bulk() {
    let directory = std::env::temp_dir().join(format!("centum-bulk-{}", std::process::id()));
    let Genesis { spec, capacity } = genesis();
    let config = |batch_commands| Config {
        contract: spec,
        capacity,
        directory: Some(directory.clone()),
        journal: Options { batch_commands, segment_bytes: 1 << 20, ..Options::default() },
        ..Config::default()
    };
    let refused = |batch| matches!(Venue::open(config(batch)), Err(OpenError::Journal(Error::Options(_))));
    assert!(refused(15));
    drop(Venue::open(config(16)).expect("sixteen fit"));
    assert!(refused(15), "an old one too");
    std::fs::remove_dir_all(&directory).unwrap();
}

/// The engine that a replay makes of a journal of bulks is the one that ran.
#[test]
fn bulks_are_replayed_as_they_were_applied() {
    let disk = SimDisk::new();
    let mut pump = pump(&disk, engine(), 1 << 10);
    let mut lane = pump.lane("gateway", LaneConfig::default()).unwrap();
    lane.try_send(open(1)).unwrap();
    lane.try_send_bulk(&[open(2), open(3)]).unwrap();
    lane.try_send(open(2).from_session(1, 4)).unwrap();
    pump.turn();
    let (chain, digest) = (pump.engine().chain(), pump.engine().digest());
    drop(pump);
    let (scan, mut engine) = (Scan::of(&disk).unwrap(), engine());
    replay(&disk, &scan, &mut engine, &mut Discard, |_| {}).unwrap();
    assert_eq!((engine.chain(), engine.digest(), engine.accounts()), (chain, digest, 6));
}
