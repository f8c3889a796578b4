//! Routes for those who check a chain themselves.

use super::events;
use crate::{
    Backend, BlockView, Problem, ProofKey, ProofView,
    app::App,
    extract::{Segments, parse, parse_chain},
};
use axum::{Json, extract::State, response::Response};
use futures::StreamExt as _;
use types::Height;

/// A final block without its transactions.
#[utoipa::path(get, path = "/v1/chains/{chain}/blocks/{height}", tag = "chains",
    params(("chain" = String, Path), ("height" = u64, Path)),
    responses((status = 200, body = BlockView), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn block<B: Backend>(
    State(app): State<App<B>>,
    Segments((chain, height)): Segments<(String, String)>,
) -> Result<Json<BlockView>, Problem> {
    let chain = parse_chain(&chain)?;
    let height =
        height.parse().map_err(|_| Problem::bad_request(format!("{height:?} is not a height")))?;
    app.ask(app.backend.block(chain, Height::new(height))).await.map(Json)
}

/// Blocks as they become final, as server-sent events: `block` carries a BlockView.
#[utoipa::path(get, path = "/v1/chains/{chain}/blocks", tag = "chains",
    params(("chain" = String, Path)),
    responses((status = 200, body = String, content_type = "text/event-stream"),
        (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn blocks<B: Backend>(
    State(app): State<App<B>>,
    Segments(chain): Segments<String>,
) -> Result<Response, Problem> {
    let chain = parse_chain(&chain)?;
    let place = app.stream_place()?;
    let blocks = app.ask(app.backend.blocks(chain)).await?;
    let named = blocks.map(|block| events::named("block", &block?));
    Ok(events::response(named, place, app.limits.keep_alive))
}

/// That a record is in a chain's newest certified state, or that it is not.
#[utoipa::path(get, path = "/v1/chains/{chain}/proof/{kind}/{id}", tag = "chains",
    params(("chain" = String, Path), ("kind" = String, Path, description = "account, job, worker, or peers: where an operator's nodes are met"),
        ("id" = String, Path, description = "an address, or a job's id")),
    responses((status = 200, body = ProofView), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn proof<B: Backend>(
    State(app): State<App<B>>,
    Segments((chain, kind, id)): Segments<(String, String, String)>,
) -> Result<Json<ProofView>, Problem> {
    let chain = parse_chain(&chain)?;
    let key = match kind.as_str() {
        "account" => ProofKey::Account(parse(&id)?),
        "job" => ProofKey::Job(parse(&id)?),
        "worker" => ProofKey::Worker(parse(&id)?),
        "peers" => ProofKey::Peers(parse(&id)?),
        other => {
            let detail = format!(
                "a proof is about an account, a job, a worker or the peers of an operator, not {other:?}"
            );
            return Err(Problem::bad_request(detail));
        }
    };
    app.ask(app.backend.proof(chain, key)).await.map(Json)
}
