//! The lights that traders are shown. (Rules ADL-1, ADL-3)

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use centum_runtime::router::{Desk, FeedLimits, Router};
use contract::command::{Amount, Mark, OpenAccount, SetLeverage};
use contract::{
    AccountId, Action, Capacity, ClOrdId, Command, ContractSpec, Event, Genesis, Leverage, Marking, NewOrder, Price,
    Qty, Side, Tick, Xbt, event,
};
use engine::Engine;
use testkit::client::wait_until;
use testkit::twin::Twin;

use crate::drive::{COMMANDS, Drive, scenarios};

/// Nobody reads a feed here.
const NARROW: FeedLimits = FeedLimits {
    account_rows: 1,
    market_rows: 1,
    market_feeds: 1,
    account_feeds: 1,
    feeds_per_account: 1,
    drop_copy_rows: 1,
    drop_copies: 1,
};

/// Percentile and lights of an account.
fn shown(desk: &Desk, account: AccountId) -> Option<(u8, u8)> {
    desk.view().deleveraging(account).map(|it| (it.percentile, it.lights))
}

/// Random markets, an account that asks after every few commands: it is shown what the twin counts, who asks everybody
/// whether he stands above it. Who has not asked for long, or asks for the first time, is shown the same.
#[test]
fn the_lights_are_what_a_count_of_everybody_says() {
    let (mut seen, mut by_lights) = (0u64, BTreeMap::new());
    for seed in 0..scenarios().div_ceil(3) {
        let mut drive = Drive::new(seed, NARROW);
        let mut twin = Twin::new(&drive.workload.scenario().genesis).expect("it can be traded");
        for number in 0..COMMANDS {
            let (command, _) = drive.step();
            let _ = twin.apply(&command);
            // Now often, now seldom.
            if !number.is_multiple_of(if number / 200 % 2 == 0 { 5 } else { 90 }) {
                continue;
            }
            let later = (number % 450 == 0).then(|| Router::begin(&drive.engine, NARROW));
            let ranking = drive.desk.view().ranking();
            assert_eq!((ranking.as_of(), ranking.mark()), (drive.engine.seq(), drive.engine.mark()));
            for account in (0..drive.engine.accounts() + 1).map(AccountId) {
                let is_trader = !account.is_house() && account.0 < drive.engine.accounts();
                let expected = if is_trader { twin.percentile(account) } else { None };
                let found = ranking.of(account);
                assert_eq!(found.map(|it| u64::from(it.percentile)), expected, "{account:?}, {}", drive.place());
                if let Some((_, desk)) = &later {
                    assert_eq!(found, desk.view().deleveraging(account), "{account:?}, {}", drive.place());
                }
                if let Some(it) = found {
                    assert_eq!((it.as_of, it.lights), (drive.engine.seq(), 6 - it.percentile / 20));
                    *by_lights.entry(it.lights).or_insert(0u64) += 1;
                    seen += 1;
                }
            }
        }
    }
    println!("{seen} looks, by lights {by_lights:?}");
    assert!(scenarios() < 24 || (seen > 10_000 && by_lights.len() == 5 && by_lights.values().all(|n| *n > 500)));
}

/// A market of accounts with a position each.
struct Market {
    engine: Engine,
    router: Router,
    desk: Desk,
    seq: u64,
}

impl Market {
    fn new(accounts: u32) -> Market {
        let spec = ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
        let capacity = Capacity { accounts, orders: 64, sessions: 1, lots: 4 };
        let engine = Engine::new(&Genesis { spec, capacity }).expect("it can be traded");
        let (router, desk) = Router::begin(&engine, NARROW);
        Market { engine, router, desk, seq: 0 }
    }

    fn say(&mut self, account: AccountId, action: Action) {
        self.seq += 1;
        let mut events: Vec<Event> = Vec::new();
        self.engine.apply(&Command::new(account, action).stamped(self.seq, 0), &mut events);
        self.router.take_batch(&events);
    }

    fn mark(&mut self, price: u64) {
        self.say(AccountId::NONE, Action::Mark(Mark { price: Price(price) }));
    }

    /// An account with 100 XBT and that leverage, in hundredths.
    fn open(&mut self, leverage: u32) -> AccountId {
        let account = AccountId(self.engine.accounts());
        self.say(account, Action::OpenAccount(OpenAccount { fee_class: 0 }));
        self.say(account, Action::Deposit(Amount { amount: Xbt(10_000_000_000) }));
        self.say(account, Action::SetLeverage(SetLeverage { leverage: Leverage(leverage) }));
        account
    }

    /// The first sells to the second.
    fn trade(&mut self, seller: AccountId, buyer: AccountId, tick: u32, qty: u64) {
        let order = |side| Action::New(NewOrder::limit(ClOrdId::NONE, side, Tick(tick), Qty(qty)));
        self.say(seller, order(Side::Sell));
        self.say(buyer, order(Side::Buy));
    }
}

