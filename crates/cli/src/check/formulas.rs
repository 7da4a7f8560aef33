//! The formulas of each kind of example, by the contract's own functions.
//!
//! A formula that lacks an input says nothing; the field is then reported as not checked.

use contract::adl::{AdlScore, AdlValues, Ranked, percentile};
use contract::display::{
    Shown, average_entry_price, fair_basis_rate, impact_mid, margin_leverage, margin_used, risk_value, unrealised_pcnt,
    unrealised_roe, vwap,
};
use contract::funding::{interest, largest_change, largest_rate, payment};
use contract::liquidation::{bearable, price_after_loss, price_of_unit_value, unit_value_after_loss};
use contract::margin::{
    Chargeable, OrderSums, SideSums, Terms, chargeable, held, order_margin, position_cross, tier_for, tier_initial,
    tier_limit, tier_maintenance,
};
use contract::mark::{fair_basis, fair_price};
use contract::math::Fraction;
use contract::position::PositionState;
use contract::value::{fee, unit_value, value};
use contract::wide::{Ratio, Wide};
use contract::{AccountId, ContractSpec, FeeRounding, Leverage, Price, Qty, Rate, Side, Xbt};

use super::compare::{Findings, Got, in_xbt};
use super::example::{Example, Given, Unusable};

type Found = Result<(), Unusable>;

/// One hundredth USD, the grid of takeover and deleverage prices. (Rule LIQ-3)
const HUNDREDTH: Price = Price(1);

/// Everything the formulas say about `example`; `None` where its kind is not known.
pub fn compute(example: &Example, all: &[Example]) -> Result<Option<Findings>, Unusable> {
    let given = Given::new(&example.id, &example.inputs);
    let recorded = Given::new(&example.id, &example.expected);
    let mut out = Findings::default();
    match example.kind.as_str() {
        "trade_gross_value" => trade_gross_value(given, &mut out)?,
        "execution" => execution(given, &mut out)?,
        "execution_commission_sum" => commission_sum(given, &mut out)?,
        "funding_payment" => funding_payment(given, &mut out)?,
        "funding_doc" => funding_doc(given, &mut out)?,
        "funding_cap" => funding_cap(given, &mut out)?,
        "funding_interest" => funding_interest(given, &mut out)?,
        "fair_price" => fair(given, &mut out)?,
        "impact_mid" => impact(given, &mut out)?,
        "position" => position(example, given, recorded, &mut out)?,
        "liquidation_event" => liquidation_event(given, &mut out)?,
        "adl_event" => adl_event(given, recorded, &mut out)?,
        "order_init_margin" => order_init_margin(example, given, &mut out)?,
        "order_cost" => order_cost(given, &mut out)?,
        "margin" => margin(given, &mut out)?,
        "pnl_doc" => pnl_doc(example, given, all, &mut out)?,
        "pnl_rounded" => pnl_rounded(given, recorded, &mut out)?,
        "vwap" => volume_price(given, &mut out)?,
        "risk_limit_table" => risk_limit_table(given, recorded, &mut out)?,
        "risk_limit_example" => risk_limit_example(given, &mut out)?,
        "adl_ranking" => adl_ranking(given, &mut out)?,
        "adl_score_derived" => adl_score(given, &mut out)?,
        "wallet_roll" => wallet_roll(given, &mut out)?,
        _ => return Ok(None),
    }
    Ok(Some(out))
}

/// Value of a quantity, kept in range; `None` where it is not whole units.
fn value_of(given: Given<'_>, spec: &ContractSpec, qty: Qty, price: Price) -> Result<Option<Xbt>, Unusable> {
    given.in_range("price", i128::from(qty.0) / i128::from(spec.value_unit) * i128::from(unit_value(spec, price)))?;
    Ok((qty.0.is_multiple_of(spec.value_unit)).then(|| value(spec, qty, price)))
}

/// Signed as a cost: what is bought is negative. (Rule COST-1)
fn cost(side: Side, value: Xbt) -> Xbt {
    Xbt(-side.sign() * value.0)
}

/// VALUE-1. A contract of several quote units (`contractMultiplier`) is so many units worth one.
fn trade_gross_value(given: Given<'_>, out: &mut Findings) -> Found {
    let mut spec = given.spec()?;
    let multiplier = given.qty("contractMultiplier")?.unwrap_or(Qty(1));
    let (Some(size), Some(price)) = (given.qty("size")?, given.price("price")?) else { return Ok(()) };
    if multiplier.0 > 1_000_000 / spec.value_unit {
        return Err(given.unusable("contractMultiplier", "a unit is at most 1,000,000"));
    }
    spec.value_unit *= multiplier.0;
    given.in_range("size", i128::from(size.0) * i128::from(multiplier.0))?;
    let qty = Qty(size.0 * multiplier.0);
    if let Some(value) = value_of(given, &spec, qty, price)? {
        out.put("grossValue", "VALUE-1", value);
        out.put("homeNotional", "VALUE-1", in_xbt(value));
        out.put("foreignNotional", "VALUE-1", Xbt(qty.0.cast_signed()));
    }
    Ok(())
}

