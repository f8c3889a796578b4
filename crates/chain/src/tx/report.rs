//! Report: a proof that a validator signed two votes that contradict each other costs it a part of its stake.

use crate::{
    Refusal,
    apply::BlockContext,
    epoch::VIEWS_PER_NOTE,
    scratch::{Scratch, Stop},
};
use staking::{Moment, Offence};
use types::{
    Address, DoubleSigning, Epoch,
    staking::{Fault, ValidatorRecord},
    state::{Key, Params, ViewStep, ViewTime},
};

pub(super) fn apply(
    pad: &mut Scratch<'_>,
    evidence: &DoubleSigning,
    context: &BlockContext,
) -> Result<(), Stop> {
    if context.chain.is_shard() {
        return Err(Refusal::NoStakeHere.into());
    }
    // A shard's views were at times that this chain does not know yet.
    let vote = &evidence.first;
    if vote.chain != context.chain {
        return Err(Refusal::ForeignEvidence(vote.chain).into());
    }
    let operator: Option<Address> = pad.get(Key::ValidatorKey(evidence.key))?;
    let operator = operator.ok_or(Refusal::UnknownKey)?;
    receipt::check_double_signing(evidence, &context.network)?;
    if (vote.epoch, vote.view) > (context.epoch, context.view) {
        return Err(Refusal::UnknownView(vote.view).into());
    }
    // Views are noted in steps. Stake answers from the block before the vote on, and the evidence is as young as
    // the block after it: neither rounding helps who signed.
    let step = vote.view / VIEWS_PER_NOTE;
    let note = |epoch, step| Key::ViewTime(ViewStep { epoch, step });
    let before: Option<ViewTime> = pad.get(note(vote.epoch, step))?;
    let height = before.ok_or(Refusal::UnknownView(vote.view))?.height;
    let mut after: Option<ViewTime> = pad.get(note(vote.epoch, step + 1))?;
    if after.is_none() {
        // The last views of a term: they were over when the next one began.
        after = pad.get(note(Epoch::new(vote.epoch.get().saturating_add(1)), 0))?;
    }
    let at = after.map_or(context.timestamp, |note| note.at);
    let mut record: ValidatorRecord = pad.expect(Key::Validator(operator))?;
    let params: Params = pad.expect(Key::Params)?;
    let now = Moment { height: context.height, at: context.timestamp };
    let offence = Offence { fault: Fault::DoubleSigning, height, at };
    let transfers = staking::slash(&mut record, offence, &params.staking, now)?;
    pad.put(Key::Validator(operator), &record);
    pad.transfer(&transfers)
}
