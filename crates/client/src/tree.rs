//! A folder of this machine, read as a tree of files: what a job is given, or what it is said to have left.

use crate::units;
use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// Deepest folder that is read. A path that a job may be given or leave has no more parts.
const DEPTH_MAX: usize = 255;

/// How much one tree may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeBounds {
    /// Most files.
    pub files: usize,
    /// Most bytes in all files together.
    pub bytes: u64,
}

/// Why a folder cannot be read as a tree of files.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum BadTree {
    #[error("cannot read {}\nhint: check the name and who may read it", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "{} is {what}, which a job cannot be given\nhint: copy what it stands for, or leave it out", path.display()
    )]
    Kind { path: PathBuf, what: &'static str },
    #[error("the name {path:?} is not UTF-8\nhint: rename it")]
    Name { path: PathBuf },
    #[error("the path {} is longer than the {max} bytes that a path under /out may have", path.display())]
    Path { path: PathBuf, max: usize },
    #[error("{} has more than {max} files\nhint: pack them into one file", path.display())]
    Files { path: PathBuf, max: usize },
    #[error("{} has more than {} in its files\nhint: give the job less of it", path.display(), units::bytes((*max).into()))]
    Bytes { path: PathBuf, max: u64 },
    #[error("{} lies in more than {DEPTH_MAX} folders", path.display())]
    Depth { path: PathBuf },
}

/// All files below `root`, by their paths with `/` between folders, in the order of the paths' bytes. Empty folders are
/// left out.
///
/// # Errors
/// [`BadTree`]; nothing is read beyond `bounds`.
pub fn read_tree(root: &Path, bounds: TreeBounds) -> Result<Vec<(String, Vec<u8>)>, BadTree> {
    let mut files = Vec::new();
    let mut left = bounds.bytes;
    let mut folders = vec![(root.to_owned(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        if depth > DEPTH_MAX {
            return Err(BadTree::Depth { path: folder });
        }
        let unread = |source| BadTree::Read { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(unread)? {
            let entry = entry.map_err(unread)?;
            let path = entry.path();
            let Ok(name) = entry.file_name().into_string() else {
                return Err(BadTree::Name { path });
            };
            let kind = entry.file_type().map_err(unread)?;
            let full = format!("{prefix}{name}");
            if kind.is_dir() {
                folders.push((path, format!("{full}/"), depth + 1));
            } else if kind.is_file() {
                if files.len() == bounds.files {
                    return Err(BadTree::Files { path: root.to_owned(), max: bounds.files });
                }
                let Some(bytes) = read_file(&path, left)? else {
                    return Err(BadTree::Bytes { path: root.to_owned(), max: bounds.bytes });
                };
                left -= bytes.len() as u64;
                files.push((full, bytes));
            } else {
                let what = if kind.is_symlink() { "a symbolic link" } else { "no ordinary file" };
                return Err(BadTree::Kind { path, what });
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// The file's bytes, or nothing if there are more than `max`.
fn read_file(path: &Path, max: u64) -> Result<Option<Vec<u8>>, BadTree> {
    let unread = |source| BadTree::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(unread)?;
    file.take(max.saturating_add(1)).read_to_end(&mut bytes).map_err(unread)?;
    Ok((bytes.len() as u64 <= max).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: TreeBounds = TreeBounds { files: 3, bytes: 10 };

    fn tree(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        dir
    }

    #[test]
    fn files_come_by_their_paths() {
        let dir = tree(&[("b", b"2"), ("a/x/y", b"1"), ("a.b", b"")]);
        fs::create_dir(dir.path().join("empty")).unwrap();
        let files = read_tree(dir.path(), BOUNDS).unwrap();
        let expected = [("a.b", &b""[..]), ("a/x/y", b"1"), ("b", b"2")];
        assert_eq!(files, expected.map(|(path, bytes)| (path.to_owned(), bytes.to_vec())));
    }

    #[test]
    fn bounds_hold() {
        let four = tree(&[("a", b""), ("b", b""), ("c", b""), ("d", b"")]);
        assert!(matches!(read_tree(four.path(), BOUNDS), Err(BadTree::Files { max: 3, .. })));
        let long = tree(&[("a", b"12345"), ("b", b"123456")]);
        assert!(matches!(read_tree(long.path(), BOUNDS), Err(BadTree::Bytes { max: 10, .. })));
        let deep = tree(&[]);
        fs::create_dir_all(deep.path().join("d/".repeat(300))).unwrap();
        assert!(matches!(read_tree(deep.path(), BOUNDS), Err(BadTree::Depth { .. })));
        assert!(matches!(read_tree(Path::new("/nowhere"), BOUNDS), Err(BadTree::Read { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn links_and_odd_names_are_refused_by_name() {
        use std::os::unix::ffi::OsStrExt as _;
        let dir = tree(&[("a", b"1")]);
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("link")).unwrap();
        let refused = read_tree(dir.path(), BOUNDS).unwrap_err().to_string();
        assert!(refused.contains("link is a symbolic link"), "{refused}");
        let odd = tree(&[]);
        fs::write(odd.path().join(std::ffi::OsStr::from_bytes(b"\xff")), b"").unwrap();
        assert!(matches!(read_tree(odd.path(), BOUNDS), Err(BadTree::Name { .. })));
    }
}
