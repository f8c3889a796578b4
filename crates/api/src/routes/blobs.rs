//! Routes for content-addressed files.

use crate::{
    Backend, BlobView, Problem,
    app::{App, within},
    extract::{Asked, Segments, bytes_response, parse, receive},
};
use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use types::Hash;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EncodingAsked {
    encoding: Option<Encoding>,
}
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Encoding {
    Bao,
}

/// Store a blob whose hash is known.
#[utoipa::path(put, path = "/v1/blobs/{hash}", tag = "blobs",
    params(("hash" = String, Path, description = "BLAKE3 of the content, 64 hex digits")),
    request_body(content = crate::noun::Binary, content_type = "application/octet-stream", description = "at most 96 MiB"),
    responses((status = 201, body = BlobView), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn put_blob<B: Backend>(
    State(app): State<App<B>>,
    Segments(hash): Segments<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    store(&app, Some(parse(&hash)?), &headers, body).await
}

/// Store a blob and learn its hash.
#[utoipa::path(post, path = "/v1/blobs", tag = "blobs",
    request_body(content = crate::noun::Binary, content_type = "application/octet-stream", description = "at most 96 MiB"),
    responses((status = 201, body = BlobView), (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn post_blob<B: Backend>(
    State(app): State<App<B>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    store(&app, None, &headers, body).await
}

async fn store<B: Backend>(
    app: &App<B>,
    expected: Option<Hash>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (chunks, ended) = receive(&app.limits, app.limits.blob_bytes_max, headers, body)?;
    let stored = within(app.limits.blob_timeout, app.backend.put_blob(expected, chunks)).await;
    // What ended the body says more than what its end did to the store.
    let cause = ended.lock().expect("no panic while locked").take();
    let blob = cause.map_or(stored, Err)?;
    let location = format!("/v1/blobs/{}", blob.hash);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(blob)).into_response())
}

/// A blob's content.
///
/// `encoding=bao` interleaves the BLAKE3 tree ([bao](https://github.com/oconnor663/bao)'s combined
/// encoding), so that each KiB can be checked as it arrives.
#[utoipa::path(get, path = "/v1/blobs/{hash}", tag = "blobs",
    params(("hash" = String, Path, description = "BLAKE3 of the content, 64 hex digits"),
        ("encoding" = Option<String>, Query, description = "bao")),
    responses((status = 200, body = crate::noun::Binary, content_type = "application/octet-stream"),
        (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn blob<B: Backend>(
    State(app): State<App<B>>,
    Segments(hash): Segments<String>,
    Asked(asked): Asked<EncodingAsked>,
) -> Result<Response, Problem> {
    let hash = parse(&hash)?;
    let body = match asked.encoding {
        None => app.ask(app.backend.blob(hash)).await?,
        Some(Encoding::Bao) => app.ask(app.backend.blob_encoded(hash)).await?,
    };
    Ok(forever(bytes_response(body)))
}

/// Whether a blob is here, and how long it is.
#[utoipa::path(head, path = "/v1/blobs/{hash}", tag = "blobs",
    params(("hash" = String, Path, description = "BLAKE3 of the content, 64 hex digits")),
    responses((status = 200, description = "`Content-Length` is the blob's"),
        (status = "default", description = "the status of the problem that GET would tell")))]
pub(crate) async fn blob_len<B: Backend>(
    State(app): State<App<B>>,
    Segments(hash): Segments<String>,
    Asked(asked): Asked<EncodingAsked>,
) -> Result<Response, Problem> {
    let len = app.ask(app.backend.blob_len(parse(&hash)?)).await?;
    // How long its encoding is, only the answer that carries it says.
    let len = asked.encoding.is_none().then_some(len);
    Ok(forever(bytes_response(crate::Body { len, chunks: Box::pin(futures::stream::empty()) })))
}

/// What a hash names never changes.
fn forever(mut response: Response) -> Response {
    let value = HeaderValue::from_static("public, max-age=31536000, immutable");
    response.headers_mut().insert(header::CACHE_CONTROL, value);
    response
}
