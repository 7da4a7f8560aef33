//! An account as the engine keeps it: wallet, position, the sums of its orders, its place among keys.

use alloc::vec::Vec;

use contract::margin::{OrderSums, Terms, tier_limit};
use contract::position::PositionState;
use contract::{ContractSpec, Leverage, Qty, Rate, Tick, Xbt};

/// No slot.
pub(crate) const NIL: u32 = u32::MAX;

/// The account may only cancel.
pub(crate) const SUSPENDED: u16 = 1;
/// The account waits on the agenda to be liquidated.
pub(crate) const DUE: u16 = 2;
/// Touched in this step: it will be reviewed.
pub(crate) const IN_STEP: u16 = 4;
/// Touched in this apply: its state will be told.
pub(crate) const IN_APPLY: u16 = 8;
/// Its `Wallet` will be told.
pub(crate) const TELL_WALLET: u16 = 16;
/// Its `Position` will be told.
pub(crate) const TELL_POSITION: u16 = 32;
/// Its position or terms changed in this step, so its key must move.
pub(crate) const MOVE_KEY: u16 = 64;

/// It is past its liquidation price while no lot is free: the next mark finds it again.
pub(crate) const WAITS_FOR_LOT: u16 = 128;
/// Its order margin is up to date already.
pub(crate) const MARGIN_IS_NEW: u16 = 256;

/// Its key may lie before its liquidation price: it stands in the queue of those. (See `keys`)
pub(crate) const HAS_EARLY_KEY: u16 = 512;

/// Its part of the funding pass that is open is done before its turn. (Rule FUND-5)
pub(crate) const SETTLED_AHEAD: u16 = 1 << 12;

/// A margin that holds at any mark.
pub(crate) const ANY_MARK: u64 = u64::MAX;
/// A margin that holds at none.
pub(crate) const NO_MARK: u64 = u64::MAX - 1;

/// An account, in the order of use: an order that comes to rest or is cancelled needs the first four lines of the
/// cache, and what comes behind only where it trades, or where the margin of its position is made anew.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(crate) struct Account {
    /// What it holds.
    pub(crate) position: PositionState,
    /// Wallet balance.
    pub(crate) wallet: Xbt,
    /// Margin held for its orders: up to date between steps.
    pub(crate) order_margin: Xbt,
    /// Wallet less order margin as the key assumes it, never above the real one; `i64::MIN` where it assumes
    /// nothing: isolated margin, no position, no key.
    pub(crate) key_equity: i64,
    /// Its live orders.
    pub(crate) open_orders: u32,
    /// Of the flags above.
    pub(crate) flags: u16,
    /// Fee class.
    pub(crate) fee_class: u8,
    /// Is its key a long's?
    pub(crate) key_is_long: bool,

    /// Open orders, summed.
    pub(crate) sums: OrderSums,
    /// Events that named it so far.
    pub(crate) account_seq: u64,
    /// Its newest live order.
    pub(crate) newest: u32,
    /// Its oldest live order.
    pub(crate) oldest: u32,

    /// The limit of its tier, XBt. (Rule RISK-1)
    pub(crate) risk_limit: u64,
    /// What its position takes from the wallet, at the mark numbered `margin_mark`. (Rule MARGIN-5)
    pub(crate) position_margin: Xbt,
    /// Isolated margin does not look at the mark: `ANY_MARK`. `NO_MARK` where it must be computed anew.
    pub(crate) margin_mark: u64,
    /// The rates that apply to it: first those of orders.
    pub(crate) terms: Terms,

    /// The tick its key lies at; 0 where it has none.
    pub(crate) key_tick: u32,
    /// Cross or isolated.
    pub(crate) leverage: Leverage,
    /// Realised PnL since it was opened.
    pub(crate) realised: Xbt,
    /// The same when the command began that touches it now.
    pub(crate) realised_before: Xbt,
    /// Commission since it was opened.
    pub(crate) commission: Xbt,
    /// Its most aggressive reduce-only order at rest.
    pub(crate) reduce_first: u32,
    /// Its least aggressive reduce-only order at rest.
    pub(crate) reduce_last: u32,
    /// Open contracts of its reduce-only orders at rest.
    pub(crate) reduce_qty: Qty,
    /// Risk tier.
    pub(crate) tier: u16,
}

