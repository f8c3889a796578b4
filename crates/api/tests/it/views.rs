//! What the answers look like.

use crate::{
    ask::{app, ask, get},
    fake::{Fake, address, header, job_id},
    problems::tx,
};
use api::{Hex, ProofView};
use types::{CERTIFICATE_BYTES_MAX, Proved, Record, codec::Encode as _};

#[tokio::test]
async fn an_account() {
    let answer = get(&Fake::default(), &format!("/v1/accounts/{}?chain=eu", address())).await;
    let expected = serde_json::json!({
        "address": address(), "chain": "EU", "balance": "1500000000", "nonce": 3, "height": 12
    });
    assert_eq!((answer.status.as_u16(), answer.json()), (200, expected));
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_transaction_in_either_form_waits_or_does_not() {
    let app = app(&Fake::default());
    let encoded = [("content-type", "application/octet-stream")];
    let json = [("content-type", "application/json; charset=utf-8"), ("idempotency-key", "any")];
    let told = ask(&app, "POST /v1/txs", &encoded, tx().encode()).await;
    let id = tx().id();
    assert_eq!(told.status, 200);
    assert_eq!(
        told.json(),
        serde_json::json!({ "tx": id, "chain": "EU", "height": 13, "block": "03".repeat(32) })
    );
    let told = ask(&app, "POST /v1/txs?wait=none", &encoded, tx().encode()).await;
    assert_eq!(told.status, 202);
    assert_eq!(
        told.json(),
        serde_json::json!({ "tx": id, "chain": "EU", "height": null, "block": null })
    );
    let told = ask(&app, "POST /v1/txs", &json, serde_json::to_vec(&tx()).unwrap()).await;
    assert_eq!(told.status, 200, "{}", told.text());
}

#[tokio::test]
async fn pages_ask_for_what_the_query_says() {
    let fake = Fake::default();
    let page = get(&fake, &format!("/v1/jobs?chain=EU&payer={}&cursor=abc&limit=5", address()))
        .await
        .json();
    assert_eq!(
        (&page["next"], &page["items"][0]["record"]["phase"]["phase"]),
        (&().into(), &"queued".into())
    );
    get(&fake, "/v1/workers").await;
    let asked = fake.queries.lock().unwrap().join("\n");
    let address = address();
    assert_eq!(
        asked,
        format!(
            "JobsQuery {{ chain: Some(Europe), payer: Some({address}), cursor: Some(\"abc\"), limit: 5 }}\n\
             WorkersQuery {{ chain: None, cursor: None, limit: 20 }}"
        )
    );
}

#[tokio::test]
async fn files_of_a_job() {
    let fake = Fake::default();
    let job = format!("/v1/jobs/{}", job_id());
    assert_eq!(get(&fake, &format!("{job}/output")).await.text(), "hello");
    assert_eq!(get(&fake, &format!("{job}/logs")).await.text(), "careful");
    let receipt = get(&fake, &format!("{job}/receipt?chain=EU")).await;
    assert_eq!(receipt.body, b"MXR\x01");
    assert_eq!(
        receipt.header("content-disposition"),
        format!("attachment; filename=\"{}.mxr\"", job_id())
    );
}

#[tokio::test]
async fn proofs_of_presence_and_of_absence() {
    let fake = Fake::default();
    let present = get(&fake, &format!("/v1/chains/EU/proof/account/{}", address())).await.json();
    assert_eq!(
        (&present["present"], &present["value"], &present["certificate"]),
        (&true.into(), &"0102".into(), &"ff".into())
    );
    let absent = get(&fake, &format!("/v1/chains/EU/proof/job/{}", job_id())).await.json();
    assert_eq!((&absent["present"], &absent["value"]), (&false.into(), &().into()));
}

#[test]
fn a_proof_is_a_record_with_its_proof_and_back() {
    let view = ProofView {
        present: true,
        value: Some(Hex(vec![1, 2])),
        proof: Hex(vec![3]),
        header: header(5),
        certificate: Hex(vec![4]),
    };
    let proved = Proved::<Option<Record>>::try_from(view.clone()).unwrap();
    assert_eq!(ProofView::from(proved), view);
    let long = ProofView { certificate: Hex(vec![0; CERTIFICATE_BYTES_MAX + 1]), ..view };
    assert!(Proved::<Option<Record>>::try_from(long).is_err());
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere() {
    let page = get(&Fake::default(), "/").await;
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    assert!(!page.text().contains("http"), "a link to somewhere else");
}

#[tokio::test]
async fn metrics_are_what_the_backend_says() {
    let metrics = get(&Fake::default(), "/metrics").await;
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
    assert_eq!(metrics.text(), "meshx_height{chain=\"EU\"} 12\n");
}
