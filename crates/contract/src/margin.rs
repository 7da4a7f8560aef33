//! Margin: what a position and its account's orders hold back, and what is left.
//!
//! Everything here is O(1) from a few sums per account; nothing walks orders. Which margin model is meant
//! (rule CONTRACT-3) is said by [`Terms`].

use crate::codes::{MarginModel, PremiumMode, Side};
use crate::math::{Fraction, MOST, difference, mul_div_ceil, product, signed, sum};
use crate::position::PositionState;
use crate::spec::ContractSpec;
use crate::units::{Leverage, Price, Qty, Rate, Xbt};
use crate::value::{unit_value, units};

/// The rates that apply to one account, in lowest terms, made anew when leverage, tier, fee class or
/// funding rate change.
///
/// What order margin needs lies together, and in front.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Terms {
    /// Is the premium of orders charged? (Rule OM-5: not at leverage 1 or less)
    pub charges_premium: bool,
    /// Does the whole wallet stand behind the position?
    pub is_cross: bool,
    /// Does a position hold back its maintenance margin and nothing else? (Rule CONTRACT-3)
    pub holds_maintenance_only: bool,
    /// Isolated, and what holds back initial margin holds back its own maintenance: a safe position that grows
    /// at a price beyond the line stays safe. (See `SafeLine::is_beyond`.)
    pub stays_safe: bool,
    /// Initial margin: 1/leverage when isolated, else the tier's.
    pub im: Fraction,
    /// f·(2 + IM): the fee part of order margin. (Rule OM-1)
    pub order_fee: Fraction,
    /// Taker fee that a position holds back (posComm); 0 in the maintenance model. (Rules MARGIN-3, CONTRACT-3)
    pub taker: Fraction,
    /// Maintenance margin of the tier plus the funding rate in force where a long would pay it. (Rule MARGIN-6)
    pub long_maintenance: Fraction,
    /// The same for a short.
    pub short_maintenance: Fraction,
}

/// The tier's initial margin: IM0 + k·MM0. (Rule RISK-1)
#[must_use]
pub const fn tier_initial(spec: &ContractSpec, tier: u16) -> Rate {
    Rate(spec.initial_margin.0 + tier as i64 * spec.maintenance_margin.0)
}

/// The tier's maintenance margin: MM0·(k+1). (Rule RISK-1)
#[must_use]
pub const fn tier_maintenance(spec: &ContractSpec, tier: u16) -> Rate {
    Rate(spec.maintenance_margin.0 * (tier as i64 + 1))
}

/// The tier's risk limit: base + k·step. (Rule RISK-1)
#[must_use]
pub const fn tier_limit(spec: &ContractSpec, tier: u16) -> Xbt {
    Xbt(spec.risk_limit.0 + tier as i64 * spec.risk_step.0)
}

/// The lowest tier whose limit is at or above `limit`; `None` above the highest. (Rule RISK-1)
#[must_use]
pub fn tier_for(spec: &ContractSpec, limit: Xbt) -> Option<u16> {
    let above = limit.0.saturating_sub(spec.risk_limit.0).max(0).unsigned_abs();
    let tier = match (above, spec.risk_step.0.unsigned_abs()) {
        (0, _) => 0,
        (_, 0) => return None,
        (above, step) => above.div_ceil(step),
    };
    u16::try_from(tier).ok().filter(|&tier| u64::from(tier) <= spec.max_tier)
}

/// May an account have this leverage in this tier? Where the maintenance margin alone is held, nothing is
/// isolated. (Rules MARGIN-8, CONTRACT-3)
#[must_use]
pub const fn leverage_fits(spec: &ContractSpec, leverage: Leverage, tier: u16) -> bool {
    leverage.is_cross()
        || (matches!(spec.margin_model, MarginModel::Classic)
            && leverage.0 <= 100 * Leverage::ONE.0
            && Leverage::ONE.0 as u64 * Rate::ONE >= leverage.0 as u64 * tier_initial(spec, tier).0 as u64)
}

impl Terms {
    /// The terms of an account. `adverse` is |rate in force| where its position would pay it, else 0.
    #[must_use]
    pub fn new(spec: &ContractSpec, leverage: Leverage, tier: u16, taker: Rate, adverse: Rate) -> Terms {
        Terms::of_sides(spec, leverage, tier, taker, [adverse.0.abs(); 2])
    }

    /// The terms of an account whichever way it trades, `rate` being the funding rate in force. (Rule MARGIN-6)
    #[must_use]
    pub fn at_rate(spec: &ContractSpec, leverage: Leverage, tier: u16, taker: Rate, rate: Rate) -> Terms {
        Terms::of_sides(spec, leverage, tier, taker, [rate.0.max(0), (-rate.0).max(0)])
    }

