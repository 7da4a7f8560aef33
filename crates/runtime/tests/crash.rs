//! Crashes at every byte: what was answered is there, nothing is there twice, and the engine is the same.
//!
//! A market of a seed is journalled once on a simulated disk. Then the tape of that disk is played again: at each
//! byte of each write, and between any two things done, the disk is given as a crash would leave it, in three
//! ways: all that was handed over is there; nothing that was not synced is; chance decides sector by sector and
//! name by name.
//!
//! The market has a command of every kind, and at its end an operator quarantines one, so that every kind of record and
//! of frame is crashed in.
//!
//! At *every* such point: the journal opens (or was never made, where its genesis was not safe); its commands are
//! a beginning of those sent, in order; all that were answered are among them; every trailer's chain is that of
//! the run without a crash. At every *length* that turns up: the journal is replayed, and chain and digest are
//! those of the run without a crash. At every pair of length and answer: all since the last answer is sent
//! again, and what anybody owns is as if nothing had happened. At one point in `SAMPLE`: the writer goes on from
//! there to the end of the market, and the repair itself crashes at every thing it does.
//!
//! `CENTUM_CRASH_SEEDS=200 cargo test -p centum-runtime --release --test crash` is the long run.

mod common;

use std::collections::BTreeSet;

use centum_runtime::journal::{Error, Journal, Scan, Writer};
use common::{OPTIONS, Run, holdings, say};
use contract::{Command, CommandKind};
use engine::Discard;
use testkit::SimDisk;
use testkit::sim_disk::{Crash, Op, chance};

/// Commands of one market.
const COMMANDS: usize = 420;
/// Of so many crash points one goes on to the end.
const SAMPLE: u64 = 997;

/// A journalled market on a tape, and what had been answered when.
struct Taped {
    run: Run,
    disk: SimDisk,
    /// Things done when a command was answered.
    answers: Vec<(usize, u64)>,
    /// Things done when the quarantine was safe.
    quarantined_at: usize,
    /// What everybody has at the end.
    holdings: String,
}

fn tape(seed: u64) -> Taped {
    let run = Run::new(seed, COMMANDS, true);
    let disk = SimDisk::new();
    disk.record();
    let mut journal = Writer::create(disk.clone(), OPTIONS, &run.genesis).expect("the disk is good");
    let mut answers = vec![(disk.recorded(), 0)];
    let mut state = seed;
    let batch = || [1, 1, 2, 3, 7, 20, 64][(chance(&mut state) % 7) as usize];
    run.write(&mut journal, 0, batch, |seq| answers.push((disk.recorded(), seq))).expect("the disk is good");
    run.quarantine(&mut journal).expect("the disk is good");
    let quarantined_at = disk.recorded();
    journal.close().expect("the disk is good");
    let holdings = holdings(&run.engine_after(COMMANDS));
    Taped { run, disk, answers, quarantined_at, holdings }
}

/// What a crash point came to.
#[derive(Default)]
struct Found {
    points: u64,
    torn: u64,
    never_made: u64,
    gone_on: u64,
    repairs: u64,
    lengths: BTreeSet<(u64, bool)>,
    pairs: BTreeSet<(u64, u64)>,
}

impl Taped {
    fn crash_everywhere(&self, seed: u64) -> Found {
        let mut found = Found::default();
        let mut tape = self.disk.crashes();
        let mut state = seed ^ 0x7ea7;
        while let Some(op) = tape.next_op().cloned() {
            let done = tape.done();
            let bytes = if let Op::Write(_, _, bytes) = &op { bytes.len() } else { 1 };
            for byte in 0..bytes {
                let ways = [Crash::AllKept, Crash::AllLost, Crash::Chance(chance(&mut state))];
                // Without a write the byte changes nothing for what is lost.
                for crash in ways.into_iter().filter(|crash| byte == 0 || *crash != Crash::AllLost) {
                    let place = format!("seed {seed}, thing {done} byte {byte}, {crash:?}");
                    self.one(&tape.crash(byte, crash), done, &mut found, &place);
                }
            }
            tape.advance();
        }
        found
    }

    fn one(&self, disk: &SimDisk, done: usize, found: &mut Found, place: &str) {
        found.points += 1;
        let answered = self.answers.iter().rev().find(|(at, _)| *at <= done).map(|(_, seq)| *seq);
        let scan = match Scan::of(disk) {
            Ok(scan) => scan,
            Err(Error::Absent) => {
                assert!(answered.is_none(), "{place}: the journal is gone");
                found.never_made += 1;
                if found.points.is_multiple_of(SAMPLE / 10) {
                    let made = Writer::create(disk.clone(), OPTIONS, &self.run.genesis);
                    made.unwrap_or_else(|error| panic!("{place}: cannot be made again: {error}"));
                }
                return;
            }
            Err(error) => panic!("{place}: {error}"),
        };
        let answered = answered.unwrap_or(0);
        let length = self.run.check_prefix(disk, &scan).unwrap_or_else(|what| panic!("{place}: {what}"));
        assert!(length >= answered, "{place}: {answered} was answered, {length} are there");
        found.torn += u64::from(!scan.torn().is_empty());
        let is_quarantined = !scan.quarantined().is_empty();
        assert!(is_quarantined || done < self.quarantined_at, "{place}: the quarantine is gone");
        if found.lengths.insert((length, is_quarantined)) {
            self.run.check_replay(disk, &scan);
        }
        if found.pairs.insert((length, answered)) {
            self.send_again(length, answered, place);
        }
        if found.points.is_multiple_of(SAMPLE) {
            self.go_on(disk, &scan, place);
            found.gone_on += 1;
            found.repairs += self.crash_in_repair(disk, length, place);
        }
    }

