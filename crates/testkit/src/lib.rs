//! What proves the engine: scenario language, naive twin, workload generator, simulated disk, a client of a venue.
#![forbid(unsafe_code)]

pub mod client;
pub mod machine;
pub mod scenario;
pub mod sim_disk;
pub mod twin;
pub mod workload;

pub use machine::Machine;
pub use scenario::{scenario, scenario_on_twin};
pub use sim_disk::SimDisk;