    /// The maintenance margin of a position of this sign. (Rule MARGIN-6)
    #[inline(always)]
    #[must_use]
    pub const fn maintenance(&self, qty: i64) -> &Fraction {
        if qty > 0 { &self.long_maintenance } else { &self.short_maintenance }
    }

    /// What a long would pay at the next instant, and a short.
    fn of_sides(spec: &ContractSpec, leverage: Leverage, tier: u16, taker: Rate, adverse: [i64; 2]) -> Terms {
        let of_rate = |rate: i64| Fraction::new(rate.unsigned_abs(), Rate::ONE);
        let im = if leverage.is_cross() {
            of_rate(tier_initial(spec, tier).0)
        } else {
            Fraction::new(u64::from(Leverage::ONE.0), u64::from(leverage.0))
        };
        let f = of_rate(taker.0);
        let holds_maintenance_only = matches!(spec.margin_model, MarginModel::Maintenance);
        let [long_maintenance, short_maintenance] = adverse.map(|rate| of_rate(tier_maintenance(spec, tier).0 + rate));
        // No rate of a value of this contract meets the limit `MOST`, which would break the proof.
        let highest_value = u128::from(spec.max_side_units()) * u128::from(unit_value(spec, spec.tick_size));
        Terms {
            im,
            taker: if holds_maintenance_only { of_rate(0) } else { f },
            order_fee: Fraction::new(f.num() * (2 * im.den() + im.num()), f.den() * im.den()),
            long_maintenance,
            short_maintenance,
            is_cross: leverage.is_cross(),
            holds_maintenance_only,
            stays_safe: !leverage.is_cross()
                && im.is_at_least(long_maintenance)
                && im.is_at_least(short_maintenance)
                && im.num() <= im.den()
                && highest_value < u128::from(MOST),
            charges_premium: matches!(spec.premium, PremiumMode::Full) && !leverage.is_fully_funded(),
        }
    }
}

/// What a position holds back, part by part. (Rules MARGIN-1 to MARGIN-6)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Held {
    /// posInit.
    pub init: Xbt,
    /// posCross.
    pub cross: Xbt,
    /// posComm.
    pub comm: Xbt,
    /// posLoss.
    pub loss: Xbt,
    /// posMargin.
    pub margin: Xbt,
    /// posMaint.
    pub maint: Xbt,
}

/// posCross: stored for isolated margin; in cross margin posLoss + max(0, −unrealised PnL).
/// (Rule MARGIN-2)
#[inline(always)]
#[must_use]
pub fn position_cross(terms: &Terms, position: &PositionState, unrealised_pnl: Xbt) -> Xbt {
    if terms.is_cross { position.loss + (-unrealised_pnl).max(Xbt::ZERO) } else { position.cross }
}

/// posInit. (Rules MARGIN-1, CONTRACT-3)
#[inline(always)]
#[must_use]
pub fn position_init(terms: &Terms, position: &PositionState) -> Xbt {
    if terms.holds_maintenance_only { Xbt::ZERO } else { Xbt(signed(terms.im.of_ceil(position.cost_abs()))) }
}

/// ceil((MM + adverse)·|cost|): posMaint without posComm. (Rule MARGIN-6)
#[inline(always)]
fn maintenance_of(terms: &Terms, position: &PositionState) -> Xbt {
    Xbt(signed(terms.maintenance(position.qty).of_ceil(position.cost_abs())))
}

/// posComm, given posInit and posCross. (Rule MARGIN-3)
#[inline(always)]
fn commission_of(terms: &Terms, position: &PositionState, init: Xbt, cross: Xbt) -> Xbt {
    Xbt(terms.taker.of_signed_ceil((Xbt(signed(position.cost_abs())) + init + cross).0))
}

/// What the position holds back, given its posCross. (Rules MARGIN-1, 3, 4, 5, 6, CONTRACT-3)
///
/// ```
/// use centum_contract::margin::{Terms, held};
/// use centum_contract::{ContractSpec, Leverage, Rate, Xbt, position::PositionState};
/// // 2019-07-14, short 2,000 at 5x, margin added by hand.
/// let terms = Terms::new(&ContractSpec::XBTUSD_2019, Leverage(500), 0, Rate(75_000), Rate(0));
/// let short = PositionState { qty: -2_000, cost: Xbt(18_668_000), cross: Xbt(71_429), loss: Xbt(0) };
/// let held = held(&terms, &short, short.cross);
/// assert_eq!((held.init, held.comm, held.margin, held.maint), (Xbt(3_733_600), Xbt(16_855), Xbt(3_821_884), Xbt(110_195)));
/// ```
#[inline(always)]
#[must_use]
pub fn held(terms: &Terms, position: &PositionState, cross: Xbt) -> Held {
    let maintenance = maintenance_of(terms, position);
    if terms.holds_maintenance_only {
        return Held { margin: maintenance, maint: maintenance, ..Held::default() };
    }
    let init = position_init(terms, position);
    let comm = commission_of(terms, position, init, cross);
    Held {
        init,
        cross,
        comm,
        loss: position.loss,
        margin: init + cross + comm - position.loss,
        maint: comm + maintenance,
    }
}

