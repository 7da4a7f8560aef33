//! Margin of orders and of positions, and the prices that follow from it.
//!
//! A "what if" is asked by giving a changed copy of the account to the same functions.

use contract::codes::Side;
use contract::units::Price;

use super::account::Account;
use super::market::Market;
use super::money::{Fraction, ceil, floor};

/// Sums over an account's resting orders. Contracts and XBt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct SideSum {
    pub qty: i128,
    pub cost: i128,
    pub premium: i128,
}

/// Both sides.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct OrderSums {
    pub buy: SideSum,
    pub sell: SideSum,
}

impl OrderSums {
    pub(super) fn of(&self, side: Side) -> &SideSum {
        if side == Side::Buy { &self.buy } else { &self.sell }
    }

    /// Adds contracts at a tick, with a premium per unit.
    pub(super) fn add(&mut self, market: &Market, side: Side, qty: i128, tick: u32, premium: i128) {
        let units = market.units(qty);
        let sum = if side == Side::Buy { &mut self.buy } else { &mut self.sell };
        sum.qty += qty;
        sum.cost += units * market.unit_value(tick);
        sum.premium += units * premium;
    }
}

/// Margin of a position. (Rules MARGIN-1 to MARGIN-6)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct PositionMargin {
    pub init: i128,
    /// Stored when isolated, by MARGIN-2 in cross.
    pub cross: i128,
    pub margin: i128,
    pub maintenance: i128,
}

impl Market {
    /// Which excess contracts are charged, and their value C. (Rules OM-2, OM-3)
    fn charged(&self, account: &Account, sums: &OrderSums) -> (i128, i128, i128) {
        let excess_buys = (sums.buy.qty - account.reducible(Side::Buy)).max(0);
        let excess_sells = (sums.sell.qty - account.reducible(Side::Sell)).max(0);
        let most = excess_buys.max(excess_sells);
        let buys = excess_buys.min(most);
        let sells = most - buys;
        let value = share(sums.buy.cost, buys, sums.buy.qty) + share(sums.sell.cost, sells, sums.sell.qty);
        (buys, sells, value)
    }

    /// C of OM-1: the chargeable value of the orders.
    pub(super) fn chargeable_value(&self, account: &Account, sums: &OrderSums) -> i128 {
        self.charged(account, sums).2
    }

    /// Margin held for open orders. (Rules OM-1 to OM-5)
    pub(super) fn order_margin(&self, account: &Account, sums: &OrderSums) -> i128 {
        let (buys, sells, value) = self.charged(account, sums);
        let im = self.initial_fraction(account).times(value);
        // f·(2·C + IM·C) over one denominator.
        let both = im.plus(2 * value);
        let fees = self.taker_share(account, both.top);
        let fees = Fraction::new(fees.top, fees.bottom * both.bottom);
        // Not charged in isolated margin at 1x or less.
        let premium = if account.is_cross() || account.is_leveraged() {
            share(sums.buy.premium, buys, sums.buy.qty) + share(sums.sell.premium, sells, sums.sell.qty)
        } else {
            0
        };
        im.ceil() + fees.ceil() + premium
    }

    /// Value at mark less cost. (Rules COST-1, PNL-1)
    pub(super) fn unrealised_pnl(&self, account: &Account) -> i128 {
        if account.qty == 0 { 0 } else { self.signed_value_at_mark(account) - account.cost }
    }

    /// −value for a long, +value for a short. (Rule COST-1)
    pub(super) fn signed_value_at_mark(&self, account: &Account) -> i128 {
        -self.units(account.qty) * self.unit_value_at_mark()
    }

    /// |value at mark| + C. (Rule RISK-1)
    pub(super) fn usage(&self, account: &Account, sums: &OrderSums) -> i128 {
        let value = if account.qty == 0 { 0 } else { self.signed_value_at_mark(account).abs() };
        value + self.chargeable_value(account, sums)
    }

    /// Does a position hold back its maintenance margin and nothing else? (Rule CONTRACT-3)
    fn holds_maintenance_only(&self) -> bool {
        !self.is_classic()
    }

    /// Rules MARGIN-1 to MARGIN-6, CONTRACT-3.
    pub(super) fn position_margin(&self, account: &Account) -> PositionMargin {
        if account.qty == 0 {
            return PositionMargin { init: 0, cross: 0, margin: 0, maintenance: 0 };
        }
        let value = account.cost.abs();
        if self.holds_maintenance_only() {
            let maintenance = self.maintenance(account).times(value).ceil();
            return PositionMargin { init: 0, cross: 0, margin: maintenance, maintenance };
        }
        let init = self.initial_fraction(account).times(value).ceil();
        let cross =
            if account.is_cross() { account.loss + (-self.unrealised_pnl(account)).max(0) } else { account.cross };
        let commission = self.taker_share(account, value + init + cross).ceil();
        PositionMargin {
            init,
            cross,
            margin: init + cross + commission - account.loss,
            maintenance: commission + self.maintenance(account).times(value).ceil(),
        }
    }

