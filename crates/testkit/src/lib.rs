//! What proves the engine: scenario language, naive twin, workload generator.
