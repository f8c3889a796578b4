//! Reading: every chunk is checked against the blob's name before it is handed out.

use crate::store::Inner;
use crate::{BlobError, BlobRef, Store, layout};
use bao::decode::Decoder;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use types::Hash;

const CHUNK_BYTES: usize = 1024;

impl Store {
    /// Read a blob, verified as it is read.
    ///
    /// # Errors
    /// [`BlobError::NotFound`], [`BlobError::Damaged`], [`BlobError::Disk`]. Damage found later comes
    /// as an [`io::Error`] from `read`.
    pub fn open_verified(&self, hash: Hash) -> Result<BlobReader, BlobError> {
        let Files { content, tree, len } = Files::open(&self.inner, hash)?;
        let decoder = Decoder::new_outboard(content, tree, &blake3::Hash::from_bytes(hash.0));
        let blob = BlobRef { hash, len };
        Ok(BlobReader { blob, decoder, chunk: [0; CHUNK_BYTES], from: 0, to: 0, failed: false })
    }

    /// The content's length in bytes, as recorded; reading verifies it.
    ///
    /// # Errors
    /// [`BlobError::NotFound`]; [`BlobError::Damaged`] if the file has a length no blob has.
    pub fn len(&self, hash: Hash) -> Result<u64, BlobError> {
        Ok(Files::open(&self.inner, hash)?.len)
    }

    /// A blob's whole content, at most [`BLOB_BYTES_MAX`](crate::BLOB_BYTES_MAX) bytes in memory.
    ///
    /// # Errors
    /// As [`open_verified`](Self::open_verified), wherever the damage is.
    pub fn get(&self, hash: Hash) -> Result<Vec<u8>, BlobError> {
        let mut reader = self.open_verified(hash)?;
        let len = usize::try_from(reader.blob.len).expect("96 MiB is within any address space");
        let mut content = Vec::with_capacity(len);
        reader.read_to_end(&mut content).map_err(|error| match error.downcast::<BlobError>() {
            Ok(error) => error,
            Err(source) => BlobError::disk("read", &self.inner.path(hash))(source),
        })?;
        assert_eq!(content.len(), len, "a verified blob has the length it was stored with");
        Ok(content)
    }
}

/// A blob being read. Bytes that come out belong to it; after an error none do.
///
/// The end is reached only when all of it was right: `Ok(0)` is as good as the hash. Damage is an
/// error of kind [`InvalidData`](ErrorKind::InvalidData) that holds a [`BlobError::Damaged`], and
/// every later read gives it again.
pub struct BlobReader {
    blob: BlobRef,
    decoder: Decoder<BufReader<File>, BufReader<Tree>>,
    // Decoded here first: bao reads a chunk straight into a large buffer and only then verifies it,
    // which would leave bad bytes in the caller's hands, though behind an error.
    chunk: [u8; CHUNK_BYTES],
    from: usize,
    to: usize,
    failed: bool,
}

impl BlobReader {
    /// Which blob this is. The length is as recorded until the end has been reached.
    pub fn blob(&self) -> BlobRef {
        self.blob
    }

    fn damaged(&self) -> io::Error {
        io::Error::new(ErrorKind::InvalidData, BlobError::Damaged(self.blob.hash))
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.failed {
            return Err(self.damaged());
        }
        if self.from == self.to {
            match self.decoder.read(&mut self.chunk) {
                Ok(n) => (self.from, self.to) = (0, n),
                Err(error) => {
                    self.failed = true;
                    return Err(if is_damage(&error) { self.damaged() } else { error });
                }
            }
        }
        let n = buffer.len().min(self.to - self.from);
        buffer[..n].copy_from_slice(&self.chunk[self.from..self.from + n]);
        self.from += n;
        Ok(n)
    }
}

impl std::fmt::Debug for BlobReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobReader").field("blob", &self.blob).finish_non_exhaustive()
    }
}

/// Whether bao says that bytes are wrong or missing, rather than the system that it cannot read.
pub(crate) fn is_damage(error: &io::Error) -> bool {
    error.raw_os_error().is_none()
        && matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof)
}

/// A blob's file, opened once for each half.
pub(crate) struct Files {
    pub content: BufReader<File>,
    pub tree: BufReader<Tree>,
    pub len: u64,
}

impl Files {
    pub fn open(store: &Inner, hash: Hash) -> Result<Self, BlobError> {
        let path = store.path(hash);
        let open = || match File::open(&path) {
            Ok(file) => Ok(file),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(BlobError::NotFound(hash)),
            Err(error) => Err(BlobError::disk("open", &path)(error)),
        };
        // If the blob is replaced between the two, both halves are still halves of the same blob.
        let (content, mut tree) = (open()?, open()?);
        let file_len = content.metadata().map_err(BlobError::disk("look at", &path))?.len();
        let len = layout::content_len(file_len).ok_or(BlobError::Damaged(hash))?;

        // Never give bao a length we did not check: it believes it until the last chunk.
        let mut recorded = [0; 8];
        tree.seek(SeekFrom::Start(len))
            .and_then(|_| tree.read_exact(&mut recorded))
            .and_then(|()| tree.seek(SeekFrom::Start(len)))
            .map_err(BlobError::disk("read", &path))?;
        if u64::from_le_bytes(recorded) != len {
            return Err(BlobError::Damaged(hash));
        }
        let tree = BufReader::new(Tree { file: tree, start: len });
        Ok(Self { content: BufReader::with_capacity(64 << 10, content), tree, len })
    }
}

/// The second part of the file, as if it were a file of its own.
pub(crate) struct Tree {
    file: File,
    start: u64,
}

impl Read for Tree {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Seek for Tree {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(offset) => SeekFrom::Start(self.start + offset),
            other => other,
        };
        self.file.seek(to)?.checked_sub(self.start).ok_or_else(|| ErrorKind::InvalidInput.into())
    }
}
