//! A real `kill -9` under load, again and again: what was answered is there, once.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use centum_runtime::disk::FileDisk;
use centum_runtime::journal::{Options, Scan, What};
use centum_runtime::venue::{Config, Venue};
use contract::command::{Amount, Cancel, Mark, OpenAccount};
use contract::{
    AccountId, Action, Capacity, ClOrdId, Command, ContractSpec, Genesis, Marking, NewOrder, Price, Qty, Side, Target,
    Tick, TimeInForce, Xbt,
};
use engine::{Discard, Engine};

/// Where the child finds the venue, and which request was answered last.
const DIRECTORY: &str = "CENTUM_KILL_DIRECTORY";
const ANSWERED: &str = "CENTUM_KILL_ANSWERED";

const ACCOUNTS: u32 = 8;

fn genesis() -> Genesis {
    let spec = ContractSpec { marking: Marking::External, max_price: Price(5_000_000), ..ContractSpec::XBTUSD_2019 };
    Genesis { spec, capacity: Capacity { accounts: 16, orders: 1 << 14, sessions: 2, lots: 4 } }
}

fn config(directory: &Path) -> Config {
    let Genesis { spec, capacity } = genesis();
    let journal = Options { segment_bytes: 1 << 20, batch_commands: 512, journal: None };
    // Commands are counted: none of the venue's own for want of others.
    let audit_idle = Duration::ZERO;
    Config { contract: spec, capacity, directory: Some(directory.to_owned()), journal, audit_idle, ..Config::default() }
}

/// Request n of the one session: a market that opens itself, quotes, trades and cancels.
fn request(n: u64) -> Command {
    let account = AccountId(AccountId::FIRST_TRADER.0 + (n % u64::from(ACCOUNTS)) as u32);
    let name = |n: u64| ClOrdId::new(&format!("o{n}")).expect("printable");
    let setup = 1 + 2 * u64::from(ACCOUNTS);
    let (account, action) = if n == 1 {
        (AccountId::NONE, Action::Mark(Mark { price: Price(1_000_000) }))
    } else if n <= setup {
        let account = AccountId(AccountId::FIRST_TRADER.0 + ((n - 2) / 2) as u32);
        let amount = Amount { amount: Xbt(1_000_000_000_000) };
        (
            account,
            if n.is_multiple_of(2) {
                Action::OpenAccount(OpenAccount { fee_class: 0 })
            } else {
                Action::Deposit(amount)
            },
        )
    } else {
        let (side, away) = if n.is_multiple_of(3) { (Side::Buy, -1) } else { (Side::Sell, 1) };
        let tick = |ticks: i64| Tick((20_000 + away * ticks) as u32);
        let action = match n % 8 {
            0..4 => Action::New(NewOrder::limit(name(n), side, tick(1 + (n / 8 % 20) as i64), Qty(1 + n % 50))),
            4 => Action::New(
                NewOrder::limit(name(n), side, tick(-30), Qty(1 + n % 30)).with_tif(TimeInForce::ImmediateOrCancel),
            ),
            _ => Action::Cancel(Cancel { target: Target::ClOrdId(name(n.saturating_sub(8 * (1 + n % 3)))) }),
        };
        (account, action)
    };
    Command::new(account, action).from_session(1, n)
}

/// The child: opens the venue, sends again everything since the last answer, goes on, and says what is answered.
#[test]
#[ignore = "run by the test below, as a process of its own"]
fn child() {
    let directory = PathBuf::from(std::env::var_os(DIRECTORY).expect("run by the test below"));
    let answered: u64 = std::env::var(ANSWERED).unwrap().parse().unwrap();
    let mut venue = Venue::open(config(&directory)).expect("the venue opens after any kill");
    assert!(venue.last_request(1) >= Some(answered), "what was answered is there");
    let mut lane = venue.lane("load").unwrap();
    let running = venue.start().unwrap();
    let (mut next, mut told) = (answered + 1, 0);
    // Bounded: the parent kills it long before.
    while next < answered + 2_000_000 {
        while lane.try_send(request(next)).is_ok() {
            next += 1;
        }
        let now = running.last_request(1).unwrap();
        if now != told {
            println!("\nanswered {now}");
            told = now;
        }
        std::thread::yield_now();
    }
}

fn run_and_kill(directory: &Path, answered: u64, after: Duration) -> u64 {
    let mut child = Process::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, directory)
        .env(ANSWERED, answered.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let (tell, told) = mpsc::channel();
    let listener = std::thread::spawn(move || {
        let mut last = 0;
        for line in out.lines().map_while(Result::ok) {
            if let Some(answered) = line.strip_prefix("answered ").and_then(|n| n.parse().ok()) {
                last = answered;
                let _ = tell.send(());
            }
        }
        last
    });
    // Under load: the time runs from the first answer.
    told.recv_timeout(Duration::from_secs(60)).expect("the child answers");
    std::thread::sleep(after);
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    answered.max(listener.join().unwrap())
}

#[test]
fn a_process_killed_under_load_loses_nothing_it_answered_and_applies_nothing_twice() {
    let directory = std::env::temp_dir().join(format!("centum-kill-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    let (mut answered, mut state, mut in_doubt) = (0u64, 0x5eed_u64, 0u64);
    for round in 1..=50u64 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        answered = run_and_kill(&directory, answered, Duration::from_micros((state >> 33) % 20_000));
        let disk = FileDisk::read_only(&directory).unwrap();
        let scan = Scan::of(&disk).expect("a kill is no damage");
        let (mut last, mut duplicates) = (0, 0);
        for entry in scan.read(&disk) {
            if let What::Command(command) = entry.unwrap().what
                && command.session() == 1
            {
                // Sent again or new: never a gap.
                assert!(command.request() <= last + 1, "round {round}: request {} after {last}", command.request());
                duplicates += u64::from(command.request() <= last);
                last = last.max(command.request());
            }
        }
        assert!(last >= answered, "round {round}: {answered} was answered, {last} is there");
        in_doubt = in_doubt.max(duplicates);
    }
    assert!(in_doubt > 0, "some were sent again without need");

    // The same market without a kill: each request once.
    let venue = Venue::open(config(&directory)).unwrap();
    let last = venue.last_request(1).unwrap();
    let mut engine = Engine::new(&genesis()).unwrap();
    (1..=last).for_each(|n| engine.apply(&request(n).stamped(n, 0), &mut Discard));
    let after_kills = venue.engine();
    assert_eq!(after_kills.insurance(), engine.insurance());
    for account in (0..engine.accounts()).map(AccountId) {
        assert_eq!(after_kills.wallet(account), engine.wallet(account), "{account:?}");
        assert_eq!(after_kills.position(account), engine.position(account), "{account:?}");
    }
    for side in [Side::Buy, Side::Sell] {
        let orders = |engine: &Engine| {
            let mut orders = Vec::new();
            engine
                .for_each_order(side, |order| orders.push((order.account, order.price, order.leaves, order.cl_ord_id)));
            orders
        };
        assert_eq!(orders(after_kills), orders(&engine));
    }
    println!("50 kills, {last} requests, {answered} answered, {in_doubt} sent again");
    drop(venue);
    std::fs::remove_dir_all(&directory).unwrap();
}
