//! What may be asked of the engine: 128-byte commands.
//!
//! The header is the same for all; [`Action`] is the body, typed. Sequence and stamp are put on by
//! whoever orders the commands (the pump, an importer), never by the submitter.

use crate::cl_ord_id::ClOrdId;
use crate::codes::{
    AmendQty, Contingency, ExecInst, MarketState, OrdType, PegPriceType, SelfTrade, Side, TimeInForce, Trigger,
};
use crate::spec::{GENESIS_WORDS, Genesis};
use crate::units::{AccountId, Leverage, OrderId, Price, Qty, Rate, Tick, Xbt};
use crate::words::{Code, Coded, Field, RECORD_BYTES, Wire, Words, coded, layout};

coded! {
    /// The kind of a command. Numbered once.
    #[non_exhaustive]
    CommandKind {
        /// First record of a journal, in parts.
        Genesis = 1,
        /// A new specification, in parts (tick, lot and unit never change).
        SetSpec = 2,
        /// The market's state. (Rule HALT-1)
        SetState = 3,
        /// Opens the next account.
        OpenAccount = 4,
        /// Fee class, suspension.
        SetAccount = 5,
        /// XBt from outside into a wallet.
        Deposit = 6,
        /// XBt from a wallet to the outside. (Rule WITHDRAW-1)
        Withdraw = 7,
        /// XBt from outside into the insurance fund. (Rule INS-2)
        FundInsurance = 8,
        /// Cross or isolated, and how much. (Rule MARGIN-8)
        SetLeverage = 9,
        /// Adds margin to an isolated position, or takes some back. (Rule MARGIN-8)
        TransferMargin = 10,
        /// A higher or lower risk limit. (Rule RISK-1)
        SetRiskLimit = 11,
        /// A new order.
        New = 12,
        /// Another price or quantity for a live order. (Rules AMEND-1, AMEND-2)
        Amend = 13,
        /// Cancels one order. (Rule CANCEL-1)
        Cancel = 14,
        /// Cancels an account's orders, or one side of them.
        CancelAll = 15,
        /// Dead-man's switch. (Rule CANCEL-2)
        CancelAllAfter = 16,
        /// A constituent's price. (Rule INDEX-1)
        Index = 17,
        /// The constituents' weights. (Rule INDEX-1)
        SetWeights = 18,
        /// The mark price, in external marking. (Rule MARK-2)
        Mark = 19,
        /// The funding rate, in external marking.
        FundingRate = 20,
        /// Time passes.
        Clock = 21,
        /// Every replay refuses the command it names. (Law 6)
        Quarantine = 22,
        /// Reserved: a restart; all constituents are stale. (Rule MARK-3)
        Epoch = 23,
        /// Reserved: links orders. (Rule LINK-1)
        Link = 24,
    }
}

/// More commands of the same bulk follow; they are decided at the last.
pub const FLAG_MORE: u8 = 1;
/// Part of a bulk, the last command of it too.
pub const FLAG_BULK: u8 = 2;

/// A command, 128 bytes.
///
/// ```
/// use centum_contract::{AccountId, Action, ClOrdId, Command, NewOrder, Qty, Side, Tick};
/// let order = NewOrder::limit(ClOrdId::new("a-1").unwrap(), Side::Buy, Tick(20_000), Qty(100));
/// let command = Command::new(AccountId(4), Action::New(order)).stamped(1, 0);
/// assert_eq!(Command::from_bytes(&command.to_bytes()), command);
/// assert_eq!(command.action(), Some(Action::New(order)));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Command {
    words: Words,
}

const _: () = assert!(size_of::<Command>() == RECORD_BYTES, "one command, two cache lines");

/// The fields that every command has.
pub const COMMAND_HEADER: &[Field] = &[
    Field { name: "seq", kind: "u64", offset: 0, size: 8 },
    Field { name: "ts", kind: "u64", offset: 8, size: 8 },
    Field { name: "request", kind: "u64", offset: 16, size: 8 },
    Field { name: "session", kind: "u32", offset: 24, size: 4 },
    Field { name: "account", kind: "u32", offset: 28, size: 4 },
    Field { name: "instrument", kind: "u16", offset: 32, size: 2 },
    Field { name: "kind", kind: "u8", offset: 34, size: 1 },
    Field { name: "flags", kind: "u8", offset: 35, size: 1 },
];

layout! { 36;
    /// Nothing but the header.
    Empty {}
}

