//! A reader that is too slow loses its feed; nobody waits for it.

use std::sync::mpsc;
use std::thread;

use centum_runtime::router::{CloseReason, Closed, FeedError, FeedLimits, Parts, Router};
use contract::command::{Amount, Mark, OpenAccount};
use contract::{AccountId, Action, Capacity, Command, ContractSpec, Event, Genesis, Marking, Price, Xbt};
use engine::Engine;

use crate::drive::{COMMANDS, Drive, WIDE, scenarios};

/// A reader that reads seldom: its feed closes with the number of its last row, and a new one goes on from a snapshot
/// that has what was missed.
#[test]
fn a_feed_that_overflows_closes_with_its_last_number_and_a_new_one_goes_on() {
    let (mut closes, mut rows) = (0, 0);
    for seed in 0..scenarios() {
        let mut drive = Drive::new(seed, FeedLimits { account_rows: 12, ..WIDE });
        let account = AccountId(4 + (seed % 8) as u32);
        while drive.desk.account(account).is_err() {
            drive.step();
        }
        let mut feed = drive.desk.account(account).expect("it is open");
        let mut state = feed.snapshot().clone();
        for number in 0..COMMANDS {
            drive.step();
            assert!(feed.waiting() <= 12, "a queue has a limit");
            // Sometimes it sleeps for long.
            if number % 3 != 0 || number % 500 > 300 {
                continue;
            }
            loop {
                match feed.try_next() {
                    Ok(Some(row)) => {
                        state.apply(&row);
                        rows += 1;
                    }
                    Ok(None) => break,
                    Err(closed) => {
                        assert_eq!(closed.reason, CloseReason::Overflow);
                        assert_eq!(closed.last_account_seq, state.account_seq, "{}", drive.place());
                        assert!(state.as_of <= closed.last_seq && closed.last_seq < drive.engine.seq());
                        assert_eq!(feed.try_next(), Err(closed), "closed is closed");
                        feed = drive.desk.account(account).expect("it may subscribe again");
                        assert!(feed.snapshot().account_seq > closed.last_account_seq, "something did not fit");
                        state = feed.snapshot().clone();
                        closes += 1;
                    }
                }
            }
            let fresh = drive.desk.account(account).expect("a feed");
            state.as_of = fresh.snapshot().as_of;
            assert_eq!(&state, fresh.snapshot(), "{}", drive.place());
        }
    }
    println!("{closes} times closed, {rows} rows read");
    assert!(closes > scenarios() / 2 && rows > 1_000);
}

/// What a closed public feed delivered is whole commands: its book is the book as of its last command.
#[test]
fn a_public_feed_that_overflows_has_delivered_whole_commands() {
    let mut closes = 0;
    for seed in 0..scenarios() {
        let mut drive = Drive::new(seed, FeedLimits { market_rows: 40, ..WIDE });
        let mut feed = drive.desk.market_data(Parts::ALL).expect("a feed");
        let mut state = feed.snapshot().clone();
        let mut books = vec![drive.desk.view().book(usize::MAX)];
        for number in 0..COMMANDS {
            drive.step();
            books.push(drive.desk.view().book(usize::MAX));
            if number % 16 != 0 {
                continue;
            }
            if let Err(closed) = feed.poll(|row| state.apply(row)) {
                assert!(state.as_of <= closed.last_seq && closed.last_account_seq == 0);
                assert_eq!(state.l2.as_ref(), Some(&books[closed.last_seq as usize]), "{}", drive.place());
                feed = drive.desk.market_data(Parts::ALL).expect("it may subscribe again");
                state = feed.snapshot().clone();
                closes += 1;
            }
        }
    }
    println!("{closes} times closed");
    assert!(closes > scenarios());
}

