//! The scenario language: a test reads like a specification.
//!
//! One action a line, `->` and a fact it must say; further `->` lines are further facts, in order.
//! Where an action has no `->` nothing is expected of it but that it is not refused.
//!
//! ```
//! centum_testkit::scenario_on_twin("
//!     alice sell 100 @ 10000.0   -> alice new
//!     carol buy  250 @ 10000.0   -> carol new
//!                                -> carol take 100 fee 750   alice make 100 fee -250 leaves 0
//!     book                       -> bid 150 @ 10000.0
//! ");
//! ```
//!
//! | action | does |
//! | --- | --- |
//! | `NAME buy\|sell QTY @ PRICE` | a limit order; then any of `ioc fok post_only reduce_only`, `as ID` |
//! | `NAME buy\|sell QTY market` | a market order |
//! | `NAME amend ID` | then any of `@ PRICE`, `total\|leaves\|reduce QTY`, `as ID`, `loses_place` |
//! | `NAME cancel ID`, `NAME cancel_all [buy\|sell]` | cancels |
//! | `NAME deposit\|withdraw\|margin\|risk_limit XBT` | moves XBt (satoshi), or asks for a limit |
//! | `NAME leverage 100`, `NAME leverage cross` | leverage |
//! | `NAME class N`, `NAME suspend`, `NAME resume`, `NAME open` | the account itself |
//! | `mark PRICE`, `insurance XBT`, `clock`, `state open\|post_only\|cancel_only\|closed` | the market |
//! | `index N PRICE`, `weights W W …`, `epoch` | a constituent's price; weights, after `from HH:MM:SS` at that time; a restart |
//! | `rate PERCENT`, `at HH:MM:SS` | the funding rate, `0.01` for 0.01 %; a clock at that time, later ones follow it |
//! | `book`, `wallet NAME`, `position NAME`, `available NAME` | looks; of wallet and position only the fields named are compared |
//! | `marking fair\|index\|last`, `profile NAME`, `budget N`, `max_fills N`, `premium full\|none`, `lots N`, `no_mark` | the contract, before anything else |
//! | `places N` | places of a ranking, before anything else |
//!
//! Accounts are opened when first named, with 10 XBT unless that line is a deposit. The mark is 10000.0
//! from the first order on unless a `mark` line came before. `#` begins a comment.

mod action;
mod facts;

use std::collections::BTreeMap;
use std::fmt::Write;

use contract::codes::{MarketState, Marking, PremiumMode, Side};
use contract::command::{Action, Amount, Command, FundingRate, Index, Mark, OpenAccount, SetState};
use contract::event::{Event, EventKind};
use contract::spec::{Capacity, ContractSpec, Genesis};
use contract::units::{AccountId, Price, Qty, XBT, Xbt};

use crate::machine::Machine;
use crate::twin::Twin;

/// What an account has when a line other than a deposit names it first, XBt.
const DEFAULT_DEPOSIT: Xbt = Xbt(10 * XBT);
/// The mark where no line gave one.
const DEFAULT_MARK: Price = Price(1_000_000);

/// Runs a scenario on the twin and on the engine.
///
/// # Panics
/// A fact is not as expected: with a table of what was expected and what was said.
pub fn scenario(text: &str) {
    run::<Twin>(text);
    run::<engine::Engine>(text);
}

/// Runs a scenario on the twin alone.
///
/// # Panics
/// As [`scenario`].
pub fn scenario_on_twin(text: &str) {
    run::<Twin>(text);
}

/// Runs a scenario on one machine.
///
/// # Panics
/// As [`scenario`].
pub fn run<M: Machine>(text: &str) {
    if let Err(failure) = check::<M>(text) {
        panic!("{failure}");
    }
}

