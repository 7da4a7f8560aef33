//! The ring between real threads, for ThreadSanitizer and miri too: bounded in count, never in time.
#![cfg(not(loom))]

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use centum_ring::{Closed, Config, Full, LossyReader, Producer, Reader, RingError, Waiting, lane, ring, wait_any};

type Value = [u64; 16];

/// Values a stress test sends: 100,000, or `CENTUM_RING_VALUES` where each costs more.
fn count() -> u64 {
    std::env::var("CENTUM_RING_VALUES").map_or(100_000, |text| text.parse().expect("a number of values"))
}

/// All words follow from the sequence, so a mixture of two values is seen.
fn value(sequence: u64) -> Value {
    std::array::from_fn(|word| sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(word as u32) ^ sequence)
}

fn config(capacity: usize, waiting: Waiting) -> Config {
    Config { capacity, seats: 4, waiting }
}

fn send_all(mut producer: Producer<Value>) {
    for sequence in 0..count() {
        producer.wait_for_room(1);
        // Some are published by themselves, some in groups.
        producer.stage(value(sequence)).expect("there is room");
        if sequence % 7 < 4 || producer.staged() == producer.capacity() {
            producer.publish();
        }
    }
    producer.publish();
}

fn read_all(mut reader: Reader<Value>) {
    let mut next = 0;
    while let Ok(count) = reader.wait() {
        assert!(count > 0);
        // Leave some behind now and then.
        let at_most = if next % 3 == 0 { count.div_ceil(2) } else { count };
        for read in reader.batch().take(at_most) {
            assert_eq!(read, value(next));
            next += 1;
        }
    }
    assert_eq!(next, count());
    assert_eq!(reader.wait(), Err(Closed));
}

/// Returns how many it saw.
fn watch_all(mut reader: LossyReader<Value>) -> u64 {
    let (mut next, mut seen) = (0, 0);
    while reader.wait().is_ok() {
        for read in reader.batch() {
            match read {
                Ok(read) => {
                    assert_eq!(read, value(next), "whole, and in order");
                    next += 1;
                    seen += 1;
                }
                Err(missed) => {
                    assert_eq!(missed.from, next);
                    assert!(missed.to > next);
                    next = missed.to;
                }
            }
        }
    }
    assert_eq!(next, count(), "seen or missed, every value is accounted for");
    seen
}

fn stress(waiting: Waiting, capacity: usize, readers: usize) {
    let (producer, hub) = ring::<Value, 16>(config(capacity, waiting)).unwrap();
    let readers: Vec<_> = (0..readers).map(|_| hub.reader().unwrap()).collect();
    let lossy = hub.lossy_reader().unwrap();
    thread::scope(|scope| {
        for reader in readers {
            scope.spawn(|| read_all(reader));
        }
        scope.spawn(|| watch_all(lossy));
        scope.spawn(|| send_all(producer));
    });
}

#[test]
fn parked_threads_lose_nothing() {
    for capacity in [1, 2, 64] {
        stress(Waiting::Park, capacity, 2);
    }
}

#[test]
fn yielding_threads_lose_nothing() {
    for capacity in [2, 64] {
        stress(Waiting::Yield, capacity, 2);
    }
}

/// With nobody to wait for, the producer runs as fast as it can; a lossy reader is overtaken, and knows.
#[test]
fn a_lossy_reader_that_is_overtaken_accounts_for_every_value() {
    let (producer, hub) = ring::<Value, 16>(config(8, Waiting::Yield)).unwrap();
    let lossy = hub.lossy_reader().unwrap();
    let seen = thread::scope(|scope| {
        let watcher = scope.spawn(|| watch_all(lossy));
        send_all(producer);
        watcher.join().unwrap()
    });
    assert!(seen > 0, "the last ones are there when the producer has gone");
}

/// A producer stopped between stage and publish, for as long as one likes, holds up nobody but those who read its lane.
#[test]
fn a_producer_that_is_stopped_holds_up_no_other_lane() {
    for waiting in [Waiting::Yield, Waiting::Park] {
        let (mut stopped, from_stopped) = lane::<Value, 16>(config(8, waiting)).unwrap();
        let (running, from_running) = lane::<Value, 16>(config(8, waiting)).unwrap();
        let mut lanes = vec![(from_stopped, 0), (from_running, 0)];
        let (go_on, wait_to_go_on) = mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                stopped.stage(value(0)).unwrap();
                wait_to_go_on.recv().unwrap(); // stopped here, its value written and not published
                stopped.publish();
            });
            scope.spawn(|| send_all(running));
            let mut ends = Vec::new();
            while lanes.len() == 2 {
                assert!(wait_any(lanes.iter().map(|(lane, _)| lane), None));
                for (lane, next) in &mut lanes {
                    for read in lane.batch() {
                        assert_eq!(read, value(*next));
                        *next += 1;
                    }
                }
                ends.extend(lanes.extract_if(.., |(lane, _)| lane.is_closed()).map(|(_, next)| next));
            }
            assert_eq!(ends, [count()], "all of the running lane arrived…");
            assert_eq!(lanes[0].1, 0, "…and nothing of the stopped one");
            go_on.send(()).unwrap();
            assert_eq!(lanes[0].0.wait(), Ok(1));
            assert_eq!(lanes[0].0.try_read(), Some(value(0)));
        });
    }
}

