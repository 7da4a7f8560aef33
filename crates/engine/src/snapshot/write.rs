//! State to bytes: header, then each part in canonical order.

use contract::Side;

use super::bytes::Output;
use super::records::{AccountRecord, LotRecord, MarketRecord, OrderRecord, cancel_words, process_words, ranking_words};
use super::{HEADER_WORDS, MAGIC, Section, SnapshotSink};
use crate::engine::Engine;

const SECTIONS: usize = Section::ALL.len();
/// Words of a section beside its records: what it is, how many there are, the checksum.
const FRAME_WORDS: u64 = 3;

impl Engine {
    /// Writes the whole state, canonically: two engines with the same digest write the same bytes. O(state); to
    /// be called between two commands. The list of what is due is sorted in memory of its own.
    ///
    /// ```
    /// use centum_engine::{Discard, Engine};
    /// use contract::command::OpenAccount;
    /// use contract::{AccountId, Action, Capacity, Command, ContractSpec, Genesis};
    ///
    /// let mut engine = Engine::new(&Genesis { spec: ContractSpec::XBTUSD_2019, capacity: Capacity::default() })?;
    /// let open = Command::new(AccountId(4), Action::OpenAccount(OpenAccount { fee_class: 0 }));
    /// engine.apply(&open.stamped(1, 0), &mut Discard);
    ///
    /// let mut bytes = Vec::new();
    /// engine.write_snapshot(&mut bytes);
    /// let again = Engine::restore(&mut bytes.as_slice())?;
    /// assert_eq!((again.seq(), again.chain(), again.digest()), (1, engine.chain(), engine.digest()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_snapshot(&self, sink: &mut impl SnapshotSink) {
        let counts = self.counts();
        let bytes = bytes_of(&counts);
        sink.begin(bytes);
        let mut out = Output::new(sink);
        out.words(&[MAGIC, bytes, self.say.seq(), self.say.ts()]);
        out.words(&self.say.chain.words());
        out.words(&[self.digest()]);
        out.words(&self.genesis.to_words());
        out.words(&[0]);
        out.put_sum();
        for (section, count) in Section::ALL.into_iter().zip(counts) {
            out.words(&[section.head(), count]);
            self.write_section(section, &mut out);
            out.put_sum();
        }
        out.flush();
    }

    /// How many bytes [`Engine::write_snapshot`] writes now.
    #[must_use]
    pub fn snapshot_bytes(&self) -> u64 {
        bytes_of(&self.counts())
    }

    /// How many records each section has.
    fn counts(&self) -> [u64; SECTIONS] {
        Section::ALL.map(|section| self.count(section))
    }

    /// How many records a section has.
    fn count(&self, section: Section) -> u64 {
        let lots = || self.lots.iter().filter(|lot| lot.number != 0);
        let count = match section {
            Section::Market => 1,
            Section::Accounts => self.accounts.len(),
            Section::Lots => lots().count(),
            Section::Orders => {
                let traders: usize = self.accounts.iter().map(|account| account.open_orders as usize).sum();
                traders + lots().filter(|lot| lot.is_resting && lot.tick.0 != 0).count()
            }
            Section::Process => usize::from(self.agenda.process.is_some()),
            Section::Cancels => self.agenda.cancels.len(),
            Section::Due => self.count_due(),
            Section::Sessions => self.sessions.iter().filter(|request| **request != 0).count(),
            Section::Rankings => ranking_words(self).count(),
            Section::FreeSlots => self.book.slots_given_back().len(),
        };
        count as u64
    }

    fn write_section<S: SnapshotSink>(&self, section: Section, out: &mut Output<'_, S>) {
        match section {
            Section::Market => out.words(&MarketRecord::of(self).to_words()),
            Section::Accounts => {
                for (number, account) in (0..).zip(&self.accounts) {
                    out.words(&AccountRecord::of(account, self.is_due_found_or_not(number)).to_words());
                }
            }
            Section::Lots => self.write_lots(out),
            Section::Orders => {
                for side in [Side::Buy, Side::Sell] {
                    self.book.for_each(side, |order| {
                        out.words(&OrderRecord::of(&order, &self.book).to_words());
                    });
                }
            }
            Section::Process => self.agenda.process.iter().for_each(|process| out.words(&process_words(*process))),
            Section::Cancels => self.agenda.cancels.iter().for_each(|task| out.words(&cancel_words(task))),
            Section::Due => {
                self.all_due().into_iter().for_each(|(account, distance)| out.words(&[account.into(), distance]));
            }
            Section::Sessions => {
                let used = self.sessions.iter().enumerate().filter(|(_, request)| **request != 0);
                used.for_each(|(session, request)| out.words(&[session as u64, *request]));
            }
            Section::Rankings => ranking_words(self).for_each(|words| out.words(&words)),
            Section::FreeSlots => self.book.slots_given_back().iter().for_each(|slot| out.words(&[u64::from(*slot)])),
        }
    }

    /// By slot. A lot that was used up while it was listed is free, and so is not told.
    fn write_lots<S: SnapshotSink>(&self, out: &mut Output<'_, S>) {
        for (slot, lot) in (0..).zip(&self.lots).filter(|(_, lot)| lot.number != 0) {
            out.words(&LotRecord::of(slot, lot, self.is_lot_listed(slot)).to_words());
        }
    }
}

/// Bytes of a snapshot with so many records in its sections.
fn bytes_of(counts: &[u64; SECTIONS]) -> u64 {
    let words = |(section, count): (Section, &u64)| FRAME_WORDS + count * section.record_words() as u64;
    8 * (HEADER_WORDS as u64 + Section::ALL.into_iter().zip(counts).map(words).sum::<u64>())
}
