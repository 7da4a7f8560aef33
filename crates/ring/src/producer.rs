//! The producer: writes values ahead, releases them when they may be read.

use std::fmt;
use std::sync::atomic::Ordering::{Relaxed, Release};

use super::error::Full;
use super::hub::Hub;
use super::shared::Shared;
use super::sync::{Arc, fence};
use super::waiting::{Sleeper, wait};

/// The one writing end of a ring. There is no second: it cannot be cloned.
///
/// A value is *staged*, which writes it, and *published*, which lets readers see it and all before it.
/// [`try_push`](Producer::try_push) does both.
///
/// ```
/// use centum_ring::{Config, ring};
/// let (mut producer, hub) = ring::<[u64; 2], 2>(Config::default())?;
/// let mut reader = hub.reader()?;
/// producer.stage([1, 1]).unwrap();
/// producer.stage([2, 2]).unwrap();
/// assert_eq!(reader.try_read(), None); // written, not released
/// producer.publish();
/// assert_eq!(reader.batch().collect::<Vec<_>>(), [[1, 1], [2, 2]]);
/// # Ok::<(), centum_ring::RingError>(())
/// ```
///
/// When it goes, readers read what was published and then learn that it is gone; what was only staged is lost.
pub struct Producer<T, const N: usize = 16> {
    shared: Arc<Shared<T, N>>,
    /// Sequence of the next value.
    staged: u64,
    published: u64,
    /// Values below this may be written without looking at the readers again.
    limit: u64,
    /// Values below this may be written without telling lossy readers.
    claimed: u64,
}

impl<T: Copy + Into<[u64; N]>, const N: usize> Producer<T, N> {
    /// Stages and publishes a value, and whatever was staged before it.
    ///
    /// # Errors
    ///
    /// [`Full`] hands the value back if a gating reader still needs its slot. Nothing is published then.
    #[inline(always)]
    pub fn try_push(&mut self, value: T) -> Result<(), Full<T>> {
        self.stage(value)?;
        self.publish();
        Ok(())
    }

    /// Writes a value that readers do not see before [`publish`](Producer::publish).
    ///
    /// # Errors
    ///
    /// [`Full`] hands the value back if a gating reader still needs its slot.
    #[inline(always)]
    pub fn stage(&mut self, value: T) -> Result<(), Full<T>> {
        if self.staged == self.claimed && !self.claim() {
            return Err(Full(value));
        }
        self.shared.slot(self.staged).store(value.into());
        self.staged += 1;
        Ok(())
    }
}

impl<T, const N: usize> Producer<T, N> {
    pub(crate) fn new(shared: Arc<Shared<T, N>>) -> Producer<T, N> {
        Producer { shared, staged: 0, published: 0, limit: 0, claimed: 0 }
    }

    /// Changes a word of the value staged last, where it is not published yet; else nothing.
    ///
    /// ```
    /// use centum_ring::{Config, lane};
    /// let (mut producer, mut reader) = lane::<[u64; 2], 2>(Config::default())?;
    /// producer.stage([1, 1]).unwrap();
    /// producer.stage([2, 2]).unwrap();
    /// producer.change_last(1, |word| word | 8);
    /// producer.publish();
    /// assert_eq!(reader.batch().collect::<Vec<_>>(), [[1, 1], [2, 10]]);
    /// # Ok::<(), centum_ring::RingError>(())
    /// ```
    #[inline(always)]
    pub fn change_last(&mut self, word: usize, change: impl FnOnce(u64) -> u64) {
        if self.staged != self.published {
            self.shared.slot(self.staged - 1).change(word, change);
        }
    }

    /// Lets readers see all that is staged.
    #[inline(always)]
    pub fn publish(&mut self) {
        self.publish_to(self.staged);
    }

    /// Lets readers see what is staged below `sequence`: what is durable, say, while later values still wait for
    /// their disk. What is published already stays so.
    ///
    /// ```
    /// use centum_ring::{Config, ring};
    /// let (mut producer, hub) = ring::<[u64; 1], 1>(Config::default())?;
    /// let mut reader = hub.reader()?;
    /// producer.stage([1]).unwrap();
    /// let durable = producer.next_sequence();
    /// producer.stage([2]).unwrap();
    /// producer.publish_to(durable);
    /// assert_eq!(reader.batch().collect::<Vec<_>>(), [[1]]);
    /// # Ok::<(), centum_ring::RingError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If so much is not staged.
    #[inline(always)]
    pub fn publish_to(&mut self, sequence: u64) {
        assert!(sequence <= self.staged, "only what is staged can be published");
        if sequence > self.published {
            self.published = sequence;
            // Release pairs with acquire in the readers: who sees the sequence sees the words below it.
            self.shared.published.store(sequence, Release);
            self.shared.wake_readers();
        }
    }

