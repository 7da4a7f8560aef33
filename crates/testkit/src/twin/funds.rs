//! Accounts, money, leverage, limits and the mark.

use contract::codes::{InsuranceCause, TransferKind};
use contract::command::SetAccount;
use contract::event::{Fact, IndexMark, Transfer};
use contract::reject::Reject;
use contract::spec::FEE_CLASSES;
use contract::units::{AccountId, Price};

use super::Twin;
use super::account::Account;
use super::admit::{Refusal, require};
use super::outbox::xbt;

/// Money that moves or rests stays within this, XBt.
const MOST: i128 = 1 << 61;

impl Twin {
    pub(super) fn open_account(&mut self, account: u32, instrument: u16, fee_class: u8) -> Result<(), Refusal> {
        self.admit_symbol(instrument)?;
        require(account as usize == self.accounts.len(), Reject::InvalidAccount)?;
        require(account < self.capacity.accounts, Reject::CapacityReached)?;
        require(usize::from(fee_class) < FEE_CLASSES, Reject::InvalidCommand)?;
        let is_settled_ahead = self.pass.is_some();
        self.accounts.push(Account { fee_class, is_settled_ahead, rate: self.rate, ..Account::default() });
        self.touch_wallet(account);
        self.touch_position(account);
        Ok(())
    }

    pub(super) fn set_account(&mut self, account: u32, instrument: u16, set: SetAccount) -> Result<(), Refusal> {
        self.admit_symbol(instrument)?;
        self.admit_account(account)?;
        require(usize::from(set.fee_class) < FEE_CLASSES && set.suspended <= 1, Reject::InvalidCommand)?;
        let it = &mut self.accounts[account as usize];
        it.fee_class = set.fee_class;
        it.is_suspended = set.suspended == 1;
        self.touch_wallet(account);
        self.touch_position(account);
        Ok(())
    }

    pub(super) fn deposit(&mut self, account: u32, instrument: u16, amount: i128) -> Result<(), Refusal> {
        self.admit_symbol(instrument)?;
        self.admit_account(account)?;
        let wallet = self.accounts[account as usize].wallet;
        require(amount > 0 && wallet + amount <= MOST, Reject::InvalidAmount)?;
        self.accounts[account as usize].wallet += amount;
        self.deposited += amount;
        self.touch_wallet(account);
        self.say_transfer(account, TransferKind::Deposit, amount);
        Ok(())
    }

    /// At most available, never unrealised profit, never in liquidation. (Rule WITHDRAW-1)
    pub(super) fn withdraw(&mut self, account: u32, instrument: u16, amount: i128) -> Result<(), Refusal> {
        self.admit_symbol(instrument)?;
        self.admit_account(account)?;
        self.admit_unsuspended(account)?;
        self.admit_no_halt()?;
        self.admit_fresh()?;
        let it = &self.accounts[account as usize];
        if amount > self.market.withdrawable(it, &self.sums(account)).max(0) {
            return Err(Refusal { reject: Reject::InsufficientBalance, detail: amount });
        }
        self.admit_not_due(account)?;
        require(amount > 0, Reject::InvalidAmount)?;
        let after = Account { wallet: it.wallet - amount, ..it.clone() };
        require(self.market.is_safe(&after, &self.sums(account)), Reject::ImmediateLiquidation)?;
        self.accounts[account as usize].wallet -= amount;
        self.deposited -= amount;
        self.touch_wallet(account);
        self.say_transfer(account, TransferKind::Withdraw, amount);
        Ok(())
    }

    pub(super) fn fund_insurance(&mut self, instrument: u16, amount: i128) -> Result<(), Refusal> {
        self.admit_symbol(instrument)?;
        require(amount > 0 && self.fund + amount <= MOST, Reject::InvalidAmount)?;
        self.deposited += amount;
        self.change_fund(InsuranceCause::Funded, AccountId::NONE.0, amount);
        Ok(())
    }

    /// Cross or isolated, and how much; priced as the increase of position and order margin.
    /// (Rule MARGIN-8)
    pub(super) fn set_leverage(&mut self, account: u32, instrument: u16, leverage: u32) -> Result<(), Refusal> {
        self.admit_symbol(instrument)?;
        self.admit_account(account)?;
        self.admit_unsuspended(account)?;
        self.admit_no_halt()?;
        self.admit_fresh()?;
        let old = self.accounts[account as usize].clone();
        let is_allowed = leverage <= 10_000 && !self.market.leverage_exceeds_tier(leverage, old.tier);
        require(is_allowed, Reject::InvalidLeverage)?;
        let mut new = Account { leverage, ..old.clone() };
        if old.qty == 0 {
            (new.cross, new.loss) = (0, 0);
        } else if old.is_cross() && !new.is_cross() {
            (new.cross, new.loss) = ((-self.market.unrealised_pnl(&old)).max(0), 0);
        } else if new.is_cross() {
            new.cross = 0;
        }
        self.admit_change(account, &new)?;
        self.accounts[account as usize] = new;
        self.touch_wallet(account);
        self.touch_position(account);
        Ok(())
    }

