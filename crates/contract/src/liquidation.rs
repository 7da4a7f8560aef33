//! Liquidation and bankruptcy price: where a position is taken over, and where its margin is gone.
//!
//! Both are a loss W that the position can bear, turned into a unit value and that into a price. Both
//! roundings go toward the mark. (Rules LIQ-1 to LIQ-4)

use crate::codes::Side;
use crate::margin::Terms;
use crate::math::signed;
use crate::position::PositionState;
use crate::spec::ContractSpec;
use crate::units::{Price, Rate, Tick, Xbt};
use crate::value::{unit_value, units};

/// The losses a position can bear, XBt; either may be negative.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bearable {
    /// Until liquidation: W_liq.
    pub until_liquidation: i64,
    /// Until bankruptcy: W_bk, rounded down. (Its fraction never matters: units are whole.)
    pub until_bankruptcy: i64,
}

/// W_liq and W_bk. (Rules LIQ-1, LIQ-2)
///
/// `equity` is wallet − order margin; isolated margin does not look at it. Where the maintenance margin alone is
/// held no commission is (rule CONTRACT-3): `terms.taker` is 0.
#[inline(always)]
#[must_use]
pub fn bearable(terms: &Terms, position: &PositionState, equity: i64) -> Bearable {
    let cost = position.cost_abs();
    let maintenance = Xbt(signed(terms.maintenance(position.qty).of_ceil(cost)));
    let (until_liquidation, until_bankruptcy) = if terms.is_cross {
        let equity = Xbt(equity);
        let until_bankruptcy = equity - Xbt(terms.taker.of_signed_ceil((Xbt(signed(cost)) + equity).0));
        (until_bankruptcy - maintenance, until_bankruptcy)
    } else {
        // posMargin − posMaint: the commission is in both.
        let extra = position.cross - position.loss;
        let held = |amount: u64| Xbt(signed(amount)) + extra;
        (held(terms.im.of_ceil(cost)) - maintenance, held(terms.im.of_floor(cost)))
    };
    Bearable { until_liquidation: until_liquidation.0, until_bankruptcy: until_bankruptcy.0 }
}

/// The unit value at which a position has lost W; `None` where a short never does. (Rule LIQ-3)
///
/// # Panics
/// For a flat position: it has none.
#[inline(always)]
#[must_use]
pub fn unit_value_after_loss(spec: &ContractSpec, position: &PositionState, w: i64) -> Option<u64> {
    let highest = || unit_value(spec, spec.tick_size);
    let (n, cost) = (units(spec, position.size()), signed(position.cost_abs()));
    let v = if position.qty > 0 {
        // Ordinary sizes stay in 64 bits; the sum of two may not.
        match cost.checked_add(w) {
            Some(sum) if sum < 0 => 1,
            Some(sum) => sum.unsigned_abs() / n,
            None => highest(),
        }
    } else {
        match cost.checked_sub(w) {
            Some(rest) if rest <= 0 => return None,
            Some(rest) => rest.unsigned_abs().div_ceil(n),
            None => highest(),
        }
    };
    Some(v.clamp(1, highest()))
}

/// The price of a unit value, rounded toward the mark to a multiple of `step`: up for a long, at least
/// one tick; down for a short; at most `never_price`. (Rule LIQ-3)
///
/// ```
/// use centum_contract::{ContractSpec, Price, liquidation::price_of_unit_value};
/// let spec = ContractSpec::XBTUSD_2019;
/// assert_eq!(price_of_unit_value(&spec, true, 88_155, Price(1)), Price(113_437)); // recorded 2017
/// assert_eq!(price_of_unit_value(&spec, true, 86_153, Price(1)), Price(116_073));
/// assert_eq!(price_of_unit_value(&spec, false, 86_153, Price(1)), Price(116_072)); // recorded 2017
/// ```
#[inline(always)]
#[must_use]
pub const fn price_of_unit_value(spec: &ContractSpec, is_long: bool, unit_value: u64, step: Price) -> Price {
    // Beyond 64 bits the grain is coarser than the numerator: less than one step, rounded.
    let numerator = spec.unit_numerator();
    let steps = match unit_value.checked_mul(step.0) {
        Some(grain) if is_long => numerator.div_ceil(grain),
        Some(grain) => numerator / grain,
        None => is_long as u64,
    };
    let steps = if steps == 0 { 1 } else { steps };
    let price = match steps.checked_mul(step.0) {
        Some(price) if price <= spec.never_price.0 => price,
        _ => spec.never_price.0,
    };
    if is_long && price < spec.tick_size.0 { spec.tick_size } else { Price(price) }
}

