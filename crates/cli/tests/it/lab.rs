//! Verbs of `meshx-lab`, which is another program.

use crate::support::{MESHX, User};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

/// Says how it was started, and ends with a code of its own.
const SCRIPT: &str = "#!/bin/sh\necho \"$MESHX_OUTPUT: $*\"\nexit 7\n";

fn script(folder: &Path) -> PathBuf {
    let path = folder.join("meshx-lab");
    fs::write(&path, SCRIPT).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// `meshx` with nothing beside it.
fn alone(user: &User) -> PathBuf {
    let folder = user.path("bin");
    fs::create_dir(&folder).unwrap();
    let meshx = folder.join("meshx");
    if fs::hard_link(MESHX, &meshx).is_err() {
        fs::copy(MESHX, &meshx).unwrap();
    }
    meshx
}

fn said(user: &User, meshx: &Path, path: &Path, words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(meshx);
    command.args(words).env_clear().env("HOME", user.home.path()).env("PATH", path);
    let output = command.output().unwrap();
    let both = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(both).unwrap())
}

#[test]
fn experiments_are_started_with_what_was_typed() {
    let user = User::new();
    let meshx = alone(&user);
    let check = |words: &[&str], expected: &str| {
        let (code, text) = said(&user, &meshx, Path::new("/usr/bin:/bin"), words);
        assert_eq!((code, text.trim()), (Some(7), expected));
    };
    script(meshx.parent().unwrap());
    check(&["bench", "tx", "--seconds", "3"], "table: bench tx --seconds 3");
    check(&["--output", "json", "econ", "sim"], "json: econ sim");
    check(&["bench", "--output", "json", "tx"], "json: bench tx");
    check(&["presence", "evaluate", "--help"], "table: presence evaluate --help");
    check(&["presence", "locate", "--target", "-x"], "table: presence locate --target -x");
    check(&["attest", "flips", "a folder"], "table: attest flips a folder");
}

#[test]
fn the_lab_is_looked_for_on_the_path_and_missed_with_a_hint() {
    let user = User::new();
    let meshx = alone(&user);
    let words = ["attest", "conformance", "folder"];
    let (code, text) = said(&user, &meshx, Path::new("/nowhere"), &words);
    assert_eq!(code, Some(125), "{text}");
    assert!(text.contains("hint: cargo build --release -p meshx-lab"), "{text}");
    let installed = script(user.home.path());
    let (code, text) = said(&user, &meshx, installed.parent().unwrap(), &words);
    assert_eq!((code, text.trim()), (Some(7), "table: attest conformance folder"));
}
