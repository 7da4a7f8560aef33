//! What the workload knows of the market: only what the events have told it.

use std::collections::BTreeMap;

use contract::cl_ord_id::ClOrdId;
use contract::codes::Side;
use contract::event::{Event, Fact, Fill, Position, Wallet};
use contract::units::{AccountId, OrderId, Price, Qty, Tick};

/// Dead orders that are remembered, to be named again.
const DEAD: usize = 32;

/// A live order as told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Live {
    pub id: OrderId,
    pub account: u32,
    pub side: Side,
    pub price: Tick,
    pub leaves: Qty,
    pub cum: Qty,
    pub cl_ord_id: ClOrdId,
}

/// A trader as told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trader {
    pub wallet: Wallet,
    pub position: Position,
}

/// The market as told.
#[derive(Default)]
pub(super) struct Picture {
    pub mark: Option<Price>,
    pub orders: BTreeMap<u64, Live>,
    pub dead: Vec<Live>,
    /// Traders; the first is account 4.
    pub traders: Vec<Trader>,
    /// An account that was found beyond its price, from the last events.
    pub in_trouble: Option<u32>,
}

impl Picture {
    pub(super) fn observe(&mut self, events: &[Event]) {
        for event in events {
            let account = event.account().0;
            match event.fact() {
                Some(Fact::Accepted(it)) => {
                    let Some(side) = it.side.get() else { continue };
                    let id = OrderId { number: it.number, slot: it.slot };
                    let (price, cl_ord_id) = (it.price, it.cl_ord_id);
                    let live = Live { id, account, side, price, leaves: it.qty, cum: Qty(0), cl_ord_id };
                    self.orders.insert(it.number, live);
                }
                Some(Fact::Amended(it)) => {
                    if let Some(live) = self.orders.get_mut(&it.number) {
                        (live.price, live.leaves, live.cl_ord_id) = (it.price, it.leaves, it.cl_ord_id);
                    }
                }
                Some(Fact::Restated(it)) => {
                    if let Some(live) = self.orders.get_mut(&it.number) {
                        live.leaves = it.leaves;
                    }
                }
                Some(Fact::Canceled(it)) => self.bury(it.number),
                Some(Fact::Fill(fill)) => self.fill(&fill),
                Some(Fact::IndexMark(it)) => self.mark = Some(it.mark),
                Some(Fact::Liquidation(_)) if account >= 4 => self.in_trouble = Some(account),
                Some(Fact::Wallet(wallet)) => self.trader(account).wallet = wallet,
                Some(Fact::Position(position)) => self.trader(account).position = position,
                _ => {}
            }
        }
    }

    fn fill(&mut self, fill: &Fill) {
        for (number, leaves) in [(fill.taker_number, fill.taker_leaves), (fill.maker_number, fill.maker_leaves)] {
            if let Some(live) = self.orders.get_mut(&number) {
                live.leaves = leaves;
                live.cum += fill.qty;
                if leaves.is_zero() {
                    self.bury(number);
                }
            }
        }
    }

    fn bury(&mut self, number: u64) {
        if let Some(live) = self.orders.remove(&number) {
            self.dead.push(live);
            if self.dead.len() > DEAD {
                self.dead.remove(0);
            }
        }
    }

    fn trader(&mut self, account: u32) -> &mut Trader {
        let at = (account - AccountId::FIRST_TRADER.0) as usize;
        if at >= self.traders.len() {
            self.traders.resize(at + 1, Trader::default());
        }
        &mut self.traders[at]
    }

    /// The trader with that account, where it is one.
    pub(super) fn get(&self, account: u32) -> Option<&Trader> {
        self.traders.get(account.checked_sub(AccountId::FIRST_TRADER.0)? as usize)
    }

    /// Best price of a side among the traders' orders.
    pub(super) fn best(&self, side: Side) -> Option<Tick> {
        let prices = self.orders.values().filter(|live| live.side == side).map(|live| live.price);
        if side == Side::Buy { prices.max() } else { prices.min() }
    }
}
