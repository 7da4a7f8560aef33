//! The engine says what its naive twin says, event by event.
//!
//! `CENTUM_TWIN_SCENARIOS` is the number of scenarios (200), `CENTUM_TWIN_SEED` the first seed (0),
//! `CENTUM_TWIN_COMMANDS` the commands of each (5,000). One scenario again, as a failure says it:
//! `CENTUM_TWIN_SEED=7 CENTUM_TWIN_SCENARIOS=1 cargo test -p centum-testkit --test twin`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use centum_testkit::machine::Machine;
use centum_testkit::twin::Twin;
use centum_testkit::workload::{Tally, Workload};
use contract::codes::Side;
use contract::command::Command;
use contract::event::{Event, Position, Wallet};
use contract::spec::{ContractSpec, Genesis};
use contract::units::{AccountId, OrderId, Price, Qty, Tick, Xbt};
use engine::Engine;

/// How often each thing must have happened where enough scenarios ran.
const AT_LEAST: u64 = 100;
const ENOUGH_SCENARIOS: u64 = 200;
/// State is compared at every so many commands; events are compared at each.
const STATES_EVERY: u64 = 250;
/// Commands whose events a failure shows.
const RECENT: usize = 3;

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

/// A position without what belongs to one command only.
fn standing(position: Option<Position>) -> Option<Position> {
    position.map(|position| Position { realised_by_command: Xbt::ZERO, ..position })
}

type Resting = (OrderId, AccountId, Side, Tick, Qty);

/// What two machines must agree on between commands.
#[derive(PartialEq, Debug)]
struct Standing {
    mark: Option<Price>,
    wallets: Vec<Option<Wallet>>,
    positions: Vec<Option<Position>>,
    due: Vec<AccountId>,
    orders: Vec<Resting>,
    is_agenda_empty: bool,
}

fn state_of(machine: &impl Machine) -> Standing {
    let traders = || (4..machine.accounts()).map(AccountId);
    let resting = [Side::Buy, Side::Sell].into_iter().flat_map(|side| machine.orders(side));
    Standing {
        mark: machine.mark(),
        wallets: traders().map(|account| machine.wallet(account)).collect(),
        positions: traders().map(|account| standing(machine.position(account))).collect(),
        due: traders().filter(|account| machine.is_due(*account)).collect(),
        orders: resting.map(|it| (it.id, it.account, it.side, it.price, it.leaves)).collect(),
        is_agenda_empty: machine.agenda_is_empty(),
    }
}

/// Places of a seed's rankings: fewer than there are candidates, in most.
fn ranking_places(seed: u64) -> usize {
    [1, 2, 5, usize::MAX][seed as usize / 2 % 4]
}

/// Places for early keys: none, fewer than there are accounts that trade, or as many as an engine has.
fn early_keys(seed: u64) -> u64 {
    [0, 1, 3, 8_192][seed as usize / 3 % 4]
}

/// The first thing on which two states differ.
fn state_difference(twin: &Standing, engine: &Standing) -> String {
    if twin.mark != engine.mark {
        return format!("mark: twin {:?}, engine {:?}", twin.mark, engine.mark);
    }
    let accounts = twin.wallets.len().max(engine.wallets.len());
    for at in 0..accounts {
        if twin.wallets.get(at) != engine.wallets.get(at) || twin.positions.get(at) != engine.positions.get(at) {
            return format!(
                "account {}:\n  twin   {:?}\n  engine {:?}\n  twin   {:?}\n  engine {:?}",
                at + 4,
                twin.wallets.get(at),
                engine.wallets.get(at),
                twin.positions.get(at),
                engine.positions.get(at)
            );
        }
    }
    if twin.due != engine.due {
        return format!("due: twin {:?}, engine {:?}", twin.due, engine.due);
    }
    for at in 0..twin.orders.len().max(engine.orders.len()) {
        if twin.orders.get(at) != engine.orders.get(at) {
            return format!("order {at}: twin {:?}, engine {:?}", twin.orders.get(at), engine.orders.get(at));
        }
    }
    format!("agenda is empty: twin {}, engine {}", twin.is_agenda_empty, engine.is_agenda_empty)
}

/// The twin and a machine (the engine) through the commands of one seed.
struct Pair<M> {
    seed: u64,
    twin: Twin,
    engine: M,
    workload: Workload,
    recent: Vec<(Command, Vec<Event>)>,
    tally: Tally,
}

