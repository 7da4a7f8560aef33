//! `centum check`: what it passes, what it must not pass, and what it refuses.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value, json};

/// What one run said.
struct Outcome {
    code: i32,
    text: String,
    complaint: String,
}

fn check(file: &Path, json: bool) -> Outcome {
    let mut command = Command::new(env!("CARGO_BIN_EXE_centum"));
    command.arg("check").arg(file);
    if json {
        command.arg("--json");
    }
    let output = command.output().expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Outcome {
        code: output.status.code().expect("it ends by itself"),
        text: text(output.stdout),
        complaint: text(output.stderr),
    }
}

fn examples_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/examples/worked-examples.json")
}

fn examples() -> Value {
    serde_json::from_str(&std::fs::read_to_string(examples_file()).expect("the examples")).expect("JSON")
}

/// Writes `content` to a file of its own and checks it.
fn check_text(name: &str, content: &str, json: bool) -> Outcome {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("check");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(name);
    std::fs::write(&file, content).expect("a file");
    check(&file, json)
}

fn check_examples(name: &str, examples: &Value) -> (i32, Value) {
    let file = json!({ "schema": 1, "examples": examples });
    let outcome = check_text(name, &file.to_string(), true);
    (outcome.code, serde_json::from_str(&outcome.text).unwrap_or(Value::Null))
}

fn counts(report: &Value) -> [u64; 3] {
    ["passed", "failed", "skipped"].map(|key| report[key].as_u64().expect("a count"))
}

fn example(kind: &str, inputs: Value, expected: Value) -> Value {
    json!({ "id": "one", "kind": kind, "inputs": inputs, "expected": expected, "verification": "exact" })
}

/// Every recorded example agrees; the four that illustrate in words are skipped by name.
#[test]
fn the_worked_examples_pass() {
    let outcome = check(&examples_file(), false);
    assert_eq!(outcome.code, 0, "{}", outcome.text);
    assert_eq!(outcome.text.lines().last(), Some("88 passed, 0 failed, 4 skipped"));
    for (id, kind) in [
        ("order-premium-doc", "order_init_margin_premium"),
        ("adl-doc-allocation", "adl_allocation"),
        ("liq-doc", "liquidation_doc"),
        ("iso-doc", "isolated_doc"),
    ] {
        let line = format!("skipped {id} ({kind}): not recomputed");
        assert!(outcome.text.lines().any(|l| l.starts_with(&line)), "{line} in\n{}", outcome.text);
    }
}

/// The object of `docs/examples-format.md`, on one line.
#[test]
fn json_is_one_object_on_one_line() {
    let outcome = check(&examples_file(), true);
    assert_eq!(outcome.text.lines().count(), 1);
    let report: Value = serde_json::from_str(&outcome.text).expect("JSON");
    let skipped =
        json!({ "order_init_margin_premium": 1, "adl_allocation": 1, "liquidation_doc": 1, "isolated_doc": 1 });
    let expected = json!({
        "schema": "centum.check/1", "passed": 88, "failed": 0, "skipped": 4, "failures": [], "skipped_kinds": skipped
    });
    assert_eq!(report, expected);
}

