//! Settlement: a match becomes two positions, realised PnL and two fees.
//!
//! In    the taker, the maker, how much.
//! Out   `Fill`, one for both parties; `Insurance` where a lot was closed out.
//! Laws  SUM-1  contracts gained on one side equal contracts lost on the other.
//!       SUM-5  no satoshi leaves an account without arriving in another.
//! Nothing here can refuse: what may refuse an order has spoken already, in `admit` and `reserve`.

use contract::event::Fill;
use contract::math::{difference, signed, signed_product};
use contract::value::{fee, units};
use contract::{AccountId, CancelReason, ContractSpec, FillCause, InsuranceCause, OrderId, Qty, Side, Xbt};

use crate::account::{Account, MOVE_KEY, NO_MARK, TELL_POSITION, TELL_WALLET};
use crate::book::{CLOSE_OUT, REDUCE_ONLY, Resting};
use crate::engine::Engine;
use crate::outbox::Outbox;
use crate::place::tag_of;

/// The order that arrives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taker {
    pub(crate) account: u32,
    pub(crate) id: OrderId,
    pub(crate) side: Side,
    pub(crate) leaves: u64,
}

impl Account {
    /// Books an execution to a trader: contracts bought (negative: sold) at the value of a unit, the fee `paid` for them,
    /// and the premium of a unit that opens. (Rules COST-1, FEE-1, OM-5, POS-2 to POS-4)
    #[inline(always)]
    fn execute(&mut self, spec: &ContractSpec, bought: i64, unit_value: u64, paid: Xbt, premium: impl FnOnce() -> u64) {
        let done = self.position.execute(spec, bought, unit_value);
        if done.opened != Qty::ZERO && self.pays_premium() {
            self.position.cross += Xbt(signed_product(units(spec, done.opened), premium()));
        }
        self.margin_mark = NO_MARK;
        let lost = done.realised_cost + paid;
        self.wallet -= lost;
        self.realised -= lost;
        self.commission += paid;
    }
}

impl Engine {
    /// Matches `qty` contracts of the taker with a resting order, at the maker's price. A trader who takes is touched
    /// already. (Rule BOOK-1)
    ///
    /// Returns what a maker that closes out a lot gained against a taker that does so too: the fund's
    /// change is one fact for both.
    #[inline(always)]
    pub(crate) fn fill(&mut self, taker: &mut Taker, maker: &Resting, qty: u64, out: &mut impl Outbox) -> Xbt {
        let cold = self.book.cold(maker.slot);
        let (worth, maker_premium) = (cold.unit_value, cold.premium);
        // What the order is in its account's sums: its cost is the value of the fill.
        let filled = self.market.sums(qty, worth, maker_premium);
        let value = Xbt(signed(filled.cost));
        let bought = taker.side.sign() * signed(qty);
        taker.leaves = difference(taker.leaves, qty);

        let is_lot_taking = taker.account == AccountId::LIQUIDATION.0;
        let is_lot_made = maker.is(CLOSE_OUT);
        let taker_fee = if is_lot_taking {
            Xbt::ZERO
        } else {
            let Engine { market, accounts, .. } = self;
            let account = &mut accounts[taker.account as usize];
            let paid = fee(market.spec.fee_rounding, market.fees(account).taker, value);
            account.execute(&market.spec, bought, worth, paid, || market.premium(taker.side, worth));
            paid
        };
        if self.has_work() {
            self.prepare_maker(maker, out);
        }
        let maker_leaves = difference(maker.leaves, qty);
        let maker_fee = if is_lot_made {
            if maker_leaves == 0 {
                self.book.unlink(maker);
            } else {
                self.book.fill(maker, qty);
            }
            Xbt::ZERO
        } else {
            if maker.is(REDUCE_ONLY) {
                self.take_reduce_only(maker, qty);
            }
            let Engine { market, book, names, accounts, in_step, in_apply, .. } = self;
            let account = &mut accounts[maker.account as usize];
            account.touch(maker.account, TELL_WALLET | TELL_POSITION | MOVE_KEY, in_step, in_apply);
            account.sums.side_mut(maker.side()).take(filled);
            if maker_leaves == 0 {
                let tag = tag_of(book, names, maker);
                book.unlink(maker);
                book.forget(account, maker.slot, tag, names);
            } else {
                book.fill(maker, qty);
            }
            let paid = fee(market.spec.fee_rounding, market.fees(account).maker, value);
            account.execute(&market.spec, -bought, worth, paid, || maker_premium);
            paid
        };
        self.accounts[AccountId::FEES.0 as usize].wallet += taker_fee + maker_fee;

        let cause = if is_lot_taking || is_lot_made { FillCause::CloseOut } else { FillCause::Trade };
        let fact = Fill {
            cause: cause.into(),
            taker_side: taker.side.into(),
            maker_account: maker.account,
            taker_number: taker.id.number,
            maker_number: maker.number,
            maker_seq: 0,
            price: u64::from(maker.tick.0),
            qty: Qty(qty),
            value,
            taker_fee,
            maker_fee,
            taker_leaves: Qty(taker.leaves),
            maker_leaves: Qty(maker_leaves),
            taker_slot: taker.id.slot,
            maker_slot: maker.slot,
        };
        self.tell_fill(taker.account, fact, out);
        if !is_lot_made {
            return Xbt::ZERO;
        }
        let gain = self.settle_lot(maker.slot, qty, worth);
        if !is_lot_taking {
            self.change_insurance(gain, InsuranceCause::CloseOut, taker.account, out);
        }
        gain
    }

