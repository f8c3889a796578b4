//! Attestation in blocks: what is recorded, and every refusal.
//!
//! The evidence is PSA tokens signed here: a format with a platform id and a listed key, so that all rules can be
//! shown without hardware.

use crate::{gas, memory::Memory};
use attestation::{Collateral, Evidence, Statement, UnixSeconds, evidence_hash};
use chain::{Applied, BlockContext, Mode, Proposal, apply_block, check_tx, local_params};
use ciborium::{Value, value::Integer};
use crypto::SigningKey;
use futures::executor::block_on;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use types::{
    Action, Address, Beacon, Bytes, ChainId, Hash, Height, Intent, List, Millis, NanoMeshx, Nonce,
    Params, PublicKey, Schedule, Term, Tx,
    attest::{AttestParams, Attestation, AttestationRecord, Challenges, Class, Listed, Technology},
    codec::{DecodeExt, Encode as _, Read},
    network::{Genesis, GenesisAccount},
    state::Key,
};

const NETWORK: Hash = Hash([42; 32]);
const EPOCH: u64 = 4;
/// The blocks' time: a fixed second, 500 ms further with every block.
const START_MS: u64 = 1_790_000_000_000;

fn spend(n: u8) -> SigningKey {
    SigningKey::from_seed(&[n; 32])
}

fn who(n: u8) -> Address {
    Address::of(&PublicKey(spend(n).public()))
}

/// A device whose maker signs PSA tokens.
struct Device {
    key: EcdsaKeyPair,
    instance: u8,
}

impl Device {
    fn new(instance: u8) -> Self {
        let random = SystemRandom::new();
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let key =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random);
        Self { key: key.expect("a key"), instance }
    }

    fn spki(&self) -> Vec<u8> {
        let prefix = hex::decode("3059301306072a8648ce3d020106082a8648ce3d030107034200").unwrap();
        [prefix, self.key.public_key().as_ref().to_vec()].concat()
    }

    /// A token that says it runs `software` in life cycle `state`, in answer to `challenge`.
    fn token(&self, challenge: &[u8], software: u8, state: u64) -> Vec<u8> {
        let int = |number: i64| Value::Integer(Integer::from(number));
        let component = Value::Map(vec![
            (int(2), Value::Bytes(vec![software; 32])),
            (int(5), Value::Bytes(vec![1; 32])),
        ]);
        let claims = Value::Map(vec![
            (int(265), Value::Text("http://arm.com/psa/2.0.0".into())),
            (int(2394), int(1)),
            (int(2395), Value::Integer(state.into())),
            (int(2396), Value::Bytes(vec![3; 32])),
            (int(2399), Value::Array(vec![component])),
            (int(10), Value::Bytes(challenge.to_vec())),
            (int(256), Value::Bytes([vec![1], vec![self.instance; 32]].concat())),
        ]);
        let protected = cbor(&Value::Map(vec![(int(1), int(-7))]));
        let payload = cbor(&claims);
        let signed = cbor(&Value::Array(vec![
            Value::Text("Signature1".into()),
            Value::Bytes(protected.clone()),
            Value::Bytes(vec![]),
            Value::Bytes(payload.clone()),
        ]));
        let signature = self.key.sign(&SystemRandom::new(), &signed).expect("signs");
        cbor(&Value::Tag(
            18,
            Box::new(Value::Array(vec![
                Value::Bytes(protected),
                Value::Map(vec![]),
                Value::Bytes(payload),
                Value::Bytes(signature.as_ref().to_vec()),
            ])),
        ))
    }
}

