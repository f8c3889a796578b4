//! A small blocking client of the API.

use crate::{
    AccountView, BLOB_BYTES_MAX, BlobView, BlockView, JobView, NetworkStatus, Page, Problem, TxView, WhyView,
};
use serde::de::DeserializeOwned;
use std::{
    io::{BufRead, BufReader, Read},
    time::Duration,
};
use types::{
    Address, ChainId, Hash, Height, JobId, Tx,
    codec::{DecodeExt, Encode},
    network::Anchor,
    state::Params,
};
use ureq::{Agent, Body, SendBody, http::Response};

/// Most bytes of a JSON answer that are read.
const ANSWER_BYTES_MAX: u64 = 16 << 20;
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a whole answer may take; `?wait=final` is the slowest.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// Why a request got no answer that could be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("{0}")]
    Problem(Box<Problem>),
    #[error("{url} does not answer: {source}")]
    Unreachable { url: String, source: Box<ureq::Error> },
    #[error("{url} answered something else than the API: {what}")]
    Unexpected { url: String, what: String },
    #[error("{0:?} is not the address of a node; expected something like http://127.0.0.1:8700")]
    BadUrl(String),
}

/// Speaks to one node.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    agent: Agent,
    /// For event streams, which last as long as what they tell of.
    patient: Agent,
}

type Answer<T> = Result<T, ClientError>;

