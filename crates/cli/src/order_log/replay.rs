//! The log through the engine.

use super::{Plan, read};
use crate::checks::Checks;
use crate::error::Result;
use crate::import::Options;
use crate::report::Outcome;
use crate::run::Run;
use crate::source::{Format, Source};

/// Replays a log.
pub fn replay(source: &Source, options: Options, mut tick: impl FnMut(u64)) -> Result<Outcome> {
    let Plan { spec, capacity, commands, accounts, rows, .. } = read(source, options.spec)?;
    let mut run = Run::new(spec, capacity)?;
    run.name_traders(accounts);
    run.send_fills_to(options.sink);
    let mut checks = Checks::default();
    for (at, (ts, command)) in commands.iter().enumerate() {
        run.apply_command(command, *ts, &mut checks)?;
        tick(at as u64 + 1);
    }
    run.finish(&mut checks)?;
    let format = Format::CentumLog.name();
    Ok(Outcome { format, rows, runs: vec![run], fills_of: 0, checks, notes: Vec::new() })
}
