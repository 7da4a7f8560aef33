//! The gating reader: misses nothing, because the producer waits for it.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::Ordering::Acquire;
use std::time::{Duration, Instant};

use super::error::Closed;
use super::shared::Shared;
use super::sync::Arc;
use super::waiting::{Sleeper, Waiting, wait};

/// A reader that gates: no value is overwritten before it has read it. A slow one stops the producer, one that is
/// dropped sets it free.
///
/// ```
/// use centum_ring::{Closed, Config, lane};
/// let (mut producer, mut reader) = lane::<[u64; 1], 1>(Config::default())?;
/// let writer = std::thread::spawn(move || {
///     for i in 0..10_000 {
///         producer.wait_for_room(1);
///         producer.try_push([i]).unwrap();
///     }
/// });
/// let mut sum = 0;
/// while reader.wait() != Err(Closed) {
///     sum += reader.batch().map(|[i]| i).sum::<u64>();
/// }
/// assert_eq!(sum, 49_995_000);
/// # writer.join().unwrap();
/// # Ok::<(), centum_ring::RingError>(())
/// ```
pub struct Reader<T, const N: usize = 16> {
    shared: Arc<Shared<T, N>>,
    seat: usize,
    /// Sequence of the next value.
    next: u64,
    /// What the producer knows of it.
    released: u64,
    /// What was published when we last looked.
    published: u64,
    // It is registered as one thread's to wake: it may move to another, two may not share it.
    not_sync: PhantomData<Cell<()>>,
}

impl<T: From<[u64; N]>, const N: usize> Reader<T, N> {
    /// The next value, if one is published. Its slot is free again at once.
    #[inline(always)]
    pub fn try_read(&mut self) -> Option<T> {
        if self.next == self.published {
            self.look();
            if self.next == self.published {
                return None;
            }
        }
        let words = self.shared.slot(self.next).load();
        self.next += 1;
        self.release();
        Some(T::from(words))
    }

    /// All that is published now and not read yet. What was taken out of the batch is released, all at once, when the
    /// batch is dropped; the rest stays for the next one.
    ///
    /// ```
    /// use centum_ring::{Config, lane};
    /// let (mut producer, mut reader) = lane::<[u64; 1], 1>(Config::default())?;
    /// for i in 0..5 {
    ///     producer.try_push([i]).unwrap();
    /// }
    /// assert_eq!(reader.batch().take(2).collect::<Vec<_>>(), [[0], [1]]); // at most so many
    /// let mut batch = reader.batch();
    /// for value in &mut batch {
    ///     // …write it somewhere…
    /// }
    /// drop(batch); // …make it durable, and only then let the producer go on.
    /// assert_eq!(producer.used(), 0);
    /// # Ok::<(), centum_ring::RingError>(())
    /// ```
    #[inline(always)]
    pub fn batch(&mut self) -> Batch<'_, T, N> {
        self.look();
        Batch { reader: self }
    }

    #[inline(always)]
    fn take(&mut self) -> Option<T> {
        if self.next == self.published {
            return None;
        }
        let words = self.shared.slot(self.next).load();
        self.next += 1;
        Some(T::from(words))
    }
}

impl<T, const N: usize> Reader<T, N> {
    pub(crate) fn new(shared: Arc<Shared<T, N>>, seat: usize, first: u64) -> Reader<T, N> {
        Reader { shared, seat, next: first, released: first, published: first, not_sync: PhantomData }
    }

    /// Waits, in the ring's own way, until something is published. Says how many values there are to read.
    ///
    /// # Errors
    ///
    /// [`Closed`] if the producer is gone and everything has been read.
    pub fn wait(&mut self) -> Result<usize, Closed> {
        wait(self.shared.waiting, None, &AnyOf([&*self]));
        self.look();
        if self.next == self.published { Err(Closed) } else { Ok(self.lag()) }
    }

