//! Problems: why a request was not answered, as RFC 9457 tells it.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use types::Code;

/// The media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What clients are told of an internal failure, and all they are told of it.
const INTERNAL: &str = "the node could not answer; its log says why";

/// Why a request was not answered. Nothing in it is secret: all of it goes to the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    /// What went wrong, for a program. It decides the HTTP status and never changes its meaning.
    pub code: Code,
    /// What happened this time, for a person.
    pub detail: String,
    /// What to try, for a person: of this code, if nothing better is known.
    pub hint: Option<String>,
    /// When to try again, in seconds: the `Retry-After` header.
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A problem with its code's hint; [`Code::Overloaded`] and [`Code::BlockFull`] ask to try again in a second.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let retry_after = matches!(code, Code::Overloaded | Code::BlockFull).then_some(1);
        Self { code, detail: detail.into(), hint: Some(code.hint().to_owned()), retry_after }
    }

    /// The same with a better hint than the code's own.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, with the seconds after which to try again.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// A failure of the node's own. `error` goes to the log; the client learns only that there was one.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(Code::Internal, INTERNAL)
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, detail)
    }
}

/// The JSON form (RFC 9457).
#[derive(Serialize, Deserialize)]
struct Wire {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    status: u16,
    #[serde(default)]
    detail: String,
    code: Code,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        Wire {
            kind: format!("urn:meshx:error:{}", self.code),
            title: self.code.title().to_owned(),
            status: self.code.status(),
            detail: self.detail.clone(),
            code: self.code,
            hint: self.hint.clone(),
        }
        .serialize(s)
    }
}
impl<'de> Deserialize<'de> for Problem {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let Wire { code, title, detail, hint, .. } = Wire::deserialize(d)?;
        let detail = if detail.is_empty() { title } else { detail };
        Ok(Self { code, detail, hint, retry_after: None })
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status()).expect("the table holds statuses");
        let json = serde_json::to_vec(&self).expect("strings and numbers become JSON");
        let mut response = (status, json).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_reads_back_as_written() {
        let problem = Problem::new(Code::NonceGap, "the next nonce is 3").hint("send it first");
        let json = serde_json::to_string(&problem).unwrap();
        assert_eq!(serde_json::from_str::<Problem>(&json).unwrap(), problem);
    }

    #[test]
    fn internal_failures_keep_their_secrets() {
        let json = serde_json::to_string(&Problem::internal("/secret/path: disk on fire")).unwrap();
        assert!(!json.contains("secret") && !json.contains("fire"), "{json}");
    }
}
