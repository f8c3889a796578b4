//! What a job leaves under /out: saved, listed, proved. And the folder it is given at /in.

use crate::support::User;
use std::fs;

/// Copies stdin into /out/a, and the file /in/data/x into /out/sub/b.
const LEAVES: &str = r#"(module
  (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_create_directory" (func $folder (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 0) "a") (data (i32.const 8) "sub") (data (i32.const 16) "sub/b") (data (i32.const 32) "data/x")
  (data (i32.const 64) "\00\04\00\00\00\10\00\00")
  (func $copy (param $from i32) (param $name i32) (param $len i32)
    (drop (call $read (local.get $from) (i32.const 64) (i32.const 1) (i32.const 80)))
    (drop (call $open (i32.const 5) (i32.const 0) (local.get $name) (local.get $len) (i32.const 1) (i64.const 66) (i64.const 0) (i32.const 0) (i32.const 84)))
    (i32.store (i32.const 72) (i32.const 1024)) (i32.store (i32.const 76) (i32.load (i32.const 80)))
    (drop (call $write (i32.load (i32.const 84)) (i32.const 72) (i32.const 1) (i32.const 88))))
  (func (export "_start")
    (call $copy (i32.const 0) (i32.const 0) (i32.const 1))
    (drop (call $folder (i32.const 5) (i32.const 8) (i32.const 3)))
    (if (i32.eqz (call $open (i32.const 3) (i32.const 0) (i32.const 32) (i32.const 6) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 96)))
      (then (call $copy (i32.load (i32.const 96)) (i32.const 16) (i32.const 5))))))"#;

#[test]
fn what_a_job_leaves_is_saved_listed_and_proved() {
    let (_mesh, user, _) = User::on_a_quick_mesh();
    user.meshx(&["faucet"], b"").exits(0);
    fs::write(user.path("leaves.wat"), LEAVES).unwrap();
    fs::create_dir_all(user.path("in/data")).unwrap();
    fs::write(user.path("in/data/x"), b"from a folder").unwrap();
    let run = ["run", "--receipt", "r.mxr", "--dir", "in", "leaves.wat"];
    let said = user.meshx(&[&run[..], &["--out", "left"]].concat(), b"from stdin").exits(0);
    assert!(said.stderr.contains("saved 2 files (23 B) in left"), "{}", said.stderr);
    assert_eq!(fs::read(user.path("left/a")).unwrap(), b"from stdin");
    assert_eq!(fs::read(user.path("left/sub/b")).unwrap(), b"from a folder");

    // Nothing is written over, and that is said before anything is paid.
    let refused = user.meshx(&[&run[..], &["--out", "left"]].concat(), b"other").exits(125);
    assert!(refused.stderr.contains("left is not empty"), "{}", refused.stderr);
    assert_eq!(fs::read(user.path("left/a")).unwrap(), b"from stdin");

    // The receipt proves them, byte by byte and name by name.
    let accepted = user.meshx(&["verify", "r.mxr", "--out", "left"], b"").exits(0);
    assert!(accepted.text().contains("23 bytes under /out"), "{}", accepted.text());
    fs::write(user.path("left/a"), b"from stdin.").unwrap();
    let refused = user.meshx(&["verify", "r.mxr", "--out", "left"], b"").exits(1);
    assert!(refused.stderr.contains("not those that the job left"), "{}", refused.stderr);
    fs::write(user.path("left/a"), b"from stdin").unwrap();
    fs::write(user.path("left/c"), b"").unwrap();
    user.meshx(&["verify", "r.mxr", "--out", "left"], b"").exits(1);
    user.meshx(&["replay", "r.mxr"], b"").exits(0);

    // Without --out the files are named, and fetched later.
    let said = user.meshx(&[&run[..], &["--fresh"]].concat(), b"from stdin").exits(0);
    assert!(said.stderr.contains("the job left 2 files (23 B) under /out"), "{}", said.stderr);
    let hint = said.stderr.split("meshx job output ").nth(1).expect("a hint");
    let job = hint.split_whitespace().next().unwrap();
    user.meshx(&["job", "output", job, "--out", "later"], b"").exits(0);
    assert_eq!(fs::read(user.path("later/sub/b")).unwrap(), b"from a folder");
    user.meshx(&["verify", "r.mxr", "--out", "later"], b"").exits(0);
    let listed = user.meshx(&["job", "receipt", job, "again.mxr"], b"").exits(0);
    assert!(listed.stderr.contains("sub/b"), "{}", listed.stderr);
    user.meshx(&["job", "output", job, "--out", "later", "--overwrite"], b"").exits(0);
    let listed =
        user.meshx(&[&run[..], &["--output", "json"]].concat(), b"from stdin").exits(0).json();
    assert_eq!(listed["files"][1]["path"], "sub/b");

    // A job that left nothing has nothing to save.
    let nothing = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;
    fs::write(user.path("nothing.wat"), nothing).unwrap();
    let said = user.meshx(&["run", "--output", "json", "nothing.wat"], b"").exits(0).json();
    let job = said["job"].as_str().unwrap();
    let refused = user.meshx(&["job", "output", job, "--out", "none"], b"").exits(125);
    assert!(refused.stderr.contains("left no files under /out"), "{}", refused.stderr);

    // Two results that differ in a file only are two results.
    let other = user.meshx(&[&run[..], &["--out", "other"]].concat(), b"from stdio").exits(0);
    assert!(!other.stderr.contains("result cache"), "{}", other.stderr);
    assert_eq!(fs::read(user.path("other/a")).unwrap(), b"from stdio");
}

