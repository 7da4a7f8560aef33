//! The venue's tape, trade by trade, through the engine.
//!
//! In    a recorded trade: price, size, side, and the value the venue gave it.
//! Out   `value`, `home_notional`, `foreign_notional` and `tick_direction`, each compared.
//! A maker's order is laid at the trade's price and the taker's order meets it; the book is empty
//! before and after, so that what is compared is the engine's own fill. (Rule VALUE-1)

use contract::command::Cancel;
use contract::{AccountId, Action, Capacity, ClOrdId, ContractSpec, NewOrder, Qty, Side, Target, Tick, TimeInForce};

use super::{FillSink, open_unlimited, set_mark, without_limits};
use crate::checks::Checks;
use crate::error::Result;
use crate::run::{self, Run};

/// The engine's value against the recorded gross value.
pub const VALUE: &str = "value";
/// The engine's value against the recorded home notional.
pub const HOME_NOTIONAL: &str = "home_notional";
/// The engine's quantity against the recorded foreign notional.
pub const FOREIGN_NOTIONAL: &str = "foreign_notional";
/// The engine's price against the one before it, as the recorded direction says.
pub const TICK_DIRECTION: &str = "tick_direction";
/// The recording's first row has none before it to compare with.
pub const FIRST_ROW: &str = "first_row";

const MAKER: AccountId = AccountId(4);
const TAKER: AccountId = AccountId(5);

/// A recorded trade.
#[derive(Clone, Debug)]
pub struct TapeTrade<'a> {
    /// Line of the file.
    pub line: u64,
    /// When, ns.
    pub ts: u64,
    /// Where.
    pub tick: Tick,
    /// How much.
    pub qty: Qty,
    /// The taker's side.
    pub side: Side,
    /// The venue's name for it, used as both orders' id.
    pub id: ClOrdId,
    /// How its price compares with the one before: `PlusTick`, `ZeroMinusTick`, …
    pub direction: &'a str,
    /// Recorded value, XBt.
    pub gross_value: i128,
    /// Recorded value, XBT times 1e8.
    pub home_notional: i128,
    /// Recorded size in USD.
    pub foreign_notional: i128,
}

/// An engine that replays a tape.
pub struct Tape {
    run: Run,
    has_mark: bool,
    /// The last price, and whether the last change was upwards.
    last: Option<(Tick, Direction)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Direction {
    Up,
    Down,
}

impl Tape {
    /// A tape of that contract.
    pub fn new(spec: ContractSpec, sink: FillSink) -> Result<Tape> {
        let capacity = Capacity { accounts: 8, orders: 16, sessions: 1, lots: 16 };
        let mut run = Run::new(without_limits(spec), capacity)?;
        run.name_traders(vec!["maker".to_owned(), "taker".to_owned()]);
        run.send_fills_to(sink);
        Ok(Tape { run, has_mark: false, last: None })
    }

    /// Replays one trade and compares it.
    pub fn trade(&mut self, trade: &TapeTrade<'_>, checks: &mut Checks) -> Result<()> {
        let TapeTrade { line, ts, tick, qty, side, id, .. } = *trade;
        if !self.has_mark {
            open_unlimited(&mut self.run, MAKER, ts, checks)?;
            open_unlimited(&mut self.run, TAKER, ts, checks)?;
            let price = self.run.engine().spec().tick_price(tick);
            set_mark(&mut self.run, price, ts, checks)?;
            self.has_mark = true;
        }
        let maker = NewOrder::limit(id, side.opposite(), tick, qty);
        let laid = self.run.apply(MAKER, Action::New(maker), ts, checks)?;
        if let Some(reason) = run::refusal(laid) {
            for name in [VALUE, HOME_NOTIONAL, FOREIGN_NOTIONAL, TICK_DIRECTION] {
                checks.unmatched(name, || format!("line {line}: the engine refuses an order of this trade: {reason}"));
            }
            return Ok(());
        }
        let taker = NewOrder::limit(id, side, tick, qty).with_tif(TimeInForce::ImmediateOrCancel);
        let met = self.run.apply(TAKER, Action::New(taker), ts, checks)?;
        let fill = run::first_fill(met);
        let (value, last_qty, price) = fill.map_or((0, 0, 0), |fill| (fill.value.0, fill.qty.0, fill.price));
        if last_qty != qty.0 {
            // Nothing may be left to meet the next trade.
            self.run.apply(MAKER, Action::Cancel(Cancel { target: Target::ClOrdId(id) }), ts, checks)?;
        }
        let value = i128::from(value);
        checks.compare(VALUE, value == trade.gross_value, || {
            format!("line {line}: recorded grossValue {}, the engine's fill is worth {value}", trade.gross_value)
        });
        checks.compare(HOME_NOTIONAL, value == trade.home_notional, || {
            format!("line {line}: recorded homeNotional is {} XBt, the engine's {value}", trade.home_notional)
        });
        checks.compare(FOREIGN_NOTIONAL, i128::from(last_qty) == trade.foreign_notional, || {
            format!("line {line}: recorded foreignNotional {}, the engine filled {last_qty}", trade.foreign_notional)
        });
        self.compare_direction(trade, price, checks);
        Ok(())
    }

    /// Higher than before: Plus. Lower: Minus. Equal: Zero and the last direction that was not zero.
    fn compare_direction(&mut self, trade: &TapeTrade<'_>, price: u64, checks: &mut Checks) {
        let line = trade.line;
        let recorded = match trade.direction {
            "PlusTick" | "ZeroPlusTick" => Direction::Up,
            _ => Direction::Down,
        };
        let Some((before, direction)) = self.last else {
            let known = ["PlusTick", "ZeroPlusTick", "MinusTick", "ZeroMinusTick"].contains(&trade.direction);
            if known {
                checks.explained(TICK_DIRECTION, FIRST_ROW);
            } else {
                checks.unmatched(TICK_DIRECTION, || format!("line {line}: recorded {:?}", trade.direction));
            }
            self.last = Some((trade.tick, recorded));
            return;
        };
        let (name, direction) = match (price.cmp(&u64::from(before.0)), direction) {
            (std::cmp::Ordering::Greater, _) => ("PlusTick", Direction::Up),
            (std::cmp::Ordering::Less, _) => ("MinusTick", Direction::Down),
            (std::cmp::Ordering::Equal, Direction::Up) => ("ZeroPlusTick", Direction::Up),
            (std::cmp::Ordering::Equal, Direction::Down) => ("ZeroMinusTick", Direction::Down),
        };
        checks.compare(TICK_DIRECTION, name == trade.direction, || {
            format!("line {line}: recorded {}, by the engine's prices {name}", trade.direction)
        });
        self.last = Some((trade.tick, direction));
    }

    /// The engine at the end.
    pub fn into_run(mut self, checks: &mut Checks) -> Result<Run> {
        self.run.finish(checks)?;
        Ok(self.run)
    }
}
