//! Liquidation: orders cancelled, position taken over as a lot, lot closed out or swept.

use contract::codes::{CancelReason, FillCause, InsuranceCause, LiquidationStep, Side};
use contract::units::{AccountId, Price};

use super::Twin;
use super::account::Traded;
use super::agenda::{Process, Stage};
use super::book::{Order, is_within};
use super::market::opposite;
use super::money::{ceil, floor};
use super::settle::Party;

/// A position that was taken over. (Rule LIQ-9)
#[derive(Clone, Debug)]
pub(super) struct Lot {
    pub number: u64,
    pub slot: u32,
    /// Contracts left, signed.
    pub qty: i128,
    /// v: value of one unit at bankruptcy, XBt.
    pub unit_value: i128,
    /// Taken over, and not taken up yet. (Rule LIQ-8)
    pub is_new: bool,
    /// The mark has passed its bankruptcy: it will be swept.
    pub is_listed: bool,
}

impl Lot {
    /// The side that closes it.
    pub(super) fn closing_side(&self) -> Side {
        if self.qty > 0 { Side::Sell } else { Side::Buy }
    }
}

impl Twin {
    pub(super) fn lot(&self, number: u64) -> Option<&Lot> {
        self.lots.iter().find(|lot| lot.number == number)
    }

    /// A lot that a process holds.
    pub(super) fn held_lot(&self, number: u64) -> Lot {
        self.lot(number).expect("a lot under way is there").clone()
    }

    /// U·1e8/v in 0.01 USD, toward the mark. (Rule LIQ-3)
    pub(super) fn lot_price(&self, lot: &Lot) -> Price {
        self.market.price_toward_mark(lot.qty > 0, Some(lot.unit_value), 1)
    }

    /// Higher tiers step down first; orders go, oldest first; then cured, waiting, or taken over.
    /// (Rules LIQ-5, LIQ-6, LIQ-12)
    pub(super) fn liquidate(&mut self, account: u32, stage: Stage) -> Option<Process> {
        match stage {
            Stage::StepDown => {
                self.lower_tier(account);
                return self.cured_or(account, Stage::Cancel);
            }
            Stage::Cancel => {
                if let Some(number) = self.oldest_of(account) {
                    self.cancel(number, CancelReason::Liquidation);
                    return Some(Process::Liquidate(account, Stage::Cancel));
                }
                if self.accounts[account as usize].tier > 0 {
                    self.lower_tier(account);
                    let is_lowest = self.accounts[account as usize].tier == 0;
                    return self.cured_or(account, if is_lowest { Stage::TakeOver } else { Stage::Part });
                }
            }
            Stage::Part => return self.close_part(account),
            Stage::TakeOver => {}
        }
        let step = if self.market.is_safe(&self.accounts[account as usize], &self.sums(account)) {
            LiquidationStep::Cured
        } else if self.lots.len() as u64 == u64::from(self.capacity.lots) {
            LiquidationStep::Waiting
        } else {
            self.take_over(account);
            return None;
        };
        self.accounts[account as usize].due = None;
        self.say_step_of_account(step, account);
        None
    }

    /// The liquidation account takes the whole position at v. (Rule LIQ-5)
    fn take_over(&mut self, account: u32) {
        let sums = self.sums(account);
        let it = &self.accounts[account as usize];
        let is_long = it.qty > 0;
        let qty = it.qty.abs();
        let side = if is_long { Side::Sell } else { Side::Buy };
        let at_bankruptcy = self.market.unit_value_at_bankruptcy(it, &sums);
        let price = self.market.price_toward_mark(is_long, at_bankruptcy, 1);
        // Where a short never goes bankrupt, v is clamped to one satoshi.
        let unit_value = at_bankruptcy.unwrap_or(1);
        let margin_before = self.market.position_margin(it).margin;
        let fee_asked = self.market.fee(self.market.taker_rate(it), self.market.units(qty) * unit_value);
        let (number, slot) = (self.numbered + 1, self.free_lot_slot());
        let lot = Lot { number, slot, qty: it.qty, unit_value, is_new: true, is_listed: false };
        self.numbered += 1;

        let contracts_per_unit = i128::from(self.market.spec.value_unit);
        let it = &mut self.accounts[account as usize];
        let loss = it.trade(side, Traded { qty, contracts_per_unit, unit_value, premium: 0 });
        let wallet_left = it.wallet - loss;
        let left = if it.is_cross() { wallet_left } else { wallet_left.min(margin_before - loss) };
        let fee = fee_asked.min(left).max(0);
        it.pay(loss, fee);
        it.due = None;
        self.fees += fee;
        self.touch_wallet(account);
        self.touch_position(account);

        let taker = Party { account, number: 0, slot: 0, leaves: 0, fee };
        let maker = Party { account: AccountId::LIQUIDATION.0, number: lot.number, slot: lot.slot, leaves: 0, fee: 0 };
        self.say_fill(FillCause::Takeover, side, taker, maker, price.0, qty, unit_value);
        self.say_step_of_lot(LiquidationStep::TakenOver, &lot);
        self.lots.push(lot);
    }

