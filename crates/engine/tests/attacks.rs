//! Attacks that emptied or froze other venues, each tried here and failing.
//!
//! An attacker is one or two accounts of a crowd. What he is worth is wallet and unrealised profit together: an attack
//! succeeds where that, or somebody's delay, is more than honest trading would have brought.

use centum_engine::Engine;
use contract::command::{Amend, AmendFields, Amount, Cancel, Mark, OpenAccount, SetLeverage, SetState, Target};
use contract::view::position_state;
use contract::*;
use testkit::workload::Workload;

/// What everybody begins with: 10 XBT.
const START: i64 = 1_000_000_000;
const START_MARK: Price = Price(1_000_000);

struct Market {
    engine: Engine,
    seq: u64,
}

impl Market {
    fn new(spec: ContractSpec) -> Market {
        let spec = ContractSpec { marking: Marking::External, ..spec };
        let capacity = Capacity { accounts: 64, orders: 256, sessions: 4, lots: 64 };
        let engine = Engine::new(&Genesis { spec, capacity }).expect("it can be traded");
        let mut market = Market { engine, seq: 0 };
        market.mark(START_MARK);
        market
    }

    fn apply(&mut self, account: AccountId, action: Action) -> Vec<Fact> {
        self.seq += 1;
        let mut events: Vec<Event> = Vec::new();
        self.engine.apply(&Command::new(account, action).stamped(self.seq, 0), &mut events);
        self.engine.check_sums().expect("every law holds");
        events.iter().filter_map(Event::fact).collect()
    }

    fn mark(&mut self, price: Price) -> Vec<Fact> {
        self.apply(AccountId::NONE, Action::Mark(Mark { price }))
    }

    fn open(&mut self, leverage: u32) -> AccountId {
        let account = AccountId(self.engine.accounts());
        self.apply(account, Action::OpenAccount(OpenAccount { fee_class: 0 }));
        self.apply(account, Action::Deposit(Amount { amount: Xbt(START) }));
        self.apply(account, Action::SetLeverage(SetLeverage { leverage: Leverage(leverage) }));
        account
    }

    fn order(&mut self, account: AccountId, side: Side, tick: u32, qty: u64) -> Vec<Fact> {
        self.apply(account, Action::New(NewOrder::limit(ClOrdId::NONE, side, Tick(tick), Qty(qty))))
    }

    /// Wallet and unrealised profit.
    fn worth(&self, account: AccountId) -> i64 {
        let wallet = self.engine.wallet(account).expect("it is open").balance;
        let position = position_state(&self.engine.position(account).expect("it is open"));
        let mark = contract::value::unit_value(self.engine.spec(), self.engine.mark().expect("there is one"));
        (wallet + position.unrealised_pnl(self.engine.spec(), mark)).0
    }

    fn qty(&self, account: AccountId) -> i64 {
        self.engine.position(account).expect("it is open").qty
    }
}

fn reject(facts: &[Fact]) -> Option<Reject> {
    facts.iter().find_map(|fact| match fact {
        Fact::Rejected(it) => it.reject(),
        _ => None,
    })
}

fn has_step(facts: &[Fact], step: LiquidationStep) -> bool {
    facts.iter().any(|fact| matches!(fact, Fact::Liquidation(it) if it.step.get() == Some(step)))
}

