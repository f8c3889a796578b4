//! Who a peer is: an Ed25519 key, and the X25519 key that follows from it.

use crypto::SigningKey;
use curve25519_dalek::{MontgomeryPoint, edwards::CompressedEdwardsY};
use sha2::{Digest as _, Sha512};
use zeroize::Zeroizing;

/// What a binding signs under.
const DOMAIN: &str = "meshx/ik/1";

/// One's own identity: signs nothing but its binding, once.
#[derive(Clone)]
pub struct Identity {
    ed25519: [u8; 32],
    x25519: Zeroizing<[u8; 32]>,
    binding: [u8; 64],
}

impl Identity {
    /// The identity of `key`. Its X25519 secret is the first half of SHA-512 of the seed, as Ed25519 itself uses
    /// it (RFC 8032, section 5.1.5).
    pub fn new(key: &SigningKey) -> Self {
        let expanded = Zeroizing::new(<[u8; 64]>::from(Sha512::digest(*key.seed())));
        let x25519 = Zeroizing::new(*expanded.first_chunk().expect("SHA-512 has 64 bytes"));
        let image = MontgomeryPoint::mul_base_clamped(*x25519).to_bytes();
        Self { ed25519: key.public(), x25519, binding: key.sign(DOMAIN, &image) }
    }

    /// The Ed25519 public key that names this identity.
    pub fn public(&self) -> [u8; 32] {
        self.ed25519
    }

    pub(crate) fn x25519(&self) -> &[u8; 32] {
        &self.x25519
    }

    pub(crate) fn binding(&self) -> &[u8; 64] {
        &self.binding
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", hex::encode(self.ed25519))
    }
}

/// Another's identity, checked: a point of prime order, with its X25519 image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerIdentity {
    ed25519: [u8; 32],
    x25519: [u8; 32],
}

impl PeerIdentity {
    /// The identity of somebody else in the 32 bytes of its Ed25519 key.
    ///
    /// # Errors
    /// [`BadIdentity`]: not a point, or one with torsion: several such keys share one image.
    pub fn new(ed25519: [u8; 32]) -> Result<Self, BadIdentity> {
        let point = CompressedEdwardsY(ed25519).decompress().ok_or(BadIdentity::NoPoint)?;
        if point.is_small_order() || !point.is_torsion_free() {
            return Err(BadIdentity::Torsion);
        }
        Ok(Self { ed25519, x25519: point.to_montgomery().to_bytes() })
    }

    /// The Ed25519 public key.
    pub fn public(&self) -> [u8; 32] {
        self.ed25519
    }

    pub(crate) fn x25519(&self) -> &[u8; 32] {
        &self.x25519
    }

    /// Whether `binding` is this identity's word that its X25519 image is its own.
    pub(crate) fn bound_by(&self, binding: &[u8; 64]) -> bool {
        crypto::verify(&self.ed25519, DOMAIN, &self.x25519, binding).is_ok()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum BadIdentity {
    #[error("the identity is not a point of Ed25519")]
    NoPoint,
    #[error("the identity has a part of small order, so it has several encodings")]
    Torsion,
}