fn cbor(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

struct World {
    store: Memory,
    genesis: Genesis,
    height: u64,
}

impl World {
    fn new(attest: AttestParams) -> Self {
        let params = Params {
            epoch_blocks: EPOCH,
            attest,
            ..local_params(Hash([1; 32]), Hash([2; 32]), 500)
        };
        let account =
            |n| GenesisAccount { address: who(n), balance: NanoMeshx::new(1_000_000_000) };
        let genesis = Genesis {
            chain: ChainId::Europe,
            started: Millis::ZERO,
            validators: List::default(),
            sharing: types::codec::Bytes::default(),
            term_blocks: 7_200,
            params,
            accounts: List::new((0..4).map(account).collect()).unwrap(),
            workers: List::default(),
            stakes: List::default(),
            emission: Schedule { steps: List::default() },
            vesting: List::default(),
            witnesses: List::default(),
        };
        let mut world = Self { store: Memory::default(), genesis, height: 0 };
        world.await_next_challenge();
        world
    }

    fn get<T: Read<Cfg = ()>>(&self, key: Key) -> Option<T> {
        self.store.0.get(&key).map(|bytes| T::decode(bytes.clone()).unwrap())
    }

    fn challenges(&self) -> Challenges {
        self.get(Key::Challenges).unwrap_or_default()
    }

    fn record(&self, n: u8) -> Option<AttestationRecord> {
        self.get(Key::Attested(who(n)))
    }

    fn now(&self) -> u64 {
        START_MS + self.height * 500
    }

    fn apply(&mut self, txs: Vec<Tx>) -> Applied {
        let txs =
            txs.into_iter().map(|tx| check_tx(tx, &NETWORK, ChainId::Europe).unwrap()).collect();
        let waiting: types::state::Heights = self.get(Key::Queue).unwrap_or_default();
        let beacons = waiting
            .iter()
            .map(|height| Beacon {
                height: *height,
                term: Term::ZERO,
                view: height.get(),
                signature: types::codec::Bytes::new(height.encode().to_vec()).unwrap(),
            })
            .collect();
        self.height += 1;
        let context = BlockContext {
            network: NETWORK,
            chain: ChainId::Europe,
            height: Height::new(self.height),
            term: Term::ZERO,
            view: self.height,
            leader: PublicKey(spend(9).public()),
            timestamp: Millis::new(self.now()),
        };
        let proposal = Proposal { beacons, txs };
        let built =
            block_on(apply_block(&self.store, &self.genesis, &context, proposal, Mode::Build))
                .unwrap();
        let again = Proposal { beacons: built.beacons.clone(), txs: built.included.clone() };
        let checked =
            block_on(apply_block(&self.store, &self.genesis, &context, again, Mode::Check))
                .expect("what was built");
        assert_eq!(checked.writes, built.writes, "every validator comes to the same");
        assert_eq!(checked.gas, built.gas, "and by the same work");
        gas::check(&built);
        for (key, value) in &built.writes {
            match value {
                Some(bytes) => self.store.0.insert(*key, bytes.clone()),
                None => self.store.0.remove(key),
            };
        }
        built
    }

    fn await_next_challenge(&mut self) {
        let before = self.challenges().current;
        while self.challenges().current == before {
            self.apply(vec![]);
        }
    }

    /// What `n` would send: evidence of `device` for the newest challenge, changed by `change`.
    fn attestation(
        &self,
        n: u8,
        device: &Device,
        parent: Option<u8>,
        change: impl Fn(&mut Attestation),
    ) -> Attestation {
        let mut attestation = Attestation {
            evidence: Bytes::default(),
            collateral: Bytes::default(),
            code_hash: Hash([8; 32]),
            sealing_key: Bytes::default(),
            stated: self.now() / 1_000,
            challenge: self.challenges().current,
            parent: parent.map(who),
        };
        change(&mut attestation);
        let parent_hash = attestation
            .parent
            .and_then(|parent| self.get::<AttestationRecord>(Key::Attested(parent)))
            .map_or([0; 32], |record| record.evidence.0);
        let sealing = attestation.sealing_key.as_slice();
        let statement = Statement {
            code_hash: attestation.code_hash.0,
            node_key: spend(n).public(),
            sealing_key_hash: if sealing.is_empty() { [0; 32] } else { evidence_hash(sealing) },
            timestamp: UnixSeconds::new(attestation.stated),
            nonce: attestation.challenge.0,
            parent: parent_hash,
        };
        let token = device.token(&statement.challenge(Technology::ArmPsa), 7, 0x3000);
        let collateral = Collateral { platform_key: device.spki(), ..Collateral::default() };
        attestation.evidence = Bytes::new(Evidence::Psa { token }.to_bytes()).unwrap();
        attestation.collateral = Bytes::new(collateral.to_bytes()).unwrap();
        attestation
    }

    /// Send it; `Ok` if it was included, else the refusal's code.
    fn send(&mut self, n: u8, attestation: Attestation) -> Result<AttestationRecord, &'static str> {
        let account: Option<types::state::Account> = self.get(Key::Account(who(n)));
        let intent = Intent {
            chain: ChainId::Europe,
            nonce: Nonce::strict(account.map_or(0, |account| account.nonce)),
            tip: NanoMeshx::ZERO,
            fee_max: Tx::ANY_FEE,
            action: Action::Attest(attestation),
        };
        let key = spend(n);
        let tx = Tx::signed(&NETWORK, PublicKey(key.public()), intent, |domain, message| {
            key.sign(domain, message)
        });
        let before = self.record(n);
        let applied = self.apply(vec![tx]);
        match applied.refused.first() {
            None => Ok(self.record(n).expect("it was recorded")),
            Some((_, refusal)) => {
                assert_eq!(self.record(n), before, "a refusal changes nothing");
                Err(refusal.code().as_str())
            }
        }
    }

    fn list(&mut self, entry: &Listed) {
        self.store.0.insert(Key::Listed(entry.id()), true.encode().to_vec());
    }
}

