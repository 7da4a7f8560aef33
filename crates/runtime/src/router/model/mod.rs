//! The read model: what the facts say stands now.
//!
//! In    every event of a command, in order; then the command's end.
//! Out   accounts with their orders, wallet and position; the public book and what changed of it.
//! Laws  Between commands it equals the engine (`tests/router/twin.rs`). It knows nothing that was not said.
//!
//! An order that is accepted may trade, be cut, be cancelled; what is left of it when the command ends has come to
//! rest. So the book is brought up to date at the end of a command only, and an order that never rests is never in it.

mod book;
mod changes;
mod lots;

use std::collections::{BTreeMap, HashMap};

use contract::project::PublicBody;
use contract::{
    AccountId, ClOrdId, ContractSpec, Event, ExecInst, Fact, FillCause, MarketState, OrdType, OrderId, Price, Qty,
    Rate, Target, TimeInForce, Xbt, event,
};
use engine::Engine;

use book::{Book, Place};
use changes::Changes;
use lots::Lots;

pub(super) use changes::Standing;

use super::rows::{AccountSnapshot, L2, L3, MarketBody, OpenOrder, Top};

/// An account of a trader, or of the house: of that only the numbers of its events are known.
#[derive(Debug, Default)]
struct Account {
    seq: u64,
    wallet: event::Wallet,
    position: event::Position,
    /// Open orders: number and slot.
    orders: BTreeMap<u64, u32>,
    /// It is on the list of those that have changed.
    is_changed: bool,
}

/// An order from its acceptance to its end.
#[derive(Debug)]
struct Live {
    account: AccountId,
    open: OpenOrder,
    /// Does the public see it, once it rests?
    is_shown: bool,
    /// Its turn at its price, taken when it was accepted or lost its place.
    rank: u64,
    /// Where the book has it, and how much of it.
    place: Option<Place>,
    /// It is on the list of what this command touched.
    is_touched: bool,
}

#[derive(Debug)]
pub(super) struct Model {
    spec: ContractSpec,
    /// The last command that is in here.
    seq: u64,
    accounts: Vec<Account>,
    /// By slot.
    orders: Vec<Option<Live>>,
    names: HashMap<(AccountId, ClOrdId), u32>,
    lots: Lots,
    book: Book,
    /// Slots of orders that this command changed, in the order it did.
    touched: Vec<u32>,
    changes: Changes,
    pub(super) index: Price,
    pub(super) mark: Price,
    pub(super) rate: Rate,
    pub(super) indicative_rate: Rate,
    pub(super) insurance: Xbt,
    pub(super) state: Option<MarketState>,
}

impl Model {
    /// The engine as it stands.
    pub(super) fn of(engine: &Engine) -> Model {
        let mut model = Model {
            spec: *engine.spec(),
            seq: engine.seq(),
            accounts: Vec::with_capacity(engine.accounts() as usize),
            orders: Vec::new(),
            names: HashMap::new(),
            lots: Lots::new(engine.capacity().orders),
            book: Book::new(),
            touched: Vec::new(),
            changes: Changes::new(),
            index: engine.index().unwrap_or(Price::NONE),
            mark: engine.mark().unwrap_or(Price::NONE),
            rate: engine.funding_rate(),
            indicative_rate: engine.indicative_rate(),
            insurance: engine.insurance(),
            state: Some(engine.market_state()),
        };
        for account in (0..engine.accounts()).map(AccountId) {
            let known = |what: Option<u64>| what.expect("an account below the count is open");
            model.accounts.push(Account {
                seq: known(engine.account_seq(account)),
                wallet: engine.wallet(account).unwrap_or_default(),
                position: engine.position(account).unwrap_or_default(),
                orders: BTreeMap::new(),
                is_changed: false,
            });
        }
        for side in [contract::Side::Buy, contract::Side::Sell] {
            engine.for_each_order(side, |order| model.rests_in(engine, &order));
        }
        engine.for_each_lot(|lot| model.lots.stands_in(&lot));
        model.end_command(engine.seq(), |_| ());
        model
    }

    /// A resting order of the engine, in its turn.
    fn rests_in(&mut self, engine: &Engine, it: &engine::OrderView) {
        let rank = self.book.rank();
        let place = Place { number: it.id.number, side: it.side, price: it.price, rank, leaves: it.leaves };
        self.book.put(&place);
        if it.is_close_out {
            self.lots.rests_in(it.id, place);
            return;
        }
        let open = OpenOrder {
            id: it.id,
            cl_ord_id: it.cl_ord_id,
            side: it.side,
            price: it.price,
            qty: Qty(it.leaves.0 + it.cum.0),
            leaves: it.leaves,
            cum: it.cum,
            // Nothing else rests in this version.
            ord_type: OrdType::Limit,
            tif: TimeInForce::GoodTillCancel,
            exec_inst: engine.exec_inst(it.id).unwrap_or(ExecInst::NONE),
        };
        self.list(Live { account: it.account, open, is_shown: true, rank, place: Some(place), is_touched: false });
    }

