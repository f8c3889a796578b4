//! Positions: the records that orders work on, loaded and stored together.

use crate::{
    Refusal, ballots,
    scratch::{Scratch, Stop},
};
use staking::{Position, Sources};
use types::{
    Address,
    codec::Encode,
    staking::{DelegationRecord, UnbondingRecord, ValidatorRecord},
    state::{Backed, Key, Stake},
};

pub(super) fn validator_record(
    pad: &Scratch<'_>,
    operator: Address,
) -> Result<ValidatorRecord, Stop> {
    pad.get(Key::Validator(operator))?.ok_or_else(|| Refusal::UnknownValidator(operator).into())
}

pub(super) fn unbonding(
    pad: &Scratch<'_>,
    delegator: Address,
    validator: Address,
) -> Result<UnbondingRecord, Stop> {
    Ok(pad.get(Key::Unbonding(Stake { delegator, validator }))?.unwrap_or_default())
}

/// What `delegator` has with `validator`, with the slashes that what came from elsewhere may owe for.
pub(super) fn load(
    pad: &Scratch<'_>,
    delegator: Address,
    validator: Address,
) -> Result<Position, Stop> {
    let record = validator_record(pad, validator)?;
    let stake = Stake { delegator, validator };
    let delegation: DelegationRecord = pad.get(Key::Delegation(stake))?.unwrap_or_default();
    let mut sources = Sources::new();
    for arrival in delegation.arrivals.iter() {
        let source: ValidatorRecord = pad.expect(Key::Validator(arrival.from))?;
        sources.insert(arrival.from, source.slashes);
    }
    Ok(Position { delegator, validator: record, delegation, sources })
}

/// Store a position; keep the list of the validators its account has stake with.
pub(super) fn store(pad: &mut Scratch<'_>, position: &Position) -> Result<(), Stop> {
    let Position { delegator, validator, delegation, .. } = position;
    let stake = Stake { delegator: *delegator, validator: validator.operator };
    pad.put(Key::Validator(validator.operator), validator);
    ballots::follow_stake(pad, stake, delegation.shares)?;
    if *delegation == DelegationRecord::default() {
        pad.forget(Key::Delegation(stake));
        return forget_if_gone(pad, stake);
    }
    pad.put(Key::Delegation(stake), delegation);
    let mut backed: Backed = pad.get(Key::Backed(*delegator))?.unwrap_or_default();
    if !backed.iter().any(|known| *known == validator.operator) {
        backed.push(validator.operator).map_err(|_| Refusal::TooManyBacked)?;
        pad.put(Key::Backed(*delegator), &backed);
    }
    Ok(())
}

/// Take a validator off the list when nothing of the account is left with it.
pub(super) fn forget_if_gone(pad: &mut Scratch<'_>, stake: Stake) -> Result<(), Stop> {
    let here = pad.get::<DelegationRecord>(Key::Delegation(stake))?;
    let leaving = unbonding(pad, stake.delegator, stake.validator)?;
    if here.is_some() || leaving != UnbondingRecord::default() {
        return Ok(());
    }
    let mut backed: Backed = pad.get(Key::Backed(stake.delegator))?.unwrap_or_default();
    backed.retain(|known| *known != stake.validator);
    if backed.encode() == Backed::default().encode() {
        pad.forget(Key::Backed(stake.delegator));
    } else {
        pad.put(Key::Backed(stake.delegator), &backed);
    }
    Ok(())
}
