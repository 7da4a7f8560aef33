//! Overload: producers offer more than twice what the engine takes. Every command is answered by an event, or refused as
//! overloaded or full; whoever wants out is never shed; memory stays flat.
//!
//! A minute of it: `CENTUM_OVERLOAD_SECONDS=60 cargo test -p centum-runtime --test overload -- --nocapture`

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use centum_runtime::health::State;
use centum_runtime::journal::Options;
use centum_runtime::lane::{Lane, LaneConfig, Refused};
use centum_runtime::venue::{Config, Venue};
use contract::command::{Amount, Cancel, CancelAll, Mark, OpenAccount};
use contract::{
    AccountId, Action, Capacity, ClOrdId, Command, ContractSpec, Event, ExecInst, Fact, Marking, NewOrder, Price, Qty,
    Side, Target, Tick, TimeInForce, Xbt,
};

const PRODUCERS: u32 = 2;
/// Sends of each producer, where no time is given: once to warm up, once to be measured.
const SENDS: u64 = 150_000;
/// What a producer that was refused offers before it lets others run, in tenths of what was taken from it: with few cores
/// the engine shares them with its producers, and one that never paused would only take its time away.
const OFFERED_TENTHS: u64 = 25;
/// What must have been offered, in tenths of what was taken.
const OFFERED_TENTHS_MIN: u64 = 20;
/// Resident memory may grow by so much after the warm-up, bytes.
const GROWTH_MAX: u64 = 16 << 20;

/// One at a time: they look at the memory of the process, and want both cores.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn config(directory: Option<PathBuf>) -> Config {
    // The whole of a cancel-all at once: then no command is the engine's own, and the counts must agree exactly.
    let contract = ContractSpec {
        marking: Marking::External,
        max_price: Price(5_000_000),
        budget: u64::MAX,
        ..ContractSpec::XBTUSD_2019
    };
    let capacity = Capacity { accounts: 16, orders: 1 << 14, sessions: 1 + PRODUCERS, lots: 4 };
    let journal = Options { segment_bytes: 8 << 20, ..Options::default() };
    let lane = LaneConfig { capacity: 1 << 10, ..LaneConfig::default() };
    // Commands are counted: none of the venue's own for want of others.
    let audit_idle = Duration::ZERO;
    Config { contract, capacity, directory, journal, lane, audit_idle, ..Config::default() }
}

fn account(session: u32) -> AccountId {
    AccountId(AccountId::FIRST_TRADER.0 + session - 1)
}

/// What opens the market, unnumbered.
fn opening() -> Vec<Command> {
    let mut commands = vec![Command::new(AccountId::NONE, Action::Mark(Mark { price: Price(1_000_000) }))];
    for session in 1..=PRODUCERS {
        commands.push(Command::new(account(session), Action::OpenAccount(OpenAccount { fee_class: 0 })));
        let amount = Amount { amount: Xbt(1_000_000_000_000) };
        commands.push(Command::new(account(session), Action::Deposit(amount)));
    }
    commands
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    New,
    Taker,
    Cancel,
    CancelAll,
    Close,
}

impl Kind {
    const ALL: [Kind; 5] = [Kind::New, Kind::Taker, Kind::Cancel, Kind::CancelAll, Kind::Close];

    fn of(send: u64) -> Kind {
        match send % 16 {
            _ if send % 1_000 == 999 => Kind::CancelAll,
            15 => Kind::Close,
            3 | 11 => Kind::Taker,
            n if n % 2 == 0 => Kind::New,
            _ => Kind::Cancel,
        }
    }

    /// The command of this kind that is request n. An order's name says whose request it is.
    fn command(self, session: u32, n: u64) -> Command {
        let name = |n: u64| name(session, n);
        let side = if (u64::from(session) + n / 64).is_multiple_of(2) { Side::Buy } else { Side::Sell };
        let tick = |away: u64| match side {
            Side::Buy => Tick(20_000 - away as u32),
            Side::Sell => Tick(20_001 + away as u32),
        };
        let order = NewOrder::limit(name(n), side, tick(1 + n % 40), Qty(1 + n % 9));
        let action = match self {
            Kind::New => Action::New(order),
            Kind::Taker => Action::New(NewOrder {
                price: if side == Side::Buy { Tick(20_100) } else { Tick(19_900) },
                ..order.with_tif(TimeInForce::ImmediateOrCancel)
            }),
            Kind::Cancel => Action::Cancel(Cancel { target: Target::ClOrdId(name(n - 1)) }),
            Kind::CancelAll => Action::CancelAll(CancelAll::default()),
            Kind::Close => Action::New(NewOrder { exec_inst: ExecInst::CLOSE, ..order }),
        };
        Command::new(account(session), action).from_session(session, n)
    }
}

