//! Android Key Attestation.

use attestation::{
    Binding, BootState, Claims, Class, Collateral, Details, Evidence, Policy, Reject,
    SecurityLevel, TrustRoots, UnixSeconds, Validity, verify_under,
};
use serde_bytes::ByteBuf;

use super::{
    cases::{Case, Random, ders_of_pem},
    forge::{Certificate, Key, element, enumerated, integer, octets, sequence, tagged},
};

const TECHNOLOGY: &str = "android-key-attestation";
const TWENTY_YEARS: u64 = 20 * 365 * 24 * 3600;
/// The first of January.
const YEAR_2020: u64 = 1_577_836_800;
const YEAR_2021: u64 = 1_609_459_200;
const YEAR_2022: u64 = 1_640_995_200;
const KEY_DESCRIPTION: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x01, 0x11];
const PROVISIONING_INFO: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x01, 0x1e];
const CHALLENGE: &[u8] = b"challenge";

/// What a test feeds the verifier.
#[derive(Clone)]
struct Question {
    trust_roots: TrustRoots,
    chain: Vec<Vec<u8>>,
    collateral: Collateral,
    binding: Binding,
    now: UnixSeconds,
}

impl Question {
    fn of(case: &Case) -> Self {
        let revoked = case.json["params"]["revoked"].as_array().cloned().unwrap_or_default();
        let revoked = revoked.iter().map(|serial| serial.as_str().expect("text").to_owned());
        Self {
            trust_roots: TrustRoots::Vendors,
            chain: ders_of_pem(&case.input("chain")),
            collateral: Collateral { revoked: revoked.collect(), ..Collateral::default() },
            binding: match case.param("challenge") {
                Some(challenge) => Binding::Challenge(hex::decode(challenge).expect("hex")),
                None => Binding::Unchecked,
            },
            now: case.time(),
        }
    }

    fn ask(&self) -> Result<Claims, Reject> {
        let chain = self.chain.iter().cloned().map(ByteBuf::from).collect();
        let evidence = Evidence::AndroidKey { chain };
        verify_under(&self.trust_roots, &evidence, &self.collateral, &self.binding, self.now)
    }

    /// `accept`, or the code of the refusal.
    fn answer(&self) -> &'static str {
        self.ask().map_or_else(|reject| reject.code(), |_| "accept")
    }
}

fn accepted_cases() -> impl Iterator<Item = Case> {
    Case::all(TECHNOLOGY).into_iter().filter(Case::is_accepted)
}

#[test]
fn every_case_gets_its_verdict_and_its_claims() {
    for case in Case::all(TECHNOLOGY) {
        let question = Question::of(&case);
        let policy = Policy {
            require_verified_boot: case.flag("require_verified_boot"),
            require_bound: case.param("challenge").is_some(),
            ..Policy::strict()
        };
        let grant = question.ask().and_then(|claims| {
            case.check_claims(&claims);
            assert_eq!(claims.class(), Class::DeviceBoundKey);
            policy.appraise(&claims, question.now)
        });
        let verdict = match grant {
            Ok(_) => "accept".to_owned(),
            Err(reject) => format!("reject:{}", reject.code()),
        };
        assert_eq!(verdict, case.verdict(), "{}", case.id);
    }
}

#[test]
fn every_change_listed_gets_its_verdict() {
    for case in accepted_cases() {
        for (change, must) in case.negatives() {
            let mut question = Question::of(&case);
            let time = question.now.get();
            match change.as_str() {
                "time+20y" => question.now = UnixSeconds::new(time + TWENTY_YEARS),
                "time-20y" => question.now = UnixSeconds::new(time - TWENTY_YEARS),
                "wrong_root" => {
                    let marlin = case.file("../android-04-marlin-software/chain.pem");
                    let root = ders_of_pem(&marlin).pop().expect("a root");
                    question.trust_roots = TrustRoots::Only(vec![root]);
                }
                "wrong_challenge" => question.binding = Binding::Challenge(vec![0, 0xff]),
                other => panic!("{}: no such change: {other}", case.id),
            }
            let expected = match change.as_str() {
                _ if must.starts_with("accept") => "accept",
                "time+20y" => "expired",
                "time-20y" => "not-yet-valid",
                "wrong_root" => "foreign-root",
                _ => "challenge",
            };
            assert_eq!(question.answer(), expected, "{}: {change}", case.id);
        }
    }
}

#[test]
fn google_roots_given_as_trust_roots_still_make_hardware() {
    for case in accepted_cases() {
        let mut question = Question::of(&case);
        question.trust_roots = TrustRoots::Only(ders_of_pem(&case.file("../google_roots.pem")));
        assert_eq!(question.ask().map(|claims| claims.class()), Ok(Class::DeviceBoundKey));
    }
}

