//! The store from outside: what goes in comes out, and nothing else ever does.

mod crash;
mod damage;
mod limits;
mod round_trip;
mod transfer;

use blobs::{BlobRef, Store};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use types::Hash;

/// A store in a directory that goes away with it.
fn store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    (dir, store)
}

/// `len` bytes in which no two chunks are alike.
fn content(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new().update(b"content").finalize_xof().fill(&mut bytes);
    bytes
}

/// Sizes on both sides of every kind of edge in the tree.
const SIZES: [usize; 16] = [
    0, 1, 1023, 1024, 1025, 2047, 2048, 2049, 3072, 4097, 8192, 10_000, 65_535, 65_536, 65_537,
    300_001,
];

/// Seeded numbers, so that a failure repeats.
struct Draw(blake3::OutputReader);

impl Draw {
    fn new(seed: &str) -> Self {
        Self(blake3::Hasher::new().update(seed.as_bytes()).finalize_xof())
    }
    fn below(&mut self, bound: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        (u64::from_le_bytes(bytes) % bound as u64) as usize
    }
}

/// One byte again and again, `len` times.
fn repeated(len: u64) -> impl Read {
    io::repeat(7).take(len)
}

fn path(dir: &Path, hash: Hash) -> PathBuf {
    dir.join(format!("{hash}.blob"))
}

/// The names in a store's directory, its lock aside.
fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.retain(|name| name != "lock");
    names.sort();
    names
}

/// Read in pieces of `step` until the end or an error; what came out, and the error.
fn drain(store: &Store, blob: BlobRef, step: usize) -> (Vec<u8>, Option<io::Error>) {
    let mut reader = match store.open_verified(blob.hash) {
        Ok(reader) => reader,
        Err(error) => return (vec![], Some(io::Error::other(error))),
    };
    let (mut out, mut buffer) = (vec![], vec![0; step]);
    loop {
        buffer.fill(0xee);
        match reader.read(&mut buffer) {
            Ok(0) => return (out, None),
            Ok(n) => out.extend_from_slice(&buffer[..n]),
            Err(error) => {
                assert!(
                    buffer.iter().all(|&byte| byte == 0xee),
                    "unverified bytes were written to the caller"
                );
                assert!(reader.read(&mut buffer).is_err(), "an error must stay");
                return (out, Some(error));
            }
        }
    }
}
