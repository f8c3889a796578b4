//! What a job record asks of one worker.

use types::{
    Address,
    state::{JobRecord, Phase},
};

/// What a worker owes to one job now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Duty {
    /// Run the job and commit to its outcome.
    Run,
    /// Show the outcome committed to.
    Reveal,
}

/// What the newest record of a job asks of one worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// To do this.
    Duty(Duty),
    /// Nothing now; later it may.
    Nothing,
    /// Nothing, now and for ever: the job has ended.
    Over,
}

impl Asks {
    /// What `job` asks of `worker`.
    pub fn of(worker: &Address, job: &JobRecord) -> Self {
        match job.phase {
            Phase::Settled(_) | Phase::Ended { .. } => Self::Over,
            _ => duty(worker, job).map_or(Self::Nothing, Self::Duty),
        }
    }
}

/// What `worker` owes to `job` now, if anything.
pub fn duty(worker: &Address, job: &JobRecord) -> Option<Duty> {
    match &job.phase {
        Phase::Committing { assignments, .. } => {
            let assignment = assignments.iter().find(|assignment| assignment.worker == *worker)?;
            assignment.commitment.is_none().then_some(Duty::Run)
        }
        Phase::Revealing { assignments, .. } => {
            let assignment = assignments.iter().find(|assignment| assignment.worker == *worker)?;
            (assignment.commitment.is_some() && assignment.outcome.is_none())
                .then_some(Duty::Reveal)
        }
        Phase::Queued { .. } | Phase::Settled(_) | Phase::Ended { .. } => None,
    }
}
