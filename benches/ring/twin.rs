//! The unsafe twin: the ring's own source, file by file, with one file exchanged: its slots are plain memory.
#![allow(dead_code, unreachable_pub, unused_imports)]

#[path = "../../crates/ring/src/error.rs"]
mod error;
#[path = "../../crates/ring/src/hub.rs"]
mod hub;
#[path = "../../crates/ring/src/lossy.rs"]
mod lossy;
#[path = "../../crates/ring/src/producer.rs"]
mod producer;
#[path = "../../crates/ring/src/reader.rs"]
mod reader;
#[path = "../../crates/ring/src/shared.rs"]
mod shared;
#[path = "plain_slot.rs"]
mod slot;
#[path = "../../crates/ring/src/sync.rs"]
mod sync;
#[path = "../../crates/ring/src/waiting.rs"]
mod waiting;

pub use hub::lane;
pub use producer::Producer;
pub use reader::Reader;
pub use shared::Config;
pub use waiting::Waiting;
