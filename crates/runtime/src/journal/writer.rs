//! Batches of commands, written at once and synced at once.
//!
//! In    commands in order; at the end of a batch the engine's chain.
//! Out   the batch's bytes, safe, and for whoever copies them.
//! Laws  A batch is written only when the one before it is safe, so a crash tears the last one at most.
//!       A write or sync that fails is never tried again: the journal takes nothing from then on.
//!       Space is taken ahead, so a full disk is found out before a command is accepted.

use contract::command::{FLAG_MORE, QUARANTINE_TEXT, Quarantine};
use contract::{AccountId, Action, Command, Genesis};

use super::error::Error;
use super::format::{
    BATCHES_MAX, Header, Mark, PAGE_BYTES, RECORD_FRAME_BYTES, SEGMENT_BYTES, TRAILER_FRAME_BYTES, Trailer,
    finish_batch, genesis_crc, push_record, segment_name,
};
use super::scan::Scan;
use super::segment::{self, Segment};
use super::{Batch, Journal};
use crate::disk::{Disk, DiskFile, read_full};

/// Bytes written at a time where old bytes are written again.
const REWRITE_BYTES: usize = 1 << 18;

/// How a journal is laid out. An old one may be opened with other options: they count for new segments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Size of a segment: a multiple of 4,096, two pages to 1 GiB.
    pub segment_bytes: u64,
    /// Commands in one batch, at most. A whole bulk must fit.
    pub batch_commands: usize,
    /// The journal's number; drawn where it is none. Two journals with the same one would take each other's
    /// segments for their own.
    pub journal: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Options { segment_bytes: 64 << 20, batch_commands: 4_096, journal: None }
    }
}

impl Options {
    fn check(&self) -> Result<(), Error> {
        if !SEGMENT_BYTES.contains(&self.segment_bytes) || !self.segment_bytes.is_multiple_of(PAGE_BYTES) {
            return Err(Error::Options("segment_bytes must be a multiple of 4096, from 8192 to 1 GiB"));
        }
        if self.batch_commands < contract::command::GENESIS_PARTS
            || batch_bytes(self.batch_commands) > self.segment_bytes - PAGE_BYTES
        {
            return Err(Error::Options("batch_commands must be 5 or more, and a batch must fit a segment"));
        }
        Ok(())
    }
}

/// Bytes of a batch of so many commands.
fn batch_bytes(commands: usize) -> u64 {
    (commands as u64).saturating_mul(RECORD_FRAME_BYTES as u64).saturating_add(TRAILER_FRAME_BYTES as u64)
}

/// Writes a journal in a directory.
#[derive(Debug)]
pub struct Writer<D: Disk> {
    disk: D,
    options: Options,
    current: Segment<D::File>,
    /// Made ahead, so that there is always somewhere to go on.
    next: Option<Segment<D::File>>,
    /// Behind which byte of the current segment the next one is made, or tried again.
    make_next_at: u64,
    /// The same for moments when nothing else is to be done.
    prepare_at: u64,
    /// Where the next batch goes, and which number it has.
    offset: u64,
    batch: u32,
    link: u32,
    /// The records of the batch, in frames whose headers are still empty.
    pending: Vec<u8>,
    /// The batch before, as it was written.
    written: Vec<u8>,
    is_quarantine: bool,
    is_in_bulk: bool,
    appended: u64,
    appended_ts: u64,
    durable: u64,
    /// What failed; nothing is written from then on.
    failed: Option<String>,
}

impl<D: Disk> Writer<D> {
    /// A new journal. When this returns, its genesis is safe.
    ///
    /// # Errors
    /// [`Error::Present`] where there is a journal already; [`Error::Full`]; what the disk says.
    pub fn create(disk: D, options: Options, genesis: &Genesis) -> Result<Writer<D>, Error> {
        options.check()?;
        if genesis.spec.bulk_max > options.batch_commands as u64 {
            return Err(Error::BULK_FITS_NO_BATCH);
        }
        segment::remove_unfinished(&disk)?;
        match Scan::of(&disk) {
            Err(Error::Absent) => {}
            Ok(_) | Err(Error::Corrupt { .. }) => return Err(Error::Present),
            Err(error) => return Err(error),
        }
        // What a crash left of a journal whose genesis never became safe; the last segment goes first.
        for number in segment::list(&disk)?.into_iter().rev() {
            let name = segment_name(number);
            disk.remove(&name).map_err(Error::io("removing a segment that was never begun", name))?;
        }
        let header = Header {
            journal: options.journal.unwrap_or_else(draw),
            segment: 1,
            genesis: genesis_crc(genesis),
            bytes: options.segment_bytes,
        };
        let current = segment::make(&disk, header)?;
        let mut writer = Writer::new(disk, options, current);
        for part in Command::genesis(genesis) {
            push_record(&mut writer.pending, part.words());
        }
        writer.commit(None)?;
        Ok(writer)
    }

