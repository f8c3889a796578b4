//! Routes about workers.

use crate::{
    Backend, Page, Problem, WorkerView, WorkersQuery,
    app::App,
    extract::{Asked, cursor, optional_chain, page_limit},
};
use axum::{Json, extract::State};
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
