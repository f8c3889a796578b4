//! A node's folder: held by one process at a time, of a version this program understands.
//!
//! ```text
//! DIR/lock     who holds it: the process id, and a lock the system drops with the process
//! DIR/format   the version of what lies beside it
//! DIR/chains   consensus, state, and this node's shares of the chains' keys: its owner's alone
//! DIR/blobs    modules, inputs, outputs
//! ```

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

/// The version this program writes. It reads this one only: an older program must not guess at newer
/// data, and what versions 1 to 3 hold was never released.
const FORMAT: u32 = 5;

/// Less free space than this is no place to start: a validator that cannot write must stop.
pub const FREE_BYTES_MIN: u64 = 64 << 20;

/// A folder this process holds until it drops this.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    // The lock lasts as long as the file is open.
    _lock: File,
}

/// Why a folder cannot be used. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum BadFolder {
    #[error("{} is in use by process {holder}\nhint: stop that process, or choose another folder with {option}", path.display())]
    InUse { path: PathBuf, holder: String, option: &'static str },
    #[error("cannot write to {}: {source}\nhint: check its owner, and that its disk is neither full nor mounted read-only", path.display())]
    NotWritable { path: PathBuf, source: std::io::Error },
    #[error("{} holds data of format {found}; this program knows format {FORMAT}\nhint: use the version of meshx that wrote it", path.display())]
    Format { path: PathBuf, found: String },
    #[error("{} has {free} bytes left on its disk, a node needs {FREE_BYTES_MIN} to start\nhint: make room, or choose another folder with {option}", path.display())]
    Full { path: PathBuf, free: u64, option: &'static str },
}

impl Folder {
    /// Make `path` if need be, and hold it. `option` is what names it for a user, such as `--dir`.
    ///
    /// # Errors
    /// [`BadFolder`].
    pub fn open(path: &Path, option: &'static str) -> Result<Self, BadFolder> {
        let failed = |source| BadFolder::NotWritable { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(failed)?;
        // First of all: two processes in one folder could vote twice with one key.
        let lock = hold(path, option)?;
        if let Some(free) = free_bytes(path)
            && free < FREE_BYTES_MIN
        {
            return Err(BadFolder::Full { path: path.to_owned(), free, option });
        }
        let format = path.join("format");
        match fs::read(&format) {
            Ok(bytes) if bytes.trim_ascii() == FORMAT.to_string().as_bytes() => {}
            Ok(bytes) => {
                let found = String::from_utf8_lossy(bytes.trim_ascii()).chars().take(20).collect();
                return Err(BadFolder::Format { path: path.to_owned(), found });
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                fs::write(&format, format!("{FORMAT}\n")).map_err(failed)?;
            }
            Err(error) => return Err(failed(error)),
        }
        keep_private(&path.join("chains")).map_err(failed)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// The folder, as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Make `path` if need be, and close it to everybody but its owner.
fn keep_private(path: &Path) -> std::io::Result<()> {
    fs::create_dir_all(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Lock `path/lock` and write our process id into it, for a process that finds it locked.
/// How old a folder without a lock must be: a process that has just made it is about to lock it.
const UNLOCKED_MIN: Duration = Duration::from_secs(60);

impl Folder {
    /// Whether a process that has ended left this folder behind.
    pub(crate) fn is_abandoned(path: &Path) -> bool {
        match OpenOptions::new().read(true).write(true).open(path.join("lock")) {
            Ok(lock) => path.join("format").is_file() && lock.try_lock().is_ok(),
            Err(_) => {
                let empty = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
                let made = fs::metadata(path).and_then(|found| found.modified());
                let old = made.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > UNLOCKED_MIN));
                empty && old
            }
        }
    }
}

fn hold(path: &Path, option: &'static str) -> Result<File, BadFolder> {
    let failed = |source| BadFolder::NotWritable { path: path.to_owned(), source };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        // The id in it is that of the lock's holder, and is to be read if that is not us.
        .truncate(false)
        .open(path.join("lock"))
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // The holder may not have written its id yet.
            let _ = file.read_to_string(&mut holder);
            let holder = match holder.trim() {
                "" => "an unknown id".to_owned(),
                id => id.to_owned(),
            };
            return Err(BadFolder::InUse { path: path.to_owned(), holder, option });
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let written = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    written.map_err(failed)?;
    Ok(file)
}

/// Free bytes on the disk of `path`; `None` where the system does not say.
pub fn free_bytes(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    stat.f_bavail.checked_mul(stat.f_frsize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_holds_is_abandoned() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!Folder::is_abandoned(folder.path()), "it was made just now");
        let held = Folder::open(folder.path(), "--data").unwrap();
        assert!(!Folder::is_abandoned(folder.path()));
        drop(held);
        assert!(Folder::is_abandoned(folder.path()));
        std::fs::remove_file(folder.path().join("format")).unwrap();
        assert!(!Folder::is_abandoned(folder.path()), "it is not one of ours");
    }

    #[test]
    fn a_folder_is_held_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let held = Folder::open(folder.path(), "--dir").unwrap();
        let refused = Folder::open(folder.path(), "--dir").unwrap_err();
        assert!(
            matches!(&refused, BadFolder::InUse { holder, .. } if *holder == std::process::id().to_string()),
            "{refused}"
        );
        drop(held);
        Folder::open(folder.path(), "--dir").unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_what_a_validator_signs_with() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let chains = folder.path().join("chains");
        fs::create_dir(&chains).unwrap();
        fs::set_permissions(&chains, fs::Permissions::from_mode(0o755)).unwrap();
        Folder::open(folder.path(), "--dir").unwrap();
        assert_eq!(fs::metadata(&chains).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn newer_and_older_data_is_refused() {
        for version in [FORMAT + 1, FORMAT - 1].map(|version| version.to_string()) {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("format"), format!("{version}\n")).unwrap();
            let refused = Folder::open(folder.path(), "--dir").unwrap_err();
            let known = matches!(&refused, BadFolder::Format { found, .. } if *found == version);
            assert!(known, "{refused}");
        }
    }

    #[test]
    fn a_damaged_format_is_refused_as_one_that_is_not_known() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("format"), [b'1' | 0x80, b'\n']).unwrap();
        assert!(matches!(Folder::open(folder.path(), "--dir"), Err(BadFolder::Format { .. })));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(Folder::open(&file, "--dir"), Err(BadFolder::NotWritable { .. })));
    }
}
