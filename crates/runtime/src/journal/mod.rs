//! The journal: every command, in the one order they have, safe before what came of it is told. (Law 7)
//!
//! The order of work is *stamp, append, apply, commit, release*: a command is stamped and appended to the
//! batch, the engine applies it, and once the lanes are drained the batch is committed: written and synced at
//! once, with the engine's chain in its trailer. Only then may anybody hear of it.
//!
//! ```text
//!   00000001.journal                      00000002.journal
//!   | page: header, marks | batch | batch |  | page | batch | batch | zeros ...
//!                         | frame ... frame, trailer (chain) |
//! ```
//!
//! After a crash a [`Scan`] looks at all of it, [`replay`] takes it through the engine, and a [`Writer`] opened
//! on the scan goes on. A batch that a crash tore is dropped: it was never safe, so nobody was told of it.
//! Anything else that is not as it was written is damage; it is named with its place and nothing is cut off.
//!
//! `docs/journal-format.md` has the bytes, and what can be told from them after a crash.

mod error;
pub mod format;
mod in_memory;
mod outline;
mod prune;
mod quarantine;
mod reader;
mod replay;
mod scan;
mod segment;
mod walk;
mod writer;

pub use error::{Error, Flaw, Place};
pub use in_memory::InMemory;
pub use outline::Outline;
pub use prune::prune;
pub use quarantine::Quarantined;
pub use reader::{Entry, Reader, What};
pub use replay::{REPLAY_NS_PER_COMMAND, Replayed, replay, replay_to};
pub use scan::{Scan, Torn};
pub use writer::{Options, Writer};

use contract::Command;

/// When may a fact be released? (Law 7)
///
/// The journal is the same at every level; the level says what whoever releases facts waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
#[non_exhaustive]
pub enum Durability {
    /// Once its command has been appended: it is in memory. A crash may lose what was told; batches are still
    /// committed, when they are full or nothing else is to be done.
    Received,
    /// Once its command is written and synced.
    #[default]
    Journaled,
}

/// A batch as it was written: the same bytes at the same place make the same journal elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Batch<'a> {
    /// The segment it went to.
    pub segment: u32,
    /// The place in the segment.
    pub offset: u64,
    /// Its frames. None where nothing had been appended.
    pub bytes: &'a [u8],
    /// The last command that is safe now.
    pub last_seq: u64,
}

/// Where commands are written down: a [`Writer`], or anything else that keeps them.
pub trait Journal {
    /// Is there room for so many more commands in this batch? Ask before a command is accepted: what is refused
    /// here was never accepted, and what was accepted always has room.
    ///
    /// # Errors
    /// [`Error::Full`] where the disk is; [`Error::BatchFull`] where the batch must be committed first;
    /// [`Error::Failed`].
    fn reserve(&mut self, commands: usize) -> Result<(), Error>;

    /// Adds a stamped command to the batch. It is in memory then, no more.
    ///
    /// # Errors
    /// As [`Journal::reserve`]; [`Error::Order`] where it does not follow. Nothing was added.
    fn append(&mut self, command: &Command) -> Result<(), Error>;

    /// Writes the batch and makes it safe. `chain` is the engine's after the last command; none where the engine
    /// has not applied it, because it stopped.
    ///
    /// # Errors
    /// [`Error::OpenBulk`]: append the rest first. [`Error::Failed`]: nobody knows whether the batch is safe, so
    /// nobody may be told of it; the journal takes nothing more.
    fn commit(&mut self, chain: Option<u64>) -> Result<Batch<'_>, Error>;

    /// Does ahead what will soon have to be done, as nothing else is to be done. What it does is up to the journal.
    ///
    /// # Errors
    /// [`Error::Full`], which is nobody's harm yet; else as [`Journal::commit`].
    fn prepare(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// The last command in memory.
    fn appended_seq(&self) -> u64;

    /// The last command that is safe.
    fn durable_seq(&self) -> u64;

    /// The last command whose facts may be told at this level.
    fn releasable_seq(&self, durability: Durability) -> u64 {
        match durability {
            Durability::Received => self.appended_seq(),
            Durability::Journaled => self.durable_seq(),
        }
    }
}
