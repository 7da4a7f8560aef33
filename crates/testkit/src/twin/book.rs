//! The book: a list of live orders in the order in which they came to their places.
//!
//! Priority is price, then place in the list (rule BOOK-1); "best", "oldest" and "newest" are found
//! by looking at every order.

use std::collections::BTreeMap;

use contract::cl_ord_id::ClOrdId;
use contract::codes::Side;
use contract::units::{AccountId, OrderId};

use super::Twin;
use super::account::reducible;
use super::margin::OrderSums;
use super::market::{opposite, sign};

/// An order. Quantities in contracts.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub number: u64,
    pub slot: u32,
    pub account: u32,
    pub side: Side,
    pub tick: u32,
    pub leaves: i128,
    pub cum: i128,
    pub cl_ord_id: ClOrdId,
    /// XBt a unit, fixed at entry. (Rule OM-5)
    pub premium: i128,
    pub is_post_only: bool,
    pub is_reduce_only: bool,
}

impl Order {
    pub(super) fn id(&self) -> OrderId {
        OrderId { number: self.number, slot: self.slot }
    }

    /// Is it the order of a lot of the liquidation account? (Rule LIQ-9)
    pub(super) fn is_close_out(&self) -> bool {
        self.account == AccountId::LIQUIDATION.0
    }
}

/// What an order would trade with one resting order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    pub maker: u64,
    pub qty: i128,
    pub tick: u32,
}

/// The walk of an order through the opposite side.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub pieces: Vec<Piece>,
    /// `max_fills` orders are met and another would still trade.
    pub is_cut: bool,
}

impl Plan {
    pub(super) fn traded(&self) -> i128 {
        self.pieces.iter().map(|piece| piece.qty).sum()
    }
}

/// How far an order reaches: its first contracts to one tick, the others to another. (Rule OM-8)
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    /// How many reduce the position first; none for a limit order.
    pub first: i128,
    pub first_limit: u32,
    pub limit: u32,
}

/// Is a price at the limit or better for the side that takes it?
pub(super) fn is_within(side: Side, tick: u32, limit: u32) -> bool {
    if side == Side::Buy { tick <= limit } else { tick >= limit }
}

impl Twin {
    pub(super) fn order(&self, number: u64) -> Option<&Order> {
        self.orders.iter().find(|order| order.number == number)
    }

    /// Takes an order out of the book. Its slot stays its own.
    pub(super) fn remove(&mut self, number: u64) -> Order {
        let at = self.orders.iter().position(|order| order.number == number);
        self.orders.remove(at.expect("an order that is removed is live"))
    }

    /// An account's orders, oldest place first.
    pub(super) fn orders_of(&self, account: u32) -> impl Iterator<Item = &Order> {
        self.orders.iter().filter(move |order| order.account == account)
    }

    /// The account's order with the lowest number.
    pub(super) fn oldest_of(&self, account: u32) -> Option<u64> {
        self.orders_of(account).map(|order| order.number).min()
    }

    /// An account's order sums, without the order `but`.
    pub(super) fn sums_without(&self, account: u32, but: Option<u64>) -> OrderSums {
        let mut sums = OrderSums::default();
        for order in self.orders_of(account).filter(|order| Some(order.number) != but) {
            sums.add(&self.market, order.side, order.leaves, order.tick, order.premium);
        }
        sums
    }

    /// An account's order sums.
    pub(super) fn sums(&self, account: u32) -> OrderSums {
        self.sums_without(account, None)
    }

    /// The orders of a side, best price first, oldest place first. (Rule BOOK-1)
    pub(super) fn side_by_priority(&self, side: Side) -> Vec<&Order> {
        let mut orders: Vec<&Order> = self.orders.iter().filter(|order| order.side == side).collect();
        // The sort is stable, so that at one price the list's order stays.
        orders.sort_by_key(|order| -sign(side) * i128::from(order.tick));
        orders
    }

    /// The first order of a side in priority.
    pub(super) fn best(&self, side: Side) -> Option<&Order> {
        self.side_by_priority(side).into_iter().next()
    }

    /// Walks an order through the opposite side as it would trade, changing nothing.
    pub(super) fn plan(&self, account: u32, side: Side, qty: i128, reach: Reach) -> Plan {
        let mut plan = Plan::default();
        let mut left = qty;
        let mut to_reduce = reach.first;
        // Positions as they stand at this point of the walk.
        let mut moved: BTreeMap<u32, i128> = BTreeMap::new();
        for maker in self.side_by_priority(opposite(side)) {
            if left == 0 {
                break;
            }
            let position = moved.get(&maker.account).copied().unwrap_or(self.accounts[maker.account as usize].qty);
            let offered =
                if maker.is_reduce_only { maker.leaves.min(reducible(position, maker.side)) } else { maker.leaves };
            if offered == 0 {
                continue;
            }
            let mut takes = 0;
            if to_reduce > 0 && is_within(side, maker.tick, reach.first_limit) {
                takes = offered.min(to_reduce);
            }
            if takes == to_reduce && is_within(side, maker.tick, reach.limit) {
                takes = offered.min(left);
            }
            if takes == 0 {
                break;
            }
            if plan.pieces.len() as u64 == self.market.spec.max_fills {
                plan.is_cut = true;
                break;
            }
            plan.pieces.push(Piece { maker: maker.number, qty: takes, tick: maker.tick });
            left -= takes;
            to_reduce -= takes.min(to_reduce);
            // The taker's position moves first, in case both are one account.
            for (party, party_side) in [(account, side), (maker.account, maker.side)] {
                let now = moved.entry(party).or_insert(self.accounts[party as usize].qty);
                *now += sign(party_side) * takes;
            }
        }
        plan
    }

    /// The slot of the next order: the one given back last, else the first that was never used, if there is one.
    /// (Design, Ids)
    pub(super) fn next_slot(&self) -> Option<u32> {
        let unused = Some(self.slots_used).filter(|slot| *slot < self.capacity.orders);
        self.slots_given_back.last().copied().or(unused)
    }

    /// Takes that slot.
    pub(super) fn take_slot(&mut self) -> Option<u32> {
        let slot = self.next_slot()?;
        if self.slots_given_back.pop().is_none() {
            self.slots_used += 1;
        }
        Some(slot)
    }

    /// The order that has a slot is gone for good. Those of lots have slots of their own.
    pub(super) fn give_back_slot(&mut self, order: &Order) {
        if !order.is_close_out() {
            self.slots_given_back.push(order.slot);
        }
    }
}
