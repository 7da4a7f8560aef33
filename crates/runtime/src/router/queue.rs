//! The bounded queue between the router and one reader.
//!
//! In    rows, from the router, which looks for room first and never waits.
//! Out   the same rows in order; after the last one, once, why there are no more.
//! Laws  A push and a pop each take a fixed number of steps whatever the other side does: a reader that is stopped in
//!       the middle of a pop holds nobody up. (That is why the ring is one for a single producer and consumer.)

use std::sync::{Arc, OnceLock};

use rtrb::{Consumer, Producer, RingBuffer};

/// Nothing more comes from this feed. What it did not deliver is in the journal; what it led to is in the snapshot of
/// a new subscription.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "{reason}; command {last_seq} is the last that was delivered whole, account_seq {last_account_seq} the last row"
)]
pub struct Closed {
    /// Why.
    pub reason: CloseReason,
    /// The last command of which everything was delivered.
    pub last_seq: u64,
    /// Of an account feed: the number of its last row; that of its snapshot where there was none. Else 0.
    pub last_account_seq: u64,
}

/// Why a feed is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// The reader was too slow and its queue full. The market does not wait: subscribe again.
    #[error("the feed's reader was too slow")]
    Overflow,
    /// The router is gone: the venue was stopped, or failed.
    #[error("the router has ended")]
    Ended,
}

/// The router's end.
#[derive(Debug)]
pub(super) struct Sender<R> {
    rows: Producer<R>,
    closed: Arc<OnceLock<Closed>>,
}

/// The reader's end.
#[derive(Debug)]
pub(super) struct Receiver<R> {
    rows: Consumer<R>,
    closed: Arc<OnceLock<Closed>>,
}

/// A queue of at most so many rows.
pub(super) fn queue<R>(rows: usize) -> (Sender<R>, Receiver<R>) {
    let (producer, consumer) = RingBuffer::new(rows.max(1));
    let closed = Arc::new(OnceLock::new());
    (Sender { rows: producer, closed: closed.clone() }, Receiver { rows: consumer, closed })
}

impl<R> Sender<R> {
    /// Did the reader go away?
    pub(super) fn is_abandoned(&self) -> bool {
        self.rows.is_abandoned()
    }

    /// Is there room for so many rows?
    pub(super) fn has_room(&self, rows: usize) -> bool {
        self.rows.slots() >= rows
    }

    /// Puts a row in.
    pub(super) fn push(&mut self, row: R) {
        assert!(self.rows.push(row).is_ok(), "room is looked for first, and only the reader changes it");
    }

    /// Says why there is no more. The reader learns it behind the rows that wait.
    pub(super) fn close(&self, closed: Closed) {
        // The first answer stands.
        let _ = self.closed.set(closed);
    }
}

impl<R> Receiver<R> {
    /// The next row; `None` where there is none yet.
    pub(super) fn try_next(&mut self) -> Result<Option<R>, Closed> {
        // Asked first: what was pushed before it was closed is there to pop.
        let closed = self.closed.get().copied();
        match (self.rows.pop(), closed) {
            (Ok(row), _) => Ok(Some(row)),
            (Err(_), Some(closed)) => Err(closed),
            (Err(_), None) => Ok(None),
        }
    }

    /// Hands over what waits now, and says how many rows that were.
    pub(super) fn poll(&mut self, mut f: impl FnMut(&R)) -> Result<usize, Closed> {
        let waiting = self.rows.slots();
        for _ in 0..waiting {
            let row = self.rows.pop().expect("these rows waited, and nobody else takes them");
            f(&row);
        }
        if waiting > 0 {
            return Ok(waiting);
        }
        self.try_next().map(|row| {
            row.map_or(0, |row| {
                f(&row);
                1
            })
        })
    }

    /// Rows that wait.
    pub(super) fn waiting(&self) -> usize {
        self.rows.slots()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_read_before_the_reason_is() {
        let (mut sender, mut receiver) = queue::<u32>(2);
        sender.push(1);
        sender.push(2);
        assert!(!sender.has_room(1) && receiver.waiting() == 2);
        let closed = Closed { reason: CloseReason::Overflow, last_seq: 7, last_account_seq: 2 };
        sender.close(closed);
        drop(sender);
        assert_eq!(receiver.try_next(), Ok(Some(1)));
        let mut rows = Vec::new();
        assert_eq!(receiver.poll(|row| rows.push(*row)), Ok(1));
        assert_eq!((rows, receiver.poll(|_| ()), receiver.try_next()), (vec![2], Err(closed), Err(closed)));
        assert_eq!(
            closed.to_string(),
            "the feed's reader was too slow; command 7 is the last that was delivered whole, account_seq 2 the last row"
        );
    }

    #[test]
    fn a_reader_that_goes_away_is_noticed() {
        let (sender, receiver) = queue::<u32>(0);
        assert!(!sender.is_abandoned() && sender.has_room(1));
        drop(receiver);
        assert!(sender.is_abandoned());
    }
}
