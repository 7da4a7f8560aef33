//! One record of each part: the engine's own fields on one side, words on the other. Nothing else of the
//! snapshot knows how the engine keeps its state.

use contract::command::MAX_CONSTITUENTS;
use contract::words::{Coded, Wire, Words};
use contract::{ClOrdId, Leverage, MarketState, Price, Rate, Side, Tick, Xbt};

use crate::account::{Account, DUE, SETTLED_AHEAD, SUSPENDED};
use crate::agenda::{CancelTask, Process, Stage};
use crate::book::{Book, CLOSE_OUT, POST_ONLY, REDUCE_ONLY, Resting};
use crate::engine::Engine;
use crate::funding::Pass;
use crate::index::{Index, Weights};
use crate::liquidation::Lot;
use crate::premium::Premium;
use crate::ranking::{LeftOut, Ranking};

pub(super) const MARKET_WORDS: usize = 17 + INDEX_WORDS;
/// Of the index within the market.
const INDEX_WORDS: usize = 4 + MAX_CONSTITUENTS * 3;
pub(super) const ACCOUNT_WORDS: usize = 9;
pub(super) const LOT_WORDS: usize = 4;
pub(super) const ORDER_WORDS: usize = 11;
pub(super) const RANKING_WORDS: usize = 8;

/// Two halves of a word, the low one first.
const fn halves(word: u64) -> (u32, u32) {
    (word as u32, (word >> 32) as u32)
}

const fn joined(low: u32, high: u32) -> u64 {
    low as u64 | (high as u64) << 32
}

/// What there is once.
#[derive(Clone, Debug)]
pub(super) struct MarketRecord {
    pub(super) mark: Price,
    pub(super) waiting_mark: Price,
    pub(super) next_number: u64,
    pub(super) net_deposits: i128,
    /// None where it is no state there is.
    pub(super) state: Option<MarketState>,
    pub(super) audit_cursor: u64,
    pub(super) rate: Rate,
    pub(super) waiting_rate: Option<Rate>,
    pub(super) next_instant: u64,
    pub(super) pass: Option<Pass>,
    /// Units until all are found whom the mark has made due.
    pub(super) to_find: u64,
    pub(super) premium: Premium,
    pub(super) index: Index,
    pub(super) is_stale: bool,
    pub(super) has_traded: bool,
    /// Nothing unknown was read.
    pub(super) is_known: bool,
}

/// Bits of the market: a pass is open, a rate waits, the mark stands still, the mark comes from trades.
const MARKET_PASS: u32 = 1;
const MARKET_RATE_WAITS: u32 = 2;
const MARKET_STALE: u32 = 4;
const MARKET_TRADED: u32 = 8;

impl MarketRecord {
    pub(super) fn of(engine: &Engine) -> MarketRecord {
        MarketRecord {
            mark: engine.market.mark,
            waiting_mark: engine.waiting_mark,
            next_number: engine.next_number,
            net_deposits: engine.net_deposits,
            state: Some(engine.state),
            audit_cursor: engine.watch.cursor.into(),
            rate: engine.market.rate,
            waiting_rate: engine.funding.waiting,
            next_instant: engine.funding.next_instant,
            pass: engine.agenda.pass,
            to_find: engine.units_to_find(),
            premium: engine.premium,
            index: engine.index.clone(),
            is_stale: engine.market.is_stale,
            has_traded: engine.market.has_traded,
            is_known: true,
        }
    }

    pub(super) fn to_words(&self) -> [u64; MARKET_WORDS] {
        let deposits = self.net_deposits;
        let bit = |is_set: bool, bit: u32| if is_set { bit } else { 0 };
        let Pass { next, before, times } = self.pass.unwrap_or(Pass { next: 0, before: Rate::ZERO, times: 0 });
        let bits = bit(self.pass.is_some(), MARKET_PASS)
            | bit(self.waiting_rate.is_some(), MARKET_RATE_WAITS)
            | bit(self.is_stale, MARKET_STALE)
            | bit(self.has_traded, MARKET_TRADED);
        let mut words = [0; MARKET_WORDS];
        words[..17].copy_from_slice(&[
            self.mark.0,
            self.waiting_mark.0,
            self.next_number,
            deposits as u64,
            (deposits >> 64) as u64,
            self.rate.0 as u64,
            self.waiting_rate.unwrap_or(Rate::ZERO).0 as u64,
            self.next_instant,
            joined(next, times),
            before.0 as u64,
            bits.into(),
            self.state.map_or(0, |state| state as u64),
            self.audit_cursor,
            self.premium.last.0 as u64,
            self.premium.sum as u64,
            self.premium.minutes,
            self.to_find,
        ]);
        words[17..].copy_from_slice(&index_words(&self.index));
        words
    }