#[test]
fn what_is_paid_for_is_shown_though_it_cannot_be_saved_and_replayed_elsewhere() {
    let (_mesh, user, _) = User::on_a_quick_mesh();
    user.meshx(&["faucet"], b"").exits(0);
    fs::write(user.path("leaves.wat"), LEAVES).unwrap();
    fs::create_dir_all(user.path("in/data")).unwrap();
    fs::write(user.path("in/data/x"), b"from a folder").unwrap();
    fs::write(user.path("stdin"), b"from stdin").unwrap();
    // A folder stands where the job's file is to be.
    fs::create_dir_all(user.path("clash/a")).unwrap();
    let run = ["run", "--receipt", "r.mxr", "--dir", "in", "--out", "clash", "--overwrite"];
    let said = user.meshx(&[&run[..], &["leaves.wat"]].concat(), b"from stdin").exits(125);
    for words in
        ["cannot save a", "the job is done and paid for", "price ", "--out DIR saves its files"]
    {
        assert!(said.stderr.contains(words), "{words:?} is not in {}", said.stderr);
    }
    // What can be seen before is refused before.
    for path in ["clash", "stdin/r.mxr"] {
        let run = ["run", "--receipt", path, "leaves.wat"];
        let refused = user.meshx(&run, b"").exits(125);
        assert!(!refused.stderr.contains("paid"), "{}", refused.stderr);
    }

    // Where nothing was kept, the job's files are named.
    fs::remove_dir_all(user.path(".cache")).unwrap();
    let replay = ["replay", "r.mxr", "--module", "leaves.wat", "--input", "stdin"];
    let lost = user.meshx(&replay, b"").exits(125);
    assert!(lost.stderr.contains("hint: name the job's files with --file FILE"), "{}", lost.stderr);
    user.meshx(&[&replay[..], &["--dir", "in"]].concat(), b"").exits(0);
    user.meshx(&[&replay[..], &["--dir", "clash"]].concat(), b"").exits(125);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_stdout_is_a_failure() {
    let user = User::new();
    fs::write(user.path("file"), b"x").unwrap();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = user.command(&["hash", "file"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(125));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("hint: what was printed is not complete"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_folder_with_a_link_in_it_is_refused_before_anything_is_paid() {
    let user = User::new();
    fs::write(user.path("leaves.wat"), LEAVES).unwrap();
    fs::create_dir(user.path("in")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", user.path("in/link")).unwrap();
    for command in ["run", "quote"] {
        let refused = user.meshx(&[command, "--dir", "in", "leaves.wat"], b"").exits(125);
        assert!(refused.stderr.contains("in/link is a symbolic link"), "{}", refused.stderr);
        let refused = user.meshx(&[command, "--dir", "nowhere", "leaves.wat"], b"").exits(125);
        assert!(refused.stderr.contains("nowhere"), "{}", refused.stderr);
    }
}
