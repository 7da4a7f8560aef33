//! A market-data reader that falls behind, is told so, and comes back: a snapshot, then rows, no gap and no overlap.

use std::error::Error;
use std::time::Duration;

use centum_runtime::router::{CloseReason, FeedLimits, Parts};
use centum_runtime::venue::{Config, Venue};
use contract::command::{Amount, Mark, OpenAccount};
use contract::*;

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let contract = ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
    let capacity = Capacity { accounts: 64, orders: 1 << 13, sessions: 2, lots: 16 };
    // No directory: in memory only. A feed holds 256 rows, so that one can fall behind within a blink.
    let feeds = FeedLimits { market_rows: 256, ..FeedLimits::default() };
    let mut venue = Venue::open(Config { contract, capacity, feeds, ..Config::default() })?;
    let mut lane = venue.lane("quotes")?;
    let running = venue.start()?;
    let desk = running.desk().clone();

    let alice = AccountId::FIRST_TRADER;
    let opening = [
        Action::Mark(Mark { price: Price(1_000_000) }),
        Action::OpenAccount(OpenAccount { fee_class: 0 }),
        Action::Deposit(Amount { amount: Xbt(10_000_000_000) }),
    ];
    // A thousand orders at forty levels; each changes its level.
    let quotes =
        (0..1_000).map(|n| Action::New(NewOrder::limit(ClOrdId::NONE, Side::Buy, Tick(19_999 - n % 40), Qty(1))));

    let parts = Parts { l2: true, ..Parts::NONE };
    let mut feed = desk.market_data(parts)?;
    for action in opening.into_iter().chain(quotes) {
        lane.try_send(Command::new(alice, action))?;
    }
    let mut told = 0;
    while told < 1_003 {
        told = desk.wait(told, Duration::from_secs(1)); // busy elsewhere: nobody reads the feed, the market goes on
    }

    // What it still had comes first, then why there is no more.
    let mut book = feed.snapshot().clone();
    let mut rows = 0;
    let closed = loop {
        match feed.poll(|row| book.apply(row)) {
            Ok(read) => rows += read,
            Err(closed) => break closed,
        }
    };
    println!("{rows} rows read, then: {closed}");
    assert_eq!((closed.reason, closed.last_seq), (CloseReason::Overflow, book.as_of));

    // Subscribe again: the snapshot has all that was missed, the rows go on behind it.
    let mut feed = desk.market_data(parts)?;
    let mut book = feed.snapshot().clone();
    println!("a new snapshot as of command {}", book.as_of);
    lane.try_send(Command::new(alice, Action::New(NewOrder::limit(ClOrdId::NONE, Side::Sell, Tick(20_001), Qty(5)))))?;
    while book.as_of < 1_004 {
        told = desk.wait(told, Duration::from_secs(1));
        feed.poll(|row| book.apply(row))?;
    }
    running.stop()?;
    let l2 = book.l2.ok_or("levels were asked for")?;
    assert_eq!(l2, desk.view().book(usize::MAX), "the reader's book is the venue's");
    println!("{} bid levels, {} ask level: the same as the venue's", l2.bids.len(), l2.asks.len());
    Ok(())
}
