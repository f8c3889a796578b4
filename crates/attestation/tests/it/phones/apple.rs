//! Apple App Attest.

use attestation::{
    Binding, Claims, Class, Collateral, Details, Evidence, Policy, Reject, TrustRoots, UnixSeconds,
    Validity, verify_under,
};
use ciborium::Value;
use ring::digest::{SHA256, digest};

use super::{
    cases::{Case, Random, base64},
    forge::{Certificate, Key, octets, sequence, tagged},
};

const TECHNOLOGY: &str = "apple-app-attest";
const TWENTY_YEARS: u64 = 20 * 365 * 24 * 3600;
/// The first of January.
const YEAR_2020: u64 = 1_577_836_800;
const YEAR_2021: u64 = 1_609_459_200;
const YEAR_2022: u64 = 1_640_995_200;
const NONCE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x63, 0x64, 0x08, 0x02];
const APP_ID: &str = "TEAM.example.app";
const PRODUCTION: &[u8; 16] = b"appattest\0\0\0\0\0\0\0";
const DEVELOPMENT: &[u8; 16] = b"appattestdevelop";

/// What a test feeds the verifier.
#[derive(Clone)]
struct Question {
    trust_roots: TrustRoots,
    attestation: Vec<u8>,
    app_id: String,
    client_data_hash: Vec<u8>,
    now: UnixSeconds,
}

impl Question {
    fn of(case: &Case) -> Self {
        Self {
            trust_roots: TrustRoots::Vendors,
            attestation: case.input("attestation"),
            app_id: case.param("app_id").expect("an application").to_owned(),
            client_data_hash: base64(case.param("client_data_hash").expect("a hash")),
            now: case.time(),
        }
    }

    fn ask(&self) -> Result<Claims, Reject> {
        let evidence = Evidence::AppAttest {
            attestation: self.attestation.clone(),
            app_id: self.app_id.clone(),
            client_data_hash: self.client_data_hash.clone(),
        };
        let binding = Binding::Challenge(self.client_data_hash.clone());
        verify_under(&self.trust_roots, &evidence, &Collateral::default(), &binding, self.now)
    }

    /// `accept`, or the code of the refusal.
    fn answer(&self) -> &'static str {
        self.ask().map_or_else(|reject| reject.code(), |_| "accept")
    }
}

#[test]
fn every_case_gets_its_verdict_and_its_claims() {
    for case in Case::all(TECHNOLOGY) {
        let question = Question::of(&case);
        let policy =
            Policy { allow_development: case.flag("allow_development"), ..Policy::strict() };
        let claims = question.ask().expect("genuine, all of them");
        case.check_claims(&claims);
        assert_eq!(claims.class(), Class::DeviceBoundKey);
        assert_eq!(claims.root(), "Apple App Attestation Root CA");
        let Details::Apple(details) = claims.details() else { panic!("details of another kind") };
        let key_id = base64(case.param("key_id").expect("a key id"));
        assert_eq!(details.key_id, hex::encode(key_id));
        let verdict = match policy.appraise(&claims, question.now) {
            Ok(_) => "accept".to_owned(),
            Err(reject) => format!("reject:{}", reject.code()),
        };
        assert_eq!(verdict, case.verdict(), "{}", case.id);
    }
}

#[test]
fn every_change_listed_gets_its_verdict() {
    for case in Case::all(TECHNOLOGY) {
        for (change, _) in case.negatives() {
            let mut question = Question::of(&case);
            let time = question.now.get();
            let expected = match change.as_str() {
                "time+20y" => {
                    question.now = UnixSeconds::new(time + TWENTY_YEARS);
                    "expired"
                }
                "time-20y" => {
                    question.now = UnixSeconds::new(time - TWENTY_YEARS);
                    "not-yet-valid"
                }
                "wrong_root" => {
                    question.trust_roots = TrustRoots::Only(vec![Forge::new().root_certificate()]);
                    "foreign-root"
                }
                "wrong_client_data_hash" => {
                    question.client_data_hash = vec![0; 32];
                    "mismatch"
                }
                "verifier option allow_debug=true" => {
                    let policy = Policy { allow_debug: true, ..Policy::strict() };
                    let claims = question.ask().expect("genuine");
                    assert!(claims.is_debug());
                    assert!(policy.appraise(&claims, question.now).is_ok());
                    "accept"
                }
                other => panic!("{}: no such change: {other}", case.id),
            };
            assert_eq!(question.answer(), expected, "{}: {change}", case.id);
        }
    }
}

