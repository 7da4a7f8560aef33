//! What can be asked of the twin between commands.

use contract::cl_ord_id::ClOrdId;
use contract::codes::{MarketState, Side};
use contract::event::{POSITION_SUSPENDED, Position, Wallet};
use contract::spec::ContractSpec;
use contract::units::{AccountId, Leverage, OrderId, Price, Qty, Rate, Tick, Xbt};

use super::Twin;
use super::outbox::{contracts, signed_contracts, xbt};

/// A live order as it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrderView {
    /// Its identity.
    pub id: OrderId,
    /// Its account; the liquidation account for the order of a lot.
    pub account: AccountId,
    /// Buy or sell.
    pub side: Side,
    /// Its limit.
    pub price: Tick,
    /// Open quantity, contracts.
    pub leaves: Qty,
    /// Executed quantity, contracts.
    pub cum: Qty,
    /// The client's name for it.
    pub cl_ord_id: ClOrdId,
    /// May it only reduce?
    pub is_reduce_only: bool,
}

/// A lot of the liquidation account. (Rule LIQ-9)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LotView {
    /// Its number and slot.
    pub id: OrderId,
    /// Contracts left, signed.
    pub qty: i64,
    /// Value of one unit at bankruptcy, XBt.
    pub unit_value: Xbt,
    /// Does its order rest in the book?
    pub rests: bool,
    /// Has the mark passed its bankruptcy, so that it waits to be swept?
    pub is_listed: bool,
}

impl Twin {
    /// The contract.
    #[must_use]
    pub fn spec(&self) -> &ContractSpec {
        &self.market.spec
    }

    /// How many accounts are open, the house's four included.
    #[must_use]
    pub fn accounts(&self) -> u32 {
        self.accounts.len() as u32
    }

    /// The mark price in force.
    #[must_use]
    pub fn mark(&self) -> Option<Price> {
        self.market.mark
    }

    /// The funding rate in force.
    #[must_use]
    pub fn funding_rate(&self) -> Rate {
        Rate(i64::try_from(self.rate).expect("a rate fits its record"))
    }

    /// What the interval under way comes to so far. (Rule FUND-2)
    #[must_use]
    pub fn indicative_rate(&self) -> Rate {
        Rate(i64::try_from(self.indicative()).expect("a rate fits its record"))
    }

    /// Does the mark stand still because no constituent of the index is fresh? (Rule MARK-3)
    #[must_use]
    pub fn is_mark_stale(&self) -> bool {
        self.index.is_stale
    }

    /// The state of the market. (Rule HALT-1)
    #[must_use]
    pub fn market_state(&self) -> MarketState {
        self.state
    }

    /// Is an instant, or a new rate, on its way from account to account? (Rule FUND-5)
    #[must_use]
    pub fn is_passing(&self) -> bool {
        self.pass.is_some()
    }

    /// Were some of those whom a mark has made due still to be found when the last command was carried out? (Law 4)
    #[must_use]
    pub fn was_finding(&self) -> bool {
        self.now.is_finding
    }

    /// What holders have paid and not received, XBt. (Rule FUND-4)
    #[must_use]
    pub fn residue(&self) -> Xbt {
        xbt(self.residue)
    }

    /// What the insurance fund holds, XBt.
    #[must_use]
    pub fn insurance(&self) -> Xbt {
        xbt(self.fund)
    }

    /// What the fee account holds, XBt.
    #[must_use]
    pub fn fees(&self) -> Xbt {
        xbt(self.fees)
    }

    /// Balance and orders of a trader, as its next `Wallet` event would say; `None` for others.
    #[must_use]
    pub fn wallet(&self, account: AccountId) -> Option<Wallet> {
        self.is_trader(account).then(|| self.wallet_of(account.0))
    }

    /// Position of a trader, as its next `Position` event would say; `None` for others.
    #[must_use]
    pub fn position(&self, account: AccountId) -> Option<Position> {
        self.is_trader(account).then(|| self.position_of(account.0))
    }

