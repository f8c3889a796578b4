//! Why a client has no answer.

use crate::Problem;
use std::io;
use types::Hash;
use ureq::{Body, http::Response};

/// Longest problem read.
const PROBLEM_BYTES_MAX: u64 = 64 << 10;

/// Why a client has no answer.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum ClientError {
    /// The node answered why it does not.
    #[error("{}{}", .0.detail, .0.hint.as_deref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default())]
    Problem(Problem),
    /// Nothing answers there. What was asked may have been done.
    #[error("no node answers at {url}: {reason}\nhint: {hint}")]
    Unreachable { url: String, reason: String, hint: &'static str },
    /// The answer did not come in time. What was asked may have been done.
    #[error(
        "{url} did not answer in time\nhint: try again; sending the same transaction or blob twice is safe"
    )]
    TimedOut { url: String },
    /// The answer is not one of this API.
    #[error(
        "{url} gave an answer that this program does not understand: {what}\nhint: check that it is a MeshX node of this version"
    )]
    BadAnswer { url: String, what: String },
    #[error(
        "{url:?} cannot be used as a node's address: {reason}\nhint: write it like http://127.0.0.1:8700"
    )]
    BadUrl { url: String, reason: String },
    /// The node sent other content than its name says.
    #[error("the node sent content with the hash {actual}, not {expected}\nhint: ask another node")]
    WrongContent { expected: Hash, actual: Hash },
    /// What was to be sent cannot be read.
    #[error("cannot read the content to send: {0}")]
    Source(#[source] io::Error),
}

impl ClientError {
    /// The problem, if the node told one.
    pub const fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// Whether the node said that the same again is of no use until somebody changes something.
    pub const fn is_lasting(&self) -> bool {
        match self {
            Self::Problem(problem) => problem.code.is_lasting(),
            _ => false,
        }
    }

    /// Whether the same request may well succeed a little later, without anyone changing anything.
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } => true,
            Self::Problem(problem) => matches!(problem.code.status(), 429 | 503 | 504),
            _ => false,
        }
    }

    pub(super) fn from_ureq(url: &str, error: ureq::Error) -> Self {
        let url = url.to_owned();
        match error {
            ureq::Error::Timeout(_) => Self::TimedOut { url },
            ureq::Error::Io(error) => Self::from_io(url, &error),
            ureq::Error::HostNotFound => Self::Unreachable {
                url,
                reason: "no host has this name".to_owned(),
                hint: "check the name, and the connection to the internet",
            },
            ureq::Error::ConnectionFailed => {
                Self::Unreachable { url, reason: error.to_string(), hint: "check the address" }
            }
            ureq::Error::BadUri(reason) => Self::BadUrl { url, reason },
            other => Self::BadAnswer { url, what: other.to_string() },
        }
    }

    /// From the failure of a connection, also in the middle of a body.
    pub(super) fn from_io(url: String, error: &io::Error) -> Self {
        use io::ErrorKind::{ConnectionRefused, TimedOut, WouldBlock};
        if let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>()) {
            return match inner {
                ureq::Error::Timeout(_) => Self::TimedOut { url },
                ureq::Error::BodyExceedsLimit(max) => {
                    Self::BadAnswer { url, what: format!("it is longer than {max} bytes") }
                }
                other => Self::Unreachable { url, reason: other.to_string(), hint: "try again" },
            };
        }
        match error.kind() {
            TimedOut | WouldBlock => Self::TimedOut { url },
            ConnectionRefused => Self::Unreachable {
                url,
                reason: "the connection is refused".to_owned(),
                hint: "start a node with `meshx up`, or name another one with --node",
            },
            // The standard library has no kind for it.
            _ if error.to_string().starts_with("failed to lookup address") => Self::Unreachable {
                url,
                reason: "no host has this name".to_owned(),
                hint: "check the name, and the connection to the internet",
            },
            _ => Self::Unreachable { url, reason: error.to_string(), hint: "try again" },
        }
    }

    pub(super) fn from_response(url: String, response: Response<Body>) -> Self {
        let status = response.status();
        let retry_after =
            response.headers().get("retry-after").and_then(|at| at.to_str().ok()?.parse().ok());
        let body = response
            .into_body()
            .into_with_config()
            .limit(PROBLEM_BYTES_MAX)
            .read_to_vec()
            .unwrap_or_default();
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Self::Problem(Problem { retry_after, ..problem }),
            Err(_) => {
                Self::BadAnswer { url, what: format!("HTTP status {status} without a problem") }
            }
        }
    }
}
