//! The minute: who does what when. What comes of it is the engine's.
//!
//! Prices are parts of the first mark and sizes parts of what they are worth there, so that the same happens at
//! every price; what is drawn is drawn within bounds that leave it so.

use contract::command::{Amount, CancelAll, OpenAccount, SetLeverage};
use contract::value::value;
use contract::view::{View, view};
use contract::{
    AccountId, Action, CancelReason, Event, ExecInst, Fact, FillCause, Leverage, LiquidationStep, Price, Qty, Rate,
    Side, Tick, TimeInForce, Xbt,
};
use engine::Engine;

use super::beats::{Beat, Sales, Sweep};
use super::cast::{Cast, Person, Role, opening_side};
use super::dice::Dice;
use super::market::Market;
use super::ranking::{Place, ranking};
use super::story::Story;
use super::words::{at_tick, counted, grouped, listed, on_grid, usd, xbt};

/// Parts of a price, in a millionth.
const MILLION: u64 = 1_000_000;
/// Second after 14:00:00 and how far below the first mark, in millionths: slowly down by 1.8 %.
const PATH: [(u64, u64); 16] = [
    (12, 500),
    (14, 300),
    (16, 1_500),
    (18, 3_000),
    (20, 2_500),
    (22, 4_500),
    (24, 6_300),
    (26, 7_500),
    (28, 7_000),
    (30, 9_500),
    (32, 11_500),
    (34, 13_000),
    (36, 14_300),
    (38, 16_000),
    (40, 17_500),
    (42, 17_000),
];
/// How far a mark may lie beside the path.
const JITTER: u64 = 200;
/// When the story pauses to say what was traded.
const PAUSES: [u64; 4] = [20, 30, 38, 42];
/// The gap, in millionths of the first mark: a tenth below the mark before it, and so that the fund may pay for Stella's
/// bids. (Rule LIQ-7)
const GAP: (u64, u64) = (115_500, 119_500);
/// Lots of the crowd whose sweep is told one by one.
const SWEEPS_TOLD: usize = 5;
/// Second of the gap.
const GAP_SECOND: u64 = 48;
/// Nora's bid, Stella's bids, Clara's bids, and take-profits, in millionths below (or above) the first mark.
const NORAS_BID: u64 = 24_000;
const STELLAS_BIDS: [u64; 3] = [119_600, 119_750, 119_900];
const CLARAS_BIDS: [u64; 3] = [180_000, 181_000, 182_000];
const FAR_BELOW: u64 = 160_000;
const FAR_ABOVE: u64 = 30_000;

/// An account at a moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moment {
    pub wallet: Xbt,
    pub position: i64,
    /// Wallet and unrealised PnL.
    pub margin_balance: Xbt,
}

/// What the story found out that is printed after it.
pub struct Played {
    /// Everybody after the opening, by place in the cast.
    pub opened: Vec<Moment>,
    /// Everybody at the end.
    pub ended: Vec<Moment>,
    /// The ranking at the gap.
    pub ranking: Vec<Place>,
}

/// Plays the minute.
pub fn play(market: &mut Market, story: &mut Story, dice: &mut Dice) -> Played {
    prepare(market, story);
    open(market, story, dice);
    let opened = everybody(market, &story.cast);
    trade(market, story, dice);
    let ranking = gap(market, story, dice);
    end(market, story, dice);
    Played { opened, ended: everybody(market, &story.cast), ranking }
}

fn everybody(market: &Market, cast: &Cast) -> Vec<Moment> {
    cast.people.iter().map(|person| moment(&market.engine, person.account)).collect()
}

fn moment(engine: &Engine, account: AccountId) -> Moment {
    let Some((shown, wallet, position)) = shown(engine, account) else { return Moment::default() };
    Moment { wallet, position, margin_balance: shown.margin_balance }
}

fn shown(engine: &Engine, account: AccountId) -> Option<(View, Xbt, i64)> {
    let (wallet, position) = (engine.wallet(account)?, engine.position(account)?);
    let shown = view(engine.spec(), Rate::ZERO, &wallet, &position, engine.mark()?);
    Some((shown, wallet.balance, position.qty))
}

