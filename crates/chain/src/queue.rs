//! The compute queue: jobs that wait for their beacon, and reminders for later heights.

use crate::{
    Refusal,
    apply::BlockContext,
    effects,
    scratch::{Scratch, Stop},
};
use jobs::{Input, TRIES_PER_REPLICA};
use types::{
    Address, Beacon, Height, JobId,
    state::{Due, Heights, JobRecord, Key, Params, Phase, Queued, Terms, WorkerRecord},
};

/// How many heights after the wanted one a reminder may move to when that one is full.
const REMINDER_SLACK: u64 = 64;

/// Put `job` among those that the beacon of this block's round will draw for.
pub(crate) fn enqueue(
    pad: &mut Scratch<'_>,
    job: &JobId,
    context: &BlockContext,
) -> Result<(), Stop> {
    if !await_beacon(pad, context)? {
        return Err(Refusal::Busy.into());
    }
    let here = Key::Queued(context.height);
    let mut queued: Queued = pad.expect(here)?;
    queued.jobs.push(*job).map_err(|_| Refusal::Busy)?;
    pad.put(here, &queued);
    Ok(())
}

/// Ask for this round's beacon, with or without jobs. `false`: as many are awaited as may be.
pub(crate) fn await_beacon(pad: &mut Scratch<'_>, context: &BlockContext) -> Result<bool, Stop> {
    let here = Key::Queued(context.height);
    if pad.get::<Queued>(here)?.is_some() {
        return Ok(true);
    }
    let mut heights: Heights = pad.get(Key::Queue)?.unwrap_or_default();
    if heights.push(context.height).is_err() {
        return Ok(false);
    }
    let queued = Queued { term: context.term, view: context.view, jobs: Due::default() };
    pad.put(Key::Queue, &heights);
    pad.put(here, &queued);
    Ok(true)
}

/// Take the jobs that `beacon` draws for. It must be of the oldest height that has any.
pub(crate) fn open(
    pad: &mut Scratch<'_>,
    beacon: &Beacon,
    context: &BlockContext,
) -> Result<Vec<JobId>, Stop> {
    let mut heights: Heights = pad.get(Key::Queue)?.unwrap_or_default();
    let key = Key::Queued(beacon.height);
    // The oldest height and exactly its round: a proposer can delay a draw, but cannot choose among several seeds (ADR
    // 4). The beacon of this very block does not exist while it is built.
    let oldest =
        heights.as_slice().first() == Some(&beacon.height) && beacon.height < context.height;
    let queued = if oldest { pad.get::<Queued>(key)? } else { None };
    let Some(queued) = queued.filter(|q| q.term == beacon.term && q.view == beacon.view) else {
        return Err(Refusal::WrongBeacon(beacon.height).into());
    };
    heights.retain(|height| *height != beacon.height);
    pad.put(Key::Queue, &heights);
    pad.forget(key);
    Ok(queued.jobs.into_vec())
}

/// Draw workers for `job`; when too few will have it, let it wait for this block's beacon.
pub(crate) fn draw(
    pad: &mut Scratch<'_>,
    beacon: &Beacon,
    job: &JobId,
    context: &BlockContext,
) -> Result<(), Stop> {
    let record: JobRecord = pad.expect(Key::Job(*job))?;
    // It was cancelled or its deadline came while it waited for its beacon.
    if record.phase != Phase::Queued {
        return Ok(());
    }
    let replicas = usize::from(record.submission.agreement.replicas);
    let workers: u32 = pad.get(Key::WorkerCount)?.unwrap_or(0);
    let mut drawn: Vec<(Address, Terms)> = Vec::with_capacity(replicas);
    let params: Params = pad.expect(Key::Params)?;
    // With fewer workers than replicas no number of tries can succeed.
    if usize::try_from(workers).is_ok_and(|count| count >= replicas) {
        for (index, threshold) in
            jobs::tries(beacon, job, workers).take(replicas * TRIES_PER_REPLICA)
        {
            let address: Address = pad.expect(Key::WorkerAt(index))?;
            let worker: WorkerRecord = pad.expect(Key::Worker(address))?;
            let free = jobs::eligible(&address, &worker, &record, &params).is_ok();
            // A worker that runs two replicas of one job would agree with itself.
            let taken = drawn.iter().any(|(other, _)| *other == address);
            if free && !taken && jobs::accepts(&worker, threshold) {
                drawn.push((address, Terms { reputation: worker.reputation, floor: worker.floor }));
                if drawn.len() == replicas {
                    return effects::advance(pad, job, record, Input::Drawn(drawn), context);
                }
            }
        }
    }
    match enqueue(pad, job, context) {
        // The queue is full: the job keeps its money and ends at its deadline.
        Err(Stop::Refused(Refusal::Busy)) => Ok(()),
        other => other,
    }
}

/// Take the jobs whose reminder falls due in this block.
pub(crate) fn take_due(pad: &mut Scratch<'_>, context: &BlockContext) -> Result<Vec<JobId>, Stop> {
    let key = Key::Due(context.height);
    let Some(due) = pad.get::<Due>(key)? else { return Ok(Vec::new()) };
    pad.forget(key);
    Ok(due.into_vec())
}

/// Look at `job` again at height `at`, or at most [`REMINDER_SLACK`] blocks later.
///
/// # Errors
/// [`Refusal::Busy`] when all of those are full.
pub(crate) fn remind(pad: &mut Scratch<'_>, job: &JobId, at: Height) -> Result<(), Stop> {
    // A record holds so many due jobs and no more, which bounds what one block must look at. A crowded height hands the
    // rest to the next ones.
    for height in at.get()..at.get().saturating_add(REMINDER_SLACK) {
        let key = Key::Due(Height::new(height));
        let mut due: Due = pad.get(key)?.unwrap_or_default();
        if due.iter().any(|known| known == job) {
            return Ok(());
        }
        if due.push(*job).is_ok() {
            pad.put(key, &due);
            return Ok(());
        }
    }
    Err(Refusal::Busy.into())
}
