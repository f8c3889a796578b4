//! Certificates: true ones, false ones, broken ones.

use crate::{
    naive,
    world::{Chance, World},
};
use presence::{PresenceCertificate, Rejected, Tier, land, verify};
use types::{ChainId, Hash, Place, codec::Encode as _};

const FRANKFURT: &str = "50.11,8.68";
const CHICAGO: &str = "41.88,-87.63";

fn at(text: &str) -> Place {
    text.parse().unwrap()
}

fn honest(world: &World, seed: u64) -> PresenceCertificate {
    let claim = (at(FRANKFURT), ChainId::Europe);
    world.certificate(claim.0, claim, &mut Chance(seed), |_, us| Some(us))
}

#[test]
fn who_stands_where_it_says_is_certified() {
    let world = World::new(300, 1);
    let verdict = verify(&honest(&world, 2), &world.params, &world.tables()).unwrap();
    assert_eq!(verdict.tier, Tier::Certified, "{verdict:?}");
    assert_eq!((verdict.drawn, verdict.measured), (96, 96));
    assert!(verdict.faster_than_light.is_empty());
}

#[test]
fn who_claims_another_continent_is_refused_with_the_land_it_could_stand_on() {
    let world = World::new(300, 1);
    let claim = (at(FRANKFURT), ChainId::Europe);
    let mut chance = Chance(3);
    let lie = world.certificate(at(CHICAGO), claim, &mut chance, |_, us| Some(us));
    let verdict = verify(&lie, &world.params, &world.tables()).unwrap();
    assert_eq!(verdict.tier, Tier::Unproven);
    let weakness = verdict.not_provisional.unwrap();
    assert_ne!(weakness.continent, ChainId::Europe);
    assert_eq!(weakness.refuted, 0, "{weakness:?}");
    assert!(weakness.able >= world.params.able_min);
}

#[test]
fn a_third_of_liars_does_not_carry_a_lie_and_does_not_stop_the_truth() {
    let world = World::new(300, 1);
    let claim = (at(FRANKFURT), ChainId::Europe);
    let mut chance = Chance(4);
    let here = presence::Direction::of_place(claim.0);
    for round in 0..20 {
        let lies = |witness: u16| (u64::from(witness) + round) % 3 == 0;
        let light = |witness: u16| world.directions[usize::from(witness)].km(&here) * 11;
        let lie = world.certificate(at(CHICAGO), claim, &mut chance, |witness, us| {
            Some(if lies(witness) { light(witness) } else { us })
        });
        let verdict = verify(&lie, &world.params, &world.tables()).unwrap();
        assert_eq!(verdict.tier, Tier::Unproven, "{verdict:?}");
        let truth = world.certificate(claim.0, claim, &mut chance, |witness, us| {
            if lies(witness) { None } else { Some(us) }
        });
        let verdict = verify(&truth, &world.params, &world.tables()).unwrap();
        assert_eq!(verdict.tier, Tier::Certified, "{verdict:?}");
    }
}

#[test]
fn a_witness_that_is_quicker_than_light_is_named_and_does_not_count() {
    let world = World::new(300, 1);
    let claim = (at(FRANKFURT), ChainId::Europe);
    let quick = world.certificate(at(CHICAGO), claim, &mut Chance(5), |_, _| Some(1));
    let verdict = verify(&quick, &world.params, &world.tables()).unwrap();
    assert_eq!(verdict.tier, Tier::Unproven);
    assert!(verdict.faster_than_light.len() > 80, "{verdict:?}");
}

#[test]
fn leaving_witnesses_out_never_helps() {
    let world = World::new(300, 1);
    let claim = (at(FRANKFURT), ChainId::Europe);
    let mut worst = Tier::Certified;
    for left in [96, 60, 40, 20, 0] {
        let mut seen = 0;
        let certificate = world.certificate(claim.0, claim, &mut Chance(6), |_, us| {
            seen += 1;
            if seen <= left { Some(us) } else { None }
        });
        let tier = verify(&certificate, &world.params, &world.tables()).unwrap().tier;
        assert!(tier <= worst, "{left} left: {tier:?}");
        worst = tier;
    }
    assert_eq!(worst, Tier::Unproven);
}

