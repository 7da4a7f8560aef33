//! What tests of a running venue begin with: a client of one session, a directory, and patience.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use contract::ClOrdId;
use contract::codes::{Marking, Side};
use contract::command::{Action, Amount, Cancel, Command, Mark, NewOrder, OpenAccount, Target};
use contract::spec::{Capacity, ContractSpec, Genesis};
use contract::units::{AccountId, OrderId, Price, Qty, Tick, Xbt};

/// The first trader, and the only one of [`request`].
pub const ALICE: AccountId = AccountId::FIRST_TRADER;

/// A small market whose mark comes from outside.
#[must_use]
pub fn genesis() -> Genesis {
    let spec = ContractSpec { marking: Marking::External, max_price: Price(5_000_000), ..ContractSpec::XBTUSD_2019 };
    Genesis { spec, capacity: Capacity { accounts: 16, orders: 1 << 12, sessions: 4, lots: 4 } }
}

/// Request `n` of session 1: a market is opened, then buy orders.
#[must_use]
pub fn request(n: u64) -> Command {
    let action = match n {
        1 => Action::Mark(Mark { price: Price(1_000_000) }),
        2 => Action::OpenAccount(OpenAccount { fee_class: 0 }),
        3 => Action::Deposit(Amount { amount: Xbt(100_000_000_000) }),
        _ => Action::New(NewOrder::limit(ClOrdId::NONE, Side::Buy, Tick(10_000), Qty(1))),
    };
    Command::new(ALICE, action).from_session(1, n)
}

/// Request `n` of session 1: a cancel of an order that there is not.
#[must_use]
pub fn cancel(n: u64) -> Command {
    let target = Target::OrderId(OrderId { number: u64::MAX, slot: 0 });
    Command::new(ALICE, Action::Cancel(Cancel { target })).from_session(1, n)
}

/// A directory for one test, not made yet, and gone with it.
#[derive(Debug)]
pub struct Directory(PathBuf);

impl Directory {
    /// One of that name, which no other test has.
    #[must_use]
    pub fn new(name: &str) -> Directory {
        let path = std::env::temp_dir().join(format!("centum-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Directory(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Waits until it is so.
///
/// # Panics
/// It is not so within a minute.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_micros(100));
    }
}
