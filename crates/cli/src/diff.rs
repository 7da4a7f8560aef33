//! `centum diff`: the first place where two journals are not of one market.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use contract::Command;
use runtime::disk::FileDisk;
use runtime::journal::{Quarantined, Reader, Scan, What};

use crate::error::{EXIT_DIFFERENCE, Error, Result};
use crate::journal::{open, show::command_row};

/// How many equal commands are shown before a difference.
const CONTEXT: usize = 3;

/// Compares two journals: their commands one by one, their chains wherever both have one, and what is quarantined.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// A journal's directory.
    a: PathBuf,
    /// Another's.
    b: PathBuf,
}

/// One journal, read command by command.
struct Side<'a> {
    name: String,
    directory: &'a Path,
    reader: std::iter::Peekable<Reader<'a, FileDisk>>,
}

impl<'a> Side<'a> {
    fn new(directory: &'a Path, disk: &'a FileDisk, scan: &'a Scan) -> Side<'a> {
        Side { name: directory.display().to_string(), directory, reader: scan.read(disk).peekable() }
    }

    /// The next command; none at the end.
    fn command(&mut self) -> Result<Option<Command>> {
        for entry in self.reader.by_ref() {
            if let What::Command(command) = entry.map_err(Error::journal(self.directory))?.what {
                return Ok(Some(command));
            }
        }
        Ok(None)
    }

    /// The chain behind the last command, where a trailer stands there and knows it.
    fn chain(&mut self) -> Option<u64> {
        let mut found = None;
        while let Some(Ok(entry)) = self.reader.peek() {
            match entry.what {
                What::Command(_) => break,
                What::Trailer { chain } => found = found.or(chain),
                What::Quarantine(_) => {}
            }
            self.reader.next();
        }
        found
    }
}

/// Runs the command; the result is the exit code.
pub fn run(args: &Args) -> Result<u8> {
    let disks = [open(&args.a)?, open(&args.b)?];
    let scans =
        [Scan::of(&disks[0]).map_err(Error::journal(&args.a))?, Scan::of(&disks[1]).map_err(Error::journal(&args.b))?];
    if scans[0].genesis() != scans[1].genesis() {
        println!("the journals differ in their genesis: contract or capacity");
        return Ok(EXIT_DIFFERENCE);
    }
    let mut a = Side::new(&args.a, &disks[0], &scans[0]);
    let mut b = Side::new(&args.b, &disks[1], &scans[1]);
    let mut before: VecDeque<Command> = VecDeque::with_capacity(CONTEXT + 1);
    let (mut count, mut chains, mut agreed_at) = (0u64, 0u64, 0u64);
    loop {
        let (one, other) = (a.command()?, b.command()?);
        let (Some(one), Some(other)) = (one, other) else {
            if one.is_none()
                && other.is_none()
                && let Some(text) = quarantined_in_one(&scans)
            {
                println!("{text}");
                return Ok(EXIT_DIFFERENCE);
            }
            return Ok(ended([&a.name, &b.name], [one, other], count, chains));
        };
        if one != other {
            println!("the journals differ at command {}", count + 1);
            before.iter().for_each(|command| println!("  {}", command_row(command)));
            println!("A {}\nB {}", command_row(&one), command_row(&other));
            return Ok(EXIT_DIFFERENCE);
        }
        count += 1;
        before.push_back(one);
        if before.len() > CONTEXT {
            before.pop_front();
        }
        if let (Some(in_a), Some(in_b)) = (a.chain(), b.chain()) {
            if in_a != in_b {
                println!(
                    "the commands are the same up to {count}, the chains are not: {in_a:016x} in A, {in_b:016x} in B; \
                     the engines went apart between command {} and command {count}",
                    agreed_at + 1
                );
                before.iter().for_each(|command| println!("  {}", command_row(command)));
                return Ok(EXIT_DIFFERENCE);
            }
            (chains, agreed_at) = (chains + 1, count);
        }
    }
}

/// The first command that replays of one journal refuse and those of the other do not, or for another reason.
fn quarantined_in_one([a, b]: &[Scan; 2]) -> Option<String> {
    let only = |these: &Scan, others: &Scan| {
        let is_in_both =
            |one: &Quarantined| others.quarantined().iter().any(|it| (it.seq, it.why) == (one.seq, one.why));
        these.quarantined().iter().copied().filter(|one| !is_in_both(one)).min_by_key(|one| one.seq)
    };
    let firsts = [("A", only(a, b)), ("B", only(b, a))].into_iter().filter_map(|(name, one)| Some((name, one?)));
    let (name, one) = firsts.min_by_key(|(_, one)| one.seq)?;
    let (seq, text) = (one.seq, one.text());
    Some(format!(
        "the commands are the same, but command {seq} is quarantined in {name}: {text:?}; its replays refuse it"
    ))
}

/// At least one of the two is at its end.
fn ended([a, b]: [&str; 2], next: [Option<Command>; 2], count: u64, chains: u64) -> u8 {
    let (shorter, longer, command) = match next {
        [None, None] => {
            println!("the same {count} commands; the chains agree in {chains} places");
            return 0;
        }
        [None, Some(command)] => (a, b, command),
        [Some(command), _] => (b, a, command),
    };
    println!("{shorter} ends after {count} commands, {longer} goes on with\n  {}", command_row(&command));
    EXIT_DIFFERENCE
}
