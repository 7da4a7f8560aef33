//! Keys: where accounts lie on the ladders, so that a mark finds whom it makes due. (Rule LIQ-4)
//!
//! In    an account that was reviewed, looked at, or restored.
//! Out   a key at the tick of its liquidation price, or earlier; or an account that is due.
//! Laws  LIQ-4  no key lies later than the liquidation price.
//!       4      so many keys lie earlier, and no more: a mark looks in vain at no more than these.
//!
//! In cross margin every order moves the liquidation price. The key of an account that trades is therefore *early*: it
//! assumes that orders hold half of what is available, so placing and cancelling leave it alone until they hold that
//! much; a fill leaves it, too, where it is still no later than the price. Every other key is *exact*: at the tick of the
//! liquidation price as the account stands.
//!
//! Accounts with an early key stand in the line of their ladder, which has [`EARLY_KEYS`] places. Where one more comes, the
//! one that has stood there longest gets an exact key. Only its own commands and fills give an account an early key: what
//! passes over many (funding, a mark, a restored snapshot) gives exact ones, and drives nobody who trades out of the line.
//! Isolated margin does not ask what orders hold: there all keys are exact.
//!
//! Which keys are early depends on what came before, and on nothing that a command can ask: it is no state.

use contract::liquidation::{bearable, is_not_before, price_after_loss};
use contract::position::PositionState;
use contract::{ContractSpec, Tick};

use crate::account::{Account, DUE, HAS_EARLY_KEY, WAITS_FOR_LOT};
use crate::engine::Engine;
use crate::ladder::Ladder;
use crate::outbox::Outbox;

/// Accounts of one side whose key may lie before their liquidation price: so many looks a mark may take in vain. (Behind
/// a halt it may reach both sides.)
///
/// Measured: a look takes 0.05 us in the cache and 0.4 us where accounts are spread over a million, so all of them half a
/// millisecond to three and a half. Half of the places halve that; but where more accounts trade than have a place, their
/// orders move two keys each, his own and that of who makes room. (`docs/performance.md`)
pub(crate) const EARLY_KEYS: u64 = 8_192;

/// Assumed where a key is exact: no equity is that high, so whatever the account does next, its key is looked at.
const NOTHING_ELSE: i64 = i64::MAX;

/// Early keys: they stand in the lines of their ladders.
#[derive(Clone, Debug)]
pub(crate) struct EarlyKeys {
    /// Places of each line.
    most: u64,
    /// How many had to make room so far.
    made_exact: u64,
}

impl EarlyKeys {
    pub(crate) const NONE: EarlyKeys = EarlyKeys { most: EARLY_KEYS, made_exact: 0 };
}

impl Engine {
    /// The key of an account that was touched: where it lies, if that is early enough and it may be early; else where
    /// its position, terms and equity ask for it. An early key may stay early whoever touches the account.
    pub(crate) fn move_key(&mut self, number: u32, may_be_early: bool) {
        let account = &self.accounts[number as usize];
        let is_early = account.has(HAS_EARLY_KEY);
        let may_stay = account.terms.is_cross && (may_be_early || is_early);
        if may_stay && self.keeps_key(number) {
            if !is_early && self.accounts[number as usize].key_tick != 0 {
                self.enter_early(number);
            }
            return;
        }
        let Account { terms, position, flags, .. } = &self.accounts[number as usize];
        let asks_for_one = position.qty != 0 && flags & DUE == 0;
        let is_early_now = may_be_early && terms.is_cross && asks_for_one && self.key_early(number);
        if !is_early_now {
            self.key_exactly(number);
        }
    }

    /// Is the key where it lies still no later than the liquidation price of an account in cross margin? Then it may
    /// stay: a key that comes early costs a look when it is reached, and nothing else. That of a short may lie nowhere:
    /// beyond every mark.
    #[inline(always)]
    fn keeps_key(&mut self, number: u32) -> bool {
        let account = &mut self.accounts[number as usize];
        let is_long = account.position.qty > 0;
        if account.position.qty == 0 || account.flags & (DUE | WAITS_FOR_LOT) != 0 {
            return false;
        }
        let tick = match account.key_tick {
            0 if !is_long => self.market.max_tick.0 + 1,
            tick if tick != 0 && is_long == account.key_is_long => tick,
            _ => return false,
        };
        self.market.refresh_position_margin(account);
        // Less than half, so that a fill moves a key seldom.
        let assumed = less_a_part(account.equity(), account.position_margin.0, 2);
        let w = bearable(&account.terms, &account.position, assumed).until_liquidation;
        let key = self.market.spec.tick_price(Tick(tick));
        let keeps = is_not_before(&self.market.spec, &account.position, w, key);
        if keeps {
            account.key_equity = assumed;
        }
        keeps
    }

