//! Admission: session, record, and what needs no arithmetic of margin; then the command is acted on.

use contract::cl_ord_id::ClOrdId;
use contract::codes::{CancelReason, Side};
use contract::command::{Action, Cancel, Command, NewOrder, Target};
use contract::reject::Reject;
use contract::units::OrderId;
use contract::words::{Code, Coded};

use super::Twin;
use super::agenda::CancelAllTask;
use super::book::Order;

/// CancelAlls that may wait.
const CANCEL_ALLS: usize = 1_024;

/// Why a command is refused, and the number its text needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Refusal {
    pub reject: Reject,
    pub detail: i128,
}

impl From<Reject> for Refusal {
    fn from(reject: Reject) -> Refusal {
        Refusal { reject, detail: 0 }
    }
}

/// Refuses with a reason unless the condition holds.
pub(super) fn require(holds: bool, reject: Reject) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(reject.into()) }
}

/// The client id a command gives, and the order it names by id.
pub(super) fn named_order(command: &Command) -> (ClOrdId, OrderId) {
    match command.action() {
        Some(Action::New(order)) => (order.cl_ord_id, OrderId::default()),
        Some(Action::Amend(amend)) => named_target(amend.target),
        Some(Action::Cancel(cancel)) => named_target(cancel.target),
        _ => (ClOrdId::NONE, OrderId::default()),
    }
}

fn named_target(target: Target) -> (ClOrdId, OrderId) {
    match target {
        Target::OrderId(id) => (ClOrdId::NONE, id),
        Target::ClOrdId(id) => (id, OrderId::default()),
    }
}

impl Twin {
    /// The session and its rising requests. (Design, Exactly once)
    pub(super) fn admit_session(&mut self, command: &Command) -> Result<(), Refusal> {
        let session = command.session();
        if session == 0 {
            return Ok(());
        }
        require(session < self.capacity.sessions, Reject::CapacityReached)?;
        let last = self.sessions.get(&session).copied().unwrap_or(0);
        require(command.request() > last, Reject::DuplicateRequest)?;
        self.sessions.insert(session, command.request());
        Ok(())
    }

    /// The record: a known kind that this build acts on, no flag, client ids that are some or none.
    pub(super) fn admit_record(&self, command: &Command) -> Result<Action, Refusal> {
        require(command.flags() == 0, Reject::InvalidCommand)?;
        let action = command.action().ok_or(Refusal::from(Reject::InvalidCommand))?;
        let given = match action {
            Action::New(order) => order.cl_ord_id,
            Action::Amend(amend) => amend.fields.new_cl_ord_id,
            Action::Genesis(_) | Action::SetSpec(_) | Action::CancelAllAfter(_) | Action::Link(_) => {
                return Err(Reject::InvalidCommand.into());
            }
            Action::Quarantine(_) => return Err(Reject::Quarantined.into()),
            _ => ClOrdId::NONE,
        };
        require(given.is_none() || given.is_valid(), Reject::InvalidClOrdId)?;
        Ok(action)
    }

    /// Refused by the first reason that applies, or carried out.
    pub(super) fn act(&mut self, account: u32, instrument: u16, action: Action) -> Result<(), Refusal> {
        match action {
            Action::New(order) => self.new_order(account, instrument, &order),
            Action::Amend(amend) => self.amend(account, instrument, &amend),
            Action::Cancel(cancel) => self.cancel_one(account, instrument, cancel),
            Action::SetState(set) => self.set_state(instrument, set.state),
            Action::CancelAll(all) => self.cancel_all(account, instrument, all.side),
            Action::OpenAccount(open) => self.open_account(account, instrument, open.fee_class),
            Action::SetAccount(set) => self.set_account(account, instrument, set),
            Action::Deposit(body) => self.deposit(account, instrument, i128::from(body.amount.0)),
            Action::Withdraw(body) => self.withdraw(account, instrument, i128::from(body.amount.0)),
            Action::FundInsurance(body) => self.fund_insurance(instrument, i128::from(body.amount.0)),
            Action::SetLeverage(set) => self.set_leverage(account, instrument, set.leverage.0),
            Action::TransferMargin(body) => self.transfer_margin(account, instrument, i128::from(body.amount.0)),
            Action::SetRiskLimit(body) => self.set_risk_limit(account, instrument, i128::from(body.amount.0)),
            Action::Index(index) => self.hear_index(instrument, index),
            Action::SetWeights(set) => self.announce_weights(instrument, &set),
            Action::Epoch => self.forget_index(instrument),
            Action::FundingRate(set) => self.set_funding_rate(instrument, set.rate),
            Action::Mark(mark) => self.set_mark(instrument, mark.price),
            // They change nothing yet.
            _ => Ok(()),
        }
    }

    pub(super) fn admit_symbol(&self, instrument: u16) -> Result<(), Refusal> {
        require(instrument == 0, Reject::InvalidSymbol)
    }

    /// House accounts are unknown to every command that names an account.
    pub(super) fn admit_account(&self, account: u32) -> Result<(), Refusal> {
        require(account >= 4 && (account as usize) < self.accounts.len(), Reject::InvalidAccount)
    }

    pub(super) fn admit_unsuspended(&self, account: u32) -> Result<(), Refusal> {
        require(!self.accounts[account as usize].is_suspended, Reject::AccountSuspended)
    }

    pub(super) fn admit_not_due(&self, account: u32) -> Result<(), Refusal> {
        require(self.accounts[account as usize].due.is_none(), Reject::InLiquidation)
    }

