//! Stake: the records that one order needs, the rule of `staking` it asks for, and what follows.

use super::govern;
use crate::{
    Refusal,
    apply::BlockContext,
    earned,
    scratch::{Scratch, Stop},
};
use crypto::{VRF_PROOF_BYTES, VrfProof, VrfPublicKey, VrfSuite};
use staking::{Candidate, Moment, Portion, Position, Sources};
use types::{
    Address, Hash, NanoMeshx, PublicKey, Signature,
    codec::Encode,
    committee::{VrfProofBytes, VrfRecord, vrf_possession},
    staking::{
        BOND_DOMAIN, DelegationRecord, PeerAddresses, StakeOrder, Standing, UnbondingRecord,
        ValidatorRecord, bond_message,
    },
    state::{Backed, Key, Params, Stake, Transfer, Validators, pools},
};

pub(super) fn apply(
    pad: &mut Scratch<'_>,
    from: Address,
    order: &StakeOrder,
    context: &BlockContext,
) -> Result<(), Stop> {
    if context.chain.is_shard() {
        return Err(Refusal::NoStakeHere.into());
    }
    let params: Params = pad.expect(Key::Params)?;
    let rules = &params.staking;
    let now = Moment { height: context.height, at: context.timestamp };
    match order {
        StakeOrder::Bond { key, amount, commission_bps, proof } => {
            prove_key(key, &from, proof, context)?;
            let candidate =
                Candidate { operator: from, key: *key, commission_bps: *commission_bps };
            let known: Option<ValidatorRecord> = pad.get(Key::Validator(from))?;
            let owner: Option<Address> = pad.get(Key::ValidatorKey(*key))?;
            let (position, transfers) =
                staking::bond(candidate, *amount, known.as_ref(), owner, rules)?;
            let mut all: Validators = pad.get(Key::Validators)?.unwrap_or_default();
            all.push(from).map_err(|_| Refusal::TooManyValidators)?;
            pad.put(Key::Validators, &all);
            pad.put(Key::ValidatorKey(*key), &from);
            store(pad, &position)?;
            pad.transfer(&transfers)
        }
        StakeOrder::Delegate { validator, amount } => {
            let mut position = load(pad, from, *validator)?;
            let transfers = staking::delegate(&mut position, *amount, rules, now)?;
            store(pad, &position)?;
            pad.transfer(&transfers)
        }
        StakeOrder::Undelegate { validator, amount } => {
            let mut position = load(pad, from, *validator)?;
            let mut leaving = unbonding(pad, from, *validator)?;
            let transfers =
                staking::undelegate(&mut position, &mut leaving, portion(*amount), rules, now)?;
            pad.put(Key::Unbonding(Stake { delegator: from, validator: *validator }), &leaving);
            store(pad, &position)?;
            pad.transfer(&transfers)
        }
        StakeOrder::Redelegate { from: source, to, amount } => {
            let mut here = load(pad, from, *source)?;
            let mut there = load(pad, from, *to)?;
            let transfers =
                staking::redelegate(&mut here, &mut there, portion(*amount), rules, now)?;
            store(pad, &here)?;
            store(pad, &there)?;
            pad.transfer(&transfers)
        }
        StakeOrder::Withdraw { validator } => {
            let record = validator_record(pad, *validator)?;
            let mut leaving = unbonding(pad, from, *validator)?;
            let transfers = staking::withdraw(&mut leaving, &record, from, now)?;
            let stake = Stake { delegator: from, validator: *validator };
            if leaving == UnbondingRecord::default() {
                pad.forget(Key::Unbonding(stake));
            } else {
                pad.put(Key::Unbonding(stake), &leaving);
            }
            pad.transfer(&transfers)?;
            forget_if_gone(pad, stake)
        }
        StakeOrder::Claim { validator } => {
            let mut position = load(pad, from, *validator)?;
            let transfers = staking::claim(&mut position, now)?;
            store(pad, &position)?;
            let paid = from_rewards(&transfers);
            earned::count(pad, from, paid, |earned| &mut earned.rewards)?;
            pad.transfer(&transfers)
        }
        StakeOrder::ClaimCommission => {
            let mut record = validator_record(pad, from)?;
            let transfers = staking::claim_commission(&mut record, from)?;
            pad.put(Key::Validator(from), &record);
            let paid = from_rewards(&transfers);
            earned::count(pad, from, paid, |earned| &mut earned.commission)?;
            pad.transfer(&transfers)
        }
        StakeOrder::SetCommission { bps } => {
            let mut record = validator_record(pad, from)?;
            staking::set_commission(&mut record, from, *bps, rules, now)?;
            pad.put(Key::Validator(from), &record);
            Ok(())
        }
        StakeOrder::Unjail => {
            let mut record = validator_record(pad, from)?;
            staking::unjail(&mut record, from, rules, now)?;
            pad.put(Key::Validator(from), &record);
            Ok(())
        }
        StakeOrder::Announce { addresses } => announce(pad, from, addresses),
        StakeOrder::RegisterVrf { key, proof } => register_vrf(pad, from, key, proof, context),
    }
}