/// Runs a scenario on one machine.
///
/// # Errors
/// What was expected and what was said, in a table.
pub fn check<M: Machine>(text: &str) -> Result<(), String> {
    let mut stage = Stage::<M>::new();
    for step in steps(text)? {
        let said = stage.act(&step.words).map_err(|error| format!("line {}: {error}", step.line))?;
        let is_as_expected = match (&step.expected[..], said.is_look) {
            ([], _) => said.lines.iter().all(|line| !line.contains(" refused ")),
            ([expected], true) => facts::fields_agree(expected, said.lines.first().map_or("", |it| it)),
            (expected, _) => expected == said.lines,
        };
        if !is_as_expected {
            return Err(table(M::NAME, &step, &said.lines));
        }
        // Lines about the contract open nothing yet.
        if let Some(machine) = &stage.machine {
            machine.check_sums().map_err(|law| format!("line {}, {}: {law}", step.line, M::NAME))?;
        }
    }
    Ok(())
}

/// An action and what it must say.
struct Step {
    line: usize,
    words: Vec<String>,
    expected: Vec<String>,
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(String::from).collect()
}

/// The steps of a text.
fn steps(text: &str) -> Result<Vec<Step>, String> {
    let mut steps: Vec<Step> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or("");
        let (action, fact) = match line.split_once("->") {
            Some((action, fact)) => (words(action), Some(words(fact).join(" "))),
            None => (words(line), None),
        };
        if !action.is_empty() {
            steps.push(Step { line: at + 1, words: action, expected: Vec::new() });
        }
        if let Some(fact) = fact {
            let step = steps.last_mut().ok_or(format!("line {}: a fact needs an action before it", at + 1))?;
            step.expected.push(fact);
        }
    }
    Ok(steps)
}

/// Expected and got, side by side; the first line that differs is marked.
fn table(machine: &str, step: &Step, said: &[String]) -> String {
    let mut text = format!("line {}, {machine}: {}\n", step.line, step.words.join(" "));
    let width = step.expected.iter().map(|line| line.chars().count()).max().unwrap_or(0).max(8);
    let _ = writeln!(text, "    {:<width$} | got", "expected");
    for at in 0..step.expected.len().max(said.len()) {
        let (expected, got) = (step.expected.get(at), said.get(at));
        let mark = if expected == got { "   " } else { "-> " };
        let (expected, got) = (expected.map_or("", |it| it), got.map_or("", |it| it));
        let _ = writeln!(text, " {mark}{expected:<width$} | {got}");
    }
    text
}

/// What an action said.
struct Said {
    lines: Vec<String>,
    /// Fields of a wallet or position: only those named are compared.
    is_look: bool,
}

/// A machine with named accounts.
struct Stage<M> {
    genesis: Genesis,
    machine: Option<M>,
    accounts: BTreeMap<String, u32>,
    names: BTreeMap<u32, String>,
    seq: u64,
    ts: u64,
    has_mark: bool,
    places: usize,
}

impl<M: Machine> Stage<M> {
    fn new() -> Stage<M> {
        let spec = ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
        Stage {
            genesis: Genesis { spec, capacity: Capacity { accounts: 64, orders: 256, sessions: 4, lots: 16 } },
            machine: None,
            accounts: BTreeMap::new(),
            names: BTreeMap::from([(3, "lot".to_string())]),
            seq: 0,
            ts: 0,
            has_mark: false,
            places: usize::MAX,
        }
    }

    /// The machine, opened when it is first needed: from then on the contract stands.
    fn machine(&mut self) -> Result<&mut M, String> {
        if self.machine.is_none() {
            let mut machine = M::open(&self.genesis)?;
            machine.limit_ranking(self.places);
            self.machine = Some(machine);
        }
        Ok(self.machine.as_mut().expect("just opened"))
    }

