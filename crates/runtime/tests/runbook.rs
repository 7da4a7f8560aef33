//! `docs/runbook.md`, section by section: each test is named like its section and sees what the section says.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use centum_runtime::clock::{Clock, SystemClock};
use centum_runtime::health::State;
use centum_runtime::journal::{Error, Options, REPLAY_NS_PER_COMMAND, Scan, Writer, replay};
use centum_runtime::lane::{Lane, LaneConfig, Refused};
use centum_runtime::pump::{Pump, PumpOptions};
use centum_runtime::venue::{Config, Venue};
use contract::command::Index;
use contract::{AccountId, Action, Command, ContractSpec, Event, Fact, Genesis, Marking, Price, Reject, Side, Tick};
use engine::{Discard, Engine};
use testkit::SimDisk;
use testkit::client::{Directory, cancel, genesis, request, wait_until};

const RUNBOOK: &str = include_str!("../../../docs/runbook.md");
const SEGMENTS: Options = Options { segment_bytes: 32 << 10, batch_commands: 200, journal: Some(7) };

fn pump(disk: &SimDisk, engine: Engine) -> (Pump<Writer<SimDisk>>, Lane) {
    let journal = Writer::create(disk.clone(), SEGMENTS, &genesis()).unwrap();
    let mut pump = Pump::new(engine, journal, PumpOptions::default()).unwrap();
    let lane = pump.lane("gateway", LaneConfig { capacity: 16, ..LaneConfig::default() }).unwrap();
    (pump, lane)
}

fn new_engine() -> Engine {
    Engine::new(&genesis()).unwrap()
}

/// Commands answered.
fn answers(events: &mut ring::Reader<Event>) -> u64 {
    events.batch().filter(Event::is_last).count() as u64
}

fn last_request_after(disk: &SimDisk) -> u64 {
    let scan = Scan::of(disk).unwrap();
    let mut engine = new_engine();
    replay(disk, &scan, &mut engine, &mut Discard, |_| {}).unwrap();
    engine.last_request(1).unwrap()
}

fn config(directory: &Directory) -> Config {
    let Genesis { spec, capacity } = genesis();
    let journal = Options { segment_bytes: 1 << 20, ..Options::default() };
    // Commands are counted: none of the venue's own for want of others.
    let audit_idle = Duration::ZERO;
    Config {
        contract: spec,
        capacity,
        directory: Some(directory.path().into()),
        journal,
        audit_idle,
        ..Config::default()
    }
}

/// A venue that took so many requests and was stopped.
fn used(config: Config, requests: u64) {
    let mut venue = Venue::open(config).unwrap();
    let mut lane = venue.lane("gateway").unwrap();
    (1..=requests).for_each(|n| lane.try_send(request(n)).unwrap());
    venue.start().unwrap().stop().unwrap();
}

#[test]
fn disk_full() {
    let disk = SimDisk::new();
    disk.set_capacity(80 << 10);
    let (mut pump, mut lane) = pump(&disk, new_engine());
    let mut events = pump.output().reader().unwrap();
    let (mut sent, mut answered) = (0, 0);
    while pump.health().state != State::DiskFull {
        sent += 1;
        lane.try_send(request(sent)).unwrap();
        pump.turn();
        answered += answers(&mut events);
    }
    let health = pump.health();
    assert_eq!(health.state.to_string(), "disk full");
    let failure = health.failure.unwrap();
    assert!(failure.contains("the disk is full: ") && failure.contains("make room, and commands are taken again"));
    // Lanes fill up: first for new orders, then for all.
    let refused = loop {
        pump.turn();
        match lane.try_send(request(sent + 1)) {
            Ok(()) => sent += 1,
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, Refused::Overloaded(_)));
    while lane.try_send(cancel(sent + 1)).is_ok() {
        sent += 1;
    }
    assert!(matches!(lane.try_send(cancel(sent + 1)), Err(Refused::Full(_))));
    // Room is made: it goes on by itself, and nothing is lost.
    disk.set_capacity(1 << 30);
    while !pump.turn().is_idle() {
        answered += answers(&mut events);
    }
    let health = pump.health();
    assert_eq!((answered, health.state, health.failure), (sent, State::Running, None));
    drop(pump);
    assert_eq!(last_request_after(&disk.after_process_death()), sent);
}

