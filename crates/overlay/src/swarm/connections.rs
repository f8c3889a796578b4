//! Connections: made, met, lost and refused.

use super::Driver;
use crate::{
    address::{at_socket, is_circuit, place},
    error::OverlayError,
    status::Path,
};
use libp2p::{
    Multiaddr, PeerId,
    core::ConnectedPoint,
    multiaddr::Protocol,
    swarm::{
        ConnectionId, DialError,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// Addresses of one node that a stranger names and that are tried.
const ADDRESSES_MAX: usize = 4;
/// Peers asked for by name that are remembered as such.
const ASKED_FOR_MAX: usize = 256;

/// A peer as long as it is connected.
pub(super) struct Known {
    pub(super) connections: HashMap<ConnectionId, (Path, Multiaddr)>,
    pub(super) punched: HashSet<ConnectionId>,
    pub(super) rtt: Option<Duration>,
    pub(super) agent: Option<String>,
    pub(super) relays: bool,
    /// Where it sees this node come from.
    pub(super) sees: Option<IpAddr>,
    pub(super) since: Instant,
}

impl Known {
    fn new() -> Self {
        Self {
            connections: HashMap::new(),
            punched: HashSet::new(),
            rtt: None,
            agent: None,
            relays: false,
            sees: None,
            since: Instant::now(),
        }
    }
}

impl Driver {
    pub(super) fn dial(
        &mut self,
        peer: PeerId,
        at: Option<Multiaddr>,
        answer: Option<oneshot::Sender<Result<(), OverlayError>>>,
    ) {
        if answer.is_some() && self.asked_for.len() < ASKED_FOR_MAX {
            self.asked_for.insert(peer);
        }
        if self.swarm.is_connected(&peer) {
            if let Some(answer) = answer {
                drop(answer.send(Ok(())));
            }
            return;
        }
        let options = DialOpts::peer_id(peer).condition(PeerCondition::NotDialing);
        let options = match at {
            Some(at) => options.addresses(vec![at]).extend_addresses_through_behaviour().build(),
            None => options.build(),
        };
        self.swarm.behaviour_mut().gate.want(options.connection_id());
        let begun = self.swarm.dial(options);
        let Some(answer) = answer else { return };
        match begun {
            // Somebody is dialling it already: the same answer serves both.
            Ok(()) | Err(DialError::DialPeerConditionFalse(_)) => {
                self.dialling.entry(peer).or_default().push(answer);
            }
            Err(error) => {
                let error = OverlayError::Unreachable { peer, error: told(&error) };
                drop(answer.send(Err(error)));
            }
        }
    }

    /// A relayed peer lets this node in at its TURN server.
    pub(super) fn on_invited(&mut self, peer: PeerId, at: Multiaddr) {
        // It is connected already, which is no reason not to dial.
        let options = DialOpts::peer_id(peer).condition(PeerCondition::Always);
        let options = options.addresses(vec![at]).build();
        let connection = options.connection_id();
        self.swarm.behaviour_mut().gate.want(connection);
        if self.swarm.dial(options).is_ok() {
            self.invited.insert(connection);
        }
    }

    /// Somebody says that `peer` is there: a stranger's word, so that it counts in its neighbourhood.
    pub(super) fn dial_found(&mut self, peer: PeerId, addresses: &[Multiaddr]) {
        let addresses: Vec<Multiaddr> = (addresses.iter())
            .filter(|address| !is_circuit(address))
            .map(|address| place(address).with(Protocol::P2p(peer)))
            .take(ADDRESSES_MAX)
            .collect();
        let options = DialOpts::peer_id(peer).condition(PeerCondition::DisconnectedAndNotDialing);
        if let Err(error) = self.swarm.dial(options.addresses(addresses).build()) {
            tracing::debug!(%peer, %error, "not dialled");
        }
    }

    pub(super) fn on_connected(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        endpoint: &ConnectedPoint,
    ) {
        let address = endpoint.get_remote_address().clone();
        let invited = self.invited.remove(&connection) || self.is_turn(endpoint);
        let path = match (endpoint.is_relayed(), invited, endpoint.is_dialer()) {
            (true, ..) => Path::Relayed,
            (false, true, _) => Path::Turn,
            (false, false, true) => Path::Direct,
            (false, false, false) => Path::Inbound,
        };
        tracing::debug!(%peer, %address, ?path, "connected");
        let known = self.peers.entry(peer).or_insert_with(Known::new);
        known.connections.insert(connection, (path, address));
        self.answer_dial(peer, &Ok(()));
    }

    pub(super) fn on_disconnected(&mut self, peer: PeerId, connection: ConnectionId, left: u32) {
        if let Some(known) = self.peers.get_mut(&peer) {
            known.connections.remove(&connection);
            known.punched.remove(&connection);
        }
        if left == 0 {
            self.peers.remove(&peer);
            self.meter.gone(&peer);
            self.relays.remove(&peer);
            self.points.remove(&peer);
            self.asked_for.remove(&peer);
        }
    }

    pub(super) fn on_unreached(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        error: &DialError,
    ) {
        self.invited.remove(&connection);
        tracing::debug!(%peer, %error, "not reached");
        let error = OverlayError::Unreachable { peer, error: told(error) };
        self.answer_dial(peer, &Err(error));
    }

    fn answer_dial(&mut self, peer: PeerId, result: &Result<(), OverlayError>) {
        for answer in self.dialling.remove(&peer).unwrap_or_default() {
            drop(answer.send(result.clone()));
        }
    }

    /// Whether somebody came by this node's address at a TURN server.
    fn is_turn(&self, endpoint: &ConnectedPoint) -> bool {
        match endpoint {
            ConnectedPoint::Listener { local_addr, .. } => {
                self.turn.is_some_and(|turn| *local_addr == at_socket(turn))
            }
            ConnectedPoint::Dialer { .. } => false,
        }
    }
}

/// The innermost reasons of a failed dial, one per address.
fn told(error: &DialError) -> String {
    use libp2p::TransportError;
    match error {
        DialError::Transport(errors) => errors
            .iter()
            .map(|(address, error)| match error {
                TransportError::MultiaddrNotSupported(_) => format!("{address}: not supported"),
                TransportError::Other(error) => format!("{address}: {error}"),
            })
            .collect::<Vec<_>>()
            .join("; "),
        DialError::NoAddresses => "no address of that node is known".to_owned(),
        DialError::WrongPeerId { obtained, .. } => {
            format!("another node is at that address: {obtained}")
        }
        other => other.to_string(),
    }
}
