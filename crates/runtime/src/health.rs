//! Health: how far the engine is and how it feels, readable from any thread without stopping it.

use std::any::Any;
use std::fmt;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::Engine;

use crate::lane::LaneEnd;

/// What the engine thread is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum State {
    /// Opened, not started: lanes take commands, nobody applies them yet.
    Ready,
    /// Applying commands.
    Running,
    /// The disk is full. What was accepted waits in its lane; nothing is lost, and it goes on when there is room.
    DiskFull,
    /// A write or sync failed: nothing more is taken. What was answered is safe.
    JournalFailed,
    /// A law of the engine broke at a command: nothing more is applied. [`Health::failure`] has the rule.
    Failed,
    /// Stopped in order: everything accepted is applied and safe.
    Stopped,
}

impl State {
    const ALL: [State; 6] =
        [State::Ready, State::Running, State::DiskFull, State::JournalFailed, State::Failed, State::Stopped];

    /// Will a command that is sent now be applied, sooner or later?
    #[must_use]
    pub const fn takes_commands(self) -> bool {
        matches!(self, State::Ready | State::Running | State::DiskFull)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            State::Ready => "ready",
            State::Running => "running",
            State::DiskFull => "disk full",
            State::JournalFailed => "journal failed",
            State::Failed => "failed",
            State::Stopped => "stopped",
        })
    }
}

/// A law of the engine broke. (Law 6)
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failed {
    /// The command at which it did; it is in the journal, and none of its facts was released by this turn.
    pub seq: u64,
    /// The law, or what else stopped the engine.
    pub rule: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the engine stopped at command {}: {}; keep the journal and report it. `centum journal quarantine DIR \
             --seq {} --reason TEXT` lets every replay refuse that command",
            self.seq, self.rule, self.seq
        )
    }
}

impl std::error::Error for Failed {}

/// What a panic says: the law that broke.
pub(crate) fn rule_of(panic: &(dyn Any + Send)) -> String {
    let rule = panic.downcast_ref::<String>().cloned();
    let rule = rule.or_else(|| panic.downcast_ref::<&str>().map(|&rule| rule.to_owned()));
    rule.unwrap_or_else(|| "an assertion failed".to_owned())
}

/// One lane's counts. The lane's own thread writes them, nobody else.
#[derive(Debug)]
pub(crate) struct LaneCounters {
    pub(crate) name: String,
    pub(crate) capacity: usize,
    /// Its thread is sending at this moment.
    pub(crate) is_sending: AtomicBool,
    pub(crate) sent: AtomicU64,
    pub(crate) overloaded: AtomicU64,
    pub(crate) full: AtomicU64,
}

/// Counts on a counter that only this thread writes: no locked instruction.
#[inline]
pub(crate) fn count(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Relaxed) + more, Relaxed);
}

impl LaneCounters {
    pub(crate) fn new(name: &str, capacity: usize) -> LaneCounters {
        let zero = || AtomicU64::new(0);
        let is_sending = AtomicBool::new(false);
        LaneCounters { name: name.to_owned(), capacity, is_sending, sent: zero(), overloaded: zero(), full: zero() }
    }
}

/// What all threads of a venue hold in common.
#[derive(Debug)]
pub(crate) struct Shared {
    state: AtomicU8,
    are_lanes_closed: AtomicBool,
    /// Commands in one bulk, at most.
    pub(crate) bulk_max: usize,
    pub(crate) applied_seq: AtomicU64,
    pub(crate) released_seq: AtomicU64,
    pub(crate) durable_seq: AtomicU64,
    pub(crate) routed_seq: AtomicU64,
    pub(crate) events: AtomicU64,
    pub(crate) turns: AtomicU64,
    pub(crate) out_waits: AtomicU64,
    /// The last request of each session whose facts are released.
    sessions: Box<[AtomicU64]>,
    lanes: Mutex<Lanes>,
    /// Lanes made since the pump last looked.
    new_lanes: Mutex<Vec<LaneEnd>>,
    pub(crate) has_new_lanes: AtomicBool,
    failure: Mutex<Option<String>>,
    router_failure: Mutex<Option<String>>,
    failed: Mutex<Option<Failed>>,
}

