//! Arm CCA: real tokens of models, and tokens made here.

use attestation::{Binding, Claims, Class, Evidence, Reject, Technology, TrustRoots};
use ciborium::Value;
use ring::digest::{self, SHA256, SHA384, SHA512, digest};

use crate::{
    cases::{Case, blocks, cases, flips, refuses_garbage, refuses_other_lengths, under_key},
    cose::{self, Key, Map},
};

fn evidence(token: &[u8]) -> Evidence {
    Evidence::Cca { token: token.to_vec() }
}

fn verify(token: &[u8], platform_key: &[u8]) -> Result<Claims, Reject> {
    under_key(&evidence(token), &TrustRoots::Vendors, platform_key, &Binding::Unchecked)
}

fn platform_key(case: &Case) -> Vec<u8> {
    blocks(&case.param_file("cpak")).remove(0)
}

fn code(result: &Result<Claims, Reject>) -> &'static str {
    result.as_ref().map_or_else(Reject::code, |_| "accept")
}

#[test]
fn cases_have_their_verdicts_and_claims() {
    for case in cases("arm-cca") {
        let (token, key) = (case.input("token"), platform_key(&case));
        let result = verify(&token, &key);
        if !case.accepted() {
            assert_eq!(code(&result), case.verdict().trim_start_matches("reject:"), "{}", case.id);
            continue;
        }
        let claims = result.expect(&case.id);
        case.assert_claims(&claims);
        assert_eq!(claims.class(), Class::Simulated, "no vendor's root is in a token");
        assert_eq!(case.refuses("time+20y"), Some(false), "tokens know no time");
        assert_eq!(claims.validity(), attestation::Validity::ALWAYS);
        assert_eq!(case.refuses("wrong_root"), Some(true));
        for other in [Key::p256(), Key::p384()] {
            assert_eq!(code(&verify(&token, &other.spki())), "signature", "{}", case.id);
        }
        assert_eq!(code(&verify(&token, &[])), "missing");
        let bind = |challenge: &[u8]| Binding::Challenge(challenge.to_vec());
        let bound = |challenge: &[u8]| {
            under_key(&evidence(&token), &TrustRoots::Vendors, &key, &bind(challenge))
                .map(|it| it.is_bound())
        };
        assert_eq!(bound(claims.binding()), Ok(true));
        assert_eq!(bound(&[0, 0xff]), Err(Reject::WrongChallenge));
    }
}

#[test]
fn damaged_cases_are_refused() {
    for case in cases("arm-cca").iter().filter(|case| case.accepted()) {
        let (token, key) = (case.input("token"), platform_key(case));
        let judge = |bytes: &[u8]| verify(bytes, &key);
        refuses_other_lengths(&token, judge);
        refuses_garbage(&token, judge);
        assert_eq!(flips(&token, judge), [0; 0], "{}: no byte is free", case.id);
    }
}

/// What a token is made of; tests change one part.
struct Parts {
    platform_key: Key,
    realm_key: Key,
    platform: Map,
    realm: Map,
}

/// The older profile, where the realm's key is a bare point.
fn parts() -> Parts {
    let (platform_key, realm_key) = (Key::p384(), Key::p384());
    let point = realm_key.point();
    let platform = Map::of(&[
        (10, hash(&SHA256, &point)),
        (256, Value::Bytes([&[1][..], &[7; 32]].concat())),
        (265, Value::Text("http://arm.com/CCA-SSD/1.0.0".into())),
        (2395, Value::from(0x3003)),
        (2396, Value::Bytes(vec![8; 32])),
        (2399, Value::Array(Vec::new())),
        (2401, Value::Bytes(vec![9; 4])),
        (2402, Value::Text("sha-256".into())),
    ]);
    let realm = Map::of(&[
        (10, Value::Bytes(vec![1; 64])),
        (44235, Value::Bytes(vec![2; 64])),
        (44236, Value::Text("sha-256".into())),
        (44237, Value::Bytes(point)),
        (44238, Value::Bytes(vec![3; 32])),
        (44239, Value::Array((4..8).map(|byte| Value::Bytes(vec![byte; 32])).collect())),
        (44240, Value::Text("sha-256".into())),
    ]);
    Parts { platform_key, realm_key, platform, realm }
}

