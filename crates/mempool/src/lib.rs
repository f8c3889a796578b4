//! Hold transactions that wait for a block, within bounds.
//!
//! Each sender has a lane, in nonce order. A proposer takes from the lane heads. The pool never grows past [`Limits`]. When
//! it is full, a better transaction displaces a worse one:
//!
//! ```text
//!             room for seats (1/8): duties of drawn workers and validators; nobody else can use or take it
//! pool  ----- room for all others
//!                 ready: in nonce order from the state's next nonce, paid for by the sender's balance
//!                 early (at most 1/8): behind a missing nonce, or free and not shown to go through, ...; for 10 s
//!
//! goes first:  early, the oldest  ->  the lowest tip per byte, counted over all that stand before it  ->  the youngest
//! ```
//!
//! One whose limit is below the base fee is early too, until the base fee falls. One with an expiring nonce has a lane of its
//! own, and goes when its last block is final.
//!
//! A transaction leaves a lane at its end or with all that stand behind it, so that no lane gets a gap. What stands before a
//! seat's duty stays.
//!
//! It checks form and signature (through `CheckedTx`, which it is handed), and that what a sender has waiting is covered by
//! the balance that it is told. It does not run any rule: that is what `chain` does, and the caller says what came of it
//! ([`Arrival::proven`]). It has no clock: it is told the time.

mod fees;
mod lane;
mod listing;
mod order;
mod pool;
mod room;
#[cfg(test)]
mod tests;

pub use pool::Pool;
pub use room::Room;

use std::collections::{BTreeMap, BTreeSet};
use types::{Address, Code, Duty, Height, Millis, NanoMeshx, Nonce, Once, PublicKey, TxId};

/// What the pool needs to know of a transaction.
pub trait Pooled: Clone {
    /// The transaction's name.
    fn id(&self) -> TxId;
    /// Whose nonce it uses.
    fn sender(&self) -> Address;
    /// Which one.
    fn nonce(&self) -> Nonce;
    /// What the proposer gets, if it pays at all.
    fn tip(&self) -> NanoMeshx;
    /// Its length on the wire.
    fn bytes(&self) -> usize;
    /// The highest base fee that it pays.
    fn fee_max(&self) -> NanoMeshx;
    /// What it settles. One that settles something is free.
    fn duty(&self) -> Option<Duty>;
    /// The most it takes from its sender's account in a block with this base fee.
    fn cost(&self, base_fee: NanoMeshx) -> NanoMeshx;
}

/// How much the pool holds, and who may fill which part of it.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most transactions that wait.
    pub txs_max: usize,
    /// Most bytes that all of them have together.
    pub bytes_max: usize,
    /// Most of one sender, so that nobody fills the pool alone.
    pub lane_max: usize,
    /// Most bytes of one sender.
    pub lane_bytes_max: usize,
    /// Most of one sender that are not ready.
    pub lane_early_max: usize,
    /// How far ahead of the next nonce a transaction may wait for those before it.
    pub gap_max: u64,
    /// Most of one sender that may stand before a seat's duty and be kept with it. A worker's heartbeat, for instance.
    pub before_seat_max: usize,
    /// One part in so many is for seats.
    pub seats_part: usize,
    /// One part in so many may be taken by those that are not ready.
    pub early_part: usize,
    /// One part in so many may be brought by one peer.
    pub peer_part: usize,
    /// How long one that is not ready waits: time for a message that was overtaken, and no more.
    pub early_ms: Millis,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            txs_max: 50_000,
            bytes_max: 64 << 20,
            lane_max: 4_096,
            lane_bytes_max: 8 << 20,
            lane_early_max: 256,
            gap_max: 4_096,
            before_seat_max: 16,
            seats_part: 8,
            early_part: 8,
            peer_part: 2,
            early_ms: Millis::new(10_000),
        }
    }
}

/// How a transaction comes to the pool.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Its sender's next strict nonce in the newest known state.
    pub next: u64,
    /// What its sender's account holds in that state. `None`: what the pool knows of it is enough.
    pub funds: Option<NanoMeshx>,
    /// It would go through in the next block, behind those of its sender that wait.
    pub proven: bool,
    /// The peer that brought it; `None`: a client of this node.
    pub from: Option<PublicKey>,
    /// The time, by a clock that does not go back.
    pub now: Millis,
}

/// Why one that waited waits no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// The pool was full, and another pays more for its bytes.
    Outbid,
    /// Another of its sender's took its place.
    Replaced,
    /// It was not ready for too long, or its expiring nonce is over.
    Expired,
    /// The base fee rose above its limit.
    Priced,
}

/// What stands in blocks that are not final.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ahead {
    /// The next strict nonce of senders in them.
    pub next: BTreeMap<Address, u64>,
    /// Expiring nonces in them.
    pub once: BTreeSet<(Address, Once)>,
}

/// One that waited and was dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped<T> {
    /// The transaction.
    pub tx: T,
    /// Why.
    pub why: Gone,
}

/// Why a transaction was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Rejected {
    #[error(
        "the pool is full of transactions that pay as much; offer a tip, or try again in a second"
    )]
    Full,
    #[error(
        "too many transactions of this account wait already; try again when some are in a block"
    )]
    Crowded,
    #[error("nonce {got} was used already; the next is {next}")]
    Used { next: u64, got: u64 },
    #[error("nonce {got} leaves a gap; the next is {next}")]
    Gap { next: u64, got: u64 },
    #[error(
        "another transaction of this sender waits with nonce {nonce}; one with a tip of {tip} nano would take its place"
    )]
    Occupied { nonce: u64, tip: u64 },
    #[error("block {until} was the last that could hold it, and the chain is at {height}")]
    TooLate { until: Height, height: Height },
    #[error("its nonce expires after block {until}; {last} is the latest that is taken now")]
    TooFar { until: Height, last: Height },
    #[error("the account holds {has} nano; with this transaction, all that wait need {needs}")]
    Unfunded { has: u64, needs: u64 },
}

impl Rejected {
    /// The word for it in the API.
    pub const fn code(&self) -> Code {
        match self {
            Self::Full | Self::Crowded => Code::Overloaded,
            Self::Used { .. } => Code::NonceUsed,
            Self::Gap { .. } => Code::NonceGap,
            Self::Occupied { .. } => Code::NonceOccupied,
            Self::TooLate { .. } => Code::TxExpired,
            Self::TooFar { .. } => Code::UntilTooFar,
            Self::Unfunded { .. } => Code::InsufficientFunds,
        }
    }
}
