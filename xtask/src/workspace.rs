//! The workspace as cargo describes it: packages, their arrows, features and root files.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

#[derive(Debug)]
pub struct Package {
    /// Without the `meshx-` that all packages share.
    pub name: String,
    pub directory: PathBuf,
    pub dependencies: Vec<Dependency>,
    pub features: Vec<String>,
    /// Dependencies that no line names and that are needed all the same.
    pub ignored: Vec<String>,
    pub targets: Vec<Target>,
}

#[derive(Debug)]
pub struct Dependency {
    /// Without `meshx-` if it belongs to this workspace, and before any renaming.
    pub name: String,
    pub kind: Kind,
    /// What the crate calls it, where that is another name.
    pub rename: Option<String>,
    /// Whether it is a package of this tree rather than of a registry.
    pub ours: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Normal,
    Build,
    Dev,
}

/// A package as it is locked, ours or of a registry.
#[derive(Clone, Debug)]
pub struct Locked {
    pub name: String,
    pub version: String,
    /// An SPDX expression; empty where the package says nothing.
    pub licence: String,
    /// Where it comes from; none for a package of this tree.
    pub source: Option<String>,
    /// The name of its library in code.
    pub library: Option<String>,
}

/// A library, program or test, with the file it starts from.
#[derive(Debug)]
pub struct Target {
    pub kind: String,
    pub file: PathBuf,
}

impl Package {
    pub fn library(&self) -> Option<&Target> {
        self.targets.iter().find(|target| matches!(&*target.kind, "lib" | "rlib" | "proc-macro"))
    }
}

pub fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The folder of the workspace: above xtask when cargo runs us, else found upwards from here.
pub fn root() -> Result<PathBuf> {
    if let Some(xtask) = env::var_os("CARGO_MANIFEST_DIR")
        && let Some(root) = Path::new(&xtask).parent()
    {
        return Ok(root.to_owned());
    }
    let here = env::current_dir()?;
    match here.ancestors().find(|folder| folder.join("xtask/Cargo.toml").is_file()) {
        Some(root) => Ok(root.to_owned()),
        None => bail!("no workspace around {}\nhint: run it as `cargo xtask`", here.display()),
    }
}

/// The triple of this machine.
pub fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("cannot start rustc")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not name its host")
}

pub fn load(root: &Path) -> Result<Vec<Package>> {
    parse(&metadata(root, &["--no-deps"])?)
}

/// All packages that this machine builds, of registries too.
pub fn locked(root: &Path) -> Result<Vec<Locked>> {
    let json = metadata(root, &["--locked", "--filter-platform", &host()?])?;
    let nodes = list(&json["resolve"]["nodes"]);
    let built: BTreeSet<&str> = nodes.filter_map(|node| node["id"].as_str()).collect();
    let built = |json: &&Value| json["id"].as_str().is_some_and(|id| built.contains(id));
    list(&json["packages"]).filter(built).map(lock).collect()
}

fn metadata(root: &Path, words: &[&str]) -> Result<Value> {
    let output = Command::new(cargo())
        .args(["metadata", "--format-version", "1"])
        .args(words)
        .current_dir(root)
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata")
}

fn parse(metadata: &Value) -> Result<Vec<Package>> {
    list(&metadata["packages"]).map(package).collect()
}

fn lock(json: &Value) -> Result<Locked> {
    let is_library = |target: &&Value| {
        list(&target["kind"])
            .any(|kind| matches!(kind.as_str(), Some("lib" | "rlib" | "proc-macro")))
    };
    let library = list(&json["targets"]).find(is_library);
    Ok(Locked {
        name: text(&json["name"])?.to_owned(),
        version: text(&json["version"])?.to_owned(),
        licence: json["license"].as_str().unwrap_or_default().to_owned(),
        source: json["source"].as_str().map(str::to_owned),
        library: library.and_then(|target| target["name"].as_str()).map(str::to_owned),
    })
}

