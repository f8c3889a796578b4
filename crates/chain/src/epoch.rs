//! What the protocol does by itself: it mints in every block of the backbone, and at a boundary it shares out
//! rewards and chooses a committee.

use crate::{
    apply::BlockContext,
    scratch::{Scratch, Stop},
};
use ledger::Emission;
use staking::Moment;
use types::{
    Address, Height, List, NanoMeshx, Schedule,
    network::VALIDATORS_MAX,
    staking::ValidatorRecord,
    state::{
        CommitteeRecord, CommitteeSeat, Destination, Key, Params, Transfer, Validators, ViewStep,
        ViewTime, pools,
    },
};

/// Views between two notes of when they were.
pub const VIEWS_PER_NOTE: u64 = 256;

/// Most notes one block writes, when many views went by without a block.
const NOTES_MAX: u64 = 64;

/// Mint what this height mints: a part for validators, the rest for providers.
pub(crate) fn mint(
    pad: &mut Scratch<'_>,
    schedule: &Schedule,
    context: &BlockContext,
) -> Result<(), Stop> {
    if schedule.steps.is_empty() {
        return Ok(());
    }
    let emission = Emission::new(schedule.clone(), types::SUPPLY_MAX)
        .expect("genesis was checked when it was written");
    // Block 1 is the first that mints, so that a chain at height h has minted what h blocks do.
    let reward = emission.reward(context.height.saturating_sub(Height::new(1)));
    if reward == NanoMeshx::ZERO {
        return Ok(());
    }
    let params: Params = pad.expect(Key::Params)?;
    let part = u128::from(reward.get()) * u128::from(params.emission_validators_bps.min(10_000));
    let validators = NanoMeshx::new(u64::try_from(part / 10_000).expect("a part of the reward"));
    let providers = reward.saturating_sub(validators);
    pad.mint(pools::validators(), validators)?;
    pad.mint(pools::providers(), providers)
}

/// Whether the block at `height` is a boundary.
pub fn is_boundary(height: Height, params: &Params) -> bool {
    height.get().is_multiple_of(params.epoch_blocks.max(1))
}

/// At a boundary of the backbone: share the validators' pool out by stake, then choose who is next.
pub(crate) fn boundary(pad: &mut Scratch<'_>, context: &BlockContext) -> Result<(), Stop> {
    let params: Params = pad.expect(Key::Params)?;
    if !is_boundary(context.height, &params) || context.chain.is_shard() {
        return Ok(());
    }
    let known: Validators = pad.get(Key::Validators)?.unwrap_or_default();
    let mut records: Vec<ValidatorRecord> = Vec::with_capacity(known.len());
    for operator in known.iter() {
        records.push(pad.expect(Key::Validator(*operator))?);
    }
    let seats = u16::try_from(VALIDATORS_MAX).expect("a hundred");
    let seated = staking::committee(&records, seats, &params.staking);
    share_out(pad, &seated, context)?;
    // Nobody qualifies: the last committee goes on, for blocks need somebody to make them.
    if seated.is_empty() {
        return Ok(());
    }
    let seats = seated
        .into_iter()
        .map(|m| CommitteeSeat { operator: m.operator, key: m.key, tokens: m.tokens })
        .collect();
    let seats = List::new(seats).expect("at most as many as there are seats");
    pad.put(Key::Committee, &CommitteeRecord { chosen: context.height, seats });
    Ok(())
}

fn share_out(
    pad: &mut Scratch<'_>,
    seated: &[staking::Member],
    context: &BlockContext,
) -> Result<(), Stop> {
    let pool = pools::validators();
    let total = pad.account(pool)?.balance;
    let weights: Vec<(Address, NanoMeshx)> =
        seated.iter().map(|member| (member.operator, member.tokens)).collect();
    if total == NanoMeshx::ZERO || weights.is_empty() {
        return Ok(());
    }
    let (parts, rest) = staking::divide(total, &weights);
    let mut kept = rest;
    for (operator, part) in parts {
        if part == NanoMeshx::ZERO {
            continue;
        }
        let mut validator: ValidatorRecord = pad.expect(Key::Validator(operator))?;
        let now = Moment { height: context.height, at: context.timestamp };
        match staking::distribute(&mut validator, part, pool, now) {
            Ok(transfers) => {
                pad.put(Key::Validator(operator), &validator);
                pad.transfer(&transfers)?;
            }
            // A count that is full takes no more; nothing of it is lost.
            Err(_) => kept = kept.saturating_add(part),
        }
    }
    if kept > NanoMeshx::ZERO {
        let to = Destination::Account(pools::treasury());
        pad.transfer(&[Transfer { from: pool, to, amount: kept }])?;
    }
    Ok(())
}

/// Note when this block's view was: evidence names a view, and its age must not be the accuser's word.
pub(crate) fn note_view(pad: &mut Scratch<'_>, context: &BlockContext) -> Result<(), Stop> {
    if context.chain.is_shard() {
        return Ok(());
    }
    let newest = context.view / VIEWS_PER_NOTE;
    let key = |step| Key::ViewTime(ViewStep { epoch: context.epoch, step });
    let note = ViewTime { height: context.height, at: context.timestamp };
    for step in (newest.saturating_sub(NOTES_MAX)..=newest).rev() {
        if pad.get::<ViewTime>(key(step))?.is_some() {
            break;
        }
        pad.put(key(step), &note);
    }
    Ok(())
}
