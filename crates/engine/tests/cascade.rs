//! A gap of 10 % through 10,000 accounts at 25x to 100x, with a thin book and a fund that does not reach.
//!
//! Question  Does the whole chain (takeovers, sweep, deleveraging) keep every law, hit exactly the top of the
//!           ranking, and come to the same end whether its work is done at once or in slices?
//! Method    Shorts sell to longs, most longs add margin by hand and survive, some hundreds do not. Then one
//!           mark. The ranking is computed here from the positions before it, by a full sort.

use std::collections::BTreeSet;

use centum_engine::{Discard, Engine};
use contract::adl::{AdlCandidate, Ranked, may_be_deleveraged};
use contract::command::{Amount, Mark, OpenAccount, SetLeverage};
use contract::position::PositionState;
use contract::value::{unit_value, value};
use contract::view::{position_state, terms_of};
use contract::{
    AccountId, Action, CancelReason, Capacity, ClOrdId, Command, ContractSpec, Event, ExecInst, Fact, FillCause,
    Genesis, InsuranceCause, Leverage, LiquidationStep, Marking, NewOrder, Price, Qty, Rate, Side, Tick, Xbt,
};

const PAIRS: u32 = 5_000;
/// Of so many longs one adds no margin and is taken over.
const ONE_IN: u32 = 12;
const BUYERS: u32 = 5;
const MARK: Price = Price(1_000_000);
const GAP: Price = Price(900_000);
const SEED: u64 = 7;

/// Whole numbers, the same on every machine.
struct Dice(u64);

impl Dice {
    /// A number from `first` to `last`. (splitmix64)
    fn within(&mut self, first: u64, last: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        first + (x ^ (x >> 31)) % (last - first + 1)
    }
}

struct Market {
    engine: Engine,
    seq: u64,
}

impl Market {
    fn open(budget: u64) -> Market {
        let spec = ContractSpec { marking: Marking::External, budget, ..ContractSpec::XBTUSD_2019 };
        let capacity = Capacity { accounts: 1 << 14, orders: 1 << 14, sessions: 1, lots: 1 << 12 };
        Market { engine: Engine::new(&Genesis { spec, capacity }).expect("a specification"), seq: 0 }
    }

    fn stamped(&mut self, account: u32, action: Action) -> Command {
        self.seq += 1;
        Command::new(AccountId(account), action).stamped(self.seq, self.seq)
    }

    fn apply(&mut self, account: u32, action: Action) -> Vec<Event> {
        let command = self.stamped(account, action);
        let mut events = Vec::new();
        self.engine.apply(&command, &mut events);
        events
    }

    /// A command that must not be refused.
    fn accepted(&mut self, account: u32, action: Action) {
        for event in self.apply(account, action) {
            assert!(!matches!(event.fact(), Some(Fact::Rejected(_))), "seed {SEED}: {action:?}: {event:?}");
        }
    }

    fn funded(&mut self, account: u32, leverage: u32, deposit: i64) {
        self.accepted(account, Action::OpenAccount(OpenAccount { fee_class: 0 }));
        self.accepted(account, Action::Deposit(Amount { amount: Xbt(deposit) }));
        self.accepted(account, Action::SetLeverage(SetLeverage { leverage: Leverage(leverage) }));
    }

    fn order(&mut self, account: u32, side: Side, tick: u64, qty: u64, inst: ExecInst) {
        let price = Tick(u32::try_from(tick).expect("a tick"));
        self.accepted(account, Action::New(NewOrder::limit(ClOrdId::NONE, side, price, Qty(qty)).with_inst(inst)));
    }
}

/// The market a moment before the gap: 5,000 shorts who sold to 5,000 longs, and 5 buyers below.
fn before_the_gap(budget: u64) -> Market {
    let mut market = Market::open(budget);
    let mut dice = Dice(SEED);
    let start = MARK.0 / market.engine.spec().tick_size.0;
    market.accepted(AccountId::NONE.0, Action::Mark(Mark { price: MARK }));
    market.accepted(AccountId::NONE.0, Action::FundInsurance(Amount { amount: Xbt(150_000_000) }));
    let first = AccountId::FIRST_TRADER.0;
    for pair in 0..PAIRS {
        let (short, long) = (first + 2 * pair, first + 2 * pair + 1);
        let qty = dice.within(100, 2_000);
        let worth = value(market.engine.spec(), Qty(qty), MARK).0;
        market.funded(short, dice.within(2_500, 10_000) as u32, worth / 10);
        market.funded(long, dice.within(2_500, 10_000) as u32, worth / 4);
        let tick = start + dice.within(0, 8);
        market.order(short, Side::Sell, tick, qty, ExecInst::NONE);
        market.order(long, Side::Buy, tick, qty, ExecInst::NONE);
        if !pair.is_multiple_of(ONE_IN) {
            // 10 % down is 11.1 % of value for a long.
            market.accepted(long, Action::TransferMargin(Amount { amount: Xbt(worth * 13 / 100) }));
        }
        if pair.is_multiple_of(5) {
            // What liquidation and deleveraging have to cancel: far from any price that is traded.
            market.order(short, Side::Buy, start * 7 / 10 + dice.within(0, 100), qty / 2 + 1, ExecInst::REDUCE_ONLY);
            market.order(long, Side::Sell, start * 11 / 10 + dice.within(0, 100), qty / 2 + 1, ExecInst::NONE);
            market.order(long, Side::Buy, start * 7 / 10 + dice.within(0, 100), qty / 10 + 1, ExecInst::NONE);
        }
    }
    let after = first + 2 * PAIRS;
    for buyer in after..after + BUYERS {
        market.funded(buyer, 0, 10_000_000_000);
        // One above the lots' prices, for the fund to gain by; the others just below the gap.
        market.order(buyer, Side::Buy, start * 98 / 100 - 10 * u64::from(buyer - after), 2_000, ExecInst::NONE);
        market.order(buyer, Side::Buy, start * 897 / 1_000 - 5 * u64::from(buyer - after), 60_000, ExecInst::NONE);
    }
    assert!(market.engine.agenda_is_empty());
    market.engine.check_sums().expect("before the gap");
    market
}

