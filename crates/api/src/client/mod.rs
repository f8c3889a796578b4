//! Client: one node, asked from code that blocks.
//!
//! ```no_run
//! # fn main() -> Result<(), api::ClientError> {
//! let client = api::Client::new("http://127.0.0.1:8700")?;
//! for chain in client.status()?.chains {
//!     println!("{} is at {}", chain.chain, chain.height);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! It believes nothing that can be checked elsewhere: what a node says about a chain is that node's
//! word until a receipt or a proof is verified. It speaks plain HTTP only.

mod ask;
mod error;
mod events;
mod sse;
mod transfer;

pub use error::ClientError;
pub use events::{Feed, JobEvents};
pub use transfer::Download;

use crate::{
    AccountView, AttestationView, BLOB_BYTES_MAX, BlobView, BlockView, EarningsView, FaucetAsked,
    FaucetGave, JobView, JobsQuery, MarketView, NetworkStatus, Output, Page, PeriodView,
    PresenceView, ProofKey, ProofView, StakeView, Submitted, ValidatorView, Wait, Why, WorkerView,
    WorkersQuery,
};
use ask::{checked_base, job_path, page_query};
use std::{io::Read, time::Duration};
use types::{
    Address, ChainId, EquivocationProof, Hash, Height, JobId, Proved, Record, Tx,
    codec::Encode as _, governance::Proposal, state::Params,
};
use ureq::Agent;

/// Longest bao encoding of a blob: 64 bytes of tree for each KiB, and a length.
const ENCODED_BYTES_MAX: u64 = BLOB_BYTES_MAX + BLOB_BYTES_MAX / 8;

/// How patient a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection stands. Usual: 5 s.
    pub connect: Duration,
    /// Between two pieces of an answer, and before the first. Usual: 20 s, twice what a node takes at most.
    pub answer: Duration,
    /// The same while a transaction becomes final, a blob is stored or nothing happens to a job.
    /// Usual: 75 s, above [`crate::Limits::final_timeout`] and [`crate::Limits::keep_alive`].
    pub patient: Duration,
    /// Before a broken event stream is taken up again. Usual: 1 s.
    pub reconnect: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(20),
            patient: Duration::from_secs(75),
            reconnect: Duration::from_secs(1),
        }
    }
}

/// Asks one node. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    agent: Agent,
    timeouts: Timeouts,
}

type Answer<T> = Result<T, ClientError>;

impl Client {
    /// A client of the node at `base`, such as `http://127.0.0.1:8700`. It connects when it is used.
    ///
    /// # Errors
    /// [`ClientError::BadUrl`].
    pub fn new(base: impl AsRef<str>) -> Answer<Self> {
        Self::with_timeouts(base, Timeouts::default())
    }