    /// Carries out one line.
    fn act(&mut self, words: &[String]) -> Result<Said, String> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if self.set_contract(&words)? {
            return Ok(Said { lines: Vec::new(), is_look: false });
        }
        match words[..] {
            ["book"] => Ok(Said { lines: self.book()?, is_look: false }),
            ["wallet", name] => self.look(name, |machine, account| machine.wallet(account).map(facts::wallet)),
            ["position", name] => self.look(name, |machine, account| machine.position(account).map(facts::position)),
            ["available", name] => self.available(name),
            ["clock"] => self.apply(Command::new(AccountId::NONE, Action::Clock)),
            ["state", state] => {
                let state = MarketState::ALL.iter().find(|it| it.name().eq_ignore_ascii_case(&state.replace('_', "")));
                let state = (*state.ok_or(format!("no state {}", words[1]))?).into();
                self.apply(Command::new(AccountId::NONE, Action::SetState(SetState { state })))
            }
            ["mark", price] => {
                self.has_mark = true;
                let price = action::price(price)?;
                self.apply(Command::new(AccountId::NONE, Action::Mark(Mark { price })))
            }
            ["index", constituent, price] => {
                let constituent = u32::try_from(action::number(constituent)?).map_err(|_| "no such constituent")?;
                let index = Index { constituent, price: action::price(price)? };
                self.has_mark = true;
                self.apply(Command::new(AccountId::NONE, Action::Index(index)))
            }
            ["weights", ref words @ ..] => {
                let set = action::weights(words)?;
                self.apply(Command::new(AccountId::NONE, Action::SetWeights(set)))
            }
            ["epoch"] => self.apply(Command::new(AccountId::NONE, Action::Epoch)),
            ["rate", percent] => {
                let rate = action::percent(percent)?;
                self.apply(Command::new(AccountId::NONE, Action::FundingRate(FundingRate { rate })))
            }
            ["at", time] => {
                self.ts = action::time(time)?;
                self.apply(Command::new(AccountId::NONE, Action::Clock))
            }
            ["insurance", amount] => {
                let amount = Xbt(action::number(amount)?);
                self.apply(Command::new(AccountId::NONE, Action::FundInsurance(Amount { amount })))
            }
            [name, verb, ..] => {
                let account = self.account(name, verb)?;
                if verb == "open" {
                    return Ok(Said { lines: Vec::new(), is_look: false });
                }
                if matches!(verb, "buy" | "sell") {
                    self.give_mark()?;
                }
                let fee_class = self.machine()?.position(account).map_or(0, |position| position.fee_class);
                let action = action::parse(&self.genesis.spec, fee_class, &words[1..])?;
                self.apply(Command::new(account, action))
            }
            _ => Err(format!("no such action: {}", words.join(" "))),
        }
    }

    /// Lines about the contract come first.
    fn set_contract(&mut self, words: &[&str]) -> Result<bool, String> {
        let spec = &mut self.genesis.spec;
        match *words {
            ["profile", name] => {
                let profile = ContractSpec::profile(name).ok_or(format!("no such profile: {name}"))?;
                *spec = ContractSpec { marking: Marking::External, ..profile };
            }
            ["marking", "fair"] => spec.marking = Marking::Fair,
            ["marking", "index"] => spec.marking = Marking::Index,
            ["marking", "last"] => spec.marking = Marking::Last,
            ["budget", count] => spec.budget = action::number(count)? as u64,
            ["max_fills", count] => spec.max_fills = action::number(count)? as u64,
            ["premium", "full"] => spec.premium = PremiumMode::Full,
            ["premium", "none"] => spec.premium = PremiumMode::None,
            ["lots", count] => self.genesis.capacity.lots = action::number(count)? as u32,
            ["places", count] => self.places = action::number(count)? as usize,
            ["no_mark"] => self.has_mark = true,
            _ => return Ok(false),
        }
        if self.machine.is_some() {
            return Err("the contract stands once something has happened: move this line up".into());
        }
        Ok(true)
    }

    fn give_mark(&mut self) -> Result<(), String> {
        if !self.has_mark {
            self.has_mark = true;
            self.apply(Command::new(AccountId::NONE, Action::Mark(Mark { price: DEFAULT_MARK })))?;
        }
        Ok(())
    }

    /// The account of that name, opened when it is new.
    fn account(&mut self, name: &str, verb: &str) -> Result<AccountId, String> {
        if let Some(&account) = self.accounts.get(name) {
            return Ok(AccountId(account));
        }
        let account = 4 + self.accounts.len() as u32;
        self.accounts.insert(name.to_string(), account);
        self.names.insert(account, name.to_string());
        let id = AccountId(account);
        self.apply(Command::new(id, Action::OpenAccount(OpenAccount { fee_class: 0 })))?;
        if verb != "deposit" {
            self.apply(Command::new(id, Action::Deposit(Amount { amount: DEFAULT_DEPOSIT })))?;
        }
        Ok(id)
    }

    fn apply(&mut self, command: Command) -> Result<Said, String> {
        self.seq += 1;
        let command = command.stamped(self.seq, self.ts);
        let events = self.machine()?.apply(&command);
        let is_state = |event: &&Event| {
            matches!(event.kind(), Some(EventKind::Wallet | EventKind::Position | EventKind::Done) | None)
        };
        let names = |account: u32| self.names.get(&account).cloned().unwrap_or(format!("account {account}"));
        let spec = &self.genesis.spec;
        let said = events.iter().filter(|event| !is_state(event));
        Ok(Said { lines: said.filter_map(|event| facts::fact(spec, &names, event)).collect(), is_look: false })
    }

    fn look(&mut self, name: &str, fields: impl Fn(&M, AccountId) -> Option<String>) -> Result<Said, String> {
        let account = *self.accounts.get(name).ok_or(format!("{name} has not been named before"))?;
        let line = fields(self.machine()?, AccountId(account)).ok_or(format!("{name} has no account"))?;
        Ok(Said { lines: vec![line], is_look: true })
    }

    /// Looked at on the machines that can tell.
    fn available(&mut self, name: &str) -> Result<Said, String> {
        let account = *self.accounts.get(name).ok_or(format!("{name} has not been named before"))?;
        let available = self.machine()?.available(AccountId(account));
        let line = available.map_or("?".to_string(), |available| available.0.to_string());
        Ok(Said { lines: vec![line], is_look: true })
    }

    /// Levels: asks from the lowest, then bids from the highest; `empty` where there are none.
    fn book(&mut self) -> Result<Vec<String>, String> {
        let spec = self.genesis.spec;
        let machine = self.machine()?;
        let mut lines = Vec::new();
        for (side, word) in [(Side::Sell, "ask"), (Side::Buy, "bid")] {
            let mut levels: Vec<(Price, Qty)> = Vec::new();
            for order in machine.orders(side) {
                let price = spec.tick_price(order.price);
                match levels.last_mut() {
                    Some((last, qty)) if *last == price => *qty += order.leaves,
                    _ => levels.push((price, order.leaves)),
                }
            }
            lines.extend(levels.iter().map(|(price, qty)| format!("{word} {} @ {}", qty.0, facts::price(*price))));
        }
        if lines.is_empty() {
            lines.push("empty".to_string());
        }
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_shows_both_columns() {
        let failure =
            check::<Twin>("alice sell 100 @ 10000.0 -> alice new\n -> bob new").expect_err("bob says nothing");
        assert!(failure.contains("line 1, twin: alice sell 100 @ 10000.0"), "{failure}");
        assert!(failure.contains("-> bob new"), "{failure}");
    }

    #[test]
    fn a_price_off_the_grid_and_a_late_contract_line_are_told() {
        let failure = check::<Twin>("alice sell 100 @ 10000.2").expect_err("ticks are 0.5");
        assert!(failure.contains("tick"), "{failure}");
        let failure = check::<Twin>("mark 10000.0\nbudget 1").expect_err("too late");
        assert!(failure.contains("move this line up"), "{failure}");
    }
}
