//! RFC 9381's vectors, what must be refused, and keys that only an attacker makes.

use crypto::{BadVrf, SigningKey, VRF_PROOF_BYTES, VrfKey, VrfProof, VrfPublicKey, VrfSuite};
use curve25519_dalek::{
    EdwardsPoint, Scalar, constants::EIGHT_TORSION, edwards::CompressedEdwardsY,
};
use sha2::{Digest as _, Sha512};

struct Vector {
    suite: VrfSuite,
    seed: [u8; 32],
    public: [u8; 32],
    alpha: Vec<u8>,
    proof: [u8; VRF_PROOF_BYTES],
    output: [u8; 64],
}

/// One of each suite, of RFC 9381 B.3 and B.4 (examples 17 and 20): seed, key, message, proof, output.
const KNOWN: [(VrfSuite, [&str; 5]); 2] = [
    (
        VrfSuite::Tai,
        [
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "f3141cd382dc42909d19ec5110469e4feae18300e94f304590abdced48aed5933bf0864a62558b3ed7f2fea45c92a465301b3bbf5e3e54ddf2d935be3b67926da3ef39226bbc355bdc9850112c8f4b02",
            "eb4440665d3891d668e7e0fcaf587f1b4bd7fbfe99d0eb2211ccec90496310eb5e33821bc613efb94db5e5b54c70a848a0bef4553a41befc57663b56373a5031",
        ],
    ),
    (
        VrfSuite::Ell2,
        [
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "47b327393ff2dd81336f8a2ef10339112401253b3c714eeda879f12c509072ef055b48372bb82efbdce8e10c8cb9a2f9d60e93908f93df1623ad78a86a028d6bc064dbfc75a6a57379ef855dc6733801",
            "38561d6b77b71d30eb97a062168ae12b667ce5c28caccdf76bc88e093e4635987cd96814ce55b4689b3dd2947f80e59aac7b7675f8083865b46c89b2ce9cc735",
        ],
    ),
];

impl Vector {
    fn new(suite: VrfSuite, [seed, public, alpha, proof, output]: [&str; 5]) -> Self {
        fn bytes<const N: usize>(text: &str) -> [u8; N] {
            hex::decode(text).unwrap().try_into().unwrap()
        }
        let alpha = hex::decode(alpha).unwrap();
        let (seed, public, proof, output) =
            (bytes(seed), bytes(public), bytes(proof), bytes(output));
        Self { suite, seed, public, alpha, proof, output }
    }

    fn known() -> impl Iterator<Item = Self> {
        KNOWN.into_iter().map(|(suite, fields)| Self::new(suite, fields))
    }

    fn verifies(&self) -> bool {
        verifies(self.suite, self.public, &self.alpha, &self.proof)
    }

    fn check(&self) {
        let key = VrfKey::from_seed(&self.seed);
        assert_eq!(key.public(), self.public);
        let proof = key.prove(self.suite, &self.alpha);
        assert_eq!(proof.to_bytes(), self.proof);
        let public = VrfPublicKey::new(self.public).unwrap();
        let output = public.verify(self.suite, &self.alpha, &proof).unwrap();
        assert_eq!(output.0, self.output);
        assert_eq!(proof.claimed_output(self.suite), output);
    }
}

fn verifies(suite: VrfSuite, public: [u8; 32], alpha: &[u8], proof: &[u8; 80]) -> bool {
    let verified = VrfPublicKey::new(public).and_then(|public| {
        let proof = VrfProof::from_bytes(proof)?;
        public.verify(suite, alpha, &proof)
    });
    verified.is_ok()
}

