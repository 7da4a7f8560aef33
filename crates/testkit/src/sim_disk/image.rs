//! What is on the platter, and what is on its way there.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::{Crash, Op, SECTOR_BYTES, chance};

/// All files of a disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Image {
    nodes: Vec<Node>,
    /// Names as the program sees them, and as they are on the platter.
    seen: BTreeMap<String, usize>,
    safe: BTreeMap<String, usize>,
    /// Changes of names that are on their way.
    renames: Vec<Op>,
}

/// A file.
#[derive(Clone, Debug, Default)]
struct Node {
    seen: Arc<Vec<u8>>,
    safe: Arc<Vec<u8>>,
    /// Writes on their way.
    writes: Vec<(u64, Arc<[u8]>)>,
    /// The length is on the platter.
    is_allocated: bool,
}

fn write(bytes: &mut Arc<Vec<u8>>, at: u64, new: &[u8]) {
    let bytes = Arc::make_mut(bytes);
    let at = at as usize;
    if bytes.len() < at + new.len() {
        bytes.resize(at + new.len(), 0);
    }
    bytes[at..at + new.len()].copy_from_slice(new);
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Image {
    pub(super) fn names(&self) -> Vec<String> {
        self.seen.keys().cloned().collect()
    }

    pub(super) fn node(&self, name: &str) -> io::Result<usize> {
        self.seen.get(name).copied().ok_or_else(not_found)
    }

    pub(super) fn read(&self, node: usize) -> &[u8] {
        &self.nodes[node].seen
    }

    pub(super) fn bytes(&self) -> u64 {
        self.seen.values().map(|node| self.nodes[*node].seen.len() as u64).sum()
    }

    pub(super) fn put(&mut self, name: &str, bytes: Vec<u8>) {
        let bytes = Arc::new(bytes);
        self.nodes.push(Node { seen: bytes.clone(), safe: bytes, writes: Vec::new(), is_allocated: true });
        self.seen.insert(name.to_owned(), self.nodes.len() - 1);
        self.safe.insert(name.to_owned(), self.nodes.len() - 1);
    }

    pub(super) fn take(&mut self, name: &str) {
        self.seen.remove(name);
        self.safe.remove(name);
    }

    /// Does one thing, as the program sees it.
    pub(super) fn apply(&mut self, op: &Op) -> io::Result<()> {
        match op {
            Op::Create(_, bytes) => {
                self.nodes.push(Node { seen: Arc::new(vec![0; *bytes as usize]), ..Node::default() });
                let node = self.nodes.len() - 1;
                rename(&mut self.seen, op, || node)?;
                // The node is not found again by the name, which may change: it is kept with the change.
                self.renames.push(Op::Create(op_name(op), node as u64));
            }
            Op::Rename(..) | Op::Remove(_) => {
                rename(&mut self.seen, op, || 0)?;
                self.renames.push(op.clone());
            }
            Op::Write(node, at, bytes) => {
                let node = &mut self.nodes[*node];
                write(&mut node.seen, *at, bytes);
                node.writes.push((*at, bytes.clone()));
            }
            Op::Sync(node) => {
                let node = &mut self.nodes[*node];
                if !node.is_allocated {
                    Arc::make_mut(&mut node.safe).resize(node.seen.len(), 0);
                    node.is_allocated = true;
                }
                for (at, bytes) in node.writes.drain(..) {
                    write(&mut node.safe, at, &bytes);
                }
            }
            Op::SyncDir => {
                for op in self.renames.drain(..) {
                    // What could be seen once can be made safe.
                    let _ = rename_safe(&mut self.safe, &op);
                }
            }
        }
        Ok(())
    }

    /// A sync failed: the writes on their way are lost, and the program cannot tell.
    pub(super) fn lose_writes(&mut self, node: usize) {
        self.nodes[node].writes.clear();
    }

    /// The same for names.
    pub(super) fn lose_names(&mut self) {
        self.renames.clear();
    }

    /// What is there after a crash.
    pub(super) fn crashed(&self, crash: Crash) -> Image {
        let mut names = self.safe.clone();
        let mut seed = match crash {
            Crash::Chance(seed) => seed,
            _ => 0,
        };
        for op in &self.renames {
            let is_kept = match crash {
                Crash::AllKept => true,
                Crash::AllLost => false,
                Crash::Chance(_) => chance(&mut seed).is_multiple_of(2),
            };
            if is_kept {
                let _ = rename_safe(&mut names, op);
            }
        }
        let nodes = self.nodes.iter().map(|node| node.crashed(crash, &mut seed)).collect();
        Image { nodes, seen: names.clone(), safe: names, renames: Vec::new() }
    }
}

fn op_name(op: &Op) -> String {
    match op {
        Op::Create(name, _) | Op::Remove(name) | Op::Rename(name, _) => name.clone(),
        _ => String::new(),
    }
}

fn rename(names: &mut BTreeMap<String, usize>, op: &Op, new: impl Fn() -> usize) -> io::Result<()> {
    match op {
        Op::Create(name, _) => {
            names.insert(name.clone(), new());
        }
        Op::Rename(from, to) => {
            let node = names.remove(from).ok_or_else(not_found)?;
            names.insert(to.clone(), node);
        }
        Op::Remove(name) => {
            names.remove(name).ok_or_else(not_found)?;
        }
        _ => {}
    }
    Ok(())
}

/// The same on the platter, where a `Create` tells its node.
fn rename_safe(names: &mut BTreeMap<String, usize>, op: &Op) -> io::Result<()> {
    let node = if let Op::Create(_, node) = op { *node as usize } else { 0 };
    rename(names, op, || node)
}

impl Node {
    fn crashed(&self, crash: Crash, seed: &mut u64) -> Node {
        let mut safe = self.safe.clone();
        if !self.is_allocated {
            let is_kept = match crash {
                Crash::AllKept => true,
                Crash::AllLost => false,
                Crash::Chance(_) => chance(seed).is_multiple_of(2),
            };
            if is_kept {
                Arc::make_mut(&mut safe).resize(self.seen.len(), 0);
            }
        }
        match crash {
            Crash::AllLost => {}
            Crash::AllKept => {
                for (at, bytes) in &self.writes {
                    write_within(&mut safe, *at, bytes);
                }
            }
            Crash::Chance(_) => self.by_chance(&mut safe, seed),
        }
        Node { seen: safe.clone(), safe, writes: Vec::new(), is_allocated: true }
    }

    /// Each sector is as one of the writes to it left it, or torn in the next one.
    fn by_chance(&self, safe: &mut Arc<Vec<u8>>, seed: &mut u64) {
        let mut sectors: BTreeMap<usize, Vec<(u64, &[u8])>> = BTreeMap::new();
        for (at, bytes) in &self.writes {
            let mut done = 0;
            while done < bytes.len() {
                let place = *at as usize + done;
                let n = (SECTOR_BYTES - place % SECTOR_BYTES).min(bytes.len() - done);
                sectors.entry(place / SECTOR_BYTES).or_default().push((place as u64, &bytes[done..done + n]));
                done += n;
            }
        }
        for pieces in sectors.values() {
            let kept = (chance(seed) % (pieces.len() as u64 + 1)) as usize;
            for (at, bytes) in &pieces[..kept] {
                write_within(safe, *at, bytes);
            }
            if let (Some((at, bytes)), 0) = (pieces.get(kept), chance(seed) % 3) {
                write_within(safe, *at, &bytes[..(chance(seed) % (bytes.len() as u64 + 1)) as usize]);
            }
        }
    }
}

/// Writes what lies within the file: what was not allocated is not there.
fn write_within(bytes: &mut Arc<Vec<u8>>, at: u64, new: &[u8]) {
    let room = bytes.len().saturating_sub(at as usize);
    if room > 0 && !new.is_empty() {
        write(bytes, at, &new[..new.len().min(room)]);
    }
}
