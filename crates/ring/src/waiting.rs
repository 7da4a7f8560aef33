//! Waiting: what a thread does until there is something for it.

use std::time::{Duration, Instant};

use super::sync::{spin_loop, thread};

/// How the threads of a ring wait for each other.
///
/// Spinning answers soonest and burns a core each; two spinning threads on two cores starve the third. The
/// default is [`Park`](Waiting::Park) below four cores, [`Yield`](Waiting::Yield) from four on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Waiting {
    /// Look again at once, for ever. For threads with a core of their own.
    Spin,
    /// Look again a hundred times, then let others run between looks.
    Yield,
    /// Look again a hundred times, let others run a few times, then sleep until woken. Publishing to such a
    /// ring costs a full fence, and a system call if somebody sleeps.
    Park,
}

impl Default for Waiting {
    fn default() -> Waiting {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        if cores < 4 { Waiting::Park } else { Waiting::Yield }
    }
}

/// Looks before others are let run. A model looks once: each look more multiplies what there is to explore.
const SPINS: u32 = if cfg!(loom) { 0 } else { 100 };
/// Looks, others let run between them, before going to sleep.
const YIELDS: u32 = if cfg!(loom) { 0 } else { 4 };

/// Someone who can sleep until there is something for it.
pub(crate) trait Sleeper {
    /// Is there something?
    fn is_ready(&self) -> bool;
    /// Says who is to be woken, and that it sleeps. Ends with a sequentially consistent fence.
    ///
    /// Whoever gives it something stores that, fences likewise, and then looks for sleepers. One of the two
    /// fences is first, so either the sleeper sees what was stored or the giver sees the sleeper: no
    /// wake-up is lost. Checked by tests/loom.rs.
    fn lie_down(&self);
    /// Says that it sleeps no more.
    fn get_up(&self);
}

/// Waits until `sleeper` is ready or it is `until`. Says whether it is ready.
pub(crate) fn wait(waiting: Waiting, until: Option<Instant>, sleeper: &impl Sleeper) -> bool {
    let mut looks = 0;
    loop {
        if sleeper.is_ready() {
            return true;
        }
        match waiting {
            Waiting::Spin => spin_loop(),
            _ if looks < SPINS => spin_loop(),
            Waiting::Park if looks >= SPINS + YIELDS => return sleep(until, sleeper),
            _ => thread::yield_now(),
        }
        looks = looks.saturating_add(1);
        if left(until) == Some(Duration::ZERO) {
            return sleeper.is_ready();
        }
    }
}

#[cold]
fn sleep(until: Option<Instant>, sleeper: &impl Sleeper) -> bool {
    loop {
        sleeper.lie_down();
        let (is_ready, left) = (sleeper.is_ready(), left(until));
        if is_ready || left == Some(Duration::ZERO) {
            sleeper.get_up();
            return is_ready;
        }
        // Whoever wakes takes the mark of sleep away first, so it is set anew each time round.
        park(left);
    }
}

fn left(until: Option<Instant>) -> Option<Duration> {
    until.map(|until| until.saturating_duration_since(Instant::now()))
}

#[cfg(not(loom))]
fn park(left: Option<Duration>) {
    match left {
        Some(left) => thread::park_timeout(left),
        None => thread::park(),
    }
}

#[cfg(loom)]
fn park(left: Option<Duration>) {
    assert!(left.is_none(), "a model knows no clock");
    thread::park();
}
