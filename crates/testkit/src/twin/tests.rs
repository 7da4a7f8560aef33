//! What events carry, field by field, and the order of refusals.

use contract::cl_ord_id::ClOrdId;
use contract::codes::{AmendQty, CancelReason, ExecInst, Marking, Side, TimeInForce};
use contract::command::{
    Action, Amend, AmendFields, Amount, Cancel, CancelAll, Command, Mark, NewOrder, OpenAccount, SetLeverage, Target,
};
use contract::event::{Canceled, Done, Event, Fact, Fill, Rejected};
use contract::reject::Reject;
use contract::spec::{Capacity, ContractSpec, Genesis};
use contract::units::{AccountId, Leverage, OrderId, Price, Qty, Tick, Xbt};
use contract::words::{Code, Coded};

use super::Twin;

/// A twin that stamps its own commands.
struct Desk {
    twin: Twin,
    seq: u64,
}

const ALICE: AccountId = AccountId(4);
const BOB: AccountId = AccountId(5);

impl Desk {
    fn new(change: impl Fn(&mut ContractSpec)) -> Desk {
        let mut spec = ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
        change(&mut spec);
        let capacity = Capacity { accounts: 8, orders: 4, sessions: 3, lots: 2 };
        Desk { twin: Twin::new(&Genesis { spec, capacity }).expect("a good contract"), seq: 0 }
    }

    /// Alice and Bob with one XBT each, the mark at 10,000.00.
    fn open(change: impl Fn(&mut ContractSpec)) -> Desk {
        let mut desk = Desk::new(change);
        for account in [ALICE, BOB] {
            desk.say(account, Action::OpenAccount(OpenAccount { fee_class: 0 }));
            desk.say(account, Action::Deposit(Amount { amount: Xbt(100_000_000) }));
        }
        desk.mark(1_000_000);
        desk
    }

    fn apply(&mut self, command: Command) -> Vec<Event> {
        self.seq += 1;
        let events = self.twin.apply(&command.stamped(self.seq, 1_000 + self.seq));
        for (at, event) in events.iter().enumerate() {
            assert_eq!((event.seq(), event.ts(), event.n()), (self.seq, 1_000 + self.seq, at as u32));
            assert_eq!(event.is_last(), at + 1 == events.len());
        }
        assert_eq!(self.twin.check_sums(), Ok(()));
        events
    }

    fn say(&mut self, account: AccountId, action: Action) -> Vec<Event> {
        self.apply(Command::new(account, action))
    }

    fn mark(&mut self, price: u64) -> Vec<Event> {
        self.say(AccountId::NONE, Action::Mark(Mark { price: Price(price) }))
    }

    /// The reason and the number of a refusal.
    fn refusal(&mut self, account: AccountId, action: Action) -> (Reject, i64) {
        let events = self.say(account, action);
        let [event] = events[..] else { panic!("a refusal is one event: {events:?}") };
        let Some(Fact::Rejected(it)) = event.fact() else { panic!("no refusal: {event:?}") };
        (it.reject().expect("a known reason"), it.detail)
    }
}

fn limit(side: Side, tick: u32, qty: u64) -> NewOrder {
    NewOrder::limit(ClOrdId::NONE, side, Tick(tick), Qty(qty))
}

fn fills(events: &[Event]) -> Vec<(AccountId, u64, Fill)> {
    let fill = |event: &Event| match event.fact() {
        Some(Fact::Fill(fill)) => Some((event.account(), event.account_seq(), fill)),
        _ => None,
    };
    events.iter().filter_map(fill).collect()
}

