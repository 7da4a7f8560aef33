//! What a trader is shown beside the money: average price, percentages, leverage, volume prices.
//!
//! Nothing is computed *from* these: they are rounded for reading. They are decimals, not floats, so
//! that they can be compared with what the venue recorded. (Rules POS-1, VIEW-1)

use core::fmt;

use crate::margin::Terms;
use crate::position::PositionState;
use crate::spec::ContractSpec;
use crate::units::{Price, Rate, Xbt};
use crate::value::units;
use crate::wide::{Ratio, Wide};

/// Powers of ten that 128 bits hold.
const MAX_DECIMALS: u32 = 38;

/// A decimal: `mantissa` / 10^`decimals`.
///
/// ```
/// use centum_contract::display::Shown;
/// assert_eq!(Shown { mantissa: -25, decimals: 3 }.to_string(), "-0.025");
/// assert_eq!(Shown { mantissa: 35_661_000, decimals: 4 }.trimmed().to_string(), "3566.1");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Shown {
    /// All its digits.
    pub mantissa: i128,
    /// How many of them stand behind the point; at most 38.
    pub decimals: u32,
}

impl Shown {
    /// Nothing.
    pub const ZERO: Shown = Shown { mantissa: 0, decimals: 0 };

    /// The same number without zeros at its end.
    #[must_use]
    pub const fn trimmed(self) -> Shown {
        let mut out = self;
        while out.decimals > 0 && out.mantissa % 10 == 0 {
            out.mantissa /= 10;
            out.decimals -= 1;
        }
        out
    }

    /// num / den to the nearest with so many decimals, ties away from zero.
    ///
    /// # Panics
    /// Where `den` is zero, or the result needs more than 127 bits: amounts over amounts never do.
    #[must_use]
    pub fn quotient(num: i128, den: u128, decimals: u32) -> Shown {
        let magnitude = Ratio::new(num.unsigned_abs(), den)
            .times_rounded(10u128.pow(decimals))
            .and_then(|x| i128::try_from(x).ok())
            .expect("LIMIT-1: a shown number fits 127 bits");
        Shown { mantissa: if num < 0 { -magnitude } else { magnitude }, decimals }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = 10u128.pow(self.decimals);
        let magnitude = self.mantissa.unsigned_abs();
        let sign = if self.mantissa < 0 { "-" } else { "" };
        match self.decimals {
            0 => write!(f, "{sign}{magnitude}"),
            n => write!(f, "{sign}{}.{:0width$}", magnitude / one, magnitude % one, width = n as usize),
        }
    }
}

/// The average entry price of a position, for display only: never compute with it. `None` when flat.
/// (Rule POS-1)
///
/// v = |cost|/units, floor for a long, ceil for a short. Where the division is exact, the nearest
/// tick if it is worth v, else the fewest decimals, 1 to 4, that are; else U·1e8/v with 4 decimals.
/// ```
/// use centum_contract::display::average_entry_price;
/// use centum_contract::{ContractSpec, Xbt, position::PositionState};
/// let shown = |qty, cost| {
///     let position = PositionState { qty, cost: Xbt(cost), ..PositionState::default() };
///     average_entry_price(&ContractSpec::XBTUSD_2019, &position).unwrap().to_string()
/// };
/// assert_eq!(shown(3, -84_126), "3566.1"); // recorded: exact, but off the tick
/// assert_eq!(shown(2, -56_079), "3566.461"); // recorded: inexact, floor for a long
/// assert_eq!(shown(-2, 18_257), "10954.1023"); // recorded: inexact, ceil for a short
/// assert_eq!(shown(-500, 7_435_000), "6725");
/// ```
#[must_use]
pub fn average_entry_price(spec: &ContractSpec, position: &PositionState) -> Option<Shown> {
    /// Decimals of a price shown; everything below counts in 0.0001 USD.
    const DECIMALS: u32 = 4;
    if position.qty == 0 {
        return None;
    }
    let (cost, n) = (position.cost_abs(), units(spec, position.size()));
    let v = u128::from(if position.qty > 0 { cost / n } else { cost.div_ceil(n) }.max(1));
    let numerator = u128::from(spec.unit_numerator()) * 100;
    let round = |a: u128, b: u128| (2 * a + b) / (2 * b);
    let nearest = |grain: u128| round(numerator, v * grain) * grain;
    let is_worth_v = |price: u128| price > 0 && round(numerator, price) == v;
    let tick = u128::from(spec.tick_size.0) * 100;
    let finest = nearest(1);
    let price = if cost % n == 0 {
        let grains = [tick, 1_000, 100, 10, 1];
        grains.into_iter().map(nearest).find(|&price| is_worth_v(price)).unwrap_or(finest)
    } else {
        finest
    };
    Some(Shown { mantissa: price as i128, decimals: DECIMALS }.trimmed())
}

