//! What happened in one command, beat by beat: the engine's facts gathered into scenes.
//!
//! In    the events of one command, in order.
//! Out   who fell due and what became of it, which resting lot was bought, what was swept and deleveraged.

use std::collections::BTreeMap;

use contract::{
    AccountId, CancelReason, Event, Fact, FillCause, InsuranceCause, LiquidationStep, Price, Qty, Side, Tick, Xbt,
    event,
};

/// A lot of the liquidation account: whose it was, and its value of a unit.
#[derive(Clone, Copy, Debug)]
pub struct Lot {
    pub owner: AccountId,
    pub unit_value: u64,
    pub is_long: bool,
}

/// Fills of one lot against the book.
#[derive(Clone, Debug, Default)]
pub struct Sales {
    pub qty: Qty,
    pub highest: Option<Tick>,
    pub lowest: Option<Tick>,
    /// Who was on the other side, each once.
    pub parties: Vec<AccountId>,
    /// What the fund gained by them; below zero: paid.
    pub gain: Xbt,
}

impl Sales {
    fn add(&mut self, party: AccountId, fill: &event::Fill) {
        let tick = Tick(u32::try_from(fill.price).unwrap_or(u32::MAX));
        self.qty += fill.qty;
        self.highest = self.highest.max(Some(tick));
        self.lowest = Some(self.lowest.map_or(tick, |low| low.min(tick)));
        if !self.parties.contains(&party) {
            self.parties.push(party);
        }
    }

    /// Both together.
    pub fn join(&mut self, other: &Sales) {
        self.qty += other.qty;
        self.highest = self.highest.max(other.highest);
        self.lowest = [self.lowest, other.lowest].into_iter().flatten().min();
        for &party in &other.parties {
            if !self.parties.contains(&party) {
                self.parties.push(party);
            }
        }
        self.gain += other.gain;
    }
}

/// How it ended for an account that fell due.
#[derive(Clone, Debug)]
pub enum End {
    /// It still waits.
    Open,
    /// Safe again once its orders were gone.
    Cured,
    /// The liquidation account has the position.
    TakenOver { price: Price, fee: Xbt, lot: u64, sales: Sales },
}

/// An account beyond its liquidation price.
#[derive(Clone, Debug)]
pub struct Due {
    pub account: AccountId,
    /// Contracts, signed.
    pub qty: i64,
    pub liquidation_price: Price,
    /// Orders cancelled.
    pub cancelled: u64,
    pub end: End,
}

/// A lot whose bankruptcy the mark has passed.
#[derive(Clone, Debug)]
pub struct Sweep {
    pub owner: AccountId,
    /// Contracts, signed, before it.
    pub qty: i64,
    pub bankruptcy_price: Price,
    pub sales: Sales,
    /// Who gave up how many contracts.
    pub deleveraged: Vec<(AccountId, Qty)>,
}

/// One scene.
#[derive(Clone, Debug)]
pub enum Beat {
    Due(Due),
    /// A resting lot was bought from by an order.
    Bought {
        lot: u64,
        by: AccountId,
        sales: Sales,
    },
    Sweep(Sweep),
    /// The fund made a negative wallet good.
    Shortfall {
        account: AccountId,
        paid: Xbt,
    },
    /// Orders went because available margin was below zero.
    Uncovered {
        account: AccountId,
        orders: u64,
    },
    Refused {
        account: AccountId,
        refusal: event::Rejected,
    },
}

/// The sales of a lot, in the scene of its takeover.
fn sales_of(beats: &mut [Beat], number: u64) -> Option<&mut Sales> {
    beats.iter_mut().rev().find_map(|beat| match beat {
        Beat::Due(Due { end: End::TakenOver { lot, sales, .. }, .. }) if *lot == number => Some(sales),
        _ => None,
    })
}

/// The scene that is being played: what lies between, such as an order that is no longer covered, does not end it.
fn scene(beats: &mut [Beat]) -> Option<&mut Beat> {
    beats.iter_mut().rev().find(|beat| matches!(beat, Beat::Due(_) | Beat::Bought { .. } | Beat::Sweep(_)))
}

/// How often things happened.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Counts {
    pub commands: u64,
    pub refused: u64,
    pub trades: u64,
    pub traded_contracts: u64,
    pub fell_due: u64,
    pub cured: u64,
    pub takeovers: u64,
    /// Fills of close-out orders at bankruptcy or better.
    pub close_out_fills: u64,
    /// Fills below bankruptcy, which the fund paid for.
    pub fund_draws: u64,
    pub deleveragings: u64,
}

/// Reads commands one after another.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    pub counts: Counts,
    /// Lots by number, those used up too.
    pub lots: BTreeMap<u64, Lot>,
    /// In the order in which each was deleveraged first.
    pub deleveraged: Vec<AccountId>,
    /// Orders cancelled by a deleveraging.
    pub deleveraged_orders: BTreeMap<AccountId, u64>,
    /// The lot that sold last before it came to rest; 0 where it was another's order that bought.
    closing_out: u64,
}

impl Reader {
    /// The scenes of one command.
    pub fn read(&mut self, events: &[Event]) -> Vec<Beat> {
        self.counts.commands += 1;
        let mut beats: Vec<Beat> = Vec::new();
        for event in events {
            let account = event.account();
            match event.fact() {
                Some(Fact::Fill(fill)) => self.fill(account, &fill, &mut beats),
                Some(Fact::Liquidation(step)) => self.step(account, &step, &mut beats),
                Some(Fact::Insurance(change)) => self.insurance(&change, &mut beats),
                Some(Fact::Canceled(gone)) => self.cancelled(account, &gone, &mut beats),
                Some(Fact::Rejected(refusal)) => {
                    self.counts.refused += 1;
                    beats.push(Beat::Refused { account, refusal });
                }
                _ => {}
            }
        }
        beats
    }

