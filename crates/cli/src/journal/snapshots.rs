//! The snapshots beside a journal, compared with what a replay of it gives.

use std::path::Path;

use engine::Engine;
use runtime::disk::FileDisk;
use runtime::journal::Scan;
use runtime::snapshot::{Error as SnapshotError, Flaw, examine, list};
use serde_json::{Value, json};

use crate::error::{Error, Result};

/// One of them, by rising command.
struct One {
    seq: u64,
    /// Its digest, or why it has none.
    digest: std::result::Result<u64, Flaw>,
    /// The digest of the replay at its command.
    replayed: Option<u64>,
}

impl One {
    fn is_different(&self) -> bool {
        match &self.digest {
            Ok(digest) => self.replayed != Some(*digest),
            Err(flaw) => flaw.is_damage(),
        }
    }

    fn text(&self) -> String {
        match (&self.digest, self.replayed) {
            (Ok(digest), Some(replayed)) if *digest != replayed => {
                format!("of command {} DIFFERS: digest {digest:016x}, replayed {replayed:016x}", self.seq)
            }
            (Ok(digest), Some(_)) => format!("of command {} agrees: digest {digest:016x}", self.seq),
            (Ok(_), None) => format!("of command {} was not reached", self.seq),
            (Err(_), _) => self.skipped().unwrap_or_default(),
        }
    }

    fn skipped(&self) -> Option<String> {
        let flaw = self.digest.as_ref().err()?;
        let name = runtime::snapshot::format::snapshot_name(self.seq);
        Some(if flaw.is_damage() {
            format!("{name} is DAMAGED: {flaw}")
        } else {
            format!("{name} is passed over: {flaw}")
        })
    }
}

/// All of them.
pub struct Snapshots(Vec<One>);

impl Snapshots {
    /// Reads and restores each. One behind the journal's end is damage of the journal.
    pub fn read(directory: &Path, disk: &FileDisk, scan: &Scan) -> Result<Snapshots> {
        let bad = Error::snapshot(directory);
        let mut all = Vec::new();
        for seq in list(disk).map_err(&bad)?.into_iter().rev() {
            let digest = if seq + 1 < scan.first_seq() {
                Err(Flaw::TooEarly { first: scan.first_seq() })
            } else {
                examine(disk, scan, seq).map(|engine| engine.digest())
            };
            if digest.is_ok() && seq > scan.last_seq() {
                return Err(bad(SnapshotError::Ahead { seq, last_seq: scan.last_seq() }));
            }
            all.push(One { seq, digest, replayed: None });
        }
        Ok(Snapshots(all))
    }

    /// Notes the digest of a replay where there is a snapshot.
    #[inline]
    pub fn compare(&mut self, engine: &Engine) {
        if let Some(one) = self.0.iter_mut().find(|one| one.seq == engine.seq()) {
            one.replayed = Some(engine.digest());
        }
    }

    /// Is one damaged, or another than the replay?
    pub fn has_difference(&self) -> bool {
        self.0.iter().any(One::is_different)
    }

    /// A line for each.
    pub fn lines(&self) -> Vec<String> {
        self.0.iter().map(|one| format!("snapshot     {}", one.text())).collect()
    }

    /// An object for each.
    pub fn objects(&self) -> Vec<Value> {
        let object = |one: &One| {
            let digest = one.digest.as_ref().ok().map(|digest| format!("{digest:016x}"));
            json!({"seq": one.seq, "digest": digest, "agrees": !one.is_different(), "note": one.skipped()})
        };
        self.0.iter().map(object).collect()
    }
}
