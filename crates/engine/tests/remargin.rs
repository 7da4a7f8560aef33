//! A mark that makes 100,000 accounts due at once.
//!
//! Question  Does any command look at more of them than its budget, and when does the first have his turn?
//! Method    Longs at 100x that all bought at one price; one mark; then commands that only pass time. Counted is how many
//!           of those who are due were found, command by command.

use centum_engine::Engine;
use contract::command::{Amount, Mark, OpenAccount, SetLeverage};
use contract::*;

const ACCOUNTS: u32 = 100_000;
const BUDGET: u64 = 64;

struct Market {
    engine: Engine,
    seq: u64,
}

impl Market {
    fn apply(&mut self, account: u32, action: Action) -> Vec<Event> {
        self.seq += 1;
        let mut events = Vec::new();
        self.engine.apply(&Command::new(AccountId(account), action).stamped(self.seq, self.seq), &mut events);
        events
    }

    fn open(&mut self, account: u32, deposit: i64) {
        self.apply(account, Action::OpenAccount(OpenAccount { fee_class: 0 }));
        self.apply(account, Action::Deposit(Amount { amount: Xbt(deposit) }));
    }

    fn order(&mut self, account: u32, side: Side, qty: u64) {
        self.apply(account, Action::New(NewOrder::limit(ClOrdId::NONE, side, Tick(20_000), Qty(qty))));
    }
}

/// The market before the mark: `ACCOUNTS` longs, and one more far from it; the first of them is account 5.
fn before_the_mark() -> Market {
    let spec = ContractSpec { marking: Marking::External, budget: BUDGET, ..ContractSpec::XBTUSD_2019 };
    let capacity = Capacity { accounts: ACCOUNTS + 8, orders: 16, sessions: 1, lots: 16 };
    let engine = Engine::new(&Genesis { spec, capacity }).expect("a specification");
    let mut market = Market { engine, seq: 0 };
    market.apply(AccountId::NONE.0, Action::Mark(Mark { price: Price(1_000_000) }));
    market.open(4, 1_000_000_000_000);
    market.order(4, Side::Sell, 10 * u64::from(ACCOUNTS));
    for account in 5..5 + ACCOUNTS {
        market.open(account, 10_000);
        market.apply(account, Action::SetLeverage(SetLeverage { leverage: Leverage(10_000) }));
        market.order(account, Side::Buy, 10);
    }
    assert!(market.engine.best(Side::Sell).is_none() && market.engine.agenda_is_empty());
    market
}

/// LIQ-8, law 4: no command finds more than its budget, and one more where the pass begins; the first has his turn in the
/// command that pays for the last. A command in between finds its own account beside them.
#[test]
fn no_command_finds_more_of_100_000_who_are_due_than_its_budget() {
    let mut market = before_the_mark();
    let (mut found, mut commands) = (0, 0);
    loop {
        let action = match commands {
            0 => Action::Mark(Mark { price: Price(995_050) }),
            // 9950.5 is where they are due: a newer mark waits.
            1 => Action::Mark(Mark { price: Price(999_000) }),
            _ => Action::Clock,
        };
        // One of those who are found last asks for something; all are due from the first command on.
        let is_asking = commands == 100;
        let events = if is_asking {
            assert!(market.engine.is_due(AccountId(4 + ACCOUNTS)));
            market.apply(4 + ACCOUNTS, Action::Withdraw(Amount { amount: Xbt(1) }))
        } else {
            market.apply(AccountId::NONE.0, action)
        };
        let is_refused = events.iter().any(|event| matches!(event.fact(), Some(Fact::Rejected(_))));
        assert_eq!(is_refused, is_asking, "command {commands}: {events:?}");
        commands += 1;
        if events.iter().any(|event| matches!(event.fact(), Some(Fact::Liquidation(_)))) {
            break;
        }
        let now = market.engine.found();
        let most = BUDGET as usize + usize::from(commands == 1) + usize::from(is_asking);
        assert!(now - found <= most, "command {commands} found {}", now - found);
        found = now;
        assert_eq!(market.engine.mark(), Some(Price(995_050)), "the mark is held");
    }
    assert_eq!(commands, u64::from(ACCOUNTS) / BUDGET + 1, "a unit for each before the first turn");
    market.engine.check_sums().expect("every SUM law holds");
}
