//! What cannot work is refused before a mesh starts or money moves, in words that help.

use crate::support::User;

#[track_caller]
fn check(content: &[u8], name: &str, words: &[&str]) {
    let user = User::new();
    std::fs::write(user.path(name), content).unwrap();
    let said = user.meshx(&["run", name], b"").exits(125);
    for word in words {
        assert!(said.stderr.contains(word), "{word:?} is missing from: {}", said.stderr);
    }
    assert!(said.stdout.is_empty());
}

#[test]
fn a_file_that_is_no_wasm() {
    check(b"\x7fELF\x02\x01", "job.wasm", &["job.wasm", "ELF"]);
    check(b"", "job.wasm", &["empty"]);
}

#[test]
fn an_import_nobody_offers() {
    let module = br#"(module (import "env" "launch" (func)) (memory (export "memory") 1) (func (export "_start")))"#;
    check(module, "job.wat", &["env", "launch"]);
}

#[test]
fn a_module_without_an_entry() {
    check(br#"(module (func (export "main")))"#, "job.wat", &["_start"]);
}

#[test]
fn more_memory_than_allowed() {
    let module = br#"(module (memory (export "memory") 8000) (func (export "_start")))"#;
    check(module, "job.wat", &["memory"]);
}

#[test]
fn a_file_that_is_not_there() {
    let said = User::new().meshx(&["run", "nowhere.wasm"], b"").exits(125);
    assert!(said.stderr.contains("nowhere.wasm"), "{}", said.stderr);
}

#[test]
fn a_data_folder_nobody_can_write_to() {
    let said = User::new()
        .meshx(&["up", "--data", "/proc/meshx", "--listen", "127.0.0.1:0"], b"")
        .exits(125);
    assert!(
        said.stderr.contains("/proc/meshx") && said.stderr.contains("hint:"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_node_that_does_not_answer() {
    let said = User::new().on("http://127.0.0.1:9").meshx(&["status"], b"").exits(125);
    assert!(said.stderr.contains("127.0.0.1:9"), "{}", said.stderr);
}

#[test]
fn a_misspelt_setting() {
    let user = User::new();
    std::fs::write(user.path("meshx.toml"), "nod = \"http://127.0.0.1:1\"\n").unwrap();
    let said = user.meshx(&["status"], b"").exits(125);
    assert!(said.stderr.contains("meshx.toml"), "{}", said.stderr);
}

/// As in `meshx … | head -1`: the reader of stdout is gone before the first line.
#[test]
fn a_reader_that_went_away_is_no_panic() {
    let home = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(crate::support::MESHX)
        .args(["--show-settings", "status"])
        .env("HOME", home.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let said = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&said.stderr);
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn a_folder_in_use_names_its_holder() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let lock = std::fs::File::create(data.join("lock")).unwrap();
    lock.lock().unwrap();
    std::fs::write(data.join("lock"), "4711\n").unwrap();
    let said = std::process::Command::new(crate::support::MESHX)
        .args(["up", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .env("HOME", home.path())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(125), "{stderr}");
    assert!(stderr.contains("in use by process 4711"), "{stderr}");
}