#[test]
fn no_byte_of_a_real_chain_can_change() {
    // No region is accepted: the frame around what is signed has one form only, and the root's
    // signature is checked although its key alone is pinned.
    for (number, case) in accepted_cases().enumerate() {
        let question = Question::of(&case);
        for certificate in 0..question.chain.len() {
            for offset in 0..question.chain[certificate].len() {
                // One bit each; every bit of the first sample.
                for bit in (0..8).filter(|bit| number == 0 || offset % 8 == *bit) {
                    let mut changed = question.clone();
                    changed.chain[certificate][offset] ^= 1 << bit;
                    assert!(changed.ask().is_err(), "{}: {certificate}, {offset}, {bit}", case.id);
                }
            }
        }
    }
}

#[test]
fn no_certificate_can_be_cut_or_left_out() {
    for case in accepted_cases() {
        let question = Question::of(&case);
        for certificate in 0..question.chain.len() {
            for length in 0..question.chain[certificate].len() {
                let mut cut = question.clone();
                cut.chain[certificate].truncate(length);
                assert_eq!(cut.answer(), "malformed", "{}: {certificate}, {length}", case.id);
            }
            let mut longer = question.clone();
            longer.chain[certificate].push(0);
            assert_eq!(longer.answer(), "malformed", "{}: {certificate}", case.id);
            let mut shorter = question.clone();
            shorter.chain.remove(certificate);
            assert!(shorter.ask().is_err(), "{}: without {certificate}", case.id);
        }
    }
}

#[test]
fn software_roots_vouch_for_nothing() {
    const ECDSA_2026: &str = "3059301306072a8648ce3d020106082a8648ce3d0301070342000432abe4f60d9c57\
        848ea3d524ae5087e60e824dd960ca26909728e90d751ff0f8d5a3dbe51428edff4c2d494d8df9f4477efa2289\
        29928afa3075e6fd8907a3e3";
    const RSA_2016: &str = "30819f300d06092a864886f70d010101050003818d0030818902818100a26badeb6e2e\
        4461efd50e82e6b794d175231f779b639163fff7aaff0b72474ec02c43ec337cd7aced403e8c28a066d5f7870b\
        3397de0eb84e1340abafa527bf9569a031db065265f844595761f0bbf2174bb7418064c0280e8f52778edbd247\
        b645e919c8e98bc3dbc2913fd7d750c41d3566f957e497960b09acce9235859b0203010001";
    for key in [ECDSA_2026, RSA_2016] {
        let mut chain = Chain::new(4, &[]);
        chain.certificates[3].spki = hex::decode(key).expect("hex");
        let mut question = chain.question();
        question.trust_roots = TrustRoots::Vendors;
        assert_eq!(question.ask(), Err(Reject::SoftwareRoot));
    }
    // A caller that pins one all the same gets what the description says.
    for case in Case::all(TECHNOLOGY).iter().filter(|case| case.verdict() == "reject:software-root")
    {
        let mut question = Question::of(case);
        question.trust_roots =
            TrustRoots::Only(vec![question.chain.last().expect("a root").clone()]);
        assert_eq!(question.ask(), Err(Reject::SoftwareKey));
    }
}

// From here on: chains of our own.

/// Certificates, leaf first, and their keys.
struct Chain {
    certificates: Vec<Certificate>,
    keys: Vec<Key>,
}

impl Chain {
    /// Leaf and root are out of date, which must not matter.
    fn new(length: usize, description: &[u8]) -> Self {
        let keys: Vec<_> = (0..length).map(|_| Key::new()).collect();
        let certificate = |(index, key): (usize, &Key)| Certificate {
            subject: format!("certificate {index}"),
            issuer: format!("certificate {}", (index + 1).min(length - 1)),
            serial: 0xa0 + index as u64,
            years: match index {
                0 => [1970, 1971],
                1 => [2020, 2022],
                root if root == length - 1 => [2000, 2001],
                _ => [2019, 2023],
            },
            spki: key.spki(),
            is_ca: index > 0,
            extensions: Vec::new(),
        };
        let mut certificates: Vec<_> = keys.iter().enumerate().map(certificate).collect();
        certificates[0].extensions.push((KEY_DESCRIPTION.to_vec(), description.to_vec()));
        Self { certificates, keys }
    }

