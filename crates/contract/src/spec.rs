//! The contract specification: everything in rules CONTRACT-1 to CONTRACT-3 and LIMIT-1, as data.
//!
//! A third profile is a new value, not new code. The canonical words of a spec are the journal's
//! first record, so two engines that agree on them agree on every sum.

use core::fmt;

use crate::codes::{FeeRounding, MarginModel, Marking, PremiumMode};
use crate::units::{Price, Qty, Rate, Tick, XBT, Xbt};
use crate::words::Coded;

/// Fee classes an account may be in.
pub const FEE_CLASSES: usize = 4;
/// Words of a canonical [`ContractSpec`] with its [`Capacity`].
pub const GENESIS_WORDS: usize = 55;
/// Nanoseconds in a second.
const SECOND_NS: u64 = 1_000_000_000;

/// What a maker and a taker pay per XBt of value; negative is a rebate. (Rule FEE-1)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FeeRates {
    /// For the order that rested.
    pub maker: Rate,
    /// For the order that arrived.
    pub taker: Rate,
}

/// The contract and its market rules. (Rules CONTRACT-1 to CONTRACT-3, LIMIT-1)
///
/// ```
/// use centum_contract::{ContractSpec, Price, Tick};
/// let spec = ContractSpec::XBTUSD_2019;
/// assert_eq!(spec.tick_price(Tick(20_001)), Price(1_000_050)); // 10,000.50 USD
/// assert!(spec.validate().is_ok());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ContractSpec {
    /// Name of the profile, ASCII, padded with zeros.
    pub name: [u8; 16],
    /// Contracts whose value is rounded as one: U. (Rule VALUE-1)
    pub value_unit: u64,
    /// Size of a tick, in 0.01 USD.
    pub tick_size: Price,
    /// Quantities are multiples of this, and it is a multiple of `value_unit`.
    pub lot: Qty,
    /// Largest quantity of one order.
    pub max_order_qty: Qty,
    /// Largest |position| + open quantity of one side, in contracts. (Rule LIMIT-1)
    pub max_position_qty: Qty,
    /// Highest price.
    pub max_price: Price,
    /// Shown where a position can never be liquidated. (Rule LIQ-3)
    pub never_price: Price,
    /// Fees by class; `account.fee_class` picks one.
    pub fees: [FeeRates; FEE_CLASSES],
    /// Initial margin of tier 0.
    pub initial_margin: Rate,
    /// Maintenance margin of tier 0, and the step of both from tier to tier. (Rule RISK-1)
    pub maintenance_margin: Rate,
    /// Risk limit of tier 0.
    pub risk_limit: Xbt,
    /// Risk limit from tier to tier.
    pub risk_step: Xbt,
    /// The highest tier.
    pub max_tier: u64,
    /// Which margin arithmetic is used.
    pub margin_model: MarginModel,
    /// How fees round.
    pub fee_rounding: FeeRounding,
    /// Is the premium of an order held?
    pub premium: PremiumMode,
    /// Where the mark comes from.
    pub marking: Marking,
    /// Time between two funding instants, ns.
    pub funding_interval_ns: u64,
    /// The first funding instant after midnight UTC, ns.
    pub funding_offset_ns: u64,
    /// Interest on the quote currency, per day.
    pub interest_quote: Rate,
    /// Interest on the base currency, per day.
    pub interest_base: Rate,
    /// An index constituent older than this is left out, ns. (Rule INDEX-1)
    pub stale_after_ns: u64,
    /// A constituent further than this from the median is left out.
    pub max_deviation: Rate,
    /// Units of agenda work one command may spend; `u64::MAX` is unlimited. (Law 4)
    pub budget: u64,
    /// Orders one taker may meet. (Law 4)
    pub max_fills: u64,
    /// Commands in one bulk.
    pub bulk_max: u64,
    /// Open orders of one account; 0 is none set.
    pub max_open_orders: u64,
}

