//! Propose, Vote and Relay: decisions are asked for, voted on, and brought to shards.

use crate::{
    Refusal,
    apply::BlockContext,
    decrees, proved,
    scratch::{Scratch, Stop},
};
use types::{
    Address, Relayed, Text,
    governance::{Ballot, Decree, Proposal, ProposalId, ProposalKind, ValidatorVotes, VoteOption},
    staking::DelegationRecord,
    state::{
        Backed, BallotKey, Event, Key, OPEN_PROPOSALS_MAX, OpenProposals, Params, Stake, VotesKey,
    },
};

pub(super) fn propose(
    pad: &mut Scratch<'_>,
    from: Address,
    title: &Text<120>,
    kind: &ProposalKind,
    context: &BlockContext,
) -> Result<(), Stop> {
    if context.chain.is_shard() {
        return Err(Refusal::NoStakeHere.into());
    }
    let params: Params = pad.expect(Key::Params)?;
    let id = pad.get::<u64>(Key::ProposalCount)?.unwrap_or(0) + 1;
    let mut open: OpenProposals = pad.get(Key::OpenProposals)?.unwrap_or_default();
    // The last place is an emergency's: nobody shuts a pause out with proposals of other kinds.
    if !governance::is_emergency(kind) && open.len() + 1 >= OPEN_PROPOSALS_MAX {
        return Err(Refusal::TooManyProposals.into());
    }
    open.push(id).map_err(|_| Refusal::TooManyProposals)?;
    let (title, kind, now) = (title.clone(), kind.clone(), context.timestamp);
    let (proposal, transfers) = governance::submit(id, from, title, kind, now, &params)?;
    pad.put(Key::ProposalCount, &id);
    pad.put(Key::OpenProposals, &open);
    pad.put(Key::Proposal(id), &proposal);
    pad.emit(Event::Proposal { proposal: id });
    pad.transfer(&transfers)
}

pub(super) fn vote(
    pad: &mut Scratch<'_>,
    from: Address,
    id: ProposalId,
    option: VoteOption,
    context: &BlockContext,
) -> Result<(), Stop> {
    if context.chain.is_shard() {
        return Err(Refusal::NoStakeHere.into());
    }
    let proposal: Option<Proposal> = pad.get(Key::Proposal(id))?;
    let proposal = proposal.ok_or(Refusal::UnknownProposal(id))?;
    governance::check_open(&proposal, context.timestamp)?;
    let backed: Backed = pad.get(Key::Backed(from))?.unwrap_or_default();
    let mut voted = false;
    for validator in backed.iter() {
        let stake = Stake { delegator: from, validator: *validator };
        let delegation: DelegationRecord = pad.get(Key::Delegation(stake))?.unwrap_or_default();
        if delegation.shares == 0 {
            continue;
        }
        let (ballot, votes) = keys(id, stake);
        let before: Option<Ballot> = pad.get(ballot)?;
        let mut all: ValidatorVotes = pad.get(votes)?.unwrap_or_default();
        let cast =
            governance::cast(&mut all, before, delegation.shares, option, from == *validator)?;
        pad.put(ballot, &cast);
        pad.put(votes, &all);
        voted = true;
    }
    if !voted {
        return Err(governance::Refusal::NoStake.into());
    }
    pad.emit(Event::Proposal { proposal: id });
    Ok(())
}

fn keys(proposal: ProposalId, stake: Stake) -> (Key, Key) {
    let Stake { delegator, validator } = stake;
    (
        Key::Ballot(BallotKey { proposal, voter: delegator, validator }),
        Key::ValidatorVotes(VotesKey { proposal, validator }),
    )
}

/// Stake has changed: no ballot is of more shares than its voter has left. What governance's count relies on.
pub(super) fn follow_stake(pad: &mut Scratch<'_>, stake: Stake, shares: u128) -> Result<(), Stop> {
    let open: OpenProposals = pad.get(Key::OpenProposals)?.unwrap_or_default();
    for id in open.iter() {
        let (ballot, votes) = keys(*id, stake);
        let Some(mut all) = pad.get::<ValidatorVotes>(votes)? else { continue };
        let Some(before) = pad.get::<Ballot>(ballot)? else { continue };
        let is_operator = stake.delegator == stake.validator;
        match governance::shrink(&mut all, before, shares, is_operator) {
            Some(after) if after == before => continue,
            Some(after) => pad.put(ballot, &after),
            None => pad.forget(ballot),
        }
        pad.put(votes, &all);
    }
    Ok(())
}

/// A decree is what the backbone's committee signed, or it is not taken.
pub(super) fn relay(
    pad: &mut Scratch<'_>,
    relayed: &Relayed<Decree>,
    context: &BlockContext,
) -> Result<(), Stop> {
    if !context.chain.is_shard() {
        return Err(Refusal::OwnDecree.into());
    }
    let decree = &relayed.proved.record;
    // Before any curve is touched: the number, so that the same is not judged twice.
    decrees::learn(pad, decree, context)?;
    Ok(proved::check(relayed, &Key::Decree(decree.number), context)?)
}
