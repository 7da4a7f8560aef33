//! What each state of the market lets through, and what happens on reopening. (Rule HALT-1)

use contract::command::{Amount, SetLeverage, SetState};
use contract::*;
use testkit::scenario;

use super::desk::{Desk, xbtusd};

/// HALT-1: post-only takes what rests and nothing that would trade, by a new order or by an amend.
#[test]
fn in_post_only_nothing_trades() {
    scenario(
        "
        m sell 100 @ 10000.0
        b buy   10 @ 9999.0 as x
        state post_only        -> state PostOnly
        a buy   10 @ 9999.5    -> a new
        a buy   10 @ 10000.0   -> a refused MarketNotOpen
        a buy   10 @ 10000.0 post_only -> a refused MarketNotOpen
        a buy   10 market      -> a refused MarketNotOpen
        a buy   10 @ 9000.0 ioc -> a refused MarketNotOpen
        a buy   10 @ 9000.0 fok -> a refused MarketNotOpen
        b amend x @ 9999.5     -> b amended 10 @ 9999.5 leaves 10
        b amend x @ 10000.0    -> b refused MarketNotOpen
        b withdraw 1
        state open             -> state Open
        b amend x @ 10000.0    -> b amended 10 @ 10000.0 leaves 10
                               -> b take 10 fee 75 m make 10 fee -25 leaves 90
    ",
    );
}

/// HALT-1: cancel-only takes cancels; closed does not even take these. Neither lets money or margin move away.
#[test]
fn in_a_halt_orders_may_go_and_money_may_come() {
    scenario(
        "
        m sell 1000 @ 10000.0
        a leverage 10
        a buy   500 @ 10000.0
        a buy    10 @ 9000.0 as x
        a buy    10 @ 9000.0 as y
        state cancel_only      -> state CancelOnly
        a buy 1 @ 9000.0       -> a refused MarketNotOpen
        a sell 1 @ 11000.0 reduce_only -> a refused MarketNotOpen
        a amend x leaves 5     -> a refused MarketNotOpen
        a withdraw 1           -> a refused MarketNotOpen
        a leverage 5           -> a refused MarketNotOpen
        a margin 1             -> a refused MarketNotOpen
        a risk_limit 30000000000 -> a refused MarketNotOpen
        a deposit 1            -> a deposited 1
        a cancel x             -> a canceled 10 Requested
        state closed           -> state Closed
        a cancel y             -> a refused MarketNotOpen
        a cancel_all           -> a refused MarketNotOpen
        a deposit 1            -> a deposited 1
        state cancel_only      -> state CancelOnly
        a cancel_all           -> a canceled 10 Requested
    ",
    );
}

/// HALT-1: in a halt the mark moves past two accounts and back past one of them; on reopening the other is due.
#[test]
fn on_reopening_whoever_the_mark_has_passed_by_then_is_due() {
    scenario(
        "
        m sell 2000 @ 10000.0
        a leverage 100
        a buy  1000 @ 10000.0
        b leverage 50
        b buy  1000 @ 10000.0
        state cancel_only
        mark 9800.0            -> mark 9800.0
        mark 9940.0            -> mark 9940.0
        b deposit 1            -> b deposited 1
        a deposit 1            -> a deposited 1
        state closed
        state open             -> state Open
                               -> a Started qty 1000 liq 9950.5 bankrupt 9901.0
                               -> a taken_over long 1000 @ 9901.0 fee 7575
                               -> lot TakenOver qty 1000 bankrupt 9901.0 unit_value 10100
                               -> lot Resting qty 1000 bankrupt 9901.0 unit_value 10100
    ",
    );
}

/// HALT-1: post-only is no halt: takeovers run, and a liquidation that the halt has stopped goes on there.
#[test]
fn a_halt_stops_a_liquidation_between_two_steps() {
    scenario(
        "
        budget 1
        m sell 1000 @ 10000.0
        a leverage 100
        a buy  1000 @ 10000.0
        a buy    10 @ 9000.0 as x
        mark 9950.5            -> mark 9950.5
        clock                  -> a Started qty 1000 liq 9950.5 bankrupt 9901.0
        state closed           -> a canceled 10 Liquidation
                               -> state Closed
        mark 9990.0
        clock
        a deposit 1            -> a deposited 1
        state post_only        -> state PostOnly
                               -> a taken_over long 1000 @ 9901.0 fee 7575
                               -> lot TakenOver qty 1000 bankrupt 9901.0 unit_value 10100
        clock                  -> lot Resting qty 1000 bankrupt 9901.0 unit_value 10100
                               -> mark 9990.0
    ",
    );
}

