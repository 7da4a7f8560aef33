//! Every refusal that can be reached, on either side of its line, and in the order of rule REJECT-1.
//!
//! A refused command changes nothing: [`Desk::refusal`] checks that each time.

use contract::codes::{Contingency, OrdType, PegPriceType, SelfTrade};
use contract::command::{
    Amount, CancelAll, FundingRate, Index, Mark, NEW_HAS_DISPLAY, OpenAccount, SetAccount, SetLeverage, SetState,
    SetWeights,
};
use contract::*;

use super::desk::{Desk, for_instrument_1, id, with_byte, xbtusd};

/// The trader whose orders are tried, and the maker behind them.
const TRADER: AccountId = AccountId(4);
const MAKER: AccountId = AccountId(5);
/// Not opened.
const NOBODY: AccountId = AccountId(6);

/// An order about to be sent, and the market it is sent to.
#[derive(Clone, Copy)]
struct Draft {
    account: AccountId,
    order: NewOrder,
    is_wrong_symbol: bool,
    has_mark: bool,
    is_suspended: bool,
    is_halted: bool,
}

impl Draft {
    fn new() -> Draft {
        Draft {
            account: TRADER,
            order: NewOrder::limit(id("new"), Side::Buy, Tick(18_000), Qty(10)),
            is_wrong_symbol: false,
            has_mark: true,
            is_suspended: false,
            is_halted: false,
        }
    }

    /// The market: the trader has 1 XBT, the maker 10; the maker offers 1,000,000 at 10000.0; the trader has an order named "live".
    fn market(&self) -> Desk {
        let mut desk = Desk::new(xbtusd());
        assert_eq!((desk.open(), desk.open()), (TRADER, MAKER));
        desk.apply(TRADER, Action::Withdraw(Amount { amount: Xbt(900_000_000) }));
        if self.has_mark {
            desk.mark(Price(1_000_000));
            desk.apply(MAKER, Action::New(NewOrder::limit(ClOrdId::NONE, Side::Sell, Tick(20_000), Qty(1_000_000))));
            desk.apply(TRADER, Action::New(NewOrder::limit(id("live"), Side::Buy, Tick(2), Qty(1))));
        }
        if self.is_suspended {
            desk.apply(TRADER, Action::SetAccount(SetAccount { fee_class: 0, suspended: 1 }));
        }
        if self.is_halted {
            desk.apply(AccountId::NONE, Action::SetState(SetState { state: MarketState::CancelOnly.into() }));
        }
        desk
    }

    fn refusal(&self) -> Option<Reject> {
        let command = Command::new(self.account, Action::New(self.order));
        self.market().refusal_of(if self.is_wrong_symbol { for_instrument_1(command) } else { command })
    }
}

/// A reason, and how to earn it.
type Fault = (Reject, fn(&mut Draft));

/// What can be wrong with an order, in the order of rule REJECT-1.
const FAULTS: &[Fault] = &[
    (Reject::DuplicateClOrdId, |draft| draft.order.cl_ord_id = id("live")),
    (Reject::InvalidSymbol, |draft| draft.is_wrong_symbol = true),
    (Reject::NoMarkPrice, |draft| draft.has_mark = false),
    (Reject::InvalidAccount, |draft| draft.account = NOBODY),
    (Reject::AccountSuspended, |draft| draft.is_suspended = true),
    (Reject::InvalidSide, |draft| draft.order.side = Code::from_raw(3)),
    (Reject::InvalidOrderQty, |draft| draft.order.qty = Qty(10_000_001)),
    (Reject::InvalidPrice, |draft| draft.order.price = Tick(0)),
    (Reject::InvalidDisplayQty, |draft| draft.order.flags = NEW_HAS_DISPLAY),
    (Reject::UnsupportedOrdType, |draft| draft.order.ord_type = OrdType::Stop.into()),
    (Reject::InvalidPegPriceType, |draft| draft.order.peg = PegPriceType::LastPeg.into()),
    (Reject::InvalidPegOffset, |draft| draft.order.peg_offset = -1),
    (Reject::InvalidStopForOrdType, |draft| draft.order.stop = Tick(1)),
    (Reject::UnsupportedTimeInForce, |draft| draft.order.tif = TimeInForce::Day.into()),
    (Reject::InvalidExecInst, |draft| draft.order.exec_inst = draft.order.exec_inst.with(ExecInst::CLOSE)),
    (Reject::InvalidOrdTypeForExecInst, |draft| {
        draft.order.exec_inst = draft.order.exec_inst.with(ExecInst::POST_ONLY);
        draft.order.tif = TimeInForce::ImmediateOrCancel.into();
    }),
    (Reject::InvalidLinkForContingency, |draft| draft.order.link = 7),
    (Reject::MarketNotOpen, |draft| draft.is_halted = true),
    (Reject::PriceAboveLimitUp, |draft| draft.order.price = Tick(2_000_001)),
    (Reject::InsufficientBalance, |draft| {
        (draft.order.qty, draft.order.price) = (Qty(1_000_000), Tick(20_000));
        draft.order.exec_inst = ExecInst::NONE;
    }),
];

