//! Laws of the arithmetic that hold for every input.

use std::collections::BTreeMap;

use centum_contract::funding::payment;
use centum_contract::liquidation::{SafeLine, bearable, price_after_loss, unit_value_after_loss};
use centum_contract::margin::{
    Held, OrderSums, SideSums, Terms, available, chargeable, held, order_margin, position_cross, withdrawable,
};
use centum_contract::math::signed;
use centum_contract::position::PositionState;
use centum_contract::project::{Book, PrivateBody, Projection, project};
use centum_contract::value::{fee, unit_value, value};
use centum_contract::view::view;
use centum_contract::*;
use proptest::prelude::*;

fn spec() -> impl Strategy<Value = ContractSpec> {
    (0usize..3).prop_map(|i| *ContractSpec::PROFILES[i])
}

/// The same with what rules MARGIN-1 to MARGIN-7 say of it.
fn classic() -> impl Strategy<Value = ContractSpec> {
    spec().prop_map(|spec| ContractSpec { margin_model: MarginModel::Classic, ..spec })
}

fn leverage() -> impl Strategy<Value = Leverage> {
    prop_oneof![Just(0u32), 100u32..=10_000].prop_map(Leverage)
}

/// A price on the grid, up to 100,000 USD.
fn price(spec: &ContractSpec, seed: u64) -> Price {
    Price((seed % (10_000_000 / spec.tick_size.0) + 1) * spec.tick_size.0)
}

/// A position entered at a price.
fn entered(spec: &ContractSpec, lots: i64, at: Price) -> PositionState {
    let mut position = PositionState::default();
    position.execute(spec, lots * signed(spec.lot.0), unit_value(spec, at));
    position
}

