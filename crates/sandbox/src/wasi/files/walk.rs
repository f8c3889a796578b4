//! Walking a path from a folder: it may wander, but not out of where it started.

use super::super::errno::Errno;
use super::{Files, Id, Kind, NAME_BYTES_MAX};

/// Most links followed on one path.
const FOLLOWED_MAX: u32 = 32;

/// Where a path led.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Walked {
    /// The folder that holds the last name.
    pub(super) folder: Id,
    /// The last name; none if the path ends in `.` or `..`.
    pub(super) name: Option<String>,
    pub(in super::super) found: Option<Id>,
    /// Whether a slash at its end asks for a folder.
    pub(super) slash: bool,
}

impl Walked {
    /// Whether a slash at its end asks for a folder.
    pub(in super::super) const fn ends_in_slash(&self) -> bool {
        self.slash
    }

    /// What is there.
    pub(in super::super) fn existing(&self) -> Result<Id, Errno> {
        self.found.ok_or(Errno::Noent)
    }
}

impl Files {
    /// Walk `path` from `start`. A link in the last place is followed if `follow` says so, or if a
    /// slash stands behind it.
    pub(in super::super) fn walk(
        &mut self,
        start: Id,
        path: &str,
        follow: bool,
    ) -> Result<Walked, Errno> {
        check(path)?;
        let slash = path.ends_with('/');
        let mut parts: Vec<String> = parts_of(path);
        let mut folders = vec![start];
        let mut name = None;
        let mut followed = 0;
        while let Some(part) = parts.pop() {
            self.steps += 1;
            let folder = *folders.last().ok_or(Errno::Perm)?;
            match part.as_str() {
                "" | "." => name = None,
                ".." => {
                    folders.pop();
                    if folders.is_empty() {
                        return Err(Errno::Perm);
                    }
                    name = None;
                }
                part if part.len() > NAME_BYTES_MAX => return Err(Errno::Nametoolong),
                part => {
                    let last = parts.is_empty();
                    let Some(found) = self.entry(folder, part) else {
                        let walked =
                            Walked { folder, name: Some(part.to_owned()), found: None, slash };
                        return if last { Ok(walked) } else { Err(Errno::Noent) };
                    };
                    match &self.node(found).kind {
                        Kind::Link(target) if !last || follow || slash => {
                            followed += 1;
                            if followed > FOLLOWED_MAX {
                                return Err(Errno::Loop);
                            }
                            check(target)?;
                            parts.extend(parts_of(target));
                        }
                        Kind::Folder { .. } => {
                            folders.push(found);
                            name = Some(part.to_owned());
                        }
                        _ if !last => return Err(Errno::Notdir),
                        _ => {
                            let name = Some(part.to_owned());
                            return Ok(Walked { folder, name, found: Some(found), slash });
                        }
                    }
                }
            }
        }
        let found = folders.pop().ok_or(Errno::Perm)?;
        let folder = folders.last().copied().filter(|_| name.is_some()).unwrap_or(found);
        Ok(Walked { folder, name, found: Some(found), slash })
    }
}

fn check(path: &str) -> Result<(), Errno> {
    if path.is_empty() {
        return Err(Errno::Noent);
    }
    if path.starts_with('/') {
        return Err(Errno::Perm);
    }
    if path.contains('\0') {
        return Err(Errno::Inval);
    }
    Ok(())
}

/// The parts of `path`, the first one last; slashes at its end are left out.
fn parts_of(path: &str) -> Vec<String> {
    path.trim_end_matches('/').rsplit('/').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Bounds;

    #[test]
    fn paths_do_not_lead_out() {
        let mut files = Files::new(["a", "sub/b"].into_iter(), 0);
        let input = files.input();
        let mut find = |path: &str| {
            files.walk(input, path, true).and_then(|walked| {
                if walked.slash && walked.found.is_some_and(|id| files_is_file(&files, id)) {
                    return Err(Errno::Notdir);
                }
                walked.existing()
            })
        };
        assert!(find("a").is_ok() && find("./a").is_ok() && find("sub/../a").is_ok());
        assert_eq!(find("."), Ok(input));
        assert_eq!(find("sub/.."), Ok(input));
        assert_eq!(find("b"), Err(Errno::Noent));
        assert_eq!(find(""), Err(Errno::Noent));
        assert_eq!(find("a/"), Err(Errno::Notdir));
        assert_eq!(find("a/.."), Err(Errno::Notdir));
        assert_eq!(find("a\0"), Err(Errno::Inval));
        assert_eq!(find(&"x".repeat(256)), Err(Errno::Nametoolong));
        for path in ["/a", "..", "../a", "./../in/a", "sub/../../in/a"] {
            assert_eq!(find(path), Err(Errno::Perm), "{path}");
        }
    }

    fn files_is_file(files: &Files, id: Id) -> bool {
        !matches!(files.node(id).kind, Kind::Folder { .. })
    }

    #[test]
    fn links_are_followed_but_not_for_ever_and_not_out() {
        let (mut files, mut bounds) = (Files::new([].into_iter(), 0), Bounds::new(1 << 20));
        let root = files.temporary();
        for (target, name) in [("b", "a"), ("c", "b"), ("x", "x"), ("../in", "out")] {
            files.link_to(root, name, target, 0, &mut bounds).unwrap();
        }
        files.make_folder(root, "c", 0, &mut bounds).unwrap();
        let folder = files.walk(root, "c", false).unwrap().found;
        assert_eq!(files.walk(root, "a", true).unwrap().found, folder);
        assert_eq!(files.walk(root, "a/", false).unwrap().found, folder);
        assert_ne!(files.walk(root, "a", false).unwrap().found, folder);
        assert_eq!(files.walk(root, "x", true), Err(Errno::Loop));
        assert_eq!(files.walk(root, "out/a", true), Err(Errno::Perm));
        assert_eq!(files.link_to(root, "e", "/etc", 0, &mut bounds), Err(Errno::Perm));
    }
}
