//! A journal on a disk, or none.

use contract::Command;

use crate::disk::FileDisk;
use crate::journal::{self, InMemory, Journal, Writer};

/// How a venue's commands are kept.
#[derive(Debug)]
pub(super) enum Keeper {
    Disk(Box<Writer<FileDisk>>),
    Memory(InMemory),
}

impl Journal for Keeper {
    fn reserve(&mut self, commands: usize) -> Result<(), journal::Error> {
        match self {
            Keeper::Disk(writer) => writer.reserve(commands),
            Keeper::Memory(memory) => memory.reserve(commands),
        }
    }

    #[inline]
    fn append(&mut self, command: &Command) -> Result<(), journal::Error> {
        match self {
            Keeper::Disk(writer) => writer.append(command),
            Keeper::Memory(memory) => memory.append(command),
        }
    }

    fn commit(&mut self, chain: Option<u64>) -> Result<journal::Batch<'_>, journal::Error> {
        match self {
            Keeper::Disk(writer) => writer.commit(chain),
            Keeper::Memory(memory) => memory.commit(chain),
        }
    }

    fn prepare(&mut self) -> Result<(), journal::Error> {
        match self {
            Keeper::Disk(writer) => writer.prepare(),
            Keeper::Memory(memory) => memory.prepare(),
        }
    }

    fn appended_seq(&self) -> u64 {
        match self {
            Keeper::Disk(writer) => writer.appended_seq(),
            Keeper::Memory(memory) => memory.appended_seq(),
        }
    }

    fn durable_seq(&self) -> u64 {
        match self {
            Keeper::Disk(writer) => writer.durable_seq(),
            Keeper::Memory(memory) => memory.durable_seq(),
        }
    }
}
