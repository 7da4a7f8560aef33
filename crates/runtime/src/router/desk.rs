//! What other threads hold of the router: subscriptions, and questions to the read model.

use std::sync::Arc;
use std::time::Duration;

use contract::AccountId;

use super::account::AccountFeed;
use super::bell::Bell;
use super::drop_copy::DropCopy;
use super::hub::{AccountSender, MarketSender};
use super::latch::Latch;
use super::market::{MarketFeed, Parts};
use super::queue::queue;
use super::ranking::Board;
use super::rows::MarketSnapshot;
use super::view::View;
use super::{FeedLimits, Floor};

/// Opens feeds and answers questions, from any thread. Clones are the same desk.
///
/// A feed is opened between two batches of the router, so its snapshot is of the moment after a whole command and its
/// first row belongs to the next: nothing is missing, nothing comes twice.
#[derive(Clone, Debug)]
pub struct Desk {
    pub(super) floor: Arc<Latch<Floor>>,
    pub(super) bell: Arc<Bell>,
    pub(super) board: Arc<Board>,
    pub(super) limits: FeedLimits,
}

/// Why a feed cannot be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// No trader has this account. Accounts of the house are in the drop copy.
    #[error("account {} is not open", .0.0)]
    UnknownAccount(AccountId),
    /// As many feeds as there may be are open: close one, or raise the limit.
    #[error("{limit} feeds of this kind are open, and no more may be")]
    TooMany {
        /// How many there may be.
        limit: usize,
    },
    /// The router is gone; only the read model is left, as it last was.
    #[error("the router has ended")]
    Ended,
}

impl Desk {
    /// The feed of an account: its snapshot, then its rows.
    ///
    /// ```
    /// use engine::Engine;
    /// use centum_runtime::router::{FeedLimits, Router};
    /// use contract::command::{Amount, Mark, OpenAccount};
    /// use contract::project::PrivateBody;
    /// use contract::*;
    ///
    /// let spec = ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
    /// let mut engine = Engine::new(&Genesis { spec, capacity: Capacity::default() })?;
    /// let (mut router, desk) = Router::begin(&engine, FeedLimits::default());
    /// let alice = AccountId(4);
    /// let mut apply = |seq, action| {
    ///     let mut events = Vec::new();
    ///     engine.apply(&Command::new(alice, action).stamped(seq, 0), &mut events);
    ///     router.take_batch(&events);
    /// };
    /// apply(1, Action::Mark(Mark { price: Price(1_000_000) }));
    /// apply(2, Action::OpenAccount(OpenAccount { fee_class: 0 }));
    /// apply(3, Action::Deposit(Amount { amount: Xbt(100_000_000) }));
    ///
    /// let mut feed = desk.account(alice)?;
    /// assert_eq!((feed.snapshot().as_of, feed.snapshot().wallet.balance), (3, Xbt(100_000_000)));
    /// let name = ClOrdId::new("a-1").unwrap();
    /// apply(4, Action::New(NewOrder::limit(name, Side::Buy, Tick(20_000), Qty(100))));
    /// let row = feed.try_next()?.expect("the order was accepted");
    /// assert_eq!((row.cl_ord_id, row.row.account_seq), (name, feed.snapshot().account_seq + 1));
    /// assert!(matches!(row.row.body, PrivateBody::Fact(Fact::Accepted(_))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The account is not open, has as many feeds as it may, or the router has ended.
    pub fn account(&self, account: AccountId) -> Result<AccountFeed, FeedError> {
        let limit = self.limits.feeds_per_account;
        let (sender, receiver) = queue(self.limits.account_rows);
        let mut floor = self.floor.for_reader();
        floor.is_open()?;
        let snapshot = floor.model.snapshot(account).ok_or(FeedError::UnknownAccount(account))?;
        if floor.hub.of(account).len() >= limit || floor.hub.account_feeds >= self.limits.account_feeds {
            floor.hub.sweep();
        }
        if floor.hub.account_feeds >= self.limits.account_feeds {
            return Err(FeedError::TooMany { limit: self.limits.account_feeds });
        }
        let feeds = floor.hub.of(account);
        if feeds.len() >= limit {
            return Err(FeedError::TooMany { limit });
        }
        feeds.push(AccountSender { rows: sender, last_account_seq: snapshot.account_seq });
        floor.hub.account_feeds += 1;
        drop(floor);
        Ok(AccountFeed { snapshot, rows: receiver })
    }

    /// The public feed: a snapshot of the parts wanted, then their rows.
    ///
    /// # Errors
    /// As many feeds as there may be are open, or the router has ended.
    pub fn market_data(&self, parts: Parts) -> Result<MarketFeed, FeedError> {
        let limit = self.limits.market_feeds;
        let (sender, receiver) = queue(self.limits.market_rows);
        let mut floor = self.floor.for_reader();
        floor.is_open()?;
        if floor.hub.market.len() >= limit {
            floor.hub.sweep();
        }
        if floor.hub.market.len() >= limit {
            return Err(FeedError::TooMany { limit });
        }
        let model = &floor.model;
        let snapshot = MarketSnapshot {
            as_of: model.seq(),
            index: model.index,
            mark: model.mark,
            rate: model.rate,
            indicative_rate: model.indicative_rate,
            insurance: model.insurance,
            state: model.state,
            top: parts.top.then(|| model.top()),
            l2: parts.l2.then(|| model.l2(usize::MAX)),
            l3: parts.l3.then(|| model.l3()),
        };
        floor.hub.market.push(MarketSender { rows: sender, parts });
        drop(floor);
        Ok(MarketFeed { snapshot, rows: receiver })
    }

    /// The drop copy, from the next command on.
    ///
    /// # Errors
    /// As many as there may be are open, or the router has ended.
    pub fn drop_copy(&self) -> Result<DropCopy, FeedError> {
        let limit = self.limits.drop_copies;
        let (sender, receiver) = queue(self.limits.drop_copy_rows);
        let mut floor = self.floor.for_reader();
        floor.is_open()?;
        if floor.hub.drop_copies.len() >= limit {
            floor.hub.sweep();
        }
        if floor.hub.drop_copies.len() >= limit {
            return Err(FeedError::TooMany { limit });
        }
        let as_of = floor.model.seq();
        floor.hub.drop_copies.push(sender);
        drop(floor);
        Ok(DropCopy { as_of, rows: receiver })
    }

    /// Sleeps until the router has told something beyond command `seq`, has ended, or the time is up; answers with the
    /// last command told. One thread with many feeds: wait, then read them all.
    ///
    /// ```
    /// use std::time::Duration;
    /// use centum_runtime::venue::{Config, Venue};
    /// use contract::{AccountId, Action, Command};
    ///
    /// let mut venue = Venue::open(Config::default())?;
    /// let mut lane = venue.lane("gateway")?;
    /// let running = venue.start()?;
    /// let desk = running.desk();
    /// lane.try_send(Command::new(AccountId::NONE, Action::Clock))?;
    /// assert_eq!(desk.wait(0, Duration::from_secs(10)), 1); // its facts are in every feed
    /// assert_eq!(desk.wait(1, Duration::from_millis(1)), 1); // nobody said more
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use = "what is told is what to wait beyond next"]
    pub fn wait(&self, seq: u64, at_most: Duration) -> u64 {
        self.bell.wait(seq, at_most)
    }

    /// The read model.
    #[must_use]
    pub fn view(&self) -> View {
        View { floor: self.floor.clone(), board: self.board.clone() }
    }
}
