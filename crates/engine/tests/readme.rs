//! The README's example, as it stands there.

/// The first thing a newcomer runs: the README's lines as they are.
#[test]
fn the_readme_embeds_the_engine() {
    use centum_engine::Engine;
    use contract::command::{Amount, Mark, OpenAccount};
    use contract::*;

    let spec = ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
    let mut engine = Engine::new(&Genesis { spec, capacity: Capacity::default() }).unwrap();
    let mut events: Vec<Event> = Vec::new();
    let (alice, mut seq) = (AccountId(4), 0);
    let buy = NewOrder::limit(ClOrdId::new("a-1").unwrap(), Side::Buy, Tick(20_000), Qty(100));
    for action in [
        Action::Mark(Mark { price: Price(1_000_000) }), // 10000.00
        Action::OpenAccount(OpenAccount { fee_class: 0 }),
        Action::Deposit(Amount { amount: Xbt(100_000_000) }), // 1 XBT
        Action::New(buy),
    ] {
        seq += 1; // commands are numbered and stamped by whoever orders them
        engine.apply(&Command::new(alice, action).stamped(seq, seq), &mut events);
    }
    assert_eq!(engine.best(Side::Buy), Some(Tick(20_000)));
    assert!(events.iter().any(|event| matches!(event.fact(), Some(Fact::Accepted(_)))));
}

/// The example above is the README's, line by line.
#[test]
fn it_is_the_example_of_the_readme() {
    let example = include_str!("../../../README.md").split("```rust\n").nth(1).unwrap().split("```").next().unwrap();
    let here = include_str!("readme.rs");
    for line in example.lines().filter(|line| !line.is_empty()) {
        assert!(here.lines().any(|other| other.trim() == line.trim()), "the README says `{line}`, this test does not");
    }
}