impl<M: Machine> Pair<M> {
    fn new(seed: u64) -> Pair<M> {
        let workload = Workload::new(seed);
        let genesis = workload.scenario().genesis;
        let mut twin = Twin::new(&genesis).expect("a scenario's contract can be traded");
        let mut engine = M::open(&genesis).expect("a scenario's contract can be traded");
        twin.limit_ranking(ranking_places(seed));
        engine.limit_ranking(ranking_places(seed));
        engine.limit_early_keys(early_keys(seed));
        Pair { seed, twin, engine, workload, recent: Vec::new(), tally: Tally::new() }
    }

    fn run(mut self, commands: u64) -> Result<Tally, String> {
        for number in 0..commands {
            self.step(number)?;
        }
        if let Some((made_exact, reached)) = self.engine.keys_moved() {
            self.tally.note_keys(made_exact, reached);
        }
        Ok(self.tally)
    }

    fn step(&mut self, number: u64) -> Result<(), String> {
        let command = self.workload.next_command();
        let expected = catch_unwind(AssertUnwindSafe(|| self.twin.apply(&command)));
        let Ok(expected) = expected else { return Err(self.report(number, &command, "the twin stopped")) };
        let said = catch_unwind(AssertUnwindSafe(|| self.engine.apply(&command)));
        let Ok(said) = said else {
            return Err(self.report(number, &command, &format!("the engine stopped; the twin said {expected:#?}")));
        };
        self.workload.observe(&expected);
        self.tally.count(&command, &expected);
        self.tally.count_funding(&command, &expected, self.twin.is_passing());
        self.tally.count_index(&command, &expected, self.twin.is_mark_stale());
        self.tally.count_rates(self.twin.spec(), &expected);
        self.tally.count_rankings(self.twin.is_ranking_cut(), self.twin.is_ranking_narrow());
        self.tally.count_finding(&self.twin, &expected);
        if said != expected {
            let what = event_difference(&expected, &said);
            return Err(self.report(number, &command, &what));
        }
        if let Err(law) = self.twin.check_sums() {
            return Err(self.report(number, &command, &format!("twin: {law}")));
        }
        if let Err(law) = self.engine.check_sums() {
            return Err(self.report(number, &command, &format!("engine: {law}")));
        }
        if number.is_multiple_of(STATES_EVERY) {
            let (twin, engine) = (state_of(&self.twin), state_of(&self.engine));
            if twin != engine {
                let what = format!("same events, another state: {}", state_difference(&twin, &engine));
                return Err(self.report(number, &command, &what));
            }
        }
        self.recent.push((command, expected));
        if self.recent.len() > RECENT {
            self.recent.remove(0);
        }
        Ok(())
    }

    /// Everything needed to understand a failure, and to see it again.
    fn report(&self, number: u64, command: &Command, what: &str) -> String {
        let mut text =
            format!("seed {}, command {number} of it:\n{command:?}\n\n{what}\n\nbefore that, both:\n", self.seed);
        for (command, events) in &self.recent {
            text += &format!("{command:?}\n");
            for event in events {
                text += &format!("    {event:?}\n");
            }
        }
        let account = command.account();
        text += &format!("\naccount {} as it is now:\n", account.0);
        text += &format!("  twin   {:?}\n", self.twin.wallet(account));
        text += &format!("  engine {:?}\n", self.engine.wallet(account));
        text += &format!("  twin   {:?}\n", self.twin.position(account));
        text += &format!("  engine {:?}\n", self.engine.position(account));
        text += &format!("  twin: available {:?}, due {}, ", self.twin.available(account), self.twin.is_due(account));
        text += &format!("mark {:?}, lots {:?}\n{:?}\n", self.twin.mark(), self.twin.lots(), self.workload.scenario());
        let seed = self.seed;
        text + &format!(
            "again: CENTUM_TWIN_SEED={seed} CENTUM_TWIN_SCENARIOS=1 cargo test -p centum-testkit --test twin\n"
        )
    }
}

/// Both lists of events, from the first that differs.
fn event_difference(twin: &[Event], engine: &[Event]) -> String {
    let mut text = String::new();
    for at in 0..twin.len().max(engine.len()) {
        let (expected, said) = (twin.get(at), engine.get(at));
        if expected == said {
            text += &format!("  both   {:?}\n", twin[at]);
        } else {
            text += &format!("  twin   {}\n", expected.map_or("nothing".to_string(), |it| format!("{it:?}")));
            text += &format!("  engine {}\n", said.map_or("nothing".to_string(), |it| format!("{it:?}")));
        }
    }
    text
}

