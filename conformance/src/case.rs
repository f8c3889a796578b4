//! One case: a folder with a `case.json`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, anyhow};
use attestation::{
    Binding, Claims, Collateral, Evidence, Policy, Reject, Technology, TpmQuote, TrustRoots,
    UnixSeconds,
};
use data_encoding::BASE64;
use ring::digest;
use serde::Deserialize;
use serde_bytes::ByteBuf;
use serde_json::Value;

use crate::files::{certificates, key};

/// `case.json`, and where it lies.
#[derive(Clone, Debug, Deserialize)]
pub struct Case {
    /// What reports call the case.
    pub id: String,
    /// What it is evidence of.
    pub technology: Technology,
    /// Names of parts, and the files beside `case.json` that hold them.
    pub inputs: BTreeMap<String, PathBuf>,
    /// Which of `inputs` the evidence is in. For readers of the file; the verifier goes by `technology`.
    #[serde(default)]
    pub main_input: Option<String>,
    /// What the verifier needs beside the files, by name, as the technology asks for it.
    #[serde(default)]
    pub params: BTreeMap<String, Value>,
    /// Seconds since 1970.
    pub verify_time: u64,
    /// What the verifier must say.
    pub expect: Expect,
    /// Changed copies that must be refused, or may be accepted for a reason.
    #[serde(default)]
    pub negatives: Vec<Negative>,
    /// The folder of `case.json`.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// What the verifier must say of a case.
#[derive(Clone, Debug, Deserialize)]
pub struct Expect {
    /// `accept`, or `reject:` and a reason.
    pub verdict: String,
    /// Claims by name that must come out so. Those that are not named may be anything.
    #[serde(default)]
    pub claims: BTreeMap<String, Value>,
}

/// A change of the case, and what must become of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Negative {
    /// What is changed, such as `time+20y`. A change that this program does not know fails the case.
    pub change: String,
    /// `reject`, or `accept` and why.
    pub must: String,
}

/// What a case feeds to the verifier, read from its files.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The vendors' keys that chains may end in.
    pub trust_roots: TrustRoots,
    /// What the hardware said.
    pub evidence: Evidence,
    /// What the vendor says about such hardware.
    pub collateral: Collateral,
    /// What the evidence must be bound to.
    pub binding: Binding,
    /// When it is judged.
    pub now: UnixSeconds,
    /// What counts once it has verified.
    pub policy: Policy,
    /// Facts outside the evidence that the case states: the claims must agree.
    pub stated: BTreeMap<&'static str, String>,
}

impl Inputs {
    /// Judge at another time: seconds since 1970.
    pub fn judge_at(&mut self, seconds: u64) {
        self.now = UnixSeconds::new(seconds);
    }

    /// What the evidence must answer.
    pub fn must_answer(&mut self, challenge: Vec<u8>) {
        self.binding = Binding::Challenge(challenge);
    }

    /// Accept what this policy, a JSON text, accepts.
    ///
    /// # Errors
    /// If it is no policy.
    pub fn accept_by(&mut self, policy: &[u8]) -> serde_json::Result<()> {
        self.policy = serde_json::from_slice(policy)?;
        Ok(())
    }

    /// Verify, compare with what is stated, appraise.
    ///
    /// # Errors
    /// The first reason to refuse.
    pub fn judge(&self) -> Result<Claims, Reject> {
        let claims = self.verify()?;
        self.policy.appraise(&claims, self.now)?;
        Ok(claims)
    }

    /// Verify and compare with what is stated.
    ///
    /// # Errors
    /// The first reason to refuse.
    pub fn verify(&self) -> Result<Claims, Reject> {
        let claims = attestation::verify_under(
            &self.trust_roots,
            &self.evidence,
            &self.collateral,
            &self.binding,
            self.now,
        )?;
        let flat = claims_of(&claims);
        for (name, value) in &self.stated {
            if flat.get(*name).and_then(Value::as_str) != Some(value) {
                return Err(Reject::Mismatch { what: name, other: "what the case states" });
            }
        }
        Ok(claims)
    }
}

