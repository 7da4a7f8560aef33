//! One short lock, and the router goes first.
//!
//! In    the router, once a batch; readers, once a question or subscription.
//! Laws  The router waits for at most the one reader that is inside. Readers wait outside, without queueing, while
//!       the router wants in: any number of them asking in a loop cannot hold the market up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;

#[derive(Debug)]
pub(super) struct Latch<T> {
    inside: Mutex<T>,
    router_waits: AtomicBool,
}

impl<T> Latch<T> {
    pub(super) fn new(value: T) -> Latch<T> {
        Latch { inside: Mutex::new(value), router_waits: AtomicBool::new(false) }
    }

    /// For the one router.
    pub(super) fn for_router(&self) -> MutexGuard<'_, T> {
        self.router_waits.store(true, Ordering::Release);
        // A router that stopped in the middle of a batch leaves the lock poisoned. Its feeds end, and what the read
        // model says as of its last whole batch is still worth reading. (Law 6)
        let guard = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        self.router_waits.store(false, Ordering::Release);
        guard
    }

    /// For a reader, who holds it only to copy.
    pub(super) fn for_reader(&self) -> MutexGuard<'_, T> {
        loop {
            if !self.router_waits.load(Ordering::Acquire) {
                match self.inside.try_lock() {
                    Ok(guard) => return guard,
                    Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                    Err(TryLockError::WouldBlock) => {}
                }
            }
            thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    /// Three readers that do nothing but look, and a router that gets its ten thousand turns all the same; every
    /// reader gets in, too.
    #[test]
    fn readers_that_look_all_the_time_let_the_router_in() {
        let latch = Latch::new(0u64);
        let (done, looks) = (AtomicBool::new(false), [const { AtomicU64::new(0) }; 3]);
        thread::scope(|scope| {
            for count in &looks {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        let _value = *latch.for_reader();
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            for _ in 0..10_000 {
                *latch.for_router() += 1;
            }
            while looks.iter().any(|count| count.load(Ordering::Relaxed) == 0) {
                thread::yield_now();
            }
            done.store(true, Ordering::Relaxed);
        });
        assert_eq!(*latch.for_reader(), 10_000);
    }
}
