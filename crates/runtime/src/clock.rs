//! Time, read at the edge only: the engine's time is what its commands say.

use std::fmt::Debug;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where stamps come from.
pub trait Clock: Debug + Send + Sync {
    /// Nanoseconds since 1970. May stand still or go back: the pump never lets a stamp fall.
    fn now_ns(&self) -> u64;
}

/// The system's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ns(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }
}
