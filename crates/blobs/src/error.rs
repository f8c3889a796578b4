//! What can go wrong with a blob, and whose fault it is.

use crate::BLOB_BYTES_MAX;
use std::{io, path::PathBuf};
use types::Hash;

/// Why the store did not do as asked. A failed call leaves nothing behind.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum BlobError {
    /// The directory cannot be made, or nothing can be written in it.
    #[error("cannot write in the blob directory {}: {source}\nhint: choose another directory, or give yourself the rights to it", dir.display())]
    Unwritable { dir: PathBuf, source: io::Error },
    /// Two stores over one directory would remove each other's half-written files.
    #[error("the blob directory {} is in use by another process\nhint: stop the other node, or give this one a directory of its own", dir.display())]
    InUse { dir: PathBuf },
    /// More than [`BLOB_BYTES_MAX`].
    #[error(
        "a blob has at most {BLOB_BYTES_MAX} bytes, this one has more\nhint: cut it into several blobs"
    )]
    TooLong,
    /// The store's own cap, counting what is being written at this moment.
    #[error(
        "the blob store is full: {bytes_used} of {bytes_max} bytes are taken and {bytes_needed} more are needed\nhint: remove blobs or raise the store's bytes_max"
    )]
    Full { bytes_used: u64, bytes_max: u64, bytes_needed: u64 },
    /// Some other content than was asked for.
    #[error(
        "the content has the hash {actual}, not {expected}\nhint: fetch it again, from someone else"
    )]
    WrongHash { expected: Hash, actual: Hash },
    /// Not in this store.
    #[error("there is no blob {0} here\nhint: fetch or put it first")]
    NotFound(Hash),
    /// The disk gave back something else than was written.
    #[error(
        "blob {0} is damaged on disk\nhint: fetch or put it again, which replaces it, and check the disk"
    )]
    Damaged(Hash),
    /// A peer sent a chunk or a tree node that does not belong. Everything before `offset` did.
    #[error(
        "the sender of blob {hash} sent wrong content from byte {offset} on\nhint: fetch it from someone else"
    )]
    BadChunk { hash: Hash, offset: u64 },
    /// A peer stopped early. Everything before `offset` was right.
    #[error("the sender of blob {hash} stopped at byte {offset}\nhint: fetch it again")]
    Truncated { hash: Hash, offset: u64 },
    /// The reader handed to `put` failed.
    #[error(
        "cannot read the content to store: {0}\nhint: the store is unharmed; try again when the source works"
    )]
    Source(#[source] io::Error),
    /// The writer handed to `encode` failed.
    #[error(
        "cannot send the blob: {0}\nhint: the store is unharmed; try again when the receiver is back"
    )]
    Sink(#[source] io::Error),
    /// The store's own disk failed.
    #[error("cannot {doing} {}: {source}\nhint: check the disk and the space left on it", path.display())]
    Disk { doing: &'static str, path: PathBuf, source: io::Error },
}

impl BlobError {
    /// For `map_err`: the disk failed at `doing` something to `path`.
    pub(crate) fn disk(
        doing: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk { doing, path: path.into(), source }
    }
}