/// The shorts as they stand, best first: everybody looked at, everything sorted. (Rule ADL-1)
fn ranking(engine: &Engine, mark: Price) -> Vec<AdlCandidate> {
    let spec = engine.spec();
    let mut all: Vec<(Ranked, AdlCandidate)> = Vec::new();
    for number in AccountId::FIRST_TRADER.0..engine.accounts() {
        let account = AccountId(number);
        let (wallet, held) =
            (engine.wallet(account).expect("it is open"), engine.position(account).expect("it is open"));
        if held.qty >= 0 {
            continue;
        }
        let position: PositionState = position_state(&held);
        let terms = terms_of(spec, Rate::ZERO, &held).expect("a fee class");
        let equity = (wallet.balance - wallet.order_margin).0;
        let candidate = AdlCandidate { account, position, terms, equity };
        all.push((candidate.place(spec, unit_value(spec, mark)), candidate));
    }
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().rev().map(|(_, candidate)| candidate).collect()
}

/// What the gap's events say.
#[derive(Default)]
struct Seen {
    takeovers: u64,
    close_outs: u64,
    draws: u64,
    waits: u64,
    liquidated_orders: u64,
    deleveraged_orders: u64,
    deleveragings: u64,
    /// In the order in which each was closed first.
    deleveraged: Vec<AccountId>,
    /// Values of a unit at which lots were deleveraged.
    lot_values: BTreeSet<i64>,
    lowest_fund: Option<Xbt>,
}

impl Seen {
    fn read(&mut self, events: &[Event]) {
        for event in events {
            match event.fact() {
                Some(Fact::Fill(fill)) => match fill.cause.get() {
                    Some(FillCause::Takeover) => self.takeovers += 1,
                    Some(FillCause::CloseOut) => self.close_outs += 1,
                    Some(FillCause::Deleverage) => {
                        self.deleveragings += 1;
                        self.lot_values.insert(fill.value.0 / fill.qty.0 as i64);
                        let account = AccountId(fill.maker_account);
                        if !self.deleveraged.contains(&account) {
                            self.deleveraged.push(account);
                        }
                    }
                    _ => {}
                },
                Some(Fact::Insurance(change)) => {
                    assert!(change.balance >= Xbt::ZERO, "INS-1, seed {SEED}: {event:?}");
                    self.lowest_fund = Some(self.lowest_fund.map_or(change.balance, |low| low.min(change.balance)));
                    self.draws +=
                        u64::from(change.cause.get() == Some(InsuranceCause::Sweep) && change.change < Xbt::ZERO);
                }
                Some(Fact::Canceled(gone)) => match gone.cancel_reason() {
                    Some(CancelReason::Liquidation) => self.liquidated_orders += 1,
                    Some(CancelReason::Deleverage) => self.deleveraged_orders += 1,
                    _ => {}
                },
                Some(Fact::Liquidation(step)) if step.step.get() == Some(LiquidationStep::Waiting) => self.waits += 1,
                Some(Fact::Rejected(_)) => panic!("seed {SEED}: {event:?}"),
                _ => {}
            }
        }
    }
}

/// The gap, and commands that only pass time until nothing waits.
fn gap(market: &mut Market) -> (Seen, u64) {
    let mut seen = Seen::default();
    seen.read(&market.apply(AccountId::NONE.0, Action::Mark(Mark { price: GAP })));
    let mut clocks = 0;
    while !market.engine.agenda_is_empty() {
        seen.read(&market.apply(AccountId::NONE.0, Action::Clock));
        clocks += 1;
    }
    (seen, clocks)
}

