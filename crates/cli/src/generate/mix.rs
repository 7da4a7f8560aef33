//! The mix that markets are made of: mostly new orders near the touch and their cancels.
//!
//! The preparation opens and funds the accounts, puts every second one into isolated margin, gives
//! nine in ten a position and fills the book. Prices lie around a mark that stands still, so nothing
//! is liquidated; every account has a hundred XBT, so nothing is refused. A bare book follows the
//! rows, so that every cancel, reduce and move names an order that rests, and every
//! immediate-or-cancel order trades.

use contract::Side;

use super::Args;
use super::dice::Dice;
use super::writer::{COLUMNS, LogRow, LogWriter};
use crate::bench::book::{BareBook, BookOrder};
use crate::bench::btree_book::BTreeBook;
use crate::error::Result;
use crate::fills::side_name;

/// The mark, in half dollars: 10,000 USD.
const MARK: u64 = 20_000;
/// What each account is funded with: 100 XBT.
const FUNDS: &str = "10000000000";
/// Leverages of the isolated half.
const LEVERAGES: [&str; 5] = ["1", "2", "5", "10", "20"];
/// Time between two rows, ns.
const STEP_NS: u64 = 1_000;

#[derive(Clone, Copy, Debug)]
struct Resting {
    account: u64,
    side: Side,
    leaves: u64,
    /// Its place in the list of live orders.
    place: usize,
}

struct Market<'a, 'out> {
    dice: Dice,
    accounts: u64,
    book: BTreeBook,
    /// By id; what has left the book stays as it was.
    orders: Vec<Resting>,
    /// Ids of the orders that rest, in no order.
    live: Vec<u64>,
    ts_ns: u64,
    log: &'a mut LogWriter<'out>,
}

/// Writes the workload.
pub fn write(args: &Args, log: &mut LogWriter<'_>) -> Result<()> {
    log.line("#centum-log 1 spec=XBTUSD-2019")?;
    let Args { seed, commands, accounts, resting, .. } = args;
    log.line(&format!(
        "# centum generate mix --seed {seed} --commands {commands} --accounts {accounts} --resting {resting}"
    ))?;
    log.line(COLUMNS)?;
    let mut market = Market {
        dice: Dice::new(*seed),
        accounts: *accounts,
        book: BTreeBook::with_capacity(*resting as usize * 2),
        orders: vec![Resting { account: 0, side: Side::Buy, leaves: 0, place: usize::MAX }],
        live: Vec::new(),
        ts_ns: 0,
        log,
    };
    market.prepare(*resting)?;
    market.log.line(crate::order_log::BENCH_START)?;
    for _ in 0..*commands {
        match market.dice.below(1_000) {
            0..460 => market.rest()?,
            460..890 => market.cancel()?,
            890..940 => market.take(*resting)?,
            940..970 if market.reduce()? => {}
            _ => market.relocate()?,
        }
    }
    Ok(())
}

impl Market<'_, '_> {
    fn row(&mut self, row: LogRow<'_>) -> Result<()> {
        self.ts_ns += STEP_NS;
        self.log.row(&LogRow { ts_ns: self.ts_ns, ..row })
    }

    fn prepare(&mut self, resting: u64) -> Result<()> {
        self.row(LogRow { op: "mark", half_dollars: MARK, ..LogRow::default() })?;
        for account in 1..=self.accounts {
            self.row(LogRow { op: "open", account, ..LogRow::default() })?;
            self.row(LogRow { op: "deposit", account, value: FUNDS, ..LogRow::default() })?;
            if account % 2 == 0 {
                let value = LEVERAGES[self.dice.below(LEVERAGES.len() as u64) as usize];
                self.row(LogRow { op: "leverage", account, value, ..LogRow::default() })?;
            }
        }
        // Neighbours trade with each other at the mark; every tenth account stays flat.
        let with_position: Vec<u64> = (1..=self.accounts).filter(|account| account % 10 != 0).collect();
        for pair in with_position.chunks_exact(2) {
            let qty = self.dice.between(1, 100) * 100;
            let (long, short) = if self.dice.permille(500) { (pair[0], pair[1]) } else { (pair[1], pair[0]) };
            for (account, side, tif) in [(short, "sell", ""), (long, "buy", "ioc")] {
                let id = self.next_id(account, Side::Buy, 0);
                self.row(LogRow { op: "new", account, id, side, qty, half_dollars: MARK, tif, ..LogRow::default() })?;
            }
        }
        for _ in 0..resting {
            self.rest()?;
        }
        Ok(())
    }

