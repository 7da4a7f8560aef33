//! How long a journal is, without reading it.

use super::error::Error;
use super::replay::REPLAY_NS_PER_COMMAND;
use super::segment;
use crate::disk::Disk;

/// How long a journal is, as far as its first pages tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outline {
    /// The number drawn when the journal was made.
    pub journal: u64,
    /// Checksum of its genesis.
    pub genesis: u32,
    /// Segments that are there.
    pub segments: usize,
    /// Bytes in use, about.
    pub bytes: u64,
    /// The last command that a mark vouches for; a few more may follow.
    pub last_seq: u64,
}

impl Outline {
    /// Looks at the first page of each segment.
    ///
    /// # Errors
    /// [`Error::Absent`] where there is none; damage of those pages.
    pub fn of(disk: &impl Disk) -> Result<Outline, Error> {
        let numbers = segment::list(disk)?;
        let mut outline = Outline { journal: 0, genesis: 0, segments: numbers.len(), bytes: 0, last_seq: 0 };
        let mut ours = None;
        for number in numbers {
            let segment = segment::open(disk, number, ours.as_ref())?;
            ours = Some(segment.header);
            (outline.journal, outline.genesis) = (segment.header.journal, segment.header.genesis);
            if let Some(mark) = segment.mark {
                outline.bytes += mark.end;
                outline.last_seq = mark.last_seq;
            }
        }
        if ours.is_some() { Ok(outline) } else { Err(Error::Absent) }
    }

    /// How long a recovery of all of it takes, about, ns.
    #[must_use]
    pub fn replay_ns(&self) -> u64 {
        self.last_seq.saturating_mul(REPLAY_NS_PER_COMMAND)
    }
}
