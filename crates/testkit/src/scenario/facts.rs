//! Events to lines of words.

use contract::codes::{FillCause, LiquidationStep, Side, TransferKind};
use contract::event::{Event, Fact, Fill, Position, Wallet};
use contract::spec::ContractSpec;
use contract::units::{AccountId, Price, Rate, Tick};

/// A price with at least one place, and no zero behind it that is not needed.
pub(super) fn price(price: Price) -> String {
    let text = price.to_string();
    text.strip_suffix('0').map_or(text.clone(), String::from)
}

/// A rate in percent, with no zero behind it that is not needed.
fn percent(rate: Rate) -> String {
    let (sign, parts) = (if rate.0 < 0 { "-" } else { "" }, rate.0.unsigned_abs());
    let text = format!("{sign}{}.{:06}", parts / 1_000_000, parts % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// What an event says; nothing for a kind that scenarios do not look at.
pub(super) fn fact(spec: &ContractSpec, name: &dyn Fn(u32) -> String, event: &Event) -> Option<String> {
    let who = name(event.account().0);
    let at = |tick: Tick| price(spec.tick_price(tick));
    Some(match event.fact()? {
        Fact::Accepted(_) => format!("{who} new"),
        Fact::Rejected(it) => {
            let reason = it.reject().map_or("?", |reject| reject.name());
            let detail = if it.detail == 0 { String::new() } else { format!(" {}", it.detail) };
            let who = if event.account() == AccountId::NONE { "market".to_string() } else { who };
            format!("{who} refused {reason}{detail}")
        }
        Fact::Amended(it) => format!("{who} amended {} @ {} leaves {}", it.qty.0, at(it.price), it.leaves.0),
        Fact::Canceled(it) => {
            format!("{who} canceled {} {}", it.leaves.0, it.cancel_reason().map_or("?", |reason| reason.name()))
        }
        Fact::Restated(it) => format!("{who} restated leaves {}", it.leaves.0),
        Fact::Fill(it) => fill(spec, name, &who, &it),
        Fact::Transfer(it) => {
            let word = match it.kind.get() {
                Some(TransferKind::Deposit) => "deposited",
                Some(TransferKind::Withdraw) => "withdrew",
                Some(TransferKind::Margin) => "margin",
                _ => "?",
            };
            format!("{who} {word} {}", it.amount.0)
        }
        Fact::Liquidation(it) => {
            let step = it.step.get().map_or("?", LiquidationStep::name);
            let of = |word: &str, value: Price| {
                if value == Price::NONE { String::new() } else { format!(" {word} {}", price(value)) }
            };
            let liquidation = of("liq", it.liquidation_price);
            let value = if it.unit_value == 0 { String::new() } else { format!(" unit_value {}", it.unit_value) };
            format!("{who} {step} qty {}{liquidation}{}{value}", it.qty, of("bankrupt", it.bankruptcy_price))
        }
        Fact::Insurance(it) => {
            let cause = it.cause.get().map_or("?", |cause| cause.name());
            format!("fund {cause} {} now {}", it.change.0, it.balance.0)
        }
        Fact::Funding(it) => {
            format!("{who} funding {} qty {} at {} rate {}", it.paid.0, it.qty, price(it.mark), percent(it.rate))
        }
        Fact::FundingRate(it) if it.indicative == it.rate => format!("rate {}", percent(it.rate)),
        Fact::FundingRate(it) => format!("rate {} next {}", percent(it.rate), percent(it.indicative)),
        Fact::State(it) => format!("state {}", it.state.get().map_or("?", |state| state.name())),
        Fact::IndexMark(it) if it.index == Price::NONE => format!("mark {}", price(it.mark)),
        Fact::IndexMark(it) => format!("mark {} index {}", price(it.mark), price(it.index)),
        _ => return None,
    })
}

fn fill(spec: &ContractSpec, name: &dyn Fn(u32) -> String, who: &str, it: &Fill) -> String {
    let maker = name(it.maker_account);
    match it.cause.get() {
        Some(FillCause::Takeover) => {
            let side = if it.taker_side.get() == Some(Side::Sell) { "long" } else { "short" };
            format!("{who} taken_over {side} {} @ {} fee {}", it.qty.0, price(Price(it.price)), it.taker_fee.0)
        }
        Some(FillCause::Deleverage) => {
            format!("{maker} deleveraged {} @ {} fee {}", it.qty.0, price(Price(it.price)), it.maker_fee.0)
        }
        Some(FillCause::CloseOut) => {
            let at = price(spec.tick_price(Tick(u32::try_from(it.price).unwrap_or(0))));
            format!("{} @ {at}", parties(who, &maker, it))
        }
        _ => parties(who, &maker, it),
    }
}

fn parties(who: &str, maker: &str, it: &Fill) -> String {
    format!(
        "{who} take {} fee {} {maker} make {} fee {} leaves {}",
        it.qty.0, it.taker_fee.0, it.qty.0, it.maker_fee.0, it.maker_leaves.0
    )
}

/// Every field of a wallet, as words.
pub(super) fn wallet(it: Wallet) -> String {
    format!(
        "balance {} order_margin {} buy_qty {} buy_cost {} buy_premium {} sell_qty {} sell_cost {} sell_premium {}",
        it.balance.0,
        it.order_margin.0,
        it.buy_qty.0,
        it.buy_cost.0,
        it.buy_premium.0,
        it.sell_qty.0,
        it.sell_cost.0,
        it.sell_premium.0
    )
}

/// Every field of a position, as words.
pub(super) fn position(it: Position) -> String {
    format!(
        "qty {} cost {} liq {} bankrupt {} init {} cross {} loss {} realised {} commission {} leverage {} tier {} class {} suspended {}",
        it.qty,
        it.cost.0,
        price(it.liquidation_price),
        price(it.bankruptcy_price),
        it.init.0,
        it.cross.0,
        it.loss.0,
        it.realised.0,
        it.commission.0,
        price(Price(u64::from(it.leverage.0))),
        it.tier,
        it.fee_class,
        it.flags & contract::event::POSITION_SUSPENDED
    )
}

/// Does every field that is expected have that value? A machine that cannot tell says `?`.
pub(super) fn fields_agree(expected: &str, got: &str) -> bool {
    if got == "?" || expected == got {
        return true;
    }
    let words: Vec<&str> = got.split(' ').collect();
    let expected: Vec<&str> = expected.split(' ').collect();
    expected.len().is_multiple_of(2) && expected.chunks(2).all(|pair| words.chunks(2).any(|field| field == pair))
}
