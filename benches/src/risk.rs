//! The pictures of `docs/risk.md`: each drawn from what the engine said in a small market of its own.
//!
//! Nothing here is random or timed: the same engine draws the same pictures, and a test holds the committed ones
//! against it.
#![allow(clippy::float_arithmetic, reason = "pixels of a plot, no money")]

use std::collections::BTreeSet;

use contract::adl::AdlCandidate;
use contract::command::{Amount, Mark, SetLeverage};
use contract::value::{unit_value, value};
use contract::view::{position_state, terms_of, view};
use contract::*;
use engine::Engine;

use crate::plot::{Axis, COLOURS, Chart, QUIET, grouped, named, steps};
use crate::{FIRST, MIDDLE, Stage, limit, spec};

const BLUE: &str = COLOURS[0];
const ORANGE: &str = COLOURS[1];
const GREEN: &str = COLOURS[2];
const PURPLE: &str = COLOURS[3];
/// Satoshi in a bitcoin.
const XBT: f64 = 1e8;

/// What a line goes through.
type Points = Vec<(f64, f64)>;

/// Every picture with its file's name.
#[must_use]
pub fn pictures() -> Vec<(&'static str, String)> {
    let (balance, price) = fall();
    let cascade = Cascade::new();
    vec![
        ("risk-leverage.svg", leverage()),
        ("risk-balance.svg", balance),
        ("risk-price.svg", price),
        ("risk-step-down.svg", step_down()),
        ("risk-fund.svg", cascade.fund()),
        ("risk-ranking.svg", cascade.ranking()),
    ]
}

fn usd(price: Price) -> f64 {
    price.0 as f64 / 100.0
}

fn xbt(amount: Xbt) -> f64 {
    amount.0 as f64 / XBT
}

fn capacity() -> Capacity {
    Capacity { accounts: 1 << 10, orders: 1 << 12, sessions: 1, lots: 1 << 9 }
}

impl Stage {
    /// Applies and listens.
    fn hear(&mut self, account: u32, action: Action) -> Vec<Event> {
        let command = self.stamped(account, action);
        let mut events = Vec::new();
        self.engine.apply(&command, &mut events);
        let refused = events.iter().find(|event| matches!(event.fact(), Some(Fact::Rejected(_))));
        assert!(refused.is_none(), "{action:?}: {refused:?}");
        events
    }

    fn order(&mut self, account: u32, side: Side, tick: u32, qty: u64) {
        self.hear(account, Action::New(limit(side, tick, qty)));
    }

    fn at_mark(&mut self, price: Price) -> Vec<Event> {
        self.hear(u32::MAX, Action::Mark(Mark { price }))
    }

    fn position(&self, account: u32) -> event::Position {
        self.engine.position(AccountId(account)).expect("it is open")
    }
}

/// How far from the entry a position is liquidated and bankrupt, by its leverage.
fn leverage() -> String {
    let shown = [1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0];
    let x = shown.map(|at| (at, format!("{at}x"))).to_vec();
    let y = [
        (0.3, "0.3 %"),
        (0.5, "0.5 %"),
        (1.0, "1 %"),
        (2.0, "2 %"),
        (5.0, "5 %"),
        (10.0, "10 %"),
        (30.0, "30 %"),
        (100.0, "100 %"),
    ];
    let mut chart = Chart::new(
        "How far the mark may go before a position from 10,000 USD is liquidated, and until it is bankrupt",
        Axis::log("leverage; in cross margin the value of the position over the wallet", 1.0, 100.0, x),
        Axis::log("distance from the entry, % of it", 0.3, 100.0, named(&y)),
        180.0,
    );
    for (side, name) in [(Side::Buy, "long"), (Side::Sell, "short")] {
        let (liquidation, bankruptcy) = by_leverage(side, false);
        if side == Side::Buy {
            chart.line(&format!("bankruptcy, {name}"), BLUE, &bankruptcy);
            chart.line(&format!("liquidation, {name}"), ORANGE, &liquidation);
        } else {
            chart.dashed(&format!("bankruptcy, {name}"), BLUE, &bankruptcy);
            chart.dashed(&format!("liquidation, {name}"), ORANGE, &liquidation);
        }
    }
    let (cross, _) = by_leverage(Side::Buy, true);
    chart.line("", GREEN, &cross);
    let end = *cross.last().expect("a point");
    chart.word(GREEN, "end", end, (-6.0, 14.0), "liquidation, long in cross margin");
    chart.svg()
}

