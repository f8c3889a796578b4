//! A certificate, checked against the period's tables: the same verdict, and the same gas, at every validator.

use crate::{
    Committee, Direction, Judgement, Reference, Sight, Tier, Weakness, Witness, draw, judge,
    judge::is_within_reach, land,
};
use crypto::{Signed, VrfProof, VrfPublicKey, VrfSuite, verify_batch};
use serde::Serialize;
use std::collections::BTreeSet;
use types::{
    ChainId, Hash, Place, domain_hash,
    presence::{Claim, Minimum, PresenceCertificate, PresenceParams},
};

/// Gas of one signature, of the draw's proof, of each pair of land and witness, and of each witness in the list: about a
/// nanosecond of one core each (`cargo bench -p meshx-presence`).
const GAS_SIGNATURE: u64 = 18_000;
const GAS_DRAW: u64 = 40_000;
const GAS_PAIR: u64 = 1;
const GAS_WITNESS: u64 = 250;

/// What all validators know in a period: who may witness, what is measured between them, and the seed that draws.
#[derive(Clone, Copy, Debug)]
pub struct Tables<'a> {
    /// Of the beacon, not known before the period's claimants had registered.
    pub seed: Hash,
    /// The period that is on.
    pub period: u64,
    /// At most 65,535.
    pub witnesses: &'a [Witness],
    /// Of the same nodes in the same order.
    pub reference: &'a Reference,
}

/// What a certificate shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// How strictly the claim holds.
    pub tier: Tier,
    /// The continent that was claimed.
    pub continent: ChainId,
    /// The place that was claimed.
    pub place: Place,
    /// Witnesses that were drawn, and those that said something.
    pub drawn: u16,
    /// How many witnesses' times were counted.
    pub measured: u16,
    /// Land that keeps the claim from the next tier.
    pub not_certified: Option<Weakness>,
    /// What keeps the claim from the weakest tier, if anything does.
    pub not_provisional: Option<Weakness>,
    /// Witnesses that measured a time in which nothing gets to the claim and back.
    pub faster_than_light: Vec<u16>,
    /// What checking cost, in the unit blocks are limited by.
    pub gas: u64,
}

/// Why a certificate is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Rejected {
    #[error("the claim is for period {claimed}, but this is period {now}")]
    Period { claimed: u64, now: u64 },
    #[error("{claimed} has no land within {km} km of {place}")]
    Continent { claimed: ChainId, place: Place, km: u16 },
    #[error("the claim's witnesses were not drawn with its VRF key")]
    Draw,
    #[error("the prover did not sign this transcript")]
    Prover,
    #[error("the witnesses are not in order, or one appears twice, at {0}")]
    Order(u16),
    #[error("witness {0} was not drawn for this claim")]
    NotDrawn(u16),
    #[error("witness {0} did not sign the measurement that it is said to have made")]
    Witness(u16),
}

/// What a claim's VRF key draws with.
#[must_use]
pub fn alpha(seed: &Hash, claim: &Claim) -> Hash {
    domain_hash("meshx/presence/alpha/v1", &[&seed.0, &claim.prover.0, &claim.attestation.0])
}

/// Check a certificate and judge its claim.
///
/// Who was drawn and is absent counts as able and not refuting, so leaving witnesses out never helps. That the claim's
/// keys are registered, and attested as the chain asks, is the caller's to check.
///
/// # Errors
/// [`Rejected`] if it is not what its signers made; a claim that physics refutes is no error but [`Tier::Unproven`].
pub fn verify(
    certificate: &PresenceCertificate,
    params: &PresenceParams,
    tables: &Tables<'_>,
) -> Result<Verdict, Rejected> {
    assert_eq!(tables.witnesses.len(), tables.reference.directions().len(), "one list");
    let claim = &certificate.claim;
    let (here, committee) = drawn(certificate, params, tables)?;
    let directions = tables.reference.directions();
    check_order(certificate.minima.as_slice(), &committee)?;
    check_signatures(certificate, tables)?;

    let neighbours = neighbours(claim, &here, tables);
    let measured = |witness: u16| {
        let found = certificate.minima.iter().find(|minimum| minimum.witness == witness);
        found.map(|minimum| minimum.rtt_us)
    };
    let sights: Vec<Sight> = committee
        .iter()
        .map(|index| {
            let witness = directions[usize::from(*index)];
            let km = witness.km(&here);
            let expected_us = tables.reference.expected_us(&neighbours, usize::from(*index), km);
            Sight { witness, expected_us, rtt_us: measured(*index) }
        })
        .collect();
    let Judgement { tier, not_certified, not_provisional, looked_at } =
        judge(claim.place, claim.continent, &sights, params);
    let faster_than_light = certificate
        .minima
        .iter()
        .filter(|said| {
            let witness = &directions[usize::from(said.witness)];
            !is_within_reach(&here, witness, said.rtt_us, params)
        })
        .map(|said| said.witness)
        .collect();
    let count = |items: usize| u16::try_from(items).expect("at most 96");
    Ok(Verdict {
        tier,
        continent: claim.continent,
        place: claim.place,
        drawn: count(committee.len()),
        measured: count(certificate.minima.len()),
        not_certified,
        not_provisional,
        faster_than_light,
        gas: gas_before(certificate, tables) + GAS_PAIR * looked_at,
    })
}

