//! Whose wallet or position has changed since the ranking last looked.
//!
//! Of whom nobody has looked at yet nothing is noted: where no ranking is ever asked for, it costs a comparison an event.

use contract::{AccountId, event};

/// What stands of an account: balance, order margin and its sums; the position.
pub(in crate::router) type Standing = (event::Wallet, event::Position);

#[derive(Debug)]
pub(super) struct Changes {
    /// The accounts below it have been looked at; the others are all new.
    looked_at: u32,
    /// Of those below it, whose standing has changed since; each once.
    changed: Vec<u32>,
}

impl Changes {
    pub(super) fn new() -> Changes {
        Changes { looked_at: AccountId::FIRST_TRADER.0, changed: Vec::new() }
    }
}

impl super::Model {
    /// A `Wallet` or `Position` of the account was said.
    pub(super) fn has_changed(&mut self, account: AccountId) {
        let Changes { looked_at, changed } = &mut self.changes;
        if account.0 < *looked_at && !account.is_house() {
            let found = &mut self.accounts[account.0 as usize];
            if !core::mem::replace(&mut found.is_changed, true) {
                changed.push(account.0);
            }
        }
    }

    /// At most so many of the changed, and how they stand now; `true` where that was all of them.
    pub(in crate::router) fn take_changed(&mut self, most: usize, taken: &mut Vec<(AccountId, Standing)>) -> bool {
        let Changes { looked_at, changed } = &mut self.changes;
        while taken.len() < most {
            let account = match changed.pop() {
                Some(account) => account,
                None if (*looked_at as usize) < self.accounts.len() => {
                    *looked_at += 1;
                    *looked_at - 1
                }
                None => break,
            };
            let found = &mut self.accounts[account as usize];
            found.is_changed = false;
            taken.push((AccountId(account), (found.wallet, found.position)));
        }
        changed.is_empty() && *looked_at as usize >= self.accounts.len()
    }
}