/// Distances of liquidation and bankruptcy from the entry, in per cent, by leverage; beyond 100 % they are left out.
fn by_leverage(side: Side, is_cross: bool) -> (Points, Points) {
    const QTY: u64 = 1_000;
    let mut stage = Stage::new(capacity(), u64::MAX);
    stage.mark(Price(1_000_000));
    let worth = value(&spec(), Qty(QTY), Price(1_000_000)).0;
    let maker = FIRST;
    stage.open(maker, 100_000_000_000, 0);
    let (mut liquidation, mut bankruptcy) = (Vec::new(), Vec::new());
    for step in 0..=60u32 {
        let leverage = (100.0 * 10_f64.powf(f64::from(step) / 30.0)).round() as u32;
        // The wallet after the fee is the value over the leverage; an entry needs a little more than 1/100.
        let wallet = worth * 100 / i64::from(leverage) + worth * 75 / 100_000;
        if is_cross && leverage > 8_000 {
            break;
        }
        let account = FIRST + 1 + step;
        stage.open(account, if is_cross { wallet } else { 3 * worth }, if is_cross { 0 } else { leverage });
        stage.order(maker, side.opposite(), MIDDLE, QTY);
        stage.order(account, side, MIDDLE, QTY);
        let held = stage.position(account);
        let prices = [(&mut liquidation, held.liquidation_price), (&mut bankruptcy, held.bankruptcy_price)];
        for (points, price) in prices {
            if price < Price(2_000_000) {
                points.push((f64::from(leverage) / 100.0, usd(price).mul_add(0.01, -100.0).abs()));
            }
        }
    }
    (liquidation, bankruptcy)
}

/// A cross account with orders while the mark falls: its balance against what it needs, and its prices.
fn fall() -> (String, String) {
    let mut stage = Stage::new(capacity(), u64::MAX);
    let (maker, trader) = (FIRST, FIRST + 1);
    stage.mark(Price(1_000_000));
    stage.open(maker, 100_000_000_000, 0);
    stage.open(trader, 8_000_000, 0);
    stage.order(maker, Side::Sell, MIDDLE, 10_000);
    stage.order(trader, Side::Buy, MIDDLE, 10_000);
    stage.order(trader, Side::Buy, MIDDLE * 90 / 100, 20_000);
    let (mut balance, mut needs, mut marks, mut liquidation, mut bankruptcy) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut cured, mut taken) = (None, None);
    for step in 0..=90u64 {
        let (mark, fallen) = (Price(1_000_000 - step * 1_000), step as f64 / 10.0);
        for event in stage.at_mark(mark) {
            match event.fact() {
                Some(Fact::Liquidation(said)) if said.step.get() == Some(LiquidationStep::Cured) => {
                    cured = Some(fallen)
                }
                Some(Fact::Fill(fill)) if fill.cause.get() == Some(FillCause::Takeover) => taken = Some(fallen),
                _ => {}
            }
        }
        let (wallet, held) = (stage.engine.wallet(AccountId(trader)).expect("it is open"), stage.position(trader));
        let seen = view(stage.engine.spec(), Rate::ZERO, &wallet, &held, mark);
        balance.push((fallen, xbt(seen.margin_balance)));
        marks.push((fallen, usd(mark)));
        if held.qty != 0 {
            needs.push((fallen, xbt(wallet.order_margin + seen.held.maint)));
            liquidation.push((fallen, usd(held.liquidation_price)));
            bankruptcy.push((fallen, usd(held.bankruptcy_price)));
        }
    }
    let (cured, taken) = (cured.expect("its orders cure it once"), taken.expect("then it is taken over"));
    let x = || Axis::linear("fall of the mark, %", 0.0, 9.0, steps(0.0, 9.0, 9, 0, " %"));
    let mut one = Chart::new(
        "10,000 long in cross margin with 20,000 more bid for, as the mark falls",
        x(),
        Axis::linear("XBT", 0.0, 0.08, steps(0.0, 0.08, 8, 2, "")),
        200.0,
    );
    one.line("margin balance", BLUE, &balance);
    one.stairs("order margin + maintenance", ORANGE, &needs);
    let mut other = Chart::new(
        "The same: where it is liquidated moves away once its orders are cancelled",
        x(),
        Axis::linear("price, USD", 9_100.0, 10_000.0, steps(9_100.0, 10_000.0, 9, 0, "")),
        200.0,
    );
    other.line("mark", QUIET, &marks);
    other.stairs("liquidation price", ORANGE, &liquidation);
    other.stairs("bankruptcy price", BLUE, &bankruptcy);
    for (at, text) in [(cured, "due: orders cancelled, cured"), (taken, "taken over")] {
        let before = balance.iter().take_while(|(x, _)| *x < at).last().map_or(0.0, |it| it.1);
        one.word("#444", "start", (at, before), (8.0, -4.0), text);
        other.word("#444", "start", (at, 10_000.0 - 100.0 * at), (8.0, -5.0), text);
    }
    (one.svg(), other.svg())
}

