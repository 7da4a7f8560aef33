//! Rows of the public feed, and the book as rows make it.

use contract::project::{PublicBody, Stamp};
use contract::{MarketState, Price, Qty, Rate, Side, Tick, Xbt};

/// A row of the public feed.
///
/// A command's facts come first, in their order, then what it made of the book: orders, levels, top.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MarketRow {
    /// Which event; of a row about the book the last one of its command.
    pub stamp: Stamp,
    /// What it says.
    pub body: MarketBody,
}

/// What a public row says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum MarketBody {
    /// A fact: a trade, a liquidation, the insurance fund, mark, funding rate, the market's state. Rows about single
    /// orders are not among them; what became of the book is.
    Fact(PublicBody),
    /// L3: an order at rest changed.
    Order(OrderRow),
    /// L2: a level changed.
    Level(LevelRow),
    /// The best levels changed.
    Top(Top),
}

/// An order of the public book. Nothing of its owner, and nothing that is not shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrderRow {
    /// What happened.
    pub change: Change,
    /// Creation number.
    pub number: u64,
    /// Buy or sell.
    pub side: Side,
    /// Limit price.
    pub price: Tick,
    /// What is open now; 0 where it is removed.
    pub leaves: Qty,
}

/// What happened to an order at rest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Change {
    /// It came to rest, behind all of its level.
    Added,
    /// It has another open quantity, in the same place.
    Changed,
    /// It is gone; or it lost its place and is added next.
    Removed,
}

/// A level of the public book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LevelRow {
    /// Bids (`Buy`) or asks.
    pub side: Side,
    /// Its price.
    pub price: Tick,
    /// What is open there now; 0: the level is gone.
    pub qty: Qty,
}

/// The best bid and ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Top {
    /// Best bid.
    pub bid: Option<LevelRow>,
    /// Best ask.
    pub ask: Option<LevelRow>,
}

/// The book by level, the best first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct L2 {
    /// Bids, falling.
    pub bids: Vec<LevelRow>,
    /// Asks, rising.
    pub asks: Vec<LevelRow>,
}

impl L2 {
    /// Takes in a level that changed.
    pub fn apply(&mut self, row: &LevelRow) {
        let levels = if row.side == Side::Buy { &mut self.bids } else { &mut self.asks };
        match (levels.binary_search_by_key(&rank(row.side, row.price), |it| rank(it.side, it.price)), row.qty) {
            (Ok(at), Qty::ZERO) => drop(levels.remove(at)),
            (Ok(at), _) => levels[at] = *row,
            (Err(_), Qty::ZERO) => {}
            (Err(at), _) => levels.insert(at, *row),
        }
    }
}

/// The book by order, each side in priority: the best level first, in a level the one that will trade first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct L3 {
    /// Bids.
    pub bids: Vec<OrderRow>,
    /// Asks.
    pub asks: Vec<OrderRow>,
}

impl L3 {
    /// Takes in an order that changed.
    pub fn apply(&mut self, row: &OrderRow) {
        let orders = if row.side == Side::Buy { &mut self.bids } else { &mut self.asks };
        let begins = orders.partition_point(|it| rank(it.side, it.price) < rank(row.side, row.price));
        let ends = orders.partition_point(|it| rank(it.side, it.price) <= rank(row.side, row.price));
        let at = orders[begins..ends].iter().position(|it| it.number == row.number).map(|at| begins + at);
        match (row.change, at) {
            (Change::Added, _) => orders.insert(ends, *row),
            (Change::Changed, Some(at)) => orders[at].leaves = row.leaves,
            (Change::Removed, Some(at)) => drop(orders.remove(at)),
            (_, None) => {}
        }
    }
}

/// Bids from the highest down, asks from the lowest up.
fn rank(side: Side, price: Tick) -> u32 {
    if side == Side::Buy { u32::MAX - price.0 } else { price.0 }
}

/// The public side of the market after a command. Rows of the feed go on from there.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct MarketSnapshot {
    /// All that this command and those before it said is in here, and nothing of the next.
    pub as_of: u64,
    /// The index price; none where there is none, or none was said since the router began.
    pub index: Price,
    /// The mark price; none before the first.
    pub mark: Price,
    /// The funding rate in force.
    pub rate: Rate,
    /// The next one, as computed so far.
    pub indicative_rate: Rate,
    /// What the insurance fund holds.
    pub insurance: Xbt,
    /// The market's state; none where none was said since the router began.
    pub state: Option<MarketState>,
    /// Best bid and ask, where asked for.
    pub top: Option<Top>,
    /// The book by level, where asked for.
    pub l2: Option<L2>,
    /// The book by order, where asked for.
    pub l3: Option<L3>,
}

impl MarketSnapshot {
    /// Takes in the feed's next row: the snapshot is then that of a later moment, whole after each command.
    pub fn apply(&mut self, row: &MarketRow) {
        self.as_of = row.stamp.seq;
        match &row.body {
            MarketBody::Fact(PublicBody::Mark { index, mark }) => (self.index, self.mark) = (*index, *mark),
            MarketBody::Fact(PublicBody::FundingRate { rate, indicative }) => {
                (self.rate, self.indicative_rate) = (*rate, *indicative);
            }
            MarketBody::Fact(PublicBody::Insurance { balance }) => self.insurance = *balance,
            MarketBody::Fact(PublicBody::State(state)) => self.state = Some(*state),
            MarketBody::Fact(_) => {}
            MarketBody::Order(row) => self.l3.iter_mut().for_each(|book| book.apply(row)),
            MarketBody::Level(row) => self.l2.iter_mut().for_each(|book| book.apply(row)),
            MarketBody::Top(top) => self.top = Some(*top),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(change: Change, number: u64, side: Side, price: u32, leaves: u64) -> OrderRow {
        OrderRow { change, number, side, price: Tick(price), leaves: Qty(leaves) }
    }

    #[test]
    fn a_book_of_rows_is_the_book() {
        let (mut l2, mut l3) = (L2::default(), L3::default());
        for row in [
            order(Change::Added, 1, Side::Buy, 100, 5),
            order(Change::Added, 2, Side::Buy, 101, 6),
            order(Change::Added, 3, Side::Buy, 100, 7),
            order(Change::Added, 4, Side::Sell, 103, 8),
            order(Change::Added, 5, Side::Sell, 102, 9),
            order(Change::Changed, 1, Side::Buy, 100, 4),
            order(Change::Removed, 5, Side::Sell, 102, 0),
            order(Change::Added, 1, Side::Buy, 102, 4),
            order(Change::Removed, 1, Side::Buy, 100, 0),
        ] {
            l3.apply(&row);
        }
        let numbers = |orders: &[OrderRow]| orders.iter().map(|it| (it.number, it.leaves.0)).collect::<Vec<_>>();
        assert_eq!(numbers(&l3.bids), [(1, 4), (2, 6), (3, 7)], "BOOK-1");
        assert_eq!(numbers(&l3.asks), [(4, 8)]);
        for (side, price, qty) in [(Side::Sell, 7, 1), (Side::Sell, 5, 2), (Side::Sell, 7, 3), (Side::Sell, 5, 0)] {
            l2.apply(&LevelRow { side, price: Tick(price), qty: Qty(qty) });
        }
        l2.apply(&LevelRow { side: Side::Sell, price: Tick(6), qty: Qty::ZERO });
        assert_eq!(l2.asks, [LevelRow { side: Side::Sell, price: Tick(7), qty: Qty(3) }]);
    }
}