    /// Goes on with a journal that was scanned, and mends what a crash left. When this returns, everything that
    /// the scan found is safe.
    ///
    /// # Errors
    /// What the disk says.
    ///
    /// # Panics
    /// On a scan that ends at damage: what is behind it was answered, and is not written over.
    pub fn open(disk: D, options: Options, scan: &Scan) -> Result<Writer<D>, Error> {
        assert!(!scan.is_damaged, "nobody writes on behind damage");
        options.check()?;
        segment::remove_unfinished(&disk)?;
        let number = scan.segments[scan.segments.len() - 1];
        let mut current = segment::open(&disk, number, Some(&scan.header))?;
        let io = |doing| Error::io(doing, segment_name(number));
        // The process before us may have died with bytes that only the system's memory has; a sync that failed may
        // even have taken them for written. What no mark vouches for is written again, zeros over what is torn.
        let safe_end = current.mark.map_or(PAGE_BYTES, |mark| mark.end);
        rewrite(&mut current.file, safe_end, scan.end.offset).map_err(io("writing the last batches again"))?;
        for torn in scan.torn().iter().filter(|torn| !torn.is_mark) {
            let zeros = vec![0; torn.bytes as usize];
            current.file.write_at(torn.place.offset, &zeros).map_err(io("removing a torn tail"))?;
        }
        current.file.sync_data().map_err(io("syncing a segment"))?;
        disk.sync_dir().map_err(Error::io("syncing the directory", "."))?;
        let has_next = segment::list(&disk)?.contains(&(number + 1));
        let next = has_next.then(|| segment::open(&disk, number + 1, Some(&scan.header))).transpose()?;
        let mut writer = Writer {
            next,
            offset: scan.end.offset,
            batch: scan.end.batch,
            link: scan.end.link.unwrap_or(0),
            appended: scan.end.last_seq,
            appended_ts: scan.end.last_ts,
            durable: scan.end.last_seq,
            ..Writer::new(disk, options, current)
        };
        writer.put_mark(false, false).map_err(Error::io("marking a segment", segment_name(number)))?;
        Ok(writer)
    }

    fn new(disk: D, options: Options, current: Segment<D::File>) -> Writer<D> {
        Writer {
            disk,
            options,
            make_next_at: current.header.bytes / 2,
            prepare_at: current.header.bytes / 4,
            current,
            next: None,
            offset: PAGE_BYTES,
            batch: 0,
            link: 0,
            pending: Vec::with_capacity(batch_bytes(options.batch_commands) as usize),
            written: Vec::with_capacity(batch_bytes(options.batch_commands) as usize),
            is_quarantine: false,
            is_in_bulk: false,
            appended: 0,
            appended_ts: 0,
            durable: 0,
            failed: None,
        }
    }

    /// Appends and makes safe an operator's word that every replay refuses command `seq`. (Law 6)
    ///
    /// # Errors
    /// [`Error::Quarantine`] where that means nothing; else as [`Journal::commit`].
    pub fn quarantine(&mut self, scan: &Scan, seq: u64, text: &str) -> Result<(), Error> {
        let refuse = |why| Err(Error::Quarantine { seq, why });
        if self.appended != self.durable {
            return refuse("a batch is open; commit it first");
        }
        if seq == 0 || seq > self.durable {
            return refuse("the journal has no such command; `centum journal show DIR` lists them");
        }
        if scan.quarantined().iter().any(|one| one.seq == seq) {
            return refuse("it is quarantined already");
        }
        if text.len() > QUARANTINE_TEXT || text.is_empty() || !text.is_ascii() || text.contains(char::is_control) {
            return refuse("the reason must be 1 to 80 characters of printable ASCII");
        }
        self.make_room(1)?;
        let mut why = Quarantine { seq, text: [0; QUARANTINE_TEXT] };
        why.text[..text.len()].copy_from_slice(text.as_bytes());
        let record = Command::new(AccountId::NONE, Action::Quarantine(why)).stamped(self.appended, self.appended_ts);
        push_record(&mut self.pending, record.words());
        self.is_quarantine = true;
        // Nobody knows the chain of a run that refuses the command before somebody has replayed it.
        self.commit(None).map(|_| ())
    }

