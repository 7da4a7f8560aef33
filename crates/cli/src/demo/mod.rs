//! `centum demo`: a minute of market that ends in a cascade, told as a story.
//!
//! In    a seed and how many accounts.
//! Out   who holds what, who falls, what the fund pays, who is deleveraged, and every satoshi of it.
//! Laws  SUM-1 to SUM-7 after every mark; the ledger is the engine's balances, book by book.
//!
//! `cast` says who takes part, `script` what they try and when. What comes of it is the engine's: `beats`
//! gathers its facts into scenes, `story` puts them into words, `ledger` and `laws` add them up. Every number
//! told is one of an event or of the engine's state.

mod beats;
mod cast;
mod dice;
mod laws;
mod ledger;
mod market;
mod ranking;
mod script;
mod story;
mod words;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use contract::Xbt;
use serde::Serialize;

use crate::error::Error;

use self::beats::Counts;
use self::cast::{Cast, Person};
use self::dice::Dice;
use self::laws::{Law, laws};
use self::ledger::{Balance, Row, Why};
use self::market::Market;
use self::script::{Moment, Played, play};
use self::story::{Section, Story};
use self::words::{PAGE, grouped, wrapped, xbt};

/// Tells a minute of market: leverage, a cascade, the insurance fund, deleveraging, and where every satoshi went.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct Args {
    /// The same seed tells the same story.
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// Accounts.
    #[arg(
        long,
        default_value_t = Cast::USUAL,
        value_parser = clap::value_parser!(u64).range(Cast::FEWEST..=Cast::MOST)
    )]
    pub accounts: u64,
    /// Prints one JSON object instead of the story.
    #[arg(long)]
    pub json: bool,
}

/// One account before and after. Amounts are in XBt.
#[derive(Clone, Debug, Serialize)]
struct Fate {
    account: u32,
    name: String,
    is_named: bool,
    leverage: String,
    deposited: i64,
    position_opened: i64,
    wallet_opened: i64,
    position: i64,
    wallet: i64,
    margin_balance: i64,
    fates: Vec<&'static str>,
}

/// A place in the ranking at the gap.
#[derive(Clone, Debug, Serialize)]
struct RankedAt {
    account: u32,
    size: u64,
    lights: u64,
}

/// What `--json` prints: `centum.demo/1`.
#[derive(Clone, Debug, Serialize)]
struct Report {
    schema: &'static str,
    seed: u64,
    accounts: u64,
    counts: Counts,
    ranking: Vec<RankedAt>,
    /// In the order in which each was deleveraged first.
    deleveraged: Vec<u32>,
    fund_xbt: i64,
    fees_xbt: i64,
    people: Vec<Fate>,
    ledger: Vec<Row>,
    books: Vec<Balance>,
    laws: Vec<Law>,
    broken: Option<String>,
    chain: String,
    digest: String,
}

