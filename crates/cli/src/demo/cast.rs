//! Who takes part: seventeen people with names, and a crowd.

use contract::{AccountId, Leverage, Price, Side};

use super::dice::Dice;

/// Why somebody is in the story.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Quotes both sides all the time.
    Maker,
    /// Opens a long.
    Long,
    /// Opens a short.
    Short,
    /// Forgot a bid.
    Forgetful,
    /// Waits with bids far below.
    Bargain,
}

/// One account of the story.
#[derive(Clone, Debug)]
pub struct Person {
    /// Whose.
    pub account: AccountId,
    /// How the story calls them.
    pub name: String,
    /// `her`, `his`, `its`.
    pub possessive: &'static str,
    /// Has a name of their own, so their fate is told in lines of their own.
    pub is_named: bool,
    /// Why they are here.
    pub role: Role,
    /// 0 is cross margin.
    pub leverage: Leverage,
    /// Contracts to open, or to bid for.
    pub qty: u64,
    /// Deposit, in 0.01 % of what the contracts are worth at the first mark.
    pub deposit: u64,
}

impl Person {
    /// `50x`, `cross`.
    pub fn leverage_text(&self) -> String {
        leverage_text(self.leverage)
    }
}

/// `50x`, `cross`.
pub fn leverage_text(leverage: Leverage) -> String {
    match (leverage.is_cross(), leverage.0 % 100) {
        (true, _) => "cross".to_owned(),
        (false, 0) => format!("{}x", leverage.0 / 100),
        (false, part) => format!("{}.{part:02}x", leverage.0 / 100),
    }
}

/// Everybody, and the sizes that go with how many they are.
#[derive(Clone, Debug)]
pub struct Cast {
    /// By rising account.
    pub people: Vec<Person>,
    /// The first mark.
    pub start: Price,
    /// How much larger than in the smallest market makers, bids and fund are.
    pub scale: u64,
}

/// Name, possessive, role, leverage, contracts, deposit.
type Row = (&'static str, &'static str, Role, u32, u64, u64);

/// The named, in the order in which their accounts are opened. In 0.01 % of value: 100x needs 100 and fees.
const NAMED: [Row; 17] = [
    ("Mira", "her", Role::Maker, 0, 1_000_000, 10_000),
    ("Milo", "his", Role::Maker, 0, 1_000_000, 10_000),
    ("Gus", "his", Role::Long, 10_000, 60_000, 150),
    ("Dora", "her", Role::Long, 5_000, 120_000, 500),
    ("Lena", "her", Role::Long, 3_300, 240_000, 400),
    ("Pia", "her", Role::Long, 2_500, 300_000, 500),
    ("Wes", "his", Role::Long, 2_500, 400_000, 450),
    ("Clara", "her", Role::Long, 0, 100_000, CLARAS_DEPOSIT),
    ("Tom", "his", Role::Long, 300, 300_000, 4_000),
    ("Ruth", "her", Role::Long, 200, 800_000, 6_000),
    ("Nora", "her", Role::Forgetful, 2_500, 30_000, 600),
    ("Stella", "her", Role::Bargain, 0, 300_000, 5_000),
    ("Sven", "his", Role::Short, 10_000, 150_000, 300),
    ("Sigrid", "her", Role::Short, 5_000, 200_000, 400),
    ("Boris", "his", Role::Short, 2_500, 300_000, 600),
    ("Olga", "her", Role::Short, 1_000, 600_000, 1_400),
    ("Hugo", "his", Role::Short, 0, 1_000_000, 8_000),
];

/// Clara's cross margin bears 3.6 % of value until liquidation and not a third of it while her bids, worth twice
/// her position, hold order margin: so she falls due, loses them, and is cured. (Rule LIQ-12)
const CLARAS_DEPOSIT: u64 = 427;

/// What the crowd opens with.
const CROWD_LONG: [u32; 5] = [2_500, 3_300, 4_000, 5_000, 10_000];
const CROWD_SHORT: [u32; 5] = [2_500, 3_300, 4_000, 5_000, 10_000];
/// The crowd for which the sizes above are meant.
const CROWD: u64 = 47;
/// The makers' largest order, 200,000 in the smallest market, is then the largest that the contract takes. (Rule LIMIT-1)
const MOST_SCALE: u64 = 50;

impl Cast {
    /// The fewest accounts a story has.
    pub const FEWEST: u64 = 24;
    /// The most: every deleveraging looks at all of them.
    pub const MOST: u64 = 10_000;
    /// As many as make a story of a page or two.
    pub const USUAL: u64 = 64;

    /// Draws `accounts` people: the named and a crowd.
    pub fn draw(dice: &mut Dice, accounts: u64) -> Cast {
        let crowd = accounts - NAMED.len() as u64;
        let scale = crowd.div_ceil(CROWD).clamp(1, MOST_SCALE);
        // A multiple of 0.5: 8,000 to 12,000 USD.
        let start = Price(dice.within(16_000, 24_000) * 50);
        let mut people = Vec::new();
        let mut account = AccountId::FIRST_TRADER.0;
        let mut add = |name: String, possessive, is_named, role, leverage, qty, deposit| {
            let (account_id, leverage) = (AccountId(account), Leverage(leverage));
            people.push(Person { account: account_id, name, possessive, is_named, role, leverage, qty, deposit });
            account += 1;
        };
        for (name, possessive, role, leverage, qty, deposit) in NAMED {
            let qty = match role {
                // They grow with the crowd, which trades with them.
                Role::Maker | Role::Bargain => qty * scale,
                _ => qty * dice.within(92, 108) / 10_000 * 100,
            };
            add(name.to_owned(), possessive, true, role, leverage, qty, deposit);
        }
        for number in 1..=crowd {
            let (role, leverage) = match number % 2 {
                1 => (Role::Long, dice.pick(&CROWD_LONG)),
                _ => (Role::Short, dice.pick(&CROWD_SHORT)),
            };
            let deposit = 1_000_000 / u64::from(leverage) + dice.within(50, 200);
            let qty = dice.within(50, 250) * 100;
            add(format!("trader {number}"), "its", false, role, leverage, qty, deposit);
        }
        Cast { people, start, scale }
    }

    /// The person with that account; house accounts are nobody.
    pub fn find(&self, account: AccountId) -> Option<&Person> {
        let place = account.0.checked_sub(AccountId::FIRST_TRADER.0)?;
        self.people.get(place as usize)
    }

    /// The named one.
    pub fn named(&self, name: &str) -> &Person {
        self.people.iter().find(|person| person.name == name).expect("the story names its people")
    }

    /// Everybody in this role.
    pub fn all(&self, role: Role) -> impl Iterator<Item = &Person> {
        self.people.iter().filter(move |person| person.role == role)
    }

    /// How an account is called.
    pub fn name(&self, account: AccountId) -> String {
        match self.find(account) {
            Some(person) => person.name.clone(),
            None if account == AccountId::LIQUIDATION => "the liquidation account".to_owned(),
            None => format!("account {}", account.0),
        }
    }

    /// Has the account a line of its own?
    pub fn is_named(&self, account: AccountId) -> bool {
        self.find(account).is_some_and(|person| person.is_named)
    }
}

/// The side that opens what a role is after.
pub fn opening_side(role: Role) -> Side {
    if role == Role::Short { Side::Sell } else { Side::Buy }
}
