//! Admission: is the order well formed, and does it mean something here?
//!
//! In    a `New` or an `Amend` as it came from outside.
//! Out   a `Ticket`: the order in the engine's own terms.
//! Laws  2  nothing is changed here; the first reason of rule REJECT-1 is the answer.

use contract::{
    Amend, AmendFields, AmendQty, ClOrdId, Command, ExecInst, NewOrder, OrdType, Qty, Reject, Side, Target, Tick,
    TimeInForce,
};

use crate::account::{Account, NIL, SUSPENDED};
use crate::book::{POST_ONLY, REDUCE_ONLY, Resting};
use crate::engine::{Engine, Refusal};

/// An order in the engine's own terms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    pub(crate) account: u32,
    pub(crate) side: Side,
    /// Its limit; for a market order the last tick.
    pub(crate) limit: Tick,
    /// Open contracts asked for.
    pub(crate) qty: u64,
    pub(crate) tif: TimeInForce,
    pub(crate) is_market: bool,
    /// `REDUCE_ONLY`, `POST_ONLY`.
    pub(crate) flags: u32,
    /// The slot of the order it takes the place of, for an amend.
    pub(crate) replaces: u32,
}

impl Ticket {
    #[inline(always)]
    pub(crate) fn is(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// Does it simply come to rest where it meets nothing?
    #[inline(always)]
    pub(crate) fn rests(&self) -> bool {
        self.tif == TimeInForce::GoodTillCancel && !self.is(REDUCE_ONLY)
    }
}

#[inline(always)]
pub(crate) fn refuse_if(condition: bool, reject: Reject) -> Result<(), Refusal> {
    if condition { Err((reject, 0)) } else { Ok(()) }
}

impl Engine {
    /// The account's live order of this name.
    #[inline(always)]
    pub(crate) fn named(&self, account: u32, name: &ClOrdId) -> Option<u32> {
        self.named_with(self.names.tag(account, name), account, name)
    }

    /// The same where the name's tag is known.
    #[inline(always)]
    pub(crate) fn named_with(&self, tag: u32, account: u32, name: &ClOrdId) -> Option<u32> {
        self.book.named(&self.names, tag, account, name)
    }

    /// The checks of a new order that come before its type: its name, which has this tag, account, side, quantity.
    #[inline(always)]
    pub(crate) fn admit_new(&self, command: &Command, tag: u32) -> Result<(u32, Side), Refusal> {
        let order = NewOrder::read(command.words());
        if !order.cl_ord_id.is_none() {
            refuse_if(!order.cl_ord_id.is_valid(), Reject::InvalidClOrdId)?;
            let other = self.named_with(tag, command.account().0, &order.cl_ord_id);
            refuse_if(other.is_some(), Reject::DuplicateClOrdId)?;
        }
        Engine::check_symbol(command)?;
        refuse_if(self.market.mark_value == 0, Reject::NoMarkPrice)?;
        let number = self.trader(command.account())?;
        let account = &self.accounts[number as usize];
        refuse_if(account.has(SUSPENDED), Reject::AccountSuspended)?;
        let side = order.side.get().ok_or((Reject::InvalidSide, 0))?;
        let qty = order.qty.0;
        refuse_if(
            qty == 0 || qty > self.market.spec.max_order_qty.0 || !self.market.is_whole_lots(qty),
            Reject::InvalidOrderQty,
        )?;
        refuse_if(self.market.exceeds_limit_1(account, side, qty), Reject::InvalidOrderQty)?;
        Ok((number, side))
    }

    /// The checks that follow: type, price, options, time in force.
    #[inline(always)]
    pub(crate) fn admit_terms(&self, account: u32, side: Side, command: &Command) -> Result<Ticket, Refusal> {
        let order = &NewOrder::read(command.words());
        let ord_type = order.ord_type.get();
        let is_market = ord_type == Some(OrdType::Market);
        let is_limit = ord_type == Some(OrdType::Limit);
        let has_price = order.price.0 != 0;
        refuse_if((is_market && has_price) || (is_limit && !has_price), Reject::InvalidPrice)?;
        refuse_if(order.flags != 0 || order.display != Qty::ZERO, Reject::InvalidDisplayQty)?;
        refuse_if(!is_market && !is_limit, Reject::UnsupportedOrdType)?;
        refuse_if(order.peg.raw != 0, Reject::InvalidPegPriceType)?;
        refuse_if(order.peg_offset != 0, Reject::InvalidPegOffset)?;
        refuse_if(order.stop.0 != 0 || order.trigger.raw != 0, Reject::InvalidStopForOrdType)?;
        let tif = match order.tif.get() {
            None | Some(TimeInForce::Day) => return Err((Reject::UnsupportedTimeInForce, 0)),
            Some(TimeInForce::GoodTillCancel) if is_market => TimeInForce::ImmediateOrCancel,
            Some(tif) => tif,
        };
        let inst = order.exec_inst;
        let known = ExecInst::POST_ONLY.with(ExecInst::REDUCE_ONLY);
        refuse_if(!known.has(inst) || order.self_trade.raw != 0, Reject::InvalidExecInst)?;
        let is_post_only = inst.has(ExecInst::POST_ONLY);
        refuse_if(is_post_only && tif != TimeInForce::GoodTillCancel, Reject::InvalidOrdTypeForExecInst)?;
        refuse_if(order.link != 0 || order.contingency.raw != 0, Reject::InvalidLinkForContingency)?;
        self.check_open(side, order.price, tif, is_market)?;
        let mut flags = if is_post_only { POST_ONLY } else { 0 };
        if inst.has(ExecInst::REDUCE_ONLY) {
            flags |= REDUCE_ONLY;
        }
        let limit = match (is_market, side) {
            (false, _) => order.price,
            (true, Side::Buy) => self.market.max_tick,
            (true, Side::Sell) => Tick(1),
        };
        let ticket = Ticket { account, side, limit, qty: order.qty.0, tif, is_market, flags, replaces: NIL };
        let owner = &self.accounts[account as usize];
        self.check_stale(owner, &ticket, owner.sums.side(side).qty.0)?;
        refuse_if(order.price > self.market.max_tick, Reject::PriceAboveLimitUp)?;
        Ok(ticket)
    }

