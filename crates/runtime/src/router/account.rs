//! An account's own feed.

use contract::AccountId;

use super::queue::{Closed, Receiver};
use super::rows::{AccountRow, AccountSnapshot};

/// What happens to one account, from a snapshot on. See [`Desk::account`](super::Desk::account).
#[derive(Debug)]
pub struct AccountFeed {
    pub(super) snapshot: AccountSnapshot,
    pub(super) rows: Receiver<AccountRow>,
}

impl AccountFeed {
    /// Whose it is.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.snapshot.account
    }

    /// The account as it was when the feed was opened. The first row has the number after the snapshot's.
    #[must_use]
    pub fn snapshot(&self) -> &AccountSnapshot {
        &self.snapshot
    }

    /// The next row; `None` where there is none yet.
    ///
    /// # Errors
    /// The feed is closed, and everything that it still had was read.
    pub fn try_next(&mut self) -> Result<Option<AccountRow>, Closed> {
        self.rows.try_next()
    }

    /// Hands over the rows that wait, and says how many there were.
    ///
    /// # Errors
    /// As [`AccountFeed::try_next`], and then `f` was not called.
    pub fn poll(&mut self, f: impl FnMut(&AccountRow)) -> Result<usize, Closed> {
        self.rows.poll(f)
    }

    /// How many rows wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.rows.waiting()
    }
}
