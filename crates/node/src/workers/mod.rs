//! Workers at work: watch a chain, do what the worker owes, send what it says.

use crate::{
    host::{Node, workers_of},
    outbox::Outbox,
};
use commonware_runtime::tokio::Context;
use consensus::{Chain, SubmitError};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::AtomicBool},
};
use tokio::sync::{Mutex, broadcast::error::RecvError};
use types::{
    Action, Height, JobId, Outcome,
    state::{Event, JobRecord, Key, WorkerRecord},
};
use worker::{Duty, Worker, duty};

/// Blocks between two looks at whether a heartbeat is due.
const BEAT_LOOKS: u64 = 16;

/// One worker of this process.
pub(crate) struct Active {
    node: Node,
    chain: Chain<Context>,
    worker: Worker,
    /// Outcomes committed to and not yet shown; a lost one is found again by running the job again.
    outcomes: Mutex<BTreeMap<JobId, Outcome>>,
    /// Duties taken up. Each change of a job tells its workers again what they owe; doing it twice would
    /// send a second statement that every block refuses, and the next one would wait behind it for ever.
    begun: Mutex<BTreeSet<(JobId, Duty)>>,
    outbox: Outbox,
    cancel: Arc<AtomicBool>,
}

/// Serve until the chain's feed ends.
pub(crate) async fn serve(
    node: Node,
    chain: Chain<Context>,
    worker: Worker,
    cancel: Arc<AtomicBool>,
) {
    let mut finals = chain.finals();
    let outbox = Outbox::open(chain.clone(), worker.key().clone(), node.anchor().network());
    let active = Arc::new(Active {
        node,
        chain,
        worker,
        outcomes: Mutex::default(),
        begun: Mutex::default(),
        outbox,
        cancel,
    });
    loop {
        match finals.recv().await {
            Ok(block) => {
                active.beat(block.header.height).await;
                for event in &block.events {
                    let Event::Job { job, phase } = event else { continue };
                    active.clone().notice(*job, phase).await;
                }
            }
            // Duties in the blocks missed are lost; their jobs have other seats.
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "worker fell behind its chain")
            }
            Err(RecvError::Closed) => return,
        }
    }
}

impl Active {
    /// Say now and then that this worker is there: twice in the time that may lie between two heartbeats.
    async fn beat(self: &Arc<Self>, height: Height) {
        if !height.get().is_multiple_of(BEAT_LOOKS) {
            return;
        }
        let Some(params) = self.chain.params().await else { return };
        let key = Key::Worker(self.worker.address());
        let Some(known) = self.chain.record::<WorkerRecord>(key).await else { return };
        if height.saturating_sub(known.seen).get() < params.heartbeat_blocks / 2 {
            return;
        }
        let active = self.clone();
        tokio::spawn(async move {
            if let Err(error) = active.outbox.say(Action::Heartbeat).await {
                tracing::debug!(worker = %active.worker.address(), %error, "no heartbeat");
            }
        });
    }

    async fn notice(self: Arc<Self>, job: JobId, phase: &types::state::Phase) {
        if !workers_of(phase).any(|worker| worker == self.worker.address()) {
            return;
        }
        let Some(record) = self.chain.record::<JobRecord>(Key::Job(job)).await else { return };
        if let Some(duty) = duty(&self.worker.address(), &record) {
            if !self.begun.lock().await.insert((job, duty)) {
                return;
            }
            tokio::spawn(async move {
                if let Err(error) = self.fulfil(job, &record, duty).await {
                    tracing::warn!(trace = %job, worker = %self.worker.address(), %error, "worker stays silent");
                }
            });
        } else if matches!(
            record.phase,
            types::state::Phase::Settled(_) | types::state::Phase::Ended { .. }
        ) {
            self.outcomes.lock().await.remove(&job);
            let mut begun = self.begun.lock().await;
            begun.remove(&(job, Duty::Run));
            begun.remove(&(job, Duty::Reveal));
        }
    }

    async fn fulfil(&self, job: JobId, record: &JobRecord, duty: Duty) -> Result<(), Failed> {
        let known = self.outcomes.lock().await.get(&job).copied();
        let outcome = match known {
            Some(outcome) => outcome,
            None => self.run(job, record).await?,
        };
        self.outcomes.lock().await.insert(job, outcome);
        let reveal = self.worker.reveal(job, outcome);
        let action = match duty {
            Duty::Run => {
                Action::Commit { job, commitment: reveal.commitment(&self.worker.address()) }
            }
            Duty::Reveal => Action::Reveal(reveal),
        };
        self.outbox.say(action).await.map(drop).map_err(Failed::Refused)
    }

    async fn run(&self, job: JobId, record: &JobRecord) -> Result<Outcome, Failed> {
        for (hash, _) in Worker::needs(&record.submission.spec) {
            self.node.fetch_blob(hash).await?;
        }
        let (worker, spec, cancel) =
            (self.worker.clone(), record.submission.spec.clone(), self.cancel.clone());
        let run = tokio::task::spawn_blocking(move || worker.run(&spec, &cancel));
        let outcome = run.await.map_err(|_| Failed::Panicked)??;
        tracing::info!(trace = %job, worker = %self.worker.address(), fuel = %outcome.fuel, "ran");
        Ok(outcome)
    }
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    CannotRun(#[from] worker::CannotRun),
    #[error("no node has blob: {0}")]
    Blob(#[from] crate::host::NoBlob),
    #[error("the chain refused: {0}")]
    Refused(SubmitError),
    #[error("the sandbox panicked")]
    Panicked,
}