/// Words of canonical bytes in one part: 88 bytes.
pub const PART_WORDS: usize = 11;

/// One part of a specification in canonical words. (Design §3)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SpecPart {
    /// Number of this part, from 0.
    pub part: u16,
    /// How many there are.
    pub parts: u16,
    /// 88 canonical bytes, zero-padded at the end of the last part.
    pub payload: [u64; PART_WORDS],
}

impl SpecPart {
    /// Where each field lies.
    pub const FIELDS: &'static [Field] = &[
        Field { name: "part", kind: "u16", offset: 36, size: 2 },
        Field { name: "parts", kind: "u16", offset: 38, size: 2 },
        Field { name: "payload", kind: "[u64; 11]", offset: 40, size: 88 },
    ];

    fn read(words: &Words) -> SpecPart {
        SpecPart {
            part: u16::get(words, 36),
            parts: u16::get(words, 38),
            payload: core::array::from_fn(|i| words[5 + i]),
        }
    }

    fn write(self, words: &mut Words) {
        self.part.put(words, 36);
        self.parts.put(words, 38);
        words[5..].copy_from_slice(&self.payload);
    }
}

/// Parts of a genesis.
pub const GENESIS_PARTS: usize = GENESIS_WORDS.div_ceil(PART_WORDS);

layout! { 36;
    /// Body of `SetState`.
    SetState {
        /// The new state.
        state: Code<MarketState> = 36,
    }
}

layout! { 36;
    /// Body of `OpenAccount`; the header's account is the number it will have.
    OpenAccount {
        /// Which fees it pays.
        fee_class: u8 = 36,
    }
}

layout! { 36;
    /// Body of `SetAccount`.
    SetAccount {
        /// Which fees it pays from now on.
        fee_class: u8 = 36,
        /// 1: the account may only cancel and reduce margin use; 0: it may trade.
        suspended: u8 = 37,
    }
}

layout! { 36;
    /// Body of `Deposit`, `Withdraw`, `FundInsurance`, `TransferMargin` and `SetRiskLimit`.
    Amount {
        /// XBt. Signed for `TransferMargin` only.
        amount: Xbt = 40,
    }
}

layout! { 36;
    /// Body of `SetLeverage`.
    SetLeverage {
        /// Hundredths; 0 is cross.
        leverage: Leverage = 36,
    }
}

layout! { 36;
    /// Body of `New`.
    NewOrder {
        /// Limit price; 0 for a market order.
        price: Tick = 36,
        /// The client's name for it, or none.
        cl_ord_id: ClOrdId = 40,
        /// Stop price; 0 is none.
        stop: Tick = 76,
        /// Contracts.
        qty: Qty = 80,
        /// Contracts shown, where `flags` says so.
        display: Qty = 88,
        /// Link of a contingent order; 0 is none.
        link: u64 = 96,
        /// Peg offset in ticks.
        peg_offset: i32 = 104,
        /// Instructions.
        exec_inst: ExecInst = 108,
        /// Buy or sell.
        side: Code<Side> = 110,
        /// Type.
        ord_type: Code<OrdType> = 111,
        /// Time in force.
        tif: Code<TimeInForce> = 112,
        /// What happens against the own account; 0: it trades.
        self_trade: Code<SelfTrade> = 113,
        /// Reference of a stop; 0 is none.
        trigger: Code<Trigger> = 114,
        /// Contingency; 0 is none.
        contingency: Code<Contingency> = 115,
        /// Peg; 0 is none.
        peg: Code<PegPriceType> = 116,
        /// Bit 0: `display` is given.
        flags: u8 = 117,
    }
}

/// `display` of a new order is given.
pub const NEW_HAS_DISPLAY: u8 = 1;

impl NewOrder {
    /// A limit order, good till cancelled.
    #[must_use]
    pub fn limit(cl_ord_id: ClOrdId, side: Side, price: Tick, qty: Qty) -> NewOrder {
        NewOrder {
            price,
            cl_ord_id,
            qty,
            side: side.into(),
            ord_type: OrdType::Limit.into(),
            tif: TimeInForce::GoodTillCancel.into(),
            ..NewOrder::default()
        }
    }

    /// A market order. (Rule OM-8)
    #[must_use]
    pub fn market(cl_ord_id: ClOrdId, side: Side, qty: Qty) -> NewOrder {
        NewOrder {
            ord_type: OrdType::Market.into(),
            tif: TimeInForce::ImmediateOrCancel.into(),
            ..NewOrder::limit(cl_ord_id, side, Tick(0), qty)
        }
    }

