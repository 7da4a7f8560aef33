//! A gateway with two producers: each thread has a lane, a session and a feed of its own, and knows what each refusal
//! asks of it.

use std::error::Error;
use std::thread;
use std::time::Duration;

use centum_runtime::lane::{Lane, Refused};
use centum_runtime::router::{AccountFeed, Desk, FeedLimits};
use centum_runtime::venue::{Config, Venue};
use contract::command::{Amount, Mark, OpenAccount};
use contract::project::PrivateBody;
use contract::*;

const ALICE: AccountId = AccountId(4);
const BOB: AccountId = AccountId(5);
const ORDERS: u64 = 2_000;

pub(crate) fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let directory = std::env::temp_dir().join(format!("centum-gateway-{}", std::process::id()));
    let contract = ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
    let capacity = Capacity { accounts: 64, orders: 1 << 13, sessions: 4, lots: 16 };
    // A feed has room for all that happens while its reader is not given a core; one that overflows is closed.
    let feeds = FeedLimits { account_rows: 1 << 14, ..FeedLimits::default() };
    let directory_of_venue = Some(directory.clone());
    let mut venue =
        Venue::open(Config { contract, capacity, feeds, directory: directory_of_venue, ..Config::default() })?;
    let mut operator = venue.lane("operator")?;
    let lanes = [venue.lane("gateway 1")?, venue.lane("gateway 2")?];
    let running = venue.start()?;

    // The operator opens the market: session 1.
    let mut actions = vec![(AccountId::NONE, Action::Mark(Mark { price: Price(1_000_000) }))];
    for account in [ALICE, BOB] {
        actions.push((account, Action::OpenAccount(OpenAccount { fee_class: 0 })));
        actions.push((account, Action::Deposit(Amount { amount: Xbt(10_000_000_000) })));
    }
    let last = actions.len() as u64;
    for (request, (account, action)) in (1..).zip(actions) {
        operator.try_send(Command::new(account, action).from_session(1, request))?;
    }
    let mut told = 0;
    while told < last {
        told = running.desk().wait(told, Duration::from_secs(1)); // accounts must be open before their feeds are
    }

    // Alice buys and Bob sells, each from a thread and a session of its own: 2 and 3.
    let traders = [(ALICE, Side::Buy), (BOB, Side::Sell)];
    let threads: Vec<_> = (2..)
        .zip(traders)
        .zip(lanes)
        .map(|((session, (account, side)), lane)| {
            let desk = running.desk().clone();
            let feed = desk.account(account)?;
            Ok(thread::spawn(move || trade(lane, &desk, feed, session, side)))
        })
        .collect::<Result<_, Box<dyn Error + Send + Sync>>>()?;
    for thread in threads {
        let (name, contracts, waits) = thread.join().expect("a trader does not panic")?;
        println!("{name}: {contracts} contracts traded, sent again {waits} times");
        assert_eq!(contracts, ORDERS);
    }
    let stopped = running.stop()?;
    println!("{} commands, {} safe on disk", stopped.health.applied_seq, stopped.health.durable_seq);
    std::fs::remove_dir_all(directory)?;
    Ok(())
}

type Traded = Result<(String, u64, u64), Box<dyn Error + Send + Sync>>;

/// Sends its orders, reads its own feed between them, and ends when all have traded.
fn trade(mut lane: Lane, desk: &Desk, mut feed: AccountFeed, session: u32, side: Side) -> Traded {
    let (mut sent, mut traded, mut waits, mut told) = (0, 0, 0, 0);
    while traded < ORDERS {
        if sent < ORDERS {
            let order = NewOrder::limit(ClOrdId::NONE, side, Tick(20_000), Qty(1));
            let command = Command::new(feed.account(), Action::New(order)).from_session(session, sent + 1);
            match lane.try_send(command) {
                Ok(()) => sent += 1,
                // It never reached the journal: the same request again, a little later.
                Err(Refused::Overloaded(_) | Refused::Full(_)) => {
                    waits += 1;
                    thread::sleep(Duration::from_micros(100));
                }
                Err(stopped @ Refused::Stopped(_)) => return Err(stopped.into()),
            }
        } else {
            told = desk.wait(told, Duration::from_secs(1)); // nothing to send: only the feed is left
        }
        // A feed that is not read in time is closed, so it is read at each step.
        feed.poll(|row| {
            if let PrivateBody::Execution(execution) = &row.row.body {
                traded += execution.qty.0;
            }
        })?;
    }
    Ok((lane.name().to_owned(), traded, waits))
}
