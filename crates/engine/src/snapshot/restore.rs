//! Bytes to state: every number is looked at before it is used.
//!
//! Amounts are taken up to [`MOST`], which is more than there is, so that no sum of a few of them can pass
//! 64 bits in what follows.

use alloc::vec;
use alloc::vec::Vec;

use contract::adl::AdlValues;
use contract::command::MAX_CONSTITUENTS;
use contract::liquidation::close_out_tick;
use contract::margin::leverage_fits;
use contract::mark::MINUTE_NS;
use contract::math::MOST;
use contract::spec::FEE_CLASSES;
use contract::value::{unit_value, units};
use contract::{AccountId, Leverage, Marking, Price, Qty, Rate, Side, Tick};

use super::bytes::Input;
use super::records::{
    ACCOUNT_WORDS, AccountRecord, LeftOutRecord, LotRecord, MarketRecord, OrderRecord, RankingRecord,
    cancel_from_words, process_from_words,
};
use super::{HEADER_WORDS, RestoreError, RestoreFlaw, Section, SnapshotHeader, SnapshotSource};
use crate::account::NIL;
use crate::agenda::{CANCEL_TASKS, CancelTask, Process, Stage};
use crate::engine::{DEFAULT_HASH_SEED, Engine};
use crate::premium::Premium;
use crate::ranking::LeftOut;

type Restored<T> = Result<T, RestoreError>;

impl Engine {
    /// The engine of a snapshot. It takes the memory that the snapshot's own capacity asks for; who does not
    /// trust that looks at [`SnapshotHeader::read`] first.
    ///
    /// # Errors
    /// What is wrong with the bytes, and where. They may be any bytes.
    pub fn restore(source: &mut impl SnapshotSource) -> Result<Engine, RestoreError> {
        SnapshotHeader::read(source)?.restore(source)
    }

    /// The same with a secret seed for the table of client order ids, as [`Engine::with_hash_seed`] has it.
    ///
    /// # Errors
    /// As [`Engine::restore`].
    pub fn restore_with_hash_seed(source: &mut impl SnapshotSource, seed: u64) -> Result<Engine, RestoreError> {
        SnapshotHeader::read(source)?.restore_with_hash_seed(source, seed)
    }
}

impl SnapshotHeader {
    /// The engine of the snapshot whose header this is; the source stands behind the header.
    ///
    /// # Errors
    /// What is wrong with the bytes, and where.
    pub fn restore(&self, source: &mut impl SnapshotSource) -> Result<Engine, RestoreError> {
        self.restore_with_hash_seed(source, DEFAULT_HASH_SEED)
    }

    /// The same with a secret seed for the table of client order ids.
    ///
    /// # Errors
    /// As [`SnapshotHeader::restore`].
    pub fn restore_with_hash_seed(&self, source: &mut impl SnapshotSource, seed: u64) -> Result<Engine, RestoreError> {
        let wrong = |flaw| RestoreError { section: "header", at: 56, flaw };
        let engine = Engine::with_hash_seed(&self.genesis, seed).map_err(|error| wrong(RestoreFlaw::Spec(error)))?;
        let mut restore = Restore {
            input: Input::behind_header(source, 8 * HEADER_WORDS as u64, self.sum),
            engine,
            header: self,
            due_flags: 0,
            close_outs: 0,
            process: None,
            audit_cursor: 0,
            numbers: Vec::new(),
        };
        restore.all()?;
        Ok(restore.engine)
    }
}

/// A restore as far as it has come.
struct Restore<'a, S> {
    input: Input<'a, S>,
    engine: Engine,
    header: &'a SnapshotHeader,
    /// Accounts that say they are due.
    due_flags: u64,
    /// Lots whose order was not seen yet.
    close_outs: u64,
    process: Option<Process>,
    /// Where the audit is.
    audit_cursor: u64,
    /// Creation numbers in use: of orders with their slots, of lots without.
    numbers: Vec<(u64, u32)>,
}

