//! The whole log is looked at before any of it is used.
//!
//! In    a directory.
//! Out   what the journal holds, up to its last whole batch; what a crash tore; which commands are
//!       quarantined. Or the first damage, and where.
//! Laws  A batch is written only when the one before it is safe, so only the last one can be torn. Damage
//!       before a mark, or with a frame of a later batch or anything of a later segment behind it, was safe
//!       once: it is told, and nothing is cut off.

use std::fmt;

use contract::Genesis;

use super::error::{Error, Flaw, Place};
use super::format::{
    Frame, Header, MARK_BYTES, Mark, PAGE_BYTES, RECORD_FRAME_BYTES, decode_frame, genesis_crc, segment_name,
};
use super::quarantine::{Quarantined, Quarantines};
use super::reader::Reader;
use super::segment::{self, Segment};
use super::walk::{Cursor, GenesisParts, Step, Walk, Window};
use crate::disk::{Disk, DiskFile, read_full};

/// Something that a crash left half done. Nobody was told that it is safe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Torn {
    /// Where it begins.
    pub place: Place,
    /// Bytes up to the last one that is not zero.
    pub bytes: u64,
    /// Is it a mark, and not the last batch?
    pub is_mark: bool,
}

impl fmt::Display for Torn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Torn { place, bytes, is_mark } = self;
        if *is_mark {
            return write!(f, "a torn mark at {place}");
        }
        write!(f, "a torn tail of {bytes} bytes at {place}: a batch that never became safe")
    }
}

/// What a journal holds.
///
/// ```
/// use centum_runtime::disk::FileDisk;
/// use centum_runtime::journal::{Journal, Options, Scan, Writer};
/// use contract::{AccountId, Action, Capacity, Command, ContractSpec, Genesis};
///
/// let directory = std::env::temp_dir().join(format!("centum-doc-scan-{}", std::process::id()));
/// let genesis = Genesis { spec: ContractSpec::XBTUSD_2019, capacity: Capacity::default() };
/// let mut journal = Writer::create(FileDisk::create(&directory)?, Options::default(), &genesis)?;
/// journal.append(&Command::new(AccountId::NONE, Action::Clock).stamped(1, 0))?;
/// journal.commit(None)?;
/// drop(journal); // as a crash would
///
/// let scan = Scan::of(&FileDisk::read_only(&directory)?)?;
/// assert_eq!((scan.last_seq(), scan.genesis(), scan.torn()), (1, Some(&genesis), [].as_slice()));
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Scan {
    pub(crate) header: Header,
    genesis: Option<Genesis>,
    /// The segments read, the last of which takes the next batch.
    pub(crate) segments: Vec<u32>,
    /// Where reading begins.
    pub(crate) start: Cursor,
    /// Behind the last whole batch.
    pub(crate) end: Cursor,
    torn: Vec<Torn>,
    pub(crate) quarantines: Quarantines,
    batches: u64,
    frame_bytes: u64,
    is_closed: bool,
    /// It ends at damage, not where the journal does.
    pub(crate) is_damaged: bool,
}

impl Scan {
    /// Looks at all of a journal.
    ///
    /// # Errors
    /// The first damage; [`Error::Absent`] where there is no journal.
    pub fn of(disk: &impl Disk) -> Result<Scan, Error> {
        Scan::from(disk, 1, |_| {})
    }

    /// The same from the segment that has command `seq`: what stands before it is covered by a snapshot. Tells
    /// the last command it has passed, now and then.
    ///
    /// # Errors
    /// As [`Scan::of`]; [`Error::TooEarly`] where that command is not there any more.
    pub fn from(disk: &impl Disk, seq: u64, progress: impl FnMut(u64)) -> Result<Scan, Error> {
        let (scan, damage) = Scan::up_to_damage(disk, seq, progress)?;
        damage.map_or(Ok(scan), Err)
    }

    /// The same of a journal that is damaged in its middle: what stands before the damage, to be looked at, and the
    /// damage. Commands behind it were answered too, so no writer goes on from such a scan.
    ///
    /// # Errors
    /// As [`Scan::from`], where nothing stands before the damage or a whole segment is gone.
    pub fn up_to_damage(
        disk: &impl Disk,
        seq: u64,
        mut progress: impl FnMut(u64),
    ) -> Result<(Scan, Option<Error>), Error> {
        let numbers = segment::list(disk)?;
        let first = *numbers.first().ok_or(Error::Absent)?;
        if let Some(i) = (1..numbers.len()).find(|&i| numbers[i] != numbers[i - 1] + 1) {
            return Err(Error::corrupt(numbers[i - 1] + 1, 0, 0, Flaw::NoSegment));
        }
        let header = segment::open(disk, first, None)?.header;
        for number in &numbers[1..] {
            segment::open(disk, *number, Some(&header))?;
        }
        let last = numbers[numbers.len() - 1];
        if segment::open(disk, last, Some(&header))?.mark.is_some_and(|mark| mark.is_sealed) {
            return Err(Error::corrupt(last + 1, 0, 0, Flaw::NoSegment));
        }
        let active = last_used(disk, &numbers, &header)?;
        let numbers = &numbers[..=numbers.iter().position(|number| *number == active).unwrap_or(0)];
        let (skipped, start) = start(disk, numbers, &header, seq)?;
        let scan = Scan {
            header,
            genesis: None,
            segments: numbers[skipped..].to_vec(),
            start,
            end: start,
            torn: Vec::new(),
            quarantines: Quarantines::default(),
            batches: 0,
            frame_bytes: 0,
            is_closed: false,
            is_damaged: false,
        };
        scan.walk(disk, &mut progress)
    }

