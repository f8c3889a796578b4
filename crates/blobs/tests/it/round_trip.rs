//! What is put comes out, under the right name.

use crate::{SIZES, content, drain, names, store};
use blobs::{BlobError, BlobRef, Store};
use std::io::{self, Read};
use types::Hash;

#[test]
fn what_is_put_comes_out() {
    let (_dir, store) = store();
    for size in SIZES {
        let content = content(size);
        let blob = store.put(&content[..]).unwrap();
        assert_eq!(blob, BlobRef { hash: Hash::of_content(&content), len: size as u64 });
        assert_eq!(store.get(blob.hash).unwrap(), content);
        assert_eq!(store.len(blob.hash).unwrap(), blob.len);
        assert!(store.contains(blob.hash));
        for step in [1, 1000, 1024, 4096] {
            if size <= 65_537 {
                let (out, error) = drain(&store, blob, step);
                assert!(out == content && error.is_none(), "{size} {step} {error:?}");
            }
        }
    }
    let listed = store.list().unwrap();
    assert_eq!(listed.len(), SIZES.len());
    assert!(listed.is_sorted() && listed.iter().all(|blob| SIZES.contains(&(blob.len as usize))));
}

#[test]
fn a_reader_may_give_little_and_interrupt() {
    struct Stingy<'a>(&'a [u8], bool);
    impl Read for Stingy<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let n = buffer.len().min(7);
            self.0.read(&mut buffer[..n])
        }
    }
    let (_dir, store) = store();
    let content = content(5000);
    assert_eq!(store.put(Stingy(&content, false)).unwrap().hash, Hash::of_content(&content));
}

#[test]
fn the_expected_hash_is_enforced() {
    let (dir, store) = store();
    let (right, wrong) = (Hash::of_content(b"right"), Hash::of_content(b"wrong"));
    let refused = store.put_expected(wrong, &b"right"[..]).unwrap_err();
    assert!(
        matches!(refused, BlobError::WrongHash { expected, actual } if expected == wrong && actual == right)
    );
    assert!(names(dir.path()).is_empty());
    assert_eq!(store.bytes_used(), 0);
    assert_eq!(store.put_expected(right, &b"right"[..]).unwrap().hash, right);
}

#[test]
fn the_same_blob_twice_is_one() {
    let (dir, store) = store();
    let first = store.put(&content(3000)[..]).unwrap();
    let bytes_used = store.bytes_used();
    assert_eq!(store.put(&content(3000)[..]).unwrap(), first);
    assert_eq!(store.bytes_used(), bytes_used);
    assert_eq!(names(dir.path()).len(), 1);
}

#[test]
fn threads_may_put_the_same_blob_at_once() {
    let (dir, store) = store();
    let shared = content(200_000);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (store, shared) = (store.clone(), &shared);
            scope.spawn(move || {
                for round in 0..10 {
                    let blob = store.put(&shared[..]).unwrap();
                    assert_eq!(store.get(blob.hash).unwrap(), *shared);
                    let own = format!("{thread} {round}");
                    store.put(own.as_bytes()).unwrap();
                }
            });
        }
    });
    assert_eq!(names(dir.path()).len(), 1 + 40);
    let counted = store.bytes_used();
    drop(store);
    assert_eq!(
        Store::open(dir.path()).unwrap().bytes_used(),
        counted,
        "counting agrees with the disk"
    );
}

#[test]
fn what_is_removed_is_gone_but_may_be_read_on() {
    let (dir, store) = store();
    let blob = store.put(&content(5000)[..]).unwrap();
    let mut reader = store.open_verified(blob.hash).unwrap();
    store.remove(blob.hash).unwrap();
    let mut out = vec![];
    reader.read_to_end(&mut out).unwrap();
    assert_eq!(out, content(5000));
    assert!(!store.contains(blob.hash) && names(dir.path()).is_empty());
    assert_eq!(store.bytes_used(), 0);
    assert!(matches!(store.get(blob.hash), Err(BlobError::NotFound(hash)) if hash == blob.hash));
    assert!(matches!(store.len(blob.hash), Err(BlobError::NotFound(_))));
    assert!(matches!(store.remove(blob.hash), Err(BlobError::NotFound(_))));
}

#[test]
fn blobs_outlive_the_store() {
    let (dir, store) = store();
    let blob = store.put(&content(5000)[..]).unwrap();
    let bytes_used = store.bytes_used();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.list().unwrap(), [blob]);
    assert_eq!(store.bytes_used(), bytes_used);
    assert_eq!(store.get(blob.hash).unwrap(), content(5000));
}

#[test]
fn bytes_kept_by_many_at_once_are_written_once_and_mended_if_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let bytes = b"the same output of four workers";
    let kept: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(|| store.keep(bytes).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(kept.iter().all(|blob| *blob == kept[0]));
    assert_eq!(store.get(kept[0].hash).unwrap(), bytes);

    let path = dir.path().join(format!("{}.blob", kept[0].hash));
    let mut damaged = std::fs::read(&path).unwrap();
    damaged[3] ^= 1;
    std::fs::write(&path, damaged).unwrap();
    assert!(store.get(kept[0].hash).is_err());
    store.keep(bytes).unwrap();
    assert_eq!(store.get(kept[0].hash).unwrap(), bytes);
}
