//! Reservation: what an order would trade, what margin that asks for, and whether it may.
//!
//! New orders and amends come through here; nothing is changed. (Rules OM-6 to OM-9, RISK-1, CLOSE-1)

use contract::codes::{Side, TimeInForce};
use contract::reject::Reject;

use super::Twin;
use super::account::Account;
use super::admit::{Refusal, require};
use super::book::{Plan, Reach};
use super::margin::OrderSums;
use super::market::sign;

/// What an account wants. Quantities in contracts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Intent {
    pub account: u32,
    pub side: Side,
    pub qty: i128,
    /// `None`: a market order.
    pub limit: Option<u32>,
    pub tif: TimeInForce,
    pub is_post_only: bool,
    pub is_reduce_only: bool,
    /// The order that this one takes the place of.
    pub replaces: Option<u64>,
}

/// What becomes of it on entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    Works,
    /// Post-only that would trade. (Rule INST-1)
    WouldTrade,
    /// Fill-or-kill that cannot be filled whole.
    CannotFill,
}

/// An intent that may be carried out.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    /// What is left of the quantity after a reduce-only order was cut to the position.
    pub qty: i128,
    pub plan: Plan,
    pub fate: Fate,
    /// The limit, or what rule OM-8 fixed; 0 where it takes nothing.
    pub price: u32,
}

/// Contracts that are counted at a tick.
#[derive(Clone, Copy, Debug)]
struct Counted {
    qty: i128,
    tick: u32,
}

impl Twin {
    /// The first reason that refuses the intent, or what it will do.
    pub(super) fn reserve(&self, intent: &Intent) -> Result<Ticket, Refusal> {
        let account = &self.accounts[intent.account as usize];
        let reducible = account.reducible(intent.side);
        let qty = if intent.is_reduce_only { intent.qty.min(reducible) } else { intent.qty };
        let before = self.sums(intent.account);
        let others = self.sums_without(intent.account, intent.replaces);

        let (reach, price) = match intent.limit {
            Some(limit) => (Reach { first: 0, first_limit: limit, limit }, limit),
            None => self.market_reach(account, &others, intent.side, qty),
        };
        let plan = self.plan(intent.account, intent.side, qty, reach);
        let fate = fate(intent, qty, &plan);
        let counted = counted(intent, qty, &plan, fate);

        let mut after = others;
        for piece in &counted {
            let premium = self.market.premium(intent.side, piece.tick);
            after.add(&self.market, intent.side, piece.qty, piece.tick, premium);
        }
        if intent.is_reduce_only {
            self.take_off_excess(intent, reducible - plan.traded(), &counted, &plan, &mut after);
        }

        self.admit_margin(account, &before, &after)?;
        self.admit_risk(account, &before, &after)?;
        self.admit_not_due(intent.account)?;
        self.admit_closing_price(account, &before, intent)?;
        let total: i128 = counted.iter().map(|piece| piece.qty).sum();
        if intent.limit.is_some() && total > reducible {
            let it = self.as_if_executed(account, intent, &counted, plan.traded());
            let resting = if reducible > 0 { self.sums_not_reduce_only(intent) } else { others };
            require(self.market.is_safe(&it, &resting), Reject::ImmediateLiquidation)?;
        }
        Ok(Ticket { qty, plan, fate, price })
    }

    /// The sums less what INST-2 would take off: reduce-only orders, the new one's rest among them,
    /// beyond what the position can reduce once the plan has traded.
    fn take_off_excess(&self, intent: &Intent, allowed: i128, counted: &[Counted], plan: &Plan, after: &mut OrderSums) {
        let mut resting: Vec<(u32, i128, i128)> = self
            .orders_of(intent.account)
            .filter(|order| order.is_reduce_only && order.side == intent.side)
            .filter(|order| Some(order.number) != intent.replaces)
            .map(|order| (order.tick, order.leaves, order.premium))
            .collect();
        // The rest of the new order is the newest at its price.
        if let Some(rest) = counted.get(plan.pieces.len()) {
            resting.push((rest.tick, rest.qty, self.market.premium(intent.side, rest.tick)));
        }
        let mut excess = resting.iter().map(|order| order.1).sum::<i128>() - allowed;
        // Least aggressive first, at one price the newest first.
        resting.reverse();
        resting.sort_by_key(|order| sign(intent.side) * i128::from(order.0));
        for (tick, leaves, premium) in resting {
            let off = excess.clamp(0, leaves);
            after.add(&self.market, intent.side, -off, tick, premium);
            excess -= off;
        }
    }

    /// required = OM(after) − OM(before) ≤ max(0, available). (Rule OM-7)
    fn admit_margin(&self, account: &Account, before: &OrderSums, after: &OrderSums) -> Result<(), Refusal> {
        let required = self.market.order_margin(account, after) - self.market.order_margin(account, before);
        if required > self.market.available(account, before).max(0) {
            return Err(Refusal { reject: Reject::InsufficientBalance, detail: required });
        }
        Ok(())
    }

    /// Usage within the tier's limit, or not above what it was. (Rule RISK-1)
    fn admit_risk(&self, account: &Account, before: &OrderSums, after: &OrderSums) -> Result<(), Refusal> {
        let usage = self.market.usage(account, after);
        let is_within = usage <= self.market.tier_limit(account.tier) || usage <= self.market.usage(account, before);
        require(is_within, Reject::PositionRiskLimit)
    }

