//! Question  What does it cost to hand a record (128 bytes) to another thread: in our ring, in the same ring with
//!           unsafe slots, in crossbeam's `ArrayQueue`, in the `disruptor` crate's ring for many producers?
//! Workload  there and back over two rings, one record under way; one thread that writes and reads 16 at a time; one
//!           writer and one reader at full speed; two writers and one reader at full speed.
//! Method    rounds in which each contender runs once, the first one another each time. A run's figure is its median
//!           (and p99) or its mean; the table has the median of the rounds, and the median of the ratios within a round.
//!           Rings of 1,024. All wait by looking again with a spin hint; the three threads of the last table, of which
//!           two cores can run two, let each other run instead. Times include one reading of the clock a trip.
//! Check     every record arrives once, in its producer's order, whole: sums over all words agree.
#![allow(missing_docs)]
// Nanoseconds and ratios, for people to read.
#![allow(clippy::float_arithmetic)]

mod contenders;
mod twin;

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use contenders::{Bare, Contender, Crossbeam, Cursors, Disruptor, Receiver, Record, Ring, RingParked, Sender, Unsafe};

/// What one run of one contender gave, in nanoseconds: the figure, and beside it p99 where there is one.
#[derive(Clone, Copy)]
struct Run {
    figure: f64,
    p99: f64,
}

type Measure = fn(&Size) -> Run;

struct Size {
    rounds: usize,
    trips: usize,
    values: u64,
}

fn main() {
    let is_toy = centum_benches::is_toy();
    let size = if is_toy {
        Size { rounds: 2, trips: 500, values: 5_000 }
    } else {
        Size { rounds: 21, trips: 20_000, values: 400_000 }
    };
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let table = |name: &str, what: &str, reference: usize, contenders: &[(&str, Measure)]| {
        if wanted.is_empty() || wanted.iter().any(|it| name.contains(it.as_str())) {
            print(name, what, reference, contenders, &size);
        }
    };
    table(
        "there and back",
        "ns a round trip",
        1,
        &[
            ("two counters, no payload", there_and_back::<Cursors>),
            ("bare slot, 128 bytes", there_and_back::<Bare>),
            ("ring", there_and_back::<Ring>),
            ("ring, readers may park", there_and_back::<RingParked>),
            ("unsafe twin", there_and_back::<Unsafe>),
            ("ArrayQueue", there_and_back::<Crossbeam>),
            ("disruptor, many producers", there_and_back::<Disruptor>),
        ],
    );
    table(
        "one thread",
        "ns a value, written and read, 16 at a time",
        2,
        &[
            ("ring", one_thread::<Ring>),
            ("ring, readers may park", one_thread::<RingParked>),
            ("unsafe twin", one_thread::<Unsafe>),
            ("ArrayQueue", one_thread::<Crossbeam>),
            ("disruptor, many producers", one_thread::<Disruptor>),
        ],
    );
    table(
        "one writer, one reader",
        "ns a value",
        2,
        &[
            ("ring", one_writer::<Ring>),
            ("ring, readers may park", one_writer::<RingParked>),
            ("unsafe twin", one_writer::<Unsafe>),
            ("ArrayQueue", one_writer::<Crossbeam>),
            ("disruptor, many producers", one_writer::<Disruptor>),
        ],
    );
    table(
        "two writers, one reader",
        "ns a value",
        1,
        &[
            ("rings, a lane each", two_writers::<Ring>),
            ("unsafe twin, a lane each", two_writers::<Unsafe>),
            ("ArrayQueue", two_writers::<Crossbeam>),
            ("disruptor, many producers", two_writers::<Disruptor>),
        ],
    );
}

/// Runs all contenders in rounds and prints a table.
fn print(name: &str, what: &str, reference: usize, contenders: &[(&str, Measure)], size: &Size) {
    let mut runs = vec![Vec::new(); contenders.len()];
    for round in 0..size.rounds {
        for i in 0..contenders.len() {
            let at = (round + i) % contenders.len();
            runs[at].push((contenders[at].1)(size));
        }
    }
    let median = |mut of: Vec<f64>| -> f64 {
        of.sort_by(f64::total_cmp);
        of[of.len() / 2]
    };
    println!("\n{name}: {what}, medians of {} rounds", size.rounds);
    println!("{:<28} {:>9} {:>9} {:>18}", "", "", "p99", "to");
    println!("{:<28} {:>9} {:>9} {:>18}", "", "ns", "ns", contenders[reference].0);
    for (at, (label, _)) in contenders.iter().enumerate() {
        let figure = median(runs[at].iter().map(|run| run.figure).collect());
        let p99 = median(runs[at].iter().map(|run| run.p99).collect());
        let ratio =
            median(runs[at].iter().zip(&runs[reference]).map(|(run, other)| run.figure / other.figure).collect());
        let p99 = if p99.is_nan() { String::new() } else { format!("{p99:.0}") };
        println!("{label:<28} {figure:>9.1} {p99:>9} {ratio:>18.2}");
    }
}