/// A price so many millionths below the first mark.
fn below(cast: &Cast, millionths: u64) -> Price {
    Price(cast.start.0 * (MILLION - millionths) / MILLION)
}

/// The tick at or below a price.
fn tick(market: &Market, price: Price) -> Tick {
    Tick((price.0 / market.engine.spec().tick_size.0) as u32)
}

/// What the contracts are worth at the first mark.
fn worth(market: &Market, cast: &Cast, qty: u64) -> i64 {
    value(market.engine.spec(), Qty(qty), cast.start).0
}

/// Accounts, deposits, leverage, the fund, the first mark.
fn prepare(market: &mut Market, story: &mut Story) {
    market.before_opening(10_000);
    let cast = story.cast.clone();
    let send = |market: &mut Market, story: &mut Story, account, action| {
        let events = market.apply(account, action);
        story.reader.read(&events);
    };
    for person in &cast.people {
        let Person { account, leverage, .. } = *person;
        let stake = worth(market, &cast, person.qty);
        let deposit = Amount { amount: Xbt(stake * person.deposit as i64 / 10_000) };
        send(market, story, account, Action::OpenAccount(OpenAccount { fee_class: 0 }));
        send(market, story, account, Action::Deposit(deposit));
        if leverage != Leverage::CROSS {
            send(market, story, account, Action::SetLeverage(SetLeverage { leverage }));
        }
        if matches!(person.role, Role::Maker | Role::Bargain) {
            send(market, story, account, Action::SetRiskLimit(Amount { amount: Xbt(3 * stake) }));
        }
    }
    // 1.2 % of what Wes, the largest of those who will fall, holds.
    let fund = worth(market, &cast, cast.named("Wes").qty) * 12 / 1_000 * cast.scale as i64;
    send(market, story, AccountId::NONE, Action::FundInsurance(Amount { amount: Xbt(fund) }));
    let first = Action::Mark(contract::command::Mark { price: cast.start });
    send(market, story, AccountId::NONE, first);
    market.check();
}

/// Shorts offer, longs take; the makers stand behind them.
fn open(market: &mut Market, story: &mut Story, dice: &mut Dice) {
    market.at(0);
    let cast = story.cast.clone();
    let start = tick(market, cast.start);
    let (rest, at_once) = (TimeInForce::GoodTillCancel, TimeInForce::ImmediateOrCancel);
    for maker in cast.all(Role::Maker) {
        let qty = 200_000 * cast.scale;
        let events = market.limit(maker.account, Side::Sell, Tick(start.0 + 10), qty, rest, ExecInst::NONE);
        story.tell(market, &events);
    }
    let mut ms = 0;
    for role in [Role::Short, Role::Long] {
        for person in cast.all(role) {
            ms += dice.within(1, (8_000 / cast.people.len() as u64).max(1));
            market.at(ms);
            let (side, away, tif) = match role {
                Role::Short => (opening_side(role), dice.within(1, 8) as u32, rest),
                _ => (opening_side(role), 12, at_once),
            };
            let events = market.limit(person.account, side, Tick(start.0 + away), person.qty, tif, ExecInst::NONE);
            story.tell(market, &events);
        }
    }
    market.at(9_000);
    for person in cast.people.iter().filter(|person| matches!(person.role, Role::Short | Role::Maker)) {
        let events = market.apply(person.account, Action::CancelAll(CancelAll::default()));
        story.tell(market, &events);
    }
    leave_orders(market, story);
    market.at(10_000);
    quote(market, story, cast.start);
    market.check();
    tell_opening(market, story);
}

