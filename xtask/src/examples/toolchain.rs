//! Toolchains: which compiler this machine has for a language, and where.
//!
//! First what is installed; then the lab, a folder of scripts that fetch compilers where there are none:
//! `$MESHX_WASM_LAB`, or `shared/lab` beside the checkout. A check never makes the lab download anything.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{Example, Language};

pub struct Toolchain {
    pub tool: &'static str,
    /// As exact as the tool tells.
    pub version: String,
    pub way: Way,
}

/// How to start the compiler.
pub enum Way {
    /// cargo, which knows the target.
    Cargo,
    /// The lab's script around cargo.
    LabCargo(PathBuf),
    /// The words before `build-exe` or `cc`, and the cache that goes with them.
    Zig(Vec<OsString>, Option<PathBuf>),
    Go,
    Npm,
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.tool, self.version)
    }
}

pub const RUST_TARGET: &str = "wasm32-wasip1";

/// The toolchain for `example`, or why there is none. `setup` lets the lab fetch it.
pub fn find(root: &Path, example: &Example, setup: bool) -> Result<Toolchain, String> {
    let lab = lab(root);
    match example.language {
        Language::Rust => rust(lab.as_deref(), setup),
        Language::C | Language::Zig => zig(lab.as_deref(), setup),
        Language::Go => go(),
        Language::AssemblyScript => assemblyscript(&root.join("examples").join(example.name)),
    }
}

fn lab(root: &Path) -> Option<PathBuf> {
    let named = env::var_os("MESHX_WASM_LAB").map(PathBuf::from);
    named.or_else(|| Some(root.parent()?.join("shared/lab"))).filter(|folder| folder.is_dir())
}

fn rust(lab: Option<&Path>, setup: bool) -> Result<Toolchain, String> {
    let tool = "rustc";
    let installed = answer("rustc", ["--print", "target-libdir", "--target", RUST_TARGET]);
    if installed.is_some_and(|folder| has_std(Path::new(&folder))) {
        let version = answer("rustc", ["--version"]).ok_or("rustc does not say its version")?;
        return Ok(Toolchain { tool, version: version_of(&version), way: Way::Cargo });
    }
    let missing = || format!("rustc has no {RUST_TARGET} (rustup target add {RUST_TARGET})");
    let script = lab.map(|lab| lab.join("rust-wasm.sh")).filter(|script| script.is_file());
    let script = script.ok_or_else(missing)?;
    let home = lab_home("RUST_WASM_HOME", "rust-wasm");
    if !has_std(&home.join("root/usr/lib/rustlib").join(RUST_TARGET).join("lib")) {
        if !setup {
            return Err(missing());
        }
        run_setup(&script)?;
    }
    let ask = r#"eval "$("$0" env)" && exec "$RUSTC" --version"#;
    let version = answer("bash", [OsStr::new("-c"), OsStr::new(ask), script.as_os_str()])
        .ok_or("the lab's rustc does not start")?;
    Ok(Toolchain { tool, version: version_of(&version), way: Way::LabCargo(script) })
}

/// `rustc 1.2.3 (…)` without its first word.
fn version_of(line: &str) -> String {
    line.split_once(' ').map_or(line, |(_, version)| version).to_owned()
}

fn has_std(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries.flatten().any(|entry| entry.file_name().as_encoded_bytes().starts_with(b"libstd-"))
    })
}

fn zig(lab: Option<&Path>, setup: bool) -> Result<Toolchain, String> {
    let tool = "zig";
    let python = |python: &OsStr| vec![python.to_owned(), "-m".into(), "ziglang".into()];
    for words in [vec!["zig".into()], python(OsStr::new("python3"))] {
        if let Some(version) = zig_version(&words) {
            return Ok(Toolchain { tool, version, way: Way::Zig(words, None) });
        }
    }
    let missing = || "neither `zig` nor `python3 -m ziglang` starts".to_owned();
    let script = lab.map(|lab| lab.join("zig-cc.sh")).filter(|script| script.is_file());
    let script = script.ok_or_else(missing)?;
    let home = lab_home("ZIG_CC_HOME", "zig-cc");
    let words = python(home.join("venv/bin/python").as_os_str());
    if zig_version(&words).is_none() && setup {
        run_setup(&script)?;
    }
    let version = zig_version(&words).ok_or_else(missing)?;
    Ok(Toolchain { tool, version, way: Way::Zig(words, Some(home.join("cache"))) })
}

fn zig_version(words: &[OsString]) -> Option<String> {
    let (program, arguments) = words.split_first()?;
    answer(program, arguments.iter().map(OsString::as_os_str).chain([OsStr::new("version")]))
}

fn go() -> Result<Toolchain, String> {
    let line = answer("go", ["env", "GOVERSION"]).ok_or("`go` does not start")?;
    Ok(Toolchain { tool: "go", version: line.trim_start_matches("go").to_owned(), way: Way::Go })
}

/// npm installs the version that the lock file names, so that is the version.
fn assemblyscript(folder: &Path) -> Result<Toolchain, String> {
    for program in ["node", "npm"] {
        answer(program, ["--version"]).ok_or_else(|| format!("`{program}` does not start"))?;
    }
    let lock = fs::read(folder.join("package-lock.json"))
        .map_err(|error| format!("its package-lock.json cannot be read: {error}"))?;
    let version = serde_json::from_slice::<Value>(&lock)
        .ok()
        .and_then(|lock| {
            Some(lock["packages"]["node_modules/assemblyscript"]["version"].as_str()?.to_owned())
        })
        .ok_or("its package-lock.json does not name assemblyscript")?;
    Ok(Toolchain { tool: "assemblyscript", version, way: Way::Npm })
}

/// Where a lab script keeps what it fetched.
fn lab_home(variable: &str, name: &str) -> PathBuf {
    env::var_os(variable).map_or_else(
        || Path::new(&env::var_os("HOME").unwrap_or_default()).join(".cache").join(name),
        PathBuf::from,
    )
}

fn run_setup(script: &Path) -> Result<(), String> {
    eprintln!("{} setup", script.display());
    match Command::new(script).arg("setup").status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!("{} setup failed", script.display())),
    }
}

/// What a command prints, if it exists and succeeds.
fn answer<I: IntoIterator<Item: AsRef<OsStr>>>(
    program: impl AsRef<OsStr>,
    arguments: I,
) -> Option<String> {
    let output = Command::new(program).args(arguments).env("GOTOOLCHAIN", "local").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
