//! The drop copy: everything about everybody, for the back office.

use super::queue::{Closed, Receiver};
use super::rows::DropCopyRow;

/// All private rows of all parties and the ledger's entries, in the order of events. See
/// [`Desk::drop_copy`](super::Desk::drop_copy).
#[derive(Debug)]
pub struct DropCopy {
    pub(super) as_of: u64,
    pub(super) rows: Receiver<DropCopyRow>,
}

impl DropCopy {
    /// The command after which it begins.
    #[must_use]
    pub fn as_of(&self) -> u64 {
        self.as_of
    }

    /// The next row; `None` where there is none yet.
    ///
    /// # Errors
    /// The feed is closed, and everything that it still had was read.
    pub fn try_next(&mut self) -> Result<Option<DropCopyRow>, Closed> {
        self.rows.try_next()
    }

    /// Hands over the rows that wait, and says how many there were.
    ///
    /// # Errors
    /// As [`DropCopy::try_next`], and then `f` was not called.
    pub fn poll(&mut self, f: impl FnMut(&DropCopyRow)) -> Result<usize, Closed> {
        self.rows.poll(f)
    }

    /// How many rows wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.rows.waiting()
    }
}
