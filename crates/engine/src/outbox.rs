//! Where facts go.

use contract::Event;

/// Receives the engine's events in order.
pub trait Outbox {
    /// Takes one event.
    fn push(&mut self, event: &Event);
}

/// Drops everything: for benchmarks and for callers that only look at the state.
#[derive(Clone, Copy, Default, Debug)]
pub struct Discard;

impl Outbox for Discard {
    #[inline(always)]
    fn push(&mut self, _event: &Event) {}
}

impl Outbox for alloc::vec::Vec<Event> {
    #[inline]
    fn push(&mut self, event: &Event) {
        alloc::vec::Vec::push(self, *event);
    }
}
