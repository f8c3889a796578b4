//! What a machine sends, and what else a verifier needs to judge it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use types::attest::Technology;

use crate::Reject;

/// Longest evidence, all parts together: the largest known, an Azure vTPM with its event log,
/// stays below half of it.
const EVIDENCE_BYTES_MAX: usize = 64 * 1024;
/// Longest collateral, all parts together: Intel's is about 21 KB.
const COLLATERAL_BYTES_MAX: usize = 256 * 1024;
/// Most parts in a list: certificates of a chain, revoked serials of a status list.
const CERTIFICATES_MAX: usize = 16;

/// Seconds since 1970, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixSeconds(u64);

impl UnixSeconds {
    /// So many seconds since 1970.
    #[must_use]
    pub const fn new(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Evidence of one machine, as bytes nobody has checked yet. Serialises to CBOR for the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Evidence {
    /// A DCAP quote of an SGX enclave, version 3.
    Sgx {
        /// The quote's bytes.
        #[serde(with = "serde_bytes")]
        quote: Vec<u8>,
    },
    /// A DCAP quote of a TDX trust domain, version 4 or 5.
    Tdx {
        /// The quote's bytes.
        #[serde(with = "serde_bytes")]
        quote: Vec<u8>,
    },
    /// An attestation report of an AMD SEV-SNP guest, 1,184 bytes. Its VCEK or VLEK certificate is
    /// collateral.
    SevSnp {
        /// The report's bytes.
        #[serde(with = "serde_bytes")]
        report: Vec<u8>,
    },
    /// A `COSE_Sign1` document of the Nitro Security Module.
    Nitro {
        /// The document's bytes.
        #[serde(with = "serde_bytes")]
        document: Vec<u8>,
    },
    /// A chain of DER certificates, leaf first, as Android's keystore returns it.
    AndroidKey {
        /// Certificates (DER), the key's own first.
        chain: Vec<serde_bytes::ByteBuf>,
    },
    /// An attestation object of the App Attest service. `app_id` (team and bundle) and
    /// `client_data_hash` are not inside it: their hashes are.
    AppAttest {
        /// The attestation object's bytes (CBOR).
        #[serde(with = "serde_bytes")]
        attestation: Vec<u8>,
        /// The app it is said to come from: team and bundle.
        app_id: String,
        /// SHA-256 of what the app bound it to.
        #[serde(with = "serde_bytes")]
        client_data_hash: Vec<u8>,
    },
    /// A CCA token: platform and realm token under CBOR tag 399.
    Cca {
        /// The token's bytes.
        #[serde(with = "serde_bytes")]
        token: Vec<u8>,
    },
    /// A PSA token (RFC 9783, or the older `PSA_IOT_PROFILE_1`).
    Psa {
        /// The token's bytes.
        #[serde(with = "serde_bytes")]
        token: Vec<u8>,
    },
    /// A TPM 2.0: quote, log and certificates.
    Tpm(TpmQuote),
}

/// A quote of a TPM 2.0 and what vouches for the key that signed it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TpmQuote {
    /// `TPMS_ATTEST` as the TPM marshalled it.
    #[serde(with = "serde_bytes")]
    pub attest: Vec<u8>,
    /// The raw signature over `attest`: PKCS #1 v1.5, PSS, or a DER ECDSA signature; or a whole
    /// `TPMT_SIGNATURE`.
    #[serde(with = "serde_bytes")]
    pub signature: Vec<u8>,
    /// `SubjectPublicKeyInfo` of the attestation key, DER.
    #[serde(with = "serde_bytes")]
    pub attestation_key: Vec<u8>,
    /// Values of the quoted registers, by index.
    pub pcrs: BTreeMap<u8, serde_bytes::ByteBuf>,
    /// The TCG event log (crypto-agile form) that explains the registers; may be empty.
    #[serde(with = "serde_bytes", default)]
    pub event_log: Vec<u8>,
    /// Certificate of the attestation key (Google Cloud), leaf first with its intermediates; may
    /// be empty.
    #[serde(default)]
    pub attestation_chain: Vec<serde_bytes::ByteBuf>,
    /// Certificate of the endorsement key, leaf first with its intermediates; may be empty.
    #[serde(default)]
    pub endorsement_chain: Vec<serde_bytes::ByteBuf>,
    /// Azure: the SEV-SNP report whose `report_data` is the SHA-256 of `runtime`; may be empty.
    #[serde(with = "serde_bytes", default)]
    pub snp_report: Vec<u8>,
    /// Azure: the runtime data (JSON) that names the attestation key; may be empty.
    #[serde(with = "serde_bytes", default)]
    pub runtime: Vec<u8>,
}

impl Evidence {
    /// Which kind it is.
    #[must_use]
    pub const fn technology(&self) -> Technology {
        match self {
            Self::Sgx { .. } => Technology::IntelSgx,
            Self::Tdx { .. } => Technology::IntelTdx,
            Self::SevSnp { .. } => Technology::AmdSevSnp,
            Self::Nitro { .. } => Technology::AwsNitro,
            Self::AndroidKey { .. } => Technology::AndroidKeyAttestation,
            Self::AppAttest { .. } => Technology::AppleAppAttest,
            Self::Cca { .. } => Technology::ArmCca,
            Self::Psa { .. } => Technology::ArmPsa,
            Self::Tpm(_) => Technology::Tpm2,
        }
    }