    /// [`Client::new`] with a patience of its own.
    ///
    /// # Errors
    /// [`ClientError::BadUrl`].
    pub fn with_timeouts(base: impl AsRef<str>, timeouts: Timeouts) -> Answer<Self> {
        let base = checked_base(base.as_ref())?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("meshx/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(timeouts.connect))
            .timeout_per_read(Some(timeouts.answer))
            .timeout_per_write(Some(timeouts.answer))
            .build();
        Ok(Self { base, agent: config.new_agent(), timeouts })
    }

    /// The node's URL, without a slash at its end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The network and the chains that the node follows.
    pub fn status(&self) -> Answer<NetworkStatus> {
        self.json("/v1/status")
    }

    /// `Ok` once every chain of the node has a final block; otherwise a problem with
    /// [`crate::Code::NotReady`].
    pub fn ready(&self) -> Answer<()> {
        self.get("/readyz").map(drop)
    }

    /// Everything the node measures, in Prometheus' text form.
    pub fn metrics(&self) -> Answer<String> {
        self.text("/metrics")
    }

    /// The OpenAPI description that the node serves.
    pub fn openapi(&self) -> Answer<String> {
        self.text("/openapi.json")
    }

    /// The bytes of the network's descriptor.
    pub fn genesis(&self) -> Answer<Vec<u8>> {
        self.file("/v1/genesis")
    }

    /// The parameters of a chain, as its newest final block leaves them.
    pub fn params(&self, chain: ChainId) -> Answer<Params> {
        self.json(&format!("/v1/params?chain={chain}"))
    }

    /// Prices of a chain, and its supply.
    pub fn market(&self, chain: ChainId) -> Answer<MarketView> {
        self.json(&format!("/v1/market?chain={chain}"))
    }

    /// All validators that ever bonded, the first first.
    pub fn validators(&self) -> Answer<Vec<ValidatorView>> {
        self.json("/v1/validators")
    }

    /// What `address` has at stake. An account without stake is no error.
    pub fn stake(&self, address: Address) -> Answer<StakeView> {
        self.json(&format!("/v1/stake/{address}"))
    }

    /// What `address` has earned on `chain`. An account that has earned nothing is no error.
    pub fn earnings(&self, chain: ChainId, address: Address) -> Answer<EarningsView> {
        self.json(&format!("/v1/earnings/{address}?chain={chain}"))
    }

    /// What an account's machine proved, and what new evidence must answer.
    pub fn attestation(&self, chain: ChainId, address: Address) -> Answer<AttestationView> {
        self.json(&format!("/v1/attestation/{address}?chain={chain}"))
    }

    /// Where an operator's validator stands and sits.
    pub fn presence(&self, address: Address) -> Answer<PresenceView> {
        self.json(&format!("/v1/presence/{address}"))
    }

    /// All that claims of the period are made and judged by.
    pub fn period(&self) -> Answer<PeriodView> {
        self.json("/v1/period")
    }

    /// All proposals, the newest first.
    pub fn proposals(&self) -> Answer<Vec<Proposal>> {
        self.json("/v1/proposals")
    }

    /// Proofs of double signing that the node has come across.
    pub fn equivocations(&self) -> Answer<Vec<EquivocationProof>> {
        self.json("/v1/equivocations")
    }

    /// Ask a development network's faucet for money.
    pub fn faucet(&self, asked: &FaucetAsked) -> Answer<FaucetGave> {
        let path = "/v1/faucet";
        let body = serde_json::to_vec(asked).expect("two short texts");
        let request = self.patient(self.agent.post(self.url(path)));
        let sent = request.header("content-type", "application/json").send(&body[..]);
        self.read_json(path, self.checked(path, sent)?)
    }

    /// Balance and next nonce of `address`. An account that was never used is no error.
    pub fn account(&self, chain: ChainId, address: Address) -> Answer<AccountView> {
        self.json(&format!("/v1/accounts/{address}?chain={chain}"))
    }

    /// Send a transaction. After [`ClientError::TimedOut`] or [`ClientError::Unreachable`] send the
    /// very same again: it counts once.
    pub fn submit(&self, tx: &Tx, wait: Wait) -> Answer<Submitted> {
        let wait = match wait {
            Wait::Final => "final",
            Wait::None => "none",
        };
        let path = format!("/v1/txs?wait={wait}");
        let request = self.patient(self.agent.post(self.url(&path)));
        let sent =
            request.header("content-type", "application/octet-stream").send(&tx.encode()[..]);
        self.read_json(&path, self.checked(&path, sent)?)
    }

    /// Store what `content` gives under its hash. `len`, if known, lets the node refuse before the
    /// content is sent.
    pub fn put_blob(&self, hash: Hash, content: impl Read, len: Option<u64>) -> Answer<BlobView> {
        let path = format!("/v1/blobs/{hash}");
        self.upload(&path, self.agent.put(self.url(&path)), content, len)
    }

    /// Store what `content` gives and learn its hash: from the node, so compare it if it matters.
    pub fn post_blob(&self, content: impl Read, len: Option<u64>) -> Answer<BlobView> {
        self.upload("/v1/blobs", self.agent.post(self.url("/v1/blobs")), content, len)
    }

    /// A blob as the node sends it: check its hash, or use [`Self::blob_bytes`].
    pub fn blob(&self, hash: Hash) -> Answer<Download> {
        self.download(&format!("/v1/blobs/{hash}"), BLOB_BYTES_MAX)
    }

    /// A blob in memory, with its hash checked.
    ///
    /// # Errors
    /// Also [`ClientError::WrongContent`].
    pub fn blob_bytes(&self, hash: Hash) -> Answer<Vec<u8>> {
        let path = format!("/v1/blobs/{hash}");
        let bytes = self.download(&path, BLOB_BYTES_MAX)?.bytes()?;
        let actual = Hash::of_content(&bytes);
        if actual != hash {
            return Err(ClientError::WrongContent { expected: hash, actual });
        }
        Ok(bytes)
    }

    /// A blob in bao's combined encoding, for a decoder that checks each piece.
    pub fn blob_encoded(&self, hash: Hash) -> Answer<Download> {
        self.download(&format!("/v1/blobs/{hash}?encoding=bao"), ENCODED_BYTES_MAX)
    }

    /// How long a blob is; `None`: the node does not have it.
    pub fn blob_len(&self, hash: Hash) -> Answer<Option<u64>> {
        let path = format!("/v1/blobs/{hash}");
        let response = self
            .agent
            .head(self.url(&path))
            .call()
            .map_err(|error| ClientError::from_ureq(&self.url(&path), error))?;
        match response.status().as_u16() {
            404 => Ok(None),
            200 => transfer::announced_len(&response)
                .map(Some)
                .ok_or_else(|| self.bad_answer(&path, "it does not say how long the blob is")),
            // An answer to HEAD has no body to tell the problem.
            status => Err(self.bad_answer(&path, format!("HTTP status {status}"))),
        }
    }

    /// One page; continue with its `next` as the cursor.
    pub fn jobs(&self, query: &JobsQuery) -> Answer<Page<JobView>> {
        let payer = query.payer.map(|payer| format!("&payer={payer}")).unwrap_or_default();
        self.json(&format!(
            "/v1/jobs?{}{payer}",
            page_query(query.chain, query.cursor.as_deref(), query.limit)
        ))
    }

    /// `chain: None` searches all chains of the node.
    pub fn job(&self, chain: Option<ChainId>, job: JobId) -> Answer<JobView> {
        self.json(&job_path(chain, job, ""))
    }

    /// What a settled job wrote. Compare its hash with the settlement's.
    pub fn output(&self, chain: Option<ChainId>, job: JobId, output: Output) -> Answer<Download> {
        let part = match output {
            Output::Stdout => "/output",
            Output::Stderr => "/logs",
        };
        self.download(&job_path(chain, job, part), BLOB_BYTES_MAX)
    }

    /// A file that a settled job left, by the hash of its content; `None` is the list of them all. Check its hash.
    pub fn output_file(
        &self,
        chain: Option<ChainId>,
        job: JobId,
        content: Option<Hash>,
    ) -> Answer<Download> {
        let part =
            content.map_or_else(|| "/files".to_owned(), |content| format!("/files/{content}"));
        self.download(&job_path(chain, job, &part), BLOB_BYTES_MAX)
    }

    /// The bytes of a settled job's `.mxr` file.
    pub fn receipt(&self, chain: Option<ChainId>, job: JobId) -> Answer<Vec<u8>> {
        self.file(&job_path(chain, job, "/receipt"))
    }

    /// Why a job is in its phase: a verdict, and the rules that led to it.
    pub fn why(&self, chain: Option<ChainId>, job: JobId) -> Answer<Why> {
        self.json(&job_path(chain, job, "/why"))
    }

    /// The job's current phase, then what happens to it until it is over. Connects again when the
    /// connection breaks.
    pub fn job_events(&self, chain: Option<ChainId>, job: JobId) -> JobEvents {
        JobEvents::new(self.clone(), job_path(chain, job, "/events"))
    }

    /// One page of registered workers; continue with its `next` as the cursor.
    pub fn workers(&self, query: &WorkersQuery) -> Answer<Page<WorkerView>> {
        self.json(&format!(
            "/v1/workers?{}",
            page_query(query.chain, query.cursor.as_deref(), query.limit)
        ))
    }

    /// A final block without its body.
    pub fn block(&self, chain: ChainId, height: Height) -> Answer<BlockView> {
        self.json(&format!("/v1/chains/{chain}/blocks/{height}"))
    }

    /// Blocks as they become final, until the connection ends.
    pub fn blocks(&self, chain: ChainId) -> Answer<Feed<BlockView>> {
        Feed::new(self, &format!("/v1/chains/{chain}/blocks"), "block")
    }

    /// What `address` offers as a worker of `chain`.
    pub fn worker(&self, chain: ChainId, address: Address) -> Answer<WorkerView> {
        self.json(&format!("/v1/chains/{chain}/workers/{address}"))
    }

    /// Jobs of `chain` in which `worker` has an assignment: the open ones, then each whenever it changes, until the
    /// connection ends.
    pub fn duties(&self, chain: ChainId, worker: Address) -> Answer<Feed<JobView>> {
        Feed::new(self, &format!("/v1/chains/{chain}/workers/{worker}/duties"), "duty")
    }

    /// What the chain's state says of `key`, with a proof. It is still to be verified: see [`Self::proved`].
    pub fn proof(&self, chain: ChainId, key: ProofKey) -> Answer<ProofView> {
        self.json(&proof_path(chain, key))
    }

    /// The same as a record with its proof. It is still to be verified: see `receipt::light::verify`.
    pub fn proved(&self, chain: ChainId, key: ProofKey) -> Answer<Proved<Option<Record>>> {
        let view = self.proof(chain, key)?;
        view.try_into().map_err(|error| self.bad_answer(&proof_path(chain, key), error))
    }
}

fn proof_path(chain: ChainId, key: ProofKey) -> String {
    let key = match key {
        ProofKey::Account(address) => format!("account/{address}"),
        ProofKey::Job(job) => format!("job/{job}"),
        ProofKey::Worker(address) => format!("worker/{address}"),
        ProofKey::Peers(operator) => format!("peers/{operator}"),
    };
    format!("/v1/chains/{chain}/proof/{key}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_a_plain_http_url() {
        for (text, base) in [
            ("http://127.0.0.1:8700", "http://127.0.0.1:8700"),
            ("http://node.example/meshx/", "http://node.example/meshx"),
            ("localhost:8700", "http://localhost:8700"),
        ] {
            assert_eq!(Client::new(text).unwrap().base(), base);
        }
        for text in [
            "",
            "https://node.example",
            "ftp://x",
            "http://",
            "http://a b",
            "http://x/?chain=EU",
            "::::",
        ] {
            assert!(matches!(Client::new(text), Err(ClientError::BadUrl { .. })), "{text:?}");
        }
    }
}