    /// Wallet less order margin less position margin: unrealised profit never counts (rule MARGIN-7), but where
    /// the maintenance margin alone is held (rule CONTRACT-3).
    pub(super) fn available(&self, account: &Account, sums: &OrderSums) -> i128 {
        let unrealised = if self.holds_maintenance_only() { self.unrealised_pnl(account) } else { 0 };
        account.wallet + unrealised - self.order_margin(account, sums) - self.position_margin(account).margin
    }

    /// What may be withdrawn: available, without unrealised profit. (Rules WITHDRAW-1, CONTRACT-3)
    pub(super) fn withdrawable(&self, account: &Account, sums: &OrderSums) -> i128 {
        let profit = if self.holds_maintenance_only() { self.unrealised_pnl(account).max(0) } else { 0 };
        self.available(account, sums) - profit
    }

    /// W_bk: what stands behind the position until bankruptcy. (Rules LIQ-1, LIQ-2)
    pub(super) fn backing_to_bankruptcy(&self, account: &Account, sums: &OrderSums) -> Fraction {
        let value = account.cost.abs();
        if account.is_cross() {
            let equity = account.wallet - self.order_margin(account, sums);
            if self.holds_maintenance_only() {
                return Fraction::whole(equity);
            }
            Fraction::whole(equity - self.taker_share(account, value + equity).ceil())
        } else {
            self.initial_fraction(account).times(value).plus(account.cross - account.loss)
        }
    }

    /// W_liq: what stands behind the position until liquidation. (Rules LIQ-1, LIQ-2)
    fn backing_to_liquidation(&self, account: &Account, sums: &OrderSums) -> Fraction {
        if account.is_cross() {
            let maintenance = self.maintenance(account).times(account.cost.abs()).ceil();
            self.backing_to_bankruptcy(account, sums).plus(-maintenance)
        } else {
            let margin = self.position_margin(account);
            Fraction::whole(margin.margin - margin.maintenance)
        }
    }

    /// Value of one unit at which a backing is used up; `None` where a short's never is. (Rule LIQ-3)
    fn unit_value_without(&self, account: &Account, backing: Fraction) -> Option<i128> {
        let units = self.units(account.qty.abs());
        let value = account.cost.abs();
        let highest = self.unit_value_at(self.tick_size());
        if account.qty > 0 {
            let all = backing.plus(value);
            Some(floor(all.top, all.bottom * units).clamp(1, highest))
        } else {
            let rest = backing.negated().plus(value);
            (rest.top > 0).then(|| ceil(rest.top, rest.bottom * units).clamp(1, highest))
        }
    }

    /// The price at a unit value, rounded toward the mark to a step: a long's up, a short's down,
    /// at least one step, at most `never_price`. (Rule LIQ-3)
    pub(super) fn price_toward_mark(&self, is_long: bool, unit_value: Option<i128>, step: i128) -> Price {
        let never = i128::from(self.spec.never_price.0);
        let price = match unit_value {
            None => never,
            Some(value) if is_long => ceil(self.numerator(), value * step) * step,
            Some(value) => floor(self.numerator(), value * step) * step,
        };
        Price(u64::try_from(price.max(step).min(never)).expect("LIQ-3: a price fits its record"))
    }

    /// Liquidation price on the tick, 0 when flat. (Rules LIQ-1 to LIQ-3)
    pub(super) fn liquidation_price(&self, account: &Account, sums: &OrderSums) -> Price {
        if account.qty == 0 {
            return Price::NONE;
        }
        let value = self.unit_value_without(account, self.backing_to_liquidation(account, sums));
        self.price_toward_mark(account.qty > 0, value, self.tick_size())
    }

    /// Bankruptcy price on the tick, 0 when flat. (Rules LIQ-1 to LIQ-3)
    pub(super) fn bankruptcy_price(&self, account: &Account, sums: &OrderSums) -> Price {
        if account.qty == 0 {
            return Price::NONE;
        }
        self.price_toward_mark(account.qty > 0, self.unit_value_at_bankruptcy(account, sums), self.tick_size())
    }

    /// v of LIQ-3 with W_bk; `None` where a short never goes bankrupt.
    pub(super) fn unit_value_at_bankruptcy(&self, account: &Account, sums: &OrderSums) -> Option<i128> {
        self.unit_value_without(account, self.backing_to_bankruptcy(account, sums))
    }