/// What the position takes from the wallet, at a mark: posMargin, with unrealised PnL aside; where the maintenance
/// margin alone is held that margin less unrealised PnL, which may be below zero. (Rules MARGIN-5, 7, CONTRACT-3)
#[inline(always)]
#[must_use]
pub fn position_margin(spec: &ContractSpec, terms: &Terms, position: &PositionState, mark_value: u64) -> Xbt {
    if position.qty == 0 {
        return Xbt::ZERO;
    }
    let unrealised = if terms.is_cross { position.unrealised_pnl(spec, mark_value) } else { Xbt::ZERO };
    if terms.holds_maintenance_only {
        return maintenance_of(terms, position) - unrealised;
    }
    let (init, cross) = (position_init(terms, position), position_cross(terms, position, unrealised));
    init + cross + commission_of(terms, position, init, cross) - position.loss
}

/// Open orders of one side of an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SideSums {
    /// Open contracts.
    pub qty: Qty,
    /// Their value at their limits, XBt.
    pub cost: u64,
    /// Their premium, XBt. (Rule OM-5)
    pub premium: u64,
}

impl SideSums {
    /// Adds open contracts with their value and premium.
    #[inline(always)]
    pub fn add(&mut self, other: SideSums) {
        self.qty += other.qty;
        self.cost = sum(self.cost, other.cost);
        self.premium = sum(self.premium, other.premium);
    }

    /// Takes open contracts off, with their value and premium.
    #[inline(always)]
    pub fn take(&mut self, other: SideSums) {
        self.qty -= other.qty;
        self.cost = difference(self.cost, other.cost);
        self.premium = difference(self.premium, other.premium);
    }
}

impl SideSums {
    /// Open contracts of these, which are of `side`, beyond what they could reduce. (Rule OM-2)
    #[inline(always)]
    #[must_use]
    pub const fn excess(&self, side: Side, position: i64) -> u64 {
        let reducible = match side {
            Side::Buy if position < 0 => position.unsigned_abs(),
            Side::Sell if position > 0 => position.unsigned_abs(),
            _ => 0,
        };
        self.qty.0.saturating_sub(reducible)
    }
}

/// Open orders of an account, both sides.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OrderSums {
    /// Of all buys.
    pub buy: SideSums,
    /// Of all sells.
    pub sell: SideSums,
}

impl OrderSums {
    /// Of one side.
    #[inline(always)]
    #[must_use]
    pub const fn side(&self, side: Side) -> &SideSums {
        match side {
            Side::Buy => &self.buy,
            Side::Sell => &self.sell,
        }
    }

    /// Of one side.
    #[inline(always)]
    pub const fn side_mut(&mut self, side: Side) -> &mut SideSums {
        match side {
            Side::Buy => &mut self.buy,
            Side::Sell => &mut self.sell,
        }
    }

    /// Open contracts of a side beyond what they could reduce. (Rule OM-2)
    #[inline(always)]
    #[must_use]
    pub const fn excess(&self, side: Side, position: i64) -> u64 {
        self.side(side).excess(side, position)
    }
}

/// Open orders as far as they are charged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Chargeable {
    /// C of rule OM-1, XBt.
    pub cost: u64,
    /// Premium, XBt. (Rule OM-5)
    pub premium: u64,
}

/// The chargeable part of open orders. (Rules OM-2, OM-3)
///
/// max(excess buys, excess sells) contracts in all, buys first: in an uncrossed book every resting
/// buy lies below every resting sell and so costs more a contract. Each side at the average over
/// *all* its open orders, each share rounded up.
/// ```
/// use centum_contract::margin::{OrderSums, SideSums, chargeable};
/// use centum_contract::Qty;
/// let sums = OrderSums {
///     buy: SideSums { qty: Qty(1_320_000), cost: 2_491_483_400, premium: 0 },
///     sell: SideSums { qty: Qty(480_000), cost: 611_853_400, premium: 0 },
/// };
/// assert_eq!(chargeable(&sums, -1_298_000).cost, 41_524_724 + 583_810_120); // recorded 2026-04-18
/// ```
#[inline(always)]
#[must_use]
pub fn chargeable(sums: &OrderSums, position: i64) -> Chargeable {
    let excess = |side: &SideSums, reducible: i64| side.qty.0.saturating_sub(reducible.max(0).unsigned_abs());
    let buys = excess(&sums.buy, -position);
    // Buys first, so that sells are charged for what exceeds them.
    let sells = excess(&sums.sell, position).saturating_sub(buys);
    let (buys, sells) = (share(&sums.buy, buys), share(&sums.sell, sells));
    Chargeable { cost: sum(buys.cost, sells.cost), premium: sum(buys.premium, sells.premium) }
}

