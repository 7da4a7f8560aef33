//! Lanes: how commands come in. Each submitting thread has one of its own.
//!
//! In    a command, in the order its thread sends them.
//! Out   `Ok`: it will be journalled, applied and answered by an event. Or the command back, with the reason.
//! Laws  Nothing here waits: a full lane, a busy engine or a stalled neighbour is an answer, not a delay.
//!       What makes room in the market (cancels, cancel-alls, marks, the operator's words) has the last quarter of
//!       each lane to itself.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Release, SeqCst};

use contract::command::FLAG_MORE;
use contract::{Action, Command, CommandKind, ExecInst};
use ring::{Producer, Reader, Waiting};

use crate::clock::Clock;
use crate::health::{LaneCounters, Shared, State, count};

/// A command that was not taken, handed back. It did not reach the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The lane is three quarters full, and this is a new order or an amend. Send it again when the engine has
    /// caught up; cancels are still taken.
    Overloaded(Command),
    /// The lane is full. Send it again in a moment.
    Full(Command),
    /// The engine takes nothing any more: it was stopped, or it failed. [`Lane::state`] says which.
    Stopped(Command),
}

impl Refused {
    /// The command, to be sent again or given up.
    #[must_use]
    pub const fn command(&self) -> &Command {
        let (Refused::Overloaded(command) | Refused::Full(command) | Refused::Stopped(command)) = self;
        command
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refused::Overloaded(_) => "overloaded: new orders and amends wait, cancels are taken; send it again later",
            Refused::Full(_) => "the lane is full; send it again in a moment",
            Refused::Stopped(_) => "the engine has stopped; ask the venue's health for the reason",
        })
    }
}

impl std::error::Error for Refused {}

/// Why a bulk was not taken. Nothing of it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BulkRefused {
    /// It is empty, or has more commands than the contract's `bulk_max`, or than a lane holds.
    Size {
        /// The most a bulk may have.
        most: usize,
    },
    /// As [`Refused::Overloaded`].
    Overloaded,
    /// As [`Refused::Full`].
    Full,
    /// As [`Refused::Stopped`].
    Stopped,
}

impl fmt::Display for BulkRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BulkRefused::Size { most } => write!(f, "a bulk has 1 to {most} commands"),
            BulkRefused::Overloaded => f.write_str("overloaded: send the bulk again later"),
            BulkRefused::Full => f.write_str("the lane has no room for the bulk; send it again in a moment"),
            BulkRefused::Stopped => f.write_str("the engine has stopped; ask the venue's health for the reason"),
        }
    }
}

impl std::error::Error for BulkRefused {}

/// What a lane is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LaneConfig {
    /// Commands it has room for: a power of two, 4 or more.
    pub capacity: usize,
    /// How whoever reads it waits.
    pub waiting: Waiting,
}

impl Default for LaneConfig {
    fn default() -> Self {
        LaneConfig { capacity: 4_096, waiting: Waiting::default() }
    }
}

/// The sending end of a lane: one thread's way to the engine. Not `Clone`; make one for each thread.
#[derive(Debug)]
pub struct Lane {
    producer: Producer<Command>,
    /// Room that new orders and amends leave to the others.
    kept: usize,
    clock: Arc<dyn Clock>,
    counters: Arc<LaneCounters>,
    shared: Arc<Shared>,
}

/// The engine's end.
#[derive(Debug)]
pub(crate) struct LaneEnd {
    reader: Reader<Command>,
    counters: Arc<LaneCounters>,
    /// Taken out of the ring and not yet applied, from `next` on.
    inbox: Vec<Command>,
    next: usize,
}

impl LaneEnd {
    /// Takes what is visible now, at most so much, where nothing is left from before.
    #[inline]
    pub(crate) fn look(&mut self, most: usize) {
        if self.next == self.inbox.len() {
            self.next = 0;
            self.inbox.clear();
            self.inbox.extend(self.reader.batch().take(most));
        }
    }

    /// The next command.
    #[inline]
    pub(crate) fn head(&self) -> Option<&Command> {
        self.inbox.get(self.next)
    }

    /// The command so many behind the next one, where it is known already.
    #[inline]
    pub(crate) fn later(&self, by: usize) -> Option<&Command> {
        self.inbox.get(self.next + by)
    }

    /// How many commands, from the next one on, go together: one, or all of a bulk.
    #[inline]
    pub(crate) fn together(&mut self) -> usize {
        let mut count = 1;
        while self.inbox[self.next + count - 1].flags() & FLAG_MORE != 0 {
            if self.next + count == self.inbox.len() {
                self.inbox.extend(self.reader.batch().take(1));
                assert!(self.next + count < self.inbox.len(), "a bulk is published at once");
            }
            count += 1;
        }
        count
    }

    /// The next commands, so many of them.
    pub(crate) fn heads(&mut self, count: usize) -> &mut [Command] {
        &mut self.inbox[self.next..self.next + count]
    }

    /// Goes on behind the next commands.
    #[inline]
    pub(crate) fn advance(&mut self, by: usize) {
        self.next += by;
    }

    /// Commands accepted and not applied.
    pub(crate) fn waiting(&self) -> usize {
        self.inbox.len() - self.next + self.reader.lag()
    }

    /// Is its thread in the middle of a send that began before lanes were closed?
    pub(crate) fn is_sending(&self) -> bool {
        self.counters.is_sending.load(SeqCst)
    }

