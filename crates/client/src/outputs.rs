//! The files that a job left under `/out`: asked for, checked, and written below one folder of this machine.

use crate::{
    BadTree, NotFetched, NotWritten, TreeBounds, could_write_in, fetch::no_result, read_tree,
    write_whole,
};
use api::{Client, JobView};
use std::{
    fs,
    path::{Path, PathBuf},
};
use types::{
    List, OUTPUT_FILES_MAX, OUTPUT_PATH_BYTES_MAX, OutputFile, OutputFiles, OutputList, OutputRef,
    Text, codec::Encode as _, state::Phase,
};

/// The list of the files that a settled job left; `None` if it left none.
///
/// # Errors
/// [`NotFetched`].
pub fn output_list(client: &Client, view: &JobView) -> Result<Option<OutputList>, NotFetched> {
    let Phase::Settled(settlement) = &view.record.phase else {
        return Err(no_result(&view.job, &view.record.phase));
    };
    let Some(files) = settlement.outcome.status.files() else { return Ok(None) };
    let bytes = client.output_file(Some(view.chain), view.job, None)?.bytes()?;
    Ok(Some(OutputList::checked(&bytes, &files)?))
}

/// One of the files that a settled job left, as its list names it.
///
/// # Errors
/// [`NotFetched`].
pub fn output_file(
    client: &Client,
    view: &JobView,
    file: &OutputFile,
) -> Result<Vec<u8>, NotFetched> {
    let hash = file.content.hash;
    let bytes = client.output_file(Some(view.chain), view.job, Some(hash))?.bytes()?;
    if OutputRef::of(&bytes) == file.content {
        Ok(bytes)
    } else {
        Err(NotFetched::OtherFile(file.path.to_string()))
    }
}

/// A folder that is to hold what a job leaves, and only that.
#[derive(Clone, Debug)]
pub struct OutputFolder {
    root: PathBuf,
    overwrite: bool,
}

/// Why nothing is written to a folder.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NoFolder {
    #[error(
        "{} is not empty\nhint: name a new folder, or add --overwrite to replace files in this one", root.display()
    )]
    NotEmpty { root: PathBuf },
    #[error("{} is no folder", root.display())]
    NotAFolder { root: PathBuf },
    #[error(
        "{} is a symbolic link, which might lead out of the folder\nhint: remove it, or name another folder", path.display()
    )]
    Link { path: PathBuf },
    #[error(transparent)]
    NotWritten(#[from] NotWritten),
}

impl OutputFolder {
    /// The folder at `root`, which is made if it is not there. Asked before a job is paid for.
    ///
    /// # Errors
    /// [`NoFolder`] if it cannot be written to, or something is in it and `overwrite` does not say that this may be
    /// replaced.
    pub fn at(root: &Path, overwrite: bool) -> Result<Self, NoFolder> {
        let root = root.to_owned();
        match fs::metadata(&root) {
            Ok(found) if !found.is_dir() => Err(NoFolder::NotAFolder { root }),
            Ok(_)
                if !overwrite && fs::read_dir(&root).is_ok_and(|mut all| all.next().is_some()) =>
            {
                Err(NoFolder::NotEmpty { root })
            }
            Ok(_) | Err(_) => {
                could_write_in(&root)?;
                Ok(Self { root, overwrite })
            }
        }
    }

    /// Where it is.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Write one file of a list that was checked: its path has no `..` and begins with no `/`.
    ///
    /// # Errors
    /// [`NoFolder`], also if a symbolic link stands in the way.
    pub fn write(&self, file: &OutputFile, bytes: &[u8]) -> Result<(), NoFolder> {
        let mut path = self.root.clone();
        for part in file.path.as_str().split('/') {
            path.push(part);
            if fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink()) {
                return Err(NoFolder::Link { path });
            }
        }
        if !self.overwrite && path.exists() {
            return Err(NoFolder::NotEmpty { root: self.root.clone() });
        }
        Ok(write_whole(&path, bytes, false)?)
    }
}

/// How a folder differs from what a job left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The job left no files, and the folder has some.
    SomeForNone,
    /// The job left these files, and the folder holds others.
    Others(OutputFiles),
}

