//! Room: how much of the pool something takes, and how much it may take.

use crate::Limits;
use std::ops::{AddAssign, SubAssign};

/// Transactions, and the bytes that they have together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// How many transactions.
    pub txs: usize,
    /// Their bytes on the wire.
    pub bytes: usize,
}

impl Room {
    pub(crate) const fn of(bytes: usize) -> Self {
        Self { txs: 1, bytes }
    }

    /// Whether `more` still fits where at most `max` may be.
    pub(crate) const fn fits(self, more: Self, max: Self) -> bool {
        self.txs + more.txs <= max.txs && self.bytes + more.bytes <= max.bytes
    }

    /// What is missing for `more` to fit.
    pub(crate) const fn lacks(self, more: Self, max: Self) -> Self {
        Self {
            txs: (self.txs + more.txs).saturating_sub(max.txs),
            bytes: (self.bytes + more.bytes).saturating_sub(max.bytes),
        }
    }

    pub(crate) const fn covers(self, need: Self) -> bool {
        self.txs >= need.txs && self.bytes >= need.bytes
    }

    const fn part(self, parts: usize) -> Self {
        Self { txs: self.txs / parts, bytes: self.bytes / parts }
    }

    const fn without(self, other: Self) -> Self {
        Self { txs: self.txs - other.txs, bytes: self.bytes - other.bytes }
    }
}

impl AddAssign for Room {
    fn add_assign(&mut self, other: Self) {
        self.txs += other.txs;
        self.bytes += other.bytes;
    }
}

impl SubAssign for Room {
    fn sub_assign(&mut self, other: Self) {
        self.txs -= other.txs;
        self.bytes -= other.bytes;
    }
}

/// How the pool's room is divided.
impl Limits {
    const fn all(&self) -> Room {
        Room { txs: self.txs_max, bytes: self.bytes_max }
    }
    /// For seats alone.
    pub(crate) const fn seats(&self) -> Room {
        self.all().part(self.seats_part)
    }
    /// For all others.
    pub(crate) const fn ordinary(&self) -> Room {
        self.all().without(self.seats())
    }
    /// Of that, for those that cannot be executed yet.
    pub(crate) const fn early(&self) -> Room {
        self.all().part(self.early_part)
    }
    /// For what one peer brings.
    pub(crate) const fn peer(&self) -> Room {
        self.all().part(self.peer_part)
    }
    /// Of that, for those that cannot be executed yet.
    pub(crate) const fn peer_early(&self) -> Room {
        self.early().part(self.peer_part)
    }
}