    fn question(&self) -> Question {
        let issuers = self.keys.iter().skip(1).chain(self.keys.last());
        let chain: Vec<_> =
            self.certificates.iter().zip(issuers).map(|(body, issuer)| body.sign(issuer)).collect();
        Question {
            trust_roots: TrustRoots::Only(chain.last().cloned().into_iter().collect()),
            chain,
            collateral: Collateral::default(),
            binding: Binding::Challenge(CHALLENGE.to_vec()),
            now: UnixSeconds::new(YEAR_2021),
        }
    }

    /// What becomes of a chain of this length after a change.
    fn changed(length: usize, change: impl FnOnce(&mut Self)) -> &'static str {
        let mut chain = Self::new(length, &Description::default().description());
        change(&mut chain);
        chain.question().answer()
    }
}

type List = Vec<(u16, Vec<u8>)>;

/// A description, in parts.
#[derive(Clone)]
struct Description {
    levels: [u64; 2],
    software: List,
    hardware: List,
}

fn root_of_trust(boot_state: u64) -> Vec<u8> {
    let locked = element(&[0x01], &[&[0xff]]);
    sequence(&[&octets(&[1; 32]), &locked, &enumerated(boot_state), &octets(&[2; 32])])
}

impl Default for Description {
    fn default() -> Self {
        let purposes = element(&[0x31], &[&integer(2), &integer(3)]);
        Self {
            levels: [1, 1],
            software: vec![(701, integer(1)), (709, octets(b"application"))],
            hardware: vec![
                (1, purposes),
                (2, integer(3)),
                (503, element(&[0x05], &[])),
                (702, integer(0)),
                (704, root_of_trust(0)),
                (706, integer(202_101)),
            ],
        }
    }
}

impl Description {
    fn description(&self) -> Vec<u8> {
        let list = |fields: &List| {
            let fields: Vec<_> = fields.iter().map(|(tag, value)| tagged(*tag, value)).collect();
            sequence(&[&fields.concat()])
        };
        sequence(&[
            &integer(400),
            &enumerated(self.levels[0]),
            &integer(41),
            &enumerated(self.levels[1]),
            &octets(CHALLENGE),
            &octets(&[]),
            &list(&self.software),
            &list(&self.hardware),
        ])
    }

    /// With this value for a tag of the hardware's list; an empty one takes the tag out.
    fn with(mut self, tag: u16, value: Vec<u8>) -> Self {
        self.hardware.retain(|(other, _)| *other != tag);
        if !value.is_empty() {
            self.hardware.push((tag, value));
            self.hardware.sort_by_key(|(tag, _)| *tag);
        }
        self
    }

    fn ask(&self) -> Result<Claims, Reject> {
        Chain::new(4, &self.description()).question().ask()
    }

    fn answer(&self) -> &'static str {
        self.ask().map_or_else(|reject| reject.code(), |_| "accept")
    }
}

#[test]
fn a_root_of_ours_makes_no_hardware() {
    let claims = Description::default().ask().expect("a good description");
    assert_eq!(claims.class(), Class::Simulated);
    assert!(claims.root().starts_with("key "));
    assert_eq!(claims.boot(), BootState::Verified);
    assert_eq!(claims.measurement(), [2; 32]);
    assert_eq!(claims.binding(), CHALLENGE);
    assert!(claims.is_bound() && !claims.is_debug() && claims.platform().is_empty());
    let mut question = Chain::new(4, &Description::default().description()).question();
    question.trust_roots = TrustRoots::Vendors;
    assert_eq!(question.answer(), "foreign-root");
}

#[test]
fn the_key_must_be_born_in_hardware() {
    let level = |levels| Description { levels, ..Description::default() };
    assert_eq!(level([0, 1]).ask(), Err(Reject::SoftwareKey));
    assert_eq!(level([1, 0]).ask(), Err(Reject::SoftwareKey));
    assert_eq!(level([1, 3]).answer(), "malformed");
    let claims = level([2, 1]).ask().expect("hardware on both sides");
    let Details::Android(details) = claims.details() else { panic!("details of another kind") };
    assert_eq!(details.security_level, SecurityLevel::TrustedEnvironment);

    let origin = |value| Description::default().with(702, value);
    for other in 1..=4 {
        assert_eq!(origin(integer(other)).answer(), "mismatch", "origin {other}");
    }
    assert_eq!(origin(integer(5)).answer(), "malformed");
    // The system's word for it does not count.
    let mut moved = origin(Vec::new());
    moved.software.push((702, integer(0)));
    assert_eq!(moved.answer(), "missing");
}

