//! Who listens, and how rows reach them.
//!
//! In    a command's rows, staged while its events are taken.
//! Out   every feed that has room for all of them gets all of them; one that has not gets none, and is closed.
//! So a feed delivers whole commands. Nothing here waits, and what is staged is bounded by what one command says.

use contract::AccountId;

use super::market::Parts;
use super::queue::{CloseReason, Closed, Sender};
use super::rows::{AccountRow, DropCopyRow, MarketRow};

#[derive(Debug)]
pub(super) struct AccountSender {
    pub(super) rows: Sender<AccountRow>,
    /// The number of the last row that was delivered.
    pub(super) last_account_seq: u64,
}

#[derive(Debug)]
pub(super) struct MarketSender {
    pub(super) rows: Sender<MarketRow>,
    pub(super) parts: Parts,
}

#[derive(Debug, Default)]
pub(super) struct Hub {
    /// By account.
    accounts: Vec<Vec<AccountSender>>,
    pub(super) account_feeds: usize,
    pub(super) market: Vec<MarketSender>,
    pub(super) drop_copies: Vec<Sender<DropCopyRow>>,
    account_rows: Vec<(AccountId, AccountRow)>,
    market_rows: Vec<MarketRow>,
    drop_copy_rows: Vec<DropCopyRow>,
}

impl Hub {
    /// The feeds of an account.
    pub(super) fn of(&mut self, account: AccountId) -> &mut Vec<AccountSender> {
        let at = account.0 as usize;
        if at >= self.accounts.len() {
            self.accounts.resize_with(at + 1, Vec::new);
        }
        &mut self.accounts[at]
    }

    /// Does anybody hear of this account?
    pub(super) fn is_heard(&self, account: AccountId) -> bool {
        !self.drop_copies.is_empty() || self.has_feed(account)
    }

    fn has_feed(&self, account: AccountId) -> bool {
        self.accounts.get(account.0 as usize).is_some_and(|feeds| !feeds.is_empty())
    }

    /// Stages a row of a party.
    pub(super) fn private(&mut self, account: AccountId, row: AccountRow) {
        // A refusal that names an account which does not exist has no number, and no feed.
        if row.row.account_seq != 0 && self.has_feed(account) {
            self.account_rows.push((account, row));
        }
        if !self.drop_copies.is_empty() {
            self.drop_copy_rows.push(DropCopyRow::Row { account, row });
        }
    }

    /// Stages a row for the back office alone.
    pub(super) fn ledger(&mut self, row: impl FnOnce() -> DropCopyRow) {
        if !self.drop_copies.is_empty() {
            self.drop_copy_rows.push(row());
        }
    }

    /// Stages a row for everybody.
    pub(super) fn public(&mut self, row: MarketRow) {
        if !self.market.is_empty() {
            self.market_rows.push(row);
        }
    }

    /// Command `seq` has said all.
    pub(super) fn deliver(&mut self, seq: u64) {
        self.deliver_private(seq);
        let full = Closed { reason: CloseReason::Overflow, last_seq: seq - 1, last_account_seq: 0 };
        let rows = &self.market_rows;
        if !rows.is_empty() {
            self.market.retain_mut(|feed| {
                let parts = feed.parts;
                let wanted = || rows.iter().filter(|row| parts.have(&row.body));
                push_all(&mut feed.rows, wanted().count(), wanted(), full)
            });
        }
        let rows = &self.drop_copy_rows;
        if !rows.is_empty() {
            self.drop_copies.retain_mut(|feed| push_all(feed, rows.len(), rows.iter(), full));
        }
        self.market_rows.clear();
        self.drop_copy_rows.clear();
    }

    fn deliver_private(&mut self, seq: u64) {
        if self.account_rows.is_empty() {
            return;
        }
        // Stable: rows of one account stay in order.
        self.account_rows.sort_by_key(|(account, _)| *account);
        for rows in self.account_rows.chunk_by(|(a, _), (b, _)| a == b) {
            let feeds = &mut self.accounts[rows[0].0.0 as usize];
            let before = feeds.len();
            feeds.retain_mut(|feed| {
                let last_account_seq = feed.last_account_seq;
                feed.last_account_seq = rows[rows.len() - 1].1.row.account_seq;
                let full = Closed { reason: CloseReason::Overflow, last_seq: seq - 1, last_account_seq };
                push_all(&mut feed.rows, rows.len(), rows.iter().map(|(_, row)| row), full)
            });
            self.account_feeds -= before - feeds.len();
        }
        self.account_rows.clear();
    }

    /// Forgets feeds whose readers went away.
    pub(super) fn sweep(&mut self) {
        let mut left = 0;
        for feeds in &mut self.accounts {
            feeds.retain(|feed| !feed.rows.is_abandoned());
            left += feeds.len();
        }
        self.account_feeds = left;
        self.market.retain(|feed| !feed.rows.is_abandoned());
        self.drop_copies.retain(|feed| !feed.is_abandoned());
    }

    /// Closes every feed for good.
    pub(super) fn end(&mut self, last_seq: u64) {
        let ended = |last_account_seq| Closed { reason: CloseReason::Ended, last_seq, last_account_seq };
        self.accounts.drain(..).flatten().for_each(|feed| feed.rows.close(ended(feed.last_account_seq)));
        self.market.drain(..).for_each(|feed| feed.rows.close(ended(0)));
        self.drop_copies.drain(..).for_each(|feed| feed.close(ended(0)));
        self.account_feeds = 0;
    }
}

/// Gives a feed all of a command's rows, or closes it; false where it is to be forgotten.
fn push_all<'a, R: Copy + 'a>(
    feed: &mut Sender<R>,
    count: usize,
    rows: impl Iterator<Item = &'a R>,
    full: Closed,
) -> bool {
    if feed.is_abandoned() {
        return false;
    }
    if !feed.has_room(count) {
        feed.close(full);
        return false;
    }
    rows.for_each(|row| feed.push(*row));
    true
}
