//! What the venue recorded of real accounts, to the satoshi, by the contract's own functions.
//!
//! The recordings lie beside the project, in `../shared/data/bitmex-account`, and are not part of it:
//! where they are absent each test says so by name and proves nothing.

mod support;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use contract::display::{
    Shown, average_entry_price, fair_basis_rate, impact_mid, margin_leverage, margin_used, risk_value, unrealised_pcnt,
    unrealised_roe, vwap,
};
use contract::liquidation::{bearable, price_after_loss};
use contract::margin::{OrderSums, SideSums, Terms, chargeable, held, order_margin};
use contract::mark::{fair_basis, fair_price};
use contract::position::PositionState;
use contract::value::{fee, unit_value, value};
use contract::view::view;
use contract::{ContractSpec, FeeRounding, Leverage, Price, Qty, Rate, Xbt, event};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

/// The file's text, unpacked; `None`, said by name, where the recordings are absent.
fn recording(name: &str) -> Option<String> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("CENTUM_SHARED").map_or(beside, PathBuf::from).join("data/bitmex-account");
    let Ok(bytes) = std::fs::read(folder.join(name)) else {
        support::skipped(&format!("bitmex-account/{name}"));
        return None;
    };
    let mut text = String::new();
    if name.ends_with(".gz") {
        flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).expect("gzip");
    } else {
        text = String::from_utf8(bytes).expect("text");
    }
    Some(text)
}

/// One record: the numbers that are given, by name, as text.
struct Row {
    place: String,
    fields: BTreeMap<String, String>,
}

/// Rows of a CSV file with a header; empty is not given.
fn rows(name: &str, text: &str) -> Vec<Row> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let row = |(i, line): (usize, &str)| {
        let given = header.iter().zip(line.split(',')).filter(|(_, value)| !value.is_empty());
        let fields = given.map(|(key, value)| ((*key).to_owned(), value.to_owned())).collect();
        Row { place: format!("{name}, row {}", i + 1), fields }
    };
    lines.enumerate().map(row).collect()
}

impl Row {
    fn of_json(place: String, values: &Map<String, Value>) -> Row {
        let given = values.iter().filter_map(|(key, value)| match value {
            Value::Null => None,
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some((key.clone(), text.clone())),
            other => Some((key.clone(), other.to_string())),
        });
        Row { place, fields: given.collect() }
    }

    fn text(&self, key: &str) -> &str {
        self.fields.get(key).map_or("", String::as_str)
    }

    fn decimal(&self, key: &str) -> Option<Decimal> {
        let text = self.fields.get(key)?;
        Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()
    }

    /// The number times 10^`decimals`, exact.
    fn scaled(&self, key: &str, decimals: u32) -> Option<i64> {
        let number = self.decimal(key)?.normalize();
        let shift = decimals.checked_sub(number.scale()).unwrap_or_else(|| panic!("{}: {key} {number}", self.place));
        i64::try_from(number.mantissa() * 10i128.pow(shift)).ok()
    }

    fn xbt(&self, key: &str) -> Option<Xbt> {
        self.scaled(key, 0).map(Xbt)
    }

    fn integer(&self, key: &str) -> Option<i64> {
        self.scaled(key, 0)
    }

    fn magnitude(&self, key: &str) -> u64 {
        self.integer(key).unwrap_or(0).unsigned_abs()
    }

    fn price(&self, key: &str) -> Option<Price> {
        self.scaled(key, 2).map(|price| Price(price.unsigned_abs()))
    }

    fn rate(&self, key: &str) -> Option<Rate> {
        self.scaled(key, 8).map(Rate)
    }

    fn leverage(&self, key: &str) -> Option<Leverage> {
        self.scaled(key, 2).and_then(|hundredths| u32::try_from(hundredths).ok()).map(Leverage)
    }
}

