//! A position: what it cost, what closing a part of it realises.

use crate::math::{share_round_half_away, signed_product, signed_sum};
use crate::spec::ContractSpec;
use crate::units::{Qty, Xbt};
use crate::value::units;

/// What an account holds. Costs are signed as rule COST-1 says: negative for a long.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PositionState {
    /// Contracts: positive long, negative short.
    pub qty: i64,
    /// Unrealised cost.
    pub cost: Xbt,
    /// Premium funded at entry and margin added by hand; isolated only. (Rule MARGIN-2)
    pub cross: Xbt,
    /// Funding paid while open. (Rule MARGIN-4)
    pub loss: Xbt,
}

/// What an execution did to a position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Executed {
    /// Realised cost: the wallet falls by it.
    pub realised_cost: Xbt,
    /// Contracts that opened, the rest closed.
    pub opened: Qty,
}

impl PositionState {
    /// Contracts held, either way.
    #[inline(always)]
    #[must_use]
    pub const fn size(&self) -> Qty {
        Qty(self.qty.unsigned_abs())
    }

    /// |cost|.
    #[inline(always)]
    #[must_use]
    pub const fn cost_abs(&self) -> u64 {
        self.cost.0.unsigned_abs()
    }

    /// Signed value at a unit value: −value for a long, +value for a short. (Rule COST-1)
    #[inline(always)]
    #[must_use]
    pub fn value_at(&self, spec: &ContractSpec, unit_value: u64) -> Xbt {
        let value = signed_product(units(spec, self.size()), unit_value);
        Xbt(if self.qty > 0 { -value } else { value })
    }

    /// Unrealised PnL at a unit value: value − unrealised cost, for both sides. (Rule PNL-1)
    #[inline(always)]
    #[must_use]
    pub fn unrealised_pnl(&self, spec: &ContractSpec, unit_value: u64) -> Xbt {
        self.value_at(spec, unit_value) - self.cost
    }

    /// Trades `qty` contracts (positive bought, negative sold) at `unit_value` XBt a unit.
    /// (Rules COST-1, POS-2, POS-3, MARGIN-9)
    ///
    /// A flip closes everything first and opens the rest at the same unit value; what it opens starts
    /// with no cross and no loss.
    /// ```
    /// use centum_contract::{ContractSpec, Qty, Xbt, position::PositionState};
    /// let spec = ContractSpec::XBTUSD_2019;
    /// let mut position = PositionState::default();
    /// position.execute(&spec, 100, 10_000);
    /// assert_eq!(position.cost, Xbt(-1_000_000));
    /// let done = position.execute(&spec, -150, 9_000); // sold higher: a contract is worth less
    /// assert_eq!((done.realised_cost, done.opened), (Xbt(-100_000), Qty(50)));
    /// assert_eq!((position.qty, position.cost), (-50, Xbt(450_000)));
    /// ```
    #[inline(always)]
    pub fn execute(&mut self, spec: &ContractSpec, qty: i64, unit_value: u64) -> Executed {
        let size = Qty(qty.unsigned_abs());
        let cost_of = |size: Qty| {
            let value = signed_product(units(spec, size), unit_value);
            Xbt(if qty > 0 { -value } else { value })
        };
        if self.qty == 0 || (self.qty > 0) == (qty > 0) {
            self.qty = signed_sum(self.qty, qty);
            self.cost += cost_of(size);
            return Executed { realised_cost: Xbt::ZERO, opened: size };
        }
        let before = self.size();
        if size < before {
            let left = before - size;
            let remaining = Xbt(share_round_half_away(self.cost.0, left.0, before.0));
            let realised_cost = cost_of(size) + self.cost - remaining;
            self.qty = signed_sum(self.qty, qty);
            self.cost = remaining;
            self.cross = Xbt(share_round_half_away(self.cross.0, left.0, before.0));
            self.loss = Xbt(share_round_half_away(self.loss.0, left.0, before.0));
            return Executed { realised_cost, opened: Qty::ZERO };
        }
        let realised_cost = cost_of(before) + self.cost;
        let opened = size - before;
        *self = PositionState { qty: signed_sum(self.qty, qty), cost: cost_of(opened), ..PositionState::default() };
        Executed { realised_cost, opened }
    }
}
