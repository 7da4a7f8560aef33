//! Every stream is a projection of facts, and this file is the only place that makes them. (Law 8)
//!
//! In    one event, and the party who asks.
//! Out   at most one private row for that party, at most one public row, and the ledger entries.
//! Laws  No private row tells one party about another. No public row names an account, a client or
//!       what is not shown. The ledger entries add up to the balances.
//!
//! **The ledger** has for every account two [`Book`]s, and one place outside. An account's
//! `Position` book stands at −unrealised cost, its `Wallet` book at the balance of its `Wallet` state
//! event, both at the end of every command. What moves:
//!
//! | fact | from | to | XBt |
//! |---|---|---|---|
//! | fill | seller's position | buyer's position | value (rule COST-1) |
//! | fill | each party's position | wallet of account 0 | its fee (rebate: the other way) |
//! | `Position` state event | the position | the wallet | realised by the command, fees taken off (rule POS-4) |
//! | deposit, withdrawal | outside / the wallet | the wallet / outside | amount |
//! | insurance funded | outside | wallet of account 1 | amount |
//! | insurance from close-out or sweep | position of account 3 | wallet of account 1 | change |
//! | insurance pays a shortfall | wallet of account 1 | the trader's wallet | −change |
//! | funding | the position | wallet of account 2 | paid |
//! | insurance pays or receives funding | position of account 3 | wallet of account 1 | change |
//!
//! A fill's own entry needs no realised PnL: buying takes over value from the seller at cost, and the
//! state event then moves what became real to the wallet. Margin moved between a wallet and its
//! position (`TransferMargin`) is no entry: posCross is part of the wallet balance. Every entry has
//! two ends, so all books and the outside together are always zero, which is rule SUM-5.

use core::fmt;

use crate::codes::{ExecInst, FillCause, InsuranceCause, LiquidationStep, OrdType, Side, TimeInForce, TransferKind};
use crate::event::{self, Event, Fact};
use crate::units::{AccountId, OrderId, Price, Qty, Rate, Tick, Xbt};

/// What one event means to one party and to the public.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Projection {
    /// For the party asked about.
    pub private: Option<PrivateRow>,
    /// For everybody.
    pub public: Option<PublicRow>,
    /// What moved.
    pub ledger: Ledger,
}

/// An event's identity and time, which everybody may know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// The command.
    pub seq: u64,
    /// The event within it.
    pub n: u32,
    /// When, ns.
    pub ts: u64,
}

/// A row of an account's own stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PrivateRow {
    /// Which event.
    pub stamp: Stamp,
    /// Its number among the account's events, without gaps. Where the account is both parties of a
    /// fill the row has two, and this is the first.
    pub account_seq: u64,
    /// What it says.
    pub body: PrivateBody,
}

/// What a private row says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PrivateBody {
    /// One of the party's orders, or its position, was executed.
    Execution(Execution),
    /// Two of the party's own orders met: the taker's half, then the maker's.
    SelfTrade(Execution, Execution),
    /// Any other fact about the party alone.
    Fact(Fact),
}

/// One party's half of a fill. The other party is not in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Execution {
    /// Its order; number 0 where none was (takeover, deleverage).
    pub order: OrderId,
    /// Which way it traded.
    pub side: Side,
    /// Did its order arrive (and not rest)?
    pub is_taker: bool,
    /// Why.
    pub cause: FillCause,
    /// At what price.
    pub price: FillPrice,
    /// Contracts.
    pub qty: Qty,
    /// Their value.
    pub value: Xbt,
    /// Paid (negative: received).
    pub fee: Xbt,
    /// What its order has left; hidden reserve included.
    pub leaves: Qty,
}

/// A fill's price: on the grid where a book made it, else in 0.01 USD.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FillPrice {
    /// Trade and close-out.
    Tick(Tick),
    /// Takeover and deleverage.
    Price(Price),
}

/// A row of the public stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PublicRow {
    /// Which event.
    pub stamp: Stamp,
    /// What it says.
    pub body: PublicBody,
}

