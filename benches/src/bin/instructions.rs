//! What `benches/instructions.sh` runs under callgrind: one workload, set up, then `measured` on it.
//!
//! `instructions mix COMMANDS` or `instructions mark ACCOUNTS COMMANDS`; prints how many commands were
//! applied. Only what runs inside `measured` is collected, so setting up costs nothing.
#![forbid(unsafe_code)]

use centum_benches::{Slots, measured, mix, quiet_marks};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| args.get(at).and_then(|text| text.parse::<usize>().ok()).expect("a number");
    let recording = match args.first().map(String::as_str) {
        Some("mix") => mix(7, 10_000, 10_000, number(1) as u64),
        Some("mark") => quiet_marks(u32::try_from(number(1)).expect("an account number"), number(2)),
        _ => panic!("instructions mix COMMANDS | instructions mark ACCOUNTS COMMANDS"),
    };
    let (mut engine, mut out) = (recording.engine, Slots::default());
    measured(&mut engine, &recording.commands, &mut out);
    assert_eq!(engine.chain(), recording.chain, "other work was done: the count is void");
    println!("{}", recording.commands.len());
}