/// What the engine holds at most, fixed at start. (Law 3)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Capacity {
    /// Accounts, the house's four included.
    pub accounts: u32,
    /// Live orders.
    pub orders: u32,
    /// Numbered sessions; a session's number is below this.
    pub sessions: u32,
    /// Lots of the liquidation account.
    pub lots: u32,
}

impl Default for Capacity {
    fn default() -> Self {
        Capacity { accounts: 1 << 14, orders: 1 << 17, sessions: 1 << 10, lots: 1 << 12 }
    }
}

/// Why a specification cannot be traded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SpecError {
    /// The field.
    pub field: &'static str,
    /// What it must be.
    pub must: &'static str,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "contract specification: {} must {}", self.field, self.must)
    }
}

impl core::error::Error for SpecError {}

const fn name(text: &str) -> [u8; 16] {
    let mut out = [0; 16];
    let bytes = text.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        out[i] = bytes[i];
        i += 1;
    }
    out
}

impl ContractSpec {
    /// Rule CONTRACT-1: one contract rounded at a time, maintenance margin 0.5 %.
    pub const XBTUSD_2019: ContractSpec = ContractSpec {
        name: name("XBTUSD-2019"),
        value_unit: 1,
        tick_size: Price(50),
        lot: Qty(1),
        max_order_qty: Qty(10_000_000),
        max_position_qty: Qty(10_000_000_000),
        max_price: Price(100_000_000),
        never_price: Price(10_000_000_000),
        fees: [FeeRates { maker: Rate(-25_000), taker: Rate(75_000) }; FEE_CLASSES],
        initial_margin: Rate(1_000_000),
        maintenance_margin: Rate(500_000),
        risk_limit: Xbt(200 * XBT),
        risk_step: Xbt(100 * XBT),
        max_tier: 198,
        margin_model: MarginModel::Classic,
        fee_rounding: FeeRounding::Recorded,
        premium: PremiumMode::Full,
        marking: Marking::Fair,
        funding_interval_ns: 8 * 3600 * SECOND_NS,
        funding_offset_ns: 4 * 3600 * SECOND_NS,
        interest_quote: Rate(60_000),
        interest_base: Rate(30_000),
        stale_after_ns: 15 * 60 * SECOND_NS,
        max_deviation: Rate(25_000_000),
        budget: 1_000,
        max_fills: 1_000,
        bulk_max: 200,
        max_open_orders: 0,
    };

    /// Rule CONTRACT-2: hundreds of contracts rounded as one, maintenance margin 0.35 %.
    pub const XBTUSD_2021: ContractSpec = ContractSpec {
        name: name("XBTUSD-2021"),
        value_unit: 100,
        lot: Qty(100),
        maintenance_margin: Rate(350_000),
        never_price: Price(100_000_000),
        max_tier: 282,
        ..Self::XBTUSD_2019
    };

    /// Rule CONTRACT-3: maintenance margin alone is held; ticks of 0.1, one fee for both sides.
    pub const XBTUSD_2026: ContractSpec = ContractSpec {
        name: name("XBTUSD-2026"),
        tick_size: Price(10),
        max_position_qty: Qty(4_000_000_000),
        fees: [FeeRates { maker: Rate(50_000), taker: Rate(50_000) }; FEE_CLASSES],
        maintenance_margin: Rate(500_000),
        risk_step: Xbt(150 * XBT),
        max_tier: 198,
        margin_model: MarginModel::Maintenance,
        ..Self::XBTUSD_2021
    };

