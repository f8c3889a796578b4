//! Files that hold all of what was written, or what they held before.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Why a file could not be written. What it held before is still there.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}\nhint: choose a place you may write to", path.display())]
pub struct NotWritten {
    path: PathBuf,
    source: io::Error,
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
    fn a_place_that_is_no_folder_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        write_whole(&file, b"kept", false).unwrap();
        let refused = write_whole(&file.join("below"), b"lost", false).unwrap_err();
        assert!(refused.to_string().contains("file/below"), "{refused}");
        assert_eq!(fs::read(&file).unwrap(), b"kept");
    }
}