    /// Takes in an event. `public` is what everybody may know of it.
    pub(super) fn take(&mut self, event: &Event, fact: &Fact, public: Option<&PublicBody>) {
        self.number(event, fact);
        match fact {
            Fact::Accepted(it) => {
                self.accept(event.account(), it, matches!(public, Some(PublicBody::OrderEntered { .. })));
            }
            Fact::Amended(it) => {
                self.amend(event.account(), it);
            }
            Fact::Restated(it) => {
                self.order(it.number, it.slot).open.restate(it);
                self.touch(it.slot);
            }
            Fact::Canceled(it) => {
                self.bury(it.number, it.slot);
            }
            Fact::Fill(it) => self.fill(it),
            Fact::Liquidation(it) => self.lots.step(it, &self.spec, &mut self.book),
            Fact::Insurance(it) => self.insurance = it.balance,
            Fact::IndexMark(it) => (self.index, self.mark) = (it.index, it.mark),
            Fact::FundingRate(it) => (self.rate, self.indicative_rate) = (it.rate, it.indicative),
            Fact::State(it) => self.state = it.state.get(),
            Fact::Wallet(it) => {
                self.account_mut(event.account()).wallet = *it;
                self.has_changed(event.account());
            }
            Fact::Position(it) => {
                let lasting = event::Position { realised_by_command: Xbt::ZERO, ..*it };
                self.account_mut(event.account()).position = lasting;
                self.has_changed(event.account());
            }
            _ => {}
        }
    }

    /// The command's last event was taken: what is open rests. Tells what changed of the book.
    pub(super) fn end_command(&mut self, seq: u64, tell: impl FnMut(MarketBody)) {
        let mut touched = core::mem::take(&mut self.touched);
        for slot in touched.drain(..) {
            self.come_to_rest(slot);
        }
        self.touched = touched;
        self.lots.end_command(&mut self.book);
        assert!(!self.book.is_crossed(), "BOOK-1: the book never rests crossed");
        self.seq = seq;
        self.book.changes(tell);
    }

    /// Brings the book up to date about an order, where it is still open.
    fn come_to_rest(&mut self, slot: u32) {
        let Some(live) = self.orders[slot as usize].as_mut().filter(|live| live.is_touched) else { return };
        live.is_touched = false;
        if !live.is_shown {
            return;
        }
        let OpenOrder { id, side, price, leaves, .. } = live.open;
        match &mut live.place {
            Some(place) if place.leaves != leaves => self.book.resize(place, leaves),
            Some(_) => {}
            None => {
                let place = Place { number: id.number, side, price, rank: live.rank, leaves };
                self.book.put(&place);
                live.place = Some(place);
            }
        }
    }

    /// Events of an account are numbered without gaps, and the next account opens with its first.
    fn number(&mut self, event: &Event, fact: &Fact) {
        let mut count = |account: AccountId, seq: u64| {
            if seq == 0 {
                return;
            }
            if account.0 as usize == self.accounts.len() {
                self.accounts.push(Account::default());
            }
            let account = self.accounts.get_mut(account.0 as usize).expect("ACC-1: accounts open in order");
            assert!(seq == account.seq + 1, "events of an account are numbered without gaps");
            account.seq = seq;
        };
        count(event.account(), event.account_seq());
        if let Fact::Fill(fill) = fact {
            count(AccountId(fill.maker_account), fill.maker_seq);
        }
    }

    fn account_mut(&mut self, account: AccountId) -> &mut Account {
        &mut self.accounts[account.0 as usize]
    }

    fn accept(&mut self, account: AccountId, it: &event::Accepted, is_shown: bool) {
        let open = OpenOrder::of(it).expect("what is accepted has a known side, type and time in force");
        let rank = self.book.rank();
        self.list(Live { account, open, is_shown, rank, place: None, is_touched: false });
        self.touch(it.slot);
    }

    fn list(&mut self, live: Live) {
        let (account, OrderId { number, slot }, name) = (live.account, live.open.id, live.open.cl_ord_id);
        if slot as usize >= self.orders.len() {
            self.orders.resize_with(slot as usize + 1, || None);
        }
        let before = self.orders[slot as usize].replace(live);
        assert!(before.is_none(), "a slot is given to one live order");
        self.account_mut(account).orders.insert(number, slot);
        if !name.is_none() {
            self.names.insert((account, name), slot);
        }
    }

    /// The live order with that number in that slot.
    fn order(&mut self, number: u64, slot: u32) -> &mut Live {
        let live = self.orders.get_mut(slot as usize).and_then(Option::as_mut);
        live.filter(|live| live.open.id.number == number).expect("a fact about an order names a live one")
    }

