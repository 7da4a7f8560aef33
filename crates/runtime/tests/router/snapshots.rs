//! A feed opened at any moment goes on from its snapshot without gap or overlap.

use std::thread;

use centum_runtime::router::{AccountFeed, AccountSnapshot, CloseReason, MarketFeed, MarketSnapshot, Parts};
use contract::{AccountId, Side};

use crate::drive::{COMMANDS, Drive, Met, WIDE, scenarios};

struct OpenAccount {
    feed: AccountFeed,
    state: AccountSnapshot,
    rows: u64,
}

struct OpenMarket {
    feed: MarketFeed,
    state: MarketSnapshot,
    parts: Parts,
}

/// Which of all that a later snapshot has was asked for.
fn cut(snapshot: &MarketSnapshot, parts: Parts) -> MarketSnapshot {
    let mut cut = snapshot.clone();
    cut.top = cut.top.filter(|_| parts.top);
    cut.l2 = cut.l2.filter(|_| parts.l2);
    cut.l3 = cut.l3.filter(|_| parts.l3);
    cut
}

/// Feeds of accounts and of the market are opened at all moments, read at others; whenever one is read to its end, its
/// snapshot and its rows make what a new subscription's snapshot is.
#[test]
fn snapshot_and_rows_make_any_later_snapshot() {
    let (mut met, mut compared) = (Met::default(), 0u64);
    for seed in 0..scenarios() {
        let mut drive = Drive::new(seed, WIDE);
        let (mut accounts, mut markets): (Vec<OpenAccount>, Vec<OpenMarket>) = (Vec::new(), Vec::new());
        // Any sequence does: a multiplicative one, so that the moments are scattered and the same every time.
        let mut chance = seed + 1;
        let mut any = move |below: u64| {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (chance >> 33) % below
        };
        for _ in 0..COMMANDS {
            let (_, events) = drive.step();
            met.count(&events);
            let place = drive.place();
            if any(20) == 0 {
                let account = AccountId(4 + any(u64::from(drive.engine.accounts())) as u32);
                if let Ok(feed) = drive.desk.account(account) {
                    accounts.push(OpenAccount { state: feed.snapshot().clone(), feed, rows: 0 });
                }
            }
            if any(60) == 0 {
                let parts = Parts { trades: any(2) == 0, top: any(2) == 0, l2: any(2) == 0, l3: any(2) == 0 };
                let feed = drive.desk.market_data(parts).expect("a feed");
                assert_eq!(feed.snapshot().as_of, drive.engine.seq());
                markets.push(OpenMarket { state: feed.snapshot().clone(), feed, parts });
            }
            if !accounts.is_empty() {
                let at = any(accounts.len() as u64) as usize;
                let open = &mut accounts[at];
                open.rows += open.feed.poll(|row| open.state.apply(row)).expect("it is open") as u64;
                let later = drive.desk.account(open.feed.account()).expect("a feed");
                open.state.as_of = later.snapshot().as_of;
                assert_eq!(&open.state, later.snapshot(), "{place}");
                compared += 1;
                if any(30) == 0 {
                    accounts.swap_remove(at);
                }
            }
            if !markets.is_empty() {
                let at = any(markets.len() as u64) as usize;
                let open = &mut markets[at];
                open.feed.poll(|row| open.state.apply(row)).expect("it is open");
                let later = drive.desk.market_data(Parts::ALL).expect("a feed");
                open.state.as_of = later.snapshot().as_of;
                assert_eq!(open.state, cut(later.snapshot(), open.parts), "{place}");
                compared += 1;
                if any(30) == 0 {
                    markets.swap_remove(at);
                }
            }
        }
        assert!(accounts.iter().any(|open| open.rows > 0));
    }
    println!("{compared} snapshots compared");
    met.check();
}

/// Every moment of one market: after each command the book of rows is the book, by level, by order, at the top.
#[test]
fn the_public_book_of_rows_is_the_book_after_every_command() {
    for seed in 0..scenarios() {
        let mut drive = Drive::new(seed, WIDE);
        let mut feed = drive.desk.market_data(Parts::ALL).expect("a feed");
        let mut state = feed.snapshot().clone();
        for _ in 0..COMMANDS {
            drive.step();
            let mut last = 0;
            feed.poll(|row| {
                assert!(row.stamp.seq == drive.engine.seq() && row.stamp.n >= last, "rows come in the order of events");
                last = row.stamp.n;
                state.apply(row);
            })
            .expect("it is open");
            let (view, book) = (drive.desk.view(), state.l2.as_ref().expect("asked for"));
            assert_eq!(book, &view.book(usize::MAX), "L2, {}", drive.place());
            assert_eq!(state.top, Some(view.top()), "top, {}", drive.place());
            let of_orders = state.l3.as_ref().expect("asked for");
            let total = |levels: &[centum_runtime::router::LevelRow]| levels.iter().map(|it| it.qty.0).sum::<u64>();
            let open = |orders: &[centum_runtime::router::OrderRow]| orders.iter().map(|it| it.leaves.0).sum::<u64>();
            assert_eq!((open(&of_orders.bids), open(&of_orders.asks)), (total(&book.bids), total(&book.asks)), "SUM-7");
            assert_eq!(state.insurance, drive.engine.insurance(), "INS-1, {}", drive.place());
        }
    }
}