    /// The profiles that come with the library.
    pub const PROFILES: [&'static ContractSpec; 3] = [&Self::XBTUSD_2019, &Self::XBTUSD_2021, &Self::XBTUSD_2026];

    /// The profile of that name.
    #[must_use]
    pub fn profile(name: &str) -> Option<ContractSpec> {
        Self::PROFILES.into_iter().find(|spec| spec.name() == name).copied()
    }

    /// The profile's name as text.
    #[must_use]
    pub fn name(&self) -> &str {
        let end = self.name.iter().position(|&byte| byte == 0).unwrap_or(self.name.len());
        core::str::from_utf8(&self.name[..end]).unwrap_or("")
    }

    /// The price of a tick.
    #[inline(always)]
    #[must_use]
    pub const fn tick_price(&self, tick: Tick) -> Price {
        Price(tick.0 as u64 * self.tick_size.0)
    }

    /// The tick at a price, where the price is on the grid and in range.
    #[must_use]
    pub fn tick_at(&self, price: Price) -> Option<Tick> {
        if !price.0.is_multiple_of(self.tick_size.0) || price > self.max_price || price.0 == 0 {
            return None;
        }
        u32::try_from(price.0 / self.tick_size.0).ok().map(Tick)
    }

    /// The highest tick.
    #[inline(always)]
    #[must_use]
    pub const fn max_tick(&self) -> Tick {
        Tick((self.max_price.0 / self.tick_size.0) as u32)
    }

    /// Satoshi times hundredths in one unit: U·1e8·100, the numerator of a unit value over a
    /// [`Price`]. (Rule VALUE-1)
    #[inline(always)]
    #[must_use]
    pub const fn unit_numerator(&self) -> u64 {
        self.value_unit * XBT as u64 * Price::PER_USD
    }

    /// The most units one side of an account may hold and have open together:
    /// min(spec limit, 2^62 / u(one tick)). (Rule LIMIT-1)
    #[must_use]
    pub const fn max_side_units(&self) -> u64 {
        let by_value = (1u64 << 62) / crate::value::unit_value(self, self.tick_size);
        let by_spec = self.max_position_qty.0 / self.value_unit;
        if by_spec < by_value { by_spec } else { by_value }
    }

    /// Is every number in the range the arithmetic was written for?
    ///
    /// # Errors
    /// The first field that is not, and what it must be.
    pub fn validate(&self) -> Result<(), SpecError> {
        let check = |good: bool, field: &'static str, must: &'static str| {
            if good { Ok(()) } else { Err(SpecError { field, must }) }
        };
        check(self.name.is_ascii() && self.name[0] != 0, "name", "be 1 to 16 bytes of ASCII")?;
        check((1..=1_000_000).contains(&self.value_unit), "value_unit", "be 1 to 1,000,000")?;
        check((1..=1_000_000).contains(&self.tick_size.0), "tick_size", "be 0.01 to 10,000.00")?;
        check(self.max_price.0.is_multiple_of(self.tick_size.0), "max_price", "be a whole number of ticks")?;
        check((1..=1 << 24).contains(&(self.max_price.0 / self.tick_size.0)), "max_price", "be at most 2^24 ticks")?;
        check(
            self.value_unit * XBT as u64 >= self.max_price.0.div_ceil(Price::PER_USD),
            "max_price",
            "leave one unit worth at least a satoshi",
        )?;
        check(
            self.never_price >= self.max_price && self.never_price.0 <= 1 << 40,
            "never_price",
            "lie at or above max_price",
        )?;
        check(
            self.lot.0 > 0 && self.lot.0 <= 1 << 32 && self.lot.0.is_multiple_of(self.value_unit),
            "lot",
            "be a multiple of value_unit",
        )?;
        check(self.max_order_qty >= self.lot && self.max_order_qty.0 <= 1 << 48, "max_order_qty", "be at least a lot")?;
        check(
            self.max_position_qty >= self.lot && self.max_position_qty.0 <= 1 << 60,
            "max_position_qty",
            "be at least a lot",
        )?;
        for class in self.fees {
            check((0..10_000_000).contains(&class.taker.0), "fees", "have takers pay 0 to 10 %")?;
            check(
                (-class.taker.0..=10_000_000).contains(&class.maker.0),
                "fees",
                "not give makers more than takers pay",
            )?;
        }
        let one = Rate::ONE as i64;
        check((1..=one).contains(&self.initial_margin.0), "initial_margin", "be above 0, at most 1")?;
        check(
            (1..self.initial_margin.0).contains(&self.maintenance_margin.0),
            "maintenance_margin",
            "be above 0 and below initial_margin",
        )?;
        check((1..1 << 60).contains(&self.risk_limit.0), "risk_limit", "be positive")?;
        check((0..1 << 60).contains(&self.risk_step.0), "risk_step", "not be negative")?;
        check(
            self.max_tier < 1 << 16
                && self.initial_margin.0 + self.max_tier as i64 * self.maintenance_margin.0 <= one
                && i128::from(self.risk_limit.0) + i128::from(self.max_tier) * i128::from(self.risk_step.0) < 1 << 62,
            "max_tier",
            "keep the tier's initial margin at most 1 and its limit below 2^62",
        )?;
        let is_minutes = |ns: u64| ns.is_multiple_of(crate::mark::MINUTE_NS);
        let (interval, offset) = (self.funding_interval_ns, self.funding_offset_ns);
        check(
            interval > 0 && is_minutes(interval) && interval <= 1 << 56,
            "funding_interval_ns",
            "be whole minutes, one at least, up to two years",
        )?;
        check(is_minutes(offset) && offset < interval, "funding_offset_ns", "be whole minutes below the interval")?;
        for (interest, field) in [(self.interest_quote, "interest_quote"), (self.interest_base, "interest_base")] {
            check((-one..=one).contains(&interest.0), field, "be at most 1 a day, either way")?;
        }
        check(self.budget > 0, "budget", "be positive")?;
        check((1..=1 << 20).contains(&self.max_fills), "max_fills", "be 1 to 2^20")?;
        check((1..=1 << 20).contains(&self.bulk_max), "bulk_max", "be 1 to 2^20")?;
        Ok(())
    }
}

impl Capacity {
    /// Is every number in range?
    ///
    /// # Errors
    /// The first field that is not, and what it must be.
    pub fn validate(&self) -> Result<(), SpecError> {
        let check = |good: bool, field: &'static str, must: &'static str| {
            if good { Ok(()) } else { Err(SpecError { field, must }) }
        };
        check((5..=1 << 24).contains(&self.accounts), "capacity.accounts", "be 5 to 2^24")?;
        check((1..=1 << 28).contains(&self.orders), "capacity.orders", "be 1 to 2^28")?;
        check((1..=1 << 24).contains(&self.sessions), "capacity.sessions", "be 1 to 2^24")?;
        check((1..=1 << 24).contains(&self.lots), "capacity.lots", "be 1 to 2^24")?;
        Ok(())
    }
}

/// A journal's first record: what is traded, and how much the engine holds. Opening with another is
/// refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Genesis {
    /// The contract.
    pub spec: ContractSpec,
    /// The limits.
    pub capacity: Capacity,
}

