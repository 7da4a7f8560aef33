//! Law 8: who may know what, over markets with liquidation and deleveraging.

use std::collections::BTreeMap;

use centum_runtime::router::{AccountRow, Change, DropCopyRow, FeedLimits, MarketBody, MarketRow, Parts, Router};
use contract::command::OpenAccount;
use contract::event::{Accepted, Wallet};
use contract::project::{Book, PrivateBody};
use contract::{
    AccountId, Action, Capacity, ClOrdId, Command, CommandKind, ContractSpec, Event, Fact, Genesis, OrdType, OrderId,
    Qty, Side, Tick, TimeInForce, TransferKind, Xbt,
};
use engine::Engine;
use testkit::workload::Workload;

use crate::drive::{COMMANDS, Drive, Met, WIDE, scenarios};

/// All feeds of a market, read to their ends: rows of each trader, of everybody, of the back office.
struct Streams {
    private: BTreeMap<u32, Vec<AccountRow>>,
    public: Vec<MarketRow>,
    copy: Vec<DropCopyRow>,
}

/// A market whose commands go through `change` first; account numbers above what a seed opens at first are shifted.
struct Market {
    engine: Engine,
    router: Router,
    feeds: Vec<centum_runtime::router::AccountFeed>,
    public: centum_runtime::router::MarketFeed,
    copy: centum_runtime::router::DropCopy,
    desk: centum_runtime::router::Desk,
    seq: u64,
    streams: Streams,
}

impl Market {
    fn new(genesis: &Genesis) -> Market {
        let engine = Engine::new(genesis).expect("a scenario's contract can be traded");
        let (router, desk) = Router::begin(&engine, WIDE);
        Market {
            engine,
            router,
            feeds: Vec::new(),
            public: desk.market_data(Parts::ALL).expect("a feed"),
            copy: desk.drop_copy().expect("a feed"),
            desk,
            seq: 0,
            streams: Streams { private: BTreeMap::new(), public: Vec::new(), copy: Vec::new() },
        }
    }

    fn say(&mut self, command: Command) -> Vec<Event> {
        self.seq += 1;
        let mut events = Vec::new();
        let ts = command.ts().max(self.engine.ts());
        self.engine.apply(&command.stamped(self.seq, ts), &mut events);
        self.router.take_batch(&events);
        let next = AccountId(4 + self.feeds.len() as u32);
        if let Ok(feed) = self.desk.account(next) {
            assert_eq!(feed.snapshot().account_seq, 2, "opened by this very command");
            self.feeds.push(feed);
        }
        for feed in &mut self.feeds {
            let rows = self.streams.private.entry(feed.account().0).or_default();
            feed.poll(|row| rows.push(*row)).expect("it is open");
        }
        self.public.poll(|row| self.streams.public.push(*row)).expect("it is open");
        self.copy.poll(|row| self.streams.copy.push(*row)).expect("it is open");
        events
    }
}

/// Accounts nobody uses, opened before or after all others.
const IDLE: u32 = 5;

/// A market that said no more than so many public rows has shown little.
const ENOUGH: usize = 1_000;

/// The same command from the account of another number, with other names for orders.
fn renumbered(command: &Command, account: impl Fn(u32) -> u32, renames: bool) -> Command {
    let mut words = *command.words();
    words[3] = (words[3] & 0xffff_ffff) | u64::from(account(command.account().0)) << 32;
    let target_is_name = words[14] >> 32 & 0xff != 0;
    let mut rename = |word: usize| {
        if renames && words[word] & 0xff == u64::from(b'o') {
            words[word] ^= u64::from(b'o' ^ b'x');
        }
    };
    match command.kind() {
        Some(CommandKind::New) => rename(5),
        Some(CommandKind::Cancel) if target_is_name => rename(5),
        Some(CommandKind::Amend) => {
            if target_is_name {
                rename(5);
            }
            rename(10);
        }
        _ => {}
    }
    Command::from_words(words)
}

/// The same event about the account of another number, for the workload that knows the first.
fn told_to_the_workload(event: &Event, account: impl Fn(u32) -> u32) -> Event {
    let mut words = *event.words();
    words[3] = words[3] & !0xffff_ffff | u64::from(account(event.account().0));
    Event::from_words(words)
}

