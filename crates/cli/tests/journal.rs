//! `centum journal` and `centum diff`, from a log to a journal and back.

mod support;

use std::fs;
use std::path::Path;

use support::{centum, scratch, testdata, write};

const LOG: &str = "centum-log/liquidation.jsonl";

/// A journal of the log with a liquidation, in batches of so many.
fn journal(folder: &Path, name: &str, batch: &str) -> String {
    let directory = folder.join(name).to_str().expect("a plain path").to_owned();
    let made = centum(&["journal", "write", &testdata(LOG), &directory, "--batch", batch, "--segment-mib", "1"]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    directory
}

/// The golden journal, to be changed.
fn golden(folder: &Path, name: &str) -> String {
    let to = folder.join(name);
    fs::create_dir_all(&to).expect("a folder");
    for entry in fs::read_dir(testdata("journal/1")).expect("the golden journal") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
    }
    to.to_str().expect("a plain path").to_owned()
}

#[test]
fn a_log_becomes_a_journal_with_the_same_chain_and_digest() {
    let folder = scratch("journal_write");
    let directory = journal(&folder, "j", "3");
    let replayed = centum(&["replay", &testdata(LOG), "--json"]).json();
    let digest = centum(&["journal", "digest", &directory, "--json"]);
    assert_eq!(digest.code, 0);
    assert!(digest.stderr.contains("10 commands in 1 segments: about 1 s"), "{}", digest.stderr);
    let digest = digest.json();
    assert_eq!((&digest["digest"], &digest["chain"]), (&replayed["digest"], &replayed["chain"]));
    let again = centum(&["journal", "write", &testdata(LOG), &directory]);
    again.is_unusable(&["a journal here already", "empty directory"]);
    let recording = testdata("bitmex-trades/XBTUSD_2019-05-03_a.csv.gz");
    centum(&["journal", "write", &recording, &format!("{directory}2")]).is_unusable(&["XBTUSD_2019"]);
}

#[test]
fn show_lists_commands_batches_and_the_genesis() {
    let folder = scratch("journal_show");
    let directory = journal(&folder, "j", "4");
    let all = centum(&["journal", "show", &directory]).stdout;
    let rows = ["contract XBTUSD-2019", "Deposit amount=1000000", "cl_ord_id=ask qty=1000 side=Sell", "batch ends at"];
    rows.iter().for_each(|row| assert!(all.contains(row), "{row}: {all}"));
    assert_eq!(all.lines().count(), 1 + 1 + 10 + 3, "{all}");
    let genesis = centum(&["journal", "show", &directory, "--to", "0"]).stdout;
    assert!(genesis.starts_with("journal ") && genesis.lines().count() == 1, "{genesis}");
    let some = centum(&["journal", "show", &directory, "--from", "7", "--to", "8", "--json"]).stdout;
    let some: Vec<serde_json::Value> = some.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let entries: Vec<&str> = some.iter().filter_map(|entry| entry["entry"].as_str()).collect();
    assert_eq!(entries, ["command", "command", "trailer"]);
    assert_eq!((&some[0]["seq"], &some[0]["fields"]["price"]), (&7.into(), &20_000.into()));
    centum(&["journal", "show", "no/such/directory"]).is_unusable(&["no/such/directory"]);
    centum(&["journal", "show", folder.to_str().expect("a plain path")]).is_unusable(&["no journal here"]);
}

/// SUM-5: the ledger names every satoshi's movement and adds up to the balances.
#[test]
fn verify_replays_and_writes_the_ledger() {
    let folder = scratch("journal_verify");
    let ledger = folder.join("ledger.csv");
    let ledger = ledger.to_str().expect("a plain path");
    let directory = testdata("journal/1");
    let verified = centum(&["journal", "verify", &directory, "--ledger", ledger]);
    assert_eq!(verified.code, 0, "{}", verified.stderr);
    for line in ["330", "quarantined", "closed in order", "every book is what the engine says"] {
        assert!(verified.stdout.contains(line), "{line}: {}", verified.stdout);
    }
    let rows = fs::read_to_string(ledger).expect("the ledger");
    let mut books: std::collections::BTreeMap<&str, i128> = Default::default();
    let mut lines = rows.lines();
    assert_eq!(lines.next(), Some("seq,n,ts_ns,from,to,xbt,reason"));
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let [_, _, _, from, to, xbt, _] = cells[..] else { panic!("{line}") };
        let xbt: i128 = xbt.parse().expect("satoshi");
        *books.entry(from).or_default() -= xbt;
        *books.entry(to).or_default() += xbt;
    }
    assert!(books.len() > 10 && books.values().sum::<i128>() == 0, "{books:?}");
    let report = centum(&["journal", "verify", &directory, "--json"]).json();
    assert_eq!((&report["schema"], &report["commands"]), (&"centum.journal/1".into(), &330.into()));
    assert_eq!(report["quarantined"], serde_json::json!([165]));
    let expected = fs::read_to_string(Path::new(&directory).join("expected.txt")).expect("the golden outcome");
    assert!(expected.contains(report["digest"].as_str().expect("text")), "{expected} {report}");
}

