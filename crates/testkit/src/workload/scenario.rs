//! What a seed makes of the contract, its limits and its weather.

use contract::codes::{FeeRounding, Marking, PremiumMode};
use contract::spec::{Capacity, ContractSpec, FeeRates, Genesis};
use contract::units::{Price, Qty, Rate, XBT, Xbt};

use super::random::Random;

/// Everything that a seed decides before the first command.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// The seed.
    pub seed: u64,
    /// Contract and limits.
    pub genesis: Genesis,
    /// Traders that are opened at the start.
    pub traders: u32,
    /// Where the mark begins, 0.01 USD.
    pub first_mark: Price,
    /// Jumps of the mark in a thousand moves.
    pub jumps: u64,
    /// Does the mark sometimes go to the ends of its range?
    pub has_extremes: bool,
    /// Leaps of the clock, of up to two funding intervals, in a thousand commands.
    pub leaps: u64,
    /// Leaps of up to three minutes, in a thousand commands: the premium is sampled by minutes.
    pub minutes: u64,
    /// What the fund is given at a time, as a power of two in XBt.
    pub fund_power: u32,
}

impl Scenario {
    /// The scenario of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Scenario {
        let mut random = Random::new(seed ^ 0x5ce4_a810);
        let profile = random.pick(&[ContractSpec::XBTUSD_2019, ContractSpec::XBTUSD_2021, ContractSpec::XBTUSD_2026]);
        let mut fees = profile.fees;
        // A free class, one where makers pay, and one so dear that fees alone can ruin (BAL-1).
        fees[1] = FeeRates { maker: Rate(0), taker: Rate(0) };
        fees[2] = FeeRates { maker: Rate(50_000), taker: Rate(100_001) };
        fees[3] = FeeRates { maker: Rate(9_000_000), taker: Rate(1_500_000) };
        let has_small_limits = random.per_mille(500);
        let minutes = random.pick(&[2, 2, 480]);
        let marking = random.pick(&[
            Marking::External,
            Marking::External,
            Marking::External,
            Marking::External,
            Marking::Fair,
            Marking::Fair,
            Marking::Index,
            Marking::Last,
        ]);
        // Below the 1 % that MARGIN-8 leaves in a position.
        let initial_margin = random.pick(&[profile.initial_margin, profile.initial_margin, Rate(800_000)]);
        // The more is held, the less an impact price needs of the book. Rates come to their cap where the two margins
        // are near each other, to their largest change where the maintenance margin is small.
        let (initial_margin, maintenance_margin) = match marking {
            Marking::External => (initial_margin, profile.maintenance_margin),
            _ => random.pick(&[
                (initial_margin, profile.maintenance_margin),
                (initial_margin, profile.maintenance_margin),
                (Rate(10_000_000), Rate(9_900_000)),
                (Rate(10_000_000), Rate(300_000)),
            ]),
        };
        let max_tier = profile.max_tier.min(((Rate::ONE as i64 - initial_margin.0) / maintenance_margin.0) as u64);
        let stale_after_ns = random.pick(&[60, 900]) * 1_000_000_000;
        let funding_interval_ns = minutes * 60_000_000_000;
        let spec = ContractSpec {
            fees,
            marking,
            stale_after_ns,
            premium: random.pick(&[PremiumMode::Full, PremiumMode::Full, PremiumMode::None]),
            fee_rounding: random.pick(&[FeeRounding::Recorded, FeeRounding::AgainstTrader]),
            budget: random.pick(&[1, 2, 64, u64::MAX]),
            max_fills: random.pick(&[3, 1_000, 1_000]),
            max_open_orders: random.pick(&[0, 0, 5]),
            risk_limit: if has_small_limits { Xbt(2 * XBT) } else { profile.risk_limit },
            risk_step: if has_small_limits { Xbt(XBT / 2) } else { profile.risk_step },
            funding_interval_ns,
            funding_offset_ns: funding_interval_ns / 2,
            initial_margin,
            maintenance_margin,
            max_tier,
            // A side that fills up (LIMIT-1).
            max_position_qty: random.pick(&[profile.max_position_qty, profile.max_position_qty, Qty(300_000)]),
            max_order_qty: random.pick(&[profile.max_order_qty, Qty(1_000_000)]),
            ..profile
        };
        let traders = random.within(10, 60) as u32;
        let capacity = Capacity {
            accounts: 4 + traders + random.pick(&[1, 8]),
            orders: random.pick(&[40, 160, 1 << 10]),
            sessions: 4,
            lots: random.pick(&[1, 3, 64, 64]),
        };
        Scenario {
            seed,
            genesis: Genesis { spec, capacity },
            traders,
            first_mark: Price(random.pick(&[1_000_000, 6_500_000, 114_570])),
            jumps: random.pick(&[5, 30, 100, 100]),
            has_extremes: random.per_mille(200),
            leaps: random.pick(&[0, 10, 50]),
            minutes: if marking == Marking::External { 0 } else { 50 },
            fund_power: random.pick(&[18, 24, 31]),
        }
    }
}