#[test]
fn failed_sync() {
    let disk = SimDisk::new();
    let (mut pump, mut lane) = pump(&disk, new_engine());
    let mut events = pump.output().reader().unwrap();
    (1..=5).for_each(|n| lane.try_send(request(n)).unwrap());
    pump.turn();
    assert_eq!(answers(&mut events), 5);
    disk.fail_sync_after(0);
    lane.try_send(request(6)).unwrap();
    pump.turn();
    assert_eq!(answers(&mut events), 0, "the batch that failed is told to nobody");
    let health = pump.health();
    assert_eq!((health.state.to_string().as_str(), health.released_seq), ("journal failed", 5));
    let failure = health.failure.unwrap();
    assert!(failure.contains("00000001.journal") && failure.contains("what was answered before is safe"), "{failure}");
    assert!(matches!(lane.try_send(request(7)), Err(Refused::Stopped(_))));
    drop(pump);
    assert!((5..=6).contains(&last_request_after(&disk.after_process_death())), "it may be there or not");
}

#[test]
fn audit_halt() {
    let disk = SimDisk::new();
    let planted = || {
        let mut engine = new_engine();
        engine.plant_satoshi(AccountId::INSURANCE);
        engine
    };
    let (mut pump, mut lane) = pump(&disk, planted());
    let mut events = pump.output().reader().unwrap();
    (1..=4).for_each(|n| lane.try_send(request(n)).unwrap());
    pump.turn();
    let said: Vec<Event> = events.batch().collect();
    let of = |seq: u64| said.iter().filter(|event| event.seq() == seq).filter_map(Event::fact).collect::<Vec<_>>();
    assert!(of(2).iter().any(|fact| matches!(fact, Fact::Audit(it) if (it.law, it.found - it.expected) == (5, 1))));
    assert!(matches!(of(2).last(), Some(Fact::State(it)) if it.state.get() == Some(contract::MarketState::CancelOnly)));
    assert!(of(3).iter().any(|fact| matches!(fact, Fact::Transfer(_))), "deposits pass");
    assert!(matches!(of(4)[0], Fact::Rejected(it) if it.reject() == Some(contract::Reject::MarketNotOpen)));
    let health = pump.health();
    assert_eq!(health.state.to_string(), "running");
    let failure = health.failure.unwrap();
    for word in ["the audit has halted the market at command 2", "SUM-5 broken at command 2", "account 1 (insurance)"] {
        assert!(failure.contains(word), "{word} in {failure}");
    }
    drop(pump);

    // The engine is wrong: it is halted at the same command again. The machine was wrong: the replay differs.
    let disk = disk.after_process_death();
    let replayed = |mut engine: Engine| {
        replay(&disk, &Scan::of(&disk).unwrap(), &mut engine, &mut Discard, |_| {}).map(|_| engine)
    };
    assert_eq!(replayed(planted()).unwrap().fault().map(|fault| fault.seq), Some(2));
    let differs = replayed(new_engine()).unwrap_err();
    assert!(differs.to_string().starts_with("the replay differs from the recorded run"), "{differs}");
    let scan = Scan::of(&disk).unwrap();
    let mut journal = Writer::open(disk.clone(), SEGMENTS, &scan).unwrap();
    journal.quarantine(&scan, 2, "the audit halted there").unwrap();
    let engine = replayed(new_engine()).expect("the chains before it are not compared");
    assert_eq!((engine.fault(), engine.last_request(1)), (None, Some(4)));
}

