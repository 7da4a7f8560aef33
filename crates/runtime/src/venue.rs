//! The venue: engine, journal, router and their threads in one piece, for whoever embeds it.
//!
//! In    a directory, a contract, limits.
//! Out   lanes to send commands by, a [`Desk`] to read from, and health.
//! Laws  `open` ends where the journal ends: everything that was ever answered is there.
//!       Nothing is read before its command is as safe as was asked for. (Law 7)

use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use contract::{Capacity, Command, ContractSpec, Event, Genesis};
use engine::{Discard, Engine};
use hdrhistogram::Histogram;
use ring::{Hub, Reader, RingError};

use crate::clock::Clock;
use crate::disk::FileDisk;
use crate::health::{Health, Shared, State};
use crate::journal::{self, Durability, InMemory, Journal, Replayed, Writer};
use crate::lane::{Lane, LaneConfig, lane};
use crate::pump::{Pump, PumpOptions};
use crate::router::{Desk, FeedLimits, Router};
use crate::snapshot::{self, Origin, Recovery, Snapshot};

/// What a venue is made of.
#[derive(Clone, Debug)]
pub struct Config {
    /// The contract.
    pub contract: ContractSpec,
    /// The limits of the engine: fixed once, part of the journal.
    pub capacity: Capacity,
    /// Where the journal lies; none keeps everything in memory only, for tests and research.
    pub directory: Option<PathBuf>,
    /// When facts may be read.
    pub durability: Durability,
    /// The journal's segments and batches.
    pub journal: journal::Options,
    /// What a lane is made of, where nothing else is said.
    pub lane: LaneConfig,
    /// The ring between engine and router.
    pub output: ring::Config,
    /// The bounds of feeds.
    pub feeds: FeedLimits,
    /// How long the engine sleeps at most while nobody sends.
    pub idle: Duration,
    /// Where stamps come from.
    pub clock: Arc<dyn Clock>,
}

impl Default for Config {
    fn default() -> Self {
        let PumpOptions { durability, output, clock, .. } = PumpOptions::default();
        Config {
            contract: ContractSpec::XBTUSD_2019,
            capacity: Capacity::default(),
            directory: None,
            durability,
            journal: journal::Options::default(),
            lane: LaneConfig::default(),
            output,
            feeds: FeedLimits::default(),
            idle: Duration::from_millis(5),
            clock,
        }
    }
}

/// Why a venue did not open or start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The directory cannot be written in.
    #[error("{directory}: {source}; one venue at a time may have a directory, and it needs the right to write there")]
    Directory {
        /// Which.
        directory: String,
        /// What the system said.
        source: io::Error,
    },
    /// The journal.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// The recovery.
    #[error(transparent)]
    Recovery(#[from] snapshot::Error),
    /// The contract or the capacity cannot be traded.
    #[error("the contract: {0}")]
    Contract(String),
    /// A ring.
    #[error("a ring: {0}")]
    Ring(#[from] RingError),
    /// A thread could not be started.
    #[error("a thread could not be started: {0}")]
    Thread(io::Error),
}

/// What opening found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Recovered {
    /// The last command of the journal.
    pub last_seq: u64,
    /// The snapshot that the replay began with.
    pub snapshot: Option<u64>,
    /// Snapshots that could not be used, and why: for the operator.
    pub skipped: Vec<String>,
    /// What was replayed.
    pub replayed: Replayed,
    /// Bytes of a batch that a crash tore. Nobody was told of it.
    pub torn_bytes: u64,
    /// Of which run a snapshot would be that is made before another command comes.
    origin: Option<Origin>,
}

/// How a venue's commands are kept.
#[derive(Debug)]
enum Keeper {
    Disk(Box<Writer<FileDisk>>),
    Memory(InMemory),
}

