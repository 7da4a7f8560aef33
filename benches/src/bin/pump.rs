//! Question  What does the engine's thread spend on a command with lanes in, events out and two readers, against the
//!           engine alone? And with the journal?
//! Workload  `centum generate mix`, seed 7: 10,000 accounts, 10,000 resting orders.
//! Method    CPU time of the thread, not wall time, so that readers on a shared core are not charged to it; waiting
//!           for the disk is not CPU time. The lane is filled while the clock stands. Medians of interleaved runs.
//! Check     the same trades: balances of all accounts at the end are those of the engine alone.
#![forbid(unsafe_code)]

use std::time::Duration;

use centum_benches::{Slots, is_toy, mix};
use contract::{AccountId, Command, Genesis};
use engine::Engine;
use runtime::disk::FileDisk;
use runtime::journal::{InMemory, Journal, Options, Writer};
use runtime::lane::LaneConfig;
use runtime::pump::{Pump, PumpOptions};
use rustix::time::{ClockId, clock_gettime};

/// Commands sent while the clock stands.
const CHUNK: usize = 4_096;

/// CPU time of this thread, ns.
fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn alone(mut engine: Engine, commands: &[Command]) -> (u64, Engine) {
    let began = cpu_ns();
    let mut out = Slots::default();
    engine.apply_all(commands, &mut out);
    (cpu_ns() - began, engine)
}

fn pumped<J: Journal>(engine: Engine, journal: J, commands: &[Command]) -> (u64, Engine) {
    let output = ring::Config { capacity: 1 << 12, ..ring::Config::default() };
    let mut pump = Pump::new(engine, journal, PumpOptions { output, ..PumpOptions::default() }).expect("a ring");
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let mut reader = pump.output().reader().expect("a seat");
            std::thread::spawn(move || {
                let mut bytes = 0u64;
                while reader.wait().is_ok() {
                    bytes = reader.batch().fold(bytes, |sum, event| sum.wrapping_add(event.words()[5]));
                }
                bytes
            })
        })
        .collect();
    let mut lane = pump.lane("load", LaneConfig { capacity: 4 * CHUNK, ..LaneConfig::default() }).expect("a lane");
    let mut spent = 0;
    for chunk in commands.chunks(CHUNK) {
        chunk.iter().for_each(|command| lane.try_send(*command).expect("the lane has room for a chunk"));
        let began = cpu_ns();
        while !pump.turn().is_idle() {}
        spent += cpu_ns() - began;
        // Readers catch up while the clock stands, so that a ring that is full for want of a third core is not ours.
        std::thread::sleep(Duration::from_micros(200));
    }
    let (engine, _) = pump.stop();
    readers.into_iter().for_each(|reader| drop(reader.join()));
    (spent, engine)
}

fn balances(engine: &Engine) -> Vec<i64> {
    (0..engine.accounts()).filter_map(|account| engine.wallet(AccountId(account))).map(|it| it.balance.0).collect()
}

fn main() {
    let (accounts, resting, count, rounds) = if is_toy() { (100, 500, 5_000, 3) } else { (10_000, 10_000, 200_000, 9) };
    let recording = mix(7, accounts, resting, count);
    let genesis = Genesis { spec: *recording.engine.spec(), capacity: recording.engine.capacity() };
    let directory = std::env::temp_dir().join(format!("centum-bench-pump-{}", std::process::id()));
    let (seq, ts) = (recording.engine.seq(), recording.engine.ts());
    let mut ns = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        let (spent, engine) = alone(recording.engine.clone(), &recording.commands);
        ns[0].push(spent);
        let expected = balances(&engine);
        let (spent, engine) = pumped(recording.engine.clone(), InMemory::behind(seq, ts), &recording.commands);
        assert_eq!(balances(&engine), expected, "other work was done: the time is void");
        ns[1].push(spent);
        let _ = std::fs::remove_dir_all(&directory);
        let disk = FileDisk::create(&directory).expect("a directory for the journal");
        let mut journal = Writer::create(disk, Options::default(), &genesis).expect("a journal");
        for n in 1..=seq {
            let filler = Command::new(AccountId::NONE, contract::Action::Clock).stamped(n, ts);
            if journal.append(&filler).is_err() {
                journal.commit(None).expect("a batch");
                journal.append(&filler).expect("an empty batch has room");
            }
        }
        journal.commit(None).expect("a batch");
        let (spent, engine) = pumped(recording.engine.clone(), journal, &recording.commands);
        assert_eq!(balances(&engine), expected, "other work was done: the time is void");
        ns[2].push(spent);
    }
    let _ = std::fs::remove_dir_all(&directory);
    let commands = recording.commands.len() as u64;
    let medians = ns.map(|mut runs| {
        runs.sort_unstable();
        runs[runs.len() / 2] / commands
    });
    println!("{commands} commands, medians of {rounds} interleaved runs, CPU time of the engine's thread");
    println!("{:<44} {:>10} {:>8}", "", "ns/command", "ratio");
    let names = ["engine alone", "lane in, events out, two readers", "the same with the journal"];
    for (name, median) in names.into_iter().zip(medians) {
        println!("{name:<44} {median:>10} {:>7}%", median * 100 / medians[0].max(1));
    }
}
