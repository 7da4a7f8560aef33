//! The naive twin: the whole engine a second time, in obvious code.
//!
//! In    the commands the engine gets.
//! Out   the events the engine must give, field by field.
//! Laws  nothing is cached: sums, prices and priorities are found anew by looking at everything.
//!
//! It is written from `docs/commands.md` and the rules, shares only records, enumerations, units and
//! the specification's data with the engine, and calls no computing function of the contract crate.
//! Correct first, readable second, fast never.

mod account;
mod admit;
mod agenda;
mod book;
mod deleverage;
mod funding;
mod funds;
mod halt;
mod index;
mod laws;
mod liquidation;
mod margin;
mod market;
mod money;
mod orders;
mod outbox;
mod premium;
mod ranking;
mod reserve;
mod review;
mod settle;
mod step_down;
mod view;

use std::collections::{BTreeMap, VecDeque};

use contract::codes::{MarketState, Marking};
use contract::command::Command;
use contract::event::{Event, Fact};
use contract::spec::{Capacity, Genesis};
use contract::units::Price;

use account::Account;
use admit::Refusal;
use agenda::{CancelAllTask, Process};
use book::Order;
use funding::Pass;
use index::Indices;
use liquidation::Lot;
use market::Market;
use outbox::Now;
use premium::Sample;
use ranking::{PLACES, Ranking};

pub use view::{LotView, OrderView};

/// The naive twin of the engine.
///
/// ```
/// use centum_testkit::twin::Twin;
/// use contract::codes::Marking;
/// use contract::command::{Action, Command, OpenAccount};
/// use contract::spec::{Capacity, ContractSpec, Genesis};
/// use contract::units::AccountId;
/// let spec = ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
/// let mut twin = Twin::new(&Genesis { spec, capacity: Capacity::default() }).unwrap();
/// let open = Command::new(AccountId(4), Action::OpenAccount(OpenAccount { fee_class: 0 }));
/// assert_eq!(twin.apply(&open.stamped(1, 0)).len(), 2); // Wallet, Position
/// assert_eq!(twin.check_sums(), Ok(()));
/// ```
pub struct Twin {
    market: Market,
    capacity: Capacity,
    /// By number; 0 to 3 are the house's, of which only the count of events is used.
    accounts: Vec<Account>,
    /// Live orders, those of lots included, in the order in which they came to their places.
    orders: Vec<Order>,
    /// Slots of orders that are gone, in the order in which they went; none of them is used again yet.
    slots_given_back: Vec<u32>,
    /// Slots that were ever used: these, from 0 on.
    slots_used: u32,
    /// Lots of the liquidation account, oldest first.
    lots: Vec<Lot>,
    /// Orders and lots numbered so far.
    numbered: u64,
    /// Last request of each session.
    sessions: BTreeMap<u32, u64>,
    /// What the insurance fund holds, XBt.
    fund: i128,
    /// Σ trade fees less rebates, XBt.
    fees: i128,
    /// Σ funding paid less received, XBt. (Rule FUND-4)
    residue: i128,
    /// The funding rate in force.
    rate: i128,
    /// The newest rate that came while the agenda held something.
    waiting_rate: Option<i128>,
    /// The next funding instant, ns; none before the first command, and where time ends before it.
    next_instant: Option<u64>,
    has_begun: bool,
    pass: Option<Pass>,
    /// The last premium found, and those of the interval under way.
    premium: i128,
    samples: Vec<Sample>,
    index: Indices,
    /// Σ deposits (of the fund too) less withdrawals, XBt.
    deposited: i128,
    /// Σ realised cost of the liquidation account, XBt.
    liquidation_realised: i128,
    cancel_alls: VecDeque<CancelAllTask>,
    /// How many of those whom a mark has made due are still to be found, a step each.
    to_be_found: u64,
    process: Option<Process>,
    /// Of shorts, of longs.
    rankings: [Option<Ranking>; 2],
    /// Places of a ranking.
    places: usize,
    state: MarketState,
    /// The newest mark that came while the agenda held something.
    waiting_mark: Option<Price>,
    last_seq: Option<u64>,
    now: Now,
}