/// One market twice, the second time with its traders under other account numbers and their orders under other names:
/// everybody hears the very same, bit for bit, and so does each trader but for the names of its orders. So no public
/// row tells an account or a name, and no private row anything of whom one traded with.
#[test]
fn other_account_numbers_and_names_change_nothing_that_others_hear() {
    let mut met = Met::default();
    for seed in 0..scenarios() {
        let mut workload = Workload::new(seed);
        let mut genesis = workload.scenario().genesis;
        // Steps that look at one account after another end within their command.
        genesis.spec.budget = u64::MAX;
        genesis.capacity.accounts += IDLE;
        let traders = workload.scenario().traders;
        let (mut first, mut second) = (Market::new(&genesis), Market::new(&genesis));
        let first_idle = 4 + traders;
        // Traders keep their numbers in the first and come behind the idle in the second; accounts that are opened later
        // come behind both.
        let in_first =
            |account: u32| if (first_idle..u32::MAX - IDLE).contains(&account) { account + IDLE } else { account };
        let in_second = |account: u32| if (4..u32::MAX - IDLE).contains(&account) { account + IDLE } else { account };
        let back = |account: u32| if (first_idle..u32::MAX).contains(&account) { account - IDLE } else { account };
        let idle = |market: &mut Market, from: u32| {
            for account in from..from + IDLE {
                market.say(Command::new(AccountId(account), Action::OpenAccount(OpenAccount { fee_class: 0 })));
            }
        };
        idle(&mut second, 4);
        let mut number = 0;
        // Where the market was halted for long, little was said: it goes on until enough is to be compared.
        while number < COMMANDS || first.streams.public.len() <= ENOUGH {
            assert!(number < 4 * COMMANDS, "seed {seed}: {} public rows only", first.streams.public.len());
            if number == u64::from(traders) {
                idle(&mut first, first_idle);
            }
            let command = workload.next_command();
            let events = first.say(renumbered(&command, in_first, false));
            met.count(&events);
            second.say(renumbered(&command, in_second, true));
            workload.observe(&events.iter().map(|event| told_to_the_workload(event, back)).collect::<Vec<_>>());
            number += 1;
        }
        // What was said before all were open has other numbers of commands, and is about nobody.
        let opened = u64::from(traders + IDLE);
        let late =
            |streams: &Streams| streams.public.iter().filter(|row| row.stamp.seq > opened).copied().collect::<Vec<_>>();
        let (said, said_again) = (late(&first.streams), late(&second.streams));
        assert!(said.len() > ENOUGH && first.streams.public.len() == said.len(), "seed {seed}: {} rows", said.len());
        for (row, again) in said.iter().zip(&said_again) {
            assert_eq!(row, again, "a public row tells an account or a name, seed {seed}");
        }
        assert_eq!(said.len(), said_again.len());
        for account in 4..first_idle {
            let told = |rows: &[AccountRow]| -> Vec<String> {
                let rows = rows.iter().filter(|row| row.row.stamp.seq > opened);
                rows.map(|row| format!("{row:?}").replace("xrder", "order")).collect()
            };
            let (rows, again) = (&first.streams.private[&account], &second.streams.private[&(account + IDLE)]);
            for (row, again) in told(rows).iter().zip(&told(again)) {
                assert_eq!(row, again, "a private row tells another's number or name, seed {seed}");
            }
            assert_eq!(rows.len(), again.len(), "seed {seed}");
        }
    }
    met.check();
}

