//! Report: a proof that a validator signed two votes that contradict each other costs it a part of its stake.

use super::handler::{
    Address, BlockContext, CheckedTx, Fee, Handler, Home, Key, Refusal, Scratch, Stop, cost,
};
use crate::{checks, epoch::VIEWS_PER_NOTE};
use staking::{Moment, Offence};
use types::{
    EquivocationProof, SignedVote, Term,
    staking::{Fault, ValidatorRecord},
    state::{Params, ViewStep, ViewTime},
};

pub(super) struct Report<'a>(pub(super) &'a EquivocationProof);

impl Handler for Report<'_> {
    const HOME: Home = Home::Backbone { elsewhere: Refusal::NoStakeHere };
    const FEE: Fee = Fee::Gas;

    fn keys(&self, _: Address) -> impl IntoIterator<Item = Key> {
        [Key::ValidatorKey(self.0.key)]
    }

    fn gas(&self) -> u64 {
        cost::RULE
    }

    fn apply(&self, pad: &mut Scratch<'_>, _: &CheckedTx, at: &BlockContext) -> Result<(), Stop> {
        let proof = self.0;
        // A shard's views were at times that this chain does not know yet.
        let vote = &proof.first;
        if vote.chain != at.chain {
            return Err(Refusal::ForeignEquivocation(vote.chain).into());
        }
        // Before two signatures are checked: whether there is anybody to slash.
        let operator: Option<Address> = pad.get(Key::ValidatorKey(proof.key))?;
        let operator = operator.ok_or(Refusal::UnknownKey)?;
        checks::equivocation(pad.gas(), proof, &at.network)?;
        let offence = offence(pad, vote, at)?;
        let mut record: ValidatorRecord = pad.expect(Key::Validator(operator))?;
        let params: Params = pad.expect(Key::Params)?;
        let now = Moment { height: at.height, at: at.timestamp };
        let transfers = staking::slash(&mut record, offence, &params.staking, now)?;
        pad.put(Key::Validator(operator), &record);
        pad.transfer(&transfers)
    }
}

/// When the vote was cast. Views are noted in steps. Stake answers from the block before the vote on, and the proof is as
/// young as the block after it: neither rounding helps who signed.
fn offence(pad: &Scratch<'_>, vote: &SignedVote, at: &BlockContext) -> Result<Offence, Stop> {
    if (vote.term, vote.view) > (at.term, at.view) {
        return Err(Refusal::UnknownView(vote.view).into());
    }
    let step = vote.view / VIEWS_PER_NOTE;
    let note = |term, step| Key::ViewTime(ViewStep { term, step });
    let before: Option<ViewTime> = pad.get(note(vote.term, step))?;
    let height = before.ok_or(Refusal::UnknownView(vote.view))?.height;
    let mut after: Option<ViewTime> = pad.get(note(vote.term, step + 1))?;
    if after.is_none() {
        // The last views of a term: they were over when the next one began.
        after = pad.get(note(Term::new(vote.term.get().saturating_add(1)), 0))?;
    }
    let at = after.map_or(at.timestamp, |note| note.at);
    Ok(Offence { fault: Fault::DoubleSigning, height, at })
}
