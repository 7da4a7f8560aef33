//! Question  How long does a funding instant take, and how long is the longest command of it?
//! Workload  1,000 to 1,000,000 accounts, each with a position, half of them in cross margin; a clock reaches the
//!           instant, and clocks follow until every account has paid or received, 1,000 accounts a command.
//! Method    closed loop, each command by itself; the median run of five by its total. Events are written as a ring
//!           would take them.
//! Check     the chain after each run equals the recorded one.
#![allow(missing_docs)]

use std::time::{Duration, Instant};

use centum_benches::{Slots, funding_instant, is_toy, measured};

/// Total and longest command of one run.
fn run(recording: &centum_benches::Recording) -> (Duration, Duration) {
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
        if is_toy() { (&[100, 2_000], 1) } else { (&[1_000, 10_000, 100_000, 1_000_000], 5) };
    println!(
        "{:>10} {:>10} {:>14} {:>18} {:>14}",
        "accounts", "commands", "total, us", "worst command, us", "ns an account"
    );
    for &accounts in sizes {
        let recording = funding_instant(accounts);
        let mut times: Vec<(Duration, Duration)> = (0..runs).map(|_| run(&recording)).collect();
        times.sort_unstable();
        let (total, worst) = times[runs / 2];
        let each = total.as_nanos() / u128::from(accounts);
        let commands = recording.commands.len();
        println!("{accounts:>10} {commands:>10} {:>14} {:>18} {each:>14}", total.as_micros(), worst.as_micros());
    }
}
