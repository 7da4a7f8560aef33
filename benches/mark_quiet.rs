//! Question  Does a mark change at which nothing is due cost more with more accounts?
//! Workload  1,000, 100,000 and 1,000,000 accounts, each with a position far from liquidation, every second
//!           pair in cross margin; marks that move by up to three ticks.
//! Method    as `engine_mix`: runs of 10,000 marks over their number.
//! Check     the chain after a whole run equals the recorded one; no account is due.
#![allow(missing_docs)]

use std::time::{Duration, Instant};

use centum_benches::{Slots, is_toy, measured, quiet_marks};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

fn mark_quiet(c: &mut Criterion) {
    let mut group = c.benchmark_group("mark_quiet");
    group.sample_size(10);
    let (sizes, marks): (&[u32], usize) =
        if is_toy() { (&[100, 1_000], 600) } else { (&[1_000, 100_000, 1_000_000], 10_000) };
    if is_toy() {
        group.warm_up_time(Duration::from_millis(20)).measurement_time(Duration::from_millis(100));
    }
    for &accounts in sizes {
        let recording = quiet_marks(accounts, marks);
        let (mut engine, mut out) = (recording.engine.clone(), Slots::default());
        measured(&mut engine, &recording.commands, &mut out);
        assert_eq!(engine.chain(), recording.chain, "other work was done: the time is void");
        group.bench_with_input(BenchmarkId::from_parameter(accounts), &accounts, |bencher, _| {
            // The engine goes on from run to run: marks are stamped anew, which is outside the time taken.
            bencher.iter_custom(|iterations| {
                let (mut left, mut elapsed) = (iterations, Duration::ZERO);
                while left > 0 {
                    let n = left.min(marks as u64) as usize;
                    let (seq, ts) = (engine.seq(), engine.ts());
                    let commands: Vec<_> = recording.commands[..n]
                        .iter()
                        .zip(1..)
                        .map(|(command, i)| command.stamped(seq + i, ts + i))
                        .collect();
                    let start = Instant::now();
                    measured(&mut engine, &commands, &mut out);
                    elapsed += start.elapsed();
                    left -= n as u64;
                }
                elapsed
            });
        });
    }
    group.finish();
}

criterion_group!(benches, mark_quiet);
criterion_main!(benches);
