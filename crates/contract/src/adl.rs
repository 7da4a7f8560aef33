//! Deleveraging: who is closed first when the insurance fund does not reach.
//!
//! In    candidates: positions with their terms and equity, and the mark.
//! Out   an exact order among them. Scores are fractions and are never rounded, so no tie is made
//!       or hidden by arithmetic.
//! Laws  ADL-1  the ranking. ADL-3  the percentile shown. ADL-4  who may be closed at all.

use core::cmp::Ordering;

use crate::liquidation::bearable;
use crate::margin::Terms;
use crate::position::PositionState;
use crate::spec::ContractSpec;
use crate::units::{AccountId, Qty};
use crate::value::units;
use crate::wide::{Ratio, Wide};

/// An account that may be deleveraged, as it stands. Its position is not flat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AdlCandidate {
    /// Whose.
    pub account: AccountId,
    /// What it holds.
    pub position: PositionState,
    /// On which terms.
    pub terms: Terms,
    /// Wallet − order margin. Isolated margin does not look at it.
    pub equity: i64,
}

/// What the score is made of, signed: negative for a long. The bankrupt value times `scale`, because
/// in isolated margin it has a fraction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AdlValues {
    /// Value at mark.
    pub mark: i64,
    /// Entry value: the cost.
    pub entry: i64,
    /// Value at which the margin is gone, times `scale`.
    pub bankrupt: i128,
    /// Not zero.
    pub scale: u64,
}

/// A score of rule ADL-1, exact. The larger is closed first.
#[derive(Clone, Copy, Debug)]
pub enum AdlScore {
    /// A loss, divided by the effective leverage; its magnitude. A larger one comes later.
    Loss(Ratio),
    /// Neither profit nor loss, or a loss at infinite leverage.
    Zero,
    /// A profit times the effective leverage.
    Profit(Ratio),
    /// A profit at infinite leverage.
    Infinite,
}

impl AdlCandidate {
    /// W_bk times the scale, exact: what the position can lose until its margin is gone.
    ///
    /// Isolated: IM·|cost| + posCross − posLoss, *unrounded* (rule LIQ-1), so the scale is the
    /// denominator of IM. Cross: rule LIQ-2's, which is whole.
    fn until_bankruptcy(&self) -> (i128, u64) {
        if self.terms.is_cross {
            return (i128::from(bearable(&self.terms, &self.position, self.equity).until_bankruptcy), 1);
        }
        let im = self.terms.im;
        let extra = i128::from(self.position.cross.0) - i128::from(self.position.loss.0);
        (i128::from(im.num()) * i128::from(self.position.cost_abs()) + extra * i128::from(im.den()), im.den())
    }

    /// The values the score is made of, at the value of one unit at the mark. (Rule ADL-1)
    #[must_use]
    pub fn values(&self, spec: &ContractSpec, mark_value: u64) -> AdlValues {
        let (w, scale) = self.until_bankruptcy();
        let cost = i128::from(self.position.cost_abs()) * i128::from(scale);
        AdlValues {
            mark: self.position.value_at(spec, mark_value).0,
            entry: self.position.cost.0,
            bankrupt: if self.position.qty > 0 { -(cost + w) } else { cost - w },
            scale,
        }
    }

    /// Its place in the ranking, at the value of one unit at the mark. (Rule ADL-1)
    #[must_use]
    pub fn place(&self, spec: &ContractSpec, mark_value: u64) -> Ranked {
        let score = self.values(spec, mark_value).score();
        Ranked { score, size: self.position.size(), account: self.account }
    }

    /// The furthest value of one unit at which it may be closed, rounded away from its bankruptcy: a long at this one
    /// or below, a short at this one or above. (Rule ADL-4)
    ///
    /// 0 for a long that may be closed at none, `u64::MAX` for such a short.
    /// ```
    /// use centum_contract::adl::AdlCandidate;
    /// use centum_contract::margin::Terms;
    /// use centum_contract::position::PositionState;
    /// use centum_contract::{AccountId, ContractSpec, Leverage, Rate};
    /// let spec = ContractSpec::XBTUSD_2019;
    /// let mut position = PositionState::default();
    /// position.execute(&spec, 3, 9_999); // cost 29,997; at 2x W_bk is 14,998.5
    /// let terms = Terms::new(&spec, Leverage(200), 0, Rate(75_000), Rate(0));
    /// let candidate = AdlCandidate { account: AccountId(4), position, terms, equity: 0 };
    /// assert_eq!(candidate.furthest_value(&spec), 14_998); // 44,994 of 44,995.5
    /// ```
    #[must_use]
    pub fn furthest_value(&self, spec: &ContractSpec) -> u64 {
        let (w, scale) = self.until_bankruptcy();
        let cost = i128::from(self.position.cost_abs()) * i128::from(scale);
        let all_units = u128::from(units(spec, self.position.size())) * u128::from(scale);
        let at_bankruptcy = if self.position.qty > 0 { cost + w } else { cost - w }.max(0).unsigned_abs();
        let furthest =
            if self.position.qty > 0 { at_bankruptcy / all_units } else { at_bankruptcy.div_ceil(all_units) };
        u64::try_from(furthest).unwrap_or(u64::MAX)
    }
}

