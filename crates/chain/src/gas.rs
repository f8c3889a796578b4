//! Gas: the work that a block asks of every validator, counted alike by all of them.
//!
//! One gas is about a nanosecond of one core of the machine in docs/performance.md. Bytes, state and checks are charged
//! where they are used: [`Scratch`](crate::scratch::Scratch) charges for records, [`checks`](crate::checks) for signatures,
//! certificates and evidence.
//!
//! A block has room for so much gas and no more, of which each kind of work has a share. Who causes work pays for its gas:
//! [`fee`]. See ADR 25.

use std::cell::Cell;
use types::{NanoMeshx, attest::Technology};

/// A block takes in no transaction once it has used so much.
pub const BLOCK_MAX: u64 = 400_000_000;
/// Transactions that somebody pays a fee for leave a block at this point; the rest is for those of drawn workers and of
/// the protocol, so that a full block still settles.
pub const PAID_MAX: u64 = 300_000_000;
/// Draws begin no further one once they have used so much of a block.
pub const DRAWS_MAX: u64 = 40_000_000;
/// The same for jobs that fall due.
pub const DUE_MAX: u64 = 40_000_000;
/// What a block uses when the base fee shall stay as it is.
pub const TARGET: u64 = 150_000_000;
/// The base fee pays for so much. A transfer uses half of it.
const PER_BASE_FEE: u64 = 100_000;

/// What things cost, in gas.
pub(crate) mod cost {
    /// A byte of a transaction: it is decoded, hashed, passed on and kept.
    pub(crate) const BYTE: u64 = 10;
    /// A step of a rule: plain arithmetic over records that are there.
    pub(crate) const RULE: u64 = 1_000;
    /// A record is read and decoded.
    pub(crate) const READ: u64 = 2_000;
    /// A record is written, and its path to the state's root hashed (`meshx bench state`).
    pub(crate) const WRITE: u64 = 4_000;
    /// A byte of a record is written: on every validator's disk, and until it is overwritten.
    pub(crate) const BYTE_WRITTEN: u64 = 20;
    /// An Ed25519 signature that is checked alone (`meshx bench sign`). A batch is cheaper, but nobody has to be in one.
    pub(crate) const SIGNATURE: u64 = 21_000;
    /// Paying the fee: the records of the sender, of the proposer and of the supply.
    pub(crate) const FEE: u64 = 3 * (READ + WRITE) + 100 * BYTE_WRITTEN;
    /// A proof of a verifiable random function (`cargo bench -p meshx-crypto --bench ecvrf`).
    pub(crate) const VRF_PROOF: u64 = 40_000;
    /// Whether a key is a point of the curve, of large order.
    pub(crate) const VRF_KEY: u64 = 10_000;
    /// Whether somebody can seal to a key.
    pub(crate) const SEALING_KEY: u64 = 10_000;
    /// A finalization certificate: two threshold signatures of BLS12-381, each 820 µs (ADR 9).
    pub(crate) const CERTIFICATE: u64 = 1_640_000;
    /// That a record is under a state root (`meshx bench state`).
    pub(crate) const INCLUSION: u64 = 7_000;
    /// A place comes or goes: its record, and two of the worker whose place fills its gap.
    pub(crate) const PLACE: u64 = 3 * (READ + WRITE) + 1_200 * BYTE_WRITTEN;
    /// A later block draws a worker for a replica: four tries as a rule, of two records each.
    pub(crate) const DRAW: u64 = 8 * READ;
}

/// Gas of judging evidence of this technology: the slowest measured in docs/attestation.md, rounded up.
pub(crate) const fn of_evidence(technology: Technology) -> u64 {
    match technology {
        Technology::IntelSgx | Technology::IntelTdx => 600_000,
        Technology::AmdSevSnp | Technology::Tpm2 => 800_000,
        Technology::AwsNitro => 3_000_000,
        Technology::AndroidKeyAttestation => 1_600_000,
        Technology::AppleAppAttest | Technology::ArmCca => 1_100_000,
        Technology::ArmPsa => 50_000,
    }
}

/// What somebody pays who has caused `gas`: whole base fees, rounded up, and at least one.
pub fn fee(base_fee: NanoMeshx, gas: u64) -> NanoMeshx {
    let fees = gas.div_ceil(PER_BASE_FEE).max(1);
    // A fee beyond what an amount holds is one that nobody can pay.
    NanoMeshx::new(base_fee.get().saturating_mul(fees))
}

/// Counts what one item of a block has used. Charging comes before the work, so that a limit, once there is one, stops an
/// item before it has cost more.
#[derive(Debug, Default)]
pub(crate) struct Gas(Cell<u64>);

impl Gas {
    pub(crate) fn charge(&self, amount: u64) {
        self.0.set(self.0.get().saturating_add(amount));
    }

    pub(crate) fn used(&self) -> u64 {
        self.0.get()
    }

    /// Back to what it was before something that is paid for already.
    pub(crate) fn set(&self, used: u64) {
        self.0.set(used);
    }
}

/// What a block has used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GasUsed {
    /// By the protocol itself: due jobs, draws, boundaries.
    pub own: u64,
    /// By each transaction that is in, in order.
    pub txs: Vec<u64>,
}

impl GasUsed {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.txs.iter().fold(self.own, |sum, used| sum.saturating_add(*used))
    }
}
