//! Why governance refuses, with codes that never change meaning.

use types::{Code, Millis, NanoMeshx, ParamName};

/// The reason; nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Refusal {
    #[error("{} must be between {} and {} {}, not {value}", crate::info(*.name).text, crate::info(*.name).min, crate::info(*.name).max, crate::info(*.name).unit)]
    OutOfBounds { name: ParamName, value: u64 },
    #[error("the parameters would contradict each other: {rule}")]
    Inconsistent { rule: &'static str },
    #[error("the proposal changes nothing")]
    Empty,
    #[error("{} is changed twice", crate::info(*.0).text)]
    Duplicate(ParamName),
    #[error("{} belongs to one shard; name the shard, as in EU:{}=900000", crate::info(*.0).text, crate::info(*.0).text)]
    OfOneShard(ParamName),
    #[error("a proposal needs a title")]
    NoTitle,
    #[error("{amount} MESHX is zero, or more than can exist")]
    Amount { amount: NanoMeshx },
    #[error("a proposal cannot pay into the protocol's own accounts")]
    PoolAccount,
    #[error("a pause lasts 1 to {max} ms, not {asked}")]
    PauseTooLong { asked: Millis, max: Millis },
    #[error("the backbone accepts no jobs, so it cannot pause them")]
    NotAShard,
    #[error("the vote has closed")]
    VoteClosed,
    #[error("the account has no stake to vote with")]
    NoStake,
}

impl Refusal {
    /// A stable name for programs.
    pub const fn code(&self) -> Code {
        match self {
            Self::OutOfBounds { .. } => Code::ParamOutOfBounds,
            Self::Inconsistent { .. } => Code::ParamsInconsistent,
            Self::Empty => Code::EmptyProposal,
            Self::Duplicate(_) => Code::DuplicateParam,
            Self::OfOneShard(_) => Code::OfOneShard,
            Self::NoTitle => Code::NoTitle,
            Self::Amount { .. } => Code::BadAmount,
            Self::PoolAccount => Code::PoolAccount,
            Self::PauseTooLong { .. } => Code::PauseTooLong,
            Self::NotAShard => Code::NotAShard,
            Self::VoteClosed => Code::VoteClosed,
            Self::NoStake => Code::NoStake,
        }
    }
}

/// Why a proposal is not decided or carried out at this moment. The chain asks by itself, so no transaction meets this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NotDue {
    #[error("votes are taken until {closes}")]
    StillOpen { closes: Millis },
    #[error("the proposal was decided before")]
    Decided,
    #[error("the proposal is not waiting to be carried out")]
    NotQueued,
    #[error("the decision waits until {executes}")]
    Timelocked { executes: Millis },
}
