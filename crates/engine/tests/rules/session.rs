//! Exactly once: sessions and their requests. (Rule ID-2)

use contract::command::Amount;
use contract::*;

use super::desk::{Desk, FLAGS_AT, KIND_AT, for_instrument_1, id, reason, with_byte, xbtusd};

fn deposit(account: AccountId) -> Command {
    Command::new(account, Action::Deposit(Amount { amount: Xbt(1) }))
}

/// ID-2: a request must be above the session's last one; the one below and the same are duplicates.
#[test]
fn a_request_that_does_not_rise_was_applied_before() {
    let mut desk = Desk::new(xbtusd());
    let account = desk.open();
    let mut send = |session, request| desk.refusal_of(deposit(account).from_session(session, request));
    assert_eq!(send(1, 10), None);
    assert_eq!(send(1, 9), Some(Reject::DuplicateRequest));
    assert_eq!(send(1, 10), Some(Reject::DuplicateRequest));
    assert_eq!(send(1, 11), None);
    assert_eq!(send(1, u64::MAX), None);
    assert_eq!(send(1, u64::MAX), Some(Reject::DuplicateRequest));
    assert_eq!(send(2, 1), None, "each session counts by itself");
    assert_eq!(send(3, 0), Some(Reject::DuplicateRequest), "requests begin at 1");
    assert_eq!(send(0, 7), None, "session 0 is not numbered");
    assert_eq!(send(0, 7), None);
    assert_eq!(desk.engine.wallet(account).unwrap().balance, Xbt(1_000_000_000 + 6));
}

/// ID-2: the highest session is one below the capacity.
#[test]
fn a_session_beyond_the_capacity_is_refused() {
    let mut desk = Desk::new(xbtusd());
    let account = desk.open();
    assert_eq!(desk.refusal_of(deposit(account).from_session(3, 1)), None);
    assert_eq!(desk.refusal_of(deposit(account).from_session(4, 1)), Some(Reject::CapacityReached));
    assert_eq!(desk.refusal_of(deposit(account).from_session(u32::MAX, 1)), Some(Reject::CapacityReached));
}

/// ID-2: a refused command has been applied too: it is answered once.
#[test]
fn a_refused_request_is_not_tried_again() {
    let mut desk = Desk::new(xbtusd());
    let account = desk.open();
    let bad = for_instrument_1(deposit(account)).from_session(1, 5);
    assert_eq!(desk.refusal_of(bad), Some(Reject::InvalidSymbol));
    assert_eq!(desk.refusal_of(deposit(account).from_session(1, 5)), Some(Reject::DuplicateRequest));
    assert_eq!(desk.refusal_of(deposit(account).from_session(1, 6)), None);
}

/// ID-2, REJECT-1: the session is looked at before the record, the record before its client id, that before
/// the rest.
#[test]
fn the_session_comes_first_then_the_record_then_the_client_id() {
    let mut desk = Desk::new(xbtusd());
    let account = desk.open();
    let order = NewOrder::limit(id("x"), Side::Buy, Tick(20_000), Qty(1));
    let order = Command::new(account, Action::New(order));
    let bad_id = with_byte(order, 40, 0x1f);
    let bad_symbol = for_instrument_1(bad_id);
    let bad_flag = with_byte(bad_symbol, FLAGS_AT, 2);
    let repeated = bad_flag.from_session(1, 0);
    assert_eq!(desk.refusal_of(repeated), Some(Reject::DuplicateRequest));
    assert_eq!(desk.refusal_of(bad_flag), Some(Reject::InvalidCommand));
    assert_eq!(desk.refusal_of(bad_symbol), Some(Reject::InvalidClOrdId));
    assert_eq!(desk.refusal_of(for_instrument_1(order)), Some(Reject::InvalidSymbol));
    assert_eq!(desk.refusal_of(order), Some(Reject::NoMarkPrice));
}

/// REJECT-1: kinds that are not known, or on which this build does not act.
#[test]
fn an_unknown_kind_is_refused() {
    let mut desk = Desk::new(xbtusd());
    let account = desk.open();
    let command = Command::new(account, Action::Clock);
    for kind in 0..=255u8 {
        let acts = CommandKind::from_code(kind).is_some_and(|kind| {
            !matches!(
                kind,
                CommandKind::Genesis
                    | CommandKind::SetSpec
                    | CommandKind::CancelAllAfter
                    | CommandKind::SetWeights
                    | CommandKind::Epoch
                    | CommandKind::Link
            )
        });
        if !acts {
            assert_eq!(desk.refusal_of(with_byte(command, KIND_AT, kind)), Some(Reject::InvalidCommand), "{kind}");
        }
    }
    let quarantine = with_byte(command, KIND_AT, CommandKind::Quarantine as u8);
    assert_eq!(desk.refusal_of(quarantine), Some(Reject::Quarantined), "what a replay gives in a command's place");
    for flag in [1, 2, 128] {
        assert_eq!(desk.refusal_of(with_byte(command, FLAGS_AT, flag)), Some(Reject::InvalidCommand));
    }
    assert_eq!(desk.refusal_of(command), None);
}

