//! How facts leave the engine: numbered, chained, the last one marked.

use contract::event::{Body, Done};
use contract::{AccountId, Command, Event};

use crate::account::Account;
use crate::chain::Chain;
use crate::outbox::Outbox;

/// The voice of one `apply`.
#[derive(Clone, Debug)]
pub(crate) struct Say {
    /// The command's first words, as they lie in it.
    head: Head,
    pub(crate) n: u32,
    pub(crate) chain: Chain,
}

/// Sequence, stamp, request, session and account of a command.
type Head = [u64; 4];

impl Say {
    pub(crate) fn new() -> Say {
        Say { head: [0; 4], n: 0, chain: Chain::new() }
    }

    /// Sequence number of the last command.
    #[inline(always)]
    pub(crate) fn seq(&self) -> u64 {
        self.head[0]
    }

    /// Stamp of the last command.
    #[inline(always)]
    pub(crate) fn ts(&self) -> u64 {
        self.head[1]
    }

    /// Its session.
    #[inline(always)]
    pub(crate) fn session(&self) -> u32 {
        self.head[3] as u32
    }

    /// Its request.
    #[inline(always)]
    pub(crate) fn request(&self) -> u64 {
        self.head[2]
    }

    /// Goes on behind this command.
    pub(crate) fn go_on(&mut self, seq: u64, ts: u64, chain: Chain) {
        (self.head, self.chain) = ([seq, ts, 0, 0], chain);
    }

    /// Begins a command.
    #[inline(always)]
    pub(crate) fn begin(&mut self, command: &Command) {
        assert!(command.seq() == self.seq() + 1, "commands are numbered without gaps");
        assert!(command.ts() >= self.ts(), "time never falls");
        let words = command.words();
        self.head = [words[0], words[1], words[2], words[3]];
        self.n = 0;
        self.chain.command(command);
    }

    /// Says a fact about the market or a house account's or a trader's; `None` is no account.
    #[inline(always)]
    pub(crate) fn fact(&mut self, about: Option<(u32, &mut Account)>, fact: impl Body, out: &mut impl Outbox) {
        let (account, account_seq) = match about {
            Some((number, account)) => {
                account.account_seq += 1;
                (AccountId(number), account.account_seq)
            }
            None => (AccountId::NONE, 0),
        };
        self.event(account, account_seq, fact, out);
    }

    /// Says a fact whose account number is counted already, or does not exist.
    #[inline(always)]
    pub(crate) fn event(&mut self, account: AccountId, account_seq: u64, fact: impl Body, out: &mut impl Outbox) {
        let event = Event::of(self.seq(), self.ts(), self.n, account, account_seq, fact);
        // The mark of the last event is not chained: the next command's number says it too.
        self.chain.event(event.words());
        out.push(&event);
        self.n += 1;
    }

    /// Ends the command: its last event is marked, and is `Done` where there was none.
    #[inline(always)]
    pub(crate) fn end(&mut self, out: &mut impl Outbox) {
        if self.n == 0 {
            let done = Done { session: self.session(), request: self.request() };
            self.event(AccountId::NONE, 0, done, out);
        }
        out.end();
    }
}
