//! What can be typed about evidence of hardware.

use std::path::PathBuf;

use super::LabWords;
use clap::{Args as ClapArgs, Subcommand};
use types::Address;

#[derive(ClapArgs)]
pub struct AttestCommand {
    #[command(subcommand)]
    pub verb: AttestVerb,
}

#[derive(Subcommand)]
pub enum AttestVerb {
    /// Judge one piece of evidence: its claims as JSON, or why it is refused (exit code 1).
    Verify(AttestVerify),
    /// Make evidence on this machine for the chain's newest challenge, and send it.
    Submit(AttestSubmit),
    /// What an account's machine proved, and what new evidence must answer.
    Show {
        /// Default: your own.
        address: Option<Address>,
    },
    /// Judge every case below a folder, with the changes each of them says must be refused.
    Conformance(LabWords),
    /// Turn over one bit of every byte of every accepted case below a folder.
    Flips(LabWords),
}

#[derive(ClapArgs)]
pub struct AttestSubmit {
    #[command(flatten)]
    pub source: AttestSource,
    /// The code that runs; its SHA-256 is stated. Default: this program.
    #[arg(long, value_name = "FILE")]
    pub code: Option<PathBuf>,
    /// Collateral that does not come with the evidence: Intel's (JSON), or a VCEK.
    #[arg(long, value_name = "FILE")]
    pub collateral: Option<PathBuf>,
    /// Whose attestation comes before this one. Default: your own, if it still counts.
    #[arg(long, value_name = "ADDRESS")]
    pub parent: Option<Address>,
    /// Begin a chain anew, after nobody.
    #[arg(long, conflicts_with = "parent")]
    pub root: bool,
    /// Keep the evidence here, too.
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
}

#[derive(ClapArgs)]
#[group(required = true, multiple = false)]
pub struct AttestSource {
    /// A TPM 2.0: /dev/tpmrm0, swtpm's socket, or HOST:PORT.
    #[arg(long, value_name = "WHERE")]
    pub tpm: Option<String>,
    /// Intel SGX, inside Gramine.
    #[arg(long)]
    pub gramine: bool,
    /// Intel TDX or AMD SEV-SNP, by the kernel's configfs-tsm.
    #[arg(long)]
    pub tsm: bool,
}

#[derive(ClapArgs)]
pub struct AttestVerify {
    /// A folder with a case.json; or name the parts yourself.
    #[arg(required_unless_present = "evidence", conflicts_with_all = ["technology", "evidence", "collateral"])]
    pub case: Option<PathBuf>,
    /// intel-sgx, intel-tdx, amd-sev-snp, aws-nitro, android-key-attestation, apple-app-attest, arm-cca,
    /// arm-psa, tpm2.
    #[arg(long = "type", value_name = "TYPE", requires = "evidence")]
    pub technology: Option<String>,
    /// Quote, report, document, chain (PEM), attestation object or token; or evidence as workers send
    /// it (CBOR), which needs no --type.
    #[arg(long, value_name = "FILE")]
    pub evidence: Option<PathBuf>,
    /// Intel: collateral (JSON). AMD: VCEK or VLEK. Arm: the platform's key. TPM: the root of its chain.
    /// Or collateral as workers send it (CBOR).
    #[arg(long, value_name = "FILE")]
    pub collateral: Option<PathBuf>,
    /// The time to judge at: seconds since 1970, or 2025-06-25T00:00:00Z. Default: now.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// What the evidence must answer, hexadecimal.
    #[arg(long, value_name = "HEX")]
    pub challenge: Option<String>,
    /// App Attest: team and bundle, such as ABCDE12345.org.example.app.
    #[arg(long, value_name = "ID")]
    pub app_id: Option<String>,
    /// What is accepted: a JSON file. Default: everything that verifies, except debug modes.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Accept debug modes, too.
    #[arg(long)]
    pub allow_debug: bool,
}
