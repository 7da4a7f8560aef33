//! Any bytes are a snapshot, or are refused: nothing panics, no law breaks, and what is taken is written again as it was.
//!
//! The bytes are restored as they are; then with their checksums made good, so that the numbers themselves are
//! looked at; then, where only the digest is in the way, with that made good too. A genesis that asks for much memory
//! is left alone, as an embedder would compare it with the one of the journal first.
#![no_main]
#![forbid(unsafe_code)]

use contract::Capacity;
use engine::{Engine, RestoreFlaw, SnapshotHeader};
use libfuzzer_sys::fuzz_target;

const HEADER_BYTES: usize = 544;
const DIGEST_AT: usize = 80;

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

/// Length and checksums made good, where there is enough to have any. (`docs/snapshot-format.md`)
fn seal(bytes: &mut [u8]) {
    if bytes.len() < HEADER_BYTES {
        return;
    }
    let length = (bytes.len() as u64).to_le_bytes();
    bytes[8..16].copy_from_slice(&length);
    let step = |sum: u64, word: u64| sum.wrapping_add(word).rotate_left(29).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (mut sum, mut at, mut end) = (0, 0, HEADER_BYTES - 8);
    loop {
        sum = (at..end).step_by(8).fold(sum, |sum, at| step(sum, word(bytes, at)));
        bytes[end..end + 8].copy_from_slice(&sum.to_le_bytes());
        at = end + 8;
        if at + 16 > bytes.len() {
            return;
        }
        let records = (word(bytes, at) >> 32).saturating_mul(8).saturating_mul(word(bytes, at + 8));
        match usize::try_from(records).ok().and_then(|records| records.checked_add(at + 16)) {
            Some(next) if next.saturating_add(8) <= bytes.len() && next.is_multiple_of(8) => end = next,
            _ => return,
        }
    }
}

/// Restores, where the genesis asks for little.
fn restore(bytes: &[u8]) -> Option<Result<Engine, RestoreFlaw>> {
    let mut source = bytes;
    let header = match SnapshotHeader::read(&mut source) {
        Ok(header) => header,
        Err(error) => return Some(Err(error.flaw)),
    };
    let Capacity { accounts, orders, sessions, lots } = header.genesis.capacity;
    let is_small = accounts <= 256 && orders <= 2_048 && sessions <= 64 && lots <= 256;
    if !is_small || header.genesis.spec.max_price.0 / header.genesis.spec.tick_size.0.max(1) > 200_000 {
        return None;
    }
    Some(header.restore(&mut source).map_err(|error| {
        assert!(!error.to_string().is_empty());
        error.flaw
    }))
}

/// What was taken is consistent, and is written again byte by byte.
fn look_at(engine: &Engine, bytes: &[u8]) {
    if let Err(law) = engine.check_sums() {
        panic!("{law}");
    }
    let mut again = Vec::new();
    engine.write_snapshot(&mut again);
    assert!(again == bytes, "another state was written");
}

fuzz_target!(|bytes: &[u8]| {
    if let Some(Ok(engine)) = restore(bytes) {
        look_at(&engine, bytes);
    }
    let mut bytes = bytes.to_vec();
    seal(&mut bytes);
    match restore(&bytes) {
        Some(Ok(engine)) => look_at(&engine, &bytes),
        Some(Err(RestoreFlaw::Digest { restored, .. })) => {
            bytes[DIGEST_AT..DIGEST_AT + 8].copy_from_slice(&restored.to_le_bytes());
            seal(&mut bytes);
            match restore(&bytes) {
                Some(Ok(engine)) => look_at(&engine, &bytes),
                other => panic!("only the digest was in the way: {:?}", other.map(|it| it.map(|_| ()))),
            }
        }
        _ => {}
    }
});