#[test]
fn of_a_real_attestation_only_the_receipt_can_change() {
    for case in Case::all(TECHNOLOGY) {
        let question = Question::of(&case);
        let claims = question.ask().expect("genuine");
        // The receipt is signed, but for Apple: nothing here covers it. After its name come three
        // bytes of length.
        let name = b"receipt";
        let start = question.attestation.windows(name.len()).position(|part| part == name);
        let start = start.expect("a receipt") + name.len() + 3;
        let Details::Apple(details) = claims.details() else { panic!("details of another kind") };
        let length = usize::try_from(details.receipt_len).expect("it is short");
        let receipt = start..start + length;
        for offset in 0..question.attestation.len() {
            let mut changed = question.clone();
            changed.attestation[offset] ^= 1 << (offset % 8);
            match changed.ask() {
                Ok(found) if receipt.contains(&offset) => assert_eq!(found, claims),
                Err(_) if !receipt.contains(&offset) => {}
                other => panic!("{}: {offset}: {other:?}", case.id),
            }
        }
    }
}

#[test]
fn no_attestation_can_be_cut() {
    for case in Case::all(TECHNOLOGY) {
        let question = Question::of(&case);
        for length in 0..question.attestation.len() {
            let mut cut = question.clone();
            cut.attestation.truncate(length);
            assert_eq!(cut.answer(), "malformed", "{}: {length}", case.id);
        }
        let mut longer = question.clone();
        longer.attestation.push(0);
        assert_eq!(longer.answer(), "malformed", "{}", case.id);
    }
}

// From here on: attestations of our own.

/// An attestation in parts, as a test wants them.
struct Forge {
    keys: [Key; 3],
    certificates: [Certificate; 3],
    /// Of the key in the authenticator data.
    point: Vec<u8>,
    rp_id: String,
    flags: u8,
    counter: u32,
    aaguid: [u8; 16],
    credential_id: Option<Vec<u8>>,
    /// What follows the key.
    after: Vec<u8>,
    /// Makes the value of the nonce extension.
    nonce: fn(&[u8]) -> Vec<u8>,
    client_data_hash: Vec<u8>,
}

impl Forge {
    fn new() -> Self {
        let keys = [Key::new(), Key::new(), Key::new()];
        let names = ["leaf", "intermediate", "root"];
        let certificate = |index: usize| Certificate {
            subject: names[index].into(),
            issuer: names[(index + 1).min(2)].into(),
            serial: 1,
            years: [[2020, 2022], [2019, 2023], [2000, 2001]][index],
            spki: keys[index].spki(),
            is_ca: index > 0,
            extensions: Vec::new(),
        };
        let certificates = [certificate(0), certificate(1), certificate(2)];
        let point = keys[0].point().to_vec();
        Self {
            keys,
            certificates,
            point,
            rp_id: APP_ID.into(),
            flags: 0x40,
            counter: 0,
            aaguid: *PRODUCTION,
            credential_id: None,
            after: Vec::new(),
            nonce: |nonce| sequence(&[&tagged(1, &octets(nonce))]),
            client_data_hash: vec![7; 32],
        }
    }

    fn root_certificate(&self) -> Vec<u8> {
        self.certificates[2].sign(&self.keys[2])
    }

    fn authenticator_data(&self) -> Vec<u8> {
        let rp_id_hash = digest(&SHA256, self.rp_id.as_bytes());
        let key_id = digest(&SHA256, self.keys[0].point()).as_ref().to_vec();
        let credential_id = self.credential_id.clone().unwrap_or(key_id);
        let length = u16::try_from(credential_id.len()).expect("it is short");
        [
            rp_id_hash.as_ref(),
            &[self.flags],
            &self.counter.to_be_bytes(),
            &self.aaguid,
            &length.to_be_bytes(),
            &credential_id,
            &[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32],
            &self.point[1..33],
            &[0x22, 0x58, 32],
            &self.point[33..],
            &self.after,
        ]
        .concat()
    }