    /// The wire form: CBOR.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        ciborium::into_writer(self, &mut bytes).expect("a vector takes all that is written");
        bytes
    }

    /// Read the wire form.
    ///
    /// # Errors
    /// [`Reject::Malformed`] if it is too long, not CBOR of this shape and in its one form, or
    /// followed by other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Reject> {
        let evidence: Self = crate::der::cbor_to_the_end(bytes, EVIDENCE_BYTES_MAX, "evidence")?;
        if evidence.to_bytes() != bytes {
            return Err(Reject::malformed("evidence", "its CBOR is not in the one form it has"));
        }
        Ok(evidence)
    }

    pub(crate) fn check_size(&self) -> Result<(), Reject> {
        let chain = |parts: &[serde_bytes::ByteBuf]| {
            let bytes = parts.iter().map(|part| part.len()).sum::<usize>();
            if parts.len() > CERTIFICATES_MAX { usize::MAX } else { bytes }
        };
        let length = match self {
            Self::Sgx { quote: bytes }
            | Self::Tdx { quote: bytes }
            | Self::SevSnp { report: bytes }
            | Self::Nitro { document: bytes }
            | Self::Cca { token: bytes }
            | Self::Psa { token: bytes } => bytes.len(),
            Self::AppAttest { attestation, app_id, client_data_hash } => {
                attestation.len() + app_id.len() + client_data_hash.len()
            }
            Self::AndroidKey { chain: parts } => chain(parts),
            Self::Tpm(quote) => [
                quote.attest.len(),
                quote.signature.len(),
                quote.attestation_key.len(),
                quote.pcrs.values().map(|value| value.len()).sum(),
                quote.event_log.len(),
                quote.snp_report.len(),
                quote.runtime.len(),
                chain(&quote.attestation_chain),
                chain(&quote.endorsement_chain),
            ]
            .into_iter()
            .fold(0, usize::saturating_add),
        };
        if length > EVIDENCE_BYTES_MAX {
            return Err(Reject::malformed(
                "evidence",
                "longer than 64 KiB, or too many certificates",
            ));
        }
        Ok(())
    }
}

/// What a verifier fetches beside the evidence. All of it is checked as hard as the evidence is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collateral {
    /// Intel: TCB info, QE identity, CRLs and their chains, as the PCCS serves them (JSON).
    #[serde(with = "serde_bytes", default)]
    pub dcap: Vec<u8>,
    /// DER certificates the evidence does not carry. AMD: VCEK or VLEK first, then an ASVK where it
    /// is none of the built-in ones. TPM: intermediates and the root of a chain.
    #[serde(default)]
    pub certificates: Vec<serde_bytes::ByteBuf>,
    /// Android: revoked serials, lower-case hex without leading zeros, as Google's status list
    /// names them.
    #[serde(default)]
    pub revoked: BTreeSet<String>,
    /// Arm: `SubjectPublicKeyInfo` (DER) of the key an endorser says belongs to the platform. The
    /// token names no root, so the caller decides which key to trust.
    #[serde(with = "serde_bytes", default)]
    pub platform_key: Vec<u8>,
}

impl Collateral {
    /// The wire form: CBOR.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        ciborium::into_writer(self, &mut bytes).expect("a vector takes all that is written");
        bytes
    }

    /// Read the wire form.
    ///
    /// # Errors
    /// As [`Evidence::from_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Reject> {
        crate::der::cbor_to_the_end(bytes, COLLATERAL_BYTES_MAX, "collateral")
    }

    pub(crate) fn check_size(&self) -> Result<(), Reject> {
        let certificates = self.certificates.iter().map(|der| der.len()).sum::<usize>();
        let revoked = self.revoked.iter().map(String::len).sum::<usize>();
        if self.certificates.len() > CERTIFICATES_MAX
            || self.dcap.len() + certificates + revoked + self.platform_key.len()
                > COLLATERAL_BYTES_MAX
        {
            return Err(Reject::malformed(
                "collateral",
                "longer than 256 KiB, or too many certificates",
            ));
        }
        Ok(())
    }
}

/// What the evidence must carry to be about this question and no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Exactly these bytes; fields longer than these must be zero after them.
    Challenge(Vec<u8>),
    /// Nothing: the claims say so, and policies refuse it unless told otherwise.
    Unchecked,
}
