//! Enumerations that travel in records. Every number is on the wire and in journals.

use crate::words::{Wire, Words, coded};

coded! {
    /// Direction of an order or a fill.
    Side {
        /// Long opens, short closes.
        Buy = 1,
        /// Short opens, long closes.
        Sell = 2,
    }
}

impl Side {
    /// The other one.
    #[must_use]
    pub const fn opposite(self) -> Side {
        match self {
            Side::Buy => Side::Sell,
            Side::Sell => Side::Buy,
        }
    }

    /// +1 for a buy, −1 for a sell: the sign of the position it opens.
    #[must_use]
    pub const fn sign(self) -> i64 {
        match self {
            Side::Buy => 1,
            Side::Sell => -1,
        }
    }

    /// The side that reduces a position of this signed quantity; `None` when it is flat.
    #[must_use]
    pub const fn that_reduces(position: i64) -> Option<Side> {
        match position {
            0 => None,
            1.. => Some(Side::Sell),
            _ => Some(Side::Buy),
        }
    }
}

coded! {
    /// Rule TYPE-1.
    #[non_exhaustive]
    OrdType {
        /// At its price or better.
        Limit = 1,
        /// At once, at a limit fixed on entry by rule OM-8; the rest is cancelled.
        Market = 2,
        /// A market order once its stop price is reached.
        Stop = 3,
        /// A limit order once its stop price is reached.
        StopLimit = 4,
        /// A market order once a better price is touched.
        MarketIfTouched = 5,
        /// A limit order once a better price is touched.
        LimitIfTouched = 6,
        /// Follows a reference price.
        Pegged = 7,
        /// Takes the touch, rests with what is left.
        MarketWithLeftOverAsLimit = 8,
    }
}

coded! {
    /// Rule TIF-1.
    TimeInForce {
        /// Until the session rolls.
        Day = 1,
        /// Until cancelled. The default.
        GoodTillCancel = 2,
        /// What trades at once; the rest is cancelled.
        ImmediateOrCancel = 3,
        /// All of it at once, or nothing.
        FillOrKill = 4,
    }
}

coded! {
    /// Reference of a stop. (Rule INST-5)
    Trigger {
        /// The mark price. The default.
        MarkPrice = 1,
        /// The last traded price.
        LastPrice = 2,
        /// The index price.
        IndexPrice = 3,
    }
}

coded! {
    /// What happens where an order would trade with its own account. Zero: it trades. (Rule STP-1)
    SelfTrade {
        /// The arriving order goes.
        CancelNewest = 1,
        /// The resting order goes.
        CancelOldest = 2,
        /// Both go.
        CancelBoth = 3,
        /// Both shrink by the smaller of the two.
        Decrement = 4,
    }
}

coded! {
    /// Rule LINK-1.
    Contingency {
        /// The first fill or trigger cancels the rest.
        OneCancelsTheOther = 1,
        /// A full fill releases the rest.
        OneTriggersTheOther = 2,
    }
}

coded! {
    /// What a pegged order follows.
    PegPriceType {
        /// The opposite touch.
        MarketPeg = 1,
        /// The own touch.
        PrimaryPeg = 2,
        /// The middle.
        MidPricePeg = 3,
        /// The last traded price.
        LastPeg = 4,
        /// The best price since entry, at most once a second.
        TrailingStopPeg = 5,
    }
}

coded! {
    /// Where the mark price comes from. (Rule MARK-2)
    #[non_exhaustive]
    Marking {
        /// Index and funding basis.
        Fair = 1,
        /// The index itself.
        Index = 2,
        /// The last traded price.
        Last = 3,
        /// The commands `Mark` and `FundingRate`.
        External = 4,
    }
}

coded! {
    /// How a fee is rounded. (Rule FEE-1)
    FeeRounding {
        /// Toward zero, fees and rebates alike: what the venue's records show.
        Recorded = 1,
        /// Fees up, rebates down: splitting an order gains nothing.
        AgainstTrader = 2,
    }
}

coded! {
    /// Is the gap between an order's price and the mark held in full? (Rule OM-5)
    PremiumMode {
        /// Yes.
        Full = 1,
        /// No.
        None = 2,
    }
}

coded! {
    /// Which margin arithmetic a profile uses. (Rule CONTRACT-3)
    #[non_exhaustive]
    MarginModel {
        /// Initial margin, commission and loss are held per position.
        Classic = 1,
        /// Maintenance margin alone is held.
        Maintenance = 2,
    }
}

coded! {
    /// State of the market. (Rule HALT-1)
    MarketState {
        /// Everything goes.
        Open = 1,
        /// Only orders that do not cross.
        PostOnly = 2,
        /// Only cancels and closing orders.
        CancelOnly = 3,
        /// Nothing goes.
        Closed = 4,
    }
}

