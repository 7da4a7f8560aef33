//! The pump: one thread's work, turn by turn. Stamp, append, apply, commit, release.
//!
//! In    lanes, merged by the time their commands arrived.
//! Out   the output ring: every event, once its command is as safe as was asked for. (Law 7)
//! Laws  A turn takes what is visible when it begins, at most so many from each lane: a noisy lane delays the others
//!       by a bounded amount, a silent or stalled one not at all. The order in which commands are journalled is the
//!       market's.
//!       While the lanes are idle and work waits in the engine, or something is due by the clock, `Clock` commands are
//!       stamped until it is done. (Law 4) While nothing comes at all a `Clock` is stamped now and then, so that an idle
//!       market is audited, too. (Law 5) After a recovery an `Epoch` comes first: what was heard of an index before
//!       it is stale. (Rule MARK-3)
//!       A law that breaks ends the pump, not the process: what was safe stays readable. (Law 6)

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use contract::{AccountId, Action, Command, Event, Marking};
use engine::{Engine, Outbox};
use prefetch_index::prefetch_index;
use ring::{Full, Hub, Producer, RingError, wait_any};

use crate::clock::{Clock, SystemClock};
use crate::health::{Failed, Health, Shared, State, rule_of};
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
    /// After how long without a command a `Clock` is stamped, each of which audits as many accounts as the contract's
    /// budget says. Zero: never.
    pub audit_idle: Duration,
}

impl Default for PumpOptions {
    fn default() -> Self {
        PumpOptions {
            durability: Durability::default(),
            output: ring::Config { capacity: 1 << 14, ..ring::Config::default() },
            commands_a_lane: 1_024,
            clock: Arc::new(SystemClock),
            audit_idle: Duration::from_secs(1),
        }
    }
}

