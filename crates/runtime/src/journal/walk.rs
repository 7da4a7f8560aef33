//! One frame after another, each checked against the one before.
//!
//! In    a segment, and what is known of the log so far.
//! Out   commands, quarantines, trailers; or where it stops, and why.
//! Laws  Nothing passes that is not a whole frame, of this segment, of this batch, next in order.

use std::io::ErrorKind;

use contract::command::{Action, FLAG_MORE, GENESIS_PARTS, PART_WORDS};
use contract::spec::GENESIS_WORDS;
use contract::{Command, Genesis};

use super::error::{Error, Flaw};
use super::format::{
    BATCHES_MAX, FRAME_GRAIN, FRAME_HEADER_BYTES, Found, Frame, PAGE_BYTES, RECORD_FRAME_BYTES, TRAILER_FRAME_BYTES,
    Trailer, decode_frame, segment_name,
};
use super::segment::Segment;
use crate::disk::{DiskFile, read_full};

/// The longest frame.
const FRAME_BYTES_MAX: u64 = RECORD_FRAME_BYTES as u64;
const _: () = assert!(TRAILER_FRAME_BYTES <= RECORD_FRAME_BYTES, "a record is the longest frame");
/// Bytes read at a time: all the memory a replay of any length takes.
const READ_BYTES: usize = 1 << 18;

/// What is known of the log at some place: carried from batch to batch and from segment to segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cursor {
    /// The next frame's byte in the segment.
    pub(crate) offset: u64,
    /// Number of the batch in the segment.
    pub(crate) batch: u32,
    /// Frames of this batch so far.
    pub(crate) frames: u32,
    /// The last command.
    pub(crate) last_seq: u64,
    /// Its time.
    pub(crate) last_ts: u64,
    /// Is a bulk open behind it?
    pub(crate) is_in_bulk: bool,
    /// Checksum of the last trailer; none where reading began in the middle.
    pub(crate) link: Option<u32>,
}

impl Cursor {
    /// Before the first frame of a journal.
    pub(crate) const FIRST: Cursor =
        Cursor { offset: PAGE_BYTES, batch: 0, frames: 0, last_seq: 0, last_ts: 0, is_in_bulk: false, link: Some(0) };

    /// The same at the beginning of the next segment.
    pub(crate) fn in_next_segment(self) -> Cursor {
        Cursor { offset: PAGE_BYTES, batch: 0, frames: 0, ..self }
    }
}

/// What stands at a place.
// A step is taken apart where it is made; almost all of them are frames.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// A frame that follows.
    Frame(Found),
    /// Nothing: zeros where a batch may begin.
    Nothing,
    /// Something that does not follow. No write of ours leaves a whole frame in a wrong place, so only
    /// a checksum that is wrong may be what a crash left.
    Wrong(Flaw),
}

/// Walks through one segment.
pub(crate) struct Walk<'a, F> {
    segment: &'a Segment<F>,
    pub(crate) cursor: Cursor,
    genesis: GenesisParts,
    window: Window,
}

impl<'a, F: DiskFile> Walk<'a, F> {
    pub(crate) fn new(segment: &'a Segment<F>, cursor: Cursor, genesis: GenesisParts, window: Window) -> Self {
        Walk::resume(segment, cursor, genesis, window.emptied())
    }

    /// The same with a window that shows this very segment.
    pub(crate) fn resume(segment: &'a Segment<F>, cursor: Cursor, genesis: GenesisParts, window: Window) -> Self {
        Walk { segment, cursor, genesis, window }
    }

    /// What was gathered, for the walk through the next segment.
    pub(crate) fn into_parts(self) -> (Cursor, GenesisParts, Window) {
        (self.cursor, self.genesis, self.window)
    }

