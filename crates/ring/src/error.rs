//! What can go wrong, and what to do about it.

use std::error::Error;
use std::fmt;

/// The ring is full. The value comes back: keep it, or drop it knowingly.
///
/// ```
/// use centum_ring::{Config, Full, ring};
/// let (mut producer, hub) = ring::<[u64; 1], 1>(Config { capacity: 1, ..Config::default() })?;
/// let mut reader = hub.reader()?;
/// assert_eq!(producer.try_push([7]), Ok(()));
/// assert_eq!(producer.try_push([8]), Err(Full([8])));
/// # Ok::<(), centum_ring::RingError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Full<T>(pub T);

impl<T> fmt::Debug for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Full(..)")
    }
}

impl<T> fmt::Display for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the ring is full: wait for room, or give the value up")
    }
}

impl<T> Error for Full<T> {}

/// The producer is gone and everything it published has been read. Nothing more will come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the producer is gone and all it published has been read: leave the ring")
    }
}

impl Error for Closed {}

/// Why a ring could not be made or joined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum RingError {
    /// The capacity is no power of two from 1 to [`Config::CAPACITY_MAX`](crate::Config::CAPACITY_MAX).
    Capacity {
        /// What was asked for, in values.
        asked: usize,
    },
    /// The seats are not from 1 to [`Config::SEATS_MAX`](crate::Config::SEATS_MAX).
    Seats {
        /// What was asked for, in readers.
        asked: usize,
    },
    /// Every seat is taken.
    NoSeat {
        /// How many there are.
        seats: usize,
    },
}

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RingError::Capacity { asked } => {
                write!(f, "a ring cannot have room for {asked} values: take a power of two from 1 to 2^30")
            }
            RingError::Seats { asked } => {
                write!(f, "a ring cannot have seats for {asked} readers: take from 1 to 64")
            }
            RingError::NoSeat { seats } => {
                write!(f, "all {seats} seats are taken: let a reader leave, or make the ring with more seats")
            }
        }
    }
}

impl Error for RingError {}