#[test]
fn failed_assertion() {
    let disk = SimDisk::new();
    let mut engine = new_engine();
    engine.plant_fault();
    let (mut pump, mut lane) = pump(&disk, engine);
    let mut events = pump.output().reader().unwrap();
    (1..=5).for_each(|n| lane.try_send(request(n)).unwrap());
    pump.turn();
    let health = pump.health();
    assert_eq!(health.state.to_string(), "failed");
    let failure = health.failure.unwrap();
    assert!(failure.contains("the engine stopped at command 4: "), "{failure}");
    assert!(failure.contains("`centum journal quarantine DIR --seq 4 --reason TEXT`"), "{failure}");
    assert_eq!((answers(&mut events), health.released_seq), (3, 3), "what came before is told, nothing of it");
    assert!(matches!(lane.try_send(request(6)), Err(Refused::Stopped(_))));
    drop(pump);

    let disk = disk.after_process_death();
    let replayed = |scan: &Scan| {
        let (mut engine, mut events) = (new_engine(), Vec::<Event>::new());
        engine.plant_fault();
        replay(&disk, scan, &mut engine, &mut events, |_| {}).map(|_| (engine, events))
    };
    let scan = Scan::of(&disk).unwrap();
    let again = replayed(&scan).map(|_| ()).unwrap_err();
    assert!(matches!(again, Error::Law { place, .. } if place.seq == 4));
    assert!(again.to_string().starts_with("a law of the engine broke at "), "{again}");
    let mut journal = Writer::open(disk.clone(), SEGMENTS, &scan).unwrap();
    journal.quarantine(&scan, 4, "stops the engine").unwrap();
    let (engine, events) = replayed(&Scan::of(&disk).unwrap()).expect("it is refused now");
    assert_eq!(engine.last_request(1), Some(4), "it counts as answered");
    let Some(Fact::Rejected(refused)) = events.last().and_then(Event::fact) else { panic!("{events:?}") };
    assert_eq!((refused.request, refused.reject()), (4, Some(Reject::Quarantined)));
}

#[test]
fn stale_index() {
    let text = section("Stale index");
    assert!(text.contains("Market is not open") && text.contains("are refused there"));
    assert_eq!(Reject::MarketNotOpen.text(), "Market is not open");
    let spec = ContractSpec { marking: Marking::Index, ..genesis().spec };
    let genesis = Genesis { spec, ..genesis() };
    let disk = SimDisk::new();
    let journal = Writer::create(disk.clone(), SEGMENTS, &genesis).unwrap();
    let mut pump = Pump::new(Engine::new(&genesis).unwrap(), journal, PumpOptions::default()).unwrap();
    let mut lane = pump.lane("gateway", LaneConfig::default()).unwrap();
    let index = |price| Command::new(AccountId::NONE, Action::Index(Index { constituent: 0, price: Price(price) }));
    lane.try_send(index(1_000_000)).unwrap();
    (2..=4).for_each(|n| lane.try_send(request(n)).unwrap());
    while !pump.turn().is_idle() {}
    assert_eq!((pump.engine().mark(), pump.engine().is_mark_stale()), (Some(Price(1_000_000)), false));
    let best = pump.engine().best(Side::Buy);
    assert_eq!(best, Some(Tick(10_000)));
    let (_, journal) = pump.stop();
    journal.close().unwrap();

    // Started again: the first thing in the journal is that everything heard before is stale.
    let scan = Scan::of(&disk).unwrap();
    let mut engine = Engine::new(&genesis).unwrap();
    replay(&disk, &scan, &mut engine, &mut Discard, |_| {}).unwrap();
    let journal = Writer::open(disk.clone(), SEGMENTS, &scan).unwrap();
    let mut pump = Pump::new(engine, journal, PumpOptions::default()).unwrap();
    let mut events = pump.output().reader().unwrap();
    let mut lane = pump.lane("gateway", LaneConfig::default()).unwrap();
    lane.try_send(request(5)).unwrap();
    lane.try_send(request(6)).unwrap();
    while !pump.turn().is_idle() {}
    assert!(pump.engine().is_mark_stale());
    assert_eq!((pump.engine().index(), pump.engine().mark()), (None, Some(Price(1_000_000))));
    let refused =
        |events: &mut ring::Reader<Event>| events.batch().filter_map(|event| event.fact()).filter(is_refused).count();
    assert_eq!(refused(&mut events), 2, "new orders are refused");
    // One constituent speaks, and the market goes on.
    lane.try_send(index(999_000)).unwrap();
    lane.try_send(request(7)).unwrap();
    while !pump.turn().is_idle() {}
    assert_eq!((pump.engine().index(), pump.engine().mark()), (Some(Price(999_000)), Some(Price(999_000))));
    assert_eq!(refused(&mut events), 0);
}

