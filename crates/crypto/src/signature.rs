//! Signatures: Ed25519 under a domain, verified by ZIP-215.

use crate::{bad_signature::BadSignature, public_key};
use ed25519_zebra::{Signature, VerificationKey, VerificationKeyBytes};
use zeroize::{Zeroize, Zeroizing};

/// The longest domain, because its length goes in front of it as one byte.
pub const DOMAIN_BYTES_MAX: usize = 255;

/// A secret key that signs. Wiped when dropped, never printed.
#[derive(Clone)]
pub struct SigningKey {
    // Boxed so that moving the key moves a pointer and leaves no copy behind.
    inner: Box<ed25519_zebra::SigningKey>,
}

impl SigningKey {
    /// The key that grows from `seed`: 32 bytes nobody can guess. The caller wipes its own copy.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self { inner: Box::new(ed25519_zebra::SigningKey::from(*seed)) }
    }

    /// The seed this key came from: the one secret worth keeping in a keystore.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new((*self.inner).into())
    }

    /// The public key that verifies what this key signs.
    pub fn public(&self) -> [u8; 32] {
        VerificationKeyBytes::from(&*self.inner).into()
    }

    /// Sign `message` under `domain`: Ed25519 over `length of domain (1 byte) ‖ domain ‖ message`.
    ///
    /// # Panics
    /// If `domain` is empty or longer than [`DOMAIN_BYTES_MAX`]: a domain is a constant of ours.
    pub fn sign(&self, domain: &'static str, message: &[u8]) -> [u8; 64] {
        self.inner.sign(&framed(domain, message)).to_bytes()
    }
}

impl Drop for SigningKey {
    fn drop(&mut self) {
        self.inner.zeroize();
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey(public {})", hex::encode(self.public()))
    }
}

/// Check that `signature` was made by the owner of `public` over `message` under `domain`.
///
/// ZIP-215: cofactored equation, any encoding of R, canonical s. Mixed-order keys pass, as ZIP-215
/// asks; keys of small order or in a second encoding do not.
///
/// # Errors
/// [`BadSignature`], the same variant on every node.
///
/// # Panics
/// If `domain` is empty or longer than [`DOMAIN_BYTES_MAX`].
///
/// Source: ZIP-215; DESIGN §10, Signatures.
pub fn verify(
    public: &[u8; 32],
    domain: &'static str,
    message: &[u8],
    signature: &[u8; 64],
) -> Result<(), BadSignature> {
    public_key::check(public)?;
    let key = VerificationKey::try_from(*public).map_err(|_| BadSignature::KeyNotAPoint)?;
    key.verify(&Signature::from_bytes(signature), &framed(domain, message))
        .map_err(|_| BadSignature::Mismatch)
}

/// The bytes that are signed: no two pairs of domain and message share them.
pub(crate) fn framed(domain: &'static str, message: &[u8]) -> Vec<u8> {
    assert!(!domain.is_empty(), "a signature needs a domain");
    let length = u8::try_from(domain.len()).expect("a domain is at most DOMAIN_BYTES_MAX long");
    let mut bytes = Vec::with_capacity(1 + domain.len() + message.len());
    bytes.push(length);
    bytes.extend_from_slice(domain.as_bytes());
    bytes.extend_from_slice(message);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    /// RFC 8032 §7.1: the key pair must match, and zebra's signature over the bare message too (we
    /// never sign bare messages, so the vector reaches below our own `sign`).
    fn check_rfc8032(seed: &str, public: &str, message: &str, signature: &str) {
        let key = SigningKey::from_seed(&bytes(seed));
        let message = hex::decode(message).unwrap();
        assert_eq!(key.public(), bytes(public));
        assert_eq!(key.inner.sign(&message).to_bytes(), bytes::<64>(signature));
        let framed = key.sign("meshx/test/v1", &message);
        assert_ne!(framed, bytes::<64>(signature));
        assert_eq!(verify(&key.public(), "meshx/test/v1", &message, &framed), Ok(()));
        assert_eq!(
            verify(&key.public(), "meshx/test/v1", &message, &bytes(signature)),
            Err(BadSignature::Mismatch),
            "a bare signature must not pass under a domain"
        );
    }

    #[test]
    fn matches_rfc8032() {
        check_rfc8032(
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        );
        check_rfc8032(
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        );
        check_rfc8032(
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        );
    }

    #[test]
    fn signed_bytes_are_pinned() {
        let signature = SigningKey::from_seed(&[1; 32]).sign("meshx/test/v1", b"message");
        expect!["97158de6"].assert_eq(&hex::encode(&signature[..4]));
        assert_eq!(framed("ab", b"c"), b"\x02abc");
    }

    #[test]
    fn domain_and_message_do_not_blur() {
        let key = SigningKey::from_seed(&[1; 32]);
        let signature = key.sign("ab", b"c");
        assert_eq!(verify(&key.public(), "ab", b"c", &signature), Ok(()));
        assert_eq!(verify(&key.public(), "a", b"bc", &signature), Err(BadSignature::Mismatch));
        assert_eq!(verify(&key.public(), "abc", b"", &signature), Err(BadSignature::Mismatch));
    }

    #[test]
    fn refuses_every_flipped_bit() {
        let key = SigningKey::from_seed(&[3; 32]);
        let signature = key.sign("meshx/test/v1", b"message");
        for bit in 0..512 {
            let mut flipped = signature;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                verify(&key.public(), "meshx/test/v1", b"message", &flipped),
                Err(BadSignature::Mismatch)
            );
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = SigningKey::from_seed(&[0xab; 32]);
        let shown = format!("{key:?}");
        assert!(!shown.contains("abababab") && !shown.contains("171, 171"), "{shown}");
        assert!(shown.contains(&hex::encode(key.public())));
        assert_eq!(*key.seed(), [0xab; 32]);
    }

    #[test]
    fn messages_say_what_to_try() {
        let check = |error: BadSignature, expected: Expect| expected.assert_eq(&error.to_string());
        check(
            BadSignature::Mismatch,
            expect![[r#"
                signature does not match key, domain and message
                hint: check that all three are those it was made with"#]],
        );
    }

    #[test]
    #[should_panic(expected = "needs a domain")]
    fn an_empty_domain_is_our_own_mistake() {
        SigningKey::from_seed(&[1; 32]).sign("", b"message");
    }
}
