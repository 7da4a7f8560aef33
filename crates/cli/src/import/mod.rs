//! Importers: a recording of a venue becomes commands and what it says must come of them.
//!
//! Each is a small module with its own contract. The engine does the matching and the sums; an
//! importer keeps no book but what the recording itself expects. `docs/replay.md` lists what each
//! compares and the closed list of causes by which a difference may be explained.

pub mod bitmex_trades;
pub mod bitmex_wallet;
pub mod bitmex_ws;
pub mod bitstamp;
pub mod tape;

use contract::command::{Amount, Mark, OpenAccount};
use contract::{AccountId, Action, ContractSpec, MarginModel, Marking, Price, Xbt};

use crate::checks::Checks;
use crate::error::Result;
use crate::fills::FillSink;
use crate::run::Run;

/// What an account without limit is funded with.
pub const UNLIMITED: Xbt = Xbt(1 << 60);

/// What the operator asked for beside the source.
#[derive(Default)]
pub struct Options {
    /// The contract given with `--spec`.
    pub spec: Option<ContractSpec>,
    /// Where fills go beside the tally.
    pub sink: FillSink,
}

/// The same contract for a recording of which only the matching and the sums per trade are tested:
/// the mark is given, no risk limit and no budget stands in the way.
#[must_use]
pub fn without_limits(spec: ContractSpec) -> ContractSpec {
    ContractSpec {
        marking: Marking::External,
        margin_model: MarginModel::Classic,
        budget: u64::MAX,
        max_fills: 1 << 20,
        max_open_orders: 0,
        ..without_risk_limit(spec)
    }
}

/// The same contract with one tier, whose limit no account reaches.
#[must_use]
pub fn without_risk_limit(spec: ContractSpec) -> ContractSpec {
    ContractSpec { risk_limit: Xbt((1 << 60) - 1), risk_step: Xbt(0), max_tier: 0, ..spec }
}

/// Opens a trader's account, funded without limit.
pub fn open_unlimited(run: &mut Run, account: AccountId, ts: u64, checks: &mut Checks) -> Result<()> {
    run.apply(account, Action::OpenAccount(OpenAccount { fee_class: 0 }), ts, checks)?;
    run.apply(account, Action::Deposit(Amount { amount: UNLIMITED }), ts, checks)?;
    Ok(())
}

/// Sets the mark.
pub fn set_mark(run: &mut Run, price: Price, ts: u64, checks: &mut Checks) -> Result<()> {
    run.apply(AccountId::NONE, Action::Mark(Mark { price }), ts, checks)?;
    Ok(())
}
