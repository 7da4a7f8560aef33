//! Reserve: what would this order do to the very book it meets, and can its account bear it?
//!
//! In    a `Ticket`, and the account's resting orders without it.
//! Out   a `Plan`: what trades at once, what is counted for margin.
//! Laws  2  plan and match are one walk over the very levels; after this nothing can refuse, so nothing
//!          is undone. Only scratch positions are written here.

use contract::liquidation::{bearable, price_after_loss, tick_of};
use contract::margin::{Chargeable, OrderSums, SideSums, chargeable, order_margin, risk_usage};
use contract::math::{difference, signed, signed_sum, sum};
use contract::position::PositionState;
use contract::value::fee;
use contract::{Qty, Reject, Side, Tick, TimeInForce, Xbt};

use crate::account::{Account, DUE, NIL, WAITS_FOR_LOT, reducible};
use crate::admit::{Ticket, refuse_if};
use crate::book::{Book, POST_ONLY, REDUCE_ONLY};
use crate::engine::{Engine, Refusal};
use crate::market::Market;

/// What an order will do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Its open quantity after the cut of a reduce-only order.
    pub(crate) qty: u64,
    /// Contracts that trade at once.
    pub(crate) take: u64,
    /// `max_fills` orders are met and another would still trade.
    pub(crate) is_cut: bool,
    /// Post-only, and it would trade.
    pub(crate) would_initiate: bool,
    /// Value of one unit at its limit, and the premium there; 0 where nothing of it may rest.
    pub(crate) unit_value: u64,
    pub(crate) premium: u64,
    /// The price fixed on entry, for a market order. (Rule OM-8)
    pub(crate) fixed: Tick,
    /// Order margin with what is counted: the account's, where nothing trades. (Rule OM-7)
    pub(crate) order_margin: Xbt,
}

/// What trades in a plan, closing first.
#[derive(Clone, Copy, Debug, Default)]
struct Walked {
    closing: SideSums,
    opening: SideSums,
    /// Value of one unit at the last price of these.
    last_value: u64,
    is_cut: bool,
}

/// What an order would do to one account: margin, usage, safety. Orders enter by their sums.
impl Market {
    /// The order margin with an order that simply comes to rest, where the account plainly bears it; `None` says no
    /// more than that the long way must be taken. The order, which is `whole`, is in the account's sums already.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "an order in its parts: gathered, they would go through memory")]
    pub(crate) fn margin_if_borne(
        &self,
        book: &Book,
        account: &mut Account,
        side: Side,
        limit: Tick,
        unit_value: u64,
        whole: &SideSums,
        replaces: u32,
    ) -> Option<Xbt> {
        let charged = chargeable(&account.sums, account.position.qty);
        let order_margin = order_margin(&account.terms, charged);
        let required = order_margin - account.order_margin;
        if required > Xbt::ZERO {
            self.refresh_position_margin(account);
            if required > account.wallet - account.order_margin - account.position_margin {
                return None;
            }
        }
        let usage = risk_usage(&self.spec, &account.position, self.mark_value, charged);
        if usage > account.risk_limit || account.has(DUE | WAITS_FOR_LOT) {
            return None;
        }
        let reducible = account.reducible(side);
        if reducible != 0 && !self.is_this_side(account, limit) {
            return None;
        }
        // What is left once the position is closed opens from nothing: the line holds for that as well.
        let is_safe_anyway = account.terms.stays_safe && self.line.is_beyond(side, unit_value);
        if whole.qty.0 > reducible && !is_safe_anyway {
            let is_safe = if reducible == 0 {
                let position = self.opened(account, account.position, side, whole);
                if account.terms.is_cross && makes_orders_dearer(side, &account.sums, whole.qty) {
                    self.is_safe_with_others(account, side, whole.qty.0, unit_value)
                } else {
                    self.is_safe_at(account, &position, account.equity())
                }
            } else {
                self.is_safe_when_flipped_at(book, account, side, unit_value, whole.qty.0, replaces)
            };
            if !is_safe {
                return None;
            }
        }
        Some(order_margin)
    }