/// Pairs that no order can have.
const IMPOSSIBLE: &[(Reject, Reject)] = &[
    // Nothing is live before the first mark, and nothing of an account that does not exist.
    (Reject::DuplicateClOrdId, Reject::NoMarkPrice),
    (Reject::DuplicateClOrdId, Reject::InvalidAccount),
    (Reject::InvalidAccount, Reject::AccountSuspended),
    // One field cannot be wrong in two ways; where there is another way to combine them it is tried below.
    (Reject::InvalidPrice, Reject::PriceAboveLimitUp),
    // Whether a price is missing or too much is known of limit and market orders only.
    (Reject::InvalidPrice, Reject::UnsupportedOrdType),
    (Reject::UnsupportedTimeInForce, Reject::InvalidOrdTypeForExecInst),
];

/// REJECT-1: each fault by itself gives its own reason, and without it the order passes.
#[test]
fn each_fault_is_told_by_its_own_reason() {
    assert_eq!(Draft::new().refusal(), None);
    for (reason, fault) in FAULTS {
        let mut draft = Draft::new();
        fault(&mut draft);
        assert_eq!(draft.refusal(), Some(*reason));
    }
}

/// REJECT-1: of any two faults the earlier one is told.
#[test]
fn of_two_faults_the_earlier_is_told() {
    for (i, (first, earlier)) in FAULTS.iter().enumerate() {
        for (second, later) in &FAULTS[i + 1..] {
            if IMPOSSIBLE.contains(&(*first, *second)) {
                continue;
            }
            let mut draft = Draft::new();
            later(&mut draft);
            earlier(&mut draft);
            assert_eq!(draft.refusal(), Some(*first), "{} and {}", first.name(), second.name());
        }
    }
}

/// REJECT-1, the pairs that need another combination.
#[test]
fn of_two_faults_the_earlier_is_told_with_market_orders_too() {
    let mut draft = Draft::new();
    draft.order = NewOrder { price: Tick(2_000_001), ..NewOrder::market(id("new"), Side::Buy, Qty(10)) };
    assert_eq!(draft.refusal(), Some(Reject::InvalidPrice), "a market order has no price");
    draft.order = NewOrder::market(id("new"), Side::Buy, Qty(10)).with_inst(ExecInst::POST_ONLY);
    assert_eq!(draft.refusal(), Some(Reject::InvalidOrdTypeForExecInst));
    assert_eq!(
        Draft { order: draft.order.with_tif(TimeInForce::Day), ..draft }.refusal(),
        Some(Reject::UnsupportedTimeInForce)
    );
}