/// All claims in one flat object: the technology's own names beside those every technology has.
#[must_use]
pub fn claims_of(claims: &Claims) -> serde_json::Map<String, Value> {
    let Ok(Value::Object(mut flat)) = serde_json::to_value(claims) else {
        unreachable!("claims are an object");
    };
    if let Some(Value::Object(details)) = flat.remove("details") {
        flat.extend(details);
    }
    flat
}

impl Case {
    /// Read `folder/case.json`.
    ///
    /// # Errors
    /// If it is not there or not a case.
    pub fn load(folder: &Path) -> Result<Self> {
        let file = folder.join("case.json");
        let text = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut case: Self = serde_json::from_slice(&text)
            .with_context(|| format!("{} is not a case", file.display()))?;
        case.folder = folder.to_owned();
        Ok(case)
    }

    /// Read all files the case names.
    ///
    /// # Errors
    /// If a file is missing or a parameter has the wrong form.
    pub fn inputs(&self) -> Result<Inputs> {
        let evidence = self.evidence()?;
        let mut policy = Policy::inspection();
        policy.require_verified_boot = self.flag("require_verified_boot");
        policy.allow_development = self.flag("allow_development");
        Ok(Inputs {
            trust_roots: self.trust_roots()?,
            binding: self.binding(&evidence)?,
            evidence,
            collateral: self.collateral()?,
            now: UnixSeconds::new(self.verify_time),
            policy,
            stated: self.stated()?,
        })
    }

    fn evidence(&self) -> Result<Evidence> {
        Ok(match self.technology {
            Technology::IntelSgx => Evidence::Sgx { quote: self.input("quote")? },
            Technology::IntelTdx => Evidence::Tdx { quote: self.input("quote")? },
            Technology::AmdSevSnp => Evidence::SevSnp { report: self.input("report")? },
            Technology::AwsNitro => Evidence::Nitro { document: self.input("doc")? },
            Technology::AndroidKeyAttestation => {
                Evidence::AndroidKey { chain: byte_bufs(certificates(&self.input("chain")?)?) }
            }
            Technology::AppleAppAttest => Evidence::AppAttest {
                attestation: self.input("attestation")?,
                app_id: self.text("app_id").context("params.app_id is missing")?.to_owned(),
                client_data_hash: self
                    .base64("client_data_hash")?
                    .context("params.client_data_hash is missing")?,
            },
            Technology::ArmCca => Evidence::Cca { token: self.input("token")? },
            Technology::ArmPsa => Evidence::Psa { token: self.input("token")? },
            Technology::Tpm2 => Evidence::Tpm(self.tpm_quote()?),
        })
    }

    fn tpm_quote(&self) -> Result<TpmQuote> {
        let chain = |input: &str, more: Option<&str>| -> Result<Vec<ByteBuf>> {
            let mut chain = certificates(&self.optional(input)?)?;
            chain.retain(|der| !der.is_empty());
            if let Some(file) = more.and_then(|name| self.text(name))
                && !chain.is_empty()
            {
                chain.extend(certificates(&self.read(Path::new(file))?)?);
            }
            Ok(byte_bufs(chain))
        };
        Ok(TpmQuote {
            attest: self.input("attest")?,
            signature: self.input("sig")?,
            attestation_key: key(&self.input("ak")?)?,
            pcrs: pcrs(&self.input("pcrs")?)?,
            event_log: self.optional("event_log")?,
            attestation_chain: chain("ak_cert", Some("ak_intermediates"))?,
            endorsement_chain: chain("ek_cert", Some("ek_intermediates"))?,
            snp_report: self.optional("snp_report")?,
            runtime: self.optional("runtime")?,
        })
    }

    fn collateral(&self) -> Result<Collateral> {
        let mut collateral =
            Collateral { dcap: self.optional("collateral")?, ..Collateral::default() };
        for name in ["vek", "asvk", "ask"] {
            let file = self.optional(name)?;
            if !file.is_empty() {
                collateral.certificates.extend(byte_bufs(certificates(&file)?));
            }
        }
        if let Some(file) = self.text("ek_root") {
            collateral.certificates.extend(byte_bufs(certificates(&self.read(Path::new(file))?)?));
        }
        for name in ["cpak", "iak"] {
            if let Some(file) = self.text(name) {
                collateral.platform_key = key(&self.read(Path::new(file))?)?;
            }
        }
        if let Some(revoked) = self.params.get("revoked").and_then(Value::as_array) {
            collateral.revoked =
                revoked.iter().filter_map(Value::as_str).map(str::to_lowercase).collect();
        }
        Ok(collateral)
    }

