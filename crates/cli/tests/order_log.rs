//! The plain order log: every operation, every column, and what is refused with its place.

mod support;

use support::{centum, gzip, scratch, testdata, write};

/// A log of these rows under the usual header.
fn log(rows: &str) -> String {
    format!(
        "#centum-log 1 spec=XBTUSD-2019\nts_ns,op,account,id,new_id,side,qty,price,type,tif,inst,stop,display,value\n{rows}"
    )
}

/// Writes a log and replays it as JSON.
fn replay(test: &str, text: &str) -> support::Outcome {
    let file = write(&scratch(test), "log.csv", text);
    centum(&["replay", &file, "--json"])
}

#[test]
fn the_examples_give_the_fills_worked_by_hand() {
    for name in ["price-time.csv", "liquidation.jsonl"] {
        let expected = testdata(&format!("centum-log/{}.fills.csv", name.split('.').next().unwrap_or(name)));
        let outcome = centum(&["replay", &testdata(&format!("centum-log/{name}")), "--expect", &expected, "--json"]);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let report = outcome.json();
        assert_eq!(report["checks"]["expect"]["matched"], report["fills"], "{name}");
        assert_eq!((&report["refused"], &report["sums_ok"]), (&0.into(), &true.into()), "{name}");
    }
}

/// Every key of the report, in the order the format gives them.
#[test]
fn the_report_has_exactly_its_keys() {
    let outcome = centum(&["replay", &testdata("centum-log/price-time.csv"), "--json"]);
    let keys = [
        "schema",
        "source",
        "format",
        "spec",
        "rows",
        "commands",
        "orders",
        "fills",
        "qty",
        "value_xbt",
        "fees_xbt",
        "matched",
        "explained",
        "unmatched",
        "checks",
        "refused",
        "refused_by_reason",
        "liquidations",
        "deleverages",
        "insurance_xbt",
        "sums_ok",
        "seq",
        "digest",
        "chain",
        "trades_hash",
        "elapsed_ns",
        "ns_per_command",
        "latency_ns",
    ];
    let report = outcome.json();
    let object = report.as_object().expect("an object");
    assert_eq!(object.len(), keys.len());
    let mut after = 0;
    for key in keys {
        let at = outcome.stdout.find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("no {key}"));
        assert!(at >= after, "{key} stands too early");
        after = at;
    }
    assert_eq!(report["schema"], "centum.replay/1");
    for hash in ["digest", "chain", "trades_hash"] {
        let text = report[hash].as_str().expect("text");
        assert!(text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{hash}");
    }
    for key in ["p50", "p99", "p999", "max"] {
        assert!(report["latency_ns"][key].is_u64(), "{key}");
    }
    assert_eq!((&report["rows"], &report["fills"], &report["qty"]), (&10.into(), &7.into(), &430.into()));
    // A command for each row, the mark, and four accounts opened and funded.
    assert_eq!(report["commands"], 10 + 1 + 2 * 4);
    assert_eq!(report["seq"], report["commands"]);
}

/// k = maker ^ rotl(taker,21) ^ rotl(price,42) ^ rotl(qty,53); h = (h ^ k)·0x9e3779b97f4a7c15.
#[test]
fn the_trades_hash_is_the_published_one() {
    let rows = "1,new,a,7,,sell,100,10000,,,,,,\n2,new,b,9,,buy,60,10000,,,,,,\n";
    let k = 7u64 ^ 9u64.rotate_left(21) ^ 20_000u64.rotate_left(42) ^ 60u64.rotate_left(53);
    let hash = (0xcbf2_9ce4_8422_2325u64 ^ k).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    assert_eq!(replay("hash", &log(rows)).json()["trades_hash"], format!("{hash:016x}"));
    let named = log(&rows.replace(",7,", ",seven,"));
    assert_eq!(replay("hash_named", &named).json().get("trades_hash"), None, "an id that is no number");
    let renamed = log("1,new,a,x,,sell,100,10000,,,,,,\n1,amend,a,x,7,,,,,,,,,\n2,new,b,9,,buy,60,10000,,,,,,\n");
    assert_eq!(replay("hash_renamed", &renamed).json()["trades_hash"], format!("{hash:016x}"));
}

