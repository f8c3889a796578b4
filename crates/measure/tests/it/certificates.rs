//! Claims measured over wires, and what `presence` makes of the certificates.

use crate::world::{
    ATTEND, Claimant, EUROPE, PROVE, Reports, World, direction, home, key, measure_from, way_us,
};
use measure::{Attendant, NotProved, Proved, attend, prove, seat};
use presence::{Tier, verify};
use std::{collections::BTreeMap, net::SocketAddr};
use tokio::net::UdpSocket;
use types::{ChainId, PublicKey, presence::Claim};

const FRANKFURT: &str = "50.10,8.60";
const NEW_YORK: &str = "40.71,-74.01";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_minimum_is_below_the_wire_and_nearer_is_sooner() {
    let places = [
        "50.11,8.68",
        "52.52,13.41",
        "38.72,-9.14",
        "40.71,-74.01",
        "34.05,-118.24",
        "35.68,139.69",
        "-33.87,151.21",
        "1.35,103.82",
        "-23.55,-46.63",
        "-26.20,28.05",
        "19.08,72.88",
        "30.04,31.24",
    ];
    let world = World::new(&places);
    let claimant = Claimant::new(&world, FRANKFURT, ChainId::Europe);
    let (proved, reports) = measure_from(&world, &claimant, FRANKFURT).await;
    let Proved { certificate, silent } = proved.unwrap();
    assert!(silent.is_empty(), "{silent:?}");
    assert_eq!(certificate.minima.len(), 12);
    let here = direction(FRANKFURT);
    let way = |index: u16| way_us(&here, &world.reference.directions()[usize::from(index)]);
    let reports = reports.lock().unwrap();
    for minimum in certificate.minima.iter() {
        let attended = reports[&minimum.witness].as_ref().unwrap();
        assert_eq!(attended.minimum, *minimum);
        assert_eq!(attended.samples_us.iter().min(), Some(&minimum.rtt_us));
        assert!(attended.samples_us.iter().all(|us| *us >= way(minimum.witness)), "{attended:?}");
    }
    let mut by_way: Vec<_> = certificate.minima.iter().collect();
    by_way.sort_by_key(|minimum| way(minimum.witness));
    for (at, minimum) in by_way.iter().enumerate() {
        // Of ways that differ by more than what a busy machine adds to the quickest of eight.
        let nearer = by_way[..at].iter();
        let nearer = nearer.filter(|other| way(other.witness) + 30_000 < way(minimum.witness));
        assert!(nearer.clone().all(|other| other.rtt_us < minimum.rtt_us), "{by_way:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_honest_claim_is_certified() {
    let world = World::new(&EUROPE);
    let claimant = Claimant::new(&world, FRANKFURT, ChainId::Europe);
    let (proved, _) = measure_from(&world, &claimant, FRANKFURT).await;
    let Proved { certificate, silent } = proved.unwrap();
    assert!(silent.is_empty(), "{silent:?}");
    let verdict = verify(&certificate, &world.params, &world.tables()).unwrap();
    assert_eq!(verdict.tier, Tier::Certified, "{verdict:?}");
    assert_eq!((verdict.drawn, verdict.measured), (40, 40));
    assert!(verdict.faster_than_light.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_from_another_continent_is_not() {
    let world = World::new(&EUROPE);
    let claimant = Claimant::new(&world, FRANKFURT, ChainId::Europe);
    let (proved, _) = measure_from(&world, &claimant, NEW_YORK).await;
    let verdict = verify(&proved.unwrap().certificate, &world.params, &world.tables()).unwrap();
    assert_eq!(verdict.tier, Tier::Unproven, "{verdict:?}");
    let weakness = verdict.not_certified.unwrap();
    assert!(weakness.continent != ChainId::Europe && weakness.able >= 9, "{weakness:?}");
    assert_eq!(weakness.refuted, 0, "nobody was near enough to say no");
}

/// Without a wire: the prover says nothing of where it is, and the witness sees it.
#[tokio::test]
async fn a_prover_behind_a_firewall_opens_it() {
    let world = World::new(&EUROPE[..3]);
    let claimant = Claimant::new(&world, FRANKFURT, ChainId::Europe);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let request = claimant.request(&world, None);
    let peer = claimant.claim.prover;
    let connect = |index: u16, witness: PublicKey| {
        let (near, far) = tokio::io::duplex(1_024);
        let world = world.clone();
        tokio::spawn(async move {
            let own = key(usize::from(index));
            let bind = SocketAddr::new(home(index), 0);
            let attendant = Attendant { key: &own, bind, reached_at: Some(home(index)) };
            let admit = |claim: &Claim, draw: &_| {
                seat(claim, draw, &witness, &world.params, &world.tables())
            };
            attend(far, &peer, &attendant, admit, &ATTEND).await.unwrap();
        });
        async move { Ok(near) }
    };
    let proved = prove(request, &claimant.key, socket, connect, &PROVE).await.unwrap();
    assert_eq!(proved.certificate.minima.len(), 3, "{:?}", proved.silent);
}

#[tokio::test]
async fn a_witness_measures_only_whom_it_was_drawn_for() {
    let world = World::new(&EUROPE[..3]);
    let mut claimant = Claimant::new(&world, FRANKFURT, ChainId::Europe);
    let honest = claimant.request(&world, None);
    // A draw that is another claim's.
    claimant.claim.attestation.0[0] ^= 1;
    let request = measure::Request { claim: claimant.claim.clone(), ..honest };
    let reports = Reports::default();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let connect = |index, _| {
        let near = crate::world::honest(&world, index, claimant.claim.prover, ATTEND, &reports);
        async move { Ok(near) }
    };
    let proved = prove(request, &claimant.key, socket, connect, &PROVE).await;
    let Err(NotProved::Nobody { silent }) = proved else { panic!("{proved:?}") };
    let shown: BTreeMap<u16, String> =
        silent.into_iter().map(|(index, why)| (index, why.to_string())).collect();
    assert_eq!(shown.len(), 3);
    for why in shown.values() {
        assert_eq!(why, "refused: the claim's witnesses were not drawn with its VRF key");
    }
}
