//! Arm CCA: a realm's token, signed by a key that the platform's token vouches for.
//!
//! Source: draft-ffm-rats-cca-token; Arm, *Realm Management Monitor Specification* (DEN0137) A7.2,
//! which both profiles of the realm token come from.

use ciborium::Value;
use ring::digest::{self, digest};

use super::{
    Claims, P384_POINT_BYTES, Signed, instance_id, lifecycle, lifecycle_claim, one_form,
    platform_key, profile,
};
use crate::{Cca, Collateral, Details, Reject, Technology, TrustRoots, Validity};

/// The tag of the collection: a map from these two labels to byte strings.
const TAG_CCA: u64 = 399;
/// Newer drafts: the same map, but each token beside the number of its media type.
const TAG_COLLECTION: u64 = 907;
/// `application/eat+cwt`.
const MEDIA_TYPE_EAT: i128 = 263;
const PLATFORM_TOKEN: i128 = 44234;
const REALM_TOKEN: i128 = 44241;
/// The first is of RMM 1.0-bet, the other of every one since.
const PLATFORM_PROFILES: &[&str] = &["http://arm.com/CCA-SSD/", "tag:arm.com,2023:cca_platform#"];

// Claims of the platform.
const NONCE: i128 = 10;
const INSTANCE_ID: i128 = 256;
const PROFILE: i128 = 265;
const LIFECYCLE: i128 = 2395;
const IMPLEMENTATION_ID: i128 = 2396;

// Claims of the realm.
const REALM_PERSONALIZATION: i128 = 44235;
const REALM_PUBLIC_KEY: i128 = 44237;
const REALM_INITIAL_MEASUREMENT: i128 = 44238;
const REALM_EXTENSIBLE_MEASUREMENTS: i128 = 44239;
const REALM_KEY_HASH_ALGORITHM: i128 = 44240;

const HASHES: &[usize] = &[32, 48, 64];

pub(crate) fn verify(
    trust_roots: &TrustRoots,
    token: &[u8],
    collateral: &Collateral,
) -> Result<crate::Claims, Reject> {
    let (platform, realm) = collection(token)?;
    let (key, root) = platform_key(trust_roots, Technology::ArmCca, collateral)?;
    let platform = platform.verified(&key)?;

    // The realm's token names the key it is signed with; the platform's nonce is that key's hash.
    let named = realm.unverified()?;
    let realm_key = named.bytes(&[REALM_PUBLIC_KEY], &[])?;
    let realm = realm.verified(&realm_point(realm_key)?)?;
    let algorithm = match realm.text(&[REALM_KEY_HASH_ALGORITHM])? {
        "sha-256" => &digest::SHA256,
        "sha-384" => &digest::SHA384,
        "sha-512" => &digest::SHA512,
        other => {
            return Err(Reject::Unsupported { what: "hash of the realm key", found: other.into() });
        }
    };
    if digest(algorithm, realm_key).as_ref() != platform.bytes(&[NONCE], HASHES)? {
        return Err(Reject::Mismatch { what: "the platform's nonce", other: "the realm's key" });
    }

    let state = lifecycle_claim(&platform, &[LIFECYCLE])?;
    // Debugging of what is not part of the root of trust leaves realms closed (DEN0137 A7.2.3).
    if !matches!(lifecycle(state), "secured" | "non_rot_debug") {
        return Err(Reject::Mismatch { what: "the platform's life cycle", other: "secured" });
    }
    let challenge = realm.bytes(&[NONCE], &[64])?;
    let initial = realm.bytes(&[REALM_INITIAL_MEASUREMENT], HASHES)?;
    let extensible = realm
        .array(&[REALM_EXTENSIBLE_MEASUREMENTS])?
        .iter()
        .map(|value| value.as_bytes().filter(|bytes| HASHES.contains(&bytes.len())))
        .collect::<Option<Vec<_>>>()
        .filter(|list| list.len() == 4)
        .ok_or_else(|| Reject::malformed("realm token", "it does not have four measurements"))?;
    let instance = instance_id(&platform, &[INSTANCE_ID])?;
    let details = Details::Cca(Cca {
        platform_profile: profile(&platform, &[PROFILE], PLATFORM_PROFILES)?.to_owned(),
        implementation_id: hex::encode(platform.bytes(&[IMPLEMENTATION_ID], &[32])?),
        instance_id: hex::encode(instance),
        lifecycle: state,
        lifecycle_state: lifecycle(state),
        challenge: hex::encode(challenge),
        rim: hex::encode(initial),
        rem: extensible.iter().map(hex::encode).collect(),
        personalization: hex::encode(realm.bytes(&[REALM_PERSONALIZATION], &[64])?),
    });
    let mut claims =
        crate::Claims::new(Technology::ArmCca, root, challenge, Validity::ALWAYS, details);
    // As with TDX: the initial measurement is of the image alone, the others of what it loaded.
    let mut measurement = digest::Context::new(&digest::SHA384);
    measurement.update(initial);
    extensible.iter().for_each(|register| measurement.update(register));
    claims.measurement = measurement.finish().as_ref().to_vec();
    claims.set_platform(instance);
    Ok(claims)
}

/// The platform's and the realm's token. What else newer collections may hold (evidence of devices,
/// chains of certificates) is refused: nothing here would verify it.
fn collection(token: &[u8]) -> Result<(Signed, Signed), Reject> {
    let malformed = |why: &str| Reject::malformed("CCA token", why);
    let (inner, typed) = match one_form(token, "CCA token")? {
        Value::Tag(TAG_CCA, inner) => (inner, false),
        Value::Tag(TAG_COLLECTION, inner) => (inner, true),
        _ => return Err(malformed("it is not under tag 399 or 907")),
    };
    let collection = Claims::of(*inner, "CCA token")?;
    if let Some(label) = collection.other_than(&[PLATFORM_TOKEN, REALM_TOKEN]) {
        return Err(Reject::Unsupported { what: "part of a CCA token", found: label.to_string() });
    }
    let signed = |label, what| match collection.need(&[label])? {
        Value::Bytes(bytes) if !typed => Signed::parse(bytes, what),
        Value::Array(parts) if typed => match &parts[..] {
            [Value::Integer(kind), Value::Bytes(bytes)] if i128::from(*kind) == MEDIA_TYPE_EAT => {
                Signed::parse(bytes, what)
            }
            _ => Err(malformed("a part of it is not a pair of EAT's media type and a token")),
        },
        _ => Err(malformed("a part of it has another type than its tag says")),
    };
    Ok((signed(PLATFORM_TOKEN, "platform token")?, signed(REALM_TOKEN, "realm token")?))
}

/// The realm's key: a bare P-384 point, or (in the newer profile) a COSE key around one.
fn realm_point(key: &[u8]) -> Result<Vec<u8>, Reject> {
    if key.len() == P384_POINT_BYTES {
        return Ok(key.to_vec());
    }
    let key = Claims::parse(key, "realm key")?;
    // RFC 9053 §7.1.1: EC2, P-384, x, y.
    if key.integer(&[1])? != 2 || key.integer(&[-1])? != 2 {
        return Err(Reject::malformed("realm key", "it is not on P-384"));
    }
    // RFC 9052 §7.1: a key may say that it is for one algorithm only. ES384 is the one for P-384.
    if key.get(&[3]).is_some() && key.integer(&[3])? != -35 {
        return Err(Reject::malformed("realm key", "it is not for ES384"));
    }
    let (x, y) = (key.bytes(&[-2], &[48])?, key.bytes(&[-3], &[48])?);
    Ok([&[4], x, y].concat())
}