/// What a public row says. Orders have their creation number and nothing of their owner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PublicBody {
    /// An order that may come to rest entered; what it trades at once follows as trades.
    OrderEntered {
        /// Creation number.
        number: u64,
        /// Buy or sell.
        side: Side,
        /// Limit price.
        price: Tick,
        /// Contracts.
        qty: Qty,
    },
    /// An order has another price or open quantity.
    OrderChanged {
        /// Creation number.
        number: u64,
        /// The new limit price; `None`: as it was.
        price: Option<Tick>,
        /// Open contracts.
        open: Qty,
        /// It stands behind all others at its price now.
        loses_place: bool,
    },
    /// An order is gone, or never came to rest.
    OrderGone {
        /// Creation number.
        number: u64,
    },
    /// A match in the book. The open quantity of the resting order falls by `qty`.
    Trade {
        /// The resting order.
        maker: u64,
        /// Side of the order that arrived.
        taker_side: Side,
        /// At the maker's price.
        price: Tick,
        /// Contracts.
        qty: Qty,
        /// Their value.
        value: Xbt,
    },
    /// A position was taken over and is being closed out by a limit order of this number.
    Liquidation {
        /// Number of the lot and of its order.
        lot: u64,
        /// Side of its order.
        side: Side,
        /// Contracts.
        qty: Qty,
        /// Bankruptcy price.
        price: Price,
    },
    /// What the insurance fund holds now.
    Insurance {
        /// Balance.
        balance: Xbt,
    },
    /// Index and mark price.
    Mark {
        /// The index price; none where there is none.
        index: Price,
        /// The mark price.
        mark: Price,
    },
    /// Funding rates.
    FundingRate {
        /// In force until the next instant.
        rate: Rate,
        /// The one after it, as computed so far.
        indicative: Rate,
    },
    /// The market's state changed.
    State(crate::codes::MarketState),
}

/// One of an account's two books, or the outside.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Book {
    /// Where deposits come from and withdrawals go to.
    Outside,
    /// The balance.
    Wallet(AccountId),
    /// −unrealised cost.
    Position(AccountId),
}

/// `outside`, `7` for a wallet, `7:position`.
impl fmt::Display for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Book::Outside => f.write_str("outside"),
            Book::Wallet(account) => write!(f, "{}", account.0),
            Book::Position(account) => write!(f, "{}:position", account.0),
        }
    }
}

/// Why XBt moved.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    /// Contracts changed hands at their value.
    Trade,
    /// A fee, or a rebate.
    Fee,
    /// Profit or loss became real.
    Realised,
    /// Into a wallet from outside.
    Deposit,
    /// From a wallet to the outside.
    Withdraw,
    /// Into, or out of, the insurance fund.
    Insurance,
    /// Funding.
    Funding,
}

impl Reason {
    /// As written in a ledger.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Reason::Trade => "trade",
            Reason::Fee => "fee",
            Reason::Realised => "realised",
            Reason::Deposit => "deposit",
            Reason::Withdraw => "withdraw",
            Reason::Insurance => "insurance",
            Reason::Funding => "funding",
        }
    }
}

/// XBt moved from one book to another; the amount is never negative.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Falls.
    pub from: Book,
    /// Rises.
    pub to: Book,
    /// How much.
    pub xbt: Xbt,
    /// Why.
    pub reason: Reason,
}

/// The entries of one event, at most three.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ledger {
    entries: [Option<Entry>; 3],
}

impl Ledger {
    /// The entries in order.
    pub fn iter(&self) -> impl Iterator<Item = Entry> + '_ {
        self.entries.iter().flatten().copied()
    }

    /// Notes that `xbt` moved; a negative amount moves the other way, and what moves nothing, or
    /// nowhere, is not noted.
    fn note(&mut self, from: Book, to: Book, xbt: Xbt, reason: Reason) {
        if xbt == Xbt::ZERO || from == to {
            return;
        }
        let (from, to) = if xbt.0 < 0 { (to, from) } else { (from, to) };
        let place = self.entries.iter_mut().find(|place| place.is_none()).expect("law 8: a fact moves at most thrice");
        *place = Some(Entry { from, to, xbt: xbt.abs(), reason });
    }
}