    /// The lowest tier whose limit reaches the amount. (Rule RISK-1)
    pub(super) fn set_risk_limit(&mut self, account: u32, instrument: u16, amount: i128) -> Result<(), Refusal> {
        self.admit_symbol(instrument)?;
        self.admit_account(account)?;
        self.admit_unsuspended(account)?;
        self.admit_no_halt()?;
        self.admit_fresh()?;
        require(amount > 0, Reject::InvalidAmount)?;
        let tier = self.market.tier_for(amount).ok_or(Refusal::from(Reject::InvalidAmount))?;
        let old = &self.accounts[account as usize];
        let new = Account { tier, ..old.clone() };
        self.admit_change(account, &new)?;
        require(!self.market.leverage_exceeds_tier(new.leverage, tier), Reject::InvalidLeverage)?;
        let usage = self.market.usage(old, &self.sums(account));
        require(usage <= self.market.tier_limit(tier), Reject::BelowRiskUsage)?;
        self.accounts[account as usize] = new;
        self.touch_wallet(account);
        self.touch_position(account);
        Ok(())
    }

    /// The increase of position and order margin is available; afterwards the mark is safe.
    fn admit_change(&self, account: u32, new: &Account) -> Result<(), Refusal> {
        let old = &self.accounts[account as usize];
        let sums = self.sums(account);
        let held = |it: &Account| self.market.position_margin(it).margin + self.market.order_margin(it, &sums);
        let required = held(new) - held(old);
        self.admit_available(account, required, required)?;
        self.admit_not_due(account)?;
        require(self.market.is_safe(new, &sums), Reject::ImmediateLiquidation)
    }

    /// Available margin into an isolated position, or back. (Rule MARGIN-8)
    pub(super) fn transfer_margin(&mut self, account: u32, instrument: u16, amount: i128) -> Result<(), Refusal> {
        self.admit_symbol(instrument)?;
        self.admit_account(account)?;
        self.admit_unsuspended(account)?;
        self.admit_no_halt()?;
        self.admit_fresh()?;
        require(amount.abs() <= MOST, Reject::InvalidAmount)?;
        self.admit_available(account, amount, amount)?;
        self.admit_not_due(account)?;
        let old = &self.accounts[account as usize];
        let new = Account { cross: old.cross + amount, ..old.clone() };
        let is_isolated = old.qty != 0 && !old.is_cross();
        require(!is_isolated || self.market.is_safe(&new, &self.sums(account)), Reject::ImmediateLiquidation)?;
        require(amount != 0 && is_isolated, Reject::InvalidAmount)?;
        if amount < 0 {
            let margin = self.market.position_margin(&new);
            let left = margin.init + margin.cross - new.loss + self.market.unrealised_pnl(&new).min(0);
            let floor = self.market.removal_floor(&new).times(new.cost.abs()).ceil();
            require(left >= floor, Reject::InvalidAmount)?;
        }
        self.accounts[account as usize] = new;
        self.touch_position(account);
        self.say_transfer(account, TransferKind::Margin, amount);
        Ok(())
    }

    /// An amount within max(0, available).
    fn admit_available(&self, account: u32, amount: i128, detail: i128) -> Result<(), Refusal> {
        let available = self.market.available(&self.accounts[account as usize], &self.sums(account));
        if amount > available.max(0) {
            return Err(Refusal { reject: Reject::InsufficientBalance, detail });
        }
        Ok(())
    }

    fn say_transfer(&mut self, account: u32, kind: TransferKind, amount: i128) {
        self.say(Some(account), Fact::Transfer(Transfer { kind: kind.into(), amount: xbt(amount) }));
    }

    /// A mark from outside takes effect, or waits for the agenda. (Rule MARK-2, law 4)
    pub(super) fn set_mark(&mut self, instrument: u16, price: Price) -> Result<(), Refusal> {
        self.admit_symbol(instrument)?;
        require(self.marks_come_from_outside(), Reject::InvalidCommand)?;
        require(price >= self.market.spec.tick_size, Reject::InvalidPrice)?;
        require(price <= self.market.spec.max_price, Reject::PriceAboveLimitUp)?;
        if self.nothing_waits() {
            self.take_mark(price);
        } else {
            self.waiting_mark = Some(price);
        }
        Ok(())
    }

    /// The mark moves: whom it has passed becomes due, which lots it has passed are listed.
    pub(super) fn take_mark(&mut self, price: Price) {
        self.market.mark = Some(price);
        self.rankings = [None, None];
        self.say(None, Fact::IndexMark(IndexMark { index: self.index_price(), mark: price }));
        self.look_at_everybody();
    }
}