    /// Rule OM-9 with the margin that the account's other orders will hold; this one is in the account's sums already.
    #[inline(never)]
    fn is_safe_with_others(&self, account: &Account, side: Side, qty: u64, unit_value: u64) -> bool {
        let whole = self.sums(qty, unit_value, self.premium(side, unit_value));
        let mut resting = account.sums;
        resting.side_mut(side).take(whole);
        let position = self.opened(account, account.position, side, &whole);
        self.is_safe_with(account, &resting, position, account.wallet)
    }

    /// Rule OM-9 for an order at one price that closes the position and opens another; it is in the account's sums
    /// already.
    #[inline(never)]
    fn is_safe_when_flipped_at(
        &self,
        book: &Book,
        account: &Account,
        side: Side,
        unit_value: u64,
        qty: u64,
        replaces: u32,
    ) -> bool {
        let premium = self.premium(side, unit_value);
        let whole = self.sums(qty, unit_value, premium);
        let closing = self.sums(account.reducible(side), unit_value, premium);
        let (mut opening, mut resting) = (whole, account.sums);
        opening.take(closing);
        resting.side_mut(side).take(whole);
        self.is_safe_when_flipped(book, account, side, closing.cost, opening, &resting, 0, replaces)
    }

    /// Rules OM-7 and RISK-1: margin and usage with the counted quantity among the account's orders. Returns
    /// that margin. The margin of its position is up to date.
    #[inline(always)]
    fn check_margin(&self, account: &Account, charged: Chargeable) -> Result<Xbt, Refusal> {
        let margin = order_margin(&account.terms, charged);
        let required = margin - account.order_margin;
        if required > Xbt::ZERO {
            let available = account.wallet - account.order_margin - account.position_margin;
            if required > available {
                return Err((Reject::InsufficientBalance, required.0));
            }
        }
        let usage = risk_usage(&self.spec, &account.position, self.mark_value, charged);
        if usage > account.risk_limit {
            let before = chargeable(&account.sums, account.position.qty);
            if usage > risk_usage(&self.spec, &account.position, self.mark_value, before) {
                return Err((Reject::PositionRiskLimit, 0));
            }
        }
        Ok(margin)
    }

    /// CLOSE-1 and OM-9: no exit beyond the liquidation price, no entry that would be liquidated at once.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "an order in its parts: gathered, they would go through memory")]
    fn check_liquidation(
        &self,
        book: &Book,
        account: &Account,
        side: Side,
        limit: Tick,
        worth: u64,
        closing: &SideSums,
        opening: &SideSums,
        resting: &OrderSums,
        traded: u64,
        replaces: u32,
    ) -> Result<(), Refusal> {
        if Side::that_reduces(account.position.qty) == Some(side) {
            self.check_close_1(account, limit)?;
        }
        let is_safe = if opening.qty == Qty::ZERO {
            true
        } else if closing.qty == Qty::ZERO {
            self.is_safe_when_added(account, side, worth, opening, resting, traded)
        } else {
            self.is_safe_when_flipped(book, account, side, closing.cost, *opening, resting, traded, replaces)
        };
        refuse_if(!is_safe, Reject::ImmediateLiquidation)
    }

    /// Does a limit lie on this side of the mark, seen from the position's liquidation price? An account that is
    /// not due is strictly safe, so that price lies beyond the mark and the limit needs no closer look. (But for
    /// one that waits for a lot.)
    #[inline(always)]
    fn is_this_side(&self, account: &Account, limit: Tick) -> bool {
        let price = self.spec.tick_price(limit);
        if account.position.qty > 0 { price >= self.mark } else { price <= self.mark }
    }

    /// Rule CLOSE-1. The key of a position lies where it falls due, or nearer to the mark: a limit on this side of it
    /// needs no closer look either.
    #[inline(always)]
    fn check_close_1(&self, account: &Account, limit: Tick) -> Result<(), Refusal> {
        let is_near = self.is_this_side(account, limit) || account.is_this_side_of_key(limit);
        if is_near && !account.has(WAITS_FOR_LOT) {
            return Ok(());
        }
        let price = self.spec.tick_price(limit);
        let is_long = account.position.qty > 0;
        let w = bearable(&account.terms, &account.position, account.equity()).until_liquidation;
        let liquidation_price = price_after_loss(&self.spec, &account.position, w, self.spec.tick_size);
        match is_long {
            true if price < liquidation_price => Err((Reject::BelowLiquidationPrice, 0)),
            false if price > liquidation_price => Err((Reject::AboveLiquidationPrice, 0)),
            _ => Ok(()),
        }
    }

