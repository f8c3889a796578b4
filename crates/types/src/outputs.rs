//! Files that a job left under `/out` when it ended.
//!
//! An [`crate::Outcome`] names the hash of an [`OutputList`], and the list names the hash of each file: two results that
//! differ in one byte of one file differ. The list can be made again from the files.

use crate::{Hash, List, OutputRef, Text, Wire, codec::DecodeExt as _, folder::are_below};
use serde::{Deserialize, Serialize};

/// Most files a job may leave under `/out`.
pub const OUTPUT_FILES_MAX: usize = 256;
/// Longest path of a file below `/out`, in bytes.
pub const OUTPUT_PATH_BYTES_MAX: usize = 255;

/// All files that a job left, by content.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Wire,
)]
pub struct OutputFiles {
    /// The bytes of their [`OutputList`].
    pub list: OutputRef,
    /// The bytes of all files together, without the list.
    pub bytes: u64,
}

/// One file that a job left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Wire)]
pub struct OutputFile {
    /// Its path below `/out`, with `/` between folders.
    pub path: Text<OUTPUT_PATH_BYTES_MAX>,
    /// Its bytes.
    pub content: OutputRef,
}

/// The list of the files that a job left, in the order of their paths' bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Wire)]
pub struct OutputList {
    /// At least one, each path once.
    pub files: List<OutputFile, OUTPUT_FILES_MAX>,
}

/// Why bytes are not the list of a job's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum BadOutputList {
    #[error("it is not the list that the result names")]
    Other,
    #[error("it cannot be decoded")]
    Damaged,
    #[error("its paths are empty, out of order, or lead out of /out")]
    Paths,
    #[error("its files do not have the length that the result names")]
    Bytes,
}

impl OutputList {
    /// Longest encoded list, in bytes.
    pub const BYTES_MAX: u64 = (OUTPUT_FILES_MAX * (OUTPUT_PATH_BYTES_MAX + 64) + 16) as u64;

    /// The list whose hash `files` names, if `bytes` are it and an honest sandbox could have made it.
    ///
    /// # Errors
    /// [`BadOutputList`].
    pub fn checked(bytes: &[u8], files: &OutputFiles) -> Result<Self, BadOutputList> {
        if bytes.len() as u64 > Self::BYTES_MAX || Hash::of_content(bytes) != files.list.hash {
            return Err(BadOutputList::Other);
        }
        let list = Self::decode(bytes.to_vec()).map_err(|_| BadOutputList::Damaged)?;
        let paths = list.files.iter().map(|file| file.path.as_str());
        if paths.len() == 0 || !are_below(paths) {
            return Err(BadOutputList::Paths);
        }
        let lens = list.files.iter().map(|file| file.content.len);
        if lens.fold(0u64, u64::saturating_add) != files.bytes {
            return Err(BadOutputList::Bytes);
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Encode as _;

    fn check(paths: &[&str], bytes: u64) -> Result<OutputList, BadOutputList> {
        let content = OutputRef { hash: Hash::ZERO, len: 2 };
        let file = |path: &&str| OutputFile { path: Text::new(*path).unwrap(), content };
        let list = OutputList { files: List::new(paths.iter().map(file).collect()).unwrap() };
        let encoded = list.encode();
        let len = encoded.len() as u64;
        let files =
            OutputFiles { list: OutputRef { hash: Hash::of_content(&encoded), len }, bytes };
        OutputList::checked(&encoded, &files)
    }

    #[test]
    fn only_lists_that_a_sandbox_could_make_hold() {
        assert!(check(&["a", "a.b", "b/c", "b/d"], 8).is_ok());
        let bad = [
            &[][..],
            &["b", "a"],
            &["a", "a"],
            &["/etc/passwd"],
            &["../x"],
            &["a/../x"],
            &["a//x"],
            &["a/"],
            &["."],
            &["a\0"],
            &["a", "a.b", "a/b"],
        ];
        for paths in bad {
            let bytes = 2 * paths.len() as u64;
            assert_eq!(check(paths, bytes).err(), Some(BadOutputList::Paths), "{paths:?}");
        }
        assert_eq!(check(&["a"], 3).err(), Some(BadOutputList::Bytes));
    }

    #[test]
    fn the_longest_list_is_within_its_bound() {
        let content = OutputRef { hash: Hash::ZERO, len: u64::MAX };
        let path = Text::new("x".repeat(OUTPUT_PATH_BYTES_MAX)).unwrap();
        let files = vec![OutputFile { path, content }; OUTPUT_FILES_MAX];
        let list = OutputList { files: List::new(files).unwrap() };
        assert!(list.encode().len() as u64 <= OutputList::BYTES_MAX);
    }

    #[test]
    fn other_bytes_are_no_list() {
        let list = |bytes: &[u8]| OutputFiles {
            list: OutputRef { hash: Hash::of_content(bytes), len: 1 },
            bytes: 0,
        };
        let checked = |bytes: &[u8], of: &[u8]| OutputList::checked(bytes, &list(of)).err();
        assert_eq!(checked(b"x", b"y"), Some(BadOutputList::Other));
        assert_eq!(checked(b"\x05x", b"\x05x"), Some(BadOutputList::Damaged));
    }
}
