//! The engine, as a table of contents: agenda, command, agenda, state events.
//!
//! In    `Command`, stamped, in order.
//! Out   `Event`, in order; the same for the same commands on any machine.
//! Laws  1 to 5 of the design; what each command says is in `docs/commands.md`.

use alloc::vec;
use alloc::vec::Vec;

use contract::command::{
    FundingRate, Index as Quoted, Mark, OpenAccount, SetAccount, SetLeverage, SetState, SetWeights,
};
use contract::event::{Body, Position, Rejected, Wallet};
use contract::spec::SpecError;
use contract::{
    AccountId, Action, Amend, Cancel, CancelAll, Capacity, ClOrdId, Coded, Command, CommandKind, ContractSpec, Genesis,
    MarketState, Marking, NewOrder, OrderId, Price, Qty, Rate, Reject, Side, Target, Tick, Xbt,
};

use crate::account::{
    Account, IN_APPLY, MARGIN_IS_NEW, MOVE_KEY, NO_MARK, SETTLED_AHEAD, SUSPENDED, TELL_POSITION, TELL_WALLET,
};
use crate::agenda::Agenda;
use crate::audit::Watch;
use crate::bits::Bits;
use crate::book::Book;
use crate::funding::Funding;
use crate::index::Index;
use crate::keys::EarlyKeys;
use crate::ladder::Ladder;
use crate::liquidation::Lot;
use crate::lots::LotAges;
use crate::market::Market;
use crate::names::Names;
use crate::outbox::Outbox;
use crate::premium::Premium;
use crate::review::sort;
use crate::say::Say;

/// Seeds the table of client order ids where the embedder gives none.
pub(crate) const DEFAULT_HASH_SEED: u64 = 0x0ce0_7f1d_5eed_2026;

/// Why a command is refused, with the number its text needs.
pub(crate) type Refusal = (Reject, i64);

const NEW: u8 = CommandKind::New as u8;
const CANCEL: u8 = CommandKind::Cancel as u8;
/// A new order and a cancel without flags, for this instrument.
const PLAIN_NEW: u32 = Command::plain_head(CommandKind::New);
const PLAIN_CANCEL: u32 = Command::plain_head(CommandKind::Cancel);
const AMEND: u8 = CommandKind::Amend as u8;

/// The matching and margin engine: one order book, one perpetual, all accounts.
///
/// ```
/// use centum_engine::Engine;
/// use contract::command::{Amount, Mark, OpenAccount};
/// use contract::*;
///
/// let spec = ContractSpec { marking: Marking::External, ..ContractSpec::XBTUSD_2019 };
/// let mut engine = Engine::new(&Genesis { spec, capacity: Capacity::default() })?;
/// let mut events = Vec::new();
/// let alice = AccountId(4);
/// let buy = NewOrder::limit(ClOrdId::new("a-1").unwrap(), Side::Buy, Tick(20_000), Qty(100));
/// for (i, action) in [
///     Action::Mark(Mark { price: Price(1_000_000) }),
///     Action::OpenAccount(OpenAccount { fee_class: 0 }),
///     Action::Deposit(Amount { amount: Xbt(100_000_000) }),
///     Action::New(buy),
/// ]
/// .into_iter()
/// .enumerate()
/// {
///     engine.apply(&Command::new(alice, action).stamped(i as u64 + 1, 0), &mut events);
/// }
/// assert_eq!(engine.best(Side::Buy), Some(Tick(20_000)));
/// assert_eq!(engine.wallet(alice).unwrap().order_margin, Xbt(11_508)); // 1 % and two taker fees
/// # Ok::<(), contract::spec::SpecError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) genesis: Genesis,
    pub(crate) market: Market,
    pub(crate) waiting_mark: Price,
    pub(crate) funding: Funding,
    pub(crate) premium: Premium,
    pub(crate) index: Index,
    pub(crate) state: MarketState,
    pub(crate) book: Book,
    pub(crate) names: Names,
    pub(crate) accounts: Vec<Account>,
    pub(crate) long_keys: Ladder,
    pub(crate) short_keys: Ladder,
    pub(crate) early_keys: EarlyKeys,
    pub(crate) lots: Vec<Lot>,
    pub(crate) free_lots: Bits,
    pub(crate) lot_ages: LotAges,
    pub(crate) agenda: Agenda,
    pub(crate) sessions: Vec<u64>,
    pub(crate) next_number: u64,
    pub(crate) net_deposits: i128,
    pub(crate) say: Say,
    pub(crate) watch: Watch,
    /// Accounts touched in this step, and in this apply.
    pub(crate) in_step: Vec<u32>,
    pub(crate) in_apply: Vec<u32>,
    pub(crate) plan_epoch: u64,
    /// Of each account the last plan that moved its position, and where to.
    pub(crate) scratch: Vec<(u64, i64)>,
    /// The command's own account while it is carried out and reviewed, none while the agenda is worked on.
    pub(crate) own_account: u32,
    /// Before this stamp nothing is due by itself and all is quiet (`is_quiet`), as the last command that may have changed
    /// that left it. 0: not known, or not so.
    quiet_until: u64,
}