#[test]
fn the_vectors_of_the_rfc_hold() {
    Vector::known().for_each(|vector| vector.check());
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    for (suite, file) in [
        (VrfSuite::Tai, "rfc9381_b3_edwards25519_sha512_tai.json"),
        (VrfSuite::Ell2, "rfc9381_b4_edwards25519_sha512_ell2.json"),
    ] {
        let Ok(text) = std::fs::read_to_string(format!("{folder}/{file}")) else {
            eprintln!("skipped: ../shared/vectors/{file} is not here");
            continue;
        };
        let file: serde_json::Value = serde_json::from_str(&text).unwrap();
        let vectors = file["vectors"].as_array().unwrap();
        assert!(!vectors.is_empty());
        for vector in vectors {
            let fields =
                ["sk", "pk", "alpha", "pi", "beta"].map(|name| vector[name].as_str().unwrap());
            Vector::new(suite, fields).check();
        }
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    for vector in Vector::known() {
        assert!(vector.verifies());
        for bit in 0..8 * VRF_PROOF_BYTES {
            let mut proof = vector.proof;
            proof[bit / 8] ^= 1 << (bit % 8);
            assert!(
                !verifies(vector.suite, vector.public, &vector.alpha, &proof),
                "proof bit {bit}"
            );
        }
        for bit in 0..256 {
            let mut public = vector.public;
            public[bit / 8] ^= 1 << (bit % 8);
            assert!(!verifies(vector.suite, public, &vector.alpha, &vector.proof), "key bit {bit}");
        }
        for bit in 0..8 * vector.alpha.len() {
            let mut alpha = vector.alpha.clone();
            alpha[bit / 8] ^= 1 << (bit % 8);
            assert!(!verifies(vector.suite, vector.public, &alpha, &vector.proof), "bit {bit}");
        }
        let other = if vector.suite == VrfSuite::Tai { VrfSuite::Ell2 } else { VrfSuite::Tai };
        assert!(!verifies(other, vector.public, &vector.alpha, &vector.proof), "another suite");
    }
}

/// `bytes + 2^252 + 27742317777372353535851937790883648493`, if that still has 32 bytes.
fn plus_order(bytes: &[u8]) -> Option<[u8; 32]> {
    let minus_one = (-Scalar::ONE).to_bytes();
    let (mut sum, mut carry) = ([0; 32], 1_u16);
    for (index, byte) in sum.iter_mut().enumerate() {
        carry += u16::from(bytes[index]) + u16::from(minus_one[index]);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    (carry == 0).then_some(sum)
}

#[test]
fn a_scalar_has_one_form() {
    for vector in Vector::known() {
        let mut s = <[u8; 32]>::try_from(&vector.proof[48..]).unwrap();
        let mut tried = 0;
        while let Some(next) = plus_order(&s) {
            s = next;
            let mut proof = vector.proof;
            proof[48..].copy_from_slice(&s);
            assert_eq!(VrfProof::from_bytes(&proof), Err(BadVrf::Proof));
            tried += 1;
        }
        assert!(tried >= 14, "{tried} further forms of s");
    }
}

#[test]
fn keys_and_points_have_one_form_and_no_small_order() {
    let alpha = b"alpha";
    let proof = VrfKey::from_seed(&[7; 32]).prove(VrfSuite::Ell2, alpha).to_bytes();
    let mut strange = 0;
    // Both signs of every y near 0, p and 2^255, and the torsion points.
    let mut near = [[0; 32], [0xff; 32]].to_vec();
    near.extend(EIGHT_TORSION.iter().map(|point| point.compress().0));
    for base in near {
        for low in 0..=255 {
            for sign in [0, 0x80] {
                let mut bytes = base;
                bytes[0] = low;
                bytes[31] = bytes[31] & 0x7f | sign;
                let Some(point) = CompressedEdwardsY(bytes).decompress() else {
                    assert!(VrfPublicKey::new(bytes).is_err());
                    continue;
                };
                let canonical = point.compress().0 == bytes;
                let good = canonical && !point.is_small_order();
                assert_eq!(VrfPublicKey::new(bytes).is_ok(), good, "{}", hex::encode(bytes));
                let mut with = proof;
                with[..32].copy_from_slice(&bytes);
                assert_eq!(
                    VrfProof::from_bytes(&with).is_ok(),
                    canonical,
                    "{}",
                    hex::encode(bytes)
                );
                strange += u32::from(!canonical);
            }
        }
    }
    assert!(strange > 10, "{strange} points in two forms");
}

/// What an attacker who made a key with torsion would send: by the equations, not by this crate.
fn forged(
    x: Scalar,
    key: EdwardsPoint,
    gamma: impl Fn(EdwardsPoint) -> EdwardsPoint,
    alpha: &[u8],
) -> ([u8; 32], [u8; 80]) {
    let bytes = key.compress().0;
    let dst: &[u8] = b"ECVRF_edwards25519_XMD:SHA-512_ELL2_NU_\x04";
    let h = EdwardsPoint::encode_to_curve::<Sha512>(&[&bytes, alpha], &[dst]);
    let gamma = gamma(h * x);
    // Torsion vanishes when the challenge is a multiple of eight.
    for nonce in 1_u64.. {
        let k = Scalar::from(nonce);
        let (u, v) = (EdwardsPoint::mul_base(&k), h * k);
        let mut hash = Sha512::new();
        hash.update([4, 2]);
        hash.update(bytes);
        [h, gamma, u, v].iter().for_each(|point| hash.update(point.compress().0));
        hash.update([0]);
        let c: [u8; 16] = hash.finalize()[..16].try_into().unwrap();
        if c[0].is_multiple_of(8) {
            let s = k + Scalar::from(u128::from_le_bytes(c)) * x;
            let mut proof = [0; 80];
            proof[..32].copy_from_slice(&gamma.compress().0);
            proof[32..48].copy_from_slice(&c);
            proof[48..].copy_from_slice(s.as_bytes());
            return (bytes, proof);
        }
    }
    unreachable!("one challenge of eight")
}

#[test]
fn torsion_gives_nobody_a_second_output() {
    let (x, alpha) = (Scalar::from(0x1234_5678_9abc_def1_u64), b"epoch 7");
    let plain = EdwardsPoint::mul_base(&x);
    for torsion in EIGHT_TORSION {
        let key = plain + torsion;
        let mut outputs = Vec::new();
        for shift in EIGHT_TORSION {
            let (bytes, proof) = forged(x, key, |gamma| gamma + shift, alpha);
            let public = VrfPublicKey::new(bytes).unwrap();
            let proof = VrfProof::from_bytes(&proof).unwrap();
            // Such a proof is the RFC's to accept; what counts is that all of them say the same.
            outputs.push(public.verify(VrfSuite::Ell2, alpha, &proof).unwrap());
        }
        assert!(outputs.windows(2).all(|pair| pair[0] == pair[1]), "one key, one output");
    }
}

#[test]
fn a_key_beside_another_shares_no_secret_with_it() {
    let signing = SigningKey::from_seed(&[7; 32]);
    let beside = VrfKey::beside(&signing);
    assert_ne!(beside.public(), signing.public());
    assert_eq!(
        VrfKey::from_seed(&[7; 32]).public(),
        signing.public(),
        "what the derivation avoids"
    );
    assert!(!format!("{beside:?}").contains("x:"), "{beside:?}");
    // Deterministic, and another message's proof proves nothing.
    let suite = VrfSuite::default();
    assert_eq!(beside.prove(suite, b"a"), beside.prove(suite, b"a"));
    let public = VrfPublicKey::new(beside.public()).unwrap();
    assert_eq!(public.verify(suite, b"b", &beside.prove(suite, b"a")), Err(BadVrf::Mismatch));
}