/// What `docs/rules.md` says of each kind of example is what the file has and the check makes of it.
#[test]
fn the_table_of_the_rules_counts_the_examples() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.md");
    let page = std::fs::read_to_string(page).expect("the rules");
    let table = page.split("### Worked examples\n").nth(1).expect("the table").split("\n#").next().expect("a part");
    let written: Vec<&str> =
        table.lines().filter(|line| line.starts_with("| `") || line.starts_with("| all")).collect();

    let report: Value = serde_json::from_str(&check(&examples_file(), true).text).expect("JSON");
    assert_eq!(report["failed"], 0);
    let all = examples();
    let mut kinds: Vec<(&str, [u64; 5])> = Vec::new();
    for one in all["examples"].as_array().expect("a list") {
        let kind = one["kind"].as_str().expect("a kind");
        let at = kinds.iter().position(|(known, _)| *known == kind).unwrap_or_else(|| {
            kinds.push((kind, [0; 5]));
            kinds.len() - 1
        });
        let [count, exact, printed, explained, skipped] = &mut kinds[at].1;
        *count += 1;
        let verification = one["verification"].as_str().unwrap_or("exact");
        if verification == "not_recomputed" {
            *skipped += 1;
        } else if verification.starts_with("exact") {
            *exact += 1;
        } else {
            *printed += 1;
        }
        *explained += one["except"].as_object().map_or(0, |fields| fields.len() as u64);
    }
    let mut sums = [0; 5];
    for (kind, counts) in &kinds {
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        assert_eq!(report["skipped_kinds"][kind].as_u64().unwrap_or(0), counts[4], "{kind}: what the check skips");
        is_written(&written, &format!("`{kind}`"), counts);
    }
    is_written(&written, "all", &sums);
    assert_eq!(written.len(), kinds.len() + 1, "no kind that there is not");
    assert_eq!(report["passed"], sums[1] + sums[2]);
}

#[track_caller]
fn is_written(rows: &[&str], name: &str, counts: &[u64; 5]) {
    let cells = counts.map(|count| if count == 0 { String::new() } else { format!("{count} ") });
    let row = format!("| {name} | {}", cells.map(|cell| format!("{cell}|")).join(" "));
    assert!(rows.iter().any(|line| line.starts_with(&row)), "no row {row:?}");
}

/// Every way to alter a leaf that is one printed step, a sign or a word.
fn alterations(leaf: &Value) -> Vec<Value> {
    let texts = |text: &str| -> Vec<String> {
        let Ok(number) = rust_decimal::Decimal::from_str_exact(text) else { return vec![format!("{text}!")] };
        let step = rust_decimal::Decimal::new(1, number.scale());
        let mut out = vec![number + step, number - step, number * rust_decimal::Decimal::TEN + step];
        if !number.is_zero() {
            out.push(-number);
        }
        out.iter().map(ToString::to_string).collect()
    };
    match leaf {
        Value::Number(number) => {
            texts(&number.to_string()).into_iter().map(|text| serde_json::from_str(&text).expect("a number")).collect()
        }
        Value::String(text) => texts(text).into_iter().map(Value::String).collect(),
        other => panic!("a leaf is a number or a text, not {other}"),
    }
}

/// Every leaf of `value` as a JSON pointer.
fn leaves(path: &str, value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| leaves(&format!("{path}/{key}"), value, out)),
        Value::Array(list) => list.iter().enumerate().for_each(|(i, value)| leaves(&format!("{path}/{i}"), value, out)),
        Value::Null => {}
        _ => out.push(path.to_owned()),
    }
}

/// Any one expected number altered by one printed step makes the check fail, and so names the example.
///
/// posCost of the 2023 position is a state from which only rounded numbers follow: it is seen from ten
/// satoshi on.
#[test]
fn any_altered_number_is_found() {
    let all = examples();
    let funding = &all["examples"].as_array().expect("a list").iter().find(|e| e["id"] == "funding-doc-1").cloned();
    let mut altered = 0;
    for one in all["examples"].as_array().expect("a list") {
        let id = one["id"].as_str().expect("an id");
        let is_skipped = one["verification"] == "not_recomputed";
        let mut paths = Vec::new();
        leaves("/expected", &one["expected"], &mut paths);
        assert!(!paths.is_empty(), "{id} expects something");
        for path in paths {
            let leaf = one.pointer(&path).expect("it is there");
            let changes = match (id, path.as_str()) {
                ("pos-2023-02-28-long900-cross", "/expected/posCost") => vec![json!(-4_325_631), json!(-4_325_611)],
                _ => alterations(leaf),
            };
            for change in changes {
                let mut copy = one.clone();
                *copy.pointer_mut(&path).expect("it is there") = change.clone();
                let mut list = vec![copy];
                // The net of a documented profit needs the funding example beside it.
                if id == "pnl-doc-perp" {
                    list.extend(funding.clone());
                }
                let (code, report) = check_examples("altered.json", &Value::Array(list));
                if is_skipped {
                    assert_eq!(counts(&report), [0, 0, 1], "{id} is never passed");
                    continue;
                }
                assert_eq!(code, 1, "{id}{path}: {leaf} altered to {change} passes: {report}");
                assert!(report["failures"].as_array().expect("a list").iter().all(|f| f["id"] == id));
                altered += 1;
            }
        }
    }
    assert!(altered > 1_000, "{altered} alterations");
}

