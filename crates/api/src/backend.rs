//! Backend: what the routes ask of a node.

use crate::{
    AccountView, AttestationView, BlobView, BlockView, EarningsView, FaucetAsked, FaucetGave,
    JobEvent, JobView, MarketView, NetworkStatus, Output, Page, PeriodView, PresenceView, Problem,
    ProofKey, ProofView, StakeView, Submitted, ValidatorView, Why, WorkerView,
};
use bytes::Bytes;
use futures::stream::BoxStream;
use types::{
    Address, ChainId, EquivocationProof, Hash, Height, JobId, Tx, governance::Proposal,
    state::Params,
};

/// Pieces of a body, in order. It is pulled: nothing is produced before it is asked for. An error ends it.
pub type Chunks = BoxStream<'static, Result<Bytes, Problem>>;

/// Things that happen, as they happen. An error ends it; dropping it unsubscribes.
pub type Events<T> = BoxStream<'static, Result<T, Problem>>;

/// Bytes on their way to a client.
pub struct Body {
    /// Exactly how many, if known: goes into `Content-Length`.
    pub len: Option<u64>,
    /// In order; together they have `len` bytes, if that is known.
    pub chunks: Chunks,
}

impl Body {
    /// A body that is in memory already.
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let len = Some(bytes.len() as u64);
        Self { len, chunks: Box::pin(futures::stream::iter([Ok(bytes)])) }
    }
}

/// What an answer to a submission waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// A final block that holds the transaction.
    #[default]
    Final,
    /// That the node took it in.
    None,
}

/// Which jobs to list: newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobsQuery {
    /// `None`: of all chains.
    pub chain: Option<ChainId>,
    /// Only the jobs that this account pays for; `None`: of everybody.
    pub payer: Option<Address>,
    /// From an earlier page's `next`. Came from outside: check it.
    pub cursor: Option<String>,
    /// 1 to [`crate::Limits::page_max`].
    pub limit: usize,
}

/// Which workers to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkersQuery {
    /// `None`: of all chains.
    pub chain: Option<ChainId>,
    /// From an earlier page's `next`. Came from outside: check it.
    pub cursor: Option<String>,
    /// 1 to [`crate::Limits::page_max`].
    pub limit: usize,
}

