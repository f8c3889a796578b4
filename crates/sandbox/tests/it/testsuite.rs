//! The public tests of WASI preview 1, all but those that contradict a rule of ours.
//!
//! They are not part of this project: `MESHX_WASI_TESTSUITE` names a checkout of the branch
//! `prod/testsuite-base` of github.com/WebAssembly/wasi-testsuite. Without it there is nothing to do.

use crate::common::{LIMITS, engine, run};
use sandbox::{Engine, Job};
use std::path::{Path, PathBuf};
use types::{Abi, Millis, Status};

/// What does not run here, and the rule it contradicts (crates/sandbox/README.md).
const CONTRADICTS: [(&str, &str); 3] = [
    ("pwrite-with-access", "the current directory is /in, which is read-only"),
    ("pwrite-with-append", "the current directory is /in, which is read-only"),
    ("sock_shutdown-invalid_fd", "descriptors 3 to 7 are the folders that each job is given"),
];

#[test]
fn the_public_tests_of_wasi_pass() {
    let Some(root) = std::env::var_os("MESHX_WASI_TESTSUITE") else {
        println!("skipped: MESHX_WASI_TESTSUITE names no checkout of the public tests");
        return;
    };
    let mut tests = vec![];
    for language in ["assemblyscript", "c", "rust"] {
        let folder = Path::new(&root).join("tests").join(language).join("testsuite/wasm32-wasip1");
        let entries =
            std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{error}: {folder:?}"));
        let paths = entries.map(|entry| entry.unwrap().path());
        tests.extend(paths.filter(|path| path.extension().is_some_and(|e| e == "wasm")));
    }
    tests.sort();
    let engine = engine();
    let mut surprises = vec![];
    let mut passed = 0;
    for path in &tests {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let contradicts = CONTRADICTS.iter().find(|(other, _)| *other == name);
        match (check(&engine, path), contradicts) {
            (Ok(()), None) => passed += 1,
            (Err(_), Some(_)) => {}
            (Ok(()), Some((_, rule))) => surprises.push(format!("{name} passes, against: {rule}")),
            (Err(what), None) => surprises.push(format!("{name}: {what}")),
        }
    }
    println!("{passed} of {} pass, {} contradict a rule", tests.len(), CONTRADICTS.len());
    assert!(surprises.is_empty(), "{} surprises:\n{}", surprises.len(), surprises.join("\n"));
    assert!(tests.len() >= 72, "the checkout lacks tests");
}

/// Run one test as its description beside it says.
fn check(engine: &Engine, path: &Path) -> Result<(), String> {
    let module = std::fs::read(path).unwrap();
    let wanted: serde_json::Value = std::fs::read(path.with_extension("json"))
        .map(|bytes| serde_json::from_slice(&bytes).unwrap())
        .unwrap_or_default();
    let texts = |field: &str| -> Vec<String> {
        let list = wanted[field].as_array().into_iter().flatten();
        list.map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let args = texts("args");
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let variables = wanted["env"].as_object().into_iter().flatten();
    let env: Vec<String> =
        variables.map(|(name, value)| format!("{name}={}", value.as_str().unwrap())).collect();
    let env: Vec<&str> = env.iter().map(String::as_str).collect();
    let mut files = vec![];
    if let Some(root) = wanted["root"].as_str() {
        let root = path.with_file_name(root);
        tree(&root, &root, &mut files);
    }
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let clock = Millis::new(1_767_225_600_000);
    let new = Job::new(&module, Abi::Wasi, LIMITS);
    let job = Job { args: &args, env: &env, files: &files, clock, ..new };
    let ended = run(engine, &job);
    let code = wanted["exit_code"].as_i64().unwrap_or(0) as i32;
    let printed = |field: &str, bytes: &[u8]| {
        wanted[field].as_str().is_none_or(|text| text.as_bytes() == bytes)
    };
    if ended.status == Status::Exited(code)
        && printed("stdout", &ended.stdout)
        && printed("stderr", &ended.stderr)
    {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    let said = said.lines().filter(|line| !line.starts_with("note:")).collect::<Vec<_>>();
    Err(format!("{:?}, expected exit code {code}: {}", ended.status, said.join(" | ")))
}

/// Every file below `folder`, by its path from `root`.
fn tree(root: &Path, folder: &PathBuf, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tree(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            files.push((name, std::fs::read(&path).unwrap()));
        }
    }
}