/// A difference is named by example, rule, field, expected and got, in both outputs.
#[test]
fn a_difference_is_named() {
    let wrong = example(
        "trade_gross_value",
        json!({ "size": 10_000, "price": "6520", "unitRule": "per_contract" }),
        json!({ "grossValue": 153_374_233 }),
    );
    let (code, report) = check_examples("difference.json", &json!([wrong]));
    assert_eq!((code, counts(&report)), (1, [0, 1, 0]));
    let failure = json!({
        "id": "one", "rule": "VALUE-1", "field": "grossValue", "expected": "153374233", "got": "153370000"
    });
    assert_eq!(report["failures"], json!([failure]));
    let text = check_text("difference.txt", &json!({ "schema": 1, "examples": [wrong] }).to_string(), false).text;
    assert_eq!(
        text,
        "differs one: grossValue (VALUE-1): expected 153374233, got 153370000\n0 passed, 1 failed, 0 skipped\n"
    );
}

/// What no formula covers is named and counts as skipped; a difference beside it still counts.
#[test]
fn unknown_fields_and_kinds_are_never_passed() {
    let inputs = json!({ "size": 100, "price": "10000" });
    for (expected, outcome) in [
        (json!({ "grossValue": 1_000_000 }), [1, 0, 0]),
        (json!({ "grossValue": 1_000_000, "moonPhase": 3 }), [0, 0, 1]),
        (json!({ "grossValue": 1_000_001, "moonPhase": 3 }), [0, 1, 0]),
        (json!({ "moonPhase": null }), [0, 0, 1]),
        (json!({}), [0, 0, 1]),
    ] {
        let (_, report) =
            check_examples("unknown.json", &json!([example("trade_gross_value", inputs.clone(), expected.clone())]));
        assert_eq!(counts(&report), outcome, "{expected}");
    }
    let one = json!({ "schema": 1, "examples": [
        example("trade_gross_value", inputs.clone(), json!({ "grossValue": 1_000_000, "moonPhase": 3 })),
    ]});
    assert!(check_text("unknown.txt", &one.to_string(), false).text.contains("moonPhase"));
    let (code, report) = check_examples("kind.json", &json!([example("moon_phase", inputs, json!({ "x": 1 }))]));
    assert_eq!((code, counts(&report)), (0, [0, 0, 1]));
    assert_eq!(report["skipped_kinds"], json!({ "moon_phase": 1 }));
}

