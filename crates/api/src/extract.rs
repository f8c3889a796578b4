//! Extract: what a request says, or the problem with it.

use crate::{Backend, Body, Chunks, Code, Limits, Problem, app::App, app::within};
use axum::{
    body::Body as HttpBody,
    extract::{FromRequestParts, Path, Query},
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::de::DeserializeOwned;
use std::{
    str::FromStr,
    sync::{Arc, Mutex},
};
use types::ChainId;

/// The variable segments of the path.
pub(crate) struct Segments<T>(pub T);

impl<B: Backend, T: DeserializeOwned + Send> FromRequestParts<App<B>> for Segments<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &App<B>) -> Result<Self, Problem> {
        let path = Path::from_request_parts(parts, app).await;
        path.map(|Path(segments)| Self(segments))
            .map_err(|error| Problem::bad_request(error.body_text()))
    }
}

/// What stands after the `?`.
pub(crate) struct Asked<T>(pub T);

impl<B: Backend, T: DeserializeOwned> FromRequestParts<App<B>> for Asked<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &App<B>) -> Result<Self, Problem> {
        let query = Query::try_from_uri(&parts.uri);
        query
            .map(|Query(asked)| Self(asked))
            .map_err(|error| Problem::bad_request(error.body_text()))
    }
}

/// Read one piece of text; its type says in its error what it expects.
pub(crate) fn parse<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error: T::Err| Problem::bad_request(error.to_string()))
}

pub(crate) fn parse_chain(text: &str) -> Result<ChainId, Problem> {
    text.parse()
        .map_err(|error: types::UnknownChain| Problem::new(Code::UnknownChain, error.to_string()))
}

pub(crate) fn optional_chain(text: Option<&str>) -> Result<Option<ChainId>, Problem> {
    text.map(parse_chain).transpose()
}

pub(crate) fn required_chain(text: Option<&str>) -> Result<ChainId, Problem> {
    optional_chain(text)?.ok_or_else(|| {
        Problem::bad_request("the request does not say which chain it is about")
            .hint("add ?chain=EU")
    })
}

/// Items on a page that does not ask for a number.
const PAGE_USUAL: usize = 20;
/// Longest cursor read.
const CURSOR_BYTES_MAX: usize = 256;

pub(crate) fn page_limit(limits: &Limits, limit: Option<usize>) -> Result<usize, Problem> {
    let max = limits.page_max;
    match limit {
        None => Ok(PAGE_USUAL.min(max)),
        Some(limit) if (1..=max).contains(&limit) => Ok(limit),
        Some(limit) => {
            Err(Problem::bad_request(format!("a page has 1 to {max} items, not {limit}")))
        }
    }
}

pub(crate) fn cursor(cursor: Option<String>) -> Result<Option<String>, Problem> {
    match cursor {
        Some(cursor) if cursor.len() > CURSOR_BYTES_MAX => {
            Err(Problem::bad_request("the cursor is invalid: expected `next` of an earlier page"))
        }
        cursor => Ok(cursor),
    }
}

/// The whole of a short body.
pub(crate) async fn read_body(
    limits: &Limits,
    headers: &HeaderMap,
    body: HttpBody,
) -> Result<Bytes, Problem> {
    let mut chunks = receive(limits, limits.body_bytes_max as u64, headers, body)?.0;
    // However steadily it comes: a body this short has no reason to take longer.
    within(limits.answer_timeout, async {
        let mut whole = BytesMut::new();
        while let Some(chunk) = chunks.try_next().await? {
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    })
    .await
}

/// The problem that ended a body, for the handler that has to report it.
pub(crate) type Ended = Arc<Mutex<Option<Problem>>>;

/// A body as it arrives, until it is too long or pauses for too long.
pub(crate) fn receive(
    limits: &Limits,
    bytes_max: u64,
    headers: &HeaderMap,
    body: HttpBody,
) -> Result<(Chunks, Ended), Problem> {
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|len| len.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|len| len > bytes_max) {
        return Err(too_long(bytes_max));
    }
    let pause = limits.body_pause;
    let ended = Ended::default();
    let told = ended.clone();
    let chunks = stream::unfold(Some((body.into_data_stream(), bytes_max)), move |body| {
        let told = told.clone();
        async move {
            let (mut body, left) = body?;
            let chunk = match tokio::time::timeout(pause, body.next()).await {
                Ok(None) => return None,
                Ok(Some(Ok(chunk))) if chunk.len() as u64 <= left => Ok(chunk),
                Ok(Some(Ok(_))) => Err(too_long(bytes_max)),
                Ok(Some(Err(_))) => Err(Problem::bad_request("the body ended early")),
                Err(_) => Err(Problem::bad_request(format!(
                    "the body paused for more than {} s",
                    pause.as_secs_f32()
                ))),
            };
            Some(match chunk {
                Ok(chunk) => {
                    let left = left - chunk.len() as u64;
                    (Ok(chunk), Some((body, left)))
                }
                Err(problem) => {
                    *told.lock().expect("no panic while locked") = Some(problem.clone());
                    (Err(problem), None)
                }
            })
        }
    });
    Ok((Box::pin(chunks), ended))
}

fn too_long(bytes_max: u64) -> Problem {
    Problem::new(Code::PayloadTooLarge, format!("a body has at most {bytes_max} bytes here"))
        .hint("larger content is cut into several blobs")
}

/// An answer of bytes. It is never shown as a page: what strangers stored could be a script.
pub(crate) fn bytes_response(body: Body) -> Response {
    let chunks = body.chunks.inspect_err(|problem| tracing::warn!(%problem, "a body broke off"));
    let mut response = HttpBody::from_stream(chunks).into_response();
    let headers = response.headers_mut();
    headers
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_DISPOSITION, header::HeaderValue::from_static("attachment"));
    if let Some(len) = body.len {
        headers.insert(header::CONTENT_LENGTH, len.into());
    }
    response
}
