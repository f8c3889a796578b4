//! TPM 2.0: quotes of clouds and of swtpm, and quotes signed here.

use std::collections::BTreeMap;

use attestation::{
    Binding, Claims, Class, Collateral, Details, Evidence, Reject, TpmQuote, TrustRoots,
    UnixSeconds,
};
use ring::digest::{SHA256, SHA384, digest};
use serde_bytes::ByteBuf;
use serde_json::Value;

use crate::{
    cases::{Case, Xorshift, blocks, cases, flat},
    certificate::{NOW, Usage, certificate, ecdsa},
    cose::Key,
    tpm_quote::{Attest, registers, signed, sized},
};

/// What a case or a test feeds to the verifier.
#[derive(Clone)]
struct Given {
    trust_roots: TrustRoots,
    quote: TpmQuote,
    collateral: Collateral,
    binding: Binding,
    now: UnixSeconds,
}

impl Given {
    /// A quote, and nothing that vouches for its key.
    fn alone(quote: TpmQuote) -> Self {
        Self {
            trust_roots: TrustRoots::Vendors,
            quote,
            collateral: Collateral::default(),
            binding: Binding::Unchecked,
            now: UnixSeconds::new(NOW),
        }
    }

    fn of(case: &Case) -> Self {
        let bufs = |files: &[Vec<u8>]| -> Vec<ByteBuf> {
            files.iter().flat_map(|file| blocks(file)).map(ByteBuf::from).collect()
        };
        let pcrs: BTreeMap<String, String> =
            serde_json::from_slice(&case.input("pcrs")).expect("registers");
        let quote = TpmQuote {
            attest: case.input("attest"),
            signature: case.input("sig"),
            attestation_key: blocks(&case.input("ak")).remove(0),
            pcrs: pcrs.iter().map(|(index, value)| register(index, value)).collect(),
            event_log: case.input("event_log"),
            attestation_chain: bufs(&[case.input("ak_cert"), case.param_file("ak_intermediates")]),
            endorsement_chain: bufs(&[case.input("ek_cert")]),
            snp_report: case.input("snp_report"),
            runtime: case.input("runtime"),
        };
        let certificates = bufs(&[case.input("vek"), case.param_file("ek_root")]);
        let trust_roots = match blocks(&case.param_file("ak_root")) {
            none if none.is_empty() => TrustRoots::Vendors,
            roots => TrustRoots::Only(roots),
        };
        Self {
            trust_roots,
            quote,
            collateral: Collateral { certificates, ..Collateral::default() },
            binding: Binding::Challenge(
                hex::decode(case.param("nonce").expect("a nonce")).expect("hexadecimal"),
            ),
            now: case.now(),
        }
    }

    fn verify(&self) -> Result<Claims, Reject> {
        attestation::verify_under(
            &self.trust_roots,
            &Evidence::Tpm(self.quote.clone()),
            &self.collateral,
            &self.binding,
            self.now,
        )
    }

    fn changed(&self, change: impl FnOnce(&mut Self)) -> &'static str {
        let mut changed = self.clone();
        change(&mut changed);
        code(&changed.verify())
    }
}

fn register(index: &str, value: &str) -> (u8, ByteBuf) {
    (index.parse().expect("an index"), ByteBuf::from(hex::decode(value).expect("hexadecimal")))
}

fn code(result: &Result<Claims, Reject>) -> &'static str {
    result.as_ref().map_or_else(Reject::code, |_| "accept")
}

fn details(claims: &Claims) -> &attestation::Tpm {
    match claims.details() {
        Details::Tpm(details) => details,
        _ => panic!("it is a TPM's"),
    }
}

