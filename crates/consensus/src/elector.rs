//! Who leads a view: drawn uniformly over the seats from the seed of the certificate that opened it.
//!
//! Uniformly, because seats are already won by stake, and a weighted draw could starve a dealer of the
//! later key resharing (DESIGN §4). The draw reads the certificate's seed, never the previous block:
//! honest nodes may enter a view with different previous blocks, but all with the same seed.

use crate::guarded::Guarded;
use commonware_codec::Encode as _;
use commonware_consensus::{
    simplex::{
        elector::{Config, Dynamic, Elector, Terms},
        scheme::bls12381_threshold::vrf::Certificate,
    },
    types::{Participant, Round},
};
use commonware_cryptography::{bls12381::primitives::variant::MinSig, ed25519::PublicKey};
use commonware_utils::ordered::Set;
use types::{Hash, domain_hash};

/// Builds the elector of one term.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draw {
    /// Ties the draw to one network: the network's id.
    pub(crate) origin: Hash,
}

#[derive(Clone, Debug)]
pub(crate) struct SeatDraw {
    origin: Hash,
    seats: usize,
}

impl Config<Guarded> for Draw {
    type Elector = SeatDraw;
    fn build(self, participants: &Set<PublicKey>) -> SeatDraw {
        assert!(!participants.is_empty(), "a committee has at least one seat");
        SeatDraw { origin: self.origin, seats: participants.len() }
    }
}

impl Elector<Guarded> for SeatDraw {
    type Mode = Dynamic;

    fn terms(&self) -> Terms {
        Terms::rotating()
    }

    fn elect(&self, round: Round, certificate: Option<&Certificate<MinSig>>) -> Participant {
        let seed = match certificate {
            Some(certificate) => {
                certificate.get().expect("consensus verified it").seed_signature.encode().to_vec()
            }
            // The first view has no certificate before it. The round is hashed, too, so each term still begins with a
            // leader of its own.
            None => b"genesis".to_vec(),
        };
        draw(&self.origin, &round.encode(), &seed, self.seats)
    }
}

fn draw(origin: &Hash, round: &[u8], seed: &[u8], seats: usize) -> Participant {
    let hash = domain_hash("meshx/leader/v1", &[&origin.0, round, seed]);
    let number = u128::from_be_bytes(hash.0[..16].try_into().expect("sixteen bytes"));
    // The modulo's bias is below 2^-120 for any committee.
    let seat = number % u128::try_from(seats).expect("a committee fits");
    Participant::from_usize(usize::try_from(seat).expect("below the number of seats"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seat_leads_equally_often() {
        let mut led = [0_u32; 7];
        for round in 0..7_000_u32 {
            led[usize::from(draw(&Hash::default(), &round.to_be_bytes(), b"seed", 7))] += 1;
        }
        assert!(led.iter().all(|times| (850..1_150).contains(times)), "{led:?}");
    }

    #[test]
    fn another_seed_or_origin_draws_another_order() {
        let order = |origin: u8, seed: &[u8]| {
            (0..20_u32)
                .map(|r| draw(&Hash([origin; 32]), &r.to_be_bytes(), seed, 100))
                .collect::<Vec<_>>()
        };
        assert_ne!(order(1, b"a"), order(1, b"b"));
        assert_ne!(order(1, b"a"), order(2, b"a"));
    }
}
