//! Ballots: where votes are kept, and how they follow stake.

use crate::scratch::{Scratch, Stop};
use types::{
    governance::{Ballot, ProposalId, ValidatorVotes},
    state::{BallotKey, Key, OpenProposals, Stake, VotesKey},
};

/// A voter's ballot behind one validator, and that validator's votes together.
pub(crate) fn keys(proposal: ProposalId, stake: Stake) -> (Key, Key) {
    let Stake { delegator, validator } = stake;
    (
        Key::Ballot(BallotKey { proposal, voter: delegator, validator }),
        Key::ValidatorVotes(VotesKey { proposal, validator }),
    )
}

/// Stake has changed: no ballot is of more shares than its voter has left. What governance's count relies on.
pub(crate) fn follow_stake(pad: &mut Scratch<'_>, stake: Stake, shares: u128) -> Result<(), Stop> {
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
