//! One step of a job's life.

use crate::{
    conclude::{conclude, end},
    draw,
};
use types::{
    Address, Hash, Height, JobId, NanoMeshx, Reveal,
    state::{Assignment, Assignments, Ending, JobRecord, Params, Phase, Settlement, Terms},
};

/// How often the time between two draws doubles: the longest is 16 blocks.
const WAIT_DOUBLINGS: u16 = 4;

/// What happened to a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The beacon drew these workers, at these terms.
    Drawn(Vec<(Address, Terms)>),
    /// A draw found too few workers.
    Undrawn {
        /// Whether the payer has paid for that draw.
        paid: bool,
    },
    /// A worker promises an outcome.
    Commit {
        /// Who.
        worker: Address,
        /// [`Reveal::commitment`] of what it will reveal.
        commitment: Hash,
    },
    /// A worker shows the outcome it promised.
    Reveal {
        /// Who.
        worker: Address,
        /// The outcome and the salt.
        reveal: Reveal,
    },
    /// The payer wants out.
    Cancel {
        /// Who asks; only the payer may.
        by: Address,
    },
    /// The chain reached a height this job asked to be reminded of.
    Tick,
    /// An equal job has settled before.
    CacheHit {
        /// The job that settled.
        job: JobId,
        /// What it gave and cost.
        settlement: Settlement,
    },
}

/// What must be done about it, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// From escrow to a worker, who gets its share after the split.
    Pay {
        /// Who earned it.
        worker: Address,
        /// What is split among worker, author, validators, treasury and the burn.
        amount: NanoMeshx,
    },
    /// From escrow back to the payer.
    Refund {
        /// Who paid for the job.
        payer: Address,
        /// What nobody earned.
        amount: NanoMeshx,
    },
    /// A replica is assigned: the worker has one free place fewer.
    Occupy {
        /// Whose place.
        worker: Address,
    },
    /// An assignment is over; `good` says whether the worker did what the quorum did (`None`: no verdict).
    Release {
        /// Whose place.
        worker: Address,
        /// Raises or lowers the worker's reputation.
        good: Option<bool>,
    },
    /// Send [`Input::Tick`] at this height.
    Remind {
        /// The height.
        at: Height,
    },
    /// Have the beacon of this block draw workers.
    Enqueue,
    /// Equal jobs may be answered by this one.
    Cache {
        /// [`types::state::cache_key`] of the job.
        key: Hash,
    },
}

/// An input that does not fit the job's phase. The job is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum OutOfPhase {
    #[error("the job has ended")]
    Over,
    #[error("the job is not waiting for workers")]
    NotQueued,
    #[error("the job takes no commitments now")]
    NotCommitting,
    #[error(
        "the job takes no reveals now; reveals open when all workers have committed or their time is up"
    )]
    NotRevealing,
    #[error("worker {0} has no assignment in this job")]
    NotAssigned(Address),
    #[error("worker {0} has already sent this")]
    Twice(Address),
    #[error("the result that worker {0} reveals does not match its commitment")]
    NotCommitted(Address),
    #[error("only the payer can cancel a job")]
    NotPayer,
    #[error(
        "workers run the job already, so it can no longer be cancelled; without a result it ends by block {0}"
    )]
    TooLate(Height),
}

