//! The command line of Centum.

mod check;
mod demo;

use std::process::ExitCode;

use clap::Parser;

/// The arguments of `centum demo`.
#[derive(Parser)]
struct Demo {
    #[command(flatten)]
    args: demo::Args,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["check", path] => check::run(path.as_ref(), false),
        ["check", path, "--json"] | ["check", "--json", path] => check::run(path.as_ref(), true),
        ["demo", ..] => demo::run(&Demo::parse_from(&args).args),
        _ => {
            eprintln!("usage: centum check EXAMPLES.json [--json] | centum demo [--seed N] [--accounts N] [--json]");
            ExitCode::from(2)
        }
    }
}
