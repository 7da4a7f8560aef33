//! The story: scenes become sentences, with every number from an event or from the engine.

use std::collections::BTreeMap;

use contract::liquidation::close_out_tick;
use contract::{AccountId, Event, Fact, Price, Xbt, event};

use super::beats::{Beat, Due, End, Reader, Sales, Sweep};
use super::cast::{Cast, Person};
use super::market::Market;
use super::words::{at_tick, counted, grouped, listed, on_grid, usd, wrapped, xbt};

/// A heading and what is told under it.
#[derive(Clone, Debug)]
pub struct Section {
    pub title: String,
    pub lines: Vec<String>,
}

/// Tells what happens as it happens.
pub struct Story {
    pub cast: Cast,
    pub sections: Vec<Section>,
    pub reader: Reader,
    /// What became of whom, in the order in which it did.
    pub fates: BTreeMap<AccountId, Vec<&'static str>>,
    /// When the last line was told: a time is not repeated within a section.
    last_clock: String,
    /// State events, as of the last command.
    wallets: BTreeMap<AccountId, event::Wallet>,
}

impl Story {
    pub fn new(cast: Cast) -> Story {
        let (fates, wallets) = (BTreeMap::new(), BTreeMap::new());
        let last_clock = String::new();
        Story { cast, sections: Vec::new(), reader: Reader::default(), fates, last_clock, wallets }
    }

    /// Begins a section.
    pub fn section(&mut self, title: &str) {
        self.last_clock.clear();
        self.sections.push(Section { title: title.to_owned(), lines: Vec::new() });
    }

    /// A line as it is.
    pub fn line(&mut self, text: String) {
        self.sections.last_mut().expect("a section was begun").lines.push(text);
    }

    /// A line of prose at a time of day.
    pub fn say(&mut self, market: &Market, text: &str) {
        let clock = market.clock();
        if clock == self.last_clock {
            return self.and(text);
        }
        self.line(wrapped(&format!("{clock}  "), text));
        self.last_clock = clock;
    }

    /// A line of prose that goes on at the same time.
    pub fn and(&mut self, text: &str) {
        self.line(wrapped("          ", text));
    }

    /// Takes the events of a command, tells what is worth telling, and gives the scenes.
    pub fn tell(&mut self, market: &Market, events: &[Event]) -> Vec<Beat> {
        let beats = self.reader.read(events);
        self.tell_beats(market, &beats);
        for event in events {
            if let Some(Fact::Wallet(wallet)) = event.fact() {
                self.wallets.insert(event.account(), wallet);
            }
        }
        beats
    }

    fn tell_beats(&mut self, market: &Market, beats: &[Beat]) {
        // Neighbours of the crowd share a line; whoever has a name ends it.
        let mut crowd: Vec<&Due> = Vec::new();
        for beat in beats {
            let is_crowd = matches!(beat, Beat::Due(due) if !self.cast.is_named(due.account));
            let is_silent = match beat {
                Beat::Uncovered { account, .. } | Beat::Refused { account, .. } => !self.cast.is_named(*account),
                _ => false,
            };
            if !is_crowd && !is_silent {
                self.tell_crowd(market, &mut crowd);
            }
            match beat {
                Beat::Due(due) => {
                    let fate = match due.end {
                        End::Cured => "cured",
                        End::TakenOver { .. } => "liquidated",
                        End::Open => continue,
                    };
                    self.fates.entry(due.account).or_default().push(fate);
                    if self.cast.is_named(due.account) {
                        let text = self.due_text(market, due);
                        self.say(market, &text);
                    } else {
                        crowd.push(due);
                    }
                }
                Beat::Bought { lot, by, sales } => {
                    let text = self.bought_text(market, *lot, *by, sales);
                    self.say(market, &text);
                }
                Beat::Shortfall { account, paid } => {
                    let name = self.cast.name(*account);
                    let text =
                        format!("{name} is flat and below zero: the fund pays {} XBT into the wallet.", xbt(*paid));
                    self.say(market, &text);
                }
                Beat::Uncovered { account, orders } if self.cast.is_named(*account) => {
                    let name = self.cast.name(*account);
                    let whose = self.cast.find(*account).map_or("its", |person| person.possessive);
                    let orders = match *orders {
                        1 => "newest order to open is".to_owned(),
                        many => format!("{many} newest orders to open are"),
                    };
                    let text = format!("{name} has no margin available any more: {whose} {orders} cancelled.");
                    self.say(market, &text);
                }
                Beat::Refused { account, refusal } if self.cast.is_named(*account) => {
                    let words = refusal.reject().map_or("unknown", |reject| reject.text());
                    let words = words.replace("N XBt", &format!("{} XBt", grouped(refusal.detail)));
                    let text = format!("{} is refused: \"{words}\".", self.cast.name(*account));
                    self.say(market, &text);
                }
                Beat::Sweep(_) | Beat::Uncovered { .. } | Beat::Refused { .. } => {}
            }
        }
        self.tell_crowd(market, &mut crowd);
    }