/// Readers that never read, and one that is stopped in the middle of a row: the router takes everything all the same,
/// and forgets them.
#[test]
fn frozen_readers_never_slow_the_router() {
    let limits = FeedLimits { account_rows: 16, market_rows: 16, drop_copy_rows: 16, ..WIDE };
    let mut drive = Drive::new(3, limits);
    for _ in 0..200 {
        drive.step();
    }
    let frozen: Vec<_> =
        (4..14).flat_map(|account| [account; 8]).map(|it| drive.desk.account(AccountId(it)).expect("open")).collect();
    let frozen_market: Vec<_> = (0..8).map(|_| drive.desk.market_data(Parts::ALL).expect("a feed")).collect();
    let frozen_copy = drive.desk.drop_copy().expect("a feed");

    let (read_one, has_read_one) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let mut stopped = drive.desk.market_data(Parts::ALL).expect("a feed");
    let reader = thread::spawn(move || {
        let mut rows = 0;
        loop {
            let polled = stopped.poll(|_| {
                rows += 1;
                if rows == 1 {
                    read_one.send(()).expect("somebody listens");
                    may_go_on.recv().expect("it is let go");
                }
            });
            match polled {
                Ok(0) => thread::yield_now(),
                Ok(_) => {}
                Err(closed) => return (rows, closed),
            }
        }
    });
    while has_read_one.try_recv().is_err() {
        drive.step();
    }
    // The reader stands still inside of its row. Nothing below waits for it, or this test never ends.
    for _ in 0..COMMANDS {
        drive.step();
    }
    assert!(frozen.iter().all(|feed| feed.waiting() <= 16));
    assert!(frozen_market.iter().all(|feed| feed.waiting() <= 16) && frozen_copy.waiting() <= 16);
    go_on.send(()).expect("the reader waits");
    let (rows, closed) = reader.join().expect("the reader ends");
    assert!((1..=17).contains(&rows) && closed.reason == CloseReason::Overflow, "{rows} rows, {closed}");

    // Every queue was given up: what is left of them is the readers' own.
    for mut feed in frozen {
        let mut last = feed.snapshot().account_seq;
        while let Ok(Some(row)) = feed.try_next() {
            last = row.row.account_seq;
        }
        let closed = feed.try_next().expect_err("it overflowed");
        assert_eq!((closed.reason, closed.last_account_seq), (CloseReason::Overflow, last));
    }
}

fn market() -> (Engine, u64) {
    let spec = ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
    (Engine::new(&Genesis { spec, capacity: Capacity::default() }).expect("it can be traded"), 0)
}

fn say((engine, seq): &mut (Engine, u64), account: u32, action: Action) -> Vec<Event> {
    let mut events = Vec::new();
    *seq += 1;
    engine.apply(&Command::new(AccountId(account), action).stamped(*seq, 0), &mut events);
    events
}

#[test]
fn feeds_have_limits_and_a_reader_that_leaves_makes_room() {
    let mut market = market();
    let limits = FeedLimits { feeds_per_account: 2, account_feeds: 3, market_feeds: 1, drop_copies: 1, ..WIDE };
    let (mut router, desk) = Router::begin(&market.0, limits);
    assert_eq!(desk.account(AccountId(4)).unwrap_err(), FeedError::UnknownAccount(AccountId(4)));
    for account in [4, 5] {
        router.take_batch(&say(&mut market, account, Action::OpenAccount(OpenAccount { fee_class: 0 })));
    }
    let first = desk.account(AccountId(4)).expect("the first");
    let _second = desk.account(AccountId(4)).expect("the second");
    assert_eq!(desk.account(AccountId(4)).unwrap_err(), FeedError::TooMany { limit: 2 });
    let _third = desk.account(AccountId(5)).expect("another account");
    assert_eq!(desk.account(AccountId(5)).unwrap_err(), FeedError::TooMany { limit: 3 });
    drop(first);
    let _again = desk.account(AccountId(5)).expect("one has left");
    let (market_feed, copy) = (desk.market_data(Parts::NONE).expect("one"), desk.drop_copy().expect("one"));
    assert_eq!(desk.market_data(Parts::ALL).unwrap_err(), FeedError::TooMany { limit: 1 });
    assert_eq!(desk.drop_copy().unwrap_err(), FeedError::TooMany { limit: 1 });
    drop((market_feed, copy));
    assert!(desk.market_data(Parts::ALL).is_ok() && desk.drop_copy().is_ok());
}

