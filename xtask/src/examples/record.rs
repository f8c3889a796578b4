//! `examples/toolchains.json`: which compiler made which bytes.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::toolchain::Toolchain;

#[derive(Debug, Default)]
pub struct Record(BTreeMap<String, Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub tool: String,
    pub version: String,
    /// Of the wasm, in hex: the hash by which a job names its module.
    pub blake3: String,
}

impl Record {
    /// Empty if there is no file yet.
    pub fn load(folder: &Path) -> Result<Record> {
        match fs::read_to_string(path(folder)) {
            Ok(text) => Record::parse(&text).context("examples/toolchains.json"),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Record::default()),
            Err(error) => Err(error).context("cannot read examples/toolchains.json"),
        }
    }

    pub fn save(&self, folder: &Path) -> Result<()> {
        fs::write(path(folder), self.show()).context("cannot write examples/toolchains.json")
    }

    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.0.get(name)
    }

    pub fn set(&mut self, name: &str, entry: Entry) {
        self.0.insert(name.to_owned(), entry);
    }

    pub fn missing(name: &str) -> String {
        format!("toolchains.json has no line for {name}\nhint: cargo xtask examples {name}")
    }

    fn parse(text: &str) -> Result<Record> {
        let json: BTreeMap<String, Value> = serde_json::from_str(text)?;
        let entry = |json: &Value| {
            let field = |name: &str| json[name].as_str().map(str::to_owned);
            Some(Entry {
                tool: field("tool")?,
                version: field("version")?,
                blake3: field("blake3")?,
            })
        };
        let entries = json.iter().map(|(name, json)| {
            let entry =
                entry(json).with_context(|| format!("{name} needs tool, version and blake3"))?;
            Ok((name.clone(), entry))
        });
        Ok(Record(entries.collect::<Result<_>>()?))
    }

    fn show(&self) -> String {
        let entries = self.0.iter().map(|(name, entry)| {
            let Entry { tool, version, blake3 } = entry;
            (name.clone(), json!({"tool": tool, "version": version, "blake3": blake3}))
        });
        format!("{:#}\n", Value::Object(entries.collect()))
    }
}

impl Entry {
    pub fn of(toolchain: &Toolchain, bytes: &[u8]) -> Entry {
        Entry {
            tool: toolchain.tool.to_owned(),
            version: toolchain.version.clone(),
            blake3: blake3::hash(bytes).to_string(),
        }
    }

    pub fn made_with(&self, toolchain: &Toolchain) -> bool {
        self.tool == toolchain.tool && self.version == toolchain.version
    }

    pub fn fits(&self, bytes: &[u8]) -> bool {
        self.blake3 == blake3::hash(bytes).to_string()
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.tool, self.version)
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("toolchains.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_as_it_was_written() {
        let mut record = Record::default();
        let entry = Entry {
            tool: "zig".into(),
            version: "1.0".into(),
            blake3: blake3::hash(b"x").to_string(),
        };
        assert!(entry.fits(b"x") && !entry.fits(b"y"));
        record.set("exit", entry.clone());
        let again = Record::parse(&record.show()).unwrap();
        assert_eq!(again.get("exit"), Some(&entry));
        assert_eq!(again.get("entrance"), None);
    }

    #[test]
    fn half_an_entry_is_refused() {
        let error = Record::parse(r#"{"exit": {"tool": "zig"}}"#).unwrap_err();
        assert_eq!(error.to_string(), "exit needs tool, version and blake3");
    }
}
