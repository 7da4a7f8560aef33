//! Recovery: the newest good snapshot, and the journal behind it.
//!
//! In    a directory with a journal, and snapshots or none.
//! Out   the engine as it was after the last safe command; what it took, and which snapshots were passed over.
//! Laws  1  the engine is the one that a replay from the first command gives: the chain goes on from the
//!          snapshot's, and is compared at every trailer, the snapshot's own among them.
//!       7  a snapshot behind the journal's end proves that commands which were safe are gone: that is damage.

use engine::{Engine, Outbox};

use super::error::{Error, Flaw, Skipped};
use super::store::{Stored, list};
use crate::disk::Disk;
use crate::journal::{self, Outline, REPLAY_NS_PER_COMMAND, Replayed, Scan, replay_to};

/// How long a byte of a snapshot takes to restore on the machine of `docs/performance.md`, ns.
pub const RESTORE_NS_PER_BYTE: u64 = 15;

/// A recovery, planned: what it will read, and about how long that takes.
///
/// ```
/// use centum_runtime::disk::FileDisk;
/// use centum_runtime::journal::{Journal, Options, Writer};
/// use centum_runtime::snapshot::{Origin, Recovery, Snapshot};
/// use contract::{AccountId, Action, Capacity, Command, ContractSpec, Genesis};
/// use engine::{Discard, Engine};
///
/// let directory = std::env::temp_dir().join(format!("centum-doc-recovery-{}", std::process::id()));
/// let genesis = Genesis { spec: ContractSpec::XBTUSD_2019, capacity: Capacity::default() };
/// let mut journal = Writer::create(FileDisk::create(&directory)?, Options::default(), &genesis)?;
/// let mut engine = Engine::new(&genesis)?;
/// for seq in 1..=100 {
///     let command = Command::new(AccountId(4), Action::Clock).stamped(seq, 0);
///     journal.append(&command)?;
///     engine.apply(&command, &mut Discard);
///     journal.commit(Some(engine.chain()))?;
///     if seq == 90 {
///         // Between two batches: the copy is the pause, the rest can be another thread's work.
///         let snapshot = Snapshot::take(&engine, Origin { journal: journal.journal(), quarantines: 0 });
///         snapshot.save(&FileDisk::for_snapshots(&directory)?, journal.durable_seq())?;
///     }
/// }
/// drop(journal); // as a crash would
///
/// let disk = FileDisk::open(&directory)?;
/// let plan = Recovery::plan(&disk)?;
/// assert_eq!((plan.snapshot(), plan.commands()), (Some(90), 10));
/// println!("about {} ms", plan.estimate_ns() / 1_000_000);
/// let recovered = plan.run(&disk, &mut Discard, |_| {})?;
/// assert_eq!((recovered.engine.digest(), recovered.replayed.commands), (engine.digest(), 10));
/// let journal = Writer::open(disk, Options::default(), &recovered.scan)?; // and goes on
/// # assert_eq!(journal.durable_seq(), 100);
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Recovery {
    outline: Outline,
    /// Where snapshots are, the newest first.
    candidates: Vec<u64>,
    /// The one that will be used unless it is damaged behind its header, and its bytes.
    first: Option<(u64, u64)>,
    to: u64,
    hash_seed: Option<u64>,
}

/// What a recovery came to.
#[derive(Debug)]
pub struct Recovered {
    /// The engine after the last safe command.
    pub engine: Engine,
    /// What the journal holds, from the snapshot on; a writer opens on it.
    pub scan: Scan,
    /// The snapshot it began with; none where it began with the genesis.
    pub snapshot: Option<u64>,
    /// Snapshots that were passed over. The operator should know.
    pub skipped: Vec<Skipped>,
    /// What the replay came to.
    pub replayed: Replayed,
}

impl Recovery {
    /// Looks at names and headers.
    ///
    /// # Errors
    /// What the disk says; a journal that is not there, or whose first pages are damaged.
    pub fn plan(disk: &impl Disk) -> Result<Recovery, Error> {
        let plan = Recovery {
            outline: Outline::of(disk)?,
            candidates: list(disk)?,
            first: None,
            to: u64::MAX,
            hash_seed: None,
        };
        Ok(plan.with_first(disk))
    }

    /// The same up to the last command that is certainly safe, whoever is writing: what a follower may put into a
    /// snapshot.
    ///
    /// # Errors
    /// As [`Recovery::plan`].
    pub fn plan_durable(disk: &impl Disk) -> Result<Recovery, Error> {
        let outline = Outline::of(disk)?;
        let mut candidates = list(disk)?;
        candidates.retain(|seq| *seq <= outline.last_seq);
        let plan = Recovery { outline, candidates, first: None, to: outline.last_seq, hash_seed: None };
        Ok(plan.with_first(disk))
    }

    /// With a secret seed for the table of client order ids, as [`Engine::with_hash_seed`] has it.
    #[must_use]
    pub fn with_hash_seed(self, seed: u64) -> Recovery {
        Recovery { hash_seed: Some(seed), ..self }
    }

    /// From the first command, whatever snapshots there are.
    #[must_use]
    pub fn without_snapshots(self) -> Recovery {
        Recovery { candidates: Vec::new(), first: None, ..self }
    }

    fn with_first(self, disk: &impl Disk) -> Recovery {
        let found = self.candidates.iter().find_map(|seq| Some((*seq, self.open(disk, *seq).ok()?.header.bytes)));
        Recovery { first: found, ..self }
    }

