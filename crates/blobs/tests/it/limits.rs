//! Limits: the longest blob, the fullest store, the directory that will not have us.

use crate::{names, repeated, store};
use blobs::{BLOB_BYTES_MAX, BlobError, Store, StoreConfig};
use expect_test::expect;
use std::io::{self, Read};

#[test]
fn the_longest_blob_fits_and_one_byte_more_does_not() {
    let (dir, store) = store();
    for len in [BLOB_BYTES_MAX - 1, BLOB_BYTES_MAX] {
        let blob = store.put(repeated(len)).unwrap();
        assert_eq!(blob.len, len);
        let mut reader = store.open_verified(blob.hash).unwrap();
        assert_eq!(io::copy(&mut reader, &mut io::sink()).unwrap(), len);
        store.remove(blob.hash).unwrap();
    }
    let refused = store.put(repeated(BLOB_BYTES_MAX + 1)).unwrap_err();
    assert!(matches!(refused, BlobError::TooLong));
    assert!(names(dir.path()).is_empty());
    assert_eq!(store.bytes_used(), 0);
}

#[test]
fn an_endless_reader_is_left_after_one_byte_too_many() {
    struct Counted(u64);
    impl Read for Counted {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += buffer.len() as u64;
            Ok(buffer.len())
        }
    }
    let (_dir, store) = store();
    let mut endless = Counted(0);
    assert!(matches!(store.put(&mut endless), Err(BlobError::TooLong)));
    assert_eq!(endless.0, BLOB_BYTES_MAX + 1);
}

#[test]
fn a_full_store_says_so_and_takes_what_fits() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_with(dir.path(), StoreConfig { bytes_max: 10_000 }).unwrap();
    // A chunk of content brings 64 bytes of tree, the first one 8.
    let blob = store.put(repeated(8000)).unwrap();
    assert_eq!(store.bytes_used(), 8000 + 8 + 7 * 64);
    let refused = store.put(repeated(4000)).unwrap_err();
    expect![[r#"
        the blob store is full: 8456 of 10000 bytes are taken and 4000 more are needed
        hint: remove blobs or raise the store's bytes_max"#]]
    .assert_eq(&refused.to_string());
    assert_eq!(store.bytes_used(), 8456);
    // To the byte: 1,472 of content, 8 of length, 64 of tree.
    assert!(matches!(store.put(repeated(1473)), Err(BlobError::Full { bytes_needed: 72, .. })));
    store.put(repeated(1472)).unwrap();
    assert_eq!(store.bytes_used(), 10_000);
    store.remove(blob.hash).unwrap();
    store.put(repeated(4000)).unwrap();
    assert_eq!(names(dir.path()).len(), 2);
}

#[test]
fn a_directory_that_cannot_be_is_explained() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    for refused in [Store::open(&file).unwrap_err(), Store::open(file.join("below")).unwrap_err()] {
        assert!(matches!(refused, BlobError::Unwritable { .. }), "{refused}");
        assert!(refused.to_string().contains("hint: choose another directory"));
    }
}

#[test]
fn one_directory_has_one_store() {
    let (dir, store) = store();
    let refused = Store::open(dir.path()).unwrap_err();
    assert!(matches!(refused, BlobError::InUse { .. }), "{refused}");
    let clone = store.clone();
    drop(store);
    assert!(Store::open(dir.path()).is_err(), "a clone keeps it");
    drop(clone);
    Store::open(dir.path().join("new/and/deep")).unwrap();
    Store::open(dir.path()).unwrap();
}
