//! PSA tokens: a real one under a public test key, and tokens made here.

use attestation::{Binding, Claims, Class, Evidence, Reject, Technology, TrustRoots};
use ciborium::Value;
use ring::digest::{SHA256, digest};

use crate::{
    cases::{blocks, cases, flat, flips, refuses_garbage, refuses_other_lengths, under_key},
    cose::{self, Key, Map},
};

fn evidence(token: &[u8]) -> Evidence {
    Evidence::Psa { token: token.to_vec() }
}

fn verify(token: &[u8], platform_key: &[u8]) -> Result<Claims, Reject> {
    under_key(&evidence(token), &TrustRoots::Vendors, platform_key, &Binding::Unchecked)
}

fn code(result: &Result<Claims, Reject>) -> &'static str {
    result.as_ref().map_or_else(Reject::code, |_| "accept")
}

#[test]
fn cases_have_their_verdicts_and_claims() {
    for case in cases("arm-psa") {
        let (token, key) = (case.input("token"), blocks(&case.param_file("iak")).remove(0));
        let claims = verify(&token, &key).expect(&case.id);
        case.assert_claims(&claims);
        assert_eq!(claims.class(), Class::Simulated, "the key is public");
        assert_eq!(case.refuses("wrong_root"), Some(true));
        assert_eq!(code(&verify(&token, &Key::p256().spki())), "signature");
        assert_eq!(code(&verify(&token, &Key::p384().spki())), "signature");
        assert_eq!(code(&verify(&token, &[])), "missing");
        let wrong = Binding::Challenge(vec![0, 0xff]);
        let result = under_key(&evidence(&token), &TrustRoots::Vendors, &key, &wrong);
        assert_eq!(result, Err(Reject::WrongChallenge));

        let judge = |bytes: &[u8]| verify(bytes, &key);
        refuses_other_lengths(&token, judge);
        refuses_garbage(&token, judge);
        assert_eq!(flips(&token, judge), [0; 0], "no byte is free");
    }
}

/// Labels of RFC 9783, and of `PSA_IOT_PROFILE_1`.
struct Labels {
    profile: i64,
    client: i64,
    lifecycle: i64,
    implementation: i64,
    software: i64,
    nonce: i64,
    instance: i64,
}

const RFC: Labels = Labels {
    profile: 265,
    client: 2394,
    lifecycle: 2395,
    implementation: 2396,
    software: 2399,
    nonce: 10,
    instance: 256,
};
const OLD: Labels = Labels {
    profile: -75000,
    client: -75001,
    lifecycle: -75002,
    implementation: -75003,
    software: -75006,
    nonce: -75008,
    instance: -75009,
};

fn claims(labels: &Labels, profile: &str) -> Map {
    Map::of(&[
        (labels.profile, Value::Text(profile.into())),
        (labels.client, Value::from(-1)),
        (labels.lifecycle, Value::from(0x3000)),
        (labels.implementation, Value::Bytes(vec![4; 32])),
        (labels.software, Value::Array(vec![component().value()])),
        (labels.nonce, Value::Bytes(vec![5; 32])),
        (labels.instance, Value::Bytes([&[1][..], &[6; 32]].concat())),
    ])
}

fn component() -> Map {
    Map::of(&[
        (1, Value::Text("BL".into())),
        (2, Value::Bytes(vec![7; 32])),
        (5, Value::Bytes(vec![8; 32])),
    ])
}

fn judge(map: &Map) -> Result<Claims, Reject> {
    let key = Key::p256();
    verify(&key.sign1(&map.bytes()), &key.spki())
}

fn rfc() -> Map {
    claims(&RFC, "tag:psacertified.org,2023:psa#tfm")
}

#[test]
fn both_profiles_say_the_same() {
    let new = judge(&rfc()).expect("RFC 9783");
    let old = judge(&claims(&OLD, "PSA_IOT_PROFILE_1")).expect("the older profile");
    let unnamed =
        judge(&claims(&OLD, "PSA_IOT_PROFILE_1").without(OLD.profile)).expect("its name left out");
    assert_eq!(old, unnamed);
    assert_eq!(new.measurement(), old.measurement());
    assert_eq!(new.platform(), old.platform());
    assert_eq!(new.binding(), [5; 32]);
    assert_eq!(flat(&new)["client_id"], -1);
    assert_eq!(flat(&old)["profile"], "PSA_IOT_PROFILE_1");
    let array = judge(&rfc().with(10, Value::Array(vec![Value::Bytes(vec![5; 32])])));
    assert_eq!(array, Ok(new), "one nonce in an array is one nonce");
}

