//! Blobs: modules, inputs and outputs by content.

use super::{BLOB_BYTES_MAX, Path, Query, bytes};
use crate::{Backend, BlobView, ByteStream, Code, Problem};
use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::{StreamExt as _, TryStreamExt as _};
use serde::Deserialize;
use std::io;
use types::Hash;

#[derive(Deserialize, utoipa::IntoParams)]
pub(super) struct Encoding {
    /// `bao` gives bao's combined encoding, which can be checked chunk by chunk.
    encoding: Option<String>,
}

fn stream(headers: &HeaderMap, body: Body) -> Result<ByteStream, Problem> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|n| n.to_str().ok()).and_then(|n| n.parse::<u64>().ok());
    if declared.is_some_and(|len| len > BLOB_BYTES_MAX) {
        return Err(Problem::new(Code::PayloadTooLarge, format!("a blob has at most {BLOB_BYTES_MAX} bytes"))
            .hint("split the input into several files"));
    }
    Ok(body.into_data_stream().map_err(io::Error::other).boxed())
}

/// Store a blob; the answer says its hash.
#[utoipa::path(post, path = "/v1/blobs", request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = BlobView), (status = 413, body = Problem), (status = 507, body = Problem)))]
pub(super) async fn post<B: Backend>(
    State(backend): State<B>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<BlobView>), Problem> {
    let view = backend.put_blob(None, stream(&headers, body)?).await?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// Store a blob whose hash is known; anything else is refused.
#[utoipa::path(put, path = "/v1/blobs/{hash}", params(("hash" = String, Path)), request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = BlobView), (status = 413, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn put<B: Backend>(
    State(backend): State<B>,
    Path((hash,)): Path<(Hash,)>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<BlobView>), Problem> {
    let view = backend.put_blob(Some(hash), stream(&headers, body)?).await?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// A blob's bytes.
#[utoipa::path(get, path = "/v1/blobs/{hash}", params(("hash" = String, Path), Encoding),
    responses((status = 200, content_type = "application/octet-stream"), (status = 404, body = Problem)))]
pub(super) async fn get<B: Backend>(
    State(backend): State<B>,
    Path((hash,)): Path<(Hash,)>,
    Query(Encoding { encoding }): Query<Encoding>,
) -> Result<Response, Problem> {
    match encoding.as_deref() {
        None => backend.blob(hash).await.map(bytes),
        Some("bao") => backend.blob_encoded(hash).await.map(bytes),
        Some(other) => Err(Problem::new(Code::BadRequest, format!("no encoding is called {other:?}")).hint("leave it out, or use bao")),
    }
}

/// Whether this node has a blob, and its length.
#[utoipa::path(head, path = "/v1/blobs/{hash}", params(("hash" = String, Path)), responses((status = 200), (status = 404)))]
pub(super) async fn head<B: Backend>(
    State(backend): State<B>,
    Path((hash,)): Path<(Hash,)>,
) -> Result<Response, Problem> {
    let len = backend.blob_len(hash).await?;
    Ok(([(header::CONTENT_LENGTH, len.to_string())], ()).into_response())
}
