//! Any bytes are commands: no law breaks, nothing panics, and the same bytes give the same chain and digest.
//!
//! The first bytes choose the contract. Then each command is an opcode and as many bytes as it needs; the
//! numbers they choose lie near those that matter (the mark, lots, the limits), and one opcode takes 128 raw
//! bytes as they are. A clock leaps by up to six minutes, and an interval has four. A law that breaks ends the run with
//! its words.
#![no_main]
#![forbid(unsafe_code)]

use contract::command::{Amount, Index, Mark, OpenAccount, SetAccount, SetLeverage};
use contract::mark::MINUTE_NS;
use contract::words::RECORD_BYTES;
use contract::*;
use engine::{Discard, Engine};
use libfuzzer_sys::fuzz_target;

/// Traders opened before the first command.
const TRADERS: u32 = 6;
/// Tick of 10000.0.
const MIDDLE: i64 = 20_000;

/// Bytes in order; zeros after their end.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().map_or((0, self.0), |(first, rest)| (*first, rest));
        self.0 = rest;
        first
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::from(self.next()) % of.len()]
    }

    /// A number of any magnitude in two bytes: a power of two and where in it.
    fn magnitude(&mut self, powers: u32) -> i64 {
        let power = u32::from(self.next()) % powers;
        (1 << power) + ((i64::from(self.next()) << power) >> 8)
    }

    fn tick(&mut self) -> Tick {
        let near = i64::from(self.next() as i8);
        let step = self.pick(&[1, 1, 1, 10, 100, 157]);
        Tick(u32::try_from(MIDDLE + near * step).unwrap_or(0))
    }

    fn account(&mut self) -> AccountId {
        AccountId(u32::from(self.next()) % (TRADERS + 1) + AccountId::FIRST_TRADER.0)
    }

    fn side(&mut self) -> Side {
        self.pick(&[Side::Buy, Side::Sell])
    }

    fn name(&mut self) -> ClOrdId {
        let names = [None, None, ClOrdId::new("a"), ClOrdId::new("b"), ClOrdId::new("c"), ClOrdId::new("d")];
        self.pick(&names).unwrap_or(ClOrdId::NONE)
    }

    fn target(&mut self) -> Target {
        match self.next() {
            byte @ 0..128 => Target::OrderId(OrderId { number: u64::from(byte), slot: u32::from(self.next()) % 16 }),
            _ => Target::ClOrdId(self.name()),
        }
    }
}

fn genesis(bytes: &mut Bytes<'_>) -> Genesis {
    let first = bytes.next();
    let profile = [ContractSpec::XBTUSD_2019, ContractSpec::XBTUSD_2021][usize::from(first % 2)];
    let marking = [Marking::External, Marking::Fair, Marking::Index, Marking::Last][usize::from(first / 2 % 4)];
    let mut fees = profile.fees;
    fees[1] = FeeRates { maker: Rate(0), taker: Rate(0) };
    fees[2] = FeeRates { maker: Rate(50_000), taker: Rate(100_001) };
    fees[3] = FeeRates { maker: Rate(9_000_000), taker: Rate(1_500_000) };
    let spec = ContractSpec {
        fees,
        marking,
        funding_interval_ns: 4 * MINUTE_NS,
        funding_offset_ns: 0,
        max_price: Price(5_000_000),
        premium: bytes.pick(&[PremiumMode::Full, PremiumMode::None]),
        fee_rounding: bytes.pick(&[FeeRounding::Recorded, FeeRounding::AgainstTrader]),
        budget: bytes.pick(&[u64::MAX, 1, 3]),
        max_fills: bytes.pick(&[1_000, 2]),
        risk_limit: bytes.pick(&[Xbt(200_00000000), Xbt(10_000_000)]),
        risk_step: bytes.pick(&[Xbt(100_00000000), Xbt(5_000_000)]),
        ..profile
    };
    let capacity = Capacity { accounts: 4 + TRADERS + 1, orders: 16, sessions: 4, lots: bytes.pick(&[3, 1]) };
    Genesis { spec, capacity }
}

fn new_order(bytes: &mut Bytes<'_>, lot: u64) -> Action {
    let (name, side, tick) = (bytes.name(), bytes.side(), bytes.tick());
    let qty = Qty(bytes.magnitude(24).unsigned_abs() * lot);
    let kind = bytes.next();
    let order = if kind % 8 == 7 { NewOrder::market(name, side, qty) } else { NewOrder::limit(name, side, tick, qty) };
    Action::New(match kind / 8 % 8 {
        0 => order.with_tif(TimeInForce::ImmediateOrCancel),
        1 => order.with_tif(TimeInForce::FillOrKill),
        2 => order.with_inst(ExecInst::POST_ONLY),
        3 | 4 => order.with_inst(ExecInst::REDUCE_ONLY),
        _ => order,
    })
}

