//! Carry bytes between peers that know each other by key.
//!
//! Consensus sees two things only: a [`Sender`] and a [`Receiver`] per channel. What is behind them is
//! chosen by the shell:
//!
//! ```text
//!             +-- Mesh:    one process, every message delayed by the real distance of two cities
//! Sender -----+
//! Receiver ---+-- Sockets: TCP between processes, over Noise IK ([`ik`])
//! ```
//!
//! Payloads are never decoded here. Discovery, NAT traversal and gossip are not here.

pub mod ik;
mod latency;
mod mesh;
mod peer;
mod socket;

pub use commonware_cryptography::ed25519::{PrivateKey, PublicKey};
pub use latency::{BadLatency, Latency, Place};
pub use mesh::Mesh;
pub use peer::{
    Blocks, Channel, Receiver, Sender, consensus_key, peer_key, private_key, public_key,
    signing_key,
};
pub use socket::{Sockets, SocketsConfig};
