//! Value: what contracts are worth in satoshi, and what a fill of them costs.

use crate::codes::FeeRounding;
use crate::math::{div_round_half_away, signed, signed_product};
use crate::spec::ContractSpec;
use crate::units::{Price, Qty, Rate, Xbt};

/// The value of one unit (U contracts) at `price`, XBt: round(U·1e8/price), ties away from zero.
/// (Rule VALUE-1)
///
/// # Panics
/// At price zero: admission and `Mark` keep every price at one tick or more.
///
/// ```
/// use centum_contract::{ContractSpec, Price, value::unit_value};
/// assert_eq!(unit_value(&ContractSpec::XBTUSD_2019, Price(570_000)), 17_544);
/// assert_eq!(unit_value(&ContractSpec::XBTUSD_2021, Price(3_361_300)), 297_504);
/// // An exact half rounds away from zero: 1e8/512 = 195312.5.
/// assert_eq!(unit_value(&ContractSpec::XBTUSD_2019, Price(51_200)), 195_313);
/// ```
#[inline(always)]
#[must_use]
pub const fn unit_value(spec: &ContractSpec, price: Price) -> u64 {
    div_round_half_away(spec.unit_numerator(), price.0)
}

/// Whole units in a quantity, which is a multiple of the lot and so of U.
#[inline(always)]
#[must_use]
pub const fn units(spec: &ContractSpec, qty: Qty) -> u64 {
    if spec.value_unit == 1 { qty.0 } else { qty.0 / spec.value_unit }
}

/// The value of `qty` contracts at `price`, XBt. (Rule VALUE-1)
///
/// One unit is rounded to the nearest satoshi *before* multiplying. Rounding the product would look
/// more exact and would disagree with the venue's own tape:
/// ```
/// use centum_contract::{ContractSpec, Price, Qty, Xbt, value::value};
/// // 2018-07-06: 10,000 contracts at 6520, grossValue 153370000. The exact quotient is 153374233.
/// assert_eq!(value(&ContractSpec::XBTUSD_2019, Qty(10_000), Price(652_000)), Xbt(153_370_000));
/// ```
///
/// # Panics
/// At price zero, or beyond rule LIMIT-1.
#[inline]
#[must_use]
pub fn value(spec: &ContractSpec, qty: Qty, price: Price) -> Xbt {
    Xbt(signed_product(units(spec, qty), unit_value(spec, price)))
}

/// The fee of a fill of this value: positive is paid, negative a rebate. (Rule FEE-1)
///
/// Toward zero, for fees and rebates alike, once per fill; with `AgainstTrader` fees round up and
/// rebates down.
/// ```
/// use centum_contract::{FeeRounding, Rate, Xbt, value::fee};
/// // 2019-12-23, maker: 0.025 % of 656450000 is 164112.5.
/// assert_eq!(fee(FeeRounding::Recorded, Rate(-25_000), Xbt(656_450_000)), Xbt(-164_112));
/// assert_eq!(fee(FeeRounding::AgainstTrader, Rate(75_000), Xbt(88_155)), Xbt(67));
/// ```
#[inline]
#[must_use]
pub fn fee(rounding: FeeRounding, rate: Rate, value: Xbt) -> Xbt {
    const ONE: u64 = Rate::ONE;
    let (magnitude, amount) = (rate.0.unsigned_abs(), value.0.unsigned_abs());
    let product = u128::from(magnitude) * u128::from(amount);
    let up = matches!(rounding, FeeRounding::AgainstTrader) && rate.0 > 0;
    let rounded = match u64::try_from(product) {
        Ok(small) if up => small.div_ceil(ONE),
        Ok(small) => small / ONE,
        Err(_) => {
            let wide = if up { product.div_ceil(u128::from(ONE)) } else { product / u128::from(ONE) };
            u64::try_from(wide).expect("LIMIT-1: fees fit 63 bits")
        }
    };
    Xbt(if rate.0 < 0 { -signed(rounded) } else { signed(rounded) })
}