/// A fill with the account itself numbers the taker's event first, settles the taker's side first
/// and leaves the position as it was; both fees are paid. (Rule STP-1)
#[test]
fn a_fill_with_oneself_takes_two_numbers() {
    let mut desk = Desk::open(|_| {});
    desk.say(ALICE, Action::New(limit(Side::Sell, 20_000, 10)));
    // Alice was named by Wallet, Position, Transfer, Wallet, Accepted, Wallet; next is Accepted.
    let events = desk.say(ALICE, Action::New(limit(Side::Buy, 20_000, 10)));
    let [(account, taker_seq, fill)] = fills(&events)[..] else { panic!("one fill: {events:?}") };
    assert_eq!((account, taker_seq, fill.maker_account, fill.maker_seq), (ALICE, 8, ALICE.0, 9));
    assert_eq!((fill.taker_number, fill.taker_slot, fill.maker_number, fill.maker_slot), (2, 1, 1, 0));
    assert_eq!((fill.price, fill.value, fill.taker_fee, fill.maker_fee), (20_000, Xbt(100_000), Xbt(75), Xbt(-25)));
    let position = desk.twin.position(ALICE).expect("open");
    assert_eq!((position.qty, position.cost, position.commission, position.realised), (0, Xbt(0), Xbt(50), Xbt(-50)));
}

/// The slot given back last is taken, numbers never come back. (Design, Ids)
#[test]
fn a_new_order_takes_the_slot_given_back_last() {
    let mut desk = Desk::open(|_| {});
    for tick in [19_000, 19_001, 19_002] {
        desk.say(ALICE, Action::New(limit(Side::Buy, tick, 1)));
    }
    let id = OrderId { number: 2, slot: 1 };
    let target = Target::OrderId(id);
    let canceled = |account| Command::new(account, Action::Cancel(Cancel { target }));
    // Another's order looks unknown, whatever else is wrong. (Rule ID-2)
    assert_eq!(desk.refusal(BOB, Action::Cancel(Cancel { target })), (Reject::InvalidOrderId, 0));
    let events = desk.apply(canceled(ALICE).from_session(2, 7));
    let expected = Canceled {
        reason: u16::from(CancelReason::Requested.code()),
        session: 2,
        number: 2,
        leaves: Qty(1),
        request: 7,
        slot: 1,
    };
    assert_eq!(events[0].fact(), Some(Fact::Canceled(expected)));
    let events = desk.say(ALICE, Action::New(limit(Side::Buy, 19_003, 1)));
    let Some(Fact::Accepted(it)) = events[0].fact() else { panic!("{events:?}") };
    assert_eq!((it.number, it.slot, it.display), (4, 1, Qty(1)));
    desk.say(ALICE, Action::New(limit(Side::Buy, 19_004, 1)));
    let sixth = Action::New(limit(Side::Buy, 19_005, 1));
    assert_eq!(desk.refusal(ALICE, sixth), (Reject::CapacityReached, 0));
    // Slot 0 goes, then slot 2: that one is next.
    for (number, slot) in [(1, 0), (3, 2)] {
        desk.say(ALICE, Action::Cancel(Cancel { target: Target::OrderId(OrderId { number, slot }) }));
    }
    for slot in [2, 0] {
        let events = desk.say(ALICE, Action::New(limit(Side::Buy, 19_006, 1)));
        let Some(Fact::Accepted(it)) = events[0].fact() else { panic!("{events:?}") };
        assert_eq!(it.slot, slot);
    }
}

/// A refusal names the account as given, whether it exists or not, and numbers only what exists.
#[test]
fn a_refusal_is_about_the_account_as_given() {
    let mut desk = Desk::open(|_| {});
    let nobody = AccountId(77);
    let events = desk.say(nobody, Action::New(limit(Side::Buy, 20_000, 1)));
    assert_eq!((events[0].account(), events[0].account_seq()), (nobody, 0));
    let events = desk.say(AccountId::LIQUIDATION, Action::New(limit(Side::Buy, 20_000, 1)));
    assert_eq!((events[0].account(), events[0].account_seq()), (AccountId::LIQUIDATION, 1));
    let Some(Fact::Rejected(it)) = events[0].fact() else { panic!("{events:?}") };
    assert_eq!(it, Rejected { reason: 5, command: 12, ..Rejected::default() });
}