impl Twin {
    /// A twin with nothing in it.
    ///
    /// # Errors
    /// The specification cannot be traded, or not by the twin, and why.
    pub fn new(genesis: &Genesis) -> Result<Twin, String> {
        genesis.spec.validate().map_err(|error| error.to_string())?;
        genesis.capacity.validate().map_err(|error| error.to_string())?;
        Ok(Twin {
            market: Market { spec: genesis.spec, mark: None },
            capacity: genesis.capacity,
            accounts: vec![Account::default(); 4],
            orders: Vec::new(),
            slots_given_back: Vec::new(),
            slots_used: 0,
            lots: Vec::new(),
            numbered: 0,
            sessions: BTreeMap::new(),
            fund: 0,
            fees: 0,
            residue: 0,
            rate: 0,
            waiting_rate: None,
            next_instant: None,
            has_begun: false,
            pass: None,
            premium: 0,
            samples: Vec::new(),
            index: Indices::default(),
            deposited: 0,
            liquidation_realised: 0,
            cancel_alls: VecDeque::new(),
            to_be_found: 0,
            process: None,
            rankings: [None, None],
            places: PLACES,
            state: MarketState::Open,
            waiting_mark: None,
            last_seq: None,
            now: Now::default(),
        })
    }

    /// One command: the agenda, the command, the agenda again, the state of who was touched.
    pub fn apply(&mut self, command: &Command) -> Vec<Event> {
        assert!(self.last_seq.is_none_or(|last| command.seq() == last + 1), "sequence numbers rise by one");
        assert!(command.ts() >= self.now.ts, "stamps never fall");
        self.last_seq = Some(command.seq());
        self.now = Now::of(command);
        for account in &mut self.accounts {
            account.realised_by_command = 0;
        }

        let mut budget = self.market.spec.budget;
        self.work(&mut budget);
        // A pass that is still open has settled the command's own account before the command.
        let own = command.account().0;
        if own >= 4 && (own as usize) < self.accounts.len() {
            self.settle_ahead(own);
            self.review(None);
            self.cut_rankings();
        }

        self.now.is_agenda = false;
        self.now.is_finding = self.to_be_found > 0;
        if let Err(refusal) = self.carry_out(command) {
            self.reject(command, refusal);
        }
        self.review(Some(command.account().0));
        self.cut_rankings();

        self.now.is_agenda = true;
        self.work(&mut budget);

        self.say_states();
        self.say_last()
    }

    /// Refused, or carried out. A refusal changes nothing but the session's last request.
    fn carry_out(&mut self, command: &Command) -> Result<(), Refusal> {
        self.admit_session(command)?;
        let action = self.admit_record(command)?;
        self.act(command.account().0, command.instrument(), action)
    }

    /// Steps of waiting work while there is budget; a rate that waits, then a mark that waits, come as soon as none
    /// is left.
    fn work(&mut self, budget: &mut u64) {
        loop {
            let behind = self.sample_minutes();
            self.reach_instant();
            self.samples.extend(behind);
            self.reach_minute();
            if self.nothing_waits() {
                self.rankings = [None, None];
                if let Some(rate) = self.waiting_rate.take() {
                    self.put_rate_in_force(rate);
                    continue;
                }
                let Some(mark) = self.waiting_mark.take() else { return };
                self.take_mark(mark);
            } else if *budget == 0 || (self.is_halted() && self.nothing_waits_in_a_halt()) {
                return;
            } else {
                *budget -= 1;
                self.step();
                self.review(None);
                self.cut_rankings();
            }
        }
    }

    /// `Wallet` and `Position` of every trader that was touched, by rising number.
    fn say_states(&mut self) {
        for account in 4..self.accounts.len() as u32 {
            if self.now.touched_wallets.contains(&account) {
                let wallet = self.wallet_of(account);
                self.say(Some(account), Fact::Wallet(wallet));
            }
            if self.now.touched_positions.contains(&account) {
                let position = self.position_of(account);
                self.say(Some(account), Fact::Position(position));
            }
        }
    }

    fn marks_come_from_outside(&self) -> bool {
        self.market.spec.marking == Marking::External
    }

    fn next_number(&mut self) -> u64 {
        self.numbered += 1;
        self.numbered
    }
}

#[cfg(test)]
mod tests;
