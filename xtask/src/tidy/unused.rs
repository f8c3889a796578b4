//! Unused: a dependency that no line of its crate names is a minute of everybody's build for nothing.
//!
//! A textual check, like cargo-machete's, whose `[package.metadata.cargo-machete]` it reads: a name counts wherever it
//! stands in code or in a text (`#[serde(with = "…")]`). What only tests name belongs to the dev-dependencies.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::manifest::table;
use super::sources::Source;
use super::text::Kind as Token;
use crate::workspace::{Dependency, Kind, Locked, Package};

pub fn check(
    root: &Path,
    packages: &[Package],
    locked: &[Locked],
    sources: &[Source],
) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for package in packages {
        let sources: Vec<&Source> =
            sources.iter().filter(|source| source.package == package.name).collect();
        faults.extend(of_package(package, locked, &sources));
    }
    let mut manifests = Vec::new();
    for folder in packages.iter().map(|package| &*package.directory).chain([root]) {
        let path = folder.join("Cargo.toml");
        let text = fs::read_to_string(&path);
        manifests.push(text.with_context(|| format!("cannot read {}", path.display()))?);
    }
    if let Some((workspace, members)) = manifests.split_last() {
        faults.extend(of_workspace(workspace, members));
    }
    Ok(faults)
}

fn of_package(package: &Package, locked: &[Locked], sources: &[&Source]) -> Vec<String> {
    let libraries: BTreeMap<&str, &str> = locked
        .iter()
        .filter_map(|locked| Some((&*locked.name, locked.library.as_deref()?)))
        .collect();
    let outside = ["tests", "benches", "examples"];
    let tests = |source: &&Source| {
        source.path.components().any(|part| outside.iter().any(|name| part.as_os_str() == *name))
    };
    let (tests, code): (Vec<&Source>, Vec<&Source>) = sources.iter().partition(|s| tests(s));
    let [code, tests] = [code, tests].map(|sources| words(&sources));
    let mut faults = Vec::new();
    for dependency in package.dependencies.iter().filter(|d| !package.ignored.contains(&d.name)) {
        let Dependency { name, kind, rename, .. } = dependency;
        let word = match (rename, libraries.get(&**name)) {
            (Some(rename), _) => rename.replace('-', "_"),
            (None, Some(library)) => (*library).to_owned(),
            (None, None) => name.replace('-', "_"),
        };
        if !code.contains(&word) {
            let fault = match kind {
                _ if !tests.contains(&word) => "is named nowhere",
                Kind::Normal => "is named in tests only: make it a dev-dependency",
                Kind::Build | Kind::Dev => continue,
            };
            faults.push(format!("{}: its dependency {name} {fault}", package.name));
        }
    }
    faults
}

/// What occurs in these files: words of code, and words inside texts.
fn words(sources: &[&Source]) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for token in sources.iter().flat_map(|source| &source.tokens) {
        match &token.kind {
            Token::Word(word) => drop(words.insert(word.clone())),
            Token::Text(text) => {
                let inside = text.split(|c: char| !c.is_alphanumeric() && c != '_');
                words.extend(inside.map(str::to_owned));
            }
            Token::Sign(_) => {}
        }
    }
    words
}

/// Lines of `[workspace.dependencies]` that no member takes.
fn of_workspace(workspace: &str, members: &[String]) -> Vec<String> {
    let names = table(workspace, "workspace.dependencies");
    let names = names.iter().filter_map(|line| line.split_once(['=', '.'])).map(|(n, _)| n.trim());
    let taken = |name: &str| {
        let short = format!("{name}.workspace = true");
        let long = format!("{name} = {{ workspace = true");
        let line = |line: &str| line.starts_with(&short) || line.starts_with(&long);
        members.iter().any(|member| member.lines().any(line))
    };
    names
        .filter(|name| !taken(name))
        .map(|name| format!("Cargo.toml: no crate takes {name} of the workspace's dependencies"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::fixture;

    fn check(line: &str, code: &str, tests: &str, expected: &[&str]) {
        let package = &fixture(&[line])[0];
        let locked = Locked {
            name: "rust-bao".into(),
            version: "1.0.0".into(),
            licence: String::new(),
            source: None,
            library: Some("bao".into()),
        };
        let sources = [Source::of("x/src/lib.rs", code), Source::of("x/tests/it/main.rs", tests)];
        assert_eq!(of_package(package, &[locked], &sources.each_ref()), expected);
    }

    #[test]
    fn a_name_in_code_or_in_a_text_is_a_use() {
        check("types -> hex, serde-bytes", "hex::encode(); \"serde_bytes\"", "", &[]);
        check("types -> hex", "// hex", "", &["types: its dependency hex is named nowhere"]);
        check("types -> rust-bao", "bao::x()", "", &[]);
        check(
            "types -> rust-bao",
            "rust_bao::x()",
            "",
            &["types: its dependency rust-bao is named nowhere"],
        );
    }

    #[test]
    fn tests_take_dev_dependencies() {
        check("types -> dev:hex", "", "hex::encode()", &[]);
        check(
            "types -> hex",
            "",
            "hex::encode()",
            &["types: its dependency hex is named in tests only: make it a dev-dependency"],
        );
    }

    #[test]
    fn the_workspace_offers_what_is_taken() {
        let workspace =
            "[workspace.dependencies]\na = \"1\"\nb = { path = \"b\" }\nc = \"1\"\n[x]\nd = 1";
        let members =
            ["[dependencies]\na.workspace = true\nb = { workspace = true, features = [] }".into()];
        assert_eq!(
            of_workspace(workspace, &members),
            ["Cargo.toml: no crate takes c of the workspace's dependencies"]
        );
    }
}
