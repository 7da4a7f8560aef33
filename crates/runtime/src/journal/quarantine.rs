//! Commands that every replay refuses. (Law 6)
//!
//! An operator names a command that stops the engine. The word stands in the log as a frame of its own kind,
//! which no client can send; it takes no number and the engine never sees it. Every replay looks for such
//! frames before it applies anything, and hands the engine, in the command's place, something the engine
//! refuses as quarantined: a command of kind `Quarantine` with the same number, time, account, session and request.
//! So the number is used up, the session's request counts as answered, and nothing else changes.

use contract::Command;
use contract::command::{Action, Quarantine};

/// A command that every replay refuses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quarantined {
    /// The command.
    pub seq: u64,
    /// The last command when it was quarantined: trailers between the two tell of a run that had
    /// carried it out, so their chains mean nothing any more.
    pub since: u64,
    /// Why.
    pub why: Quarantine,
}

impl Quarantined {
    /// Why, as text.
    #[must_use]
    pub fn text(&self) -> &str {
        let end = self.why.text.iter().position(|byte| *byte == 0).unwrap_or(self.why.text.len());
        std::str::from_utf8(&self.why.text[..end]).unwrap_or("")
    }
}

/// All of them, in the order in which they were spoken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quarantines(Vec<Quarantined>);

impl Quarantines {
    pub(crate) fn take(&mut self, record: &Command) {
        if let Some(Action::Quarantine(why)) = record.action() {
            self.0.push(Quarantined { seq: why.seq, since: record.seq(), why });
        }
    }

    pub(crate) fn all(&self) -> &[Quarantined] {
        &self.0
    }

    /// What stands in the place of a command; none where it is not quarantined.
    pub(crate) fn stand_in(&self, command: &Command) -> Option<Command> {
        let found = self.0.iter().find(|one| one.seq == command.seq())?;
        let stand_in = Command::new(command.account(), Action::Quarantine(found.why));
        Some(stand_in.stamped(command.seq(), command.ts()).from_session(command.session(), command.request()))
    }

    /// Those that were read first; the others never became safe.
    pub(crate) fn keep(&mut self, count: usize) {
        self.0.truncate(count);
    }

    /// Does a trailer behind command `last_seq` tell of the run as it is replayed?
    pub(crate) fn agree_at(&self, last_seq: u64) -> bool {
        self.0.iter().all(|one| last_seq < one.seq || last_seq > one.since)
    }
}
