//! The names of a job's files: paths below `/in`.

use crate::refused::Refused;
use std::collections::BTreeSet;

/// Deepest folder of a job's file below `/in`.
const DEPTH_MAX: usize = 32;
/// Longest part of a path, in bytes.
const PART_BYTES_MAX: usize = 255;

/// Whether these can be the files of one job: each is a proper path below `/in`, none appears twice,
/// and none is a folder of another.
///
/// ```
/// assert!(sandbox::check_file_names(["model.gguf", "data/train.csv"]).is_ok());
/// assert!(sandbox::check_file_names(["../secret"]).is_err());
/// ```
///
/// # Errors
/// [`Refused::BadFile`].
pub fn check_file_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<(), Refused> {
    let mut seen = BTreeSet::new();
    let mut folders = BTreeSet::new();
    for name in names {
        let bad = |problem| Refused::BadFile { name: name.chars().take(80).collect(), problem };
        if let Some(problem) = problem_of(name) {
            return Err(bad(problem));
        }
        if !seen.insert(name) {
            return Err(bad("appears twice"));
        }
        folders.extend(name.match_indices('/').map(|(slash, _)| &name[..slash]));
    }
    match folders.intersection(&seen).next() {
        Some(both) => Err(Refused::BadFile {
            name: both.chars().take(80).collect(),
            problem: "is a file and a folder of other files at once",
        }),
        None => Ok(()),
    }
}

/// What is wrong with one path, if anything.
fn problem_of(name: &str) -> Option<&'static str> {
    let is_bad = |part: &str| matches!(part, "" | "." | "..") || part.len() > PART_BYTES_MAX;
    if name.starts_with('/') {
        Some("begins with a slash: it is a path below /in")
    } else if name.contains('\0') {
        Some("contains a zero byte")
    } else if name.split('/').any(is_bad) {
        Some("has a part that is empty, `.`, `..` or longer than 255 bytes")
    } else if name.matches('/').count() > DEPTH_MAX {
        Some("lies in more than 32 folders")
    } else {
        None
    }
}
