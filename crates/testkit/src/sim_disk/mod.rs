//! A disk that loses what a disk may lose.
//!
//! In    what a program writes, names and syncs.
//! Out   what is on the platter after a crash, for every place a crash may come at and every way it may go.
//! Laws  What was synced is there. Of what was not, any sector may be there, as of any write to it, or torn at
//!       any byte; and any change of a name may be there or not.
//!
//! A [`SimDisk`] is used like any disk and keeps a [`Tape`] of what was done. [`SimDisk::crashes`] plays the tape
//! again, byte by byte where asked, and gives at every place the disk that a crash would leave behind. Faults
//! are asked for with the `set_` and `fail_` functions; [`damage`] has those that a disk does on its own.

pub mod damage;
mod image;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use runtime::disk::{Disk, DiskFile};

use image::Image;

/// Bytes that a disk writes whole or not at all, unless it tears them.
pub const SECTOR_BYTES: usize = 512;

/// One thing that a program did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Op {
    /// A new file of so many zeros.
    Create(String, u64),
    /// Bytes written into a file.
    Write(usize, u64, Arc<[u8]>),
    /// A file synced.
    Sync(usize),
    /// A file named anew.
    Rename(String, String),
    /// A file removed.
    Remove(String),
    /// The directory synced.
    SyncDir,
}

/// How a crash goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Crash {
    /// All that was handed over is on the platter, in its order, up to the place of the crash.
    AllKept,
    /// Nothing is that was not synced.
    AllLost,
    /// Chance decides: sector by sector, name by name.
    Chance(u64),
}

/// A simulated disk. Clones are the same disk.
#[derive(Clone, Debug)]
pub struct SimDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    image: Image,
    /// What was done since the tape was begun, and the disk as it was then.
    tape: Option<(Image, Vec<Op>)>,
    faults: Faults,
}

/// What goes wrong without a crash.
#[derive(Clone, Debug, Default)]
struct Faults {
    /// Room for the files, bytes.
    capacity: Option<u64>,
    /// The next syncs that succeed before one fails, and the writes.
    syncs_left: Option<u64>,
    writes_left: Option<u64>,
    /// Reads give fewer bytes than asked for; the state of the choice.
    short_reads: Option<u64>,
}

/// A file of a [`SimDisk`].
#[derive(Clone, Debug)]
pub struct SimFile {
    disk: SimDisk,
    node: usize,
}

