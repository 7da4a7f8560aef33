//! Second reading: each row becomes its command.

use std::collections::HashMap;

use contract::codes::{ExecInst, MarketState, SelfTrade, Trigger};
use contract::command::{
    AMEND_LOSES_PLACE, AmendFields, Amount, Cancel, CancelAll, CancelAllAfter, FundingRate, Index, Mark,
    NEW_HAS_DISPLAY, OpenAccount, SetAccount, SetLeverage, SetState,
};
use contract::words::{Code, Coded};
use contract::{
    AccountId, Action, Amend, AmendQty, Capacity, ClOrdId, Command, ContractSpec, Marking, NewOrder, OrdType, Qty,
    Side, Target, TimeInForce, Xbt,
};

use super::Plan;
use super::cells::{Item, Key, Reader, Row};
use super::survey::Survey;
use crate::error::{Error, Result};
use crate::exact;
use crate::import::{UNLIMITED, without_risk_limit};

const OPS: &str = "open, suspend, deposit, withdraw, margin, risk_limit, insurance, leverage, new, amend, reduce, move, \
                   cancel, cancel_all, cancel_after, index, mark, rate, clock, state";
const TYPES: [(&str, OrdType); 8] = [
    ("limit", OrdType::Limit),
    ("market", OrdType::Market),
    ("stop", OrdType::Stop),
    ("stop_limit", OrdType::StopLimit),
    ("mit", OrdType::MarketIfTouched),
    ("lit", OrdType::LimitIfTouched),
    ("pegged", OrdType::Pegged),
    ("market_limit", OrdType::MarketWithLeftOverAsLimit),
];
const TIFS: [(&str, TimeInForce); 4] = [
    ("gtc", TimeInForce::GoodTillCancel),
    ("ioc", TimeInForce::ImmediateOrCancel),
    ("fok", TimeInForce::FillOrKill),
    ("day", TimeInForce::Day),
];
const SIDES: [(&str, Side); 2] = [("buy", Side::Buy), ("sell", Side::Sell)];
const STATES: [(&str, MarketState); 4] = [
    ("open", MarketState::Open),
    ("post_only", MarketState::PostOnly),
    ("cancel_only", MarketState::CancelOnly),
    ("closed", MarketState::Closed),
];
const INSTS: [(&str, ExecInst); 6] = [
    ("post_only", ExecInst::POST_ONLY),
    ("reduce_only", ExecInst::REDUCE_ONLY),
    ("close", ExecInst::CLOSE),
    ("all_or_none", ExecInst::ALL_OR_NONE),
    ("fixed", ExecInst::FIXED),
    ("last_within_mark", ExecInst::LAST_WITHIN_MARK),
];
const TRIGGERS: [(&str, Trigger); 3] =
    [("mark", Trigger::MarkPrice), ("last", Trigger::LastPrice), ("index", Trigger::IndexPrice)];
const SELF_TRADES: [(&str, SelfTrade); 4] = [
    ("cancel_newest", SelfTrade::CancelNewest),
    ("cancel_oldest", SelfTrade::CancelOldest),
    ("cancel_both", SelfTrade::CancelBoth),
    ("decrement", SelfTrade::Decrement),
];

