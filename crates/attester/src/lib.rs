//! Ask the hardware of this machine for evidence, bound to a statement.
//!
//! ```text
//! Statement --challenge--> TPM 2.0        (feature tpm:     a device file, or swtpm's socket)
//!                          SGX in Gramine (feature gramine: /dev/attestation)
//!                          TDX, SEV-SNP   (feature tsm:     configfs-tsm)          --> Evidence
//! ```
//! Every attester speaks the protocol of a file or a socket that others define, so none needs a
//! library in another language (ADR 11). What was tried on what: TPM commands against swtpm, live,
//! in this crate's tests; Gramine and configfs-tsm against folders that behave like them, because no
//! such hardware was at hand. Nitro, Android and Apple attest from their own SDKs; `attestation` reads what
//! those return.

#[cfg(all(feature = "gramine", feature = "tpm", feature = "tsm"))]
mod enrol;
#[cfg(all(feature = "gramine", feature = "tpm", feature = "tsm"))]
mod source;

#[cfg(all(feature = "gramine", feature = "tpm", feature = "tsm"))]
pub use enrol::{Collaterals, Enrolment, NotEnrolled, Parent, enrol};
#[cfg(all(feature = "gramine", feature = "tpm", feature = "tsm"))]
pub use source::{NoEvidence, Source};

pub use attestation::evidence_hash;

use std::io;

#[cfg(feature = "gramine")]
pub mod gramine;
#[cfg(feature = "tpm")]
pub mod tpm;
#[cfg(feature = "tsm")]
pub mod tsm;

/// Why there is no evidence.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Failed {
    #[error("{what}: {error}")]
    Io { what: String, error: io::Error },
    #[error("the TPM answered {code:#x} to {command}")]
    Refused { command: &'static str, code: u32 },
    #[error("{what} gave an answer that cannot be read")]
    Unreadable { what: &'static str },
    #[error("{what} has room for {most} bytes, not {length}")]
    TooLong { what: &'static str, most: usize, length: usize },
    #[error("the provider {provider} makes no evidence that this program can verify")]
    Provider { provider: String },
}

impl Failed {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |error| Self::Io { what, error }
    }
}
