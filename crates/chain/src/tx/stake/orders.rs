//! Orders that move stake: each loads a position, asks the rule of `staking`, stores what changed and posts what is paid.

use super::position::{forget_if_gone, load, store, unbonding, validator_record};
use crate::{
    Refusal,
    apply::BlockContext,
    checks, earned,
    scratch::{Scratch, Stop},
};
use staking::{Candidate, Moment, Portion};
use types::{
    Address, NanoMeshx, PublicKey, Signature,
    staking::{BOND_DOMAIN, StakingParams, UnbondingRecord, ValidatorRecord, bond_message},
    state::{Key, Stake, Transfer, Validators, pools},
};

/// Who orders, under which rules, and when.
pub(super) struct Order<'a> {
    pub(super) from: Address,
    pub(super) rules: &'a StakingParams,
    pub(super) now: Moment,
}

/// Become a validator. The consensus key signs that `from` may bond with it, so nobody takes another's key.
pub(super) fn bond(
    pad: &mut Scratch<'_>,
    Order { from, rules, .. }: Order<'_>,
    (key, proof): (&PublicKey, &Signature),
    (amount, commission_bps): (NanoMeshx, u16),
    at: &BlockContext,
) -> Result<(), Stop> {
    let message = bond_message(&at.network, &from);
    // The message names the sender: a proof that was seen on the chain is of no use to another account.
    checks::signature(pad.gas(), key, BOND_DOMAIN, &message, proof)
        .map_err(|_| Refusal::KeyNotProved)?;
    let candidate = Candidate { operator: from, key: *key, commission_bps };
    let known: Option<ValidatorRecord> = pad.get(Key::Validator(from))?;
    let owner: Option<Address> = pad.get(Key::ValidatorKey(*key))?;
    let (position, transfers) = staking::bond(candidate, amount, known.as_ref(), owner, rules)?;
    let mut all: Validators = pad.get(Key::Validators)?.unwrap_or_default();
    all.push(from).map_err(|_| Refusal::TooManyValidators)?;
    pad.put(Key::Validators, &all);
    pad.put(Key::ValidatorKey(*key), &from);
    store(pad, &position)?;
    pad.transfer(&transfers)
}

pub(super) fn delegate(
    pad: &mut Scratch<'_>,
    Order { from, rules, now }: Order<'_>,
    validator: Address,
    amount: NanoMeshx,
) -> Result<(), Stop> {
    let mut position = load(pad, from, validator)?;
    let transfers = staking::delegate(&mut position, amount, rules, now)?;
    store(pad, &position)?;
    pad.transfer(&transfers)
}

pub(super) fn undelegate(
    pad: &mut Scratch<'_>,
    Order { from, rules, now }: Order<'_>,
    validator: Address,
    portion: Portion,
) -> Result<(), Stop> {
    let mut position = load(pad, from, validator)?;
    let mut leaving = unbonding(pad, from, validator)?;
    let transfers = staking::undelegate(&mut position, &mut leaving, portion, rules, now)?;
    pad.put(Key::Unbonding(Stake { delegator: from, validator }), &leaving);
    store(pad, &position)?;
    pad.transfer(&transfers)
}

pub(super) fn redelegate(
    pad: &mut Scratch<'_>,
    Order { from, rules, now }: Order<'_>,
    (source, to): (Address, Address),
    portion: Portion,
) -> Result<(), Stop> {
    let mut here = load(pad, from, source)?;
    let mut there = load(pad, from, to)?;
    let transfers = staking::redelegate(&mut here, &mut there, portion, rules, now)?;
    store(pad, &here)?;
    store(pad, &there)?;
    pad.transfer(&transfers)
}

pub(super) fn withdraw(
    pad: &mut Scratch<'_>,
    Order { from, now, .. }: Order<'_>,
    validator: Address,
) -> Result<(), Stop> {
    let record = validator_record(pad, validator)?;
    let mut leaving = unbonding(pad, from, validator)?;
    let transfers = staking::withdraw(&mut leaving, &record, from, now)?;
    let stake = Stake { delegator: from, validator };
    if leaving == UnbondingRecord::default() {
        pad.forget(Key::Unbonding(stake));
    } else {
        pad.put(Key::Unbonding(stake), &leaving);
    }
    pad.transfer(&transfers)?;
    forget_if_gone(pad, stake)
}

pub(super) fn claim(
    pad: &mut Scratch<'_>,
    Order { from, now, .. }: Order<'_>,
    validator: Address,
) -> Result<(), Stop> {
    let mut position = load(pad, from, validator)?;
    let transfers = staking::claim(&mut position, now)?;
    store(pad, &position)?;
    let paid = from_rewards(&transfers);
    earned::count(pad, from, paid, |earned| &mut earned.rewards)?;
    pad.transfer(&transfers)
}

pub(super) fn claim_commission(pad: &mut Scratch<'_>, from: Address) -> Result<(), Stop> {
    let mut record = validator_record(pad, from)?;
    let transfers = staking::claim_commission(&mut record, from)?;
    pad.put(Key::Validator(from), &record);
    let paid = from_rewards(&transfers);
    earned::count(pad, from, paid, |earned| &mut earned.commission)?;
    pad.transfer(&transfers)
}

pub(super) fn set_commission(
    pad: &mut Scratch<'_>,
    Order { from, rules, now }: Order<'_>,
    bps: u16,
) -> Result<(), Stop> {
    let mut record = validator_record(pad, from)?;
    staking::set_commission(&mut record, from, bps, rules, now)?;
    pad.put(Key::Validator(from), &record);
    Ok(())
}

pub(super) fn unjail(
    pad: &mut Scratch<'_>,
    Order { from, rules, now }: Order<'_>,
) -> Result<(), Stop> {
    let mut record = validator_record(pad, from)?;
    staking::unjail(&mut record, from, rules, now)?;
    pad.put(Key::Validator(from), &record);
    Ok(())
}

fn from_rewards(transfers: &[Transfer]) -> NanoMeshx {
    let paid = transfers.iter().filter(|transfer| transfer.from == pools::rewards());
    paid.fold(NanoMeshx::ZERO, |sum, transfer| sum.saturating_add(transfer.amount))
}
