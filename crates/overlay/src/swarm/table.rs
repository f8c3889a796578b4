//! Who comes into the routing table: nodes where they really are, few of each neighbourhood, and nobody who misbehaved.

use super::Driver;
use crate::{
    address::{host_of, is_circuit, place, same_host},
    gate::Prefix,
    rendezvous,
    standing::Fault,
    status::Path,
};
use libp2p::{Multiaddr, PeerId, identify, kad, relay};
use std::time::Instant;

/// Addresses kept of one node.
const ADDRESSES_MAX: usize = 4;
/// Lists of those who come that are visited.
const POINTS_MAX: usize = 3;

impl Driver {
    /// A peer has said what it speaks and where it listens. Only addresses at the place it really is are
    /// believed: otherwise anybody fills tables with others' addresses.
    pub(super) fn on_identified(&mut self, peer: PeerId, info: identify::Info) {
        let Some(known) = self.peers.get_mut(&peer) else { return };
        known.agent = Some(info.agent_version.chars().take(64).collect());
        if !is_circuit(&info.observed_addr) {
            known.sees = host_of(&info.observed_addr);
        }
        known.relays = info.protocols.contains(&relay::HOP_PROTOCOL_NAME);
        let keeps_list = info.protocols.iter().any(|name| name.as_ref() == rendezvous::PROTOCOL);
        if keeps_list && self.points.len() < POINTS_MAX {
            self.points.entry(peer).or_default();
        }
        let in_table = info
            .protocols
            .iter()
            .any(|protocol| self.swarm.behaviour().kad.protocol_names().contains(protocol));
        if !in_table {
            return;
        }
        let seen: Vec<Multiaddr> =
            known.connections.values().map(|(_, address)| address.clone()).collect();
        let dialled: Vec<Multiaddr> = known
            .connections
            .values()
            .filter(|(path, _)| *path == Path::Direct)
            .map(|(_, address)| place(address))
            .collect();
        let honest = info
            .listen_addrs
            .into_iter()
            .filter(|address| !is_circuit(address))
            .filter(|address| seen.iter().any(|seen| same_host(seen, address)));
        let addresses: Vec<Multiaddr> =
            dialled.into_iter().chain(honest).take(ADDRESSES_MAX).collect();
        for address in addresses {
            self.add_to_table(peer, address);
        }
    }

    pub(super) fn add_to_table(&mut self, peer: PeerId, address: Multiaddr) {
        let spared = self.swarm.behaviour().gate.spares(Prefix::of(&address));
        if !self.table.has(&peer) && !spared {
            let bucket = self.bucket_of(&peer);
            if !self.table.has_room(&address, |other| self.bucket_of(other) == bucket) {
                tracing::debug!(%peer, %address, "its neighbourhood has enough places in the table");
                return;
            }
        }
        let first = self.table.is_empty();
        let update = self.swarm.behaviour_mut().kad.add_address(&peer, place(&address));
        if matches!(update, kad::RoutingUpdate::Success) {
            self.table.insert(peer, &address);
        }
        if first && !self.table.is_empty() {
            drop(self.swarm.behaviour_mut().kad.bootstrap());
        }
    }

    fn bucket_of(&self, peer: &PeerId) -> Option<u32> {
        let key = |peer: &PeerId| kad::KBucketKey::from(*peer);
        key(self.swarm.local_peer_id()).distance(&key(peer)).ilog2()
    }

    pub(super) fn blame(&mut self, peer: PeerId, fault: Fault) {
        if self.standing.blame(peer, fault, Instant::now()) {
            tracing::info!(%peer, ?fault, "kept out for an hour");
            self.swarm.behaviour_mut().banned.block_peer(peer);
            self.swarm.behaviour_mut().kad.remove_peer(&peer);
            self.table.remove(&peer);
        }
    }
}
