//! A restored engine says what the uninterrupted one says, to the end; and no bytes restore to another state.
//!
//! Markets of the workload, with liquidations, waiting marks and budgets of one step a command. At many points the
//! state is written and restored, so that engines restored early, late, and again and again go on beside the one
//! that was never touched: events, chain and digest are compared at each command, bytes at each point. The bytes
//! are read here a second time, by what `docs/snapshot-format.md` says, to count what was caught in the middle.
//!
//! `CENTUM_SNAPSHOT_SEEDS=500 cargo test -p centum-engine --release --test snapshot` is the long run.

use std::collections::BTreeMap;
use std::path::Path;

use centum_engine::{Discard, Engine, RestoreFlaw, SnapshotHeader};
use contract::{ContractSpec, Event, Genesis, Price, Side};
use testkit::sim_disk::chance;
use testkit::workload::Workload;

const COMMANDS: u64 = 2_500;
const HEADER_BYTES: usize = 544;
/// Places of a ranking: few, so that somebody is left out.
const PLACES: usize = 2;

fn seeds(default: u64) -> u64 {
    std::env::var("CENTUM_SNAPSHOT_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The market of a seed. Most have a small range of prices, so that an engine costs little.
fn market(seed: u64) -> (Workload, Engine) {
    let workload = Workload::new(seed);
    let Genesis { mut spec, capacity } = workload.scenario().genesis;
    if !seed.is_multiple_of(8) {
        spec = ContractSpec { max_price: Price(8_000_000), never_price: Price(10_000_000_000), ..spec };
    }
    let mut engine = Engine::new(&Genesis { spec, capacity }).expect("it can be traded");
    engine.limit_ranking(PLACES);
    // Where keys lie is no part of the state: a restored engine has them elsewhere, and all places.
    engine.limit_early_keys(seed % 4);
    (workload, engine)
}

fn written(engine: &Engine) -> Vec<u8> {
    let mut bytes = Vec::new();
    engine.write_snapshot(&mut bytes);
    assert_eq!(bytes.len() as u64, engine.snapshot_bytes());
    bytes
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

/// The sections: kind, first byte of the head, bytes of a record, records.
fn sections(bytes: &[u8]) -> Vec<(u32, usize, usize, usize)> {
    let (mut at, mut found) = (HEADER_BYTES, Vec::new());
    while at < bytes.len() {
        let (head, count) = (word(bytes, at), word(bytes, at + 8) as usize);
        let record = 8 * (head >> 32) as usize;
        found.push((head as u32, at, record, count));
        at += 24 + record * count;
    }
    assert_eq!(at, bytes.len());
    found
}

/// The checksums made anew, as the document says.
fn seal(bytes: &mut [u8]) {
    let step = |sum: u64, word: u64| sum.wrapping_add(word).rotate_left(29).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut ends = vec![HEADER_BYTES - 8];
    let mut at = HEADER_BYTES;
    while at + 16 <= bytes.len() {
        let (head, count) = (word(bytes, at), word(bytes, at + 8));
        let length = (head >> 32).saturating_mul(8).saturating_mul(count).saturating_add(16);
        let Some(end) = usize::try_from(length).ok().and_then(|length| at.checked_add(length)) else { break };
        if end + 8 > bytes.len() {
            break;
        }
        ends.push(end);
        at = end + 8;
    }
    let (mut sum, mut at) = (0, 0);
    for end in ends {
        sum = (at..end).step_by(8).fold(sum, |sum, at| step(sum, word(bytes, at)));
        bytes[end..end + 8].copy_from_slice(&sum.to_le_bytes());
        at = end + 8;
    }
}

/// What was under way when a snapshot was written.
fn count_what_waits(bytes: &[u8], seen: &mut BTreeMap<&'static str, u64>) {
    let mut note = |what, is_so: bool| *seen.entry(what).or_default() += u64::from(is_so);
    for (kind, at, record, count) in sections(bytes) {
        let words = |n: usize| (0..count).map(move |i| word(bytes, at + 16 + i * record + 8 * n));
        match kind {
            1 => {
                note("mark waits", words(1).any(|mark| mark != 0));
                note("mark by trades", words(10).any(|bits| bits & 8 != 0));
                note("premiums of an interval", words(15).any(|minutes| minutes != 0));
                note("finding who is due", words(16).any(|units| units != 0));
            }
            3 => {
                note("lot listed", words(1).any(|place| place >> 32 & 4 != 0));
                note("lot without an order", words(1).any(|place| place >> 32 & 2 == 0));
            }
            4 => {
                note("reduce-only order", words(2).any(|price| price >> 32 & 2 != 0));
                note("close-out order", words(2).any(|price| price >> 32 & 8 != 0));
            }
            5 => {
                for (number, what) in
                    [(1, "liquidating"), (2, "closing out"), (3, "sweeping"), (4, "ranking"), (5, "clearing")]
                {
                    note(what, words(0).any(|process| process as u32 == number));
                }
                let is_stepping = |process: u64| process as u32 == 1 && words(1).any(|stage| stage != 0);
                note("stepping down", words(0).any(is_stepping));
            }
            6 => note("cancel-all waits", count != 0),
            7 => note("several due", count > 1),
            9 => {
                note("ranked", count != 0);
                note("left out", words(2).any(|who| who != 0));
            }
            _ => {}
        }
    }
}

/// A trader that is neither due nor strictly safe: no lot was free for it. (Rules LIQ-5, LIQ-12)
fn somebody_waits_for_a_lot(engine: &Engine) -> bool {
    let Some(mark) = engine.mark() else { return false };
    (4..engine.accounts()).map(contract::AccountId).filter(|account| !engine.is_due(*account)).any(|account| {
        let position = engine.position(account).expect("it is open");
        let price = position.liquidation_price;
        (position.qty > 0 && mark <= price) || (position.qty < 0 && mark >= price && price != engine.spec().never_price)
    })
}

fn restored(bytes: &[u8]) -> Engine {
    let mut source = bytes;
    // Another seed: names are found all the same.
    let mut engine =
        Engine::restore_with_hash_seed(&mut source, bytes.len() as u64).unwrap_or_else(|error| panic!("{error}"));
    engine.limit_ranking(PLACES);
    assert!(source.is_empty());
    engine
}

/// One market; how many points, and what they caught.
fn go_on_beside(seed: u64, seen: &mut BTreeMap<&'static str, u64>) -> u64 {
    let (mut workload, mut engine) = market(seed);
    // Restored at every point from its own bytes; restored once and left alone, three times.
    let mut again_and_again = restored(&written(&engine));
    let mut once: Vec<Engine> = Vec::new();
    let (mut state, mut points) = (seed ^ 0x5eed, 0);
    for n in 1..=COMMANDS {
        let command = workload.next_command();
        let mut events: Vec<Event> = Vec::new();
        engine.apply(&command, &mut events);
        workload.observe(&events);
        for other in once.iter_mut().chain([&mut again_and_again]) {
            let mut said: Vec<Event> = Vec::new();
            other.apply(&command, &mut said);
            assert_eq!(said, events, "seed {seed}, command {n}: {command:?}");
            assert_eq!(other.chain(), engine.chain(), "seed {seed}, command {n}");
        }
        let one_in = if engine.agenda_is_empty() { 60 } else { 6 };
        if chance(&mut state).is_multiple_of(one_in) {
            let bytes = written(&engine);
            assert!(written(&again_and_again) == bytes, "seed {seed}, command {n}: other bytes after going on");
            again_and_again = restored(&bytes);
            assert!(written(&again_and_again) == bytes, "seed {seed}, command {n}: other bytes after restoring");
            count_what_waits(&bytes, seen);
            *seen.entry("waits for a lot").or_default() += u64::from(somebody_waits_for_a_lot(&engine));
            points += 1;
            if once.len() < 3 && n > 150 + 700 * once.len() as u64 {
                once.push(restored(&bytes));
            }
        }
    }
    let end = written(&engine);
    for other in once.iter().chain([&again_and_again]) {
        assert_eq!(other.digest(), engine.digest(), "seed {seed}");
        assert!(written(other) == end, "seed {seed}: other bytes at the end");
    }
    points
}

#[test]
fn a_restored_engine_goes_on_as_if_nothing_had_happened() {
    let all = seeds(32);
    let mut seen: BTreeMap<&'static str, u64> = BTreeMap::new();
    let work = |odd: u64| {
        let mut seen = BTreeMap::new();
        let points: u64 = (1..=all).filter(|seed| seed % 2 == odd).map(|seed| go_on_beside(seed, &mut seen)).sum();
        (points, seen)
    };
    let halves = std::thread::scope(|scope| {
        let other = scope.spawn(|| work(1));
        [work(0), other.join().expect("told above")]
    });
    let mut points = 0;
    for (some, counts) in halves {
        points += some;
        counts.into_iter().for_each(|(what, n)| *seen.entry(what).or_default() += n);
    }
    println!("seeds 1 to {all}: {points} snapshots restored; caught: {seen:?}");
    let rare = seen.iter().find(|(_, n)| **n < 3);
    assert!(rare.is_none() && seen.len() == 19, "{rare:?} is too rare to prove anything: {seen:?}");
}

/// Any word changed and the checksums made good: the numbers themselves are looked at, and the digest in the end.
#[test]
fn no_numbers_restore_to_another_state() {
    let (mut changes, mut same, mut consistent, mut flaws) = (0u64, 0u64, 0u64, BTreeMap::new());
    for seed in 1..=seeds(14) {
        let (mut workload, mut engine) = market(seed);
        let mut state = seed;
        for n in 1..=1_500 {
            let mut events: Vec<Event> = Vec::new();
            engine.apply(&workload.next_command(), &mut events);
            workload.observe(&events);
            if n > 200 && chance(&mut state).is_multiple_of(if engine.agenda_is_empty() { 200 } else { 20 }) {
                let bytes = written(&engine);
                for _ in 0..40 {
                    let changed = change(&bytes, &mut state);
                    changes += 1;
                    match Engine::restore(&mut changed.as_slice()) {
                        // The change may have been none, or in what the capacity alone decides.
                        Ok(other) => {
                            same += 1;
                            assert!(changed == bytes && other.digest() == engine.digest(), "seed {seed}, command {n}");
                        }
                        Err(error) => {
                            assert!(!error.to_string().is_empty());
                            if let RestoreFlaw::Digest { restored, .. } = error.flaw {
                                consistent += 1;
                                must_be_canonical(changed, restored);
                            }
                            *flaws.entry(error.section).or_insert(0u64) += 1;
                        }
                    }
                }
            }
        }
    }
    println!("{changes} changes, {same} of them none, {consistent} told by the digest alone; told in {flaws:?}");
    assert!(changes > 5_000 && same < changes / 20 && flaws.len() >= 8, "{changes} {same} {flaws:?}");
}

/// A state that the laws allow and the digest does not know: with its own digest it is taken, and written the same.
fn must_be_canonical(mut bytes: Vec<u8>, digest: u64) {
    bytes[80..88].copy_from_slice(&digest.to_le_bytes());
    seal(&mut bytes);
    let engine = Engine::restore(&mut bytes.as_slice()).unwrap_or_else(|error| panic!("only the digest: {error}"));
    assert!(written(&engine) == bytes, "the same state in other bytes");
}

/// One to three words of the state, anything but the genesis: its capacity would be given memory.
fn change(bytes: &[u8], state: &mut u64) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    for _ in 0..1 + chance(state) % 3 {
        // A section first, so that the small ones have their share.
        let all = sections(bytes);
        let (_, at, record, count) = all[(chance(state) % all.len() as u64) as usize];
        let words = 2 + record / 8 * count;
        let at = at + 8 * (chance(state) % words as u64) as usize;
        let old = word(&changed, at);
        let new = match chance(state) % 9 {
            0 => old.wrapping_add(1),
            1 => old.wrapping_sub(1),
            2 => old ^ 1 << (chance(state) % 64),
            3 => chance(state),
            4 => 0,
            5 => u64::MAX,
            6 => 1 << (chance(state) % 64),
            7 => old.wrapping_neg(),
            // Another word of the snapshot.
            _ => word(bytes, HEADER_BYTES + 8 * (chance(state) % ((bytes.len() - HEADER_BYTES) / 8) as u64) as usize),
        };
        changed[at..at + 8].copy_from_slice(&new.to_le_bytes());
    }
    seal(&mut changed);
    changed
}

/// Without that, the checksum finds each bit, and the length each cut.
#[test]
fn no_bit_and_no_cut_passes() {
    let (mut workload, mut engine) = market(9);
    let mut commands = 0;
    // Until there is something to damage: 600 commands at least, and orders on both sides of the book.
    while commands < 600 || engine.best(Side::Buy).is_none() || engine.best(Side::Sell).is_none() {
        assert!(commands < 2_000, "the book of this market has two sides at some time");
        let mut events: Vec<Event> = Vec::new();
        engine.apply(&workload.next_command(), &mut events);
        workload.observe(&events);
        commands += 1;
    }
    let bytes = written(&engine);
    let mut state = 1;
    for i in 0..4_000 {
        let mut changed = bytes.clone();
        let bit = if i < 8 * HEADER_BYTES { i } else { (chance(&mut state) % (8 * bytes.len() as u64)) as usize };
        changed[bit / 8] ^= 1 << (bit % 8);
        let header = SnapshotHeader::read(&mut changed.as_slice());
        assert!(bit >= 8 * HEADER_BYTES || header.is_err(), "bit {bit} of the header");
        assert!(Engine::restore(&mut changed.as_slice()).is_err(), "bit {bit}");
    }
    for at in (0..bytes.len()).step_by(61) {
        let error = Engine::restore(&mut &bytes[..at]).expect_err("cut");
        assert_eq!(error.flaw, RestoreFlaw::Ends, "{error}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(Engine::restore(&mut longer.as_slice()).is_err());
    let other = engine.clone();
    engine.apply(&workload.clock(), &mut Discard);
    assert_ne!(written(&engine), bytes);
    assert_eq!(written(&other), bytes);
}

/// The fuzzer's seeds are snapshots of this format: each is restored, and written byte by byte the same.
/// `CENTUM_BLESS=1` writes them anew.
#[test]
fn snapshots_of_every_build_are_restored() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/snapshot");
    if std::env::var_os("CENTUM_BLESS").is_some() {
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        for (name, seed, commands) in
            [("quiet", 9, 500), ("liquidation", 1, 900), ("ranking", 2, 1_400), ("empty", 3, 0)]
        {
            let (mut workload, mut engine) = market(seed);
            for n in 0.. {
                // The last ones on to where something is under way.
                if n >= commands && (n == 0 || !engine.agenda_is_empty() || seed == 9 || n > commands + 4_000) {
                    break;
                }
                let mut events: Vec<Event> = Vec::new();
                engine.apply(&workload.next_command(), &mut events);
                workload.observe(&events);
            }
            std::fs::write(folder.join(name), written(&engine)).expect("a seed can be written");
        }
    }
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("the seeds are there") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("a seed");
        let engine =
            Engine::restore(&mut bytes.as_slice()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(written(&engine) == bytes, "{} is written otherwise", path.display());
        seen += 1;
    }
    assert!(seen >= 4);
}
