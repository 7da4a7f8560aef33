//! The rules of the house, read from the tree itself: every rule is cited by a test, the twin computes for
//! itself, the core stays pure, nothing names a machine, links lead somewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("crates/testkit lies in the project").to_path_buf()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files of the project, as paths from its root; nothing that is built, fetched or found by fuzzing.
fn files() -> Vec<String> {
    const LEFT_OUT: [&str; 5] = [".git", "target", "corpus", "artifacts", "mutants.out"];
    let (root, mut found, mut open) = (root(), Vec::new(), vec![PathBuf::new()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(root.join(&folder)).expect("a folder can be read") {
            let entry = entry.expect("a folder can be read");
            let name = entry.file_name().into_string().expect("names are text");
            if LEFT_OUT.contains(&name.as_str()) {
                continue;
            }
            let path = folder.join(&name);
            if entry.file_type().expect("a file has a type").is_dir() {
                open.push(path);
            } else {
                found.push(path.to_str().expect("names are text").to_string());
            }
        }
    }
    found.sort();
    found
}

fn rust_files() -> impl Iterator<Item = String> {
    files().into_iter().filter(|path| path.ends_with(".rs"))
}

/// Rule numbers in a text: `SUM-5`, and all of `SUM-1 to SUM-7`, `POS-2, 3` aside.
fn rules_in(text: &str) -> BTreeSet<String> {
    let words: Vec<&str> =
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).filter(|it| !it.is_empty()).collect();
    let rule = |word: &str| -> Option<(String, u32)> {
        let (family, number) = word.split_once('-')?;
        let is_family = family.len() >= 2 && family.bytes().all(|byte| byte.is_ascii_uppercase());
        is_family.then_some(())?;
        Some((family.to_string(), number.parse().ok()?))
    };
    let mut found = BTreeSet::new();
    for (at, word) in words.iter().enumerate() {
        let Some((family, first)) = rule(word) else { continue };
        let last = match words.get(at + 1..at + 3) {
            Some(["to", end]) => rule(end).filter(|(other, _)| *other == family).map_or(first, |(_, last)| last),
            _ => first,
        };
        found.extend((first..=last).map(|number| format!("{family}-{number}")));
    }
    found
}

#[test]
fn a_range_of_rules_cites_all_of_them() {
    let found: Vec<_> = rules_in("(Rules SUM-1 to SUM-3, LIQ-12) x OM-2").into_iter().collect();
    assert_eq!(found, ["LIQ-12", "OM-2", "SUM-1", "SUM-2", "SUM-3"]);
}

/// What a file says in tests: all of it below `tests/` and in fuzz targets, else `#[cfg(test)]` modules (which
/// end their file here) and doc comments with an example that runs.
fn test_text(path: &str, text: &str) -> String {
    if path.contains("/tests/") || path.starts_with("fuzz/fuzz_targets/") {
        return text.to_string();
    }
    let mut cited = text.find("#[cfg(test)]").map_or(String::new(), |at| text[at..].to_string());
    let is_doc = |line: &&str| line.trim_start().starts_with("///") || line.trim_start().starts_with("//!");
    let lines: Vec<&str> = text.lines().collect();
    for block in lines.split(|line| !is_doc(line)).filter(|block| block.iter().any(|line| line.contains("```"))) {
        cited.push('\n');
        cited.push_str(&block.join("\n"));
    }
    cited
}

/// Every rule of `docs/rules.md` is cited by a test, has its mark or is a matter of course, and an example.
#[test]
fn every_rule_is_cited_by_a_test() {
    let rules = read("docs/rules.md");
    let mut cited = BTreeSet::new();
    for path in rust_files() {
        cited.extend(rules_in(&test_text(&path, &read(&path))));
    }
    let mut defined = BTreeSet::new();
    for entry in rules.split("\n- **").skip(1) {
        let (rule, text) = entry.split_once("**").expect("a rule's number is bold");
        let text = text.split("\n## ").next().unwrap_or(text);
        assert!(text.contains("*Example:*"), "{rule} has no example");
        assert!(defined.insert(rule.to_string()), "{rule} is there twice");
    }
    assert!(defined.len() > 60, "rules are found: {}", defined.len());
    let uncited: Vec<_> = defined.difference(&cited).collect();
    assert!(uncited.is_empty(), "rules that no test cites: {uncited:?}");
}

