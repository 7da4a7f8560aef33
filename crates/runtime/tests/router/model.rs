//! The read model says what the engine's own views say.

use centum_runtime::router::{Change, Desk, FeedLimits, L2, L3, LevelRow, OpenOrder, OrderRow, Parts, Router, Top};
use contract::command::{Amount, Mark, OpenAccount, SetLeverage};
use contract::view::view;
use contract::{
    AccountId, Action, Capacity, ClOrdId, Command, ContractSpec, ExecInst, Genesis, Leverage, Marking, NewOrder,
    OrdType, OrderId, Price, Qty, Side, Target, Tick, TimeInForce, Xbt, event,
};
use engine::{Engine, OrderView};

use crate::drive::{COMMANDS, Drive, Met, scenarios};

/// Feeds are opened for their snapshots only.
const NARROW: FeedLimits = FeedLimits {
    account_rows: 1,
    market_rows: 1,
    market_feeds: 64,
    account_feeds: 1 << 10,
    feeds_per_account: 64,
    drop_copy_rows: 1,
    drop_copies: 1,
};

/// The engine's own book.
fn engine_l3(engine: &Engine) -> L3 {
    let orders = |side| {
        let mut rows = Vec::new();
        engine.for_each_order(side, |it| {
            let (number, price, leaves) = (it.id.number, it.price, it.leaves);
            rows.push(OrderRow { change: Change::Added, number, side, price, leaves });
        });
        rows
    };
    L3 { bids: orders(Side::Buy), asks: orders(Side::Sell) }
}

fn l3(desk: &Desk) -> L3 {
    desk.market_data(Parts { l3: true, ..Parts::NONE }).expect("a feed").snapshot().l3.clone().expect("asked for")
}

/// Levels of a book of orders.
fn levels(orders: &[OrderRow]) -> Vec<LevelRow> {
    let mut levels: Vec<LevelRow> = Vec::new();
    for it in orders {
        match levels.last_mut().filter(|level| level.price == it.price) {
            Some(level) => level.qty += it.leaves,
            None => levels.push(LevelRow { side: it.side, price: it.price, qty: it.leaves }),
        }
    }
    levels
}

/// The engine's book is the read model's.
fn check_book(market: &Engine, desk: &Desk, place: &str) {
    let (engine, view, book) = (engine_l3(market), desk.view(), l3(desk));
    assert_eq!(book, engine, "L3, {place}");
    let l2 = L2 { bids: levels(&book.bids), asks: levels(&book.asks) };
    assert_eq!(view.book(usize::MAX), l2, "L2, {place}");
    assert_eq!(view.top(), Top { bid: l2.bids.first().copied(), ask: l2.asks.first().copied() });
    let short = view.book(2);
    assert!(l2.bids.starts_with(&short.bids) && l2.asks.starts_with(&short.asks) && short.bids.len() <= 2);
}

/// What one order must be in the read model.
fn open(engine: &Engine, it: &OrderView) -> (OrderId, ClOrdId, Side, u32, u64, u64, u64, ExecInst) {
    let inst = engine.exec_inst(it.id).expect("it rests");
    assert_eq!(inst.has(ExecInst::REDUCE_ONLY), it.is_reduce_only);
    (it.id, it.cl_ord_id, it.side, it.price.0, it.leaves.0 + it.cum.0, it.leaves.0, it.cum.0, inst)
}

fn shown(it: &OpenOrder) -> (OrderId, ClOrdId, Side, u32, u64, u64, u64, ExecInst) {
    assert_eq!((it.ord_type, it.tif), (OrdType::Limit, TimeInForce::GoodTillCancel), "nothing else rests");
    (it.id, it.cl_ord_id, it.side, it.price.0, it.qty.0, it.leaves.0, it.cum.0, it.exec_inst)
}

/// A position without the two prices that its last event said of another moment.
fn lasting(position: event::Position) -> event::Position {
    event::Position { liquidation_price: Price::NONE, bankruptcy_price: Price::NONE, ..position }
}

