//! Sealing: HPKE (RFC 9180, base mode) to a worker's X-Wing key, so that only that machine reads a private input.
//!
//! The suite is MLKEM768-X25519 (X-Wing, 0x647a of draft-ietf-hpke-pq-03), TurboSHAKE128 and
//! ChaCha20-Poly1305: what was recorded today stays closed to a quantum computer of tomorrow.

use hpke::{
    Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _, aead::ChaCha20Poly1305,
    kdf::KdfTurboShake128, kem::XWing,
};
use rand_core::{TryCryptoRng, TryRng};
use std::convert::Infallible;
use zeroize::Zeroizing;

/// Bytes of a public sealing key.
pub const SEALING_KEY_BYTES: usize = 1_216;
/// Bytes that sealing adds: the encapsulated key (1,120) and the tag (16).
pub const SEALING_OVERHEAD: usize = ENCAPSULATED_BYTES + 16;
/// Bytes of randomness that one sealing uses up.
pub const SEALING_ENTROPY_BYTES: usize = 64;

const ENCAPSULATED_BYTES: usize = 1_120;

/// A secret key that opens what was sealed to its public half. Wiped when dropped, never printed.
pub struct SealingKey {
    inner: Box<<XWing as hpke::Kem>::PrivateKey>,
}

impl SealingKey {
    /// The key that grows from `seed` (`DeriveKeyPair` of draft-ietf-hpke-pq-03, section 4).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self { inner: Box::new(XWing::derive_keypair(seed).0) }
    }

    /// What others seal to.
    pub fn public(&self) -> SealingPublicKey {
        SealingPublicKey(Box::new(XWing::sk_to_pk(&self.inner)))
    }

    /// Open what [`SealingPublicKey::seal`] sealed under the same `domain` and beside the same `context`.
    ///
    /// # Errors
    /// [`NotOpened`]: another key, domain or context, or changed bytes; which of them is not to be known.
    pub fn open(
        &self,
        domain: &'static str,
        context: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        let (encapsulated, closed) =
            sealed.split_at_checked(ENCAPSULATED_BYTES).ok_or(NotOpened)?;
        let encapsulated =
            <XWing as hpke::Kem>::EncappedKey::from_bytes(encapsulated).map_err(|_| NotOpened)?;
        let mode = OpModeR::Base;
        hpke::single_shot_open::<ChaCha20Poly1305, KdfTurboShake128, XWing>(
            &mode,
            &self.inner,
            &encapsulated,
            domain.as_bytes(),
            closed,
            context,
        )
        .map(Zeroizing::new)
        .map_err(|_| NotOpened)
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(hidden)")
    }
}

/// A public key that was checked, so messages can be sealed to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealingPublicKey(Box<<XWing as hpke::Kem>::PublicKey>);

impl SealingPublicKey {
    /// The key in bytes of somebody else. A key that nobody could seal to is refused here, before any job meets it.
    ///
    /// # Errors
    /// [`BadSealingKey`]: not [`SEALING_KEY_BYTES`] long, or no ML-KEM-768 key (FIPS 203, section 7.2).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadSealingKey> {
        <XWing as hpke::Kem>::PublicKey::from_bytes(bytes)
            .map(|key| Self(Box::new(key)))
            .map_err(|_| BadSealingKey)
    }

    /// The key's 1,216 bytes (X-Wing).
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes().to_vec()
    }

    /// Seal `message` so that only the holder of the secret half reads it, and only under the same
    /// `domain` and `context`, which are not part of the result. The result is [`SEALING_OVERHEAD`] longer.
    /// `entropy` is used once and comes from the operating system.
    ///
    /// # Panics
    /// If `message` is longer than ChaCha20-Poly1305 encrypts at once, 256 GiB.
    pub fn seal(
        &self,
        domain: &'static str,
        context: &[u8],
        message: &[u8],
        entropy: &[u8; SEALING_ENTROPY_BYTES],
    ) -> Vec<u8> {
        let mut brought = Brought { entropy, used: 0 };
        let (encapsulated, closed) =
            hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, KdfTurboShake128, XWing>(
                &OpModeS::Base,
                &self.0,
                domain.as_bytes(),
                message,
                context,
                &mut brought,
            )
            .expect("a checked key and a message of memory's size");
        let mut sealed = encapsulated.to_bytes().to_vec();
        sealed.extend_from_slice(&closed);
        sealed
    }
}

