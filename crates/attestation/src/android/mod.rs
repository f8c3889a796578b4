//! Android Key Attestation: a chain of certificates whose leaf describes a key of the keystore.
//!
//! The rules of the chain are Google's own (`android/keyattestation`), which are not those of
//! RFC 5280: devices make the leaf's dates up, factory keys cannot be replaced when their
//! certificates expire, and a key that was attested must not attest another.

mod description;

use serde_bytes::ByteBuf;
use x509_parser::certificate::X509Certificate;

use crate::{
    Android, BootState, Claims, Collateral, Details, Reject, SecurityLevel, Technology, TrustRoots,
    UnixSeconds, Validity,
    roots::sha256_hex,
    x509::{self, Rules, ValidityRule},
};
use description::{BootVerdict, Description, Origin};

/// Holds a [`Description`]. Only a leaf may carry it.
const KEY_DESCRIPTION: &str = "1.3.6.1.4.1.11129.2.1.17";
/// In the certificate of an attestation key that Google provisioned over the network.
const PROVISIONING_INFO: &str = "1.3.6.1.4.1.11129.2.1.30";
/// The intermediate right below the root of every chain provisioned over the network.
const REMOTE_INTERMEDIATE: &str = "Droid CA2";

/// Leaf, attestation key, intermediate, root.
const CERTIFICATES_OF_FACTORY_MAX: usize = 4;
/// One more: a server of Google's stands below the intermediate.
const CERTIFICATES_OF_REMOTE_MAX: usize = 5;

/// SHA-256 of the public keys of Google's roots for keys in software. Their private keys, or those
/// of the intermediates below, are in the sources of Android: they vouch for nothing.
const SOFTWARE_ROOTS: [&str; 3] = [
    // ECDSA, 2016.
    "d5100c7942ef2e8310dc30ef82729680cf48d690735c3f68179a33c7c370f286",
    // RSA with 1,024 bits, 2016.
    "f2c4746f545946c100e72297f8f946344d7052f03a2f694221f9c893b0e6f711",
    // ECDSA, 2026.
    "7e3fdc808229960a650186f070c7c45d1acbec6b7ef2e32dacf0a45d3cd83e19",
];

/// How the attestation key came into the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Provisioning {
    /// In the factory, for good: its certificates outlive their dates.
    Factory,
    /// Remote key provisioning: short-lived, renewed over the network.
    Remote,
}

/// Verify a chain, leaf first, root last.
pub(crate) fn verify(
    trust_roots: &TrustRoots,
    chain: &[ByteBuf],
    collateral: &Collateral,
    now: UnixSeconds,
) -> Result<Claims, Reject> {
    let certificates =
        chain.iter().map(|der| x509::parse(der, "certificate")).collect::<Result<Vec<_>, _>>()?;
    let too_short = || Reject::malformed("chain", "it has fewer than three certificates");
    let [leaf, above @ .., root] = certificates.as_slice() else {
        return Err(too_short());
    };
    // One certificate may be both.
    let attestation_key = above.first().ok_or_else(too_short)?;
    let intermediate = above.last().ok_or_else(too_short)?;

    let root_key = root.public_key().raw;
    if SOFTWARE_ROOTS.contains(&sha256_hex(root_key).as_str())
        && trust_roots.root_of(Technology::AndroidKeyAttestation, root_key).is_none()
    {
        return Err(Reject::SoftwareRoot);
    }
    let rules = Rules {
        technology: Technology::AndroidKeyAttestation,
        issuers_are_cas: false,
        validity: ValidityRule::None,
    };
    let rooted = x509::verify_chain(trust_roots, &certificates, &[], now, rules)?;
    let provisioning = provisioning(attestation_key, intermediate)?;
    refuse_extended(&certificates, provisioning)?;
    let validity = check_times(above, provisioning, now)?;
    refuse_revoked(&certificates, collateral)?;

    let extension = x509::extension(leaf, KEY_DESCRIPTION)?
        .ok_or(Reject::Missing { needed: "the key attestation extension of the leaf" })?;
    let description = Description::parse(extension)?;
    let mut claims = claims(&description, provisioning, (rooted.root, rooted.class), validity)?;
    claims.device_key = leaf.public_key().raw.to_vec();
    Ok(claims)
}

/// By the extension in the attestation key's certificate or, for chains without it, by the name
/// Google signed for the intermediate.
fn provisioning(
    attestation_key: &X509Certificate<'_>,
    intermediate: &X509Certificate<'_>,
) -> Result<Provisioning, Reject> {
    let has_info = x509::extension(attestation_key, PROVISIONING_INFO)?.is_some();
    let is_named = intermediate
        .subject()
        .iter_common_name()
        .any(|name| name.as_str().is_ok_and(|name| name == REMOTE_INTERMEDIATE));
    Ok(if has_info || is_named { Provisioning::Remote } else { Provisioning::Factory })
}