    /// The object before it is encoded.
    fn parts(&self) -> (Value, Vec<(Value, Value)>, Value) {
        let data = self.authenticator_data();
        let nonce = digest(&SHA256, &[&data[..], &self.client_data_hash].concat());
        let mut leaf = self.certificates[0].clone();
        leaf.extensions.push((NONCE.to_vec(), (self.nonce)(nonce.as_ref())));
        let chain = [leaf.sign(&self.keys[1]), self.certificates[1].sign(&self.keys[2])];
        let statement = vec![
            ("x5c".into(), Value::Array(chain.into_iter().map(Value::Bytes).collect())),
            ("receipt".into(), Value::Bytes(vec![9; 40])),
        ];
        ("apple-appattest".into(), statement, Value::Bytes(data))
    }

    fn question_with(&self, attestation: &Value) -> Question {
        let mut bytes = Vec::new();
        ciborium::into_writer(attestation, &mut bytes).expect("CBOR");
        Question {
            trust_roots: TrustRoots::Only(vec![self.root_certificate()]),
            attestation: bytes,
            app_id: APP_ID.into(),
            client_data_hash: self.client_data_hash.clone(),
            now: UnixSeconds::new(YEAR_2021),
        }
    }

    fn question(&self) -> Question {
        let (format, statement, data) = self.parts();
        self.question_with(&Value::Map(vec![
            ("fmt".into(), format),
            ("attStmt".into(), Value::Map(statement)),
            ("authData".into(), data),
        ]))
    }

    /// What becomes of an attestation after a change.
    fn changed(change: impl FnOnce(&mut Self)) -> &'static str {
        let mut forge = Self::new();
        change(&mut forge);
        forge.question().answer()
    }
}

#[test]
fn a_root_of_ours_makes_no_hardware() {
    let forge = Forge::new();
    let mut question = forge.question();
    let claims = question.ask().expect("a good attestation");
    assert_eq!(claims.class(), Class::Simulated);
    assert_eq!(claims.measurement(), digest(&SHA256, APP_ID.as_bytes()).as_ref());
    assert_eq!(claims.device_key(), forge.keys[0].spki());
    assert_eq!(claims.binding(), [7; 32]);
    assert!(claims.is_bound() && !claims.is_debug());
    let years = [YEAR_2020, YEAR_2022].map(UnixSeconds::new);
    assert_eq!(claims.validity(), Validity { not_before: years[0], not_after: years[1] });
    question.trust_roots = TrustRoots::Vendors;
    assert_eq!(question.answer(), "foreign-root");
    question.trust_roots = TrustRoots::Only(Vec::new());
    assert_eq!(question.answer(), "foreign-root");
    question.trust_roots = TrustRoots::Only(vec![Forge::new().root_certificate()]);
    assert_eq!(question.answer(), "foreign-root");
}

#[test]
fn keys_under_development_are_debugging() {
    let mut forge = Forge::new();
    forge.aaguid = *DEVELOPMENT;
    let claims = forge.question().ask().expect("a good attestation");
    assert!(claims.is_debug());
    let now = UnixSeconds::new(YEAR_2021);
    let strict = Policy { classes: [Class::Simulated].into(), ..Policy::strict() };
    assert_eq!(strict.appraise(&claims, now), Err(Reject::Debug));
    let lenient = Policy { allow_development: true, ..strict };
    assert!(lenient.appraise(&claims, now).is_ok());
}

