//! Why governance refuses, with codes that never change meaning.

use types::{Millis, NanoMeshx, ParamName};

/// The reason; nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{} is within {} and {} {}, not {value}", crate::info(*.name).text, crate::info(*.name).min, crate::info(*.name).max, crate::info(*.name).unit)]
    OutOfBounds { name: ParamName, value: u64 },
    #[error("the parameters would not fit together: {rule}")]
    Inconsistent { rule: &'static str },
    #[error("a proposal that changes nothing")]
    Empty,
    #[error("{} is changed twice", crate::info(*.0).text)]
    Duplicate(ParamName),
    #[error("{} is of one shard; name it, as in EU:{}=900000", crate::info(*.0).text, crate::info(*.0).text)]
    OfOneShard(ParamName),
    #[error("a proposal needs a title")]
    NoTitle,
    #[error("{amount} MESHX is nothing, or more than there can be")]
    Amount { amount: NanoMeshx },
    #[error("the protocol's own accounts are not paid")]
    PoolAccount,
    #[error("a pause lasts 1 to {max} ms, not {asked}")]
    PauseTooLong { asked: Millis, max: Millis },
    #[error("the backbone takes in no jobs and cannot pause")]
    NotAShard,
    #[error("votes are not taken any more")]
    VoteClosed,
    #[error("the account has no stake to vote with")]
    NoStake,
    #[error("votes are taken until {closes}")]
    StillOpen { closes: Millis },
    #[error("the proposal is not waiting to be carried out")]
    NotQueued,
    #[error("the decision waits until {executes}")]
    Timelocked { executes: Millis },
}

impl Refusal {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OutOfBounds { .. } => "param_out_of_bounds",
            Self::Inconsistent { .. } => "params_inconsistent",
            Self::Empty => "empty_proposal",
            Self::Duplicate(_) => "duplicate_param",
            Self::OfOneShard(_) => "of_one_shard",
            Self::NoTitle => "no_title",
            Self::Amount { .. } => "bad_amount",
            Self::PoolAccount => "pool_account",
            Self::PauseTooLong { .. } => "pause_too_long",
            Self::NotAShard => "not_a_shard",
            Self::VoteClosed => "vote_closed",
            Self::NoStake => "no_stake",
            Self::StillOpen { .. } => "voting_open",
            Self::NotQueued => "not_queued",
            Self::Timelocked { .. } => "timelocked",
        }
    }
}
