//! A made-up earth: witnesses in it, and certificates by them.

use crypto::{SigningKey, VrfKey, VrfSuite};
use presence::{
    Claim, Direction, Minimum, Place, PresenceCertificate, PresenceParams, Reference, Tables,
    Witness, alpha, draw, land,
};
use types::{Address, Bytes, ChainId, Hash, List, PublicKey, Signature};

pub struct World {
    pub keys: Vec<SigningKey>,
    pub witnesses: Vec<Witness>,
    pub directions: Vec<Direction>,
    pub reference: Reference,
    pub params: PresenceParams,
}

/// Numbers that look like chance (SplitMix64).
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, sides: u64) -> u64 {
        self.next() % sides
    }
}

/// Microseconds between two places: 13 µs for each kilometre and a little for routers; light needs 10.
pub fn rtt_us(a: &Direction, b: &Direction, chance: &mut Chance) -> u32 {
    a.km(b) * 13 + 400 + u32::try_from(chance.below(900)).unwrap()
}

impl World {
    /// `count` witnesses on land, half of them in Europe.
    pub fn new(count: usize, seed: u64) -> Self {
        let mut chance = Chance(seed);
        let cells: Vec<_> = land::cells().collect();
        let mut places = Vec::new();
        while places.len() < count {
            let index = usize::try_from(chance.below(cells.len() as u64)).unwrap();
            let cell = cells[index];
            if places.len() % 2 == 0 || cell.continent == ChainId::Europe {
                places.push(cell.place);
            }
        }
        let keys: Vec<SigningKey> = (0..count)
            .map(|index| {
                let mut seed = [7; 32];
                seed[..8].copy_from_slice(&(index as u64).to_be_bytes());
                SigningKey::from_seed(&seed)
            })
            .collect();
        let witnesses = (0..)
            .zip(keys.iter().zip(&places))
            .map(|(index, (key, place))| {
                let key = PublicKey(key.public());
                Witness { key, place: *place, operator: Address::of(&key), network: index }
            })
            .collect();
        let directions: Vec<Direction> =
            places.iter().map(|place| Direction::of_place(*place)).collect();
        let mut pairs = Vec::new();
        for a in 0..count {
            for b in 0..a {
                pairs.push((a, b, rtt_us(&directions[a], &directions[b], &mut chance)));
            }
        }
        let reference = Reference::new(directions.clone(), pairs);
        Self { keys, witnesses, directions, reference, params: PresenceParams::DEFAULT }
    }

    pub fn tables(&self) -> Tables<'_> {
        Tables {
            seed: Hash([9; 32]),
            period: 4,
            witnesses: &self.witnesses,
            reference: &self.reference,
        }
    }

    /// A certificate of a prover that stands at `place` and claims another. `says` is what each witness makes of the time it
    /// measured.
    pub fn certificate(
        &self,
        place: Place,
        claimed: (Place, ChainId),
        chance: &mut Chance,
        mut says: impl FnMut(u16, u32) -> Option<u32>,
    ) -> PresenceCertificate {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&chance.next().to_be_bytes());
        let key = SigningKey::from_seed(&seed);
        let vrf = VrfKey::beside(&key);
        let claim = Claim {
            prover: PublicKey(key.public()),
            place: claimed.0,
            continent: claimed.1,
            attestation: Hash([3; 32]),
            vrf_key: Hash(vrf.public()),
            period: 4,
        };
        let proof = vrf.prove(VrfSuite::Ell2, &alpha(&self.tables().seed, &claim).0);
        let randomness = proof.claimed_output(VrfSuite::Ell2).0;
        let here = Direction::of_place(claimed.0);
        let committee = draw(
            (&claim.prover, &here),
            &randomness,
            &self.witnesses,
            &self.directions,
            &self.params,
        );
        let (id, transcript) = (claim.id(), Hash([5; 32]));
        let stands = Direction::of_place(place);
        let minima = committee
            .into_iter()
            .filter_map(|witness| {
                let index = usize::from(witness);
                let rtt_us = says(witness, rtt_us(&stands, &self.directions[index], chance))?;
                let message = Minimum::message(&id, &transcript, witness, rtt_us);
                let signature = Signature(self.keys[index].sign(Minimum::DOMAIN, &message));
                Some(Minimum { witness, rtt_us, signature })
            })
            .collect();
        let message = PresenceCertificate::message(&id, &transcript);
        PresenceCertificate {
            claim,
            draw: Bytes::new(proof.to_bytes().to_vec()).unwrap(),
            transcript,
            signature: Signature(key.sign(PresenceCertificate::DOMAIN, &message)),
            minima: List::new(minima).unwrap(),
        }
    }
}
