//! What proves the engine: scenario language, naive twin, workload generator.
#![forbid(unsafe_code)]

pub mod machine;
pub mod scenario;
pub mod twin;
pub mod workload;

pub use machine::Machine;
pub use scenario::{scenario, scenario_on_twin};