/// COST-1, FEE-1.
fn execution(given: Given<'_>, out: &mut Findings) -> Found {
    let spec = given.spec()?;
    let (Some(qty), Some(price)) = (given.qty("lastQty")?, given.price("lastPx")?) else { return Ok(()) };
    let Some(value) = value_of(given, &spec, qty, price)? else { return Ok(()) };
    out.put_some("execCost", "COST-1", given.side("side")?.map(|side| cost(side, value)));
    put_fee(given.rate("commission")?, value, out);
    Ok(())
}

/// FEE-1; where `except` names it, the rounding of 2017-04-04, away from zero.
fn put_fee(rate: Option<Rate>, value: Xbt, out: &mut Findings) {
    let Some(rate) = rate else { return };
    out.put("execComm", "FEE-1", fee(FeeRounding::Recorded, rate, value));
    let up = fee(FeeRounding::AgainstTrader, Rate(rate.0.abs()), value.abs());
    out.instead("execComm", "FEE-1", if rate.0 < 0 { -up } else { up });
}

/// FEE-1, fill by fill.
fn commission_sum(given: Given<'_>, out: &mut Findings) -> Found {
    if let (Some(fills), Some(rate)) = (given.amounts("fills")?, given.rate("commission")?) {
        let fees = fills.iter().map(|&value| i128::from(fee(FeeRounding::Recorded, rate, value).0));
        let sum: i128 = fees.sum();
        given.in_range("fills", sum)?;
        out.put("execComm", "FEE-1", Xbt(sum as i64));
    }
    Ok(())
}

/// FUND-3.
fn funding_payment(given: Given<'_>, out: &mut Findings) -> Found {
    let spec = given.spec()?;
    let (Some(qty), Some(mark)) = (given.integer("currentQty")?, given.price("markPrice")?) else { return Ok(()) };
    let held = PositionState { qty, ..PositionState::default() };
    if value_of(given, &spec, held.size(), mark)?.is_none() {
        return Ok(());
    }
    let unit = unit_value(&spec, mark);
    out.put("execCost", "COST-1", held.value_at(&spec, unit));
    if let Some(rate) = given.rate("fundingRate")? {
        out.put("execComm", "FUND-3", payment(&spec, &held, unit, rate));
    }
    Ok(())
}

/// FUND-1's interest and FUND-3 in a document's words: XBT, printed digits.
fn funding_doc(given: Given<'_>, out: &mut Findings) -> Found {
    let spec = given.spec()?;
    let rates = (given.rate("quoteRatePerDay")?, given.rate("baseRatePerDay")?);
    let rate = if let (Some(quote), Some(base)) = rates { Some(interest(quote, base)) } else { None };
    out.put_some("fundingRate", "FUND-1", rate);
    let Some(contracts) = given.qty("contracts")? else { return Ok(()) };
    if let Some(entry) = given.price("entryPrice")?
        && let Some(value) = value_of(given, &spec, contracts, entry)?
    {
        out.put("entryValueXBT", "VALUE-1", document(value, &[Part::new(contracts, entry, true)]));
    }
    if let (Some(rate), Some(spot)) = (rate, given.price("spot")?)
        && let Some(long_pays) = long_pays(given, &spec, contracts, spot, rate)?
    {
        let pays = document(long_pays, &[Part { rate, ..Part::new(contracts, spot, true) }]);
        out.put("longPaysXBT", "FUND-3", pays.clone());
        out.put("shortReceivesXBT", "FUND-3", pays);
    }
    Ok(())
}

fn long_pays(
    given: Given<'_>,
    spec: &ContractSpec,
    contracts: Qty,
    mark: Price,
    rate: Rate,
) -> Result<Option<Xbt>, Unusable> {
    let long = PositionState { qty: contracts.0.cast_signed(), ..PositionState::default() };
    let is_whole = value_of(given, spec, contracts, mark)?.is_some();
    Ok(is_whole.then(|| payment(spec, &long, unit_value(spec, mark), rate)))
}

/// A part of a document's sum: contracts/price, added or taken off, where it is funding times the rate.
#[derive(Clone, Copy)]
struct Part {
    contracts: Qty,
    price: Price,
    is_added: bool,
    rate: Rate,
}

impl Part {
    const fn new(contracts: Qty, price: Price, is_added: bool) -> Part {
        Part { contracts, price, is_added, rate: Rate(Rate::ONE.cast_signed()) }
    }
}

/// An amount that a document prints in XBT: ours, or the sum of the parts without the rounding of a
/// unit.
fn document(exact: Xbt, parts: &[Part]) -> Got {
    // Over one denominator, the product of the prices. What does not fit leaves the exact amount alone.
    let sum = parts.iter().try_fold((0i128, 1i128), |(num, den), part| {
        let usd = i128::from(part.contracts.0).checked_mul(i128::from(part.rate.0))?;
        let usd = if part.is_added { usd } else { -usd };
        let price = i128::from(part.price.0);
        Some((num.checked_mul(price)?.checked_add(usd.checked_mul(den)?)?, den.checked_mul(price)?))
    });
    // Prices are in hundredths, rates in 1e-8.
    match sum.map(|(num, den)| (num, Wide::new(den.unsigned_abs()).times(u128::from(Rate::ONE / Price::PER_USD)))) {
        Some((num, den)) => Got::Document(in_xbt(exact), num < 0, Ratio { num: Wide::new(num.unsigned_abs()), den }),
        None => {
            let ratio = Ratio::new(exact.0.unsigned_abs().into(), u128::from(Rate::ONE));
            Got::Document(in_xbt(exact), exact.0 < 0, ratio)
        }
    }
}

