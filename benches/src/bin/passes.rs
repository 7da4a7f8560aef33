//! Question  What does long work cost, and how long is its longest command: a quiet mark, a mark that liquidates 1 to
//!           1,000 accounts, or a tenth of all, a deleveraging, a funding instant, an audit; with 1,000 to 1,000,000
//!           accounts? And a mark that looks at keys in vain?
//! Workload  every account has a position, half of them in cross margin; who is liquidated is spread among them, a long
//!           of 40 contracts at 100x, and its lot finds an empty book, one order, or four. Where there is deleveraging
//!           fund and book are empty, half of the accounts are candidates, and one lot needs one account, one a hundred,
//!           or a hundred lots one each. Where keys are early everybody is a long in cross margin who had an order once, and
//!           the mark falls between their keys and their liquidation prices.
//! Method    closed loop at the default budget, command by command; total: the median of five runs. The longest command:
//!           each at its best of the runs, so that it is its own work; held against the median command of the mix.
//!           Each run begins with a copy of the engine and 60 quiet marks; the accounts that come are not in the cache.
//! Check     the chain after each run equals the recorded one.
//!
//!     cargo run --release -p centum-benches --bin passes -- docs/
//!
//! With `GLIBC_TUNABLES=glibc.malloc.hugetlb=1` before it, large markets lie in huge pages.
#![forbid(unsafe_code)]
#![allow(clippy::float_arithmetic, reason = "pixels of a plot, no money")]

use std::path::Path;
use std::time::Duration;

use centum_benches::early::{fall_to_early_keys, looks};
use centum_benches::gap::{Book, Gap};
use centum_benches::pass::{PassTime, median_command, ratio, sizes, time_pass, us};
use centum_benches::plot::{Axis, COLOURS, Chart, QUIET, named};
use centum_benches::{Recording, WARM_UP, audit_pass, deleveraging, funding_instant, is_toy, quiet_marks};
use contract::ContractSpec;

/// One measured pass.
struct Row {
    what: &'static str,
    accounts: u32,
    /// What the total is divided by: marks, liquidations, accounts.
    parts: u32,
    time: PassTime,
}

/// Measured rows, printed as they come.
struct Table {
    rows: Vec<Row>,
    runs: usize,
    median: Duration,
}

impl Table {
    fn measure(&mut self, what: &'static str, accounts: u32, parts: u32, recording: &Recording) {
        let time = time_pass(recording, self.runs);
        println!(
            "| {what} | {accounts} | {parts} | {} | {} | {} | {} | {} |",
            time.commands,
            us(time.total),
            time.total.as_nanos() / u128::from(parts),
            us(time.worst),
            ratio(time.worst, self.median)
        );
        self.rows.push(Row { what, accounts, parts, time });
    }

    fn of(&self, what: &str) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.what == what)
    }
}

const QUIET_MARK: &str = "quiet marks";
const FIRST_FALL: &str = "a first fall of 1.5 %";
const EARLY: &str = "a mark that reaches early keys";
const TENTH: &str = "a tenth liquidated, lots rest";
const RESTS: &str = "liquidations, lots rest";
const ONE_FILL: &str = "liquidations, 1 fill each";
const FOUR_FILLS: &str = "liquidations, 4 fills each";
const ONE_BY_ONE: &str = "deleveraging, 1 for a lot";
const A_HUNDRED: &str = "deleveraging, 100 for a lot";
const A_HUNDRED_LOTS: &str = "deleveraging, 1 for each of 100 lots";
const FUNDING: &str = "funding instant";
const AUDIT: &str = "audit";

