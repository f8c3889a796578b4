//! Patience: how much that is of no use a peer may send.
//!
//! A peer rehearses what its clients send. What is refused here it should have refused itself, but one block between the two
//! is enough for an honest mistake. So a mistake costs a little patience, which comes back with time.

use commonware_cryptography::ed25519::PublicKey;
use std::collections::BTreeMap;
use types::Millis;

/// What a peer may send at once that is refused here.
const MOST: u64 = 1_024;
/// How much of that comes back in a second.
const PER_SECOND: u64 = 256;

/// What is left of it, peer by peer. Only peers with a seat, or a place on the list of those who may get one, are connected;
/// so there are few.
#[derive(Debug, Default)]
pub(super) struct Patience(BTreeMap<PublicKey, (u64, Millis)>);

impl Patience {
    /// Whether anything is heard from this peer now.
    pub(super) fn has(&self, peer: &PublicKey, now: Millis) -> bool {
        self.left(peer, now) > 0
    }

    /// So many of what this peer sent were of no use.
    pub(super) fn lose(&mut self, peer: &PublicKey, mistakes: u64, now: Millis) {
        if mistakes > 0 {
            let left = self.left(peer, now).saturating_sub(mistakes);
            self.0.insert(peer.clone(), (left, now));
        }
    }

    fn left(&self, peer: &PublicKey, now: Millis) -> u64 {
        let Some((left, then)) = self.0.get(peer) else { return MOST };
        let back = now.saturating_sub(*then).get().saturating_mul(PER_SECOND) / 1_000;
        left.saturating_add(back).min(MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use commonware_cryptography::{Signer as _, ed25519::PrivateKey};

    #[test]
    fn patience_ends_and_comes_back() {
        let [peer, other] = [1, 2].map(|seed| PrivateKey::from_seed(seed).public_key());
        let (mut patience, at) = (Patience::default(), Millis::new);
        patience.lose(&peer, MOST - 1, at(0));
        assert!(patience.has(&peer, at(0)));
        patience.lose(&peer, 7, at(0));
        assert!(!patience.has(&peer, at(0)) && patience.has(&other, at(0)));
        assert!(!patience.has(&peer, at(3)) && patience.has(&peer, at(4)));
        // Not more than there was.
        patience.lose(&peer, MOST, at(3_600_000));
        assert!(!patience.has(&peer, at(3_600_000)));
    }
}
