//! A seeded stream of commands that makes everything happen.
//!
//! In    the events that the engine (or the twin) has said: [`Workload::observe`].
//! Out   the next command: [`Workload::next_command`]. The same seed and the same events give the
//!       same commands on every machine.
//!
//! Most commands are sensible: makers quote around the mark, takers cross, losers top up. Some are
//! wrong in exactly one way, so that every refusal is met. The mark wanders, trends and jumps, so
//! that accounts are liquidated, cured, swept and deleveraged.

mod picture;
mod random;
mod scenario;
mod tally;

use std::collections::BTreeMap;

use contract::cl_ord_id::ClOrdId;
use contract::codes::{AmendQty, ExecInst, Side, TimeInForce};
use contract::command::{
    Action, Amend, AmendFields, Amount, Cancel, CancelAll, Command, FundingRate, Index, Mark, NewOrder, OpenAccount,
    SetAccount, SetLeverage, SpecPart, Target,
};
use contract::event::{Event, POSITION_SUSPENDED};
use contract::units::{AccountId, Leverage, OrderId, Price, Qty, Rate, Tick, XBT, Xbt};
use contract::words::{Code, Coded};

use picture::{Live, Picture, Trader};
use random::Random;

pub use scenario::Scenario;
pub use tally::Tally;

/// Byte of a command's instrument, kind and flags. (`COMMAND_HEADER`)
const INSTRUMENT_AT: usize = 32;
const KIND_AT: usize = 34;
const FLAGS_AT: usize = 35;
/// First byte of the client ids of `New` and of an amend's new one.
const NEW_CLIENT_AT: usize = 40;
const AMEND_CLIENT_AT: usize = 80;

/// The generator.
pub struct Workload {
    scenario: Scenario,
    random: Random,
    picture: Picture,
    seq: u64,
    ts: u64,
    /// The last request of each session.
    requests: BTreeMap<u32, u64>,
    /// Where the mark is heading, in millionths a move, and how many moves it still does.
    trend: i64,
    trend_left: u64,
    /// Was open the last state that was asked for?
    is_open: bool,
    /// The last jump, while others back and forth may follow.
    jump: i64,
    /// The mark that was last asked for; it may still wait.
    mark: u64,
    /// Prices of constituents that come next, after minutes of silence.
    quotes: u64,
}

