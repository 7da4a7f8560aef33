//! Question  How long from a command's intended send time, through lane, engine, journal and output ring, to a reader that
//!           has its last event, at 10, 50 and 80 % of capacity, in memory and with the journal?
//! Workload  `centum generate mix`, seed 7: 10,000 accounts, 10,000 resting orders.
//! Method    open loop at a fixed rate: command n is due at n / rate, whatever became of those before, and its latency
//!           runs from then, so a stall is charged to every command it delays. One sending thread, one lane; a gating
//!           reader of a running venue. Capacity is the median of three closed-loop runs, measured first. HDR histogram;
//!           the first tenth is warm-up and discarded.
//! Check     balances of all accounts at the end are those of the engine alone.
//!
//!     cargo run --release -p centum-benches --bin latency -- docs/latency.svg
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use centum_benches::plot::{Axis, Chart, named};
use centum_benches::{Recording, Slots, is_toy, measured, mix};
use contract::{AccountId, Command};
use engine::Engine;
use hdrhistogram::Histogram;
use ring::Reader;
use runtime::lane::Lane;
use runtime::venue::{Config, Venue};

const SHARES: [u64; 3] = [10, 50, 80];
const QUANTILES: [(&str, f64); 5] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];

/// Without a rate it is a closed loop: each command is due when the lane takes it.
type Rate = Option<u64>;

struct Run {
    elapsed: Duration,
    latency_ns: Histogram<u64>,
}

/// When command n is due, ns after the start.
fn due_ns(n: u64, rate: Rate) -> u64 {
    rate.map_or(0, |rate| n * 1_000_000_000 / rate)
}