/// 2,500,000 long in tier 4 at 33.33x, step by step, at a mark of 9800.0.
fn step_down() -> String {
    let mut stage = Stage::new(capacity(), u64::MAX);
    let (maker, trader, buyer) = (FIRST, FIRST + 1, FIRST + 2);
    stage.mark(Price(1_000_000));
    for account in [maker, trader, buyer] {
        stage.open(account, 200_000_000_000, 0);
        stage.hear(account, Action::SetRiskLimit(Amount { amount: Xbt(60_000_000_000) }));
    }
    stage.hear(trader, Action::SetLeverage(SetLeverage { leverage: Leverage(3_333) }));
    stage.order(maker, Side::Sell, MIDDLE, 2_500_000);
    stage.order(trader, Side::Buy, MIDDLE, 2_500_000);
    stage.order(buyer, Side::Buy, 19_580, 600_000);
    let mut shown = vec![("in tier 4", stage.position(trader))];
    let (mut said, mut qty) = (Vec::new(), 2_500_000);
    for event in stage.at_mark(Price(980_000)) {
        match event.fact() {
            Some(Fact::Fill(fill)) if event.account() == AccountId(trader) => qty -= fill.qty.0,
            Some(Fact::Liquidation(step)) => said.push((step, qty)),
            _ => {}
        }
    }
    for (step, _) in &said {
        let name = match step.step.get() {
            Some(LiquidationStep::Started) => "due",
            Some(LiquidationStep::StepDown) if shown.len() == 2 => "to tier 1",
            Some(LiquidationStep::Part) => "a part is sold",
            Some(LiquidationStep::StepDown) => "to tier 0",
            _ => "cured",
        };
        let (liquidation_price, bankruptcy_price) = (step.liquidation_price, step.bankruptcy_price);
        shown.push((name, event::Position { qty: step.qty, liquidation_price, bankruptcy_price, ..shown[0].1 }));
    }
    let last = shown.len() as f64;
    let x = shown.iter().enumerate().map(|(at, (name, _))| (at as f64 + 0.5, (*name).to_owned())).collect();
    let mut chart = Chart::new(
        "2,500,000 long from 10,000 USD, at a mark of 9,800: what its tier makes of it",
        Axis::linear("what the engine says, in order", 0.0, last, x),
        Axis::linear("price, USD", 9_650.0, 10_000.0, steps(9_650.0, 10_000.0, 7, 0, "")),
        150.0,
    );
    let line = |price: fn(&event::Position) -> Price| {
        let mut points: Vec<(f64, f64)> =
            shown.iter().enumerate().map(|(at, (_, held))| (at as f64, usd(price(held)))).collect();
        points.push((last, points.last().map_or(0.0, |it| it.1)));
        points
    };
    chart.dashed("mark", QUIET, &[(0.0, 9_800.0), (last, 9_800.0)]);
    chart.stairs("liquidation", ORANGE, &line(|held| held.liquidation_price));
    chart.stairs("bankruptcy", BLUE, &line(|held| held.bankruptcy_price));
    for (at, (_, held)) in shown.iter().enumerate() {
        let text = grouped(&held.qty.to_string());
        chart.word("#444", "middle", (at as f64 + 0.5, 9_650.0), (0.0, -8.0), &text);
    }
    chart.word("#444", "start", (last, 9_650.0), (8.0, -8.0), "contracts");
    chart.svg()
}

