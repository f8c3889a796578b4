//! How the validators of this process reach the others.

use crate::part::Part;
use commonware_runtime::{Supervisor as _, tokio as tokio_runtime};
use consensus::{CHANNELS, Channels, message_bytes_max};
use network::{
    Latency, Mesh, Place, PrivateKey, PublicKey, Sockets, SocketsConfig, consensus_key, ik::Suites,
};
use std::{collections::BTreeMap, net::SocketAddr};
use types::{ChainId, network::NetworkKeys};

/// In this process or over sockets.
#[expect(clippy::large_enum_variant, reason = "there is one per process")]
pub enum Net {
    /// All of them are in this process.
    InProcess(Latency),
    /// One per process; the addresses of all, by node key.
    Sockets {
        /// The key that this process is known by. It is the key its validators vote with.
        key: PrivateKey,
        /// Where the other processes connect to.
        listen: SocketAddr,
        /// Key and address of every process of the network, this one among them.
        peers: Vec<(types::PublicKey, SocketAddr)>,
    },
}

/// The network of one process, whichever it is.
pub(crate) enum Wires {
    Mesh(BTreeMap<ChainId, Mesh>),
    Sockets { sockets: Box<Sockets>, peers: Vec<PublicKey> },
}

impl Wires {
    pub(crate) fn new(
        context: &tokio_runtime::Context,
        network_keys: &NetworkKeys,
        parts: &[Part],
        net: Net,
    ) -> Self {
        match net {
            Net::InProcess(latency) => Self::Mesh(
                parts
                    .iter()
                    .map(|part| {
                        let places: BTreeMap<PublicKey, Place> = part
                            .validators
                            .iter()
                            .map(|(key, _, place)| (network::peer_key(key), place.clone()))
                            .collect();
                        (part.genesis.chain, Mesh::new(latency.clone(), places))
                    })
                    .collect(),
            ),
            Net::Sockets { key, listen, peers } => {
                let peers: Vec<_> = peers
                    .iter()
                    .filter_map(|(key, address)| Some((consensus_key(key)?, *address)))
                    .collect();
                let known = peers.iter().map(|(key, _)| key.clone()).collect();
                let config = SocketsConfig {
                    key,
                    suites: Suites::default(),
                    namespace: network_keys.network().0.to_vec(),
                    listen,
                    peers,
                    message_bytes_max: message_bytes_max(),
                };
                let sockets = Box::new(Sockets::new(context.child("sockets"), config));
                Self::Sockets { sockets, peers: known }
            }
        }
    }

    /// The validators that one of `part` may meet, in this term or a later one.
    pub(crate) fn known(&self, part: &Part) -> Vec<PublicKey> {
        match self {
            Self::Mesh(_) => {
                part.validators.iter().map(|(key, _, _)| network::peer_key(key)).collect()
            }
            Self::Sockets { peers, .. } => peers.clone(),
        }
    }

    pub(crate) fn connect(
        &mut self,
        chain: ChainId,
        key: &PrivateKey,
    ) -> (Channels, network::Blocks) {
        match self {
            Self::Mesh(meshes) => {
                let (mesh, me) = (&meshes[&chain], network::peer_key(key));
                (Channels::register(|channel| mesh.register(&me, channel)), mesh.blocks(&me))
            }
            Self::Sockets { sockets, .. } => {
                let base = CHANNELS * chain as u64;
                (Channels::register(|channel| sockets.register(base + channel)), sockets.blocks())
            }
        }
    }

    pub(crate) fn start(self) {
        if let Self::Sockets { sockets, .. } = self {
            sockets.start();
        }
    }
}
