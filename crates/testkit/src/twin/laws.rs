//! The conservation laws, by looking at everything. (Rules SUM-1 to SUM-7, BOOK-1, INST-2)

use std::collections::BTreeSet;

use contract::codes::Side;

use super::Twin;
use super::account::Account;

/// The law in words with its numbers, unless both are equal.
fn equal(law: &str, found: i128, expected: i128) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{law}: {found}, not {expected}")) }
}

/// The law in words, unless it holds.
fn holds(law: &str, it_does: bool) -> Result<(), String> {
    if it_does { Ok(()) } else { Err(law.to_string()) }
}

impl Twin {
    /// The SUM laws over the whole state.
    ///
    /// # Errors
    /// The first law that does not hold, in words with its numbers.
    pub fn check_sums(&self) -> Result<(), String> {
        let of_traders = |f: fn(&Account) -> i128| self.accounts.iter().map(f).sum::<i128>();
        let lot_cost = |qty: i128, unit_value: i128| -self.market.units(qty) * unit_value;
        let lots_qty: i128 = self.lots.iter().map(|lot| lot.qty).sum();
        let lots_cost: i128 = self.lots.iter().map(|lot| lot_cost(lot.qty, lot.unit_value)).sum();
        let cost = of_traders(|it| it.cost) + lots_cost;

        // SUM-3 follows from SUM-1: the value of every contract at a mark is the same.
        equal("SUM-1: Σ position", of_traders(|it| it.qty) + lots_qty, 0)?;
        let realised = of_traders(|it| it.realised_cost) + self.liquidation_realised;
        equal("SUM-2: Σ unrealised cost + Σ realised cost", cost + realised, 0)?;
        equal("SUM-4: Σ commission", of_traders(|it| it.commission), self.fees + self.residue)?;
        let everything = of_traders(|it| it.wallet) - cost + self.fund + self.fees + self.residue;
        equal("SUM-5: Σ wallets − Σ cost + fund + fees + residue", everything, self.deposited)?;
        holds("SUM-6: the insurance fund is not negative", self.fund >= 0)?;
        for (number, it) in self.accounts.iter().enumerate() {
            let is_covered = it.qty != 0 || it.wallet >= 0 || it.is_suspended;
            holds(&format!("BAL-1: account {number} is flat and below zero, so suspended"), is_covered)?;
            let is_empty = it.qty != 0 || (it.cost == 0 && it.cross == 0 && it.loss == 0);
            holds(&format!("POS-2: account {number} is flat, so it has no cost and no margin"), is_empty)?;
            let is_stored = !it.is_cross() || it.cross == 0;
            holds(&format!("MARGIN-2: account {number} stores no cross margin in cross"), is_stored)?;
            self.check_reduce_only(number as u32)?;
        }
        self.check_book()
    }

    /// INST-2: what only reduces never exceeds the position.
    fn check_reduce_only(&self, account: u32) -> Result<(), String> {
        for side in [Side::Buy, Side::Sell] {
            let orders = self.orders_of(account).filter(|order| order.side == side && order.is_reduce_only);
            let open: i128 = orders.map(|order| order.leaves).sum();
            let most = self.accounts[account as usize].reducible(side);
            holds(&format!("INST-2: account {account} has {open} to reduce, at most {most}"), open <= most)?;
        }
        Ok(())
    }

    /// BOOK-1: the book is never crossed; SUM-7: orders and lots agree; identities are unique.
    fn check_book(&self) -> Result<(), String> {
        if let (Some(bid), Some(ask)) = (self.best(Side::Buy), self.best(Side::Sell)) {
            let law = format!("BOOK-1: bid {} of {} below ask {} of {}", bid.tick, bid.number, ask.tick, ask.number);
            holds(&law, bid.tick < ask.tick)?;
        }
        let mut slots = BTreeSet::new();
        for order in &self.orders {
            holds(&format!("SUM-7: order {} has something left", order.number), order.leaves > 0)?;
            holds(&format!("slot {} is taken once", order.slot), slots.insert(order.slot))?;
            if order.is_close_out() {
                let lot = self.lot(order.number).map_or(0, |lot| lot.qty.abs());
                equal(&format!("SUM-7: the order of lot {}", order.number), order.leaves, lot)?;
            }
        }
        slots.retain(|slot| *slot < self.capacity.orders);
        for slot in &self.slots_given_back {
            holds(&format!("slot {slot} is given back once, and no order has it"), slots.insert(*slot))?;
        }
        let ever_used: BTreeSet<u32> = (0..self.slots_used).collect();
        holds("each slot that was ever used has an order or was given back", slots == ever_used)
    }
}
