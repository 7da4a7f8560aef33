//! How many accounts a mark looks at in vain.
//!
//! Question  Many trade in cross margin, so that their keys come early, and a mark falls between these and their
//!           liquidation prices: at how many does it look, and what does it say?
//! Method    The engine with few places for early keys, beside its twin, which has no keys and asks everybody; after each
//!           command the events are compared and every key is held against its price.

use centum_engine::Engine;
use contract::command::{Amount, FundingRate, Mark, OpenAccount, SetLeverage, SetState};
use contract::*;
use testkit::twin::Twin;

const TRADERS: u32 = 60;
const PLACES: u64 = 5;
const MAKER: u32 = 4;
const FIRST: u32 = 5;
/// Contracts of each: at 10000.0 they are worth 10,000,000, and 15 % of that is what each has.
const QTY: u64 = 1_000;
const DEPOSIT: i64 = 1_500_000;
/// Half of what is available is lost at 9304, all that may be at 8739.
const BETWEEN: Price = Price(900_000);

struct Market {
    engine: Engine,
    twin: Twin,
    seq: u64,
    /// Commands that were not refused.
    done: Vec<CommandKind>,
}

impl Market {
    /// The maker, and so many traders with a deposit.
    fn new(places: u64) -> Market {
        let spec = ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
        let capacity = Capacity { accounts: FIRST + TRADERS, orders: 256, sessions: 1, lots: 16 };
        let genesis = Genesis { spec, capacity };
        let mut engine = Engine::new(&genesis).expect("a specification");
        engine.limit_early_keys(places);
        let mut market =
            Market { engine, twin: Twin::new(&genesis).expect("a specification"), seq: 0, done: Vec::new() };
        market.mark(Price(1_000_000));
        for account in MAKER..FIRST + TRADERS {
            market.apply(account, Action::OpenAccount(OpenAccount { fee_class: 0 }));
            let amount = Xbt(if account == MAKER { 1_000_000_000_000 } else { DEPOSIT });
            market.apply(account, Action::Deposit(Amount { amount }));
        }
        market
    }

    /// The same, and each has bought and has an order far below.
    fn of_longs(places: u64) -> Market {
        let mut market = Market::new(places);
        market.order(MAKER, Side::Sell, 20_000, QTY * u64::from(TRADERS));
        for account in FIRST..FIRST + TRADERS {
            market.order(account, Side::Buy, 20_000, QTY);
        }
        for account in FIRST..FIRST + TRADERS {
            market.order(account, Side::Buy, 14_000, 100);
        }
        market
    }

    /// One command to both.
    fn apply(&mut self, account: u32, action: Action) {
        self.seq += 1;
        let command = Command::new(AccountId(account), action).stamped(self.seq, self.seq);
        let mut said = Vec::new();
        self.engine.apply(&command, &mut said);
        assert_eq!(said, self.twin.apply(&command), "{command:?}");
        if !said.iter().any(|event| matches!(event.fact(), Some(Fact::Rejected(_)))) {
            self.done.extend(command.kind());
        }
        // Among the laws: no key comes after its price, and each that is not exact has a place.
        self.engine.check_sums().unwrap_or_else(|law| panic!("{law}\n{command:?}"));
    }

    fn mark(&mut self, price: Price) {
        self.apply(AccountId::NONE.0, Action::Mark(Mark { price }));
    }

    fn order(&mut self, account: u32, side: Side, tick: u32, qty: u64) {
        self.apply(account, Action::New(NewOrder::limit(ClOrdId::NONE, side, Tick(tick), Qty(qty))));
    }

    fn cancel_all(&mut self, account: u32) {
        self.apply(account, Action::CancelAll(contract::command::CancelAll { side: Default::default() }));
    }

    /// How many accounts a mark looks at.
    fn looks_at(&mut self, price: Price) -> u64 {
        let before = self.engine.looks();
        self.mark(price);
        self.engine.looks() - before
    }
}

/// Law 4: sixty have traded and have an order, five keys may be early: a mark between keys and prices looks at five, and
/// the same mark again at nobody. With a place for each it looks at all sixty.
#[test]
fn a_mark_looks_in_vain_at_no_more_than_have_a_place() {
    for (places, looks) in [(PLACES, PLACES), (PLACES + 1, PLACES + 1), (u64::MAX, u64::from(TRADERS)), (0, 0)] {
        let mut market = Market::of_longs(places);
        assert_eq!(market.engine.early_keys(), looks);
        assert_eq!(market.looks_at(BETWEEN), looks, "{places} places");
        assert_eq!((market.engine.early_keys(), market.looks_at(Price(899_000))), (0, 0), "all keys are exact now");
    }
}