/// A live order as it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrderView {
    /// Its identity.
    pub id: OrderId,
    /// Its account.
    pub account: AccountId,
    /// Buy or sell.
    pub side: Side,
    /// Its limit.
    pub price: Tick,
    /// Open quantity.
    pub leaves: Qty,
    /// Executed quantity.
    pub cum: Qty,
    /// The client's name for it.
    pub cl_ord_id: ClOrdId,
    /// May it only reduce? (Rule INST-2)
    pub is_reduce_only: bool,
    /// Does it close out a lot of the liquidation account? (Rule LIQ-9)
    pub is_close_out: bool,
}

impl Engine {
    /// A new engine with nothing in it but the four accounts of the house.
    ///
    /// # Errors
    /// The field of the specification or of the capacity that cannot be traded.
    pub fn new(genesis: &Genesis) -> Result<Engine, SpecError> {
        Engine::with_hash_seed(genesis, DEFAULT_HASH_SEED)
    }

    /// The same with a secret seed for the table of client order ids, so that no client can choose ids
    /// that collide. The seed changes no fact, no chain and no digest.
    ///
    /// # Errors
    /// As [`Engine::new`].
    pub fn with_hash_seed(genesis: &Genesis, seed: u64) -> Result<Engine, SpecError> {
        let Genesis { spec, capacity } = genesis;
        spec.validate()?;
        capacity.validate()?;
        let accounts_max = capacity.accounts as usize;
        let mut accounts = Vec::with_capacity(accounts_max);
        accounts.resize_with(AccountId::FIRST_TRADER.0 as usize, || Account::new(spec, 0, Rate::ZERO));
        let slots = capacity.accounts + capacity.lots;
        Ok(Engine {
            genesis: *genesis,
            market: Market::new(spec),
            waiting_mark: Price::NONE,
            funding: Funding::new(),
            premium: Premium::NONE,
            index: Index::new(spec.marking),
            state: MarketState::Open,
            book: Book::new(spec, capacity),
            names: Names::new(capacity.orders, seed),
            accounts,
            long_keys: Ladder::new(spec.max_tick(), slots),
            short_keys: Ladder::new(spec.max_tick(), slots),
            early_keys: EarlyKeys::NONE,
            lots: vec![Lot::FREE; capacity.lots as usize],
            free_lots: Bits::full(capacity.lots as usize),
            lot_ages: LotAges::EMPTY,
            agenda: Agenda::new(capacity),
            sessions: vec![0; capacity.sessions as usize],
            next_number: 1,
            net_deposits: 0,
            say: Say::new(),
            watch: Watch::new(accounts_max),
            in_step: Vec::with_capacity(accounts_max),
            in_apply: Vec::with_capacity(accounts_max),
            plan_epoch: 0,
            scratch: vec![(0, 0); accounts_max],
            own_account: u32::MAX,
            quiet_until: 0,
        })
    }

    /// Applies one command and says what came of it: at least one event, the last one marked.
    ///
    /// Bad input is answered with `Rejected` and changes nothing but `seq`, `ts` and its session's last
    /// request. (Law 2)
    ///
    /// # Panics
    /// Where the caller breaks the one order of commands: `seq` rises by one, `ts` never falls; and where
    /// an invariant of the engine is broken: better to stop than to pay out wrongly. (Law 6)
    #[inline]
    pub fn apply(&mut self, command: &Command, out: &mut impl Outbox) {
        self.apply_tagged(command, self.tag_in(command), out);
    }

