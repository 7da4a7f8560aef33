//! Bring your own threads: one loop of yours turns the pump and the router, and does its own work between.

use std::error::Error;
use std::thread;
use std::time::Duration;

use centum_runtime::journal::InMemory;
use centum_runtime::lane::LaneConfig;
use centum_runtime::pump::{Pump, PumpOptions};
use centum_runtime::router::{FeedLimits, Router};
use contract::command::{Amount, Mark, OpenAccount};
use contract::*;
use engine::Engine;

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let contract = ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
    let capacity = Capacity { accounts: 64, orders: 1 << 12, sessions: 2, lots: 16 };
    let engine = Engine::new(&Genesis { spec: contract, capacity })?;
    let (mut router, desk) = Router::begin(&engine, FeedLimits::default());
    // Any `Journal` will do; this one forgets.
    let mut pump = Pump::new(engine, InMemory::default(), PumpOptions::default())?;
    let mut events = pump.output().reader()?;
    let mut lane = pump.lane("producer", LaneConfig::default())?;

    let alice = AccountId::FIRST_TRADER;
    let producer = thread::spawn(move || {
        let orders =
            (1..=1_000).map(|n| Action::New(NewOrder::limit(ClOrdId::NONE, Side::Buy, Tick(19_000 + n), Qty(1))));
        let opening = [
            Action::Mark(Mark { price: Price(1_000_000) }),
            Action::OpenAccount(OpenAccount { fee_class: 0 }),
            Action::Deposit(Amount { amount: Xbt(10_000_000_000) }),
        ];
        for (request, action) in (1..).zip(opening.into_iter().chain(orders)) {
            lane.try_send(Command::new(alice, action).from_session(1, request)).expect("the lane has room for all");
        }
    });

    let (mut turns, mut batch) = (0, Vec::new());
    while pump.engine().last_request(1) < Some(1_003) && !pump.is_over() {
        let turn = pump.turn();
        // The ring waits for its readers, and here the reader is this very thread: read after each turn. A turn may
        // say more than the ring holds, so give it room, or the router a thread of its own.
        batch.extend(events.batch());
        router.take_batch(&batch);
        batch.clear();
        turns += 1;
        if turn.is_idle() {
            pump.wait(Duration::from_millis(1)); // or whatever else your loop has to do
        }
    }
    producer.join().expect("the producer does not panic");
    println!("{} commands, best bid {:?}", pump.engine().seq(), desk.view().top().bid);
    assert!(turns > 0 && desk.view().as_of() == 1_003);
    let (engine, _journal) = pump.stop();
    println!("the engine is yours again, at command {}", engine.seq());
    Ok(())
}