    fn tell_crowd(&mut self, market: &Market, crowd: &mut Vec<&Due>) {
        let text = match crowd.as_slice() {
            [] => return,
            [one] => self.due_text(market, one),
            several => self.crowd_text(market, several),
        };
        self.say(market, &text);
        crowd.clear();
    }

    fn due_text(&self, market: &Market, due: &Due) -> String {
        let spec = market.engine.spec();
        let Some(person) = self.cast.find(due.account) else { return String::new() };
        let Person { name, possessive, .. } = person;
        let mark = market.engine.mark().unwrap_or(Price::NONE);
        let direction = if due.qty > 0 { "long" } else { "short" };
        let mut text = format!(
            "{name}'s {direction} of {} {} falls due: mark {}, liquidation price {}.",
            grouped(due.qty.unsigned_abs()),
            if person.leverage.is_cross() { "in cross".to_owned() } else { format!("at {}", person.leverage_text()) },
            usd(mark),
            on_grid(spec, due.liquidation_price),
        );
        let cancelled = match due.cancelled {
            0 => String::new(),
            1 => format!("{possessive} order is cancelled"),
            many => format!("{possessive} {many} orders are cancelled"),
        };
        match &due.end {
            End::Open => {}
            End::Cured => {
                let freed = self.wallets.get(&due.account).map_or(Xbt::ZERO, |wallet| wallet.order_margin);
                let now = market.engine.position(due.account).map_or(Price::NONE, |it| it.liquidation_price);
                text += &format!(
                    " {}, which frees {} XBT of order margin; that moves the liquidation price to {}. {name} is cured.",
                    capital(&cancelled),
                    xbt(freed),
                    on_grid(spec, now),
                );
            }
            End::TakenOver { price, fee, lot, sales } => {
                if !cancelled.is_empty() {
                    text += &format!(" {};", capital(&cancelled));
                }
                let start = if cancelled.is_empty() { "The" } else { "the" };
                text += &format!(" {start} liquidation account takes over at {}, the bankruptcy price", usd(*price));
                text += &match *fee {
                    Xbt::ZERO => ".".to_owned(),
                    fee => format!(" (fee {} XBT).", xbt(fee)),
                };
                text += &self.sales_text(market, sales, due.qty.unsigned_abs(), *lot);
                let left = market.engine.wallet(due.account).map_or(Xbt::ZERO, |wallet| wallet.balance);
                text += &format!(" {name} keeps {} XBT.", xbt(left));
            }
        }
        text
    }

    /// What became of a new lot in the book.
    fn sales_text(&self, market: &Market, sales: &Sales, qty: u64, lot: u64) -> String {
        let spec = market.engine.spec();
        let mut text = self.sold_text(market, sales, qty);
        let left = qty - sales.qty.0;
        if left > 0 {
            let tick = self.reader.lots.get(&lot).and_then(|lot| close_out_tick(spec, lot.is_long, lot.unit_value));
            let price = tick.map_or("no price on the scale".to_owned(), |tick| at_tick(spec, tick));
            text += &match sales.qty.0 {
                0 => format!(" Nobody bids that much: it rests to sell at {price}."),
                _ => format!(" {} rest to sell at {price}.", grouped(left)),
            };
        }
        text
    }