/// Tells the story and returns the exit code: 0 all well, 3 a broken law.
pub fn run(args: &Args) -> ExitCode {
    let (report, sections) = tell(args);
    let mut out = std::io::stdout().lock();
    let text = if args.json {
        let mut text = serde_json::to_string(&report).expect("a report is plain JSON");
        text.push('\n');
        text
    } else {
        page(&sections, std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none())
    };
    // A reader that has seen enough closes the pipe: no error.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match report.broken {
        None => ExitCode::SUCCESS,
        Some(law) => {
            let error = Error::Law(law);
            eprintln!("centum: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn tell(args: &Args) -> (Report, Vec<Section>) {
    let mut dice = Dice::new(args.seed);
    let cast = Cast::draw(&mut dice, args.accounts);
    let mut market = Market::open(args.accounts);
    let mut story = Story::new(cast);
    let played = play(&mut market, &mut story, &mut dice);
    market.check();
    let laws = laws(&market.engine, market.ledger.deposited(), |account| story.cast.name(account));
    let people = fates(&market, &story, &played);
    let broken_law = laws.iter().find(|law| !law.holds).map(|law| format!("{}: {}", law.law, law.text));
    let report = Report {
        schema: "centum.demo/1",
        seed: args.seed,
        accounts: args.accounts,
        counts: story.reader.counts.clone(),
        ranking: played
            .ranking
            .iter()
            .map(|place| RankedAt { account: place.account.0, size: place.size.0, lights: place.lights })
            .collect(),
        deleveraged: story.reader.deleveraged.iter().map(|account| account.0).collect(),
        fund_xbt: market.engine.insurance().0,
        fees_xbt: market.engine.wallet(contract::AccountId::FEES).map_or(0, |wallet| wallet.balance.0),
        people,
        ledger: market.ledger.rows(),
        books: market.ledger.balances(&market.engine),
        laws,
        broken: market.broken.clone().or(broken_law),
        chain: format!("{:016x}", market.engine.chain()),
        digest: format!("{:016x}", market.engine.digest()),
    };
    tell_aftermath(&mut story, &report);
    tell_ledger(&mut story, &report);
    tell_laws(&mut story, &report);
    (report, story.sections)
}

fn fates(market: &Market, story: &Story, played: &Played) -> Vec<Fate> {
    let moments = played.opened.iter().zip(&played.ended);
    story
        .cast
        .people
        .iter()
        .zip(moments)
        .map(|(person, (opened, ended)): (&Person, (&Moment, &Moment))| Fate {
            account: person.account.0,
            name: person.name.clone(),
            is_named: person.is_named,
            leverage: person.leverage_text(),
            deposited: market.ledger.deposited_by(person.account).0,
            position_opened: opened.position,
            wallet_opened: opened.wallet.0,
            position: ended.position,
            wallet: ended.wallet.0,
            margin_balance: ended.margin_balance.0,
            fates: story.fates.get(&person.account).cloned().unwrap_or_default(),
        })
        .collect()
}

fn tell_aftermath(story: &mut Story, report: &Report) {
    story.section("THE AFTERMATH");
    story.line(
        "Wallets in XBT, after the opening and after the minute; result = wallet + unrealised - deposits.".into(),
    );
    story.line(String::new());
    story.line(format!(
        "{:<8}{:>6}{:>11}{:>11}{:>15}{:>15}{:>13}  {}",
        "", "", "position", "after", "wallet", "after", "result", "fate"
    ));
    for person in report.people.iter().filter(|person| person.is_named) {
        story.line(format!(
            "{:<8}{:>6}{:>11}{:>11}{:>15}{:>15}{:>13}  {}",
            person.name,
            person.leverage,
            grouped(person.position_opened),
            grouped(person.position),
            xbt(Xbt(person.wallet_opened)),
            xbt(Xbt(person.wallet)),
            xbt(Xbt(person.margin_balance - person.deposited)),
            fate_of(person),
        ));
    }
    for (what, is_long) in [("crowd longs", true), ("crowd shorts", false)] {
        let crowd = report.people.iter().filter(|it| !it.is_named && (it.position_opened > 0) == is_long);
        let (mut rows, mut liquidated, mut deleveraged) = ([0i64; 5], 0, 0);
        for person in crowd {
            let result = person.margin_balance - person.deposited;
            let parts = [person.position_opened, person.position, person.wallet_opened, person.wallet, result];
            for (sum, part) in rows.iter_mut().zip(parts) {
                *sum += part;
            }
            liquidated += u64::from(person.fates.contains(&"liquidated"));
            deleveraged += u64::from(person.fates.contains(&"deleveraged"));
        }
        story.line(format!(
            "{what:<14}{:>11}{:>11}{:>15}{:>15}{:>13}  {}",
            grouped(rows[0]),
            grouped(rows[1]),
            xbt(Xbt(rows[2])),
            xbt(Xbt(rows[3])),
            xbt(Xbt(rows[4])),
            if is_long { format!("{liquidated} liquidated") } else { format!("{deleveraged} deleveraged") },
        ));
    }
}

/// What became of an account, in a few words.
fn fate_of(person: &Fate) -> String {
    match (person.fates.as_slice(), person.position) {
        ([], position) if position == person.position_opened => "holds".to_owned(),
        ([], _) => "trades".to_owned(),
        (fates, _) => fates.join(", "),
    }
}

fn tell_ledger(story: &mut Story, report: &Report) {
    story.section("THE LEDGER");
    story.line("Every satoshi of the minute and where it went, in XBt (1 XBT = 100,000,000 XBt).".into());
    story.line(String::new());
    story.line(format!("{:<30}{:<21}{:<21}{:>7}{:>21}", "", "from", "to", "entries", "XBt"));
    for row in &report.ledger {
        story.line(format!(
            "{:<30}{:<21}{:<21}{:>7}{:>21}",
            row.reason,
            row.from,
            row.to,
            grouped(row.entries),
            grouped(row.xbt)
        ));
    }
    story.line(String::new());
    story.line(format!("{:<30}{:>21}{:>21}{:>10}", "what each book holds", "by the ledger", "by the engine", ""));
    let (mut ledger, mut engine) = (0, 0);
    for book in &report.books {
        ledger += book.ledger;
        engine += book.engine;
        let verdict = if book.ledger == book.engine { "equal" } else { "DIFFERS" };
        story.line(format!("{:<30}{:>21}{:>21}{verdict:>10}", book.book, grouped(book.ledger), grouped(book.engine)));
    }
    let verdict = if (ledger, engine) == (0, 0) { "zero" } else { "NOT ZERO" };
    story.line(format!("{:<30}{:>21}{:>21}{verdict:>10}", "together", grouped(ledger), grouped(engine)));
    story.line(String::new());
    let of =
        |why: Why| -> i128 { report.ledger.iter().filter(|row| row.reason == why.name()).map(|row| row.xbt).sum() };
    let longs = of(Why::ProfitOfLongs) - of(Why::LossOfLongs);
    let shorts = of(Why::ProfitOfShorts) - of(Why::LossOfShorts);
    let fund = of(Why::FundGains) - of(Why::FundPays);
    story.line(wrapped(
        "",
        &format!(
            "Without fees, longs realised {}, shorts {} and the fund {}: together {}, the other side of which stands in \
             positions still open. Traders paid {} in fees, the liquidated {}, and makers got {} back.",
            grouped(longs),
            grouped(shorts),
            grouped(fund),
            grouped(longs + shorts + fund),
            grouped(of(Why::Fee)),
            grouped(of(Why::LiquidationFee)),
            grouped(of(Why::Rebate)),
        ),
    ));
}

fn tell_laws(story: &mut Story, report: &Report) {
    story.section("THE LAWS");
    for law in &report.laws {
        let verdict = if law.holds { "holds " } else { "BROKEN" };
        story.line(wrapped(&format!("{}  {verdict}  ", law.law), &law.text));
    }
    let counts = &report.counts;
    story.line(String::new());
    story.line(wrapped(
        "",
        &format!(
            "{} commands, {} refused; {} trades; {} fell due, {} cured, {} taken over; {} close-out fills, {} draws on \
             the fund, {} deleveragings. Seed {}, chain {}, digest {}: the same on every machine.",
            grouped(counts.commands),
            grouped(counts.refused),
            grouped(counts.trades),
            grouped(counts.fell_due),
            grouped(counts.cured),
            grouped(counts.takeovers),
            grouped(counts.close_out_fills),
            grouped(counts.fund_draws),
            grouped(counts.deleveragings),
            report.seed,
            report.chain,
            report.digest,
        ),
    ));
}

/// The sections one under the other; headings in bold on a terminal.
fn page(sections: &[Section], is_bold: bool) -> String {
    let mut out = String::new();
    for section in sections {
        if !out.is_empty() {
            out.push('\n');
        }
        let rule = "-".repeat(PAGE - 1 - section.title.chars().count());
        let (on, off) = if is_bold { ("\u{1b}[1m", "\u{1b}[0m") } else { ("", "") };
        out.push_str(&format!("{on}{}{off} {rule}\n", section.title));
        for line in &section.lines {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use contract::command::{Amount, OpenAccount};
    use contract::{AccountId, Action};

    use super::ledger::Ledger;
    use super::*;

    /// SUM-5: a satoshi that the ledger does not know is found, and so is one that never came in.
    #[test]
    fn a_satoshi_that_is_missing_is_a_broken_law() {
        let mut market = Market::open(Cast::FEWEST);
        let account = AccountId::FIRST_TRADER;
        market.apply(account, Action::OpenAccount(OpenAccount::default()));
        market.apply(account, Action::Deposit(Amount { amount: Xbt(1) }));
        market.check();
        assert_eq!(market.broken, None);
        assert!(laws(&market.engine, 1, |_| String::new()).iter().all(|law| law.holds));
        let broken: Vec<_> = laws(&market.engine, 2, |_| String::new()).into_iter().filter(|law| !law.holds).collect();
        assert_eq!(broken.iter().map(|law| law.law).collect::<Vec<_>>(), ["SUM-5"]);
        market.ledger = Ledger::default();
        market.check();
        let told = market.broken.expect("it is found");
        assert!(told.ends_with("law 8: the ledger has 0 XBt in 4, the engine 1"), "{told}");
    }
}
