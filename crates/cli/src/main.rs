//! `centum`: a table of contents. Each command lives in a module of its own.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use centum_cli::error::Result;
use centum_cli::{bench, check, demo, diff, generate, journal, replay, snapshot};
use clap::{Parser, Subcommand};

/// The matching engine of the inverse XBT/USD perpetual, from the command line.
///
/// Exit codes: 0 all well, 1 a difference was found, 2 unusable input or arguments, 3 a broken law.
#[derive(Parser)]
#[command(name = "centum", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Replay(replay::Args),
    /// Recomputes worked examples with the contract's own functions.
    Check {
        /// The examples, a JSON file.
        examples: PathBuf,
        /// Prints one JSON object instead of the list.
        #[arg(long)]
        json: bool,
    },
    Generate(generate::Args),
    Bench(bench::Args),
    Demo(demo::Args),
    Journal(journal::Args),
    Diff(diff::Args),
    Snapshot(snapshot::Args),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Replay(args) => code(replay::run(&args)),
        Command::Check { examples, json } => check::run(&examples, json),
        Command::Generate(args) => code(generate::run(&args)),
        Command::Bench(args) => code(bench::run(&args)),
        Command::Demo(args) => demo::run(&args),
        Command::Journal(args) => code(journal::run(&args)),
        Command::Diff(args) => code(diff::run(&args)),
        Command::Snapshot(args) => code(snapshot::run(&args)),
    }
}

/// The exit code of a command; an error is told first.
fn code(result: Result<u8>) -> ExitCode {
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("centum: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
