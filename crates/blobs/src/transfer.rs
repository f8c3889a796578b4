//! Transfer: a blob with its tree between the chunks, so that a receiver can check as it goes.

use crate::read::{Files, is_damage};
use crate::{BLOB_BYTES_MAX, BlobError, BlobRef, Store};
use bao::decode::Decoder;
use bao::encode::SliceExtractor;
use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind, Read, Write};
use types::Hash;

impl Store {
    /// Write a blob's combined encoding: its length, then tree nodes and chunks in reading order, a
    /// sixteenth longer than the content. Each piece is verified before it is sent, so that a rotten
    /// disk does not make us a liar. Small writes: give it a buffered writer.
    ///
    /// # Errors
    /// [`BlobError::NotFound`], [`BlobError::Damaged`], [`BlobError::Sink`], [`BlobError::Disk`];
    /// what was written until then is a good beginning.
    pub fn encode(&self, hash: Hash, mut writer: impl Write) -> Result<(), BlobError> {
        let Files { content, tree, len } = Files::open(&self.inner, hash)?;
        let seen = RefCell::new(vec![]);
        let encoding =
            Tee { source: SliceExtractor::new_outboard(content, tree, 0, len), seen: &seen };
        let mut decoder = Decoder::new(encoding, &blake3::Hash::from_bytes(hash.0));
        let mut chunk = [0; 1024];
        loop {
            let n = decoder.read(&mut chunk).map_err(|error| match is_damage(&error) {
                true => BlobError::Damaged(hash),
                false => BlobError::disk("read", &self.inner.path(hash))(error),
            })?;
            // All that the decoder has taken in up to here is verified now.
            writer.write_all(&seen.borrow()).map_err(BlobError::Sink)?;
            seen.borrow_mut().clear();
            if n == 0 {
                return writer.flush().map_err(BlobError::Sink);
            }
        }
    }

    /// Store the blob `hash` from the encoding that [`encode`](Self::encode) wrote elsewhere.
    ///
    /// Nothing is believed: each chunk is verified as it arrives, reading stops at the first one
    /// that is wrong, and never goes beyond the end of the encoding. Small reads: give it a buffered
    /// reader, if what follows on the wire may be swallowed by that.
    ///
    /// # Errors
    /// [`BlobError::BadChunk`], [`BlobError::Truncated`], [`BlobError::TooLong`] (said before
    /// anything is read but the length), and those of [`put`](Self::put).
    pub fn put_encoded(&self, hash: Hash, reader: impl Read) -> Result<BlobRef, BlobError> {
        let failure = Cell::new(None);
        let mut reader = Watched { reader, failure: &failure };
        let blame = |error: io::Error, offset| match failure.take() {
            Some(source) => BlobError::Source(source),
            None if error.kind() == ErrorKind::UnexpectedEof => {
                BlobError::Truncated { hash, offset }
            }
            None => BlobError::BadChunk { hash, offset },
        };
        let mut header = [0; 8];
        reader.read_exact(&mut header).map_err(|error| blame(error, 0))?;
        if u64::from_le_bytes(header) > BLOB_BYTES_MAX {
            return Err(BlobError::TooLong);
        }
        let mut decoder = Decoder::new(header.chain(reader), &blake3::Hash::from_bytes(hash.0));
        let mut offset = 0;
        self.put_checked(Some(hash), |buffer| {
            let n = decoder.read(buffer).map_err(|error| blame(error, offset))?;
            offset += n as u64;
            Ok(n)
        })
    }
}

/// Keeps a copy of what is read through it.
struct Tee<'a, R> {
    source: R,
    seen: &'a RefCell<Vec<u8>>,
}

impl<R: Read> Read for Tee<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.source.read(buffer)?;
        self.seen.borrow_mut().extend_from_slice(&buffer[..n]);
        Ok(n)
    }
}

/// Keeps the reader's own failure apart from what bao makes of it: a broken connection is not a lie.
struct Watched<'a, R> {
    reader: R,
    failure: &'a Cell<Option<io::Error>>,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer).map_err(|error| {
            let kind = error.kind();
            // `read_exact` tries again after an interruption; that is no failure.
            if kind != ErrorKind::Interrupted {
                self.failure.set(Some(error));
            }
            kind.into()
        })
    }
}