/// Runs `work` for every seed on two threads; the failure of the lowest seed is the answer.
fn on_two_threads<T: Send>(
    seeds: std::ops::Range<u64>,
    work: impl Fn(u64) -> Result<T, String> + Sync,
) -> Result<Vec<T>, String> {
    let run = |odd: u64| -> Result<Vec<T>, (u64, String)> {
        let own = seeds.clone().filter(|seed| seed % 2 == odd);
        own.map(|seed| work(seed).map_err(|failure| (seed, failure))).collect()
    };
    let (even, odd) = std::thread::scope(|scope| {
        let other = scope.spawn(|| run(1));
        (run(0), other.join().expect("a failure is told, not thrown"))
    });
    match (even, odd) {
        (Ok(mut all), Ok(more)) => {
            all.extend(more);
            Ok(all)
        }
        (Err(one), Err(other)) => Err(if one.0 < other.0 { one.1 } else { other.1 }),
        (Err((_, failure)), _) | (_, Err((_, failure))) => Err(failure),
    }
}

fn seeds(default: u64) -> std::ops::Range<u64> {
    let first = from_environment("CENTUM_TWIN_SEED", 0);
    first..first + from_environment("CENTUM_TWIN_SCENARIOS", default)
}

fn commands() -> u64 {
    from_environment("CENTUM_TWIN_COMMANDS", 5_000)
}

/// Prints the tally; everything must have happened often enough where enough scenarios ran.
fn judge(tallies: Vec<Tally>) {
    let mut tally = Tally::new();
    for one in &tallies {
        tally.merge(one);
    }
    // Past the test runner, which keeps what passing tests print to itself.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{tally}\n").as_bytes());
    if tallies.len() as u64 >= ENOUGH_SCENARIOS {
        let rare = tally.rarer_than(AT_LEAST);
        assert!(rare.is_empty(), "happened less than {AT_LEAST} times in {} scenarios: {rare:#?}", tallies.len());
    }
}

/// Law 1 and every rule: the same commands give the same facts in both.
#[test]
fn the_engine_says_what_its_twin_says() {
    match on_two_threads(seeds(200), |seed| Pair::<Engine>::new(seed).run(commands())) {
        Ok(tallies) => judge(tallies),
        Err(failure) => panic!("{failure}"),
    }
}

/// Law 1, for the twin: the same commands give the same facts again.
#[test]
fn the_twin_says_the_same_again() {
    if let Err(failure) = on_two_threads(seeds(4), |seed| Pair::<Twin>::new(seed).run(commands())) {
        panic!("{failure}");
    }
}

/// The workload reaches every refusal, fill, cancellation and liquidation; the twin keeps every law.
#[test]
fn everything_happens_and_the_twin_keeps_the_sums() {
    let run = |seed: u64| -> Result<Tally, String> {
        let mut workload = Workload::new(seed);
        let mut twin = Twin::new(&workload.scenario().genesis)?;
        twin.limit_ranking(ranking_places(seed));
        let mut tally = Tally::new();
        for number in 0..commands() {
            let command = workload.next_command();
            let events = twin.apply(&command);
            workload.observe(&events);
            tally.count(&command, &events);
            tally.count_funding(&command, &events, twin.is_passing());
            tally.count_index(&command, &events, twin.is_mark_stale());
            tally.count_rates(twin.spec(), &events);
            tally.count_rankings(twin.is_ranking_cut(), twin.is_ranking_narrow());
            tally.count_finding(&twin, &events);
            twin.check_sums()
                .map_err(|law| format!("seed {seed}, command {number}: {law}\n{command:?}\n{events:#?}"))?;
        }
        Ok(tally)
    };
    match on_two_threads(seeds(200), run) {
        Ok(tallies) => judge(tallies),
        Err(failure) => panic!("{failure}"),
    }
}

/// A machine of its own budget, with its own numbering of commands.
struct Paced<M> {
    machine: M,
    seq: u64,
    budget: u64,
}

