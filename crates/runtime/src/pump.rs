//! The pump: one thread's work, turn by turn. Stamp, append, apply, commit, release.
//!
//! In    lanes, merged by the time their commands arrived.
//! Out   the output ring: every event, once its command is as safe as was asked for. (Law 7)
//! Laws  A turn takes what is visible when it begins, at most so many from each lane: a noisy lane delays the others
//!       by a bounded amount, a silent or stalled one not at all. The order in which commands are journalled is the
//!       market's.
//!       While the lanes are idle and work waits in the engine, or something is due by the clock, `Clock` commands are
//!       stamped until it is done. (Law 4) After a recovery an `Epoch` comes first: what was heard of an index before
//!       it is stale. (Rule MARK-3)
//!       A law that breaks ends the pump, not the process: what was safe stays readable. (Law 6)

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use contract::command::FLAG_MORE;
use contract::{AccountId, Action, Command, Event, Marking};
use engine::{Engine, Outbox};
use ring::{Full, Hub, Producer, RingError, wait_any};

use crate::clock::{Clock, SystemClock};
use crate::health::{Failed, Health, Shared, State};
use crate::journal::{Durability, Error, Journal};
use crate::lane::{Lane, LaneConfig, LaneEnd, lane};

/// How a pump works.
#[derive(Clone, Debug)]
pub struct PumpOptions {
    /// When facts may be read.
    pub durability: Durability,
    /// The output ring. The more it holds, the longer a gating reader may be away before the engine waits.
    pub output: ring::Config,
    /// Commands taken from one lane in one turn, at most.
    pub commands_a_lane: usize,
    /// Where stamps come from.
    pub clock: Arc<dyn Clock>,
}

impl Default for PumpOptions {
    fn default() -> Self {
        PumpOptions {
            durability: Durability::default(),
            output: ring::Config { capacity: 1 << 14, ..ring::Config::default() },
            commands_a_lane: 1_024,
            clock: Arc::new(SystemClock),
        }
    }
}

/// What a turn did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Turn {
    /// Commands applied, `Clock`s of its own included.
    pub commands: usize,
}

impl Turn {
    /// Was there nothing to do?
    #[must_use]
    pub const fn is_idle(self) -> bool {
        self.commands == 0
    }
}

/// The engine with its lanes, its journal and its output ring. Bring your own thread:
///
/// ```
/// use centum_runtime::journal::InMemory;
/// use centum_runtime::lane::LaneConfig;
/// use centum_runtime::pump::{Pump, PumpOptions};
/// use contract::command::OpenAccount;
/// use contract::{AccountId, Action, Capacity, Command, ContractSpec, Genesis};
/// use engine::Engine;
///
/// let genesis = Genesis { spec: ContractSpec::XBTUSD_2019, capacity: Capacity::default() };
/// let engine = Engine::new(&genesis)?;
/// let mut pump = Pump::new(engine, InMemory::default(), PumpOptions::default())?;
/// let mut events = pump.output().reader()?;
/// let mut lane = pump.lane("gateway", LaneConfig::default())?;
///
/// lane.try_send(Command::new(AccountId::FIRST_TRADER, Action::OpenAccount(OpenAccount { fee_class: 0 })))?;
/// while !pump.turn().is_idle() {}
/// assert_eq!(events.batch().count(), 2); // its wallet and its position
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Pump<J> {
    engine: Engine,
    journal: J,
    out: Producer<Event>,
    options: PumpOptions,
    lanes: Vec<LaneEnd>,
    shared: Arc<Shared>,
    /// Sessions whose requests were applied since the last release.
    sessions: Vec<u32>,
    /// Sequence in the output ring before the command that is being applied.
    out_before: u64,
    /// The command that is being applied.
    applying: u64,
    /// The last command has more of its bulk behind it.
    is_in_bulk: bool,
    /// The engine was recovered and has not been told.
    owes_epoch: bool,
}

impl<J: Journal> Pump<J> {
    /// A pump for an engine that stands where its journal ends.
    ///
    /// # Errors
    /// What is wrong with the output ring's configuration.
    ///
    /// # Panics
    /// Where engine and journal do not stand at the same command.
    pub fn new(engine: Engine, journal: J, options: PumpOptions) -> Result<Pump<J>, RingError> {
        assert!(
            journal.appended_seq() == engine.seq() && journal.durable_seq() == engine.seq(),
            "the engine stands at command {}, its journal at {}",
            engine.seq(),
            journal.appended_seq()
        );
        let (out, _) = ring::ring(options.output)?;
        let sessions = (0..).map_while(|session| engine.last_request(session));
        let bulk_max = usize::try_from(engine.spec().bulk_max).unwrap_or(usize::MAX);
        let shared = Arc::new(Shared::new(bulk_max, sessions));
        for at in [&shared.applied_seq, &shared.durable_seq, &shared.released_seq, &shared.routed_seq] {
            at.store(engine.seq(), Relaxed);
        }
        let (lanes, sessions) = (Vec::new(), Vec::new());
        let (out_before, applying, is_in_bulk) = (0, 0, false);
        let owes_epoch = engine.seq() != 0 && engine.spec().marking != Marking::External;
        Ok(Pump {
            engine,
            journal,
            out,
            options,
            lanes,
            shared,
            sessions,
            out_before,
            applying,
            is_in_bulk,
            owes_epoch,
        })
    }

