//! `centum snapshot`, and what `centum journal verify` says of snapshots.

mod support;

use std::fs;
use std::path::Path;

use support::{centum, scratch, testdata};

/// The golden journal, to be changed: 330 commands, one of them quarantined.
fn golden(folder: &Path) -> String {
    for entry in fs::read_dir(testdata("journal/1")).expect("the golden journal") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), folder.join(entry.file_name())).expect("a copy");
    }
    folder.to_str().expect("a plain path").to_owned()
}

const NAME: &str = "00000000000000000330.snapshot";

#[test]
fn a_follower_writes_what_a_replay_gives_and_verify_agrees() {
    let folder = scratch("snapshot_follower");
    let directory = golden(&folder);
    let before = fs::read(folder.join("00000001.journal")).expect("a segment");
    let told = centum(&["snapshot", &directory]);
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert!(told.stderr.contains("from the genesis, 330 commands to replay: about 1 s"), "{}", told.stderr);
    for line in [NAME, "330 of them replayed", "stand still"] {
        assert!(told.stdout.contains(line), "{line}: {}", told.stdout);
    }
    assert_eq!(fs::read(folder.join("00000001.journal")).expect("a segment"), before, "the journal is only read");
    let digest = centum(&["journal", "digest", &directory, "--json"]).json();
    let again = centum(&["snapshot", &directory, "--json"]).json();
    assert_eq!(
        (&again["schema"], &again["new"], &again["commands"]),
        (&"centum.snapshot/1".into(), &false.into(), &0.into())
    );
    assert_eq!(
        (&again["digest"], &again["chain"], &again["begun_at"]),
        (&digest["digest"], &digest["chain"], &330.into())
    );

    let verified = centum(&["journal", "verify", &directory]);
    assert!(
        verified.code == 0 && verified.stdout.contains("snapshot     of command 330 agrees"),
        "{}",
        verified.stdout
    );
    let report = centum(&["journal", "verify", &directory, "--json"]).json();
    assert_eq!((&report["snapshots"][0]["seq"], &report["snapshots"][0]["agrees"]), (&330.into(), &true.into()));
    centum(&["snapshot", "no/such/directory"]).is_unusable(&["no/such/directory"]);
    let empty = scratch("snapshot_empty");
    centum(&["snapshot", empty.to_str().expect("a plain path")]).is_unusable(&["no journal here"]);
}

/// Damage is a difference, exit code 1, told with its place; a follower passes it over and writes it anew.
#[test]
fn a_damaged_snapshot_is_told() {
    let folder = scratch("snapshot_damage");
    let directory = golden(&folder);
    assert_eq!(centum(&["snapshot", &directory]).code, 0);
    let whole = fs::read(folder.join(NAME)).expect("a snapshot");
    let mut bytes = whole.clone();
    bytes[900] ^= 16;
    fs::write(folder.join(NAME), &bytes).expect("a snapshot");
    let told = centum(&["journal", "verify", &directory]);
    assert_eq!(told.code, 1, "{}", told.stderr);
    for word in [NAME, "DAMAGED", "not those that were written"] {
        assert!(told.stdout.contains(word), "{word}: {}", told.stdout);
    }
    let mended = centum(&["snapshot", &directory]);
    assert!(mended.code == 0 && mended.stderr.contains("passed over"), "{}", mended.stderr);
    assert_eq!(fs::read(folder.join(NAME)).expect("a snapshot"), whole, "the same state, the same bytes");
    // One of a journal that went further: safe commands are gone.
    let name = "00000000000000000400.snapshot";
    let mut bytes = whole;
    bytes[16..24].copy_from_slice(&400u64.to_le_bytes());
    fs::write(folder.join(name), &bytes).expect("a snapshot");
    let told = centum(&["journal", "verify", &directory]);
    assert!(told.code == 1 && told.stdout.contains("DAMAGED: its header is damaged"), "{}", told.stdout);
}

/// Without its beginning a journal is verified from the oldest snapshot on; a ledger is refused.
#[test]
fn a_journal_without_its_beginning_is_verified_from_a_snapshot() {
    let folder = scratch("snapshot_late");
    let directory = golden(&folder);
    let digest = centum(&["journal", "digest", &directory, "--json"]).json();
    assert_eq!(centum(&["snapshot", &directory]).code, 0);
    fs::remove_file(folder.join("00000001.journal")).expect("a segment");
    let told = centum(&["journal", "verify", &directory]);
    assert!(
        told.code == 0 && told.stdout.contains("begins       with the snapshot of command 330"),
        "{}{}",
        told.stdout,
        told.stderr
    );
    let report = centum(&["journal", "verify", &directory, "--json"]).json();
    assert_eq!((&report["digest"], &report["begun_at"]), (&digest["digest"], &330.into()));
    let ledger = folder.join("ledger.csv");
    let ledger = ledger.to_str().expect("a plain path");
    centum(&["journal", "verify", &directory, "--ledger", ledger]).is_unusable(&["without --ledger"]);
    fs::remove_file(folder.join(NAME)).expect("a snapshot");
    let told = centum(&["journal", "verify", &directory]);
    assert!(told.code == 1 && told.stderr.contains("no snapshot leads into it"), "{}", told.stderr);
}