#[test]
fn cases_have_their_verdicts_and_claims() {
    for case in cases("tpm2") {
        let given = Given::of(&case);
        let claims = given.verify().expect(&case.id);
        case.assert_claims(&claims);
        assert!(claims.is_bound());
        let software = claims.root().contains("swtpm");
        let class = if software { Class::Simulated } else { Class::MeasuredBoot };
        assert_eq!(claims.class(), class, "{}", case.id);
        assert_eq!(claims.device_key(), given.quote.attestation_key);
        if let Some(worker) = case.param("worker_sha256") {
            let worker = hex::decode(worker).expect("hexadecimal");
            let extended = digest(&SHA256, &[&[0; 32], &worker[..]].concat());
            assert_eq!(details(&claims).pcr16, Some(hex::encode(extended)));
        }
        for (change, changed) in negatives(&case, &given) {
            let refused = changed.verify().is_err();
            assert_eq!(case.refuses(change), Some(refused), "{}: {change}", case.id);
        }
    }
}

fn negatives(case: &Case, given: &Given) -> Vec<(&'static str, Given)> {
    let later = Given { now: case.years_later(), ..given.clone() };
    let before = Given { now: case.years_before(), ..given.clone() };
    let nonce = Given { binding: Binding::Challenge(vec![0, 0xff]), ..given.clone() };
    let other = attestation::roots::amd_root("genoa").to_vec();
    let mut root = Given { trust_roots: TrustRoots::Only(vec![other.clone()]), ..given.clone() };
    if !root.quote.endorsement_chain.is_empty() {
        root.collateral.certificates = vec![ByteBuf::from(other)];
    }
    vec![("time+20y", later), ("time-20y", before), ("wrong_nonce", nonce), ("wrong_root", root)]
}

/// Bytes of a sample that may change without a claim changing, by part. Everything else is refused.
fn free(given: &Given) -> BTreeMap<String, usize> {
    let original = given.verify().expect("the sample itself");
    let mut free = BTreeMap::new();
    let mut trial = given.clone();
    let parts = parts(&mut trial.quote).len();
    for part in 0..parts {
        let length = parts_of(&mut trial, part).1.len();
        for at in 0..length {
            let bit = 1 << (at % 8);
            parts_of(&mut trial, part).1[at] ^= bit;
            let result = trial.verify();
            let (name, bytes) = parts_of(&mut trial, part);
            bytes[at] ^= bit;
            if let Ok(claims) = result {
                assert_eq!(claims, original, "byte {at} of {name} changes claims");
                *free.entry(name).or_default() += 1;
            }
        }
    }
    free
}

fn parts_of(given: &mut Given, index: usize) -> (String, &mut Vec<u8>) {
    parts(&mut given.quote).remove(index)
}

fn parts(quote: &mut TpmQuote) -> Vec<(String, &mut Vec<u8>)> {
    let mut parts: Vec<(String, &mut Vec<u8>)> = vec![
        ("attest".into(), &mut quote.attest),
        ("signature".into(), &mut quote.signature),
        ("attestation key".into(), &mut quote.attestation_key),
        ("SEV-SNP report".into(), &mut quote.snp_report),
        ("runtime data".into(), &mut quote.runtime),
    ];
    parts.extend(
        quote.pcrs.iter_mut().map(|(index, value)| (format!("register {index}"), &mut **value)),
    );
    for (name, chain) in [
        ("attestation", &mut quote.attestation_chain),
        ("endorsement", &mut quote.endorsement_chain),
    ] {
        let names = (0..).map(|index| format!("{name} certificate {index}"));
        parts.extend(names.zip(chain.iter_mut().map(|der| &mut **der)));
    }
    parts
}

#[test]
fn no_byte_of_a_case_is_free() {
    for case in cases("tpm2") {
        assert_eq!(free(&Given::of(&case)), BTreeMap::new(), "{}", case.id);
    }
}

