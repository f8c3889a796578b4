//! The compute queue: jobs that wait for their beacon, and reminders for later heights.

use crate::{
    Refusal,
    apply::BlockContext,
    effects, gas, places,
    scratch::{Scratch, Stop},
};
use jobs::{Input, TRIES_PER_REPLICA};
use std::collections::BTreeSet;
use types::{
    Address, Beacon, Height, JobId, NanoMeshx,
    state::{
        Destination, Due, Heights, JobRecord, Key, Market, Params, Phase, Queued, Terms, Transfer,
        WorkerPlace, WorkerRecord,
    },
};

/// Tries of a draw, for each replica, whose records are loaded first. They are enough unless most workers are busy or ask
/// for too much.
const TRIES_AT_FIRST: usize = 4;

/// Silent workers that one draw takes the places of, so that its work is bounded.
const SILENCED_MAX: usize = 4;

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
    let queued =
        Queued { term: context.term, view: context.view, begun: false, jobs: Due::default() };
    pad.put(Key::Queue, &heights);
    pad.put(here, &queued);
    Ok(true)
}

/// What waits for `beacon`. It must be of the oldest height that anything waits for.
pub(crate) fn open(
    pad: &mut Scratch<'_>,
    beacon: &Beacon,
    context: &BlockContext,
) -> Result<Queued, Stop> {
    let heights: Heights = pad.get(Key::Queue)?.unwrap_or_default();
    // The oldest height and exactly its round: a proposer can delay a draw, but cannot choose among several seeds (ADR
    // 4). The beacon of this very block does not exist while it is built.
    let oldest =
        heights.as_slice().first() == Some(&beacon.height) && beacon.height < context.height;
    let queued = if oldest { pad.get::<Queued>(Key::Queued(beacon.height))? } else { None };
    let queued = queued.filter(|q| q.term == beacon.term && q.view == beacon.view);
    Ok(queued.ok_or(Refusal::WrongBeacon(beacon.height))?)
}

/// The oldest height that waits for a beacon, or for room for its draws.
pub(crate) fn oldest(pad: &Scratch<'_>) -> Result<Option<Height>, Stop> {
    let heights: Heights = pad.get(Key::Queue)?.unwrap_or_default();
    Ok(heights.as_slice().first().copied())
}

/// The beacon of `height` has drawn for all but `rest`.
pub(crate) fn close(pad: &mut Scratch<'_>, height: Height, rest: &Queued) -> Result<(), Stop> {
    let key = Key::Queued(height);
    if !rest.jobs.is_empty() {
        pad.put(key, rest);
        return Ok(());
    }
    let mut heights: Heights = pad.expect(Key::Queue)?;
    heights.retain(|known| *known != height);
    pad.put(Key::Queue, &heights);
    pad.forget(key);
    Ok(())
}

/// Draw workers for `job`. When too few will have it, its payer pays for the draw, and it waits for another. Returns what
/// was paid.
pub(crate) fn draw(
    pad: &mut Scratch<'_>,
    beacon: &Beacon,
    job: &JobId,
    context: &BlockContext,
) -> Result<Option<NanoMeshx>, Stop> {
    let record: JobRecord = pad.expect(Key::Job(*job))?;
    // It was cancelled or its deadline came while it waited for its beacon.
    if !matches!(record.phase, Phase::Queued { .. }) {
        return Ok(None);
    }
    let Draw { drawn, silent } = workers(pad, beacon, job, &record, context)?;
    for worker in silent {
        places::silence(pad, worker, context)?;
    }
    if let Some(drawn) = drawn {
        effects::advance(pad, job, record, Input::Drawn(drawn), context)?;
        return Ok(None);
    }
    let market: Market = pad.expect(Key::Market)?;
    let amount = gas::fee(market.base_fee, pad.gas().used());
    let paid = pad.account(record.payer)?.balance >= amount;
    if paid {
        pad.transfer(&[Transfer { from: record.payer, to: Destination::Burned, amount }])?;
    }
    effects::advance(pad, job, record, Input::Undrawn { paid }, context)?;
    Ok(paid.then_some(amount))
}

