//! What an edge does through its gateway: prove, fetch, run, say.

use crate::{Edge, Said, line::Line, payout};
use api::{ClientError, Code, FaucetAsked, JobView, ProofKey};
use receipt::Invalid;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use types::{
    Action, Hash, JobId, NanoMeshx, Obstacle, Outcome,
    state::{JobRecord, Key, WorkerRecord},
};
use worker::{Asks, Duty, Told, Worker, pause};

/// A proof is of the newest state that has a certificate, which may be a little older than what a gateway tells of.
const PROOF_TRIES: u32 = 20;
const PROOF_PAUSE: Duration = Duration::from_millis(250);

pub(crate) struct Hands {
    edge: Edge,
    line: Line,
    say: Box<dyn Fn(Said) + Send + Sync>,
    cancel: Arc<AtomicBool>,
    /// A feed of duties is open.
    watching: AtomicBool,
    /// A payout is on its way.
    paying: AtomicBool,
    /// What was told of was not all taken up: the feed is to be opened anew.
    missed: AtomicBool,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error(transparent)]
    Gateway(#[from] ClientError),
    #[error(transparent)]
    CannotRun(#[from] worker::CannotRun),
    #[error("the blob store: {0}")]
    Store(#[from] blobs::BlobError),
    #[error("the gateway's proof does not hold: {0}")]
    NotProved(#[from] Invalid),
    #[error("the gateway does not prove this duty")]
    NoDuty,
    #[error("the job is over")]
    Over,
}

impl Failed {
    pub(crate) const fn job_is_over(&self) -> bool {
        matches!(self, Self::Over)
    }

    /// Whether the same again would fail again.
    pub(crate) fn is_lasting(&self) -> bool {
        match self {
            Self::Gateway(error) => error.is_lasting(),
            Self::CannotRun(cannot) => cannot.is_lasting(),
            Self::Over => true,
            Self::Store(_) | Self::NotProved(_) | Self::NoDuty => false,
        }
    }

    /// What this worker says about a job that it cannot run.
    pub(crate) fn obstacle(&self) -> Option<Obstacle> {
        match self {
            Self::CannotRun(cannot) => cannot.obstacle(),
            Self::Gateway(error) => {
                let unknown = |problem: &api::Problem| problem.code == Code::UnknownBlob;
                error.problem().filter(|problem| unknown(problem)).map(|_| Obstacle::MissingInput)
            }
            Self::Store(_) | Self::NotProved(_) | Self::NoDuty | Self::Over => None,
        }
    }

    fn is_poverty(&self) -> bool {
        let Self::Gateway(error) = self else { return false };
        error.problem().is_some_and(|problem| problem.code == Code::InsufficientFunds)
    }
}

impl Hands {
    pub(crate) fn new(
        edge: Edge,
        cancel: Arc<AtomicBool>,
        say: Box<dyn Fn(Said) + Send + Sync>,
    ) -> Self {
        let Edge { client, worker, offer, network, .. } = &edge;
        let line = Line::new(client.clone(), worker.key().clone(), offer.chain, *network);
        let (watching, paying, missed) = Default::default();
        Self { edge, line, say, cancel, watching, paying, missed }
    }

    pub(crate) fn stopped(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    pub(crate) const fn capacity(&self) -> u16 {
        self.edge.offer.capacity
    }

    pub(crate) fn tell(&self, said: Said) {
        if !self.stopped() {
            (self.say)(said);
        }
    }

    pub(crate) fn say(&self, action: Action) -> Result<(), Failed> {
        Ok(self.line.say(action).map(drop)?)
    }

    /// Try until it is done or everything is over; whether it was done. Each new reason is told once.
    pub(crate) fn until_done(&self, what: impl Fn(&Self) -> Result<(), Failed>) -> bool {
        let (mut told, mut failures) = (String::new(), 0);
        while !self.stopped() {
            let Err(error) = what(self) else { return true };
            let text = error.to_string();
            if text != told {
                self.tell(if error.is_poverty() {
                    Said::NeedsMoney {
                        address: self.edge.worker.address().to_string(),
                        amount: self.needed(),
                    }
                } else {
                    Said::Trouble(text.clone())
                });
                told = text;
            }
            failures += 1;
            self.rest(Duration::from_millis(pause(failures).get()));
        }
        false
    }

    /// Sleep for `pause`, unless everything is over before.
    fn rest(&self, pause: Duration) {
        let until = Instant::now() + pause;
        while Instant::now() < until && !self.stopped() {
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Let the chain know the offer, unless it does.
    pub(crate) fn register(&self) -> Result<(), Failed> {
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
            let register = Action::RegisterWorker { capacity, city, floor };
            match self.say(register.clone()) {
                Err(error) if error.is_poverty() && self.edge.development => {
                    self.ask_faucet()?;
                    self.say(register)?;
                }
                said => said?,
            }
        }
        self.tell(Said::Registered);
        Ok(())
    }

    /// Let the chain know that this worker takes no more jobs: each that drew it would wait for it in vain.
    pub(crate) fn leave(&self) {
        let (city, floor) = (self.edge.offer.city.clone(), self.edge.offer.floor);
        if let Err(error) = self.say(Action::RegisterWorker { capacity: 0, city, floor }) {
            tracing::debug!(%error, "the chain does not know that this worker left");
        }
    }

    /// What an account needs for the bond of its places and for fees. Only for fees, if the rules cannot be asked for now.
    fn needed(&self) -> NanoMeshx {
        let Edge { client, offer, .. } = &self.edge;
        let bond = client.params(offer.chain).ok().and_then(|params| params.bond(offer.capacity));
        bond.and_then(|bond| bond.checked_add(payout::KEPT)).unwrap_or(payout::KEPT)
    }

    /// Have the faucet of a development network give enough for the bond and for fees, and no more: what a payout address gets
    /// is earned.
    fn ask_faucet(&self) -> Result<(), Failed> {
        let Edge { client, worker, offer, .. } = &self.edge;
        let asked = FaucetAsked {
            chain: offer.chain,
            address: worker.address(),
            amount: Some(self.needed()),
        };
        let gave = client.faucet(&asked)?;
        self.tell(Said::Funded(gave.amount));
        Ok(())
    }

    /// Send what was earned to the payout address, if there is one and it is worth a transaction.
    pub(crate) fn pay_out(&self) -> Result<(), Failed> {
        let Edge { client, worker, offer, payout: Some(to), .. } = &self.edge else {
            return Ok(());
        };
        // A payout that waits for its block must not be sent twice.
        if self.paying.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let paid =
            client.account(offer.chain, worker.address()).map_err(Failed::from).and_then(|own| {
                let Some(amount) = payout::due(own.balance) else { return Ok(()) };
                self.say(Action::Transfer { to: *to, amount })?;
                self.tell(Said::PaidOut { amount, to: *to });
                Ok(())
            });
        self.paying.store(false, Ordering::Release);
        paid
    }

    /// What the gateway says of this worker. A gateway that invents a capacity does not make it take on more.
    pub(crate) fn own(&self) -> Result<Told, Failed> {
        let Edge { client, worker, offer, .. } = &self.edge;
        let heartbeat_blocks = client.params(offer.chain)?.heartbeat_blocks;
        let record = client.worker(offer.chain, worker.address())?.record;
        let record = WorkerRecord { capacity: offer.capacity, ..record };
        let height = client.account(offer.chain, worker.address())?.height;
        Ok(Told::Own { record, height, heartbeat_blocks })
    }

    /// Tell which of the jobs in `held` are over, then of duties until the feed breaks. Whether a feed is to be opened anew;
    /// not if another is open, for that one ends with its next duty.
    pub(crate) fn look_up(
        &self,
        held: &[JobId],
        told: impl Fn(JobId, Asks),
    ) -> Result<bool, Failed> {
        for job in held {
            if self.is_over(*job)? {
                told(*job, Asks::Over);
            }
        }
        if self.watching.swap(true, Ordering::AcqRel) {
            self.missed.store(true, Ordering::Release);
            return Ok(false);
        }
        let watched = self.watch(told);
        self.watching.store(false, Ordering::Release);
        watched.map(|()| true)
    }

    fn is_over(&self, job: JobId) -> Result<bool, Failed> {
        match self.edge.client.job(Some(self.edge.offer.chain), job) {
            Ok(view) => Ok(view.is_over()),
            Err(ClientError::Problem(problem)) if problem.code == Code::UnknownJob => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    fn watch(&self, told: impl Fn(JobId, Asks)) -> Result<(), Failed> {
        let (client, me) = (&self.edge.client, self.edge.worker.address());
        self.missed.store(false, Ordering::Release);
        for view in client.duties(self.edge.offer.chain, me)? {
            let JobView { job, record, .. } = view?;
            told(job, Asks::of(&me, &record));
            if self.stopped() || self.missed.load(Ordering::Acquire) {
                break;
            }
        }
        Ok(())
    }

    /// Run the job that asks for `duty`.
    pub(crate) fn run(&self, job: JobId, duty: Duty) -> Result<Outcome, Failed> {
        let Edge { client, store, worker, .. } = &self.edge;
        let spec = self.proved(job, duty)?.submission.spec;
        for (hash, _) in Worker::needs(&spec) {
            if !store.contains(hash) {
                store.put_expected(hash, client.blob_bytes(hash)?.as_slice())?;
            }
        }
        Ok(worker.run(&spec, &self.cancel)?)
    }

    pub(crate) fn commit(&self, job: JobId, outcome: Outcome) -> Result<(), Failed> {
        let worker = &self.edge.worker;
        let commitment = worker.reveal(job, outcome).commitment(&worker.address());
        self.say(Action::Commit { job, commitment })
    }

    /// Show the outcome, once it is proved that all have committed: a worker that hears it before could copy it.
    pub(crate) fn reveal(&self, job: JobId, outcome: Outcome) -> Result<(), Failed> {
        self.proved(job, Duty::Reveal)?;
        // Clients ask the gateway for the job's output, so it must be there.
        for output in self.edge.worker.gives(&outcome)? {
            self.offer_blob(output)?;
        }
        self.say(Action::Reveal(self.edge.worker.reveal(job, outcome)))?;
        self.tell(Said::Ran { job, fuel: outcome.fuel.get() });
        Ok(())
    }

    /// The job's record in the newest state that is proved, as soon as it asks for `wanted`.
    fn proved(&self, job: JobId, wanted: Duty) -> Result<JobRecord, Failed> {
        let Edge { client, worker, offer, follower, .. } = &self.edge;
        for _ in 0..PROOF_TRIES {
            let proved = client.proved(offer.chain, ProofKey::Job(job))?;
            follower.lock().expect("no panic while locked").check(&Key::Job(job), &proved)?;
            let record = proved.decoded::<JobRecord>().map(|proved| proved.record);
            match record.map(|record| (Asks::of(&worker.address(), &record), record)) {
                Some((Asks::Duty(duty), record)) if duty == wanted => return Ok(record),
                Some((Asks::Over, _)) => return Err(Failed::Over),
                _ if self.stopped() => break,
                _ => self.rest(PROOF_PAUSE),
            }
        }
        Err(Failed::NoDuty)
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
