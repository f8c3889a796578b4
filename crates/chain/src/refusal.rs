//! Why a transaction was refused, with a code that never changes meaning.

use types::{Address, ChainId, JobId};

/// The reason; state is as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(transparent)]
    Ledger(#[from] ledger::Refusal),
    #[error(transparent)]
    Unacceptable(#[from] jobs::Unacceptable),
    #[error(transparent)]
    OutOfPhase(#[from] jobs::OutOfPhase),
    #[error("the signature is not the sender's over this transaction on this network")]
    BadSignature,
    #[error("the transaction is for chain {got}, this is {here}")]
    WrongChain { got: ChainId, here: ChainId },
    #[error("no job has id {0}")]
    UnknownJob(JobId),
    #[error("a worker needs a capacity of 1 to 1024, not {0}")]
    Capacity(u16),
    #[error("too many jobs are waiting on this chain; try again in a few blocks")]
    Busy,
    #[error("{0} is the protocol's own account; only the protocol pays into it")]
    PoolAccount(Address),
    #[error("the backbone runs no jobs; send them to a shard")]
    NoJobsHere,
    #[error("the beacon for height {0} is not the one this block needs")]
    WrongBeacon(types::Height),
    #[error("the transaction does not fit what this block has left")]
    BlockFull,
}

impl Refusal {
    /// A nonce that is not the expected one.
    pub const fn nonce(account: Address, expected: u64, got: u64) -> Self {
        Self::Ledger(ledger::Refusal::Nonce { account, expected, got })
    }

    /// The stable code of the API's error contract.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Ledger(ledger::Refusal::InsufficientFunds { .. }) => "insufficient_funds",
            Self::Ledger(ledger::Refusal::Nonce { expected, got, .. }) if *got > *expected => {
                "nonce_gap"
            }
            Self::Ledger(ledger::Refusal::Nonce { .. }) => "nonce_used",
            Self::Ledger(ledger::Refusal::Overflow { .. }) => "overflow",
            Self::Ledger(ledger::Refusal::ZeroAmount) => "zero_amount",
            Self::Unacceptable(_) => "unacceptable_job",
            Self::OutOfPhase(_) => "out_of_phase",
            Self::BadSignature => "bad_signature",
            Self::WrongChain { .. } => "wrong_chain",
            Self::UnknownJob(_) => "unknown_job",
            Self::Capacity(_) => "bad_capacity",
            Self::Busy => "overloaded",
            Self::PoolAccount(_) => "pool_account",
            Self::NoJobsHere => "no_jobs_here",
            Self::WrongBeacon(_) => "wrong_beacon",
            Self::BlockFull => "block_full",
        }
    }
}