/// FUND-1's limits.
fn funding_cap(given: Given<'_>, out: &mut Findings) -> Found {
    let maintenance = given.rate("maintMargin")?;
    if let (Some(initial), Some(maintenance)) = (given.rate("initMargin")?, maintenance) {
        out.put("absCap", "FUND-1", largest_rate(initial, maintenance));
    }
    out.put_some("maxChangePerInterval", "FUND-1", maintenance.map(largest_change));
    Ok(())
}

/// FUND-1's interest.
fn funding_interest(given: Given<'_>, out: &mut Findings) -> Found {
    if let (Some(quote), Some(base)) = (given.rate("fundingQuoteRate")?, given.rate("fundingBaseRate")?) {
        out.put("interestRatePer8h", "FUND-1", interest(quote, base));
    }
    Ok(())
}

/// MARK-1, and VIEW-1's yearly rate.
fn fair(given: Given<'_>, out: &mut Findings) -> Found {
    let interval = given.integer("fundingIntervalMinutes")?.unwrap_or(480);
    let Some(rate) = given.rate("fundingRate")? else { return Ok(()) };
    let minutes = |key, minutes: i64| {
        u64::try_from(minutes).ok().filter(|m| *m <= 1 << 20).ok_or_else(|| given.unusable(key, "not minutes"))
    };
    let interval = minutes("fundingIntervalMinutes", interval)?;
    if interval == 0 {
        return Err(given.unusable("fundingIntervalMinutes", "an interval has a length"));
    }
    out.put("fairBasisRate", "VIEW-1", fair_basis_rate(rate, interval));
    if let (Some(index), Some(left)) = (given.price("indexPrice")?, given.integer("minutesUntilFunding")?) {
        let fair = fair_price(index, rate, minutes("minutesUntilFunding", left)?, interval);
        out.put("fairPrice", "MARK-1", fair);
        out.put("fairBasis", "MARK-1", Shown { mantissa: fair_basis(index, fair).into(), decimals: 2 }.trimmed());
    }
    Ok(())
}

/// VIEW-1.
fn impact(given: Given<'_>, out: &mut Findings) -> Found {
    let spec = given.spec()?;
    if let (Some(bid), Some(ask)) = (given.fine_price("impactBidPrice")?, given.fine_price("impactAskPrice")?) {
        out.put("impactMidPrice", "VIEW-1", impact_mid(&spec, bid, ask));
    }
    Ok(())
}

/// The terms an example gives: leverage (in cross margin the venue shows 1/IM), maintenance margin,
/// taker fee, funding rate to be paid.
fn terms(given: Given<'_>, spec: &mut ContractSpec, is_cross: bool) -> Result<Option<Terms>, Unusable> {
    let leverage = match (given.leverage("leverage")?, given.rate("initMarginReq")?) {
        (Some(leverage), _) => leverage,
        (None, Some(initial)) if initial.0 > 0 && 10_000_000_000 % initial.0 == 0 => {
            Leverage(u32::try_from(10_000_000_000 / initial.0).unwrap_or(u32::MAX))
        }
        _ => return Ok(None),
    };
    let Some(taker) = given.rate("takerFee")? else { return Ok(None) };
    if taker.0 < 0 {
        return Err(given.unusable("takerFee", "a taker pays"));
    }
    let adverse = given.rate("adverseFundingRate")?.unwrap_or(Rate::ZERO);
    if let Some(maintenance) = given.rate("maintMarginReq")? {
        if maintenance.0 < 0 {
            return Err(given.unusable("maintMarginReq", "a margin is not negative"));
        }
        spec.maintenance_margin = maintenance;
    }
    let isolated = Terms::new(spec, leverage, 0, taker, adverse);
    Ok(Some(Terms { is_cross, ..isolated }))
}

