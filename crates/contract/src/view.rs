//! What depends on the mark: never an event, always computed from the last state events and the mark.
//!
//! In    an account's `Wallet` and `Position`, the rate in force, the mark.
//! Out   everything a trader's screen shows beside them. Readers and engine use the same sums.

use crate::display::{Shown, average_entry_price, margin_leverage, margin_used, unrealised_pcnt, unrealised_roe};
use crate::event;
use crate::liquidation::{bearable, price_after_loss};
use crate::margin::{
    Chargeable, Held, OrderSums, SideSums, Terms, chargeable, held, mark_value, position_cross, position_margin,
    withdrawable,
};
use crate::math::signed;
use crate::position::PositionState;
use crate::spec::ContractSpec;
use crate::units::{Price, Rate, Xbt};

/// An account at a mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct View {
    /// Signed value of the position at the mark. (Rule COST-1)
    pub mark_value: Xbt,
    /// Unrealised PnL. (Rule PNL-1)
    pub unrealised_pnl: Xbt,
    /// Wallet + unrealised PnL.
    pub margin_balance: Xbt,
    /// What the position holds back, part by part. (Rules MARGIN-1 to MARGIN-6)
    pub held: Held,
    /// posMargin + unrealised PnL; the maintenance margin where that alone is held. (Rules MARGIN-7, CONTRACT-3)
    pub locked: Xbt,
    /// What may still be used; below zero where there is not enough. (Rule MARGIN-7)
    pub available: Xbt,
    /// What may be withdrawn, never unrealised profit. An account in liquidation may withdraw nothing:
    /// that is the engine's to know. (Rule WITHDRAW-1)
    pub withdrawable: Xbt,
    /// The chargeable part of open orders. (Rules OM-2, OM-3)
    pub chargeable: Chargeable,
    /// |value at mark| + C. (Rule RISK-1)
    pub risk_value: Xbt,
    /// The liquidation price as it is now; none when flat. (Rules LIQ-1 to LIQ-3)
    pub liquidation_price: Price,
    /// The bankruptcy price as it is now, on the tick; none when flat.
    pub bankruptcy_price: Price,
    /// Average entry price; none when flat. (Rule POS-1)
    pub average_entry_price: Option<Shown>,
    /// Unrealised PnL as a part of |cost|. (Rule VIEW-1)
    pub unrealised_pcnt: Shown,
    /// The same times leverage.
    pub unrealised_roe: Shown,
    /// Part of the margin balance in use; none where that is not positive.
    pub margin_used: Option<Shown>,
    /// Gross mark value over margin balance; none where that is not positive.
    pub margin_leverage: Option<Shown>,
}

/// The position as the sums know it.
#[must_use]
pub const fn position_state(position: &event::Position) -> PositionState {
    PositionState { qty: position.qty, cost: position.cost, cross: position.cross, loss: position.loss }
}

/// An account's open orders as the sums know them.
#[must_use]
pub const fn order_sums(wallet: &event::Wallet) -> OrderSums {
    OrderSums {
        buy: SideSums {
            qty: wallet.buy_qty,
            cost: wallet.buy_cost.0.unsigned_abs(),
            premium: wallet.buy_premium.0.unsigned_abs(),
        },
        sell: SideSums {
            qty: wallet.sell_qty,
            cost: wallet.sell_cost.0.unsigned_abs(),
            premium: wallet.sell_premium.0.unsigned_abs(),
        },
    }
}

/// The terms of an account, `rate` being the funding rate in force. `None` where its fee class is not
/// the specification's.
#[must_use]
pub fn terms_of(spec: &ContractSpec, rate: Rate, position: &event::Position) -> Option<Terms> {
    let fees = spec.fees.get(usize::from(position.fee_class))?;
    Some(Terms::at_rate(spec, position.leverage, position.tier, fees.taker, rate))
}

/// The account at `mark`, `rate` being the funding rate in force; before the first mark
/// ([`Price::NONE`]) positions do not exist and orders are as they are. (Rules PNL-1, MARGIN-*, VIEW-1)
///
/// # Panics
/// Where the fee class is not the specification's: `OpenAccount` and `SetAccount` refuse such a one.
///
/// ```
/// use centum_contract::{ContractSpec, Leverage, Price, Rate, Xbt, event, view::view};
/// // 2019-07-14: short 2,000 at 5x, margin added by hand.
/// let wallet = event::Wallet { balance: Xbt(10_000_000), ..Default::default() };
/// let position = event::Position {
///     leverage: Leverage(500), qty: -2_000, cost: Xbt(18_668_000), cross: Xbt(71_429), ..Default::default()
/// };
/// let shown = view(&ContractSpec::XBTUSD_2019, Rate::ZERO, &wallet, &position, Price(1_056_760));
/// assert_eq!((shown.unrealised_pnl, shown.locked), (Xbt(258_000), Xbt(4_079_884)));
/// assert_eq!((shown.liquidation_price, shown.bankruptcy_price), (Price(1_337_050), Price(1_345_500)));
/// assert_eq!(shown.available, Xbt(10_000_000 - 3_821_884)); // profit is not available
/// ```
#[must_use]
pub fn view(spec: &ContractSpec, rate: Rate, wallet: &event::Wallet, position: &event::Position, mark: Price) -> View {
    let terms = terms_of(spec, rate, position).expect("OpenAccount: a fee class is the specification's");
    let state = position_state(position);
    let chargeable = chargeable(&order_sums(wallet), state.qty);
    let flat = View {
        margin_balance: wallet.balance,
        available: wallet.balance - wallet.order_margin,
        withdrawable: (wallet.balance - wallet.order_margin).max(Xbt::ZERO),
        chargeable,
        risk_value: Xbt(signed(chargeable.cost)),
        margin_used: margin_used(wallet.order_margin, Xbt::ZERO, wallet.balance),
        margin_leverage: margin_leverage(Xbt::ZERO, wallet.balance),
        ..View::default()
    };
    if state.qty == 0 || mark == Price::NONE {
        return flat;
    }
    let unit = mark_value(spec, mark);
    let value = state.value_at(spec, unit);
    let unrealised = state.unrealised_pnl(spec, unit);
    let margin_balance = wallet.balance + unrealised;
    let equity = (wallet.balance - wallet.order_margin).0;
    let held = held(&terms, &state, position_cross(&terms, &state, unrealised));
    let losses = bearable(&terms, &state, equity);
    let locked = position_margin(spec, &terms, &state, unit) + unrealised;
    let available = margin_balance - wallet.order_margin - locked;
    View {
        mark_value: value,
        unrealised_pnl: unrealised,
        margin_balance,
        held,
        locked,
        available,
        withdrawable: withdrawable(spec, &terms, &state, unit, available).max(Xbt::ZERO),
        risk_value: value.abs() + flat.risk_value,
        liquidation_price: price_after_loss(spec, &state, losses.until_liquidation, spec.tick_size),
        bankruptcy_price: price_after_loss(spec, &state, losses.until_bankruptcy, spec.tick_size),
        average_entry_price: average_entry_price(spec, &state),
        unrealised_pcnt: unrealised_pcnt(&state, unrealised),
        unrealised_roe: unrealised_roe(&terms, &state, unrealised),
        margin_used: margin_used(wallet.order_margin, locked, margin_balance),
        margin_leverage: margin_leverage(value.abs(), margin_balance),
        ..flat
    }
}
