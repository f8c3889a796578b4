//! The peers of a validator: all that it was told of, with or without a seat in this term.

use crate::ceremony::Directory;
use commonware_consensus::types::Epoch as EngineTerm;
use commonware_glue::dkg::network::Manager;
use commonware_p2p::{PeerSetSubscription, Provider, TrackedPeers, utils::StaticProvider};
use commonware_utils::ordered::Set;
use network::PublicKey;
use std::convert::Infallible;

/// The same peers in every term: committees are drawn among those that are connected anyway.
#[derive(Clone, Debug)]
pub(crate) struct Known(StaticProvider<PublicKey>);

impl Known {
    pub(crate) const fn new(peers: Set<PublicKey>) -> Self {
        Self(StaticProvider::new(0, peers))
    }
}

impl Provider for Known {
    type PublicKey = PublicKey;

    async fn peer_set(&mut self, _: u64) -> Option<TrackedPeers<PublicKey>> {
        self.0.peer_set(0).await
    }

    async fn subscribe(&mut self) -> PeerSetSubscription<PublicKey> {
        self.0.subscribe().await
    }
}

impl Manager for Known {
    type Directory = Directory;
    type Error = Infallible;

    fn track(
        &mut self,
        _: EngineTerm,
        _: TrackedPeers<PublicKey>,
        _: &Directory,
    ) -> Result<(), Infallible> {
        Ok(())
    }
}
