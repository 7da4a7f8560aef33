//! What the engine says: 128-byte events.
//!
//! An *event* is the record, a *fact* what it says, a *row* what `project` makes of it. `(seq, n)` is
//! an event's identity; execution and match ids are made from it.

use crate::cl_ord_id::ClOrdId;
use crate::codes::{
    CancelReason, Contingency, ExecInst, FillCause, InsuranceCause, LiquidationStep, MarketState, OrdType,
    PegPriceType, SelfTrade, Side, TimeInForce, TransferKind, Trigger,
};
use crate::reject::Reject;
use crate::units::{AccountId, Leverage, Price, Qty, Rate, Tick, Xbt};
use crate::words::{Code, Coded, Field, RECORD_BYTES, Wire, Words, coded, layout};

coded! {
    /// The kind of an event. Numbered once.
    #[non_exhaustive]
    EventKind {
        /// An order was admitted; its full terms.
        Accepted = 1,
        /// A command was refused.
        Rejected = 2,
        /// An order has new terms.
        Amended = 3,
        /// An order is gone, or never came to rest.
        Canceled = 4,
        /// A stop fired.
        Triggered = 5,
        /// The engine changed an order's quantity.
        Restated = 6,
        /// Two parties were matched.
        Fill = 7,
        /// Funding was paid.
        Funding = 8,
        /// XBt moved between a wallet and the outside, or into a position's margin.
        Transfer = 9,
        /// A step of a liquidation.
        Liquidation = 10,
        /// The insurance fund changed.
        Insurance = 11,
        /// Index or mark changed.
        IndexMark = 12,
        /// A funding rate came into force, or the next one changed.
        FundingRate = 13,
        /// The market's state changed.
        State = 14,
        /// The specification changed.
        SpecChanged = 15,
        /// A result of the audit.
        Audit = 16,
        /// The command was carried out and there is nothing else to say.
        Done = 17,
        /// State event: balance, order margin and its sums.
        Wallet = 18,
        /// State event: the position.
        Position = 19,
    }
}

/// An event, 128 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Event {
    words: Words,
}

const _: () = assert!(size_of::<Event>() == RECORD_BYTES, "one event, two cache lines");

/// The fields that every event has. `reason` means what its kind says.
pub const EVENT_HEADER: &[Field] = &[
    Field { name: "seq", kind: "u64", offset: 0, size: 8 },
    Field { name: "ts", kind: "u64", offset: 8, size: 8 },
    Field { name: "account_seq", kind: "u64", offset: 16, size: 8 },
    Field { name: "account", kind: "u32", offset: 24, size: 4 },
    Field { name: "n", kind: "u32", offset: 28, size: 4 },
    Field { name: "kind", kind: "u8", offset: 32, size: 1 },
    Field { name: "last", kind: "u8", offset: 33, size: 1 },
    Field { name: "reason", kind: "u16", offset: 34, size: 2 },
];

layout! { 34;
    /// An order's full terms.
    Accepted {
        /// Instructions (in the place of the header's `reason`).
        exec_inst: ExecInst = 34,
        /// Limit price; for a market order the price fixed on entry (rule OM-8), 0 where it takes none.
        price: Tick = 36,
        /// The client's name for it.
        cl_ord_id: ClOrdId = 40,
        /// Stop price; 0 is none.
        stop: Tick = 76,
        /// Creation number.
        number: u64 = 80,
        /// Contracts.
        qty: Qty = 88,
        /// Contracts shown.
        display: Qty = 96,
        /// Link of a contingent order; 0 is none.
        link: u64 = 104,
        /// Slot.
        slot: u32 = 112,
        /// Peg offset in ticks.
        peg_offset: i32 = 116,
        /// Buy or sell.
        side: Code<Side> = 120,
        /// Type.
        ord_type: Code<OrdType> = 121,
        /// Time in force.
        tif: Code<TimeInForce> = 122,
        /// What happens against the own account.
        self_trade: Code<SelfTrade> = 123,
        /// Reference of a stop.
        trigger: Code<Trigger> = 124,
        /// Contingency.
        contingency: Code<Contingency> = 125,
        /// Peg.
        peg: Code<PegPriceType> = 126,
    }
}

