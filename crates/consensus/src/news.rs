//! What the shell hears: of a transaction it sends, and of blocks that become final.

use chain::{CheckedTx, Refusal};
use mempool::Gone;
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
    #[error("this node's pool is full, and others offer a higher tip; it was dropped")]
    Outbid,
    #[error(
        "another transaction of this account, with the same nonce and a higher tip, took its place"
    )]
    Replaced,
    #[error("the base fee rose above the limit of this transaction, so it was dropped")]
    Priced,
    #[error(
        "it could not be executed in time and was dropped: a nonce before it is missing, the base fee is above its limit, or its own nonce has expired"
    )]
    Expired,
    #[error("this validator has stopped")]
    Stopped,
}

impl SubmitError {
    /// The word for it in the API.
    pub const fn code(&self) -> Code {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Rejected(rejected) => rejected.code(),
            Self::Displaced | Self::Expired => Code::NonceGap,
            Self::Outbid => Code::Overloaded,
            Self::Priced => Code::FeeAboveMax,
            Self::Replaced => Code::NonceOccupied,
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
    /// The pool was full, and it paid less than others. It was dropped.
    Outbid,
    /// Another with its nonce and a higher tip took its place.
    Replaced,
    /// The base fee rose above its limit, and there was no room to let it wait. It was dropped.
    Priced,
    /// It waited for seconds and could not be executed, because of a nonce before it, for instance. It was dropped.
    Expired,
}

impl Fate {
    /// The height and the id of the block that holds it.
    ///
    /// # Errors
    /// Why none does.
    pub fn into_final(self) -> Result<(Height, Hash), SubmitError> {
        match self {
            Self::Final { height, block } => Ok((height, block)),
            Self::Refused(refusal) => Err(refusal.into()),
            Self::Displaced => Err(SubmitError::Displaced),
            Self::Outbid => Err(SubmitError::Outbid),
            Self::Replaced => Err(SubmitError::Replaced),
            Self::Priced => Err(SubmitError::Priced),
            Self::Expired => Err(SubmitError::Expired),
        }
    }
}

impl From<Gone> for Fate {
    fn from(gone: Gone) -> Self {
        match gone {
            Gone::Outbid => Self::Outbid,
            Gone::Replaced => Self::Replaced,
            Gone::Priced => Self::Priced,
            Gone::Expired => Self::Expired,
        }
    }
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
