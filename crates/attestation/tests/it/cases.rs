//! Cases of real evidence that lie beside the project, and ways to damage bytes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use attestation::{Binding, Claims, Collateral, Evidence, Reject, TrustRoots, UnixSeconds};
use serde_json::{Map, Value};

const YEARS_20: u64 = 20 * 365 * 86_400;

/// A folder with a `case.json`.
pub struct Case {
    pub id: String,
    folder: PathBuf,
    json: Value,
}

/// All cases of a technology, by name; none, and a line that says so, if they are not here.
pub fn cases(technology: &str) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/evidence");
    let Ok(entries) = fs::read_dir(folder.join(technology)) else {
        println!("passed over: no ../shared/evidence");
        return Vec::new();
    };
    let mut cases: Vec<Case> = entries
        .filter_map(|entry| {
            let folder = entry.ok()?.path();
            let text = fs::read(folder.join("case.json")).ok()?;
            let json: Value = serde_json::from_slice(&text).expect("case.json is JSON");
            let id = json["id"].as_str().expect("a case has an id").to_owned();
            Some(Case { id, folder, json })
        })
        .collect();
    cases.sort_by(|a, b| a.id.cmp(&b.id));
    cases
}

/// What evidence that names no root proves, if `platform_key` vouches for its hardware.
pub fn under_key(
    evidence: &Evidence,
    trust_roots: &TrustRoots,
    platform_key: &[u8],
    binding: &Binding,
) -> Result<Claims, Reject> {
    let collateral = Collateral { platform_key: platform_key.to_vec(), ..Collateral::default() };
    attestation::verify_under(trust_roots, evidence, &collateral, binding, UnixSeconds::new(0))
}

impl Case {
    /// The file of an input; empty if the case has no such input.
    pub fn input(&self, name: &str) -> Vec<u8> {
        self.file(&self.json["inputs"][name])
    }

    /// The file that a parameter names; empty if the case has no such parameter.
    pub fn param_file(&self, name: &str) -> Vec<u8> {
        self.file(&self.json["params"][name])
    }

    pub fn param(&self, name: &str) -> Option<&str> {
        self.json["params"][name].as_str()
    }

    pub fn now(&self) -> UnixSeconds {
        UnixSeconds::new(self.json["verify_time"].as_u64().expect("a case has a time"))
    }

    pub fn years_later(&self) -> UnixSeconds {
        UnixSeconds::new(self.now().get() + YEARS_20)
    }

    pub fn years_before(&self) -> UnixSeconds {
        UnixSeconds::new(self.now().get() - YEARS_20)
    }

    pub fn verdict(&self) -> &str {
        self.json["expect"]["verdict"].as_str().expect("a case has a verdict")
    }

    pub fn accepted(&self) -> bool {
        self.verdict() == "accept"
    }

    /// Must the case be refused after this change? `None`: the case does not list it.
    pub fn refuses(&self, change: &str) -> Option<bool> {
        let negative =
            self.json["negatives"].as_array()?.iter().find(|entry| entry["change"] == change)?;
        Some(negative["must"].as_str().is_some_and(|must| must.starts_with("reject")))
    }

    /// Every claim the case names is there, with the value it names.
    pub fn assert_claims(&self, claims: &Claims) {
        let flat = flat(claims);
        for (name, value) in self.json["expect"]["claims"].as_object().expect("claims") {
            assert_eq!(flat.get(name), Some(value), "{}: {name}", self.id);
        }
    }

    fn file(&self, name: &Value) -> Vec<u8> {
        name.as_str().map_or_else(Vec::new, |name| {
            fs::read(self.folder.join(name)).expect("a file the case names")
        })
    }
}

/// What every technology has, and over it what this one says in its vendor's words.
pub fn flat(claims: &Claims) -> Map<String, Value> {
    let Ok(Value::Object(mut flat)) = serde_json::to_value(claims) else {
        panic!("claims are an object");
    };
    if let Some(Value::Object(details)) = flat.remove("details") {
        flat.extend(details);
    }
    flat
}

/// Every block of a PEM file, or the one DER object that a file is; none of an empty file.
pub fn blocks(file: &[u8]) -> Vec<Vec<u8>> {
    if file.is_empty() {
        return Vec::new();
    }
    if !file.windows(11).any(|window| window == b"-----BEGIN ") {
        return vec![file.to_vec()];
    }
    x509_parser::pem::Pem::iter_from_buffer(file)
        .map(|block| block.expect("a PEM block").contents)
        .collect()
}

/// No prefix, and nothing with a byte behind, is accepted.
pub fn refuses_other_lengths(bytes: &[u8], judge: impl Fn(&[u8]) -> Result<Claims, Reject>) {
    for length in 0..bytes.len() {
        assert!(judge(&bytes[..length]).is_err(), "{length} of {} bytes pass", bytes.len());
    }
    for last in [0x00, 0x40, 0xa0, 0xff] {
        let longer = [bytes, &[last]].concat();
        assert!(judge(&longer).is_err(), "{last:#04x} after the end passes");
    }
}

/// Turn over one bit after another; returns the bytes where that changes nothing. Where it is
/// accepted, the claims must be the same.
pub fn flips(bytes: &[u8], judge: impl Fn(&[u8]) -> Result<Claims, Reject>) -> Vec<usize> {
    let original = judge(bytes).expect("the sample itself is accepted");
    let mut trial = bytes.to_vec();
    let mut accepted = Vec::new();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            trial[at] ^= 1 << bit;
            if let Ok(claims) = judge(&trial) {
                assert_eq!(claims, original, "bit {bit} of byte {at} changes claims");
                accepted.push(at);
            }
            trial[at] = bytes[at];
        }
    }
    accepted.dedup();
    accepted
}

/// Random bytes, and random changes of several bytes of a sample, are refused without a panic.
pub fn refuses_garbage(sample: &[u8], judge: impl Fn(&[u8]) -> Result<Claims, Reject>) {
    let mut random = Xorshift(0x9e37_79b9_7f4a_7c15);
    for _ in 0..400 {
        let length = random.below(600);
        let bytes: Vec<u8> = (0..length).map(|_| random.byte()).collect();
        assert!(judge(&bytes).is_err(), "{}", hex::encode(bytes));
    }
    for _ in 0..400 {
        let mut bytes = sample.to_vec();
        for _ in 0..=random.below(8) {
            let at = random.below(bytes.len());
            bytes[at] = bytes[at].wrapping_add(1 + random.byte() % 255);
        }
        let from = random.below(bytes.len());
        let cut = random.below(bytes.len() - from).min(16);
        bytes.drain(from..from + cut);
        if bytes != sample {
            assert!(judge(&bytes).is_err(), "{}", hex::encode(bytes));
        }
    }
}

/// Marsaglia's xorshift, 64 bits.
pub struct Xorshift(pub u64);

impl Xorshift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[3]
    }

    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).expect("64 bits");
        usize::try_from(self.next() % bound).expect("below a usize")
    }
}