fn check_accounts(engine: &Engine, desk: &Desk, place: &str) {
    let view_of = desk.view();
    let mut orders = vec![Vec::new(); engine.accounts() as usize];
    for side in [Side::Buy, Side::Sell] {
        engine.for_each_order(side, |it| orders[it.account.0 as usize].push(it));
    }
    for account in (4..engine.accounts()).map(AccountId) {
        let found = view_of.account(account).unwrap_or_else(|| panic!("{account:?} is open, {place}"));
        let (wallet, position) = (engine.wallet(account).expect("open"), engine.position(account).expect("open"));
        assert_eq!((found.as_of, found.wallet), (engine.seq(), wallet), "wallet of {account:?}, {place}");
        assert_eq!(lasting(found.position), lasting(position), "position of {account:?}, {place}");
        assert_eq!(
            found.figures,
            view(engine.spec(), engine.funding_rate(), &wallet, &position, found.mark),
            "{place}"
        );
        // Whom an open pass has not come to still has its margins by the rate before. (Rule FUND-5)
        let is_settled = engine.margin_rate(account) == Some(engine.funding_rate());
        if found.mark != Price::NONE && is_settled {
            assert_eq!(Some(found.figures.available), engine.available(account), "MARGIN-7, {account:?}, {place}");
            assert_eq!(found.figures.liquidation_price, position.liquidation_price, "{account:?}, {place}");
        }
        let its = &mut orders[account.0 as usize];
        its.sort_by_key(|it| it.id.number);
        let expected: Vec<_> = its.iter().map(|it| open(engine, it)).collect();
        let known = view_of.orders(account).expect("open");
        assert_eq!(known.iter().map(shown).collect::<Vec<_>>(), expected, "orders of {account:?}, {place}");
        for it in &known {
            let by_id = view_of.order(account, &Target::OrderId(it.id));
            assert_eq!(by_id, Some(*it), "{place}");
            if !it.cl_ord_id.is_none() {
                assert_eq!(view_of.order(account, &Target::ClOrdId(it.cl_ord_id)), Some(*it), "ID-1, {place}");
            }
            let other = AccountId(account.0 ^ 1);
            assert_eq!(view_of.order(other, &Target::OrderId(it.id)), None, "ID-2: another's order looks unknown");
        }
    }
}

/// After every command the read model has the engine's orders, in their places, its levels, wallets and positions, and
/// what `view` makes of them is what the engine works with.
#[test]
fn the_read_model_equals_the_engine_after_every_command() {
    let mut met = Met::default();
    for seed in 0..scenarios() {
        let mut drive = Drive::new(seed, NARROW);
        for _ in 0..COMMANDS {
            let (_, events) = drive.step();
            met.count(&events);
            check_book(&drive.engine, &drive.desk, &drive.place());
            if drive.engine.seq().is_multiple_of(7) {
                check_accounts(&drive.engine, &drive.desk, &drive.place());
            }
            let view = drive.desk.view();
            assert_eq!((view.as_of(), view.mark()), (drive.engine.seq(), drive.engine.mark()));
        }
    }
    met.check();
}

/// A router that is begun from the engine at any moment, in the middle of liquidations too, goes on as the one that
/// has heard everything.
#[test]
fn a_router_begun_at_any_moment_goes_on_as_one_that_heard_all() {
    for seed in 0..scenarios() {
        let mut drive = Drive::new(seed, NARROW);
        let mut later: Option<(Router, Desk)> = None;
        for number in 0..COMMANDS {
            let (_, events) = drive.step();
            if let Some((router, desk)) = &mut later {
                router.take_batch(&events);
                assert_eq!(l3(desk), l3(&drive.desk), "{}", drive.place());
                if number % 7 == 0 {
                    check_accounts(&drive.engine, desk, &drive.place());
                }
            }
            // Begun anew now and then; while something waits always.
            if number % 90 == 0 || (number % 10 == 0 && !drive.engine.agenda_is_empty()) {
                let (router, desk) = Router::begin(&drive.engine, NARROW);
                assert_eq!(l3(&desk), l3(&drive.desk), "{}", drive.place());
                for account in (4..drive.engine.accounts()).map(AccountId) {
                    let (mut new, mut old) = (
                        desk.account(account).expect("a feed").snapshot().clone(),
                        drive.desk.account(account).expect("a feed").snapshot().clone(),
                    );
                    (new.position, old.position) = (lasting(new.position), lasting(old.position));
                    assert_eq!(new, old, "{}", drive.place());
                }
                later = Some((router, desk));
            }
        }
    }
}

