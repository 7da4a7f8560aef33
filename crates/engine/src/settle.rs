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
use contract::{AccountId, CancelReason, FillCause, InsuranceCause, OrderId, Qty, Rate, Side, Xbt};

use crate::account::TELL_WALLET;
use crate::book::{CLOSE_OUT, REDUCE_ONLY, Resting};
use crate::engine::Engine;
use crate::outbox::Outbox;

/// The order that arrives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taker {
    pub(crate) account: u32,
    pub(crate) id: OrderId,
    pub(crate) side: Side,
    pub(crate) leaves: u64,
}

/// An execution of one party.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Execution {
    /// Contracts, positive bought, negative sold.
    pub(crate) qty: i64,
    /// Value of one unit, XBt.
    pub(crate) unit_value: u64,
    /// Premium of one unit that opens, XBt. (Rule OM-5)
    pub(crate) premium: u64,
    /// What it pays of its value.
    pub(crate) rate: Rate,
}

impl Engine {
    /// Matches `qty` contracts of the taker with a resting order, at the maker's price. (Rule BOOK-1)
    ///
    /// Returns what a maker that closes out a lot gained against a taker that does so too: the fund's
    /// change is one fact for both.
    #[inline(always)]
    pub(crate) fn fill(&mut self, taker: &mut Taker, maker: &Resting, qty: u64, out: &mut impl Outbox) -> Xbt {
        self.book.add_cum(maker.slot, qty);
        let cold = self.book.cold(maker.slot);
        let (worth, maker_premium) = (cold.unit_value, cold.premium);
        let n = units(&self.market.spec, Qty(qty));
        let value = Xbt(signed_product(n, worth));
        let sign = taker.side.sign();
        taker.leaves = difference(taker.leaves, qty);

        let premium = self.market.premium(taker.side, worth);
        let liquidation = AccountId::LIQUIDATION.0;
        let is_lot_taking = taker.account == liquidation;
        let is_lot_made = maker.is(CLOSE_OUT);
        let taker_fee = if is_lot_taking {
            Xbt::ZERO
        } else {
            let rate = self.market.spec.fees[usize::from(self.accounts[taker.account as usize].fee_class)].taker;
            let execution = Execution { qty: sign * signed(qty), unit_value: worth, premium, rate };
            self.settle(taker.account, &execution, value)
        };
        if self.has_work() {
            self.prepare_maker(maker, out);
        }
        let maker_leaves = difference(maker.leaves, qty);
        self.book_filled(maker, qty);
        let maker_fee = if is_lot_made {
            Xbt::ZERO
        } else {
            let rate = self.market.spec.fees[usize::from(self.accounts[maker.account as usize].fee_class)].maker;
            let execution = Execution { qty: -sign * signed(qty), unit_value: worth, premium: maker_premium, rate };
            self.settle(maker.account, &execution, value)
        };

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

    /// Takes a filled quantity off a resting order, and forgets the order when nothing is left.
    #[inline(always)]
    fn book_filled(&mut self, maker: &Resting, qty: u64) {
        let is_lot = maker.is(CLOSE_OUT);
        if !is_lot {
            self.take_from_sums(maker, qty);
            if maker.is(REDUCE_ONLY) && qty != maker.leaves {
                self.accounts[maker.account as usize].reduce_qty -= Qty(qty);
            }
        }
        if qty != maker.leaves {
            self.book.reduce(maker, qty);
            return;
        }
        self.book.unlink(maker);
        if !is_lot {
            if maker.is(REDUCE_ONLY) {
                self.unlist_reduce_only(maker.account, maker.slot, maker.leaves);
            }
            self.forget(maker);
        }
    }

    /// Books an execution to a trader: position, realised PnL, fee. (Rules COST-1, FEE-1, POS-2 to POS-4)
    #[inline(always)]
    pub(crate) fn settle(&mut self, number: u32, execution: &Execution, value: Xbt) -> Xbt {
        let paid = fee(self.market.spec.fee_rounding, execution.rate, value);
        self.settle_with_fee(number, execution, paid);
        paid
    }

    /// The same with the fee given.
    #[inline(always)]
    pub(crate) fn settle_with_fee(&mut self, number: u32, execution: &Execution, paid: Xbt) {
        self.touch_position(number);
        let account = &mut self.accounts[number as usize];
        let done = account.position.execute(&self.market.spec, execution.qty, execution.unit_value);
        if done.opened != Qty::ZERO && account.pays_premium() {
            account.position.cross += Xbt(signed_product(units(&self.market.spec, done.opened), execution.premium));
        }
        let lost = done.realised_cost + paid;
        account.wallet -= lost;
        account.realised -= lost;
        account.commission += paid;
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
