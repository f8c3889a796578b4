//! TPM 2.0: a quote over platform configuration registers, and who vouches for the key that signed.
//!
//! A quote proves that a TPM held these register values, if its attestation key is a TPM's. Three
//! things can say so, and each makes a different claim:
//!
//! | what comes with it | what that proves | class |
//! |---|---|---|
//! | a certificate of the attestation key | the provider's TPM made it (Google Cloud) | of the root |
//! | an SEV-SNP report over the key | the paravisor of that guest made it (Azure) | measured boot |
//! | a certificate of the *endorsement* key | such a TPM exists; that the attestation key is its own is shown by credential activation, which is interactive | simulated |
//! | nothing | somebody has this key | simulated |
//!
//! So an endorsement certificate never makes hardware here, under any root.
//!
//! Azure's case has a trap: anybody's SEV-SNP guest can put the hash of anything into its report, so
//! the report proves only that *some* guest of this chip named the key. What makes the key a TPM's is
//! the paravisor that the report measures. The measurement these claims carry is therefore of both
//! (see [`guest_measurement`]): a list that allows it allows a paravisor and registers together. And the
//! report must come from the most privileged level, because what runs below the paravisor is in the
//! same report, measured no further, and could name a key of its own.
//!
//! Source: TCG, *TPM 2.0 Library* part 2 (structures) §10.12; part 3 `TPM2_Quote`; *PC Client Platform
//! Firmware Profile* §10 for the event log.

mod event_log;
mod quote;
mod signature;

use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;
use ring::digest;
use serde_bytes::ByteBuf;
use x509_parser::{
    certificate::X509Certificate, public_key::PublicKey, x509::SubjectPublicKeyInfo,
};

use self::quote::Quote;
use crate::{
    Claims, Class, Collateral, Details, Reject, Technology, Tpm, TpmQuote, TrustRoots, UnixSeconds,
    Validity, amd,
    x509::{self, Rules, ValidityRule},
};

/// The register that software measures itself into, on systems of ours.
const WORKER_PCR: u8 = 16;
const ROOT_AZURE: &str = "AMD ARK via SEV-SNP report";
const ROOT_NONE: &str = "none: the attestation key was given by the caller";
const SOFTWARE_CA: &str = "swtpm-localca";

const RULES: Rules =
    Rules { technology: Technology::Tpm2, issuers_are_cas: true, validity: ValidityRule::All };

pub(crate) fn verify(
    trust_roots: &TrustRoots,
    evidence: &TpmQuote,
    collateral: &Collateral,
    now: UnixSeconds,
) -> Result<Claims, Reject> {
    let key = x509::parse_key(&evidence.attestation_key, "attestation key")?;
    signature::verify(&key, &evidence.attest, &evidence.signature)?;
    let quote = Quote::parse(&evidence.attest)?;
    check_registers(&quote, &evidence.pcrs)?;
    let events = if evidence.event_log.is_empty() {
        None
    } else {
        Some(event_log::replay(&evidence.event_log, quote.bank, &quote.selection, &evidence.pcrs)?)
    };
    let vouched = vouch(trust_roots, evidence, collateral, &key, now)?;

    let pcrs: BTreeMap<u8, String> = quote
        .selection
        .iter()
        .filter_map(|index| Some((*index, hex::encode(evidence.pcrs.get(index)?))))
        .collect();
    let details = Details::Tpm(Tpm {
        extra_data: hex::encode(quote.extra_data),
        pcr_bank: quote.bank.name(),
        pcr_selection: quote.selection.clone(),
        pcr_digest: hex::encode(quote.digest),
        pcr16: pcrs.get(&WORKER_PCR).cloned(),
        pcrs,
        reset_count: quote.reset_count,
        restart_count: quote.restart_count,
        safe: quote.safe,
        firmware_version: hex::encode(quote.firmware_version),
        root: vouched.root.clone(),
        snp_measurement: vouched.guest.as_ref().map(|guest| hex::encode(guest.measurement())),
        events,
    });
    let root = (vouched.root, vouched.class);
    let binding = quote.extra_data;
    let mut claims = Claims::new(Technology::Tpm2, root, binding, vouched.validity, details);
    claims.measurement = match &vouched.guest {
        Some(guest) => guest_measurement(guest.measurement(), quote.digest),
        None => quote.digest.to_vec(),
    };
    claims.device_key = evidence.attestation_key.clone();
    if let Some(guest) = vouched.guest {
        claims.platform = guest.platform().to_vec();
        claims.debug = guest.is_debug();
    }
    Ok(claims)
}