/// REJECT-1: every field of an order one step before and after its line.
#[test]
fn every_field_is_accepted_up_to_its_line_and_refused_beyond() {
    let check = |what: &str, change: &dyn Fn(&mut NewOrder), expected: Option<Reject>| {
        let mut draft = Draft::new();
        change(&mut draft.order);
        assert_eq!(draft.refusal(), expected, "{what}");
    };
    for (side, good) in [(0, false), (1, true), (2, true), (3, false), (255, false)] {
        let expected = (!good).then_some(Reject::InvalidSide);
        check("side", &|order| (order.side, order.price) = (Code::from_raw(side), Tick(20_000)), expected);
    }
    for (qty, good) in [(0, false), (1, true), (10_000_000, true), (10_000_001, false), (u64::MAX, false)] {
        let expected = (!good).then_some(Reject::InvalidOrderQty);
        // Deep in the money nothing is too dear: the highest price makes contracts worth least.
        check(
            "qty",
            &|order| (order.side, order.price, order.qty) = (Side::Sell.into(), Tick(2_000_000), Qty(qty)),
            expected,
        );
    }
    for (tick, expected) in [
        (0, Some(Reject::InvalidPrice)),
        (1, None),
        (2_000_000, None),
        (2_000_001, Some(Reject::PriceAboveLimitUp)),
        (u32::MAX, Some(Reject::PriceAboveLimitUp)),
    ] {
        check(
            "price",
            &|order| (order.side, order.price, order.qty) = (Side::Buy.into(), Tick(tick), Qty(1)),
            expected,
        );
    }
    for ord_type in 0..=255u8 {
        let expected = match ord_type {
            1 => None,
            2 => Some(Reject::InvalidPrice),
            _ => Some(Reject::UnsupportedOrdType),
        };
        check("type", &|order| order.ord_type = Code::from_raw(ord_type), expected);
    }
    for tif in 0..=255u8 {
        let expected = (!(2..=4).contains(&tif)).then_some(Reject::UnsupportedTimeInForce);
        check("time in force", &|order| order.tif = Code::from_raw(tif), expected);
    }
    for bit in 0..16 {
        let expected = match bit {
            0 => None,
            1 => Some(Reject::WouldNotReduce),
            _ => Some(Reject::InvalidExecInst),
        };
        check("instructions", &|order| order.exec_inst = ExecInst(1 << bit), expected);
    }
    for tif in [TimeInForce::GoodTillCancel, TimeInForce::ImmediateOrCancel, TimeInForce::FillOrKill] {
        let expected = (tif != TimeInForce::GoodTillCancel).then_some(Reject::InvalidOrdTypeForExecInst);
        let change = |order: &mut NewOrder| *order = order.with_tif(tif).with_inst(ExecInst::POST_ONLY);
        check("post-only", &change, expected);
    }
    let self_trade = |order: &mut NewOrder| order.self_trade = SelfTrade::CancelNewest.into();
    check("self-trade option", &self_trade, Some(Reject::InvalidExecInst));
    check("display", &|order| order.display = Qty(1), Some(Reject::InvalidDisplayQty));
    check("display given", &|order| order.flags = NEW_HAS_DISPLAY, Some(Reject::InvalidDisplayQty));
    check("peg", &|order| order.peg = Code::from_raw(255), Some(Reject::InvalidPegPriceType));
    check("peg offset", &|order| order.peg_offset = 1, Some(Reject::InvalidPegOffset));
    check("stop", &|order| order.stop = Tick(1), Some(Reject::InvalidStopForOrdType));
    check("trigger", &|order| order.trigger = Code::from_raw(1), Some(Reject::InvalidStopForOrdType));
    check("link", &|order| order.link = 1, Some(Reject::InvalidLinkForContingency));
    let contingency = |order: &mut NewOrder| order.contingency = Contingency::OneCancelsTheOther.into();
    check("contingency", &contingency, Some(Reject::InvalidLinkForContingency));
}

/// ACC-1: house accounts, accounts not opened and no account at all look alike.
#[test]
fn only_traders_may_trade() {
    for (account, good) in [(0, false), (1, false), (2, false), (3, false), (4, true), (5, true), (6, false)] {
        let mut draft = Draft::new();
        draft.account = AccountId(account);
        assert_eq!(draft.refusal(), (!good).then_some(Reject::InvalidAccount), "account {account}");
    }
    let mut draft = Draft::new();
    draft.account = AccountId::NONE;
    assert_eq!(draft.refusal(), Some(Reject::InvalidAccount));
}

/// CONTRACT-2, REJECT-1: with a lot of 100, 150 is none and 200 is.
#[test]
fn a_quantity_is_whole_lots() {
    let mut desk = Desk::new(ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2021 });
    let account = desk.open();
    desk.mark(Price(1_000_000));
    for (qty, good) in [(99, false), (100, true), (101, false), (150, false), (200, true), (0, false)] {
        let order = NewOrder::limit(ClOrdId::NONE, Side::Buy, Tick(20_000), Qty(qty));
        assert_eq!(desk.refusal(account, Action::New(order)), (!good).then_some(Reject::InvalidOrderQty), "{qty}");
    }
}

