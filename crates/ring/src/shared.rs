//! What producer and readers share, and the order in which they may touch it.
//!
//! ```text
//!    claimed - capacity          least cursor      published   staged  claimed
//!           |                         |                |         |        |
//!   --------+-------------------------+----------------+---------+--------+-->  sequence
//!           |    still safe to read, for lossy readers | written | about to
//!                                     | gating readers | ahead   | be overwritten
//! ```
//!
//! Laws  1  staged - least cursor <= capacity: what a gating reader has yet to read is not overwritten.
//!       2  published <= staged <= claimed <= least cursor + capacity.
//!       3  who sees `published` sees the words below it (release, acquire).
//!       4  who reads a word of sequence s then sees `claimed` > s (two fences), so a lossy reader that was
//!          overtaken while it read finds out.

use std::marker::PhantomData;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

use super::error::RingError;
use super::slot::Slot;
use super::sync::{Arc, AtomicBool, AtomicU64, Padded, RwLock, Thread, fence, thread};
use super::waiting::Waiting;

/// What a ring is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Values it has room for: a power of two from 1 to [`CAPACITY_MAX`](Config::CAPACITY_MAX).
    pub capacity: usize,
    /// Readers it has seats for, gating and lossy together: 1 to [`SEATS_MAX`](Config::SEATS_MAX).
    pub seats: usize,
    /// How its threads wait.
    pub waiting: Waiting,
}

impl Config {
    /// The largest capacity: 2^30 values.
    pub const CAPACITY_MAX: usize = 1 << 30;
    /// The most seats: one bit of a word each.
    pub const SEATS_MAX: usize = 64;
}

impl Default for Config {
    fn default() -> Config {
        Config { capacity: 1024, seats: 8, waiting: Waiting::default() }
    }
}

/// What producer, hub and readers hold in common.
pub(crate) struct Shared<T, const N: usize> {
    slots: Box<[Slot<N>]>,
    pub(crate) waiting: Waiting,
    /// The producer's: values below this may be read. Written at every publish.
    pub(crate) published: Padded<AtomicU64>,
    /// The producer's: values below this less the capacity may be gone. Written once every few values.
    pub(crate) claimed: Padded<AtomicU64>,
    members: Padded<Members>,
    /// One bit for each seat whose reader sleeps.
    readers_asleep: Padded<AtomicU64>,
    producer: Padded<ProducerSeat>,
    seats: Box<[Padded<Seat>]>,
    // Words cross threads, no `T` does.
    values: PhantomData<fn() -> T>,
}

/// Who is there. Changes when somebody comes or goes.
struct Members {
    /// One bit for each seat that is taken.
    taken: AtomicU64,
    /// One bit for each seat whose reader gates.
    gating: AtomicU64,
    producer_is_gone: AtomicBool,
}

/// A reader's seat.
struct Seat {
    /// A gating reader's: it needs nothing below this any more. `NOBODY` if there is none.
    cursor: AtomicU64,
    wakeable: Wakeable,
}

/// Where the producer sleeps while it waits for room.
struct ProducerSeat {
    is_asleep: AtomicBool,
    wakeable: Wakeable,
}

/// The cursor of a seat that holds nobody back.
const NOBODY: u64 = u64::MAX;

/// Which thread to wake.
struct Wakeable(RwLock<Option<Thread>>);

impl Wakeable {
    /// The present thread is the one to wake.
    fn register(&self) {
        let me = thread::current();
        let is_known = |known: &Option<Thread>| known.as_ref().is_some_and(|known| known.id() == me.id());
        if !is_known(&self.0.read().unwrap_or_else(PoisonError::into_inner)) {
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(me);
        }
    }

    /// Wakes it. Never waits itself: a lock that is held for writing means a thread that only now registers, and it
    /// looks once more before it sleeps.
    fn wake(&self) {
        if let Ok(known) = self.0.try_read()
            && let Some(thread) = known.as_ref()
        {
            thread.unpark();
        }
    }
}

impl<T, const N: usize> Shared<T, N> {
    pub(crate) fn new(config: Config) -> Result<Arc<Shared<T, N>>, RingError> {
        const { assert!(N > 0, "a value has at least one word") };
        let Config { capacity, seats, waiting } = config;
        if !capacity.is_power_of_two() || capacity > Config::CAPACITY_MAX {
            return Err(RingError::Capacity { asked: capacity });
        }
        if !(1..=Config::SEATS_MAX).contains(&seats) {
            return Err(RingError::Seats { asked: seats });
        }
        let wakeable = || Wakeable(RwLock::new(None));
        let seat = || Padded(Seat { cursor: AtomicU64::new(NOBODY), wakeable: wakeable() });
        Ok(Arc::new(Shared {
            slots: (0..capacity).map(|_| Slot::new()).collect(),
            waiting,
            published: Padded(AtomicU64::new(0)),
            claimed: Padded(AtomicU64::new(0)),
            members: Padded(Members {
                taken: AtomicU64::new(0),
                gating: AtomicU64::new(0),
                producer_is_gone: AtomicBool::new(false),
            }),
            readers_asleep: Padded(AtomicU64::new(0)),
            producer: Padded(ProducerSeat { is_asleep: AtomicBool::new(false), wakeable: wakeable() }),
            seats: (0..seats).map(|_| seat()).collect(),
            values: PhantomData,
        }))
    }

    #[inline(always)]
    pub(crate) fn capacity(&self) -> u64 {
        self.slots.len() as u64
    }

