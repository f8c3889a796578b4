//! What a draw is asked: who may sit, on which committee, and why there may be none.

use types::{Address, ChainId, Epoch, NanoMeshx, PublicKey};

/// An eligible validator, and its ticket if one came in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contender {
    /// Whose validator it is.
    pub operator: Address,
    /// What it would sign votes with.
    pub key: PublicKey,
    /// All stake behind it. Without any there is no seat, even if one stays empty.
    pub tokens: NanoMeshx,
    /// The verified ECVRF output for the epoch, the same for all committees it may sit in.
    pub ticket: Option<[u8; 64]>,
}

/// The committee that is to be drawn, and how many may sit in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vacancies {
    /// The chain whose blocks are made.
    pub chain: ChainId,
    /// The draw's number.
    pub epoch: Epoch,
    /// Most seats it has.
    pub seats: u16,
}

/// Why there is no new committee. The old one stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NoCommittee {
    #[error("the draw fills {seats} seats, but a committee needs {min}")]
    TooSmall { seats: u16, min: u16 },
    /// Records that no chain holds: a defect of the caller's.
    #[error("the contenders' stake adds up to {total} nano, more than can exist")]
    BeyondSupply { total: u128 },
}