    pub(super) fn from_words(words: [u64; MARKET_WORDS]) -> MarketRecord {
        let [mark, waiting, next_number, low, high, rate, waiting_rate, rest @ ..] = words;
        let [next_instant, turn, before, bits, state, audit_cursor, last, sum, minutes, to_find, index @ ..] = rest;
        let (next, times) = halves(turn);
        let is = |bit: u32| bits & u64::from(bit) != 0;
        let is_pass_known = is(MARKET_PASS) || (turn, before) == (0, 0);
        let is_rate_known = is(MARKET_RATE_WAITS) || waiting_rate == 0;
        let found = index_from_words(&index);
        let is_index_known = index_words(&found) == index;
        let is_known = is_index_known && is_pass_known && is_rate_known && bits < 2 * u64::from(MARKET_TRADED);
        MarketRecord {
            rate: Rate(rate as i64),
            waiting_rate: is(MARKET_RATE_WAITS).then_some(Rate(waiting_rate as i64)),
            next_instant,
            pass: is(MARKET_PASS).then_some(Pass { next, before: Rate(before as i64), times }),
            to_find,
            premium: Premium { last: Rate(last as i64), sum: sum as i64, minutes },
            index: found,
            is_stale: is(MARKET_STALE),
            has_traded: is(MARKET_TRADED),
            is_known,
            mark: Price(mark),
            waiting_mark: Price(waiting),
            next_number,
            net_deposits: i128::from(high as i64) << 64 | i128::from(low),
            state: u8::try_from(state).ok().and_then(MarketState::from_code),
            audit_cursor,
        }
    }
}

/// The constituents: how many are in force and announced; from when those; the weights of both, two a word; prices;
/// their stamps; the index; when it is looked at next.
pub(crate) fn index_words(index: &Index) -> [u64; INDEX_WORDS] {
    let (effective, announced) = index.announced.unwrap_or((0, Weights { count: 0, each: [0; MAX_CONSTITUENTS] }));
    let mut words = [0; INDEX_WORDS];
    let (head, rest) = words.split_at_mut(2);
    head.copy_from_slice(&[joined(index.weights.count.into(), announced.count.into()), effective]);
    let (weights, rest) = rest.split_at_mut(MAX_CONSTITUENTS);
    let both = index.weights.each.chunks(2).chain(announced.each.chunks(2));
    weights.iter_mut().zip(both).for_each(|(word, two)| *word = joined(two[0], two[1]));
    let (prices, rest) = rest.split_at_mut(MAX_CONSTITUENTS);
    prices.iter_mut().zip(index.prices).for_each(|(word, price)| *word = price.0);
    let (stamps, rest) = rest.split_at_mut(MAX_CONSTITUENTS);
    stamps.copy_from_slice(&index.stamps);
    rest.copy_from_slice(&[index.price.0, index.next_look]);
    words
}

fn index_from_words(words: &[u64; INDEX_WORDS]) -> Index {
    const N: usize = MAX_CONSTITUENTS;
    let (in_force, announced) = halves(words[0]);
    let weights = |count: u32, from: usize| Weights {
        // Beyond what there can be it is refused.
        count: u8::try_from(count).unwrap_or(u8::MAX),
        each: core::array::from_fn(|i| {
            let (low, high) = halves(words[from + i / 2]);
            if i % 2 == 0 { low } else { high }
        }),
    };
    Index {
        weights: weights(in_force, 2),
        announced: (announced != 0).then(|| (words[1], weights(announced, 2 + N / 2))),
        prices: core::array::from_fn(|i| Price(words[2 + N + i])),
        stamps: core::array::from_fn(|i| words[2 + 2 * N + i]),
        price: Price(words[2 + 3 * N]),
        next_look: words[3 + 3 * N],
    }
}

/// Bits of an account.
const ACCOUNT_SUSPENDED: u8 = 1;
const ACCOUNT_DUE: u8 = 2;
const ACCOUNT_SETTLED_AHEAD: u8 = 4;

/// An account.
#[derive(Clone, Copy, Debug)]
pub(super) struct AccountRecord {
    pub(super) wallet: i64,
    pub(super) qty: i64,
    pub(super) cost: i64,
    pub(super) cross: i64,
    pub(super) loss: i64,
    pub(super) realised: i64,
    pub(super) commission: i64,
    pub(super) account_seq: u64,
    pub(super) leverage: Leverage,
    pub(super) tier: u16,
    pub(super) fee_class: u8,
    bits: u8,
}

