//! What goes wrong with a journal, where, and what the operator does next.

use std::fmt;
use std::io;

use super::format::segment_name;

/// A place in the journal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The segment.
    pub segment: u32,
    /// The byte in its file.
    pub offset: u64,
    /// The command that stands here or should; 0 in the genesis.
    pub seq: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} byte {} (command {})", segment_name(self.segment), self.offset, self.seq)
    }
}

/// What is wrong at a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Flaw {
    /// The file is shorter or longer than its header says.
    Length {
        /// Bytes it has.
        found: u64,
        /// Bytes it should have.
        expected: u64,
    },
    /// The first bytes are no header of this format.
    Header,
    /// The file is another segment than its name says.
    WrongSegment {
        /// The segment it is.
        found: u32,
    },
    /// The segment belongs to another journal.
    WrongJournal {
        /// That journal's number.
        found: u64,
        /// Ours.
        expected: u64,
    },
    /// The header speaks of another genesis.
    WrongGenesis,
    /// Bytes of the first page that nothing uses are not zero.
    PageNotZero,
    /// Both marks are damaged, or one that was certainly written is gone.
    Marks,
    /// A frame's bytes are not what was written.
    Checksum,
    /// What was known to be safe is gone.
    Missing,
    /// A whole frame of another place.
    Misplaced {
        /// The batch it was written in.
        batch: u32,
        /// The command it holds; none in a trailer.
        seq: Option<u64>,
    },
    /// A trailer that does not end the batch before it.
    Trailer,
    /// A part of the genesis that does not follow, or a genesis that cannot be read.
    Genesis,
    /// Bytes behind the last batch of a segment that has a successor.
    Rest,
    /// The segment is not there, though a later one is.
    NoSegment,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flaw::Length { found, expected } => write!(f, "the file has {found} bytes, its header says {expected}"),
            Flaw::Header => f.write_str("the segment's header is damaged, or of a format this build does not know"),
            Flaw::WrongSegment { found } => write!(f, "the file holds segment {found}"),
            Flaw::WrongJournal { found, expected } => {
                write!(f, "the segment belongs to journal {found:016x}, not to {expected:016x}")
            }
            Flaw::WrongGenesis => f.write_str("the segment's header speaks of another genesis"),
            Flaw::PageNotZero => f.write_str("a byte of the first page that must be zero is not"),
            Flaw::Marks => f.write_str("the marks of the segment are damaged"),
            Flaw::Checksum => f.write_str("the bytes are not those that were written"),
            Flaw::Missing => f.write_str("nothing stands here, but what stood here was safe"),
            Flaw::Misplaced { batch, seq: Some(seq) } => {
                write!(f, "a frame of batch {batch} with command {seq} stands here, which belongs elsewhere")
            }
            Flaw::Misplaced { batch, seq: None } => {
                write!(f, "the trailer of batch {batch} stands here, which belongs elsewhere")
            }
            Flaw::Trailer => f.write_str("the trailer does not fit the batch before it"),
            Flaw::Genesis => f.write_str("the genesis is not whole"),
            Flaw::Rest => f.write_str("a byte behind the last batch is not zero"),
            Flaw::NoSegment => f.write_str("the segment is missing"),
        }
    }
}

