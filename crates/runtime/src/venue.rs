//! The venue: engine, journal, router and their threads in one piece, for whoever embeds it.
//!
//! In    a directory, a contract, limits.
//! Out   lanes to send commands by, a [`Desk`] to read from, and health.
//! Laws  `open` ends where the journal ends: everything that was ever answered is there.
//!       Nothing is read before its command is as safe as was asked for. (Law 7)

use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Release;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use contract::{Capacity, ContractSpec, Event, Genesis};
use engine::{Discard, Engine};
use hdrhistogram::Histogram;
use ring::{Hub, Reader, RingError};

use crate::clock::Clock;
use crate::disk::FileDisk;
use crate::health::{Failed, Health, Shared, State};
use crate::journal::{self, Durability, InMemory, Journal, Replayed, Writer};
use crate::lane::{Lane, LaneConfig, lane};
use crate::pump::{Pump, PumpOptions};
use crate::router::{Desk, FeedLimits, Router};
use crate::snapshot::{self, Origin, Recovery, Saved};

mod keeper;
mod snapshots;
mod threads;

use keeper::Keeper;
use snapshots::Window;

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
    /// After how long without a command the engine is given a `Clock`, so that an idle market is audited; each is 128 bytes
    /// and a batch of the journal. Zero: never.
    pub audit_idle: Duration,
    /// Where stamps come from.
    pub clock: Arc<dyn Clock>,
}

impl Default for Config {
    fn default() -> Self {
        let PumpOptions { durability, output, clock, audit_idle, .. } = PumpOptions::default();
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
            audit_idle,
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
            audit_idle: config.audit_idle,
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

    /// Where more readers of the released events join, for statistics or replication.
    ///
    /// **A gating reader that is not read stops the venue**: once it is a whole ring behind ([`Config::output`]), the
    /// engine waits for it, lanes fill up, and nothing moves, not even a stop, until it reads or is dropped. `Health::out_waits` rises
    /// once, then nothing does. Give it a thread that does nothing else, or take a lossy one, which never holds anybody up
    /// and learns what it missed.
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
        let journal = match pump.journal() {
            Keeper::Disk(writer) => Some(writer.journal()),
            Keeper::Memory(_) => None,
        };
        let window = Arc::new(Window::new(recovered.origin, recovered.last_seq, journal));
        let shared = Arc::clone(pump.shared());
        let latency = Arc::new(Mutex::new(new_histogram()));
        let stop = Arc::new(AtomicBool::new(false));
        // Before the engine's thread begins: what it finds wrong must not be written over.
        shared.set_state(State::Running);
        let router = {
            let (latency, clock, shared) = (Arc::clone(&latency), Arc::clone(&config.clock), Arc::clone(&shared));
            let work = move || threads::route(router, events, &latency, &*clock, &shared);
            thread::Builder::new().name("centum-router".to_owned()).spawn(work).map_err(OpenError::Thread)?
        };
        let engine = {
            let (stop, idle, window) = (Arc::clone(&stop), config.idle, Arc::clone(&window));
            let work = move || threads::run(pump, &stop, idle, &window);
            thread::Builder::new().name("centum-engine".to_owned()).spawn(work).map_err(OpenError::Thread)?
        };
        Ok(Running { shared, desk, latency, config, stop, window, threads: Some((engine, router)) })
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
    window: Arc<Window>,
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

    /// The law of the engine that broke, and at which command, where one did. (Law 6)
    #[must_use]
    pub fn failed(&self) -> Option<Failed> {
        self.shared.failed()
    }

    /// The last request of a session whose facts are released.
    #[must_use]
    pub fn last_request(&self, session: u32) -> Option<u64> {
        self.shared.last_request(session)
    }

    /// Time from a command's stamp to its last fact at the router, ns, since the start: a copy.
    ///
    /// The stamp is that of its arrival in its lane; where a command that arrived later was applied before it, in an
    /// earlier turn, that one's, for time never falls: then as much too little is counted. The pump's own `Clock` commands
    /// are counted too, from when they were made.
    #[must_use]
    pub fn latency(&self) -> Histogram<u64> {
        self.latency.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Leaves a snapshot beside the journal, so that a recovery begins there. The market stands still while the state
    /// is copied into memory, between two batches: 2 to 3 ms with 10,000 accounts and orders, 0.2 s with a million accounts
    /// (`docs/performance.md`). The disk is the calling thread's work. Two callers take turns; an
    /// engine that waits for a reader of its output answers when it goes on. `centum snapshot DIR` makes one without any
    /// pause.
    ///
    /// # Errors
    /// [`snapshot::Error::Stopped`] where the engine takes nothing any more, [`snapshot::Error::NoDirectory`] where
    /// nothing is kept; what [`Snapshot::save`](snapshot::Snapshot::save) says. The market goes on all the same.
    pub fn snapshot(&self) -> Result<Saved, snapshot::Error> {
        let directory = self.config.directory.as_deref().ok_or(snapshot::Error::NoDirectory)?;
        let (snapshot, durable) = self.window.ask()?;
        snapshot.save(&snapshots::disk(directory)?, durable)
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
            let durable = writer.durable_seq();
            writer.close()?;
            // An engine that a broken law stopped is ahead of its journal or worse: its state is not kept.
            if health.state == State::Stopped
                && let Some(directory) = &self.config.directory
            {
                self.window.copy(&engine).save(&snapshots::disk(directory)?, durable)?;
            }
        }
        Ok(Stopped { engine, health })
    }

    fn end(&mut self) -> (Engine, Keeper) {
        self.stop.store(true, Release);
        let (engine, router) = self.threads.take().expect("a venue is stopped once");
        let ended = engine.join().expect("the pump catches what the engine throws");
        // The output ring is closed now, so the router ends once it has told everything.
        router.join().expect("what the router throws is caught and told");
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

fn new_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("the bounds are constants in order")
}