/// An open venue that does not run yet. (Design §5)
///
/// ```
/// use centum_runtime::venue::{Config, Venue};
/// use contract::command::{Amount, Mark, OpenAccount};
/// use contract::*;
///
/// let contract = ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
/// let capacity = Capacity { accounts: 64, orders: 1024, ..Capacity::default() };
/// let mut venue = Venue::open(Config { contract, capacity, ..Config::default() })?;
/// let alice = AccountId::FIRST_TRADER;
/// let mut lane = venue.lane("rest")?;                       // one for each submitting thread
/// let running = venue.start()?;                             // the engine's thread, and the router's
/// let order = NewOrder::limit(ClOrdId::new("a-1").unwrap(), Side::Buy, Tick(20_000), Qty(100));
/// for action in [
///     Action::Mark(Mark { price: Price(1_000_000) }),
///     Action::OpenAccount(OpenAccount { fee_class: 0 }),
///     Action::Deposit(Amount { amount: Xbt(100_000_000) }),
///     Action::New(order),
/// ] {
///     lane.try_send(Command::new(alice, action))?;          // or the command back
/// }
/// let desk = running.desk().clone();
/// running.stop()?;                                          // all that was accepted is applied
/// assert_eq!(desk.view().orders(alice).map(|orders| orders.len()), Some(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Venue {
    config: Config,
    pump: Pump<Keeper>,
    router: Router,
    desk: Desk,
    events: Reader<Event>,
    recovered: Recovered,
}

impl Venue {
    /// Opens a venue: a new one, or one that goes on where its journal ends.
    ///
    /// # Errors
    /// [`OpenError`]; nothing in the directory was changed, but for what a crash left half done.
    pub fn open(config: Config) -> Result<Venue, OpenError> {
        let genesis = Genesis { spec: config.contract, capacity: config.capacity };
        let mut engine = Engine::new(&genesis).map_err(|error| OpenError::Contract(error.to_string()))?;
        let mut recovered = Recovered::default();
        let keeper = match &config.directory {
            None => Keeper::Memory(InMemory::default()),
            Some(directory) => {
                if config.contract.bulk_max > config.journal.batch_commands as u64 {
                    return Err(journal::Error::BULK_FITS_NO_BATCH.into());
                }
                let named = |source| OpenError::Directory { directory: directory.display().to_string(), source };
                let disk = FileDisk::create(directory).map_err(named)?;
                Keeper::Disk(Box::new(match Recovery::plan(&disk) {
                    Err(snapshot::Error::Journal(journal::Error::Absent)) => {
                        Writer::create(disk, config.journal, &genesis)?
                    }
                    Err(error) => return Err(error.into()),
                    Ok(plan) => {
                        let done = plan.run(&disk, &mut Discard, |_| {})?;
                        done.scan.must_have(&genesis)?;
                        engine = done.engine;
                        recovered.replayed = done.replayed;
                        recovered.snapshot = done.snapshot;
                        recovered.skipped = done.skipped.iter().map(ToString::to_string).collect();
                        recovered.last_seq = done.scan.last_seq();
                        recovered.torn_bytes = done.scan.torn().iter().map(|torn| torn.bytes).sum();
                        recovered.origin = Some(Origin::of(&done.scan, done.scan.last_seq()));
                        Writer::open(disk, config.journal, &done.scan)?
                    }
                }))
            }
        };
        let (router, desk) = Router::begin(&engine, config.feeds);
        let options = PumpOptions {
            durability: config.durability,
            output: config.output,
            clock: Arc::clone(&config.clock),
            ..PumpOptions::default()
        };
        let pump = Pump::new(engine, keeper, options)?;
        let events = pump.output().reader()?;
        Ok(Venue { config, pump, router, desk, events, recovered })
    }

