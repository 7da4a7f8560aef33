//! Segments that nobody needs any more.

use super::error::Error;
use super::format::segment_name;
use super::{scan, segment};
use crate::disk::Disk;

/// Removes the segments that lie wholly before command `seq`; their names. From then on the journal begins later,
/// and only a snapshot of `seq` or a later command leads into it: [`crate::snapshot::prune`] asks for one first.
///
/// # Errors
/// What the disk says; [`Error::TooEarly`] where command `seq` is gone already.
pub fn prune(disk: &impl Disk, seq: u64) -> Result<Vec<String>, Error> {
    let numbers = segment::list(disk)?;
    let first = *numbers.first().ok_or(Error::Absent)?;
    let header = segment::open(disk, first, None)?.header;
    let (unneeded, _) = scan::start(disk, &numbers, &header, seq.max(1))?;
    let mut removed = Vec::new();
    // The lowest first, and each safe before the next: a crash leaves no gap.
    for number in &numbers[..unneeded] {
        let name = segment_name(*number);
        disk.remove(&name).map_err(Error::io("removing a segment", name.as_str()))?;
        disk.sync_dir().map_err(Error::io("syncing the directory", "."))?;
        removed.push(name);
    }
    Ok(removed)
}