/// SUM-1 to SUM-7, SUM-6 for every trader, INS-1, LIQ-5 to LIQ-9, ADL-1, ADL-2, ADL-4.
#[test]
fn a_gap_of_a_tenth_through_ten_thousand_accounts_keeps_every_law() {
    let mut market = before_the_gap(u64::MAX);
    let ranked = ranking(&market.engine, GAP);
    let deposits = total(&market.engine);
    let (seen, clocks) = gap(&mut market);
    let engine = &market.engine;
    assert_eq!(clocks, 0, "an unlimited budget leaves nothing");
    engine.check_sums().expect("every SUM law holds after the gap");
    assert_eq!(total(engine), deposits, "SUM-5: nothing came and nothing went");

    println!(
        "{} takeovers, {} close-out fills, {} draws, {} deleveragings of {} accounts, {} orders cancelled",
        seen.takeovers,
        seen.close_outs,
        seen.draws,
        seen.deleveragings,
        seen.deleveraged.len(),
        seen.liquidated_orders + seen.deleveraged_orders,
    );
    assert_eq!(seen.takeovers, u64::from(PAIRS.div_ceil(ONE_IN)), "who added no margin, and nobody else");
    assert!(seen.close_outs > 5 && seen.draws > 5, "the book is thin, not empty");
    assert!((10..2_000).contains(&seen.deleveraged.len()), "{} deleveraged", seen.deleveraged.len());
    assert!(seen.liquidated_orders > 0 && seen.deleveraged_orders > 0 && seen.waits == 0);

    // ADL-4 excludes nobody here: every lot's value is one that every short can be closed at.
    let spec = engine.spec();
    for &worth in &seen.lot_values {
        assert!(ranked.iter().all(|it| may_be_deleveraged(spec, it, worth.unsigned_abs())), "at {worth}");
    }
    let top: Vec<AccountId> = ranked.iter().take(seen.deleveraged.len()).map(|it| it.account).collect();
    assert_eq!(seen.deleveraged, top, "ADL-1: the top of the ranking, in its order");
    // All but the last of them are closed whole; who stands below them is untouched. (Rule ADL-2)
    for (place, before) in ranked.iter().enumerate() {
        let now = engine.position(before.account).expect("it is open");
        match (place + 1).cmp(&seen.deleveraged.len()) {
            std::cmp::Ordering::Less => assert_eq!(now.qty, 0, "place {place}"),
            std::cmp::Ordering::Equal => assert!(now.qty > before.position.qty, "place {place}"),
            std::cmp::Ordering::Greater => assert_eq!(position_state(&now), before.position, "place {place}"),
        }
    }

    let mark_value = unit_value(spec, GAP);
    for number in AccountId::FIRST_TRADER.0..engine.accounts() {
        let account = AccountId(number);
        let balance = engine.wallet(account).expect("it is open").balance;
        let position = position_state(&engine.position(account).expect("it is open"));
        assert!(balance >= Xbt::ZERO, "SUM-6: account {number} has {balance}");
        let margin_balance = balance + position.unrealised_pnl(spec, mark_value);
        assert!(margin_balance >= Xbt::ZERO, "SUM-6: account {number} is worth {margin_balance}");
        assert!(!engine.is_due(account), "account {number} still waits");
    }
    assert!(seen.lowest_fund.is_some_and(|low| low >= Xbt::ZERO) && engine.insurance() >= Xbt::ZERO, "INS-1");
    let house = engine.position(AccountId::LIQUIDATION).expect("a house account");
    assert_eq!((house.qty, house.cost), (0, Xbt::ZERO), "no lot is left");
}

/// Law 4: the budget cuts work into slices, and the slices come to the same end.
#[test]
fn the_same_gap_in_slices_of_64_steps_ends_in_the_same_wallets() {
    let mut at_once = before_the_gap(u64::MAX);
    let mut sliced = before_the_gap(64);
    at_once.apply(AccountId::NONE.0, Action::Mark(Mark { price: GAP }));
    let (seen, clocks) = gap(&mut sliced);
    println!("{clocks} slices for {} deleveragings", seen.deleveragings);
    assert!(clocks > 1_000, "{clocks} slices");
    sliced.engine.check_sums().expect("every SUM law holds after the last slice");
    for number in 0..at_once.engine.accounts() {
        let account = AccountId(number);
        assert_eq!(at_once.engine.wallet(account), sliced.engine.wallet(account), "wallet of {number}, seed {SEED}");
        assert_eq!(at_once.engine.position(account), sliced.engine.position(account), "position of {number}");
    }
    assert_eq!(at_once.engine.insurance(), sliced.engine.insurance());
    // The next mark finds both in the same state.
    for market in [&mut at_once, &mut sliced] {
        let mark = market.stamped(AccountId::NONE.0, Action::Mark(Mark { price: MARK }));
        market.engine.apply(&mark, &mut Discard);
        while !market.engine.agenda_is_empty() {
            market.apply(AccountId::NONE.0, Action::Clock);
        }
        market.engine.check_sums().expect("every SUM law holds after the way back");
    }
    assert_eq!(at_once.engine.insurance(), sliced.engine.insurance(), "after the way back");
}

/// Wallets of all, the house's included, less unrealised cost: what was deposited. (Rule SUM-5)
fn total(engine: &Engine) -> i128 {
    (0..engine.accounts())
        .map(|number| {
            let account = AccountId(number);
            let (wallet, position) = (engine.wallet(account).expect("open"), engine.position(account).expect("open"));
            i128::from(wallet.balance.0) - i128::from(position.cost.0)
        })
        .sum()
}
