//! Putting: stream content into a temporary file, hash it on the way, then rename.

use crate::store::{Inner, TEMP_PREFIX, size_of};
use crate::{BLOB_BYTES_MAX, BlobError, BlobRef, Store, layout};
use bao::encode::Encoder;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Cursor, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use types::Hash;

/// How much is read, and written, at a time.
const BUFFER_BYTES: usize = 64 << 10;

impl Store {
    /// Store all that `reader` gives, under the hash it turns out to have.
    ///
    /// Takes at most 5 MiB of memory, of which 4 MiB for the tree of the longest blob. When this
    /// returns, the blob survives a power cut. A blob that is already here is written afresh, which
    /// mends it if it was damaged. At most one byte more than [`BLOB_BYTES_MAX`] is asked for, in
    /// reads of 64 KiB.
    ///
    /// # Errors
    /// [`BlobError::TooLong`], [`BlobError::Full`], [`BlobError::Source`], [`BlobError::Disk`]; the
    /// store is then as it was.
    pub fn put(&self, reader: impl Read) -> Result<BlobRef, BlobError> {
        self.put_checked(None, from(reader))
    }

    /// Store `bytes` unless they are here already, undamaged. Several who keep the same bytes at the same
    /// time write them once: making a file durable costs far more than hashing or reading a small one.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub fn keep(&self, bytes: &[u8]) -> Result<BlobRef, BlobError> {
        let hash = Hash::of_content(bytes);
        let locked = || self.inner.keeping.lock().expect("nothing panics while it is held");
        loop {
            if self.contains(hash) && self.get(hash).is_ok_and(|kept| kept == bytes) {
                return Ok(BlobRef { hash, len: bytes.len() as u64 });
            }
            let mut keeping = locked();
            if keeping.insert(hash) {
                break;
            }
            // Another is at it. Look again when it is done, even if it failed.
            while keeping.contains(&hash) {
                keeping = self.inner.kept.wait(keeping).expect("nothing panics while it is held");
            }
        }
        let put = self.put(bytes);
        locked().remove(&hash);
        self.inner.kept.notify_all();
        put
    }

    /// As [`put`](Self::put), but only if the content's hash is `hash`.
    ///
    /// # Errors
    /// [`BlobError::WrongHash`] besides those of [`put`](Self::put). The content is read to its end
    /// first: from someone untrusted, prefer [`put_encoded`](Self::put_encoded).
    pub fn put_expected(&self, hash: Hash, reader: impl Read) -> Result<BlobRef, BlobError> {
        self.put_checked(Some(hash), from(reader))
    }

    /// `next` fills a buffer and says how far; 0 is the end.
    pub(crate) fn put_checked(
        &self,
        expected: Option<Hash>,
        mut next: impl FnMut(&mut [u8]) -> Result<usize, BlobError>,
    ) -> Result<BlobRef, BlobError> {
        let mut incoming = Incoming::begin(&self.inner)?;
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            match next(&mut buffer)? {
                0 => return incoming.finish(expected),
                n => incoming.push(&buffer[..n])?,
            }
        }
    }
}

fn from(mut reader: impl Read) -> impl FnMut(&mut [u8]) -> Result<usize, BlobError> {
    // One byte too many tells "too long" from "exactly as long as allowed".
    let mut left = BLOB_BYTES_MAX + 1;
    move |buffer| {
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        loop {
            match reader.read(&mut buffer[..most]) {
                Ok(n) => {
                    left -= n as u64;
                    return Ok(n);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(BlobError::Source(error)),
            }
        }
    }
}

/// A blob on its way in. Dropped before the end, it takes its file and its bytes back.
struct Incoming<'a> {
    store: &'a Inner,
    path: PathBuf,
    file: BufWriter<File>,
    tree: Encoder<Cursor<Vec<u8>>>,
    len: u64,
    bytes_reserved: u64,
    in_place: bool,
}

impl<'a> Incoming<'a> {
    fn begin(store: &'a Inner) -> Result<Self, BlobError> {
        let number = store.temp_next.fetch_add(1, Ordering::Relaxed);
        let path = store.dir.join(format!("{TEMP_PREFIX}{number}"));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(BlobError::disk("create", &path))?;
        let file = BufWriter::with_capacity(BUFFER_BYTES, file);
        let tree = Encoder::new_outboard(Cursor::new(vec![]));
        Ok(Self { store, path, file, tree, len: 0, bytes_reserved: 0, in_place: false })
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        let len = self.len + bytes.len() as u64;
        if len > BLOB_BYTES_MAX {
            return Err(BlobError::TooLong);
        }
        self.write(bytes)?;
        self.tree.write_all(bytes).expect("a tree in memory takes what it is given");
        self.len = len;
        Ok(())
    }

    fn finish(mut self, expected: Option<Hash>) -> Result<BlobRef, BlobError> {
        let actual =
            Hash(*self.tree.finalize().expect("a tree in memory can be read back").as_bytes());
        if let Some(expected) = expected
            && expected != actual
        {
            return Err(BlobError::WrongHash { expected, actual });
        }
        let empty = Encoder::new_outboard(Cursor::new(vec![]));
        let tree = std::mem::replace(&mut self.tree, empty).into_inner().into_inner();
        assert_eq!(tree.len() as u64, layout::tree_len(self.len), "bao's sizes hold");
        self.write(&tree)?;
        assert_eq!(self.bytes_reserved, layout::file_len(self.len), "every byte was accounted for");
        self.file
            .flush()
            .and_then(|()| self.file.get_ref().sync_all())
            .map_err(BlobError::disk("write", &self.path))?;
        self.put_in_place(actual)?;
        Ok(BlobRef { hash: actual, len: self.len })
    }

    fn put_in_place(&mut self, hash: Hash) -> Result<(), BlobError> {
        let path = self.store.path(hash);
        let mut bytes_used = self.store.bytes_used();
        let replaced = size_of(&path)?.unwrap_or(0);
        fs::rename(&self.path, &path).map_err(BlobError::disk("move into place", &path))?;
        self.in_place = true;
        // Saturating: someone may have lengthened the file behind our back.
        *bytes_used = bytes_used.saturating_sub(replaced);
        drop(bytes_used);
        self.store.sync_dir()
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.reserve(bytes.len() as u64)?;
        self.file.write_all(bytes).map_err(BlobError::disk("write", &self.path))
    }

    fn reserve(&mut self, bytes_needed: u64) -> Result<(), BlobError> {
        let bytes_max = self.store.bytes_max;
        let mut bytes_used = self.store.bytes_used();
        if bytes_used.saturating_add(bytes_needed) > bytes_max {
            return Err(BlobError::Full { bytes_used: *bytes_used, bytes_max, bytes_needed });
        }
        *bytes_used += bytes_needed;
        self.bytes_reserved += bytes_needed;
        Ok(())
    }
}

impl Drop for Incoming<'_> {
    fn drop(&mut self) {
        if !self.in_place {
            // If this fails, the next open removes it.
            let _ = fs::remove_file(&self.path);
            *self.store.bytes_used() -= self.bytes_reserved;
        }
    }
}