    /// Is the producer gone, and everything read?
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.producer_is_gone() && self.shared.published.load(Acquire) == self.next
    }

    /// How many values are published and not read.
    #[must_use]
    pub fn lag(&self) -> usize {
        (self.shared.published.load(Acquire) - self.next) as usize
    }

    /// Sequence of the next value to read.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.next
    }

    /// Is anything published that was not read?
    fn has_next(&self) -> bool {
        self.shared.expect(self.next);
        self.lag() > 0
    }

    #[inline(always)]
    fn look(&mut self) {
        self.shared.expect(self.next);
        self.published = self.shared.published.load(Acquire);
    }

    #[inline(always)]
    fn release(&mut self) {
        if self.released != self.next {
            self.released = self.next;
            self.shared.release(self.seat, self.next);
        }
    }
}

impl<T, const N: usize> Drop for Reader<T, N> {
    fn drop(&mut self) {
        self.shared.leave(self.seat);
    }
}

impl<T, const N: usize> fmt::Debug for Reader<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("next", &self.next).finish_non_exhaustive()
    }
}

/// Values to read; see [`Reader::batch`].
#[derive(Debug)]
pub struct Batch<'a, T, const N: usize = 16> {
    reader: &'a mut Reader<T, N>,
}

impl<T: From<[u64; N]>, const N: usize> Iterator for Batch<'_, T, N> {
    type Item = T;

    #[inline(always)]
    fn next(&mut self) -> Option<T> {
        self.reader.take()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.reader.published - self.reader.next) as usize;
        (left, Some(left))
    }
}

impl<T: From<[u64; N]>, const N: usize> ExactSizeIterator for Batch<'_, T, N> {}

impl<T, const N: usize> Drop for Batch<'_, T, N> {
    #[inline(always)]
    fn drop(&mut self) {
        self.reader.release();
    }
}

/// Waits until one of the readers has something to read or has lost its producer, at most for `timeout`. Says whether
/// that is so. With no reader and no timeout there is nothing to wait for.
///
/// A reader whose producer is gone ends every wait at once: once it [is closed](Reader::is_closed), leave it out. The
/// readers are walked again and again, so they must stay the same while this waits; hence the iterator that knows its
/// length, which a filter does not. The waiting is that of the most impatient ring among them.
///
/// ```
/// use std::time::Duration;
/// use centum_ring::{Config, lane, wait_any};
/// let (mut from_alice, alice) = lane::<[u64; 1], 1>(Config::default())?;
/// let (from_bob, bob) = lane::<[u64; 1], 1>(Config::default())?;
/// assert!(!wait_any([&alice, &bob], Some(Duration::from_millis(1))));
/// from_alice.try_push([7]).unwrap();
/// assert!(wait_any([&alice, &bob], None));
/// # Ok::<(), centum_ring::RingError>(())
/// ```
pub fn wait_any<'a, T: 'a, const N: usize>(
    readers: impl IntoIterator<Item = &'a Reader<T, N>, IntoIter: ExactSizeIterator> + Clone,
    timeout: Option<Duration>,
) -> bool {
    let waiting = readers.clone().into_iter().map(|reader| reader.shared.waiting).min();
    if waiting.is_none() && timeout.is_none() {
        return false;
    }
    wait(waiting.unwrap_or(Waiting::Park), timeout.map(|timeout| Instant::now() + timeout), &AnyOf(readers))
}

/// Readers, of which one is waited for.
struct AnyOf<R>(R);

impl<'a, T: 'a, const N: usize, R: IntoIterator<Item = &'a Reader<T, N>> + Clone> Sleeper for AnyOf<R> {
    fn is_ready(&self) -> bool {
        // Gone first: what is published by then is all there will be.
        self.0.clone().into_iter().any(|reader| reader.shared.producer_is_gone() || reader.has_next())
    }

    fn lie_down(&self) {
        self.0.clone().into_iter().for_each(|reader| reader.shared.reader_lies_down(reader.seat));
    }

    fn get_up(&self) {
        self.0.clone().into_iter().for_each(|reader| reader.shared.reader_gets_up(reader.seat));
    }
}
