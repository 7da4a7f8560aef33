//! Ways to hand a record to another thread, behind one pair of traits.

use std::array;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crossbeam_queue::ArrayQueue;
use crossbeam_utils::CachePadded;
use disruptor::{BusySpin, EventPoller, MultiProducer, MultiProducerBarrier, Producer as _, SingleConsumerBarrier};

use super::twin;

/// What travels: 128 bytes.
pub type Record = [u64; 16];

const CAPACITY: usize = 1024;

/// A way to hand over records.
pub trait Contender {
    type Sender: Sender + 'static;
    type Receiver: Receiver + 'static;
    /// Does what is sent arrive, or only that something was?
    const HAS_PAYLOAD: bool = true;
    fn open() -> (Self::Sender, Self::Receiver);
    /// For two writers: a lane each, unless both may write into one.
    fn open_for_two() -> ([Self::Sender; 2], Vec<Self::Receiver>) {
        let ((a, from_a), (b, from_b)) = (Self::open(), Self::open());
        ([a, b], vec![from_a, from_b])
    }
}

pub trait Sender: Send {
    fn try_send(&mut self, value: &Record) -> bool;
}

pub trait Receiver: Send {
    fn try_receive(&mut self) -> Option<Record>;
    /// Takes all there is.
    fn drain(&mut self, mut take: impl FnMut(Record)) {
        while let Some(value) = self.try_receive() {
            take(value);
        }
    }
}

/// A counter each way: what the machine needs to hand over one cache line.
pub struct Cursors;

pub struct Counter {
    shared: Arc<CachePadded<AtomicU64>>,
    count: u64,
}

impl Contender for Cursors {
    type Sender = Counter;
    type Receiver = Counter;
    const HAS_PAYLOAD: bool = false;
    fn open() -> (Counter, Counter) {
        let shared = Arc::new(CachePadded::new(AtomicU64::new(0)));
        (Counter { shared: Arc::clone(&shared), count: 0 }, Counter { shared, count: 0 })
    }
}

impl Sender for Counter {
    #[inline(always)]
    fn try_send(&mut self, _: &Record) -> bool {
        self.count += 1;
        self.shared.store(self.count, Release);
        true
    }
}

impl Receiver for Counter {
    #[inline(always)]
    fn try_receive(&mut self) -> Option<Record> {
        (self.shared.load(Acquire) != self.count).then(|| {
            self.count += 1;
            [u64::MAX; 16]
        })
    }
}

/// One slot of sixteen words and a counter: the least that hands over a record, from one producer to one reader. It
/// does not know when it is full; one record is under way at a time.
pub struct Bare;

#[derive(Default)]
struct BareSlot {
    count: CachePadded<AtomicU64>,
    words: CachePadded<[AtomicU64; 16]>,
}

pub struct BareEnd {
    shared: Arc<BareSlot>,
    count: u64,
}

impl Contender for Bare {
    type Sender = BareEnd;
    type Receiver = BareEnd;
    fn open() -> (BareEnd, BareEnd) {
        let shared = Arc::new(BareSlot::default());
        (BareEnd { shared: Arc::clone(&shared), count: 0 }, BareEnd { shared, count: 0 })
    }
}

impl Sender for BareEnd {
    #[inline(always)]
    fn try_send(&mut self, value: &Record) -> bool {
        for (atom, word) in self.shared.words.iter().zip(value) {
            atom.store(*word, Relaxed);
        }
        self.count += 1;
        self.shared.count.store(self.count, Release);
        true
    }
}

impl Receiver for BareEnd {
    #[inline(always)]
    fn try_receive(&mut self) -> Option<Record> {
        (self.shared.count.load(Acquire) != self.count).then(|| {
            self.count += 1;
            array::from_fn(|i| self.shared.words[i].load(Relaxed))
        })
    }
}

