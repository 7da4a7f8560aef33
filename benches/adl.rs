//! Question  What does it cost to find whom to deleverage, and how long is the longest command of it?
//! Workload  1,000 to 1,000,000 accounts, half of them short and in profit; a mark takes over one lot that needs one
//!           account, one that needs a hundred, a hundred that need one each. The fund and the book are empty. Clocks
//!           follow until all is done, 1,000 steps a command.
//! Method    closed loop, each command by itself; the median run of five by its total. Events are written as a ring
//!           would take them.
//! Check     the chain after each run equals the recorded one, and so many were deleveraged.
#![allow(missing_docs)]

use std::time::{Duration, Instant};

use centum_benches::{Recording, Slots, deleveraging, is_toy, measured};

/// Total and longest command of one run.
fn run(recording: &Recording) -> (Duration, Duration) {
    let (mut engine, mut out) = (recording.engine.clone(), Slots::default());
    let (mut total, mut worst) = (Duration::ZERO, Duration::ZERO);
    for command in &recording.commands {
        let start = Instant::now();
        measured(&mut engine, std::slice::from_ref(command), &mut out);
        let elapsed = start.elapsed();
        total += elapsed;
        worst = worst.max(elapsed);
    }
    assert_eq!(engine.chain(), recording.chain, "other work was done: the time is void");
    (total, worst)
}

fn main() {
    let (sizes, runs): (&[u32], usize) =
        if is_toy() { (&[400, 2_000], 1) } else { (&[1_000, 10_000, 100_000, 1_000_000], 5) };
    println!(
        "{:>10} {:>6} {:>12} {:>10} {:>12} {:>18} {:>12} {:>18}",
        "accounts",
        "lots",
        "deleveraged",
        "commands",
        "total, us",
        "worst command, us",
        "ns a look",
        "us a deleveraged"
    );
    for &accounts in sizes {
        for (lots, positions_a_lot) in [(1, 1), (1, 100), (100, 1)] {
            let recording = deleveraging(accounts, lots, positions_a_lot);
            assert_eq!(recording.fills as u32, lots * positions_a_lot, "other work was done: the time is void");
            let mut times: Vec<(Duration, Duration)> = (0..runs).map(|_| run(&recording)).collect();
            times.sort_unstable();
            let (total, worst) = times[runs / 2];
            let (commands, deleveraged) = (recording.commands.len(), recording.fills);
            let look = total.as_nanos() / u128::from(accounts);
            let each = total.as_micros() / deleveraged as u128;
            let (total, worst) = (total.as_micros(), worst.as_micros());
            println!(
                "{accounts:>10} {lots:>6} {deleveraged:>12} {commands:>10} {total:>12} {worst:>18} {look:>12} {each:>18}"
            );
        }
    }
}
