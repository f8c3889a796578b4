//! Meeting points: nodes that others reach write themselves into a list at a peer that keeps one, and read who else
//! has. It is one more way to find somebody when Kademlia's table is empty or lies.

use libp2p::{PeerId, identity, rendezvous};
use types::{ChainId, Hash};

/// The libp2p specification's name of the protocol.
pub(crate) const PROTOCOL: &str = "/rendezvous/1.0.0";
/// Entries of one peer: it may serve every chain.
const ENTRIES_PER_PEER: usize = ChainId::ALL.len();
const ENTRIES_MAX: usize = 4_096;
/// What a reader has read already is remembered for so many readers.
const COOKIES_MAX: usize = 1_024;
/// Entries taken from one list at a time, and dialled: a list is one peer's word.
pub(crate) const READ_MAX: u64 = 4;

/// A list of those who come.
pub(crate) fn point() -> rendezvous::server::Behaviour {
    let config = rendezvous::server::Config::default()
        .with_max_registration_per_peer(ENTRIES_PER_PEER)
        .with_max_registration_total(ENTRIES_MAX)
        .with_max_stored_cookies(COOKIES_MAX);
    rendezvous::server::Behaviour::new(config)
}

pub(crate) fn visitor(pair: identity::Keypair) -> rendezvous::client::Behaviour {
    rendezvous::client::Behaviour::new(pair)
}

/// What nodes of `chain` write themselves under.
pub(crate) fn namespace(network: Hash, chain: ChainId) -> rendezvous::Namespace {
    let name = format!("meshx/{}/{chain}", hex::encode(&network.0[..4]));
    rendezvous::Namespace::new(name).expect("shorter than 255 bytes")
}

/// Write oneself into the list at `point`, if one is reached anywhere, and read it.
pub(crate) fn visit(
    client: &mut rendezvous::client::Behaviour,
    point: PeerId,
    namespace: rendezvous::Namespace,
) {
    if let Err(error) = client.register(namespace.clone(), point, None) {
        tracing::trace!(%point, %error, "not in the list");
    }
    client.discover(Some(namespace), None, Some(READ_MAX), point);
}