/// Inputs that are null or missing: what needs them is reported as not checked, all else is compared.
#[test]
fn null_and_missing_inputs() {
    let all = examples();
    let mut never_passed_wrongly = 0;
    for one in all["examples"].as_array().expect("a list") {
        for key in one["inputs"].as_object().expect("inputs").keys() {
            let mut nulled = one.clone();
            nulled["inputs"][key] = Value::Null;
            let mut missing = one.clone();
            missing["inputs"].as_object_mut().expect("inputs").remove(key);
            let (by_null, by_missing) =
                (check_examples("null.json", &json!([nulled])), check_examples("null.json", &json!([missing])));
            assert_eq!(by_null, by_missing, "{} {key}: null and missing are the same", one["id"]);
            assert!((0..=2).contains(&by_null.0), "{} {key}: {}", one["id"], by_null.0);
            never_passed_wrongly += 1;
        }
    }
    assert!(never_passed_wrongly > 300);
    let position = json!({ "currentQty": -500, "leverage": "25", "takerFee": "0.00075", "markPrice": null,
        "walletBalance": null, "crossMargin": false, "maintMarginReq": "0.005" });
    let expected = json!({ "posCost": 7_435_000, "posInit": 297_400, "posMargin": 303_200, "unrealisedPnl": -2_000 });
    let (_, report) = check_examples("nulls.json", &json!([example("position", position.clone(), expected)]));
    assert_eq!(counts(&report), [0, 0, 1], "without a mark there is no unrealised PnL: {report}");
    let expected = json!({ "posCost": 7_435_000, "posInit": 297_400, "posMargin": 303_200, "unrealisedPnl": null });
    let (_, report) = check_examples("nulls.json", &json!([example("position", position, expected)]));
    assert_eq!(counts(&report), [1, 0, 0], "{report}");
}

/// Other numbers, other units, numbers as JSON numbers and as text.
#[test]
fn the_same_kinds_with_other_numbers() {
    let kinds = [
        // VIEW-1 in units of 100 contracts, 24 hours of 2026.
        (
            "vwap",
            json!({ "volume": "133709000", "turnover": 170_591_044_239u64, "unitRule": "per_100_lot" }),
            json!({ "vwap": "78380.3485" }),
        ),
        (
            "fair_price",
            json!({ "indexPrice": 78176.66, "fundingRate": -2.4e-05, "minutesUntilFunding": 419 }),
            json!({ "fairPrice": "78175.02", "fairBasis": "-1.64", "fairBasisRate": "-0.02628" }),
        ),
        (
            "impact_mid",
            json!({ "impactBidPrice": "78124.3897", "impactAskPrice": "78129.8831", "tick": "0.1" }),
            json!({ "impactMidPrice": "78127.1" }),
        ),
        (
            "order_cost",
            json!({ "side": "Sell", "qty": 100, "price": "3583.5" }),
            json!({ "openOrderSellCost": -2_790_600 }),
        ),
        // OM-3's decisive numbers.
        (
            "order_init_margin",
            json!({ "leverage": "100", "takerFee": "0.0005", "currentQty": -1_298_000,
            "openOrderBuyQty": 1_320_000, "openOrderBuyCost": -2_491_483_400i64,
            "openOrderSellQty": 480_000, "openOrderSellCost": -611_853_400 }),
            json!({ "initMargin": 6_881_811, "grossOpenCost": 625_334_844 }),
        ),
        (
            "pnl_doc",
            json!({ "contracts": 500, "entry": "1000", "exit": "1500", "side": "short" }),
            json!({ "pnlXBT": "-0.16666667" }),
        ),
        (
            "adl_ranking",
            json!({ "shorts": [
            { "account": 7, "qty": 5, "score": "-0.5" }, { "account": 5, "qty": 10, "score": "-0.5" },
            { "account": 6, "qty": 10, "score": "0.01" }, { "account": 4, "qty": 10, "score": "-0.50" },
        ] }),
            json!({ "order": [6, 4, 5, 7], "percentile": { "6": 40, "4": 60, "5": 100, "7": 100 } }),
        ),
        (
            "trade_gross_value",
            json!({ "size": 2_500, "price": "33613", "unitRule": "per_100_lot" }),
            json!({ "grossValue": 7_437_600, "homeNotional": 0.07437600 }),
        ),
        (
            "adl_score_derived",
            json!({ "markValue": 110, "avgEntryValue": 100, "bankruptValue": 90 }),
            json!({ "effectiveLeverage": "5.5", "pnlPercentage": "0.1", "score": "0.55" }),
        ),
        (
            "wallet_roll",
            json!({ "balanceBefore": 5, "rows": [{ "type": "Withdrawal", "amount": -3 },
            { "type": "Withdrawal", "amount": -3, "transactStatus": "Canceled" }] }),
            json!({ "balanceAfter": 2 }),
        ),
    ];
    for (kind, inputs, expected) in kinds {
        let (_, report) = check_examples("others.json", &json!([example(kind, inputs, expected)]));
        assert_eq!(counts(&report), [1, 0, 0], "{kind}: {report}");
    }
}

