//! The verdict a second time, as the words of DESIGN §4 have it: cell by cell, witness by witness, signature by signature, in
//! wide integers. It shares the map, directions and the table of cosines with the first, and nothing else.

use crypto::{VrfProof, VrfPublicKey, VrfSuite, verify};
use presence::{
    Direction, Minimum, PresenceCertificate, PresenceParams, Tables, Tier, alpha, cosine_of_km,
    land,
};
use std::collections::BTreeMap;
use types::{Hash, domain_hash};

/// Tier and gas, or nothing for a certificate that is none.
pub fn verdict(
    certificate: &PresenceCertificate,
    params: &PresenceParams,
    tables: &Tables<'_>,
) -> Option<(Tier, u64)> {
    let claim = &certificate.claim;
    let here = Direction::of_place(claim.place);
    let near_enough = land::continents_near(claim.place, u32::from(params.border_km))
        .into_iter()
        .any(|(continent, _)| continent == claim.continent);
    if claim.period != tables.period || !near_enough {
        return None;
    }
    let key = VrfPublicKey::new(claim.vrf_key.0).ok()?;
    let proof = VrfProof::from_bytes(certificate.draw.as_slice().try_into().ok()?).ok()?;
    let output = key.verify(VrfSuite::Ell2, &alpha(&tables.seed, claim).0, &proof).ok()?;
    let committee = committee(certificate, &output.0, params, tables);

    let message = PresenceCertificate::message(&claim.id(), &certificate.transcript);
    let signature = &certificate.signature.0;
    verify(&claim.prover.0, PresenceCertificate::DOMAIN, &message, signature).ok()?;
    let mut measured = BTreeMap::new();
    let mut last = None;
    for said in certificate.minima.iter() {
        let Minimum { witness, rtt_us, signature } = said;
        let message = Minimum::message(&claim.id(), &certificate.transcript, *witness, *rtt_us);
        if last >= Some(*witness) || !committee.contains(witness) {
            return None;
        }
        last = Some(*witness);
        let key = &tables.witnesses[usize::from(*witness)].key.0;
        verify(key, Minimum::DOMAIN, &message, &signature.0).ok()?;
        measured.insert(*witness, *rtt_us);
    }

    let light = |at: &Direction, us: u32| {
        let light = u64::from(us) * u64::from(params.strict_m_per_ms);
        u64::from(at.km(&here)) <= light.div_ceil(1_000_000)
    };
    let neighbours = neighbours(tables, &here, &claim.prover.0);
    let mut pairs = 0;
    let mut beyond_chance = true;
    let [strict, provisional] = [params.strict_m_per_ms, params.usual_m_per_ms].map(|speed| {
        let limit = |us: u32| {
            let reach = (u64::from(us) * u64::from(speed)).div_ceil(1_000_000);
            cosine(reach + u64::from(land::CELL_RADIUS_KM))
        };
        let witnesses: Vec<(Direction, i128, Option<i128>)> = committee
            .iter()
            .map(|index| {
                let at = Direction::of_place(tables.witnesses[usize::from(*index)].place);
                let able = expected(tables, &neighbours, usize::from(*index));
                let said = measured.get(index).filter(|us| light(&at, **us));
                (at, limit(able), said.map(|us| limit(*us)))
            })
            .collect();
        pairs = 0;
        let mut fits = true;
        for cell in land::cells() {
            if cell.continent == claim.continent
                || dot(&cell.direction, &here) >= cosine(params.far_km.into())
            {
                continue;
            }
            let (mut able, mut refuted) = (0_u64, 0_u64);
            for (at, expected, measured) in &witnesses {
                pairs += 1;
                let cosine = dot(at, &cell.direction);
                if cosine < *expected {
                    able += 1;
                    refuted += u64::from(measured.is_some_and(|limit| cosine < limit));
                }
            }
            fits &= able >= params.able_min.into()
                && refuted * 10_000 >= able * u64::from(params.refuted_bps);
            if speed == params.usual_m_per_ms {
                beyond_chance &= refuted >= least(able);
            }
        }
        fits
    });
    let tier = match (strict && provisional && beyond_chance, provisional) {
        (true, _) => Tier::Certified,
        (false, true) => Tier::Provisional,
        (false, false) => Tier::Unproven,
    };
    let signatures = 1 + certificate.minima.len() as u64;
    Some((tier, 40_000 + 18_000 * signatures + 250 * tables.witnesses.len() as u64 + pairs))
}

/// Least number that is, less a half, above a third of `able` by the root of five times two ninths of `able`.
fn least(able: u64) -> u64 {
    let root = (0..).find(|root| root * root >= 40 * able).unwrap();
    (2 * able + 3 + root).div_ceil(6)
}

fn dot(a: &Direction, b: &Direction) -> i128 {
    a.0.iter().zip(&b.0).map(|(a, b)| i128::from(*a) * i128::from(*b)).sum()
}

fn cosine(km: u64) -> i128 {
    i128::from(cosine_of_km(u32::try_from(km).unwrap_or(u32::MAX)))
}

/// The seven nodes nearest to the claim.
fn neighbours(tables: &Tables<'_>, here: &Direction, prover: &[u8; 32]) -> Vec<usize> {
    let mut nodes: Vec<usize> = (0..tables.witnesses.len())
        .filter(|node| tables.witnesses[*node].key.0 != *prover)
        .collect();
    nodes.sort_by_cached_key(|node| {
        (-dot(&Direction::of_place(tables.witnesses[*node].place), here), *node)
    });
    nodes.truncate(7);
    nodes
}

/// Of what the neighbours measured to the witness the third, a fifth and 2 ms more.
fn expected(tables: &Tables<'_>, neighbours: &[usize], witness: usize) -> u32 {
    let mut times: Vec<u32> = neighbours
        .iter()
        .filter_map(|node| {
            if *node == witness { Some(500) } else { tables.reference.rtt_us(*node, witness) }
        })
        .collect();
    times.sort_unstable();
    times[2] * 120 / 100 + 2_000
}

fn committee(
    certificate: &PresenceCertificate,
    randomness: &[u8],
    params: &PresenceParams,
    tables: &Tables<'_>,
) -> Vec<u16> {
    let here = Direction::of_place(certificate.claim.place);
    let ticket = |index: &u16| -> Hash {
        let key = &tables.witnesses[usize::from(*index)].key;
        domain_hash("meshx/presence/draw/v1", &[randomness, &key.0])
    };
    let mut all: Vec<u16> = (0..u16::try_from(tables.witnesses.len()).unwrap()).collect();
    all.retain(|index| tables.witnesses[usize::from(*index)].key != certificate.claim.prover);
    all.sort_by_cached_key(|index| {
        (-dot(&Direction::of_place(tables.witnesses[usize::from(*index)].place), &here), *index)
    });
    let mut near = all[..all.len().min(params.pool.into())].to_vec();
    near.sort_by_key(ticket);
    near.truncate(params.witnesses_near.into());
    let mut others: Vec<u16> = all.into_iter().filter(|index| !near.contains(index)).collect();
    others.sort_by_key(ticket);
    others.truncate(params.witnesses_anywhere.into());
    near.extend(others);
    near.sort_unstable();
    near
}
