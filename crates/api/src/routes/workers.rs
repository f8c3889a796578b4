//! Routes about workers.

use super::events;
use crate::{
    Backend, Page, Problem, WorkerView, WorkersQuery,
    app::App,
    extract::{Asked, Segments, cursor, optional_chain, page_limit, parse, parse_chain},
};
use axum::{Json, extract::State, response::Response};
use futures::StreamExt as _;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorkersAsked {
    chain: Option<String>,
    cursor: Option<String>,
    limit: Option<usize>,
}

/// Workers, in the order they registered.
#[utoipa::path(get, path = "/v1/workers", tag = "workers",
    params(("chain" = Option<String>, Query, description = "only of this chain"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100, usually 20")),
    responses((status = 200, body = Page<WorkerView>), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn workers<B: Backend>(
    State(app): State<App<B>>,
    Asked(asked): Asked<WorkersAsked>,
) -> Result<Json<Page<WorkerView>>, Problem> {
    let query = WorkersQuery {
        chain: optional_chain(asked.chain.as_deref())?,
        cursor: cursor(asked.cursor)?,
        limit: page_limit(&app.limits, asked.limit)?,
    };
    app.ask(app.backend.workers(query)).await.map(Json)
}

/// One worker.
#[utoipa::path(get, path = "/v1/chains/{chain}/workers/{address}", tag = "workers",
    params(("chain" = String, Path), ("address" = String, Path)),
    responses((status = 200, body = WorkerView), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn worker<B: Backend>(
    State(app): State<App<B>>,
    Segments((chain, address)): Segments<(String, String)>,
) -> Result<Json<WorkerView>, Problem> {
    let (chain, address) = (parse_chain(&chain)?, parse(&address)?);
    app.ask(app.backend.worker(chain, address)).await.map(Json)
}

/// Jobs in which a worker has an assignment, as server-sent events: `duty` carries a JobView. First those that are
/// open, then each whenever it changes.
#[utoipa::path(get, path = "/v1/chains/{chain}/workers/{address}/duties", tag = "workers",
    params(("chain" = String, Path), ("address" = String, Path)),
    responses((status = 200, body = String, content_type = "text/event-stream"),
        (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn duties<B: Backend>(
    State(app): State<App<B>>,
    Segments((chain, address)): Segments<(String, String)>,
) -> Result<Response, Problem> {
    let (chain, address) = (parse_chain(&chain)?, parse(&address)?);
    let place = app.stream_place()?;
    let duties = app.ask(app.backend.duties(chain, address)).await?;
    let named = duties.map(|duty| events::named("duty", &duty?));
    Ok(events::response(named, place, app.limits.keep_alive))
}