/// A cascade: longs at 25x to 100x from three marks, a thin book, and a gap of a tenth.
struct Cascade {
    /// The fund after each of its changes, and why.
    fund: Vec<(Xbt, Option<InsuranceCause>)>,
    /// Changes before the gap.
    before: usize,
    /// As it stood before the gap.
    engine: Engine,
    deleveraged: BTreeSet<u32>,
}

const GAP: Price = Price(900_000);
const PAIRS: u32 = 80;

impl Cascade {
    fn new() -> Cascade {
        let mut stage = Stage::new(capacity(), u64::MAX);
        let mut dice = Dice(7);
        let (maker, buyer) = (FIRST, FIRST + 1);
        stage.mark(Price(1_020_000));
        stage.open(maker, 1_000_000_000_000, 0);
        stage.open(buyer, 100_000_000_000, 0);
        let mut said = stage.hear(u32::MAX, Action::FundInsurance(Amount { amount: Xbt(4_000_000) }));
        let mut next = FIRST + 2;
        for mark in [1_020_000, 1_015_000, 1_010_000, 1_005_000, 1_000_000, 995_000, 990_000] {
            said.extend(stage.at_mark(Price(mark)));
            stage.apply(maker, Action::CancelAll(command::CancelAll::default()));
            let tick = (mark / 50) as u32;
            for _ in 0..PAIRS / 5 {
                if mark < 1_000_000 {
                    continue;
                }
                let qty = dice.within(500, 5_000);
                let worth = value(&spec(), Qty(qty), Price(mark)).0;
                let price = tick + dice.within(0, 50) as u32;
                for (account, side, most) in [(next, Side::Sell, 500), (next + 1, Side::Buy, 2_500)] {
                    let leverage = most * 10_000 / dice.within(most, 10_000);
                    stage.open(account, worth / 2, u32::try_from(leverage).expect("at most 100x"));
                    stage.order(account, side, price, qty);
                }
                next += 2;
            }
            // Lots find the maker's bid here, better than their own price.
            stage.order(maker, Side::Buy, tick - 10, 20_000);
        }
        stage.hear(maker, Action::CancelAll(command::CancelAll::default()));
        for depth in 1..=4 {
            stage.order(buyer, Side::Buy, 18_000 - 15 * depth, 2_500);
        }
        let before = changes(&said).len();
        let engine = stage.engine.clone();
        said.extend(stage.at_mark(GAP));
        stage.engine.check_sums().expect("every SUM law holds after the gap");
        let deleveraged = said
            .iter()
            .filter_map(|event| match event.fact() {
                Some(Fact::Fill(fill)) if fill.cause.get() == Some(FillCause::Deleverage) => Some(fill.maker_account),
                _ => None,
            })
            .collect();
        Cascade { fund: changes(&said), before, engine, deleveraged }
    }

    /// The fund change by change.
    fn fund(&self) -> String {
        let most = self.fund.iter().map(|(balance, _)| xbt(*balance)).fold(0.0, f64::max);
        let top = (most * 50.0).ceil() / 50.0;
        let count = self.fund.len() as f64;
        let ticks = (0..=self.fund.len()).step_by(10).map(|at| (at as f64, at.to_string())).collect();
        let mut chart = Chart::new(
            "The insurance fund through a cascade",
            Axis::linear("changes of the fund, each one fact", 0.0, count, ticks),
            Axis::linear("XBT", 0.0, top, steps(0.0, top, 4, 3, "")),
            150.0,
        );
        let points: Vec<(f64, f64)> =
            self.fund.iter().enumerate().map(|(at, (balance, _))| (at as f64, xbt(*balance))).collect();
        chart.band(ORANGE, self.before as f64 - 0.5, count);
        chart.stairs("", QUIET, &points);
        for (point, (_, cause)) in points.iter().zip(&self.fund) {
            let colour = match cause {
                Some(InsuranceCause::CloseOut) => GREEN,
                Some(InsuranceCause::Sweep) => ORANGE,
                _ => BLUE,
            };
            chart.dot(colour, true, 3.0, *point);
        }
        chart.word("#444", "start", (self.before as f64 - 0.5, top), (6.0, 14.0), "the gap");
        for (n, (colour, text)) in
            [(BLUE, "funded"), (GREEN, "a lot sold better"), (ORANGE, "a sweep, at a loss")].iter().enumerate()
        {
            chart.word(colour, "start", (count, top), (10.0, 14.0 + 18.0 * n as f64), &format!("● {text}"));
        }
        chart.svg()
    }

