//! Templates of the two keys, and their public parts as X.509 writes them.

use super::wire::Answer;
use crate::Failed;

/// `TPMT_PUBLIC` of an attestation key: ECDSA on P-256 with SHA-256.
///
/// Attributes: fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, noDA, restricted, sign.
pub(super) const ATTESTATION_KEY: [u8; 24] = [
    0x00, 0x23, // TPM_ALG_ECC
    0x00, 0x0b, // its name is a SHA-256
    0x00, 0x05, 0x04, 0x72, // attributes
    0x00, 0x00, // no policy
    0x00, 0x10, // encrypts nothing
    0x00, 0x18, 0x00, 0x0b, // ECDSA, SHA-256
    0x00, 0x03, // TPM_ECC_NIST_P256
    0x00, 0x10, // derives nothing
    0x00, 0x00, 0x00, 0x00, // x and y are the TPM's
];

/// The policy of default endorsement keys: `PolicySecret` of the endorsement hierarchy.
const ENDORSEMENT_POLICY: [u8; 32] = [
    0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24,
    0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa,
];

/// Default template L-2 of the *EK Credential Profile*: P-256, for decryption only.
///
/// Attributes: fixedTPM, fixedParent, sensitiveDataOrigin, adminWithPolicy, restricted, decrypt.
pub(super) fn endorsement_key() -> Vec<u8> {
    let mut template = vec![
        0x00, 0x23, // TPM_ALG_ECC
        0x00, 0x0b, // its name is a SHA-256
        0x00, 0x03, 0x00, 0xb2, // attributes
        0x00, 0x20, // a policy of 32 bytes
    ];
    template.extend(ENDORSEMENT_POLICY);
    template.extend([
        0x00, 0x06, 0x00, 0x80, 0x00, 0x43, // AES-128, CFB
        0x00, 0x10, // signs nothing
        0x00, 0x03, // TPM_ECC_NIST_P256
        0x00, 0x10, // derives nothing
    ]);
    for _coordinate in 0..2 {
        template.extend([0x00, 0x20]);
        template.extend([0; 32]);
    }
    template
}

/// `SubjectPublicKeyInfo` of a P-256 key up to its point.
const P256_PREFIX: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];

/// `SubjectPublicKeyInfo` (DER) of a key made from one of these templates.
pub(super) fn spki(public: &[u8]) -> Result<Vec<u8>, Failed> {
    // The point is what both end in: x and y, each with its length.
    let mut reader = Answer::of(public);
    reader.take(8)?;
    reader.sized()?;
    let symmetric = reader.u16()?;
    reader.take(if symmetric == 0x0010 { 0 } else { 4 })?;
    let scheme = reader.u16()?;
    reader.take(if scheme == 0x0010 { 4 } else { 6 })?;
    let mut spki = P256_PREFIX.to_vec();
    for _coordinate in 0..2 {
        let number = reader.sized()?;
        let zeros = 32_usize
            .checked_sub(number.len())
            .ok_or(Failed::Unreadable { what: "the key's point" })?;
        spki.extend(vec![0; zeros]);
        spki.extend(number);
    }
    Ok(spki)
}
