//! The bytes of a snapshot's file before the state itself. `docs/snapshot-format.md` shows them.

/// The first bytes: what it is, and the version of its format.
pub const MAGIC: [u8; 8] = *b"CENTUMS1";
/// Bytes before the state.
pub const HEADER_BYTES: usize = 64;
/// How a snapshot's name ends.
pub const ENDING: &str = ".snapshot";

/// The file of the snapshot behind that command.
#[must_use]
pub fn snapshot_name(seq: u64) -> String {
    format!("{seq:020}{ENDING}")
}

/// The same while it is written.
#[must_use]
pub fn unfinished_name(seq: u64) -> String {
    format!("{seq:020}{ENDING}.tmp")
}

/// The command of a snapshot's file; none where it is no snapshot.
#[must_use]
pub fn snapshot_seq(name: &str) -> Option<u64> {
    let seq = name.strip_suffix(ENDING)?.parse().ok()?;
    (snapshot_name(seq) == name).then_some(seq)
}

/// Is this a snapshot that was never finished?
#[must_use]
pub fn is_unfinished(name: &str) -> bool {
    name.strip_suffix(".tmp").is_some_and(|name| snapshot_seq(name).is_some())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

/// The first bytes of a snapshot's file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileHeader {
    /// Number of the journal it belongs to.
    pub journal: u64,
    /// The last command before it.
    pub seq: u64,
    /// Bytes of the state behind this header.
    pub bytes: u64,
    /// Quarantines that stood in the log behind that very command, before any other, and were known.
    pub quarantines: u32,
    /// Checksum of the state's bytes.
    pub crc: u32,
    /// Checksum of the genesis' canonical bytes.
    pub genesis: u32,
}

impl FileHeader {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[..8].copy_from_slice(&MAGIC);
        out[8..16].copy_from_slice(&self.journal.to_le_bytes());
        out[16..24].copy_from_slice(&self.seq.to_le_bytes());
        out[24..32].copy_from_slice(&self.bytes.to_le_bytes());
        out[32..36].copy_from_slice(&self.quarantines.to_le_bytes());
        out[36..40].copy_from_slice(&self.crc.to_le_bytes());
        out[40..44].copy_from_slice(&self.genesis.to_le_bytes());
        let crc = crc32c::crc32c(&out[..60]);
        out[60..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads it; none where the bytes are no header of this format.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<FileHeader> {
        let header = FileHeader {
            journal: u64_at(bytes.get(..HEADER_BYTES)?, 8),
            seq: u64_at(bytes, 16),
            bytes: u64_at(bytes, 24),
            quarantines: u32_at(bytes, 32),
            crc: u32_at(bytes, 36),
            genesis: u32_at(bytes, 40),
        };
        (header.encode() == bytes[..HEADER_BYTES]).then_some(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bit_of_it_is_without_meaning() {
        let header = FileHeader { journal: 1, seq: 2, bytes: 3, quarantines: 4, crc: 5, genesis: 6 };
        let bytes = header.encode();
        assert_eq!(FileHeader::decode(&bytes), Some(header));
        for bit in 0..8 * HEADER_BYTES {
            let mut bytes = bytes;
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FileHeader::decode(&bytes), None, "bit {bit}");
        }
    }

    #[test]
    fn a_snapshots_file_is_known_by_its_name() {
        assert_eq!(snapshot_seq(&snapshot_name(12)), Some(12));
        assert!(is_unfinished(&unfinished_name(12)) && !is_unfinished(&snapshot_name(12)));
        for name in ["12.snapshot", "00000012.journal", "00000012.journal.tmp", "snapshot.lock"] {
            assert!(snapshot_seq(name).is_none() && !is_unfinished(name), "{name}");
        }
    }
}
