//! Options and commands for hardware evidence.

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
    /// Check one piece of evidence. Prints its claims as JSON, or why it is refused (exit code 1).
    Verify(AttestVerify),
    /// Make evidence on this machine for the chain's newest challenge, and send it.
    Submit(AttestSubmit),
    /// Show what an account's machine proved, and the challenge that new evidence must answer.
    Show {
        /// The account. Default: your own.
        address: Option<Address>,
    },
    /// Check every case in a folder, and that the changed inputs it lists are refused.
    Conformance(LabWords),
    /// Flip one bit of each byte of every accepted case in a folder, and check each result.
    Flips(LabWords),
}

#[derive(ClapArgs)]
pub struct AttestSubmit {
    #[command(flatten)]
    pub source: AttestSource,
    /// The code that runs; the evidence states its SHA-256. Default: this program.
    #[arg(long, value_name = "FILE")]
    pub code: Option<PathBuf>,
    /// Collateral that the evidence does not carry: Intel's as JSON, or AMD's VCEK.
    #[arg(long, value_name = "FILE")]
    pub collateral: Option<PathBuf>,
    /// The account whose attestation is the parent. Default: your own account, if its attestation is still valid.
    #[arg(long, value_name = "ADDRESS")]
    pub parent: Option<Address>,
    /// Begin a new chain of attestations, without a parent.
    #[arg(long, conflicts_with = "parent")]
    pub root: bool,
    /// Also save the evidence in this file.
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
    /// Intel TDX or AMD SEV-SNP, through the kernel's configfs-tsm.
    #[arg(long)]
    pub tsm: bool,
}

#[derive(ClapArgs)]
pub struct AttestVerify {
    /// A folder with a case.json. Without it, name the parts with --evidence and the other options.
    #[arg(required_unless_present = "evidence", conflicts_with_all = ["technology", "evidence", "collateral"])]
    pub case: Option<PathBuf>,
    /// The technology: intel-sgx, intel-tdx, amd-sev-snp, aws-nitro, android-key-attestation, apple-app-attest,
    /// arm-cca, arm-psa, tpm2.
    #[arg(long = "type", value_name = "TYPE", requires = "evidence")]
    pub technology: Option<String>,
    /// The evidence: a quote, report, document, chain (PEM), attestation object or token. Evidence as workers
    /// send it (CBOR) needs no --type.
    #[arg(long, value_name = "FILE")]
    pub evidence: Option<PathBuf>,
    /// Intel: collateral (JSON). AMD: VCEK or VLEK. Arm: the platform's key. TPM: the root of its chain.
    /// Or collateral as workers send it (CBOR).
    #[arg(long, value_name = "FILE")]
    pub collateral: Option<PathBuf>,
    /// The time at which the evidence is judged: seconds since 1970, or 2025-06-25T00:00:00Z. Default: now.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// The challenge that the evidence must answer, in hexadecimal.
    #[arg(long, value_name = "HEX")]
    pub challenge: Option<String>,
    /// App Attest: team and bundle, such as ABCDE12345.org.example.app.
    #[arg(long, value_name = "ID")]
    pub app_id: Option<String>,
    /// The policy that says what is accepted: a JSON file. Default: everything that verifies, except debug modes.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Accept debug modes, too.
    #[arg(long)]
    pub allow_debug: bool,
}
