//! The ring against its obvious twin: a list that forgets nothing, and a cursor a reader. Random sequences of all that
//! can be done, in one thread, where each answer is certain.
#![cfg(not(loom))]

use centum_ring::{Config, Full, Hub, LossyReader, Missed, Producer, Reader, RingError, Waiting, ring};
use proptest::prelude::*;

type Value = [u64; 3];

const SEATS: usize = 3;

fn value(sequence: u64) -> Value {
    [sequence, !sequence, sequence << 1]
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Push,
    Stage,
    Publish,
    PublishSome(usize),
    Attach { is_gating: bool },
    Leave(usize),
    Read { reader: usize, at_most: usize },
    ReadOne(usize),
    AskForRoom(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => Just(Step::Push),
        6 => Just(Step::Stage),
        2 => Just(Step::Publish),
        2 => (0usize..8).prop_map(Step::PublishSome),
        2 => any::<bool>().prop_map(|is_gating| Step::Attach { is_gating }),
        1 => (0..SEATS).prop_map(Step::Leave),
        4 => (0..SEATS, 0usize..40).prop_map(|(reader, at_most)| Step::Read { reader, at_most }),
        4 => (0..SEATS).prop_map(Step::ReadOne),
        2 => (0usize..40).prop_map(Step::AskForRoom),
    ]
}

enum Ours {
    Gating(Reader<Value, 3>),
    Lossy(LossyReader<Value, 3>),
}

/// Both at once: the ring, and what must be true of it.
struct Pair {
    producer: Producer<Value, 3>,
    hub: Hub<Value, 3>,
    /// Each reader with the sequence it reads next.
    readers: Vec<(Ours, u64)>,
    capacity: u64,
    staged: u64,
    published: u64,
}

impl Pair {
    fn new(capacity: usize) -> Pair {
        let (producer, hub) = ring(Config { capacity, seats: SEATS, waiting: Waiting::Yield }).unwrap();
        Pair { producer, hub, readers: Vec::new(), capacity: capacity as u64, staged: 0, published: 0 }
    }

