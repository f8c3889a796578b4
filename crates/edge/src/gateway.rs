//! The gateway that an edge asks: found, compared with others, and left when it is of no use.

use crate::{News, Say, headers};
use api::Client;
use overlay::{Cell, Overlay, PeerId, Role};
use receipt::{BEHIND_MAX, Follower};
use std::{
    sync::{Arc, Mutex, OnceLock},
    time::{Duration, Instant},
};
use tokio::sync::watch;
use types::{ChainId, Height};

/// How long to look for a first gateway before saying so.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often to look whether the gateway is still there.
const LOOK: Duration = Duration::from_secs(2);
/// A gateway that is connected and of no use so many looks in a row is left: it is silent, or blocks that others prove
/// to be final do not come to it.
const USELESS_MAX: u32 = 5;
/// Gateways of the table that are compared, of those that answer.
const COMPARED_MAX: usize = 4;

/// There is something to check a gateway against once one has shown what the network is.
pub(crate) type Known = Arc<OnceLock<Arc<Mutex<Follower>>>>;

/// Where an edge looks for a gateway.
pub(crate) struct Search {
    pub overlay: Overlay,
    pub named: Vec<PeerId>,
    pub chain: ChainId,
    pub near: Option<Cell>,
}

impl Search {
    /// A gateway that answers: one of those named, or one that says in the table that it is.
    pub(crate) async fn first(&self, say: &Say) -> PeerId {
        let (since, mut told) = (Instant::now(), false);
        loop {
            if let Some(gateway) = self.gateway(None).await {
                return gateway;
            }
            if since.elapsed() > PATIENCE && !told {
                told = true;
                say(News::NoGateway);
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// A gateway that was named comes first, then the one in the table that answers soonest. Never `left`.
    async fn gateway(&self, left: Option<PeerId>) -> Option<PeerId> {
        let Self { overlay, named, chain, near } = self;
        for peer in named.iter().filter(|peer| Some(**peer) != left) {
            if answers_after(overlay, *peer).await.is_some() {
                return Some(*peer);
            }
        }
        let listed = match near {
            Some(cell) => overlay.providers_near(Role::Aggregator, *chain, *cell).await,
            None => overlay.providers(Role::Aggregator, *chain).await,
        };
        let listed = listed.unwrap_or_default();
        let mut answering = Vec::new();
        for peer in listed.into_iter().filter(|peer| !named.contains(peer) && Some(*peer) != left) {
            answering.extend(answers_after(overlay, peer).await.map(|took| (took, peer)));
            if answering.len() >= COMPARED_MAX {
                break;
            }
        }
        answering.into_iter().min_by_key(|(took, _)| *took).map(|(_, peer)| peer)
    }
}

/// How long `peer` takes to serve a stream, once it is reached. `None`: a relay or another edge serves no API.
async fn answers_after(overlay: &Overlay, peer: PeerId) -> Option<Duration> {
    overlay.reach(peer).await.ok()?;
    let begun = Instant::now();
    overlay.open(peer, overlay::API_PROTOCOL).await.ok()?;
    Some(begun.elapsed())
}

/// Change to another gateway when the one there is gone, or of no use.
pub(crate) async fn keep_gateway(
    search: Search,
    client: Client,
    known: Known,
    chosen: watch::Sender<PeerId>,
    say: Say,
) {
    let mut useless = 0;
    loop {
        tokio::time::sleep(LOOK).await;
        let now = *chosen.borrow();
        let Ok(status) = search.overlay.status().await else { return };
        let connected = status.peers.iter().any(|peer| peer.peer == now);
        if connected {
            let newest = known.get().and_then(|follower| headers::newest(follower));
            useless = if is_useful(&client, search.chain, newest).await { 0 } else { useless + 1 };
            if useless < USELESS_MAX {
                continue;
            }
            tracing::info!(gateway = %now, "is silent, or behind what is final");
        }
        useless = 0;
        // One that is gone may have come back.
        if let Some(other) = search.gateway(connected.then_some(now)).await {
            if other != now {
                say(News::Gateway(other));
            }
            chosen.send_replace(other);
        }
    }
}

/// Whether the gateway answers, and has nearly all that is proved to be final.
async fn is_useful(client: &Client, chain: ChainId, newest: Option<Height>) -> bool {
    let client = client.clone();
    let status = tokio::task::spawn_blocking(move || client.status()).await;
    let Ok(Ok(status)) = status else { return false };
    let heights = status.chains.iter().filter(|of| of.chain == chain).map(|of| of.height);
    let height = heights.max().unwrap_or(Height::ZERO);
    newest.is_none_or(|newest| newest.saturating_sub(height).get() <= BEHIND_MAX)
}
