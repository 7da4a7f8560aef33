//! How a running venue is asked for its state.
//!
//! Whoever asks waits; the engine's thread copies the state between two batches, which is all that the market stands
//! still for; writing it to the disk is the asker's own work.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use std::{io, mem};

use engine::Engine;

use crate::disk::FileDisk;
use crate::snapshot::{Error, Origin, Snapshot};

/// How long the lock on snapshots is waited for, which a follower holds while it writes one.
const LOCK_AWAITED: Duration = Duration::from_secs(10);

/// A state, and up to which command the journal was safe then.
type Seen = (Snapshot, u64);

/// Through which the engine's thread shows its state.
#[derive(Debug)]
pub(super) struct Window {
    is_asked: AtomicBool,
    askers: Mutex<Askers>,
    /// Of which run the engine is as long as no command has come since it was opened.
    origin: Option<Origin>,
    opened_at: u64,
    /// The journal's number; none where there is no journal.
    journal: Option<u64>,
}

#[derive(Debug)]
enum Askers {
    Wait(Vec<Sender<Seen>>),
    /// The engine's thread is gone.
    Closed,
}

impl Window {
    pub(super) fn new(origin: Option<Origin>, opened_at: u64, journal: Option<u64>) -> Window {
        let askers = Mutex::new(Askers::Wait(Vec::new()));
        Window { is_asked: AtomicBool::new(false), askers, origin, opened_at, journal }
    }

    /// Asks for the state as it is between two batches.
    pub(super) fn ask(&self) -> Result<Seen, Error> {
        let receiver = self.wait_in_line().ok_or(Error::Stopped)?;
        receiver.recv().map_err(|_| Error::Stopped)
    }

    fn wait_in_line(&self) -> Option<Receiver<Seen>> {
        let Askers::Wait(line) = &mut *self.askers() else { return None };
        let (sender, receiver) = channel();
        line.push(sender);
        self.is_asked.store(true, Release);
        Some(receiver)
    }

    /// Answers whoever asked. Between two turns all that was appended is safe, unless the journal has failed.
    #[inline]
    pub(super) fn show<'a>(&self, state: impl FnOnce() -> (&'a Engine, u64)) {
        if self.is_asked.load(Acquire) {
            self.answer(state());
        }
    }

    #[cold]
    fn answer(&self, (engine, durable): (&Engine, u64)) {
        self.is_asked.store(false, Release);
        let line = match &mut *self.askers() {
            Askers::Wait(line) => mem::take(line),
            Askers::Closed => return,
        };
        let snapshot = self.copy(engine);
        for sender in line {
            // Whoever has gone away meanwhile does not need it.
            let _ = sender.send((snapshot.clone(), durable));
        }
    }

    /// The state of the engine, with the run that it is of.
    pub(super) fn copy(&self, engine: &Engine) -> Snapshot {
        let new = Origin { journal: self.journal.unwrap_or(0), quarantines: 0 };
        let is_as_opened = engine.seq() == self.opened_at;
        Snapshot::take(engine, self.origin.filter(|_| is_as_opened).unwrap_or(new))
    }

    /// Closes the window when it is dropped: whoever waits is told that nothing comes.
    pub(super) fn closes_with_this(&self) -> Closes<'_> {
        Closes(self)
    }

    fn askers(&self) -> MutexGuard<'_, Askers> {
        self.askers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See [`Window::closes_with_this`].
pub(super) struct Closes<'a>(&'a Window);

impl Drop for Closes<'_> {
    fn drop(&mut self) {
        *self.0.askers() = Askers::Closed;
    }
}

/// A directory to write a snapshot in, once nobody else does.
pub(super) fn disk(directory: &Path) -> Result<FileDisk, Error> {
    let began = Instant::now();
    loop {
        match FileDisk::for_snapshots(directory) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy && began.elapsed() < LOCK_AWAITED => {
                thread::sleep(Duration::from_millis(20));
            }
            disk => {
                let file = directory.display().to_string();
                return disk.map_err(|source| Error::Io { doing: "taking the lock on snapshots", file, source });
            }
        }
    }
}