impl Genesis {
    /// The canonical words, in the order of the fields.
    #[must_use]
    pub fn to_words(&self) -> [u64; GENESIS_WORDS] {
        let s = &self.spec;
        let mut words = [0u64; GENESIS_WORDS];
        let mut at = 0;
        let mut put = |value: u64| {
            words[at] = value;
            at += 1;
        };
        put(1); // version of this layout
        put(u64::from_le_bytes(core::array::from_fn(|i| s.name[i])));
        put(u64::from_le_bytes(core::array::from_fn(|i| s.name[i + 8])));
        for value in [
            s.value_unit,
            s.tick_size.0,
            s.lot.0,
            s.max_order_qty.0,
            s.max_position_qty.0,
            s.max_price.0,
            s.never_price.0,
        ] {
            put(value);
        }
        for class in s.fees {
            put(class.maker.0 as u64);
            put(class.taker.0 as u64);
        }
        for value in [
            s.initial_margin.0 as u64,
            s.maintenance_margin.0 as u64,
            s.risk_limit.0 as u64,
            s.risk_step.0 as u64,
            s.max_tier,
            u64::from(s.margin_model.code()),
            u64::from(s.fee_rounding.code()),
            u64::from(s.premium.code()),
            u64::from(s.marking.code()),
            s.funding_interval_ns,
            s.funding_offset_ns,
            s.interest_quote.0 as u64,
            s.interest_base.0 as u64,
            s.stale_after_ns,
            s.max_deviation.0 as u64,
            s.budget,
            s.max_fills,
            s.bulk_max,
            s.max_open_orders,
            u64::from(self.capacity.accounts),
            u64::from(self.capacity.orders),
            u64::from(self.capacity.sessions),
            u64::from(self.capacity.lots),
            4, // house accounts
        ] {
            put(value);
        }
        words
    }

