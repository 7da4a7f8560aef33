//! What a bare order book does, so that two can be measured by the same commands.
//!
//! No accounts, no margin, no events: an id, a side, a tick, a quantity. A book that is to be
//! measured implements [`BareBook`]; `centum bench --mode book` runs the same commands through each.

use std::collections::HashMap;

use contract::{Action, AmendQty, ClOrdId, Command, OrdType, Side, Target, TimeInForce};

use crate::fills;

/// One match.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Match {
    /// Id of the order that rested.
    pub maker: u64,
    /// Id of the order that arrived.
    pub taker: u64,
    /// Where.
    pub tick: u32,
    /// How much.
    pub qty: u64,
    /// What is left of the order that rested.
    pub maker_leaves: u64,
}

/// A bare order book: price, then time.
pub trait BareBook {
    /// Matches an order; what is left rests where `rests`. Each match goes to `matched`.
    fn submit(&mut self, order: BookOrder, matched: &mut impl FnMut(Match));
    /// Takes an order off; false when there is none.
    fn cancel(&mut self, id: u64) -> bool;
    /// Takes `qty` off an order's open quantity, which keeps its place; false when there is none.
    fn reduce(&mut self, id: u64, qty: u64) -> bool;
    /// Gives an order a new price and open quantity at the back of the queue; it may trade. False
    /// when there is none.
    fn relocate(&mut self, id: u64, tick: u32, qty: u64, matched: &mut impl FnMut(Match)) -> bool;
    /// The orders of one side, best price first, oldest first: id, tick, open quantity.
    fn for_each(&self, side: Side, f: impl FnMut(u64, u32, u64));
}

/// An order for a bare book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BookOrder {
    /// Its id.
    pub id: u64,
    /// Buy or sell.
    pub side: Side,
    /// Limit.
    pub tick: u32,
    /// Quantity.
    pub qty: u64,
    /// Does what is left come to rest?
    pub rests: bool,
}

/// A command for a bare book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BookCommand {
    /// A new order.
    Submit(BookOrder),
    /// A cancel, by id.
    Cancel(u64),
    /// An id and what to take off.
    Reduce(u64, u64),
    /// An id, the new tick and the new open quantity.
    Relocate(u64, u32, u64),
}

/// Carries one command out.
#[inline]
pub fn carry_out(book: &mut impl BareBook, command: &BookCommand, matched: &mut impl FnMut(Match)) {
    match *command {
        BookCommand::Submit(order) => book.submit(order, matched),
        BookCommand::Cancel(id) => {
            book.cancel(id);
        }
        BookCommand::Reduce(id, qty) => {
            book.reduce(id, qty);
        }
        BookCommand::Relocate(id, tick, qty) => {
            book.relocate(id, tick, qty, matched);
        }
    }
}

/// The highest number an order of a bare book may have.
const HIGHEST: u64 = (1 << 59) - 1;

/// Gives each client id one number: the id itself where it is one, else the next free one from the
/// top of the range.
#[derive(Default)]
pub struct BookIds {
    named: HashMap<(u32, ClOrdId), u64>,
}

impl BookIds {
    fn number(&mut self, account: u32, id: ClOrdId) -> u64 {
        if let Some(number) = fills::numeric(&id).filter(|number| *number <= HIGHEST / 2) {
            return number;
        }
        let next = HIGHEST - self.named.len() as u64;
        *self.named.entry((account, id)).or_insert(next)
    }

    /// The command for a bare book; `None` where a bare book has none for it.
    pub fn command(&mut self, command: &Command) -> Option<BookCommand> {
        let account = command.account().0;
        let mut number = |target: Target| match target {
            Target::ClOrdId(id) => Some(self.number(account, id)),
            Target::OrderId(_) => None,
        };
        match command.action()? {
            Action::New(order) => {
                let side = order.side.get()?;
                let is_market = order.ord_type.get() == Some(OrdType::Market);
                let tick = match (is_market, side) {
                    (false, _) => order.price.0,
                    (true, Side::Sell) => 1,
                    (true, _) => u32::MAX,
                };
                let rests = !is_market && order.tif.get() == Some(TimeInForce::GoodTillCancel);
                let id = number(Target::ClOrdId(order.cl_ord_id))?;
                Some(BookCommand::Submit(BookOrder { id, side, tick, qty: order.qty.0, rests }))
            }
            Action::Cancel(cancel) => Some(BookCommand::Cancel(number(cancel.target)?)),
            Action::Amend(amend) => {
                let id = number(amend.target)?;
                match amend.fields.qty_kind.get()? {
                    AmendQty::Reduce => Some(BookCommand::Reduce(id, amend.fields.qty.0)),
                    AmendQty::Leaves => Some(BookCommand::Relocate(id, amend.fields.price.0, amend.fields.qty.0)),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}