fn package(json: &Value) -> Result<Package> {
    let manifest = Path::new(text(&json["manifest_path"])?);
    Ok(Package {
        name: short(text(&json["name"])?),
        directory: manifest.parent().context("a manifest has a folder")?.to_owned(),
        dependencies: list(&json["dependencies"]).map(dependency).collect::<Result<_>>()?,
        features: json["features"]
            .as_object()
            .into_iter()
            .flat_map(|f| f.keys().cloned())
            .collect(),
        ignored: list(&json["metadata"]["cargo-machete"]["ignored"])
            .map(|name| text(name).map(str::to_owned))
            .collect::<Result<_>>()?,
        targets: list(&json["targets"]).map(target).collect::<Result<_>>()?,
    })
}

fn dependency(json: &Value) -> Result<Dependency> {
    let ours = json["path"].is_string();
    let name = text(&json["name"])?;
    let kind = match json["kind"].as_str() {
        None => Kind::Normal,
        Some("build") => Kind::Build,
        Some("dev") => Kind::Dev,
        Some(other) => bail!("unknown kind of dependency: {other}"),
    };
    let rename = json["rename"].as_str().map(str::to_owned);
    Ok(Dependency { name: if ours { short(name) } else { name.to_owned() }, kind, rename, ours })
}

fn target(json: &Value) -> Result<Target> {
    let kind = list(&json["kind"]).next().context("a target has a kind")?;
    Ok(Target { kind: text(kind)?.to_owned(), file: text(&json["src_path"])?.into() })
}

fn short(name: &str) -> String {
    name.strip_prefix("meshx-").unwrap_or(name).to_owned()
}

fn list(json: &Value) -> impl Iterator<Item = &Value> {
    json.as_array().into_iter().flatten()
}

fn text(json: &Value) -> Result<&str> {
    json.as_str().with_context(|| format!("cargo metadata: expected a text, found {json}"))
}

/// Packages for tests: `"chain -> types, ledger, tokio"`; `dev:` and `build:` before a name set its kind, and the
/// names in `ours` are of the workspace. Goes through the same JSON as the real thing.
#[cfg(test)]
pub fn fixture(lines: &[&str]) -> Vec<Package> {
    use serde_json::json;
    let names: Vec<&str> = lines.iter().map(|l| l.split(" -> ").next().unwrap()).collect();
    let packages: Vec<Value> = lines
        .iter()
        .map(|line| {
            let (name, arrows) = line.split_once(" -> ").unwrap_or((line, ""));
            let dependencies: Vec<Value> = arrows
                .split(", ")
                .filter(|word| !word.is_empty())
                .map(|word| {
                    let (kind, to) = word.split_once(':').map_or((None, word), |(k, t)| (Some(k), t));
                    if names.contains(&to) {
                        json!({"name": format!("meshx-{to}"), "kind": kind, "path": format!("/ws/{to}")})
                    } else {
                        json!({"name": to, "kind": kind})
                    }
                })
                .collect();
            json!({
                "name": format!("meshx-{name}"), "manifest_path": format!("/ws/{name}/Cargo.toml"),
                "dependencies": dependencies, "features": {},
                "targets": [{"kind": ["lib"], "src_path": format!("/ws/{name}/src/lib.rs")}],
            })
        })
        .collect();
    parse(&json!({"packages": packages})).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_cargo_says() {
        let packages = fixture(&["types -> hex", "chain -> types, build:cc, dev:tokio"]);
        let chain = &packages[1];
        assert_eq!(chain.name, "chain");
        assert_eq!(chain.directory, Path::new("/ws/chain"));
        let arrows: Vec<_> =
            chain.dependencies.iter().map(|d| (&*d.name, d.kind, d.ours)).collect();
        assert_eq!(
            arrows,
            [
                ("types", Kind::Normal, true),
                ("cc", Kind::Build, false),
                ("tokio", Kind::Dev, false)
            ]
        );
        assert!(chain.library().is_some());
    }
}
