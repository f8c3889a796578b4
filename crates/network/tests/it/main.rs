//! What peers say to each other before they trust each other, and after.

mod handshake;
mod stream;
mod upgrader;
mod work;

use crypto::SigningKey;
use network::ik::{Established, Identity, Initiator, PeerIdentity, Responder, Suites};

pub(crate) fn identity(seed: u8) -> Identity {
    Identity::new(&SigningKey::from_seed(&[seed; 32]))
}

pub(crate) fn peer(seed: u8) -> PeerIdentity {
    PeerIdentity::new(identity(seed).public()).unwrap()
}

pub(crate) fn responder(seed: u8, suites: Suites) -> Responder {
    Responder { me: identity(seed), suites, namespace: b"test".to_vec() }
}

/// Connect 1 to 2; both ends, confirmed.
pub(crate) fn connect(suites: Suites) -> (Established, Established) {
    let (initiator, first) = Initiator::new(&identity(1), suites, b"test", peer(2));
    let (answer, mut there) = responder(2, suites).read(&first).unwrap().answer();
    let mut here = initiator.finish(&answer).unwrap();
    let mut confirmation = Vec::new();
    here.sealer.change_key(&mut confirmation);
    there.opener.confirm(&mut confirmation[2..]).unwrap();
    (here, there)
}
