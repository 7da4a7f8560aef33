//! After `Engine::new` nothing is allocated. (Design law 3)
//!
//! The commands are made beforehand, with the engine's own answers: orders of every kind, cancels, amends,
//! refusals, marks that liquidate, sweeps, deleveraging. Then a new engine takes the same ones under an
//! allocator that counts, and must have counted nothing.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use centum_engine::{Discard, Engine};
use contract::Command;
use testkit::workload::{Tally, Workload};

/// Counts what the current thread asks for.
struct Counting;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that is ending has no counter any more; the test's own thread has.
    let _ = ASKED.try_with(|asked| asked.set(asked.get() + 1));
}

// SAFETY: every method hands its arguments unchanged to `System`, which upholds the contract of
// `GlobalAlloc`; the caller's promises about layout and pointer are passed on as they are. Counting touches
// nothing but a thread-local cell without a destructor, so it neither allocates nor unwinds. A lie would be
// caught by every other assertion of this test, which runs on this allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise, passed on.
        unsafe { System.realloc(at, layout, size) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Commands of each seed.
const COMMANDS: usize = 20_000;
/// Seeds whose weather differs: profiles, budgets, capacities that are reached, small and large funds.
const SEEDS: [u64; 8] = [4, 5, 6, 8, 9, 12, 22, 23];
/// What must have happened in all of them together, or the proof is void.
const MUST_HAPPEN: [&str; 8] = [
    "fill CloseOut",
    "fill Deleverage",
    "fill Takeover",
    "fill Trade",
    "insurance Sweep",
    "insurance Shortfall",
    "rate computed",
    "rate marked by a trade",
];

fn record(seed: u64, tally: &mut Tally) -> Vec<Command> {
    let mut workload = Workload::new(seed);
    let mut engine = Engine::new(&workload.scenario().genesis).expect("the scenario can be traded");
    let mut events = Vec::new();
    (0..COMMANDS)
        .map(|_| {
            let command = workload.next_command();
            events.clear();
            engine.apply(&command, &mut events);
            tally.count(&command, &events);
            tally.count_rates(engine.spec(), &events);
            workload.observe(&events);
            command
        })
        .collect()
}

#[test]
fn apply_allocates_nothing() {
    let mut tally = Tally::new();
    for seed in SEEDS {
        let commands = record(seed, &mut tally);
        let genesis = Workload::new(seed).scenario().genesis;
        let mut engine = Engine::new(&genesis).expect("the scenario can be traded");
        let before = ASKED.get();
        for command in &commands {
            engine.apply(command, &mut Discard);
        }
        let asked = ASKED.get() - before;
        assert_eq!(asked, 0, "law 3: seed {seed} asked the allocator {asked} times");
    }
    assert!(ASKED.get() > 0, "the allocator counts");
    let rare = tally.rarer_than(1);
    for line in MUST_HAPPEN {
        assert!(!rare.iter().any(|it| it.starts_with(line)), "{line} never happened: the proof is void");
    }
}