/// The counts of the lanes that are there, and of those that are gone.
#[derive(Debug, Default)]
struct Lanes {
    open: Vec<Arc<LaneCounters>>,
    closed: ClosedLanes,
}

impl Shared {
    pub(crate) fn new(bulk_max: usize, sessions: impl Iterator<Item = u64>) -> Shared {
        let zero = || AtomicU64::new(0);
        Shared {
            state: AtomicU8::new(0),
            are_lanes_closed: AtomicBool::new(false),
            bulk_max,
            applied_seq: zero(),
            released_seq: zero(),
            durable_seq: zero(),
            routed_seq: zero(),
            events: zero(),
            turns: zero(),
            out_waits: zero(),
            sessions: sessions.map(AtomicU64::new).collect(),
            lanes: Mutex::default(),
            new_lanes: Mutex::default(),
            has_new_lanes: AtomicBool::new(false),
            failure: Mutex::default(),
            router_failure: Mutex::default(),
            failed: Mutex::default(),
        }
    }

    pub(crate) fn state(&self) -> State {
        State::ALL[usize::from(self.state.load(Acquire))]
    }

    pub(crate) fn set_state(&self, state: State) {
        let code = State::ALL.iter().position(|&one| one == state).unwrap_or(0);
        self.state.store(code as u8, Release);
    }

    /// What held it up is over.
    pub(crate) fn runs_again(&self) {
        *lock(&self.failure) = None;
        self.set_state(State::Running);
    }

    /// Lanes refuse from now on; the pump still takes what they hold.
    pub(crate) fn close_lanes(&self) {
        // One order with `LaneCounters::is_sending`, or a send could pass unseen. (`Lane::begin`)
        self.are_lanes_closed.store(true, SeqCst);
    }

    #[inline]
    pub(crate) fn takes_commands(&self) -> bool {
        !self.are_lanes_closed.load(SeqCst) && self.state().takes_commands()
    }

    pub(crate) fn fail(&self, state: State, why: String) {
        *lock(&self.failure) = Some(why);
        self.set_state(state);
    }

    /// The router is gone, the engine is not.
    pub(crate) fn router_failed(&self, why: String) {
        *lock(&self.router_failure) = Some(why);
    }

    /// The audit has halted the market. It goes on running, for cancels.
    pub(crate) fn tell_fault(&self, engine: &Engine) {
        let mut failure = lock(&self.failure);
        if let (None, Some(fault)) = (failure.as_ref(), engine.fault()) {
            let (seq, state) = (fault.seq, engine.describe());
            *failure = Some(format!(
                "the audit has halted the market at command {seq}: only cancels pass; see \"Audit halt\" in docs/runbook.md. \
                 The state:\n{state}"
            ));
        }
    }

    pub(crate) fn fail_by_law(&self, failed: Failed) {
        *lock(&self.failed) = Some(failed.clone());
        self.fail(State::Failed, failed.to_string());
    }

    pub(crate) fn failed(&self) -> Option<Failed> {
        lock(&self.failed).clone()
    }

    pub(crate) fn join(&self, lane: &Arc<LaneCounters>) {
        lock(&self.lanes).open.push(Arc::clone(lane));
    }

    /// A lane's sender is gone: its counts are kept in one sum, so that any number of lanes may come and go.
    pub(crate) fn leave(&self, lane: &Arc<LaneCounters>) {
        let mut lanes = lock(&self.lanes);
        lanes.open.retain(|one| !Arc::ptr_eq(one, lane));
        let closed = &mut lanes.closed;
        closed.lanes += 1;
        closed.sent += lane.sent.load(Relaxed);
        closed.overloaded += lane.overloaded.load(Relaxed);
        closed.full += lane.full.load(Relaxed);
    }