/// LIMIT-1: |position| + open + new of one side against the contract's limit; the other side has its own.
#[test]
fn a_side_may_hold_and_have_open_so_much_and_no_more() {
    let mut desk = Desk::new(ContractSpec { max_position_qty: Qty(1_000), ..xbtusd() });
    let (maker, trader) = (desk.open(), desk.open());
    desk.mark(Price(1_000_000));
    let order = |side, tick, qty| Action::New(NewOrder::limit(ClOrdId::NONE, side, Tick(tick), Qty(qty)));
    desk.apply(maker, order(Side::Sell, 20_000, 400));
    desk.apply(trader, order(Side::Buy, 20_000, 400));
    desk.apply(trader, order(Side::Buy, 19_000, 500));
    assert_eq!(desk.refusal(trader, order(Side::Buy, 19_000, 101)), Some(Reject::InvalidOrderQty));
    assert_eq!(desk.refusal(trader, order(Side::Buy, 19_000, 100)), None);
    assert_eq!(desk.refusal(trader, order(Side::Buy, 19_000, 1)), Some(Reject::InvalidOrderQty));
    assert_eq!(desk.refusal(trader, order(Side::Sell, 21_000, 601)), Some(Reject::InvalidOrderQty));
    assert_eq!(desk.refusal(trader, order(Side::Sell, 21_000, 600)), None);
}

/// A market without premium, in which the trader holds 1,000 at 10000.0 with so much leverage.
fn with_position(side: Side, leverage: u32, orders: u32) -> Desk {
    let spec = ContractSpec { premium: PremiumMode::None, budget: 1, ..xbtusd() };
    let mut desk = Desk::with(spec, Capacity { accounts: 8, orders, sessions: 2, lots: 2 });
    assert_eq!((desk.open(), desk.open()), (TRADER, MAKER));
    desk.mark(Price(1_000_000));
    desk.apply(TRADER, Action::SetLeverage(SetLeverage { leverage: Leverage(leverage) }));
    desk.apply(MAKER, limit(side.opposite(), 20_000, 1_000));
    desk.apply(TRADER, limit(side, 20_000, 1_000));
    assert_eq!(desk.engine.position(TRADER).unwrap().qty, side.sign() * 1_000);
    desk
}

fn limit(side: Side, tick: u32, qty: u64) -> Action {
    Action::New(NewOrder::limit(ClOrdId::NONE, side, Tick(tick), Qty(qty)))
}

fn reduce_only(side: Side, tick: u32, qty: u64) -> Action {
    let order = NewOrder::limit(ClOrdId::NONE, side, Tick(tick), Qty(qty));
    Action::New(order.with_inst(ExecInst::REDUCE_ONLY))
}

