//! What can go wrong, for the caller.

use crate::address::BadAddress;
use libp2p::{Multiaddr, PeerId};

/// Why the overlay could not do something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum OverlayError {
    #[error(transparent)]
    Address(#[from] BadAddress),
    #[error("the overlay cannot start: {0}")]
    Start(String),
    #[error("{0}")]
    Tor(String),
    #[error("the TURN server gives no address: {0}")]
    Turn(String),
    #[error("cannot listen on {address}: {error}")]
    Listen { address: Multiaddr, error: String },
    #[error("cannot reach {peer}: {error}")]
    Unreachable { peer: PeerId, error: String },
    #[error("{peer} does not speak {protocol}")]
    NotSpoken { peer: PeerId, protocol: String },
    #[error("{0} is already served")]
    Served(String),
    #[error("no peer knows {0}")]
    Unknown(PeerId),
    #[error("the overlay has stopped")]
    Stopped,
}
