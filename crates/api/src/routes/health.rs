//! Routes for those who watch over nodes.

use crate::{Backend, Code, Problem, app::App};
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};

/// Whether the process answers at all.
#[utoipa::path(get, path = "/healthz", tag = "health",
    responses((status = 200, body = String, content_type = "text/plain")))]
pub(crate) async fn healthz() -> &'static str {
    "alive\n"
}

/// Whether every chain has a final block, and goes on.
#[utoipa::path(get, path = "/readyz", tag = "health",
    responses((status = 200, body = String, content_type = "text/plain"), (status = 503, response = crate::noun::Problem)))]
pub(crate) async fn readyz<B: Backend>(State(app): State<App<B>>) -> Result<&'static str, Problem> {
    let status = app.ask(app.backend.status()).await?;
    let waiting: Vec<&str> =
        status.chains.iter().filter(|chain| !chain.ready).map(|chain| chain.chain.name()).collect();
    let not_ready = |detail: String| Err(Problem::new(Code::NotReady, detail).retry_after(1));
    if status.chains.is_empty() {
        return not_ready("this node has no chain yet".to_owned());
    }
    if !waiting.is_empty() {
        return not_ready(format!(
            "these chains have no final block or no vote yet: {}",
            waiting.join(", ")
        ));
    }
    let still: Vec<String> = status
        .chains
        .iter()
        .filter_map(|chain| Some(format!("{}: {}", chain.chain, chain.standstill()?)))
        .collect();
    if !still.is_empty() {
        return not_ready(still.join("; "));
    }
    Ok("ready\n")
}

/// Everything measured, as Prometheus reads it.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, body = String, content_type = "text/plain"), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn metrics<B: Backend>(State(app): State<App<B>>) -> Result<Response, Problem> {
    let text = app.ask(app.backend.metrics()).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
