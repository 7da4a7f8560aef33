//! Question  What does one command cost the engine, from command to last event, in the usual mix?
//! Workload  seed 7: `centum generate mix`: 10,000 accounts, half cross, nine in ten with a position, 10,000 resting
//!           orders; 46 % new, 43 % cancel, 5 % immediate-or-cancel that trades, 2.5 % reduce, 2.5 % move.
//!           Events are written into slots.
//! Method    closed loop, the commands made beforehand; wall time of runs of 50,000 over their number. An
//!           engine in the state before the first is copied outside the time taken.
//! Check     the chain after a whole run equals the recorded one.
#![allow(missing_docs)]

use std::time::{Duration, Instant};

use centum_benches::{Slots, is_toy, measured, mix};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn engine_mix(c: &mut Criterion) {
    let (accounts, resting, commands) = if is_toy() { (100, 500, 2_000) } else { (10_000, 10_000, 50_000) };
    let recording = mix(7, accounts, resting, commands);
    let mut group = c.benchmark_group("engine_mix");
    group.throughput(Throughput::Elements(1));
    if is_toy() {
        group.sample_size(10).warm_up_time(Duration::from_millis(20)).measurement_time(Duration::from_millis(100));
    }
    group.bench_function("command", |bencher| {
        bencher.iter_custom(|iterations| {
            let (mut left, mut elapsed) = (iterations, Duration::ZERO);
            while left > 0 {
                let n = left.min(recording.commands.len() as u64) as usize;
                let (mut engine, mut out) = (recording.engine.clone(), Slots::default());
                let start = Instant::now();
                measured(&mut engine, &recording.commands[..n], &mut out);
                elapsed += start.elapsed();
                let is_whole = n == recording.commands.len();
                assert!(!is_whole || engine.chain() == recording.chain, "other work was done: the time is void");
                left -= n as u64;
            }
            elapsed
        });
    });
    group.finish();
}

criterion_group!(benches, engine_mix);
criterion_main!(benches);