/// ADL-3 [R], `adl-doc-quintiles`: six longs, the contracts and the order of scores as published. In profit by the same
/// share, who has more leverage has the higher score: six times as much for account 2, as much for account 3.
#[test]
fn the_published_ranking_of_six_longs_is_shown() {
    let mut market = Market::new(16);
    market.mark(1_000_000);
    let short = market.open(0);
    let published = [(1, 10, 3), (2, 10, 6), (3, 20, 1), (4, 30, 4), (5, 20, 5), (6, 10, 2)];
    let longs = published.map(|(account, qty, score)| {
        let long = market.open(100 * score);
        assert_eq!(shown(&market.desk, long), None, "it holds nothing");
        market.trade(short, long, 20_000, qty);
        (account, long)
    });
    market.mark(1_010_000);
    let percentiles = [(1, 80), (2, 20), (3, 100), (4, 60), (5, 40), (6, 80)];
    let lights = [2, 5, 1, 3, 4, 2];
    for (((account, long), (_, percentile)), lights) in longs.into_iter().zip(percentiles).zip(lights) {
        assert_eq!(shown(&market.desk, long), Some((percentile, lights)), "account {account}");
    }
    assert_eq!(shown(&market.desk, short), Some((100, 1)), "alone on its side");
    assert_eq!([0, 3, 11].map(|other| shown(&market.desk, AccountId(other))), [None; 3], "the house's, and nobody's");
    // The first sells what it has: the others move up, and it has no place.
    market.trade(longs[1].1, short, 20_200, 10);
    let all = longs.map(|(_, long)| shown(&market.desk, long).map(|(percentile, _)| percentile));
    assert_eq!(all, [Some(80), None, Some(100), Some(60), Some(40), Some(80)], "20, 50, 60 (of 4, 1), 70 and 90 of 90");
}

/// ADL-1, `adl-derived-1`: the recorded short of 500 at 25x, entered at 6725.0, at 6726.8: a loss, so it stands behind one
/// that has lost nothing and before one that has lost more.
#[test]
fn the_recorded_short_in_loss_stands_between_less_and_more_loss() {
    let mut market = Market::new(16);
    market.mark(672_500);
    let long = market.open(0);
    let [more, recorded, none] = [13_446, 13_450, 13_456].map(|tick| {
        let short = market.open(2_500);
        market.trade(short, long, tick, 500);
        short
    });
    market.mark(672_680);
    let values = |account| market.engine.position(account).expect("it is open").cost.0;
    assert_eq!(values(recorded), 7_435_000, "avgEntryValue of the record");
    assert_eq!(
        [none, recorded, more].map(|short| shown(&market.desk, short)),
        [Some((40, 4)), Some((80, 2)), Some((100, 1))]
    );
}

/// Readers that ask all the time, on their own threads, while the market goes on: an answer is never of an earlier moment
/// than the one before, and the last is that of the end.
#[test]
fn readers_ask_while_the_market_goes_on() {
    let mut drive = Drive::new(3, NARROW);
    let (done, looks) = (AtomicBool::new(false), AtomicU64::new(0));
    let desk = drive.desk.clone();
    std::thread::scope(|scope| {
        for view in [desk.view(), desk.view()] {
            let (done, looks) = (&done, &looks);
            scope.spawn(move || {
                let mut as_of = 0;
                while !done.load(Relaxed) {
                    let ranking = view.ranking();
                    assert!(ranking.as_of() >= as_of, "an answer of before");
                    as_of = ranking.as_of();
                    looks.fetch_add(1, Relaxed);
                }
            });
        }
        for _ in 0..COMMANDS {
            drive.step();
        }
        wait_until("the readers have looked", || looks.load(Relaxed) > 10);
        done.store(true, Relaxed);
    });
    let (_router, anew) = Router::begin(&drive.engine, NARROW);
    for account in (0..drive.engine.accounts()).map(AccountId) {
        assert_eq!(shown(&desk, account), shown(&anew, account), "{account:?}");
    }
}

/// What a question costs: `CENTUM_RANKING=1000000` accounts with a position each, by the clock. In a run without it, few.
#[test]
fn what_a_ranking_costs() {
    let accounts = std::env::var("CENTUM_RANKING").ok().map_or(1_000, |text| text.parse().expect("a number"));
    let spec = ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
    let capacity = Capacity { accounts: 16, orders: 16, sessions: 1, lots: 1 };
    let engine = Engine::new(&Genesis { spec, capacity }).expect("it can be traded");
    let (mut router, desk) = Router::begin(&engine, NARROW);
    let mut seq = 0;
    let mut say = |account: AccountId, account_seq: u64, facts: &[contract::Fact]| {
        seq += 1;
        let count = facts.len() as u32;
        for (n, fact) in (0..).zip(facts) {
            let own = if account_seq == 0 { 0 } else { account_seq + u64::from(n) };
            let event = Event::new(seq, 0, n, account, own, *fact);
            router.take(&if n + 1 == count { event.as_last() } else { event });
        }
    };
    let mark = |price| contract::Fact::IndexMark(event::IndexMark { index: Price::NONE, mark: Price(price) });
    say(AccountId::NONE, 0, &[mark(1_000_000)]);
    // Half long, half short, at prices and leverages of their own.
    let holding = |number: u32, qty: i64| {
        let unit = 9_900 + i64::from(number % 200);
        let position = event::Position {
            leverage: Leverage(number % 90 * 100),
            qty,
            cost: Xbt(-qty * unit),
            ..event::Position::default()
        };
        let wallet = event::Wallet { balance: Xbt(1_000_000_000 + i64::from(number)), ..event::Wallet::default() };
        [contract::Fact::Wallet(wallet), contract::Fact::Position(position)]
    };
    for number in 4..4 + accounts {
        let size = 1 + i64::from(number / 2 % 1_000);
        say(AccountId(number), 1, &holding(number, if number % 2 == 0 { size } else { -size }));
    }
    let timed = |what: &str| {
        let began = Instant::now();
        let ranking = desk.view().ranking();
        println!("{accounts} accounts, {what}: {:?}", began.elapsed());
        ranking
    };
    let first = timed("the first time");
    timed("again");
    say(AccountId(4), 3, &holding(4, 7));
    timed("one holds more");
    say(AccountId::NONE, 0, &[mark(1_000_001)]);
    let last = timed("another mark");
    let top = (4..4 + accounts).filter(|number| last.of(AccountId(*number)).is_some_and(|it| it.lights == 5)).count();
    assert!(top > 0 && last.as_of() == first.as_of() + 2);
}