impl Workload {
    /// The stream of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Workload {
        let scenario = Scenario::of(seed);
        Workload {
            scenario,
            random: Random::new(seed),
            picture: Picture::default(),
            seq: 0,
            ts: 1_500_000_000_000_000_000,
            requests: BTreeMap::new(),
            trend: 0,
            trend_left: 0,
            jump: 0,
            is_open: true,
            mark: scenario.first_mark.0,
            quotes: 0,
        }
    }

    /// What the seed decided.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Takes note of what the last command said.
    pub fn observe(&mut self, events: &[Event]) {
        self.picture.observe(events);
    }

    /// The next command, stamped.
    pub fn next_command(&mut self) -> Command {
        self.seq += 1;
        self.ts += self.random.below(5) * 1_000_000;
        if self.random.per_mille(self.scenario.leaps) {
            self.ts += self.random.below(2 * self.scenario.genesis.spec.funding_interval_ns);
        }
        if self.random.per_mille(self.scenario.minutes) {
            self.ts += self.random.below(180) * 1_000_000_000;
            self.quotes = 3;
        }
        let traders = u64::from(self.scenario.traders);
        if self.seq <= traders {
            return self.opening().stamped(self.seq, self.ts);
        }
        let command = if self.seq <= 4 * traders { self.opening() } else { self.any() };
        let command = self.damaged(command);
        self.numbered(command).stamped(self.seq, self.ts)
    }

    /// A `Clock` that lets the agenda go on, stamped; nothing is drawn for it.
    pub fn clock(&mut self) -> Command {
        self.seq += 1;
        Command::new(AccountId::NONE, Action::Clock).stamped(self.seq, self.ts)
    }

    /// The first commands: accounts, money, leverage, the fund and the first mark.
    fn opening(&mut self) -> Command {
        let traders = u64::from(self.scenario.traders);
        let account = 4 + ((self.seq - 1) % traders) as u32;
        let fee_class = if self.random.per_mille(250) { self.random.below(3) as u8 } else { 0 };
        match (self.seq - 1) / traders {
            0 => Command::new(AccountId(account), Action::OpenAccount(OpenAccount { fee_class })),
            1 => {
                let amount = Xbt(self.random.magnitude(17, 31));
                Command::new(AccountId(account), Action::Deposit(Amount { amount }))
            }
            2 => {
                let leverage =
                    Leverage(self.random.pick(&[0, 0, 0, 0, 50, 100, 300, 1_000, 2_500, 5_000, 10_000, 10_000]));
                Command::new(AccountId(account), Action::SetLeverage(SetLeverage { leverage }))
            }
            _ if account == 8 => self.mark_command(self.mark),
            // Orders before and after the first mark: some of these find none.
            _ => self.new_command(),
        }
    }

    fn any(&mut self) -> Command {
        if self.quotes > 0 {
            self.quotes -= 1;
            return self.move_mark();
        }
        let live = self.picture.orders.len() as u64;
        let cancels = 25 + live / 3;
        let halts = if self.is_open { 2 } else { 90 };
        let kinds = [430, 110, cancels, 12, 110, 40, 30, 35, 45, 35, 30, 6, 12, 12, 6, 26, 6, halts];
        match self.random.weighted(&kinds) {
            0 => self.new_command(),
            1 => self.amend_command(),
            2 => self.cancel_command(),
            3 => {
                let side = Code::from_raw(self.random.pick(&[0, 0, 1, 2, 3, 255]));
                Command::new(self.account(), Action::CancelAll(CancelAll { side }))
            }
            4 => self.move_mark(),
            5 => self.deposit_command(),
            6 => self.withdraw_command(),
            7 => self.leverage_command(),
            8 => self.margin_command(),
            9 => self.limit_command(),
            10 => {
                let fee_class = self.random.pick(&[0, 0, 1, 2, 3, 3, 3, 3, 4]);
                let suspended = self.random.pick(&[0, 0, 0, 0, 0, 0, 1, 2]);
                let account = self.account_for_fees();
                Command::new(account, Action::SetAccount(SetAccount { fee_class, suspended }))
            }
            11 => {
                let next = 4 + self.picture.traders.len() as u32;
                let account = AccountId(self.random.pick(&[next, next, next + 1, 4]));
                let fee_class = self.random.pick(&[0, 1, 2, 200]);
                Command::new(account, Action::OpenAccount(OpenAccount { fee_class }))
            }
            12 => {
                let amount = Xbt(match self.random.below(8) {
                    0 => self.random.pick(&[0, -1, i64::MAX, i64::MIN]),
                    _ => self.random.magnitude(8, self.scenario.fund_power),
                });
                Command::new(AccountId::NONE, Action::FundInsurance(Amount { amount }))
            }
            13 => Command::new(AccountId::NONE, Action::Clock),
            14 if self.random.per_mille(150) => Command::new(AccountId::NONE, Action::Epoch),
            14 if self.random.per_mille(400) => self.weights_command(),
            14 => {
                let index = Index { constituent: self.random.below(4) as u32, price: Price(self.mark) };
                Command::new(AccountId::NONE, Action::Index(index))
            }
            15 => {
                let most = self.spec().initial_margin.0;
                let rate = Rate(match self.random.below(20) {
                    0 => self.random.pick(&[most, -most, most + 1, -most - 1, i64::MIN, i64::MAX]),
                    1..=3 => 0,
                    4 => self.random.within(-most, most),
                    _ => self.random.within(-37_500, 37_500),
                });
                Command::new(AccountId::NONE, Action::FundingRate(FundingRate { rate }))
            }
            16 => self.command_not_acted_on(),
            _ => self.state_command(),
        }
    }

    /// The market halts now and then, and soon opens again.
    fn state_command(&mut self) -> Command {
        use contract::codes::MarketState;
        use contract::command::SetState;
        let code = if self.random.per_mille(50) {
            self.random.pick(&[0, 5, 255])
        } else if self.is_open || self.random.per_mille(300) {
            self.random.pick(&[2, 2, 3, 4])
        } else {
            1
        };
        self.is_open = code == MarketState::Open.code();
        Command::new(AccountId::NONE, Action::SetState(SetState { state: Code::from_raw(code) }))
    }

    /// A kind that this build refuses.
    fn command_not_acted_on(&mut self) -> Command {
        use contract::command::{CancelAllAfter, Link, Quarantine};
        let action = match self.random.below(6) {
            0 => Action::Genesis(SpecPart::default()),
            1 => Action::SetSpec(SpecPart::default()),
            2 | 3 => Action::CancelAllAfter(CancelAllAfter { timeout_ms: 1_000 }),
            4 => Action::Quarantine(Quarantine { seq: self.seq, text: [b'x'; 80] }),
            _ => Action::Link(Link::default()),
        };
        Command::new(self.account(), action)
    }

    /// Now and then a record is wrong in its header or its client id.
    fn damaged(&mut self, command: Command) -> Command {
        let is_amend = matches!(command.action(), Some(Action::Amend(_)));
        let client_at = if is_amend { AMEND_CLIENT_AT } else { NEW_CLIENT_AT };
        match self.random.below(500) {
            0 => with_byte(command, KIND_AT, self.random.pick(&[0, 25, 255])),
            1 => with_byte(command, FLAGS_AT, self.random.pick(&[1, 2, 128])),
            2 | 3 => with_byte(command, INSTRUMENT_AT, 1),
            4..=9 if is_amend || matches!(command.action(), Some(Action::New(_))) => {
                let byte = self.random.pick(&[0x1f, 0x7f, 0x80]);
                with_byte(command, client_at + self.random.pick(&[0, 0, 5, 20]), byte)
            }
            _ => command,
        }
    }

    /// Most commands come from a session; some requests are repeated.
    fn numbered(&mut self, command: Command) -> Command {
        let sessions = self.scenario.genesis.capacity.sessions;
        if self.random.per_mille(300) {
            return command;
        }
        if self.random.per_mille(4) {
            return command.from_session(self.random.pick(&[sessions, u32::MAX]), 1);
        }
        let session = 1 + self.random.below(u64::from(sessions) - 1) as u32;
        let last = self.requests.entry(session).or_insert(0);
        if self.random.per_mille(8) {
            return command.from_session(session, *last);
        }
        *last += 1 + self.random.below(3);
        command.from_session(session, *last)
    }

    /// An account, mostly an open one.
    fn account(&mut self) -> AccountId {
        if self.random.per_mille(6) {
            return AccountId(self.random.pick(&[0, 1, 3, 4 + self.picture.traders.len() as u32, u32::MAX]));
        }
        if let (Some(account), true) = (self.picture.in_trouble, self.random.per_mille(40)) {
            return AccountId(account);
        }
        AccountId(4 + self.random.below(u64::from(self.scenario.traders)) as u32)
    }

    fn trader(&self, account: AccountId) -> Trader {
        self.picture.get(account.0).copied().unwrap_or_default()
    }

    fn side(&mut self) -> Side {
        self.random.pick(&[Side::Buy, Side::Sell])
    }

    fn spec(&self) -> &contract::spec::ContractSpec {
        &self.scenario.genesis.spec
    }

    /// A tick so many millionths from a price in 0.01 USD.
    fn tick_near(&self, price: u64, millionths: i64) -> Tick {
        let price = i128::from(price) * i128::from(1_000_000 + millionths) / 1_000_000;
        let tick = price / i128::from(self.spec().tick_size.0);
        let highest = i128::from(self.spec().max_price.0 / self.spec().tick_size.0);
        Tick(tick.clamp(1, highest) as u32)
    }

    /// Whole lots that a share of the trader's wallet buys at its leverage.
    fn qty_for(&mut self, trader: &Trader) -> Qty {
        let leverage = if trader.position.leverage.0 == 0 { 5_000 } else { trader.position.leverage.0 };
        let share = if self.random.per_mille(60) { 1_500 } else { 1 + self.random.small(700) };
        let wallet = i128::from(trader.wallet.balance.0.max(1_000));
        // XBt · leverage · share, in contracts of one USD at the mark.
        let value = wallet * i128::from(leverage) * i128::from(share) / 100_000;
        let contracts = value * i128::from(self.mark) / 100 / i128::from(XBT);
        let lot = i128::from(self.spec().lot.0);
        let lots = (contracts / lot).clamp(1, i128::from(self.spec().max_order_qty.0) / lot);
        Qty((lots * lot) as u64)
    }

    /// A client's name; few, so that some are taken.
    fn client_id(&mut self) -> ClOrdId {
        if self.random.per_mille(400) {
            return ClOrdId::NONE;
        }
        ClOrdId::new(&format!("order-{}", self.random.below(30))).expect("printable and short")
    }

    fn new_command(&mut self) -> Command {
        let account = self.account();
        let trader = self.trader(account);
        let position = trader.position.qty;
        let cl_ord_id = self.client_id();
        let qty = self.qty_for(&trader);
        let closes = position != 0 && self.random.per_mille(350);
        let side = match (closes, position > 0) {
            (true, true) => Side::Sell,
            (true, false) => Side::Buy,
            _ => self.side(),
        };
        let away = if side == Side::Buy { -1 } else { 1 };
        let limit = |price| NewOrder::limit(cl_ord_id, side, price, qty);
        let order = match self.random.weighted(&[340, 160, 110, 60, 60, 70, 100, 25, 25, 90, 60]) {
            // A maker, near the mark or near the touch.
            0 => {
                let off = self.random.small(8_000);
                let price = self.tick_near(self.mark, away * off);
                // In cross margin resting orders can bring a position to its liquidation price, and
                // cancelling them cures it.
                let is_cross = position != 0 && trader.position.leverage.0 == 0;
                if is_cross && self.random.per_mille(250) {
                    let side = if position > 0 { Side::Buy } else { Side::Sell };
                    let off = if side == Side::Buy { -off } else { off };
                    let qty = self.all_in(&trader, side);
                    NewOrder { side: side.into(), qty, ..limit(self.tick_near(self.mark, off)) }
                } else {
                    limit(price)
                }
            }
            // A taker.
            1 => {
                let off = self.random.small(10_000);
                limit(self.tick_near(self.mark, -away * off))
            }
            2 => NewOrder::market(cl_ord_id, side, qty),
            3 => {
                let off = self.random.small(9_000);
                limit(self.tick_near(self.mark, -away * off)).with_tif(TimeInForce::ImmediateOrCancel)
            }
            4 => {
                let off = self.random.small(9_000);
                limit(self.tick_near(self.mark, -away * off)).with_tif(TimeInForce::FillOrKill)
            }
            // Post-only at the mark, or right at the other side's touch.
            5 => {
                let off = self.random.within(-1_000, 4_000);
                let touch = self.picture.best(if side == Side::Buy { Side::Sell } else { Side::Buy });
                let near = self.tick_near(self.mark, away * off);
                let price = if self.random.per_mille(300) { touch.unwrap_or(near) } else { near };
                limit(price).with_inst(ExecInst::POST_ONLY)
            }
            6 => self.reduce_only(position, limit(Tick(1))),
            // Beyond the liquidation price of the position.
            7 if position != 0 => {
                let off = self.random.within(-2_000, 2_000);
                let price = self.tick_near(trader.position.liquidation_price.0, off);
                let side = if position > 0 { Side::Sell } else { Side::Buy };
                NewOrder { price, side: side.into(), ..limit(price) }
            }
            // Far off.
            8 => {
                let off = self.random.within(-400_000, 400_000);
                limit(self.tick_near(self.mark, off))
            }
            // Closes the whole position, or turns it round.
            9 if position != 0 => {
                let side = if position > 0 { Side::Sell } else { Side::Buy };
                let times = self.random.pick(&[1, 1, 2]);
                let qty = Qty((position.unsigned_abs() * times).min(self.spec().max_order_qty.0));
                let away = if side == Side::Buy { -1 } else { 1 };
                let off = self.random.within(-6_000, 6_000);
                let price = self.tick_near(self.mark, away * off);
                if self.random.per_mille(400) {
                    NewOrder::market(cl_ord_id, side, qty)
                } else {
                    NewOrder { side: side.into(), qty, ..limit(price) }
                }
            }
            // All that the wallet can carry, to the contract, on top of what it turns round.
            10 => {
                let qty = self.all_in(&trader, side);
                let off = self.random.within(-2_000, 12_000);
                let price = self.tick_near(self.mark, -away * off);
                if self.random.per_mille(300) {
                    NewOrder::market(cl_ord_id, side, qty)
                } else {
                    NewOrder { qty, ..limit(price) }
                }
            }
            _ => {
                let off = self.random.small(4_000);
                limit(self.tick_near(self.mark, away * off))
            }
        };
        let order = if self.random.per_mille(45) { self.wrong_order(order) } else { order };
        Command::new(account, Action::New(order))
    }

    /// About as many contracts as available margin pays for: some orders just pass, some just fail.
    fn all_in(&mut self, trader: &Trader, side: Side) -> Qty {
        let (wallet, position) = (trader.wallet, trader.position);
        let available = wallet.balance.0 - wallet.order_margin.0 - position.init.0 - position.cross.0;
        let leverage = i128::from(if position.leverage.0 == 0 { 10_000 } else { position.leverage.0 });
        // A hundred-thousandth of the value: initial margin and two taker fees of 0.075 %.
        let rate = 10_000_000 / leverage + 150;
        let value = i128::from(available.max(1)) * 100_000 / rate;
        let contracts = value * i128::from(self.mark) / 100 / i128::from(XBT);
        let turned = if (position.qty > 0) == (side == Side::Sell) { position.qty.unsigned_abs() } else { 0 };
        let lot = i128::from(self.spec().lot.0);
        let lots = contracts * i128::from(self.random.within(960, 1_005)) / 1_000 / lot;
        let most = i128::from(self.spec().max_order_qty.0) / lot;
        let lots = (lots + i128::from(turned) / lot).clamp(1, most);
        Qty((lots * lot) as u64)
    }

    /// An order that may only reduce: mostly on the side that does.
    fn reduce_only(&mut self, position: i64, order: NewOrder) -> NewOrder {
        let reducing = if position > 0 { Side::Sell } else { Side::Buy };
        let side = if position == 0 || self.random.per_mille(60) { self.side() } else { reducing };
        let lot = self.spec().lot.0 as i64;
        let all = (position.abs() / lot).max(1);
        let lots = if self.random.per_mille(300) { 2 * all } else { self.random.within(1, all) };
        let qty = Qty((lots * lot) as u64).min(self.spec().max_order_qty);
        let away = if side == Side::Buy { -1 } else { 1 };
        let off = self.random.within(-2_000, 8_000);
        let price = self.tick_near(self.mark, away * off);
        let tif = self.random.pick(&[
            TimeInForce::GoodTillCancel,
            TimeInForce::GoodTillCancel,
            TimeInForce::GoodTillCancel,
            TimeInForce::ImmediateOrCancel,
            TimeInForce::FillOrKill,
        ]);
        let order = NewOrder { side: side.into(), qty, price, ..order }.with_inst(ExecInst::REDUCE_ONLY).with_tif(tif);
        if self.random.per_mille(100) {
            let id = order.cl_ord_id;
            return NewOrder { exec_inst: ExecInst::REDUCE_ONLY, ..NewOrder::market(id, side, qty) };
        }
        if tif == TimeInForce::GoodTillCancel && self.random.per_mille(150) {
            return order.with_inst(ExecInst::POST_ONLY);
        }
        order
    }

    /// The same order, wrong in one way.
    fn wrong_order(&mut self, order: NewOrder) -> NewOrder {
        let spec = *self.spec();
        let highest = (spec.max_price.0 / spec.tick_size.0) as u32;
        match self.random.below(20) {
            0 => NewOrder { side: Code::from_raw(self.random.pick(&[0, 3, 255])), ..order },
            1 => NewOrder { qty: Qty(self.random.pick(&[0, spec.max_order_qty.0 + spec.lot.0, u64::MAX])), ..order },
            2 if spec.lot.0 > 1 => NewOrder { qty: Qty(order.qty.0 + 1), ..order },
            2 | 3 => NewOrder { qty: Qty(0), ..order },
            4 => NewOrder { price: Tick(if order.price.0 == 0 { 7 } else { 0 }), ..order },
            5 => NewOrder { display: Qty(0), flags: 1, ..order },
            6 => NewOrder { ord_type: Code::from_raw(self.random.pick(&[0, 3, 4, 8, 99])), ..order },
            7 => NewOrder { peg: Code::from_raw(self.random.pick(&[1, 200])), ..order },
            8 => NewOrder { peg_offset: self.random.pick(&[-1, 5]), ..order },
            9 => NewOrder { stop: Tick(20_000), ..order },
            10 => NewOrder { trigger: Code::from_raw(2), ..order },
            11 => NewOrder { tif: Code::from_raw(self.random.pick(&[0, 1, 9])), ..order },
            12 => NewOrder { exec_inst: ExecInst(self.random.pick(&[4, 8, 1 << 15])), ..order },
            13 => NewOrder { self_trade: Code::from_raw(self.random.pick(&[1, 4, 77])), ..order },
            14 | 15 => order.with_inst(ExecInst::POST_ONLY).with_tif(TimeInForce::FillOrKill),
            16 => NewOrder { link: 5, ..order },
            17 => NewOrder { contingency: Code::from_raw(1), ..order },
            _ => NewOrder { price: Tick(highest + 1 + self.random.below(9) as u32), ..order },
        }
    }

    /// An order to name: mostly live, and mostly by its own account.
    fn named(&mut self) -> (AccountId, Option<Live>, Target) {
        let live: Option<Live> = if self.picture.orders.is_empty() {
            None
        } else {
            let at = self.random.below(self.picture.orders.len() as u64) as usize;
            self.picture.orders.values().nth(at).copied()
        };
        let live = if self.random.per_mille(40) && !self.picture.dead.is_empty() {
            let at = self.random.below(self.picture.dead.len() as u64) as usize;
            Some(self.picture.dead[at])
        } else {
            live
        };
        let Some(live) = live else {
            let id = OrderId { number: self.random.below(9), slot: self.random.below(9) as u32 };
            return (self.account(), None, Target::OrderId(id));
        };
        let account = if self.random.per_mille(25) { self.account() } else { AccountId(live.account) };
        let target = if !live.cl_ord_id.is_none() && self.random.per_mille(400) {
            Target::ClOrdId(live.cl_ord_id)
        } else if self.random.per_mille(20) {
            Target::ClOrdId(self.client_id())
        } else if self.random.per_mille(20) {
            Target::OrderId(OrderId { slot: live.id.slot + 1, ..live.id })
        } else {
            Target::OrderId(live.id)
        };
        (account, Some(live), target)
    }

    fn amend_command(&mut self) -> Command {
        let (account, live, target) = self.named();
        let mut fields = AmendFields::default();
        if let Some(live) = live {
            if self.random.per_mille(550) {
                let away = if live.side == Side::Buy { -1 } else { 1 };
                let off = self.random.within(-3_000, 8_000);
                fields.price = self.tick_near(self.mark, away * off);
            }
            let lot = self.spec().lot.0;
            let lots = (live.leaves.0 / lot).max(1);
            let wanted = (self.random.below(2 * lots) + 1) * lot;
            match self.random.below(9) {
                0 | 1 => (fields.qty_kind, fields.qty) = (AmendQty::Total.into(), Qty(live.cum.0 + wanted)),
                2 if self.random.per_mille(200) => {
                    (fields.qty_kind, fields.qty) = (AmendQty::Total.into(), live.cum);
                }
                3 | 4 => (fields.qty_kind, fields.qty) = (AmendQty::Leaves.into(), Qty(wanted)),
                5 | 6 => (fields.qty_kind, fields.qty) = (AmendQty::Reduce.into(), Qty(wanted)),
                _ => {}
            }
        }
        if self.random.per_mille(200) {
            fields.new_cl_ord_id = self.client_id();
        }
        if self.random.per_mille(80) {
            fields.flags = 1;
        }
        if self.random.per_mille(70) {
            self.spoil(&mut fields, live);
        }
        Command::new(account, Action::Amend(Amend { target, fields }))
    }

    /// An amend wrong in one way.
    fn spoil(&mut self, fields: &mut AmendFields, live: Option<Live>) {
        let spec = *self.spec();
        let highest = (spec.max_price.0 / spec.tick_size.0) as u32;
        let too_many = Qty(spec.max_order_qty.0 + spec.lot.0);
        match self.random.below(9) {
            0 => (fields.qty_kind, fields.qty) = (AmendQty::Total.into(), self.random.pick(&[too_many, Qty(u64::MAX)])),
            1 | 2 => (fields.qty_kind, fields.qty) = (AmendQty::Leaves.into(), too_many),
            3 => (fields.qty_kind, fields.qty) = (AmendQty::Reduce.into(), Qty(0)),
            4 => {
                let executed = live.map_or(0, |live| live.cum.0);
                (fields.qty_kind, fields.qty) = (AmendQty::Total.into(), Qty(executed.saturating_sub(spec.lot.0)));
            }
            5 => fields.stop = Tick(1),
            6 => fields.qty_kind = Code::from_raw(self.random.pick(&[4, 255])),
            7 => fields.flags = self.random.pick(&[2, 129]),
            _ => fields.price = Tick(highest + 1),
        }
    }

    fn cancel_command(&mut self) -> Command {
        let (account, _, target) = self.named();
        Command::new(account, Action::Cancel(Cancel { target }))
    }

    fn amount_command(&self, account: AccountId, action: fn(Amount) -> Action, amount: i64) -> Command {
        Command::new(account, action(Amount { amount: Xbt(amount) }))
    }

    fn deposit_command(&mut self) -> Command {
        // The poorest of three is topped up.
        let three: [AccountId; 3] = std::array::from_fn(|_| self.account());
        let account = three.into_iter().min_by_key(|&it| self.trader(it).wallet.balance);
        let amount = match self.random.below(20) {
            0 => self.random.pick(&[0, -1, i64::MIN, i64::MAX]),
            _ => self.random.magnitude(16, 30),
        };
        self.amount_command(account.expect("one of three"), Action::Deposit, amount)
    }

    fn withdraw_command(&mut self) -> Command {
        let account = self.account();
        let balance = self.trader(account).wallet.balance.0.max(1);
        let amount = match self.random.below(10) {
            0 => self.random.pick(&[0, -1, i64::MIN]),
            1 => self.random.pick(&[balance, balance + 1, i64::MAX]),
            _ => self.random.within(1, balance),
        };
        self.amount_command(account, Action::Withdraw, amount)
    }

    fn leverage_command(&mut self) -> Command {
        let leverage = Leverage(self.random.pick(&[
            0,
            0,
            0,
            0,
            1,
            50,
            100,
            101,
            300,
            1_000,
            2_500,
            5_000,
            10_000,
            10_000,
            10_001,
            u32::MAX,
        ]));
        Command::new(self.account(), Action::SetLeverage(SetLeverage { leverage }))
    }

    fn margin_command(&mut self) -> Command {
        let mut account = self.account();
        // Mostly one that has a position in isolated margin.
        for _ in 0..4 {
            let position = self.trader(account).position;
            if position.qty != 0 && position.leverage.0 != 0 {
                break;
            }
            account = self.account();
        }
        let trader = self.trader(account);
        let most = (trader.position.init.0 + trader.position.cross.0).abs().max(2);
        let amount = match self.random.below(12) {
            0 => 0,
            1 => self.random.pick(&[i64::MIN, i64::MAX, 1 << 62]),
            2 => trader.wallet.balance.0,
            3..=6 => -self.random.within(1, most),
            _ => self.random.within(1, most),
        };
        self.amount_command(account, Action::TransferMargin, amount)
    }

    fn limit_command(&mut self) -> Command {
        let (base, step) = (self.spec().risk_limit.0, self.spec().risk_step.0);
        let highest = base + step * self.spec().max_tier as i64;
        let amount = match self.random.below(10) {
            0 => self.random.pick(&[0, -1, i64::MIN, highest + 1, i64::MAX]),
            1 => self.random.pick(&[1, base, base + 1, highest]),
            2 | 3 => base + step * self.random.within(1, 90),
            _ => base + step * self.random.within(0, 6),
        };
        let account = self.account_for_limit();
        self.amount_command(account, Action::SetRiskLimit, amount)
    }

    /// The account with the largest position, one in two: its usage is what limits are about.
    fn account_for_limit(&mut self) -> AccountId {
        let account = self.account();
        if self.random.per_mille(500) {
            return account;
        }
        let others: Vec<AccountId> = (0..4).map(|_| self.account()).collect();
        let size = |it: &AccountId| self.trader(*it).position.cost.0.abs();
        others.into_iter().max_by_key(size).unwrap_or(account)
    }

    /// A suspended account first of all; else any.
    fn account_for_fees(&mut self) -> AccountId {
        let accounts: [AccountId; 6] = std::array::from_fn(|_| self.account());
        let is_suspended = |it: &AccountId| self.trader(*it).position.flags & POSITION_SUSPENDED != 0;
        accounts.into_iter().find(is_suspended).unwrap_or(accounts[0])
    }

    fn mark_command(&mut self, price: u64) -> Command {
        use contract::codes::Marking;
        if self.spec().marking == Marking::External {
            return Command::new(AccountId::NONE, Action::Mark(Mark { price: Price(price) }));
        }
        // Some constituents do not agree, some are none.
        let constituent = self.random.pick(&[0, 0, 1, 1, 2, 2, 3, 9]);
        let off = self.random.pick(&[0, 0, 0, 1, -1, 40, -40]) * price as i128 / 10_000;
        let price = if self.random.per_mille(30) { price / 2 } else { (i128::from(price) + off) as u64 };
        Command::new(AccountId::NONE, Action::Index(Index { constituent, price: Price(price) }))
    }

    /// Weights of one to ten, for now or for later; some of them wrong.
    fn weights_command(&mut self) -> Command {
        use contract::command::SetWeights;
        let count = self.random.pick(&[0u8, 1, 2, 3, 3, 3, 3, 4, 10, 11]);
        let mut weights = [0; 10];
        for weight in weights.iter_mut().take(usize::from(count)) {
            *weight = self.random.below(4) as u32;
        }
        if self.random.per_mille(50) {
            weights[9] = 1;
        }
        let effective_ts = self.ts + self.random.pick(&[0, 0, 1, 30]) * 2_000_000_000;
        Command::new(AccountId::NONE, Action::SetWeights(SetWeights { count, effective_ts, weights }))
    }

    /// The mark wanders around a trend; sometimes it jumps.
    fn move_mark(&mut self) -> Command {
        if self.random.per_mille(15) {
            let highest = self.spec().max_price.0;
            let price = self.random.pick(&[0, self.spec().tick_size.0 - 1, highest + 1, u64::MAX]);
            return self.mark_command(price);
        }
        if self.scenario.has_extremes && self.random.per_mille(15) {
            let (tick, highest) = (self.spec().tick_size.0, self.spec().max_price.0);
            self.mark = self.random.pick(&[tick, 10 * tick, highest / 10, highest - 1, highest]);
            return self.mark_command(self.mark);
        }
        if self.trend_left == 0 {
            self.trend_left = 10 + self.random.below(60);
            self.trend = self.random.pick(&[0, 0, 300, -300, 1_500, -1_500]);
        }
        self.trend_left -= 1;
        let mut move_by = self.trend + self.random.within(-800, 800);
        if self.random.per_mille(self.scenario.jumps) {
            let size = self.random.pick(&[15_000, 20_000, 30_000, 60_000, 150_000, 500_000]);
            self.jump = self.random.within(-size, size);
            move_by += self.jump;
        } else if self.jump != 0 && self.random.per_mille(700) {
            // Back beyond where it came from, and again: lots of both sides meet.
            move_by -= 2 * self.jump;
            self.jump = if self.random.per_mille(300) { 0 } else { -self.jump };
        }
        // Home again from far away.
        let first = self.scenario.first_mark.0;
        if self.mark > 100 * first || self.mark < first / 100 {
            self.mark = first;
        } else if self.mark > 6 * first {
            move_by = -self.random.within(50_000, 500_000);
        } else if self.mark < first / 6 {
            move_by = self.random.within(50_000, 900_000);
        }
        let next = i128::from(self.mark) * i128::from(1_000_000 + move_by) / 1_000_000;
        self.mark = next.clamp(100, i128::from(self.spec().max_price.0)) as u64;
        self.mark_command(self.mark)
    }
}

/// The same record with another byte.
fn with_byte(command: Command, at: usize, byte: u8) -> Command {
    let mut bytes = command.to_bytes();
    bytes[at] = byte;
    Command::from_bytes(&bytes)
}

/// The name of a command's kind, for reports.
#[must_use]
pub fn kind_name(command: &Command) -> &'static str {
    contract::command::CommandKind::from_code(command.kind_code()).map_or("unknown", |kind| kind.name())
}
