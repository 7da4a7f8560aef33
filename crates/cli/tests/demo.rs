//! `centum demo`: the story happens for any seed, its ledger is the engine's, its laws hold.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use serde_json::Value;

const SEEDS: u64 = 50;
/// Columns of the page.
const PAGE: usize = 100;

fn demo(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_centum")).arg("demo").args(args).output().expect("centum runs")
}

fn text(args: &[&str]) -> String {
    let output = demo(args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn json(args: &[&str]) -> Value {
    let text = text(&[args, &["--json"]].concat());
    assert_eq!(text.lines().count(), 1, "one object on one line");
    serde_json::from_str(&text).expect("JSON")
}

fn number(value: &Value) -> i128 {
    value.to_string().parse().unwrap_or_else(|_| panic!("a whole number: {value}"))
}

fn rows<'a>(report: &'a Value, name: &str) -> &'a [Value] {
    report[name].as_array().unwrap_or_else(|| panic!("a list: {name}"))
}

/// What must be true of every story.
fn is_whole(report: &Value, place: &str) {
    assert_eq!(report["schema"], "centum.demo/1", "{place}");
    let count = |name: &str| number(&report["counts"][name]);
    for name in ["cured", "takeovers", "close_out_fills", "fund_draws", "deleveragings", "trades", "refused"] {
        assert!(count(name) >= 1, "{place}: no {name}");
    }
    assert!(report["broken"].is_null(), "{place}: {}", report["broken"]);
    assert_eq!(rows(report, "laws").len(), 7, "{place}");
    assert!(rows(report, "laws").iter().all(|law| law["holds"] == true), "{place}: {}", report["laws"]);
    assert!(number(&report["fund_xbt"]) >= 0, "{place}: INS-1");

    // SUM-5: what moved adds up to what is held, book by book, and all of it to zero.
    let mut books = BTreeMap::<&str, i128>::new();
    for row in rows(report, "ledger") {
        let (from, to) = (row["from"].as_str().expect("a name"), row["to"].as_str().expect("a name"));
        assert!(number(&row["xbt"]) > 0 && number(&row["entries"]) > 0, "{place}: {row}");
        *books.entry(from).or_default() -= number(&row["xbt"]);
        *books.entry(to).or_default() += number(&row["xbt"]);
    }
    for book in rows(report, "books") {
        let name = book["book"].as_str().expect("a name");
        let moved = books.remove(name).unwrap_or(0);
        assert_eq!((moved, moved), (number(&book["ledger"]), number(&book["engine"])), "{place}: {name}");
    }
    assert!(books.is_empty(), "{place}: {books:?}");
    let held = |name: &str| rows(report, "books").iter().map(|book| number(&book[name])).sum::<i128>();
    assert_eq!((held("ledger"), held("engine")), (0, 0), "{place}: all books together");

    // SUM-6, and the wallets are those of the people.
    let people = rows(report, "people");
    assert_eq!(people.len() as i128, number(&report["accounts"]), "{place}");
    for person in people {
        assert!(number(&person["wallet"]) >= 0 && number(&person["margin_balance"]) >= 0, "{place}: {person}");
    }
    let of = |book: &str| {
        let found = rows(report, "books").iter().find(|row| row["book"] == book);
        found.map_or(0, |row| number(&row["engine"]))
    };
    let sum = |name: &str| people.iter().map(|person| number(&person[name])).sum::<i128>();
    assert_eq!(sum("wallet"), of("wallets"), "{place}: SUM-5");
    assert_eq!((sum("position"), of("liquidation account")), (0, 0), "{place}: SUM-1, and no lot is left");
    assert_eq!(of("fees"), number(&report["fees_xbt"]), "{place}: SUM-4");

    // ADL-1: who was deleveraged are the first of the ranking, in its order.
    let ranking = rows(report, "ranking");
    let deleveraged = rows(report, "deleveraged");
    assert!(deleveraged.len() < ranking.len(), "{place}: somebody is spared");
    for (at, account) in deleveraged.iter().enumerate() {
        assert_eq!(ranking[at]["account"], *account, "{place}: rank {at}");
    }
    let lights: Vec<i128> = ranking.iter().map(|it| number(&it["lights"])).collect();
    assert!(lights.is_sorted_by(|above, below| above >= below), "{place}: ADL-3: {lights:?}");
    assert!(lights.iter().all(|light| (1..=5).contains(light)), "{place}: ADL-3: {lights:?}");
}