/// Our ring, or its unsafe twin.
macro_rules! ring {
    ($(#[$meta:meta])* $name:ident, $krate:path, $waiting:ident) => {
        $(#[$meta])*
        pub struct $name;

        const _: () = {
            use $krate as krate;

            pub struct Writer(krate::Producer<Record>);
            pub struct Read(krate::Reader<Record>);

            impl Contender for $name {
                type Sender = Writer;
                type Receiver = Read;
                fn open() -> (Writer, Read) {
                    let config = krate::Config { capacity: CAPACITY, seats: 1, waiting: krate::Waiting::$waiting };
                    let (producer, reader) = krate::lane(config).expect("the ring can be made");
                    (Writer(producer), Read(reader))
                }
            }

            impl Sender for Writer {
                #[inline(always)]
                fn try_send(&mut self, value: &Record) -> bool {
                    self.0.try_push(*value).is_ok()
                }
            }

            impl Receiver for Read {
                #[inline(always)]
                fn try_receive(&mut self) -> Option<Record> {
                    self.0.try_read()
                }
                #[inline(always)]
                fn drain(&mut self, take: impl FnMut(Record)) {
                    self.0.batch().for_each(take);
                }
            }
        };
    };
}
ring! { /// Our ring, its threads spinning.
Ring, ::ring, Spin }
ring! { /// Our ring as it is where readers may park: each publish and each release fences.
RingParked, ::ring, Park }
ring! { /// The same with plain memory for slots.
Unsafe, twin, Spin }

/// crossbeam's queue.
pub struct Crossbeam;

pub struct Queue(Arc<ArrayQueue<Record>>);

impl Contender for Crossbeam {
    type Sender = Queue;
    type Receiver = Queue;
    fn open() -> (Queue, Queue) {
        let queue = Arc::new(ArrayQueue::new(CAPACITY));
        (Queue(Arc::clone(&queue)), Queue(queue))
    }
    fn open_for_two() -> ([Queue; 2], Vec<Queue>) {
        let queue = Arc::new(ArrayQueue::new(CAPACITY));
        (array::from_fn(|_| Queue(Arc::clone(&queue))), vec![Queue(queue)])
    }
}

impl Sender for Queue {
    #[inline(always)]
    fn try_send(&mut self, value: &Record) -> bool {
        self.0.push(*value).is_ok()
    }
}

impl Receiver for Queue {
    #[inline(always)]
    fn try_receive(&mut self) -> Option<Record> {
        self.0.pop()
    }
}

/// The disruptor crate's ring for many producers, polled.
pub struct Disruptor;

/// A slot of two cache lines, as ours is.
#[repr(align(64))]
pub struct Payload(Record);

pub struct Many(MultiProducer<Payload, SingleConsumerBarrier>);
pub struct Poller(EventPoller<Payload, MultiProducerBarrier>);

impl Contender for Disruptor {
    type Sender = Many;
    type Receiver = Poller;
    fn open() -> (Many, Poller) {
        let builder = disruptor::build_multi_producer(CAPACITY, || Payload([0; 16]), BusySpin);
        let (poller, builder) = builder.new_event_poller();
        (Many(builder.build()), Poller(poller))
    }
    fn open_for_two() -> ([Many; 2], Vec<Poller>) {
        let (Many(producer), poller) = Disruptor::open();
        ([Many(producer.clone()), Many(producer)], vec![poller])
    }
}

impl Sender for Many {
    #[inline(always)]
    fn try_send(&mut self, value: &Record) -> bool {
        self.0.try_publish(|slot| slot.0 = *value).is_ok()
    }
}

impl Receiver for Poller {
    #[inline(always)]
    fn try_receive(&mut self) -> Option<Record> {
        let mut events = self.0.take(1).ok()?;
        (&mut events).next().map(|slot| slot.0)
    }
    #[inline(always)]
    fn drain(&mut self, mut take: impl FnMut(Record)) {
        if let Ok(mut events) = self.0.poll() {
            for slot in &mut events {
                take(slot.0);
            }
        }
    }
}
