//! The two threads of a venue that runs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use contract::Event;
use engine::Engine;
use hdrhistogram::Histogram;
use ring::Reader;

use super::keeper::Keeper;
use super::snapshots::Window;
use crate::clock::Clock;
use crate::health::{Shared, State, rule_of};
use crate::journal::Journal;
use crate::pump::Pump;
use crate::router::Router;

/// Events that the router takes under one lock.
const ROUTED_AT_ONCE: usize = 1_024;

/// The engine's thread: turns, and between two of them whoever asks for the state.
pub(super) fn run(mut pump: Pump<Keeper>, stop: &AtomicBool, idle: Duration, window: &Window) -> (Engine, Keeper) {
    // However this ends, nobody waits for a state any more.
    let closes = window.closes_with_this();
    let worked = catch_unwind(AssertUnwindSafe(|| {
        while !pump.is_over() && !stop.load(Acquire) {
            window.show(|| (pump.engine(), pump.journal().durable_seq()));
            if pump.turn().is_idle() {
                pump.wait(idle);
            }
        }
    }));
    if let Err(panic) = worked {
        // Not the engine, whose laws the pump catches: the journal's, or the copy of the state.
        let rule = rule_of(panic.as_ref());
        pump.shared().fail(State::Failed, format!("the venue stopped: {rule}; keep the journal and report it"));
    }
    drop(closes);
    pump.stop()
}

/// The router's thread. Where it stops by a law of its own, its feeds end, health says so at once, and the engine goes
/// on: the reader that held it back is gone.
pub(super) fn route(
    router: Router,
    events: Reader<Event>,
    latency: &Mutex<Histogram<u64>>,
    clock: &dyn Clock,
    shared: &Shared,
) {
    let told = catch_unwind(AssertUnwindSafe(|| tell_all(router, events, latency, clock, shared)));
    if let Err(panic) = told {
        shared.router_failed(format!(
            "the router stopped: {}; feeds have ended, the market goes on and the journal has everything. Report it; \
             stop the venue and start it again to have feeds",
            rule_of(panic.as_ref())
        ));
    }
}

fn tell_all(
    mut router: Router,
    mut events: Reader<Event>,
    latency: &Mutex<Histogram<u64>>,
    clock: &dyn Clock,
    shared: &Shared,
) {
    let mut batch = Vec::with_capacity(ROUTED_AT_ONCE);
    // Due work carries the time at which it was due; its command's own stamp is the latest of its events'.
    let mut stamp = 0;
    while events.wait().is_ok() {
        batch.extend(events.batch().take(ROUTED_AT_ONCE));
        router.take_batch(&batch);
        let now = clock.now_ns();
        let mut histogram = latency.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last = None;
        for event in &batch {
            stamp = event.ts().max(stamp);
            if event.is_last() {
                histogram.saturating_record(now.saturating_sub(stamp).max(1));
                last = Some(event.seq());
            }
        }
        drop(histogram);
        // A command of which half was taken is not told yet.
        if let Some(seq) = last {
            shared.routed_seq.store(seq, Relaxed);
        }
        batch.clear();
    }
}
