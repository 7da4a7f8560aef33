//! The SUM laws over the whole state, and the engine's own bookkeeping against itself.
//!
//! O(accounts + orders): after every command in tests, by slices in production (later). Here everything is
//! added up anew, in 128 bits.

use alloc::format;
use alloc::string::String;
use alloc::vec;

use contract::margin::{OrderSums, chargeable, order_margin};
use contract::value::unit_value;
use contract::{AccountId, Side, Tick, Xbt};

use crate::account::{Account, DUE, HAS_EARLY_KEY, IN_APPLY, IN_STEP, NIL, WAITS_FOR_LOT};
use crate::book::{CLOSE_OUT, REDUCE_ONLY};
use crate::engine::Engine;

macro_rules! law {
    ($holds:expr, $($text:tt)*) => {
        if !$holds {
            return Err(format!($($text)*));
        }
    };
}

impl Engine {
    /// The SUM laws over the whole state, and the order of rankings. (Rules SUM-1 to SUM-7, INS-1, ADL-1)
    ///
    /// # Errors
    /// The law that does not hold, in words with its numbers.
    pub fn check_sums(&self) -> Result<(), String> {
        self.check_money()?;
        self.check_book()?;
        self.check_accounts()?;
        self.check_early_keys()?;
        self.check_lots()?;
        law!(self.rankings_are_exact(), "ADL-1: a ranking does not have everybody once, in his place");
        law!(self.is_quiet_as_noted(), "the market is noted as quiet, and is not");
        Ok(())
    }

    /// SUM-1 to SUM-6.
    fn check_money(&self) -> Result<(), String> {
        let sum = |f: &dyn Fn(&crate::account::Account) -> i64| {
            self.accounts.iter().map(|account| i128::from(f(account))).sum::<i128>()
        };
        let positions = sum(&|account| account.position.qty);
        law!(positions == 0, "SUM-1: positions add up to {positions}");
        let cost = sum(&|account| account.position.cost.0);
        let realised = sum(&|account| account.realised.0 + account.commission.0);
        law!(cost == realised, "SUM-2: unrealised cost {cost}, realised cost {}", -realised);
        if self.market.mark_value != 0 {
            let value = sum(&|account| account.position.value_at(&self.market.spec, self.market.mark_value).0);
            law!(value == 0, "SUM-3: values at the mark add up to {value}");
        }
        let house = |account: AccountId| i128::from(self.accounts[account.0 as usize].wallet.0);
        let commission = sum(&|account| account.commission.0);
        let (fees, residue) = (house(AccountId::FEES), house(AccountId::RESIDUE));
        law!(
            commission == fees + residue,
            "SUM-4: fees and funding paid {commission}, fee account {fees}, residue {residue}"
        );
        let all = sum(&|account| account.wallet.0) - cost;
        law!(
            all == self.net_deposits,
            "SUM-5: wallets less cost {all}, deposits less withdrawals {}",
            self.net_deposits
        );
        let fund = house(AccountId::INSURANCE);
        law!(fund >= 0, "INS-1: the fund is at {fund}");
        law!(house(AccountId::LIQUIDATION) == 0, "LIQ-9: the liquidation account keeps nothing");
        Ok(())
    }

    /// Each slot that was ever in use has an order, or is listed as given back, once.
    fn check_slots(&self) -> Result<(), String> {
        let used = self.book.slots_ever_used();
        let mut is_given_back = vec![false; used as usize];
        for &slot in self.book.slots_given_back() {
            let known = is_given_back.get_mut(slot as usize);
            law!(
                known.is_some_and(|known| !core::mem::replace(known, true)),
                "slot {slot} is given back and free twice"
            );
        }
        for (slot, is_given_back) in (0..used).zip(is_given_back) {
            let is_empty = self.book.resting(slot).number == 0;
            law!(is_empty == is_given_back, "slot {slot} is empty: {is_empty}, and given back: {is_given_back}");
        }
        Ok(())
    }