proptest! {
    /// COST-1, SUM-2: on every fill the two costs are one amount with two signs.
    #[test]
    fn values_are_antisymmetric(spec in spec(), lots in 1i64..10_000, seed in any::<u64>(), mark in any::<u64>()) {
        let (entry, mark) = (price(&spec, seed), unit_value(&spec, price(&spec, mark)));
        let (long, short) = (entered(&spec, lots, entry), entered(&spec, -lots, entry));
        prop_assert_eq!(long.cost, -short.cost);
        prop_assert_eq!(short.cost, value(&spec, short.size(), entry));
        prop_assert_eq!(long.unrealised_pnl(&spec, mark), -short.unrealised_pnl(&spec, mark));
    }

    /// VALUE-1: a higher price is worth no more; twice the quantity exactly twice as much.
    #[test]
    fn values_fall_with_the_price(spec in spec(), qty in 1u64..1_000_000, a in any::<u64>(), b in any::<u64>()) {
        let qty = Qty(qty * spec.lot.0);
        let (a, b) = (price(&spec, a), price(&spec, b));
        let (low, high) = (a.min(b), a.max(b));
        prop_assert!(value(&spec, qty, low) >= value(&spec, qty, high));
        prop_assert_eq!(value(&spec, Qty(2 * qty.0), low).0, 2 * value(&spec, qty, low).0);
    }

    /// FEE-1: more value never costs less, a rebate never exceeds its fee, and the roundings differ by
    /// at most a satoshi, in the house's favour.
    #[test]
    fn fees_are_monotone(rate in 0i64..10_000_000, small in 0i64..1 << 61, more in 0i64..1 << 61) {
        use FeeRounding::{AgainstTrader, Recorded};
        let (small, large) = (Xbt(small), Xbt(small + more));
        for rounding in [Recorded, AgainstTrader] {
            prop_assert!(fee(rounding, Rate(rate), small) <= fee(rounding, Rate(rate), large));
            prop_assert!(fee(rounding, Rate(-rate), small) >= fee(rounding, Rate(-rate), large));
            prop_assert!(fee(rounding, Rate(rate), large).0 + fee(rounding, Rate(-rate), large).0 >= 0);
        }
        let gap = fee(AgainstTrader, Rate(rate), large).0 - fee(Recorded, Rate(rate), large).0;
        prop_assert!((0..=1).contains(&gap));
    }

    /// SUM-2, POS-2, POS-3: whatever a position goes through, what was paid is realised or still there.
    #[test]
    fn costs_are_never_lost(spec in spec(), fills in prop::collection::vec((-500i64..500, any::<u64>()), 1..30)) {
        let mut position = PositionState::default();
        let (mut traded, mut realised, mut qty) = (0i64, 0i64, 0i64);
        for (lots, seed) in fills {
            if lots == 0 {
                continue;
            }
            let size = lots * signed(spec.lot.0);
            let unit = unit_value(&spec, price(&spec, seed));
            traded -= lots * signed(unit) * signed(spec.lot.0 / spec.value_unit);
            qty += size;
            realised += position.execute(&spec, size, unit).realised_cost.0;
            prop_assert_eq!(position.qty, qty);
            prop_assert_eq!(position.cost.0 + realised, traded);
            prop_assert!(position.qty != 0 || position == PositionState::default());
        }
    }

    /// MARGIN-1, 3, 5, 6: parts are not negative, margin covers maintenance where nothing was lost, and
    /// higher leverage holds no more.
    #[test]
    fn margin_parts(spec in classic(), lots in 1i64..10_000, seed in any::<u64>(), long in any::<bool>(), leverage in 100u32..10_000) {
        let position = entered(&spec, if long { lots } else { -lots }, price(&spec, seed));
        let of = |leverage| held(&Terms::new(&spec, Leverage(leverage), 0, Rate(75_000), Rate(0)), &position, Xbt::ZERO);
        let (less, more) = (of(leverage), of(leverage + 1));
        prop_assert!(less.init.0 > 0 && less.comm.0 >= 0 && less.maint.0 > 0);
        prop_assert!(less.margin >= less.maint, "IM is at least MM");
        prop_assert!(more.init <= less.init && more.margin <= less.margin);
    }

    /// OM-1 to OM-3: order margin is not negative, never more than that of all orders charged whole, and an
    /// order more on a side never makes it less.
    #[test]
    fn order_margin_grows_with_orders(
        leverage in leverage(), position in -1_000i64..1_000, price in 2u64..1_000_000,
        buys in 0u64..2_000, sells in 0u64..2_000, more in 1u64..500, on_buys in any::<bool>(),
    ) {
        // Resting buys lie below resting sells, so a contract of them costs more.
        let side = |qty: u64, unit: u64| SideSums { qty: Qty(qty), cost: qty * unit, premium: 0 };
        let sums = OrderSums { buy: side(buys, price), sell: side(sells, price - 1) };
        let mut larger = sums;
        if on_buys { larger.buy = side(buys + more, price) } else { larger.sell = side(sells + more, price - 1) }
        let terms = Terms::new(&ContractSpec::XBTUSD_2019, leverage, 0, Rate(75_000), Rate(0));
        let (before, after) = (chargeable(&sums, position), chargeable(&larger, position));
        prop_assert!(before.cost <= sums.buy.cost + sums.sell.cost);
        prop_assert!(before.cost <= after.cost, "{before:?} {after:?}");
        prop_assert!(order_margin(&terms, before).0 >= 0);
        prop_assert!(order_margin(&terms, before) <= order_margin(&terms, after));
    }

    /// OM-2: with a position that all orders of a side reduce, that side is free.
    #[test]
    fn what_reduces_is_free(held in 1u64..10_000, part in 0u64..10_000, unit in 1u64..1_000_000, long in any::<bool>()) {
        let qty = part.min(held);
        let orders = SideSums { qty: Qty(qty), cost: qty * unit, premium: qty };
        let mut sums = OrderSums::default();
        *sums.side_mut(if long { Side::Sell } else { Side::Buy }) = orders;
        let position = if long { signed(held) } else { -signed(held) };
        prop_assert_eq!(chargeable(&sums, position), Default::default());
    }

    /// MARGIN-7: a mark that moves against a cross position never frees anything; an isolated one does not
    /// look at the mark at all.
    #[test]
    fn available_never_rises_when_the_mark_moves_against(
        spec in spec(), leverage in leverage(), lots in 1i64..10_000, long in any::<bool>(),
        entry in any::<u64>(), a in any::<u64>(), b in any::<u64>(), loss in 0i64..1_000_000,
    ) {
        let position = entered(&spec, if long { lots } else { -lots }, price(&spec, entry));
        let position = PositionState { loss: Xbt(loss), ..position };
        let terms = Terms::new(&spec, leverage, 0, Rate(75_000), Rate(0));
        let at = |price| available(&spec, &terms, Xbt(1 << 60), Xbt::ZERO, &position, unit_value(&spec, price));
        let (a, b) = (price(&spec, a), price(&spec, b));
        let (worse, better) = if long == (a < b) { (a, b) } else { (b, a) };
        prop_assert!(at(worse) <= at(better));
        if !leverage.is_cross() {
            prop_assert_eq!(at(worse), at(better));
        }
    }

    /// MARGIN-2, MARGIN-7: in cross margin the locked amount is what is left of the initial margin: a loss is
    /// topped up to exactly its commission.
    #[test]
    fn a_cross_loss_is_topped_up(spec in classic(), lots in 1i64..10_000, entry in any::<u64>(), mark in any::<u64>()) {
        let position = entered(&spec, lots, price(&spec, entry));
        let terms = Terms::new(&spec, Leverage::CROSS, 0, Rate(75_000), Rate(0));
        let pnl = position.unrealised_pnl(&spec, unit_value(&spec, price(&spec, mark)));
        let held = held(&terms, &position, position_cross(&terms, &position, pnl));
        prop_assert_eq!(held.margin + pnl, held.init + held.comm + pnl.max(Xbt::ZERO));
    }

    /// CONTRACT-3: the maintenance margin alone is held; what is available falls as the mark moves against the
    /// position, and a position that leaves something available bears a loss of exactly that until liquidation.
    #[test]
    fn the_maintenance_model_holds_one_thing(
        lots in 1i64..10_000, long in any::<bool>(), entry in any::<u64>(), mark in any::<u64>(),
        rate in 0i64..375_000, wallet in 0i64..1_000_000_000_000,
    ) {
        let spec = ContractSpec::XBTUSD_2026;
        let position = entered(&spec, if long { lots } else { -lots }, price(&spec, entry));
        let terms = Terms::new(&spec, Leverage::CROSS, 0, Rate(50_000), Rate(rate));
        let mark = unit_value(&spec, price(&spec, mark));
        let worse = if long { mark + 1 } else { mark.saturating_sub(1).max(1) };
        let held = held(&terms, &position, Xbt::ZERO);
        prop_assert_eq!(held, Held { margin: held.maint, maint: held.maint, ..Held::default() });
        let at = |mark| available(&spec, &terms, Xbt(wallet), Xbt::ZERO, &position, mark);
        let profit = position.unrealised_pnl(&spec, mark);
        prop_assert_eq!(at(mark), Xbt(wallet) + profit - held.maint);
        prop_assert!(at(worse) <= at(mark));
        let may_go = withdrawable(&spec, &terms, &position, mark, at(mark));
        prop_assert_eq!(may_go, at(mark).min(Xbt(wallet) - held.maint));
        prop_assert_eq!(Xbt(bearable(&terms, &position, wallet).until_liquidation), at(mark) - profit);
    }

    /// LIQ-3, LIQ-4: the check flips at the very price that is shown, a hundredth on either side.
    #[test]
    fn the_liquidation_price_is_where_the_check_flips(
        spec in spec(), leverage in leverage(), lots in 1i64..10_000, long in any::<bool>(), entry in any::<u64>(),
        equity in 0i64..1_000_000_000_000,
    ) {
        let position = entered(&spec, if long { lots } else { -lots }, price(&spec, entry));
        let terms = Terms::new(&spec, leverage, 0, Rate(75_000), Rate(0));
        let losses = bearable(&terms, &position, equity);
        let at = price_after_loss(&spec, &position, losses.until_liquidation, spec.tick_size);
        let never = unit_value_after_loss(&spec, &position, losses.until_liquidation).is_none();
        // At the ends of the scale the price shown is a bound.
        prop_assume!(at <= spec.max_price && at < spec.never_price && at > spec.tick_size && !never);
        let is_safe = |mark| SafeLine::at(&spec, mark).is_safe(&spec, &position, losses.until_liquidation);
        let (safe, due) = if long { (Price(at.0 + 1), Price(at.0 - 1)) } else { (Price(at.0 - 1), Price(at.0 + 1)) };
        prop_assert!(is_safe(safe) && !is_safe(at) && !is_safe(due));
    }

    /// LIQ-1, LIQ-3: liquidation comes before bankruptcy, or at the same tick.
    #[test]
    fn liquidation_comes_before_bankruptcy(
        spec in spec(), leverage in leverage(), lots in 1i64..10_000, long in any::<bool>(), entry in any::<u64>(),
        equity in 0i64..1_000_000_000_000, adverse in 0i64..375_000,
    ) {
        let position = entered(&spec, if long { lots } else { -lots }, price(&spec, entry));
        let terms = Terms::new(&spec, leverage, 0, Rate(75_000), Rate(adverse));
        let losses = bearable(&terms, &position, equity);
        let price = |w| price_after_loss(&spec, &position, w, spec.tick_size);
        let (liquidation, bankruptcy) = (price(losses.until_liquidation), price(losses.until_bankruptcy));
        let in_order = if long { liquidation >= bankruptcy } else { liquidation <= bankruptcy };
        prop_assert!(in_order, "{} {}", liquidation, bankruptcy);
    }

    /// FUND-3: what a long pays a short of the same size receives.
    #[test]
    fn funding_is_antisymmetric(spec in spec(), lots in 1i64..100_000, mark in any::<u64>(), rate in -400_000i64..400_000) {
        let mark = unit_value(&spec, price(&spec, mark));
        let paid = |lots: i64| payment(&spec, &PositionState { qty: lots * signed(spec.lot.0), ..Default::default() }, mark, Rate(rate));
        prop_assert_eq!(paid(lots), -paid(-lots));
        prop_assert!(paid(lots).0.signum() * rate.signum() >= 0);
    }

    /// MARGIN-7, WITHDRAW-1: a view's parts fit together, whatever the account.
    #[test]
    fn a_view_adds_up(
        spec in spec(), leverage in leverage(), lots in -10_000i64..10_000, entry in any::<u64>(), mark in any::<u64>(),
        balance in -1_000_000i64..1 << 50, order_margin in 0i64..1_000_000, rate in -375_000i64..375_000,
    ) {
        let state = if lots == 0 { PositionState::default() } else { entered(&spec, lots, price(&spec, entry)) };
        let position = event::Position { leverage, qty: state.qty, cost: state.cost, ..Default::default() };
        let wallet = event::Wallet { balance: Xbt(balance), order_margin: Xbt(order_margin), ..Default::default() };
        let seen = view(&spec, Rate(rate), &wallet, &position, price(&spec, mark));
        prop_assert_eq!(seen.margin_balance, wallet.balance + seen.unrealised_pnl);
        prop_assert_eq!(seen.available, seen.margin_balance - wallet.order_margin - seen.locked);
        prop_assert!(seen.withdrawable.0 >= 0 && seen.withdrawable <= seen.available.max(Xbt::ZERO));
        prop_assert!(seen.withdrawable.0 <= (wallet.balance.0 - order_margin).max(0), "profit is never withdrawn");
        prop_assert_eq!(seen.average_entry_price.is_some(), lots != 0);
    }
}