/// A node as its API sees it.
///
/// Each method is one route. What a client did wrong is a [`Problem`] with its code; what went wrong
/// here is [`Problem::internal`]. The router bounds how long an answer may take and drops the future
/// then: a method must not leave anything half-done when dropped at an `await`.
pub trait Backend: Clone + Send + Sync + 'static {
    /// The network and the chains this node follows. Cheap: health checks and pages poll it.
    fn status(&self) -> impl Future<Output = Result<NetworkStatus, Problem>> + Send;

    /// The bytes of the network's descriptor.
    fn genesis(&self) -> impl Future<Output = Result<Bytes, Problem>> + Send;

    /// [`crate::Code::UnknownChain`] for a chain not followed here; so for every `chain` below.
    fn params(&self, chain: ChainId) -> impl Future<Output = Result<Params, Problem>> + Send;

    /// What moves with load, and the chain's money.
    fn market(&self, chain: ChainId) -> impl Future<Output = Result<MarketView, Problem>> + Send;

    /// All validators that ever bonded, the first first.
    fn validators(&self) -> impl Future<Output = Result<Vec<ValidatorView>, Problem>> + Send;

    /// An account without stake is no error.
    fn stake(&self, address: Address) -> impl Future<Output = Result<StakeView, Problem>> + Send;

    /// An account that has earned nothing is no error.
    fn earnings(
        &self,
        chain: ChainId,
        address: Address,
    ) -> impl Future<Output = Result<EarningsView, Problem>> + Send;

    /// What the account's machine proved on this chain, and what new evidence must answer. An account without
    /// attestation is no error.
    fn attestation(
        &self,
        chain: ChainId,
        address: Address,
    ) -> impl Future<Output = Result<AttestationView, Problem>> + Send;

    /// Where an operator's validator stands and sits.
    fn presence(
        &self,
        address: Address,
    ) -> impl Future<Output = Result<PresenceView, Problem>> + Send;

    /// The period that is on. [`crate::Code::NoPeriod`].
    fn period(&self) -> impl Future<Output = Result<PeriodView, Problem>> + Send;

    /// All proposals, the newest first.
    fn proposals(&self) -> impl Future<Output = Result<Vec<Proposal>, Problem>> + Send;

    /// Proofs of double signing that this node has come across since it started.
    fn equivocations(&self)
    -> impl Future<Output = Result<Vec<EquivocationProof>, Problem>> + Send;

    /// [`crate::Code::NoFaucet`] unless the network is for development and this node has its keys.
    fn faucet(
        &self,
        asked: FaucetAsked,
    ) -> impl Future<Output = Result<FaucetGave, Problem>> + Send;

    /// An account that was never used is no error.
    fn account(
        &self,
        chain: ChainId,
        address: Address,
    ) -> impl Future<Output = Result<AccountView, Problem>> + Send;

    /// Take a transaction in, for the chain it names. The same one again gives the same answer, also
    /// when it is in a block already. With [`Wait::None`], `height` and `block` may be `None`.
    fn submit(&self, tx: Tx, wait: Wait)
    -> impl Future<Output = Result<Submitted, Problem>> + Send;

    /// Store what `content` gives (at most [`crate::BLOB_BYTES_MAX`]) if it has the hash `expected`.
    /// The same content again is no error. [`crate::Code::HashMismatch`], [`crate::Code::StorageFull`].
    /// If `content` ends in an error, so does this; the client is told the former.
    fn put_blob(
        &self,
        expected: Option<Hash>,
        content: Chunks,
    ) -> impl Future<Output = Result<BlobView, Problem>> + Send;

    /// [`crate::Code::UnknownBlob`].
    fn blob(&self, hash: Hash) -> impl Future<Output = Result<Body, Problem>> + Send;

    /// The blob in bao's combined encoding, for a reader that trusts nobody.
    fn blob_encoded(&self, hash: Hash) -> impl Future<Output = Result<Body, Problem>> + Send;

    /// Its length, without its content.
    fn blob_len(&self, hash: Hash) -> impl Future<Output = Result<u64, Problem>> + Send;

    /// Jobs that this node has seen since it started, each as it is now. A cursor that cannot be read is
    /// [`crate::Code::BadRequest`].
    fn jobs(&self, query: JobsQuery)
    -> impl Future<Output = Result<Page<JobView>, Problem>> + Send;

    /// `chain: None` looks on all chains. [`crate::Code::UnknownJob`]; so for every `job` below.
    fn job(
        &self,
        chain: Option<ChainId>,
        job: JobId,
    ) -> impl Future<Output = Result<JobView, Problem>> + Send;

    /// What a settled job wrote. [`crate::Code::NotSettled`].
    fn output(
        &self,
        chain: Option<ChainId>,
        job: JobId,
        output: Output,
    ) -> impl Future<Output = Result<Body, Problem>> + Send;

    /// A file that a settled job left, by the hash of its content; `None` is the list of them all.
    /// [`crate::Code::NotSettled`]; [`crate::Code::UnknownBlob`] if it left no such file.
    fn output_file(
        &self,
        chain: Option<ChainId>,
        job: JobId,
        content: Option<Hash>,
    ) -> impl Future<Output = Result<Body, Problem>> + Send;

    /// The bytes of a settled job's `.mxr` file. [`crate::Code::NotSettled`].
    fn receipt(
        &self,
        chain: Option<ChainId>,
        job: JobId,
    ) -> impl Future<Output = Result<Bytes, Problem>> + Send;

    /// Why a job is in its phase, by the rules of its chain: the verdict first, then each rule that bears on it.
    fn why(
        &self,
        chain: Option<ChainId>,
        job: JobId,
    ) -> impl Future<Output = Result<Why, Problem>> + Send;

    /// The job's current phase, then each later one. The router ends the stream after the last.
    fn job_events(
        &self,
        chain: Option<ChainId>,
        job: JobId,
    ) -> impl Future<Output = Result<Events<JobEvent>, Problem>> + Send;

    /// Registered workers, in the order of their registration. A cursor that cannot be read is
    /// [`crate::Code::BadRequest`].
    fn workers(
        &self,
        query: WorkersQuery,
    ) -> impl Future<Output = Result<Page<WorkerView>, Problem>> + Send;

    /// [`crate::Code::UnknownWorker`].
    fn worker(
        &self,
        chain: ChainId,
        address: Address,
    ) -> impl Future<Output = Result<WorkerView, Problem>> + Send;

    /// Jobs in which a worker has an assignment: the open ones, then each whenever it changes.
    fn duties(
        &self,
        chain: ChainId,
        worker: Address,
    ) -> impl Future<Output = Result<Events<JobView>, Problem>> + Send;

    /// A final block. [`crate::Code::UnknownBlock`], [`crate::Code::Pruned`].
    fn block(
        &self,
        chain: ChainId,
        height: Height,
    ) -> impl Future<Output = Result<BlockView, Problem>> + Send;

    /// Each block as it becomes final, from now on.
    fn blocks(
        &self,
        chain: ChainId,
    ) -> impl Future<Output = Result<Events<BlockView>, Problem>> + Send;

    /// That a record is in the chain's state, or that it is not.
    fn proof(
        &self,
        chain: ChainId,
        key: ProofKey,
    ) -> impl Future<Output = Result<ProofView, Problem>> + Send;

    /// Everything measured, as Prometheus reads it.
    fn metrics(&self) -> impl Future<Output = Result<String, Problem>> + Send;
}