#[test]
fn cut_and_damaged_parts_are_refused() {
    for case in cases("tpm2") {
        let given = Given::of(&case);
        let mut trial = given.clone();
        let count = parts(&mut trial.quote).len();
        let mut random = Xorshift(0x9e37_79b9_7f4a_7c15);
        for part in 0..count {
            let whole = parts_of(&mut trial, part).1.clone();
            for length in 0..whole.len() {
                // Without a report, and without runtime data where there is none, it is other evidence.
                parts_of(&mut trial, part).1.truncate(length);
                let result = trial.verify();
                let (name, bytes) = parts_of(&mut trial, part);
                *bytes = whole.clone();
                let other = name == "SEV-SNP report" && length == 0;
                assert!(result.is_err() || other, "{}: {length} bytes of {name} pass", case.id);
            }
            if whole.is_empty() {
                continue;
            }
            for _ in 0..20 {
                let (name, bytes) = parts_of(&mut trial, part);
                bytes.clear();
                let length = 1 + random.below(2 * whole.len());
                bytes.extend((0..length).map(|_| random.byte()));
                let result = trial.verify();
                assert!(result.is_err(), "{}: garbage passes for {name}", case.id);
            }
            *parts_of(&mut trial, part).1 = [&whole[..], &[0]].concat();
            assert!(trial.verify().is_err(), "{}: part {part} and a byte pass", case.id);
            *parts_of(&mut trial, part).1 = whole;
        }
    }
}

#[test]
fn a_guest_vouches_for_one_key_only() {
    for case in cases("tpm2").iter().filter(|case| !case.input("snp_report").is_empty()) {
        let given = Given::of(case);
        let claims = given.verify().expect(&case.id);
        assert!(!claims.platform().is_empty(), "the chip the guest runs on");
        // Allowing the measurement allows this paravisor with these registers.
        let guest = hex::decode(details(&claims).snp_measurement.as_ref().expect("a guest"));
        let registers = hex::decode(&details(&claims).pcr_digest).expect("hexadecimal");
        let both = [guest.expect("hexadecimal"), registers].concat();
        assert_eq!(claims.measurement(), digest(&SHA256, &both).as_ref());

        // A good quote by a key that this guest does not name.
        let own = Key::p256();
        let mut quote = Attest::of(&registers_of(&given)).signed(&own, &registers_of(&given));
        quote.snp_report = given.quote.snp_report.clone();
        quote.runtime = given.quote.runtime.clone();
        let foreign = Given { quote, binding: Binding::Unchecked, ..given.clone() };
        assert_eq!(code(&foreign.verify()), "mismatch");
        // Nor does it help to name it: the report is over the whole text.
        let text = String::from_utf8(given.quote.runtime.clone()).expect("JSON");
        let renamed = text.replace("HCLAkPub", "HCLAkPuc").replace("HCLEkPub", "HCLAkPub");
        assert_eq!(given.changed(|it| it.quote.runtime = renamed.into_bytes()), "mismatch");
        assert_eq!(given.changed(|it| it.quote.runtime.clear()), "mismatch");
        assert_eq!(given.changed(|it| it.collateral.certificates.clear()), "missing");
        let alone = Given {
            quote: TpmQuote { snp_report: Vec::new(), ..given.quote.clone() },
            ..given.clone()
        };
        assert_eq!(alone.verify().expect("a quote").class(), Class::Simulated);
    }
}

fn registers_of(given: &Given) -> BTreeMap<u8, Vec<u8>> {
    given.quote.pcrs.iter().map(|(index, value)| (*index, value.to_vec())).collect()
}

