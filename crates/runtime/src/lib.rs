//! How the engine runs: everything that touches a disk stands here, outside of it.
//!
//! So far there is the [`journal`]: every command is written down, in the one order they have, before what
//! came of it is told. Read back, they give the same engine. It stands on a [`disk`], a real one or a
//! simulated one that loses what it may lose. What came of the commands, once it may be told, goes through the
//! [`router`]: feeds of accounts, the public feed, drop copies, a read model.
#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic, clippy::float_cmp)]

pub mod disk;
pub mod journal;
pub mod router;