impl AccountRecord {
    /// Who is due is so whether the pass has found him or not.
    pub(super) fn of(account: &Account, is_due: bool) -> AccountRecord {
        let suspended = if account.has(SUSPENDED) { ACCOUNT_SUSPENDED } else { 0 };
        let due = if is_due { ACCOUNT_DUE } else { 0 };
        AccountRecord {
            wallet: account.wallet.0,
            qty: account.position.qty,
            cost: account.position.cost.0,
            cross: account.position.cross.0,
            loss: account.position.loss.0,
            realised: account.realised.0,
            commission: account.commission.0,
            account_seq: account.account_seq,
            leverage: account.leverage,
            tier: account.tier,
            fee_class: account.fee_class,
            bits: suspended | due | if account.has(SETTLED_AHEAD) { ACCOUNT_SETTLED_AHEAD } else { 0 },
        }
    }

    /// Gives a new account this state. Terms, sums and margins are made anew from it.
    pub(super) fn put(&self, account: &mut Account) {
        account.wallet = Xbt(self.wallet);
        account.position.qty = self.qty;
        account.position.cost = Xbt(self.cost);
        account.position.cross = Xbt(self.cross);
        account.position.loss = Xbt(self.loss);
        account.realised = Xbt(self.realised);
        account.realised_before = Xbt(self.realised);
        account.commission = Xbt(self.commission);
        account.account_seq = self.account_seq;
        account.leverage = self.leverage;
        account.tier = self.tier;
        account.fee_class = self.fee_class;
        account.flags = if self.bits & ACCOUNT_SUSPENDED != 0 { SUSPENDED } else { 0 };
        account.flags |= if self.is_due() { DUE } else { 0 };
        account.flags |= if self.is_settled_ahead() { SETTLED_AHEAD } else { 0 };
    }

    pub(super) fn to_words(self) -> [u64; ACCOUNT_WORDS] {
        let kinds = u32::from(self.tier) | u32::from(self.fee_class) << 16 | u32::from(self.bits) << 24;
        [
            self.wallet as u64,
            self.qty as u64,
            self.cost as u64,
            self.cross as u64,
            self.loss as u64,
            self.realised as u64,
            self.commission as u64,
            self.account_seq,
            joined(self.leverage.0, kinds),
        ]
    }

    pub(super) fn from_words(words: [u64; ACCOUNT_WORDS]) -> AccountRecord {
        let [wallet, qty, cost, cross, loss, realised, commission, account_seq, kinds] = words;
        let (leverage, kinds) = halves(kinds);
        AccountRecord {
            wallet: wallet as i64,
            qty: qty as i64,
            cost: cost as i64,
            cross: cross as i64,
            loss: loss as i64,
            realised: realised as i64,
            commission: commission as i64,
            account_seq,
            leverage: Leverage(leverage),
            tier: kinds as u16,
            fee_class: (kinds >> 16) as u8,
            bits: (kinds >> 24) as u8,
        }
    }

    pub(super) fn is_due(&self) -> bool {
        self.bits & ACCOUNT_DUE != 0
    }

    pub(super) fn is_settled_ahead(&self) -> bool {
        self.bits & ACCOUNT_SETTLED_AHEAD != 0
    }

    pub(super) fn bits(&self) -> u64 {
        self.bits.into()
    }

    pub(super) fn has_unknown_bits(&self) -> bool {
        self.bits & !(ACCOUNT_SUSPENDED | ACCOUNT_DUE | ACCOUNT_SETTLED_AHEAD) != 0
    }
}

/// Bits of a lot.
const LOT_LONG: u32 = 1;
const LOT_RESTING: u32 = 2;
const LOT_LISTED: u32 = 4;

/// A lot of the liquidation account.
#[derive(Clone, Copy, Debug)]
pub(super) struct LotRecord {
    pub(super) number: u64,
    pub(super) slot: u32,
    pub(super) bits: u32,
    pub(super) qty: u64,
    pub(super) unit_value: u64,
}

impl LotRecord {
    pub(super) fn of(slot: u32, lot: &Lot, is_listed: bool) -> LotRecord {
        let bit = |is_set: bool, bit: u32| if is_set { bit } else { 0 };
        let bits = bit(lot.is_long, LOT_LONG) | bit(lot.is_resting, LOT_RESTING) | bit(is_listed, LOT_LISTED);
        LotRecord { number: lot.number, slot, bits, qty: lot.qty, unit_value: lot.unit_value }
    }