/// Orders that wait: take-profits, bids far below.
fn leave_orders(market: &mut Market, story: &mut Story) {
    let cast = story.cast.clone();
    let rest = TimeInForce::GoodTillCancel;
    let far_above = tick(market, Price(cast.start.0 * (MILLION + FAR_ABOVE) / MILLION));
    let far_below = tick(market, below(&cast, FAR_BELOW));
    let (none, reduce) = (ExecInst::NONE, ExecInst::REDUCE_ONLY);
    let mut orders = Vec::new();
    let dora = cast.named("Dora");
    orders.push((dora.account, Side::Sell, far_above, dora.qty / 2, reduce));
    orders.push((dora.account, Side::Buy, far_below, dora.qty / 10, none));
    for name in ["Sven", "Olga"] {
        let short = cast.named(name);
        orders.push((short.account, Side::Buy, far_below, short.qty / 2, reduce));
    }
    let clara = cast.named("Clara");
    for depth in CLARAS_BIDS {
        // Together worth twice her position at their prices.
        orders.push((clara.account, Side::Buy, tick(market, below(&cast, depth)), clara.qty * 5_486 / 10_000, none));
    }
    for stella in cast.all(Role::Bargain) {
        for depth in STELLAS_BIDS {
            orders.push((stella.account, Side::Buy, tick(market, below(&cast, depth)), stella.qty / 3, none));
        }
    }
    for nora in cast.all(Role::Forgetful) {
        orders.push((nora.account, Side::Buy, tick(market, below(&cast, NORAS_BID)), nora.qty, none));
    }
    for (account, side, tick, qty, inst) in orders {
        let events = market.limit(account, side, tick, qty, rest, inst);
        story.tell(market, &events);
    }
}

/// Both makers quote both sides around a mark, and only there.
fn quote(market: &mut Market, story: &mut Story, mark: Price) {
    let makers: Vec<AccountId> = story.cast.all(Role::Maker).map(|maker| maker.account).collect();
    let middle = tick(market, mark).0;
    pull(market, story);
    for (place, account) in makers.into_iter().enumerate() {
        for away in [3, 7, 12] {
            let away = away + place as u32;
            for (side, tick) in [(Side::Buy, middle - away), (Side::Sell, middle + 1 + away)] {
                let qty = 80_000 * story.cast.scale;
                let (tif, inst) = (TimeInForce::GoodTillCancel, ExecInst::POST_ONLY);
                let events = market.limit(account, side, Tick(tick), qty, tif, inst);
                story.tell(market, &events);
            }
        }
    }
}

/// Both makers cancel all they have; gives how many orders and contracts that was.
fn pull(market: &mut Market, story: &mut Story) -> (u64, u64) {
    let makers: Vec<AccountId> = story.cast.all(Role::Maker).map(|maker| maker.account).collect();
    let mut gone = (0, 0);
    for account in makers {
        let events = market.apply(account, Action::CancelAll(CancelAll::default()));
        for event in &events {
            if let Some(Fact::Canceled(order)) = event.fact()
                && order.cancel_reason() == Some(CancelReason::Requested)
            {
                gone = (gone.0 + 1, gone.1 + order.leaves.0);
            }
        }
        story.tell(market, &events);
    }
    gone
}