/// The key of who has just placed an order is early, that of who did so longest ago is exact again.
#[test]
fn who_has_had_an_early_key_for_longest_makes_room() {
    let mut market = Market::of_longs(PLACES);
    let before = market.engine.made_exact();
    market.cancel_all(FIRST);
    assert_eq!((market.engine.early_keys(), market.engine.made_exact()), (PLACES, before), "a step gives exact keys");
    market.order(FIRST, Side::Buy, 14_000, 100);
    assert_eq!((market.engine.early_keys(), market.engine.made_exact()), (PLACES, before + 1));
    // Who has a place keeps it: his orders move no key.
    for _ in 0..10 {
        market.order(FIRST, Side::Buy, 14_000, 1);
        market.order(FIRST + TRADERS - 1, Side::Buy, 14_000, 1);
    }
    assert_eq!(market.engine.made_exact(), before + 1);
}

/// What passes over many gives exact keys: a funding rate that raises every long's maintenance margin moves sixty keys
/// and nobody into the line.
#[test]
fn a_pass_makes_no_key_early() {
    let mut market = Market::of_longs(PLACES);
    let before = market.engine.made_exact();
    market.apply(AccountId::NONE.0, Action::FundingRate(FundingRate { rate: Rate(10_000) }));
    assert!(market.engine.early_keys() <= PLACES);
    assert_eq!(market.engine.made_exact(), before);
    market.mark(BETWEEN);
    assert!(market.engine.looks() <= PLACES, "no more than those who had a place before");
}

/// LIQ-4: whatever an account does, its key never comes after its price (the laws are looked at after each command), and
/// it is due at the same mark as in the twin: orders, cancels, fills both ways, deposits, withdrawals, leverage, margin,
/// risk limits, a halt and what is done in it.
#[test]
fn whatever_an_account_does_its_key_stays_in_time() {
    for places in [0, 1, PLACES, u64::MAX] {
        let mut market = Market::of_longs(places);
        for (n, account) in (FIRST..FIRST + TRADERS).enumerate() {
            let n = n as u64;
            match n % 10 {
                0 => market.order(account, Side::Buy, 15_000 + n as u32, 50 * n),
                1 => market.cancel_all(account),
                2 => {
                    market.order(MAKER, Side::Buy, 19_900, 40 * n);
                    market.order(account, Side::Sell, 19_900, 40 * n);
                }
                3 => {
                    market.order(MAKER, Side::Sell, 20_100, 10 * n);
                    market.order(account, Side::Buy, 20_100, 10 * n);
                }
                4 => market.apply(account, Action::Deposit(Amount { amount: Xbt(1_000 * n as i64) })),
                5 => market.apply(account, Action::Withdraw(Amount { amount: Xbt(10_000 * n as i64) })),
                6 => market.apply(account, Action::SetLeverage(SetLeverage { leverage: Leverage(1_000) })),
                7 => {
                    market.apply(account, Action::SetLeverage(SetLeverage { leverage: Leverage(1_500) }));
                    market.apply(account, Action::TransferMargin(Amount { amount: Xbt(5_000) }));
                    market.apply(account, Action::SetLeverage(SetLeverage { leverage: Leverage::CROSS }));
                }
                8 => market.apply(account, Action::SetRiskLimit(Amount { amount: Xbt(25_000_000_000) })),
                // Over to a short.
                _ => {
                    market.order(MAKER, Side::Buy, 19_950, 2_000 + n);
                    market.order(account, Side::Sell, 19_950, 2_000 + n);
                }
            }
        }
        // In a halt marks pass keys without a look.
        let set = |state: MarketState| Action::SetState(SetState { state: state.into() });
        market.apply(AccountId::NONE.0, set(MarketState::CancelOnly));
        market.mark(Price(870_000));
        for account in [FIRST, FIRST + 1, FIRST + 20, FIRST + 24] {
            market.cancel_all(account);
            market.apply(account, Action::Deposit(Amount { amount: Xbt(1_000) }));
        }
        market.apply(AccountId::NONE.0, set(MarketState::Open));
        for price in [Price(860_000), Price(1_200_000), Price(700_000), Price(2_000_000)] {
            market.mark(price);
        }
        let kinds = [
            CommandKind::New,
            CommandKind::CancelAll,
            CommandKind::Deposit,
            CommandKind::Withdraw,
            CommandKind::SetLeverage,
            CommandKind::TransferMargin,
            CommandKind::SetRiskLimit,
        ];
        assert!(kinds.iter().all(|kind| market.done.contains(kind)), "each was carried out at least once");
    }
}