    /// The snapshot it will begin with, unless that is damaged.
    #[must_use]
    pub fn snapshot(&self) -> Option<u64> {
        self.first.map(|(seq, _)| seq)
    }

    /// The last command as far as first pages tell; a few more may follow.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.outline.last_seq
    }

    /// Commands that it will replay, about.
    #[must_use]
    pub fn commands(&self) -> u64 {
        self.outline.last_seq.saturating_sub(self.snapshot().unwrap_or(0))
    }

    /// How long it will take, about, ns.
    #[must_use]
    pub fn estimate_ns(&self) -> u64 {
        let bytes = self.first.map_or(0, |(_, bytes)| bytes);
        let replay = self.commands().saturating_mul(REPLAY_NS_PER_COMMAND);
        bytes.saturating_mul(RESTORE_NS_PER_BYTE).saturating_add(replay)
    }

    /// Recovers. `between` is called with the engine once it is restored and after each command; the events of
    /// what is replayed go to `out`.
    ///
    /// # Errors
    /// Damage of the journal, [`Error::Ahead`], [`Error::NoWayIn`]; a replay that differs. A snapshot that cannot
    /// be used is no error: see [`Recovered::skipped`].
    pub fn run(
        &self,
        disk: &impl Disk,
        out: &mut impl Outbox,
        mut between: impl FnMut(&Engine),
    ) -> Result<Recovered, Error> {
        let mut skipped = Vec::new();
        for seq in self.candidates.iter().copied() {
            let (mut engine, scan) = match self.restore(disk, seq)? {
                Ok(restored) => restored,
                Err(flaw) => {
                    skipped.push(Skipped { seq, flaw });
                    continue;
                }
            };
            between(&engine);
            let replayed = replay_to(disk, &scan, self.to, &mut engine, out, between)?;
            return Ok(Recovered { engine, scan, snapshot: Some(seq), skipped, replayed });
        }
        let scan = match Scan::of(disk) {
            Err(journal::Error::TooEarly { first, .. }) => return Err(Error::NoWayIn { first, skipped }),
            scan => scan?,
        };
        let genesis = scan.genesis().ok_or(journal::Error::Absent)?;
        let engine = match self.hash_seed {
            Some(seed) => Engine::with_hash_seed(genesis, seed),
            None => Engine::new(genesis),
        };
        let mut engine = engine.map_err(|error| journal::Error::Spec(error.to_string()))?;
        let replayed = replay_to(disk, &scan, self.to, &mut engine, out, between)?;
        Ok(Recovered { engine, scan, snapshot: None, skipped, replayed })
    }

    /// A snapshot of this journal, as far as its header tells.
    fn open<D: Disk>(&self, disk: &D, seq: u64) -> Result<Stored<D::File>, Flaw> {
        let stored = Stored::open(disk, seq)?;
        if stored.header.journal != self.outline.journal {
            return Err(Flaw::WrongJournal { found: stored.header.journal });
        }
        if stored.header.genesis != self.outline.genesis {
            return Err(Flaw::WrongGenesis);
        }
        Ok(stored)
    }

    /// The engine of a snapshot, and the journal from its command on. A flaw is the snapshot's, an error the
    /// journal's.
    fn restore(&self, disk: &impl Disk, seq: u64) -> Result<Result<(Engine, Scan), Flaw>, Error> {
        let stored = match self.open(disk, seq).and_then(Stored::checked) {
            Ok(stored) => stored,
            Err(flaw) => return Ok(Err(flaw)),
        };
        // From its own command on, so that the chain at the trailer behind it is compared too.
        let scan = match Scan::from(disk, seq.max(1), |_| {}) {
            Err(journal::Error::TooEarly { first, .. }) => return Ok(Err(Flaw::TooEarly { first })),
            scan => scan?,
        };
        if scan.last_seq() < seq {
            return Err(Error::Ahead { seq, last_seq: scan.last_seq() });
        }
        if let Some(quarantined) = unknown_quarantine(&scan, seq, stored.header.quarantines) {
            return Ok(Err(Flaw::Quarantined { seq: quarantined }));
        }
        Ok(stored.engine(self.outline.genesis, self.hash_seed).map(|engine| (engine, scan)))
    }
}

/// The engine of a snapshot of this journal; the scan has its command and what lies behind it.
///
/// # Errors
/// Why it cannot be used.
pub fn examine(disk: &impl Disk, scan: &Scan, seq: u64) -> Result<Engine, Flaw> {
    let stored = Stored::open(disk, seq)?;
    if stored.header.journal != scan.journal() {
        return Err(Flaw::WrongJournal { found: stored.header.journal });
    }
    let stored = stored.checked()?;
    if let Some(quarantined) = unknown_quarantine(scan, seq, stored.header.quarantines) {
        return Err(Flaw::Quarantined { seq: quarantined });
    }
    stored.engine(scan.header.genesis, None)
}

/// A command in a snapshot that was quarantined after it was made. A quarantine that stands before the snapshot's
/// command in the log was known to the run; of those right behind it, so many were.
fn unknown_quarantine(scan: &Scan, seq: u64, known: u32) -> Option<u64> {
    let behind = scan.quarantined().iter().filter(|one| one.since == seq).skip(known as usize);
    let later = scan.quarantined().iter().filter(|one| one.since > seq);
    behind.chain(later).map(|one| one.seq).find(|quarantined| *quarantined <= seq)
}
