//! What a job record asks of one worker.

use types::{
    Address,
    state::{JobRecord, Phase},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Duty {
    /// Run the job and commit to its outcome.
    Run,
    /// Show the outcome committed to.
    Reveal,
}

/// What `worker` owes to `job` now, if anything.
pub fn duty(worker: &Address, job: &JobRecord) -> Option<Duty> {
    match &job.phase {
        Phase::Committing { seats, .. } => {
            let seat = seats.iter().find(|seat| seat.worker == *worker)?;
            seat.commitment.is_none().then_some(Duty::Run)
        }
        Phase::Revealing { seats, .. } => {
            let seat = seats.iter().find(|seat| seat.worker == *worker)?;
            (seat.commitment.is_some() && seat.outcome.is_none()).then_some(Duty::Reveal)
        }
        Phase::Queued | Phase::Settled(_) | Phase::Ended { .. } => None,
    }
}
