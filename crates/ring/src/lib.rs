//! How values cross threads: one ring design, one producer, any number of readers up to 64, no lock on the way.
//!
//! In    values that are runs of words: `Into<[u64; N]>`, `From<[u64; N]>`. Sixteen words, 128 bytes, if nothing
//!       else is said: a record.
//! Out   each reader gets each value, once and in order. A *gating* reader misses nothing, the producer waits for it;
//!       a *lossy* one is never waited for and knows exactly what it missed.
//! Laws  who is suspended stops only those who gate on it: a producer between two instructions nobody, a gating
//!       reader its producer, a lossy reader nobody.
//!       What is staged is seen by nobody until it is published; what is refused comes back.
//!       After the ring is made nothing is allocated.
//!
//! ```
//! use centum_ring::{Closed, Config, ring};
//!
//! let (mut producer, hub) = ring::<[u64; 16], 16>(Config { capacity: 64, ..Config::default() })?;
//! let mut journal = hub.reader()?; // gating
//! let mut display = hub.lossy_reader()?;
//! let journal = std::thread::spawn(move || {
//!     let mut count = 0;
//!     while journal.wait() != Err(Closed) {
//!         count += journal.batch().count(); // released together, when the batch is dropped
//!     }
//!     count
//! });
//! for i in 0..1_000 {
//!     producer.wait_for_room(1);
//!     producer.try_push([i; 16]).expect("there is room");
//! }
//! drop(producer);
//! assert_eq!(journal.join().unwrap(), 1_000);
//! let (mut seen, mut missed) = (0, 0);
//! for next in display.batch() {
//!     match next {
//!         Ok(_) => seen += 1,
//!         Err(gap) => missed += gap.count(),
//!     }
//! }
//! assert_eq!(seen + missed, 1_000);
//! # Ok::<(), centum_ring::RingError>(())
//! ```
//!
//! Many producers are many rings, a *lane* each: [`lane`] makes one, [`wait_any`] waits for all. A ring with many
//! producers would not be lock-free: one suspended between claiming a slot and filling it stops what is behind it.
//!
//! A slot is a run of relaxed atomic words, so even a lossy reader that is overtaken while it reads makes no data race,
//! and there is no unsafe code. `docs/decisions/ring.md` has what that costs.
#![forbid(unsafe_code)]

mod error;
mod hub;
mod lossy;
mod producer;
mod reader;
mod shared;
mod slot;
mod sync;
mod waiting;

pub use error::{Closed, Full, RingError};
pub use hub::{Hub, lane, ring};
pub use lossy::{LossyReader, Missed};
pub use producer::Producer;
pub use reader::{Batch, Reader, wait_any};
pub use shared::Config;
pub use waiting::Waiting;