/// PNL-1, MARGIN-1 to MARGIN-7, LIQ-1 to LIQ-3, POS-1, VIEW-1: everything about one position.
///
/// Costs, posLoss and, in isolated margin, posCross are states: they are taken from the record and
/// checked by what follows from them.
fn position(example: &Example, given: Given<'_>, recorded: Given<'_>, out: &mut Findings) -> Found {
    let mut spec = given.spec()?;
    let is_cross = given.truth("crossMargin")?.unwrap_or(false);
    let Some(qty) = given.integer("currentQty")? else { return Ok(()) };
    let state = |key: &str| Ok::<_, Unusable>(given.xbt(key)?.or(recorded.xbt(key)?));
    let entered = PositionState { qty, ..PositionState::default() };
    let mark = given.price("markPrice")?;
    if let Some(mark) = mark
        && value_of(given, &spec, entered.size(), mark)?.is_none()
    {
        return Ok(()); // not whole units: nothing can be said
    }
    if !entered.size().0.is_multiple_of(spec.value_unit) || qty == 0 {
        return Ok(());
    }
    let (pos_cost, unrealised_cost) = (state("posCost")?, state("unrealisedCost")?);
    let Some(margin_cost) = pos_cost.or(unrealised_cost) else {
        out.put_some("markValue", "COST-1", mark.map(|mark| entered.value_at(&spec, unit_value(&spec, mark))));
        return Ok(());
    };
    if margin_cost.0.signum() != -qty.signum() {
        out.contradiction(example, "posCost", "COST-1", margin_cost, Xbt(-margin_cost.0));
    }
    let loss = state("posLoss")?.unwrap_or(Xbt::ZERO);
    let view = PositionState { cost: unrealised_cost.unwrap_or(margin_cost), ..entered };
    out.state("posCost", &["unrealisedPnl", "posInit", "posComm", "posMaint", "avgCostPrice", "avgEntryPrice"]);
    out.state("unrealisedCost", &["unrealisedPnl", "avgEntryPrice"]);
    out.put_some("posCost2", "COST-1", pos_cost);
    out.put_some("avgEntryPrice", "POS-1", average_entry_price(&spec, &view));
    out.put_some("avgCostPrice", "POS-1", average_entry_price(&spec, &PositionState { cost: margin_cost, ..view }));

    let unrealised = mark.map(|mark| {
        let unit = unit_value(&spec, mark);
        let (value, pnl) = (view.value_at(&spec, unit), view.unrealised_pnl(&spec, unit));
        out.put("markValue", "COST-1", value);
        out.put("unrealisedPnl", "PNL-1", pnl);
        out.put("unrealisedGrossPnl", "PNL-1", pnl);
        out.put("unrealisedPnlPcnt", "VIEW-1", unrealised_pcnt(&view, pnl));
        pnl
    });
    let Some(terms) = terms(given, &mut spec, is_cross)? else { return Ok(()) };
    if let Some(pnl) = unrealised {
        out.put("unrealisedRoePcnt", "VIEW-1", unrealised_roe(&terms, &view, pnl));
    }
    out.put("initMarginReq", "MARGIN-1", fraction(terms.im));
    let mut position = PositionState { cost: margin_cost, loss, ..entered };
    // Isolated: a state. Cross: computed, unless the record is known to be late.
    let late = example.except.contains_key("posCross");
    let cross = match (is_cross, unrealised) {
        (false, _) => {
            out.state("posCross", &["posMargin", "maintMargin"]);
            Some(state("posCross")?.unwrap_or(Xbt::ZERO))
        }
        (true, Some(pnl)) => {
            let cross = position_cross(&terms, &position, pnl);
            out.put("posCross", "MARGIN-2", cross);
            if late { recorded.xbt("posCross")? } else { Some(cross) }
        }
        (true, None) => None,
    };
    let loss_shows = ["posMargin", "maintMargin", "posCross"];
    out.state("posLoss", if is_cross { &loss_shows } else { &loss_shows[..2] });
    let has_maintenance = given.value("maintMarginReq").is_some();
    if let Some(cross) = cross {
        position.cross = cross;
        let held = held(&terms, &position, cross);
        out.put("posInit", "MARGIN-1", held.init);
        out.put("posComm", "MARGIN-3", held.comm);
        out.put("posMargin", "MARGIN-5", held.margin);
        out.put_some("maintMargin", "MARGIN-7", unrealised.map(|pnl| held.margin + pnl));
        if has_maintenance {
            out.put("posMaint", "MARGIN-6", held.maint);
        }
    } else {
        out.put("posInit", "MARGIN-1", Xbt(terms.im.of_ceil(position.cost_abs()).cast_signed()));
    }
    // In cross margin the wallet stands behind it, and must be known. (Rule LIQ-2)
    let order_margin = given.xbt("orderInitMargin")?.unwrap_or(Xbt::ZERO);
    let equity = match given.xbt("walletBalance")? {
        Some(wallet) => wallet - order_margin,
        None if is_cross => return Ok(()),
        None => Xbt::ZERO,
    };
    let losses = bearable(&terms, &position, equity.0);
    out.put("bankruptPrice", "LIQ-3", price_after_loss(&spec, &position, losses.until_bankruptcy, spec.tick_size));
    if has_maintenance {
        let price = price_after_loss(&spec, &position, losses.until_liquidation, spec.tick_size);
        out.put("liquidationPrice", "LIQ-3", price);
        out.put("marginCallPrice", "LIQ-3", price);
    }
    Ok(())
}

fn fraction(fraction: Fraction) -> Got {
    Got::Quotient(false, Ratio::new(fraction.num().into(), fraction.den().into()))
}

