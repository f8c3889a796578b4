//! Stake goes: it unbonds and is withdrawn, or moves to another validator.

use crate::{Moment, Position, Refusal, enter, liable, position::moved, share};
use types::{
    Address, NanoMeshx,
    staking::{Arrival, StakingParams, Unbonding, UnbondingRecord, ValidatorRecord},
    state::{Destination, Transfer, pools},
};

/// How much of a delegation leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Portion {
    /// So much of it.
    Amount(NanoMeshx),
    /// All shares, at any worth.
    All,
}

/// Take stake from the validator. It earns nothing more, and can be withdrawn when an unbonding period has passed.
///
/// A validator's operator may leave like everyone: below `validator_min` it has no seat in the next committee.
///
/// # Errors
/// [`Refusal::NoDelegation`], [`Refusal::ZeroAmount`], [`Refusal::InsufficientStake`],
/// [`Refusal::LeavesTooLittle`], [`Refusal::Locked`], [`Refusal::TooMany`].
pub fn undelegate(
    position: &mut Position,
    unbonding: &mut UnbondingRecord,
    portion: Portion,
    params: &StakingParams,
    now: Moment,
) -> Result<Vec<Transfer>, Refusal> {
    let (mut after, mut transfers) = position.settled(now)?;
    let amount = depart(&mut after, portion, params)?;
    let mut entries = unbonding.entries.clone();
    if amount > NanoMeshx::ZERO {
        let entry = Unbonding {
            amount,
            created: now.height,
            matures: now.at.checked_add(params.unbonding_ms).ok_or(Refusal::Overflow)?,
            slashes_seen: liable::seen(&after.validator.slashes),
        };
        let mut joined = false;
        if let Some(last) = entries.iter_mut().last() {
            joined = liable::join(last, entry)?;
        }
        if !joined {
            let until = entries.iter().map(|entry| entry.matures).min().unwrap_or(now.at);
            entries.push(entry).map_err(|_| Refusal::TooMany { until })?;
        }
    }
    transfers.extend(moved(pools::bonded(), Destination::Account(pools::unbonding()), amount));
    unbonding.entries = entries;
    *position = after;
    Ok(transfers)
}

/// Move stake from one validator to another at once. It stays there for an unbonding period, in which it still
/// answers for what the first did before: it cannot hop on, nor leave.
///
/// # Errors
/// Those of [`undelegate`] for where it leaves, those of [`crate::delegate`] for where it arrives, and
/// [`Refusal::SameValidator`].
///
/// # Panics
/// If the positions are of two delegators.
pub fn redelegate(
    from: &mut Position,
    to: &mut Position,
    portion: Portion,
    params: &StakingParams,
    now: Moment,
) -> Result<Vec<Transfer>, Refusal> {
    assert_eq!(from.delegator, to.delegator, "stake moves between positions of one delegator");
    let source = from.validator.operator;
    if source == to.validator.operator {
        return Err(Refusal::SameValidator);
    }
    let (mut left, mut transfers) = from.settled(now)?;
    let (mut arrived, more) = to.settled(now)?;
    transfers.extend(more);
    let amount = depart(&mut left, portion, params)?;
    if amount == NanoMeshx::ZERO {
        return Err(Refusal::ZeroAmount);
    }
    let arrival = Arrival {
        from: source,
        shares: enter::arrive(&mut arrived, amount, params)?,
        created: now.height,
        matures: now.at.checked_add(params.unbonding_ms).ok_or(Refusal::Overflow)?,
        slashes_seen: liable::seen(&left.validator.slashes),
    };
    let until = liable::locked(&arrived).map_or(now.at, |(_, until)| until);
    arrived.delegation.arrivals.push(arrival).map_err(|_| Refusal::TooMany { until })?;
    arrived.sources.insert(source, left.validator.slashes.clone());
    (*from, *to) = (left, arrived);
    Ok(transfers)
}

/// Pay out what has been on its way for its unbonding period, less what it owes for slashes since it left.
///
/// # Errors
/// [`Refusal::NothingUnbonding`], also for a second withdrawal; [`Refusal::NotMatured`].
pub fn withdraw(
    unbonding: &mut UnbondingRecord,
    validator: &ValidatorRecord,
    delegator: Address,
    now: Moment,
) -> Result<Vec<Transfer>, Refusal> {
    let first = unbonding.entries.iter().map(|entry| entry.matures).min();
    let until = first.ok_or(Refusal::NothingUnbonding)?;
    if now.at < until {
        return Err(Refusal::NotMatured { until });
    }
    let mut after = unbonding.clone();
    let slashed = liable::settle_unbonding(&mut after, validator);
    let mut paid = NanoMeshx::ZERO;
    for entry in after.entries.iter().filter(|entry| entry.matures <= now.at) {
        paid = paid.checked_add(entry.amount).ok_or(Refusal::Overflow)?;
    }
    after.entries.retain(|entry| now.at < entry.matures);
    *unbonding = after;
    let mut transfers = moved(pools::unbonding(), Destination::Burned, slashed);
    transfers.extend(moved(pools::unbonding(), Destination::Account(delegator), paid));
    Ok(transfers)
}

/// Take off now what a delegation and what is leaving owe for slashes. Anyone may ask for it; nobody has to.
///
/// # Errors
/// [`Refusal::SourceMissing`].
pub fn settle(
    position: &mut Position,
    unbonding: &mut UnbondingRecord,
    now: Moment,
) -> Result<Vec<Transfer>, Refusal> {
    let (after, mut transfers) = position.settled(now)?;
    let slashed = liable::settle_unbonding(unbonding, &after.validator);
    transfers.extend(moved(pools::unbonding(), Destination::Burned, slashed));
    *position = after;
    Ok(transfers)
}

/// Take `portion` off a settled position; returns what it was worth. The shares given up are rounded up, so that
/// those who stay do not pay for it.
fn depart(
    position: &mut Position,
    portion: Portion,
    params: &StakingParams,
) -> Result<NanoMeshx, Refusal> {
    if position.delegation.shares == 0 {
        return Err(Refusal::NoDelegation);
    }
    let available = position.worth();
    let (shares, amount) = match portion {
        Portion::Amount(amount) if amount == NanoMeshx::ZERO => return Err(Refusal::ZeroAmount),
        Portion::Amount(needed) if needed > available => {
            return Err(Refusal::InsufficientStake { available, needed });
        }
        Portion::Amount(amount) if amount < available => {
            (share::sold(&position.validator, amount)?, amount)
        }
        Portion::Amount(_) | Portion::All => (position.delegation.shares, available),
    };
    if let Some((locked, until)) = liable::locked(position)
        && shares > position.delegation.shares - locked
    {
        return Err(Refusal::Locked { until });
    }
    position.burn(shares, amount);
    let left = position.worth();
    if position.delegation.shares > 0 && left < params.delegator_min {
        return Err(Refusal::LeavesTooLittle { left, min: params.delegator_min });
    }
    Ok(amount)
}
