//! Find, reach and speak to nodes whose machine is anywhere: libp2p over Noise IK.
//!
//! ```text
//!            bootstrap list ─┐                                         ┌─ streams (open, accept)
//! discovery: Kademlia       ─┼─▶ one swarm, one task ◀─ Overlay (clone) ┼─ find, provide
//!            mDNS on a LAN  ─┘    │                                    └─ gossip
//!                                 ▼
//! reach:     direct ── hole-punched ── through a relay          over: TCP, Noise IK, yamux
//! ```
//! A peer is named by its Ed25519 identity, and that is all that is trusted: an address says where to
//! try, the handshake says who answered. What is carried is never decoded here.
//!
//! Validators speak to each other by `network::Sockets`; this is for everybody else.

mod address;
mod asn;
mod behaviour;
mod bootstrap;
mod cell;
mod command;
mod config;
mod error;
mod gate;
mod home;
mod incoming;
mod mapped;
mod message;
mod meter;
pub mod nat;
mod overlay;
mod places;
mod pressure;
mod quota;
mod record;
mod rendezvous;
mod standing;
mod status;
mod swarm;
mod tor;
mod transport;
mod tunnel;
mod turn;

pub use address::{BadAddress, PeerAddress, identity_of, peer_id};
pub use asn::{AsnTable, BadAsnTable};
pub use behaviour::gossip;
pub use bootstrap::{BOOTSTRAP_BYTES_MAX, BOOTSTRAP_PEERS_MAX, BadBootstrapList, BootstrapList};
pub use cell::Cell;
pub use config::Config;
pub use error::OverlayError;
pub use gate::GateLimits;
pub use home::HomeTcp;
pub use incoming::{Incoming, Waiting};
pub use libp2p::{Multiaddr, PeerId, Stream};
pub use message::{Gossip, Verdict};
pub use overlay::{NEAR_WANTED, Overlay};
pub use record::{BadRecord, PeerRecord, RECORD_ADDRESSES_MAX, Role, Roles};
pub use status::{KNOWN_PEERS_MAX, Path, PeerInfo, Status};
pub use tor::{Tor, tor_state};
pub use tunnel::{API_PROTOCOL, open_api, serve_api};
pub use turn::{BadTurnServer, TurnServer, turn_state};
