//! One test for each way to fail.

use crate::{
    ask::{Answer, app, ask, get},
    fake::{CHAIN, Fake, Mood, job_id, submission},
};
use api::Code;
use types::{Action, NanoMeshx, Nonce, PublicKey, Signature, Tx, codec::Encode as _};

const ENCODED: (&str, &str) = ("content-type", "application/octet-stream");
const JSON: (&str, &str) = ("content-type", "application/json");

async fn check(
    line: &str,
    headers: &[(&str, &str)],
    body: impl Into<Vec<u8>>,
    status: u16,
    code: &str,
) -> Answer {
    let answer = ask(&app(&Fake::default()), line, headers, body.into()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (status, code),
        "{line}: {}",
        answer.text()
    );
    answer
}

pub fn tx() -> Tx {
    Tx {
        chain: CHAIN,
        sender: PublicKey([1; 32]),
        nonce: Nonce::strict(0),
        tip: NanoMeshx::ZERO,
        fee_max: NanoMeshx::new(4_000),
        action: Action::SubmitJob(submission()),
        signature: Signature([2; 64]),
    }
}

#[tokio::test]
async fn every_code_of_the_backend_reaches_the_client() {
    for code in Code::ALL {
        let fake = Fake::with(Mood::Refusing(*code));
        let answer = get(&fake, "/v1/status").await;
        assert_eq!(answer.code(), code.as_str());
        assert_eq!(answer.status, code.status());
        let retry = matches!(code, Code::Overloaded | Code::BlockFull);
        assert_eq!(answer.header("retry-after") == "1", retry, "{code}");
        assert!(!answer.text().contains("secret"), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_path_without_a_route() {
    for line in [
        "GET /v2/status",
        "GET /v1",
        "POST /nothing",
        "GET /v1/jobs/",
        "GET /v1//status",
        "DELETE /%ff",
    ] {
        check(line, &[], "", 404, "not_found").await;
    }
}

#[tokio::test]
async fn a_method_the_route_does_not_have() {
    let answer = check("DELETE /v1/status", &[], "", 405, "method_not_allowed").await;
    assert!(answer.header("allow").contains("GET"), "{:?}", answer.headers);
    check("GET /v1/txs", &[], "", 405, "method_not_allowed").await;
    check("PUT /", &[], "", 405, "method_not_allowed").await;
    check("PATCH /v1/blobs/00", &[], "", 405, "method_not_allowed").await;
}

#[tokio::test]
async fn path_segments_of_the_wrong_form() {
    for line in [
        "GET /v1/accounts/meshx1nonsense?chain=EU",
        "GET /v1/accounts/%ff?chain=EU",
        "GET /v1/jobs/12ab",
        "GET /v1/jobs/zz/receipt",
        "GET /v1/blobs/..%2f..%2fetc%2fpasswd",
        "GET /v1/chains/EU/blocks/-1",
        "GET /v1/chains/EU/blocks/99999999999999999999999",
        "GET /v1/chains/EU/proof/money/00",
        "GET /v1/chains/EU/proof/job/00",
    ] {
        check(line, &[], "", 400, "bad_request").await;
    }
    check("PUT /v1/blobs/xyz", &[], "content", 400, "bad_request").await;
}

#[tokio::test]
async fn queries_of_the_wrong_form() {
    let long = format!("GET /v1/jobs?cursor={}", "a".repeat(300));
    for line in [
        "GET /v1/params",
        "GET /v1/jobs?limit=0",
        "GET /v1/jobs?limit=101",
        "GET /v1/jobs?limit=many",
        "GET /v1/jobs?limit=1&limit=2",
        "GET /v1/jobs?payer=me",
        "GET /v1/jobs?colour=red",
        "GET /v1/workers?limit=-1",
        "GET /v1/blobs/0707070707070707070707070707070707070707070707070707070707070707?encoding=gzip",
        &long,
    ] {
        check(line, &[], "", 400, "bad_request").await;
    }
    check("POST /v1/txs?wait=forever", &[ENCODED], tx().encode(), 400, "bad_request").await;
}

#[tokio::test]
async fn a_chain_that_is_none_or_is_not_here() {
    for line in [
        "GET /v1/params?chain=Atlantis",
        "GET /v1/params?chain=NA",
        "GET /v1/jobs?chain=XX",
        "GET /v1/chains/XX/blocks/1",
        "GET /v1/chains/NA/blocks",
    ] {
        check(line, &[], "", 404, "unknown_chain").await;
    }
}

#[tokio::test]
async fn things_that_are_not_there() {
    let zeros = "0".repeat(64);
    for part in ["", "/output", "/logs", "/files", "/receipt", "/why", "/events"] {
        check(&format!("GET /v1/jobs/{zeros}{part}"), &[], "", 404, "unknown_job").await;
    }
    check(&format!("GET /v1/blobs/{zeros}"), &[], "", 404, "unknown_blob").await;
    check(&format!("GET /v1/blobs/{zeros}?encoding=bao"), &[], "", 404, "unknown_blob").await;
    check("GET /v1/chains/EU/blocks/100", &[], "", 404, "unknown_block").await;
}

#[tokio::test]
async fn json_that_is_none_or_is_no_transaction() {
    for body in ["", "{", "[]", "{\"chain\":\"EU\"}", "\u{0}", "null"] {
        check("POST /v1/txs", &[JSON], body, 400, "bad_json").await;
    }
    let deep = "[".repeat(100_000);
    check("POST /v1/txs", &[JSON], deep, 400, "bad_json").await;
}

#[tokio::test]
async fn bytes_that_are_no_transaction() {
    let tx = tx().encode();
    for bytes in [&tx[..tx.len() - 1], &[], &[0xff; 500], &[&tx[..], &[0]].concat()] {
        check("POST /v1/txs", &[ENCODED], bytes, 400, "bad_tx").await;
    }
}

#[tokio::test]
async fn a_body_of_a_type_that_is_not_read() {
    check("POST /v1/txs", &[], "{}", 415, "unsupported_media_type").await;
    check("POST /v1/txs", &[("content-type", "text/plain")], "{}", 415, "unsupported_media_type")
        .await;
    check("POST /v1/txs", &[("content-type", "\u{ff}")], "{}", 415, "unsupported_media_type").await;
}

#[tokio::test]
async fn a_body_that_is_too_long() {
    let body = vec![b' '; (1 << 20) + 1];
    check("POST /v1/txs", &[JSON], body.clone(), 413, "payload_too_large").await;
    check("POST /v1/txs", &[ENCODED], body, 413, "payload_too_large").await;
    check("POST /v1/txs", &[JSON, ("content-length", "99999999999")], "", 413, "payload_too_large")
        .await;
}

#[tokio::test]
async fn a_node_that_is_not_ready() {
    let answer = get(&Fake::with(Mood::Idle), "/readyz").await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "not_ready"));
    assert!(answer.text().contains("AS"), "{}", answer.text());
    assert_eq!(get(&Fake::with(Mood::Idle), "/healthz").await.status, 200);
    assert_eq!(get(&Fake::default(), "/readyz").await.status, 200);
}

#[tokio::test]
async fn a_chain_that_stands_still_is_told_with_who_answers() {
    let answer = get(&Fake::with(Mood::Halted), "/readyz").await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "not_ready"));
    let text = answer.text();
    assert!(text.contains("AS: no block for 40 s, 1 of 4 validators answer"), "{text}");
}

#[tokio::test]
async fn a_panic_is_told_as_nothing_but_a_failure() {
    let fake = Fake::with(Mood::Panicking);
    for uri in ["/v1/status", "/metrics", "/readyz", &format!("/v1/jobs/{}", job_id())] {
        let answer = get(&fake, uri).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (500, "internal"));
        assert!(!answer.text().contains("secret"), "{}", answer.text());
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}
