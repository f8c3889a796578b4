//! `meshx attest verify`: one piece of evidence, its claims or the reason.

use std::{
    fs,
    path::Path,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, bail};
use attestation::{Anchors, Binding, Collateral, Evidence, Policy, Technology, UnixSeconds};
use conformance::{Case, Inputs, claims_of};
use serde_bytes::ByteBuf;
use serde_json::json;

use crate::args::AttestVerify;

/// What it exits with when the evidence is refused.
const REFUSED: u8 = 1;
/// Files longer than this are no evidence.
const FILE_BYTES_MAX: u64 = 1 << 20;

pub fn verify(args: &AttestVerify) -> Result<ExitCode> {
    let mut inputs = match &args.case {
        Some(folder) => Case::load(folder)?.inputs()?,
        None => named_parts(args)?,
    };
    if let Some(time) = &args.at {
        inputs.now = UnixSeconds::new(parse_time(time)?);
    }
    if let Some(challenge) = &args.challenge {
        let bytes = hex::decode(challenge).context("--challenge is not hexadecimal")?;
        inputs.binding = Binding::Challenge(bytes);
    }
    if let Some(file) = &args.policy {
        inputs.policy = serde_json::from_slice(&read(file)?)
            .with_context(|| format!("{} is not a policy", file.display()))?;
    }
    inputs.policy.allow_debug |= args.allow_debug;
    match inputs.judge() {
        Ok(claims) => {
            println!("{}", serde_json::to_string_pretty(&claims_of(&claims))?);
            Ok(ExitCode::SUCCESS)
        }
        Err(reject) => {
            let refusal =
                json!({ "accepted": false, "code": reject.code(), "reason": reject.to_string() });
            println!("{}", serde_json::to_string_pretty(&refusal)?);
            eprintln!("refused: {reject}");
            Ok(ExitCode::from(REFUSED))
        }
    }
}

/// Evidence and collateral as files, of a type that is named or that the package says.
fn named_parts(args: &AttestVerify) -> Result<Inputs> {
    let file = args.evidence.as_deref().context("--evidence is missing")?;
    let bytes = read(file)?;
    let collateral = args.collateral.as_deref().map(read).transpose()?;
    let evidence = match &args.technology {
        None => Evidence::from_bytes(&bytes).with_context(|| {
            format!("{} is not packed evidence; say --type for a raw file", file.display())
        })?,
        Some(name) => {
            let technology = Technology::of_name(name).with_context(|| {
                let names = Technology::ALL.map(Technology::name).join(", ");
                format!("there is no type {name}; there are {names}")
            })?;
            raw(technology, bytes, args)?
        }
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    Ok(Inputs {
        anchors: Anchors::Vendors,
        collateral: collateral_of(evidence.technology(), collateral)?,
        evidence,
        binding: Binding::Unchecked,
        now: UnixSeconds::new(now),
        policy: Policy::inspection(),
        stated: [].into(),
    })
}

fn raw(technology: Technology, bytes: Vec<u8>, args: &AttestVerify) -> Result<Evidence> {
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
            chain: conformance::certificates(&bytes)?.into_iter().map(ByteBuf::from).collect(),
        },
        Technology::AppleAppAttest => {
            Evidence::AppAttest {
                attestation: bytes,
                app_id: args.app_id.clone().context("an App Attest object needs --app-id")?,
                client_data_hash: hex::decode(args.challenge.as_deref().context(
                    "an App Attest object needs --challenge: the hash of its client data",
                )?)
                .context("--challenge is not hexadecimal")?,
            }
        }
        Technology::ArmCca => Evidence::Cca { token: bytes },
        Technology::ArmPsa => Evidence::Psa { token: bytes },
        Technology::Tpm2 => {
            bail!("a TPM quote has several parts: give a case folder, or packed evidence")
        }
    })
}

pub(super) fn collateral_of(technology: Technology, bytes: Option<Vec<u8>>) -> Result<Collateral> {
    let Some(bytes) = bytes else { return Ok(Collateral::default()) };
    if let Ok(packed) = Collateral::from_bytes(&bytes) {
        return Ok(packed);
    }
    let empty = Collateral::default();
    Ok(match technology {
        Technology::IntelSgx | Technology::IntelTdx => Collateral { dcap: bytes, ..empty },
        Technology::ArmCca | Technology::ArmPsa => {
            Collateral { platform_key: conformance::key(&bytes)?, ..empty }
        }
        Technology::AndroidKeyAttestation => {
            let revoked = serde_json::from_slice(&bytes)
                .context("collateral is no list of revoked serials")?;
            Collateral { revoked, ..empty }
        }
        _ => {
            let certificates = conformance::certificates(&bytes)?;
            Collateral {
                certificates: certificates.into_iter().map(ByteBuf::from).collect(),
                ..empty
            }
        }
    })
}

pub(super) fn read(file: &Path) -> Result<Vec<u8>> {
    let about = fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?;
    if about.len() > FILE_BYTES_MAX {
        bail!("{} has {} bytes; evidence has at most 1 MiB", file.display(), about.len());
    }
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Seconds since 1970, from a number or from `YYYY-MM-DDThh:mm:ssZ`.
fn parse_time(text: &str) -> Result<u64> {
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    let time = humantime::parse_rfc3339_weak(text).with_context(|| {
        format!("{text} is neither seconds since 1970 nor 2025-06-25T00:00:00Z")
    })?;
    Ok(time.duration_since(UNIX_EPOCH)?.as_secs())
}
