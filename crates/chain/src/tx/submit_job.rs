//! SubmitJob: put the most a job can cost into escrow and queue it for the draw, or answer it from
//! the result cache at once.

use crate::{
    Refusal,
    apply::BlockContext,
    effects, queue,
    scratch::{Scratch, Stop},
};
use jobs::Input;
use types::{
    Address, JobId, Submission,
    state::{
        Destination, Event, JobRecord, Key, Market, Params, Phase, Settlement, Transfer, cache_key,
        pools,
    },
};

pub(super) fn apply(
    pad: &mut Scratch<'_>,
    from: Address,
    id: JobId,
    submission: &Submission,
    context: &BlockContext,
) -> Result<(), Stop> {
    if !context.chain.is_shard() {
        return Err(Refusal::NoJobsHere.into());
    }
    let params: Params = pad.expect(Key::Params)?;
    let market: Market = pad.expect(Key::Market)?;
    if context.timestamp < market.paused_until {
        return Err(Refusal::IntakePaused { until: market.paused_until }.into());
    }
    jobs::check(submission, market.demand, &params, context.height)?;
    pad.transfer(&[Transfer {
        from,
        to: Destination::Account(pools::escrow()),
        amount: submission.price_max,
    }])?;
    let record = JobRecord {
        payer: from,
        submission: submission.clone(),
        submitted: context.height,
        demand: market.demand,
        phase: Phase::Queued,
    };
    if let Some((job, settlement)) = cached(pad, submission)? {
        return effects::advance(pad, &id, record, Input::CacheHit { job, settlement }, context);
    }
    pad.put(Key::Job(id), &record);
    queue::enqueue(pad, &id, context)?;
    queue::remind(pad, &id, submission.deadline)?;
    pad.emit(Event::Job { job: id, phase: Phase::Queued });
    Ok(())
}

/// An equal job's settlement, if it was agreed at least as broadly as this one asks.
fn cached(pad: &Scratch<'_>, submission: &Submission) -> Result<Option<(JobId, Settlement)>, Stop> {
    if submission.fresh {
        return Ok(None);
    }
    let Some(job) = pad.get::<JobId>(Key::Cached(cache_key(&submission.spec)))? else {
        return Ok(None);
    };
    let known: JobRecord = pad.expect(Key::Job(job))?;
    let Phase::Settled(settlement) = known.phase else { return Ok(None) };
    Ok((settlement.agreed >= submission.agreement.agree).then_some((job, settlement)))
}
