//! A market in which a mark change liquidates as many accounts as one likes, among any number of others.

use contract::command::{Amount, Mark, OpenAccount, SetLeverage};
use contract::*;

use crate::{FIRST, Recording, Stage, limit};

/// Who may be liquidated: so many at most.
pub const MOST_DUE: u32 = 1_000;
/// Contracts of each of them.
const QTY: u64 = 40;
/// How many are due at each mark, and where those that this mark adds bought: 100x longs are due half a per cent below.
const GROUPS: [(u32, u32, Price); 4] = [
    (1, 20_000, Price(995_000)),
    (10, 19_980, Price(994_000)),
    (100, 19_960, Price(993_000)),
    (1_000, 19_940, Price(992_000)),
];
/// Below every mark of those, above every lot's own price: what a lot meets where the book is not empty.
const BID: u32 = 19_820;
/// A fall by which every long has lost more than its initial margin in cross margin.
const FALLEN: Price = Price(985_000);

/// The market before the gap.
pub struct Gap {
    stage: Stage,
    most: u32,
    maker: u32,
}

/// Fills that each lot finds in the book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Book {
    /// The lot rests.
    Empty,
    /// So many orders fill it.
    Fills(u64),
}

impl Gap {
    /// So many accounts with a position far from liquidation, half of them in cross margin; spread among them up to
    /// [`MOST_DUE`] longs at 100x; and one account that sold to those.
    ///
    /// The mark has been down and up once before them, so that whoever has an early key was looked at: what that costs
    /// is [`Gap::first_fall`].
    #[must_use]
    pub fn new(accounts: u32, budget: u64) -> Gap {
        let (mut stage, dues, maker) = holders_and_others(accounts, budget);
        for price in [FALLEN, Price(1_000_000)] {
            stage.mark(price);
        }
        for account in &dues {
            stage.apply(*account, Action::SetLeverage(SetLeverage { leverage: Leverage(10_000) }));
        }
        let most = dues.len() as u32;
        for (group, &(_, tick, _)) in GROUPS.iter().enumerate() {
            let buyers = || (0..).zip(&dues).filter(|(n, _)| group_of(*n, most) == group).map(|(_, account)| *account);
            let qty = QTY * buyers().count() as u64;
            if qty != 0 {
                stage.apply(maker, Action::New(limit(Side::Sell, tick, qty)));
            }
            for account in buyers() {
                stage.apply(account, Action::New(limit(Side::Buy, tick, QTY)));
            }
        }
        assert!(stage.engine.best(Side::Sell).is_none(), "everybody has bought");
        Gap { stage, most, maker }
    }

    /// How many may be due at once, of 1, 10, 100 and 1,000.
    pub fn dues(&self) -> impl Iterator<Item = u32> {
        let most = self.most;
        GROUPS.iter().map(|(due, ..)| *due).filter(move |due| *due <= most)
    }

    /// The mark that makes so many due, and clocks until nothing waits.
    ///
    /// # Panics
    /// Where other than `due` accounts were taken over, or their lots met anything but what was asked for.
    #[must_use]
    pub fn recording(&self, due: u32, book: Book) -> Recording {
        let mut stage = self.stage.clone();
        if let Book::Fills(fills) = book {
            for _ in 0..fills * u64::from(due) {
                stage.apply(self.maker, Action::New(limit(Side::Buy, BID, QTY / fills)));
            }
        }
        let price = GROUPS.iter().find(|(at, ..)| *at == due).expect("a size of GROUPS").2;
        let (mut takeovers, mut close_outs) = (0, 0);
        let recording = stage.record(Action::Mark(Mark { price }), |event| {
            if let Some(Fact::Fill(fill)) = event.fact() {
                takeovers += u32::from(fill.cause.get() == Some(FillCause::Takeover));
                close_outs += u64::from(fill.cause.get() == Some(FillCause::CloseOut));
            }
        });
        let fills = if let Book::Fills(fills) = book { fills } else { 0 };
        assert_eq!((takeovers, close_outs), (due, fills * u64::from(due)), "each is taken over and closed out once");
        recording
    }

    /// The first mark that falls so far, 1.5 %, at which nobody is due. An account in cross margin is looked at where
    /// half of what it has available is lost: nobody here, though their margin of 1 % is gone.
    #[must_use]
    pub fn first_fall(accounts: u32, budget: u64) -> Recording {
        let (stage, ..) = holders_and_others(accounts, budget);
        stage.record(Action::Mark(Mark { price: FALLEN }), |event| {
            assert!(!matches!(event.fact(), Some(Fact::Liquidation(_))), "nobody is due");
        })
    }