    /// Another lane.
    ///
    /// # Errors
    /// What is wrong with its configuration.
    pub fn lane(&mut self, name: &str, config: LaneConfig) -> Result<Lane, RingError> {
        let (lane, end) = lane(name, config, Arc::clone(&self.options.clock), &self.shared)?;
        self.lanes.push(end);
        Ok(lane)
    }

    /// Where readers of the events join.
    #[must_use]
    pub fn output(&self) -> Hub<Event> {
        self.out.hub()
    }

    /// The engine, to be looked at.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The journal.
    #[must_use]
    pub const fn journal(&self) -> &J {
        &self.journal
    }

    /// How it feels.
    #[must_use]
    pub fn health(&self) -> Health {
        self.shared.health()
    }

    /// The law that broke, where one did.
    #[must_use]
    pub fn failed(&self) -> Option<Failed> {
        self.shared.failed()
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Is there nothing more it could do? Then it failed, or was stopped.
    #[must_use]
    pub fn is_over(&self) -> bool {
        !self.shared.state().takes_commands()
    }

    /// Takes what is visible in the lanes, applies it, makes it safe and releases what came of it. With nothing in
    /// the lanes it lets the engine do what waits on its agenda.
    ///
    /// Waits only where a gating reader of the output has fallen a whole ring behind.
    pub fn turn(&mut self) -> Turn {
        if self.is_over() {
            return Turn::default();
        }
        if self.shared.has_new_lanes.load(Relaxed) {
            self.lanes.extend(self.shared.take_new_lanes());
        }
        let turn = catch_unwind(AssertUnwindSafe(|| self.take_visible())).unwrap_or_else(|panic| {
            self.stop_at_law(panic.as_ref());
            Turn::default()
        });
        if turn.is_idle() {
            // A lane whose sender is gone would end every wait at once.
            self.lanes.retain(|lane| !lane.is_over());
        } else if !self.is_over() {
            self.end_batch();
        }
        self.shared.turns.fetch_add(1, Relaxed);
        turn
    }

    /// Waits until a lane has something, at most so long.
    pub fn wait(&self, at_most: Duration) {
        if self.shared.has_new_lanes.load(Relaxed) || self.is_over() {
            return;
        }
        wait_any(self.lanes.iter().map(LaneEnd::reader), Some(at_most));
    }

    /// Applies everything the lanes hold and ends: lanes refuse from now on. The engine and the journal are given
    /// back, the journal to be closed.
    ///
    /// Where the disk is full, what was accepted and not applied stays so; health says how many commands that is.
    #[must_use]
    pub fn stop(mut self) -> (Engine, J) {
        // Closed first, or whoever sends without pause would keep it from ending.
        self.shared.close_lanes();
        // Who saw the lanes open may still be sending: two idle turns in a row, a moment apart.
        let mut idle_turns = 0;
        while idle_turns < 2 && !self.is_over() {
            if self.turn().is_idle() {
                idle_turns += 1;
                std::thread::sleep(Duration::from_millis(1));
            } else {
                idle_turns = 0;
            }
        }
        if !self.is_over() {
            let left = self.lanes.iter().map(LaneEnd::waiting).sum::<usize>();
            if left == 0 {
                self.shared.set_state(State::Stopped);
            } else {
                let why =
                    format!("{left} accepted commands were not applied; `last_request` of their sessions says which");
                self.shared.fail(State::Stopped, why);
            }
        }
        (self.engine, self.journal)
    }

    /// Applies what was visible when it began, oldest arrival first.
    fn take_visible(&mut self) -> Turn {
        let most = self.options.commands_a_lane;
        self.lanes.iter_mut().for_each(|lane| lane.look(most));
        let mut turn = Turn::default();
        if self.owes_epoch {
            if !self.take_own(Action::Epoch) {
                return turn;
            }
            self.owes_epoch = false;
            turn.commands += 1;
        }
        while let Some(at) = oldest(&self.lanes) {
            // A bulk is published at once and never split: its lane goes on until it ends.
            while let Some(&command) = self.lanes[at].head() {
                if !self.take(command) {
                    return turn;
                }
                turn.commands += 1;
                self.lanes[at].advance();
                if !self.is_in_bulk {
                    break;
                }
                self.lanes[at].look(1);
            }
        }
        while turn.commands < most && self.has_own_work() {
            if !self.take_own(Action::Clock) {
                break;
            }
            turn.commands += 1;
        }
        turn
    }

    /// Does the engine's agenda hold something, or is something due by the clock?
    fn has_own_work(&self) -> bool {
        let due = self.engine.due_ts();
        !self.engine.agenda_is_empty() || (due != u64::MAX && self.options.clock.now_ns() >= due)
    }

    /// A command of the pump's own.
    fn take_own(&mut self, action: Action) -> bool {
        self.take(Command::new(AccountId::NONE, action).stamped(0, self.options.clock.now_ns()))
    }

    /// Numbers a command, journals and applies it; false where the journal has no room.
    #[inline]
    fn take(&mut self, command: Command) -> bool {
        let begins_bulk = command.flags() & FLAG_MORE != 0 && !self.is_in_bulk;
        match self.journal.reserve(if begins_bulk { self.shared.bulk_max } else { 1 }) {
            Ok(()) => {}
            Err(Error::BatchFull { .. }) => {
                self.end_batch();
                return !self.is_over() && self.take(command);
            }
            Err(full @ Error::Full { .. }) => {
                self.shared.fail(State::DiskFull, full.to_string());
                return false;
            }
            Err(error) => {
                self.shared.fail(State::JournalFailed, error.to_string());
                return false;
            }
        }
        let (seq, ts) = (self.engine.seq() + 1, command.ts().max(self.engine.ts()));
        let command = command.stamped(seq, ts);
        if let Err(error) = self.journal.append(&command) {
            self.shared.fail(State::JournalFailed, error.to_string());
            return false;
        }
        self.is_in_bulk = command.flags() & FLAG_MORE != 0;
        (self.applying, self.out_before) = (seq, self.out.next_sequence());
        let Pump { engine, journal, out, options, shared, .. } = self;
        engine.apply(&command, &mut Staging { journal, out, durability: options.durability, shared });
        let session = command.session();
        if session != 0 {
            self.sessions.push(session);
        }
        true
    }

    /// Makes the batch safe and lets readers see what came of it.
    fn end_batch(&mut self) {
        let chain = self.engine.chain();
        if self.options.durability == Durability::Received {
            self.release();
        }
        if let Err(error) = self.journal.commit(Some(chain)) {
            self.shared.fail(State::JournalFailed, error.to_string());
            return;
        }
        self.shared.durable_seq.store(self.journal.durable_seq(), Relaxed);
        self.release();
        if self.shared.state() != State::Running {
            self.shared.runs_again();
        }
    }

    fn release(&mut self) {
        let events = self.out.staged() as u64;
        self.out.publish();
        self.shared.events.fetch_add(events, Relaxed);
        self.shared.applied_seq.store(self.engine.seq(), Relaxed);
        self.shared.released_seq.store(self.engine.seq(), Relaxed);
        for session in self.sessions.drain(..) {
            self.shared.released_request(session, self.engine.last_request(session).unwrap_or(0));
        }
    }

    /// A law broke: what came before the command is made safe and released, the command itself is kept in the
    /// journal without a chain, and nothing more is applied.
    fn stop_at_law(&mut self, panic: &(dyn std::any::Any + Send)) {
        let rule = panic.downcast_ref::<String>().cloned();
        let rule = rule.or_else(|| panic.downcast_ref::<&str>().map(|&rule| rule.to_owned()));
        let rule = rule.unwrap_or_else(|| "an assertion failed".to_owned());
        if self.journal.commit(None).is_ok() {
            self.shared.durable_seq.store(self.journal.durable_seq(), Relaxed);
            self.out.publish_to(self.out_before);
            self.shared.released_seq.store(self.applying - 1, Relaxed);
        }
        self.shared.fail_by_law(Failed { seq: self.applying, rule });
    }
}

/// The lane whose next command arrived first; of two that arrived together, the older lane.
#[inline]
fn oldest(lanes: &[LaneEnd]) -> Option<usize> {
    if let [only] = lanes {
        return only.head().map(|_| 0);
    }
    let heads = lanes.iter().enumerate().filter_map(|(at, lane)| Some((lane.head()?.ts(), at)));
    heads.min().map(|(_, at)| at)
}

/// Events on their way into the output ring, written and not yet released.
struct Staging<'a, J> {
    journal: &'a mut J,
    out: &'a mut Producer<Event>,
    durability: Durability,
    shared: &'a Shared,
}

impl<J: Journal> Outbox for Staging<'_, J> {
    #[inline(always)]
    fn push(&mut self, event: &Event) {
        if let Err(Full(event)) = self.out.stage(*event) {
            self.push_when_there_is_room(event);
        }
    }

    #[inline(always)]
    fn end(&mut self) {
        // What was pushed last is never released before the end of its command.
        let (word, bit) = Event::LAST;
        self.out.change_last(word, |value| value | bit);
    }
}

impl<J: Journal> Staging<'_, J> {
    /// The ring is full of events that are not released: their batch is made safe here, in the middle of a command,
    /// so that readers may go on.
    #[cold]
    fn push_when_there_is_room(&mut self, event: Event) {
        self.shared.out_waits.fetch_add(1, Relaxed);
        if self.durability != Durability::Received
            && let Err(error) = self.journal.commit(None)
        {
            // Nobody may hear of it; the turn ends with this state.
            self.shared.fail(State::JournalFailed, error.to_string());
        }
        if !self.shared.state().takes_commands() {
            return;
        }
        self.shared.events.fetch_add(self.out.staged() as u64, Relaxed);
        self.out.publish();
        self.out.wait_for_room(1);
        self.out.stage(event).expect("there is room now");
    }
}