fn all_classes() -> AttestParams {
    AttestParams { classes: 0b1_1111, ..AttestParams::DEFAULT }
}

#[test]
fn what_a_machine_proves_is_recorded_and_renewed() {
    let mut world = World::new(all_classes());
    let device = Device::new(1);
    let first = world.attestation(0, &device, None, |_| {});
    let record = world.send(0, first.clone()).unwrap();
    assert_eq!((record.class, record.depth, record.parent), (Class::Simulated, 0, None));
    assert_eq!(record.evidence.0, evidence_hash(first.evidence.as_slice()));
    assert_eq!(record.until.get() / 1_000, world.now() / 1_000 + 86_400);
    // A second later, so that the renewal is later than what it renews.
    world.apply(vec![]);
    world.apply(vec![]);
    let renewal = world.attestation(0, &device, Some(0), |_| {});
    let renewed = world.send(0, renewal).unwrap();
    assert_eq!((renewed.depth, renewed.parent), (1, Some(record.evidence)));
}

#[test]
fn a_chain_of_eight_is_full() {
    let mut world = World::new(all_classes());
    let device = Device::new(1);
    let root = world.attestation(0, &device, None, |_| {});
    world.send(0, root).unwrap();
    for depth in 1..8 {
        world.apply(vec![]);
        world.apply(vec![]);
        let next = world.attestation(0, &device, Some(0), |_| {});
        assert_eq!(world.send(0, next).unwrap().depth, depth);
    }
    world.apply(vec![]);
    world.apply(vec![]);
    let ninth = world.attestation(0, &device, Some(0), |_| {});
    assert_eq!(world.send(0, ninth), Err("too_deep"));
}

#[test]
fn every_refusal_has_its_code() {
    let mut world = World::new(all_classes());
    let device = Device::new(1);
    let stale = world.attestation(0, &device, None, |_| {});
    world.await_next_challenge();
    let late = world.attestation(0, &device, None, |_| {});
    world.await_next_challenge();
    assert_eq!(world.send(0, stale), Err("stale_challenge"));
    let none = world.attestation(0, &device, None, |a| a.challenge = Hash::ZERO);
    assert_eq!(world.send(0, none), Err("stale_challenge"));
    assert!(world.send(0, late).is_ok(), "the challenge before the newest still counts");

    let future = world.attestation(1, &device, None, |a| a.stated += 3_600);
    assert_eq!(world.send(1, future), Err("from_the_future"));
    let orphan = world.attestation(1, &device, Some(2), |_| {});
    assert_eq!(world.send(1, orphan), Err("no_parent"));
    let early = world.attestation(1, &Device::new(2), Some(0), |a| a.stated -= 3_600);
    assert_eq!(world.send(1, early), Err("not_later"));
    // Another's evidence: it is bound to the key that signs the transaction.
    let theirs = world.attestation(0, &device, None, |_| {});
    assert_eq!(world.send(1, theirs), Err("not_attested"));
    // A statement changed after the evidence was made.
    for change in [
        (|a: &mut Attestation| a.code_hash = Hash([9; 32])) as fn(&mut Attestation),
        |a| a.stated -= 1,
        |a| a.sealing_key = sealing_key(2),
        |a| a.evidence = Bytes::new(vec![0; 100]).unwrap(),
        |a| a.collateral = Bytes::default(),
    ] {
        let mut changed = world.attestation(1, &device, None, |_| {});
        change(&mut changed);
        assert_eq!(world.send(1, changed), Err("not_attested"));
    }
}

fn sealing_key(seed: u8) -> Bytes<{ types::attest::SEALING_KEY_BYTES }> {
    Bytes::new(crypto::SealingKey::from_seed(&[seed; 32]).public().to_bytes()).unwrap()
}

