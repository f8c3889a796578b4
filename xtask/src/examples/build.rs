//! Builds: one function per language, from a folder of sources to wasm whose bytes depend on nothing else.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::toolchain::{RUST_TARGET, Toolchain, Way};
use super::{Example, Language};
use crate::{scratch::Scratch, workspace};

/// What a build needed from elsewhere did not come: no fault of the example.
#[derive(Debug)]
pub struct Unavailable(String);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}

/// Compile `example` of the folder `examples`; the wasm lies in `scratch`.
pub fn build(
    examples: &Path,
    example: &Example,
    toolchain: &Toolchain,
    scratch: &Scratch,
) -> Result<PathBuf> {
    let source = examples.join(example.name);
    let name = example.name;
    let wasm = scratch.path().join(format!("{name}.wasm"));
    match &toolchain.way {
        Way::Cargo => cargo(
            Command::new(workspace::cargo()),
            &["build", "--release", "--target", RUST_TARGET],
            &source,
            name,
            scratch,
        ),
        Way::LabCargo(script) => {
            let mut command = Command::new(script);
            command.env("RUST_WASM_CARGO", workspace::cargo());
            cargo(command, &["build", "--target", RUST_TARGET], &source, name, scratch)
        }
        Way::Zig(words, cache) => {
            let mut command = Command::new(&words[0]);
            command.args(&words[1..]).env("ZIG_LOCAL_CACHE_DIR", scratch.path().join("zig"));
            if let Some(cache) = cache {
                command.env("ZIG_GLOBAL_CACHE_DIR", cache);
            }
            // Relative paths: what the compiler never saw it cannot write down.
            command.current_dir(examples);
            match example.language {
                Language::C => zig_cc(&mut command, name, &wasm),
                _ => zig_exe(&mut command, name, &wasm),
            }
            run(&mut command)?;
            Ok(wasm)
        }
        Way::Go => go(&source, &wasm),
        Way::Npm => assemblyscript(&source, name, wasm, scratch),
    }
}

fn cargo(
    mut command: Command,
    words: &[&str],
    source: &Path,
    name: &str,
    scratch: &Scratch,
) -> Result<PathBuf> {
    let target = scratch.path().join("cargo");
    command
        .args(words)
        .args(["--quiet", "--locked"])
        .current_dir(source)
        .env("CARGO_TARGET_DIR", &target)
        .env("RUSTFLAGS", format!("--remap-path-prefix={}={name}", source.display()));
    for variable in ["CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
        command.env_remove(variable);
    }
    run(&mut command)?;
    Ok(target.join(RUST_TARGET).join("release").join(format!("{name}.wasm")))
}

fn zig_cc(command: &mut Command, name: &str, wasm: &Path) {
    command
        .args([
            "cc",
            "-target",
            "wasm32-wasi",
            "-std=c11",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-O2",
            "-s",
        ])
        .arg("-o")
        .arg(wasm)
        .arg(format!("{name}/{name}.c"));
}

/// `wasi/wasi.zig` is the module that the Zig examples share.
fn zig_exe(command: &mut Command, name: &str, wasm: &Path) {
    command
        .args(["build-exe", "-target", "wasm32-wasi", "-O", "ReleaseSmall", "-fstrip"])
        .args(["--dep", "wasi", &format!("-Mroot={name}/{name}.zig"), "-Mwasi=wasi/wasi.zig"])
        .arg(format!("-femit-bin={}", wasm.display()));
}

fn go(source: &Path, wasm: &Path) -> Result<PathBuf> {
    let mut command = Command::new("go");
    command
        .args(["build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid="])
        .arg("-o")
        .arg(wasm)
        .arg(".")
        .current_dir(source)
        .envs([("GOOS", "wasip1"), ("GOARCH", "wasm"), ("CGO_ENABLED", "0")])
        .envs([("GOTOOLCHAIN", "local"), ("GOFLAGS", ""), ("GOWASM", ""), ("GOWORK", "off")])
        .env("GOEXPERIMENT", "");
    run(&mut command)?;
    Ok(wasm.to_owned())
}

/// In a copy, so that no `node_modules` grows among the sources.
fn assemblyscript(source: &Path, name: &str, wasm: PathBuf, scratch: &Scratch) -> Result<PathBuf> {
    let copy = scratch.path().join("assemblyscript");
    copy_folder(source, &copy)?;
    let mut install = Command::new("npm");
    install
        .args(["ci", "--prefer-offline", "--ignore-scripts", "--fetch-retries=0"])
        .current_dir(&copy);
    if let Err(error) = run(&mut install) {
        let last = format!("{error:#}");
        let last = last.lines().find(|line| line.contains("error")).unwrap_or(&last).trim();
        bail!(Unavailable(format!("npm ci did not install the compiler: {last}")));
    }
    let mut asc = Command::new("node");
    asc.args(["node_modules/assemblyscript/bin/asc.js", "--config", "asconfig.json"])
        .arg(format!("assembly/{name}.ts"))
        .arg("--outFile")
        .arg(&wasm)
        .current_dir(&copy);
    run(&mut asc)?;
    Ok(wasm)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot list {}", from.display()))? {
        let entry = entry?;
        if entry.file_name() == "node_modules" || entry.file_name() == "build" {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Quietly, unless it fails.
fn run(command: &mut Command) -> Result<()> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot start {shown}"))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        bail!("{shown}: {}\n{}", output.status, String::from_utf8_lossy(&said).trim());
    }
    Ok(())
}