impl Parts {
    fn tokens(&self) -> (Vec<u8>, Vec<u8>) {
        (self.platform_key.sign1(&self.platform.bytes()), self.realm_key.sign1(&self.realm.bytes()))
    }

    fn token(&self) -> Vec<u8> {
        let (platform, realm) = self.tokens();
        cose::bytes(&Value::Tag(399, Box::new(collection(platform, realm).value())))
    }

    fn verify(&self) -> Result<Claims, Reject> {
        verify(&self.token(), &self.platform_key.spki())
    }

    fn with_platform(mut self, change: impl FnOnce(Map) -> Map) -> Self {
        self.platform = change(self.platform);
        self
    }

    fn with_realm(mut self, change: impl FnOnce(Map) -> Map) -> Self {
        self.realm = change(self.realm);
        self
    }
}

fn collection(platform: Vec<u8>, realm: Vec<u8>) -> Map {
    Map::of(&[(44234, Value::Bytes(platform)), (44241, Value::Bytes(realm))])
}

fn hash(algorithm: &'static digest::Algorithm, bytes: &[u8]) -> Value {
    Value::Bytes(digest(algorithm, bytes).as_ref().to_vec())
}

/// The newer profile: the realm's key is a COSE key, and the realm names its profile.
fn newer() -> Parts {
    let parts = parts();
    let point = parts.realm_key.point();
    let key = cose_key(&point);
    parts
        .with_platform(|map| {
            map.with(265, "tag:arm.com,2023:cca_platform#1.0.0").with(10, hash(&SHA512, &key))
        })
        .with_realm(|map| {
            map.with(265, "tag:arm.com,2023:realm#1.0.0").with(44237, key).with(44240, "sha-512")
        })
}

fn cose_key(point: &[u8]) -> Vec<u8> {
    let entries = [
        (1, Value::from(2)),
        (-1, Value::from(2)),
        (-2, Value::Bytes(point[1..49].to_vec())),
        (-3, Value::Bytes(point[49..].to_vec())),
    ];
    Map::of(&entries).bytes()
}

/// The newer form of the collection: tag 907, and each token beside its media type.
fn typed(parts: &Parts, media_type: i64) -> Vec<u8> {
    let (platform, realm) = parts.tokens();
    let entry = |token| Value::Array(vec![Value::from(media_type), Value::Bytes(token)]);
    let map = Map::of(&[(44234, entry(platform)), (44241, entry(realm))]);
    cose::bytes(&Value::Tag(907, Box::new(map.value())))
}

#[test]
fn both_profiles_and_both_collections_are_read() {
    let (old, new) = (parts(), newer());
    let claims = old.verify().expect("the older profile");
    assert_eq!(claims.binding(), [1; 64]);
    assert!(!claims.platform().is_empty());
    new.verify().expect("the newer profile");
    for parts in [&old, &new] {
        let key = parts.platform_key.spki();
        let collected = verify(&typed(parts, 263), &key).expect("a typed collection");
        assert_eq!(Ok(collected), parts.verify());
        assert_eq!(code(&verify(&typed(parts, 601), &key)), "malformed", "an unsigned token");
    }
}

#[test]
fn bare_and_tagged_tokens_are_read() {
    let parts = parts();
    let bare =
        |key: &Key, map: &Map| cose::bytes(&key.parts(&cose::header(key.algorithm), &map.bytes()));
    let (platform, realm) =
        (bare(&parts.platform_key, &parts.platform), bare(&parts.realm_key, &parts.realm));
    let token = cose::bytes(&Value::Tag(399, Box::new(collection(platform, realm).value())));
    assert_eq!(verify(&token, &parts.platform_key.spki()), parts.verify());
}

#[test]
fn only_an_endorsed_key_makes_hardware() {
    let parts = parts();
    let spki = parts.platform_key.spki();
    let class = |technology, key: &[u8]| {
        let key = digest(&SHA256, key).as_ref().try_into().expect("32 bytes");
        let trust_roots = TrustRoots::VendorsAnd { technology, key };
        under_key(&evidence(&parts.token()), &trust_roots, &spki, &Binding::Unchecked)
            .expect("a token")
            .class()
    };
    assert_eq!(class(Technology::ArmCca, &spki), Class::ConfidentialVm);
    assert_eq!(class(Technology::ArmPsa, &spki), Class::Simulated);
    assert_eq!(class(Technology::ArmCca, &Key::p384().spki()), Class::Simulated);
}

