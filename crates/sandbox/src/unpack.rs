//! The files of a job: those that it names, and those in the folders that it names.

use crate::names::check_file_names;
use crate::refused::Refused;
use types::folder;

/// A job's files as its program will see them: path below `/in`, and bytes.
pub type Unpacked<'a> = Vec<(String, &'a [u8])>;

/// Unpack what a [`types::JobSpec`] names: a name with `/` at its end is a packed [`folder`], and `./` stands for `/in`.
///
/// ```
/// let packed = types::folder::pack(vec![("train.csv".to_owned(), b"1,2".to_vec())]).unwrap();
/// let files = sandbox::unpack([("data/", &packed[..]), ("readme", b"hi")]).unwrap();
/// assert_eq!(files, [("data/train.csv".to_owned(), &b"1,2"[..]), ("readme".to_owned(), b"hi")]);
/// ```
///
/// # Errors
/// [`Refused::BadFile`] if a folder is damaged or a path is none, appears twice, or is a folder of another one.
pub fn unpack<'a>(
    named: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<Unpacked<'a>, Refused> {
    let mut files = Vec::new();
    for (name, bytes) in named {
        let Some(folder) = name.strip_suffix('/') else {
            files.push((name.to_owned(), bytes));
            continue;
        };
        let bad = |_| Refused::BadFile {
            name: name.chars().take(80).collect(),
            problem: "is no packed folder: its bytes are damaged",
        };
        let unpacked = folder::unpack(bytes).map_err(bad)?;
        files.extend(unpacked.into_iter().map(|(path, bytes)| match folder {
            "." => (path, bytes),
            folder => (format!("{folder}/{path}"), bytes),
        }));
    }
    check_file_names(files.iter().map(|(name, _)| name.as_str()))?;
    Ok(files)
}
