//! What was compared with the recording, and what came of it.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};

/// Differences that are shown in full; the rest is counted.
pub const SHOWN: usize = 20;

/// The checks that every report names; where a format does not make one it is empty.
const ALWAYS_NAMED: [&str; 3] = ["value", "maker", "top_of_book"];

/// One check: how often it held.
#[derive(Clone, Default, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Check {
    /// It held.
    pub matched: u64,
    /// It did not, for a cause of the closed list in `docs/replay.md`, by cause.
    pub explained: BTreeMap<&'static str, u64>,
    /// It did not.
    pub unmatched: u64,
}

/// All checks of a replay, and the first differences in words.
#[derive(Clone, Default, Debug)]
pub struct Checks {
    checks: Vec<(&'static str, Check)>,
    differences: Vec<String>,
}

impl Checks {
    /// The check of that name, from now on part of the report.
    fn check(&mut self, name: &'static str) -> &mut Check {
        let at = self.checks.iter().position(|(other, _)| *other == name).unwrap_or_else(|| {
            self.checks.push((name, Check::default()));
            self.checks.len() - 1
        });
        &mut self.checks[at].1
    }

    /// Declares a check, so that it is reported even when nothing comes to be compared.
    pub fn declare(&mut self, name: &'static str) {
        self.check(name);
    }

    /// It held.
    pub fn matched(&mut self, name: &'static str) {
        self.check(name).matched += 1;
    }

    /// It did not hold, and the recording itself says why.
    pub fn explained(&mut self, name: &'static str, cause: &'static str) {
        *self.check(name).explained.entry(cause).or_insert(0) += 1;
    }

    /// It did not hold: `difference` says where, what was recorded and what the engine did.
    pub fn unmatched(&mut self, name: &'static str, difference: impl FnOnce() -> String) {
        self.check(name).unmatched += 1;
        if self.differences.len() < SHOWN {
            self.differences.push(format!("{name}: {}", difference()));
        }
    }

    /// Held or not.
    pub fn compare(&mut self, name: &'static str, holds: bool, difference: impl FnOnce() -> String) {
        if holds { self.matched(name) } else { self.unmatched(name, difference) }
    }

    /// The checks in the order they were first made.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Check)> {
        self.checks.iter().map(|(name, check)| (*name, check))
    }

    /// The first differences in words.
    #[must_use]
    pub fn differences(&self) -> &[String] {
        &self.differences
    }

    /// How often a check held, over all.
    #[must_use]
    pub fn all_matched(&self) -> u64 {
        self.checks.iter().map(|(_, check)| check.matched).sum()
    }

    /// How often a cause explained it, over all.
    #[must_use]
    pub fn all_explained(&self) -> u64 {
        self.checks.iter().flat_map(|(_, check)| check.explained.values()).sum()
    }

    /// How often a check did not hold, over all.
    #[must_use]
    pub fn all_unmatched(&self) -> u64 {
        self.checks.iter().map(|(_, check)| check.unmatched).sum()
    }
}

impl Serialize for Checks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for name in ALWAYS_NAMED {
            match self.checks.iter().find(|(other, _)| *other == name) {
                Some((_, check)) => map.serialize_entry(name, check)?,
                None => map.serialize_entry(name, &BTreeMap::<&str, u64>::new())?,
            }
        }
        for (name, check) in self.checks.iter().filter(|(name, _)| !ALWAYS_NAMED.contains(name)) {
            map.serialize_entry(name, check)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_counts_and_the_three_names_are_always_there() {
        let mut checks = Checks::default();
        checks.matched("maker");
        checks.explained("trade", "swept");
        checks.compare("trade", false, || "row 7".to_owned());
        assert_eq!((checks.all_matched(), checks.all_explained(), checks.all_unmatched()), (1, 1, 1));
        assert_eq!(checks.differences(), ["trade: row 7"]);
        assert_eq!(
            serde_json::to_string(&checks).unwrap(),
            "{\"value\":{},\"maker\":{\"matched\":1,\"explained\":{},\"unmatched\":0},\"top_of_book\":{},\
             \"trade\":{\"matched\":0,\"explained\":{\"swept\":1},\"unmatched\":1}}"
        );
    }
}
