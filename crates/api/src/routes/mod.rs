//! Routes: one file per area, and how they are put together.

mod accounts;
mod blobs;
mod chains;
mod economy;
mod events;
mod health;
mod jobs;
mod network;
mod page;
mod txs;
mod workers;

use crate::{Backend, Code, Limits, Problem, app::App, app::limit_requests};
use axum::{
    Router,
    http::{HeaderValue, Method, Uri, header},
    middleware,
    response::{IntoResponse as _, Response},
    routing::MethodRouter,
};
use tower_http::{catch_panic::CatchPanicLayer, trace::TraceLayer};

pub(crate) use accounts::*;
pub(crate) use blobs::*;
pub(crate) use chains::*;
pub(crate) use economy::*;
pub(crate) use health::*;
pub(crate) use jobs::*;
pub(crate) use network::*;
pub(crate) use page::*;
pub(crate) use txs::*;
pub(crate) use workers::*;

/// Every route over `backend`.
pub fn router<B: Backend>(backend: B, limits: Limits) -> Router {
    let app = App::new(backend, limits);
    let limited = mount(limited_routes::<B>())
        .route_layer(middleware::from_fn_with_state(app.clone(), limit_requests::<B>));
    mount(open_routes::<B>())
        .merge(limited)
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(CatchPanicLayer::custom(|_| Problem::internal("a handler panicked").into_response()))
        .layer(middleware::map_response(harden))
        .layer(TraceLayer::new_for_http().on_failure(()))
        .with_state(app)
}

type Routes<B> = Vec<(&'static str, MethodRouter<App<B>>)>;

fn mount<B: Backend>(routes: Routes<B>) -> Router<App<B>> {
    routes.into_iter().fold(Router::new(), |router, (path, methods)| router.route(path, methods))
}

/// Answered however much there is to do.
fn open_routes<B: Backend>() -> Routes<B> {
    use axum::routing::get;
    vec![
        ("/", get(page)),
        ("/healthz", get(healthz)),
        ("/readyz", get(readyz::<B>)),
        ("/metrics", get(metrics::<B>)),
        ("/openapi.json", get(openapi_json)),
    ]
}

/// Answered while there are places.
fn limited_routes<B: Backend>() -> Routes<B> {
    use axum::routing::{get, post, put};
    vec![
        ("/v1/status", get(status::<B>)),
        ("/v1/genesis", get(genesis::<B>)),
        ("/v1/params", get(params::<B>)),
        ("/v1/market", get(market::<B>)),
        ("/v1/validators", get(validators::<B>)),
        ("/v1/stake/{address}", get(stake::<B>)),
        ("/v1/earnings/{address}", get(earnings::<B>)),
        ("/v1/attestation/{address}", get(attestation::<B>)),
        ("/v1/presence/{address}", get(presence::<B>)),
        ("/v1/period", get(period::<B>)),
        ("/v1/proposals", get(proposals::<B>)),
        ("/v1/equivocations", get(equivocations::<B>)),
        ("/v1/faucet", post(faucet::<B>)),
        ("/v1/accounts/{address}", get(account::<B>)),
        ("/v1/txs", post(submit::<B>)),
        ("/v1/blobs", post(post_blob::<B>)),
        ("/v1/blobs/{hash}", put(put_blob::<B>).get(blob::<B>).head(blob_len::<B>)),
        ("/v1/jobs", get(jobs::<B>)),
        ("/v1/jobs/{id}", get(job::<B>)),
        ("/v1/jobs/{id}/output", get(stdout::<B>)),
        ("/v1/jobs/{id}/logs", get(stderr::<B>)),
        ("/v1/jobs/{id}/files", get(files::<B>)),
        ("/v1/jobs/{id}/files/{hash}", get(file::<B>)),
        ("/v1/jobs/{id}/receipt", get(receipt::<B>)),
        ("/v1/jobs/{id}/why", get(why::<B>)),
        ("/v1/jobs/{id}/events", get(job_events::<B>)),
        ("/v1/workers", get(workers::<B>)),
        ("/v1/chains/{chain}/blocks", get(blocks::<B>)),
        ("/v1/chains/{chain}/blocks/{height}", get(block::<B>)),
        ("/v1/chains/{chain}/proof/{kind}/{id}", get(proof::<B>)),
        ("/v1/chains/{chain}/workers/{address}", get(worker::<B>)),
        ("/v1/chains/{chain}/workers/{address}/duties", get(duties::<B>)),
    ]
}

async fn no_route(uri: Uri) -> Problem {
    Problem::new(Code::NotFound, format!("there is no route {}", uri.path()))
        .hint("/openapi.json lists them all")
}

async fn no_method(method: Method, uri: Uri) -> Problem {
    Problem::new(
        Code::MethodNotAllowed,
        format!("{} does not have the method {method}", uri.path()),
    )
    .hint("the header Allow lists those it has")
}

/// Middleware: browsers must not guess types, and nobody keeps what may change.
async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