    /// A lane for the pump. Where the pump takes nothing any more, the lane has no reader, and says so.
    pub(crate) fn hand_over(&self, lane: LaneEnd) {
        if self.takes_commands() {
            lock(&self.new_lanes).push(lane);
            self.has_new_lanes.store(true, Release);
        }
    }

    pub(crate) fn take_new_lanes(&self) -> Vec<LaneEnd> {
        self.has_new_lanes.store(false, Relaxed);
        std::mem::take(&mut *lock(&self.new_lanes))
    }

    pub(crate) fn last_request(&self, session: u32) -> Option<u64> {
        self.sessions.get(session as usize).map(|last| last.load(Acquire))
    }

    /// One thread says so. A request at or below the last one was refused as a duplicate.
    pub(crate) fn released_request(&self, session: u32, request: u64) {
        if let Some(last) = self.sessions.get(session as usize).filter(|last| last.load(Relaxed) < request) {
            last.store(request, Release);
        }
    }

    pub(crate) fn health(&self) -> Health {
        let read = |counter: &AtomicU64| counter.load(Relaxed);
        let lanes = lock(&self.lanes);
        Health {
            state: self.state(),
            failure: lock(&self.failure).clone(),
            router_failure: lock(&self.router_failure).clone(),
            applied_seq: read(&self.applied_seq),
            durable_seq: read(&self.durable_seq),
            released_seq: read(&self.released_seq),
            routed_seq: read(&self.routed_seq),
            events: read(&self.events),
            turns: read(&self.turns),
            out_waits: read(&self.out_waits),
            closed_lanes: lanes.closed,
            lanes: lanes
                .open
                .iter()
                .map(|lane| LaneHealth {
                    name: lane.name.clone(),
                    capacity: lane.capacity,
                    sent: read(&lane.sent),
                    overloaded: read(&lane.overloaded),
                    full: read(&lane.full),
                })
                .collect(),
        }
    }
}

/// How a venue feels.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Health {
    /// What the engine thread is doing.
    pub state: State,
    /// Why it stopped, waits or has halted the market, and what to do.
    pub failure: Option<String>,
    /// Why the router stopped, where it did: feeds have ended, and the read model stands still. The engine goes on, and
    /// the journal has everything.
    pub router_failure: Option<String>,
    /// The last command applied.
    pub applied_seq: u64,
    /// The last command that is safe.
    pub durable_seq: u64,
    /// The last command whose facts may be read.
    pub released_seq: u64,
    /// The last command whose facts the router has told; behind `released_seq` where the router is slow.
    pub routed_seq: u64,
    /// Facts said since the venue was opened.
    pub events: u64,
    /// Turns of the pump.
    pub turns: u64,
    /// How often the engine waited for a gating reader of its output: a slow router shows here.
    pub out_waits: u64,
    /// The lanes whose senders are there, in the order they were made.
    pub lanes: Vec<LaneHealth>,
    /// Those whose senders are gone, together.
    pub closed_lanes: ClosedLanes,
}

/// What lanes counted that were dropped since.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct ClosedLanes {
    /// How many they are.
    pub lanes: u64,
    /// Commands taken.
    pub sent: u64,
    /// New orders and amends refused above the high-water mark.
    pub overloaded: u64,
    /// Commands refused because their lane was full.
    pub full: u64,
}

/// One lane's counts since it was made.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LaneHealth {
    /// Its name.
    pub name: String,
    /// Commands it has room for.
    pub capacity: usize,
    /// Commands taken.
    pub sent: u64,
    /// New orders and amends refused above the high-water mark.
    pub overloaded: u64,
    /// Commands refused because it was full.
    pub full: u64,
}

/// A lock that a panicking holder cannot take away: what it guards is replaced as a whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