/// Unrealised PnL as a part of |cost|, 4 decimals. (Rule VIEW-1)
#[must_use]
pub fn unrealised_pcnt(position: &PositionState, unrealised_pnl: Xbt) -> Shown {
    match position.cost_abs() {
        0 => Shown::ZERO,
        cost => Shown::quotient(i128::from(unrealised_pnl.0), u128::from(cost), 4),
    }
}

/// The same times leverage, i.e. as a part of IM·|cost|, 4 decimals; in cross margin the leverage is
/// 1/IM of the tier. (Rule VIEW-1)
///
/// ```
/// use centum_contract::display::{unrealised_pcnt, unrealised_roe};
/// use centum_contract::margin::Terms;
/// use centum_contract::{ContractSpec, Leverage, Rate, Xbt, position::PositionState};
/// // 2018-08-27: short 500 at 25x, 2,000 XBt down.
/// let terms = Terms::new(&ContractSpec::XBTUSD_2019, Leverage(2_500), 0, Rate(75_000), Rate(0));
/// let short = PositionState { qty: -500, cost: Xbt(7_435_000), ..PositionState::default() };
/// assert_eq!(unrealised_pcnt(&short, Xbt(-2_000)).to_string(), "-0.0003");
/// assert_eq!(unrealised_roe(&terms, &short, Xbt(-2_000)).to_string(), "-0.0067");
/// ```
#[must_use]
pub fn unrealised_roe(terms: &Terms, position: &PositionState, unrealised_pnl: Xbt) -> Shown {
    match u128::from(position.cost_abs()) * u128::from(terms.im.num()) {
        0 => Shown::ZERO,
        held => Shown::quotient(i128::from(unrealised_pnl.0) * i128::from(terms.im.den()), held, 4),
    }
}

/// (order margin + locked) / margin balance, 4 decimals; `None` where the balance is not positive.
/// (Rule VIEW-1)
///
/// ```
/// use centum_contract::{Xbt, display::margin_used};
/// // 2021-12-17.
/// assert_eq!(margin_used(Xbt(2_320), Xbt(42_960), Xbt(206_536)).unwrap().to_string(), "0.2192");
/// ```
#[must_use]
pub fn margin_used(order_margin: Xbt, locked: Xbt, margin_balance: Xbt) -> Option<Shown> {
    let used = i128::from(order_margin.0) + i128::from(locked.0);
    (margin_balance.0 > 0).then(|| Shown::quotient(used, margin_balance.0.unsigned_abs().into(), 4))
}

/// Gross mark value / margin balance to 15 significant digits; `None` where the balance is not
/// positive. The venue shows a binary double; its 15 digits are the same. (Rule VIEW-1)
///
/// ```
/// use centum_contract::{Xbt, display::margin_leverage};
/// // 2021-12-17, recorded 5.40320331564473.
/// assert_eq!(margin_leverage(Xbt(1_115_956), Xbt(206_536)).unwrap().to_string(), "5.40320331564473");
/// ```
#[must_use]
pub fn margin_leverage(gross_mark_value: Xbt, margin_balance: Xbt) -> Option<Shown> {
    const DIGITS: u32 = 15;
    let (gross, balance) = (gross_mark_value.0.unsigned_abs(), margin_balance.0.unsigned_abs());
    if margin_balance.0 <= 0 {
        return None;
    }
    if gross == 0 {
        return Some(Shown::ZERO);
    }
    let ratio = Ratio { num: Wide::new(gross.into()), den: Wide::new(balance.into()) };
    // A quotient below 10^14 has digits behind the point; amounts are below 10^19, so 33 are enough.
    for decimals in 0..=MAX_DECIMALS {
        let mantissa = ratio.times_rounded(10u128.pow(decimals))?;
        if mantissa >= 10u128.pow(DIGITS - 1) {
            return Some(Shown { mantissa: mantissa as i128, decimals });
        }
    }
    None
}

