//! The contract to trade: a profile by name, or a file that starts from one.
//!
//! ```toml
//! base = "XBTUSD-2021"      # a profile; XBTUSD-2019 where absent
//! name = "MY-CONTRACT"
//! tick_size = "0.1"         # prices and rates are decimal text
//! lot = 1000                # quantities and XBt are integers
//! taker_fee = "0.0005"
//! ```

use std::path::Path;

use contract::{ContractSpec, FeeRates, FeeRounding, Marking, PremiumMode, Qty, Xbt};

use crate::error::{Error, Result};
use crate::exact;

/// The keys a file may have.
const KEYS: &str = "base, name, value_unit, tick_size, lot, max_order_qty, max_position_qty, max_price, never_price, \
                    maker_fee, taker_fee, initial_margin, maintenance_margin, risk_limit, risk_step, max_tier, \
                    fee_rounding (recorded, against_trader), premium (full, none), marking (fair, index, last, \
                    external), interest_quote, interest_base, budget, max_fills, max_open_orders";

/// The spec of that profile name, or of that file.
pub fn load(profile_or_file: &str) -> Result<ContractSpec> {
    let spec = match ContractSpec::profile(profile_or_file) {
        Some(spec) => spec,
        None if Path::new(profile_or_file).extension().is_some_and(|ending| ending == "toml") => {
            let text = std::fs::read_to_string(profile_or_file).map_err(|error| Error::io(profile_or_file, error))?;
            from_toml(profile_or_file, &text)?
        }
        None => return Err(Error::Unusable(unknown(profile_or_file))),
    };
    Ok(spec)
}

fn unknown(name: &str) -> String {
    let names: Vec<&str> = ContractSpec::PROFILES.iter().map(|spec| spec.name()).collect();
    format!("{name:?} is no contract; give one of {} or a file ending in .toml", names.join(", "))
}

/// The spec that a file describes.
pub fn from_toml(file: &str, text: &str) -> Result<ContractSpec> {
    let bad = |what: String| Error::Unusable(format!("{file}: {what}"));
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| bad(error.to_string()))?;
    let base = match table.get("base") {
        None => ContractSpec::XBTUSD_2019,
        Some(name) => {
            let name = name.as_str().unwrap_or("");
            ContractSpec::profile(name).ok_or_else(|| bad(unknown(name)))?
        }
    };
    let mut spec = base;
    for (key, value) in &table {
        set(&mut spec, key, value).map_err(|allowed| bad(format!("found {key} = {value:?}; allowed: {allowed}")))?;
    }
    spec.validate().map_err(|error| bad(error.to_string()))?;
    Ok(spec)
}

fn set(spec: &mut ContractSpec, key: &str, value: &toml::Value) -> Result<(), String> {
    let text = || value.as_str().ok_or_else(|| "text in quotes".to_owned());
    let unsigned = || value.as_integer().and_then(|n| u64::try_from(n).ok()).ok_or("an integer from 0".to_owned());
    let signed = || value.as_integer().ok_or("an integer".to_owned());
    let mut fee = |change: &dyn Fn(&mut FeeRates)| spec.fees.iter_mut().for_each(change);
    match key {
        "base" => {}
        "name" => {
            let bytes = text()?.as_bytes();
            if bytes.is_empty() || bytes.len() > spec.name.len() {
                return Err("1 to 16 bytes of ASCII".to_owned());
            }
            spec.name = std::array::from_fn(|i| bytes.get(i).copied().unwrap_or(0));
        }
        "value_unit" => spec.value_unit = unsigned()?,
        "tick_size" => spec.tick_size = exact::price(text()?)?,
        "lot" => spec.lot = Qty(unsigned()?),
        "max_order_qty" => spec.max_order_qty = Qty(unsigned()?),
        "max_position_qty" => spec.max_position_qty = Qty(unsigned()?),
        "max_price" => spec.max_price = exact::price(text()?)?,
        "never_price" => spec.never_price = exact::price(text()?)?,
        "maker_fee" => {
            let rate = exact::rate(text()?)?;
            fee(&|class| class.maker = rate);
        }
        "taker_fee" => {
            let rate = exact::rate(text()?)?;
            fee(&|class| class.taker = rate);
        }
        "initial_margin" => spec.initial_margin = exact::rate(text()?)?,
        "maintenance_margin" => spec.maintenance_margin = exact::rate(text()?)?,
        "risk_limit" => spec.risk_limit = Xbt(signed()?),
        "risk_step" => spec.risk_step = Xbt(signed()?),
        "max_tier" => spec.max_tier = unsigned()?,
        "fee_rounding" => {
            spec.fee_rounding = match text()? {
                "recorded" => FeeRounding::Recorded,
                "against_trader" => FeeRounding::AgainstTrader,
                _ => return Err("recorded, against_trader".to_owned()),
            };
        }
        "premium" => {
            spec.premium = match text()? {
                "full" => PremiumMode::Full,
                "none" => PremiumMode::None,
                _ => return Err("full, none".to_owned()),
            };
        }
        "marking" => {
            spec.marking = match text()? {
                "fair" => Marking::Fair,
                "index" => Marking::Index,
                "last" => Marking::Last,
                "external" => Marking::External,
                _ => return Err("fair, index, last, external".to_owned()),
            };
        }
        "interest_quote" => spec.interest_quote = exact::rate(text()?)?,
        "interest_base" => spec.interest_base = exact::rate(text()?)?,
        "budget" => spec.budget = unsigned()?,
        "max_fills" => spec.max_fills = unsigned()?,
        "max_open_orders" => spec.max_open_orders = unsigned()?,
        _ => return Err(format!("the keys {KEYS}")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use contract::{Price, Rate};

    use super::*;

    #[test]
    fn a_file_starts_from_a_profile() {
        let spec =
            from_toml("t", "base = \"XBTUSD-2021\"\nname = \"MINE\"\ntick_size = \"0.1\"\ntaker_fee = \"0.0005\"\n");
        let spec = spec.unwrap();
        assert_eq!((spec.name(), spec.tick_size, spec.lot), ("MINE", Price(10), Qty(100)));
        assert_eq!(spec.fees[3].taker, Rate(50_000));
    }

    /// FUND-1: interest is given by the day.
    #[test]
    fn a_file_gives_interest_and_marking() {
        let text = "marking = \"last\"\ninterest_quote = \"0.01\"\ninterest_base = \"-0.0025\"\n";
        let spec = from_toml("t", text).unwrap();
        let interest = (spec.interest_quote, spec.interest_base);
        assert_eq!((spec.marking, interest), (Marking::Last, (Rate(1_000_000), Rate(-250_000))));
    }

    #[test]
    fn what_cannot_be_traded_is_refused_with_its_key() {
        for (text, word) in [
            ("tick_size = 0.1", "tick_size"),
            ("tick_size = \"0.001\"", "tick_size"),
            ("colour = \"red\"", "colour"),
            ("lot = -1", "lot"),
            ("lot = 3\nvalue_unit = 2", "lot"),
            ("base = \"XBTUSD-1999\"", "XBTUSD-1999"),
            ("lot = ", "t:"),
            ("interest_base = \"1.00000001\"", "interest_base"),
            ("name = \"longer than sixteen\"", "name"),
        ] {
            let error = from_toml("t", text).unwrap_err().to_string();
            assert!(error.contains(word), "{text:?}: {error}");
        }
        assert!(load("XBTUSD-1999").unwrap_err().to_string().contains("XBTUSD-2019"));
        assert_eq!(load("XBTUSD-2026").expect("a profile"), ContractSpec::XBTUSD_2026);
    }
}
