//! Text becomes integers here, exactly or not at all.
//!
//! Decimal text goes through `rust_decimal`, because people write decimals, and leaves as an integer
//! of the unit's resolution. What is not exact is refused, never rounded: `rust_decimal` would round
//! a text of thirty digits and drop a cent near its maximum, so the text is checked first, parsed
//! with the exact parser, and the scale is looked at again after it.

use contract::{ContractSpec, Leverage, Price, Rate, Tick};
use rust_decimal::Decimal;

/// Decimal places of a [`Price`].
const PRICE_PLACES: u32 = 2;
/// Decimal places of a [`Rate`].
const RATE_PLACES: u32 = 8;
/// Decimal places of a [`Leverage`].
const LEVERAGE_PLACES: u32 = 2;

/// Why a text is not the number asked for: what is allowed.
pub type NotExact = String;

/// The text times 10^places as an integer.
///
/// ```
/// assert_eq!(centum_cli::exact::scaled("5700.5", 2), Ok(570_050));
/// assert!(centum_cli::exact::scaled("5700.505", 2).is_err());
/// assert!(centum_cli::exact::scaled("0.123456789012345678901234567890", 8).is_err());
/// ```
pub fn scaled(text: &str, places: u32) -> Result<i128, NotExact> {
    let allowed = || format!("a plain decimal number with at most {places} decimal places");
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(fraction) {
        return Err(allowed());
    }
    let number = Decimal::from_str_exact(text).map_err(|_| format!("{}, of at most 28 digits", allowed()))?;
    let number = number.normalize();
    let missing = places.checked_sub(number.scale()).ok_or_else(allowed)?;
    number.mantissa().checked_mul(10i128.pow(missing)).ok_or_else(allowed)
}

/// The same for recordings, whose small numbers may be written `1.8e-05`.
///
/// ```
/// assert_eq!(centum_cli::exact::scaled_recorded("1.756e-05", 8), Ok(1_756));
/// ```
pub fn scaled_recorded(text: &str, places: u32) -> Result<i128, NotExact> {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return scaled(text, places) };
    let allowed = || format!("a decimal number with at most {places} decimal places");
    let exponent: i32 = exponent.parse().map_err(|_| allowed())?;
    let shifted = i64::from(places) + i64::from(exponent);
    if let Ok(shifted @ 0..=28) = u32::try_from(shifted) {
        return scaled(mantissa, shifted);
    }
    if scaled(mantissa, 28)? == 0 { Ok(0) } else { Err(allowed()) }
}

/// A price off the grid: mark, index.
pub fn price(text: &str) -> Result<Price, NotExact> {
    let cents = scaled(text, PRICE_PLACES)?;
    u64::try_from(cents).map(Price).map_err(|_| "a price of zero or more, in USD with at most 2 decimals".to_owned())
}

/// A price on the contract's grid. A price above the highest is a tick all the same: refusing it is
/// the engine's business.
pub fn tick(text: &str, spec: &ContractSpec) -> Result<Tick, NotExact> {
    let size = spec.tick_size;
    let allowed = || format!("a price on the grid of {} USD", plain_price(size));
    let price = price(text).map_err(|_| allowed())?;
    if price.0 % size.0 != 0 {
        return Err(allowed());
    }
    u32::try_from(price.0 / size.0).map(Tick).map_err(|_| format!("{}, at most {}", allowed(), spec.max_price))
}

/// A rate, decimal text: `0.0001` is 0.01 %.
pub fn rate(text: &str) -> Result<Rate, NotExact> {
    let scaled = scaled(text, RATE_PLACES)?;
    i64::try_from(scaled).map(Rate).map_err(|_| "a rate with at most 8 decimals".to_owned())
}

/// A leverage, decimal text; 0 is cross margin.
pub fn leverage(text: &str) -> Result<Leverage, NotExact> {
    let allowed = || "a leverage of 0 (cross) or more with at most 2 decimals".to_owned();
    let scaled = scaled(text, LEVERAGE_PLACES).map_err(|_| allowed())?;
    u32::try_from(scaled).map(Leverage).map_err(|_| allowed())
}

/// An unsigned integer: digits only.
pub fn unsigned(text: &str) -> Result<u64, NotExact> {
    let allowed = || "an integer from 0 to 18446744073709551615".to_owned();
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().map_err(|_| allowed()) } else { Err(allowed()) }
}

/// A signed integer: digits, with a minus or without.
pub fn signed(text: &str) -> Result<i64, NotExact> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let allowed = || "an integer that fits into 64 bits".to_owned();
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().map_err(|_| allowed()) } else { Err(allowed()) }
}

/// A price as people write it: no decimals where there are none to show.
#[must_use]
pub fn plain_price(price: Price) -> String {
    let scale = PRICE_PLACES;
    Decimal::try_from_i128_with_scale(i128::from(price.0), scale)
        .map_or_else(|_| price.to_string(), |number| number.normalize().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_exact_is_refused_not_rounded() {
        for (text, places, expected) in [
            ("5700", 2, Some(570_000)),
            ("5700.0", 2, Some(570_000)),
            ("5700.50", 2, Some(570_050)),
            ("5700.500000", 2, Some(570_050)),
            ("5700.505", 2, None),
            ("-1.5", 2, Some(-150)),
            ("0.123456789012345678901234567890", 8, None),
            ("123456789012345678901234567890", 2, None),
            ("79228162514264337593543950335", 0, Some(79_228_162_514_264_337_593_543_950_335)),
            ("79228162514264337593543950336", 0, None),
            ("1_000", 2, None),
            ("1e3", 2, None),
            ("+1", 2, None),
            (" 1", 2, None),
            (".5", 2, None),
            ("5.", 2, None),
            ("-", 2, None),
            ("", 2, None),
            ("NaN", 2, None),
        ] {
            assert_eq!(scaled(text, places).ok(), expected, "{text:?} with {places} places");
        }
    }

    #[test]
    fn a_tick_is_on_the_grid_or_refused() {
        let spec = ContractSpec::XBTUSD_2019;
        assert_eq!(tick("10000.5", &spec), Ok(Tick(20_001)));
        assert_eq!(tick("10000.25", &spec).unwrap_err(), "a price on the grid of 0.5 USD");
        assert_eq!(tick("1000000.5", &spec), Ok(Tick(2_000_001)), "above the highest: the engine refuses it");
        assert!(tick("99999999999", &spec).is_err());
        assert!(tick("-1", &spec).is_err());
    }

    #[test]
    fn prices_are_printed_as_people_write_them() {
        assert_eq!(plain_price(Price(570_000)), "5700");
        assert_eq!(plain_price(Price(570_050)), "5700.5");
        assert_eq!(plain_price(Price(113_437)), "1134.37");
        assert_eq!(plain_price(Price(0)), "0");
    }

    #[test]
    fn integers_are_digits_only() {
        assert_eq!(unsigned("18446744073709551615"), Ok(u64::MAX));
        assert!(unsigned("18446744073709551616").is_err());
        assert!(unsigned("+1").is_err() && unsigned("").is_err() && unsigned("-1").is_err());
        assert_eq!(signed("-9223372036854775808"), Ok(i64::MIN));
        assert!(signed("9223372036854775808").is_err() && signed("-").is_err() && signed("1.0").is_err());
    }
}
