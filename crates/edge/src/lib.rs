//! A worker without a chain: duties come from a gateway's API, statements go back through it.
//!
//! ```text
//! gateway ── duties (server-sent events) ──▶ fetch blobs ─▶ run (worker) ─▶ outputs, Commit, Reveal ──▶ gateway
//! ```
//! The gateway is believed in nothing that costs: a duty counts when it is proved to stand in the chain's state, under a
//! header that the committee has signed and that is not long over. Blobs are checked against their hashes. What a
//! gateway can do is to be silent; then another is chosen.
//!
//! Everything here blocks; each duty has a thread.

mod line;

use api::{Client, ClientError, Code, JobView, ProofKey};
use blobs::Store;
use line::Line;
use receipt::{Follower, Invalid, Shown};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use types::{
    Action, ChainId, City, Hash, JobId, NanoMeshx, Outcome,
    codec::DecodeExt as _,
    state::{JobRecord, Key},
};
use worker::{Duty, Worker, duty};

/// Between two tries of anything that failed: at first, and at most.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(15);
/// How often the worker looks whether it is time to say that it is still there.
const BEAT_LOOKS: Duration = Duration::from_secs(10);
/// A proof is of the newest state that has a certificate, which may be a little older than what a gateway tells of.
const PROOF_TRIES: u32 = 20;
const PROOF_PAUSE: Duration = Duration::from_millis(250);

/// What this worker offers.
#[derive(Clone, Debug)]
pub struct Offer {
    pub chain: ChainId,
    /// Jobs at once.
    pub capacity: u16,
    pub city: City,
    /// The least it takes for a core-second.
    pub floor: NanoMeshx,
}

/// What a worker without a chain needs.
pub struct Edge {
    pub client: Client,
    pub network: Hash,
    pub worker: Worker,
    pub store: Store,
    pub offer: Offer,
    /// What is proved of the chain: a gateway's word is checked against it.
    pub follower: Arc<Mutex<Follower>>,
}

/// What a user may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// The chain knows its offer.
    Registered,
    /// It has no money for the fee of its registration.
    NeedsMoney(String),
    /// It has shown a result.
    Ran {
        job: JobId,
        fuel: u64,
    },
    Trouble(String),
}

