//! What proves the engine: scenario language, naive twin, workload generator.
#![forbid(unsafe_code)]

pub mod twin;
pub mod workload;