/// HALT-1, LIQ-7: one lot is being swept and another listed when the halt comes; afterwards each is swept once.
#[test]
fn a_lot_on_the_list_is_swept_once_after_a_halt() {
    scenario(
        "
        budget 1
        m sell 1000 @ 10000.0
        a leverage 100
        a buy   600 @ 10000.0
        b leverage 100
        b buy   400 @ 10000.0
        mark 9940.0
        clock
        clock
        clock
        clock
        clock
        clock                  -> lot Resting qty 600 bankrupt 9901.0 unit_value 10100
        clock                  -> lot Resting qty 400 bankrupt 9901.0 unit_value 10100
        mark 9900.0            -> mark 9900.0
        clock
        clock                  -> lot Sweep qty 600 bankrupt 9901.0 unit_value 10100
        m deposit 1
        state cancel_only
        clock
        clock
        state open             -> state Open
        clock
        clock                  -> m deleveraged 600 @ 9901.0 fee -1515
        clock
        clock                  -> lot Sweep qty 400 bankrupt 9901.0 unit_value 10100
        clock
        clock                  -> m deleveraged 400 @ 9901.0 fee -1010
        clock
        clock
        clock
        book                   -> empty
        position m             -> qty 0
    ",
    );
}

/// REJECT-1: what the order itself lacks is told before the market's state, a price off the scale after it.
#[test]
fn that_the_market_is_not_open_is_told_in_its_place() {
    let mut desk = Desk::new(xbtusd());
    desk.mark(Price(1_000_000));
    let trader = desk.open();
    let order = NewOrder::limit(ClOrdId::NONE, Side::Buy, Tick(20_000), Qty(1));
    let orders = [
        (NewOrder { qty: Qty(0), ..order }, Reject::InvalidOrderQty, Reject::InvalidOrderQty),
        (NewOrder { link: 5, ..order }, Reject::InvalidLinkForContingency, Reject::InvalidLinkForContingency),
        (NewOrder { price: Tick(2_000_001), ..order }, Reject::PriceAboveLimitUp, Reject::MarketNotOpen),
        (NewOrder { qty: Qty(10_000_000), ..order }, Reject::InsufficientBalance, Reject::MarketNotOpen),
    ];
    for (order, open, closed) in orders {
        for (state, expected) in [(MarketState::Open, open), (MarketState::Closed, closed)] {
            desk.apply(AccountId::NONE, Action::SetState(SetState { state: state.into() }));
            assert_eq!(desk.refusal(trader, Action::New(order)), Some(expected), "{state:?}: {order:?}");
        }
    }
    let withdrawal = Action::Withdraw(Amount { amount: Xbt(i64::MAX) });
    assert_eq!(desk.refusal(trader, withdrawal), Some(Reject::MarketNotOpen));
}

/// HALT-1: an unknown state is no command.
#[test]
fn only_known_states_are_taken() {
    let mut desk = Desk::new(xbtusd());
    for (code, refused) in [(0, true), (1, false), (4, false), (5, true), (1, false)] {
        let action = Action::SetState(SetState { state: contract::words::Code::from_raw(code) });
        let refusal = desk.refusal(AccountId::NONE, action);
        assert_eq!(refusal, refused.then_some(Reject::InvalidCommand), "state {code}");
    }
    assert_eq!(desk.engine.market_state(), MarketState::Open);
}

/// HALT-1: with work under way and nothing that may be done, a clock says only that it was there, and a pump that waits
/// for the agenda does not wait for ever.
#[test]
fn a_halted_agenda_is_as_good_as_empty() {
    let mut desk = Desk::new(ContractSpec { budget: 1, ..xbtusd() });
    desk.mark(Price(1_000_000));
    let (maker, trader) = (desk.open(), desk.open());
    desk.apply(trader, Action::SetLeverage(SetLeverage { leverage: Leverage(10_000) }));
    let order = |side| Action::New(NewOrder::limit(ClOrdId::NONE, side, Tick(20_000), Qty(100)));
    desk.apply(maker, order(Side::Sell));
    desk.apply(trader, order(Side::Buy));
    desk.mark(Price(995_000));
    assert!(desk.engine.is_due(trader) && !desk.engine.agenda_is_empty());
    desk.apply(AccountId::NONE, Action::SetState(SetState { state: MarketState::Closed.into() }));
    assert!(desk.engine.agenda_is_empty() || desk.engine.is_due(trader));
    let events = desk.apply(AccountId::NONE, Action::Clock);
    assert_eq!(events[0].kind(), Some(EventKind::Done));
    assert!(desk.engine.agenda_is_empty());
    desk.apply(maker, Action::Deposit(Amount { amount: Xbt(1) }));
    desk.apply(AccountId::NONE, Action::SetState(SetState { state: MarketState::Open.into() }));
    while !desk.engine.agenda_is_empty() {
        desk.apply(AccountId::NONE, Action::Clock);
    }
    assert_eq!(desk.engine.position(trader).unwrap().qty, 0);
}
