//! How a node is asked: requests, answers, and what an answer must be.

use super::{Answer, Client, ClientError, Download, sse, transfer::Source};
use crate::BlobView;
use serde::de::DeserializeOwned;
use std::io::Read;
use types::{ChainId, JobId};
use ureq::{Body, RequestBuilder, SendBody, http::Response, typestate::WithBody};

/// Longest JSON answer read: a page of 100 jobs with all the arguments and variables they may have
/// (512 KiB each) is 52 MB. Usual ones are a thousand times shorter.
const JSON_BYTES_MAX: u64 = 64 << 20;
/// Longest network descriptor and longest receipt read.
const FILE_BYTES_MAX: u64 = 16 << 20;

impl Client {
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(super) fn bad_answer(&self, path: &str, what: impl ToString) -> ClientError {
        ClientError::BadAnswer { url: self.url(path), what: what.to_string() }
    }

    pub(super) fn patient<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        request.config().timeout_per_read(Some(self.timeouts.patient)).build()
    }

    pub(super) fn get(&self, path: &str) -> Answer<Response<Body>> {
        self.checked(path, self.agent.get(self.url(path)).call())
    }

    pub(super) fn stream(&self, path: &str) -> Answer<sse::Reader> {
        let response = self.checked(path, self.patient(self.agent.get(self.url(path))).call())?;
        let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
            return Err(self.bad_answer(path, format!("not an event stream but {kind:?}")));
        }
        Ok(sse::Reader::new(response.into_body().into_with_config().limit(u64::MAX).reader()))
    }

    pub(super) fn json<T: DeserializeOwned>(&self, path: &str) -> Answer<T> {
        self.read_json(path, self.get(path)?)
    }

    pub(super) fn read_json<T: DeserializeOwned>(
        &self,
        path: &str,
        response: Response<Body>,
    ) -> Answer<T> {
        let bytes = Download::new(self.url(path), response, JSON_BYTES_MAX).bytes()?;
        serde_json::from_slice(&bytes).map_err(|error| self.bad_answer(path, error))
    }

    pub(super) fn text(&self, path: &str) -> Answer<String> {
        String::from_utf8(self.file(path)?).map_err(|error| self.bad_answer(path, error))
    }

    pub(super) fn file(&self, path: &str) -> Answer<Vec<u8>> {
        self.download(path, FILE_BYTES_MAX)?.bytes()
    }

    pub(super) fn download(&self, path: &str, bytes_max: u64) -> Answer<Download> {
        Ok(Download::new(self.url(path), self.get(path)?, bytes_max))
    }

    pub(super) fn upload(
        &self,
        path: &str,
        request: RequestBuilder<WithBody>,
        content: impl Read,
        len: Option<u64>,
    ) -> Answer<BlobView> {
        // The node can refuse before anything is sent.
        let request = self.patient(request).header("expect", "100-continue");
        let request = request.header("content-type", "application/octet-stream");
        let request = match len {
            Some(len) => request.header("content-length", len),
            None => request,
        };
        let mut source = Source::new(content);
        let sent = request.send(SendBody::from_reader(&mut source));
        if let Some(error) = source.failure() {
            return Err(ClientError::Source(error));
        }
        self.read_json(path, self.checked(path, sent)?)
    }

    /// The answer, if it is one; otherwise the problem it tells.
    pub(super) fn checked(
        &self,
        path: &str,
        sent: Result<Response<Body>, ureq::Error>,
    ) -> Answer<Response<Body>> {
        let url = self.url(path);
        let response = sent.map_err(|error| ClientError::from_ureq(&url, error))?;
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(ClientError::from_response(url, response))
        }
    }
}

pub(super) fn checked_base(text: &str) -> Answer<String> {
    // A password is not printed, wherever it stands.
    let shown =
        text.rsplit_once('@').map_or_else(|| text.to_owned(), |(_, rest)| format!("…@{rest}"));
    let bad = |reason: &str| ClientError::BadUrl {
        url: shown.chars().take(200).collect(),
        reason: reason.to_owned(),
    };
    let (scheme, rest) = text.trim().split_once("://").unwrap_or(("http", text.trim()));
    match scheme {
        "http" => {}
        "https" => {
            return Err(bad(
                "this client speaks plain HTTP; put a proxy that speaks TLS between, or use http://",
            ));
        }
        _ => return Err(bad("only http:// is spoken here")),
    }
    let base = format!("http://{}", rest.trim_end_matches('/'));
    if base.contains('@') {
        return Err(bad("a node's address has no user and no password"));
    }
    let uri: ureq::http::Uri = base.parse().map_err(|_| bad("it is not a URL"))?;
    if uri.host().is_none_or(str::is_empty) || uri.query().is_some() {
        return Err(bad("it does not name a host, and nothing else"));
    }
    let port = uri.authority().and_then(|at| at.as_str().rsplit_once(':')).map(|(_, port)| port);
    if port.is_some_and(|port| !port.ends_with(']') && port.parse::<u16>().is_err()) {
        return Err(bad("a port is a number up to 65535"));
    }
    Ok(base)
}

pub(super) fn job_path(chain: Option<ChainId>, job: JobId, part: &str) -> String {
    let chain = chain.map(|chain| format!("?chain={chain}")).unwrap_or_default();
    format!("/v1/jobs/{job}{part}{chain}")
}

/// `limit: 0` leaves the number of items to the node.
pub(super) fn page_query(chain: Option<ChainId>, cursor: Option<&str>, limit: usize) -> String {
    let chain = chain.map(|chain| format!("chain={chain}"));
    let cursor = cursor.map(|cursor| format!("cursor={}", percent_encoded(cursor)));
    let limit = (limit > 0).then(|| format!("limit={limit}"));
    [chain, cursor, limit].into_iter().flatten().collect::<Vec<_>>().join("&")
}

fn percent_encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes()
        .map(|b| if plain(&b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_of_a_node_is_refused_and_no_password_is_repeated() {
        for good in ["127.0.0.1:8700", "http://[::1]:8700/", "http://node.example.org"] {
            checked_base(good).unwrap();
        }
        let refused = |text: &str| checked_base(text).unwrap_err().to_string();
        for bad in ["http://ada:secret@127.0.0.1:1", "ftp://ada:secret@x", "ada:secret@x:9"] {
            let said = refused(bad);
            assert!(!said.contains("secret") && said.contains("…@"), "{said}");
        }
        assert!(refused("http://127.0.0.1:99999").contains("up to 65535"));
        assert!(refused("http://127.0.0.1:").contains("up to 65535"));
    }

    #[test]
    fn queries_name_only_what_is_asked() {
        assert_eq!(page_query(None, None, 0), "");
        assert_eq!(
            page_query(Some(ChainId::Europe), Some("a/b&c"), 5),
            "chain=EU&cursor=a%2Fb%26c&limit=5"
        );
    }
}