impl<M: Machine> Paced<M> {
    fn new(genesis: &Genesis, budget: u64, places: usize) -> Result<Paced<M>, String> {
        let spec = ContractSpec { budget, ..genesis.spec };
        let mut machine = M::open(&Genesis { spec, ..*genesis })?;
        machine.limit_ranking(places);
        // Where keys lie is a matter of time alone.
        machine.limit_early_keys(budget / 2);
        Ok(Paced { machine, seq: 0, budget })
    }

    /// What is due by the command's stamp, the command, what that makes due; gives the events of the command itself.
    fn apply(&mut self, command: Command) -> Result<Vec<Event>, String> {
        self.clock(&command);
        self.finish(&command)?;
        self.seq += 1;
        let events = self.machine.apply(&command.stamped(self.seq, command.ts()));
        self.finish(&command)?;
        Ok(events)
    }

    fn clock(&mut self, command: &Command) {
        self.seq += 1;
        let clock = Command::new(AccountId::NONE, contract::command::Action::Clock);
        self.machine.apply(&clock.stamped(self.seq, command.ts()));
    }

    /// Clocks until the agenda is empty.
    fn finish(&mut self, command: &Command) -> Result<(), String> {
        for _ in 0..1_000_000 {
            if self.machine.agenda_is_empty() {
                return Ok(());
            }
            self.clock(command);
        }
        Err(format!("budget {}: the agenda does not end after {command:?}", self.budget))
    }
}

fn budgets_agree<M: Machine>(seed: u64, commands: u64) -> Result<(), String> {
    let mut workload = Workload::new(seed);
    let genesis = workload.scenario().genesis;
    // How many places a ranking has is a matter of steps alone, too.
    let places = ranking_places(seed);
    let mut unlimited = Paced::<M>::new(&genesis, u64::MAX, usize::MAX)?;
    let mut sliced = Vec::new();
    for budget in [1, 2, 64] {
        sliced.push(Paced::<M>::new(&genesis, budget, places)?);
    }
    for number in 0..commands {
        let command = workload.next_command();
        let events = unlimited.apply(command)?;
        workload.observe(&events);
        for slice in &mut sliced {
            slice.apply(command)?;
            let (whole, part) = (state_of(&unlimited.machine), state_of(&slice.machine));
            if whole != part {
                let difference = state_difference(&whole, &part);
                let (name, budget) = (M::NAME, slice.budget);
                return Err(format!(
                    "{name}, seed {seed}, command {number}, budget {budget} (as engine) against unlimited (as twin): \
                     {difference}\n{command:?}"
                ));
            }
        }
    }
    Ok(())
}

/// Law 4: with no command in between, how work is sliced changes nothing.
#[test]
fn budgets_of_1_2_64_and_none_give_equal_states_in_the_twin() {
    if let Err(failure) = on_two_threads(seeds(12), |seed| budgets_agree::<Twin>(seed, commands().min(2_000))) {
        panic!("{failure}");
    }
}

/// Law 4, for the engine.
#[test]
fn budgets_of_1_2_64_and_none_give_equal_states_in_the_engine() {
    if let Err(failure) = on_two_threads(seeds(12), |seed| budgets_agree::<Engine>(seed, commands().min(2_000))) {
        panic!("{failure}");
    }
}

/// The twin shares records, units and the specification's data with the engine, and no arithmetic.
#[test]
fn the_twin_imports_no_arithmetic_of_the_contract() {
    const SHARED: [&str; 8] = ["command", "event", "reject", "codes", "units", "spec", "cl_ord_id", "words"];
    const COMPUTING: [&str; 8] = [
        ".tick_price(",
        ".tick_at(",
        ".max_tick(",
        ".unit_numerator(",
        ".max_side_units(",
        "Side::that_reduces",
        ".is_fully_funded(",
        ".opposite()",
    ];
    let room = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/twin");
    for entry in std::fs::read_dir(room).expect("the twin has a room") {
        let path = entry.expect("a file of the twin").path();
        let text = std::fs::read_to_string(&path).expect("a file of the twin");
        for (at, line) in text.lines().enumerate() {
            for after in line.split("contract::").skip(1) {
                let module: String = after.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect();
                assert!(SHARED.contains(&module.as_str()), "{}:{}: contract::{module}", path.display(), at + 1);
            }
            for function in COMPUTING {
                assert!(!line.contains(function), "{}:{}: {function}", path.display(), at + 1);
            }
        }
    }
}