/// Accounts of the house and accounts that are not open are nobody's to look at.
#[test]
fn the_house_and_the_unknown_have_no_view() {
    let mut drive = Drive::new(1, FeedLimits::default());
    for _ in 0..300 {
        drive.step();
    }
    let view = drive.desk.view();
    for account in [0, 1, 2, 3, drive.engine.accounts(), u32::MAX].map(AccountId) {
        assert!(view.account(account).is_none() && view.wallet(account).is_none() && view.position(account).is_none());
        assert!(view.orders(account).is_none());
        assert!(view.order(account, &Target::ClOrdId(ClOrdId::NONE)).is_none());
        assert!(drive.desk.account(account).is_err());
    }
    assert!(view.wallet(AccountId(4)).is_some() && view.book(0).bids.is_empty());
}

/// A lot that closes out over several commands comes to rest before the order of the command that leaves it a step for
/// that, and behind the order of one that does not: at every budget the queue at its tick is the engine's.
#[test]
fn who_is_first_at_the_tick_of_a_lot_follows_from_the_budget() {
    let (mut before, mut behind) = (0, 0);
    for (budget, bids) in (1..9).flat_map(|budget| (1..6u64).map(move |bids| (budget, bids))) {
        let spec = ContractSpec { marking: Marking::External, budget, ..ContractSpec::XBTUSD_2019 };
        let mut engine = Engine::new(&Genesis { spec, capacity: Capacity::default() }).expect("it can be traded");
        let (mut router, desk) = Router::begin(&engine, NARROW);
        let (alice, bob, carol) = (AccountId(4), AccountId(5), AccountId(6));
        let place = format!("budget {budget}, {bids} bids");
        let mut say = |engine: &mut Engine, account, action| {
            let mut events = Vec::new();
            engine.apply(&Command::new(account, action).stamped(engine.seq() + 1, 0), &mut events);
            router.take_batch(&events);
            check_book(engine, &desk, &place);
        };
        let order = |side, tick, qty| Action::New(NewOrder::limit(ClOrdId::NONE, side, Tick(tick), Qty(qty)));
        for account in [alice, bob, carol] {
            say(&mut engine, account, Action::OpenAccount(OpenAccount { fee_class: 0 }));
            say(&mut engine, account, Action::Deposit(Amount { amount: Xbt(100_000_000) }));
        }
        say(&mut engine, alice, Action::SetLeverage(SetLeverage { leverage: Leverage(10_000) }));
        say(&mut engine, AccountId::NONE, Action::Mark(Mark { price: Price(1_000_000) }));
        say(&mut engine, carol, order(Side::Sell, 20_000, 1_000));
        say(&mut engine, alice, order(Side::Buy, 20_000, 1_000));
        for _ in 0..bids {
            say(&mut engine, bob, order(Side::Buy, 19_880, 100));
        }
        // Alice is taken over; her lot takes Bob's bids, as far as each command's budget goes.
        say(&mut engine, AccountId::NONE, Action::Mark(Mark { price: Price(990_000) }));
        for _ in 0..12 {
            let mut lot = None;
            engine.for_each_lot(|it| lot = it.tick.map(|tick| (it.id.number, tick)));
            let Some((lot, tick)) = lot else {
                say(&mut engine, AccountId::NONE, Action::Clock);
                continue;
            };
            say(&mut engine, carol, order(Side::Sell, tick.0, 7));
            let first = engine_l3(&engine).asks.first().map(|it| it.number);
            let rests = engine_l3(&engine).asks.iter().any(|it| it.number == lot);
            before += u64::from(rests && first == Some(lot));
            behind += u64::from(rests && first != Some(lot));
        }
    }
    println!("{before} times before, {behind} behind");
    assert!(before >= 5 && behind >= 5);
}
