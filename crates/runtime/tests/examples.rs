//! The examples run, and `docs/embedding.md` shows the first of them as it is.

#[path = "../examples/crash.rs"]
mod crash;
#[path = "../examples/embed.rs"]
mod embed;
#[path = "../examples/gateway.rs"]
mod gateway;
#[path = "../examples/market_data.rs"]
mod market_data;
#[path = "../examples/own_threads.rs"]
mod own_threads;

#[test]
fn the_twenty_lines_run() {
    embed::main().unwrap();
}

#[test]
fn two_producers_trade_through_a_gateway() {
    gateway::main().unwrap();
}

#[test]
fn a_reader_that_falls_behind_resynchronises() {
    market_data::main().unwrap();
}

#[test]
fn a_pump_turns_on_a_thread_of_ones_own() {
    own_threads::main().unwrap();
}

#[test]
fn a_crash_is_replayed() {
    crash::main().unwrap();
}

#[test]
fn the_document_shows_the_example_as_it_is() {
    let document = include_str!("../../../docs/embedding.md");
    let block = document.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next());
    assert_eq!(block, Some(include_str!("../examples/embed.rs")), "copy the example into docs/embedding.md");
}
