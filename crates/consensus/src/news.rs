//! What the shell hears: of a transaction it sends, and of blocks that become final.

use chain::{CheckedTx, Refusal};
use types::{Code, Hash, Header, Height, Millis, state::Event};

/// Why a transaction was not accepted. Nothing has happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum SubmitError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Rejected(#[from] mempool::Rejected),
    #[error("the chain has no final block yet")]
    NotReady,
    #[error("an earlier transaction of this account was refused, so this one was dropped")]
    Displaced,
    #[error("this validator has stopped")]
    Stopped,
}

impl SubmitError {
    /// The word for it in the API.
    pub const fn code(&self) -> Code {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Rejected(rejected) => rejected.code(),
            Self::Displaced => Code::NonceGap,
            Self::NotReady | Self::Stopped => Code::NotReady,
        }
    }

    /// Whether the same again is of no use until somebody changes something: see [`Code::is_lasting`].
    pub const fn is_lasting(&self) -> bool {
        self.code().is_lasting()
    }
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A final block holds it.
    Final {
        /// The height of that block.
        height: Height,
        /// The id of that block.
        block: Hash,
    },
    /// The state it met refused it.
    Refused(Refusal),
    /// One of its sender's before it was refused, so this one's nonce leaves a gap now. It was dropped;
    /// sign it again with the next nonce.
    Displaced,
}

/// A block that became final.
#[derive(Clone, Debug)]
pub struct Final {
    /// The header that the committee certified.
    pub header: Header,
    /// Its transactions, in the order of the body.
    pub txs: Vec<CheckedTx>,
    /// What the block did that a node may have to act on, in order.
    pub events: Vec<Event>,
    /// From the proposer's timestamp until this validator applied the block.
    pub finality: Millis,
}
