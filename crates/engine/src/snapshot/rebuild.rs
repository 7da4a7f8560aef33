//! Making again what a snapshot does not say: sums, names, lists, margins, keys.
//!
//! What comes here has been looked at: every number is in its range, every account, slot and lot exists. What
//! holds of the whole only is checked afterwards, by the laws and by the digest.

use alloc::vec::Vec;

use contract::margin::{chargeable, order_margin, tier_limit};
use contract::math::MOST;
use contract::value::unit_value;
use contract::{AccountId, ClOrdId, OrderId, Price, Xbt};

use super::SnapshotHeader;
use super::records::{AccountRecord, LotRecord, MarketRecord, OrderRecord};
use crate::account::DUE;
use crate::agenda::{CancelTask, Process};
use crate::engine::Engine;
use crate::liquidation::Lot;

impl Engine {
    pub(super) fn put_market(&mut self, header: &SnapshotHeader, market: &MarketRecord) {
        self.say.go_on(header.seq, header.ts, header.chain);
        if market.mark != Price::NONE {
            self.market.set_mark(market.mark);
        }
        self.waiting_mark = market.waiting_mark;
        self.market.rate = market.rate;
        self.funding.waiting = market.waiting_rate;
        self.funding.next_instant = market.next_instant;
        self.agenda.pass = market.pass;
        self.index = market.index.clone();
        self.market.is_stale = market.is_stale;
        self.market.has_traded = market.has_traded;
        self.premium = market.premium;
        self.plan_due();
        // All who are due say so: what is left is to pay for finding them.
        self.agenda.remargin.unpaid = market.to_find;
        self.agenda.has_news |= market.pass.is_some() || market.to_find != 0;
        self.state = market.state.expect("a state that was looked at");
        self.next_number = market.next_number;
        self.net_deposits = market.net_deposits;
    }

    /// The next account; the house's are there already.
    pub(super) fn put_account(&mut self, number: u32, record: &AccountRecord) {
        if number as usize >= self.accounts.len() {
            // A house account that trades nothing is as good as a new one, all that `put` gives it aside.
            let new = self.accounts[AccountId::FEES.0 as usize].clone();
            self.accounts.push(new);
        }
        let account = &mut self.accounts[number as usize];
        record.put(account);
        // An account whose turn in a pass has not come still has its margins by the rate before.
        let turn = self.agenda.pass.filter(|pass| number >= pass.next && !record.is_settled_ahead());
        let rate = turn.map_or(self.market.rate, |pass| pass.before);
        account.terms = account.terms_with(&self.market.spec, record.leverage, record.tier, rate);
        account.risk_limit = tier_limit(&self.market.spec, record.tier).0.unsigned_abs();
    }

    pub(super) fn put_lot(&mut self, slot: u32, lot: Lot, record: &LotRecord) {
        self.free_lots.remove(slot);
        self.lots[slot as usize] = lot;
        if lot.is_resting {
            self.key_lot(slot);
        }
        if record.is_listed() {
            self.list_lot(slot);
        }
    }

    /// All lots by age; those younger than `newest` are new.
    pub(super) fn put_lot_ages(&mut self, newest: u64) {
        let mut lots: Vec<(u64, u32)> =
            (0..).zip(&self.lots).filter(|(_, lot)| lot.number != 0).map(|(slot, lot)| (lot.number, slot)).collect();
        lots.sort_unstable();
        for (number, slot) in lots {
            if number > newest { self.add_new_lot(slot) } else { self.list_youngest(slot) }
        }
    }

    /// The next order, in the order of priority: queues and the lists of reduce-only orders grow at their ends.
    /// An order of a trader must be noted by [`Engine::note_order`] later.
    pub(super) fn put_order(&mut self, record: &OrderRecord, name: &ClOrdId) {
        let (account, slot, side) = (record.account, record.slot, record.side());
        let value = unit_value(&self.market.spec, self.market.spec.tick_price(record.tick));
        let id = OrderId { number: record.number, slot };
        self.book.rest(id, side, record.tick, record.leaves, account, record.flags());
        let cold = self.book.cold_mut(slot);
        cold.unit_value = value;
        cold.premium = record.premium;
        if record.cum != 0 {
            self.book.add_cum(slot, record.cum);
        }
        if record.is_close_out() {
            return;
        }
        self.book.name(account, slot, *name, &mut self.names);
        let sums = self.market.sums(record.leaves, value, record.premium);
        self.accounts[account as usize].sums.side_mut(side).add(sums);
        if record.is_reduce_only() {
            let order = self.book.resting(slot);
            self.list_reduce_only(&order);
        }
    }

    pub(super) fn put_agenda(&mut self, process: Option<Process>, cancels: &[CancelTask], due: &[(u32, u64)]) {
        self.agenda.process = process;
        self.agenda.has_news |= process.is_some();
        for task in cancels {
            self.agenda.cancels.push_back(*task);
            self.agenda.has_news = true;
        }
        due.iter().for_each(|(account, distance)| self.agenda.add_due(*distance, *account));
    }

    /// Order margin, and where an account stands among the keys. False where its orders are charged more than
    /// anybody can have.
    pub(super) fn settle_account(&mut self, number: u32) -> bool {
        let account = &mut self.accounts[number as usize];
        let margin = order_margin(&account.terms, chargeable(&account.sums, account.position.qty));
        if margin.0.unsigned_abs() > MOST {
            return false;
        }
        account.order_margin = margin;
        account.margin_mark = crate::account::NO_MARK;
        account.position_margin = Xbt::ZERO;
        if account.position.qty == 0 || account.has(DUE) {
            return true;
        }
        if self.market.is_safe(&self.accounts[number as usize]) {
            self.key_exactly(number);
        } else {
            // Neither safe nor due: no lot was free for it. (Rule LIQ-5)
            self.key_where_it_stands(number);
        }
        true
    }
}