/// The client's name of request n: "2-1041". Written by hand, because the producers must be faster than the engine.
fn name(session: u32, n: u64) -> ClOrdId {
    let (mut text, mut at, mut left) = ([0u8; 36], 36, n);
    while left != 0 || at == 36 {
        at -= 1;
        (text[at], left) = (b'0' + (left % 10) as u8, left / 10);
    }
    text[at - 1] = b'-';
    text[at - 2] = b'0' + session as u8;
    ClOrdId::new(str::from_utf8(&text[at - 2..]).expect("digits")).expect("short")
}

/// What became of the sends of one kind.
#[derive(Clone, Copy, Default, Debug)]
struct Counts {
    ok: u64,
    overloaded: u64,
    full: u64,
}

/// A producer: sends while `goes_on`. What is refused is given up, its number used again.
fn push(lane: &mut Lane, session: u32, requests: &mut u64, goes_on: impl Fn(u64) -> bool) -> [Counts; 5] {
    let (mut counts, before) = ([Counts::default(); 5], *requests);
    for send in (0..).take_while(|&send| goes_on(send)) {
        let kind = Kind::of(send);
        let count = &mut counts[kind as usize];
        match lane.try_send(kind.command(session, *requests + 1)) {
            Ok(()) => (count.ok, *requests) = (count.ok + 1, *requests + 1),
            Err(Refused::Overloaded(_)) => count.overloaded += 1,
            Err(Refused::Full(_)) => count.full += 1,
            Err(Refused::Stopped(_)) => panic!("the venue stopped: {}", lane.state()),
        }
        if (send + 1) * 10 > (*requests - before) * OFFERED_TENTHS {
            thread::yield_now();
        }
    }
    counts
}

/// Answers, as a reader of all events sees them.
#[derive(Default)]
struct Answers {
    /// The command whose events come.
    seq: u64,
    /// The request that it is, once one of its events says so.
    request: Option<(u32, u64)>,
    /// The last request of each session.
    last: [u64; 1 + PRODUCERS as usize],
    /// Commands answered.
    commands: u64,
    /// Those whose events do not name a request: the opening, and cancel-alls that found something.
    nameless: u64,
}

impl Answers {
    fn take(&mut self, event: &Event) {
        assert_eq!(event.seq(), self.seq + 1, "commands are told in order, each has one last event");
        let own = |session: u32, request: u64| (session != 0).then_some((session, request));
        self.request = self.request.or_else(|| match event.fact()? {
            Fact::Accepted(it) => {
                let name = it.cl_ord_id.to_string();
                let (session, request) = name.split_once('-')?;
                Some((session.parse().ok()?, request.parse().ok()?))
            }
            Fact::Rejected(it) => own(it.session, it.request),
            Fact::Canceled(it) => own(it.session, it.request),
            Fact::Done(it) => own(it.session, it.request),
            _ => None,
        });
        if event.is_last() {
            if let Some((session, request)) = self.request.take() {
                let last = &mut self.last[session as usize];
                assert!(request > *last, "session {session}: request {request} is answered after {last}");
                *last = request;
            } else {
                self.nameless += 1;
            }
            (self.seq, self.commands) = (event.seq(), self.commands + 1);
        }
    }
}

/// Resident memory of this process, bytes; none where the system does not say.
fn resident() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4_096)
}