impl<S: SnapshotSource> Restore<'_, S> {
    fn all(&mut self) -> Restored<()> {
        self.market()?;
        self.accounts()?;
        self.lots()?;
        self.orders()?;
        self.process()?;
        let cancels = self.cancels()?;
        let due = self.due()?;
        self.engine.put_agenda(self.process, &cancels, &due);
        self.sessions()?;
        self.rankings()?;
        self.free_slots()?;
        self.input.must_be_over()?;
        let at = self.input.at();
        self.input.must(at == self.header.bytes, "length", at, "be the one in the header")?;
        let is_idle = self.engine.agenda.is_idle();
        self.engine.agenda.has_news |= !is_idle;
        let waiting = self.engine.waiting_mark;
        self.input.must(waiting == Price::NONE || !is_idle, "waiting mark", waiting.0, "wait for something")?;
        let waits = self.engine.funding.waiting;
        let found = waits.map_or(0, |rate| rate.0 as u64);
        self.input.must(waits.is_none() || !is_idle, "waiting rate", found, "wait for something")?;
        self.order_lists()?;
        for number in AccountId::FIRST_TRADER.0..self.engine.accounts.len() as u32 {
            let is_bearable = self.engine.settle_account(number);
            self.input.must(is_bearable, "account", number.into(), "be charged less for its orders")?;
        }
        let has_room = self.engine.list_anew();
        self.input.must(has_room, "rankings", has_room.into(), "have a place for all who were not left out")?;
        self.engine.check_sums().map_err(|law| self.input.error(RestoreFlaw::Law(law)))?;
        let (recorded, restored) = (self.header.digest, self.engine.digest());
        if recorded == restored { Ok(()) } else { Err(self.input.error(RestoreFlaw::Digest { recorded, restored })) }
    }

    fn market(&mut self) -> Restored<()> {
        let count = self.input.begin(Section::Market, 1)?;
        self.input.must(count == 1, "count", count, "be 1")?;
        let record = MarketRecord::from_words(self.input.words()?);
        let spec = &self.engine.market.spec;
        for mark in [record.mark, record.waiting_mark] {
            let is_mark = mark == Price::NONE || (spec.tick_size..=spec.max_price).contains(&mark);
            self.input.must(is_mark, "mark", mark.0, "be none, or one tick to the highest price")?;
        }
        // A rate that is computed is rounded to 1e-6 behind its caps.
        let most = spec.initial_margin.0.unsigned_abs().next_multiple_of(100) as i64;
        let before = record.pass.map(|pass| pass.before);
        for rate in [Some(record.rate), record.waiting_rate, before].into_iter().flatten() {
            self.input.must(
                (-most..=most).contains(&rate.0),
                "rate",
                rate.0 as u64,
                "be at most the initial margin",
            )?;
        }
        let instant = record.next_instant;
        let is_instant = instant == 0
            || instant == u64::MAX
            || instant % spec.funding_interval_ns == spec.funding_offset_ns % spec.funding_interval_ns;
        self.input.must(is_instant, "next instant", instant, "be one of the contract's")?;
        let is_open = record.pass.is_none_or(|pass| {
            let most = Rate::ONE / pass.before.0.unsigned_abs().max(1);
            pass.times == 0 || (record.mark != Price::NONE && u64::from(pass.times) <= most)
        });
        self.input.must(record.is_known && is_open, "pass", record.is_known.into(), "be one that can be open")?;
        let (capacity, to_find) = (self.engine.genesis.capacity, record.to_find);
        let most = u64::from(capacity.accounts) + u64::from(capacity.lots);
        let can_be = to_find == 0 || (to_find <= most && record.mark != Price::NONE);
        self.input.must(can_be, "units to find", to_find, "be at most one for each account and lot")?;
        self.look_at_index(&record)?;
        self.look_at_premium(&record)?;
        let number = record.next_number;
        self.input.must(number != 0 && number <= 1 << 59, "next number", number, "be 1 to 2^59")?;
        self.input.must(record.state.is_some(), "state", 0, "be one there is")?;
        self.audit_cursor = record.audit_cursor;
        self.engine.put_market(self.header, &record);
        self.input.end()
    }

    fn look_at_index(&self, record: &MarketRecord) -> Restored<()> {
        let spec = &self.engine.market.spec;
        let index = &record.index;
        let is_price = |price: Price| price == Price::NONE || (spec.tick_size..=spec.max_price).contains(&price);
        for (_, weights) in index.announced.into_iter().chain([(0, index.weights)]) {
            let count = usize::from(weights.count);
            let is_count = (1..=MAX_CONSTITUENTS).contains(&count);
            let (used, beyond) = weights.each.split_at(count.min(MAX_CONSTITUENTS));
            let is_used = used.iter().any(|weight| *weight != 0) && beyond.iter().all(|weight| *weight == 0);
            self.input.must(is_count && is_used, "weights", count as u64, "be those of one to ten constituents")?;
        }
        for (price, stamp) in index.prices.iter().zip(index.stamps) {
            let is_heard = *price != Price::NONE || stamp == 0;
            let is_it = is_price(*price) && is_heard && stamp <= self.header.ts;
            self.input.must(is_it, "constituent", price.0, "be on the price scale, and heard before")?;
        }
        let is_external = spec.marking == Marking::External;
        let is_still = !is_external || (index.price == Price::NONE && !record.is_stale);
        let can_stale = spec.marking != Marking::Last && index.price == Price::NONE && record.mark != Price::NONE;
        let is_stale = !record.is_stale || can_stale;
        self.input.must(
            is_price(index.price) && is_still && is_stale,
            "index",
            index.price.0,
            "be one there can be",
        )?;
        let is_minute = index.next_look.is_multiple_of(MINUTE_NS) && !is_external;
        let is_look = index.next_look == u64::MAX || is_minute;
        self.input.must(is_look, "next look", index.next_look, "be a minute")
    }

    /// A premium is at most 1, so is the average of its minutes, and no more minutes have passed than time has.
    fn look_at_premium(&self, record: &MarketRecord) -> Restored<()> {
        let (spec, premium) = (&self.engine.market.spec, &record.premium);
        let one = Rate::ONE;
        let (last, sum, minutes) = (premium.last.0.unsigned_abs(), premium.sum.unsigned_abs(), premium.minutes);
        let is_time = minutes <= self.header.ts / MINUTE_NS + 1;
        let is_bounded = last <= one && is_time && sum <= minutes * one;
        let is_none = *premium == Premium::NONE;
        let is_computed = spec.marking != Marking::External && record.mark != Price::NONE;
        let is_it = is_bounded && (is_none || is_computed);
        self.input.must(is_it, "premium", premium.last.0 as u64, "be one that its minutes can have")?;
        let may_have_traded = spec.marking == Marking::Last && record.mark != Price::NONE;
        let found = record.has_traded.into();
        self.input.must(!record.has_traded || may_have_traded, "trade", found, "be what the mark comes from")
    }

    fn accounts(&mut self) -> Restored<()> {
        let count = self.input.begin(Section::Accounts, self.engine.genesis.capacity.accounts.into())?;
        let house = u64::from(AccountId::FIRST_TRADER.0);
        self.input.must(count >= house, "count", count, "have the house's accounts")?;
        let turn = self.engine.agenda.pass.map(|pass| u64::from(pass.next));
        let is_turn = turn.is_none_or(|turn| (house..count).contains(&turn));
        self.input.must(is_turn, "pass", turn.unwrap_or(0), "be at one of the traders")?;
        for number in 0..count as u32 {
            let words: [u64; ACCOUNT_WORDS] = self.input.words()?;
            let record = AccountRecord::from_words(words);
            self.look_at_account(number, &record)?;
            self.due_flags += u64::from(record.is_due());
            self.engine.put_account(number, &record);
        }
        let cursor = self.audit_cursor;
        self.input.must((house..=count).contains(&cursor), "audited account", cursor, "be one, or behind the last")?;
        self.engine.watch_from(cursor as u32);
        self.input.end()
    }

    fn look_at_account(&self, number: u32, record: &AccountRecord) -> Restored<()> {
        let must = |holds, what, found: i64, must| self.input.must(holds, what, found as u64, must);
        let most = MOST as i64;
        let market = &self.engine.market;
        let pass = self.engine.agenda.pass;
        let is_house = number < AccountId::FIRST_TRADER.0;
        let is_mover = !is_house || number == AccountId::LIQUIDATION.0;
        let (qty, cost) = (record.qty, record.cost);
        // A deposit fills a wallet up to MOST; what it wins may come on top.
        must(-most < record.wallet && record.wallet < 2 * most, "wallet", record.wallet, "be less")?;
        for (what, amount) in [("cost", cost), ("cross", record.cross), ("loss", record.loss)] {
            must(-most < amount && amount < most, what, amount, "be less")?;
        }
        for (what, amount) in [("realised", record.realised), ("commission", record.commission)] {
            must(-2 * most < amount && amount < 2 * most, what, amount, "be less")?;
        }
        must(qty.unsigned_abs().is_multiple_of(market.spec.value_unit), "position", qty, "be whole units")?;
        must(qty == 0 || is_mover, "position", qty, "be 0 for this account of the house")?;
        must(qty == 0 || market.mark_value != 0, "position", qty, "be 0 before the first mark")?;
        if !is_house {
            must(qty.unsigned_abs() <= market.max_side_qty, "position", qty, "obey LIMIT-1")?;
            let is_bought = if qty > 0 { cost < 0 } else { cost > 0 };
            must(qty == 0 || is_bought, "cost", cost, "have the sign of its position")?;
        }
        let value = u128::from(units(&market.spec, Qty(qty.unsigned_abs()))) * u128::from(market.mark_value);
        must(value < u128::from(MOST), "position", qty, "be worth less")?;
        let (leverage, tier) = (record.leverage, record.tier);
        must(u64::from(tier) <= market.spec.max_tier, "tier", tier.into(), "be one of the contract's")?;
        must(leverage_fits(&market.spec, leverage, tier), "leverage", leverage.0.into(), "fit the tier")?;
        let class = record.fee_class;
        must(usize::from(class) < FEE_CLASSES, "fee class", class.into(), "be one of the contract's")?;
        self.input.must(!record.has_unknown_bits(), "bits", record.bits(), "be known")?;
        let may_be_ahead = pass.is_some_and(|pass| number >= pass.next);
        must(may_be_ahead || !record.is_settled_ahead(), "bits", record.bits() as i64, "be ahead of an open pass")?;
        let is_plain = leverage == Leverage::CROSS && tier == 0 && class == 0 && record.bits() == 0;
        self.input.must(!is_house || is_plain, "bits", record.bits(), "be 0 for the house, and its terms plain")
    }

    fn lots(&mut self) -> Restored<()> {
        let capacity = self.engine.genesis.capacity;
        let count = self.input.begin(Section::Lots, capacity.lots.into())?;
        let mut slots_from = 0;
        for _ in 0..count {
            let record = LotRecord::from_words(self.input.words()?);
            let spec = &self.engine.market.spec;
            let LotRecord { number, slot, qty, unit_value: v, .. } = record;
            let is_next = slots_from <= slot && slot < capacity.lots;
            self.input.must(is_next, "slot", slot.into(), "rise, and fit the capacity")?;
            self.is_created(number)?;
            let is_qty = qty != 0 && qty <= self.engine.market.max_side_qty && qty.is_multiple_of(spec.value_unit);
            self.input.must(is_qty, "quantity", qty, "be whole units, within LIMIT-1")?;
            let highest = unit_value(spec, spec.tick_size);
            self.input.must((1..=highest).contains(&v), "unit value", v, "be 1 to that of one tick")?;
            self.input.must(!record.has_unknown_bits(), "bits", record.bits.into(), "be known")?;
            let is_listable = record.is_resting() || !record.is_listed();
            self.input.must(is_listable, "bits", record.bits.into(), "list resting lots only")?;
            let lot = record.lot(close_out_tick(spec, record.is_long(), v).unwrap_or(Tick(0)));
            self.close_outs += u64::from(lot.is_resting && lot.tick.0 != 0);
            slots_from = slot + 1;
            self.numbers.push((number, NIL));
            self.engine.put_lot(slot, lot, &record);
        }
        self.input.must(
            count == 0 || self.engine.market.mark_value != 0,
            "count",
            count,
            "be 0 before the first mark",
        )?;
        self.input.end()
    }

    fn is_created(&self, number: u64) -> Restored<()> {
        let is_created = number != 0 && number < self.engine.next_number;
        self.input.must(is_created, "number", number, "be one that was given")
    }

    fn orders(&mut self) -> Restored<()> {
        let capacity = self.engine.genesis.capacity;
        let most = u64::from(capacity.orders) + u64::from(capacity.lots);
        let count = self.input.begin(Section::Orders, most)?;
        self.input.must(
            count == 0 || self.engine.market.mark_value != 0,
            "count",
            count,
            "be 0 before the first mark",
        )?;
        let mut last: Option<(Side, Tick)> = None;
        for _ in 0..count {
            let record = OrderRecord::from_words(self.input.words()?);
            let (side, tick) = (record.side(), record.tick);
            let is_tick = 1 <= tick.0 && tick <= self.engine.market.spec.max_tick();
            self.input.must(is_tick, "tick", tick.0.into(), "be 1 to the highest")?;
            let follows = match last {
                None | Some((Side::Buy, _)) if side == Side::Sell => {
                    self.engine.book.best(Side::Buy).is_none_or(|bid| bid < tick)
                }
                None => true,
                Some((Side::Buy, before)) => tick <= before,
                Some((Side::Sell, before)) => side == Side::Sell && tick >= before,
            };
            self.input.must(follows, "tick", tick.0.into(), "follow in priority, bids first")?;
            last = Some((side, tick));
            self.input.must(!record.has_unknown_bits(), "bits", record.bits.into(), "be known")?;
            self.look_at_quantities(&record)?;
            if record.is_close_out() { self.close_out(&record)? } else { self.order(&record)? }
        }
        let missing = self.close_outs;
        self.input.must(missing == 0, "close-out orders missing", missing, "be 0")?;
        self.input.end()
    }

    fn look_at_quantities(&self, record: &OrderRecord) -> Restored<()> {
        let market = &self.engine.market;
        let is_whole = |qty: u64| qty.is_multiple_of(market.spec.value_unit);
        let OrderRecord { leaves, cum, premium, .. } = *record;
        let is_leaves = leaves != 0 && leaves <= market.max_side_qty && is_whole(leaves);
        self.input.must(is_leaves, "open quantity", leaves, "be whole units, within LIMIT-1")?;
        self.input.must(cum < MOST && is_whole(cum), "executed quantity", cum, "be whole units")?;
        let highest = unit_value(&market.spec, market.spec.tick_size);
        self.input.must(premium <= highest, "premium", premium, "be at most the value of a unit at one tick")
    }

    /// The order of a lot says what the lot says.
    fn close_out(&mut self, record: &OrderRecord) -> Restored<()> {
        let slot = record.slot.checked_sub(self.engine.book.order_slots());
        let lot = slot.and_then(|slot| self.engine.lots.get(slot as usize)).copied();
        let Some(lot) = lot.filter(|lot| lot.number != 0 && lot.is_resting) else {
            return self.input.must(false, "slot", record.slot.into(), "be a resting lot's");
        };
        let is_it = (record.number, record.leaves, record.tick, record.side(), record.account)
            == (lot.number, lot.qty, lot.tick, lot.side(), AccountId::LIQUIDATION.0);
        let is_bare = record.premium == 0 && record.cl_ord_id == [0; 5];
        self.input.must(is_it && is_bare, "close-out order", record.number, "be the lot's")?;
        // A second one is found out by the count: its slot is taken.
        let is_first = self.engine.book.resting(record.slot).number == 0;
        self.input.must(is_first, "slot", record.slot.into(), "be there once")?;
        self.close_outs -= 1;
        self.engine.put_order(record, &contract::ClOrdId::NONE);
        Ok(())
    }

    fn order(&mut self, record: &OrderRecord) -> Restored<()> {
        let (number, account, slot, side) = (record.number, record.account, record.slot, record.side());
        let is_trader = AccountId::FIRST_TRADER.0 <= account && (account as usize) < self.engine.accounts.len();
        self.input.must(is_trader, "account", account.into(), "be a trader's")?;
        self.is_created(number)?;
        let is_free = slot < self.engine.book.order_slots() && self.engine.book.resting(slot).number == 0;
        self.input.must(is_free, "slot", slot.into(), "be free, within the capacity")?;
        let Some(name) = record.name() else {
            return self.input.must(false, "client order id", record.cl_ord_id[0], "be one");
        };
        let is_unique = name.is_none() || self.engine.named(account, &name).is_none();
        self.input.must(is_unique, "client order id", record.cl_ord_id[0], "be the account's only one")?;
        let (owner, market) = (&self.engine.accounts[account as usize], &self.engine.market);
        let open = owner.sums.side(side).qty.0 + record.leaves;
        self.input.must(open <= market.max_side_qty, "open quantity of a side", open, "obey LIMIT-1")?;
        let reduces = Side::that_reduces(owner.position.qty) == Some(side);
        self.input.must(reduces || !record.is_reduce_only(), "reduce-only order", number, "reduce a position")?;
        self.engine.put_order(record, &name);
        self.numbers.push((number, slot));
        Ok(())
    }

    /// Each account's orders by creation.
    fn order_lists(&mut self) -> Restored<()> {
        self.numbers.sort_unstable();
        if let Some(two) = self.numbers.windows(2).find(|two| two[0].0 == two[1].0) {
            return self.input.must(false, "number", two[0].0, "be there once");
        }
        for &(_, slot) in self.numbers.iter().filter(|(_, slot)| *slot != NIL) {
            let Engine { book, accounts, .. } = &mut self.engine;
            let (order, cold) = (book.resting(slot), book.cold(slot).clone());
            book.list(&mut accounts[order.account as usize], slot, cold);
        }
        Ok(())
    }

    /// What was in use before the slots that never were: the orders' slots, and these.
    fn free_slots(&mut self) -> Restored<()> {
        let orders = self.engine.genesis.capacity.orders;
        let count = self.input.begin(Section::FreeSlots, orders.into())?;
        let used = self.numbers.iter().filter(|(_, slot)| *slot != NIL);
        let fresh = used.clone().count() as u64 + count;
        self.input.must(fresh <= orders.into(), "count", count, "leave room for the orders")?;
        let highest = used.map(|(_, slot)| u64::from(*slot)).max();
        self.input.must(
            highest.is_none_or(|slot| slot < fresh),
            "slot of an order",
            highest.unwrap_or(0),
            "be used",
        )?;
        let (mut given_back, mut is_there) = (Vec::new(), vec![false; fresh as usize]);
        for _ in 0..count {
            let [slot] = self.input.words()?;
            let is_first = is_there.get_mut(slot as usize).is_some_and(|there| !core::mem::replace(there, true));
            let is_free = is_first && self.engine.book.resting(slot as u32).number == 0;
            self.input.must(is_free, "slot", slot, "be free, below those that were never used, and there once")?;
            given_back.push(slot as u32);
        }
        self.engine.book.put_slots_given_back(&given_back, (fresh - count) as u32);
        self.input.end()
    }

    fn process(&mut self) -> Restored<()> {
        let count = self.input.begin(Section::Process, 1)?;
        if count == 1 {
            let words = self.input.words()?;
            let process = process_from_words(words);
            let is_it = process.is_some_and(|process| self.can_be(process));
            self.input.must(is_it, "process", words[0], "be one that can be under way")?;
            self.process = process;
        }
        let at_work = match self.process {
            Some(Process::CloseOut { lot } | Process::Sweep { lot } | Process::Rank { lot }) => Some(lot),
            Some(Process::Clear { lot, .. } | Process::Net { lot, .. }) => Some(lot),
            Some(Process::Liquidate { .. }) | None => None,
        };
        // What neither rests nor is in process is new, and waits its turn by age.
        let (mut newest, mut new) = (0, Vec::new());
        for (slot, lot) in (0..).zip(&self.engine.lots).filter(|(_, lot)| lot.number != 0) {
            if lot.is_resting || Some(slot) == at_work {
                newest = newest.max(lot.number);
            } else {
                new.push((lot.number, slot));
            }
        }
        if let Some((_, slot)) = new.iter().find(|(number, _)| *number < newest) {
            return self.input.must(false, "lot", (*slot).into(), "rest, be in process, or be the youngest");
        }
        self.engine.put_lot_ages(newest);
        self.input.end()
    }

    fn can_be(&self, process: Process) -> bool {
        let is_trader =
            |account: u32| AccountId::FIRST_TRADER.0 <= account && (account as usize) < self.engine.accounts.len();
        let lot = |slot: u32| self.engine.lots.get(slot as usize);
        let is_at_work = |slot: u32| lot(slot).is_some_and(|lot| lot.number != 0 && !lot.is_resting);
        match process {
            Process::Liquidate { account, stage } => {
                let has_steps = || self.engine.accounts[account as usize].tier != 0;
                let fits = matches!(stage, Stage::Cancel | Stage::TakeOver);
                is_trader(account) && self.engine.is_due(AccountId(account)) && (fits || has_steps())
            }
            Process::CloseOut { lot } | Process::Sweep { lot } | Process::Rank { lot } => is_at_work(lot),
            Process::Net { lot: slot, at } => {
                let is_long = |slot: u32| lot(slot).filter(|lot| lot.number != 0).map(|lot| lot.is_long);
                is_at_work(slot) && (at == NIL || is_long(at) == is_long(slot).map(|is_long| !is_long))
            }
            // Deleveraging may have used the lot up.
            Process::Clear { account, lot: slot } => is_trader(account) && lot(slot).is_some_and(|lot| !lot.is_resting),
        }
    }

    fn cancels(&mut self) -> Restored<Vec<CancelTask>> {
        let count = self.input.begin(Section::Cancels, CANCEL_TASKS as u64)?;
        let mut cancels = Vec::new();
        for _ in 0..count {
            let words = self.input.words()?;
            let task = cancel_from_words(words).filter(|task| {
                let is_trader = self.engine.trader(AccountId(task.account)).is_ok();
                is_trader && task.before <= self.engine.next_number
            });
            let Some(task) = task else {
                self.input.must(false, "cancel-all", words[0], "be one of a trader")?;
                continue;
            };
            cancels.push(task);
        }
        self.input.end()?;
        Ok(cancels)
    }

    fn due(&mut self) -> Restored<Vec<(u32, u64)>> {
        let count = self.input.begin(Section::Due, self.engine.accounts.len() as u64)?;
        let in_process = match self.process {
            Some(Process::Liquidate { account, .. }) => Some(account),
            _ => None,
        };
        let mut due = Vec::new();
        let mut accounts_from = 0;
        for _ in 0..count {
            let [account, distance] = self.input.words()?;
            let number = u32::try_from(account).unwrap_or(NIL);
            let is_due =
                accounts_from <= account && self.engine.is_due(AccountId(number)) && Some(number) != in_process;
            self.input.must(is_due, "account", account, "be due, and wait")?;
            accounts_from = account + 1;
            due.push((number, distance));
        }
        let all = count + u64::from(in_process.is_some());
        self.input.must(all == self.due_flags, "due accounts", all, "be all that say they are due")?;
        self.input.end()?;
        Ok(due)
    }

    fn sessions(&mut self) -> Restored<()> {
        let count = self.input.begin(Section::Sessions, self.engine.genesis.capacity.sessions.into())?;
        let mut sessions_from = 1;
        for _ in 0..count {
            let [session, request] = self.input.words()?;
            let place = usize::try_from(session).ok().filter(|_| sessions_from <= session && request != 0);
            let Some(last) = place.and_then(|session| self.engine.sessions.get_mut(session)) else {
                return self.input.must(false, "session", session, "rise, fit the capacity, and have a request");
            };
            *last = request;
            sessions_from = session + 1;
        }
        self.input.end()
    }

    fn rankings(&mut self) -> Restored<()> {
        let count = self.input.begin(Section::Rankings, 2)?;
        let mut sides_from = 0;
        for _ in 0..count {
            let record = RankingRecord::from_words(self.input.words()?);
            let market = &self.engine.market;
            let RankingRecord { side, next, filter, left_out, is_known } = record;
            self.input.must(is_known && sides_from <= side, "ranking", side.into(), "be of shorts, then of longs")?;
            sides_from = side + 1;
            let traders = AccountId::FIRST_TRADER.0..=self.engine.accounts.len() as u32;
            self.input.must(traders.contains(&next), "ranking", next.into(), "be at a trader, or behind the last")?;
            let is_idle = self.engine.agenda.is_idle();
            self.input.must(!is_idle && market.mark_value != 0, "ranking", next.into(), "be for lots that wait")?;
            let highest = unit_value(&market.spec, market.spec.tick_size);
            self.input.must((1..=highest).contains(&filter), "filter", filter, "be 1 to the value at one tick")?;
            let mut place = None;
            if let Some(LeftOutRecord { account, size, entry, bankrupt, scale }) = left_out {
                let is_long = side == 1;
                let is_one = (AccountId::FIRST_TRADER.0..next).contains(&account);
                self.input.must(is_one, "left out", account.into(), "have been looked at")?;
                let is_size = size != 0 && size <= market.max_side_qty && size.is_multiple_of(market.spec.value_unit);
                self.input.must(is_size, "left out", size, "hold whole units, within LIMIT-1")?;
                let value = u128::from(units(&market.spec, Qty(size))) * u128::from(market.mark_value);
                let is_entry = entry != 0 && (entry < 0) == is_long && entry.unsigned_abs() < MOST;
                self.input.must(is_entry, "left out", entry as u64, "have a cost of its side")?;
                // More than any account has, and little enough for the products of a score.
                let is_scale = scale != 0 && bankrupt.unsigned_abs() < 1 << 126;
                self.input.must(is_scale && value < u128::from(MOST), "left out", scale, "have a place")?;
                let mark = if is_long { -(value as i64) } else { value as i64 };
                let values = AdlValues { mark, entry, bankrupt, scale };
                place = Some(LeftOut::new(values, Qty(size), AccountId(account)));
            }
            let ranking = &mut self.engine.agenda.rankings.each[side as usize];
            ranking.begin(filter);
            (ranking.next, ranking.left_out) = (next, place);
        }
        self.input.end()
    }
}
