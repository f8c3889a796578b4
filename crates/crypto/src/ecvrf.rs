//! ECVRF over edwards25519 with SHA-512 (RFC 9381): output that only the key's owner can compute and anybody can check.
//!
//! Ours, because no published crate is right in all of this: `s` is below the group's order, points have one encoding, a
//! key of small order is no key, and with a key that has torsion the *point* is negated, not the challenge (the two differ
//! there, and validators must not). Suite 4 (ELL2) is MeshX's; suite 3 (TAI) is for comparison with others.

use crate::{SigningKey, public_key};
use curve25519_dalek::{
    EdwardsPoint, Scalar,
    edwards::CompressedEdwardsY,
    scalar::clamp_integer,
    traits::{IsIdentity as _, VartimeMultiscalarMul as _},
};
use sha2::{Digest as _, Sha512};
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

/// Bytes of a proof: point (32), challenge (16), scalar (32).
pub const VRF_PROOF_BYTES: usize = 80;
/// Bytes of an output.
pub const VRF_OUTPUT_BYTES: usize = 64;
/// RFC 9381 §5.5: `"ECVRF_" ‖ h2c_suite_ID_string ‖ suite_string`.
const ELL2_DST: &[u8] = b"ECVRF_edwards25519_XMD:SHA-512_ELL2_NU_\x04";
/// Domain separators of RFC 9381 §5.4 and §5.2.
const ENCODE: u8 = 1;
const CHALLENGE: u8 = 2;
const OUTPUT: u8 = 3;
const BACK: u8 = 0;

/// How a message becomes a point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum VrfSuite {
    /// ECVRF-EDWARDS25519-SHA512-TAI: hashes until one is a point, so its time depends on the message.
    Tai = 3,
    /// ECVRF-EDWARDS25519-SHA512-ELL2: Elligator 2, in constant time.
    #[default]
    Ell2 = 4,
}

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum BadVrf {
    /// RFC 9381 §5.4.5, and one encoding for each key.
    #[error("the VRF key is not a canonically encoded point of the curve, or has small order")]
    Key,
    #[error(
        "the proof is not a point of the curve, a challenge, and a scalar below the group's order"
    )]
    Proof,
    #[error("the proof is for another key or another message")]
    Mismatch,
}

/// A point, if these are the bytes that encode it.
fn point_of(bytes: &[u8; 32]) -> Option<EdwardsPoint> {
    // RFC 8032 §5.1.3 refuses y ≥ p and a negative zero, which the library reads.
    CompressedEdwardsY(*bytes).decompress().filter(|point| point.compress().0 == *bytes)
}

fn hash(parts: &[&[u8]]) -> [u8; 64] {
    let mut hash = Sha512::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

fn first<const N: usize>(bytes: &[u8; 64]) -> [u8; N] {
    *bytes.first_chunk().expect("at most 64 of them")
}

/// RFC 9381 §5.4.1: the point of `alpha` under the key `salt`.
fn encode_to_curve(suite: VrfSuite, salt: &[u8; 32], alpha: &[u8]) -> EdwardsPoint {
    match suite {
        VrfSuite::Ell2 => EdwardsPoint::encode_to_curve::<Sha512>(&[salt, alpha], &[ELL2_DST]),
        VrfSuite::Tai => (0..=u8::MAX)
            .find_map(|counter| {
                let hash = hash(&[&[suite as u8, ENCODE], salt, alpha, &[counter, BACK]]);
                let point = point_of(&first(&hash))?.mul_by_cofactor();
                (!point.is_identity()).then_some(point)
            })
            .expect("256 hashes of which each is a point with probability one half"),
    }
}

/// RFC 9381 §5.4.3.
fn challenge(suite: VrfSuite, points: [&[u8; 32]; 5]) -> [u8; 16] {
    let [key, h, gamma, u, v] = points;
    first(&hash(&[&[suite as u8, CHALLENGE], key, h, gamma, u, v, &[BACK]]))
}

fn scalar_of(challenge: [u8; 16]) -> Scalar {
    Scalar::from(u128::from_le_bytes(challenge))
}

/// RFC 9381 §5.2.
fn output(suite: VrfSuite, cleared: &[u8; 32]) -> VrfOutput {
    VrfOutput(hash(&[&[suite as u8, OUTPUT], cleared, &[BACK]]))
}

/// A secret key. Wiped when dropped, never printed.
#[derive(ZeroizeOnDrop)]
pub struct VrfKey {
    x: Scalar,
    /// The second half of the seed's hash, from which nonces come (RFC 8032 §5.1.6).
    prefix: [u8; 32],
    #[zeroize(skip)]
    public: [u8; 32],
}

impl VrfKey {
    /// The key that grows from `seed`: 32 bytes nobody can guess, and no Ed25519 key's. Both schemes hash the seed alike; the
    /// same nonce under two challenges gives the secret away.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let expanded = Zeroizing::new(hash(&[seed]));
        let mut low: [u8; 32] = first(&expanded);
        let x = Scalar::from_bytes_mod_order(clamp_integer(low));
        low.zeroize();
        let mut prefix = [0; 32];
        prefix.copy_from_slice(&expanded[32..]);
        Self { x, prefix, public: EdwardsPoint::mul_base(&x).compress().0 }
    }

    /// The VRF key that belongs to `key`: its seed follows from that key's through a hash, so that they share nothing.
    #[must_use]
    pub fn beside(key: &SigningKey) -> Self {
        let seed = Zeroizing::new(blake3::derive_key("meshx/vrf-key/v1", key.seed().as_slice()));
        Self::from_seed(&seed)
    }

    /// The key that others check with.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.public
    }

    /// The proof of this key's output for `alpha` (RFC 9381 §5.1).
    #[must_use]
    pub fn prove(&self, suite: VrfSuite, alpha: &[u8]) -> VrfProof {
        let h = encode_to_curve(suite, &self.public, alpha);
        let gamma = h * self.x;
        let h_bytes = h.compress().0;
        let mut k = Scalar::from_bytes_mod_order_wide(&hash(&[&self.prefix, &h_bytes]));
        let points = [gamma, EdwardsPoint::mul_base(&k), h * k];
        let [gamma_bytes, u, v] = EdwardsPoint::compress_batch(&points).map(|point| point.0);
        let c = challenge(suite, [&self.public, &h_bytes, &gamma_bytes, &u, &v]);
        let s = k + scalar_of(c) * self.x;
        k.zeroize();
        VrfProof { gamma, gamma_bytes, c, s }
    }
}

