//! The router: released facts become feeds and a read model.
//!
//! In    every released event, in order.
//! Out   account feeds, the public feed, drop copies; answers of the read model.
//! Laws  8  what reaches whom is decided by `contract::project`, and only there.
//!       3  every queue has a limit. A reader that is too slow loses its feed, never the market its time.
//!
//! The router is one of the two readers that the output ring waits for, so it must not wait for anybody: it takes
//! batches, and pushes rows into queues that either have room or are closed. It works in whole commands. The events of
//! one that has not yet said its last are kept aside, so that no snapshot and no answer ever shows half a command.
//!
//! ```text
//!   events --> Router::take_batch --> model      --> Desk::view()         copies, at any time
//!                                 \-> hub: rows  --> Desk::account(..)    snapshot, then rows
//!                                                --> Desk::market_data(..)
//!                                                --> Desk::drop_copy()
//! ```
//!
//! `docs/feeds.md` tells readers of feeds what they may rely on.

mod account;
mod bell;
mod desk;
mod drop_copy;
mod hub;
mod latch;
mod market;
mod model;
mod queue;
mod ranking;
mod rows;
mod view;

use std::sync::Arc;

use contract::project::{PublicBody, Stamp, project};
use contract::{AccountId, Event, Fact};
use engine::Engine;

pub use account::AccountFeed;
pub use desk::{Desk, FeedError};
pub use drop_copy::DropCopy;
pub use market::{MarketFeed, Parts};
pub use queue::{CloseReason, Closed};
pub use ranking::{Deleveraging, Ranking};
pub use rows::{
    AccountRow, AccountSnapshot, Change, DropCopyRow, L2, L3, LevelRow, MarketBody, MarketRow, MarketSnapshot,
    OpenOrder, OrderRow, Top,
};
pub use view::{AccountView, View};

use bell::Bell;
use hub::Hub;
use latch::Latch;
use model::Model;
use ranking::Board;

/// How much feeds may hold. All of a feed's memory is taken when it is opened.
///
/// A queue must hold at least what one command says, or the first long one closes its feed: a taker may fill
/// `max_fills` orders, a command may do `budget` steps of liquidation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeedLimits {
    /// Rows that wait in an account's feed.
    pub account_rows: usize,
    /// Feeds of one account.
    pub feeds_per_account: usize,
    /// Account feeds in all.
    pub account_feeds: usize,
    /// Rows that wait in a public feed.
    pub market_rows: usize,
    /// Public feeds.
    pub market_feeds: usize,
    /// Rows that wait in a drop copy.
    pub drop_copy_rows: usize,
    /// Drop copies.
    pub drop_copies: usize,
}

impl Default for FeedLimits {
    fn default() -> FeedLimits {
        FeedLimits {
            account_rows: 1 << 10,
            feeds_per_account: 4,
            account_feeds: 1 << 14,
            market_rows: 1 << 15,
            market_feeds: 64,
            drop_copy_rows: 1 << 16,
            drop_copies: 4,
        }
    }
}

/// What the router and its readers share, behind one short lock.
#[derive(Debug)]
struct Floor {
    model: Model,
    hub: Hub,
    has_ended: bool,
}

/// Takes every released event. One thread has it; others have the [`Desk`].
///
/// ```
/// use engine::Engine;
/// use centum_runtime::router::{FeedLimits, MarketBody, Parts, Router};
/// use contract::command::{Amount, Mark, OpenAccount};
/// use contract::*;
///
/// let spec = ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
/// let mut engine = Engine::new(&Genesis { spec, capacity: Capacity::default() })?;
/// let (mut router, desk) = Router::begin(&engine, FeedLimits::default());
/// let mut feed = desk.market_data(Parts { l2: true, ..Parts::NONE })?;
/// let order = NewOrder::limit(ClOrdId::NONE, Side::Buy, Tick(20_000), Qty(100));
/// for (seq, action) in (1..).zip([
///     Action::Mark(Mark { price: Price(1_000_000) }),
///     Action::OpenAccount(OpenAccount { fee_class: 0 }),
///     Action::Deposit(Amount { amount: Xbt(100_000_000) }),
///     Action::New(order),
/// ]) {
///     let mut events = Vec::new();
///     engine.apply(&Command::new(AccountId(4), action).stamped(seq, 0), &mut events);
///     router.take_batch(&events);
/// }
/// let mut book = feed.snapshot().clone();
/// assert_eq!(feed.poll(|row| book.apply(row))?, 2); // the mark, the level
/// assert_eq!(book.l2.as_ref(), Some(&desk.view().book(25)));
/// assert_eq!(book.l2.unwrap().bids[0].qty, Qty(100));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Router {
    floor: Arc<Latch<Floor>>,
    bell: Arc<Bell>,
    /// Whose event comes next: command, and number within it.
    next: (u64, u32),
    /// Events of a command that has not said its last.
    pending: Vec<Event>,
}