/// The drop copy has every row of every party, each account's numbered without gaps, those of a trader the very ones of
/// its feed; its entries add up to every wallet.
#[test]
fn the_drop_copy_is_complete_and_adds_up() {
    let mut met = Met::default();
    for seed in 0..scenarios() {
        let mut workload = Workload::new(seed);
        let mut market = Market::new(&workload.scenario().genesis);
        let mut parties: BTreeMap<u32, u64> = BTreeMap::new();
        for _ in 0..COMMANDS {
            let command = workload.next_command();
            let events = market.say(command);
            workload.observe(&events);
            met.count(&events);
            for event in &events {
                if event.account_seq() > 0 {
                    *parties.entry(event.account().0).or_default() += 1;
                }
                if let Some(Fact::Fill(fill)) = event.fact() {
                    *parties.entry(fill.maker_account).or_default() += 1;
                }
            }
        }
        let mut rows: BTreeMap<u32, Vec<AccountRow>> = BTreeMap::new();
        let mut books: BTreeMap<Book, i128> = BTreeMap::new();
        let mut cash: BTreeMap<u32, i64> = BTreeMap::new();
        for row in &market.streams.copy {
            match row {
                DropCopyRow::Row { account, row } if row.row.account_seq > 0 => {
                    rows.entry(account.0).or_default().push(*row);
                    *cash.entry(account.0).or_default() += cash_of(row);
                }
                DropCopyRow::Row { row, .. } => {
                    assert!(
                        matches!(row.row.body, PrivateBody::Fact(Fact::Rejected(_))),
                        "an account that is not open"
                    );
                }
                DropCopyRow::Entry { entry, .. } => {
                    *books.entry(entry.from).or_default() -= i128::from(entry.xbt.0);
                    *books.entry(entry.to).or_default() += i128::from(entry.xbt.0);
                }
            }
        }
        for (account, count) in &parties {
            let its = &rows[account];
            let numbers = its.iter().map(|row| row.row.account_seq);
            assert!(numbers.eq(1..=*count), "rows of {account} have no gap, seed {seed}");
        }
        assert_eq!(rows.len(), parties.len(), "seed {seed}");
        assert_eq!(books.values().sum::<i128>(), 0, "SUM-5, seed {seed}");
        for account in 4..market.engine.accounts() {
            let feed = &market.streams.private[&account];
            // The feed was opened behind the two rows of the account's opening.
            assert_eq!(&rows[&account][2..], feed, "seed {seed}, account {account}");
            let wallet = market.desk.view().wallet(AccountId(account)).expect("it is open");
            let booked = books.get(&Book::Wallet(AccountId(account))).copied().unwrap_or(0);
            let shortfalls = shortfalls(&market.streams.copy, account);
            assert_eq!(booked, wallet.balance.0.into(), "the ledger, seed {seed}, account {account}");
            assert_eq!(cash[&account] + shortfalls, wallet.balance.0, "the rows, seed {seed}, account {account}");
        }
    }
    met.check();
}

/// What a row moves into its party's wallet.
fn cash_of(row: &AccountRow) -> i64 {
    match row.row.body {
        PrivateBody::Fact(Fact::Transfer(it)) => match it.kind.get() {
            Some(TransferKind::Deposit) => it.amount.0,
            Some(TransferKind::Withdraw) => -it.amount.0,
            _ => 0,
        },
        PrivateBody::Fact(Fact::Position(it)) => it.realised_by_command.0,
        _ => 0,
    }
}

/// What the fund paid for an account. The row is the fund's. (Rule BAL-1)
fn shortfalls(copy: &[DropCopyRow], account: u32) -> i64 {
    let paid = |row: &DropCopyRow| match row {
        DropCopyRow::Row { row: AccountRow { row, .. }, .. } => match row.body {
            PrivateBody::Fact(Fact::Insurance(it)) if it.counterparty == account => match it.cause.get() {
                Some(contract::InsuranceCause::Shortfall) => -it.change.0,
                _ => 0,
            },
            _ => 0,
        },
        DropCopyRow::Entry { .. } => 0,
    };
    copy.iter().map(paid).sum()
}

/// What events have told of an order: whose it is, and its names with the place, command and number, each was given at.
struct Told {
    account: u32,
    slot: u32,
    names: Vec<((u64, u32), ClOrdId)>,
    ended: Option<(u64, u32)>,
}

impl Told {
    /// The name it had when the event at a place was said; none once it had ended.
    fn name_at(&self, place: (u64, u32)) -> ClOrdId {
        if self.ended.is_some_and(|ended| ended < place) {
            return ClOrdId::NONE;
        }
        let given = self.names.iter().rfind(|(at, _)| *at <= place);
        given.expect("it was accepted before anything was said of it").1
    }
}

/// By number, the orders of everybody.
#[derive(Default)]
struct Orders(BTreeMap<u64, Told>);