#[test]
fn a_sealing_key_is_recorded_and_one_nobody_can_seal_to_is_refused() {
    let mut world = World::new(all_classes());
    let device = Device::new(1);
    let sealed = world.attestation(0, &device, None, |a| a.sealing_key = sealing_key(1));
    assert_eq!(world.send(0, sealed).unwrap().sealing_key, sealing_key(1));
    // Bound in the evidence all the same, but no ML-KEM key: each of its numbers is above the modulus.
    let unreduced = Bytes::new(vec![0xff; 1_216]).unwrap();
    let no_key = world.attestation(1, &Device::new(2), None, |a| a.sealing_key = unreduced.clone());
    assert_eq!(world.send(1, no_key), Err("not_attested"));
    let short = world.attestation(1, &Device::new(2), None, |a| {
        a.sealing_key = Bytes::new(sealing_key(1).as_slice()[1..].to_vec()).unwrap();
    });
    assert_eq!(world.send(1, short), Err("not_attested"));
}

#[test]
fn a_platform_stands_behind_one_account() {
    let mut world = World::new(AttestParams { lasts_ms: Millis::new(10_000), ..all_classes() });
    let device = Device::new(1);
    let mine = world.attestation(0, &device, None, |_| {});
    world.send(0, mine).unwrap();
    let second = world.attestation(1, &device, None, |_| {});
    assert_eq!(world.send(1, second), Err("platform_taken"));
    // Another platform is free; and so is this one, once its account's attestation has ended.
    let other = world.attestation(1, &Device::new(2), None, |_| {});
    world.send(1, other).unwrap();
    while world.record(0).unwrap().until.get() >= world.now() {
        world.apply(vec![]);
    }
    let again = world.attestation(2, &device, None, |_| {});
    world.send(2, again).unwrap();
    // Who moves to another platform leaves the old one free.
    let moved = world.attestation(2, &Device::new(3), None, |_| {});
    world.send(2, moved).unwrap();
    let taken_over = world.attestation(3, &device, None, |_| {});
    assert!(world.send(3, taken_over).is_ok());
}

#[test]
fn a_listed_key_makes_hardware_and_a_list_of_code_is_obeyed() {
    let device = Device::new(1);
    let key = Hash(evidence_hash(&device.spki()));
    let listed_key = Listed::PlatformKey { technology: Technology::ArmPsa, key };
    // Only hardware counts here.
    let mut world = World::new(AttestParams { listed_only: 1, ..AttestParams::DEFAULT });
    let unlisted = world.attestation(0, &device, None, |_| {});
    assert_eq!(world.send(0, unlisted), Err("not_attested"), "a key of nobody is simulated");
    world.list(&listed_key);
    let unknown_code = world.attestation(0, &device, None, |_| {});
    assert_eq!(world.send(0, unknown_code), Err("not_listed"));
    let text = format!("{}\n{}\n", hex::encode([7; 32]), hex::encode([1; 32]));
    let measurement = Bytes::new(evidence_hash(text.as_bytes()).to_vec()).unwrap();
    world.list(&Listed::Measurement { technology: Technology::ArmPsa, measurement });
    let listed = world.attestation(0, &device, None, |_| {});
    assert_eq!(world.send(0, listed).unwrap().class, Class::DeviceBoundKey);
    // A key that is listed for one technology is not for another.
    let other = Listed::PlatformKey { technology: Technology::ArmCca, key };
    assert_ne!(other.id(), listed_key.id());
}

#[test]
fn the_weakest_link_counts() {
    let mut world = World::new(all_classes());
    let (simulated, hardware) = (Device::new(1), Device::new(2));
    let key = Hash(evidence_hash(&hardware.spki()));
    world.list(&Listed::PlatformKey { technology: Technology::ArmPsa, key });
    let root = world.attestation(0, &simulated, None, |_| {});
    assert_eq!(world.send(0, root).unwrap().class, Class::Simulated);
    world.apply(vec![]);
    world.apply(vec![]);
    let child = world.attestation(1, &hardware, Some(0), |_| {});
    assert_eq!(world.send(1, child).unwrap().class, Class::Simulated);
    let alone = world.attestation(1, &hardware, None, |_| {});
    assert_eq!(world.send(1, alone).unwrap().class, Class::DeviceBoundKey);
}