    /// Rule OM-9 for an order that only adds to the position, at the unit value `worth` or a better one.
    #[inline(always)]
    fn is_safe_when_added(
        &self,
        account: &Account,
        side: Side,
        worth: u64,
        opening: &SideSums,
        resting: &OrderSums,
        traded: u64,
    ) -> bool {
        // An account that is not due is strictly safe, as above.
        if account.terms.stays_safe && !account.has(WAITS_FOR_LOT) && self.line.is_beyond(side, worth) {
            return true;
        }
        let position = self.opened(account, account.position, side, opening);
        if !account.terms.is_cross {
            return self.is_safe_at(account, &position, 0);
        }
        let wallet = account.wallet - self.taker_fee(account, traded);
        let is_dearer = makes_orders_dearer(side, resting, Qty::ZERO);
        (!is_dearer && self.is_safe_at(account, &position, (wallet - account.order_margin).0))
            || self.is_safe_with(account, resting, position, wallet)
    }

    /// Rule OM-9 for an order that closes the position and opens another.
    #[inline(never)]
    #[expect(clippy::too_many_arguments, reason = "as above")]
    fn is_safe_when_flipped(
        &self,
        book: &Book,
        account: &Account,
        side: Side,
        closed: u64,
        opening: SideSums,
        resting: &OrderSums,
        traded: u64,
        replaces: u32,
    ) -> bool {
        let closing_cost = Xbt(-side.sign() * signed(closed));
        let wallet = account.wallet - self.taker_fee(account, traded) - closing_cost - account.position.cost;
        let position = self.opened(account, PositionState::default(), side, &opening);
        let mut sums = *resting;
        self.without_reduce_only(book, account, replaces, sums.side_mut(side));
        self.is_safe_with(account, &sums, position, wallet)
    }

    /// Takes an account's reduce-only orders out of the sums of their side, but for one that is not in them.
    fn without_reduce_only(&self, book: &Book, account: &Account, but: u32, sums: &mut SideSums) {
        let mut at = account.reduce_first;
        while at != NIL {
            let cold = book.cold(at);
            if at != but {
                sums.take(self.sums(book.resting(at).leaves, cold.unit_value, cold.premium));
            }
            at = book.rare(at).reduce_further;
        }
    }

    /// A position with this much opened on a side, its premium in posCross. (Rules COST-1, MARGIN-2)
    #[inline(always)]
    fn opened(&self, account: &Account, mut position: PositionState, side: Side, opening: &SideSums) -> PositionState {
        let sign = side.sign();
        position.qty = signed_sum(position.qty, sign * signed(opening.qty.0));
        position.cost -= Xbt(sign * signed(opening.cost));
        if account.pays_premium() {
            position.cross += Xbt(signed(opening.premium));
        }
        position
    }

    /// One taker fee on a whole value.
    #[inline(always)]
    fn taker_fee(&self, account: &Account, value: u64) -> Xbt {
        if value == 0 {
            return Xbt::ZERO;
        }
        fee(self.spec.fee_rounding, self.fees(account).taker, Xbt(signed(value)))
    }
}

/// May an order of this side that only adds to the position make the resting orders dearer? Where it does not, who is
/// safe with the margin that they hold now is safe with what they will hold. Buys are charged first: what sells add to a
/// short takes buys out of the charge, and sells that were behind them, maybe dearer, come into it. `own` of the sells
/// are the order's. (Rules OM-3, OM-9)
#[inline(always)]
fn makes_orders_dearer(side: Side, sums: &OrderSums, own: Qty) -> bool {
    side == Side::Sell && sums.buy.qty != Qty::ZERO && sums.sell.qty != own
}

/// The price limits of a walk: the first contracts have their own. (Rule OM-8)
#[derive(Clone, Copy, Debug)]
struct Limits {
    first_qty: u64,
    first: Tick,
    then: Tick,
}

impl Limits {
    /// How many of `qty` contracts may have traded once this tick is through, `done` having traded before it.
    #[inline(always)]
    fn admits(&self, side: Side, tick: Tick, done: u64, qty: u64) -> u64 {
        let within = |limit| !is_less_aggressive(side, limit, tick);
        match (done >= self.first_qty || within(self.first), within(self.then)) {
            (true, true) => qty,
            (true, false) => qty.min(self.first_qty),
            (false, _) => 0,
        }
    }
}

