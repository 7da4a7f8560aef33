//! The pump: lanes in, journal, events out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use centum_runtime::clock::Clock;
use centum_runtime::health::State;
use centum_runtime::journal::{Durability, Error, InMemory, Journal, Options, Scan, Writer, replay};
use centum_runtime::lane::{BulkRefused, LaneConfig, Refused};
use centum_runtime::pump::{Pump, PumpOptions};
use contract::command::{Amount, CancelAll, Mark, OpenAccount};
use contract::{
    AccountId, Action, Amend, Capacity, ClOrdId, Command, ContractSpec, Event, Fact, Genesis, Marking, NewOrder, Price,
    Qty, Side, Tick, Xbt,
};
use engine::{Discard, Engine};
use testkit::SimDisk;
use testkit::client::{ALICE, cancel};

/// A clock that a test sets.
#[derive(Debug, Default)]
struct SetClock(AtomicU64);

impl Clock for SetClock {
    fn now_ns(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

fn genesis() -> Genesis {
    let spec = ContractSpec { marking: Marking::External, max_price: Price(5_000_000), ..ContractSpec::XBTUSD_2019 };
    Genesis { spec, capacity: Capacity { accounts: 16, orders: 1 << 12, sessions: 4, lots: 4 } }
}

/// An engine with a mark and one account, and the commands that made it.
fn opening() -> Vec<Command> {
    [
        Command::new(AccountId::NONE, Action::Mark(Mark { price: Price(1_000_000) })),
        Command::new(ALICE, Action::OpenAccount(OpenAccount { fee_class: 0 })),
        Command::new(ALICE, Action::Deposit(Amount { amount: Xbt(100_000_000_000) })),
    ]
    .to_vec()
}

fn opened() -> Engine {
    let mut engine = Engine::new(&genesis()).expect("the contract can be traded");
    for (command, seq) in opening().into_iter().zip(1..) {
        engine.apply(&command.stamped(seq, 0), &mut Discard);
    }
    engine
}

fn in_memory(options: PumpOptions) -> Pump<InMemory> {
    let engine = opened();
    let journal = InMemory::behind(engine.seq(), engine.ts());
    Pump::new(engine, journal, options).expect("the ring can be made")
}

fn options(clock: &Arc<SetClock>) -> PumpOptions {
    PumpOptions { clock: Arc::clone(clock) as Arc<dyn Clock>, ..PumpOptions::default() }
}

fn buy(n: u64) -> Command {
    let order = NewOrder::limit(ClOrdId::NONE, Side::Buy, Tick(10_000), Qty(1));
    Command::new(ALICE, Action::New(order)).from_session(1, n)
}

/// Which requests were answered, in the order of their answers: each command's last event, by session.
fn answered(events: &[Event]) -> Vec<(u64, bool)> {
    let lasts = events.iter().filter(|event| event.is_last());
    lasts.map(|event| (event.seq(), matches!(event.fact(), Some(Fact::Rejected(_))))).collect()
}

#[test]
fn what_arrived_first_is_applied_first_whatever_its_lane() {
    let clock = Arc::new(SetClock::default());
    let mut pump = in_memory(options(&clock));
    let mut events = pump.output().reader().unwrap();
    let mut lanes: Vec<_> = (0..3).map(|i| pump.lane(&format!("lane {i}"), LaneConfig::default()).unwrap()).collect();
    // Session 1 to 3 by lane; the arrival is the request.
    let mut arrivals = Vec::new();
    for arrival in 1..=300u64 {
        clock.0.store(arrival, Relaxed);
        let lane = (arrival * 7 % 11 % 3) as usize;
        let command = cancel(arrival).from_session(lane as u32 + 1, arrival);
        lanes[lane].try_send(command).unwrap();
        arrivals.push(arrival);
    }
    assert_eq!(pump.turn().commands, 300);
    let requests: Vec<u64> = events
        .batch()
        .filter_map(|event| match event.fact() {
            Some(Fact::Rejected(rejected)) => Some(rejected.request),
            _ => None,
        })
        .collect();
    assert_eq!(requests, arrivals);
}

#[test]
fn a_noisy_lane_has_its_share_of_a_turn_and_no_more() {
    let clock = Arc::new(SetClock::default());
    let mut pump = in_memory(PumpOptions { commands_a_lane: 8, ..options(&clock) });
    let mut noisy = pump.lane("noisy", LaneConfig::default()).unwrap();
    let mut quiet = pump.lane("quiet", LaneConfig::default()).unwrap();
    (1..=100).for_each(|n| noisy.try_send(cancel(n)).unwrap());
    clock.0.store(5, Relaxed);
    quiet.try_send(cancel(1).from_session(2, 1)).unwrap();
    assert_eq!(pump.turn().commands, 9, "eight of the noisy one, though all arrived earlier, and the quiet one's");
    assert_eq!(pump.engine().last_request(2), Some(1));
}

#[test]
fn time_never_falls_whatever_the_clock_does() {
    let clock = Arc::new(SetClock::default());
    let mut pump = in_memory(options(&clock));
    let mut events = pump.output().reader().unwrap();
    let mut lane = pump.lane("gateway", LaneConfig::default()).unwrap();
    for (n, now) in [(1, 500), (2, 300), (3, 0), (4, 501)] {
        clock.0.store(now, Relaxed);
        lane.try_send(cancel(n)).unwrap();
        pump.turn();
    }
    assert_eq!(events.batch().map(|event| event.ts()).collect::<Vec<_>>(), [500, 500, 500, 501]);
}

/// Overload: new orders and amends leave the last quarter to whoever wants out.
#[test]
fn a_lane_three_quarters_full_takes_cancels_only_and_a_full_one_nothing() {
    let mut pump = in_memory(PumpOptions::default());
    let mut lane = pump.lane("gateway", LaneConfig { capacity: 16, ..LaneConfig::default() }).unwrap();
    for n in 1..=12 {
        lane.try_send(buy(n)).unwrap();
    }
    assert_eq!(lane.try_send(buy(13)), Err(Refused::Overloaded(buy(13))));
    let amend = Command::new(ALICE, Action::Amend(Amend::default()));
    assert_eq!(lane.try_send(amend), Err(Refused::Overloaded(amend)));
    for n in 13..=16 {
        lane.try_send(cancel(n)).unwrap();
    }
    assert_eq!(lane.try_send(cancel(17)), Err(Refused::Full(cancel(17))));
    pump.turn();
    lane.try_send(buy(17)).unwrap();
    pump.turn();
    let health = pump.health();
    let counts = (health.lanes[0].sent, health.lanes[0].overloaded, health.lanes[0].full);
    assert_eq!(counts, (17, 2, 1));
    assert_eq!((health.state, health.applied_seq, health.released_seq), (State::Running, 20, 20));
    assert_eq!(pump.engine().last_request(1), Some(17));
}

#[test]
fn a_bulk_is_taken_whole_or_not_at_all_and_never_split() {
    let clock = Arc::new(SetClock::default());
    let mut pump = in_memory(PumpOptions { commands_a_lane: 2, ..options(&clock) });
    let mut events = pump.output().reader().unwrap();
    let mut a = pump.lane("a", LaneConfig { capacity: 16, ..LaneConfig::default() }).unwrap();
    let mut b = pump.lane("b", LaneConfig::default()).unwrap();
    let most = pump.engine().spec().bulk_max as usize;
    assert_eq!(a.try_send_bulk(&[]), Err(BulkRefused::Size { most }));
    assert_eq!(a.try_send_bulk(&vec![cancel(1); most + 1]), Err(BulkRefused::Size { most }));
    let bulk: Vec<Command> = (1..=6).map(cancel).collect();
    a.try_send_bulk(&bulk).unwrap();
    (1..=4).for_each(|n| b.try_send(cancel(n).from_session(2, n)).unwrap());
    assert_eq!(a.try_send_bulk(&vec![cancel(7); 11]), Err(BulkRefused::Full));
    pump.turn();
    let sessions: Vec<u32> = events
        .batch()
        .filter_map(|event| match event.fact() {
            Some(Fact::Rejected(rejected)) => Some(rejected.session),
            _ => None,
        })
        .collect();
    assert_eq!(sessions, [1, 1, 1, 1, 1, 1, 2, 2]);
}

/// Law 4: what waits in the engine is done while nobody sends, by commands that are in the journal too.
#[test]
fn idle_lanes_let_the_agenda_be_worked_off() {
    let mut engine = Engine::new(&Genesis { spec: ContractSpec { budget: 1, ..genesis().spec }, ..genesis() }).unwrap();
    for (command, seq) in opening().into_iter().zip(1..) {
        engine.apply(&command.stamped(seq, 0), &mut Discard);
    }
    let mut pump = Pump::new(engine, InMemory::behind(3, 0), PumpOptions::default()).unwrap();
    let mut lane = pump.lane("gateway", LaneConfig::default()).unwrap();
    (1..=20).for_each(|n| lane.try_send(buy(n)).unwrap());
    lane.try_send(Command::new(ALICE, Action::CancelAll(CancelAll::default()))).unwrap();
    let turn = pump.turn();
    assert!(pump.engine().agenda_is_empty() && pump.engine().best(Side::Buy).is_none());
    assert!(turn.commands > 21 + 18, "one order cancelled a command");
}

/// Law 5: a market without commands is audited all the same, by a `Clock` a second that is in the journal too; none
/// comes a nanosecond early, none while others send, and none where that is not wanted.
#[test]
fn an_idle_market_is_audited_once_a_second() {
    const SECOND: u64 = 1_000_000_000;
    let clock = Arc::new(SetClock::default());
    // Idle time of before the pump began does not count.
    clock.0.store(100 * SECOND, Relaxed);
    let mut pump = in_memory(options(&clock));
    let mut lane = pump.lane("gateway", LaneConfig::default()).unwrap();
    assert!(pump.turn().is_idle());
    let passes = pump.engine().audit_passes();
    let at = |pump: &mut Pump<InMemory>, ns: u64| {
        clock.0.store(ns, Relaxed);
        pump.turn().commands
    };
    assert_eq!(at(&mut pump, 101 * SECOND - 1), 0);
    assert_eq!(at(&mut pump, 101 * SECOND), 1);
    assert_eq!((pump.engine().audit_passes() - passes, pump.engine().ts()), (1, 101 * SECOND));
    assert_eq!((at(&mut pump, 101 * SECOND), at(&mut pump, 102 * SECOND - 1)), (0, 0), "one a second");
    // Whoever sends is audited by what he sends: the second begins anew.
    lane.try_send(cancel(1)).unwrap();
    assert_eq!(at(&mut pump, 102 * SECOND), 1);
    assert_eq!(pump.engine().ts(), 102 * SECOND - 1, "the lane's stamp");
    assert_eq!((at(&mut pump, 103 * SECOND - 2), at(&mut pump, 103 * SECOND - 1)), (0, 1));
    assert_eq!(pump.journal().appended_seq(), pump.engine().seq());
    // A clock that is set back makes nobody wait for less, or for ever, and stamps never fall.
    assert_eq!((at(&mut pump, 50 * SECOND), at(&mut pump, 104 * SECOND)), (0, 1));

    let mut never = in_memory(PumpOptions { audit_idle: Duration::ZERO, ..options(&clock) });
    assert!(at(&mut never, 104 * SECOND) == 0 && at(&mut never, 1_000 * SECOND) == 0);
}

/// The output ring holds less than one command says: readers get all of it, in order.
#[test]
fn a_command_that_says_more_than_the_ring_holds_waits_for_its_readers() {
    let output = ring::Config { capacity: 4, ..ring::Config::default() };
    let mut pump = in_memory(PumpOptions { output, ..PumpOptions::default() });
    let mut reader = pump.output().reader().unwrap();
    let seen = std::thread::spawn(move || {
        let mut seen = Vec::new();
        while reader.wait().is_ok() {
            seen.extend(reader.batch().map(|event| (event.seq(), event.n())));
        }
        seen
    });
    let mut lane = pump.lane("gateway", LaneConfig::default()).unwrap();
    (1..=50).for_each(|n| lane.try_send(buy(n)).unwrap());
    lane.try_send(Command::new(ALICE, Action::CancelAll(CancelAll::default()))).unwrap();
    while !pump.turn().is_idle() {}
    let (health, seq) = (pump.health(), pump.engine().seq());
    drop(pump);
    let seen = seen.join().unwrap();
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]) && seen.last().unwrap().0 == seq);
    assert!(seen.iter().filter(|(at, _)| *at == 54).count() >= 50, "every cancel of the last command");
    assert!(health.out_waits > 0 && health.events == seen.len() as u64);
}

