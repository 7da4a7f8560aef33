//! The modules of the `centum` binary, a library so that tests and fuzz targets reach them.
//!
//! Each command has a module with its arguments and one `run`; `main.rs` is their table of contents.
//! Floats appear nowhere near money: only times are divided.
#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic, clippy::float_cmp)]

pub mod bench;
pub mod check;
pub mod checks;
pub mod demo;
pub mod diff;
pub mod error;
pub mod exact;
pub mod fills;
pub mod generate;
pub mod import;
pub mod journal;
pub mod order_log;
pub mod replay;
pub mod report;
pub mod run;
pub mod snapshot;
pub mod source;
pub mod spec_file;
pub mod text;
pub mod time;
