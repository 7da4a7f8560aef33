//! The plain order log, `centum-log 1`: one row, one command. (`docs/formats.md`)
//!
//! The text is read twice: once to learn what the log as a whole says (are accounts opened, is there
//! a mark, which ids are unique), once to make the commands. Nothing is applied before the last row
//! has been read, so a log with a broken row changes nothing.

mod cells;
mod commands;
pub mod replay;
mod survey;

use contract::{Capacity, Command, ContractSpec};

use crate::error::{Error, Result};
use crate::source::Source;
use crate::spec_file;
use cells::Reader;

/// The fourteen keys, in the order of `cells::Key`.
pub const COLUMNS: [&str; 14] = [
    "ts_ns", "op", "account", "id", "new_id", "side", "qty", "price", "type", "tif", "inst", "stop", "display", "value",
];

/// The comment before which everything is preparation. (`centum bench`)
pub const BENCH_START: &str = "#bench-start";

/// A log, ready to be applied.
pub struct Plan {
    /// The contract, external marking where the log asks for it.
    pub spec: ContractSpec,
    /// Room for all it holds.
    pub capacity: Capacity,
    /// Its commands, not numbered yet; each has its time.
    pub commands: Vec<(u64, Command)>,
    /// The names of the accounts, from number 4 on.
    pub accounts: Vec<String>,
    /// Rows of the log.
    pub rows: u64,
    /// Index of the first command after the preparation.
    pub bench_start: usize,
}

/// Reads a log; `spec` is the contract given on the command line.
pub fn read(source: &Source, spec: Option<ContractSpec>) -> Result<Plan> {
    let spec = match (spec, named_spec(source)?) {
        (Some(spec), _) | (None, Some(spec)) => spec,
        (None, None) => ContractSpec::XBTUSD_2019,
    };
    let survey = survey::survey(&mut Reader::new(source)?, &spec)?;
    commands::plan(&mut Reader::new(source)?, spec, &survey)
}

/// The contract that the first line names.
fn named_spec(source: &Source) -> Result<Option<ContractSpec>> {
    let Some(first) = source.text.lines().next().filter(|line| line.starts_with("#centum-log")) else {
        return Ok(None);
    };
    let bad = |found: &str| {
        Error::Unusable(format!(
            "{}:1: found {found:?}; allowed: \"#centum-log 1\" or \"#centum-log 1 spec=PROFILE\"",
            source.name
        ))
    };
    let mut words = first.split_whitespace().skip(1);
    if words.next() != Some("1") {
        return Err(bad(first));
    }
    let mut spec = None;
    for word in words {
        let name = word.strip_prefix("spec=").ok_or_else(|| bad(word))?;
        spec = Some(spec_file::load(name).map_err(|error| Error::Unusable(format!("{}:1: {error}", source.name)))?);
    }
    Ok(spec)
}