#[test]
fn the_nonce_ties_all_data_to_the_leaf() {
    let nonce = |make| Forge::changed(|forge| forge.nonce = make);
    assert_eq!(nonce(|_| sequence(&[&tagged(1, &octets(&[0; 32]))])), "mismatch");
    assert_eq!(nonce(|nonce| sequence(&[&tagged(1, &octets(&nonce[1..]))])), "malformed");
    assert_eq!(nonce(|nonce| sequence(&[&tagged(2, &octets(nonce))])), "malformed");
    assert_eq!(nonce(|nonce| sequence(&[&octets(nonce)])), "malformed");
    assert_eq!(nonce(|nonce| tagged(1, &octets(nonce))), "malformed");
    assert_eq!(nonce(|nonce| sequence(&[&tagged(1, &octets(nonce)), &octets(&[])])), "malformed");
    assert_eq!(
        nonce(|nonce| sequence(&[&tagged(1, &[octets(nonce), vec![5, 0]].concat())])),
        "malformed"
    );
    assert_eq!(
        nonce(|nonce| [sequence(&[&tagged(1, &octets(nonce))]), vec![0]].concat()),
        "malformed"
    );
    let again = |forge: &mut Forge| {
        forge.certificates[0].extensions.push((NONCE.to_vec(), Vec::new()));
    };
    assert_eq!(Forge::changed(again), "malformed");
    // A leaf without one: the intermediate in its place.
    let forge = Forge::new();
    let (format, _, data) = forge.parts();
    let chain =
        [forge.certificates[0].sign(&forge.keys[1]), forge.certificates[1].sign(&forge.keys[2])];
    let statement = Value::Map(vec![
        ("x5c".into(), Value::Array(chain.into_iter().map(Value::Bytes).collect())),
        ("receipt".into(), Value::Bytes(Vec::new())),
    ]);
    let object =
        vec![("fmt".into(), format), ("attStmt".into(), statement), ("authData".into(), data)];
    assert_eq!(forge.question_with(&Value::Map(object)).answer(), "missing");

    let mut question = forge.question();
    question.client_data_hash[0] ^= 1;
    assert_eq!(question.answer(), "mismatch");
    question.client_data_hash.pop();
    assert_eq!(question.answer(), "malformed");
}

#[test]
fn authenticator_data_is_that_of_the_leaf_and_nothing_more() {
    assert_eq!(Forge::changed(|forge| forge.rp_id = "TEAM.other.app".into()), "mismatch");
    assert_eq!(Forge::changed(|forge| forge.counter = 1), "mismatch");
    assert_eq!(Forge::changed(|forge| forge.aaguid[15] = 1), "unsupported");
    assert_eq!(Forge::changed(|forge| forge.credential_id = Some(vec![1; 32])), "mismatch");
    assert_eq!(Forge::changed(|forge| forge.credential_id = Some(Vec::new())), "mismatch");
    assert_eq!(Forge::changed(|forge| forge.point = Key::new().point().to_vec()), "mismatch");
    assert_eq!(Forge::changed(|forge| forge.flags = 0), "missing");
    assert_eq!(Forge::changed(|forge| forge.after = vec![0]), "malformed");
    // Extensions may follow if the flags say so: a map, to the end.
    let extended = |after: &[u8]| {
        Forge::changed(|forge| {
            forge.flags = 0xc0;
            forge.after = after.to_vec();
        })
    };
    assert_eq!(extended(&[0xa0]), "accept");
    for after in [&[][..], &[0x80], &[0xa0, 0], &[0xa1]] {
        assert_eq!(extended(after), "malformed", "{after:02x?}");
    }
    // A key that is no P-256 key has no form here.
    let p384 = |forge: &mut Forge| {
        forge.certificates[0].spki = [
            &hex::decode("3076301006072a8648ce3d020106052b81040022036200").expect("hex")[..],
            &[4; 97],
        ]
        .concat();
    };
    assert_eq!(Forge::changed(p384), "unsupported");

    // Signed as it is, but cut.
    let forge = Forge::new();
    let data = forge.authenticator_data();
    let (format, statement, _) = forge.parts();
    for length in 0..data.len() {
        let object = Value::Map(vec![
            ("fmt".into(), format.clone()),
            ("attStmt".into(), Value::Map(statement.clone())),
            ("authData".into(), Value::Bytes(data[..length].to_vec())),
        ]);
        assert_eq!(forge.question_with(&object).answer(), "mismatch", "{length}");
    }
}