impl Orders {
    fn hear(&mut self, event: &Event) {
        let place = (event.seq(), event.n());
        match event.fact() {
            Some(Fact::Accepted(it)) => {
                let names = vec![(place, it.cl_ord_id)];
                let told = Told { account: event.account().0, slot: it.slot, names, ended: None };
                self.0.insert(it.number, told);
            }
            Some(Fact::Amended(it)) => self.order(it.number).names.push((place, it.cl_ord_id)),
            Some(Fact::Canceled(it)) => self.order(it.number).ended = Some(place),
            Some(Fact::Fill(it)) => {
                for (number, leaves) in [(it.taker_number, it.taker_leaves), (it.maker_number, it.maker_leaves)] {
                    // Lots have numbers too, and no names.
                    if let Some(told) = self.0.get_mut(&number).filter(|_| leaves.is_zero()) {
                        told.ended = Some(place);
                    }
                }
            }
            _ => {}
        }
    }

    fn order(&mut self, number: u64) -> &mut Told {
        self.0.get_mut(&number).expect("it was accepted")
    }
}

/// A row has the name that its order bears at that very event: what the agenda does comes before an amend of the same
/// command, and has the older name. A refusal that repeats the number of another's order, or of one that has ended,
/// tells no name. (Rule ID-2)
#[test]
fn a_row_joins_names_of_own_orders_only() {
    let (mut named, mut renamed, mut earlier, mut foreign) = (0, 0, 0, 0);
    for seed in 0..scenarios() {
        let mut drive = Drive::new(seed, WIDE);
        let mut feeds: Vec<centum_runtime::router::AccountFeed> = Vec::new();
        let mut orders = Orders::default();
        for _ in 0..COMMANDS {
            let (_, events) = drive.step();
            events.iter().for_each(|event| orders.hear(event));
            if let Ok(feed) = drive.desk.account(AccountId(4 + feeds.len() as u32)) {
                feeds.push(feed);
            }
            for feed in &mut feeds {
                let account = feed.account().0;
                let check = |row: &AccountRow| {
                    let id = match row.row.body {
                        PrivateBody::Execution(it) => it.order,
                        PrivateBody::Fact(Fact::Canceled(it)) => OrderId { number: it.number, slot: it.slot },
                        PrivateBody::Fact(Fact::Restated(it)) => OrderId { number: it.number, slot: it.slot },
                        PrivateBody::Fact(Fact::Rejected(it)) if it.cl_ord_id.is_none() => {
                            OrderId { number: it.number, slot: it.slot }
                        }
                        _ => return,
                    };
                    let Some(told) = orders.0.get(&id.number) else { return };
                    let place = (row.row.stamp.seq, row.row.stamp.n);
                    let is_own = told.account == account && told.slot == id.slot;
                    let expected = if is_own { told.name_at(place) } else { ClOrdId::NONE };
                    assert_eq!(row.cl_ord_id, expected, "seed {seed}: {row:?} of {account}");
                    foreign += u64::from(told.account != account);
                    named += u64::from(!expected.is_none());
                    renamed += u64::from(is_own && told.names[0].1 != expected && !expected.is_none());
                    let is_renamed_after = |at: (u64, u32)| at.0 == place.0 && at > place;
                    earlier += u64::from(
                        is_own && told.names.iter().any(|(at, name)| is_renamed_after(*at) && *name != expected),
                    );
                };
                feed.poll(check).expect("it is open");
            }
        }
    }
    println!(
        "{named} rows with joined names, {renamed} by a later one, {earlier} before a renaming by the same command, \
         {foreign} about another's order"
    );
    assert!(named > 1_000 && renamed > 100 && foreign > 10);
}

