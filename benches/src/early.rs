//! A market in which everybody in cross margin has traded and had an order, so that liquidation keys are early.

use contract::command::{Amount, Mark, OpenAccount};
use contract::*;
use engine::Discard;

use crate::{FIRST, Recording, Stage, limit};

/// Contracts of each: few, so that one account may be short of all of them.
const QTY: u64 = 1;
/// What each has: 15 % of the position's value.
const DEPOSIT: i64 = 1_500;
/// Half of what is available is lost at 9304, all that may be at 8739.
const FALLEN: Price = Price(900_000);

/// A mark between the early keys of so many accounts and their liquidation prices, where nobody is due.
///
/// # Panics
/// Where somebody is.
#[must_use]
pub fn fall_to_early_keys(accounts: u32, budget: u64) -> Recording {
    let capacity = Capacity { accounts: FIRST + accounts + 1, orders: 1_024, sessions: 1, lots: 1 };
    let mut stage = Stage::new(capacity, budget);
    stage.mark(Price(1_000_000));
    let maker = FIRST + accounts;
    for account in FIRST..maker {
        stage.apply(account, Action::OpenAccount(OpenAccount { fee_class: 0 }));
        stage.apply(account, Action::Deposit(Amount { amount: Xbt(DEPOSIT) }));
    }
    stage.open(maker, 1_000_000_000_000_000, 0);
    for account in FIRST..maker {
        stage.apply(maker, Action::New(limit(Side::Sell, 20_000, QTY)));
        stage.apply(account, Action::New(limit(Side::Buy, 20_000, QTY)));
    }
    for step in 0..accounts {
        let account = FIRST + scattered(step, accounts);
        let name = ClOrdId::new("a").expect("a name");
        let order = NewOrder::limit(name, Side::Buy, Tick(15_000), Qty(1));
        stage.apply(account, Action::New(order));
        stage.apply(account, Action::Cancel(contract::command::Cancel { target: Target::ClOrdId(name) }));
    }
    stage.record(Action::Mark(Mark { price: FALLEN }), |event| {
        assert!(!matches!(event.fact(), Some(Fact::Liquidation(_))), "nobody is due");
    })
}

/// A number below `accounts` for each step: one after the other lie far apart.
fn scattered(step: u32, accounts: u32) -> u32 {
    // A prime, so that everybody has his turn where it does not divide their number.
    (u64::from(step) * 7_919 % u64::from(accounts)) as u32
}

/// How many accounts the marks of a recording reach.
#[must_use]
pub fn looks(recording: &Recording) -> u64 {
    let mut engine = recording.engine.clone();
    let before = engine.looks();
    recording.commands.iter().for_each(|command| engine.apply(command, &mut Discard));
    engine.looks() - before
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law 4: of 9,000 whose keys were early once, those of 8,192 are, and the mark reaches these.
    #[test]
    fn a_mark_reaches_no_more_early_keys_than_there_are_places() {
        assert_eq!(looks(&fall_to_early_keys(1_000, 1_000)), 1_000);
        assert_eq!(looks(&fall_to_early_keys(9_000, 1_000)), 8_192);
    }
}
