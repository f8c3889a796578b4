//! Arm's attestation tokens: CCA (realms) and PSA (microcontrollers).
//!
//! Neither carries a chain to a root: the key of the platform is endorsed elsewhere (CoRIM), so it
//! comes as collateral, and verifying under it proves only that the holder of this key said so.
//! That is [`Class::Simulated`], unless the trust roots endorse the key.

pub(crate) mod cca;
pub(crate) mod psa;

use ciborium::Value;
use coset::{Algorithm, AsCborValue, CoseSign1, iana};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, UnparsedPublicKey, VerificationAlgorithm,
};
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::{Class, Collateral, Reject, Technology, TrustRoots, der, x509};

/// Longest token; those known have 600 to 1,300 bytes.
const TOKEN_BYTES_MAX: usize = 16 * 1024;
const P256_POINT_BYTES: usize = 65;
const P384_POINT_BYTES: usize = 97;
const OID_EC: &str = "1.2.840.10045.2.1";
const OID_P256: &str = "1.2.840.10045.3.1.7";
const OID_P384: &str = "1.3.132.0.34";
const TAG_MAC0: u64 = 17;
const TAG_SIGN1: u64 = 18;

/// The platform's key from the collateral, as an uncompressed point; and what it vouches for.
fn platform_key(
    trust_roots: &TrustRoots,
    technology: Technology,
    collateral: &Collateral,
) -> Result<(Vec<u8>, (String, Class)), Reject> {
    if collateral.platform_key.is_empty() {
        return Err(Reject::Missing { needed: "the platform's key, which no token carries" });
    }
    let point = point(&x509::parse_key(&collateral.platform_key, "platform key")?)?;
    let root = if trust_roots.endorses(technology, &collateral.platform_key) {
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

/// An uncompressed point on P-256 or P-384, which are all that the profiles allow.
fn point(key: &SubjectPublicKeyInfo<'_>) -> Result<Vec<u8>, Reject> {
    let curve = key.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
    let curve = curve.map(|oid| oid.to_id_string()).unwrap_or_default();
    let algorithm = key.algorithm.algorithm.to_id_string();
    let point = &key.subject_public_key.data;
    let length = match (&*algorithm, &*curve) {
        (OID_EC, OID_P256) => P256_POINT_BYTES,
        (OID_EC, OID_P384) => P384_POINT_BYTES,
        _ => {
            let found = format!("{algorithm} {curve}");
            return Err(Reject::Unsupported { what: "platform key", found });
        }
    };
    if point.len() != length {
        return Err(Reject::malformed(
            "platform key",
            "it is not an uncompressed point of its curve",
        ));
    }
    Ok(point.to_vec())
}

/// A `COSE_Sign1`, tagged or not: parsed, not verified.
struct Signed {
    cose: CoseSign1,
    what: &'static str,
}

impl Signed {
    fn parse(bytes: &[u8], what: &'static str) -> Result<Self, Reject> {
        let value = match one_form(bytes, what)? {
            Value::Tag(TAG_SIGN1, inner) => *inner,
            // RFC 9783 §5.1 has it for devices that share a secret with their verifier. A verifier of
            // such a token can make one, so it proves nothing to anybody else.
            Value::Tag(TAG_MAC0, _) => {
                return Err(Reject::Unsupported { what: "token", found: "COSE_Mac0".into() });
            }
            bare => bare,
        };
        let cose = CoseSign1::from_cbor_value(value)
            .map_err(|error| Reject::malformed(what, format!("COSE: {error}")))?;
        // RFC 9052 §3.1: what the sender marks as critical must be understood; nothing here is.
        if !cose.protected.header.crit.is_empty() || !cose.unprotected.crit.is_empty() {
            return Err(Reject::Unsupported { what: "COSE header", found: "crit".into() });
        }
        Ok(Self { cose, what })
    }

    /// What it signs, if the key at this uncompressed point signed it.
    fn verified(&self, point: &[u8]) -> Result<Claims, Reject> {
        let algorithm: &dyn VerificationAlgorithm =
            match (&self.cose.protected.header.alg, point.len()) {
                (Some(Algorithm::Assigned(iana::Algorithm::ES256)), P256_POINT_BYTES) => {
                    &ECDSA_P256_SHA256_FIXED
                }
                (Some(Algorithm::Assigned(iana::Algorithm::ES384)), P384_POINT_BYTES) => {
                    &ECDSA_P384_SHA384_FIXED
                }
                // A key that cannot have made the signature did not make it.
                _ => return Err(Reject::signature(self.what)),
            };
        self.cose
            .verify_signature(b"", |signature, data| {
                UnparsedPublicKey::new(algorithm, point).verify(data, signature)
            })
            .map_err(|_| Reject::signature(self.what))?;
        self.unverified()
    }

    /// What it carries, before its signature is checked: to find the key it names.
    fn unverified(&self) -> Result<Claims, Reject> {
        Claims::parse(self.cose.payload.as_deref().unwrap_or_default(), self.what)
    }
}

/// CBOR that no signature covers, in the one form it has: shortest lengths, none of them indefinite
/// (RFC 8949 §4.2.1). Otherwise anybody could write the same token in many ways.
fn one_form(bytes: &[u8], what: &'static str) -> Result<Value, Reject> {
    let value: Value = der::cbor_to_the_end(bytes, TOKEN_BYTES_MAX, what)?;
    let mut again = Vec::with_capacity(bytes.len());
    if ciborium::into_writer(&value, &mut again).is_err() || again != bytes {
        return Err(Reject::malformed(what, "its CBOR is not in its shortest form"));
    }
    Ok(value)
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
        let map = value.into_map().map_err(|_| malformed("it is not a map"))?;
        let mut entries: Vec<(i128, Value)> = Vec::with_capacity(map.len());
        for (label, value) in map {
            let label = label.into_integer().map_err(|_| malformed("a label is not an integer"))?;
            let label = i128::from(label);
            if entries.iter().any(|(other, _)| *other == label) {
                return Err(malformed("a label appears twice"));
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

    /// A label that is none of these.
    fn other_than(&self, labels: &[i128]) -> Option<i128> {
        self.entries.iter().map(|(label, _)| *label).find(|label| !labels.contains(label))
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

/// The profile says how the other claims are to be read (RFC 9711 §4.3.2), so one that is not of these
/// families is not read.
fn profile<'a>(claims: &'a Claims, labels: &[i128], families: &[&str]) -> Result<&'a str, Reject> {
    let profile = claims.text(labels)?;
    if families.iter().any(|family| profile.starts_with(family)) {
        Ok(profile)
    } else {
        Err(Reject::Unsupported { what: "profile", found: profile.to_owned() })
    }
}

/// The instance: a universal entity id of the random kind, which is a byte 1 and a hash of the
/// platform's key (RFC 9783 §4.2.1).
fn instance_id<'a>(claims: &'a Claims, labels: &[i128]) -> Result<&'a [u8], Reject> {
    let id = claims.bytes(labels, &[33])?;
    if id.first() == Some(&1) { Ok(id) } else { Err(claims.wrong(labels)) }
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
