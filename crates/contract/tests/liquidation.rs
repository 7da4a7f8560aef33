//! Liquidation prices as properties: where the check flips, where bankruptcy lies, which way things move.

use centum_contract::liquidation::{SafeLine, bearable, price_after_loss};
use centum_contract::margin::{Terms, available};
use centum_contract::position::PositionState;
use centum_contract::value::unit_value;
use centum_contract::{ContractSpec, Leverage, Price, Rate, Xbt};
use proptest::prelude::*;

/// An account with a position, on any terms.
#[derive(Clone, Debug)]
struct Case {
    spec: &'static ContractSpec,
    terms: Terms,
    position: PositionState,
    equity: i64,
}

impl Case {
    fn price(&self, equity: i64, to_bankruptcy: bool) -> Price {
        let w = bearable(&self.terms, &self.position, equity);
        let w = if to_bankruptcy { w.until_bankruptcy } else { w.until_liquidation };
        price_after_loss(self.spec, &self.position, w, self.spec.tick_size)
    }

    fn is_safe_at(&self, mark: u64) -> bool {
        let w = bearable(&self.terms, &self.position, self.equity).until_liquidation;
        SafeLine::at(self.spec, Price(mark)).is_safe(self.spec, &self.position, w)
    }
}

fn case() -> impl Strategy<Value = Case> {
    let leverage = prop_oneof![Just(0u32), 1u32..=10_000, Just(100), Just(10_000)];
    let taker = prop_oneof![Just(75_000i64), Just(0), 0i64..2_000_000];
    let adverse = prop_oneof![Just(0i64), 0i64..=375_000];
    let money = (-1_000_000i64..1_000_000_000_000, -1_000i64..1_000_000_000, 0i64..1_000_000);
    (0usize..3, 1i64..1_000_000, any::<bool>(), 1u64..20_000_000, leverage, 0u16..12, taker, adverse, money).prop_map(
        |(profile, size, is_long, entry, leverage, tier, taker, adverse, (equity, cross, loss))| {
            let spec = ContractSpec::PROFILES[profile];
            let entry = Price(entry * spec.tick_size.0).min(spec.max_price);
            let mut position = PositionState::default();
            let sign = if is_long { 1 } else { -1 };
            position.execute(spec, size * spec.lot.0 as i64 * sign, unit_value(spec, entry));
            let terms = Terms::new(spec, Leverage(leverage), tier, Rate(taker), Rate(adverse));
            if !terms.is_cross {
                position.cross = Xbt(cross);
            }
            position.loss = Xbt(loss);
            Case { spec, terms, position, equity }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// LIQ-4, LIQ-12: not safe at the very price, nor a tick or a cent beyond it; safe a cent or a tick before it.
    #[test]
    fn the_check_flips_exactly_at_the_liquidation_price(case in case()) {
        let Case { spec, position, .. } = &case;
        let price = case.price(case.equity, false);
        let (tick, is_long) = (spec.tick_size.0, position.qty > 0);
        if price == spec.never_price || price > spec.max_price {
            // Off the scale: a short is safe at any mark, a long at none.
            prop_assert_eq!(case.is_safe_at(spec.max_price.0), !is_long);
            return Ok(());
        }
        prop_assert!(!case.is_safe_at(price.0), "at {:?}", price);
        for step in [1, tick] {
            let (before, beyond) = if is_long {
                (price.0 + step, price.0.saturating_sub(step))
            } else {
                (price.0.saturating_sub(step), price.0 + step)
            };
            if before >= tick && before <= spec.max_price.0 {
                prop_assert!(case.is_safe_at(before), "{step} before {:?}", price);
            }
            if beyond >= tick && beyond <= spec.max_price.0 {
                prop_assert!(!case.is_safe_at(beyond), "{step} beyond {:?}", price);
            }
        }
    }

    /// LIQ-1, LIQ-2: bankruptcy lies at the liquidation price or beyond it, never nearer the mark.
    #[test]
    fn bankruptcy_never_lies_nearer_the_mark_than_liquidation(case in case()) {
        let (liquidation, bankruptcy) = (case.price(case.equity, false), case.price(case.equity, true));
        if case.position.qty > 0 {
            prop_assert!(bankruptcy <= liquidation, "{:?} {:?}", bankruptcy, liquidation);
        } else {
            prop_assert!(bankruptcy >= liquidation, "{:?} {:?}", bankruptcy, liquidation);
        }
    }

    /// MARGIN-2, MARGIN-7: available never rises when the mark moves against the position.
    #[test]
    fn available_never_rises_as_the_mark_moves_against_the_position(
        case in case(),
        mark in 1u64..10_000_000,
        worse in 0u64..10_000_000,
        wallet in -1_000_000i64..1_000_000_000_000,
        order_margin in 0i64..1_000_000_000,
    ) {
        let Case { spec, terms, position, .. } = &case;
        let at = |price: u64| {
            let mark = Price(price.clamp(spec.tick_size.0, spec.max_price.0));
            available(spec, terms, Xbt(wallet), Xbt(order_margin), position, unit_value(spec, mark))
        };
        let against = if position.qty > 0 { mark.saturating_sub(worse) } else { mark + worse };
        prop_assert!(at(against) <= at(mark), "{:?} at {against}, {:?} at {mark}", at(against), at(mark));
    }

    /// LIQ-4: a key that assumes less equity comes no later than the price of more, so it is never later than the truth.
    #[test]
    fn a_key_of_less_equity_is_never_later_than_the_price_of_more(case in case(), more in 0i64..1_000_000_000_000) {
        let (key, truth) = (case.price(case.equity, false), case.price(case.equity + more, false));
        if case.position.qty > 0 {
            prop_assert!(key >= truth, "{:?} {:?}", key, truth);
        } else {
            prop_assert!(key <= truth, "{:?} {:?}", key, truth);
        }
    }
}