/// Code cites no rule that `docs/rules.md` does not have, but for those that are still to come.
#[test]
fn every_rule_that_code_cites_is_written_down() {
    const TO_COME: [&str; 23] = [
        "INDEX-1", "MARK-3", "FUND-1", "FUND-2", "FUND-4", "FUND-5", "FUND-6", "TIME-1", "DAY-1", "INST-3", "INST-4",
        "INST-5", "INST-6", "INST-7", "TRIG-1", "HIDE-1", "CANCEL-2", "BULK-1", "LINK-1", "STP-1", "HALT-1", "LIQ-6",
        "LIQ-10",
    ];
    let families = [
        "VALUE", "COST", "FEE", "PNL", "POS", "MARGIN", "RISK", "WITHDRAW", "OM", "CLOSE", "LIQ", "BAL", "ADL", "INS",
        "MARK", "FUND", "VIEW", "CONTRACT", "LIMIT", "ACC", "TYPE", "TIF", "INST", "BOOK", "AMEND", "CANCEL", "ID",
        "REJECT", "STATE", "SUM", "INDEX", "TRIG", "HIDE", "LINK", "STP", "HALT", "BULK", "DAY", "TIME",
    ];
    let written = rules_in(&read("docs/rules.md"));
    for path in rust_files().filter(|path| !path.ends_with("house.rs")) {
        for rule in rules_in(&read(&path)) {
            let family = rule.split('-').next().unwrap_or("");
            let is_known = written.contains(&rule) || TO_COME.contains(&rule.as_str()) || !families.contains(&family);
            assert!(is_known, "{path} cites {rule}, which docs/rules.md does not have");
        }
    }
}

/// The twin shares words with the engine and no sums: it would repeat their mistakes. (Design §7)
#[test]
fn the_twin_computes_for_itself() {
    const WORDS: [&str; 9] = ["command", "event", "reject", "codes", "units", "spec", "cl_ord_id", "words", "Coded"];
    // Methods of shared types that compute what a rule says.
    const SUMS: [&str; 4] = ["max_side_units", "unit_numerator", "that_reduces", "is_fully_funded"];
    let mut seen = 0;
    for path in rust_files().filter(|path| path.starts_with("crates/testkit/src/twin/")) {
        let text = read(&path);
        let code: String =
            text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        for found in code.split("contract::").skip(1) {
            let names: Vec<String> = match found.strip_prefix('{') {
                Some(list) => top_level_names(list),
                None => {
                    vec![found.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or("").to_string()]
                }
            };
            for name in names {
                assert!(WORDS.contains(&name.as_str()), "{path} takes {name} from the contract");
                seen += 1;
            }
        }
        for name in SUMS {
            assert!(!code.contains(name), "{path} calls {name}: the twin computes for itself");
        }
        assert!(!code.contains("engine::"), "{path} looks at the engine");
    }
    assert!(seen > 10, "the twin's imports are found");
}

/// First words of a `use contract::{…}` list.
fn top_level_names(list: &str) -> Vec<String> {
    let (mut depth, mut names, mut name) = (0, Vec::new(), String::new());
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(std::mem::take(&mut name)),
            c if depth == 0 => name.push(c),
            _ => {}
        }
    }
    names.push(name);
    let first = |name: &String| name.trim().split("::").next().unwrap_or("").trim().to_string();
    names.iter().map(first).filter(|name| !name.is_empty()).collect()
}