    /// The next frame. The cursor stands behind it where it follows, else stays.
    pub(crate) fn step(&mut self) -> Result<Step, Error> {
        let cursor = &mut self.cursor;
        let left = self.segment.header.bytes - cursor.offset;
        let bytes = self.window.at(self.segment, cursor.offset)?;
        let Some(found) = decode_frame(bytes, self.segment.seed) else {
            let is_nothing = left == 0 || bytes.iter().take(FRAME_HEADER_BYTES).all(|byte| *byte == 0);
            return Ok(if is_nothing && cursor.frames == 0 { Step::Nothing } else { Step::Wrong(Flaw::Checksum) });
        };
        if let Err(flaw) = follow(cursor, &mut self.genesis, &found) {
            return Ok(Step::Wrong(flaw));
        }
        cursor.offset += found.bytes as u64;
        Ok(Step::Frame(found))
    }

    /// The first byte that is not zero, from here to the end of the segment.
    pub(crate) fn first_byte_left(&mut self) -> Result<Option<u64>, Error> {
        let mut offset = self.cursor.offset;
        while offset < self.segment.header.bytes {
            let bytes = self.window.at(self.segment, offset)?;
            if let Some(at) = first_byte(bytes) {
                return Ok(Some(offset + at as u64));
            }
            offset += bytes.len() as u64;
        }
        Ok(None)
    }

    /// The last byte that is not zero, from here to the end of the segment.
    pub(crate) fn last_byte_left(&mut self) -> Result<Option<u64>, Error> {
        let (mut offset, mut last) = (self.cursor.offset, None);
        while offset < self.segment.header.bytes {
            let bytes = self.window.at(self.segment, offset)?;
            if first_byte(bytes).is_some() {
                last = bytes.iter().rposition(|byte| *byte != 0).map(|at| offset + at as u64);
            }
            offset += bytes.len() as u64;
        }
        Ok(last)
    }

    /// The first whole frame of another batch behind the cursor, wherever it lies: proof that what stands at
    /// the cursor was safe, since a batch is written only when the one before it is.
    pub(crate) fn frame_of_another_batch(&mut self) -> Result<Option<u64>, Error> {
        let mut offset = self.cursor.offset;
        while offset < self.segment.header.bytes {
            let bytes = self.window.at(self.segment, offset)?;
            let other = |found: Found| found.batch != self.cursor.batch;
            if decode_frame(bytes, self.segment.seed).is_some_and(other) {
                return Ok(Some(offset));
            }
            // Zeros, which are most of what is left, are passed over at once.
            let zeros = first_byte(bytes).unwrap_or(bytes.len()) as u64;
            offset += (zeros / FRAME_GRAIN).max(1) * FRAME_GRAIN;
        }
        Ok(None)
    }
}

/// The first byte that is not zero. Segments are mostly zeros, so many are looked at together.
fn first_byte(bytes: &[u8]) -> Option<usize> {
    const TOGETHER: usize = 256;
    let zeros = bytes.chunks(TOGETHER).take_while(|some| some.iter().fold(0, |all, byte| all | byte) == 0).count();
    let from = (zeros * TOGETHER).min(bytes.len());
    bytes[from..].iter().position(|byte| *byte != 0).map(|at| from + at)
}

/// Is this frame the next one? Then the cursor takes it in, its place aside.
fn follow(cursor: &mut Cursor, genesis: &mut GenesisParts, found: &Found) -> Result<(), Flaw> {
    let misplaced = |seq| Flaw::Misplaced { batch: found.batch, seq };
    let seq = match &found.frame {
        Frame::Command(command) => Some(command.seq()),
        Frame::Quarantine(record) => Some(record.seq()),
        Frame::Trailer(_) => None,
    };
    if found.batch != cursor.batch {
        return Err(misplaced(seq));
    }
    match &found.frame {
        Frame::Command(command) if command.seq() == 0 => {
            genesis.take(command, cursor).ok_or(misplaced(seq))?;
        }
        Frame::Command(command) => {
            let is_next = command.seq() == cursor.last_seq + 1 && command.ts() >= cursor.last_ts;
            if !is_next || !genesis.is_whole() {
                return Err(misplaced(seq));
            }
            cursor.last_seq = command.seq();
            cursor.last_ts = command.ts();
            cursor.is_in_bulk = command.flags() & FLAG_MORE != 0;
        }
        Frame::Quarantine(record) => {
            if record.seq() != cursor.last_seq || cursor.is_in_bulk || !genesis.is_whole() {
                return Err(misplaced(seq));
            }
        }
        Frame::Trailer(Trailer { frames, link, last_seq, .. }) => {
            let is_linked = cursor.link.is_none_or(|expected| expected == *link);
            let fits = *frames == cursor.frames && *frames != 0 && *last_seq == cursor.last_seq && !cursor.is_in_bulk;
            if !fits || !is_linked || !genesis.is_whole() {
                return Err(Flaw::Trailer);
            }
            cursor.link = Some(found.crc);
            cursor.frames = 0;
            cursor.batch = (cursor.batch + 1) % BATCHES_MAX;
            return Ok(());
        }
    }
    cursor.frames += 1;
    Ok(())
}