#[test]
fn the_root_of_trust_must_be_the_hardwares_and_whole() {
    let boot = |value| Description::default().with(704, value);
    let mut moved = boot(Vec::new());
    moved.software.insert(1, (704, root_of_trust(0)));
    assert_eq!(moved.answer(), "missing");
    assert_eq!(boot(root_of_trust(4)).answer(), "malformed");
    for state in 1..=3 {
        let claims = boot(root_of_trust(state)).ask().expect("claims of an unverified boot");
        assert_eq!(claims.boot(), BootState::Unverified);
        let now = UnixSeconds::new(YEAR_2021);
        let policy = Policy { classes: [Class::Simulated].into(), ..Policy::strict() };
        assert_eq!(policy.appraise(&claims, now), Err(Reject::Unlocked));
    }

    let parts = |lock: u8, more: &[&[u8]]| {
        let (key, lock) = (octets(&[1; 32]), element(&[0x01], &[&[lock]]));
        boot(sequence(&[&[&key[..], &lock, &enumerated(0)], more].concat()))
    };
    let unlocked = parts(0, &[]).ask().expect("claims of an unlocked device");
    assert_eq!(unlocked.boot(), BootState::Unverified);
    // Before Android 9 there is no hash; some write an empty one.
    assert_eq!(unlocked.measurement(), [1; 32]);
    assert_eq!(parts(0xff, &[&octets(&[])]).ask().expect("claims").measurement(), [1; 32]);
    assert_eq!(parts(1, &[]).answer(), "malformed");
    assert_eq!(parts(0xff, &[&octets(&[2; 32]), &octets(&[])]).answer(), "malformed");
    assert_eq!(parts(0xff, &[&integer(1)]).answer(), "malformed");
}

#[test]
fn lists_are_strict_in_form_and_open_to_new_tags() {
    let good = Description::default();
    for tag in [710, 717, 720, 723, 724, 1_000, 16_000] {
        assert_eq!(good.clone().with(tag, octets(b"new")).answer(), "accept", "{tag}");
    }
    let hardware = |change: fn(&mut List)| {
        let mut key = Description::default();
        change(&mut key.hardware);
        key.answer()
    };
    assert_eq!(hardware(|list| list.swap(0, 1)), "malformed");
    assert_eq!(hardware(|list| list.insert(1, list[1].clone())), "malformed");
    assert_eq!(hardware(Vec::clear), "missing");
    assert_eq!(hardware(|list| list[1].1 = enumerated(3)), "malformed");
    assert_eq!(hardware(|list| list[1].1.push(0)), "malformed");
    assert_eq!(hardware(|list| list[1].1 = Vec::new()), "malformed");
    for number in [&[0x02, 2, 0, 3][..], &[0x02, 1, 0x80], &[0x02, 0], &[0x02, 0x81, 1, 3]] {
        assert_eq!(good.clone().with(2, number.to_vec()).answer(), "malformed", "{number:?}");
    }
    let largest = good.clone().with(705, integer(u64::MAX));
    assert_eq!(largest.answer(), "accept");
    assert_eq!(good.clone().with(705, [&[2, 9, 1][..], &[0; 8]].concat()).answer(), "malformed");

    // Nothing is believed of the other list, so only its form matters.
    let software = |change: fn(&mut List)| {
        let mut key = Description::default();
        change(&mut key.software);
        key.answer()
    };
    assert_eq!(software(|list| list.swap(0, 1)), "accept");
    assert_eq!(software(Vec::clear), "accept");
    assert_eq!(software(|list| list.push((709, octets(b"again")))), "malformed");
    assert_eq!(software(|list| list[0].1.push(0)), "malformed");

    let description = good.description();
    let answer = |description: &[u8]| Chain::new(4, description).question().answer();
    assert_eq!(answer(&[&description[..], &[0]].concat()), "malformed");
    // A SEQUENCE in the form of a string, and a ninth field.
    assert_eq!(answer(&[&[0x10], &description[1..]].concat()), "malformed");
    let body = &description[if description[1] == 0x81 { 3 } else { 4 }..];
    assert_eq!(answer(&sequence(&[body, &integer(9)])), "malformed");
    assert_eq!(answer(&sequence(&[body])), "accept");
}