/// What the agenda does to an order comes before an amend by the same command: that row has the older name, the next the
/// newer. (Made by hand: random markets seldom have it.)
#[test]
fn a_row_before_a_renaming_by_the_same_command_has_the_older_name() {
    let genesis = Genesis { spec: ContractSpec::XBTUSD_2019, capacity: Capacity::default() };
    let (mut router, desk) = Router::begin(&Engine::new(&genesis).expect("it can be traded"), FeedLimits::default());
    let name = |text| ClOrdId::new(text).expect("it is a name");
    let terms = |number, slot, side: Side, qty, cl_ord_id| Accepted {
        number,
        slot,
        price: Tick(100),
        qty: Qty(qty),
        display: Qty(qty),
        side: side.into(),
        ord_type: OrdType::Limit.into(),
        tif: TimeInForce::GoodTillCancel.into(),
        cl_ord_id,
        ..Accepted::default()
    };
    // Bob sells 20 contracts to the order of Alice, in two parts.
    let fill = |maker_seq, leaves| contract::event::Fill {
        taker_number: 2,
        taker_slot: 1,
        taker_side: Side::Sell.into(),
        price: 100,
        maker_number: 1,
        maker_account: 4,
        maker_seq,
        qty: Qty(10),
        maker_leaves: Qty(leaves),
        taker_leaves: Qty(leaves - 30),
        cause: contract::FillCause::Trade.into(),
        ..Default::default()
    };
    let amended = contract::event::Amended {
        number: 1,
        price: Tick(100),
        qty: Qty(50),
        leaves: Qty(40),
        cl_ord_id: name("new"),
        ..Default::default()
    };
    let (alice, bob) = (AccountId(4), AccountId(5));
    let mut say = |seq, n, account, account_seq, fact: Fact, is_last| {
        let event = Event::new(seq, 0, n, account, account_seq, fact);
        router.take(&if is_last { event.as_last() } else { event });
    };
    say(1, 0, alice, 1, Fact::Wallet(Wallet::default()), true);
    say(2, 0, bob, 1, Fact::Wallet(Wallet::default()), true);
    let mut feed = desk.account(alice).expect("it is open");
    say(3, 0, alice, 2, Fact::Accepted(terms(1, 0, Side::Buy, 50, name("old"))), true);
    say(4, 0, bob, 2, Fact::Accepted(terms(2, 1, Side::Sell, 20, ClOrdId::NONE)), false);
    say(4, 1, bob, 3, Fact::Fill(fill(3, 40)), false);
    say(4, 2, alice, 4, Fact::Amended(amended), false);
    say(4, 3, bob, 4, Fact::Fill(fill(5, 30)), true);
    let mut names = Vec::new();
    feed.poll(|row| names.push(row.cl_ord_id)).expect("it is open");
    assert_eq!(names, [name("old"), name("old"), name("new"), name("new")]);
}

/// An order that does not show all of itself is in no public row and in no level, whatever becomes of it. (None is
/// accepted yet: these events are made by hand.)
#[test]
fn what_is_not_shown_is_in_no_public_row() {
    let genesis = Genesis { spec: ContractSpec::XBTUSD_2019, capacity: Capacity::default() };
    let (mut router, desk) = Router::begin(&Engine::new(&genesis).expect("it can be traded"), FeedLimits::default());
    let mut feed = desk.market_data(Parts::ALL).expect("a feed");
    let order = |number, slot, display| Accepted {
        number,
        slot,
        price: Tick(100),
        qty: Qty(50),
        display: Qty(display),
        side: Side::Buy.into(),
        ord_type: OrdType::Limit.into(),
        tif: TimeInForce::GoodTillCancel.into(),
        ..Accepted::default()
    };
    let mut say = |seq, fact: Fact| router.take(&Event::new(seq, 0, 0, AccountId(4), seq, fact).as_last());
    say(1, Fact::Wallet(Wallet { balance: Xbt(1), ..Wallet::default() }));
    say(2, Fact::Accepted(order(1, 0, 10)));
    say(3, Fact::Restated(contract::event::Restated { number: 1, slot: 0, qty: Qty(40), leaves: Qty(40), reason: 0 }));
    assert_eq!(desk.view().orders(AccountId(4)).expect("it is open")[0].leaves, Qty(40), "its owner knows it");
    say(4, Fact::Canceled(contract::event::Canceled { number: 1, leaves: Qty(40), ..Default::default() }));
    assert_eq!((feed.waiting(), desk.view().book(9).bids.len()), (0, 0));
    say(5, Fact::Accepted(order(2, 0, 50)));
    let mut rows = Vec::new();
    feed.poll(|row| rows.push(row.body)).expect("it is open");
    let shown = |it: &MarketBody| matches!(it, MarketBody::Order(it) if it.change == Change::Added && it.number == 2);
    assert!(rows.len() == 3 && shown(&rows[0]), "order, level, top: {rows:?}");
}