#[test]
fn the_story_happens_for_any_seed() {
    for seed in 0..SEEDS {
        let report = json(&["--seed", &seed.to_string()]);
        is_whole(&report, &format!("seed {seed}"));
        for (name, fates) in [
            ("Gus", vec!["liquidated"]),
            ("Dora", vec!["liquidated"]),
            ("Clara", vec!["cured", "liquidated"]),
            ("Nora", vec!["liquidated"]),
            ("Sven", vec!["deleveraged"]),
            ("Hugo", vec![]),
        ] {
            let person = rows(&report, "people").iter().find(|person| person["name"] == name).expect("it has a name");
            assert_eq!(person["fates"], Value::from(fates), "seed {seed}: {name}");
        }
    }
}

#[test]
fn the_story_happens_to_few_and_to_many() {
    for accounts in ["24", "25", "65", "200", "1000", "10000"] {
        for seed in ["1", "2"] {
            is_whole(&json(&["--seed", seed, "--accounts", accounts]), &format!("{accounts} accounts, seed {seed}"));
        }
    }
    for accounts in ["23", "10001", "many"] {
        assert_eq!(demo(&["--accounts", accounts]).status.code(), Some(2), "{accounts} accounts");
    }
}

#[test]
fn the_same_seed_tells_the_same_story() {
    assert_eq!(text(&["--seed", "3"]), text(&["--seed", "3"]));
    assert_eq!(json(&["--seed", "3"]), json(&["--seed", "3"]));
    assert_ne!(json(&["--seed", "3"])["chain"], json(&["--seed", "4"])["chain"]);
}

#[test]
fn every_stage_is_told_on_a_page_of_a_hundred_columns() {
    for (seed, accounts) in [("7", "64"), ("1", "24"), ("2", "1000")] {
        let story = text(&["--seed", seed, "--accounts", accounts]);
        let mut from = 0;
        for stage in [
            "THE OPENING ---",
            "The insurance fund holds",
            "liquidation  bankruptcy",
            "THE SLOW WAY DOWN ---",
            "Gus is refused: \"Account has insufficient Available Balance,",
            "Gus's long of",
            "Clara is cured.",
            "Dora's long of",
            "THE GAP ---",
            "cancel all their quotes",
            "Wes's long of",
            "it rests to sell at",
            "THE SWEEP ---",
            "fund pays",
            "THE AUTO-DELEVERAGING ---",
            "●●●●●      100x",
            "are deleveraged",
            "SECONDS LATER ---",
            "THE AFTERMATH ---",
            "cured, liquidated",
            "THE LEDGER ---",
            "insurance funded",
            "realised loss of longs",
            "realised profit of shorts",
            "maker rebates",
            "sweeps below bankruptcy",
            "together",
            "THE LAWS ---",
            "SUM-1  holds",
            "SUM-2  holds",
            "SUM-3  holds",
            "SUM-4  holds",
            "SUM-5  holds",
            "SUM-6  holds",
            "SUM-7  holds",
        ] {
            let words = story[from..].split_whitespace().collect::<Vec<_>>().join(" ");
            let stage = stage.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words.contains(&stage), "seed {seed}: no {stage:?} in its place");
            // Headings fix the place; between them the order is the market's.
            if let Some(heading) = stage.strip_suffix(" ---") {
                from += story[from..].find(&format!("\n{heading} ---")).unwrap_or(0);
            }
        }
        assert!(!story.contains('\u{1b}'), "no colours where nobody looks");
        for line in story.lines() {
            assert!(line.chars().count() <= PAGE, "seed {seed}: {} columns: {line}", line.chars().count());
        }
    }
}

/// The ledger as it is printed, read back by its columns.
#[test]
fn the_printed_ledger_adds_up_to_the_printed_balances() {
    let story = text(&[]);
    let amount = |text: &str| text.trim().replace(',', "").parse::<i128>().expect("a number");
    let mut lines = story.lines().skip_while(|line| !line.starts_with("THE LEDGER")).skip(4);
    let mut books = BTreeMap::<String, i128>::new();
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        let (from, to, xbt) = (line[30..51].trim(), line[51..72].trim(), amount(&line[79..]));
        *books.entry(from.to_owned()).or_default() -= xbt;
        *books.entry(to.to_owned()).or_default() += xbt;
    }
    assert!(books.len() >= 6, "{books:?}");
    let mut together = 0;
    for line in lines.skip(1).take_while(|line| !line.starts_with("together")) {
        let (name, ledger, engine) = (line[..30].trim(), amount(&line[30..51]), amount(&line[51..72]));
        assert_eq!(ledger, engine, "{line}");
        assert_eq!(books.remove(name).unwrap_or(0), ledger, "{line}");
        together += ledger;
    }
    assert_eq!((together, books.len()), (0, 0), "{books:?}");
}
