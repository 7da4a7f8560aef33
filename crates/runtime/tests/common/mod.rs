//! A small pump: it stamps, appends, applies, commits every few commands, and answers after the commit.
#![allow(dead_code)] // each test uses its part

use centum_runtime::disk::Disk;
use centum_runtime::journal::{Error, Journal, Options, Scan, Writer, replay};
use contract::command::{FLAG_MORE, Quarantine};
use contract::{AccountId, Action, Command, CommandKind, ContractSpec, Event, Fact, FillCause, Genesis, Price, Side};
use engine::{Discard, Engine};
use testkit::SimDisk;
use testkit::workload::Workload;

/// Why it is quarantined.
pub const REASON: &str = "it stopped the engine";

/// Segments small enough that a run fills several.
pub const OPTIONS: Options = Options { segment_bytes: 32 << 10, batch_commands: 200, journal: Some(0x0ce0) };

/// What a workload sends seldom or never. In a numbered run each 43rd command is of the next of these kinds, with nothing
/// in it, so that a journal of 420 has a record of each.
const RARE: [CommandKind; 9] = [
    CommandKind::Genesis,
    CommandKind::SetSpec,
    CommandKind::SetState,
    CommandKind::CancelAllAfter,
    CommandKind::Index,
    CommandKind::SetWeights,
    CommandKind::Quarantine,
    CommandKind::Epoch,
    CommandKind::Link,
];

/// A command of that kind and an empty body, with the stamp of another.
fn of_kind(kind: CommandKind, stamped: &Command) -> Command {
    let mut bytes =
        Command::new(AccountId::FIRST_TRADER, Action::Clock).stamped(stamped.seq(), stamped.ts()).to_bytes();
    bytes[KIND_AT] = kind as u8;
    Command::from_bytes(&bytes)
}

/// Offset of the kind in a command.
const KIND_AT: usize = 34;

/// Says something past the test runner, which keeps what passing tests print to itself.
pub fn say(line: &str) {
    use std::io::Write;
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).expect("stderr");
}

/// A market of a seed: its commands, and what the engine said of them in a run without a crash.
pub struct Run {
    pub genesis: Genesis,
    pub commands: Vec<Command>,
    /// After so many commands: chain and digest.
    pub chains: Vec<u64>,
    pub digests: Vec<u64>,
    pub takeovers: usize,
    /// The command that an operator quarantines at the end; chain and digest then.
    pub quarantined: u64,
    pub without: (u64, u64),
}

impl Run {
    /// The workload of a seed. Its contract is made small, so that an engine costs little; where `is_numbered`,
    /// all commands come from one session, so that all may be sent again.
    pub fn new(seed: u64, commands: usize, is_numbered: bool) -> Run {
        let mut workload = Workload::new(seed);
        let mut genesis = workload.scenario().genesis;
        genesis.spec = ContractSpec { max_price: Price(8_000_000), never_price: Price(10_000_000_000), ..genesis.spec };
        if is_numbered {
            // Nothing waits from one command to the next, so a command more or less does not slice work otherwise.
            genesis.spec.budget = u64::MAX;
        }
        let mut engine = Engine::new(&genesis).expect("the contract can be traded");
        let mut run = Run {
            genesis,
            commands: Vec::new(),
            chains: vec![engine.chain()],
            digests: vec![engine.digest()],
            takeovers: 0,
            quarantined: commands as u64 / 2,
            without: (0, 0),
        };
        let mut without = engine.clone();
        for seq in 1..=commands as u64 {
            let mut command = workload.next_command();
            // No lane sends half a bulk.
            if seq == commands as u64 && command.flags() & FLAG_MORE != 0 {
                command = Command::new(AccountId::NONE, Action::Clock).stamped(seq, command.ts());
            }
            if is_numbered {
                if seq.is_multiple_of(43) {
                    command = of_kind(RARE[(seq / 43) as usize % RARE.len()], &command);
                }
                command = command.from_session(1, seq);
            }
            let mut events: Vec<Event> = Vec::new();
            engine.apply(&command, &mut events);
            workload.observe(&events);
            let is_quarantined = seq == run.quarantined;
            without.apply(&if is_quarantined { run.stand_in(&command) } else { command }, &mut Discard);
            let is_takeover = |event: &&Event| matches!(event.fact(), Some(Fact::Fill(fill)) if fill.cause.get() == Some(FillCause::Takeover));
            run.takeovers += events.iter().filter(is_takeover).count();
            run.commands.push(command);
            run.chains.push(engine.chain());
            run.digests.push(engine.digest());
        }
        run.without = (without.chain(), without.digest());
        run
    }