    /// The vendors' roots, unless the case names files with others.
    fn trust_roots(&self) -> Result<TrustRoots> {
        let mut named = Vec::new();
        for name in ["root", "roots", "root_der", "ak_root", "ark_pem"] {
            if let Some(file) = self.text(name) {
                named.extend(certificates(&self.read(Path::new(file))?)?);
            }
        }
        Ok(if named.is_empty() { TrustRoots::Vendors } else { TrustRoots::Only(named) })
    }

    fn binding(&self, evidence: &Evidence) -> Result<Binding> {
        for name in ["challenge", "nonce", "report_data"] {
            if let Some(text) = self.text(name) {
                let bytes = hex::decode(text)
                    .with_context(|| format!("params.{name} is not hexadecimal"))?;
                return Ok(Binding::Challenge(bytes));
            }
        }
        Ok(match evidence {
            Evidence::AppAttest { client_data_hash, .. } => {
                Binding::Challenge(client_data_hash.clone())
            }
            _ => Binding::Unchecked,
        })
    }

    fn stated(&self) -> Result<BTreeMap<&'static str, String>> {
        let mut stated = BTreeMap::new();
        if let Some(key_id) = self.base64("key_id")? {
            stated.insert("key_id", hex::encode(key_id));
        }
        if self.technology == Technology::AmdSevSnp
            && let Some(product) = self.text("product")
        {
            stated.insert("product", product.to_lowercase());
        }
        if let Some(worker) = self.text("worker_sha256") {
            let worker = hex::decode(worker).context("params.worker_sha256 is not hexadecimal")?;
            stated.insert("pcr16", hex::encode(extended_once(&worker)));
        }
        Ok(stated)
    }

    fn input(&self, name: &str) -> Result<Vec<u8>> {
        let file = self.inputs.get(name).ok_or_else(|| anyhow!("inputs.{name} is missing"))?;
        self.read(file)
    }

    fn optional(&self, name: &str) -> Result<Vec<u8>> {
        self.inputs.get(name).map_or(Ok(Vec::new()), |file| self.read(file))
    }

    fn read(&self, file: &Path) -> Result<Vec<u8>> {
        let file = self.folder.join(file);
        fs::read(&file).with_context(|| format!("cannot read {}", file.display()))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.params.get(name).and_then(Value::as_str)
    }

    fn flag(&self, name: &str) -> bool {
        self.params.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    fn base64(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.text(name)
            .map(|text| {
                BASE64
                    .decode(text.as_bytes())
                    .with_context(|| format!("params.{name} is not base64"))
            })
            .transpose()
    }
}

/// `{"0": "<hex>", …}`, or the same one level down, under the name of the bank.
fn pcrs(json: &[u8]) -> Result<BTreeMap<u8, ByteBuf>> {
    let value: BTreeMap<String, Value> =
        serde_json::from_slice(json).context("the PCR values are not a JSON object")?;
    let mut pcrs = BTreeMap::new();
    for (index, value) in value {
        match (index.parse::<u8>(), value) {
            (Ok(index), Value::String(text)) => {
                let bytes = hex::decode(text.trim_start_matches("0x"))
                    .with_context(|| format!("PCR {index} is not hexadecimal"))?;
                pcrs.insert(index, ByteBuf::from(bytes));
            }
            (Err(_), Value::Object(bank)) => {
                pcrs.extend(self::pcrs(&serde_json::to_vec(&bank)?)?);
            }
            _ => return Err(anyhow!("PCR {index} is not an index with a value")),
        }
    }
    Ok(pcrs)
}

/// The value of a SHA-256 register that was zero and extended once.
fn extended_once(measurement: &[u8]) -> Vec<u8> {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(&[0; 32]);
    hash.update(measurement);
    hash.finish().as_ref().to_vec()
}

fn byte_bufs(parts: Vec<Vec<u8>>) -> Vec<ByteBuf> {
    parts.into_iter().map(ByteBuf::from).collect()
}
