//! The journal's early segments, once snapshots cover them.

use super::error::Error;
use super::store::{Stored, list};
use crate::disk::Disk;
use crate::journal::{self, Outline};

/// Removes the segments that lie wholly before the older of the two newest snapshots; their names. Nobody does
/// this unasked: the whole history is worth its bytes to most, and `centum journal verify` from the first command,
/// ledgers and audits need it.
///
/// Both snapshots are restored first, as a recovery would. With fewer than two good ones nothing is removed.
///
/// # Errors
/// What the disk says.
pub fn prune(disk: &impl Disk) -> Result<Vec<String>, Error> {
    let outline = Outline::of(disk)?;
    let mut good = Vec::new();
    for seq in list(disk)? {
        let stored = Stored::open(disk, seq).and_then(Stored::checked);
        if stored
            .is_ok_and(|found| found.header.journal == outline.journal && found.engine(outline.genesis, None).is_ok())
        {
            good.push(seq);
        }
        if good.len() == 2 {
            return Ok(journal::prune(disk, seq)?);
        }
    }
    Ok(Vec::new())
}