layout! { 34;
    /// A command was refused.
    Rejected {
        /// Why: a [`Reject`].
        reason: u16 = 34,
        /// The session it came from.
        session: u32 = 36,
        /// The number its text needs: XBt required, or the position.
        detail: i64 = 40,
        /// The client's name of the order, where the command gave one.
        cl_ord_id: ClOrdId = 48,
        /// Slot of the order it named; 0 where it named none by id.
        slot: u32 = 84,
        /// The submitter's number for it.
        request: u64 = 88,
        /// Creation number of the order it named; 0 where it named none by id.
        number: u64 = 96,
        /// The byte of its kind.
        command: u8 = 104,
    }
}

layout! { 34;
    /// An order has new terms.
    Amended {
        /// Limit price.
        price: Tick = 36,
        /// The client's name for it.
        cl_ord_id: ClOrdId = 40,
        /// Slot.
        slot: u32 = 76,
        /// Creation number.
        number: u64 = 80,
        /// Total quantity.
        qty: Qty = 88,
        /// Open quantity.
        leaves: Qty = 96,
        /// Stop price or peg offset.
        stop: Tick = 104,
        /// [`AMENDED_LOST_PLACE`] or none.
        flags: u8 = 108,
    }
}

impl Amended {
    /// Does it stand behind all others at its price now? (Rule AMEND-1)
    #[must_use]
    pub const fn has_lost_place(&self) -> bool {
        self.flags & AMENDED_LOST_PLACE != 0
    }
}

layout! { 34;
    /// An order is gone.
    Canceled {
        /// Why: a [`CancelReason`].
        reason: u16 = 34,
        /// The session whose command did it; 0 where none of its own account's did.
        session: u32 = 36,
        /// Creation number.
        number: u64 = 40,
        /// The quantity that was still open.
        leaves: Qty = 48,
        /// The number of that command.
        request: u64 = 56,
        /// Slot.
        slot: u32 = 64,
    }
}

layout! { 34;
    /// A stop fired (reserved).
    Triggered {
        /// Slot.
        slot: u32 = 36,
        /// Creation number.
        number: u64 = 40,
        /// The price that fired it.
        price: Price = 48,
    }
}

layout! { 34;
    /// The engine changed an order's quantity.
    Restated {
        /// Why: a [`CancelReason`].
        reason: u16 = 34,
        /// Slot.
        slot: u32 = 36,
        /// Creation number.
        number: u64 = 40,
        /// Total quantity.
        qty: Qty = 48,
        /// Open quantity.
        leaves: Qty = 56,
    }
}

layout! { 34;
    /// Two parties were matched. The header's account and account_seq are the taker's.
    Fill {
        /// Why.
        cause: Code<FillCause> = 34,
        /// Side of the taker.
        taker_side: Code<Side> = 35,
        /// The maker's account.
        maker_account: u32 = 36,
        /// The taker's order; 0 for a takeover.
        taker_number: u64 = 40,
        /// The maker's order; 0 for a takeover or a deleverage.
        maker_number: u64 = 48,
        /// The maker's number of this event.
        maker_seq: u64 = 56,
        /// Ticks for Trade and CloseOut, 0.01 USD for Takeover and Deleverage.
        price: u64 = 64,
        /// Contracts.
        qty: Qty = 72,
        /// Their value.
        value: Xbt = 80,
        /// Paid by the taker (negative: received).
        taker_fee: Xbt = 88,
        /// Paid by the maker (negative: received).
        maker_fee: Xbt = 96,
        /// Open quantity of the taker's order after it.
        taker_leaves: Qty = 104,
        /// Open quantity of the maker's order after it.
        maker_leaves: Qty = 112,
        /// Slot of the taker's order.
        taker_slot: u32 = 120,
        /// Slot of the maker's order.
        maker_slot: u32 = 124,
    }
}

layout! { 34;
    /// Funding was paid: contracts held, mark and rate of the instant, XBt paid (negative: received). For the liquidation
    /// account what the fund could pay. (Rules FUND-3, FUND-6)
    Funding {
        /// Contracts, signed.
        qty: i64 = 40,
        /// Mark price of the instant.
        mark: Price = 48,
        /// The rate.
        rate: Rate = 56,
        /// Paid (negative: received).
        paid: Xbt = 64,
    }
}