    /// The client sends everything since its last answer again: what was applied is a duplicate and changes
    /// nothing, the rest is applied once. (Rule ID-2)
    fn send_again(&self, length: u64, answered: u64, place: &str) {
        let mut engine = self.run.engine_after(length as usize);
        let before = holdings(&engine);
        let mut seq = length;
        let mut send = |engine: &mut engine::Engine, command: &contract::Command| {
            seq += 1;
            engine.apply(&command.stamped(seq, command.ts().max(engine.ts())), &mut Discard);
        };
        let all = &self.run.commands;
        all[answered as usize..length as usize].iter().for_each(|command| send(&mut engine, command));
        assert_eq!(holdings(&engine), before, "{place}: sending again changed something");
        all[length as usize..].iter().for_each(|command| send(&mut engine, command));
        assert_eq!(holdings(&engine), self.holdings, "{place}: the market ended otherwise");
    }

    /// Recovery, and the market to its end: the journal is as long as without the crash, and as good.
    fn go_on(&self, disk: &SimDisk, scan: &Scan, place: &str) {
        let disk = disk.copy();
        let mut journal = Writer::open(disk.clone(), OPTIONS, scan).unwrap_or_else(|error| panic!("{place}: {error}"));
        assert_eq!(journal.durable_seq(), scan.last_seq());
        self.run.write(&mut journal, scan.last_seq(), || 9, |_| {}).unwrap_or_else(|error| panic!("{place}: {error}"));
        journal.close().unwrap_or_else(|error| panic!("{place}: {error}"));
        let scan = Scan::of(&disk).unwrap_or_else(|error| panic!("{place}: after going on: {error}"));
        assert!(scan.torn().is_empty() && scan.is_closed(), "{place}: {:?}", scan.torn());
        assert_eq!(self.run.check_prefix(&disk, &scan), Ok(COMMANDS as u64), "{place}");
        self.run.check_replay(&disk, &scan);
    }

    /// The repair of a torn tail crashes too: what was there before it is there after.
    fn crash_in_repair(&self, disk: &SimDisk, length: u64, place: &str) -> u64 {
        let disk = disk.copy();
        disk.record();
        let scan = Scan::of(&disk).expect("it could be scanned before");
        Writer::open(disk.clone(), OPTIONS, &scan).expect("the disk is good");
        let (mut tape, mut points) = (disk.crashes(), 0);
        loop {
            for crash in [Crash::AllKept, Crash::AllLost, Crash::Chance(points)] {
                let disk = tape.crash(0, crash);
                let scan = Scan::of(&disk).unwrap_or_else(|error| panic!("{place}, then in its repair: {error}"));
                assert_eq!(self.run.check_prefix(&disk, &scan), Ok(length), "{place}, then in its repair");
                points += 1;
            }
            if tape.next_op().is_none() {
                return points;
            }
            tape.advance();
        }
    }
}

#[test]
fn a_crash_at_any_byte_loses_nothing_that_was_answered() {
    let seeds: u64 = std::env::var("CENTUM_CRASH_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2);
    let (mut points, mut torn, mut takeovers, mut never_made, mut gone_on, mut repairs) = (0, 0, 0, 0, 0, 0);
    let mut lengths = 0;
    let mut kinds = BTreeSet::new();
    let work = |seed| {
        let taped = tape(seed);
        let kinds: BTreeSet<_> = taped.run.commands.iter().filter_map(Command::kind).collect();
        (taped.crash_everywhere(seed), taped.run.takeovers, kinds)
    };
    let threads = |seeds: Vec<u64>| -> Vec<_> {
        std::thread::scope(|scope| {
            let all: Vec<_> = seeds.into_iter().map(|seed| (seed, scope.spawn(move || work(seed)))).collect();
            all.into_iter().map(|(seed, it)| (seed, it.join().expect("told above"))).collect()
        })
    };
    let all: Vec<u64> = (1..=seeds).collect();
    for (seed, (found, positions, sent)) in all.chunks(2).flat_map(|two| threads(two.to_vec())) {
        let Found { points: all, gone_on: on, .. } = found;
        say(&format!(
            "seed {seed}: {all} crash points, {} torn, {} lengths replayed, {} pairs sent again, {on} gone on from",
            found.torn,
            found.lengths.len(),
            found.pairs.len()
        ));
        points += found.points;
        torn += found.torn;
        never_made += found.never_made;
        gone_on += found.gone_on;
        repairs += found.repairs;
        lengths += found.lengths.len();
        takeovers += positions;
        kinds.extend(sent);
        assert!(found.lengths.contains(&(COMMANDS as u64, true)), "the whole market is among the lengths");
    }
    say(&format!(
        "seeds 1 to {seeds}: {points} crash points, {repairs} more in repairs, {takeovers} positions taken over"
    ));
    assert!(CommandKind::ALL.iter().all(|kind| kinds.contains(kind)), "a record of each kind: {kinds:?}");
    assert!(points >= 100_000, "{points} crash points");
    assert!(torn > points / 10 && lengths > 20 && never_made > 100, "{torn} torn, {lengths} lengths, {never_made}");
    assert!(gone_on > 100 && repairs > 1_000 && takeovers > 0, "{gone_on}, {repairs}, {takeovers}");
}