    /// The lot; its tick follows from the rest.
    pub(super) fn lot(&self, tick: Tick) -> Lot {
        Lot {
            number: self.number,
            qty: self.qty,
            unit_value: self.unit_value,
            is_long: self.is_long(),
            tick,
            is_resting: self.is_resting(),
            ..Lot::FREE
        }
    }

    pub(super) fn to_words(self) -> [u64; LOT_WORDS] {
        [self.number, joined(self.slot, self.bits), self.qty, self.unit_value]
    }

    pub(super) fn from_words([number, place, qty, unit_value]: [u64; LOT_WORDS]) -> LotRecord {
        let (slot, bits) = halves(place);
        LotRecord { number, slot, bits, qty, unit_value }
    }

    pub(super) fn is_long(&self) -> bool {
        self.bits & LOT_LONG != 0
    }

    pub(super) fn is_resting(&self) -> bool {
        self.bits & LOT_RESTING != 0
    }

    pub(super) fn is_listed(&self) -> bool {
        self.bits & LOT_LISTED != 0
    }

    pub(super) fn has_unknown_bits(&self) -> bool {
        self.bits & !(LOT_LONG | LOT_RESTING | LOT_LISTED) != 0
    }
}

/// Bits of an order.
const ORDER_SELLS: u32 = 1;
const ORDER_REDUCE_ONLY: u32 = 2;
const ORDER_POST_ONLY: u32 = 4;
const ORDER_CLOSE_OUT: u32 = 8;
/// Each with the book's own flag.
const ORDER_FLAGS: [(u32, u32); 3] =
    [(ORDER_REDUCE_ONLY, REDUCE_ONLY), (ORDER_POST_ONLY, POST_ONLY), (ORDER_CLOSE_OUT, CLOSE_OUT)];

/// An order at rest.
#[derive(Clone, Copy, Debug)]
pub(super) struct OrderRecord {
    pub(super) number: u64,
    pub(super) account: u32,
    pub(super) slot: u32,
    pub(super) tick: Tick,
    pub(super) bits: u32,
    pub(super) leaves: u64,
    pub(super) cum: u64,
    pub(super) premium: u64,
    pub(super) cl_ord_id: [u64; 5],
}

impl OrderRecord {
    pub(super) fn of(order: &Resting, book: &Book) -> OrderRecord {
        let cold = book.cold(order.slot);
        let flags = ORDER_FLAGS.iter().filter(|(_, flag)| order.is(*flag)).fold(0, |bits, (bit, _)| bits | bit);
        OrderRecord {
            number: order.number,
            account: order.account,
            slot: order.slot,
            tick: order.tick,
            bits: flags | if order.side() == Side::Sell { ORDER_SELLS } else { 0 },
            leaves: order.leaves,
            cum: book.cum(order.slot),
            premium: cold.premium,
            cl_ord_id: *cold.cl_ord_id().words(),
        }
    }

    pub(super) fn to_words(self) -> [u64; ORDER_WORDS] {
        let [a, b, c, d, e] = self.cl_ord_id;
        let (place, price) = (joined(self.account, self.slot), joined(self.tick.0, self.bits));
        [self.number, place, price, self.leaves, self.cum, self.premium, a, b, c, d, e]
    }

    pub(super) fn from_words(words: [u64; ORDER_WORDS]) -> OrderRecord {
        let [number, place, price, leaves, cum, premium, cl_ord_id @ ..] = words;
        let ((account, slot), (tick, bits)) = (halves(place), halves(price));
        OrderRecord { number, account, slot, tick: Tick(tick), bits, leaves, cum, premium, cl_ord_id }
    }

    pub(super) fn side(&self) -> Side {
        if self.bits & ORDER_SELLS != 0 { Side::Sell } else { Side::Buy }
    }

    pub(super) fn is_reduce_only(&self) -> bool {
        self.bits & ORDER_REDUCE_ONLY != 0
    }

    pub(super) fn is_close_out(&self) -> bool {
        self.bits & ORDER_CLOSE_OUT != 0
    }

    pub(super) fn has_unknown_bits(&self) -> bool {
        let others = if self.is_close_out() { 0 } else { ORDER_REDUCE_ONLY | ORDER_POST_ONLY };
        self.bits & !(ORDER_SELLS | ORDER_CLOSE_OUT | others) != 0
    }

    /// The book's flags, its side aside.
    pub(super) fn flags(&self) -> u32 {
        ORDER_FLAGS.iter().filter(|(bit, _)| self.bits & bit != 0).fold(0, |flags, (_, flag)| flags | flag)
    }