fn is_refused(fact: &Fact) -> bool {
    matches!(fact, Fact::Rejected(rejected) if rejected.reject() == Some(Reject::MarketNotOpen))
}

#[test]
fn full_lane() {
    let directory = Directory::new("runbook-full-lane");
    let lane = LaneConfig { capacity: 16, ..LaneConfig::default() };
    let mut venue = Venue::open(Config { lane, ..config(&directory) }).unwrap();
    let (mut busy, mut quiet) = (venue.lane("busy").unwrap(), venue.lane("quiet").unwrap());
    // Not started: the engine takes nothing.
    (1..=12).for_each(|n| busy.try_send(request(n)).unwrap());
    assert!(matches!(busy.try_send(request(13)), Err(Refused::Overloaded(_))));
    (13..=16).for_each(|n| busy.try_send(cancel(n)).unwrap());
    assert!(matches!(busy.try_send(cancel(17)), Err(Refused::Full(_))));
    quiet.try_send(cancel(1).from_session(2, 1)).expect("other lanes are not touched");
    let running = venue.start().unwrap();
    wait_until("all is applied", || running.last_request(1) == Some(16));
    busy.try_send(request(17)).unwrap();
    let health = running.stop().unwrap().health;
    let counts = |at: usize| (health.lanes[at].sent, health.lanes[at].overloaded, health.lanes[at].full);
    assert_eq!((counts(0), counts(1)), ((17, 1, 1), (1, 0, 0)));
    assert_eq!((health.applied_seq, health.failure), (18, None));
}

/// A clock that holds up whoever asks it on the router's thread.
#[derive(Debug, Default)]
struct Gate {
    is_closed: AtomicBool,
}