    /// No limit order on the reducing side beyond the liquidation price. (Rule CLOSE-1)
    fn admit_closing_price(&self, account: &Account, sums: &OrderSums, intent: &Intent) -> Result<(), Refusal> {
        let Some(limit) = intent.limit else { return Ok(()) };
        if account.reducible(intent.side) == 0 {
            return Ok(());
        }
        let liquidation = i128::from(self.market.liquidation_price(account, sums).0);
        let price = self.market.price_of(limit);
        if account.qty > 0 {
            require(price >= liquidation, Reject::BelowLiquidationPrice)
        } else {
            require(price <= liquidation, Reject::AboveLiquidationPrice)
        }
    }

    /// The account after the counted parts were executed in the order of the plan, the rest at its
    /// limit: the first units close, what exceeds them opens. (Rule OM-9)
    fn as_if_executed(&self, account: &Account, intent: &Intent, counted: &[Counted], traded: i128) -> Account {
        let sign = sign(intent.side);
        let mut it = account.clone();
        let mut to_close = account.reducible(intent.side);
        if to_close > 0 {
            it.wallet -= account.cost;
            (it.qty, it.cost, it.cross, it.loss) = (0, 0, 0, 0);
        }
        let mut to_trade = traded;
        let mut value_traded = 0;
        for piece in counted {
            let unit_value = self.market.unit_value(piece.tick);
            let trades = piece.qty.min(to_trade);
            to_trade -= trades;
            value_traded += self.market.units(trades) * unit_value;
            let closes = piece.qty.min(to_close);
            to_close -= closes;
            it.wallet += sign * self.market.units(closes) * unit_value;
            self.open_as_if(&mut it, intent.side, piece.qty - closes, piece.tick);
        }
        it.wallet -= self.market.fee(self.market.taker_rate(account), value_traded);
        it
    }

    /// Adds contracts at a tick to a position, premium included.
    fn open_as_if(&self, it: &mut Account, side: Side, qty: i128, tick: u32) {
        let units = self.market.units(qty);
        it.qty += sign(side) * qty;
        it.cost -= sign(side) * units * self.market.unit_value(tick);
        if it.is_leveraged() {
            it.cross += units * self.market.premium(side, tick);
        }
    }

    fn sums_not_reduce_only(&self, intent: &Intent) -> OrderSums {
        let mut sums = OrderSums::default();
        for order in self.orders_of(intent.account) {
            if !order.is_reduce_only && Some(order.number) != intent.replaces {
                sums.add(&self.market, order.side, order.leaves, order.tick, order.premium);
            }
        }
        sums
    }

    /// How far a market order reaches, and the price to say. (Rule OM-8)
    fn market_reach(&self, account: &Account, others: &OrderSums, side: Side, qty: i128) -> (Reach, u32) {
        let first = qty.min(account.reducible(side));
        let opens = qty - first;
        let highest = self.market.highest_tick();
        let first_limit = if first > 0 {
            let price = self.market.bankruptcy_price(account, others).0 / self.market.spec.tick_size.0;
            u32::try_from(price.min(u64::from(highest))).expect("no higher than the highest tick")
        } else {
            0
        };
        let limit = if opens > 0 { self.last_safe_tick(account, others, side, first > 0, opens) } else { first_limit };
        let price = if opens > 0 { limit } else { first_limit };
        (Reach { first, first_limit, limit }, if price > highest { 0 } else { price })
    }

    /// The last tick at which OM-9 holds for the opening part, by bisection; 0 for a buy and one
    /// above the highest for a sell that take nothing. (Rule OM-8)
    fn last_safe_tick(&self, account: &Account, others: &OrderSums, side: Side, closes: bool, opens: i128) -> u32 {
        let holds = |tick: u32| {
            let mut it = account.clone();
            if closes {
                (it.qty, it.cost, it.cross, it.loss) = (0, 0, 0, 0);
            }
            self.open_as_if(&mut it, side, opens, tick);
            let value = self.market.units(opens) * self.market.unit_value(tick);
            it.wallet -= self.market.fee(self.market.taker_rate(account), value);
            self.market.is_safe(&it, others)
        };
        let highest = self.market.highest_tick();
        if side == Side::Buy {
            if holds(highest) {
                return highest;
            }
            let (mut low, mut high) = (0, highest);
            while high - low > 1 {
                let middle = (low + high) / 2;
                if holds(middle) { low = middle } else { high = middle }
            }
            low
        } else {
            if holds(1) {
                return 1;
            }
            let (mut low, mut high) = (1, highest + 1);
            while high - low > 1 {
                let middle = (low + high) / 2;
                if holds(middle) { high = middle } else { low = middle }
            }
            high
        }
    }
}

fn fate(intent: &Intent, qty: i128, plan: &Plan) -> Fate {
    if intent.is_post_only && !plan.pieces.is_empty() {
        Fate::WouldTrade
    } else if intent.tif == TimeInForce::FillOrKill && plan.traded() < qty {
        Fate::CannotFill
    } else {
        Fate::Works
    }
}

/// What margin is asked for: what trades at its very prices, then the rest at its limit. (Rule OM-6)
fn counted(intent: &Intent, qty: i128, plan: &Plan, fate: Fate) -> Vec<Counted> {
    if fate != Fate::Works {
        return Vec::new();
    }
    let mut counted: Vec<Counted> =
        plan.pieces.iter().map(|piece| Counted { qty: piece.qty, tick: piece.tick }).collect();
    let rest = qty - plan.traded();
    match intent.limit {
        Some(tick) if intent.tif == TimeInForce::GoodTillCancel && !plan.is_cut && rest > 0 => {
            counted.push(Counted { qty: rest, tick });
        }
        _ => {}
    }
    counted
}
