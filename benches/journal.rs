//! Question  What does a journalled batch cost, against writing the same bytes at the end of a file and syncing?
//! Workload  seed 7: the usual mix, framed; batches of 1 to 4,096 commands. The plain file gets the very bytes that
//!           the journal wrote, batch by batch, each followed by `fdatasync`. The engine does not run: its time
//!           would hide the disk's.
//! Method    batch by batch both, each first in every other one, so that a slow moment of the disk meets both. The
//!           time of a journal's batch has everything in it: copying, checksums, mark, and making the next segment
//!           where it falls due (64 MiB segments). Mean and median over the batches, the rate of both; the worst
//!           batch is told beside them.
//! Check     the journal is scanned afterwards and has every command; the plain file has every byte.
#![allow(missing_docs)]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use centum_benches::{is_toy, mix};
use contract::Command;
use runtime::disk::FileDisk;
use runtime::journal::{Journal, Options, Scan, Writer};

/// Commands to fill batches with, renumbered from 1.
struct Market {
    genesis: contract::Genesis,
    commands: Vec<Command>,
}

impl Market {
    fn command(&self, i: u64) -> Command {
        self.commands[(i % self.commands.len() as u64) as usize].stamped(i + 1, i)
    }
}

/// How long each batch took.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn mean_us(&self) -> u64 {
        self.0.iter().sum::<Duration>().as_micros() as u64 / self.0.len().max(1) as u64
    }

    fn median_us(&self) -> u64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).map_or(0, |time| time.as_micros() as u64)
    }

    fn worst_us(&self) -> u64 {
        self.0.iter().max().map_or(0, |time| time.as_micros() as u64)
    }
}

/// One size of batch: the journal's times and the plain file's.
fn measure(market: &Market, root: &Path, batch: u64, batches: u64) -> [Times; 2] {
    let directory = root.join(format!("journal-{batch}"));
    let path = root.join(format!("plain-{batch}"));
    let disk = FileDisk::create(&directory).expect("a directory can be made");
    let mut journal = Writer::create(disk, Options::default(), &market.genesis).expect("a journal can be made");
    let mut plain = File::create(&path).expect("a file can be made");
    let [mut ours, mut theirs] = [Times::default(), Times::default()];
    // What the journal wrote last; the plain file gets it before the journal goes on or after.
    let mut bytes = Vec::new();
    let mut all_bytes = 0;
    for b in 0..batches {
        let commands: Vec<Command> = (b * batch..(b + 1) * batch).map(|i| market.command(i)).collect();
        let mut write_plain = |bytes: &[u8]| {
            let began = Instant::now();
            plain.write_all(bytes).expect("the disk is good");
            plain.sync_data().expect("the disk is good");
            theirs.0.push(began.elapsed());
            all_bytes += bytes.len() as u64;
        };
        if b % 2 == 1 {
            write_plain(&bytes);
        }
        let began = Instant::now();
        for command in &commands {
            journal.append(command).expect("there is room");
        }
        let written = journal.commit(Some(b)).expect("the disk is good");
        ours.0.push(began.elapsed());
        bytes = written.bytes.to_vec();
        if b % 2 == 0 {
            write_plain(&bytes);
        }
    }
    let disk = journal.close().expect("the disk is good");
    let scan = Scan::of(&disk).expect("the journal is whole");
    assert_eq!(scan.last_seq(), batch * batches, "other work was done: the times are void");
    assert_eq!(plain.metadata().expect("it is there").len(), all_bytes, "other work was done: the times are void");
    assert_eq!(ours.0.len(), theirs.0.len(), "other work was done: the times are void");
    fs::remove_dir_all(&directory).expect("it can be removed");
    fs::remove_file(&path).expect("it can be removed");
    [ours, theirs]
}

fn main() {
    let (accounts, resting, commands) = if is_toy() { (100, 500, 2_000) } else { (1_000, 10_000, 50_000) };
    let recording = mix(7, accounts, resting, commands);
    let genesis = contract::Genesis { spec: *recording.engine.spec(), capacity: recording.engine.capacity() };
    let market = Market { genesis, commands: recording.commands };
    // Where the files go: a directory of the disk that is asked about, not of memory.
    let root = std::env::var_os("CENTUM_BENCH_DIR").map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    let root = root.join(format!("centum-journal-bench-{}", std::process::id()));
    fs::create_dir_all(&root).expect("a directory can be made");
    println!(
        "{:>6} {:>8} | {:>10} {:>10} {:>6} | {:>10} {:>10} {:>6} | {:>10} {:>10} | {:>11}",
        "batch", "batches", "mean us", "plain", "rate", "median us", "plain", "rate", "worst us", "plain", "commands/s"
    );
    for (batch, batches) in [(1u64, 2_000u64), (8, 2_000), (64, 1_500), (512, 800), (4_096, 300)] {
        let batches = if is_toy() { 3 } else { batches };
        let [ours, theirs] = measure(&market, &root, batch, batches);
        let rate = |ours: u64, theirs: u64| theirs * 100 / ours.max(1);
        println!(
            "{batch:>6} {batches:>8} | {:>10} {:>10} {:>4} % | {:>10} {:>10} {:>4} % | {:>10} {:>10} | {:>11}",
            ours.mean_us(),
            theirs.mean_us(),
            rate(ours.mean_us(), theirs.mean_us()),
            ours.median_us(),
            theirs.median_us(),
            rate(ours.median_us(), theirs.median_us()),
            ours.worst_us(),
            theirs.worst_us(),
            batch * 1_000_000 / ours.mean_us().max(1)
        );
    }
    fs::remove_dir_all(&root).expect("it can be removed");
}
