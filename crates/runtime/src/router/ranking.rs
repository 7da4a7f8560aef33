//! Who would be deleveraged first, as traders are shown it. (Rules ADL-1, ADL-3)
//!
//! In    wallets and positions of the read model, and the mark.
//! Out   percentile and lights of each account that holds something.
//! Laws  The router waits for no ranking. What has changed is copied a few accounts at a time, each time for as long
//!       as that takes; scores and sorting are done outside of its lock, by the reader who asks.
//!       8  a question is about one account, and its answer about no other.
//!
//! Readers share one ranking. It is made anew when somebody asks and the mark, or what somebody holds, is not as it was.

use std::cmp::Reverse;
use std::sync::{Arc, Mutex, PoisonError};

use contract::adl::{AdlCandidate, Ranked, lights, percentile};
use contract::margin::mark_value;
use contract::view::{position_state, terms_of};
use contract::{AccountId, ContractSpec, Price, Rate, event};

use super::Floor;
use super::latch::Latch;
use super::model::Standing;

/// Accounts that are copied while the router may not go on.
const SLICE: usize = 256;

/// How near an account is to being deleveraged. (Rule ADL-3)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Deleveraging {
    /// After this command.
    pub as_of: u64,
    /// 20, 40, 60, 80 or 100: the contracts of its side that are closed before its own, and its own, are at most so many
    /// per cent of all.
    pub percentile: u8,
    /// Of five indicator lights, how many are on: five for the top fifth, which goes first.
    pub lights: u8,
}

/// How near everybody is to being deleveraged, at one moment. (Rules ADL-1, ADL-3)
///
/// What [`View::ranking`](super::View::ranking) answers with. It stays as it is, and clones share it: ask many accounts
/// of one, and make a new one as often as readers should see it.
#[derive(Clone, Debug)]
pub struct Ranking {
    as_of: u64,
    mark: Price,
    /// By account number.
    places: Arc<[Option<Place>]>,
}

/// What is shown of an account's place.
#[derive(Clone, Copy, Debug)]
struct Place {
    percentile: u8,
    lights: u8,
}

impl Ranking {
    /// The last command that is in it.
    #[must_use]
    pub fn as_of(&self) -> u64 {
        self.as_of
    }

    /// The mark it was made at.
    #[must_use]
    pub fn mark(&self) -> Option<Price> {
        (self.mark != Price::NONE).then_some(self.mark)
    }

    /// The account's own place; `None` where no trader has it or it holds nothing.
    #[must_use]
    pub fn of(&self, account: AccountId) -> Option<Deleveraging> {
        let Place { percentile, lights } = self.places.get(account.0 as usize).copied().flatten()?;
        Some(Deleveraging { as_of: self.as_of, percentile, lights })
    }
}

/// What an account holds, as far as its place depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Holding {
    /// Without what only tells the past, so that nothing but a change that matters is one.
    position: event::Position,
    /// Wallet − order margin; isolated margin does not look at it.
    equity: i64,
}

impl Holding {
    fn of((wallet, position): &Standing) -> Option<Holding> {
        let position = event::Position {
            leverage: position.leverage,
            qty: position.qty,
            cost: position.cost,
            cross: position.cross,
            loss: position.loss,
            tier: position.tier,
            fee_class: position.fee_class,
            ..event::Position::default()
        };
        let equity = if position.leverage.is_cross() { (wallet.balance - wallet.order_margin).0 } else { 0 };
        (position.qty != 0).then_some(Holding { position, equity })
    }

    fn ranked(&self, spec: &ContractSpec, account: AccountId, mark_value: u64) -> Ranked {
        // The bankrupt value does not depend on the rate. (Rules LIQ-1, LIQ-2)
        let terms =
            terms_of(spec, Rate::ZERO, &self.position).expect("OpenAccount: a fee class is the specification's");
        AdlCandidate { account, position: position_state(&self.position), terms, equity: self.equity }
            .place(spec, mark_value)
    }
}

/// The readers' own: what they have copied, and the ranking made of it.
#[derive(Debug)]
pub(super) struct Board {
    spec: ContractSpec,
    inside: Mutex<Inside>,
}

#[derive(Debug)]
struct Inside {
    /// By account number.
    holdings: Vec<Option<Holding>>,
    /// What was copied of the read model at last.
    taken: Vec<(AccountId, Standing)>,
    /// One of the holdings is not as it was when the ranking was made.
    is_changed: bool,
    ranking: Ranking,
}

impl Board {
    pub(super) fn new(spec: ContractSpec) -> Board {
        let ranking = Ranking { as_of: 0, mark: Price::NONE, places: Arc::new([]) };
        let inside = Inside { holdings: Vec::new(), taken: Vec::new(), is_changed: false, ranking };
        Board { spec, inside: Mutex::new(inside) }
    }

    /// The ranking as everybody stands. One reader makes it; who asks meanwhile waits for it.
    pub(super) fn ranking(&self, floor: &Latch<Floor>) -> Ranking {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let (as_of, mark) = inside.catch_up(floor);
        if inside.is_changed || inside.ranking.mark != mark {
            inside.ranking.places = inside.rank(&self.spec, mark).into();
            inside.is_changed = false;
        }
        (inside.ranking.as_of, inside.ranking.mark) = (as_of, mark);
        inside.ranking.clone()
    }
}

impl Inside {
    /// Copies what has changed, until nothing has. Answers of which moment that is: last command, and mark.
    fn catch_up(&mut self, floor: &Latch<Floor>) -> (u64, Price) {
        for round in 0u32.. {
            // Ends however much changes meanwhile: after a million accounts the slices grow.
            let most = SLICE << (round >> 12).min(16);
            self.taken.reserve(most);
            let (is_all, as_of, mark) = {
                let model = &mut floor.for_reader().model;
                (model.take_changed(most, &mut self.taken), model.seq(), model.mark)
            };
            for (account, standing) in self.taken.drain(..) {
                let at = account.0 as usize;
                if at >= self.holdings.len() {
                    self.holdings.resize(at + 1, None);
                }
                let holding = Holding::of(&standing);
                self.is_changed |= self.holdings[at] != holding;
                self.holdings[at] = holding;
            }
            if is_all {
                return (as_of, mark);
            }
        }
        unreachable!("a slice of all accounts takes all")
    }

    /// Everybody's place by account number. (Rules ADL-1, ADL-3)
    fn rank(&self, spec: &ContractSpec, mark: Price) -> Vec<Option<Place>> {
        let mut places = vec![None; self.holdings.len()];
        if mark == Price::NONE {
            return places;
        }
        let mark_value = mark_value(spec, mark);
        let mut sides: [Vec<Ranked>; 2] = [Vec::new(), Vec::new()];
        for (number, holding) in self.holdings.iter().enumerate() {
            if let Some(holding) = holding {
                let account = AccountId(number as u32);
                sides[usize::from(holding.position.qty > 0)].push(holding.ranked(spec, account, mark_value));
            }
        }
        for mut side in sides {
            side.sort_unstable_by_key(|ranked| Reverse(*ranked));
            // Sums that no market comes to end at the highest number.
            let total = side.iter().fold(0u64, |sum, ranked| sum.saturating_add(ranked.size.0));
            let mut above = 0u64;
            for ranked in side {
                above = above.saturating_add(ranked.size.0);
                let (percentile, lights) = (percentile(above, total) as u8, lights(above, total) as u8);
                places[ranked.account.0 as usize] = Some(Place { percentile, lights });
            }
        }
        places
    }
}
