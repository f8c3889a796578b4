//! Stake comes in: a validator bonds, others delegate.

use crate::{Moment, Position, Refusal, Sources, position::moved, rewards::only_operator, share};
use types::{
    Address, Millis, NanoMeshx, PublicKey,
    staking::{Commission, DelegationRecord, SlashLog, StakingParams, Standing, ValidatorRecord},
    state::{Destination, Transfer, pools},
};

/// Who wants to be a validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Whose validator it will be.
    pub operator: Address,
    /// What it will vote with.
    pub key: PublicKey,
    /// What it keeps of rewards, in basis points.
    pub commission_bps: u16,
}

/// Begin a validator with `amount` of its operator's own.
///
/// `existing` is the operator's record and `key_owner` who votes with the key, if there are such. Neither is ever
/// forgotten, or a tombstone could be shed by starting again.
///
/// # Errors
/// [`Refusal::AlreadyValidator`], [`Refusal::KeyTaken`], [`Refusal::CommissionTooHigh`],
/// [`Refusal::BelowMinimum`].
pub fn bond(
    candidate: Candidate,
    amount: NanoMeshx,
    existing: Option<&ValidatorRecord>,
    key_owner: Option<Address>,
    params: &StakingParams,
) -> Result<(Position, Vec<Transfer>), Refusal> {
    let Candidate { operator, key, commission_bps: bps } = candidate;
    if existing.is_some() {
        return Err(Refusal::AlreadyValidator(operator));
    }
    if let Some(owner) = key_owner {
        return Err(Refusal::KeyTaken(owner));
    }
    if bps > params.commission_max_bps {
        return Err(Refusal::CommissionTooHigh { bps, max: params.commission_max_bps });
    }
    if amount < params.validator_min {
        return Err(Refusal::BelowMinimum { amount, min: params.validator_min });
    }
    let validator = ValidatorRecord {
        operator,
        key,
        standing: Standing::Active,
        tokens: NanoMeshx::ZERO,
        shares: 0,
        shares_own: 0,
        commission: Commission { bps, next_bps: bps, next_at: Millis::ZERO },
        commission_owed: NanoMeshx::ZERO,
        rewards_per_share: 0,
        remainder: 0,
        dust: 0,
        slashes: SlashLog::default(),
    };
    let mut position = Position {
        delegator: operator,
        validator,
        delegation: DelegationRecord::default(),
        sources: Sources::new(),
    };
    position.mint(amount)?;
    let transfers = moved(operator, Destination::Account(pools::bonded()), amount);
    Ok((position, transfers))
}

/// Put `amount` of the delegator's behind the validator. An operator adds to its own stake in the same way.
///
/// # Errors
/// [`Refusal::BelowMinimum`] when all of the delegation would be worth less than `delegator_min`;
/// [`Refusal::Tombstoned`]; [`Refusal::Worthless`]; [`Refusal::ZeroAmount`], also for an amount below one share.
pub fn delegate(
    position: &mut Position,
    amount: NanoMeshx,
    params: &StakingParams,
    now: Moment,
) -> Result<Vec<Transfer>, Refusal> {
    if amount == NanoMeshx::ZERO {
        return Err(Refusal::ZeroAmount);
    }
    let (mut after, mut transfers) = position.settled(now)?;
    arrive(&mut after, amount, params)?;
    transfers.extend(moved(after.delegator, Destination::Account(pools::bonded()), amount));
    *position = after;
    Ok(transfers)
}

/// A validator that was jailed comes back.
///
/// # Errors
/// [`Refusal::NotOperator`], [`Refusal::NotJailed`], [`Refusal::StillJailed`], [`Refusal::Tombstoned`], and
/// [`Refusal::BelowMinimum`] when the slash has left its operator too little: it delegates to itself first.
pub fn unjail(
    validator: &mut ValidatorRecord,
    by: Address,
    params: &StakingParams,
    now: Moment,
) -> Result<(), Refusal> {
    only_operator(validator, by)?;
    match validator.standing {
        Standing::Active => return Err(Refusal::NotJailed),
        Standing::Tombstoned => return Err(Refusal::Tombstoned),
        Standing::Jailed { until } if now.at < until => {
            return Err(Refusal::StillJailed { until });
        }
        Standing::Jailed { .. } => {}
    }
    let amount = share::worth_own(validator);
    if amount < params.validator_min {
        return Err(Refusal::BelowMinimum { amount, min: params.validator_min });
    }
    validator.standing = Standing::Active;
    Ok(())
}

/// Shares for `amount` that comes to a delegation; returns them. Minimums count the amount, not what rounding makes
/// of it.
pub(crate) fn arrive(
    position: &mut Position,
    amount: NanoMeshx,
    params: &StakingParams,
) -> Result<u128, Refusal> {
    if position.validator.standing == Standing::Tombstoned {
        return Err(Refusal::Tombstoned);
    }
    let total = position.worth().checked_add(amount).ok_or(Refusal::Overflow)?;
    if total < params.delegator_min {
        return Err(Refusal::BelowMinimum { amount: total, min: params.delegator_min });
    }
    position.mint(amount)
}
