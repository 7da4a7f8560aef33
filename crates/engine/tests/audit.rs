//! The audit finds what is planted, where it is planted, and nothing else. (Law 5, rules SUM-1 to SUM-7, HALT-1)

use centum_engine::Engine;
use contract::command::{Amount, Mark, OpenAccount, SetState};
use contract::*;
use testkit::workload::Workload;

/// An engine and its next number.
struct Market {
    engine: Engine,
    seq: u64,
}

impl Market {
    /// Three traders with a book between them.
    fn new(budget: u64) -> Market {
        let spec = ContractSpec { marking: Marking::External, budget, ..ContractSpec::XBTUSD_2019 };
        let engine = Engine::new(&Genesis { spec, capacity: Capacity::default() }).expect("it can be traded");
        let mut market = Market { engine, seq: 0 };
        market.apply(AccountId::NONE, Action::Mark(Mark { price: Price(1_000_000) }));
        for account in (4..7).map(AccountId) {
            market.apply(account, Action::OpenAccount(OpenAccount { fee_class: 0 }));
            market.apply(account, Action::Deposit(Amount { amount: Xbt(100_000_000) }));
        }
        market.order(4, Side::Sell, 20_000, 100);
        market.order(5, Side::Buy, 20_000, 60);
        market.order(6, Side::Buy, 19_000, 50);
        market
    }

    fn apply(&mut self, account: AccountId, action: Action) -> Vec<Fact> {
        self.seq += 1;
        let mut events: Vec<Event> = Vec::new();
        self.engine.apply(&Command::new(account, action).stamped(self.seq, 0), &mut events);
        events.iter().filter_map(Event::fact).collect()
    }

    fn order(&mut self, account: u32, side: Side, tick: u32, qty: u64) -> Vec<Fact> {
        let order = NewOrder::limit(ClOrdId::NONE, side, Tick(tick), Qty(qty));
        self.apply(AccountId(account), Action::New(order))
    }

    fn clock(&mut self) -> Vec<Fact> {
        self.apply(AccountId::NONE, Action::Clock)
    }

    fn set_state(&mut self, state: MarketState) -> Vec<Fact> {
        self.apply(AccountId::NONE, Action::SetState(SetState { state: state.into() }))
    }
}

/// What the audit has said, and the state after it.
fn told(facts: &[Fact]) -> Vec<(u16, i64, i64)> {
    let audits = facts.iter().filter_map(|fact| match fact {
        Fact::Audit(it) => Some((it.law, it.found, it.expected)),
        _ => None,
    });
    audits.collect()
}

fn halts(facts: &[Fact]) -> bool {
    facts.iter().any(|fact| matches!(fact, Fact::State(it) if it.state.get() == Some(MarketState::CancelOnly)))
}

/// SUM-5: a satoshi from nowhere is found by the command that touches its account, in total.
#[test]
fn a_satoshi_from_nowhere_is_found_by_the_command_that_touches_it() {
    let mut market = Market::new(u64::MAX);
    market.engine.plant_satoshi(AccountId(6));
    assert!(told(&market.order(4, Side::Sell, 21_000, 1)).is_empty(), "another account's command does not see it");
    let facts = market.order(6, Side::Buy, 20_000, 10);
    assert_eq!(told(&facts).len(), 1);
    let (law, found, expected) = told(&facts)[0];
    assert_eq!((law, found - expected), (5, 1));
    assert!(halts(&facts), "cancel-only, in the same command");
    let fault = market.engine.fault().expect("it is remembered");
    assert_eq!((fault.seq, fault.law, fault.account), (market.seq, 5, AccountId::NONE));
    let text = market.engine.describe();
    for word in ["SUM-5 broken at command", "state CancelOnly", "added up anew: SUM-5", "account 1 (insurance)"] {
        assert!(text.contains(word), "{word} in\n{text}");
    }
}

