//! An account: its wallet, its position, and what a fill does to them.

use contract::codes::Side;

use super::market::sign;
use super::money::round_half_away;

/// An account. Money in XBt, quantities in contracts.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    pub fee_class: u8,
    pub is_suspended: bool,
    /// Hundredths; 0 is cross.
    pub leverage: u32,
    pub tier: u16,
    pub wallet: i128,
    /// Position, signed.
    pub qty: i128,
    /// Unrealised cost, negative for a long. (Rule COST-1)
    pub cost: i128,
    /// Margin added by hand or as premium; isolated only. (Rule MARGIN-2)
    pub cross: i128,
    /// Funding paid while open. (Rule MARGIN-4)
    pub loss: i128,
    /// Σ −realised cost − fee. (Rule POS-4)
    pub realised: i128,
    pub realised_by_command: i128,
    /// Σ fees.
    pub commission: i128,
    /// Σ realised cost, for SUM-2.
    pub realised_cost: i128,
    /// The funding rate that its margin knows: in force, or the one before it where its turn has not come.
    pub rate: i128,
    /// Its turn in the open pass has not come, and it is settled all the same.
    pub is_settled_ahead: bool,
    /// How many events have named it.
    pub events: u64,
    /// Waiting for liquidation: how far past its price it was when found, in 0.01 USD.
    pub due: Option<i128>,
}

impl Account {
    pub(super) fn is_cross(&self) -> bool {
        self.leverage == 0
    }

    /// Isolated above 1x: where premium is charged in orders and moves to cross. (Rule OM-5)
    pub(super) fn is_leveraged(&self) -> bool {
        self.leverage > 100
    }

    /// Contracts of a side that would reduce the position.
    pub(super) fn reducible(&self, side: Side) -> i128 {
        reducible(self.qty, side)
    }

    /// A fill of `units` at `unit_value` each changes the position; gives the realised cost.
    /// `premium` is what a unit that opens brings into cross. (Rules POS-2, POS-3, MARGIN-9)
    pub(super) fn trade(&mut self, side: Side, fill: Traded) -> i128 {
        let closes = self.reducible(side).min(fill.qty);
        let opens = fill.qty - closes;
        let per_unit = |contracts: i128, amount: i128| contracts / fill.contracts_per_unit * amount;
        let mut realised = 0;
        if closes > 0 {
            let before = self.qty.abs();
            let left = before - closes;
            let remaining = round_half_away(self.cost * left, before);
            realised = self.cost - remaining + sign(side) * -per_unit(closes, fill.unit_value);
            self.cost = remaining;
            self.cross = round_half_away(self.cross * left, before);
            self.loss = round_half_away(self.loss * left, before);
            self.qty += sign(side) * closes;
        }
        if opens > 0 {
            self.qty += sign(side) * opens;
            self.cost -= sign(side) * per_unit(opens, fill.unit_value);
            if self.is_leveraged() {
                self.cross += per_unit(opens, fill.premium);
            }
        }
        self.realised_cost += realised;
        realised
    }

    /// The realised cost and the fee reach the wallet at once. (Rule POS-4)
    pub(super) fn pay(&mut self, realised_cost: i128, fee: i128) {
        self.wallet -= realised_cost + fee;
        self.commission += fee;
        self.realised -= realised_cost + fee;
        self.realised_by_command -= realised_cost + fee;
    }
}

/// What changed hands.
#[derive(Clone, Copy)]
pub(super) struct Traded {
    /// Contracts.
    pub qty: i128,
    pub contracts_per_unit: i128,
    /// XBt a unit.
    pub unit_value: i128,
    /// XBt a unit that opens.
    pub premium: i128,
}

/// Contracts of a side that would reduce a position.
pub(super) fn reducible(position: i128, side: Side) -> i128 {
    match side {
        Side::Sell => position.max(0),
        _ => (-position).max(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traded(qty: i128, unit_value: i128) -> Traded {
        Traded { qty, contracts_per_unit: 1, unit_value, premium: 0 }
    }

    /// COST-1, POS-2: 3 long at 10,000 XBt each; one is sold at 9,000 (a higher price).
    #[test]
    fn pos_2_a_partial_close_keeps_a_rounded_share_of_the_cost() {
        let mut account = Account { leverage: 1_000, loss: 5, cross: 100, ..Account::default() };
        assert_eq!(account.trade(Side::Buy, traded(3, 10_000)), 0);
        account.cost -= 1; // 30,001 does not divide by three
        // −30,001·2/3 = −20,000.67 → −20,001 stays; −10,000 + 9,000 is realised: a profit of 1,000.
        assert_eq!(account.trade(Side::Sell, traded(1, 9_000)), -1_000);
        assert_eq!((account.qty, account.cost, account.cross, account.loss), (2, -20_001, 67, 3));
    }

    #[test]
    fn pos_3_a_flip_closes_everything_first() {
        let mut account = Account { leverage: 1_000, cross: 100, loss: 5, ..Account::default() };
        account.trade(Side::Buy, traded(2, 10_000));
        let fill = Traded { premium: 7, ..traded(5, 11_000) };
        assert_eq!(account.trade(Side::Sell, fill), 2_000);
        assert_eq!((account.qty, account.cost, account.cross, account.loss), (-3, 33_000, 21, 0));
    }
}