/// The price at which a position has lost W, on a grid of `step`; `never_price` where it never does.
/// (Rule LIQ-3)
#[inline(always)]
#[must_use]
pub fn price_after_loss(spec: &ContractSpec, position: &PositionState, w: i64, step: Price) -> Price {
    let (n, cost, is_long) = (units(spec, position.size()), signed(position.cost_abs()), position.qty > 0);
    // Ordinary sizes: the unit value's sum and product stay in 64 bits and its price inside the scale.
    let value = if is_long { cost.checked_add(w) } else { cost.checked_sub(w) };
    if let Some(value) = value.filter(|_| step == spec.tick_size) {
        let v = match (is_long, value) {
            (false, ..=0) => return spec.never_price,
            (true, ..=0) => 1,
            (true, value) => (value.unsigned_abs() / n).max(1),
            (false, value) => value.unsigned_abs().div_ceil(n),
        };
        let (grain, is_wide) = v.overflowing_mul(step.0);
        let numerator = spec.unit_numerator();
        if !is_wide && grain <= numerator {
            let steps = if is_long { numerator.div_ceil(grain) } else { numerator / grain };
            return Price((steps * step.0).min(spec.never_price.0));
        }
    }
    price_after_any_loss(spec, position, w, step)
}

/// Does the price at which a position has lost W lie at `key` or beyond it, seen from the mark? For a `key` on
/// the grid; a position at the far end of the scale may be told no.
#[inline]
#[must_use]
pub fn is_not_before(spec: &ContractSpec, position: &PositionState, w: i64, key: Price) -> bool {
    let (n, cost, numerator) = (units(spec, position.size()), signed(position.cost_abs()), spec.unit_numerator());
    let worth = |v: u64, price: Price| u128::from(v) * u128::from(price.0);
    if position.qty > 0 {
        let v = cost.saturating_add(w).max(0).unsigned_abs() / n;
        // Below the numerator at one tick v is not limited, so its price is what it says.
        worth(v, key) >= u128::from(numerator) && worth(v, spec.tick_size) <= u128::from(numerator)
    } else {
        let v = cost.saturating_sub(w).max(0).unsigned_abs().div_ceil(n);
        worth(v, key) <= u128::from(numerator)
    }
}

#[cold]
fn price_after_any_loss(spec: &ContractSpec, position: &PositionState, w: i64, step: Price) -> Price {
    match unit_value_after_loss(spec, position, w) {
        Some(v) => price_of_unit_value(spec, position.qty > 0, v, step),
        None => spec.never_price,
    }
}

/// The tick of a price on the grid that may lie above the highest tick.
#[must_use]
pub fn tick_of(spec: &ContractSpec, price: Price) -> Tick {
    Tick(u32::try_from(price.0 / spec.tick_size.0).unwrap_or(u32::MAX).min(spec.max_tick().0))
}

/// The line a mark draws through all positions: with it, "is this one strictly safe?" is one product
/// and one comparison instead of a price. Made once per mark.
///
/// A long is safe where its liquidation price lies below the mark, that is where its unit value at
/// liquidation is at least `long_from`; a short where it is at most `short_to`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SafeLine {
    long_from: u64,
    short_to: u64,
}

impl SafeLine {
    /// The line of this mark.
    #[must_use]
    pub fn at(spec: &ContractSpec, mark: Price) -> SafeLine {
        let tick = spec.tick_size.0;
        let below = mark.0.div_ceil(tick).saturating_sub(1) * tick;
        let above = (mark.0 / tick + 1) * tick;
        let highest = unit_value(spec, spec.tick_size);
        let long_from = if below == 0 { u64::MAX } else { spec.unit_numerator().div_ceil(below) };
        SafeLine {
            // A unit value is never above that of one tick; a line beyond it is out of reach.
            long_from: if long_from > highest { u64::MAX } else { long_from },
            // A price that is shown as "never" is safe at any mark.
            short_to: spec.unit_numerator() / above.min(spec.never_price.0),
        }
    }

    /// Is the mark strictly on the safe side of the liquidation price? (Rules LIQ-4, LIQ-12)
    #[inline(always)]
    #[must_use]
    pub fn is_safe(self, spec: &ContractSpec, position: &PositionState, until_liquidation: i64) -> bool {
        if position.qty == 0 {
            return true;
        }
        let n = units(spec, position.size());
        let cost = signed(position.cost_abs());
        // Sums of two 63-bit amounts: saturation cannot change an answer, the lines lie far inside.
        if position.qty > 0 {
            let least = self.long_from.checked_mul(n).and_then(|x| i64::try_from(x).ok()).unwrap_or(i64::MAX);
            cost.saturating_add(until_liquidation) >= least
        } else {
            let most = i64::try_from(self.short_to.saturating_mul(n)).unwrap_or(i64::MAX);
            cost.saturating_sub(until_liquidation) <= most
        }
    }
}

