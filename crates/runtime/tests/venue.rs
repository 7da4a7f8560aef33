//! A venue that runs: what it tells of itself, what it leaves behind, how it stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use centum_runtime::clock::{Clock, SystemClock};
use centum_runtime::disk::FileDisk;
use centum_runtime::health::State;
use centum_runtime::journal::Options;
use centum_runtime::lane::{BulkRefused, Refused};
use centum_runtime::router::FeedError;
use centum_runtime::snapshot::Error as SnapshotError;
use centum_runtime::venue::{Config, Venue};
use contract::{Action, Command, ContractSpec, Genesis};
use testkit::client::{ALICE, Directory, cancel, genesis, request, wait_until};

fn segments(directory: &Directory) -> usize {
    let files = std::fs::read_dir(directory.path()).unwrap().map(|file| file.unwrap().file_name());
    files.filter(|name| name.to_string_lossy().ends_with(".journal")).count()
}

fn config() -> Config {
    let Genesis { spec, capacity } = genesis();
    // Commands are counted: none of the venue's own for want of others.
    let audit_idle = Duration::ZERO;
    Config { contract: ContractSpec { bulk_max: 16, ..spec }, capacity, audit_idle, ..Config::default() }
}

/// The same with a journal in that directory.
fn journalled(directory: &Directory) -> Config {
    let journal = Options { segment_bytes: 64 << 10, batch_commands: 64, ..Options::default() };
    Config { directory: Some(directory.path().into()), journal, ..config() }
}

/// A clock that holds up, or stops, whoever asks it on the thread of that name.
#[derive(Debug, Default)]
struct Trap {
    thread: &'static str,
    is_set: AtomicBool,
    is_deadly: bool,
    is_in: AtomicBool,
}