    /// A new lot's turn: it is new no more.
    pub(super) fn begin_netting(&mut self, number: u64) {
        for lot in self.lots.iter_mut().filter(|lot| lot.number == number) {
            lot.is_new = false;
        }
        self.process = self.net_step(number, 0);
    }

    /// The next opposite lot by age is looked at: where the two orders would trade, both lots shrink outside the
    /// book. After the last one the lot goes to the book. (Rule LIQ-10)
    pub(super) fn net_step(&mut self, number: u64, after: u64) -> Option<Process> {
        let lot = self.held_lot(number);
        let is_opposite = |it: &&Lot| (it.qty > 0) != (lot.qty > 0);
        let next = self.lots.iter().filter(is_opposite).filter(|it| it.number > after).min_by_key(|it| it.number);
        let Some(other) = next.cloned() else { return self.close_out_step(number) };
        let (long, short) = if lot.qty > 0 { (&lot, &other) } else { (&other, &lot) };
        if let (Some(ask), Some(bid)) = (self.close_out_tick(long), self.close_out_tick(short))
            && ask <= bid
        {
            let qty = lot.qty.abs().min(other.qty.abs());
            let gain = self.market.units(qty) * (long.unit_value - short.unit_value);
            for it in [&lot, &other] {
                self.shrink_lot(it, qty);
            }
            self.liquidation_realised -= gain;
            self.change_fund(InsuranceCause::Netting, AccountId::LIQUIDATION.0, gain);
        }
        self.lot(number).map(|_| Process::Net { lot: number, after: other.number })
    }

    /// Takes contracts off a lot and off its order, and says what is left.
    fn shrink_lot(&mut self, lot: &Lot, qty: i128) {
        let left = Lot { qty: lot.qty - lot.qty.signum() * qty, ..lot.clone() };
        self.lots.iter_mut().filter(|it| it.number == lot.number).for_each(|it| *it = left.clone());
        self.lots.retain(|it| it.qty != 0);
        self.orders.iter_mut().filter(|order| order.number == lot.number).for_each(|order| order.leaves -= qty);
        self.orders.retain(|order| order.leaves != 0);
        self.say_what_is_left(LiquidationStep::Netted, lot, left.qty);
    }

    /// The lowest slot behind the orders' that no lot has.
    fn free_lot_slot(&self) -> u32 {
        let first = self.capacity.orders;
        (first..).find(|slot| self.lots.iter().all(|lot| lot.slot != *slot)).expect("a lot is free")
    }

    /// The tick next to U·1e8/v on the mark's side, so that no fill can lose; `None` where it lies off the
    /// price scale and the nearest price on it would lose. (Rule LIQ-9)
    pub(super) fn close_out_tick(&self, lot: &Lot) -> Option<u32> {
        let step = lot.unit_value * self.market.tick_size();
        let highest = i128::from(self.market.highest_tick());
        let tick = if lot.qty > 0 {
            ceil(self.market.numerator(), step).max(1)
        } else {
            floor(self.market.numerator(), step).min(highest)
        };
        (1..=highest).contains(&tick).then(|| u32::try_from(tick).expect("LIQ-9: a tick in range"))
    }

    /// The best opposite order, where it lies at the lot's close-out tick or better.
    pub(super) fn meets(&self, lot: &Lot) -> Option<&Order> {
        let side = lot.closing_side();
        let tick = self.close_out_tick(lot)?;
        self.best(opposite(side)).filter(|order| is_within(side, order.tick, tick))
    }