    /// Walks through all segments, from the start to the last whole batch, or to the first damage.
    fn walk(mut self, disk: &impl Disk, progress: &mut impl FnMut(u64)) -> Result<(Scan, Option<Error>), Error> {
        let mut damage = None;
        let mut parts = if self.start.link == Some(0) { GenesisParts::NONE } else { GenesisParts::PASSED };
        let mut window = Window::new(self.header.bytes);
        let mut cursor = self.start;
        for (i, number) in self.segments.clone().into_iter().enumerate() {
            if i != 0 {
                cursor = cursor.in_next_segment();
            }
            self.end = cursor;
            let segment = segment::open(disk, number, Some(&self.header))?;
            let is_active = i + 1 == self.segments.len();
            let mut walk = Walk::new(&segment, cursor, parts, window);
            let read = self.segment(&mut walk, &segment, is_active);
            (cursor, parts, window) = walk.into_parts();
            if let Err(error) = read {
                if self.batches == 0 || !matches!(error, Error::Corrupt { .. }) {
                    return Err(error);
                }
                self.segments.truncate(i + 1);
                (self.is_damaged, damage) = (true, Some(error));
                break;
            }
            if let Some(offset) = segment.torn_mark {
                if !is_active {
                    // Both marks of a segment are safe before the next one is used.
                    return Err(Error::corrupt(number, offset, self.end.last_seq, Flaw::Marks));
                }
                let place = Place { segment: number, offset, seq: self.end.last_seq };
                self.torn.push(Torn { place, bytes: MARK_BYTES as u64, is_mark: true });
            }
            self.is_closed = segment.mark.is_some_and(|mark| mark.is_closed && mark.end == self.end.offset);
            progress(self.end.last_seq);
        }
        if self.start.link == Some(0) {
            if self.batches == 0 {
                // Not even the genesis became safe: this journal was never made.
                return Err(Error::Absent);
            }
            let genesis = parts.genesis().filter(|genesis| genesis_crc(genesis) == self.header.genesis);
            let genesis = genesis.ok_or(Error::corrupt(self.segments[0], PAGE_BYTES, 0, Flaw::Genesis))?;
            self.genesis = Some(genesis);
        }
        Ok((self, damage))
    }

    /// Walks through one segment.
    fn segment<F: DiskFile>(
        &mut self,
        walk: &mut Walk<'_, F>,
        segment: &Segment<F>,
        is_active: bool,
    ) -> Result<(), Error> {
        let number = segment.header.segment;
        let safe_end = segment.mark.map_or(PAGE_BYTES, |mark| mark.end);
        let mut safe_quarantines = self.quarantines.all().len();
        let flaw = loop {
            let offset = walk.cursor.offset;
            match walk.step()? {
                Step::Frame(found) => match found.frame {
                    Frame::Command(_) => {}
                    Frame::Quarantine(record) => self.quarantines.take(&record),
                    Frame::Trailer(_) => {
                        if !agrees(segment.mark, offset, &walk.cursor) {
                            return Err(Error::corrupt(number, offset, walk.cursor.last_seq, Flaw::Marks));
                        }
                        self.frame_bytes += walk.cursor.offset - self.end.offset;
                        self.end = walk.cursor;
                        self.batches += 1;
                        safe_quarantines = self.quarantines.all().len();
                    }
                },
                Step::Nothing if offset < safe_end => break Flaw::Missing,
                Step::Nothing => match walk.first_byte_left()? {
                    None => return Ok(()),
                    Some(rest) if !is_active => {
                        return Err(Error::corrupt(number, rest, walk.cursor.last_seq + 1, Flaw::Rest));
                    }
                    Some(_) => break Flaw::Checksum,
                },
                Step::Wrong(flaw) => break flaw,
            }
        };
        let stopped = walk.cursor;
        let may_be_torn = flaw == Flaw::Checksum && is_active && stopped.offset >= safe_end;
        if !may_be_torn || walk.frame_of_another_batch()?.is_some() {
            return Err(Error::corrupt(number, stopped.offset, stopped.last_seq + 1, flaw));
        }
        // Frames of the batch that did arrive do not count: nobody was told of them.
        let last = walk.last_byte_left()?.unwrap_or(0).max(stopped.offset);
        let place = Place { segment: number, offset: self.end.offset, seq: self.end.last_seq + 1 };
        self.torn.push(Torn { place, bytes: last + 1 - self.end.offset, is_mark: false });
        self.quarantines.keep(safe_quarantines);
        walk.cursor = self.end;
        Ok(())
    }