    fn fill(&mut self, taker: AccountId, fill: &event::Fill, beats: &mut Vec<Beat>) {
        let maker = AccountId(fill.maker_account);
        match fill.cause.get() {
            Some(FillCause::Trade) => {
                self.counts.trades += 1;
                self.counts.traded_contracts += fill.qty.0;
            }
            Some(FillCause::Takeover) => {
                self.counts.takeovers += 1;
                if let Some(Beat::Due(due)) = scene(beats) {
                    let price = Price(fill.price);
                    due.end =
                        End::TakenOver { price, fee: fill.taker_fee, lot: fill.maker_number, sales: Sales::default() };
                }
                let is_long = fill.taker_side.get() == Some(Side::Sell);
                self.lots.insert(fill.maker_number, Lot { owner: taker, unit_value: 0, is_long });
            }
            Some(FillCause::CloseOut) if taker == AccountId::LIQUIDATION => match scene(beats) {
                Some(Beat::Sweep(sweep)) => sweep.sales.add(maker, fill),
                _ => {
                    self.counts.close_out_fills += 1;
                    self.closing_out = fill.taker_number;
                    if let Some(sales) = sales_of(beats, fill.taker_number) {
                        sales.add(maker, fill);
                    }
                }
            },
            Some(FillCause::CloseOut) => {
                self.counts.close_out_fills += 1;
                let mut sales = Sales::default();
                sales.add(taker, fill);
                self.closing_out = 0;
                beats.push(Beat::Bought { lot: fill.maker_number, by: taker, sales });
            }
            Some(FillCause::Deleverage) => {
                self.counts.deleveragings += 1;
                if !self.deleveraged.contains(&maker) {
                    self.deleveraged.push(maker);
                }
                if let Some(Beat::Sweep(sweep)) = scene(beats) {
                    sweep.deleveraged.push((maker, fill.qty));
                }
            }
            None => {}
        }
    }

    fn step(&mut self, account: AccountId, step: &event::Liquidation, beats: &mut Vec<Beat>) {
        match step.step.get() {
            Some(LiquidationStep::Started) => {
                self.counts.fell_due += 1;
                let liquidation_price = step.liquidation_price;
                beats.push(Beat::Due(Due { account, qty: step.qty, liquidation_price, cancelled: 0, end: End::Open }));
            }
            Some(LiquidationStep::Cured) => {
                self.counts.cured += 1;
                if let Some(Beat::Due(due)) = scene(beats) {
                    due.end = End::Cured;
                }
            }
            Some(LiquidationStep::TakenOver) => {
                if let Some(lot) = self.lots.get_mut(&step.lot) {
                    lot.unit_value = step.unit_value;
                }
            }
            Some(LiquidationStep::Sweep) => {
                let owner = self.lots.get(&step.lot).map_or(AccountId::NONE, |lot| lot.owner);
                beats.push(Beat::Sweep(Sweep {
                    owner,
                    qty: step.qty,
                    bankruptcy_price: step.bankruptcy_price,
                    sales: Sales::default(),
                    deleveraged: Vec::new(),
                }));
            }
            _ => {}
        }
    }

    fn insurance(&mut self, change: &event::Insurance, beats: &mut Vec<Beat>) {
        match (change.cause.get(), scene(beats)) {
            (Some(InsuranceCause::Sweep), Some(Beat::Sweep(sweep))) => {
                self.counts.fund_draws += u64::from(change.change < Xbt::ZERO);
                sweep.sales.gain += change.change;
            }
            (Some(InsuranceCause::CloseOut), Some(Beat::Bought { sales, .. })) if self.closing_out == 0 => {
                sales.gain += change.change;
            }
            (Some(InsuranceCause::CloseOut), _) => {
                if let Some(sales) = sales_of(beats, self.closing_out) {
                    sales.gain += change.change;
                }
            }
            (Some(InsuranceCause::Shortfall), _) => {
                beats.push(Beat::Shortfall { account: AccountId(change.counterparty), paid: -change.change });
            }
            _ => {}
        }
    }

    fn cancelled(&mut self, account: AccountId, gone: &event::Canceled, beats: &mut Vec<Beat>) {
        match (gone.cancel_reason(), beats.last_mut()) {
            (Some(CancelReason::Liquidation), _) => {
                if let Some(Beat::Due(due)) = scene(beats) {
                    due.cancelled += 1;
                }
            }
            (Some(CancelReason::Deleverage), _) => *self.deleveraged_orders.entry(account).or_default() += 1,
            // What may only reduce goes with the position already. (Rule INST-2)
            (Some(CancelReason::ReduceOnly), _) => {
                if let Some(Beat::Sweep(sweep)) = scene(beats)
                    && sweep.deleveraged.last().is_some_and(|(last, _)| *last == account)
                {
                    *self.deleveraged_orders.entry(account).or_default() += 1;
                }
            }
            (Some(CancelReason::InsufficientBalance), Some(Beat::Uncovered { account: last, orders }))
                if *last == account =>
            {
                *orders += 1;
            }
            (Some(CancelReason::InsufficientBalance), _) => beats.push(Beat::Uncovered { account, orders: 1 }),
            _ => {}
        }
    }
}
