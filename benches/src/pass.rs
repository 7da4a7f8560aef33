//! How long a pass takes, and its longest command: work that the engine does in slices. (Law 4)

use std::time::{Duration, Instant};

use crate::{Recording, Slots, is_toy, measured, mix};

/// What the measured runs of one pass came to.
#[derive(Clone, Copy, Debug)]
pub struct PassTime {
    /// Commands until nothing waited.
    pub commands: usize,
    /// Of the median run.
    pub total: Duration,
    /// The longest command, each command at its best of the runs: what its work takes, not what else the machine did.
    pub worst: Duration,
}

/// Runs a recording so many times, each from its own copy of the engine, command by command.
///
/// # Panics
/// Where other work was done than recorded: the time is void.
#[must_use]
pub fn time_pass(recording: &Recording, runs: usize) -> PassTime {
    let mut totals = Vec::with_capacity(runs);
    let (warm_up, commands) = recording.commands.split_at(recording.warm_up);
    let mut best = vec![Duration::MAX; commands.len()];
    for _ in 0..runs {
        let (mut engine, mut out) = (recording.engine.clone(), Slots::default());
        measured(&mut engine, warm_up, &mut out);
        let mut total = Duration::ZERO;
        for (command, best) in commands.iter().zip(&mut best) {
            let start = Instant::now();
            measured(&mut engine, std::slice::from_ref(command), &mut out);
            let elapsed = start.elapsed();
            total += elapsed;
            *best = elapsed.min(*best);
        }
        assert_eq!(engine.chain(), recording.chain, "other work was done: the time is void");
        totals.push(total);
    }
    totals.sort_unstable();
    let worst = best.into_iter().max().unwrap_or_default();
    PassTime { commands: commands.len(), total: totals[runs / 2], worst }
}

/// The median of each command's time in the ordinary mix, 10,000 accounts and orders: what the worst command of a
/// pass is held against. Reading the clock is in it.
#[must_use]
pub fn median_command() -> Duration {
    let (accounts, resting, count) = if is_toy() { (100, 500, 2_000) } else { (10_000, 10_000, 50_000) };
    let recording = mix(7, accounts, resting, count);
    let (mut engine, mut out) = (recording.engine.clone(), Slots::default());
    let mut times: Vec<Duration> = recording
        .commands
        .iter()
        .map(|command| {
            let start = Instant::now();
            measured(&mut engine, std::slice::from_ref(command), &mut out);
            start.elapsed()
        })
        .collect();
    assert_eq!(engine.chain(), recording.chain, "other work was done: the time is void");
    times.sort_unstable();
    times[times.len() / 2]
}

/// Numbers of accounts to measure with, and runs.
#[must_use]
pub fn sizes() -> (&'static [u32], usize) {
    if is_toy() { (&[200, 2_000], 1) } else { (&[1_000, 10_000, 100_000, 1_000_000], 5) }
}

/// Microseconds with two decimals.
#[must_use]
pub fn us(time: Duration) -> String {
    let hundredths = time.as_nanos() / 10;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// How many times as long; below ten with a decimal.
#[must_use]
pub fn ratio(time: Duration, median: Duration) -> String {
    let tenths = 10 * time.as_nanos() / median.as_nanos().max(1);
    if tenths < 100 { format!("{}.{}", tenths / 10, tenths % 10) } else { (tenths / 10).to_string() }
}
