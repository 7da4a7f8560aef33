//! Snapshots: the whole state in canonical bytes, and back.
//!
//! In    an engine between two commands; or bytes from outside.
//! Out   the bytes; or the engine, or the place and reason why there is none.
//! Laws  1  the same state gives the same bytes, whatever its history; the restored engine says what the
//!          other would have said.
//!       2  what follows from other state (keys, queues, sums, names, margins) is not written but made again,
//!          checked against the laws, and the digest compared.
//!
//! Nothing is trusted that is read: counts are compared with the capacity before anything is made of them, every
//! number with what it may be. `docs/snapshot-format.md` has the bytes.

mod bytes;
mod rebuild;
mod records;
mod restore;
mod write;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use contract::Genesis;
use contract::spec::{GENESIS_WORDS, SpecError};

use crate::chain::Chain;
use bytes::Input;
pub(crate) use records::{index_words, ranking_words};

/// The first word: what it is, and the version of its format.
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"CENTUME1");
/// Words of the header: seven, the genesis, one kept free, the checksum.
pub(crate) const HEADER_WORDS: usize = 11 + GENESIS_WORDS + 2;

/// Takes a snapshot's bytes. It cannot refuse them: a sink that fails remembers it and says so afterwards.
pub trait SnapshotSink {
    /// How many bytes there will be, told before the first.
    fn begin(&mut self, bytes: u64) {
        let _ = bytes;
    }

    /// The next bytes.
    fn write(&mut self, bytes: &[u8]);
}

impl SnapshotSink for Vec<u8> {
    fn begin(&mut self, bytes: u64) {
        self.reserve_exact(usize::try_from(bytes).unwrap_or(0));
    }

    fn write(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Gives a snapshot's bytes. A source that fails ends there, and says why afterwards.
pub trait SnapshotSource {
    /// Fills as much of the buffer as there is, and says how much that was; less than all only at the end.
    fn read(&mut self, into: &mut [u8]) -> usize;
}

impl SnapshotSource for &[u8] {
    fn read(&mut self, into: &mut [u8]) -> usize {
        let n = into.len().min(self.len());
        let (now, later) = self.split_at(n);
        into[..n].copy_from_slice(now);
        *self = later;
        n
    }
}

/// The first bytes of a snapshot: of what, and from when.
///
/// ```
/// use centum_engine::{Engine, SnapshotHeader};
/// use contract::{Capacity, ContractSpec, Genesis};
///
/// let engine = Engine::new(&Genesis { spec: ContractSpec::XBTUSD_2019, capacity: Capacity::default() })?;
/// let mut bytes = Vec::new();
/// engine.write_snapshot(&mut bytes);
///
/// let mut source = bytes.as_slice();
/// let header = SnapshotHeader::read(&mut source)?;
/// // Now is the time to look at the genesis: the next line takes the memory that its capacity asks for.
/// assert_eq!((header.seq, header.bytes), (0, bytes.len() as u64));
/// let again = header.restore(&mut source)?;
/// assert_eq!(again.digest(), engine.digest());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SnapshotHeader {
    /// Bytes of the whole snapshot.
    pub bytes: u64,
    /// The last command before it.
    pub seq: u64,
    /// Its time, ns.
    pub ts: u64,
    /// The digest of the state.
    pub digest: u64,
    /// The contract and the limits.
    pub genesis: Genesis,
    chain: Chain,
    /// What the first section's checksum begins with.
    sum: u64,
}

impl SnapshotHeader {
    /// Reads the header. Nothing is made of it yet.
    ///
    /// # Errors
    /// Where the bytes are no header of this format.
    pub fn read(source: &mut impl SnapshotSource) -> Result<SnapshotHeader, RestoreError> {
        let mut input = Input::new(source);
        let [magic, bytes, seq, ts, a, b, c, d, e, f, digest] = input.words()?;
        if magic != MAGIC {
            return Err(input.error(RestoreFlaw::Format));
        }
        let genesis: [u64; GENESIS_WORDS] = input.words()?;
        let genesis = Genesis::from_words(&genesis).ok_or_else(|| input.error(RestoreFlaw::Genesis));
        let [reserved] = input.words()?;
        let is_reserved = input.must(reserved == 0, "reserved", reserved, "be 0");
        let sum = input.sum();
        input.end()?;
        is_reserved?;
        Ok(SnapshotHeader {
            bytes,
            seq,
            ts,
            digest,
            genesis: genesis?,
            chain: Chain::from_words([a, b, c, d, e, f]),
            sum,
        })
    }

