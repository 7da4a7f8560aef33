//! What goes wrong outside the engine, and what the operator does next.

use std::path::{Path, PathBuf};

use runtime::journal::Error as JournalError;
use runtime::snapshot::Error as SnapshotError;

/// The exit code of a command that found a difference.
pub const EXIT_DIFFERENCE: u8 = 1;
/// The exit code for unusable input or arguments.
pub const EXIT_UNUSABLE: u8 = 2;
/// The exit code for a broken law.
pub const EXIT_BROKEN_LAW: u8 = 3;

/// Where in a file something stands; the first line and the first column are 1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The file as it was named.
    pub file: String,
    /// Line.
    pub line: u64,
    /// Column, in characters.
    pub column: u64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error("{path}: {source}; check the path and its permissions")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line says what cannot be used.
    #[error("{place}: found {found}; allowed: {allowed}")]
    At {
        /// Where.
        place: Place,
        /// What stands there.
        found: String,
        /// What may stand there.
        allowed: String,
    },
    /// The input or the arguments as a whole cannot be used.
    #[error("{0}")]
    Unusable(String),
    /// A journal that cannot be used as it was asked.
    #[error("{directory}: {source}")]
    Journal {
        /// Its directory.
        directory: String,
        /// What is wrong, where, and what to do.
        source: JournalError,
    },
    /// A snapshot that cannot be written, or a journal that none leads into.
    #[error("{directory}: {source}")]
    Snapshot {
        /// The journal's directory.
        directory: String,
        /// What is wrong, where, and what to do.
        source: SnapshotError,
    },
    /// A law of the engine does not hold.
    #[error("broken law: {0}; keep the input and report it, the engine's answer cannot be trusted")]
    Law(String),
}

impl Error {
    /// The exit code that goes with it.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Law(_) | Error::Journal { source: JournalError::Law { .. }, .. } => EXIT_BROKEN_LAW,
            // What is there is not what was written, or does not give what was recorded.
            Error::Journal { source: JournalError::Corrupt { .. } | JournalError::Chain { .. }, .. } => EXIT_DIFFERENCE,
            Error::Snapshot { source: SnapshotError::Ahead { .. } | SnapshotError::NoWayIn { .. }, .. } => {
                EXIT_DIFFERENCE
            }
            _ => EXIT_UNUSABLE,
        }
    }

    /// A file that cannot be read or written.
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Error {
        Error::Io { path: path.into(), source }
    }

    /// A journal that cannot be used as it was asked.
    pub fn journal(directory: &Path) -> impl Fn(JournalError) -> Error {
        let directory = directory.display().to_string();
        move |source| Error::Journal { directory: directory.clone(), source }
    }
}

impl Error {
    /// A snapshot that cannot be written, or a journal that none leads into.
    pub fn snapshot(directory: &Path) -> impl Fn(SnapshotError) -> Error {
        let directory = directory.display().to_string();
        move |source| match source {
            SnapshotError::Journal(source) => Error::Journal { directory: directory.clone(), source },
            source => Error::Snapshot { directory: directory.clone(), source },
        }
    }
}

/// The result of everything that can fail here.
pub type Result<T, E = Error> = std::result::Result<T, E>;