impl AdlValues {
    /// (Value at mark − bankrupt value) times the scale: what is left until bankruptcy.
    fn until_bankruptcy(&self) -> i128 {
        i128::from(self.mark) * i128::from(self.scale) - self.bankrupt
    }

    /// PNL% = (value at mark − entry value)/|entry value|: is it a profit, and how large? (Rule ADL-1)
    #[must_use]
    pub fn pnl_share(&self) -> (bool, Ratio) {
        let pnl = i128::from(self.mark) - i128::from(self.entry);
        let entry = u128::from(self.entry.unsigned_abs());
        (pnl > 0, Ratio::new(pnl.unsigned_abs(), entry))
    }

    /// |value at mark|/(value at mark − bankrupt value); `None` is infinite. (Rule ADL-1)
    #[must_use]
    pub fn effective_leverage(&self) -> Option<Ratio> {
        let left = self.until_bankruptcy();
        let mark = u128::from(self.mark.unsigned_abs()) * u128::from(self.scale);
        (left > 0).then(|| Ratio::new(mark, left.unsigned_abs()))
    }

    /// The score. (Rule ADL-1)
    ///
    /// PNL%·effective leverage in profit, PNL%/effective leverage otherwise; where nothing is left
    /// until bankruptcy the leverage is infinite.
    #[must_use]
    pub fn score(&self) -> AdlScore {
        let (is_profit, pnl) = self.pnl_share();
        match self.effective_leverage() {
            None if is_profit => AdlScore::Infinite,
            None => AdlScore::Zero,
            Some(leverage) if is_profit => {
                AdlScore::Profit(Ratio { num: pnl.num.product(leverage.num), den: pnl.den.product(leverage.den) })
            }
            Some(_) if pnl.num == Wide::ZERO => AdlScore::Zero,
            Some(leverage) => {
                AdlScore::Loss(Ratio { num: pnl.num.product(leverage.den), den: pnl.den.product(leverage.num) })
            }
        }
    }
}

impl AdlScore {
    const fn class(&self) -> u8 {
        match self {
            AdlScore::Loss(_) => 0,
            AdlScore::Zero => 1,
            AdlScore::Profit(_) => 2,
            AdlScore::Infinite => 3,
        }
    }
}

impl PartialEq for AdlScore {
    fn eq(&self, other: &AdlScore) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for AdlScore {}

impl PartialOrd for AdlScore {
    fn partial_cmp(&self, other: &AdlScore) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for AdlScore {
    fn cmp(&self, other: &AdlScore) -> Ordering {
        match (self, other) {
            (AdlScore::Profit(a), AdlScore::Profit(b)) => a.cmp(b),
            (AdlScore::Loss(a), AdlScore::Loss(b)) => b.cmp(a),
            _ => self.class().cmp(&other.class()),
        }
    }
}

/// A place in the ranking: higher score, then larger quantity, then lower account number. The
/// greatest is closed first. (Rule ADL-1)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ranked {
    /// The score.
    pub score: AdlScore,
    /// Contracts held.
    pub size: Qty,
    /// Whose.
    pub account: AccountId,
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Ranked) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Ranked) -> Ordering {
        self.score.cmp(&other.score).then(self.size.cmp(&other.size)).then(other.account.cmp(&self.account))
    }
}