    /// Reads the canonical words back; `None` when they are not of this layout.
    #[must_use]
    pub fn from_words(words: &[u64; GENESIS_WORDS]) -> Option<Genesis> {
        let mut at = 0;
        let mut get = || {
            let value = words[at];
            at += 1;
            value
        };
        if get() != 1 {
            return None;
        }
        let (low, high) = (get().to_le_bytes(), get().to_le_bytes());
        let name = core::array::from_fn(|i| if i < 8 { low[i] } else { high[i - 8] });
        let code = |value: u64| u8::try_from(value).ok();
        let spec = ContractSpec {
            name,
            value_unit: get(),
            tick_size: Price(get()),
            lot: Qty(get()),
            max_order_qty: Qty(get()),
            max_position_qty: Qty(get()),
            max_price: Price(get()),
            never_price: Price(get()),
            fees: core::array::from_fn(|_| {
                let maker = Rate(get() as i64);
                FeeRates { maker, taker: Rate(get() as i64) }
            }),
            initial_margin: Rate(get() as i64),
            maintenance_margin: Rate(get() as i64),
            risk_limit: Xbt(get() as i64),
            risk_step: Xbt(get() as i64),
            max_tier: get(),
            margin_model: MarginModel::from_code(code(get())?)?,
            fee_rounding: FeeRounding::from_code(code(get())?)?,
            premium: PremiumMode::from_code(code(get())?)?,
            marking: Marking::from_code(code(get())?)?,
            funding_interval_ns: get(),
            funding_offset_ns: get(),
            interest_quote: Rate(get() as i64),
            interest_base: Rate(get() as i64),
            stale_after_ns: get(),
            max_deviation: Rate(get() as i64),
            budget: get(),
            max_fills: get(),
            bulk_max: get(),
            max_open_orders: get(),
        };
        let capacity = Capacity {
            accounts: u32::try_from(get()).ok()?,
            orders: u32::try_from(get()).ok()?,
            sessions: u32::try_from(get()).ok()?,
            lots: u32::try_from(get()).ok()?,
        };
        let genesis = Genesis { spec, capacity };
        // Whatever was not read must be as written: nothing is ignored silently.
        (genesis.to_words() == *words).then_some(genesis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contract_1_to_3_every_profile_is_valid_and_survives_its_words() {
        for spec in ContractSpec::PROFILES {
            assert_eq!(spec.validate(), Ok(()), "{}", spec.name());
            let genesis = Genesis { spec: *spec, capacity: Capacity::default() };
            assert_eq!(Genesis::from_words(&genesis.to_words()), Some(genesis));
            assert_eq!(ContractSpec::profile(spec.name()), Some(*spec));
        }
        assert_eq!(ContractSpec::profile("XBTUSD-1999"), None);
    }

    #[test]
    fn contract_1_interest_is_at_most_1_a_day() {
        let one = Rate::ONE as i64;
        let of = |quote, base| {
            let spec =
                ContractSpec { interest_quote: Rate(quote), interest_base: Rate(base), ..ContractSpec::XBTUSD_2019 };
            spec.validate().map_err(|error| error.field)
        };
        assert_eq!([of(one, -one), of(-one, one)], [Ok(()); 2]);
        assert_eq!([of(one + 1, 0), of(-one - 1, 0)], [Err("interest_quote"); 2]);
        assert_eq!([of(0, i64::MIN), of(0, i64::MAX)], [Err("interest_base"); 2]);
    }
}
