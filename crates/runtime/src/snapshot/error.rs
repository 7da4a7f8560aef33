//! What is wrong with a snapshot, and what that means for a recovery.

use std::fmt;
use std::io;

use engine::RestoreError;

use super::format::snapshot_name;
use crate::journal;

/// Why a snapshot cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum Flaw {
    /// It cannot be read.
    Io(io::Error),
    /// The first bytes are no header of this format.
    Header,
    /// It was written behind another command than its name says.
    WrongName {
        /// That command.
        found: u64,
    },
    /// It is shorter or longer than its header says.
    Length {
        /// Bytes it has.
        found: u64,
        /// Bytes it should have.
        expected: u64,
    },
    /// Its bytes are not those that were written.
    Checksum,
    /// It belongs to another journal.
    WrongJournal {
        /// That journal's number.
        found: u64,
    },
    /// It was made with another genesis.
    WrongGenesis,
    /// No engine can be made of it.
    State(RestoreError),
    /// It was made before a command in it was quarantined.
    Quarantined {
        /// The command.
        seq: u64,
    },
    /// The journal begins behind it.
    TooEarly {
        /// The first command that is there.
        first: u64,
    },
}

impl Flaw {
    /// Is it damage? Else it is a good snapshot of something else.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        !matches!(
            self,
            Flaw::WrongJournal { .. } | Flaw::WrongGenesis | Flaw::Quarantined { .. } | Flaw::TooEarly { .. }
        )
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flaw::Io(error) => write!(f, "it cannot be read: {error}"),
            Flaw::Header => f.write_str("its header is damaged, or of a format this build does not know"),
            Flaw::WrongName { found } => write!(f, "it holds the snapshot of command {found}"),
            Flaw::Length { found, expected } => write!(f, "it has {found} bytes, its header says {expected}"),
            Flaw::Checksum => f.write_str("its bytes are not those that were written"),
            Flaw::WrongJournal { found } => write!(f, "it belongs to journal {found:016x}"),
            Flaw::WrongGenesis => f.write_str("it was made with another genesis"),
            Flaw::State(error) => write!(f, "no engine can be made of it: {error}"),
            Flaw::Quarantined { seq } => write!(f, "it was made before command {seq} was quarantined"),
            Flaw::TooEarly { first } => write!(f, "the journal begins with command {first}, behind it"),
        }
    }
}

/// A snapshot that was passed over.
#[derive(Debug)]
pub struct Skipped {
    /// Its command.
    pub seq: u64,
    /// Why.
    pub flaw: Flaw,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is passed over: {}", snapshot_name(self.seq), self.flaw)
    }
}

/// Why a snapshot cannot be written, or nothing recovered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The journal's own.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// The disk did not do its work.
    #[error(
        "{file}: {doing} failed: {source}; the journal and older snapshots are as they were. Check the disk and try again"
    )]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file; a dot is the directory.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// There is no space for it.
    #[error("the disk is full: {needed} bytes are needed for the snapshot, {free} are free; make room and try again")]
    Full {
        /// Bytes of the snapshot.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// The venue keeps nothing.
    #[error("this venue keeps nothing: it was opened without a directory")]
    NoDirectory,
    /// There is no engine to take it of.
    #[error("the engine takes nothing any more; health says why. `centum snapshot DIR` makes one from the journal")]
    Stopped,
    /// It holds commands that are not safe yet, which a crash may take back.
    #[error(
        "a snapshot of command {seq} cannot be saved while the journal is safe up to command {durable} only; commit first"
    )]
    NotDurable {
        /// Its command.
        seq: u64,
        /// The last safe one.
        durable: u64,
    },
    /// The journal ends before a snapshot: commands that were safe are gone.
    #[error(
        "the journal is damaged: it ends with command {last_seq}, but {} was made behind command {seq}. Nothing was \
         changed. Put the last segments back from a backup or a replica; without them, removing that snapshot gives up \
         the commands between", snapshot_name(*.seq)
    )]
    Ahead {
        /// The snapshot's command.
        seq: u64,
        /// The journal's last one.
        last_seq: u64,
    },
    /// The journal begins late, and nothing leads into it.
    #[error(
        "the journal begins with command {first}, and no snapshot leads into it{}. Put back a snapshot of command \
         {first} or later, or the segments before it", listed(.skipped)
    )]
    NoWayIn {
        /// The first command that is there.
        first: u64,
        /// The snapshots that were tried.
        skipped: Vec<Skipped>,
    },
}

fn listed(skipped: &[Skipped]) -> String {
    skipped.iter().map(|one| format!("; {one}")).collect()
}

impl Error {
    /// A disk that failed at something.
    pub(super) fn io(doing: &'static str, file: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
        let file = file.into();
        move |source| Error::Io { doing, file, source }
    }
}
