//! Questions to the read model.

use std::sync::Arc;

use contract::view::{self, view};
use contract::{AccountId, Price, Target, event};

use super::Floor;
use super::latch::Latch;
use super::ranking::{Board, Deleveraging, Ranking};
use super::rows::{L2, OpenOrder, Top};

/// The read model: what stands after the last whole command that was released.
///
/// Every answer is a copy and is of one moment, and says which where it has several parts. Asking holds the router up
/// no longer than copying takes, however many ask. What is asked about an account says nothing about another; who may
/// ask about which is the embedder's to check.
///
/// ```
/// use engine::Engine;
/// use centum_runtime::router::{FeedLimits, Router};
/// use contract::*;
///
/// let spec = ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
/// let mut engine = Engine::new(&Genesis { spec, capacity: Capacity::default() })?;
/// let (mut router, desk) = Router::begin(&engine, FeedLimits::default());
/// let view = desk.view();
/// assert_eq!((view.as_of(), view.mark()), (0, None));
///
/// let mut events = Vec::new();
/// let mark = Action::Mark(command::Mark { price: Price(1_000_000) });
/// engine.apply(&Command::new(AccountId::NONE, mark).stamped(1, 0), &mut events);
/// router.take_batch(&events);
/// assert_eq!((view.as_of(), view.mark()), (1, Some(Price(1_000_000))));
/// assert!(view.book(25).bids.is_empty() && view.account(AccountId(4)).is_none());
/// # Ok::<(), contract::spec::SpecError>(())
/// ```
#[derive(Clone, Debug)]
pub struct View {
    pub(super) floor: Arc<Latch<Floor>>,
    pub(super) board: Arc<Board>,
}

/// An account at the mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct AccountView {
    /// After this command.
    pub as_of: u64,
    /// Balance, order margin and its sums.
    pub wallet: event::Wallet,
    /// The position as its last event said.
    pub position: event::Position,
    /// The mark price; none before the first.
    pub mark: Price,
    /// What follows from all of that: margins, available, unrealised PnL, the prices as they are now.
    pub figures: view::View,
}

impl View {
    /// The last command that is in it.
    #[must_use]
    pub fn as_of(&self) -> u64 {
        self.floor.for_reader().model.seq()
    }

    /// The mark price in force.
    #[must_use]
    pub fn mark(&self) -> Option<Price> {
        let mark = self.floor.for_reader().model.mark;
        (mark != Price::NONE).then_some(mark)
    }

    /// The best levels of the public book, at most `depth` a side.
    #[must_use]
    pub fn book(&self, depth: usize) -> L2 {
        self.floor.for_reader().model.l2(depth)
    }

    /// Best bid and ask.
    #[must_use]
    pub fn top(&self) -> Top {
        self.floor.for_reader().model.top()
    }

    /// An account's open orders, oldest first; `None` where no trader has it.
    #[must_use]
    pub fn orders(&self, account: AccountId) -> Option<Vec<OpenOrder>> {
        self.floor.for_reader().model.orders(account)
    }

    /// One of an account's open orders, by the venue's number or the client's name. Another's looks unknown. (Rule ID-2)
    #[must_use]
    pub fn order(&self, account: AccountId, target: &Target) -> Option<OpenOrder> {
        self.floor.for_reader().model.order_of(account, target)
    }

    /// An account's wallet.
    #[must_use]
    pub fn wallet(&self, account: AccountId) -> Option<event::Wallet> {
        self.floor.for_reader().model.wallet(account)
    }

    /// An account's position as its last event said; [`View::account`] has what depends on the mark.
    #[must_use]
    pub fn position(&self, account: AccountId) -> Option<event::Position> {
        self.floor.for_reader().model.position(account)
    }

    /// An account with all that depends on the mark.
    #[must_use]
    pub fn account(&self, account: AccountId) -> Option<AccountView> {
        let (spec, rate, mut found) = {
            let floor = self.floor.for_reader();
            let model = &floor.model;
            let found = AccountView {
                as_of: model.seq(),
                wallet: model.wallet(account)?,
                position: model.position(account)?,
                mark: model.mark,
                figures: view::View::default(),
            };
            (*model.spec(), model.rate, found)
        };
        // Sums are done outside of the lock.
        found.figures = view(&spec, rate, &found.wallet, &found.position, found.mark);
        Some(found)
    }

    /// How near an account is to being deleveraged, by its side's ranking as everybody stands now: percentile and
    /// lights. `None` where no trader has it, it holds nothing, or there is no mark. (Rules ADL-1, ADL-3)
    ///
    /// Costs what [`View::ranking`] costs: to answer many, take one ranking and ask that.
    ///
    /// ```
    /// use engine::Engine;
    /// use centum_runtime::router::{FeedLimits, Router};
    /// use contract::command::{Amount, Mark, OpenAccount};
    /// use contract::*;
    ///
    /// let spec = ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
    /// let mut engine = Engine::new(&Genesis { spec, capacity: Capacity::default() })?;
    /// let (mut router, desk) = Router::begin(&engine, FeedLimits::default());
    /// let mut seq = 0;
    /// let mut apply = |account, action| {
    ///     let mut events = Vec::new();
    ///     seq += 1;
    ///     engine.apply(&Command::new(account, action).stamped(seq, 0), &mut events);
    ///     router.take_batch(&events);
    /// };
    /// let (alice, bob, carol) = (AccountId(4), AccountId(5), AccountId(6));
    /// apply(AccountId::NONE, Action::Mark(Mark { price: Price(1_000_000) }));
    /// for account in [alice, bob, carol] {
    ///     apply(account, Action::OpenAccount(OpenAccount { fee_class: 0 }));
    ///     apply(account, Action::Deposit(Amount { amount: Xbt(100_000_000) }));
    /// }
    /// let order = |side, qty| Action::New(NewOrder::limit(ClOrdId::NONE, side, Tick(20_000), Qty(qty)));
    /// apply(carol, order(Side::Sell, 100));
    /// apply(alice, order(Side::Buy, 20));
    /// apply(bob, order(Side::Buy, 80));
    /// // Neither has won or lost: the larger position first, 80 and then 100 of 100 contracts.
    /// let shown = |account| desk.view().deleveraging(account).map(|it| (it.percentile, it.lights));
    /// assert_eq!((shown(bob), shown(alice), shown(carol)), (Some((80, 2)), Some((100, 1)), Some((100, 1))));
    /// # Ok::<(), contract::spec::SpecError>(())
    /// ```
    #[must_use]
    pub fn deleveraging(&self, account: AccountId) -> Option<Deleveraging> {
        self.ranking().of(account)
    }

    /// The ranking as everybody stands now, to ask many accounts of.
    ///
    /// Where mark and holdings are as they were, it is the last one again. Where not, it is made anew on the thread that
    /// asks: what has changed is copied, and everybody who holds something is scored and sorted, which takes long in a
    /// large market (`docs/feeds.md` has figures). The router is held up for the copying of 256 accounts at a time.
    #[must_use]
    pub fn ranking(&self) -> Ranking {
        self.board.ranking(&self.floor)
    }
}