/// LIQ-1, LIQ-3, LIQ-5: an isolated position opened by a taker at one price and taken over.
fn liquidation_event(given: Given<'_>, out: &mut Findings) -> Found {
    let mut spec = given.spec()?;
    let (Some(qty), Some(entry)) = (given.integer("currentQty")?, given.price("entryPrice")?) else { return Ok(()) };
    let mut position = PositionState::default();
    if qty == 0 || value_of(given, &spec, Qty(qty.unsigned_abs()), entry)?.is_none() {
        return Ok(());
    }
    position.execute(&spec, qty, unit_value(&spec, entry));
    let unrealised = match given.price("markPrice")? {
        None => None,
        Some(mark) => {
            value_of(given, &spec, position.size(), mark)?;
            let unit = unit_value(&spec, mark);
            out.put("markValue", "COST-1", position.value_at(&spec, unit));
            out.put("unrealisedPnl", "PNL-1", position.unrealised_pnl(&spec, unit));
            Some(position.unrealised_pnl(&spec, unit))
        }
    };
    out.put("posState", "STATE-1", Got::Word("Liquidated".into()));
    for (i, state) in ["Liquidation", "Liquidated"].into_iter().enumerate() {
        out.put(format!("posState[{i}]"), "STATE-1", Got::Word(state.into()));
    }
    let Some(terms) = terms(given, &mut spec, false)? else { return Ok(()) };
    let held = held(&terms, &position, position.cross);
    out.put("posMargin", "MARGIN-5", held.margin);
    out.put_some("maintMargin", "MARGIN-7", unrealised.map(|pnl| held.margin + pnl));
    let losses = bearable(&terms, &position, 0);
    if given.value("maintMarginReq").is_some() {
        let price = price_after_loss(&spec, &position, losses.until_liquidation, spec.tick_size);
        out.put("liquidationPrice", "LIQ-3", price);
    }
    let (Some(v), Some(taker)) =
        (unit_value_after_loss(&spec, &position, losses.until_bankruptcy), given.rate("takerFee")?)
    else {
        return Ok(()); // never bankrupt
    };
    out.put("bankruptPrice", "LIQ-3", price_of_unit_value(&spec, qty > 0, v, HUNDREDTH));
    let opened = fee(FeeRounding::Recorded, taker, position.cost);
    let closing_cost = -position.value_at(&spec, v);
    let closed = fee(FeeRounding::Recorded, taker, closing_cost);
    let realised_cost = position.execute(&spec, -qty, v).realised_cost;
    out.put("execCost", "COST-1", closing_cost);
    out.put("execComm", "FEE-1", closed);
    out.put("realisedGrossPnl", "POS-4", -realised_cost);
    out.put("currentComm", "POS-4", opened + closed);
    out.put("realisedPnl", "POS-4", -realised_cost - opened - closed);
    Ok(())
}

/// ADL-2 at LIQ-3's price, POS-4. Realised cost and commission are states, checked by their sum.
fn adl_event(given: Given<'_>, recorded: Given<'_>, out: &mut Findings) -> Found {
    let spec = given.spec()?;
    out.put("posState", "STATE-1", Got::Word("Deleverage".into()));
    out.put("text", "STATE-1", Got::Word(contract::FillCause::Deleverage.name().into()));
    if let (Some(cost), Some(commission)) = (recorded.xbt("realisedCost")?, recorded.xbt("currentComm")?) {
        out.put("realisedPnl", "POS-4", -cost - commission);
        out.state("realisedCost", &["realisedPnl"]);
        out.state("currentComm", &["realisedPnl"]);
    }
    let price = given.price("bankruptPriceOfLiquidated")?;
    let (Some(qty), Some(price)) = (given.integer("currentQty")?, price) else { return Ok(()) };
    let held = PositionState { qty, ..PositionState::default() };
    if qty == 0 || value_of(given, &spec, held.size(), price)?.is_none() {
        return Ok(());
    }
    let closing_cost = -held.value_at(&spec, unit_value(&spec, price));
    out.put("execCost", "COST-1", closing_cost);
    put_fee(given.rate("commission")?, closing_cost, out);
    Ok(())
}

/// OM-1 to OM-3, OM-5. What is charged is given, or follows from the sides' sums; where both are there
/// they must agree.
fn order_init_margin(example: &Example, given: Given<'_>, out: &mut Findings) -> Found {
    let mut spec = given.spec()?;
    let asked = given.xbt("grossOpenCost")?;
    let by_sums = charged_by_sums(given, asked.is_none())?;
    if let (Some(asked), Some(by_sums)) = (asked, by_sums)
        && asked.abs().0.unsigned_abs() != by_sums.cost
    {
        out.contradiction(example, "grossOpenCost", "OM-3", asked, Xbt(by_sums.cost.cast_signed()));
    }
    let charged = match (by_sums, asked) {
        (Some(charged), _) => charged,
        (None, Some(asked)) => Chargeable { cost: asked.0.unsigned_abs(), premium: 0 },
        (None, None) => return Ok(()),
    };
    let premium = given.xbt("grossOpenPremium")?.map_or(charged.premium, |premium| premium.0.unsigned_abs());
    out.put("grossOpenCost", "OM-3", Xbt(charged.cost.cast_signed()));
    if let Some(terms) = terms(given, &mut spec, given.truth("crossMargin")?.unwrap_or(false))? {
        out.put("initMargin", "OM-1", order_margin(&terms, Chargeable { premium, ..charged }));
    }
    Ok(())
}