#[test]
fn realms_are_closed_in_two_states_of_the_life_cycle() {
    let state = |state: u64| code(&parts().with_platform(|map| map.with(2395, state)).verify());
    for closed in [0x3000, 0x30ff, 0x4000, 0x40ff] {
        assert_eq!(state(closed), "accept", "{closed:#x}");
    }
    for open in [0, 0x1000, 0x2000, 0x2fff, 0x3100, 0x5000, 0x6000, 0x7000, 0xffff] {
        assert_eq!(state(open), "mismatch", "{open:#x}");
    }
    for none in [0x1_3000, u64::MAX] {
        assert_eq!(state(none), "malformed", "{none:#x}");
    }
}

#[test]
fn the_platform_must_vouch_for_the_realms_key() {
    let mut other = parts();
    other.realm_key = Key::p384();
    let own = other.realm_key.point();
    // Signed by another key than it names.
    assert_eq!(code(&other.verify()), "signature");
    // Names the key that signed, which the platform does not.
    assert_eq!(code(&other.with_realm(|map| map.with(44237, own)).verify()), "mismatch");
    // The hash is not the one the realm names.
    let weaker = parts().with_realm(|map| map.with(44240, "sha-384"));
    assert_eq!(code(&weaker.verify()), "mismatch");
    let unknown = parts().with_realm(|map| map.with(44240, "sha-1"));
    assert_eq!(code(&unknown.verify()), "unsupported");
    for (name, algorithm) in [("sha-384", &SHA384), ("sha-512", &SHA512)] {
        let parts = parts();
        let nonce = hash(algorithm, &parts.realm_key.point());
        let parts =
            parts.with_platform(|map| map.with(10, nonce)).with_realm(|map| map.with(44240, name));
        assert_eq!(code(&parts.verify()), "accept", "{name}");
    }
}

#[test]
fn realm_keys_of_other_kinds_are_refused() {
    let named = |change: fn(Map) -> Map| {
        let parts = newer();
        let point = parts.realm_key.point();
        let entries = [
            (1, Value::from(2)),
            (-1, Value::from(2)),
            (-2, Value::Bytes(point[1..49].to_vec())),
            (-3, Value::Bytes(point[49..].to_vec())),
        ];
        let key = change(Map::of(&entries)).bytes();
        let parts = parts
            .with_platform(|map| map.with(10, hash(&SHA512, &key)))
            .with_realm(|map| map.with(44237, key));
        code(&parts.verify())
    };
    assert_eq!(named(|key| key), "accept");
    assert_eq!(named(|key| key.with(3, -35)), "accept", "a key for ES384");
    assert_eq!(named(|key| key.with(3, -7)), "malformed", "a key for ES256");
    assert_eq!(named(|key| key.with(1, 1)), "malformed", "another type of key");
    assert_eq!(named(|key| key.with(-1, 1)), "malformed", "another curve");
    assert_eq!(named(|key| key.with(-3, true)), "malformed", "a compressed point");
    assert_eq!(named(|key| key.with(-2, Value::Bytes(vec![0; 47]))), "malformed");
    assert_eq!(named(|key| key.twice(1)), "malformed");
    assert_eq!(named(|key| key.without(-3)), "malformed");
}