    /// Gives an account the key that its position, terms and equity ask for, or makes it due. (Rule LIQ-4)
    pub(crate) fn key_exactly(&mut self, number: u32) {
        let account = &self.accounts[number as usize];
        if account.position.qty == 0 || account.has(DUE) {
            return self.drop_key(number);
        }
        let w = bearable(&account.terms, &account.position, account.equity()).until_liquidation;
        if self.market.line.is_safe(&self.market.spec, &account.position, w) {
            self.place_key(number, w, if account.terms.is_cross { NOTHING_ELSE } else { i64::MIN });
            self.leave_early(number);
            return;
        }
        self.drop_key(number);
        if self.is_halted() {
            // Reopening finds it again. (Rule HALT-1)
            self.key_where_it_stands(number);
        } else {
            self.make_due(number);
        }
    }

    /// Gives an account in cross margin a key that assumes that orders hold half of what is available: while its equity
    /// is at least the assumed one, it cannot be due before its key is reached. False where it would be reached now.
    ///
    /// Half, not all: who has room left is not to be reached by a small move.
    fn key_early(&mut self, number: u32) -> bool {
        let account = &mut self.accounts[number as usize];
        self.market.refresh_position_margin(account);
        let equity = account.equity();
        let half = less_a_part(equity, account.position_margin.0, 1);
        let w = bearable(&account.terms, &account.position, half).until_liquidation;
        if half == equity || !self.market.line.is_safe(&self.market.spec, &account.position, w) {
            return false;
        }
        if self.place_key(number, w, half) {
            self.enter_early(number)
        } else {
            self.leave_early(number)
        }
        true
    }

    /// Puts an account's key where it has lost W; false where that is beyond every mark.
    #[inline(always)]
    fn place_key(&mut self, number: u32, w: i64, assumed: i64) -> bool {
        let account = &mut self.accounts[number as usize];
        account.flags &= !WAITS_FOR_LOT;
        account.key_equity = assumed;
        let is_long = account.position.qty > 0;
        let has_turned = is_long != account.key_is_long;
        let tick = tick_after_loss(&self.market.spec, &account.position, w).map_or(0, |tick| tick.0);
        if tick != account.key_tick || has_turned {
            self.take_off(number);
            if has_turned {
                self.leave_early(number);
            }
            if tick != 0 {
                self.put_on(number, is_long, Tick(tick));
            }
        }
        tick != 0
    }

    /// A key at the true price of an account that is past it, so that the next mark finds it again.
    pub(crate) fn key_where_it_stands(&mut self, number: u32) {
        let account = &mut self.accounts[number as usize];
        account.flags |= WAITS_FOR_LOT;
        account.key_equity = account.equity();
        let (is_long, tick) = (account.position.qty > 0, self.exact_tick(number));
        self.put_on(number, is_long, tick.unwrap_or(self.market.max_tick));
    }

    /// The tick of an account's liquidation price; none beyond the highest.
    pub(crate) fn exact_tick(&self, number: u32) -> Option<Tick> {
        let Account { terms, position, .. } = &self.accounts[number as usize];
        let w = bearable(terms, position, self.accounts[number as usize].equity()).until_liquidation;
        tick_after_loss(&self.market.spec, position, w)
    }

    /// Takes an account off the keys.
    fn drop_key(&mut self, number: u32) {
        self.take_off(number);
        self.leave_early(number);
        let account = &mut self.accounts[number as usize];
        account.flags &= !WAITS_FOR_LOT;
        account.key_equity = i64::MIN;
    }

    fn take_off(&mut self, number: u32) {
        let account = &mut self.accounts[number as usize];
        let (tick, is_long) = (Tick(account.key_tick), account.key_is_long);
        account.key_tick = 0;
        if tick.0 != 0 {
            self.keys(is_long).unlink(tick, number);
        }
    }

