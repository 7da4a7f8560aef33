//! Question  What does a journalled batch cost, against writing the same bytes at the end of a file and syncing?
//! Workload  seed 7: the usual mix, framed; batches of 1 to 4,096 commands. The plain file gets the very bytes that
//!           the journal wrote, batch by batch, each followed by `fdatasync`. The engine does not run: its time
//!           would hide the disk's.
//! Method    blocks of both, by turns, so that a slow moment of the disk meets both; each in a new file. A journal's
//!           block begins with its segments not made: making them is part of its time. Wall time of a block over its
//!           batches, median of the blocks; the worst batch is told beside it.
//! Check     the journal is scanned afterwards and has every command; the plain file has every byte.
#![allow(missing_docs)]

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use centum_benches::{is_toy, mix};
use contract::Command;
use runtime::disk::FileDisk;
use runtime::journal::{Journal, Options, Scan, Writer};

/// A block: how long it took, and its slowest batch.
#[derive(Clone, Copy)]
struct Block {
    all: Duration,
    worst: Duration,
}

/// Commands to fill a block with, renumbered from 1.
struct Market {
    genesis: contract::Genesis,
    commands: Vec<Command>,
}

impl Market {
    fn command(&self, i: u64) -> Command {
        self.commands[(i % self.commands.len() as u64) as usize].stamped(i + 1, i)
    }

    fn journal(&self, directory: &Path, batch: u64, batches: u64, keep: &mut Vec<Vec<u8>>) -> Block {
        let options = Options { segment_bytes: 16 << 20, ..Options::default() };
        let disk = FileDisk::create(directory).expect("a directory can be made");
        let mut journal = Writer::create(disk, options, &self.genesis).expect("a journal can be made");
        let (began, mut worst) = (Instant::now(), Duration::ZERO);
        for b in 0..batches {
            let batch_began = Instant::now();
            for i in b * batch..(b + 1) * batch {
                journal.append(&self.command(i)).expect("there is room");
            }
            let written = journal.commit(Some(b)).expect("the disk is good");
            worst = worst.max(batch_began.elapsed());
            if keep.len() < batches as usize {
                keep.push(written.bytes.to_vec());
            }
        }
        let block = Block { all: began.elapsed(), worst };
        let disk = journal.close().expect("the disk is good");
        let scan = Scan::of(&disk).expect("the journal is whole");
        assert_eq!(scan.last_seq(), batch * batches, "other work was done: the time is void");
        block
    }
}

fn plain(file: &Path, batches: &[Vec<u8>]) -> Block {
    let mut file = File::create(file).expect("a file can be made");
    let (began, mut worst) = (Instant::now(), Duration::ZERO);
    for bytes in batches {
        let batch_began = Instant::now();
        file.write_all(bytes).expect("the disk is good");
        file.sync_data().expect("the disk is good");
        worst = worst.max(batch_began.elapsed());
    }
    let block = Block { all: began.elapsed(), worst };
    let bytes: usize = batches.iter().map(Vec::len).sum();
    assert_eq!(file.metadata().expect("it is there").len(), bytes as u64, "other work was done: the time is void");
    block
}

fn median(blocks: &mut [Block]) -> Block {
    blocks.sort_by_key(|block| block.all);
    Block { all: blocks[blocks.len() / 2].all, worst: blocks.iter().map(|block| block.worst).max().unwrap_or_default() }
}

fn main() {
    let (accounts, resting, commands) = if is_toy() { (100, 500, 2_000) } else { (1_000, 10_000, 50_000) };
    let recording = mix(7, accounts, resting, commands);
    let genesis = contract::Genesis { spec: *recording.engine.spec(), capacity: recording.engine.capacity() };
    let market = Market { genesis, commands: recording.commands };
    // Where the files go: a directory of the disk that is asked about, not of memory.
    let root = std::env::var_os("CENTUM_BENCH_DIR")
        .map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), std::path::PathBuf::from);
    let root = root.join(format!("centum-journal-bench-{}", std::process::id()));
    fs::create_dir_all(&root).expect("a directory can be made");
    println!(
        "{:>8} {:>8}  {:>12} {:>12} {:>8}  {:>14}  {:>12} {:>12}",
        "batch", "batches", "journal us", "plain us", "rate", "commands/s", "worst us", "plain worst"
    );
    for batch in [1u64, 8, 64, 512, 4_096] {
        let (blocks, batches) = if is_toy() { (1, 3) } else { (9, (40_000 / batch).clamp(40, 600)) };
        let (mut ours, mut theirs, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
        for block in 0..blocks {
            let directory = root.join(format!("journal-{batch}-{block}"));
            ours.push(market.journal(&directory, batch, batches, &mut bytes));
            let file = root.join(format!("plain-{batch}-{block}"));
            theirs.push(plain(&file, &bytes));
            fs::remove_dir_all(&directory).expect("it can be removed");
            fs::remove_file(&file).expect("it can be removed");
        }
        let (ours, theirs) = (median(&mut ours), median(&mut theirs));
        let each = |block: Block| block.all.as_nanos() as u64 / batches;
        let rate = each(theirs) * 100 / each(ours).max(1);
        let commands_per_second = batch * 1_000_000_000 / each(ours).max(1);
        println!(
            "{batch:>8} {batches:>8}  {:>12} {:>12} {rate:>6} %  {commands_per_second:>14}  {:>12} {:>12}",
            each(ours) / 1_000,
            each(theirs) / 1_000,
            ours.worst.as_micros(),
            theirs.worst.as_micros()
        );
    }
    fs::remove_dir_all(&root).expect("it can be removed");
}
