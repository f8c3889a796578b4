//! Routes, one file per area. Here: what they share.

mod blobs;
mod chains;
mod jobs;
mod network;
mod txs;

use crate::{Backend, Code, Problem};
use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRequestParts},
    http::{Method, Uri, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use std::str::FromStr;
use tower_http::catch_panic::CatchPanicLayer;
use types::ChainId;
use utoipa::OpenApi;

/// Longest JSON or transaction body.
pub const JSON_BYTES_MAX: usize = 1 << 20;
/// Largest blob.
pub const BLOB_BYTES_MAX: u64 = 64 << 20;
/// Where jobs and accounts are looked for when a request names no chain.
pub(crate) const CHAIN_DEFAULT: ChainId = ChainId::Europe;

#[derive(OpenApi)]
#[openapi(
    info(title = "MeshX", description = "An open market for computation.", license(name = "Apache-2.0 OR MIT")),
    paths(
        network::status, network::anchor, network::params, network::account, network::healthz, network::readyz,
        network::metrics, txs::submit, blobs::post, blobs::put, blobs::get, blobs::head, jobs::list, jobs::show,
        jobs::output, jobs::logs, jobs::receipt, jobs::why, jobs::events, chains::workers, chains::block,
        chains::blocks, chains::proof
    )
)]
struct Document;

/// The whole API over `backend`.
pub fn router<B: Backend>(backend: B) -> Router {
    Router::new()
        .route("/v1/status", get(network::status::<B>))
        .route("/v1/anchor", get(network::anchor::<B>))
        .route("/v1/params", get(network::params::<B>))
        .route("/v1/accounts/{address}", get(network::account::<B>))
        .route("/v1/txs", post(txs::submit::<B>))
        .route("/v1/blobs", post(blobs::post::<B>).layer(DefaultBodyLimit::disable()))
        .route(
            "/v1/blobs/{hash}",
            get(blobs::get::<B>).put(blobs::put::<B>).head(blobs::head::<B>).layer(DefaultBodyLimit::disable()),
        )
        .route("/v1/jobs", get(jobs::list::<B>))
        .route("/v1/jobs/{id}", get(jobs::show::<B>))
        .route("/v1/jobs/{id}/output", get(jobs::output::<B>))
        .route("/v1/jobs/{id}/logs", get(jobs::logs::<B>))
        .route("/v1/jobs/{id}/receipt", get(jobs::receipt::<B>))
        .route("/v1/jobs/{id}/why", get(jobs::why::<B>))
        .route("/v1/jobs/{id}/events", get(jobs::events::<B>))
        .route("/v1/workers", get(chains::workers::<B>))
        .route("/v1/chains/{chain}/blocks/{height}", get(chains::block::<B>))
        .route("/v1/chains/{chain}/blocks", get(chains::blocks::<B>))
        .route("/v1/proofs/{kind}/{id}", get(chains::proof::<B>))
        .route("/healthz", get(network::healthz))
        .route("/readyz", get(network::readyz::<B>))
        .route("/metrics", get(network::metrics::<B>))
        .route("/openapi.json", get(async || ([("content-type", "application/json")], openapi())))
        .route("/", get(network::dashboard))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(DefaultBodyLimit::max(JSON_BYTES_MAX))
        .layer(CatchPanicLayer::custom(|_| Problem::internal("a request handler panicked").into_response()))
        .with_state(backend)
}

/// The OpenAPI document, as served at `/openapi.json`.
pub fn openapi() -> String {
    Document::openapi().to_pretty_json().expect("an OpenAPI document is JSON")
}

async fn no_route(uri: Uri) -> Problem {
    Problem::new(Code::NotFound, format!("nothing is served at {}", uri.path())).hint("GET /openapi.json lists all routes")
}

async fn no_method(method: Method, uri: Uri) -> Problem {
    Problem::new(Code::MethodNotAllowed, format!("{} does not take {method}", uri.path()))
}

/// Path parameters that parse, or a problem that says which does not.
pub(crate) struct Path<T>(pub(crate) T);

impl<S: Send + Sync, T: FromPath> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let axum::extract::Path(texts) = axum::extract::Path::<Vec<String>>::from_request_parts(parts, state)
            .await
            .map_err(|error| Problem::new(Code::BadRequest, error.body_text()))?;
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        T::from_path(&texts).map(Self)
    }
}

pub(crate) trait FromPath: Sized {
    fn from_path(texts: &[&str]) -> Result<Self, Problem>;
}

pub(crate) fn parse<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error: T::Err| Problem::new(Code::BadRequest, error.to_string()))
}

macro_rules! from_path {
    ($($name:ident),+) => {
        #[allow(unused_parens, non_snake_case)]
        impl<$($name: FromStr<Err: std::fmt::Display>),+> FromPath for ($($name,)+) {
            fn from_path(texts: &[&str]) -> Result<Self, Problem> {
                let mut texts = texts.iter();
                $(let $name = parse(texts.next().copied().unwrap_or_default())?;)+
                Ok(($($name,)+))
            }
        }
    };
}
from_path!(A);
from_path!(A, B);
from_path!(A, B, C);

/// The `chain` query parameter and its like.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned + Send> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        query.map(|axum::extract::Query(value)| Self(value)).map_err(|error| Problem::new(Code::BadRequest, error.body_text()))
    }
}

#[derive(serde::Deserialize, utoipa::IntoParams)]
pub(crate) struct OnChain {
    /// `NA`, `EU`, `AS`, `SA`, `AF`, `OC`, `AN` or `backbone`; `EU` if absent.
    #[param(value_type = Option<String>)]
    chain: Option<ChainId>,
}

impl OnChain {
    pub(crate) fn chain(&self) -> ChainId {
        self.chain.unwrap_or(CHAIN_DEFAULT)
    }
}

pub(crate) fn bytes(stream: crate::ByteStream) -> Response {
    ([("content-type", "application/octet-stream")], axum::body::Body::from_stream(stream)).into_response()
}
