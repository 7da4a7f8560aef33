//! The log through the engine.
//!
//! In    a scanned journal, and an engine at its genesis or at a snapshot.
//! Out   the engine as it was after the last safe command; its events, for whoever wants them.
//! Laws  1  the chain at every trailer is what the recorded run had, or the replay stops and says where.
//!       6  a law that breaks stops the replay, with the command's number.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use engine::{Engine, Outbox};

use super::error::{Error, Place};
use super::reader::{Entry, Reader, What};
use super::scan::Scan;
use crate::disk::Disk;

/// How long a command takes to replay on the machine of `docs/performance.md`, both readings of the log included,
/// ns. What an operator is told before a recovery begins; a mix of orders, cancels and trades.
pub const REPLAY_NS_PER_COMMAND: u64 = 500;

/// What a replay came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Replayed {
    /// Commands applied, the refused ones included.
    pub commands: u64,
    /// Commands refused because they are quarantined.
    pub quarantined: u64,
    /// Trailers whose chain agreed.
    pub chains_agreed: u64,
    /// Trailers without a chain, or of a run before a quarantine.
    pub chains_unknown: u64,
}

/// Applies what the engine has not seen yet. `between` is called after each command with the engine.
///
/// ```
/// use centum_runtime::disk::FileDisk;
/// use centum_runtime::journal::{Journal, Options, Scan, Writer, replay};
/// use contract::{AccountId, Action, Capacity, Command, ContractSpec, Genesis};
/// use engine::{Discard, Engine};
///
/// let directory = std::env::temp_dir().join(format!("centum-doc-replay-{}", std::process::id()));
/// let genesis = Genesis { spec: ContractSpec::XBTUSD_2019, capacity: Capacity::default() };
/// let mut journal = Writer::create(FileDisk::create(&directory)?, Options::default(), &genesis)?;
/// let mut engine = Engine::new(&genesis)?;
/// let command = Command::new(AccountId(4), Action::Clock).stamped(1, 0);
/// journal.append(&command)?;                 // stamp, append,
/// engine.apply(&command, &mut Discard);      // apply,
/// journal.commit(Some(engine.chain()))?;     // commit: now it may be told
/// drop(journal);                             // as a crash would
///
/// let disk = FileDisk::open(&directory)?;
/// let scan = Scan::of(&disk)?;
/// let mut again = Engine::new(scan.genesis().unwrap())?;
/// replay(&disk, &scan, &mut again, &mut Discard, |_| {})?;
/// assert_eq!((again.chain(), again.digest()), (engine.chain(), engine.digest()));
/// let journal = Writer::open(disk, Options::default(), &scan)?; // and goes on
/// assert_eq!(journal.durable_seq(), 1);
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Chain`] where the replay differs from the recorded run, [`Error::Law`] where the engine stops, and
/// what reading finds.
pub fn replay(
    disk: &impl Disk,
    scan: &Scan,
    engine: &mut Engine,
    out: &mut impl Outbox,
    between: impl FnMut(&Engine),
) -> Result<Replayed, Error> {
    replay_to(disk, scan, u64::MAX, engine, out, between)
}

/// The same up to command `to`.
///
/// # Errors
/// As [`replay`].
pub fn replay_to(
    disk: &impl Disk,
    scan: &Scan,
    to: u64,
    engine: &mut Engine,
    out: &mut impl Outbox,
    between: impl FnMut(&Engine),
) -> Result<Replayed, Error> {
    if scan.first_seq() > engine.seq() + 1 {
        return Err(Error::TooEarly { first: scan.first_seq(), wanted: engine.seq() + 1 });
    }
    let at = Cell::new(Place { segment: scan.segments[0], offset: 0, seq: 0 });
    let work = AssertUnwindSafe(|| apply_all(scan.read(disk), to, engine, out, between, &at));
    catch_unwind(work).unwrap_or_else(|panic| {
        let rule = panic.downcast_ref::<String>().map(String::as_str);
        let rule = rule.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("an assertion failed");
        Err(Error::Law { place: at.get(), rule: rule.to_owned() })
    })
}

fn apply_all<D: Disk>(
    mut reader: Reader<'_, D>,
    to: u64,
    engine: &mut Engine,
    out: &mut impl Outbox,
    mut between: impl FnMut(&Engine),
    at: &Cell<Place>,
) -> Result<Replayed, Error> {
    let mut replayed = Replayed::default();
    let begun_at = engine.seq();
    let mut agreed_at = begun_at;
    while let Some(entry) = reader.next() {
        let Entry { place, what } = entry?;
        if place.seq > to {
            break;
        }
        if place.seq < begun_at || (place.seq == begun_at && matches!(what, What::Command(_))) {
            continue;
        }
        match what {
            What::Command(command) => {
                at.set(place);
                let stand_in = reader.quarantines().stand_in(&command);
                engine.apply(stand_in.as_ref().unwrap_or(&command), out);
                replayed.commands += 1;
                replayed.quarantined += u64::from(stand_in.is_some());
                between(engine);
            }
            What::Trailer { chain: Some(recorded) } if reader.quarantines().agree_at(place.seq) => {
                let replayed_chain = engine.chain();
                if recorded != replayed_chain {
                    let (after, until) = (agreed_at, place.seq);
                    return Err(Error::Chain { place, recorded, replayed: replayed_chain, after, until });
                }
                agreed_at = place.seq;
                replayed.chains_agreed += 1;
            }
            What::Trailer { .. } => replayed.chains_unknown += 1,
            What::Quarantine(_) => {}
        }
    }
    Ok(replayed)
}