    /// What of `qty` was sold in the book, to whom, at what gain of the fund.
    fn sold_text(&self, market: &Market, sales: &Sales, qty: u64) -> String {
        let (Some(high), Some(low)) = (sales.highest, sales.lowest) else { return String::new() };
        let spec = market.engine.spec();
        let buyers: Vec<String> = sales.parties.iter().map(|&party| self.cast.name(party)).collect();
        let all = if sales.qty.0 == qty { "All of it is" } else { &format!("{} are", grouped(sales.qty.0)) };
        let down_to = if high == low { String::new() } else { format!(" down to {}", at_tick(spec, low)) };
        format!(
            " {all} sold at {}{down_to} to {}: {} XBT for the fund.",
            at_tick(spec, high),
            listed(&buyers),
            xbt(sales.gain),
        )
    }

    /// Those without a line of their own, in one.
    fn crowd_text(&self, market: &Market, dues: &[&Due]) -> String {
        let spec = market.engine.spec();
        let qty: u64 = dues.iter().map(|due| due.qty.unsigned_abs()).sum();
        let cancelled: u64 = dues.iter().map(|due| due.cancelled).sum();
        let prices = dues.iter().map(|due| due.liquidation_price);
        let (lowest, highest) = (prices.clone().min().unwrap_or_default(), prices.max().unwrap_or_default());
        let mut sales = Sales::default();
        let mut taken_over = 0;
        for due in dues {
            if let End::TakenOver { sales: of_lot, .. } = &due.end {
                sales.join(of_lot);
                taken_over += 1;
            }
        }
        let at = if lowest == highest {
            format!("liquidation price {}", on_grid(spec, highest))
        } else {
            format!("liquidation prices {} to {}", on_grid(spec, highest), on_grid(spec, lowest))
        };
        let mut text = format!("{} of the crowd fall due, {} contracts in all: {at}", dues.len(), grouped(qty));
        if cancelled > 0 {
            text += &format!(", {} cancelled", counted(cancelled, "order"));
        }
        text +=
            &if taken_over == dues.len() { "; taken over.".to_owned() } else { format!("; {taken_over} taken over.") };
        text += &self.sold_text(market, &sales, qty);
        let left = qty - sales.qty.0;
        if left > 0 {
            text += &format!(" {} find no bid and rest.", grouped(left));
        }
        text
    }

    fn bought_text(&self, market: &Market, lot: u64, by: AccountId, sales: &Sales) -> String {
        let owner = self.reader.lots.get(&lot).map_or(AccountId::NONE, |lot| lot.owner);
        format!(
            "{} buys {} of the lot that was {}'s at {}: {} XBT for the fund.",
            self.cast.name(by),
            grouped(sales.qty.0),
            self.cast.name(owner),
            at_tick(market.engine.spec(), sales.highest.unwrap_or_default()),
            xbt(sales.gain),
        )
    }

    /// A lot that the fund sweeps, where it could pay for anything.
    pub fn sweep_text(&self, market: &Market, sweep: &Sweep) -> Option<String> {
        let spec = market.engine.spec();
        let (high, low) = (sweep.sales.highest?, sweep.sales.lowest?);
        let buyers: Vec<String> = sweep.sales.parties.iter().map(|&party| self.cast.name(party)).collect();
        let whose = self.cast.name(sweep.owner);
        let down_to = if high == low { String::new() } else { format!(" down to {}", at_tick(spec, low)) };
        let price = match sweep.sales.gain {
            gain if gain < Xbt::ZERO => format!("the fund pays {} XBT", xbt(-gain)),
            gain => format!("{} XBT for the fund", xbt(gain)),
        };
        Some(format!(
            "{whose}'s lot of {}, bankrupt at {}: {} sold to {} at {}{down_to}; {price}.",
            grouped(sweep.qty.unsigned_abs()),
            usd(sweep.bankruptcy_price),
            grouped(sweep.sales.qty.0),
            listed(&buyers),
            at_tick(spec, high),
        ))
    }
}

/// With a capital letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
