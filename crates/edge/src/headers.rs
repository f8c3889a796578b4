//! Headers by gossip: nodes with a chain publish them, and everybody checks them before passing them on.

use overlay::{Overlay, Verdict};
use receipt::{Follower, Heard};
use std::sync::{Arc, Mutex};
use tokio::sync::broadcast::error::RecvError;
use types::{ChainId, Height};

/// The topic on which final headers of `chain` are told.
#[must_use]
pub fn topic(chain: ChainId) -> String {
    format!("/meshx/headers/{chain}")
}

/// Take in what others tell of the follower's chain, until the overlay ends.
///
/// # Panics
/// If another holder of the follower has panicked.
pub async fn follow(overlay: Overlay, follower: Arc<Mutex<Follower>>) {
    let chain = follower.lock().expect("no panic while locked").chain();
    let Ok(mut messages) = overlay.subscribe(&topic(chain)).await else { return };
    loop {
        let message = match messages.recv().await {
            Ok(message) if message.topic == topic(chain) => message,
            Ok(_) | Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        let verdict = match hear(&follower, &message.data) {
            Heard::New(height) => {
                tracing::debug!(%chain, %height, "a final header");
                Verdict::PassOn
            }
            Heard::Old => Verdict::Keep,
            Heard::False(invalid) => {
                tracing::info!(%chain, from = %message.from, %invalid, "a false header");
                Verdict::False
            }
        };
        if overlay.judge(&message, verdict).await.is_err() {
            return;
        }
    }
}

/// The newest block that is proved final.
pub(crate) fn newest(follower: &Mutex<Follower>) -> Option<Height> {
    let follower = follower.lock().expect("no panic while locked");
    follower.newest().map(|header| header.height)
}

/// Take in a header with its certificate, if both are right.
///
/// # Panics
/// If another holder of the follower has panicked.
pub fn hear(follower: &Mutex<Follower>, bytes: &[u8]) -> Heard {
    follower.lock().expect("no panic while locked").hear(bytes)
}