/// Damage is a difference, exit code 1, told with its place; a torn tail is no damage.
#[test]
fn damage_is_told_and_a_torn_tail_noted() {
    let folder = scratch("journal_damage");
    let directory = golden(&folder, "flipped");
    let segment = Path::new(&directory).join("00000002.journal");
    let mut bytes = fs::read(&segment).expect("a segment");
    bytes[5_000] ^= 4;
    fs::write(&segment, &bytes).expect("a segment");
    for command in ["verify", "show", "digest"] {
        let told = centum(&["journal", command, &directory]);
        assert_eq!(told.code, 1, "{command}: {}", told.stderr);
        for word in ["damaged at 00000002.journal byte 49", "not those that were written", "backup"] {
            assert!(told.stderr.contains(word), "{command} {word}: {}", told.stderr);
        }
    }
    let directory = golden(&folder, "torn");
    // The third segment was made ahead and is empty.
    let last = Path::new(&directory).join("00000002.journal");
    let mut bytes = fs::read(&last).expect("a segment");
    let end = bytes.iter().rposition(|byte| *byte != 0).expect("it has bytes") + 64;
    bytes[end] = 7;
    fs::write(&last, &bytes).expect("a segment");
    let told = centum(&["journal", "verify", &directory]);
    assert!(told.code == 0 && told.stdout.contains("torn tail"), "{}{}", told.stdout, told.stderr);
    // Cut off is damage, not torn.
    fs::write(&last, &bytes[..20_000]).expect("a segment");
    let told = centum(&["journal", "verify", &directory]);
    assert!(told.code == 1 && told.stderr.contains("its header says 32768"), "{}", told.stderr);
    fs::remove_file(&last).expect("a segment");
    let told = centum(&["journal", "verify", &directory]);
    assert!(told.code == 1 && told.stderr.contains("00000002.journal") && told.stderr.contains("missing"));
}

#[test]
fn quarantine_changes_every_replay() {
    let folder = scratch("journal_quarantine");
    let directory = journal(&folder, "j", "3");
    let before = centum(&["journal", "digest", &directory, "--json"]).json();
    let reason = "--reason";
    let done = centum(&["journal", "quarantine", &directory, "--seq", "8", reason, "it stopped the engine"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let after = centum(&["journal", "digest", &directory, "--json"]).json();
    assert_eq!(after["seq"], before["seq"]);
    assert_ne!(after["digest"], before["digest"]);
    let shown = centum(&["journal", "show", &directory]).stdout;
    assert!(shown.contains("QUARANTINED: it stopped the engine"), "{shown}");
    let again = centum(&["journal", "quarantine", &directory, "--seq", "8", reason, "x"]);
    again.is_unusable(&["quarantined already"]);
    centum(&["journal", "quarantine", &directory, "--seq", "11", reason, "x"]).is_unusable(&["no such command"]);
    let long = "x".repeat(81);
    centum(&["journal", "quarantine", &directory, "--seq", "7", reason, &long]).is_unusable(&["80 characters"]);
}

#[test]
fn diff_names_the_first_difference() {
    let folder = scratch("journal_diff");
    let (a, b) = (journal(&folder, "a", "3"), journal(&folder, "b", "6"));
    let same = centum(&["diff", &a, &b]);
    assert!(same.code == 0 && same.stdout.contains("the same 10 commands"), "{}{}", same.stdout, same.stderr);
    let text = fs::read_to_string(testdata(LOG)).expect("the log");
    let other = write(&folder, "other.jsonl", text.replacen("\"1000\"", "\"900\"", 1).replacen(":1000,", ":900,", 1));
    let c = folder.join("c").to_str().expect("a plain path").to_owned();
    assert_eq!(centum(&["journal", "write", &other, &c]).code, 0);
    let differs = centum(&["diff", &a, &c]);
    assert_eq!(differs.code, 1, "{}", differs.stdout);
    for word in ["differ at command", "\nA ", "\nB "] {
        assert!(differs.stdout.contains(word), "{word:?}: {}", differs.stdout);
    }
    let shorter =
        write(&folder, "short.jsonl", text.lines().take(text.lines().count() - 1).collect::<Vec<_>>().join("\n"));
    let d = folder.join("d").to_str().expect("a plain path").to_owned();
    assert_eq!(centum(&["journal", "write", &shorter, &d]).code, 0);
    let differs = centum(&["diff", &a, &d]);
    assert!(differs.code == 1 && differs.stdout.contains("ends after 9 commands"), "{}", differs.stdout);
    let golden = testdata("journal/1");
    let differs = centum(&["diff", &a, &golden]);
    assert!(differs.code == 1 && differs.stdout.contains("genesis"), "{}", differs.stdout);
    assert_eq!(centum(&["journal", "quarantine", &b, "--seq", "7", "--reason", "a test"]).code, 0);
    for (one, other, name) in [(&a, &b, "B"), (&b, &a, "A")] {
        let differs = centum(&["diff", one, other]);
        let told = differs.stdout.contains(&format!("command 7 is quarantined in {name}: \"a test\""));
        assert!(differs.code == 1 && told, "{}", differs.stdout);
    }
    assert_eq!(centum(&["diff", &b, &b]).code, 0);
    centum(&["diff", &a, "no/such/directory"]).is_unusable(&["no/such/directory"]);
}
