//! A journal that keeps nothing: for research, for tests, and to see what the real one costs.

use contract::Command;

use super::error::Error;
use super::{Batch, Journal};

/// Takes every command and forgets it. Whatever is told is lost with the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct InMemory {
    seq: u64,
    ts: u64,
}

impl InMemory {
    /// One that goes on behind this command.
    #[must_use]
    pub const fn behind(seq: u64, ts: u64) -> InMemory {
        InMemory { seq, ts }
    }
}

impl Journal for InMemory {
    fn reserve(&mut self, _commands: usize) -> Result<(), Error> {
        Ok(())
    }

    fn append(&mut self, command: &Command) -> Result<(), Error> {
        let (seq, ts) = (command.seq(), command.ts());
        if seq != self.seq + 1 || ts < self.ts {
            return Err(Error::Order { seq, ts, last_seq: self.seq, last_ts: self.ts });
        }
        (self.seq, self.ts) = (seq, ts);
        Ok(())
    }

    fn commit(&mut self, _chain: Option<u64>) -> Result<Batch<'_>, Error> {
        Ok(Batch { segment: 0, offset: 0, bytes: &[], last_seq: self.seq })
    }

    fn appended_seq(&self) -> u64 {
        self.seq
    }

    fn durable_seq(&self) -> u64 {
        self.seq
    }
}
