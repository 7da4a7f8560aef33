//! The lossy reader: never slows the producer, and knows exactly what it missed.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::Ordering::Acquire;

use super::error::Closed;
use super::shared::Shared;
use super::sync::{Arc, fence};
use super::waiting::{Sleeper, wait};

/// Values that were overwritten before a lossy reader came to them: the sequences `from..to`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Missed {
    /// The first that was missed.
    pub from: u64,
    /// The first that was not.
    pub to: u64,
}

impl Missed {
    /// How many were missed; never 0.
    #[must_use]
    pub fn count(self) -> u64 {
        self.to - self.from
    }
}

/// A reader for whom nobody waits. What it reads is whole and in order; what was overwritten before it came it is
/// told of, and goes on at the oldest value that is still safe.
///
/// It is safe from the capacity less an eighth (at most 64) behind the producer: the producer says that much
/// beforehand what it will overwrite.
///
/// ```
/// use centum_ring::{Config, Missed, ring};
/// let (mut producer, hub) = ring::<[u64; 1], 1>(Config { capacity: 4, ..Config::default() })?;
/// let mut reader = hub.lossy_reader()?;
/// for i in 0..10 {
///     producer.try_push([i]).unwrap(); // never full: nobody is waited for
/// }
/// assert_eq!(reader.try_read(), Some(Err(Missed { from: 0, to: 6 })));
/// assert_eq!(reader.try_read(), Some(Ok([6])));
/// # Ok::<(), centum_ring::RingError>(())
/// ```
pub struct LossyReader<T, const N: usize = 16> {
    shared: Arc<Shared<T, N>>,
    seat: usize,
    /// Sequence of the next value.
    next: u64,
    /// What was published when we last looked.
    published: u64,
    not_sync: PhantomData<Cell<()>>,
}

impl<T: From<[u64; N]>, const N: usize> LossyReader<T, N> {
    /// The next value, or what was missed before it; `None` if there is nothing new.
    #[inline(always)]
    pub fn try_read(&mut self) -> Option<Result<T, Missed>> {
        if self.next >= self.published {
            self.look();
        }
        self.take()
    }

    /// All that is published now and not read yet, with what was missed in its place. It ends, however fast the
    /// producer is.
    ///
    /// ```
    /// use centum_ring::{Config, ring};
    /// let (mut producer, hub) = ring::<[u64; 1], 1>(Config::default())?;
    /// let mut reader = hub.lossy_reader()?;
    /// producer.try_push([1]).unwrap();
    /// for next in reader.batch() {
    ///     match next {
    ///         Ok([value]) => assert_eq!(value, 1),
    ///         Err(missed) => println!("{} values missed: ask for a new snapshot", missed.count()),
    ///     }
    /// }
    /// # Ok::<(), centum_ring::RingError>(())
    /// ```
    #[inline(always)]
    pub fn batch(&mut self) -> impl Iterator<Item = Result<T, Missed>> + '_ {
        self.look();
        std::iter::from_fn(|| self.take())
    }

    #[inline(always)]
    fn take(&mut self) -> Option<Result<T, Missed>> {
        if self.next >= self.published {
            return None;
        }
        let words = self.shared.slot(self.next).load();
        // Pairs with the release fence in `Producer::claim`: had any of these words been written for a later
        // sequence, we would now see it claimed.
        fence(Acquire);
        let (from, to) = (self.next, self.shared.oldest());
        if from < to {
            self.next = to;
            return Some(Err(Missed { from, to }));
        }
        self.next += 1;
        Some(Ok(T::from(words)))
    }
}

impl<T, const N: usize> LossyReader<T, N> {
    pub(crate) fn new(shared: Arc<Shared<T, N>>, seat: usize) -> LossyReader<T, N> {
        let published = shared.published.load(Acquire);
        LossyReader { shared, seat, next: published, published, not_sync: PhantomData }
    }

    /// Waits, in the ring's own way, until something is published.
    ///
    /// # Errors
    ///
    /// [`Closed`] if the producer is gone and everything has been read.
    pub fn wait(&mut self) -> Result<(), Closed> {
        wait(self.shared.waiting, None, self);
        if self.is_closed() { Err(Closed) } else { Ok(()) }
    }

    /// Is the producer gone, and everything read?
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.producer_is_gone() && self.shared.published.load(Acquire) <= self.next
    }

    /// How many values are published and neither read nor reported as missed.
    #[must_use]
    pub fn lag(&self) -> usize {
        self.shared.published.load(Acquire).saturating_sub(self.next) as usize
    }

    /// Sequence of the next value to read, if it is still there then.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.next
    }

    #[inline(always)]
    fn look(&mut self) {
        self.shared.expect(self.next);
        self.published = self.shared.published.load(Acquire);
    }
}

impl<T, const N: usize> Sleeper for LossyReader<T, N> {
    fn is_ready(&self) -> bool {
        // Gone first: what is published by then is all there will be.
        self.shared.producer_is_gone() || self.lag() > 0
    }

    fn lie_down(&self) {
        self.shared.reader_lies_down(self.seat);
    }

    fn get_up(&self) {
        self.shared.reader_gets_up(self.seat);
    }
}

impl<T, const N: usize> Drop for LossyReader<T, N> {
    fn drop(&mut self) {
        self.shared.leave(self.seat);
    }
}

impl<T, const N: usize> fmt::Debug for LossyReader<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LossyReader").field("next", &self.next).finish_non_exhaustive()
    }
}
