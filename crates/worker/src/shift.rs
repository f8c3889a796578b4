//! A worker's shift: from what it was told to what it is to do next.
//!
//! ```text
//! feed: a job's record ──▶┐            ┌──▶ Run ─────▶ Ran, Failed ──────┐
//! feed: gap ─────────────▶│   Shift    ├──▶ Commit ──▶ Said, Failed ─────┤
//! own record, tick ──────▶│            ├──▶ Reveal ──▶ Said, Failed ─────┤
//!        ┌───────────────▶│            ├──▶ Heartbeat ▶ Beat ────────────┤
//!        │                └────────────┴──▶ LookUp ──▶ what is open ─────┤
//!        └───────────────────────────────────────────────────────────────┘
//! ```
//! A shell tells it everything with [`Shift::told`] and carries out the [`Order`]s that come back. Each order but
//! [`Order::LookUp`] is answered once. Time is passed in; nothing here waits, reads or sends.

use crate::{
    Asks, Duty, PAUSE_MAX,
    held::{Failure, Held},
    pause,
};
use std::collections::BTreeMap;
use types::{Height, JobId, Millis, Obstacle, Outcome, state::WorkerRecord};

/// What a shell has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// What a job's newest record asks of this worker. Telling the same twice is harmless.
    Job {
        /// Which job.
        job: JobId,
        /// What it asks of this worker.
        asks: Asks,
    },
    /// A run has ended with an outcome.
    Ran {
        /// Which job.
        job: JobId,
        /// What it gave.
        outcome: Outcome,
    },
    /// The statement of a duty is final.
    Said {
        /// Which job.
        job: JobId,
        /// Which statement: the commitment or the reveal.
        duty: Duty,
    },
    /// A run or a statement failed. `lasting`: the same again would fail again.
    Failed {
        /// Which job.
        job: JobId,
        /// What was tried.
        duty: Duty,
        /// Whether trying again is pointless.
        lasting: bool,
        /// What a worker says that cannot run the job, if it was a run and the job or the network was at fault.
        obstacle: Option<Obstacle>,
    },
    /// There is no feed yet, it has a gap, it broke, or what is open could not be looked up.
    Lagged,
    /// The worker's own record at `height`, and the most blocks between two heartbeats.
    Own {
        /// This worker, as the chain knows it.
        record: WorkerRecord,
        /// The chain's height.
        height: Height,
        /// Most blocks between two heartbeats for the time between them to be paid.
        heartbeat_blocks: u64,
    },
    /// The heartbeat is final, or it failed.
    Beat,
    /// Time has passed.
    Tick,
}

/// What a shell is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Run the job, after making sure that it still asks for `duty`.
    Run {
        /// Which job.
        job: JobId,
        /// The duty that it is run for.
        duty: Duty,
    },
    /// Commit to the outcome.
    Commit {
        /// Which job.
        job: JobId,
        /// What to promise.
        outcome: Outcome,
    },
    /// Show the outcome.
    Reveal {
        /// Which job.
        job: JobId,
        /// What to show.
        outcome: Outcome,
    },
    /// Say that the worker is still there.
    Heartbeat,
    /// Tell what each open job asks of this worker, and of each job in `held` whether it is over. Take up a broken feed.
    LookUp {
        /// The jobs that this shift knows of.
        held: Vec<JobId>,
    },
}

/// Everything a worker has taken on.
#[derive(Debug)]
pub struct Shift {
    capacity: u16,
    jobs: BTreeMap<JobId, Held>,
    beating: bool,
    look: Look,
}

/// When to look up what is open.
#[derive(Debug, Default)]
struct Look {
    due: bool,
    last: Option<Millis>,
    /// Looks in a row that came soon after the one before.
    soon: u32,
}

impl Shift {
    /// A shift that has taken on nothing, for a worker that offers `capacity` jobs at once.
    pub fn new(capacity: u16) -> Self {
        Self { capacity, jobs: BTreeMap::new(), beating: false, look: Look::default() }
    }

    /// Take in what the shell tells at `now`, and say what is to be done. `now` counts from any moment and never runs
    /// backwards.
    pub fn told(&mut self, now: Millis, told: Told) -> Vec<Order> {
        let mut orders = Vec::new();
        match told {
            Told::Job { job, asks: Asks::Duty(duty) } => orders.extend(self.notice(job, duty)),
            Told::Job { job, asks: Asks::Over } => self.with(job, Held::end),
            Told::Job { asks: Asks::Nothing, .. } | Told::Tick => {}
            Told::Ran { job, outcome } => {
                self.with(job, |held| orders.extend(held.ran(job, outcome)));
            }
            Told::Said { job, duty } => self.with(job, |held| held.said(duty)),
            Told::Failed { job, duty, lasting, obstacle } => {
                let failure = Failure { lasting, obstacle };
                self.with(job, |held| orders.extend(held.failed(job, duty, failure, now)));
            }
            Told::Lagged => self.look.due = true,
            Told::Own { record, height, heartbeat_blocks } => {
                self.capacity = record.capacity;
                orders.extend(self.beat(&record, height, heartbeat_blocks));
            }
            Told::Beat => self.beating = false,
        }
        self.jobs.retain(|_, held| !held.may_leave());
        orders.extend(self.jobs.iter_mut().flat_map(|(job, held)| held.wake(*job, now)));
        if self.look.begin(now) {
            orders.push(Order::LookUp { held: self.held().collect() });
        }
        orders
    }

    /// Jobs taken on that are not known to be over.
    pub fn held(&self) -> impl Iterator<Item = JobId> {
        self.jobs.keys().copied()
    }

    /// Most jobs that are held at once. A chain assigns a worker to as many open jobs as it offers; twice as many leave
    /// room for those whose end is still to be told. What is told beyond that is looked up later, when there may be
    /// room.
    pub fn held_max(&self) -> usize {
        usize::from(self.capacity).saturating_mul(2).max(2)
    }

    fn notice(&mut self, job: JobId, duty: Duty) -> Option<Order> {
        if !self.jobs.contains_key(&job) && self.jobs.len() >= self.held_max() {
            // What does not fit is looked up again, so a job that came while all places were taken is not forgotten.
            self.look.due = true;
            return None;
        }
        self.jobs.entry(job).or_default().notice(job, duty)
    }

    fn beat(&mut self, own: &WorkerRecord, height: Height, heartbeat_blocks: u64) -> Option<Order> {
        // Twice in the time that may lie between two heartbeats, so that one may be lost.
        let due = height.saturating_sub(own.seen).get() >= heartbeat_blocks / 2;
        if self.beating || !due {
            return None;
        }
        self.beating = true;
        Some(Order::Heartbeat)
    }

    fn with(&mut self, job: JobId, change: impl FnOnce(&mut Held)) {
        if let Some(held) = self.jobs.get_mut(&job) {
            change(held);
        }
    }
}

impl Look {
    /// Whether to look now. The first look is at once; those that follow each other closely come ever more seldom.
    fn begin(&mut self, now: Millis) -> bool {
        let since = self.last.map(|last| now.saturating_sub(last));
        let rested = since.is_none_or(|since| since >= pause(self.soon));
        if !self.due || !rested {
            return false;
        }
        // A feed that stood for a while was a good one.
        self.soon = if since.is_none_or(|since| since > PAUSE_MAX) { 1 } else { self.soon + 1 };
        (self.due, self.last) = (false, Some(now));
        true
    }
}
