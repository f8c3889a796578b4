//! Committees on running chains: nodes ask for seats by themselves, and shards are told who was drawn for them.

use crate::support::{plan, run_dealt};
use api::{Backend as _, Wait};
use crypto::{SigningKey, VrfKey, VrfSuite};
use network::{Latency, signing_key};
use node::{
    Node,
    local::{deal_network, operator_key},
};
use presence::{Direction, Witness, land};
use std::{collections::BTreeMap, time::Duration};
use types::{
    Action, Address, Bytes, ChainId, Hash, Intent, List, NanoMeshx, Nonce, Place, PublicKey,
    Signature, Tx,
    codec::Read,
    committee::SeatsRecord,
    presence::{
        Claim, Minimum, PeriodRecord, PresenceCertificate, PresenceParams, WitnessEntry,
        WitnessList,
    },
    state::Key,
};

const SEED: [u8; 32] = [1; 32];
const PATIENCE: Duration = Duration::from_secs(120);

fn address(key: &SigningKey) -> Address {
    Address::of(&PublicKey(key.public()))
}

async fn record<T: Read<Cfg = ()>>(node: &Node, chain: ChainId, key: Key) -> Option<T> {
    node.host(chain)?.chain.record(key).await
}

/// The record, once it says what `is_due` asks for.
async fn until<T: Read<Cfg = ()>>(
    node: &Node,
    chain: ChainId,
    key: Key,
    is_due: impl Fn(&T) -> bool,
) -> T {
    let looking = async {
        loop {
            if let Some(found) = record(node, chain, key).await.filter(|found| is_due(found)) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking)
        .await
        .unwrap_or_else(|_| panic!("no {key:?} on {chain}"))
}

/// What witnesses make of the claim of `voting` to stand at `place`, where it does.
fn certificate(
    voting: &SigningKey,
    place: Place,
    period: &PeriodRecord,
    list: &WitnessList,
    keys: &BTreeMap<PublicKey, SigningKey>,
) -> PresenceCertificate {
    let lots = VrfKey::beside(voting);
    let claim = Claim {
        prover: PublicKey(voting.public()),
        place,
        continent: ChainId::Europe,
        attestation: Hash::ZERO,
        vrf_key: Hash(lots.public()),
        period: period.number,
    };
    let proof = lots.prove(VrfSuite::Ell2, &presence::alpha(&period.seed, &claim).0);
    let randomness = proof.claimed_output(VrfSuite::Ell2).0;
    let witness = |entry: &WitnessEntry| Witness {
        key: entry.key,
        place: entry.place,
        operator: entry.operator,
        network: entry.network,
    };
    let witnesses: Vec<Witness> = list.iter().map(witness).collect();
    let directions: Vec<Direction> =
        witnesses.iter().map(|witness| Direction::of_place(witness.place)).collect();
    let here = Direction::of_place(place);
    let params = PresenceParams::DEFAULT;
    let committee =
        presence::draw((&claim.prover, &here), &randomness, &witnesses, &directions, &params);
    let (id, transcript) = (claim.id(), Hash([5; 32]));
    let minima = committee.into_iter().filter_map(|witness| {
        let index = usize::from(witness);
        let rtt_us = here.km(&directions[index]) * 13 + 700;
        let message = Minimum::message(&id, &transcript, witness, rtt_us);
        // Who was certified meanwhile is silent.
        let secret = keys.get(&witnesses[index].key)?;
        let signature = Signature(secret.sign(Minimum::DOMAIN, &message));
        Some(Minimum { witness, rtt_us, signature })
    });
    let minima = List::new(minima.collect()).unwrap();
    let message = PresenceCertificate::message(&id, &transcript);
    PresenceCertificate {
        claim,
        draw: Bytes::new(proof.to_bytes().to_vec()).unwrap(),
        transcript,
        signature: Signature(voting.sign(PresenceCertificate::DOMAIN, &message)),
        minima,
    }
}

/// Send `action` on the backbone, and wait until it is final.
async fn send(node: &Node, key: &SigningKey, action: Action) {
    let chain = ChainId::Backbone;
    let nonce = Nonce::strict(node.account(chain, address(key)).await.unwrap().nonce);
    let intent = Intent { chain, nonce, tip: NanoMeshx::ZERO, fee_max: Tx::ANY_FEE, action };
    let network = node.network_keys().network();
    let sender = PublicKey(key.public());
    let tx = Tx::signed(&network, sender, intent, |domain, message| key.sign(domain, message));
    node.submit(tx, Wait::Final).await.unwrap();
}

#[test]
fn the_certified_are_drawn_for_their_shard_which_is_told() {
    let mut keys = BTreeMap::new();
    let mut entries = Vec::new();
    let europe = || land::cells().filter(|cell| cell.continent == ChainId::Europe).step_by(9);
    for (index, cell) in (0_u32..).zip(europe().chain(land::cells().step_by(150))) {
        let mut seed = [7; 32];
        seed[..4].copy_from_slice(&index.to_be_bytes());
        let secret = SigningKey::from_seed(&seed);
        let key = PublicKey(secret.public());
        let (operator, place) = (Address::of(&key), cell.place);
        entries.push(WitnessEntry { key, place, operator, network: index });
        keys.insert(key, secret);
    }
    let mut plan = plan(&[ChainId::Backbone, ChainId::Europe], 4, Latency::none());
    plan.same_validators = true;
    let money: NanoMeshx = "10".parse().unwrap();
    plan.accounts = (0..4).map(|n| (address(&operator_key(&SEED, n)), money)).collect();
    let mut dealt = deal_network(&SEED, &plan);
    dealt.chains[0].genesis.witnesses = List::new(entries).unwrap();
    let mut chain_keys = dealt.network_keys.chains.as_slice().to_vec();
    chain_keys[0].genesis = dealt.chains[0].genesis.id();
    dealt.network_keys.chains = List::new(chain_keys).unwrap();
    let voting: Vec<SigningKey> =
        dealt.chains[0].validators.iter().map(|validator| signing_key(&validator.key)).collect();

    run_dealt(dealt, &plan, |node| async move {
        let backbone = ChainId::Backbone;
        let has_seed = |period: &PeriodRecord| period.seed != Hash::ZERO;
        let period = until(&node, backbone, Key::Period, has_seed).await;
        let list: WitnessList = record(&node, backbone, Key::Witnesses).await.unwrap();
        let mut operators = Vec::new();
        for (n, key) in voting.iter().enumerate() {
            let operator = operator_key(&SEED, n);
            let place = "52.5,13.4".parse().unwrap();
            let certificate = certificate(key, place, &period, &list, &keys);
            send(&node, &operator, Action::Certify(certificate)).await;
            operators.push(address(&operator));
        }
        let view = node.presence(operators[0]).await.unwrap();
        assert!(view.certified, "{view:?}");

        // Drawn on the backbone, and then known on the shard.
        let key = Key::Seats(ChainId::Europe);
        let all = |seats: &SeatsRecord| seats.seats.len() == 4;
        let drawn = until::<SeatsRecord>(&node, backbone, key, all).await;
        let told = until(&node, ChainId::Europe, key, |s: &SeatsRecord| s.number >= drawn.number);
        let told: SeatsRecord = told.await;
        let mut sit: Vec<Address> = told.seats.iter().map(|seat| seat.operator).collect();
        sit.sort_unstable();
        operators.sort_unstable();
        assert_eq!(sit, operators);
        let view = node.presence(operators[0]).await.unwrap();
        let chains: Vec<ChainId> = view.seats.iter().map(|seat| seat.chain).collect();
        assert_eq!(chains, [ChainId::Backbone, ChainId::Europe]);
        let period = node.period().await.unwrap();
        assert!(period.witnesses.len() >= list.len());
    });
}