fn overload(setting: &str, directory: Option<PathBuf>) {
    let _alone = alone();
    let seconds = std::env::var("CENTUM_OVERLOAD_SECONDS").ok().map(|it| it.parse().expect("a number of seconds"));
    let seconds = seconds.map(Duration::from_secs);
    let mut venue = Venue::open(config(directory)).unwrap();
    let mut events = venue.output().reader().unwrap();
    let mut operator = venue.lane("operator").unwrap();
    let mut lanes: Vec<Lane> = (1..=PRODUCERS).map(|n| venue.lane(&format!("producer {n}")).unwrap()).collect();
    let running = venue.start().unwrap();
    let reader = thread::spawn(move || {
        let mut answers = Answers::default();
        while events.wait().is_ok() {
            events.batch().for_each(|event| answers.take(&event));
        }
        answers
    });
    opening().into_iter().for_each(|command| operator.try_send(command).unwrap());
    while running.health().applied_seq < opening().len() as u64 {
        thread::yield_now();
    }

    let (mut requests, mut total) = ([0u64; PRODUCERS as usize], [Counts::default(); 5]);
    let (mut warm, mut elapsed) = (None, Duration::ZERO);
    for is_warm in [false, true] {
        warm = if is_warm { resident() } else { None };
        let began = Instant::now();
        let counts: Vec<[Counts; 5]> = thread::scope(|scope| {
            let producers = (1..).zip(lanes.iter_mut().zip(&mut requests)).map(|(session, (lane, requests))| {
                let goes_on = move |send: u64| match seconds {
                    Some(seconds) if is_warm => began.elapsed() < seconds,
                    _ => send < SENDS,
                };
                scope.spawn(move || push(lane, session, requests, goes_on))
            });
            let producers: Vec<_> = producers.collect();
            producers.into_iter().map(|it| it.join().unwrap()).collect()
        });
        elapsed += began.elapsed();
        for counts in counts {
            for (sum, one) in total.iter_mut().zip(counts) {
                sum.ok += one.ok;
                sum.overloaded += one.overloaded;
                sum.full += one.full;
            }
        }
    }
    let grown = resident().zip(warm).map(|(now, warm)| now.saturating_sub(warm));
    let health = running.health();
    assert_eq!((health.state, health.failure), (State::Running, None));
    let began = Instant::now();
    let stopped = running.stop().unwrap();
    elapsed += began.elapsed();
    let answers = reader.join().unwrap();

    let ok: u64 = total.iter().map(|kind| kind.ok).sum();
    let refused: u64 = total.iter().map(|kind| kind.overloaded + kind.full).sum();
    let offered = ok + refused;
    println!(
        "{setting}: {offered} offered in {elapsed:.2?}, {ok} taken, {refused} refused: {} hundredths of what was taken; grown \
         by {grown:?} bytes",
        offered * 100 / ok.max(1)
    );
    for (kind, counts) in Kind::ALL.into_iter().zip(total) {
        println!("  {kind:?}: {counts:?}");
    }

    // Every command that was taken is answered once; every other one came back with its reason.
    assert_eq!(ok, requests.iter().sum::<u64>());
    let opened = opening().len() as u64;
    assert_eq!(
        (answers.commands, stopped.engine.seq()),
        (opened + ok, opened + ok),
        "each was applied and answered once"
    );
    assert!(answers.nameless <= opened + total[Kind::CancelAll as usize].ok);
    for (session, last) in (1..).zip(requests) {
        assert_eq!(stopped.engine.last_request(session), Some(last));
        assert!((last.saturating_sub(1)..=last).contains(&answers.last[session as usize]), "its last one is answered");
    }
    // Whoever wants out is refused by a lane that is full to the brim only.
    for kind in [Kind::Cancel, Kind::CancelAll, Kind::Close] {
        assert_eq!(total[kind as usize].overloaded, 0, "{kind:?} is never shed");
    }
    assert!(total[Kind::New as usize].overloaded > 0, "it was an overload: {total:?}");
    if seconds.is_some() {
        assert!(offered * 10 >= ok * OFFERED_TENTHS_MIN, "{offered} offered, {ok} taken: no such overload");
    }
    if let Some(grown) = grown {
        assert!(grown <= GROWTH_MAX, "memory grew by {grown} bytes after the warm-up");
    }
}

#[test]
fn an_overload_in_memory_is_answered_or_refused() {
    overload("in memory", None);
}

#[test]
fn an_overload_with_the_journal_is_answered_or_refused() {
    let directory = std::env::temp_dir().join(format!("centum-overload-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    overload("with the journal", Some(directory.clone()));
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn a_stop_ends_though_producers_never_pause() {
    let _alone = alone();
    let mut venue = Venue::open(config(None)).unwrap();
    let mut lane = venue.lane("never pauses").unwrap();
    let running = venue.start().unwrap();
    let producer = thread::spawn(move || {
        let mut taken = 0;
        loop {
            match lane.try_send(Kind::Cancel.command(1, taken + 1)) {
                Ok(()) => taken += 1,
                Err(Refused::Stopped(_)) => return taken,
                Err(_) => {}
            }
        }
    });
    thread::sleep(Duration::from_millis(50));
    let began = Instant::now();
    let stopped = running.stop().unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let taken = producer.join().unwrap();
    assert_eq!(stopped.engine.last_request(1), Some(taken), "everything accepted is applied");
}

#[test]
fn a_lane_that_is_gone_does_not_keep_the_engine_awake() {
    let _alone = alone();
    let mut venue = Venue::open(Config { idle: Duration::from_millis(50), ..config(None) }).unwrap();
    let mut stays = venue.lane("stays").unwrap();
    let mut goes = venue.lane("goes").unwrap();
    let running = venue.start().unwrap();
    goes.try_send(opening()[0]).unwrap();
    drop(goes);
    thread::sleep(Duration::from_millis(100));
    let turns = running.health().turns;
    thread::sleep(Duration::from_millis(200));
    let turns = running.health().turns - turns;
    assert!(turns < 50, "{turns} turns with nothing to do");
    stays.try_send(opening()[1]).unwrap();
    assert_eq!(running.stop().unwrap().engine.seq(), 2, "what was sent before is applied");
}