    fn gating(&self) -> impl Iterator<Item = u64> + '_ {
        self.readers.iter().filter(|(ours, _)| matches!(ours, Ours::Gating(_))).map(|(_, next)| *next)
    }

    fn free(&self) -> u64 {
        self.gating().min().unwrap_or(self.published) + self.capacity - self.staged
    }

    /// Values that may be gone and values that must be: the producer says up to an eighth of the ring beforehand.
    fn is_lost(&self, sequence: u64) -> (bool, bool) {
        let ahead = (self.capacity / 8).clamp(1, 64);
        (sequence + self.capacity < self.staged + ahead, sequence + self.capacity < self.staged)
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Push | Step::Stage => {
                let is_push = matches!(step, Step::Push);
                let next = value(self.staged);
                let is_refused = self.free() == 0;
                let answer = if is_push { self.producer.try_push(next) } else { self.producer.stage(next) };
                assert_eq!(answer, if is_refused { Err(Full(next)) } else { Ok(()) });
                if !is_refused {
                    self.staged += 1;
                    self.published = if is_push { self.staged } else { self.published };
                }
            }
            Step::Publish => {
                self.producer.publish();
                self.published = self.staged;
            }
            Step::PublishSome(count) => {
                let to = self.staged.min(self.published + count as u64);
                self.producer.publish_to(to);
                self.published = to;
            }
            Step::Attach { is_gating } => {
                let seat = if is_gating {
                    self.hub.reader().map(Ours::Gating)
                } else {
                    self.hub.lossy_reader().map(Ours::Lossy)
                };
                match seat {
                    Ok(ours) => self.readers.push((ours, self.published)),
                    Err(error) => assert_eq!(error, RingError::NoSeat { seats: SEATS }),
                }
                assert!(self.readers.len() <= SEATS);
            }
            Step::Leave(reader) => {
                if reader < self.readers.len() {
                    self.readers.swap_remove(reader);
                }
            }
            Step::Read { reader, at_most } => {
                let Some(at) = (reader < self.readers.len()).then_some(reader) else { return };
                match &mut self.readers[at] {
                    (Ours::Gating(ours), next) => {
                        let batch: Vec<_> = ours.batch().take(at_most).collect();
                        let end = self.published.min(*next + at_most as u64);
                        assert_eq!(batch, (*next..end).map(value).collect::<Vec<_>>());
                        *next = end;
                    }
                    (Ours::Lossy(ours), _) => {
                        let answers: Vec<_> = ours.batch().take(at_most).collect();
                        answers.into_iter().for_each(|answer| self.lossy_answer(at, answer));
                    }
                }
            }
            Step::ReadOne(reader) => {
                let Some(at) = (reader < self.readers.len()).then_some(reader) else { return };
                let published = self.published;
                match &mut self.readers[at] {
                    (Ours::Gating(ours), next) => {
                        assert_eq!(ours.try_read(), (*next < published).then(|| value(*next)));
                        *next = published.min(*next + 1);
                    }
                    (Ours::Lossy(ours), next) => match ours.try_read() {
                        Some(answer) => self.lossy_answer(at, answer),
                        None => assert_eq!(*next, published, "there is something to read"),
                    },
                }
            }
            Step::AskForRoom(values) => {
                assert_eq!(self.producer.has_room(values), self.free() >= values as u64);
                assert_eq!(self.producer.free() as u64, self.free());
                assert_eq!(self.producer.used() as u64, self.capacity - self.free());
            }
        }
        assert_eq!(self.producer.next_sequence(), self.staged);
        assert_eq!(self.producer.staged() as u64, self.staged - self.published);
        assert_eq!(self.producer.gating_readers(), self.gating().count());
        assert_eq!(self.producer.has_readers(), !self.readers.is_empty());
        for (ours, next) in &self.readers {
            let (lag, sequence, is_closed) = match ours {
                Ours::Gating(ours) => (ours.lag(), ours.next_sequence(), ours.is_closed()),
                Ours::Lossy(ours) => (ours.lag(), ours.next_sequence(), ours.is_closed()),
            };
            assert_eq!((lag as u64, sequence, is_closed), (self.published - next, *next, false));
        }
    }

    fn lossy_answer(&mut self, at: usize, answer: Result<Value, Missed>) {
        let next = self.readers[at].1;
        self.readers[at].1 = match answer {
            Ok(ours) => {
                assert_eq!(ours, value(next));
                assert!(!self.is_lost(next).1, "{next} was overwritten");
                next + 1
            }
            Err(missed) => {
                assert_eq!(missed.from, next);
                assert!(missed.count() > 0 && missed.to <= self.published);
                assert!(self.is_lost(missed.to - 1).0, "{} was still safe", missed.to - 1);
                assert!(!self.is_lost(missed.to).1, "{} is not", missed.to);
                missed.to
            }
        };
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 512 }, failure_persistence: None, ..ProptestConfig::default() })]

    /// Each reader gets each value once, in order, or is told what it missed; full is full, and a refused value
    /// comes back; what is staged nobody sees.
    #[test]
    fn the_ring_does_what_its_twin_does(
        log2 in 0usize..=5,
        steps in proptest::collection::vec(step(), 1..if cfg!(miri) { 60 } else { 400 }),
    ) {
        let mut pair = Pair::new(1 << log2);
        for step in steps {
            pair.step(step);
        }
        // The producer goes: what is published is read, what is only staged is lost, then all are closed.
        let Pair { producer, mut readers, published, .. } = pair;
        drop(producer);
        for (ours, next) in &mut readers {
            match ours {
                Ours::Gating(ours) => {
                    prop_assert_eq!(ours.is_closed(), *next == published);
                    prop_assert_eq!(ours.batch().collect::<Vec<_>>(), (*next..published).map(value).collect::<Vec<_>>());
                    prop_assert!(ours.is_closed() && ours.wait().is_err());
                }
                Ours::Lossy(ours) => {
                    let seen: u64 = ours.batch().map(|it| it.map_or_else(Missed::count, |_| 1)).sum();
                    prop_assert_eq!(seen, published - *next);
                    prop_assert!(ours.is_closed() && ours.wait().is_err());
                }
            }
        }
    }
}