/// Risk value of an account: gross mark value + what its open orders are charged for.
/// (Rules VIEW-1, RISK-1, OM-3)
#[must_use]
pub fn risk_value(gross_mark_value: Xbt, chargeable_cost: Xbt) -> Xbt {
    gross_mark_value + chargeable_cost
}

/// The yearly rate of the fair basis: rate · 365 · instants a day, 1095 times the rate every 8 hours.
/// (Rule VIEW-1)
///
/// ```
/// use centum_contract::{Rate, display::fair_basis_rate};
/// assert_eq!(fair_basis_rate(Rate(291_900), 480).to_string(), "3.196305"); // 2017-05-15
/// ```
///
/// # Panics
/// At an interval of zero.
#[must_use]
pub fn fair_basis_rate(rate: Rate, interval_minutes: u64) -> Shown {
    let per_year = i128::from(rate.0) * 365 * 24 * 60;
    Shown::quotient(per_year, u128::from(Rate::ONE) * u128::from(interval_minutes), 8).trimmed()
}

/// Volume-weighted price of a period: U·1e8 / floor(turnover·U / volume), 4 decimals; `None` where
/// nothing was traded. (Rule VIEW-1)
///
/// ```
/// use centum_contract::{ContractSpec, display::vwap};
/// // 2019-08, and 24 hours of 2026-05-02.
/// assert_eq!(vwap(&ContractSpec::XBTUSD_2019, 1_204_198, 11_589_499_007).unwrap().to_string(), "10390.6899");
/// assert_eq!(vwap(&ContractSpec::XBTUSD_2026, 133_709_000, 170_591_044_239).unwrap().to_string(), "78380.3485");
/// ```
#[must_use]
pub fn vwap(spec: &ContractSpec, volume: u64, turnover: u64) -> Option<Shown> {
    let unit = u128::from(turnover) * u128::from(spec.value_unit);
    match unit.checked_div(u128::from(volume)) {
        None | Some(0) => None,
        Some(v) => Some(Shown::quotient(i128::from(spec.unit_numerator()), v * u128::from(Price::PER_USD), 4)),
    }
}

/// The middle of two impact prices in 0.0001 USD, down to a multiple of half a tick. (Rule VIEW-1)
///
/// 24 of 24 recorded middles of 2026 and both of the worked examples are this; the nearest tick, as
/// one might guess, is wrong for half of them.
/// ```
/// use centum_contract::{ContractSpec, display::impact_mid};
/// let shown = |spec, bid, ask| impact_mid(&spec, bid, ask).to_string();
/// assert_eq!(shown(ContractSpec::XBTUSD_2019, 60_485_000, 60_496_068), "6049"); // 6049.0534
/// assert_eq!(shown(ContractSpec::XBTUSD_2026, 756_698_675, 756_698_675), "75669.85"); // 2026-04-17
/// assert_eq!(shown(ContractSpec::XBTUSD_2026, 781_243_897, 781_298_831), "78127.1"); // 2026-05-03
/// ```
#[must_use]
pub const fn impact_mid(spec: &ContractSpec, bid: u64, ask: u64) -> Shown {
    let half_tick = spec.tick_size.0 as u128 * 50;
    let mantissa = (bid as u128 + ask as u128) / (2 * half_tick) * half_tick;
    Shown { mantissa: mantissa as i128, decimals: 4 }.trimmed()
}