    /// Is the order in this record a limit order, good till cancelled, that asks for nothing beyond name, side,
    /// quantity and price? Most are, and three masks tell. (Which is what the fields say: a test compares.)
    #[inline(always)]
    #[must_use]
    pub fn is_plain(words: &Words) -> bool {
        const LIMIT: u64 = (OrdType::Limit as u64) << 56;
        const PEG_INST_TYPE: u64 = 0xff00_ffff_ffff_ffff;
        const TIF_TO_FLAGS: u64 = 0x0000_ffff_ffff_ffff;
        let stop = words[9] >> 32;
        let (display, link) = (words[11], words[12]);
        let odd_type = (words[13] & PEG_INST_TYPE) ^ LIMIT;
        let odd_tif = (words[14] & TIF_TO_FLAGS) ^ TimeInForce::GoodTillCancel as u64;
        stop | display | link | odd_type | odd_tif == 0
    }

    /// The same with another time in force.
    #[must_use]
    pub fn with_tif(self, tif: TimeInForce) -> NewOrder {
        NewOrder { tif: tif.into(), ..self }
    }

    /// The same with these instructions added.
    #[must_use]
    pub fn with_inst(self, exec_inst: ExecInst) -> NewOrder {
        NewOrder { exec_inst: self.exec_inst.with(exec_inst), ..self }
    }
}

/// Which order is meant: by the venue's id or by the client's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// By number and slot.
    OrderId(OrderId),
    /// By the client's name.
    ClOrdId(ClOrdId),
}

impl Default for Target {
    fn default() -> Self {
        Target::OrderId(OrderId::default())
    }
}

/// 36 bytes at 40: number and slot, or a client id; byte 116 tells which (0, 1).
const TARGET_AT: usize = 40;
const TARGET_KIND_AT: usize = 116;

impl Target {
    const FIELDS: [Field; 2] = [
        Field { name: "target", kind: "OrderId | ClOrdId", offset: TARGET_AT, size: 36 },
        Field { name: "target_is_cl_ord_id", kind: "u8", offset: TARGET_KIND_AT, size: 1 },
    ];

    #[inline(always)]
    fn read(words: &Words) -> Target {
        if u8::get(words, TARGET_KIND_AT) == 0 {
            Target::OrderId(OrderId::get(words, TARGET_AT))
        } else {
            Target::ClOrdId(ClOrdId::get(words, TARGET_AT))
        }
    }

    #[inline(always)]
    fn write(self, words: &mut Words) {
        match self {
            Target::OrderId(id) => id.put(words, TARGET_AT),
            Target::ClOrdId(id) => {
                id.put(words, TARGET_AT);
                1u8.put(words, TARGET_KIND_AT);
            }
        }
    }
}

/// Body of `Cancel`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cancel {
    /// The order.
    pub target: Target,
}

impl Cancel {
    /// Where each field lies.
    pub const FIELDS: &'static [Field] = &Target::FIELDS;

    /// Reads the body out of a record.
    #[inline(always)]
    #[must_use]
    pub fn read(words: &Words) -> Cancel {
        Cancel { target: Target::read(words) }
    }

    fn write(self, words: &mut Words) {
        self.target.write(words);
    }
}

layout! { 36;
    /// The fields of an amend beside its target.
    AmendFields {
        /// The new limit price; 0 keeps the old one.
        price: Tick = 36,
        /// The new stop price or peg offset; 0 keeps the old one.
        stop: Tick = 76,
        /// The new client id; none keeps the old one.
        new_cl_ord_id: ClOrdId = 80,
        /// What `qty` means; 0: the quantity stays.
        qty_kind: Code<AmendQty> = 117,
        /// Bit 0: the order loses its place even where nothing else would take it.
        flags: u8 = 118,
        /// Contracts.
        qty: Qty = 120,
    }
}

/// The amended order goes to the back of its price whatever changes.
pub const AMEND_LOSES_PLACE: u8 = 1;

/// Body of `Amend`. (Rules AMEND-1, AMEND-2)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Amend {
    /// The order.
    pub target: Target,
    /// What changes.
    pub fields: AmendFields,
}

impl Amend {
    /// Reads the body out of a record.
    #[inline(always)]
    #[must_use]
    pub fn read(words: &Words) -> Amend {
        Amend { target: Target::read(words), fields: AmendFields::read(words) }
    }