    /// The tag of the name in a command that has one: of a new order, or of the order that a cancel or an amend is about,
    /// which stands in the same place.
    #[inline(always)]
    pub(crate) fn tag_in(&self, command: &Command) -> u32 {
        self.names.tag(command.account().0, &NewOrder::read(command.words()).cl_ord_id)
    }

    /// The same where the tag of the command's name is known.
    #[inline(always)]
    pub(crate) fn apply_tagged(&mut self, command: &Command, tag: u32, out: &mut impl Outbox) {
        self.say.begin(command);
        let admitted = self.check_session(command);
        // A command at which the audit looks is not a quiet one.
        if command.ts() < self.quiet_until && !self.is_audited() && admitted.is_ok() {
            match command.head() {
                PLAIN_NEW => return self.new_in_quiet(command, tag, out),
                PLAIN_CANCEL => return self.cancel_in_quiet(command, tag, out),
                _ => {}
            }
        }
        self.apply_any(command, tag, admitted, out);
    }

    /// Any command, whatever waits, with the tag of its name.
    #[inline(never)]
    pub(crate) fn apply_any(
        &mut self,
        command: &Command,
        tag: u32,
        admitted: Result<(), Refusal>,
        out: &mut impl Outbox,
    ) {
        let mut budget = self.market.spec.budget;
        if self.has_work() || command.ts() >= self.funding.due_ts {
            self.work_before(command, &mut budget, out);
        }
        self.own_account = command.account().0;
        if let Err(refusal) = admitted.and_then(|()| self.carry_out(command, tag, out)) {
            self.refuse(command, refusal, out);
        }
        self.finish(command, budget, out);
    }

    /// What the command made due, then the state of every account it touched, and the audit.
    #[inline(never)]
    pub(crate) fn finish(&mut self, command: &Command, mut budget: u64, out: &mut impl Outbox) {
        if self.has_work_or_touched() {
            self.review(out);
            if self.has_work() {
                self.own_account = u32::MAX;
                self.work(&mut budget, out);
            }
            self.tell_states(out);
            self.audit_totals(out);
        }
        self.audit(budget, command.kind_code() == CommandKind::Clock as u8, out);
        self.say.end(out);
        self.quiet_until = if self.is_quiet() { self.funding.due_ts } else { 0 };
    }

    /// Does nothing wait, is the market open or post-only, and has it a mark that is not stale?
    #[inline(always)]
    fn is_quiet(&self) -> bool {
        !self.has_work() && !self.is_halted() && !self.is_stale() && self.market.mark_value != 0
    }

    /// Is what was noted of that still so? Commands on the quiet path do not note it anew.
    pub(crate) fn is_quiet_as_noted(&self) -> bool {
        self.quiet_until == 0 || (self.is_quiet() && self.quiet_until == self.funding.due_ts)
    }

    /// What is due by the command's stamp, and what waits. Where the mark has reached the command's own account, that is
    /// looked at then, and a funding pass that is still open has settled it: nothing reads or changes an account before.
    /// (Rules LIQ-4, FUND-5, TIME-1)
    #[inline(never)]
    fn work_before(&mut self, command: &Command, budget: &mut u64, out: &mut impl Outbox) {
        self.own_account = u32::MAX;
        self.work(budget, out);
        let Ok(number) = self.trader(command.account()) else { return };
        self.look_first(number);
        if self.agenda.pass.is_some() {
            self.settle_ahead(number, out);
            self.review(out);
        }
    }

    #[inline(always)]
    fn carry_out(&mut self, command: &Command, tag: u32, out: &mut impl Outbox) -> Result<(), Refusal> {
        if command.flags() != 0 {
            return Err((Reject::InvalidCommand, 0));
        }
        match command.kind_code() {
            NEW => self.new_order(command, tag, out),
            CANCEL => self.cancel(command, tag, out),
            AMEND => self.amend(command, tag, out),
            _ => self.carry_out_rare(command, out),
        }
    }

