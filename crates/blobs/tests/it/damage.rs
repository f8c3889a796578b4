//! A disk that forgets: no byte is delivered that was not put.

use crate::{Draw, SIZES, content, drain, path, store};
use blobs::{BlobError, BlobRef, Store};
use std::fs;
use std::path::Path;

/// Damage the blob's file, then read: what comes out must be a true beginning, then an error.
fn check(
    dir: &Path,
    store: &Store,
    blob: BlobRef,
    what: &str,
    damage: impl Fn(&mut Vec<u8>),
) -> usize {
    let path = path(dir, blob.hash);
    let whole = fs::read(&path).unwrap();
    let original = &whole[..blob.len as usize];
    let mut damaged = whole.clone();
    damage(&mut damaged);
    fs::write(&path, &damaged).unwrap();

    let mut delivered = 0;
    for step in [100, 1024, 5000] {
        let (out, error) = drain(store, blob, step);
        let error = error.unwrap_or_else(|| panic!("{what}: read to the end"));
        let found = error.get_ref().and_then(|inner| inner.downcast_ref::<BlobError>());
        assert!(
            matches!(found, Some(BlobError::Damaged(hash)) if *hash == blob.hash),
            "{what}: {error:?}"
        );
        assert!(original.starts_with(&out), "{what}: a wrong byte was delivered");
        delivered = out.len();
    }
    assert!(matches!(store.get(blob.hash), Err(BlobError::Damaged(_))), "{what}");
    let mut sent = vec![];
    assert!(matches!(store.encode(blob.hash, &mut sent), Err(BlobError::Damaged(_))), "{what}");
    assert!(bao::encode::encode(original).0.starts_with(&sent), "{what}: a wrong byte was sent");
    fs::write(&path, &whole).unwrap();
    delivered
}

#[test]
fn a_flip_anywhere_in_a_small_file_is_refused() {
    let (dir, store) = store();
    for size in [0, 1, 1024, 1025, 3000] {
        let blob = store.put(&content(size)[..]).unwrap();
        let file_len = fs::metadata(path(dir.path(), blob.hash)).unwrap().len() as usize;
        for offset in 0..file_len {
            check(dir.path(), &store, blob, &format!("{size}: flip at {offset}"), |file| {
                file[offset] ^= 1
            });
        }
    }
}

#[test]
fn flips_at_random_offsets_are_refused_before_their_chunk() {
    let (dir, store) = store();
    let mut draw = Draw::new("flips");
    for size in SIZES.into_iter().filter(|&size| size > 1024) {
        let blob = store.put(&content(size)[..]).unwrap();
        for _ in 0..10 {
            let (offset, bit) = (draw.below(size), draw.below(8));
            let what = format!("{size}: flip at {offset}");
            let delivered = check(dir.path(), &store, blob, &what, |file| file[offset] ^= 1 << bit);
            assert_eq!(delivered, offset / 1024 * 1024, "all before the bad chunk, nothing of it");
        }
    }
}

#[test]
fn a_file_of_another_length_is_refused() {
    let (dir, store) = store();
    let mut draw = Draw::new("lengths");
    for size in SIZES {
        let blob = store.put(&content(size)[..]).unwrap();
        let file_len = fs::metadata(path(dir.path(), blob.hash)).unwrap().len() as usize;
        let mut lengths = vec![0, 1, 7, file_len - 1, file_len - 8];
        lengths.extend((0..5).map(|_| draw.below(file_len)));
        for length in lengths {
            check(dir.path(), &store, blob, &format!("{size}: cut to {length}"), |file| {
                file.truncate(length)
            });
        }
        for extra in [1, 64, 1024, 100_000] {
            let what = format!("{size}: {extra} longer");
            check(dir.path(), &store, blob, &what, |file| file.resize(file_len + extra, 0));
        }
    }
}

#[test]
fn another_blobs_file_is_refused() {
    let (dir, store) = store();
    let (blob, other) =
        (store.put(&content(3000)[..]).unwrap(), store.put(&[7; 3000][..]).unwrap());
    let swapped = fs::read(path(dir.path(), other.hash)).unwrap();
    assert_eq!(check(dir.path(), &store, blob, "swapped", |file| file.clone_from(&swapped)), 0);
}

#[test]
fn putting_again_mends() {
    let (dir, store) = store();
    let blob = store.put(&content(3000)[..]).unwrap();
    let bytes_used = store.bytes_used();
    let mut file = fs::read(path(dir.path(), blob.hash)).unwrap();
    file[2000] ^= 1;
    fs::write(path(dir.path(), blob.hash), file).unwrap();
    assert!(store.get(blob.hash).is_err());
    store.put(&content(3000)[..]).unwrap();
    assert_eq!(store.get(blob.hash).unwrap(), content(3000));
    assert_eq!(store.bytes_used(), bytes_used);
}
