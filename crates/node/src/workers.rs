//! Workers at work: watch a chain, do what the worker owes, send what it says.

use crate::host::Node;
use commonware_runtime::tokio::Context;
use consensus::{Chain, SubmitError};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
use tokio::sync::{Mutex, broadcast::error::RecvError};
use types::{
    Action, JobId, NanoMeshx, Outcome, Signature, Tx,
    state::{Event, JobRecord, Key},
};
use worker::{Duty, Worker, duty};

/// How often a statement that the chain did not take yet is sent again, and how long between.
const SEND_TRIES: usize = 20;
const SEND_PAUSE: Duration = Duration::from_millis(250);

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
    /// One transaction at a time, so that nonces come in order.
    sending: Mutex<()>,
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
    let active = Arc::new(Active {
        node,
        chain,
        worker,
        outcomes: Mutex::default(),
        begun: Mutex::default(),
        sending: Mutex::default(),
        cancel,
    });
    loop {
        match finals.recv().await {
            Ok(block) => {
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
    async fn notice(self: Arc<Self>, job: JobId, phase: &types::state::Phase) {
        if !phase_mentions(phase, &self.worker.address()) {
            return;
        }
        let Some(record) = self.chain.record::<JobRecord>(Key::Job(job)).await else { return };
        if let Some(duty) = duty(&self.worker.address(), &record) {
            if !self.begun.lock().await.insert((job, duty)) {
                return;
            }
            tokio::spawn(async move {
                if let Err(error) = self.fulfil(job, &record, duty).await {
                    tracing::warn!(%job, worker = %self.worker.address(), %error, "worker stays silent");
                }
            });
        } else if matches!(
            record.phase,
            types::state::Phase::Settled(_) | types::state::Phase::Ended { .. }
        ) {
            self.outcomes.lock().await.remove(&job);
            self.begun.lock().await.retain(|(of, _)| *of != job);
        }
    }

    async fn fulfil(&self, job: JobId, record: &JobRecord, duty: Duty) -> Result<(), Failed> {
        let known = self.outcomes.lock().await.get(&job).copied();
        let outcome = match known {
            Some(outcome) => outcome,
            None => self.run(record).await?,
        };
        self.outcomes.lock().await.insert(job, outcome);
        let reveal = self.worker.reveal(job, outcome);
        let action = match duty {
            Duty::Run => {
                Action::Commit { job, commitment: reveal.commitment(&self.worker.address()) }
            }
            Duty::Reveal => Action::Reveal(reveal),
        };
        self.send(action).await
    }

    async fn run(&self, record: &JobRecord) -> Result<Outcome, Failed> {
        for (hash, _) in Worker::needs(&record.submission.spec) {
            self.node.fetch_blob(hash).await?;
        }
        let (worker, spec, cancel) =
            (self.worker.clone(), record.submission.spec.clone(), self.cancel.clone());
        let run = tokio::task::spawn_blocking(move || worker.run(&spec, &cancel));
        Ok(run.await.map_err(|_| Failed::Panicked)??)
    }

    async fn send(&self, action: Action) -> Result<(), Failed> {
        let _one_at_a_time = self.sending.lock().await;
        let mut last = None;
        for _ in 0..SEND_TRIES {
            let mut tx = Tx {
                chain: self.chain.id(),
                sender: self.worker.public(),
                nonce: self.chain.next_nonce(self.worker.address()).await,
                tip: NanoMeshx::ZERO,
                action: action.clone(),
                signature: Signature([0; 64]),
            };
            let network = self.node.anchor().network();
            tx.signature =
                Signature(self.worker.key().sign(chain::TX_DOMAIN, &tx.signing_bytes(&network)));
            match self.chain.submit(tx).await {
                Ok(_) => return Ok(()),
                Err(SubmitError::Refused(refusal)) if refusal.code() == "out_of_phase" => {
                    return Err(Failed::Refused(SubmitError::Refused(refusal)));
                }
                Err(error) => last = Some(error),
            }
            tokio::time::sleep(SEND_PAUSE).await;
        }
        Err(Failed::Refused(last.unwrap_or(SubmitError::NotReady)))
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

fn phase_mentions(phase: &types::state::Phase, worker: &types::Address) -> bool {
    use types::state::Phase;
    let seats = match phase {
        Phase::Committing { seats, .. }
        | Phase::Revealing { seats, .. }
        | Phase::Ended { seats, .. } => seats,
        Phase::Settled(settlement) => &settlement.seats,
        Phase::Queued => return false,
    };
    seats.iter().any(|seat| seat.worker == *worker)
}