/// ID-1: 1 to 36 bytes of printable ASCII without a gap.
#[test]
fn a_client_id_is_printable() {
    let mut desk = Desk::new(xbtusd());
    let account = desk.open();
    desk.mark(Price(1_000_000));
    let order = |name: &str| Command::new(account, Action::New(NewOrder::limit(id(name), Side::Buy, Tick(2), Qty(1))));
    for (at, byte, good) in
        [(40, 0x1f, false), (40, 0x20, true), (40, 0x7e, true), (40, 0x7f, false), (41, 0x80, false), (45, 0x61, false)]
    {
        let refusal = desk.refusal_of(with_byte(order("aaa"), at, byte));
        assert_eq!(refusal, (!good).then_some(Reject::InvalidClOrdId), "byte {byte:#x} at {at}");
    }
    let longest = "123456789012345678901234567890123456";
    assert_eq!(desk.refusal_of(order(longest)), None);
    assert_eq!(desk.refusal_of(order(longest)), Some(Reject::DuplicateClOrdId));
}

/// ID-2: another account's order looks unknown, by number and by name; so does a number with a wrong slot.
#[test]
fn an_order_is_reached_by_its_own_account_only() {
    let mut desk = Desk::new(xbtusd());
    let (alice, bob) = (desk.open(), desk.open());
    desk.mark(Price(1_000_000));
    desk.apply(alice, Action::New(NewOrder::limit(id("x"), Side::Buy, Tick(20_000), Qty(1))));
    let order = desk.engine.order_named(alice, &id("x")).expect("it rests");
    let cancel = |target| Action::Cancel(Cancel { target });
    let by_id = Target::OrderId(order.id);
    let wrong_slot = Target::OrderId(OrderId { slot: order.id.slot + 1, ..order.id });
    let wrong_number = Target::OrderId(OrderId { number: order.id.number + 1, ..order.id });
    for (account, target) in [
        (bob, by_id),
        (bob, Target::ClOrdId(id("x"))),
        (alice, wrong_slot),
        (alice, wrong_number),
        (alice, Target::ClOrdId(ClOrdId::NONE)),
        (AccountId::LIQUIDATION, by_id),
        (AccountId::NONE, by_id),
    ] {
        assert_eq!(desk.refusal(account, cancel(target)), Some(Reject::InvalidOrderId));
    }
    assert_eq!(desk.refusal(alice, cancel(by_id)), None);
}

/// STATE-2: accepted, working, fills, then the position: state events come last, by rising account.
#[test]
fn facts_come_in_the_order_in_which_they_become_true() {
    let mut desk = Desk::new(xbtusd());
    let (alice, bob) = (desk.open(), desk.open());
    desk.mark(Price(1_000_000));
    desk.apply(alice, Action::New(NewOrder::limit(id("x"), Side::Sell, Tick(20_000), Qty(5))));
    let events = desk.apply(bob, Action::New(NewOrder::limit(id("y"), Side::Buy, Tick(20_000), Qty(8))));
    let kinds: Vec<_> = events.iter().map(|event| (event.account().0, event.kind().unwrap())).collect();
    assert_eq!(
        kinds,
        [
            (bob.0, EventKind::Accepted),
            (bob.0, EventKind::Fill),
            (alice.0, EventKind::Wallet),
            (alice.0, EventKind::Position),
            (bob.0, EventKind::Wallet),
            (bob.0, EventKind::Position),
        ]
    );
    // STATE-1: executed and open quantity add up to the order's.
    let order = desk.engine.order_named(bob, &id("y")).expect("the rest works");
    assert_eq!((order.cum, order.leaves), (Qty(5), Qty(3)));
    let numbers: Vec<_> = events.iter().map(Event::n).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
    assert_eq!(reason(&events), None);
}

/// SUM-8: the same commands give the same facts, the same chain and the same digest.
#[test]
fn the_same_commands_give_the_same_chain_and_digest() {
    let run = || {
        let mut desk = Desk::new(xbtusd());
        let (alice, bob) = (desk.open(), desk.open());
        desk.mark(Price(1_000_000));
        desk.apply(alice, Action::New(NewOrder::limit(id("x"), Side::Sell, Tick(20_000), Qty(5))));
        desk.apply(bob, Action::New(NewOrder::limit(id("y"), Side::Buy, Tick(20_000), Qty(8))));
        (desk.engine.chain(), desk.engine.digest())
    };
    assert_eq!(run(), run());
}