    /// The client's name for it; none where no client can have given it.
    pub(super) fn name(&self) -> Option<ClOrdId> {
        let mut words = Words::default();
        words[..5].copy_from_slice(&self.cl_ord_id);
        let name = ClOrdId::get(&words, 0);
        (*name.words() == self.cl_ord_id && (name.is_none() || name.is_valid())).then_some(name)
    }
}

/// The process that is under way: its kind, and two numbers.
pub(super) fn process_words(process: Process) -> [u64; 2] {
    let [kind, a, b] = match process {
        Process::Liquidate { account, stage } => [1, account, stage as u32],
        Process::CloseOut { lot } => [2, lot, 0],
        Process::Sweep { lot } => [3, lot, 0],
        Process::Rank { lot } => [4, lot, 0],
        Process::Clear { account, lot } => [5, account, lot],
        Process::Net { lot, at } => [6, lot, at],
    };
    [joined(kind, a), b.into()]
}

pub(super) fn process_from_words([first, second]: [u64; 2]) -> Option<Process> {
    let ((kind, a), b) = (halves(first), u32::try_from(second).ok()?);
    match (kind, b) {
        (1, stage) => Stage::from_number(stage).map(|stage| Process::Liquidate { account: a, stage }),
        (2, 0) => Some(Process::CloseOut { lot: a }),
        (3, 0) => Some(Process::Sweep { lot: a }),
        (4, 0) => Some(Process::Rank { lot: a }),
        (5, lot) => Some(Process::Clear { account: a, lot }),
        (6, at) => Some(Process::Net { lot: a, at }),
        _ => None,
    }
}

/// A cancel-all that waits: account and side, and which orders.
pub(super) fn cancel_words(task: &CancelTask) -> [u64; 2] {
    [joined(task.account, task.side.map_or(0, |side| side as u32)), task.before]
}

pub(super) fn cancel_from_words([first, before]: [u64; 2]) -> Option<CancelTask> {
    let (account, side) = halves(first);
    let side = match side {
        0 => None,
        side if side == Side::Buy as u32 => Some(Side::Buy),
        side if side == Side::Sell as u32 => Some(Side::Sell),
        _ => return None,
    };
    Some(CancelTask { account, side, before })
}

/// A ranking: of shorts (0) or longs (1), and the account that it looks at next; its filter; the best who was left out:
/// account and 1, or 0 where there is nobody; what the place was made of.
pub(crate) fn ranking_words(engine: &Engine) -> impl Iterator<Item = [u64; RANKING_WORDS]> + '_ {
    let standing = (0..).zip(&engine.agenda.rankings.each).filter(|(_, ranking)| ranking.stands());
    standing.map(|(side, Ranking { next, filter, left_out, .. })| {
        let mut words = [0; RANKING_WORDS];
        words[..2].copy_from_slice(&[joined(side, *next), *filter]);
        if let Some(LeftOut { values, place }) = left_out {
            words[2..].copy_from_slice(&[
                joined(place.account.0, 1),
                place.size.0,
                values.entry as u64,
                values.bankrupt as u64,
                (values.bankrupt >> 64) as u64,
                values.scale,
            ]);
        }
        words
    })
}

/// The same as it was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct RankingRecord {
    pub(super) side: u32,
    pub(super) next: u32,
    pub(super) filter: u64,
    pub(super) left_out: Option<LeftOutRecord>,
    /// Nothing unknown was read.
    pub(super) is_known: bool,
}

/// Who was left out for want of a place, and how he stood then.
#[derive(Clone, Copy, Debug)]
pub(super) struct LeftOutRecord {
    pub(super) account: u32,
    pub(super) size: u64,
    pub(super) entry: i64,
    pub(super) bankrupt: i128,
    pub(super) scale: u64,
}

impl RankingRecord {
    pub(super) fn from_words(words: [u64; RANKING_WORDS]) -> RankingRecord {
        let [place, filter, who, size, entry, low, high, scale] = words;
        let ((side, next), (account, is_there)) = (halves(place), halves(who));
        let bankrupt = i128::from(high as i64) << 64 | i128::from(low);
        let left_out = LeftOutRecord { account, size, entry: entry as i64, bankrupt, scale };
        let is_known = side < 2 && (is_there == 1 || words[2..].iter().all(|word| *word == 0));
        RankingRecord { side, next, filter, left_out: (is_there == 1).then_some(left_out), is_known }
    }
}
