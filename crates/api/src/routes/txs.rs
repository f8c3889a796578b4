//! Sending transactions.

use super::Query;
use crate::{Backend, Code, Problem, TxView};
use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Request, State},
    http::{StatusCode, header},
};
use serde::Deserialize;
use types::{Tx, codec::DecodeExt};

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(super) enum Wait {
    None,
    #[default]
    Final,
}

#[derive(Deserialize, utoipa::IntoParams)]
pub(super) struct Waiting {
    /// `final` (the default) answers when the transaction's block is final; `none` at once.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    wait: Wait,
}

/// Send a signed transaction, as bytes or as JSON. The same transaction again gets the same answer:
/// its id is the idempotency key.
#[utoipa::path(post, path = "/v1/txs", params(Waiting),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = TxView), (status = 202, body = TxView), (status = 402, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn submit<B: Backend>(
    State(backend): State<B>,
    Query(Waiting { wait }): Query<Waiting>,
    Body(tx): Body,
) -> Result<(StatusCode, Json<TxView>), Problem> {
    let waits = matches!(wait, Wait::Final);
    let view = backend.submit(tx, waits).await?;
    Ok((if waits { StatusCode::OK } else { StatusCode::ACCEPTED }, Json(view)))
}

/// A transaction from either form of body.
pub(super) struct Body(Tx);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
        let (json, binary) = (kind.starts_with("application/json"), kind.starts_with("application/octet-stream"));
        if !json && !binary {
            let detail = format!("content type {kind:?} is not understood");
            return Err(Problem::new(Code::UnsupportedMediaType, detail)
                .hint("send application/octet-stream (encoded) or application/json"));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|error| {
            let code = if error.status() == StatusCode::PAYLOAD_TOO_LARGE { Code::PayloadTooLarge } else { Code::BadRequest };
            Problem::new(code, error.body_text())
        })?;
        let tx = if json {
            serde_json::from_slice(&bytes).map_err(|error| Problem::new(Code::BadJson, error.to_string()))?
        } else {
            Tx::decode(bytes).map_err(|error| Problem::new(Code::BadTransaction, error.to_string()))?
        };
        Ok(Self(tx))
    }
}