fn record(i: u64) -> Record {
    std::array::from_fn(|word| i + word as u64)
}

fn sum(record: &Record) -> u64 {
    record.iter().fold(0, |sum, word| sum.wrapping_add(*word))
}

fn expected(values: u64) -> u64 {
    (0..values).fold(0, |total, i| total.wrapping_add(sum(&record(i))))
}

#[inline(always)]
fn send(sender: &mut impl Sender, value: &Record, idle: fn()) {
    while !sender.try_send(value) {
        idle();
    }
}

#[inline(always)]
fn receive(receiver: &mut impl Receiver) -> Record {
    loop {
        match receiver.try_receive() {
            Some(value) => return value,
            None => std::hint::spin_loop(),
        }
    }
}

fn there_and_back<C: Contender>(size: &Size) -> Run {
    let (mut there, mut arrived) = C::open();
    let (mut back, mut returned) = C::open();
    let warm_up = size.trips / 10;
    let trips = size.trips + warm_up;
    let echo = thread::spawn(move || {
        for _ in 0..trips {
            let value = receive(&mut arrived);
            send(&mut back, &value, std::hint::spin_loop);
        }
        (arrived, back)
    });
    let mut times = Vec::with_capacity(trips);
    let mut before = Instant::now();
    for i in 0..trips as u64 {
        send(&mut there, &record(i), std::hint::spin_loop);
        let value = receive(&mut returned);
        // The first and the last word, one in each cache line. (Comparing all with vector instructions would wait until
        // the words have left the store buffer, and measure that.)
        assert!(C::HAS_PAYLOAD == (value[0] == i && value[15] == i + 15), "another record came back: the time is void");
        let now = Instant::now();
        times.push((now - before).as_nanos() as f64);
        before = now;
    }
    let ends = echo.join().expect("the echo ends");
    // Kept, so that each round lies at addresses of its own: how far away a cache line's home is makes a tenth of all.
    std::mem::forget((there, returned, ends));
    let times = &mut times[warm_up..];
    times.sort_by(f64::total_cmp);
    Run { figure: times[times.len() / 2], p99: times[times.len() * 99 / 100] }
}

fn one_thread<C: Contender>(size: &Size) -> Run {
    let (mut sender, mut receiver) = C::open();
    let values = size.values / 16 * 16;
    let mut total = 0u64;
    let start = Instant::now();
    for i in 0..values {
        assert!(sender.try_send(black_box(&record(i))), "there is room");
        if i % 16 == 15 {
            receiver.drain(|value| total = total.wrapping_add(sum(&value)));
        }
    }
    let elapsed = start.elapsed();
    assert_eq!(total, expected(values), "other values arrived: the time is void");
    Run { figure: elapsed.as_nanos() as f64 / values as f64, p99: f64::NAN }
}

fn one_writer<C: Contender>(size: &Size) -> Run {
    let (mut sender, mut receiver) = C::open();
    let values = size.values;
    let start = Instant::now();
    let writer = thread::spawn(move || {
        for i in 0..values {
            send(&mut sender, &record(i), std::hint::spin_loop);
        }
        sender
    });
    let (mut total, mut seen) = (0u64, 0);
    while seen < values {
        let before = seen;
        receiver.drain(|value| {
            assert!(value[0] == seen, "out of order: the time is void");
            total = total.wrapping_add(sum(&value));
            seen += 1;
        });
        if seen == before {
            std::hint::spin_loop();
        }
    }
    let elapsed = start.elapsed();
    writer.join().expect("the writer ends");
    assert_eq!(total, expected(values), "other values arrived: the time is void");
    Run { figure: elapsed.as_nanos() as f64 / values as f64, p99: f64::NAN }
}

fn two_writers<C: Contender>(size: &Size) -> Run {
    let (senders, mut receivers) = C::open_for_two();
    let values = size.values / 2;
    let start = Instant::now();
    let writers = senders.map(|mut sender| {
        thread::spawn(move || {
            for i in 0..values {
                send(&mut sender, &record(i), thread::yield_now);
            }
            sender
        })
    });
    let (mut total, mut seen) = (0u64, 0);
    while seen < 2 * values {
        let before = seen;
        for receiver in &mut receivers {
            receiver.drain(|value| {
                total = total.wrapping_add(sum(&value));
                seen += 1;
            });
        }
        if seen == before {
            thread::yield_now();
        }
    }
    let elapsed = start.elapsed();
    for writer in writers {
        writer.join().expect("the writer ends");
    }
    assert_eq!(total, expected(values).wrapping_mul(2), "other values arrived: the time is void");
    Run { figure: elapsed.as_nanos() as f64 / (2 * values) as f64, p99: f64::NAN }
}