    /// Notes that the book must look at an order when the command ends.
    fn touch(&mut self, slot: u32) {
        let live = self.orders[slot as usize].as_mut().expect("a live order is touched");
        if !core::mem::replace(&mut live.is_touched, true) {
            self.touched.push(slot);
        }
    }

    fn amend(&mut self, account: AccountId, it: &event::Amended) {
        let live = self.order(it.number, it.slot);
        let (name, place) = (live.open.cl_ord_id, live.place);
        live.open.amend(it);
        if it.has_lost_place() {
            live.place = None;
            let rank = self.book.rank();
            self.order(it.number, it.slot).rank = rank;
            place.iter().for_each(|place| self.book.take_out(place));
        }
        if name != it.cl_ord_id {
            self.names.remove(&(account, name));
            self.names.insert((account, it.cl_ord_id), it.slot);
        }
        self.touch(it.slot);
    }

    /// An order's end.
    fn bury(&mut self, number: u64, slot: u32) {
        self.order(number, slot);
        let live = self.orders[slot as usize].take().expect("just looked at");
        live.place.iter().for_each(|place| self.book.take_out(place));
        self.account_mut(live.account).orders.remove(&number);
        if !live.open.cl_ord_id.is_none() {
            self.names.remove(&(live.account, live.open.cl_ord_id));
        }
    }

    fn fill(&mut self, it: &event::Fill) {
        let cause = it.cause.get().expect("a fill has a known cause");
        if cause == FillCause::Takeover {
            // Nothing of it is an order's: the lot it makes is told next.
            self.lots.taken_over(OrderId { number: it.maker_number, slot: it.maker_slot });
            return;
        }
        self.fill_order(it.taker_number, it.taker_slot, it.qty, it.taker_leaves);
        self.fill_order(it.maker_number, it.maker_slot, it.qty, it.maker_leaves);
    }

    fn fill_order(&mut self, number: u64, slot: u32, qty: Qty, leaves: Qty) {
        if number == 0 {
            return;
        }
        if self.lots.has(slot) {
            return self.lots.fill(OrderId { number, slot }, leaves, &mut self.book);
        }
        self.order(number, slot).open.fill(qty, leaves);
        if leaves.is_zero() {
            self.bury(number, slot);
        } else {
            self.touch(slot);
        }
    }
}

/// Looking at it.
impl Model {
    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    pub(super) fn spec(&self) -> &ContractSpec {
        &self.spec
    }

    /// A trader's account.
    fn trader(&self, account: AccountId) -> Option<&Account> {
        self.accounts.get(account.0 as usize).filter(|_| !account.is_house())
    }

    pub(super) fn wallet(&self, account: AccountId) -> Option<event::Wallet> {
        self.trader(account).map(|found| found.wallet)
    }

    pub(super) fn position(&self, account: AccountId) -> Option<event::Position> {
        self.trader(account).map(|found| found.position)
    }

    fn open(&self, slot: u32) -> Option<&Live> {
        self.orders.get(slot as usize).and_then(Option::as_ref)
    }

    /// Its open orders, oldest first.
    pub(super) fn orders(&self, account: AccountId) -> Option<Vec<OpenOrder>> {
        let open = |slot: &u32| self.open(*slot).expect("an account lists live orders").open;
        self.trader(account).map(|found| found.orders.values().map(open).collect())
    }

    /// One of its own open orders; another's looks unknown. (Rule ID-2)
    pub(super) fn order_of(&self, account: AccountId, target: &Target) -> Option<OpenOrder> {
        let (slot, number) = match target {
            Target::OrderId(id) => (id.slot, Some(id.number)),
            Target::ClOrdId(name) => (*self.names.get(&(account, *name))?, None),
        };
        let live = self.open(slot).filter(|live| live.account == account)?;
        number.is_none_or(|number| number == live.open.id.number).then_some(live.open)
    }

    /// The client's name of an order of the account's own; none for any other.
    pub(super) fn name(&self, account: AccountId, id: OrderId) -> ClOrdId {
        self.order_of(account, &Target::OrderId(id)).map_or(ClOrdId::NONE, |order| order.cl_ord_id)
    }

    pub(super) fn snapshot(&self, account: AccountId) -> Option<AccountSnapshot> {
        let found = self.trader(account)?;
        Some(AccountSnapshot {
            account,
            as_of: self.seq,
            account_seq: found.seq,
            orders: self.orders(account)?,
            wallet: found.wallet,
            position: found.position,
        })
    }

    pub(super) fn top(&self) -> Top {
        self.book.top()
    }

    pub(super) fn l2(&self, depth: usize) -> L2 {
        self.book.l2(depth)
    }

    pub(super) fn l3(&self) -> L3 {
        self.book.l3()
    }
}