/// Only those who have something to lose are listed: whoever wants a thousand places needs a thousand stakes.
fn announce(pad: &mut Scratch<'_>, from: Address, addresses: &PeerAddresses) -> Result<(), Stop> {
    let record = validator_record(pad, from)?;
    if record.standing == Standing::Tombstoned {
        return Err(staking::Refusal::Tombstoned.into());
    }
    let readable = |text: &str| text.starts_with('/') && text.chars().all(|c| c.is_ascii_graphic());
    if !addresses.iter().all(|address| readable(address.as_str())) {
        return Err(Refusal::PeerAddress.into());
    }
    if addresses.is_empty() {
        pad.forget(Key::Peers(from));
    } else {
        pad.put(Key::Peers(from), addresses);
    }
    Ok(())
}

/// Refused are keys under which a proof proves nothing, and those that sign votes: both schemes make nonces of the same
/// secret alike, and one nonce under two challenges gives it away.
fn register_vrf(
    pad: &mut Scratch<'_>,
    from: Address,
    key: &Hash,
    proof: &VrfProofBytes,
    context: &BlockContext,
) -> Result<(), Stop> {
    let record = validator_record(pad, from)?;
    if record.standing == Standing::Tombstoned {
        return Err(staking::Refusal::Tombstoned.into());
    }
    let public = VrfPublicKey::new(key.0).map_err(|_| Refusal::BadVrfKey)?;
    let signs = PublicKey(key.0);
    if Address::of(&signs) == from || pad.get::<Address>(Key::ValidatorKey(signs))?.is_some() {
        return Err(Refusal::VrfKeySigns.into());
    }
    let alpha = vrf_possession(&context.network, &from);
    let proof = <&[u8; VRF_PROOF_BYTES]>::try_from(proof.as_slice()).ok();
    proof
        .and_then(|proof| VrfProof::from_bytes(proof).ok())
        .and_then(|proof| public.verify(VrfSuite::Ell2, &alpha.0, &proof).ok())
        .ok_or(Refusal::VrfKeyNotProved)?;
    pad.put(Key::Vrf(from), &VrfRecord { key: *key, registered: context.height });
    Ok(())
}

/// Whoever holds a consensus key says that `operator` may bond with it: nobody takes another's key.
fn prove_key(
    key: &PublicKey,
    operator: &Address,
    proof: &Signature,
    context: &BlockContext,
) -> Result<(), Refusal> {
    let message = bond_message(&context.network, operator);
    crypto::verify(&key.0, BOND_DOMAIN, &message, &proof.0).map_err(|_| Refusal::KeyNotProved)
}

fn portion(amount: Option<NanoMeshx>) -> Portion {
    amount.map_or(Portion::All, Portion::Amount)
}

fn from_rewards(transfers: &[Transfer]) -> NanoMeshx {
    let paid = transfers.iter().filter(|transfer| transfer.from == pools::rewards());
    paid.fold(NanoMeshx::ZERO, |sum, transfer| sum.saturating_add(transfer.amount))
}

fn validator_record(pad: &Scratch<'_>, operator: Address) -> Result<ValidatorRecord, Stop> {
    pad.get(Key::Validator(operator))?.ok_or_else(|| Refusal::UnknownValidator(operator).into())
}

fn unbonding(
    pad: &Scratch<'_>,
    delegator: Address,
    validator: Address,
) -> Result<UnbondingRecord, Stop> {
    Ok(pad.get(Key::Unbonding(Stake { delegator, validator }))?.unwrap_or_default())
}

/// What `delegator` has with `validator`, with the slashes that what came from elsewhere may owe for.
fn load(pad: &Scratch<'_>, delegator: Address, validator: Address) -> Result<Position, Stop> {
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
fn store(pad: &mut Scratch<'_>, position: &Position) -> Result<(), Stop> {
    let Position { delegator, validator, delegation, .. } = position;
    let stake = Stake { delegator: *delegator, validator: validator.operator };
    pad.put(Key::Validator(validator.operator), validator);
    govern::follow_stake(pad, stake, delegation.shares)?;
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
fn forget_if_gone(pad: &mut Scratch<'_>, stake: Stake) -> Result<(), Stop> {
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
