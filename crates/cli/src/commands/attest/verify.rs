//! `meshx attest verify`: one piece of evidence, its claims or the reason.

use std::{process::ExitCode, time::UNIX_EPOCH};

use anyhow::{Context as _, Result};
use conformance::{Case, Parts, claims_of, read};
use serde_json::json;

use args::AttestVerify;

/// What it exits with when the evidence is refused.
const REFUSED: u8 = 1;

pub fn verify(args: &AttestVerify) -> Result<ExitCode> {
    let mut inputs = match &args.case {
        Some(folder) => Case::load(folder)?.inputs()?,
        None => parts(args)?.inputs()?,
    };
    if let Some(time) = &args.at {
        inputs.judge_at(parse_time(time)?);
    }
    if let Some(challenge) = &args.challenge {
        inputs.must_answer(hex::decode(challenge).context("--challenge is not hexadecimal")?);
    }
    if let Some(file) = &args.policy {
        let policy = inputs.accept_by(&read(file)?);
        policy.with_context(|| format!("{} is not a policy", file.display()))?;
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

fn parts(args: &AttestVerify) -> Result<Parts> {
    Ok(Parts {
        technology: args.technology.clone(),
        evidence: args.evidence.clone().context("--evidence is missing")?,
        collateral: args.collateral.clone(),
        app_id: args.app_id.clone(),
        challenge: args.challenge.clone(),
    })
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
