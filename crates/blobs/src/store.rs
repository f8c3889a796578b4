//! The store: a directory of blobs, how much is in it, and who may write there.

use crate::{BlobError, BlobRef, layout};
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, atomic::AtomicU64};
use types::Hash;

/// What the operator decides about a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// Bytes the store may take on disk, trees (a sixteenth) and half-written blobs included.
    /// Usual: 10 GiB. Below 70 MiB the longest blob does not fit; above the disk's free space the
    /// disk is what says no.
    pub bytes_max: u64,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { bytes_max: 10 << 30 }
    }
}

/// A directory of blobs. Clones share it; one process at a time has it.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub dir: PathBuf,
    pub bytes_max: u64,
    /// Bytes in blobs and in half-written files. Held while a name comes or goes, so that size and
    /// directory change together.
    pub bytes_used: Mutex<u64>,
    pub temp_next: AtomicU64,
    /// Hashes that [`Store::keep`] is writing now, and the signal that one of them is done.
    pub keeping: Mutex<BTreeSet<Hash>>,
    pub kept: Condvar,
    /// Locked as long as it is open; the system unlocks it when the process dies, however it dies.
    _lock: File,
}

pub(crate) const TEMP_PREFIX: &str = "tmp-";
const BLOB_SUFFIX: &str = ".blob";

impl Store {
    /// Open or create the store in `dir`, with the usual [`StoreConfig`].
    ///
    /// # Errors
    /// As [`Store::open_with`].
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, BlobError> {
        Self::open_with(dir, StoreConfig::default())
    }

    /// Open or create the store in `dir`, and remove what a dead process left half-written. Files
    /// that are not ours are left alone.
    ///
    /// # Errors
    /// [`BlobError::Unwritable`], [`BlobError::InUse`], [`BlobError::Disk`].
    pub fn open_with(dir: impl AsRef<Path>, config: StoreConfig) -> Result<Self, BlobError> {
        let dir = dir.as_ref().to_path_buf();
        let lock = lock(&dir)?;
        let bytes_used = tidy(&dir)?;
        let inner = Inner {
            dir,
            bytes_max: config.bytes_max,
            bytes_used: Mutex::new(bytes_used),
            temp_next: AtomicU64::new(0),
            keeping: Mutex::default(),
            kept: Condvar::new(),
            _lock: lock,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whether a blob of this name is here. Says nothing of its health: reading does.
    pub fn contains(&self, hash: Hash) -> bool {
        self.inner.path(hash).is_file()
    }

    /// Every blob here, by hash in ascending order, damaged ones included unless their length shows it.
    ///
    /// # Errors
    /// [`BlobError::Disk`].
    pub fn list(&self) -> Result<Vec<BlobRef>, BlobError> {
        let mut blobs = vec![];
        for entry in entries(&self.inner.dir)? {
            if let Entry::Blob(hash, file_len) = entry?
                && let Some(len) = layout::content_len(file_len)
            {
                blobs.push(BlobRef { hash, len });
            }
        }
        blobs.sort();
        Ok(blobs)
    }

    /// Forget a blob. Its readers can read on.
    ///
    /// # Errors
    /// [`BlobError::NotFound`], [`BlobError::Disk`].
    pub fn remove(&self, hash: Hash) -> Result<(), BlobError> {
        let path = self.inner.path(hash);
        let mut bytes_used = self.inner.bytes_used();
        let Some(len) = size_of(&path)? else { return Err(BlobError::NotFound(hash)) };
        fs::remove_file(&path).map_err(BlobError::disk("remove", &path))?;
        *bytes_used = bytes_used.saturating_sub(len);
        drop(bytes_used);
        self.inner.sync_dir()
    }

    /// Bytes taken on disk, trees and half-written blobs included.
    pub fn bytes_used(&self) -> u64 {
        *self.inner.bytes_used()
    }
}

impl Inner {
    pub fn path(&self, hash: Hash) -> PathBuf {
        self.dir.join(format!("{hash}{BLOB_SUFFIX}"))
    }

    pub fn bytes_used(&self) -> MutexGuard<'_, u64> {
        self.bytes_used.lock().expect("nothing panics while counting")
    }

    /// Make names that came or went survive a power cut.
    pub fn sync_dir(&self) -> Result<(), BlobError> {
        // Windows has no such call for directories; its renames are journalled.
        if cfg!(unix) {
            File::open(&self.dir)
                .and_then(|dir| dir.sync_all())
                .map_err(BlobError::disk("sync", &self.dir))?;
        }
        Ok(())
    }
}

/// Make the directory, prove that we can write in it, and keep everybody else out.
fn lock(dir: &Path) -> Result<File, BlobError> {
    let unwritable = |source| BlobError::Unwritable { dir: dir.into(), source };
    fs::create_dir_all(dir).map_err(unwritable)?;
    let options = OpenOptions::new().create(true).truncate(false).write(true).clone();
    let lock = options.open(dir.join("lock")).map_err(unwritable)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(BlobError::InUse { dir: dir.into() }),
        Err(TryLockError::Error(source)) => return Err(unwritable(source)),
    }
    // An old lock file may be writable where a new file is not. The name makes it a leftover.
    options.open(dir.join(format!("{TEMP_PREFIX}probe"))).map_err(unwritable)?;
    Ok(lock)
}

/// Remove leftovers; the bytes all blobs take.
fn tidy(dir: &Path) -> Result<u64, BlobError> {
    let mut bytes_used = 0;
    for entry in entries(dir)? {
        match entry? {
            Entry::Leftover(path) => {
                fs::remove_file(&path).map_err(BlobError::disk("remove", &path))?
            }
            Entry::Blob(_, len) => bytes_used += len,
            Entry::NotOurs => {}
        }
    }
    Ok(bytes_used)
}

enum Entry {
    Leftover(PathBuf),
    Blob(Hash, u64),
    NotOurs,
}

fn entries(dir: &Path) -> Result<impl Iterator<Item = Result<Entry, BlobError>>, BlobError> {
    let listed = fs::read_dir(dir).map_err(BlobError::disk("list", dir))?;
    Ok(listed.map(move |entry| {
        let entry = entry.map_err(BlobError::disk("list", dir))?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { return Ok(Entry::NotOurs) };
        if name.starts_with(TEMP_PREFIX) {
            return Ok(Entry::Leftover(entry.path()));
        }
        let Some(hash) = name.strip_suffix(BLOB_SUFFIX).and_then(|hex| hex.parse::<Hash>().ok())
        else {
            return Ok(Entry::NotOurs);
        };
        // Another spelling of a hash is not the name we would look under.
        if name != format!("{hash}{BLOB_SUFFIX}") {
            return Ok(Entry::NotOurs);
        }
        // `None`: removed since it was listed.
        Ok(size_of(&entry.path())?.map_or(Entry::NotOurs, |len| Entry::Blob(hash, len)))
    }))
}

/// The file's length, or `None` if there is no such file.
pub(crate) fn size_of(path: &Path) -> Result<Option<u64>, BlobError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(BlobError::disk("look at", path)(error)),
    }
}