/// SUM-5, SUM-7: a pass finds the account, where no command touches it.
#[test]
fn a_pass_finds_the_account_and_its_law() {
    type Plant = fn(&mut Engine, AccountId);
    let plants: [(Plant, u16); 2] = [(Engine::plant_satoshi, 5), (Engine::plant_order_sum, 7)];
    for (plant, law) in plants {
        for account in (4..7).map(AccountId) {
            let mut market = Market::new(u64::MAX);
            if market.engine.wallet(account).unwrap().buy_qty == Qty(0) && law == 7 {
                market.order(account.0, Side::Buy, 18_000, 5);
            }
            plant(&mut market.engine, account);
            let facts = market.clock();
            assert_eq!(told(&facts).len(), 1, "account {}", account.0);
            assert!(halts(&facts));
            let fault = market.engine.fault().expect("it is remembered");
            assert_eq!((fault.seq, fault.law, fault.account), (market.seq, law, account));
            let text = market.engine.describe();
            assert!(text.contains(&format!("account {} (trader)", account.0)), "{text}");
            assert!(told(&market.clock()).is_empty(), "it is told once");
        }
    }
}

/// HALT-1: with a fault there is no way back to trading; cancels pass, and the state may be closed.
#[test]
fn after_a_fault_orders_may_go_and_nothing_else() {
    let mut market = Market::new(u64::MAX);
    market.engine.plant_satoshi(AccountId(5));
    assert!(halts(&market.clock()));
    let reject = |facts: &[Fact]| match facts[0] {
        Fact::Rejected(it) => it.reject(),
        _ => None,
    };
    assert_eq!(reject(&market.order(4, Side::Buy, 19_000, 1)), Some(Reject::MarketNotOpen));
    let withdrawal = Action::Withdraw(Amount { amount: Xbt(1) });
    assert_eq!(reject(&market.apply(AccountId(5), withdrawal)), Some(Reject::MarketNotOpen));
    for state in [MarketState::Open, MarketState::PostOnly] {
        assert_eq!(reject(&market.set_state(state)), Some(Reject::InvalidCommand));
    }
    let all = Action::CancelAll(contract::command::CancelAll { side: contract::words::Code::from_raw(0) });
    let facts = market.apply(AccountId(6), all);
    assert!(facts.iter().any(|fact| matches!(fact, Fact::Canceled(_))));
    assert_eq!(reject(&market.set_state(MarketState::Closed)), None);
    assert_eq!(reject(&market.set_state(MarketState::CancelOnly)), None);
}

/// Without a `Clock`, every 64th command audits one account: no account is left out under load.
#[test]
fn a_stream_without_a_clock_is_audited_too() {
    let mut market = Market::new(u64::MAX);
    market.engine.plant_satoshi(AccountId(6));
    let mut commands = 0;
    while market.engine.fault().is_none() {
        market.order(4, Side::Sell, 21_000, 1);
        commands += 1;
        assert!(commands <= 64 * 4, "three accounts, one at every 64th command");
    }
    assert_eq!(market.engine.fault().unwrap().account, AccountId(6));
}

/// No false alarm: passes that take hundreds of commands, in markets with liquidations, deleveraging, halts and moving
/// marks, find nothing; and what is planted in the middle of one is found before the second next ends.
#[test]
fn a_slow_pass_in_a_moving_market_finds_what_is_planted_and_nothing_else() {
    let (mut passes, mut planted) = (0, 0);
    for seed in 0..24 {
        let mut workload = Workload::new(seed);
        let mut engine = Engine::new(&workload.scenario().genesis).expect("it can be traded");
        for number in 0..3_000u64 {
            // A clock at every fifth command: it audits with what the agenda leaves of the budget.
            let command = if number > 300 && number % 5 == 0 { workload.clock() } else { workload.next_command() };
            let mut events: Vec<Event> = Vec::new();
            engine.apply(&command, &mut events);
            workload.observe(&events);
            let audit = events.iter().find(|event| event.kind() == Some(EventKind::Audit));
            assert!(audit.is_none(), "seed {seed}, command {number}: {audit:?}\n{}", engine.describe());
        }
        engine.check_sums().expect("the laws hold");
        passes += engine.audit_passes();

        engine.plant_satoshi(AccountId(4 + seed as u32 % workload.scenario().traders));
        let before = engine.audit_passes();
        while engine.fault().is_none() {
            let command = workload.clock();
            let mut events: Vec<Event> = Vec::new();
            engine.apply(&command, &mut events);
            workload.observe(&events);
            assert!(engine.audit_passes() < before + 2, "seed {seed}: it is not found");
        }
        assert_eq!(engine.fault().unwrap().law, 5);
        planted += 1;
    }
    println!("{passes} passes without a false alarm, {planted} planted satoshis found");
    assert!(passes > 100, "{passes} passes prove little");
}
