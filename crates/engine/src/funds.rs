//! Money and risk settings: accounts, deposits, withdrawals, leverage, margin, risk limits, the fund.
//!
//! A change of leverage or tier is priced as the increase of what position and orders hold back, checked
//! once, and refused where the mark would not be strictly safe after it. (Rule MARGIN-8)

use contract::command::{OpenAccount, SetAccount};
use contract::event::{Insurance, Transfer};
use contract::liquidation::bearable;
use contract::margin::{
    Terms, chargeable, held, leverage_fits, order_margin, position_cross, position_margin, risk_usage, tier_for,
    tier_initial, tier_limit, withdrawable,
};
use contract::math::{Fraction, signed};
use contract::position::PositionState;
use contract::spec::FEE_CLASSES;
use contract::{AccountId, Command, InsuranceCause, Leverage, Rate, Reject, TransferKind, Xbt};

use crate::account::{Account, DUE, SETTLED_AHEAD, SUSPENDED, TELL_POSITION, TELL_WALLET};
use crate::engine::{Engine, Refusal};
use crate::outbox::Outbox;

/// The most a wallet or the fund may hold by deposits, XBt.
const HIGHEST_BALANCE: i64 = 1 << 61;

/// The least initial margin that must stay when margin is removed: 1 %. (Rule MARGIN-8)
const REMOVAL_FLOOR: Rate = Rate(1_000_000);

impl Engine {
    /// Opens the next account. (Rule ACC-1)
    pub(crate) fn open_account(&mut self, command: &Command, body: &OpenAccount) -> Result<(), Refusal> {
        Engine::check_symbol(command)?;
        let number = self.accounts.len() as u32;
        if command.account().0 != number {
            return Err((Reject::InvalidAccount, 0));
        }
        if number == self.genesis.capacity.accounts {
            return Err((Reject::CapacityReached, 0));
        }
        if usize::from(body.fee_class) >= FEE_CLASSES {
            return Err((Reject::InvalidCommand, 0));
        }
        let mut account = Account::new(&self.market.spec, body.fee_class, self.market.rate);
        if self.agenda.pass.is_some() {
            account.flags |= SETTLED_AHEAD;
        }
        self.accounts.push(account);
        self.touch(number, TELL_WALLET | TELL_POSITION);
        Ok(())
    }

    /// Fee class and suspension.
    pub(crate) fn set_account(&mut self, command: &Command, body: &SetAccount) -> Result<(), Refusal> {
        Engine::check_symbol(command)?;
        let number = self.trader(command.account())?;
        if usize::from(body.fee_class) >= FEE_CLASSES || body.suspended > 1 {
            return Err((Reject::InvalidCommand, 0));
        }
        let account = &mut self.accounts[number as usize];
        account.fee_class = body.fee_class;
        account.terms = account.terms_with(&self.market.spec, account.leverage, account.tier, self.market.rate);
        account.flags = if body.suspended == 1 { account.flags | SUSPENDED } else { account.flags & !SUSPENDED };
        // The taker fee is part of every margin, so orders and key are looked at again.
        self.touch_position(number);
        Ok(())
    }

    /// XBt from outside into a wallet.
    pub(crate) fn deposit(&mut self, command: &Command, amount: Xbt, out: &mut impl Outbox) -> Result<(), Refusal> {
        Engine::check_symbol(command)?;
        let number = self.trader(command.account())?;
        let account = &mut self.accounts[number as usize];
        let after = account.wallet.0.saturating_add(amount.0);
        if amount <= Xbt::ZERO || after > HIGHEST_BALANCE {
            return Err((Reject::InvalidAmount, 0));
        }
        account.wallet += amount;
        self.net_deposits += i128::from(amount.0);
        self.touch_funds(number);
        self.tell_transfer(number, TransferKind::Deposit, amount, out);
        Ok(())
    }

    /// The trader a command is about, who may do more than cancel.
    fn active_trader(&self, command: &Command) -> Result<u32, Refusal> {
        Engine::check_symbol(command)?;
        let number = self.trader(command.account())?;
        if self.accounts[number as usize].has(SUSPENDED) {
            return Err((Reject::AccountSuspended, 0));
        }
        self.check_fresh()?;
        self.check_not_halted()?;
        Ok(number)
    }