/// What the open orders of both sides are charged for, where all that is needed is given.
fn charged_by_sums(given: Given<'_>, must_assume: bool) -> Result<Option<Chargeable>, Unusable> {
    let side = |qty: &str, cost: &str, premium: &str| {
        let amount = |key: &str| Ok::<_, Unusable>(given.xbt(key)?.map(|xbt| xbt.0.unsigned_abs()));
        let (qty, cost) = (given.integer(qty)?.map(|qty| Qty(qty.unsigned_abs())), amount(cost)?);
        let sums =
            SideSums { qty: qty.unwrap_or(Qty::ZERO), cost: cost.unwrap_or(0), premium: amount(premium)?.unwrap_or(0) };
        Ok::<_, Unusable>((qty.is_some(), cost.is_some(), sums))
    };
    let (buys_given, buy_cost_given, buy) = side("openOrderBuyQty", "openOrderBuyCost", "openOrderBuyPremium")?;
    let (sells_given, sell_cost_given, sell) = side("openOrderSellQty", "openOrderSellCost", "openOrderSellPremium")?;
    let position = match given.integer("currentQty")? {
        Some(position) => position,
        None if must_assume => 0,
        None => return Ok(None),
    };
    let sums = OrderSums { buy, sell };
    let buys = sums.excess(Side::Buy, position);
    let sells = sums.excess(Side::Sell, position).saturating_sub(buys);
    let is_enough = (buys_given || sells_given) && (buys == 0 || buy_cost_given) && (sells == 0 || sell_cost_given);
    Ok(is_enough.then(|| chargeable(&sums, position)))
}

/// COST-1 for an open order: the venue records both sides negative.
fn order_cost(given: Given<'_>, out: &mut Findings) -> Found {
    let spec = given.spec()?;
    let (Some(qty), Some(price), Some(side)) = (given.qty("qty")?, given.price("price")?, given.side("side")?) else {
        return Ok(());
    };
    let field = match side {
        Side::Buy => "openOrderBuyCost",
        _ => "openOrderSellCost",
    };
    out.put_some(field, "COST-1", value_of(given, &spec, qty, price)?.map(|value| -value));
    Ok(())
}

/// MARGIN-7, VIEW-1: an account.
fn margin(given: Given<'_>, out: &mut Findings) -> Found {
    let (amount, realised) = (given.xbt("amount")?, given.xbt("realisedPnl")?);
    let wallet = match (given.xbt("walletBalance")?, amount, realised) {
        (_, Some(amount), Some(realised)) => Some(amount + realised),
        (wallet, ..) => wallet,
    };
    out.put_some("walletBalance", "POS-4", wallet);
    let gross = given.xbt("grossMarkValue")?;
    if let (Some(gross), Some(charged)) = (gross, given.xbt("grossOpenCost")?) {
        out.put("riskValue", "VIEW-1", risk_value(gross, charged));
    }
    let (Some(wallet), Some(unrealised)) = (wallet, given.xbt("unrealisedPnl")?) else { return Ok(()) };
    let balance = wallet + unrealised;
    out.put("marginBalance", "MARGIN-7", balance);
    if let Some(gross) = gross
        && let Some(digits) = margin_leverage(gross, balance)
    {
        let leverage = Got::Double(digits, gross.0.unsigned_abs(), balance.0.unsigned_abs());
        out.put("marginLeverage", "VIEW-1", leverage);
    }
    if let (Some(orders), Some(locked)) = (given.xbt("initMargin")?, given.xbt("maintMargin")?) {
        let available = balance - orders - locked;
        out.put("availableMargin", "MARGIN-7", available);
        out.put("excessMargin", "MARGIN-7", available);
        out.put_some("marginUsedPcnt", "VIEW-1", margin_used(orders, locked, balance));
    }
    Ok(())
}

/// PNL-1 in a document's words. What is left after funding takes the payment from the funding example
/// of the same source, quantity and entry in the file.
fn pnl_doc(example: &Example, given: Given<'_>, all: &[Example], out: &mut Findings) -> Found {
    let spec = given.spec()?;
    let (Some(contracts), Some(entry), Some(exit)) =
        (given.qty("contracts")?, given.price("entry")?, given.price("exit")?)
    else {
        return Ok(());
    };
    let (Some(bought), Some(_)) = (value_of(given, &spec, contracts, entry)?, value_of(given, &spec, contracts, exit)?)
    else {
        return Ok(());
    };
    given.in_range("entry", bought.0.into())?;
    let is_long = given.side("side")?.unwrap_or(Side::Buy) == Side::Buy;
    let mut position = PositionState::default();
    let qty = if is_long { contracts.0.cast_signed() } else { -contracts.0.cast_signed() };
    position.execute(&spec, qty, unit_value(&spec, entry));
    let pnl = -position.execute(&spec, -qty, unit_value(&spec, exit)).realised_cost;
    let (opened, closed) = (Part::new(contracts, entry, is_long), Part::new(contracts, exit, !is_long));
    out.put("pnlXBT", "PNL-1", document(pnl, &[opened, closed]));
    let funding = all.iter().find(|other| {
        let inputs = Given::new(&other.id, &other.inputs);
        other.kind == "funding_doc"
            && other.source == example.source
            && matches!(inputs.qty("contracts"), Ok(Some(qty)) if qty == contracts)
            && matches!(inputs.price("entryPrice"), Ok(Some(price)) if price == entry)
    });
    if let Some(funding) = funding {
        let inputs = Given::new(&funding.id, &funding.inputs);
        let rates = (inputs.rate("quoteRatePerDay")?, inputs.rate("baseRatePerDay")?, inputs.price("spot")?);
        if let (Some(quote), Some(base), Some(spot)) = rates
            && let Some(long_pays) = long_pays(inputs, &spec, contracts, spot, interest(quote, base))?
        {
            let net = pnl - if is_long { long_pays } else { -long_pays };
            let paid = Part { rate: interest(quote, base), ..Part::new(contracts, spot, !is_long) };
            out.note(format!("funding taken from {}", funding.id));
            out.put("netAfterFundingXBT", "POS-4", document(net, &[opened, closed, paid]));
        }
    }
    Ok(())
}