    #[inline(never)]
    fn carry_out_rare(&mut self, command: &Command, out: &mut impl Outbox) -> Result<(), Refusal> {
        let words = command.words();
        let amount = || contract::command::Amount::read(words).amount;
        match command.kind().ok_or((Reject::InvalidCommand, 0))? {
            CommandKind::SetState => self.set_state(command, &SetState::read(words), out),
            CommandKind::CancelAll => self.cancel_all(command, &CancelAll::read(words)),
            CommandKind::OpenAccount => self.open_account(command, &OpenAccount::read(words)),
            CommandKind::SetAccount => self.set_account(command, &SetAccount::read(words)),
            CommandKind::Deposit => self.deposit(command, amount(), out),
            CommandKind::Withdraw => self.withdraw(command, amount(), out),
            CommandKind::FundInsurance => self.fund_insurance(command, amount(), out),
            CommandKind::SetLeverage => self.set_leverage(command, SetLeverage::read(words).leverage),
            CommandKind::TransferMargin => self.transfer_margin(command, amount(), out),
            CommandKind::SetRiskLimit => self.set_risk_limit(command, amount()),
            CommandKind::Mark => self.take_mark(command, Mark::read(words).price, out),
            CommandKind::FundingRate => self.take_rate(command, FundingRate::read(words).rate, out),
            CommandKind::Index => self.take_index(command, &Quoted::read(words), out),
            CommandKind::SetWeights => self.set_weights(command, &SetWeights::read(words), out),
            CommandKind::Epoch => self.take_epoch(command, out),
            CommandKind::Clock => Ok(()),
            // What a replay is given in the place of a command that an operator quarantined. (Law 6)
            CommandKind::Quarantine => Err((Reject::Quarantined, 0)),
            _ => Err((Reject::InvalidCommand, 0)),
        }
    }

    /// Does anything wait: agenda, rate or mark? (They wait only while the agenda holds something.)
    #[inline(always)]
    pub(crate) fn has_work(&self) -> bool {
        self.agenda.has_news
    }

