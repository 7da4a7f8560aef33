//! What `benches/instructions.sh` runs under callgrind: one workload, set up, then `measured` on it.
//!
//! `instructions mix COMMANDS`, `instructions mark ACCOUNTS COMMANDS` or `instructions gap ACCOUNTS DUE FILLS`; prints
//! how many commands were applied, of a gap how many accounts were liquidated. Only what runs inside `measured` is
//! collected, so setting up costs nothing.
#![forbid(unsafe_code)]

use centum_benches::gap::{Book, Gap};
use centum_benches::{Slots, measured, mix, quiet_marks};
use contract::ContractSpec;
use engine::Discard;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| args.get(at).and_then(|text| text.parse::<usize>().ok()).expect("a number");
    let recording = match args.first().map(String::as_str) {
        Some("mix") => mix(7, 10_000, 10_000, number(1) as u64),
        Some("mark") => quiet_marks(u32::try_from(number(1)).expect("an account number"), number(2)),
        Some("gap") => {
            let book = if number(3) == 0 { Book::Empty } else { Book::Fills(number(3) as u64) };
            let accounts = u32::try_from(number(1)).expect("an account number");
            Gap::new(accounts, ContractSpec::XBTUSD_2019.budget).recording(number(2) as u32, book)
        }
        _ => panic!("instructions mix COMMANDS | mark ACCOUNTS COMMANDS | gap ACCOUNTS DUE FILLS"),
    };
    let (mut engine, mut out) = (recording.engine, Slots::default());
    let (warm_up, commands) = recording.commands.split_at(recording.warm_up);
    warm_up.iter().for_each(|command| engine.apply(command, &mut Discard));
    measured(&mut engine, commands, &mut out);
    assert_eq!(engine.chain(), recording.chain, "other work was done: the count is void");
    println!("{}", if args[0] == "gap" { number(2) } else { commands.len() });
}