/// Two inputs that contradict each other are a difference. (Rule OM-3)
#[test]
fn a_contradiction_between_inputs_is_a_difference() {
    let inputs = json!({ "grossOpenCost": 26_460, "leverage": "1", "takerFee": "0.00075", "openOrderBuyQty": 7,
        "openOrderBuyCost": -185_213, "currentQty": -6 });
    let (code, report) = check_examples(
        "contradiction.json",
        &json!([example("order_init_margin", inputs, json!({ "initMargin": 26_519 }))]),
    );
    assert_eq!(code, 1);
    assert_eq!(report["failures"][0]["rule"], "OM-3");
    assert_eq!(report["failures"][0]["got"], "26459");
}

/// An exception is not compared; what depends on it takes the recorded value, and is.
#[test]
fn exceptions() {
    let all = examples();
    let late = all["examples"].as_array().expect("a list").iter().find(|e| e["id"] == "pos-2020-07-28-short2-cross");
    let mut strict = late.expect("it is there").clone();
    strict.as_object_mut().expect("an object").remove("except");
    let (_, report) = check_examples("except.json", &json!([strict]));
    let fields: Vec<&str> =
        report["failures"].as_array().expect("a list").iter().map(|f| f["field"].as_str().expect("text")).collect();
    assert_eq!(fields, ["maintMargin", "posCross", "posMargin"], "without its exception it differs");
}

/// Unusable input is refused with a word about where, and exit code 2.
#[test]
fn unusable_input() {
    let odd = |key: &str, value: Value| {
        let mut inputs = Map::from_iter([("size".to_owned(), json!(100)), ("price".to_owned(), json!("10000"))]);
        inputs.insert(key.to_owned(), value);
        json!({ "schema": 1, "examples": [example("trade_gross_value", Value::Object(inputs), json!({ "grossValue": 1 }))] })
            .to_string()
    };
    let twice = example("vwap", json!({}), json!({ "vwap": "1" }));
    let cases = [
        ("empty", String::new(), "not JSON"),
        ("words", "hello".into(), "not JSON"),
        ("list", "[]".into(), "not an object"),
        ("schema", r#"{"schema":2,"examples":[]}"#.into(), "schema"),
        ("none", r#"{"schema":1}"#.into(), "no list"),
        ("bare", r#"{"schema":1,"examples":[{}]}"#.into(), "examples[0]: no `id`"),
        ("inputs", r#"{"schema":1,"examples":[{"id":"a","kind":"b"}]}"#.into(), "no `inputs`"),
        ("twice", json!({ "schema": 1, "examples": [twice, twice] }).to_string(), "two examples"),
        ("price", odd("price", json!("0")), "one: price"),
        ("negative", odd("price", json!(-5)), "one: price"),
        ("fine", odd("price", json!("6520.001")), "one: price"),
        ("text", odd("size", json!("many")), "one: size"),
        ("huge", odd("size", json!("99999999999999999999")), "one: size"),
        ("large", odd("size", json!(9_999_999_999_999_999i64)), "LIMIT-1"),
        ("unit", odd("unitRule", json!("per_moon")), "one: unitRule"),
        ("object", odd("size", json!({})), "one: size"),
    ];
    for (name, content, complaint) in cases {
        let outcome = check_text(&format!("{name}.unusable"), &content, false);
        assert_eq!(outcome.code, 2, "{name}: {}{}", outcome.text, outcome.complaint);
        assert!(outcome.complaint.contains(complaint), "{name}: {}", outcome.complaint);
        assert!(outcome.text.is_empty(), "{name}: {}", outcome.text);
    }
    assert_eq!(check(Path::new("there-is-no-such-file.json"), true).code, 2);
}
