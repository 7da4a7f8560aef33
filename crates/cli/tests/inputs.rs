//! Files that are cut, garbled or of a kind this build does not replay, and the other two commands.

mod support;

use support::{centum, gzip, scratch, testdata, unpacked, write};

const TRADES: &str = "bitmex-trades/XBTUSD_2022-09-25_a.csv.gz";
const WS: &str = "bitmex-ws/2021-07-22_XBTUSD_SOLUSDT.ndjson.gz";

#[test]
fn what_is_not_replayed_is_refused_by_name() {
    let folder = scratch("not_built");
    for (text, name) in [
        ("ts_event_ns,ts_recv_ns,action,side,price_e9,size,order_id,flags,sequence\n", "cme-mbo"),
        ("34200.004241176,1,16113575,18,5853300,1\n", "lobster"),
    ] {
        let file = write(&folder, "source", text);
        centum(&["replay", &file]).is_unusable(&[name, "not replayed by this build"]);
    }
    let file = write(&folder, "source", "anything\n");
    for name in ["centum-journal", "lobster", "cme-mbo"] {
        centum(&["replay", &file, "--format", name]).is_unusable(&[name, "not replayed by this build"]);
    }
    centum(&["replay", &file, "--format", "sonnet"]).is_unusable(&["sonnet", "bitstamp"]);
    centum(&["replay", &file]).is_unusable(&["not recognised", "--format"]);
    centum(&["replay", "no/such/file"]).is_unusable(&["no/such/file"]);
    centum(&["replay"]).is_unusable(&["SOURCE"]);
    centum(&["fly"]).is_unusable(&["fly"]);
}

#[test]
fn a_cut_file_is_refused_or_names_its_line() {
    let folder = scratch("cut");
    let packed = std::fs::read(testdata(TRADES)).expect("the recording");
    let file = write(&folder, "cut.gz", &packed[..packed.len() / 2]);
    centum(&["replay", &file]).is_unusable(&["cut.gz", "gzip", "fetch the file again"]);
    let text = unpacked(&testdata(TRADES));
    let file = write(&folder, "cut.csv", &text[..text.len() - 30]);
    centum(&["replay", &file]).is_unusable(&["cut.csv:501:"]);
    let header = text.lines().next().expect("a header");
    centum(&["replay", &write(&folder, "empty.csv", header)]).is_unusable(&["empty.csv", "no trades"]);
    let text = unpacked(&testdata(WS));
    let file = write(&folder, "cut.ndjson", &text[..text.len() - 10]);
    centum(&["replay", &file]).is_unusable(&["cut.ndjson:1487:", "broken JSON"]);
}

/// Garbled bytes anywhere: an error or a difference, never a panic, never a lie.
#[test]
fn garbled_recordings_never_panic() {
    let folder = scratch("garbled");
    for (name, source) in [("trades", TRADES), ("ws", WS)] {
        let text = unpacked(&testdata(source));
        let mut bytes: Vec<u8> = text.into_bytes();
        let first_line = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0);
        let mut state = 12_345u64;
        for round in 0..25 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = first_line + (state >> 33) as usize % (bytes.len() - first_line);
            let before = bytes[at];
            bytes[at] = [b'9', b',', b'"', b'x', 0xff, b'-'][round % 6];
            let outcome = centum(&["replay", &write(&folder, name, &bytes)]);
            assert!((0..=2).contains(&outcome.code), "{name} byte {at}: {}", outcome.stderr);
            assert!(!outcome.stderr.contains("panicked"), "{name} byte {at}: {}", outcome.stderr);
            bytes[at] = before;
        }
    }
}

/// Any bytes of a log: read or refused, and what is read runs and keeps the sums.
#[test]
fn garbled_logs_never_panic() {
    use centum_cli::import::Options;
    use centum_cli::order_log;
    use centum_cli::source::Source;

    let mut dice = centum_cli::generate::dice::Dice::new(3);
    let logs = ["centum-log/price-time.csv", "centum-log/liquidation.jsonl"];
    let mut replayed = 0;
    for round in 0..1_500 {
        let mut bytes = std::fs::read(testdata(logs[round % 2])).expect("the example");
        for _ in 0..dice.between(1, 4) {
            let at = dice.below(bytes.len() as u64) as usize;
            match dice.below(4) {
                0 => bytes[at] = b"0123456789,\"{}.-+\n#abio"[dice.below(23) as usize],
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"0123456789"[dice.below(10) as usize]),
                _ => bytes.truncate(bytes.len().saturating_sub(dice.below(40) as usize).max(1)),
            }
        }
        let Ok(source) = Source::from_bytes("log".to_owned(), &bytes) else { continue };
        if let Ok(outcome) = order_log::replay::replay(&source, Options::default(), |_| {}) {
            outcome.runs[0].engine().check_sums().expect("the sums hold");
            replayed += 1;
        }
    }
    assert!(replayed > 250, "most small changes leave a log that can be read: {replayed}");
}

#[test]
fn wrong_values_in_a_recording_are_refused_with_their_place() {
    let folder = scratch("wrong_values");
    let text = unpacked(&testdata(TRADES));
    for (from, to, words) in [
        (",18964,", ",18964.25,", &["wrong.csv:2:", "grid of 0.5"][..]),
        (",Buy,", ",Hold,", &["wrong.csv:2:", "Buy or Sell"]),
        (",1500,18964,", ",-1500,18964,", &["wrong.csv:2:", "an integer"]),
        (",1500,18964,", ",1.5,18964,", &["wrong.csv:2:"]),
        (",7909725,", ",many,", &["wrong.csv:2:", "many"]),
        ("2022-09-25T", "2022-09-25 ", &["wrong.csv:2:", "UTC"]),
        ("9b29827d-a2a2-b1f8-0d2a-65d7bbdeb6b4", "", &["wrong.csv:2:", "36"]),
    ] {
        let file = write(&folder, "wrong.csv", support::altered(&text, 2, from, to));
        centum(&["replay", &file]).is_unusable(words);
    }
    // No whole lots: the engine refuses the order, and the trade is unmatched.
    let file = write(&folder, "lots.csv", support::altered(&text, 2, ",1500,18964,", ",1550,18964,"));
    let outcome = centum(&["replay", &file, "--json"]);
    assert_eq!(outcome.code, 1);
    assert_eq!(outcome.json()["refused_by_reason"]["InvalidOrderQty"], 1);
    assert!(outcome.stderr.contains("Invalid orderQty"), "{}", outcome.stderr);
}