/// Identities that held, by rule.
#[derive(Default)]
struct Proofs(BTreeMap<&'static str, usize>);

impl Proofs {
    /// The recorded amount, where there is one, is `got`.
    fn xbt(&mut self, row: &Row, rule: &'static str, field: &str, got: Xbt) {
        if let Some(recorded) = row.xbt(field) {
            assert_eq!(recorded, got, "{rule}: {field} of {}", row.place);
            *self.0.entry(rule).or_default() += 1;
        }
    }

    /// The recorded decimal, where there is one, is `got`; a double may carry noise behind 15 digits.
    fn shown(&mut self, row: &Row, rule: &'static str, field: &str, got: Shown) {
        if let Some(recorded) = row.decimal(field) {
            let got = got.trimmed();
            let got = Decimal::from_i128_with_scale(got.mantissa, got.decimals);
            let (recorded, got) = (recorded.round_sf(15), got.round_sf(15));
            assert_eq!(recorded, got, "{rule}: {field} of {}", row.place);
            *self.0.entry(rule).or_default() += 1;
        }
    }

    /// The recorded price, where there is one, is `got`.
    fn price(&mut self, row: &Row, rule: &'static str, field: &str, got: Price) {
        self.shown(row, rule, field, Shown { mantissa: got.0.into(), decimals: 2 });
    }

    /// Numbers that were compared, and are the same.
    fn count(&self) -> u64 {
        self.0.values().map(|count| *count as u64).sum()
    }

    /// At least so many proofs of each rule: a test that compares nothing proves nothing.
    fn are_at_least(&self, least: &[(&'static str, usize)]) {
        println!("{:?}", self.0);
        for (rule, count) in least {
            assert!(self.0.get(rule) >= Some(count), "{rule}: {:?} of {count}", self.0.get(rule));
        }
    }
}

/// POS-4: the three sums of costs, and realised PnL. An update names what changed and the row says the
/// rest is zero only where the whole position is in it.
fn costs(row: &Row, proofs: &mut Proofs) {
    let sums = [
        ("openingCost", "execCost", "currentCost"),
        ("realisedCost", "unrealisedCost", "currentCost"),
        ("openingComm", "execComm", "currentComm"),
    ];
    for (a, b, sum) in sums {
        if let (Some(a), Some(b)) = (row.xbt(a), row.xbt(b)) {
            proofs.xbt(row, "POS-4", sum, a + b);
        }
    }
    if let (Some(cost), Some(commission)) = (row.xbt("realisedCost"), row.xbt("currentComm")) {
        proofs.xbt(row, "POS-4", "realisedPnl", -cost - commission);
        proofs.xbt(row, "POS-4", "realisedGrossPnl", -cost);
    }
    if let (Some(buy), Some(sell)) = (row.xbt("execBuyCost"), row.xbt("execSellCost"))
        && row.text("symbol") != "ETHUSD"
    {
        proofs.xbt(row, "COST-1", "execCost", sell - buy);
    }
}

/// PNL-1, MARGIN-1 to MARGIN-7, LIQ-3, POS-1, VIEW-1 of an isolated position of XBTUSD.
fn isolated_position(row: &Row, spec: &ContractSpec, terms: &Terms, proofs: &mut Proofs) {
    let Some(qty) = row.integer("currentQty").filter(|qty| *qty != 0) else { return };
    let entered = PositionState { qty, ..PositionState::default() };
    if let Some(mark) = row.price("markPrice") {
        proofs.xbt(row, "COST-1", "markValue", entered.value_at(spec, unit_value(spec, mark)));
    }
    let Some(cost) = row.xbt("posCost") else { return };
    let (cross, loss) = (row.xbt("posCross").unwrap_or(Xbt::ZERO), row.xbt("posLoss").unwrap_or(Xbt::ZERO));
    let position = PositionState { qty, cost, cross, loss };
    proofs.xbt(row, "COST-1", "posCost2", cost);
    let held = held(terms, &position, cross);
    proofs.xbt(row, "MARGIN-1", "posInit", held.init);
    proofs.xbt(row, "MARGIN-3", "posComm", held.comm);
    proofs.xbt(row, "MARGIN-5", "posMargin", held.margin);
    proofs.xbt(row, "MARGIN-6", "posMaint", held.maint);
    if let Some(price) = average_entry_price(spec, &position) {
        proofs.shown(row, "POS-1", "avgEntryPrice", price);
        proofs.shown(row, "POS-1", "avgCostPrice", price);
    }
    let losses = bearable(terms, &position, 0);
    proofs.price(
        row,
        "LIQ-3",
        "bankruptPrice",
        price_after_loss(spec, &position, losses.until_bankruptcy, spec.tick_size),
    );
    let liquidation = price_after_loss(spec, &position, losses.until_liquidation, spec.tick_size);
    proofs.price(row, "LIQ-3", "liquidationPrice", liquidation);
    proofs.price(row, "LIQ-3", "marginCallPrice", liquidation);
    if let Some(mark) = row.price("markPrice") {
        let pnl = position.unrealised_pnl(spec, unit_value(spec, mark));
        proofs.xbt(row, "PNL-1", "unrealisedPnl", pnl);
        proofs.xbt(row, "PNL-1", "unrealisedGrossPnl", pnl);
        proofs.xbt(row, "MARGIN-7", "maintMargin", held.margin + pnl);
        proofs.shown(row, "VIEW-1", "unrealisedPnlPcnt", unrealised_pcnt(&position, pnl));
        proofs.shown(row, "VIEW-1", "unrealisedRoePcnt", unrealised_roe(terms, &position, pnl));
    }
}

/// OM-1 to OM-3, RISK-1. The venue says nothing of a side that has no order.
fn open_orders(row: &Row, spec: &ContractSpec, terms: &Terms, proofs: &mut Proofs) {
    let side = |qty: &str, cost: &str| SideSums { qty: Qty(row.magnitude(qty)), cost: row.magnitude(cost), premium: 0 };
    let sums = OrderSums {
        buy: side("openOrderBuyQty", "openOrderBuyCost"),
        sell: side("openOrderSellQty", "openOrderSellCost"),
    };
    let qty = row.integer("currentQty").unwrap_or(0);
    if sums == OrderSums::default() && row.integer("initMargin").is_none() {
        return;
    }
    let charged = chargeable(&sums, qty);
    proofs.xbt(row, "OM-3", "grossOpenCost", Xbt(charged.cost.cast_signed()));
    proofs.xbt(row, "OM-1", "initMargin", order_margin(terms, charged));
    let held = PositionState { qty, ..PositionState::default() };
    match (row.price("markPrice"), qty) {
        (_, 0) => proofs.xbt(row, "RISK-1", "riskValue", Xbt(charged.cost.cast_signed())),
        (Some(mark), _) => {
            let gross = held.value_at(spec, unit_value(spec, mark)).abs();
            proofs.xbt(row, "RISK-1", "riskValue", risk_value(gross, Xbt(charged.cost.cast_signed())));
        }
        _ => {}
    }
}

/// The account's identities: POS-4, MARGIN-7, VIEW-1.
fn account(row: &Row, proofs: &mut Proofs) {
    let all = |keys: [&str; 2]| Some([row.xbt(keys[0])?, row.xbt(keys[1])?]);
    if let Some([amount, realised]) = all(["amount", "realisedPnl"]) {
        proofs.xbt(row, "POS-4", "walletBalance", amount + realised);
    }
    if let Some([gross, charged]) = all(["grossMarkValue", "grossOpenCost"]) {
        proofs.xbt(row, "VIEW-1", "riskValue", risk_value(gross, charged));
    }
    let Some([wallet, unrealised]) = all(["walletBalance", "unrealisedPnl"]) else { return };
    let balance = wallet + unrealised;
    proofs.xbt(row, "MARGIN-7", "marginBalance", balance);
    let Some([orders, locked]) = all(["initMargin", "maintMargin"]) else { return };
    proofs.xbt(row, "MARGIN-7", "excessMargin", balance - orders - locked);
    proofs.xbt(row, "MARGIN-7", "availableMargin", balance - orders - locked);
    if let Some(used) = margin_used(orders, locked, balance) {
        proofs.shown(row, "VIEW-1", "marginUsedPcnt", used);
    }
    if let Some(leverage) = row.xbt("grossMarkValue").and_then(|gross| margin_leverage(gross, balance)) {
        // In 2026 it is recorded with 4 decimals.
        let decimals = row.decimal("marginLeverage").map_or(0, |recorded| recorded.scale());
        let digits = leverage.decimals.min(decimals);
        let rounded = Shown::quotient(leverage.mantissa, 10u128.pow(leverage.decimals), digits);
        proofs.shown(row, "VIEW-1", "marginLeverage", rounded);
    }
}

/// STATE-1: cumQty + leavesQty = orderQty unless the order is cancelled.
fn order(row: &Row, proofs: &mut Proofs) {
    let quantities = (row.xbt("orderQty"), row.xbt("cumQty"), row.xbt("leavesQty"));
    if let (Some(qty), Some(executed), Some(open)) = quantities
        && row.text("ordStatus") != "Canceled"
    {
        assert_eq!(executed + open, qty, "STATE-1: {}", row.place);
        *proofs.0.entry("STATE-1").or_default() += 1;
    }
}

/// The 36 test-net events of 2019: 1x isolated, positions long and flat, orders on one side.
#[test]
fn the_test_net_account_of_2019() {
    let name = "testnet_2019_position_margin_events.ndjson.gz";
    let Some(text) = recording(name) else { return };
    let spec = ContractSpec::XBTUSD_2019;
    let mut proofs = Proofs::default();
    let (mut events, mut positions, mut others) = (0u64, 0, 0);
    for line in text.lines() {
        events += 1;
        let event: Value = serde_json::from_str(line).expect("JSON");
        // Some events are the message whole, with a list of records.
        let records: Vec<&Map<String, Value>> = match &event["data"]["data"] {
            Value::Array(list) => list.iter().map(|record| record.as_object().expect("an object")).collect(),
            _ => vec![event["data"].as_object().expect("an object")],
        };
        for record in records {
            let row = Row::of_json(format!("{name}, {} {}", event["file"], event["n"]), record);
            match event["table"].as_str() {
                Some("margin") => account(&row, &mut proofs),
                Some("order") => order(&row, &mut proofs),
                Some("position") => {
                    costs(&row, &mut proofs);
                    // An update does not repeat leverage and fee; all of these are 1x or say otherwise.
                    let leverage = row.leverage("leverage").unwrap_or(Leverage::ONE);
                    let taker = row.rate("commission").unwrap_or(Rate(75_000));
                    let terms = Terms::new(&spec, leverage, 0, taker, Rate::ZERO);
                    if row.text("symbol") == "XBTUSD" {
                        positions += 1;
                        isolated_position(&row, &spec, &terms, &mut proofs);
                        open_orders(&row, &spec, &terms, &mut proofs);
                    } else {
                        others += 1;
                        quanto_position(&row, leverage, taker, &mut proofs);
                    }
                }
                _ => panic!("a table this test does not know: {}", row.place),
            }
        }
    }
    assert_eq!((events, positions, others), (36, 19, 3));
    proofs.are_at_least(&[
        ("POS-4", 60),
        ("COST-1", 20),
        ("PNL-1", 12),
        ("MARGIN-1", 7),
        ("MARGIN-3", 7),
        ("MARGIN-5", 7),
        ("MARGIN-6", 6),
        ("MARGIN-7", 15),
        ("LIQ-3", 15),
        ("POS-1", 10),
        ("OM-1", 14),
        ("OM-3", 14),
        ("RISK-1", 14),
        ("VIEW-1", 15),
        ("STATE-1", 4),
    ]);
    support::is_documented("test-net account, 2019: events", events, proofs.count(), 0);
}

/// ETHUSD is another contract, whose value is not ours; what its margin follows from its cost by is.
/// Its maintenance margin is 1 %, and the rate it would have paid is 0.75 %.
fn quanto_position(row: &Row, leverage: Leverage, taker: Rate, proofs: &mut Proofs) {
    let (Some(qty), Some(cost)) = (row.integer("currentQty").filter(|qty| *qty != 0), row.xbt("posCost")) else {
        return;
    };
    let spec = ContractSpec {
        maintenance_margin: Rate(1_000_000),
        initial_margin: Rate(2_000_000),
        ..ContractSpec::XBTUSD_2019
    };
    let terms = Terms::new(&spec, leverage, 0, taker, Rate(750_000));
    let position = PositionState { qty, cost: cost.abs(), ..PositionState::default() };
    let held = held(&terms, &position, position.cross);
    proofs.xbt(row, "MARGIN-1", "posInit", held.init);
    proofs.xbt(row, "MARGIN-3", "posComm", held.comm);
    proofs.xbt(row, "MARGIN-5", "posMargin", held.margin);
    proofs.xbt(row, "MARGIN-6", "posMaint", held.maint);
    if let (Some(value), Some(cost)) = (row.xbt("markValue"), row.xbt("unrealisedCost")) {
        proofs.xbt(row, "PNL-1", "unrealisedPnl", value - cost);
        proofs.xbt(row, "MARGIN-7", "maintMargin", held.margin + value - cost);
        let pcnt = unrealised_pcnt(&position, value - cost);
        proofs.shown(row, "VIEW-1", "unrealisedPnlPcnt", pcnt);
    }
}

/// Fills of 2017 to 2020 that people pasted: value and fee, maker and taker; the rebate of 2017-04-04 is
/// the one that rounds away from zero. (Rules VALUE-1, FEE-1)
#[test]
fn execution_samples() {
    let Some(text) = recording("execution_samples.csv") else { return };
    let spec = ContractSpec::XBTUSD_2019;
    let mut proofs = Proofs::default();
    for row in rows("execution_samples.csv", &text) {
        let qty = Qty(row.magnitude("lastQty"));
        let worth = value(&spec, qty, row.price("lastPx").expect("a price"));
        proofs.xbt(&row, "COST-1", "execCost", if row.text("side") == "Buy" { -worth } else { worth });
        let rate = row.rate("commission").expect("a rate");
        if row.text("timestamp").starts_with("2017-04-04") {
            proofs.xbt(&row, "FEE-1 in 2017", "execComm", -fee(FeeRounding::AgainstTrader, Rate(-rate.0), worth));
        } else {
            proofs.xbt(&row, "FEE-1", "execComm", fee(FeeRounding::Recorded, rate, worth));
        }
    }
    proofs.are_at_least(&[("COST-1", 6), ("FEE-1", 5), ("FEE-1 in 2017", 1)]);
    support::is_documented("pasted fills, 2017 to 2020", 6, proofs.count() - 1, 1);
}

/// Two positions of 2018: costs, margin, PnL.
#[test]
fn position_samples() {
    let Some(text) = recording("position_samples.csv") else { return };
    let spec = ContractSpec::XBTUSD_2019;
    let mut proofs = Proofs::default();
    for row in rows("position_samples.csv", &text) {
        costs(&row, &mut proofs);
        // |posCost| is |unrealisedCost| in those years.
        let mut row = row;
        let cost = row.fields.get("unrealisedCost").expect("a cost").clone();
        row.fields.insert("posCost".into(), cost);
        // The second would have paid 0.375 %, the most there is, at the next instant: its posMaint says so.
        let adverse = if row.text("currentQty") == "30" { Rate(375_000) } else { Rate::ZERO };
        let terms = Terms::new(&spec, row.leverage("leverage").expect("isolated"), 0, Rate(75_000), adverse);
        isolated_position(&row, &spec, &terms, &mut proofs);
    }
    proofs.are_at_least(&[
        ("POS-4", 4),
        ("COST-1", 4),
        ("MARGIN-1", 2),
        ("MARGIN-3", 2),
        ("MARGIN-5", 2),
        ("MARGIN-6", 2),
    ]);
    support::is_documented("pasted positions, 2018", 2, proofs.count(), 0);
}

/// The account of 2026 in what the classic model shares: values, PnL, order margin of both sides, risk
/// value, average price, percentages, account sums. (Rules OM-1 to OM-3, PNL-1, POS-1, VIEW-1)
#[test]
fn the_account_of_2026() {
    let mut proofs = Proofs::default();
    for date in ["2026-04-18", "2026-05-03"] {
        let name = format!("margin_{date}.csv.gz");
        let Some(text) = recording(&name) else { return };
        for row in rows(&name, &text).iter().filter(|row| row.text("currency") == "XBt") {
            account(row, &mut proofs);
        }
        let name = format!("position_{date}.csv.gz");
        let Some(text) = recording(&name) else { return };
        for row in rows(&name, &text).iter().filter(|row| row.text("symbol") == "XBTUSD") {
            let spec = ContractSpec::XBTUSD_2026;
            let taker = row.rate("commission").expect("a rate");
            let terms = Terms::new(&spec, Leverage::CROSS, 0, taker, Rate::ZERO);
            costs(row, &mut proofs);
            open_orders(row, &spec, &terms, &mut proofs);
            let (qty, cost) = (row.integer("currentQty").expect("a position"), row.xbt("posCost").expect("a cost"));
            let position = PositionState { qty, cost, ..PositionState::default() };
            let unit = unit_value(&spec, row.price("markPrice").expect("a mark"));
            let pnl = position.unrealised_pnl(&spec, unit);
            proofs.xbt(row, "COST-1", "markValue", position.value_at(&spec, unit));
            proofs.xbt(row, "PNL-1", "unrealisedPnl", pnl);
            proofs.shown(row, "POS-1", "avgEntryPrice", average_entry_price(&spec, &position).expect("a price"));
            proofs.shown(row, "VIEW-1", "unrealisedPnlPcnt", unrealised_pcnt(&position, pnl));
            proofs.shown(row, "VIEW-1", "unrealisedRoePcnt", unrealised_roe(&terms, &position, pnl));
        }
    }
    proofs.are_at_least(&[
        ("OM-1", 2),
        ("RISK-1", 2),
        ("PNL-1", 2),
        ("POS-1", 2),
        ("POS-4", 4),
        ("MARGIN-7", 6),
        ("VIEW-1", 10),
    ]);
    support::is_documented("account of 2026: what both models share", 4, proofs.count(), 0);
}

/// What the engine's state events say of a recorded position and its orders.
fn states(row: &Row, balance: Xbt) -> (event::Wallet, event::Position) {
    let amount = |key: &str| row.xbt(key).expect("an amount");
    let wallet = event::Wallet {
        balance,
        order_margin: amount("initMargin"),
        buy_qty: Qty(row.magnitude("openOrderBuyQty")),
        buy_cost: amount("openOrderBuyCost").abs(),
        sell_qty: Qty(row.magnitude("openOrderSellQty")),
        sell_cost: amount("openOrderSellCost").abs(),
        ..event::Wallet::default()
    };
    let qty = row.integer("currentQty").expect("a position");
    (wallet, event::Position { qty, cost: amount("posCost"), ..event::Position::default() })
}

/// A position that holds its maintenance margin alone, as the venue showed it. (Rules CONTRACT-3, LIQ-3)
fn maintenance_position(
    row: &Row,
    spec: &ContractSpec,
    rate: Rate,
    wallet: &event::Wallet,
    position: &event::Position,
    proofs: &mut Proofs,
) {
    let seen = view(spec, rate, wallet, position, row.price("markPrice").expect("a mark"));
    proofs.xbt(row, "CONTRACT-3", "posMaint", seen.held.maint);
    proofs.xbt(row, "CONTRACT-3", "posMargin", seen.held.margin);
    proofs.xbt(row, "CONTRACT-3", "maintMargin", seen.locked);
    proofs.xbt(row, "CONTRACT-3", "unrealisedPnl", seen.unrealised_pnl);
    proofs.xbt(row, "CONTRACT-3", "riskValue", seen.risk_value);
    proofs.price(row, "CONTRACT-3", "liquidationPrice", seen.liquidation_price);
    proofs.price(row, "CONTRACT-3", "bankruptPrice", seen.bankruptcy_price);
}

/// CONTRACT-3: 2026-04-17. The position was recorded at 11:53, seven minutes before a funding instant; the rate in
/// force then is not recorded, its maintenance margin says 0.0073 % against shorts, and the tier's was 0.35 %. The
/// account was recorded four hours later.
#[test]
fn the_view_of_2026_04_17() {
    let name = |table: &str| format!("{table}_2026-04-18.csv.gz");
    let table = |table: &str| recording(&name(table)).map(|text| rows(&name(table), &text));
    let (Some(margins), Some(positions)) = (table("margin"), table("position")) else { return };
    let find = |rows: &[Row], key: &str, value: &str| rows.iter().position(|row| row.text(key) == value);
    let margin = &margins[find(&margins, "currency", "XBt").expect("a row")];
    let row = &positions[find(&positions, "symbol", "XBTUSD").expect("a row")];
    let maintenance_margin = row.rate("maintMarginReq").expect("a rate");
    assert_eq!(maintenance_margin, Rate(350_000));
    let spec = ContractSpec { maintenance_margin, ..ContractSpec::XBTUSD_2026 };
    let mut proofs = Proofs::default();
    let balance = margin.xbt("walletBalance").expect("a balance");
    let (wallet, position) = states(row, balance);
    maintenance_position(row, &spec, Rate(-7_300), &wallet, &position, &mut proofs);
    // What the account's own sums say of what may be used and withdrawn.
    let part = |key: &str| margin.xbt(key).expect("an amount");
    let available = balance + part("unrealisedPnl") - part("initMargin") - part("maintMargin");
    proofs.xbt(margin, "CONTRACT-3", "availableMargin", available);
    proofs.xbt(margin, "CONTRACT-3", "withdrawableMargin", available - part("unrealisedPnl").max(Xbt::ZERO));
    proofs.are_at_least(&[("CONTRACT-3", 9)]);
    support::is_documented("account of 2026-04-17", 2, proofs.count() - 1, 1);
}

/// CONTRACT-3: the view of the account of 2026-05-03, where the funding rate in force is recorded too.
#[test]
fn the_view_of_2026() {
    let name = |table: &str| format!("{table}_2026-05-03.csv.gz");
    let table = |table: &str| recording(&name(table)).map(|text| rows(&name(table), &text));
    let (Some(margins), Some(positions), Some(instruments)) = (table("margin"), table("position"), table("instrument"))
    else {
        return;
    };
    let find =
        |rows: Vec<Row>, key: &str, value: &str| rows.into_iter().find(|row| row.text(key) == value).expect("a row");
    let margin = find(margins, "currency", "XBt");
    let row = find(positions, "symbol", "XBTUSD");
    let rate = find(instruments, "symbol", "XBTUSD").rate("fundingRate").expect("a rate");
    let spec = ContractSpec::XBTUSD_2026;
    let mut proofs = Proofs::default();
    let (wallet, position) = states(&row, margin.xbt("walletBalance").expect("a balance"));
    maintenance_position(&row, &spec, rate, &wallet, &position, &mut proofs);
    // The account was recorded ten seconds later, at the mark its gross value says.
    let units = position.qty.unsigned_abs() / spec.value_unit;
    let unit = margin.xbt("grossMarkValue").expect("a value").0.unsigned_abs() / units;
    let later = Price(spec.unit_numerator() / unit);
    assert_eq!(unit_value(&spec, later), unit);
    let seen = view(&spec, rate, &wallet, &position, later);
    proofs.xbt(&margin, "CONTRACT-3", "unrealisedPnl", seen.unrealised_pnl);
    proofs.xbt(&margin, "CONTRACT-3", "marginBalance", seen.margin_balance);
    proofs.xbt(&margin, "CONTRACT-3", "availableMargin", seen.available);
    proofs.xbt(&margin, "CONTRACT-3", "withdrawableMargin", seen.withdrawable);
    proofs.shown(&margin, "CONTRACT-3", "marginUsedPcnt", seen.margin_used.expect("a balance"));
    proofs.are_at_least(&[("CONTRACT-3", 12)]);
    support::is_documented("account of 2026-05-03", 2, proofs.count(), 0);
}

/// Instruments: the fair mark from the clock floored to the minute, impact middles of every symbol, volume
/// prices of inverse contracts. (Rules MARK-1, VIEW-1)
#[test]
fn instruments() {
    let (mut proofs, mut all) = (Proofs::default(), 0);
    for name in ["instrument_2019-12-18_testnet.csv.gz", "instrument_2026-04-18.csv.gz", "instrument_2026-05-03.csv.gz"]
    {
        let Some(text) = recording(name) else { return };
        for row in rows(name, &text) {
            all += 1;
            if row.text("symbol") == "XBTUSD" {
                let rate = row.rate("fundingRate").expect("a rate");
                let index = row.price("indicativeSettlePrice").expect("an index");
                let minute = |key: &str| {
                    let (hours, minutes) = (&row.text(key)[11..13], &row.text(key)[14..16]);
                    hours.parse::<u64>().expect("hours") * 60 + minutes.parse::<u64>().expect("minutes")
                };
                let left = minute("fundingTimestamp") - minute("timestamp");
                let fair = fair_price(index, rate, left, 480);
                proofs.price(&row, "MARK-1", "fairPrice", fair);
                let basis = Shown { mantissa: fair_basis(index, fair).into(), decimals: 2 };
                proofs.shown(&row, "MARK-1", "fairBasis", basis);
                proofs.shown(&row, "VIEW-1 basis", "fairBasisRate", fair_basis_rate(rate, 480));
            }
            if row.text("symbol").starts_with("XBT")
                && let (Some(volume), Some(turnover)) = (row.integer("volume24h"), row.integer("turnover24h"))
                && let Some(price) = vwap(&ContractSpec::XBTUSD_2026, volume.unsigned_abs(), turnover.unsigned_abs())
            {
                proofs.shown(&row, "VIEW-1 vwap", "vwap", price);
            }
            // Other symbols have finer prices: those that fit are compared as well.
            let fits = |key: &str, decimals: u32| row.decimal(key).is_some_and(|n| n.normalize().scale() <= decimals);
            if fits("impactBidPrice", 4) && fits("impactAskPrice", 4) && fits("tickSize", 2) {
                let spec =
                    ContractSpec { tick_size: row.price("tickSize").expect("a tick"), ..ContractSpec::XBTUSD_2026 };
                let fine = |key: &str| row.scaled(key, 4).expect("a price").unsigned_abs();
                let mid = impact_mid(&spec, fine("impactBidPrice"), fine("impactAskPrice"));
                proofs.shown(&row, "VIEW-1 middle", "impactMidPrice", mid);
            }
        }
    }
    proofs.are_at_least(&[("MARK-1", 6), ("VIEW-1 basis", 3), ("VIEW-1 vwap", 8), ("VIEW-1 middle", 15)]);
    support::is_documented("instruments, 2019 and 2026", all, proofs.count(), 0);
}