    /// The number drawn when the journal was made.
    #[must_use]
    pub fn journal(&self) -> u64 {
        self.header.journal
    }

    /// The genesis; none where reading began behind it.
    #[must_use]
    pub fn genesis(&self) -> Option<&Genesis> {
        self.genesis.as_ref()
    }

    /// Was it made with this genesis?
    ///
    /// # Errors
    /// [`Error::OtherGenesis`].
    pub fn must_have(&self, genesis: &Genesis) -> Result<(), Error> {
        if self.header.genesis == genesis_crc(genesis) { Ok(()) } else { Err(Error::OtherGenesis) }
    }

    /// The first command read.
    #[must_use]
    pub fn first_seq(&self) -> u64 {
        self.start.last_seq + 1
    }

    /// The last command; 0 where there is none.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.end.last_seq
    }

    /// Its time, ns.
    #[must_use]
    pub fn last_ts(&self) -> u64 {
        self.end.last_ts
    }

    /// How many commands were read.
    #[must_use]
    pub fn commands(&self) -> u64 {
        self.end.last_seq - self.start.last_seq
    }

    /// How many batches, the genesis' included.
    #[must_use]
    pub fn batches(&self) -> u64 {
        self.batches
    }

    /// How many segments.
    #[must_use]
    pub fn segments(&self) -> usize {
        self.segments.len()
    }

    /// Bytes of all frames.
    #[must_use]
    pub fn frame_bytes(&self) -> u64 {
        self.frame_bytes
    }

    /// What a crash left half done; nothing after an orderly end.
    #[must_use]
    pub fn torn(&self) -> &[Torn] {
        &self.torn
    }

    /// Was the journal closed by its writer?
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// The commands that every replay refuses.
    #[must_use]
    pub fn quarantined(&self) -> &[Quarantined] {
        self.quarantines.all()
    }

    /// Reads what was scanned, command by command.
    pub fn read<'a, D: Disk>(&'a self, disk: &'a D) -> Reader<'a, D> {
        Reader::new(self, disk)
    }
}

/// Does a trailer at `offset`, with the cursor behind it, agree with the mark?
fn agrees(mark: Option<Mark>, offset: u64, behind: &Cursor) -> bool {
    let Some(mark) = mark.filter(|mark| offset < mark.end && mark.end <= behind.offset) else { return true };
    (mark.end, mark.last_seq, mark.batches, Some(mark.link))
        == (behind.offset, behind.last_seq, behind.batch, behind.link)
}

/// The last segment that has anything in it. Those behind it were made ahead.
fn last_used(disk: &impl Disk, numbers: &[u32], header: &Header) -> Result<u32, Error> {
    for number in numbers.iter().rev() {
        let segment = segment::open(disk, *number, Some(header))?;
        let mut walk = Walk::new(&segment, Cursor::FIRST, GenesisParts::NONE, Window::new(header.bytes));
        if segment.mark.is_some() || segment.torn_mark.is_some() || walk.first_byte_left()?.is_some() {
            return Ok(*number);
        }
    }
    match numbers.first() {
        Some(1) | None => Err(Error::Absent),
        Some(first) => Err(Error::corrupt(*first, PAGE_BYTES, 0, Flaw::Missing)),
    }
}

/// How many segments lie before the one that has command `seq`, and what is known at its beginning.
pub(super) fn start(disk: &impl Disk, numbers: &[u32], header: &Header, seq: u64) -> Result<(usize, Cursor), Error> {
    let mut first_there = 0;
    for (i, number) in numbers.iter().enumerate().rev() {
        if *number == 1 {
            return Ok((0, Cursor::FIRST));
        }
        let segment = segment::open(disk, *number, Some(header))?;
        let mut frame = [0; RECORD_FRAME_BYTES];
        let read = read_full(&segment.file, PAGE_BYTES, &mut frame)
            .map_err(Error::io("reading a segment", segment_name(*number)))?;
        let before = match decode_frame(&frame[..read], segment.seed).map(|found| found.frame) {
            Some(Frame::Command(command)) => command.seq().saturating_sub(1),
            Some(Frame::Quarantine(record)) => record.seq(),
            _ => continue,
        };
        first_there = before + 1;
        if before < seq {
            return Ok((i, Cursor { last_seq: before, link: None, ..Cursor::FIRST }));
        }
    }
    Err(Error::TooEarly { first: first_there, wanted: seq })
}
