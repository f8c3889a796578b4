//! The engine that jobs are compared with, through its Python package, in a process of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use types::{Hash, OutputFiles};

/// The version of the Python package.
const WASMTIME: &str = "wasmtime==50.0.1";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/reference.py");

/// What the reference engine gave.
pub struct Reference {
    /// The exit code, or what it trapped over.
    pub code: serde_json::Value,
    pub stdout: Hash,
    pub stderr: Hash,
    pub files: Option<OutputFiles>,
    pub compile_s: f64,
    pub run_s: f64,
}

/// A Python that has the engine, made once below `cache`. `None`: it cannot be fetched.
pub fn python(cache: &Path) -> Option<PathBuf> {
    let home = cache.join("reference");
    let python = home.join("bin/python3");
    if !python.exists() {
        succeeds(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
        succeeds(Command::new(&python).args(["-m", "pip", "install", "--quiet", WASMTIME]))?;
    }
    Some(python)
}

/// Run `module` there with the files of the folder `given` at /in.
pub fn run(python: &Path, module: &Path, given: &Path, input: &[u8], args: &[String]) -> Reference {
    let dir = tempfile::tempdir().unwrap();
    let [stdin, result, tmp, out] =
        ["stdin", "result", "tmp", "out"].map(|name| dir.path().join(name));
    fs::write(&stdin, input).unwrap();
    fs::create_dir(&tmp).unwrap();
    fs::create_dir(&out).unwrap();
    let mut command = Command::new(python);
    command.arg(SCRIPT).arg(module).arg(&stdin).arg(&result).arg(given).arg(&tmp).arg(&out);
    let ran = command.arg("--").args(args).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let read = |ending: &str| fs::read(result.with_extension(ending)).unwrap();
    let facts: serde_json::Value = serde_json::from_slice(&read("json")).unwrap();
    Reference {
        code: facts["code"].clone(),
        stdout: Hash::of_content(&read("out")),
        stderr: Hash::of_content(&read("err")),
        files: client::files_of(&out).unwrap(),
        compile_s: facts["compile_s"].as_f64().unwrap(),
        run_s: facts["run_s"].as_f64().unwrap(),
    }
}

/// Whether the command could be started and said so.
pub fn succeeds(command: &mut Command) -> Option<()> {
    let done = command.output().ok()?;
    if !done.status.success() {
        println!("{command:?}: {}", String::from_utf8_lossy(&done.stderr));
        return None;
    }
    Some(())
}
