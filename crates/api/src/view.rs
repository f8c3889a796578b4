//! Views: what the API shows. Amounts are decimal strings of nano, hashes and bytes lowercase hex,
//! addresses bech32m, moments and durations milliseconds.

use crate::noun;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use types::{
    Address, Bytes, ChainId, Hash, Header, Height, JobId, Millis, NanoMeshx, Proved, PublicKey,
    Record, Term, TxId,
    codec::TooLong,
    state::{JobRecord, Key, Phase, WorkerRecord},
};
use utoipa::ToSchema;

/// Bytes of any length. JSON: lowercase hex.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hex(pub Vec<u8>);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&hex::encode(&self.0))
    }
}
impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        hex::decode(String::deserialize(d)?).map(Self).map_err(de::Error::custom)
    }
}

/// Part of a list. `next`, if any, is the `cursor` that continues it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// In the list's order, at most as many as were asked for.
    pub items: Vec<T>,
    /// The cursor of the next page; null on the last one. Its form is the node's own business.
    pub next: Option<String>,
}

/// A network as one node sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NetworkStatus {
    /// The hash of the network's descriptor: what transactions are signed for.
    #[schema(value_type = noun::Hash)]
    pub network: Hash,
    /// What people call the network. Two networks may have the same name.
    pub name: String,
    /// The node's version.
    pub version: String,
    /// Whether one process dealt all threshold keys, and so could sign alone.
    pub dev_dealer: bool,
    /// Where edges join the network through this node. Each address ends in /p2p/ and the node's id. Empty: nowhere.
    #[serde(default)]
    pub join: Vec<String>,
    /// The chains this node follows, in the order of [`ChainId`].
    pub chains: Vec<ChainStatus>,
}

/// A chain as one node sees it. What needs a final block is null before the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChainStatus {
    /// The chain that all of this is about.
    #[schema(value_type = noun::ChainId)]
    pub chain: ChainId,
    /// The newest final block.
    #[schema(value_type = u64)]
    pub height: Height,
    /// The id of that block.
    #[schema(value_type = Option<noun::Hash>)]
    pub finalized_id: Option<Hash>,
    /// That block's timestamp.
    #[schema(value_type = Option<u64>)]
    pub timestamp: Option<Millis>,
    /// Seats in the committee of `term`.
    pub validators: u32,
    /// The newest term that this node knows who votes in.
    #[schema(value_type = u64)]
    pub term: Term,
    /// The keys that vote in it, sorted.
    #[schema(value_type = Vec<noun::PublicKey>)]
    pub committee: Vec<PublicKey>,
    /// Workers that ever registered on the chain.
    pub workers: u32,
    /// From a block's timestamp until it was final here, over recent blocks.
    #[schema(value_type = Option<u64>)]
    pub finality_ms_p50: Option<Millis>,
    /// The same, 99th percentile, in milliseconds.
    #[schema(value_type = Option<u64>)]
    pub finality_ms_p99: Option<Millis>,
    /// Final blocks per second by their timestamps, over the last 120 blocks; null before there are two.
    pub blocks_per_second: Option<f64>,
    /// How long this node has seen no new block, in milliseconds.
    #[schema(value_type = u64)]
    pub silent_ms: Millis,
    /// How many of the committee voted lately, as far as this node heard: within four of the chain's slowest beats, or ten
    /// seconds where those are shorter.
    pub answering: u32,
    /// Whether that is longer than a healthy chain is ever silent.
    pub stands_still: bool,
    /// Whether the chain has a final block.
    pub ready: bool,
}

impl ChainStatus {
    /// What is wrong if the chain stands still, in one clause without its name.
    pub fn standstill(&self) -> Option<String> {
        let (seconds, of) = (self.silent_ms.get() / 1_000, self.validators);
        self.stands_still.then(|| {
            format!("no block for {seconds} s, {} of {of} validators answer", self.answering)
        })
    }
}

/// An account at a height. One that was never used has balance 0 and nonce 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountView {
    /// The account that was asked about.
    #[schema(value_type = noun::Address)]
    pub address: Address,
    /// The chain that it is on. The same address on another chain is another account.
    #[schema(value_type = noun::ChainId)]
    pub chain: ChainId,
    /// What it can spend, in nano-MESHX.
    #[schema(value_type = noun::Amount)]
    pub balance: NanoMeshx,
    /// The nonce that the account's next transaction needs: it counts the newest final block and, beyond that, what
    /// waits in this node's pool.
    pub nonce: u64,
    /// The newest final block: the balance is as it leaves it.
    #[schema(value_type = u64)]
    pub height: Height,
}

/// Where a transaction went. `height` and `block` are null if the answer did not wait for a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Submitted {
    /// The transaction's id.
    #[schema(value_type = noun::Hash)]
    pub tx: TxId,
    /// The chain that it names.
    #[schema(value_type = noun::ChainId)]
    pub chain: ChainId,
    /// The height of the final block that holds it.
    #[schema(value_type = Option<u64>)]
    pub height: Option<Height>,
    /// The id of the final block that holds it.
    #[schema(value_type = Option<noun::Hash>)]
    pub block: Option<Hash>,
}

/// A stored blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlobView {
    /// BLAKE3 of the content; the blob's name.
    #[schema(value_type = noun::Hash)]
    pub hash: Hash,
    /// Bytes of content.
    pub len: u64,
}

