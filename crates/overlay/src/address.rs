//! Where to try, and who is expected there.

use libp2p::{
    Multiaddr, PeerId,
    identity::{self, ed25519},
    multiaddr::Protocol,
};
use network::ik::PeerIdentity;
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

/// An address that ends in the identity expected there, such as `/ip4/192.0.2.1/tcp/8800/p2p/12D3Koo…`. Without an
/// identity there is no handshake: Noise IK encrypts to it from the first byte on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerAddress {
    address: Multiaddr,
    peer: PeerId,
}

impl PeerAddress {
    /// An address that was parsed already.
    ///
    /// # Errors
    /// [`BadAddress::NoIdentity`] if it does not end in `/p2p/…`, [`BadAddress::NotEd25519`] if that names another kind of
    /// key.
    pub fn new(address: Multiaddr) -> Result<Self, BadAddress> {
        let Some(Protocol::P2p(peer)) = address.iter().last() else {
            return Err(BadAddress::NoIdentity(address.to_string()));
        };
        identity_of(&peer)?;
        Ok(Self { address, peer })
    }

    /// The identity that must answer there, or the handshake fails.
    pub fn peer(&self) -> PeerId {
        self.peer
    }

    /// All of it.
    pub fn full(&self) -> &Multiaddr {
        &self.address
    }

    /// The IP address it begins with; `None` if it begins with a name or something else.
    pub fn host(&self) -> Option<IpAddr> {
        host_of(&self.address)
    }

    /// The host, an address or a name, and the TCP port; `None` for an onion service, for instance.
    #[must_use]
    pub fn tcp(&self) -> Option<(String, u16)> {
        let named = || match self.address.iter().next()? {
            Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name) => {
                Some(name.into_owned())
            }
            _ => None,
        };
        let host = self.host().map(|ip| ip.to_string()).or_else(named)?;
        Some((host, port_of(&self.address)?))
    }

    /// Without the identity at the end.
    pub fn place(&self) -> Multiaddr {
        let mut address = self.address.clone();
        address.pop();
        address
    }
}

impl FromStr for PeerAddress {
    type Err = BadAddress;
    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let address =
            text.parse::<Multiaddr>().map_err(|_| BadAddress::Malformed(text.to_owned()))?;
        Self::new(address)
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

/// Why a text or an id names no node that could be dialled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum BadAddress {
    #[error(
        "{0} is not an address\nhint: an address looks like /ip4/192.0.2.1/tcp/8800/p2p/12D3KooW…"
    )]
    Malformed(String),
    #[error(
        "{0} does not name the node that is expected there\nhint: add /p2p/ and the node's id; meshx node start prints it"
    )]
    NoIdentity(String),
    #[error("{0} is not an Ed25519 identity\nhint: MeshX ids begin with 12D3KooW")]
    NotEd25519(PeerId),
}

/// The id that `ed25519` goes by.
///
/// # Errors
/// [`BadAddress::Malformed`] if it is no key.
pub fn peer_id(ed25519: &[u8; 32]) -> Result<PeerId, BadAddress> {
    ed25519::PublicKey::try_from_bytes(ed25519)
        .map(|key| PeerId::from_public_key(&key.into()))
        .map_err(|_| BadAddress::Malformed(hex::encode(ed25519)))
}

/// The identity inside an id.
///
/// # Errors
/// [`BadAddress::NotEd25519`]: a hash, another kind of key, or a key with torsion.
pub fn identity_of(peer: &PeerId) -> Result<PeerIdentity, BadAddress> {
    let refused = || BadAddress::NotEd25519(*peer);
    // Code 0 is the identity multihash: the key itself.
    if peer.as_ref().code() != 0 {
        return Err(refused());
    }
    let key = identity::PublicKey::try_decode_protobuf(peer.as_ref().digest())
        .map_err(|_| refused())?
        .try_into_ed25519()
        .map_err(|_| refused())?;
    PeerIdentity::new(key.to_bytes()).map_err(|_| refused())
}

pub(crate) fn at_socket(address: SocketAddr) -> Multiaddr {
    Multiaddr::from(address.ip()).with(Protocol::Tcp(address.port()))
}

pub(crate) fn host_of(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next() {
        Some(Protocol::Ip4(ip)) => Some(ip.into()),
        // An IPv4 address that is written as IPv6 is the same host, and must not count as another.
        Some(Protocol::Ip6(ip)) => Some(IpAddr::V6(ip).to_canonical()),
        _ => None,
    }
}

pub(crate) fn port_of(address: &Multiaddr) -> Option<u16> {
    address.iter().find_map(|part| match part {
        Protocol::Tcp(port) => Some(port),
        _ => None,
    })
}

pub(crate) fn is_circuit(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::P2pCircuit)
}

pub(crate) fn relay_of(address: &Multiaddr) -> Option<PeerId> {
    is_circuit(address).then(|| {
        address.iter().find_map(|part| match part {
            Protocol::P2p(relay) => Some(relay),
            _ => None,
        })
    })?
}

/// `address` without an identity at its end.
pub(crate) fn place(address: &Multiaddr) -> Multiaddr {
    match PeerAddress::new(address.clone()) {
        Ok(address) => address.place(),
        Err(_) => address.clone(),
    }
}

pub(crate) fn same_host(one: &Multiaddr, other: &Multiaddr) -> bool {
    host_of(one).is_some_and(|one| host_of(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_are_those_of_the_address() {
        let of = |place: &str| -> Option<(String, u16)> {
            let peer = "12D3KooWCbzFJ8C5g8tv5C9zGvLiSya1acm2rNEt6kEXZpZPFLNq";
            format!("{place}/p2p/{peer}").parse::<PeerAddress>().unwrap().tcp()
        };
        let found = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(of("/ip4/192.0.2.1/tcp/8800"), found("192.0.2.1", 8_800));
        assert_eq!(of("/ip6/2001:db8::1/tcp/1"), found("2001:db8::1", 1));
        assert_eq!(of("/dns4/node.example/tcp/80"), found("node.example", 80));
        assert_eq!(of("/ip4/192.0.2.1/udp/8800"), None);
    }
}
