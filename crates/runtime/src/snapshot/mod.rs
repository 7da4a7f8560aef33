//! Snapshots: the engine's state beside its journal, so that a recovery does not begin at the first command.
//!
//! ```text
//!   00000001.journal  00000002.journal  00000003.journal     the log
//!                          ^ 00000000000000070000.snapshot   the state behind command 70,000
//!   recovery:              restore -> replay ----------->
//! ```
//!
//! [`Snapshot::take`] copies the state into memory: all that a running engine must stand still for. Writing that
//! to a disk is somebody else's work: [`Snapshot::save`] gives it its name once all of it is safe, and removes older
//! ones but the last. A follower (`centum snapshot DIR`) makes the state from the journal instead, so that the
//! engine never stands still.
//!
//! [`Recovery`] looks for the newest snapshot that can be used, restores it, and replays what lies behind it. A
//! damaged one is never used: the one before it is, or the whole journal, and it is told.

mod error;
pub mod format;
mod prune;
mod recovery;
mod save;
mod store;

pub use error::{Error, Flaw, Skipped};
pub use prune::prune;
pub use recovery::{RESTORE_NS_PER_BYTE, Recovered, Recovery, examine};
pub use save::{Origin, Saved, Snapshot};
pub use store::{Stored, list};
