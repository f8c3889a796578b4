//! Routes about the network as a whole.

use crate::{
    Backend, Body, NetworkStatus, Problem,
    app::App,
    extract::{Asked, bytes_response, required_chain},
};
use axum::{Json, extract::State, response::Response};
use serde::Deserialize;
use types::state::Params;

/// `?chain=`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChainAsked {
    pub(crate) chain: Option<String>,
}

/// The network and the chains this node follows.
#[utoipa::path(get, path = "/v1/status", tag = "network",
    responses((status = 200, body = NetworkStatus), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn status<B: Backend>(
    State(app): State<App<B>>,
) -> Result<Json<NetworkStatus>, Problem> {
    app.ask(app.backend.status()).await.map(Json)
}

/// The network's descriptor: all it takes to check what its chains say.
#[utoipa::path(get, path = "/v1/genesis", tag = "network",
    responses((status = 200, body = crate::noun::Binary, content_type = "application/octet-stream"),
        (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn genesis<B: Backend>(State(app): State<App<B>>) -> Result<Response, Problem> {
    Ok(bytes_response(Body::whole(app.ask(app.backend.genesis()).await?)))
}

/// The parameters a chain runs with.
#[utoipa::path(get, path = "/v1/params", tag = "network",
    params(("chain" = String, Query, description = "backbone, NA, EU, AS, SA, AF, OC or AN")),
    responses((status = 200, body = crate::noun::Params), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn params<B: Backend>(
    State(app): State<App<B>>,
    Asked(asked): Asked<ChainAsked>,
) -> Result<Json<Params>, Problem> {
    let chain = required_chain(asked.chain.as_deref())?;
    app.ask(app.backend.params(chain)).await.map(Json)
}
