//! Routes about jobs.

use super::{ChainAsked, events};
use crate::{
    Backend, Body, JobEvent, JobView, JobsQuery, Output, Page, Problem, Why,
    app::App,
    extract::{Asked, Segments, bytes_response, cursor, optional_chain, page_limit, parse},
};
use axum::{
    Json,
    extract::State,
    http::{HeaderValue, header},
    response::Response,
};
use futures::{StreamExt as _, stream};
use serde::Deserialize;
use types::{ChainId, JobId};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobsAsked {
    chain: Option<String>,
    payer: Option<String>,
    cursor: Option<String>,
    limit: Option<usize>,
}

/// Jobs, newest first.
#[utoipa::path(get, path = "/v1/jobs", tag = "jobs",
    params(("chain" = Option<String>, Query, description = "only of this chain"),
        ("payer" = Option<String>, Query, description = "only of this address"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100, usually 20")),
    responses((status = 200, body = Page<JobView>), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn jobs<B: Backend>(
    State(app): State<App<B>>,
    Asked(asked): Asked<JobsAsked>,
) -> Result<Json<Page<JobView>>, Problem> {
    let query = JobsQuery {
        chain: optional_chain(asked.chain.as_deref())?,
        payer: asked.payer.as_deref().map(parse).transpose()?,
        cursor: cursor(asked.cursor)?,
        limit: page_limit(&app.limits, asked.limit)?,
    };
    app.ask(app.backend.jobs(query)).await.map(Json)
}

/// A job, to be found on the chain named or on any.
fn which(id: &str, asked: &ChainAsked) -> Result<(Option<ChainId>, JobId), Problem> {
    Ok((optional_chain(asked.chain.as_deref())?, parse(id)?))
}

/// A job as it stands.
#[utoipa::path(get, path = "/v1/jobs/{id}", tag = "jobs",
    params(("id" = String, Path, description = "the id of the transaction that submitted it"),
        ("chain" = Option<String>, Query, description = "where it is; otherwise all chains are searched")),
    responses((status = 200, body = JobView), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn job<B: Backend>(
    State(app): State<App<B>>,
    Segments(id): Segments<String>,
    Asked(asked): Asked<ChainAsked>,
) -> Result<Json<JobView>, Problem> {
    let (chain, job) = which(&id, &asked)?;
    app.ask(app.backend.job(chain, job)).await.map(Json)
}

/// What a settled job wrote to stdout, or returned from `run`.
#[utoipa::path(get, path = "/v1/jobs/{id}/output", tag = "jobs",
    params(("id" = String, Path), ("chain" = Option<String>, Query)),
    responses((status = 200, body = crate::noun::Binary, content_type = "application/octet-stream"),
        (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn stdout<B: Backend>(
    State(app): State<App<B>>,
    Segments(id): Segments<String>,
    Asked(asked): Asked<ChainAsked>,
) -> Result<Response, Problem> {
    let (chain, job) = which(&id, &asked)?;
    app.ask(app.backend.output(chain, job, Output::Stdout)).await.map(bytes_response)
}

/// What a settled job wrote to stderr, or logged.
#[utoipa::path(get, path = "/v1/jobs/{id}/logs", tag = "jobs",
    params(("id" = String, Path), ("chain" = Option<String>, Query)),
    responses((status = 200, body = crate::noun::Binary, content_type = "application/octet-stream"),
        (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn stderr<B: Backend>(
    State(app): State<App<B>>,
    Segments(id): Segments<String>,
    Asked(asked): Asked<ChainAsked>,
) -> Result<Response, Problem> {
    let (chain, job) = which(&id, &asked)?;
    app.ask(app.backend.output(chain, job, Output::Stderr)).await.map(bytes_response)
}

/// The list of the files that a settled job left under `/out`: the bytes of an OutputList.
#[utoipa::path(get, path = "/v1/jobs/{id}/files", tag = "jobs",
    params(("id" = String, Path), ("chain" = Option<String>, Query)),
    responses((status = 200, body = crate::noun::Binary, content_type = "application/octet-stream"),
        (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn files<B: Backend>(
    State(app): State<App<B>>,
    Segments(id): Segments<String>,
    Asked(asked): Asked<ChainAsked>,
) -> Result<Response, Problem> {
    let (chain, job) = which(&id, &asked)?;
    app.ask(app.backend.output_file(chain, job, None)).await.map(bytes_response)
}

/// One of the files that a settled job left under `/out`, by the hash that the list names.
#[utoipa::path(get, path = "/v1/jobs/{id}/files/{hash}", tag = "jobs",
    params(("id" = String, Path), ("hash" = String, Path, description = "BLAKE3 of its bytes"),
        ("chain" = Option<String>, Query)),
    responses((status = 200, body = crate::noun::Binary, content_type = "application/octet-stream"),
        (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn file<B: Backend>(
    State(app): State<App<B>>,
    Segments((id, hash)): Segments<(String, String)>,
    Asked(asked): Asked<ChainAsked>,
) -> Result<Response, Problem> {
    let (chain, job) = which(&id, &asked)?;
    app.ask(app.backend.output_file(chain, job, Some(parse(&hash)?))).await.map(bytes_response)
}

/// A settled job's receipt, which `meshx verify` checks without a network.
#[utoipa::path(get, path = "/v1/jobs/{id}/receipt", tag = "jobs",
    params(("id" = String, Path), ("chain" = Option<String>, Query)),
    responses((status = 200, description = "an .mxr file", body = crate::noun::Binary, content_type = "application/octet-stream"),
        (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn receipt<B: Backend>(
    State(app): State<App<B>>,
    Segments(id): Segments<String>,
    Asked(asked): Asked<ChainAsked>,
) -> Result<Response, Problem> {
    let (chain, job) = which(&id, &asked)?;
    let mut response = bytes_response(Body::whole(app.ask(app.backend.receipt(chain, job)).await?));
    let name = HeaderValue::from_str(&format!("attachment; filename=\"{job}.mxr\""))
        .expect("hex is ASCII");
    response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}

/// Why a job is where it is.
#[utoipa::path(get, path = "/v1/jobs/{id}/why", tag = "jobs",
    params(("id" = String, Path), ("chain" = Option<String>, Query)),
    responses((status = 200, body = Why), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn why<B: Backend>(
    State(app): State<App<B>>,
    Segments(id): Segments<String>,
    Asked(asked): Asked<ChainAsked>,
) -> Result<Json<Why>, Problem> {
    let (chain, job) = which(&id, &asked)?;
    app.ask(app.backend.why(chain, job)).await.map(Json)
}

/// What happens to a job, as server-sent events.
///
/// `phase` carries a JobView: the current one first, then each change. `output` carries an OutputChunk,
/// where outputs stream. `problem` carries a Problem and ends the stream, as does a job's last phase.
/// A client that lost the connection asks again and gets the current phase.
#[utoipa::path(get, path = "/v1/jobs/{id}/events", tag = "jobs",
    params(("id" = String, Path), ("chain" = Option<String>, Query)),
    responses((status = 200, body = String, content_type = "text/event-stream"),
        (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn job_events<B: Backend>(
    State(app): State<App<B>>,
    Segments(id): Segments<String>,
    Asked(asked): Asked<ChainAsked>,
) -> Result<Response, Problem> {
    let (chain, job) = which(&id, &asked)?;
    let place = app.stream_place()?;
    let events = app.ask(app.backend.job_events(chain, job)).await?;
    let until_over = stream::unfold(Some(events), |events| async {
        let mut events = events?;
        let event = events.next().await?;
        let over = matches!(&event, Ok(JobEvent::Phase(view)) if view.is_over());
        Some((event, (!over).then_some(events)))
    });
    let named = until_over.map(|event| match event? {
        JobEvent::Phase(view) => events::named("phase", &view),
        JobEvent::Output(chunk) => events::named("output", &chunk),
    });
    Ok(events::response(named, place, app.limits.keep_alive))
}