layout! { 34;
    /// XBt moved.
    Transfer {
        /// How.
        kind: Code<TransferKind> = 34,
        /// How much; signed for margin.
        amount: Xbt = 40,
    }
}

layout! { 34;
    /// A step of a liquidation. Of a lot, the header's account is the liquidation account.
    Liquidation {
        /// Which.
        step: Code<LiquidationStep> = 34,
        /// Creation number of the lot; 0 where there is none.
        lot: u64 = 40,
        /// Contracts, signed: the position's or the lot's.
        qty: i64 = 48,
        /// Mark price.
        mark: Price = 56,
        /// Liquidation price; 0 for a lot.
        liquidation_price: Price = 64,
        /// Bankruptcy price.
        bankruptcy_price: Price = 72,
        /// Value of one unit at bankruptcy, XBt; 0 where none was fixed yet.
        unit_value: u64 = 80,
    }
}

layout! { 34;
    /// The insurance fund changed.
    Insurance {
        /// Why.
        cause: Code<InsuranceCause> = 34,
        /// The account on the other side.
        counterparty: u32 = 36,
        /// By how much.
        change: Xbt = 40,
        /// What it holds now.
        balance: Xbt = 48,
    }
}

layout! { 34;
    /// Index or mark changed.
    IndexMark {
        /// The index price; 0 where there is none.
        index: Price = 40,
        /// The mark price.
        mark: Price = 48,
    }
}

layout! { 34;
    /// A funding rate came into force, an instant was reached, or the indicative rate changed. (Rules FUND-1, FUND-2)
    FundingRateFact {
        /// In force until the next instant.
        rate: Rate = 40,
        /// The one after it, as computed so far; the same, where rates come from outside.
        indicative: Rate = 48,
    }
}

layout! { 34;
    /// The market's state changed. (Rule HALT-1)
    State {
        /// The new state.
        state: Code<MarketState> = 34,
    }
}

layout! { 34;
    /// The specification changed (reserved).
    SpecChanged {
        /// Number of this part, from 0.
        part: u16 = 36,
        /// How many there are.
        parts: u16 = 38,
    }
}

layout! { 34;
    /// The audit found a law broken; about the account where it is one account's. (Rule HALT-1)
    Audit {
        /// The number of the SUM law.
        law: u16 = 34,
        /// What it came to.
        found: i64 = 40,
        /// What it had to be.
        expected: i64 = 48,
    }
}

layout! { 34;
    /// Carried out, nothing else to say.
    Done {
        /// The session.
        session: u32 = 36,
        /// The submitter's number for it.
        request: u64 = 40,
    }
}

layout! { 34;
    /// Balance, order margin and its sums, after the command. (Rules OM-1 to OM-5)
    Wallet {
        /// Wallet balance.
        balance: Xbt = 40,
        /// Margin held for open orders.
        order_margin: Xbt = 48,
        /// Open contracts of all buys.
        buy_qty: Qty = 56,
        /// Their value at their limits.
        buy_cost: Xbt = 64,
        /// Their premium.
        buy_premium: Xbt = 72,
        /// Open contracts of all sells.
        sell_qty: Qty = 80,
        /// Their value at their limits.
        sell_cost: Xbt = 88,
        /// Their premium.
        sell_premium: Xbt = 96,
    }
}

layout! { 34;
    /// The position, after the command. (Rules POS-*, MARGIN-*)
    Position {
        /// Hundredths; 0 is cross.
        leverage: Leverage = 36,
        /// Contracts, signed.
        qty: i64 = 40,
        /// Unrealised cost, signed: negative for a long. (Rule COST-1)
        cost: Xbt = 48,
        /// Realised PnL since the account was opened, fees taken off. (Rule POS-4)
        realised: Xbt = 56,
        /// Of which by this command.
        realised_by_command: Xbt = 64,
        /// Commission paid since the account was opened.
        commission: Xbt = 72,
        /// Initial margin. (Rule MARGIN-1)
        init: Xbt = 80,
        /// Margin added by hand or premium, isolated only. (Rule MARGIN-2)
        cross: Xbt = 88,
        /// Funding paid while open. (Rule MARGIN-4)
        loss: Xbt = 96,
        /// As of this event; 0 when flat. In cross margin orders and transfers move it: `view` has it now.
        liquidation_price: Price = 104,
        /// As of this event; 0 when flat.
        bankruptcy_price: Price = 112,
        /// Risk tier.
        tier: u16 = 120,
        /// Fee class.
        fee_class: u8 = 122,
        /// Bit 0: suspended.
        flags: u8 = 123,
    }
}

