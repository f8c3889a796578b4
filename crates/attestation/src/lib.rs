//! Judge what a machine says about itself: evidence first, policy second.
//!
//! ```text
//! Evidence + Collateral --verify(binding, now)--> Claims --Policy::appraise--> Grant
//!      (hostile bytes)                          (proved)                    (accepted)
//! ```
//! [`verify`] answers one question: did the vendor's root say this, about this key, and does it
//! hold now? [`Claims`] have private fields and only verifiers make them, so a holder of some
//! knows that every signature was checked. Whether what they say is good enough (debug mode, an
//! old TCB, an unlocked phone) is a separate question, and [`Policy::appraise`] answers it.
//!
//! The class of a machine follows from the root that verified ([`roots`]), never from a field
//! of the evidence. Evidence under any other root is [`Class::Simulated`], a class of its own
//! that nothing turns into hardware.
//!
//! No clock, no network, no file: time and collateral are arguments. What this crate does not
//! do: fetch collateral, make evidence (crate `attester`), or say where a machine stands.

mod evidence;
pub use evidence::{Binding, Collateral, Evidence, TpmQuote, UnixSeconds};
pub use types::attest::{Class, TcbStatus, Technology};
mod claims;
pub use claims::{
    Android, Apple, BootState, Cca, Claims, Dcap, Details, Nitro, Psa, SecurityLevel, Sgx, Snp,
    SoftwareComponent, Tdx, Tpm, Validity,
};
mod reject;
pub use reject::Reject;
pub mod roots;
pub use roots::TrustRoots;
mod policy;
pub use policy::{Grant, Policy};
mod statement;
pub use statement::{Statement, evidence_hash};
mod chain;
pub use chain::{Chain, LINKS_MAX, Link, verify_chain};

mod der;
mod x509;

mod amd;
mod android;
mod apple;
mod arm;
mod intel;
mod nitro;
mod tpm;

/// Run every parser that stands behind a signature on bytes nobody signed: for fuzzing, which cannot sign.
///
/// # Errors
/// The first thing that is malformed.
#[doc(hidden)]
pub fn parse_unsigned(technology: Technology, bytes: &[u8]) -> Result<(), Reject> {
    match technology {
        Technology::AndroidKeyAttestation => android::parse_unsigned(bytes),
        Technology::AppleAppAttest => apple::parse_unsigned(bytes),
        Technology::AwsNitro => nitro::parse_unsigned(bytes),
        Technology::ArmCca | Technology::ArmPsa => arm::parse_unsigned(bytes),
        Technology::Tpm2 => tpm::parse_unsigned(bytes),
        // One verifies before it parses, the others have no fields of variable length.
        Technology::IntelSgx | Technology::IntelTdx | Technology::AmdSevSnp => Ok(()),
    }
}

/// Verify `evidence` under the vendors' own roots at time `now`.
///
/// `binding` is what the evidence must carry in the place its technology has for that:
/// `report_data`, challenge, nonce or client data.
///
/// # Errors
/// A [`Reject`] that names the first thing that does not hold. No input panics.
pub fn verify(
    evidence: &Evidence,
    collateral: &Collateral,
    binding: &Binding,
    now: UnixSeconds,
) -> Result<Claims, Reject> {
    verify_under(&TrustRoots::Vendors, evidence, collateral, binding, now)
}

/// As [`verify`], under `trust_roots`. What verifies under anything but a vendor's own root is of
/// class [`Class::Simulated`], even if it claims otherwise.
pub fn verify_under(
    trust_roots: &TrustRoots,
    evidence: &Evidence,
    collateral: &Collateral,
    binding: &Binding,
    now: UnixSeconds,
) -> Result<Claims, Reject> {
    evidence.check_size()?;
    collateral.check_size()?;
    let claims = match evidence {
        Evidence::Sgx { quote } => intel::sgx(trust_roots, quote, collateral, now),
        Evidence::Tdx { quote } => intel::tdx(trust_roots, quote, collateral, now),
        Evidence::SevSnp { report } => amd::verify(trust_roots, report, collateral, now),
        Evidence::Nitro { document } => nitro::verify(trust_roots, document, now),
        Evidence::AndroidKey { chain } => android::verify(trust_roots, chain, collateral, now),
        Evidence::AppAttest { attestation, app_id, client_data_hash } => {
            apple::verify(trust_roots, attestation, app_id, client_data_hash, now)
        }
        Evidence::Cca { token } => arm::cca::verify(trust_roots, token, collateral),
        Evidence::Psa { token } => arm::psa::verify(trust_roots, token, collateral),
        Evidence::Tpm(quote) => tpm::verify(trust_roots, quote, collateral, now),
    }?;
    claims.bound_to(binding)
}
