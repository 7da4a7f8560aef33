//! The 20 lines: a venue in a directory, one lane in, one feed out.

use centum_runtime::venue::{Config, Venue};
use contract::command::{Amount, Mark, OpenAccount};
use contract::*;

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = std::env::temp_dir().join(format!("centum-embed-{}", std::process::id()));
    let contract = ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
    let capacity = Capacity { accounts: 64, orders: 1 << 12, sessions: 2, lots: 16 };
    let mut venue =
        Venue::open(Config { contract, capacity, directory: Some(directory.clone()), ..Config::default() })?;
    let mut lane = venue.lane("rest")?; // one for each thread that submits
    let running = venue.start()?; // the engine's thread, and the router's
    let alice = AccountId::FIRST_TRADER;
    let order = NewOrder::limit(
        ClOrdId::new("a-1").expect("36 printable characters at most"),
        Side::Buy,
        Tick(20_000),
        Qty(100),
    );
    for (request, action) in (1..).zip([
        Action::Mark(Mark { price: Price(1_000_000) }), // 10,000.00 USD
        Action::OpenAccount(OpenAccount { fee_class: 0 }),
        Action::Deposit(Amount { amount: Xbt(100_000_000) }), // 1 XBT
        Action::New(order),
    ]) {
        lane.try_send(Command::new(alice, action).from_session(1, request))?; // or the command back
    }
    while running.last_request(1) < Some(4) {
        std::thread::yield_now(); // until the fourth is safe on disk and its facts are released
    }
    let stopped = running.stop()?; // all that was accepted is applied, safe and told
    println!("best bid {:?}, {} facts", stopped.engine.best(Side::Buy), stopped.health.events);
    std::fs::remove_dir_all(directory)?;
    Ok(())
}
