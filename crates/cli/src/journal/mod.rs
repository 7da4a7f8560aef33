//! `centum journal`: a journal made from a log, shown, checked, and a command of it quarantined.

pub mod fields;
mod ledger;
pub mod show;
mod snapshots;
mod verify;
mod write;

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use runtime::disk::FileDisk;
use runtime::journal::{Options, Scan, Writer};

use crate::error::{Error, Result};

/// Journals: the commands a market was made of, safe on disk.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    Write(write::Args),
    Show(show::Args),
    Verify(verify::Args),
    /// Replays a journal and prints chain and digest at its end.
    Digest {
        /// The journal's directory.
        directory: PathBuf,
        /// Prints one JSON object instead of the lines.
        #[arg(long)]
        json: bool,
    },
    /// Lets every replay refuse one command, because it stops the engine.
    Quarantine {
        /// The journal's directory.
        directory: PathBuf,
        /// The command.
        #[arg(long)]
        seq: u64,
        /// Why, at most 80 characters of ASCII.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// Runs the command; the result is the exit code.
pub fn run(args: &Args) -> Result<u8> {
    match &args.what {
        What::Write(args) => write::run(args),
        What::Show(args) => show::run(args),
        What::Verify(args) => verify::run(args),
        What::Digest { directory, json } => verify::digest(directory, *json),
        What::Quarantine { directory, seq, reason } => quarantine(directory, *seq, reason),
    }
}

fn quarantine(directory: &Path, seq: u64, reason: &str) -> Result<u8> {
    let bad = Error::journal(directory);
    let disk = FileDisk::open(directory).map_err(|error| cannot_open(directory, error))?;
    let scan = Scan::of(&disk).map_err(&bad)?;
    for torn in scan.torn() {
        eprintln!("note  {torn}; it is removed");
    }
    let mut journal = Writer::open(disk, Options::default(), &scan).map_err(&bad)?;
    journal.quarantine(&scan, seq, reason).map_err(&bad)?;
    journal.close().map_err(&bad)?;
    println!("command {seq} is quarantined: every replay refuses it. {reason:?}");
    Ok(0)
}

/// A journal to look at, whoever writes it.
pub fn open(directory: &Path) -> Result<FileDisk> {
    FileDisk::read_only(directory).map_err(|error| cannot_open(directory, error))
}

/// A directory that cannot be used.
fn cannot_open(directory: &Path, error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::ResourceBusy => Error::Unusable(format!(
            "{}: another process writes this journal; stop it, or look on with `centum journal show`",
            directory.display()
        )),
        _ => Error::io(directory, error),
    }
}

/// A bar for so many commands; nothing where nobody looks.
pub fn bar(commands: u64, doing: &'static str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(commands), ProgressDrawTarget::stderr());
    if let Ok(style) =
        ProgressStyle::with_template("{msg} {wide_bar} {human_pos} of {human_len}, {per_sec}, {eta} left")
    {
        bar.set_style(style);
    }
    bar.set_message(doing);
    bar
}

/// How many commands pass between two looks of a bar at the clock.
pub const PROGRESS_EVERY: u64 = 4_096;