struct Active {
    edge: Edge,
    line: Line,
    begun: Mutex<BTreeSet<(JobId, Duty)>>,
    /// Outcomes committed to and not yet shown.
    outcomes: Mutex<BTreeMap<JobId, Outcome>>,
    say: Box<dyn Fn(Said) + Send + Sync>,
    cancel: Arc<AtomicBool>,
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Gateway(#[from] ClientError),
    #[error(transparent)]
    CannotRun(#[from] worker::CannotRun),
    #[error("the store: {0}")]
    Store(#[from] blobs::BlobError),
    #[error("what the gateway says is not proved: {0}")]
    NotProved(#[from] Invalid),
    #[error("the gateway proves no such duty")]
    NoDuty,
}

/// Work until `cancel` is set. Whatever fails is tried again; `say` hears of it.
pub fn serve(edge: Edge, cancel: Arc<AtomicBool>, say: impl Fn(Said) + Send + Sync + 'static) {
    let line =
        Line::new(edge.client.clone(), edge.worker.key().clone(), edge.offer.chain, edge.network);
    let active = Arc::new(Active {
        edge,
        line,
        begun: Mutex::default(),
        outcomes: Mutex::default(),
        say: Box::new(say),
        cancel,
    });
    active.until_done(Active::register);
    let beating = active.clone();
    thread::spawn(move || beating.beat());
    let mut pause = PAUSE;
    while !active.stopped() {
        let begun = Instant::now();
        if let Err(error) = active.watch()
            && !active.stopped()
        {
            tracing::warn!(%error, "the gateway's feed broke");
            (active.say)(Said::Trouble(error.to_string()));
        }
        // A feed that stood for a while was a good one.
        pause = if begun.elapsed() > PAUSE_MAX { PAUSE } else { (pause * 2).min(PAUSE_MAX) };
        active.rest(pause);
    }
}

impl Active {
    fn stopped(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// Try until it is done or everything is over. Each new reason is told once.
    fn until_done(&self, what: impl Fn(&Self) -> Result<(), Failed>) {
        let (mut told, mut pause) = (String::new(), PAUSE);
        while !self.stopped() {
            let Err(error) = what(self) else { return };
            let text = error.to_string();
            if text != told {
                let poor = matches!(&error, Failed::Gateway(ClientError::Problem(problem))
                    if problem.code == Code::InsufficientFunds);
                (self.say)(if poor {
                    Said::NeedsMoney(self.edge.worker.address().to_string())
                } else {
                    Said::Trouble(text.clone())
                });
                told = text;
            }
            self.rest(pause);
            pause = (pause + PAUSE).min(PAUSE_MAX);
        }
    }

    /// Sleep for `pause`, unless everything is over before.
    fn rest(&self, pause: Duration) {
        let until = Instant::now() + pause;
        while Instant::now() < until && !self.stopped() {
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Let the chain know the offer, unless it does.
    fn register(&self) -> Result<(), Failed> {
        let Edge { client, worker, offer, .. } = &self.edge;
        client.ready()?;
        let known = match client.worker(offer.chain, worker.address()) {
            Ok(view) => Some(view.record),
            Err(ClientError::Problem(problem)) if problem.code == Code::UnknownWorker => None,
            Err(error) => return Err(error.into()),
        };
        let same = known.is_some_and(|record| {
            (record.capacity, record.floor, &record.city)
                == (offer.capacity, offer.floor, &offer.city)
        });
        if !same {
            let (capacity, city, floor) = (offer.capacity, offer.city.clone(), offer.floor);
            self.line.say(Action::RegisterWorker { capacity, city, floor })?;
        }
        (self.say)(Said::Registered);
        Ok(())
    }

    /// Say now and then that this worker is there: twice in the time that may lie between two heartbeats.
    fn beat(&self) {
        let mut last = Instant::now();
        while !self.stopped() {
            thread::sleep(Duration::from_millis(200));
            if last.elapsed() < BEAT_LOOKS {
                continue;
            }
            last = Instant::now();
            if let Err(error) = self.beat_if_due() {
                tracing::debug!(%error, "no heartbeat");
            }
        }
    }

    fn beat_if_due(&self) -> Result<(), Failed> {
        let Edge { client, worker, offer, .. } = &self.edge;
        let params = client.params(offer.chain)?;
        let record = client.worker(offer.chain, worker.address())?.record;
        let height = client.account(offer.chain, worker.address())?.height;
        if height.saturating_sub(record.seen).get() >= params.heartbeat_blocks / 2 {
            self.line.say(Action::Heartbeat)?;
        }
        Ok(())
    }

    /// Take up duties as the gateway tells of them, until the feed breaks.
    fn watch(self: &Arc<Self>) -> Result<(), Failed> {
        let Edge { client, worker, offer, .. } = &self.edge;
        self.forget_ended()?;
        for view in client.duties(offer.chain, worker.address())? {
            let view = view?;
            if self.stopped() {
                break;
            }
            self.notice(view);
        }
        Ok(())
    }

    fn notice(self: &Arc<Self>, view: JobView) {
        let JobView { job, record, .. } = view;
        let Some(duty) = duty(&self.edge.worker.address(), &record) else {
            if matches!(
                record.phase,
                types::state::Phase::Settled(_) | types::state::Phase::Ended { .. }
            ) {
                self.forget(job);
            }
            return;
        };
        {
            let mut begun = self.begun.lock().expect("no panic while locked");
            // A chain gives a worker as many seats as it offers; a gateway that invents more is not followed.
            let most = usize::from(self.edge.offer.capacity).saturating_mul(2);
            if begun.len() >= most.max(2) || !begun.insert((job, duty)) {
                return;
            }
        }
        let active = self.clone();
        thread::spawn(move || {
            if let Err(error) = active.fulfil(job, duty) {
                tracing::warn!(trace = %job, %error, "worker stays silent");
                (active.say)(Said::Trouble(format!("{job}: {error}")));
                // It may be told again, by a feed taken up anew.
                active.begun.lock().expect("no panic while locked").remove(&(job, duty));
            }
        });
    }

    /// What ended while no feed told of it: such jobs would fill this worker's places for ever.
    fn forget_ended(&self) -> Result<(), Failed> {
        let begun = self.begun.lock().expect("no panic while locked");
        let jobs: BTreeSet<JobId> = begun.iter().map(|(job, _)| *job).collect();
        drop(begun);
        for job in jobs {
            let over = match self.edge.client.job(Some(self.edge.offer.chain), job) {
                Ok(view) => view.is_over(),
                Err(ClientError::Problem(problem)) if problem.code == Code::UnknownJob => true,
                Err(error) => return Err(error.into()),
            };
            if over {
                self.forget(job);
            }
        }
        Ok(())
    }

    fn forget(&self, job: JobId) {
        self.outcomes.lock().expect("no panic while locked").remove(&job);
        let mut begun = self.begun.lock().expect("no panic while locked");
        begun.remove(&(job, Duty::Run));
        begun.remove(&(job, Duty::Reveal));
    }

    /// The job's record in the newest state that is proved, as soon as it has `wanted` for this worker.
    fn proved(&self, job: JobId, wanted: Duty) -> Result<JobRecord, Failed> {
        let Edge { client, worker, offer, follower, .. } = &self.edge;
        let mut tries = 0;
        loop {
            let view = client.proof(offer.chain, ProofKey::Job(job))?;
            let record = view.value.as_ref().map(|value| value.0.as_slice());
            let (header, certificate, proof) =
                (&view.header, &view.certificate.0[..], &view.proof.0[..]);
            let shown = Shown { header, certificate, record, proof };
            follower.lock().expect("no panic while locked").check(&Key::Job(job), shown)?;
            let record = record.and_then(|record| JobRecord::decode(record.to_vec()).ok());
            if let Some(record) = record
                && duty(&worker.address(), &record) == Some(wanted)
            {
                return Ok(record);
            }
            tries += 1;
            if tries >= PROOF_TRIES || self.stopped() {
                return Err(Failed::NoDuty);
            }
            self.rest(PROOF_PAUSE);
        }
    }

    fn fulfil(&self, job: JobId, duty: Duty) -> Result<(), Failed> {
        let record = &self.proved(job, duty)?;
        let worker = &self.edge.worker;
        let known = self.outcomes.lock().expect("no panic while locked").get(&job).copied();
        let outcome = match known {
            Some(outcome) => outcome,
            None => self.run(record)?,
        };
        self.outcomes.lock().expect("no panic while locked").insert(job, outcome);
        let reveal = worker.reveal(job, outcome);
        match duty {
            Duty::Run => {
                let commitment = reveal.commitment(&worker.address());
                self.line.say(Action::Commit { job, commitment })?;
            }
            Duty::Reveal => {
                // Whoever asks the gateway for the job's output finds it there.
                for output in [outcome.stdout.hash, outcome.stderr.hash] {
                    self.offer_blob(output)?;
                }
                self.line.say(Action::Reveal(reveal))?;
                (self.say)(Said::Ran { job, fuel: outcome.fuel.get() });
            }
        }
        Ok(())
    }

    fn run(&self, record: &JobRecord) -> Result<Outcome, Failed> {
        let Edge { client, store, worker, .. } = &self.edge;
        let spec = &record.submission.spec;
        for (hash, _) in Worker::needs(spec) {
            if !store.contains(hash) {
                store.put_expected(hash, client.blob_bytes(hash)?.as_slice())?;
            }
        }
        Ok(worker.run(spec, &self.cancel)?)
    }

    fn offer_blob(&self, hash: Hash) -> Result<(), Failed> {
        let Edge { client, store, .. } = &self.edge;
        if client.blob_len(hash)?.is_none() {
            let bytes = store.get(hash)?;
            client.put_blob(hash, bytes.as_slice(), Some(bytes.len() as u64))?;
        }
        Ok(())
    }
}
