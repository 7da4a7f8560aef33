//! The router over random markets with liquidation, sweeps and deleveraging.
//!
//! `CENTUM_SCENARIOS` is the number of markets (24), seeds rise from 0, 2,500 commands each.

mod drive;
mod law8;
mod model;
mod overflow;
mod ranking;
mod snapshots;