impl SafeLine {
    /// Is a unit value strictly on the safe side for what opens by an order of this side?
    ///
    /// Then a safe position (or none) that grows by m > 0 units at that value v or a better one stays safe, on
    /// terms that say so ([`Terms::stays_safe`]). For a long, d being what is added to the cost:
    ///
    /// * it was safe: cost + W ≥ L·n;
    /// * W rises by ceil(IM·(cost + d)) − ceil(IM·cost), which is at least floor(IM·d), and falls by at most
    ///   ceil(MM·d); as IM ≥ MM, and premium only adds, W falls by at most 1;
    /// * d ≥ m·v ≥ m·(L + 1) ≥ L·m + 1. So cost + d + W − 1 ≥ L·(n + m).
    ///
    /// For a short with the line S the same from above: cost + d − W + 1 ≤ S·n + m·(S − 1) + 1 ≤ S·(n + m).
    #[inline(always)]
    #[must_use]
    pub fn is_beyond(self, side: Side, unit_value: u64) -> bool {
        match side {
            Side::Buy => unit_value > self.long_from,
            Side::Sell => unit_value < self.short_to,
        }
    }
}

/// How far the mark is past a liquidation price, in 0.01 USD. (Rule LIQ-8)
#[must_use]
pub const fn distance_past(is_long: bool, liquidation_price: Price, mark: Price) -> u64 {
    if is_long { liquidation_price.0.saturating_sub(mark.0) } else { mark.0.saturating_sub(liquidation_price.0) }
}

/// The tick of a close-out order: next to U·1e8/v on the mark's side, so that no fill can lose. Beyond the
/// far end of the price scale it lies at that end; `None` beyond the near one, as after a takeover close to
/// it: clamped there, a fill would lose. (Rule LIQ-9)
#[must_use]
pub fn close_out_tick(spec: &ContractSpec, is_long: bool, unit_value: u64) -> Option<Tick> {
    let grain = u128::from(unit_value) * u128::from(spec.tick_size.0);
    let (numerator, highest) = (u128::from(spec.unit_numerator()), u128::from(spec.max_tick().0));
    let ticks = if is_long { numerator.div_ceil(grain).max(1) } else { (numerator / grain).min(highest) };
    (1..=highest).contains(&ticks).then_some(Tick(ticks as u32))
}

/// Has the mark passed a lot's bankruptcy: is it strictly beyond U·1e8/v? (Rule LIQ-7)
#[must_use]
pub fn lot_is_passed(spec: &ContractSpec, is_long: bool, unit_value: u64, mark: Price) -> bool {
    let product = u128::from(mark.0) * u128::from(unit_value);
    let numerator = u128::from(spec.unit_numerator());
    if is_long { product < numerator } else { product > numerator }
}

/// May the fund pay for a fill of a swept lot at this tick: does it lie no further beyond the mark than the base
/// maintenance margin? Else whoever holds the other side could ask any price of the fund in an empty book.
/// (Rule LIQ-7)
///
/// ```
/// use centum_contract::{ContractSpec, Price, Tick, liquidation::is_near_mark};
/// let (spec, mark) = (ContractSpec::XBTUSD_2019, Price(1_000_000)); // 0.5 %
/// assert!(is_near_mark(&spec, mark, true, Tick(19_900)) && !is_near_mark(&spec, mark, true, Tick(19_899)));
/// assert!(is_near_mark(&spec, mark, false, Tick(20_100)) && !is_near_mark(&spec, mark, false, Tick(20_101)));
/// ```
#[must_use]
pub fn is_near_mark(spec: &ContractSpec, mark: Price, is_long: bool, tick: Tick) -> bool {
    let one = u128::from(Rate::ONE);
    let price = u128::from(spec.tick_price(tick).0) * one;
    let margin = u128::from(spec.maintenance_margin.0.unsigned_abs());
    let mark = u128::from(mark.0);
    if is_long { price >= mark * one.saturating_sub(margin) } else { price <= mark * (one + margin) }
}