    /// XBt from a wallet to the outside: at most what is available, never unrealised profit, never while a
    /// liquidation waits. (Rule WITHDRAW-1)
    pub(crate) fn withdraw(&mut self, command: &Command, amount: Xbt, out: &mut impl Outbox) -> Result<(), Refusal> {
        let number = self.active_trader(command)?;
        let account = &self.accounts[number as usize];
        let available = self.market.available(account);
        let Account { terms, position, .. } = account;
        let most = withdrawable(&self.market.spec, terms, position, self.market.mark_value, available);
        if amount > most.max(Xbt::ZERO) {
            return Err((Reject::InsufficientBalance, amount.0));
        }
        if account.has(DUE) {
            return Err((Reject::InLiquidation, 0));
        }
        if amount <= Xbt::ZERO {
            return Err((Reject::InvalidAmount, 0));
        }
        if !self.market.is_safe_at(account, position, account.equity() - amount.0) {
            return Err((Reject::ImmediateLiquidation, 0));
        }
        self.accounts[number as usize].wallet -= amount;
        self.net_deposits -= i128::from(amount.0);
        self.touch_funds(number);
        self.tell_transfer(number, TransferKind::Withdraw, amount, out);
        Ok(())
    }

    /// Touches an account whose wallet moved.
    fn touch_funds(&mut self, number: u32) {
        self.touch(number, TELL_WALLET | crate::account::MOVE_KEY);
    }

    fn tell_transfer(&mut self, number: u32, kind: TransferKind, amount: Xbt, out: &mut impl Outbox) {
        self.tell(number, Transfer { kind: kind.into(), amount }, out);
    }

    /// XBt from outside into the fund. (Rule INS-2)
    pub(crate) fn fund_insurance(
        &mut self,
        command: &Command,
        amount: Xbt,
        out: &mut impl Outbox,
    ) -> Result<(), Refusal> {
        Engine::check_symbol(command)?;
        if amount <= Xbt::ZERO || self.insurance().0.saturating_add(amount.0) > HIGHEST_BALANCE {
            return Err((Reject::InvalidAmount, 0));
        }
        self.net_deposits += i128::from(amount.0);
        let fund = &mut self.accounts[AccountId::INSURANCE.0 as usize].wallet;
        *fund += amount;
        // No account is touched: the audit looks where something is new.
        self.agenda.has_news = true;
        let fact = Insurance {
            cause: InsuranceCause::Funded.into(),
            counterparty: AccountId::NONE.0,
            change: amount,
            balance: *fund,
        };
        self.tell(AccountId::INSURANCE.0, fact, out);
        Ok(())
    }

    /// Cross or isolated, and how much. (Rule MARGIN-8)
    pub(crate) fn set_leverage(&mut self, command: &Command, leverage: Leverage) -> Result<(), Refusal> {
        let number = self.active_trader(command)?;
        let account = &self.accounts[number as usize];
        if !leverage_fits(&self.market.spec, leverage, account.tier) {
            return Err((Reject::InvalidLeverage, 0));
        }
        let terms = account.terms_with(&self.market.spec, leverage, account.tier, self.market.rate);
        let mut position = account.position;
        match (account.leverage.is_cross(), leverage.is_cross()) {
            (true, false) if position.qty != 0 => {
                let unrealised = position.unrealised_pnl(&self.market.spec, self.market.mark_value);
                position.cross = (-unrealised).max(Xbt::ZERO);
                position.loss = Xbt::ZERO;
            }
            (false, true) => position.cross = Xbt::ZERO,
            _ => {}
        }
        self.check_change(account, &terms, &position)?;
        let account = &mut self.accounts[number as usize];
        account.leverage = leverage;
        account.terms = terms;
        account.position = position;
        self.touch_position(number);
        Ok(())
    }