#[test]
fn csv_json_lines_gz_and_zst_are_the_same_log() {
    let folder = scratch("encodings");
    let csv = std::fs::read_to_string(testdata("centum-log/price-time.csv")).expect("the example");
    let mut lines = csv.lines().filter(|line| !line.starts_with('#'));
    let names: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let mut json = "#centum-log 1 spec=XBTUSD-2019\n".to_owned();
    let mut shuffled = "#centum-log 1 spec=XBTUSD-2019\ntif,price,qty,side,id,account,op,ts_ns\n".to_owned();
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let pairs: Vec<String> = (names.iter().zip(&cells).filter(|(_, cell)| !cell.is_empty()))
            .map(|(name, cell)| {
                let plain = ["ts_ns", "qty", "price"].contains(name);
                if plain { format!("\"{name}\": {cell}") } else { format!("\"{name}\":\"{cell}\"") }
            })
            .collect();
        json.push_str(&format!("{{{}}}\n", pairs.join(", ")));
        shuffled.push_str(&format!("{}\n", cells.iter().rev().copied().collect::<Vec<_>>().join(",")));
    }
    let zst = ruzstd::encoding::compress_to_vec(csv.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest);
    let files = [
        write(&folder, "log.csv", &csv),
        write(&folder, "log.jsonl", &json),
        write(&folder, "shuffled.csv", &shuffled),
        write(&folder, "log.csv.gz", gzip(&csv)),
        write(&folder, "log.csv.zst", zst),
        write(&folder, "named-wrongly.txt", gzip(&json)),
        write(&folder, "crlf.csv", csv.replace('\n', "\r\n")),
    ];
    let digest = |file: &String| {
        let outcome = centum(&["replay", file, "--json"]);
        assert_eq!(outcome.code, 0, "{file}: {}", outcome.stderr);
        outcome.json()["digest"].clone()
    };
    for file in &files[1..] {
        assert_eq!(digest(file), digest(&files[0]), "{file}");
    }
}

