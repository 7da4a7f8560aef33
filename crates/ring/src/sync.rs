//! Atomics, locks and threads: the standard library's, or loom's where a model is checked.

#[cfg(loom)]
pub(crate) use loom::{
    hint::spin_loop,
    sync::atomic::{AtomicBool, AtomicU64, fence},
    sync::{Arc, RwLock},
    thread::{self, Thread},
};
#[cfg(not(loom))]
pub(crate) use std::{
    hint::spin_loop,
    sync::atomic::{AtomicBool, AtomicU64, fence},
    sync::{Arc, RwLock},
    thread::{self, Thread},
};

use std::ops::Deref;

/// Two cache lines of its own (processors fetch them in pairs), so that writing it disturbs nobody who reads
/// its neighbours.
#[repr(align(128))]
pub(crate) struct Padded<T>(pub(crate) T);

impl<T> Deref for Padded<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}