/// When the router goes, feeds end behind the rows they have; the read model stays to be asked.
#[test]
fn when_the_router_ends_every_feed_learns_it_behind_its_rows() {
    let mut market = market();
    let (mut router, desk) = Router::begin(&market.0, FeedLimits::default());
    router.take_batch(&say(&mut market, 4, Action::OpenAccount(OpenAccount { fee_class: 0 })));
    let mut feed = desk.account(AccountId(4)).expect("it is open");
    let mut public = desk.market_data(Parts::ALL).expect("a feed");
    let mut copy = desk.drop_copy().expect("a feed");
    router.take_batch(&say(&mut market, 4, Action::Deposit(Amount { amount: Xbt(1_000) })));
    drop(router);
    let last = feed.snapshot().account_seq + 2;
    assert_eq!(feed.poll(|_| ()), Ok(2), "the transfer and the wallet");
    let ended = Closed { reason: CloseReason::Ended, last_seq: 2, last_account_seq: last };
    assert_eq!((feed.poll(|_| ()), feed.try_next()), (Err(ended), Err(ended)));
    assert_eq!(public.try_next(), Err(Closed { last_account_seq: 0, ..ended }));
    assert_eq!(copy.poll(|_| ()), Ok(3), "two rows and the ledger's entry");
    assert_eq!(copy.try_next(), Err(Closed { last_account_seq: 0, ..ended }));
    assert_eq!(desk.account(AccountId(4)).unwrap_err(), FeedError::Ended);
    assert_eq!(desk.market_data(Parts::ALL).unwrap_err(), FeedError::Ended);
    assert_eq!(desk.view().wallet(AccountId(4)).expect("it is open").balance, Xbt(1_000));
}

/// A gap is the runtime's mistake, and nothing may be told after it.
#[test]
fn an_event_out_of_order_stops_the_router_and_ends_its_feeds() {
    let mut market = market();
    let (mut router, desk) = Router::begin(&market.0, FeedLimits::default());
    let mut public = desk.market_data(Parts::ALL).expect("a feed");
    let lost = say(&mut market, u32::MAX, Action::Mark(Mark { price: Price(1_000_000) }));
    assert_eq!(lost.len(), 1);
    let next = say(&mut market, u32::MAX, Action::Mark(Mark { price: Price(1_000_100) }));
    let stopped = thread::spawn(move || router.take_batch(&next)).join();
    assert!(stopped.is_err(), "released events come in order and without gap");
    assert_eq!(public.try_next().unwrap_err().reason, CloseReason::Ended);
    assert_eq!(desk.view().as_of(), 0);
}

/// Half a command is nothing yet: neither rows nor answers show it.
#[test]
fn nothing_shows_half_a_command() {
    let mut market = market();
    let (mut router, desk) = Router::begin(&market.0, FeedLimits::default());
    let mut copy = desk.drop_copy().expect("a feed");
    let events = say(&mut market, 4, Action::OpenAccount(OpenAccount { fee_class: 0 }));
    assert_eq!(events.len(), 2, "its wallet and its position");
    router.take(&events[0]);
    assert_eq!((copy.waiting(), desk.view().as_of()), (0, 0));
    assert!(desk.account(AccountId(4)).is_err());
    router.take(&events[1]);
    assert_eq!((copy.poll(|_| ()), desk.view().as_of()), (Ok(2), 1));
    assert_eq!(desk.account(AccountId(4)).expect("it is open").snapshot().account_seq, 2);
}
