//! Carrying out what the job rules ask for: the one place where jobs and money meet.

use crate::{
    Refusal,
    apply::BlockContext,
    earned, market, queue,
    scratch::{Scratch, Stop},
};
use jobs::{Effect, Input};
use types::{
    Address, Height, JobId, NanoMeshx,
    state::{
        Destination, Event, JobRecord, Key, ModuleRecord, Params, REPUTATION_MAX, REPUTATION_MIN,
        Transfer, WorkerRecord, pools,
    },
};

/// Give a job an input, store its next phase and do what follows from it.
pub(crate) fn advance(
    pad: &mut Scratch<'_>,
    id: &JobId,
    mut record: JobRecord,
    input: Input,
    context: &BlockContext,
) -> Result<(), Stop> {
    let params: Params = pad.expect(Key::Params)?;
    let (phase, effects) = jobs::step(id, &record, input, context.height, &params)?;
    // A reminder of an earlier phase, such as one for commitments that all came in time: nothing is written or told.
    if phase == record.phase && effects.is_empty() {
        return Ok(());
    }
    record.phase = phase.clone();
    pad.put(Key::Job(*id), &record);
    for effect in effects {
        carry_out(pad, id, &record, effect, &params, context)?;
    }
    pad.emit(Event::Job { job: *id, phase });
    Ok(())
}

/// Somebody tells a job something.
pub(crate) fn input(
    pad: &mut Scratch<'_>,
    id: &JobId,
    input: Input,
    context: &BlockContext,
) -> Result<(), Stop> {
    let record: JobRecord = pad.get(Key::Job(*id))?.ok_or(Refusal::UnknownJob(*id))?;
    advance(pad, id, record, input, context)
}

/// A reminder fell due.
pub(crate) fn tick(pad: &mut Scratch<'_>, id: &JobId, context: &BlockContext) -> Result<(), Stop> {
    let record: JobRecord = pad.expect(Key::Job(*id))?;
    advance(pad, id, record, Input::Tick, context)
}

fn carry_out(
    pad: &mut Scratch<'_>,
    id: &JobId,
    record: &JobRecord,
    effect: Effect,
    params: &Params,
    context: &BlockContext,
) -> Result<(), Stop> {
    match effect {
        Effect::Pay { worker, amount } => pay(pad, record, worker, amount, params),
        Effect::Refund { payer, amount } => pad.transfer(&[Transfer {
            from: pools::escrow(),
            to: Destination::Account(payer),
            amount,
        }]),
        Effect::Occupy { worker } => {
            market::change(pad, |market| market.running += 1)?;
            with_worker(pad, worker, |record| record.running += 1)
        }
        Effect::Release { worker, good } => {
            let once = "an assignment is released once";
            market::change(pad, |m| m.running = m.running.checked_sub(1).expect(once))?;
            with_worker(pad, worker, |record| {
                record.running = record.running.checked_sub(1).expect(once);
                record.reputation = match good {
                    Some(true) => {
                        record.reputation.saturating_add(params.reputation_gain).min(REPUTATION_MAX)
                    }
                    Some(false) => {
                        record.reputation.saturating_sub(params.reputation_loss).max(REPUTATION_MIN)
                    }
                    None => record.reputation,
                };
            })
        }
        Effect::Remind { at } => remind(pad, id, at),
        Effect::Enqueue => match queue::enqueue(pad, id, context) {
            // As many heights wait for a beacon as may: in the next block one fewer does.
            Err(Stop::Refused(_)) => remind(pad, id, context.height.next()),
            other => other,
        },
        Effect::Cache { key } => {
            pad.put(Key::Cached(key), id);
            Ok(())
        }
    }
}

/// Remind a job if there is room. Its last reminder is its deadline, for which submission made sure of a place.
fn remind(pad: &mut Scratch<'_>, id: &JobId, at: Height) -> Result<(), Stop> {
    match queue::remind(pad, id, at) {
        Err(Stop::Refused(_)) => Ok(()),
        other => other,
    }
}

/// Pay a replica, and the publisher of the module that it ran.
fn pay(
    pad: &mut Scratch<'_>,
    record: &JobRecord,
    worker: Address,
    amount: NanoMeshx,
    params: &Params,
) -> Result<(), Stop> {
    // Read now and not at the submission: the royalty that is in force at settlement counts.
    let module: Option<ModuleRecord> = pad.get(Key::Module(record.submission.spec.module))?;
    let split = ledger::split(amount, module.map_or(0, |module| module.royalty_bps), params);
    earned::count(pad, worker, split.worker, |earned| &mut earned.jobs)?;
    let (from, to) = (pools::escrow(), Destination::Account);
    let mut transfers = vec![
        Transfer { from, to: to(worker), amount: split.worker },
        Transfer { from, to: to(pools::validators()), amount: split.validators },
        Transfer { from, to: to(pools::treasury()), amount: split.treasury },
        Transfer { from, to: Destination::Burned, amount: split.burned },
    ];
    if let Some(ModuleRecord { author, .. }) = module {
        earned::count(pad, author, split.author, |earned| &mut earned.royalties)?;
        transfers.push(Transfer { from, to: to(author), amount: split.author });
    }
    pad.transfer(&transfers)
}

fn with_worker(
    pad: &mut Scratch<'_>,
    worker: Address,
    change: impl Fn(&mut WorkerRecord),
) -> Result<(), Stop> {
    let mut record: WorkerRecord = pad.expect(Key::Worker(worker))?;
    change(&mut record);
    pad.put(Key::Worker(worker), &record);
    Ok(())
}