    /// A mark at which every tenth of so many accounts is due: a long of 10 contracts at 100x, spread among the others.
    /// Its lots come to rest.
    ///
    /// # Panics
    /// Where other than a tenth of the accounts was taken over.
    #[must_use]
    pub fn tenth(accounts: u32, budget: u64) -> Recording {
        let lots = accounts / 10;
        let capacity = Capacity { accounts: FIRST + accounts + 1, orders: 1_024, sessions: 1, lots };
        let mut stage = Stage::new(capacity, budget);
        stage.mark(Price(1_000_000));
        let (mut dues, mut holders) = (Vec::new(), 0);
        for account in FIRST..FIRST + accounts {
            if (dues.len() as u32) < lots && account % 10 == 0 {
                stage.open(account, 1_000_000, 10_000);
                dues.push(account);
            } else {
                stage.hold(account, holders);
                holders += 1;
            }
        }
        stage.open(FIRST + accounts, 1_000_000_000_000, 0);
        stage.apply(FIRST + accounts, Action::New(limit(Side::Sell, 20_000, 10 * dues.len() as u64)));
        for account in &dues {
            stage.apply(*account, Action::New(limit(Side::Buy, 20_000, 10)));
        }
        let mut takeovers = 0;
        let recording = stage.record(Action::Mark(Mark { price: Price(995_000) }), |event| {
            if let Some(Fact::Fill(fill)) = event.fact() {
                takeovers += usize::from(fill.cause.get() == Some(FillCause::Takeover));
            }
        });
        assert_eq!(takeovers, dues.len(), "each of them is taken over");
        recording
    }
}

/// The first mark at which the n-th of so many is due: spread evenly.
fn group_of(n: u32, most: u32) -> usize {
    GROUPS.iter().position(|(due, ..)| *due >= most || n.is_multiple_of(most / *due)).unwrap_or(GROUPS.len() - 1)
}

/// Holders, those who may be due among them without a position yet, and the one who will sell to them.
fn holders_and_others(accounts: u32, budget: u64) -> (Stage, Vec<u32>, u32) {
    let most = accounts.min(MOST_DUE);
    let capacity = Capacity { accounts: FIRST + accounts + most + 1, orders: 8 * most, sessions: 1, lots: most };
    let mut stage = Stage::new(capacity, budget);
    stage.mark(Price(1_000_000));
    let (mut next, mut dues) = (FIRST, Vec::new());
    for n in 0..accounts {
        stage.hold(next, n);
        next += 1;
        // Two holders trade with each other: nobody comes between them.
        if n % 2 == 1 && dues.len() as u64 * u64::from(accounts) < u64::from(n) * u64::from(most) {
            for _ in 0..2.min(most - dues.len() as u32) {
                stage.open(next, 10_000_000, 0);
                dues.push(next);
                next += 1;
            }
        }
    }
    while dues.len() < most as usize {
        stage.open(next, 10_000_000, 0);
        dues.push(next);
        next += 1;
    }
    stage.apply(next, Action::OpenAccount(OpenAccount { fee_class: 0 }));
    stage.apply(next, Action::Deposit(Amount { amount: Xbt(1_000_000_000_000) }));
    (stage, dues, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_takes_over_whom_it_should_and_keeps_every_law() {
        let gap = Gap::new(200, 1_000);
        assert_eq!(gap.dues().collect::<Vec<_>>(), [1, 10, 100]);
        for book in [Book::Empty, Book::Fills(1), Book::Fills(4)] {
            for due in gap.dues() {
                let recording = gap.recording(due, book);
                let mut engine = recording.engine.clone();
                recording.commands.iter().for_each(|command| engine.apply(command, &mut engine::Discard));
                assert_eq!(engine.chain(), recording.chain);
                engine.check_sums().expect("SUM-1 to SUM-7 hold");
            }
        }
    }

    #[test]
    fn a_first_fall_makes_nobody_due() {
        let recording = Gap::first_fall(400, 1_000);
        assert_eq!(recording.commands.len() - recording.warm_up, 1, "looking at keys in vain costs no budget");
    }

    /// Law 4: a unit for finding each of 40, two for taking it over, one for its lot.
    #[test]
    fn a_tenth_that_is_due_is_found_from_the_budget() {
        let recording = Gap::tenth(400, 10);
        assert_eq!(recording.commands.len() - recording.warm_up, 40 * 4 / 10);
    }
}