/// REJECT-1: from the balance on, each reason before the next that an order can have with it.
#[test]
fn margin_risk_liquidation_and_capacity_come_in_this_order() {
    // Balance before risk limit: 1,000 XBT asked of 10.
    let mut desk = with_position(Side::Buy, 1_000, 8);
    assert_eq!(desk.refusal(TRADER, limit(Side::Buy, 20_000, 10_000_000)), Some(Reject::InsufficientBalance));

    // Risk limit before liquidation: due, with 10 XBT and 100x, and an order above 200 XBT.
    let mut desk = with_position(Side::Buy, 10_000, 8);
    desk.apply(TRADER, limit(Side::Buy, 2, 1));
    desk.mark(Price(995_050));
    assert!(desk.engine.is_due(TRADER));
    let try_due = |action| desk.clone().refusal(TRADER, action);
    assert_eq!(try_due(limit(Side::Buy, 20_000, 2_000_000)), Some(Reject::PositionRiskLimit));
    // Liquidation before CLOSE-1, OM-9 and the rest.
    assert_eq!(try_due(limit(Side::Buy, 20_000, 1)), Some(Reject::InLiquidation));
    assert_eq!(try_due(limit(Side::Sell, 19_000, 1)), Some(Reject::InLiquidation));
    assert_eq!(try_due(limit(Side::Buy, 30_000, 10)), Some(Reject::InLiquidation));
    assert_eq!(try_due(reduce_only(Side::Buy, 19_000, 1)), Some(Reject::InLiquidation));

    // CLOSE-1 before OM-9: beyond the liquidation price, and flipping into something unsafe.
    let mut desk = with_position(Side::Buy, 1_000, 8);
    assert_eq!(desk.refusal(TRADER, limit(Side::Sell, 18_000, 2_000)), Some(Reject::BelowLiquidationPrice));
    let mut desk = with_position(Side::Sell, 1_000, 8);
    assert_eq!(desk.refusal(TRADER, limit(Side::Buy, 22_400, 2_000)), Some(Reject::AboveLiquidationPrice));

    // OM-9, CLOSE-1 and the reduce-only check before capacity: two slots, and both are taken.
    let mut desk = with_position(Side::Buy, 1_000, 2);
    desk.apply(TRADER, limit(Side::Buy, 2, 1));
    desk.apply(TRADER, limit(Side::Buy, 2, 1));
    assert_eq!(desk.refusal(TRADER, limit(Side::Buy, 22_400, 100_000)), Some(Reject::ImmediateLiquidation));
    assert_eq!(desk.refusal(TRADER, limit(Side::Sell, 18_000, 10)), Some(Reject::BelowLiquidationPrice));
    assert_eq!(desk.refusal(TRADER, reduce_only(Side::Buy, 19_000, 10)), Some(Reject::WouldNotReduce));
    assert_eq!(desk.refusal(TRADER, limit(Side::Buy, 2, 1)), Some(Reject::CapacityReached));
    assert_eq!(desk.refusal(TRADER, reduce_only(Side::Sell, 21_000, 10)), Some(Reject::CapacityReached));
    desk.apply(TRADER, Action::CancelAll(CancelAll::default()));
    desk.apply(AccountId::NONE, Action::Clock);
    desk.apply(AccountId::NONE, Action::Clock);
    assert_eq!(desk.refusal(TRADER, limit(Side::Buy, 2, 1)), None);
}

/// REJECT-1: `max_open_orders` counts what rests.
#[test]
fn an_account_may_have_so_many_orders_open() {
    let mut desk = Desk::new(ContractSpec { max_open_orders: 2, ..xbtusd() });
    let (a, b) = (desk.open(), desk.open());
    desk.mark(Price(1_000_000));
    assert_eq!(desk.refusal(a, limit(Side::Buy, 2, 1)), None);
    assert_eq!(desk.refusal(a, limit(Side::Buy, 2, 1)), None);
    assert_eq!(desk.refusal(a, limit(Side::Buy, 2, 1)), Some(Reject::CapacityReached));
    assert_eq!(desk.refusal(b, limit(Side::Buy, 2, 1)), None);
}

/// The number that a reason's text needs travels with it.
#[test]
fn a_refusal_carries_its_number() {
    let detail = |events: &[Event]| {
        events.iter().find_map(|event| match event.fact() {
            Some(Fact::Rejected(rejected)) => Some((rejected.reject().unwrap(), rejected.detail)),
            _ => None,
        })
    };
    let mut desk = with_position(Side::Buy, 1_000, 8);
    let events = desk.apply(TRADER, reduce_only(Side::Buy, 19_000, 1));
    assert_eq!(detail(&events), Some((Reject::WouldNotReduce, 1_000)));
    let events = desk.apply(TRADER, Action::Withdraw(Amount { amount: Xbt(2_000_000_000) }));
    assert_eq!(detail(&events), Some((Reject::InsufficientBalance, 2_000_000_000)));
}

/// An amend of the order named "x" with some of its fields.
fn amend(fields: AmendFields) -> Action {
    Action::Amend(Amend { target: Target::ClOrdId(id("x")), fields })
}

fn qty(kind: AmendQty, qty: u64) -> AmendFields {
    AmendFields { qty_kind: kind.into(), qty: Qty(qty), ..AmendFields::default() }
}

