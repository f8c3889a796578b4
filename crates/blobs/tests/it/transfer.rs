//! From store to store: the receiver takes nothing on trust.

use crate::{Draw, SIZES, content, names, store};
use blobs::{BLOB_BYTES_MAX, BlobError};
use std::io::{self, Read};
use types::Hash;

#[test]
fn what_one_store_encodes_another_takes() {
    let ((_here, from), (_there, to)) = (store(), store());
    for size in SIZES {
        let content = content(size);
        let blob = from.put(&content[..]).unwrap();
        let mut wire = vec![];
        from.encode(blob.hash, &mut wire).unwrap();
        assert_eq!(
            wire,
            bao::encode::encode(&content).0,
            "{size}: this is bao's combined encoding"
        );
        wire.extend_from_slice(b"what follows");
        let mut rest = &wire[..];
        assert_eq!(to.put_encoded(blob.hash, &mut rest).unwrap(), blob);
        assert_eq!(rest, b"what follows", "nothing beyond the encoding is read");
        assert_eq!(to.get(blob.hash).unwrap(), content);
    }
    assert_eq!(from.list().unwrap(), to.list().unwrap());
    assert_eq!(from.bytes_used(), to.bytes_used());
}

#[test]
fn the_longest_blob_travels() {
    let ((_here, from), (_there, to)) = (store(), store());
    let blob = from.put(crate::repeated(BLOB_BYTES_MAX)).unwrap();
    let mut wire = vec![];
    from.encode(blob.hash, &mut wire).unwrap();
    assert_eq!(to.put_encoded(blob.hash, &wire[..]).unwrap(), blob);
}

/// Send `wire` as `hash`: it must be refused, leaving nothing; how much was read of it.
fn refuse(wire: &[u8], hash: Hash, what: &str) -> (BlobError, usize) {
    let (dir, store) = store();
    let mut rest = wire;
    let error =
        store.put_encoded(hash, &mut rest).map(|blob| panic!("{what}: took {blob:?}")).unwrap_err();
    assert!(names(dir.path()).is_empty() && store.bytes_used() == 0, "{what}");
    (error, wire.len() - rest.len())
}

#[test]
fn a_flip_anywhere_on_the_wire_stops_the_transfer_there() {
    for size in [0, 1, 1024, 1025, 2500] {
        let (wire, hash) = bao::encode::encode(content(size));
        for offset in 0..wire.len() {
            let mut bad = wire.clone();
            bad[offset] ^= 1;
            let what = format!("{size}: flip at {offset}");
            let (error, read) = refuse(&bad, Hash(*hash.as_bytes()), &what);
            match error {
                // A flip in the length shows where the tree first has another shape: at the latest in
                // the last chunk.
                BlobError::TooLong | BlobError::Truncated { .. } | BlobError::BadChunk { .. }
                    if offset < 8 => {}
                BlobError::BadChunk { offset: good, .. } => {
                    assert!(good as usize <= offset, "{what}: {good}");
                    assert!(read > offset && read <= offset + 1024, "{what}: read {read}");
                }
                other => panic!("{what}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_sender_that_stops_is_told_from_one_that_lies() {
    let mut draw = Draw::new("cuts");
    for size in SIZES {
        let (wire, hash) = bao::encode::encode(content(size));
        for length in [0, 7, 8, wire.len() - 1, draw.below(wire.len()), draw.below(wire.len())] {
            if length == wire.len() {
                continue; // the empty blob is its length alone
            }
            let (error, _) = refuse(
                &wire[..length],
                Hash(*hash.as_bytes()),
                &format!("{size}: cut at {length}"),
            );
            assert!(
                matches!(error, BlobError::Truncated { offset, .. } if offset as usize <= length),
                "{error:?}"
            );
        }
    }
}

#[test]
fn a_wrong_name_is_refused_at_the_first_piece() {
    let (wire, _) = bao::encode::encode(content(100_000));
    let (error, read) = refuse(&wire, Hash::of_content(b"other"), "wrong name");
    assert!(matches!(error, BlobError::BadChunk { offset: 0, .. }));
    assert_eq!(read, 8 + 64, "one length and one node");
}

#[test]
fn a_length_that_lies_is_refused() {
    let (wire, hash) = bao::encode::encode(content(5000));
    for lie in [
        0,
        1,
        1024,
        4999,
        5001,
        6000,
        9000,
        BLOB_BYTES_MAX,
        BLOB_BYTES_MAX + 1,
        u64::MAX / 2,
        u64::MAX,
    ] {
        let mut bad = wire.clone();
        bad[..8].copy_from_slice(&lie.to_le_bytes());
        let (error, read) = refuse(&bad, Hash(*hash.as_bytes()), &format!("{lie}"));
        if lie > BLOB_BYTES_MAX {
            assert!(matches!(error, BlobError::TooLong) && read == 8, "{lie}: {error:?}");
        }
    }
}

#[test]
fn noise_never_panics() {
    let mut draw = Draw::new("noise");
    for round in 0..300 {
        let mut noise: Vec<u8> = (0..draw.below(3000)).map(|_| draw.below(256) as u8).collect();
        if round % 2 == 0 && noise.len() >= 8 {
            let len = draw.below(BLOB_BYTES_MAX as usize + 1) as u64;
            noise[..8].copy_from_slice(&len.to_le_bytes());
        }
        refuse(&noise, Hash::of_content(b"other"), &format!("round {round}"));
    }
}

#[test]
fn a_broken_connection_is_not_called_a_lie() {
    struct Broken(io::ErrorKind);
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
    }
    let (wire, hash) = bao::encode::encode(content(5000));
    for kind in
        [io::ErrorKind::ConnectionReset, io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof]
    {
        for cut in [0, 4, 8, 3000] {
            let (dir, store) = store();
            let reader = wire[..cut].chain(Broken(kind));
            let error = store.put_encoded(Hash(*hash.as_bytes()), reader).unwrap_err();
            assert!(
                matches!(&error, BlobError::Source(source) if source.kind() == kind),
                "{error:?}"
            );
            assert!(names(dir.path()).is_empty());
        }
    }
}

#[test]
fn a_receiver_that_hangs_up_is_reported() {
    let (_dir, store) = store();
    let blob = store.put(&content(5000)[..]).unwrap();
    let mut small = [0; 1000];
    assert!(matches!(store.encode(blob.hash, &mut small[..]), Err(BlobError::Sink(_))));
    assert!(matches!(
        store.encode(Hash::of_content(b"other"), vec![]),
        Err(BlobError::NotFound(_))
    ));
}