#[test]
fn generated_logs_are_the_same_for_the_same_seed() {
    let folder = scratch("generate");
    let generate = |kind: &str, seed: &str, name: &str| {
        let file = folder.join(name).to_str().expect("a path").to_owned();
        let args = ["generate", kind, "--seed", seed, "--commands", "4000", "--accounts", "100", "--resting", "300"];
        let outcome = centum(&[&args[..], &["--out", &file]].concat());
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        (std::fs::read(&file).expect("the log"), file)
    };
    for kind in ["mix", "random"] {
        let (first, file) = generate(kind, "7", "a.csv");
        assert_eq!(first, generate(kind, "7", "b.csv").0, "{kind}: the same seed");
        assert_ne!(first, generate(kind, "8", "c.csv").0, "{kind}: another seed");
        let outcome = centum(&["replay", &file, "--json"]);
        assert_eq!(outcome.code, 0, "{kind}: {}", outcome.stderr);
        let report = outcome.json();
        assert_eq!(report["sums_ok"], true);
        assert!(report["fills"].as_u64() > Some(200), "{kind}: {report}");
        if kind == "mix" {
            assert_eq!((&report["refused"], &report["liquidations"]), (&0.into(), &0.into()), "{report}");
        } else {
            assert!(report["liquidations"].as_u64() > Some(0) && report["refused"].as_u64() > Some(100), "{report}");
        }
    }
}

/// 46 % new, 43 % cancel, 5 % that trade, 2.5 % reduce, 2.5 % move, and the book stays as full as asked.
#[test]
fn the_mix_is_the_mix() {
    let folder = scratch("mix");
    let file = folder.join("mix.csv").to_str().expect("a path").to_owned();
    centum(&["generate", "mix", "--commands", "20000", "--accounts", "200", "--resting", "500", "--out", &file]);
    let text = std::fs::read_to_string(&file).expect("the log");
    let (preparation, timed) = text.split_once("#bench-start\n").expect("the mark between");
    let share = |what: fn(&str) -> bool| timed.lines().filter(|line| what(line)).count() as f64 / 20_000.0;
    let is_near = |share: f64, asked: f64| (share - asked).abs() < 0.015;
    assert!(is_near(share(|line| line.contains(",new,") && !line.contains(",ioc,")), 0.46));
    assert!(is_near(share(|line| line.contains(",cancel,")), 0.43));
    assert!(is_near(share(|line| line.contains(",ioc,")), 0.05));
    assert!(is_near(share(|line| line.contains(",reduce,")), 0.025));
    assert!(is_near(share(|line| line.contains(",move,")), 0.025));
    for op in ["mark", "open", "deposit", "leverage", "new"] {
        assert!(preparation.contains(&format!(",{op},")), "{op}");
    }
    let outcome = centum(&["replay", &file, "--json", "--accounts", folder.join("a.csv").to_str().expect("a path")]);
    assert_eq!(outcome.json()["refused"], 0);
    let accounts = std::fs::read_to_string(folder.join("a.csv")).expect("the accounts");
    let flat = accounts.lines().skip(1).filter(|line| line.split(',').nth(2) == Some("0")).count();
    assert!(flat < 60, "nine in ten began with a position; {flat} of 200 are flat");
}

#[test]
fn a_benchmark_reports_its_work() {
    let folder = scratch("bench");
    let file = folder.join("mix.csv").to_str().expect("a path").to_owned();
    centum(&["generate", "mix", "--commands", "5000", "--accounts", "50", "--resting", "100", "--out", &file]);
    let replayed = centum(&["replay", &file, "--json"]).json();
    for mode in ["engine", "book"] {
        let outcome = centum(&["bench", &file, "--mode", mode, "--repeat", "2", "--json"]);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let report = outcome.json();
        assert_eq!((&report["schema"], &report["mode"]), (&"centum.bench/1".into(), &mode.into()));
        assert_eq!((&report["commands"], &report["repeat"]), (&5_000.into(), &2.into()));
        assert_eq!(report["trades_hash"], replayed["trades_hash"], "{mode}: the same trades as the replay");
        assert!(report["fills"].as_u64() > Some(100) && report["digest"].as_str().map(str::len) == Some(16));
        assert!(report["ns_per_command"]["median"].is_f64() && report["ns_per_command"]["best"].is_f64());
        for key in ["p50", "p99", "p999", "p9999"] {
            assert!(report["latency_ns"][key].is_u64(), "{key}");
        }
        if mode == "engine" {
            assert_eq!(report["digest"], replayed["digest"]);
        }
    }
    let text = gzip("op,account,id\nopen,a,\n");
    centum(&["bench", &write(&folder, "no-orders.gz", text), "--mode", "engine"]).is_unusable(&["nothing to measure"]);
    centum(&["bench", &testdata(TRADES), "--mode", "engine"]).is_unusable(&["bitmex-trades", "centum-log"]);
    centum(&["bench", &file, "--mode", "engine", "--repeat", "0"]).is_unusable(&["0"]);
}
