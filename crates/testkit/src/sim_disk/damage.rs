//! What a disk does to bytes that were safe. Each gives what was changed, or none where nothing was.

use super::{SECTOR_BYTES, SimDisk, chance};

/// A damage, for the failure message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// What was done.
    pub what: &'static str,
    /// To which file.
    pub file: String,
    /// The first byte that is another now.
    pub offset: u64,
}

/// Puts the changed bytes back, where they are others.
fn put(disk: &SimDisk, what: &'static str, file: &str, before: &[u8], after: Vec<u8>) -> Option<Damage> {
    let common = before.len().min(after.len());
    let differs = (0..common).find(|i| before[*i] != after[*i]);
    let offset = differs.or((before.len() != after.len()).then_some(common))? as u64;
    disk.put(file, after);
    Some(Damage { what, file: file.to_owned(), offset })
}

/// Another bit somewhere in these bytes of a file.
pub fn flip_bit(disk: &SimDisk, file: &str, range: std::ops::Range<u64>, seed: &mut u64) -> Option<Damage> {
    let before = disk.file(file)?;
    let mut after = before.clone();
    let bit = 8 * range.start + chance(seed) % (8 * (range.end - range.start)).max(1);
    *after.get_mut((bit / 8) as usize)? ^= 1 << (bit % 8);
    put(disk, "a bit flipped", file, &before, after)
}

/// The file ends at this byte.
pub fn truncate(disk: &SimDisk, file: &str, at: u64) -> Option<Damage> {
    let before = disk.file(file)?;
    put(disk, "truncated", file, &before, before.get(..at as usize)?.to_vec())
}

/// A sector of zeros.
pub fn zero_sector(disk: &SimDisk, file: &str, sector: u64) -> Option<Damage> {
    let before = disk.file(file)?;
    let mut after = before.clone();
    let from = (sector as usize).checked_mul(SECTOR_BYTES)?;
    let to = after.len().min(from + SECTOR_BYTES);
    after.get_mut(from..to)?.fill(0);
    put(disk, "a sector zeroed", file, &before, after)
}

/// Two stretches of one length change places.
pub fn swap(disk: &SimDisk, file: &str, a: u64, b: u64, bytes: usize) -> Option<Damage> {
    let before = disk.file(file)?;
    let mut after = before.clone();
    let (a, b) = (a as usize, b as usize);
    after.get_mut(a..a + bytes)?.copy_from_slice(before.get(b..b + bytes)?);
    after.get_mut(b..b + bytes)?.copy_from_slice(&before[a..a + bytes]);
    put(disk, "two stretches swapped", file, &before, after)
}

/// A stretch of one file written over another place, of the same file or another.
pub fn misdirect(disk: &SimDisk, from: (&str, u64), to: (&str, u64), bytes: usize) -> Option<Damage> {
    let source = disk.file(from.0)?;
    let source = source.get(from.1 as usize..from.1 as usize + bytes)?;
    let before = disk.file(to.0)?;
    let mut after = before.clone();
    after.get_mut(to.1 as usize..to.1 as usize + bytes)?.copy_from_slice(source);
    put(disk, "a stretch written to another place", to.0, &before, after)
}

/// A file as another disk has it.
pub fn stale(disk: &SimDisk, other: &SimDisk, from: &str, to: &str) -> Option<Damage> {
    let before = disk.file(to).unwrap_or_default();
    put(disk, "a file of another run", to, &before, other.file(from)?)
}