/// `n` of a side's open contracts at the average over all of them, rounded up.
#[inline(always)]
fn share(side: &SideSums, n: u64) -> Chargeable {
    let SideSums { qty, cost, premium } = *side;
    if n == 0 {
        Chargeable::default()
    } else if n == qty.0 {
        Chargeable { cost, premium }
    } else {
        share_of_some(cost, premium, n, qty.0)
    }
}

#[inline(never)]
fn share_of_some(cost: u64, premium: u64, n: u64, of: u64) -> Chargeable {
    Chargeable { cost: mul_div_ceil(cost, n, of), premium: if premium == 0 { 0 } else { mul_div_ceil(premium, n, of) } }
}

/// Order margin: ceil(IM·C) + ceil(f·(2·C + IM·C)) + premium. (Rules OM-1, OM-5)
///
/// ```
/// use centum_contract::margin::{Chargeable, Terms, order_margin};
/// use centum_contract::{ContractSpec, Leverage, Rate, Xbt};
/// // 2021-07-11: 200 bought at 33000 with 100x.
/// let terms = Terms::new(&ContractSpec::XBTUSD_2021, Leverage(10_000), 0, Rate(75_000), Rate(0));
/// assert_eq!(order_margin(&terms, Chargeable { cost: 606_060, premium: 0 }), Xbt(6_975));
/// ```
#[inline(always)]
#[must_use]
pub fn order_margin(terms: &Terms, chargeable: Chargeable) -> Xbt {
    if chargeable.cost == 0 {
        return Xbt::ZERO;
    }
    let premium = if terms.charges_premium { chargeable.premium } else { 0 };
    // Three amounts of at most 2^61: their sum has 63 bits.
    let held = terms.im.of_ceil(chargeable.cost) + terms.order_fee.of_ceil(chargeable.cost);
    Xbt(signed(held + premium.min(MOST)))
}

/// Premium of one unit at `price` against the mark: the unit-value gap where the price is worse than
/// the mark, else 0. (Rule OM-5)
#[inline(always)]
#[must_use]
pub const fn premium_per_unit(side: Side, unit_value_at_price: u64, mark_value: u64) -> u64 {
    let (dearer, cheaper) = match side {
        Side::Buy => (mark_value, unit_value_at_price),
        Side::Sell => (unit_value_at_price, mark_value),
    };
    dearer.saturating_sub(cheaper)
}

/// What an account may still use, at a mark: wallet − order margin − [`position_margin`]. Unrealised profit never
/// counts, but where the maintenance margin alone is held. (Rules MARGIN-7, CONTRACT-3)
#[inline(always)]
#[must_use]
pub fn available(
    spec: &ContractSpec,
    terms: &Terms,
    wallet: Xbt,
    order_margin: Xbt,
    position: &PositionState,
    mark_value: u64,
) -> Xbt {
    wallet - order_margin - position_margin(spec, terms, position, mark_value)
}

/// What may be withdrawn of what is available: never unrealised profit. (Rules WITHDRAW-1, CONTRACT-3)
#[must_use]
pub fn withdrawable(
    spec: &ContractSpec,
    terms: &Terms,
    position: &PositionState,
    mark_value: u64,
    available: Xbt,
) -> Xbt {
    // In the classic model profit is not available in the first place.
    if terms.holds_maintenance_only && position.qty != 0 {
        available - position.unrealised_pnl(spec, mark_value).max(Xbt::ZERO)
    } else {
        available
    }
}

/// Usage of the risk limit: |value at mark| + C. (Rule RISK-1)
#[inline(always)]
#[must_use]
pub fn risk_usage(spec: &ContractSpec, position: &PositionState, mark_value: u64, chargeable: Chargeable) -> u64 {
    sum(product(units(spec, position.size()), mark_value), chargeable.cost)
}

/// The value of one unit at the mark; 0 where there is no mark.
#[must_use]
pub const fn mark_value(spec: &ContractSpec, mark: Price) -> u64 {
    if mark.0 == 0 { 0 } else { unit_value(spec, mark) }
}
