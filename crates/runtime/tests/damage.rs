//! Damage of what was safe: each is told with its place, none is applied, none is taken for a torn tail.
//!
//! Three journals of one market: closed in order; left by a process that died; left by a crash that lost its
//! last mark. In each, bits are flipped, files cut, sectors zeroed, frames swapped, doubled and written to other
//! places, segments replaced by those of other runs or taken away.
//!
//! Where the scan still succeeds it must have said that something is torn, the damage must lie behind all that is
//! safe, or in a mark, which only says again what the frames say; and not a command may be missing or another.
//! The one exception is what no bytes can tell: damage in the very last batch of the third journal looks like
//! a crash in the middle of it. Those are counted, and are there only.

mod common;

use std::ops::Range;

use centum_runtime::journal::format::{FRAME_HEADER_BYTES, MARKS_AT, RECORD_FRAME_BYTES, segment_name};
use centum_runtime::journal::{Error, Options, Scan, What, Writer};
use common::{OPTIONS, Run, say};
use testkit::SimDisk;
use testkit::sim_disk::damage::{self, Damage};
use testkit::sim_disk::{Crash, SECTOR_BYTES, chance};

const COMMANDS: usize = 700;
const PAGE: u64 = 4096;
/// Before one damage of so many that are told, what is left is read.
const LOOKED_AT: u64 = 16;

/// A journal, and where everything in it stands.
struct Sample {
    name: &'static str,
    run: Run,
    disk: SimDisk,
    segments: Vec<Layout>,
    /// What only a mark could have vouched for, where it has none.
    unvouched: Option<(u32, Range<u64>)>,
}

/// The frames of a segment, and the first byte behind them.
struct Layout {
    number: u32,
    frames: Vec<(u64, usize)>,
    end: u64,
}

/// How it was left.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    Closed,
    Died,
    WithoutItsMark,
}

fn sample(left: Left, seed: u64) -> Sample {
    let run = Run::new(3, COMMANDS, true);
    let disk = SimDisk::new();
    let mut journal = Writer::create(disk.clone(), OPTIONS, &run.genesis).expect("the disk is good");
    let mut state = seed;
    run.write(&mut journal, 0, || 1 + (chance(&mut state) % 12) as usize, |_| {}).expect("the disk is good");
    journal.make_next().expect("the disk is good");
    let (name, disk) = match left {
        Left::Closed => ("closed", journal.close().expect("the disk is good")),
        Left::Died => ("left by a process that died", disk.after_process_death()),
        Left::WithoutItsMark => ("left without its last mark", disk.crash(Crash::AllLost)),
    };
    let scan = Scan::of(&disk).expect("it is whole");
    assert_eq!((scan.last_seq(), scan.torn().len()), (COMMANDS as u64, 0));
    let (segments, last_batch) = layout(&disk, &scan);
    let unvouched = (left == Left::WithoutItsMark).then_some(last_batch);
    Sample { name, run, disk, segments, unvouched }
}

/// Where the frames stand, and the last batch.
fn layout(disk: &SimDisk, scan: &Scan) -> (Vec<Layout>, (u32, Range<u64>)) {
    let mut segments: Vec<Layout> = Vec::new();
    let mut batch = (1, PAGE..PAGE);
    // The genesis is not read as commands: five frames and a trailer.
    let genesis = (0..5).map(|i| (PAGE + i * RECORD_FRAME_BYTES as u64, RECORD_FRAME_BYTES));
    let trailer = PAGE + 5 * RECORD_FRAME_BYTES as u64;
    segments.push(Layout { number: 1, frames: genesis.chain([(trailer, 40)]).collect(), end: trailer + 40 });
    for entry in scan.read(disk) {
        let entry = entry.expect("it is whole");
        let place = entry.place;
        if segments.last().is_none_or(|layout| layout.number != place.segment) {
            segments.push(Layout { number: place.segment, frames: Vec::new(), end: PAGE });
        }
        let layout = segments.last_mut().expect("there is one");
        let bytes = if matches!(entry.what, What::Trailer { .. }) { 40 } else { RECORD_FRAME_BYTES };
        let begins = layout.frames.last().is_none_or(|(_, bytes)| *bytes == 40);
        layout.frames.push((place.offset, bytes));
        layout.end = place.offset + bytes as u64;
        batch = (place.segment, if begins { place.offset } else { batch.1.start }..layout.end);
    }
    (segments, batch)
}

