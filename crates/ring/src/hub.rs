//! The hub: where readers join, before the start or while the producer runs.

use std::fmt;

use super::error::RingError;
use super::lossy::LossyReader;
use super::producer::Producer;
use super::reader::Reader;
use super::shared::{Config, Shared};
use super::sync::Arc;

/// Makes a ring for values of `N` words: its producer, and the hub where readers join.
///
/// # Errors
///
/// [`RingError::Capacity`], [`RingError::Seats`].
///
/// ```
/// use centum_ring::{Config, RingError, ring};
/// let odd = Config { capacity: 1000, ..Config::default() };
/// assert_eq!(ring::<[u64; 4], 4>(odd).unwrap_err(), RingError::Capacity { asked: 1000 });
/// let (producer, hub) = ring::<[u64; 4], 4>(Config { capacity: 1024, ..odd })?;
/// # Ok::<(), RingError>(())
/// ```
pub fn ring<T, const N: usize>(config: Config) -> Result<(Producer<T, N>, Hub<T, N>), RingError> {
    let shared = Shared::new(config)?;
    Ok((Producer::new(Arc::clone(&shared)), Hub::new(shared)))
}

/// A lane: a ring with one gating reader, there from the first value.
///
/// # Errors
///
/// [`RingError::Capacity`], [`RingError::Seats`].
///
/// ```
/// use centum_ring::{Config, lane};
/// let (mut producer, mut reader) = lane::<[u64; 4], 4>(Config::default())?;
/// producer.try_push([1, 2, 3, 4]).unwrap();
/// assert_eq!(reader.try_read(), Some([1, 2, 3, 4]));
/// # Ok::<(), centum_ring::RingError>(())
/// ```
pub fn lane<T, const N: usize>(config: Config) -> Result<(Producer<T, N>, Reader<T, N>), RingError> {
    let (producer, hub) = ring(config)?;
    let reader = hub.reader()?;
    Ok((producer, reader))
}

/// Where readers join a ring, from any thread and at any time.
///
/// ```
/// use centum_ring::{Config, ring};
/// let (mut producer, hub) = ring::<[u64; 1], 1>(Config::default())?;
/// producer.try_push([1]).unwrap();
/// let mut late = std::thread::spawn(move || hub.reader()).join().unwrap()?;
/// producer.try_push([2]).unwrap();
/// assert_eq!(late.batch().collect::<Vec<_>>(), [[2]]);
/// # Ok::<(), centum_ring::RingError>(())
/// ```
pub struct Hub<T, const N: usize = 16> {
    shared: Arc<Shared<T, N>>,
}

impl<T, const N: usize> Hub<T, N> {
    pub(crate) fn new(shared: Arc<Shared<T, N>>) -> Hub<T, N> {
        Hub { shared }
    }

    /// A gating reader of all that is published from now on: the producer waits for it.
    ///
    /// # Errors
    ///
    /// [`RingError::NoSeat`] if every seat is taken.
    pub fn reader(&self) -> Result<Reader<T, N>, RingError> {
        let (seat, first) = self.shared.take_gating_seat()?;
        Ok(Reader::new(Arc::clone(&self.shared), seat, first))
    }

    /// A lossy reader of all that is published from now on: the producer does not wait for it.
    ///
    /// # Errors
    ///
    /// [`RingError::NoSeat`] if every seat is taken.
    pub fn lossy_reader(&self) -> Result<LossyReader<T, N>, RingError> {
        let seat = self.shared.take_seat()?;
        Ok(LossyReader::new(Arc::clone(&self.shared), seat))
    }
}

impl<T, const N: usize> Clone for Hub<T, N> {
    fn clone(&self) -> Hub<T, N> {
        Hub::new(Arc::clone(&self.shared))
    }
}

impl<T, const N: usize> fmt::Debug for Hub<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("capacity", &self.shared.capacity()).finish_non_exhaustive()
    }
}
