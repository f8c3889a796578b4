//! Supply: what other people's packages may be: their licences, where they come from, and how often one is there.
//!
//! `deny.toml` holds the policy, for cargo-deny and for this rule, which needs no tool and no network. It looks at what the
//! machine it runs on builds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::licence;
use super::manifest::array;
use crate::workspace::Locked;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What `deny.toml` says.
struct Policy {
    licences: BTreeSet<String>,
    /// One package, one licence more.
    exceptions: BTreeSet<(String, String)>,
    /// Versions, as `name@version`, that may be there beside another.
    doubled: BTreeSet<String>,
}

pub fn check(root: &Path, locked: &[Locked]) -> Result<Vec<String>> {
    let policy = fs::read_to_string(root.join("deny.toml")).context("cannot read deny.toml")?;
    Ok(faults(&Policy::read(&policy), locked))
}

impl Policy {
    fn read(text: &str) -> Self {
        let field = |row: &[(String, String)], name: &str| {
            row.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
        };
        let rows = |table, key| array(text, table, key).into_iter();
        Policy {
            licences: rows("licenses", "allow").filter_map(|row| field(&row, "")).collect(),
            exceptions: rows("licenses", "exceptions")
                .filter_map(|row| Some((field(&row, "crate")?, field(&row, "allow")?)))
                .collect(),
            doubled: rows("bans", "skip").filter_map(|row| field(&row, "crate")).collect(),
        }
    }
}

fn faults(policy: &Policy, locked: &[Locked]) -> Vec<String> {
    let mut faults = Vec::new();
    for package in locked {
        let Locked { name, version, licence, source, .. } = package;
        let exception =
            |licence: &str| policy.exceptions.contains(&(name.clone(), licence.to_owned()));
        let allowed = |licence: &str| policy.licences.contains(licence) || exception(licence);
        if !licence::met(licence, &allowed) {
            faults.push(format!(
                "{name} {version} has a licence that deny.toml does not allow: {licence}"
            ));
        }
        if source.as_deref().is_some_and(|source| source != REGISTRY) {
            faults.push(format!("{name} {version} comes from {}", source.as_deref().unwrap_or("")));
        }
    }
    faults.extend(doubles(policy, locked));
    faults
}

/// Packages that are there in more versions than the policy lets be, and excuses that nothing needs.
fn doubles(policy: &Policy, locked: &[Locked]) -> Vec<String> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in locked {
        // What stands behind a plus makes no other version.
        let version = package.version.split('+').next().unwrap_or_default();
        versions.entry(&package.name).or_default().insert(version);
    }
    let mut unused: BTreeSet<&str> = policy.doubled.iter().map(String::as_str).collect();
    let mut faults = Vec::new();
    for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
        let (excused, others): (Vec<&str>, Vec<&str>) = versions
            .iter()
            .partition(|version| policy.doubled.contains(&format!("{name}@{version}")));
        if others.len() > 1 {
            faults.push(format!("{name} is there in versions {}", others.join(", ")));
        }
        if !others.is_empty() {
            for version in excused {
                unused.remove(&*format!("{name}@{version}"));
            }
        }
    }
    faults.extend(unused.iter().map(|excuse| {
        format!("{excuse} is not there beside another version: strike it from deny.toml")
    }));
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"
[licenses]
allow = ["MIT"]
exceptions = [{ allow = ["MPL-2.0"], crate = "odd" }]
[bans]
skip = [{ crate = "old@1.0.0", reason = "another needs it" }]
"#;

    fn check(packages: &[(&str, &str, &str, &str)], expected: &[&str]) {
        let locked: Vec<Locked> = packages
            .iter()
            .map(|(name, version, licence, source)| Locked {
                name: (*name).into(),
                version: (*version).into(),
                licence: (*licence).into(),
                source: Some((*source).into()),
                library: None,
            })
            .collect();
        let old = ["1.0.0", "2.0.0"].map(|version| Locked {
            name: "old".into(),
            version: version.into(),
            licence: "MIT".into(),
            source: None,
            library: None,
        });
        assert_eq!(faults(&Policy::read(POLICY), &[&locked[..], &old].concat()), expected);
    }

    #[test]
    fn licences_are_those_of_the_list() {
        check(&[("a", "1.0.0", "MIT OR GPL-3.0", REGISTRY)], &[]);
        check(&[("odd", "1.0.0", "MPL-2.0", REGISTRY)], &[]);
        check(
            &[("a", "1.0.0", "MPL-2.0", REGISTRY)],
            &["a 1.0.0 has a licence that deny.toml does not allow: MPL-2.0"],
        );
    }

    #[test]
    fn sources_are_the_registry() {
        check(
            &[("a", "1.0.0", "MIT", "git+https://example.org/a")],
            &["a 1.0.0 comes from git+https://example.org/a"],
        );
    }

    #[test]
    fn a_second_version_needs_an_excuse_and_an_excuse_a_second_version() {
        let twice = [("b", "1.0.0", "MIT", REGISTRY), ("b", "2.0.0", "MIT", REGISTRY)];
        check(&twice, &["b is there in versions 1.0.0, 2.0.0"]);
        check(&[("old", "3.0.0", "MIT", REGISTRY)], &["old is there in versions 2.0.0, 3.0.0"]);
        assert_eq!(
            faults(&Policy::read(POLICY), &[]),
            ["old@1.0.0 is not there beside another version: strike it from deny.toml"]
        );
    }
}