/// SHA-256 over the measurement of the guest that is the TPM, and the digest of its registers.
fn guest_measurement(guest: &[u8], registers: &[u8]) -> Vec<u8> {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(guest);
    hash.update(registers);
    hash.finish().as_ref().to_vec()
}

/// The quoted digest is the hash over the selected registers, in ascending order. Its algorithm is the
/// signature's; the length tells which.
fn check_registers(quote: &Quote<'_>, values: &BTreeMap<u8, ByteBuf>) -> Result<(), Reject> {
    let algorithm = match quote.digest.len() {
        32 => &digest::SHA256,
        48 => &digest::SHA384,
        64 => &digest::SHA512,
        length => {
            let found = format!("{length} bytes");
            return Err(Reject::Unsupported { what: "digest of the registers", found });
        }
    };
    let mut hash = digest::Context::new(algorithm);
    for index in &quote.selection {
        let value = values
            .get(index)
            .filter(|value| value.len() == quote.bank.length())
            .ok_or(Reject::Missing { needed: "the value of every quoted register" })?;
        hash.update(value);
    }
    if hash.finish().as_ref() != quote.digest {
        return Err(Reject::Mismatch { what: "the registers", other: "the quoted digest" });
    }
    Ok(())
}

/// Who says that the attestation key is a TPM's.
struct Vouched {
    root: String,
    class: Class,
    validity: Validity,
    /// The guest that is the TPM, as its own report describes it (Azure).
    guest: Option<Claims>,
}

fn vouch(
    trust_roots: &TrustRoots,
    evidence: &TpmQuote,
    collateral: &Collateral,
    key: &SubjectPublicKeyInfo<'_>,
    now: UnixSeconds,
) -> Result<Vouched, Reject> {
    if !evidence.snp_report.is_empty() {
        return by_snp_report(trust_roots, evidence, collateral, key, now);
    }
    let plain = |root: String, class, validity| Vouched { root, class, validity, guest: None };
    if !evidence.attestation_chain.is_empty() {
        let chain = parse_chain(&evidence.attestation_chain)?;
        if chain[0].public_key().raw != evidence.attestation_key {
            return Err(Reject::Mismatch { what: "the certificate", other: "the attestation key" });
        }
        check_signs(&chain[0])?;
        let roots = parse_chain(&collateral.certificates)?;
        let rooted = under(trust_roots, &chain, &roots, now)?;
        return Ok(plain(rooted.root, rooted.class, rooted.validity));
    }
    if !evidence.endorsement_chain.is_empty() {
        let chain = parse_chain(&evidence.endorsement_chain)?;
        let given = collateral.certificates.iter().map(|der| der.to_vec()).collect();
        let roots = parse_chain(&collateral.certificates)?;
        // The caller's word counts for as much as the certificate does: neither makes hardware.
        let rooted = match under(trust_roots, &chain, &roots, now) {
            Err(Reject::ForeignRoot { .. }) => {
                under(&TrustRoots::Only(given), &chain, &roots, now)?
            }
            other => other?,
        };
        let issuer = chain[0].issuer().to_string();
        let root = if issuer.contains(SOFTWARE_CA) {
            "swtpm-localca (SOFTWARE emulator; never hardware)".to_owned()
        } else {
            format!("{} (endorsement only)", rooted.root)
        };
        return Ok(plain(root, Class::Simulated, rooted.validity));
    }
    Ok(plain(ROOT_NONE.to_owned(), Class::Simulated, Validity::ALWAYS))
}

