//! A folder of files as one blob: an index of paths and lengths, then the files' bytes in the same order.
//!
//! A job names such a blob by a name that ends with `/`: `data/` is unpacked as `/in/data`, and `./` as `/in` itself. A
//! tree of thousands of files is one entry of the job, one hash, and one transfer.
//!
//! ```
//! use types::folder::{pack, unpack};
//! let files = vec![("b".to_owned(), b"22".to_vec()), ("a/x".to_owned(), b"1".to_vec())];
//! let bytes = pack(files).unwrap();
//! assert_eq!(unpack(&bytes).unwrap(), [("a/x".to_owned(), &b"1"[..]), ("b".to_owned(), &b"22"[..])]);
//! ```

use crate::{
    List, Text, Wire,
    codec::{Encode as _, ReadExt as _},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Most files in one folder, over all folders in it. A worker makes an entry for each before the run.
pub const FOLDER_FILES_MAX: usize = 16_384;
/// Longest path of a file in a folder, in bytes.
pub const FOLDER_PATH_BYTES_MAX: usize = 255;

/// Longest index, in bytes: a length, a path and two numbers for each file.
const INDEX_BYTES_MAX: usize = FOLDER_FILES_MAX * (FOLDER_PATH_BYTES_MAX + 16) + 16;

/// What stands before the bytes of a packed folder, in the order of the paths' bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct FolderIndex {
    /// Each path once.
    pub files: List<FolderFile, FOLDER_FILES_MAX>,
}

/// One file of a packed folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct FolderFile {
    /// Its path below the folder, with `/` between folders.
    pub path: Text<FOLDER_PATH_BYTES_MAX>,
    /// Its length in bytes.
    pub len: u64,
}

/// Why files are no folder, or bytes are no packed one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum BadFolder {
    #[error("it has more than {FOLDER_FILES_MAX} files")]
    TooMany,
    #[error("the path {0:?} has more than {FOLDER_PATH_BYTES_MAX} bytes")]
    TooLong(String),
    #[error("a path in it is empty, appears twice, or leads out of it")]
    Paths,
    #[error("its bytes are damaged")]
    Damaged,
}

/// The bytes of a folder. The order of `files` does not matter.
///
/// # Errors
/// [`BadFolder`].
pub fn pack(mut files: Vec<(String, Vec<u8>)>) -> Result<Vec<u8>, BadFolder> {
    files.sort_unstable();
    if !are_below(files.iter().map(|(path, _)| path.as_str())) {
        return Err(BadFolder::Paths);
    }
    let indexed = |(path, bytes): &(String, Vec<u8>)| {
        let text = Text::new(path.clone()).map_err(|_| BadFolder::TooLong(path.clone()))?;
        Ok(FolderFile { path: text, len: bytes.len() as u64 })
    };
    let indexed = files.iter().map(indexed).collect::<Result<_, _>>()?;
    let index = FolderIndex { files: List::new(indexed).map_err(|_| BadFolder::TooMany)? };
    let mut packed = index.encode().to_vec();
    for (_, bytes) in &files {
        packed.extend_from_slice(bytes);
    }
    Ok(packed)
}

/// The files of a packed folder: path and bytes of each.
///
/// # Errors
/// [`BadFolder`].
pub fn unpack(packed: &[u8]) -> Result<Vec<(String, &[u8])>, BadFolder> {
    // Only what may be the index is copied to be read.
    let head = packed.len().min(INDEX_BYTES_MAX);
    let mut reader = Bytes::copy_from_slice(packed.get(..head).unwrap_or_default());
    let index = FolderIndex::read(&mut reader).map_err(|_| BadFolder::Damaged)?;
    let mut rest = packed.get(head - reader.len()..).unwrap_or_default();
    if !are_below(index.files.iter().map(|file| file.path.as_str())) {
        return Err(BadFolder::Paths);
    }
    let mut files = Vec::new();
    for file in index.files.iter() {
        let len = usize::try_from(file.len).map_err(|_| BadFolder::Damaged)?;
        let (bytes, after) = rest.split_at_checked(len).ok_or(BadFolder::Damaged)?;
        files.push((file.path.to_string(), bytes));
        rest = after;
    }
    if rest.is_empty() { Ok(files) } else { Err(BadFolder::Damaged) }
}

/// Whether these are paths of files below one folder: rising by their bytes, each once, none the folder of another, and
/// none leading out.
pub(crate) fn are_below<'a>(paths: impl Iterator<Item = &'a str> + Clone) -> bool {
    let is_name = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
    let known: BTreeSet<&str> = paths.clone().collect();
    let is_folder_of_one = |path: &str| {
        path.match_indices('/').any(|(slash, _)| known.contains(path.get(..slash).unwrap_or("")))
    };
    let rising = paths.clone().is_sorted_by(|before, after| before < after);
    rising && paths.clone().all(|path| path.split('/').all(is_name) && !is_folder_of_one(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, bytes: &[u8]) -> (String, Vec<u8>) {
        (path.to_owned(), bytes.to_vec())
    }

    #[test]
    fn a_folder_comes_back_whatever_order_it_was_read_in() {
        let files = vec![file("x/z", b"3"), file("a", b""), file("x/y/w", b"12")];
        let packed = pack(files.clone()).unwrap();
        assert_eq!(packed, pack(files.into_iter().rev().collect()).unwrap());
        let back = unpack(&packed).unwrap();
        assert_eq!(
            back.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(),
            ["a", "x/y/w", "x/z"]
        );
        assert_eq!((back[1].1, back[2].1), (&b"12"[..], &b"3"[..]));
        assert_eq!(unpack(&pack(vec![]).unwrap()), Ok(vec![]));
    }

    #[test]
    fn what_is_no_folder_is_refused() {
        for path in ["", "/a", "a/", "a//b", "..", "a/../b", ".", "a\0"] {
            assert_eq!(pack(vec![file(path, b"")]), Err(BadFolder::Paths), "{path:?}");
        }
        assert_eq!(pack(vec![file("a", b""), file("a", b"")]), Err(BadFolder::Paths));
        assert_eq!(
            pack(vec![file("a", b""), file("a/b", b""), file("a.b", b"")]),
            Err(BadFolder::Paths)
        );
        let long = "x".repeat(256);
        assert_eq!(pack(vec![file(&long, b"")]), Err(BadFolder::TooLong(long)));
        let many = (0..=FOLDER_FILES_MAX).map(|n| file(&n.to_string(), b"")).collect();
        assert_eq!(pack(many), Err(BadFolder::TooMany));
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let packed = pack(vec![file("a", b"12"), file("b", b"3")]).unwrap();
        for len in 0..packed.len() {
            assert!(unpack(&packed[..len]).is_err());
        }
        assert_eq!(unpack(&[&packed[..], b"x"].concat()), Err(BadFolder::Damaged));
        let mut huge = packed;
        huge[3] = 0xff; // The first byte of a length.
        assert_eq!(unpack(&huge), Err(BadFolder::Damaged));
    }
}