/// How the files below `root` differ from those that a job left; `None` if they are the same. A folder that does not exist
/// is one without files.
///
/// # Errors
/// As [`files_of`].
pub fn difference(root: &Path, proved: Option<OutputFiles>) -> Result<Option<Difference>, BadTree> {
    let found = if proved.is_none() && !root.exists() { None } else { files_of(root)? };
    Ok(match (found, proved) {
        (found, proved) if found == proved => None,
        (_, None) => Some(Difference::SomeForNone),
        (_, Some(proved)) => Some(Difference::Others(proved)),
    })
}

/// What a job that left exactly the files below `root` would have left. `None`: there are no files.
///
/// # Errors
/// [`BadTree`] if no job can leave them.
///
/// # Panics
/// Never: no more files are read than a list may have.
pub fn files_of(root: &Path) -> Result<Option<OutputFiles>, BadTree> {
    let bounds = TreeBounds { files: OUTPUT_FILES_MAX, bytes: types::MODULE_BYTES_MAX };
    let tree = read_tree(root, bounds)?;
    if tree.is_empty() {
        return Ok(None);
    }
    let listed = tree.iter().map(|(path, bytes)| {
        let text = Text::new(path.clone())
            .map_err(|_| BadTree::Path { path: path.into(), max: OUTPUT_PATH_BYTES_MAX })?;
        Ok(OutputFile { path: text, content: OutputRef::of(bytes) })
    });
    let listed = listed.collect::<Result<_, BadTree>>()?;
    let files = List::new(listed).expect("as many as may be read");
    let bytes = tree.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    Ok(Some(OutputFiles { list: OutputRef::of(&OutputList { files }.encode()), bytes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, bytes: &[u8]) -> OutputFile {
        OutputFile { path: Text::new(path).unwrap(), content: OutputRef::of(bytes) }
    }

    #[test]
    fn what_is_written_is_what_the_result_names() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("new/out");
        let folder = OutputFolder::at(&root, false).unwrap();
        for (path, bytes) in [("b", &b"2"[..]), ("a/x", b"1")] {
            folder.write(&file(path, bytes), bytes).unwrap();
        }
        let files = List::new(vec![file("a/x", b"1"), file("b", b"2")]).unwrap();
        let encoded = OutputList { files }.encode();
        let found = files_of(&root).unwrap().unwrap();
        assert_eq!((found.bytes, found.list), (2, OutputRef::of(&encoded)));
        assert!(OutputList::checked(&encoded, &found).is_ok());
        assert!(files_of(tempfile::tempdir().unwrap().path()).unwrap().is_none());
        let (other, nowhere) = (dir.path(), dir.path().join("nowhere"));
        assert_eq!(difference(&root, Some(found)).unwrap(), None);
        assert_eq!(difference(other, Some(found)).unwrap(), Some(Difference::Others(found)));
        assert_eq!(difference(other, None).unwrap(), Some(Difference::SomeForNone));
        assert_eq!(difference(&nowhere, None).unwrap(), None, "no folder holds no files");
        assert!(difference(&nowhere, Some(found)).is_err());
    }

    #[test]
    fn a_path_that_no_job_can_leave_is_told_from_a_name_that_is_no_text() {
        let dir = tempfile::tempdir().unwrap();
        let long = "d".repeat(200);
        fs::create_dir_all(dir.path().join(&long)).unwrap();
        fs::write(dir.path().join(&long).join(&long), b"").unwrap();
        let refused = files_of(dir.path()).unwrap_err().to_string();
        assert!(refused.contains("is longer than the 255 bytes"), "{refused}");
    }

    #[test]
    fn what_is_there_is_kept_unless_it_may_be_replaced() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a"), b"mine").unwrap();
        // Folders of any name may be there.
        fs::create_dir(dir.path().join("file")).unwrap();
        assert!(matches!(OutputFolder::at(dir.path(), false), Err(NoFolder::NotEmpty { .. })));
        let named = dir.path().join("a");
        assert!(matches!(OutputFolder::at(&named, true), Err(NoFolder::NotAFolder { .. })));
        let folder = OutputFolder::at(dir.path(), true).unwrap();
        folder.write(&file("a", b"new"), b"new").unwrap();
        assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"new");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_leads_nothing_out_of_the_folder() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(other.path(), dir.path().join("sub")).unwrap();
        let folder = OutputFolder::at(dir.path(), true).unwrap();
        let refused = folder.write(&file("sub/x", b"1"), b"1");
        assert!(matches!(refused, Err(NoFolder::Link { .. })), "{refused:?}");
        assert_eq!(fs::read_dir(other.path()).unwrap().count(), 0);
    }
}
