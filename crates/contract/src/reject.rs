//! Why a command was refused.

use core::fmt;

use crate::words::coded;

coded! {
    /// Why a command was refused, in order of precedence: the first that applies is the answer.
    /// (Rule REJECT-1) A refused command changes nothing. (Law 2)
    #[non_exhaustive]
    Reject {
        /// Another live order of the account has this client id.
        DuplicateClOrdId = 1,
        /// No live order of this account has this id.
        InvalidOrderId = 2,
        /// There is one instrument, number 0.
        InvalidSymbol = 3,
        /// No mark price has arrived yet. (Rule LIMIT-1)
        NoMarkPrice = 4,
        /// No such account.
        InvalidAccount = 5,
        /// The account may only cancel.
        AccountSuspended = 6,
        /// Neither buy nor sell.
        InvalidSide = 7,
        /// Zero, not whole lots, above the maximum, or beyond LIMIT-1.
        InvalidOrderQty = 8,
        /// As above, for the open quantity.
        InvalidLeavesQty = 9,
        /// Zero, or below one tick.
        InvalidPrice = 10,
        /// Not on the grid.
        InvalidPriceTick = 11,
        /// Displayed quantity above the order's or off the lot.
        InvalidDisplayQty = 12,
        /// An order type that is not traded here.
        UnsupportedOrdType = 13,
        /// Unknown peg.
        InvalidPegPriceType = 14,
        /// Peg offset off the grid.
        InvalidPegOffset = 15,
        /// A stop price where none belongs, or none where one does.
        InvalidStopForOrdType = 16,
        /// Stop price off the grid.
        InvalidStopTick = 17,
        /// A time in force that is not traded here.
        UnsupportedTimeInForce = 18,
        /// Unknown or contradicting instructions.
        InvalidExecInst = 19,
        /// Instruction and type or time in force contradict each other.
        InvalidOrdTypeForExecInst = 20,
        /// Instruction and displayed quantity contradict each other.
        InvalidDisplayForExecInst = 21,
        /// Link and contingency do not belong together.
        InvalidLinkForContingency = 22,
        /// The client id of the order to amend is not live.
        InvalidOrigClOrdId = 23,
        /// The market's state does not admit it. (Rule HALT-1)
        MarketNotOpen = 24,
        /// Above the highest price.
        PriceAboveLimitUp = 25,
        /// Reserved: without price bands never produced.
        PriceBelowLimitDown = 26,
        /// Rule OM-7; the event's `detail` is the XBt required.
        InsufficientBalance = 27,
        /// Reserved.
        AccountRiskLimit = 28,
        /// Rule RISK-1.
        PositionRiskLimit = 29,
        /// The account is due for liquidation. (Law 4)
        InLiquidation = 30,
        /// Rule CLOSE-1: a sell below a long's liquidation price.
        BelowLiquidationPrice = 31,
        /// Rule CLOSE-1: a buy above a short's liquidation price.
        AboveLiquidationPrice = 32,
        /// Rule OM-9.
        ImmediateLiquidation = 33,
        /// Reserved.
        MarginCall = 34,
        /// Rule INST-2; the event's `detail` is the position.
        WouldNotReduce = 35,
        /// The session's request number does not rise.
        DuplicateRequest = 36,
        /// A fixed capacity is used up. (Law 3)
        CapacityReached = 37,
        /// An amount that cannot be moved.
        InvalidAmount = 38,
        /// Leverage outside what the tier allows, or unsafe at the mark. (Rule MARGIN-8)
        InvalidLeverage = 39,
        /// The limit asked for is below what is in use. (Rule RISK-1)
        BelowRiskUsage = 40,
        /// An operator excluded this command. (Law 6)
        Quarantined = 41,
        /// A malformed record, or a command that this build does not act on.
        InvalidCommand = 42,
        /// The client id is not 1 to 36 bytes of printable ASCII. (Rule ID-1)
        InvalidClOrdId = 43,
    }
}

impl Reject {
    /// The exchange's words. `N` and `[n]` stand for the number in the event's `detail`.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Reject::DuplicateClOrdId => "Duplicate clOrdID",
            Reject::InvalidOrderId => "Invalid orderID",
            Reject::InvalidSymbol => "Invalid symbol",
            Reject::NoMarkPrice => "Instrument has no mark price",
            Reject::InvalidAccount => "Invalid account",
            Reject::AccountSuspended => "Account is suspended",
            Reject::InvalidSide => "Invalid side",
            Reject::InvalidOrderQty => "Invalid orderQty",
            Reject::InvalidLeavesQty => "Invalid leavesQty",
            Reject::InvalidPrice => "Invalid price",
            Reject::InvalidPriceTick => "Invalid price tickSize",
            Reject::InvalidDisplayQty => "Invalid displayQty",
            Reject::UnsupportedOrdType => "Unsupported ordType",
            Reject::InvalidPegPriceType => "Invalid pegPriceType",
            Reject::InvalidPegOffset => "Invalid pegOffsetValue tickSize",
            Reject::InvalidStopForOrdType => "Invalid stopPx for ordType",
            Reject::InvalidStopTick => "Invalid stopPx tickSize",
            Reject::UnsupportedTimeInForce => "Unsupported timeInForce",
            Reject::InvalidExecInst => "Invalid execInst",
            Reject::InvalidOrdTypeForExecInst => "Invalid ordType or timeInForce for execInst",
            Reject::InvalidDisplayForExecInst => "Invalid displayQty for execInst",
            Reject::InvalidLinkForContingency => "Invalid clOrdLinkID for contingencyType",
            Reject::InvalidOrigClOrdId => "Invalid origClOrdID",
            Reject::MarketNotOpen => "Market is not open",
            Reject::PriceAboveLimitUp => "Price greater than limitUpPrice",
            Reject::PriceBelowLimitDown => "Price less than limitDownPrice",
            Reject::InsufficientBalance => "Account has insufficient Available Balance, N XBt required",
            Reject::AccountRiskLimit => "Value of positions and orders exceeds account Risk Limit",
            Reject::PositionRiskLimit => "Value of position and orders exceeds position Risk Limit",
            Reject::InLiquidation => "Position is in liquidation",
            Reject::BelowLiquidationPrice => "Order price is below the liquidation price of current long position",
            Reject::AboveLiquidationPrice => "Order price is above the liquidation price of current short position",
            Reject::ImmediateLiquidation => "Executing at order price would lead to immediate liquidation",
            Reject::MarginCall => "Account is in margin call",
            Reject::WouldNotReduce => {
                "Order had execInst of [Close|ReduceOnly] and side of [Buy|Sell] but current position is [n]"
            }
            Reject::DuplicateRequest => "Duplicate request",
            Reject::CapacityReached => "Capacity reached",
            Reject::InvalidAmount => "Invalid amount",
            Reject::InvalidLeverage => "Invalid leverage",
            Reject::BelowRiskUsage => "Below risk usage",
            Reject::Quarantined => "Quarantined",
            Reject::InvalidCommand => "Invalid command",
            Reject::InvalidClOrdId => "Invalid clOrdID",
        }
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
