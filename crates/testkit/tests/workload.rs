//! The workload makes everything happen, on the twin alone.

use centum_testkit::twin::Twin;
use centum_testkit::workload::{Tally, Workload};

fn run(seed: u64, commands: u64) -> Tally {
    let mut workload = Workload::new(seed);
    let mut twin = Twin::new(&workload.scenario().genesis).expect("a scenario's contract can be traded");
    let mut tally = Tally::new();
    for number in 0..commands {
        let command = workload.next_command();
        let events = twin.apply(&command);
        workload.observe(&events);
        tally.count(&command, &events);
        if let Err(law) = twin.check_sums() {
            panic!("seed {seed}, command {number}: {law}\n{command:?}\n{events:#?}\n{:?}", workload.scenario());
        }
    }
    tally
}

#[test]
fn everything_happens() {
    let scenarios = std::env::var("CENTUM_TWIN_SCENARIOS").ok().and_then(|it| it.parse().ok()).unwrap_or(8u64);
    let mut tally = Tally::new();
    let start = std::time::Instant::now();
    for seed in 0..scenarios {
        tally.merge(&run(seed, 5_000));
    }
    println!("{tally}");
    println!("{:?} a command", start.elapsed() / (scenarios as u32 * 5_000));
    println!("rare: {:#?}", tally.rarer_than(scenarios.div_ceil(2)));
}
