//! What happens when there is too much of something, or it takes too long.

use crate::{
    ask::{ask, get},
    fake::{Fake, Mood, job_id},
    problems::tx,
};
use api::{Limits, router};
use axum::{
    body::Body,
    http::{Request, Response},
};
use futures::{StreamExt as _, stream};
use std::time::Duration;
use tower::ServiceExt as _;
use types::codec::Encode as _;

async fn open(app: &axum::Router, uri: &str) -> Response<Body> {
    app.clone().oneshot(Request::get(uri).body(Body::empty()).unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_request_keeps_its_place_until_its_last_byte_is_out() {
    let app = router(Fake::default(), Limits { requests_max: 1, ..Limits::default() });
    let first = open(&app, "/v1/genesis").await;
    let second = ask(&app, "GET /v1/status", &[], "").await;
    assert_eq!(
        (second.status.as_u16(), second.code().as_str(), second.header("retry-after")),
        (429, "overloaded", "1")
    );
    // Those who watch over the node still get their answers.
    assert_eq!(ask(&app, "GET /healthz", &[], "").await.status, 200);
    assert_eq!(ask(&app, "GET /metrics", &[], "").await.status, 200);
    drop(first);
    assert_eq!(ask(&app, "GET /v1/status", &[], "").await.status, 200);
}

#[tokio::test]
async fn event_streams_have_places_of_their_own() {
    let limits = Limits { requests_max: 1, streams_max: 1, ..Limits::default() };
    let app = router(Fake::with(Mood::Idle), limits);
    let events = format!("/v1/jobs/{}/events", job_id());
    let first = open(&app, &events).await;
    assert_eq!(first.status(), 200);
    let second = ask(&app, &format!("GET {events}"), &[], "").await;
    assert_eq!((second.code().as_str(), second.header("retry-after")), ("overloaded", "5"));
    assert_eq!(ask(&app, "GET /v1/status", &[], "").await.status, 200);
    drop(first);
    assert_eq!(open(&app, "/v1/chains/EU/blocks").await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come() {
    let fake = Fake::with(Mood::Silent);
    for uri in ["/v1/status", "/metrics", &format!("/v1/jobs/{}/events", job_id())] {
        let answer = get(&fake, uri).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (504, "timeout"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_does_not_become_final() {
    let app = router(Fake::with(Mood::Silent), Limits::default());
    let headers = [("content-type", "application/octet-stream")];
    let began = tokio::time::Instant::now();
    let answer = ask(&app, "POST /v1/txs", &headers, tx().encode()).await;
    assert_eq!(answer.code(), "timeout");
    assert_eq!(began.elapsed().as_secs(), Limits::default().final_timeout.as_secs());
    assert!(answer.text().contains("counts once"), "{}", answer.text());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_pauses_or_trickles() {
    let app = router(Fake::default(), Limits::default());
    let headers = [("content-type", "application/octet-stream")];
    let pauses = Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>());
    assert_eq!(ask(&app, "POST /v1/blobs", &headers, pauses).await.code(), "bad_request");
    let trickles = || {
        Body::from_stream(stream::repeat(()).then(|()| async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            Ok::<_, std::io::Error>(vec![0])
        }))
    };
    assert_eq!(ask(&app, "POST /v1/txs", &headers, trickles()).await.code(), "timeout");
    assert_eq!(ask(&app, "POST /v1/blobs", &headers, trickles()).await.code(), "timeout");
}