impl std::fmt::Debug for VrfKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VrfKey(public {})", hex::encode(self.public))
    }
}

/// A public key that is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VrfPublicKey {
    bytes: [u8; 32],
    point: EdwardsPoint,
}

impl VrfPublicKey {
    /// The key in 32 bytes of somebody else: a point of the curve, in its one encoding and not of small order.
    ///
    /// # Errors
    /// [`BadVrf::Key`].
    pub fn new(bytes: [u8; 32]) -> Result<Self, BadVrf> {
        public_key::check(&bytes).map_err(|_| BadVrf::Key)?;
        let point = point_of(&bytes).ok_or(BadVrf::Key)?;
        Ok(Self { bytes, point })
    }

    /// The key's 32 bytes: a compressed point (RFC 9381, 5.5).
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.bytes
    }

    /// The output for `alpha`, if `proof` is this key's for it (RFC 9381 §5.3).
    ///
    /// # Errors
    /// [`BadVrf::Mismatch`].
    pub fn verify(
        &self,
        suite: VrfSuite,
        alpha: &[u8],
        proof: &VrfProof,
    ) -> Result<VrfOutput, BadVrf> {
        let points = self.points(suite, alpha, proof);
        let encoded = EdwardsPoint::compress_batch(&points).map(|point| point.0);
        self.verdict(suite, proof, &encoded)
    }

    /// What the verdict hangs on: `H`, `U`, `V` and the cleared `Γ` (RFC 9381 §5.3, steps 4 to 6, and §5.2).
    pub(crate) fn points(
        &self,
        suite: VrfSuite,
        alpha: &[u8],
        proof: &VrfProof,
    ) -> [EdwardsPoint; 4] {
        let h = encode_to_curve(suite, &self.bytes, alpha);
        let c = scalar_of(proof.c);
        // Not in one go: the base point has a table, and the challenge alone needs half the doublings.
        let c_key =
            EdwardsPoint::vartime_double_scalar_mul_basepoint(&c, &self.point, &Scalar::ZERO);
        let u = EdwardsPoint::mul_base(&proof.s) - c_key;
        let v = EdwardsPoint::vartime_multiscalar_mul([proof.s, c], [h, -proof.gamma]);
        [h, u, v, proof.gamma.mul_by_cofactor()]
    }

    /// The verdict, from the encodings of [`points`](Self::points).
    pub(crate) fn verdict(
        &self,
        suite: VrfSuite,
        proof: &VrfProof,
        [h, u, v, cleared]: &[[u8; 32]; 4],
    ) -> Result<VrfOutput, BadVrf> {
        if challenge(suite, [&self.bytes, h, &proof.gamma_bytes, u, v]) != proof.c {
            return Err(BadVrf::Mismatch);
        }
        Ok(output(suite, cleared))
    }
}

/// A proof in its one encoding. Whose it is, and of what, is still to be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VrfProof {
    gamma: EdwardsPoint,
    gamma_bytes: [u8; 32],
    c: [u8; 16],
    s: Scalar,
}

impl VrfProof {
    /// RFC 9381 §5.4.4.
    ///
    /// # Errors
    /// [`BadVrf::Proof`].
    pub fn from_bytes(bytes: &[u8; VRF_PROOF_BYTES]) -> Result<Self, BadVrf> {
        let (gamma_bytes, rest) = bytes.split_first_chunk::<32>().ok_or(BadVrf::Proof)?;
        let (c, s) = rest.split_first_chunk::<16>().ok_or(BadVrf::Proof)?;
        let s = s.first_chunk::<32>().ok_or(BadVrf::Proof)?;
        Ok(Self {
            gamma: point_of(gamma_bytes).ok_or(BadVrf::Proof)?,
            gamma_bytes: *gamma_bytes,
            c: *c,
            s: Option::from(Scalar::from_canonical_bytes(*s)).ok_or(BadVrf::Proof)?,
        })
    }

    /// The proof's 80 bytes: gamma, challenge, response (RFC 9381, 5.4).
    #[must_use]
    pub fn to_bytes(&self) -> [u8; VRF_PROOF_BYTES] {
        let mut bytes = [0; VRF_PROOF_BYTES];
        bytes[..32].copy_from_slice(&self.gamma_bytes);
        bytes[32..48].copy_from_slice(&self.c);
        bytes[48..].copy_from_slice(self.s.as_bytes());
        bytes
    }

    /// What the proof says the output is. Only [`VrfPublicKey::verify`] says whether that is so.
    #[must_use]
    pub fn claimed_output(&self, suite: VrfSuite) -> VrfOutput {
        output(suite, &self.gamma.mul_by_cofactor().compress().0)
    }
}

/// What nobody could foresee, and nobody can choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VrfOutput(pub [u8; VRF_OUTPUT_BYTES]);