/// The order gave up its place in the queue, or moved to another price.
pub const AMENDED_LOST_PLACE: u8 = 1;

/// The account is suspended.
pub const POSITION_SUSPENDED: u8 = 1;

/// What an event says, typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Fact {
    /// [`EventKind::Accepted`]
    Accepted(Accepted),
    /// [`EventKind::Rejected`]
    Rejected(Rejected),
    /// [`EventKind::Amended`]
    Amended(Amended),
    /// [`EventKind::Canceled`]
    Canceled(Canceled),
    /// [`EventKind::Triggered`]
    Triggered(Triggered),
    /// [`EventKind::Restated`]
    Restated(Restated),
    /// [`EventKind::Fill`]
    Fill(Fill),
    /// [`EventKind::Funding`]
    Funding(Funding),
    /// [`EventKind::Transfer`]
    Transfer(Transfer),
    /// [`EventKind::Liquidation`]
    Liquidation(Liquidation),
    /// [`EventKind::Insurance`]
    Insurance(Insurance),
    /// [`EventKind::IndexMark`]
    IndexMark(IndexMark),
    /// [`EventKind::FundingRate`]
    FundingRate(FundingRateFact),
    /// [`EventKind::State`]
    State(State),
    /// [`EventKind::SpecChanged`]
    SpecChanged(SpecChanged),
    /// [`EventKind::Audit`]
    Audit(Audit),
    /// [`EventKind::Done`]
    Done(Done),
    /// [`EventKind::Wallet`]
    Wallet(Wallet),
    /// [`EventKind::Position`]
    Position(Position),
}

/// The body of one kind of event.
pub trait Body: Copy {
    /// The kind whose body it is.
    const KIND: EventKind;
    /// Writes it into a record whose body is zero.
    fn put(self, words: &mut Words);
}

macro_rules! facts {
    ($($variant:ident($body:ident)),*) => {
        $(
            impl Body for $body {
                const KIND: EventKind = EventKind::$variant;
                #[inline(always)]
                fn put(self, words: &mut Words) {
                    self.write(words);
                }
            }

            impl From<$body> for Fact {
                fn from(body: $body) -> Fact {
                    Fact::$variant(body)
                }
            }
        )*

        impl Fact {
            /// Its kind.
            #[must_use]
            pub const fn kind(&self) -> EventKind {
                match self { $( Fact::$variant(_) => EventKind::$variant ),* }
            }

            fn event(self, seq: u64, ts: u64, n: u32, account: AccountId, account_seq: u64) -> Event {
                match self { $( Fact::$variant(body) => Event::of(seq, ts, n, account, account_seq, body) ),* }
            }

            fn read(kind: EventKind, words: &Words) -> Fact {
                match kind { $( EventKind::$variant => Fact::$variant($body::read(words)) ),* }
            }
        }

        /// The fields of every kind's body, for `docs/records.json`.
        pub const EVENT_BODIES: &[(EventKind, &[Field])] = &[ $( (EventKind::$variant, $body::FIELDS) ),* ];
    };
}

facts! {
    Accepted(Accepted), Rejected(Rejected), Amended(Amended), Canceled(Canceled), Triggered(Triggered),
    Restated(Restated), Fill(Fill), Funding(Funding), Transfer(Transfer), Liquidation(Liquidation),
    Insurance(Insurance), IndexMark(IndexMark), FundingRate(FundingRateFact), State(State),
    SpecChanged(SpecChanged), Audit(Audit), Done(Done), Wallet(Wallet), Position(Position)
}