/// A row of the book comes once a command at most, and only where something changed.
#[test]
fn a_level_and_the_top_are_told_once_a_command_and_only_when_they_changed() {
    use centum_runtime::router::MarketBody;
    for seed in 0..4 {
        let mut drive = Drive::new(seed, WIDE);
        let mut feed = drive.desk.market_data(Parts::ALL).expect("a feed");
        for _ in 0..COMMANDS {
            let (top, book) = (drive.desk.view().top(), drive.desk.view().book(usize::MAX));
            drive.step();
            let (mut levels, mut tops) = (Vec::new(), Vec::new());
            let sorted = |row: &centum_runtime::router::MarketRow| match row.body {
                MarketBody::Level(level) => levels.push(level),
                MarketBody::Top(top) => tops.push(top),
                _ => {}
            };
            feed.poll(sorted).expect("it is open");
            let told = levels.len();
            for level in &levels {
                let before =
                    book.bids.iter().chain(&book.asks).find(|it| (it.side, it.price) == (level.side, level.price));
                assert_ne!(before.map_or(0, |it| it.qty.0), level.qty.0, "{}", drive.place());
            }
            levels.sort_by_key(|it| (it.side, it.price));
            levels.dedup_by_key(|it| (it.side, it.price));
            assert_eq!(levels.len(), told, "{}", drive.place());
            let now = drive.desk.view().top();
            assert_eq!(tops, if now == top { vec![] } else { vec![now] }, "{}", drive.place());
        }
    }
}

/// Readers on other threads ask, subscribe and read while the router works: what they get is always of one moment, and
/// what they followed ends where the market does.
#[test]
fn readers_on_other_threads_see_whole_commands() {
    let mut drive = Drive::new(5, WIDE);
    for _ in 0..200 {
        drive.step();
    }
    let desk = drive.desk.clone();
    let readers: Vec<_> = (4..7u32)
        .map(|account| {
            let desk = desk.clone();
            thread::spawn(move || {
                let mut feed = desk.account(AccountId(account)).expect("it is open");
                let (mut state, mut asked) = (feed.snapshot().clone(), 0u64);
                loop {
                    match feed.poll(|row| state.apply(row)) {
                        Ok(_) => {}
                        Err(closed) => return (state, closed, asked),
                    }
                    // Another account, so that all are looked at; the router may have ended meanwhile.
                    let Ok(other) = desk.account(AccountId(4 + (asked % 10) as u32)) else { continue };
                    let snapshot = other.snapshot();
                    let open = |side| -> u64 {
                        snapshot.orders.iter().filter(|it| it.side == side).map(|it| it.leaves.0).sum()
                    };
                    let sums = (snapshot.wallet.buy_qty.0, snapshot.wallet.sell_qty.0);
                    assert_eq!((open(Side::Buy), open(Side::Sell)), sums, "orders and their sums are of one moment");
                    let (top, book) = (desk.view().top(), desk.view().book(1));
                    assert!(top.bid.is_none_or(|bid| top.ask.is_none_or(|ask| bid.price < ask.price)), "BOOK-1");
                    assert!(book.bids.len() <= 1);
                    asked += 1;
                }
            })
        })
        .collect();
    for _ in 0..COMMANDS {
        drive.step();
    }
    let (engine, view) = (drive.engine.clone(), drive.desk.view());
    drop(drive);
    for (account, reader) in (4..7u32).map(AccountId).zip(readers) {
        let (state, closed, asked) = reader.join().expect("a reader ends when the router does");
        assert_eq!((closed.reason, closed.last_seq), (CloseReason::Ended, engine.seq()));
        assert_eq!(
            (closed.last_account_seq, Some(closed.last_account_seq)),
            (state.account_seq, engine.account_seq(account))
        );
        assert_eq!((Some(state.wallet), Some(state.orders)), (engine.wallet(account), view.orders(account)));
        println!("{asked} times asked");
    }
}