// ---- with a journal --------------------------------------------------------------------------------------

const SEGMENTS: Options = Options { segment_bytes: 32 << 10, batch_commands: 200, journal: Some(7) };

fn journalled(disk: &SimDisk, durability: Durability) -> Pump<Writer<SimDisk>> {
    let mut journal = Writer::create(disk.clone(), SEGMENTS, &genesis()).unwrap();
    let mut engine = Engine::new(&genesis()).unwrap();
    for (command, seq) in opening().into_iter().zip(1..) {
        let stamped = command.stamped(seq, 0);
        journal.append(&stamped).unwrap();
        engine.apply(&stamped, &mut Discard);
    }
    journal.commit(Some(engine.chain())).unwrap();
    Pump::new(engine, journal, PumpOptions { durability, ..PumpOptions::default() }).unwrap()
}

fn recovered(disk: &SimDisk) -> Result<(Engine, Scan), Error> {
    let scan = Scan::of(disk)?;
    let mut engine = Engine::new(scan.genesis().expect("all of it was scanned")).unwrap();
    replay(disk, &scan, &mut engine, &mut Discard, |_| {})?;
    Ok((engine, scan))
}

/// Law 7: a sync that fails is never tried again, and nothing of its batch was told.
#[test]
fn nothing_is_told_of_a_batch_whose_sync_failed() {
    let disk = SimDisk::new();
    let mut pump = journalled(&disk, Durability::Journaled);
    let mut events = pump.output().reader().unwrap();
    let mut lane = pump.lane("gateway", LaneConfig::default()).unwrap();
    lane.try_send(buy(1)).unwrap();
    pump.turn();
    assert_eq!(answered(&events.batch().collect::<Vec<_>>()), [(4, false)]);
    disk.fail_sync_after(0);
    lane.try_send(buy(2)).unwrap();
    pump.turn();
    assert_eq!(events.batch().count(), 0, "nobody hears of what may be lost");
    let health = pump.health();
    assert_eq!((health.state, health.released_seq, health.durable_seq), (State::JournalFailed, 4, 4));
    assert!(health.failure.unwrap().contains("syncing"), "the operator reads what failed");
    assert_eq!(lane.try_send(buy(3)), Err(Refused::Stopped(buy(3))));
    assert!(pump.turn().is_idle() && pump.is_over());
    // What was answered is there after a crash; the other may be.
    drop(pump);
    let (engine, scan) = recovered(&disk.after_process_death()).unwrap();
    assert!((4..=5).contains(&scan.last_seq()) && engine.last_request(1) >= Some(1));
}