    fn write(self, words: &mut Words) {
        self.target.write(words);
        self.fields.write(words);
    }
}

layout! { 36;
    /// Body of `CancelAll`.
    CancelAll {
        /// One side only; 0: both.
        side: Code<Side> = 36,
    }
}

layout! { 36;
    /// Body of `CancelAllAfter`.
    CancelAllAfter {
        /// After this many milliseconds; 0 disarms.
        timeout_ms: u64 = 40,
    }
}

layout! { 36;
    /// Body of `Index`.
    Index {
        /// Number of the constituent.
        constituent: u32 = 36,
        /// Its price.
        price: Price = 40,
    }
}

/// Constituents an index may have. (Rule INDEX-1)
pub const MAX_CONSTITUENTS: usize = 10;

/// Body of `SetWeights`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SetWeights {
    /// How many are used.
    pub count: u8,
    /// When they take effect, ns.
    pub effective_ts: u64,
    /// Integers over their sum.
    pub weights: [u32; MAX_CONSTITUENTS],
}

impl SetWeights {
    /// Where each field lies.
    pub const FIELDS: &'static [Field] = &[
        Field { name: "count", kind: "u8", offset: 36, size: 1 },
        Field { name: "effective_ts", kind: "u64", offset: 40, size: 8 },
        Field { name: "weights", kind: "[u32; 10]", offset: 48, size: 40 },
    ];

    /// Reads the body of a command of this kind.
    #[must_use]
    pub fn read(words: &Words) -> SetWeights {
        SetWeights {
            count: u8::get(words, 36),
            effective_ts: u64::get(words, 40),
            weights: core::array::from_fn(|i| u32::get(words, 48 + 4 * i)),
        }
    }

    fn write(self, words: &mut Words) {
        self.count.put(words, 36);
        self.effective_ts.put(words, 40);
        for (i, weight) in self.weights.into_iter().enumerate() {
            weight.put(words, 48 + 4 * i);
        }
    }
}

layout! { 36;
    /// Body of `Mark`.
    Mark {
        /// The new mark price.
        price: Price = 40,
    }
}

layout! { 36;
    /// Body of `FundingRate`.
    FundingRate {
        /// Per interval.
        rate: Rate = 40,
    }
}

/// Bytes of a quarantine's reason.
pub const QUARANTINE_TEXT: usize = 80;

/// Body of `Quarantine`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quarantine {
    /// The command that every replay refuses.
    pub seq: u64,
    /// Why, ASCII, zero-padded.
    pub text: [u8; QUARANTINE_TEXT],
}

impl Quarantine {
    /// Where each field lies.
    pub const FIELDS: &'static [Field] = &[
        Field { name: "seq", kind: "u64", offset: 40, size: 8 },
        Field { name: "text", kind: "[u8; 80]", offset: 48, size: QUARANTINE_TEXT },
    ];

    fn read(words: &Words) -> Quarantine {
        Quarantine { seq: words[5], text: core::array::from_fn(|i| u8::get(words, 48 + i)) }
    }

    fn write(self, words: &mut Words) {
        words[5] = self.seq;
        for (i, byte) in self.text.into_iter().enumerate() {
            byte.put(words, 48 + i);
        }
    }
}

layout! { 36;
    /// Body of `Link` (reserved).
    Link {
        /// The link.
        link: u64 = 40,
        /// How its orders hang together.
        contingency: Code<Contingency> = 36,
    }
}