/// The genesis as its parts come in: the whole first batch of a journal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GenesisParts {
    words: [u64; GENESIS_PARTS * PART_WORDS],
    seen: usize,
}

impl GenesisParts {
    /// None yet.
    pub(crate) const NONE: GenesisParts = GenesisParts { words: [0; GENESIS_PARTS * PART_WORDS], seen: 0 };
    /// Not looked for: reading begins behind it.
    pub(crate) const PASSED: GenesisParts = GenesisParts { seen: GENESIS_PARTS, ..GenesisParts::NONE };

    fn is_whole(&self) -> bool {
        self.seen == GENESIS_PARTS
    }

    /// Takes the next part.
    fn take(&mut self, command: &Command, cursor: &mut Cursor) -> Option<()> {
        let Some(Action::Genesis(part)) = command.action() else { return None };
        let is_last = self.seen + 1 == GENESIS_PARTS;
        let has_more = command.flags() & FLAG_MORE != 0;
        let is_next = usize::from(part.part) == self.seen && usize::from(part.parts) == GENESIS_PARTS;
        if self.is_whole() || !is_next || has_more == is_last || cursor.last_seq != 0 {
            return None;
        }
        self.words[self.seen * PART_WORDS..][..PART_WORDS].copy_from_slice(&part.payload);
        self.seen += 1;
        Some(())
    }

    /// The genesis, where it is whole and can be read.
    pub(crate) fn genesis(&self) -> Option<Genesis> {
        let words: &[u64; GENESIS_WORDS] = self.words[..GENESIS_WORDS].try_into().ok()?;
        Genesis::from_words(words).filter(|_| self.is_whole())
    }
}

/// The part of a file that is in memory.
pub(crate) struct Window {
    bytes: Box<[u8]>,
    at: u64,
    filled: usize,
}

impl Window {
    /// For segments of that size.
    pub(crate) fn new(segment_bytes: u64) -> Window {
        Window { bytes: vec![0; (READ_BYTES as u64).min(segment_bytes) as usize].into(), at: 0, filled: 0 }
    }

    /// Shows nothing yet.
    pub(crate) fn emptied(self) -> Window {
        Window { filled: 0, ..self }
    }

    /// The bytes at a place: enough for any frame, unless the segment ends before.
    fn at<F: DiskFile>(&mut self, segment: &Segment<F>, offset: u64) -> Result<&[u8], Error> {
        let end = segment.header.bytes.min(offset + FRAME_BYTES_MAX);
        if self.filled == 0 || offset < self.at || end > self.at + self.filled as u64 {
            let name = segment_name(segment.header.segment);
            self.at = offset;
            let wanted = (segment.header.bytes - offset).min(self.bytes.len() as u64) as usize;
            let read = read_full(&segment.file, offset, &mut self.bytes[..wanted]);
            self.filled = read
                .and_then(|read| if read == wanted { Ok(read) } else { Err(ErrorKind::UnexpectedEof.into()) })
                .map_err(Error::io("reading a segment", name))?;
        }
        Ok(&self.bytes[(offset - self.at) as usize..self.filled])
    }
}