impl Client {
    /// A client of the node at `base`, such as `http://127.0.0.1:8700`.
    ///
    /// # Errors
    /// [`ClientError::BadUrl`].
    pub fn new(base: &str) -> Answer<Self> {
        let base = base.trim_end_matches('/');
        let host = base.strip_prefix("http://").ok_or_else(|| ClientError::BadUrl(base.to_owned()))?;
        if host.is_empty() || host.contains('/') {
            return Err(ClientError::BadUrl(base.to_owned()));
        }
        let agent = |total: Option<Duration>| {
            let config = Agent::config_builder()
                .timeout_connect(Some(CONNECT_TIMEOUT))
                .timeout_global(total)
                .http_status_as_error(false)
                .build();
            Agent::new_with_config(config)
        };
        Ok(Self { base: base.to_owned(), agent: agent(Some(ANSWER_TIMEOUT)), patient: agent(None) })
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    pub fn status(&self) -> Answer<NetworkStatus> {
        self.get("/v1/status")
    }

    /// Whether every chain of the node has a final block.
    pub fn ready(&self) -> Answer<bool> {
        Ok(self.send(&self.agent, "/readyz")?.status() == 200)
    }

    pub fn anchor(&self) -> Answer<Anchor> {
        let bytes = self.bytes("/v1/anchor", 1 << 20)?;
        Anchor::decode(bytes).map_err(|error| self.unexpected("/v1/anchor", error))
    }

    pub fn params(&self, chain: ChainId) -> Answer<Params> {
        self.get(&format!("/v1/params?chain={chain}"))
    }

    pub fn account(&self, chain: ChainId, address: Address) -> Answer<AccountView> {
        self.get(&format!("/v1/accounts/{address}?chain={chain}"))
    }

    /// Send a transaction; returns when its block is final.
    pub fn submit(&self, tx: &Tx) -> Answer<TxView> {
        let path = "/v1/txs?wait=final";
        let url = self.url(path);
        let request = self.agent.post(&url).header("content-type", "application/octet-stream");
        self.json(path, request.send(&tx.encode()[..]))
    }

    /// Store a blob from `reader`.
    pub fn put_blob(&self, hash: Hash, mut reader: impl Read) -> Answer<BlobView> {
        let path = format!("/v1/blobs/{hash}");
        let request = self.agent.put(self.url(&path)).header("content-type", "application/octet-stream");
        self.json(&path, request.send(SendBody::from_reader(&mut reader)))
    }

    pub fn has_blob(&self, hash: Hash) -> Answer<bool> {
        let url = self.url(&format!("/v1/blobs/{hash}"));
        let response = self.agent.head(&url).call().map_err(|source| self.unreachable(source))?;
        Ok(response.status() == 200)
    }

    pub fn blob(&self, hash: Hash) -> Answer<Vec<u8>> {
        self.bytes(&format!("/v1/blobs/{hash}"), BLOB_BYTES_MAX)
    }

    /// A blob in bao's combined encoding: check it while reading.
    pub fn blob_encoded(&self, hash: Hash) -> Answer<impl Read + use<>> {
        let path = format!("/v1/blobs/{hash}?encoding=bao");
        let response = self.checked(&path, self.send(&self.agent, &path))?;
        Ok(response.into_body().into_with_config().limit(2 * BLOB_BYTES_MAX).reader())
    }

    pub fn jobs(&self, chain: ChainId, payer: Option<Address>, cursor: Option<&str>) -> Answer<Page<JobView>> {
        let payer = payer.map(|payer| format!("&payer={payer}")).unwrap_or_default();
        let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        self.get(&format!("/v1/jobs?chain={chain}{payer}{cursor}"))
    }

    pub fn job(&self, chain: ChainId, job: JobId) -> Answer<JobView> {
        self.get(&format!("/v1/jobs/{job}?chain={chain}"))
    }

    pub fn job_output(&self, chain: ChainId, job: JobId) -> Answer<Vec<u8>> {
        self.bytes(&format!("/v1/jobs/{job}/output?chain={chain}"), BLOB_BYTES_MAX)
    }

    pub fn job_logs(&self, chain: ChainId, job: JobId) -> Answer<Vec<u8>> {
        self.bytes(&format!("/v1/jobs/{job}/logs?chain={chain}"), BLOB_BYTES_MAX)
    }

    pub fn job_receipt(&self, chain: ChainId, job: JobId) -> Answer<Vec<u8>> {
        self.bytes(&format!("/v1/jobs/{job}/receipt?chain={chain}"), 4 << 20)
    }

    pub fn job_why(&self, chain: ChainId, job: JobId) -> Answer<WhyView> {
        self.get(&format!("/v1/jobs/{job}/why?chain={chain}"))
    }

    pub fn block(&self, chain: ChainId, height: Height) -> Answer<BlockView> {
        self.get(&format!("/v1/chains/{chain}/blocks/{height}"))
    }

    /// The job now and whenever it changes, until it has ended.
    pub fn job_events(&self, chain: ChainId, job: JobId) -> Answer<impl Iterator<Item = Answer<JobView>> + use<>> {
        let path = format!("/v1/jobs/{job}/events?chain={chain}");
        let response = self.checked(&path, self.send(&self.patient, &path))?;
        let reader = BufReader::new(response.into_body().into_with_config().limit(u64::MAX).reader());
        let url = self.url(&path);
        Ok(reader.lines().filter_map(move |line| {
            let wrong = |what: String| ClientError::Unexpected { url: url.clone(), what };
            match line {
                Ok(line) => {
                    let data = line.strip_prefix("data:")?.trim_start().to_owned();
                    Some(serde_json::from_str(&data).map_err(|error| wrong(error.to_string())))
                }
                Err(error) => Some(Err(wrong(error.to_string()))),
            }
        }))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn unreachable(&self, source: ureq::Error) -> ClientError {
        ClientError::Unreachable { url: self.base.clone(), source: Box::new(source) }
    }

    fn unexpected(&self, path: &str, what: impl ToString) -> ClientError {
        ClientError::Unexpected { url: self.url(path), what: what.to_string() }
    }

    fn send(&self, agent: &Agent, path: &str) -> Result<Response<Body>, ClientError> {
        agent.get(self.url(path)).call().map_err(|source| self.unreachable(source))
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Answer<T> {
        let response = self.checked(path, self.send(&self.agent, path))?;
        self.read(path, response)
    }

    fn json<T: DeserializeOwned>(&self, path: &str, sent: Result<Response<Body>, ureq::Error>) -> Answer<T> {
        let response = self.checked(path, sent.map_err(|source| self.unreachable(source)))?;
        self.read(path, response)
    }

    fn read<T: DeserializeOwned>(&self, path: &str, response: Response<Body>) -> Answer<T> {
        let text = response.into_body().into_with_config().limit(ANSWER_BYTES_MAX).read_to_string();
        let text = text.map_err(|error| self.unexpected(path, error))?;
        serde_json::from_str(&text).map_err(|error| self.unexpected(path, error))
    }

    fn bytes(&self, path: &str, limit: u64) -> Answer<Vec<u8>> {
        let response = self.checked(path, self.send(&self.agent, path))?;
        let bytes = response.into_body().into_with_config().limit(limit + 1).read_to_vec();
        bytes.map_err(|error| self.unexpected(path, error))
    }

    /// Turn an error status into the problem it describes.
    fn checked(&self, path: &str, sent: Answer<Response<Body>>) -> Answer<Response<Body>> {
        let response = sent?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let text = response.into_body().into_with_config().limit(64 << 10).read_to_string().unwrap_or_default();
        match serde_json::from_str::<Problem>(&text) {
            Ok(problem) => Err(ClientError::Problem(Box::new(problem))),
            Err(_) => Err(self.unexpected(path, format!("status {status}"))),
        }
    }
}