    /// Shorts at the gap: profit against effective leverage, and who was closed.
    fn ranking(&self) -> String {
        let mut chart = Chart::new(
            "Who is deleveraged: shorts at the gap by profit and effective leverage",
            Axis::linear("profit, % of entry value", 11.0, 14.0, steps(11.0, 14.0, 3, 0, " %")),
            Axis::log(
                "effective leverage",
                3.0,
                10.0,
                named(&[(3.0, "3x"), (4.0, "4x"), (5.0, "5x"), (6.0, "6x"), (8.0, "8x"), (10.0, "10x")]),
            ),
            190.0,
        );
        let mut least = f64::MAX;
        for (account, pnl, leverage) in self.shorts() {
            let is_closed = self.deleveraged.contains(&account);
            chart.dot(if is_closed { ORANGE } else { PURPLE }, is_closed, 4.0, (pnl, leverage));
            if is_closed {
                least = least.min(pnl * leverage);
            }
        }
        let line: Vec<(f64, f64)> =
            (0..=30).map(|step| 11.0 + 0.1 * f64::from(step)).map(|pnl| (pnl, least / pnl)).collect();
        chart.dashed("score of the last one closed", QUIET, &line);
        chart.word(ORANGE, "start", (14.0, 10.0), (10.0, 14.0), "● deleveraged");
        chart.word(PURPLE, "start", (14.0, 10.0), (10.0, 32.0), "○ spared");
        chart.svg()
    }

    /// Account, profit in per cent, effective leverage. (Rule ADL-1)
    fn shorts(&self) -> Vec<(u32, f64, f64)> {
        let spec = self.engine.spec();
        let real = |ratio: wide::Ratio| ratio.times_rounded(1_000_000).map_or(f64::MAX, |it| it as f64 / 1e6);
        (FIRST..self.engine.accounts())
            .filter_map(|number| {
                let account = AccountId(number);
                let (wallet, held) = (self.engine.wallet(account)?, self.engine.position(account)?);
                let terms = terms_of(spec, Rate::ZERO, &held)?;
                let equity = (wallet.balance - wallet.order_margin).0;
                let candidate = AdlCandidate { account, position: position_state(&held), terms, equity };
                if held.qty >= 0 {
                    return None;
                }
                let values = candidate.values(spec, unit_value(spec, GAP));
                let (is_profit, share) = values.pnl_share();
                assert!(is_profit, "every short gains at the gap");
                Some((number, 100.0 * real(share), real(values.effective_leverage()?)))
            })
            .collect()
    }
}

fn changes(said: &[Event]) -> Vec<(Xbt, Option<InsuranceCause>)> {
    let fund = said.iter().filter_map(|event| match event.fact() {
        Some(Fact::Insurance(change)) => Some((change.balance, change.cause.get())),
        _ => None,
    });
    fund.collect()
}

/// Whole numbers, the same on every machine. (splitmix64)
struct Dice(u64);

impl Dice {
    fn within(&mut self, first: u64, last: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        first + (x ^ (x >> 31)) % (last - first + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `cargo run --release -p centum-benches --bin risk -- docs/` draws them anew.
    #[test]
    fn the_pictures_of_the_document_are_what_the_engine_draws() {
        let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        let page = std::fs::read_to_string(docs.join("risk.md")).expect("the page");
        for (name, svg) in pictures() {
            let committed = std::fs::read_to_string(docs.join(name)).expect("the picture");
            assert!(committed == svg, "{name} is another one: draw it anew");
            assert!(page.contains(&format!("]({name})")), "{name} is on the page");
        }
    }

    /// ADL-1: who was closed are the top of the ranking.
    #[test]
    fn the_deleveraged_have_the_highest_scores() {
        let cascade = Cascade::new();
        let mut shorts = cascade.shorts();
        shorts.sort_by(|a, b| (b.1 * b.2).total_cmp(&(a.1 * a.2)));
        let closed = cascade.deleveraged.len();
        assert!(closed > 5 && closed + 5 < shorts.len(), "{closed} of {}", shorts.len());
        assert!(shorts.iter().take(closed).all(|(account, ..)| cascade.deleveraged.contains(account)));
    }
}
