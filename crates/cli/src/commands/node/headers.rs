//! Headers by gossip: nodes with a chain publish them, and everybody checks them before passing them on.

use node::Node;
use overlay::{Overlay, Verdict};
use receipt::{Follower, Heard};
use std::sync::{Arc, Mutex};
use tokio::sync::broadcast::error::RecvError;
use types::{ChainId, Height};

fn topic(chain: ChainId) -> String {
    format!("/meshx/headers/{chain}")
}

/// Tell others what is final on the chains of `node`, and pass on what others tell.
pub fn serve(overlay: &Overlay, node: &Node) {
    for chain in ChainId::ALL {
        let Some(mut told) = node.final_headers(chain) else { continue };
        let Ok(follower) = Follower::new(node.anchor().clone(), chain) else { continue };
        let follower = Arc::new(Mutex::new(follower));
        tokio::spawn(follow(overlay.clone(), follower.clone()));
        let overlay = overlay.clone();
        tokio::spawn(async move {
            while let Some(bytes) = told.recv().await {
                // Of several nodes the first is heard, and the others have nothing to add.
                let heard = hear(&follower, &bytes);
                if matches!(heard, Heard::New(_))
                    && overlay.publish(&topic(chain), bytes).await.is_err()
                {
                    return;
                }
            }
        });
    }
}

/// Take in what others tell of the follower's chain, until the overlay ends.
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
pub fn newest(follower: &Mutex<Follower>) -> Option<Height> {
    let follower = follower.lock().expect("no panic while locked");
    follower.newest().map(|header| header.height)
}

fn hear(follower: &Mutex<Follower>, bytes: &[u8]) -> Heard {
    follower.lock().expect("no panic while locked").hear(bytes)
}