#[test]
fn fills_and_accounts_are_written_with_the_logs_names() {
    let folder = scratch("tables");
    let (fills, accounts) = (folder.join("fills.csv"), folder.join("accounts.csv"));
    let (fills, accounts) = (fills.to_str().expect("a path"), accounts.to_str().expect("a path"));
    let log = testdata("centum-log/liquidation.jsonl");
    let outcome = centum(&["replay", &log, "--fills", fills, "--accounts", accounts]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let text = std::fs::read_to_string(fills).expect("the fills");
    assert_eq!(
        text.lines().collect::<Vec<_>>()[..2],
        [
            "seq,n,ts_ns,cause,price,qty,value_xbt,taker_side,taker_account,taker_id,taker_order,taker_fee_xbt,\
             taker_leaves,maker_account,maker_id,maker_order,maker_fee_xbt,maker_leaves",
            "8,1,2,trade,10000,1000,10000000,buy,alice,entry,2,7500,0,bob,ask,1,-2500,0",
        ]
    );
    // Alice: 1,000,000 - 7,500 entry fee - 100,000 lost - 7,575 takeover fee.
    // Bob sells at 10,000 and buys back at 9,905: 10,096,000 - 10,000,000 = 96,000, and two rebates of 2,500 and 2,524.
    assert_eq!(
        std::fs::read_to_string(accounts).expect("the accounts"),
        "account,wallet_xbt,qty,cost_xbt,realised_xbt,order_margin_xbt,liquidation_price,bankruptcy_price\n\
         alice,884925,0,0,-115075,0,0,0\nbob,100101024,0,0,101024,0,0,0\n"
    );
    // What was written is what is expected.
    assert_eq!(centum(&["replay", &log, "--expect", fills]).code, 0);
}

#[test]
fn an_expectation_that_is_not_met_is_a_difference() {
    let folder = scratch("expect");
    let log = testdata("centum-log/price-time.csv");
    let good = "maker_id,price,qty\n1,10000.0,100\n2,10000,150\n5,9999.5,100\n2,10000,30\n4,10000,30\n7,10000,10\n4,10000.00,10\n";
    let run = |text: &str| {
        let file = write(&folder, "expected.csv", text);
        let outcome = centum(&["replay", &log, "--expect", &file, "--json"]);
        let report = outcome.json();
        (outcome.code, report["matched"].as_u64(), report["unmatched"].as_u64(), outcome.stderr)
    };
    assert_eq!(run(good).0, 0);
    let (code, matched, unmatched, stderr) = run(&good.replace("2,10000,150", "2,10000,151"));
    assert_eq!((code, matched, unmatched), (1, Some(6), Some(1)));
    assert!(
        stderr.contains("expected.csv:3: fill ") && stderr.contains("qty expected \"151\" got \"150\""),
        "{stderr}"
    );
    let (code, matched, unmatched, _) = run(&format!("{good}9,1,1\n"));
    assert_eq!((code, matched, unmatched), (1, Some(7), Some(1)), "a row too many");
    let (code, matched, unmatched, _) = run(good.rsplit_once("4,").expect("a last row").0);
    assert_eq!((code, matched, unmatched), (1, Some(6), Some(1)), "a row too few");
    let file = write(&folder, "expected.csv", "maker_id,colour\n1,red\n");
    centum(&["replay", &log, "--expect", &file]).is_unusable(&["expected.csv:1", "colour", "maker_leaves"]);
}

#[test]
fn accounts_are_opened_and_funded_only_where_the_log_does_not() {
    let order = "2,new,a,1,,buy,100,10000,,,,,,\n";
    let report = |name: &str, rows: &str| replay(name, &log(rows)).json();
    assert_eq!(report("auto", order)["refused"], 0);
    // 10,000,000 contracts at 1,000 are 10,000 XBT, fifty times the profile's risk limit: a log about
    // the book alone has none, one that funds its accounts keeps it.
    let large = "2,new,a,1,,buy,10000000,1000,,,,,,\n";
    assert_eq!(report("large", large)["refused"], 0);
    let limited = report("limited", &format!("1,deposit,a,,,,,,,,,,,1000000000000000\n{large}"));
    assert_eq!(limited["refused_by_reason"]["PositionRiskLimit"], 1);
    let opened = report("opened", &format!("1,open,a,,,,,,,,,,,\n{order}"));
    assert_eq!(opened["refused_by_reason"]["InsufficientBalance"], 1, "opened but not funded");
    let funded = report("funded", &format!("1,deposit,a,,,,,,,,,,,1000000\n{order}"));
    assert_eq!(funded["refused"], 0, "opened on first use, funded by the row");
    let other = report("other", &format!("1,open,b,,,,,,,,,,,\n1,deposit,b,,,,,,,,,,,1000000\n{order}"));
    assert_eq!(other["refused_by_reason"]["InvalidAccount"], 1, "b is open, a is not");
    // A name that is never opened does not take the number of one that is.
    let late = report("late", &format!("{order}2,open,b,,,,,,,,,,,\n2,deposit,b,,,,,,,,,,,1000000\n"));
    assert_eq!((&late["refused"], &late["refused_by_reason"]["InvalidAccount"]), (&1.into(), &1.into()));
}

#[test]
fn the_account_may_be_left_out_where_the_id_tells_it() {
    let rows = "1,new,a,1,,buy,100,10000,,,,,,\n1,new,b,2,,buy,100,10000,,,,,,\n";
    for (row, refused) in [
        ("2,cancel,,2,,,,,,,,,,\n", 0),
        ("2,reduce,,2,,,10,,,,,,,\n", 0),
        ("2,move,,2,,,50,9999.5,,,,,,\n", 0),
        ("2,amend,,2,3,,200,9999,,,,,,\n", 0),
        ("2,cancel,a,2,,,,,,,,,,\n", 1),
    ] {
        let report = replay("left_out", &log(&format!("{rows}{row}"))).json();
        assert_eq!(report["refused"], refused, "{row}");
    }
    let shared = log(&format!("{rows}1,new,b,1,,buy,100,10000,,,,,,\n2,cancel,,1,,,,,,,,,,\n"));
    replay("ambiguous", &shared).is_unusable(&["log.csv:6:", "only one account"]);
    replay("unknown", &log(&format!("{rows}2,cancel,,9,,,,,,,,,,\n"))).is_unusable(&["log.csv:5:", "id \"9\""]);
}

/// Every operation is a command; those of later versions are refused by the engine, not by the reader.
#[test]
fn every_operation_is_read() {
    let rows = "1,mark,,,,,,10000,,,,,,\n1,open,a,,,,,,,,,,,\n1,open,b,,,,,,,,,,,\n1,deposit,a,,,,,,,,,,,100000000\n\
                1,deposit,b,,,,,,,,,,,100000000\n1,leverage,a,,,,,,,,,,,12.5\n1,risk_limit,a,,,,,,,,,,,20000000000\n\
                1,insurance,,,,,,,,,,,,5\n2,new,a,1,,sell,100,10001,,,post_only,,,\n2,new,b,2,,buy,50,,market,,,,,\n\
                2,margin,a,,,,,,,,,,,1000\n3,amend,a,1,9,,90,10001.5,,,,,,\n3,reduce,a,9,,,10,,,,,,,\n\
                3,move,a,9,,,20,10002,,,,,,\n3,new,b,3,,sell,50,10000,,fok,reduce_only,,,\n3,cancel,a,9,,,,,,,,,,\n\
                3,cancel_all,b,,,buy,,,,,,,,\n3,withdraw,b,,,,,,,,,,,1000\n4,clock,,,,,,,,,,,,\n4,suspend,b,,,,,,,,,,,\n";
    let outcome = replay("operations", &log(rows));
    let report = outcome.json();
    assert_eq!((outcome.code, &report["rows"], &report["commands"]), (0, &20.into(), &20.into()), "{}", outcome.stderr);
    // The fill-or-kill finds no bid: accepted and cancelled, which is no refusal.
    assert_eq!(report["refused"], 0, "{}", report["refused_by_reason"]);
    assert_eq!((&report["fills"], &report["insurance_xbt"]), (&1.into(), &5.into()));
    // What this engine does not act on yet is refused by it, and counted.
    let later = "1,mark,,,,,,10000,,,,,,\n1,open,a,,,,,,,,,,,\n1,deposit,a,,,,,,,,,,,100000000\n\
                 2,cancel_after,a,,,,,,,,,,,60000\n2,state,,,,,,,,,,,,cancel_only\n2,rate,,,,,,,,,,,,-0.0001\n\
                 2,index,,3,,,,10000.01,,,,,,\n2,new,a,1,,sell,10,,stop,,last,9990,,\n\
                 2,new,a,2,,sell,10,10000,,day,,,,\n2,new,a,3,,sell,10,10000,,,,,5,\n\
                 2,new,a,4,,sell,10,9990,lit,gtc,close+index+cancel_newest,9995,,\n";
    let report = replay("later", &log(later)).json();
    assert_eq!((&report["rows"], &report["commands"]), (&11.into(), &11.into()));
    let known = ["InvalidCommand", "InvalidPrice", "UnsupportedOrdType", "UnsupportedTimeInForce", "InvalidDisplayQty"];
    for (reason, _) in report["refused_by_reason"].as_object().expect("an object") {
        assert!(known.contains(&reason.as_str()), "{reason}");
    }
}

/// Whatever cannot be read is refused with file, line and column, what was found and what is allowed.
#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    for (row, words) in [
        ("1,new,a,1,,buy,100,10000.25,,,,,,\n", &[":3:20: found price \"10000.25\"", "grid of 0.5"][..]),
        ("1,new,a,1,,buy,100,123456789012345678901234567890,,,,,,\n", &[":3:20:", "grid"]),
        ("1,new,a,1,,buy,100,0.123456789012345678901234567890,,,,,,\n", &[":3:20:", "grid"]),
        ("1,new,a,1,,buy,100,1e4,,,,,,\n", &[":3:20:", "\"1e4\""]),
        ("1,new,a,1,,buy,100,-1,,,,,,\n", &[":3:20:", "\"-1\""]),
        ("1,new,a,1,,buy,1.5,10000,,,,,,\n", &[":3:16: found qty \"1.5\"", "an integer"]),
        ("1,new,a,1,,buy,18446744073709551616,10000,,,,,,\n", &[":3:16:", "18446744073709551615"]),
        ("1,new,a,1,,buy,-1,10000,,,,,,\n", &[":3:16:"]),
        ("1,new,a,1,,long,100,10000,,,,,,\n", &[":3:12: found side \"long\"", "buy, sell"]),
        ("1,new,a,1,,buy,100,10000,iceberg,,,,,\n", &["type \"iceberg\"", "limit, market, stop"]),
        ("1,new,a,1,,buy,100,10000,,forever,,,,\n", &["tif \"forever\"", "gtc, ioc, fok, day"]),
        ("1,new,a,1,,buy,100,10000,,,post_only+nice,,,\n", &["inst", "reduce_only", "joined by +"]),
        ("1,new,a,1234567890123456789012345678901234567,,buy,1,1,,,,,,\n", &[":3:9:", "36"]),
        ("1,new,,1,,buy,100,10000,,,,,,\n", &[":3:1:", "without account"]),
        ("1,fly,a,,,,,,,,,,,\n", &[":3:3: found op \"fly\"", "cancel_all"]),
        ("1,,a,,,,,,,,,,,\n", &[":3:1:", "without op"]),
        ("1,cancel,a,,,,,,,,,,,\n", &[":3:", "no id"]),
        ("1,reduce,a,1,,,,,,,,,,\n", &["reduce row without qty"]),
        ("1,move,a,1,,,10,,,,,,,\n", &["move row without price"]),
        ("1,deposit,a,,,,,,,,,,,9223372036854775808\n", &[":3:23:", "64 bits"]),
        ("1,deposit,a,,,,,,,,,,,1.5\n", &[":3:23:"]),
        ("1,leverage,a,,,,,,,,,,,1.005\n", &["leverage"]),
        ("1,leverage,a,,,,,,,,,,,-1\n", &["leverage"]),
        ("1,rate,,,,,,,,,,,,0.000000001\n", &["8 decimal"]),
        ("1,state,,,,,,,,,,,,asleep\n", &["open, post_only"]),
        ("1,index,,x,,,,10000,,,,,,\n", &["constituent"]),
        ("1,mark,,,,,,10000.001,,,,,,\n", &[":3:13:", "2 decimal"]),
        ("1,mark,,,,,,,,,,,,\n", &["mark row without price"]),
        ("x,clock,,,,,,,,,,,,\n", &[":3:1: found ts_ns"]),
        ("5,clock,,,,,,,,,,,,\n4,clock,,,,,,,,,,,,\n", &[":4:1: found ts_ns \"4\"", "does not fall"]),
        ("1,clock\n", &[":3:3:", "14 as in the header"]),
        ("\"1,clock,,,,,,,,,,,,\n", &[":3:1:", "closing quote"]),
        ("1,new,a,1,,buy,100,,market,,,,,\n", &["neither a mark", "add a mark row"]),
    ] {
        let outcome = replay("broken", &log(row));
        outcome.is_unusable(words);
        assert!(outcome.stderr.contains("log.csv:") && outcome.stdout.is_empty(), "{}", outcome.stderr);
    }
    for (text, words) in [
        ("#centum-log 2\nts_ns,op\n1,clock\n", &["log.csv:1", "#centum-log 1"][..]),
        ("#centum-log 1 spec=XBTUSD-1999\nts_ns,op\n1,clock\n", &["log.csv:1", "XBTUSD-2019"]),
        ("#centum-log 1 colour=red\nts_ns,op\n1,clock\n", &["log.csv:1", "colour=red"]),
        ("#centum-log 1\n", &["found no rows"]),
        ("op,op\nclock,clock\n", &["log.csv:1", "each once"]),
        ("op,colour\nclock,red\n", &["log.csv:1", "colour"]),
        ("{\"op\":\"clock\"}\n{\"op\":\"clock\",}\n", &["log.csv:2:", "broken JSON"]),
        ("{\"op\":\"clock\",\"colour\":1}\n", &["log.csv:1:24", "colour"]),
        ("{\"op\":\"clock\",\"ts_ns\":[1]}\n", &["log.csv:1:23", "[1]"]),
        ("{\"op\":\"mark\",\"price\":10000.001}\n", &["log.csv:1:22", "10000.001"]),
        ("{\"op\":\"mark\",\"price\":1e4}\n", &["log.csv:1:22", "1e4"]),
        ("", &["not recognised", "--format"]),
        ("hello\n", &["not recognised"]),
    ] {
        let outcome = replay("broken", text);
        outcome.is_unusable(words);
    }
}