    /// Ends the journal in order: from now on nothing of it can be taken for torn.
    ///
    /// # Errors
    /// As [`Journal::commit`]; a batch that is open is not written.
    pub fn close(mut self) -> Result<D, Error> {
        self.must_not_have_failed()?;
        let name = segment_name(self.current.header.segment);
        self.put_safe_mark(true, false).map_err(Error::io("marking a segment", name))?;
        Ok(self.disk)
    }

    /// The number drawn when the journal was made.
    #[must_use]
    pub fn journal(&self) -> u64 {
        self.current.header.journal
    }

    /// The disk it writes on.
    #[must_use]
    pub fn disk(&self) -> &D {
        &self.disk
    }

    /// Makes the next segment now, where it is not there yet, which takes as long as a few batches. Else it is made
    /// once half of the current one is used, or a quarter, where [`Journal::prepare`] is called when nothing else is
    /// to be done.
    ///
    /// # Errors
    /// [`Error::Full`]: commands are still taken while the current segment has room. Else what the disk says, and
    /// the journal has failed.
    pub fn make_next(&mut self) -> Result<(), Error> {
        self.must_not_have_failed()?;
        if self.next.is_some() {
            return Ok(());
        }
        let ours = self.current.header;
        let header = Header { segment: ours.segment + 1, bytes: self.options.segment_bytes, ..ours };
        match segment::make(&self.disk, header) {
            Ok(segment) => {
                self.next = Some(segment);
                Ok(())
            }
            Err(error @ Error::Full { .. }) => {
                self.make_next_at = self.offset + ours.bytes / 16;
                Err(error)
            }
            Err(error) => {
                self.failed = Some(error.to_string());
                Err(error)
            }
        }
    }

    fn pending_commands(&self) -> usize {
        self.pending.len() / RECORD_FRAME_BYTES
    }

    fn must_not_have_failed(&self) -> Result<(), Error> {
        match &self.failed {
            Some(cause) => Err(Error::Failed { cause: cause.clone() }),
            None => Ok(()),
        }
    }

    /// Room for so many more commands in this batch, and for the batch in a segment.
    #[inline]
    fn make_room(&mut self, commands: usize) -> Result<(), Error> {
        self.must_not_have_failed()?;
        let all = self.pending_commands() + commands;
        if all > self.options.batch_commands {
            return Err(Error::BatchFull { commands: self.pending_commands() });
        }
        let fits = self.fits(all);
        if self.next.is_none() && (!fits || self.offset + batch_bytes(all) > self.make_next_at) {
            match self.make_next() {
                Err(Error::Full { .. }) if fits => {}
                made => made?,
            }
        }
        // A segment made under other options may be smaller than a batch under these.
        let fits_next = |next: &Segment<D::File>| batch_bytes(all) <= next.header.bytes - PAGE_BYTES;
        if fits || self.next.as_ref().is_some_and(fits_next) {
            return Ok(());
        }
        Err(Error::BatchFull { commands: self.pending_commands() })
    }

    fn fits(&self, commands: usize) -> bool {
        self.offset + batch_bytes(commands) <= self.current.header.bytes && self.batch < BATCHES_MAX - 1
    }

    /// Goes over to the next segment. The mark that seals the old one is made safe first.
    fn roll(&mut self) -> std::io::Result<()> {
        self.put_safe_mark(false, true)?;
        self.current = self.next.take().expect("room was made before the command was taken");
        (self.offset, self.batch) = (PAGE_BYTES, 0);
        (self.make_next_at, self.prepare_at) = (self.current.header.bytes / 2, self.current.header.bytes / 4);
        Ok(())
    }

    /// A mark that is safe before anything else is done.
    fn put_safe_mark(&mut self, is_closed: bool, is_sealed: bool) -> std::io::Result<()> {
        // The mark before it must be safe first, or a crash could tear both.
        self.current.file.sync_data()?;
        self.put_mark(is_closed, is_sealed)?;
        self.current.file.sync_data()
    }

