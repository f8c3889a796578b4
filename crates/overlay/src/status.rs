//! How an overlay is: where it is reached, and who is connected by which path.

use crate::{
    address::{PeerAddress, place},
    gate::Prefix,
    nat::MapBy,
};
use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use serde::Serialize;
use std::net::{IpAddr, SocketAddr};

/// Addresses of one's own that are remembered.
pub(crate) const SEEN_AS_MAX: usize = 4;

/// Peers to begin with after a restart.
pub const KNOWN_PEERS_MAX: usize = 4;

/// How a peer is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Path {
    /// Its address answered.
    Direct,
    /// It came to us.
    Inbound,
    /// A direct connection that was made through a relay's help.
    HolePunched,
    /// Through a TURN server that one side has an address at.
    Turn,
    /// Through a relay.
    Relayed,
}

impl Path {
    /// The name in tables for people; the same as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Inbound => "inbound",
            Self::HolePunched => "hole-punched",
            Self::Turn => "turn",
            Self::Relayed => "relayed",
        }
    }
}

/// A connected peer.
#[derive(Clone, Debug, Serialize)]
pub struct PeerInfo {
    /// Its identity, which the handshake has proved.
    #[serde(serialize_with = "shown")]
    pub peer: PeerId,
    /// How it is reached, by the best of its connections.
    pub path: Path,
    /// The other end of that connection, without the identity.
    #[serde(serialize_with = "shown")]
    pub address: Multiaddr,
    /// How many connections there are with this peer.
    pub connections: u32,
    /// Milliseconds of the last ping's round trip.
    pub rtt_ms: Option<f64>,
    /// Program and version, as the peer says.
    pub agent: Option<String>,
    /// Bytes received from it since it connected.
    pub bytes_received: u64,
    /// Bytes sent to it since then.
    pub bytes_sent: u64,
    /// Whether it is in our routing table.
    pub in_table: bool,
    /// Seconds since the first connection.
    pub seconds: u64,
}

/// How the overlay is.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// This node's own identity.
    #[serde(serialize_with = "shown")]
    pub id: PeerId,
    /// Where it listens on this machine.
    #[serde(serialize_with = "all_shown")]
    pub listen: Vec<Multiaddr>,
    /// Addresses at which others have reached this node.
    #[serde(serialize_with = "all_shown")]
    pub reachable_at: Vec<Multiaddr>,
    /// The port of the router that leads here, and the protocol it was asked by.
    pub mapped: Option<(MapBy, SocketAddr)>,
    /// This node's address at a TURN server.
    pub turn: Option<SocketAddr>,
    /// Where others see this node come from, most of them first.
    pub seen_as: Vec<IpAddr>,
    /// Where this node is as an onion service.
    #[serde(serialize_with = "shown_if")]
    pub onion: Option<Multiaddr>,
    /// Relays that hold a place for this node.
    #[serde(serialize_with = "all_shown")]
    pub relays: Vec<PeerId>,
    /// Nodes in the routing table.
    pub table: usize,
    /// Handshakes not begun, because their neighbourhood was crowded.
    pub turned_away: u64,
    /// Identities that are kept out for what they did.
    pub banned: usize,
    /// The peers that are connected now.
    pub peers: Vec<PeerInfo>,
}

fn shown<T: ToString, S: serde::Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&value.to_string())
}

fn shown_if<T: ToString, S: serde::Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.serialize_some(&value.to_string()),
        None => serializer.serialize_none(),
    }
}

fn all_shown<T: ToString, S: serde::Serializer>(
    values: &[T],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(ToString::to_string))
}

impl Status {
    /// The peers to begin with after a restart: those that were dialled, longest connected first, one of each neighbourhood.
    #[must_use]
    pub fn known_peers(&self) -> Vec<PeerAddress> {
        let mut direct: Vec<&PeerInfo> =
            self.peers.iter().filter(|peer| peer.path == Path::Direct && peer.in_table).collect();
        // Who has been there for hours will most likely be there after the restart. One of each neighbourhood, so that
        // nobody with many addresses decides which peers this node meets then.
        direct.sort_by_key(|peer| std::cmp::Reverse(peer.seconds));
        let mut prefixes = Vec::new();
        let mut known_peers = Vec::new();
        for peer in direct {
            let prefix = Prefix::of(&peer.address);
            if prefix.is_near() || !prefixes.contains(&prefix) {
                prefixes.push(prefix);
                let full = place(&peer.address).with(Protocol::P2p(peer.peer));
                known_peers.extend(PeerAddress::new(full));
            }
        }
        known_peers.truncate(KNOWN_PEERS_MAX);
        known_peers
    }
}
