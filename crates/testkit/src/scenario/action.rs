//! Text to commands. Prices are decimal text and must be exact.

use contract::cl_ord_id::ClOrdId;
use contract::codes::{AmendQty, ExecInst, Side, TimeInForce};
use contract::command::{
    AMEND_LOSES_PLACE, Action, Amend, AmendFields, Amount, Cancel, CancelAll, NewOrder, SetAccount, SetLeverage,
    SetWeights, Target,
};
use contract::spec::ContractSpec;
use contract::units::{Leverage, Price, Qty, Rate, Tick, Xbt};
use contract::words::Code;

/// A whole number; `_` and `,` may separate its digits.
pub(super) fn number(text: &str) -> Result<i64, String> {
    let digits: String = text.chars().filter(|it| !matches!(it, '_' | ',')).collect();
    digits.parse().map_err(|_| format!("{text} is no whole number"))
}

/// Hundredths of decimal text with at most two places.
fn hundredths(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text} is no number with at most two places");
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || places.len() > 2 || !(whole.to_string() + places).bytes().all(|it| it.is_ascii_digit()) {
        return Err(wrong());
    }
    format!("{whole}{places:0<2}").parse().map_err(|_| wrong())
}

/// A rate in percent with at most six places, `-0.0024`.
pub(super) fn percent(text: &str) -> Result<Rate, String> {
    let wrong = || format!("{text} is no rate in percent with at most six places");
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || places.len() > 6 || !(whole.to_string() + places).bytes().all(|it| it.is_ascii_digit()) {
        return Err(wrong());
    }
    let rate: i64 = format!("{whole}{places:0<6}").parse().map_err(|_| wrong())?;
    Ok(Rate(sign * rate))
}

/// Weights, in force from now on or `from` a time.
pub(super) fn weights(words: &[&str]) -> Result<SetWeights, String> {
    let (effective_ts, words) = match *words {
        ["from", at, ref rest @ ..] => (time(at)?, rest),
        ref rest => (0, rest),
    };
    let mut set = SetWeights { count: words.len() as u8, effective_ts, ..SetWeights::default() };
    for (weight, word) in set.weights.iter_mut().zip(words) {
        *weight = u32::try_from(number(word)?).map_err(|_| format!("{word} is no weight"))?;
    }
    Ok(set)
}

/// A time of the first day, `04:00:00`, or later, `28:00:00`, ns.
pub(super) fn time(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text} is no time such as 04:00:00");
    let parts: Vec<u64> = text.split(':').map(|part| part.parse().map_err(|_| wrong())).collect::<Result<_, _>>()?;
    let [hours, minutes, seconds] = parts[..] else { return Err(wrong()) };
    Ok((hours * 3_600 + minutes * 60 + seconds) * 1_000_000_000)
}

/// A price in USD.
pub(super) fn price(text: &str) -> Result<Price, String> {
    hundredths(text).map(Price)
}

/// A price that lies on a tick.
fn tick(spec: &ContractSpec, text: &str) -> Result<Tick, String> {
    let Price(cents) = price(text)?;
    if cents % spec.tick_size.0 != 0 {
        return Err(format!("{text} is not on the grid: the tick is {}", spec.tick_size));
    }
    u32::try_from(cents / spec.tick_size.0).map(Tick).map_err(|_| format!("{text} has no tick"))
}

fn qty(text: &str) -> Result<Qty, String> {
    u64::try_from(number(text)?).map(Qty).map_err(|_| format!("{text} is no quantity"))
}

fn client(text: &str) -> Result<ClOrdId, String> {
    ClOrdId::new(text).ok_or(format!("{text} is no client id"))
}