/// A trading floor with the sums of the contract and none of the engine: what the events of fills,
/// deposits, takeovers and insurance would say.
#[derive(Default)]
struct Floor {
    wallets: BTreeMap<u32, i64>,
    positions: BTreeMap<u32, PositionState>,
    realised: BTreeMap<u32, i64>,
    events: Vec<Event>,
}

impl Floor {
    fn say(&mut self, account: u32, fact: Fact) {
        let n = self.events.len() as u32;
        self.events.push(Event::new(1, 0, n, AccountId(account), 1, fact));
    }

    fn settle(&mut self, spec: &ContractSpec, account: u32, qty: i64, unit: u64, fee: i64) -> i64 {
        let realised_cost = self.positions.entry(account).or_default().execute(spec, qty, unit).realised_cost.0;
        if account >= 4 {
            *self.wallets.entry(account).or_default() -= realised_cost + fee;
            *self.realised.entry(account).or_default() -= realised_cost + fee;
        }
        *self.wallets.entry(0).or_default() += fee;
        realised_cost
    }

    /// The state events at the end of a command.
    fn end(&mut self) {
        for (account, realised) in std::mem::take(&mut self.realised) {
            let state = self.positions[&account];
            let position = event::Position {
                qty: state.qty,
                cost: state.cost,
                realised_by_command: Xbt(realised),
                ..Default::default()
            };
            self.say(account, Fact::Position(position));
        }
    }
}