/// How long a stop waits for a thread that is in the middle of a send, which takes less than a microsecond.
const SENDERS_AWAITED: Duration = Duration::from_secs(1);
/// In how many turns without a pause lanes are looked at whose senders are gone.
const LANES_LOOKED_AT_EVERY: u64 = 256;

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
    /// Requests that were applied since the last release, with their sessions.
    requests: Vec<(u32, u64)>,
    /// Sequence in the output ring before the command that is being applied.
    out_before: u64,
    /// The command that is being applied.
    applying: u64,
    /// The disk was found full in this turn.
    is_held_up: bool,
    turns: u64,
    /// The engine was recovered and has not been told.
    owes_epoch: bool,
    /// When the pump first found nothing to do, ns: idle time of before it does not count.
    idle_since_ns: Option<u64>,
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
        let (lanes, requests) = (Vec::new(), Vec::new());
        let (out_before, applying, is_held_up, turns) = (0, 0, false, 0);
        let owes_epoch = engine.seq() != 0 && engine.spec().marking != Marking::External;
        Ok(Pump {
            engine,
            journal,
            out,
            options,
            lanes,
            shared,
            requests,
            out_before,
            applying,
            is_held_up,
            turns,
            owes_epoch,
            idle_since_ns: None,
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
        self.is_held_up = false;
        let turn = catch_unwind(AssertUnwindSafe(|| self.take_visible())).unwrap_or_else(|panic| {
            self.stop_at_law(panic.as_ref());
            Turn::default()
        });
        self.turns += 1;
        if turn.is_idle() || self.turns.is_multiple_of(LANES_LOOKED_AT_EVERY) {
            // A lane whose sender is gone would end every wait at once.
            self.lanes.retain(|lane| !lane.is_over());
        }
        if !turn.is_idle() && !self.is_over() {
            self.end_batch();
        } else if turn.is_idle() && !self.is_over() {
            self.prepare();
        }
        if self.engine.fault().is_some() {
            self.shared.tell_fault(&self.engine);
        }
        self.shared.turns.store(self.turns, Relaxed);
        turn
    }

    /// Waits until a lane has something, at most so long.
    pub fn wait(&self, at_most: Duration) {
        if self.shared.has_new_lanes.load(Relaxed) || self.is_over() {
            return;
        }
        if self.shared.state() == State::DiskFull {
            // The lanes are not empty, and that changes nothing.
            return std::thread::sleep(at_most);
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
        self.lanes.extend(self.shared.take_new_lanes());
        // Who saw the lanes open may still be sending: what they send is accepted. One who is suspended in the middle
        // of it for longer holds nobody up.
        let began = Instant::now();
        while self.lanes.iter().any(LaneEnd::is_sending) && began.elapsed() < SENDERS_AWAITED {
            self.turn();
            std::thread::yield_now();
        }
        while !self.is_over() && !self.turn().is_idle() {}
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
        for lane in 0..self.lanes.len() {
            (0..Engine::LOOK_AHEAD).for_each(|by| self.expect(lane, by));
        }
        let mut turn = Turn::default();
        if self.owes_epoch {
            if !self.take_own(Action::Epoch) {
                return turn;
            }
            self.owes_epoch = false;
            turn.commands += 1;
        }
        while let Some(at) = oldest(&self.lanes) {
            self.expect(at, Engine::LOOK_AHEAD);
            let count = self.lanes[at].together();
            if !self.take(at, count) {
                return turn;
            }
            self.lanes[at].advance(count);
            turn.commands += count;
        }
        while turn.commands < most && (self.has_own_work() || (turn.is_idle() && self.is_long_idle())) {
            if !self.take_own(Action::Clock) {
                break;
            }
            turn.commands += 1;
        }
        turn
    }

    /// Has nothing come for so long that the market is to be audited for want of commands?
    fn is_long_idle(&mut self) -> bool {
        if self.options.audit_idle.is_zero() || self.engine.seq() == 0 {
            return false;
        }
        let now = self.options.clock.now_ns();
        let since = (*self.idle_since_ns.get_or_insert(now)).max(self.engine.ts());
        u128::from(now.saturating_sub(since)) >= self.options.audit_idle.as_nanos()
    }

    /// Does the engine's agenda hold something, or is something due by the clock?
    fn has_own_work(&self) -> bool {
        let due = self.engine.due_ts();
        !self.engine.agenda_is_empty() || (due != u64::MAX && self.options.clock.now_ns() >= due)
    }

    /// A command of the pump's own; false where the journal does not take it.
    fn take_own(&mut self, action: Action) -> bool {
        let command = Command::new(AccountId::NONE, action).stamped(0, self.options.clock.now_ns());
        self.has_room(1) && self.take_one(command)
    }

    /// Takes the next commands of a lane that go together; false where the journal does not.
    #[inline]
    fn take(&mut self, lane: usize, count: usize) -> bool {
        if !self.has_room(count) {
            return false;
        }
        match self.lanes[lane].heads(count) {
            [command] => {
                let command = *command;
                self.take_one(command)
            }
            _ => self.take_bulk(lane, count),
        }
    }

    /// Has the journal room for so many more commands in one batch?
    #[inline]
    fn has_room(&mut self, commands: usize) -> bool {
        let (state, why) = match self.journal.reserve(commands) {
            Ok(()) => return true,
            Err(Error::BatchFull { commands: 1.. }) => {
                self.end_batch();
                return !self.is_over() && self.has_room(commands);
            }
            Err(Error::BatchFull { .. }) => {
                let why = format!("a bulk of {commands} commands fits no batch; raise the journal's batch_commands");
                (State::JournalFailed, why)
            }
            Err(full @ Error::Full { .. }) => {
                self.is_held_up = true;
                (State::DiskFull, full.to_string())
            }
            Err(error) => (State::JournalFailed, error.to_string()),
        };
        self.shared.fail(state, why);
        false
    }

    /// Numbers a command, journals and applies it; false where the journal does not take it.
    #[inline]
    fn take_one(&mut self, command: Command) -> bool {
        let command = command.stamped(self.engine.seq() + 1, command.ts().max(self.engine.ts()));
        if !self.append(&command) {
            return false;
        }
        self.apply(&command);
        true
    }

    /// The same with all of a bulk: the whole of it is in the batch before anything comes of it, so that wherever
    /// the batch must be made safe or the engine stops, the journal has no half of it.
    #[cold]
    fn take_bulk(&mut self, lane: usize, count: usize) -> bool {
        let (seq, ts) = (self.engine.seq(), self.engine.ts());
        for at in 0..count {
            let command = &mut self.lanes[lane].heads(count)[at];
            *command = command.stamped(seq + 1 + at as u64, command.ts().max(ts));
            let command = *command;
            if !self.append(&command) {
                return false;
            }
        }
        for at in 0..count {
            let command = self.lanes[lane].heads(count)[at];
            self.apply(&command);
        }
        true
    }

    #[inline]
    fn append(&mut self, command: &Command) -> bool {
        let appended = self.journal.append(command);
        if let Err(error) = &appended {
            self.shared.fail(State::JournalFailed, error.to_string());
        }
        appended.is_ok()
    }

    #[inline]
    fn apply(&mut self, command: &Command) {
        (self.applying, self.out_before) = (command.seq(), self.out.next_sequence());
        let Pump { engine, journal, out, options, shared, .. } = self;
        engine.apply(command, &mut Staging { journal, out, durability: options.durability, shared });
        if command.session() != 0 {
            self.requests.push((command.session(), command.request()));
        }
    }

    /// Tells the engine of the command so many behind a lane's next one.
    #[inline]
    fn expect(&mut self, lane: usize, by: usize) {
        let Pump { engine, journal, out, options, shared, lanes, .. } = self;
        if let Some(command) = lanes[lane].later(by) {
            engine.expect(command, &mut Staging { journal, out, durability: options.durability, shared });
        }
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
        if self.shared.state() != State::Running && !self.is_held_up {
            self.shared.runs_again();
        }
    }

    /// Nothing is to be done: what the journal will need is made now. A full disk is told when it is in the way.
    fn prepare(&mut self) {
        match self.journal.prepare() {
            Ok(()) | Err(Error::Full { .. }) => {}
            Err(error) => self.shared.fail(State::JournalFailed, error.to_string()),
        }
    }

    fn release(&mut self) {
        let events = self.out.staged() as u64;
        self.out.publish();
        self.shared.events.fetch_add(events, Relaxed);
        self.shared.applied_seq.store(self.engine.seq(), Relaxed);
        self.shared.released_seq.store(self.engine.seq(), Relaxed);
        self.release_requests();
    }

    fn release_requests(&mut self) {
        for (session, request) in self.requests.drain(..) {
            self.shared.released_request(session, request);
        }
    }

    /// A law broke: what came before the command is made safe and released, the command itself is kept in the
    /// journal without a chain, and nothing more is applied.
    fn stop_at_law(&mut self, panic: &(dyn std::any::Any + Send)) {
        let rule = rule_of(panic);
        if self.journal.commit(None).is_ok() {
            self.shared.durable_seq.store(self.journal.durable_seq(), Relaxed);
            let before = self.out.staged() as u64;
            self.out.publish_to(self.out_before);
            self.shared.events.fetch_add(before - self.out.staged() as u64, Relaxed);
            self.shared.applied_seq.store(self.applying - 1, Relaxed);
            self.shared.released_seq.store(self.applying - 1, Relaxed);
            self.release_requests();
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

    #[inline(always)]
    fn expect<T>(&mut self, entries: &[T], at: usize) {
        prefetch_index(entries, at);
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
