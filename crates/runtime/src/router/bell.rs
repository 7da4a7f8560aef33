//! Rung when the router has told a command: whoever has nothing to read sleeps until then.
//!
//! In    the router, once a batch; readers that wait.
//! Laws  The router waits for nobody: where the list of sleepers is being changed, whoever changes it wakes them in the
//!       router's stead. A reader that sleeps is woken by every command told after it looked.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, fence};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct Bell {
    /// The last command told.
    told: AtomicU64,
    has_ended: AtomicBool,
    asleep: AtomicUsize,
    sleepers: Mutex<Vec<Thread>>,
    /// It was rung, and nobody has woken the sleepers yet.
    is_owed: AtomicBool,
}

impl Bell {
    pub(super) fn new(told: u64) -> Bell {
        Bell {
            told: AtomicU64::new(told),
            has_ended: AtomicBool::new(false),
            asleep: AtomicUsize::new(0),
            sleepers: Mutex::default(),
            is_owed: AtomicBool::new(false),
        }
    }

    /// Everything up to this command is told.
    #[inline]
    pub(super) fn ring(&self, told: u64) {
        // One order with `asleep`: who is not seen there sees this before it sleeps.
        self.told.store(told, SeqCst);
        if self.asleep.load(SeqCst) != 0 {
            self.wake();
        }
    }

    /// Nothing more is told.
    pub(super) fn end(&self) {
        self.has_ended.store(true, SeqCst);
        self.wake();
    }

    #[cold]
    fn wake(&self) {
        self.is_owed.store(true, SeqCst);
        self.pay();
    }

    /// Wakes the sleepers where that is owed. Where the list is locked its holder does so: it looks after it has let go
    /// of the list, and the fences on either side let one of the two see the other.
    fn pay(&self) {
        fence(SeqCst);
        while self.is_owed.load(SeqCst) {
            let Ok(sleepers) = self.sleepers.try_lock() else { return };
            if self.is_owed.swap(false, SeqCst) {
                sleepers.iter().for_each(Thread::unpark);
            }
            drop(sleepers);
            fence(SeqCst);
        }
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Thread>)) {
        change(&mut self.sleepers.lock().unwrap_or_else(PoisonError::into_inner));
        self.pay();
    }

    /// Sleeps until something beyond that command is told, nothing more will be, or the time is up. The last command
    /// told.
    pub(super) fn wait(&self, beyond: u64, at_most: Duration) -> u64 {
        let is_over = || self.told.load(SeqCst) > beyond || self.has_ended.load(SeqCst);
        if !is_over() {
            let until = Instant::now() + at_most;
            let me = thread::current();
            self.asleep.fetch_add(1, SeqCst);
            self.change(|sleepers| sleepers.push(me.clone()));
            while !is_over() {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                thread::park_timeout(left);
            }
            self.change(|sleepers| {
                let at = sleepers.iter().position(|one| one.id() == me.id());
                sleepers.swap_remove(at.expect("it is on the list since it lay down"));
            });
            self.asleep.fetch_sub(1, SeqCst);
        }
        self.told.load(SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_wait_ends_when_the_time_is_up_or_nothing_more_comes() {
        let bell = Bell::new(7);
        assert_eq!(bell.wait(6, LONG), 7, "it is told already");
        let began = Instant::now();
        assert_eq!(bell.wait(7, Duration::from_millis(20)), 7);
        assert!(began.elapsed() >= Duration::from_millis(20));
        assert!(bell.sleepers.lock().unwrap().is_empty() && bell.asleep.load(SeqCst) == 0);
        thread::scope(|scope| {
            let waiter = scope.spawn(|| bell.wait(7, LONG));
            thread::sleep(Duration::from_millis(10));
            bell.end();
            assert_eq!(waiter.join().unwrap(), 7);
        });
        assert_eq!(bell.wait(9, LONG), 7, "nothing more comes");
    }

    /// Readers lie down and get up all the time, and the next command is told only when all have seen the last one: one
    /// wake-up that is lost is a wait of a minute.
    #[test]
    fn no_ring_is_lost() {
        const READERS: usize = 3;
        const RINGS: u64 = 4_000;
        let (bell, seen) = (Bell::new(0), [const { AtomicU64::new(0) }; READERS]);
        let began = Instant::now();
        thread::scope(|scope| {
            for mine in &seen {
                scope.spawn(|| {
                    let mut last = 0;
                    while last < RINGS {
                        last = bell.wait(last, LONG);
                        mine.store(last, SeqCst);
                    }
                });
            }
            for told in 1..=RINGS {
                bell.ring(told);
                while told % 8 == 0 && seen.iter().any(|seen| seen.load(SeqCst) < told) {
                    thread::yield_now();
                }
            }
        });
        assert!(began.elapsed() < LONG / 2, "{:?}: a ring was lost", began.elapsed());
    }
}