proptest! {
    /// Law 8: the ledger of single events adds up to every balance and every unrealised cost, and to
    /// nothing in all. A party sees its own half of a fill and nobody else's.
    #[test]
    fn the_ledger_adds_up_to_the_balances(
        spec in spec(),
        steps in prop::collection::vec((0u8..8, 4u32..8, 4u32..8, 1i64..50, any::<u64>(), any::<bool>()), 1..60),
    ) {
        let mut floor = Floor::default();
        for (step, a, b, lots, seed, flag) in steps {
            let unit = unit_value(&spec, price(&spec, seed));
            let size = lots * signed(spec.lot.0);
            let worth = signed(unit * spec.lot.0 / spec.value_unit) * lots;
            match step {
                0 => {
                    let kind = if flag { TransferKind::Deposit } else { TransferKind::Withdraw };
                    *floor.wallets.entry(a).or_default() += if flag { lots } else { -lots };
                    floor.say(a, Fact::Transfer(event::Transfer { kind: kind.into(), amount: Xbt(lots) }));
                }
                1 => floor.say(a, Fact::Transfer(event::Transfer { kind: TransferKind::Margin.into(), amount: Xbt(-lots) })),
                2 => {
                    *floor.wallets.entry(1).or_default() += lots;
                    let cause = InsuranceCause::Funded.into();
                    floor.say(1, Fact::Insurance(event::Insurance { cause, counterparty: u32::MAX, change: Xbt(lots), balance: Xbt(0) }));
                }
                3 => {
                    *floor.wallets.entry(1).or_default() -= lots;
                    *floor.wallets.entry(a).or_default() += lots;
                    let cause = InsuranceCause::Shortfall.into();
                    floor.say(1, Fact::Insurance(event::Insurance { cause, counterparty: a, change: Xbt(-lots), balance: Xbt(0) }));
                }
                _ => {
                    // Takeovers and close-outs have the liquidation account on one side.
                    let (taker, maker, cause) = match step {
                        4 => (a, 3, FillCause::Takeover),
                        5 => (3, b, FillCause::CloseOut),
                        _ => (a, b, FillCause::Trade),
                    };
                    let rate = |rate, account| if account == 3 { Xbt::ZERO } else { fee(FeeRounding::Recorded, Rate(rate), Xbt(worth)) };
                    let (taker_fee, maker_fee) = (rate(75_000, taker), rate(-25_000, maker));
                    let side = if flag { Side::Buy } else { Side::Sell };
                    floor.say(taker, Fact::Fill(event::Fill {
                        cause: cause.into(), taker_side: side.into(), maker_account: maker, maker_seq: 9, price: 1,
                        qty: Qty(size.unsigned_abs()), value: Xbt(worth), taker_fee, maker_fee, ..Default::default()
                    }));
                    let mut to_fund = 0;
                    for (account, sign, fee) in [(taker, side.sign(), taker_fee), (maker, -side.sign(), maker_fee)] {
                        let realised_cost = floor.settle(&spec, account, sign * size, unit, fee.0);
                        to_fund -= if account == 3 { realised_cost } else { 0 };
                    }
                    if to_fund != 0 {
                        *floor.wallets.entry(1).or_default() += to_fund;
                        let cause = InsuranceCause::CloseOut.into();
                        floor.say(1, Fact::Insurance(event::Insurance { cause, counterparty: b, change: Xbt(to_fund), balance: Xbt(0) }));
                    }
                    floor.end();
                }
            }
        }
        let mut books: BTreeMap<Book, i64> = BTreeMap::new();
        for event in &floor.events {
            for entry in project(event, AccountId::NONE).ledger.iter() {
                prop_assert!(entry.xbt.0 > 0);
                *books.entry(entry.from).or_default() -= entry.xbt.0;
                *books.entry(entry.to).or_default() += entry.xbt.0;
            }
        }
        prop_assert_eq!(books.values().sum::<i64>(), 0, "SUM-5");
        for account in 0..8 {
            let book = |book| books.get(&book).copied().unwrap_or(0);
            let cost = floor.positions.get(&account).map_or(0, |position| position.cost.0);
            prop_assert_eq!(book(Book::Wallet(AccountId(account))), floor.wallets.get(&account).copied().unwrap_or(0), "wallet of {}", account);
            prop_assert_eq!(book(Book::Position(AccountId(account))), -cost, "position of {}", account);
        }
        for event in &floor.events {
            for party in 3..9 {
                let Projection { private, .. } = project(event, AccountId(party));
                let maker = match event.fact() { Some(Fact::Fill(fill)) => Some(fill.maker_account), _ => None };
                let concerned = event.account().0 == party || maker == Some(party);
                prop_assert_eq!(private.is_some(), concerned);
                if let Some(row) = private && let PrivateBody::Execution(half) = row.body {
                    prop_assert_eq!(half.is_taker, event.account().0 == party);
                    prop_assert_eq!(row.account_seq, if half.is_taker { 1 } else { 9 });
                }
            }
        }
    }
}