    /// May the order in a slot, if there is one, be called what its amend says?
    #[inline(never)]
    fn check_rename(&self, command: &Command, slot: Option<u32>) -> Result<(), Refusal> {
        let name = &AmendFields::read(command.words()).new_cl_ord_id;
        refuse_if(!name.is_valid(), Reject::InvalidClOrdId)?;
        let other = self.named(command.account().0, name).filter(|&other| slot != Some(other));
        refuse_if(other.is_some(), Reject::DuplicateClOrdId)
    }

    /// The checks of an amend up to the price: the order, whose name has this tag where it is asked for by name, what it
    /// becomes, and whether it keeps its place.
    #[inline(always)]
    pub(crate) fn admit_amend(&self, command: &Command, tag: u32) -> Result<(Resting, Ticket, bool), Refusal> {
        let Amend { target, fields } = &Amend::read(command.words());
        let found = match target {
            Target::OrderId(id) => self.book.find(*id, command.account().0),
            Target::ClOrdId(name) => self.named_with(tag, command.account().0, name),
        };
        if !fields.new_cl_ord_id.is_none() {
            self.check_rename(command, found)?;
        }
        refuse_if(found.is_none() && matches!(target, Target::OrderId(_)), Reject::InvalidOrderId)?;
        Engine::check_symbol(command)?;
        refuse_if(self.market.mark_value == 0, Reject::NoMarkPrice)?;
        let number = self.trader(command.account())?;
        let account = &self.accounts[number as usize];
        refuse_if(account.has(SUSPENDED), Reject::AccountSuspended)?;
        let order = self.book.resting(found.ok_or((Reject::InvalidOrigClOrdId, 0))?);
        let leaves = self.amended_leaves(account, &order, fields)?;
        refuse_if(fields.stop.0 != 0, Reject::InvalidStopForOrdType)?;
        let known = fields.qty_kind.raw == 0 || fields.qty_kind.get().is_some();
        refuse_if(!known || fields.flags & !contract::command::AMEND_LOSES_PLACE != 0, Reject::InvalidCommand)?;
        let limit = if fields.price.0 == 0 { order.tick } else { fields.price };
        self.check_open(order.side(), limit, TimeInForce::GoodTillCancel, false)?;
        let keeps_place = limit == order.tick && leaves <= order.leaves && fields.flags == 0;
        let ticket = Ticket {
            account: number,
            side: order.side(),
            limit,
            qty: leaves,
            tif: TimeInForce::GoodTillCancel,
            is_market: false,
            flags: order.flags & (POST_ONLY | REDUCE_ONLY),
            replaces: order.slot,
        };
        if !keeps_place && leaves != 0 {
            let others = account.sums.side(order.side()).qty.0 - order.leaves;
            self.check_stale(account, &ticket, others)?;
        }
        refuse_if(limit > self.market.max_tick, Reject::PriceAboveLimitUp)?;
        Ok((order, ticket, keeps_place))
    }

    /// The open quantity an amend asks for. (Rules AMEND-1, AMEND-2)
    #[inline(always)]
    fn amended_leaves(&self, account: &Account, order: &Resting, fields: &AmendFields) -> Result<u64, Refusal> {
        let (cum, qty, max) = (self.book.cum(order.slot), fields.qty.0, self.market.spec.max_order_qty.0);
        let leaves = match fields.qty_kind.get() {
            None => return Ok(order.leaves),
            Some(AmendQty::Total) => {
                refuse_if(!self.market.is_whole_lots(qty) || qty > max || qty < cum, Reject::InvalidOrderQty)?;
                qty - cum
            }
            Some(AmendQty::Reduce) => {
                refuse_if(!self.market.is_whole_lots(qty) || qty == 0, Reject::InvalidOrderQty)?;
                order.leaves.saturating_sub(qty)
            }
            Some(_) => qty,
        };
        if leaves > order.leaves {
            let more = (leaves - order.leaves).min(1 << 61);
            refuse_if(self.market.exceeds_limit_1(account, order.side(), more), Reject::InvalidOrderQty)?;
        }
        if fields.qty_kind.get() == Some(AmendQty::Leaves) {
            refuse_if(!self.market.is_whole_lots(qty) || qty > max || cum + qty > max, Reject::InvalidLeavesQty)?;
        }
        Ok(leaves)
    }
}
