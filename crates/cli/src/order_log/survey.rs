//! First reading: what the log says as a whole.

use std::collections::{HashMap, HashSet};

use contract::{ContractSpec, Tick};

use super::cells::{Item, Key, Reader, Row};
use crate::error::Result;
use crate::exact;

/// What the log says as a whole.
#[derive(Default)]
pub struct Survey {
    /// Accounts are opened by rows.
    pub has_open: bool,
    /// Accounts are funded by rows.
    pub has_deposit: bool,
    /// Risk limits are set by rows.
    pub has_risk_limit: bool,
    /// The mark comes from rows.
    pub has_mark: bool,
    /// The funding rate comes from rows.
    pub has_rate: bool,
    /// The index comes from rows.
    pub has_index: bool,
    /// The first order price.
    pub first_price: Option<Tick>,
    /// Line of the first order.
    pub first_order: Option<u64>,
    /// The accounts in the order of their numbers.
    pub accounts: Vec<String>,
    /// The account whose order has this id; `None` where several have.
    pub owner: HashMap<String, Option<u32>>,
    /// The most orders that can be live at once.
    pub live_orders: u64,
}

/// Reads a log through once.
pub fn survey(reader: &mut Reader<'_>, spec: &ContractSpec) -> Result<Survey> {
    let mut survey = Survey::default();
    let mut names = Names::default();
    // An upper bound of the live orders: cancels of ids that are live count, fills do not.
    let mut live: HashSet<(u32, String)> = HashSet::new();
    let mut nameless = 0;
    while let Some(item) = reader.next_item()? {
        let Item::Row(row) = item else { continue };
        let account = row.get(Key::Account).map(|name| names.number(name));
        match row.need(Key::Op, "an operation")? {
            "open" => {
                survey.has_open = true;
                account.into_iter().for_each(|account| names.open(account));
            }
            "deposit" => survey.has_deposit = true,
            "risk_limit" => survey.has_risk_limit = true,
            "mark" => survey.has_mark = true,
            "rate" => survey.has_rate = true,
            "index" => survey.has_index = true,
            "new" => {
                survey.first_order.get_or_insert(row.line.number);
                survey.take_price(&row, spec)?;
                survey.take_id(&row, Key::Id, account);
                let rests = !matches!(row.get(Key::Tif), Some("ioc" | "fok")) && row.get(Key::Type) != Some("market");
                if let (true, Some(account), Some(id)) = (rests, account, row.get(Key::Id)) {
                    live.insert((account, id.to_owned()));
                } else if rests {
                    nameless += 1;
                }
            }
            "cancel" => {
                if let (Some(account), Some(id)) = (survey.account_of(&row, account), row.get(Key::Id)) {
                    live.remove(&(account, id.to_owned()));
                }
            }
            "amend" => survey.take_id(&row, Key::NewId, account),
            _ => {}
        }
        survey.live_orders = survey.live_orders.max(live.len() as u64 + nameless);
    }
    let (accounts, places) = names.into_order();
    survey.accounts = accounts;
    #[allow(clippy::iter_over_hash_type)] // each value by itself: the order cannot matter
    for owner in survey.owner.values_mut() {
        *owner = owner.map(|number| places[number as usize]);
    }
    Ok(survey)
}

/// The accounts' names, numbered from 0 by first appearance.
#[derive(Default)]
struct Names {
    all: Vec<String>,
    by_name: HashMap<String, u32>,
    /// Those that rows open, in that order.
    opened: Vec<u32>,
    is_opened: Vec<bool>,
}

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.by_name.get(name) {
            return *number;
        }
        let number = self.all.len() as u32;
        self.all.push(name.to_owned());
        self.is_opened.push(false);
        self.by_name.insert(name.to_owned(), number);
        number
    }

    fn open(&mut self, number: u32) {
        if !std::mem::replace(&mut self.is_opened[number as usize], true) {
            self.opened.push(number);
        }
    }

    /// The order in which the engine will number them, and the place of each in it. Accounts that
    /// rows open come first, as the engine opens them; a name that is never opened must not take
    /// the number of one that is.
    fn into_order(self) -> (Vec<String>, Vec<u32>) {
        let never = (0..self.all.len() as u32).filter(|number| !self.is_opened[*number as usize]);
        let order: Vec<u32> = self.opened.iter().copied().chain(never).collect();
        let mut places = vec![0; order.len()];
        for (place, number) in order.iter().enumerate() {
            places[*number as usize] = place as u32;
        }
        (order.iter().map(|number| self.all[*number as usize].clone()).collect(), places)
    }
}

impl Survey {
    fn take_price(&mut self, row: &Row<'_>, spec: &ContractSpec) -> Result<()> {
        if self.first_price.is_none() {
            let price = row.parse(Key::Price, |text| exact::tick(text, spec))?;
            self.first_price = price.filter(|tick| tick.0 > 0 && *tick <= spec.max_tick());
        }
        Ok(())
    }

    fn take_id(&mut self, row: &Row<'_>, key: Key, account: Option<u32>) {
        let Some(id) = row.get(key) else { return };
        let account = self.account_of(row, account);
        let owner = self.owner.entry(id.to_owned()).or_insert(account);
        if *owner != account {
            *owner = None;
        }
    }

    /// The account of a row: the one it names, else the only one that has its id.
    pub fn account_of(&self, row: &Row<'_>, account: Option<u32>) -> Option<u32> {
        account.or_else(|| self.owner.get(row.get(Key::Id)?).copied().flatten())
    }
}
