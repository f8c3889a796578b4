//! Vote: with all stake the sender has, behind each of its validators.

use super::handler::{
    Address, BlockContext, CheckedTx, Fee, Handler, Home, Key, Refusal, Scratch, Stop, cost,
};
use crate::ballots;
use types::{
    governance::{Ballot, Proposal, ProposalId, ValidatorVotes, VoteOption},
    staking::DelegationRecord,
    state::{Backed, Event, Stake},
};

pub(super) struct Vote<'a> {
    pub(super) proposal: &'a ProposalId,
    pub(super) option: &'a VoteOption,
}

impl Handler for Vote<'_> {
    const HOME: Home = Home::Backbone { elsewhere: Refusal::NoStakeHere };
    const FEE: Fee = Fee::Gas;

    fn keys(&self, _: Address) -> impl IntoIterator<Item = Key> {
        [Key::Proposal(*self.proposal)]
    }

    fn gas(&self) -> u64 {
        cost::RULE
    }

    fn apply(&self, pad: &mut Scratch<'_>, tx: &CheckedTx, at: &BlockContext) -> Result<(), Stop> {
        let (from, id, option) = (tx.from(), *self.proposal, *self.option);
        let proposal: Option<Proposal> = pad.get(Key::Proposal(id))?;
        let proposal = proposal.ok_or(Refusal::UnknownProposal(id))?;
        governance::check_open(&proposal, at.timestamp)?;
        let backed: Backed = pad.get(Key::Backed(from))?.unwrap_or_default();
        let mut voted = false;
        for validator in backed.iter() {
            let stake = Stake { delegator: from, validator: *validator };
            let delegation: DelegationRecord = pad.get(Key::Delegation(stake))?.unwrap_or_default();
            if delegation.shares == 0 {
                continue;
            }
            let (ballot, votes) = ballots::keys(id, stake);
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
}
