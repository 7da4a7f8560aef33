//! A directory of the system, locked against a second writer.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::FallocateFlags;

use super::{Disk, DiskFile};

/// The file whose lock says that somebody writes here.
const LOCK: &str = "lock";
/// The same for snapshots, which are written beside a journal that another process writes.
const SNAPSHOT_LOCK: &str = "snapshot.lock";
/// Zeros written at a time where the system cannot reserve space.
const ZEROS: usize = 1 << 20;

/// A directory of the system.
///
/// ```
/// use centum_runtime::disk::{Disk, FileDisk};
/// let directory = std::env::temp_dir().join(format!("centum-doc-disk-{}", std::process::id()));
/// let disk = FileDisk::create(&directory)?;
/// assert!(FileDisk::open(&directory).is_err(), "one writer at a time");
/// disk.create("a", 4096)?;
/// assert_eq!(FileDisk::read_only(&directory)?.list()?, ["a"]);
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct FileDisk {
    directory: PathBuf,
    /// Held while we may write; the system lets go of it when the process ends, however it ends.
    lock: Option<File>,
    /// Only files of this ending may be changed.
    only: Option<&'static str>,
}

impl FileDisk {
    /// A directory to write in, made where it is not there.
    ///
    /// # Errors
    /// [`io::ErrorKind::ResourceBusy`] where another writer has it; else what the system says.
    pub fn create(directory: impl Into<PathBuf>) -> io::Result<FileDisk> {
        let directory = directory.into();
        fs::create_dir_all(&directory)?;
        // The directory's own name must be safe too, before anything in it is.
        if let Some(parent) = directory.parent() {
            File::open(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })?.sync_all()?;
        }
        FileDisk::open(directory)
    }

    /// A directory that is there, to write in.
    ///
    /// # Errors
    /// As [`FileDisk::create`].
    pub fn open(directory: impl Into<PathBuf>) -> io::Result<FileDisk> {
        let directory = directory.into();
        if !directory.is_dir() {
            return Err(io::ErrorKind::NotFound.into());
        }
        FileDisk::locked(directory, LOCK, None)
    }

    /// A directory to write snapshots in, whoever writes its journal. One at a time, and nothing else can be
    /// changed through it.
    ///
    /// # Errors
    /// [`io::ErrorKind::ResourceBusy`] where another process writes a snapshot; else what the system says.
    pub fn for_snapshots(directory: impl Into<PathBuf>) -> io::Result<FileDisk> {
        let directory = directory.into();
        if !directory.is_dir() {
            return Err(io::ErrorKind::NotFound.into());
        }
        FileDisk::locked(directory, SNAPSHOT_LOCK, Some(crate::snapshot::format::ENDING))
    }

    fn locked(directory: PathBuf, lock: &str, only: Option<&'static str>) -> io::Result<FileDisk> {
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(directory.join(lock))?;
        match lock.try_lock() {
            Ok(()) => Ok(FileDisk { directory, lock: Some(lock), only }),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::ResourceBusy.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// A directory to look at, whoever writes in it. Every change is refused.
    ///
    /// # Errors
    /// What the system says.
    pub fn read_only(directory: impl Into<PathBuf>) -> io::Result<FileDisk> {
        let directory = directory.into();
        if !directory.is_dir() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(FileDisk { directory, lock: None, only: None })
    }

    /// Where it is.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn may_write(&self, name: &str) -> io::Result<()> {
        let is_ours = self.only.is_none_or(|ending| name.trim_end_matches(".tmp").ends_with(ending));
        if self.lock.is_some() && is_ours { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }
}

impl Disk for FileDisk {
    type File = File;

    fn list(&self) -> io::Result<Vec<String>> {
        let names = fs::read_dir(&self.directory)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
        names
            .filter_map(Result::transpose)
            .filter(|name| !matches!(name, Ok(name) if name == LOCK || name == SNAPSHOT_LOCK))
            .collect()
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<File> {
        self.may_write(name)?;
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(true).open(self.directory.join(name))?;
        match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, bytes) {
            Ok(()) => Ok(file),
            // Some file systems cannot reserve; writing zeros takes the space as well.
            Err(rustix::io::Errno::OPNOTSUPP) => {
                let zeros = vec![0; ZEROS];
                let mut at = 0;
                while at < bytes {
                    let n = ZEROS.min(usize::try_from(bytes - at).unwrap_or(ZEROS));
                    file.write_all_at(&zeros[..n], at)?;
                    at += n as u64;
                }
                Ok(file)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn open(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().read(true).write(self.may_write(name).is_ok()).open(self.directory.join(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.may_write(from)?;
        self.may_write(to)?;
        fs::rename(self.directory.join(from), self.directory.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.may_write(name)?;
        fs::remove_file(self.directory.join(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        if self.lock.is_none() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        File::open(&self.directory)?.sync_all()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(&self.directory)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

impl DiskFile for File {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        FileExt::read_at(self, into, at)
    }

    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, at)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        File::sync_data(self)
    }
}