/// The part of a verdict's gas that is known before [`verify`] looks: all but the land it goes through.
#[must_use]
pub fn gas_before(certificate: &PresenceCertificate, tables: &Tables<'_>) -> u64 {
    GAS_DRAW
        + GAS_SIGNATURE * (1 + certificate.minima.len() as u64)
        + GAS_WITNESS * tables.witnesses.len() as u64
}

/// The nodes whose measurements [`verify`] asks the reference for, with any content: who was drawn, and the claim's
/// neighbours. So a caller that keeps measurements by node need load no others.
///
/// # Errors
/// [`Rejected`], as [`verify`] would.
pub fn consulted(
    certificate: &PresenceCertificate,
    params: &PresenceParams,
    tables: &Tables<'_>,
) -> Result<BTreeSet<u16>, Rejected> {
    let (here, committee) = drawn(certificate, params, tables)?;
    let near = neighbours(&certificate.claim, &here, tables);
    let near = near.into_iter().map(|node| u16::try_from(node).expect("at most 65,535 nodes"));
    Ok(committee.into_iter().chain(near).collect())
}

/// Where the claim is, and who was drawn for it.
fn drawn(
    certificate: &PresenceCertificate,
    params: &PresenceParams,
    tables: &Tables<'_>,
) -> Result<(Direction, Committee), Rejected> {
    let claim = &certificate.claim;
    check_claim(claim, params, tables)?;
    let here = Direction::of_place(claim.place);
    let randomness = randomness(certificate, tables)?;
    let directions = tables.reference.directions();
    let who = (&claim.prover, &here);
    let committee = draw(who, &randomness, tables.witnesses, directions, params);
    Ok((here, committee))
}

/// Those whose measurements speak for the claim.
fn neighbours(claim: &Claim, here: &Direction, tables: &Tables<'_>) -> Vec<usize> {
    let itself = tables.witnesses.iter().position(|witness| witness.key == claim.prover);
    tables.reference.neighbours(here, itself.as_slice())
}

fn check_claim(
    claim: &Claim,
    params: &PresenceParams,
    tables: &Tables<'_>,
) -> Result<(), Rejected> {
    if claim.period != tables.period {
        return Err(Rejected::Period { claimed: claim.period, now: tables.period });
    }
    let km = params.border_km;
    let near = land::continents_near(claim.place, u32::from(km));
    if !near.iter().any(|(continent, _)| *continent == claim.continent) {
        return Err(Rejected::Continent { claimed: claim.continent, place: claim.place, km });
    }
    Ok(())
}

/// The claimant's VRF output.
fn randomness(
    certificate: &PresenceCertificate,
    tables: &Tables<'_>,
) -> Result<[u8; 64], Rejected> {
    let key = VrfPublicKey::new(certificate.claim.vrf_key.0).map_err(|_| Rejected::Draw)?;
    let proof = <&[u8; 80]>::try_from(certificate.draw.as_slice()).map_err(|_| Rejected::Draw)?;
    let proof = VrfProof::from_bytes(proof).map_err(|_| Rejected::Draw)?;
    let alpha = alpha(&tables.seed, &certificate.claim);
    let output = key.verify(VrfSuite::Ell2, &alpha.0, &proof).map_err(|_| Rejected::Draw)?;
    Ok(output.0)
}

fn check_order(minima: &[Minimum], committee: &[u16]) -> Result<(), Rejected> {
    for pair in minima.windows(2) {
        if pair[0].witness >= pair[1].witness {
            return Err(Rejected::Order(pair[1].witness));
        }
    }
    match minima.iter().find(|minimum| committee.binary_search(&minimum.witness).is_err()) {
        Some(minimum) => Err(Rejected::NotDrawn(minimum.witness)),
        None => Ok(()),
    }
}

fn check_signatures(
    certificate: &PresenceCertificate,
    tables: &Tables<'_>,
) -> Result<(), Rejected> {
    let claim = certificate.claim.id();
    let by_prover = PresenceCertificate::message(&claim, &certificate.transcript);
    let by_witness: Vec<[u8; 70]> = certificate
        .minima
        .iter()
        .map(|said| Minimum::message(&claim, &certificate.transcript, said.witness, said.rtt_us))
        .collect();
    let mut signed = vec![Signed {
        public: &certificate.claim.prover.0,
        domain: PresenceCertificate::DOMAIN,
        message: &by_prover,
        signature: &certificate.signature.0,
    }];
    signed.extend(certificate.minima.iter().zip(&by_witness).map(|(said, message)| Signed {
        public: &tables.witnesses[usize::from(said.witness)].key.0,
        domain: Minimum::DOMAIN,
        message,
        signature: &said.signature.0,
    }));
    let verdicts = verify_batch(&signed);
    if verdicts[0].is_err() {
        return Err(Rejected::Prover);
    }
    match verdicts[1..].iter().zip(certificate.minima.iter()).find(|(verdict, _)| verdict.is_err())
    {
        Some((_, said)) => Err(Rejected::Witness(said.witness)),
        None => Ok(()),
    }
}
