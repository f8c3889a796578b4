//! The verdict of a case, and of each of its negatives.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use attestation::{Binding, Evidence, Reject, Technology, TrustRoots, UnixSeconds};
use serde::Serialize;
use serde_json::Value;

use crate::{
    case::{Case, Inputs, claims_of},
    flips::{Flips, flips},
};

const YEARS_20: u64 = 20 * 365 * 86_400;
const DAYS_45: u64 = 45 * 86_400;

/// The generators of two curves as public keys: keys of nobody, whose secret is 1.
const GENERATOR_P256: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200046b17d1f2e12c42\
    47f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b31\
    5ececbb6406837bf51f5";
const GENERATOR_P384: &str = "3076301006072a8648ce3d020106052b8104002203620004aa87ca22be8b05378eb1\
    c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab73617de4a96262c6f5d\
    9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f";

/// What became of a case.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// [`Case::id`](crate::Case::id).
    pub id: String,
    /// What it was evidence of.
    pub technology: Technology,
    /// Class of the claims, if it was accepted.
    pub class: Option<&'static str>,
    /// The case as it stands.
    pub verdict: Line,
    /// Its changed copies, in the order of the file.
    pub negatives: Vec<Line>,
}

/// One question and its answer.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// What was judged: the case, or a change of it.
    pub what: String,
    /// What `case.json` says must come out.
    pub expected: String,
    /// `accept`, or `reject:` and the code of the reason.
    pub found: String,
    /// Why it came out so, for a person.
    pub detail: String,
    /// Whether `found` is what was expected.
    pub holds: bool,
}

impl Judged {
    /// Whether every line of the case holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.verdict.holds && self.negatives.iter().all(|line| line.holds)
    }
}

/// Judge every case below `folder`, in the order of their paths.
///
/// # Errors
/// If there is none, or one cannot be read.
pub fn judge_folder(folder: &Path) -> Result<Vec<Judged>> {
    cases(folder)?.iter().map(judge).collect()
}

/// Turn over the bytes of every case below `folder` that is accepted.
///
/// # Errors
/// As [`judge_folder`].
pub fn flip_folder(folder: &Path) -> Result<Vec<(String, Flips)>> {
    let mut all = Vec::new();
    for case in cases(folder)? {
        let inputs = case.inputs().with_context(|| format!("case {}", case.id))?;
        if inputs.judge().is_ok() {
            all.push((case.id, flips(&inputs)));
        }
    }
    Ok(all)
}

/// Every case below `folder`, at most four levels down, in the order of their paths.
///
/// # Errors
/// If there is none, or one cannot be read.
pub fn cases(folder: &Path) -> Result<Vec<Case>> {
    let mut folders = Vec::new();
    find(folder, 0, &mut folders)?;
    folders.sort();
    if folders.is_empty() {
        bail!("no case.json below {}", folder.display());
    }
    folders.iter().map(|folder| Case::load(folder)).collect()
}

fn find(folder: &Path, depth: u8, found: &mut Vec<PathBuf>) -> Result<()> {
    if folder.join("case.json").is_file() {
        found.push(folder.to_owned());
        return Ok(());
    }
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() && depth < 4 {
            find(&path, depth + 1, found)?;
        }
    }
    Ok(())
}

/// Judge one case and all changes of it that it lists.
///
/// # Errors
/// If its files cannot be read.
pub fn judge(case: &Case) -> Result<Judged> {
    let inputs = case.inputs().with_context(|| format!("case {}", case.id))?;
    let result = inputs.judge();
    let mut line = answer("verdict", &case.expect.verdict, result.as_ref().map(|_| ()));
    if let Ok(claims) = &result {
        let flat = claims_of(claims);
        for (name, expected) in &case.expect.claims {
            let found = flat.get(name).unwrap_or(&Value::Null);
            if line.holds && found != expected {
                line.holds = false;
                line.detail = format!("{name} is {found}, expected {expected}");
            }
        }
    }
    let negatives = case
        .negatives
        .iter()
        .map(|negative| {
            let Some(changed) = change(&inputs, &negative.change) else {
                return Line {
                    what: negative.change.clone(),
                    expected: negative.must.clone(),
                    found: "unknown change".into(),
                    detail: String::new(),
                    holds: false,
                };
            };
            let result = changed.judge();
            let mut line = answer(&negative.change, &negative.must, result.as_ref().map(|_| ()));
            if negative.must.contains("debug=true") {
                line.holds &= result.is_ok_and(|claims| claims.is_debug());
            }
            line
        })
        .collect();
    Ok(Judged {
        id: case.id.clone(),
        technology: case.technology,
        class: result.ok().map(|claims| claims.class().name()),
        verdict: line,
        negatives,
    })
}

fn answer(what: &str, expected: &str, result: Result<(), &Reject>) -> Line {
    let (found, detail, accepted) = match result {
        Ok(()) => ("accept".to_owned(), String::new(), true),
        Err(reject) => (format!("reject:{}", reject.code()), reject.to_string(), false),
    };
    Line {
        what: what.to_owned(),
        expected: expected.to_owned(),
        found,
        detail,
        holds: expected.starts_with("accept") == accepted,
    }
}

/// The inputs with one thing changed; `None` for a change this does not know.
fn change(inputs: &Inputs, change: &str) -> Option<Inputs> {
    let mut changed = inputs.clone();
    let now = inputs.now.get();
    match change {
        "time+20y" => changed.now = UnixSeconds::new(now + YEARS_20),
        "time-20y" => changed.now = UnixSeconds::new(now.saturating_sub(YEARS_20)),
        "collateral+45d" => changed.now = UnixSeconds::new(now + DAYS_45),
        "wrong_root" => wrong_root(&mut changed),
        "wrong_challenge" | "wrong_nonce" => {
            changed.binding = Binding::Challenge(vec![0x00, 0xff]);
        }
        "wrong_client_data_hash" => {
            if let Evidence::AppAttest { client_data_hash, .. } = &mut changed.evidence {
                client_data_hash.fill(0);
            }
        }
        "verifier option allow_debug=true" => changed.policy.allow_debug = true,
        _ => return None,
    }
    Some(changed)
}

/// Another vendor's root instead of the right one; for tokens without a root, another key.
fn wrong_root(inputs: &mut Inputs) {
    let product = inputs.stated.get("product").map(String::as_str);
    let other =
        attestation::roots::amd_root(if product == Some("genoa") { "milan" } else { "genoa" });
    inputs.trust_roots = TrustRoots::Only(vec![other.to_vec()]);
    if !inputs.collateral.platform_key.is_empty() {
        let p384 = inputs.collateral.platform_key.len() > 100;
        let other = if p384 { GENERATOR_P384 } else { GENERATOR_P256 };
        inputs.collateral.platform_key = hex::decode(other).expect("it is hexadecimal");
    }
    if let Evidence::Tpm(quote) = &inputs.evidence
        && !quote.endorsement_chain.is_empty()
    {
        inputs.collateral.certificates = vec![serde_bytes::ByteBuf::from(other)];
    }
}
