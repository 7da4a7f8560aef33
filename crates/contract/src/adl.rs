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
use crate::units::AccountId;
use crate::value::units;
use crate::wide::Wide;

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

/// A fraction that is not negative.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    /// Numerator.
    pub num: Wide,
    /// Denominator, not zero.
    pub den: Wide,
}

impl Ratio {
    fn cmp(&self, other: &Ratio) -> Ordering {
        self.num.product(other.den).cmp(&other.num.product(self.den))
    }
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
        (i128::from(im.num) * i128::from(self.position.cost_abs()) + extra * i128::from(im.den), im.den)
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
        (pnl > 0, Ratio { num: Wide::new(pnl.unsigned_abs()), den: Wide::new(entry) })
    }

    /// |value at mark|/(value at mark − bankrupt value); `None` is infinite. (Rule ADL-1)
    #[must_use]
    pub fn effective_leverage(&self) -> Option<Ratio> {
        let left = self.until_bankruptcy();
        let mark = u128::from(self.mark.unsigned_abs()) * u128::from(self.scale);
        (left > 0).then(|| Ratio { num: Wide::new(mark), den: Wide::new(left.unsigned_abs()) })
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
    let by_score = a.values(spec, mark_value).score().cmp(&b.values(spec, mark_value).score());
    let by_size = a.position.size().cmp(&b.position.size());
    by_score.then(by_size).then(b.account.cmp(&a.account)) == Ordering::Greater
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