fn main() {
    let (sizes, runs) = sizes();
    let median = median_command();
    println!("median command of the mix: {} ns; best of {runs} runs\n", median.as_nanos());
    println!(
        "| what | accounts | of them, or marks | commands | total, us | ns each | longest command, us | x median |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut table = Table { rows: Vec::new(), runs, median };
    let mut huge_pages = None;
    let (budget, marks) = (ContractSpec::XBTUSD_2019.budget, if is_toy() { 60 } else { 2_000 });
    for &accounts in sizes {
        let quiet = quiet_marks(accounts, marks as usize + WARM_UP);
        table.measure(QUIET_MARK, accounts, marks, &Recording { warm_up: WARM_UP, ..quiet });
        table.measure(FIRST_FALL, accounts, 1, &Gap::first_fall(accounts, budget));
        let early = fall_to_early_keys(accounts, budget);
        table.measure(EARLY, accounts, looks(&early) as u32, &early);
        drop(early);
        table.measure(TENTH, accounts, accounts / 10, &Gap::tenth(accounts, budget));
        let gap = Gap::new(accounts, budget);
        for (what, book) in [(RESTS, Book::Empty), (ONE_FILL, Book::Fills(1)), (FOUR_FILLS, Book::Fills(4))] {
            for due in gap.dues() {
                table.measure(what, accounts, due, &gap.recording(due, book));
            }
        }
        huge_pages = huge_share();
        drop(gap);
        for (what, lots, positions) in [(ONE_BY_ONE, 1, 1), (A_HUNDRED, 1, 100), (A_HUNDRED_LOTS, 100, 1)] {
            let recording = deleveraging(accounts, lots, positions);
            assert_eq!(recording.fills as u32, lots * positions, "others were deleveraged: the time is void");
            table.measure(what, accounts, lots * positions, &recording);
        }
        table.measure(FUNDING, accounts, accounts, &funding_instant(accounts));
        table.measure(AUDIT, accounts, accounts, &audit_pass(accounts));
    }
    match huge_pages {
        Some(percent) => println!("\n{percent} % of the largest market's memory was in huge pages."),
        None => println!("\nThis system does not say how much memory is in huge pages."),
    }
    if let Some(directory) = std::env::args().nth(1) {
        let plots = [
            ("liquidations.svg", liquidations(&table, sizes)),
            ("deleveraging.svg", deleveraging_times(&table)),
            ("passes.svg", longest(&table)),
        ];
        for (name, svg) in plots {
            let file = Path::new(&directory).join(name);
            std::fs::write(&file, svg).expect("the plot can be written");
            println!("plot: {}", file.display());
        }
    }
}

/// How much of this process's own memory is in huge pages, in percent, where the system says so.
fn huge_share() -> Option<u64> {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let kilobytes = |field: &str| {
        rollup.lines().find_map(|line| line.strip_prefix(field)?.trim().strip_suffix(" kB")?.parse::<u64>().ok())
    };
    (kilobytes("AnonHugePages:")? * 100).checked_div(kilobytes("Anonymous:")?)
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

const TIMES: [(f64, &str); 6] =
    [(0.1, "0.1 µs"), (1.0, "1 µs"), (10.0, "10 µs"), (100.0, "100 µs"), (1_000.0, "1 ms"), (10_000.0, "10 ms")];

/// Time of a mark change by how many it liquidates: a line for each number of accounts.
fn liquidations(table: &Table, sizes: &[u32]) -> String {
    let x = [(1.0, "1"), (10.0, "10"), (100.0, "100"), (1_000.0, "1,000")];
    let mut chart = Chart::new(
        "A mark change that liquidates some of the accounts, until nothing waits",
        Axis::log("accounts liquidated", 1.0, 1_000.0, named(&x)),
        Axis::log("all of the pass", 0.1, 10_000.0, named(&TIMES)),
        190.0,
    );
    chart.dashed("1 µs each", QUIET, &[(1.0, 1.0), (1_000.0, 1_000.0)]);
    for (kind, colour, name) in [(FOUR_FILLS, 1, "four fills each"), (RESTS, 0, "lots come to rest")] {
        for &accounts in sizes {
            let points: Vec<(f64, f64)> = table
                .of(kind)
                .filter(|row| row.accounts == accounts)
                .map(|row| (f64::from(row.parts), micros(row.time.total)))
                .collect();
            let is_last = Some(&accounts) == sizes.last();
            chart.line(if is_last { name } else { "" }, COLOURS[colour], &points);
            points.iter().for_each(|point| chart.dot(COLOURS[colour], is_last, 3.0, *point));
        }
    }
    chart.word(
        QUIET,
        "start",
        (1.2, 4_000.0),
        (0.0, 0.0),
        "from below: 1,000, 10,000, 100,000 and 1,000,000 accounts (filled)",
    );
    chart.svg()
}

const ACCOUNTS: [(f64, &str); 4] = [(1e3, "1,000"), (1e4, "10,000"), (1e5, "100,000"), (1e6, "1,000,000")];

/// What a deleveraging takes by the number of accounts: all of it, and its longest command.
fn deleveraging_times(table: &Table) -> String {
    let times = [(100.0, "0.1 ms"), (1e3, "1 ms"), (1e4, "10 ms"), (1e5, "100 ms"), (1e6, "1 s")];
    let mut chart = Chart::new(
        "A hundred deleveraged for one lot: everybody is looked at once, 1,000 a command",
        Axis::log("accounts", 1_000.0, 1_000_000.0, named(&ACCOUNTS)),
        Axis::log("time", 100.0, 1_000_000.0, named(&times)),
        230.0,
    );
    let mut line = |name: &str, colour: usize, time: fn(&PassTime) -> Duration| {
        let points: Vec<(f64, f64)> =
            table.of(A_HUNDRED).map(|row| (f64::from(row.accounts), micros(time(&row.time)))).collect();
        chart.line(name, COLOURS[colour], &points);
        points.iter().for_each(|point| chart.dot(COLOURS[colour], true, 3.0, *point));
    };
    line("all of it", 0, |time| time.total);
    line("its longest command", 5, |time| time.worst);
    chart.svg()
}

/// The longest command by the number of accounts.
fn longest(table: &Table) -> String {
    let mut chart = Chart::new(
        "The longest command of a pass, by the size of the market",
        Axis::log("accounts", 1_000.0, 1_000_000.0, named(&ACCOUNTS)),
        Axis::log("longest command, at the default budget", 0.1, 10_000.0, named(&TIMES)),
        230.0,
    );
    let kinds = [
        (QUIET_MARK, "quiet mark", 4),
        (RESTS, "1,000 liquidations, lots rest", 0),
        (FOUR_FILLS, "1,000 liquidations, 4 fills each", 1),
        (EARLY, "a mark that reaches early keys", 6),
        (A_HUNDRED, "deleveraging of 100", 5),
        (FUNDING, "funding instant", 2),
        (AUDIT, "audit slice", 3),
    ];
    for (kind, name, colour) in kinds {
        let is_liquidation = kind == RESTS || kind == FOUR_FILLS;
        let points: Vec<(f64, f64)> = table
            .of(kind)
            .filter(|row| !is_liquidation || row.parts == 1_000)
            .map(|row| (f64::from(row.accounts), micros(row.time.worst)))
            .collect();
        chart.line(name, COLOURS[colour], &points);
        points.iter().for_each(|point| chart.dot(COLOURS[colour], true, 3.0, *point));
    }
    let median = micros(table.median);
    chart.dashed("median command of the mix", QUIET, &[(1_000.0, median), (1_000_000.0, median)]);
    chart.svg()
}
