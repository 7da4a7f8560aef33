//! The market as margin sees it: the contract, the mark, and what follows from the two.
//!
//! Pure questions about one account at this mark; what they need of orders are its sums.

use core::hint::select_unpredictable;

use contract::liquidation::{SafeLine, bearable};
use contract::margin::{OrderSums, SideSums, available, chargeable, order_margin, position_margin, premium_per_unit};
use contract::math::{div_round_half_away, product};
use contract::position::PositionState;
use contract::value::{unit_value, units};
use contract::{ContractSpec, FeeRates, PremiumMode, Price, Qty, Rate, Side, Tick, Xbt};

use crate::account::{ANY_MARK, Account};

/// The contract and its mark.
#[derive(Clone, Debug)]
pub(crate) struct Market {
    pub(crate) spec: ContractSpec,
    /// The highest tick.
    pub(crate) max_tick: Tick,
    /// U·1e8 in units of price. (Rule VALUE-1)
    numerator: u64,
    /// |position| + open contracts that one side may have. (Rule LIMIT-1)
    pub(crate) max_side_qty: u64,
    /// The mark price; `NONE` before the first.
    pub(crate) mark: Price,
    /// Marks that took effect so far: what was computed at an older one is computed anew.
    pub(crate) mark_number: u64,
    /// Value of one unit at the mark; 0 before the first.
    pub(crate) mark_value: u64,
    /// What is strictly safe at the mark.
    pub(crate) line: SafeLine,
    /// The funding rate in force. (Rules MARGIN-6, FUND-2)
    pub(crate) rate: Rate,
    /// No constituent of the index is fresh: the mark stands still. (Rule MARK-3)
    pub(crate) is_stale: bool,
    /// Marking by the last trade: there was one. Before it the mark is the index. (Rule MARK-2)
    pub(crate) has_traded: bool,
}

impl Market {
    pub(crate) fn new(spec: &ContractSpec) -> Market {
        Market {
            spec: *spec,
            max_tick: spec.max_tick(),
            numerator: spec.unit_numerator(),
            max_side_qty: spec.max_side_units() * spec.value_unit,
            mark: Price::NONE,
            mark_number: 0,
            mark_value: 0,
            line: SafeLine::at(spec, spec.max_price),
            rate: Rate::ZERO,
            is_stale: false,
            has_traded: false,
        }
    }

    /// A new mark.
    pub(crate) fn set_mark(&mut self, mark: Price) {
        self.mark = mark;
        self.mark_number += 1;
        self.mark_value = unit_value(&self.spec, mark);
        self.line = SafeLine::at(&self.spec, mark);
    }

    /// The value of one unit at a tick. (Rule VALUE-1)
    #[inline(always)]
    pub(crate) fn worth(&self, tick: Tick) -> u64 {
        div_round_half_away(self.numerator, self.spec.tick_price(tick).0)
    }

    /// Premium of one unit at a unit value, against the mark. (Rule OM-5)
    #[inline(always)]
    pub(crate) fn premium(&self, side: Side, unit_value: u64) -> u64 {
        match self.spec.premium {
            PremiumMode::Full => premium_per_unit(side, unit_value, self.mark_value),
            PremiumMode::None => 0,
        }
    }

    /// What an account pays of what it trades. (Rule FEE-1)
    #[inline(always)]
    pub(crate) fn fees(&self, account: &Account) -> &FeeRates {
        &self.spec.fees[usize::from(account.fee_class)]
    }

    /// Value of one unit at an order's limit, and its premium there.
    #[inline(always)]
    pub(crate) fn value_and_premium(&self, side: Side, limit: Tick) -> (u64, u64) {
        let unit_value = self.worth(limit);
        (unit_value, self.premium(side, unit_value))
    }

    #[inline(always)]
    pub(crate) fn is_whole_lots(&self, qty: u64) -> bool {
        let lot = self.spec.lot.0;
        lot <= 1 || qty.is_multiple_of(lot)
    }

    /// |position| + open quantity of the side, `more` included, against the most a side may have.
    /// (Rule LIMIT-1)
    #[inline(always)]
    pub(crate) fn exceeds_limit_1(&self, account: &Account, side: Side, more: u64) -> bool {
        let open = select_unpredictable(side == Side::Buy, account.sums.buy.qty.0, account.sums.sell.qty.0);
        // Three numbers below 2^62.
        account.position.qty.unsigned_abs() + open + more > self.max_side_qty
    }

    /// What open contracts are in an account's sums.
    #[inline(always)]
    pub(crate) fn sums(&self, qty: u64, unit_value: u64, premium: u64) -> SideSums {
        let n = units(&self.spec, Qty(qty));
        SideSums { qty: Qty(qty), cost: product(n, unit_value), premium: product(n, premium) }
    }

    /// What an account may still use. (Rule MARGIN-7)
    #[inline]
    pub(crate) fn available(&self, account: &Account) -> Xbt {
        let Account { wallet, order_margin, position, terms, .. } = account;
        available(&self.spec, terms, *wallet, *order_margin, position, self.mark_value)
    }

    /// What its position takes from the wallet. (Rule MARGIN-5)
    #[inline]
    pub(crate) fn position_margin(&self, account: &Account) -> Xbt {
        position_margin(&self.spec, &account.terms, &account.position, self.mark_value)
    }

    /// Brings the margin that an account keeps for its position up to date: it holds until the position, its
    /// terms or (in cross margin) the mark change.
    #[inline(always)]
    pub(crate) fn refresh_position_margin(&self, account: &mut Account) {
        if account.margin_mark != ANY_MARK && account.margin_mark != self.mark_number {
            account.position_margin = self.position_margin(account);
            account.margin_mark = if account.terms.is_cross { self.mark_number } else { ANY_MARK };
        }
    }

    /// Is the mark strictly on the safe side of this account's liquidation price? (Rule LIQ-12)
    #[inline]
    pub(crate) fn is_safe(&self, account: &Account) -> bool {
        self.is_safe_at(account, &account.position, account.equity())
    }

    /// Would this position be, on the account's terms and with this equity?
    #[inline(always)]
    pub(crate) fn is_safe_at(&self, account: &Account, position: &PositionState, equity: i64) -> bool {
        let w = bearable(&account.terms, position, equity).until_liquidation;
        self.line.is_safe(&self.spec, position, w)
    }

    /// Would this position be, with these orders and this wallet?
    #[inline(never)]
    pub(crate) fn is_safe_with(
        &self,
        account: &Account,
        sums: &OrderSums,
        position: PositionState,
        wallet: Xbt,
    ) -> bool {
        let margin = order_margin(&account.terms, chargeable(sums, position.qty));
        self.is_safe_at(account, &position, (wallet - margin).0)
    }
}
