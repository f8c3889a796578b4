//! What the protocol does by itself: it mints in every block of the backbone, and at a boundary it shares out rewards.

use crate::{
    apply::BlockContext,
    scratch::{Scratch, Stop},
    seats,
    term::term_of,
};
use ledger::Emission;
use staking::{Contender, Moment};
use std::collections::BTreeSet;
use types::{
    Address, Height, NanoMeshx, PublicKey, Schedule,
    network::Genesis,
    staking::ValidatorRecord,
    state::{Destination, Key, Params, TermRecord, Transfer, ViewStep, ViewTime, pools},
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
    // Rounded down, and the rest to providers: the two parts are exactly the reward, with any rounding.
    let validators = NanoMeshx::new(u64::try_from(part / 10_000).expect("a part of the reward"));
    let providers = reward.saturating_sub(validators);
    pad.mint(pools::validators(), validators)?;
    pad.mint(pools::providers(), providers)
}

/// Whether the block at `height` is a boundary.
pub fn is_boundary(height: Height, params: &Params) -> bool {
    height.get().is_multiple_of(params.epoch_blocks.max(1))
}

/// At a boundary of the backbone: share the validators' pool out among those who sat.
///
/// By what makes their expectation follow stake: a seat that lots decided counts alike for all who won one, for a lot wins by
/// stake; a seat that was certain counts by its stake.
pub(crate) fn boundary(
    pad: &mut Scratch<'_>,
    genesis: &Genesis,
    context: &BlockContext,
) -> Result<(), Stop> {
    let params: Params = pad.expect(Key::Params)?;
    if !is_boundary(context.height, &params) || context.chain.is_shard() {
        return Ok(());
    }
    let sat = sat(pad, genesis, context)?;
    let chain = context.chain;
    // Also those without a seat: the weight of a seat is its stake divided by its chance, and a chance depends on all
    // who could have had one (ADR 16).
    let contenders: Vec<Contender> = seats::candidates(pad, None, &params, context)?
        .into_iter()
        .filter(|one| sat.contains(&one.contender.key) || seats::may_sit(one, chain, &params))
        .map(|candidate| candidate.contender)
        .collect();
    let seats = seats::seats_max(chain, &params);
    let weights = staking::seat_weights(&contenders, seats, &params.sortition)
        .expect("validators have no more at stake than there is");
    let weights: Vec<(Address, NanoMeshx)> = contenders
        .iter()
        .zip(weights)
        .filter(|(contender, _)| sat.contains(&contender.key))
        .map(|(contender, weight)| (contender.operator, weight))
        .collect();
    share_out(pad, &weights, context)
}

/// The keys of the committee whose term the last block was in.
fn sat(
    pad: &Scratch<'_>,
    genesis: &Genesis,
    context: &BlockContext,
) -> Result<BTreeSet<PublicKey>, Stop> {
    let last = context.height.saturating_sub(Height::new(1));
    let term: Option<TermRecord> = pad.get(Key::Term(term_of(last, genesis.term_blocks)))?;
    Ok(term.iter().flat_map(|term| term.keys.iter()).copied().collect())
}

fn share_out(
    pad: &mut Scratch<'_>,
    weights: &[(Address, NanoMeshx)],
    context: &BlockContext,
) -> Result<(), Stop> {
    let pool = pools::validators();
    let total = pad.account(pool)?.balance;
    if total == NanoMeshx::ZERO || weights.is_empty() {
        return Ok(());
    }
    let (parts, rest) = staking::divide(total, weights);
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

/// Note when this block's view was: an equivocation proof names a view, and its age must not be the accuser's word.
pub(crate) fn note_view(pad: &mut Scratch<'_>, context: &BlockContext) -> Result<(), Stop> {
    if context.chain.is_shard() {
        return Ok(());
    }
    let newest = context.view / VIEWS_PER_NOTE;
    let key = |step| Key::ViewTime(ViewStep { term: context.term, step });
    let note = ViewTime { height: context.height, at: context.timestamp };
    // Backwards to the last note that is there: only steps that went by without a block are missing.
    for step in (newest.saturating_sub(NOTES_MAX)..=newest).rev() {
        if pad.get::<ViewTime>(key(step))?.is_some() {
            break;
        }
        pad.put(key(step), &note);
    }
    Ok(())
}