    /// One fill at the close-out tick or better; where there is none, the lot rests.
    pub(super) fn close_out_step(&mut self, number: u64) -> Option<Process> {
        let lot = self.held_lot(number);
        if let Some(order) = self.meets(&lot) {
            let (maker, qty) = (order.number, order.leaves.min(lot.qty.abs()));
            self.close_out(number, maker, qty, InsuranceCause::CloseOut);
            return self.lot(number).map(|_| Process::CloseOut(number));
        }
        self.rest_lot(number);
        self.say_step_of_lot(LiquidationStep::Resting, &lot);
        self.list_if_passed(number);
        None
    }

    /// The lot's order comes to rest, behind what rests at its price. A lot whose price lies off the scale
    /// has no order.
    pub(super) fn rest_lot(&mut self, number: u64) {
        let lot = self.held_lot(number);
        let Some(tick) = self.close_out_tick(&lot) else { return };
        self.orders.push(Order {
            number,
            slot: lot.slot,
            account: AccountId::LIQUIDATION.0,
            side: lot.closing_side(),
            tick,
            leaves: lot.qty.abs(),
            cum: 0,
            cl_ord_id: contract::cl_ord_id::ClOrdId::NONE,
            premium: 0,
            is_post_only: false,
            is_reduce_only: false,
        });
    }

    /// Every lot that rests and that the mark has passed is listed.
    pub(super) fn list_passed_lots(&mut self) {
        let held = self.process.and_then(Process::lot);
        let rests = |lot: &&Lot| !lot.is_new && Some(lot.number) != held;
        let numbers: Vec<u64> = self.lots.iter().filter(rests).map(|lot| lot.number).collect();
        for number in numbers {
            self.list_if_passed(number);
        }
    }

    /// Is the mark strictly beyond U·1e8/v: below it for a long, above it for a short?
    fn list_if_passed(&mut self, number: u64) {
        let (mark, numerator) = (self.market.mark(), self.market.numerator());
        let lot = self.lots.iter_mut().find(|lot| lot.number == number).expect("the lot is there");
        let at_mark = mark * lot.unit_value;
        if if lot.qty > 0 { at_mark < numerator } else { at_mark > numerator } {
            lot.is_listed = true;
        }
    }

    /// A listed lot's order leaves the book and the sweep begins.
    pub(super) fn begin_sweep(&mut self, number: u64) {
        self.say_step_of_lot(LiquidationStep::Sweep, &self.held_lot(number));
        if self.order(number).is_some() {
            self.remove(number);
        }
        for lot in self.lots.iter_mut().filter(|lot| lot.number == number) {
            lot.is_listed = false;
        }
        self.process = Some(Process::Sweep(number));
    }

    /// No further beyond the mark than the base maintenance margin. (Rule LIQ-7)
    fn is_near_mark(&self, lot: &Lot, tick: u32) -> bool {
        let beyond = self.market.mark() - self.market.price_of(tick);
        let beyond = if lot.qty > 0 { beyond } else { -beyond };
        let most = self.market.tier_maintenance(0).times(self.market.mark());
        beyond * most.bottom <= most.top
    }

    /// One fill with the best opposite order, as far as the fund reaches. (Rule LIQ-7)
    pub(super) fn sweep_step(&mut self, number: u64) -> Option<Process> {
        let lot = self.held_lot(number);
        let ranking = Process::Rank { lot: number };
        let best = self.best(opposite(lot.closing_side())).filter(|order| self.is_near_mark(&lot, order.tick));
        let Some(best) = best else { return Some(ranking) };
        let unit_value = self.market.unit_value(best.tick);
        let loss = if lot.qty > 0 { unit_value - lot.unit_value } else { lot.unit_value - unit_value };
        let mut units = self.market.units(best.leaves.min(lot.qty.abs()));
        if loss > 0 {
            units = units.min(floor(self.fund, loss));
        }
        if units == 0 {
            return Some(ranking);
        }
        let maker = best.number;
        let qty = units * i128::from(self.market.spec.value_unit);
        self.close_out(number, maker, qty, InsuranceCause::Sweep);
        self.lot(number).map(|_| Process::Sweep(number))
    }
}
