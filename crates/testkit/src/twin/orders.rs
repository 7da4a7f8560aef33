//! New orders and amends: admitted, reserved, then traded; what is left rests or goes.

use contract::codes::{AmendQty, CancelReason, ExecInst, OrdType, Side, TimeInForce};
use contract::command::{AMEND_LOSES_PLACE, Amend, NewOrder, Target};
use contract::event::{AMENDED_LOST_PLACE, Accepted, Amended, Fact, Restated};
use contract::reject::Reject;
use contract::units::Tick;
use contract::words::Coded;

use super::Twin;
use super::admit::{Refusal, require};
use super::book::Order;
use super::market::opposite;
use super::outbox::contracts;
use super::reserve::{Fate, Intent, Ticket};

impl Twin {
    pub(super) fn new_order(&mut self, account: u32, instrument: u16, new: &NewOrder) -> Result<(), Refusal> {
        let side = self.admit_new(account, instrument, new)?;
        let asked = i128::from(new.qty.0);
        let is_limit = new.ord_type.get() == Some(OrdType::Limit);
        let intent = Intent {
            account,
            side,
            qty: asked,
            limit: is_limit.then_some(new.price.0),
            tif: new.tif.get().expect("admitted: the time in force is known"),
            is_post_only: new.exec_inst.has(ExecInst::POST_ONLY),
            is_reduce_only: new.exec_inst.has(ExecInst::REDUCE_ONLY),
            replaces: None,
        };
        let ticket = self.reserve(&intent)?;
        self.admit_reducing(&intent)?;
        self.admit_capacity(account)?;
        let slot = self.take_slot().expect("admitted: a slot is free");

        // From here the order stands.
        let order = Order {
            number: self.next_number(),
            slot,
            account,
            side,
            tick: ticket.price,
            leaves: ticket.qty,
            cum: 0,
            cl_ord_id: new.cl_ord_id,
            premium: if is_limit { self.market.premium(side, ticket.price) } else { 0 },
            is_post_only: intent.is_post_only,
            is_reduce_only: intent.is_reduce_only,
        };
        let accepted = Accepted {
            exec_inst: new.exec_inst,
            price: Tick(ticket.price),
            cl_ord_id: new.cl_ord_id,
            stop: Tick(0),
            number: order.number,
            qty: new.qty,
            display: new.qty,
            link: 0,
            slot,
            peg_offset: 0,
            side: new.side,
            ord_type: new.ord_type,
            tif: new.tif,
            self_trade: new.self_trade,
            trigger: new.trigger,
            contingency: new.contingency,
            peg: new.peg,
        };
        self.say(Some(account), Fact::Accepted(accepted));
        if ticket.qty < asked {
            self.say_restated(&order, CancelReason::ReduceOnly);
        }
        self.work_order(order, &intent, &ticket);
        Ok(())
    }

    /// Reduce-only on the side that reduces; `detail` is the position. (Rule INST-2)
    fn admit_reducing(&self, intent: &Intent) -> Result<(), Refusal> {
        let account = &self.accounts[intent.account as usize];
        if intent.is_reduce_only && account.reducible(intent.side) == 0 {
            return Err(Refusal { reject: Reject::WouldNotReduce, detail: account.qty });
        }
        Ok(())
    }

    /// A free slot, and fewer open orders than the account may have. (Laws 2, 3)
    fn admit_capacity(&self, account: u32) -> Result<(), Refusal> {
        let most = self.market.spec.max_open_orders;
        let open = self.orders_of(account).count() as u64;
        require(most == 0 || open < most, Reject::CapacityReached)?;
        require(self.next_slot().is_some(), Reject::CapacityReached)
    }

