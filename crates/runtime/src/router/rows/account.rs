//! Rows of one party, and its account as rows make it.

use contract::project::{Entry, Execution, PrivateBody, PrivateRow, Stamp};
use contract::{AccountId, ClOrdId, ExecInst, Fact, OrdType, OrderId, Qty, Side, Tick, TimeInForce, Xbt, event};

/// A row of an account's feed.
///
/// Rows of one account are numbered without gaps. Where two of its own orders met it has two rows, the taker's
/// and the maker's: `PrivateBody::SelfTrade` is not in a feed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AccountRow {
    /// What the fact means to this party.
    pub row: PrivateRow,
    /// The client's name of the order the row is about; none where it is about none, or the client gave none.
    pub cl_ord_id: ClOrdId,
}

/// An order that is open, in full.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct OpenOrder {
    /// Its identity.
    pub id: OrderId,
    /// The client's name for it.
    pub cl_ord_id: ClOrdId,
    /// Buy or sell.
    pub side: Side,
    /// Limit price.
    pub price: Tick,
    /// Contracts in all.
    pub qty: Qty,
    /// Contracts open.
    pub leaves: Qty,
    /// Contracts executed; together with what is open, all.
    pub cum: Qty,
    /// Type.
    pub ord_type: OrdType,
    /// Time in force.
    pub tif: TimeInForce,
    /// Instructions.
    pub exec_inst: ExecInst,
}

impl OpenOrder {
    /// As it was accepted; `None` where its words name nothing known.
    pub(in crate::router) fn of(it: &event::Accepted) -> Option<OpenOrder> {
        Some(OpenOrder {
            id: OrderId { number: it.number, slot: it.slot },
            cl_ord_id: it.cl_ord_id,
            side: it.side.get()?,
            price: it.price,
            qty: it.qty,
            leaves: it.qty,
            cum: Qty::ZERO,
            ord_type: it.ord_type.get()?,
            tif: it.tif.get()?,
            exec_inst: it.exec_inst,
        })
    }

    pub(in crate::router) fn amend(&mut self, it: &event::Amended) {
        (self.price, self.qty, self.leaves, self.cl_ord_id) = (it.price, it.qty, it.leaves, it.cl_ord_id);
    }

    pub(in crate::router) fn restate(&mut self, it: &event::Restated) {
        (self.qty, self.leaves) = (it.qty, it.leaves);
    }

    pub(in crate::router) fn fill(&mut self, qty: Qty, leaves: Qty) {
        self.cum += qty;
        self.leaves = leaves;
    }
}

/// An account as it stood after a command. Rows of its feed go on from there.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct AccountSnapshot {
    /// Whose.
    pub account: AccountId,
    /// All that this command and those before it said is in here, and nothing of the next.
    pub as_of: u64,
    /// The number of the last row that is in here; the feed's first row has the next one.
    pub account_seq: u64,
    /// Open orders, oldest first.
    pub orders: Vec<OpenOrder>,
    /// Balance, order margin and its sums.
    pub wallet: event::Wallet,
    /// The position; what one command alone realised is not in it. What depends on the mark, the two prices of it
    /// in cross margin too, is `View::account`'s.
    pub position: event::Position,
}

impl AccountSnapshot {
    /// Takes in the feed's next row: the snapshot is then that of a later moment.
    ///
    /// # Panics
    /// Where the row is not the next one: rows are numbered without gaps.
    pub fn apply(&mut self, row: &AccountRow) {
        let row = &row.row;
        assert!(row.account_seq == self.account_seq + 1, "rows of an account are numbered without gaps");
        (self.account_seq, self.as_of) = (row.account_seq, row.stamp.seq);
        match &row.body {
            PrivateBody::Execution(it) => self.execute(it),
            PrivateBody::SelfTrade(taker, maker) => {
                self.execute(taker);
                self.execute(maker);
                self.account_seq += 1;
            }
            PrivateBody::Fact(fact) => self.fact(fact),
            _ => {}
        }
    }

    fn fact(&mut self, fact: &Fact) {
        match fact {
            Fact::Accepted(it) => self.orders.extend(OpenOrder::of(it)),
            Fact::Amended(it) => self.change(it.number, |order| order.amend(it)),
            Fact::Restated(it) => self.change(it.number, |order| order.restate(it)),
            Fact::Canceled(it) => self.orders.retain(|order| order.id.number != it.number),
            Fact::Wallet(it) => self.wallet = *it,
            Fact::Position(it) => self.position = event::Position { realised_by_command: Xbt::ZERO, ..*it },
            _ => {}
        }
    }

    fn execute(&mut self, it: &Execution) {
        self.change(it.order.number, |order| order.fill(it.qty, it.leaves));
        self.orders.retain(|order| !order.leaves.is_zero());
    }

    fn change(&mut self, number: u64, change: impl FnOnce(&mut OpenOrder)) {
        if let Some(order) = self.orders.iter_mut().find(|order| order.id.number == number) {
            change(order);
        }
    }
}

/// A row of the drop copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "rows lie in a ring: a box would be made and freed on the router's thread"
)]
pub enum DropCopyRow {
    /// A private row, and whose it is.
    Row {
        /// The party; accounts of the house too, and one that does not exist where a command named it.
        account: AccountId,
        /// As its own feed has it.
        row: AccountRow,
    },
    /// A ledger entry, behind the rows of its event.
    Entry {
        /// The event.
        stamp: Stamp,
        /// What moved.
        entry: Entry,
    },
}

/// The feed's rows of a private row, one a number, each with the name of its order.
pub(in crate::router) fn rows_of(
    row: PrivateRow,
    name: impl Fn(OrderId) -> ClOrdId,
) -> impl Iterator<Item = AccountRow> {
    let named = |row: PrivateRow| AccountRow { row, cl_ord_id: name_in(&row.body, &name) };
    match row.body {
        PrivateBody::SelfTrade(taker, maker) => {
            let half = |account_seq, half| named(PrivateRow { account_seq, body: PrivateBody::Execution(half), ..row });
            [Some(half(row.account_seq, taker)), Some(half(row.account_seq + 1, maker))]
        }
        _ => [Some(named(row)), None],
    }
    .into_iter()
    .flatten()
}

/// The name of the order a row is about: the row's own, else by the order's identity.
fn name_in(body: &PrivateBody, name: &impl Fn(OrderId) -> ClOrdId) -> ClOrdId {
    let by_id = |number, slot| name(OrderId { number, slot });
    match body {
        PrivateBody::Execution(it) => name(it.order),
        PrivateBody::Fact(fact) => match fact {
            Fact::Accepted(it) => it.cl_ord_id,
            Fact::Amended(it) => it.cl_ord_id,
            Fact::Rejected(it) if !it.cl_ord_id.is_none() => it.cl_ord_id,
            Fact::Rejected(it) => by_id(it.number, it.slot),
            Fact::Canceled(it) => by_id(it.number, it.slot),
            Fact::Restated(it) => by_id(it.number, it.slot),
            Fact::Triggered(it) => by_id(it.number, it.slot),
            _ => ClOrdId::NONE,
        },
        _ => ClOrdId::NONE,
    }
}
