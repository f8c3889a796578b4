//! What a node brings to its overlay.

use crate::{
    AsnTable, Cell,
    address::PeerAddress,
    gate::GateLimits,
    record::{Role, Roles},
    tor::Tor,
    turn::TurnServer,
};
use crypto::SigningKey;
use libp2p::Multiaddr;
use network::ik::Suites;
use types::{ChainId, Hash};

/// What a node brings to its overlay.
#[derive(Clone, Debug)]
pub struct Config {
    /// The node's identity. Peers know the node by its public half.
    pub key: SigningKey,
    /// Networks do not mix: a peer of another one fails the handshake.
    pub network: Hash,
    /// What the node says it does. Others look it up by these.
    pub roles: Roles,
    /// The chain this node works on first.
    pub chain: ChainId,
    /// The chains whose API it serves, if it is an aggregator. Edges look it up under each of them.
    pub serves: Vec<ChainId>,
    /// Where it stands, if others are to know: those nearby find it first.
    pub cell: Option<Cell>,
    /// Where to listen, such as `/ip4/0.0.0.0/tcp/8800`.
    pub listen: Vec<Multiaddr>,
    /// Where others reach this node, if that is known and not one of `listen`.
    pub announce: Vec<Multiaddr>,
    /// Nodes to join the network by. With none of them, and no mDNS, the node waits to be found.
    pub bootstrap: Vec<PeerAddress>,
    /// Which key exchanges of Noise IK are offered and accepted.
    pub suites: Suites,
    /// Look for peers on the local network, and be found there.
    pub mdns: bool,
    /// Ask the router to pass the listening port on, if this machine has no address of its own on the internet.
    pub map_port: bool,
    /// Be reached as an onion service, and dial others that are; with [`Tor::only`] nothing else.
    pub tor: Option<Tor>,
    /// Have an address at this server, for peers that otherwise need a relay.
    pub turn: Option<TurnServer>,
    /// How many strangers the node listens to at once, and how many of one neighbourhood.
    pub limits: GateLimits,
    /// Which provider an address is of, where that is known: few of one come into the table.
    pub asns: AsnTable,
}

impl Config {
    /// A node of `network` that listens on `listen` and knows nobody.
    #[must_use]
    pub fn new(key: SigningKey, network: Hash, listen: Vec<Multiaddr>) -> Self {
        Self {
            key,
            network,
            roles: Roles::default().with(Role::Edge),
            chain: ChainId::Backbone,
            serves: Vec::new(),
            cell: None,
            listen,
            announce: Vec::new(),
            bootstrap: Vec::new(),
            suites: Suites::default(),
            mdns: false,
            map_port: true,
            tor: None,
            turn: None,
            limits: GateLimits::default(),
            asns: AsnTable::default(),
        }
    }

    pub(crate) fn is_hidden(&self) -> bool {
        self.tor.as_ref().is_some_and(|tor| tor.only)
    }

    /// With [`Tor::only`], nothing that would show where this machine stands.
    pub(crate) fn hidden_if_asked(self) -> Self {
        if !self.is_hidden() {
            return self;
        }
        let loopback = "/ip4/127.0.0.1/tcp/0".parse().expect("an address");
        Self {
            listen: vec![loopback],
            announce: vec![],
            mdns: false,
            map_port: false,
            turn: None,
            cell: None,
            ..self
        }
    }
}
