//! What a node tells of its overlay over HTTP, to its own machine: metrics, peers, and where another node is.

use crate::{News, Say};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use overlay::{Overlay, PeerId, PeerRecord};
use serde_json::{Value, json};
use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};
use tokio::net::TcpListener;

/// A lookup may take this long.
const ASK_TIMEOUT: Duration = Duration::from_secs(30);
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// Why a node tells nothing.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NotWatched {
    #[error("cannot serve metrics at {address}\nhint: choose another --metrics IP:PORT")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("{at} does not answer\nhint: check that the node still runs")]
    NoAnswer { at: String, source: io::Error },
}

/// Serve metrics and peers at `address`, if there is one, until the overlay ends. Returns where that is.
///
/// # Errors
/// [`NotWatched::Listen`] if something else listens there.
pub async fn watch(
    overlay: &Overlay,
    address: Option<SocketAddr>,
    say: &Say,
) -> Result<Option<SocketAddr>, NotWatched> {
    let Some(address) = address else { return Ok(None) };
    let bound = async {
        let listener = TcpListener::bind(address).await?;
        io::Result::Ok((listener.local_addr()?, listener))
    };
    let (at, listener) = bound.await.map_err(|source| NotWatched::Listen { address, source })?;
    say(News::Metrics(at));
    tokio::spawn(serve(overlay.clone(), listener, say.clone()));
    Ok(Some(at))
}

async fn serve(overlay: Overlay, listener: TcpListener, say: Say) {
    let routes = Router::new()
        .route("/metrics", get(metrics))
        .route("/peers", get(peers))
        .route("/peers/{id}", get(find))
        .with_state(overlay);
    if let Err(error) = axum::serve(listener, routes).await {
        say(News::Trouble(format!("metrics are not served: {error}")));
    }
}

async fn metrics(State(overlay): State<Overlay>) -> Response {
    match overlay.metrics().await {
        Ok(text) => {
            let kind = "text/plain; version=0.0.4; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => refused(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

async fn peers(State(overlay): State<Overlay>) -> Response {
    match overlay.status().await {
        Ok(status) => Json(status).into_response(),
        Err(error) => refused(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

async fn find(State(overlay): State<Overlay>, Path(id): Path<String>) -> Response {
    let Ok(peer) = id.parse::<PeerId>() else {
        return refused(
            StatusCode::BAD_REQUEST,
            "this is not the id of a node; ids begin with 12D3KooW",
        );
    };
    match overlay.find(peer).await {
        Ok(record) => Json(shown(&record)).into_response(),
        Err(error) => refused(StatusCode::NOT_FOUND, &error.to_string()),
    }
}

/// What a node of this machine answers at `at`.
///
/// # Errors
/// [`NotWatched::NoAnswer`].
pub fn ask(at: &str, path: &str) -> Result<String, NotWatched> {
    asked(at, path).map_err(|source| NotWatched::NoAnswer { at: at.to_owned(), source })
}

fn asked(at: &str, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(at)?;
    stream.set_read_timeout(Some(ASK_TIMEOUT))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {at}\r\n\r\n")?;
    let mut text = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut text)?;
    let (_, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::InvalidData)?;
    Ok(body.to_owned())
}

fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

fn shown(record: &PeerRecord) -> Value {
    json!({
        "identity": record.identity,
        "network": record.network,
        "roles": record.roles.iter().map(overlay::Role::name).collect::<Vec<_>>(),
        "chain": record.chain,
        "issued": record.issued,
        "addresses": record.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