/// The bankrupt value of a position, signed, W_bk rounded down: −(|cost| + W) for a long, |cost| − W for
/// a short. (Rule ADL-1)
#[must_use]
pub fn bankrupt_value(position: &PositionState, until_bankruptcy: i64) -> Xbt {
    let (cost, loss) = (Xbt(signed(position.cost_abs())), Xbt(until_bankruptcy));
    if position.qty > 0 { -(cost + loss) } else { cost - loss }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Leverage;
    use proptest::prelude::*;

    proptest! {
        /// OM-9: what is safe and grows beyond the line is safe, next to the line too, at any size and leverage.
        #[test]
        fn a_safe_position_that_grows_beyond_the_line_stays_safe(
            profile in 0usize..3,
            size in 0i64..1_000_000,
            is_long in any::<bool>(),
            entry in 1u64..20_000_000,
            mark_gap in -3i64..2_000,
            leverage in 1u32..=10_000,
            cross in 0i64..1_000,
            more in 1i64..10_000_000_000,
            beyond in 1u64..4,
            tier in 0u16..8,
        ) {
            let spec = ContractSpec::PROFILES[profile];
            let terms = Terms::new(spec, Leverage(leverage), tier, Rate(75_000), Rate(0));
            prop_assume!(terms.stays_safe);
            let sign = if is_long { 1 } else { -1 };
            let entry = Price(entry.max(1) * spec.tick_size.0).min(spec.max_price);
            let mut position = PositionState::default();
            if size != 0 {
                position.execute(spec, size * spec.lot.0 as i64 * sign, unit_value(spec, entry));
                position.cross = Xbt(cross);
            }
            let w = |position: &PositionState| bearable(&terms, position, 0).until_liquidation;
            // A mark next to the liquidation price, or anywhere where there is none.
            let near = if size == 0 { entry } else { price_after_loss(spec, &position, w(&position), spec.tick_size) };
            let mark = Price(near.0.saturating_add_signed(mark_gap * sign).clamp(spec.tick_size.0, spec.max_price.0));
            let line = SafeLine::at(spec, mark);
            prop_assume!(line.is_safe(spec, &position, w(&position)));
            let (side, value) = if is_long {
                (Side::Buy, line.long_from.saturating_add(beyond))
            } else {
                (Side::Sell, line.short_to.saturating_sub(beyond))
            };
            let highest = unit_value(spec, spec.tick_size);
            prop_assume!((1..=highest).contains(&value) && line.is_beyond(side, value));
            let free = spec.max_side_units() - units(spec, position.size());
            let added = (more.unsigned_abs() % free).max(1) as i64;
            position.execute(spec, added * spec.value_unit as i64 * sign, value);
            prop_assert!(line.is_safe(spec, &position, w(&position)), "{:?} at {:?}", position, mark);
        }

        /// LIQ-4: whether a key is early enough is what the price says, next to the price too.
        #[test]
        fn a_key_is_early_where_its_price_is(
            profile in 0usize..3,
            size in 1i64..1_000_000,
            is_long in any::<bool>(),
            entry in 1u64..20_000_000,
            gap in -3i64..=3,
            w in -1_000_000_000i64..1_000_000_000_000,
        ) {
            let spec = ContractSpec::PROFILES[profile];
            let entry = Price(entry.max(1) * spec.tick_size.0).min(spec.max_price);
            let qty = size * spec.lot.0 as i64 * if is_long { 1 } else { -1 };
            let mut position = PositionState::default();
            position.execute(spec, qty, unit_value(spec, entry));
            let price = price_after_loss(spec, &position, w, spec.tick_size);
            prop_assert_eq!(price, price_after_any_loss(spec, &position, w, spec.tick_size));
            let steps = (price.0 / spec.tick_size.0).saturating_add_signed(gap).max(1);
            let key = Price(steps * spec.tick_size.0).min(spec.max_price);
            let says = is_not_before(spec, &position, w, key);
            let expected = if is_long { price <= key } else { price >= key };
            let is_far_end = is_long && (price <= Price(2 * spec.tick_size.0) || price == spec.never_price);
            prop_assert!(says == expected || (is_far_end && !says), "price {:?} key {:?}", price, key);
        }

        /// LIQ-4: the line says what the price says, for every position and mark.
        #[test]
        fn the_safe_line_agrees_with_the_liquidation_price(
            profile in 0usize..3,
            size in 1i64..1_000_000,
            is_long in any::<bool>(),
            entry in 1u64..20_000_000,
            mark_gap in -2_000i64..2_000,
            leverage in 0u32..=10_000,
            equity in -1_000_000i64..1_000_000_000_000,
            cross in -1_000i64..1_000_000,
        ) {
            let spec = ContractSpec::PROFILES[profile];
            let entry = Price(entry.max(1) * spec.tick_size.0).min(spec.max_price);
            let qty = size * spec.lot.0 as i64 * if is_long { 1 } else { -1 };
            let mut position = PositionState::default();
            position.execute(spec, qty, unit_value(spec, entry));
            position.cross = Xbt(cross);
            let terms = Terms::new(spec, Leverage(leverage), 0, Rate(75_000), Rate(0));
            let w = bearable(&terms, &position, equity).until_liquidation;
            let price = price_after_loss(spec, &position, w, spec.tick_size);
            let mark = Price(price.0.saturating_add_signed(mark_gap).clamp(spec.tick_size.0, spec.max_price.0));
            let expected = if is_long { mark > price } else { mark < price || price == spec.never_price };
            prop_assert_eq!(SafeLine::at(spec, mark).is_safe(spec, &position, w), expected, "price {:?} mark {:?}", price, mark);
        }
    }
}