/// What a plain order is at its limit, and the order margin with it among the account's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Borne {
    pub(crate) unit_value: u64,
    pub(crate) premium: u64,
    pub(crate) order_margin: Xbt,
}

impl Engine {
    /// Puts an order that simply comes to rest where it meets nothing among its account's sums, where that plainly
    /// bears it. `None` says no more than that the long way must be taken: the sums are as they were.
    #[inline(always)]
    pub(crate) fn bear_at_rest(&mut self, ticket: &Ticket) -> Option<Borne> {
        let Ticket { side, limit, qty, replaces, .. } = *ticket;
        if !ticket.rests() || self.book.crosses(side, limit) {
            return None;
        }
        let Engine { market, book, accounts, .. } = self;
        let (unit_value, premium) = market.value_and_premium(side, limit);
        let whole = market.sums(qty, unit_value, premium);
        let account = &mut accounts[ticket.account as usize];
        account.sums.side_mut(side).add(whole);
        let Some(order_margin) = market.margin_if_borne(book, account, side, limit, unit_value, &whole, replaces)
        else {
            account.sums.side_mut(side).take(whole);
            return None;
        };
        Some(Borne { unit_value, premium, order_margin })
    }

    /// What a new order would do, or why its account cannot bear it.
    #[inline(always)]
    pub(crate) fn reserve(&mut self, ticket: &Ticket) -> Result<Plan, Refusal> {
        let resting = self.accounts[ticket.account as usize].sums;
        let Some(Borne { unit_value, premium, order_margin }) = self.bear_at_rest(ticket) else {
            return self.reserve_any(ticket, &resting);
        };
        self.accounts[ticket.account as usize].sums = resting;
        Ok(Plan {
            qty: ticket.qty,
            take: 0,
            is_cut: false,
            would_initiate: false,
            unit_value,
            premium,
            fixed: ticket.limit,
            order_margin,
        })
    }

    /// What any order would do, or why its account cannot bear it. `resting` are the sums of the account's orders
    /// without the one that is being amended.
    #[inline(always)]
    pub(crate) fn reserve_any(&mut self, ticket: &Ticket, resting: &OrderSums) -> Result<Plan, Refusal> {
        let number = ticket.account as usize;
        let reducible_qty = self.accounts[number].reducible(ticket.side);
        let is_reduce_only = ticket.is(REDUCE_ONLY);
        let qty = if is_reduce_only { ticket.qty.min(reducible_qty) } else { ticket.qty };

        let (limits, fixed) = if ticket.is_market {
            self.market_limits(ticket, qty, reducible_qty, resting)
        } else {
            (Limits { first_qty: 0, first: ticket.limit, then: ticket.limit }, ticket.limit)
        };
        let crosses = self.book.crosses(ticket.side, ticket.limit);
        let would_initiate = crosses && ticket.is(POST_ONLY);
        let mut counted = Walked::default();
        if crosses && !would_initiate && qty != 0 {
            counted = self.walk(ticket, qty, reducible_qty, limits);
        }
        let mut whole = counted.closing;
        whole.add(counted.opening);
        let mut take = whole.qty.0;
        if ticket.tif == TimeInForce::FillOrKill && take != qty {
            (counted, whole, take) = (Walked::default(), SideSums::default(), 0);
        }
        let traded = whole.cost;

        // What margin is asked for: what trades, and what will rest.
        let rests = ticket.tif == TimeInForce::GoodTillCancel && !counted.is_cut && !would_initiate;
        let (mut at_limit, mut premium, mut rest_qty) = (0, 0, 0);
        if rests {
            (at_limit, premium) = self.market.value_and_premium(ticket.side, ticket.limit);
            rest_qty = difference(qty, take);
            let closing_rest = rest_qty.min(difference(reducible_qty, counted.closing.qty.0));
            counted.closing.add(self.market.sums(closing_rest, at_limit, premium));
            counted.opening.add(self.market.sums(rest_qty - closing_rest, at_limit, premium));
            whole.add(self.market.sums(rest_qty, at_limit, premium));
        }

        let mut after = *resting;
        after.side_mut(ticket.side).add(whole);
        if is_reduce_only && reducible_qty != 0 {
            self.take_off_excess(ticket, take, rest_qty, at_limit, premium, after.side_mut(ticket.side));
        }
        let account = &mut self.accounts[number];
        self.market.refresh_position_margin(account);
        let order_margin = self.market.check_margin(account, chargeable(&after, account.position.qty))?;
        refuse_if(account.has(DUE), Reject::InLiquidation)?;
        if !ticket.is_market {
            let (side, limit, replaces) = (ticket.side, ticket.limit, ticket.replaces);
            let Walked { closing, opening, last_value, .. } = &counted;
            let worth = if rests { at_limit } else { *last_value };
            self.market.check_liquidation(
                &self.book, account, side, limit, worth, closing, opening, resting, traded, replaces,
            )?;
        }
        if is_reduce_only && reducible_qty == 0 {
            return Err((Reject::WouldNotReduce, self.accounts[number].position.qty));
        }
        Ok(Plan {
            qty,
            take,
            is_cut: counted.is_cut,
            would_initiate,
            unit_value: at_limit,
            premium,
            fixed,
            order_margin,
        })
    }