/// A job at a height.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobView {
    /// The job's id: the id of the transaction that submitted it.
    #[schema(value_type = noun::Hash)]
    pub job: JobId,
    /// The chain that runs it.
    #[schema(value_type = noun::ChainId)]
    pub chain: ChainId,
    /// The block whose state this is.
    #[schema(value_type = u64)]
    pub height: Height,
    /// The job's record in the chain's state: who pays, what to run, and its phase.
    #[schema(value_type = noun::JobRecord)]
    pub record: JobRecord,
    /// What stands behind its result. The level is `none` before the job has settled.
    pub assurance: Assurance,
    /// When the block that holds its submission was made, in milliseconds since 1970; null if the node no longer keeps it.
    #[schema(value_type = Option<u64>)]
    #[serde(default)]
    pub submitted_at: Option<Millis>,
}

impl JobView {
    /// Whether nothing will change any more.
    pub const fn is_over(&self) -> bool {
        matches!(self.record.phase, Phase::Settled(_) | Phase::Ended { .. })
    }
}

/// What stands behind a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Assurance {
    /// `quorum 3/4`, or `none`.
    pub level: String,
    /// Whether anything in it was simulated: keys of a development dealer, emulated hardware.
    pub simulated: bool,
}

/// Why a job is where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Why {
    /// The answer in one sentence, for a person.
    pub verdict: String,
    /// The rules behind it: one for each worker that it depends on, and none where it is about the job alone.
    pub reasons: Vec<Reason>,
}

/// One rule that bears on a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    /// The worker it speaks of; null: the job itself.
    #[schema(value_type = Option<noun::Address>)]
    pub worker: Option<Address>,
    /// A code that never changes its meaning: `no_reveal`.
    pub rule: String,
    /// What the rule found, for a person.
    pub detail: String,
}

/// What happens to a job, in order. The stream ends after the phase that [`JobView::is_over`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobEvent {
    /// Its phase changed; the first event is its current one.
    Phase(Box<JobView>),
    /// It produced some more output.
    Output(OutputChunk),
}

/// Which output of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// What the module wrote to standard output, or what its `run` returned.
    Stdout,
    /// What the module wrote to standard error.
    Stderr,
}

/// A piece of a job's output. Until the job has settled it is one worker's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutputChunk {
    /// Which output this is a piece of.
    pub output: Output,
    /// How many bytes of this output came before.
    pub offset: u64,
    /// In JSON: base64 with padding.
    #[serde(with = "base64_text")]
    #[schema(value_type = String, format = Byte)]
    pub bytes: Vec<u8>,
}

/// A worker of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkerView {
    /// The account that is paid for its work; it names the worker.
    #[schema(value_type = noun::Address)]
    pub address: Address,
    /// The shard on which it is registered.
    #[schema(value_type = noun::ChainId)]
    pub chain: ChainId,
    /// The worker's record in the chain's state: its capacity, its reputation and where it says it is.
    #[schema(value_type = noun::WorkerRecord)]
    pub record: WorkerRecord,
}

/// A final block without its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockView {
    /// The hash of the header, and the block's name.
    #[schema(value_type = noun::Hash)]
    pub id: Hash,
    /// What the committee signed; it commits to the body and to the state after it.
    #[schema(value_type = noun::Header)]
    pub header: Header,
    /// Transactions in it.
    pub txs: u32,
    /// Shows that it is final; null if only a later block has one, from which the chain of parents leads here.
    #[schema(value_type = Option<noun::Hex>)]
    pub certificate: Option<Hex>,
}

/// What a proof is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofKey {
    /// The balance and nonce of this account.
    Account(Address),
    /// The record of this job.
    Job(JobId),
    /// The record of this worker.
    Worker(Address),
    /// Where nodes of this operator's validator are met.
    Peers(Address),
}

/// A record of a chain's state, or its absence, and all it takes to check that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProofView {
    /// Whether the state has the record. If not, `proof` shows that it has none.
    pub present: bool,
    /// The record's encoding, if present.
    #[schema(value_type = Option<noun::Hex>)]
    pub value: Option<Hex>,
    /// Leads from the key (and the value, if present) to the header's `state_root`.
    #[schema(value_type = noun::Hex)]
    pub proof: Hex,
    /// The header of the block whose state it is.
    #[schema(value_type = noun::Header)]
    pub header: Header,
    /// The certificate of `header`.
    #[schema(value_type = noun::Hex)]
    pub certificate: Hex,
}

impl From<ProofKey> for Key {
    fn from(key: ProofKey) -> Self {
        match key {
            ProofKey::Account(address) => Self::Account(address),
            ProofKey::Job(job) => Self::Job(job),
            ProofKey::Worker(address) => Self::Worker(address),
            ProofKey::Peers(operator) => Self::Peers(operator),
        }
    }
}

impl From<Proved<Option<Record>>> for ProofView {
    fn from(proved: Proved<Option<Record>>) -> Self {
        let Proved { record, header, certificate, proof } = proved;
        Self {
            present: record.is_some(),
            value: record.map(|record| Hex(record.as_slice().to_vec())),
            proof: Hex(proof.as_slice().to_vec()),
            header,
            certificate: Hex(certificate.as_slice().to_vec()),
        }
    }
}
impl TryFrom<ProofView> for Proved<Option<Record>> {
    type Error = TooLong;

    fn try_from(view: ProofView) -> Result<Self, TooLong> {
        let ProofView { value, header, certificate, proof, .. } = view;
        Ok(Self {
            record: value.map(|value| Bytes::new(value.0)).transpose()?,
            header,
            certificate: Bytes::new(certificate.0)?,
            proof: Bytes::new(proof.0)?,
        })
    }
}

mod base64_text {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&STANDARD.encode(bytes))
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(d)?).map_err(de::Error::custom)
    }
}