/// Give `job` its next phase. Pure: the same job, input and height give the same answer.
///
/// # Errors
/// [`OutOfPhase`] when the input does not fit; nothing is to be done then.
pub fn step(
    id: &JobId,
    job: &JobRecord,
    input: Input,
    now: Height,
    params: &Params,
) -> Result<(Phase, Vec<Effect>), OutOfPhase> {
    let deadline = job.submission.deadline;
    match (&job.phase, input) {
        (Phase::Settled(_) | Phase::Ended { .. }, Input::Tick) => Ok((job.phase.clone(), vec![])),
        (Phase::Settled(_) | Phase::Ended { .. }, _) => Err(OutOfPhase::Over),

        (Phase::Queued { .. }, Input::CacheHit { job: from, settlement }) => {
            Ok(answer_from_cache(job, from, settlement, now))
        }
        (Phase::Queued { .. }, Input::Drawn(workers)) => Ok(assign(job, workers, now, params)),
        (Phase::Queued { draws }, Input::Undrawn { paid: true }) => {
            let again = Height::new(now.get().saturating_add(wait_after(*draws)));
            let wait = (again < deadline).then_some(Effect::Remind { at: again });
            Ok((Phase::Queued { draws: draws.saturating_add(1) }, wait.into_iter().collect()))
        }
        // Who cannot pay for one draw more will not get one.
        (Phase::Queued { .. }, Input::Undrawn { paid: false }) => {
            Ok(end(job, Ending::Expired, &Assignments::default(), now))
        }
        (Phase::Queued { .. }, Input::Cancel { by }) if by == job.payer => {
            Ok(end(job, Ending::Cancelled, &Assignments::default(), now))
        }
        (Phase::Queued { .. }, Input::Tick) if deadline <= now => {
            Ok(end(job, Ending::Expired, &Assignments::default(), now))
        }
        // It has waited since a draw found too few.
        (Phase::Queued { .. }, Input::Tick) => Ok((job.phase.clone(), vec![Effect::Enqueue])),
        (_, Input::Drawn(_) | Input::Undrawn { .. } | Input::CacheHit { .. }) => {
            Err(OutOfPhase::NotQueued)
        }
        (_, Input::Cancel { by }) if by != job.payer => Err(OutOfPhase::NotPayer),
        (_, Input::Cancel { .. }) => Err(OutOfPhase::TooLate(deadline)),

        (Phase::Committing { drawn, until, assignments }, Input::Commit { worker, commitment }) => {
            let mut assignments = assignments.clone();
            let assignment = find(&mut assignments, &worker)?;
            if assignment.commitment.replace(commitment).is_some() {
                return Err(OutOfPhase::Twice(worker));
            }
            let committed = committed(&assignments);
            if committed == assignments.len() {
                return Ok(open_reveals(job, *drawn, assignments, now, params));
            }
            // The others have enough time from now on, and no job waits for a machine that is gone.
            let sooner = draw::enough_time(&job.submission, params, *drawn, now).min(*until);
            let enough = committed == usize::from(job.submission.agreement.agree);
            let remind = (enough && sooner < *until).then_some(Effect::Remind { at: sooner });
            let until = if enough { sooner } else { *until };
            let phase = Phase::Committing { drawn: *drawn, until, assignments };
            Ok((phase, remind.into_iter().collect()))
        }
        (Phase::Committing { drawn, until, assignments }, Input::Tick) if *until <= now => {
            // Fewer than must agree can no longer settle the job, but what they did is paid if they show it.
            if committed(assignments) == 0 || deadline <= now {
                return Ok(end(job, Ending::Expired, assignments, now));
            }
            Ok(open_reveals(job, *drawn, assignments.clone(), now, params))
        }

        (
            Phase::Revealing { drawn, until, early, assignments },
            Input::Reveal { worker, reveal },
        ) => {
            let (drawn, until, early) = (*drawn, *until, *early);
            let mut assignments = assignments.clone();
            let assignment = find(&mut assignments, &worker)?;
            if assignment.outcome.is_some() {
                return Err(OutOfPhase::Twice(worker));
            }
            if reveal.job != *id || assignment.commitment != Some(reveal.commitment(&worker)) {
                return Err(OutOfPhase::NotCommitted(worker));
            }
            assignment.outcome = Some(reveal.outcome);
            // Only those who committed can reveal; nobody waits for the others.
            let outstanding = assignments
                .iter()
                .any(|assignment| assignment.commitment.is_some() && assignment.outcome.is_none());
            if outstanding {
                return Ok((Phase::Revealing { drawn, until, early, assignments }, vec![]));
            }
            Ok(conclude(job, assignments, early, now, params))
        }
        (Phase::Revealing { until, early, assignments, .. }, Input::Tick) if *until <= now => {
            Ok(conclude(job, assignments.clone(), *early, now, params))
        }

        (phase, Input::Tick) => Ok((phase.clone(), vec![])),
        (_, Input::Commit { .. }) => Err(OutOfPhase::NotCommitting),
        (_, Input::Reveal { .. }) => Err(OutOfPhase::NotRevealing),
    }
}

/// Blocks until the next draw, after `draws` that found too few: twice as many each time, to a limit. A place may become
/// free in the next block; a market that is too small for a job is not asked in every block.
fn wait_after(draws: u16) -> u64 {
    1 << draws.min(WAIT_DOUBLINGS)
}

fn find<'a>(
    assignments: &'a mut Assignments,
    worker: &Address,
) -> Result<&'a mut Assignment, OutOfPhase> {
    assignments
        .iter_mut()
        .find(|assignment| assignment.worker == *worker)
        .ok_or(OutOfPhase::NotAssigned(*worker))
}

fn answer_from_cache(
    job: &JobRecord,
    from: JobId,
    known: Settlement,
    now: Height,
) -> (Phase, Vec<Effect>) {
    let escrow = job.submission.price_max;
    let settlement = Settlement {
        height: now,
        paid: NanoMeshx::ZERO,
        refunded: escrow,
        // The job that ran, and not another answer from the cache: there are the commitments and reveals.
        cached_from: Some(known.cached_from.unwrap_or(from)),
        ..known
    };
    (Phase::Settled(settlement), vec![Effect::Refund { payer: job.payer, amount: escrow }])
}

fn assign(
    job: &JobRecord,
    workers: Vec<(Address, Terms)>,
    now: Height,
    params: &Params,
) -> (Phase, Vec<Effect>) {
    let until = draw::commit_until(&job.submission, params, now);
    let mut effects: Vec<Effect> =
        workers.iter().map(|(worker, _)| Effect::Occupy { worker: *worker }).collect();
    effects.push(Effect::Remind { at: until });
    let assignments = workers
        .into_iter()
        .map(|(worker, terms)| Assignment { worker, terms, commitment: None, outcome: None })
        .collect();
    let assignments = Assignments::new(assignments)
        .expect("a draw assigns at most as many workers as the job has replicas");
    (Phase::Committing { drawn: now, until, assignments }, effects)
}

fn open_reveals(
    job: &JobRecord,
    drawn: Height,
    assignments: Assignments,
    now: Height,
    params: &Params,
) -> (Phase, Vec<Effect>) {
    let until =
        Height::new(now.get().saturating_add(params.reveal_blocks)).min(job.submission.deadline);
    // A phase that closes in the block that opens it could be answered by nobody.
    let until = until.max(now.next());
    let early = now < draw::commit_until(&job.submission, params, drawn);
    (Phase::Revealing { drawn, until, early, assignments }, vec![Effect::Remind { at: until }])
}

fn committed(assignments: &Assignments) -> usize {
    assignments.iter().filter(|assignment| assignment.commitment.is_some()).count()
}

#[cfg(test)]
mod tests;