/// Is `a` strictly above `b` in the ranking? Higher score, then larger quantity, then lower account
/// number. (Rule ADL-1)
///
/// `mark_value` is the value of one unit at the mark.
/// ```
/// use centum_contract::adl::{AdlCandidate, outranks};
/// use centum_contract::margin::Terms;
/// use centum_contract::position::PositionState;
/// use centum_contract::{AccountId, ContractSpec, Leverage, Rate};
/// let spec = ContractSpec::XBTUSD_2019;
/// let at = |account, leverage| {
///     let mut position = PositionState::default();
///     position.execute(&spec, -100, 10_000); // short at 10,000 USD
///     let terms = Terms::new(&spec, Leverage(leverage), 0, Rate(75_000), Rate(0));
///     AdlCandidate { account: AccountId(account), position, terms, equity: 0 }
/// };
/// let (bold, meek) = (at(5, 5_000), at(4, 200));
/// assert!(outranks(&spec, 10_100, &bold, &meek)); // in profit the bold one goes first,
/// assert!(outranks(&spec, 9_950, &bold, &meek)); // in loss too: less of it is left
/// assert!(outranks(&spec, 10_000, &meek, &bold)); // all equal: the lower account
/// ```
#[must_use]
pub fn outranks(spec: &ContractSpec, mark_value: u64, a: &AdlCandidate, b: &AdlCandidate) -> bool {
    a.place(spec, mark_value) > b.place(spec, mark_value)
}

/// May the candidate be closed at this value of a unit: does that leave its own bankruptcy unpassed?
/// (Rule ADL-4; the side, and whether it is due, are the engine's to ask.)
///
/// Long: v·units ≤ |cost| + W_bk. Short: v·units ≥ |cost| − W_bk.
/// ```
/// use centum_contract::adl::{AdlCandidate, may_be_deleveraged};
/// use centum_contract::margin::Terms;
/// use centum_contract::position::PositionState;
/// use centum_contract::{AccountId, ContractSpec, Leverage, Rate};
/// let spec = ContractSpec::XBTUSD_2019;
/// let mut position = PositionState::default();
/// position.execute(&spec, 3, 9_999); // cost 29,997; at 2x W_bk is 14,998.5
/// let terms = Terms::new(&spec, Leverage(200), 0, Rate(75_000), Rate(0));
/// let candidate = AdlCandidate { account: AccountId(4), position, terms, equity: 0 };
/// assert!(may_be_deleveraged(&spec, &candidate, 14_998)); // 44,994 of 44,995.5
/// assert!(!may_be_deleveraged(&spec, &candidate, 14_999));
/// ```
#[must_use]
pub fn may_be_deleveraged(spec: &ContractSpec, candidate: &AdlCandidate, unit_value: u64) -> bool {
    let position = &candidate.position;
    let (w, scale) = candidate.until_bankruptcy();
    let proceeds = i128::from(units(spec, position.size())) * i128::from(unit_value);
    let beyond_cost = proceeds - i128::from(position.cost_abs());
    if position.qty > 0 { beyond_cost * i128::from(scale) <= w } else { beyond_cost * i128::from(scale) >= -w }
}

/// The percentile shown to a trader: ceil(5·cumulative/total)·20, where the cumulative quantity runs
/// down from the top of the ranking and includes the account itself. (Rule ADL-3)
///
/// # Panics
/// Where `total` is zero: then there is nobody to rank.
///
/// ```
/// use centum_contract::adl::percentile;
/// assert_eq!(percentile(20, 100), 20);
/// assert_eq!(percentile(21, 100), 40);
/// assert_eq!(percentile(100, 100), 100);
/// ```
#[must_use]
pub const fn percentile(cumulative: u64, total: u64) -> u64 {
    assert!(total > 0 && cumulative <= total, "ADL-3: the cumulative quantity is a part of the total");
    ((5 * cumulative as u128).div_ceil(total as u128) * 20) as u64
}