    /// SUM-7: levels and sums of orders; the book is never crossed. (Rule BOOK-1)
    fn check_book(&self) -> Result<(), String> {
        self.check_slots()?;
        let mut sums = vec![(OrderSums::default(), 0u32, 0u64); self.accounts.len()];
        let mut special = [0u32; 2];
        for side in [Side::Buy, Side::Sell] {
            let mut level_total = (Tick(0), 0u64);
            let mut fault = None;
            self.book.for_each(side, |order| {
                if order.tick != level_total.0 {
                    level_total = (order.tick, 0);
                }
                level_total.1 += order.leaves;
                if self.book.behind(order.slot).is_none() && level_total.1 != self.book.total(order.tick).0 {
                    fault = Some(format!("SUM-7: level {} holds {}", order.tick.0, level_total.1));
                }
                let cold = self.book.cold(order.slot);
                if order.leaves == 0 || order.number == 0 || order.side() != side {
                    fault = Some(format!("SUM-7: order in slot {} is not one", order.slot));
                }
                if cold.unit_value != unit_value(&self.market.spec, self.market.spec.tick_price(order.tick)) {
                    fault = Some(format!("SUM-7: order {} has another price's value", order.number));
                }
                if !order.is(CLOSE_OUT) {
                    let entry = &mut sums[order.account as usize];
                    entry.0.side_mut(side).add(self.sums_of(&order, order.leaves));
                    entry.1 += 1;
                    entry.2 += if order.is(REDUCE_ONLY) { order.leaves } else { 0 };
                }
                special[usize::from(side == Side::Sell)] += u32::from(order.is(REDUCE_ONLY));
            });
            if let Some(fault) = fault {
                return Err(fault);
            }
            law!(
                special[usize::from(side == Side::Sell)] == self.book.reduce_only_count(side),
                "SUM-7: reduce-only orders of a side are miscounted"
            );
        }
        if let (Some(bid), Some(ask)) = (self.book.best(Side::Buy), self.book.best(Side::Sell)) {
            law!(bid < ask, "BOOK-1: crossed, bid {} ask {}", bid.0, ask.0);
        }
        for (number, (account, (sums, open, reduce))) in self.accounts.iter().zip(sums).enumerate() {
            law!(account.sums == sums, "SUM-7: account {number} has {:?}, its orders {sums:?}", account.sums);
            law!(account.open_orders == open, "SUM-7: account {number} counts {} orders", account.open_orders);
            law!(account.reduce_qty.0 == reduce, "SUM-7: account {number} counts {} to reduce", account.reduce_qty.0);
        }
        Ok(())
    }

    /// Each account against itself.
    fn check_accounts(&self) -> Result<(), String> {
        for (number, account) in self.accounts.iter().enumerate() {
            let position = &account.position;
            let is_flat = position.qty == 0;
            law!(account.flags & (IN_STEP | IN_APPLY) == 0, "account {number} was not reviewed");
            if (number as u32) < AccountId::FIRST_TRADER.0 {
                // Lots of both sides may be as many contracts, at other values: `check_lots` looks at them.
                continue;
            }
            law!(!is_flat || position.cost == Xbt::ZERO, "a flat position has no cost: account {number}");
            law!(!is_flat || position.cross == Xbt::ZERO, "a flat position holds no margin: account {number}");
            law!(!is_flat || position.loss == Xbt::ZERO, "MARGIN-4: a flat position has no loss: account {number}");
            law!(is_flat || position.cost != Xbt::ZERO, "a position was bought for something: account {number}");
            let margin = order_margin(&account.terms, chargeable(&account.sums, position.qty));
            law!(margin == account.order_margin, "OM-1: account {number} holds {}", account.order_margin);
            let side = self.reduce_only_side(number as u32);
            if let Some(side) = side {
                law!(
                    account.reduce_qty.0 <= account.reducible(side),
                    "INST-2: account {number} may reduce {}, its orders {}",
                    account.reducible(side),
                    account.reduce_qty.0
                );
            }
            let is_due = account.has(DUE);
            let waits = account.has(WAITS_FOR_LOT) || self.unseen(number as u32).is_some();
            law!(
                is_due || waits || self.is_halted() || self.market.is_safe(account),
                "LIQ-4: account {number} is neither safe nor due nor to be looked at"
            );
            self.check_key(number as u32)?;
            let mut at = account.oldest;
            let mut before = 0;
            let mut count = 0;
            while at != NIL {
                let (order, cold) = (self.book.resting(at), self.book.cold(at));
                law!(order.number > before, "orders of account {number} are out of order");
                before = order.number;
                count += 1;
                at = cold.newer;
            }
            law!(count == account.open_orders, "account {number} lists {count} orders");
        }
        Ok(())
    }