/// What a log can express but the engine must not do is refused by the engine and counted.
#[test]
fn attempts_to_overflow_are_refused_and_the_sums_hold() {
    let max = u64::MAX;
    let rows = format!(
        "1,new,a,1,,buy,{max},10000,,,,,,\n1,new,a,2,,buy,10000000,1000000,,,,,,\n1,new,a,3,,sell,10000000,0.5,,ioc,,,,\n\
         1,new,a,4,,buy,10,1000000.5,,,,,,\n1,new,a,5,,buy,0,10000,,,,,,\n1,new,a,6,,,10,10000,,,,,,\n1,new,a,7,,buy,10,0,,,,,,\n\
         2,amend,a,2,,,{max},,,,,,,\n2,move,a,2,,,{max},1000000,,,,,,\n2,reduce,a,2,,,{max},,,,,,,\n\
         2,deposit,b,,,,,,,,,,,{big}\n2,withdraw,b,,,,,,,,,,,{big}\n2,margin,b,,,,,,,,,,,-{big}\n\
         2,risk_limit,b,,,,,,,,,,,{big}\n2,insurance,,,,,,,,,,,,{big}\n2,leverage,b,,,,,,,,,,,42949672.95\n",
        big = i64::MAX
    );
    let outcome = replay("overflow", &log(&rows));
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    let report = outcome.json();
    assert_eq!(report["sums_ok"], true);
    assert!(report["refused"].as_u64() >= Some(10), "{report}");
}