// Pairs of lines are fetched together, so an account is three of them: seven lines cost 8 % of the time.
const _: () = assert!(size_of::<Account>() == 384);

impl Account {
    /// A new account: cross margin, tier 0. (Rule ACC-1)
    pub(crate) fn new(spec: &ContractSpec, fee_class: u8, rate: Rate) -> Account {
        let mut account = Account {
            wallet: Xbt::ZERO,
            position: PositionState::default(),
            sums: OrderSums::default(),
            order_margin: Xbt::ZERO,
            terms: Terms::at_rate(spec, Leverage::CROSS, 0, Rate::ZERO, rate),
            risk_limit: tier_limit(spec, 0).0.unsigned_abs(),
            flags: 0,
            fee_class,
            tier: 0,
            leverage: Leverage::CROSS,
            key_tick: 0,
            key_is_long: false,
            key_equity: i64::MIN,
            position_margin: Xbt::ZERO,
            margin_mark: ANY_MARK,
            account_seq: 0,
            realised: Xbt::ZERO,
            realised_before: Xbt::ZERO,
            commission: Xbt::ZERO,
            open_orders: 0,
            oldest: NIL,
            newest: NIL,
            reduce_first: NIL,
            reduce_last: NIL,
            reduce_qty: Qty::ZERO,
        };
        account.terms = account.terms_with(spec, Leverage::CROSS, 0, rate);
        account
    }

    /// The terms it would have at this leverage, tier and funding rate.
    pub(crate) fn terms_with(&self, spec: &ContractSpec, leverage: Leverage, tier: u16, rate: Rate) -> Terms {
        let taker = spec.fees[usize::from(self.fee_class)].taker;
        Terms::at_rate(spec, leverage, tier, taker, rate)
    }

    /// Wallet less order margin: what stands behind a cross position.
    #[inline(always)]
    pub(crate) fn equity(&self) -> i64 {
        (self.wallet - self.order_margin).0
    }

    /// After its own orders changed and nothing else did: may its review be left out?
    #[inline(always)]
    pub(crate) fn needs_no_review(&self) -> bool {
        self.wallet >= Xbt::ZERO && self.equity() >= self.key_equity && !self.has(WAITS_FOR_LOT)
    }

    /// Marks it as touched, so that it is reviewed and its state is told: its number joins those of this step, and of
    /// this apply.
    #[inline(always)]
    pub(crate) fn touch(&mut self, number: u32, what: u16, in_step: &mut Vec<u32>, in_apply: &mut Vec<u32>) {
        if self.flags & IN_STEP == 0 {
            in_step.push(number);
            if self.flags & IN_APPLY == 0 {
                self.realised_before = self.realised;
                in_apply.push(number);
            }
        }
        self.flags |= what | IN_STEP | IN_APPLY;
    }

    /// Its key, where that lies at its liquidation price: not early, and not one that waits for a lot. Between steps.
    #[inline(always)]
    pub(crate) fn exact_key(&self) -> Option<Tick> {
        let is_exact = self.key_tick != 0 && !self.has(HAS_EARLY_KEY | WAITS_FOR_LOT);
        is_exact.then_some(Tick(self.key_tick))
    }

    #[inline(always)]
    pub(crate) fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// Has its position a key, and does a tick lie there or nearer to the mark?
    #[inline(always)]
    pub(crate) fn is_this_side_of_key(&self, tick: Tick) -> bool {
        let is_long = self.position.qty > 0;
        let is_beyond = if is_long { tick.0 < self.key_tick } else { tick.0 > self.key_tick };
        self.key_tick != 0 && self.key_is_long == is_long && !is_beyond
    }

    /// Does what opens raise posCross by its premium? (Rules MARGIN-2, OM-5)
    #[inline(always)]
    pub(crate) fn pays_premium(&self) -> bool {
        !self.terms.is_cross && self.terms.charges_premium
    }

    /// Contracts that reduce-only orders may take off, 0 when flat.
    #[inline(always)]
    pub(crate) fn reducible(&self, side: contract::Side) -> u64 {
        reducible(self.position.qty, side)
    }
}

/// Contracts an order of this side could take off a position.
#[inline(always)]
pub(crate) fn reducible(position: i64, side: contract::Side) -> u64 {
    if contract::Side::that_reduces(position) == Some(side) { position.unsigned_abs() } else { 0 }
}
