//! A long journal is read in flat memory, and how long that takes.
//!
//! `CENTUM_LONG=20000000 cargo test -p centum-runtime --release --test long -- --nocapture` takes 3 GB of disk.

mod common;

use centum_runtime::disk::FileDisk;
use centum_runtime::journal::{Journal, Options, Outline, Scan, Writer, replay};
use common::say;
use contract::command::{Amount, Cancel, Mark, OpenAccount};
use contract::{
    AccountId, Action, Capacity, ClOrdId, Command, ContractSpec, Genesis, Marking, NewOrder, Price, Qty, Side, Target,
    Tick, TimeInForce, Xbt,
};
use engine::{Discard, Engine};
use std::time::Instant;

const TRADERS: u32 = 100;
/// What a replay may take beyond the engine, whatever its length.
const GROWTH_BYTES: u64 = 4 << 20;

/// The memory of this process, bytes; none where the system does not tell.
fn memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    text.split_whitespace().nth(1)?.parse::<u64>().ok().map(|pages| pages * 4096)
}

/// Quotes that come and go around a mark, and a taker now and then: the same for the same number.
fn command(seq: u64) -> Command {
    let account = AccountId(4 + (seq % u64::from(TRADERS)) as u32);
    let name = |seq: u64| ClOrdId::new(&format!("q{seq}")).expect("a short name");
    let opening = u64::from(TRADERS);
    let action = match seq {
        1 => return Command::new(AccountId::NONE, Action::Mark(Mark { price: Price(1_000_000) })).stamped(1, 1),
        _ if seq <= 1 + opening => {
            let account = AccountId(4 + (seq - 2) as u32);
            return Command::new(account, Action::OpenAccount(OpenAccount { fee_class: 0 })).stamped(seq, seq);
        }
        _ if seq <= 1 + 2 * opening => {
            let account = AccountId(4 + (seq - 2 - opening) as u32);
            return Command::new(account, Action::Deposit(Amount { amount: Xbt(100_000_000_000) })).stamped(seq, seq);
        }
        _ => match (seq / opening) % 4 {
            0 => {
                let (side, tick) = if seq.is_multiple_of(2) { (Side::Buy, 19_990) } else { (Side::Sell, 20_010) };
                let away = (seq / 400 % 9) as u32;
                let tick = if side == Side::Buy { tick - away } else { tick + away };
                Action::New(NewOrder::limit(name(seq), side, Tick(tick), Qty(1_000)))
            }
            1 if seq.is_multiple_of(5) => {
                let side = if seq.is_multiple_of(10) { Side::Sell } else { Side::Buy };
                let far = if side == Side::Buy { 20_100 } else { 19_900 };
                let order = NewOrder::limit(ClOrdId::NONE, side, Tick(far), Qty(300));
                Action::New(order.with_tif(TimeInForce::ImmediateOrCancel))
            }
            1 => Action::Clock,
            2 => Action::Cancel(Cancel { target: Target::ClOrdId(name(seq - 2 * opening)) }),
            _ => {
                let side = if seq.is_multiple_of(2) { Side::Buy } else { Side::Sell };
                let tick = if side == Side::Buy { 19_950 } else { 20_050 };
                let order = NewOrder::limit(ClOrdId::NONE, side, Tick(tick), Qty(100));
                Action::New(order.with_tif(TimeInForce::FillOrKill))
            }
        },
    };
    Command::new(account, action).stamped(seq, seq)
}

#[test]
fn a_long_journal_is_read_in_flat_memory() {
    let commands: u64 = std::env::var("CENTUM_LONG").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("long-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    let spec = ContractSpec { marking: Marking::External, max_price: Price(5_000_000), ..ContractSpec::XBTUSD_2019 };
    let genesis = Genesis { spec, capacity: Capacity { orders: 1 << 12, ..Capacity::default() } };
    let disk = FileDisk::create(&directory).expect("a directory can be made");
    let mut journal = Writer::create(disk, Options::default(), &genesis).expect("a journal can be made");
    let mut engine = Engine::new(&genesis).expect("it can be traded");
    for seq in 1..=commands {
        let command = command(seq);
        journal.append(&command).expect("there is room");
        engine.apply(&command, &mut Discard);
        if seq.is_multiple_of(4_096) {
            journal.commit(Some(engine.chain())).expect("the disk is good");
        }
    }
    journal.commit(Some(engine.chain())).expect("the disk is good");
    let disk = journal.close().expect("the disk is good");
    let outline = Outline::of(&disk).expect("it is whole");
    say(&format!(
        "estimate: {} commands, {} bytes, {} ms",
        outline.last_seq,
        outline.bytes,
        outline.replay_ns() / 1_000_000
    ));

    let before = memory();
    let began = Instant::now();
    let scan = Scan::of(&disk).expect("it is whole");
    let scanned = began.elapsed();
    // Another engine beside the first; its memory is touched before it counts.
    let mut again = Engine::new(&genesis).expect("it can be traded");
    let mut at_begin = None;
    let mut most = 0;
    replay(&disk, &scan, &mut again, &mut Discard, |engine| {
        if engine.seq() == 20_000 {
            at_begin = memory();
        } else if engine.seq() > 20_000 && engine.seq().is_multiple_of(100_000) {
            most = most.max(memory().unwrap_or(0));
        }
    })
    .expect("it agrees");
    let replayed = began.elapsed() - scanned;
    assert_eq!((again.chain(), again.digest()), (engine.chain(), engine.digest()));
    let each = |time: std::time::Duration| time.as_nanos() as u64 / commands;
    say(&format!(
        "{commands} commands, {} bytes: scan {} ns a command, replay {}; memory {before:?} before, {at_begin:?} after \
         20,000 commands, {most} at most",
        scan.frame_bytes(),
        each(scanned),
        each(replayed)
    ));
    if let (Some(begin), true) = (at_begin, most != 0) {
        assert!(most <= begin + GROWTH_BYTES, "memory grew from {begin} to {most}");
    }
    std::fs::remove_dir_all(&directory).expect("it can be removed");
}