    /// Exactly once: a request that does not rise was applied before. (Rule ID-2)
    #[inline(always)]
    fn check_session(&mut self, command: &Command) -> Result<(), Refusal> {
        let session = command.session();
        if session == 0 {
            return Ok(());
        }
        let last = self.sessions.get_mut(session as usize).ok_or((Reject::CapacityReached, 0))?;
        if command.request() <= *last {
            return Err((Reject::DuplicateRequest, 0));
        }
        *last = command.request();
        Ok(())
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn refuse(&mut self, command: &Command, (reject, detail): Refusal, out: &mut impl Outbox) {
        let (mut cl_ord_id, mut id) = (ClOrdId::NONE, OrderId::default());
        match command.action() {
            Some(Action::New(order)) => cl_ord_id = order.cl_ord_id,
            Some(Action::Amend(Amend { target, .. }) | Action::Cancel(Cancel { target })) => match target {
                Target::ClOrdId(name) => cl_ord_id = name,
                Target::OrderId(by_id) => id = by_id,
            },
            _ => {}
        }
        let rejected = Rejected {
            reason: u16::from(reject.code()),
            session: command.session(),
            detail,
            cl_ord_id,
            slot: id.slot,
            request: command.request(),
            number: id.number,
            command: command.kind_code(),
        };
        let account = command.account();
        match self.accounts.get_mut(account.0 as usize) {
            Some(known) => self.say.fact(Some((account.0, known)), rejected, out),
            None => self.say.event(account, 0, rejected, out),
        }
    }

    /// Says a fact about an account.
    #[inline(always)]
    pub(crate) fn tell(&mut self, account: u32, fact: impl Body, out: &mut impl Outbox) {
        self.say.fact(Some((account, &mut self.accounts[account as usize])), fact, out);
    }

    /// Marks an account as touched, so that it is reviewed and its state is told. House accounts are not.
    #[inline(never)]
    pub(crate) fn touch(&mut self, number: u32, what: u16) {
        if number < AccountId::FIRST_TRADER.0 {
            return;
        }
        debug_assert!(self.unseen(number).is_none(), "LIQ-4: nobody changes before he is looked at");
        let Engine { accounts, in_step, in_apply, .. } = self;
        let account = &mut accounts[number as usize];
        account.touch(number, what, in_step, in_apply);
        if what & MOVE_KEY != 0 {
            account.margin_mark = NO_MARK;
        }
    }

    /// Touches an account of which all that a review would do is done: its own command changed orders and
    /// nothing else, and its order margin is up to date. Where nothing else is under way its state is told at
    /// once.
    #[inline(always)]
    pub(crate) fn touch_reviewed(&mut self, number: u32, out: &mut impl Outbox) {
        let is_quiet = !self.has_work_or_touched();
        if !is_told_at_once(&mut self.say, is_quiet, number, &mut self.accounts[number as usize], out) {
            self.touch(number, TELL_WALLET | MARGIN_IS_NEW);
        }
    }

    /// Is anything waiting, or any account touched by this command?
    #[inline(always)]
    fn has_work_or_touched(&self) -> bool {
        self.has_work() || !self.in_apply.is_empty()
    }

    /// Touches an account whose position or terms changed.
    #[inline(always)]
    pub(crate) fn touch_position(&mut self, number: u32) {
        self.touch(number, TELL_WALLET | TELL_POSITION | MOVE_KEY);
    }

    /// The state of every touched trader, once each, by rising number.
    #[inline(never)]
    fn tell_states(&mut self, out: &mut impl Outbox) {
        let Engine { in_apply, accounts, market, say, watch, .. } = self;
        sort(in_apply);
        for &number in in_apply.iter() {
            let account = &mut accounts[number as usize];
            watch.see(number, account);
            let flags = account.flags;
            account.flags &= !(IN_APPLY | TELL_WALLET | TELL_POSITION);
            if flags & TELL_WALLET != 0 {
                let wallet = wallet_of(account);
                say.fact(Some((number, account)), wallet, out);
            }
            if flags & TELL_POSITION != 0 {
                let mut position = position_of(&market.spec, account);
                position.realised_by_command = account.realised - account.realised_before;
                say.fact(Some((number, account)), position, out);
            }
        }
        in_apply.clear();
    }

    /// A trader's account that a command may be about. (Rule ID-2)
    #[inline(always)]
    pub(crate) fn trader(&self, account: AccountId) -> Result<u32, Refusal> {
        if account.is_house() || account.0 as usize >= self.accounts.len() {
            return Err((Reject::InvalidAccount, 0));
        }
        Ok(account.0)
    }

    /// Nothing but instrument 0.
    #[inline(always)]
    pub(crate) fn check_symbol(command: &Command) -> Result<(), Refusal> {
        if command.instrument() == 0 { Ok(()) } else { Err((Reject::InvalidSymbol, 0)) }
    }
}

/// Tells an account's state at once, where only its own orders changed, it needs no review and all is quiet:
/// nothing waits, nobody else was touched. Else false, and it must be touched.
#[inline(always)]
pub(crate) fn is_told_at_once(
    say: &mut Say,
    is_quiet: bool,
    number: u32,
    account: &mut Account,
    out: &mut impl Outbox,
) -> bool {
    let is_told = is_quiet && account.needs_no_review();
    if is_told {
        let wallet = wallet_of(account);
        say.fact(Some((number, account)), wallet, out);
    }
    is_told
}

/// What an account's `Wallet` event says.
#[inline(always)]
pub(crate) fn wallet_of(account: &Account) -> Wallet {
    let (buy, sell) = (&account.sums.buy, &account.sums.sell);
    // Sums have 63 bits: whatever adds to one checks that.
    let cost = |sum: u64| Xbt(sum.cast_signed());
    Wallet {
        balance: account.wallet,
        order_margin: account.order_margin,
        buy_qty: buy.qty,
        buy_cost: cost(buy.cost),
        buy_premium: cost(buy.premium),
        sell_qty: sell.qty,
        sell_cost: cost(sell.cost),
        sell_premium: cost(sell.premium),
    }
}

/// What an account's `Position` event says, `realised_by_command` aside.
#[inline(always)]
pub(crate) fn position_of(spec: &ContractSpec, account: &Account) -> Position {
    let position = &account.position;
    let (init, liquidation_price, bankruptcy_price) = if position.qty == 0 {
        (Xbt::ZERO, Price::NONE, Price::NONE)
    } else {
        let init = contract::margin::position_init(&account.terms, position);
        let w = contract::liquidation::bearable(&account.terms, position, account.equity());
        let price = |w| contract::liquidation::price_after_loss(spec, position, w, spec.tick_size);
        let liquidation_price = match account.exact_key() {
            Some(tick) => spec.tick_price(tick),
            None => price(w.until_liquidation),
        };
        (init, liquidation_price, price(w.until_bankruptcy))
    };
    Position {
        leverage: account.leverage,
        qty: position.qty,
        cost: position.cost,
        realised: account.realised,
        realised_by_command: Xbt::ZERO,
        commission: account.commission,
        init,
        cross: position.cross,
        loss: position.loss,
        liquidation_price,
        bankruptcy_price,
        tier: account.tier,
        fee_class: account.fee_class,
        flags: if account.has(SUSPENDED) { contract::event::POSITION_SUSPENDED } else { 0 },
    }
}

/// Looking at the engine. None of these changes it.
impl Engine {
    /// The contract.
    #[must_use]
    pub fn spec(&self) -> &ContractSpec {
        &self.market.spec
    }