/// What `event` means to `party`, to the public, and to the ledger. (Law 8)
///
/// The public row and the ledger do not depend on `party`.
/// ```
/// use centum_contract::project::project;
/// use centum_contract::{AccountId, Event, Fact, Qty, Side, Xbt, event::Fill, FillCause};
/// let (buyer, seller) = (AccountId(4), AccountId(5));
/// let fill = Fill {
///     cause: FillCause::Trade.into(), taker_side: Side::Buy.into(), maker_account: seller.0, maker_seq: 9,
///     price: 20_000, qty: Qty(100), value: Xbt(1_000_000), taker_fee: Xbt(750), maker_fee: Xbt(-250),
///     ..Fill::default()
/// };
/// let event = Event::new(1, 0, 0, buyer, 3, Fact::Fill(fill));
/// let ledger: Vec<String> =
///     project(&event, buyer).ledger.iter().map(|e| format!("{} to {}: {}", e.from, e.to, e.xbt)).collect();
/// assert_eq!(ledger, [
///     "5:position to 4:position: 1000000 XBt", "4:position to 0: 750 XBt", "0 to 5:position: 250 XBt",
/// ]);
/// assert_eq!(project(&event, seller).private.unwrap().account_seq, 9);
/// assert!(project(&event, AccountId(6)).private.is_none());
/// ```
#[must_use]
pub fn project(event: &Event, party: AccountId) -> Projection {
    let stamp = Stamp { seq: event.seq(), n: event.n(), ts: event.ts() };
    let Some(fact) = event.fact() else {
        return Projection { private: None, public: None, ledger: Ledger::default() };
    };
    Projection {
        private: private(event, &fact, party).map(|(account_seq, body)| PrivateRow { stamp, account_seq, body }),
        public: public(&fact).map(|body| PublicRow { stamp, body }),
        ledger: ledger(event.account(), &fact),
    }
}

/// The row of the party, and nobody's where it is not concerned.
fn private(event: &Event, fact: &Fact, party: AccountId) -> Option<(u64, PrivateBody)> {
    if party == AccountId::NONE {
        return None;
    }
    let is_named = event.account() == party;
    let Fact::Fill(fill) = fact else {
        return is_named.then_some((event.account_seq(), PrivateBody::Fact(*fact)));
    };
    let taker = is_named.then(|| half(fill, true)).flatten();
    let maker = (fill.maker_account == party.0).then(|| half(fill, false)).flatten();
    match (taker, maker) {
        (Some(taker), Some(maker)) => Some((event.account_seq(), PrivateBody::SelfTrade(taker, maker))),
        (Some(taker), None) => Some((event.account_seq(), PrivateBody::Execution(taker))),
        (None, Some(maker)) => Some((fill.maker_seq, PrivateBody::Execution(maker))),
        (None, None) => None,
    }
}

/// One party's half of a fill.
fn half(fill: &event::Fill, is_taker: bool) -> Option<Execution> {
    let (cause, taker_side) = (fill.cause.get()?, fill.taker_side.get()?);
    let (side, number, slot, fee, leaves) = if is_taker {
        (taker_side, fill.taker_number, fill.taker_slot, fill.taker_fee, fill.taker_leaves)
    } else {
        (taker_side.opposite(), fill.maker_number, fill.maker_slot, fill.maker_fee, fill.maker_leaves)
    };
    let price = match cause {
        FillCause::Trade | FillCause::CloseOut => FillPrice::Tick(tick(fill)),
        FillCause::Takeover | FillCause::Deleverage => FillPrice::Price(Price(fill.price)),
    };
    let order = OrderId { number, slot };
    Some(Execution { order, side, is_taker, cause, price, qty: fill.qty, value: fill.value, fee, leaves })
}

fn tick(fill: &event::Fill) -> Tick {
    Tick(u32::try_from(fill.price).unwrap_or(u32::MAX))
}