#[test]
fn the_object_has_exactly_its_parts() {
    let forge = Forge::new();
    let (format, statement, data) = forge.parts();
    let good = vec![
        ("fmt".into(), format),
        ("attStmt".into(), Value::Map(statement.clone())),
        ("authData".into(), data),
    ];
    let answer = |object: Vec<(Value, Value)>| forge.question_with(&Value::Map(object)).answer();
    let with = |place: usize, value: Value| {
        let mut object = good.clone();
        object[place].1 = value;
        answer(object)
    };
    type Parts = Vec<(Value, Value)>;
    let stating = |change: &dyn Fn(&mut Parts)| {
        let mut statement = statement.clone();
        change(&mut statement);
        with(1, Value::Map(statement))
    };
    assert_eq!(answer(good.clone()), "accept");
    assert_eq!(answer(good.iter().rev().cloned().collect()), "accept");
    assert_eq!(with(0, "packed".into()), "unsupported");
    assert_eq!(with(0, Value::Bytes(b"apple-appattest".to_vec())), "malformed");
    for place in 0..3 {
        let mut shorter = good.clone();
        shorter.remove(place);
        assert_eq!(answer(shorter), "malformed", "without {place}");
        let twice = [&good[..], &good[place..=place]].concat();
        assert_eq!(answer(twice), "malformed", "twice {place}");
        let tag = Value::Tag(24, Box::new(good[place].1.clone()));
        assert_eq!(with(place, tag), "malformed", "tagged {place}");
        assert_eq!(with(place, Value::Null), "malformed", "null {place}");
    }
    let unknown = [&good[..], &[("more".into(), Value::Null)]].concat();
    assert_eq!(answer(unknown), "malformed");
    assert_eq!(stating(&|parts| drop(parts.pop())), "malformed");
    assert_eq!(stating(&|parts| parts.push(parts[1].clone())), "malformed");
    assert_eq!(stating(&|parts| parts.push((1.into(), Value::Null))), "malformed");
    let chain = statement[0].1.as_array().expect("a chain").clone();
    for chain in [
        Vec::new(),
        chain[..1].to_vec(),
        [&chain[..], &[Value::Bytes(forge.root_certificate())]].concat(),
    ] {
        let length = chain.len();
        let answer = stating(&|parts| parts[0].1 = Value::Array(chain.clone()));
        assert_eq!(answer, "malformed", "{length}");
    }
    let swapped = vec![chain[1].clone(), chain[0].clone()];
    assert_ne!(stating(&|parts| parts[0].1 = Value::Array(swapped.clone())), "accept");

    // Longer forms of the same object: its map without a length, its first text in two bytes.
    let bytes = forge.question().attestation;
    let open = [&[0xbf], &bytes[1..], &[0xff]].concat();
    let long = [&bytes[..1], &[0x78, 3], &bytes[2..]].concat();
    for attestation in [open, long] {
        let question = Question { attestation, ..forge.question() };
        assert_eq!(question.answer(), "malformed");
    }
    let huge = Question { attestation: vec![0; 40_000], ..forge.question() };
    assert_eq!(huge.answer(), "malformed");
}

#[test]
fn every_link_must_hold_and_be_valid_now() {
    assert_eq!(Forge::changed(|forge| forge.certificates[1].is_ca = false), "mismatch");
    assert_eq!(Forge::changed(|forge| forge.certificates[0].issuer = "other".into()), "mismatch");
    assert_eq!(Forge::changed(|forge| forge.keys[1] = Key::new()), "signature");
    assert_eq!(Forge::changed(|forge| forge.certificates[1].years = [2019, 2020]), "expired");
    let at = |time| Question { now: UnixSeconds::new(time), ..Forge::new().question() }.answer();
    assert_eq!(at(YEAR_2020 - 1), "not-yet-valid");
    assert_eq!(at(YEAR_2020), "accept");
    assert_eq!(at(YEAR_2022), "accept");
    assert_eq!(at(YEAR_2022 + 1), "expired");
}

#[test]
fn garbage_is_refused() {
    let mut random = Random(0x6d65_7368_785f_3032);
    let question = Forge::new().question();
    for _ in 0..5_000 {
        let length = random.below(300);
        let garbage = Question { attestation: random.bytes(length), ..question.clone() };
        assert_eq!(garbage.answer(), "malformed");
        let mut changed = question.clone();
        for _ in 0..=random.below(4) {
            let place = random.below(changed.attestation.len());
            changed.attestation[place] = random.bytes(1)[0];
        }
        // Any answer will do, as long as there is one.
        let _ = changed.ask();
    }
    // Deep nesting ends in an answer, too.
    for byte in [0x81, 0xa1, 0xc0, 0x9f, 0xbf, 0x5f] {
        let deep = Question { attestation: vec![byte; 30_000], ..question.clone() };
        assert_eq!(deep.answer(), "malformed");
    }
}
