//! Evidence and collateral in files of their own, as vendors' tools leave them.

use std::{
    fs,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use anyhow::{Context as _, Result, bail};
use attestation::{Binding, Collateral, Evidence, Policy, Technology, TrustRoots, UnixSeconds};
use serde_bytes::ByteBuf;

use crate::{Inputs, certificates, key};

/// Files longer than this are no evidence.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The parts of one piece of evidence.
#[derive(Clone, Debug)]
pub struct Parts {
    /// What it is evidence of. `None`: the file is packed, as workers send it, and says so itself.
    pub technology: Option<String>,
    /// The file with the evidence.
    pub evidence: PathBuf,
    /// The file with the vendor's collateral, for technologies that need one.
    pub collateral: Option<PathBuf>,
    /// App Attest: team and bundle.
    pub app_id: Option<String>,
    /// App Attest: the hash of its client data, hexadecimal.
    pub challenge: Option<String>,
}

impl Parts {
    /// What a verifier is fed: judged now, under the vendors' roots, and accepted if it verifies.
    ///
    /// # Errors
    /// If a file cannot be read, or is not of that technology.
    pub fn inputs(&self) -> Result<Inputs> {
        let file = self.evidence.as_path();
        let bytes = read(file)?;
        let collateral = self.collateral.as_deref().map(read).transpose()?;
        let evidence = match &self.technology {
            None => Evidence::from_bytes(&bytes).with_context(|| {
                format!("{} is not packed evidence; use --type for a raw file", file.display())
            })?,
            Some(name) => {
                let technology = Technology::of_name(name).with_context(|| {
                    let names = Technology::ALL.map(Technology::name).join(", ");
                    format!("there is no type {name}; expected one of {names}")
                })?;
                self.raw(technology, bytes)?
            }
        };
        let now = UNIX_EPOCH.elapsed()?.as_secs();
        Ok(Inputs {
            trust_roots: TrustRoots::Vendors,
            collateral: collateral_of(evidence.technology(), collateral)?,
            evidence,
            binding: Binding::Unchecked,
            now: UnixSeconds::new(now),
            policy: Policy::inspection(),
            stated: [].into(),
        })
    }

    fn raw(&self, technology: Technology, bytes: Vec<u8>) -> Result<Evidence> {
        if let Ok(packed) = Evidence::from_bytes(&bytes) {
            if packed.technology() == technology {
                return Ok(packed);
            }
            bail!("the file holds evidence of {}", packed.technology().name());
        }
        Ok(match technology {
            Technology::IntelSgx => Evidence::Sgx { quote: bytes },
            Technology::IntelTdx => Evidence::Tdx { quote: bytes },
            Technology::AmdSevSnp => Evidence::SevSnp { report: bytes },
            Technology::AwsNitro => Evidence::Nitro { document: bytes },
            Technology::AndroidKeyAttestation => Evidence::AndroidKey {
                chain: certificates(&bytes)?.into_iter().map(ByteBuf::from).collect(),
            },
            Technology::AppleAppAttest => Evidence::AppAttest {
                attestation: bytes,
                app_id: self.app_id.clone().context("an App Attest object needs --app-id")?,
                client_data_hash: hex::decode(self.challenge.as_deref().context(
                    "an App Attest object needs --challenge: the hash of its client data",
                )?)
                .context("--challenge is not hexadecimal")?,
            },
            Technology::ArmCca => Evidence::Cca { token: bytes },
            Technology::ArmPsa => Evidence::Psa { token: bytes },
            Technology::Tpm2 => {
                bail!("a TPM quote has several parts: give a case folder, or packed evidence")
            }
        })
    }
}

/// Collateral of `technology`, packed or as its vendor gives it.
///
/// # Errors
/// If it is neither.
pub fn collateral_of(technology: Technology, bytes: Option<Vec<u8>>) -> Result<Collateral> {
    let Some(bytes) = bytes else { return Ok(Collateral::default()) };
    if let Ok(packed) = Collateral::from_bytes(&bytes) {
        return Ok(packed);
    }
    let empty = Collateral::default();
    Ok(match technology {
        Technology::IntelSgx | Technology::IntelTdx => Collateral { dcap: bytes, ..empty },
        Technology::ArmCca | Technology::ArmPsa => {
            Collateral { platform_key: key(&bytes)?, ..empty }
        }
        Technology::AndroidKeyAttestation => {
            let revoked = serde_json::from_slice(&bytes)
                .context("the collateral is not a list of revoked serials")?;
            Collateral { revoked, ..empty }
        }
        _ => {
            let certificates = certificates(&bytes)?;
            Collateral {
                certificates: certificates.into_iter().map(ByteBuf::from).collect(),
                ..empty
            }
        }
    })
}

/// Read a file that may be evidence.
///
/// # Errors
/// If it cannot be read, or is too long.
pub fn read(file: &Path) -> Result<Vec<u8>> {
    let about = fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?;
    if about.len() > FILE_BYTES_MAX {
        bail!("{} has {} bytes; evidence has at most 1 MiB", file.display(), about.len());
    }
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}