/// Why the journal cannot do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The disk did not do its work.
    #[error("{file}: {doing} failed: {source}; check the disk and the permissions, then open the journal again")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file; a dot is the directory.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// What was safe is not what was written.
    #[error(
        "the journal is damaged at {place}: {flaw}; nothing was changed. Keep a copy of the directory, put the \
         segment back from a backup or a replica, and open it again"
    )]
    Corrupt {
        /// Where.
        place: Place,
        /// What is wrong there.
        flaw: Flaw,
    },
    /// There is no journal here.
    #[error("there is no journal here; check the directory, or write one with `centum journal write LOG DIR`")]
    Absent,
    /// There is a journal already.
    #[error("there is a journal here already; open it, or choose an empty directory")]
    Present,
    /// The journal was made with another genesis.
    #[error(
        "the journal was made with another contract or capacity than the one given; open it with its own (`centum \
         journal show DIR --to 0` prints it), or begin a new journal"
    )]
    OtherGenesis,
    /// Commands before this one are not in the directory any more.
    #[error(
        "the journal begins with command {first}, command {wanted} was asked for; give an older snapshot's segments back"
    )]
    TooEarly {
        /// The first command that is there.
        first: u64,
        /// The one asked for.
        wanted: u64,
    },
    /// There is no space for more commands. Nothing that was accepted is in danger.
    #[error(
        "the disk is full: {needed} bytes are needed for the next segment, {free} are free; make room, and commands are \
         taken again"
    )]
    Full {
        /// Bytes of a segment.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// The batch has as many commands as it may.
    #[error("the batch is full at {commands} commands; commit it first")]
    BatchFull {
        /// How many it has.
        commands: usize,
    },
    /// A write or a sync failed, so that nobody knows what is safe. It is not tried again.
    #[error(
        "the journal took nothing since {cause}; what was answered before is safe. Stop, check the disk, and open the \
         journal anew: it then says what is there"
    )]
    Failed {
        /// What failed, and how.
        cause: String,
    },
    /// The commands do not come in order.
    #[error(
        "command {seq} at {ts} ns cannot follow command {last_seq} at {last_ts} ns; numbers rise by one, time never falls"
    )]
    Order {
        /// The command.
        seq: u64,
        /// Its time.
        ts: u64,
        /// The one before.
        last_seq: u64,
        /// Its time.
        last_ts: u64,
    },
    /// The batch ends inside a bulk.
    #[error("the batch ends inside a bulk at command {seq}; append the rest of the bulk, then commit")]
    OpenBulk {
        /// The last command so far.
        seq: u64,
    },
    /// The options contradict each other.
    #[error("journal options: {0}")]
    Options(&'static str),
    /// A replay came to another result than the run that was recorded.
    #[error(
        "the replay differs from the recorded run: at {place} the chain was {recorded:016x} and is {replayed:016x}; the \
         difference lies between command {after} and command {until}. Replay with the build that wrote the journal, or \
         compare two journals with `centum diff A B`"
    )]
    Chain {
        /// The trailer.
        place: Place,
        /// What it says.
        recorded: u64,
        /// What the replay says.
        replayed: u64,
        /// The chains agreed at this command.
        after: u64,
        /// And do not at this one.
        until: u64,
    },
    /// A law of the engine broke in the replay.
    #[error(
        "a law of the engine broke at {place}: {rule}; keep the journal and report it. `centum journal quarantine DIR \
         --seq {} --reason TEXT` lets every replay refuse that command", place.seq
    )]
    Law {
        /// The command.
        place: Place,
        /// The law.
        rule: String,
    },
    /// This contract cannot be traded.
    #[error("the journal's genesis: {0}; replay it with the build that wrote it")]
    Spec(String),
    /// A quarantine that means nothing.
    #[error("command {seq} cannot be quarantined: {why}")]
    Quarantine {
        /// The command.
        seq: u64,
        /// Why.
        why: &'static str,
    },
}

impl Error {
    /// A bulk is never split between batches, so the largest must fit one.
    pub(crate) const BULK_FITS_NO_BATCH: Error =
        Error::Options("batch_commands must be at least the contract's bulk_max");

    /// A disk that failed at something.
    pub(crate) fn io(doing: &'static str, file: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
        let file = file.into();
        move |source| Error::Io { doing, file, source }
    }

    /// Damage at a place.
    pub(crate) fn corrupt(segment: u32, offset: u64, seq: u64, flaw: Flaw) -> Error {
        Error::Corrupt { place: Place { segment, offset, seq }, flaw }
    }
}
