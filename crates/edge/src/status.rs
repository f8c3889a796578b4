//! `DIR/peers.json`: what a node is connected to, for `meshx peers`.

use crate::{News, Say, known};
use client::write_whole;
use overlay::Overlay;
use std::{net::SocketAddr, path::Path, time::Duration};
use types::Height;

/// How often the file is written.
const EVERY: Duration = Duration::from_secs(2);

/// Keep the file as it is, until the overlay ends.
///
/// `metrics`: where the node answers questions. `newest`: the newest block known to be final, for a node that holds no chain.
///
/// # Panics
/// Never: what is written is plain data.
pub async fn keep_status(
    overlay: &Overlay,
    dir: &Path,
    metrics: Option<SocketAddr>,
    newest: impl Fn() -> Option<Height>,
    say: &Say,
) {
    let path = dir.join("peers.json");
    let mut kept = Vec::new();
    while let Ok(status) = overlay.status().await {
        kept = known::keep_known_peers(dir, kept.clone(), status.known_peers()).unwrap_or_else(
            |error| {
                say(News::trouble(&error));
                kept
            },
        );
        let mut value = serde_json::to_value(&status).expect("plain data is JSON");
        value["metrics"] = metrics.map(|address| address.to_string()).into();
        value["newest"] = newest().map(Height::get).into();
        if let Err(error) = write_whole(&path, value.to_string().as_bytes(), false) {
            say(News::trouble(&error));
        }
        tokio::time::sleep(EVERY).await;
    }
}