    /// Rule INST-2 ahead of time: what the cut of reduce-only orders, the new one's rest among them, will
    /// take off the sums of their side.
    fn take_off_excess(
        &self,
        ticket: &Ticket,
        taken: u64,
        mut rest_qty: u64,
        at_limit: u64,
        premium: u64,
        sums: &mut SideSums,
    ) {
        let account = &self.accounts[ticket.account as usize];
        let may_stay = account.reducible(ticket.side).saturating_sub(taken);
        let replaced = if ticket.replaces == NIL { 0 } else { self.book.resting(ticket.replaces).leaves };
        let mut excess = sum(difference(account.reduce_qty.0, replaced), rest_qty).saturating_sub(may_stay);
        let mut at = account.reduce_last;
        while excess != 0 {
            if at != NIL && at == ticket.replaces {
                at = self.book.rare(at).reduce_closer;
            }
            // The new order is the newest, so at its own price it goes before the others.
            let order = (at != NIL).then(|| self.book.resting(at));
            let is_new_next =
                rest_qty != 0 && order.is_none_or(|order| !is_less_aggressive(ticket.side, order.tick, ticket.limit));
            let cut = if is_new_next {
                let qty = rest_qty.min(excess);
                rest_qty = 0;
                self.market.sums(qty, at_limit, premium)
            } else {
                let order = order.expect("INST-2: what is in excess is at rest or arriving");
                at = self.book.rare(order.slot).reduce_closer;
                self.sums_of(&order, order.leaves.min(excess))
            };
            sums.take(cut);
            excess = difference(excess, cut.qty.0);
        }
    }

    /// Walks the opposite side as the order would trade. (Rules BOOK-1, OM-6)
    #[inline(always)]
    fn walk(&mut self, ticket: &Ticket, qty: u64, reducible_qty: u64, limits: Limits) -> Walked {
        let maker_side = ticket.side.opposite();
        let watches_positions = self.book.reduce_only_count(maker_side) != 0;
        self.plan_epoch += u64::from(watches_positions);
        let (mut walked, mut done, mut fills) = (Walked::default(), 0, 0);
        let mut level = self.book.best(maker_side);
        while let Some(tick) = level {
            let admitted = limits.admits(ticket.side, tick, done, qty);
            if admitted <= done {
                return walked;
            }
            let mut at = self.book.front(tick);
            while let Some(slot) = at {
                at = self.book.behind(slot);
                let maker = self.book.resting(slot);
                let mut leaves = maker.leaves;
                if maker.is(REDUCE_ONLY) {
                    leaves = leaves.min(reducible(self.scratch_position(maker.account), maker_side));
                }
                if leaves == 0 {
                    continue;
                }
                if admitted <= done {
                    return walked;
                }
                if fills == self.market.spec.max_fills {
                    walked.is_cut = true;
                    return walked;
                }
                let q = leaves.min(admitted - done);
                let worth = self.book.cold(slot).unit_value;
                let premium = self.market.premium(ticket.side, worth);
                walked.last_value = worth;
                let closing = q.min(difference(reducible_qty, walked.closing.qty.0));
                for (qty, sums) in [(closing, &mut walked.closing), (q - closing, &mut walked.opening)] {
                    if qty != 0 {
                        sums.add(self.market.sums(qty, worth, premium));
                    }
                }
                if watches_positions {
                    self.move_scratch(ticket.account, ticket.side.sign() * signed(q));
                    self.move_scratch(maker.account, -ticket.side.sign() * signed(q));
                }
                done = sum(done, q);
                fills += 1;
                if done == qty {
                    return walked;
                }
            }
            level = self.book.worse(maker_side, tick);
        }
        walked
    }

