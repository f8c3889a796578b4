//! Signatures nobody honest would make: alone or in a batch, the verdict is one.

use crypto::{BadSignature, Signed, SigningKey, verify, verify_batch};
use curve25519_dalek::{
    EdwardsPoint, Scalar,
    constants::{ED25519_BASEPOINT_POINT as B, EIGHT_TORSION},
    edwards::CompressedEdwardsY,
};
use ed25519_zebra::{Signature, VerificationKey};
use sha2::{Digest, Sha512};

const DOMAIN: &str = "meshx/test/v1";
const MESSAGE: &[u8] = b"Zcash";

#[derive(Clone)]
struct Case {
    public: [u8; 32],
    signature: [u8; 64],
    expected: Result<(), BadSignature>,
}

impl Case {
    fn signed(&self) -> Signed<'_> {
        Signed {
            public: &self.public,
            domain: DOMAIN,
            message: MESSAGE,
            signature: &self.signature,
        }
    }
    fn alone(&self) -> Result<(), BadSignature> {
        verify(&self.public, DOMAIN, MESSAGE, &self.signature)
    }
    /// What plain ZIP-215 says, without our two extra rules about keys.
    fn zebra(&self) -> bool {
        VerificationKey::try_from(self.public)
            .and_then(|key| key.verify(&Signature::from_bytes(&self.signature), &framed()))
            .is_ok()
    }
}

fn framed() -> Vec<u8> {
    [&[DOMAIN.len() as u8], DOMAIN.as_bytes(), MESSAGE].concat()
}

fn challenge(r: [u8; 32], public: [u8; 32]) -> Scalar {
    let hash = Sha512::new().chain_update(r).chain_update(public).chain_update(framed()).finalize();
    Scalar::from_bytes_mod_order_wide(&hash.into())
}

fn join(r: [u8; 32], s: [u8; 32]) -> [u8; 64] {
    [r, s].concat().try_into().unwrap()
}

fn encode(point: EdwardsPoint) -> [u8; 32] {
    point.compress().0
}

/// The 14 encodings of the 8 small-order points: 8 canonical, 6 not.
fn small_order_encodings() -> Vec<[u8; 32]> {
    let mut all: Vec<_> = EIGHT_TORSION.iter().map(|&point| encode(point)).collect();
    let p = |low: u8, top: u8| {
        let mut bytes = [0xff; 32];
        (bytes[0], bytes[31]) = (low, top);
        bytes
    };
    let mut one_with_sign = [0; 32];
    (one_with_sign[0], one_with_sign[31]) = (1, 0x80);
    // (0, 1) with sign; (0, -1) with sign; y = p, twice; y = p + 1, twice.
    all.extend([
        one_with_sign,
        p(0xec, 0xff),
        p(0xed, 0x7f),
        p(0xed, 0xff),
        p(0xee, 0x7f),
        p(0xee, 0xff),
    ]);
    for encoding in &all {
        assert!(CompressedEdwardsY(*encoding).decompress().unwrap().is_small_order());
    }
    assert_eq!(all.len(), 14);
    all
}

/// ZIP-215's 196 signatures: small-order key, small-order R, s = 0. ZIP-215 takes all, we none.
fn small_order_cases() -> Vec<Case> {
    let encodings = small_order_encodings();
    let mut cases = vec![];
    for &public in &encodings {
        for &r in &encodings {
            let y_below_p =
                public[31] & 0x7f != 0x7f || public[1..31] != [0xff; 30] || public[0] < 0xed;
            let why =
                if y_below_p { BadSignature::KeySmallOrder } else { BadSignature::KeyNotCanonical };
            let case = Case { public, signature: join(r, [0; 32]), expected: Err(why) };
            assert!(case.zebra());
            cases.push(case);
        }
    }
    assert_eq!(cases.len(), 196);
    cases
}

