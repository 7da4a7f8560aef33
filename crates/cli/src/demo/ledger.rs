//! Every satoshi from one book to another, and why.
//!
//! In    the events of each command, as `contract::project` turns them into entries.
//! Out   what moved between which books for which reason; what every book holds.
//! Laws  SUM-5  all books and the outside together are zero.
//!       Law 8  every book is what the engine says of the account.
//!
//! The contract's ledger takes fees out of a position, and then settles the position into the wallet. For a
//! reader the two are told apart: fees leave the wallet, and profit or loss comes in without them.

use std::collections::BTreeMap;

use contract::project::{Book, Reason, project};
use contract::{AccountId, Event, Fact, FillCause, InsuranceCause, Xbt};
use engine::Engine;
use serde::Serialize;

/// Books of one kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Place {
    Outside,
    Wallets,
    Positions,
    Lots,
    Fund,
    Fees,
    Residue,
}

impl Place {
    /// All of them, in the order of a balance sheet.
    pub const ALL: [Place; 7] =
        [Place::Outside, Place::Wallets, Place::Positions, Place::Lots, Place::Fund, Place::Fees, Place::Residue];

    /// As printed.
    pub fn name(self) -> &'static str {
        match self {
            Place::Outside => "outside",
            Place::Wallets => "wallets",
            Place::Positions => "positions",
            Place::Lots => "liquidation account",
            Place::Fund => "insurance fund",
            Place::Fees => "fees",
            Place::Residue => "residue",
        }
    }

    fn of(book: Book) -> Place {
        match book {
            Book::Outside => Place::Outside,
            Book::Wallet(AccountId::FEES) => Place::Fees,
            Book::Wallet(AccountId::INSURANCE) => Place::Fund,
            Book::Wallet(AccountId::RESIDUE) => Place::Residue,
            Book::Wallet(_) => Place::Wallets,
            Book::Position(AccountId::LIQUIDATION) => Place::Lots,
            Book::Position(_) => Place::Positions,
        }
    }
}

/// Why something moved, in the order in which it is printed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Why {
    Deposit,
    Withdrawal,
    Funded,
    Trade,
    Takeover,
    CloseOut,
    Deleverage,
    ProfitOfLongs,
    LossOfLongs,
    ProfitOfShorts,
    LossOfShorts,
    Fee,
    LiquidationFee,
    Rebate,
    FundGains,
    FundPays,
    Shortfall,
    Funding,
}

impl Why {
    /// As printed.
    pub fn name(self) -> &'static str {
        match self {
            Why::Deposit => "deposits",
            Why::Withdrawal => "withdrawals",
            Why::Funded => "insurance funded",
            Why::Trade => "trades, at their value",
            Why::Takeover => "takeovers, at bankruptcy",
            Why::CloseOut => "close-outs and sweeps",
            Why::Deleverage => "deleveragings, at bankruptcy",
            Why::ProfitOfLongs => "realised profit of longs",
            Why::LossOfLongs => "realised loss of longs",
            Why::ProfitOfShorts => "realised profit of shorts",
            Why::LossOfShorts => "realised loss of shorts",
            Why::Fee => "taker fees",
            Why::LiquidationFee => "fees of the liquidated",
            Why::Rebate => "maker rebates",
            Why::FundGains => "close-outs above bankruptcy",
            Why::FundPays => "sweeps below bankruptcy",
            Why::Shortfall => "negative wallets made good",
            Why::Funding => "funding",
        }
    }
}

/// What moved between two kinds of books for one reason.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Why.
    pub reason: &'static str,
    /// Falls.
    pub from: &'static str,
    /// Rises.
    pub to: &'static str,
    /// How often.
    pub entries: u64,
    /// How much, XBt.
    pub xbt: i128,
}

/// What one kind of books holds.
#[derive(Clone, Debug, Serialize)]
pub struct Balance {
    /// Which.
    pub book: &'static str,
    /// By the ledger, XBt.
    pub ledger: i128,
    /// By the engine, XBt.
    pub engine: i128,
}

