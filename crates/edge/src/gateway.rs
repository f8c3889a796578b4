//! The gateway that an edge asks: found, compared with others, and left when it is of no use.

use crate::{News, Say, headers};
use api::Client;
use futures::future::{join_all, join3};
use overlay::{Cell, Overlay, PeerId, Role};
use receipt::{BEHIND_MAX, Follower};
use std::{
    sync::{Arc, Mutex, OnceLock},
    time::{Duration, Instant},
};
use tokio::{sync::watch, task::JoinSet, time::timeout};
use types::{ChainId, Height};

/// How long to look for a first gateway before saying so.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often to look whether the gateway is still there.
const LOOK: Duration = Duration::from_secs(2);
/// How long a gateway may take for an answer that it has at hand.
const ANSWER: Duration = Duration::from_secs(3);
/// How long one search waits for those it asks, at first. It doubles while nobody answers: circuits through Tor take longer.
const SEARCH: Duration = Duration::from_secs(2);
const SEARCH_MAX: Duration = Duration::from_secs(30);
/// A gateway that is connected and silent so many looks in a row is left.
const SILENT_MAX: u32 = 2;
/// So is one to which blocks that others prove to be final do not come.
const BEHIND_LOOKS_MAX: u32 = 5;
/// Gateways of the table that are asked, all at once.
const ASKED_MAX: usize = 8;
/// Other gateways that an edge is connected to, for the case that its own goes. They are looked for while it is there:
/// one that knows nobody else can ask nobody for another.
const STANDBYS: usize = 2;
/// How often they are looked for.
const STANDBY_EVERY: Duration = Duration::from_secs(30);

/// A gateway that goes without a word is replaced within so long, if another is known and answers.
const REPLACED_WITHIN: Duration = Duration::from_secs(15);
const _: () = assert!(
    SILENT_MAX as u64 * (LOOK.as_secs() + ANSWER.as_secs()) + 2 * SEARCH.as_secs()
        <= REPLACED_WITHIN.as_secs()
);

/// There is something to check a gateway against once one has shown what the network is.
pub(crate) type Known = Arc<OnceLock<Arc<Mutex<Follower>>>>;

/// Where an edge looks for a gateway.
pub(crate) struct Search {
    pub overlay: Overlay,
    pub named: Vec<PeerId>,
    pub chain: ChainId,
    pub near: Option<Cell>,
    /// Gateways that answered while another was chosen.
    pub standbys: Mutex<Vec<PeerId>>,
}