    /// The chain after the last command.
    #[must_use]
    pub fn chain(&self) -> u64 {
        self.chain.value()
    }
}

/// RestoreFlaw no engine can be made of a snapshot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RestoreError {
    /// The part of the snapshot.
    pub section: &'static str,
    /// The byte where the record begins that is meant.
    pub at: u64,
    /// What is wrong there.
    pub flaw: RestoreFlaw,
}

/// What is wrong with a snapshot.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum RestoreFlaw {
    /// The bytes end too early.
    Ends,
    /// The bytes are no snapshot of this format.
    Format,
    /// The bytes are not those that were written.
    Checksum,
    /// The genesis cannot be read.
    Genesis,
    /// The genesis cannot be traded.
    Spec(SpecError),
    /// A number that cannot be.
    Number {
        /// Which.
        what: &'static str,
        /// It.
        found: u64,
        /// What it must be.
        must: &'static str,
    },
    /// A law that does not hold of the whole.
    Law(String),
    /// The restored state has another digest.
    Digest {
        /// The header's.
        recorded: u64,
        /// The restored one's.
        restored: u64,
    },
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}, {}: ", self.at, self.section)?;
        match &self.flaw {
            RestoreFlaw::Ends => f.write_str("the bytes end here"),
            RestoreFlaw::Format => f.write_str("no snapshot of the format that this build knows"),
            RestoreFlaw::Checksum => f.write_str("the bytes are not those that were written"),
            RestoreFlaw::Genesis => f.write_str("the genesis cannot be read"),
            RestoreFlaw::Spec(error) => write!(f, "{error}"),
            RestoreFlaw::Number { what, found, must } => write!(f, "{what} is {found}, it must {must}"),
            RestoreFlaw::Law(law) => write!(f, "a law does not hold: {law}"),
            RestoreFlaw::Digest { recorded, restored } => {
                write!(f, "the digest was {recorded:016x}, the restored state has {restored:016x}")
            }
        }
    }
}

impl core::error::Error for RestoreError {}

/// The parts of a snapshot, in their order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Section {
    Market = 1,
    Accounts = 2,
    Lots = 3,
    Orders = 4,
    Process = 5,
    Cancels = 6,
    Due = 7,
    Sessions = 8,
    Rankings = 9,
    FreeSlots = 10,
}

impl Section {
    pub(crate) const ALL: [Section; 10] = [
        Section::Market,
        Section::Accounts,
        Section::Lots,
        Section::Orders,
        Section::Process,
        Section::Cancels,
        Section::Due,
        Section::Sessions,
        Section::Rankings,
        Section::FreeSlots,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Section::Market => "market",
            Section::Accounts => "accounts",
            Section::Lots => "lots",
            Section::Orders => "orders",
            Section::Process => "process",
            Section::Cancels => "cancels",
            Section::Due => "due",
            Section::Sessions => "sessions",
            Section::Rankings => "rankings",
            Section::FreeSlots => "free slots",
        }
    }

    /// Words of one record.
    pub(crate) const fn record_words(self) -> usize {
        match self {
            Section::Market => records::MARKET_WORDS,
            Section::Accounts => records::ACCOUNT_WORDS,
            Section::Lots => records::LOT_WORDS,
            Section::Orders => records::ORDER_WORDS,
            Section::Rankings => records::RANKING_WORDS,
            Section::FreeSlots => 1,
            Section::Process | Section::Cancels | Section::Due | Section::Sessions => 2,
        }
    }

    /// The word it begins with.
    pub(crate) const fn head(self) -> u64 {
        self as u64 | (self.record_words() as u64) << 32
    }
}
