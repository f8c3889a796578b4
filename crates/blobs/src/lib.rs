//! Keep files under the hash of their content, and never hand out a byte that does not belong.
//!
//! ```text
//!            put, put_expected                    ┌────────────────┐      open_verified, get
//!  reader ──────────────────────▶ tmp-7 ─ rename ▶│ <hash>.blob    │ ──────────────────────▶ verified bytes
//!            put_encoded                          │ content ‖ tree │      encode
//!  peer ─── verified as it comes ─▶               └────────────────┘ ──────────────────────▶ peer
//! ```
//!
//! A blob is named by the BLAKE3 hash of its content. BLAKE3 is a tree over chunks of 1 KiB; the
//! tree is stored behind the content ([bao](https://github.com/oconnor663/bao)'s outboard form), so
//! that each chunk is checked against the name *before* it is handed out, wherever it comes from: a
//! disk that rots, a peer that lies. Sending and receiving use bao's combined form, in which the
//! tree travels between the chunks; a receiver stops at the first chunk that is wrong.
//!
//! A blob is one file, put in place by one rename after an `fsync`: a crash leaves the whole blob or
//! none of it, and what a dead process left half-written is removed by the next [`Store::open`].
//!
//! ```
//! # let dir = tempfile::tempdir().unwrap();
//! use std::io::Read;
//!
//! let store = blobs::Store::open(dir.path()).unwrap();
//! let blob = store.put(&b"hello"[..]).unwrap();
//! assert_eq!(blob.hash, types::Hash::of_content(b"hello"));
//!
//! let mut text = String::new();
//! store.open_verified(blob.hash).unwrap().read_to_string(&mut text).unwrap();
//! assert_eq!(text, "hello");
//!
//! # let elsewhere = tempfile::tempdir().unwrap();
//! let mut wire = vec![];
//! store.encode(blob.hash, &mut wire).unwrap();
//! let other = blobs::Store::open(elsewhere.path()).unwrap();
//! assert_eq!(other.put_encoded(blob.hash, &wire[..]).unwrap(), blob);
//! ```
//!
//! Calls block: from async code, run them on a thread for blocking work ([`Store`] is a cheap clone).
//! Not here: who may store what, which blobs to forget, fetching from peers, encryption.

mod error;
mod layout;
mod put;
mod read;
mod store;
mod transfer;

pub use error::BlobError;
pub use read::BlobReader;
pub use store::{Store, StoreConfig};

/// The longest blob: 96 MiB. A module, an input or a model shard fits; what is larger is cut into
/// several blobs, so that no single peer has to serve more and no job has to hold more.
pub const BLOB_BYTES_MAX: u64 = 96 << 20;

/// A blob by name, and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobRef {
    /// BLAKE3 of the content, `types::Hash::of_content`.
    pub hash: types::Hash,
    /// Bytes of content.
    pub len: u64,
}