    /// What opening a directory would do: from which snapshot, how many commands, about how long. None where there
    /// is no journal. Reads names and first pages only.
    ///
    /// # Errors
    /// What is wrong with the directory or those pages.
    pub fn recovery(config: &Config) -> Result<Option<Recovery>, OpenError> {
        let Some(directory) = &config.directory else { return Ok(None) };
        let disk = match FileDisk::read_only(directory) {
            Ok(disk) => disk,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(OpenError::Directory { directory: directory.display().to_string(), source }),
        };
        match Recovery::plan(&disk) {
            Ok(plan) => Ok(Some(plan)),
            Err(snapshot::Error::Journal(journal::Error::Absent)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What opening found.
    #[must_use]
    pub const fn recovered(&self) -> &Recovered {
        &self.recovered
    }

    /// A lane for one submitting thread. It takes commands at once; they are applied after the start.
    ///
    /// # Errors
    /// What is wrong with its configuration.
    pub fn lane(&mut self, name: &str) -> Result<Lane, RingError> {
        self.pump.lane(name, self.config.lane)
    }

    /// Where feeds and views are had.
    #[must_use]
    pub const fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Where more readers of the released events join, for statistics or replication. A gating one holds the engine up
    /// as the router does; a lossy one never.
    #[must_use]
    pub fn output(&self) -> Hub<Event> {
        self.pump.output()
    }

    /// The last request of a session that was applied: did my order arrive? One answer after any crash. `None`
    /// for a session that the capacity has no room for.
    #[must_use]
    pub fn last_request(&self, session: u32) -> Option<u64> {
        self.pump.engine().last_request(session)
    }

    /// The engine as it stands, before the start.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        self.pump.engine()
    }

    /// Starts the two threads.
    ///
    /// # Errors
    /// [`OpenError::Thread`].
    pub fn start(self) -> Result<Running, OpenError> {
        let Venue { config, pump, router, desk, events, recovered } = self;
        let (origin, opened_at) = (recovered.origin, recovered.last_seq);
        let shared = Arc::clone(pump.shared());
        let latency = Arc::new(Mutex::new(new_histogram()));
        let stop = Arc::new(AtomicBool::new(false));
        // Before the engine's thread begins: what it finds wrong must not be written over.
        shared.set_state(State::Running);
        let router = {
            let (latency, clock, shared) = (Arc::clone(&latency), Arc::clone(&config.clock), Arc::clone(&shared));
            let work = move || route(router, events, &latency, &*clock, &shared);
            thread::Builder::new().name("centum-router".to_owned()).spawn(work).map_err(OpenError::Thread)?
        };
        let engine = {
            let (stop, idle) = (Arc::clone(&stop), config.idle);
            let work = move || run(pump, &stop, idle);
            thread::Builder::new().name("centum-engine".to_owned()).spawn(work).map_err(OpenError::Thread)?
        };
        Ok(Running { shared, desk, latency, config, stop, origin, opened_at, threads: Some((engine, router)) })
    }
}

/// The engine's thread and the router's.
type Threads = (JoinHandle<(Engine, Keeper)>, JoinHandle<()>);

/// A venue that runs. Dropping it stops it as [`Running::stop`] does.
#[derive(Debug)]
pub struct Running {
    shared: Arc<Shared>,
    desk: Desk,
    latency: Arc<Mutex<Histogram<u64>>>,
    config: Config,
    stop: Arc<AtomicBool>,
    /// Of which run the engine is as long as no command has come.
    origin: Option<Origin>,
    opened_at: u64,
    threads: Option<Threads>,
}

/// A venue that has stopped in order.
#[derive(Debug)]
pub struct Stopped {
    /// The engine as it stood at the end.
    pub engine: Engine,
    /// Health at the end.
    pub health: Health,
}

impl Running {
    /// Another lane, while the venue runs.
    ///
    /// # Errors
    /// What is wrong with its configuration.
    pub fn lane(&self, name: &str) -> Result<Lane, RingError> {
        let (lane, end) = lane(name, self.config.lane, Arc::clone(&self.config.clock), &self.shared)?;
        self.shared.hand_over(end);
        Ok(lane)
    }

    /// Where feeds and views are had.
    #[must_use]
    pub const fn desk(&self) -> &Desk {
        &self.desk
    }

    /// How it feels.
    #[must_use]
    pub fn health(&self) -> Health {
        self.shared.health()
    }

    /// The last request of a session whose facts are released.
    #[must_use]
    pub fn last_request(&self, session: u32) -> Option<u64> {
        self.shared.last_request(session)
    }

    /// Time from a command's arrival in its lane to its last fact at the router, ns, since the start: a copy.
    #[must_use]
    pub fn latency(&self) -> Histogram<u64> {
        self.latency.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lanes refuse from now on; everything accepted is applied, made safe and told; a snapshot is left beside the
    /// journal, so that the next opening begins there; the journal is closed.
    ///
    /// # Errors
    /// Why it had stopped before, or could not write the snapshot or close the journal. What was answered is safe
    /// all the same.
    pub fn stop(mut self) -> Result<Stopped, snapshot::Error> {
        let (engine, keeper) = self.end();
        let health = self.shared.health();
        if let Keeper::Disk(writer) = keeper {
            let new = || Origin { journal: writer.journal(), quarantines: 0 };
            let is_as_opened = engine.seq() == self.opened_at;
            let origin = self.origin.filter(|_| is_as_opened).unwrap_or_else(new);
            let snapshot = Snapshot::take(&engine, origin);
            let durable = writer.durable_seq();
            let disk = writer.close()?;
            // An engine that a broken law stopped is ahead of its journal or worse: its state is not kept.
            if health.state == State::Stopped {
                snapshot.save(&disk, durable)?;
            }
        }
        Ok(Stopped { engine, health })
    }

    fn end(&mut self) -> (Engine, Keeper) {
        self.stop.store(true, Release);
        let (engine, router) = self.threads.take().expect("a venue is stopped once");
        let ended = engine.join().expect("the pump catches what the engine throws");
        // The output ring is closed now, so the router ends once it has told everything.
        if router.join().is_err() {
            self.shared
                .fail(State::Failed, "the router stopped; feeds are behind, the journal has everything".to_owned());
        }
        ended
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.threads.is_some() {
            drop(self.end());
        }
    }
}

/// The engine's thread.
fn run(mut pump: Pump<Keeper>, stop: &AtomicBool, idle: Duration) -> (Engine, Keeper) {
    while !pump.is_over() && !stop.load(Acquire) {
        if pump.turn().is_idle() {
            pump.wait(idle);
        }
    }
    pump.stop()
}

/// The router's thread.
fn route(
    mut router: Router,
    mut events: Reader<Event>,
    latency: &Mutex<Histogram<u64>>,
    clock: &dyn Clock,
    shared: &Shared,
) {
    let mut batch = Vec::with_capacity(ROUTED_AT_ONCE);
    while events.wait().is_ok() {
        batch.extend(events.batch().take(ROUTED_AT_ONCE));
        router.take_batch(&batch);
        let now = clock.now_ns();
        let mut histogram = latency.lock().unwrap_or_else(PoisonError::into_inner);
        for event in batch.iter().filter(|event| event.is_last()) {
            histogram.saturating_record(now.saturating_sub(event.ts()).max(1));
        }
        if let Some(last) = batch.last() {
            shared.routed_seq.store(last.seq(), Relaxed);
        }
        batch.clear();
    }
}

/// Events that the router takes under one lock.
const ROUTED_AT_ONCE: usize = 1_024;

fn new_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("the bounds are constants in order")
}

impl Journal for Keeper {
    fn reserve(&mut self, commands: usize) -> Result<(), journal::Error> {
        match self {
            Keeper::Disk(writer) => writer.reserve(commands),
            Keeper::Memory(memory) => memory.reserve(commands),
        }
    }

    #[inline]
    fn append(&mut self, command: &Command) -> Result<(), journal::Error> {
        match self {
            Keeper::Disk(writer) => writer.append(command),
            Keeper::Memory(memory) => memory.append(command),
        }
    }

    fn commit(&mut self, chain: Option<u64>) -> Result<journal::Batch<'_>, journal::Error> {
        match self {
            Keeper::Disk(writer) => writer.commit(chain),
            Keeper::Memory(memory) => memory.commit(chain),
        }
    }

    fn appended_seq(&self) -> u64 {
        match self {
            Keeper::Disk(writer) => writer.appended_seq(),
            Keeper::Memory(memory) => memory.appended_seq(),
        }
    }

    fn durable_seq(&self) -> u64 {
        match self {
            Keeper::Disk(writer) => writer.durable_seq(),
            Keeper::Memory(memory) => memory.durable_seq(),
        }
    }
}