/// Azure: the guest's report is over the runtime data, which names the attestation key.
fn by_snp_report(
    trust_roots: &TrustRoots,
    evidence: &TpmQuote,
    collateral: &Collateral,
    key: &SubjectPublicKeyInfo<'_>,
    now: UnixSeconds,
) -> Result<Vouched, Reject> {
    let guest = amd::verify(trust_roots, &evidence.snp_report, collateral, now)?;
    let runtime = digest::digest(&digest::SHA256, &evidence.runtime);
    if guest.binding().get(..32) != Some(runtime.as_ref()) {
        return Err(Reject::Mismatch { what: "the runtime data", other: "the SEV-SNP report" });
    }
    let named = runtime_key(&evidence.runtime)?;
    let same = match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => {
            let strip = |bytes: &[u8]| {
                let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
                bytes[zeros..].to_vec()
            };
            (strip(rsa.modulus), strip(rsa.exponent)) == (strip(&named.0), strip(&named.1))
        }
        _ => false,
    };
    if !same {
        return Err(Reject::Mismatch { what: "the attestation key", other: "the runtime data's" });
    }
    if !matches!(guest.details(), Details::Snp(report) if report.vmpl == 0) {
        return Err(Reject::Mismatch {
            what: "the report's privilege level",
            other: "the paravisor's",
        });
    }
    let class = match guest.class() {
        Class::Simulated => Class::Simulated,
        // The report measures the paravisor; of the guest proper, only the boot is measured.
        _ => Class::MeasuredBoot,
    };
    Ok(Vouched {
        root: ROOT_AZURE.to_owned(),
        class,
        validity: guest.validity(),
        guest: Some(guest),
    })
}

/// Modulus and exponent of the key `HCLAkPub` in Azure's runtime data.
fn runtime_key(runtime: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Reject> {
    let malformed = |why: &str| Reject::malformed("runtime data", why);
    let value: serde_json::Value =
        serde_json::from_slice(runtime).map_err(|error| malformed(&error.to_string()))?;
    let keys = value["keys"].as_array().ok_or_else(|| malformed("it names no keys"))?;
    let mut found = keys.iter().filter(|key| key["kid"] == "HCLAkPub");
    let (Some(key), None) = (found.next(), found.next()) else {
        return Err(malformed("it does not name HCLAkPub once"));
    };
    let number = |name: &str| {
        key[name]
            .as_str()
            .and_then(|text| BASE64URL_NOPAD.decode(text.as_bytes()).ok())
            .ok_or_else(|| malformed("a part of HCLAkPub is not base64url"))
    };
    Ok((number("n")?, number("e")?))
}

/// One CA issues certificates for endorsement keys and for attestation keys. Only the latter are for
/// signatures (RFC 5280 §4.2.1.3; TCG, *EK Credential Profile* §3.3).
fn check_signs(certificate: &X509Certificate<'_>) -> Result<(), Reject> {
    let usage = certificate
        .key_usage()
        .map_err(|error| Reject::malformed("certificate", error))?
        .is_none_or(|usage| usage.value.digital_signature());
    if usage {
        Ok(())
    } else {
        Err(Reject::Mismatch { what: "the certificate's key usage", other: "signatures" })
    }
}

fn parse_chain(chain: &[ByteBuf]) -> Result<Vec<X509Certificate<'_>>, Reject> {
    chain.iter().map(|der| x509::parse(der, "certificate")).collect()
}

/// Complete the chain with certificates from the collateral, then verify it.
fn under(
    trust_roots: &TrustRoots,
    chain: &[X509Certificate<'_>],
    given: &[X509Certificate<'_>],
    now: UnixSeconds,
) -> Result<x509::Rooted, Reject> {
    let mut chain = chain.to_vec();
    while let Some(last) = chain.last() {
        let next = given.iter().find(|issuer| {
            issuer.subject().as_raw() == last.issuer().as_raw()
                && chain.iter().all(|link| link.public_key().raw != issuer.public_key().raw)
        });
        match next {
            Some(issuer) => chain.push(issuer.clone()),
            None => break,
        }
    }
    let roots_given = trust_roots
        .certificates()
        .iter()
        .map(|der| x509::parse(der, "trust root"))
        .collect::<Result<Vec<_>, _>>()?;
    let above: Vec<_> = roots_given.iter().map(|root| root.public_key()).collect();
    x509::verify_chain(trust_roots, &chain, &above, now, RULES)
}

pub(crate) fn parse_unsigned(bytes: &[u8]) -> Result<(), Reject> {
    let quote = Quote::parse(bytes).map(|_| ());
    let log = event_log::replay(bytes, quote::Bank::Sha256, &[0], &BTreeMap::new()).map(|_| ());
    let runtime = runtime_key(bytes).map(|_| ());
    quote.and(log).and(runtime)
}
