//! Settlement: a fill becomes two positions, realised PnL and two fees.
//!
//! The taker's side is settled first, then the maker's; then reduce-only orders shrink.

use contract::codes::{FillCause, InsuranceCause, Side};
use contract::event::{Fact, Fill};
use contract::units::AccountId;

use super::Twin;
use super::account::Traded;
use super::book::{Order, Piece};
use super::market::opposite;
use super::outbox::{contracts, xbt};

/// One side's part in a `Fill` event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Party {
    pub account: u32,
    pub number: u64,
    pub slot: u32,
    pub leaves: i128,
    pub fee: i128,
}

impl Twin {
    /// The arriving order trades with all of its plan. Its last trade may mark; with lots it only closes out.
    pub(super) fn trade_all(&mut self, taker: &mut Order, pieces: &[Piece]) {
        let is_of_lot = |piece: &Piece| self.order(piece.maker).is_some_and(Order::is_close_out);
        let last = pieces.iter().rfind(|piece| !is_of_lot(piece)).map(|piece| piece.tick);
        for piece in pieces {
            self.trade(taker, piece.maker, piece.qty);
        }
        if let Some(tick) = last {
            self.mark_by_trade(tick);
        }
    }

    /// The arriving order trades with a resting one, at its price.
    fn trade(&mut self, taker: &mut Order, maker: u64, qty: i128) {
        taker.leaves -= qty;
        taker.cum += qty;
        let maker = self.take_from(maker, qty);
        let unit_value = self.market.unit_value(maker.tick);
        let gap = self.market.premium(taker.side, maker.tick);
        let rate = self.market.taker_rate(&self.accounts[taker.account as usize]);
        let taker_fee = self.settle(taker.account, taker.side, qty, unit_value, rate, gap);
        let (maker_fee, gain) = self.settle_maker(&maker, qty, unit_value);
        let cause = if maker.is_close_out() { FillCause::CloseOut } else { FillCause::Trade };
        let taker_party = Party {
            account: taker.account,
            number: taker.number,
            slot: taker.slot,
            leaves: taker.leaves,
            fee: taker_fee,
        };
        let price = u64::from(maker.tick);
        self.say_fill(cause, taker.side, taker_party, maker.as_party(maker_fee), price, qty, unit_value);
        self.change_fund(InsuranceCause::CloseOut, taker.account, gain);
        self.shrink_reduce_only(taker.account);
        if !maker.is_close_out() {
            self.shrink_reduce_only(maker.account);
        }
    }

    /// Takes contracts off a resting order; gives it as it is now. One with nothing left is gone.
    pub(super) fn take_from(&mut self, number: u64, qty: i128) -> Order {
        let at = self.orders.iter().position(|order| order.number == number);
        let at = at.expect("a planned maker rests");
        let order = &mut self.orders[at];
        assert!(order.leaves >= qty, "a planned maker has what was planned");
        order.leaves -= qty;
        order.cum += qty;
        let order = order.clone();
        if order.leaves == 0 {
            self.orders.remove(at);
            self.give_back_slot(&order);
        }
        order
    }

    /// The maker's side: by lot for the liquidation account, which pays no fee. Gives fee and gain.
    pub(super) fn settle_maker(&mut self, maker: &Order, qty: i128, unit_value: i128) -> (i128, i128) {
        if maker.is_close_out() {
            return (0, self.settle_lot(maker.number, qty, unit_value));
        }
        self.settle_ahead(maker.account);
        let rate = self.market.maker_rate(&self.accounts[maker.account as usize]);
        (self.settle(maker.account, maker.side, qty, unit_value, rate, maker.premium), 0)
    }

    /// One trader's side: fee, position, wallet. Gives the fee. (Rules FEE-1, POS-2 to POS-4)
    pub(super) fn settle(
        &mut self,
        account: u32,
        side: Side,
        qty: i128,
        unit_value: i128,
        rate: i128,
        premium: i128,
    ) -> i128 {
        let fee = self.market.fee(rate, self.market.units(qty) * unit_value);
        let contracts_per_unit = i128::from(self.market.spec.value_unit);
        let it = &mut self.accounts[account as usize];
        let realised = it.trade(side, Traded { qty, contracts_per_unit, unit_value, premium });
        it.pay(realised, fee);
        self.fees += fee;
        self.touch_wallet(account);
        self.touch_position(account);
        fee
    }

    /// A lot gives up contracts at a unit value; gives what the fund gains, negative for a loss.
    /// (Rules LIQ-7, LIQ-9)
    pub(super) fn settle_lot(&mut self, number: u64, qty: i128, unit_value: i128) -> i128 {
        let units = self.market.units(qty);
        let at = self.lots.iter().position(|lot| lot.number == number).expect("a close-out order has a lot");
        let lot = &mut self.lots[at];
        let is_long = lot.qty > 0;
        // A long sells: it gains where a unit is worth less XBt, that is at a higher price.
        let gain = if is_long { lot.unit_value - unit_value } else { unit_value - lot.unit_value } * units;
        lot.qty -= if is_long { qty } else { -qty };
        if lot.qty == 0 {
            self.lots.remove(at);
        }
        self.liquidation_realised -= gain;
        gain
    }

    /// One `Fill`, numbered for both parties, the taker first.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn say_fill(
        &mut self,
        cause: FillCause,
        taker_side: Side,
        taker: Party,
        maker: Party,
        price: u64,
        qty: i128,
        unit_value: i128,
    ) {
        let taker_seq = self.next_account_seq(taker.account);
        let maker_seq = self.next_account_seq(maker.account);
        let fact = Fill {
            cause: cause.into(),
            taker_side: taker_side.into(),
            maker_account: maker.account,
            taker_number: taker.number,
            maker_number: maker.number,
            maker_seq,
            price,
            qty: contracts(qty),
            value: xbt(self.market.units(qty) * unit_value),
            taker_fee: xbt(taker.fee),
            maker_fee: xbt(maker.fee),
            taker_leaves: contracts(taker.leaves),
            maker_leaves: contracts(maker.leaves),
            taker_slot: taker.slot,
            maker_slot: maker.slot,
        };
        self.push(AccountId(taker.account), taker_seq, Fact::Fill(fact));
    }

    /// A lot meets a resting order at its price. (Rules LIQ-7, LIQ-9)
    pub(super) fn close_out(&mut self, lot: u64, maker: u64, qty: i128, cause: InsuranceCause) {
        let maker = self.take_from(maker, qty);
        let unit_value = self.market.unit_value(maker.tick);
        let slot = self.lot(lot).expect("a lot that closes out is there").slot;
        let own_gain = self.settle_lot(lot, qty, unit_value);
        let (maker_fee, maker_gain) = self.settle_maker(&maker, qty, unit_value);
        let leaves = self.lot(lot).map_or(0, |lot| lot.qty.abs());
        let taker = Party { account: AccountId::LIQUIDATION.0, number: lot, slot, leaves, fee: 0 };
        let side = opposite(maker.side);
        let price = u64::from(maker.tick);
        self.say_fill(FillCause::CloseOut, side, taker, maker.as_party(maker_fee), price, qty, unit_value);
        self.change_fund(cause, maker.account, own_gain + maker_gain);
        if !maker.is_close_out() {
            self.shrink_reduce_only(maker.account);
        }
    }
}

impl Order {
    fn as_party(&self, fee: i128) -> Party {
        Party { account: self.account, number: self.number, slot: self.slot, leaves: self.leaves, fee }
    }
}
