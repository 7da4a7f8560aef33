//! A segment's file: made so that it is there whole or not at all, and opened with a look at its first page.

use std::io;

use super::error::{Error, Flaw};
use super::format::{
    HEADER_BYTES, Header, MARK_BYTES, MARKS_AT, Mark, PAGE_BYTES, is_unfinished, segment_name, segment_number,
    unfinished_name,
};
use crate::disk::{Disk, DiskFile, read_full};

/// An open segment.
#[derive(Debug)]
pub(crate) struct Segment<F> {
    pub(crate) header: Header,
    pub(crate) seed: u32,
    pub(crate) file: F,
    /// The furthest mark, where there is one.
    pub(crate) mark: Option<Mark>,
    /// A mark's place that holds no mark and should. A crash may leave one; more is damage.
    pub(crate) torn_mark: Option<u64>,
}

/// The numbers of the segments that are there, in order.
pub(crate) fn list(disk: &impl Disk) -> Result<Vec<u32>, Error> {
    let names = disk.list().map_err(Error::io("listing the directory", "."))?;
    let mut numbers: Vec<u32> = names.iter().filter_map(|name| segment_number(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Removes segments that were never finished: nothing was ever written into them.
pub(crate) fn remove_unfinished(disk: &impl Disk) -> Result<(), Error> {
    for name in disk.list().map_err(Error::io("listing the directory", "."))? {
        if is_unfinished(&name) {
            disk.remove(&name).map_err(Error::io("removing an unfinished segment", name.as_str()))?;
        }
    }
    Ok(())
}

/// Makes a segment. It has its name only once all of it is safe, so a crash leaves no half of one.
pub(crate) fn make<D: Disk>(disk: &D, header: Header) -> Result<Segment<D::File>, Error> {
    let (unfinished, name) = (unfinished_name(header.segment), segment_name(header.segment));
    let made = disk.create(&unfinished, header.bytes).and_then(|mut file| {
        file.write_at(0, &header.encode())?;
        Ok(file)
    });
    let mut file = made.map_err(|error| {
        // What was made of it goes, or a full disk would stay full.
        let _ = disk.remove(&unfinished);
        if is_full(&error) {
            return Error::Full { needed: header.bytes, free: disk.free_bytes().unwrap_or(0) };
        }
        Error::Io { doing: "making a segment", file: name.clone(), source: error }
    })?;
    file.sync_data().map_err(Error::io("syncing a new segment", name.as_str()))?;
    disk.rename(&unfinished, &name).map_err(Error::io("naming a new segment", name.as_str()))?;
    disk.sync_dir().map_err(Error::io("syncing the directory", "."))?;
    Ok(Segment { header, seed: header.seed(), file, mark: None, torn_mark: None })
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Opens a segment and reads its first page. `ours` is a header of the same journal, where one is known.
pub(crate) fn open<D: Disk>(disk: &D, number: u32, ours: Option<&Header>) -> Result<Segment<D::File>, Error> {
    let name = segment_name(number);
    let corrupt = |offset, flaw| Error::corrupt(number, offset, 0, flaw);
    let file = disk.open(&name).map_err(Error::io("opening a segment", name.as_str()))?;
    let mut page = vec![0; PAGE_BYTES as usize];
    let read = read_full(&file, 0, &mut page).map_err(Error::io("reading a segment", name.as_str()))?;
    let header = Header::decode(&page[..read.min(HEADER_BYTES)]).ok_or_else(|| corrupt(0, Flaw::Header))?;
    if header.segment != number {
        return Err(corrupt(16, Flaw::WrongSegment { found: header.segment }));
    }
    if let Some(ours) = ours {
        if header.journal != ours.journal {
            return Err(corrupt(8, Flaw::WrongJournal { found: header.journal, expected: ours.journal }));
        }
        if header.genesis != ours.genesis {
            return Err(corrupt(20, Flaw::WrongGenesis));
        }
    }
    let bytes = file.bytes().map_err(Error::io("measuring a segment", name.as_str()))?;
    if bytes != header.bytes {
        return Err(corrupt(bytes.min(header.bytes), Flaw::Length { found: bytes, expected: header.bytes }));
    }
    let (mark, torn_mark) = read_marks(&page, header.seed()).map_err(|offset| corrupt(offset, Flaw::Marks))?;
    let is_used = |at: &usize| {
        let in_mark = |mark: u64| (mark..mark + MARK_BYTES as u64).contains(&(*at as u64));
        *at < HEADER_BYTES || MARKS_AT.into_iter().any(in_mark)
    };
    if let Some(at) = (0..page.len()).find(|at| page[*at] != 0 && !is_used(at)) {
        return Err(corrupt(at as u64, Flaw::PageNotZero));
    }
    Ok(Segment { header, seed: header.seed(), file, mark, torn_mark })
}

/// The furthest mark, and the place of one that is damaged. Marks are written in turn and the next one
/// after a sync of this one, so a crash can tear one of them at most.
fn read_marks(page: &[u8], seed: u32) -> Result<(Option<Mark>, Option<u64>), u64> {
    let slots = MARKS_AT.map(|at| &page[at as usize..at as usize + MARK_BYTES]);
    let is_empty = |slot: usize| slots[slot].iter().all(|byte| *byte == 0);
    let read = |slot: usize| Mark::decode(slots[slot], seed).filter(|mark| mark.place() == MARKS_AT[slot]);
    let found = match (read(0), read(1)) {
        (Some(a), Some(b)) => Some(if a.number > b.number { (a, Some(b)) } else { (b, Some(a)) }),
        (Some(mark), None) | (None, Some(mark)) => Some((mark, None)),
        (None, None) => None,
    };
    let Some((mark, other)) = found else {
        // The first mark of all stands in the second place.
        return match (is_empty(0), is_empty(1)) {
            (true, true) => Ok((None, None)),
            (true, false) => Ok((None, Some(MARKS_AT[1]))),
            _ => Err(MARKS_AT[0]),
        };
    };
    let beside = MARKS_AT[((mark.number + 1) & 1) as usize];
    let is_whole = match other {
        Some(other) => other.number + 1 == mark.number,
        None => mark.number == 1 && is_empty(0),
    };
    Ok((Some(mark), (!is_whole).then_some(beside)))
}