/// AMEND-1, AMEND-2, REJECT-1: the quantities of an amend on both sides of their lines. 40 of 100 traded.
#[test]
fn an_amend_has_its_own_quantities() {
    let mut desk = Desk::new(xbtusd());
    let (a, b) = (desk.open(), desk.open());
    desk.mark(Price(100_000_000));
    let order = NewOrder::limit(id("x"), Side::Sell, Tick(2_000_000), Qty(100));
    desk.apply(a, Action::New(order));
    desk.apply(b, limit(Side::Buy, 2_000_000, 40));
    use AmendQty::{Leaves, Reduce, Total};
    for (fields, expected) in [
        (qty(Total, 39), Some(Reject::InvalidOrderQty)),
        (qty(Total, 41), None),
        (qty(Total, 10_000_000), None),
        (qty(Total, 10_000_001), Some(Reject::InvalidOrderQty)),
        (qty(Reduce, 0), Some(Reject::InvalidOrderQty)),
        (qty(Reduce, 1), None),
        (qty(Leaves, 9_999_960), None),
        (qty(Leaves, 9_999_961), Some(Reject::InvalidLeavesQty)),
        (qty(Leaves, u64::MAX), Some(Reject::InvalidOrderQty)),
        (AmendFields { stop: Tick(1), ..Default::default() }, Some(Reject::InvalidStopForOrdType)),
        (AmendFields { flags: 2, ..Default::default() }, Some(Reject::InvalidCommand)),
        (AmendFields { qty_kind: Code::from_raw(4), ..Default::default() }, Some(Reject::InvalidCommand)),
        (AmendFields { price: Tick(2_000_001), ..Default::default() }, Some(Reject::PriceAboveLimitUp)),
        (AmendFields { price: Tick(2_000_000), ..Default::default() }, None),
    ] {
        assert_eq!(desk.refusal(a, amend(fields)), expected, "{fields:?}");
    }
}

/// REJECT-1 for amends: each reason before the next.
#[test]
fn the_reasons_of_an_amend_come_in_this_order() {
    let mut desk = Desk::new(xbtusd());
    let a = desk.open();
    desk.mark(Price(1_000_000));
    for name in ["x", "other"] {
        desk.apply(a, Action::New(NewOrder::limit(id(name), Side::Buy, Tick(2), Qty(10))));
    }
    let by_id = |fields| Action::Amend(Amend { target: Target::OrderId(OrderId { number: 99, slot: 0 }), fields });
    let taken = AmendFields { new_cl_ord_id: id("other"), ..Default::default() };
    let wrong = |action| for_instrument_1(Command::new(a, action));
    assert_eq!(desk.refusal_of(wrong(by_id(taken))), Some(Reject::DuplicateClOrdId));
    assert_eq!(desk.refusal_of(wrong(by_id(AmendFields::default()))), Some(Reject::InvalidOrderId));
    let gone = Action::Amend(Amend { target: Target::ClOrdId(id("gone")), fields: qty(AmendQty::Total, 0) });
    assert_eq!(desk.refusal_of(wrong(gone)), Some(Reject::InvalidSymbol));
    assert_eq!(desk.refusal(NOBODY, gone), Some(Reject::InvalidAccount));
    assert_eq!(desk.refusal(a, gone), Some(Reject::InvalidOrigClOrdId));
    let mut suspended = desk.clone();
    suspended.apply(a, Action::SetAccount(SetAccount { fee_class: 0, suspended: 1 }));
    assert_eq!(suspended.refusal(a, gone), Some(Reject::AccountSuspended));
    let bad = |fields: AmendFields| AmendFields { stop: Tick(1), flags: 2, price: Tick(u32::MAX), ..fields };
    assert_eq!(desk.refusal(a, amend(bad(qty(AmendQty::Total, 10_000_001)))), Some(Reject::InvalidOrderQty));
    assert_eq!(desk.refusal(a, amend(bad(qty(AmendQty::Leaves, 10_000_001)))), Some(Reject::InvalidLeavesQty));
    let mut fields = bad(qty(AmendQty::Total, 10));
    assert_eq!(desk.refusal(a, amend(fields)), Some(Reject::InvalidStopForOrdType));
    fields.stop = Tick(0);
    assert_eq!(desk.refusal(a, amend(fields)), Some(Reject::InvalidCommand));
    fields.flags = 0;
    assert_eq!(desk.refusal(a, amend(fields)), Some(Reject::PriceAboveLimitUp));
    fields = AmendFields { price: Tick(20_000), ..qty(AmendQty::Total, 10_000_000) };
    assert_eq!(desk.refusal(a, amend(fields)), Some(Reject::InsufficientBalance));
    let mut no_mark = Desk::new(xbtusd());
    let a = no_mark.open();
    assert_eq!(no_mark.refusal(a, gone), Some(Reject::NoMarkPrice));
}