    fn put_mark(&mut self, is_closed: bool, is_sealed: bool) -> std::io::Result<()> {
        let mark = Mark {
            number: self.current.mark.map_or(0, |mark| mark.number) + 1,
            is_closed,
            is_sealed,
            end: self.offset,
            last_seq: self.durable,
            batches: self.batch,
            link: self.link,
        };
        self.current.file.write_at(mark.place(), &mark.encode(self.current.seed))?;
        self.current.mark = Some(mark);
        Ok(())
    }

    /// Nothing is written any more: nobody knows what is safe.
    fn fail(&mut self, doing: &str, error: &std::io::Error) -> Error {
        let cause = format!("{doing} {} failed: {error}", segment_name(self.current.header.segment));
        self.failed = Some(cause.clone());
        Error::Failed { cause }
    }
}

impl<D: Disk> Journal for Writer<D> {
    fn reserve(&mut self, commands: usize) -> Result<(), Error> {
        self.make_room(commands)
    }

    #[inline]
    fn append(&mut self, command: &Command) -> Result<(), Error> {
        let (seq, ts) = (command.seq(), command.ts());
        if seq != self.appended + 1 || ts < self.appended_ts {
            return Err(Error::Order { seq, ts, last_seq: self.appended, last_ts: self.appended_ts });
        }
        self.make_room(1)?;
        push_record(&mut self.pending, command.words());
        (self.appended, self.appended_ts) = (seq, ts);
        self.is_in_bulk = command.flags() & FLAG_MORE != 0;
        Ok(())
    }

    fn commit(&mut self, chain: Option<u64>) -> Result<Batch<'_>, Error> {
        self.must_not_have_failed()?;
        if self.is_in_bulk {
            return Err(Error::OpenBulk { seq: self.appended });
        }
        let frames = self.pending_commands();
        if frames != 0 {
            if !self.fits(frames)
                && let Err(error) = self.roll()
            {
                return Err(self.fail("sealing", &error));
            }
            let trailer = Trailer { frames: frames as u32, link: self.link, last_seq: self.appended, chain };
            let is_quarantine = std::mem::take(&mut self.is_quarantine);
            let link = finish_batch(&mut self.pending, self.current.seed, self.batch, &trailer, |_| is_quarantine);
            if let Err(error) = self.current.file.write_at(self.offset, &self.pending) {
                return Err(self.fail("writing", &error));
            }
            if let Err(error) = self.current.file.sync_data() {
                return Err(self.fail("syncing", &error));
            }
            self.link = link;
            self.offset += self.pending.len() as u64;
            self.batch += 1;
            self.durable = self.appended;
            // The batch is safe, whatever becomes of its mark.
            if let Err(error) = self.put_mark(false, false) {
                self.fail("marking", &error);
            }
        }
        std::mem::swap(&mut self.pending, &mut self.written);
        self.pending.clear();
        let offset = self.offset - self.written.len() as u64;
        let segment = self.current.header.segment;
        Ok(Batch { segment, offset, bytes: &self.written, last_seq: self.durable })
    }

    /// Makes the next segment once a quarter of the current one is used. Under load it is made at half.
    fn prepare(&mut self) -> Result<(), Error> {
        if self.next.is_some() || self.failed.is_some() || self.offset < self.prepare_at {
            return Ok(());
        }
        self.prepare_at = self.offset + self.current.header.bytes / 16;
        self.make_next()
    }

    fn appended_seq(&self) -> u64 {
        self.appended
    }

    fn durable_seq(&self) -> u64 {
        self.durable
    }
}

/// Writes bytes again as they are.
fn rewrite(file: &mut impl DiskFile, from: u64, to: u64) -> std::io::Result<()> {
    let (mut at, mut buffer) = (from, vec![0; REWRITE_BYTES.min(to.saturating_sub(from) as usize)]);
    while at < to {
        let wanted = buffer.len().min((to - at) as usize);
        let read = read_full(file, at, &mut buffer[..wanted])?;
        if read != wanted {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        file.write_at(at, &buffer[..wanted])?;
        at += wanted as u64;
    }
    Ok(())
}

/// A number for a new journal. Chance is all it needs: it keeps journals apart, it decides nothing.
fn draw() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::time::SystemTime::now())
}
