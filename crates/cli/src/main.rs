//! The command line of Centum.

mod check;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["check", path] => check::run(path.as_ref(), false),
        ["check", path, "--json"] | ["check", "--json", path] => check::run(path.as_ref(), true),
        _ => {
            eprintln!("usage: centum check EXAMPLES.json [--json]");
            ExitCode::from(2)
        }
    }
}