    /// May position and orders be held on these terms? (Rule MARGIN-8)
    fn check_change(&self, account: &Account, terms: &Terms, position: &PositionState) -> Result<(), Refusal> {
        let orders = order_margin(terms, chargeable(&account.sums, position.qty));
        let held = position_margin(&self.market.spec, terms, position, self.market.mark_value);
        let required = orders + held - account.order_margin - self.market.position_margin(account);
        if required > self.market.available(account).max(Xbt::ZERO) {
            return Err((Reject::InsufficientBalance, required.0));
        }
        if account.has(DUE) {
            return Err((Reject::InLiquidation, 0));
        }
        let w = bearable(terms, position, (account.wallet - orders).0).until_liquidation;
        if !self.market.line.is_safe(&self.market.spec, position, w) {
            return Err((Reject::ImmediateLiquidation, 0));
        }
        Ok(())
    }

    /// A higher or lower risk limit. (Rule RISK-1)
    pub(crate) fn set_risk_limit(&mut self, command: &Command, amount: Xbt) -> Result<(), Refusal> {
        let number = self.active_trader(command)?;
        let account = &self.accounts[number as usize];
        let tier =
            tier_for(&self.market.spec, amount).filter(|_| amount > Xbt::ZERO).ok_or((Reject::InvalidAmount, 0))?;
        let terms = account.terms_with(&self.market.spec, account.leverage, tier, self.market.rate);
        self.check_change(account, &terms, &account.position)?;
        if !leverage_fits(&self.market.spec, account.leverage, tier) {
            return Err((Reject::InvalidLeverage, 0));
        }
        let charged = chargeable(&account.sums, account.position.qty);
        let usage = risk_usage(&self.market.spec, &account.position, self.market.mark_value, charged);
        if usage > tier_limit(&self.market.spec, tier).0.unsigned_abs() {
            return Err((Reject::BelowRiskUsage, 0));
        }
        self.set_tier(number, tier);
        Ok(())
    }

    /// Adds margin to an isolated position, or takes some back. (Rule MARGIN-8)
    pub(crate) fn transfer_margin(
        &mut self,
        command: &Command,
        amount: Xbt,
        out: &mut impl Outbox,
    ) -> Result<(), Refusal> {
        let number = self.active_trader(command)?;
        let account = &self.accounts[number as usize];
        if !(-HIGHEST_BALANCE..=HIGHEST_BALANCE).contains(&amount.0) {
            return Err((Reject::InvalidAmount, 0));
        }
        if amount > self.market.available(account).max(Xbt::ZERO) {
            return Err((Reject::InsufficientBalance, amount.0));
        }
        if account.has(DUE) {
            return Err((Reject::InLiquidation, 0));
        }
        let mut position = account.position;
        let has_margin = position.qty != 0 && !account.terms.is_cross;
        if has_margin {
            position.cross += amount;
            let w = bearable(&account.terms, &position, account.equity()).until_liquidation;
            if !self.market.line.is_safe(&self.market.spec, &position, w) {
                return Err((Reject::ImmediateLiquidation, 0));
            }
        }
        let is_removable = amount > Xbt::ZERO || self.may_remove_to(account, &position);
        if amount == Xbt::ZERO || !has_margin || !is_removable {
            return Err((Reject::InvalidAmount, 0));
        }
        self.accounts[number as usize].position = position;
        self.touch(number, TELL_POSITION | crate::account::MOVE_KEY);
        self.tell_transfer(number, TransferKind::Margin, amount, out);
        Ok(())
    }

    /// posInit + posCross − posLoss + min(0, unrealised PnL) ≥ ceil(max(1 %, tier's initial)·|cost|).
    fn may_remove_to(&self, account: &Account, position: &PositionState) -> bool {
        let unrealised = position.unrealised_pnl(&self.market.spec, self.market.mark_value);
        let cross = position_cross(&account.terms, position, unrealised);
        let parts = held(&account.terms, position, cross);
        let rate = tier_initial(&self.market.spec, account.tier).max(REMOVAL_FLOOR);
        let floor = Fraction::new(rate.0.unsigned_abs(), Rate::ONE).of_ceil(position.cost_abs());
        parts.init + parts.cross - parts.loss + unrealised.min(Xbt::ZERO) >= Xbt(signed(floor))
    }
}