    /// The slot of a sequence.
    #[inline(always)]
    pub(crate) fn slot(&self, sequence: u64) -> &Slot<N> {
        &self.slots[sequence as usize & (self.slots.len() - 1)]
    }

    /// Asks for the memory of the slot that a reader waits for: it then comes from the producer's core beside the
    /// cursor that announces it, not after it.
    #[inline(always)]
    pub(crate) fn expect(&self, sequence: u64) {
        self.slot(sequence).prefetch();
    }

    /// The oldest sequence that a lossy reader may still find.
    #[inline(always)]
    pub(crate) fn oldest(&self) -> u64 {
        self.claimed.load(Relaxed).saturating_sub(self.capacity())
    }

    // Coming and going.

    /// Takes a seat for a lossy reader.
    pub(crate) fn take_seat(&self) -> Result<usize, RingError> {
        let taken = &self.members.taken;
        loop {
            let before = taken.load(Relaxed);
            let seat = (!before).trailing_zeros() as usize;
            if seat >= self.seats.len() {
                return Err(RingError::NoSeat { seats: self.seats.len() });
            }
            // Acquire pairs with the release in `leave`: what the last tenant did is over.
            if taken.compare_exchange(before, before | 1 << seat, Acquire, Relaxed).is_ok() {
                return Ok(seat);
            }
        }
    }

    /// Takes a seat for a gating reader. Returns the first sequence it will read.
    ///
    /// The producer works on with the limit it found when it last looked, and may not know of us yet. It
    /// fences before it looks, we fence in between: a look before our fence took its limit from what was
    /// published by then, at most `first` below; a look after it sees us. Neither lets `first` be overwritten.
    pub(crate) fn take_gating_seat(&self) -> Result<(usize, u64), RingError> {
        let seat = self.take_seat()?;
        let cursor = &self.seats[seat].cursor;
        cursor.store(self.published.load(Acquire), Relaxed);
        self.members.gating.fetch_or(1 << seat, Release);
        fence(SeqCst);
        let first = self.published.load(Acquire);
        cursor.store(first, Release);
        Ok((seat, first))
    }

    /// Gives a seat back.
    pub(crate) fn leave(&self, seat: usize) {
        let others = !(1 << seat);
        self.seats[seat].cursor.store(NOBODY, Release);
        self.members.gating.fetch_and(others, Release);
        self.readers_asleep.fetch_and(others, Relaxed);
        self.members.taken.fetch_and(others, Release);
        self.wake_producer();
    }

    pub(crate) fn has_readers(&self) -> bool {
        self.members.taken.load(Relaxed) != 0
    }

    pub(crate) fn gating_readers(&self) -> usize {
        self.members.gating.load(Relaxed).count_ones() as usize
    }

    pub(crate) fn producer_leaves(&self) {
        self.members.producer_is_gone.store(true, Release);
        self.wake_readers();
    }

    /// Is the producer gone? If so, `published` will not change any more, and is seen as it is.
    pub(crate) fn producer_is_gone(&self) -> bool {
        self.members.producer_is_gone.load(Acquire)
    }

    // Cursors.

    /// A gating reader needs nothing below `next` any more.
    #[inline(always)]
    pub(crate) fn release(&self, seat: usize, next: u64) {
        // Release pairs with acquire in `least_cursor`: the reads of what is overwritten are over.
        self.seats[seat].cursor.store(next, Release);
        self.wake_producer();
    }

    /// What the slowest gating reader needs next; `published` if there is none. Fences first.
    pub(crate) fn least_cursor(&self, published: u64) -> u64 {
        fence(SeqCst);
        let mut gating = self.members.gating.load(Acquire);
        let mut least = published;
        while gating != 0 {
            least = least.min(self.seats[gating.trailing_zeros() as usize].cursor.load(Acquire));
            gating &= gating - 1;
        }
        least
    }

    // Sleeping and waking.

    pub(crate) fn reader_lies_down(&self, seat: usize) {
        self.seats[seat].wakeable.register();
        self.readers_asleep.fetch_or(1 << seat, SeqCst);
        fence(SeqCst);
    }

    pub(crate) fn reader_gets_up(&self, seat: usize) {
        self.readers_asleep.fetch_and(!(1 << seat), Relaxed);
    }

    /// After anything a reader may wait for.
    #[inline(always)]
    pub(crate) fn wake_readers(&self) {
        if self.waiting == Waiting::Park {
            fence(SeqCst);
            if self.readers_asleep.load(Relaxed) != 0 {
                self.wake_readers_asleep();
            }
        }
    }

    #[cold]
    fn wake_readers_asleep(&self) {
        let mut asleep = self.readers_asleep.swap(0, SeqCst);
        while asleep != 0 {
            self.seats[asleep.trailing_zeros() as usize].wakeable.wake();
            asleep &= asleep - 1;
        }
    }

    pub(crate) fn producer_lies_down(&self) {
        self.producer.wakeable.register();
        self.producer.is_asleep.store(true, SeqCst);
        fence(SeqCst);
    }

    pub(crate) fn producer_gets_up(&self) {
        self.producer.is_asleep.store(false, Relaxed);
    }

    /// After anything the producer may wait for.
    #[inline(always)]
    fn wake_producer(&self) {
        if self.waiting == Waiting::Park {
            fence(SeqCst);
            if self.producer.is_asleep.load(Relaxed) {
                self.wake_producer_asleep();
            }
        }
    }

    #[cold]
    fn wake_producer_asleep(&self) {
        if self.producer.is_asleep.swap(false, SeqCst) {
            self.producer.wakeable.wake();
        }
    }
}
