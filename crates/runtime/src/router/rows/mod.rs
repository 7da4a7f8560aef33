//! What feeds carry: rows, and the snapshots that rows go on from.

mod account;
mod market;

pub use account::{AccountRow, AccountSnapshot, DropCopyRow, OpenOrder};
pub use market::{Change, L2, L3, LevelRow, MarketBody, MarketRow, MarketSnapshot, OrderRow, Top};

pub(super) use account::rows_of;