fn tell_opening(market: &Market, story: &mut Story) {
    let spec = market.engine.spec();
    let cast = story.cast.clone();
    let named = cast.people.iter().filter(|person| person.is_named).count();
    story.section("THE OPENING");
    story.say(
        market,
        &format!(
            "The mark is {}. {} accounts, {} of them by name below; they have deposited {} XBT. \
             The insurance fund holds {} XBT.",
            usd(market.engine.mark().unwrap_or_default()),
            grouped(cast.people.len() as u64),
            named,
            xbt(Xbt(market.ledger.moved(super::ledger::Why::Deposit) as i64)),
            xbt(market.engine.insurance()),
        ),
    );
    story.line(String::new());
    story.line(format!(
        "{:<14}{:>8}{:>12}{:>11}{:>12}{:>12}{:>16}{:>8}",
        "", "leverage", "position", "entry", "liquidation", "bankruptcy", "wallet XBT", "orders"
    ));
    let orders = open_orders(&market.engine);
    let row = |name: &str, leverage: &str, account: AccountId| {
        let Some((shown, wallet, position)) = shown(&market.engine, account) else { return String::new() };
        let count = orders.iter().filter(|&&owner| owner == account).count();
        format!(
            "{name:<14}{leverage:>8}{:>12}{:>11}{:>12}{:>12}{:>16}{:>8}",
            grouped(position),
            shown.average_entry_price.map_or("-".to_owned(), |price| {
                let one = 10i128.pow(price.decimals);
                usd(Price(u64::try_from((price.mantissa * 100 + one / 2) / one).unwrap_or(0)))
            }),
            on_grid(spec, shown.liquidation_price),
            on_grid(spec, shown.bankruptcy_price),
            xbt(wallet),
            count,
        )
    };
    for person in cast.people.iter().filter(|person| person.is_named) {
        story.line(row(&person.name, &person.leverage_text(), person.account));
    }
    for role in [Role::Long, Role::Short] {
        let crowd: Vec<&Person> = cast.all(role).filter(|person| !person.is_named).collect();
        let (mut position, mut wallet) = (0i64, Xbt::ZERO);
        for person in &crowd {
            let at = moment(&market.engine, person.account);
            position += at.position;
            wallet += at.wallet;
        }
        let leverages = crowd.iter().map(|person| person.leverage.0 / 100);
        let (least, most) = (leverages.clone().min().unwrap_or(0), leverages.max().unwrap_or(0));
        let what = if role == Role::Long { "longs" } else { "shorts" };
        story.line(format!(
            "{:<14}{:>8}{:>12}{:>11}{:>12}{:>12}{:>16}{:>8}",
            format!("crowd {} {what}", crowd.len()),
            format!("{least}-{most}x"),
            grouped(position),
            "",
            "",
            "",
            xbt(wallet),
            orders.iter().filter(|owner| crowd.iter().any(|person| person.account == **owner)).count()
        ));
    }
}

/// The owner of every order in the book.
fn open_orders(engine: &Engine) -> Vec<AccountId> {
    let mut owners = Vec::new();
    for side in [Side::Buy, Side::Sell] {
        engine.for_each_order(side, |order| owners.push(order.account));
    }
    owners
}

/// The slow way down: small trades, and those with the most leverage fall first.
fn trade(market: &mut Market, story: &mut Story, dice: &mut Dice) {
    story.section("THE SLOW WAY DOWN");
    let cast = story.cast.clone();
    let mut told = (story.reader.counts.clone(), market.engine.mark().unwrap_or_default(), market.clock());
    market.at(11_000);
    // He has margin for one position, not for two.
    let gus = cast.named("Gus");
    let best = market.engine.best(Side::Sell).unwrap_or_default();
    story.say(market, &format!("Gus wants another {} at {}.", grouped(gus.qty), at_tick(market.engine.spec(), best)));
    let events = market.limit(gus.account, Side::Buy, best, gus.qty, TimeInForce::ImmediateOrCancel, ExecInst::NONE);
    story.tell(market, &events);
    for (second, millionths) in PATH {
        for part in 0..8 {
            market.at(second * 1_000 - 1_800 + part * 200 + dice.within(0, 150));
            small_trade(market, story, dice);
        }
        let mark = below(&cast, millionths + dice.within(0, 2 * JITTER) - JITTER);
        market.at(second * 1_000 - 100);
        quote(market, story, mark);
        market.at(second * 1_000);
        let events = market.mark(mark);
        story.tell(market, &events);
        if PAUSES.contains(&second) {
            told = pause(market, story, told);
        }
    }
}

/// What was traded since the last pause.
fn pause(
    market: &Market,
    story: &mut Story,
    (before, from, since): (super::beats::Counts, Price, String),
) -> (super::beats::Counts, Price, String) {
    let now = story.reader.counts.clone();
    let mark = market.engine.mark().unwrap_or_default();
    let bid = market.engine.best(Side::Buy).unwrap_or_default();
    let text = format!(
        "{} of {} contracts since {since}; mark {} → {}, best bid {}, fund {} XBT.",
        counted(now.trades - before.trades, "trade"),
        grouped(now.traded_contracts - before.traded_contracts),
        usd(from),
        usd(mark),
        at_tick(market.engine.spec(), bid),
        xbt(market.engine.insurance()),
    );
    story.say(market, &text);
    (now, mark, market.clock())
}

