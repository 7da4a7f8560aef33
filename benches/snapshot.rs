//! Question  How long does an engine stand still for a snapshot, how large is it, and how long does restoring take?
//! Workload  10,000 accounts with 10,000 resting orders; 1,000,000 accounts, each with a position.
//! Method    five times each, the median: the state copied into memory that is there already (the pause), and an
//!           engine made of the bytes. No disk.
//! Check     the restored engine has the same chain and digest, and writes the same bytes.
#![allow(missing_docs)]

use std::time::{Duration, Instant};

use centum_benches::{is_toy, mix, quiet_marks};
use engine::Engine;

const TIMES: usize = 5;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn measure(name: &str, engine: &Engine) {
    let mut bytes = Vec::with_capacity(engine.snapshot_bytes() as usize);
    let (mut pauses, mut restores) = (Vec::new(), Vec::new());
    for _ in 0..if is_toy() { 1 } else { TIMES } {
        bytes.clear();
        let began = Instant::now();
        engine.write_snapshot(&mut bytes);
        pauses.push(began.elapsed());
        let began = Instant::now();
        let again = Engine::restore(&mut bytes.as_slice()).expect("what was written is read");
        restores.push(began.elapsed());
        assert_eq!((again.chain(), again.digest()), (engine.chain(), engine.digest()));
        let mut twice = Vec::with_capacity(bytes.len());
        again.write_snapshot(&mut twice);
        assert!(twice == bytes, "the same state in other bytes");
    }
    let (pause, restore) = (median(pauses), median(restores));
    println!("snapshot/{name:<32} {:>12} bytes   pause {pause:>10.2?}   restore {restore:>10.2?}", bytes.len());
}

fn main() {
    let (few, many) = if is_toy() { (100, 1_000) } else { (10_000, 1_000_000) };
    let recording = mix(7, few, few, 1_000);
    measure(&format!("{few} accounts, {few} orders"), &recording.engine);
    drop(recording);
    measure(&format!("{many} accounts with positions"), &quiet_marks(many, 6).engine);
}