    /// How much of a limit order trades at once.
    pub(crate) fn would_take(&mut self, ticket: &Ticket) -> u64 {
        if !self.book.crosses(ticket.side, ticket.limit) {
            return 0;
        }
        let reducible = self.accounts[ticket.account as usize].reducible(ticket.side);
        let limits = Limits { first_qty: 0, first: ticket.limit, then: ticket.limit };
        let walked = self.walk(ticket, ticket.qty, reducible, limits);
        (walked.closing.qty + walked.opening.qty).0
    }

    fn scratch_position(&self, number: u32) -> i64 {
        match self.scratch[number as usize] {
            (plan, position) if plan == self.plan_epoch => position,
            _ => self.accounts[number as usize].position.qty,
        }
    }

    fn move_scratch(&mut self, number: u32, by: i64) {
        let position = signed_sum(self.scratch_position(number), by);
        self.scratch[number as usize] = (self.plan_epoch, position);
    }

    /// The price limits of a market order, and the price fixed on entry. (Rules OM-8, CLOSE-1)
    fn market_limits(&self, ticket: &Ticket, qty: u64, reducible_qty: u64, resting: &OrderSums) -> (Limits, Tick) {
        let account = &self.accounts[ticket.account as usize];
        let closing = qty.min(reducible_qty);
        let opening = qty - closing;
        let first = if closing == 0 {
            ticket.limit
        } else {
            let w = bearable(&account.terms, &account.position, account.equity()).until_bankruptcy;
            tick_of(
                &self.market.spec,
                price_after_loss(&self.market.spec, &account.position, w, self.market.spec.tick_size),
            )
        };
        if opening == 0 {
            return (Limits { first_qty: closing, first, then: first }, if qty == 0 { Tick(0) } else { first });
        }
        let position = if closing == 0 { account.position } else { PositionState::default() };
        let then = self.last_safe_tick(account, ticket.side, opening, resting, &position);
        let takes_nothing = then.0 == 0 || then > self.market.max_tick;
        (Limits { first_qty: closing, first, then }, if takes_nothing { Tick(0) } else { then })
    }

    /// The last tick at which opening `qty` is not liquidated at once, by bisection; 0 or one above the
    /// highest where there is none. (Rules OM-8, OM-9)
    fn last_safe_tick(
        &self,
        account: &Account,
        side: Side,
        qty: u64,
        sums: &OrderSums,
        position: &PositionState,
    ) -> Tick {
        let holds = |tick: u32| {
            let worth = self.market.worth(Tick(tick));
            let opening = self.market.sums(qty, worth, self.market.premium(side, worth));
            let after = self.market.opened(account, *position, side, &opening);
            let wallet = account.wallet - self.market.taker_fee(account, opening.cost);
            self.market.is_safe_with(account, sums, after, wallet)
        };
        let highest = self.market.max_tick.0;
        match side {
            Side::Buy if holds(highest) => Tick(highest),
            Side::Buy => {
                let (mut low, mut high) = (0, highest);
                while high - low > 1 {
                    let middle = (low + high) / 2;
                    if holds(middle) { low = middle } else { high = middle }
                }
                Tick(low)
            }
            Side::Sell if holds(1) => Tick(1),
            Side::Sell => {
                let (mut low, mut high) = (1, highest + 1);
                while high - low > 1 {
                    let middle = (low + high) / 2;
                    if holds(middle) { high = middle } else { low = middle }
                }
                Tick(high)
            }
        }
    }
}

/// Is `tick` further from the market than `than`, for orders of this side?
#[inline(always)]
pub(crate) fn is_less_aggressive(side: Side, tick: Tick, than: Tick) -> bool {
    match side {
        Side::Buy => tick < than,
        Side::Sell => tick > than,
    }
}