    /// The contract as it was at the start, and the limits.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The limits.
    #[must_use]
    pub fn capacity(&self) -> Capacity {
        self.genesis.capacity
    }

    /// Sequence number of the last command; 0 before the first.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.say.seq()
    }

    /// Stamp of the last command, ns.
    #[must_use]
    pub fn ts(&self) -> u64 {
        self.say.ts()
    }

    /// Running hash over commands and events: it finds the first divergence.
    #[must_use]
    pub fn chain(&self) -> u64 {
        self.say.chain.value()
    }

    /// The last request of a session that was applied or refused; `None` for a session there is not. What a
    /// gateway asks after a restart: was my order applied? (Rule ID-2)
    #[must_use]
    pub fn last_request(&self, session: u32) -> Option<u64> {
        self.sessions.get(session as usize).copied()
    }

    /// The mark price in force.
    #[must_use]
    pub fn mark(&self) -> Option<Price> {
        (self.market.mark != Price::NONE).then_some(self.market.mark)
    }

    /// The index; `None` in external marking, and while no constituent is fresh. (Rules INDEX-1, MARK-3)
    #[must_use]
    pub fn index(&self) -> Option<Price> {
        (self.index.price != Price::NONE).then_some(self.index.price)
    }

    /// Does the mark stand still because no constituent is fresh? (Rule MARK-3)
    #[must_use]
    pub fn is_mark_stale(&self) -> bool {
        self.is_stale()
    }

    /// The funding rate in force. (Rule FUND-2)
    #[must_use]
    pub fn funding_rate(&self) -> Rate {
        self.market.rate
    }

    /// The funding rate that an account's margins know: the one in force, or the one before it while a pass is open
    /// that has not come to it. (Rule FUND-5)
    #[must_use]
    pub fn margin_rate(&self, account: AccountId) -> Option<Rate> {
        let found = self.accounts.get(account.0 as usize)?;
        let turn = self.agenda.pass.filter(|pass| account.0 >= pass.next && !found.has(SETTLED_AHEAD));
        Some(turn.map_or(self.market.rate, |pass| pass.before))
    }

    /// How many accounts are open, the house's four included.
    #[must_use]
    pub fn accounts(&self) -> u32 {
        self.accounts.len() as u32
    }

    /// Balance and orders of an account, as a `Wallet` event would say now. For a house account the
    /// balance is what it holds: fees, insurance fund, residue.
    #[must_use]
    pub fn wallet(&self, account: AccountId) -> Option<Wallet> {
        self.accounts.get(account.0 as usize).map(wallet_of)
    }

    /// Position of an account, as a `Position` event would say now; `realised_by_command` is 0.
    #[must_use]
    pub fn position(&self, account: AccountId) -> Option<Position> {
        self.accounts.get(account.0 as usize).map(|found| position_of(&self.market.spec, found))
    }

    /// What an account may still use, XBt; may be negative. (Rule MARGIN-7)
    #[must_use]
    pub fn available(&self, account: AccountId) -> Option<Xbt> {
        self.accounts.get(account.0 as usize).map(|found| self.market.available(found))
    }

    /// Is the account waiting to be liquidated?
    #[must_use]
    pub fn is_due(&self, account: AccountId) -> bool {
        (account.0 as usize) < self.accounts.len() && self.is_due_found_or_not(account.0)
    }

    /// What the insurance fund holds, XBt. (Rule INS-1)
    #[must_use]
    pub fn insurance(&self) -> Xbt {
        self.accounts[AccountId::INSURANCE.0 as usize].wallet
    }

    /// The resting order with that identity.
    #[must_use]
    pub fn order(&self, id: OrderId) -> Option<OrderView> {
        self.book.with_id(id).map(|order| self.order_view(&order))
    }

    /// An account's resting order with that client id.
    #[must_use]
    pub fn order_named(&self, account: AccountId, name: &ClOrdId) -> Option<OrderView> {
        self.named(account.0, name).map(|slot| self.order_view(&self.book.resting(slot)))
    }

