//! How the engine runs: everything that touches a clock, a disk or a thread stands here, outside of it.
//!
//! A [`pump`] takes commands from its [`lane`]s, writes them into the [`journal`], applies them, and lets readers
//! see what came of them once it is safe. The [`router`] takes every fact that the engine releases to those it
//! concerns: account feeds, the public feed, drop copies, a read model. The journal stands on a [`disk`], a real
//! one or a simulated one that loses what it may lose, and [`snapshot`]s bound how long a recovery takes; [`health`] tells how all of it feels. A [`venue`] is the
//! whole in one piece.
#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic, clippy::float_cmp)]

pub mod clock;
pub mod disk;
pub mod health;
pub mod journal;
pub mod lane;
pub mod pump;
pub mod router;
pub mod snapshot;
pub mod venue;