/// VALUE-1 and POS-4: lots closed one exit each. Fees and funding are states, checked by the sum.
fn pnl_rounded(given: Given<'_>, recorded: Given<'_>, out: &mut Findings) -> Found {
    // Prices here are of lots of 100 contracts.
    let spec = ContractSpec::XBTUSD_2021;
    let (Some(lots), Some(entry), Some(exits)) =
        (given.amounts("lots")?, given.price("entry")?, given.prices("exits")?)
    else {
        return Ok(());
    };
    if lots.len() != exits.len() {
        return Err(given.unusable("exits", "not one for each of `lots`"));
    }
    let is_long = given.side("side")?.unwrap_or(Side::Buy) == Side::Buy;
    out.put("unitValues[0]", "VALUE-1", Xbt(unit_value(&spec, entry).cast_signed()));
    let mut gross = Xbt::ZERO;
    for (i, (lots, &exit)) in lots.iter().zip(&exits).enumerate() {
        let worth = |price| i128::from(lots.0) * i128::from(unit_value(&spec, price));
        given.in_range("lots", worth(entry))?;
        given.in_range("lots", worth(exit))?;
        let qty = if is_long { lots.0 * 100 } else { -lots.0 * 100 };
        let mut position = PositionState::default();
        position.execute(&spec, qty, unit_value(&spec, entry));
        let pnl = -position.execute(&spec, -qty, unit_value(&spec, exit)).realised_cost;
        out.put(format!("unitValues[{}]", i + 1), "VALUE-1", Xbt(unit_value(&spec, exit).cast_signed()));
        out.put(format!("grossPnl[{i}]"), "PNL-1", pnl);
        gross += pnl;
    }
    let (Some(fees), Some(funding)) = (recorded.amounts("fees")?, recorded.xbt("fundingReceived")?) else {
        return Ok(());
    };
    for i in 0..fees.len() {
        out.state(&format!("fees[{i}]"), &["realisedPnl"]);
    }
    out.state("fundingReceived", &["realisedPnl"]);
    let paid = fees.iter().fold(Xbt::ZERO, |sum, &fee| sum + fee);
    out.put("realisedPnl", "POS-4", gross - paid + funding);
    Ok(())
}

/// VIEW-1.
fn volume_price(given: Given<'_>, out: &mut Findings) -> Found {
    let spec = given.spec()?;
    if let (Some(volume), Some(turnover)) = (given.qty("volume")?, given.qty("turnover")?) {
        out.put_some("vwap", "VIEW-1", vwap(&spec, volume.0, turnover.0));
    }
    Ok(())
}

/// The tiers of an example that gives the base and the steps.
fn tiers(given: Given<'_>, [base, step, maintenance, initial]: [&str; 4]) -> Result<Option<ContractSpec>, Unusable> {
    let (Some(base), Some(step)) = (given.in_xbt(base)?, given.in_xbt(step)?) else { return Ok(None) };
    let (Some(maintenance), Some(initial)) = (given.rate(maintenance)?, given.rate(initial)?) else { return Ok(None) };
    // A thousand tiers stay amounts.
    given.in_range("step", i128::from(step.0) * 10)?;
    let spec = ContractSpec {
        risk_limit: base,
        risk_step: step,
        maintenance_margin: maintenance,
        initial_margin: initial,
        max_tier: 1_000,
        ..ContractSpec::XBTUSD_2019
    };
    Ok(Some(spec))
}

/// RISK-1.
fn risk_limit_table(given: Given<'_>, recorded: Given<'_>, out: &mut Findings) -> Found {
    let Some(spec) = tiers(given, ["baseXBT", "stepXBT", "baseMaint", "baseInit"])? else { return Ok(()) };
    let rows = recorded.list("rows")?.map_or(0, <[_]>::len);
    for tier in 0..u16::try_from(rows.min(1_000)).unwrap_or(0) {
        out.put(format!("rows[{tier}].belowXBT"), "RISK-1", in_xbt(tier_limit(&spec, tier)).trimmed());
        out.put(format!("rows[{tier}].maint"), "RISK-1", tier_maintenance(&spec, tier));
        out.put(format!("rows[{tier}].init"), "RISK-1", tier_initial(&spec, tier));
    }
    Ok(())
}