impl Router {
    /// A router that goes on from the engine as it stands: new, or recovered. The next event it takes is the first of
    /// the engine's next command.
    #[must_use]
    pub fn begin(engine: &Engine, limits: FeedLimits) -> (Router, Desk) {
        let floor = Floor { model: Model::of(engine), hub: Hub::default(), has_ended: false };
        let floor = Arc::new(Latch::new(floor));
        let bell = Arc::new(Bell::new(engine.seq()));
        let board = Arc::new(Board::new(*engine.spec()));
        let desk = Desk { floor: floor.clone(), bell: bell.clone(), board, limits };
        (Router { floor, bell, next: (engine.seq() + 1, 0), pending: Vec::new() }, desk)
    }

    /// Takes the next event.
    ///
    /// # Panics
    /// As [`Router::take_batch`].
    pub fn take(&mut self, event: &Event) {
        self.take_batch(core::slice::from_ref(event));
    }

    /// Takes the next events: any number of them, a command's may come in several batches.
    ///
    /// # Panics
    /// Where they do not come in order and without gap, and where they say what cannot be: then a reader would be told
    /// something wrong, and it is better to stop. All feeds then end behind their last whole command; the read model may
    /// have half of the next. (Law 6)
    pub fn take_batch(&mut self, events: &[Event]) {
        for event in events {
            assert!((event.seq(), event.n()) == self.next, "released events come in order and without gap");
            self.next = if event.is_last() { (event.seq() + 1, 0) } else { (event.seq(), event.n() + 1) };
        }
        let Some(last) = events.iter().rposition(Event::is_last) else {
            self.pending.extend_from_slice(events);
            return;
        };
        let (whole, begun) = events.split_at(last + 1);
        let mut floor = self.floor.for_router();
        for event in self.pending.iter().chain(whole) {
            floor.take(event);
        }
        drop(floor);
        self.bell.ring(events[last].seq());
        self.pending.clear();
        self.pending.extend_from_slice(begun);
    }
}

/// No router, no more rows: every feed learns it behind the rows it has.
impl Drop for Router {
    fn drop(&mut self) {
        let mut floor = self.floor.for_router();
        let seq = floor.model.seq();
        floor.has_ended = true;
        floor.hub.end(seq);
        drop(floor);
        self.bell.end();
    }
}

impl Floor {
    fn is_open(&self) -> Result<(), FeedError> {
        if self.has_ended { Err(FeedError::Ended) } else { Ok(()) }
    }

    fn take(&mut self, event: &Event) {
        let fact = event.fact().expect("the engine says what this build knows");
        // Rows first: what ends an order is told with the order's name.
        let seen = project(event, event.account());
        if let Some(row) = seen.private {
            self.tell(event.account(), row);
        }
        if let Fact::Fill(fill) = &fact {
            let maker = AccountId(fill.maker_account);
            if maker != event.account()
                && let Some(row) = project(event, maker).private
            {
                self.tell(maker, row);
            }
        }
        let stamp = Stamp { seq: event.seq(), n: event.n(), ts: event.ts() };
        for entry in seen.ledger.iter() {
            self.hub.ledger(|| DropCopyRow::Entry { stamp, entry });
        }
        // What a single order's fact means to the book is told once the book knows.
        if let Some(row) = seen.public.filter(|row| !is_of_one_order(&row.body)) {
            self.hub.public(MarketRow { stamp: row.stamp, body: MarketBody::Fact(row.body) });
        }
        self.model.take(event, &fact, seen.public.as_ref().map(|row| &row.body));
        if event.is_last() {
            self.end_command(stamp);
        }
    }

    /// A private row becomes rows of its party's feeds.
    fn tell(&mut self, account: AccountId, row: contract::project::PrivateRow) {
        if !self.hub.is_heard(account) {
            return;
        }
        for row in rows::rows_of(row, |id| self.model.name(account, id)) {
            self.hub.private(account, row);
        }
    }

    fn end_command(&mut self, stamp: Stamp) {
        let Floor { model, hub, .. } = self;
        model.end_command(stamp.seq, |body| hub.public(MarketRow { stamp, body }));
        hub.deliver(stamp.seq);
    }
}

/// Is it a row about one order, which the book's own rows say better?
fn is_of_one_order(body: &PublicBody) -> bool {
    matches!(body, PublicBody::OrderEntered { .. } | PublicBody::OrderChanged { .. } | PublicBody::OrderGone { .. })
}