/// In contract and engine no clock, file, thread or float can be named, and nothing is unsafe.
#[test]
fn the_core_is_pure() {
    for krate in ["contract", "engine"] {
        let lib = read(&format!("crates/{krate}/src/lib.rs"));
        for line in ["#![no_std]", "#![forbid(unsafe_code)]", "clippy::float_arithmetic"] {
            assert!(lib.contains(line), "{krate}: {line} is missing");
        }
        for path in rust_files().filter(|path| path.starts_with(&format!("crates/{krate}/src/"))) {
            let text = read(&path);
            let built = text.split("#[cfg(test)]").next().unwrap_or("");
            for line in built.lines().filter(|line| !line.trim_start().starts_with("//")) {
                let words: Vec<&str> = line.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
                for word in ["f32", "f64", "std", "HashMap", "unsafe"] {
                    assert!(!words.contains(&word), "{path}: {word} in `{}`", line.trim());
                }
            }
        }
    }
}

/// What the core is built of: the engine of the contract alone, the contract of serde at most, where asked.
/// (`.ci/run` looks at `cargo tree` too.)
#[test]
fn the_core_depends_on_nothing() {
    let dependencies = |path: &str| -> Vec<String> {
        let text = read(path);
        let section = text.split("\n[dependencies]\n").nth(1).unwrap_or("").split("\n[").next().unwrap_or("");
        section.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).map(str::to_string).collect()
    };
    let engine = dependencies("crates/engine/Cargo.toml");
    assert_eq!(engine, ["contract.workspace = true"]);
    for line in dependencies("crates/contract/Cargo.toml") {
        assert!(line.starts_with("serde ") && line.contains("optional = true"), "the contract depends on {line}");
    }
}

/// `docs/dependencies.md` says of every crate why it is there.
#[test]
fn every_dependency_has_its_reason() {
    let reasons = read("docs/dependencies.md");
    let mut seen = 0;
    for path in files().into_iter().filter(|path| path.ends_with("Cargo.toml")) {
        let text = read(&path);
        let mut is_list = false;
        for line in text.lines() {
            if line.starts_with('[') {
                is_list = line.ends_with("dependencies]");
            } else if let (true, Some((name, what))) = (is_list, line.split_once('=')) {
                let name = name.trim().trim_end_matches(".workspace");
                if line.starts_with('#') || what.contains("path =") || line.contains(".workspace") {
                    continue;
                }
                seen += 1;
                assert!(
                    reasons.contains(&format!("`{name}`")),
                    "{path} uses {name}, docs/dependencies.md does not say why"
                );
            }
        }
    }
    assert!(seen > 15, "dependencies are found: {seen}");
}

/// Nothing in the project names a place on someone's machine.
#[test]
fn no_file_names_a_place_on_a_machine() {
    // Put together here, so that this file does not name them either.
    let places = ["work", "root", "home", "tmp/wt", "Users"].map(|name| format!("/{name}/"));
    for path in files() {
        let bytes = fs::read(root().join(&path)).expect("a file can be read");
        let Ok(text) = String::from_utf8(bytes) else { continue };
        for (number, line) in text.lines().enumerate() {
            for place in &places {
                // A path begins with its slash: `docs/work/` is none.
                let is_path = line.match_indices(place.as_str()).any(|(at, _)| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | ')' | '}'))
                });
                assert!(!is_path, "{path}:{}: {place}", number + 1);
            }
        }
    }
}

/// Links of the documents lead to files that are there.
#[test]
fn links_lead_somewhere() {
    let mut seen = 0;
    for path in files().into_iter().filter(|path| path.ends_with(".md")) {
        let folder = Path::new(&path).parent().unwrap_or(Path::new("")).to_path_buf();
        for link in read(&path).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or("");
            if target.is_empty() || target.contains("://") || target.contains(' ') {
                continue;
            }
            seen += 1;
            assert!(root().join(&folder).join(target).exists(), "{path} links to {link}, which is not there");
        }
    }
    assert!(seen > 5, "links are found: {seen}");
}
