//! The network as a whole, and accounts.

use super::{OnChain, Path, Query};
use crate::{AccountView, Backend, Code, NetworkStatus, Problem};
use axum::{
    Json,
    extract::State,
    response::{Html, IntoResponse, Response},
};
use types::{Address, codec::Encode, state::Params};

/// The network and all its chains.
#[utoipa::path(get, path = "/v1/status", responses((status = 200, body = NetworkStatus)))]
pub(super) async fn status<B: Backend>(State(backend): State<B>) -> Json<NetworkStatus> {
    Json(backend.status().await)
}

/// What it takes to check the network's certificates, as bytes; its hash is the network's id.
#[utoipa::path(get, path = "/v1/anchor", responses((status = 200, content_type = "application/octet-stream")))]
pub(super) async fn anchor<B: Backend>(State(backend): State<B>) -> Response {
    ([("content-type", "application/octet-stream")], backend.anchor().encode().to_vec()).into_response()
}

/// A chain's rules with numbers in them.
#[utoipa::path(get, path = "/v1/params", params(OnChain), responses((status = 200, body = Object), (status = 404, body = Problem)))]
pub(super) async fn params<B: Backend>(
    State(backend): State<B>,
    Query(on): Query<OnChain>,
) -> Result<Json<Params>, Problem> {
    backend.params(on.chain()).await.map(Json)
}

/// An account's balance and next nonce on one chain.
#[utoipa::path(get, path = "/v1/accounts/{address}", params(("address" = String, Path), OnChain), responses((status = 200, body = AccountView), (status = 400, body = Problem)))]
pub(super) async fn account<B: Backend>(
    State(backend): State<B>,
    Path((address,)): Path<(Address,)>,
    Query(on): Query<OnChain>,
) -> Result<Json<AccountView>, Problem> {
    backend.account(on.chain(), address).await.map(Json)
}

/// Whether the process answers.
#[utoipa::path(get, path = "/healthz", responses((status = 200)))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether every chain of this node has a final block.
#[utoipa::path(get, path = "/readyz", responses((status = 200), (status = 503, body = Problem)))]
pub(super) async fn readyz<B: Backend>(State(backend): State<B>) -> Result<&'static str, Problem> {
    if backend.ready() { Ok("ready\n") } else { Err(Problem::new(Code::NotReady, "not every chain has a final block yet")) }
}

/// Prometheus metrics.
#[utoipa::path(get, path = "/metrics", responses((status = 200, content_type = "text/plain")))]
pub(super) async fn metrics<B: Backend>(State(backend): State<B>) -> Response {
    ([("content-type", "text/plain; version=0.0.4")], backend.metrics()).into_response()
}

pub(super) async fn dashboard() -> Html<&'static str> {
    Html(include_str!("dashboard.html"))
}