impl Clock for Trap {
    fn now_ns(&self) -> u64 {
        if self.is_set.load(Relaxed) && std::thread::current().name() == Some(self.thread) {
            assert!(!self.is_deadly, "a law that breaks here");
            self.is_in.store(true, Relaxed);
            while self.is_set.load(Relaxed) {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
        SystemClock.now_ns()
    }
}

/// `Ok` is a promise: a thread that is suspended in the middle of a send while the venue stops has its command applied,
/// or is told that it was stopped; never `Ok` and not applied.
#[test]
fn a_send_that_a_stop_overtakes_is_applied_or_refused() {
    for is_bulk in [false, true] {
        let trap = Arc::new(Trap { thread: "sender", ..Trap::default() });
        let clock = Arc::clone(&trap) as Arc<dyn Clock>;
        let mut venue = Venue::open(Config { clock, ..config() }).unwrap();
        let mut lane = venue.lane("gateway").unwrap();
        let running = venue.start().unwrap();
        lane.try_send(request(1)).unwrap();
        wait_until("the first is applied", || running.last_request(1) == Some(1));
        trap.is_set.store(true, Relaxed);
        let sender = std::thread::Builder::new().name("sender".to_owned());
        let sender = sender.spawn(move || {
            let sent = match is_bulk {
                true => lane.try_send_bulk(&[request(2), request(3)]).is_ok(),
                false => lane.try_send(request(2)).is_ok(),
            };
            // The next one finds the lane closed.
            let next = (lane.try_send(request(4)), lane.try_send_bulk(&[request(4)]));
            assert_eq!(next, (Err(Refused::Stopped(request(4))), Err(BulkRefused::Stopped)));
            sent
        });
        let sender = sender.unwrap();
        wait_until("the send has begun", || trap.is_in.load(Relaxed));
        let stopped = std::thread::spawn(move || running.stop().unwrap());
        std::thread::sleep(Duration::from_millis(100));
        assert!(!stopped.is_finished(), "the stop waits for the send");
        trap.is_set.store(false, Relaxed);
        let (was_sent, stopped) = (sender.join().unwrap(), stopped.join().unwrap());
        assert!(was_sent, "it had begun before the stop");
        assert_eq!(stopped.engine.last_request(1), Some(if is_bulk { 3 } else { 2 }));
        assert_eq!((stopped.health.state, stopped.health.failure), (State::Stopped, None));
    }
}

/// A producer that is suspended in the middle of a send, and readers that never read, hold nobody up.
#[test]
fn a_suspended_producer_and_frozen_readers_hold_nobody_up() {
    let trap = Arc::new(Trap { thread: "suspended", ..Trap::default() });
    let clock = Arc::clone(&trap) as Arc<dyn Clock>;
    let mut venue = Venue::open(Config { clock, ..config() }).unwrap();
    let (mut lane, mut other) = (venue.lane("gateway").unwrap(), venue.lane("suspended").unwrap());
    let running = venue.start().unwrap();
    (1..=3).for_each(|n| lane.try_send(request(n)).unwrap());
    wait_until("the account is open", || running.health().routed_seq == 3);
    let (mut account, mut market) =
        (running.desk().account(ALICE).unwrap(), running.desk().market_data(Default::default()).unwrap());
    trap.is_set.store(true, Relaxed);
    let sender = std::thread::Builder::new().name("suspended".to_owned());
    let sender = sender.spawn(move || other.try_send(cancel(1).from_session(2, 1)).is_ok()).unwrap();
    wait_until("the send has begun", || trap.is_in.load(Relaxed));
    // Far more than feeds hold.
    for n in (4..=60_000).step_by(2) {
        wait_until("the lane has room", || lane.try_send(request(n)).is_ok());
        let all = Action::CancelAll(contract::command::CancelAll::default());
        let all = Command::new(ALICE, all).from_session(1, n + 1);
        wait_until("the lane has room", || lane.try_send(all).is_ok());
    }
    wait_until("all is told", || running.health().routed_seq == 60_001);
    assert_eq!((running.last_request(1), running.last_request(2)), (Some(60_001), Some(0)));
    let closed = |polled: &mut dyn FnMut() -> bool| wait_until("the feed is closed", || !polled());
    closed(&mut || account.poll(|_| {}).is_ok());
    closed(&mut || market.poll(|_| {}).is_ok());
    trap.is_set.store(false, Relaxed);
    assert!(sender.join().unwrap());
    assert_eq!(running.stop().unwrap().engine.last_request(2), Some(1));
}

/// A thread that never comes back from a send does not keep a venue from stopping.
#[test]
fn a_sender_that_is_suspended_for_good_does_not_hold_a_stop_up() {
    let trap = Arc::new(Trap { thread: "suspended", ..Trap::default() });
    let clock = Arc::clone(&trap) as Arc<dyn Clock>;
    let mut venue = Venue::open(Config { clock, ..config() }).unwrap();
    let mut lane = venue.lane("gateway").unwrap();
    let running = venue.start().unwrap();
    trap.is_set.store(true, Relaxed);
    let sender = std::thread::Builder::new().name("suspended".to_owned());
    let sender = sender.spawn(move || lane.try_send(request(1)).is_ok()).unwrap();
    wait_until("the send has begun", || trap.is_in.load(Relaxed));
    let began = Instant::now();
    assert_eq!(running.stop().unwrap().engine.seq(), 0);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    trap.is_set.store(false, Relaxed);
    sender.join().unwrap();
}

/// A router that stops by a law of its own: health says so while the venue runs, feeds end, the market goes on, and the
/// stop is in order, with its snapshot.
#[test]
fn a_router_that_dies_is_told_at_once_and_the_market_goes_on() {
    let directory = Directory::new("venue-router");
    let trap = Arc::new(Trap { thread: "centum-router", is_deadly: true, ..Trap::default() });
    let clock = Arc::clone(&trap) as Arc<dyn Clock>;
    let output = ring::Config { capacity: 64, ..ring::Config::default() };
    let mut venue = Venue::open(Config { clock, output, ..journalled(&directory) }).unwrap();
    let mut lane = venue.lane("gateway").unwrap();
    let running = venue.start().unwrap();
    (1..=3).for_each(|n| lane.try_send(request(n)).unwrap());
    wait_until("the account is open", || running.health().routed_seq == 3);
    let mut feed = running.desk().account(ALICE).unwrap();
    assert_eq!(running.health().router_failure, None);
    trap.is_set.store(true, Relaxed);
    lane.try_send(request(4)).unwrap();
    wait_until("health tells it", || running.health().router_failure.is_some());
    let health = running.health();
    let why = health.router_failure.unwrap();
    assert!(why.contains("a law that breaks here") && why.contains("the market goes on"), "{why}");
    assert_eq!((health.state, health.failure), (State::Running, None), "the engine is well");
    wait_until("the feed ends", || feed.poll(|_| {}).is_err());
    assert_eq!(running.desk().account(ALICE).map(|_| ()), Err(FeedError::Ended));
    // More than the ring holds: nobody waits for a reader that is gone.
    for n in 5..=200 {
        wait_until("the lane has room", || lane.try_send(request(n)).is_ok());
    }
    wait_until("all is applied", || running.last_request(1) == Some(200));
    let stopped = running.stop().unwrap();
    assert_eq!((stopped.health.state, stopped.health.applied_seq), (State::Stopped, 200));
    assert!(stopped.health.router_failure.is_some());
    let plan = Venue::recovery(&journalled(&directory)).unwrap().unwrap();
    assert_eq!((plan.snapshot(), plan.commands()), (Some(200), 0), "it left its snapshot");
}

/// Any number of lanes may come and go: their counts stay, in one sum, and nothing else does.
#[test]
fn lanes_that_are_gone_leave_their_counts_in_one_sum() {
    let running = Venue::open(config()).unwrap().start().unwrap();
    let mut stays = running.lane("stays").unwrap();
    for n in 1..=1_000 {
        let mut lane = running.lane("comes and goes").unwrap();
        wait_until("the one before is applied", || running.last_request(1) == Some(n - 1));
        lane.try_send(cancel(n)).unwrap();
    }
    stays.try_send(cancel(1_001)).unwrap();
    wait_until("all is applied", || running.last_request(1) == Some(1_001));
    let health = running.health();
    let names: Vec<&str> = health.lanes.iter().map(|lane| lane.name.as_str()).collect();
    assert_eq!((names, health.lanes[0].sent), (vec!["stays"], 1));
    assert_eq!((health.closed_lanes.lanes, health.closed_lanes.sent), (1_000, 1_000));
    drop(stays);
    let health = running.stop().unwrap().health;
    assert_eq!((health.lanes.len(), health.closed_lanes.sent), (0, 1_001));
}

/// Design §3, Snapshot, on demand: between two batches, while the market goes on; a recovery begins there.
#[test]
fn a_running_venue_leaves_a_snapshot_when_it_is_asked() {
    let directory = Directory::new("venue-snapshot");
    let mut venue = Venue::open(journalled(&directory)).unwrap();
    let mut lane = venue.lane("gateway").unwrap();
    let running = venue.start().unwrap();
    (1..=100).for_each(|n| lane.try_send(request(n)).unwrap());
    wait_until("all is applied", || running.last_request(1) == Some(100));
    let saved = running.snapshot().unwrap();
    assert_eq!((saved.seq, saved.file.as_str()), (100, "00000000000000000100.snapshot"));
    // Under load, from two threads: every one is of a moment between two batches, and the last two are kept.
    let is_over = AtomicBool::new(false);
    let sent = std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut n = 100;
            while !is_over.load(Relaxed) {
                n += u64::from(lane.try_send(cancel(n + 1)).is_ok());
            }
            n
        });
        let askers: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| (0..5).map(|_| running.snapshot().unwrap().seq).collect::<Vec<_>>()))
            .collect();
        for asker in askers {
            let seqs = asker.join().unwrap();
            assert!(seqs.is_sorted() && seqs[0] >= 100, "{seqs:?}");
        }
        is_over.store(true, Relaxed);
        sender.join().unwrap()
    });
    wait_until("all is applied", || running.last_request(1) == Some(sent));
    let plan = Venue::recovery(&journalled(&directory)).unwrap().unwrap();
    let seq = plan.snapshot().expect("there is one");
    let recovered = plan.run(&FileDisk::read_only(directory.path()).unwrap(), &mut engine::Discard, |_| {}).unwrap();
    assert_eq!((recovered.snapshot, recovered.skipped.len()), (Some(seq), 0));
    // A follower has the lock: it is waited for.
    let follower = FileDisk::for_snapshots(directory.path()).unwrap();
    let asked = std::thread::scope(|scope| {
        let asker = scope.spawn(|| running.snapshot());
        std::thread::sleep(Duration::from_millis(100));
        assert!(!asker.is_finished());
        drop(follower);
        asker.join().unwrap()
    });
    assert_eq!(asked.unwrap().seq, sent);
    let digest = running.stop().unwrap().engine.digest();
    assert_eq!(recovered.engine.seq(), sent);
    assert_eq!(recovered.engine.digest(), digest, "the replay from the snapshot is the engine that ran");
}

