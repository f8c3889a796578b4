//! How a job ends: who is paid, who is judged, and what goes back.

use crate::{
    Effect,
    price::{cap, pay, usage},
};
use std::collections::BTreeMap;
use types::{
    Height, NanoMeshx, Outcome,
    state::{
        Assignment, Assignments, Ending, JobRecord, Params, Phase, Settlement, Terms, cache_key,
    },
};

/// Settle on what enough workers say; else pay for what was shown, and give the rest back.
pub(crate) fn conclude(
    job: &JobRecord,
    assignments: Assignments,
    early: bool,
    now: Height,
    params: &Params,
) -> (Phase, Vec<Effect>) {
    // More than half must agree, so at most one outcome can.
    let agreement = job.submission.agreement;
    let agreed = votes(&assignments).into_iter().find(|(_, count)| *count >= agreement.agree);
    let Some((outcome, agreed)) = agreed else {
        return unsettled(job, &assignments, early, now, params);
    };
    let mut effects = Vec::new();
    let mut rest = job.submission.price_max;
    for assignment in assignments.iter() {
        if assignment.outcome == Some(outcome) {
            let amount = worth(job, &outcome, &assignment.terms, params);
            rest = rest.checked_sub(amount).expect("no replica gets more than its part");
            effects.push(Effect::Pay { worker: assignment.worker, amount });
        }
        let good = verdict(assignment, Some(&outcome), early);
        effects.push(Effect::Release { worker: assignment.worker, good });
    }
    let paid = job.submission.price_max.checked_sub(rest).expect("the rest is part of the whole");
    effects.push(Effect::Refund { payer: job.payer, amount: rest });
    // What hindered these workers need not hinder the next ones.
    if outcome.status.obstacle().is_none() {
        effects.push(Effect::Cache { key: cache_key(&job.payer, &job.submission.spec) });
    }
    (
        Phase::Settled(Settlement {
            height: now,
            outcome,
            agreed,
            assignments,
            paid,
            refunded: rest,
            cached_from: None,
        }),
        effects,
    )
}

/// End after reveals that did not agree. A worker that showed its work is paid for it. Otherwise a payer could have a worker
/// of its own stay silent in the end, and get the results of all others for nothing.
fn unsettled(
    job: &JobRecord,
    assignments: &Assignments,
    early: bool,
    now: Height,
    params: &Params,
) -> (Phase, Vec<Effect>) {
    let votes = votes(assignments);
    let shown: u8 = votes.values().sum();
    // Most of those that answered say the same, so they are taken at their word.
    let believed = votes.iter().find(|(_, count)| **count >= 2 && **count * 2 > shown);
    let least = votes.keys().min_by_key(|outcome| worth(job, outcome, &Terms::default(), params));
    let mut effects = Vec::new();
    let mut rest = job.submission.price_max;
    for assignment in assignments.iter() {
        let amount = match (assignment.outcome, believed, least) {
            (Some(outcome), Some((agreed, _)), _) if outcome == *agreed => {
                worth(job, agreed, &assignment.terms, params)
            }
            // Nobody knows who is right. Each gets half of what the least of the answers would earn, so that claiming
            // more work pays nobody.
            (Some(_), None, Some(least)) => {
                NanoMeshx::new(worth(job, least, &assignment.terms, params).get() / 2)
            }
            _ => NanoMeshx::ZERO,
        };
        if amount > NanoMeshx::ZERO {
            rest = rest.checked_sub(amount).expect("no replica gets more than its part");
            effects.push(Effect::Pay { worker: assignment.worker, amount });
        }
        let good = verdict(assignment, None, early);
        effects.push(Effect::Release { worker: assignment.worker, good });
    }
    let paid = job.submission.price_max.checked_sub(rest).expect("the rest is part of the whole");
    effects.push(Effect::Refund { payer: job.payer, amount: rest });
    let ending = match shown < job.submission.agreement.agree {
        true => Ending::Expired,
        false => Ending::NoAgreement,
    };
    (Phase::Ended { height: now, ending, paid, assignments: assignments.clone() }, effects)
}

/// How many revealed each outcome.
fn votes(assignments: &Assignments) -> BTreeMap<Outcome, u8> {
    let mut votes = BTreeMap::new();
    for outcome in assignments.iter().filter_map(|assignment| assignment.outcome) {
        *votes.entry(outcome).or_default() += 1;
    }
    votes
}

/// Whether a worker did well; `None` where that cannot be known.
fn verdict(assignment: &Assignment, agreed: Option<&Outcome>, early: bool) -> Option<bool> {
    let hindered = |outcome: &Outcome| outcome.status.obstacle().is_some();
    match (&assignment.outcome, agreed) {
        // Nobody gains by jobs that cannot be run.
        (Some(outcome), Some(agreed)) if outcome == agreed => (!hindered(agreed)).then_some(true),
        // Its network or its machine may have hindered it, or all others.
        (Some(outcome), Some(agreed)) => (!hindered(outcome) && !hindered(agreed)).then_some(false),
        (Some(_), None) => None,
        // It may still have been at work.
        (None, _) if assignment.commitment.is_none() && early => None,
        (None, _) => Some(false),
    }
}

/// What one replica is paid. The cap decides where there is no other price, because parameters have changed since
/// the job was taken in: it is what the payer agreed to, and what every worker was drawn under.
fn worth(job: &JobRecord, outcome: &Outcome, terms: &Terms, params: &Params) -> NanoMeshx {
    let (spec, most) =
        (&job.submission.spec, cap(job.submission.price_max, &job.submission.agreement));
    usage(spec, outcome, params)
        .and_then(|used| pay(&used, job.demand, terms, most, params))
        .unwrap_or(most)
}

/// End before anybody showed work: everything goes back to the payer. An assigned worker that was silent loses reputation,
/// unless all were: then it may be the job's fault.
pub(crate) fn end(
    job: &JobRecord,
    ending: Ending,
    assignments: &Assignments,
    now: Height,
) -> (Phase, Vec<Effect>) {
    let nobody = assignments.iter().all(|assignment| assignment.commitment.is_none());
    let mut effects: Vec<Effect> = assignments
        .iter()
        .map(|assignment| {
            let silent = !nobody && assignment.commitment.is_none();
            Effect::Release { worker: assignment.worker, good: silent.then_some(false) }
        })
        .collect();
    effects.push(Effect::Refund { payer: job.payer, amount: job.submission.price_max });
    let (paid, assignments) = (NanoMeshx::ZERO, assignments.clone());
    (Phase::Ended { height: now, ending, paid, assignments }, effects)
}