/// RISK-1: the tier of a position, and the tier that an order takes it to.
fn risk_limit_example(given: Given<'_>, out: &mut Findings) -> Found {
    let Some(spec) = tiers(given, ["base", "step", "mm", "im"])? else { return Ok(()) };
    let Some(position) = given.in_xbt("positionXBT")? else { return Ok(()) };
    if let Some(tier) = tier_for(&spec, position) {
        let rate = Fraction::new(tier_maintenance(&spec, tier).0.unsigned_abs(), Rate::ONE);
        let held = Xbt(rate.of_ceil(position.0.unsigned_abs()).cast_signed());
        out.put("currentMaintXBT", "RISK-1", in_xbt(held).trimmed());
    }
    let Some(order) = given.in_xbt("orderXBT")? else { return Ok(()) };
    if let Some(tier) = tier_for(&spec, position + order) {
        out.put("newTierBelowXBT", "RISK-1", in_xbt(tier_limit(&spec, tier)).trimmed());
        out.put("newMaint", "RISK-1", tier_maintenance(&spec, tier));
        out.put("newInit", "RISK-1", tier_initial(&spec, tier));
    }
    Ok(())
}

/// ADL-1's order among given scores, ADL-3's percentile.
fn adl_ranking(given: Given<'_>, out: &mut Findings) -> Found {
    let rows = match (given.rows("longs")?, given.rows("shorts")?) {
        (Some(rows), None) | (None, Some(rows)) => rows,
        _ => return Ok(()),
    };
    let mut ranking = Vec::with_capacity(rows.len());
    for row in rows {
        let (Some(account), Some(size), Some(score)) =
            (row.integer("account")?, row.qty("qty")?, row.decimal("score")?)
        else {
            return Ok(());
        };
        let account = u32::try_from(account).map_err(|_| row.unusable("account", "not an account number"))?;
        let ratio = Ratio::new(score.mantissa().unsigned_abs(), 10u128.pow(score.scale()));
        let score = match score.mantissa().signum() {
            1 => AdlScore::Profit(ratio),
            -1 => AdlScore::Loss(ratio),
            _ => AdlScore::Zero,
        };
        ranking.push(Ranked { score, size, account: AccountId(account) });
    }
    ranking.sort_by(|a, b| b.cmp(a));
    let total: u64 = ranking.iter().map(|row| row.size.0).sum();
    let mut cumulative = 0;
    for (i, row) in ranking.iter().enumerate() {
        cumulative += row.size.0;
        out.put(format!("order[{i}]"), "ADL-1", i64::from(row.account.0));
        let shown = percentile(cumulative, total);
        out.put(format!("percentile.{}", row.account.0), "ADL-3", Xbt(shown.cast_signed()));
    }
    Ok(())
}

/// ADL-1's score from its three values.
fn adl_score(given: Given<'_>, out: &mut Findings) -> Found {
    let values = (given.xbt("markValue")?, given.xbt("avgEntryValue")?, given.xbt("bankruptValue")?);
    let (Some(mark), Some(entry), Some(bankrupt)) = values else { return Ok(()) };
    if entry == Xbt::ZERO || mark == Xbt::ZERO {
        return Err(given.unusable("markValue", "a position has a value"));
    }
    let values = AdlValues { mark: mark.0, entry: entry.0, bankrupt: bankrupt.0.into(), scale: 1 };
    let (is_profit, pnl) = values.pnl_share();
    out.put("pnlPercentage", "ADL-1", Got::Quotient(!is_profit, pnl));
    if let Some(leverage) = values.effective_leverage() {
        out.put("effectiveLeverage", "ADL-1", Got::Quotient(false, leverage));
    }
    match values.score() {
        AdlScore::Profit(ratio) => out.put("score", "ADL-1", Got::Quotient(false, ratio)),
        AdlScore::Loss(ratio) => out.put("score", "ADL-1", Got::Quotient(true, ratio)),
        AdlScore::Zero => out.put("score", "ADL-1", Xbt::ZERO),
        AdlScore::Infinite => {}
    }
    Ok(())
}

/// POS-4: rows of one time post together. Rows that were cancelled do not count.
fn wallet_roll(given: Given<'_>, out: &mut Findings) -> Found {
    let (Some(before), Some(rows)) = (given.xbt("balanceBefore")?, given.rows("rows")?) else { return Ok(()) };
    let mut balance = i128::from(before.0);
    for row in rows {
        if matches!(row.text("transactStatus")?.or(row.text("status")?), Some("Canceled" | "Cancelled" | "Rejected")) {
            continue;
        }
        let Some(amount) = row.xbt("amount")? else { return Ok(()) };
        balance += i128::from(amount.0);
    }
    given.in_range("rows", balance)?;
    out.put("balanceAfter", "POS-4", Xbt(balance as i64));
    Ok(())
}
