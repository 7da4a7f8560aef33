//! What the journal asks of a disk: a flat directory of files, and to be told when bytes are safe.
//!
//! Nothing is safe before it is synced: bytes by [`DiskFile::sync_data`], names by [`Disk::sync_dir`]. Until
//! then a crash may keep any of it, in any order, and tear it. [`FileDisk`] is a directory of the system; the
//! test kit has a simulated disk that does all a crash may do.

mod file;

pub use file::FileDisk;

use std::io;

/// A directory of files.
pub trait Disk {
    /// One of its files.
    type File: DiskFile;

    /// The names of all files, in no particular order.
    ///
    /// # Errors
    /// What the system says.
    fn list(&self) -> io::Result<Vec<String>>;

    /// A new file of that many zero bytes. The space is taken now: writing within it cannot find the disk full.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::StorageFull`] where the space is not there.
    fn create(&self, name: &str, bytes: u64) -> io::Result<Self::File>;

    /// A file that is there.
    ///
    /// # Errors
    /// What the system says.
    fn open(&self, name: &str) -> io::Result<Self::File>;

    /// Gives a file another name; what had it is gone.
    ///
    /// # Errors
    /// What the system says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// What the system says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes every name safe that was given or taken so far.
    ///
    /// # Errors
    /// What the system says. What is safe is not known then, and is never asked a second time.
    fn sync_dir(&self) -> io::Result<()>;

    /// Bytes that are free, for the operator.
    ///
    /// # Errors
    /// What the system says.
    fn free_bytes(&self) -> io::Result<u64>;
}

/// An open file.
pub trait DiskFile {
    /// How long it is.
    ///
    /// # Errors
    /// What the system says.
    fn bytes(&self) -> io::Result<u64>;

    /// Reads at a place; may give fewer bytes than asked for, none at the end.
    ///
    /// # Errors
    /// What the system says.
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Writes all bytes at a place.
    ///
    /// # Errors
    /// What the system says; any part of the bytes may have been written.
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes every byte safe that was written so far.
    ///
    /// # Errors
    /// What the system says. What is safe is not known then, and is never asked a second time.
    fn sync_data(&mut self) -> io::Result<()>;
}

/// Reads until the buffer is full or the file ends; how many bytes there were.
pub(crate) fn read_full(file: &impl DiskFile, mut at: u64, mut into: &mut [u8]) -> io::Result<usize> {
    let wanted = into.len();
    while !into.is_empty() {
        match file.read_at(at, into) {
            Ok(0) => break,
            Ok(n) => {
                at += n as u64;
                into = &mut into[n..];
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(wanted - into.len())
}