fn run(recording: &Recording, expected: &[i64], directory: Option<PathBuf>, rate: Rate) -> Run {
    let (contract, capacity) = (*recording.engine.spec(), recording.engine.capacity());
    // Commands are counted: none of the venue's own for want of others.
    let audit_idle = Duration::ZERO;
    let config = Config { contract, capacity, directory: directory.clone(), audit_idle, ..Config::default() };
    let mut venue = Venue::open(config).expect("a new directory");
    let events = venue.output().reader().expect("a seat");
    let mut lane = venue.lane("load").expect("a lane");
    let running = venue.start().expect("two threads");

    let prepared = recording.preparation.len() as u64;
    let (began, start_ns) = (Instant::now(), Arc::new(AtomicU64::new(u64::MAX)));
    let reader = {
        let (start_ns, commands) = (Arc::clone(&start_ns), recording.commands.len() as u64);
        thread::spawn(move || read(events, prepared, commands, rate, began, &start_ns))
    };
    // The engine waits for the reader, so the reader runs from the first event on.
    recording.preparation.iter().for_each(|command| send(&mut lane, *command));
    while running.health().released_seq < prepared {
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(Duration::from_millis(20));

    let start = Instant::now();
    start_ns.store(since(began, start), Relaxed);
    for (n, command) in (0..).zip(&recording.commands) {
        let due = Duration::from_nanos(due_ns(n, rate));
        loop {
            let early = due.saturating_sub(start.elapsed());
            if early.is_zero() {
                break;
            }
            // A sleep is late by some 60 us; near the time one looks again and again, and lets others run.
            if early > Duration::from_micros(200) {
                thread::sleep(early - Duration::from_micros(150));
            } else {
                thread::yield_now();
            }
        }
        send(&mut lane, *command);
    }
    let (last_ns, latency_ns) = reader.join().expect("the reader does not panic");
    let stopped = running.stop().expect("the disk is good");
    assert!(balances(&stopped.engine) == expected, "other work was done: the time is void");
    if let Some(directory) = directory {
        let _ = std::fs::remove_dir_all(directory);
    }
    Run { elapsed: Duration::from_nanos(last_ns - start_ns.load(Relaxed)), latency_ns }
}

/// Sends it, if need be a little later: what it waits is its latency too.
fn send(lane: &mut Lane, command: Command) {
    while lane.try_send(command).is_err() {
        thread::yield_now();
    }
}

/// The time of the last event, and the histogram from a tenth of the commands on.
fn read(
    mut events: Reader<contract::Event>,
    prepared: u64,
    commands: u64,
    rate: Rate,
    began: Instant,
    start_ns: &AtomicU64,
) -> (u64, Histogram<u64>) {
    let mut histogram = Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("constants in order");
    let mut now = 0;
    while events.wait().is_ok() {
        for event in events.batch().filter(|event| event.is_last() && event.seq() > prepared) {
            let n = event.seq() - prepared - 1;
            now = since(began, Instant::now());
            if n >= commands / 10 {
                histogram.saturating_record(now.saturating_sub(start_ns.load(Relaxed) + due_ns(n, rate)).max(1));
            }
            if n + 1 == commands {
                return (now, histogram);
            }
        }
    }
    (now, histogram)
}

fn since(began: Instant, now: Instant) -> u64 {
    now.duration_since(began).as_nanos() as u64
}

fn balances(engine: &Engine) -> Vec<i64> {
    (0..engine.accounts()).filter_map(|account| engine.wallet(AccountId(account))).map(|it| it.balance.0).collect()
}

fn main() {
    let (accounts, resting, count) = if is_toy() { (100, 500, 5_000) } else { (10_000, 10_000, 200_000) };
    let recording = mix(7, accounts, resting, count);
    let mut engine = recording.engine.clone();
    measured(&mut engine, &recording.commands, &mut Slots::default());
    let expected = balances(&engine);
    let directory = std::env::temp_dir().join(format!("centum-bench-latency-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);

    println!("{}, load before {}", machine(), load());
    println!("{count} commands a run; us from the intended send time to the reader");
    print!("{:<12} {:>6} {:>12}", "", "load", "commands/s");
    QUANTILES.iter().for_each(|(name, _)| print!(" {name:>9}"));
    println!();
    let mut curves = Vec::new();
    for (setting, directory) in [("in memory", None), ("journal", Some(directory))] {
        let mut rates: Vec<u64> = (0..3)
            .map(|_| run(&recording, &expected, directory.clone(), None).elapsed.as_micros() as u64)
            .map(|us| count * 1_000_000 / us.max(1))
            .collect();
        rates.sort_unstable();
        let capacity = rates[1];
        println!(
            "{setting:<12} {:>6} {capacity:>12}   (closed loop; three runs, {} to {})",
            "100 %", rates[0], rates[2]
        );
        for share in SHARES {
            let rate = (capacity * share / 100).max(1);
            let Run { elapsed, latency_ns } = run(&recording, &expected, directory.clone(), Some(rate));
            let done = count * 1_000_000 / (elapsed.as_micros() as u64).max(1);
            print!("{setting:<12} {:>6} {done:>12}", format!("{share} %"));
            for (_, quantile) in QUANTILES {
                let ns = latency_ns.value_at_quantile(quantile);
                print!(" {:>9}", format!("{}.{}", ns / 1_000, ns % 1_000 / 100));
            }
            println!();
            curves.push((format!("{setting}, {share} %"), latency_ns));
        }
    }
    println!("load after {}", load());
    if let Some(file) = std::env::args().nth(1) {
        std::fs::write(&file, plot(&curves)).expect("the plot can be written");
        println!("plot: {file}");
    }
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|it| it.1);
    format!("{} x {}", thread::available_parallelism().map_or(1, usize::from), model.unwrap_or("unknown processor"))
}

fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("?").to_owned()
}

/// Latency by percentile, one curve a run; both axes logarithmic: a nine more is as far as a tenfold latency.
#[allow(clippy::float_arithmetic, reason = "pixels of a plot, no money")]
fn plot(curves: &[(String, Histogram<u64>)]) -> String {
    const COLOURS: [&str; 6] = ["#9ecae1", "#4292c6", "#08519c", "#fdae6b", "#f16913", "#a63603"];
    let nines = named(&[(0.0, "0 %"), (1.0, "90 %"), (2.0, "99 %"), (3.0, "99.9 %"), (4.0, "99.99 %")]);
    let times =
        named(&[(1e3, "1 µs"), (1e4, "10 µs"), (1e5, "100 µs"), (1e6, "1 ms"), (1e7, "10 ms"), (1e8, "100 ms")]);
    let mut chart = Chart::new(
        "Latency from the intended send time to the reader, by percentile",
        Axis::linear("commands that took no longer", 0.0, 4.0, nines),
        Axis::log("latency", 1e3, 1e8, times),
        150.0,
    );
    for ((name, histogram), colour) in curves.iter().zip(COLOURS) {
        let points: Vec<(f64, f64)> = (0..=80_u32)
            .map(|step| f64::from(step) / 20.0)
            .map(|nines| (nines, histogram.value_at_quantile(1.0 - 10_f64.powf(-nines)) as f64))
            .collect();
        chart.line(name, colour, &points);
    }
    chart.svg()
}