/// The body of a command, typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Action {
    /// [`CommandKind::Genesis`]
    Genesis(SpecPart),
    /// [`CommandKind::SetSpec`]
    SetSpec(SpecPart),
    /// [`CommandKind::SetState`]
    SetState(SetState),
    /// [`CommandKind::OpenAccount`]
    OpenAccount(OpenAccount),
    /// [`CommandKind::SetAccount`]
    SetAccount(SetAccount),
    /// [`CommandKind::Deposit`]
    Deposit(Amount),
    /// [`CommandKind::Withdraw`]
    Withdraw(Amount),
    /// [`CommandKind::FundInsurance`]
    FundInsurance(Amount),
    /// [`CommandKind::SetLeverage`]
    SetLeverage(SetLeverage),
    /// [`CommandKind::TransferMargin`]
    TransferMargin(Amount),
    /// [`CommandKind::SetRiskLimit`]
    SetRiskLimit(Amount),
    /// [`CommandKind::New`]
    New(NewOrder),
    /// [`CommandKind::Amend`]
    Amend(Amend),
    /// [`CommandKind::Cancel`]
    Cancel(Cancel),
    /// [`CommandKind::CancelAll`]
    CancelAll(CancelAll),
    /// [`CommandKind::CancelAllAfter`]
    CancelAllAfter(CancelAllAfter),
    /// [`CommandKind::Index`]
    Index(Index),
    /// [`CommandKind::SetWeights`]
    SetWeights(SetWeights),
    /// [`CommandKind::Mark`]
    Mark(Mark),
    /// [`CommandKind::FundingRate`]
    FundingRate(FundingRate),
    /// [`CommandKind::Clock`]
    Clock,
    /// [`CommandKind::Quarantine`]
    Quarantine(Quarantine),
    /// [`CommandKind::Epoch`]
    Epoch,
    /// [`CommandKind::Link`]
    Link(Link),
}

macro_rules! actions {
    ($($variant:ident($body:ident)),* ; $($empty:ident),*) => {
        impl Action {
            /// Its kind.
            #[must_use]
            pub const fn kind(&self) -> CommandKind {
                match self {
                    $( Action::$variant(_) => CommandKind::$variant, )*
                    $( Action::$empty => CommandKind::$empty, )*
                }
            }

            #[inline]
            fn write(self, words: &mut Words) {
                match self {
                    $( Action::$variant(body) => body.write(words), )*
                    $( Action::$empty => {} )*
                }
            }

            #[inline]
            fn read(kind: CommandKind, words: &Words) -> Action {
                match kind {
                    $( CommandKind::$variant => Action::$variant($body::read(words)), )*
                    $( CommandKind::$empty => Action::$empty, )*
                }
            }
        }

        /// The fields of every kind's body, for `docs/records.json`.
        pub const COMMAND_BODIES: &[(CommandKind, &[&[Field]])] = &[
            $( (CommandKind::$variant, bodies::$variant), )*
            $( (CommandKind::$empty, &[]), )*
        ];
    };
}

actions! {
    Genesis(SpecPart), SetSpec(SpecPart), SetState(SetState), OpenAccount(OpenAccount), SetAccount(SetAccount),
    Deposit(Amount), Withdraw(Amount), FundInsurance(Amount), SetLeverage(SetLeverage), TransferMargin(Amount),
    SetRiskLimit(Amount), New(NewOrder), Amend(Amend), Cancel(Cancel), CancelAll(CancelAll),
    CancelAllAfter(CancelAllAfter), Index(Index), SetWeights(SetWeights), Mark(Mark), FundingRate(FundingRate),
    Quarantine(Quarantine), Link(Link); Clock, Epoch
}

/// The field tables by kind; an amend has two.
#[allow(non_upper_case_globals)]
mod bodies {
    use super::*;
    type Tables = &'static [&'static [Field]];
    pub const Genesis: Tables = &[SpecPart::FIELDS];
    pub const SetSpec: Tables = &[SpecPart::FIELDS];
    pub const SetState: Tables = &[super::SetState::FIELDS];
    pub const OpenAccount: Tables = &[super::OpenAccount::FIELDS];
    pub const SetAccount: Tables = &[super::SetAccount::FIELDS];
    pub const Deposit: Tables = &[Amount::FIELDS];
    pub const Withdraw: Tables = &[Amount::FIELDS];
    pub const FundInsurance: Tables = &[Amount::FIELDS];
    pub const SetLeverage: Tables = &[super::SetLeverage::FIELDS];
    pub const TransferMargin: Tables = &[Amount::FIELDS];
    pub const SetRiskLimit: Tables = &[Amount::FIELDS];
    pub const New: Tables = &[NewOrder::FIELDS];
    pub const Amend: Tables = &[&Target::FIELDS, AmendFields::FIELDS];
    pub const Cancel: Tables = &[super::Cancel::FIELDS];
    pub const CancelAll: Tables = &[super::CancelAll::FIELDS];
    pub const CancelAllAfter: Tables = &[super::CancelAllAfter::FIELDS];
    pub const Index: Tables = &[super::Index::FIELDS];
    pub const SetWeights: Tables = &[super::SetWeights::FIELDS];
    pub const Mark: Tables = &[super::Mark::FIELDS];
    pub const FundingRate: Tables = &[super::FundingRate::FIELDS];
    pub const Quarantine: Tables = &[super::Quarantine::FIELDS];
    pub const Link: Tables = &[super::Link::FIELDS];
}

