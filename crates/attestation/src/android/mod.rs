//! Android Key Attestation: a chain of certificates whose leaf describes a key.
//!
//! Rules as Google's own verifier has them (github.com/android/keyattestation): the leaf's validity
//! is made up by the device and means nothing; a certificate that Google provisioned remotely
//! (RKP) is short-lived and must not have expired, one that a factory burned in must merely have
//! begun; only the leaf may describe a key.
//!
//! Source: Android Open Source Project, *Key and ID attestation*; KeyMint HAL, `KeyCreationResult`.

mod description;

use serde_bytes::ByteBuf;
use x509_parser::certificate::X509Certificate;

use self::description::Description;
use crate::{
    Anchors, Android, BootState, Claims, Collateral, Details, Reject, SecurityLevel, Technology,
    UnixSeconds, Validity,
    roots::sha256_hex,
    x509::{self, Rules, ValidityRule},
};

const OID_KEY_DESCRIPTION: &str = "1.3.6.1.4.1.11129.2.1.17";
const OID_PROVISIONING: &str = "1.3.6.1.4.1.11129.2.1.30";
/// Leaf, attestation key and root at least.
const CHAIN_MIN: usize = 3;
/// SHA-256 of the key of Google's root for attestation in software (P-256): its secret is in the source
/// of Android, for anyone to sign with. Named so that the reason is plain; it is foreign anyway.
const SOFTWARE_ROOT: &str = "d5100c7942ef2e8310dc30ef82729680cf48d690735c3f68179a33c7c370f286";

pub(crate) fn verify(
    anchors: &Anchors,
    chain: &[ByteBuf],
    collateral: &Collateral,
    now: UnixSeconds,
) -> Result<Claims, Reject> {
    if chain.len() < CHAIN_MIN {
        return Err(Reject::malformed("chain", format!("{} certificates", chain.len())));
    }
    let certificates =
        chain.iter().map(|der| x509::parse(der, "certificate")).collect::<Result<Vec<_>, _>>()?;
    let [leaf, issuers @ ..] = &certificates[..] else {
        return Err(Reject::malformed("chain", "it has no certificate"));
    };
    let remote = has(&issuers[0], OID_PROVISIONING);
    let validity = check_validity(issuers, remote, now)?;
    let rules = Rules {
        technology: Technology::AndroidKeyAttestation,
        issuers_are_cas: false,
        validity: ValidityRule::None,
    };
    let rooted = x509::verify_chain(anchors, &certificates, &[], now, rules)
        .map_err(|reject| name_software_root(reject, issuers))?;
    // Whoever holds an attested signing key could issue "leaves" below it.
    if issuers.iter().any(|certificate| has(certificate, OID_KEY_DESCRIPTION)) {
        return Err(Reject::malformed("chain", "a certificate above the leaf describes a key"));
    }
    check_revoked(&certificates, collateral)?;

    let extension = x509::extension(leaf, OID_KEY_DESCRIPTION)?
        .ok_or_else(|| Reject::malformed("leaf", "it describes no key"))?;
    let key = Description::parse(extension)?;
    let security_level = key.attestation_security_level.min(key.keymint_security_level);
    if security_level == SecurityLevel::Software {
        return Err(Reject::SoftwareKey);
    }
    if key.origin != "GENERATED" {
        return Err(Reject::Mismatch { what: "the key's origin", other: "generated in hardware" });
    }
    let boot = key.root_of_trust.as_ref().ok_or_else(|| {
        Reject::malformed("key description", "hardware says nothing about the boot")
    })?;
    let verified = boot.locked && boot.state == "VERIFIED";
    let details = Details::Android(Box::new(Android {
        attestation_version: key.attestation_version,
        attestation_security_level: key.attestation_security_level,
        keymint_version: key.keymint_version,
        keymint_security_level: key.keymint_security_level,
        security_level,
        challenge: hex::encode(key.challenge),
        unique_id: hex::encode(key.unique_id),
        purposes: key.purposes,
        origin: key.origin,
        algorithm: key.algorithm,
        key_size: key.key_size,
        verified_boot_key: hex::encode(boot.key),
        device_locked: boot.locked,
        verified_boot_state: boot.state,
        verified_boot_hash: boot.hash.map(hex::encode),
        os_version: key.os_version,
        os_patch_level: key.os_patch_level,
        vendor_patch_level: key.vendor_patch_level,
        boot_patch_level: key.boot_patch_level,
        provisioning: if remote { "RKP" } else { "FACTORY" },
    }));
    let root = (rooted.root, rooted.class);
    let technology = Technology::AndroidKeyAttestation;
    let mut claims = Claims::new(technology, root, key.challenge, validity, details);
    claims.measurement = boot.hash.unwrap_or(boot.key).to_vec();
    claims.device_key = leaf.public_key().raw.to_vec();
    claims.boot = if verified { BootState::Verified } else { BootState::Unverified };
    Ok(claims)
}

/// When the certificates above the leaf are valid: all but the root, whose key is pinned.
fn check_validity(
    issuers: &[X509Certificate],
    remote: bool,
    now: UnixSeconds,
) -> Result<Validity, Reject> {
    let mut all = Validity::ALWAYS;
    let below_root = issuers.split_last().map_or(issuers, |(_, below)| below);
    for (index, certificate) in below_root.iter().enumerate() {
        match x509::check_validity(certificate, index + 1, now) {
            Ok(validity) if remote => all = all.and(validity),
            Ok(validity) => {
                all = all.and(Validity { not_after: Validity::ALWAYS.not_after, ..validity });
            }
            Err(Reject::Expired { .. }) if !remote => {}
            Err(reject) => return Err(reject),
        }
    }
    Ok(all)
}

/// Google's list names serials in lower-case hexadecimal, without leading zeros.
fn check_revoked(certificates: &[X509Certificate], collateral: &Collateral) -> Result<(), Reject> {
    for certificate in certificates {
        let serial = format!("{:x}", certificate.serial);
        if collateral.revoked.contains(&serial) {
            return Err(Reject::Revoked { what: format!("the certificate with serial {serial}") });
        }
    }
    Ok(())
}

fn name_software_root(reject: Reject, issuers: &[X509Certificate]) -> Reject {
    let hash = issuers.last().map(|root| sha256_hex(root.public_key().raw));
    match (reject, hash) {
        (Reject::ForeignRoot { .. }, Some(hash)) if hash == SOFTWARE_ROOT => Reject::SoftwareRoot,
        (reject, _) => reject,
    }
}

fn has(certificate: &X509Certificate, oid: &str) -> bool {
    certificate.extensions().iter().any(|extension| extension.oid.to_id_string() == oid)
}

pub(crate) fn parse_unsigned(bytes: &[u8]) -> Result<(), Reject> {
    Description::parse(bytes).map(|_| ())
}