    /// LIQ-4: no key lies later than the liquidation price, at the equity it assumes; who is not in the queue of early
    /// keys has an exact one.
    fn check_key(&self, number: u32) -> Result<(), String> {
        let account = &self.accounts[number as usize];
        let (key, is_early, is_long) = (account.key_tick, account.has(HAS_EARLY_KEY), account.position.qty > 0);
        if account.position.qty == 0 || account.has(DUE) {
            law!(key == 0 && !is_early, "LIQ-4: account {number} is flat or due and has a key");
            return Ok(());
        }
        let exact = self.exact_tick(number).map_or(0, |tick| tick.0);
        if account.has(WAITS_FOR_LOT) {
            let at = if exact == 0 { self.market.max_tick.0 } else { exact };
            law!(key == at && !is_early, "LIQ-5: account {number} waits at {key}, its price is {at}");
            return Ok(());
        }
        law!(key == 0 || is_long == account.key_is_long, "LIQ-4: account {number} has a key of the other side");
        let is_in_time = if is_long { key >= exact } else { key <= exact || exact == 0 };
        law!(is_early || key == exact, "LIQ-4: account {number} has its key at {key}, its price is {exact}");
        law!(!is_early || (key != 0 && is_in_time), "LIQ-4: the key of account {number} at {key} comes after {exact}");
        let is_assumed = account.key_equity <= account.equity() || (!is_early && account.key_equity == i64::MAX);
        law!(is_assumed || !account.terms.is_cross, "LIQ-4: the key of account {number} assumes too much");
        Ok(())
    }

    /// Law 4: no more keys of a side are early than there are places, and those who say so stand in its line.
    fn check_early_keys(&self) -> Result<(), String> {
        for (is_long, keys) in [(true, &self.long_keys), (false, &self.short_keys)] {
            let is_one = |account: &&Account| account.has(HAS_EARLY_KEY) && account.key_is_long == is_long;
            let (count, say_so) = (keys.line_len(), self.accounts.iter().filter(is_one).count() as u64);
            law!(count == say_so, "law 4: {count} stand in the line of early keys, {say_so} say so");
        }
        law!(!self.has_too_many_early_keys(), "law 4: more keys are early than there are places");
        Ok(())
    }

    /// LIQ-9: the liquidation account's position is its lots', to the satoshi.
    fn check_lots(&self) -> Result<(), String> {
        let (mut qty, mut cost) = (0i128, 0i128);
        for lot in self.lots.iter().filter(|lot| lot.number != 0) {
            let value = i128::from(lot.qty / self.market.spec.value_unit) * i128::from(lot.unit_value);
            qty += i128::from(lot.signed_qty());
            cost -= if lot.is_long { value } else { -value };
        }
        let is_on_list = |entry: &(u64, u32)| self.lots[entry.1 as usize].number == entry.0;
        let on_list = self.agenda.listed.iter().filter(|entry| is_on_list(&entry.0)).count();
        let say_so = self.lots.iter().filter(|lot| lot.is_listed).count();
        law!(on_list == say_so, "LIQ-7: {on_list} lots are listed, {say_so} say so");
        let live = self.lots.iter().filter(|lot| lot.number != 0).count();
        let mut listed = 0;
        for is_long in [false, true] {
            let (mut before, mut is_new) = (0, false);
            for slot in self.lots_by_age(is_long) {
                let lot = &self.lots[slot as usize];
                is_new |= self.agenda.new_lots[usize::from(is_long)] == slot;
                law!(lot.number > before && lot.is_long == is_long, "LIQ-10: lot {} is out of its order", lot.number);
                law!(!is_new || !lot.is_resting, "LIQ-8: lot {} rests and is new", lot.number);
                before = lot.number;
                listed += 1;
            }
        }
        law!(listed == live, "LIQ-10: {listed} lots by age, {live} live");
        let house = &self.accounts[AccountId::LIQUIDATION.0 as usize].position;
        law!(qty == i128::from(house.qty), "LIQ-9: lots hold {qty}, the account {}", house.qty);
        law!(cost == i128::from(house.cost.0), "LIQ-9: lots cost {cost}, the account {}", house.cost);
        Ok(())
    }
}