#[test]
fn one_certificate_vouches_for_one_key() {
    let (root, key, other) = (Key::p256(), Key::p256(), Key::p256());
    let ca = certificate(("root", &root), ("root", &root), Usage::Certificates);
    let leaf = |usage| certificate(("", &key), ("root", &root), usage);
    let given = |chain: Vec<Vec<u8>>| {
        let mut quote = Attest::of(&registers()).signed(&key, &registers());
        quote.attestation_chain = chain.into_iter().map(ByteBuf::from).collect();
        Given { trust_roots: TrustRoots::Only(vec![ca.clone()]), ..Given::alone(quote) }
    };
    let good = given(vec![leaf(Usage::Signatures)]);
    let claims = good.verify().expect("a chain below its trust root");
    assert_eq!(claims.class(), Class::Simulated, "no vendor's root, no hardware");
    assert_eq!(claims.measurement(), hex::decode(&details(&claims).pcr_digest).expect("a digest"));
    assert_eq!(claims.platform(), [0; 0], "a certificate of a key names no chip");
    assert_eq!(code(&given(vec![leaf(Usage::Signatures), ca.clone()]).verify()), "accept");
    assert_eq!(good.changed(|it| it.trust_roots = TrustRoots::Vendors), "foreign-root");
    assert_eq!(good.changed(|it| it.now = UnixSeconds::new(0)), "not-yet-valid");
    assert_eq!(good.changed(|it| it.now = UnixSeconds::new(2 * NOW)), "expired");
    // A certificate the caller gives beside the evidence is no root of a vendor's either.
    let given_root = vec![ByteBuf::from(ca.clone())];
    assert_eq!(
        good.changed(|it| {
            it.trust_roots = TrustRoots::Vendors;
            it.collateral.certificates = given_root;
        }),
        "foreign-root"
    );

    // What is for encryption is an endorsement key.
    assert_eq!(code(&given(vec![leaf(Usage::Encryption)]).verify()), "mismatch");
    let foreign = certificate(("", &other), ("root", &root), Usage::Signatures);
    assert_eq!(code(&given(vec![foreign]).verify()), "mismatch");
    let forged = certificate(("", &key), ("root", &other), Usage::Signatures);
    assert_eq!(code(&given(vec![forged.clone()]).verify()), "foreign-root");
    assert_eq!(code(&given(vec![forged, ca.clone()]).verify()), "signature");
}

#[test]
fn an_endorsement_never_makes_hardware() {
    let (root, key) = (Key::p256(), Key::p256());
    let ca = certificate(("some vendor", &root), ("some vendor", &root), Usage::Certificates);
    // It says nothing about the key that signed the quote: another machine's would do as well.
    let endorsed = certificate(("", &Key::p256()), ("some vendor", &root), Usage::Encryption);
    let mut quote = Attest::of(&registers()).signed(&key, &registers());
    quote.endorsement_chain = vec![ByteBuf::from(endorsed)];
    let mut given = Given::alone(quote);
    assert_eq!(code(&given.verify()), "foreign-root", "a root must be given");
    given.collateral.certificates = vec![ByteBuf::from(ca.clone())];
    let claims = given.verify().expect("the root is given");
    assert_eq!(claims.class(), Class::Simulated);
    assert!(claims.root().ends_with("(endorsement only)"), "{}", claims.root());
    given.trust_roots = TrustRoots::Only(vec![ca]);
    assert_eq!(given.verify().expect("the root is a trust root").class(), Class::Simulated);
}

#[test]
fn a_quote_by_itself_proves_only_that_somebody_has_a_key() {
    let given = Given::alone(Attest::of(&registers()).signed(&Key::p256(), &registers()));
    let claims = given.verify().expect("a quote");
    assert_eq!(claims.class(), Class::Simulated);
    assert_eq!(claims.root(), "none: the attestation key was given by the caller");
    assert_eq!(claims.binding(), b"a nonce");
    let details = details(&claims);
    assert_eq!((details.reset_count, details.restart_count, details.safe), (2, 3, true));
    assert_eq!(details.pcr_selection, [0, 7, 16]);
    assert_eq!(details.firmware_version, "2019102300163636");
    assert_eq!(flat(&claims)["pcr16"], Value::from("03".repeat(32)));
}

