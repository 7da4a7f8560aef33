//! Who is deleveraged first, as the traders are shown it. (Rules ADL-1, ADL-3)

use contract::adl::{AdlCandidate, Ranked, lights};
use contract::display::Shown;
use contract::value::unit_value;
use contract::view::{position_state, terms_of};
use contract::wide::Ratio;
use contract::{AccountId, Price, Qty, Rate, Side};
use engine::Engine;

/// One place of the ranking.
#[derive(Clone, Debug)]
pub struct Place {
    /// Whose.
    pub account: AccountId,
    /// Contracts.
    pub size: Qty,
    /// Of five indicator lights, how many are on: five for the top fifth.
    pub lights: u64,
    /// Profit or loss as a part of the entry value, with its sign.
    pub pnl: Shown,
    /// |value at mark| over what is left until bankruptcy; none where nothing is left.
    pub leverage: Option<Shown>,
}

impl Place {
    /// `●●●○○`.
    pub fn lights_text(&self) -> String {
        (1..=5).map(|light| if light <= self.lights { '●' } else { '○' }).collect()
    }
}

/// All who hold a position that a lot closed by `side` is against, best first, at this mark: of a lot that sells,
/// the shorts.
pub fn ranking(engine: &Engine, side: Side, mark: Price) -> Vec<Place> {
    let spec = engine.spec();
    let worth = unit_value(spec, mark);
    let mut all: Vec<(Ranked, AdlCandidate)> = Vec::new();
    for number in AccountId::FIRST_TRADER.0..engine.accounts() {
        let account = AccountId(number);
        let (Some(wallet), Some(held)) = (engine.wallet(account), engine.position(account)) else { continue };
        if Side::that_reduces(held.qty) != Some(side.opposite()) {
            continue;
        }
        let Some(terms) = terms_of(spec, Rate::ZERO, &held) else { continue };
        let (position, equity) = (position_state(&held), (wallet.balance - wallet.order_margin).0);
        let candidate = AdlCandidate { account, position, terms, equity };
        all.push((candidate.place(spec, worth), candidate));
    }
    all.sort_by_key(|(place, _)| core::cmp::Reverse(*place));
    let total: u64 = all.iter().map(|(place, _)| place.size.0).sum();
    let mut above = 0;
    all.into_iter()
        .map(|(place, candidate)| {
            above += place.size.0;
            let values = candidate.values(spec, worth);
            let (is_profit, share) = values.pnl_share();
            let pnl = shown(share, 4);
            Place {
                account: place.account,
                size: place.size,
                lights: lights(above, total),
                pnl: Shown { mantissa: if is_profit { pnl.mantissa } else { -pnl.mantissa }, decimals: 2 },
                leverage: values.effective_leverage().map(|ratio| shown(ratio, 2)),
            }
        })
        .collect()
}

/// A ratio to the nearest with so many decimals; of a percentage two of them stand before the point.
fn shown(ratio: Ratio, decimals: u32) -> Shown {
    let mantissa = ratio.times_rounded(10u128.pow(decimals)).and_then(|x| i128::try_from(x).ok()).unwrap_or(i128::MAX);
    Shown { mantissa, decimals }
}
