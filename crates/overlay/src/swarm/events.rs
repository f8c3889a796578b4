//! What the swarm and its protocols report, each to the file that deals with its family.

use super::Driver;
use crate::{address::place, behaviour::BehaviourEvent, meter::Way, rendezvous};
use libp2p::{
    dcutr, gossipsub, identify, mdns,
    multiaddr::Protocol,
    ping, relay,
    rendezvous::{Registration, client::Event as MeetEvent},
    swarm::SwarmEvent,
};

impl Driver {
    pub(super) fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            SwarmEvent::NewListenAddr { address, .. } => {
                tracing::info!(%address, "listening");
                self.last_record = None;
            }
            SwarmEvent::ExternalAddrConfirmed { address } => self.on_confirmed(&address),
            SwarmEvent::ListenerClosed { addresses, .. } => self.on_listener_closed(&addresses),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_connected(peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, num_established, .. } => {
                self.on_disconnected(peer_id, connection_id, num_established);
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), connection_id, error } => {
                self.on_unreached(peer, connection_id, &error);
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
                let error = reasons(&error);
                tracing::debug!(from = %send_back_addr, %error, "no handshake");
            }
            _ => {}
        }
    }

    fn on_behaviour(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                self.meter.count("identify", Way::In);
                self.on_identified(peer_id, info);
            }
            BehaviourEvent::Ping(ping::Event { peer, result: Ok(rtt), .. }) => {
                self.meter.count("ping", Way::Out);
                if let Some(known) = self.peers.get_mut(&peer) {
                    known.rtt = Some(rtt);
                }
            }
            BehaviourEvent::Kad(event) => self.on_kad(event),
            BehaviourEvent::Gossip(gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            }) => self.on_message(propagation_source, message_id, message),
            BehaviourEvent::Circuits(relay::client::Event::ReservationReqAccepted {
                relay_peer_id,
                ..
            }) => self.on_reservation(relay_peer_id),
            BehaviourEvent::Dcutr(event) => self.on_punched(event),
            BehaviourEvent::Meet(MeetEvent::Discovered { registrations, .. }) => {
                self.on_listed(registrations);
            }
            BehaviourEvent::Mdns(mdns::Event::Discovered(found)) => {
                for (peer, address) in found {
                    let full = place(&address).with(Protocol::P2p(peer));
                    self.dial(peer, Some(full), None);
                }
            }
            _ => {}
        }
    }

    /// A direct connection was made through a relay's help, or was not.
    fn on_punched(&mut self, dcutr::Event { remote_peer_id, result }: dcutr::Event) {
        match result {
            Ok(connection) => {
                if let Some(known) = self.peers.get_mut(&remote_peer_id) {
                    known.punched.insert(connection);
                }
            }
            Err(error) => tracing::debug!(peer = %remote_peer_id, %error, "no hole punched"),
        }
    }

    /// A list of those who come has been read.
    fn on_listed(&mut self, registrations: Vec<Registration>) {
        let me = *self.swarm.local_peer_id();
        for found in registrations.into_iter().take(rendezvous::READ_MAX as usize) {
            let peer = found.record.peer_id();
            if peer != me {
                self.meter.count("rendezvous", Way::In);
                self.dial_found(peer, found.record.addresses());
            }
        }
    }
}

/// An error and what is behind it.
pub(super) fn reasons(error: &dyn std::error::Error) -> String {
    let all = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string);
    // One that wraps another may have no words of its own, or the same.
    let mut all: Vec<String> = all.filter(|words| !words.is_empty()).collect();
    all.dedup();
    all.join(": ")
}
