//! What the specification and the mark say about values, fees and tiers.
//!
//! Everything is recomputed here from the specification's data; no computing function of the
//! contract crate is called.

use contract::codes::{FeeRounding, MarginModel, PremiumMode, Side};
use contract::spec::ContractSpec;
use contract::units::{Price, Rate, XBT};

use super::account::Account;
use super::funding::adverse;
use super::money::{self, Fraction};

/// 100 %, in the unit of [`Rate`].
pub(super) const ONE: i128 = 100_000_000;
/// Hundredths of a dollar in one, the unit of [`Price`].
const PER_USD: i128 = 100;

/// The contract and its mark price.
pub(super) struct Market {
    pub spec: ContractSpec,
    pub mark: Option<Price>,
}

impl Market {
    /// U·1e8·100: divided by a price in 0.01 USD it is the value of one unit.
    pub(super) fn numerator(&self) -> i128 {
        i128::from(self.spec.value_unit) * i128::from(XBT) * PER_USD
    }

    /// Value of one unit at a price in 0.01 USD, XBt. (Rule VALUE-1)
    pub(super) fn unit_value_at(&self, price: i128) -> i128 {
        money::round_half_away(self.numerator(), price)
    }

    /// Value of one unit at a tick, XBt. (Rule VALUE-1)
    pub(super) fn unit_value(&self, tick: u32) -> i128 {
        self.unit_value_at(self.price_of(tick))
    }

    /// The mark price in 0.01 USD. Positions and orders exist only once there is one. (Rule LIMIT-1)
    pub(super) fn mark(&self) -> i128 {
        i128::from(self.mark.expect("LIMIT-1: nothing is valued before the first mark").0)
    }

    /// Value of one unit at the mark, XBt.
    pub(super) fn unit_value_at_mark(&self) -> i128 {
        self.unit_value_at(self.mark())
    }

    /// The price of a tick in 0.01 USD.
    pub(super) fn price_of(&self, tick: u32) -> i128 {
        i128::from(tick) * self.tick_size()
    }

    pub(super) fn tick_size(&self) -> i128 {
        i128::from(self.spec.tick_size.0)
    }

    pub(super) fn highest_tick(&self) -> u32 {
        u32::try_from(self.spec.max_price.0 / self.spec.tick_size.0).expect("LIMIT-1: a tick fits its record")
    }

    /// Contracts in units of U. Quantities are whole lots, and a lot is whole units.
    pub(super) fn units(&self, contracts: i128) -> i128 {
        let unit = i128::from(self.spec.value_unit);
        assert!(contracts % unit == 0, "CONTRACT-1: a quantity is whole units");
        contracts / unit
    }

    /// Contracts that one side of an account may hold and have open together. (Rule LIMIT-1)
    pub(super) fn side_limit(&self) -> i128 {
        let unit = i128::from(self.spec.value_unit);
        let by_spec = i128::from(self.spec.max_position_qty.0) / unit;
        let by_value = (1i128 << 62) / self.unit_value_at(self.tick_size());
        by_spec.min(by_value) * unit
    }

    /// A fee on a value; negative is a rebate. (Rule FEE-1)
    pub(super) fn fee(&self, rate: i128, value: i128) -> i128 {
        match self.spec.fee_rounding {
            FeeRounding::AgainstTrader => money::ceil(rate * value, ONE),
            _ => money::trunc(rate * value, ONE),
        }
    }

    pub(super) fn taker_rate(&self, account: &Account) -> i128 {
        i128::from(self.spec.fees[usize::from(account.fee_class)].taker.0)
    }

    pub(super) fn maker_rate(&self, account: &Account) -> i128 {
        i128::from(self.spec.fees[usize::from(account.fee_class)].maker.0)
    }

    /// f·value, exact.
    pub(super) fn taker_share(&self, account: &Account, value: i128) -> Fraction {
        Fraction::new(self.taker_rate(account) * value, ONE)
    }

    /// Risk limit of a tier, XBt. (Rule RISK-1)
    pub(super) fn tier_limit(&self, tier: u16) -> i128 {
        i128::from(self.spec.risk_limit.0) + i128::from(tier) * i128::from(self.spec.risk_step.0)
    }

    /// Initial margin of a tier, in 1e-8. (Rule RISK-1)
    pub(super) fn tier_initial(&self, tier: u16) -> i128 {
        let Rate(base) = self.spec.initial_margin;
        i128::from(base) + i128::from(tier) * i128::from(self.spec.maintenance_margin.0)
    }

    /// MM0·(k+1). (Rule RISK-1)
    pub(super) fn tier_maintenance(&self, tier: u16) -> Fraction {
        Fraction::new(i128::from(self.spec.maintenance_margin.0) * (i128::from(tier) + 1), ONE)
    }

    /// Maintenance margin of the account's tier and what its position would pay at the next instant, as a fraction of
    /// the value. (Rules RISK-1, MARGIN-6)
    pub(super) fn maintenance(&self, account: &Account) -> Fraction {
        let of_tier = i128::from(self.spec.maintenance_margin.0) * (i128::from(account.tier) + 1);
        Fraction::new(of_tier + adverse(account.qty, account.rate), ONE)
    }

    pub(super) fn is_classic(&self) -> bool {
        self.spec.margin_model == MarginModel::Classic
    }

    /// The lowest tier whose limit is at or above an amount; `None` beyond the highest.
    pub(super) fn tier_for(&self, amount: i128) -> Option<u16> {
        (0..=self.spec.max_tier)
            .map(|tier| u16::try_from(tier).expect("RISK-1: a tier fits its record"))
            .find(|&tier| self.tier_limit(tier) >= amount)
    }

    /// IM: 1/leverage when isolated, the tier's initial margin in cross.
    pub(super) fn initial_fraction(&self, account: &Account) -> Fraction {
        if account.is_cross() {
            Fraction::new(self.tier_initial(account.tier), ONE)
        } else {
            Fraction::new(100, i128::from(account.leverage))
        }
    }

    /// Is 1/leverage below a tier's initial margin? Where the maintenance margin alone is held, every leverage but
    /// cross is too much. (Rules MARGIN-8, CONTRACT-3)
    pub(super) fn leverage_exceeds_tier(&self, leverage: u32, tier: u16) -> bool {
        leverage != 0 && (!self.is_classic() || 100 * ONE < self.tier_initial(tier) * i128::from(leverage))
    }

    /// max(1 %, the tier's initial margin), the floor when margin is taken back. (Rule MARGIN-8)
    pub(super) fn removal_floor(&self, account: &Account) -> Fraction {
        Fraction::new(self.tier_initial(account.tier).max(ONE / 100), ONE)
    }

    /// Premium of one unit at a tick: how much worse than the mark it is, XBt. (Rule OM-5)
    pub(super) fn premium(&self, side: Side, tick: u32) -> i128 {
        if self.spec.premium != PremiumMode::Full {
            return 0;
        }
        let gap = self.unit_value_at_mark() - self.unit_value(tick);
        match side {
            Side::Buy => gap.max(0),
            _ => (-gap).max(0),
        }
    }
}

/// The other side.
pub(super) fn opposite(side: Side) -> Side {
    if side == Side::Buy { Side::Sell } else { Side::Buy }
}

/// +1 for a buy, −1 for a sell.
pub(super) fn sign(side: Side) -> i128 {
    if side == Side::Buy { 1 } else { -1 }
}
