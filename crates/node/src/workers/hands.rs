//! What a worker of a node does through its own chain: look, fetch, run, say.

use crate::{
    duties,
    host::{NoBlob, Node},
    line::Line,
};
use commonware_runtime::tokio::Context;
use consensus::{Chain, SubmitError};
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
use tokio::sync::mpsc;
use types::{
    Action, JobId, Obstacle, Outcome,
    state::{JobRecord, Key, WorkerRecord},
};
use worker::{Asks, CannotRun, Duty, Order, Told, Worker};

/// How often a worker looks whether its chain has started.
const START_LOOKS: Duration = Duration::from_millis(250);

/// What carries out the orders of one worker's shift.
pub(super) struct Hands {
    pub(super) node: Node,
    pub(super) chain: Chain<Context>,
    pub(super) worker: Worker,
    pub(super) line: Line,
    /// To the shift.
    pub(super) tell: mpsc::Sender<Told>,
    pub(super) cancel: Arc<AtomicBool>,
}

impl Hands {
    pub(super) async fn carry_out(self: Arc<Self>, order: Order) {
        let me = self.worker.address();
        match order {
            Order::Run { job, duty } => match self.run(job, duty).await {
                Ok(outcome) => self.tell(Told::Ran { job, outcome }).await,
                Err(error) => self.fail(job, duty, error).await,
            },
            Order::Commit { job, outcome } => {
                let commitment = self.worker.reveal(job, outcome).commitment(&me);
                self.say(job, Duty::Run, Action::Commit { job, commitment }).await;
            }
            Order::Reveal { job, outcome } => {
                let reveal = self.worker.reveal(job, outcome);
                self.say(job, Duty::Reveal, Action::Reveal(reveal)).await;
            }
            Order::Heartbeat => {
                if let Err(error) = self.line.say(Action::Heartbeat).await {
                    tracing::debug!(worker = %me, %error, "no heartbeat");
                }
                self.tell(Told::Beat).await;
            }
            Order::LookUp { held } => {
                // A chain that has just started has no block yet to read from.
                while self.chain.tip().is_none() && !self.tell.is_closed() {
                    tokio::time::sleep(START_LOOKS).await;
                }
                self.look_at_itself().await;
                let open = duties::open_jobs(&self.chain, me).await;
                for job in open.into_iter().chain(held) {
                    self.look_at(job).await;
                }
            }
        }
    }

    pub(super) async fn look_at_itself(&self) {
        let key = Key::Worker(self.worker.address());
        let (Some(params), Some(record), Some(tip)) = (
            self.chain.params().await,
            self.chain.record::<WorkerRecord>(key).await,
            self.chain.tip(),
        ) else {
            return;
        };
        let heartbeat_blocks = params.heartbeat_blocks;
        self.tell(Told::Own { record, height: tip.height, heartbeat_blocks }).await;
    }

    /// Tell what `job` asks of this worker now.
    pub(super) async fn look_at(&self, job: JobId) -> Option<JobRecord> {
        let record: Option<JobRecord> = self.chain.record(Key::Job(job)).await;
        let asks = record.as_ref().map_or(Asks::Over, |of| Asks::of(&self.worker.address(), of));
        self.tell(Told::Job { job, asks }).await;
        record
    }

    async fn run(&self, job: JobId, duty: Duty) -> Result<Outcome, Failed> {
        let record = self.look_at(job).await.ok_or(Failed::NotDue)?;
        if Asks::of(&self.worker.address(), &record) != Asks::Duty(duty) {
            return Err(Failed::NotDue);
        }
        let spec = record.submission.spec;
        // Before the run, whose thread must not wait for a network.
        for (hash, _) in Worker::needs(&spec) {
            self.node.fetch_blob(hash).await?;
        }
        let (worker, cancel) = (self.worker.clone(), self.cancel.clone());
        let run = tokio::task::spawn_blocking(move || worker.run(&spec, &cancel));
        let outcome = run.await.map_err(|_| Failed::Panicked)??;
        tracing::info!(trace = %job, worker = %self.worker.address(), fuel = %outcome.fuel, "ran");
        Ok(outcome)
    }

    async fn say(&self, job: JobId, duty: Duty, action: Action) {
        match self.line.say(action).await {
            Ok(_) => self.tell(Told::Said { job, duty }).await,
            Err(error) => self.fail(job, duty, error.into()).await,
        }
    }

    async fn fail(&self, job: JobId, duty: Duty, error: Failed) {
        let lasting = error.is_lasting();
        tracing::warn!(trace = %job, worker = %self.worker.address(), ?duty, lasting, %error, "failed");
        let obstacle = error.obstacle();
        self.tell(Told::Failed { job, duty, lasting, obstacle }).await;
    }

    pub(super) async fn tell(&self, told: Told) {
        // A shift that has ended needs to hear nothing.
        let _ = self.tell.send(told).await;
    }
}

/// Why a duty was not fulfilled.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    CannotRun(#[from] CannotRun),
    #[error(transparent)]
    Blob(#[from] NoBlob),
    #[error("the chain refused: {0}")]
    Refused(#[from] SubmitError),
    #[error("the sandbox panicked")]
    Panicked,
    #[error("the job no longer asks for this")]
    NotDue,
}

impl Failed {
    /// What this worker says about a job that it cannot run.
    const fn obstacle(&self) -> Option<Obstacle> {
        match self {
            Self::CannotRun(cannot) => cannot.obstacle(),
            Self::Blob(_) => Some(Obstacle::MissingInput),
            Self::Refused(_) | Self::Panicked | Self::NotDue => None,
        }
    }

    fn is_lasting(&self) -> bool {
        match self {
            Self::CannotRun(cannot) => cannot.is_lasting(),
            Self::Refused(error) => error.is_lasting(),
            // What made the sandbox panic would do so again.
            Self::Panicked | Self::NotDue => true,
            Self::Blob(_) => false,
        }
    }
}