    /// Looks at and settles a maker before its side of a fill is settled. (Rules LIQ-4, FUND-5)
    #[cold]
    #[inline(never)]
    fn prepare_maker(&mut self, maker: &Resting, out: &mut impl Outbox) {
        if maker.is(CLOSE_OUT) {
            return self.look_first_at_lot(maker.slot - self.book.order_slots());
        }
        self.look_first(maker.account);
        self.settle_ahead(maker.account, out);
    }

    /// Takes a filled quantity of a reduce-only order off what its account's reduce-only orders are.
    #[cold]
    #[inline(never)]
    fn take_reduce_only(&mut self, maker: &Resting, qty: u64) {
        if qty == maker.leaves {
            self.unlist_reduce_only(maker.account, maker.slot, maker.leaves);
        } else {
            self.accounts[maker.account as usize].reduce_qty -= Qty(qty);
        }
    }

    /// Books an execution outside of the book, with its fee: contracts bought (negative: sold) at the value of a unit.
    /// Nothing opens by it.
    pub(crate) fn settle(&mut self, number: u32, bought: i64, unit_value: u64, paid: Xbt) {
        self.touch_position(number);
        self.accounts[number as usize].execute(&self.market.spec, bought, unit_value, paid, || 0);
        self.accounts[AccountId::FEES.0 as usize].wallet += paid;
    }

    /// Says a fill, numbered for both parties, the taker first.
    #[inline(always)]
    pub(crate) fn tell_fill(&mut self, taker: u32, mut fact: Fill, out: &mut impl Outbox) {
        let first = &mut self.accounts[taker as usize];
        first.account_seq += 1;
        let taker_seq = first.account_seq;
        let second = &mut self.accounts[fact.maker_account as usize];
        second.account_seq += 1;
        fact.maker_seq = second.account_seq;
        self.say.event(AccountId(taker), taker_seq, fact, out);
    }

    /// Cancels an account's oldest order; false where it has none.
    pub(crate) fn cancel_oldest(&mut self, number: u32, reason: CancelReason, out: &mut impl Outbox) -> bool {
        let slot = self.accounts[number as usize].oldest;
        if slot == crate::account::NIL {
            return false;
        }
        let order = self.book.resting(slot);
        self.touch(number, TELL_WALLET);
        self.cancel_resting(&order, reason, out);
        true
    }
}