/// At the level `Received` facts are told before they are safe; the journal is the same.
#[test]
fn at_the_level_received_facts_do_not_wait_for_the_disk() {
    let disk = SimDisk::new();
    let mut pump = journalled(&disk, Durability::Received);
    let mut events = pump.output().reader().unwrap();
    let mut lane = pump.lane("gateway", LaneConfig::default()).unwrap();
    disk.fail_sync_after(0);
    lane.try_send(buy(1)).unwrap();
    pump.turn();
    assert_eq!(answered(&events.batch().collect::<Vec<_>>()), [(4, false)]);
    assert_eq!(pump.health().state, State::JournalFailed);
}

/// A full disk: accepted commands wait, nothing is lost, and it goes on by itself once there is room.
#[test]
fn a_full_disk_makes_commands_wait_and_loses_none() {
    let disk = SimDisk::new();
    disk.set_capacity(80 << 10);
    let mut pump = journalled(&disk, Durability::Journaled);
    let mut events = pump.output().reader().unwrap();
    let mut lane = pump.lane("gateway", LaneConfig::default()).unwrap();
    let (mut sent, mut answers) = (0u64, Vec::new());
    while pump.health().state != State::DiskFull {
        sent += 1;
        lane.try_send(cancel(sent)).unwrap();
        pump.turn();
        answers.extend(answered(&events.batch().collect::<Vec<_>>()));
        assert!(sent < 2_000, "the disk is never full");
    }
    assert_eq!(answers.len() as u64, sent - 1, "the last one waits");
    assert!(pump.health().failure.unwrap().contains("make room"));
    lane.try_send(cancel(sent + 1)).unwrap();
    assert!(pump.turn().is_idle(), "it waits too");
    let began = std::time::Instant::now();
    pump.wait(std::time::Duration::from_millis(20));
    assert!(began.elapsed().as_millis() >= 20, "a disk that is full is not asked again without a pause");
    disk.set_capacity(1 << 30);
    while !pump.turn().is_idle() {}
    answers.extend(answered(&events.batch().collect::<Vec<_>>()));
    assert_eq!((answers.len() as u64, pump.health().state), (sent + 1, State::Running));
    let (digest, seq) = (pump.engine().digest(), pump.engine().seq());
    drop(pump);
    let (engine, scan) = recovered(&disk.after_process_death()).unwrap();
    assert_eq!((engine.digest(), scan.last_seq()), (digest, seq));
}

