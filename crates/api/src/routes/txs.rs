//! The route by which everything changes.

use crate::{
    Backend, Code, Problem, Submitted, Wait,
    app::{App, within},
    extract::{Asked, read_body},
};
use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use serde::Deserialize;
use types::{Tx, codec::DecodeExt as _};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WaitAsked {
    #[serde(default)]
    wait: Wait,
}

/// Submit a signed transaction.
///
/// By default the answer comes when a final block holds it. The transaction's id is its idempotency
/// key: sending the same again is safe at any time and gives the same answer. An `Idempotency-Key`
/// header is accepted and changes nothing.
#[utoipa::path(post, path = "/v1/txs", tag = "transactions",
    params(("wait" = Option<String>, Query, description = "final (default) or none"),
        ("Idempotency-Key" = Option<String>, Header, description = "not needed: the transaction's id serves")),
    request_body(content((crate::noun::Tx = "application/json"), (crate::noun::Binary = "application/octet-stream"))),
    responses((status = 200, description = "A final block holds it", body = Submitted),
        (status = 202, description = "Taken in (`wait=none`)", body = Submitted),
        (status = "default", response = crate::noun::Problem)))]
pub(crate) async fn submit<B: Backend>(
    State(app): State<App<B>>,
    Asked(asked): Asked<WaitAsked>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let form = Form::of(&headers)?;
    let tx = form.read(read_body(&app.limits, &headers, body).await?)?;
    let (limit, status) = match asked.wait {
        Wait::Final => (app.limits.final_timeout, StatusCode::OK),
        Wait::None => (app.limits.answer_timeout, StatusCode::ACCEPTED),
    };
    let id = tx.id();
    let submitted = within(limit, app.backend.submit(tx, asked.wait)).await;
    let submitted = submitted.map_err(|problem| match problem.code {
        Code::Timeout => Problem::new(
            Code::Timeout,
            format!("transaction {id} is not final yet, and may still become final"),
        )
        .hint("send the very same transaction again: it counts once"),
        _ => problem,
    })?;
    Ok((status, Json(submitted)).into_response())
}

/// How a transaction is written.
enum Form {
    Json,
    Encoded,
}

impl Form {
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default();
        match kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "application/json" => Ok(Self::Json),
            "application/octet-stream" => Ok(Self::Encoded),
            other => Err(Problem::new(
                Code::UnsupportedMediaType,
                format!("a transaction cannot have the media type {other:?}"),
            )
            .hint("send application/octet-stream (its encoding) or application/json")),
        }
    }

    fn read(self, body: Bytes) -> Result<Tx, Problem> {
        match self {
            Self::Json => serde_json::from_slice(&body)
                .map_err(|error| Problem::new(Code::BadJson, error.to_string())),
            Self::Encoded => {
                Tx::decode(body).map_err(|error| Problem::new(Code::BadTx, error.to_string()))
            }
        }
    }
}