    fn put_on(&mut self, number: u32, is_long: bool, tick: Tick) {
        let account = &mut self.accounts[number as usize];
        account.key_tick = tick.0;
        account.key_is_long = is_long;
        self.put_key(is_long, tick, number);
    }

    /// Puts a key on its ladder, with the number of the pass in which that is. (See `remargin`)
    #[inline(always)]
    pub(crate) fn put_key(&mut self, is_long: bool, tick: Tick, key: u32) {
        let pass = self.agenda.remargin.number;
        let keys = self.keys(is_long);
        keys.push_back(tick, key, 0);
        keys.user_mut(key).2 = pass;
    }

    #[inline(always)]
    pub(crate) fn keys(&mut self, is_long: bool) -> &mut Ladder {
        if is_long { &mut self.long_keys } else { &mut self.short_keys }
    }

    /// Puts an account on the agenda to be liquidated; it has no key. (Rules LIQ-4, LIQ-8)
    pub(crate) fn make_due(&mut self, number: u32) {
        self.leave_early(number);
        self.accounts[number as usize].flags |= DUE;
        self.agenda.add_due(self.distance(number), number);
    }

    /// At the back of the line of its ladder, unless it stands there.
    fn enter_early(&mut self, number: u32) {
        let account = &mut self.accounts[number as usize];
        if !account.has(HAS_EARLY_KEY) {
            account.flags |= HAS_EARLY_KEY;
            let is_long = account.key_is_long;
            self.keys(is_long).line_up(number);
        }
    }

    #[inline(always)]
    fn leave_early(&mut self, number: u32) {
        let account = &mut self.accounts[number as usize];
        if account.has(HAS_EARLY_KEY) {
            account.flags &= !HAS_EARLY_KEY;
            let is_long = account.key_is_long;
            self.keys(is_long).leave_line(number);
        }
    }

    /// Are more keys early than there are places?
    #[inline(always)]
    pub(crate) fn has_too_many_early_keys(&self) -> bool {
        let most = self.early_keys.most;
        self.long_keys.line_len() > most || self.short_keys.line_len() > most
    }

    /// Gives exact keys to those who have had an early one for longest, as long as there are too many. No more come in a
    /// step than it touches. Between steps: every account is as it was reviewed.
    #[cold]
    #[inline(never)]
    pub(crate) fn make_room(&mut self, out: &mut impl Outbox) {
        for is_long in [true, false] {
            while self.keys(is_long).line_len() > self.early_keys.most
                && let Some(number) = self.keys(is_long).first_in_line()
            {
                // Whom a pass has not come to may be due.
                self.look_first(number);
                if self.accounts[number as usize].has(HAS_EARLY_KEY) {
                    self.key_exactly(number);
                }
                self.early_keys.made_exact += 1;
            }
            if let Some(next) = self.keys(is_long).first_in_line() {
                self.keys(is_long).expect_slot(next, out);
                self.expect_account(next, out);
            }
        }
    }
}

/// For tests of how many keys are early.
impl Engine {
    /// So many places for early keys of each side instead of all. What is said is the same: tests see to that.
    #[doc(hidden)]
    pub fn limit_early_keys(&mut self, most: u64) {
        self.early_keys.most = most;
    }

    /// How many accounts have an early key.
    #[doc(hidden)]
    #[must_use]
    pub fn early_keys(&self) -> u64 {
        self.long_keys.line_len() + self.short_keys.line_len()
    }

    /// How many keys were made exact so far because another one became early.
    #[doc(hidden)]
    #[must_use]
    pub fn made_exact(&self) -> u64 {
        self.early_keys.made_exact
    }
}

/// The tick of the price at which a position has lost W, a multiple of the tick by rule LIQ-3; none where no mark reaches
/// it: beyond the highest, or never.
#[inline(always)]
fn tick_after_loss(spec: &ContractSpec, position: &PositionState, w: i64) -> Option<Tick> {
    let price = price_after_loss(spec, position, w, spec.tick_size);
    (price <= spec.max_price && price != spec.never_price).then(|| Tick((price.0 / spec.tick_size.0) as u32))
}

/// The equity less a half (`shift` 1) or a quarter (2) of what is available beyond what the position holds.
#[inline]
fn less_a_part(equity: i64, position_margin: i64, shift: u32) -> i64 {
    equity - (equity.saturating_sub(position_margin).max(0) >> shift)
}