#[test]
fn an_attested_key_attests_no_other() {
    let description = || (KEY_DESCRIPTION.to_vec(), Description::default().description());
    for above in 1..4 {
        let answer = Chain::changed(4, |chain| {
            chain.certificates[above].extensions.push(description());
        });
        assert_eq!(answer, "chain", "{above}");
    }
    assert_eq!(Chain::changed(4, |chain| chain.certificates[0].extensions.clear()), "missing");
    let twice = |chain: &mut Chain| chain.certificates[0].extensions.push(description());
    assert_eq!(Chain::changed(4, twice), "malformed");
    // Factory chains have four certificates, others five: keys certified for other ends, say a
    // protected virtual machine's, stand lower.
    let remote = |chain: &mut Chain| {
        let info = (PROVISIONING_INFO.to_vec(), vec![0xa1, 1, 1]);
        chain.certificates[1].extensions.push(info);
    };
    assert_eq!(Chain::changed(4, remote), "accept");
    assert_eq!(Chain::changed(5, remote), "accept");
    assert_eq!(Chain::changed(6, remote), "chain");
    assert_eq!(Chain::changed(3, |_| {}), "accept");
    assert_eq!(Chain::changed(5, |_| {}), "chain");
    assert_eq!(Chain::changed(2, |_| {}), "malformed");
    assert_eq!(Chain::changed(1, |_| {}), "malformed");
}

#[test]
fn every_link_must_hold() {
    assert_eq!(Chain::changed(4, |chain| chain.certificates[0].issuer.push('x')), "mismatch");
    for broken in 1..4 {
        assert_eq!(Chain::changed(4, |chain| chain.keys[broken] = Key::new()), "signature");
    }
    let mut question = Chain::new(4, &Description::default().description()).question();
    question.chain.swap(1, 2);
    assert_eq!(question.answer(), "mismatch");
    question.chain.clear();
    assert_eq!(question.answer(), "malformed");
    question.chain = vec![vec![0x30, 0]; 17];
    assert_eq!(question.answer(), "malformed");
}

#[test]
fn dates_count_where_google_keeps_them() {
    let ask = |chain: &Chain, time| {
        let question = Question { now: UnixSeconds::new(time), ..chain.question() };
        question.ask().map(|claims| claims.validity())
    };
    let starts = UnixSeconds::new(YEAR_2020);
    let factory = Chain::new(4, &Description::default().description());
    let forever = Validity { not_before: starts, not_after: UnixSeconds::new(u64::MAX) };
    assert_eq!(ask(&factory, YEAR_2020), Ok(forever));
    assert_eq!(ask(&factory, YEAR_2022 + TWENTY_YEARS), Ok(forever));
    assert!(matches!(ask(&factory, YEAR_2020 - 1), Err(Reject::NotYetValid { .. })));

    let mut by_extension = Chain::new(4, &Description::default().description());
    by_extension.certificates[1].extensions.push((PROVISIONING_INFO.to_vec(), vec![0xa0]));
    let mut by_name = Chain::new(4, &Description::default().description());
    by_name.certificates[2].subject = "Droid CA2".into();
    by_name.certificates[1].issuer = "Droid CA2".into();
    for remote in [by_extension, by_name] {
        let window = Validity { not_before: starts, not_after: UnixSeconds::new(YEAR_2022) };
        assert_eq!(ask(&remote, YEAR_2022), Ok(window));
        assert!(matches!(ask(&remote, YEAR_2022 + 1), Err(Reject::Expired { .. })));
        assert!(matches!(ask(&remote, YEAR_2020 - 1), Err(Reject::NotYetValid { .. })));
    }
}

#[test]
fn a_revoked_serial_anywhere_refuses_the_chain() {
    let question = Chain::new(4, &Description::default().description()).question();
    let with = |serial: &str| {
        let mut question = question.clone();
        question.collateral.revoked.insert(serial.into());
        question.answer()
    };
    for serial in ["a0", "a1", "a2", "a3", "A2", "00a2"] {
        assert_eq!(with(serial), "revoked", "{serial}");
    }
    for serial in ["a4", "2", "a", "", "0", "a20"] {
        assert_eq!(with(serial), "accept", "{serial}");
    }
}

#[test]
fn garbage_is_refused() {
    let mut random = Random(0x6d65_7368_785f_3031);
    let mut question = Chain::new(4, &Description::default().description()).question();
    for _ in 0..2_000 {
        let count = random.below(6);
        question.chain = (0..count)
            .map(|_| {
                let length = random.below(300);
                random.bytes(length)
            })
            .collect();
        assert_eq!(question.answer(), "malformed");
    }
    // Descriptions that are signed and almost right: any answer will do, as long as there is one.
    let good = Description::default().description();
    let mut refused = 0;
    for length in 0..good.len() {
        assert_eq!(Chain::new(4, &good[..length]).question().answer(), "malformed", "{length}");
    }
    for _ in 0..2_000 {
        let mut description = good.clone();
        for _ in 0..=random.below(3) {
            let place = random.below(description.len());
            description[place] = random.bytes(1)[0];
        }
        refused += usize::from(Chain::new(4, &description).question().ask().is_err());
    }
    assert!(refused > 1_000, "{refused}");
}