    /// Its sender is gone, and everything it sent is applied.
    pub(crate) fn is_over(&self) -> bool {
        self.next == self.inbox.len() && self.reader.is_closed()
    }

    pub(crate) const fn reader(&self) -> &Reader<Command> {
        &self.reader
    }
}

/// Makes a lane.
pub(crate) fn lane(
    name: &str,
    config: LaneConfig,
    clock: Arc<dyn Clock>,
    shared: &Arc<Shared>,
) -> Result<(Lane, LaneEnd), ring::RingError> {
    let LaneConfig { capacity, waiting } = config;
    let (producer, reader) = ring::lane(ring::Config { capacity, seats: 1, waiting })?;
    let counters = Arc::new(LaneCounters::new(name, capacity));
    shared.join(&counters);
    let end = LaneEnd { reader, counters: Arc::clone(&counters), inbox: Vec::new(), next: 0 };
    let lane = Lane { producer, kept: capacity / 4, clock, counters, shared: Arc::clone(shared) };
    Ok((lane, end))
}

impl Lane {
    /// Sends a command. `Ok` is a promise: it will be journalled, applied, and answered by at least one event,
    /// unless the machine or the engine stops first; then `last_request` of its session says what was applied.
    ///
    /// Wait-free: a few stores and, where the engine sleeps, one wake-up.
    ///
    /// # Errors
    /// The command back: [`Refused`].
    #[expect(clippy::result_large_err, reason = "what is refused is handed back whole, without an allocation")]
    pub fn try_send(&mut self, command: Command) -> Result<(), Refused> {
        let sent = if self.begin() { self.send(command) } else { Err(Refused::Stopped(command)) };
        self.end();
        sent
    }

    #[inline]
    #[expect(clippy::result_large_err, reason = "as `try_send`")]
    fn send(&mut self, command: Command) -> Result<(), Refused> {
        if !self.producer.has_room(self.kept + 1) && is_shed_first(&command) {
            count(&self.counters.overloaded, 1);
            return Err(Refused::Overloaded(command));
        }
        // The stamp of its arrival; the pump numbers it and never lets time fall.
        let stamped = command.alone().stamped(0, self.clock.now_ns());
        if self.producer.try_push(stamped).is_err() {
            count(&self.counters.full, 1);
            return Err(Refused::Full(command));
        }
        count(&self.counters.sent, 1);
        Ok(())
    }

    /// Sends a bulk: all of it or nothing, never split, with nobody else's commands between, in one batch of the
    /// journal: after a crash all of it is there or nothing.
    ///
    /// The engine does not act on bulks yet: it answers each command of one with `InvalidCommand`. A bulk of one
    /// command is that command alone.
    ///
    /// # Errors
    /// [`BulkRefused`]; nothing was sent.
    pub fn try_send_bulk(&mut self, commands: &[Command]) -> Result<(), BulkRefused> {
        let sent = if self.begin() { self.send_bulk(commands) } else { Err(BulkRefused::Stopped) };
        self.end();
        sent
    }

    fn send_bulk(&mut self, commands: &[Command]) -> Result<(), BulkRefused> {
        let (most, waits) = (self.shared.bulk_max, commands.iter().any(is_shed_first));
        if commands.is_empty() || commands.len() > most {
            return Err(BulkRefused::Size { most });
        }
        if waits && !self.producer.has_room(self.kept + commands.len()) {
            count(&self.counters.overloaded, 1);
            return Err(BulkRefused::Overloaded);
        }
        if !self.producer.has_room(commands.len()) {
            count(&self.counters.full, 1);
            return Err(BulkRefused::Full);
        }
        let now = self.clock.now_ns();
        for (left, command) in (0..commands.len()).rev().zip(commands) {
            let part = if commands.len() == 1 { command.alone() } else { command.in_bulk(left != 0) };
            let stamped = part.stamped(0, now);
            self.producer.stage(stamped).expect("there is room for all of it");
        }
        self.producer.publish();
        count(&self.counters.sent, commands.len() as u64);
        Ok(())
    }

    /// Is there a pump that takes commands? A lane whose pump is gone would never be full.
    ///
    /// A send that finds it open is seen by a stop: we say that we send and then look whether lanes are closed, it
    /// closes them and then looks who sends. In the one order of the four, one of the two sees the other, so what is
    /// answered `Ok` is applied.
    #[inline]
    fn begin(&self) -> bool {
        self.counters.is_sending.swap(true, SeqCst);
        self.shared.takes_commands() && self.producer.has_readers()
    }

    /// The send is over; who sees that sees what was sent.
    #[inline]
    fn end(&self) {
        self.counters.is_sending.store(false, Release);
    }

    /// What the engine is doing.
    #[must_use]
    pub fn state(&self) -> State {
        self.shared.state()
    }

    /// How many commands wait in this lane.
    pub fn waiting(&mut self) -> usize {
        self.producer.used()
    }

    /// The name it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.counters.name
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.shared.leave(&self.counters);
    }
}

/// New orders and amends are shed first: whoever wants out must always get through, and so must an order that does
/// nothing but close a position.
fn is_shed_first(command: &Command) -> bool {
    match command.kind() {
        Some(CommandKind::New) => {
            !matches!(command.action(), Some(Action::New(order)) if order.exec_inst.has(ExecInst::CLOSE))
        }
        Some(CommandKind::Amend) => true,
        _ => false,
    }
}