#[test]
fn a_venue_that_keeps_nothing_or_has_failed_leaves_no_snapshot() {
    let running = Venue::open(config()).unwrap().start().unwrap();
    assert!(matches!(running.snapshot(), Err(SnapshotError::NoDirectory)));
    drop(running);
    let directory = Directory::new("venue-no-snapshot");
    let clock = Arc::new(Trap { thread: "centum-engine", is_deadly: true, ..Trap::default() });
    let config = Config { clock: Arc::clone(&clock) as Arc<dyn Clock>, ..journalled(&directory) };
    let mut venue = Venue::open(Config { contract: ContractSpec { budget: 1, ..config.contract }, ..config }).unwrap();
    let mut lane = venue.lane("gateway").unwrap();
    let running = venue.start().unwrap();
    (1..=20).for_each(|n| lane.try_send(request(n)).unwrap());
    wait_until("all is applied", || running.last_request(1) == Some(20));
    // Work waits, the pump stamps a `Clock`, and that stops the engine's thread.
    clock.is_set.store(true, Relaxed);
    let all = Action::CancelAll(contract::command::CancelAll::default());
    lane.try_send(Command::new(ALICE, all).from_session(1, 21)).unwrap();
    wait_until("it failed", || running.health().state == State::Failed);
    assert!(running.health().failure.unwrap().contains("a law that breaks here"));
    assert!(matches!(running.snapshot(), Err(SnapshotError::Stopped)));
    let mut late = running.lane("late").unwrap();
    assert_eq!(late.try_send(request(22)), Err(Refused::Stopped(request(22))));
    drop(running.stop());
}

/// The next segment is made while nothing is to be done, not when an order waits for it, and not before it is of use.
#[test]
fn the_next_segment_is_made_in_an_idle_turn() {
    let directory = Directory::new("venue-prepare");
    let mut venue = Venue::open(journalled(&directory)).unwrap();
    let mut lane = venue.lane("gateway").unwrap();
    let running = venue.start().unwrap();
    lane.try_send(request(1)).unwrap();
    wait_until("it is applied", || running.last_request(1) == Some(1));
    std::thread::sleep(Duration::from_millis(30));
    assert_eq!(segments(&directory), 1, "a venue that has hardly begun takes no more room");
    // 130 commands of 136 bytes are a quarter of a segment and not half of it.
    for n in 2..=130 {
        lane.try_send(request(n)).unwrap();
    }
    wait_until("all is applied", || running.last_request(1) == Some(130));
    wait_until("the next segment is there", || segments(&directory) == 2);
    running.stop().unwrap();
    assert_eq!(Venue::open(journalled(&directory)).unwrap().last_request(1), Some(130));
}
