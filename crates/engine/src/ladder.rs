//! Ladder: a price-indexed set of first-in-first-out queues. One structure, several uses: bids and asks,
//! and the keys at which accounts and lots fall due.
//!
//! One flat array over the whole legal range, committed only where touched. A *cell* is sixteen bytes:
//! two links and a quantity. Cell `t` is the head of tick t's queue; an entry in slot s owns the two
//! cells at `base + 2s`, the second being its user's. Queues are circular with the head as sentinel, so
//! that linking has no branches, and links are stored XOR the cell's own index, so that untouched,
//! zeroed memory is an array of empty queues.
//!
//! Beside its queue an entry may stand in the *line*, one more queue, of no price: it is linked through the second cells, and
//! its head is the cell of tick 0, at which nothing lies.
//!
//! Obvious twin: a `BTreeMap` of `VecDeque` (tests).

use alloc::vec;
use alloc::vec::Vec;

use contract::Tick;
use contract::math::{difference, sum};

use crate::bits::Bits;
use crate::outbox::Outbox;

/// Next, previous, quantity. (A tuple, because a vector of zeroed ones commits no memory.)
type Cell = (u32, u32, u64);

/// The head of the line: its links are XOR 0, and so what they say.
const LINE: u32 = 0;

/// A price-indexed set of queues.
#[derive(Clone, Debug)]
pub(crate) struct Ladder {
    cells: Vec<Cell>,
    base: u32,
    occupied: Bits,
}

impl Ladder {
    /// An empty ladder for ticks 1 to `max_tick` and slots 0 to `slots` − 1.
    pub(crate) fn new(max_tick: Tick, slots: u32) -> Ladder {
        let heads = max_tick.0 as usize + 1;
        let cells: Vec<Cell> = vec![(0, 0, 0); heads + 1 + 2 * slots as usize];
        // An entry's two cells lie in one line of the cache where the first has an even place in memory.
        let place = cells.as_ptr().addr() / size_of::<Cell>();
        let base = heads + (place + heads) % 2;
        Ladder { cells, base: base as u32, occupied: Bits::new(max_tick.0 as usize + 1) }
    }

    #[inline(always)]
    fn cell_of(&self, slot: u32) -> u32 {
        debug_assert!(slot < u32::MAX / 2, "no slot is that high");
        self.base.wrapping_add(slot.wrapping_mul(2))
    }

    /// Says that an entry will be needed.
    #[inline(always)]
    pub(crate) fn expect_slot(&self, slot: u32, out: &mut impl Outbox) {
        out.expect(&self.cells, self.cell_of(slot) as usize);
    }

    /// Puts `slot` with `qty` at the back of tick's queue.
    #[inline(always)]
    pub(crate) fn push_back(&mut self, tick: Tick, slot: u32, qty: u64) {
        let (head, cell) = (tick.0, self.cell_of(slot));
        let cells = &mut self.cells[..];
        let (_, to_last, total) = cells[head as usize];
        let last = to_last ^ head;
        cells[cell as usize] = (head ^ cell, last ^ cell, qty);
        cells[last as usize].0 = cell ^ last;
        let head_cell = &mut cells[head as usize];
        (head_cell.1, head_cell.2) = (cell ^ head, sum(total, qty));
        if last == head {
            self.occupied.insert(head);
        }
    }

    /// Takes `slot` out of tick's queue; true when the queue is empty now.
    #[inline(always)]
    pub(crate) fn unlink(&mut self, tick: Tick, slot: u32) -> bool {
        let (head, cell) = (tick.0, self.cell_of(slot));
        let cells = &mut self.cells[..];
        let (to_next, to_previous, qty) = cells[cell as usize];
        let (next, previous) = (to_next ^ cell, to_previous ^ cell);
        cells[previous as usize].0 = next ^ previous;
        cells[next as usize].1 = previous ^ next;
        let total = &mut cells[head as usize].2;
        *total = difference(*total, qty);
        let is_empty = next == previous && next == head;
        if is_empty {
            self.occupied.remove(head);
        }
        is_empty
    }

    /// Takes `qty` off the entry in `slot`, which keeps its place.
    #[inline(always)]
    pub(crate) fn reduce(&mut self, tick: Tick, slot: u32, qty: u64) {
        let cell = self.cell_of(slot);
        for cell in [cell, tick.0] {
            let left = &mut self.cells[cell as usize].2;
            *left = difference(*left, qty);
        }
    }

    /// Quantity of the entry in `slot`.
    #[inline(always)]
    pub(crate) fn qty(&self, slot: u32) -> u64 {
        self.cells[self.cell_of(slot) as usize].2
    }

    /// Quantity of the whole queue.
    #[inline(always)]
    pub(crate) fn total(&self, tick: Tick) -> u64 {
        self.cells[tick.0 as usize].2
    }

    /// The first slot of tick's queue.
    #[inline(always)]
    pub(crate) fn front(&self, tick: Tick) -> Option<u32> {
        self.slot_behind(tick.0)
    }

    /// The slot behind `slot` in its queue.
    #[inline(always)]
    pub(crate) fn behind(&self, slot: u32) -> Option<u32> {
        self.slot_behind(self.cell_of(slot))
    }

    #[inline(always)]
    fn slot_behind(&self, cell: u32) -> Option<u32> {
        let next = self.cells[cell as usize].0 ^ cell;
        next.checked_sub(self.base).map(|at| at / 2)
    }

