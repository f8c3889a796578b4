//! Nodes that stand on the chain: validators' operators make them known with their stake behind it. A source of peers
//! that no gateway can invent: each entry is proved to be in the backbone's state.

use crate::{
    News, Say,
    known::{self, REGISTRY_MAX},
    meeting::somewhere,
};
use api::{Client, ClientError, ProofKey};
use overlay::{Overlay, PeerAddress};
use receipt::{Follower, Invalid};
use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};
use tokio::runtime::Handle;
use types::{Address, ChainId, staking::PeerAddresses, state::Key};

/// How often the chain is asked where nodes are, and how soon again where that failed.
const EVERY: Duration = Duration::from_secs(60 * 60);
const AGAIN: Duration = Duration::from_secs(20);

#[derive(Debug, thiserror::Error)]
enum NotRead {
    #[error(transparent)]
    Gateway(#[from] ClientError),
    #[error("the proof of the nodes' addresses does not hold")]
    NotProved(#[from] Invalid),
}

/// Where the chain says that nodes are met.
pub(crate) struct Registry {
    pub client: Client,
    pub backbone: Follower,
    pub overlay: Overlay,
    pub handle: Handle,
    pub say: Say,
}

impl Registry {
    /// Ask now and then, keep what is said for the next start, and look for those nodes.
    pub(crate) fn keep(mut self, dir: &Path, cancel: &AtomicBool) {
        while !cancel.load(Ordering::Relaxed) {
            let pause = match read(&self.client, &mut self.backbone) {
                Ok(known) if known.is_empty() => AGAIN,
                Ok(known) => {
                    if let Err(error) = known::keep_registry(dir, &known) {
                        (self.say)(News::trouble(&error));
                    }
                    let tried = known::registry(dir, somewhere().unwrap_or(0));
                    tracing::info!(nodes = known.len(), "the chain says where nodes are");
                    if self.handle.block_on(self.overlay.lead(tried)).is_err() {
                        return;
                    }
                    EVERY
                }
                Err(error) => {
                    tracing::info!(%error, "no word of the chain where nodes are");
                    AGAIN
                }
            };
            let until = Instant::now() + pause;
            while Instant::now() < until && !cancel.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(500));
            }
        }
    }
}

/// What the backbone's state says, through a gateway that may leave entries out and can add none.
///
/// # Errors
/// If the gateway does not answer. And what it says and cannot prove ends the reading: then nothing of it counts.
fn read(client: &Client, backbone: &mut Follower) -> Result<Vec<PeerAddress>, NotRead> {
    let mut known = Vec::new();
    let operators = client.validators()?;
    for operator in operators.iter().filter(|view| !view.peers.is_empty()).map(|view| view.operator)
    {
        for address in peers_of(client, backbone, operator)?.iter() {
            known.extend(address.as_str().parse::<PeerAddress>());
        }
        if known.len() >= REGISTRY_MAX {
            break;
        }
    }
    known.truncate(REGISTRY_MAX);
    Ok(known)
}

fn peers_of(
    client: &Client,
    backbone: &mut Follower,
    operator: Address,
) -> Result<PeerAddresses, NotRead> {
    let proved = client.proved(ChainId::Backbone, ProofKey::Peers(operator))?;
    backbone.check(&Key::Peers(operator), &proved)?;
    Ok(proved.decoded().map(|proved| proved.record).unwrap_or_default())
}
