//! The words and the sums of the XBT/USD perpetual.
//!
//! An *inverse* contract: quoted in USD, settled in bitcoin. This crate says what one unit of
//! everything is, how every market rule computes, and what may be asked of the engine ([`Command`])
//! and heard from it ([`Event`]). It is `no_std`, so that no clock, file or thread can be named in it.
//!
//! Rules are cited by number; `docs/rules.md` has each with its source and a worked example.
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic, clippy::float_cmp)]

pub mod adl;
pub mod cl_ord_id;
pub mod codes;
pub mod command;
pub mod display;
pub mod event;
pub mod funding;
pub mod index;
pub mod liquidation;
pub mod margin;
pub mod mark;
pub mod math;
pub mod position;
pub mod premium;
pub mod project;
pub mod reject;
pub mod spec;
pub mod units;
pub mod value;
pub mod view;
pub mod wide;
pub mod words;

pub use cl_ord_id::ClOrdId;
pub use codes::*;
pub use command::{Action, Amend, AmendFields, Cancel, CancelAll, Command, CommandKind, NewOrder, Target};
pub use event::{Event, EventKind, Fact};
pub use reject::Reject;
pub use spec::{Capacity, ContractSpec, FeeRates, Genesis};
pub use units::{AccountId, Leverage, OrderId, Price, Qty, Rate, Tick, Xbt};
pub use words::{Code, Coded};