#[test]
fn what_was_not_signed_so_is_rejected() {
    let world = World::new(300, 1);
    let tables = world.tables();
    let good = honest(&world, 7);
    let rejected = |change: &dyn Fn(&mut PresenceCertificate)| {
        let mut certificate = good.clone();
        change(&mut certificate);
        verify(&certificate, &world.params, &tables).unwrap_err()
    };
    let first = good.minima.as_slice()[0];
    let place = at(FRANKFURT);
    type Change = fn(&mut PresenceCertificate);
    let changes: [(Rejected, Change); 8] = [
        (Rejected::Period { claimed: 5, now: 4 }, |c| c.claim.period = 5),
        (Rejected::Continent { claimed: ChainId::Asia, place, km: 500 }, |c| {
            c.claim.continent = ChainId::Asia;
        }),
        (Rejected::Draw, |c| c.claim.attestation = Hash([8; 32])),
        (Rejected::Draw, |c| c.draw = types::Bytes::default()),
        (Rejected::Prover, |c| c.transcript = Hash([8; 32])),
        (Rejected::Witness(first.witness), |c| c.minima.iter_mut().next().unwrap().rtt_us += 1),
        (Rejected::Order(first.witness), |c| {
            let mut minima = c.minima.clone().into_vec();
            minima.swap(0, 1);
            c.minima = types::List::new(minima).unwrap();
        }),
        (Rejected::NotDrawn(65_535), |c| c.minima.iter_mut().last().unwrap().witness = 65_535),
    ];
    for (wanted, change) in changes {
        assert_eq!(rejected(&change), wanted);
    }
    let twice = |c: &mut PresenceCertificate| {
        c.minima.iter_mut().nth(1).unwrap().witness = first.witness;
    };
    assert_eq!(rejected(&twice), Rejected::Order(first.witness));
    // Eleven metres further on, the same witnesses are drawn; the prover signed another claim.
    assert_eq!(rejected(&|c| c.claim.place = at("50.1101,8.68")), Rejected::Prover);
}

/// The same verdict and gas as the second implementation's, for honest ones, lies and broken ones. `cargo test --release`
/// does it for as many as `MESHX_CERTIFICATES` says; 1,000 are the figure in docs/presence.md.
#[test]
fn a_second_implementation_agrees() {
    let count = std::env::var("MESHX_CERTIFICATES").ok().and_then(|count| count.parse().ok());
    let count: u64 = count.unwrap_or(24);
    let world = World::new(200, 11);
    let tables = world.tables();
    let cells: Vec<_> = land::cells().collect();
    let mut tiers = std::collections::BTreeMap::new();
    let mut digest = Vec::new();
    let mut chance = Chance(12);
    for round in 0..count {
        let mut pick = || cells[usize::try_from(chance.next()).unwrap() % cells.len()];
        let european = std::iter::repeat_with(&mut pick)
            .find(|cell| cell.continent == ChainId::Europe)
            .unwrap();
        let other = pick();
        let claim = (european.place, ChainId::Europe);
        let stands = if round % 3 == 2 { other.place } else { european.place };
        let lying = round % 4;
        let mut certificate =
            world.certificate(stands, claim, &mut Chance(round), |witness, us| {
                match u64::from(witness) % 12 < 2 * lying {
                    true => None,
                    // A third of the claims have better lines than their neighbours.
                    false => Some(us + u32::try_from(round % 5).unwrap() * 1_500),
                }
            });
        if round % 10 == 9 {
            certificate.minima.iter_mut().last().unwrap().rtt_us ^= 1;
        }
        let first = verify(&certificate, &world.params, &tables).ok();
        let first = first.map(|verdict| (verdict.tier, verdict.gas));
        assert_eq!(first, naive::verdict(&certificate, &world.params, &tables), "round {round}");
        *tiers.entry(first.map(|(tier, _)| tier)).or_insert(0) += 1;
        digest.extend(format!("{first:?}").into_bytes());
        digest.extend(certificate.encode());
    }
    println!("{count} certificates: {tiers:?}, blake3 {}", blake3::hash(&digest));
    assert!(tiers.len() >= 3, "each kind was there: {tiers:?}");
}