/// The lights shown for it, one to five: five for the top fifth. (Rule ADL-3)
///
/// # Panics
/// As [`percentile`], and where `cumulative` is zero: an account counts itself.
///
/// ```
/// use centum_contract::adl::lights;
/// assert_eq!([20, 21, 40, 41, 80, 81, 100].map(|cumulative| lights(cumulative, 100)), [5, 4, 4, 3, 2, 1, 1]);
/// ```
#[must_use]
pub const fn lights(cumulative: u64, total: u64) -> u64 {
    assert!(cumulative > 0, "ADL-3: the cumulative quantity includes the account itself");
    6 - percentile(cumulative, total) / 20
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::ContractSpec;
    use crate::units::{Leverage, Rate, Xbt};
    use num_bigint::BigInt;
    use proptest::prelude::*;

    const SPEC: ContractSpec = ContractSpec::XBTUSD_2019;

    fn candidate(account: u32, qty: i64, entry: u64, leverage: u32, cross: i64, equity: i64) -> AdlCandidate {
        let mut position = PositionState::default();
        position.execute(&SPEC, qty, entry);
        position.cross = Xbt(cross);
        let terms = Terms::new(&SPEC, Leverage(leverage), 0, Rate(75_000), Rate(0));
        AdlCandidate { account: AccountId(account), position, terms, equity }
    }

    /// The score with nothing clever: class, then a signed fraction with a positive denominator.
    fn plain(c: &AdlCandidate, mark_value: u64) -> (u8, BigInt, BigInt) {
        let values = c.values(&SPEC, mark_value);
        let (mark, entry, scale) = (BigInt::from(values.mark), BigInt::from(values.entry), BigInt::from(values.scale));
        let abs = |x: &BigInt| BigInt::from(x.magnitude().clone());
        let (pnl, left) = (&mark - &entry, &mark * &scale - BigInt::from(values.bankrupt));
        let zero = BigInt::ZERO;
        match (pnl > zero, left > zero) {
            (true, false) => (1, zero, BigInt::from(1)),
            (false, false) => (0, zero, BigInt::from(1)),
            (true, true) => (0, &pnl * abs(&mark) * scale, abs(&entry) * left),
            (false, true) => (0, &pnl * left, abs(&entry) * abs(&mark) * scale),
        }
    }

    prop_compose! {
        fn any_candidate()(
            account in 4u32..8,
            size in prop_oneof![1i64..20, 1i64..10_000_000_000],
            is_long in any::<bool>(),
            entry in 1u64..200_000_000,
            leverage in 0u32..=10_000,
            cross in -1_000_000i64..1_000_000,
            equity in -1_000_000_000i64..1 << 61,
        ) -> AdlCandidate {
            // Leverage 0.01 holds a hundred times the value, which must be an amount too.
            let size = size.min((1 << 56) / entry as i64);
            candidate(account, if is_long { size } else { -size }, entry, leverage, cross, equity)
        }
    }

    proptest! {
        /// ADL-1: the ranking is what big integers say, ties included.
        #[test]
        fn adl_1_the_order_is_exact(a in any_candidate(), b in any_candidate(), mark in 1u64..200_000_000) {
            let mark = mark.min((1 << 62) / a.position.size().0.max(b.position.size().0));
            let ((class_a, num_a, den_a), (class_b, num_b, den_b)) = (plain(&a, mark), plain(&b, mark));
            let expected = class_a.cmp(&class_b)
                .then((num_a * den_b).cmp(&(num_b * den_a)))
                .then(a.position.size().cmp(&b.position.size()))
                .then(b.account.cmp(&a.account));
            prop_assert_eq!(outranks(&SPEC, mark, &a, &b), expected == Ordering::Greater);
            prop_assert_eq!(outranks(&SPEC, mark, &b, &a), expected == Ordering::Less);
        }

        /// ADL-1: a strict order has no circles.
        #[test]
        fn adl_1_the_order_is_transitive(
            a in any_candidate(), b in any_candidate(), c in any_candidate(), mark in 1u64..100_000_000,
        ) {
            let largest = a.position.size().max(b.position.size()).max(c.position.size());
            let above = |x, y| outranks(&SPEC, mark.min((1 << 62) / largest.0), x, y);
            if above(&a, &b) && above(&b, &c) {
                prop_assert!(above(&a, &c));
            }
            prop_assert!(!above(&a, &a));
        }

        /// ADL-4: what the trader has lost when closed at the last value that passes is at most W_bk.
        #[test]
        fn adl_4_nobody_is_closed_beyond_his_own_bankruptcy(c in any_candidate(), v in 1u64..100_000_000) {
            let v = v.min((1 << 62) / c.position.size().0);
            let loss = -(i128::from(c.position.value_at(&SPEC, v).0) - i128::from(c.position.cost.0));
            let whole = i128::from(bearable(&c.terms, &c.position, c.equity).until_bankruptcy);
            prop_assert_eq!(may_be_deleveraged(&SPEC, &c, v), loss <= whole);
        }

        /// ADL-4: the furthest value is the last at which it may be closed, and every nearer one will do.
        #[test]
        fn adl_4_up_to_the_furthest_value(c in any_candidate(), v in 1u64..100_000_000, step in 0u64..3) {
            let most = (1 << 62) / c.position.size().0;
            let furthest = c.furthest_value(&SPEC);
            for v in [v, furthest.saturating_add(step), furthest.saturating_sub(step)] {
                let v = v.clamp(1, most);
                let is_within = if c.position.qty > 0 { v <= furthest } else { v >= furthest };
                prop_assert_eq!(may_be_deleveraged(&SPEC, &c, v), is_within, "{} {}", v, furthest);
            }
        }
    }

    /// ADL-1, the derived example: short 500 of 25x, entry 6725, mark 6726.8.
    #[test]
    fn adl_1_a_recorded_short_in_loss() {
        let short = candidate(4, -500, 14_870, 2_500, 0, 0);
        let values = short.values(&SPEC, 14_866);
        assert_eq!(
            (values.mark, values.entry, values.bankrupt / i128::from(values.scale)),
            (7_433_000, 7_435_000, 7_137_600)
        );
        let leverage = values.effective_leverage().unwrap();
        assert_eq!(leverage.num.times(10_000_000_000).quotient(leverage.den), Some(251_624_915_368)); // 25.16…
        assert!(matches!(values.score(), AdlScore::Loss(_)));
    }

    /// ADL-1: profits above nothing above losses; infinite leverage on top in profit, nothing in loss.
    #[test]
    fn adl_1_the_classes_of_scores() {
        let at = |entry: i64, mark: i64, bankrupt: i128| AdlValues { mark, entry, bankrupt, scale: 1 }.score();
        let (infinite, profit, zero) = (at(100, 101, 101), at(100, 101, 100), at(100, 100, 90));
        let (worthless, loss) = (at(100, 90, 90), at(100, 99, 90));
        assert!(infinite > profit && profit > zero && zero > loss);
        assert_eq!(worthless, AdlScore::Zero, "a loss at infinite leverage counts nothing");
        assert_eq!(infinite, at(1, 9, 10), "all infinite profits are level");
    }

    /// ADL-1: equal scores go by quantity, equal quantities by account.
    #[test]
    fn adl_1_ties() {
        let (small, large) = (candidate(4, 10, 100, 100, 0, 0), candidate(5, 20, 100, 100, 0, 0));
        assert!(outranks(&SPEC, 90, &large, &small) && !outranks(&SPEC, 90, &small, &large));
        let twin = candidate(6, 20, 100, 100, 0, 0);
        assert!(outranks(&SPEC, 90, &large, &twin) && !outranks(&SPEC, 90, &twin, &large));
    }

    /// ADL-1 tells apart what rounding W_bk would not: 5.5 and 5 satoshi left.
    #[test]
    fn adl_1_half_a_satoshi_decides() {
        let half = candidate(9, -11, 1, 200, 0, 0); // cost 11, W_bk 5.5
        let whole = candidate(4, -11, 1, 200, 0, 0);
        let less = AdlCandidate { position: PositionState { cross: Xbt(-1), ..whole.position }, ..whole };
        assert!(outranks(&SPEC, 2, &less, &half), "in profit: less margin, more leverage");
        let values = half.values(&SPEC, 2);
        assert_eq!((values.bankrupt, values.scale), (11, 2));
    }

    /// ADL-4 on the line and a step past it, both sides, isolated and cross.
    #[test]
    fn adl_4_on_the_line() {
        let long = candidate(4, 10, 100, 1_000, 0, 0); // cost 1,000, W_bk 100
        assert!(may_be_deleveraged(&SPEC, &long, 110) && !may_be_deleveraged(&SPEC, &long, 111));
        let short = candidate(4, -10, 100, 1_000, 0, 0);
        assert!(may_be_deleveraged(&SPEC, &short, 90) && !may_be_deleveraged(&SPEC, &short, 89));
        let cross = candidate(4, 10, 100, 0, 0, 51); // comm = ceil(0.00075·1,051) = 1: W_bk 50
        assert!(may_be_deleveraged(&SPEC, &cross, 105) && !may_be_deleveraged(&SPEC, &cross, 106));
        let ruined = candidate(4, 10, 100, 0, 0, -200); // its bankruptcy lies before its entry
        assert!(!may_be_deleveraged(&SPEC, &ruined, 100) && may_be_deleveraged(&SPEC, &ruined, 79));
    }

    /// ADL-3: the documented example of six longs, and one contract past a fifth.
    #[test]
    fn adl_3_quintiles() {
        assert_eq!([10, 30, 60, 70, 80, 100].map(|sum| lights(sum, 100)), [5, 4, 3, 2, 2, 1]);
        let shown = [10, 30, 60, 70, 80, 100].map(|sum| percentile(sum, 100));
        assert_eq!(shown, [20, 40, 60, 80, 80, 100]);
        assert_eq!([percentile(1, 1), percentile(0, 7), percentile(u64::MAX, u64::MAX)], [100, 0, 100]);
    }
}
