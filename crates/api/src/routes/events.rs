//! Server-sent events.

use crate::Problem;
use axum::response::{
    IntoResponse as _, Response, Sse,
    sse::{Event, KeepAlive},
};
use futures::{Stream, StreamExt as _, stream};
use serde::Serialize;
use std::{convert::Infallible, time::Duration};
use tokio::sync::OwnedSemaphorePermit;

/// An event of a kind, with JSON.
pub(super) fn named(kind: &str, data: &impl Serialize) -> Result<Event, Problem> {
    Event::default().event(kind).json_data(data).map_err(Problem::internal)
}

/// The stream as an answer; it keeps `place` while it lasts. A problem is told as an event and ends it.
pub(super) fn response(
    events: impl Stream<Item = Result<Event, Problem>> + Send + 'static,
    place: OwnedSemaphorePermit,
    keep_alive: Duration,
) -> Response {
    let told = stream::unfold(Some((Box::pin(events), place)), |events| async {
        let (mut events, place) = events?;
        match events.next().await? {
            Ok(event) => Some((event, Some((events, place)))),
            Err(problem) => Some((named("problem", &problem).unwrap_or_default(), None)),
        }
    });
    Sse::new(told.map(Ok::<_, Infallible>))
        .keep_alive(KeepAlive::new().interval(keep_alive).text("alive"))
        .into_response()
}