    /// The entry's own sixteen bytes.
    #[inline(always)]
    pub(crate) fn user(&self, slot: u32) -> &Cell {
        &self.cells[self.cell_of(slot) as usize + 1]
    }

    /// The entry's own sixteen bytes.
    #[inline(always)]
    pub(crate) fn user_mut(&mut self, slot: u32) -> &mut Cell {
        let at = self.cell_of(slot) as usize + 1;
        &mut self.cells[at]
    }

    /// Puts `slot`, which does not stand there, at the back of the line.
    #[inline(always)]
    pub(crate) fn line_up(&mut self, slot: u32) {
        let cell = self.cell_of(slot) + 1;
        let cells = &mut self.cells[..];
        let (_, last, count) = cells[LINE as usize];
        let own = &mut cells[cell as usize];
        (own.0, own.1) = (LINE ^ cell, last ^ cell);
        cells[last as usize].0 = cell ^ last;
        let head = &mut cells[LINE as usize];
        (head.1, head.2) = (cell, count + 1);
    }

    /// Takes `slot`, which stands there, out of the line.
    #[inline(always)]
    pub(crate) fn leave_line(&mut self, slot: u32) {
        let cell = self.cell_of(slot) + 1;
        let cells = &mut self.cells[..];
        let (to_next, to_previous, _) = cells[cell as usize];
        let (next, previous) = (to_next ^ cell, to_previous ^ cell);
        cells[previous as usize].0 = next ^ previous;
        cells[next as usize].1 = previous ^ next;
        cells[LINE as usize].2 -= 1;
    }

    /// The slot that stands in the line for longest.
    #[inline(always)]
    pub(crate) fn first_in_line(&self) -> Option<u32> {
        self.cells[LINE as usize].0.checked_sub(self.base).map(|at| at / 2)
    }

    /// How many stand in the line.
    #[inline(always)]
    pub(crate) fn line_len(&self) -> u64 {
        self.cells[LINE as usize].2
    }

    /// The lowest occupied tick at or above `tick`.
    #[inline(always)]
    pub(crate) fn at_or_above(&self, tick: Tick) -> Option<Tick> {
        self.occupied.at_or_above(tick.0).map(Tick)
    }

    /// The highest occupied tick at or below `tick`.
    #[inline(always)]
    pub(crate) fn at_or_below(&self, tick: Tick) -> Option<Tick> {
        self.occupied.at_or_below(tick.0).map(Tick)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::{BTreeMap, VecDeque};

    #[test]
    fn it_says_what_a_tree_of_queues_says() {
        let (max_tick, slots) = (Tick(300), 64u32);
        let mut ladder = Ladder::new(max_tick, slots);
        let mut tree: BTreeMap<u32, VecDeque<(u32, u64)>> = BTreeMap::new();
        let mut place: Vec<Option<u32>> = vec![None; slots as usize];
        let mut line: VecDeque<u32> = VecDeque::new();
        let mut state = 7u64;
        for _ in 0..40_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let slot = (state >> 33) as u32 % slots;
            let tick = 1 + (state >> 40) as u32 % max_tick.0;
            let qty = 1 + (state >> 20) % (1 << 40);
            // Whether it stands in the line does not ask whether it lies at a price.
            let other = (state >> 50) as u32 % slots;
            match line.iter().position(|it| *it == other) {
                Some(at) => {
                    line.remove(at);
                    ladder.leave_line(other);
                }
                None => {
                    line.push_back(other);
                    ladder.line_up(other);
                }
            }
            assert_eq!((ladder.line_len(), ladder.first_in_line()), (line.len() as u64, line.front().copied()));
            match place[slot as usize] {
                None => {
                    ladder.push_back(Tick(tick), slot, qty);
                    tree.entry(tick).or_default().push_back((slot, qty));
                    place[slot as usize] = Some(tick);
                }
                Some(tick) if state.is_multiple_of(3) && ladder.qty(slot) > 1 => {
                    ladder.reduce(Tick(tick), slot, 1);
                    tree.get_mut(&tick).unwrap().iter_mut().find(|entry| entry.0 == slot).unwrap().1 -= 1;
                }
                Some(tick) => {
                    let queue = tree.get_mut(&tick).unwrap();
                    queue.retain(|entry| entry.0 != slot);
                    let is_empty = queue.is_empty();
                    if is_empty {
                        tree.remove(&tick);
                    }
                    assert_eq!(ladder.unlink(Tick(tick), slot), is_empty);
                    place[slot as usize] = None;
                }
            }
            assert_eq!(ladder.at_or_above(Tick(0)).map(|t| t.0), tree.keys().next().copied());
            assert_eq!(ladder.at_or_below(max_tick).map(|t| t.0), tree.keys().next_back().copied());
            assert_eq!(ladder.at_or_above(Tick(tick)).map(|t| t.0), tree.range(tick..).next().map(|(t, _)| *t));
            assert_eq!(ladder.at_or_below(Tick(tick)).map(|t| t.0), tree.range(..=tick).next_back().map(|(t, _)| *t));
            let queue = tree.get(&tick).cloned().unwrap_or_default();
            assert_eq!(ladder.total(Tick(tick)), queue.iter().map(|entry| entry.1).sum::<u64>());
            let mut walked = Vec::new();
            let mut at = ladder.front(Tick(tick));
            while let Some(slot) = at {
                walked.push((slot, ladder.qty(slot)));
                at = ladder.behind(slot);
            }
            assert_eq!(walked, queue.into_iter().collect::<Vec<_>>());
        }
    }
}
