//! `centum bench`: what a command costs the engine, on a log.
//!
//! Question  What does one command of this log cost, from `apply` called to `apply` returned?
//! Workload  the log; what stands before `#bench-start` (or before the first order) is preparation
//!           and not timed.
//! Method    the log is read into commands first. A repeat is a new engine, the preparation, then all
//!           other commands under one clock; median and best of the repeats. Latencies come from a
//!           pass of their own, a clock around each command.
//! Check     the hash over the trades, and the digest: a benchmark that does other work is void.

pub mod book;
pub mod btree_book;
pub mod engine_book;
pub mod queue_book;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use contract::{Capacity, Command, ContractSpec, Event, Fact, FillCause, Genesis};
use engine::{Engine, Outbox};
use hdrhistogram::Histogram;
use prefetch_index::prefetch_index;
use serde::Serialize;

use self::book::{BareBook, BookCommand, BookIds, carry_out};
use self::btree_book::BTreeBook;
use self::engine_book::EngineBook;
use self::queue_book::QueueBook;
use crate::checks::Checks;
use crate::error::{Error, Result};
use crate::fills::TradesHash;
use crate::order_log::{self, Plan};
use crate::replay::guarded;
use crate::report::{hex, ratio};
use crate::run::Run;
use crate::source::{Format, Source};
use crate::spec_file;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Mode {
    /// The whole engine.
    Engine,
    /// The bare book, beside two books on `BTreeMap` with the same commands.
    Book,
}

/// Measures what a command of a log costs.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The log, a centum-log.
    source: PathBuf,
    /// What is measured.
    #[arg(long, value_enum)]
    mode: Mode,
    /// How often the log is run.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    repeat: u32,
    /// The contract: a profile, or a file ending in .toml.
    #[arg(long, value_name = "PROFILE|FILE.toml")]
    spec: Option<String>,
    /// Prints one JSON object instead of the table.
    #[arg(long)]
    json: bool,
}

/// The object of `--json`; the names and their order are `docs/formats.md`'s.
#[derive(Clone, Debug, Serialize)]
struct Report {
    schema: &'static str,
    mode: &'static str,
    source: String,
    commands: u64,
    fills: u64,
    repeat: u32,
    ns_per_command: Cost,
    latency_ns: Latency,
    #[serde(skip_serializing_if = "Option::is_none")]
    trades_hash: Option<String>,
    digest: String,
}

/// ns a command.
#[derive(Clone, Copy, Debug, Serialize)]
struct Cost {
    median: f64,
    best: f64,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Latency {
    p50: u64,
    p99: u64,
    p999: u64,
    p9999: u64,
}

/// Runs the command; the result is the exit code.
pub fn run(args: &Args) -> Result<u8> {
    let source = Source::open(&args.source)?;
    let format = source.format(None)?;
    if format != Format::CentumLog {
        return Err(Error::Unusable(format!(
            "{}: {} cannot be measured; give a centum-log, for example one of `centum generate`",
            source.name,
            format.name()
        )));
    }
    let spec = args.spec.as_deref().map(spec_file::load).transpose()?;
    let plan = order_log::read(&source, spec)?;
    if plan.bench_start >= plan.commands.len() {
        return Err(Error::Unusable(format!("{}: found nothing to measure after the preparation", source.name)));
    }
    match args.mode {
        Mode::Engine => bench_engine(args, &source, &plan),
        Mode::Book => bench_book(args, &source, &plan),
    }
}

fn print(args: &Args, report: &Report, more: &[String]) -> Result<()> {
    if args.json {
        let json = serde_json::to_string(report);
        println!("{}", json.map_err(|error| Error::Unusable(format!("the report cannot be written: {error}")))?);
        more.iter().for_each(|line| eprintln!("{line}"));
        return Ok(());
    }
    let Cost { median, best } = report.ns_per_command;
    let Latency { p50, p99, p999, p9999 } = report.latency_ns;
    println!("source       {}", report.source);
    println!("mode         {}", report.mode);
    println!("commands     {} ({} fills), {} repeats", report.commands, report.fills, report.repeat);
    println!("ns/command   median {median:.1}, best {best:.1}");
    println!("latency      p50 {p50} ns, p99 {p99} ns, p99.9 {p999} ns, p99.99 {p9999} ns (clock included)");
    println!("trades hash  {}", report.trades_hash.as_deref().unwrap_or("none: ids are not numbers"));
    println!("digest       {}", report.digest);
    more.iter().for_each(|line| println!("{line}"));
    Ok(())
}

/// Median and best of the repeats.
fn cost(elapsed_ns: &[u64], commands: u64) -> Cost {
    let (median, best) = middle(elapsed_ns);
    Cost { median: ratio(median, commands), best: ratio(best, commands) }
}

/// Median and best, ns.
fn middle(elapsed_ns: &[u64]) -> (u64, u64) {
    let mut sorted = elapsed_ns.to_vec();
    sorted.sort_unstable();
    (sorted[sorted.len() / 2], sorted[0])
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("the bounds are constants in order")
}

fn latency(histogram: &Histogram<u64>) -> Latency {
    let at = |quantile| histogram.value_at_quantile(quantile);
    Latency { p50: at(0.5), p99: at(0.99), p999: at(0.999), p9999: at(0.9999) }
}

fn ns_since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

// ---- the engine ---------------------------------------------------------------------------------

/// Slots of the ring that stands for the output: events are written as a reader would need them.
const OUT_SLOTS: usize = 1 << 10;

struct Ring {
    slots: Box<[Event; OUT_SLOTS]>,
    at: usize,
}

impl Outbox for Ring {
    #[inline(always)]
    fn push(&mut self, event: &Event) {
        self.slots[self.at % OUT_SLOTS] = *event;
        self.at = self.at.wrapping_add(1);
    }