#[test]
fn the_measurement_is_of_a_text_anybody_can_write() {
    let line = |byte: &str| format!("{}\n", byte.repeat(32));
    let text = [line("07"), line("08")].concat();
    let claims = judge(&rfc()).expect("a token");
    assert_eq!(claims.measurement(), digest(&SHA256, text.as_bytes()).as_ref());
}

#[test]
fn only_secured_devices_count() {
    let state = |state: u64| code(&judge(&rfc().with(RFC.lifecycle, state)));
    for secured in [0x3000, 0x30ff] {
        assert_eq!(state(secured), "accept", "{secured:#x}");
    }
    for other in [0, 0x1000, 0x2000, 0x2fff, 0x3100, 0x4000, 0x5000, 0x6000, 0x7000] {
        assert_eq!(state(other), "mismatch", "{other:#x}");
    }
    assert_eq!(state(0x1_3000), "malformed");
}

#[test]
fn only_an_endorsed_key_makes_hardware() {
    let key = Key::p384();
    let token = key.sign1(&rfc().bytes());
    let class = |technology| {
        let trust_roots = TrustRoots::VendorsAnd {
            technology,
            key: digest(&SHA256, &key.spki()).as_ref().try_into().expect("32 bytes"),
        };
        let claims = under_key(&evidence(&token), &trust_roots, &key.spki(), &Binding::Unchecked);
        claims.expect("a token").class()
    };
    assert_eq!(class(Technology::ArmPsa), Class::DeviceBoundKey);
    assert_eq!(class(Technology::ArmCca), Class::Simulated);
}

#[test]
fn claims_of_another_form_are_refused() {
    for label in [2394, 2395, 2396, 2399, 10, 256] {
        assert_eq!(code(&judge(&rfc().without(label))), "malformed", "{label}");
        assert_eq!(code(&judge(&rfc().twice(label))), "malformed", "{label}");
        assert_eq!(code(&judge(&rfc().with(label, Value::Null))), "malformed", "{label}");
    }
    assert_eq!(code(&judge(&rfc().with(265, "http://arm.com/CCA-SSD/1.0.0"))), "unsupported");
    assert_eq!(code(&judge(&rfc().with(256, Value::Bytes(vec![2; 33])))), "malformed");
    let two = Value::Array(vec![Value::Bytes(vec![5; 32]); 2]);
    assert_eq!(code(&judge(&rfc().with(10, two))), "malformed", "two nonces");
    let software = |list: Vec<Map>| {
        code(&judge(&rfc().with(2399, Value::Array(list.iter().map(Map::value).collect()))))
    };
    assert_eq!(software(vec![component()]), "accept");
    assert_eq!(software(vec![component().without(1)]), "accept");
    assert_eq!(software(vec![component(); 33]), "malformed");
    assert_eq!(software(vec![]), "malformed");
    assert_eq!(software(vec![component().without(2)]), "malformed");
    assert_eq!(software(vec![component().twice(2)]), "malformed");
    assert_eq!(software(vec![component().with(5, Value::Bytes(vec![8; 20]))]), "malformed");
    // The older profile may say that nothing was measured; RFC 9783 may not.
    let nothing = claims(&OLD, "PSA_IOT_PROFILE_1").without(OLD.software).with(-75007, 1);
    assert_eq!(code(&judge(&nothing)), "accept");
}

#[test]
fn tokens_under_a_shared_secret_prove_nothing() {
    let key = Key::p256();
    let parts = key.parts(&cose::header(5), &rfc().bytes());
    let token = cose::bytes(&Value::Tag(17, Box::new(parts)));
    assert_eq!(code(&verify(&token, &key.spki())), "unsupported");
}

#[test]
fn headers_are_understood_or_refused() {
    let key = Key::p256();
    let judge = |header: &[u8]| {
        let parts = key.parts(header, &rfc().bytes());
        code(&verify(&cose::bytes(&Value::Tag(18, Box::new(parts))), &key.spki()))
    };
    assert_eq!(judge(&cose::header(cose::ES256)), "accept");
    assert_eq!(judge(&cose::header(cose::ES384)), "signature");
    assert_eq!(judge(&cose::header(-8)), "signature", "EdDSA");
    let critical = Map::of(&[
        (1, Value::from(cose::ES256)),
        (2, Value::Array(vec![Value::from(4)])),
        (4, Value::Bytes(vec![1])),
    ]);
    assert_eq!(judge(&critical.bytes()), "unsupported");
    // An algorithm that is not under the signature is not one.
    let Value::Array(mut parts) = key.parts(&[], &rfc().bytes()) else { unreachable!() };
    parts[1] = Map::of(&[(1, Value::from(cose::ES256))]).value();
    let token = cose::bytes(&Value::Tag(18, Box::new(Value::Array(parts))));
    assert_eq!(code(&verify(&token, &key.spki())), "signature");
}
