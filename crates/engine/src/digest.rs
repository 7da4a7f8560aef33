//! The digest: a canonical hash of the whole state. (Design §3, Chain and digest)
//!
//! What follows from other state (keys, names, best prices, levels) is left out: two engines with the same
//! digest go on the same way.

use contract::Side;

use crate::account::{DUE, SETTLED_AHEAD, SUSPENDED};
use crate::agenda::Process;
use crate::chain::Digest;
use crate::engine::Engine;

impl Engine {
    /// A canonical hash of the whole state: the same for the same commands on any machine. O(state).
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut digest = Digest::new();
        for word in self.genesis.to_words() {
            digest.word(word);
        }
        for word in [self.say.seq(), self.say.ts(), self.next_number, self.market.mark.0, self.waiting_mark.0] {
            digest.word(word);
        }
        digest.signed(self.market.rate.0);
        digest.word(u64::from(self.funding.waiting.is_some()));
        digest.signed(self.funding.waiting.map_or(0, |rate| rate.0));
        digest.word(self.funding.next_instant);
        for word in crate::snapshot::index_words(&self.index) {
            digest.word(word);
        }
        digest.signed(self.premium.last.0);
        digest.signed(self.premium.sum);
        digest.word(self.premium.minutes);
        digest.word(u64::from(self.market.is_stale));
        digest.word(u64::from(self.market.has_traded));
        digest.word(self.state as u64);
        digest.word(u64::from(self.watch.cursor));
        for word in self.say.chain.words() {
            digest.word(word);
        }
        digest.word(self.net_deposits as u64);
        digest.word((self.net_deposits >> 64) as u64);
        for (session, &request) in self.sessions.iter().enumerate().filter(|(_, request)| **request != 0) {
            digest.word(session as u64);
            digest.word(request);
        }
        self.digest_accounts(&mut digest);
        self.digest_orders(&mut digest);
        self.digest_lots(&mut digest);
        self.digest_agenda(&mut digest);
        digest.finish()
    }

    fn digest_accounts(&self, digest: &mut Digest) {
        digest.word(self.accounts.len() as u64);
        for (number, account) in (0..).zip(&self.accounts) {
            let is_due = if self.is_due_found_or_not(number) { DUE } else { 0 };
            let position = &account.position;
            for amount in [
                account.wallet.0,
                position.qty,
                position.cost.0,
                position.cross.0,
                position.loss.0,
                account.realised.0,
                account.commission.0,
            ] {
                digest.signed(amount);
            }
            for word in [
                account.account_seq,
                u64::from(account.leverage.0),
                u64::from(account.tier),
                u64::from(account.fee_class),
                u64::from(account.flags & (SUSPENDED | SETTLED_AHEAD) | is_due),
            ] {
                digest.word(word);
            }
        }
    }

    /// Both sides in priority, then the free slots that were in use.
    fn digest_orders(&self, digest: &mut Digest) {
        for side in [Side::Buy, Side::Sell] {
            self.book.for_each(side, |order| {
                let cold = self.book.cold(order.slot);
                for word in [
                    order.number,
                    u64::from(order.slot),
                    u64::from(order.account),
                    u64::from(order.tick.0),
                    u64::from(order.flags),
                    order.leaves,
                    self.book.cum(order.slot),
                    cold.premium,
                ] {
                    digest.word(word);
                }
                for word in cold.cl_ord_id().words() {
                    digest.word(*word);
                }
            });
            digest.word(u64::MAX);
        }
        let given_back = self.book.slots_given_back();
        digest.word(given_back.len() as u64);
        given_back.iter().for_each(|slot| digest.word(u64::from(*slot)));
    }

    fn digest_lots(&self, digest: &mut Digest) {
        for (slot, lot) in self.lots.iter().enumerate().filter(|(_, lot)| lot.number != 0) {
            for word in [
                slot as u64,
                lot.number,
                lot.qty,
                lot.unit_value,
                u64::from(lot.is_long),
                u64::from(lot.tick.0),
                u64::from(lot.is_resting),
            ] {
                digest.word(word);
            }
        }
        digest.word(u64::MAX);
    }

    fn digest_agenda(&self, digest: &mut Digest) {
        digest.word(u64::from(self.agenda.pass.is_some()));
        if let Some(pass) = self.agenda.pass {
            digest.word(u64::from(pass.next));
            digest.signed(pass.before.0);
            digest.word(u64::from(pass.times));
        }
        let process = match self.agenda.process {
            None => [0, 0, 0, 0],
            Some(Process::Liquidate { account, stage }) => [1, account, stage as u32, 0],
            Some(Process::CloseOut { lot }) => [2, lot, 0, 0],
            Some(Process::Sweep { lot }) => [3, lot, 0, 0],
            Some(Process::Rank { lot }) => [4, lot, 0, 0],
            Some(Process::Clear { account, lot }) => [5, account, lot, 0],
            Some(Process::Net { lot, at }) => [6, lot, at, 0],
        };
        for word in process {
            digest.word(u64::from(word));
        }
        for words in crate::snapshot::ranking_words(self) {
            words.into_iter().for_each(|word| digest.word(word));
        }
        for task in &self.agenda.cancels {
            digest.word(u64::from(task.account));
            digest.word(task.side.map_or(0, |side| side as u64));
            digest.word(task.before);
        }
        digest.word(u64::MAX);
        // Heaps have no order of their own: what they hold is taken by account, and by lot.
        let mut due = self.all_due();
        if let Some(Process::Liquidate { account, .. }) = self.agenda.process {
            // It waits no more.
            due.push((account, u64::MAX));
            due.sort_unstable();
        }
        for (number, distance) in due {
            digest.word(u64::from(number));
            digest.word(distance);
        }
        for (slot, _) in (0..).zip(&self.lots).filter(|(_, lot)| lot.number != 0) {
            digest.word(u64::from(self.is_lot_listed(slot)));
        }
        digest.word(self.units_to_find());
    }
}