    /// The account's own live order that is meant: another's looks unknown. (Rule ID-2)
    pub(super) fn find(&self, account: u32, target: Target) -> Option<&Order> {
        let own = self.orders.iter().filter(|order| order.account == account && !order.is_close_out());
        match target {
            Target::OrderId(id) => own.into_iter().find(|order| order.id() == id),
            Target::ClOrdId(id) => self.find_by_client(account, id),
        }
    }

    /// The account's live order of that client id; none where none was given.
    pub(super) fn find_by_client(&self, account: u32, id: ClOrdId) -> Option<&Order> {
        if id.is_none() {
            return None;
        }
        self.orders_of(account).find(|order| !order.is_close_out() && order.cl_ord_id == id)
    }

    /// Everything about the record of a new order, up to its price. (Rule REJECT-1)
    pub(super) fn admit_new(&self, account: u32, instrument: u16, order: &NewOrder) -> Result<Side, Refusal> {
        use contract::codes::{ExecInst, OrdType, TimeInForce};
        require(self.find_by_client(account, order.cl_ord_id).is_none(), Reject::DuplicateClOrdId)?;
        self.admit_symbol(instrument)?;
        require(self.market.mark.is_some(), Reject::NoMarkPrice)?;
        self.admit_account(account)?;
        self.admit_unsuspended(account)?;
        let side = order.side.get().ok_or(Refusal::from(Reject::InvalidSide))?;
        let qty = i128::from(order.qty.0);
        require(qty > 0 && self.is_whole_lots(qty), Reject::InvalidOrderQty)?;
        require(qty <= i128::from(self.market.spec.max_order_qty.0), Reject::InvalidOrderQty)?;
        require(self.is_within_side_limit(account, side, qty), Reject::InvalidOrderQty)?;
        let ord_type = order.ord_type.get();
        require(ord_type != Some(OrdType::Limit) || order.price.0 != 0, Reject::InvalidPrice)?;
        require(ord_type != Some(OrdType::Market) || order.price.0 == 0, Reject::InvalidPrice)?;
        require(order.flags == 0 && order.display.is_zero(), Reject::InvalidDisplayQty)?;
        require(matches!(ord_type, Some(OrdType::Limit | OrdType::Market)), Reject::UnsupportedOrdType)?;
        require(order.peg.raw == 0, Reject::InvalidPegPriceType)?;
        require(order.peg_offset == 0, Reject::InvalidPegOffset)?;
        require(order.stop.0 == 0 && order.trigger.raw == 0, Reject::InvalidStopForOrdType)?;
        let tif = order.tif.get();
        require(tif.is_some_and(|tif| tif != TimeInForce::Day), Reject::UnsupportedTimeInForce)?;
        let known = ExecInst::POST_ONLY.0 | ExecInst::REDUCE_ONLY.0;
        require(order.exec_inst.0 & !known == 0 && order.self_trade.raw == 0, Reject::InvalidExecInst)?;
        let must_rest = order.exec_inst.has(ExecInst::POST_ONLY);
        let can_rest = ord_type == Some(OrdType::Limit) && tif == Some(TimeInForce::GoodTillCancel);
        require(!must_rest || can_rest, Reject::InvalidOrdTypeForExecInst)?;
        require(order.link == 0 && order.contingency.raw == 0, Reject::InvalidLinkForContingency)?;
        let can_rest = ord_type == Some(OrdType::Limit) && tif == Some(TimeInForce::GoodTillCancel);
        self.admit_state(side, can_rest.then_some(order.price.0))?;
        let is_reduce_only = order.exec_inst.has(ExecInst::REDUCE_ONLY);
        self.admit_while_stale(account, side, is_reduce_only, self.sums(account).of(side).qty + qty)?;
        require(order.price.0 <= self.market.highest_tick(), Reject::PriceAboveLimitUp)?;
        Ok(side)
    }

    pub(super) fn is_whole_lots(&self, qty: i128) -> bool {
        qty % i128::from(self.market.spec.lot.0) == 0
    }

    /// |position| + open quantity of the side + `more` within what a side may hold. (Rule LIMIT-1)
    pub(super) fn is_within_side_limit(&self, account: u32, side: Side, more: i128) -> bool {
        let open = self.sums(account).of(side).qty;
        self.accounts[account as usize].qty.abs() + open + more <= self.market.side_limit()
    }

    /// Never refused for margin, suspension or liquidation. (Rule CANCEL-1)
    fn cancel_one(&mut self, account: u32, instrument: u16, cancel: Cancel) -> Result<(), Refusal> {
        let order = self.find(account, cancel.target).ok_or(Refusal::from(Reject::InvalidOrderId))?.number;
        self.admit_symbol(instrument)?;
        self.admit_not_closed()?;
        self.cancel(order, CancelReason::Requested);
        Ok(())
    }

    /// A task for the account's orders numbered so far.
    fn cancel_all(&mut self, account: u32, instrument: u16, side: Code<Side>) -> Result<(), Refusal> {
        self.admit_symbol(instrument)?;
        self.admit_account(account)?;
        require(side.raw == 0 || Side::from_code(side.raw).is_some(), Reject::InvalidSide)?;
        self.admit_not_closed()?;
        require(self.cancel_alls.len() < CANCEL_ALLS, Reject::CapacityReached)?;
        self.cancel_alls.push_back(CancelAllTask { account, side: side.get(), before: self.numbered + 1 });
        Ok(())
    }
}
