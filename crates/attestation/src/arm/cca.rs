//! Arm CCA: a realm's token, signed by a key that the platform's token vouches for.
//!
//! Source: draft-ffm-rats-cca-token; Arm, *Realm Management Monitor Specification* (DEN0137) A7.2,
//! which both profiles of the realm token come from.

use ciborium::Value;
use ring::digest::{self, digest};

use super::{
    Claims, P384_POINT_BYTES, TOKEN_BYTES_MAX, lifecycle, lifecycle_claim, platform_key, sign1,
    unverified,
};
use crate::{Anchors, Cca, Collateral, Details, Reject, Technology, Validity, der};

/// The tag of the collection; newer drafts wrap it in an EAT collection of the same shape.
const TAG_CCA: u64 = 399;
const PLATFORM_TOKEN: i128 = 44234;
const REALM_TOKEN: i128 = 44241;

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
    anchors: &Anchors,
    token: &[u8],
    collateral: &Collateral,
) -> Result<crate::Claims, Reject> {
    let collection = collection(token)?;
    let (key, root) = platform_key(anchors, Technology::ArmCca, collateral)?;
    let platform = sign1(collection.bytes(&[PLATFORM_TOKEN], &[])?, &key, "platform token")?;

    // The realm's token names the key it is signed with; the platform's nonce is that key's hash.
    let realm_token = collection.bytes(&[REALM_TOKEN], &[])?;
    let named = unverified(realm_token, "realm token")?;
    let realm_key = named.bytes(&[REALM_PUBLIC_KEY], &[])?;
    let realm = sign1(realm_token, &realm_point(realm_key)?, "realm token")?;
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
        .ok_or_else(|| Reject::malformed("realm token", "it has not four measurements"))?;
    let instance = platform.bytes(&[INSTANCE_ID], &[33])?;
    let details = Details::Cca(Cca {
        platform_profile: platform.text(&[PROFILE])?.to_owned(),
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

fn collection(token: &[u8]) -> Result<Claims, Reject> {
    let value: Value = der::cbor_to_the_end(token, TOKEN_BYTES_MAX, "CCA token")?;
    match value {
        Value::Tag(TAG_CCA, inner) => Claims::of(*inner, "CCA token"),
        _ => Err(Reject::malformed("CCA token", "it is not under tag 399")),
    }
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
    let (x, y) = (key.bytes(&[-2], &[48])?, key.bytes(&[-3], &[48])?);
    Ok([&[4], x, y].concat())
}
