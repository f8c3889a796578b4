//! SubmitJob: put the most a job can cost into escrow and queue it for the draw, or answer it from
//! the result cache at once.

use super::handler::{
    Address, BlockContext, CheckedTx, Fee, Handler, Home, Key, Refusal, Scratch, Stop, cost,
};
use crate::{effects, queue};
use jobs::Input;
use types::{
    JobId, Submission,
    codec::EncodeSize as _,
    state::{
        Destination, Event, JobRecord, Market, Params, Phase, Settlement, Transfer, cache_key,
        pools,
    },
};

/// What a job's record holds of each replica: the worker, its terms, its commitment and its outcome.
const ASSIGNMENT_BYTES: u64 = 200;

pub(super) struct SubmitJob<'a>(pub(super) &'a Submission);

impl Handler for SubmitJob<'_> {
    const HOME: Home = Home::Shards { elsewhere: Refusal::NoJobsHere };
    const FEE: Fee = Fee::Gas;

    fn keys(&self, from: Address) -> impl IntoIterator<Item = Key> {
        [Key::Cached(cache_key(&from, &self.0.spec)), Key::Due(self.0.deadline)]
    }

    fn gas(&self) -> u64 {
        // The chain writes the job's record anew for each commitment and each reveal, which are free for its workers.
        let replicas = u64::from(self.0.agreement.replicas);
        let record = self.0.encode_size() as u64 + ASSIGNMENT_BYTES * replicas;
        let writes = 2 * replicas + 2;
        cost::RULE
            + cost::DRAW * replicas
            + (cost::WRITE + cost::BYTE_WRITTEN * record).saturating_mul(writes)
    }

    fn apply(&self, pad: &mut Scratch<'_>, tx: &CheckedTx, at: &BlockContext) -> Result<(), Stop> {
        let (from, id, submission) = (tx.from(), tx.id(), self.0);
        let params: Params = pad.expect(Key::Params)?;
        let market: Market = pad.expect(Key::Market)?;
        if at.timestamp < market.paused_until {
            return Err(Refusal::IntakePaused { until: market.paused_until }.into());
        }
        jobs::check(submission, market.demand, &params, at.height)?;
        pad.transfer(&[Transfer {
            from,
            to: Destination::Account(pools::escrow()),
            amount: submission.price_max,
        }])?;
        let record = JobRecord {
            payer: from,
            submission: submission.clone(),
            submitted: at.height,
            demand: market.demand,
            phase: Phase::Queued { draws: 0 },
        };
        // After the transfer: the refund of a cached answer comes out of escrow, as every refund does.
        if let Some((job, settlement)) = cached(pad, &from, submission)? {
            let hit = Input::CacheHit { job, settlement };
            return effects::advance(pad, &id, record, hit, at);
        }
        pad.put(Key::Job(id), &record);
        queue::enqueue(pad, &id, at)?;
        // Without a reminder at its deadline a job could hold its money for ever, so one that finds no place there is
        // refused.
        queue::remind(pad, &id, submission.deadline)?;
        pad.emit(Event::Job { job: id, phase: Phase::Queued { draws: 0 } });
        Ok(())
    }
}

/// The settlement of an equal job of this payer, if it was agreed at least as broadly as this one asks.
fn cached(
    pad: &Scratch<'_>,
    payer: &Address,
    submission: &Submission,
) -> Result<Option<(JobId, Settlement)>, Stop> {
    if submission.fresh {
        return Ok(None);
    }
    let Some(job) = pad.get::<JobId>(Key::Cached(cache_key(payer, &submission.spec)))? else {
        return Ok(None);
    };
    let known: JobRecord = pad.expect(Key::Job(job))?;
    let Phase::Settled(settlement) = known.phase else { return Ok(None) };
    Ok((settlement.agreed >= submission.agreement.agree).then_some((job, settlement)))
}
