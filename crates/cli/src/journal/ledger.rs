//! The ledger of a replay: every satoshi's movement, a row each, summed and compared with the engine.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use contract::project::{Book, project};
use contract::{AccountId, Event};
use engine::{Engine, Outbox};

use crate::error::{Error, Result};

/// The columns. (`docs/formats.md`)
const COLUMNS: &str = "seq,n,ts_ns,from,to,xbt,reason";

/// Writes the rows and adds them up.
pub struct Ledger {
    path: PathBuf,
    out: BufWriter<File>,
    /// The first error; told at the end, since an engine's facts cannot be refused.
    failed: Option<std::io::Error>,
    entries: u64,
    books: BTreeMap<Book, i128>,
}

impl Ledger {
    /// A new file.
    pub fn create(path: &Path) -> Result<Ledger> {
        let file = File::create(path).map_err(|error| Error::io(path, error))?;
        let mut out = BufWriter::new(file);
        writeln!(out, "{COLUMNS}").map_err(|error| Error::io(path, error))?;
        Ok(Ledger { path: path.to_owned(), out, failed: None, entries: 0, books: BTreeMap::new() })
    }

    fn take(&mut self, event: &Event) {
        for entry in project(event, AccountId::NONE).ledger.iter() {
            let (seq, n, ts) = (event.seq(), event.n(), event.ts());
            let written = writeln!(
                self.out,
                "{seq},{n},{ts},{},{},{},{}",
                entry.from,
                entry.to,
                entry.xbt.0,
                entry.reason.name()
            );
            if let Err(error) = written {
                self.failed.get_or_insert(error);
            }
            self.entries += 1;
            *self.books.entry(entry.from).or_default() -= i128::from(entry.xbt.0);
            *self.books.entry(entry.to).or_default() += i128::from(entry.xbt.0);
        }
    }

    /// Ends the file; how many rows it has. Every book must be what the engine says of it. (Rule SUM-5)
    pub fn finish(mut self, engine: &Engine) -> Result<u64> {
        if let Some(error) = self.failed.take().or_else(|| self.out.flush().err()) {
            return Err(Error::io(self.path, error));
        }
        for account in (0..engine.accounts()).map(AccountId) {
            let wallet = engine.wallet(account).map_or(0, |wallet| wallet.balance.0);
            let cost = engine.position(account).map_or(0, |position| position.cost.0);
            for (book, held) in
                [(Book::Wallet(account), i128::from(wallet)), (Book::Position(account), -i128::from(cost))]
            {
                let summed = self.books.get(&book).copied().unwrap_or(0);
                if summed != held {
                    let text = format!("SUM-5: the ledger adds up to {summed} XBt in {book}, the engine has {held}");
                    return Err(Error::Law(text));
                }
            }
        }
        let all: i128 = self.books.values().sum();
        if all == 0 { Ok(self.entries) } else { Err(Error::Law(format!("SUM-5: all books together hold {all} XBt"))) }
    }
}

/// Where a replay's facts go: into a ledger where one is asked for.
pub struct Sink(pub Option<Ledger>);

impl Outbox for Sink {
    #[inline]
    fn push(&mut self, event: &Event) {
        if let Some(ledger) = &mut self.0 {
            ledger.take(event);
        }
    }

    fn end(&mut self) {}
}
