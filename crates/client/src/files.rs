//! Files that hold all of what was written, or what they held before.

use crate::units;
use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

/// Why a file could not be written. What it held before is still there.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}\nhint: choose a place you may write to", path.display())]
pub struct NotWritten {
    path: PathBuf,
    source: io::Error,
}

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NotRead {
    #[error("cannot read {}\nhint: check the name and who may read it", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} is {what}, not a file\nhint: name a file; what comes out of a pipe can be saved in one first", path.display())]
    NoFile { path: PathBuf, what: &'static str },
    #[error("{} is longer than {}\nhint: give large data as several files", path.display(), units::bytes((*max).into()))]
    TooLong { path: PathBuf, max: u64 },
}

/// The content of a plain file. A pipe might never end, and a device has no end: they are refused by name, except for
/// `/dev/null`, which is empty.
///
/// # Errors
/// [`NotRead`]; no more than `max` bytes are read.
pub fn read_plain(path: &Path, max: u64) -> Result<Vec<u8>, NotRead> {
    let unreadable = |source| NotRead::Unreadable { path: path.to_owned(), source };
    if path == Path::new("/dev/null") {
        return Ok(Vec::new());
    }
    // Before it is opened: to open a pipe that nobody writes to takes for ever.
    let found = fs::metadata(path).map_err(unreadable)?;
    if !found.is_file() {
        let what = kind(&found.file_type());
        return Err(NotRead::NoFile { path: path.to_owned(), what });
    }
    let mut bytes = Vec::new();
    if found.len() <= max {
        let file = fs::File::open(path).map_err(unreadable)?;
        file.take(max.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    }
    if found.len().max(bytes.len() as u64) > max {
        return Err(NotRead::TooLong { path: path.to_owned(), max });
    }
    Ok(bytes)
}

/// What something is that is no file.
fn kind(found: &fs::FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if found.is_fifo() {
            return "a pipe";
        }
        if found.is_char_device() || found.is_block_device() {
            return "a device";
        }
        if found.is_socket() {
            return "a socket";
        }
    }
    if found.is_dir() { "a folder" } else { "something else" }
}

/// Write `bytes` so that `path` holds all of them or what it held before. Folders on the way are made.
///
/// `secret`: nobody but the owner may read the file.
///
/// # Errors
/// [`NotWritten`], for instance because the disk is full.
pub fn write_whole(path: &Path, bytes: &[u8], secret: bool) -> Result<(), NotWritten> {
    replace(path, bytes, secret).map_err(|source| NotWritten { path: path.to_owned(), source })
}

/// See to it that a file could be written to `path`: asked before something is paid for that would be lost otherwise.
/// The folder is made, as [`write_whole`] would.
///
/// # Errors
/// [`NotWritten`].
pub fn could_write(path: &Path) -> Result<(), NotWritten> {
    let tried = match path.is_dir() {
        true => Err(io::ErrorKind::IsADirectory.into()),
        false => beside(path).map(drop),
    };
    tried.map_err(|source| NotWritten { path: path.to_owned(), source })
}

/// The same of new files in `folder`, whatever is in it already.
///
/// # Errors
/// [`NotWritten`].
pub fn could_write_in(folder: &Path) -> Result<(), NotWritten> {
    new_in(folder).map(drop).map_err(|source| NotWritten { path: folder.to_owned(), source })
}

/// A new file in the folder of `path`: a rename is one step only within one file system.
fn beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    new_in(folder.unwrap_or(Path::new(".")))
}

fn new_in(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    fs::create_dir_all(folder)?;
    tempfile::NamedTempFile::new_in(folder)
}

fn replace(path: &Path, bytes: &[u8], secret: bool) -> io::Result<()> {
    let mut file = beside(path)?;
    file.write_all(bytes)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Before the file has its name: others cannot open a secret in between.
        let mode = if secret { 0o600 } else { 0o644 };
        file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
    }
    // Before the rename, or a power cut could leave the new name with nothing behind it.
    file.as_file().sync_all()?;
    // A rename is one step for everybody who reads.
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_a_secret_is_its_owners() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/folder/file");
        write_whole(&path, b"first", false).unwrap();
        write_whole(&path, b"second", true).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left");
    }

    #[test]
    fn only_plain_files_are_read_and_no_more_of_them_than_is_wanted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        write_whole(&path, b"12345", false).unwrap();
        assert_eq!(read_plain(&path, 5).unwrap(), b"12345");
        let refused = |path: &Path| read_plain(path, 4).unwrap_err().to_string();
        assert!(refused(&path).contains("file is longer than 4 B\nhint: give large data"));
        assert!(refused(dir.path()).contains(" is a folder, not a file\nhint: name a file"));
        assert!(refused(&dir.path().join("x")).contains("hint: check the name"));
        #[cfg(unix)]
        {
            assert!(refused(Path::new("/dev/zero")).contains("/dev/zero is a device"));
            assert_eq!(read_plain(Path::new("/dev/null"), 0).unwrap(), b"");
        }
    }

    #[test]
    fn a_place_that_is_no_folder_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        write_whole(&file, b"kept", false).unwrap();
        let refused = write_whole(&file.join("below"), b"lost", false).unwrap_err();
        assert!(refused.to_string().contains("file/below"), "{refused}");
        assert_eq!(fs::read(&file).unwrap(), b"kept");
    }
}
