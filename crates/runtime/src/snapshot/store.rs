//! Snapshots as they lie on a disk, read and checked.

use std::io;

use engine::{Engine, SnapshotHeader, SnapshotSource};

use super::error::{Error, Flaw};
use super::format::{FileHeader, HEADER_BYTES, snapshot_name, snapshot_seq};
use crate::disk::{Disk, DiskFile, read_full};
use crate::journal::format::genesis_crc;

/// Bytes read at a time.
const READ_BYTES: usize = 1 << 18;

/// The commands behind which there are snapshots, the newest first. Nothing is read but names.
///
/// # Errors
/// What the disk says.
pub fn list(disk: &impl Disk) -> Result<Vec<u64>, Error> {
    let names = disk.list().map_err(Error::io("listing the directory", "."))?;
    let mut all: Vec<u64> = names.iter().filter_map(|name| snapshot_seq(name)).collect();
    all.sort_unstable_by(|a, b| b.cmp(a));
    Ok(all)
}

/// A snapshot on a disk whose header was read.
#[derive(Debug)]
pub struct Stored<F> {
    /// What its header says.
    pub header: FileHeader,
    file: F,
}

impl<F: DiskFile> Stored<F> {
    /// Opens the snapshot behind that command and looks at its header.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open<D: Disk<File = F>>(disk: &D, seq: u64) -> Result<Stored<F>, Flaw> {
        let file = disk.open(&snapshot_name(seq)).map_err(Flaw::Io)?;
        let mut page = [0; HEADER_BYTES];
        let read = read_full(&file, 0, &mut page).map_err(Flaw::Io)?;
        let header = FileHeader::decode(&page[..read]).ok_or(Flaw::Header)?;
        if header.seq != seq {
            return Err(Flaw::WrongName { found: header.seq });
        }
        let (found, expected) = (file.bytes().map_err(Flaw::Io)?, header.bytes.saturating_add(HEADER_BYTES as u64));
        if found != expected {
            return Err(Flaw::Length { found, expected });
        }
        Ok(Stored { header, file })
    }

    /// Reads all of it: are these the bytes that were written?
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn checked(self) -> Result<Stored<F>, Flaw> {
        let mut source = Source::new(&self.file);
        let mut buffer = vec![0; READ_BYTES];
        let mut crc = 0;
        loop {
            let n = source.read(&mut buffer);
            crc = crc32c::crc32c_append(crc, &buffer[..n]);
            if n < buffer.len() {
                break;
            }
        }
        match source.failed {
            Some(error) => Err(Flaw::Io(error)),
            None if crc != self.header.crc => Err(Flaw::Checksum),
            None => Ok(self),
        }
    }

    /// The engine. Its genesis must be the one whose checksum is given, or no memory is taken for it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn engine(&self, genesis: u32, hash_seed: Option<u64>) -> Result<Engine, Flaw> {
        let mut source = Source::new(&self.file);
        let restored = SnapshotHeader::read(&mut source).and_then(|header| {
            if genesis_crc(&header.genesis) != genesis {
                return Ok(None);
            }
            match hash_seed {
                Some(seed) => header.restore_with_hash_seed(&mut source, seed).map(Some),
                None => header.restore(&mut source).map(Some),
            }
        });
        if let Some(error) = source.failed {
            return Err(Flaw::Io(error));
        }
        let engine = restored.map_err(Flaw::State)?.ok_or(Flaw::WrongGenesis)?;
        let found = engine.seq();
        if found == self.header.seq { Ok(engine) } else { Err(Flaw::WrongName { found }) }
    }
}

/// A file's bytes behind the header, as the engine reads them.
struct Source<'a, F> {
    file: &'a F,
    at: u64,
    window: Vec<u8>,
    used: usize,
    failed: Option<io::Error>,
}

impl<'a, F: DiskFile> Source<'a, F> {
    fn new(file: &'a F) -> Self {
        Source { file, at: HEADER_BYTES as u64, window: Vec::new(), used: 0, failed: None }
    }

    fn fill(&mut self) {
        self.window.resize(READ_BYTES, 0);
        self.used = 0;
        let read = read_full(self.file, self.at, &mut self.window).unwrap_or_else(|error| {
            self.failed = Some(error);
            0
        });
        self.at += read as u64;
        self.window.truncate(read);
    }
}

impl<F: DiskFile> SnapshotSource for Source<'_, F> {
    fn read(&mut self, into: &mut [u8]) -> usize {
        let mut done = 0;
        while done < into.len() {
            if self.used == self.window.len() {
                self.fill();
                if self.window.is_empty() {
                    break;
                }
            }
            let n = (into.len() - done).min(self.window.len() - self.used);
            into[done..done + n].copy_from_slice(&self.window[self.used..self.used + n]);
            (done, self.used) = (done + n, self.used + n);
        }
        done
    }
}
