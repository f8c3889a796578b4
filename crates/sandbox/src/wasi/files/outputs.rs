//! What is left under `/out` when a run ends.

use super::{Files, Id, Kind};
use types::{OUTPUT_FILES_MAX, OUTPUT_PATH_BYTES_MAX};

/// Files by path below `/out`, in the order of the paths' bytes.
type Outputs = Vec<(String, Vec<u8>)>;

/// Why what is left is no output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooMuch {
    /// They have more bytes together than the job's output limit leaves beside its standard output.
    #[error("the files under /out are longer than the output limit leaves room for")]
    Bytes,
    /// They are more than [`OUTPUT_FILES_MAX`].
    #[error("more than {OUTPUT_FILES_MAX} files are under /out")]
    Files,
    /// A path is longer than [`OUTPUT_PATH_BYTES_MAX`].
    #[error("a file under /out has a path of more than {OUTPUT_PATH_BYTES_MAX} bytes")]
    Path,
}

impl Files {
    /// The files under `/out`, which may have `bytes_max` bytes together. Links and empty folders are no
    /// output. A file that has several names is several files.
    pub(crate) fn outputs(&self, bytes_max: u64) -> Result<Outputs, TooMuch> {
        let mut found: Vec<(String, Id)> = vec![];
        // A tree may hold a million folders, each a thousand deep: paths that are too long are not built.
        let mut folders = vec![(Some(String::new()), self.output())];
        while let Some((path, folder)) = folders.pop() {
            let Kind::Folder { entries, .. } = &self.node(folder).kind else { continue };
            for (name, id) in entries {
                let full = path.as_ref().map(|path| match path.as_str() {
                    "" => name.clone(),
                    path => format!("{path}/{name}"),
                });
                let full = full.filter(|full| full.len() <= OUTPUT_PATH_BYTES_MAX);
                match (&self.node(*id).kind, full) {
                    (Kind::Folder { .. }, full) => folders.push((full, *id)),
                    (Kind::File(_), None) => return Err(TooMuch::Path),
                    (Kind::File(_), Some(full)) => found.push((full, *id)),
                    (Kind::Given(_) | Kind::Link(_), _) => {}
                }
            }
            if found.len() > OUTPUT_FILES_MAX {
                return Err(TooMuch::Files);
            }
        }
        found.sort_unstable();
        let contents = || {
            found.iter().filter_map(|(path, id)| match &self.node(*id).kind {
                Kind::File(content) => Some((path, content)),
                _ => None,
            })
        };
        let bytes = contents().fold(0u64, |sum, (_, content)| sum.saturating_add(content.len()));
        if bytes > bytes_max {
            return Err(TooMuch::Bytes);
        }
        Ok(contents().map(|(path, content)| (path.clone(), content.to_vec())).collect())
    }
}
