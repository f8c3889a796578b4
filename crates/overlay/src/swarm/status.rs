//! The state of the overlay, for callers that ask.

use super::Driver;
use crate::{
    address::is_circuit,
    status::{Path, PeerInfo, SEEN_AS_MAX, Status},
};
use libp2p::{Multiaddr, swarm::ConnectionId};
use std::{collections::BTreeMap, net::IpAddr};

impl Driver {
    pub(super) fn status(&mut self) -> Status {
        let peers = self
            .peers
            .iter()
            .filter_map(|(peer, known)| {
                let best = |(id, (path, address)): (&ConnectionId, &(Path, Multiaddr))| {
                    let punched = known.punched.contains(id);
                    (if punched { Path::HolePunched } else { *path }, address.clone())
                };
                // The best path there is: relayed only if nothing else stands.
                let mut paths: Vec<(Path, Multiaddr)> =
                    known.connections.iter().map(best).collect();
                paths.sort_by_key(|(path, _)| *path == Path::Relayed);
                let (path, address) = paths.into_iter().next()?;
                let (bytes_received, bytes_sent) = self.meter.bytes_of(peer);
                Some(PeerInfo {
                    bytes_received,
                    bytes_sent,
                    peer: *peer,
                    path,
                    address,
                    connections: u32::try_from(known.connections.len()).unwrap_or(u32::MAX),
                    rtt_ms: known.rtt.map(|rtt| rtt.as_secs_f64() * 1_000.0),
                    agent: known.agent.clone(),
                    in_table: self.table.has(peer),
                    seconds: known.since.elapsed().as_secs(),
                })
            })
            .collect();
        Status {
            id: *self.swarm.local_peer_id(),
            listen: self.swarm.listeners().filter(|at| !is_circuit(at)).cloned().collect(),
            reachable_at: self.swarm.external_addresses().cloned().collect(),
            mapped: self.mapped,
            onion: self.onion.clone(),
            turn: self.turn,
            seen_as: self.seen_as(),
            relays: self
                .relays
                .iter()
                .filter(|(_, held)| **held)
                .map(|(relay, _)| *relay)
                .collect(),
            table: self.table.len(),
            turned_away: self.swarm.behaviour().gate.refused(),
            banned: self.standing.banned(),
            peers,
        }
    }

    /// Addresses that peers see this node come from, the most frequent first.
    fn seen_as(&self) -> Vec<IpAddr> {
        let mut seen: BTreeMap<IpAddr, usize> = BTreeMap::new();
        for ip in self.peers.values().filter_map(|known| known.sees) {
            *seen.entry(ip).or_default() += 1;
        }
        let mut seen: Vec<(IpAddr, usize)> = seen.into_iter().collect();
        seen.sort_by_key(|(_, peers)| std::cmp::Reverse(*peers));
        seen.into_iter().map(|(ip, _)| ip).take(SEEN_AS_MAX).collect()
    }
}