/// All entries so far.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    rows: BTreeMap<(Why, Place, Place), (u64, i128)>,
    books: BTreeMap<Book, i128>,
    /// Contracts each account held after the last command that touched its position.
    held: BTreeMap<u32, i64>,
    /// What each account deposited, less what it withdrew.
    deposits: BTreeMap<AccountId, i64>,
}

impl Ledger {
    /// Takes the events of one command.
    pub fn read(&mut self, events: &[Event]) {
        // What a position has settled into its wallet in this command, fees taken off, and the fees.
        let mut settled: BTreeMap<u32, (i64, i64)> = BTreeMap::new();
        for event in events {
            let Some(fact) = event.fact() else { continue };
            for entry in project(event, AccountId::NONE).ledger.iter() {
                let (from, to) = (entry.from, entry.to);
                match (entry.reason, from, to) {
                    (Reason::Fee, Book::Position(payer), _) => {
                        settled.entry(payer.0).or_default().1 += entry.xbt.0;
                        let is_takeover = cause_of(&fact) == Some(FillCause::Takeover);
                        let why = if is_takeover { Why::LiquidationFee } else { Why::Fee };
                        self.note(why, Book::Wallet(payer), to, entry.xbt);
                    }
                    (Reason::Fee, _, Book::Position(payee)) => {
                        settled.entry(payee.0).or_default().1 -= entry.xbt.0;
                        self.note(Why::Rebate, from, Book::Wallet(payee), entry.xbt);
                    }
                    (Reason::Realised, Book::Position(winner), _) => {
                        settled.entry(winner.0).or_default().0 += entry.xbt.0;
                    }
                    (Reason::Realised, _, Book::Position(loser)) => {
                        settled.entry(loser.0).or_default().0 -= entry.xbt.0;
                    }
                    _ => self.note(why(entry.reason, &fact, from), from, to, entry.xbt),
                }
            }
        }
        for (account, (net, fees)) in settled {
            self.settle(account, Xbt(net + fees), events);
        }
        for event in events {
            if let Some(Fact::Position(position)) = event.fact() {
                self.held.insert(event.account().0, position.qty);
            }
        }
    }

    /// Profit or loss without fees, of the long or the short that was held before the command; of what was opened
    /// in it where nothing was.
    fn settle(&mut self, account: u32, profit: Xbt, events: &[Event]) {
        let before = self.held.get(&account).copied().filter(|&qty| qty != 0);
        let after = || {
            events.iter().find_map(|event| match event.fact() {
                Some(Fact::Position(position)) if event.account().0 == account => Some(position.qty),
                _ => None,
            })
        };
        let is_long = before.or_else(after).unwrap_or(0) > 0;
        let (wallet, position) = (Book::Wallet(AccountId(account)), Book::Position(AccountId(account)));
        match (profit >= Xbt::ZERO, is_long) {
            (true, true) => self.note(Why::ProfitOfLongs, position, wallet, profit),
            (true, false) => self.note(Why::ProfitOfShorts, position, wallet, profit),
            (false, true) => self.note(Why::LossOfLongs, wallet, position, -profit),
            (false, false) => self.note(Why::LossOfShorts, wallet, position, -profit),
        }
    }

    fn note(&mut self, why: Why, from: Book, to: Book, amount: Xbt) {
        if amount == Xbt::ZERO {
            return;
        }
        match (why, from, to) {
            (Why::Deposit, _, Book::Wallet(account)) => *self.deposits.entry(account).or_default() += amount.0,
            (Why::Withdrawal, Book::Wallet(account), _) => *self.deposits.entry(account).or_default() -= amount.0,
            _ => {}
        }
        let row = self.rows.entry((why, Place::of(from), Place::of(to))).or_default();
        row.0 += 1;
        row.1 += i128::from(amount.0);
        *self.books.entry(from).or_default() -= i128::from(amount.0);
        *self.books.entry(to).or_default() += i128::from(amount.0);
    }

