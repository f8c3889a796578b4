//! Chains: blocks, workers, proofs.

use super::{OnChain, Path, Query};
use crate::{Backend, BlockView, Code, Page, Problem, ProofView, WorkerView};
use axum::{
    Json,
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::StreamExt as _;
use serde::Deserialize;
use std::convert::Infallible;
use types::{ChainId, Height, state::Key};

#[derive(Deserialize, utoipa::IntoParams)]
pub(super) struct Listing {
    #[param(value_type = Option<String>)]
    chain: Option<ChainId>,
    cursor: Option<u32>,
    /// 1 to 100; 50 if absent.
    limit: Option<usize>,
}

/// A chain's workers in the order they registered.
#[utoipa::path(get, path = "/v1/workers", params(Listing), responses((status = 200, body = Page<WorkerView>)))]
pub(super) async fn workers<B: Backend>(
    State(backend): State<B>,
    Query(listing): Query<Listing>,
) -> Result<Json<Page<WorkerView>>, Problem> {
    let limit = listing.limit.unwrap_or(50).clamp(1, 100);
    backend.workers(listing.chain.unwrap_or(super::CHAIN_DEFAULT), listing.cursor, limit).await.map(Json)
}

/// A final block's header and certificate.
#[utoipa::path(get, path = "/v1/chains/{chain}/blocks/{height}", params(("chain" = String, Path), ("height" = u64, Path)), responses((status = 200, body = BlockView), (status = 404, body = Problem)))]
pub(super) async fn block<B: Backend>(
    State(backend): State<B>,
    Path((chain, height)): Path<(ChainId, u64)>,
) -> Result<Json<BlockView>, Problem> {
    backend.block(chain, Height::new(height)).await.map(Json)
}

/// Blocks as they become final, as server-sent events named `block`.
#[utoipa::path(get, path = "/v1/chains/{chain}/blocks", params(("chain" = String, Path)), responses((status = 200, content_type = "text/event-stream"), (status = 404, body = Problem)))]
pub(super) async fn blocks<B: Backend>(
    State(backend): State<B>,
    Path((chain,)): Path<(ChainId,)>,
) -> Result<Response, Problem> {
    let blocks = backend.block_events(chain).await?;
    let events = blocks
        .map(|view| Ok::<_, Infallible>(Event::default().event("block").json_data(&view).unwrap_or_default()));
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

/// A record of the chain's state, or its absence, with a proof that leads to a certified header.
/// `kind` is `account`, `job` or `worker`.
#[utoipa::path(get, path = "/v1/proofs/{kind}/{id}", params(("kind" = String, Path), ("id" = String, Path), OnChain), responses((status = 200, body = ProofView), (status = 400, body = Problem)))]
pub(super) async fn proof<B: Backend>(
    State(backend): State<B>,
    Path((kind, id)): Path<(String, String)>,
    Query(on): Query<OnChain>,
) -> Result<Json<ProofView>, Problem> {
    let key = match kind.as_str() {
        "account" => Key::Account(super::parse(&id)?),
        "worker" => Key::Worker(super::parse(&id)?),
        "job" => Key::Job(super::parse(&id)?),
        other => {
            return Err(Problem::new(Code::BadRequest, format!("nothing is proved of kind {other:?}"))
                .hint("kind is account, job or worker"));
        }
    };
    backend.proof(on.chain(), key).await.map(Json)
}
