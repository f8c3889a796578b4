//! Where this node can be reached: a port of the router, an onion service, an address at a TURN server, a relay.

use super::Driver;
use crate::{
    address::{at_socket, is_circuit, relay_of},
    nat::MapBy,
};
use libp2p::{Multiaddr, PeerId};
use std::net::SocketAddr;

impl Driver {
    pub(super) fn on_mapped(&mut self, now: Option<(MapBy, SocketAddr)>) {
        if let Some((_, before)) = self.mapped.filter(|before| Some(*before) != now) {
            self.swarm.remove_external_address(&at_socket(before));
        }
        self.mapped = now;
        if let Some((by, address)) = now {
            tracing::info!(by = by.name(), %address, "the router passes a port on");
            // Others will say whether that is true: this only makes it worth a try.
            self.swarm.add_external_address(at_socket(address));
            self.last_record = None;
        }
    }

    pub(super) fn on_onion(&mut self, now: Option<Multiaddr>) {
        if let Some(before) = std::mem::replace(&mut self.onion, now) {
            self.swarm.remove_external_address(&before);
        }
        if let Some(address) = &self.onion {
            tracing::info!(%address, "an onion service leads here");
            self.swarm.add_external_address(address.clone());
            self.last_record = None;
        }
    }

    pub(super) fn on_turn(&mut self, now: Option<SocketAddr>) {
        if let Some(address) = now {
            tracing::info!(%address, "a TURN server has an address for this node");
        }
        self.turn = now;
    }

    /// Somebody else has shown that this node is reached there.
    pub(super) fn on_confirmed(&mut self, address: &Multiaddr) {
        tracing::info!(%address, "others reach this node here");
        self.last_record = None;
        self.points.values_mut().for_each(|last| *last = None);
    }

    pub(super) fn on_reservation(&mut self, relay: PeerId) {
        tracing::info!(%relay, "a relay holds a place for this node");
        self.relays.insert(relay, true);
        self.last_record = None;
    }

    pub(super) fn on_listener_closed(&mut self, addresses: &[Multiaddr]) {
        for relay in addresses.iter().filter_map(relay_of) {
            self.relays.remove(&relay);
        }
    }

    pub(super) fn reached_directly(&self) -> bool {
        self.swarm.external_addresses().any(|at| !is_circuit(at))
    }
}
