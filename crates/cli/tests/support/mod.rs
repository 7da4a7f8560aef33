//! What the tests of the binary share: running it, files beside it, recordings that may be absent.
#![allow(dead_code)] // each test binary uses its own part

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What came of a run.
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// The JSON object on the standard output, which must be one line.
    pub fn json(&self) -> serde_json::Value {
        assert_eq!(self.stdout.lines().count(), 1, "one object, one line: {}{}", self.stdout, self.stderr);
        serde_json::from_str(&self.stdout).expect("JSON")
    }

    /// Unusable input: exit code 2, and the message says all of `words`.
    #[track_caller]
    pub fn is_unusable(&self, words: &[&str]) {
        assert_eq!(self.code, 2, "{}{}", self.stdout, self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is missing in: {}", self.stderr);
        }
    }
}

/// Runs `centum` with these arguments.
pub fn centum(args: &[&str]) -> Outcome {
    let output = Command::new(env!("CARGO_BIN_EXE_centum")).args(args).output().expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Outcome {
        code: output.status.code().expect("an exit code"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// A folder of its own for one test, emptied.
pub fn scratch(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a scratch folder");
    folder
}

/// Writes a file into a folder and gives its name.
pub fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("a scratch file");
    path.to_str().expect("a plain path").to_owned()
}

/// A file of `testdata`.
pub fn testdata(name: &str) -> String {
    format!("{}/../../testdata/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A recording that may not be published with the project, from `shared` beside it or from the folder
/// that `CENTUM_SHARED` names: `None`, and said so, where it is absent.
pub fn shared(name: &str) -> Option<String> {
    let folder =
        std::env::var("CENTUM_SHARED").unwrap_or_else(|_| format!("{}/../../../shared", env!("CARGO_MANIFEST_DIR")));
    let path = Path::new(&folder).join("data").join(name);
    if path.exists() {
        return path.to_str().map(str::to_owned);
    }
    skipped(name);
    None
}

/// Says that a recording is absent, past the test runner, which keeps what passing tests print to itself.
pub fn skipped(name: &str) {
    let line = format!("skipped: {name} (not in ../shared/data; CENTUM_SHARED names another folder than ../shared)\n");
    std::io::stderr().write_all(line.as_bytes()).expect("stderr");
}

/// The text of a packed recording.
pub fn unpacked(path: &str) -> String {
    let file = std::fs::File::open(path).expect("the recording");
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).expect("gzip text");
    text
}

/// Packs a text.
pub fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

/// The text with the first `from` of line `line` (from 1) replaced.
#[track_caller]
pub fn altered(text: &str, line: usize, from: &str, to: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let place = &mut lines[line - 1];
    assert!(place.contains(from), "line {line} has no {from:?}: {place}");
    *place = place.replacen(from, to, 1);
    lines.join("\n") + "\n"
}

/// `docs/rules.md` says so many rows of this recording, so many numbers that are the same, so many explained.
#[track_caller]
pub fn is_documented(recording: &str, rows: u64, exact: u64, explained: u64) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.md");
    let page = std::fs::read_to_string(page).expect("the rules");
    let table = page.split("### Recordings\n").nth(1).expect("the table of recordings");
    let row = format!("| {recording} | {} | {} | {} |", grouped(rows), grouped(exact), grouped(explained));
    assert!(table.lines().any(|line| line.starts_with(&row)), "docs/rules.md has no row {row:?}");
}

/// `12,453`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let parts = digits.as_bytes().rchunks(3).rev().map(|part| String::from_utf8_lossy(part).into_owned());
    parts.collect::<Vec<_>>().join(",")
}
