//! Blobs in and out.

use crate::{
    ask::{app, ask},
    fake::{Fake, Mood},
};
use api::{Limits, router};
use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use types::Hash;

fn holding(content: &'static [u8], mood: Mood) -> (Fake, Hash) {
    let fake = Fake::with(mood);
    let hash = Hash::of_content(content);
    fake.blobs.lock().unwrap().insert(hash, Bytes::from_static(content));
    (fake, hash)
}

#[tokio::test]
async fn a_blob_comes_back_as_it_went() {
    let app = app(&Fake::default());
    let hash = Hash::of_content(b"hello");
    let stored = ask(&app, "POST /v1/blobs", &[], "hello").await;
    assert_eq!(
        (stored.status.as_u16(), stored.json()),
        (201, serde_json::json!({ "hash": hash, "len": 5 }))
    );
    assert_eq!(stored.header("location"), format!("/v1/blobs/{hash}"));
    let again = ask(&app, &format!("PUT /v1/blobs/{hash}"), &[], "hello").await;
    assert_eq!((again.status.as_u16(), again.json()), (201, stored.json()));

    let content = ask(&app, &format!("GET /v1/blobs/{hash}"), &[], "").await;
    assert_eq!(content.text(), "hello");
    assert_eq!(content.header("content-length"), "5");
    assert_eq!(content.header("content-type"), "application/octet-stream");
    assert!(content.header("cache-control").contains("immutable"));

    let head = ask(&app, &format!("HEAD /v1/blobs/{hash}"), &[], "").await;
    assert_eq!(
        (head.status.as_u16(), head.header("content-length"), head.body.len()),
        (200, "5", 0)
    );
    let absent = ask(&app, &format!("HEAD /v1/blobs/{}", Hash([0; 32])), &[], "").await;
    assert_eq!((absent.status.as_u16(), absent.body.len()), (404, 0));

    let encoded = ask(&app, &format!("GET /v1/blobs/{hash}?encoding=bao"), &[], "").await;
    assert_eq!((encoded.text().as_str(), encoded.header("content-length")), ("bao:hello", ""));
}

#[tokio::test]
async fn content_under_another_hash_is_refused() {
    let fake = Fake::default();
    let answer = ask(&app(&fake), &format!("PUT /v1/blobs/{}", Hash([5; 32])), &[], "hello").await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (422, "hash_mismatch"));
    assert!(fake.blobs.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_longest_blob_fits_and_one_byte_more_does_not() {
    let app = router(Fake::default(), Limits { blob_bytes_max: 1_000, ..Limits::default() });
    let pieces = |len: usize| {
        let pieces: Vec<_> = vec![7_u8; len]
            .chunks(300)
            .map(|piece| Ok::<_, std::io::Error>(piece.to_vec()))
            .collect();
        Body::from_stream(stream::iter(pieces))
    };
    assert_eq!(ask(&app, "POST /v1/blobs", &[], pieces(1_000)).await.status, 201);
    for body in [pieces(1_001), Body::from(vec![7; 1_001])] {
        let answer = ask(&app, "POST /v1/blobs", &[], body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (413, "payload_too_large"));
    }
    // Said before anything is read.
    let announced = Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let answer = ask(&app, "POST /v1/blobs", &[("content-length", "1001")], announced).await;
    assert_eq!(answer.code(), "payload_too_large");
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_the_clients_problem() {
    let pieces = [Ok(vec![1; 10]), Err(std::io::Error::other("gone"))];
    let fake = Fake::default();
    let answer =
        ask(&app(&fake), "POST /v1/blobs", &[], Body::from_stream(stream::iter(pieces))).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "bad_request"));
    assert!(fake.blobs.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_download_that_breaks_off_does_not_look_whole() {
    let (fake, hash) = holding(&[7; 250_000], Mood::Breaking);
    let answer = ask(&app(&fake), &format!("GET /v1/blobs/{hash}"), &[], "").await;
    // `ask` gives no bytes for a body that ends in an error.
    assert_eq!((answer.header("content-length"), answer.body.len()), ("250000", 0));
}