impl Clock for Gate {
    fn now_ns(&self) -> u64 {
        if std::thread::current().name() == Some("centum-router") {
            while self.is_closed.load(Relaxed) {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
        SystemClock.now_ns()
    }
}

#[test]
fn slow_router() {
    let directory = Directory::new("runbook-slow-router");
    let gate = Arc::new(Gate::default());
    gate.is_closed.store(true, Relaxed);
    let output = ring::Config { capacity: 64, ..ring::Config::default() };
    let config = Config { clock: Arc::clone(&gate) as Arc<dyn Clock>, output, ..config(&directory) };
    let mut venue = Venue::open(config).unwrap();
    let mut lane = venue.lane("gateway").unwrap();
    let running = venue.start().unwrap();
    let mut sent = 0;
    wait_until("the engine waits for its reader", || {
        sent += u64::from(lane.try_send(request(sent + 1)).is_ok());
        running.health().out_waits > 0
    });
    // The lane fills up behind it: whoever wants out still gets through.
    wait_until("the lane is overloaded", || match lane.try_send(request(sent + 1)) {
        Ok(()) => {
            sent += 1;
            // Fast, so that thousands fit into the time.
            while lane.try_send(request(sent + 1)).is_ok() {
                sent += 1;
            }
            true
        }
        Err(refused) => matches!(refused, Refused::Overloaded(_)),
    });
    lane.try_send(cancel(sent + 1)).unwrap();
    sent += 1;
    let health = running.health();
    assert_eq!(health.state, State::Running);
    assert!(health.routed_seq < health.released_seq && health.released_seq < sent, "{health:?}");
    // The router runs again: all is told, and the market goes on.
    gate.is_closed.store(false, Relaxed);
    wait_until("all is told", || running.health().routed_seq == sent);
    lane.try_send(cancel(sent + 1)).unwrap();
    let desk = running.desk().clone();
    let health = running.stop().unwrap().health;
    assert_eq!((health.routed_seq, desk.view().as_of()), (sent + 1, sent + 1));
}

#[test]
fn corrupt_journal() {
    let directory = Directory::new("runbook-corrupt");
    used(config(&directory), 1_000);
    let file = directory.path().join("00000001.journal");
    let good = std::fs::read(&file).unwrap();
    let mut bad = good.clone();
    bad[4096 + 8_000] ^= 0x10;
    std::fs::write(&file, &bad).unwrap();
    let error = Venue::open(config(&directory)).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("the journal is damaged at 00000001.journal byte "), "{error}");
    assert!(error.contains("(command ") && error.contains("nothing was changed"), "{error}");
    assert!(std::fs::read(&file).unwrap() == bad, "nothing was changed");
    // The segment is put back.
    std::fs::write(&file, &good).unwrap();
    let venue = Venue::open(config(&directory)).unwrap();
    assert_eq!((venue.last_request(1), venue.recovered().torn_bytes), (Some(1_000), 0));
}

#[test]
fn slow_recovery() {
    let directory = Directory::new("runbook-recovery");
    assert!(Venue::recovery(&config(&directory)).unwrap().is_none(), "no journal yet");
    used(config(&directory), 3_000);
    let plan = Venue::recovery(&config(&directory)).unwrap().unwrap();
    // Stopped in order, it left a snapshot: nothing is to be replayed.
    assert_eq!((plan.snapshot(), plan.last_seq(), plan.commands()), (Some(3_000), 3_000, 0));
    let venue = Venue::open(config(&directory)).unwrap();
    assert_eq!((venue.recovered().snapshot, venue.recovered().replayed.commands), (Some(3_000), 0));
    assert_eq!(venue.last_request(1), Some(3_000));
    drop(venue);
    // Without one, all of it.
    for file in std::fs::read_dir(directory.path()).unwrap().map(Result::unwrap) {
        if file.file_name().to_string_lossy().ends_with(".snapshot") {
            std::fs::remove_file(file.path()).unwrap();
        }
    }
    let plan = Venue::recovery(&config(&directory)).unwrap().unwrap();
    assert_eq!((plan.commands(), plan.estimate_ns()), (3_000, 3_000 * REPLAY_NS_PER_COMMAND));
    let venue = Venue::open(config(&directory)).unwrap();
    assert_eq!((venue.recovered().replayed.commands, venue.last_request(1)), (3_000, Some(3_000)));
}

/// A section of the runbook.
fn section(title: &str) -> &'static str {
    let sections = RUNBOOK.split("\n## ").skip(1);
    sections.into_iter().find(|section| section.starts_with(title)).unwrap_or_else(|| panic!("no section {title}"))
}

#[test]
fn every_section_names_its_test() {
    let tests = include_str!("runbook.rs");
    let mut seen = Vec::new();
    for section in RUNBOOK.split("\n## ").skip(1) {
        let title = section.lines().next().unwrap();
        let name = title.to_lowercase().replace(' ', "_");
        assert!(section.contains(&format!("\nTest: `{name}`\n")), "{title} names its test");
        assert!(tests.contains(&format!("#[test]\nfn {name}()")), "{name} is there");
        let is_here = section.contains("**Not in this version.**");
        let says = ["- **You see**", "- **Safe**", "- **Type**"].iter().all(|part| section.contains(part));
        assert!(is_here || says, "{title} says what one sees, what is safe, what to type");
        seen.push(title);
    }
    let issue = [
        "Disk full",
        "Failed sync",
        "Audit halt",
        "Failed assertion",
        "Stale index",
        "Full lane",
        "Slow router",
        "Corrupt journal",
        "Slow recovery",
    ];
    assert_eq!(seen, issue);
}