/// LIQ-7, LIQ-9, OM-5, OM-9: two accounts of one owner trade with each other at any price and leverage, then one is
/// liquidated by a mark that has not passed its bankruptcy. Together they never gain, and the fund never pays.
#[test]
fn trading_with_oneself_through_a_liquidation_never_costs_the_fund() {
    let (mut liquidations, mut refused) = (0, 0);
    for leverage in [0, 1_000, 2_500, 10_000] {
        for tick in (18_000..=22_000).step_by(200) {
            for is_long in [true, false] {
                let mut market = Market::new(ContractSpec::XBTUSD_2019);
                market.apply(AccountId::NONE, Action::FundInsurance(Amount { amount: Xbt(START) }));
                let (victim, winner) = (market.open(leverage), market.open(100));
                let (side, other) = if is_long { (Side::Buy, Side::Sell) } else { (Side::Sell, Side::Buy) };
                let before = market.worth(victim) + market.worth(winner);
                market.order(winner, other, tick, 100_000);
                market.order(victim, side, tick, 100_000);
                if market.qty(victim) == 0 {
                    refused += 1;
                    continue;
                }
                // Orders of the winner wait for the lot at every price, absurd ones too.
                for far in [1, 10_000, 19_000, 21_000, 40_000, 2_000_000] {
                    market.order(winner, side, far, 10_000);
                }
                let position = market.engine.position(victim).unwrap();
                let mark = position.liquidation_price.min(market.engine.spec().max_price);
                liquidations += u32::from(has_step(&market.mark(mark), LiquidationStep::TakenOver));
                let after = market.worth(victim) + market.worth(winner);
                assert!(after <= before, "{leverage} {tick} {is_long}: {} gained", after - before);
                assert!(market.engine.insurance() >= Xbt(START), "{leverage} {tick} {is_long}: the fund has paid");
            }
        }
    }
    assert!(liquidations > 60 && refused > 20, "{liquidations} liquidations, {refused} refused");
}

/// LIQ-7: the mark passes a lot by a cent in an empty book, where the other side of the takeover asks an absurd price of
/// the fund. It gets nothing of it: beyond 0.5 % of the mark nothing is swept, and the position is deleveraged.
#[test]
fn an_absurd_price_in_an_empty_book_gets_nothing_of_the_fund() {
    for bid in [1, 1_000, 10_000, 19_000] {
        let mut market = Market::new(ContractSpec::XBTUSD_2019);
        market.apply(AccountId::NONE, Action::FundInsurance(Amount { amount: Xbt(START) }));
        let (victim, winner) = (market.open(10_000), market.open(10_000));
        let before = market.worth(victim) + market.worth(winner);
        market.order(winner, Side::Sell, 20_000, 100_000);
        market.order(victim, Side::Buy, 20_000, 100_000);
        assert_eq!(reject(&market.order(winner, Side::Buy, bid, 100_000)), None);
        let facts = market.mark(Price(990_098));
        assert!(has_step(&facts, LiquidationStep::Sweep));
        assert_eq!(market.engine.insurance(), Xbt(START), "bid at tick {bid}");
        assert_eq!((market.qty(victim), market.qty(winner)), (0, 0), "deleveraged at the lot's value");
        assert!(market.worth(victim) + market.worth(winner) <= before);
    }
}

/// LIQ-7: what the pair can get of the fund in a real gap: at most 0.5 % of value beyond the gap itself.
#[test]
fn a_sweep_pays_no_more_than_the_gap_and_half_a_per_cent() {
    let mut market = Market::new(ContractSpec::XBTUSD_2019);
    market.apply(AccountId::NONE, Action::FundInsurance(Amount { amount: Xbt(100 * START) }));
    let (victim, winner) = (market.open(10_000), market.open(1_000));
    market.order(winner, Side::Sell, 20_000, 100_000);
    market.order(victim, Side::Buy, 20_000, 100_000);
    for tick in (17_000..19_000).step_by(10) {
        market.order(winner, Side::Buy, tick, 500);
    }
    let gap = Price(950_000);
    market.mark(gap);
    let value = |price| contract::value::value(market.engine.spec(), Qty(100_000), price).0;
    let (paid, owed) = (100 * START - market.engine.insurance().0, value(gap) - 100_000 * 10_100);
    assert!(paid > 0 && paid <= owed + value(gap) / 200 + value(gap) / 10_000, "{paid} paid, the gap is {owed}");
}