/// A step of a seeded choice (splitmix64).
pub fn chance(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Default for SimDisk {
    fn default() -> Self {
        SimDisk::new()
    }
}

impl SimDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> SimDisk {
        SimDisk::of(Image::default())
    }

    fn of(image: Image) -> SimDisk {
        SimDisk(Arc::new(Mutex::new(State { image, ..State::default() })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no user of the disk panicked")
    }

    /// Keeps everything from here on a tape.
    pub fn record(&self) {
        let mut state = self.state();
        state.tape = Some((state.image.clone(), Vec::new()));
    }

    /// How many things are on the tape.
    #[must_use]
    pub fn recorded(&self) -> usize {
        self.state().tape.as_ref().map_or(0, |(_, ops)| ops.len())
    }

    /// The tape, to be played again.
    #[must_use]
    pub fn crashes(&self) -> Tape {
        let (image, ops) = self.state().tape.clone().unwrap_or_default();
        Tape { image, ops, at: 0 }
    }

    /// The disk after a crash now.
    #[must_use]
    pub fn crash(&self, crash: Crash) -> SimDisk {
        SimDisk::of(self.state().image.crashed(crash))
    }

    /// The disk as the next process finds it, where only the process died: the system still knows what was not
    /// synced, and what a failed sync lost only seems to be there.
    #[must_use]
    pub fn after_process_death(&self) -> SimDisk {
        SimDisk::of(self.state().image.clone())
    }

    /// Another disk with the same bytes on it.
    #[must_use]
    pub fn copy(&self) -> SimDisk {
        self.after_process_death()
    }

    /// Files may take no more room than this.
    pub fn set_capacity(&self, bytes: u64) {
        self.state().faults.capacity = Some(bytes);
    }

    /// After so many more syncs one fails; what it should have made safe is lost, though reading still shows it.
    pub fn fail_sync_after(&self, syncs: u64) {
        self.state().faults.syncs_left = Some(syncs);
    }

    /// After so many more writes one fails in the middle.
    pub fn fail_write_after(&self, writes: u64) {
        self.state().faults.writes_left = Some(writes);
    }

    /// Reads give fewer bytes than asked for, or are interrupted.
    pub fn set_short_reads(&self, seed: u64) {
        self.state().faults.short_reads = Some(seed);
    }

    /// All bytes of a file, as reading shows them.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state();
        let node = state.image.node(name).ok()?;
        Some(state.image.read(node).to_vec())
    }

    /// Puts bytes on the platter under a name, whatever was there.
    pub fn put(&self, name: &str, bytes: Vec<u8>) {
        self.state().image.put(name, bytes);
    }

    /// Takes a file off the platter.
    pub fn take(&self, name: &str) {
        self.state().image.take(name);
    }

    fn did(&self, op: Op) -> io::Result<()> {
        let mut state = self.state();
        state.image.apply(&op)?;
        if let Some((_, ops)) = &mut state.tape {
            ops.push(op);
        }
        Ok(())
    }

    fn spend(left: &mut Option<u64>) -> bool {
        match left {
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        }
    }
}

impl Disk for SimDisk {
    type File = SimFile;

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.state().image.names())
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<SimFile> {
        let room = self.free_bytes()?;
        if bytes > room {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.did(Op::Create(name.to_owned(), bytes))?;
        self.open(name)
    }

    fn open(&self, name: &str) -> io::Result<SimFile> {
        Ok(SimFile { disk: self.clone(), node: self.state().image.node(name)? })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.did(Op::Rename(from.to_owned(), to.to_owned()))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.did(Op::Remove(name.to_owned()))
    }

    fn sync_dir(&self) -> io::Result<()> {
        if SimDisk::spend(&mut self.state().faults.syncs_left) {
            self.state().image.lose_names();
            return Err(io::Error::other("the simulated disk failed a sync"));
        }
        self.did(Op::SyncDir)
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let state = self.state();
        Ok(state.faults.capacity.unwrap_or(u64::MAX / 2).saturating_sub(state.image.bytes()))
    }
}

impl DiskFile for SimFile {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.disk.state().image.read(self.node).len() as u64)
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut state = self.disk.state();
        let mut wanted = into.len();
        if let Some(seed) = &mut state.faults.short_reads {
            if chance(seed).is_multiple_of(5) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            wanted = wanted.min(1 + (chance(seed) % 700) as usize);
        }
        let bytes = state.image.read(self.node);
        let from = bytes.len().min(at as usize);
        let n = wanted.min(bytes.len() - from);
        into[..n].copy_from_slice(&bytes[from..from + n]);
        Ok(n)
    }

    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        if SimDisk::spend(&mut self.disk.state().faults.writes_left) {
            self.disk.did(Op::Write(self.node, at, bytes[..bytes.len() / 2].into()))?;
            return Err(io::Error::other("the simulated disk failed a write"));
        }
        self.disk.did(Op::Write(self.node, at, bytes.into()))
    }

    fn sync_data(&mut self) -> io::Result<()> {
        if SimDisk::spend(&mut self.disk.state().faults.syncs_left) {
            self.disk.state().image.lose_writes(self.node);
            return Err(io::Error::other("the simulated disk failed a sync"));
        }
        self.disk.did(Op::Sync(self.node))
    }
}

/// What was done to a disk, played again step by step.
#[derive(Clone, Debug)]
pub struct Tape {
    image: Image,
    ops: Vec<Op>,
    at: usize,
}

impl Tape {
    /// The next thing that was done; none at the end.
    #[must_use]
    pub fn next_op(&self) -> Option<&Op> {
        self.ops.get(self.at)
    }

    /// How many things have been done.
    #[must_use]
    pub fn done(&self) -> usize {
        self.at
    }

    /// Does the next thing.
    pub fn advance(&mut self) {
        if let Some(op) = self.ops.get(self.at) {
            self.image.apply(op).expect("what could be done once can be done again");
            self.at += 1;
        }
    }

    /// The disk after a crash here: before the next thing, or where that is a write, after so many of its bytes.
    #[must_use]
    pub fn crash(&self, bytes_of_next: usize, crash: Crash) -> SimDisk {
        let mut image = self.image.clone();
        if let (Some(Op::Write(node, at, bytes)), 1..) = (self.next_op(), bytes_of_next) {
            let part = bytes[..bytes_of_next.min(bytes.len())].into();
            image.apply(&Op::Write(*node, *at, part)).expect("part of a write can be done");
        }
        SimDisk::of(image.crashed(crash))
    }
}