fn amend(bytes: &mut Bytes<'_>, lot: u64) -> Action {
    let target = bytes.target();
    let mut fields = AmendFields { flags: bytes.next() % 3 / 2, new_cl_ord_id: bytes.name(), ..Default::default() };
    let what = bytes.next();
    if what & 1 != 0 {
        fields.price = bytes.tick();
    }
    if what & 2 != 0 {
        fields.qty_kind = bytes.pick(&[AmendQty::Total, AmendQty::Leaves, AmendQty::Reduce]).into();
        fields.qty = Qty(bytes.magnitude(24).unsigned_abs() * lot);
    }
    Action::Amend(Amend { target, fields })
}

/// The next command; none at the end.
/// Where the mark comes from: from outside, or as the price of a constituent.
fn quote(marking: Marking, constituent: u32, price: Price) -> Command {
    let action = match marking {
        Marking::External => Action::Mark(Mark { price }),
        _ => Action::Index(Index { constituent, price }),
    };
    Command::new(AccountId::NONE, action)
}

fn command(bytes: &mut Bytes<'_>, spec: &ContractSpec) -> Option<Command> {
    let lot = spec.lot.0;
    if bytes.0.is_empty() {
        return None;
    }
    let opcode = bytes.next();
    let account = bytes.account();
    let amount = |bytes: &mut Bytes<'_>| Amount { amount: Xbt(bytes.magnitude(40)) };
    let action = match opcode % 32 {
        0..=11 => new_order(bytes, lot),
        12 | 13 => amend(bytes, lot),
        14 | 15 => Action::Cancel(Cancel { target: bytes.target() }),
        16 => Action::CancelAll(CancelAll { side: Code::from_raw(bytes.next() % 4) }),
        17..=21 => {
            let Tick(tick) = bytes.tick();
            let price = Price(u64::from(tick) * 50 + u64::from(bytes.pick(&[0u8, 0, 1, 25, 49])));
            return Some(quote(spec.marking, account.0 % 3, price));
        }
        22 => Action::Deposit(amount(bytes)),
        23 => Action::Withdraw(amount(bytes)),
        24 => {
            Action::SetLeverage(SetLeverage { leverage: Leverage(bytes.pick(&[0, 1, 100, 300, 1_000, 5_000, 10_000])) })
        }
        25 => {
            let sign = bytes.pick(&[1, -1]);
            Action::TransferMargin(Amount { amount: Xbt(sign * bytes.magnitude(36)) })
        }
        26 => Action::SetRiskLimit(amount(bytes)),
        27 => Action::SetAccount(SetAccount { fee_class: bytes.next() % 5, suspended: bytes.next() % 8 / 7 }),
        28 => {
            return Some(Command::new(
                AccountId::NONE,
                Action::FundInsurance(Amount { amount: Xbt(bytes.magnitude(32)) }),
            ));
        }
        29 => Action::OpenAccount(OpenAccount { fee_class: bytes.next() % 5 }),
        30 => Action::Clock,
        _ => {
            let raw: [u8; RECORD_BYTES] = core::array::from_fn(|_| bytes.next());
            return Some(Command::from_bytes(&raw));
        }
    };
    let command = Command::new(account, action);
    Some(if opcode & 0x80 != 0 {
        command.from_session(u32::from(opcode >> 5) & 3, u64::from(bytes.next()))
    } else {
        command
    })
}

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(data);
    let genesis = genesis(&mut bytes);
    let mut engine = Engine::new(&genesis).expect("the contract can be traded");
    // The other one keeps its liquidation keys elsewhere.
    engine.limit_early_keys(1);
    let mut again = Engine::with_hash_seed(&genesis, 7).expect("the contract can be traded");
    let (mut seq, mut ts) = (0, 0);
    let mut apply = |command: Command| {
        seq += 1;
        ts += 1;
        if command.kind_code() == CommandKind::Clock as u8 {
            ts += u64::from(command.account().0 % 7) * MINUTE_NS;
        }
        let command = command.stamped(seq, ts);
        let mut events: Vec<Event> = Vec::new();
        engine.apply(&command, &mut events);
        assert!(events.last().is_some_and(Event::is_last), "every command has one last event");
        if let Err(law) = engine.check_sums() {
            panic!("{law}");
        }
        again.apply(&command, &mut Discard);
    };
    apply(quote(genesis.spec.marking, 0, Price(1_000_000)));
    for account in (AccountId::FIRST_TRADER.0..).take(TRADERS as usize).map(AccountId) {
        apply(Command::new(account, Action::OpenAccount(OpenAccount { fee_class: 0 })));
        apply(Command::new(account, Action::Deposit(Amount { amount: Xbt(100_000_000) })));
    }
    while let Some(command) = command(&mut bytes, &genesis.spec) {
        apply(command);
    }
    assert_eq!(engine.chain(), again.chain(), "SUM-8: the same commands, the same chain");
    assert_eq!(engine.digest(), again.digest(), "SUM-8: the same commands, the same digest");
});