    /// What a trader may still use, XBt. (Rule MARGIN-7)
    #[must_use]
    pub fn available(&self, account: AccountId) -> Option<Xbt> {
        self.is_trader(account).then(|| {
            let it = &self.accounts[account.0 as usize];
            xbt(self.market.available(it, &self.sums(account.0)))
        })
    }

    /// In which fifth of its side an account stands, in per cent: of everybody else is asked who stands above it. `None`
    /// where it holds nothing. (Rules ADL-1, ADL-3)
    #[must_use]
    pub fn percentile(&self, account: AccountId) -> Option<u64> {
        let size = |account: u32| self.accounts[account as usize].qty.abs();
        let its = self.accounts[account.0 as usize].qty.signum();
        if its == 0 {
            return None;
        }
        let its_side = (4..self.accounts()).filter(|&other| self.accounts[other as usize].qty.signum() == its);
        let is_above = |other: u32| {
            let by_score = self.score(other).compare(&self.score(account.0));
            by_score.then(size(other).cmp(&size(account.0))).then(account.0.cmp(&other)).is_gt()
        };
        let total: i128 = its_side.clone().map(size).sum();
        let before_it: i128 = its_side.filter(|&other| is_above(other)).map(size).sum();
        let fifths = (5 * (before_it + size(account.0)) + total - 1) / total;
        Some(20 * fifths as u64)
    }

    /// Does the account wait for its liquidation?
    #[must_use]
    pub fn is_due(&self, account: AccountId) -> bool {
        self.accounts.get(account.0 as usize).is_some_and(|it| it.due.is_some())
    }

    /// The orders of one side in priority: best price first, oldest place first. (Rule BOOK-1)
    #[must_use]
    pub fn live_orders(&self, side: Side) -> Vec<OrderView> {
        let view = |order: &super::book::Order| OrderView {
            id: order.id(),
            account: AccountId(order.account),
            side: order.side,
            price: Tick(order.tick),
            leaves: contracts(order.leaves),
            cum: contracts(order.cum),
            cl_ord_id: order.cl_ord_id,
            is_reduce_only: order.is_reduce_only,
        };
        self.side_by_priority(side).into_iter().map(view).collect()
    }

    /// The lots of the liquidation account, oldest first.
    #[must_use]
    pub fn lots(&self) -> Vec<LotView> {
        let view = |lot: &super::liquidation::Lot| LotView {
            id: OrderId { number: lot.number, slot: lot.slot },
            qty: signed_contracts(lot.qty),
            unit_value: xbt(lot.unit_value),
            rests: self.order(lot.number).is_some(),
            is_listed: lot.is_listed,
        };
        self.lots.iter().map(view).collect()
    }

    fn is_trader(&self, account: AccountId) -> bool {
        account.0 >= 4 && (account.0 as usize) < self.accounts.len()
    }

    pub(super) fn wallet_of(&self, account: u32) -> Wallet {
        let it = &self.accounts[account as usize];
        let sums = self.sums(account);
        Wallet {
            balance: xbt(it.wallet),
            order_margin: xbt(self.market.order_margin(it, &sums)),
            buy_qty: contracts(sums.buy.qty),
            buy_cost: xbt(sums.buy.cost),
            buy_premium: xbt(sums.buy.premium),
            sell_qty: contracts(sums.sell.qty),
            sell_cost: xbt(sums.sell.cost),
            sell_premium: xbt(sums.sell.premium),
        }
    }

    pub(super) fn position_of(&self, account: u32) -> Position {
        let it = &self.accounts[account as usize];
        let sums = self.sums(account);
        Position {
            leverage: Leverage(it.leverage),
            qty: signed_contracts(it.qty),
            cost: xbt(it.cost),
            realised: xbt(it.realised),
            realised_by_command: xbt(it.realised_by_command),
            commission: xbt(it.commission),
            init: xbt(self.market.position_margin(it).init),
            cross: xbt(it.cross),
            loss: xbt(it.loss),
            liquidation_price: self.market.liquidation_price(it, &sums),
            bankruptcy_price: self.market.bankruptcy_price(it, &sums),
            tier: it.tier,
            fee_class: it.fee_class,
            flags: if it.is_suspended { POSITION_SUSPENDED } else { 0 },
        }
    }
}