/// Somebody of the crowd takes a little from the makers.
fn small_trade(market: &mut Market, story: &mut Story, dice: &mut Dice) {
    let crowd: Vec<AccountId> =
        story.cast.people.iter().filter(|person| !person.is_named).map(|person| person.account).collect();
    let account = dice.pick(&crowd);
    let side = dice.pick(&[Side::Buy, Side::Sell]);
    let qty = dice.within(1, 15) * 100;
    let Some(best) = market.engine.best(side.opposite()) else { return };
    let events = market.limit(account, side, best, qty, TimeInForce::ImmediateOrCancel, ExecInst::NONE);
    story.tell(market, &events);
}

/// The makers leave, and the mark falls through everything.
fn gap(market: &mut Market, story: &mut Story, dice: &mut Dice) -> Vec<Place> {
    story.section("THE GAP");
    market.at(45_000);
    let (orders, contracts) = pull(market, story);
    let makers: Vec<String> = story.cast.all(Role::Maker).map(|maker| maker.name.clone()).collect();
    let bids = bids(&market.engine);
    let held: Vec<String> = bids
        .iter()
        .take(3)
        .map(|(account, tick, qty)| {
            format!("{} for {} at {}", story.cast.name(*account), grouped(*qty), at_tick(market.engine.spec(), *tick))
        })
        .collect();
    let text = format!(
        "{} cancel all their quotes: {} for {} contracts. The best bids left are {}.",
        listed(&makers),
        counted(orders, "order"),
        grouped(contracts),
        listed(&held),
    );
    story.say(market, &text);

    market.at(GAP_SECOND * 1_000);
    let before = market.engine.clone();
    let from = before.mark().unwrap_or_default();
    let fund = before.insurance();
    let to = below(&story.cast, dice.within(GAP.0, GAP.1));
    let fell = (u128::from(from.0 - to.0) * 10_000 / u128::from(from.0)) as u64;
    story.say(market, &format!("mark {} → {} (-{}.{:02} %)", usd(from), usd(to), fell / 100, fell % 100));
    let events = market.mark(to);
    let beats = story.tell(market, &events);
    let sweeps: Vec<Sweep> =
        beats.into_iter().filter_map(|beat| if let Beat::Sweep(sweep) = beat { Some(sweep) } else { None }).collect();
    tell_sweeps(market, story, &sweeps, fund, &events);
    let ranked = ranking(&before, Side::Sell, to);
    tell_deleveraging(market, story, &sweeps, &ranked, &events);
    ranked
}

fn bids(engine: &Engine) -> Vec<(AccountId, Tick, u64)> {
    let mut bids = Vec::new();
    engine.for_each_order(Side::Buy, |order| bids.push((order.account, order.price, order.leaves.0)));
    bids
}

fn is_sweep(fact: &Option<Fact>) -> bool {
    matches!(fact, Some(Fact::Liquidation(step)) if step.step.get() == Some(LiquidationStep::Sweep))
}

