//! PSA tokens: what runs in the secure and the non-secure world of a small device.
//!
//! Source: RFC 9783, and its predecessor `PSA_IOT_PROFILE_1` (draft-tschofenig-rats-psa-token-07),
//! whose labels are negative.

use ciborium::Value;
use ring::digest;

use super::{Claims, Signed, instance_id, lifecycle, lifecycle_claim, platform_key, profile};
use crate::{
    Collateral, Details, Psa, Reject, SoftwareComponent, Technology, TrustRoots, Validity,
};

// Labels of RFC 9783, then those of PSA_IOT_PROFILE_1.
const PROFILE: &[i128] = &[265, -75000];
const CLIENT_ID: &[i128] = &[2394, -75001];
const LIFECYCLE: &[i128] = &[2395, -75002];
const IMPLEMENTATION_ID: &[i128] = &[2396, -75003];
const SOFTWARE_COMPONENTS: &[i128] = &[2399, -75006];
const NO_SOFTWARE_COMPONENTS: &[i128] = &[-75007];
const NONCE: &[i128] = &[10, -75008];
const INSTANCE_ID: &[i128] = &[256, -75009];

// Labels of a software component.
const COMPONENT_KIND: &[i128] = &[1];
const COMPONENT_MEASUREMENT: &[i128] = &[2];
const COMPONENT_SIGNER: &[i128] = &[5];

/// Profile 1, profile 2 before it was an RFC, and RFC 9783 §4.5.2.
const PROFILES: &[&str] = &["PSA_IOT_PROFILE_1", "http://arm.com/psa/", "tag:psacertified.org,"];
const HASHES: &[usize] = &[32, 48, 64];
/// Most components; those known have two to four.
const COMPONENTS_MAX: usize = 32;

pub(crate) fn verify(
    trust_roots: &TrustRoots,
    token: &[u8],
    collateral: &Collateral,
) -> Result<crate::Claims, Reject> {
    let (key, root) = platform_key(trust_roots, Technology::ArmPsa, collateral)?;
    let token = Signed::parse(token, "PSA token")?.verified(&key)?;
    let state = lifecycle_claim(&token, LIFECYCLE)?;
    if lifecycle(state) != "secured" {
        return Err(Reject::Mismatch { what: "the device's life cycle", other: "secured" });
    }
    let profile = match token.get(PROFILE) {
        Some(_) => profile(&token, PROFILE, PROFILES)?,
        // The old profile may leave its own name out.
        None => "PSA_IOT_PROFILE_1",
    };
    let nonce = nonce(&token)?;
    let instance = instance_id(&token, INSTANCE_ID)?;
    let software = components(&token)?;
    let mut measurement = digest::Context::new(&digest::SHA256);
    for component in &software {
        for part in [&component.measurement, &component.signer] {
            measurement.update(part.as_bytes());
            // Lengths differ, so something must part them.
            measurement.update(b"\n");
        }
    }
    let details = Details::Psa(Psa {
        profile: profile.to_owned(),
        challenge: hex::encode(nonce),
        instance_id: hex::encode(instance),
        implementation_id: hex::encode(token.bytes(IMPLEMENTATION_ID, &[32])?),
        lifecycle: state,
        client_id: token.integer(CLIENT_ID)?,
        sw: software,
    });
    let mut claims = crate::Claims::new(Technology::ArmPsa, root, nonce, Validity::ALWAYS, details);
    // SHA-256 over a text: measurement and signer of each component, in hexadecimal, a line each.
    claims.measurement = measurement.finish().as_ref().to_vec();
    claims.set_platform(instance);
    Ok(claims)
}

/// A nonce, or the one nonce of an array (EAT allows several, PSA one).
fn nonce(token: &Claims) -> Result<&[u8], Reject> {
    match token.need(NONCE)? {
        Value::Array(nonces) => match &nonces[..] {
            [Value::Bytes(nonce)] if HASHES.contains(&nonce.len()) => Ok(nonce),
            _ => Err(Reject::malformed("PSA token", "it does not have exactly one nonce")),
        },
        _ => token.bytes(NONCE, HASHES),
    }
}

fn components(token: &Claims) -> Result<Vec<SoftwareComponent>, Reject> {
    if token.get(SOFTWARE_COMPONENTS).is_none() && token.get(NO_SOFTWARE_COMPONENTS).is_some() {
        return Ok(Vec::new());
    }
    let list = token.array(SOFTWARE_COMPONENTS)?;
    if list.is_empty() || list.len() > COMPONENTS_MAX {
        return Err(Reject::malformed("PSA token", "it has no software components, or too many"));
    }
    list.iter()
        .map(|component| {
            let component = Claims::of(component.clone(), "software component")?;
            let kind = match component.get(COMPONENT_KIND) {
                Some(_) => Some(component.text(COMPONENT_KIND)?.to_owned()),
                None => None,
            };
            Ok(SoftwareComponent {
                kind,
                measurement: hex::encode(component.bytes(COMPONENT_MEASUREMENT, HASHES)?),
                signer: hex::encode(component.bytes(COMPONENT_SIGNER, HASHES)?),
            })
        })
        .collect()
}

pub(super) fn parse_unsigned(token: Claims) -> Result<(), Reject> {
    nonce(&token)?;
    components(&token).map(|_| ())
}