/// LIQ-4, law 4: with a budget of one step a command, an attacker who sends whatever he likes cannot put his own
/// takeover off: each of his commands takes a step towards it.
#[test]
fn no_churn_dust_flip_or_amend_delays_one_s_own_liquidation() {
    for orders in [0u32, 1, 7, 30] {
        let mut market = Market::new(ContractSpec { budget: 1, ..ContractSpec::XBTUSD_2019 });
        let (maker, attacker) = (market.open(0), market.open(10_000));
        market.order(maker, Side::Sell, 20_000, 1_000);
        market.order(attacker, Side::Buy, 20_000, 1_000);
        let mut ids = Vec::new();
        for n in 0..orders {
            for fact in market.order(attacker, Side::Buy, 10_000 + n, 1) {
                if let Fact::Accepted(it) = fact {
                    ids.push(OrderId { number: it.number, slot: it.slot });
                }
            }
        }
        let mut facts = market.mark(Price(995_050));
        let mut commands = 0;
        while !has_step(&facts, LiquidationStep::TakenOver) {
            let target =
                ids.get(commands % ids.len().max(1)).map_or(Target::ClOrdId(ClOrdId::NONE), |id| Target::OrderId(*id));
            let fields = AmendFields { price: Tick(10_100), ..AmendFields::default() };
            facts = match commands % 6 {
                0 => market.order(attacker, Side::Buy, 10_000, 1),
                1 => market.apply(attacker, Action::Amend(Amend { target, fields })),
                2 => market.apply(attacker, Action::SetLeverage(SetLeverage { leverage: Leverage(5_000) })),
                3 => market.order(attacker, Side::Sell, 30_000, 1),
                4 => market.apply(attacker, Action::TransferMargin(Amount { amount: Xbt(1) })),
                _ => market.apply(attacker, Action::Withdraw(Amount { amount: Xbt(1) })),
            };
            commands += 1;
            assert!(commands <= orders as usize + 2, "{orders} orders, {commands} commands, not taken over");
        }
        assert_eq!(market.qty(attacker), 0);
    }
}

/// FEE-1: what splitting gains. As recorded, a fee loses its fraction at each fill: less than one satoshi a fill, for
/// the taker alone. Against the trader it costs, and gains nothing. Value and cost are the same however it is split.
#[test]
fn splitting_gains_less_than_a_satoshi_a_fill_and_nothing_against_the_trader() {
    for (rounding, least, most) in [(FeeRounding::Recorded, 0, 999), (FeeRounding::AgainstTrader, -1_000, 0)] {
        for tick in [61, 1_999, 13_337, 20_000, 20_001, 65_536] {
            let mut worth = Vec::new();
            for parts in [1, 1_000] {
                let mut market = Market::new(ContractSpec { fee_rounding: rounding, ..ContractSpec::XBTUSD_2019 });
                market.mark(Price(u64::from(tick) * 50));
                let (maker, taker) = (market.open(100), market.open(100));
                market.apply(maker, Action::Deposit(Amount { amount: Xbt(1 << 50) }));
                market.apply(taker, Action::Deposit(Amount { amount: Xbt(1 << 50) }));
                market.order(maker, Side::Sell, tick, 1_000);
                for _ in 0..parts {
                    assert_eq!(reject(&market.order(taker, Side::Buy, tick, 1_000 / parts)), None);
                }
                assert_eq!(market.qty(taker), 1_000);
                worth.push((market.worth(taker), market.worth(maker)));
            }
            let (taker, maker) = (worth[1].0 - worth[0].0, worth[1].1 - worth[0].1);
            assert!(
                (least..=most).contains(&taker),
                "tick {tick}, {rounding:?}: the taker gains {taker} by 1,000 fills"
            );
            assert!(maker <= 0, "tick {tick}, {rounding:?}: the maker gains {maker}");
        }
    }
}