/// What a draw came to.
#[derive(Default)]
struct Draw {
    /// As many workers as the job has replicas, at their terms; `None` if so many will not have it.
    drawn: Option<Vec<(Address, Terms)>>,
    /// Some that it met and that have long been silent.
    silent: BTreeSet<Address>,
}

fn workers(
    pad: &Scratch<'_>,
    beacon: &Beacon,
    job: &JobId,
    record: &JobRecord,
    context: &BlockContext,
) -> Result<Draw, Stop> {
    let replicas = usize::from(record.submission.agreement.replicas);
    let market: Market = pad.expect(Key::Market)?;
    let count: u32 = pad.get(Key::WorkerPlaces)?.unwrap_or(0);
    let mut draw = Draw::default();
    // With fewer workers, or free places, than replicas no number of tries can succeed.
    let least = u64::from(record.submission.agreement.replicas);
    let workers: u32 = pad.get(Key::WorkerCount)?.unwrap_or(0);
    if u64::from(workers.min(count)) < least
        || market.capacity.saturating_sub(market.running) < least
    {
        return Ok(draw);
    }
    let params: Params = pad.expect(Key::Params)?;
    let mut drawn: Vec<(Address, Terms)> = Vec::with_capacity(replicas);
    let mut tries = jobs::tries(beacon, job, count).take(replicas * TRIES_PER_REPLICA);
    // Each record that is missing begins the draw anew, so they are loaded in two goes.
    for at_once in [TRIES_AT_FIRST, TRIES_PER_REPLICA - TRIES_AT_FIRST] {
        let some: Vec<(u32, u16)> = tries.by_ref().take(replicas * at_once).collect();
        pad.need(some.iter().map(|(number, _)| Key::WorkerPlace(*number)))?;
        let at = |(number, threshold): (u32, u16)| {
            Ok((pad.expect::<WorkerPlace>(Key::WorkerPlace(number))?.worker, threshold))
        };
        let some = some.into_iter().map(at).collect::<Result<Vec<_>, Stop>>()?;
        pad.need(some.iter().map(|(address, _)| Key::Worker(*address)))?;
        for (address, threshold) in some {
            let worker: WorkerRecord = pad.expect(Key::Worker(address))?;
            let eligible = jobs::eligible(&address, &worker, record, context.height, &params);
            if let Err(jobs::Ineligible::Silent { .. }) = eligible
                && !worker.silent
                && draw.silent.len() < SILENCED_MAX
            {
                draw.silent.insert(address);
            }
            // A worker that runs two replicas of one job would agree with itself.
            let taken = drawn.iter().any(|(other, _)| *other == address);
            if eligible.is_ok() && !taken && jobs::accepts(&worker, threshold) {
                drawn.push((address, Terms { reputation: worker.reputation, floor: worker.floor }));
                if drawn.len() == replicas {
                    draw.drawn = Some(drawn);
                    return Ok(draw);
                }
            }
        }
    }
    Ok(draw)
}

/// The heights before this one whose due jobs had no room yet, ascending.
pub(crate) fn overdue(pad: &Scratch<'_>) -> Result<Heights, Stop> {
    Ok(pad.get(Key::Overdue)?.unwrap_or_default())
}

/// The jobs whose reminder was for `height`.
pub(crate) fn due(pad: &Scratch<'_>, height: Height) -> Result<Due, Stop> {
    Ok(pad.get(Key::Due(height))?.unwrap_or_default())
}

/// Of the jobs whose reminder was for `height`, only `rest` have not been looked at.
pub(crate) fn put_off(pad: &mut Scratch<'_>, height: Height, rest: &Due) {
    match rest.is_empty() {
        true => pad.forget(Key::Due(height)),
        false => pad.put(Key::Due(height), rest),
    }
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