/// Refuse chains that an application went on with.
///
/// Its key can sign certificates, and so could make a leaf of its own below a genuine one. The
/// genuine one betrays itself by its extension; the length of the chain stops keys that Google
/// certifies for other ends, such as those of protected virtual machines.
fn refuse_extended(
    chain: &[X509Certificate<'_>],
    provisioning: Provisioning,
) -> Result<(), Reject> {
    for (link, certificate) in chain.iter().enumerate().skip(1) {
        if x509::extension(certificate, KEY_DESCRIPTION)?.is_some() {
            return Err(Reject::Chain { link, why: "an attested key signs another" });
        }
    }
    let most = match provisioning {
        Provisioning::Factory => CERTIFICATES_OF_FACTORY_MAX,
        Provisioning::Remote => CERTIFICATES_OF_REMOTE_MAX,
    };
    if chain.len() > most {
        return Err(Reject::Chain { link: most, why: "the chain is longer than Google's are" });
    }
    Ok(())
}

/// Check the dates between leaf and root.
///
/// The leaf's come from the device's clock. The root is trusted for its key, whose certificate
/// Google re-issues from time to time (RFC 5280 §6.1: a trust root is no part of the path).
fn check_times(
    above: &[X509Certificate<'_>],
    provisioning: Provisioning,
    now: UnixSeconds,
) -> Result<Validity, Reject> {
    let mut validity = Validity::ALWAYS;
    for (index, certificate) in above.iter().enumerate() {
        let mut window = x509::window(certificate);
        if provisioning == Provisioning::Factory {
            window.not_after = Validity::ALWAYS.not_after;
        }
        validity = validity.and(x509::check_window(window, certificate, index + 1, now)?);
    }
    Ok(validity)
}

/// Refuse the chain if any of its serials is on the status list. The list is compared as numbers
/// are: an entry that is padded or in capitals revokes, too.
fn refuse_revoked(chain: &[X509Certificate<'_>], collateral: &Collateral) -> Result<(), Reject> {
    for certificate in chain {
        let serial = certificate.serial.to_str_radix(16);
        if collateral
            .revoked
            .iter()
            .any(|entry| entry.trim_start_matches('0').eq_ignore_ascii_case(&serial))
        {
            return Err(Reject::Revoked { what: format!("certificate {serial}") });
        }
    }
    Ok(())
}

/// What a description proves, if it is about a key that was born in hardware.
fn claims(
    description: &Description<'_>,
    provisioning: Provisioning,
    root: (String, crate::Class),
    validity: Validity,
) -> Result<Claims, Reject> {
    let security_level =
        description.attestation_security_level.min(description.keymint_security_level);
    if security_level == SecurityLevel::Software {
        return Err(Reject::SoftwareKey);
    }
    let hardware = &description.hardware_enforced;
    match hardware.origin {
        Some(Origin::Generated) => {}
        Some(_) => return Err(Reject::Mismatch { what: "the key's origin", other: "GENERATED" }),
        None => return Err(Reject::Missing { needed: "an origin that the hardware enforces" }),
    }
    let boot = hardware
        .root_of_trust
        .as_ref()
        .ok_or(Reject::Missing { needed: "a root of trust that the hardware enforces" })?;

    let details = Android {
        attestation_version: description.attestation_version,
        attestation_security_level: description.attestation_security_level,
        keymint_version: description.keymint_version,
        keymint_security_level: description.keymint_security_level,
        security_level,
        challenge: hex::encode(description.challenge),
        unique_id: hex::encode(description.unique_id),
        purposes: hardware.purposes.clone(),
        origin: "GENERATED",
        algorithm: hardware.algorithm,
        key_size: hardware.key_size,
        verified_boot_key: hex::encode(boot.key),
        device_locked: boot.locked,
        verified_boot_state: boot.verdict.name(),
        verified_boot_hash: boot.hash.map(hex::encode),
        os_version: hardware.os_version,
        os_patch_level: hardware.os_patch_level,
        vendor_patch_level: hardware.vendor_patch_level,
        boot_patch_level: hardware.boot_patch_level,
        provisioning: match provisioning {
            Provisioning::Factory => "FACTORY",
            Provisioning::Remote => "RKP",
        },
    };
    let mut claims = Claims::new(
        Technology::AndroidKeyAttestation,
        root,
        description.challenge,
        validity,
        Details::Android(Box::new(details)),
    );
    claims.boot = if boot.locked && boot.verdict == BootVerdict::Verified {
        BootState::Verified
    } else {
        BootState::Unverified
    };
    // What booted; devices before Android 9 name only the key that signed it.
    claims.measurement = boot.hash.filter(|hash| !hash.is_empty()).unwrap_or(boot.key).to_vec();
    Ok(claims)
}

pub(crate) fn parse_unsigned(bytes: &[u8]) -> Result<(), Reject> {
    Description::parse(bytes).map(|_| ())
}
