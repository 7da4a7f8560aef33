//! Draws the pictures of `docs/risk.md` from the engine itself, the same each time:
//!
//!     cargo run --release -p centum-benches --bin risk -- docs/
#![forbid(unsafe_code)]

use std::path::Path;

fn main() {
    let directory = std::env::args().nth(1).expect("risk DIRECTORY");
    for (name, svg) in centum_benches::risk::pictures() {
        std::fs::write(Path::new(&directory).join(name), svg).expect("the picture can be written");
        println!("{name}");
    }
}
