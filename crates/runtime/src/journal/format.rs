//! The bytes of the journal, and nothing else. `docs/journal-format.md` shows them with examples.
//!
//! A segment is one page that says which segment of which journal it is and how far it is known to be safe,
//! and then frames, one behind the other, up to zeros. Every checksum is a CRC-32C; that of a frame begins
//! with the journal's number and the segment's, so that what another journal or segment left behind does
//! not pass for ours.

use contract::words::{RECORD_BYTES, Words};
use contract::{Command, Genesis};

/// The first bytes of a segment: what it is, and the version of its format.
pub const MAGIC: [u8; 8] = *b"CENTUMJ1";
/// Bytes before the first frame.
pub const PAGE_BYTES: u64 = 4096;
/// Bytes of a segment's header.
pub const HEADER_BYTES: usize = 64;
/// Where the two marks stand, each in a sector of its own.
pub const MARKS_AT: [u64; 2] = [512, 1024];
/// Bytes of a mark.
pub const MARK_BYTES: usize = 40;
/// Bytes before a frame's payload.
pub const FRAME_HEADER_BYTES: usize = 8;
/// A command or quarantine with its frame.
pub const RECORD_FRAME_BYTES: usize = FRAME_HEADER_BYTES + RECORD_BYTES;
/// A trailer with its frame.
pub const TRAILER_FRAME_BYTES: usize = FRAME_HEADER_BYTES + 32;
/// Every frame begins at a multiple of this.
pub const FRAME_GRAIN: u64 = 8;
/// Batches in one segment, at most: their number has three bytes.
pub const BATCHES_MAX: u32 = 1 << 24;
/// A segment's least and largest size, and what it is a multiple of.
pub const SEGMENT_BYTES: std::ops::RangeInclusive<u64> = 2 * PAGE_BYTES..=1 << 30;

/// The trailer's chain is known.
const TRAILER_HAS_CHAIN: u32 = 1;
/// The journal was closed behind this mark; it went on in the next segment.
const MARK_IS_CLOSED: u32 = 1;
const MARK_IS_SEALED: u32 = 2;

const KIND_COMMAND: u8 = 1;
const KIND_QUARANTINE: u8 = 2;
const KIND_TRAILER: u8 = 3;

/// The file of a segment.
#[must_use]
pub fn segment_name(number: u32) -> String {
    format!("{number:08}.journal")
}

/// The file of a segment that is being made.
#[must_use]
pub fn unfinished_name(number: u32) -> String {
    format!("{number:08}.journal.tmp")
}

/// The number of a segment's file; none where it is no segment.
#[must_use]
pub fn segment_number(name: &str) -> Option<u32> {
    let number = name.strip_suffix(".journal")?.parse().ok()?;
    (segment_name(number) == name).then_some(number)
}

/// Is this a segment that was never finished?
#[must_use]
pub fn is_unfinished(name: &str) -> bool {
    name.ends_with(".journal.tmp")
}

/// The checksum of a genesis' canonical bytes.
#[must_use]
pub fn genesis_crc(genesis: &Genesis) -> u32 {
    genesis.to_words().iter().fold(0, |crc, word| crc32c::crc32c_append(crc, &word.to_le_bytes()))
}

#[inline]
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

#[inline]
fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

/// The first bytes of a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// The journal's number, drawn when it was made.
    pub journal: u64,
    /// The segment's, from 1.
    pub segment: u32,
    /// Checksum of the genesis' canonical bytes.
    pub genesis: u32,
    /// How long the file is.
    pub bytes: u64,
}

impl Header {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[..8].copy_from_slice(&MAGIC);
        out[8..16].copy_from_slice(&self.journal.to_le_bytes());
        out[16..20].copy_from_slice(&self.segment.to_le_bytes());
        out[20..24].copy_from_slice(&self.genesis.to_le_bytes());
        out[24..32].copy_from_slice(&self.bytes.to_le_bytes());
        let crc = crc32c::crc32c(&out[..60]);
        out[60..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads it; none where the bytes are no header of this format.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Header> {
        let header = Header {
            journal: u64_at(bytes.get(..HEADER_BYTES)?, 8),
            segment: u32_at(bytes, 16),
            genesis: u32_at(bytes, 20),
            bytes: u64_at(bytes, 24),
        };
        (header.encode() == bytes[..HEADER_BYTES]).then_some(header)
    }

    /// What every checksum in this segment begins with.
    #[must_use]
    pub fn seed(&self) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&self.journal.to_le_bytes()), &self.segment.to_le_bytes())
    }
}

/// How far a segment is known to be safe. Written after a sync and not synced itself, into the two places
/// in turn: it says less than the truth, never more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// How many marks this segment had before it, and one; odd ones stand in the second place.
    pub number: u64,
    /// Was the journal closed here?
    pub is_closed: bool,
    /// Did it go on in the next segment? Then that one must be there.
    pub is_sealed: bool,
    /// Every byte before this one was synced.
    pub end: u64,
    /// The last command before it.
    pub last_seq: u64,
    /// Batches of this segment before it.
    pub batches: u32,
    /// Checksum of the last trailer before it.
    pub link: u32,
}