    #[inline(always)]
    fn end(&mut self) {
        let last = &mut self.slots[self.at.wrapping_sub(1) % OUT_SLOTS];
        *last = last.as_last();
    }

    #[inline(always)]
    fn expect<T>(&mut self, entries: &[T], at: usize) {
        prefetch_index(entries, at);
    }
}

fn bench_engine(args: &Args, source: &Source, plan: &Plan) -> Result<u8> {
    let (check, fills) = checked_pass(plan)?;
    let stamped: Vec<Command> =
        (plan.commands.iter().zip(1..)).map(|((ts, command), seq)| command.stamped(seq, *ts)).collect();
    let (preparation, timed) = stamped.split_at(plan.bench_start);
    let mut out = Ring { slots: Box::new([Event::from_words([0; 16]); OUT_SLOTS]), at: 0 };
    let mut elapsed = Vec::with_capacity(args.repeat as usize);
    guarded(|| {
        for _ in 0..args.repeat {
            let mut engine = prepared(plan.spec, plan.capacity, preparation, &mut out)?;
            let began = Instant::now();
            engine.apply_all(timed, &mut out);
            elapsed.push(ns_since(began));
            if engine.digest() != check.engine().digest() {
                return Err(Error::Law("the digest of a repeat differs from the first one's".to_owned()));
            }
        }
        Ok(())
    })?;
    let mut latencies = histogram();
    let mut engine = prepared(plan.spec, plan.capacity, preparation, &mut out)?;
    for command in timed {
        let began = Instant::now();
        engine.apply(command, &mut out);
        latencies.saturating_record(ns_since(began).max(1));
    }
    let report = Report {
        schema: "centum.bench/1",
        mode: "engine",
        source: source.name.clone(),
        commands: timed.len() as u64,
        fills,
        repeat: args.repeat,
        ns_per_command: cost(&elapsed, timed.len() as u64),
        latency_ns: latency(&latencies),
        trades_hash: check.tally().trades_hash.text(),
        digest: hex(check.engine().digest()),
    };
    print(args, &report, &refusals(&check))?;
    Ok(0)
}

/// What was refused: work that was not done must not pass as fast work.
fn refusals(check: &Run) -> Vec<String> {
    let refused: &BTreeMap<&str, u64> = &check.tally().refused;
    refused.iter().map(|(reason, count)| format!("refused      {count} {reason}")).collect()
}

fn prepared(spec: ContractSpec, capacity: Capacity, preparation: &[Command], out: &mut Ring) -> Result<Engine> {
    let mut engine = Engine::new(&Genesis { spec, capacity }).map_err(|error| Error::Unusable(error.to_string()))?;
    engine.apply_all(preparation, out);
    Ok(engine)
}

/// An untimed pass that counts: the run at the end, and the fills of the timed part.
fn checked_pass(plan: &Plan) -> Result<(Run, u64)> {
    guarded(|| {
        let mut run = Run::new(plan.spec, plan.capacity)?;
        let mut checks = Checks::default();
        let mut fills = 0;
        for (at, (ts, command)) in plan.commands.iter().enumerate() {
            let events = run.apply_command(command, *ts, &mut checks)?;
            if at >= plan.bench_start {
                fills += events.iter().filter(|event| is_trade(event)).count() as u64;
            }
        }
        Ok((run, fills))
    })
}

fn is_trade(event: &Event) -> bool {
    matches!(event.fact(), Some(Fact::Fill(fill)) if fill.cause.get() == Some(FillCause::Trade))
}

// ---- the bare book ------------------------------------------------------------------------------

/// What the runs of one bare book came to.
struct BookResult {
    elapsed_ns: Vec<u64>,
    latencies: Histogram<u64>,
    fills: u64,
    trades_hash: TradesHash,
    digest: u64,
}

fn bench_book(args: &Args, source: &Source, plan: &Plan) -> Result<u8> {
    let mut ids = BookIds::default();
    let mut commands = Vec::with_capacity(plan.commands.len());
    let mut start = 0;
    for (at, (_, command)) in plan.commands.iter().enumerate() {
        if at == plan.bench_start {
            start = commands.len();
        }
        commands.extend(ids.command(command));
    }
    let orders = most_live(&commands);
    let mut ours = BookRuns::new(|| EngineBook::new(&plan.spec, orders), &commands, start);
    let mut bare = BookRuns::new(|| QueueBook::with_capacity(orders), &commands, start);
    let mut linked = BookRuns::new(|| BTreeBook::with_capacity(orders), &commands, start);
    // In turn, so that what else the machine does meets all alike.
    for _ in 0..args.repeat {
        ours.run();
        bare.run();
        linked.run();
    }
    let (ours, bare, linked) = (ours.finish(), bare.finish(), linked.finish());
    let timed = (commands.len() - start) as u64;
    let notes = [
        compared("bare BTreeMap book", &ours, &bare, timed)?,
        compared("linked-level BTreeMap book", &ours, &linked, timed)?,
    ];
    let report = Report {
        schema: "centum.bench/1",
        mode: "book",
        source: source.name.clone(),
        commands: timed,
        fills: ours.fills,
        repeat: args.repeat,
        ns_per_command: cost(&ours.elapsed_ns, timed),
        latency_ns: latency(&ours.latencies),
        trades_hash: ours.trades_hash.text(),
        digest: hex(ours.digest),
    };
    print(args, &report, &notes)?;
    Ok(0)
}

/// The most orders that rest at any time: what maps and slabs are sized by.
fn most_live(commands: &[BookCommand]) -> usize {
    let mut book = BTreeBook::with_capacity(0);
    let live = commands.iter().map(|command| {
        carry_out(&mut book, command, &mut |_| {});
        book.live()
    });
    live.max().unwrap_or(0).max(1)
}

/// How the engine's book stands to a baseline that did the same work.
fn compared(name: &str, ours: &BookResult, baseline: &BookResult, timed: u64) -> Result<String> {
    let work = |book: &BookResult| (book.digest, book.fills, book.trades_hash.text());
    if work(ours) != work(baseline) {
        return Err(Error::Unusable(format!("the engine's book and the {name} did different work: no measurement")));
    }
    let ((ours_median, ours_best), (median, best)) = (middle(&ours.elapsed_ns), middle(&baseline.elapsed_ns));
    let Cost { median: median_ns, best: best_ns } = cost(&baseline.elapsed_ns, timed);
    Ok(format!(
        "baseline     {name}, same id map, same run: median {median_ns:.1}, best {best_ns:.1} ns/command; the engine's book is {:.2} times as fast (medians), {:.2} (best)",
        ratio(median, ours_median),
        ratio(best, ours_best),
    ))
}

/// The runs of one bare book over the same commands.
struct BookRuns<'a, B, F: Fn() -> B> {
    new: F,
    commands: &'a [BookCommand],
    start: usize,
    elapsed_ns: Vec<u64>,
}

