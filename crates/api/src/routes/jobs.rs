//! Jobs: their state, results, receipts and reasons.

use super::{OnChain, Path, Query, bytes};
use crate::{Backend, Code, JobView, Page, Problem, WhyView};
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
use types::{Address, ChainId, Hash};

const LIMIT_DEFAULT: usize = 20;
const LIMIT_MAX: usize = 100;

#[derive(Deserialize, utoipa::IntoParams)]
pub(super) struct Listing {
    #[param(value_type = Option<String>)]
    chain: Option<ChainId>,
    #[param(value_type = Option<String>)]
    payer: Option<Address>,
    cursor: Option<String>,
    /// 1 to 100; 20 if absent.
    limit: Option<usize>,
}

/// The jobs this node has seen since it started, newest first.
#[utoipa::path(get, path = "/v1/jobs", params(Listing), responses((status = 200, body = Page<JobView>), (status = 400, body = Problem)))]
pub(super) async fn list<B: Backend>(
    State(backend): State<B>,
    Query(listing): Query<Listing>,
) -> Result<Json<Page<JobView>>, Problem> {
    let limit = listing.limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(Problem::new(Code::BadRequest, format!("limit must be 1 to {LIMIT_MAX}")));
    }
    let chain = listing.chain.unwrap_or(super::CHAIN_DEFAULT);
    backend.jobs(chain, listing.payer, listing.cursor, limit).await.map(Json)
}

/// A job as it stands in the chain's state.
#[utoipa::path(get, path = "/v1/jobs/{id}", params(("id" = String, Path), OnChain), responses((status = 200, body = JobView), (status = 404, body = Problem)))]
pub(super) async fn show<B: Backend>(
    State(backend): State<B>,
    Path((job,)): Path<(Hash,)>,
    Query(on): Query<OnChain>,
) -> Result<Json<JobView>, Problem> {
    backend.job(on.chain(), job).await.map(Json)
}

/// What a settled job wrote to stdout.
#[utoipa::path(get, path = "/v1/jobs/{id}/output", params(("id" = String, Path), OnChain), responses((status = 200, content_type = "application/octet-stream"), (status = 409, body = Problem)))]
pub(super) async fn output<B: Backend>(
    State(backend): State<B>,
    Path((job,)): Path<(Hash,)>,
    Query(on): Query<OnChain>,
) -> Result<Response, Problem> {
    backend.job_output(on.chain(), job).await.map(bytes)
}

/// What a settled job wrote to stderr.
#[utoipa::path(get, path = "/v1/jobs/{id}/logs", params(("id" = String, Path), OnChain), responses((status = 200, content_type = "application/octet-stream"), (status = 409, body = Problem)))]
pub(super) async fn logs<B: Backend>(
    State(backend): State<B>,
    Path((job,)): Path<(Hash,)>,
    Query(on): Query<OnChain>,
) -> Result<Response, Problem> {
    backend.job_logs(on.chain(), job).await.map(bytes)
}

/// A settled job's receipt, which anyone can check offline.
#[utoipa::path(get, path = "/v1/jobs/{id}/receipt", params(("id" = String, Path), OnChain), responses((status = 200, content_type = "application/octet-stream"), (status = 409, body = Problem)))]
pub(super) async fn receipt<B: Backend>(
    State(backend): State<B>,
    Path((job,)): Path<(Hash,)>,
    Query(on): Query<OnChain>,
) -> Result<Response, Problem> {
    let bytes = backend.job_receipt(on.chain(), job).await?;
    let headers = [
        ("content-type", "application/octet-stream".to_owned()),
        ("content-disposition", format!("attachment; filename=\"{job}.mxr\"")),
    ];
    Ok((headers, bytes).into_response())
}

/// Per worker and rule, why the job is where it is.
#[utoipa::path(get, path = "/v1/jobs/{id}/why", params(("id" = String, Path), OnChain), responses((status = 200, body = WhyView), (status = 404, body = Problem)))]
pub(super) async fn why<B: Backend>(
    State(backend): State<B>,
    Path((job,)): Path<(Hash,)>,
    Query(on): Query<OnChain>,
) -> Result<Json<WhyView>, Problem> {
    backend.job_why(on.chain(), job).await.map(Json)
}

/// The job now and at every change, as server-sent events named `phase`; ends when the job has.
#[utoipa::path(get, path = "/v1/jobs/{id}/events", params(("id" = String, Path), OnChain), responses((status = 200, content_type = "text/event-stream"), (status = 404, body = Problem)))]
pub(super) async fn events<B: Backend>(
    State(backend): State<B>,
    Path((job,)): Path<(Hash,)>,
    Query(on): Query<OnChain>,
) -> Result<Response, Problem> {
    let views = backend.job_events(on.chain(), job).await?;
    let events = views.map(|view| {
        let event = Event::default().event("phase").json_data(&view).unwrap_or_default();
        Ok::<_, Infallible>(event)
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}
