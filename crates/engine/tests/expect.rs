//! Looking ahead changes nothing: the same events, chain and digest with it and without, whatever it is told. (Law 1)

use centum_engine::{Engine, Outbox};
use contract::{Command, Event};
use testkit::workload::Workload;

/// Counts hints.
struct Hints(usize);

impl Outbox for Hints {
    fn push(&mut self, event: &Event) {
        panic!("a hint is no fact: {event:?}");
    }
    fn end(&mut self) {
        panic!("a hint is no command");
    }
    fn expect<T>(&mut self, _entries: &[T], _at: usize) {
        self.0 += 1;
    }
}

/// Commands of a random market, made with the engine's own answers.
fn market(seed: u64, commands: usize) -> (Engine, Vec<Command>, Vec<Event>) {
    let mut workload = Workload::new(seed);
    let mut engine = Engine::new(&workload.scenario().genesis).expect("the profile can be traded");
    let (mut made, mut events) = (Vec::new(), Vec::new());
    for seq in 1..=commands as u64 {
        let command = workload.next_command();
        assert_eq!(command.seq(), seq, "the workload stamps them");
        let before = events.len();
        engine.apply(&command, &mut events);
        workload.observe(&events[before..]);
        made.push(command);
    }
    (engine, made, events)
}

#[test]
fn looking_ahead_gives_the_same_facts_and_the_same_state() {
    for seed in 1..6 {
        let (engine, commands, events) = market(seed, 4_000);
        let mut ahead = Engine::new(engine.genesis()).expect("the profile can be traded");
        let mut told = Vec::new();
        ahead.apply_all(&commands, &mut told);
        assert_eq!(told, events, "seed {seed}");
        assert_eq!((ahead.chain(), ahead.digest()), (engine.chain(), engine.digest()), "seed {seed}");
    }
}

#[test]
fn whatever_it_is_told_will_come_nothing_changes() {
    let (engine, commands, _) = market(7, 2_000);
    let before = (engine.chain(), engine.digest());
    let mut told = Hints(0);
    // Words without meaning: accounts, names and kinds that there are not.
    let mut word = 1u64;
    for command in &commands {
        let nonsense = std::array::from_fn(|_| {
            word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            word
        });
        engine.expect(&Command::from_words(nonsense), &mut told);
        engine.expect(command, &mut told);
    }
    engine.expect(&Command::from_words([u64::MAX; 16]), &mut told);
    assert!(told.0 > 2 * commands.len(), "hints are given: {}", told.0);
    assert_eq!((engine.chain(), engine.digest()), before);
}
