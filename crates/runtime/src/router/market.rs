//! The public feed.

use contract::project::PublicBody;

use super::queue::{Closed, Receiver};
use super::rows::{MarketBody, MarketRow, MarketSnapshot};

/// Which parts of the public feed one wants. Mark, funding rate, liquidations, insurance fund and the market's state
/// are always there: they are few.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parts {
    /// Trades.
    pub trades: bool,
    /// Best bid and ask, once a command where they changed.
    pub top: bool,
    /// The book by level: each level that changed, once a command.
    pub l2: bool,
    /// The book by order: each order that came, changed or went, once a command.
    pub l3: bool,
}

impl Parts {
    /// All of it.
    pub const ALL: Parts = Parts { trades: true, top: true, l2: true, l3: true };
    /// What is always there, and nothing else.
    pub const NONE: Parts = Parts { trades: false, top: false, l2: false, l3: false };

    pub(super) fn have(self, body: &MarketBody) -> bool {
        match body {
            MarketBody::Fact(PublicBody::Trade { .. }) => self.trades,
            MarketBody::Fact(_) => true,
            MarketBody::Order(_) => self.l3,
            MarketBody::Level(_) => self.l2,
            MarketBody::Top(_) => self.top,
        }
    }
}

impl Default for Parts {
    fn default() -> Parts {
        Parts::ALL
    }
}

/// What everybody may know, from a snapshot on. See [`Desk::market_data`](super::Desk::market_data).
#[derive(Debug)]
pub struct MarketFeed {
    pub(super) snapshot: MarketSnapshot,
    pub(super) rows: Receiver<MarketRow>,
}

impl MarketFeed {
    /// The market as it was when the feed was opened.
    #[must_use]
    pub fn snapshot(&self) -> &MarketSnapshot {
        &self.snapshot
    }

    /// The next row; `None` where there is none yet.
    ///
    /// # Errors
    /// The feed is closed, and everything that it still had was read.
    pub fn try_next(&mut self) -> Result<Option<MarketRow>, Closed> {
        self.rows.try_next()
    }

    /// Hands over the rows that wait, and says how many there were.
    ///
    /// # Errors
    /// As [`MarketFeed::try_next`], and then `f` was not called.
    pub fn poll(&mut self, f: impl FnMut(&MarketRow)) -> Result<usize, Closed> {
        self.rows.poll(f)
    }

    /// How many rows wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.rows.waiting()
    }
}
