//! A crash, what is there afterwards, and its replay: `last_request` says what to send again.

use std::error::Error;

use centum_runtime::disk::FileDisk;
use centum_runtime::journal::{Options, Scan, What, Writer, replay};
use centum_runtime::lane::LaneConfig;
use centum_runtime::pump::{Pump, PumpOptions};
use centum_runtime::venue::{Config, Venue};
use contract::command::{Amount, Mark, OpenAccount};
use contract::*;
use engine::{Discard, Engine};

const ALICE: AccountId = AccountId::FIRST_TRADER;

/// Request n of our only session.
fn request(n: u64) -> Command {
    let action = match n {
        1 => Action::Mark(Mark { price: Price(1_000_000) }),
        2 => Action::OpenAccount(OpenAccount { fee_class: 0 }),
        3 => Action::Deposit(Amount { amount: Xbt(100_000_000) }),
        _ => Action::New(NewOrder::limit(ClOrdId::NONE, Side::Buy, Tick(19_000 + n as u32), Qty(10))),
    };
    Command::new(ALICE, action).from_session(1, n)
}

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::temp_dir().join(format!("centum-crash-{}", std::process::id()));
    let contract = ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
    let capacity = Capacity { accounts: 64, orders: 1 << 12, sessions: 2, lots: 16 };
    let genesis = Genesis { spec: contract, capacity };

    // Eight requests are accepted, five are applied and safe, and then the lights go out: nothing is stopped, nothing
    // is closed. (The pump by hand, so that the crash comes at the same place each time.)
    let journal = Writer::create(FileDisk::create(&directory)?, Options::default(), &genesis)?;
    let mut pump = Pump::new(Engine::new(&genesis)?, journal, PumpOptions::default())?;
    let mut lane = pump.lane("rest", LaneConfig::default())?;
    for n in 1..=5 {
        lane.try_send(request(n))?;
    }
    pump.turn();
    for n in 6..=8 {
        lane.try_send(request(n))?;
    }
    let chain = pump.engine().chain();
    drop(pump);

    // The replay: the same commands through a new engine, and the same chain.
    let disk = FileDisk::read_only(&directory)?;
    let scan = Scan::of(&disk)?;
    for entry in scan.read(&disk) {
        if let What::Command(command) = entry?.what {
            println!("command {}: request {}, {:?}", command.seq(), command.request(), command.kind());
        }
    }
    let mut engine = Engine::new(&genesis)?;
    let replayed = replay(&disk, &scan, &mut engine, &mut Discard, |_| {})?;
    println!("{} commands replayed, {} chains agree", replayed.commands, replayed.chains_agreed);
    assert_eq!(engine.chain(), chain);

    // The venue opens where the journal ends. What it does not know was never applied: send it again.
    let config = Config { contract, capacity, directory: Some(directory.clone()), ..Config::default() };
    let mut venue = Venue::open(config)?;
    let last = venue.last_request(1).ok_or("the capacity has a session 1")?;
    println!("requests up to {last} were applied; {} to 8 are sent again", last + 1);
    assert_eq!((last, venue.recovered().last_seq), (5, 5));
    let mut lane = venue.lane("rest")?;
    // Twice is no harm: request 5 is refused as a duplicate.
    for n in last..=8 {
        lane.try_send(request(n))?;
    }
    let stopped = venue.start()?.stop()?;
    let wallet = stopped.engine.wallet(ALICE).ok_or("her account is open")?;
    println!("after it: request {:?}, balance {} XBt", stopped.engine.last_request(1), wallet.balance.0);
    assert_eq!((stopped.engine.last_request(1), wallet.balance), (Some(8), Xbt(100_000_000)));
    std::fs::remove_dir_all(directory)?;
    Ok(())
}