/// The fund buys time as long as it can pay.
fn tell_sweeps(market: &Market, story: &mut Story, sweeps: &[Sweep], fund: Xbt, events: &[Event]) {
    story.section("THE SWEEP");
    let lots: u64 = sweeps.iter().map(|sweep| sweep.qty.unsigned_abs()).sum();
    // What the fund holds when the first lot is swept: close-outs before it may have added something.
    let before_the_sweep = events.iter().map(Event::fact).take_while(|fact| !is_sweep(fact));
    let fund = before_the_sweep.fold(fund, |fund, fact| match fact {
        Some(Fact::Insurance(change)) => change.balance,
        _ => fund,
    });
    let text = format!(
        "The mark has passed the bankruptcy of {} with {} contracts. The fund holds {} XBT: it pays for what the \
         bids give below bankruptcy, lot by lot, as far as it reaches.",
        counted(sweeps.len() as u64, "lot"),
        grouped(lots),
        xbt(fund),
    );
    story.say(market, &text);
    let (mut sold, mut others, mut more) = (0, Sales::default(), 0u64);
    for (place, sweep) in sweeps.iter().filter(|sweep| sweep.sales.qty != Qty::ZERO).enumerate() {
        sold += sweep.sales.qty.0;
        if place >= SWEEPS_TOLD && !story.cast.is_named(sweep.owner) {
            others.join(&sweep.sales);
            more += 1;
            continue;
        }
        if let Some(text) = story.sweep_text(market, sweep) {
            story.and(&text);
        }
    }
    if let (Some(high), Some(low)) = (others.highest, others.lowest) {
        let spec = market.engine.spec();
        let down_to = if high == low { String::new() } else { format!(" down to {}", at_tick(spec, low)) };
        story.and(&format!(
            "{} of the crowd: {} sold at {}{down_to}; the fund pays {} XBT.",
            counted(more, "more lot"),
            grouped(others.qty.0),
            at_tick(spec, high),
            xbt(-others.gain),
        ));
    }
    let text = format!(
        "The fund is left with {} XBT, which buys nothing more; {} contracts are left.",
        xbt(market.engine.insurance()),
        grouped(lots - sold),
    );
    story.and(&text);
}

/// The shorts at the top of the ranking give up their profit beyond the lots' bankruptcy.
fn tell_deleveraging(market: &Market, story: &mut Story, sweeps: &[Sweep], ranked: &[Place], events: &[Event]) {
    story.section("THE AUTO-DELEVERAGING");
    let cast = story.cast.clone();
    let mut closed = std::collections::BTreeMap::<AccountId, u64>::new();
    let (mut highest, mut lowest) = (Price::NONE, Price::NONE);
    for event in events {
        if let Some(Fact::Fill(fill)) = event.fact()
            && fill.cause.get() == Some(FillCause::Deleverage)
        {
            *closed.entry(AccountId(fill.maker_account)).or_default() += fill.qty.0;
            let price = Price(fill.price);
            highest = highest.max(price);
            lowest = if lowest == Price::NONE { price } else { lowest.min(price) };
        }
    }
    for &account in closed.keys() {
        story.fates.entry(account).or_default().push("deleveraged");
    }
    let lots = sweeps.iter().filter(|sweep| !sweep.deleveraged.is_empty()).count();
    let text = format!(
        "What is left of {}, {} contracts, is closed against the shorts with the most profit and leverage, from the \
         top of the ranking, at each lot's bankruptcy price ({} to {}) and not at the mark {}. Before it, the {} \
         shorts stood like this; the lights are what each of them saw.",
        counted(lots as u64, "lot"),
        grouped(closed.values().sum::<u64>()),
        usd(highest),
        usd(lowest),
        usd(market.engine.mark().unwrap_or_default()),
        grouped(ranked.len() as u64),
    );
    story.say(market, &text);
    story.line(String::new());
    story.line(format!(
        "{:>4}  {:<11}{:>7}{:>9}{:>11}{:>9}{:>10}{:>11}{:>13}{:>8}",
        "rank", "", "lights", "leverage", "short", "PnL", "effective", "closed", "realised XBT", "orders"
    ));
    let last_closed = ranked.iter().rposition(|place| closed.contains_key(&place.account)).unwrap_or(0);
    let mut skipped = 0u64;
    for (at, place) in ranked.iter().enumerate() {
        let is_told = at < 8 || cast.is_named(place.account) || at == last_closed || at == last_closed + 1;
        if !is_told {
            skipped += 1;
            continue;
        }
        if skipped > 0 {
            story.line(format!("      ... {skipped} of the crowd"));
            skipped = 0;
        }
        let realised = events.iter().find_map(|event| match event.fact() {
            Some(Fact::Position(position)) if event.account() == place.account => Some(position.realised_by_command),
            _ => None,
        });
        let orders = story.reader.deleveraged_orders.get(&place.account).copied().unwrap_or(0);
        story.line(format!(
            "{:>4}  {:<11}{:>7}{:>9}{:>11}{:>8}%{:>9}x{:>11}{:>13}{:>8}",
            at + 1,
            cast.name(place.account),
            place.lights_text(),
            cast.find(place.account).map_or(String::new(), Person::leverage_text),
            grouped(place.size.0),
            format!("{:+}", Signed(place.pnl)),
            place.leverage.map_or("inf".to_owned(), |leverage| leverage.to_string()),
            closed.get(&place.account).map_or("-".to_owned(), |&qty| grouped(qty)),
            realised.map_or("-".to_owned(), xbt),
            if orders == 0 { "-".to_owned() } else { format!("{orders} gone") },
        ));
    }
    if skipped > 0 {
        story.line(format!("      ... {skipped} of the crowd"));
    }
    story.line(String::new());
    let whole = ranked.iter().filter(|place| closed.get(&place.account) == Some(&place.size.0)).count();
    let mut text = format!(
        "{} of {} shorts are deleveraged, {} of them of all they had",
        grouped(closed.len() as u64),
        grouped(ranked.len() as u64),
        grouped(whole as u64),
    );
    text += &match ranked.get(last_closed + 1) {
        Some(next) => format!("; {} and who stands below are spared.", cast.name(next.account)),
        None => ".".to_owned(),
    };
    story.and(&text);
}

