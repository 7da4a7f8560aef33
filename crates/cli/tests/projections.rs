//! Law 8 over random markets with liquidations: what the projections make of the events.
//!
//! They are the naive twin's, which says what the engine says and knows what is available.
//!
//! `CENTUM_SCENARIOS` is the number of markets (20), seeds rise from 0, 3,000 commands each.

use std::collections::BTreeMap;

use contract::project::{Book, PrivateBody, project};
use contract::view::view;
use contract::{AccountId, Event, Fact, Price, Rate, Xbt, event};
use testkit::twin::Twin;
use testkit::workload::Workload;

#[derive(Default)]
struct Reader {
    books: BTreeMap<Book, i128>,
    wallets: BTreeMap<u32, event::Wallet>,
    positions: BTreeMap<u32, event::Position>,
    last_rows: BTreeMap<u32, u64>,
    insurance: Option<Xbt>,
    mark: Price,
    rate: Rate,
}

impl Reader {
    fn book(&self, book: Book) -> i128 {
        self.books.get(&book).copied().unwrap_or(0)
    }

    fn read(&mut self, event: &Event) {
        for entry in project(event, AccountId::NONE).ledger.iter() {
            assert!(entry.xbt.0 > 0, "an entry moves something: {event:?}");
            *self.books.entry(entry.from).or_default() -= i128::from(entry.xbt.0);
            *self.books.entry(entry.to).or_default() += i128::from(entry.xbt.0);
        }
        let maker = match event.fact() {
            Some(Fact::Fill(fill)) => Some(fill.maker_account),
            _ => None,
        };
        let (public, ledger) = (project(event, AccountId::NONE).public, project(event, AccountId::NONE).ledger);
        // Its own parties and the accounts next to them.
        for party in [event.account().0, maker.unwrap_or(u32::MAX)].into_iter().flat_map(|a| [a, a.wrapping_add(1)]) {
            let seen = project(event, AccountId(party));
            assert_eq!((seen.public, seen.ledger), (public, ledger), "the public row does not depend on who asks");
            let is_named = party != u32::MAX && (event.account().0 == party || maker == Some(party));
            assert_eq!(seen.private.is_some(), is_named, "a row for {party}: {event:?}");
        }
        for party in [Some(event.account().0), maker.filter(|maker| *maker != event.account().0)].into_iter().flatten()
        {
            let Some(row) = project(event, AccountId(party)).private else { continue };
            if party < 4 || row.account_seq == 0 {
                continue;
            }
            let last = self.last_rows.entry(party).or_default();
            assert_eq!(row.account_seq, *last + 1, "rows of {party} have no gap: {event:?}");
            *last += match row.body {
                PrivateBody::SelfTrade(..) => 2,
                _ => 1,
            };
        }
        match event.fact() {
            Some(Fact::Wallet(wallet)) => drop(self.wallets.insert(event.account().0, wallet)),
            Some(Fact::Position(position)) => drop(self.positions.insert(event.account().0, position)),
            Some(Fact::Insurance(change)) => self.insurance = Some(change.balance),
            Some(Fact::IndexMark(mark)) => self.mark = mark.mark,
            Some(Fact::FundingRate(it)) => self.rate = it.rate,
            _ => {}
        }
    }
}

/// The ledger adds up to every wallet, every cost and the fund after every command; rows are numbered
/// without gaps and reach only their party; a view says what is available to the twin.
#[test]
fn the_streams_of_random_markets() {
    let scenarios = std::env::var("CENTUM_SCENARIOS").ok().and_then(|n| n.parse().ok()).unwrap_or(20);
    let (mut fills, mut takeovers, mut views) = (0u64, 0u64, 0u64);
    for seed in 0..scenarios {
        let mut workload = Workload::new(seed);
        let genesis = workload.scenario().genesis;
        let mut twin = Twin::new(&genesis).expect("a market");
        let mut reader = Reader::default();
        for number in 0..3_000 {
            let command = workload.next_command();
            let events = twin.apply(&command);
            workload.observe(&events);
            for event in &events {
                reader.read(event);
                if let Some(Fact::Fill(fill)) = event.fact() {
                    fills += 1;
                    takeovers += u64::from(fill.taker_number == 0);
                }
            }
            let place = format!("seed {seed}, command {number}");
            assert_eq!(reader.books.values().sum::<i128>(), 0, "SUM-5, {place}");
            for (&account, wallet) in &reader.wallets {
                let id = AccountId(account);
                assert_eq!(reader.book(Book::Wallet(id)), wallet.balance.0.into(), "wallet of {account}, {place}");
                let position = &reader.positions[&account];
                assert_eq!(reader.book(Book::Position(id)), -i128::from(position.cost.0), "cost of {account}, {place}");
                // Whom an open pass has not come to still has his margins by the rate before. (Rule FUND-5)
                if number % 50 == 0 && reader.mark != Price::NONE && !twin.is_passing() {
                    let seen = view(&genesis.spec, reader.rate, wallet, position, reader.mark);
                    assert_eq!(Some(seen.available), twin.available(id), "available of {account}, {place}");
                    views += 1;
                }
            }
            if let Some(balance) = reader.insurance {
                assert_eq!(reader.book(Book::Wallet(AccountId::INSURANCE)), balance.0.into(), "the fund, {place}");
            }
        }
    }
    println!("{fills} fills, {takeovers} takeovers, {views} views");
    assert!(fills > 1_000 && takeovers > 10 && views > 1_000);
}
