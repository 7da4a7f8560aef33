//! How often everything happened.

use std::collections::BTreeMap;
use std::fmt;

use contract::codes::{CancelReason, FillCause, InsuranceCause, LiquidationStep, MarketState, Marking};
use contract::command::{Command, CommandKind};
use contract::event::{Event, Fact};
use contract::funding::{largest_change, largest_rate};
use contract::reject::Reject;
use contract::spec::ContractSpec;
use contract::units::Rate;

use crate::twin::Twin;

/// What cannot happen in this build, and why.
const NEVER: &[(&str, &str, &str)] = &[
    ("reject", "InvalidPriceTick", "prices in records are ticks"),
    ("reject", "InvalidStopTick", "prices in records are ticks"),
    ("reject", "InvalidDisplayForExecInst", "displayed quantities are refused before"),
    ("reject", "PriceBelowLimitDown", "reserved: there are no price bands"),
    ("reject", "AccountRiskLimit", "reserved"),
    ("reject", "MarginCall", "reserved"),
    ("cancel", "Suspended", "BAL-1 suspends and cancels nothing"),
];

const WEIGHTS: &str = "weights";
const RESTART: &str = "restart";
/// No constituent is fresh.
const STALE: &str = "stale";
/// An order that reduces passed meanwhile.
const REDUCES: &str = "stale, order passed";
const MOVED: &str = "moved";
/// A pass is open behind a command.
const OPEN: &str = "pass is open";
/// The command's own account was settled before its turn.
const AHEAD: &str = "own account ahead";
/// A maker was, in the middle of a match.
const IN_A_FILL: &str = "maker ahead";
/// Who paid and was liquidated by the same command.
const LIQUIDATED: &str = "liquidated";

/// Some of those whom a mark has made due are still to be found when a command is carried out.
const FINDING: &str = "under way";
const FINDING_HALTED: &str = "in a halt";
const FINDING_STALE: &str = "without an index";
const FINDING_IN_A_PASS: &str = "behind a funding pass";
/// What somebody who is due asked for was refused meanwhile; an order met others, due or not.
const FINDING_REFUSED: &str = "own account due";
const FINDING_TRADES: &str = "trade";

/// A ranking behind a command had no place for somebody.
const CUT: &str = "cut";
/// It serves some lots only: the first of the others may not be closed as far away as these.
const NARROW: &str = "narrow";

/// An early key had to make room for another; a mark reached an account.
const MADE_EXACT: &str = "made exact";
const REACHED: &str = "reached";

/// Minutes that changed the indicative rate.
const SAMPLED: &str = "sampled";
/// A rate that an interval came to.
const COMPUTED: &str = "computed";
/// The largest rate, and the largest change of it.
const AT_CAP: &str = "at the cap";
const AT_STEP: &str = "at the largest change";
/// It differs by marking.
const BY_MARKING: [(Marking, &str, &str); 3] = [
    (Marking::Fair, "sampled, fair", "computed, fair"),
    (Marking::Index, "sampled, index", "computed, index"),
    (Marking::Last, "sampled, last", "computed, last"),
];
/// Marking by the last trade: a new mark behind a trade.
const BY_TRADE: &str = "marked by a trade";

/// Counts of command kinds, refusals, fill causes, cancel reasons, liquidation steps, what became of parts, funding,
/// rates, index, rankings, and causes of the fund's changes.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Tally {
    counts: BTreeMap<(&'static str, &'static str), u64>,
    /// The rate in force as told last.
    rate: Rate,
}