#[test]
fn a_spec_file_is_a_contract() {
    let folder = scratch("spec");
    let spec = write(&folder, "mine.toml", "base = \"XBTUSD-2021\"\nname = \"MINE\"\ntick_size = \"0.1\"\nlot = 200\n");
    let log =
        write(&folder, "log.csv", "op,account,id,side,qty,price\nnew,a,1,buy,200,10000.1\nnew,a,2,buy,100,10000.1\n");
    let outcome = centum(&["replay", &log, "--spec", &spec, "--json"]);
    let report = outcome.json();
    assert_eq!((&report["spec"], &report["refused_by_reason"]["InvalidOrderQty"]), (&"MINE".into(), &1.into()));
    centum(&["replay", &log, "--spec", "XBTUSD-2019"]).is_unusable(&["10000.1", "0.5"]);
    centum(&["replay", &log, "--spec", "nothing.toml"]).is_unusable(&["nothing.toml"]);
    let outcome = centum(&["replay", &log, "--spec", "XBTUSD-2026", "--json"]);
    assert_eq!((outcome.code, &outcome.json()["spec"]), (0, &"XBTUSD-2026".into()), "{}", outcome.stderr);
    let bad = write(&folder, "bad.toml", "lot = 3\nvalue_unit = 2\n");
    centum(&["replay", &log, "--spec", &bad]).is_unusable(&["bad.toml", "lot"]);
}