impl<'a, B: BareBook, F: Fn() -> B> BookRuns<'a, B, F> {
    fn new(new: F, commands: &'a [BookCommand], start: usize) -> Self {
        BookRuns { new, commands, start, elapsed_ns: Vec::new() }
    }

    /// A new book with everything before the timed part done.
    fn prepared(&self) -> B {
        let mut book = (self.new)();
        self.commands[..self.start].iter().for_each(|command| carry_out(&mut book, command, &mut |_| {}));
        book
    }

    /// One timed run.
    fn run(&mut self) {
        let mut book = self.prepared();
        let mut volume = 0u64;
        let began = Instant::now();
        for command in &self.commands[self.start..] {
            carry_out(&mut book, command, &mut |matched| volume = volume.wrapping_add(matched.qty));
        }
        self.elapsed_ns.push(ns_since(began));
        std::hint::black_box(volume);
    }

    /// A run timed command by command, and one that only counts.
    fn finish(self) -> BookResult {
        let mut latencies = histogram();
        let mut book = self.prepared();
        let mut volume = 0u64;
        for command in &self.commands[self.start..] {
            let began = Instant::now();
            carry_out(&mut book, command, &mut |matched| volume = volume.wrapping_add(matched.qty));
            latencies.saturating_record(ns_since(began).max(1));
        }
        std::hint::black_box(volume);
        let (mut fills, mut trades_hash) = (0, TradesHash::default());
        let mut book = (self.new)();
        for (at, command) in self.commands.iter().enumerate() {
            carry_out(&mut book, command, &mut |matched| {
                fills += u64::from(at >= self.start);
                let (maker, taker) = (Some(matched.maker), Some(matched.taker));
                trades_hash.add(maker, taker, u64::from(matched.tick), contract::Qty(matched.qty));
            });
        }
        let mut digest = 0u64;
        for side in [contract::Side::Buy, contract::Side::Sell] {
            book.for_each(side, |id, tick, qty| {
                for word in [id, u64::from(tick), qty] {
                    digest = (digest ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                }
            });
        }
        BookResult { elapsed_ns: self.elapsed_ns, latencies, fills, trades_hash, digest }
    }
}