    /// Sequence of the next value to be staged; the first is 0. It never falls and never repeats.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.staged
    }

    /// How many values are staged and not published.
    #[must_use]
    pub fn staged(&self) -> usize {
        (self.staged - self.published) as usize
    }

    /// Values the ring has room for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.shared.capacity() as usize
    }

    /// How many values can be staged now. Looks at every gating reader.
    pub fn free(&mut self) -> usize {
        self.look();
        self.limit.saturating_sub(self.staged) as usize
    }

    /// How many values are staged or some gating reader has yet to read. Looks at every gating reader.
    pub fn used(&mut self) -> usize {
        self.capacity() - self.free()
    }

    /// Can so many values be staged now? Looks at the readers only if the room known of does not suffice, so it
    /// is the cheap question for a high-water mark.
    #[inline(always)]
    pub fn has_room(&mut self, values: usize) -> bool {
        let has_room = |limit: u64, staged: u64| limit.saturating_sub(staged) >= values as u64;
        if !has_room(self.limit, self.staged) {
            self.look();
        }
        has_room(self.limit, self.staged)
    }

    /// Waits, in the ring's own way, until so many values can be staged.
    ///
    /// # Panics
    ///
    /// If they never could: with what is staged and not published they exceed the capacity.
    pub fn wait_for_room(&mut self, values: usize) {
        assert!(
            self.staged() + values <= self.capacity(),
            "readers make room for what they may read only: publish what is staged, wait for less than the capacity"
        );
        while !self.has_room(values) {
            wait(self.shared.waiting, None, &ForRoom { producer: self, values: values as u64 });
        }
    }

    /// Is there any reader? Without a gating one nothing is kept for anybody, and [`Full`] never comes.
    #[must_use]
    pub fn has_readers(&self) -> bool {
        self.shared.has_readers()
    }

    /// How many gating readers there are.
    #[must_use]
    pub fn gating_readers(&self) -> usize {
        self.shared.gating_readers()
    }

    /// Where readers join.
    #[must_use]
    pub fn hub(&self) -> Hub<T, N> {
        Hub::new(Arc::clone(&self.shared))
    }

    /// Finds out how far the readers let us go.
    fn look(&mut self) {
        self.limit = self.shared.least_cursor(self.published) + self.shared.capacity();
    }

    /// Makes room for at least one more value, and tells lossy readers what is about to be overwritten: an
    /// eighth of the ring at once, at most 64 values, so that the word they all look at changes rarely.
    #[cold]
    fn claim(&mut self) -> bool {
        if self.staged >= self.limit {
            self.look();
            if self.staged >= self.limit {
                return false;
            }
        }
        self.claimed = self.limit.min(self.staged + (self.shared.capacity() / 8).clamp(1, 64));
        self.shared.claimed.store(self.claimed, Relaxed);
        // Pairs with the acquire fence in `LossyReader`: who reads a word written after this sees the claim.
        fence(Release);
        true
    }
}

impl<T, const N: usize> Drop for Producer<T, N> {
    fn drop(&mut self) {
        self.shared.producer_leaves();
    }
}

impl<T, const N: usize> fmt::Debug for Producer<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("staged", &self.staged).field("published", &self.published).finish()
    }
}

/// A producer that waits for room.
struct ForRoom<'a, T, const N: usize> {
    producer: &'a Producer<T, N>,
    values: u64,
}

impl<T, const N: usize> Sleeper for ForRoom<'_, T, N> {
    fn is_ready(&self) -> bool {
        let Producer { shared, staged, published, .. } = self.producer;
        staged + self.values <= shared.least_cursor(*published) + shared.capacity()
    }

    fn lie_down(&self) {
        self.producer.shared.producer_lies_down();
    }

    fn get_up(&self) {
        self.producer.shared.producer_gets_up();
    }
}
