//! The engine: a pure state machine, commands in, facts out.
//!
//! One order book and all accounts of the XBT/USD perpetual: matching, margin checked at up to 100x,
//! liquidation as the mark moves, insurance fund, auto-deleveraging. No clock, no file, no thread can be
//! named in here, and after [`Engine::new`] nothing is allocated.
//!
//! The file list reads like the path of an order: `admit` (is it well formed?), `reserve` (can its account
//! bear what it would do?), `place` (from here it stands), `settle`, `reduce_only`, `review` (who is still
//! covered, who falls due?), `agenda` and `liquidation` (what that leads to), `say` (facts, in order).
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic, clippy::float_cmp)]

extern crate alloc;

mod account;
mod admit;
mod agenda;
mod audit;
mod bare;
mod bits;
mod book;
mod chain;
mod digest;
mod engine;
mod expect;
mod funding;
mod funds;
mod halt;
mod index;
mod invariant;
mod keys;
mod ladder;
mod liquidation;
mod lots;
mod mark;
mod market;
mod names;
mod outbox;
mod place;
mod premium;
mod quiet;
mod ranking;
mod reduce_only;
mod remargin;
mod reserve;
mod review;
mod say;
mod settle;
mod slots;
mod snapshot;
mod step_down;

pub use audit::Fault;
pub use bare::{BareBook, BareFill};
pub use engine::{Engine, LotView, OrderView};
pub use outbox::{Discard, Outbox};
pub use snapshot::{RestoreError, RestoreFlaw, SnapshotHeader, SnapshotSink, SnapshotSource};
