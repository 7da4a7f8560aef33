//! `centum check`: recomputes worked examples with the contract's own functions.
//!
//! In    a file of examples: what was recorded or documented, as inputs and expected numbers.
//! Out   every difference, with its rule and field; what was not checked, by name, never as passed.
//!
//! `docs/examples-format.md` describes the file. `example` reads it, `formulas` computes,
//! `compare` decides whether two numbers are the same.

mod compare;
mod example;
mod formulas;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use example::{Example, Unusable};

/// All well.
const ALL_WELL: u8 = 0;
/// A difference was found.
const DIFFERENCE: u8 = 1;
/// The input cannot be used.
const UNUSABLE: u8 = 2;

/// What came of a file. As JSON: `centum.check/1`.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    schema: &'static str,
    /// Examples in which every expected number was computed and is the same.
    pub passed: usize,
    /// Examples with at least one difference.
    pub failed: usize,
    /// Examples that were not, or not wholly, computed.
    pub skipped: usize,
    /// Every difference.
    pub failures: Vec<Failure>,
    /// Skipped examples by kind.
    pub skipped_kinds: BTreeMap<String, usize>,
    /// Why each skipped example was skipped, and what `except` left out; for the reader.
    #[serde(skip)]
    pub notes: Vec<String>,
}

/// One expected number that came out differently.
#[derive(Debug, Serialize)]
pub struct Failure {
    /// The example.
    pub id: String,
    /// The rule that computes the field.
    pub rule: String,
    /// Where in `expected`.
    pub field: String,
    /// What the file says.
    pub expected: String,
    /// What the contract's functions say.
    pub got: String,
}

/// Checks the file, prints the report, and returns the exit code: 0 all well, 1 a difference, 2
/// unusable input.
pub fn run(path: &Path, json: bool) -> ExitCode {
    let report = std::fs::read_to_string(path)
        .map_err(|error| Unusable::file(&error.to_string()))
        .and_then(|text| check_text(&text));
    let report = match report {
        Ok(report) => report,
        Err(unusable) => {
            eprintln!("{}: {unusable}", path.display());
            return ExitCode::from(UNUSABLE);
        }
    };
    if json {
        println!("{}", serde_json::to_string(&report).expect("a report is plain JSON"));
    } else {
        print(&report);
    }
    ExitCode::from(if report.failed > 0 { DIFFERENCE } else { ALL_WELL })
}

fn print(report: &Report) {
    for failure in &report.failures {
        let Failure { id, rule, field, expected, got } = failure;
        println!("differs {id}: {field} ({rule}): expected {expected}, got {got}");
    }
    for note in &report.notes {
        println!("{note}");
    }
    println!("{} passed, {} failed, {} skipped", report.passed, report.failed, report.skipped);
}

/// Checks a file's text.
///
/// # Errors
/// Where it is not a file of examples, or an input is not a number in range.
pub fn check_text(text: &str) -> Result<Report, Unusable> {
    let examples = example::read(text)?;
    let mut report = Report { schema: "centum.check/1", ..Report::default() };
    for example in &examples {
        check_example(example, &examples, &mut report)?;
    }
    Ok(report)
}

/// One example: passed where every expected number was computed and is the same, skipped where none
/// differs but one was not computed.
fn check_example(example: &Example, all: &[Example], report: &mut Report) -> Result<(), Unusable> {
    if example.verification == "not_recomputed" {
        report.skip(example, "not recomputed: an illustration in words or continuous formulas");
        return Ok(());
    }
    let Some(findings) = formulas::compute(example, all)? else {
        report.skip(example, "no rule built so far covers this kind");
        return Ok(());
    };
    let verdict = compare::compare(example, &findings);
    for note in &verdict.notes {
        report.notes.push(format!("note {}: {note}", example.id));
    }
    if !verdict.failures.is_empty() {
        report.failed += 1;
        report.failures.extend(verdict.failures);
    } else if !verdict.unchecked.is_empty() {
        report.skip(example, &format!("not checked: {}", verdict.unchecked.join("; ")));
    } else if verdict.compared == 0 {
        report.skip(example, "expects nothing");
    } else {
        report.passed += 1;
    }
    Ok(())
}

impl Report {
    fn skip(&mut self, example: &Example, why: &str) {
        self.skipped += 1;
        *self.skipped_kinds.entry(example.kind.clone()).or_default() += 1;
        self.notes.push(format!("skipped {} ({}): {why}", example.id, example.kind));
    }
}
