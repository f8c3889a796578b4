//! What every route shares: the backend, the limits, and what is left of them.

use crate::{Backend, Code, Limits, Problem};
use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use bytes::Bytes;
use futures::StreamExt as _;
use http_body::{Frame, SizeHint};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What every route shares.
#[derive(Clone)]
pub(crate) struct App<B> {
    pub(crate) backend: B,
    pub(crate) limits: Limits,
    requests: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

impl<B: Backend> App<B> {
    pub(crate) fn new(backend: B, limits: Limits) -> Self {
        let places = |max: usize| Arc::new(Semaphore::new(max.min(Semaphore::MAX_PERMITS)));
        Self {
            backend,
            limits,
            requests: places(limits.requests_max),
            streams: places(limits.streams_max),
        }
    }

    /// The backend's answer, if it begins in time.
    pub(crate) async fn ask<T>(
        &self,
        answer: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        within(self.limits.answer_timeout, answer).await
    }

    /// A place among the event streams, kept until it is dropped.
    pub(crate) fn stream_place(&self) -> Result<OwnedSemaphorePermit, Problem> {
        place(&self.streams, "event streams are open", 5)
    }
}

pub(crate) async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| {
        let detail = format!("the node had no answer after {} s", limit.as_secs_f32());
        Err(Problem::new(Code::Timeout, detail)
            .hint("try again; /v1/status says whether its chains move"))
    })
}

fn place(
    places: &Arc<Semaphore>,
    what: &str,
    retry_after: u32,
) -> Result<OwnedSemaphorePermit, Problem> {
    places.clone().try_acquire_owned().map_err(|_| {
        Problem::new(Code::Overloaded, format!("as many {what} as this node allows at once"))
            .retry_after(retry_after)
            .hint("wait as long as Retry-After says, or ask another node")
    })
}

/// Middleware: let a request in if there is a place for it, which it keeps until its last byte is out.
/// An event stream gives it back: those have places of their own.
pub(crate) async fn limit_requests<B: Backend>(
    State(app): State<App<B>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let place = match place(&app.requests, "requests are in work", 1) {
        Ok(place) => place,
        Err(problem) => {
            discard(request.into_body()).await;
            return Err(problem);
        }
    };
    let response = next.run(request).await;
    if response.headers().get("content-type").is_some_and(|kind| kind == "text/event-stream") {
        return Ok(response);
    }
    Ok(response.map(|body| Body::new(Placed { body, _place: place })))
}

/// Longest body that is read although nobody wants it, and how long that may take.
const DISCARD_BYTES_MAX: usize = 64 << 10;
const DISCARD_TIMEOUT: Duration = Duration::from_millis(500);

/// Read the rest of a short body away. A connection whose request was not read to its end is closed, and
/// a client that was told to come again would find it so in the middle of its next request.
async fn discard(body: Body) {
    let mut chunks = body.into_data_stream();
    let reading = async {
        let mut len = 0;
        while let Some(Ok(chunk)) = chunks.next().await
            && len <= DISCARD_BYTES_MAX
        {
            len += chunk.len();
        }
    };
    // Longer or slower than that: then the connection is closed.
    let _ = tokio::time::timeout(DISCARD_TIMEOUT, reading).await;
}

/// A body that keeps its request's place.
struct Placed {
    body: Body,
    _place: OwnedSemaphorePermit,
}

impl http_body::Body for Placed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }
    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