/// REJECT-1 for the commands about money, accounts and the mark: lines, and which reason comes first.
#[test]
fn the_other_commands_have_their_lines_too() {
    let mut desk = Desk::with(xbtusd(), Capacity { accounts: 7, orders: 8, sessions: 2, lots: 2 });
    assert_eq!((desk.open(), desk.open()), (TRADER, MAKER));
    desk.mark(Price(1_000_000));
    let none = AccountId::NONE;
    let most = 1i64 << 61;
    let amount_of = |x| Amount { amount: Xbt(x) };
    let deposit = |x| Action::Deposit(amount_of(x));
    let withdraw = |x| Action::Withdraw(amount_of(x));
    let fund = |x| Action::FundInsurance(amount_of(x));
    let margin = |x| Action::TransferMargin(amount_of(x));
    let risk_limit = |x| Action::SetRiskLimit(amount_of(x));
    let open = |fee_class| Action::OpenAccount(OpenAccount { fee_class });
    let set = |fee_class, suspended| Action::SetAccount(SetAccount { fee_class, suspended });
    let leverage = |x| Action::SetLeverage(SetLeverage { leverage: Leverage(x) });
    let cancel_all = |side| Action::CancelAll(CancelAll { side: Code::from_raw(side) });
    let mark = |cents| Action::Mark(Mark { price: Price(cents) });
    for (account, action, expected) in [
        (AccountId(7), open(0), Some(Reject::InvalidAccount)),
        (AccountId(6), open(4), Some(Reject::InvalidCommand)),
        (AccountId(6), open(3), None),
        (AccountId(7), open(4), Some(Reject::CapacityReached)),
        (AccountId(8), set(4, 0), Some(Reject::InvalidAccount)),
        (TRADER, set(4, 0), Some(Reject::InvalidCommand)),
        (TRADER, set(3, 2), Some(Reject::InvalidCommand)),
        (TRADER, set(0, 0), None),
        (AccountId(8), deposit(0), Some(Reject::InvalidAccount)),
        (TRADER, deposit(0), Some(Reject::InvalidAmount)),
        (TRADER, deposit(-1), Some(Reject::InvalidAmount)),
        (TRADER, deposit(most - 999_999_999), Some(Reject::InvalidAmount)),
        (TRADER, deposit(i64::MAX), Some(Reject::InvalidAmount)),
        (TRADER, deposit(1), None),
        (none, fund(0), Some(Reject::InvalidAmount)),
        (none, fund(most + 1), Some(Reject::InvalidAmount)),
        (none, fund(most), None),
        (none, fund(1), Some(Reject::InvalidAmount)),
        (AccountId(8), withdraw(0), Some(Reject::InvalidAccount)),
        (TRADER, withdraw(i64::MIN), Some(Reject::InvalidAmount)),
        (AccountId(8), leverage(10_001), Some(Reject::InvalidAccount)),
        (TRADER, leverage(10_001), Some(Reject::InvalidLeverage)),
        (TRADER, leverage(1), None),
        (AccountId(8), margin(most + 1), Some(Reject::InvalidAccount)),
        (TRADER, margin(most + 1), Some(Reject::InvalidAmount)),
        (TRADER, margin(most), Some(Reject::InsufficientBalance)),
        (TRADER, margin(1), Some(Reject::InvalidAmount)),
        (TRADER, margin(i64::MIN), Some(Reject::InvalidAmount)),
        (AccountId(8), risk_limit(0), Some(Reject::InvalidAccount)),
        (TRADER, risk_limit(-1), Some(Reject::InvalidAmount)),
        (AccountId(8), cancel_all(3), Some(Reject::InvalidAccount)),
        (TRADER, cancel_all(3), Some(Reject::InvalidSide)),
        (none, mark(0), Some(Reject::InvalidPrice)),
        (none, mark(49), Some(Reject::InvalidPrice)),
        (none, mark(50), None),
        (none, mark(100_000_000), None),
        (none, mark(100_000_001), Some(Reject::PriceAboveLimitUp)),
    ] {
        assert_eq!(desk.refusal(account, action), expected, "{account:?} {action:?}");
        // Nothing but instrument 0, whatever else is wrong: InvalidSymbol comes first.
        let elsewhere = desk.refusal_of(for_instrument_1(Command::new(account, action)));
        assert_eq!(elsewhere, Some(Reject::InvalidSymbol), "{action:?}");
    }
    desk.apply(TRADER, set(0, 1));
    for action in [withdraw(i64::MAX), leverage(10_001), margin(i64::MAX), risk_limit(0)] {
        assert_eq!(desk.refusal(TRADER, action), Some(Reject::AccountSuspended));
    }
}