/// The action of an account: `words` without its name. `fee_class` is the account's.
pub(super) fn parse(spec: &ContractSpec, fee_class: u8, words: &[&str]) -> Result<Action, String> {
    let amount = |text: &str| number(text).map(|amount| Amount { amount: Xbt(amount) });
    match *words {
        ["buy", size, ref rest @ ..] => order(spec, Side::Buy, size, rest),
        ["sell", size, ref rest @ ..] => order(spec, Side::Sell, size, rest),
        ["amend", id, ref rest @ ..] => amend(spec, id, rest),
        ["cancel", id] => Ok(Action::Cancel(Cancel { target: Target::ClOrdId(client(id)?) })),
        ["cancel_all"] => Ok(Action::CancelAll(CancelAll::default())),
        ["cancel_all", "buy"] => Ok(Action::CancelAll(CancelAll { side: Side::Buy.into() })),
        ["cancel_all", "sell"] => Ok(Action::CancelAll(CancelAll { side: Side::Sell.into() })),
        ["deposit", text] => Ok(Action::Deposit(amount(text)?)),
        ["withdraw", text] => Ok(Action::Withdraw(amount(text)?)),
        ["margin", text] => Ok(Action::TransferMargin(amount(text)?)),
        ["risk_limit", text] => Ok(Action::SetRiskLimit(amount(text)?)),
        ["leverage", "cross"] => Ok(Action::SetLeverage(SetLeverage { leverage: Leverage::CROSS })),
        ["leverage", text] => {
            let leverage = u32::try_from(hundredths(text)?).map_err(|_| format!("{text} is no leverage"))?;
            Ok(Action::SetLeverage(SetLeverage { leverage: Leverage(leverage) }))
        }
        ["class", text] => {
            let fee_class = u8::try_from(number(text)?).map_err(|_| format!("{text} is no fee class"))?;
            Ok(Action::SetAccount(SetAccount { fee_class, suspended: 0 }))
        }
        ["suspend"] => Ok(Action::SetAccount(SetAccount { fee_class, suspended: 1 })),
        ["resume"] => Ok(Action::SetAccount(SetAccount { fee_class, suspended: 0 })),
        _ => Err(format!("no such action: {}", words.join(" "))),
    }
}

fn order(spec: &ContractSpec, side: Side, size: &str, rest: &[&str]) -> Result<Action, String> {
    let size = qty(size)?;
    let (mut order, mut rest) = match *rest {
        ["@", at, ref rest @ ..] => (NewOrder::limit(ClOrdId::NONE, side, tick(spec, at)?, size), rest),
        ["market", ref rest @ ..] => (NewOrder::market(ClOrdId::NONE, side, size), rest),
        _ => return Err("an order needs `@ PRICE` or `market`".to_string()),
    };
    while let [word, more @ ..] = rest {
        rest = more;
        order = match *word {
            "ioc" => order.with_tif(TimeInForce::ImmediateOrCancel),
            "fok" => order.with_tif(TimeInForce::FillOrKill),
            "post_only" => order.with_inst(ExecInst::POST_ONLY),
            "reduce_only" => order.with_inst(ExecInst::REDUCE_ONLY),
            "as" => {
                let [id, more @ ..] = rest else { return Err("`as` needs a client id".to_string()) };
                rest = more;
                NewOrder { cl_ord_id: client(id)?, ..order }
            }
            _ => return Err(format!("no such instruction: {word}")),
        };
    }
    Ok(Action::New(order))
}

fn amend(spec: &ContractSpec, id: &str, rest: &[&str]) -> Result<Action, String> {
    let mut fields = AmendFields::default();
    let mut rest = rest;
    let kind = |kind: AmendQty| -> Code<AmendQty> { kind.into() };
    while !rest.is_empty() {
        rest = match *rest {
            ["@", at, ref more @ ..] => {
                fields.price = tick(spec, at)?;
                more
            }
            ["total", size, ref more @ ..] => {
                (fields.qty_kind, fields.qty) = (kind(AmendQty::Total), qty(size)?);
                more
            }
            ["leaves", size, ref more @ ..] => {
                (fields.qty_kind, fields.qty) = (kind(AmendQty::Leaves), qty(size)?);
                more
            }
            ["reduce", size, ref more @ ..] => {
                (fields.qty_kind, fields.qty) = (kind(AmendQty::Reduce), qty(size)?);
                more
            }
            ["as", id, ref more @ ..] => {
                fields.new_cl_ord_id = client(id)?;
                more
            }
            ["loses_place", ref more @ ..] => {
                fields.flags = AMEND_LOSES_PLACE;
                more
            }
            _ => return Err(format!("no such change: {}", rest.join(" "))),
        };
    }
    Ok(Action::Amend(Amend { target: Target::ClOrdId(client(id)?), fields }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_exact() {
        assert_eq!(price("1134.37"), Ok(Price(113_437)));
        assert_eq!(price("10000.0"), Ok(Price(1_000_000)));
        assert_eq!(price("7"), Ok(Price(700)));
        for wrong in ["1.005", "-1", "1e3", "", "1.2.3"] {
            assert!(price(wrong).is_err(), "{wrong}");
        }
    }
}