#[test]
fn what_is_signed_must_be_a_quote() {
    let judge = |change: fn(&mut Attest)| {
        let mut attest = Attest::of(&registers());
        change(&mut attest);
        code(&Given::alone(attest.signed(&Key::p256(), &registers())).verify())
    };
    assert_eq!(judge(|_| ()), "accept");
    assert_eq!(judge(|it| it.magic = 0xff54_4348), "malformed", "signed, but by no TPM");
    assert_eq!(judge(|it| it.kind = 0x8017), "malformed", "certifies a key");
    assert_eq!(judge(|it| it.safe = 2), "malformed");
    assert_eq!(judge(|it| it.safe = 0), "accept", "and says so");
    assert_eq!(judge(|it| it.banks.clear()), "unsupported");
    assert_eq!(judge(|it| it.banks.push((0x000c, vec![0; 3]))), "unsupported");
    assert_eq!(judge(|it| it.banks[0].0 = 0x0012), "unsupported", "SM3");
    assert_eq!(judge(|it| it.banks[0].1 = vec![0x81, 0, 1, 0, 0]), "malformed");
    assert_eq!(judge(|it| it.banks[0].1 = vec![0x81, 0, 1, 0]), "accept", "32 registers");
    assert_eq!(judge(|it| it.digest.truncate(20)), "unsupported", "SHA-1 over registers");
    assert_eq!(judge(|it| it.digest[0] ^= 1), "mismatch");
    assert_eq!(
        judge(|it| {
            it.banks[0].1 = vec![0; 3];
            it.digest = digest(&SHA256, &[]).as_ref().to_vec();
        }),
        "malformed",
        "no register at all"
    );
    let attest = Attest::of(&registers()).bytes();
    for length in 0..attest.len() {
        let cut = signed(attest[..length].to_vec(), &Key::p256(), &registers());
        assert_eq!(code(&Given::alone(cut).verify()), "malformed", "{length} bytes");
    }
    let longer = signed([&attest[..], &[0]].concat(), &Key::p256(), &registers());
    assert_eq!(code(&Given::alone(longer).verify()), "malformed");
}

#[test]
fn registers_must_be_the_quoted_ones() {
    let given = Given::alone(Attest::of(&registers()).signed(&Key::p256(), &registers()));
    let of = |bytes: Vec<u8>| ByteBuf::from(bytes);
    assert_eq!(given.changed(|it| drop(it.quote.pcrs.remove(&7))), "missing");
    assert_eq!(given.changed(|it| drop(it.quote.pcrs.insert(7, of(vec![2; 31])))), "missing");
    assert_eq!(given.changed(|it| drop(it.quote.pcrs.insert(7, of(vec![9; 32])))), "mismatch");
    let swapped = |it: &mut Given| {
        let (seven, sixteen) = (it.quote.pcrs[&7].clone(), it.quote.pcrs[&16].clone());
        it.quote.pcrs.extend([(7, sixteen), (16, seven)]);
    };
    assert_eq!(given.changed(swapped), "mismatch");
    // A register that is not quoted is no claim.
    let mut more = given.clone();
    more.quote.pcrs.insert(8, of(vec![9; 32]));
    assert_eq!(more.verify(), given.verify());
}

