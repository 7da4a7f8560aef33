//! The index: what constituents' prices come to, weighted. (Rule INDEX-1)

use crate::command::MAX_CONSTITUENTS;
use crate::units::{Price, Rate};

/// A constituent that is fresh: its price and its weight.
pub type Quote = (Price, u32);

/// Σ weight·price over Σ weight of the constituents that do not deviate, to the nearest 0.01 USD, ties up. One deviates
/// where it is further than `max_deviation` of the median from the median of all that have a weight; of an even number
/// the median is the mean of the middle two. `None` where there is none, or none is left. (Rule INDEX-1)
///
/// # Panics
/// With more than ten constituents.
///
/// ```
/// use centum_contract::{Price, Rate, index::index_price};
/// let at = |cents: [u64; 3]| index_price(&cents.map(|cents| (Price(cents), 1)), Rate(25_000_000));
/// assert_eq!(at([1_000_000, 1_000_100, 1_000_100]), Some(Price(1_000_067))); // three equal thirds
/// assert_eq!(at([1_000_000, 1_000_100, 1_250_125]), Some(Price(1_083_408))); // 25 % away: still in
/// assert_eq!(at([1_000_000, 1_000_100, 1_250_126]), Some(Price(1_000_050))); // left out
/// ```
#[must_use]
pub fn index_price(quotes: &[Quote], max_deviation: Rate) -> Option<Price> {
    let mut prices = [0u64; MAX_CONSTITUENTS];
    let mut n = 0;
    for (price, _) in quotes.iter().filter(|(_, weight)| *weight != 0) {
        prices[n] = price.0;
        n += 1;
    }
    let prices = &mut prices[..n];
    prices.sort_unstable();
    // Twice the median is whole.
    let twice = match n {
        0 => return None,
        n => u128::from(prices[(n - 1) / 2]) + u128::from(prices[n / 2]),
    };
    let is_near = |price: Price| {
        let away = (2 * u128::from(price.0)).abs_diff(twice);
        away * u128::from(Rate::ONE) <= twice * u128::from(max_deviation.0.unsigned_abs())
    };
    let (mut sum, mut weights) = (0u128, 0u128);
    for (price, weight) in quotes.iter().filter(|(price, _)| is_near(*price)) {
        sum += u128::from(price.0) * u128::from(*weight);
        weights += u128::from(*weight);
    }
    if weights == 0 {
        return None;
    }
    u64::try_from((2 * sum + weights) / (2 * weights)).ok().map(Price)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUARTER: Rate = Rate(25_000_000);

    #[test]
    fn index_1_weights_and_rounding() {
        for (quotes, expected) in [
            (&[(Price(100), 1), (Price(101), 1)][..], Some(Price(101))), // 100.5: a tie goes up
            (&[(Price(100), 3), (Price(101), 1)], Some(Price(100))),
            (&[(Price(100), 0), (Price(101), 1)], Some(Price(101))),
            (&[(Price(100), 0)], None),
            (&[], None),
            // Two that disagree by more than either may: none is left.
            (&[(Price(100), 1), (Price(200), 1)], None),
        ] {
            assert_eq!(index_price(quotes, QUARTER), expected, "{quotes:?}");
        }
    }

    proptest! {
        /// INDEX-1: the index lies between the least and the largest price, whatever the order they come in.
        #[test]
        fn an_index_lies_among_its_prices(
            quotes in prop::collection::vec((1u64..1 << 40, 0u32..=u32::MAX), 1..=10),
        ) {
            let n = quotes.len();
            let (mut given, mut reversed) = ([(Price(0), 0); MAX_CONSTITUENTS], [(Price(0), 0); MAX_CONSTITUENTS]);
            for (i, (price, weight)) in quotes.into_iter().enumerate() {
                (given[i], reversed[n - 1 - i]) = ((Price(price), weight), (Price(price), weight));
            }
            let quotes = &given[..n];
            let found = index_price(quotes, QUARTER);
            prop_assert_eq!(index_price(&reversed[..n], QUARTER), found);
            if let Some(found) = found {
                let prices = quotes.iter().filter(|(_, weight)| *weight != 0).map(|(price, _)| *price);
                prop_assert!(prices.clone().min() <= Some(found) && Some(found) <= prices.max());
            }
        }
    }
}
