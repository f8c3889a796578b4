//! What the handle, and what runs beside the swarm, ask of the one task that owns it.

use crate::{
    Cell, PeerAddress,
    error::OverlayError,
    message::Verdict,
    nat::MapBy,
    record::{PeerRecord, Role},
    standing::Fault,
    status::Status,
};
use libp2p::{Multiaddr, PeerId, gossipsub};
use std::net::SocketAddr;
use tokio::sync::oneshot;
use types::ChainId;

/// Commands that wait for the swarm; more wait with their callers.
pub(crate) const COMMANDS_MAX: usize = 256;

/// One thing asked. Those that give something carry where the answer goes.
pub(crate) enum Command {
    Dial {
        peer: PeerId,
        at: Option<Multiaddr>,
        answer: oneshot::Sender<Result<(), OverlayError>>,
    },
    Find {
        peer: PeerId,
        answer: oneshot::Sender<Option<PeerRecord>>,
    },
    Closest {
        key: Vec<u8>,
        answer: oneshot::Sender<Vec<PeerId>>,
    },
    Providers {
        role: Role,
        chain: ChainId,
        /// Only there.
        cell: Option<Cell>,
        answer: oneshot::Sender<Vec<PeerId>>,
    },
    Status(oneshot::Sender<Status>),
    /// The router forwards a port, or no longer.
    Mapped(Option<(MapBy, SocketAddr)>),
    /// Tor holds an onion service for this node, or no longer.
    Onion(Option<Multiaddr>),
    /// A TURN server holds an address for this node, or no longer.
    Turn(Option<SocketAddr>),
    /// A peer that is relayed has let this node in at its TURN server.
    Invited {
        peer: PeerId,
        at: Multiaddr,
    },
    /// A peer has done what no honest node does.
    Blame(PeerId, Fault),
    Publish {
        topic: String,
        data: Vec<u8>,
    },
    Subscribe {
        topic: String,
    },
    /// What somebody here thinks of a message.
    Judge {
        message: gossipsub::MessageId,
        from: PeerId,
        verdict: Verdict,
    },
    /// Somebody says where nodes are.
    Lead(Vec<PeerAddress>),
}
