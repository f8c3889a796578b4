//! Server-sent events.

use crate::{
    ask::{app, get},
    fake::{Fake, Mood, job_id},
};
use axum::{body::Body, http::Request};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

fn kinds(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("event: ")).collect()
}

#[tokio::test]
async fn a_job_is_told_of_from_its_current_phase_to_its_last() {
    let answer = get(&Fake::default(), &format!("/v1/jobs/{}/events?chain=EU", job_id())).await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    // The fake's stream goes on after this; the router ended it.
    assert_eq!(kinds(&answer.text()), ["phase", "phase", "output", "phase"]);
    let data: Vec<serde_json::Value> = answer
        .text()
        .lines()
        .filter_map(|line| {
            line.strip_prefix("data: ").map(|data| serde_json::from_str(data).unwrap())
        })
        .collect();
    let phases: Vec<_> =
        [0, 1, 3].iter().map(|i: &usize| data[*i]["record"]["phase"]["phase"].as_str()).collect();
    assert_eq!(phases, [Some("queued"), Some("committing"), Some("settled")]);
    assert_eq!(
        data[2],
        serde_json::json!({ "output": "stdout", "offset": 0, "bytes": "aGVsbG8=" })
    );
}

#[tokio::test]
async fn a_problem_ends_the_stream_and_is_told() {
    for uri in [&format!("/v1/jobs/{}/events", job_id()), "/v1/chains/EU/blocks"] {
        let answer = get(&Fake::with(Mood::Breaking), uri).await;
        assert_eq!(kinds(&answer.text()).last(), Some(&"problem"));
        assert!(answer.text().contains(r#""code":"pruned""#), "{}", answer.text());
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_stream_says_that_it_is_alive() {
    let request = Request::get("/v1/chains/EU/blocks").body(Body::empty()).unwrap();
    let mut body = app(&Fake::with(Mood::Idle)).oneshot(request).await.unwrap().into_body();
    let block = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(block.starts_with(b"event: block\n"), "{block:?}");
    let alive = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(alive.starts_with(b": alive"), "{alive:?}");
}