    /// Is the mark strictly on the safe side of the liquidation price? (Rules LIQ-4, LIQ-12)
    pub(super) fn is_safe(&self, account: &Account, sums: &OrderSums) -> bool {
        if account.qty == 0 {
            return true;
        }
        let price = i128::from(self.liquidation_price(account, sums).0);
        let is_never = price == i128::from(self.spec.never_price.0);
        if account.qty > 0 { self.mark() > price } else { self.mark() < price || is_never }
    }
}

/// A share of a side's sum: ceil(sum·n/qty). (Rule OM-3)
fn share(sum: i128, n: i128, qty: i128) -> i128 {
    if n == 0 { 0 } else { ceil(sum * n, qty) }
}

#[cfg(test)]
mod tests {
    use contract::spec::{ContractSpec, FEE_CLASSES, FeeRates};
    use contract::units::Rate;

    use super::*;

    fn market(taker: i64, mark: u64) -> Market {
        let fees = [FeeRates { maker: Rate(-25_000), taker: Rate(taker) }; FEE_CLASSES];
        Market { spec: ContractSpec { fees, ..ContractSpec::XBTUSD_2019 }, mark: Some(Price(mark)) }
    }

    /// OM-3, the first decisive record: C = 41,524,724 + 583,810,120, margin 6,881,811.
    #[test]
    fn om_3_both_sides_open_are_charged_once_at_their_averages() {
        let market = market(50_000, 5_000_000);
        let account = Account { qty: -1_298_000, cost: 1, ..Account::default() };
        let sums = OrderSums {
            buy: SideSum { qty: 1_320_000, cost: 2_491_483_400, premium: 0 },
            sell: SideSum { qty: 480_000, cost: 611_853_400, premium: 0 },
        };
        let (buys, sells, value) = market.charged(&account, &sums);
        assert_eq!((buys, sells), (22_000, 458_000));
        assert_eq!(share(sums.buy.cost, buys, sums.buy.qty), 41_524_724);
        assert_eq!(share(sums.sell.cost, sells, sums.sell.qty), 583_810_120);
        assert_eq!(value, 625_334_844);
        assert_eq!(market.order_margin(&account, &sums), 6_881_811);
    }

    /// OM-3, the second: only buys are in excess.
    #[test]
    fn om_3_the_larger_excess_alone_is_charged() {
        let market = market(50_000, 5_000_000);
        let account = Account { qty: -998_000, cost: 1, ..Account::default() };
        let sums = OrderSums {
            buy: SideSum { qty: 2_480_000, cost: 5_854_074_600, premium: 0 },
            sell: SideSum { qty: 380_000, cost: 567_375_600, premium: 0 },
        };
        assert_eq!(market.order_margin(&account, &sums), 38_498_591);
    }

    /// LIQ-3, the record of 2017: 1 long, entry 1145.7, 100x isolated, f 0.075 %.
    #[test]
    fn liq_3_the_takeover_of_2017() {
        let market = market(75_000, 113_400);
        // u(1145.7) = round(87,282.88) = 87,283; W_bk = 872.83; v = floor(88,155.83).
        let account = Account { qty: 1, cost: -87_283, leverage: 10_000, ..Account::default() };
        let value = market.unit_value_at_bankruptcy(&account, &OrderSums::default());
        assert_eq!(value, Some(88_155));
        assert_eq!(market.price_toward_mark(true, value, 1), Price(113_437));
        assert_eq!(market.bankruptcy_price(&account, &OrderSums::default()), Price(113_450));
        assert_eq!(market.price_toward_mark(false, Some(86_153), 1), Price(116_072)); // a short
        // posInit 873, posComm ceil(66.12) = 67, posMargin 940, posMaint 67 + ceil(436.415) = 504:
        // W_liq = 436, v = 87,719 → 1140.004 → the next tick, 1140.5.
        let margin = market.position_margin(&account);
        assert_eq!((margin.init, margin.margin, margin.maintenance), (873, 940, 504));
        assert_eq!(market.liquidation_price(&account, &OrderSums::default()), Price(114_050));
        assert!(!market.is_safe(&account, &OrderSums::default()));
    }

    #[test]
    fn liq_3_a_short_that_owns_its_value_twice_is_never_liquidated() {
        let market = market(75_000, 1_000_000);
        let account = Account { qty: -1, cost: 10_000, leverage: 50, ..Account::default() };
        assert_eq!(market.liquidation_price(&account, &OrderSums::default()), ContractSpec::XBTUSD_2019.never_price);
        assert!(market.is_safe(&account, &OrderSums::default()));
    }
}
