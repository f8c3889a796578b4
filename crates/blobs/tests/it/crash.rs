//! Interruptions: a put that does not end leaves nothing, even if its process dies.

use crate::{content, names, store};
use blobs::{BlobError, Store};
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn a_reader_that_fails_leaves_nothing() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
    let (dir, store) = store();
    let refused = store.put(content(200_000).chain(Fails)).unwrap_err();
    assert!(
        matches!(&refused, BlobError::Source(source) if source.kind() == io::ErrorKind::BrokenPipe)
    );
    assert!(names(dir.path()).is_empty());
    assert_eq!(store.bytes_used(), 0);
}

#[test]
fn a_reader_that_panics_leaves_nothing() {
    struct Panics;
    impl Read for Panics {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("on purpose")
        }
    }
    let (dir, store) = store();
    let panicked = catch_unwind(AssertUnwindSafe(|| store.put(content(200_000).chain(Panics))));
    assert!(panicked.is_err());
    assert!(names(dir.path()).is_empty());
    assert_eq!(store.bytes_used(), 0);
    store.put(&b"the store still works"[..]).unwrap();
}

const DIR: &str = "MESHX_BLOBS_TEST_DIR";

/// The other process of the test below: puts one blob, then begins one that never ends. Does
/// nothing when run as a test of its own.
#[test]
fn child() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let store = Store::open(dir).unwrap();
    store.put(&content(5000)[..]).unwrap();
    store.put(io::stdin()).unwrap();
    unreachable!("stdin does not end");
}

#[test]
fn a_killed_process_leaves_whole_blobs_and_a_free_directory() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["crash::child", "--exact", "--nocapture"])
        .env(DIR, dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Its first line says that it runs; the pipe's fullness says that it reads.
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.stdin.as_mut().unwrap().write_all(&content(3 << 20)).unwrap();
    assert!(matches!(Store::open(dir.path()), Err(BlobError::InUse { .. })));
    child.kill().unwrap();
    child.wait().unwrap();

    let before = names(dir.path());
    assert_eq!(before.iter().filter(|name| name.starts_with("tmp-")).count(), 1, "half a blob");
    let store = Store::open(dir.path()).unwrap();
    let [blob] = store.list().unwrap()[..] else { panic!("one blob was whole") };
    assert_eq!(store.get(blob.hash).unwrap(), content(5000));
    assert_eq!(names(dir.path()).len(), 1);
}

#[test]
fn only_our_leftovers_are_removed() {
    let (dir, store) = store();
    drop(store);
    let write = |name: &str| fs::write(Path::join(dir.path(), name), "x").unwrap();
    let upper = format!("{}.blob", "AB".repeat(32));
    ["tmp-0", "tmp-77", "notes.txt", "short.blob", &upper].into_iter().for_each(write);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(names(dir.path()), [&upper, "notes.txt", "short.blob"]);
    assert_eq!(store.bytes_used(), 0);
    assert!(store.list().unwrap().is_empty());
}