    fn next_id(&mut self, account: u64, side: Side, leaves: u64) -> u64 {
        self.orders.push(Resting { account, side, leaves, place: usize::MAX });
        self.orders.len() as u64 - 1
    }

    /// A price on the own side of the mark: the book never crosses by a resting order.
    fn price(&mut self, side: Side) -> u64 {
        let distance = 1 + self.dice.distance();
        if side == Side::Buy { MARK - distance } else { MARK + distance }
    }

    fn rest(&mut self) -> Result<()> {
        let account = self.dice.between(1, self.accounts);
        let side = if self.dice.permille(500) { Side::Buy } else { Side::Sell };
        let half_dollars = self.price(side);
        let qty = self.dice.between(1, 100) * 10;
        let id = self.next_id(account, side, qty);
        self.orders[id as usize].place = self.live.len();
        self.live.push(id);
        let order = BookOrder { id, side, tick: half_dollars as u32, qty, rests: true };
        self.book.submit(order, &mut |_| unreachable!("a resting order lies on its own side of the mark"));
        let side = side_name(Some(side));
        self.row(LogRow { op: "new", account, id, side, qty, half_dollars, ..LogRow::default() })
    }

    /// An order that rests; a new one is laid where there is none.
    fn any(&mut self) -> Result<Option<u64>> {
        if self.live.is_empty() {
            self.rest()?;
            return Ok(None);
        }
        let at = self.dice.below(self.live.len() as u64);
        Ok(Some(self.live[at as usize]))
    }

    fn forget(&mut self, id: u64) {
        let place = self.orders[id as usize].place;
        self.live.swap_remove(place);
        if let Some(moved) = self.live.get(place) {
            self.orders[*moved as usize].place = place;
        }
    }

    fn cancel(&mut self) -> Result<()> {
        let Some(id) = self.any()? else { return Ok(()) };
        self.forget(id);
        self.book.cancel(id);
        let account = self.orders[id as usize].account;
        self.row(LogRow { op: "cancel", account, id, ..LogRow::default() })
    }

    /// Takes part of the best order, or all of it and part of the next where the book is too full.
    fn take(&mut self, resting: u64) -> Result<()> {
        let side = if self.dice.permille(500) { Side::Buy } else { Side::Sell };
        let Some((best, leaves)) = self.book.first(side.opposite()) else { return self.rest() };
        let owner = self.orders[best as usize].account;
        let account = (owner + self.dice.below(self.accounts - 1)) % self.accounts + 1;
        let account = if account == owner { owner % self.accounts + 1 } else { account };
        let is_full = self.live.len() as u64 > resting;
        let qty = if is_full { leaves + self.dice.between(1, 50) * 10 } else { self.dice.between(1, leaves) };
        let reach = self.dice.between(20, 60);
        let Some(touch) = self.book.best(side.opposite()) else { return self.rest() };
        let touch = u64::from(touch);
        let half_dollars = if side == Side::Buy { touch + reach } else { touch - reach };
        let id = self.next_id(account, side, qty);
        let mut gone = Vec::new();
        let orders = &mut self.orders;
        let order = BookOrder { id, side, tick: half_dollars as u32, qty, rests: false };
        self.book.submit(order, &mut |matched| {
            orders[matched.maker as usize].leaves = matched.maker_leaves;
            if matched.maker_leaves == 0 {
                gone.push(matched.maker);
            }
        });
        gone.into_iter().for_each(|id| self.forget(id));
        let side = side_name(Some(side));
        self.row(LogRow { op: "new", account, id, side, qty, half_dollars, tif: "ioc", ..LogRow::default() })
    }

    /// False where the order drawn has too little left to be reduced.
    fn reduce(&mut self) -> Result<bool> {
        let Some(id) = self.any()? else { return Ok(true) };
        let Resting { account, leaves, .. } = self.orders[id as usize];
        if leaves < 2 {
            return Ok(false);
        }
        let qty = self.dice.between(1, leaves - 1);
        self.orders[id as usize].leaves -= qty;
        self.book.reduce(id, qty);
        self.row(LogRow { op: "reduce", account, id, qty, ..LogRow::default() })?;
        Ok(true)
    }

    fn relocate(&mut self) -> Result<()> {
        let Some(id) = self.any()? else { return Ok(()) };
        let Resting { account, side, leaves: qty, .. } = self.orders[id as usize];
        let half_dollars = self.price(side);
        let tick = half_dollars as u32;
        self.book.relocate(id, tick, qty, &mut |_| unreachable!("a moved order stays on its side of the mark"));
        self.row(LogRow { op: "move", account, id, qty, half_dollars, ..LogRow::default() })
    }
}