    /// Kills, trades, rests or cancels an order that is not in the book. (Rules INST-1, TIF-1, OM-8)
    fn work_order(&mut self, mut order: Order, intent: &Intent, ticket: &Ticket) {
        match ticket.fate {
            Fate::WouldTrade => return self.say_gone(&order, CancelReason::PostOnly),
            Fate::CannotFill => return self.say_gone(&order, CancelReason::FillOrKill),
            Fate::Works => {}
        }
        self.trade_all(&mut order, &ticket.plan.pieces);
        if order.leaves == 0 {
            return self.give_back_slot(&order);
        }
        if ticket.plan.is_cut {
            return self.say_gone(&order, CancelReason::MaxFills);
        }
        match (intent.limit, intent.tif) {
            (Some(_), TimeInForce::GoodTillCancel) => {
                let account = order.account;
                self.orders.push(order);
                self.touch_wallet(account);
                self.shrink_reduce_only(account);
            }
            (None, _) if self.best(opposite(order.side)).is_some() => {
                self.say_gone(&order, CancelReason::MarketLimit);
            }
            _ => self.say_gone(&order, CancelReason::ImmediateOrCancel),
        }
    }

    /// An order that is not in the book goes.
    fn say_gone(&mut self, order: &Order, reason: CancelReason) {
        self.give_back_slot(order);
        self.say_canceled(order.account, order.number, order.slot, order.leaves, reason);
    }

    /// The engine changed an order's quantity; said with its new one.
    pub(super) fn say_restated(&mut self, order: &Order, reason: CancelReason) {
        let fact = Restated {
            reason: u16::from(reason.code()),
            slot: order.slot,
            number: order.number,
            qty: contracts(order.cum + order.leaves),
            leaves: contracts(order.leaves),
        };
        self.say(Some(order.account), Fact::Restated(fact));
    }

    pub(super) fn amend(&mut self, account: u32, instrument: u16, amend: &Amend) -> Result<(), Refusal> {
        let fields = &amend.fields;
        let target = self.find(account, amend.target).cloned();
        if let Some(same) = self.find_by_client(account, fields.new_cl_ord_id) {
            let is_itself = target.as_ref().is_some_and(|target| target.number == same.number);
            require(is_itself, Reject::DuplicateClOrdId)?;
        }
        let is_by_id = matches!(amend.target, Target::OrderId(_));
        require(!is_by_id || target.is_some(), Reject::InvalidOrderId)?;
        self.admit_symbol(instrument)?;
        require(self.market.mark.is_some(), Reject::NoMarkPrice)?;
        self.admit_account(account)?;
        self.admit_unsuspended(account)?;
        let old = target.ok_or(Refusal::from(Reject::InvalidOrigClOrdId))?;
        let leaves = self.admit_amended_qty(&old, fields.qty_kind.raw, i128::from(fields.qty.0))?;
        require(fields.stop.0 == 0, Reject::InvalidStopForOrdType)?;
        let is_known_qty = fields.qty_kind.raw == 0 || fields.qty_kind.get().is_some();
        require(is_known_qty && fields.flags & !AMEND_LOSES_PLACE == 0, Reject::InvalidCommand)?;
        let tick = if fields.price.0 == 0 { old.tick } else { fields.price.0 };
        self.admit_state(old.side, Some(tick))?;
        let cl_ord_id = if fields.new_cl_ord_id.is_none() { old.cl_ord_id } else { fields.new_cl_ord_id };
        let loses_place = fields.flags & AMEND_LOSES_PLACE != 0;
        let keeps_place = tick == old.tick && leaves <= old.leaves && !loses_place;
        if !keeps_place && leaves != 0 {
            let open = self.sums(account).of(old.side).qty - old.leaves + leaves;
            self.admit_while_stale(account, old.side, old.is_reduce_only, open)?;
        }
        require(fields.price.0 <= self.market.highest_tick(), Reject::PriceAboveLimitUp)?;
        let new = Order { tick, leaves, cl_ord_id, ..old.clone() };
        if leaves == 0 {
            self.admit_not_due(account)?;
            self.cancel(old.number, CancelReason::AmendedToFilled);
            Ok(())
        } else if keeps_place {
            self.admit_not_due(account)?;
            self.amend_in_place(new);
            Ok(())
        } else {
            self.amend_as_new(new)
        }
    }