impl Search {
    /// A gateway that answers: one of those named, or one that says in the table that it is.
    pub(crate) async fn first(&self, say: &Say) -> PeerId {
        let (since, mut told, mut patience) = (Instant::now(), false, SEARCH);
        loop {
            if let Some(gateway) = self.gateway(None, patience).await {
                return gateway;
            }
            if since.elapsed() > PATIENCE && !told {
                told = true;
                say(News::NoGateway);
            }
            patience = (patience * 2).min(SEARCH_MAX);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// A gateway that was named comes first, then the one in the table that answers soonest. Never `left`. Takes at most
    /// twice `patience`.
    ///
    /// All are asked at once: one that is gone takes long not to answer, and must not keep the others waiting.
    async fn gateway(&self, left: Option<PeerId>, patience: Duration) -> Option<PeerId> {
        let Self { overlay, named, standbys, .. } = self;
        let ask = async |peers: Vec<PeerId>| {
            join_all(peers.into_iter().map(async |peer| {
                let took = timeout(patience, answers_after(overlay, peer)).await.ok().flatten();
                took.map(|took| (took, peer))
            }))
            .await
        };
        let other = |peer: &PeerId| Some(*peer) != left;
        let named_ones = named.iter().copied().filter(other).collect();
        let standbys = standbys.lock().expect("no panic while locked").clone();
        let known_ones = standbys.iter().copied().filter(other).collect();
        let listed_ones = async {
            let listed = timeout(patience, self.listed()).await.unwrap_or_default();
            let fresh = listed.into_iter().filter(other);
            let fresh = fresh.filter(|peer| !named.contains(peer) && !standbys.contains(peer));
            ask(fresh.take(ASKED_MAX).collect()).await
        };
        let (named, known, listed) = join3(ask(named_ones), ask(known_ones), listed_ones).await;
        let named = named.into_iter().flatten().next();
        let soonest = || known.into_iter().chain(listed).flatten().min_by_key(|(took, _)| *took);
        named.or_else(soonest).map(|(_, peer)| peer)
    }

    /// Look for gateways beside `chosen`, and connect to them.
    async fn look_for_standbys(&self, chosen: PeerId) {
        let Self { overlay, named, standbys, .. } = self;
        let mut found = Vec::new();
        let mut candidates = self.listed().await;
        candidates.extend(named);
        for peer in candidates.into_iter().filter(|peer| *peer != chosen).take(ASKED_MAX) {
            if found.len() < STANDBYS
                && !found.contains(&peer)
                && matches!(timeout(SEARCH_MAX, answers_after(overlay, peer)).await, Ok(Some(_)))
            {
                found.push(peer);
            }
        }
        // None may have answered because this machine was cut off; then the old ones are the best guess.
        if !found.is_empty() {
            *standbys.lock().expect("no panic while locked") = found;
        }
    }

    /// Those that say in the table that they serve the chain.
    async fn listed(&self) -> Vec<PeerId> {
        let Self { overlay, chain, near, .. } = self;
        let listed = match near {
            Some(cell) => overlay.providers_near(Role::Aggregator, *chain, *cell).await,
            None => overlay.providers(Role::Aggregator, *chain).await,
        };
        listed.unwrap_or_default()
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
    let search = Arc::new(search);
    // A set ends its tasks when it is dropped.
    let mut looking = JoinSet::new();
    looking.spawn(keep_standbys(search.clone(), chosen.subscribe()));
    let (mut looks, mut patience) = (Looks::default(), SEARCH);
    loop {
        tokio::time::sleep(LOOK).await;
        let now = *chosen.borrow();
        let Ok(status) = search.overlay.status().await else { return };
        let connected = status.peers.iter().any(|peer| peer.peer == now);
        if connected {
            let newest = known.get().and_then(|follower| headers::newest(follower));
            if !looks.leave(use_of(&client, search.chain, newest).await) {
                continue;
            }
            tracing::info!(gateway = %now, "is silent, or behind what is final");
        }
        looks = Looks::default();
        // One that is gone may have come back.
        let Some(other) = search.gateway(connected.then_some(now), patience).await else {
            patience = (patience * 2).min(SEARCH_MAX);
            continue;
        };
        patience = SEARCH;
        if other != now {
            say(News::Gateway(other));
        }
        chosen.send_replace(other);
    }
}

async fn keep_standbys(search: Arc<Search>, chosen: watch::Receiver<PeerId>) {
    loop {
        let now = *chosen.borrow();
        search.look_for_standbys(now).await;
        tokio::time::sleep(STANDBY_EVERY).await;
    }
}

/// What one look at a gateway shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// It answers, and has nearly all that is proved to be final.
    Good,
    Behind,
    Silent,
}

/// Looks in a row at which a gateway was of no use.
#[derive(Debug, Default)]
struct Looks {
    behind: u32,
    silent: u32,
}

impl Looks {
    /// Whether the gateway is to be left after this look.
    fn leave(&mut self, look: Use) -> bool {
        match look {
            Use::Good => *self = Self::default(),
            Use::Behind => (self.behind, self.silent) = (self.behind + 1, 0),
            // What it would have said is not known: it may be behind as well.
            Use::Silent => self.silent += 1,
        }
        self.silent >= SILENT_MAX || self.behind >= BEHIND_LOOKS_MAX
    }
}

async fn use_of(client: &Client, chain: ChainId, newest: Option<Height>) -> Use {
    let client = client.clone();
    let asked = tokio::task::spawn_blocking(move || client.status());
    let Ok(Ok(Ok(status))) = timeout(ANSWER, asked).await else { return Use::Silent };
    let heights = status.chains.iter().filter(|of| of.chain == chain).map(|of| of.height);
    let height = heights.max().unwrap_or(Height::ZERO);
    let near = newest.is_none_or(|newest| newest.saturating_sub(height).get() <= BEHIND_MAX);
    if near { Use::Good } else { Use::Behind }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_gateway_is_left_sooner_than_one_that_is_behind() {
        let looks_until_left = |look| {
            let mut looks = Looks::default();
            (1..100).find(|_| looks.leave(look))
        };
        assert_eq!(looks_until_left(Use::Good), None);
        assert_eq!(looks_until_left(Use::Silent), Some(SILENT_MAX));
        assert_eq!(looks_until_left(Use::Behind), Some(BEHIND_LOOKS_MAX));
    }

    #[test]
    fn one_good_answer_makes_up_for_all_before() {
        let mut looks = Looks::default();
        for _ in 0..20 {
            assert!(!looks.leave(Use::Silent));
            assert!(!looks.leave(Use::Good));
        }
    }
}
