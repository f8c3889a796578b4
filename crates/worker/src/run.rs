//! Running one replica of a job.

use blobs::{BlobError, Store};
use crypto::SigningKey;
use sandbox::{Ended, Engine, SpecBytes};
use std::sync::{Arc, atomic::AtomicBool};
use types::{
    Address, Hash, JobId, JobSpec, Millis, Obstacle, Outcome, OutputList, PublicKey, Reveal,
    codec::DecodeExt as _, domain_hash,
};

/// Why a worker has nothing to commit to. It stays silent; others may still answer.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum CannotRun {
    #[error("cannot get blob {hash}: {source}")]
    Blob { hash: Hash, source: BlobError },
    #[error("the module is refused: {0}")]
    Refused(#[from] sandbox::Refused),
    #[error("the job was killed by its wall-clock limit after {0} ms")]
    WallClock(Millis),
    #[error("the node is shutting down")]
    Cancelled,
    #[error("the job is for another execution profile than this worker's")]
    Profile,
    #[error("the blob has {actual} bytes, but the job declares {declared}")]
    Length { declared: u64, actual: u64 },
}

impl CannotRun {
    /// Whether a second run would come to the same. One that was killed by its wall-clock limit might not, on an idle
    /// machine; but its payer owes nothing for it, so a worker does not run it twice for nothing.
    pub const fn is_lasting(&self) -> bool {
        match self {
            Self::Refused(_) | Self::WallClock(_) | Self::Profile | Self::Length { .. } => true,
            Self::Blob { .. } | Self::Cancelled => false,
        }
    }
}

impl CannotRun {
    /// What a worker says about a job that it cannot run for this reason. `None`: it says nothing, for it is the worker's
    /// own affair.
    pub const fn obstacle(&self) -> Option<Obstacle> {
        match self {
            Self::Blob { .. } => Some(Obstacle::MissingInput),
            Self::Refused(_) => Some(Obstacle::Module),
            Self::WallClock(_) => Some(Obstacle::WallClock),
            Self::Length { .. } => Some(Obstacle::Length),
            Self::Cancelled | Self::Profile => None,
        }
    }
}

/// One worker: its key, and what it runs jobs with.
#[derive(Clone)]
pub struct Worker {
    key: SigningKey,
    engine: Arc<Engine>,
    store: Store,
}

impl Worker {
    /// A worker that signs with `key`, runs jobs in `engine`, and keeps files in `store`.
    pub fn new(key: SigningKey, engine: Arc<Engine>, store: Store) -> Self {
        Self { key, engine, store }
    }

    /// The account it is paid to.
    pub fn address(&self) -> Address {
        Address::of(&self.public())
    }

    /// The key that others know it by.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.key.public())
    }

    /// What it signs with.
    pub const fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Run `spec` once. Blocks for as long as the job runs. Blobs must be in the store already
    /// ([`Self::needs`] names them); the outputs are there afterwards.
    ///
    /// # Errors
    /// [`CannotRun`].
    pub fn run(&self, spec: &JobSpec, cancel: &AtomicBool) -> Result<Outcome, CannotRun> {
        // Before anything is read: under another profile fuel is counted otherwise, so the outcome would disagree and
        // cost reputation.
        if spec.profile != sandbox::profile(spec.float) {
            return Err(CannotRun::Profile);
        }
        let module = self.blob(spec.module, spec.module_len)?;
        let input = self.blob(spec.input, spec.input_len)?;
        let contents: Vec<Vec<u8>> = spec
            .files
            .iter()
            .map(|file| self.blob(file.content, file.len))
            .collect::<Result<_, _>>()?;
        let files: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
        let bytes = SpecBytes { module: &module, input: &input, files: &files };
        match self.engine.run_spec(spec, &bytes, cancel)? {
            Ended::Done(run) => {
                run.outputs().iter().try_for_each(|bytes| self.keep(bytes))?;
                Ok(run.outcome())
            }
            Ended::Killed { after } => Err(CannotRun::WallClock(after)),
            Ended::Cancelled => Err(CannotRun::Cancelled),
        }
    }

    /// The blobs a job needs, with their lengths.
    pub fn needs(spec: &JobSpec) -> Vec<(Hash, u64)> {
        let mut needs = vec![(spec.module, spec.module_len), (spec.input, spec.input_len)];
        needs.extend(spec.files.iter().map(|file| (file.content, file.len)));
        needs
    }

    /// The blobs that an outcome of this worker names: what others may ask for once it is known.
    ///
    /// # Errors
    /// [`BlobError`] if the list of the files it left is not in the store.
    pub fn gives(&self, outcome: &Outcome) -> Result<Vec<Hash>, BlobError> {
        // It printed nothing.
        if outcome.status.obstacle().is_some() {
            return Ok(vec![]);
        }
        let mut gives = vec![outcome.stdout.hash, outcome.stderr.hash];
        if let Some(files) = outcome.status.files() {
            let list = self.store.get(files.list.hash)?;
            let list = OutputList::decode(list).expect("this worker wrote the list");
            gives.push(files.list.hash);
            gives.extend(list.files.iter().map(|file| file.content.hash));
        }
        Ok(gives)
    }

    /// What this worker says about `job`; its commitment is `reveal.commitment(&worker.address())`.
    pub fn reveal(&self, job: JobId, outcome: Outcome) -> Reveal {
        let salt = domain_hash("meshx/reveal-salt/v1", &[self.key.seed().as_slice(), &job.0]);
        Reveal { job, outcome, salt }
    }

    fn blob(&self, hash: Hash, declared: u64) -> Result<Vec<u8>, CannotRun> {
        let bytes = self.store.get(hash).map_err(|source| CannotRun::Blob { hash, source })?;
        let actual = bytes.len() as u64;
        // The payer is charged by the lengths it declared. A shorter one would have workers do what nobody pays for.
        if actual != declared {
            return Err(CannotRun::Length { declared, actual });
        }
        Ok(bytes)
    }

    fn keep(&self, bytes: &[u8]) -> Result<(), CannotRun> {
        let kept = self.store.keep(bytes);
        kept.map(drop).map_err(|source| CannotRun::Blob { hash: Hash::of_content(bytes), source })
    }
}