#[test]
fn claims_of_another_form_are_refused() {
    let platform = |change: fn(Map) -> Map| code(&parts().with_platform(change).verify());
    assert_eq!(platform(|map| map), "accept");
    for label in [10, 256, 265, 2395, 2396] {
        let missing = parts().with_platform(|map| map.without(label));
        assert_eq!(code(&missing.verify()), "malformed", "{label}");
        let twice = parts().with_platform(|map| map.twice(label));
        assert_eq!(code(&twice.verify()), "malformed", "{label}");
        let other = parts().with_platform(|map| map.with(label, Value::Null));
        assert_eq!(code(&other.verify()), "malformed", "{label}");
    }
    assert_eq!(platform(|map| map.with(265, "http://arm.com/psa/2.0.0")), "unsupported");
    assert_eq!(platform(|map| map.with(256, Value::Bytes(vec![2; 33]))), "malformed");
    assert_eq!(platform(|map| map.with(2396, Value::Bytes(vec![8; 31]))), "malformed");
    for label in [10, 44235, 44237, 44238, 44239, 44240] {
        let missing = parts().with_realm(|map| map.without(label));
        assert_eq!(code(&missing.verify()), "malformed", "{label}");
        let twice = parts().with_realm(|map| map.twice(label));
        assert_eq!(code(&twice.verify()), "malformed", "{label}");
        let other = parts().with_realm(|map| map.with(label, Value::Null));
        assert_eq!(code(&other.verify()), "malformed", "{label}");
    }
    let realm = |change: fn(Map) -> Map| code(&parts().with_realm(change).verify());
    assert_eq!(realm(|map| map.with(10, Value::Bytes(vec![1; 32]))), "malformed");
    let three = Value::Array(vec![Value::Bytes(vec![4; 32]); 3]);
    assert_eq!(code(&parts().with_realm(|map| map.with(44239, three)).verify()), "malformed");
}

#[test]
fn what_no_signature_covers_has_one_form() {
    let parts = parts();
    let key = parts.platform_key.spki();
    let (platform, realm) = parts.tokens();
    let judge = |token: &[u8]| code(&verify(token, &key));
    let tagged = |tag, map: &Map| cose::bytes(&Value::Tag(tag, Box::new(map.value())));
    let entries = collection(platform.clone(), realm.clone());
    let token = tagged(399, &entries);
    assert_eq!(judge(&token), "accept");
    assert_eq!(judge(&tagged(400, &entries)), "malformed", "another tag");
    assert_eq!(judge(&entries.bytes()), "malformed", "no tag");
    assert_eq!(judge(&tagged(399, &entries.clone().twice(44241))), "malformed");
    assert_eq!(judge(&tagged(399, &entries.clone().without(44241))), "malformed");
    assert_eq!(judge(&tagged(399, &entries.clone().with(44242, 0))), "unsupported");
    assert_eq!(judge(&tagged(907, &entries)), "malformed", "no media types");
    // Tag and map are written longer than they need be.
    assert_eq!(judge(&[&[0xda, 0, 0], &token[1..]].concat()), "malformed");
    assert_eq!(judge(&[&token[..3], &[0xb8, 2], &token[4..]].concat()), "malformed");
    // The same inside: an array of four, the long way and without an end.
    assert_eq!(token[4..7], [0x19, 0xac, 0xca]);
    for array in [vec![0xd2, 0x98, 4], vec![0xd8, 18, 0x84]] {
        let platform = [array, platform[2..].to_vec()].concat();
        assert_eq!(judge(&tagged(399, &collection(platform, realm.clone()))), "malformed");
    }
    let endless = [&[0xd2, 0x9f], &platform[2..], &[0xff]].concat();
    assert_eq!(judge(&tagged(399, &collection(endless, realm.clone()))), "malformed");
}

#[test]
fn the_algorithm_must_fit_the_key() {
    let parts = parts();
    let (_, realm) = parts.tokens();
    let judge = |header: &[u8]| {
        let signed = parts.platform_key.parts(header, &parts.platform.bytes());
        let platform = cose::bytes(&Value::Tag(18, Box::new(signed)));
        let map = collection(platform, realm.clone());
        let token = cose::bytes(&Value::Tag(399, Box::new(map.value())));
        code(&verify(&token, &parts.platform_key.spki()))
    };
    assert_eq!(judge(&cose::header(cose::ES384)), "accept");
    assert_eq!(judge(&cose::header(cose::ES256)), "signature");
    assert_eq!(judge(&[]), "signature", "no algorithm");
    let critical = Map::of(&[
        (1, Value::from(cose::ES384)),
        (2, Value::Array(vec![Value::from(-65537)])),
        (-65537, Value::Bool(true)),
    ]);
    assert_ne!(judge(&critical.bytes()), "accept", "a critical header that is not understood");
    // A key whose name says another curve than its point is on.
    let mut named = parts.platform_key.spki();
    let curve = named.windows(5).position(|oid| oid == [0x2b, 0x81, 4, 0, 0x22]).expect("P-384");
    named[curve + 4] = 0x23;
    assert_eq!(code(&verify(&parts.token(), &named)), "unsupported");
}