/// What became of the damages.
#[derive(Default)]
struct Found {
    damages: u64,
    told: u64,
    /// Damages before which commands were still read.
    readable: u64,
    behind_the_end: u64,
    marks: u64,
    looked_torn: u64,
}

impl Sample {
    fn layout(&self, segment: u32) -> Option<&Layout> {
        self.segments.iter().find(|layout| layout.number == segment)
    }

    /// The frame that has this byte.
    fn frame_at(&self, segment: u32, offset: u64) -> Option<(u64, usize)> {
        let frames = &self.layout(segment)?.frames;
        frames.iter().copied().find(|(at, bytes)| (*at..*at + *bytes as u64).contains(&offset))
    }

    /// What stands before a damage may be looked at: it is a beginning of what was sent, and nothing else.
    fn read_before(&self, disk: &SimDisk, message: &str) -> u64 {
        let (scan, damage) = match Scan::up_to_damage(disk, 1, |_| {}) {
            Ok(read) => read,
            // Nothing stands before it, or a whole segment is gone.
            Err(Error::Corrupt { .. }) => return 0,
            Err(error) => panic!("{message}: {error}"),
        };
        let Some(Error::Corrupt { place, .. }) = damage else { panic!("{message}: the damage is told") };
        let count = self.run.check_prefix(disk, &scan).unwrap_or_else(|what| panic!("{message}: {what}"));
        assert!(count < place.seq || place.seq == 0, "{message}: {count} commands before {place}");
        u64::from(count > 0)
    }

    /// One damage: what does the scan say?
    fn judge(&self, disk: &SimDisk, damage: Option<Damage>, found: &mut Found) {
        let Some(damage) = damage else { return };
        found.damages += 1;
        let Damage { what, file, offset } = &damage;
        let message = format!("{}: {what} in {file} at byte {offset}", self.name);
        let segment: u32 = file[..8].parse().expect("a segment's file");
        match Scan::of(disk) {
            Err(Error::Corrupt { place, flaw }) => {
                found.told += 1;
                if found.told.is_multiple_of(LOOKED_AT) {
                    found.readable += self.read_before(disk, &message);
                }
                let text = format!("{place}: {flaw}");
                assert!(text.contains(&segment_name(place.segment)) && text.contains("byte"), "{message}: {text}");
                if place.segment == segment && *offset >= PAGE && place.offset >= PAGE {
                    if let Some((at, _)) = self.frame_at(segment, *offset) {
                        // A cut file is told by its length.
                        assert!(place.offset == at || place.offset == *offset, "{message}: told at {text}");
                    }
                } else {
                    // A segment that is another altogether may be found out by the one behind it.
                    let is_near = place.segment == segment || place.segment == segment + 1;
                    assert!(is_near || *what == "a file of another run", "{message}: told at {text}");
                }
            }
            Err(error) => panic!("{message}: {error}"),
            Ok(scan) => {
                let torn = scan.torn();
                assert!(!torn.is_empty(), "{message}: nobody was told");
                let is_unvouched =
                    self.unvouched.as_ref().is_some_and(|(number, range)| *number == segment && range.contains(offset));
                if is_unvouched {
                    found.looked_torn += 1;
                    let length = self.run.check_prefix(disk, &scan).unwrap_or_else(|what| panic!("{message}: {what}"));
                    assert_eq!(length, scan.last_seq(), "{message}");
                    return;
                }
                assert_eq!(self.run.check_prefix(disk, &scan), Ok(COMMANDS as u64), "{message}: {torn:?}");
                if torn[0].is_mark {
                    found.marks += 1;
                    assert!(MARKS_AT.contains(&torn[0].place.offset), "{message}: {torn:?}");
                    assert!(*offset < PAGE, "{message}: {torn:?}");
                } else {
                    found.behind_the_end += 1;
                    let end = self.layout(segment).map_or(PAGE, |layout| layout.end);
                    assert!(*offset >= end && torn[0].place.segment == segment, "{message}: {torn:?}");
                }
            }
        }
    }

    /// A place in a used segment, more often in its frames than not.
    fn any_frame(&self, state: &mut u64) -> (String, u64, usize) {
        let layout = &self.segments[(chance(state) % self.segments.len() as u64) as usize];
        let (at, bytes) = layout.frames[(chance(state) % layout.frames.len() as u64) as usize];
        (segment_name(layout.number), at, bytes)
    }