/// Signatures by someone who knows his secret and bends everything he can.
fn crafted_cases() -> Vec<Case> {
    let (a, r) = (Scalar::from(0x1234_5678_9abc_u64), Scalar::from(0xfeed_beef_u64));
    let mut cases = vec![];
    for torsion_a in EIGHT_TORSION {
        let public = encode(a * B + torsion_a);
        for torsion_r in EIGHT_TORSION {
            // R or A or both of mixed order: the cofactored equation holds.
            let point_r = encode(r * B + torsion_r);
            let s = r + challenge(point_r, public) * a;
            cases.push(Case { public, signature: join(point_r, s.to_bytes()), expected: Ok(()) });
            // s + ℓ is the same number written twice.
            let mut above = [0; 32];
            let mut carry = 0;
            let order = (Scalar::ZERO - Scalar::ONE).to_bytes(); // ℓ - 1
            for (i, byte) in above.iter_mut().enumerate() {
                let sum =
                    u16::from(s.to_bytes()[i]) + u16::from(order[i]) + u16::from(i == 0) + carry;
                *byte = sum as u8;
                carry = sum >> 8;
            }
            cases.push(Case {
                public,
                signature: join(point_r, above),
                expected: Err(BadSignature::Mismatch),
            });
            // One off.
            let off = (s + Scalar::ONE).to_bytes();
            cases.push(Case {
                public,
                signature: join(point_r, off),
                expected: Err(BadSignature::Mismatch),
            });
        }
        // R of small order, also in its second encodings: the equation does not see it.
        for point_r in small_order_encodings() {
            let s = challenge(point_r, public) * a;
            cases.push(Case { public, signature: join(point_r, s.to_bytes()), expected: Ok(()) });
        }
    }
    // R and A that are no points: y = 2 has no x.
    let mut no_point = [0; 32];
    no_point[0] = 2;
    assert!(CompressedEdwardsY(no_point).decompress().is_none());
    let good = encode(a * B);
    cases.push(Case {
        public: good,
        signature: join(no_point, [0; 32]),
        expected: Err(BadSignature::Mismatch),
    });
    cases.push(Case {
        public: no_point,
        signature: join(good, [0; 32]),
        expected: Err(BadSignature::KeyNotAPoint),
    });
    // A key in a second encoding that is not of small order: y = p + 3 and so on, where a point.
    for low in 0xef..=0xff {
        let mut public = [0xff; 32];
        (public[0], public[31]) = (low, 0x7f);
        cases.push(Case {
            public,
            signature: join(good, [0; 32]),
            expected: Err(BadSignature::KeyNotCanonical),
        });
    }
    cases
}

fn honest_cases(count: u8) -> Vec<Case> {
    let case = |seed| {
        let key = SigningKey::from_seed(&[seed; 32]);
        Case { public: key.public(), signature: key.sign(DOMAIN, MESSAGE), expected: Ok(()) }
    };
    (0..count).map(case).collect()
}

fn check(cases: &[Case]) {
    let signed: Vec<_> = cases.iter().map(Case::signed).collect();
    let expected: Vec<_> = cases.iter().map(|case| case.expected).collect();
    assert_eq!(verify_batch(&signed), expected);
}

#[test]
fn each_crafted_signature_has_the_expected_verdict_alone_and_in_a_batch_of_one() {
    for case in small_order_cases().iter().chain(&crafted_cases()).chain(&honest_cases(8)) {
        assert_eq!(case.alone(), case.expected, "{:?} {:?}", case.public, case.signature);
        check(std::slice::from_ref(case));
        if case.expected == Err(BadSignature::Mismatch) {
            assert!(!case.zebra());
        }
    }
}

#[test]
fn all_valid_edge_cases_pass_as_one_batch() {
    let mut valid: Vec<_> =
        crafted_cases().into_iter().filter(|case| case.expected.is_ok()).collect();
    assert_eq!(valid.len(), 8 * (8 + 14));
    valid.extend(honest_cases(40));
    check(&valid);
    check(&[]);
}

#[test]
fn keys_refused_beforehand_do_not_spoil_the_batch() {
    check(&[small_order_cases(), honest_cases(20)].concat());
}

#[test]
fn random_mixtures_get_the_verdicts_of_each_alone() {
    let pool = [small_order_cases(), crafted_cases(), honest_cases(60)].concat();
    let mut state = 0x6d65_7368_7821_u64; // splitmix64
    let mut draw = |below: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as usize % below
    };
    for round in 0..60 {
        let mut cases: Vec<_> = (0..draw(24)).map(|_| pool[draw(pool.len())].clone()).collect();
        if round % 3 == 0 {
            cases.retain(|case| case.expected.is_ok());
        }
        check(&cases);
    }
}

#[test]
fn the_culprit_is_named_and_the_others_pass() {
    let mut cases = honest_cases(33);
    cases[17].signature[40] ^= 1;
    cases[17].expected = Err(BadSignature::Mismatch);
    check(&cases);
}

#[test]
fn swapped_errors_do_not_cancel() {
    // s₁ + d and s₂ - d: a batch without random coefficients would accept the pair.
    let mut cases = honest_cases(2);
    let s = |case: &Case| {
        Scalar::from_canonical_bytes(case.signature[32..].try_into().unwrap()).unwrap()
    };
    let (first, second) = (s(&cases[0]) + Scalar::from(5u8), s(&cases[1]) - Scalar::from(5u8));
    cases[0].signature[32..].copy_from_slice(first.as_bytes());
    cases[1].signature[32..].copy_from_slice(second.as_bytes());
    cases.iter_mut().for_each(|case| case.expected = Err(BadSignature::Mismatch));
    check(&cases);
}