/// Law 6: a law that breaks ends the pump; what came before is told and safe; a quarantine ends the crash loop.
#[test]
fn a_broken_law_stops_the_pump_and_a_quarantine_lets_it_go_on() {
    let disk = SimDisk::new();
    let mut journal = Writer::create(disk.clone(), SEGMENTS, &genesis()).unwrap();
    let mut engine = Engine::new(&genesis()).unwrap();
    engine.plant_fault();
    for (command, seq) in opening().into_iter().zip(1..) {
        let stamped = command.stamped(seq, 0);
        journal.append(&stamped).unwrap();
        engine.apply(&stamped, &mut Discard);
    }
    journal.commit(Some(engine.chain())).unwrap();
    let mut pump = Pump::new(engine, journal, PumpOptions::default()).unwrap();
    let mut events = pump.output().reader().unwrap();
    let mut lane = pump.lane("gateway", LaneConfig::default()).unwrap();
    lane.try_send(cancel(1)).unwrap();
    lane.try_send(buy(2)).unwrap();
    lane.try_send(cancel(3)).unwrap();
    pump.turn();
    let failed = pump.failed().expect("the pump says so");
    assert_eq!((failed.seq, failed.rule.contains("59 bits")), (5, true), "{failed}");
    assert_eq!(answered(&events.batch().collect::<Vec<_>>()), [(4, true)], "only what came before");
    assert_eq!(lane.try_send(cancel(4)), Err(Refused::Stopped(cancel(4))));
    assert_eq!(pump.health().state, State::Failed);
    drop(pump);

    // A replay with the same fault stops at the same command; an operator quarantines it; then it is refused.
    let after = disk.after_process_death();
    let scan = Scan::of(&after).unwrap();
    let replayed = |scan: &Scan| {
        let mut engine = Engine::new(&genesis()).unwrap();
        engine.plant_fault();
        replay(&after, scan, &mut engine, &mut Discard, |_| {}).map(|_| engine)
    };
    let Err(Error::Law { place, .. }) = replayed(&scan) else { panic!("the law breaks again") };
    assert_eq!(place.seq, 5);
    let mut journal = Writer::open(after.clone(), SEGMENTS, &scan).unwrap();
    journal.quarantine(&scan, 5, "breaks the law of creation numbers").unwrap();
    let scan = Scan::of(&after).unwrap();
    let engine = replayed(&scan).expect("the command is refused now");
    assert_eq!((engine.seq(), engine.last_request(1)), (5, Some(2)));
    let mut pump = Pump::new(engine, journal, PumpOptions::default()).unwrap();
    let mut lane = pump.lane("gateway", LaneConfig::default()).unwrap();
    lane.try_send(cancel(3)).unwrap();
    assert_eq!((pump.turn().commands, pump.engine().last_request(1)), (1, Some(3)));
}

/// Graceful stop: everything accepted is applied, safe and told.
#[test]
fn a_stop_applies_everything_that_was_accepted() {
    let disk = SimDisk::new();
    let mut pump = journalled(&disk, Durability::Journaled);
    let mut events = pump.output().reader().unwrap();
    let mut lane = pump.lane("gateway", LaneConfig::default()).unwrap();
    (1..=1_000).for_each(|n| lane.try_send(cancel(n)).unwrap());
    let (engine, journal) = pump.stop();
    assert_eq!(engine.last_request(1), Some(1_000));
    assert_eq!(answered(&events.batch().collect::<Vec<_>>()).len(), 1_000);
    assert_eq!(lane.try_send(buy(1_001)), Err(Refused::Stopped(buy(1_001))));
    assert_eq!(lane.state(), State::Stopped);
    journal.close().unwrap();
    let (again, scan) = recovered(&disk.after_process_death()).unwrap();
    assert_eq!((again.digest(), again.chain(), scan.torn().len()), (engine.digest(), engine.chain(), 0));
}