/// The row for everybody. Takeovers and deleverages move positions outside the book and are not
/// published as trades.
fn public(fact: &Fact) -> Option<PublicBody> {
    match fact {
        Fact::Accepted(order) if may_rest(order) => Some(PublicBody::OrderEntered {
            number: order.number,
            side: order.side.get()?,
            price: order.price,
            qty: order.qty,
        }),
        Fact::Amended(order) => Some(PublicBody::OrderChanged {
            number: order.number,
            price: Some(order.price),
            open: order.leaves,
            loses_place: order.has_lost_place(),
        }),
        Fact::Restated(order) => {
            Some(PublicBody::OrderChanged { number: order.number, price: None, open: order.leaves, loses_place: false })
        }
        Fact::Canceled(order) => Some(PublicBody::OrderGone { number: order.number }),
        Fact::Fill(fill) => match fill.cause.get()? {
            FillCause::Trade | FillCause::CloseOut => Some(PublicBody::Trade {
                maker: fill.maker_number,
                taker_side: fill.taker_side.get()?,
                price: tick(fill),
                qty: fill.qty,
                value: fill.value,
            }),
            FillCause::Takeover | FillCause::Deleverage => None,
        },
        Fact::Liquidation(step) if step.step.get() == Some(LiquidationStep::TakenOver) => {
            Some(PublicBody::Liquidation {
                lot: step.lot,
                side: Side::that_reduces(step.qty)?,
                qty: Qty(step.qty.unsigned_abs()),
                price: step.bankruptcy_price,
            })
        }
        Fact::Liquidation(step) if step.step.get() == Some(LiquidationStep::Netted) => Some(match step.qty {
            0 => PublicBody::OrderGone { number: step.lot },
            left => {
                let open = Qty(left.unsigned_abs());
                PublicBody::OrderChanged { number: step.lot, price: None, open, loses_place: false }
            }
        }),
        Fact::Insurance(change) => Some(PublicBody::Insurance { balance: change.balance }),
        Fact::IndexMark(mark) => Some(PublicBody::Mark { index: mark.index, mark: mark.mark }),
        Fact::FundingRate(rate) => Some(PublicBody::FundingRate { rate: rate.rate, indicative: rate.indicative }),
        Fact::State(state) => state.state.get().map(PublicBody::State),
        _ => None,
    }
}

/// May this order come to rest in sight? Hidden and iceberg orders are not built; until their rows
/// know what is shown, an order that says how much it displays has none.
fn may_rest(order: &event::Accepted) -> bool {
    let shown = order.display == Qty::ZERO || order.display == order.qty;
    let rests = matches!(order.tif.get(), Some(TimeInForce::GoodTillCancel | TimeInForce::Day));
    shown && rests && order.ord_type.get() == Some(OrdType::Limit) && !order.exec_inst.has(ExecInst::ALL_OR_NONE)
}

/// What moved; the table at the top of this file.
fn ledger(account: AccountId, fact: &Fact) -> Ledger {
    let mut out = Ledger::default();
    let (wallet, position) = (Book::Wallet(account), Book::Position(account));
    match fact {
        Fact::Fill(fill) => {
            let maker = Book::Position(AccountId(fill.maker_account));
            let (seller, buyer) =
                if fill.taker_side.get() == Some(Side::Buy) { (maker, position) } else { (position, maker) };
            out.note(seller, buyer, fill.value, Reason::Trade);
            out.note(position, Book::Wallet(AccountId::FEES), fill.taker_fee, Reason::Fee);
            out.note(maker, Book::Wallet(AccountId::FEES), fill.maker_fee, Reason::Fee);
        }
        Fact::Position(state) => out.note(position, wallet, state.realised_by_command, Reason::Realised),
        Fact::Transfer(transfer) => match transfer.kind.get() {
            Some(TransferKind::Deposit) => out.note(Book::Outside, wallet, transfer.amount, Reason::Deposit),
            Some(TransferKind::Withdraw) => out.note(wallet, Book::Outside, transfer.amount, Reason::Withdraw),
            Some(TransferKind::Margin) | None => {}
        },
        Fact::Insurance(change) => {
            let source = match change.cause.get() {
                Some(InsuranceCause::Funded) => Book::Outside,
                Some(
                    InsuranceCause::CloseOut
                    | InsuranceCause::Sweep
                    | InsuranceCause::Netting
                    | InsuranceCause::Funding,
                ) => Book::Position(AccountId::LIQUIDATION),
                Some(InsuranceCause::Shortfall) => Book::Wallet(AccountId(change.counterparty)),
                None => return out,
            };
            out.note(source, Book::Wallet(AccountId::INSURANCE), change.change, Reason::Insurance);
        }
        Fact::Funding(funding) => {
            out.note(position, Book::Wallet(AccountId::RESIDUE), funding.paid, Reason::Funding);
        }
        _ => {}
    }
    out
}
