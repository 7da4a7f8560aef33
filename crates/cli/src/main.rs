//! `centum`: a table of contents. Each command lives in a module of its own.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use centum_cli::{bench, generate, replay};
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
    Generate(generate::Args),
    Bench(bench::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Replay(args) => replay::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::Bench(args) => bench::run(&args),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("centum: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
