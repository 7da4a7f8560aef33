//! Models of the ring: loom runs each in every order that the memory model allows, up to a bound on preemptions.
//!
//!     RUSTFLAGS="--cfg loom" cargo test -p centum-ring --test loom --target-dir target/loom
//!
//! A sleeper nobody wakes is a deadlock, which loom reports; so the models that park are also about lost wake-ups.
#![cfg(loom)]

use centum_ring::{Closed, Config, Full, Hub, Missed, Producer, Reader, Waiting, lane, ring, wait_any};
use loom::thread;

type Value = [u64; 2];

fn value(sequence: u64) -> Value {
    [sequence, !sequence]
}

fn config(capacity: usize, waiting: Waiting) -> Config {
    Config { capacity, seats: 2, waiting }
}

fn model(preemptions: usize, check: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(check);
}

fn pair(capacity: usize, waiting: Waiting) -> (Producer<Value, 2>, Hub<Value, 2>) {
    ring(config(capacity, waiting)).unwrap()
}

fn push_all(producer: &mut Producer<Value, 2>, sequences: std::ops::Range<u64>) {
    for sequence in sequences {
        while let Err(Full(back)) = producer.try_push(value(sequence)) {
            assert_eq!(back, value(sequence));
            thread::yield_now();
        }
    }
}

fn read_until(reader: &mut Reader<Value, 2>, mut next: u64, end: u64) {
    while next < end {
        let before = next;
        for read in reader.batch() {
            assert_eq!(read, value(next));
            next += 1;
        }
        if next == before {
            thread::yield_now();
        }
    }
}

/// Twice round a ring of two: a value is written over only when it has been read.
#[test]
fn wrap_around_and_full() {
    model(3, || {
        let (mut producer, mut reader) = lane(config(2, Waiting::Spin)).unwrap();
        let writer = thread::spawn(move || push_all(&mut producer, 0..5));
        read_until(&mut reader, 0, 5);
        writer.join().unwrap();
        assert!(reader.is_closed());
    });
}

/// The slower of two readers is the one that counts.
#[test]
fn two_readers_gate() {
    model(2, || {
        let (mut producer, hub) = pair(1, Waiting::Park);
        for mut reader in [hub.reader().unwrap(), hub.reader().unwrap()] {
            thread::spawn(move || {
                let mut next = 0;
                while reader.wait().is_ok() {
                    assert_eq!(reader.try_read(), Some(value(next)));
                    next += 1;
                }
                assert_eq!(next, 2);
            });
        }
        for sequence in 0..2 {
            producer.wait_for_room(1);
            producer.try_push(value(sequence)).unwrap();
        }
    });
}

/// What is staged is seen when it is published, in parts if need be.
#[test]
fn staged_is_not_published() {
    model(3, || {
        let (mut producer, mut reader) = lane(config(4, Waiting::Spin)).unwrap();
        let writer = thread::spawn(move || {
            for sequence in 0..3 {
                producer.stage(value(sequence)).unwrap();
            }
            producer.publish_to(2);
        });
        let mut next = 0;
        for _ in 0..2 {
            for read in reader.batch() {
                assert_eq!(read, value(next));
                next += 1;
            }
            assert!(next == 0 || next == 2, "both or none");
        }
        writer.join().unwrap();
        next += reader.batch().count() as u64;
        assert_eq!(next, 2, "the third was never published");
    });
}

/// A reader that leaves while the producer finds the ring full.
#[test]
fn a_reader_leaves() {
    model(3, || {
        let (mut producer, mut reader) = lane(config(1, Waiting::Spin)).unwrap();
        let leaver = thread::spawn(move || {
            if let Some(read) = reader.try_read() {
                assert_eq!(read, value(0));
            }
        });
        push_all(&mut producer, 0..3);
        leaver.join().unwrap();
        assert!(!producer.has_readers());
    });
}

/// The same with a producer that sleeps.
#[test]
fn a_reader_leaves_and_the_producer_wakes() {
    model(3, || {
        let (mut producer, reader) = lane(config(1, Waiting::Park)).unwrap();
        producer.try_push(value(0)).unwrap();
        let leaver = thread::spawn(move || drop(reader));
        producer.wait_for_room(1);
        producer.try_push(value(1)).unwrap();
        leaver.join().unwrap();
    });
}