    fn flips(&self, count: u64, state: &mut u64, found: &mut Found) {
        for i in 0..count {
            let disk = self.disk.copy();
            let damage = if i % 8 == 0 {
                // Anywhere at all: pages, frames, zeros, the segment made ahead.
                let number = 1 + (chance(state) % (self.segments.len() as u64 + 1)) as u32;
                damage::flip_bit(&disk, &segment_name(number), 0..OPTIONS.segment_bytes, state)
            } else {
                let (file, at, bytes) = self.any_frame(state);
                damage::flip_bit(&disk, &file, at..at + bytes as u64, state)
            };
            self.judge(&disk, damage, found);
        }
    }

    fn cuts(&self, step: usize, found: &mut Found) {
        for layout in &self.segments {
            for at in (0..OPTIONS.segment_bytes).step_by(step) {
                let disk = self.disk.copy();
                let damage = damage::truncate(&disk, &segment_name(layout.number), at);
                self.judge(&disk, damage, found);
            }
        }
    }

    fn zeroed_sectors(&self, found: &mut Found) {
        for layout in &self.segments {
            for sector in 0..OPTIONS.segment_bytes / SECTOR_BYTES as u64 {
                let disk = self.disk.copy();
                let damage = damage::zero_sector(&disk, &segment_name(layout.number), sector);
                self.judge(&disk, damage, found);
            }
        }
    }

    fn swaps(&self, count: u64, state: &mut u64, found: &mut Found) {
        for _ in 0..count {
            let disk = self.disk.copy();
            let (file, a, bytes) = self.any_frame(state);
            let (other, b, other_bytes) = self.any_frame(state);
            if file == other && bytes == other_bytes {
                let damage = damage::swap(&disk, &file, a, b, bytes);
                self.judge(&disk, damage, found);
            }
        }
    }

    /// Frames and sectors over others, of their own segment and of others, and behind the end.
    fn misdirected(&self, count: u64, state: &mut u64, found: &mut Found) {
        for i in 0..count {
            let disk = self.disk.copy();
            let (file, from, bytes) = self.any_frame(state);
            let (other, to, _) = self.any_frame(state);
            let sector = |at: u64| at / SECTOR_BYTES as u64 * SECTOR_BYTES as u64;
            let damage = match i % 4 {
                0 | 1 => damage::misdirect(&disk, (&file, from), (&other, to), bytes),
                2 => damage::misdirect(&disk, (&file, sector(from)), (&other, sector(to)), SECTOR_BYTES),
                _ => {
                    let last = self.segments.last().expect("there is one");
                    let to = last.end + 8 * (chance(state) % 20);
                    damage::misdirect(&disk, (&file, from), (&segment_name(last.number), to), bytes)
                }
            };
            self.judge(&disk, damage, found);
        }
    }
}

#[test]
fn damage_is_told_with_its_place_and_never_applied() {
    let scale: u64 = std::env::var("CENTUM_DAMAGE_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let work = |left: Left, seed: u64| {
        let sample = sample(left, seed);
        assert!(sample.segments.len() >= 4, "several segments: {}", sample.segments.len());
        let (mut found, mut state) = (Found::default(), seed);
        sample.flips(22_000 * scale, &mut state, &mut found);
        sample.cuts(37, &mut found);
        sample.zeroed_sectors(&mut found);
        sample.swaps(20_000 * scale, &mut state, &mut found);
        sample.misdirected(12_000 * scale, &mut state, &mut found);
        say(&format!(
            "seed {seed}, {}: {} damages, {} told, {} behind the end, {} in a mark, {} looked like a crash",
            sample.name, found.damages, found.told, found.behind_the_end, found.marks, found.looked_torn
        ));
        found
    };
    let found: Vec<Found> = std::thread::scope(|scope| {
        let all = [(Left::Closed, 11), (Left::Died, 12), (Left::WithoutItsMark, 13)];
        let all = all.map(|(left, seed)| scope.spawn(move || work(left, seed)));
        all.into_iter().map(|it| it.join().expect("told above")).collect()
    });
    let damages: u64 = found.iter().map(|found| found.damages).sum();
    say(&format!("{damages} damages"));
    assert!(damages >= 100_000, "{damages} damages");
    assert!(
        found
            .iter()
            .all(|it| it.told > it.damages * 9 / 10 && it.marks > 0 && it.readable > 0 && it.behind_the_end > 0)
    );
    assert_eq!((found[0].looked_torn, found[1].looked_torn), (0, 0), "a mark vouches for everything");
}

