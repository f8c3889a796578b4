//! A lane: the transactions of one sender, in the order of their nonces. One with an expiring nonce has a lane of its own.
//!
//! ```text
//! next              ready            end
//!   |  can be executed  |  not known   |  gap  |  ...
//! ```
//!
//! From `next` to `ready` each one follows the one before it and is paid for. What comes behind waits for a missing
//! nonce, or costs nothing and has not shown that it would go through.

use std::collections::{BTreeMap, BTreeSet};
use types::{Address, Duty, Nonce, Once, PublicKey};

/// Names a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Line {
    pub(crate) sender: Address,
    /// `None`: the sender's strict nonces.
    pub(crate) once: Option<Once>,
}

impl Line {
    /// Where the transaction of `sender` with this nonce stands: its lane, and its number there.
    pub(crate) const fn of(sender: Address, nonce: Nonce) -> (Self, u64) {
        match nonce {
            Nonce::Strict { number } => (Self { sender, once: None }, number),
            Nonce::Until(once) => (Self { sender, once: Some(once) }, 0),
        }
    }

    pub(crate) const fn strict(sender: Address) -> Self {
        Self { sender, once: None }
    }
}

/// What one sender has in the pool, in all of its lanes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Purse {
    /// What the sender's account held when it was last looked at, without what has been taken for these since.
    pub(crate) funds: u64,
    /// What all of these take together.
    pub(crate) owed: u64,
    pub(crate) txs: usize,
    pub(crate) bytes: usize,
    /// How many of them are not ready.
    pub(crate) early: usize,
}

/// What a transaction pays for each of its bytes, times 2³².
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rate(u128);

impl Rate {
    pub(crate) const NOTHING: Self = Self(0);
    const MOST: Self = Self(u128::MAX);

    pub(crate) fn of(tip: u64, bytes: usize) -> Self {
        let bytes = u128::try_from(bytes.max(1)).unwrap_or(u128::MAX);
        Self((u128::from(tip) << 32) / bytes)
    }
}

/// A transaction that waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiting<T> {
    pub(crate) tx: T,
    pub(crate) bytes: usize,
    pub(crate) rate: Rate,
    /// The lowest rate of those from the lane's head to this one: a proposer gets to this one only through those. Right
    /// for those that are ready.
    pub(crate) floor: Rate,
    /// The most it takes from its sender's account, in nano.
    pub(crate) cost: u64,
    /// The highest base fee that it pays.
    pub(crate) cap: u64,
    /// The peer that brought it; `None`: a client of this node.
    pub(crate) from: Option<PublicKey>,
    /// When it came, in milliseconds, and the how manieth it was.
    pub(crate) at: u64,
    pub(crate) number: u64,
    /// What it does for its seat, if it waits in the room for seats.
    pub(crate) seat: Option<Duty>,
    /// It is paid for, or has shown that it would go through.
    pub(crate) sound: bool,
}

impl<T> Waiting<T> {
    /// Whether it can be executed at this base fee, once those before it are.
    pub(crate) const fn is_sound(&self, base_fee: u64) -> bool {
        self.sound && self.cap >= base_fee
    }

    /// What counts for the lane's floor: one of a seat holds nobody up.
    fn weight(&self) -> Rate {
        if self.seat.is_some() { Rate::MOST } else { self.rate }
    }
}

/// One sender's transactions.
#[derive(Clone, Debug)]
pub(crate) struct Lane<T> {
    /// The sender's next nonce in the newest known state.
    pub(crate) next: u64,
    /// The first nonce, from `next` on, that is not known to be executable.
    pub(crate) ready: u64,
    /// The first nonce, from `next` on, that neither state nor pool knows.
    pub(crate) end: u64,
    /// Nonces of those that wait in the room for seats.
    pub(crate) seats: BTreeSet<u64>,
    pub(crate) txs: BTreeMap<u64, Waiting<T>>,
}

impl<T> Lane<T> {
    pub(crate) const fn new(next: u64) -> Self {
        Self { next, ready: next, end: next, seats: BTreeSet::new(), txs: BTreeMap::new() }
    }

    /// The floor of a transaction of `rate` that takes the place of `nonce`.
    pub(crate) fn floor_at(&self, nonce: u64, rate: Rate) -> Rate {
        let before = nonce.checked_sub(1).filter(|before| *before >= self.next);
        let before = before.and_then(|before| self.txs.get(&before));
        before.map_or(rate, |before| before.floor.min(rate))
    }

    /// Find `end` anew, from where nothing before has changed.
    pub(crate) fn find_end(&mut self, from: u64) {
        self.end = from.max(self.next);
        while self.txs.contains_key(&self.end) {
            self.end += 1;
        }
    }

    /// Move `ready` as far as it goes at this base fee; returns those that are ready now.
    pub(crate) fn ripen(&mut self, base_fee: u64) -> Vec<u64> {
        self.ready = self.ready.max(self.next);
        let mut ripe = Vec::new();
        let mut floor = match self.ready.checked_sub(1) {
            Some(before) if before >= self.next => self.txs[&before].floor,
            _ => Rate::MOST,
        };
        for (nonce, waiting) in self.txs.range_mut(self.ready..) {
            if *nonce != self.ready || !waiting.is_sound(base_fee) {
                break;
            }
            floor = floor.min(waiting.weight());
            waiting.floor = floor;
            ripe.push(*nonce);
            self.ready += 1;
        }
        ripe
    }

    /// Correct the floors of those from `from` to `ready`.
    pub(crate) fn refloor(&mut self, from: u64) {
        let mut floor = match from.checked_sub(1) {
            Some(before) if before >= self.next && before < self.ready => self.txs[&before].floor,
            _ => Rate::MOST,
        };
        for (nonce, waiting) in self.txs.range_mut(from..self.ready.max(from)) {
            floor = floor.min(waiting.weight());
            // The first may be new. If another is right, so are those behind it.
            if waiting.floor == floor && *nonce > from {
                break;
            }
            waiting.floor = floor;
        }
    }

    /// Those of no seat that wait before `nonce`.
    pub(crate) fn plain_before(&self, nonce: u64) -> usize {
        self.txs.range(..nonce).count() - self.seats.range(..nonce).count()
    }
}