impl Event {
    /// An event about `account` (or [`AccountId::NONE`]): `body` is one of the structures of this module.
    #[inline(always)]
    #[must_use]
    pub fn of(seq: u64, ts: u64, n: u32, account: AccountId, account_seq: u64, body: impl Body) -> Event {
        let mut words = [0; 16];
        words[0] = seq;
        words[1] = ts;
        words[2] = account_seq;
        account.0.put(&mut words, 24);
        n.put(&mut words, 28);
        Self::kind_of(&body).code().put(&mut words, 32);
        body.put(&mut words);
        Event { words }
    }

    /// The same with the body as a fact.
    #[must_use]
    pub fn new(seq: u64, ts: u64, n: u32, account: AccountId, account_seq: u64, fact: Fact) -> Event {
        fact.event(seq, ts, n, account, account_seq)
    }

    #[inline(always)]
    const fn kind_of<B: Body>(_body: &B) -> EventKind {
        B::KIND
    }

    /// The word and the bit that mark the last event of its command.
    pub const LAST: (usize, u64) = (4, 1 << 8);

    /// The same as the last event of its command.
    #[inline(always)]
    #[must_use]
    pub fn as_last(mut self) -> Event {
        let (word, bit) = Event::LAST;
        self.words[word] |= bit;
        self
    }

    /// The command that caused it.
    #[inline(always)]
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.words[0]
    }

    /// Its time, ns: the command's, or that of the due work.
    #[must_use]
    pub fn ts(&self) -> u64 {
        self.words[1]
    }

    /// Its number among the command's events, from 0.
    #[must_use]
    pub fn n(&self) -> u32 {
        u32::get(&self.words, 28)
    }

    /// Is it the command's last?
    #[must_use]
    pub fn is_last(&self) -> bool {
        u8::get(&self.words, 33) & 1 != 0
    }

    /// The account it is about, or [`AccountId::NONE`].
    #[must_use]
    pub fn account(&self) -> AccountId {
        AccountId(u32::get(&self.words, 24))
    }

    /// Its number among that account's events, from 1 without gaps; 0 where there is no account.
    #[must_use]
    pub fn account_seq(&self) -> u64 {
        self.words[2]
    }

    /// Its kind; `None` when the byte names none.
    #[inline(always)]
    #[must_use]
    pub fn kind(&self) -> Option<EventKind> {
        EventKind::from_code(u8::get(&self.words, 32))
    }

    /// What it says; `None` when the kind is unknown.
    #[must_use]
    pub fn fact(&self) -> Option<Fact> {
        self.kind().map(|kind| Fact::read(kind, &self.words))
    }

    /// Its words, for the chain, the ring and the journal.
    #[inline(always)]
    #[must_use]
    pub const fn words(&self) -> &Words {
        &self.words
    }

    /// An event of these words.
    #[inline(always)]
    #[must_use]
    pub const fn from_words(words: Words) -> Event {
        Event { words }
    }

    /// Its 128 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; RECORD_BYTES] {
        core::array::from_fn(|i| (self.words[i / 8] >> (8 * (i % 8))) as u8)
    }

    /// An event of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; RECORD_BYTES]) -> Event {
        let word = |i: usize| core::array::from_fn(|j| bytes[8 * i + j]);
        Event { words: core::array::from_fn(|i| u64::from_le_bytes(word(i))) }
    }
}

impl From<Event> for Words {
    #[inline(always)]
    fn from(event: Event) -> Words {
        event.words
    }
}

impl From<Words> for Event {
    #[inline(always)]
    fn from(words: Words) -> Event {
        Event { words }
    }
}

impl Rejected {
    /// Why.
    #[must_use]
    pub fn reject(&self) -> Option<Reject> {
        u8::try_from(self.reason).ok().and_then(Reject::from_code)
    }
}

impl Canceled {
    /// Why.
    #[must_use]
    pub fn cancel_reason(&self) -> Option<CancelReason> {
        u8::try_from(self.reason).ok().and_then(CancelReason::from_code)
    }
}

impl core::fmt::Debug for Event {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "#{}.{}{} ", self.seq(), self.n(), if self.is_last() { "!" } else { "" })?;
        if self.account() != AccountId::NONE {
            write!(f, "account {} ({}) ", self.account().0, self.account_seq())?;
        }
        match self.fact() {
            Some(fact) => write!(f, "{fact:?}"),
            None => write!(f, "{:x?}", self.words),
        }
    }
}