coded! {
    /// Why an order left the book or was never put there.
    #[non_exhaustive]
    CancelReason {
        /// Its owner asked.
        Requested = 1,
        /// Immediate-or-cancel: what did not trade at once.
        ImmediateOrCancel = 2,
        /// Fill-or-kill: it could not be filled whole.
        FillOrKill = 3,
        /// Participate-do-not-initiate: it would have traded. (Rule INST-1)
        PostOnly = 4,
        /// A market order beyond the price fixed on entry. (Rule OM-8)
        MarketLimit = 5,
        /// It met `spec.max_fills` orders. (Law 4)
        MaxFills = 6,
        /// The position it could reduce is gone. (Rule INST-2)
        ReduceOnly = 7,
        /// Its account is being liquidated. (Rule LIQ-5)
        Liquidation = 8,
        /// Its account was deleveraged. (Rule ADL-2)
        Deleverage = 9,
        /// Canceled: Account has insufficient Available Balance. (Rule OM-10)
        InsufficientBalance = 10,
        /// Amended to what has been filled already. (Rule AMEND-2)
        AmendedToFilled = 11,
        /// Its account ended below zero and was suspended. (Rule BAL-1)
        Suspended = 12,
    }
}

coded! {
    /// Why two parties were matched.
    FillCause {
        /// Two orders met. Price in ticks.
        Trade = 1,
        /// The liquidation account took a position over. Price in 0.01 USD.
        Takeover = 2,
        /// A close-out order of the liquidation account met an order. Price in ticks.
        CloseOut = 3,
        /// A lot was closed against the account at the top of the ranking. Price in 0.01 USD.
        Deleverage = 4,
    }
}

coded! {
    /// Why XBt moved between an account and the outside, or between wallet and position.
    TransferKind {
        /// From outside into the wallet.
        Deposit = 1,
        /// From the wallet to the outside.
        Withdraw = 2,
        /// From available margin into an isolated position, or back where negative.
        Margin = 3,
    }
}

coded! {
    /// A step of a liquidation. (Rules LIQ-5, LIQ-7, LIQ-12)
    LiquidationStep {
        /// The account is found beyond its liquidation price and its turn has come.
        Started = 1,
        /// It is safe again: its tier was lowered, its orders were cancelled, or a part was closed.
        Cured = 2,
        /// The position became a lot of the liquidation account; follows the takeover fill.
        TakenOver = 3,
        /// The mark passed the lot's bankruptcy price: the fund sweeps the book.
        Sweep = 4,
        /// No one is left to deleverage: the lot rests until the next mark. (Rule ADL-4)
        Waiting = 5,
        /// The account's tier was lowered. (Rule LIQ-6)
        StepDown = 6,
        /// A part will be closed by the account's own order, to reach a lower tier. (Rule LIQ-6)
        Part = 7,
        /// A lot was netted with an opposite one; the quantity is what is left of it. (Rule LIQ-10)
        Netted = 8,
        /// A new lot has nothing more to trade: its order rests. (Rule LIQ-7)
        Resting = 9,
    }
}

coded! {
    /// Why the insurance fund changed. (Rule INS-1)
    InsuranceCause {
        /// `FundInsurance`.
        Funded = 1,
        /// A close-out order was filled better than bankruptcy. (Rule LIQ-7)
        CloseOut = 2,
        /// A sweep below bankruptcy was paid for. (Rule LIQ-7)
        Sweep = 3,
        /// A flat account's negative wallet was made good. (Rule BAL-1)
        Shortfall = 4,
        /// Two lots were netted. (Rule LIQ-10)
        Netting = 5,
        /// The liquidation account's funding. (Rule FUND-6)
        Funding = 6,
    }
}

coded! {
    /// Which quantity an amend gives. (Rule AMEND-1)
    AmendQty {
        /// The order's total quantity, executed part included.
        Total = 1,
        /// The quantity still open.
        Leaves = 2,
        /// What to take off the open quantity.
        Reduce = 3,
    }
}

/// Execution instructions, any combination. (Rules INST-1 to INST-7)
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct ExecInst(pub u16);

impl ExecInst {
    /// None.
    pub const NONE: ExecInst = ExecInst(0);
    /// ParticipateDoNotInitiate: post-only. (Rule INST-1)
    pub const POST_ONLY: ExecInst = ExecInst(1);
    /// ReduceOnly. (Rule INST-2)
    pub const REDUCE_ONLY: ExecInst = ExecInst(2);
    /// Close. (Rule INST-3)
    pub const CLOSE: ExecInst = ExecInst(4);
    /// AllOrNone. (Rule INST-4)
    pub const ALL_OR_NONE: ExecInst = ExecInst(8);
    /// Fixed. (Rule INST-6)
    pub const FIXED: ExecInst = ExecInst(16);
    /// LastWithinMark. (Rule INST-7)
    pub const LAST_WITHIN_MARK: ExecInst = ExecInst(32);

    /// Both together.
    #[must_use]
    pub const fn with(self, other: ExecInst) -> ExecInst {
        ExecInst(self.0 | other.0)
    }

    /// Does it hold all of `other`?
    #[inline(always)]
    #[must_use]
    pub const fn has(self, other: ExecInst) -> bool {
        self.0 & other.0 == other.0
    }
}

impl Wire for ExecInst {
    const SIZE: usize = 2;
    #[inline(always)]
    fn get(words: &Words, offset: usize) -> Self {
        ExecInst(u16::get(words, offset))
    }
    #[inline(always)]
    fn put(self, words: &mut Words, offset: usize) {
        self.0.put(words, offset);
    }
}