/// A number with its sign, plus too.
struct Signed(contract::display::Shown);

impl std::fmt::Display for Signed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if f.sign_plus() && self.0.mantissa > 0 { "+" } else { "" };
        write!(f, "{sign}{}", self.0)
    }
}

/// The makers come back; who bought below sells.
fn end(market: &mut Market, story: &mut Story, dice: &mut Dice) {
    story.section("SECONDS LATER");
    let gap = market.engine.mark().unwrap_or_default();
    for (second, up) in [(50, 0), (53, 4_000), (58, 8_000)] {
        let mark = Price(gap.0 * (MILLION + up + dice.within(0, JITTER)) / MILLION);
        market.at(second * 1_000);
        quote(market, story, mark);
        let events = market.mark(mark);
        story.tell(market, &events);
        if second == 53 {
            bargain(market, story);
        }
    }
    market.at(60_000);
    let spec = market.engine.spec();
    let text = format!(
        "mark {}, best bid {}, best ask {}, fund {} XBT. Nothing waits: {}.",
        usd(market.engine.mark().unwrap_or_default()),
        at_tick(spec, market.engine.best(Side::Buy).unwrap_or_default()),
        at_tick(spec, market.engine.best(Side::Sell).unwrap_or_default()),
        xbt(market.engine.insurance()),
        if market.engine.agenda_is_empty() { "the agenda is empty" } else { "or does it" },
    );
    story.say(market, &text);
}

/// Stella sells a part of what she got.
fn bargain(market: &mut Market, story: &mut Story) {
    let Some(stella) = story.cast.all(Role::Bargain).next().cloned() else { return };
    let held = market.engine.position(stella.account).map_or(0, |position| position.qty);
    let Some(best) = market.engine.best(Side::Buy).filter(|_| held > 1) else { return };
    market.at(55_000);
    let qty = held.unsigned_abs() / 2;
    let tif = TimeInForce::ImmediateOrCancel;
    let events = market.limit(stella.account, Side::Sell, Tick(best.0 - 20), qty, tif, ExecInst::NONE);
    let (mut sold, mut realised) = (0, Xbt::ZERO);
    for event in &events {
        match event.fact() {
            Some(Fact::Fill(fill)) => sold += fill.qty.0,
            Some(Fact::Position(position)) if event.account() == stella.account => {
                realised = position.realised_by_command;
            }
            _ => {}
        }
    }
    story.tell(market, &events);
    let text = format!(
        "The makers quote again. {} sells {} of the {} contracts {} bids caught in the sweep, from {}: {} XBT realised.",
        stella.name,
        grouped(sold),
        grouped(held),
        stella.possessive,
        at_tick(market.engine.spec(), best),
        xbt(realised),
    );
    story.say(market, &text);
}
