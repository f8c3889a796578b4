//! The signature over a quote: bare, or as the TPM marshals it (`TPMT_SIGNATURE`).

use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_ASN1,
    ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};
use x509_parser::x509::SubjectPublicKeyInfo;

use super::quote::Reader;
use crate::Reject;

const OID_RSA: &str = "1.2.840.113549.1.1.1";
const OID_EC: &str = "1.2.840.10045.2.1";
const OID_P256: &str = "1.2.840.10045.3.1.7";
const OID_P384: &str = "1.3.132.0.34";

// TPM_ALG_ID.
const ALG_SHA1: u16 = 0x0004;
const ALG_RSASSA: u16 = 0x0014;
const ALG_RSAPSS: u16 = 0x0016;
const ALG_ECDSA: u16 = 0x0018;

/// Verify under the attestation key. SHA-1 is no hash for signatures any more and is refused.
pub(super) fn verify(
    key: &SubjectPublicKeyInfo<'_>,
    message: &[u8],
    signature: &[u8],
) -> Result<(), Reject> {
    if is_sha1(signature) {
        return Err(Reject::Unsupported {
            what: "hash of a quote's signature",
            found: "SHA-1".into(),
        });
    }
    let (algorithms, bare) = match parse_marshalled(key, signature) {
        Some(marshalled) => marshalled,
        None => (bare_algorithms(key)?, signature.to_vec()),
    };
    let point = &key.subject_public_key.data;
    algorithms
        .iter()
        .any(|algorithm| UnparsedPublicKey::new(*algorithm, point).verify(message, &bare).is_ok())
        .then_some(())
        .ok_or_else(|| Reject::signature("the quote"))
}

type Algorithms = Vec<&'static dyn VerificationAlgorithm>;

/// What a bare signature may be, by the kind of key.
fn bare_algorithms(key: &SubjectPublicKeyInfo<'_>) -> Result<Algorithms, Reject> {
    match &*key.algorithm.algorithm.to_id_string() {
        OID_RSA => Ok(vec![
            &RSA_PKCS1_2048_8192_SHA256,
            &RSA_PKCS1_2048_8192_SHA384,
            &RSA_PKCS1_2048_8192_SHA512,
            &RSA_PSS_2048_8192_SHA256,
            &RSA_PSS_2048_8192_SHA384,
            &RSA_PSS_2048_8192_SHA512,
        ]),
        OID_EC => match curve(key).as_deref() {
            Some(OID_P256) => Ok(vec![&ECDSA_P256_SHA256_ASN1, &ECDSA_P256_SHA256_FIXED]),
            Some(OID_P384) => Ok(vec![&ECDSA_P384_SHA384_ASN1, &ECDSA_P384_SHA384_FIXED]),
            other => Err(Reject::Unsupported { what: "curve", found: format!("{other:?}") }),
        },
        other => Err(Reject::Unsupported { what: "attestation key", found: other.to_owned() }),
    }
}

/// `algorithm u16 ‖ hash u16 ‖ TPM2B signature`, or `… ‖ TPM2B r ‖ TPM2B s`. `None`: it is none.
fn parse_marshalled(key: &SubjectPublicKeyInfo<'_>, bytes: &[u8]) -> Option<(Algorithms, Vec<u8>)> {
    let mut reader = Reader(bytes);
    let (scheme, hash) = (reader.u16().ok()?, reader.u16().ok()?);
    let scheme_of_key = match &*key.algorithm.algorithm.to_id_string() {
        OID_RSA => scheme == ALG_RSASSA || scheme == ALG_RSAPSS,
        OID_EC => scheme == ALG_ECDSA,
        _ => false,
    };
    if !scheme_of_key {
        return None;
    }
    let algorithm: &'static dyn VerificationAlgorithm = match (scheme, hash) {
        (ALG_RSASSA, 0x000b) => &RSA_PKCS1_2048_8192_SHA256,
        (ALG_RSASSA, 0x000c) => &RSA_PKCS1_2048_8192_SHA384,
        (ALG_RSASSA, 0x000d) => &RSA_PKCS1_2048_8192_SHA512,
        (ALG_RSAPSS, 0x000b) => &RSA_PSS_2048_8192_SHA256,
        (ALG_RSAPSS, 0x000c) => &RSA_PSS_2048_8192_SHA384,
        (ALG_RSAPSS, 0x000d) => &RSA_PSS_2048_8192_SHA512,
        (ALG_ECDSA, 0x000b) if curve(key)? == OID_P256 => &ECDSA_P256_SHA256_FIXED,
        (ALG_ECDSA, 0x000c) if curve(key)? == OID_P384 => &ECDSA_P384_SHA384_FIXED,
        _ => return None,
    };
    let bare = if scheme == ALG_ECDSA {
        let width = if hash == 0x000b { 32 } else { 48 };
        let (r, s) = (reader.sized().ok()?, reader.sized().ok()?);
        [padded(r, width)?, padded(s, width)?].concat()
    } else {
        reader.sized().ok()?.to_vec()
    };
    reader.0.is_empty().then_some((vec![algorithm], bare))
}

/// Is this a whole `TPMT_SIGNATURE` over SHA-1? (A bare one over SHA-1 only fails to verify.)
fn is_sha1(bytes: &[u8]) -> bool {
    let mut reader = Reader(bytes);
    let numbers = match (reader.u16(), reader.u16()) {
        (Ok(ALG_RSASSA | ALG_RSAPSS), Ok(ALG_SHA1)) => 1,
        (Ok(ALG_ECDSA), Ok(ALG_SHA1)) => 2,
        _ => return false,
    };
    (0..numbers).all(|_| reader.sized().is_ok()) && reader.0.is_empty()
}

fn curve(key: &SubjectPublicKeyInfo<'_>) -> Option<String> {
    let parameters = key.algorithm.parameters.as_ref()?;
    Some(parameters.as_oid().ok()?.to_id_string())
}

/// A number in `width` bytes; TPMs leave leading zeros out.
fn padded(number: &[u8], width: usize) -> Option<Vec<u8>> {
    let zeros = width.checked_sub(number.len())?;
    Some([vec![0; zeros], number.to_vec()].concat())
}