impl Mark {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self, seed: u32) -> [u8; MARK_BYTES] {
        let mut out = [0; MARK_BYTES];
        let closed = if self.is_closed { MARK_IS_CLOSED } else { 0 };
        let sealed = if self.is_sealed { MARK_IS_SEALED } else { 0 };
        out[4..8].copy_from_slice(&(closed | sealed).to_le_bytes());
        out[8..16].copy_from_slice(&self.number.to_le_bytes());
        out[16..24].copy_from_slice(&self.end.to_le_bytes());
        out[24..32].copy_from_slice(&self.last_seq.to_le_bytes());
        out[32..36].copy_from_slice(&self.batches.to_le_bytes());
        out[36..].copy_from_slice(&self.link.to_le_bytes());
        let crc = crc32c::crc32c_append(seed, &out[4..]);
        out[..4].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads it; none where the bytes are no mark of this segment.
    #[must_use]
    pub fn decode(bytes: &[u8], seed: u32) -> Option<Mark> {
        let mark = Mark {
            is_closed: u32_at(bytes.get(..MARK_BYTES)?, 4) & MARK_IS_CLOSED != 0,
            is_sealed: u32_at(bytes, 4) & MARK_IS_SEALED != 0,
            number: u64_at(bytes, 8),
            end: u64_at(bytes, 16),
            last_seq: u64_at(bytes, 24),
            batches: u32_at(bytes, 32),
            link: u32_at(bytes, 36),
        };
        (mark.number != 0 && mark.encode(seed) == bytes[..MARK_BYTES]).then_some(mark)
    }

    /// Where it belongs.
    #[must_use]
    pub fn place(&self) -> u64 {
        MARKS_AT[(self.number & 1) as usize]
    }
}

/// The end of a batch. Without it nothing of the batch counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trailer {
    /// Frames of the batch before it.
    pub frames: u32,
    /// Checksum of the trailer before it, over the border of segments; 0 where there is none.
    pub link: u32,
    /// The last command so far; 0 before the first.
    pub last_seq: u64,
    /// The engine's chain after that command; none where nobody had applied it.
    pub chain: Option<u64>,
}

/// What a frame holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Frame {
    /// A command of the market, or a part of the genesis.
    Command(Command),
    /// An operator's word that a command is to be refused by every replay.
    Quarantine(Command),
    /// The end of a batch.
    Trailer(Trailer),
}

/// A frame as it was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// What it holds.
    pub frame: Frame,
    /// Number of its batch in its segment, from 0.
    pub batch: u32,
    /// Its checksum.
    pub crc: u32,
    /// Its length.
    pub bytes: usize,
}

/// A record's frame at the end of `out`, its header still empty.
#[inline]
pub(crate) fn push_record(out: &mut Vec<u8>, record: &Words) {
    let mut frame = [0; RECORD_FRAME_BYTES];
    for (place, word) in frame[FRAME_HEADER_BYTES..].chunks_exact_mut(8).zip(record) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    out.extend_from_slice(&frame);
}

/// The whole batch: headers for the records in `out`, and a trailer. The checksum of the trailer.
/// `quarantines` says which frames are no commands.
pub(crate) fn finish_batch(
    out: &mut Vec<u8>,
    seed: u32,
    batch: u32,
    trailer: &Trailer,
    is_quarantine: impl Fn(usize) -> bool,
) -> u32 {
    for (i, frame) in out.chunks_exact_mut(RECORD_FRAME_BYTES).enumerate() {
        finish_frame(frame, seed, if is_quarantine(i) { KIND_QUARANTINE } else { KIND_COMMAND }, batch);
    }
    let at = out.len();
    out.extend_from_slice(&[0; TRAILER_FRAME_BYTES]);
    let frame = &mut out[at..];
    frame[8..12].copy_from_slice(&trailer.frames.to_le_bytes());
    frame[12..16].copy_from_slice(&trailer.link.to_le_bytes());
    frame[16..24].copy_from_slice(&trailer.last_seq.to_le_bytes());
    frame[24..32].copy_from_slice(&trailer.chain.unwrap_or(0).to_le_bytes());
    let flags = if trailer.chain.is_some() { TRAILER_HAS_CHAIN } else { 0 };
    frame[32..36].copy_from_slice(&flags.to_le_bytes());
    finish_frame(frame, seed, KIND_TRAILER, batch)
}

fn finish_frame(frame: &mut [u8], seed: u32, kind: u8, batch: u32) -> u32 {
    frame[4] = kind;
    frame[5..8].copy_from_slice(&batch.to_le_bytes()[..3]);
    let crc = crc32c::crc32c_append(seed, &frame[4..]);
    frame[..4].copy_from_slice(&crc.to_le_bytes());
    crc
}