/// A lossy reader overtaken in the middle of a value: what it returns is whole and in order, what it missed it knows.
#[test]
fn a_lossy_reader_is_overtaken() {
    model(3, || {
        let (mut producer, hub) = pair(2, Waiting::Spin);
        let mut lossy = hub.lossy_reader().unwrap();
        let writer = thread::spawn(move || {
            for sequence in 0..4 {
                producer.try_push(value(sequence)).unwrap();
            }
        });
        let mut next = 0;
        for _ in 0..4 {
            match lossy.try_read() {
                Some(Ok(read)) => {
                    assert_eq!(read, value(next));
                    next += 1;
                }
                Some(Err(Missed { from, to })) => {
                    assert!(from == next && to > from && to <= 4);
                    next = to;
                }
                None => {}
            }
        }
        writer.join().unwrap();
        for read in lossy.batch() {
            next = read.map_or_else(|missed| missed.to, |read| read[0] + 1);
        }
        assert_eq!(next, 4);
        assert!(lossy.is_closed());
    });
}

/// Both ends sleep: the reader for values, the producer for room. Nobody sleeps for ever.
#[test]
fn no_wake_up_is_lost() {
    model(3, || {
        let (mut producer, mut reader) = lane(config(1, Waiting::Park)).unwrap();
        let writer = thread::spawn(move || {
            for sequence in 0..2 {
                producer.wait_for_room(1);
                producer.try_push(value(sequence)).unwrap();
            }
        });
        let mut next = 0;
        while let Ok(count) = reader.wait() {
            assert_eq!(count, 1);
            assert_eq!(reader.try_read(), Some(value(next)));
            next += 1;
        }
        assert_eq!(next, 2);
        writer.join().unwrap();
    });
}

/// One thread sleeps for two lanes, and is woken by either.
#[test]
fn one_sleeper_two_lanes() {
    model(2, || {
        let (mut from_a, a) = lane::<Value, 2>(config(1, Waiting::Park)).unwrap();
        let (mut from_b, b) = lane::<Value, 2>(config(1, Waiting::Park)).unwrap();
        let mut lanes = vec![a, b];
        let writers = [
            thread::spawn(move || from_a.try_push(value(0)).unwrap()),
            thread::spawn(move || from_b.try_push(value(0)).unwrap()),
        ];
        let sleeper = thread::spawn(move || {
            let mut seen = 0;
            while seen < 2 {
                assert!(wait_any(&lanes, None));
                seen += lanes.iter_mut().map(|lane| lane.batch().count()).sum::<usize>();
                lanes.retain(|lane| !lane.is_closed());
            }
        });
        for thread in writers.into_iter().chain([sleeper]) {
            thread.join().unwrap();
        }
    });
}

/// A lossy reader that sleeps is woken by a value, and by the end.
#[test]
fn a_lossy_sleeper_is_woken() {
    model(3, || {
        let (mut producer, hub) = pair(2, Waiting::Park);
        let mut lossy = hub.lossy_reader().unwrap();
        let writer = thread::spawn(move || producer.try_push(value(0)).unwrap());
        assert_eq!(lossy.wait(), Ok(()));
        assert_eq!(lossy.try_read(), Some(Ok(value(0))));
        assert_eq!(lossy.wait(), Err(Closed));
        writer.join().unwrap();
    });
}

/// A reader joins while the producer is at full speed: from its first value on it misses none.
#[test]
fn a_reader_joins() {
    model(3, || {
        let (mut producer, hub) = pair(1, Waiting::Spin);
        let joiner = thread::spawn(move || {
            let mut reader = hub.reader().unwrap();
            let mut next = reader.next_sequence();
            for _ in 0..2 {
                for read in reader.batch() {
                    assert_eq!(read, value(next));
                    next += 1;
                }
            }
        });
        push_all(&mut producer, 0..3);
        joiner.join().unwrap();
    });
}

/// One reader takes the seat that another leaves.
#[test]
fn a_seat_changes_hands() {
    model(3, || {
        let (mut producer, hub) = ring::<Value, 2>(Config { capacity: 1, seats: 1, waiting: Waiting::Spin }).unwrap();
        let first = hub.reader().unwrap();
        let joiner = thread::spawn(move || {
            drop(first);
            let mut reader = hub.reader().unwrap();
            let next = reader.next_sequence();
            if let Some(read) = reader.try_read() {
                assert_eq!(read, value(next));
            }
        });
        push_all(&mut producer, 0..3);
        joiner.join().unwrap();
    });
}

/// The last value and the end come together: the reader gets the one before the other.
#[test]
fn the_end_comes_last() {
    model(3, || {
        let (mut producer, mut reader) = lane(config(2, Waiting::Spin)).unwrap();
        let writer = thread::spawn(move || {
            producer.try_push(value(0)).unwrap();
        });
        let mut seen = 0;
        while reader.wait() != Err(Closed) {
            seen += reader.batch().count();
        }
        assert_eq!(seen, 1);
        writer.join().unwrap();
    });
}
