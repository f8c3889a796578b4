//! Why staking refuses.

use types::{Address, Code, Height, Millis, NanoMeshx, staking::Fault};

/// Why staking refused. A refusal leaves every record as it was and moves no money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Refusal {
    #[error("an amount of zero moves nothing")]
    ZeroAmount,
    #[error("{amount} MESHX is below the minimum of {min}")]
    BelowMinimum { amount: NanoMeshx, min: NanoMeshx },
    #[error(
        "{left} MESHX would be left, which is below the minimum of {min}; take all of it, or less"
    )]
    LeavesTooLittle { left: NanoMeshx, min: NanoMeshx },
    #[error("the delegation is worth {available} MESHX, but this needs {needed}")]
    InsufficientStake { available: NanoMeshx, needed: NanoMeshx },
    #[error("the stake came from another validator and stays locked until {until}")]
    Locked { until: Millis },
    #[error("the account has delegated nothing to this validator")]
    NoDelegation,
    #[error("{0} is already a validator")]
    AlreadyValidator(Address),
    #[error("{0} already votes with this key")]
    KeyTaken(Address),
    #[error("a commission of {bps} basis points is above the {max} allowed")]
    CommissionTooHigh { bps: u16, max: u16 },
    #[error("only {operator} may do this")]
    NotOperator { operator: Address },
    #[error("source and destination are the same validator")]
    SameValidator,
    #[error("too many parts of the stake are unbonding; the first is free at {until}")]
    TooMany { until: Millis },
    #[error("nothing is free yet; the first part is free at {until}")]
    NotMatured { until: Millis },
    #[error("no stake is unbonding")]
    NothingUnbonding,
    #[error("no reward or commission is owed")]
    NothingOwed,
    #[error("nobody has a stake in this validator")]
    NoStake,
    #[error(
        "a slash has taken all stake of this validator; those who hold its shares must leave first"
    )]
    Worthless,
    #[error("the validator is excluded for ever")]
    Tombstoned,
    #[error("the validator is not in jail")]
    NotJailed,
    #[error("the validator is in jail until {until}")]
    StillJailed { until: Millis },
    #[error("the equivocation is of {at}; its proof expired at {expired}")]
    EquivocationTooOld { at: Millis, expired: Millis },
    #[error("the equivocation proof is about block {height}, which does not exist yet")]
    EquivocationFromFuture { height: Height },
    #[error("the {fault} of block {height} was already punished")]
    AlreadyPunished { fault: Fault, height: Height },
    #[error("the slash log of {0} is needed and was not given")]
    SourceMissing(Address),
    #[error("{0}")]
    BadParams(&'static str),
    #[error("the amount is more than can exist")]
    Overflow,
}

impl Refusal {
    /// The name a client may rely on.
    pub const fn code(&self) -> Code {
        match self {
            Self::ZeroAmount => Code::ZeroAmount,
            Self::BelowMinimum { .. } => Code::BelowMinimum,
            Self::LeavesTooLittle { .. } => Code::LeavesTooLittle,
            Self::InsufficientStake { .. } => Code::InsufficientStake,
            Self::Locked { .. } => Code::StakeLocked,
            Self::NoDelegation => Code::NoDelegation,
            Self::AlreadyValidator(_) => Code::AlreadyValidator,
            Self::KeyTaken(_) => Code::KeyTaken,
            Self::CommissionTooHigh { .. } => Code::CommissionTooHigh,
            Self::NotOperator { .. } => Code::NotOperator,
            Self::SameValidator => Code::SameValidator,
            Self::TooMany { .. } => Code::TooManyUnbondings,
            Self::NotMatured { .. } => Code::NotMatured,
            Self::NothingUnbonding => Code::NothingUnbonding,
            Self::NothingOwed => Code::NothingOwed,
            Self::NoStake => Code::NoStake,
            Self::Worthless => Code::WorthlessShares,
            Self::Tombstoned => Code::Tombstoned,
            Self::NotJailed => Code::NotJailed,
            Self::StillJailed { .. } => Code::StillJailed,
            Self::EquivocationTooOld { .. } => Code::EquivocationTooOld,
            Self::EquivocationFromFuture { .. } => Code::EquivocationFromFuture,
            Self::AlreadyPunished { .. } => Code::AlreadyPunished,
            // The caller forgot a record, or parameters that governance would not have let through.
            Self::SourceMissing(_) | Self::BadParams(_) => Code::Internal,
            Self::Overflow => Code::Overflow,
        }
    }
}