/// WITHDRAW-1, LIQ-5: at no step between the mark and the end of the lot can the liquidated take out what he owes; what
/// is left to him afterwards is his.
#[test]
fn nothing_is_withdrawn_between_mark_and_settlement() {
    for leverage in [0, 10_000] {
        let mut market = Market::new(ContractSpec { budget: 1, ..ContractSpec::XBTUSD_2019 });
        let (maker, trader) = (market.open(100), market.open(leverage));
        market.order(maker, Side::Sell, 20_000, 100_000);
        let all = market.engine.available(trader).unwrap();
        market.order(trader, Side::Buy, 20_000, 100_000);
        if leverage == 0 {
            // In cross margin everything stands behind the position.
            let spare = market.engine.available(trader).unwrap();
            market.apply(trader, Action::Withdraw(Amount { amount: spare }));
        }
        for n in 0..3 {
            market.order(trader, Side::Buy, 10_000 + n, 1);
        }
        let mark = market.engine.position(trader).unwrap().liquidation_price;
        market.mark(mark);
        let mut tries = 0;
        while market.qty(trader) != 0 {
            for amount in [Xbt(1), all] {
                let facts = market.apply(trader, Action::Withdraw(Amount { amount }));
                let taken = facts.iter().any(|fact| matches!(fact, Fact::Transfer(_)));
                assert!(!taken || market.qty(trader) == 0, "withdrawn while the position stood");
                tries += 1;
            }
            assert!(tries < 40, "it is settled");
        }
        assert!(market.engine.wallet(trader).unwrap().balance >= Xbt(0));
        assert!(market.worth(trader) >= 0);
    }
}

/// Whom a takeover waits for want of a lot: told so, and neither touched nor reached by a mark since.
struct Waiting(Vec<bool>);

impl Waiting {
    /// Takes in what a command said.
    fn hear(&mut self, events: &[Event], needs_index: bool) {
        let is_trader = |event: &&Event| (4..AccountId::NONE.0).contains(&event.account().0);
        for event in events.iter().filter(is_trader) {
            // Whoever was touched was looked at again: due, or safe.
            if matches!(event.fact(), Some(Fact::Wallet(_) | Fact::Position(_))) {
                self.0[event.account().0 as usize] = false;
            }
        }
        for event in events {
            match event.fact() {
                // A mark that takes effect finds everybody; one that stands still finds nobody. (Rule MARK-3)
                Some(Fact::IndexMark(it)) if it.index != Price::NONE || !needs_index => self.0.fill(false),
                Some(Fact::Liquidation(it)) if is_trader(&event) => {
                    self.0[event.account().0 as usize] = it.step.get() == Some(LiquidationStep::Waiting);
                }
                _ => {}
            }
        }
    }
}

/// LIQ-4, LIQ-12: after every command of random markets with work to the end: nobody is due for ever, and whoever is not
/// due stands on the safe side of the very price that his `Position` shows, unless he was told to wait for a lot. MARK-3:
/// while no index is fresh one may be due and put off, and no longer than that.
#[test]
fn the_shown_liquidation_price_is_the_one_that_acts_and_nobody_is_stuck() {
    let (mut looked, mut liquidated, mut put_off, mut waited) = (0u64, 0u64, 0u64, [0u64; 2]);
    let mut seed = 0;
    // Twenty markets, and on to one that loses its index while somebody is due.
    while seed < 20 || put_off == 0 {
        assert!(seed < 300, "nobody was ever put off");
        let mut workload = Workload::new(seed);
        let genesis = workload.scenario().genesis;
        let needs_index = matches!(genesis.spec.marking, Marking::Fair | Marking::Index);
        let mut engine = Engine::new(&genesis).expect("it can be traded");
        let mut waiting = Waiting(vec![false; genesis.capacity.accounts as usize]);
        for number in 0..1_500 {
            let is_behind = !engine.agenda_is_empty();
            let command = if is_behind { workload.clock() } else { workload.next_command() };
            let mut events: Vec<Event> = Vec::new();
            engine.apply(&command, &mut events);
            workload.observe(&events);
            waiting.hear(&events, needs_index);
            liquidated += events.iter().filter(|event| event.account().0 >= 4 && is_step(event)).count() as u64;
            let is_halted = matches!(engine.market_state(), MarketState::CancelOnly | MarketState::Closed);
            let (Some(mark), false, true) = (engine.mark(), is_halted, engine.agenda_is_empty()) else { continue };
            let is_stale = engine.is_mark_stale();
            for account in (4..engine.accounts()).map(AccountId) {
                let position = engine.position(account).unwrap();
                let price = position.liquidation_price;
                let is_safe = match position.qty {
                    0 => true,
                    1.. => mark > price,
                    _ => mark < price || price == genesis.spec.never_price,
                };
                let place = format!("seed {seed}, command {number}: {} with {position:?} at {mark:?}", account.0);
                if engine.is_due(account) {
                    assert!(is_stale, "{place} is stuck");
                    put_off += 1;
                } else {
                    assert!(is_safe || waiting.0[account.0 as usize], "{place} is neither safe nor due");
                    waited[usize::from(is_stale)] += u64::from(!is_safe);
                }
                looked += u64::from(position.qty != 0);
            }
        }
        seed += 1;
    }
    println!("{looked} looks, {liquidated} steps, {put_off} put off, {waited:?} waiting with and without an index");
    assert!(looked > 20_000 && liquidated > 500 && waited.iter().all(|n| *n > 50));
}