/// How long a frame of that kind is; none where no frame has it.
fn frame_bytes(kind: u8) -> Option<usize> {
    match kind {
        KIND_COMMAND | KIND_QUARANTINE => Some(RECORD_FRAME_BYTES),
        KIND_TRAILER => Some(TRAILER_FRAME_BYTES),
        _ => None,
    }
}

/// The frame at the beginning of these bytes; none where its checksum or its form says that it is none.
#[must_use]
pub fn decode_frame(bytes: &[u8], seed: u32) -> Option<Found> {
    let kind = *bytes.get(4)?;
    let length = frame_bytes(kind)?;
    let frame = bytes.get(..length)?;
    let crc = u32_at(frame, 0);
    if crc32c::crc32c_append(seed, &frame[4..]) != crc {
        return None;
    }
    let record = || Command::from_words(std::array::from_fn(|i| u64_at(frame, FRAME_HEADER_BYTES + 8 * i)));
    let content = match kind {
        KIND_COMMAND => Frame::Command(record()),
        KIND_QUARANTINE => Frame::Quarantine(record()),
        _ => {
            let (chain, flags) = (u64_at(frame, 24), u32_at(frame, 32));
            let has_chain = flags & TRAILER_HAS_CHAIN != 0;
            Frame::Trailer(Trailer {
                frames: u32_at(frame, 8),
                link: u32_at(frame, 12),
                last_seq: u64_at(frame, 16),
                chain: has_chain.then_some(chain),
            })
        }
    };
    let batch = u32::from_le_bytes([frame[5], frame[6], frame[7], 0]);
    Some(Found { frame: content, batch, crc, bytes: length })
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::{AccountId, Action};

    #[test]
    fn what_is_written_is_read() {
        let header = Header { journal: 7, segment: 3, genesis: 9, bytes: 65_536 };
        assert_eq!(Header::decode(&header.encode()), Some(header));
        let seed = header.seed();
        let mark = Mark { number: 5, is_closed: true, is_sealed: false, end: 4_096, last_seq: 8, batches: 2, link: 11 };
        assert_eq!(Mark::decode(&mark.encode(seed), seed), Some(mark));
        let command = Command::new(AccountId(4), Action::Clock).stamped(1, 2);
        let trailer = Trailer { frames: 2, link: 1, last_seq: 1, chain: Some(0) };
        let mut bytes = Vec::new();
        push_record(&mut bytes, command.words());
        push_record(&mut bytes, command.words());
        let crc = finish_batch(&mut bytes, seed, 0x01_02_03, &trailer, |i| i == 1);
        let first = decode_frame(&bytes, seed).unwrap();
        assert_eq!((first.frame, first.batch), (Frame::Command(command), 0x01_02_03));
        let second = decode_frame(&bytes[first.bytes..], seed).unwrap();
        assert_eq!(second.frame, Frame::Quarantine(command));
        let last = decode_frame(&bytes[first.bytes + second.bytes..], seed).unwrap();
        assert_eq!((last.frame, last.crc, last.bytes), (Frame::Trailer(trailer), crc, TRAILER_FRAME_BYTES));
    }

    #[test]
    fn no_bit_of_it_is_without_meaning() {
        let header = Header { journal: 7, segment: 3, genesis: 9, bytes: 65_536 };
        let seed = header.seed();
        let mark = Mark { number: 5, is_closed: true, is_sealed: false, end: 4_096, last_seq: 8, batches: 2, link: 11 };
        let mut frame = Vec::new();
        push_record(&mut frame, Command::new(AccountId(4), Action::Clock).stamped(1, 2).words());
        finish_frame(&mut frame, seed, KIND_COMMAND, 0);
        let flipped = |bytes: &[u8], bit: usize| {
            let mut bytes = bytes.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        };
        assert!((0..8 * HEADER_BYTES).all(|bit| Header::decode(&flipped(&header.encode(), bit)).is_none()));
        assert!((0..8 * MARK_BYTES).all(|bit| Mark::decode(&flipped(&mark.encode(seed), bit), seed).is_none()));
        assert!((0..8 * frame.len()).all(|bit| decode_frame(&flipped(&frame, bit), seed).is_none()));
        let other = Header { segment: 4, ..header }.seed();
        assert!(decode_frame(&frame, other).is_none() && Mark::decode(&mark.encode(seed), other).is_none());
    }

    #[test]
    fn a_segments_file_is_known_by_its_name() {
        assert_eq!(segment_number(&segment_name(12)), Some(12));
        for name in ["12.journal", "00000012.journal.tmp", "0000001a.journal", "+0000012.journal", "lock"] {
            assert_eq!(segment_number(name), None, "{name}");
        }
    }
}