#[test]
fn signatures_have_the_forms_tpms_give_them() {
    let (p256, p384) = (Key::p256(), Key::p384());
    let attest = Attest::of(&registers());
    let judge = |key: &Key, signature: Vec<u8>| {
        let mut quote = attest.signed(key, &registers());
        quote.signature = signature;
        code(&Given::alone(quote).verify())
    };
    let marshalled = |key: &Key, scheme: u16, hash: u16| {
        let bare = key.sign(&attest.bytes());
        let (r, s) = bare.split_at(bare.len() / 2);
        [&scheme.to_be_bytes()[..], &hash.to_be_bytes(), &sized(r), &sized(s)].concat()
    };
    for (key, hash) in [(&p256, 0x000b), (&p384, 0x000c)] {
        assert_eq!(judge(key, key.sign(&attest.bytes())), "accept", "r and s");
        assert_eq!(judge(key, ecdsa(&key.sign(&attest.bytes()))), "accept", "DER");
        assert_eq!(judge(key, marshalled(key, 0x0018, hash)), "accept", "TPMT_SIGNATURE");
        assert_eq!(judge(key, marshalled(key, 0x0018, 0x0004)), "unsupported", "SHA-1");
        assert_eq!(judge(key, marshalled(key, 0x0014, hash)), "signature", "RSA");
        assert_eq!(judge(key, marshalled(key, 0x001a, hash)), "signature", "ECDAA");
        assert_eq!(judge(key, Vec::new()), "signature");
        let longer = [marshalled(key, 0x0018, hash), vec![0]].concat();
        assert_eq!(judge(key, longer), "signature");
    }
    assert_eq!(judge(&p256, p384.sign(&attest.bytes())), "signature");
    assert_eq!(judge(&p256, Key::p256().sign(&attest.bytes())), "signature");
    assert_eq!(judge(&p256, p256.sign(b"something else")), "signature");
    let mut quote = attest.signed(&p256, &registers());
    quote.attestation_key = hex::decode("302a300506032b6570032100").expect("hexadecimal");
    quote.attestation_key.extend([1; 32]);
    assert_eq!(code(&Given::alone(quote).verify()), "unsupported", "Ed25519");
}

#[test]
fn quotes_of_swtpm_in_every_scheme() {
    let file: Value =
        serde_json::from_str(include_str!("swtpm_quotes.json")).expect("quotes made for this test");
    let bytes = |value: &Value| hex::decode(value.as_str().expect("text")).expect("hexadecimal");
    let mut found = BTreeMap::new();
    for quote in file["quotes"].as_array().expect("a list") {
        let name = quote["name"].as_str().expect("a name");
        let bank = ["SHA-384", "SHA-1"].into_iter().find(|bank| name == format!("the {bank} bank"));
        let bank = bank.map_or("sha256".to_owned(), |bank| bank.to_lowercase().replace('-', ""));
        let pcrs = file["pcrs"][&bank].as_object().expect("registers");
        let given = Given::alone(TpmQuote {
            attest: bytes(&quote["attest"]),
            signature: bytes(&quote["signature"]),
            attestation_key: bytes(&quote["attestation_key"]),
            pcrs: pcrs
                .iter()
                .map(|(index, value)| register(index, value.as_str().expect("text")))
                .collect(),
            ..TpmQuote::default()
        });
        let result = given.verify();
        if let Ok(claims) = &result {
            assert_eq!(hex::encode(claims.binding()), file["extra_data"].as_str().expect("text"));
            assert_eq!(details(claims).pcr_bank, bank);
            assert_eq!(free(&given), BTreeMap::new(), "{name}");
        }
        found.insert(name, code(&result));
    }
    let expected = [
        ("ECDSA P-256, SHA-1", "unsupported"),
        ("ECDSA P-256, SHA-256", "accept"),
        // The curve is weaker than the hash, and nobody marshals such keys.
        ("ECDSA P-256, SHA-384", "signature"),
        ("ECDSA P-384, SHA-384", "accept"),
        ("RSAPSS, SHA-256", "accept"),
        ("RSAPSS, SHA-512", "accept"),
        ("RSASSA, SHA-1", "unsupported"),
        ("RSASSA, SHA-256", "accept"),
        ("RSASSA, SHA-384", "accept"),
        ("not a quote: a key", "malformed"),
        ("not a quote: the time", "malformed"),
        ("the SHA-1 bank", "accept"),
        ("the SHA-384 bank", "accept"),
        ("two banks", "unsupported"),
    ];
    assert_eq!(found, expected.into());
}

#[test]
fn a_sha_384_quote_hashes_registers_with_sha_384() {
    let mut attest = Attest::of(&registers());
    let values: Vec<u8> = registers().values().flatten().copied().collect();
    attest.digest = digest(&SHA384, &values).as_ref().to_vec();
    let claims = Given::alone(attest.signed(&Key::p384(), &registers())).verify();
    assert_eq!(claims.expect("a quote").measurement(), attest.digest);
}
