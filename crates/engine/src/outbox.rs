//! Where facts go, and what else a host does for the engine.

use contract::Event;

/// Receives the engine's events in order.
///
/// An event is written where it will lie, before the engine knows whether it is its command's last: so the end of
/// a command comes by itself, and whoever keeps events marks the one pushed last then, with [`Event::as_last`].
pub trait Outbox {
    /// Takes one event.
    fn push(&mut self, event: &Event);

    /// The event pushed last is the last of its command. There was at least one.
    fn end(&mut self);

    /// The entry at `at` will be needed soon: where the processor can be asked for memory beforehand, now is the
    /// time. The entry may not exist. A hint, which changes nothing; whoever does not care leaves it as it is.
    #[inline(always)]
    fn expect<T>(&mut self, entries: &[T], at: usize)
    where
        Self: Sized,
    {
        let _ = (entries, at);
    }
}

/// Drops everything: for benchmarks and for callers that only look at the state.
#[derive(Clone, Copy, Default, Debug)]
pub struct Discard;

impl Outbox for Discard {
    #[inline(always)]
    fn push(&mut self, _event: &Event) {}

    #[inline(always)]
    fn end(&mut self) {}
}

impl Outbox for alloc::vec::Vec<Event> {
    #[inline]
    fn push(&mut self, event: &Event) {
        alloc::vec::Vec::push(self, *event);
    }

    #[inline]
    fn end(&mut self) {
        if let Some(last) = self.last_mut() {
            *last = last.as_last();
        }
    }
}
