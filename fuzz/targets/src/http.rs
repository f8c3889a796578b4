//! Requests against every route. No request makes the node answer with a fault of its own.

use ::bytes::Bytes;
use api::{
    AccountView, Backend, BlobView, BlockView, Body, Chunks, Code, Events, JobEvent, JobView,
    JobsQuery, Limits, NetworkStatus, Output, Page, Problem, ProofKey, ProofView, Submitted, Wait,
    Why, WorkerView, WorkersQuery,
};
use futures::TryStreamExt as _;
use http::{Request, header};
use http_body_util::{BodyExt as _, Full};
use tower::ServiceExt as _;
use types::{Address, ChainId, Hash, Height, JobId, NanoMeshx, Tx, state::Params};

/// A line with the method's letter, `j` for JSON and the path with its query; then the body.
pub(crate) fn run(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (line, body) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    let Some(([method, kind], path)) = line.split_first_chunk::<2>() else { return };
    let method = match method {
        b'P' => "POST",
        b'U' => "PUT",
        b'H' => "HEAD",
        _ => "GET",
    };
    let kind = if *kind == b'j' { "application/json" } else { "application/octet-stream" };
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, kind);
    let Ok(request) = request.body(Full::new(Bytes::copy_from_slice(body))) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a thread is a runtime").block_on(async {
        let answer = api::router(Nobody, Limits::default())
            .oneshot(request)
            .await
            .expect("routes do not fail");
        let (head, body) = answer.into_parts();
        // A handler that panicked answers 500.
        assert_ne!(head.status.as_u16(), 500, "{method} {}", String::from_utf8_lossy(path));
        if head.status.is_client_error() && method != "HEAD" {
            let body = body.collect().await.expect("a problem is a short body").to_bytes();
            let problem: Problem =
                serde_json::from_slice(&body).expect("a failure is told as a problem");
            assert_eq!(problem.code.status(), head.status.as_u16());
        }
    });
}

/// A node that knows nothing.
#[derive(Clone)]
struct Nobody;

fn no<T>(code: Code) -> Result<T, Problem> {
    Err(Problem::new(code, "there is nothing here"))
}

impl Backend for Nobody {
    async fn status(&self) -> Result<NetworkStatus, Problem> {
        let (network, name, version) = (Hash::default(), "none".into(), "0".into());
        Ok(NetworkStatus {
            network,
            name,
            version,
            dev_dealer: false,
            join: vec![],
            chains: vec![],
        })
    }
    async fn genesis(&self) -> Result<Bytes, Problem> {
        Ok(Bytes::new())
    }
    async fn params(&self, _: ChainId) -> Result<Params, Problem> {
        no(Code::UnknownChain)
    }
    async fn market(&self, _: ChainId) -> Result<api::MarketView, Problem> {
        no(Code::UnknownChain)
    }
    async fn validators(&self) -> Result<Vec<api::ValidatorView>, Problem> {
        no(Code::UnknownChain)
    }
    async fn stake(&self, _: Address) -> Result<api::StakeView, Problem> {
        no(Code::UnknownChain)
    }
    async fn earnings(&self, _: ChainId, _: Address) -> Result<api::EarningsView, Problem> {
        no(Code::UnknownChain)
    }

    async fn attestation(&self, _: ChainId, _: Address) -> Result<api::AttestationView, Problem> {
        no(Code::UnknownChain)
    }
    async fn presence(&self, _: Address) -> Result<api::PresenceView, Problem> {
        no(Code::UnknownChain)
    }
    async fn period(&self) -> Result<api::PeriodView, Problem> {
        no(Code::NoPeriod)
    }
    async fn proposals(&self) -> Result<Vec<types::governance::Proposal>, Problem> {
        no(Code::UnknownChain)
    }
    async fn equivocations(&self) -> Result<Vec<types::EquivocationProof>, Problem> {
        no(Code::UnknownChain)
    }
    async fn faucet(&self, _: api::FaucetAsked) -> Result<api::FaucetGave, Problem> {
        no(Code::UnknownChain)
    }
    async fn account(&self, chain: ChainId, address: Address) -> Result<AccountView, Problem> {
        Ok(AccountView { address, chain, balance: NanoMeshx::ZERO, nonce: 0, height: Height::ZERO })
    }
    async fn submit(&self, tx: Tx, _: Wait) -> Result<Submitted, Problem> {
        Ok(Submitted { tx: tx.id(), chain: tx.chain, height: None, block: None })
    }
    async fn put_blob(&self, expected: Option<Hash>, content: Chunks) -> Result<BlobView, Problem> {
        let content: Vec<Bytes> = content.try_collect().await?;
        let content = content.concat();
        let hash = Hash::of_content(&content);
        match expected {
            Some(expected) if expected != hash => no(Code::HashMismatch),
            _ => Ok(BlobView { hash, len: content.len() as u64 }),
        }
    }
    async fn blob(&self, _: Hash) -> Result<Body, Problem> {
        Ok(Body::whole(Bytes::from_static(b"hello")))
    }
    async fn blob_encoded(&self, _: Hash) -> Result<Body, Problem> {
        no(Code::UnknownBlob)
    }
    async fn blob_len(&self, _: Hash) -> Result<u64, Problem> {
        Ok(5)
    }
    async fn jobs(&self, query: JobsQuery) -> Result<Page<JobView>, Problem> {
        assert!((1..=Limits::default().page_max).contains(&query.limit), "the router checked it");
        Ok(Page { items: vec![], next: query.cursor })
    }
    async fn job(&self, _: Option<ChainId>, _: JobId) -> Result<JobView, Problem> {
        no(Code::UnknownJob)
    }
    async fn output(&self, _: Option<ChainId>, _: JobId, _: Output) -> Result<Body, Problem> {
        no(Code::NotSettled)
    }
    async fn output_file(
        &self,
        _: Option<ChainId>,
        _: JobId,
        _: Option<Hash>,
    ) -> Result<Body, Problem> {
        no(Code::NotSettled)
    }
    async fn receipt(&self, _: Option<ChainId>, _: JobId) -> Result<Bytes, Problem> {
        no(Code::NotSettled)
    }
    async fn why(&self, _: Option<ChainId>, _: JobId) -> Result<Why, Problem> {
        Ok(Why { verdict: String::new(), reasons: vec![] })
    }
    async fn job_events(&self, _: Option<ChainId>, _: JobId) -> Result<Events<JobEvent>, Problem> {
        no(Code::UnknownJob)
    }
    async fn workers(&self, query: WorkersQuery) -> Result<Page<WorkerView>, Problem> {
        assert!((1..=Limits::default().page_max).contains(&query.limit), "the router checked it");
        Ok(Page { items: vec![], next: query.cursor })
    }
    async fn worker(&self, _: ChainId, _: Address) -> Result<WorkerView, Problem> {
        no(Code::UnknownWorker)
    }
    async fn duties(&self, _: ChainId, _: Address) -> Result<Events<JobView>, Problem> {
        no(Code::UnknownChain)
    }
    async fn block(&self, _: ChainId, _: Height) -> Result<BlockView, Problem> {
        no(Code::UnknownBlock)
    }
    async fn blocks(&self, _: ChainId) -> Result<Events<BlockView>, Problem> {
        no(Code::UnknownChain)
    }
    async fn proof(&self, _: ChainId, _: ProofKey) -> Result<ProofView, Problem> {
        no(Code::Pruned)
    }
    async fn metrics(&self) -> Result<String, Problem> {
        Ok(String::new())
    }
}
