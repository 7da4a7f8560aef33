//! The log, command by command, in as much memory as one window.

use contract::Command;

use super::error::{Error, Flaw, Place};
use super::format::Frame;
use super::quarantine::Quarantines;
use super::scan::Scan;
use super::segment::{self, Segment};
use super::walk::{Cursor, GenesisParts, Step, Walk, Window};
use crate::disk::Disk;

/// What is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub what: What,
}

/// One of the things that a journal holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// A command, as it came.
    Command(Command),
    /// An operator's word about a command. No command itself.
    Quarantine(Command),
    /// The end of a batch.
    Trailer {
        /// The engine's chain after the last command; none where nobody had applied it.
        chain: Option<u64>,
    },
}

/// Reads a scanned journal from its first command to the last whole batch; the genesis is left out.
///
/// Every frame is checked again: what was whole in the scan and is not any more is damage.
pub struct Reader<'a, D: Disk> {
    scan: &'a Scan,
    disk: &'a D,
    /// The segment that is read, its place in the scan's list, and how far.
    open: Option<(usize, Segment<D::File>)>,
    cursor: Cursor,
    genesis: GenesisParts,
    window: Option<Window>,
    is_over: bool,
}

impl<'a, D: Disk> Reader<'a, D> {
    pub(crate) fn new(scan: &'a Scan, disk: &'a D) -> Reader<'a, D> {
        let genesis = if scan.genesis().is_some() { GenesisParts::NONE } else { GenesisParts::PASSED };
        Reader {
            scan,
            disk,
            open: None,
            cursor: scan.start,
            genesis,
            window: Some(Window::new(scan.header.bytes)),
            is_over: false,
        }
    }

    /// The commands that every replay refuses.
    pub(crate) fn quarantines(&self) -> &Quarantines {
        &self.scan.quarantines
    }

    fn next_entry(&mut self) -> Result<Option<Entry>, Error> {
        loop {
            let (index, segment) = match self.open.take() {
                Some(open) => open,
                None => (0, segment::open(self.disk, self.scan.segments[0], Some(&self.scan.header))?),
            };
            let number = segment.header.segment;
            let is_last = index + 1 == self.scan.segments.len();
            if is_last && self.cursor.offset >= self.scan.end.offset {
                return Ok(None);
            }
            let offset = self.cursor.offset;
            let window = self.window.take().unwrap_or_else(|| Window::new(segment.header.bytes));
            let mut walk = Walk::resume(&segment, self.cursor, self.genesis, window);
            let step = walk.step()?;
            let (cursor, genesis, window) = walk.into_parts();
            (self.cursor, self.genesis, self.window) = (cursor, genesis, Some(window));
            let place = |seq| Place { segment: number, offset, seq };
            match step {
                Step::Frame(found) => {
                    self.open = Some((index, segment));
                    let (seq, what) = match found.frame {
                        // The genesis and its trailer.
                        Frame::Command(command) if command.seq() == 0 => continue,
                        Frame::Trailer(trailer) if trailer.last_seq == 0 => continue,
                        Frame::Command(command) => (command.seq(), What::Command(command)),
                        Frame::Quarantine(record) => (record.seq(), What::Quarantine(record)),
                        Frame::Trailer(trailer) => (trailer.last_seq, What::Trailer { chain: trailer.chain }),
                    };
                    return Ok(Some(Entry { place: place(seq), what }));
                }
                Step::Nothing if !is_last => {
                    let next = segment::open(self.disk, self.scan.segments[index + 1], Some(&self.scan.header))?;
                    self.cursor = self.cursor.in_next_segment();
                    self.window = self.window.take().map(Window::emptied);
                    self.open = Some((index + 1, next));
                }
                Step::Nothing => return Err(Error::corrupt(number, offset, self.cursor.last_seq + 1, Flaw::Missing)),
                Step::Wrong(flaw) => return Err(Error::corrupt(number, offset, self.cursor.last_seq + 1, flaw)),
            }
        }
    }
}

impl<D: Disk> Iterator for Reader<'_, D> {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let entry = self.next_entry().transpose();
        self.is_over = !matches!(entry, Some(Ok(_)));
        entry
    }
}