/// MARK-2: where the mark is not given from outside the commands for mark and rate are refused; where it is, those for
/// the index are. Each has its own limits (LIMIT-1, INDEX-1).
#[test]
fn marks_come_from_outside_or_from_the_index() {
    let mut desk = Desk::new(ContractSpec::XBTUSD_2019);
    let mark = Action::Mark(Mark { price: Price(0) });
    assert_eq!(desk.refusal(AccountId::NONE, mark), Some(Reject::InvalidCommand));
    let index = Action::Index(Index { constituent: 0, price: Price(1_000_000) });
    let rate = Action::FundingRate(FundingRate { rate: Rate(10_000_000) });
    assert_eq!(desk.refusal(AccountId::NONE, rate), Some(Reject::InvalidCommand));
    let mut outside = Desk::new(xbtusd());
    assert_eq!(outside.refusal(AccountId::NONE, rate), Some(Reject::InvalidAmount));
    let rate = for_instrument_1(Command::new(AccountId::NONE, rate));
    assert_eq!(desk.refusal_of(rate), Some(Reject::InvalidSymbol));
    let weights = |count, weights| Action::SetWeights(SetWeights { count, effective_ts: 0, weights });
    let three = [1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
    for action in [index, weights(3, three), Action::Epoch] {
        assert_eq!(outside.refusal(AccountId::NONE, action), Some(Reject::InvalidCommand));
        let elsewhere = for_instrument_1(Command::new(AccountId::NONE, action));
        assert_eq!(desk.refusal_of(elsewhere), Some(Reject::InvalidSymbol));
    }
    let quote = |constituent, price| Action::Index(Index { constituent, price: Price(price) });
    for (action, reason) in [
        (quote(3, 1_000_000), Some(Reject::InvalidCommand)),
        (quote(2, 49), Some(Reject::InvalidPrice)),
        (quote(2, 100_000_001), Some(Reject::PriceAboveLimitUp)),
        (weights(0, [0; 10]), Some(Reject::InvalidCommand)),
        (weights(3, [0; 10]), Some(Reject::InvalidCommand)),
        (weights(2, three), Some(Reject::InvalidCommand)),
        (weights(11, [1; 10]), Some(Reject::InvalidCommand)),
        (weights(10, [1; 10]), None),
        (quote(9, 50), None),
        (quote(9, 100_000_000), None),
    ] {
        assert_eq!(desk.refusal(AccountId::NONE, action), reason, "{action:?}");
    }
    assert_eq!((desk.engine.index(), desk.engine.mark()), (Some(Price(100_000_000)), Some(Price(100_000_000))));
    let clock = desk.apply(AccountId::NONE, Action::Clock);
    assert_eq!((clock.len(), clock[0].kind()), (1, Some(EventKind::Done)));
}

/// CANCEL-1: 1,024 cancel-alls may wait.
#[test]
fn so_many_cancel_alls_may_wait() {
    let mut desk = Desk::new(ContractSpec { budget: 1, ..xbtusd() });
    let (a, b) = (desk.open(), desk.open());
    desk.mark(Price(1_000_000));
    for _ in 0..30 {
        desk.apply(a, limit(Side::Buy, 2, 1));
    }
    // Each apply does one step: it ends one of b's empty tasks and takes on another, once a's is done.
    let mut refused = 0;
    for _ in 0..3_000 {
        refused += u32::from(desk.refusal(b, Action::CancelAll(CancelAll::default())).is_some());
    }
    assert_eq!(refused, 0, "one step a command keeps up with one task a command");
    let unlimited = ContractSpec { budget: u64::MAX, ..xbtusd() };
    let mut desk = Desk::new(unlimited);
    let a = desk.open();
    desk.mark(Price(1_000_000));
    assert_eq!(desk.refusal(a, Action::CancelAll(CancelAll::default())), None);
    assert!(desk.engine.agenda_is_empty());
    let unknown = with_byte(Command::new(a, Action::CancelAll(CancelAll::default())), 36, 9);
    assert_eq!(desk.refusal_of(unknown), Some(Reject::InvalidSide));
}