/// Exactly once: a request at or below the last one is refused, whatever became of the last.
#[test]
fn a_request_must_rise_within_its_session() {
    let mut desk = Desk::open(|_| {});
    let clock = || Command::new(AccountId::NONE, Action::Clock);
    let reject = |events: Vec<Event>| match events[0].fact() {
        Some(Fact::Rejected(it)) => it.reject(),
        Some(Fact::Done(Done { .. })) => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(reject(desk.apply(clock().from_session(1, 0))), Some(Reject::DuplicateRequest));
    assert_eq!(reject(desk.apply(clock().from_session(1, 5))), None);
    assert_eq!(reject(desk.apply(clock().from_session(1, 5))), Some(Reject::DuplicateRequest));
    assert_eq!(reject(desk.apply(clock().from_session(2, 5))), None);
    assert_eq!(reject(desk.apply(clock().from_session(3, 6))), Some(Reject::CapacityReached));
    // A refused command counts as the session's last.
    let wrong = Command::new(BOB, Action::Deposit(Amount { amount: Xbt(0) })).from_session(1, 6);
    assert_eq!(reject(desk.apply(wrong)), Some(Reject::InvalidAmount));
    assert_eq!(reject(desk.apply(clock().from_session(1, 6))), Some(Reject::DuplicateRequest));
}

/// REJECT-1: everything is wrong at once; each repair brings the next reason.
#[test]
fn the_first_reason_that_applies_is_the_answer() {
    let mut desk = Desk::open(|_| {});
    let taken = ClOrdId::new("taken").expect("printable");
    desk.say(ALICE, Action::New(NewOrder { cl_ord_id: taken, ..limit(Side::Buy, 19_000, 1) }));
    let mut order = NewOrder {
        cl_ord_id: taken,
        price: Tick(0),
        qty: Qty(0),
        flags: 1,
        side: Code::from_raw(9),
        ord_type: Code::from_raw(1),
        tif: Code::from_raw(9),
        peg: Code::from_raw(1),
        peg_offset: 1,
        stop: Tick(1),
        exec_inst: ExecInst(4 | ExecInst::POST_ONLY.0),
        link: 1,
        ..NewOrder::default()
    };
    let mut next = |order: &NewOrder, reason: Reject| {
        assert_eq!(desk.refusal(ALICE, Action::New(*order)).0, reason, "{order:?}");
    };
    next(&order, Reject::DuplicateClOrdId);
    order.cl_ord_id = ClOrdId::NONE;
    next(&order, Reject::InvalidSide);
    order.side = Side::Sell.into();
    next(&order, Reject::InvalidOrderQty);
    order.qty = Qty(1_000_000);
    next(&order, Reject::InvalidPrice);
    order.price = Tick(u32::MAX);
    next(&order, Reject::InvalidDisplayQty);
    order.flags = 0;
    order.ord_type = Code::from_raw(3);
    next(&order, Reject::UnsupportedOrdType);
    order.ord_type = Code::from_raw(1);
    next(&order, Reject::InvalidPegPriceType);
    order.peg = Code::from_raw(0);
    next(&order, Reject::InvalidPegOffset);
    order.peg_offset = 0;
    next(&order, Reject::InvalidStopForOrdType);
    order.stop = Tick(0);
    next(&order, Reject::UnsupportedTimeInForce);
    order.tif = TimeInForce::FillOrKill.into();
    next(&order, Reject::InvalidExecInst);
    order.exec_inst = ExecInst::POST_ONLY;
    next(&order, Reject::InvalidOrdTypeForExecInst);
    order.tif = TimeInForce::GoodTillCancel.into();
    next(&order, Reject::InvalidLinkForContingency);
    order.link = 0;
    next(&order, Reject::PriceAboveLimitUp);
    order.price = Tick(20_000);
    next(&order, Reject::InsufficientBalance);
    order.qty = Qty(1);
    order.exec_inst = ExecInst::REDUCE_ONLY;
    next(&order, Reject::WouldNotReduce);
}

/// AMEND-2, LIMIT-1: quantities that no order can have.
#[test]
fn an_amend_to_an_impossible_quantity_is_refused_in_its_words() {
    let mut desk = Desk::open(|_| {});
    desk.say(ALICE, Action::New(limit(Side::Buy, 19_000, 10)));
    let target = Target::OrderId(OrderId { number: 1, slot: 0 });
    for (kind, qty, reason) in [
        (AmendQty::Total, 10_000_001, Reject::InvalidOrderQty),
        (AmendQty::Leaves, 10_000_001, Reject::InvalidLeavesQty),
        (AmendQty::Leaves, u64::MAX, Reject::InvalidOrderQty), // LIMIT-1 comes first
        (AmendQty::Reduce, 0, Reject::InvalidOrderQty),
    ] {
        let fields = AmendFields { qty_kind: kind.into(), qty: Qty(qty), ..AmendFields::default() };
        assert_eq!(desk.refusal(ALICE, Action::Amend(Amend { target, fields })).0, reason, "{kind:?} {qty}");
    }
}

/// OM-5: the gap to the mark is held from entry on, moves to cross when it fills in isolated margin
/// above 1x, and is not charged at 1x.
#[test]
fn a_price_worse_than_the_mark_costs_its_gap() {
    for (leverage, held, cross) in [(1_000, 56_000, 6_000), (100, 500_000, 0), (0, 11_000, 0)] {
        let mut desk = Desk::open(|spec| {
            for class in &mut spec.fees {
                (class.maker.0, class.taker.0) = (0, 0);
            }
        });
        desk.say(ALICE, Action::SetLeverage(SetLeverage { leverage: Leverage(leverage) }));
        // At the mark there is no gap.
        desk.say(ALICE, Action::New(limit(Side::Buy, 20_000, 50)));
        assert_eq!(desk.twin.wallet(ALICE).map(|it| it.buy_premium), Some(Xbt(0)));
        desk.say(ALICE, Action::CancelAll(CancelAll::default()));
        // A unit is worth 10,000 at the limit and 10,120 at the new mark: a buy is 120 worse.
        desk.mark(988_142);
        desk.say(ALICE, Action::New(limit(Side::Buy, 20_000, 50)));
        let wallet = desk.twin.wallet(ALICE).expect("open");
        assert_eq!(wallet.buy_premium, Xbt(6_000), "50 · 120");
        assert_eq!(wallet.order_margin, Xbt(held), "leverage {leverage}");
        desk.say(BOB, Action::New(limit(Side::Sell, 20_000, 50)));
        assert_eq!(desk.twin.position(ALICE).map(|it| (it.qty, it.cross)), Some((50, Xbt(cross))));
    }
}

/// TIF-1, law 4: what a good-till-cancelled order would still meet beyond `max_fills` cuts it off.
#[test]
fn an_order_that_meets_too_many_is_cut_off() {
    let mut desk = Desk::open(|spec| spec.max_fills = 2);
    for _ in 0..3 {
        desk.say(ALICE, Action::New(limit(Side::Sell, 20_000, 1)));
    }
    let events = desk.say(BOB, Action::New(limit(Side::Buy, 20_000, 5)));
    assert_eq!(fills(&events).len(), 2);
    let canceled = events.iter().find_map(|event| match event.fact() {
        Some(Fact::Canceled(it)) => it.cancel_reason(),
        _ => None,
    });
    assert_eq!(canceled, Some(CancelReason::MaxFills));
    // A fill-or-kill that needs a third is killed whole; one that needs the last goes through.
    let order = limit(Side::Buy, 20_000, 1).with_tif(TimeInForce::FillOrKill);
    assert_eq!(fills(&desk.say(BOB, Action::New(order))).len(), 1);
}

/// Nothing to say: `Done` with session and request, about no account.
#[test]
fn silence_is_done() {
    let mut desk = Desk::open(|_| {});
    let events = desk.apply(Command::new(ALICE, Action::CancelAll(CancelAll::default())).from_session(1, 3));
    assert_eq!(events[0].fact(), Some(Fact::Done(Done { session: 1, request: 3 })));
    assert_eq!((events[0].account(), events[0].account_seq()), (AccountId::NONE, 0));
}