    /// The open quantity that an amend asks for. (Rules AMEND-1, AMEND-2, LIMIT-1)
    fn admit_amended_qty(&self, old: &Order, kind: u8, qty: i128) -> Result<i128, Refusal> {
        let most = i128::from(self.market.spec.max_order_qty.0);
        let kind = AmendQty::from_code(kind);
        let leaves = match kind {
            Some(AmendQty::Total) => {
                let is_good = self.is_whole_lots(qty) && qty <= most && qty >= old.cum;
                require(is_good, Reject::InvalidOrderQty)?;
                qty - old.cum
            }
            Some(AmendQty::Leaves) => qty,
            Some(AmendQty::Reduce) => {
                require(qty > 0 && self.is_whole_lots(qty), Reject::InvalidOrderQty)?;
                (old.leaves - qty).max(0)
            }
            _ => old.leaves,
        };
        let rises = leaves - old.leaves;
        require(rises <= 0 || self.is_within_side_limit(old.account, old.side, rises), Reject::InvalidOrderQty)?;
        if kind == Some(AmendQty::Leaves) {
            require(self.is_whole_lots(qty) && old.cum + qty <= most, Reject::InvalidLeavesQty)?;
        }
        Ok(leaves)
    }

    /// Same price, no more open quantity: the place is kept, the premium too.
    fn amend_in_place(&mut self, new: Order) {
        let at = self.orders.iter().position(|order| order.number == new.number);
        self.orders[at.expect("the target is live")] = new.clone();
        self.touch_wallet(new.account);
        self.say_amended(&new, 0);
    }

    /// Old out, new in, one check; refused, the old one stands as it was. (Rule AMEND-2)
    fn amend_as_new(&mut self, new: Order) -> Result<(), Refusal> {
        let intent = Intent {
            account: new.account,
            side: new.side,
            qty: new.leaves,
            limit: Some(new.tick),
            tif: TimeInForce::GoodTillCancel,
            is_post_only: new.is_post_only,
            is_reduce_only: new.is_reduce_only,
            replaces: Some(new.number),
        };
        let ticket = self.reserve(&intent)?;
        self.remove(new.number);
        self.touch_wallet(new.account);
        self.say_amended(&new, AMENDED_LOST_PLACE);
        let premium = self.market.premium(new.side, new.tick);
        let order = Order { leaves: ticket.qty, premium, ..new };
        if ticket.qty < intent.qty {
            self.say_restated(&order, CancelReason::ReduceOnly);
        }
        self.work_order(order, &intent, &ticket);
        Ok(())
    }

    fn say_amended(&mut self, order: &Order, flags: u8) {
        let fact = Amended {
            price: Tick(order.tick),
            cl_ord_id: order.cl_ord_id,
            slot: order.slot,
            number: order.number,
            qty: contracts(order.cum + order.leaves),
            leaves: contracts(order.leaves),
            stop: Tick(0),
            flags,
        };
        self.say(Some(order.account), Fact::Amended(fact));
    }

    /// The account's resting reduce-only orders together never exceed what its position can reduce:
    /// cut, least aggressive first, at one price the newest first. (Rule INST-2)
    pub(super) fn shrink_reduce_only(&mut self, account: u32) {
        for side in [Side::Buy, Side::Sell] {
            let mut resting: Vec<Order> = self
                .side_by_priority(side)
                .into_iter()
                .filter(|order| order.account == account && order.is_reduce_only)
                .cloned()
                .collect();
            resting.reverse();
            let open: i128 = resting.iter().map(|order| order.leaves).sum();
            let mut excess = open - self.accounts[account as usize].reducible(side);
            for order in resting {
                if excess <= 0 {
                    break;
                }
                let off = excess.min(order.leaves);
                excess -= off;
                if off == order.leaves {
                    self.cancel(order.number, CancelReason::ReduceOnly);
                } else {
                    let at = self.orders.iter().position(|live| live.number == order.number);
                    let live = &mut self.orders[at.expect("the order rests")];
                    live.leaves -= off;
                    let live = live.clone();
                    self.touch_wallet(account);
                    self.say_restated(&live, CancelReason::ReduceOnly);
                }
            }
        }
    }
}
