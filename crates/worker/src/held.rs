//! One job that a worker has taken on: what it owes to it, and how far each of the two is.

use crate::{Duty, Order, pause};
use std::collections::BTreeMap;
use types::{JobId, Millis, Obstacle, Outcome};

/// So often a worker tries to get what a job names, before it says that it cannot be had.
const RUNS_MAX: u32 = 3;

/// Why a duty was not fulfilled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failure {
    /// Whether trying again is pointless.
    pub(crate) lasting: bool,
    /// What hindered a run.
    pub(crate) obstacle: Option<Obstacle>,
}

#[derive(Debug, Default)]
pub(crate) struct Held {
    outcome: Option<Outcome>,
    duties: BTreeMap<Duty, Task>,
    /// The job has ended. It leaves as soon as nothing is under way for it.
    over: bool,
}

#[derive(Debug)]
struct Task {
    step: Step,
    /// In a row.
    failures: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The job runs, for this duty or for the other one.
    Running,
    /// The statement is on its way.
    Saying,
    /// It failed, and is tried again at this time.
    Resting(Millis),
    /// It is fulfilled, or never can be.
    Done,
}

impl Held {
    /// Take up `duty`, unless that was done before.
    pub(crate) fn notice(&mut self, job: JobId, duty: Duty) -> Option<Order> {
        if self.over || self.duties.contains_key(&duty) {
            return None;
        }
        self.duties.insert(duty, Task { step: Step::Done, failures: 0 });
        self.begin(job, duty)
    }

    /// The run has an outcome: say it for each duty that waited.
    pub(crate) fn ran(&mut self, job: JobId, outcome: Outcome) -> Vec<Order> {
        self.outcome = Some(outcome);
        let waiting = self.at(|step| step == Step::Running);
        waiting.into_iter().filter_map(|duty| self.begin(job, duty)).collect()
    }

    pub(crate) fn said(&mut self, duty: Duty) {
        if let Some(task) = self.duties.get_mut(&duty) {
            task.step = Step::Done;
        }
    }

    /// A run or a statement failed. A run that cannot succeed has an outcome all the same: that it was hindered.
    pub(crate) fn failed(
        &mut self,
        job: JobId,
        duty: Duty,
        failure: Failure,
        now: Millis,
    ) -> Vec<Order> {
        let Some(task) = self.duties.get_mut(&duty) else { return vec![] };
        let ran = task.step == Step::Running;
        task.failures = task.failures.saturating_add(1);
        let given_up = failure.lasting || task.failures >= RUNS_MAX;
        if let Some(obstacle) = failure.obstacle.filter(|_| ran && given_up) {
            return self.ran(job, Outcome::hindered(obstacle));
        }
        task.step = match failure.lasting {
            true => Step::Done,
            false => Step::Resting(now.saturating_add(pause(task.failures))),
        };
        // What waited for the same run tries for itself.
        for task in self.duties.values_mut().filter(|task| ran && task.step == Step::Running) {
            task.step = Step::Resting(now);
        }
        vec![]
    }

    /// Try again what has rested long enough.
    pub(crate) fn wake(&mut self, job: JobId, now: Millis) -> Vec<Order> {
        let rested = self.at(|step| matches!(step, Step::Resting(until) if until <= now));
        rested.into_iter().filter_map(|duty| self.begin(job, duty)).collect()
    }

    pub(crate) const fn end(&mut self) {
        self.over = true;
    }

    /// Whether nothing will come of this job any more.
    pub(crate) fn may_leave(&self) -> bool {
        let idle = |task: &Task| !matches!(task.step, Step::Running | Step::Saying);
        self.over && self.duties.values().all(idle)
    }

    fn at(&self, wanted: impl Fn(Step) -> bool) -> Vec<Duty> {
        let at = self.duties.iter().filter(|(_, task)| wanted(task.step));
        at.map(|(duty, _)| *duty).collect()
    }

    /// What brings `duty` forward. A job runs once, even if both duties wait for its outcome.
    fn begin(&mut self, job: JobId, duty: Duty) -> Option<Order> {
        let runs = self.duties.values().any(|task| task.step == Step::Running);
        let (step, order) = match (self.over, self.outcome, duty) {
            (true, ..) => (Step::Done, None),
            // Also for a reveal: after a restart, running again is how a worker finds out what it committed to.
            (false, None, _) => (Step::Running, (!runs).then_some(Order::Run { job, duty })),
            (false, Some(outcome), Duty::Run) => {
                (Step::Saying, Some(Order::Commit { job, outcome }))
            }
            (false, Some(outcome), Duty::Reveal) => {
                (Step::Saying, Some(Order::Reveal { job, outcome }))
            }
        };
        self.duties.get_mut(&duty).expect("only a duty that is held is begun").step = step;
        order
    }
}