impl Tally {
    /// Nothing counted, everything listed.
    #[must_use]
    pub fn new() -> Tally {
        let mut tally = Tally::default();
        let mut list = |group, names: Vec<&'static str>| {
            for name in names {
                tally.counts.insert((group, name), 0);
            }
        };
        list("command", CommandKind::ALL.iter().map(|it| it.name()).collect());
        list("reject", Reject::ALL.iter().map(|it| it.name()).collect());
        list("fill", FillCause::ALL.iter().map(|it| it.name()).collect());
        list("cancel", CancelReason::ALL.iter().map(|it| it.name()).collect());
        list("step", LiquidationStep::ALL.iter().map(|it| it.name()).collect());
        list("event", vec!["Funding", "FundingRate", "IndexMark"]);
        list("index", vec![WEIGHTS, RESTART, STALE, REDUCES, MOVED]);
        list("funding", vec![OPEN, AHEAD, IN_A_FILL, LIQUIDATED]);
        list("rate", vec![SAMPLED, COMPUTED, AT_CAP, AT_STEP, BY_TRADE]);
        list("rate", BY_MARKING.iter().flat_map(|(_, sampled, computed)| [*sampled, *computed]).collect());
        list("ranking", vec![CUT, NARROW]);
        list("finding", vec![FINDING, FINDING_HALTED, FINDING_STALE, FINDING_IN_A_PASS]);
        list("finding", vec![FINDING_REFUSED, FINDING_TRADES]);
        list("part", vec!["filled", "killed"]);
        list("insurance", InsuranceCause::ALL.iter().map(|it| it.name()).collect());
        for (group, name, _) in NEVER {
            assert!(tally.counts.remove(&(group, name)).is_some(), "{group} {name} is no name");
        }
        tally
    }

    /// Counts a command and what it said.
    pub fn count(&mut self, command: &Command, events: &[Event]) {
        self.add("command", command.kind().map_or("unknown", |kind| kind.name()));
        for (at, event) in events.iter().enumerate() {
            match event.fact() {
                Some(Fact::Liquidation(it)) if it.step.get() == Some(LiquidationStep::Part) => {
                    self.add("step", "Part");
                    // Its order is accepted, then filled or killed.
                    let is_filled = matches!(events.get(at + 2).and_then(Event::fact), Some(Fact::Fill(_)));
                    self.add("part", if is_filled { "filled" } else { "killed" });
                }
                Some(Fact::Rejected(it)) => self.add("reject", it.reject().map_or("unknown", |it| it.name())),
                Some(Fact::Fill(it)) => self.add("fill", it.cause.get().map_or("unknown", |it| it.name())),
                Some(Fact::Canceled(it)) => self.add("cancel", it.cancel_reason().map_or("unknown", |it| it.name())),
                Some(Fact::Liquidation(it)) => self.add("step", it.step.get().map_or("unknown", |it| it.name())),
                Some(Fact::Insurance(it)) => self.add("insurance", it.cause.get().map_or("unknown", |it| it.name())),
                Some(fact) => self.add("event", fact.kind().name()),
                None => self.add("event", "unknown"),
            }
        }
    }

    /// Counts what a command found of the index, and whether it is stale behind it.
    pub fn count_index(&mut self, command: &Command, events: &[Event], is_stale: bool) {
        let is_refused = events.iter().any(|event| matches!(event.fact(), Some(Fact::Rejected(_))));
        match command.kind() {
            Some(CommandKind::SetWeights) if !is_refused => self.add("index", WEIGHTS),
            Some(CommandKind::Epoch) if !is_refused => self.add("index", RESTART),
            _ => {}
        }
        if is_stale {
            self.add("index", STALE);
            let is_passed = command.kind() == Some(CommandKind::New) && !is_refused;
            self.counts.entry(("index", REDUCES)).and_modify(|count| *count += u64::from(is_passed)).or_default();
        }
        for event in events {
            match event.fact() {
                Some(Fact::IndexMark(it)) if it.index.0 != 0 => self.add("index", MOVED),
                _ => {}
            }
        }
    }

    /// Counts what rankings stand behind a command.
    pub fn count_rankings(&mut self, is_cut: bool, is_narrow: bool) {
        for (name, is_so) in [(CUT, is_cut), (NARROW, is_narrow)] {
            if is_so {
                self.add("ranking", name);
            }
        }
    }

    /// Counts what a command found where some of those whom a mark has made due were still to be found.
    pub fn count_finding(&mut self, twin: &Twin, events: &[Event]) {
        if !twin.was_finding() {
            return;
        }
        self.add("finding", FINDING);
        let is_halted = matches!(twin.market_state(), MarketState::CancelOnly | MarketState::Closed);
        for (name, is_so) in
            [(FINDING_HALTED, is_halted), (FINDING_STALE, twin.is_mark_stale()), (FINDING_IN_A_PASS, twin.is_passing())]
        {
            if is_so {
                self.add("finding", name);
            }
        }
        for event in events {
            match event.fact() {
                Some(Fact::Rejected(it)) if it.reject() == Some(Reject::InLiquidation) => {
                    self.add("finding", FINDING_REFUSED);
                }
                Some(Fact::Fill(it)) if it.cause.get() == Some(FillCause::Trade) => {
                    self.add("finding", FINDING_TRADES);
                }
                _ => {}
            }
        }
    }

    /// Counts what a command found of funding: a pass that goes on behind it, and who was settled out of turn.
    pub fn count_funding(&mut self, command: &Command, events: &[Event], is_open: bool) {
        if is_open {
            self.add("funding", OPEN);
        }
        let is_funding = |event: &Event| matches!(event.fact(), Some(Fact::Funding(_)));
        let paid: Vec<u32> = events.iter().filter(|event| is_funding(event)).map(|event| event.account().0).collect();
        if is_open && paid.last() == Some(&command.account().0) {
            self.add("funding", AHEAD);
        }
        for two in events.windows(2) {
            if is_funding(&two[0])
                && let Some(Fact::Fill(fill)) = two[1].fact()
                && fill.maker_account == two[0].account().0
            {
                self.add("funding", IN_A_FILL);
            }
        }
        let due = events.iter().filter(|event| matches!(event.fact(), Some(Fact::Liquidation(_))));
        if due.into_iter().any(|event| paid.contains(&event.account().0)) {
            self.add("funding", LIQUIDATED);
        }
    }

    /// Counts what a command found of premiums, of rates that are computed, and of marks that trades make.
    pub fn count_rates(&mut self, spec: &ContractSpec, events: &[Event]) {
        let Some((marking, sampled, computed)) = BY_MARKING.into_iter().find(|(marking, ..)| *marking == spec.marking)
        else {
            return;
        };
        let mut has_traded = false;
        for event in events {
            match event.fact() {
                Some(Fact::FundingRate(it)) if it.rate == self.rate => {
                    self.add("rate", SAMPLED);
                    self.add("rate", sampled);
                }
                Some(Fact::FundingRate(it)) => {
                    let change = it.rate.0 - self.rate.0;
                    self.rate = it.rate;
                    self.add("rate", COMPUTED);
                    self.add("rate", computed);
                    let to_1e_6 = |rate: Rate| (rate.0 + 50) / 100 * 100;
                    if it.rate.0.abs() == to_1e_6(largest_rate(spec.initial_margin, spec.maintenance_margin)) {
                        self.add("rate", AT_CAP);
                    }
                    if change.abs() == to_1e_6(largest_change(spec.maintenance_margin)) {
                        self.add("rate", AT_STEP);
                    }
                }
                Some(Fact::Fill(it)) => has_traded |= it.cause.get() == Some(FillCause::Trade),
                Some(Fact::IndexMark(_)) if has_traded && marking == Marking::Last => self.add("rate", BY_TRADE),
                _ => {}
            }
        }
    }

    /// Notes how many liquidation keys were made exact because another one became early, and how many accounts marks
    /// have reached.
    pub fn note_keys(&mut self, made_exact: u64, reached: u64) {
        self.counts.insert(("key", MADE_EXACT), made_exact);
        self.counts.insert(("key", REACHED), reached);
    }

    fn add(&mut self, group: &'static str, name: &'static str) {
        *self.counts.entry((group, name)).or_insert(0) += 1;
    }

    /// Adds another tally.
    pub fn merge(&mut self, other: &Tally) {
        for (&key, &count) in &other.counts {
            *self.counts.entry(key).or_insert(0) += count;
        }
    }

    /// What happened less often than `least`.
    #[must_use]
    pub fn rarer_than(&self, least: u64) -> Vec<String> {
        self.counts
            .iter()
            .filter(|&(_, &count)| count < least)
            .map(|((group, name), count)| format!("{group} {name}: {count}"))
            .collect()
    }
}

/// A table, one line a group, and what cannot happen with its reason.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut current = "";
        for ((group, name), count) in &self.counts {
            if *group != current {
                writeln!(f, "{group}")?;
                current = group;
            }
            writeln!(f, "  {name:<28}{count:>12}")?;
        }
        writeln!(f, "never")?;
        for (group, name, why) in NEVER {
            writeln!(f, "  {group} {name}: {why}")?;
        }
        Ok(())
    }
}