/// The message was not sealed to this key, or was changed on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the message cannot be opened\nhint: it was sealed to another key or for another purpose, or it is damaged"
)]
pub struct NotOpened;

/// Bytes that are not an X-Wing public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is not an X-Wing public key\nhint: such a key has 1,216 bytes, and its ML-KEM part is reduced"
)]
pub struct BadSealingKey;

/// The randomness the caller brought, given out once.
struct Brought<'a> {
    entropy: &'a [u8; SEALING_ENTROPY_BYTES],
    used: usize,
}

impl TryRng for Brought<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut word = [0; 4];
        self.try_fill_bytes(&mut word)?;
        Ok(u32::from_le_bytes(word))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut word = [0; 8];
        self.try_fill_bytes(&mut word)?;
        Ok(u64::from_le_bytes(word))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let end = self.used + out.len();
        // Encapsulation draws 64 bytes; a library that drew more must not get the same ones twice.
        out.copy_from_slice(self.entropy.get(self.used..end).expect("64 bytes are drawn"));
        self.used = end;
        Ok(())
    }
}

impl TryCryptoRng for Brought<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest as _, Sha256};

    /// `ikmR` and `pkRm` (its SHA-256) of the vectors for KEM 0x647a published with the HPKE hybrid KEMs
    /// (filippo.io/hpke-pq), for two other key schedules.
    #[test]
    fn public_keys_are_those_of_the_published_vectors() {
        for (seed, public) in [
            (
                "0379761fa4f6869592b0d1f9a71eb92b122dc030a7a8858132109f6b1a4bbde4",
                "120b60e0ae3c00c1c9def1c61aeb12de710bfa49646ae6f99a7e564b25ace493",
            ),
            (
                "9ed657ed25ee70055f12f2f1cf6f93165e5a6760a7bf6d4c2d9d6028c482781c",
                "672edcd9fc7874e45fe644c88bdf42acda487160a407e592d7e39e08043ab641",
            ),
        ] {
            let seed: [u8; 32] = hex::decode(seed).unwrap().try_into().unwrap();
            let key = SealingKey::from_seed(&seed).public().to_bytes();
            assert_eq!(hex::encode(Sha256::digest(&key)), public);
        }
    }

    #[test]
    fn what_is_sealed_opens_once_for_all_that_is_the_same() {
        let key = SealingKey::from_seed(&[1; 32]);
        let sealed = key.public().seal("meshx/test", b"job", b"secret", &[2; 64]);
        assert_eq!(sealed.len(), 6 + SEALING_OVERHEAD);
        assert_eq!(*key.open("meshx/test", b"job", &sealed).unwrap(), b"secret");

        let other = SealingKey::from_seed(&[3; 32]);
        assert_eq!(other.open("meshx/test", b"job", &sealed), Err(NotOpened));
        assert_eq!(key.open("meshx/else", b"job", &sealed), Err(NotOpened));
        assert_eq!(key.open("meshx/test", b"jab", &sealed), Err(NotOpened));
        for place in (0..sealed.len()).step_by(37).chain(ENCAPSULATED_BYTES..sealed.len()) {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(key.open("meshx/test", b"job", &changed), Err(NotOpened), "byte {place}");
        }
        for end in [0, 31, ENCAPSULATED_BYTES, ENCAPSULATED_BYTES + 15, sealed.len() - 1] {
            assert_eq!(
                key.open("meshx/test", b"job", &sealed[..end]),
                Err(NotOpened),
                "{end} bytes"
            );
        }
    }

    #[test]
    fn another_draw_is_another_ciphertext() {
        let key = SealingKey::from_seed(&[1; 32]).public();
        let seal = |entropy| key.seal("meshx/test", b"", b"secret", &entropy);
        assert_ne!(seal([2; 64]), seal([3; 64]));
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        let good = SealingKey::from_seed(&[1; 32]).public().to_bytes();
        assert_eq!(SealingPublicKey::from_bytes(&good).unwrap().to_bytes(), good);
        assert_eq!(SealingPublicKey::from_bytes(&good[1..]), Err(BadSealingKey));
        assert_eq!(SealingPublicKey::from_bytes(&[]), Err(BadSealingKey));
        // Twelve bits of 4,095 are no residue modulo 3,329.
        let mut unreduced = good;
        unreduced[..2].fill(0xff);
        assert_eq!(SealingPublicKey::from_bytes(&unreduced), Err(BadSealingKey));
    }
}