    /// What a replay hands the engine in the place of a quarantined command.
    fn stand_in(&self, command: &Command) -> Command {
        let mut why = Quarantine { seq: self.quarantined, text: [0; 80] };
        why.text[..REASON.len()].copy_from_slice(REASON.as_bytes());
        Command::new(command.account(), Action::Quarantine(why))
            .stamped(command.seq(), command.ts())
            .from_session(command.session(), command.request())
    }

    /// An operator quarantines a command.
    pub fn quarantine<D: Disk + Clone>(&self, journal: &mut Writer<D>) -> Result<(), Error> {
        let scan = Scan::of(&journal.disk().clone())?;
        journal.quarantine(&scan, self.quarantined, REASON)
    }

    /// Writes the commands after the first `done` into a journal, so many a batch by a seeded choice; `answered`
    /// is called after each commit.
    pub fn write<D: Disk>(
        &self,
        journal: &mut Writer<D>,
        done: u64,
        mut batch: impl FnMut() -> usize,
        mut answered: impl FnMut(u64),
    ) -> Result<(), Error> {
        let mut left = batch();
        for command in &self.commands[done as usize..] {
            journal.reserve(1)?;
            journal.append(command)?;
            left = left.saturating_sub(1);
            let is_whole = command.flags() & FLAG_MORE == 0;
            if is_whole && (left == 0 || command.seq() == self.commands.len() as u64) {
                journal.commit(Some(self.chains[command.seq() as usize]))?;
                answered(command.seq());
                left = batch();
            }
        }
        Ok(())
    }

    /// The engine after so many commands.
    pub fn engine_after(&self, commands: usize) -> Engine {
        let mut engine = Engine::new(&self.genesis).expect("the contract can be traded");
        self.commands[..commands].iter().for_each(|command| engine.apply(command, &mut Discard));
        engine
    }

    /// What a crash left: the commands are a beginning of ours, with our chains. How many there are.
    pub fn check_prefix(&self, disk: &SimDisk, scan: &Scan) -> Result<u64, String> {
        use centum_runtime::journal::What;
        if scan.genesis() != Some(&self.genesis) {
            return Err("another genesis".to_owned());
        }
        let mut count = 0;
        for entry in scan.read(disk) {
            let entry = entry.map_err(|error| error.to_string())?;
            match entry.what {
                What::Command(command) if self.commands.get(count) == Some(&command) => count += 1,
                What::Trailer { chain: Some(chain) } if chain == self.chains[count] => {}
                What::Trailer { chain: None } | What::Quarantine(_) if count == self.commands.len() => {}
                _ => return Err(format!("after {count} commands: {entry:?}")),
            }
        }
        if count as u64 != scan.last_seq() {
            return Err(format!("{count} commands read, {} scanned", scan.last_seq()));
        }
        Ok(count as u64)
    }

    /// A replay of what is there gives the engine of the run without a crash.
    pub fn check_replay(&self, disk: &SimDisk, scan: &Scan) -> Engine {
        let mut engine = Engine::new(scan.genesis().expect("all of it was scanned")).expect("it was traded before");
        let replayed = replay(disk, scan, &mut engine, &mut Discard, |_| {}).expect("the replay agrees");
        assert_eq!(replayed.commands, scan.last_seq());
        let at = scan.last_seq() as usize;
        let is_without = !scan.quarantined().is_empty();
        let expected = if is_without { self.without } else { (self.chains[at], self.digests[at]) };
        assert_eq!((engine.chain(), engine.digest()), expected, "after {at} commands");
        assert_eq!(replayed.quarantined, u64::from(is_without));
        engine
    }
}

/// Everything that anybody may own or have standing, as text: what two markets must agree on.
pub fn holdings(engine: &Engine) -> String {
    use std::fmt::Write;
    let mut text = format!("mark {:?} fund {:?}\n", engine.mark(), engine.insurance());
    for account in (0..engine.accounts()).map(AccountId) {
        let (wallet, position) = (engine.wallet(account), engine.position(account));
        writeln!(text, "{account:?} {wallet:?} {position:?} {}", engine.is_due(account)).expect("text grows");
    }
    for side in [Side::Buy, Side::Sell] {
        engine.for_each_order(side, |order| writeln!(text, "{order:?}").expect("text grows"));
    }
    text
}