/// Is it a step of a liquidation?
fn is_step(event: &Event) -> bool {
    matches!(event.fact(), Some(Fact::Liquidation(_)))
}

/// ID-2: another's order by its very number: it looks unknown, and stands.
#[test]
fn another_s_order_cannot_be_touched_by_its_number() {
    let mut market = Market::new(ContractSpec::XBTUSD_2019);
    let (owner, attacker) = (market.open(0), market.open(0));
    let accepted = market.order(owner, Side::Buy, 19_000, 10);
    let Some(Fact::Accepted(order)) = accepted.first().copied() else { panic!("{accepted:?}") };
    let id = OrderId { number: order.number, slot: order.slot };
    let before = market.engine.order(id);
    let target = Target::OrderId(id);
    let fields = AmendFields { price: Tick(1), ..AmendFields::default() };
    for account in [attacker, AccountId::LIQUIDATION, AccountId::NONE] {
        let cancel = market.apply(account, Action::Cancel(Cancel { target }));
        assert_eq!(reject(&cancel), Some(Reject::InvalidOrderId));
        let amend = market.apply(account, Action::Amend(Amend { target, fields }));
        assert_eq!(reject(&amend), Some(Reject::InvalidOrderId));
    }
    let all = contract::command::CancelAll { side: contract::words::Code::from_raw(0) };
    market.apply(attacker, Action::CancelAll(all));
    assert_eq!(market.engine.order(id), before);
}

/// HALT-1: what a breach has won stays where it is during the halt: no door for money is open, and on reopening the
/// position is looked at before any command of its owner.
#[test]
fn the_profit_of_a_breach_does_not_leave_in_a_halt() {
    for state in [MarketState::CancelOnly, MarketState::Closed] {
        let mut market = Market::new(ContractSpec::XBTUSD_2019);
        let (thief, other) = (market.open(10_000), market.open(0));
        market.order(other, Side::Sell, 20_000, 1_000);
        market.order(thief, Side::Buy, 20_000, 1_000);
        market.apply(AccountId::NONE, Action::SetState(SetState { state: state.into() }));
        market.mark(Price(9_000_000));
        let before = market.engine.wallet(thief);
        for action in [
            Action::Withdraw(Amount { amount: Xbt(1) }),
            Action::TransferMargin(Amount { amount: Xbt(-1) }),
            Action::SetLeverage(SetLeverage { leverage: Leverage(0) }),
            Action::SetRiskLimit(Amount { amount: Xbt(30_000_000_000) }),
            Action::New(NewOrder::market(ClOrdId::NONE, Side::Sell, Qty(1_000))),
        ] {
            assert_eq!(reject(&market.apply(thief, action)), Some(Reject::MarketNotOpen), "{action:?}");
        }
        assert_eq!(market.engine.wallet(thief), before);
        market.mark(Price(900_000));
        let facts = market.apply(AccountId::NONE, Action::SetState(SetState { state: MarketState::Open.into() }));
        assert!(has_step(&facts, LiquidationStep::TakenOver), "at the mark of the reopening");
        assert_eq!(market.qty(thief), 0);
    }
}