impl Command {
    /// A command for `account`, not yet stamped, of the unnumbered session.
    #[inline]
    #[must_use]
    pub fn new(account: AccountId, action: Action) -> Command {
        let mut words = [0; 16];
        account.0.put(&mut words, 28);
        action.kind().code().put(&mut words, 34);
        action.write(&mut words);
        Command { words }
    }

    /// The commands of a genesis: one part each, all but the last flagged `more`.
    pub fn genesis(genesis: &Genesis) -> [Command; GENESIS_PARTS] {
        let words = genesis.to_words();
        core::array::from_fn(|part| {
            let mut payload = [0; PART_WORDS];
            for (i, word) in words.iter().skip(part * PART_WORDS).take(PART_WORDS).enumerate() {
                payload[i] = *word;
            }
            let body = SpecPart { part: part as u16, parts: GENESIS_PARTS as u16, payload };
            let mut command = Command::new(AccountId::NONE, Action::Genesis(body));
            if part + 1 < GENESIS_PARTS {
                FLAG_MORE.put(&mut command.words, 35);
            }
            command
        })
    }

    /// The same with its place in the one order of commands and its time in ns.
    #[inline(always)]
    #[must_use]
    pub fn stamped(mut self, seq: u64, ts: u64) -> Command {
        self.words[0] = seq;
        self.words[1] = ts;
        self
    }

    /// The same as request `request` of session `session`. (Design, Exactly once)
    #[must_use]
    pub fn from_session(mut self, session: u32, request: u64) -> Command {
        self.words[2] = request;
        self.words[3] = (self.words[3] & !0xffff_ffff) | u64::from(session);
        self
    }

    /// The same on its own, part of no bulk.
    #[inline(always)]
    #[must_use]
    pub fn alone(mut self) -> Command {
        const BULK: u64 = ((FLAG_MORE | FLAG_BULK) as u64) << 24;
        self.words[4] &= !BULK;
        self
    }

    /// The same as part of a bulk, with more of it to follow or as its end. (Design §3, Bulk)
    #[must_use]
    pub fn in_bulk(self, is_followed: bool) -> Command {
        let flags = if is_followed { FLAG_BULK | FLAG_MORE } else { FLAG_BULK };
        let mut command = self.alone();
        command.words[4] |= u64::from(flags) << 24;
        command
    }

    /// Its place in the one order of commands, from 1.
    #[inline(always)]
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.words[0]
    }

    /// Its stamp, ns since 1970.
    #[inline(always)]
    #[must_use]
    pub fn ts(&self) -> u64 {
        self.words[1]
    }

    /// The submitter's number for it, rising within its session.
    #[inline(always)]
    #[must_use]
    pub fn request(&self) -> u64 {
        self.words[2]
    }

    /// The session; 0 is unnumbered.
    #[inline(always)]
    #[must_use]
    pub fn session(&self) -> u32 {
        u32::get(&self.words, 24)
    }

    /// The account it is for.
    #[inline(always)]
    #[must_use]
    pub fn account(&self) -> AccountId {
        AccountId(u32::get(&self.words, 28))
    }

    /// The instrument; 0 here.
    #[inline(always)]
    #[must_use]
    pub fn instrument(&self) -> u16 {
        u16::get(&self.words, 32)
    }

    /// Its kind; `None` when the byte names none.
    #[inline(always)]
    #[must_use]
    pub fn kind(&self) -> Option<CommandKind> {
        CommandKind::from_code(self.kind_code())
    }

    /// The byte of its kind, known or not.
    #[inline(always)]
    #[must_use]
    pub fn kind_code(&self) -> u8 {
        u8::get(&self.words, 34)
    }

    /// Its flags.
    #[inline(always)]
    #[must_use]
    pub fn flags(&self) -> u8 {
        u8::get(&self.words, 35)
    }

    /// Its instrument, kind and flags, as they lie in the record.
    #[inline(always)]
    #[must_use]
    pub fn head(&self) -> u32 {
        u32::get(&self.words, 32)
    }

    /// What [`head`](Command::head) says of a command of this kind for instrument 0 without flags.
    #[must_use]
    pub const fn plain_head(kind: CommandKind) -> u32 {
        (kind as u32) << 16
    }

    /// Its body, typed; `None` when the kind is unknown.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        self.kind().map(|kind| Action::read(kind, &self.words))
    }

    /// Its words, for the chain, the ring and the journal.
    #[inline(always)]
    #[must_use]
    pub const fn words(&self) -> &Words {
        &self.words
    }

    /// A command of these words, whatever they say: the engine refuses what is malformed.
    #[inline(always)]
    #[must_use]
    pub const fn from_words(words: Words) -> Command {
        Command { words }
    }

    /// Its 128 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; RECORD_BYTES] {
        core::array::from_fn(|i| (self.words[i / 8] >> (8 * (i % 8))) as u8)
    }

    /// A command of these bytes, whatever they say: the engine refuses what is malformed.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; RECORD_BYTES]) -> Command {
        let word = |i: usize| core::array::from_fn(|j| bytes[8 * i + j]);
        Command { words: core::array::from_fn(|i| u64::from_le_bytes(word(i))) }
    }
}