    /// What moved, reason by reason.
    pub fn rows(&self) -> Vec<Row> {
        self.rows
            .iter()
            .map(|(&(why, from, to), &(entries, xbt))| Row {
                reason: why.name(),
                from: from.name(),
                to: to.name(),
                entries,
                xbt,
            })
            .collect()
    }

    /// What moved for one reason, XBt.
    pub fn moved(&self, why: Why) -> i128 {
        self.rows.iter().filter(|((reason, ..), _)| *reason == why).map(|(_, (_, xbt))| xbt).sum()
    }

    /// What an account deposited, less what it withdrew.
    pub fn deposited_by(&self, account: AccountId) -> Xbt {
        Xbt(self.deposits.get(&account).copied().unwrap_or(0))
    }

    /// What came in from outside less what left, XBt.
    pub fn deposited(&self) -> i128 {
        self.moved(Why::Deposit) + self.moved(Why::Funded) - self.moved(Why::Withdrawal)
    }

    /// What every kind of books holds, by the ledger and by the engine.
    pub fn balances(&self, engine: &Engine) -> Vec<Balance> {
        let mut sheet: BTreeMap<Place, (i128, i128)> = BTreeMap::new();
        for (&book, &xbt) in &self.books {
            sheet.entry(Place::of(book)).or_default().0 += xbt;
        }
        sheet.entry(Place::Outside).or_default().1 = -self.deposited();
        for number in 0..engine.accounts() {
            for book in [Book::Wallet(AccountId(number)), Book::Position(AccountId(number))] {
                sheet.entry(Place::of(book)).or_default().1 += held_by(engine, book);
            }
        }
        Place::ALL
            .into_iter()
            .filter_map(|place| {
                sheet.get(&place).map(|&(ledger, engine)| Balance { book: place.name(), ledger, engine })
            })
            .collect()
    }

    /// Every single book against the engine.
    ///
    /// # Errors
    /// The first book that is not what the engine says.
    pub fn check(&self, engine: &Engine) -> Result<(), String> {
        for number in 0..engine.accounts() {
            for book in [Book::Wallet(AccountId(number)), Book::Position(AccountId(number))] {
                let (ledger, engine) = (self.books.get(&book).copied().unwrap_or(0), held_by(engine, book));
                if ledger != engine {
                    return Err(format!("law 8: the ledger has {ledger} XBt in {book}, the engine {engine}"));
                }
            }
        }
        let all: i128 = self.books.values().sum();
        if all == 0 { Ok(()) } else { Err(format!("SUM-5: all books together hold {all} XBt")) }
    }
}

/// What a book holds by the engine: a balance, or −unrealised cost.
fn held_by(engine: &Engine, book: Book) -> i128 {
    let xbt = match book {
        Book::Outside => None,
        Book::Wallet(account) => engine.wallet(account).map(|wallet| wallet.balance),
        Book::Position(account) => engine.position(account).map(|position| -position.cost),
    };
    xbt.map_or(0, |xbt| i128::from(xbt.0))
}

fn cause_of(fact: &Fact) -> Option<FillCause> {
    match fact {
        Fact::Fill(fill) => fill.cause.get(),
        _ => None,
    }
}

/// The printed reason of an entry that is neither fee nor realised.
fn why(reason: Reason, fact: &Fact, from: Book) -> Why {
    match (reason, fact) {
        (Reason::Deposit, _) => Why::Deposit,
        (Reason::Withdraw, _) => Why::Withdrawal,
        (Reason::Trade, _) => match cause_of(fact) {
            Some(FillCause::Takeover) => Why::Takeover,
            Some(FillCause::CloseOut) => Why::CloseOut,
            Some(FillCause::Deleverage) => Why::Deleverage,
            _ => Why::Trade,
        },
        (Reason::Insurance, Fact::Insurance(change)) => match change.cause.get() {
            Some(InsuranceCause::Funded) => Why::Funded,
            Some(InsuranceCause::Shortfall) => Why::Shortfall,
            _ if from == Book::Wallet(AccountId::INSURANCE) => Why::FundPays,
            _ => Why::FundGains,
        },
        _ => Why::Funding,
    }
}