    fn order_view(&self, order: &crate::book::Resting) -> OrderView {
        let cold = self.book.cold(order.slot);
        OrderView {
            id: OrderId { number: order.number, slot: order.slot },
            account: Book::account_of(order),
            side: order.side(),
            price: order.tick,
            leaves: Qty(order.leaves),
            cum: Qty(self.book.cum(order.slot)),
            cl_ord_id: cold.cl_ord_id(),
            is_reduce_only: order.is(crate::book::REDUCE_ONLY),
            is_close_out: order.is(crate::book::CLOSE_OUT),
        }
    }

    /// Best price of a side of the book (`Buy`: the bids).
    #[must_use]
    pub fn best(&self, side: Side) -> Option<Tick> {
        self.book.best(side)
    }

    /// Open quantity resting at a tick.
    #[must_use]
    pub fn level_qty(&self, tick: Tick) -> Qty {
        if tick > self.market.max_tick { Qty::ZERO } else { self.book.total(tick) }
    }

    /// The orders of one side in priority: best price first, oldest first.
    pub fn for_each_order(&self, side: Side, mut f: impl FnMut(OrderView)) {
        self.book.for_each(side, |order| f(self.order_view(&order)));
    }

    /// Breaks the engine on purpose: the next order that would rest breaks the law that creation numbers have 59
    /// bits. For tests of what happens then.
    #[doc(hidden)]
    pub fn plant_fault(&mut self) {
        self.next_number = 1 << 59;
    }

    /// The stamp at which something is due by itself, ns: a funding instant, or the next look at the index. A market
    /// without commands is to be given a `Clock` then. `u64::MAX`: never. (Rule TIME-1)
    #[must_use]
    pub fn due_ts(&self) -> u64 {
        let is_external = self.market.spec.marking == Marking::External;
        if self.say.seq() == 0 || (is_external && self.market.rate == Rate::ZERO) {
            return u64::MAX;
        }
        self.funding.due_ts
    }

    /// Is no work waiting that can be done as things stand? What a halt suspends and what is put off until there is an
    /// index again does not count. (Law 4, rules HALT-1, MARK-3)
    #[must_use]
    pub fn agenda_is_empty(&self) -> bool {
        if (self.is_halted() && !self.agenda.is_idle()) || self.is_stale() {
            return !self.has_steps();
        }
        self.agenda.is_idle() && self.waiting_mark == Price::NONE && self.funding.waiting.is_none()
    }
}

/// A lot of the liquidation account: a position taken over. (Rule LIQ-9)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LotView {
    /// Identity of its order; slots of lots lie behind those of traders' orders.
    pub id: OrderId,
    /// The side that closes it.
    pub side: Side,
    /// Contracts left.
    pub qty: Qty,
    /// Its order's tick; none where its price lies off the scale and it has no order.
    pub tick: Option<Tick>,
    /// Is its order in the book, where it has one?
    pub is_resting: bool,
}

/// Looking at what a reader needs to go on from here, beside what rests. None of these changes the engine.
impl Engine {
    /// How many events have named the account so far.
    #[must_use]
    pub fn account_seq(&self, account: AccountId) -> Option<u64> {
        self.accounts.get(account.0 as usize).map(|found| found.account_seq)
    }

    /// The instructions of a resting order of a trader.
    #[must_use]
    pub fn exec_inst(&self, id: OrderId) -> Option<contract::ExecInst> {
        use contract::ExecInst;
        let order = self.order(id).map(|order| self.book.resting(order.id.slot))?;
        let given = |flag, inst| if order.is(flag) { inst } else { ExecInst::default() };
        let post_only = given(crate::book::POST_ONLY, ExecInst::POST_ONLY);
        Some(post_only.with(given(crate::book::REDUCE_ONLY, ExecInst::REDUCE_ONLY)))
    }

    /// The lots, by slot.
    pub fn for_each_lot(&self, mut f: impl FnMut(LotView)) {
        for (slot, lot) in (0u32..).zip(&self.lots).filter(|(_, lot)| lot.number != 0) {
            f(LotView {
                id: OrderId { number: lot.number, slot: self.book.order_slots() + slot },
                side: lot.side(),
                qty: Qty(lot.qty),
                tick: (lot.tick != Tick(0)).then_some(lot.tick),
                is_resting: lot.is_resting,
            });
        }
    }
}