/// Segments of another run, of another place, and those that are gone.
#[test]
fn foreign_and_missing_segments_are_told() {
    let sample = sample(Left::Closed, 5);
    let last = sample.segments.last().expect("there is one").number;
    // The same market, written in other batches: one journal with another number, one with the same.
    let other = |journal: u64| {
        let disk = SimDisk::new();
        let options = Options { journal: Some(journal), ..OPTIONS };
        let mut journal = Writer::create(disk.clone(), options, &sample.run.genesis).expect("the disk is good");
        sample.run.write(&mut journal, 0, || 5, |_| {}).expect("the disk is good");
        journal.close().expect("the disk is good");
        disk
    };
    let (stranger, twin) = (other(7), other(0x0ce0));
    let mut told = Vec::new();
    let mut expect = |what: &str, damage: &dyn Fn(&SimDisk), flaws: &[&str]| {
        let disk = sample.disk.copy();
        damage(&disk);
        match Scan::of(&disk) {
            Ok(_) => panic!("{what}: nobody was told"),
            Err(error) => {
                let text = error.to_string();
                assert!(flaws.iter().any(|flaw| text.contains(flaw)), "{what}: {text}");
                told.push(text);
            }
        }
    };
    for number in 1..=last {
        let name = segment_name(number);
        expect(
            "a segment of another journal",
            &|disk| {
                damage::stale(disk, &stranger, &name, &name);
            },
            &["belongs to journal"],
        );
        // An older run of the same journal, as an old backup would have it. Its last segment alone cannot be told.
        if number < last {
            expect(
                "a segment of an older run",
                &|disk| {
                    damage::stale(disk, &twin, &name, &name);
                },
                &["does not fit", "belongs elsewhere", "what stood here was safe", "marks"],
            );
        }
        for to in (1..=last + 3).filter(|to| *to != number) {
            let flaws = [format!("holds segment {number}"), "is missing".to_owned()];
            let flaws: Vec<&str> = flaws.iter().map(String::as_str).collect();
            let copy = |disk: &SimDisk| {
                damage::stale(disk, &sample.disk, &name, &segment_name(to));
            };
            expect("a segment under another number", &copy, &flaws);
        }
        let gone = ["the segment is missing", "begins with command"];
        expect("a segment taken away", &|disk| disk.take(&name), &gone);
    }
    // All behind one taken away, the segment made ahead included.
    for first in 2..=last {
        let take = |disk: &SimDisk| (first..=last + 1).for_each(|number| disk.take(&segment_name(number)));
        expect("the end taken away", &take, &["the segment is missing"]);
    }
    say(&format!("{} foreign or missing segments told", told.len()));
}

/// Every bit of a small journal, one after the other: not one of them is without meaning.
#[test]
fn every_bit_of_a_small_journal_is_watched() {
    let run = Run::new(9, 3, true);
    let disk = SimDisk::new();
    let options = Options { segment_bytes: 8 << 10, batch_commands: 8, ..OPTIONS };
    // A bulk of the contract must fit a batch.
    let mut genesis = run.genesis;
    genesis.spec.bulk_max = 8;
    let run = Run { genesis, ..run };
    let mut journal = Writer::create(disk.clone(), options, &run.genesis).expect("the disk is good");
    run.write(&mut journal, 0, || 2, |_| {}).expect("the disk is good");
    let disk = journal.close().expect("the disk is good");
    let file = segment_name(1);
    let bytes = disk.file(&file).expect("it is there");
    let end = bytes.iter().rposition(|byte| *byte != 0).expect("it has bytes") + 1;
    assert!(end > PAGE as usize + FRAME_HEADER_BYTES);
    for bit in 0..8 * end {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let copy = disk.copy();
        copy.put(&file, flipped);
        match Scan::of(&copy) {
            Err(Error::Corrupt { place, .. }) => assert!(place.offset <= bit as u64 / 8, "bit {bit}: {place}"),
            Err(error) => panic!("bit {bit}: {error}"),
            Ok(scan) => {
                let is_told = matches!(scan.torn(), [torn] if torn.is_mark && bit / 8 < PAGE as usize);
                assert!(is_told && scan.last_seq() == 3, "bit {bit}: {:?}", scan.torn());
            }
        }
    }
}