impl From<Command> for Words {
    #[inline(always)]
    fn from(command: Command) -> Words {
        command.words
    }
}

impl From<Words> for Command {
    #[inline(always)]
    fn from(words: Words) -> Command {
        Command { words }
    }
}

impl core::fmt::Debug for Command {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "#{} @{} account {} ", self.seq(), self.ts(), self.account().0)?;
        if self.session() != 0 {
            write!(f, "session {} request {} ", self.session(), self.request())?;
        }
        match self.action() {
            Some(action) => write!(f, "{action:?}"),
            None => write!(f, "kind {}", self.kind_code()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_its_bytes() {
        let id = ClOrdId::new("123456789012345678901234567890123456").unwrap();
        let amend = Amend {
            target: Target::ClOrdId(id),
            fields: AmendFields {
                price: Tick(u32::MAX),
                stop: Tick(u32::MAX),
                new_cl_ord_id: id,
                qty_kind: AmendQty::Reduce.into(),
                flags: 255,
                qty: Qty(u64::MAX),
            },
        };
        let new = NewOrder {
            stop: Tick(7),
            display: Qty(u64::MAX),
            link: u64::MAX,
            peg_offset: -1,
            exec_inst: ExecInst(u16::MAX),
            self_trade: SelfTrade::Decrement.into(),
            trigger: Trigger::IndexPrice.into(),
            contingency: Contingency::OneTriggersTheOther.into(),
            peg: PegPriceType::TrailingStopPeg.into(),
            flags: 255,
            ..NewOrder::limit(id, Side::Sell, Tick(u32::MAX), Qty(u64::MAX))
        };
        for action in [
            Action::New(new),
            Action::Amend(amend),
            Action::Cancel(Cancel { target: Target::OrderId(OrderId { number: u64::MAX, slot: u32::MAX }) }),
            Action::CancelAll(CancelAll { side: Side::Buy.into() }),
            Action::SetWeights(SetWeights { count: 10, effective_ts: u64::MAX, weights: [u32::MAX; 10] }),
            Action::Quarantine(Quarantine { seq: u64::MAX, text: [b'x'; QUARANTINE_TEXT] }),
            Action::Deposit(Amount { amount: Xbt(i64::MIN) }),
            Action::Clock,
        ] {
            let command = Command::new(AccountId(u32::MAX), action).stamped(u64::MAX, 7).from_session(u32::MAX, 9);
            let again = Command::from_bytes(&command.to_bytes());
            assert_eq!(again, command);
            assert_eq!(again.action(), Some(action));
            assert_eq!((again.session(), again.request()), (u32::MAX, 9));
        }
    }

    #[test]
    fn a_genesis_is_a_bulk_of_parts() {
        let genesis = Genesis { spec: crate::ContractSpec::XBTUSD_2021, capacity: crate::Capacity::default() };
        let commands = Command::genesis(&genesis);
        let mut words = [0u64; GENESIS_WORDS];
        for (i, command) in commands.iter().enumerate() {
            assert_eq!(command.flags() & FLAG_MORE != 0, i + 1 < commands.len());
            let Some(Action::Genesis(part)) = command.action() else { panic!("not a genesis") };
            for (j, word) in part.payload.iter().enumerate() {
                if let Some(place) = words.get_mut(i * PART_WORDS + j) {
                    *place = *word;
                }
            }
        }
        assert_eq!(Genesis::from_words(&words), Some(genesis));
    }
}