/// Makes the commands of a log.
pub fn plan(reader: &mut Reader<'_>, mut spec: ContractSpec, survey: &Survey) -> Result<Plan> {
    let is_marked = survey.has_mark || survey.has_index;
    if survey.has_mark || survey.has_rate || !is_marked {
        spec.marking = Marking::External;
    }
    // A log that neither opens, funds nor limits an account is about the book alone.
    if !survey.has_open && !survey.has_deposit && !survey.has_risk_limit {
        spec = without_risk_limit(spec);
    }
    let mut builder = Builder {
        spec,
        survey,
        numbers: survey.accounts.iter().map(String::as_str).zip(AccountId::FIRST_TRADER.0..).collect(),
        opened: vec![survey.has_open; survey.accounts.len()],
        commands: Vec::new(),
        ts: 0,
    };
    let mut rows = 0;
    let mut bench_start = None;
    let mut first_row = true;
    while let Some(item) = reader.next_item()? {
        match item {
            Item::BenchStart => bench_start = Some(builder.commands.len()),
            Item::Row(row) => {
                rows += 1;
                builder.take_ts(&row)?;
                if first_row {
                    builder.first_mark(&row, is_marked)?;
                    first_row = false;
                }
                builder.row(&row)?;
            }
        }
    }
    let Builder { commands, .. } = builder;
    let bench_start = bench_start.unwrap_or_else(|| first_order(&commands));
    let room = |what: &str, count: u64, max: u32| {
        u32::try_from(count).ok().filter(|count| *count <= max).ok_or_else(|| {
            Error::Unusable(format!("the log has {count} {what}; at most {max} fit an engine: split the log"))
        })
    };
    let capacity = Capacity {
        accounts: room("accounts", survey.accounts.len() as u64 + 5, 1 << 24)?,
        orders: room("live orders", survey.live_orders + 1_024, 1 << 28)?,
        sessions: 1,
        ..Capacity::default()
    };
    Ok(Plan { spec, capacity, commands, accounts: survey.accounts.clone(), rows, bench_start })
}

/// Without the comment the preparation is what stands before the first order.
fn first_order(commands: &[(u64, Command)]) -> usize {
    let is_order = |(_, command): &(u64, Command)| matches!(command.action(), Some(Action::New(_)));
    commands.iter().position(is_order).unwrap_or(commands.len())
}

struct Builder<'a> {
    spec: ContractSpec,
    survey: &'a Survey,
    numbers: HashMap<&'a str, u32>,
    opened: Vec<bool>,
    commands: Vec<(u64, Command)>,
    ts: u64,
}

