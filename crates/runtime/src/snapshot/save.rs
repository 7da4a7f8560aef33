//! A snapshot taken, and made safe.
//!
//! In    an engine between two batches.
//! Out   a file that is there whole or not at all.
//! Laws  It has its name only once all of it is safe; an older one goes only once this one is safe, and the
//!       newest whole one before it stays.

use std::io;

use engine::{Engine, SnapshotHeader};

use super::error::Error;
use super::format::{FileHeader, HEADER_BYTES, is_unfinished, snapshot_name, unfinished_name};
use super::store::{Stored, list};
use crate::disk::{Disk, DiskFile};
use crate::journal::Scan;
use crate::journal::format::genesis_crc;

/// Bytes written at a time.
const WRITE_BYTES: usize = 1 << 20;

/// Which run a snapshot is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The journal's number.
    pub journal: u64,
    /// Quarantines behind the snapshot's very command that the run knew of. None, unless an operator has
    /// quarantined something and not a command came since.
    pub quarantines: u32,
}

impl Origin {
    /// Of a run that read the journal as this scan found it, at command `seq`.
    #[must_use]
    pub fn of(scan: &Scan, seq: u64) -> Origin {
        let quarantines = scan.quarantined().iter().filter(|one| one.since == seq).count() as u32;
        Origin { journal: scan.journal(), quarantines }
    }
}

/// A snapshot in memory.
#[derive(Clone, Debug)]
pub struct Snapshot {
    origin: Origin,
    seq: u64,
    digest: u64,
    genesis: u32,
    state: Vec<u8>,
}

/// A snapshot on a disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Saved {
    /// The last command before it.
    pub seq: u64,
    /// Its file.
    pub file: String,
    /// How long that is.
    pub bytes: u64,
    /// Older ones that went.
    pub removed: Vec<String>,
}

impl Snapshot {
    /// Copies the state. The engine stands still for this alone; `docs/performance.md` says how long.
    #[must_use]
    pub fn take(engine: &Engine, origin: Origin) -> Snapshot {
        let mut state = Vec::new();
        engine.write_snapshot(&mut state);
        let header = SnapshotHeader::read(&mut state.as_slice()).expect("a state just written has a header");
        Snapshot { origin, seq: engine.seq(), digest: header.digest, genesis: genesis_crc(engine.genesis()), state }
    }

    /// The last command before it.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The digest of the state.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// Bytes of the state.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.state.len()
    }

    /// Writes it into the journal's directory. When this returns it is safe. `durable_seq` is the journal's: a
    /// snapshot of commands that a crash may still take back is refused.
    ///
    /// One at a time: a [`FileDisk::for_snapshots`](crate::disk::FileDisk::for_snapshots) sees to that.
    ///
    /// # Errors
    /// [`Error::NotDurable`], [`Error::Full`], what the disk says. The journal and older snapshots are as they were.
    pub fn save(&self, disk: &impl Disk, durable_seq: u64) -> Result<Saved, Error> {
        if self.seq > durable_seq {
            return Err(Error::NotDurable { seq: self.seq, durable: durable_seq });
        }
        let (file, unfinished) = (snapshot_name(self.seq), unfinished_name(self.seq));
        let bytes = (HEADER_BYTES + self.state.len()) as u64;
        if let Err(error) = self.write(disk, &unfinished, bytes) {
            // What was written of it goes, or a full disk would stay full.
            let _ = disk.remove(&unfinished);
            let is_full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
            return Err(if is_full {
                Error::Full { needed: bytes, free: disk.free_bytes().unwrap_or(0) }
            } else {
                Error::Io { doing: "writing a snapshot", file, source: error }
            });
        }
        disk.rename(&unfinished, &file).map_err(Error::io("naming a snapshot", file.as_str()))?;
        disk.sync_dir().map_err(Error::io("syncing the directory", "."))?;
        let removed = self.remove_older(disk)?;
        Ok(Saved { seq: self.seq, file, bytes, removed })
    }

    /// The header comes last: without it the rest says nothing.
    fn write(&self, disk: &impl Disk, name: &str, bytes: u64) -> io::Result<()> {
        let mut file = disk.create(name, bytes)?;
        for (i, part) in self.state.chunks(WRITE_BYTES).enumerate() {
            file.write_at((HEADER_BYTES + i * WRITE_BYTES) as u64, part)?;
        }
        let header = FileHeader {
            journal: self.origin.journal,
            seq: self.seq,
            bytes: self.state.len() as u64,
            quarantines: self.origin.quarantines,
            crc: crc32c::crc32c(&self.state),
            genesis: self.genesis,
        };
        file.write_at(0, &header.encode())?;
        file.sync_data()
    }

    /// Removes all that is older than the newest whole one before this, and what was never finished.
    fn remove_older(&self, disk: &impl Disk) -> Result<Vec<String>, Error> {
        let mut names: Vec<String> = disk.list().map_err(Error::io("listing the directory", "."))?;
        names.retain(|name| is_unfinished(name));
        let mut has_one_before = false;
        for seq in list(disk)?.into_iter().filter(|seq| *seq < self.seq) {
            if has_one_before {
                names.push(snapshot_name(seq));
            }
            let is_ours = |found: &Stored<_>| found.header.journal == self.origin.journal;
            has_one_before |= Stored::open(disk, seq).and_then(Stored::checked).is_ok_and(|found| is_ours(&found));
        }
        for name in &names {
            disk.remove(name).map_err(Error::io("removing an old snapshot", name.as_str()))?;
        }
        names.retain(|name| !is_unfinished(name));
        Ok(names)
    }
}
