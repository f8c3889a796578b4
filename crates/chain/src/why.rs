//! Why a job is where it is: the rule, and the worker it speaks of.

use types::{
    Address, Height,
    state::{Assignment, Ending, JobRecord, Params, Phase, WorkerRecord},
};

/// One rule that bears on a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// `None`: the rule is about the job itself.
    pub worker: Option<Address>,
    /// A code that never changes meaning.
    pub rule: &'static str,
    /// Which worker or value, in words for the payer.
    pub detail: String,
}

/// Explain `job` at height `now`, given the chain's workers. The first reason is the verdict.
pub fn why(
    job: &JobRecord,
    workers: &[(Address, WorkerRecord)],
    params: &Params,
    now: Height,
) -> Vec<Reason> {
    let about = |rule, detail| Reason { worker: None, rule, detail };
    let mut reasons = Vec::new();
    match &job.phase {
        Phase::Queued { .. } => {
            let able = |(address, worker): &&(Address, WorkerRecord)| {
                jobs::eligible(address, worker, job, now, params).is_ok()
            };
            let (able, needed) =
                (workers.iter().filter(able).count(), job.submission.agreement.replicas);
            let left = job.submission.deadline.saturating_sub(now);
            reasons.push(about(
                "waiting_for_workers",
                format!("needs {needed} workers, and {able} of {} can take it now; it waits {left} more blocks, then the payer gets the money back", workers.len()),
            ));
            reasons.extend(workers.iter().filter_map(|(address, worker)| {
                let refused = jobs::eligible(address, worker, job, now, params).err()?;
                let rule = match refused {
                    jobs::Ineligible::Resting => "resting",
                    jobs::Ineligible::Busy { .. } => "busy",
                    jobs::Ineligible::Silent { .. } => "silent",
                    jobs::Ineligible::IsPayer => "is_payer",
                    jobs::Ineligible::Floor { .. } => "floor",
                };
                Some(Reason { worker: Some(*address), rule, detail: refused.to_string() })
            }));
        }
        Phase::Committing { until, assignments, .. } => {
            reasons.push(about(
                "running",
                format!(
                    "workers run it and commit by block {until}; this is block {now}{}",
                    compiling(job)
                ),
            ));
            reasons.extend(
                assignments.iter().map(|assignment| assignment_reason(assignment, None, job)),
            );
        }
        Phase::Revealing { until, assignments, .. } => {
            reasons.push(about(
                "revealing",
                format!("workers show their results by block {until}; this is block {now}"),
            ));
            reasons.extend(
                assignments.iter().map(|assignment| assignment_reason(assignment, None, job)),
            );
        }
        Phase::Settled(settlement) => {
            let detail = match settlement.cached_from {
                Some(from) => {
                    format!("answered from the result of job {from}; nobody ran it again")
                }
                None => {
                    let (agreed, all) = (settlement.agreed, settlement.assignments.len());
                    match settlement.outcome.status.obstacle() {
                        None => format!("{agreed} of {all} workers agree"),
                        Some(obstacle) => {
                            format!("{agreed} of {all} workers cannot run it: {obstacle}")
                        }
                    }
                }
            };
            reasons.push(about("settled", detail));
            reasons.extend(
                settlement.assignments.iter().map(|assignment| {
                    assignment_reason(assignment, Some(&settlement.outcome), job)
                }),
            );
        }
        Phase::Ended { ending, assignments, height, paid } => {
            let detail = why_ended(job, *ending, assignments.as_slice());
            reasons.push(about(
                "ended",
                match paid.get() {
                    0 => format!("{detail} (block {height}); everything was refunded"),
                    _ => format!(
                        "{detail} (block {height}); workers got {paid} MESHX for the work they showed, and the rest was refunded"
                    ),
                },
            ));
            reasons.extend(
                assignments.iter().map(|assignment| assignment_reason(assignment, None, job)),
            );
        }
    }
    reasons
}

/// Why a job has no result.
fn why_ended(job: &JobRecord, ending: Ending, assignments: &[Assignment]) -> String {
    match ending {
        Ending::Expired if assignments.is_empty() => {
            "its deadline came before enough workers could be drawn".to_owned()
        }
        Ending::Expired => not_committed(assignments, job),
        Ending::Cancelled => "its payer cancelled it".to_owned(),
        Ending::NoAgreement => {
            let types::Agreement { replicas, agree } = job.submission.agreement;
            format!("fewer than {agree} of {replicas} workers gave the same result")
        }
    }
}

/// What the first job of a large module waits for.
fn compiling(job: &JobRecord) -> String {
    let len = job.submission.spec.module_len;
    let seconds = jobs::compile_time(len).get() / 1_000;
    match seconds {
        0..10 => String::new(),
        _ => format!(
            "; a worker that has not run this module before compiles its {} MB first, and has {seconds} s for that",
            len / 1_000_000
        ),
    }
}

/// Workers mostly fail to commit because of the job's own limit: a run that the clock stops has no result.
fn not_committed(assignments: &[Assignment], job: &JobRecord) -> String {
    let committed = assignments.iter().filter(|one| one.commitment.is_some()).count();
    let wall_s = job.submission.spec.limits.wall.get() / 1_000;
    format!(
        "{committed} of {} workers committed to a result in time, and {} must agree; a worker that reaches --wall has no result: raise --wall (now {wall_s})",
        assignments.len(),
        job.submission.agreement.agree
    )
}

fn assignment_reason(
    assignment: &Assignment,
    agreed: Option<&types::Outcome>,
    job: &JobRecord,
) -> Reason {
    let (rule, detail) = match (assignment.commitment, assignment.outcome, agreed) {
        (None, _, _) => ("no_commitment", "has not committed to a result".to_owned()),
        (Some(_), None, _) => {
            ("no_reveal", "committed to a result and has not shown it".to_owned())
        }
        (Some(_), Some(outcome), Some(agreed)) if outcome == *agreed => {
            ("agreed", "gave the agreed result".to_owned())
        }
        (Some(_), Some(outcome), _) => {
            let detail = format!(
                "reported {:?}, output {}, fuel {} of {}",
                outcome.status, outcome.stdout.hash, outcome.fuel, job.submission.spec.limits.fuel
            );
            (if agreed.is_some() { "disagreed" } else { "revealed" }, detail)
        }
    };
    Reason { worker: Some(assignment.worker), rule, detail }
}
