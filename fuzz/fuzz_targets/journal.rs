//! Any bytes are a segment: reading answers with the place of the damage or with commands; it does not panic,
//! and no command comes out that was not written.
//!
//! The first byte chooses: the bytes are a whole segment as they are; or edits of a journal that was written in
//! order (bytes changed, sectors zeroed, stretches copied, files cut or dropped); or frames whose checksums are
//! made right, so that the checks behind the checksum are met.
#![no_main]
#![forbid(unsafe_code)]

use std::sync::OnceLock;

use contract::*;
use libfuzzer_sys::fuzz_target;
use runtime::journal::format::{
    Header, PAGE_BYTES, RECORD_FRAME_BYTES, TRAILER_FRAME_BYTES, genesis_crc, segment_name,
};
use runtime::journal::{Journal, Options, Scan, What, Writer};
use testkit::SimDisk;

const OPTIONS: Options = Options { segment_bytes: 8_192, batch_commands: 8, journal: Some(7) };
const COMMANDS: u64 = 60;

fn genesis() -> Genesis {
    let spec = ContractSpec { marking: Marking::External, bulk_max: 8, ..ContractSpec::XBTUSD_2019 };
    Genesis { spec, capacity: Capacity::default() }
}

fn written(seq: u64) -> Command {
    Command::new(AccountId(4), Action::Clock).stamped(seq, 10 * seq).from_session(1, seq)
}

/// A journal of several segments: closed in order, or as a crash left it.
fn sample(is_closed: bool) -> SimDisk {
    static SAMPLES: OnceLock<[Vec<(String, Vec<u8>)>; 2]> = OnceLock::new();
    let samples = SAMPLES.get_or_init(|| {
        [false, true].map(|is_closed| {
            let disk = SimDisk::new();
            let mut journal = Writer::create(disk.clone(), OPTIONS, &genesis()).expect("the disk is good");
            for seq in 1..=COMMANDS {
                journal.append(&written(seq)).expect("there is room");
                if seq % 4 == 0 {
                    journal.commit(Some(seq)).expect("the disk is good");
                }
            }
            if is_closed {
                journal.close().expect("the disk is good");
            }
            let all = (1..).map(segment_name).map_while(|name| Some((name.clone(), disk.file(&name)?)));
            all.collect()
        })
    });
    let disk = SimDisk::new();
    samples[usize::from(is_closed)].iter().for_each(|(name, bytes)| disk.put(name, bytes.clone()));
    disk
}

/// Reads what is there; what a scan lets through must read without an error, in order.
fn read(disk: &SimDisk) -> Option<(Scan, Vec<Command>)> {
    let (scan, damage) = Scan::up_to_damage(disk, 1, |_| {}).ok()?;
    assert_eq!(damage.is_none(), Scan::of(disk).is_ok(), "damage is told by either");
    let mut commands = Vec::new();
    for entry in scan.read(disk) {
        if let What::Command(command) = entry.expect("what was scanned can be read").what {
            commands.push(command);
            assert_eq!(command.seq(), commands.len() as u64, "commands come in order");
        }
    }
    assert_eq!(scan.last_seq(), commands.len() as u64, "all of them are read");
    damage.is_none().then_some((scan, commands))
}

fn edits(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else { return };
    let disk = sample(first & 1 != 0);
    for edit in rest.chunks_exact(8) {
        let name = segment_name(1 + u32::from(edit[0] & 3));
        let Some(mut bytes) = disk.file(&name) else { continue };
        let at = usize::from(u16::from_le_bytes([edit[1], edit[2]])) % bytes.len().max(1);
        let from = usize::from(u16::from_le_bytes([edit[3], edit[4]])) % bytes.len().max(1);
        let length = (usize::from(edit[5]) * 8).min(bytes.len() - at.max(from));
        match edit[6] % 8 {
            0..=2 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= edit[7];
                }
            }
            3 => bytes.iter_mut().skip(at / 512 * 512).take(512).for_each(|byte| *byte = 0),
            4 => bytes.copy_within(from..from + length, at),
            5 => {
                let other = disk.file(&segment_name(1 + u32::from(edit[7] & 3))).unwrap_or_default();
                let part = other.get(from..from + length).unwrap_or_default();
                if let Some(to) = bytes.get_mut(at..at + part.len()) {
                    to.copy_from_slice(part);
                }
            }
            6 => bytes.truncate(at),
            _ => {
                disk.take(&name);
                continue;
            }
        }
        disk.put(&name, bytes);
    }
    let Some((scan, commands)) = read(&disk) else { return };
    for command in &commands {
        assert_eq!(*command, written(command.seq()), "a command that was not written");
    }
    // And the journal goes on from there.
    let last = scan.last_seq();
    let mut journal = Writer::open(disk.clone(), OPTIONS, &scan).expect("the disk is good");
    let next = Command::new(AccountId(5), Action::Clock).stamped(last + 1, 10_000);
    journal.append(&next).expect("there is room");
    journal.commit(Some(9)).expect("the disk is good");
    journal.close().expect("the disk is good");
    let (scan, again) = read(&disk).expect("what was mended is whole");
    assert!(scan.torn().is_empty(), "{:?}", scan.torn());
    assert_eq!((again.len() as u64, again.last()), (last + 1, Some(&next)));
}

/// Frames of any content with checksums that are right.
fn frames(data: &[u8]) {
    let header = Header { journal: 7, segment: 1, genesis: genesis_crc(&genesis()), bytes: OPTIONS.segment_bytes };
    let mut bytes = sample(false).file(&segment_name(1)).expect("it is there");
    // The genesis and its trailer stay.
    let mut at = PAGE_BYTES as usize + 5 * RECORD_FRAME_BYTES + TRAILER_FRAME_BYTES;
    bytes[512..2048].fill(0);
    bytes[at..].fill(0);
    let mut rest = data;
    while let [kind, more @ ..] = rest {
        let length = if kind % 3 == 2 { TRAILER_FRAME_BYTES } else { RECORD_FRAME_BYTES };
        if more.len() < 4 || at + length > bytes.len() {
            break;
        }
        let frame = &mut bytes[at..at + length];
        frame[4] = 1 + kind % 3;
        frame[5] = more[0];
        let taken = more.len().min(usize::from(more[1] % 64) + 2);
        let place = 8 + usize::from(more[2]) % (length - 8);
        for (to, from) in frame[place..].iter_mut().zip(&more[2..taken.max(2)]) {
            *to = *from;
        }
        let crc = crc32c::crc32c_append(header.seed(), &frame[4..]);
        frame[..4].copy_from_slice(&crc.to_le_bytes());
        at += length;
        rest = &more[taken..];
    }
    let disk = SimDisk::new();
    disk.put(&segment_name(1), bytes);
    read(&disk);
}

fuzz_target!(|data: &[u8]| {
    let Some((&first, rest)) = data.split_first() else { return };
    match first % 4 {
        0 => {
            let disk = SimDisk::new();
            disk.put(&segment_name(1), rest.to_vec());
            read(&disk);
        }
        1 => frames(rest),
        _ => edits(rest),
    }
});