impl Builder<'_> {
    fn push(&mut self, account: AccountId, action: Action) {
        self.commands.push((self.ts, Command::new(account, action)));
    }

    /// A stamp that is not given is the previous one; one that falls cannot be used.
    fn take_ts(&mut self, row: &Row<'_>) -> Result<()> {
        let Some(ts) = row.parse(Key::TsNs, exact::unsigned)? else { return Ok(()) };
        if ts < self.ts {
            return Err(row.error(Key::TsNs, format!("a time that does not fall: {} or later", self.ts)));
        }
        self.ts = ts;
        Ok(())
    }

    /// A log that says nothing about the mark has it at its first price.
    fn first_mark(&mut self, row: &Row<'_>, is_marked: bool) -> Result<()> {
        if is_marked {
            return Ok(());
        }
        match (self.survey.first_price, self.survey.first_order) {
            (Some(tick), _) => {
                let price = self.spec.tick_price(tick);
                self.push(AccountId::NONE, Action::Mark(Mark { price }));
                Ok(())
            }
            (None, None) => Ok(()),
            (None, Some(line)) => Err(Error::Unusable(format!(
                "{}:{line}: found orders but neither a mark, an index nor a price to take the mark from; add a mark row",
                row.line.file
            ))),
        }
    }

    /// The account of a row, opened on first use where the log opens none.
    fn account(&mut self, row: &Row<'_>) -> Result<AccountId> {
        let name = row.need(Key::Account, "the name of an account")?;
        let number = self.numbers[name];
        Ok(self.use_account(number))
    }

    fn use_account(&mut self, number: u32) -> AccountId {
        let account = AccountId(number);
        let at = (number - AccountId::FIRST_TRADER.0) as usize;
        if !self.opened[at] {
            self.opened[at] = true;
            self.push(account, Action::OpenAccount(OpenAccount { fee_class: 0 }));
            if !self.survey.has_deposit {
                self.push(account, Action::Deposit(Amount { amount: UNLIMITED }));
            }
        }
        account
    }

    /// The account and the target of a row that names a live order.
    fn order(&mut self, row: &Row<'_>) -> Result<(AccountId, Target)> {
        let id = self.id(row, Key::Id)?.ok_or_else(|| row.error(Key::Id, "the id of an order"))?;
        let account = match row.get(Key::Account) {
            Some(_) => self.account(row)?,
            None => {
                let owner = self.survey.account_of(row, None).ok_or_else(|| {
                    row.error(Key::Id, "an id that only one account's orders have; else name the account")
                })?;
                self.use_account(AccountId::FIRST_TRADER.0 + owner)
            }
        };
        Ok((account, Target::ClOrdId(id)))
    }

    fn id(&self, row: &Row<'_>, key: Key) -> Result<Option<ClOrdId>> {
        row.parse(key, |text| ClOrdId::new(text).ok_or("1 to 36 characters of printable ASCII".to_owned()))
    }

    fn amount(&self, row: &Row<'_>) -> Result<Amount> {
        row.need(Key::Value, "an amount in XBt")?;
        let amount = row.parse(Key::Value, exact::signed)?.unwrap_or(0);
        Ok(Amount { amount: Xbt(amount) })
    }

    fn price(&self, row: &Row<'_>) -> Result<contract::Price> {
        row.need(Key::Price, "a price in USD")?;
        Ok(row.parse(Key::Price, exact::price)?.unwrap_or_default())
    }

    fn tick(&self, row: &Row<'_>, key: Key) -> Result<contract::Tick> {
        let spec = &self.spec;
        Ok(row.parse(key, |text| exact::tick(text, spec))?.unwrap_or_default())
    }

    fn row(&mut self, row: &Row<'_>) -> Result<()> {
        let op = row.need(Key::Op, OPS)?;
        let none = AccountId::NONE;
        let (account, action) = match op {
            "open" => {
                self.open(row)?;
                return Ok(());
            }
            "suspend" => (self.account(row)?, Action::SetAccount(SetAccount { fee_class: 0, suspended: 1 })),
            "deposit" => (self.account(row)?, Action::Deposit(self.amount(row)?)),
            "withdraw" => (self.account(row)?, Action::Withdraw(self.amount(row)?)),
            "margin" => (self.account(row)?, Action::TransferMargin(self.amount(row)?)),
            "risk_limit" => (self.account(row)?, Action::SetRiskLimit(self.amount(row)?)),
            "insurance" => (none, Action::FundInsurance(self.amount(row)?)),
            "leverage" => {
                row.need(Key::Value, "a leverage, 0 for cross margin")?;
                let leverage = row.parse(Key::Value, exact::leverage)?.unwrap_or_default();
                (self.account(row)?, Action::SetLeverage(SetLeverage { leverage }))
            }
            "new" => {
                let order = self.new_order(row)?;
                (self.account(row)?, Action::New(order))
            }
            "amend" | "reduce" | "move" => {
                let fields = self.amend_fields(row, op)?;
                let (account, target) = self.order(row)?;
                (account, Action::Amend(Amend { target, fields }))
            }
            "cancel" => {
                let (account, target) = self.order(row)?;
                (account, Action::Cancel(Cancel { target }))
            }
            "cancel_all" => {
                let side = code(row, Key::Side, &SIDES)?.unwrap_or_default();
                (self.account(row)?, Action::CancelAll(CancelAll { side }))
            }
            "cancel_after" => {
                row.need(Key::Value, "milliseconds, 0 to disarm")?;
                let timeout_ms = row.parse(Key::Value, exact::unsigned)?.unwrap_or(0);
                (self.account(row)?, Action::CancelAllAfter(CancelAllAfter { timeout_ms }))
            }
            "index" => {
                row.need(Key::Id, "the number of a constituent")?;
                let constituent = row.parse(Key::Id, |text| {
                    text.parse().map_err(|_| "the number of a constituent, 0 to 4294967295".to_owned())
                })?;
                (none, Action::Index(Index { constituent: constituent.unwrap_or(0), price: self.price(row)? }))
            }
            "mark" => (none, Action::Mark(Mark { price: self.price(row)? })),
            "rate" => {
                row.need(Key::Value, "a rate, 0.0001 for 0.01 %")?;
                let rate = row.parse(Key::Value, exact::rate)?.unwrap_or_default();
                (none, Action::FundingRate(FundingRate { rate }))
            }
            "clock" => (none, Action::Clock),
            "state" => {
                row.need(Key::Value, "open, post_only, cancel_only, closed")?;
                let state = code(row, Key::Value, &STATES)?.unwrap_or_default();
                (none, Action::SetState(SetState { state }))
            }
            _ => return Err(row.error(Key::Op, OPS)),
        };
        self.push(account, action);
        Ok(())
    }

    fn open(&mut self, row: &Row<'_>) -> Result<()> {
        let account = self.account(row)?;
        self.push(account, Action::OpenAccount(OpenAccount { fee_class: 0 }));
        Ok(())
    }

    /// A new order. What is not given is passed on as such: the engine has an answer for it.
    fn new_order(&self, row: &Row<'_>) -> Result<NewOrder> {
        let ord_type = code(row, Key::Type, &TYPES)?.unwrap_or(OrdType::Limit.into());
        let default = match ord_type.get() {
            Some(OrdType::Market) => TimeInForce::ImmediateOrCancel,
            _ => TimeInForce::GoodTillCancel,
        };
        let display = row.parse(Key::Display, exact::unsigned)?;
        let mut order = NewOrder {
            price: self.tick(row, Key::Price)?,
            cl_ord_id: self.id(row, Key::Id)?.unwrap_or(ClOrdId::NONE),
            stop: self.tick(row, Key::Stop)?,
            qty: Qty(row.parse(Key::Qty, exact::unsigned)?.unwrap_or(0)),
            display: Qty(display.unwrap_or(0)),
            flags: if display.is_some() { NEW_HAS_DISPLAY } else { 0 },
            side: code(row, Key::Side, &SIDES)?.unwrap_or_default(),
            ord_type,
            tif: code(row, Key::Tif, &TIFS)?.unwrap_or(default.into()),
            ..NewOrder::default()
        };
        for word in row.get(Key::Inst).into_iter().flat_map(|text| text.split('+')) {
            if let Some(inst) = named(word, &INSTS) {
                order.exec_inst = order.exec_inst.with(inst);
            } else if let Some(trigger) = named(word, &TRIGGERS) {
                order.trigger = trigger.into();
            } else if let Some(self_trade) = named(word, &SELF_TRADES) {
                order.self_trade = self_trade.into();
            } else {
                let all = words(&INSTS).chain(words(&TRIGGERS)).chain(words(&SELF_TRADES));
                return Err(row.error(Key::Inst, format!("{}, joined by +", all.collect::<Vec<_>>().join(", "))));
            }
        }
        Ok(order)
    }

    fn amend_fields(&self, row: &Row<'_>, op: &str) -> Result<AmendFields> {
        let qty = row.parse(Key::Qty, exact::unsigned)?;
        let price = self.tick(row, Key::Price)?;
        let fields = AmendFields { price, qty: Qty(qty.unwrap_or(0)), ..AmendFields::default() };
        if op != "amend" {
            row.need(Key::Qty, "a quantity")?;
        }
        Ok(match op {
            "reduce" => AmendFields { price: contract::Tick(0), qty_kind: AmendQty::Reduce.into(), ..fields },
            "move" => {
                row.need(Key::Price, "a price")?;
                AmendFields { qty_kind: AmendQty::Leaves.into(), flags: AMEND_LOSES_PLACE, ..fields }
            }
            _ => AmendFields {
                stop: self.tick(row, Key::Stop)?,
                new_cl_ord_id: self.id(row, Key::NewId)?.unwrap_or(ClOrdId::NONE),
                qty_kind: if qty.is_some() { AmendQty::Total.into() } else { Code::default() },
                ..fields
            },
        })
    }
}

fn words<T>(table: &'static [(&'static str, T)]) -> impl Iterator<Item = &'static str> {
    table.iter().map(|(word, _)| *word)
}

fn named<T: Copy>(word: &str, table: &[(&str, T)]) -> Option<T> {
    table.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}

/// A word of a closed list, as its code.
fn code<T: Coded>(row: &Row<'_>, key: Key, table: &'static [(&'static str, T)]) -> Result<Option<Code<T>>> {
    let read = |text: &str| named(text, table).ok_or_else(|| words(table).collect::<Vec<_>>().join(", "));
    Ok(row.parse(key, read)?.map(Code::from))
}
