//! The SUM laws with their numbers, added up here from what the engine shows.

use contract::value::unit_value;
use contract::view::position_state;
use contract::{AccountId, Price, Xbt};
use engine::Engine;
use serde::Serialize;

use super::words::grouped;

/// A law and the numbers it is about.
#[derive(Clone, Debug, Serialize)]
pub struct Law {
    /// Its number.
    pub law: &'static str,
    /// What it says, with the numbers.
    pub text: String,
    /// Does it hold?
    pub holds: bool,
}

/// A sum over all accounts, of those that are positive and of those that are negative.
fn sums(engine: &Engine, f: impl Fn(AccountId) -> i128) -> (i128, i128) {
    let mut sums = (0, 0);
    for number in 0..engine.accounts() {
        match f(AccountId(number)) {
            part @ 1.. => sums.0 += part,
            part => sums.1 += part,
        }
    }
    sums
}

/// The laws, `deposited` being what came in from outside less what left, and `name` how accounts are called.
pub fn laws(engine: &Engine, deposited: i128, name: impl Fn(AccountId) -> String) -> Vec<Law> {
    let mark = engine.mark().unwrap_or(Price::NONE);
    let spec = engine.spec();
    let worth = if mark == Price::NONE { 0 } else { unit_value(spec, mark) };
    let of = |f: fn(&contract::event::Position) -> i64| {
        move |account| engine.position(account).map_or(0, |position| i128::from(f(&position)))
    };
    let balance = |account| engine.wallet(account).map_or(0, |wallet| i128::from(wallet.balance.0));

    let (longs, shorts) = sums(engine, of(|position| position.qty));
    let (cost_up, cost_down) = sums(engine, of(|position| position.cost.0));
    let (up, down) = sums(engine, of(|position| -position.realised.0 - position.commission.0));
    let (cost, realised_cost) = (cost_up + cost_down, up + down);
    let (shorts_worth, longs_worth) = sums(engine, |account| {
        engine.position(account).map_or(0, |position| i128::from(position_state(&position).value_at(spec, worth).0))
    });
    let (paid, received) = sums(engine, of(|position| position.commission.0));
    let (fees, fund) = (balance(AccountId::FEES), balance(AccountId::INSURANCE));
    let residue = balance(AccountId::RESIDUE);
    let (wallets, negative) = sums(engine, |account| if account.is_house() { 0 } else { balance(account) });
    let all = wallets + negative - cost + fund + fees + residue;

    let mut laws = Vec::new();
    let mut law = |number, holds, text| laws.push(Law { law: number, text, holds });
    law(
        "SUM-1",
        longs + shorts == 0,
        format!("Σ position: longs {} + shorts {} = {}", grouped(longs), grouped(shorts), grouped(longs + shorts)),
    );
    law(
        "SUM-2",
        cost + realised_cost == 0,
        format!(
            "Σ unrealised cost {} + Σ realised cost {} = {}",
            grouped(cost),
            grouped(realised_cost),
            grouped(cost + realised_cost)
        ),
    );
    law(
        "SUM-3",
        shorts_worth + longs_worth == 0,
        format!(
            "Σ value at the mark: shorts {} + longs {} = {}",
            grouped(shorts_worth),
            grouped(longs_worth),
            grouped(shorts_worth + longs_worth)
        ),
    );
    law(
        "SUM-4",
        paid + received == fees,
        format!(
            "Σ commission: paid {} + received {} = {}; fee account {}",
            grouped(paid),
            grouped(received),
            grouped(paid + received),
            grouped(fees)
        ),
    );
    law(
        "SUM-5",
        all == deposited,
        format!(
            "Σ wallets {} - Σ unrealised cost {} + fund {} + fees {} + residue {} = {}; deposits less withdrawals {}",
            grouped(wallets + negative),
            grouped(cost),
            grouped(fund),
            grouped(fees),
            grouped(residue),
            grouped(all),
            grouped(deposited)
        ),
    );
    let (least, poorest) = (AccountId::FIRST_TRADER.0..engine.accounts())
        .map(|number| (margin_balance(engine, AccountId(number), worth), number))
        .min()
        .unwrap_or_default();
    law(
        "SUM-6",
        least >= Xbt::ZERO && fund >= 0,
        format!("smallest margin balance {} ({}), fund {}", grouped(least.0), name(AccountId(poorest)), grouped(fund)),
    );
    let verdict = engine.check_sums();
    let holds = verdict.is_ok();
    let text =
        verdict.err().unwrap_or_else(|| "the engine's own check of all of these, of book, orders and lots".into());
    law("SUM-7", holds, text);
    laws
}

fn margin_balance(engine: &Engine, account: AccountId, worth: u64) -> Xbt {
    let (Some(wallet), Some(position)) = (engine.wallet(account), engine.position(account)) else { return Xbt::ZERO };
    wallet.balance + position_state(&position).unrealised_pnl(engine.spec(), worth)
}
