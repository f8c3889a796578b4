//! The samples of real evidence beside the workspace. Most may not be copied into it, so tests
//! read them there and pass over them where they are missing.

use std::{fs, path::PathBuf};

use attestation::{Claims, UnixSeconds};
use serde_json::Value;
use x509_parser::pem::Pem;

/// One sample: what to feed, and what to answer.
pub struct Case {
    pub id: String,
    pub json: Value,
    folder: PathBuf,
}

impl Case {
    /// All samples of a technology, by name.
    pub fn all(technology: &str) -> Vec<Self> {
        let folder = evidence().join(technology);
        let Ok(entries) = fs::read_dir(&folder) else {
            println!("passed over: no ../shared/evidence");
            return Vec::new();
        };
        let mut cases: Vec<_> = entries
            .filter_map(|entry| {
                let folder = entry.ok()?.path();
                let json = fs::read(folder.join("case.json")).ok()?;
                let json: Value = serde_json::from_slice(&json).expect("case.json is JSON");
                Some(Self { id: json["id"].as_str()?.to_owned(), json, folder })
            })
            .collect();
        cases.sort_by(|one, other| one.id.cmp(&other.id));
        cases
    }

    /// The file behind an input.
    pub fn input(&self, name: &str) -> Vec<u8> {
        self.file(self.json["inputs"][name].as_str().expect("the case names this input"))
    }

    /// A file, by its path from the case's folder.
    pub fn file(&self, path: &str) -> Vec<u8> {
        fs::read(self.folder.join(path)).expect("the case's file can be read")
    }

    /// A parameter that is text.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.json["params"][name].as_str()
    }

    /// A parameter that is yes or no.
    pub fn flag(&self, name: &str) -> bool {
        self.json["params"][name] == true
    }

    pub fn time(&self) -> UnixSeconds {
        UnixSeconds::new(self.json["verify_time"].as_u64().expect("a time to verify at"))
    }

    /// `accept`, or `reject:` with the code of the refusal.
    pub fn verdict(&self) -> &str {
        self.json["expect"]["verdict"].as_str().expect("a verdict")
    }

    pub fn is_accepted(&self) -> bool {
        self.verdict() == "accept"
    }

    /// The changes listed, each with what must come of it.
    pub fn negatives(&self) -> Vec<(String, String)> {
        let list = self.json["negatives"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        list.iter().map(|change| (text(&change["change"]), text(&change["must"]))).collect()
    }

    /// The claims must have every field expected. One expected as null may be left out.
    pub fn check_claims(&self, claims: &Claims) {
        let details = serde_json::to_value(claims.details()).expect("details are JSON");
        for (name, expected) in self.json["expect"]["claims"].as_object().expect("claims") {
            let found = details.get(name).unwrap_or(&Value::Null);
            assert_eq!(found, expected, "{}: {name}", self.id);
        }
    }
}

fn evidence() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/evidence"))
}

/// The DER of every block of a PEM file.
pub fn ders_of_pem(pem: &[u8]) -> Vec<Vec<u8>> {
    Pem::iter_from_buffer(pem).map(|block| block.expect("PEM").contents).collect()
}

/// Base64 with padding: what stands in a PEM block.
pub fn base64(text: &str) -> Vec<u8> {
    let block = format!("-----BEGIN X-----\n{text}\n-----END X-----\n");
    ders_of_pem(block.as_bytes()).concat()
}

/// Numbers that look random and are the same on every run (xorshift64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 16).expect("48 bits") % end
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next().to_le_bytes()[3]).collect()
    }
}