#[test]
fn readers_come_and_go_while_the_producer_runs() {
    for waiting in [Waiting::Yield, Waiting::Park] {
        let (mut producer, hub) = ring::<Value, 16>(config(8, waiting)).unwrap();
        thread::scope(|scope| {
            for _ in 0..2 {
                let hub = hub.clone();
                scope.spawn(move || {
                    for visit in 0..count() / 50 {
                        let mut reader = hub.reader().unwrap();
                        let mut next = reader.next_sequence();
                        for _ in 0..visit % 5 {
                            let Ok(_) = reader.wait() else { return };
                            for read in reader.batch().take(3) {
                                assert_eq!(read, value(next));
                                next += 1;
                            }
                        }
                    }
                });
            }
            scope.spawn(move || {
                for sequence in 0..count() {
                    producer.wait_for_room(1);
                    producer.try_push(value(sequence)).unwrap();
                }
            });
        });
    }
}

#[test]
fn a_refused_value_comes_back_and_a_reader_that_leaves_frees_the_producer() {
    let (mut producer, reader) = lane::<Value, 16>(config(2, Waiting::Park)).unwrap();
    producer.try_push(value(0)).unwrap();
    producer.try_push(value(1)).unwrap();
    assert_eq!(producer.try_push(value(2)), Err(Full(value(2))));
    let leaver = thread::spawn(move || drop(reader));
    producer.wait_for_room(1);
    producer.try_push(value(2)).unwrap();
    leaver.join().unwrap();
    assert!(!producer.has_readers());
}

/// A reader whose thread panics leaves like any other.
#[test]
fn a_reader_that_panics_frees_the_producer() {
    let (mut producer, mut reader) = lane::<Value, 16>(config(1, Waiting::Park)).unwrap();
    producer.try_push(value(0)).unwrap();
    let reading = thread::spawn(move || {
        let batch = reader.batch();
        assert_ne!(batch.len(), 1, "on purpose");
    });
    assert!(reading.join().is_err());
    assert_eq!(producer.gating_readers(), 0);
    producer.wait_for_room(1);
}

/// A batch is released when it is dropped, not before: what is read may be made durable first.
#[test]
fn a_batch_is_released_as_a_whole() {
    let (mut producer, mut reader) = lane::<Value, 16>(config(4, Waiting::Spin)).unwrap();
    (0..4).for_each(|sequence| producer.try_push(value(sequence)).unwrap());
    let mut batch = reader.batch();
    assert_eq!(batch.len(), 4);
    assert_eq!(batch.by_ref().take(3).count(), 3);
    assert_eq!(producer.free(), 0);
    drop(batch);
    assert_eq!(producer.free(), 3);
    assert_eq!(reader.batch().collect::<Vec<_>>(), [value(3)]);
}

#[test]
fn waiting_for_any_ends_when_the_time_is_up() {
    let none: [&Reader<Value>; 0] = [];
    assert!(!wait_any(none, None), "nothing to wait for");
    assert!(!wait_any(none, Some(Duration::from_millis(1))));
    for waiting in [Waiting::Spin, Waiting::Yield, Waiting::Park] {
        let (producer, reader) = lane::<Value, 16>(config(1, waiting)).unwrap();
        assert!(!wait_any([&reader], Some(Duration::from_millis(1))));
        drop(producer);
        assert!(wait_any([&reader], None), "its producer is gone: there is nothing to wait for any more");
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let make = |capacity, seats| ring::<Value, 16>(Config { capacity, seats, waiting: Waiting::Park }).map(|_| ());
    for capacity in [1, 2, 1024] {
        assert_eq!(make(capacity, 1), Ok(()));
    }
    for asked in [0, 3, 1023, 1025, (1 << 30) + 1, 1 << 31, usize::MAX] {
        assert_eq!(make(asked, 1), Err(RingError::Capacity { asked }));
    }
    assert_eq!(make(1, 64), Ok(()));
    for asked in [0, 65] {
        assert_eq!(make(1, asked), Err(RingError::Seats { asked }));
    }
    let (_producer, hub) = ring::<Value, 16>(Config { capacity: 1, seats: 1, waiting: Waiting::Park }).unwrap();
    let reader = hub.reader().unwrap();
    assert_eq!(hub.lossy_reader().unwrap_err(), RingError::NoSeat { seats: 1 });
    drop(reader);
    assert!(hub.lossy_reader().is_ok());
}

#[test]
#[should_panic(expected = "readers make room for what they may read only")]
fn room_that_never_comes_is_not_waited_for() {
    let (mut producer, _reader) = lane::<Value, 16>(config(2, Waiting::Park)).unwrap();
    producer.stage(value(0)).unwrap();
    producer.wait_for_room(2);
}

#[test]
#[should_panic(expected = "only what is staged can be published")]
fn what_is_not_staged_cannot_be_published() {
    let (mut producer, _reader) = lane::<Value, 16>(config(2, Waiting::Park)).unwrap();
    producer.publish_to(1);
}

/// Commands and events are runs of words: they travel as they are.
#[test]
fn records_travel() {
    use contract::command::Amount;
    use contract::{AccountId, Action, Command, Event, Xbt};
    let (mut commands, mut engine) = lane::<Command, 16>(Config::default()).unwrap();
    let command = Command::new(AccountId(4), Action::Deposit(Amount { amount: Xbt(100) })).stamped(1, 2);
    commands.try_push(command).unwrap();
    assert_eq!(engine.try_read(), Some(command));
    let (mut events, mut journal) = lane::<Event, 16>(Config::default()).unwrap();
    let event = Event::from_words(std::array::from_fn(|word| word as u64));
    events.try_push(event).unwrap();
    assert_eq!(journal.try_read(), Some(event));
}
