//! Arm's attestation tokens: CCA (realms) and PSA (microcontrollers).
//!
//! Neither carries a chain to a root: the key of the platform is endorsed elsewhere (CoRIM), so it
//! comes as collateral, and verifying under it proves only that whoever holds this key said so.
//! That is [`Class::Simulated`], unless the anchors endorse the key.

pub(crate) mod cca;
pub(crate) mod psa;

use ciborium::Value;
use coset::{Algorithm, CborSerializable, CoseSign1, TaggedCborSerializable, iana};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, UnparsedPublicKey, VerificationAlgorithm,
};

use crate::{Anchors, Class, Collateral, Reject, Technology, der, x509};

/// Longest token; those known have 600 to 1,300 bytes.
const TOKEN_BYTES_MAX: usize = 16 * 1024;
const P256_POINT_BYTES: usize = 65;
const P384_POINT_BYTES: usize = 97;

/// The platform's key from the collateral, as an uncompressed point; and what it vouches for.
fn platform_key(
    anchors: &Anchors,
    technology: Technology,
    collateral: &Collateral,
) -> Result<(Vec<u8>, (String, Class)), Reject> {
    if collateral.platform_key.is_empty() {
        return Err(Reject::Missing { needed: "the platform's key, which no token carries" });
    }
    let key = x509::parse_key(&collateral.platform_key, "platform key")?;
    let point = key.subject_public_key.data.to_vec();
    let root = if anchors.endorses(technology, &collateral.platform_key) {
        let class = match technology {
            Technology::ArmCca => Class::ConfidentialVm,
            _ => Class::DeviceBoundKey,
        };
        ("endorsed platform key".to_owned(), class)
    } else {
        ("platform key given by the caller".to_owned(), Class::Simulated)
    };
    Ok((point, root))
}

/// Verify a `COSE_Sign1`, tagged or not, under an uncompressed point, and read the map it signs.
fn sign1(bytes: &[u8], point: &[u8], what: &'static str) -> Result<Claims, Reject> {
    let signed = CoseSign1::from_tagged_slice(bytes)
        .or_else(|_| CoseSign1::from_slice(bytes))
        .map_err(|error| Reject::malformed(what, format!("COSE: {error}")))?;
    let algorithm: &dyn VerificationAlgorithm = match (&signed.protected.header.alg, point.len()) {
        (Some(Algorithm::Assigned(iana::Algorithm::ES256)), P256_POINT_BYTES) => {
            &ECDSA_P256_SHA256_FIXED
        }
        (Some(Algorithm::Assigned(iana::Algorithm::ES384)), P384_POINT_BYTES) => {
            &ECDSA_P384_SHA384_FIXED
        }
        // A key that cannot have made the signature did not make it.
        _ => return Err(Reject::signature(what)),
    };
    signed
        .verify_signature(b"", |signature, data| {
            UnparsedPublicKey::new(algorithm, point).verify(data, signature)
        })
        .map_err(|_| Reject::signature(what))?;
    Claims::parse(signed.payload.as_deref().unwrap_or_default(), what)
}

/// The payload of a `COSE_Sign1` before anything is verified: to find the key it names.
fn unverified(bytes: &[u8], what: &'static str) -> Result<Claims, Reject> {
    let signed = CoseSign1::from_tagged_slice(bytes)
        .or_else(|_| CoseSign1::from_slice(bytes))
        .map_err(|error| Reject::malformed(what, format!("COSE: {error}")))?;
    Claims::parse(signed.payload.as_deref().unwrap_or_default(), what)
}

/// A map of claims with integer labels, each once.
struct Claims {
    entries: Vec<(i128, Value)>,
    what: &'static str,
}

impl Claims {
    fn parse(payload: &[u8], what: &'static str) -> Result<Self, Reject> {
        Self::of(der::cbor_to_the_end(payload, TOKEN_BYTES_MAX, what)?, what)
    }

    fn of(value: Value, what: &'static str) -> Result<Self, Reject> {
        let malformed = |why: &str| Reject::malformed(what, why);
        let map = value.into_map().map_err(|_| malformed("it is no map"))?;
        let mut entries: Vec<(i128, Value)> = Vec::with_capacity(map.len());
        for (label, value) in map {
            let label = label.into_integer().map_err(|_| malformed("a label is no integer"))?;
            let label = i128::from(label);
            if entries.iter().any(|(other, _)| *other == label) {
                return Err(malformed("a label stands twice"));
            }
            entries.push((label, value));
        }
        Ok(Self { entries, what })
    }

    /// The claim under the first of these labels that is there: formats of several ages have several.
    fn get(&self, labels: &[i128]) -> Option<&Value> {
        labels
            .iter()
            .find_map(|label| self.entries.iter().find(|(other, _)| other == label))
            .map(|(_, value)| value)
    }

    fn need(&self, labels: &[i128]) -> Result<&Value, Reject> {
        self.get(labels)
            .ok_or_else(|| Reject::malformed(self.what, format!("claim {labels:?} is missing")))
    }

    fn bytes(&self, labels: &[i128], lengths: &[usize]) -> Result<&[u8], Reject> {
        match self.need(labels)?.as_bytes() {
            Some(bytes) if lengths.is_empty() || lengths.contains(&bytes.len()) => Ok(bytes),
            _ => Err(self.wrong(labels)),
        }
    }

    fn text(&self, labels: &[i128]) -> Result<&str, Reject> {
        self.need(labels)?.as_text().ok_or_else(|| self.wrong(labels))
    }

    fn integer(&self, labels: &[i128]) -> Result<i64, Reject> {
        self.need(labels)?
            .as_integer()
            .and_then(|number| i64::try_from(number).ok())
            .ok_or_else(|| self.wrong(labels))
    }

    fn array(&self, labels: &[i128]) -> Result<&[Value], Reject> {
        self.need(labels)?.as_array().map(Vec::as_slice).ok_or_else(|| self.wrong(labels))
    }

    fn wrong(&self, labels: &[i128]) -> Reject {
        Reject::malformed(self.what, format!("claim {labels:?} has another type or length"))
    }
}

/// Names of the life cycle's states: the high byte counts, the low one is the maker's.
fn lifecycle(value: u64) -> &'static str {
    match value >> 8 {
        0x00 => "unknown",
        0x10 => "assembly_and_test",
        0x20 => "provisioning",
        0x30 => "secured",
        0x40 => "non_rot_debug",
        0x50 => "recoverable_debug",
        0x60 => "decommissioned",
        _ => "invalid",
    }
}

/// A lifecycle claim is 16 bits.
fn lifecycle_claim(claims: &Claims, labels: &[i128]) -> Result<u64, Reject> {
    claims
        .integer(labels)
        .and_then(|value| u16::try_from(value).map_err(|_| claims.wrong(labels)))
        .map(u64::from)
}

pub(crate) fn parse_unsigned(bytes: &[u8]) -> Result<(), Reject> {
    psa::parse_unsigned(Claims::parse(bytes, "token")?)
}
